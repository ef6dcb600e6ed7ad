/* table/collection.h - item collections: the items of one partition key and their entries in local
 * indexes, whose size the service bounds. Inside the module. */
#ifndef TABLE_COLLECTION_H
#define TABLE_COLLECTION_H

#include "table/tables.h"
#include "table/tally.h"

/* Only tables with local indexes have collections. */
static inline bool table_has_collections(const struct table *table)
{
    return table->index_count > 0 && table->indexes[0].local;
}

/* Where the size of an item's collection is counted: table number | TALLY_SHARDS | the part of the
 * item key that is the partition's -> bytes (8). In the arena. */
struct bytes collection_place(struct arena *arena, const struct table *table, struct bytes key);

/* The part of an item key that all items of its collection begin with. */
struct bytes collection_of(struct arena *arena, const struct table *table, struct bytes key);

/* A counter's bytes; where there is none, 0. */
MUST_CHECK bool collection_read(struct engine *engine, const struct engine_snapshot *snapshot,
                                struct bytes place, uint64_t *bytes, struct err *err);

#endif
