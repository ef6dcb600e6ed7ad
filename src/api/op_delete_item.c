/* api/op_delete_item.c - DeleteItem: one item by its key; that there is none is no error. */
#include "api/consumed.h"
#include "api/expressions.h"

const struct field shape_delete_item[] = {
    OPTIONAL("ReturnConsumedCapacity", FIELD_ENUM(enum_consumed_capacity)),
    REQUIRED("TableName", FIELD_TABLE_NAME),
    OPTIONAL("ReturnValues", FIELD_RETURN_VALUES(0)),
    OPTIONAL("ReturnItemCollectionMetrics", FIELD_ENUM(enum_collection_metrics)),
    REQUIRED("Key", FIELD_ITEM),
    OPTIONAL("ConditionalOperator", FIELD_CONDITIONAL_OPERATOR(0)),
    OPTIONAL("Expected", FIELD_EXPECTED),
    OPTIONAL("ConditionExpression", FIELD_EXPRESSION(CONDITION)),
    OPTIONAL("ExpressionAttributeValues", FIELD_VALUES),
    OPTIONAL("ExpressionAttributeNames", FIELD_NAMES),
    OPTIONAL("ReturnValuesOnConditionCheckFailure", FIELD_ENUM(enum_on_check_failure)),
    SHAPE_END,
};

static bool delete_answer(void *context, const struct write *writes, size_t count, struct err *err)
{
    struct request *request = context;
    struct bytes old = writes[0].old;
    struct buf *out = &request->reply;

    (void)count;
    (void)err;
    buf_put_literal(out, "{");
    if (old.size > 0 && request_is(request, "ReturnValues", "ALL_OLD"))
        put_item_member(out, "Attributes", old);
    put_consumed_of_write(request, &writes[0]);
    put_collection_member(request, &writes[0]);
    buf_put_literal(out, "}");
    return true;
}

static bool delete_check(struct request *request, struct bytes *key, struct err *err)
{
    return expressions_check(request->input, ENVELOPE_OF_WRITES, &request->arena, err) &&
           (node_item(request_member(request, "Key"), key, err) ||
            in_envelope(ENVELOPE_OF_WRITES, err)) &&
           return_values_old(request, ENVELOPE_OF_WRITES, err);
}

enum run op_delete_item(struct request *request, struct err *err)
{
    struct write write = {.kind = WRITE_DELETE, .settle = settle_condition, .context = request};
    const struct expressions *expressions;
    struct bytes key;

    if (!delete_check(request, &key, err))
        return RUN_FAILED;
    expressions = request_expressions(request, ENVELOPE_OF_WRITES, err);
    if (expressions == NULL ||
        !work_table(&request->work, request_text(request, "TableName"), &write.table, err) ||
        !table_key(write.table, key, true, &request->arena, &write.key, err) ||
        !expressions_check_keys(expressions, write.table, err))
        return RUN_FAILED;
    return table_write(&request->work, &write, 1, delete_answer, request, err);
}
