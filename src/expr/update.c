/* expr/update.c - making the item after an update from the one before.
 *
 * 1. Every value is worked out from the item as it was, whatever the order of the actions
 *    (ScyllaDB, test_update_expression_multi_with_copy), and what is wrong is told in the service's
 *    order: a place that is no document, a wrong type, a path that is not there and an attribute
 *    that is missing, a number out of range.
 * 2. What is written to is sorted as the item is, no path within another, so the new item is
 *    written in one walk beside the old one; what lies between is copied as it is. An index counts
 *    in the list as it was; elements behind its end are appended in the order of their indexes.
 *
 * Nothing that is made is larger than what an item may be, by far not what a hostile expression
 * asks for: 4 KB can copy one attribute 400 times. */
#include "expr/update.h"

#include <assert.h>

#include "expr/syntax.h"
#include "item/number.h"

/* The packed form of no item that the service takes is as large: a byte of size is at most 3. */
#define PACKED_MOST ((size_t)4 * ITEM_SIZE_MOST)

struct update {
    struct action *actions; /* as written */
    uint32_t count;
    uint32_t *order; /* actions by their paths */
    struct projection *paths;
    uint64_t charge; /* bytes; AttributeUpdates: 0 */
    bool legacy;     /* AttributeUpdates */
};

bool update_compile(struct scope *scope, struct bytes text, struct update **out, struct err *err)
{
    struct source source = {.label = "UpdateExpression", .text = text, .scope = scope, .err = err};
    struct action_list list;
    struct sorted_paths sorted;

    if (!parse_update(&source, &list) || !check_update(&source, &list, &sorted))
        return false;
    *out = arena_alloc(scope->arena, sizeof **out);
    **out = (struct update){
        .actions = list.actions,
        .count = list.count,
        .order = sorted.places,
        .paths = projection_of(scope->arena, sorted.paths, list.count),
        .charge = charge_of(list.actions, list.count),
    };
    return true;
}

struct update *update_of(struct arena *arena, struct action *actions, uint32_t count)
{
    struct update *update = arena_alloc(arena, sizeof *update);
    struct node **paths = arena_alloc(arena, count * sizeof *paths);
    struct scope scope;
    struct sorted_paths sorted;

    for (uint32_t i = 0; i < count; i++)
        paths[i] = actions[i].path;
    scope_init(&scope, arena);
    bool sound = sort_paths(&(struct source){.scope = &scope}, paths, count, &sorted);
    assert(sound); /* whole attributes do not overlap */
    *update = (struct update){
        .actions = actions,
        .count = count,
        .order = sorted.places,
        .paths = projection_of(arena, sorted.paths, count),
        .legacy = true,
    };
    return update;
}

const struct projection *update_paths(const struct update *update)
{
    return update->paths;
}

/* In this order: dynalite, test/updateItem.js, "trying to update key", 'set a = a.b + a[1]'. */
bool update_check_keys(const struct update *update, const struct bytes *keys, uint32_t count,
                       struct err *err)
{
    for (uint32_t i = 0; i < update->count; i++) {
        const struct node *path = find_path(update->actions[i].path, keys, count, false);
        if (path != NULL)
            return err_fail(err, ERR_VALIDATION,
                            "One or more parameter values were invalid: Cannot update attribute "
                            "%.*s. This attribute is part of the key",
                            BYTES_ARGS(path->steps[0].name));
    }
    for (uint32_t i = 0; i < update->count; i++) {
        const struct node *operand = update->actions[i].operand;
        if (operand != NULL &&
            !refuse_key_path(find_path(operand, keys, count, true), KEY_OF_TABLE, err))
            return false;
    }
    return true;
}

bool update_check_index_keys(const struct update *update, const struct bytes *keys, uint32_t count,
                             struct err *err)
{
    for (uint32_t i = 0; i < update->count; i++) {
        const struct node *operand = update->actions[i].operand;
        if (!refuse_key_path(find_path(update->actions[i].path, keys, count, true), KEY_OF_INDEX,
                             err) ||
            (operand != NULL &&
             !refuse_key_path(find_path(operand, keys, count, true), KEY_OF_INDEX, err)))
            return false;
    }
    return true;
}

/* What an operand gives whatever the item. */
static bool operand_type(const struct node *operand, enum value_type *type)
{
    if (operand->kind == NODE_VALUE)
        *type = operand->value->type;
    else if (operand->kind == NODE_PLUS || operand->kind == NODE_MINUS)
        *type = VALUE_N;
    else if (operand->kind == NODE_CALL && operand->function == FUNCTION_LIST_APPEND)
        *type = VALUE_L;
    else
        return false;
    return true;
}

bool update_gives(const struct update *update, struct bytes name, enum value_type *type)
{
    for (uint32_t i = 0; i < update->count; i++) {
        const struct action *action = &update->actions[i];
        if ((action->kind == ACTION_SET || action->kind == ACTION_ADD) &&
            action->path->count == 1 && bytes_equal(action->path->steps[0].name, name))
            return operand_type(action->operand, type);
    }
    return false;
}

/* dynalite, actions/updateItem.js; the service's words for the limit on what is stored. */
static bool fail_size(struct err *err)
{
    return err_fail(err, ERR_VALIDATION,
                    "Item size to update has exceeded the maximum allowed size");
}

bool update_check_charge(const struct update *update, struct err *err)
{
    return update->charge <= ITEM_SIZE_MOST || fail_size(err);
}

/* ---- values --------------------------------------------------------------------------------- */

enum outcome {
    OUTCOME_VALUE,   /* to be written */
    OUTCOME_NOTHING, /* the place stays as it is */
    OUTCOME_REMOVAL,
    OUTCOME_MISSING, /* from here on: what is wrong */
    OUTCOME_TYPE,
    OUTCOME_NUMBER,
    OUTCOME_SIZE,
};

/* What an action comes to. */
struct result {
    enum outcome outcome;
    struct value value;
};

struct apply {
    const struct update *update;
    struct bytes item;
    struct arena *arena;
    struct result *results; /* of the actions as written */
    size_t made;            /* bytes of lists and sets, bounded */
    struct err *number;     /* what is wrong with one that is out of range */
};

static enum outcome value_get(struct apply *apply, const struct node *node, struct value *out);

static enum outcome take_made(struct apply *apply, struct buf *made, struct value *out)
{
    apply->made += made->size;
    if (apply->made > PACKED_MOST)
        return OUTCOME_SIZE;
    *out = value_read(buf_bytes(made));
    return OUTCOME_VALUE;
}

static enum outcome sum_get(struct apply *apply, const struct value *one, const struct value *other,
                            bool minus, struct value *out)
{
    struct number sum;
    struct buf made;
    bool fits = minus ? number_subtract(one->content, other->content, &sum, apply->number)
                      : number_add(one->content, other->content, &sum, apply->number);

    if (!fits)
        return OUTCOME_NUMBER;
    buf_init_in(&made, apply->arena);
    value_put_number(&made, number_bytes(&sum));
    *out = value_read(buf_bytes(&made));
    return OUTCOME_VALUE;
}

static enum outcome lists_get(struct apply *apply, const struct value *one,
                              const struct value *other, struct value *out)
{
    struct buf made;

    if (apply->made + one->content.size + other->content.size > PACKED_MOST)
        return OUTCOME_SIZE;
    buf_init_in(&made, apply->arena);
    buf_room(&made, one->encoded.size + other->encoded.size + 8);
    size_t content = value_open(&made);
    buf_put_bytes(&made, one->content);
    buf_put_bytes(&made, other->content);
    value_close(&made, content, VALUE_L, one->count + other->count);
    return take_made(apply, &made, out);
}

/* Two operands of one type. A type that is wrong is told before one that is missing. */
static enum outcome pair_get(struct apply *apply, const struct node *node, enum value_type type,
                             struct value *out)
{
    struct value one, other;
    enum outcome first = value_get(apply, node->operands[0], &one);

    if (first > OUTCOME_MISSING)
        return first;
    if (first == OUTCOME_VALUE && one.type != type)
        return OUTCOME_TYPE;
    enum outcome second = value_get(apply, node->operands[1], &other);
    if (second > OUTCOME_MISSING)
        return second;
    if (second == OUTCOME_VALUE && other.type != type)
        return OUTCOME_TYPE;
    if (first == OUTCOME_MISSING || second == OUTCOME_MISSING)
        return OUTCOME_MISSING;
    if (type == VALUE_L)
        return lists_get(apply, &one, &other, out);
    return sum_get(apply, &one, &other, node->kind == NODE_MINUS, out);
}

static enum outcome value_get(struct apply *apply, const struct node *node, struct value *out)
{
    switch (node->kind) {
    case NODE_VALUE:
        *out = *node->value;
        return OUTCOME_VALUE;
    case NODE_PATH:
        return path_find(node, node->count, apply->item, out) ? OUTCOME_VALUE : OUTCOME_MISSING;
    case NODE_PLUS:
    case NODE_MINUS:
        return pair_get(apply, node, VALUE_N, out);
    case NODE_CALL:
        if (node->function == FUNCTION_LIST_APPEND)
            return pair_get(apply, node, VALUE_L, out);
        assert(node->function == FUNCTION_IF_NOT_EXISTS);
        if (value_get(apply, node->operands[0], out) == OUTCOME_VALUE)
            return OUTCOME_VALUE;
        return value_get(apply, node->operands[1], out);
    default:
        assert(false);
    }
}

/* The members of one set, and of another, both in their order: all of them (`with`), or those of
 * the first that the second does not have. */
static uint32_t put_members(struct buf *out, const struct value *one, const struct value *other,
                            bool with)
{
    struct item_walk left = value_walk(one), right = value_walk(other);
    struct value a, b;
    bool has_a = value_next(&left, &a), has_b = value_next(&right, &b);
    uint32_t count = 0;

    while (has_a || (has_b && with)) {
        int order = !has_b ? -1 : !has_a ? 1 : bytes_compare(a.content, b.content);
        bool put = order < 0 || with;
        if (put) {
            buf_put_bytes(out, order <= 0 ? a.encoded : b.encoded);
            count++;
        }
        if (order <= 0)
            has_a = value_next(&left, &a);
        if (order >= 0)
            has_b = value_next(&right, &b);
    }
    return count;
}

static enum outcome sets_get(struct apply *apply, const struct value *one,
                             const struct value *other, bool with, struct value *out)
{
    struct buf made;

    buf_init_in(&made, apply->arena);
    size_t content = value_open(&made);
    uint32_t count = put_members(&made, one, other, with);
    if (count == 0)
        return OUTCOME_REMOVAL;
    value_close(&made, content, one->type, count);
    return take_made(apply, &made, out);
}

/* ADD and DELETE. */
static enum outcome member_get(struct apply *apply, const struct action *action, struct value *out)
{
    const struct value *operand = action->operand->value;
    bool add = action->kind == ACTION_ADD;
    struct value old;

    if (!path_find(action->path, action->path->count, apply->item, &old)) {
        *out = *operand;
        return add ? OUTCOME_VALUE : OUTCOME_NOTHING;
    }
    if (old.type != operand->type)
        return OUTCOME_TYPE;
    if (old.type == VALUE_N)
        return sum_get(apply, &old, operand, false, out);
    if (old.type == VALUE_L) /* AttributeUpdates only */
        return lists_get(apply, &old, operand, out);
    return sets_get(apply, &old, operand, add, out);
}

static enum outcome result_get(struct apply *apply, const struct action *action, struct value *out)
{
    switch (action->kind) {
    case ACTION_SET:
        return value_get(apply, action->operand, out);
    case ACTION_REMOVE:
        return OUTCOME_REMOVAL;
    default:
        return member_get(apply, action, out);
    }
}

/* ---- what is wrong -------------------------------------------------------------------------- */

enum place {
    PLACE_GOOD,
    PLACE_ABSENT, /* the document around it is not there */
    PLACE_UNFIT,  /* it is no document of that kind */
};

static enum place place_of(const struct apply *apply, const struct node *path)
{
    struct value around;

    if (path->count == 1)
        return PLACE_GOOD;
    if (!path_find(path, path->count - 1, apply->item, &around))
        return PLACE_ABSENT;
    bool index = path->steps[path->count - 1].kind == STEP_INDEX;
    return around.type == (index ? VALUE_L : VALUE_M) ? PLACE_GOOD : PLACE_UNFIT;
}

static bool fail_path(struct err *err)
{
    return err_fail(err, ERR_VALIDATION,
                    "The document path provided in the update expression is invalid for update");
}

/* In the sections from the last to the first: paths that are not there, then what a SET misses.
 * From an item that does not exist any path can be removed (ScyllaDB,
 * test_nested_attribute_remove_from_missing_item). */
static bool check_section_results(const struct apply *apply, uint32_t section, bool exists,
                                  struct err *err)
{
    const struct update *update = apply->update;

    for (uint32_t i = 0; i < update->count; i++) {
        const struct action *action = &update->actions[i];
        if (action->section != section || place_of(apply, action->path) == PLACE_GOOD)
            continue;
        if (exists || action->kind != ACTION_REMOVE)
            return fail_path(err);
        apply->results[i].outcome = OUTCOME_NOTHING;
    }
    for (uint32_t i = 0; i < update->count; i++)
        if (update->actions[i].section == section && apply->results[i].outcome == OUTCOME_MISSING)
            return err_fail(err, ERR_VALIDATION,
                            "The provided expression refers to an attribute that does not exist in "
                            "the item");
    return true;
}

static bool work_out(struct apply *apply, bool exists, struct err *err)
{
    const struct update *update = apply->update;

    for (uint32_t i = 0; i < update->count; i++)
        if (place_of(apply, update->actions[i].path) == PLACE_UNFIT)
            return fail_path(err);
    for (uint32_t i = 0; i < update->count; i++) {
        struct result *result = &apply->results[i];
        result->outcome = result_get(apply, &update->actions[i], &result->value);
        if (result->outcome == OUTCOME_TYPE)
            return err_fail(err, ERR_VALIDATION, "%s",
                            update->legacy ? "Type mismatch for attribute to update"
                                           : "An operand in the update expression has an incorrect "
                                             "data type");
    }
    for (uint32_t i = update->count; i > 0; i--) {
        uint32_t section = update->actions[i - 1].section;
        if ((i == update->count || update->actions[i].section != section) &&
            !check_section_results(apply, section, exists, err))
            return false;
    }
    for (uint32_t i = 0; i < update->count; i++) {
        if (apply->results[i].outcome == OUTCOME_NUMBER)
            return err_fail(err, apply->number->code, "%s", apply->number->message);
        if (apply->results[i].outcome == OUTCOME_SIZE)
            return fail_size(err);
    }
    return true;
}

/* ---- writing -------------------------------------------------------------------------------- */

/* The actions that lie below where the walk stands: order[from..to), `depth` steps below the item.
 */
struct written {
    const struct apply *apply;
    uint32_t from, to;
    uint32_t depth;
    struct buf *out;
};

static const struct node *path_of(const struct written *written, uint32_t at)
{
    const struct update *update = written->apply->update;

    return update->actions[update->order[at]].path;
}

static const struct step *step_of(const struct written *written, uint32_t at)
{
    return &path_of(written, at)->steps[written->depth];
}

/* The actions that go on with the step of the first one, one step deeper. */
static struct written written_below(const struct written *written)
{
    struct written below = *written;

    below.to = written->from + 1;
    below.depth++;
    while (below.to < written->to &&
           step_order(step_of(written, below.to), step_of(written, written->from)) == 0)
        below.to++;
    return below;
}

/* Whether the walk stands where the only action below it writes. */
static bool is_place(const struct written *below)
{
    return path_of(below, below->from)->count == below->depth;
}

static const struct result *result_of(const struct written *below)
{
    const struct apply *apply = below->apply;

    return &apply->results[apply->update->order[below->from]];
}

static uint32_t write_attributes(struct item_walk walk, struct written written);
static uint32_t write_elements(struct item_walk walk, struct written written);

/* What becomes of a value that is there; false: it is removed. */
static bool write_value(const struct value *old, struct written below)
{
    struct buf *out = below.out;

    if (is_place(&below)) {
        const struct result *result = result_of(&below);
        if (result->outcome == OUTCOME_REMOVAL)
            return false;
        buf_put_bytes(out, result->outcome == OUTCOME_VALUE ? result->value.encoded : old->encoded);
        return true;
    }
    if (old->type != VALUE_M && old->type != VALUE_L) { /* REMOVE below a scalar, of no item */
        buf_put_bytes(out, old->encoded);
        return true;
    }
    size_t content = value_open(out);
    uint32_t count = old->type == VALUE_M ? write_attributes(value_walk(old), below)
                                          : write_elements(value_walk(old), below);
    value_close(out, content, old->type, count);
    return true;
}

/* An attribute that was not there; false: nor is it now. */
static bool write_new(struct bytes name, struct written below)
{
    if (!is_place(&below) || result_of(&below)->outcome != OUTCOME_VALUE)
        return false;
    if (name.size > 0)
        value_put_name(below.out, name);
    buf_put_bytes(below.out, result_of(&below)->value.encoded);
    return true;
}

/* New attributes that come before `name`; all that are left where it is NULL. */
static uint32_t write_before(struct written *written, const struct bytes *name)
{
    uint32_t count = 0;

    while (written->from < written->to) {
        struct bytes next = step_of(written, written->from)->name;
        if (name != NULL && bytes_compare(next, *name) >= 0)
            break;
        struct written below = written_below(written);
        count += write_new(next, below);
        written->from = below.to;
    }
    return count;
}

static uint32_t write_attributes(struct item_walk walk, struct written written)
{
    const uint8_t *start = walk.next;
    struct bytes name;
    struct value value;
    uint32_t count = 0;

    while (item_next(&walk, &name, &value)) {
        count += write_before(&written, &name);
        if (written.from == written.to ||
            !bytes_equal(step_of(&written, written.from)->name, name)) {
            buf_put(written.out, start, (size_t)(walk.next - start));
            count++;
        } else {
            struct written below = written_below(&written);
            size_t before = written.out->size;
            value_put_name(written.out, name);
            if (write_value(&value, below))
                count++;
            else
                written.out->size = before;
            written.from = below.to;
        }
        start = walk.next;
    }
    return count + write_before(&written, NULL);
}

static uint32_t write_elements(struct item_walk walk, struct written written)
{
    struct value value;
    uint32_t count = 0;

    for (uint32_t i = 0; value_next(&walk, &value); i++) {
        if (written.from == written.to || step_of(&written, written.from)->index != i) {
            buf_put_bytes(written.out, value.encoded);
            count++;
            continue;
        }
        struct written below = written_below(&written);
        count += write_value(&value, below);
        written.from = below.to;
    }
    while (written.from < written.to) {
        struct written below = written_below(&written);
        count += write_new(BYTES_NONE, below);
        written.from = below.to;
    }
    return count;
}

/* ---- bounds --------------------------------------------------------------------------------- */

/* The levels of a value, itself included. */
static uint32_t height_of(const struct value *value)
{
    struct item_walk walk = value_walk(value);
    struct value inner;
    struct bytes name;
    uint32_t most = 0;

    if (value->type != VALUE_L && value->type != VALUE_M)
        return 1;
    while (value->type == VALUE_M ? item_next(&walk, &name, &inner) : value_next(&walk, &inner)) {
        uint32_t height = height_of(&inner);
        if (height > most)
            most = height;
    }
    return 1 + most;
}

/* What is written must fit, before it is written: in sum, since each value goes to a place of its
 * own, and in depth. */
static bool check_fits(const struct apply *apply, struct err *err)
{
    const struct update *update = apply->update;
    size_t size = 0;

    for (uint32_t i = 0; i < update->count; i++) {
        const struct result *result = &apply->results[i];
        uint32_t level = update->actions[i].path->count;
        if (result->outcome != OUTCOME_VALUE)
            continue;
        size += result->value.encoded.size;
        if (size > PACKED_MOST)
            return fail_size(err);
        if (level > 1 && level - 1 + height_of(&result->value) > ITEM_DEPTH_MOST)
            return err_fail(err, ERR_VALIDATION,
                            "Nesting Levels have exceeded supported limits: Attributes in the item "
                            "have nested levels beyond supported limit");
    }
    return true;
}

bool update_apply(const struct update *update, struct bytes base, bool exists, struct arena *arena,
                  struct bytes *out, struct err *err)
{
    struct err number;
    struct apply apply = {
        .update = update,
        .item = base,
        .arena = arena,
        .results = arena_alloc(arena, update->count * sizeof *apply.results),
        .number = &number,
    };
    struct buf made;

    if (!work_out(&apply, exists, err) || !check_fits(&apply, err))
        return false;
    buf_init_in(&made, arena);
    buf_room(&made, base.size + 64);
    item_open(&made);
    write_attributes(item_walk(base),
                     (struct written){.apply = &apply, .to = update->count, .out = &made});
    if (item_size(buf_bytes(&made)) > ITEM_SIZE_MOST)
        return fail_size(err);
    *out = buf_bytes(&made);
    return true;
}
