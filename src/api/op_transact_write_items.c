/* api/op_transact_write_items.c - TransactWriteItems: up to 100 puts, updates, deletes and
 * condition checks in several tables, all or none. It is one table_write(): the locks of all keys
 * are held from the first read to the commit, so transactions and single writes happen one after
 * the other on each item, and all of it has one microsecond.
 *
 * The service cancels what meets another write of an item (TransactionConflict); here the one that
 * comes later waits. So a program sees the same outcomes but for that reason, and
 * TransactionInProgressException for a token that is in use, which it must be ready to see no more
 * often than never.
 *
 * Order of checks (dynamodb-conformance, validation-ordering/transactions and deepRequests, 2026):
 * constraints; then the actions in their order, each by itself, the first mistake of any kind;
 * whether there are the tables; keys that no item may have; one item twice. What is wrong with the
 * key of an action for its table, and what comes out only with the item at hand, cancels. */
#include "api/transaction.h"

#include "base/digest.h"
#include "table/index.h"

#define ACTION_MEMBERS                                                                             \
    OPTIONAL("ExpressionAttributeValues", FIELD_VALUES),                                           \
        OPTIONAL("ExpressionAttributeNames", FIELD_NAMES),                                         \
        OPTIONAL("ReturnValuesOnConditionCheckFailure", FIELD_ENUM(enum_on_check_failure)),        \
        SHAPE_END

static const struct field check_members[] = {
    REQUIRED("TableName", FIELD_TABLE_NAME),
    REQUIRED("Key", FIELD_ITEM),
    REQUIRED("ConditionExpression", FIELD_EXPRESSION(CONDITION)),
    ACTION_MEMBERS,
};
static const struct field delete_members[] = {
    REQUIRED("TableName", FIELD_TABLE_NAME),
    REQUIRED("Key", FIELD_ITEM),
    OPTIONAL("ConditionExpression", FIELD_EXPRESSION(CONDITION)),
    ACTION_MEMBERS,
};
static const struct field put_members[] = {
    REQUIRED("TableName", FIELD_TABLE_NAME),
    REQUIRED("Item", FIELD_ITEM),
    OPTIONAL("ConditionExpression", FIELD_EXPRESSION(CONDITION)),
    ACTION_MEMBERS,
};
static const struct field update_members[] = {
    REQUIRED("TableName", FIELD_TABLE_NAME),
    REQUIRED("Key", FIELD_ITEM),
    REQUIRED("UpdateExpression", FIELD_EXPRESSION(UPDATE)),
    OPTIONAL("ConditionExpression", FIELD_EXPRESSION(CONDITION)),
    ACTION_MEMBERS,
};

/* Which of its members an action has. */
enum action_kind { ACTION_CHECK, ACTION_DELETE, ACTION_PUT, ACTION_UPDATE, ACTION_KINDS };

static const struct field action_members[] = {
    [ACTION_CHECK] = OPTIONAL("ConditionCheck", FIELD_STRUCT("ConditionCheck", check_members)),
    [ACTION_DELETE] = OPTIONAL("Delete", FIELD_STRUCT("Delete", delete_members)),
    [ACTION_PUT] = OPTIONAL("Put", FIELD_STRUCT("Put", put_members)),
    [ACTION_UPDATE] = OPTIONAL("Update", FIELD_STRUCT("Update", update_members)),
    [ACTION_KINDS] = SHAPE_END,
};
static const struct field action_element =
    ELEMENT(FIELD_STRUCT("TransactWriteItem", action_members));

const struct field shape_transact_write_items[] = {
    OPTIONAL("ClientRequestToken", FIELD_STRING, LEAST(1), MOST(36)),
    OPTIONAL("ReturnConsumedCapacity", FIELD_ENUM(enum_consumed_capacity)),
    OPTIONAL("ReturnItemCollectionMetrics", FIELD_ENUM(enum_collection_metrics)),
    REQUIRED("TransactItems", FIELD_LIST(action_element), LEAST(1), MOST(ACTIONS_MOST)),
    SHAPE_END,
};

/* --- what was asked, once for all runs -------------------------------------------------------- */

struct action {
    enum action_kind kind;
    const struct value_node *node; /* its members */
    struct expressions expressions;
};

struct plan {
    uint32_t count;
    struct action *actions;
    struct action_item *items;
};

static bool action_find(const struct value_node *element, struct action *action, struct err *err)
{
    int found = 0;

    for (int kind = 0; kind < ACTION_KINDS; kind++)
        if (element->members[kind].present) {
            action->kind = (enum action_kind)kind;
            action->node = &element->members[kind];
            found++;
        }
    if (found == 0)
        return err_fail(err, ERR_VALIDATION,
                        "Invalid Request: TransactWriteRequest should contain Delete or Put or "
                        "Update request");
    return found == 1 || err_fail(err, ERR_VALIDATION,
                                  "TransactItems can only contain one of Check, Put, Update or "
                                  "Delete");
}

/* Placeholders beside no expression at all are not looked at, other than those of single writes
 * (ExtendDB, transact_write_items). */
static bool action_read(struct request *request, const struct value_node *element,
                        struct action *action, struct action_item *item, struct err *err)
{
    if (!action_find(element, action, err))
        return false;
    bool put = action->kind == ACTION_PUT;
    bool bare =
        action->kind != ACTION_UPDATE && node_member(action->node, "ConditionExpression") == NULL;
    action->expressions = (struct expressions){.condition = NULL};
    if (!bare && !expressions_compile(action->node, OLDER_WORDING, &request->arena,
                                      &action->expressions, err))
        return false;
    item->exact = !put;
    const struct value_node *node = node_member(action->node, put ? "Item" : "Key");
    return node_item_older(node, &item->item, err) &&
           (!put || node_item_to_put(node, &item->item, err));
}

/* What an action brings: its item or its key, and what an update writes. The items that it meets do
 * not count: 5 MB can be deleted (ScyllaDB, test_transact_write_items_delete_5MB). */
static uint64_t payload_of(const struct action *action, const struct action_item *item)
{
    const struct value_node *values = action->kind == ACTION_UPDATE
                                          ? node_member(action->node, "ExpressionAttributeValues")
                                          : NULL;

    return item_size(item->item) + (values != NULL ? item_size(values->item.packed) : 0);
}

/* Of the service's words "transaction payload" and "size cannot exceed" are known (ScyllaDB,
 * test_transact_write_items_put_5MB). */
static bool payload_check(uint64_t size, struct err *err)
{
    return size <= TRANSACTION_SIZE_MOST ||
           err_fail(err, ERR_VALIDATION, "Transaction payload size cannot exceed 4 MB");
}

static const struct plan *plan_make(struct request *request, struct err *err)
{
    const struct value_node *elements = request_member(request, "TransactItems");
    uint64_t size = 0;

    if (request->kept != NULL)
        return request->kept;
    struct plan *plan = arena_zalloc(&request->arena, sizeof *plan);
    plan->count = elements->kept;
    plan->actions = arena_zalloc(&request->arena, plan->count * sizeof *plan->actions);
    plan->items = arena_zalloc(&request->arena, plan->count * sizeof *plan->items);
    for (uint32_t i = 0; i < plan->count; i++) {
        if (!action_read(request, &elements->members[i], &plan->actions[i], &plan->items[i], err))
            return NULL;
        size += payload_of(&plan->actions[i], &plan->items[i]);
    }
    if (!payload_check(size, err))
        return NULL;
    request_keep(request, plan);
    return plan;
}

/* --- one run ---------------------------------------------------------------------------------- */

struct transaction {
    struct request *request;
    const struct plan *plan;
    struct write *writes;
    struct reason *reasons;
    struct token token; /* its name is empty: there is none */
    bool looked, replayed;
};

static bool is_replayed(struct transaction *transaction, struct err *err)
{
    if (transaction->token.name.size > 0 && !transaction->looked) {
        if (!token_look(&transaction->request->work, &transaction->token, &transaction->replayed,
                        err))
            return false;
        transaction->looked = true;
    }
    return true;
}

/* What this action alone makes of its item; false: it cannot be done, and why. */
static bool action_settle(struct write *write, const struct action *action, struct bytes item,
                          struct arena *arena, struct err *err)
{
    if (!expressions_hold(&action->expressions, write->old, err))
        return false;
    switch (action->kind) {
    case ACTION_PUT:
        write->kind = WRITE_PUT;
        write->item = item;
        return true;
    case ACTION_DELETE:
        write->kind = WRITE_DELETE;
        return true;
    case ACTION_UPDATE:
        return expressions_update(&action->expressions, item, write, arena, err) &&
               (write->kind != WRITE_PUT ||
                indexes_match_update(write->table, write->old, write->item, err));
    default:
        return true;
    }
}

static struct reason reason_of(struct request *request, const struct action *action,
                               struct bytes old, const struct err *err)
{
    const struct value_node *wanted =
        node_member(action->node, "ReturnValuesOnConditionCheckFailure");
    struct reason reason = reason_invalid(request, err);

    if (err->code != ERR_CONDITION_FAILED)
        return reason;
    reason.code = "ConditionalCheckFailed";
    if (wanted != NULL && bytes_equal(wanted->text, BYTES("ALL_OLD")))
        reason.item = old;
    return reason;
}

/* Fails only where the whole transaction does; what stands against one action is kept until all
 * were weighed. */
static bool transaction_settle(struct write *write, struct arena *arena, struct err *err)
{
    struct transaction *transaction = write->context;
    size_t at = (size_t)(write - transaction->writes);
    const struct action *action = &transaction->plan->actions[at];
    struct err inner;

    write->kind = WRITE_NOTHING;
    if (!is_replayed(transaction, err))
        return false;
    if (transaction->replayed)
        return true;
    if (action_settle(write, action, transaction->plan->items[at].item, arena, &inner))
        return action->kind != ACTION_UPDATE || write->kind != WRITE_PUT ||
               indexes_check_update(write->table, write->old, write->item, err);
    if (inner.code != ERR_CONDITION_FAILED && inner.code != ERR_VALIDATION) {
        *err = inner;
        return false;
    }
    transaction->reasons[at] = reason_of(transaction->request, action, write->old, &inner);
    write->kind = WRITE_NOTHING;
    return true;
}

static void collections_weigh(struct transaction *transaction, const struct write *writes,
                              size_t count)
{
    struct err inner;

    for (size_t i = 0; i < count; i++)
        if (transaction->reasons[i].code == NULL && !collection_check(&writes[i], &inner)) {
            transaction->reasons[i] = reason_invalid(transaction->request, &inner);
            transaction->reasons[i].code = "ItemCollectionSizeLimitExceeded";
        }
}

static bool transaction_answer(void *context, const struct write *writes, size_t count,
                               struct err *err)
{
    struct transaction *transaction = context;
    struct request *request = transaction->request;
    struct bytes names[ACTIONS_MOST];

    collections_weigh(transaction, writes, count);
    if (!reasons_none(request, transaction->reasons, count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        names[i] = node_member(transaction->plan->actions[i].node, "TableName")->text;
    buf_put_literal(&request->reply, "{");
    /* A request that was made before is paid for as reads of what it wrote (dynamodb-conformance,
     * transactWrite). */
    put_spent_member(request, writes, names, count,
                     transaction->replayed ? CONSUMED_READING : CONSUMED_WRITING);
    put_collections_member(request, writes, count);
    buf_put_literal(&request->reply, "}");
    if (transaction->token.name.size > 0 && !transaction->replayed)
        token_stage(&request->work, &transaction->token);
    return true;
}

static bool tables_take(struct transaction *transaction, struct err *err)
{
    const struct plan *plan = transaction->plan;

    for (uint32_t i = 0; i < plan->count; i++) {
        transaction->writes[i] = (struct write){
            .kind = WRITE_NOTHING, .settle = transaction_settle, .context = transaction};
        if (!work_table(&transaction->request->work,
                        node_member(plan->actions[i].node, "TableName")->text,
                        &transaction->writes[i].table, err))
            return false;
    }
    return true;
}

/* What stands against an action whatever the item before it. */
static bool action_matches(const struct action *action, const struct table *table,
                           struct bytes item, struct err *err)
{
    return (action->kind != ACTION_PUT || indexes_match_put(table, item, err)) &&
           expressions_check_keys(&action->expressions, table, err);
}

static bool keys_take(struct transaction *transaction, struct err *err)
{
    const struct plan *plan = transaction->plan;
    struct request *request = transaction->request;

    if (!actions_take_keys(request, transaction->writes, plan->items, plan->count,
                           transaction->reasons, err) ||
        !reasons_none(request, transaction->reasons, plan->count, err))
        return false;
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct action *action = &plan->actions[i];
        const struct table *table = transaction->writes[i].table;
        struct err inner;
        if (!action_matches(action, table, plan->items[i].item, &inner)) {
            transaction->reasons[i] = reason_invalid(request, &inner);
            break;
        }
        if (action->kind == ACTION_PUT && !indexes_check_put(table, plan->items[i].item, err))
            return false;
    }
    return reasons_none(request, transaction->reasons, plan->count, err);
}

static void token_take(struct transaction *transaction)
{
    struct request *request = transaction->request;

    transaction->token.name = request_text(request, "ClientRequestToken");
    if (transaction->token.name.size == 0)
        return;
    node_digest(request_member(request, "TransactItems"), &request->arena,
                transaction->token.request);
    request->work.lock_too = token_lock(transaction->token.name);
}

enum run op_transact_write_items(struct request *request, struct err *err)
{
    struct transaction *transaction = arena_zalloc(&request->arena, sizeof *transaction);
    const struct plan *plan = plan_make(request, err);

    if (plan == NULL)
        return RUN_FAILED;
    *transaction = (struct transaction){
        .request = request,
        .plan = plan,
        .writes = arena_zalloc(&request->arena, plan->count * sizeof *transaction->writes),
        .reasons = arena_zalloc(&request->arena, plan->count * sizeof *transaction->reasons),
    };
    if (!tables_take(transaction, err) || !keys_take(transaction, err))
        return RUN_FAILED;
    token_take(transaction);
    return table_write(&request->work, transaction->writes, plan->count, transaction_answer,
                       transaction, err);
}
