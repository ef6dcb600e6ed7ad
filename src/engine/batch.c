/* engine/batch.c - building batches, and what all engines do with them. A batch is an array of
 * operations in its arena that points to its submitter's bytes: nothing is copied until the engine
 * copies it into its own log. */
#include "engine/batch.h"

#include <assert.h>

#define FIRST_CAPACITY 8u

void batch_init(struct engine_batch *batch, struct arena *arena)
{
    *batch = (struct engine_batch){.arena = arena};
}

size_t batch_size(const struct engine_batch *batch)
{
    size_t size = 0;

    for (uint32_t i = 0; i < batch->count; i++)
        size += (size_t)batch->ops[i].key_size + batch->ops[i].value_size;
    return size;
}

uint32_t batch_slot(struct engine_batch *batch)
{
    assert(batch->slots < BATCH_SLOTS_MOST);
    return batch->slots++;
}

static struct batch_op *op_add(struct engine_batch *batch, enum batch_kind kind,
                               enum engine_space space, struct bytes key, struct bytes value)
{
    assert(space < ENGINE_SPACES && key.size <= UINT32_MAX && value.size <= UINT32_MAX);
    if (batch->count == batch->capacity) {
        uint32_t capacity = batch->capacity == 0 ? FIRST_CAPACITY : batch->capacity * 2;
        struct batch_op *ops = arena_alloc(batch->arena, capacity * sizeof *ops);
        if (batch->count > 0)
            memcpy(ops, batch->ops, batch->count * sizeof *ops);
        batch->ops = ops;
        batch->capacity = capacity;
    }
    struct batch_op *op = &batch->ops[batch->count++];
    *op = (struct batch_op){
        .kind = kind,
        .space = space,
        .key = (uint8_t *)(uintptr_t)key.data,
        .value = (uint8_t *)(uintptr_t)value.data,
        .key_size = (uint32_t)key.size,
        .value_size = (uint32_t)value.size,
        .slot = NO_MARK,
        .stamp_in_key = NO_MARK,
        .stamp_in_value = NO_MARK,
        .time_in_value = NO_MARK,
    };
    return op;
}

void batch_put(struct engine_batch *batch, enum engine_space space, struct bytes key,
               struct bytes value)
{
    op_add(batch, BATCH_PUT, space, key, value);
}

struct batch_op *batch_put_marked(struct engine_batch *batch, enum engine_space space,
                                  struct buf *key, struct buf *value, uint32_t slot)
{
    struct batch_op *op = op_add(batch, BATCH_PUT, space, buf_bytes(key), buf_bytes(value));

    assert(slot < batch->slots);
    op->slot = slot;
    return op;
}

void batch_delete(struct engine_batch *batch, enum engine_space space, struct bytes key)
{
    op_add(batch, BATCH_DELETE, space, key, BYTES_NONE);
}

void batch_delete_range(struct engine_batch *batch, enum engine_space space, struct bytes from,
                        struct bytes to)
{
    assert(to.size > 0);
    op_add(batch, BATCH_DELETE_RANGE, space, from, to);
}

void batch_add(struct engine_batch *batch, enum engine_space space, struct bytes key,
               const int64_t *deltas, uint32_t count)
{
    uint8_t *value = arena_alloc(batch->arena, count * (size_t)8);

    for (uint32_t i = 0; i < count; i++)
        be64_store(value + i * (size_t)8, (uint64_t)deltas[i]);
    op_add(batch, BATCH_ADD, space, key, bytes_of(value, count * (size_t)8));
}

void batch_expect(struct engine_batch *batch, enum engine_space space, struct bytes key,
                  struct bytes prefix, bool trusted)
{
    op_add(batch, BATCH_EXPECT, space, key, prefix)->trusted = trusted;
}

bool batch_fits(const struct engine_batch *batch, const struct engine_limits *limits,
                struct err *err)
{
    size_t size = 0;

    for (uint32_t i = 0; i < batch->count; i++) {
        const struct batch_op *op = &batch->ops[i];
        size_t value_most = op->kind == BATCH_DELETE_RANGE ? limits->key_most : limits->value_most;
        if (op->key_size > limits->key_most)
            return err_fail(err, ERR_STORAGE, "commit: a key of %u bytes, at most %zu",
                            op->key_size, limits->key_most);
        if (op->value_size > value_most)
            return err_fail(err, ERR_STORAGE, "commit: a value of %u bytes, at most %zu",
                            op->value_size, value_most);
        size += (size_t)op->key_size + op->value_size;
    }
    if (size > limits->batch_most)
        return err_fail(err, ERR_STORAGE, "commit: a batch of %zu bytes, at most %zu", size,
                        limits->batch_most);
    return true;
}

void batch_fail(struct engine_batch *batch, enum commit_outcome outcome, const struct err *err)
{
    assert(outcome == COMMIT_UNKNOWN || outcome == COMMIT_FAILED);
    batch->err = arena_alloc(batch->arena, sizeof *batch->err);
    *batch->err = *err;
    batch->outcome = outcome;
}

void batch_sum(struct bytes old, struct bytes deltas, uint8_t *sum)
{
    size_t size = batch_sum_size(old, deltas);

    assert(old.size % 8 == 0 && deltas.size % 8 == 0);
    for (size_t at = 0; at < size; at += 8) {
        uint64_t counter = at < old.size ? be64_load(old.data + at) : 0;
        if (at < deltas.size)
            counter += be64_load(deltas.data + at);
        be64_store(sum + at, counter);
    }
}

/* --- scanning past pauses ------------------------------------------------------------------- */

struct resume {
    const struct engine_scan *scan;
    struct buf last; /* the last key shown */
};

static bool resume_visit(void *context, struct bytes key, struct bytes value)
{
    struct resume *resume = context;

    buf_clear(&resume->last);
    buf_put_bytes(&resume->last, key);
    return resume->scan->visit(resume->scan->context, key, value);
}

enum scan_end engine_scan_all(struct engine *engine, const struct engine_scan *scan,
                              struct err *err)
{
    struct resume resume = {.scan = scan};
    struct engine_scan part = *scan;
    struct buf bound; /* of the part: the last key shown, and a zero behind it going forward */
    enum scan_end end;

    buf_init(&resume.last);
    buf_init(&bound);
    part.visit = resume_visit;
    part.context = &resume;
    while ((end = engine_scan(engine, &part, err)) == SCAN_PAUSED) {
        buf_clear(&bound);
        buf_put_bytes(&bound, buf_bytes(&resume.last));
        if (scan->backward) {
            part.to = buf_bytes(&bound);
        } else {
            buf_put_u8(&bound, 0);
            part.from = buf_bytes(&bound);
        }
    }
    buf_release(&bound);
    buf_release(&resume.last);
    return end;
}
