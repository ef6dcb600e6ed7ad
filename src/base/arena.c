/* base/arena.c - a chain of blocks, each twice its forerunner up to a limit; an allocation that is
 * larger than a block gets a block of its own size. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_FIRST ((size_t)8 * 1024)
#define BLOCK_MOST  ((size_t)1024 * 1024)
#define ALIGNMENT   alignof(max_align_t)

struct arena_block {
    struct arena_block *older;
    size_t size; /* of `room` */
    alignas(max_align_t) uint8_t room[];
};

void arena_init(struct arena *arena)
{
    *arena = (struct arena){0};
}

void arena_release(struct arena *arena)
{
    arena_rewind(arena, (struct arena_mark){0});
}

static void block_add(struct arena *arena, size_t least)
{
    size_t size = arena->block == NULL ? BLOCK_FIRST : arena->block->size * 2;

    if (size > BLOCK_MOST)
        size = BLOCK_MOST;
    if (size < least)
        size = least;
    struct arena_block *block = malloc(sizeof *block + size);
    if (block == NULL)
        abort();
    block->older = arena->block;
    block->size = size;
    arena->block = block;
    arena->next = block->room;
    arena->end = block->room + size;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    if ((size_t)(arena->end - arena->next) < size)
        block_add(arena, size);
    void *result = arena->next;
    arena->next += size;
    return result;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
    void *result = arena_alloc(arena, size);

    memset(result, 0, size);
    return result;
}

struct bytes arena_copy(struct arena *arena, struct bytes source)
{
    uint8_t *copy = arena_alloc(arena, source.size);

    if (source.size > 0)
        memcpy(copy, source.data, source.size);
    return bytes_of(copy, source.size);
}

char *arena_text(struct arena *arena, struct bytes source)
{
    char *text = arena_alloc(arena, source.size + 1);

    if (source.size > 0)
        memcpy(text, source.data, source.size);
    text[source.size] = '\0';
    return text;
}

struct bytes arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        abort();
    char *text = arena_alloc(arena, (size_t)length + 1);
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return bytes_of(text, (size_t)length);
}

struct arena_mark arena_mark(const struct arena *arena)
{
    return (struct arena_mark){arena->block, arena->next};
}

void arena_rewind(struct arena *arena, struct arena_mark mark)
{
    while (arena->block != mark.block) {
        struct arena_block *older = arena->block->older;
        free(arena->block);
        arena->block = older;
    }
    arena->next = mark.next;
    arena->end = mark.block == NULL ? NULL : mark.block->room + mark.block->size;
}

void arena_reset(struct arena *arena, size_t keep_most)
{
    struct arena_block *kept = NULL;

    while (arena->block != NULL) {
        struct arena_block *block = arena->block;
        arena->block = block->older;
        if (kept == NULL && block->size <= keep_most)
            kept = block;
        else
            free(block);
    }
    arena_init(arena);
    if (kept == NULL)
        return;
    kept->older = NULL;
    *arena = (struct arena){kept, kept->room, kept->room + kept->size};
}

size_t arena_footprint(const struct arena *arena)
{
    size_t total = 0;

    for (const struct arena_block *block = arena->block; block != NULL; block = block->older)
        total += sizeof *block + block->size;
    return total;
}
