/* archive/seen.h - which keys an export has already, in constant memory. Each key is put with its
 * place; those that come again are told once all are there. Keys go by hashes of 64 bits. One
 * thread. */
#ifndef ARCHIVE_SEEN_H
#define ARCHIVE_SEEN_H

#include "base/scratch.h"

/* Ours: 16 MiB of keys before any goes to disk, and as much while they are sorted. */
#define SEEN_KEYS_MOST ((size_t)1024 * 1024)

struct seen;

/* More keys than `keys_most` take 16 bytes each of the scratch, which is borrowed. */
struct seen *seen_new(struct scratch *scratch, size_t keys_most);
void seen_free(struct seen *seen);

MUST_CHECK bool seen_put(struct seen *seen, uint64_t hash, uint64_t place, struct err *err);

/* Tells the places of all keys that were put before, by their hashes; for each key its least place
 * goes untold. Nothing may be put after it. */
MUST_CHECK bool seen_repeats(struct seen *seen, void (*tell)(void *context, uint64_t place),
                             void *context, struct err *err);

#endif
