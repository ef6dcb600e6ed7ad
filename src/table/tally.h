/* table/tally.h - what one batch adds to counters, gathered so that each is added to once. Lives in
 * the arena of the batch. Inside the module. */
#ifndef TABLE_TALLY_H
#define TABLE_TALLY_H

#include "engine/engine.h"

struct tally {
    struct arena *arena;
    struct tally_counter *counters;
    uint32_t count, capacity;
};

/* Statistics of a table or an index (doc/key-format.md): number | shard -> items, bytes. All shards
 * are below TALLY_SHARDS; behind them is room for counters that are no figures. */
#define TALLY_SHARDS UINT32_C(0xffffffff)

struct tally_counter {
    struct bytes key;
    int64_t deltas[2];
    uint32_t deltas_count;
};

void tally_init(struct tally *tally, struct arena *arena);

/* The counter, with what is added so far; the key is borrowed. */
struct tally_counter *tally_of(struct tally *tally, struct bytes key, uint32_t deltas_count);

/* To the figures of a table or an index. */
void tally_figures(struct tally *tally, uint64_t number, uint32_t shard, int64_t items,
                   int64_t bytes);

/* Stages the additions that are not 0. */
void tally_stage(const struct tally *tally, struct engine_batch *batch);

#endif
