/* api/op_put_item.c - PutItem: replaces or makes one item.
 *
 * What is wrong is told in this order (dynalite's putItem tests against the service): constraints,
 * the styles of parameters, the item's values, ReturnValues, its size, the expressions, whether
 * there is the table, its key, the keys of indexes, and at last the condition. What needs no table
 * is told in the envelope of constraints (dynamodb-conformance, 2026). */
#include "api/consumed.h"
#include "api/expressions.h"

#include "table/index.h"

const struct field shape_put_item[] = {
    OPTIONAL("ReturnConsumedCapacity", FIELD_ENUM(enum_consumed_capacity)),
    REQUIRED("TableName", FIELD_TABLE_NAME),
    REQUIRED("Item", FIELD_ITEM),
    OPTIONAL("ConditionalOperator", FIELD_CONDITIONAL_OPERATOR(0)),
    OPTIONAL("Expected", FIELD_EXPECTED),
    OPTIONAL("ReturnValues", FIELD_RETURN_VALUES(0)),
    OPTIONAL("ReturnItemCollectionMetrics", FIELD_ENUM(enum_collection_metrics)),
    OPTIONAL("ConditionExpression", FIELD_EXPRESSION(CONDITION)),
    OPTIONAL("ExpressionAttributeValues", FIELD_VALUES),
    OPTIONAL("ExpressionAttributeNames", FIELD_NAMES),
    OPTIONAL("ReturnValuesOnConditionCheckFailure", FIELD_ENUM(enum_on_check_failure)),
    SHAPE_END,
};

static bool put_answer(void *context, const struct write *writes, size_t count, struct err *err)
{
    struct request *request = context;
    struct bytes old = writes[0].old;
    struct buf *out = &request->reply;

    (void)count;
    if (!collection_check(&writes[0], err))
        return false;
    buf_put_literal(out, "{");
    if (old.size > 0 && request_is(request, "ReturnValues", "ALL_OLD"))
        put_item_member(out, "Attributes", old);
    put_consumed_of_write(request, &writes[0]);
    put_collection_member(request, &writes[0]);
    buf_put_literal(out, "}");
    return true;
}

static bool put_check(struct request *request, struct bytes *item, struct err *err)
{
    const struct value_node *node = request_member(request, "Item");

    return expressions_check(request->input, ENVELOPE_OF_WRITES, &request->arena, err) &&
           (node_item(node, item, err) || in_envelope(ENVELOPE_OF_WRITES, err)) &&
           return_values_old(request, ENVELOPE_OF_WRITES, err) && node_item_to_put(node, item, err);
}

enum run op_put_item(struct request *request, struct err *err)
{
    struct write write = {.kind = WRITE_PUT, .settle = settle_condition, .context = request};
    const struct expressions *expressions;

    if (!put_check(request, &write.item, err))
        return RUN_FAILED;
    expressions = request_expressions(request, ENVELOPE_OF_WRITES, err);
    if (expressions == NULL ||
        !work_table(&request->work, request_text(request, "TableName"), &write.table, err) ||
        !table_key(write.table, write.item, false, &request->arena, &write.key, err) ||
        !indexes_match_put(write.table, write.item, err) ||
        !indexes_check_put(write.table, write.item, err) ||
        !expressions_check_keys(expressions, write.table, err))
        return RUN_FAILED;
    return table_write(&request->work, &write, 1, put_answer, request, err);
}
