/* engine/current.h - what some keys have at this moment, the writes that are being gathered
 * included: a committer checks expectations and adds to counters here, without reading the disk
 * again and again. The owner loads a key before it first asks, then shows every write. For engines
 * only; one thread. */
#ifndef ENGINE_CURRENT_H
#define ENGINE_CURRENT_H

#include "engine/engine.h"

struct current_entry {
    struct current_entry *next, *next_changed;
    uint64_t hash;
    enum engine_space space;
    uint32_t key_size;
    bool found;   /* the key is there, with `value` */
    bool changed; /* by current_sum(), and not yet taken */
    bool listed;  /* among the changed ones */
    struct buf value;
    uint8_t key[];
};

struct current {
    struct current_entry **buckets;
    size_t bucket_count, count, bytes;
    size_t of_space[ENGINE_SPACES];
    struct current_entry *changed;
};

void current_init(struct current *current);
void current_release(struct current *current);

/* Forgets everything: a later current_find() answers NULL. */
void current_clear(struct current *current);

/* NULL: not loaded. */
struct current_entry *current_find(const struct current *current, enum engine_space space,
                                   struct bytes key);
/* Loads a key that was not. */
void current_load(struct current *current, enum engine_space space, struct bytes key, bool found,
                  struct bytes value);

/* A write, in the order of writes; no matter whether the key was loaded. */
void current_put(struct current *current, enum engine_space space, struct bytes key,
                 struct bytes value);
void current_delete(struct current *current, enum engine_space space, struct bytes key);
void current_delete_range(struct current *current, enum engine_space space, struct bytes from,
                          struct bytes to);
/* Adds to counters of a loaded key. The sums are not shown to the engine at once: it takes the last
 * of each key, those that were put or deleted since left out. */
void current_sum(struct current *current, enum engine_space space, struct bytes key,
                 struct bytes deltas);
/* The next changed entry, until NULL; its value is what to put. */
struct current_entry *current_take(struct current *current);

#endif
