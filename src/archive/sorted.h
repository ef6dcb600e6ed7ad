/* archive/sorted.h - items in the order of their keys: what `gramme diff` and `gramme replay` make
 * of exports that are larger than memory, with base/sorter.h. */
#ifndef ARCHIVE_SORTED_H
#define ARCHIVE_SORTED_H

#include "base/sorter.h"

/* Ours: bytes of items in memory before they go to scratch files. With what sorting them takes it
 * is up to two and a half times that, and beside it a block of each run that is merged, see
 * base/sorter.c: doc/operations.md has what the commands come to. */
#define SORTED_MEMORY ((size_t)32 * 1024 * 1024)

/* A sorter of at most SORTED_MEMORY that nobody ends early. `join` as of its settings. */
struct sorter *sorted_new(struct scratch *scratch,
                          bool (*join)(void *context, const struct bytes *values, size_t count,
                                       struct buf *out, struct err *err),
                          void *context);

/* Where an item belongs: hash, partition key, sort key, as tables have it; in the arena. `names`:
 * one or two, the second NULL if there is none. ERR_CORRUPT if the item lacks them. */
MUST_CHECK bool sorted_key(struct bytes item, const char *const names[2], struct arena *arena,
                           struct bytes *out, struct err *err);

#endif
