/* api/op_query.c - Query: a page of the items of one partition key, in the order of their sort keys
 * or against it.
 *
 * What is wrong is told in this order (dynalite's tests against the service): constraints, styles
 * that are mixed, QueryFilter, names twice in AttributesToGet, values of the starting key,
 * expressions, the condition on the key, Select, whether there are the table and the index; then
 * for each attribute of the key what the starting key and the condition say of it; the rest of the
 * starting key, and whether it is one that the condition allows; paths into keys that are chosen,
 * keys in the filter, what of the filter the index does not project (DynamoDB Local has it here),
 * ALL_ATTRIBUTES of a global index, what is chosen beyond it, and paths into keys in the filter. */
#include "api/page.h"

/* ReturnConsumedCapacity and Select are told alone, in this order (ExtendDB, measured in us-east-1,
 * 2026-08-24), Limit in the newer form (dynamodb-conformance). */
const struct field shape_query[] = {
    OPTIONAL("ReturnConsumedCapacity", FIELD_ENUM(enum_consumed_capacity), TRAITS(FIELD_ALONE)),
    OPTIONAL("Select", FIELD_ENUM(enum_select), TRAITS(FIELD_ALONE)),
    OPTIONAL("IndexName", FIELD_INDEX_NAME),
    OPTIONAL("QueryFilter", FIELD_CONDITIONS(OLD_FILTER)),
    REQUIRED("TableName", FIELD_TABLE_NAME),
    OPTIONAL("ConditionalOperator",
             FIELD_CONDITIONAL_OPERATOR(FIELD_VALUE_FIRST | FIELD_VALUE_BARE)),
    OPTIONAL("AttributesToGet", FIELD_ATTRIBUTES_TO_GET),
    OPTIONAL("Limit", FIELD_INTEGER, LEAST(1), TRAITS(FIELD_NEWER_FORM)),
    OPTIONAL("KeyConditions", FIELD_CONDITIONS(KEY_CONDITIONS)),
    OPTIONAL("ExclusiveStartKey", FIELD_ITEM),
    OPTIONAL("ConsistentRead", FIELD_BOOLEAN),
    OPTIONAL("ScanIndexForward", FIELD_BOOLEAN),
    OPTIONAL("KeyConditionExpression", FIELD_EXPRESSION(KEY_CONDITION)),
    OPTIONAL("FilterExpression", FIELD_EXPRESSION(FILTER)),
    OPTIONAL("ProjectionExpression", FIELD_EXPRESSION(PROJECTION)),
    OPTIONAL("ExpressionAttributeValues", FIELD_VALUES),
    OPTIONAL("ExpressionAttributeNames", FIELD_NAMES),
    SHAPE_END,
};

static bool is_asked(const struct request *request, struct err *err)
{
    return request_member(request, "KeyConditionExpression") != NULL ||
           request_member(request, "KeyConditions") != NULL ||
           err_fail(err, ERR_VALIDATION,
                    "Either the KeyConditions or KeyConditionExpression parameter must be "
                    "specified in the request.");
}

/* All that does not depend on the table; NULL: see `err`. */
static const struct expressions *query_read(struct request *request, struct err *err)
{
    if (!expressions_check(request->input, ENVELOPE_NONE, &request->arena, err) ||
        !page_check_older(request, "QueryFilter", err) || !page_check_start(request, err) ||
        !is_asked(request, err))
        return NULL;
    return request_expressions(request, ENVELOPE_NONE, err);
}

/* --- KeyConditions ---------------------------------------------------------------------------- */

static enum key_test test_of(enum comparison_kind kind)
{
    switch (kind) {
    case COMPARISON_EQ:
        return KEY_EQUAL;
    case COMPARISON_LE:
        return KEY_AT_MOST;
    case COMPARISON_LT:
        return KEY_LESS;
    case COMPARISON_GE:
        return KEY_AT_LEAST;
    case COMPARISON_GT:
        return KEY_MORE;
    case COMPARISON_BEGINS_WITH:
        return KEY_BEGINS;
    case COMPARISON_BETWEEN:
        return KEY_BETWEEN;
    default:
        return KEY_OTHER;
    }
}

static bool older_condition(const struct value_node *node, struct arena *arena,
                            struct key_condition **out, struct err *err)
{
    struct key_asked *asked = arena_zalloc(arena, node->kept * sizeof *asked);
    struct comparison *all;

    if (!conditions_take(node, arena, &all, err))
        return false;
    for (uint32_t i = 0; i < node->kept; i++) {
        asked[i].name = all[i].name;
        asked[i].test = test_of(all[i].kind);
        for (uint32_t j = 0; j < 2 && j < all[i].count; j++)
            asked[i].values[j] = &all[i].values[j];
    }
    return key_condition_of(arena, asked, node->kept, out, err);
}

/* In either style. */
static bool condition_take(struct request *request, const struct expressions *expressions,
                           struct key_condition **out, struct err *err)
{
    const struct value_node *older = request_member(request, "KeyConditions");

    if (older != NULL)
        return older_condition(older, &request->arena, out, err);
    *out = expressions->key_condition;
    return key_condition_check(*out, err);
}

/* --- the key ---------------------------------------------------------------------------------- */

static struct key_parts parts_of(const struct target *target)
{
    struct key_parts key = {.partition_count = target->partition_count, .count = target->key_count};

    if (target->index != NULL)
        key.index = target->index->name;
    for (uint32_t i = 0; i < target->key_count; i++)
        key.parts[i] = (struct key_part){target->keys[i].name, target->keys[i].type};
    return key;
}

/* What the condition and the starting key say of the key, attribute by attribute. */
static bool key_match(const struct request *request, const struct target *target,
                      const struct key_condition *condition, struct key_query *query,
                      struct err *err)
{
    struct key_parts key = parts_of(target);

    if (!start_check_count(request, target, err))
        return false;
    for (uint32_t i = 0; i < key.count; i++)
        if (!start_check_part(request, target, i, err) ||
            !key_condition_match(condition, &key, i, query, err))
            return false;
    return true;
}

/* Whether parts `from` up to `to` of the starting key are what the condition asks for. */
static bool start_matches(const struct target *target, struct bytes start,
                          const struct key_query *query, uint32_t from, uint32_t to)
{
    struct value value;

    for (uint32_t i = from; i < to; i++)
        if (!item_find(start, target->keys[i].name, &value) ||
            !key_query_takes(query, i, value.content))
            return false;
    return true;
}

/* Whether the page may begin behind the starting key. */
static bool start_allowed(const struct request *request, const struct target *target,
                          const struct key_query *query, struct err *err)
{
    const struct value_node *node = request_member(request, "ExclusiveStartKey");
    uint32_t partition = target->partition_count;

    if (node == NULL)
        return true;
    bool same = start_matches(target, node->item.packed, query, 0, partition);
    if (query->equal_count == partition && query->test == KEY_ANY)
        return same || err_fail(err, ERR_VALIDATION,
                                "The provided starting key is outside query boundaries based on "
                                "provided conditions");
    if (!start_matches(target, node->item.packed, query, partition, target->key_count))
        return err_fail(err, ERR_VALIDATION,
                        "The provided starting key does not match the range key predicate");
    return same || err_fail(err, ERR_VALIDATION,
                            "The query can return at most one row and cannot be restarted");
}

/* No attribute of the key that is queried: they belong into the condition. */
static bool filter_valid(const struct request *request, const struct expressions *expressions,
                         const struct target *target, struct err *err)
{
    bool older = request_member(request, "QueryFilter") != NULL;
    struct bytes names[INDEX_KEYS_MOST];

    for (uint32_t i = 0; i < target->key_count; i++)
        names[i] = target->keys[i].name;
    return expressions->filter == NULL ||
           condition_check_filter(expressions->filter, older ? "QueryFilter" : "Filter Expression",
                                  names, target->key_count, err);
}

static bool query_take(struct request *request, const struct expressions *expressions,
                       const struct key_condition *condition, const struct target *target,
                       struct table_query *query, struct key_query *key, struct err *err)
{
    return key_match(request, target, condition, key, err) &&
           start_take(request, target, &query->from, err) &&
           start_allowed(request, target, key, err) &&
           expressions_check_keys(expressions, target->table, err) &&
           filter_valid(request, expressions, target, err) &&
           target_check_filter(request, target, expressions, err) &&
           target_check_select(request, target, err) &&
           target_check_projection(request, target, expressions, err) &&
           expressions_check_filter(expressions, target->table, err);
}

enum run op_query(struct request *request, struct err *err)
{
    const struct expressions *expressions = query_read(request, err);
    struct key_condition *condition;
    struct target target;
    struct key_query key;
    struct page page;
    struct table_query query = {.query = &key,
                                .backward = request_integer(request, "ScanIndexForward", 1) == 0,
                                .visit = page_visit,
                                .context = &page};

    if (expressions == NULL || !condition_take(request, expressions, &condition, err) ||
        !page_check_select(request, ENVELOPE_OF_WRITES, err) ||
        !target_find(request, &target, err) ||
        !query_take(request, expressions, condition, &target, &query, &key, err))
        return RUN_FAILED;
    query.table = target.table;
    query.index = target.index;
    page_begin(&page, request, &target, expressions, err);
    return page_end(&page, table_query(&request->work, &query, err));
}
