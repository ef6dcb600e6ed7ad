/* expr/check.c - the rules of expressions beyond their grammar, in the order in which the service
 * tells mistakes. It walks a tree twice: first for what the text alone shows, in reading order
 * (reserved words, indexes, functions and their places); then for what the placeholders show, from
 * the leaves up (undefined ones, operands and their types). Of an update, overlapping paths come in
 * between, and its actions are looked at from the last to the first.
 *
 * Sources: dynalite's tests, which ran on the service (test/putItem.js, updateItem.js, query.js);
 * ScyllaDB's (test/alternator, also on the service); for the order of mistakes, which few of these
 * show, answers of DynamoDB Local 3.3 to some thousand requests, in so far as the former do not
 * contradict them. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "expr/syntax.h"
#include "item/number.h"
#include "json/writer.h"

#define TYPES_ALL (-1) /* of what only an item can tell */

static const struct {
    struct bytes name;
    uint32_t operands;
} functions[] = {
    [FUNCTION_ATTRIBUTE_EXISTS] = {BYTES_INIT("attribute_exists"), 1},
    [FUNCTION_ATTRIBUTE_NOT_EXISTS] = {BYTES_INIT("attribute_not_exists"), 1},
    [FUNCTION_ATTRIBUTE_TYPE] = {BYTES_INIT("attribute_type"), 2},
    [FUNCTION_BEGINS_WITH] = {BYTES_INIT("begins_with"), 2},
    [FUNCTION_CONTAINS] = {BYTES_INIT("contains"), 2},
    [FUNCTION_SIZE] = {BYTES_INIT("size"), 1},
    [FUNCTION_IF_NOT_EXISTS] = {BYTES_INIT("if_not_exists"), 2},
    [FUNCTION_LIST_APPEND] = {BYTES_INIT("list_append"), 2},
};

#define FUNCTIONS (sizeof functions / sizeof *functions)

enum function function_named(struct bytes word)
{
    for (size_t i = FUNCTION_UNKNOWN + 1; i < FUNCTIONS; i++)
        if (bytes_equal(functions[i].name, word))
            return (enum function)i;
    return FUNCTION_UNKNOWN;
}

const char *type_name(enum value_type type)
{
    static const char *const names[] = {
        [VALUE_S] = "S",       [VALUE_N] = "N",   [VALUE_B] = "B",   [VALUE_BOOL] = "BOOL",
        [VALUE_NULL] = "NULL", [VALUE_SS] = "SS", [VALUE_NS] = "NS", [VALUE_BS] = "BS",
        [VALUE_L] = "L",       [VALUE_M] = "M",
    };

    return names[type];
}

bool source_fail(const struct source *source, const char *format, ...)
{
    char text[ERR_MESSAGE_MOST];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return err_fail(source->err, ERR_VALIDATION, "Invalid %s: %s", source->label, text);
}

/* ---- what the text shows -------------------------------------------------------------------- */

/* Where in a tree a node stands. */
enum place {
    PLACE_CONDITION, /* where a truth is wanted */
    PLACE_OPERAND,   /* where a value is */
    PLACE_ARGUMENT,  /* of a function */
};

static bool check_steps(struct source *source, const struct node *path)
{
    for (uint32_t i = 0; i < path->count; i++) {
        const struct step *step = &path->steps[i];
        if (step->kind == STEP_INDEX) {
            if (step->index == UINT32_MAX)
                return source_fail(source,
                                   "List index is not within the allowable range; index: [%.*s]",
                                   BYTES_ARGS(step->name));
        } else if (!step->alias && word_reserved(step->name)) {
            return source_fail(source,
                               "Attribute name is a reserved keyword; reserved keyword: %.*s",
                               BYTES_ARGS(step->name));
        }
    }
    return true;
}

static bool check_count(struct source *source, const struct node *call)
{
    if (call->count == functions[call->function].operands)
        return true;
    return source_fail(source,
                       "Incorrect number of operands for operator or function; operator or "
                       "function: %.*s, number of operands: %u",
                       BYTES_ARGS(call->text), call->count);
}

static bool misplaced(struct source *source, const char *how, const struct node *call)
{
    return source_fail(source, "The function is not allowed %s; function: %.*s", how,
                       BYTES_ARGS(call->text));
}

#define THIS_WAY "to be used this way in an expression"

/* size() is an operand, the other functions of conditions are conditions. In an update
 * list_append() may not stand inside another function (ScyllaDB,
 * test_update_expression_function_nesting). */
static bool check_place(struct source *source, const struct node *call, enum place place,
                        bool update)
{
    if (call->function == FUNCTION_UNKNOWN)
        return source_fail(source, "Invalid function name; function: %.*s", BYTES_ARGS(call->text));
    if (update) {
        if (call->function < FUNCTION_IF_NOT_EXISTS)
            return misplaced(source, "in an update expression", call);
        if (call->function == FUNCTION_LIST_APPEND && place == PLACE_ARGUMENT)
            return misplaced(source, THIS_WAY, call);
        return true;
    }
    if (call->function >= FUNCTION_IF_NOT_EXISTS)
        return misplaced(source, "in a condition expression", call);
    if ((place == PLACE_CONDITION) == (call->function == FUNCTION_SIZE))
        return misplaced(source, THIS_WAY, call);
    return check_count(source, call);
}

static bool check_text(struct source *source, const struct node *node, enum place place,
                       bool update)
{
    enum place below = PLACE_OPERAND;

    switch (node->kind) {
    case NODE_PATH:
        return check_steps(source, node);
    case NODE_VALUE:
        return true;
    case NODE_CALL:
        if (!check_place(source, node, place, update))
            return false;
        below = PLACE_ARGUMENT;
        break;
    case NODE_OR:
    case NODE_AND:
    case NODE_NOT:
        below = PLACE_CONDITION;
        break;
    default:
        break;
    }
    for (uint32_t i = 0; i < node->count; i++)
        if (!check_text(source, node->operands[i], below, update))
            return false;
    return true;
}

/* The service stops counting at the first operator too many. */
static bool check_operators(struct source *source)
{
    if (source->operators <= OPERATORS_MOST)
        return true;
    return source_fail(source, "The expression contains too many operators; operator count: %d",
                       OPERATORS_MOST + 1);
}

/* ---- what the placeholders show ------------------------------------------------------------- */

static bool fail_name(struct source *source, struct bytes key)
{
    return source_fail(source,
                       "An expression attribute name used in the document path is not defined; "
                       "attribute name: %.*s",
                       BYTES_ARGS(key));
}

static bool bind_path(struct source *source, struct node *path)
{
    for (uint32_t i = 0; i < path->count; i++) {
        struct step *step = &path->steps[i];
        if (!step->alias)
            continue;
        const struct bytes *name = scope_use_name(source->scope, step->name);
        if (name == NULL)
            return fail_name(source, step->name);
        step->name = *name;
        step->alias = false;
    }
    if (path->count > PATH_MOST)
        return source_fail(source,
                           "The document path has too many nesting levels; nesting levels: %u",
                           path->count);
    return true;
}

static bool bind_value(struct source *source, struct node *node)
{
    const struct value *value = scope_use_value(source->scope, node->text);

    if (value == NULL)
        return source_fail(source,
                           "An expression attribute value used in expression is not defined; "
                           "attribute value: %.*s",
                           BYTES_ARGS(node->text));
    node->value = value;
    return true;
}

/* What an operand is whatever the item: a value's type, a number for size(), or TYPES_ALL. */
static int static_type(const struct node *node)
{
    if (node->kind == NODE_VALUE)
        return (int)node->value->type;
    if (node->kind == NODE_CALL && node->function == FUNCTION_SIZE)
        return VALUE_N;
    return TYPES_ALL;
}

#define TYPE(type) (1u << VALUE_##type)
#define ORDERED    (TYPE(S) | TYPE(N) | TYPE(B))
#define SETS       (TYPE(SS) | TYPE(NS) | TYPE(BS))

static bool fail_type(struct source *source, const char *name, const char *type)
{
    return source_fail(source,
                       "Incorrect operand type for operator or function; operator or function: "
                       "%s, operand type: %s",
                       name, type);
}

/* Operands must be of one of `types`, in so far as it shows. */
static bool check_types(struct source *source, const struct node *node, const char *name,
                        unsigned types)
{
    for (uint32_t i = 0; i < node->count; i++) {
        int type = static_type(node->operands[i]);
        if (type != TYPES_ALL && (types & 1u << type) == 0)
            return fail_type(source, name, type_name((enum value_type)type));
    }
    return true;
}

static void put_path(struct buf *out, const struct node *path)
{
    for (uint32_t i = 0; i < path->count && out->size < ERR_MESSAGE_MOST; i++) {
        const struct step *step = &path->steps[i];
        buf_put_text(out, i == 0 ? "[" : ", ");
        if (step->kind == STEP_INDEX)
            buf_printf(out, "[%u]", step->index);
        else
            buf_put_bytes(out, step->name);
    }
    buf_put_text(out, "]");
}

static bool same_path(const struct node *one, const struct node *other)
{
    if (one->kind != NODE_PATH || other->kind != NODE_PATH || one->count != other->count)
        return false;
    for (uint32_t i = 0; i < one->count; i++)
        if (step_order(&one->steps[i], &other->steps[i]) != 0)
            return false;
    return true;
}

static bool check_distinct(struct source *source, const struct node *node, const char *name)
{
    struct buf path;

    for (uint32_t i = 1; i < node->count; i++) {
        if (!same_path(node->operands[0], node->operands[i]))
            continue;
        buf_init_in(&path, source->scope->arena);
        put_path(&path, node->operands[0]);
        return source_fail(source,
                           "The first operand must be distinct from the remaining operands for "
                           "this operator or function; operator: %s, first operand: %.*s",
                           name, BYTES_ARGS(buf_bytes(&path)));
    }
    return true;
}

/* "AttributeValue: {N:5}" of one bound of BETWEEN. */
static void put_bound(struct buf *out, const struct value *value)
{
    buf_printf(out, "AttributeValue: {%s:", type_name(value->type));
    if (value->type == VALUE_N)
        number_print(value->content, out);
    else if (value->type == VALUE_S)
        buf_put_bytes(out, value->content);
    else
        buf_printf(out, "java.nio.HeapByteBuffer[pos=0 lim=%zu cap=%zu]", value->content.size,
                   value->content.size);
    buf_put_text(out, "}");
}

static bool check_bounds(struct source *source, const struct node *node)
{
    const struct node *low = node->operands[1], *high = node->operands[2];
    const char *what = "same data type for lower and upper bounds";
    struct buf bounds;

    if (low->kind != NODE_VALUE || high->kind != NODE_VALUE)
        return true;
    if (low->value->type == high->value->type) {
        if (bytes_compare(low->value->content, high->value->content) <= 0)
            return true;
        what = "upper bound to be greater than or equal to lower bound";
    }
    buf_init_in(&bounds, source->scope->arena);
    buf_put_text(&bounds, "lower bound operand: ");
    put_bound(&bounds, low->value);
    buf_put_text(&bounds, ", upper bound operand: ");
    put_bound(&bounds, high->value);
    return source_fail(source, "The BETWEEN operator requires %s; %.*s", what,
                       BYTES_ARGS(buf_bytes(&bounds)));
}

static bool check_in(struct source *source, const struct node *node)
{
    if (node->count - 1 > IN_MOST)
        return source_fail(
            source, "The IN operator is provided with too many operands; number of operands: %u",
            node->count - 1);
    return check_distinct(source, node, "IN");
}

/* The second operand names a type and must be a value, not an attribute. The set in the first
 * message is what the service prints of an operand of any type (dynalite, conditionParser). */
static bool check_attribute_type(struct source *source, const struct node *call)
{
    const struct node *wanted = call->operands[1];
    int type = static_type(wanted);

    if (type == TYPES_ALL)
        return fail_type(source, "attribute_type", "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}");
    if (type != VALUE_S)
        return fail_type(source, "attribute_type", type_name((enum value_type)type));
    for (int i = VALUE_S; i <= VALUE_M; i++)
        if (bytes_equal(wanted->value->content, bytes_of_text(type_name((enum value_type)i))))
            return true;
    return source_fail(source,
                       "Invalid attribute type name found; type: %.*s, valid types: "
                       "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
                       BYTES_ARGS(wanted->value->content));
}

static bool check_call(struct source *source, const struct node *call)
{
    const char *name = (const char *)functions[call->function].name.data;

    switch (call->function) {
    case FUNCTION_ATTRIBUTE_EXISTS:
    case FUNCTION_ATTRIBUTE_NOT_EXISTS:
    case FUNCTION_IF_NOT_EXISTS:
        if (call->operands[0]->kind != NODE_PATH)
            return source_fail(source,
                               "Operator or function requires a document path; operator or "
                               "function: %s",
                               name);
        return true;
    case FUNCTION_ATTRIBUTE_TYPE:
        return check_distinct(source, call, name) && check_attribute_type(source, call);
    case FUNCTION_BEGINS_WITH:
        return check_distinct(source, call, name) &&
               check_types(source, call, name, TYPE(S) | TYPE(B));
    case FUNCTION_CONTAINS:
        return check_distinct(source, call, name);
    case FUNCTION_SIZE:
        return check_types(source, call, name, TYPE(S) | TYPE(B) | SETS | TYPE(L) | TYPE(M));
    case FUNCTION_LIST_APPEND:
        return check_types(source, call, name, TYPE(L));
    case FUNCTION_UNKNOWN:
        break;
    }
    assert(false);
}

static const char *operator_name(enum node_kind kind)
{
    static const char *const names[] = {
        [NODE_EQ] = "=",
        [NODE_NE] = "<>",
        [NODE_LT] = "<",
        [NODE_LE] = "<=",
        [NODE_GT] = ">",
        [NODE_GE] = ">=",
        [NODE_BETWEEN] = "BETWEEN",
        [NODE_PLUS] = "+",
        [NODE_MINUS] = "-",
    };

    return names[kind];
}

static bool bind_node(struct source *source, struct node *node);

static bool bind_operands(struct source *source, struct node *node)
{
    for (uint32_t i = 0; i < node->count; i++)
        if (!bind_node(source, node->operands[i]))
            return false;
    return true;
}

static bool bind_node(struct source *source, struct node *node)
{
    const char *name = NULL;

    if (node->kind == NODE_PATH)
        return bind_path(source, node);
    if (node->kind == NODE_VALUE)
        return bind_value(source, node);
    if (!bind_operands(source, node))
        return false;
    if (node->kind >= NODE_EQ && node->kind != NODE_IN)
        name = operator_name(node->kind);
    switch (node->kind) {
    case NODE_CALL:
        return check_count(source, node) && check_call(source, node);
    case NODE_EQ:
    case NODE_NE:
        return check_distinct(source, node, name);
    case NODE_LT:
    case NODE_LE:
    case NODE_GT:
    case NODE_GE:
        return check_distinct(source, node, name) && check_types(source, node, name, ORDERED);
    case NODE_BETWEEN:
        return check_distinct(source, node, name) && check_types(source, node, name, ORDERED) &&
               check_bounds(source, node);
    case NODE_IN:
        return check_in(source, node);
    case NODE_PLUS:
    case NODE_MINUS:
        return check_types(source, node, name, TYPE(N));
    default:
        return true;
    }
}

bool check_condition(struct source *source, struct node *condition)
{
    return check_text(source, condition, PLACE_CONDITION, false) && check_operators(source) &&
           bind_node(source, condition);
}

/* ---- paths beside each other ---------------------------------------------------------------- */

int step_order(const struct step *one, const struct step *other)
{
    if (one->kind != other->kind)
        return one->kind < other->kind ? -1 : 1;
    if (one->kind == STEP_INDEX)
        return (one->index > other->index) - (one->index < other->index);
    return bytes_compare(one->name, other->name);
}

/* A path that begins another comes before it. */
static int path_order(const struct node *one, const struct node *other)
{
    uint32_t shared = one->count < other->count ? one->count : other->count;

    for (uint32_t i = 0; i < shared; i++) {
        int order = step_order(&one->steps[i], &other->steps[i]);
        if (order != 0)
            return order;
    }
    return (one->count > other->count) - (one->count < other->count);
}

/* A path and where it stood. */
struct placed {
    struct node *path;
    uint32_t place;
};

static int placed_order(const void *a, const void *b)
{
    const struct placed *one = a, *other = b;
    int order = path_order(one->path, other->path);

    return order != 0 ? order : (one->place > other->place) - (one->place < other->place);
}

/* What is wrong between two paths that are neighbours when sorted; NULL: nothing. */
static const char *clash_of(const struct node *one, const struct node *other)
{
    for (uint32_t i = 0; i < one->count; i++) { /* `one` is not longer where both are alike */
        if (step_order(&one->steps[i], &other->steps[i]) == 0)
            continue;
        return one->steps[i].kind == other->steps[i].kind ? NULL : "conflict";
    }
    return "overlap";
}

static bool fail_clash(const struct source *source, const char *clash, const struct placed *one,
                       const struct placed *other)
{
    bool swap = one->place > other->place;
    struct buf first, second;

    buf_init_in(&first, source->scope->arena);
    buf_init_in(&second, source->scope->arena);
    put_path(&first, swap ? other->path : one->path);
    put_path(&second, swap ? one->path : other->path);
    return source_fail(source,
                       "Two document paths %s with each other; must remove or rewrite one of these "
                       "paths; path one: %.*s, path two: %.*s",
                       clash, BYTES_ARGS(buf_bytes(&first)), BYTES_ARGS(buf_bytes(&second)));
}

/* Of several clashes the one with the path written last is told: dynalite, test/updateItem.js,
 * "overlapping paths", where a conflict of earlier paths goes untold. */
bool sort_paths(const struct source *source, struct node *const *paths, uint32_t count,
                struct sorted_paths *out)
{
    struct arena *arena = source->scope->arena;
    struct placed *placed = arena_alloc(arena, count * sizeof *placed);
    const struct placed *worst = NULL;
    uint32_t worst_place = 0;

    out->paths = arena_alloc(arena, count * sizeof *out->paths);
    out->places = arena_alloc(arena, count * sizeof *out->places);
    for (uint32_t i = 0; i < count; i++)
        placed[i] = (struct placed){paths[i], i};
    if (count > 1)
        qsort(placed, count, sizeof *placed, placed_order);
    for (uint32_t i = 0; i < count; i++) {
        out->paths[i] = placed[i].path;
        out->places[i] = placed[i].place;
        if (i == 0 || clash_of(placed[i - 1].path, placed[i].path) == NULL)
            continue;
        uint32_t place =
            placed[i].place > placed[i - 1].place ? placed[i].place : placed[i - 1].place;
        if (worst == NULL || place > worst_place) {
            worst = &placed[i];
            worst_place = place;
        }
    }
    if (worst == NULL)
        return true;
    return fail_clash(source, clash_of(worst[-1].path, worst->path), worst - 1, worst);
}

bool check_projection(struct source *source, struct node_list *paths)
{
    struct sorted_paths sorted;

    for (uint32_t i = 0; i < paths->count; i++)
        if (!check_text(source, paths->nodes[i], PLACE_OPERAND, false))
            return false;
    for (uint32_t i = 0; i < paths->count; i++)
        if (!bind_path(source, paths->nodes[i]))
            return false;
    if (!sort_paths(source, paths->nodes, paths->count, &sorted))
        return false;
    paths->nodes = sorted.paths;
    return true;
}

/* ---- updates -------------------------------------------------------------------------------- */

static const char *const section_names[] = {"SET", "REMOVE", "ADD", "DELETE"};

static bool check_action_text(struct source *source, const struct action *action)
{
    return check_text(source, action->path, PLACE_OPERAND, true) &&
           (action->operand == NULL || check_text(source, action->operand, PLACE_OPERAND, true));
}

/* Sections are read kind by kind, in the order in which the kinds first appear. */
static bool check_sections(struct source *source, const struct action_list *list)
{
    unsigned seen = 0;

    for (uint32_t i = 0; i < list->count; i++) {
        enum action_kind kind = list->actions[i].kind;
        bool twice = false;
        if ((seen & 1u << kind) != 0)
            continue;
        seen |= 1u << kind;
        for (uint32_t j = i; j < list->count; j++) {
            if (list->actions[j].kind != kind)
                continue;
            twice = twice || list->actions[j].section != list->actions[i].section;
            if (!check_action_text(source, &list->actions[j]))
                return false;
        }
        if (twice)
            return source_fail(source,
                               "The \"%s\" section can only be used once in an update expression;",
                               section_names[kind]);
    }
    return true;
}

static bool check_names(struct source *source, const struct node *node)
{
    if (node->kind == NODE_VALUE)
        return true;
    for (uint32_t i = 0; i < node->count; i++) {
        if (node->kind == NODE_PATH) {
            const struct step *step = &node->steps[i];
            if (step->alias && scope_find_name(source->scope, step->name) == NULL)
                return fail_name(source, step->name);
        } else if (!check_names(source, node->operands[i])) {
            return false;
        }
    }
    return true;
}

/* What ADD and DELETE take: dynalite, test/updateItem.js, "incorrect types"; the set at the end is
 * newer (Dynamoid's tests against the service). */
static bool check_section_type(struct source *source, const struct action *action)
{
    static const char *const long_names[] = {
        [VALUE_S] = "STRING",      [VALUE_N] = "NUMBER",      [VALUE_B] = "BINARY",
        [VALUE_BOOL] = "BOOLEAN",  [VALUE_NULL] = "NULL",     [VALUE_SS] = "STRING_SET",
        [VALUE_NS] = "NUMBER_SET", [VALUE_BS] = "BINARY_SET", [VALUE_L] = "LIST",
        [VALUE_M] = "MAP",
    };
    unsigned types = action->kind == ACTION_ADD ? SETS | TYPE(N) : SETS;

    if (action->kind != ACTION_ADD && action->kind != ACTION_DELETE)
        return true;
    enum value_type type = action->operand->value->type;
    if ((types & 1u << type) != 0)
        return true;
    return source_fail(source,
                       "Incorrect operand type for operator or function; operator: %s, operand "
                       "type: %s, typeSet: ALLOWED_FOR_%s_OPERAND",
                       section_names[action->kind], long_names[type], section_names[action->kind]);
}

static bool sort_actions(struct source *source, const struct action_list *list,
                         struct sorted_paths *sorted)
{
    struct node **paths = arena_alloc(source->scope->arena, list->count * sizeof *paths);

    for (uint32_t i = 0; i < list->count; i++)
        paths[i] = list->actions[i].path;
    return sort_paths(source, paths, list->count, sorted);
}

static bool bind_actions(struct source *source, struct action_list *list)
{
    for (uint32_t i = list->count; i > 0; i--)
        if (list->actions[i - 1].operand != NULL &&
            !check_names(source, list->actions[i - 1].operand))
            return false;
    for (uint32_t i = list->count; i > 0; i--) {
        struct action *action = &list->actions[i - 1];
        if ((action->operand != NULL && !bind_node(source, action->operand)) ||
            !check_section_type(source, action))
            return false;
    }
    return true;
}

bool check_update(struct source *source, struct action_list *list, struct sorted_paths *sorted)
{
    if (!check_sections(source, list) || !check_operators(source))
        return false;
    for (uint32_t i = 0; i < list->count; i++)
        if (!bind_path(source, list->actions[i].path))
            return false;
    return sort_actions(source, list, sorted) && bind_actions(source, list);
}

/* ---- paths in items ------------------------------------------------------------------------- */

static bool element_find(const struct value *list, uint32_t index, struct value *out)
{
    struct item_walk walk = value_walk(list);

    if (index >= list->count)
        return false;
    for (uint32_t i = 0; i <= index; i++)
        if (!value_next(&walk, out))
            return false;
    return true;
}

struct node *path_of_name(struct arena *arena, struct bytes name)
{
    struct node *node = arena_alloc(arena, sizeof *node);

    *node = (struct node){.kind = NODE_PATH, .count = 1};
    node->steps = arena_alloc(arena, sizeof *node->steps);
    node->steps[0] = (struct step){.kind = STEP_NAME, .name = name};
    return node;
}

bool path_find(const struct node *path, uint32_t steps, struct bytes item, struct value *out)
{
    struct value value, inner;

    if (!item_find(item, path->steps[0].name, &value))
        return false;
    for (uint32_t i = 1; i < steps; i++) {
        const struct step *step = &path->steps[i];
        bool found = step->kind == STEP_INDEX
                         ? value.type == VALUE_L && element_find(&value, step->index, &inner)
                         : value.type == VALUE_M && value_find(&value, step->name, &inner);
        if (!found)
            return false;
        value = inner;
    }
    *out = value;
    return true;
}

bool value_same(const struct value *one, const struct value *other)
{
    return one->type == other->type && one->truth == other->truth && one->count == other->count &&
           bytes_equal(one->content, other->content);
}

/* ---- keys ----------------------------------------------------------------------------------- */

const struct node *find_path(const struct node *node, const struct bytes *names, uint32_t count,
                             bool deep)
{
    if (node->kind == NODE_VALUE)
        return NULL;
    if (node->kind == NODE_PATH) {
        for (uint32_t i = 0; i < count; i++)
            if ((!deep || node->count > 1) && bytes_equal(node->steps[0].name, names[i]))
                return node;
        return NULL;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        const struct node *found = find_path(node->operands[i], names, count, deep);
        if (found != NULL)
            return found;
    }
    return NULL;
}

bool refuse_key_path(const struct node *path, const char *kind, struct err *err)
{
    if (path == NULL)
        return true;
    return err_fail(err, ERR_VALIDATION,
                    "Key attributes must be scalars; list random access '[]' and map lookup '.' "
                    "are not allowed: %s: %.*s",
                    kind, BYTES_ARGS(path->steps[0].name));
}

uint32_t collect_names(const struct node *node, struct bytes *names, uint32_t count)
{
    if (node->kind == NODE_VALUE)
        return count;
    if (node->kind != NODE_PATH) {
        for (uint32_t i = 0; i < node->count; i++)
            count = collect_names(node->operands[i], names, count);
        return count;
    }
    for (uint32_t i = 0; i < count; i++)
        if (bytes_equal(names[i], node->steps[0].name))
            return count;
    names[count] = node->steps[0].name;
    return count + 1;
}

uint32_t count_paths(const struct node *node)
{
    uint32_t count = 0;

    if (node->kind == NODE_VALUE || node->kind == NODE_PATH)
        return node->kind == NODE_PATH;
    for (uint32_t i = 0; i < node->count; i++)
        count += count_paths(node->operands[i]);
    return count;
}
