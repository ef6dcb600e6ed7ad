/* expr/legacy.c - builds the trees that the parser would have made of the same conditions and
 * updates. Only NOT_CONTAINS has no word in expressions: it is false of an attribute that is not
 * there (ScyllaDB, test_update_expected_1_not_contains, ran on the service).
 *
 * Messages: dynalite, validations/index.js and updateItem.js with their tests. */
#include "expr/legacy.h"

#include <assert.h>

#include "expr/syntax.h"

#define INVALID "One or more parameter values were invalid: "

#define TYPE(type) (1u << VALUE_##type)
#define ORDERED    (TYPE(S) | TYPE(N) | TYPE(B))
#define SETS       (TYPE(SS) | TYPE(NS) | TYPE(BS))
#define ANY        UINT32_MAX

static const struct {
    struct bytes name;
    uint32_t least, most; /* values */
    uint32_t types;       /* of the values */
    enum node_kind node;
    enum function function;
} kinds[COMPARISONS] = {
    [COMPARISON_EQ] = {BYTES_INIT("EQ"), 1, 1, ANY, NODE_EQ},
    [COMPARISON_NE] = {BYTES_INIT("NE"), 1, 1, ANY, NODE_NE},
    [COMPARISON_LE] = {BYTES_INIT("LE"), 1, 1, ORDERED, NODE_LE},
    [COMPARISON_LT] = {BYTES_INIT("LT"), 1, 1, ORDERED, NODE_LT},
    [COMPARISON_GE] = {BYTES_INIT("GE"), 1, 1, ORDERED, NODE_GE},
    [COMPARISON_GT] = {BYTES_INIT("GT"), 1, 1, ORDERED, NODE_GT},
    [COMPARISON_NOT_NULL] = {BYTES_INIT("NOT_NULL"), 0, 0, ANY, NODE_CALL,
                             FUNCTION_ATTRIBUTE_EXISTS},
    [COMPARISON_NULL] = {BYTES_INIT("NULL"), 0, 0, ANY, NODE_CALL, FUNCTION_ATTRIBUTE_NOT_EXISTS},
    [COMPARISON_CONTAINS] = {BYTES_INIT("CONTAINS"), 1, 1, ORDERED, NODE_CALL, FUNCTION_CONTAINS},
    [COMPARISON_NOT_CONTAINS] = {BYTES_INIT("NOT_CONTAINS"), 1, 1, ORDERED, NODE_CALL,
                                 FUNCTION_CONTAINS},
    [COMPARISON_BEGINS_WITH] = {BYTES_INIT("BEGINS_WITH"), 1, 1, TYPE(S) | TYPE(B), NODE_CALL,
                                FUNCTION_BEGINS_WITH},
    [COMPARISON_IN] = {BYTES_INIT("IN"), 1, ANY, ORDERED, NODE_IN},
    [COMPARISON_BETWEEN] = {BYTES_INIT("BETWEEN"), 2, 2, ORDERED, NODE_BETWEEN},
};

enum comparison_kind comparison_named(struct bytes name)
{
    int kind = 0;

    while (kind < COMPARISONS && !bytes_equal(kinds[kind].name, name))
        kind++;
    assert(kind < COMPARISONS);
    return (enum comparison_kind)kind;
}

static bool check_types(const struct comparison *comparison, struct err *err)
{
    const struct value *values = comparison->values;

    for (uint32_t i = 1; i < comparison->count; i++)
        if (values[i].type != values[0].type)
            return err_fail(err, ERR_VALIDATION,
                            INVALID "AttributeValues inside AttributeValueList must be of same "
                                    "type");
    if (comparison->count > 0 && (kinds[comparison->kind].types & 1u << values[0].type) == 0)
        return err_fail(err, ERR_VALIDATION,
                        INVALID "ComparisonOperator %.*s is not valid for %s AttributeValue type",
                        BYTES_ARGS(kinds[comparison->kind].name), type_name(values[0].type));
    return true;
}

bool comparison_check(const struct comparison *comparison, struct err *err)
{
    uint32_t count = comparison->count;

    if (count < kinds[comparison->kind].least || count > kinds[comparison->kind].most)
        return err_fail(err, ERR_VALIDATION,
                        INVALID "Invalid number of argument(s) for the %.*s ComparisonOperator",
                        BYTES_ARGS(kinds[comparison->kind].name));
    if (!check_types(comparison, err))
        return false;
    if (comparison->kind == COMPARISON_BETWEEN &&
        bytes_compare(comparison->values[0].content, comparison->values[1].content) > 0)
        return err_fail(err, ERR_VALIDATION,
                        "The BETWEEN condition was provided a range where the lower bound is "
                        "greater than the upper bound");
    return true;
}

/* ---- conditions ----------------------------------------------------------------------------- */

static struct node *node_of(struct arena *arena, enum node_kind kind, enum function function,
                            uint32_t count)
{
    struct node *node = arena_alloc(arena, sizeof *node);

    *node = (struct node){.kind = kind, .function = function, .count = count};
    node->operands = arena_alloc(arena, count * sizeof *node->operands);
    return node;
}

static struct node *value_node(struct arena *arena, const struct value *value)
{
    struct node *node = arena_alloc(arena, sizeof *node);

    *node = (struct node){.kind = NODE_VALUE};
    node->value = value;
    return node;
}

static struct node *pair_of(struct arena *arena, enum node_kind kind, struct node *one,
                            struct node *other)
{
    struct node *node = node_of(arena, kind, FUNCTION_UNKNOWN, 2);

    node->operands[0] = one;
    node->operands[1] = other;
    return node;
}

static struct node *comparison_node(struct arena *arena, const struct comparison *comparison)
{
    struct node *node = node_of(arena, kinds[comparison->kind].node,
                                kinds[comparison->kind].function, 1 + comparison->count);

    node->operands[0] = path_of_name(arena, comparison->name);
    for (uint32_t i = 0; i < comparison->count; i++)
        node->operands[1 + i] = value_node(arena, &comparison->values[i]);
    if (comparison->kind != COMPARISON_NOT_CONTAINS)
        return node;
    struct node *not = node_of(arena, NODE_NOT, FUNCTION_UNKNOWN, 1);
    not ->operands[0] = node;
    struct node *exists = node_of(arena, NODE_CALL, FUNCTION_ATTRIBUTE_EXISTS, 1);
    exists->operands[0] = node->operands[0];
    return pair_of(arena, NODE_AND, exists, not );
}

struct condition *condition_of_comparisons(struct arena *arena, const struct comparison *all,
                                           uint32_t count, bool any)
{
    struct node *root = NULL;

    assert(count > 0);
    for (uint32_t i = 0; i < count; i++) {
        struct node *node = comparison_node(arena, &all[i]);
        root = root == NULL ? node : pair_of(arena, any ? NODE_OR : NODE_AND, root, node);
    }
    return condition_of(arena, root);
}

/* ---- updates -------------------------------------------------------------------------------- */

bool assignment_check(const struct assignment *assignment, struct err *err)
{
    const struct value *value = assignment->value;
    const char *kind =
        assignment->kind == ASSIGNMENT_ADD ? "ADD action" : "DELETE action with value";
    uint32_t types = assignment->kind == ASSIGNMENT_ADD ? SETS | TYPE(N) | TYPE(L) : SETS;

    if (value == NULL)
        return assignment->kind == ASSIGNMENT_DELETE ||
               err_fail(err, ERR_VALIDATION,
                        INVALID "Only DELETE action is allowed when no attribute value is "
                                "specified");
    return assignment->kind == ASSIGNMENT_PUT || (types & 1u << value->type) != 0 ||
           err_fail(err, ERR_VALIDATION, INVALID "%s is not supported for the type %s", kind,
                    type_name(value->type));
}

struct update *update_of_assignments(struct arena *arena, const struct assignment *all,
                                     uint32_t count)
{
    struct action *actions = arena_alloc(arena, count * sizeof *actions);

    for (uint32_t i = 0; i < count; i++) {
        const struct value *value = all[i].value;
        actions[i] = (struct action){
            .kind = all[i].kind == ASSIGNMENT_ADD   ? ACTION_ADD
                    : all[i].kind == ASSIGNMENT_PUT ? ACTION_SET
                    : value == NULL                 ? ACTION_REMOVE
                                                    : ACTION_DELETE,
            .path = path_of_name(arena, all[i].name),
            .operand = value != NULL ? value_node(arena, value) : NULL,
        };
    }
    return update_of(arena, actions, count);
}
