/* api/op_query.c - Query: a page of the items of one partition key, in the order of their sort keys
 * or against it.
 *
 * What is wrong is told in this order (dynalite's tests against the service): constraints, styles
 * that are mixed, QueryFilter, names twice in AttributesToGet, values of the starting key,
 * expressions, the condition on the key, Select, whether there are the table and the index; then
 * for the partition key and after it for the sort key what the starting key and the condition say
 * of it; whether the starting key is one that the condition allows; paths into keys, and keys in
 * the filter. */
#include "api/page.h"

#define BAD_START "The provided starting key is invalid"

/* ReturnConsumedCapacity and Select are told alone, in this order (ExtendDB, measured in us-east-1,
 * 2026-08-24), Limit in the newer form (dynamodb-conformance). */
const struct field shape_query[] = {
    OPTIONAL("ReturnConsumedCapacity", FIELD_ENUM(enum_consumed_capacity), TRAITS(FIELD_ALONE)),
    OPTIONAL("Select", FIELD_ENUM(enum_select), TRAITS(FIELD_ALONE)),
    OPTIONAL("IndexName", FIELD_STRING, PATTERN(pattern_name), LEAST(3), MOST(255)),
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

static uint32_t attribute_count(struct bytes item)
{
    struct item_walk walk = item_walk(item);
    struct bytes name;
    struct value value;
    uint32_t count = 0;

    while (item_next(&walk, &name, &value))
        count++;
    return count;
}

static bool start_part_valid(const struct table *table, const struct value_node *start,
                             uint32_t part, struct err *err)
{
    struct value value;

    if (start == NULL)
        return true;
    if (!item_find(start->item.packed, table->keys[part].name, &value))
        return err_fail(err, ERR_VALIDATION, BAD_START);
    return table_key_part(table, start->item.packed, part, err);
}

/* What the condition and the starting key say of the table's key. */
static bool key_match(const struct request *request, const struct table *table,
                      const struct key_condition *condition, struct key_query *query,
                      struct err *err)
{
    const struct value_node *start = request_member(request, "ExclusiveStartKey");
    struct key_part parts[2];

    if (start != NULL && attribute_count(start->item.packed) != table->key_count)
        return err_fail(err, ERR_VALIDATION, BAD_START);
    for (uint32_t i = 0; i < table->key_count; i++)
        parts[i] = (struct key_part){table->keys[i].name, table->keys[i].type};
    for (uint32_t i = 0; i < table->key_count; i++)
        if (!start_part_valid(table, start, i, err) ||
            !key_condition_match(condition, parts, table->key_count, i, query, err))
            return false;
    return true;
}

/* Whether the page may begin behind the starting key. */
static bool start_allowed(const struct request *request, const struct table *table,
                          const struct key_query *query, struct err *err)
{
    const struct value_node *start = request_member(request, "ExclusiveStartKey");
    struct value partition, sort;

    if (start == NULL)
        return true;
    item_find(start->item.packed, table->keys[0].name, &partition);
    bool same = bytes_equal(partition.content, query->partition.content);
    if (query->test == KEY_ANY)
        return same || err_fail(err, ERR_VALIDATION,
                                "The provided starting key is outside query boundaries based on "
                                "provided conditions");
    item_find(start->item.packed, table->keys[1].name, &sort);
    if (!key_query_takes(query, sort.content))
        return err_fail(err, ERR_VALIDATION,
                        "The provided starting key does not match the range key predicate");
    return same || err_fail(err, ERR_VALIDATION,
                            "The query can return at most one row and cannot be restarted");
}

static bool filter_valid(const struct request *request, const struct expressions *expressions,
                         const struct table *table, struct err *err)
{
    bool older = request_member(request, "QueryFilter") != NULL;
    struct bytes names[2];
    uint32_t count = key_names(table, names);

    return expressions->filter == NULL ||
           condition_check_filter(expressions->filter, older ? "QueryFilter" : "Filter Expression",
                                  names, count, err);
}

static bool query_take(struct request *request, const struct expressions *expressions,
                       const struct key_condition *condition, struct table_query *query,
                       struct key_query *key, struct err *err)
{
    const struct table *table = query->table;

    return key_match(request, table, condition, key, err) &&
           start_allowed(request, table, key, err) &&
           page_start(request, table, &query->from, err) &&
           expressions_check_keys(expressions, table, err) &&
           filter_valid(request, expressions, table, err);
}

enum run op_query(struct request *request, struct err *err)
{
    const struct expressions *expressions = query_read(request, err);
    struct key_condition *condition;
    struct key_query key;
    struct page page;
    struct table_query query = {.query = &key,
                                .backward = request_integer(request, "ScanIndexForward", 1) == 0,
                                .visit = page_visit,
                                .context = &page};

    if (expressions == NULL || !condition_take(request, expressions, &condition, err) ||
        !page_check_select(request, ENVELOPE_OF_WRITES, err) ||
        !page_table(request, &query.table, err) ||
        !query_take(request, expressions, condition, &query, &key, err))
        return RUN_FAILED;
    page_begin(&page, request, query.table, expressions);
    if (table_query(&request->work, &query, err) == SCAN_FAILED)
        return RUN_FAILED;
    page_end(&page);
    return RUN_DONE;
}
