/* table/index.h - what a secondary index holds of an item: its entry, which is the index key and
 * the projected item. The entry of an item is a function of the item alone, so a write stages what
 * changes of it from the item before and the item after. Pure functions; results are in the arena.
 */
#ifndef TABLE_INDEX_H
#define TABLE_INDEX_H

#include "table/schema.h"

/* Where an entry lies in SPACE_INDEX: number of the index (8) | index key. An index key is
 *
 *     hash of the partition attributes | each index attribute as a key part | item key
 *
 * and so entries with equal index attributes follow the table's order (spec/keys.md). The hash of a
 * partition key of several attributes is that of their encoded parts, one behind the other: an
 * order of our own, since the service's is not known. */
struct index_entry {
    struct bytes key;  /* index key */
    struct bytes item; /* packed: keys of index and table, and what is projected */
};

/* The entry of an item; false: the index has none, since the item lacks an index attribute, or has
 * one that cannot be indexed (of another type, empty, too long: an item that was there before the
 * index was). */
bool index_entry(const struct table_index *index, struct bytes item_key, struct bytes item,
                 const struct table *table, struct arena *arena, struct index_entry *out);

/* What the service refuses of an item that is written: ERR_VALIDATION for an index attribute that
 * is there and of another type, empty, or too long. */
MUST_CHECK bool indexes_check(const struct table *table, struct bytes item, struct err *err);

/* The Key map of an entry's item, packed: keys of the index and of the table (LastEvaluatedKey). */
struct bytes index_key_item(const struct table *table, const struct table_index *index,
                            struct bytes item, struct arena *arena);

/* The index key of such a map, which the caller has held against both keys. */
struct bytes index_key_of(const struct table *table, const struct table_index *index,
                          struct bytes key_item, struct arena *arena);

/* The item key at the end of an index key. */
struct bytes index_item_key(const struct table *table, const struct table_index *index,
                            struct bytes index_key, struct arena *arena);

#endif
