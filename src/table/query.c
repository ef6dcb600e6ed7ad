/* table/query.c - the items of one partition key lie beside each other in the order of their sort
 * keys, so a Query is one stretch of the table: cut at the values that the sort key is compared
 * with, and at the key where the last page ended. */
#include "table/items.h"

/* The least bytes above all that begin with `prefix`, which is not all 0xff. */
static struct bytes above_all(struct arena *arena, struct bytes prefix)
{
    uint8_t *above = arena_alloc(arena, prefix.size);
    size_t size = prefix.size;

    while (prefix.data[size - 1] == 0xff)
        size--;
    memcpy(above, prefix.data, size);
    above[size - 1]++;
    return bytes_of(above, size);
}

/* Where the items of the partition key lie: what all of their places begin with. */
static struct bytes partition_place(struct arena *arena, const struct table_query *query)
{
    const struct table *table = query->table;
    struct bytes value = query->query->partition.content;
    struct buf place;

    buf_init_in(&place, arena);
    buf_put_be64(&place, table->number);
    buf_put_be64(&place, key_hash(value));
    key_put_part(&place, table->keys[0].type, value);
    return buf_bytes(&place);
}

/* The place of the item with this sort key. */
static struct bytes sort_place(struct arena *arena, const struct table_query *query,
                               struct bytes partition, const struct value *value)
{
    struct buf place;

    buf_init_in(&place, arena);
    buf_put_bytes(&place, partition);
    key_put_part(&place, query->table->keys[1].type, value->content);
    return buf_bytes(&place);
}

static struct bytes beginning_place(struct arena *arena, struct bytes partition,
                                    const struct value *value)
{
    struct buf place;

    buf_init_in(&place, arena);
    buf_put_bytes(&place, partition);
    key_put_beginning(&place, value->content);
    return buf_bytes(&place);
}

/* What is asked of the sort key, as a stretch of places. */
static void stretch_of(struct arena *arena, const struct table_query *query,
                       struct items_walk *walk)
{
    const struct key_query *asked = query->query;
    struct bytes partition = partition_place(arena, query), low = BYTES_NONE;

    walk->from = partition;
    walk->to = above_all(arena, partition);
    if (asked->test == KEY_ANY)
        return;
    if (asked->test != KEY_BEGINS)
        low = sort_place(arena, query, partition, &asked->low);
    switch (asked->test) {
    case KEY_ANY:
    case KEY_OTHER:
        break;
    case KEY_EQUAL:
        walk->from = low;
        walk->to = item_place_behind(arena, low);
        break;
    case KEY_LESS:
        walk->to = low;
        break;
    case KEY_AT_MOST:
        walk->to = item_place_behind(arena, low);
        break;
    case KEY_MORE:
        walk->from = item_place_behind(arena, low);
        break;
    case KEY_AT_LEAST:
        walk->from = low;
        break;
    case KEY_BETWEEN:
        walk->from = low;
        walk->to = item_place_behind(arena, sort_place(arena, query, partition, &asked->high));
        break;
    case KEY_BEGINS:
        walk->from = beginning_place(arena, partition, &asked->low);
        walk->to = above_all(arena, walk->from);
        break;
    }
}

/* Goes on behind the key where the last page ended, which need not lie in the stretch. */
static void stretch_cut(struct arena *arena, const struct table_query *query,
                        struct items_walk *walk)
{
    if (query->from.size == 0)
        return;
    struct bytes last = item_place(arena, query->table->number, query->from);
    struct bytes behind = item_place_behind(arena, last);
    if (query->backward && bytes_compare(last, walk->to) < 0)
        walk->to = last;
    if (!query->backward && bytes_compare(behind, walk->from) > 0)
        walk->from = behind;
}

enum scan_end table_query(struct work *work, const struct table_query *query, struct err *err)
{
    struct items_walk walk = {
        .backward = query->backward,
        .visit = query->visit,
        .context = query->context,
    };

    stretch_of(work->arena, query, &walk);
    stretch_cut(work->arena, query, &walk);
    return items_walk(work, &walk, err);
}
