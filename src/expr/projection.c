/* expr/projection.c - choosing parts of an item. The paths are sorted as the item is, none within
 * another, so both are walked once, side by side: `paths` from..to are those that lie below where
 * the walk stands, `depth` steps below the item. */
#include "expr/projection.h"

#include <assert.h>
#include <stdlib.h>

#include "expr/syntax.h"

struct projection {
    struct node **paths; /* in the order of sort_paths() */
    struct node **asked; /* the same in the order of the text; NULL: of an update */
    uint32_t count;
};

static int name_order(const void *a, const void *b)
{
    const struct node *const *one = a, *const *other = b;

    return bytes_compare((*one)->steps[0].name, (*other)->steps[0].name);
}

bool projection_compile(struct scope *scope, struct bytes text, struct projection **out,
                        struct err *err)
{
    struct source source = {
        .label = "ProjectionExpression", .text = text, .scope = scope, .err = err};
    struct node_list paths;

    if (!parse_projection(&source, &paths))
        return false;
    struct node **asked = paths.nodes;
    if (!check_projection(&source, &paths))
        return false;
    *out = projection_of(scope->arena, paths.nodes, paths.count);
    (*out)->asked = asked;
    return true;
}

struct projection *projection_of(struct arena *arena, struct node **sorted, uint32_t count)
{
    struct projection *projection = arena_alloc(arena, sizeof *projection);

    *projection = (struct projection){.paths = sorted, .count = count};
    return projection;
}

struct projection *projection_of_names(struct arena *arena, const struct bytes *names,
                                       uint32_t count)
{
    struct node **asked = arena_alloc(arena, count * sizeof *asked);
    struct node **sorted = arena_alloc(arena, count * sizeof *sorted);

    for (uint32_t i = 0; i < count; i++)
        asked[i] = sorted[i] = path_of_name(arena, names[i]);
    qsort(sorted, count, sizeof *sorted, name_order);
    struct projection *projection = projection_of(arena, sorted, count);
    projection->asked = asked;
    return projection;
}

bool projection_check_keys(const struct projection *projection, const char *kind,
                           const struct bytes *keys, uint32_t count, struct err *err)
{
    for (uint32_t i = 0; i < projection->count; i++)
        if (!refuse_key_path(find_path(projection->paths[i], keys, count, true), kind, err))
            return false;
    return true;
}

uint32_t projection_names(const struct projection *projection, struct arena *arena,
                          struct bytes **names)
{
    uint32_t count = 0;

    assert(projection->asked != NULL);
    *names = arena_alloc(arena, projection->count * sizeof **names);
    for (uint32_t i = 0; i < projection->count; i++)
        count = collect_names(projection->asked[i], *names, count);
    return count;
}

/* ---- applying ------------------------------------------------------------------------------- */

struct chosen {
    struct node *const *paths;
    uint32_t from, to;
    uint32_t depth;
};

static uint32_t put_attributes(struct item_walk walk, struct chosen chosen, struct buf *out);
static uint32_t put_elements(struct item_walk walk, struct chosen chosen, struct buf *out);

static const struct step *step_at(const struct chosen *chosen, uint32_t path)
{
    return &chosen->paths[path]->steps[chosen->depth];
}

/* The paths that go on with the step of the first one, one step deeper. */
static struct chosen chosen_below(const struct chosen *chosen)
{
    struct chosen below = {chosen->paths, chosen->from, chosen->from + 1, chosen->depth + 1};

    while (below.to < chosen->to &&
           step_order(step_at(chosen, below.to), step_at(chosen, chosen->from)) == 0)
        below.to++;
    return below;
}

/* What is chosen of a value; false, and nothing is put, if that is nothing. */
static bool put_chosen(const struct value *value, struct chosen chosen, struct buf *out)
{
    uint32_t count = 0;

    if (chosen.paths[chosen.from]->count == chosen.depth) {
        buf_put_bytes(out, value->encoded);
        return true;
    }
    size_t start = out->size, content = value_open(out);
    if (value->type == VALUE_M)
        count = put_attributes(value_walk(value), chosen, out);
    else if (value->type == VALUE_L)
        count = put_elements(value_walk(value), chosen, out);
    if (count == 0) {
        out->size = start;
        return false;
    }
    value_close(out, content, value->type, count);
    return true;
}

static uint32_t put_attributes(struct item_walk walk, struct chosen chosen, struct buf *out)
{
    struct bytes name;
    struct value value;
    uint32_t count = 0;

    while (chosen.from < chosen.to && step_at(&chosen, chosen.from)->kind == STEP_INDEX)
        chosen.from++;
    while (chosen.from < chosen.to && item_next(&walk, &name, &value)) {
        int order = bytes_compare(step_at(&chosen, chosen.from)->name, name);
        for (; order < 0; order = bytes_compare(step_at(&chosen, chosen.from)->name, name)) {
            chosen.from = chosen_below(&chosen).to;
            if (chosen.from == chosen.to)
                return count;
        }
        if (order > 0)
            continue;
        struct chosen below = chosen_below(&chosen);
        size_t start = out->size;
        value_put_name(out, name);
        if (put_chosen(&value, below, out))
            count++;
        else
            out->size = start;
        chosen.from = below.to;
    }
    return count;
}

static uint32_t put_elements(struct item_walk walk, struct chosen chosen, struct buf *out)
{
    struct value value;
    uint32_t count = 0;

    for (uint32_t i = 0; chosen.from < chosen.to && value_next(&walk, &value); i++) {
        const struct step *step = step_at(&chosen, chosen.from);
        if (step->kind != STEP_INDEX)
            break;
        if (step->index != i)
            continue;
        struct chosen below = chosen_below(&chosen);
        count += put_chosen(&value, below, out);
        chosen.from = below.to;
    }
    return count;
}

struct bytes projection_apply(const struct projection *projection, struct bytes item,
                              struct arena *arena)
{
    struct chosen chosen = {projection->paths, 0, projection->count, 0};
    struct buf out;

    buf_init_in(&out, arena);
    item_open(&out);
    put_attributes(item_walk(item), chosen, &out);
    return buf_bytes(&out);
}
