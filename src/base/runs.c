/* base/runs.c - a run is blocks one behind the other:
 *
 *     size of the pairs (4) | checksum of the pairs (8) | pairs
 *
 * A block is as large as a reader's buffer, but for one pair that is larger and has a block of its
 * own. Of some blocks, evenly spread and bounded in number, it is kept in memory with which name
 * they begin, so that a walk from the middle need not read what is before it.
 *
 * A merge keeps its sources in a heap, by the name that each is at; sources with equal names come
 * out of it in the order in which they were put. */
#include "base/runs.h"

#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"

#define BLOCK_MOST ((size_t)32 * 1024)
#define BLOCK_HEAD 12
#define WRITE_EACH                                                                                 \
    ((size_t)256 * 1024) /* and where: much dearer for a file system in other pieces */
#define MARKS_MOST 1024

static void *must_have(void *allocated)
{
    if (allocated == NULL)
        abort();
    return allocated;
}

uint64_t name_prefix(struct bytes name)
{
    uint8_t front[8] = {0};

    if (name.size >= sizeof front)
        return be64_load(name.data);
    if (name.size > 0)
        memcpy(front, name.data, name.size);
    return be64_load(front);
}

void pair_head_put(uint8_t *to, size_t name_size, size_t value_size)
{
    be32_store(to, (uint32_t)name_size);
    be32_store(to + 4, (uint32_t)value_size);
}

struct bytes pair_name(const uint8_t *pair)
{
    return bytes_of(pair + PAIR_HEAD, be32_load(pair));
}

struct bytes pair_value(const uint8_t *pair)
{
    return bytes_of(pair + PAIR_HEAD + be32_load(pair), be32_load(pair + 4));
}

/* --- writing */

void run_begin(struct run_writer *writer, struct scratch_file *file)
{
    *writer = (struct run_writer){.file = file, .stride = 1};
    writer->run.from = file->size;
    buf_init(&writer->blocks);
    buf_grow(&writer->blocks, WRITE_EACH + BLOCK_MOST);
}

static void marks_thin(struct run_writer *writer)
{
    struct run *run = &writer->run;

    for (uint32_t i = 0; i < run->mark_count / 2; i++)
        run->marks[i] = run->marks[(size_t)2 * i];
    run->mark_count /= 2;
    writer->stride *= 2;
}

/* Whenever their number is a power of two there is room for no more. */
static void mark_put(struct run_writer *writer)
{
    struct run *run = &writer->run;

    if (writer->unmarked++ % writer->stride != 0)
        return;
    if (run->mark_count == MARKS_MOST)
        marks_thin(writer);
    if ((run->mark_count & (run->mark_count - 1)) == 0)
        run->marks =
            must_have(realloc(run->marks, ((size_t)2 * run->mark_count + 1) * sizeof *run->marks));
    run->marks[run->mark_count++] =
        (struct run_mark){writer->first, writer->file->size + writer->block_at};
    writer->unmarked = 1;
}

/* Ends a block; the next begins behind it. */
static void block_end(struct run_writer *writer)
{
    uint8_t *block = writer->blocks.data + writer->block_at;
    struct bytes pairs = bytes_from(buf_bytes(&writer->blocks), writer->block_at + BLOCK_HEAD);

    be32_store(block, (uint32_t)pairs.size);
    be64_store(block + 4, bytes_hash(pairs, 0));
    mark_put(writer);
    writer->block_at = writer->blocks.size;
}

/* Writes what has been gathered, up to the last of the places where writes end. */
static bool blocks_write(struct run_writer *writer, struct err *err)
{
    struct buf *blocks = &writer->blocks;
    size_t beyond = (size_t)((writer->file->size + writer->block_at) % WRITE_EACH);

    if (writer->block_at <= beyond)
        return true;
    size_t size = writer->block_at - beyond;
    if (!scratch_append(writer->file, bytes_of(blocks->data, size), err))
        return false;
    memmove(blocks->data, blocks->data + size, blocks->size - size);
    blocks->size -= size;
    writer->block_at -= size;
    return true;
}

bool run_put(struct run_writer *writer, struct bytes name, struct bytes value, struct err *err)
{
    struct buf *blocks = &writer->blocks;
    size_t size = PAIR_HEAD + name.size + value.size, held = blocks->size - writer->block_at;

    if (held > 0 && held + size > BLOCK_MOST) {
        block_end(writer);
        held = 0;
        if (!blocks_write(writer, err))
            return false;
    }
    uint8_t *to = buf_room(blocks, BLOCK_HEAD + size);
    if (held == 0) {
        to += BLOCK_HEAD;
        blocks->size += BLOCK_HEAD;
        writer->first = name_prefix(name);
    }
    pair_head_put(to, name.size, value.size);
    blocks->size += PAIR_HEAD;
    buf_put_bytes(blocks, name);
    buf_put_bytes(blocks, value);
    return true;
}

bool run_commit(struct run_writer *writer, struct run *out, struct err *err)
{
    if (writer->blocks.size > writer->block_at)
        block_end(writer);
    if (!scratch_append(writer->file, buf_bytes(&writer->blocks), err))
        return false;
    buf_release(&writer->blocks);
    writer->run.to = writer->file->size;
    *out = writer->run;
    return true;
}

void run_abort(struct run_writer *writer)
{
    scratch_cut(writer->file, writer->run.from);
    free(writer->run.marks);
    buf_release(&writer->blocks);
}

/* --- reading */

struct source source_of_memory(const struct pair_ref *refs, size_t count)
{
    return (struct source){.next = refs, .end = refs + count};
}

struct source source_of_run(const struct run *run, const struct scratch_file *file,
                            struct bytes from)
{
    struct source source = {.file = file, .at = run->from, .to = run->to};

    for (uint32_t i = 0; i < run->mark_count && run->marks[i].prefix < name_prefix(from); i++)
        source.at = run->marks[i].at;
    buf_init(&source.block);
    return source;
}

static bool corrupt(const struct source *source, struct err *err)
{
    return err_fail(err, ERR_CORRUPT, "a file of scratch in %s is not as it was written at %llu",
                    source->file->scratch->place.folder, (unsigned long long)source->at);
}

/* Most often all of it is there with the first read. */
static bool block_read(struct source *source, struct err *err)
{
    struct buf *block = &source->block;
    uint64_t left = source->to - source->at;
    size_t got = left < BLOCK_MOST ? (size_t)left : BLOCK_MOST;

    buf_clear(block);
    if (!scratch_read(source->file, source->at, buf_room(block, BLOCK_MOST), got, err))
        return false;
    size_t size = BLOCK_HEAD + (size_t)be32_load(block->data);
    if (got < BLOCK_HEAD || size > left)
        return corrupt(source, err);
    block->size = got;
    if (size > got &&
        !scratch_read(source->file, source->at + got, buf_room(block, size - got), size - got, err))
        return false;
    block->size = size;
    if (bytes_hash(bytes_from(buf_bytes(block), BLOCK_HEAD), 0) != be64_load(block->data + 4))
        return corrupt(source, err);
    source->at += size;
    source->block_at = BLOCK_HEAD;
    return true;
}

/* `*found` false: it is at its end. */
static bool source_next(struct source *source, bool *found, struct err *err)
{
    if (source->file == NULL) {
        *found = source->next < source->end;
        if (*found) {
            source->prefix = source->next->prefix;
            source->name = pair_name(source->next->pair);
            source->value = pair_value(source->next->pair);
            source->next++;
        }
        return true;
    }
    if (source->block_at == source->block.size) {
        *found = source->at < source->to;
        if (!*found || !block_read(source, err))
            return !*found;
    }
    *found = true;
    const uint8_t *pair = source->block.data + source->block_at;
    source->name = pair_name(pair);
    source->value = pair_value(pair);
    source->prefix = name_prefix(source->name);
    source->block_at += PAIR_HEAD + source->name.size + source->value.size;
    return true;
}

/* --- merging */

static bool same_name(const struct source *a, const struct source *b)
{
    return a->prefix == b->prefix && bytes_equal(a->name, b->name);
}

static bool comes_before(const struct merge *merge, uint32_t one, uint32_t other)
{
    const struct source *a = &merge->sources[one], *b = &merge->sources[other];

    if (a->prefix != b->prefix)
        return a->prefix < b->prefix;
    int order = bytes_compare(a->name, b->name);
    return order != 0 ? order < 0 : one < other;
}

static void heap_push(struct merge *merge, uint32_t source)
{
    uint32_t at = merge->heap_count++;

    for (; at > 0 && comes_before(merge, source, merge->heap[(at - 1) / 2]); at = (at - 1) / 2)
        merge->heap[at] = merge->heap[(at - 1) / 2];
    merge->heap[at] = source;
}

static uint32_t heap_pop(struct merge *merge)
{
    uint32_t top = merge->heap[0], last = merge->heap[--merge->heap_count], at = 0;

    for (;;) {
        uint32_t below = 2 * at + 1;
        if (below + 1 < merge->heap_count &&
            comes_before(merge, merge->heap[below + 1], merge->heap[below]))
            below++;
        if (below >= merge->heap_count || !comes_before(merge, merge->heap[below], last))
            break;
        merge->heap[at] = merge->heap[below];
        at = below;
    }
    merge->heap[at] = last;
    return top;
}

static bool source_advance(struct merge *merge, uint32_t source, struct err *err)
{
    bool found;

    if (!source_next(&merge->sources[source], &found, err))
        return false;
    if (found)
        heap_push(merge, source);
    return true;
}

static bool source_skip(struct merge *merge, uint32_t at, struct bytes from, struct err *err)
{
    struct source *source = &merge->sources[at];
    bool found;

    do {
        if (!source_next(source, &found, err))
            return false;
    } while (found && bytes_compare(source->name, from) < 0);
    if (found)
        heap_push(merge, at);
    return true;
}

bool merge_begin(struct merge *merge, const struct sorter_settings *settings,
                 struct source *sources, uint32_t count, struct bytes from, struct err *err)
{
    *merge = (struct merge){.settings = settings, .sources = sources, .count = count};
    buf_init(&merge->joined);
    merge->heap = must_have(calloc(count + 1, sizeof *merge->heap));
    merge->shown = must_have(calloc(count + 1, sizeof *merge->shown));
    merge->values = must_have(calloc(count + 1, sizeof *merge->values));
    for (uint32_t i = 0; i < count; i++)
        if (!source_skip(merge, i, from, err))
            return false;
    return true;
}

void merge_release(struct merge *merge)
{
    for (uint32_t i = 0; i < merge->count; i++)
        buf_release(&merge->sources[i].block);
    free(merge->sources);
    free(merge->heap);
    free(merge->shown);
    free(merge->values);
    buf_release(&merge->joined);
}

/* Takes from the heap all that are at the least name. */
static void take_least(struct merge *merge)
{
    do {
        uint32_t source = heap_pop(merge);
        merge->values[merge->shown_count] = merge->sources[source].value;
        merge->shown[merge->shown_count++] = source;
    } while (merge->heap_count > 0 &&
             same_name(&merge->sources[merge->heap[0]], &merge->sources[merge->shown[0]]));
}

bool merge_next(struct merge *merge, struct sorted_pair *out, bool *found, struct err *err)
{
    const struct sorter_settings *settings = merge->settings;

    for (; merge->shown_count > 0; merge->shown_count--)
        if (!source_advance(merge, merge->shown[merge->shown_count - 1], err))
            return false;
    *found = merge->heap_count > 0;
    if (!*found)
        return true;
    take_least(merge);
    *out = (struct sorted_pair){merge->sources[merge->shown[0]].name, merge->values[0]};
    if (merge->shown_count == 1)
        return true;
    buf_clear(&merge->joined);
    if (!settings->join(settings->context, merge->values, merge->shown_count, &merge->joined, err))
        return false;
    out->value = buf_bytes(&merge->joined);
    return true;
}
