/* table/index.h - what a secondary index holds of an item: its entry, which is the index key and
 * the projected item. The entry of an item is a function of the item alone, so a write stages what
 * changes of it from the item before and the item after. Pure functions; results are in the arena
 * or borrow from the item. */
#ifndef TABLE_INDEX_H
#define TABLE_INDEX_H

#include "table/schema.h"

/* Where an entry lies in SPACE_INDEX: number of the index (8) | index key; its value is the packed
 * item alone. An index key is
 *
 *     hash of the partition attributes | each index attribute as a key part | tie | item key
 *
 * where the tie is there for global indexes only: the hash of the bytes of the item's partition key
 * and sort key, one behind the other. So entries with equal index attributes are in the service's
 * order (dynalite's tests against it, "query on basic hash global index"); of local indexes they
 * are in the table's. The hash of a partition key of several attributes is that of their encoded
 * parts, one behind the other: an order of our own, since the service's is not known. */
struct index_entry {
    struct bytes key;  /* index key; empty: no entry */
    struct bytes item; /* packed: keys of index and table, and what is projected */
};

/* The entry of an item; false: the index has none, since the item lacks an index attribute, or has
 * one that cannot be indexed (of another type, empty, too long: an item that was there before the
 * index was). */
bool index_entry(const struct table *table, const struct table_index *index, struct bytes item_key,
                 struct bytes item, struct arena *arena, struct index_entry *out);

/* item_size() of the entry's item alone; 0: the index has none. */
uint64_t index_entry_size(const struct table *table, const struct table_index *index,
                          struct bytes item);

/* What becomes of the entry when the item does; BYTES_NONE is an item that is not there. */
struct index_step {
    struct index_entry before, after;
};
/* False: nothing changes in the index. */
bool index_step(const struct table *table, const struct table_index *index, struct bytes item_key,
                struct bytes before, struct bytes after, struct arena *arena,
                struct index_step *out);

/* What the service refuses of an item that is written: ERR_VALIDATION. Types come first, and of
 * several indexes the one whose name is least is named (dynamodb-conformance, recorded 2026-06).
 *
 * A transaction is cancelled by what the first of a pair refuses: the types, and of an update the
 * sizes (API reference, TransactWriteItems, messages of cancellation reasons); what the second one
 * does, empty values and the sizes of a put, refuses the request. Of an update only what it changes
 * is looked at, from the item before to the one after; its words are others. */
MUST_CHECK bool indexes_match_put(const struct table *table, struct bytes item, struct err *err);
MUST_CHECK bool indexes_check_put(const struct table *table, struct bytes item, struct err *err);
MUST_CHECK bool indexes_match_update(const struct table *table, struct bytes before,
                                     struct bytes item, struct err *err);
MUST_CHECK bool indexes_check_update(const struct table *table, struct bytes before,
                                     struct bytes item, struct err *err);

/* The mistake of a put, as far as it shows without an item; of what is found the type alone is
 * looked at. */
struct index_given {
    bool (*find)(void *context, struct bytes name, struct value *out);
    void *context;
};
MUST_CHECK bool indexes_match(const struct table *table, const struct index_given *given,
                              struct err *err);

/* Whether its entries have an attribute, where the item has it. */
bool index_projects(const struct table *table, const struct table_index *index, struct bytes name);

/* Appends what the index keys of one partition begin with: the hash and the parts of the partition
 * attributes, whose contents are in `values`. */
void index_put_partition(struct buf *out, const struct table_index *index,
                         const struct bytes *values);

/* The Key map of an entry's item, packed: keys of the index and of the table (LastEvaluatedKey). */
struct bytes index_key_item(const struct table *table, const struct table_index *index,
                            struct bytes item, struct arena *arena);

/* The index key of such a map, which the caller has held against both keys. */
struct bytes index_key_of(const struct table *table, const struct table_index *index,
                          struct bytes key_item, struct arena *arena);

/* The item key at the end of an index key; empty for bytes that are none. */
struct bytes index_item_key(const struct table_index *index, struct bytes index_key,
                            struct arena *arena);

#endif
