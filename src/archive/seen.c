/* archive/seen.c - an external sort. Keys gather in memory; as often as that is full they are
 * sorted and written behind each other to a scratch file. In the end these runs are merged, a piece
 * of each in the same memory, and equal keys meet. */
#include "archive/seen.h"

#include <assert.h>
#include <stdlib.h>

#define KEYS_FIRST ((size_t)1024)

struct key {
    uint64_t hash, place;
};

struct seen {
    struct scratch *scratch;
    struct key *keys;
    size_t count, capacity, most;
    bool open; /* the file is, once it is needed */
    struct scratch_file file;
    size_t runs;
    uint64_t last_hash; /* of the merge */
    bool has_last;
};

/* A run as it is merged: what of it is in memory, and where the rest is. */
struct run {
    struct key *next, *end, *room;
    size_t at, left; /* keys, in the file */
};

struct seen *seen_new(struct scratch *scratch, size_t keys_most)
{
    struct seen *seen = calloc(1, sizeof *seen);

    assert(seen != NULL && keys_most > 0);
    seen->scratch = scratch;
    seen->most = keys_most;
    seen->capacity = keys_most < KEYS_FIRST ? keys_most : KEYS_FIRST;
    seen->keys = malloc(seen->capacity * sizeof *seen->keys);
    assert(seen->keys != NULL);
    return seen;
}

void seen_free(struct seen *seen)
{
    if (seen->open)
        scratch_file_close(&seen->file);
    free(seen->keys);
    free(seen);
}

static int key_compare(const void *left, const void *right)
{
    const struct key *a = left, *b = right;

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

/* --- the file */

static bool run_write(struct seen *seen, struct err *err)
{
    if (!seen->open && !scratch_file_open(&seen->file, seen->scratch, err))
        return false;
    seen->open = true;
    qsort(seen->keys, seen->count, sizeof *seen->keys, key_compare);
    if (!scratch_append(&seen->file, bytes_of(seen->keys, seen->count * sizeof *seen->keys), err))
        return false;
    seen->runs++;
    seen->count = 0;
    return true;
}

/* The next piece of a run; it is empty where nothing is left. */
static bool run_fill(const struct seen *seen, struct run *run, size_t room, struct err *err)
{
    size_t count = run->left < room ? run->left : room;

    if (!scratch_read(&seen->file, run->at * sizeof *run->room, (uint8_t *)run->room,
                      count * sizeof *run->room, err))
        return false;
    run->next = run->room;
    run->end = run->room + count;
    run->at += count;
    run->left -= count;
    return true;
}

/* --- keys */

static void grow(struct seen *seen)
{
    size_t wanted = seen->capacity * 2;

    seen->capacity = wanted < seen->most ? wanted : seen->most;
    seen->keys = realloc(seen->keys, seen->capacity * sizeof *seen->keys);
    assert(seen->keys != NULL);
}

bool seen_put(struct seen *seen, uint64_t hash, uint64_t place, struct err *err)
{
    if (seen->count == seen->most && !run_write(seen, err))
        return false;
    if (seen->count == seen->capacity)
        grow(seen);
    seen->keys[seen->count++] = (struct key){hash, place};
    return true;
}

/* In the order of hashes and places. */
static void meet(struct seen *seen, const struct key *key,
                 void (*tell)(void *context, uint64_t place), void *context)
{
    if (seen->has_last && seen->last_hash == key->hash)
        tell(context, key->place);
    seen->last_hash = key->hash;
    seen->has_last = true;
}

/* Restores the heap, whose root alone may be out of order: the run with the least key first. */
static void sift(struct run *heap, size_t count)
{
    for (size_t at = 0, child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && key_compare(heap[child + 1].next, heap[child].next) < 0)
            child++;
        if (key_compare(heap[at].next, heap[child].next) <= 0)
            break;
        struct run moved = heap[at];
        heap[at] = heap[child];
        heap[child] = moved;
    }
}

static int run_compare(const void *left, const void *right)
{
    return key_compare(((const struct run *)left)->next, ((const struct run *)right)->next);
}

/* All runs are as long as the memory but for the last one. */
static bool runs_begin(struct seen *seen, struct run *runs, size_t room, uint64_t total,
                       struct err *err)
{
    for (size_t i = 0; i < seen->runs; i++) {
        size_t at = i * seen->most;
        size_t left = total - at < seen->most ? (size_t)(total - at) : seen->most;
        runs[i] = (struct run){.room = seen->keys + i * room, .at = at, .left = left};
        if (!run_fill(seen, &runs[i], room, err))
            return false;
    }
    qsort(runs, seen->runs, sizeof *runs, run_compare); /* which is a heap */
    return true;
}

static bool merge(struct seen *seen, struct run *runs, size_t room,
                  void (*tell)(void *context, uint64_t place), void *context, struct err *err)
{
    size_t count = seen->runs;

    while (count > 0) {
        meet(seen, runs[0].next++, tell, context);
        if (runs[0].next == runs[0].end && !run_fill(seen, &runs[0], room, err))
            return false;
        if (runs[0].next == runs[0].end)
            runs[0] = runs[--count];
        sift(runs, count);
    }
    return true;
}

bool seen_repeats(struct seen *seen, void (*tell)(void *context, uint64_t place), void *context,
                  struct err *err)
{
    if (seen->runs == 0) {
        qsort(seen->keys, seen->count, sizeof *seen->keys, key_compare);
        for (size_t i = 0; i < seen->count; i++)
            meet(seen, &seen->keys[i], tell, context);
        return true;
    }
    uint64_t total = (uint64_t)seen->runs * seen->most + seen->count;
    if (!run_write(seen, err))
        return false;
    size_t room = seen->capacity / seen->runs;
    if (room == 0)
        return err_fail(err, ERR_STORAGE, "more keys than can be sorted");
    struct run *runs = malloc(seen->runs * sizeof *runs);
    assert(runs != NULL);
    bool ok =
        runs_begin(seen, runs, room, total, err) && merge(seen, runs, room, tell, context, err);
    free(runs);
    return ok;
}
