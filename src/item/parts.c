/* item/parts.c - what is seldom needed of parts.h: most items have few attributes, in order. */
#include "item/parts.h"

#define CONTENT_FEW ((size_t)2048)

void parts_grow(struct parts *parts)
{
    struct item_part *more = arena_alloc(parts->arena, 2 * (size_t)parts->capacity * sizeof *more);

    memcpy(more, parts->all, parts->count * sizeof *more);
    parts->all = more;
    parts->capacity *= 2;
}

void parts_sort(struct parts *parts)
{
    struct arena_mark mark = arena_mark(parts->arena);
    struct item_part few[PARTS_FEW], *spare = few;

    if (parts->count > PARTS_FEW)
        spare = arena_alloc(parts->arena, parts->count * sizeof *spare);
    item_parts_sort(parts->out->data + parts->base, parts->all, spare, parts->count);
    arena_rewind(parts->arena, mark);
}

bool part_repeats(const struct parts *parts, uint32_t i)
{
    const uint8_t *base = parts->out->data + parts->base;
    const struct item_part *part = &parts->all[i];

    return i > 0 && part->prefix == part[-1].prefix &&
           bytes_equal(item_part_key(base, part - 1), item_part_key(base, part));
}

/* The room for it is given back at once: maps in maps in maps would take it as often as they are
 * deep. */
void parts_lay_out(const struct parts *parts)
{
    struct arena_mark mark = arena_mark(parts->arena);
    uint8_t few[CONTENT_FEW], *laid = few, *base = parts->out->data + parts->base;
    size_t size = 0;

    if (parts->out->size - parts->base > CONTENT_FEW)
        laid = arena_alloc(parts->arena, parts->out->size - parts->base);
    for (uint32_t i = 0; i < parts->count; i++) {
        memcpy(laid + size, base + parts->all[i].start, parts->all[i].size);
        size += parts->all[i].size;
    }
    memcpy(base, laid, size);
    parts->out->size = parts->base + size;
    arena_rewind(parts->arena, mark);
}
