/* expr/condition.c - weighing conditions. Nothing is decoded: equal values have equal bytes, and
 * those of text, data and numbers compare as the values do (item/number.h). An operand that is not
 * there makes every condition false but <> and attribute_not_exists(). */
#include "expr/condition.h"

#include <assert.h>

#include "expr/syntax.h"
#include "item/number.h"

struct condition {
    struct node *root;
    uint64_t work;
};

bool condition_compile(struct scope *scope, const char *label, struct bytes text,
                       struct condition **out, struct err *err)
{
    struct source source = {.label = label, .text = text, .scope = scope, .err = err};
    struct node *root = parse_condition(&source);

    if (root == NULL || !check_condition(&source, root))
        return false;
    *out = condition_of(scope->arena, root);
    return true;
}

static bool is_leaf(const struct node *node)
{
    return node->kind == NODE_PATH || node->kind == NODE_VALUE;
}

static uint64_t work_of(const struct node *node)
{
    bool searches = node->kind == NODE_CALL && node->function == FUNCTION_CONTAINS &&
                    node->operands[0]->kind == NODE_VALUE;
    uint64_t work = searches ? node->operands[0]->value->encoded.size : 0;

    for (uint32_t i = 0; !is_leaf(node) && i < node->count; i++)
        work += work_of(node->operands[i]);
    return work;
}

struct condition *condition_of(struct arena *arena, struct node *root)
{
    struct condition *condition = arena_alloc(arena, sizeof *condition);

    *condition = (struct condition){.root = root, .work = work_of(root)};
    return condition;
}

uint64_t condition_work(const struct condition *condition)
{
    return condition->work;
}

bool condition_check_keys(const struct condition *condition, const char *kind,
                          const struct bytes *keys, uint32_t count, struct err *err)
{
    return refuse_key_path(find_path(condition->root, keys, count, true), kind, err);
}

bool condition_check_filter(const struct condition *condition, const char *label,
                            const struct bytes *keys, uint32_t count, struct err *err)
{
    const struct node *path = find_path(condition->root, keys, count, false);

    if (path == NULL)
        return true;
    return err_fail(err, ERR_VALIDATION,
                    "%s can only contain non-primary key attributes: Primary key attribute: %.*s",
                    label, BYTES_ARGS(path->steps[0].name));
}

uint32_t condition_names(const struct condition *condition, struct arena *arena,
                         struct bytes **names)
{
    *names = arena_alloc(arena, count_paths(condition->root) * sizeof **names);
    return collect_names(condition->root, *names, 0);
}

/* ---- operands ------------------------------------------------------------------------------- */

/* A value, with room for one that is in no item. */
struct operand {
    struct value value;
    struct number number;
};

static bool operand_get(const struct node *node, struct bytes item, struct operand *out);

/* size() of what has one: bytes of text and data (the developer guide speaks of the length of text
 * and of bytes of data), members of the rest. */
static bool size_get(const struct node *call, struct bytes item, struct operand *out)
{
    struct operand of;

    if (!operand_get(call->operands[0], item, &of))
        return false;
    switch (of.value.type) {
    case VALUE_S:
    case VALUE_B:
        number_of_integer((int64_t)of.value.content.size, &out->number);
        break;
    case VALUE_N:
    case VALUE_BOOL:
    case VALUE_NULL:
        return false;
    default:
        number_of_integer(of.value.count, &out->number);
    }
    out->value = (struct value){.type = VALUE_N, .content = number_bytes(&out->number)};
    return true;
}

static bool operand_get(const struct node *node, struct bytes item, struct operand *out)
{
    switch (node->kind) {
    case NODE_PATH:
        return path_find(node, node->count, item, &out->value);
    case NODE_VALUE:
        out->value = *node->value;
        return true;
    case NODE_CALL:
        return size_get(node, item, out);
    default:
        assert(false);
    }
}

/* Whether two values have an order, and which. */
static bool order_get(const struct value *one, const struct value *other, int *order)
{
    if (one->type != other->type ||
        (one->type != VALUE_S && one->type != VALUE_N && one->type != VALUE_B))
        return false;
    *order = bytes_compare(one->content, other->content);
    return true;
}

/* ---- conditions ----------------------------------------------------------------------------- */

static bool comparison_holds(const struct node *node, struct bytes item)
{
    struct operand one, other;
    int order;
    bool both =
        operand_get(node->operands[0], item, &one) && operand_get(node->operands[1], item, &other);

    if (node->kind == NODE_EQ)
        return both && value_same(&one.value, &other.value);
    if (node->kind == NODE_NE)
        return !both || !value_same(&one.value, &other.value);
    if (!both || !order_get(&one.value, &other.value, &order))
        return false;
    switch (node->kind) {
    case NODE_LT:
        return order < 0;
    case NODE_LE:
        return order <= 0;
    case NODE_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

static bool between_holds(const struct node *node, struct bytes item)
{
    struct operand one, low, high;
    int above, below;

    return operand_get(node->operands[0], item, &one) &&
           operand_get(node->operands[1], item, &low) &&
           operand_get(node->operands[2], item, &high) &&
           order_get(&one.value, &low.value, &above) &&
           order_get(&one.value, &high.value, &below) && above >= 0 && below <= 0;
}

static bool in_holds(const struct node *node, struct bytes item)
{
    struct operand one, other;

    if (!operand_get(node->operands[0], item, &one))
        return false;
    for (uint32_t i = 1; i < node->count; i++)
        if (operand_get(node->operands[i], item, &other) && value_same(&one.value, &other.value))
            return true;
    return false;
}

static bool has_member(const struct value *whole, const struct value *part)
{
    struct item_walk walk = value_walk(whole);
    struct value member;

    while (value_next(&walk, &member))
        if (value_same(&member, part))
            return true;
    return false;
}

/* A piece of text or data, a member of a set, an element of a list (ScyllaDB,
 * test_update_condition_contains). */
static bool value_contains(const struct value *whole, const struct value *part)
{
    switch (whole->type) {
    case VALUE_S:
    case VALUE_B:
        return part->type == whole->type &&
               (part->content.size == 0 || memmem(whole->content.data, whole->content.size,
                                                  part->content.data, part->content.size) != NULL);
    case VALUE_SS:
    case VALUE_NS:
    case VALUE_BS:
    case VALUE_L:
        return has_member(whole, part);
    default:
        return false;
    }
}

static bool call_holds(const struct node *call, struct bytes item)
{
    struct operand one, other;
    bool found = operand_get(call->operands[0], item, &one);

    if (call->function == FUNCTION_ATTRIBUTE_EXISTS)
        return found;
    if (call->function == FUNCTION_ATTRIBUTE_NOT_EXISTS)
        return !found;
    if (!found || !operand_get(call->operands[1], item, &other))
        return false;
    switch (call->function) {
    case FUNCTION_ATTRIBUTE_TYPE:
        return bytes_equal(other.value.content, bytes_of_text(type_name(one.value.type)));
    case FUNCTION_BEGINS_WITH:
        return one.value.type == other.value.type &&
               (one.value.type == VALUE_S || one.value.type == VALUE_B) &&
               bytes_begin(one.value.content, other.value.content);
    case FUNCTION_CONTAINS:
        return value_contains(&one.value, &other.value);
    default:
        assert(false);
    }
}

static bool node_holds(const struct node *node, struct bytes item)
{
    switch (node->kind) {
    case NODE_OR:
        return node_holds(node->operands[0], item) || node_holds(node->operands[1], item);
    case NODE_AND:
        return node_holds(node->operands[0], item) && node_holds(node->operands[1], item);
    case NODE_NOT:
        return !node_holds(node->operands[0], item);
    case NODE_BETWEEN:
        return between_holds(node, item);
    case NODE_IN:
        return in_holds(node, item);
    case NODE_CALL:
        return call_holds(node, item);
    default:
        return comparison_holds(node, item);
    }
}

bool condition_holds(const struct condition *condition, struct bytes item)
{
    return node_holds(condition->root, item);
}
