/* test/unit/export_job.c - whole exports: the table as it was, on both engines, through failures,
 * stops and deaths at every step. */
#include "support/check.h"
#include "support/exporting.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "archive/export_window.h"
#include "base/clock.h"
#include "base/fault.h"

#define ORDERS EXPORTING_ARN "Orders"
#define DAY_MS (DAY_MICROS / 1000)

struct fixture {
    struct exporting exporting;
    struct arena arena;
    struct model now, then;
    uint64_t then_ms;
    bool window; /* what is exported is what changed from here to `then` */
    struct model before;
    uint64_t before_ms;
    struct export_filter *filter; /* of what is accepted */
};

static struct fixture *open_fixture(bool lasts, uint32_t workers)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    exporting_open(&fixture->exporting, lasts, workers);
    arena_init(&fixture->arena);
    exporting_table(&fixture->exporting, "Orders");
    return fixture;
}

static void close_fixture(struct fixture *fixture)
{
    exporting_close(&fixture->exporting);
    arena_release(&fixture->arena);
    free(fixture);
}

static void put(struct fixture *fixture, int pk, int sk, const char *value)
{
    char name[16];

    snprintf(name, sizeof name, "p%d", pk);
    exporting_write(&fixture->exporting, &fixture->now, "Orders", name, sk, value);
}

static void fill_first(struct fixture *fixture, int keys)
{
    char value[40];

    for (int i = 0; i < keys; i++)
        for (int j = -2; j < 3; j++) {
            snprintf(value, sizeof value, "first %d %d", i, j);
            put(fixture, i, j, value);
        }
    exporting_later(10);
}

/* Changes of every kind. */
static void change(struct fixture *fixture, int keys)
{
    for (int i = 0; i < keys; i += 2)
        put(fixture, i, 0, "changed");
    for (int i = 0; i < keys; i += 3)
        put(fixture, i, 1, NULL);
    for (int i = 0; i < keys; i += 6) {
        put(fixture, i, 1, "back again");
        put(fixture, i, 2, NULL);
    }
    put(fixture, keys, 7, "new");
    exporting_later(10);
}

/* Some items, an instant, and then changes. */
static void fill(struct fixture *fixture, int keys)
{
    fill_first(fixture, keys);
    fixture->then = fixture->now;
    fixture->then_ms = exporting_now_ms();
    change(fixture, keys);
}

static void later_to_the_second(void)
{
    exporting_later(1000 - exporting_now_ms() % 1000);
}

/* A window of a quarter of an hour, with writes on both of its edges. */
static void fill_window(struct fixture *fixture, int keys)
{
    fill_first(fixture, keys);
    later_to_the_second();
    fixture->window = true;
    fixture->before = fixture->now;
    fixture->before_ms = exporting_now_ms();
    put(fixture, 0, -1, "on the edge, and in");
    assert_int_equal(fixture->now.items[1].time, fixture->before_ms * 1000);
    change(fixture, keys);
    put(fixture, 1, -1, "first 1 -1"); /* as it was */
    put(fixture, 1, -2, NULL);
    put(fixture, keys, 8, "comes");
    put(fixture, keys, 8, NULL); /* and goes */
    exporting_later(EXPORT_WINDOW_LEAST_S * 1000 + fixture->before_ms - exporting_now_ms());
    fixture->then = fixture->now;
    fixture->then_ms = exporting_now_ms();
    put(fixture, 0, -2, "on the edge, and out");
    assert_int_equal(fixture->now.items[0].time, fixture->then_ms * 1000);
    put(fixture, 2, -2, NULL);
    exporting_later(10);
}

static void fill_either(struct fixture *fixture, bool window, int keys)
{
    if (window)
        fill_window(fixture, keys);
    else
        fill(fixture, keys);
}

/* What was filled in, exported whole. */
static void check(struct fixture *fixture, struct bytes arn)
{
    if (fixture->window)
        exporting_check_window(&fixture->exporting, arn, &fixture->before, &fixture->then);
    else
        exporting_check(&fixture->exporting, arn, &fixture->then);
}

static struct export_request window_request(struct fixture *fixture, uint64_t from_ms,
                                            uint64_t to_ms, const char *view)
{
    struct export_request request = exporting_request(ORDERS);

    (void)fixture;
    request.type = BYTES("INCREMENTAL_EXPORT");
    request.window = request.window_from = request.window_to = true;
    request.from_ms = from_ms;
    request.to_ms = to_ms;
    if (view != NULL)
        request.view = bytes_of_text(view);
    return request;
}

/* Accepts an export of the instant `then`, or of now; or of the window that was filled in. */
static struct bytes accept(struct fixture *fixture, bool timed, const char *prefix)
{
    struct export_request request = exporting_request(ORDERS);
    struct export export;

    if (fixture->window)
        request = window_request(fixture, fixture->before_ms, fixture->then_ms, NULL);
    request.filter = fixture->filter;
    request.timed = timed && !fixture->window;
    request.time_ms = fixture->then_ms;
    if (prefix != NULL)
        request.prefix = bytes_of_text(prefix);
    if (!exporting_start(&fixture->exporting, &request, &fixture->arena, &export))
        fail_msg("%s", fixture->exporting.err.message);
    return export.arn;
}

static void exports_show_their_instant(void **state)
{
    (void)state;
    for (int lasts = 0; lasts < 2; lasts++)
        for (uint32_t workers = 0; workers < 3; workers += 2) {
            struct fixture *fixture = open_fixture(lasts, workers);
            fill(fixture, 30);
            struct bytes past = accept(fixture, true, "nightly");
            struct bytes now = accept(fixture, false, NULL);
            struct model at_accept = fixture->now;
            /* the clock still stands before StartTime: what comes now is later all the same */
            for (int i = 0; i < 30; i += 4)
                put(fixture, i, -1, i % 8 == 0 ? NULL : "after it was accepted");
            exporting_run(&fixture->exporting);
            exporting_check(&fixture->exporting, past, &fixture->then);
            exporting_check(&fixture->exporting, now, &at_accept);
            close_fixture(fixture);
        }
}

static void empty_tables_have_four_files(void **state)
{
    struct fixture *fixture = open_fixture(false, 0);
    struct export export;

    (void)state;
    struct bytes arn = accept(fixture, false, NULL);
    exporting_run(&fixture->exporting);
    exporting_check(&fixture->exporting, arn, &fixture->now);
    assert_true(exporting_describe(&fixture->exporting, arn, &fixture->arena, &export));
    assert_int_equal(export.parts, 4);
    assert_int_equal(export.items, 0);
    assert_int_equal(export.billed_bytes, 0);
    close_fixture(fixture);
}

/* What local indexes had at the instant is billed too, though the table is gone. */
static void local_indexes_are_billed(void **state)
{
    static const struct bytes included[] = {BYTES_INIT("v")};
    static const struct table_index indexes[] = {
        {.name = BYTES_INIT("l"),
         .local = true,
         .keys = {{BYTES_INIT("pk"), KEY_S}, {BYTES_INIT("a"), KEY_N}},
         .partition_count = 1,
         .key_count = 2,
         .projection = PROJECT_INCLUDE,
         .included = included,
         .included_count = 1},
        {.name = BYTES_INIT("g"), /* a global one is not */
         .keys = {{BYTES_INIT("a"), KEY_N}},
         .partition_count = 1,
         .key_count = 1,
         .projection = PROJECT_ALL},
    };
    static const struct table table = {
        .name = BYTES_INIT("local"),
        .keys = {{BYTES_INIT("pk"), KEY_S}, {BYTES_INIT("sk"), KEY_N}},
        .key_count = 2,
        .indexes = indexes,
        .index_count = 2,
    };
    struct fixture *fixture = open_fixture(false, 0);
    struct database *database = &fixture->exporting.database;
    struct export_request request =
        exporting_request("arn:aws:dynamodb:eu-west-1:111122223333:table/local");
    struct export export;
    struct err err;

    (void)state;
    assert_true(database_create_table(database, &table, &err));
    assert_true(database_recovery(database, "local", true, 35, &err));
    /* 7 bytes; then 14, and 12 in the index, without `w` */
    assert_true(database_put_json(database, "local", "{'pk':{'S':'p'},'sk':{'N':'1'}}", &err));
    assert_true(database_put_json(database, "local",
                                  "{'pk':{'S':'p'},'sk':{'N':'2'},'a':{'N':'1'},'v':{'S':'x'},"
                                  "'w':{'S':'x'}}",
                                  &err));
    exporting_later(1000);
    if (!exporting_start(&fixture->exporting, &request, &fixture->arena, &export))
        fail_msg("%s", fixture->exporting.err.message);
    assert_true(database_delete(database, "local", &err));
    exporting_run(&fixture->exporting);
    assert_true(exporting_describe(&fixture->exporting, export.arn, &fixture->arena, &export));
    assert_int_equal(export.state, EXPORT_COMPLETED);
    assert_int_equal(export.items, 2);
    assert_int_equal(export.billed_bytes, 7 + 14 + 12);
    close_fixture(fixture);
}

static void no_job(void *context, struct bytes name)
{
    (void)context;
    fail_msg("the job %.*s is still there", BYTES_ARGS(name));
}

/* Pins, parts and job are gone with an export that has ended, whichever way. */
static void assert_nothing_kept(struct fixture *fixture, struct bytes arn)
{
    struct engine *engine = fixture->exporting.database.engine;
    struct export export;
    struct export_part part;
    struct log_state state;
    struct err err;

    assert_true(export_get(engine, arn, &fixture->arena, &export, &err));
    assert_true(log_state_read(engine, export.table_number, &fixture->arena, &state, &err));
    assert_int_equal(state.pin_count, 0);
    assert_true(jobs_each(engine, "export", no_job, NULL, &err));
    for (uint32_t i = 0; i < export.parts; i++) {
        assert_true(export_part_get(engine, arn, i, &fixture->arena, &part, &err));
        assert_int_equal(part.stamp.size, 0);
    }
}

static void a_missing_bucket_fails_at_once(void **state)
{
    struct fixture *fixture = open_fixture(false, 0);
    struct export_request request = exporting_request(ORDERS);
    struct export export;

    (void)state;
    fill(fixture, 4);
    request.bucket = BYTES("no-such-bucket");
    assert_true(exporting_start(&fixture->exporting, &request, &fixture->arena, &export));
    assert_true(jobs_step(fixture->exporting.jobs)); /* _started */
    assert_true(jobs_step(fixture->exporting.jobs)); /* and its failure */
    assert_true(exporting_describe(&fixture->exporting, export.arn, &fixture->arena, &export));
    assert_int_equal(export.state, EXPORT_FAILED);
    assert_bytes_equal(export.failure_code, BYTES("S3NoSuchBucket"));
    assert_true(bytes_begin(export.failure_message,
                            BYTES("The specified bucket does not exist (Service: Amazon S3; Status "
                                  "Code: 404; Error Code: NoSuchBucket; Request ID: ")));
    assert_nothing_kept(fixture, export.arn);
    close_fixture(fixture);
}

static void a_key_is_never_cut_off(void **state)
{
    struct fixture *fixture = open_fixture(false, 0);
    struct export_request request = exporting_request(ORDERS);
    struct export export;

    (void)state;
    request.prefix = bytes_of("a\0b", 3);
    assert_true(exporting_start(&fixture->exporting, &request, &fixture->arena, &export));
    exporting_run(&fixture->exporting);
    assert_true(exporting_describe(&fixture->exporting, export.arn, &fixture->arena, &export));
    assert_int_equal(export.state, EXPORT_FAILED);
    assert_bytes_equal(export.failure_code, BYTES("InternalServerError"));
    assert_bytes_equal(export.failure_message,
                       BYTES("no object's key has a NUL in it, as this S3Prefix does"));
    close_fixture(fixture);
}

static void deleted_tables_are_exported(void **state)
{
    (void)state;
    for (int lasts = 0; lasts < 2; lasts++) {
        struct fixture *fixture = open_fixture(lasts, 0);
        struct model none = {.count = 0};
        struct err err;

        fill(fixture, 20);
        struct bytes past = accept(fixture, true, NULL);
        struct bytes now = accept(fixture, false, NULL);
        struct model last = fixture->now;
        assert_true(jobs_step(fixture->exporting.jobs));
        assert_true(database_delete(&fixture->exporting.database, "Orders", &err));
        assert_true(jobs_maintain(fixture->exporting.jobs, &err));
        fixture->now = none;
        exporting_table(&fixture->exporting, "Orders"); /* another one of that name */
        put(fixture, 1, 1, "of the new table");
        exporting_restart(&fixture->exporting);
        exporting_run(&fixture->exporting);
        exporting_check(&fixture->exporting, past, &fixture->then);
        exporting_check(&fixture->exporting, now, &last);
        assert_nothing_kept(fixture, past);
        assert_true(jobs_maintain(fixture->exporting.jobs, &err));
        struct bytes newer = accept(fixture, false, NULL);
        exporting_run(&fixture->exporting);
        exporting_check(&fixture->exporting, newer, &fixture->now);
        close_fixture(fixture);
    }
}

static void recovery_may_be_switched_off(void **state)
{
    struct err err;

    (void)state;
    for (int window = 0; window < 2; window++) {
        struct fixture *fixture = open_fixture(false, 0);
        fill_either(fixture, window, 20);
        struct bytes past = accept(fixture, true, NULL);
        assert_true(database_recovery(&fixture->exporting.database, "Orders", false, 0, &err));
        assert_true(jobs_maintain(fixture->exporting.jobs, &err));
        put(fixture, 2, 2, "after it was switched off");
        put(fixture, 3, -2, NULL);
        exporting_run(&fixture->exporting);
        check(fixture, past);
        assert_true(jobs_maintain(fixture->exporting.jobs, &err));
        put(fixture, 2, 2, "without a log");
        close_fixture(fixture);
    }
}

/* --- windows */

static struct bytes accept_window(struct fixture *fixture, uint64_t from_ms, uint64_t to_ms,
                                  const char *view, const char *prefix)
{
    struct export_request request = window_request(fixture, from_ms, to_ms, view);
    struct export export;

    if (prefix != NULL)
        request.prefix = bytes_of_text(prefix);
    if (!exporting_start(&fixture->exporting, &request, &fixture->arena, &export))
        fail_msg("%s", fixture->exporting.err.message);
    return export.arn;
}

static void exports_show_their_window(void **state)
{
    static const char *const views[] = {NULL, "NEW_IMAGE", "NEW_AND_OLD_IMAGES"};

    (void)state;
    for (int lasts = 0; lasts < 2; lasts++)
        for (uint32_t workers = 0; workers < 3; workers += 2) {
            struct fixture *fixture = open_fixture(lasts, workers);
            struct bytes arns[3];
            fill_window(fixture, 30);
            for (int i = 0; i < 3; i++)
                arns[i] = accept_window(fixture, fixture->before_ms, fixture->then_ms, views[i],
                                        i == 0 ? NULL : "nightly");
            put(fixture, 4, 2, "after it was accepted");
            exporting_run(&fixture->exporting);
            for (int i = 0; i < 3; i++)
                check(fixture, arns[i]);
            close_fixture(fixture);
        }
}

/* Windows that adjoin, as one who copies a table follows it; each against the model of its edges.
 */
static void windows_follow_a_table(void **state)
{
    struct fixture *fixture = open_fixture(false, 0);
    char value[32];

    (void)state;
    fill_first(fixture, 5);
    later_to_the_second();
    struct model edge = fixture->now; /* where the last window ended */
    uint64_t edge_ms = exporting_now_ms();
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < round * 4; i++) {
            snprintf(value, sizeof value, "%d %d", round, i);
            put(fixture, i % 7, i % 3, (i + round) % 3 == 0 ? NULL : value);
            exporting_later((uint64_t)i % 2 * 50000);
        }
        exporting_later(edge_ms + 1200000 - exporting_now_ms());
        struct model end = fixture->now;
        uint64_t end_ms = exporting_now_ms();
        struct bytes arn = accept_window(fixture, edge_ms, end_ms, NULL, NULL);
        put(fixture, round, 0, "the next window's");
        put(fixture, round, 1, NULL);
        exporting_run(&fixture->exporting);
        exporting_check_window(&fixture->exporting, arn, &edge, &end);
        edge = end;
        edge_ms = end_ms;
    }
    close_fixture(fixture);
}

static void empty_windows_are_billed(void **state)
{
    struct fixture *fixture = open_fixture(false, 0);
    struct export export;

    (void)state;
    fill_first(fixture, 5);
    later_to_the_second();
    uint64_t from_ms = exporting_now_ms();
    exporting_later(EXPORT_WINDOW_MOST_S * 1000);
    struct bytes arn = accept_window(fixture, from_ms, exporting_now_ms(), "NEW_IMAGE", "p/");
    exporting_run(&fixture->exporting);
    exporting_check_window(&fixture->exporting, arn, &fixture->now, &fixture->now);
    assert_true(exporting_describe(&fixture->exporting, arn, &fixture->arena, &export));
    assert_int_equal(export.items, 0);
    assert_int_equal(export.parts, 4);
    assert_int_equal(export.billed_bytes, 10000000);
    close_fixture(fixture);
}

/* --- what exports keep */

/* How far back the log reaches after a round of maintenance, in milliseconds. */
static uint64_t floor_ms(struct fixture *fixture, struct bytes arn)
{
    struct database *database = &fixture->exporting.database;
    struct export export;
    struct log_state state;
    struct err err;

    assert_true(database_maintain(database, &err));
    assert_true(export_get(database->engine, arn, &fixture->arena, &export, &err));
    assert_true(
        log_state_read(database->engine, export.table_number, &fixture->arena, &state, &err));
    return state.floor / 1000;
}

static void the_log_goes_when_the_last_export_ends(void **state)
{
    struct fixture *fixture = open_fixture(false, 0);
    struct export export;
    struct err err;

    (void)state;
    fill(fixture, 10);
    struct bytes past = accept(fixture, true, NULL);
    exporting_later(60000);
    struct bytes later = accept(fixture, false, NULL);
    assert_true(
        export_get(fixture->exporting.database.engine, later, &fixture->arena, &export, &err));
    exporting_later(50 * DAY_MS);
    assert_int_equal(floor_ms(fixture, past), fixture->then_ms);
    for (int i = 0; i < 7; i++) /* the older one: start, prepare, 4 parts, finish */
        assert_true(jobs_step(fixture->exporting.jobs));
    assert_int_equal(floor_ms(fixture, past), export.time_ms);
    exporting_run(&fixture->exporting);
    exporting_check(&fixture->exporting, past, &fixture->then);
    exporting_check(&fixture->exporting, later, &fixture->now);
    uint64_t floor = floor_ms(fixture, past);
    assert_in_range(floor, exporting_now_ms() - 35 * DAY_MS - 1000,
                    exporting_now_ms() - 35 * DAY_MS);
    assert_int_equal(floor % 1000, 0);
    close_fixture(fixture);
}

static bool count_pair(void *context, struct bytes key, struct bytes value)
{
    (void)key;
    (void)value;
    ++*(uint32_t *)context;
    return true;
}

static uint32_t pairs_in(struct fixture *fixture, enum engine_space space)
{
    static const uint8_t end[] = {0xff};
    uint32_t count = 0;
    struct err err;
    struct engine_scan scan = {
        .space = space,
        .from = BYTES(""),
        .to = bytes_of(end, sizeof end),
        .visit = count_pair,
        .context = &count,
    };

    assert_int_equal(engine_scan_all(fixture->exporting.database.engine, &scan, &err), SCAN_DONE);
    return count;
}

static void a_deleted_table_goes_when_the_last_export_ends(void **state)
{
    struct fixture *fixture = open_fixture(false, 0);
    struct err err;

    (void)state;
    fill(fixture, 10);
    struct bytes past = accept(fixture, true, NULL);
    struct bytes now = accept(fixture, false, NULL);
    assert_true(database_delete(&fixture->exporting.database, "Orders", &err));
    for (int i = 0; i < 7; i++) /* the first of the two */
        assert_true(jobs_step(fixture->exporting.jobs));
    assert_true(jobs_maintain(fixture->exporting.jobs, &err));
    assert_int_not_equal(pairs_in(fixture, SPACE_ITEMS), 0);
    exporting_run(&fixture->exporting);
    exporting_check(&fixture->exporting, past, &fixture->then);
    exporting_check(&fixture->exporting, now, &fixture->now);
    assert_true(jobs_maintain(fixture->exporting.jobs, &err));
    assert_int_equal(pairs_in(fixture, SPACE_ITEMS), 0);
    assert_int_equal(pairs_in(fixture, SPACE_CHANGELOG), 0);
    close_fixture(fixture);
}

/* --- one instant */

struct writer {
    struct fixture *fixture;
    pthread_t thread;
    _Atomic bool stop;
    _Atomic int acknowledged; /* of b */
};

/* Bumps item a, then, once that is acknowledged, item b of another partition. */
static void *write_pairs(void *context)
{
    struct writer *writer = context;
    struct model *model = calloc(1, sizeof *model);
    char value[16];

    for (int i = 1; !writer->stop; i++) {
        snprintf(value, sizeof value, "%d", i);
        exporting_write(&writer->fixture->exporting, model, "Orders", "a", 0, value);
        exporting_write(&writer->fixture->exporting, model, "Orders", "b", 0, value);
        writer->acknowledged = i;
    }
    free(model);
    return NULL;
}

static int exported_value(const char *lines, const char *pk)
{
    char front[64];

    snprintf(front, sizeof front,
             "{\"Item\":{\"pk\":{\"S\":\"%s\"},\"sk\":{\"N\":\"0\"},"
             "\"v\":{\"S\":\"",
             pk);
    const char *at = strstr(lines, front);
    return at == NULL ? 0 : (int)strtol(at + strlen(front), NULL, 10);
}

/* While a writer writes as fast as it can, each export of "now" shows a state that there was: what
 * was acknowledged before the call is in it, and b is never ahead of a, nor a two ahead of b. */
static void exports_of_now_are_one_instant(void **state)
{
    struct fixture *fixture = open_fixture(true, 2);
    struct writer writer = {.fixture = fixture};

    (void)state;
    clock_set(0);
    assert_int_equal(pthread_create(&writer.thread, NULL, write_pairs, &writer), 0);
    for (int i = 0; i < 8; i++) {
        struct buf lines;
        while (writer.acknowledged <= i * 3) /* it writes between the exports, too */
            sched_yield();
        int before = writer.acknowledged;
        struct bytes arn = accept(fixture, false, NULL);
        exporting_run(&fixture->exporting);
        buf_init_in(&lines, &fixture->arena);
        exporting_lines(&fixture->exporting, arn, &lines);
        int a = exported_value((char *)lines.data, "a"),
            b = exported_value((char *)lines.data, "b");
        assert_true(b >= before);
        assert_true(a == b || a == b + 1);
    }
    writer.stop = true;
    pthread_join(writer.thread, NULL);
    close_fixture(fixture);
}

/* --- what fails, and what dies */

/* What must not change from one run of an export to the next. */
struct fixed {
    uint64_t end_ms; /* 0: not fixed yet */
    char names[4][FILE_NAME_SIZE + 1];
    uint32_t count; /* 0: not fixed yet */
};

static struct fixed read_fixed(struct fixture *fixture, struct bytes arn)
{
    struct engine *engine = fixture->exporting.database.engine;
    struct fixed fixed = {0};
    struct export export;
    struct export_part part;
    struct err err;

    assert_true(export_get(engine, arn, &fixture->arena, &export, &err));
    assert_int_equal(export.parts, 4);
    fixed.end_ms = export.end_ms;
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(export_part_get(engine, arn, i, &fixture->arena, &part, &err));
        if (part.stamp.size > 0)
            memcpy(fixed.names[fixed.count++], part.name.data, FILE_NAME_SIZE);
    }
    return fixed;
}

static void check_fixed(struct fixture *fixture, struct bytes arn, const struct fixed *fixed)
{
    struct export export;
    struct buf files;

    assert_true(exporting_describe(&fixture->exporting, arn, &fixture->arena, &export));
    if (fixed->end_ms != 0)
        assert_int_equal(export.end_ms, fixed->end_ms);
    buf_init_in(&files, &fixture->arena);
    exporting_object(&fixture->exporting, &export, LEAF_FILES, &files);
    buf_put_u8(&files, 0);
    for (uint32_t i = 0; i < fixed->count; i++)
        assert_non_null(strstr((char *)files.data, fixed->names[i]));
}

/* Dies at its 1st, 2nd, ... call of the store, each time starts again, and ends as if nothing had
 * been: the same id and instant, whole, and nothing left over. */
static void it_survives_death_at_every_call(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        bool lasts = kind & 1, window = kind & 2;
        uint64_t call = 0;
        bool died = true;
        for (; died; call++) {
            struct fixture *fixture = open_fixture(lasts, 0);
            fill_either(fixture, window, 4);
            struct bytes arn = accept(fixture, true, NULL);
            fixture->exporting.dying.calls_left = call;
            exporting_run(&fixture->exporting);
            died = fixture->exporting.dying.dead;
            fault_clear();
            put(fixture, 1, 1, "while it was dead");
            struct fixed fixed = read_fixed(fixture, arn);
            exporting_later(60000);
            exporting_restart(&fixture->exporting);
            exporting_run(&fixture->exporting);
            check(fixture, arn);
            check_fixed(fixture, arn, &fixed);
            assert_nothing_kept(fixture, arn);
            close_fixture(fixture);
        }
        assert_in_range(call, 17, 25); /* 5 small objects, 4 files of 3 calls, and one more */
    }
}

static void only_of(struct model *model, const char *pk)
{
    for (int i = 0; i < model->count; i++)
        if (strcmp(model->items[i].pk, pk) != 0)
            model->items[i].there = false;
}

/* A filtered one goes on with the filter that it was accepted with, in the range of its key. */
static void its_filter_survives_too(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++)
        for (uint64_t call = 1; call < 17; call += 5) {
            bool lasts = kind & 1, window = kind & 2;
            struct fixture *fixture = open_fixture(lasts, 0);
            fill_either(fixture, window, 4);
            fixture->filter =
                exporting_filter(&fixture->arena, "pk = :v", call == 1 ? NULL : "v <> :v", "p1");
            struct bytes arn = accept(fixture, true, NULL);
            fixture->exporting.dying.calls_left = call;
            exporting_run(&fixture->exporting);
            assert_true(fixture->exporting.dying.dead);
            fault_clear();
            put(fixture, 1, 1, "while it was dead");
            exporting_later(60000);
            exporting_restart(&fixture->exporting);
            exporting_run(&fixture->exporting);
            only_of(&fixture->before, "p1");
            only_of(&fixture->then, "p1");
            check(fixture, arn);
            assert_nothing_kept(fixture, arn);
            close_fixture(fixture);
        }
}

/* An export whose filter is lost is not the export of everything. */
static void a_lost_filter_is_corruption(void **state)
{
    struct fixture *fixture = open_fixture(false, 0);
    struct engine_batch batch;
    struct record record;
    struct export export;
    struct err err;

    (void)state;
    fill(fixture, 4);
    fixture->filter = exporting_filter(&fixture->arena, NULL, "v = :v", "x");
    struct bytes arn = accept(fixture, true, NULL);
    struct engine *engine = fixture->exporting.database.engine;
    struct bytes key = record_key(&fixture->arena, RECORD_FILTER, arn);
    assert_true(record_get(engine, key, &fixture->arena, &record, &err));
    batch_init(&batch, &fixture->arena);
    record_delete(&batch, key, record.stamp);
    assert_true(committer_commit(fixture->exporting.database.committer, &batch, &err));
    exporting_run(&fixture->exporting);
    assert_false(exporting_describe(&fixture->exporting, arn, &fixture->arena, &export));
    assert_int_equal(fixture->exporting.err.code, ERR_CORRUPT);
    assert_true(export_get(engine, arn, &fixture->arena, &export, &err));
    assert_int_equal(export.state, EXPORT_FAILED);
    close_fixture(fixture);
}

/* The same, stopped between steps. */
static void it_survives_stops_between_steps(void **state)
{
    bool stopped = true;

    (void)state;
    for (int steps = 0; stopped || steps % 2 == 1; steps++) {
        struct fixture *fixture = open_fixture(true, 0);
        fill_either(fixture, steps % 2, 4);
        struct bytes arn = accept(fixture, true, NULL);
        stopped = true;
        for (int i = 0; i < steps / 2 && stopped; i++)
            stopped = jobs_step(fixture->exporting.jobs);
        struct fixed fixed = read_fixed(fixture, arn);
        exporting_later(60000);
        exporting_restart(&fixture->exporting);
        exporting_run(&fixture->exporting);
        check(fixture, arn);
        check_fixed(fixture, arn, &fixed);
        close_fixture(fixture);
    }
}

/* One failure of the world, at its 1st, 2nd, ... chance, is got over; failures without end leave
 * the export FAILED with a reason, or, where not even that can be recorded, to the next start. */
static void one_failure_passes(void **state)
{
    static const enum fault_point points[] = {
        FAULT_ENGINE_GET,  FAULT_ENGINE_SCAN,   FAULT_ENGINE_COMMIT,
        FAULT_ENGINE_FULL, FAULT_SCRATCH_WRITE, FAULT_SCRATCH_READ,
        FAULT_STORE_PUT,   FAULT_STORE_PART,    FAULT_STORE_COMPLETE,
    };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof points / sizeof *points; i++) {
        enum fault_point point = points[i / 2];
        uint64_t passes = 1;
        for (uint64_t after = 0; after < passes; after++) {
            struct fixture *fixture = open_fixture(false, 0);
            fill_either(fixture, i % 2, 6);
            struct bytes arn = accept(fixture, true, NULL);
            fault_arm(point, after, 1);
            exporting_run(&fixture->exporting);
            passes = fault_passes(point);
            fault_clear();
            check(fixture, arn);
            assert_nothing_kept(fixture, arn);
            close_fixture(fixture);
        }
    }
}

static void lasting_failures_are_told(void **state)
{
    static const struct {
        enum fault_point point;
        const char *message; /* NULL: that it failed cannot be recorded */
    } cases[] = {
        {FAULT_ENGINE_GET, NULL},
        {FAULT_ENGINE_SCAN, EXPORT_INTERNAL},
        {FAULT_ENGINE_COMMIT, NULL},
        {FAULT_ENGINE_FULL, NULL},
        {FAULT_SCRATCH_WRITE, EXPORT_INTERNAL},
        {FAULT_SCRATCH_READ, EXPORT_INTERNAL},
        {FAULT_STORE_PUT, "fault injected: STORE_PUT"},
        {FAULT_STORE_PART, "fault injected: STORE_PART"},
        {FAULT_STORE_COMPLETE, "fault injected: STORE_COMPLETE"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture *fixture = open_fixture(false, 0);
        struct export export;
        fill(fixture, 6);
        struct bytes arn = accept(fixture, true, NULL);
        fault_arm(cases[i].point, 0, UINT64_MAX);
        exporting_run(&fixture->exporting);
        fault_clear();
        assert_true(exporting_describe(&fixture->exporting, arn, &fixture->arena, &export));
        assert_int_equal(export.state,
                         cases[i].message != NULL ? EXPORT_FAILED : EXPORT_IN_PROGRESS);
        if (cases[i].message != NULL) {
            assert_bytes_equal(export.failure_code, BYTES("InternalServerError"));
            assert_string_equal(arena_text(&fixture->arena, export.failure_message),
                                cases[i].message);
            assert_nothing_kept(fixture, arn);
        } else {
            assert_true(jobs_maintain(fixture->exporting.jobs, &fixture->exporting.err));
            exporting_run(&fixture->exporting);
            exporting_check(&fixture->exporting, arn, &fixture->then);
        }
        close_fixture(fixture);
    }
}

/* It is not tried again: it would read all of the log only to meet the same end. */
static void what_is_too_large_for_scratch_fails_at_once(void **state)
{
    (void)state;
    for (int window = 0; window < 2; window++) {
        struct fixture *fixture = open_fixture(false, 0);
        struct export export;
        fill_either(fixture, window, 6);
        struct bytes arn = accept(fixture, true, NULL);
        fixture->exporting.scratch_most = 100;
        exporting_restart(&fixture->exporting);
        for (int step = 0; step < 3; step++) /* start, prepare, its failure */
            assert_true(jobs_step(fixture->exporting.jobs));
        assert_false(jobs_step(fixture->exporting.jobs));
        assert_true(exporting_describe(&fixture->exporting, arn, &fixture->arena, &export));
        assert_int_equal(export.state, EXPORT_FAILED);
        assert_bytes_equal(export.failure_code, BYTES("InternalServerError"));
        assert_bytes_equal(export.failure_message, bytes_of_text(EXPORT_SCRATCH));
        assert_nothing_kept(fixture, arn);
        close_fixture(fixture);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(exports_show_their_instant),
        cmocka_unit_test(empty_tables_have_four_files),
        cmocka_unit_test(a_missing_bucket_fails_at_once),
        cmocka_unit_test(a_key_is_never_cut_off),
        cmocka_unit_test(deleted_tables_are_exported),
        cmocka_unit_test(recovery_may_be_switched_off),
        cmocka_unit_test(the_log_goes_when_the_last_export_ends),
        cmocka_unit_test(a_deleted_table_goes_when_the_last_export_ends),
        cmocka_unit_test(exports_show_their_window),
        cmocka_unit_test(windows_follow_a_table),
        cmocka_unit_test(empty_windows_are_billed),
        cmocka_unit_test(local_indexes_are_billed),
        cmocka_unit_test(exports_of_now_are_one_instant),
        cmocka_unit_test(it_survives_death_at_every_call),
        cmocka_unit_test(its_filter_survives_too),
        cmocka_unit_test(a_lost_filter_is_corruption),
        cmocka_unit_test(it_survives_stops_between_steps),
        cmocka_unit_test(one_failure_passes),
        cmocka_unit_test(lasting_failures_are_told),
        cmocka_unit_test(what_is_too_large_for_scratch_fails_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
