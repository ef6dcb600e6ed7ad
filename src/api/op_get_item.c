/* api/op_get_item.c - GetItem: one item by its key, as of the last commit. ConsistentRead changes
 * only what it costs: every read here is consistent. */
#include "api/api.h"

const struct field shape_get_item[] = {
    OPTIONAL("ReturnConsumedCapacity", FIELD_ENUM(enum_consumed_capacity)),
    OPTIONAL("AttributesToGet", FIELD_UNSUPPORTED),
    REQUIRED("TableName", FIELD_TABLE_NAME),
    REQUIRED("Key", FIELD_ITEM),
    OPTIONAL("ConsistentRead", FIELD_BOOLEAN),
    OPTIONAL("ProjectionExpression", FIELD_UNSUPPORTED),
    OPTIONAL("ExpressionAttributeNames", FIELD_UNSUPPORTED),
    SHAPE_END,
};

static void get_answer(struct request *request, struct bytes item, bool found)
{
    struct buf *out = &request->reply;

    buf_put_literal(out, "{");
    if (found)
        put_item_member(out, "Item", item);
    put_capacity_member(
        request, request_text(request, "TableName"),
        capacity_of_read(found ? item_size(item) : 0, request_flag(request, "ConsistentRead")));
    buf_put_literal(out, "}");
}

enum run op_get_item(struct request *request, struct err *err)
{
    const struct table *table;
    struct bytes key_item, key, item;
    struct engine_value pin;
    bool found;

    if (!node_item(request_member(request, "Key"), &key_item, err) ||
        !work_table(&request->work, request_text(request, "TableName"), &table, err) ||
        !table_key(table, key_item, true, &request->arena, &key, err) ||
        !table_get(&request->work, table, key, &pin, &item, &found, err))
        return RUN_FAILED;
    get_answer(request, item, found);
    if (found)
        engine_value_release(&pin);
    return RUN_DONE;
}
