/* engine/current.c - a hash table of loaded keys. A key that was never loaded costs a write one
 * look at a counter of its space, so puts of items pass by. */
#include "engine/current.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>

#include "engine/batch.h"

#define FIRST_BUCKETS ((size_t)256) /* a power of two, like all that follow */

static void *must_calloc(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (memory == NULL)
        abort();
    return memory;
}

void current_init(struct current *current)
{
    *current = (struct current){
        .buckets = must_calloc(FIRST_BUCKETS, sizeof(struct current_entry *)),
        .bucket_count = FIRST_BUCKETS,
    };
}

void current_clear(struct current *current)
{
    for (size_t i = 0; i < current->bucket_count; i++) {
        for (struct current_entry *entry = current->buckets[i]; entry != NULL;) {
            struct current_entry *next = entry->next;
            buf_release(&entry->value);
            free(entry);
            entry = next;
        }
        current->buckets[i] = NULL;
    }
    current->count = current->bytes = 0;
    memset(current->of_space, 0, sizeof current->of_space);
    current->changed = NULL;
}

void current_release(struct current *current)
{
    current_clear(current);
    free(current->buckets);
    *current = (struct current){0};
}

static uint64_t hash_of(enum engine_space space, struct bytes key)
{
    return XXH3_64bits_withSeed(key.data, key.size, (XXH64_hash_t)space);
}

static struct current_entry **bucket_of(const struct current *current, uint64_t hash)
{
    return &current->buckets[hash & (current->bucket_count - 1)];
}

static struct bytes entry_key(const struct current_entry *entry)
{
    return bytes_of(entry->key, entry->key_size);
}

struct current_entry *current_find(const struct current *current, enum engine_space space,
                                   struct bytes key)
{
    if (current->of_space[space] == 0)
        return NULL;
    uint64_t hash = hash_of(space, key);
    struct current_entry *entry = *bucket_of(current, hash);

    while (entry != NULL &&
           !(entry->hash == hash && entry->space == space && bytes_equal(entry_key(entry), key)))
        entry = entry->next;
    return entry;
}

static void entry_insert(struct current *current, struct current_entry *entry)
{
    struct current_entry **bucket = bucket_of(current, entry->hash);

    entry->next = *bucket;
    *bucket = entry;
}

static void grow(struct current *current)
{
    struct current old = *current;

    current->bucket_count *= 2;
    current->buckets = must_calloc(current->bucket_count, sizeof(struct current_entry *));
    for (size_t i = 0; i < old.bucket_count; i++)
        for (struct current_entry *entry = old.buckets[i]; entry != NULL;) {
            struct current_entry *next = entry->next;
            entry_insert(current, entry);
            entry = next;
        }
    free(old.buckets);
}

static void entry_set(struct current *current, struct current_entry *entry, bool found,
                      struct bytes value)
{
    current->bytes += value.size;
    current->bytes -= entry->value.size;
    buf_clear(&entry->value);
    buf_put_bytes(&entry->value, value);
    entry->found = found;
    entry->changed = false;
}

void current_load(struct current *current, enum engine_space space, struct bytes key, bool found,
                  struct bytes value)
{
    struct current_entry *entry = must_calloc(1, sizeof *entry + key.size);

    if (current->count == current->bucket_count)
        grow(current);
    entry->hash = hash_of(space, key);
    entry->space = space;
    entry->key_size = (uint32_t)key.size;
    if (key.size > 0)
        memcpy(entry->key, key.data, key.size);
    buf_init(&entry->value);
    entry_insert(current, entry);
    current->count++;
    current->of_space[space]++;
    current->bytes += sizeof *entry + key.size;
    entry_set(current, entry, found, value);
}

void current_put(struct current *current, enum engine_space space, struct bytes key,
                 struct bytes value)
{
    struct current_entry *entry = current_find(current, space, key);

    if (entry != NULL)
        entry_set(current, entry, true, value);
}

void current_delete(struct current *current, enum engine_space space, struct bytes key)
{
    struct current_entry *entry = current_find(current, space, key);

    if (entry != NULL)
        entry_set(current, entry, false, BYTES_NONE);
}

void current_delete_range(struct current *current, enum engine_space space, struct bytes from,
                          struct bytes to)
{
    for (size_t i = 0; current->of_space[space] > 0 && i < current->bucket_count; i++)
        for (struct current_entry *entry = current->buckets[i]; entry != NULL; entry = entry->next)
            if (entry->space == space && bytes_compare(entry_key(entry), from) >= 0 &&
                bytes_compare(entry_key(entry), to) < 0)
                entry_set(current, entry, false, BYTES_NONE);
}

void current_sum(struct current *current, enum engine_space space, struct bytes key,
                 struct bytes deltas)
{
    struct current_entry *entry = current_find(current, space, key);

    assert(entry != NULL);
    struct bytes old = buf_bytes(&entry->value);
    size_t size = batch_sum_size(old, deltas);
    buf_room(&entry->value, size - old.size);
    old.data = entry->value.data;
    batch_sum(old, deltas, entry->value.data);
    current->bytes += size - old.size;
    entry->value.size = size;
    entry->found = entry->changed = true;
    if (!entry->listed) {
        entry->listed = true;
        entry->next_changed = current->changed;
        current->changed = entry;
    }
}

struct current_entry *current_take(struct current *current)
{
    while (current->changed != NULL) {
        struct current_entry *entry = current->changed;
        current->changed = entry->next_changed;
        entry->listed = false;
        if (entry->changed) {
            entry->changed = false;
            return entry;
        }
    }
    return NULL;
}
