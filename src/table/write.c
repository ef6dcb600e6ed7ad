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

/* A write and what it found. */
struct staged {
    struct write *write;
    struct bytes place;     /* table number | item key */
    struct bytes old_stamp; /* BYTES_NONE: there was no item */
    uint64_t old_size, new_size;
};

static uint64_t lock_id(const struct write *write)
{
    return bytes_hash(write->key, write->table->number);
}

static int id_order(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

static enum run writes_lock(struct work *work, const struct write *writes, size_t count,
                            struct err *err)
{
    uint64_t *ids = arena_alloc(work->arena, (count + 1) * sizeof *ids);
    size_t distinct = 0;

    for (size_t i = 0; i < count; i++)
        ids[i] = lock_id(&writes[i]);
    if (work->lock_too != 0)
        ids[count++] = work->lock_too;
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

static struct bytes place_of(struct arena *arena, const struct write *write)
{
    uint8_t *place = arena_alloc(arena, ITEM_KEY_AT + write->key.size);

    be64_store(place, write->table->number);
    memcpy(place + ITEM_KEY_AT, write->key.data, write->key.size);
    return bytes_of(place, ITEM_KEY_AT + write->key.size);
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

static bool write_prepare(struct work *work, struct write *write, struct staged *staged,
                          struct err *err)
{
    *staged = (struct staged){.write = write, .place = place_of(work->arena, write)};
    if (!old_read(work, NULL, staged, err))
        return false;
    if (write->settle != NULL && !write->settle(write, work->arena, err))
        return false;
    if (write->kind != WRITE_PUT)
        return true;
    staged->new_size = item_size(write->item);
    if (staged->new_size > ITEM_SIZE_MOST)
        return err_fail(err, ERR_VALIDATION, "Item size has exceeded the maximum allowed size");
    return true;
}

static bool changes_something(const struct staged *staged)
{
    enum write_kind kind = staged->write->kind;

    return kind == WRITE_PUT || (kind == WRITE_DELETE && staged->old_stamp.size > 0);
}

static void statistics_stage(struct engine_batch *batch, const struct staged *staged)
{
    bool put = staged->write->kind == WRITE_PUT, had = staged->old_stamp.size > 0;
    int64_t deltas[2] = {(int64_t)put - (int64_t)had,
                         (int64_t)staged->new_size - (int64_t)staged->old_size};
    uint8_t *key = arena_alloc(batch->arena, 12);

    if (deltas[0] == 0 && deltas[1] == 0)
        return;
    be64_store(key, staged->write->table->number);
    be32_store(key + 8, log_shard(staged->write->key));
    batch_add(batch, SPACE_STATISTICS, bytes_of(key, 12), deltas, 2);
}

static void write_stage(struct engine_batch *batch, const struct engine_limits *limits,
                        const struct staged *staged)
{
    const struct write *write = staged->write;

    batch_expect(batch, SPACE_ITEMS, staged->place, staged->old_stamp, true);
    if (!changes_something(staged))
        return;
    uint32_t slot = batch_slot(batch);
    if (write->kind == WRITE_PUT)
        stored_item_put(batch, limits, SPACE_ITEMS, staged->place, write->item, slot);
    else
        batch_delete(batch, SPACE_ITEMS, staged->place);
    statistics_stage(batch, staged);
    if (!write->table->log)
        return;
    struct log_record record = {
        .cause = CAUSE_WRITE,
        .key = write->key,
        .before = write->old,
        .after = write->kind == WRITE_PUT ? write->item : BYTES_NONE,
    };
    changelog_append(batch, limits, write->table->number, write->table->log_epoch, slot, &record);
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

enum run table_write(struct work *work, struct write *writes, size_t count,
                     bool (*answer)(void *context, const struct write *writes, size_t count,
                                    struct err *err),
                     void *context, struct err *err)
{
    struct staged *staged = arena_alloc(work->arena, count * sizeof *staged);
    bool changed = false;
    enum run run = writes_lock(work, writes, count, err);

    if (run != RUN_DONE)
        return run;
    for (size_t i = 0; i < count; i++) {
        if (!write_prepare(work, &writes[i], &staged[i], err))
            return RUN_FAILED;
        changed = changed || changes_something(&staged[i]);
    }
    if (!answer(context, writes, count, err))
        return RUN_FAILED;
    if (!changed && work->batch.count == 0)
        return RUN_DONE;
    tables_expect(work, writes, count);
    for (size_t i = 0; i < count; i++)
        write_stage(&work->batch, &work->tables->engine->limits, &staged[i]);
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
