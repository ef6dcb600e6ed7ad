/* table/items.h - where the items of a table and the entries of an index lie in the engine, and how
 * they are walked: for Scan and Query. Inside the module. */
#ifndef TABLE_ITEMS_H
#define TABLE_ITEMS_H

#include "table/tables.h"

/* The engine's key of an item key, or of the first bytes of one, in a table; of an index key in an
 * index. */
struct bytes item_place(struct arena *arena, uint64_t number, struct bytes key);

/* The least bytes behind a place: no item key begins another, so between the two there is nothing.
 */
struct bytes item_place_behind(struct arena *arena, struct bytes place);

/* Shows each item between two places, the first inclusive; or each entry of an index. */
struct items_walk {
    struct bytes from, to;
    bool index;
    bool backward;
    bool (*visit)(void *context, struct bytes key, struct bytes item);
    void *context;
};
enum scan_end items_walk(struct work *work, const struct items_walk *walk, struct err *err);

/* The lock of an item, for work_lock(). */
uint64_t item_lock(uint64_t table, struct bytes key);

#endif
