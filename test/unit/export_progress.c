/* test/unit/export_progress.c - what those see who wait for exports. */
#include "support/check.h"
#include "support/exporting.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

struct fixture {
    struct exporting exporting;
    struct arena arena;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    exporting_open(&fixture->exporting, true, 0);
    arena_init(&fixture->arena);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    exporting_close(&fixture->exporting);
    arena_release(&fixture->arena);
    free(fixture);
    return 0;
}

static struct bytes begin(struct fixture *fixture, const char *table)
{
    char arn[sizeof EXPORTING_ARN + 16];
    struct export export;

    exporting_later(1000);
    snprintf(arn, sizeof arn, EXPORTING_ARN "%s", table);
    struct export_request request = exporting_request(arn);
    if (!exporting_start(&fixture->exporting, &request, &fixture->arena, &export))
        fail_msg("%s", fixture->exporting.err.message);
    return export.arn;
}

static void steps(struct fixture *fixture, int count)
{
    while (count-- > 0)
        assert_true(jobs_step(fixture->exporting.jobs));
}

static struct export_progress progress_of(struct fixture *fixture, struct bytes arn)
{
    struct export_progress progress;

    assert_true(export_progress(fixture->exporting.exports, arn, &progress));
    return progress;
}

static void assert_at(struct fixture *fixture, struct bytes arn, enum export_phase phase,
                      uint32_t parts_done)
{
    struct export_progress progress = progress_of(fixture, arn);

    assert_int_equal(progress.phase, phase);
    assert_int_equal(progress.parts, 4);
    assert_int_equal(progress.parts_done, parts_done);
    assert_int_equal((int)(progress.share * 100), 25 * parts_done);
    assert_true(progress.seconds_left >= 0 || parts_done == 0);
}

static void progress_goes_by_hashes(void **state)
{
    struct fixture *fixture = *state;
    struct model *model = calloc(1, sizeof *model);
    struct export_progress progress;
    char key[16];

    exporting_table(&fixture->exporting, "Orders");
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "p%d", i);
        exporting_write(&fixture->exporting, model, "Orders", key, 0, "value");
    }
    struct bytes arn = begin(fixture, "Orders");
    assert_false(export_progress(fixture->exporting.exports, arn, &progress));
    steps(fixture, 1);
    assert_at(fixture, arn, EXPORT_WAITS, 0);
    steps(fixture, 1);
    assert_at(fixture, arn, EXPORT_WRITES, 0);
    steps(fixture, 1);
    assert_at(fixture, arn, EXPORT_WRITES, 1);
    steps(fixture, 2);
    assert_at(fixture, arn, EXPORT_WRITES, 3);
    progress = progress_of(fixture, arn);
    assert_in_range(progress.items, 50, 99);
    /* What a server before this one has written counts for the share and not for the rate. */
    exporting_restart(&fixture->exporting);
    steps(fixture, 2 + 3);
    struct export_progress again = progress_of(fixture, arn);
    assert_int_equal(again.items, progress.items);
    assert_int_equal((int)(again.share * 100), 75);
    assert_true(again.bytes_rate == 0 && again.seconds_left < 0);
    steps(fixture, 1);
    assert_at(fixture, arn, EXPORT_WRITES, 4);
    assert_int_equal(progress_of(fixture, arn).items, 100);
    exporting_run(&fixture->exporting);
    assert_false(export_progress(fixture->exporting.exports, arn, &progress));
    exporting_check(&fixture->exporting, arn, model);
    free(model);
}

static struct export_recent recent(struct fixture *fixture, uint32_t ended_most)
{
    struct export_recent found;
    struct err err;

    if (!exports_recent(fixture->exporting.exports, ended_most, &fixture->arena, &found, &err))
        fail_msg("%s", err.message);
    return found;
}

static void the_latest_are_of_all_tables(void **state)
{
    struct fixture *fixture = *state;
    struct bytes ended[4], running[2];

    assert_int_equal(recent(fixture, 10).ended_count, 0);
    exporting_table(&fixture->exporting, "B");
    exporting_table(&fixture->exporting, "A");
    exporting_table(&fixture->exporting, "C");
    for (int i = 0; i < 4; i++)
        ended[i] = begin(fixture, (const char *[]){"B", "A", "C", "A"}[i]);
    exporting_run(&fixture->exporting);
    running[0] = begin(fixture, "C");
    running[1] = begin(fixture, "A");

    struct export_recent found = recent(fixture, 3);
    assert_int_equal(found.running_count, 2);
    assert_bytes_equal(found.running[0].arn, running[1]);
    assert_bytes_equal(found.running[1].arn, running[0]);
    assert_int_equal(found.ended_count, 3);
    for (int i = 0; i < 3; i++)
        assert_bytes_equal(found.ended[i].arn, ended[3 - i]);
    assert_int_equal(recent(fixture, 0).ended_count, 0);
    assert_int_equal(recent(fixture, 100).ended_count, 4);
    exporting_later(91 * (DAY_MICROS / 1000));
    found = recent(fixture, 100);
    assert_int_equal(found.ended_count, 0); /* forgotten */
    assert_int_equal(found.running_count, 2);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(progress_goes_by_hashes, setup, teardown),
        cmocka_unit_test_setup_teardown(the_latest_are_of_all_tables, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
