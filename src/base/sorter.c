/* base/sorter.c - sorting in memory, and merging what went to disk.
 *
 * One block of memory has the pairs from its front on, as they were put, and from its end down a
 * short reference to each of them, which is what is sorted. When the two meet, values of one name
 * are joined; where that has freed half of it nothing goes to disk, so few names that take all the
 * puts cost nothing. Otherwise all of it is a run on disk. Runs of about one size are a level; a
 * level that has many is merged into one run of the next, so that a walk has few to merge,
 * whatever was put, and each pair is written once for every level that there is.
 *
 * In a file all runs are of one level, so a merged level's file is empty again. Levels are older
 * the higher they are, runs of a level are in order, memory is youngest: so equal names are found
 * in the order in which they were put. */
#include "base/sorter.h"

#include <assert.h>
#include <stdlib.h>

#include "base/large.h"
#include "base/runs.h"

#define LEVEL_RUNS  128 /* what a walk has of each level in buffers: a block for each */
#define LEVELS_MOST 5   /* 128 runs of 128 ...: with a page of memory more than any disk has */

struct level {
    bool open;
    struct scratch_file file;
    struct run runs[LEVEL_RUNS];
    uint32_t count;
};

struct memory {
    uint8_t *room;
    size_t size, used;     /* used: from the front */
    struct pair_ref *refs; /* the first of them; they end where the room does */
    size_t count;
    bool sorted; /* and each name is there once */
};

struct sorter {
    struct sorter_settings settings;
    struct memory memory;
    struct level levels[LEVELS_MOST];
};

struct sorter *sorter_new(const struct sorter_settings *settings)
{
    struct sorter *sorter = calloc(1, sizeof *sorter);

    if (sorter == NULL)
        abort();
    sorter->settings = *settings;
    sorter->memory.sorted = true;
    return sorter;
}

static void level_clear(struct level *level)
{
    for (uint32_t i = 0; i < level->count; i++)
        free(level->runs[i].marks);
    level->count = 0;
}

void sorter_free(struct sorter *sorter)
{
    if (sorter == NULL)
        return;
    for (uint32_t i = 0; i < LEVELS_MOST; i++) {
        level_clear(&sorter->levels[i]);
        if (sorter->levels[i].open)
            scratch_file_close(&sorter->levels[i].file);
    }
    large_free(sorter->memory.room);
    free(sorter);
}

uint64_t sorter_size(const struct sorter *sorter)
{
    uint64_t size = sorter->memory.used;

    for (uint32_t i = 0; i < LEVELS_MOST; i++)
        size += sorter->levels[i].file.size;
    return size;
}

/* --- memory */

static void memory_init(struct memory *memory, size_t size)
{
    size = (size + sizeof(struct pair_ref) - 1) / sizeof(struct pair_ref);
    *memory = (struct memory){.size = size * sizeof(struct pair_ref), .sorted = true};
    memory->room = large_new(memory->size);
    memory->refs = (struct pair_ref *)(void *)memory->room + size;
}

static void memory_clear(struct memory *memory)
{
    memory->refs += memory->count;
    memory->used = memory->count = 0;
    memory->sorted = true;
}

static bool memory_fits(const struct memory *memory, size_t pair)
{
    size_t taken = memory->used + memory->count * sizeof *memory->refs;

    return memory->size - taken >= pair + sizeof *memory->refs;
}

static void memory_put(struct memory *memory, struct bytes name, const struct bytes *pieces,
                       size_t count, size_t value_size)
{
    uint8_t *pair = memory->room + memory->used, *to = pair + PAIR_HEAD;

    assert(memory_fits(memory, PAIR_HEAD + name.size + value_size));
    pair_head_put(pair, name.size, value_size);
    memcpy(to, name.data, name.size);
    to += name.size;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].size > 0)
            memcpy(to, pieces[i].data, pieces[i].size);
        to += pieces[i].size;
    }
    memory->used = (size_t)(to - memory->room);
    *--memory->refs = (struct pair_ref){name_prefix(name), pair};
    memory->count++;
    memory->sorted = false;
}

/* Pairs of one name in the order in which they were put, which is how they lie. */
static int ref_order(const void *one, const void *other)
{
    const struct pair_ref *a = one, *b = other;

    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    int order = bytes_compare(pair_name(a->pair), pair_name(b->pair));
    return order != 0 ? order : (a->pair > b->pair) - (a->pair < b->pair);
}

/* How many of the references from `at` on have one name. */
static size_t group_size(const struct memory *memory, size_t at)
{
    const struct pair_ref *first = &memory->refs[at];
    size_t size = 1;

    while (at + size < memory->count && first[size].prefix == first->prefix &&
           bytes_equal(pair_name(first[size].pair), pair_name(first->pair)))
        size++;
    return size;
}

static bool has_repeats(const struct memory *memory)
{
    for (size_t i = 0; i + 1 < memory->count; i++)
        if (group_size(memory, i) > 1)
            return true;
    return false;
}

/* What the pairs of one name come to, put into other memory. */
static bool group_join(const struct sorter *sorter, const struct pair_ref *refs, size_t count,
                       struct memory *to, struct err *err)
{
    const struct sorter_settings *settings = &sorter->settings;
    struct bytes *values = calloc(count, sizeof *values);
    struct buf joined;

    if (values == NULL)
        abort();
    for (size_t i = 0; i < count; i++)
        values[i] = pair_value(refs[i].pair);
    buf_init(&joined);
    bool ok = settings->join(settings->context, values, count, &joined, err);
    if (ok)
        memory_put(to, pair_name(refs[0].pair), &(struct bytes){joined.data, joined.size}, 1,
                   joined.size);
    buf_release(&joined);
    free(values);
    return ok;
}

static void group_copy(const struct pair_ref *ref, struct memory *to)
{
    struct bytes value = pair_value(ref->pair);

    memory_put(to, pair_name(ref->pair), &value, 1, value.size);
}

/* Joined values are no larger than what they come from, so all fit into as much memory; their
 * references come out in the wrong order, and are sorted once more. */
static bool memory_join(struct sorter *sorter, struct err *err)
{
    struct memory *from = &sorter->memory, to;
    bool ok = true;

    memory_init(&to, from->size);
    for (size_t i = 0, size; ok && i < from->count; i += size) {
        size = group_size(from, i);
        if (size == 1)
            group_copy(&from->refs[i], &to);
        else
            ok = group_join(sorter, &from->refs[i], size, &to, err);
    }
    if (ok) {
        qsort(to.refs, to.count, sizeof *to.refs, ref_order);
        large_free(from->room);
        *from = to;
    } else {
        large_free(to.room);
    }
    return ok;
}

static bool memory_sort(struct sorter *sorter, struct err *err)
{
    struct memory *memory = &sorter->memory;

    if (memory->sorted)
        return true;
    qsort(memory->refs, memory->count, sizeof *memory->refs, ref_order);
    if (has_repeats(memory) && !memory_join(sorter, err))
        return false;
    memory->sorted = true;
    return true;
}

/* --- levels */

static struct source *sources_new(size_t count)
{
    struct source *sources = calloc(count + 1, sizeof *sources);

    if (sources == NULL)
        abort();
    return sources;
}

static uint32_t level_sources(const struct level *level, struct bytes from, struct source *out)
{
    for (uint32_t i = 0; i < level->count; i++)
        out[i] = source_of_run(&level->runs[i], &level->file, from);
    return level->count;
}

/* All that the merge shows, as one run more of the level. */
static bool level_write(struct sorter *sorter, struct level *level, struct merge *merge,
                        struct err *err)
{
    const struct sorter_settings *settings = &sorter->settings;
    struct sorted_pair pair;
    struct run_writer writer;
    bool found = true, ok = true;

    if (!level->open && !scratch_file_open(&level->file, settings->scratch, err))
        return false;
    level->open = true;
    run_begin(&writer, &level->file);
    while (ok && found) {
        ok = settings->goes_on(settings->context, err) && merge_next(merge, &pair, &found, err);
        if (ok && found)
            ok = run_put(&writer, pair.name, pair.value, err);
    }
    if (ok && run_commit(&writer, &level->runs[level->count], err)) {
        level->count++;
        return true;
    }
    run_abort(&writer);
    return false;
}

/* Makes one run in the level of all of these sources. */
static bool level_take(struct sorter *sorter, struct level *level, struct source *sources,
                       uint32_t count, struct err *err)
{
    struct merge merge;
    bool ok = merge_begin(&merge, &sorter->settings, sources, count, BYTES_NONE, err) &&
              level_write(sorter, level, &merge, err);

    merge_release(&merge);
    return ok;
}

/* Room for a run in the level `at`: at most one merge for each level above it, the highest first.
 */
static bool levels_make_room(struct sorter *sorter, struct err *err)
{
    uint32_t full = 0;

    while (sorter->levels[full].count == LEVEL_RUNS)
        full++;
    assert(full < LEVELS_MOST);
    for (; full > 0; full--) {
        struct level *level = &sorter->levels[full - 1];
        struct source *sources = sources_new(level->count);
        uint32_t count = level_sources(level, BYTES_NONE, sources);
        if (!level_take(sorter, &sorter->levels[full], sources, count, err))
            return false;
        level_clear(level);
        scratch_cut(&level->file, 0);
    }
    return true;
}

static bool memory_flush(struct sorter *sorter, struct err *err)
{
    struct memory *memory = &sorter->memory;

    if (!levels_make_room(sorter, err))
        return false;
    struct source *sources = sources_new(1);
    sources[0] = source_of_memory(memory->refs, memory->count);
    if (!level_take(sorter, &sorter->levels[0], sources, 1, err))
        return false;
    memory_clear(memory);
    return true;
}

/* --- putting */

static bool make_room(struct sorter *sorter, struct err *err)
{
    struct memory *memory = &sorter->memory;

    if (!memory_sort(sorter, err))
        return false;
    if (memory->used + memory->count * sizeof *memory->refs <= memory->size / 2)
        return true;
    return memory_flush(sorter, err);
}

bool sorter_put(struct sorter *sorter, struct bytes name, const struct bytes *pieces, size_t count,
                struct err *err)
{
    struct memory *memory = &sorter->memory;
    size_t value_size = 0;

    for (size_t i = 0; i < count; i++)
        value_size += pieces[i].size;
    size_t pair = PAIR_HEAD + name.size + value_size;
    if (memory->room == NULL)
        memory_init(memory, sorter->settings.memory_most);
    if (!memory_fits(memory, pair) && memory->count > 0 && !make_room(sorter, err))
        return false;
    if (!memory_fits(memory, pair) && memory->count > 0 && !memory_flush(sorter, err))
        return false;
    if (!memory_fits(memory, pair)) { /* empty, and too small even so */
        large_free(memory->room);
        memory_init(memory, pair + sizeof *memory->refs);
    }
    memory_put(memory, name, pieces, count, value_size);
    return true;
}

bool sorter_ready(struct sorter *sorter, struct err *err)
{
    return memory_sort(sorter, err);
}

/* --- walking */

struct sorter_cursor {
    struct merge merge;
    struct bytes to;
};

struct sorter_cursor *sorter_cursor_open(const struct sorter *sorter, struct bytes from,
                                         struct bytes to, struct err *err)
{
    struct sorter_cursor *cursor = calloc(1, sizeof *cursor);
    struct source *sources = sources_new((size_t)LEVELS_MOST * LEVEL_RUNS);
    uint32_t count = 0;

    assert(cursor != NULL && sorter->memory.sorted);
    cursor->to = to;
    for (uint32_t level = LEVELS_MOST; level-- > 0;)
        count += level_sources(&sorter->levels[level], from, sources + count);
    sources[count++] = source_of_memory(sorter->memory.refs, sorter->memory.count);
    if (merge_begin(&cursor->merge, &sorter->settings, sources, count, from, err))
        return cursor;
    sorter_cursor_close(cursor);
    return NULL;
}

bool sorter_cursor_next(struct sorter_cursor *cursor, struct sorted_pair *out, bool *found,
                        struct err *err)
{
    if (!merge_next(&cursor->merge, out, found, err))
        return false;
    if (*found && cursor->to.size > 0 && bytes_compare(out->name, cursor->to) >= 0)
        *found = false;
    return true;
}

void sorter_cursor_close(struct sorter_cursor *cursor)
{
    if (cursor == NULL)
        return;
    merge_release(&cursor->merge);
    free(cursor);
}
