/* api/op_batch_write_item.c - BatchWriteItem: up to 25 puts and deletes in several tables. The
 * service may do some and give back the rest; we do all in one commit, so UnprocessedItems is
 * always empty.
 *
 * Order of checks (dynalite's batchWriteItem tests): constraints, each request by itself, then per
 * table whether it is there, the keys, those of indexes, and whether one comes twice. */
#include "api/consumed.h"

#include "table/index.h"

#define WRITES_MOST 25 /* as the service allows */

static const struct field delete_members[] = {REQUIRED("Key", FIELD_ITEM), SHAPE_END};
static const struct field put_members[] = {REQUIRED("Item", FIELD_ITEM), SHAPE_END};
static const struct field write_members[] = {
    OPTIONAL("DeleteRequest", FIELD_STRUCT("DeleteRequest", delete_members)),
    OPTIONAL("PutRequest", FIELD_STRUCT("PutRequest", put_members)),
    SHAPE_END,
};
static const struct field write_request = ELEMENT(FIELD_STRUCT("WriteRequest", write_members));
static const struct field write_requests =
    ELEMENT(FIELD_LIST(write_request), LEAST(1), MOST(WRITES_MOST), TRAITS(FIELD_PARAMETERIZED));

const struct field shape_batch_write_item[] = {
    OPTIONAL("ReturnConsumedCapacity", FIELD_ENUM(enum_consumed_capacity)),
    OPTIONAL("ReturnItemCollectionMetrics", FIELD_ENUM(enum_collection_metrics)),
    REQUIRED(
        "RequestItems",
        FIELD_MAP("java.util.List<com.amazonaws.dynamodb.v20120810.WriteRequest>", write_requests),
        KEYS(element_table_name), TRAITS(FIELD_KEYS_LAST)),
    SHAPE_END,
};

/* One request; its table is not looked for yet. */
static bool write_take(const struct value_node *node, struct write *write, struct err *err)
{
    const struct value_node *put = node_member(node, "PutRequest");
    const struct value_node *delete = node_member(node, "DeleteRequest");

    if ((put == NULL) == (delete == NULL))
        return err_fail(err, ERR_VALIDATION,
                        "Supplied AttributeValue has more than one datatypes set, must contain "
                        "exactly one of the supported datatypes");
    if (put != NULL) {
        write->kind = WRITE_PUT;
        return node_item_older(node_member(put, "Item"), &write->item, err) &&
               node_item_to_put(node_member(put, "Item"), &write->item, err);
    }
    write->kind = WRITE_DELETE;
    return node_item_older(node_member(delete, "Key"), &write->key, err);
}

static bool writes_take(const struct value_node *tables, struct write *writes, size_t *count,
                        struct err *err)
{
    for (uint32_t i = 0; i < tables->kept; i++) {
        const struct value_node *requests = &tables->members[i];
        for (uint32_t j = 0; j < requests->kept; j++) {
            if (*count == WRITES_MOST)
                return err_fail(err, ERR_VALIDATION,
                                "Too many items requested for the BatchWriteItem call");
            if (!write_take(&requests->members[j], &writes[(*count)++], err))
                return false;
        }
    }
    return true;
}

/* A put's key is judged as a Key is: the service tells it in those words here. */
static bool key_take(struct request *request, struct write *write, struct err *err)
{
    struct bytes key = write->kind == WRITE_PUT
                           ? table_key_item(write->table, write->item, &request->arena)
                           : write->key;

    return table_key(write->table, key, true, &request->arena, &write->key, err) &&
           (write->kind != WRITE_PUT || (indexes_match_put(write->table, write->item, err) &&
                                         indexes_check_put(write->table, write->item, err)));
}

static bool is_twice(const struct write *writes, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (writes[i].table->number == writes[at].table->number &&
            bytes_equal(writes[i].key, writes[at].key))
            return true;
    return false;
}

static bool tables_take(struct request *request, const struct value_node *tables,
                        struct write *writes, struct err *err)
{
    size_t at = 0;

    for (uint32_t i = 0; i < tables->kept; i++) {
        const struct table *table;
        if (!work_table(&request->work, tables->members[i].name, &table, err))
            return false;
        for (uint32_t j = 0; j < tables->members[i].kept; j++, at++) {
            writes[at].table = table;
            if (!key_take(request, &writes[at], err))
                return false;
            if (is_twice(writes, at))
                return err_fail(err, ERR_VALIDATION,
                                "Provided list of item keys contains duplicates");
        }
    }
    return true;
}

static bool put_capacity(struct request *request, const struct write *writes, size_t count,
                         struct err *err)
{
    const struct value_node *tables = request_member(request, "RequestItems");
    struct buf *out = &request->reply;

    put_member(out, "ConsumedCapacity");
    buf_put_literal(out, "[");
    for (uint32_t i = 0; i < tables->kept; i++) {
        const struct table *table;
        if (!work_table(&request->work, tables->members[i].name, &table, err))
            return false;
        struct consumed consumed = consumed_of(tables->members[i].name, table, 1);
        for (size_t j = 0; j < count; j++)
            if (writes[j].table->number == table->number)
                consume_write(&consumed, &writes[j]);
        put_comma(out);
        put_consumed(request, &consumed);
    }
    buf_put_literal(out, "]");
    return true;
}

static bool batch_answer(void *context, const struct write *writes, size_t count, struct err *err)
{
    struct request *request = context;

    for (size_t i = 0; i < count; i++)
        if (!collection_check(&writes[i], err))
            return false;
    buf_put_literal(&request->reply, "{\"UnprocessedItems\":{}");
    put_collections_member(request, writes, count);
    if (capacity_wanted(request) && !put_capacity(request, writes, count, err))
        return false;
    buf_put_literal(&request->reply, "}");
    return true;
}

enum run op_batch_write_item(struct request *request, struct err *err)
{
    const struct value_node *tables = request_member(request, "RequestItems");
    struct write *writes = arena_zalloc(&request->arena, WRITES_MOST * sizeof *writes);
    size_t count = 0;

    if (tables->count == 0) {
        err_fail(err, ERR_VALIDATION, "The requestItems parameter is required for BatchWriteItem");
        return RUN_FAILED;
    }
    if (!writes_take(tables, writes, &count, err) || !tables_take(request, tables, writes, err))
        return RUN_FAILED;
    return table_write(&request->work, writes, count, batch_answer, request, err);
}
