/* item/parts.h - the attributes of a map or the members of a set at the end of a buf, noted as they
 * come and put in order at their end. For the readers of this folder; one thread at a time. */
#ifndef ITEM_PARTS_H
#define ITEM_PARTS_H

#include "item/packed.h"

#define PARTS_FEW 24 /* on the stack; more are in the arena */

struct parts {
    struct buf *out;
    struct arena *arena;
    size_t base; /* where they begin in the buf */
    uint32_t count, capacity;
    bool sorted; /* so far, and each key once */
    struct item_part *all;
    struct item_part few[PARTS_FEW];
};

static inline void parts_begin(struct parts *parts, struct buf *out, struct arena *arena)
{
    parts->out = out;
    parts->arena = arena;
    parts->base = out->size;
    parts->count = 0;
    parts->capacity = PARTS_FEW;
    parts->sorted = true;
    parts->all = parts->few;
}

void parts_grow(struct parts *parts);

/* Notes a part that begins at `start` in the buf and has its key at `key_start`; its end is not
 * known yet. `key` has the same bytes: best those that the key was copied from, since what was just
 * written is slow to read back. */
static inline void parts_open(struct parts *parts, size_t start, size_t key_start, struct bytes key)
{
    if (parts->count == parts->capacity)
        parts_grow(parts);
    const uint8_t *base = parts->out->data + parts->base;
    struct item_part *part = &parts->all[parts->count];
    part->start = (uint32_t)(start - parts->base);
    part->key_start = (uint32_t)(key_start - parts->base);
    part->key_size = (uint32_t)key.size;
    part->prefix = item_part_prefix(key);
    if (parts->sorted && parts->count > 0 && part->prefix <= part[-1].prefix)
        parts->sorted = part->prefix == part[-1].prefix &&
                        bytes_compare(item_part_key(base, part - 1), item_part_key(base, part)) < 0;
    parts->count++;
}

static inline void parts_close(struct parts *parts)
{
    struct item_part *part = &parts->all[parts->count - 1];

    part->size = (uint32_t)(parts->out->size - parts->base) - part->start;
}

void parts_sort(struct parts *parts);

/* Whether part `i` has the key of the one before; they are sorted. */
bool part_repeats(const struct parts *parts, uint32_t i);

/* Lays the parts out anew in the buf, in their order. */
void parts_lay_out(const struct parts *parts);

#endif
