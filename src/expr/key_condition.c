/* expr/key_condition.c - the service reads a key condition as any other condition and, once it has
 * read the other expressions of the request too, refuses all but ANDs of comparisons of one
 * attribute with values (dynalite, test/query.js; the words before some messages are newer:
 * ExtendDB, pull request 195, recorded 2026). */
#include "expr/key_condition.h"

#include <assert.h>

#include "expr/syntax.h"

#define ASKED_MOST 2 /* "Conditions can be of length 1 or 2 only" */

struct key_condition {
    const struct node *root; /* NULL: of KeyConditions */
    uint32_t count;
    struct key_asked asked[ASKED_MOST];
};

/* While it is read: every condition is seen before too many are refused. */
struct reading {
    struct key_condition *out;
    uint32_t count;
    struct err *err;
};

#define PREFIX "Invalid KeyConditionExpression: "

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
    for (uint32_t i = 0; i < out->count; i++)
        if (bytes_equal(out->asked[i].name, name))
            return err_fail(reading->err, ERR_VALIDATION,
                            PREFIX
                            "KeyConditionExpressions must only contain one condition per key");
    reading->count++;
    if (out->count == ASKED_MOST)
        return true;
    struct key_asked *asked = &out->asked[out->count++];
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

static bool fail_count(struct err *err)
{
    return err_fail(err, ERR_VALIDATION, "Conditions can be of length 1 or 2 only");
}

bool key_condition_check(struct key_condition *condition, struct err *err)
{
    struct reading reading = {.out = condition, .err = err};

    if (condition->root == NULL)
        return true;
    condition->count = 0;
    return read_tests(&reading, condition->root) &&
           (reading.count <= ASKED_MOST || fail_count(err));
}

bool key_condition_of(struct arena *arena, const struct key_asked *asked, uint32_t count,
                      struct key_condition **out, struct err *err)
{
    if (count < 1 || count > ASKED_MOST)
        return fail_count(err);
    *out = arena_zalloc(arena, sizeof **out);
    (*out)->count = count;
    for (uint32_t i = 0; i < count; i++)
        (*out)->asked[i] = asked[i];
    return true;
}

/* ---- on a key ------------------------------------------------------------------------------- */

static const struct key_asked *asked_of(const struct key_condition *condition, struct bytes name)
{
    for (uint32_t i = 0; i < condition->count; i++)
        if (bytes_equal(condition->asked[i].name, name))
            return &condition->asked[i];
    return NULL;
}

static bool check_values(const struct key_asked *asked, const struct key_part *part,
                         struct err *err)
{
    static const enum value_type types[] = {
        [KEY_S] = VALUE_S, [KEY_N] = VALUE_N, [KEY_B] = VALUE_B};

    for (int i = 0; i < 2 && asked->values[i] != NULL; i++) {
        const struct value *value = asked->values[i];
        if (value->type != types[part->type])
            return err_fail(err, ERR_VALIDATION,
                            "One or more parameter values were invalid: Condition parameter type "
                            "does not match schema type");
        if (value->content.size == 0)
            return err_fail(err, ERR_VALIDATION,
                            "One or more parameter values are not valid. The AttributeValue for a "
                            "key attribute cannot contain an empty %s value. Key: %.*s",
                            part->type == KEY_S ? "string" : "binary", BYTES_ARGS(part->name));
    }
    return true;
}

static bool fail_unsupported(struct err *err)
{
    return err_fail(err, ERR_VALIDATION, "Query key condition not supported");
}

bool key_condition_match(const struct key_condition *condition, const struct key_part *parts,
                         uint32_t count, uint32_t at, struct key_query *out, struct err *err)
{
    const struct key_asked *asked = asked_of(condition, parts[at].name);

    if (count == 1 && condition->count > 1)
        return fail_unsupported(err);
    if (at > 0)
        out->test = KEY_ANY;
    if (asked == NULL && at > 0 && condition->count == 1)
        return true;
    if (asked == NULL)
        return err_fail(err, ERR_VALIDATION, "Query condition missed key schema element: %.*s",
                        BYTES_ARGS(parts[at].name));
    if (asked->test == KEY_OTHER)
        return err_fail(err, ERR_VALIDATION,
                        "Attempted conditional constraint is not an indexable operation");
    if (!check_values(asked, &parts[at], err))
        return false;
    if (at == 0) {
        *out = (struct key_query){.partition = *asked->values[0], .test = KEY_ANY};
        return asked->test == KEY_EQUAL || fail_unsupported(err);
    }
    out->test = asked->test;
    out->low = *asked->values[0];
    if (asked->test == KEY_BETWEEN)
        out->high = *asked->values[1];
    return true;
}

bool key_query_takes(const struct key_query *query, struct bytes sort)
{
    if (query->test == KEY_ANY)
        return true;
    if (query->test == KEY_BEGINS)
        return bytes_begin(sort, query->low.content);
    int order = bytes_compare(sort, query->low.content);
    switch (query->test) {
    case KEY_EQUAL:
        return order == 0;
    case KEY_LESS:
        return order < 0;
    case KEY_AT_MOST:
        return order <= 0;
    case KEY_MORE:
        return order > 0;
    case KEY_AT_LEAST:
        return order >= 0;
    case KEY_BETWEEN:
        return order >= 0 && bytes_compare(sort, query->high.content) <= 0;
    default:
        assert(false);
    }
}
