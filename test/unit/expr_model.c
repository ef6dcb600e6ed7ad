/* test/unit/expr_model.c - random conditions and updates beside a model of our own: items as trees
 * of pointers, expressions weighed and applied while they are made up, the plain way and without a
 * look at src/expr. What the compiler refuses by its static rules is left out; most are not. */
#include "support/check.h"

#include "base/random.h"
#include "expr/condition.h"
#include "expr/update.h"
#include "support/expressions.h"

#define ROUNDS      4000
#define MEMBERS     8
#define PATH_STEPS  3
#define VALUES_MOST 12

/* A value of the model; a removed list element keeps its place until the end. */
struct tree {
    enum value_type type;
    bool removed;
    int number;
    const char *text;
    unsigned set;               /* SS of "x" "y" "z", NS of 1 2 3: a bit each */
    const char *names[MEMBERS]; /* of an M, in their order */
    struct tree *members[MEMBERS];
    int indexes[MEMBERS]; /* of an L: where a member was asked to be */
    int count;
};

static struct arena arena;
static uint64_t seed;

static unsigned any(unsigned below)
{
    return (unsigned)(random_next(&seed) % below);
}

/* ---- trees ---------------------------------------------------------------------------------- */

static struct tree *tree_new(enum value_type type)
{
    struct tree *tree = arena_zalloc(&arena, sizeof *tree);

    tree->type = type;
    return tree;
}

static struct tree *tree_copy(const struct tree *tree)
{
    struct tree *copy = tree_new(tree->type);

    *copy = *tree;
    for (int i = 0; i < tree->count; i++)
        copy->members[i] = tree_copy(tree->members[i]);
    return copy;
}

static bool tree_same(const struct tree *a, const struct tree *b)
{
    if (a->type != b->type || a->number != b->number || a->set != b->set || a->count != b->count ||
        (a->text != NULL && strcmp(a->text, b->text) != 0))
        return false;
    for (int i = 0; i < a->count; i++)
        if ((a->type == VALUE_M && strcmp(a->names[i], b->names[i]) != 0) ||
            !tree_same(a->members[i], b->members[i]))
            return false;
    return true;
}

static struct tree *member_named(const struct tree *map, const char *name)
{
    for (int i = 0; i < map->count; i++)
        if (strcmp(map->names[i], name) == 0)
            return map->members[i];
    return NULL;
}

static void map_remove(struct tree *map, const char *name)
{
    for (int i = 0; i < map->count; i++) {
        if (strcmp(map->names[i], name) != 0)
            continue;
        map->count--;
        for (; i < map->count; i++) {
            map->names[i] = map->names[i + 1];
            map->members[i] = map->members[i + 1];
        }
    }
}

static void map_put(struct tree *map, const char *name, struct tree *member)
{
    int at = 0;

    map_remove(map, name);
    while (at < map->count && strcmp(map->names[at], name) < 0)
        at++;
    for (int i = map->count; i > at; i--) {
        map->names[i] = map->names[i - 1];
        map->members[i] = map->members[i - 1];
    }
    map->names[at] = name;
    map->members[at] = member;
    map->count++;
    assert_true(map->count < MEMBERS);
}

static const char *const names[] = {"a", "b", "c", "d"};
static const char *const texts[] = {"", "x", "xy", "y", "z"};

static struct tree *random_tree(int depth)
{
    static const enum value_type types[] = {VALUE_N,  VALUE_N,  VALUE_S, VALUE_S, VALUE_BOOL,
                                            VALUE_SS, VALUE_NS, VALUE_L, VALUE_M, VALUE_NULL};
    struct tree *tree = tree_new(types[any(10)]);

    if (depth == 0 && tree->type >= VALUE_L)
        tree->type = VALUE_N;
    tree->text = tree->type == VALUE_S ? texts[any(5)] : NULL;
    if (tree->type == VALUE_N)
        tree->number = (int)any(7) - 2;
    if (tree->type == VALUE_BOOL)
        tree->number = (int)any(2);
    if (tree->type == VALUE_SS || tree->type == VALUE_NS)
        tree->set = 1 + any(7);
    if (tree->type == VALUE_L)
        for (unsigned count = any(3); count > 0; count--)
            tree->members[tree->count++] = random_tree(depth - 1);
    if (tree->type == VALUE_M)
        for (unsigned count = any(4); count > 0; count--)
            map_put(tree, names[any(4)], random_tree(depth - 1));
    return tree;
}

static void put_tree(struct buf *out, const struct tree *tree);

static void put_members(struct buf *out, const struct tree *tree)
{
    const char *between = "";

    for (int i = 0; i < tree->count; i++, between = ",") {
        buf_put_text(out, between);
        if (tree->type == VALUE_M)
            buf_printf(out, "'%s':", tree->names[i]);
        put_tree(out, tree->members[i]);
    }
}

static void put_set(struct buf *out, const struct tree *tree, const char *const members[3])
{
    const char *between = "";

    for (int i = 0; i < 3; i++) {
        if ((tree->set & 1u << i) == 0)
            continue;
        buf_printf(out, "%s'%s'", between, members[i]);
        between = ",";
    }
}

static void put_tree(struct buf *out, const struct tree *tree)
{
    switch (tree->type) {
    case VALUE_S:
        buf_printf(out, "{'S':'%s'}", tree->text);
        return;
    case VALUE_N:
        buf_printf(out, "{'N':'%d'}", tree->number);
        return;
    case VALUE_BOOL:
        buf_printf(out, "{'BOOL':%s}", tree->number != 0 ? "true" : "false");
        return;
    case VALUE_NULL:
        buf_put_text(out, "{'NULL':true}");
        return;
    case VALUE_SS:
        buf_put_text(out, "{'SS':[");
        put_set(out, tree, (const char *const[]){"x", "y", "z"});
        break;
    case VALUE_NS:
        buf_put_text(out, "{'NS':[");
        put_set(out, tree, (const char *const[]){"1", "2", "3"});
        break;
    case VALUE_L:
        buf_put_text(out, "{'L':[");
        put_members(out, tree);
        break;
    default:
        buf_put_text(out, "{'M':{");
        put_members(out, tree);
        buf_put_text(out, "}}");
        return;
    }
    buf_put_text(out, "]}");
}

/* An M as the JSON of an item. */
static const char *item_json(const struct tree *map)
{
    struct buf text;

    buf_init_in(&text, &arena);
    buf_put_text(&text, "{");
    put_members(&text, map);
    buf_put_text(&text, "}");
    buf_put_u8(&text, '\0');
    return (const char *)text.data;
}

/* ---- what expressions are made of ----------------------------------------------------------- */

struct path {
    int count;
    const char *names[PATH_STEPS]; /* NULL: an index */
    int indexes[PATH_STEPS];
};

static struct tree *item; /* an M */
static struct buf text;   /* the expression so far */
static struct tree *values[VALUES_MOST];
static int value_count;

static struct path random_path(void)
{
    struct path path = {.count = 1 + (int)any(2) * (int)any(PATH_STEPS)};

    for (int i = 0; i < path.count; i++) {
        path.names[i] = i == 0 || any(2) == 0 ? names[any(4)] : NULL;
        path.indexes[i] = (int)any(4);
        if (path.names[i] == NULL)
            buf_printf(&text, "[%d]", path.indexes[i]);
        else
            buf_printf(&text, "%s%s", i == 0 ? "" : ".", path.names[i]);
    }
    return path;
}

/* The value at the first steps of a path; NULL: none. */
static struct tree *tree_at(struct tree *from, const struct path *path, int steps)
{
    for (int i = 0; i < steps && from != NULL; i++) {
        if (path->names[i] != NULL)
            from = from->type == VALUE_M ? member_named(from, path->names[i]) : NULL;
        else
            from = from->type == VALUE_L && path->indexes[i] < from->count
                       ? from->members[path->indexes[i]]
                       : NULL;
    }
    return from;
}

static struct tree *random_value(struct tree *tree)
{
    buf_printf(&text, ":v%d", value_count);
    values[value_count++] = tree;
    assert_true(value_count < VALUES_MOST);
    return tree;
}

/* A path, or a value, often one of the item's; what it is of the item, or NULL. */
static struct tree *random_operand(void)
{
    if (any(3) == 0 && item->count > 0)
        return random_value(tree_copy(item->members[any((unsigned)item->count)]));
    if (any(3) == 0)
        return random_value(random_tree(1));
    struct path path = random_path();
    return tree_at(item, &path, path.count);
}

static void begin(void)
{
    arena_release(&arena);
    arena_init(&arena);
    item = tree_new(VALUE_M);
    for (unsigned count = any(5); count > 0; count--)
        map_put(item, names[any(4)], random_tree(3));
    buf_init_in(&text, &arena);
    value_count = 0;
}

static void make_scope(struct scope *scope)
{
    struct buf json;

    buf_init_in(&json, &arena);
    buf_put_text(&json, "{");
    for (int i = 0; i < value_count; i++) {
        buf_printf(&json, "%s':v%d':", i == 0 ? "" : ",", i);
        put_tree(&json, values[i]);
    }
    buf_put_text(&json, "}");
    buf_put_u8(&json, '\0');
    test_scope(scope, &arena, NULL, value_count == 0 ? NULL : (const char *)json.data);
}

/* ---- conditions ----------------------------------------------------------------------------- */

static bool ordered(const struct tree *a, const struct tree *b, int *order)
{
    if (a == NULL || b == NULL || a->type != b->type || (a->type != VALUE_N && a->type != VALUE_S))
        return false;
    *order = a->type == VALUE_N ? a->number - b->number : strcmp(a->text, b->text);
    return true;
}

static bool random_comparison(void)
{
    static const char *const operators[] = {"=", "<>", "<", "<=", ">", ">="};
    unsigned which = any(6);
    struct tree *a = random_operand();
    int order = 0;

    buf_printf(&text, " %s ", operators[which]);
    struct tree *b = random_operand();
    bool same = a != NULL && b != NULL && tree_same(a, b);
    if (which < 2)
        return which == 0 ? same : !same;
    if (!ordered(a, b, &order))
        return false;
    return which == 2 ? order < 0 : which == 3 ? order <= 0 : which == 4 ? order > 0 : order >= 0;
}

static bool random_between(void)
{
    int above = 0, below = 0;
    struct tree *a = random_operand();

    buf_put_text(&text, " BETWEEN ");
    struct tree *low = random_operand();
    buf_put_text(&text, " AND ");
    struct tree *high = random_operand();
    return ordered(a, low, &above) && ordered(a, high, &below) && above >= 0 && below <= 0;
}

static bool random_in(void)
{
    struct tree *a = random_operand();
    bool holds = false;

    buf_put_text(&text, " in (");
    for (unsigned count = 1 + any(3), i = 0; i < count; i++) {
        buf_put_text(&text, i == 0 ? "" : ", ");
        struct tree *b = random_operand();
        holds = holds || (a != NULL && b != NULL && tree_same(a, b));
    }
    buf_put_text(&text, ")");
    return holds;
}

static bool random_size(void)
{
    buf_put_text(&text, "size(");
    struct path path = random_path();
    const struct tree *tree = tree_at(item, &path, path.count);
    buf_put_text(&text, ") > ");
    const struct tree *least = random_value(random_tree(0));
    if (tree == NULL || least->type != VALUE_N)
        return false;
    switch (tree->type) {
    case VALUE_S:
        return (int)strlen(tree->text) > least->number;
    case VALUE_SS:
    case VALUE_NS:
        return __builtin_popcount(tree->set) > least->number;
    case VALUE_L:
    case VALUE_M:
        return tree->count > least->number;
    default:
        return false;
    }
}

static bool contains(const struct tree *whole, const struct tree *part)
{
    if (whole->type == VALUE_S)
        return part->type == VALUE_S && strstr(whole->text, part->text) != NULL;
    if (whole->type == VALUE_SS)
        return part->type == VALUE_S && strlen(part->text) == 1 &&
               (whole->set & 1u << (part->text[0] - 'x')) != 0;
    if (whole->type == VALUE_NS)
        return part->type == VALUE_N && part->number >= 1 && part->number <= 3 &&
               (whole->set & 1u << (part->number - 1)) != 0;
    for (int i = 0; whole->type == VALUE_L && i < whole->count; i++)
        if (tree_same(whole->members[i], part))
            return true;
    return false;
}

static bool random_call(void)
{
    static const char *const functions[] = {"attribute_exists", "attribute_not_exists", "contains",
                                            "begins_with"};
    unsigned which = any(4);

    buf_printf(&text, "%s(", functions[which]);
    struct path path = random_path();
    const struct tree *tree = tree_at(item, &path, path.count), *part = NULL;
    if (which >= 2) {
        buf_put_text(&text, ",");
        part = random_operand();
    }
    buf_put_text(&text, ")");
    if (which < 2)
        return (tree != NULL) == (which == 0);
    if (tree == NULL || part == NULL)
        return false;
    if (which == 2)
        return contains(tree, part);
    return tree->type == VALUE_S && part->type == VALUE_S &&
           strncmp(tree->text, part->text, strlen(part->text)) == 0;
}

static bool random_condition(int depth)
{
    bool one, other;

    if (depth > 0 && any(2) == 0) {
        bool either = any(2) == 0;
        buf_put_text(&text, "(");
        one = random_condition(depth - 1);
        buf_put_text(&text, either ? ") OR (" : ") AND (");
        other = random_condition(depth - 1);
        buf_put_text(&text, ")");
        return either ? one || other : one && other;
    }
    if (depth > 0 && any(4) == 0) {
        buf_put_text(&text, "NOT ");
        return !random_condition(0);
    }
    switch (any(5)) {
    case 0:
        return random_between();
    case 1:
        return random_in();
    case 2:
        return random_size();
    case 3:
        return random_call();
    default:
        return random_comparison();
    }
}

static void conditions_are_weighed_as_by_the_model(void **state)
{
    struct condition *condition;
    int taken = 0, held = 0;
    struct scope scope;
    struct err err;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        seed = (uint64_t)round;
        begin();
        bool holds = random_condition(1);
        make_scope(&scope);
        if (!condition_compile(&scope, "FilterExpression", buf_bytes(&text), &condition, &err))
            continue;
        assert_true(scope_check_used(&scope, &err));
        taken++;
        held += holds;
        if (condition_holds(condition, test_item(&arena, item_json(item))) != holds)
            fail_msg("seed %d: %.*s on %s: not %d", round, BYTES_ARGS(buf_bytes(&text)),
                     item_json(item), holds);
    }
    assert_true(taken > ROUNDS / 2);
    assert_true(held > taken / 8 && held < taken * 7 / 8);
    arena_release(&arena);
}

/* ---- updates -------------------------------------------------------------------------------- */

struct assignment {
    enum { SET, REMOVE, ADD, DELETE } kind;
    struct path path;
    struct tree *value;
};

static struct assignment assignments[4];
static int assignment_count;
static bool refused; /* by the model: some value or place is not there */

static struct tree *random_sum(void)
{
    bool minus = any(2) == 0;
    const struct tree *a = random_operand();

    buf_put_text(&text, minus ? " - " : " + ");
    const struct tree *b = random_operand();
    struct tree *sum = tree_new(VALUE_N);
    if (a == NULL || b == NULL || a->type != VALUE_N || b->type != VALUE_N) {
        refused = true;
        return sum;
    }
    sum->number = minus ? a->number - b->number : a->number + b->number;
    return sum;
}

static struct tree *random_append(void)
{
    buf_put_text(&text, "list_append(");
    const struct tree *a = random_operand();
    buf_put_text(&text, ", ");
    const struct tree *b = random_operand();
    buf_put_text(&text, ")");
    if (a == NULL || b == NULL || a->type != VALUE_L || b->type != VALUE_L) {
        refused = true;
        return tree_new(VALUE_L);
    }
    struct tree *list = tree_copy(a);
    for (int i = 0; i < b->count; i++)
        list->members[list->count++] = tree_copy(b->members[i]);
    return list;
}

static struct tree *random_assigned(void)
{
    struct tree *tree;

    switch (any(5)) {
    case 0:
        return random_sum();
    case 1:
        return random_append();
    case 2: {
        buf_put_text(&text, "if_not_exists(");
        struct path path = random_path();
        buf_put_text(&text, ", ");
        struct tree *otherwise = random_operand();
        buf_put_text(&text, ")");
        tree = tree_at(item, &path, path.count);
        tree = tree != NULL ? tree : otherwise;
        break;
    }
    default:
        tree = random_operand();
    }
    if (tree == NULL) {
        refused = true;
        tree = tree_new(VALUE_NULL);
    }
    return tree;
}

static void random_assignment(int kind)
{
    struct assignment *assignment = &assignments[assignment_count++];

    assignment->kind = kind;
    assignment->path = random_path();
    if (kind == REMOVE)
        return;
    buf_put_text(&text, kind == SET ? " = " : " ");
    assignment->value = kind == SET ? random_assigned() : random_value(random_tree(0));
}

static void random_update(void)
{
    static const char *const sections[] = {"SET ", "REMOVE ", "ADD ", "DELETE "};
    unsigned first = any(4);

    assignment_count = 0;
    refused = false;
    for (unsigned i = 0; i < 1 + any(2); i++) {
        unsigned kind = (first + i) % 4;
        buf_printf(&text, "%s%s", i == 0 ? "" : " ", sections[kind]);
        random_assignment((int)kind);
        if (any(2) == 0) {
            buf_put_text(&text, ", ");
            random_assignment((int)kind);
        }
    }
}

/* What ADD and DELETE make of a value that is there; NULL: it goes away. */
static struct tree *changed(const struct tree *old, const struct assignment *assignment)
{
    struct tree *tree = tree_copy(old);

    if (old->type != assignment->value->type) {
        refused = true;
        return tree;
    }
    if (old->type == VALUE_N)
        tree->number += assignment->value->number;
    else if (assignment->kind == ADD)
        tree->set |= assignment->value->set;
    else
        tree->set &= ~assignment->value->set;
    return old->type != VALUE_N && tree->set == 0 ? NULL : tree;
}

static void list_put(struct tree *list, int count, int index, struct tree *member)
{
    int at = count;

    if (index < count) {
        list->members[index] = member;
        return;
    }
    while (at < list->count && list->indexes[at] < index)
        at++;
    for (int i = list->count; i > at; i--) {
        list->members[i] = list->members[i - 1];
        list->indexes[i] = list->indexes[i - 1];
    }
    list->members[at] = member;
    list->indexes[at] = index;
    list->count++;
    assert_true(list->count < MEMBERS);
}

static void assign(struct tree *made, const struct assignment *assignment)
{
    const struct path *path = &assignment->path;
    struct tree *old = tree_at(item, path, path->count), *value = assignment->value;
    struct tree *before = tree_at(item, path, path->count - 1);
    struct tree *around = tree_at(made, path, path->count - 1);
    const char *name = path->names[path->count - 1];
    int index = path->indexes[path->count - 1];

    if (before == NULL || before->type != (name != NULL ? VALUE_M : VALUE_L)) {
        refused = true;
        return;
    }
    if (assignment->kind == REMOVE || (assignment->kind == DELETE && old == NULL))
        value = NULL;
    else if (assignment->kind != SET && old != NULL)
        value = changed(old, assignment);
    if (value == NULL && name != NULL)
        map_remove(around, name);
    else if (value == NULL && old != NULL)
        around->members[index]->removed = true;
    else if (value != NULL && name != NULL)
        map_put(around, name, tree_copy(value));
    else if (value != NULL)
        list_put(around, before->count, index, tree_copy(value));
}

static void drop_removed(struct tree *tree)
{
    int kept = 0;

    for (int i = 0; i < tree->count; i++) {
        drop_removed(tree->members[i]);
        if (!tree->members[i]->removed) {
            tree->names[kept] = tree->names[i];
            tree->members[kept++] = tree->members[i];
        }
    }
    tree->count = kept;
}

static void check_update(int round, const struct update *update)
{
    struct tree *made = tree_copy(item);
    struct bytes packed;
    struct err err;

    for (int i = 0; i < assignment_count; i++)
        assign(made, &assignments[i]);
    drop_removed(made);
    bool ok = update_apply(update, test_item(&arena, item_json(item)), true, &arena, &packed, &err);
    if (ok == refused)
        fail_msg("seed %d: %.*s on %s: %s", round, BYTES_ARGS(buf_bytes(&text)), item_json(item),
                 ok ? "taken" : err.message);
    if (!ok)
        return;
    assert_true(item_check(packed, &err));
    if (strcmp(test_json(&arena, packed), item_json(made)) != 0)
        fail_msg("seed %d: %.*s on %s: %s\nnot %s", round, BYTES_ARGS(buf_bytes(&text)),
                 item_json(item), test_json(&arena, packed), item_json(made));
}

static void updates_are_applied_as_by_the_model(void **state)
{
    int taken = 0, applied = 0;
    struct update *update;
    struct scope scope;
    struct err err;

    (void)state;
    for (int round = 0; round < 2 * ROUNDS; round++) {
        seed = (uint64_t)round;
        begin();
        random_update();
        make_scope(&scope);
        if (!update_compile(&scope, buf_bytes(&text), &update, &err))
            continue;
        assert_true(scope_check_used(&scope, &err));
        taken++;
        check_update(round, update);
        applied += !refused;
    }
    assert_true(taken > ROUNDS / 2);
    assert_true(applied > taken / 4);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_are_weighed_as_by_the_model),
        cmocka_unit_test(updates_are_applied_as_by_the_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
