/* api/op_transact_get_items.c - TransactGetItems: up to 100 items of several tables as of one
 * instant. It waits for no write and cancels for none, where the service cancels with
 * TransactionConflict what meets a write of one of its items: here it sees all of a transaction or
 * nothing of it. The order of checks is that of TransactWriteItems. */
#include "api/transaction.h"

static const struct field get_members[] = {
    REQUIRED("TableName", FIELD_TABLE_NAME),
    REQUIRED("Key", FIELD_ITEM),
    OPTIONAL("ProjectionExpression", FIELD_EXPRESSION(PROJECTION)),
    OPTIONAL("ExpressionAttributeNames", FIELD_NAMES),
    SHAPE_END,
};
static const struct field item_members[] = {
    REQUIRED("Get", FIELD_STRUCT("Get", get_members)),
    SHAPE_END,
};
static const struct field item_element = ELEMENT(FIELD_STRUCT("TransactGetItem", item_members));

const struct field shape_transact_get_items[] = {
    OPTIONAL("ReturnConsumedCapacity", FIELD_ENUM(enum_consumed_capacity)),
    REQUIRED("TransactItems", FIELD_LIST(item_element), LEAST(1), MOST(ACTIONS_MOST)),
    SHAPE_END,
};

struct gets {
    struct request *request;
    uint32_t count;
    const struct value_node **nodes; /* the members of each */
    struct expressions *expressions;
    struct action_item *keys;
    struct write *reads;
    struct reason *reasons;
    uint64_t size; /* of the items so far */
};

/* No recording was found of the service's words; these are its documentation's. */
static bool get_settle(struct write *read, struct arena *arena, struct err *err)
{
    struct gets *gets = read->context;

    (void)arena;
    if (read->old.size > 0)
        gets->size += item_size(read->old);
    return gets->size <= TRANSACTION_SIZE_MOST ||
           err_fail(err, ERR_VALIDATION,
                    "The aggregate size of the items in the transaction cannot exceed 4 MB");
}

static void put_response(struct request *request, struct bytes item,
                         const struct expressions *expressions)
{
    struct buf *out = &request->reply;

    put_comma(out);
    buf_put_literal(out, "{");
    if (item.size > 0) {
        put_member(out, "Item");
        expressions_put_item(expressions, item, &request->arena, out);
    }
    buf_put_literal(out, "}");
}

static bool gets_answer(void *context, const struct write *reads, size_t count, struct err *err)
{
    struct gets *gets = context;
    struct buf *out = &gets->request->reply;
    struct bytes names[ACTIONS_MOST];

    (void)err;
    buf_put_literal(out, "{\"Responses\":[");
    for (size_t i = 0; i < count; i++) {
        put_response(gets->request, reads[i].old, &gets->expressions[i]);
        names[i] = node_member(gets->nodes[i], "TableName")->text;
    }
    buf_put_literal(out, "]");
    put_spent_member(gets->request, reads, names, count, CONSUMED_READING);
    buf_put_literal(out, "}");
    return true;
}

/* Each by itself, in their order. Names beside no projection are not looked at (ExtendDB,
 * test_transact_expression_validation). */
static bool gets_read(struct gets *gets, const struct value_node *elements, struct err *err)
{
    for (uint32_t i = 0; i < gets->count; i++) {
        gets->nodes[i] = node_member(&elements->members[i], "Get");
        gets->keys[i].exact = true;
        if ((node_member(gets->nodes[i], "ProjectionExpression") != NULL &&
             !expressions_compile(gets->nodes[i], OLDER_WORDING, &gets->request->arena,
                                  &gets->expressions[i], err)) ||
            !node_item_older(node_member(gets->nodes[i], "Key"), &gets->keys[i].item, err))
            return false;
    }
    return true;
}

static bool gets_find(struct gets *gets, struct err *err)
{
    for (uint32_t i = 0; i < gets->count; i++) {
        gets->reads[i] =
            (struct write){.kind = WRITE_NOTHING, .settle = get_settle, .context = gets};
        if (!work_table(&gets->request->work, node_member(gets->nodes[i], "TableName")->text,
                        &gets->reads[i].table, err))
            return false;
    }
    if (!actions_take_keys(gets->request, gets->reads, gets->keys, gets->count, gets->reasons,
                           err) ||
        !reasons_none(gets->request, gets->reasons, gets->count, err))
        return false;
    for (uint32_t i = 0; i < gets->count; i++) {
        struct err inner;
        if (!expressions_check_keys(&gets->expressions[i], gets->reads[i].table, &inner)) {
            gets->reasons[i] = reason_invalid(gets->request, &inner);
            break;
        }
    }
    return reasons_none(gets->request, gets->reasons, gets->count, err);
}

enum run op_transact_get_items(struct request *request, struct err *err)
{
    const struct value_node *elements = request_member(request, "TransactItems");
    struct arena *arena = &request->arena;
    struct gets *gets = arena_zalloc(arena, sizeof *gets);

    *gets = (struct gets){.request = request, .count = elements->kept};
    gets->nodes = arena_zalloc(arena, gets->count * sizeof *gets->nodes);
    gets->expressions = arena_zalloc(arena, gets->count * sizeof *gets->expressions);
    gets->keys = arena_zalloc(arena, gets->count * sizeof *gets->keys);
    gets->reads = arena_zalloc(arena, gets->count * sizeof *gets->reads);
    gets->reasons = arena_zalloc(arena, gets->count * sizeof *gets->reasons);
    if (!gets_read(gets, elements, err) || !gets_find(gets, err))
        return RUN_FAILED;
    return table_read(&request->work, gets->reads, gets->count, gets_answer, gets, err);
}
