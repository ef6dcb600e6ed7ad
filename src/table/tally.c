/* table/tally.c - a short list of counters: a batch touches a shard or two of a table and of each
 * of its indexes, so it is searched from the end. */
#include "table/tally.h"

#include <assert.h>

#define FIRST_CAPACITY 4u

void tally_init(struct tally *tally, struct arena *arena)
{
    *tally = (struct tally){.arena = arena};
}

struct tally_counter *tally_of(struct tally *tally, struct bytes key, uint32_t deltas_count)
{
    assert(deltas_count <= 2);
    for (uint32_t i = tally->count; i-- > 0;)
        if (bytes_equal(tally->counters[i].key, key))
            return &tally->counters[i];
    if (tally->count == tally->capacity) {
        uint32_t capacity = tally->capacity == 0 ? FIRST_CAPACITY : tally->capacity * 2;
        struct tally_counter *counters = arena_alloc(tally->arena, capacity * sizeof *counters);
        if (tally->count > 0)
            memcpy(counters, tally->counters, tally->count * sizeof *counters);
        tally->counters = counters;
        tally->capacity = capacity;
    }
    struct tally_counter *counter = &tally->counters[tally->count++];
    *counter = (struct tally_counter){.key = key, .deltas_count = deltas_count};
    return counter;
}

void tally_figures(struct tally *tally, uint64_t number, uint32_t shard, int64_t items,
                   int64_t bytes)
{
    if (items == 0 && bytes == 0)
        return;
    assert(shard < TALLY_SHARDS);
    uint8_t *key = arena_alloc(tally->arena, 12);
    be64_store(key, number);
    be32_store(key + 8, shard);
    struct tally_counter *counter = tally_of(tally, bytes_of(key, 12), 2);
    counter->deltas[0] += items;
    counter->deltas[1] += bytes;
}

void tally_stage(const struct tally *tally, struct engine_batch *batch)
{
    for (uint32_t i = 0; i < tally->count; i++) {
        const struct tally_counter *counter = &tally->counters[i];
        if (counter->deltas[0] != 0 || counter->deltas[1] != 0)
            batch_add(batch, SPACE_STATISTICS, counter->key, counter->deltas,
                      counter->deltas_count);
    }
}
