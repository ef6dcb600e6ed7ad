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
    assert_int_equal(err.code, ERR_SCRATCH_LIMIT);
    fault_arm(FAULT_SCRATCH_WRITE, 3, 1);
    assert_null(past_of(database, instant, 0, &err));
    assert_int_equal(err.code, ERR_DISK_FULL);
}

/* Each read that the past makes fails once: it says so, and never shows a half as the whole. */
static void every_failing_read_is_told(void **state)
{
    static const enum fault_point points[] = {FAULT_ENGINE_GET, FAULT_ENGINE_SCAN,
                                              FAULT_SCRATCH_READ};
    struct database *database = *state;
    uint64_t instant = fill(database);
    struct err err;

    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
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

/* --- changes */

struct change_seen {
    char text[64]; /* key: before>after */
    uint64_t time, size;
};

struct changes_seen {
    struct change_seen changes[8];
    size_t count, most;
};

static bool change_see(void *context, const struct net_change *change, struct err *err)
{
    struct changes_seen *seen = context;
    bool there = change->before.size > 0 || change->after.size > 0;
    struct bytes item = change->before.size > 0 ? change->before : change->after;
    struct change_seen *one = &seen->changes[seen->count++];

    (void)err;
    assert_true(seen->count <= 8);
    snprintf(one->text, sizeof one->text, "%.*s:%.*s>%.*s",
             BYTES_ARGS(there ? item_text(item, "pk") : BYTES("?")),
             BYTES_ARGS(change->before.size > 0 ? item_text(change->before, "v") : BYTES("-")),
             BYTES_ARGS(change->after.size > 0 ? item_text(change->after, "v") : BYTES("-")));
    one->time = change->time;
    one->size = change->size;
    return seen->count != seen->most;
}

static struct changes *changes_of(struct database *database, uint64_t from, uint64_t to,
                                  size_t scratch_most, struct err *err)
{
    return changes_open(
        &(struct changes_settings){
            .engine = database->engine,
            .table = 1,
            .epoch = 1,
            .from = from,
            .to = to,
            .scratch_most = scratch_most,
            .memory_most = 100,
        },
        err);
}

static struct changes_seen changes_between(struct database *database, uint64_t from, uint64_t to)
{
    struct changes_seen seen = {.count = 0};
    struct changes_visitor visitor = {change_see, &seen};
    struct err err;

    struct changes *changes = changes_of(database, from, to, 0, &err);
    assert_non_null(changes);
    assert_true(changes_walk(changes, BYTES_NONE, BYTES_NONE, &visitor, &err));
    changes_close(changes);
    return seen;
}

/* One write, at its time. */
static uint64_t put_at(struct database *database, const char *key, const char *value)
{
    struct simple_write write = {"t", key, value};
    uint64_t time;
    struct err err;

    assert_true(database_write(database, &write, 1, &time, &err));
    return time;
}

/* A window is half open, to the microsecond. */
static void windows_are_exact(void **state)
{
    struct database *database = *state;
    uint64_t first = put_at(database, "a", "1"), second = put_at(database, "a", "2"),
             third = put_at(database, "a", NULL);

    struct {
        uint64_t from, to;
        const char *text;
        uint64_t time;
    } cases[] = {
        {first, first + 1, "a:->1", first},
        {first, second, "a:->1", first},
        {first, second + 1, "a:->2", second},
        {first + 1, third, "a:1>2", second},
        {second, second + 1, "a:1>2", second},
        {second, third + 1, "a:1>-", third},
        {third, third + 1, "a:2>-", third},
        {first, third + 1, "?:->-", third},
        {first, first, NULL, 0},
        {third + 1, third + 2, NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct changes_seen seen = changes_between(database, cases[i].from, cases[i].to);
        assert_int_equal(seen.count, cases[i].text != NULL);
        if (seen.count == 0)
            continue;
        assert_string_equal(seen.changes[0].text, cases[i].text);
        assert_int_equal(seen.changes[0].time, cases[i].time);
    }
}

/* Net effects, and the sizes of what was written on the way: of each write both images. */
static void changes_are_net(void **state)
{
    struct database *database = *state;
    uint64_t item = strlen("pk") + 1 + strlen("v") + 1;

    put_at(database, "u", "1"), put_at(database, "d", "1"), put_at(database, "r", "1");
    put_at(database, "s", "1"), put_at(database, "n", "1");
    uint64_t from = database->engine->ops->now(database->engine) + 1;
    while (database->engine->ops->now(database->engine) < from)
        continue;
    put_at(database, "u", "2"), put_at(database, "u", "3"), put_at(database, "u", "4");
    put_at(database, "d", NULL);
    put_at(database, "i", "1"), put_at(database, "i", "2");
    put_at(database, "r", NULL), put_at(database, "r", "2");
    put_at(database, "x", "1"), put_at(database, "x", NULL);
    uint64_t to = put_at(database, "s", "1") + 1;

    static const struct {
        const char *text;
        uint64_t images;
    } cases[] = {{"u:1>4", 6}, {"d:1>-", 1}, {"i:->2", 3},
                 {"r:1>2", 2}, {"?:->-", 2}, {"s:1>1", 2}};
    struct changes_seen seen = changes_between(database, from, to);
    assert_int_equal(seen.count, sizeof cases / sizeof *cases);
    for (size_t i = 0; i < seen.count; i++) {
        size_t at = 0;
        while (at < seen.count && strcmp(seen.changes[at].text, cases[i].text) != 0)
            at++;
        assert_true(at < seen.count);
        assert_int_equal(seen.changes[at].size, cases[i].images * item);
    }
}

static bool image_see(void *context, const struct net_change *change, struct err *err)
{
    struct buf *seen = context;

    (void)err;
    buf_printf(seen, "%d%d%d ", change->existed, change->before.size > 0, change->after.size > 0);
    if (change->existed && change->after.size == 0) /* whose line has the key */
        assert_bytes_equal(item_text(change->before, "pk"), BYTES("k"));
    return true;
}

/* Where only what came out is wanted: with all in one chunk, and in many. */
static void old_images_are_left_out(void **state)
{
    static const struct {
        const char *writes[4]; /* the first before the window; "-" deletes */
        const char *seen;
    } cases[] = {
        {{"1", "2", "3", "4"}, "101 "}, {{"-", "2", "3", "4"}, "001 "},
        {{"1", "2", "3", "-"}, "110 "}, {{"1", "-", "3", "-"}, "110 "},
        {{"1", "-", "3", "4"}, "101 "}, {{"-", "2", "3", "-"}, "010 "},
    };
    struct database *database = *state;

    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        uint64_t from = 0;
        struct buf seen;
        struct err err;

        for (size_t at = 0; at < 4; at++) {
            const char *value = cases[i / 2].writes[at];
            put_at(database, "k", strcmp(value, "-") == 0 ? NULL : value);
            if (at == 0)
                from = database->engine->ops->now(database->engine) + 1;
            while (database->engine->ops->now(database->engine) < from)
                continue;
        }
        struct changes_settings settings = {.engine = database->engine,
                                            .table = 1,
                                            .epoch = 1,
                                            .from = from,
                                            .to = UINT64_MAX,
                                            .new_only = true,
                                            .memory_most = i % 2 == 0 ? 4 : 100000};
        buf_init(&seen);
        struct changes *changes = changes_open(&settings, &err);
        if (changes == NULL)
            fail_msg("case %zu: %s", i, err.message);
        assert_true(changes_walk(changes, BYTES_NONE, BYTES_NONE,
                                 &(struct changes_visitor){image_see, &seen}, &err));
        assert_bytes_equal(buf_bytes(&seen), bytes_of_text(cases[i / 2].seen));
        changes_close(changes);
        buf_release(&seen);
    }
}

static void a_walk_of_changes_stops_when_told(void **state)
{
    struct database *database = *state;
    uint64_t from = put_at(database, "a", "1");
    struct changes_seen seen = {.most = 2};
    struct changes_visitor visitor = {change_see, &seen};
    struct err err;

    put_at(database, "b", "1"), put_at(database, "c", "1"), put_at(database, "d", "1");
    struct changes *changes = changes_of(database, from, UINT64_MAX, 0, &err);
    assert_non_null(changes);
    assert_true(changes_size(changes) > 0);
    assert_true(changes_walk(changes, BYTES_NONE, BYTES_NONE, &visitor, &err));
    assert_int_equal(seen.count, 2);
    assert_true(changes_walk(changes, BYTES("b"), BYTES("a"), &visitor, &err));
    assert_int_equal(seen.count, 2);
    changes_close(changes);
}

static void changes_end_at_the_floor(void **state)
{
    struct database *database = *state;
    struct err err;
    struct call call;

    call_init(&call, database);
    uint64_t since = database_table(&call, "t")->recovery_since;
    call_release(&call);
    assert_int_equal(changes_between(database, since, since + 10).count, 0);
    assert_null(changes_of(database, since - 1, since + 10, 0, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
}

static bool change_count(void *context, const struct net_change *change, struct err *err)
{
    (void)change, (void)err;
    ++*(size_t *)context;
    return true;
}

/* As for the past: it says so, and never shows a half as the whole. */
static void every_failure_of_changes_is_told(void **state)
{
    static const enum fault_point points[] = {FAULT_ENGINE_GET, FAULT_ENGINE_SCAN,
                                              FAULT_SCRATCH_WRITE, FAULT_SCRATCH_READ};
    struct database *database = *state;
    uint64_t instant = fill(database);
    struct err err;

    assert_null(changes_of(database, instant, UINT64_MAX, 500, &err));
    assert_int_equal(err.code, ERR_SCRATCH_LIMIT);
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        bool whole = false;
        for (uint64_t after = 0; !whole; after++) {
            size_t count = 0;
            struct changes_visitor visitor = {change_count, &count};
            fault_arm(points[i], after, 1);
            struct changes *changes = changes_of(database, instant, UINT64_MAX, 0, &err);
            bool ok =
                changes != NULL && changes_walk(changes, BYTES_NONE, BYTES_NONE, &visitor, &err);
            changes_close(changes);
            assert_true(after < 1000);
            whole = fault_passes(points[i]) <= after;
            assert_int_equal(ok, whole);
            assert_true(!ok || count == 100);
            fault_clear();
        }
    }
}

static bool record_keep(void *context, struct bytes key, struct bytes value)
{
    struct log_record record;
    struct buf *last = context;
    struct err err;

    assert_true(log_record_read(value, &record, &err));
    if (bytes_equal(item_text(record.after, "v"), BYTES("2"))) {
        buf_put_bytes(last, key);
        return false;
    }
    return true;
}

/* One write of a key is gone from the middle of its log: with all in one chunk, and in many. */
static void a_lost_write_is_corruption(void **state)
{
    struct database *database = *state;
    uint64_t from = put_at(database, "a", "1");
    struct changes_visitor visitor = {change_count, &(size_t){0}};
    struct engine_batch batch;
    struct arena arena;
    struct buf key;
    struct err err;

    put_at(database, "a", "2"), put_at(database, "a", "3");
    arena_init(&arena);
    buf_init_in(&key, &arena);
    struct engine_scan scan = {.space = SPACE_CHANGELOG, .visit = record_keep, .context = &key};
    assert_int_equal(engine_scan_all(database->engine, &scan, &err), SCAN_STOPPED);
    batch_init(&batch, &arena);
    batch_delete(&batch, SPACE_CHANGELOG, buf_bytes(&key));
    assert_true(committer_commit(database->committer, &batch, &err));
    for (size_t memory = 4; memory <= 100000; memory += 99996) {
        struct changes_settings settings = {.engine = database->engine,
                                            .table = 1,
                                            .epoch = 1,
                                            .from = from,
                                            .to = UINT64_MAX,
                                            .memory_most = memory};
        struct changes *changes = changes_open(&settings, &err);
        assert_true(changes == NULL ||
                    !changes_walk(changes, BYTES_NONE, BYTES_NONE, &visitor, &err));
        assert_int_equal(err.code, ERR_CORRUPT);
        changes_close(changes);
    }
    arena_release(&arena);
}

/* Few keys that take all the writes do not fill the scratch store. */
static void replaced_images_cost_nothing(void **state)
{
    struct database *database = *state;
    uint64_t from = put_at(database, "a", "1");
    struct err err;

    for (int i = 0; i < 1000; i++)
        put_at(database, i % 2 == 0 ? "a" : "b", "some text of no importance");
    struct changes_settings settings = {.engine = database->engine,
                                        .table = 1,
                                        .epoch = 1,
                                        .from = from,
                                        .to = UINT64_MAX,
                                        .scratch_most = 1000,
                                        .memory_most = 8000};
    struct changes *changes = changes_open(&settings, &err);
    assert_non_null(changes);
    changes_close(changes);
}

struct asked {
    _Atomic int times;
    int most;
};

static bool asked_often(void *context)
{
    struct asked *asked = context;

    return ++asked->times > asked->most;
}

static void reading_ends_when_wanted(void **state)
{
    struct database *database = *state;
    uint64_t from = put_at(database, "a", "1");
    struct err err;

    for (int i = 0; i < 10; i++)
        put_at(database, "a", "2");
    for (int most = 0; most <= 11; most += 11) { /* amid the log; behind its end */
        struct asked for_past = {.most = most}, for_changes = {.most = most};
        struct past *past = past_open(&(struct past_settings){.engine = database->engine,
                                                              .table = 1,
                                                              .epoch = 1,
                                                              .instant = from,
                                                              .stop = {asked_often, &for_past}},
                                      &err);
        assert_true((past == NULL) == (most == 0));
        past_close(past);
        struct changes *changes =
            changes_open(&(struct changes_settings){.engine = database->engine,
                                                    .table = 1,
                                                    .epoch = 1,
                                                    .from = from,
                                                    .to = UINT64_MAX,
                                                    .stop = {asked_often, &for_changes}},
                         &err);
        assert_true((changes == NULL) == (most == 0));
        changes_close(changes);
        assert_int_equal(for_past.times, most == 0 ? 1 : 11);
        assert_int_equal(for_changes.times, most == 0 ? 1 : 11);
    }
    assert_int_equal(err.code, ERR_OVERLOADED);
}

/* Nobody is told of items that were not there yet, so a walk of them asks whether it is to end. */
static void a_walk_of_the_absent_ends_when_wanted(void **state)
{
    struct database *database = *state;
    uint64_t from = put_at(database, "a", "1");
    struct asked asked = {.most = 10};
    struct looking looking = {0};
    struct err err;

    put_at(database, "b", "1"), put_at(database, "c", "1"), put_at(database, "c", NULL);
    struct past_settings settings = {.engine = database->engine,
                                     .table = 1,
                                     .epoch = 1,
                                     .instant = from,
                                     .stop = {asked_often, &asked}};
    struct past *past = past_open(&settings, &err);
    assert_non_null(past);
    asked.times = 0;
    struct past_visitor visitor = {look, &looking};
    assert_true(past_walk(past, BYTES_NONE, BYTES_NONE, &visitor, &err));
    assert_int_equal(asked.times, 3);
    for (asked.most = 2; asked.most >= 0; asked.most--) {
        asked.times = 0;
        assert_false(past_walk(past, BYTES_NONE, BYTES_NONE, &visitor, &err));
        assert_int_equal(err.code, ERR_OVERLOADED);
        assert_int_equal(asked.times, asked.most + 1);
    }
    assert_int_equal(looking.count, 0);
    past_close(past);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_say_what_was_written),
        TEST(shows_what_was_and_stops_when_told),
        TEST(gives_up_before_the_floor),
        TEST(scratch_space_is_bounded),
        TEST(every_failing_read_is_told),
        TEST(a_lost_record_is_corruption),
        TEST(trimming_stops_at_a_pin),
        TEST(windows_are_exact),
        TEST(changes_are_net),
        TEST(old_images_are_left_out),
        TEST(a_walk_of_changes_stops_when_told),
        TEST(changes_end_at_the_floor),
        TEST(every_failure_of_changes_is_told),
        TEST(a_lost_write_is_corruption),
        TEST(reading_ends_when_wanted),
        TEST(replaced_images_cost_nothing),
        TEST(a_walk_of_the_absent_ends_when_wanted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
