/* test/engine/against_model.c - random batches on RocksDB and on the model, side by side: the same
 * outcomes, the same bytes, the same pages. The seed is printed; MODEL_SEED and MODEL_STEPS change
 * it. The clock is stopped and moved by the test, so that both give the same stamps. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/check.h"
#include "support/folder.h"

#include "base/clock.h"
#include "base/random.h"
#include "engine/engine.h"

#define STEPS      1500
#define NOW        (UINT64_C(1700000000) * SECOND_MICROS)
#define GROUP_MOST 5
#define OPS_MOST   6

struct pair {
    struct engine *model, *rocks;
    char folder[FOLDER_PATH_MOST];
    struct arena arena; /* of one step */
    uint64_t seed, clock;
    /* snapshots of both at one moment; NULL: none held */
    struct engine_snapshot *model_snapshot, *rocks_snapshot;
};

static struct engine *open_rocks(struct pair *pair)
{
    struct rocksdb_settings settings = {
        .directory = pair->folder,
        .memory = (size_t)2 * 1024 * 1024, /* so that something is flushed */
        .clock_ahead_most = UINT64_MAX,
    };
    struct err err;
    struct engine *engine = engine_open_rocksdb(&settings, &err);

    if (engine == NULL)
        fail_msg("open: %s", err.message);
    return engine;
}

static uint64_t below(struct pair *pair, uint64_t bound)
{
    return random_next(&pair->seed) % bound;
}

/* Few keys, of one to three letters, so that they meet. */
static struct bytes any_key(struct pair *pair)
{
    uint8_t *key = arena_alloc(&pair->arena, 3);
    size_t size = 1 + below(pair, 3);

    for (size_t i = 0; i < size; i++)
        key[i] = (uint8_t) "\0ab\xff"[below(pair, 4)];
    return bytes_of(key, size);
}

static struct bytes any_value(struct pair *pair)
{
    size_t size = below(pair, 10) == 0 ? below(pair, 20000) : below(pair, 20);
    uint8_t *value = arena_alloc(&pair->arena, size);

    memset(value, (int)below(pair, 3), size);
    return bytes_of(value, size);
}

/* Counters are in a space of their own. */
static enum engine_space any_space(struct pair *pair)
{
    return (enum engine_space)below(pair, SPACE_STATISTICS);
}

static void any_marked(struct pair *pair, struct engine_batch *batch)
{
    struct buf key, value;
    uint32_t slot = batch_slot(batch);

    buf_init_in(&key, &pair->arena);
    buf_put_bytes(&key, any_key(pair));
    size_t at = key.size;
    buf_put_be64(&key, 0);
    buf_init_in(&value, &pair->arena);
    for (int i = 0; i < 3; i++)
        buf_put_be64(&value, 0);
    struct batch_op *op = batch_put_marked(batch, SPACE_CHANGELOG, &key, &value, slot);
    op->stamp_in_key = (uint32_t)at;
    op->stamp_in_value = 0;
    op->time_in_value = 16;
}

static void any_op(struct pair *pair, struct engine_batch *batch)
{
    enum engine_space space = any_space(pair);
    int64_t deltas[2] = {(int64_t)below(pair, 1000) - 500, 1};
    struct bytes key = any_key(pair), value = any_value(pair);

    switch (below(pair, 9)) {
    case 0:
    case 1:
    case 2:
        batch_put(batch, space, key, value);
        break;
    case 3:
        batch_delete(batch, below(pair, 2) == 0 ? space : SPACE_STATISTICS, key);
        break;
    case 4:
        batch_delete_range(batch, below(pair, 4) == 0 ? SPACE_STATISTICS : space, key,
                           any_key(pair));
        break;
    case 5:
        batch_add(batch, SPACE_STATISTICS, key, deltas, 1 + (uint32_t)below(pair, 2));
        break;
    case 6: /* of what many keys have: nothing, or a short prefix */
        batch_expect(batch, space, key, bytes_of(value.data, value.size < 2 ? value.size : 2),
                     false);
        break;
    default:
        any_marked(pair, batch);
    }
}

/* The same batch again, with bytes of its own for the stamps. */
static struct engine_batch *copy_of(struct pair *pair, const struct engine_batch *batch)
{
    struct engine_batch *copy = arena_alloc(&pair->arena, sizeof *copy);

    *copy = *batch;
    copy->ops = arena_alloc(&pair->arena, batch->count * sizeof *copy->ops);
    for (uint32_t i = 0; i < batch->count; i++) {
        struct batch_op *op = &copy->ops[i];
        *op = batch->ops[i];
        op->key =
            (uint8_t *)(uintptr_t)arena_copy(&pair->arena, bytes_of(op->key, op->key_size)).data;
        op->value =
            (uint8_t *)(uintptr_t)arena_copy(&pair->arena, bytes_of(op->value, op->value_size))
                .data;
    }
    return copy;
}

static void step_commit(struct pair *pair)
{
    struct engine_batch *model[GROUP_MOST], *rocks[GROUP_MOST];
    uint32_t count = 1 + (uint32_t)below(pair, GROUP_MOST);

    for (uint32_t i = 0; i < count; i++) {
        model[i] = arena_alloc(&pair->arena, sizeof *model[i]);
        batch_init(model[i], &pair->arena);
        for (uint64_t ops = below(pair, OPS_MOST + 1); ops > 0; ops--)
            any_op(pair, model[i]);
        if (below(pair, 10) == 0)
            model[i]->not_before = pair->clock + below(pair, 1000);
        rocks[i] = copy_of(pair, model[i]);
    }
    pair->model->ops->commit(pair->model, model, count);
    pair->rocks->ops->commit(pair->rocks, rocks, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(model[i]->outcome, rocks[i]->outcome);
        if (model[i]->outcome == COMMIT_OK)
            assert_int_equal(model[i]->time, rocks[i]->time);
    }
}

struct shown {
    struct buf pairs;
    uint64_t left;
};

static bool show(void *context, struct bytes key, struct bytes value)
{
    struct shown *shown = context;

    buf_put_be32(&shown->pairs, (uint32_t)key.size);
    buf_put_bytes(&shown->pairs, key);
    buf_put_be32(&shown->pairs, (uint32_t)value.size);
    buf_put_bytes(&shown->pairs, value);
    return --shown->left > 0;
}

static void compare_scan(struct pair *pair, const struct engine_scan *range, uint64_t most,
                         bool snapshots)
{
    struct engine_scan scan = *range;
    struct shown model = {.left = most}, rocks = {.left = most};
    struct err err;

    buf_init(&model.pairs);
    buf_init(&rocks.pairs);
    scan.visit = show;
    scan.context = &model;
    scan.snapshot = snapshots ? pair->model_snapshot : NULL;
    enum scan_end end = engine_scan_all(pair->model, &scan, &err);
    scan.context = &rocks;
    scan.snapshot = snapshots ? pair->rocks_snapshot : NULL;
    assert_int_equal(engine_scan_all(pair->rocks, &scan, &err), end);
    assert_true(bytes_equal(buf_bytes(&model.pairs), buf_bytes(&rocks.pairs)));
    buf_release(&model.pairs);
    buf_release(&rocks.pairs);
}

static void step_scan(struct pair *pair)
{
    struct engine_scan scan = {
        .space = (enum engine_space)below(pair, ENGINE_SPACES),
        .from = below(pair, 4) == 0 ? BYTES_NONE : any_key(pair),
        .to = below(pair, 4) == 0 ? BYTES_NONE : any_key(pair),
        .backward = below(pair, 2) == 0,
        .bulk = below(pair, 2) == 0,
    };

    compare_scan(pair, &scan, 1 + below(pair, 40), below(pair, 2) == 0);
}

static void step_get(struct pair *pair)
{
    enum engine_space space = (enum engine_space)below(pair, ENGINE_SPACES);
    bool old = below(pair, 2) == 0, in_model, in_rocks;
    struct engine_value model, rocks;
    struct bytes key = any_key(pair);
    struct err err;

    assert_true(engine_get(pair->model, old ? pair->model_snapshot : NULL, space, key, &model,
                           &in_model, &err));
    assert_true(engine_get(pair->rocks, old ? pair->rocks_snapshot : NULL, space, key, &rocks,
                           &in_rocks, &err));
    assert_int_equal(in_model, in_rocks);
    assert_true(bytes_equal(model.bytes, rocks.bytes));
    engine_value_release(&model);
    engine_value_release(&rocks);
}

static void snapshots_drop(struct pair *pair)
{
    pair->model->ops->snapshot_free(pair->model, pair->model_snapshot);
    pair->rocks->ops->snapshot_free(pair->rocks, pair->rocks_snapshot);
    pair->model_snapshot = pair->rocks_snapshot = NULL;
}

static void step_snapshot(struct pair *pair)
{
    bool had = pair->model_snapshot != NULL;

    snapshots_drop(pair);
    if (had)
        return;
    pair->model_snapshot = pair->model->ops->snapshot_new(pair->model);
    pair->rocks_snapshot = pair->rocks->ops->snapshot_new(pair->rocks);
}

/* Deletes a range in both and has it reclaimed; no snapshot may be held over that. */
static void step_reclaim(struct pair *pair)
{
    enum engine_space space = any_space(pair);
    struct bytes from = any_key(pair), to = any_key(pair);
    struct engine_batch batch, *one = &batch;

    snapshots_drop(pair);
    batch_init(&batch, &pair->arena);
    batch_delete_range(&batch, space, from, to);
    pair->model->ops->commit(pair->model, &one, 1);
    pair->rocks->ops->commit(pair->rocks, &one, 1);
    pair->model->ops->reclaim(pair->model, space, from, to);
    pair->rocks->ops->reclaim(pair->rocks, space, from, to);
}

/* The model cannot be reopened; it is told of the microsecond that a clean close skips. */
static void step_reopen(struct pair *pair)
{
    snapshots_drop(pair);
    engine_close(pair->rocks);
    pair->rocks = open_rocks(pair);
    pair->clock += 1000 * SECOND_MICROS;
    clock_set(pair->clock);
}

static void compare_all(struct pair *pair)
{
    for (enum engine_space space = 0; space < ENGINE_SPACES; space++)
        compare_scan(pair, &(struct engine_scan){.space = space}, UINT64_MAX, false);
}

static void step(struct pair *pair)
{
    uint64_t choice = below(pair, 200);

    clock_set(pair->clock + below(pair, 2000)); /* back, too */
    if (choice < 120)
        step_commit(pair);
    else if (choice < 150)
        step_scan(pair);
    else if (choice < 180)
        step_get(pair);
    else if (choice < 190)
        step_snapshot(pair);
    else if (choice < 198)
        step_reclaim(pair);
    else
        step_reopen(pair);
}

static void rocksdb_does_what_the_model_does(void **state)
{
    const char *seed = getenv("MODEL_SEED"), *steps = getenv("MODEL_STEPS");
    struct memory_settings settings = {.snapshots = true, .page_most = 4, .stamp_size = 8};
    struct pair pair = {.clock = NOW};

    (void)state;
    random_fill(&pair.seed, sizeof pair.seed);
    if (seed != NULL)
        pair.seed = strtoull(seed, NULL, 10);
    print_message("# MODEL_SEED=%" PRIu64 "\n", pair.seed);
    clock_set(pair.clock);
    folder_make(pair.folder);
    pair.model = engine_open_memory(&settings);
    pair.rocks = open_rocks(&pair);
    for (long left = steps != NULL ? strtol(steps, NULL, 10) : STEPS; left > 0; left--) {
        arena_init(&pair.arena);
        step(&pair);
        arena_release(&pair.arena);
        if (left % 100 == 0)
            compare_all(&pair);
    }
    compare_all(&pair);
    snapshots_drop(&pair);
    engine_close(pair.model);
    engine_close(pair.rocks);
    folder_remove(pair.folder);
    clock_set(0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rocksdb_does_what_the_model_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
