/* table/write.c - writes of items. What happens to one key happens under its lock, from the read of
 * the old item until the batch is published; what happens in one call happens in one batch, so it
 * has one microsecond, and no instant of the past splits it. The batch expects each table to be
 * what it was when the call looked (untrusted: the committer checks it), so no write slips past a
 * deletion or the switching of the log; and each item to be what was read (trusted: the lock sees
 * to it, on an engine that we have alone). */
#include <assert.h>
#include <stdlib.h>

#include "table/catalog.h"

#include "base/hash.h"
#include "table/collection.h"
#include "table/index.h"
#include "table/items.h"
#include "table/tally.h"

/* What becomes of an entry. */
struct entry_step {
    struct index_step step;
    bool there; /* the entry before was in the index: one that is being built may lack it */
};

/* A write and what it found. */
struct staged {
    struct write *write;
    struct bytes place;     /* table number | item key */
    struct bytes old_stamp; /* BYTES_NONE: there was no item */
    uint64_t old_size, new_size;
    struct entry_step *steps; /* one for each index */
    struct bytes collection;  /* where its size is counted; empty: it has none */
};

uint64_t item_lock(uint64_t table, struct bytes key)
{
    return bytes_hash(key, table);
}

static int id_order(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

enum run work_lock(struct work *work, uint64_t *ids, size_t count, struct err *err)
{
    size_t distinct = 0;

    qsort(ids, count, sizeof *ids, id_order);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || ids[i] != ids[i - 1])
            ids[distinct++] = ids[i];
    switch (locks_take(work->tables->locks, ids, distinct, work->waiter, &work->claims, err)) {
    case LOCKED_LATER:
        return RUN_WAIT;
    case LOCKED_NEVER:
        return RUN_FAILED;
    case LOCKED:
        break;
    }
    return RUN_DONE;
}

static enum run writes_lock(struct work *work, const struct write *writes, size_t count,
                            struct err *err)
{
    uint64_t *ids = arena_alloc(work->arena, (count + 1) * sizeof *ids);

    for (size_t i = 0; i < count; i++)
        ids[i] = item_lock(writes[i].table->number, writes[i].key);
    if (work->lock_too != 0)
        ids[count++] = work->lock_too;
    return work_lock(work, ids, count, err);
}

static struct bytes place_of(struct arena *arena, const struct write *write)
{
    return item_place(arena, write->table->number, write->key);
}

/* Reads the item as it is; it is copied, since the batch keeps parts of it. */
static bool old_read(struct work *work, const struct engine_snapshot *snapshot,
                     struct staged *staged, struct err *err)
{
    struct engine *engine = work->tables->engine;
    struct engine_value value;
    struct stored_item old = {0};
    bool found;

    if (!engine_get(engine, snapshot, SPACE_ITEMS, staged->place, &value, &found, err))
        return false;
    if (found) {
        struct bytes copy = arena_copy(work->arena, value.bytes);
        engine_value_release(&value);
        if (!stored_item_read(&engine->limits, copy, &old, err))
            return false;
        staged->old_size = item_size(old.item);
    }
    staged->old_stamp = old.stamp;
    staged->write->old = old.item;
    return true;
}

/* --- indexes ---------------------------------------------------------------------------------- */

/* The item as it will be. */
static struct bytes item_after(const struct write *write)
{
    switch (write->kind) {
    case WRITE_PUT:
        return write->item;
    case WRITE_DELETE:
        return BYTES_NONE;
    case WRITE_NOTHING:
        break;
    }
    return write->old;
}

/* Whether an index that is being built has the entry of the item before: it lacks those of items
 * that were there before the index was and that neither a write nor the builder has come to. */
static bool entry_there(struct work *work, const struct write *write,
                        const struct table_index *index, bool *there, struct err *err)
{
    struct engine_value value;
    struct index_entry entry;

    *there = false;
    if (!index_entry(write->table, index, write->key, write->old, work->arena, &entry))
        return true;
    if (!engine_get(work->tables->engine, NULL, SPACE_INDEX,
                    item_place(work->arena, index->number, entry.key), &value, there, err))
        return false;
    engine_value_release(&value);
    return true;
}

static bool step_prepare(struct work *work, const struct write *write,
                         const struct table_index *index, struct entry_step *out,
                         struct index_change *change, struct err *err)
{
    const struct index_step *step = &out->step;

    out->there = true;
    if (index->building && !entry_there(work, write, index, &out->there, err))
        return false;
    change->changed =
        index_step(write->table, index, write->key, out->there ? write->old : BYTES_NONE,
                   item_after(write), work->arena, &out->step);
    if (!change->changed)
        return true;
    change->old_size = step->before.key.size > 0 ? item_size(step->before.item) : 0;
    change->new_size = step->after.key.size > 0 ? item_size(step->after.item) : 0;
    change->moved = step->before.key.size > 0 && step->after.key.size > 0 &&
                    !bytes_equal(step->before.key, step->after.key);
    return true;
}

static bool indexes_prepare(struct work *work, struct staged *staged, struct err *err)
{
    struct write *write = staged->write;
    uint32_t count = write->table->index_count;

    if (count == 0)
        return true;
    write->indexes = arena_zalloc(work->arena, count * sizeof *write->indexes);
    if (write->kind == WRITE_NOTHING)
        return true;
    staged->steps = arena_alloc(work->arena, count * sizeof *staged->steps);
    for (uint32_t i = 0; i < count; i++)
        if (!step_prepare(work, write, &write->table->indexes[i], &staged->steps[i],
                          &write->indexes[i], err))
            return false;
    return true;
}

static void step_stage(struct engine_batch *batch, const struct table_index *index,
                       const struct index_step *step)
{
    struct bytes before = step->before.key, after = step->after.key;

    if (before.size > 0 && !bytes_equal(before, after))
        batch_delete(batch, SPACE_INDEX, item_place(batch->arena, index->number, before));
    if (after.size > 0)
        batch_put(batch, SPACE_INDEX, item_place(batch->arena, index->number, after),
                  step->after.item);
}

/* While an index is being built, another builder may put the entry of an item that nobody writes,
 * so the batch expects of the entry what was found. */
static void entry_expect(struct engine_batch *batch, const struct write *write,
                         const struct table_index *index, bool there)
{
    struct index_entry entry;

    if (index->building &&
        index_entry(write->table, index, write->key, write->old, batch->arena, &entry))
        batch_expect(batch, SPACE_INDEX, item_place(batch->arena, index->number, entry.key),
                     there ? bytes_of(entry.item.data, 1) : BYTES_NONE, true);
}

/* Counted in the shard of the item, wherever the entry lies: one counter, and none that all writes
 * of a popular index key would share. */
static void indexes_stage(struct engine_batch *batch, struct tally *tally,
                          const struct staged *staged)
{
    const struct write *write = staged->write;

    for (uint32_t i = 0; i < write->table->index_count; i++) {
        const struct table_index *index = &write->table->indexes[i];
        const struct index_change *change = &write->indexes[i];
        const struct index_step *step = &staged->steps[i].step;
        entry_expect(batch, write, index, staged->steps[i].there);
        if (!change->changed)
            continue;
        step_stage(batch, index, step);
        tally_figures(tally, index->number, log_shard(write->key),
                      (int64_t)(step->after.key.size > 0) - (int64_t)(step->before.key.size > 0),
                      (int64_t)change->new_size - (int64_t)change->old_size);
    }
}

/* --- collections ------------------------------------------------------------------------------ */

static int64_t growth_of(const struct staged *staged)
{
    const struct write *write = staged->write;
    int64_t growth = (int64_t)staged->new_size - (int64_t)staged->old_size;

    for (uint32_t i = 0; i < write->table->index_count && write->table->indexes[i].local; i++)
        growth += (int64_t)write->indexes[i].new_size - (int64_t)write->indexes[i].old_size;
    return growth;
}

/* What all writes of the call together make of their collections. */
static bool collections_prepare(struct work *work, struct staged *staged, size_t count,
                                struct tally *tally, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct write *write = staged[i].write;
        if (write->kind == WRITE_NOTHING || !table_has_collections(write->table))
            continue;
        staged[i].collection = collection_place(work->arena, write->table, write->key);
        tally_of(tally, staged[i].collection, 1)->deltas[0] += growth_of(&staged[i]);
    }
    for (size_t i = 0; i < count; i++) {
        struct write *write = staged[i].write;
        if (staged[i].collection.size == 0)
            continue;
        int64_t growth = tally_of(tally, staged[i].collection, 1)->deltas[0];
        if (!collection_read(work->tables->engine, NULL, staged[i].collection,
                             &write->collection_before, err))
            return false;
        write->collection_after = write->collection_before + (uint64_t)growth;
    }
    return true;
}

/* --- one write -------------------------------------------------------------------------------- */

static bool write_prepare(struct work *work, struct write *write, struct staged *staged,
                          struct err *err)
{
    *staged = (struct staged){.write = write, .place = place_of(work->arena, write)};
    if (!old_read(work, NULL, staged, err))
        return false;
    if (write->settle != NULL && !write->settle(write, work->arena, err))
        return false;
    if (write->kind == WRITE_PUT) {
        staged->new_size = item_size(write->item);
        if (staged->new_size > ITEM_SIZE_MOST)
            return err_fail(err, ERR_VALIDATION, "Item size has exceeded the maximum allowed size");
    }
    return indexes_prepare(work, staged, err);
}

static bool changes_something(const struct staged *staged)
{
    enum write_kind kind = staged->write->kind;

    return kind == WRITE_PUT || (kind == WRITE_DELETE && staged->old_stamp.size > 0);
}

/* The item itself, its figures and its record. */
static void item_stage(struct engine_batch *batch, const struct engine_limits *limits,
                       struct tally *tally, const struct staged *staged)
{
    const struct write *write = staged->write;
    bool put = write->kind == WRITE_PUT, had = staged->old_stamp.size > 0;
    uint32_t slot = batch_slot(batch);

    if (put)
        stored_item_put(batch, limits, SPACE_ITEMS, staged->place, write->item, slot);
    else
        batch_delete(batch, SPACE_ITEMS, staged->place);
    tally_figures(tally, write->table->number, log_shard(write->key), (int64_t)put - (int64_t)had,
                  (int64_t)staged->new_size - (int64_t)staged->old_size);
    if (!write->table->log)
        return;
    struct log_record record = {
        .cause = CAUSE_WRITE,
        .key = write->key,
        .before = write->old,
        .after = put ? write->item : BYTES_NONE,
    };
    changelog_append(batch, limits, write->table->number, write->table->log_epoch, slot, &record);
}

static void write_stage(struct engine_batch *batch, const struct engine_limits *limits,
                        struct tally *tally, const struct staged *staged)
{
    batch_expect(batch, SPACE_ITEMS, staged->place, staged->old_stamp, true);
    if (!changes_something(staged))
        return;
    item_stage(batch, limits, tally, staged);
    indexes_stage(batch, tally, staged);
}

static void tables_expect(struct work *work, const struct write *writes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++)
            seen = writes[j].table == writes[i].table;
        if (!seen)
            work_expect_table(work, writes[i].table);
    }
}

static int place_order(const void *left, const void *right)
{
    const struct staged *a = left, *b = right;

    return bytes_compare(a->place, b->place);
}

enum run table_write(struct work *work, struct write *writes, size_t count,
                     bool (*answer)(void *context, const struct write *writes, size_t count,
                                    struct err *err),
                     void *context, struct err *err)
{
    struct staged *staged = arena_alloc(work->arena, count * sizeof *staged);
    struct tally tally;
    bool changed = false;
    enum run run = writes_lock(work, writes, count, err);

    if (run != RUN_DONE)
        return run;
    for (size_t i = 0; i < count; i++) {
        if (!write_prepare(work, &writes[i], &staged[i], err))
            return RUN_FAILED;
        changed = changed || changes_something(&staged[i]);
    }
    tally_init(&tally, work->arena);
    if (!collections_prepare(work, staged, count, &tally, err))
        return RUN_FAILED;
    if (!answer(context, writes, count, err))
        return RUN_FAILED;
    if (!changed && work->batch.count == 0)
        return RUN_DONE;
    /* The engine need not search for the place of what follows the key before: log records of one
     * shard. */
    qsort(staged, count, sizeof *staged, place_order);
    tables_expect(work, writes, count);
    for (size_t i = 0; i < count; i++)
        write_stage(&work->batch, &work->tables->engine->limits, &tally, &staged[i]);
    tally_stage(&tally, &work->batch);
    work_submit(work);
    return RUN_DONE;
}

/* --- reads of several items --- */

static bool reads_run(struct work *work, const struct engine_snapshot *snapshot,
                      struct write *reads, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct staged staged = {.write = &reads[i], .place = place_of(work->arena, &reads[i])};
        if (!old_read(work, snapshot, &staged, err))
            return false;
        if (reads[i].settle != NULL && !reads[i].settle(&reads[i], work->arena, err))
            return false;
    }
    return true;
}

/* Without snapshots the locks of the keys make one instant of the reads: no write is under way
 * while all of them are held. */
enum run table_read(struct work *work, struct write *reads, size_t count,
                    bool (*answer)(void *context, const struct write *reads, size_t count,
                                   struct err *err),
                    void *context, struct err *err)
{
    struct engine *engine = work->tables->engine;

    if (!engine->limits.snapshots)
        return table_write(work, reads, count, answer, context, err);
    struct engine_snapshot *snapshot = engine->ops->snapshot_new(engine);
    bool ok = reads_run(work, snapshot, reads, count, err);
    engine->ops->snapshot_free(engine, snapshot);
    return ok && answer(context, reads, count, err) ? RUN_DONE : RUN_FAILED;
}
