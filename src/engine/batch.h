/* engine/batch.h - what the engines share in reading and answering batches. For engines only. */
#ifndef ENGINE_BATCH_H
#define ENGINE_BATCH_H

#include "engine/engine.h"

/* The limits of our own engines. Keys: above the largest item key (table, hash, 2048 bytes of
 * partition and 1024 of sort key, escaped). Values: above a log record with two items of 400 KB.
 * Batches: above a BatchWriteItem of 25 items of 400 KB, with what it replaces, on a table with 25
 * indexes that project all of them. */
#define LIMITS_KEY_MOST   ((size_t)16 * 1024)
#define LIMITS_VALUE_MOST ((size_t)16 * 1024 * 1024)
#define LIMITS_BATCH_MOST ((size_t)320 * 1024 * 1024)

static inline struct bytes batch_op_key(const struct batch_op *op)
{
    return bytes_of(op->key, op->key_size);
}

static inline struct bytes batch_op_value(const struct batch_op *op)
{
    return bytes_of(op->value, op->value_size);
}

/* False, ERR_STORAGE, for a batch over the engine's limits. */
MUST_CHECK bool batch_fits(const struct engine_batch *batch, const struct engine_limits *limits,
                           struct err *err);

/* Answers with an outcome that needs an error: UNKNOWN or FAILED. */
void batch_fail(struct engine_batch *batch, enum commit_outcome outcome, const struct err *err);

/* What an expectation says of a key's value: absent (`prefix` empty), or begins with it. */
static inline bool batch_expected(struct bytes prefix, bool found, struct bytes value)
{
    return prefix.size == 0 ? !found : found && bytes_begin(value, prefix);
}

/* The least room for the sum of a value of counters and the `deltas` of a BATCH_ADD. */
static inline size_t batch_sum_size(struct bytes old, struct bytes deltas)
{
    return old.size > deltas.size ? old.size : deltas.size;
}

/* Writes the sum, batch_sum_size() bytes, to `sum`, which may be where `old` is. A counter that is
 * not there yet is 0; sums wrap around. */
void batch_sum(struct bytes old, struct bytes deltas, uint8_t *sum);

#endif
