/* expr/key_condition.c - the service reads a key condition as any other condition and, once it has
 * read the other expressions of the request too, refuses all but ANDs of comparisons of one
 * attribute with values (dynalite, test/query.js; the words before some messages are newer:
 * ExtendDB, pull request 195, recorded 2026). How many there may be is a matter of the key, since
 * keys may have several attributes (dynamodb-conformance, query/multiAttributeGsiKey and
 * error-messages/queryKeyConditionOperands, recorded 2026-10). */
#include "expr/key_condition.h"

#include <assert.h>
#include <stdio.h>

#include "expr/syntax.h"

struct key_condition {
    const struct node *root; /* NULL: of KeyConditions */
    uint32_t count;          /* of all; those that no key has room for are not kept */
    struct key_asked asked[KEY_PARTS_MOST];
};

/* While it is read. */
struct reading {
    struct key_condition *out;
    struct err *err;
};

#define PREFIX "Invalid KeyConditionExpression: "

/* What is asked of an attribute; NULL: nothing. */
static const struct key_asked *asked_of(const struct key_condition *condition, struct bytes name)
{
    for (uint32_t i = 0; i < condition->count && i < KEY_PARTS_MOST; i++)
        if (bytes_equal(condition->asked[i].name, name))
            return &condition->asked[i];
    return NULL;
}

static bool fail_operator(struct reading *reading, struct bytes name)
{
    return err_fail(reading->err, ERR_VALIDATION,
                    "Invalid operator used in KeyConditionExpression: %.*s", BYTES_ARGS(name));
}

static bool fail_condition(struct reading *reading, const char *why)
{
    return err_fail(reading->err, ERR_VALIDATION, "Invalid condition in KeyConditionExpression: %s",
                    why);
}

/* The operators that no key takes. */
static bool check_operator(struct reading *reading, const struct node *node)
{
    switch (node->kind) {
    case NODE_OR:
        return fail_operator(reading, BYTES("OR"));
    case NODE_NOT:
        return fail_operator(reading, BYTES("NOT"));
    case NODE_IN:
        return fail_operator(reading, BYTES("IN"));
    case NODE_NE:
        return fail_operator(reading, BYTES("<>"));
    case NODE_CALL:
        return node->function == FUNCTION_BEGINS_WITH || fail_operator(reading, node->text);
    default:
        return true;
    }
}

static bool check_first(struct reading *reading, const struct node *node)
{
    if (node->operands[0]->kind == NODE_PATH)
        return true;
    if (node->kind == NODE_BETWEEN)
        return fail_condition(reading,
                              "BETWEEN operator must have the key attribute as its first operand");
    if (node->kind == NODE_CALL)
        return fail_condition(
            reading, "begins_with operator must have the key attribute as its first operand");
    return true;
}

/* One name, at its top, and values; `at`: where the name stands. */
static bool check_operands(struct reading *reading, const struct node *node, uint32_t *at)
{
    const struct node *name = NULL;

    for (uint32_t i = 0; i < node->count; i++) {
        const struct node *operand = node->operands[i];
        if (operand->kind == NODE_CALL)
            return err_fail(reading->err, ERR_VALIDATION,
                            PREFIX "KeyConditionExpressions cannot contain nested operations");
        if (operand->kind != NODE_PATH)
            continue;
        if (name != NULL)
            return fail_condition(reading, "Multiple attribute names used in one condition");
        if (operand->count > 1)
            return err_fail(reading->err, ERR_VALIDATION,
                            PREFIX
                            "KeyConditionExpressions cannot have conditions on nested attributes");
        name = operand;
        *at = i;
    }
    return name != NULL || fail_condition(reading, "No key attribute specified");
}

/* `swapped`: the value stands before the name. */
static enum key_test test_of(enum node_kind kind, bool swapped)
{
    switch (kind) {
    case NODE_EQ:
        return KEY_EQUAL;
    case NODE_LT:
        return swapped ? KEY_MORE : KEY_LESS;
    case NODE_LE:
        return swapped ? KEY_AT_LEAST : KEY_AT_MOST;
    case NODE_GT:
        return swapped ? KEY_LESS : KEY_MORE;
    case NODE_GE:
        return swapped ? KEY_AT_MOST : KEY_AT_LEAST;
    case NODE_BETWEEN:
        return KEY_BETWEEN;
    default:
        return KEY_BEGINS;
    }
}

static bool read_test(struct reading *reading, const struct node *node)
{
    struct key_condition *out = reading->out;
    uint32_t at = 0;

    if (!check_first(reading, node) || !check_operands(reading, node, &at))
        return false;
    struct bytes name = node->operands[at]->steps[0].name;
    if (asked_of(out, name) != NULL)
        return err_fail(reading->err, ERR_VALIDATION,
                        PREFIX "KeyConditionExpressions must only contain one condition per key");
    if (out->count++ >= KEY_PARTS_MOST)
        return true;
    struct key_asked *asked = &out->asked[out->count - 1];
    *asked = (struct key_asked){.name = name, .test = test_of(node->kind, at == 1)};
    for (uint32_t i = 0, to = 0; i < node->count; i++)
        if (i != at)
            asked->values[to++] = node->operands[i]->value;
    return true;
}

static bool read_tests(struct reading *reading, const struct node *node)
{
    if (node->kind == NODE_AND)
        return read_tests(reading, node->operands[0]) && read_tests(reading, node->operands[1]);
    return check_operator(reading, node) && read_test(reading, node);
}

bool key_condition_compile(struct scope *scope, struct bytes text, struct key_condition **out,
                           struct err *err)
{
    struct source source = {
        .label = "KeyConditionExpression", .text = text, .scope = scope, .err = err};
    struct node *root = parse_condition(&source);

    if (root == NULL || !check_condition(&source, root))
        return false;
    *out = arena_zalloc(scope->arena, sizeof **out);
    (*out)->root = root;
    return true;
}

bool key_condition_check(struct key_condition *condition, struct err *err)
{
    struct reading reading = {.out = condition, .err = err};

    if (condition->root == NULL)
        return true;
    condition->count = 0;
    return read_tests(&reading, condition->root);
}

/* KeyConditions are as old as keys of one or two attributes; whether the service takes more of them
 * for longer keys is not known. */
#define OLDER_MOST 2

bool key_condition_of(struct arena *arena, const struct key_asked *asked, uint32_t count,
                      struct key_condition **out, struct err *err)
{
    if (count < 1 || count > OLDER_MOST)
        return err_fail(err, ERR_VALIDATION, "Conditions can be of length 1 or 2 only");
    *out = arena_zalloc(arena, sizeof **out);
    (*out)->count = count;
    for (uint32_t i = 0; i < count; i++)
        (*out)->asked[i] = asked[i];
    return true;
}

/* ---- on a key ------------------------------------------------------------------------------- */

static bool fail_empty(const struct key_parts *key, const struct key_part *part, struct err *err)
{
    const char *kind = part->type == KEY_S ? "string" : "binary";

    if (key->index.size == 0)
        return err_fail(err, ERR_VALIDATION,
                        "One or more parameter values are not valid. The AttributeValue for a key "
                        "attribute cannot contain an empty %s value. Key: %.*s",
                        kind, BYTES_ARGS(part->name));
    return err_fail(err, ERR_VALIDATION,
                    "One or more parameter values are not valid. A value specified for a secondary "
                    "index key is not supported. The AttributeValue for a key attribute cannot "
                    "contain an empty %s value. IndexName: %.*s, IndexKey: %.*s",
                    kind, BYTES_ARGS(key->index), BYTES_ARGS(part->name));
}

static bool check_values(const struct key_asked *asked, const struct key_parts *key, uint32_t at,
                         struct err *err)
{
    const struct key_part *part = &key->parts[at];
    static const enum value_type types[] = {
        [KEY_S] = VALUE_S, [KEY_N] = VALUE_N, [KEY_B] = VALUE_B};

    for (int i = 0; i < 2 && asked->values[i] != NULL; i++) {
        const struct value *value = asked->values[i];
        if (value->type != types[part->type])
            return err_fail(err, ERR_VALIDATION,
                            "One or more parameter values were invalid: Condition parameter type "
                            "does not match schema type");
        if (value->content.size == 0)
            return fail_empty(key, part, err);
    }
    return true;
}

/* The names of the sort key's attributes before part `at` that are not compared with =. */
static bool fail_gap(const struct key_condition *condition, const struct key_parts *key,
                     uint32_t at, struct err *err)
{
    char names[ERR_MESSAGE_MOST];
    size_t size = 0;

    names[0] = '\0';
    for (uint32_t i = key->partition_count; i < at && size < sizeof names; i++) {
        const struct key_asked *asked = asked_of(condition, key->parts[i].name);
        if (asked != NULL && asked->test == KEY_EQUAL)
            continue;
        size += (size_t)snprintf(names + size, sizeof names - size, "%s%.*s", size > 0 ? ", " : "",
                                 BYTES_ARGS(key->parts[i].name));
    }
    return err_fail(err, ERR_VALIDATION,
                    "RANGE key attributes %s must have equality conditions specified in the query "
                    "because a condition is present on key attribute %.*s",
                    names, BYTES_ARGS(key->parts[at].name));
}

/* Part `at` has no condition: then those behind it must have none either. */
static bool match_nothing(const struct key_condition *condition, const struct key_parts *key,
                          uint32_t at, struct err *err)
{
    uint32_t matched = 0;

    for (uint32_t i = at + 1; at >= key->partition_count && i < key->count; i++)
        if (asked_of(condition, key->parts[i].name) != NULL)
            return fail_gap(condition, key, i, err);
    for (uint32_t i = 0; i < at; i++)
        matched += asked_of(condition, key->parts[i].name) != NULL;
    return (at >= key->partition_count && matched == condition->count) ||
           err_fail(err, ERR_VALIDATION, "Query condition missed key schema element: %.*s",
                    BYTES_ARGS(key->parts[at].name));
}

bool key_condition_match(const struct key_condition *condition, const struct key_parts *key,
                         uint32_t at, struct key_query *out, struct err *err)
{
    const struct key_asked *asked = asked_of(condition, key->parts[at].name);

    if (at == 0)
        *out = (struct key_query){.test = KEY_ANY};
    if (condition->count > key->count)
        return err_fail(err, ERR_VALIDATION,
                        "The number of query conditions (%u) exceeds the number of key attributes "
                        "defined in the schema (%u)",
                        condition->count, key->count);
    if (asked == NULL)
        return match_nothing(condition, key, at, err);
    if (asked->test == KEY_OTHER)
        return err_fail(err, ERR_VALIDATION,
                        "Attempted conditional constraint is not an indexable operation");
    if (!check_values(asked, key, at, err))
        return false;
    if (asked->test == KEY_EQUAL && out->test == KEY_ANY) {
        out->equal[out->equal_count++] = *asked->values[0];
        return true;
    }
    if (at < key->partition_count)
        return err_fail(err, ERR_VALIDATION, "Query key condition not supported");
    if (out->test != KEY_ANY)
        return fail_gap(condition, key, at, err);
    out->test = asked->test;
    out->low = *asked->values[0];
    if (asked->test == KEY_BETWEEN)
        out->high = *asked->values[1];
    return true;
}

bool key_query_takes(const struct key_query *query, uint32_t at, struct bytes content)
{
    if (at < query->equal_count)
        return bytes_equal(content, query->equal[at].content);
    if (at > query->equal_count || query->test == KEY_ANY)
        return true;
    if (query->test == KEY_BEGINS)
        return bytes_begin(content, query->low.content);
    int order = bytes_compare(content, query->low.content);
    switch (query->test) {
    case KEY_LESS:
        return order < 0;
    case KEY_AT_MOST:
        return order <= 0;
    case KEY_MORE:
        return order > 0;
    case KEY_AT_LEAST:
        return order >= 0;
    case KEY_BETWEEN:
        return order >= 0 && bytes_compare(content, query->high.content) <= 0;
    default:
        assert(false);
    }
}
