/* api/collections.c - ItemCollectionMetrics of replies: how large the item collections are that a
 * call has written to, where the table has local indexes and the request asks for it. The estimate
 * is the size in whole GB and one more, as the service rounds it. */
#include "api/api.h"

#define GB (UINT64_C(1) << 30)

static bool metrics_wanted(struct request *request, const struct write *write, struct bytes *key)
{
    if (!request_is(request, "ReturnItemCollectionMetrics", "SIZE") || write->kind == WRITE_NOTHING)
        return false;
    *key = collection_key(write, &request->arena);
    return key->size > 0;
}

static void put_metrics(struct buf *out, struct bytes key, uint64_t size)
{
    unsigned long long least = size / GB;

    buf_put_literal(out, "{");
    put_item_member(out, "ItemCollectionKey", key);
    put_member(out, "SizeEstimateRangeGB");
    buf_printf(out, "[%llu.0,%llu.0]}", least, least + 1);
}

void put_collection_member(struct request *request, const struct write *write)
{
    struct bytes key;

    if (!metrics_wanted(request, write, &key))
        return;
    put_member(&request->reply, "ItemCollectionMetrics");
    put_metrics(&request->reply, key, write->collection_after);
}

/* Whether one of the writes before is of the same table, or of the same collection if `key` is
 * given. */
static bool is_shown(struct request *request, const struct write *writes, size_t at,
                     const struct bytes *key)
{
    struct bytes other;

    for (size_t i = 0; i < at; i++)
        if (writes[i].table->number == writes[at].table->number &&
            metrics_wanted(request, &writes[i], &other) &&
            (key == NULL || bytes_equal(*key, other)))
            return true;
    return false;
}

static void put_table_collections(struct request *request, const struct write *writes, size_t count,
                                  size_t first)
{
    struct buf *out = &request->reply;
    struct bytes key;

    put_name(out, writes[first].table->name);
    buf_put_literal(out, "[");
    for (size_t i = first; i < count; i++) {
        if (writes[i].table->number != writes[first].table->number ||
            !metrics_wanted(request, &writes[i], &key) || is_shown(request, writes, i, &key))
            continue;
        put_comma(out);
        put_metrics(out, key, writes[i].collection_after);
    }
    buf_put_literal(out, "]");
}

void put_collections_member(struct request *request, const struct write *writes, size_t count)
{
    struct buf *out = &request->reply;
    bool any = false;
    struct bytes key;

    for (size_t i = 0; i < count; i++) {
        if (!metrics_wanted(request, &writes[i], &key) || is_shown(request, writes, i, NULL))
            continue;
        if (!any) {
            put_member(out, "ItemCollectionMetrics");
            buf_put_literal(out, "{");
        }
        any = true;
        put_table_collections(request, writes, count, i);
    }
    if (any)
        buf_put_literal(out, "}");
}
