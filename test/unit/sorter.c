/* test/unit/sorter.c - whatever is put, in memory and on disk: names in order, each once, values in
 * the order in which they were put; and what happens when the disk does not play along. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fault.h"
#include "base/runs.h"
#include "base/sorter.h"

#define NAMES 300

/* All that was put under each name, as text: "3,17,4". */
struct model {
    struct buf values[NAMES];
};

struct fixture {
    struct scratch scratch;
    struct sorter *sorter;
    struct model model;
    uint64_t asked, asked_most;
    uint32_t random;
};

/* Values of a name one behind the other. */
static bool join(void *context, const struct bytes *values, size_t count, struct buf *out,
                 struct err *err)
{
    (void)context, (void)err;
    assert_true(count > 1);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_put_u8(out, ',');
        buf_put_bytes(out, values[i]);
    }
    return true;
}

static bool goes_on(void *context, struct err *err)
{
    struct fixture *fixture = context;

    return ++fixture->asked != fixture->asked_most || err_fail(err, ERR_OVERLOADED, "no more");
}

static void begin(struct fixture *fixture, size_t memory_most)
{
    struct sorter_settings settings = {
        .memory_most = memory_most,
        .scratch = &fixture->scratch,
        .join = join,
        .goes_on = goes_on,
        .context = fixture,
    };

    *fixture = (struct fixture){.scratch.place.folder = P_tmpdir, .random = 1};
    for (int i = 0; i < NAMES; i++)
        buf_init(&fixture->model.values[i]);
    fixture->sorter = sorter_new(&settings);
}

static void end(struct fixture *fixture)
{
    fault_clear();
    sorter_free(fixture->sorter);
    assert_int_equal(fixture->scratch.used, 0);
    for (int i = 0; i < NAMES; i++)
        buf_release(&fixture->model.values[i]);
}

static uint32_t draw(struct fixture *fixture, uint32_t below)
{
    fixture->random = fixture->random * 1664525 + 1013904223;
    return (fixture->random >> 8) % below;
}

/* Names of many lengths, some of which begin others, in the order of their numbers. */
static struct bytes name_of(uint32_t number, char room[64])
{
    memset(room, 0, 64);
    room[0] = (char)('a' + number / 100);
    snprintf(room + 1, 63, "%.*s", (int)(number % 100 / 10), "~~~~~~~~~~");
    size_t size = strlen(room);
    memset(room + size, '\x01', number % 10);
    return bytes_of(room, size + number % 10);
}

static bool put(struct fixture *fixture, uint32_t name, const char *value, struct err *err)
{
    struct buf *model = &fixture->model.values[name];
    struct bytes whole = bytes_of_text(value);
    struct bytes pieces[2] = {bytes_of(whole.data, whole.size / 2),
                              bytes_from(whole, whole.size / 2)};
    char room[64];

    if (!sorter_put(fixture->sorter, name_of(name, room), pieces, 2, err))
        return false;
    if (model->size > 0)
        buf_put_u8(model, ',');
    buf_put_bytes(model, whole);
    return true;
}

static bool put_many(struct fixture *fixture, uint32_t count, uint32_t names, struct err *err)
{
    char value[600];

    for (uint32_t i = 0; i < count; i++) {
        snprintf(value, sizeof value, "%u%0*u", i, (int)(1 + draw(fixture, 40)), i);
        if (!put(fixture, draw(fixture, names), value, err))
            return false;
    }
    return true;
}

/* False, with err filled, where a read failed; what is shown is always right. */
static bool walk(struct fixture *fixture, uint32_t from, uint32_t to, struct err *err)
{
    char from_room[64], to_room[64], room[64];
    struct bytes first = name_of(from, from_room),
                 last = to == NAMES ? BYTES_NONE : name_of(to, to_room);
    struct sorted_pair pair;
    bool found = true;

    if (!sorter_ready(fixture->sorter, err))
        return false;
    struct sorter_cursor *cursor = sorter_cursor_open(fixture->sorter, first, last, err);
    bool ok = cursor != NULL;
    for (uint32_t name = from; ok && found; name++) {
        ok = sorter_cursor_next(cursor, &pair, &found, err);
        while (name < to && fixture->model.values[name].size == 0)
            name++;
        if (ok)
            assert_int_equal(found, name < to);
        if (ok && found) {
            assert_bytes_equal(pair.name, name_of(name, room));
            assert_bytes_equal(pair.value, buf_bytes(&fixture->model.values[name]));
        }
    }
    sorter_cursor_close(cursor);
    return ok;
}

static void walk_all(struct fixture *fixture)
{
    struct err err;

    if (!walk(fixture, 0, NAMES, &err))
        fail_msg("%s", err.message);
}

static void names_come_in_order_each_once(void **state)
{
    static const struct {
        size_t memory;
        uint32_t puts, names;
        bool on_disk;
    } cases[] = {
        {1000000, 0, 1, false}, {1000000, 1000, NAMES, false}, {20000, 3000, NAMES, true},
        {1, 100, NAMES, true},  {300, 4000, NAMES, true},      {300, 1000, 5, true},
        {60000, 3000, 3, true}, {100000, 20000, NAMES, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture fixture;
        struct err err;
        begin(&fixture, cases[i].memory);
        for (int round = 0; round < 3; round++) { /* more may be put after a walk */
            assert_true(put_many(&fixture, cases[i].puts, cases[i].names, &err));
            walk_all(&fixture);
        }
        assert_int_equal(fixture.scratch.used > 0, cases[i].on_disk);
        for (int round = 0; round < 30; round++) {
            uint32_t from = draw(&fixture, NAMES), to = from + draw(&fixture, NAMES + 1 - from);
            assert_true(walk(&fixture, from, to, &err));
        }
        end(&fixture);
    }
}

/* A name whose values are not kept, but for the last: how often it is put makes no difference. */
static bool join_last(void *context, const struct bytes *values, size_t count, struct buf *out,
                      struct err *err)
{
    (void)context, (void)err;
    buf_put_bytes(out, values[count - 1]);
    return true;
}

static void what_is_replaced_takes_no_room(void **state)
{
    struct fixture fixture;
    struct sorter_settings settings = {
        .memory_most = 5000, .join = join_last, .goes_on = goes_on, .context = &fixture};
    struct sorted_pair pair;
    struct err err;
    bool found;

    (void)state;
    begin(&fixture, 0);
    settings.scratch = &fixture.scratch;
    struct sorter *sorter = sorter_new(&settings);
    for (int i = 0; i < 100000; i++) {
        struct bytes value = bytes_of(&i, sizeof i);
        assert_true(sorter_put(sorter, i % 2 == 0 ? BYTES("a") : BYTES("b"), &value, 1, &err));
    }
    assert_true(sorter_size(sorter) < 5000);
    assert_int_equal(fixture.scratch.used, 0);
    assert_true(sorter_ready(sorter, &err));
    struct sorter_cursor *cursor = sorter_cursor_open(sorter, BYTES_NONE, BYTES_NONE, &err);
    for (int i = 0; i < 3; i++) {
        assert_true(sorter_cursor_next(cursor, &pair, &found, &err));
        assert_int_equal(found, i < 2);
    }
    sorter_cursor_close(cursor);
    sorter_free(sorter);
    end(&fixture);
}

/* Larger than a block of a file, and than memory. */
static void large_pairs_are_held(void **state)
{
    struct fixture fixture;
    struct err err;

    (void)state;
    begin(&fixture, 1000);
    char *large = calloc(1, 300001);
    for (uint32_t i = 0; i < 40; i++) {
        memset(large, 'a' + (int)(i % 26), 300000);
        large[i % 3 == 0 ? 300000 : 1 + 70000 * (i % 2)] = '\0';
        assert_true(put(&fixture, i * 7 % NAMES, large, &err));
        assert_true(put_many(&fixture, 20, NAMES, &err));
    }
    free(large);
    walk_all(&fixture);
    end(&fixture);
}

/* Walks from the middle of a run that has many more blocks than marks. */
static void a_walk_may_begin_anywhere_in_a_long_run(void **state)
{
    struct scratch scratch = {.place.folder = P_tmpdir};
    struct scratch_file file;
    struct run_writer writer;
    struct run run;
    struct err err;
    uint8_t name[8], value[4096] = {0};
    uint64_t count = 40000;

    (void)state;
    assert_true(scratch_file_open(&file, &scratch, &err));
    run_begin(&writer, &file);
    for (uint64_t i = 0; i < count; i++) {
        be64_store(name, i * 3);
        assert_true(run_put(&writer, bytes_of(name, 8), bytes_of(value, sizeof value), &err));
    }
    assert_true(run_commit(&writer, &run, &err));
    assert_in_range(run.mark_count, 500, 1024);
    for (uint64_t from = 0; from < count * 3; from += 4999) {
        struct sorter_settings settings = {.join = join};
        struct source *sources = calloc(1, sizeof *sources);
        struct sorted_pair pair;
        struct merge merge;
        bool found;
        be64_store(name, from);
        sources[0] = source_of_run(&run, &file, bytes_of(name, 8));
        uint64_t begins = sources[0].at;
        assert_true(merge_begin(&merge, &settings, sources, 1, bytes_of(name, 8), &err));
        assert_true(sources[0].at - begins <= 6 * 64 * 1024); /* little was read in vain */
        assert_true(merge_next(&merge, &pair, &found, &err));
        assert_true(found);
        assert_int_equal(be64_load(pair.name.data), (from + 2) / 3 * 3);
        merge_release(&merge);
    }
    free(run.marks);
    scratch_file_close(&file);
}

/* One after the other each write and each read fails: what was put before is still there, and
 * nothing that is shown is wrong. */
static void failures_are_told(void **state)
{
    static const enum fault_point points[] = {FAULT_SCRATCH_WRITE, FAULT_SCRATCH_READ};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        bool whole = false;
        for (uint64_t after = 0; !whole; after++) {
            struct fixture fixture;
            struct err err;
            begin(&fixture, 300);
            fault_arm(points[i], after, 1);
            bool ok = put_many(&fixture, 700, NAMES, &err) && walk(&fixture, 0, NAMES, &err);
            whole = fault_passes(points[i]) <= after;
            fault_clear();
            assert_int_equal(ok, whole);
            assert_true(put_many(&fixture, 100, NAMES, &err));
            walk_all(&fixture);
            end(&fixture);
            assert_true(after < 10000);
        }
    }
}

static void scratch_is_bounded(void **state)
{
    struct fixture fixture;
    struct err err;

    (void)state;
    begin(&fixture, 1000);
    fixture.scratch.most = 20000;
    assert_false(put_many(&fixture, 10000, NAMES, &err));
    assert_int_equal(err.code, ERR_SCRATCH_LIMIT);
    assert_in_range(fixture.scratch.used, 1, 20000);
    walk_all(&fixture);
    fixture.scratch.most = 0;
    fixture.scratch.place.reserve = UINT64_MAX / 2;
    assert_false(put_many(&fixture, 10000, NAMES, &err));
    assert_int_equal(err.code, ERR_DISK_FULL);
    walk_all(&fixture);
    end(&fixture);
}

static void a_missing_folder_is_told(void **state)
{
    struct fixture fixture;
    struct err err;

    (void)state;
    begin(&fixture, 1000);
    fixture.scratch.place.folder = "/nowhere at all";
    assert_false(put_many(&fixture, 1000, NAMES, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    end(&fixture);
}

static void writing_ends_when_wanted(void **state)
{
    struct fixture fixture;
    struct err err;

    (void)state;
    begin(&fixture, 1000);
    fixture.asked_most = 500;
    assert_false(put_many(&fixture, 10000, NAMES, &err));
    assert_int_equal(err.code, ERR_OVERLOADED);
    walk_all(&fixture);
    end(&fixture);
}

/* Each byte of a run changed: it is found out, or was of no account. */
static void changed_files_are_found_out(void **state)
{
    struct scratch scratch = {.place.folder = P_tmpdir};
    struct sorter_settings settings = {.join = join};
    struct scratch_file file;
    struct run_writer writer;
    struct run run;
    struct err err;

    (void)state;
    assert_true(scratch_file_open(&file, &scratch, &err));
    run_begin(&writer, &file);
    assert_true(run_put(&writer, BYTES("a name"), BYTES("a value"), &err));
    assert_true(run_put(&writer, BYTES("b"), BYTES_NONE, &err));
    assert_true(run_commit(&writer, &run, &err));
    for (uint64_t at = 0; at <= file.size; at++) {
        struct source *sources = calloc(1, sizeof *sources);
        struct merge merge;
        uint8_t byte = 0;
        if (at < file.size) {
            assert_int_equal(pread(file.file, &byte, 1, (off_t)at), 1);
            assert_int_equal(pwrite(file.file, &(uint8_t){byte ^ 0x10}, 1, (off_t)at), 1);
        } else {
            assert_int_equal(ftruncate(file.file, (off_t)at - 1), 0);
        }
        sources[0] = source_of_run(&run, &file, BYTES_NONE);
        assert_false(merge_begin(&merge, &settings, sources, 1, BYTES_NONE, &err));
        assert_int_equal(err.code, ERR_CORRUPT);
        merge_release(&merge);
        assert_int_equal(pwrite(file.file, &byte, 1, (off_t)at), 1);
    }
    free(run.marks);
    scratch_file_close(&file);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_come_in_order_each_once),
        cmocka_unit_test(what_is_replaced_takes_no_room),
        cmocka_unit_test(large_pairs_are_held),
        cmocka_unit_test(a_walk_may_begin_anywhere_in_a_long_run),
        cmocka_unit_test(failures_are_told),
        cmocka_unit_test(scratch_is_bounded),
        cmocka_unit_test(a_missing_folder_is_told),
        cmocka_unit_test(writing_ends_when_wanted),
        cmocka_unit_test(changed_files_are_found_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
