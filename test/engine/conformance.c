/* test/engine/conformance.c - the contract of engine.h. Run for each engine by its name:
 * `conformance rocksdb`. Each test starts with an empty store; one that asks for what an engine
 * does not offer (lasting, snapshots) passes. */
#include "engine/subject.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/random.h"
#include "engine/committer.h"

#define NOW (UINT64_C(1700000000) * SECOND_MICROS)

static void put(struct engine_batch *batch, const char *key, const char *value)
{
    batch_put(batch, SPACE_ITEMS, bytes_of_text(key), bytes_of_text(value));
}

static void put_one(struct subject *subject, const char *key, const char *value)
{
    struct engine_batch *batch = subject_batch(subject);

    put(batch, key, value);
    subject_commit(subject, batch);
}

/* --- batches -------------------------------------------------------------------------------- */

static void what_is_put_is_there(void **state)
{
    struct subject *subject = *state;
    struct engine_batch *batch = subject_batch(subject);

    for (enum engine_space space = 0; space < ENGINE_SPACES; space++)
        batch_put(batch, space, BYTES("key"),
                  arena_printf(&subject->arena, "in space %d", (int)space));
    put(batch, "empty", "");
    subject_commit(subject, batch);
    assert_has(subject, SPACE_CATALOG, "key", "in space 0");
    assert_has(subject, SPACE_STATISTICS, "key", "in space 4");
    assert_has(subject, SPACE_ITEMS, "empty", "");
    assert_has(subject, SPACE_ITEMS, "nothing", "(none)");
    assert_bytes_equal(subject_list_all(subject, SPACE_ITEMS), BYTES("empty= key=in space 1 "));
}

static void later_operations_win(void **state)
{
    struct subject *subject = *state;
    struct engine_batch *batch = subject_batch(subject);

    put(batch, "a", "1");
    put(batch, "a", "2");
    put(batch, "b", "1");
    batch_delete(batch, SPACE_ITEMS, BYTES("b"));
    batch_delete(batch, SPACE_ITEMS, BYTES("c"));
    put(batch, "c", "1");
    subject_commit(subject, batch);
    assert_bytes_equal(subject_list_all(subject, SPACE_ITEMS), BYTES("a=2 c=1 "));
}

static void batches_of_a_group_happen_in_order(void **state)
{
    struct subject *subject = *state;
    struct engine_batch *batches[3];

    for (int i = 0; i < 3; i++)
        batches[i] = subject_batch(subject);
    put(batches[0], "a", "1");
    put(batches[0], "b", "1");
    put(batches[1], "a", "2");
    batch_delete(batches[2], SPACE_ITEMS, BYTES("b"));
    subject_commit_group(subject, batches, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(batches[i]->outcome, COMMIT_OK);
    assert_bytes_equal(subject_list_all(subject, SPACE_ITEMS), BYTES("a=2 "));
}

static void ranges_are_deleted(void **state)
{
    struct subject *subject = *state;
    struct engine_batch *batch = subject_batch(subject);

    put(batch, "a", "1");
    put(batch, "b", "1");
    put(batch, "bb", "1");
    put(batch, "c", "1");
    batch_put(batch, SPACE_INDEX, BYTES("b"), BYTES("kept"));
    subject_commit(subject, batch);
    batch = subject_batch(subject);
    batch_delete_range(batch, SPACE_ITEMS, BYTES("b"), BYTES("c"));
    batch_delete_range(batch, SPACE_ITEMS, BYTES("x"), BYTES("w")); /* nothing */
    put(batch, "b", "again");
    subject_commit(subject, batch);
    assert_bytes_equal(subject_list_all(subject, SPACE_ITEMS), BYTES("a=1 b=again c=1 "));
    assert_has(subject, SPACE_INDEX, "b", "kept");
}

static void what_was_deleted_is_reclaimed(void **state)
{
    struct subject *subject = *state;
    struct engine_batch *batch = subject_batch(subject);

    put(batch, "a", "1");
    put(batch, "b", "1");
    put(batch, "c\x01", "1");
    put(batch, "d", "1");
    subject_commit(subject, batch);
    subject_reopen(subject); /* so that it lies where it lies for good */
    if (!subject->lasts)
        subject_commit(subject, batch);
    batch = subject_batch(subject);
    batch_delete_range(batch, SPACE_ITEMS, BYTES("b"), BYTES("c\x01"));
    subject_commit(subject, batch);
    subject->engine->ops->reclaim(subject->engine, SPACE_ITEMS, BYTES("b"), BYTES("c\x01"));
    assert_bytes_equal(subject_list_all(subject, SPACE_ITEMS), BYTES("a=1 c\x01=1 d=1 "));
    subject->engine->ops->reclaim(subject->engine, SPACE_ITEMS, BYTES("b"), BYTES("c\x01"));
    assert_bytes_equal(subject_list_all(subject, SPACE_ITEMS), BYTES("a=1 c\x01=1 d=1 "));
}

static void big_values_fit(void **state)
{
    struct subject *subject = *state;
    struct engine_batch *batch = subject_batch(subject);
    uint8_t *value = arena_alloc(&subject->arena, 400 * 1024);
    uint64_t seed = 1;

    for (size_t i = 0; i < 400 * 1024; i++)
        value[i] = (uint8_t)random_next(&seed);
    for (enum engine_space space = SPACE_ITEMS; space <= SPACE_CHANGELOG; space++)
        batch_put(batch, space, BYTES("big"), bytes_of(value, 400 * 1024));
    subject_commit(subject, batch);
    for (enum engine_space space = SPACE_ITEMS; space <= SPACE_CHANGELOG; space++)
        assert_true(
            bytes_equal(subject_get(subject, space, BYTES("big")), bytes_of(value, 400 * 1024)));
}

static void too_large_is_refused(void **state)
{
    struct subject *subject = *state;
    const struct engine_limits *limits = &subject->engine->limits;
    size_t most = limits->key_most > limits->value_most ? limits->key_most : limits->value_most;
    uint8_t *room = arena_zalloc(&subject->arena, most + 1);
    struct engine_batch *batches[4];

    for (int i = 0; i < 4; i++)
        batches[i] = subject_batch(subject);
    batch_put(batches[0], SPACE_ITEMS, bytes_of(room, limits->key_most + 1), BYTES("value"));
    batch_put(batches[1], SPACE_ITEMS, BYTES("key"), bytes_of(room, limits->value_most + 1));
    for (size_t size = 0; size <= limits->batch_most; size += limits->value_most)
        batch_put(batches[2], SPACE_ITEMS, BYTES("key"), bytes_of(room, limits->value_most));
    put(batches[3], "small", "1");
    subject_commit_group(subject, batches, 4);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(batches[i]->outcome, COMMIT_FAILED);
        assert_int_equal(batches[i]->err->code, ERR_STORAGE);
    }
    assert_int_equal(batches[3]->outcome, COMMIT_OK);
    assert_bytes_equal(subject_list_all(subject, SPACE_ITEMS), BYTES("small=1 "));

    struct engine_batch *batch = subject_batch(subject);
    memset(room, 'k', limits->key_most);
    batch_put(batch, SPACE_ITEMS, bytes_of(room, limits->key_most), BYTES("just"));
    subject_commit(subject, batch);
    assert_bytes_equal(subject_get(subject, SPACE_ITEMS, bytes_of(room, limits->key_most)),
                       BYTES("just"));
}

/* --- expectations --------------------------------------------------------------------------- */

static void expect(struct engine_batch *batch, const char *key, const char *prefix)
{
    batch_expect(batch, SPACE_CATALOG, bytes_of_text(key), bytes_of_text(prefix), false);
}

static void put_catalog(struct engine_batch *batch, const char *key, const char *value)
{
    batch_put(batch, SPACE_CATALOG, bytes_of_text(key), bytes_of_text(value));
}

static void expectations_are_checked(void **state)
{
    struct subject *subject = *state;
    static const struct {
        const char *key, *prefix;
        enum commit_outcome outcome;
    } cases[] = {
        {"there", "v", COMMIT_OK},         {"there", "v1", COMMIT_OK},
        {"there", "v12", COMMIT_CONFLICT}, {"there", "w", COMMIT_CONFLICT},
        {"there", "", COMMIT_CONFLICT},    {"absent", "", COMMIT_OK},
        {"absent", "v", COMMIT_CONFLICT},  {"empty", "", COMMIT_CONFLICT},
        {"empty", "v", COMMIT_CONFLICT},
    };
    struct engine_batch *batch = subject_batch(subject);

    put_catalog(batch, "there", "v1");
    put_catalog(batch, "empty", "");
    subject_commit(subject, batch);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        batch = subject_batch(subject);
        put(batch, "trace", "1");
        batch_delete_range(batch, SPACE_ITEMS, BYTES("trace"), BYTES("u"));
        put_catalog(batch, "last", cases[i].outcome == COMMIT_OK ? "ok" : "trace");
        expect(batch, cases[i].key, cases[i].prefix); /* where it stands does not matter */
        subject_expect(subject, batch, cases[i].outcome);
        assert_has(subject, SPACE_CATALOG, "last", "ok");
        batch = subject_batch(subject);
        batch_put(batch, SPACE_CATALOG, BYTES("last"), BYTES("ok"));
        subject_commit(subject, batch);
    }
    assert_bytes_equal(subject_list_all(subject, SPACE_ITEMS), BYTES(""));
}

static void expectations_see_earlier_batches_of_the_group(void **state)
{
    struct subject *subject = *state;
    struct engine_batch *batches[8];

    for (int i = 0; i < 8; i++)
        batches[i] = subject_batch(subject);
    put_catalog(batches[0], "a", "1");
    expect(batches[1], "a", "");
    put_catalog(batches[1], "a", "wrong");
    expect(batches[2], "a", "1");
    put_catalog(batches[2], "a", "2");
    batch_delete(batches[3], SPACE_CATALOG, BYTES("a"));
    expect(batches[4], "a", "2");
    expect(batches[5], "a", "");
    put_catalog(batches[5], "a", "3");
    batch_delete_range(batches[6], SPACE_CATALOG, BYTES("a"), BYTES("b"));
    expect(batches[7], "a", "");
    put_catalog(batches[7], "a", "4");
    subject_commit_group(subject, batches, 8);
    static const enum commit_outcome wanted[] = {
        COMMIT_OK,       COMMIT_CONFLICT, COMMIT_OK, COMMIT_OK,
        COMMIT_CONFLICT, COMMIT_OK,       COMMIT_OK, COMMIT_OK,
    };
    for (int i = 0; i < 8; i++)
        assert_int_equal(batches[i]->outcome, wanted[i]);
    assert_bytes_equal(subject_list_all(subject, SPACE_CATALOG), BYTES("a=4 "));
    /* and across groups */
    struct engine_batch *batch = subject_batch(subject);
    expect(batch, "a", "3");
    subject_expect(subject, batch, COMMIT_CONFLICT);
    batch = subject_batch(subject);
    expect(batch, "a", "4");
    batch_delete_range(batch, SPACE_CATALOG, BYTES("a"), BYTES("b"));
    subject_commit(subject, batch);
    batch = subject_batch(subject);
    expect(batch, "a", "");
    subject_commit(subject, batch);
}

static void expectations_on_stamps_hold_once(void **state)
{
    struct subject *subject = *state;
    size_t stamp_size = subject->engine->limits.stamp_size;
    struct buf key, value;

    buf_init_in(&key, &subject->arena);
    buf_put_text(&key, "generation");
    struct bytes old = BYTES_NONE;
    for (int i = 0; i < 5; i++) {
        struct engine_batch *batches[2];
        for (int j = 0; j < 2; j++) { /* two that expect the same */
            batches[j] = subject_batch(subject);
            buf_init_in(&value, &subject->arena);
            memset(buf_room(&value, stamp_size), 0, stamp_size);
            value.size = stamp_size;
            buf_put_u8(&value, (uint8_t)j);
            batch_expect(batches[j], SPACE_CATALOG, buf_bytes(&key), old, false);
            batch_put_marked(batches[j], SPACE_CATALOG, &key, &value, batch_slot(batches[j]))
                ->stamp_in_value = 0;
        }
        subject_commit_group(subject, batches, 2);
        assert_int_equal(batches[0]->outcome, COMMIT_OK);
        assert_int_equal(batches[1]->outcome, COMMIT_CONFLICT);
        struct bytes now = subject_get(subject, SPACE_CATALOG, buf_bytes(&key));
        assert_int_equal(now.data[stamp_size], 0);
        old = bytes_of(now.data, stamp_size);
    }
}

/* --- counters ------------------------------------------------------------------------------- */

static void add(struct engine_batch *batch, const char *key, int64_t first, int64_t second)
{
    int64_t deltas[] = {first, second};

    batch_add(batch, SPACE_STATISTICS, bytes_of_text(key), deltas, 2);
}

static void assert_counters(struct subject *subject, const char *key, int64_t first, int64_t second)
{
    struct bytes value = subject_get(subject, SPACE_STATISTICS, bytes_of_text(key));

    assert_int_equal(value.size, 16);
    assert_int_equal((int64_t)be64_load(value.data), first);
    assert_int_equal((int64_t)be64_load(value.data + 8), second);
}

static void counters_add_up(void **state)
{
    struct subject *subject = *state;
    struct engine_batch *batches[4];

    for (int round = 1; round <= 3; round++) {
        for (int i = 0; i < 4; i++)
            batches[i] = subject_batch(subject);
        add(batches[0], "a", 1, 1000);
        add(batches[0], "a", 1, 1000);
        add(batches[1], "b", -1, INT64_C(-5000000000));
        add(batches[2], "a", 100, 100); /* conflicts: leaves no trace */
        expect(batches[2], "nothing", "something");
        add(batches[3], "a", -1, 1);
        subject_commit_group(subject, batches, 4);
        assert_int_equal(batches[2]->outcome, COMMIT_CONFLICT);
        assert_counters(subject, "a", round, 2001 * round);
        assert_counters(subject, "b", -round, INT64_C(-5000000000) * round);
        if (subject->lasts)
            subject_reopen(subject);
    }
}

static void counters_start_again_when_deleted(void **state)
{
    struct subject *subject = *state;
    struct engine_batch *batches[5];

    for (int i = 0; i < 5; i++)
        batches[i] = subject_batch(subject);
    add(batches[0], "a", 5, 5);
    add(batches[0], "b", 5, 5);
    add(batches[0], "c", 5, 5);
    batch_delete_range(batches[1], SPACE_STATISTICS, BYTES("a"), BYTES("b"));
    add(batches[2], "a", 1, 1);
    batch_delete(batches[2], SPACE_STATISTICS, BYTES("b"));
    add(batches[3], "b", 2, 2);
    uint8_t seven[16] = {[7] = 7, [15] = 7};
    batch_put(batches[3], SPACE_STATISTICS, BYTES("c"), bytes_of(seven, sizeof seven));
    add(batches[4], "c", 1, 1);
    add(batches[4], "d", 3, 3);
    batch_delete(batches[4], SPACE_STATISTICS, BYTES("d"));
    subject_commit_group(subject, batches, 5);
    assert_counters(subject, "a", 1, 1);
    assert_counters(subject, "b", 2, 2);
    assert_counters(subject, "c", 8, 8);
    assert_has(subject, SPACE_STATISTICS, "d", "(none)");
    struct engine_batch *batch = subject_batch(subject);
    batch_delete_range(batch, SPACE_STATISTICS, BYTES("a"), BYTES("z"));
    subject_commit(subject, batch);
    batch = subject_batch(subject);
    add(batch, "a", 9, 9);
    subject_commit(subject, batch);
    assert_counters(subject, "a", 9, 9);
    assert_has(subject, SPACE_STATISTICS, "b", "(none)");
}

static void counters_widen(void **state)
{
    struct subject *subject = *state;
    struct engine_batch *batch = subject_batch(subject);
    int64_t one = 4;

    batch_add(batch, SPACE_STATISTICS, BYTES("a"), &one, 1);
    add(batch, "a", 1, 2);
    batch_add(batch, SPACE_STATISTICS, BYTES("a"), &one, 1);
    subject_commit(subject, batch);
    assert_counters(subject, "a", 9, 2);
}

/* --- stamps --------------------------------------------------------------------------------- */

/* A record under a stamp in the change log: key "log" stamp; value stamp, time. */
static void log_record(struct subject *subject, struct engine_batch *batch, uint32_t slot)
{
    size_t stamp_size = subject->engine->limits.stamp_size;
    struct buf key, value;

    buf_init_in(&key, &subject->arena);
    buf_init_in(&value, &subject->arena);
    buf_put_text(&key, "log");
    memset(buf_room(&key, stamp_size), 0xee, stamp_size);
    key.size += stamp_size;
    memset(buf_room(&value, stamp_size + 8), 0xee, stamp_size + 8);
    value.size = stamp_size + 8;
    struct batch_op *op = batch_put_marked(batch, SPACE_CHANGELOG, &key, &value, slot);
    op->stamp_in_key = 3;
    op->stamp_in_value = 0;
    op->time_in_value = (uint32_t)stamp_size;
}

struct log_check {
    size_t stamp_size, count;
    uint8_t last[STAMP_MOST];
    uint64_t time;
};

static bool log_check_visit(void *context, struct bytes key, struct bytes value)
{
    struct log_check *check = context;

    assert_int_equal(key.size, 3 + check->stamp_size);
    assert_int_equal(value.size, check->stamp_size + 8);
    assert_memory_equal(key.data + 3, value.data, check->stamp_size);
    assert_true(memcmp(check->last, value.data, check->stamp_size) < 0);
    assert_true(check->time <= be64_load(value.data + check->stamp_size));
    memcpy(check->last, value.data, check->stamp_size);
    check->time = be64_load(value.data + check->stamp_size);
    check->count++;
    return true;
}

/* Every record was given a stamp, and times never fall in the order of stamps. */
static void assert_log(struct subject *subject, size_t count)
{
    struct log_check check = {.stamp_size = subject->engine->limits.stamp_size};
    struct engine_scan scan = {
        .space = SPACE_CHANGELOG, .visit = log_check_visit, .context = &check};
    struct err err;

    assert_int_equal(engine_scan_all(subject->engine, &scan, &err), SCAN_DONE);
    assert_int_equal(check.count, count);
}

static void stamps_rise(void **state)
{
    struct subject *subject = *state;
    size_t stamp_size = subject->engine->limits.stamp_size;
    uint8_t stamp[STAMP_MOST];
    uint64_t last = 0;

    clock_set(NOW); /* the clock stands still: the counter must do */
    for (int group = 0; group < 20; group++) {
        struct engine_batch *batches[10];
        for (int i = 0; i < 10; i++) {
            batches[i] = subject_batch(subject);
            for (int slot = 0; slot < 50; slot++)
                log_record(subject, batches[i], batch_slot(batches[i]));
        }
        subject_commit_group(subject, batches, 10);
        for (int i = 0; i < 10; i++) {
            assert_int_equal(batches[i]->outcome, COMMIT_OK);
            assert_true(batches[i]->time >= last && batches[i]->time >= NOW);
            last = batches[i]->time;
            subject->engine->ops->stamp_at(subject->engine, last, stamp);
            for (uint32_t j = 0; j < batches[i]->count; j++) { /* one time for all */
                assert_true(memcmp(stamp, batches[i]->ops[j].value, stamp_size) <= 0);
                assert_int_equal(be64_load(batches[i]->ops[j].value + stamp_size), last);
            }
            subject->engine->ops->stamp_at(subject->engine, last + 1, stamp);
            for (uint32_t j = 0; j < batches[i]->count; j++)
                assert_true(memcmp(stamp, batches[i]->ops[j].value, stamp_size) > 0);
        }
    }
    assert_log(subject, 20 * 10 * 50);
}

static void the_largest_batch_shares_its_time(void **state)
{
    struct subject *subject = *state;

    clock_set(NOW);
    for (int i = 0; i < 3; i++) {
        struct engine_batch *batch = subject_batch(subject);
        for (int slot = 0; slot < BATCH_SLOTS_MOST; slot++)
            log_record(subject, batch, batch_slot(batch));
        subject_commit(subject, batch);
        struct engine_batch *one = subject_batch(subject);
        log_record(subject, one, batch_slot(one));
        subject_commit(subject, one);
    }
    assert_log(subject, 3 * (BATCH_SLOTS_MOST + 1));
}

static uint64_t commit_record(struct subject *subject, uint64_t not_before)
{
    struct engine_batch *batch = subject_batch(subject);

    log_record(subject, batch, batch_slot(batch));
    batch->not_before = not_before;
    subject_commit(subject, batch);
    return batch->time;
}

static void times_never_fall(void **state)
{
    struct subject *subject = *state;
    struct engine *engine = subject->engine;

    clock_set(NOW);
    assert_int_equal(commit_record(subject, 0), NOW);
    clock_set(NOW - DAY_MICROS);
    assert_true(commit_record(subject, 0) >= NOW);
    assert_true(engine->ops->now(engine) >= NOW);
    clock_set(NOW + SECOND_MICROS);
    assert_int_equal(engine->ops->now(engine), NOW + SECOND_MICROS);
    clock_set(NOW); /* what now() has said once, no commit goes below */
    assert_true(commit_record(subject, 0) >= NOW + SECOND_MICROS);
    assert_true(commit_record(subject, NOW + 2 * SECOND_MICROS) == NOW + 2 * SECOND_MICROS);
    assert_true(commit_record(subject, NOW) >= NOW + 2 * SECOND_MICROS);
    assert_true(engine->ops->now(engine) >= NOW + 2 * SECOND_MICROS);
    /* an instant is fixed by a batch without a slot as well */
    struct engine_batch *batch = subject_batch(subject);
    batch->not_before = NOW + 3 * SECOND_MICROS;
    subject_commit(subject, batch);
    assert_true(commit_record(subject, 0) >= NOW + 3 * SECOND_MICROS);
    assert_log(subject, 6);
}

static void times_never_fall_over_restarts(void **state)
{
    struct subject *subject = *state;
    uint64_t last = 0, seed = 3;
    size_t count = 0;

    if (!subject->lasts)
        return;
    clock_set(NOW);
    for (int start = 0; start < 12; start++) {
        for (int i = 0; i < 5; i++) {
            /* steps of up to 100 s forward, and back */
            clock_set(NOW + random_next(&seed) % (100 * SECOND_MICROS));
            uint64_t now = subject->engine->ops->now(subject->engine);
            assert_true(now >= last);
            uint64_t time = commit_record(subject, 0);
            assert_true(time >= now);
            last = time;
            count++;
        }
        last = subject->engine->ops->now(subject->engine);
        subject_reopen(subject);
        assert_true(subject->engine->ops->now(subject->engine) >= last);
    }
    assert_log(subject, count);
}

static void a_clock_far_behind_is_refused(void **state)
{
    struct subject *subject = *state;
    struct err err;

    if (!subject->lasts)
        return;
    clock_set(NOW);
    commit_record(subject, 0);
    clock_set(NOW - CLOCK_AHEAD_MOST_DEFAULT + SECOND_MICROS);
    subject_reopen(subject);
    clock_set(NOW - CLOCK_AHEAD_MOST_DEFAULT - SECOND_MICROS);
    assert_false(subject_try_reopen(subject, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    clock_set(NOW);
    subject_reopen(subject);
    assert_log(subject, 1);
}

/* --- reading -------------------------------------------------------------------------------- */

static void scans_keep_to_their_bounds(void **state)
{
    struct subject *subject = *state;
    struct engine_batch *batch = subject_batch(subject);
    static const struct {
        const char *from, *to, *forward, *backward;
    } cases[] = {
        {"", "", "a=1 b=2 bb=3 c=4 d=5 e=6 f=7 ", "f=7 e=6 d=5 c=4 bb=3 b=2 a=1 "},
        {"b", "e", "b=2 bb=3 c=4 d=5 ", "d=5 c=4 bb=3 b=2 "},
        {"b", "", "b=2 bb=3 c=4 d=5 e=6 f=7 ", "f=7 e=6 d=5 c=4 bb=3 b=2 "},
        {"", "bb", "a=1 b=2 ", "b=2 a=1 "},
        {"ba", "ca", "bb=3 c=4 ", "c=4 bb=3 "},
        {"c", "c", "", ""},
        {"d", "c", "", ""},
        {"g", "", "", ""},
        {"", "a", "", ""},
        {"f", "g", "f=7 ", "f=7 "},
    };

    put(batch, "b", "2");
    put(batch, "f", "7");
    put(batch, "d", "5");
    put(batch, "a", "1");
    put(batch, "e", "6");
    put(batch, "bb", "3");
    put(batch, "c", "4");
    batch_put(batch, SPACE_CATALOG, BYTES("c"), BYTES("other"));
    subject_commit(subject, batch);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int bulk = 0; bulk < 2; bulk++) {
            struct engine_scan scan = {
                .space = SPACE_ITEMS,
                .from = bytes_of_text(cases[i].from),
                .to = bytes_of_text(cases[i].to),
                .bulk = bulk == 1,
            };
            assert_bytes_equal(subject_list(subject, &scan), bytes_of_text(cases[i].forward));
            scan.backward = true;
            assert_bytes_equal(subject_list(subject, &scan), bytes_of_text(cases[i].backward));
        }
}

struct until {
    size_t left;
    struct buf *seen;
};

static bool until_visit(void *context, struct bytes key, struct bytes value)
{
    struct until *until = context;

    (void)value;
    buf_put_bytes(until->seen, key);
    return --until->left > 0;
}

static void a_scan_stops_when_told(void **state)
{
    struct subject *subject = *state;
    struct engine_batch *batch = subject_batch(subject);
    struct buf seen;
    struct err err;

    for (char key = 'a'; key <= 'j'; key++)
        batch_put(batch, SPACE_ITEMS, arena_printf(&subject->arena, "%c", key), BYTES("1"));
    subject_commit(subject, batch);
    for (size_t most = 1; most <= 10; most++) {
        buf_init_in(&seen, &subject->arena);
        struct until until = {most, &seen};
        struct engine_scan scan = {.space = SPACE_ITEMS, .visit = until_visit, .context = &until};
        assert_int_equal(engine_scan_all(subject->engine, &scan, &err), SCAN_STOPPED);
        assert_bytes_equal(buf_bytes(&seen), bytes_of("abcdefghij", most));
        buf_init_in(&seen, &subject->arena);
        until.left = most;
        scan.backward = true;
        assert_int_equal(engine_scan_all(subject->engine, &scan, &err), SCAN_STOPPED);
        assert_bytes_equal(buf_bytes(&seen), bytes_of("jihgfedcba", most));
    }
}

static void a_pause_goes_on_behind_the_last_key(void **state)
{
    struct subject *subject = *state;
    struct engine_batch *batch = subject_batch(subject);
    struct buf seen;
    struct err err;
    int pauses = 0;

    for (char key = 'a'; key <= 'j'; key++)
        batch_put(batch, SPACE_ITEMS, arena_printf(&subject->arena, "%c", key), BYTES("1"));
    subject_commit(subject, batch);
    buf_init_in(&seen, &subject->arena);
    struct until until = {100, &seen};
    struct engine_scan scan = {.space = SPACE_ITEMS, .visit = until_visit, .context = &until};
    enum scan_end end;
    while ((end = engine_scan(subject->engine, &scan, &err)) == SCAN_PAUSED && pauses < 20) {
        assert_true(seen.size > 0); /* a pause has shown something */
        scan.from =
            arena_printf(&subject->arena, "%c!", seen.data[seen.size - 1]); /* '!' < letters */
        pauses++;
    }
    assert_int_equal(end, SCAN_DONE);
    assert_bytes_equal(buf_bytes(&seen), BYTES("abcdefghij"));
}

static void values_outlive_what_replaces_them(void **state)
{
    struct subject *subject = *state;
    struct engine_value value;
    struct err err;
    bool found;

    put_one(subject, "a", "before");
    assert_true(engine_get(subject->engine, NULL, SPACE_ITEMS, BYTES("a"), &value, &found, &err));
    assert_true(found);
    put_one(subject, "a", "after");
    assert_bytes_equal(value.bytes, BYTES("before"));
    engine_value_release(&value);
    assert_has(subject, SPACE_ITEMS, "a", "after");
}

static void a_snapshot_stands_still(void **state)
{
    struct subject *subject = *state;
    struct engine *engine = subject->engine;
    struct engine_value value;
    struct err err;
    bool found;

    struct engine_snapshot *empty = engine->ops->snapshot_new(engine);
    assert_int_equal(empty != NULL, engine->limits.snapshots);
    if (empty == NULL)
        return;
    put_one(subject, "a", "1");
    put_one(subject, "b", "1");
    struct engine_snapshot *snapshot = engine->ops->snapshot_new(engine);
    put_one(subject, "a", "2");
    put_one(subject, "c", "2");
    struct engine_batch *batch = subject_batch(subject);
    batch_delete_range(batch, SPACE_ITEMS, BYTES("b"), BYTES("c"));
    subject_commit(subject, batch);
    assert_true(engine_get(engine, snapshot, SPACE_ITEMS, BYTES("a"), &value, &found, &err));
    assert_bytes_equal(value.bytes, BYTES("1"));
    engine_value_release(&value);
    assert_true(engine_get(engine, snapshot, SPACE_ITEMS, BYTES("c"), &value, &found, &err));
    assert_false(found);
    assert_bytes_equal(
        subject_list(subject, &(struct engine_scan){.space = SPACE_ITEMS, .snapshot = snapshot}),
        BYTES("a=1 b=1 "));
    assert_bytes_equal(
        subject_list(subject, &(struct engine_scan){.space = SPACE_ITEMS, .snapshot = empty}),
        BYTES(""));
    assert_bytes_equal(subject_list_all(subject, SPACE_ITEMS), BYTES("a=2 c=2 "));
    engine->ops->snapshot_free(engine, snapshot);
    engine->ops->snapshot_free(engine, empty);
}

static void what_is_stored_lasts(void **state)
{
    struct subject *subject = *state;
    struct engine_batch *batch = subject_batch(subject);

    if (!subject->lasts)
        return;
    put(batch, "a", "1");
    put(batch, "b", "1");
    put_catalog(batch, "table", "generation 1");
    add(batch, "table", 2, 2);
    subject_commit(subject, batch);
    subject_reopen(subject);
    assert_bytes_equal(subject_list_all(subject, SPACE_ITEMS), BYTES("a=1 b=1 "));
    batch = subject_batch(subject);
    expect(batch, "table", "generation 1");
    batch_delete(batch, SPACE_ITEMS, BYTES("a"));
    add(batch, "table", -1, -1);
    subject_commit(subject, batch);
    subject_reopen(subject);
    assert_bytes_equal(subject_list_all(subject, SPACE_ITEMS), BYTES("b=1 "));
    assert_counters(subject, "table", 1, 1);
    assert_bytes_equal(subject_list_all(subject, SPACE_CATALOG), BYTES("table=generation 1 "));
}

/* --- failures ------------------------------------------------------------------------------- */

static void reads_can_fail(void **state)
{
    struct subject *subject = *state;
    struct engine_scan scan = {.space = SPACE_ITEMS};
    struct engine_value value;
    struct err err;
    bool found;

    put_one(subject, "a", "1");
    fault_arm(FAULT_ENGINE_GET, 0, 1);
    assert_false(engine_get(subject->engine, NULL, SPACE_ITEMS, BYTES("a"), &value, &found, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    fault_arm(FAULT_ENGINE_SCAN, 0, 1);
    assert_int_equal(engine_scan_all(subject->engine, &scan, &err), SCAN_FAILED);
    assert_int_equal(err.code, ERR_STORAGE);
    assert_has(subject, SPACE_ITEMS, "a", "1");
}

/* A refused group leaves no trace, neither in the store nor in what the engine remembers of it. */
static void a_refused_commit_leaves_no_trace(void **state)
{
    struct subject *subject = *state;
    static const struct {
        enum fault_point point;
        enum err_code code;
    } cases[] = {{FAULT_ENGINE_COMMIT, ERR_STORAGE}, {FAULT_ENGINE_FULL, ERR_DISK_FULL}};
    struct engine_batch *batch = subject_batch(subject);

    put_catalog(batch, "table", "1");
    add(batch, "table", 1, 1);
    expect(batch, "table", "");
    subject_commit(subject, batch);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct engine_batch *batches[2] = {subject_batch(subject), subject_batch(subject)};
        for (int j = 0; j < 2; j++) {
            put(batches[j], "a", "1");
            put_catalog(batches[j], "table", "2");
            add(batches[j], "table", 1, 1);
        }
        fault_arm(cases[i].point, 0, 1);
        subject_commit_group(subject, batches, 2);
        for (int j = 0; j < 2; j++) {
            assert_int_equal(batches[j]->outcome, COMMIT_FAILED);
            assert_int_equal(batches[j]->err->code, cases[i].code);
        }
        assert_has(subject, SPACE_ITEMS, "a", "(none)");
        batch = subject_batch(subject); /* it goes on */
        expect(batch, "table", "1");
        add(batch, "table", 1, 1);
        log_record(subject, batch, batch_slot(batch));
        subject_commit(subject, batch);
        assert_counters(subject, "table", 2 + (int)i, 2 + (int)i);
    }
    if (subject->lasts)
        subject_reopen(subject);
    assert_log(subject, 2);
    commit_record(subject, 0);
    assert_log(subject, 3);
}

static void a_doubtful_sync_stops_the_engine(void **state)
{
    struct subject *subject = *state;
    struct engine_batch *batches[2] = {subject_batch(subject), subject_batch(subject)};

    put_one(subject, "a", "1");
    put(batches[0], "a", "2");
    put(batches[0], "b", "2");
    put(batches[1], "c", "2");
    fault_arm(FAULT_ENGINE_SYNC, 0, 1);
    subject_commit_group(subject, batches, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(batches[i]->outcome, COMMIT_UNKNOWN);
        assert_int_equal(batches[i]->err->code, ERR_UNKNOWN_OUTCOME);
    }
    fault_clear();
    struct engine_batch *batch = subject_batch(subject);
    put(batch, "d", "3");
    subject_expect(subject, batch, COMMIT_FAILED);
    assert_int_equal(batch->err->code, ERR_STORAGE);
    /* nothing is shown that is not durable, and reading goes on */
    assert_bytes_equal(subject_list_all(subject, SPACE_ITEMS), BYTES("a=1 "));
    if (!subject->lasts)
        return;
    subject_reopen(subject); /* whole or not at all */
    struct bytes list = subject_list_all(subject, SPACE_ITEMS);
    assert_true(bytes_equal(list, BYTES("a=1 ")) || bytes_equal(list, BYTES("a=2 b=2 c=2 ")) ||
                bytes_equal(list, BYTES("a=2 b=2 ")));
    put_one(subject, "d", "4");
    assert_has(subject, SPACE_ITEMS, "d", "4");
}

/* --- threads -------------------------------------------------------------------------------- */

#define WRITERS       3
#define WRITES        400
#define ACCOUNTS      8
#define ACCOUNT_TOTAL 1000

struct shared {
    struct subject *subject;
    struct committer *committer;
    _Atomic bool stop;
    _Atomic uint64_t scans, torn;
};

static bool sum_visit(void *context, struct bytes key, struct bytes value)
{
    (void)key;
    *(int64_t *)context += (int64_t)be64_load(value.data);
    return true;
}

/* Money moves between accounts, each move one batch: whoever reads at one instant sees it all. */
static void *read_sums(void *context)
{
    struct shared *shared = context;
    struct engine *engine = shared->subject->engine;
    struct err err;

    while (!shared->stop) {
        int64_t sum = 0;
        struct engine_snapshot *snapshot = engine->ops->snapshot_new(engine);
        struct engine_scan scan = {
            .space = SPACE_ITEMS, .snapshot = snapshot, .visit = sum_visit, .context = &sum};
        if (engine_scan_all(engine, &scan, &err) != SCAN_DONE || sum != ACCOUNT_TOTAL)
            shared->torn++;
        engine->ops->snapshot_free(engine, snapshot);
        shared->scans++;
    }
    return NULL;
}

static struct bytes account_key(struct arena *arena, uint64_t account)
{
    return arena_printf(arena, "account %llu", (unsigned long long)account);
}

static struct bytes account_value(struct arena *arena, int64_t amount)
{
    uint8_t *value = arena_alloc(arena, 8);

    be64_store(value, (uint64_t)amount);
    return bytes_of(value, 8);
}

/* Counts with an expectation until it holds: every increment is there in the end. */
static void *write_counts(void *context)
{
    struct shared *shared = context;
    struct engine *engine = shared->subject->engine;
    struct err err;

    for (int i = 0; i < WRITES; i++) {
        for (bool done = false; !done;) {
            struct arena arena;
            struct engine_batch batch;
            struct engine_value value;
            bool found;
            arena_init(&arena);
            batch_init(&batch, &arena);
            if (!engine_get(engine, NULL, SPACE_CATALOG, BYTES("count"), &value, &found, &err))
                abort();
            int64_t count = found ? (int64_t)be64_load(value.bytes.data) : 0;
            batch_expect(&batch, SPACE_CATALOG, BYTES("count"), arena_copy(&arena, value.bytes),
                         false);
            engine_value_release(&value);
            batch_put(&batch, SPACE_CATALOG, BYTES("count"), account_value(&arena, count + 1));
            int64_t delta = 1;
            batch_add(&batch, SPACE_STATISTICS, BYTES("count"), &delta, 1);
            if (committer_commit(shared->committer, &batch, &err))
                done = true;
            else if (batch.outcome != COMMIT_CONFLICT)
                abort();
            arena_release(&arena);
        }
    }
    return NULL;
}

/* The only writer of accounts, so that it knows them. */
static void *write_moves(void *context)
{
    struct shared *shared = context;
    int64_t amounts[ACCOUNTS] = {ACCOUNT_TOTAL};
    uint64_t seed = 5;
    struct err err;

    for (int i = 0; i < WRITES; i++) {
        struct arena arena;
        struct engine_batch batch;
        uint64_t from = random_next(&seed) % ACCOUNTS, to = random_next(&seed) % ACCOUNTS;
        arena_init(&arena);
        batch_init(&batch, &arena);
        amounts[from] -= 7;
        amounts[to] += 7;
        batch_put(&batch, SPACE_ITEMS, account_key(&arena, from),
                  account_value(&arena, amounts[from]));
        batch_put(&batch, SPACE_ITEMS, account_key(&arena, to), account_value(&arena, amounts[to]));
        if (!committer_commit(shared->committer, &batch, &err))
            abort();
        arena_release(&arena);
    }
    return NULL;
}

static void readers_see_whole_batches(void **state)
{
    struct subject *subject = *state;
    struct shared shared = {.subject = subject};
    struct engine_batch *batch = subject_batch(subject);
    pthread_t reader, writers[WRITERS];

    if (!subject->engine->limits.snapshots)
        return;
    batch_put(batch, SPACE_ITEMS, account_key(&subject->arena, 0),
              account_value(&subject->arena, ACCOUNT_TOTAL));
    subject_commit(subject, batch);
    shared.committer = committer_new(subject->engine);
    pthread_create(&reader, NULL, read_sums, &shared);
    for (int i = 0; i < WRITERS; i++)
        pthread_create(&writers[i], NULL, i == 0 ? write_moves : write_counts, &shared);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    shared.stop = true;
    pthread_join(reader, NULL);
    committer_free(shared.committer);
    assert_int_equal(shared.torn, 0);
    assert_true(shared.scans > 0);
    struct bytes count = subject_get(subject, SPACE_CATALOG, BYTES("count"));
    struct bytes sum = subject_get(subject, SPACE_STATISTICS, BYTES("count"));
    assert_int_equal(be64_load(count.data), (WRITERS - 1) * WRITES);
    assert_int_equal(be64_load(sum.data), (WRITERS - 1) * WRITES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, subject_open, subject_close)

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        TEST(what_is_put_is_there),
        TEST(later_operations_win),
        TEST(batches_of_a_group_happen_in_order),
        TEST(ranges_are_deleted),
        TEST(what_was_deleted_is_reclaimed),
        TEST(big_values_fit),
        TEST(too_large_is_refused),
        TEST(expectations_are_checked),
        TEST(expectations_see_earlier_batches_of_the_group),
        TEST(expectations_on_stamps_hold_once),
        TEST(counters_add_up),
        TEST(counters_start_again_when_deleted),
        TEST(counters_widen),
        TEST(stamps_rise),
        TEST(the_largest_batch_shares_its_time),
        TEST(times_never_fall),
        TEST(times_never_fall_over_restarts),
        TEST(a_clock_far_behind_is_refused),
        TEST(scans_keep_to_their_bounds),
        TEST(a_scan_stops_when_told),
        TEST(a_pause_goes_on_behind_the_last_key),
        TEST(values_outlive_what_replaces_them),
        TEST(a_snapshot_stands_still),
        TEST(what_is_stored_lasts),
        TEST(reads_can_fail),
        TEST(a_refused_commit_leaves_no_trace),
        TEST(a_doubtful_sync_stops_the_engine),
        TEST(readers_see_whole_batches),
    };

    if (argc != 2 || !subject_choose(argv[1])) {
        fprintf(stderr, "usage: conformance ENGINE\n");
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
