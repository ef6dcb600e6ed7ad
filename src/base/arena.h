/* base/arena.h - memory that is given back all at once: what one request (or one page of a job)
 * makes lives here and nobody frees piece by piece. One thread at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/bytes.h"

struct arena_block;

struct arena {
    struct arena_block *block; /* the newest; older ones hang behind it */
    uint8_t *next, *end;       /* free room in the newest */
};

/* A place to go back to, see arena_rewind(). */
struct arena_mark {
    struct arena_block *block;
    uint8_t *next;
};

void arena_init(struct arena *arena);
void arena_release(struct arena *arena);

/* Aligned for any type, not cleared. Never NULL: sizes are bounded at the door, and a process that
 * cannot have them aborts. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_zalloc(struct arena *arena, size_t size);

/* Copies; arena_text() adds the NUL that C functions want. */
struct bytes arena_copy(struct arena *arena, struct bytes source);
char *arena_text(struct arena *arena, struct bytes source);
struct bytes arena_printf(struct arena *arena, const char *format, ...) PRINTF(2, 3);

/* Frees all that came after the mark; a block that stays is used again. */
struct arena_mark arena_mark(const struct arena *arena);
void arena_rewind(struct arena *arena, struct arena_mark mark);

/* Empties the arena for another use, and keeps the newest block of at most `keep_most` bytes, so
 * that a use like the last one asks the system for nothing. */
void arena_reset(struct arena *arena, size_t keep_most);

/* Bytes held from the system, for limits and metrics. */
size_t arena_footprint(const struct arena *arena);

#endif
