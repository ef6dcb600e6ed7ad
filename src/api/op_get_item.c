/* api/op_get_item.c - GetItem: one item by its key, as of the last commit. ConsistentRead changes
 * only what it costs: every read here is consistent. */
#include "api/consumed.h"
#include "api/expressions.h"

const struct field shape_get_item[] = {
    OPTIONAL("ReturnConsumedCapacity", FIELD_ENUM(enum_consumed_capacity)),
    OPTIONAL("AttributesToGet", FIELD_ATTRIBUTES_TO_GET),
    REQUIRED("TableName", FIELD_TABLE_NAME),
    REQUIRED("Key", FIELD_ITEM),
    OPTIONAL("ConsistentRead", FIELD_BOOLEAN),
    OPTIONAL("ProjectionExpression", FIELD_EXPRESSION(PROJECTION)),
    OPTIONAL("ExpressionAttributeNames", FIELD_NAMES),
    SHAPE_END,
};

static void get_answer(struct request *request, const struct table *table,
                       const struct expressions *expressions, struct bytes item, bool found)
{
    struct consumed consumed = consumed_of(request_text(request, "TableName"), table, 1);
    struct buf *out = &request->reply;

    buf_put_literal(out, "{");
    if (found) {
        put_member(out, "Item");
        expressions_put_item(expressions, item, &request->arena, out);
    }
    consumed.halves =
        capacity_of_read(found ? item_size(item) : 0, request_flag(request, "ConsistentRead"));
    put_consumed_member(request, &consumed);
    buf_put_literal(out, "}");
}

enum run op_get_item(struct request *request, struct err *err)
{
    const struct expressions *expressions;
    const struct table *table;
    struct bytes key_item, key, item;
    struct engine_value pin;
    bool found;

    if (!expressions_check(request->input, ENVELOPE_NONE, &request->arena, err) ||
        !node_item(request_member(request, "Key"), &key_item, err))
        return RUN_FAILED;
    expressions = request_expressions(request, ENVELOPE_NONE, err);
    if (expressions == NULL ||
        !work_table(&request->work, request_text(request, "TableName"), &table, err) ||
        !table_key(table, key_item, true, &request->arena, &key, err) ||
        !expressions_check_keys(expressions, table, err) ||
        !table_get(&request->work, table, key, &pin, &item, &found, err))
        return RUN_FAILED;
    get_answer(request, table, expressions, item, found);
    if (found)
        engine_value_release(&pin);
    return RUN_DONE;
}
