/* test/unit/changelog.c - log records and states, the limits of the past, faults. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "support/database.h"

static int setup(void **state)
{
    struct database *database = calloc(1, sizeof *database);
    struct err err;

    database_open(database, engine_open_memory(&(struct memory_settings){.snapshots = true}));
    assert_true(database_create(database, "t", false, &err));
    assert_true(database_recovery(database, "t", true, 35, &err));
    *state = database;
    return 0;
}

static int teardown(void **state)
{
    fault_clear();
    database_close(*state);
    free(*state);
    return 0;
}

static bool record_see(void *context, struct bytes key, struct bytes value)
{
    struct buf *seen = context;

    assert_int_equal(key.size, 8 + 4 + 4 + 8);
    buf_put_bytes(seen, value);
    return false;
}

static void records_say_what_was_written(void **state)
{
    struct database *database = *state;
    struct log_record record;
    struct buf value;
    struct err err;

    assert_true(database_put(database, "t", "a", "1"));
    buf_init(&value);
    assert_int_equal(
        engine_scan_all(
            database->engine,
            &(struct engine_scan){.space = SPACE_CHANGELOG, .visit = record_see, .context = &value},
            &err),
        SCAN_STOPPED);
    assert_true(log_record_read(buf_bytes(&value), &record, &err));
    assert_int_equal(record.cause, CAUSE_WRITE);
    assert_int_equal(record.before.size, 0);
    assert_bytes_equal(item_text(record.after, "v"), BYTES("1"));
    assert_true(record.time > 0 && record.time <= database->engine->ops->now(database->engine));
    for (size_t size = 0; size < value.size; size++) /* none of its beginnings is a record */
        assert_false(log_record_read(bytes_of(value.data, size), &record, &err));
    buf_put_u8(&value, 0);
    assert_false(log_record_read(buf_bytes(&value), &record, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    value.data[0] = 99; /* a version that we do not know */
    assert_false(log_record_read(bytes_of(value.data, value.size - 1), &record, &err));
    buf_release(&value);
}

struct looking {
    size_t count, most;
};

static bool look(void *context, struct bytes key, struct bytes item, struct err *err)
{
    struct looking *looking = context;

    (void)key, (void)item, (void)err;
    return ++looking->count != looking->most;
}

static struct past *past_of(struct database *database, uint64_t instant, size_t scratch_most,
                            struct err *err)
{
    return past_open(
        &(struct past_settings){
            .engine = database->engine,
            .table = 1,
            .epoch = 1,
            .instant = instant,
            .scratch = "job",
            .scratch_most = scratch_most,
            .memory_most = 100,
        },
        err);
}

static uint64_t fill(struct database *database)
{
    char key[16];

    for (int i = 0; i < 50; i++) {
        snprintf(key, sizeof key, "k%d", i);
        assert_true(database_put(database, "t", key, "before"));
    }
    uint64_t instant = database->engine->ops->now(database->engine) + 1;
    while (database->engine->ops->now(database->engine) < instant) /* a microsecond */
        continue;
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "k%d", i);
        assert_true(database_put(database, "t", key, "after"));
    }
    return instant;
}

static void shows_what_was_and_stops_when_told(void **state)
{
    struct database *database = *state;
    uint64_t instant = fill(database);
    struct looking looking = {0};
    struct past_visitor visitor = {look, &looking};
    struct err err;

    struct past *past = past_of(database, instant, 0, &err);
    assert_non_null(past);
    assert_true(past_walk(past, BYTES_NONE, BYTES_NONE, &visitor, &err));
    assert_int_equal(looking.count, 50);
    looking = (struct looking){.most = 7};
    assert_true(past_walk(past, BYTES_NONE, BYTES_NONE, &visitor, &err));
    assert_int_equal(looking.count, 7);
    assert_true(past_walk(past, BYTES("b"), BYTES("a"), &visitor, &err));
    assert_int_equal(looking.count, 7);
    past_close(past);
}

static void gives_up_before_the_floor(void **state)
{
    struct database *database = *state;
    struct err err;
    struct call call;

    call_init(&call, database);
    uint64_t since = database_table(&call, "t")->recovery_since;
    call_release(&call);
    struct past *past = past_of(database, since, 0, &err);
    assert_non_null(past);
    past_close(past);
    assert_null(past_of(database, since - 1, 0, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
}

static void scratch_space_is_bounded(void **state)
{
    struct database *database = *state;
    uint64_t instant = fill(database);
    struct err err;

    assert_null(past_of(database, instant, 500, &err));
    assert_int_equal(err.code, ERR_DISK_FULL);
    fault_arm(FAULT_SCRATCH_WRITE, 3, 1);
    assert_null(past_of(database, instant, 0, &err));
    assert_int_equal(err.code, ERR_DISK_FULL);
}

/* Each read that the past makes fails once: it says so, and never shows a half as the whole. */
static void every_failing_read_is_told(void **state)
{
    static const enum fault_point points[] = {FAULT_ENGINE_GET, FAULT_ENGINE_SCAN};
    struct database *database = *state;
    uint64_t instant = fill(database);
    struct err err;

    for (size_t i = 0; i < 2; i++) {
        bool whole = false;
        for (uint64_t after = 0; !whole; after++) {
            struct looking looking = {0};
            struct past_visitor visitor = {look, &looking};
            fault_arm(points[i], after, 1);
            struct past *past = past_of(database, instant, 0, &err);
            bool ok = past != NULL && past_walk(past, BYTES_NONE, BYTES_NONE, &visitor, &err);
            past_close(past);
            assert_true(after < 1000);
            whole = fault_passes(points[i]) <= after;
            assert_int_equal(ok, whole);
            assert_true(!ok || looking.count == 50);
            fault_clear();
        }
    }
}

/* A log that has lost a record is found out. */
static void a_lost_record_is_corruption(void **state)
{
    struct database *database = *state;
    uint64_t instant = fill(database);
    struct looking looking = {0};
    struct past_visitor visitor = {look, &looking};
    struct engine_batch batch;
    struct arena arena;
    struct buf from, to;
    struct err err;

    arena_init(&arena);
    buf_init_in(&from, &arena);
    buf_init_in(&to, &arena);
    log_put_prefix(&from, 1, 1, 2);
    log_put_end(&to, 1, 1, 2);
    batch_init(&batch, &arena);
    batch_delete_range(&batch, SPACE_CHANGELOG, buf_bytes(&from), buf_bytes(&to));
    assert_true(committer_commit(database->committer, &batch, &err));
    struct past *past = past_of(database, instant, 0, &err);
    assert_non_null(past);
    assert_false(past_walk(past, BYTES_NONE, BYTES_NONE, &visitor, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    past_close(past);
    arena_release(&arena);
}

static bool pins_write(struct database *database, struct arena *arena, bool pinned, uint64_t time)
{
    struct log_state old, next;
    struct engine_batch batch;
    struct err err;

    assert_true(log_state_read(database->engine, 1, arena, &old, &err));
    next = pinned ? log_state_pinned(&old, &(struct log_pin){BYTES("job"), time}, arena)
                  : log_state_unpinned(&old, BYTES("job"), arena);
    batch_init(&batch, arena);
    log_state_write(&batch, &database->engine->limits, 1, &old, &next);
    return committer_commit(database->committer, &batch, &err);
}

static void trimming_stops_at_a_pin(void **state)
{
    struct database *database = *state;
    uint64_t instant = fill(database), now = database->engine->ops->now(database->engine);
    struct log_state log;
    struct arena arena;
    struct err err;

    arena_init(&arena);
    assert_true(pins_write(database, &arena, true, instant));
    assert_true(changelog_trim(database->engine, database->committer, 1, 1, now, &err));
    assert_true(log_state_read(database->engine, 1, &arena, &log, &err));
    assert_int_equal(log.floor, instant);
    assert_int_equal(log.pin_count, 1);
    struct past *past = past_of(database, instant, 0, &err);
    assert_non_null(past);
    past_close(past);

    assert_true(pins_write(database, &arena, false, 0));
    assert_true(changelog_trim(database->engine, database->committer, 1, 1, now, &err));
    assert_true(log_state_read(database->engine, 1, &arena, &log, &err));
    assert_int_equal(log.floor, now);
    assert_int_equal(log.pin_count, 0);
    assert_null(past_of(database, instant, 0, &err));

    assert_true(log_state_read(database->engine, 99, &arena, &log, &err));
    assert_int_equal(log.floor, LOG_FLOOR_NONE);
    assert_int_equal(log.stamp.size, 0);
    arena_release(&arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_say_what_was_written), TEST(shows_what_was_and_stops_when_told),
        TEST(gives_up_before_the_floor),    TEST(scratch_space_is_bounded),
        TEST(every_failing_read_is_told),   TEST(a_lost_record_is_corruption),
        TEST(trimming_stops_at_a_pin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
