/* expr/charge.c - what the service counts of an UpdateExpression against the 400 KB of an item,
 * beside the finished item itself: not the item but the request, what it writes and a cost for each
 * part of it. So an update is refused that leaves a small item but carries much, and what it does
 * not touch is free.
 *
 * All costs were measured on the service to the byte (dynamodb-conformance, limits/
 * itemSizeBySurface, recorded 2026-10). 22 of its 33 regions count so; the others, AttributeUpdates
 * and updates in transactions go by the finished item alone. */
#include "expr/syntax.h"

#define UPDATE_COST  3
#define WRITE_COST   19 /* of SET and ADD */
#define REMOVAL_COST 1  /* of REMOVE and DELETE; nothing that is removed counts */
#define STEP_COST    4  /* of each step of a path that is written to, but the first */

#define OPERAND_COST       1 /* of a path that is read, whatever it finds */
#define OPERAND_STEP_COST  14
#define PLUS_COST          34
#define MINUS_COST         37
#define LIST_APPEND_COST   37
#define IF_NOT_EXISTS_COST 39

static uint64_t cost_of_path(const struct node *path, uint64_t step_cost)
{
    uint64_t cost = 0;

    for (uint32_t i = 0; i < path->count; i++)
        cost += step_cost + path->steps[i].name.size;
    return cost;
}

static uint64_t cost_of_target(const struct node *path)
{
    return cost_of_path(path, STEP_COST) - STEP_COST;
}

static uint64_t cost_of_operator(const struct node *node)
{
    if (node->kind == NODE_CALL)
        return node->function == FUNCTION_LIST_APPEND ? LIST_APPEND_COST : IF_NOT_EXISTS_COST;
    return node->kind == NODE_PLUS ? PLUS_COST : MINUS_COST;
}

/* Recursion: as deep as an expression, which the parser bounds. */
static uint64_t cost_of_operand(const struct node *node)
{
    if (node->kind == NODE_VALUE)
        return value_size(node->value);
    if (node->kind == NODE_PATH)
        return OPERAND_COST + cost_of_path(node, OPERAND_STEP_COST);
    uint64_t cost = cost_of_operator(node);
    for (uint32_t i = 0; i < node->count; i++)
        cost += cost_of_operand(node->operands[i]);
    return cost;
}

uint64_t charge_of(const struct action *actions, uint32_t count)
{
    uint64_t charge = UPDATE_COST;

    for (uint32_t i = 0; i < count; i++) {
        const struct action *action = &actions[i];
        charge += cost_of_target(action->path);
        if (action->kind == ACTION_SET || action->kind == ACTION_ADD)
            charge += WRITE_COST + cost_of_operand(action->operand);
        else
            charge += REMOVAL_COST;
    }
    return charge;
}
