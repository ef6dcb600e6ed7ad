/* table/query.c - the items of one partition key lie beside each other in the order of their sort
 * keys, so a Query is one stretch of the table: of all that has the attributes that are compared
 * with =, cut at the values that the next one is compared with, and at the key where the last page
 * ended. The entries of an index lie in the same way, but several may have the same key, so each
 * cut is at all that begins with the encoded attributes, whatever follows them. */
#include "table/index.h"
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

static uint64_t query_number(const struct table_query *query)
{
    return query->index != NULL ? query->index->number : query->table->number;
}

static enum key_type part_type(const struct table_query *query, uint32_t at)
{
    return query->index != NULL ? query->index->keys[at].type : query->table->keys[at].type;
}

static void put_partition(struct buf *place, const struct table_query *query)
{
    const struct value *values = query->query->equal;
    struct bytes contents[INDEX_PART_MOST];

    buf_put_be64(place, query_number(query));
    if (query->index == NULL) {
        buf_put_be64(place, key_hash(values[0].content));
        key_put_part(place, query->table->keys[0].type, values[0].content);
        return;
    }
    for (uint32_t i = 0; i < query->index->partition_count; i++)
        contents[i] = values[i].content;
    index_put_partition(place, query->index, contents);
}

/* What all places begin with whose items have the attributes that are compared with =. */
static struct bytes equal_place(struct arena *arena, const struct table_query *query)
{
    const struct key_query *asked = query->query;
    uint32_t at = query->index != NULL ? query->index->partition_count : 1;
    struct buf place;

    buf_init_in(&place, arena);
    put_partition(&place, query);
    for (; at < asked->equal_count; at++)
        key_put_part(&place, part_type(query, at), asked->equal[at].content);
    return buf_bytes(&place);
}

/* What of these have a value as their next attribute too. */
static struct bytes next_place(struct arena *arena, const struct table_query *query,
                               struct bytes equal, const struct value *value)
{
    struct buf place;

    buf_init_in(&place, arena);
    buf_put_bytes(&place, equal);
    key_put_part(&place, part_type(query, query->query->equal_count), value->content);
    return buf_bytes(&place);
}

static struct bytes beginning_place(struct arena *arena, struct bytes equal,
                                    const struct value *value)
{
    struct buf place;

    buf_init_in(&place, arena);
    buf_put_bytes(&place, equal);
    key_put_beginning(&place, value->content);
    return buf_bytes(&place);
}

/* What is asked, as a stretch of places. */
static void stretch_of(struct arena *arena, const struct table_query *query,
                       struct items_walk *walk)
{
    const struct key_query *asked = query->query;
    struct bytes equal = equal_place(arena, query), low = BYTES_NONE;

    walk->from = equal;
    walk->to = above_all(arena, equal);
    if (asked->test == KEY_ANY)
        return;
    if (asked->test != KEY_BEGINS)
        low = next_place(arena, query, equal, &asked->low);
    switch (asked->test) {
    case KEY_ANY:
    case KEY_EQUAL:
    case KEY_OTHER:
        break;
    case KEY_LESS:
        walk->to = low;
        break;
    case KEY_AT_MOST:
        walk->to = above_all(arena, low);
        break;
    case KEY_MORE:
        walk->from = above_all(arena, low);
        break;
    case KEY_AT_LEAST:
        walk->from = low;
        break;
    case KEY_BETWEEN:
        walk->from = low;
        walk->to = above_all(arena, next_place(arena, query, equal, &asked->high));
        break;
    case KEY_BEGINS:
        walk->from = beginning_place(arena, equal, &asked->low);
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
    struct bytes last = item_place(arena, query_number(query), query->from);
    struct bytes behind = item_place_behind(arena, last);
    if (query->backward && bytes_compare(last, walk->to) < 0)
        walk->to = last;
    if (!query->backward && bytes_compare(behind, walk->from) > 0)
        walk->from = behind;
}

void table_query_range(const struct table *table, const struct key_query *query,
                       struct arena *arena, struct bytes *from, struct bytes *to)
{
    struct table_query of_table = {.table = table, .query = query};
    struct items_walk walk = {.index = false};

    stretch_of(arena, &of_table, &walk);
    *from = bytes_from(walk.from, ITEM_KEY_AT);
    *to = walk.to.size > ITEM_KEY_AT ? bytes_from(walk.to, ITEM_KEY_AT) : BYTES_NONE;
}

enum scan_end table_query(struct work *work, const struct table_query *query, struct err *err)
{
    struct items_walk walk = {
        .index = query->index != NULL,
        .backward = query->backward,
        .visit = query->visit,
        .context = query->context,
    };

    stretch_of(work->arena, query, &walk);
    stretch_cut(work->arena, query, &walk);
    return items_walk(work, &walk, err);
}
