/* api/op_update_item.c - UpdateItem: makes an item out of the one before, or out of its key.
 *
 * What is wrong is told in this order (dynalite's updateItem tests against the service):
 * constraints, the styles of parameters, the key's values, the expressions, whether there is the
 * table, the key, updates of key attributes, what the update counts for (expr/charge.c), the
 * condition, what the update cannot do to the item, and what the result cannot be for an index. An
 * update that leaves the item as it was is a write like any other. */
#include "api/consumed.h"
#include "api/expressions.h"

#include "table/index.h"

const struct field shape_update_item[] = {
    OPTIONAL("ReturnConsumedCapacity", FIELD_ENUM(enum_consumed_capacity)),
    REQUIRED("TableName", FIELD_TABLE_NAME),
    OPTIONAL("ReturnItemCollectionMetrics", FIELD_ENUM(enum_collection_metrics)),
    OPTIONAL("ReturnValues", FIELD_RETURN_VALUES(FIELD_VALUE_FIRST)),
    OPTIONAL("ConditionalOperator", FIELD_CONDITIONAL_OPERATOR(FIELD_VALUE_FIRST)),
    REQUIRED("Key", FIELD_ITEM),
    OPTIONAL("Expected", FIELD_EXPECTED),
    OPTIONAL("AttributeUpdates", FIELD_ATTRIBUTE_UPDATES),
    OPTIONAL("ConditionExpression", FIELD_EXPRESSION(CONDITION)),
    OPTIONAL("UpdateExpression", FIELD_EXPRESSION(UPDATE)),
    OPTIONAL("ExpressionAttributeValues", FIELD_VALUES),
    OPTIONAL("ExpressionAttributeNames", FIELD_NAMES),
    OPTIONAL("ReturnValuesOnConditionCheckFailure", FIELD_ENUM(enum_on_check_failure)),
    SHAPE_END,
};

static bool update_settle(struct write *write, struct arena *arena, struct err *err)
{
    struct request *request = write->context;

    return settle_condition(write, arena, err) &&
           expressions_update(request->kept, request_member(request, "Key")->item.packed, write,
                              arena, err) &&
           (write->kind != WRITE_PUT ||
            (indexes_match_update(write->table, write->old, write->item, err) &&
             indexes_check_update(write->table, write->old, write->item, err)));
}

/* What the update wrote to, in an item. */
static struct bytes updated_part(struct request *request, struct bytes item)
{
    const struct expressions *expressions = request->kept;

    if (expressions->update == NULL)
        return BYTES_NONE;
    return projection_apply(update_paths(expressions->update), item, &request->arena);
}

/* The service shows no Attributes rather than none of them. */
static void put_attributes(struct buf *out, struct bytes item)
{
    struct item_walk walk;
    struct bytes name;
    struct value value;

    if (item.size == 0)
        return;
    walk = item_walk(item);
    if (item_next(&walk, &name, &value))
        put_item_member(out, "Attributes", item);
}

static void put_return_values(struct request *request, struct bytes old, struct bytes new)
{
    struct buf *out = &request->reply;

    if (request_is(request, "ReturnValues", "ALL_OLD"))
        put_attributes(out, old);
    else if (request_is(request, "ReturnValues", "ALL_NEW"))
        put_attributes(out, new);
    else if (request_is(request, "ReturnValues", "UPDATED_OLD") && old.size > 0)
        put_attributes(out, updated_part(request, old));
    else if (request_is(request, "ReturnValues", "UPDATED_NEW") && new.size > 0)
        put_attributes(out, updated_part(request, new));
}

static bool update_answer(void *context, const struct write *writes, size_t count, struct err *err)
{
    struct request *request = context;
    struct bytes old = writes[0].old;
    struct bytes new = writes[0].kind == WRITE_PUT ? writes[0].item : BYTES_NONE;

    (void)count;
    if (!collection_check(&writes[0], err))
        return false;
    buf_put_literal(&request->reply, "{");
    put_return_values(request, old, new);
    put_consumed_of_write(request, &writes[0]);
    put_collection_member(request, &writes[0]);
    buf_put_literal(&request->reply, "}");
    return true;
}

enum run op_update_item(struct request *request, struct err *err)
{
    struct write write = {.settle = update_settle, .context = request};
    const struct expressions *expressions;
    struct bytes key;

    if (!expressions_check(request->input, ENVELOPE_OF_WRITES, &request->arena, err) ||
        (!node_item(request_member(request, "Key"), &key, err) &&
         !in_envelope(ENVELOPE_OF_WRITES, err)))
        return RUN_FAILED;
    expressions = request_expressions(request, ENVELOPE_OF_WRITES, err);
    if (expressions == NULL ||
        !work_table(&request->work, request_text(request, "TableName"), &write.table, err) ||
        !table_key(write.table, key, true, &request->arena, &write.key, err) ||
        !expressions_check_keys(expressions, write.table, err) ||
        (expressions->update != NULL && !update_check_charge(expressions->update, err)))
        return RUN_FAILED;
    return table_write(&request->work, &write, 1, update_answer, request, err);
}
