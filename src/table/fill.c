/* table/fill.c - an index gets what it lacks. Writes keep the index from the commit on that put it
 * into the table's description; so an entry is right for ever once its item was written since, or
 * once it was filled, and only items that neither has happened to are left to do.
 *
 *  F1  A part is walked once, in key order. What is behind its place has its entries; the place
 *      moves in the commit that puts them, so a run after a crash does nothing twice.
 *  F2  An entry is put for the very item it was made of: under the item's lock the stamp is still
 *      the one that was read. An item with another stamp was written since, and lacks nothing.
 *  F3  An entry that is there is not put again; and it cannot come to be there between that look
 *      and the lock, unless the item is written. So the figures stay exact.
 *  F4  Each commit expects the table to be what it was, so nothing is put into an index that is
 *      gone.
 *
 * What takes time, reading items and making their entries, is done before the locks are taken;
 * under them only the stamps are read again. */
#include <assert.h>

#include "table/change.h"
#include "table/index.h"
#include "table/items.h"
#include "table/tally.h"

/* Of one commit: so many keys are locked meanwhile, and so much stands in the way of the commits of
 * clients. */
#define LACKS_MOST 128
#define BYTES_MOST ((size_t)128 * 1024)
#define ITEMS_MOST 1024 /* looked at: the others have no entry, or have it already */

/* An item whose entry is missing, or was. */
struct lack {
    struct bytes key, stamp;  /* of the item */
    struct index_entry entry; /* its key: the whole place */
    bool stays;               /* F2: under its lock it is what it was */
};

struct fill_run {
    struct index_fill *fill;
    struct work work;
    const struct table *table;
    const struct table_index *index; /* of the table; NULL: it is not being built any more */
    struct lack *lacks;
    uint32_t count, at;
    size_t bytes;      /* of their items */
    uint64_t items;    /* looked at */
    struct bytes last; /* of them: the item key */
    bool ended;        /* it was the last of the part */
    uint64_t added;
    struct err *err;
    bool failed;
};

/* --- the record of a part --- */

static struct bytes part_record_key(struct arena *arena, uint64_t index, uint32_t part)
{
    uint8_t rest[12];

    be64_store(rest, index);
    be32_store(rest + 8, part);
    return catalog_key(arena, CATALOG_FILL, bytes_of(rest, sizeof rest));
}

static void part_record_stage(struct engine_batch *batch, const struct index_fill *fill,
                              struct bytes from)
{
    struct item_maker maker;

    item_begin(&maker, batch->arena);
    item_put_data(&maker, "From", from);
    stored_item_put(batch, &fill->tables->engine->limits, SPACE_CATALOG,
                    part_record_key(batch->arena, fill->index, fill->part), item_finish(&maker),
                    batch_slot(batch));
}

void index_fill_forget(struct engine_batch *batch, uint64_t index)
{
    for (uint32_t part = 0; part < INDEX_PARTS; part++)
        batch_delete(batch, SPACE_CATALOG, part_record_key(batch->arena, index, part));
}

/* The first bytes of a part's item keys; empty: the end of the table. */
static struct bytes part_begin(uint32_t part, uint8_t hash[8])
{
    if (part == INDEX_PARTS)
        return BYTES_NONE;
    be64_store(hash, (UINT64_MAX / INDEX_PARTS + 1) * part);
    return bytes_of(hash, 8);
}

/* `from` empty: there is no record. */
static bool part_record_read(struct engine *engine, const struct engine_snapshot *snapshot,
                             uint64_t index, uint32_t part, struct buf *from, struct err *err)
{
    struct engine_value value = {0};
    struct stored_item stored;
    struct arena arena;
    bool found;

    arena_init(&arena);
    bool ok = engine_get(engine, snapshot, SPACE_CATALOG, part_record_key(&arena, index, part),
                         &value, &found, err);
    if (ok && found) {
        ok = stored_item_read(&engine->limits, value.bytes, &stored, err) &&
             item_check(stored.item, err);
        if (ok)
            buf_put_bytes(from, item_text(stored.item, "From"));
        if (ok && from->size == 0)
            ok = err_fail(err, ERR_CORRUPT, "the record of part %u of an index", part);
    }
    engine_value_release(&value);
    arena_release(&arena);
    return ok;
}

bool index_fill_passed(struct engine *engine, const struct engine_snapshot *snapshot,
                       uint64_t index, struct bytes key, bool *passed, struct err *err)
{
    uint32_t part = (uint32_t)(be64_load(key.data) / (UINT64_MAX / INDEX_PARTS + 1));
    struct buf from;

    buf_init(&from);
    bool ok = part_record_read(engine, snapshot, index, part, &from, err);
    *passed = ok && bytes_compare(key, buf_bytes(&from)) < 0;
    buf_release(&from);
    return ok;
}

bool index_fill_open(struct index_fill *fill, struct tables *tables, struct bytes table,
                     uint64_t index, uint32_t part, struct err *err)
{
    uint8_t hash[8];

    assert(part < INDEX_PARTS);
    *fill = (struct index_fill){.tables = tables, .table = table, .index = index, .part = part};
    buf_init(&fill->from);
    if (!part_record_read(tables->engine, NULL, index, part, &fill->from, err))
        return false;
    if (fill->from.size == 0)
        buf_put_bytes(&fill->from, part_begin(part, hash));
    return true;
}

void index_fill_close(struct index_fill *fill)
{
    buf_release(&fill->from);
}

/* --- what is missing --- */

static const struct table_index *building_find(const struct table *table, uint64_t number)
{
    for (uint32_t i = 0; i < table->index_count; i++)
        if (table->indexes[i].number == number && table->indexes[i].building)
            return &table->indexes[i];
    return NULL;
}

static bool run_find(struct fill_run *run)
{
    run->table = work_find_table(&run->work, run->fill->table);
    run->index = run->table == NULL ? NULL : building_find(run->table, run->fill->index);
    return run->index != NULL;
}

static bool look_visit(void *context, struct bytes place, struct bytes value)
{
    struct fill_run *run = context;
    struct arena *arena = run->work.arena;
    struct lack *lack = &run->lacks[run->count];
    struct stored_item stored;

    run->failed = !stored_item_read(&run->fill->tables->engine->limits, value, &stored, run->err);
    if (run->failed)
        return false;
    run->items++;
    run->last = arena_copy(arena, bytes_from(place, ITEM_KEY_AT));
    struct arena_mark mark = arena_mark(arena);
    struct bytes item = arena_copy(arena, stored.item); /* of which the entry may borrow */
    if (!index_entry(run->table, run->index, run->last, item, arena, &lack->entry)) {
        arena_rewind(arena, mark);
    } else {
        lack->key = run->last;
        lack->stamp = arena_copy(arena, stored.stamp);
        run->bytes += item.size;
        run->count++;
    }
    return run->count < LACKS_MOST && run->bytes < BYTES_MOST && run->items < ITEMS_MOST;
}

/* Takes those out whose entries are there. */
static bool lacks_sift(struct fill_run *run, struct err *err)
{
    struct engine *engine = run->fill->tables->engine;
    struct engine_value value;
    uint32_t count = run->count;
    bool found;

    run->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct lack *lack = &run->lacks[i];
        lack->entry.key = item_place(run->work.arena, run->fill->index, lack->entry.key);
        if (!engine_get(engine, NULL, SPACE_INDEX, lack->entry.key, &value, &found, err))
            return false;
        engine_value_release(&value);
        if (!found)
            run->lacks[run->count++] = *lack;
    }
    return true;
}

/* The next items of the part. */
static bool lacks_find(struct fill_run *run, struct err *err)
{
    struct index_fill *fill = run->fill;
    struct arena *arena = run->work.arena;
    uint8_t hash[8];
    struct bytes to = part_begin(fill->part + 1, hash);
    struct engine_scan scan = {
        .space = SPACE_ITEMS,
        .from = item_place(arena, run->table->number, buf_bytes(&fill->from)),
        .to = item_place(arena, run->table->number + (to.size == 0), to),
        .bulk = true,
        .visit = look_visit,
        .context = run,
    };

    run->lacks = arena_alloc(arena, LACKS_MOST * sizeof run->lacks[0]);
    run->err = err;
    enum scan_end end = engine_scan_all(fill->tables->engine, &scan, err);
    run->ended = end == SCAN_DONE;
    return end != SCAN_FAILED && !run->failed && lacks_sift(run, err);
}

/* --- putting it --- */

static bool stay_visit(void *context, struct bytes place, struct bytes value)
{
    struct fill_run *run = context;
    struct bytes key = bytes_from(place, ITEM_KEY_AT);
    struct stored_item stored;

    while (run->at < run->count && bytes_compare(run->lacks[run->at].key, key) < 0)
        run->at++;
    if (run->at == run->count)
        return false;
    if (!bytes_equal(run->lacks[run->at].key, key))
        return true;
    run->failed = !stored_item_read(&run->fill->tables->engine->limits, value, &stored, run->err);
    if (run->failed)
        return false;
    run->lacks[run->at].stays = bytes_equal(run->lacks[run->at].stamp, stored.stamp);
    return ++run->at < run->count;
}

/* F2, for all at once: under the locks. */
static bool lacks_stay(struct fill_run *run, struct err *err)
{
    struct arena *arena = run->work.arena;
    struct engine_scan scan = {
        .space = SPACE_ITEMS,
        .from = item_place(arena, run->table->number, run->lacks[0].key),
        .to = item_place(arena, run->table->number + 1, BYTES_NONE),
        .bulk = true,
        .visit = stay_visit,
        .context = run,
    };

    run->at = 0;
    run->err = err;
    for (uint32_t i = 0; i < run->count; i++)
        run->lacks[i].stays = false;
    return engine_scan_all(run->fill->tables->engine, &scan, err) != SCAN_FAILED && !run->failed;
}

static void lacks_stage(struct fill_run *run)
{
    struct engine_batch *batch = &run->work.batch;
    struct tally tally;
    int64_t bytes = 0;

    run->added = 0;
    for (uint32_t i = 0; i < run->count; i++) {
        const struct lack *lack = &run->lacks[i];
        if (!lack->stays)
            continue;
        batch_expect(batch, SPACE_ITEMS, item_place(batch->arena, run->table->number, lack->key),
                     lack->stamp, true);
        batch_put(batch, SPACE_INDEX, lack->entry.key, lack->entry.item);
        run->added++;
        bytes += (int64_t)item_size(lack->entry.item);
    }
    tally_init(&tally, batch->arena);
    tally_figures(&tally, run->fill->index, log_shard(run->last), /* of the whole part */
                  (int64_t)run->added, bytes);
    tally_stage(&tally, batch);
}

static enum run lacks_lock(struct fill_run *run, struct err *err)
{
    uint64_t *ids = arena_alloc(run->work.arena, run->count * sizeof *ids);

    for (uint32_t i = 0; i < run->count; i++)
        ids[i] = item_lock(run->table->number, run->lacks[i].key);
    return work_lock(&run->work, ids, run->count, err);
}

static enum run fill_step(struct work *work, void *context, struct err *err)
{
    struct fill_run *run = context;

    if (!run_find(run))
        return RUN_DONE;
    if (run->count > 0) {
        enum run locked = lacks_lock(run, err);
        if (locked != RUN_DONE)
            return locked;
        if (!lacks_stay(run, err))
            return RUN_FAILED;
        lacks_stage(run);
    }
    part_record_stage(&work->batch, run->fill, item_place_behind(work->arena, run->last));
    work_expect_table(work, run->table);
    work_submit(work);
    return RUN_DONE;
}

/* What was looked at is behind; the last items of a part, where nothing was missing, need no
 * commit. */
static bool run_commit(struct fill_run *run, struct err *err)
{
    struct index_fill *fill = run->fill;

    if ((run->count > 0 || !run->ended) && !work_run(&run->work, fill_step, run, err))
        return false;
    fill->done = run->index == NULL || run->ended;
    fill->items += run->items;
    fill->added += run->index == NULL ? 0 : run->added;
    if (!fill->done) {
        buf_clear(&fill->from);
        buf_put_bytes(&fill->from, item_place_behind(run->work.arena, run->last));
    }
    return true;
}

bool index_fill_step(struct index_fill *fill, struct err *err)
{
    struct fill_run run = {.fill = fill};
    struct blocker blocker;
    struct arena arena;
    bool ok = true;

    arena_init(&arena);
    blocker_init(&blocker);
    work_init(&run.work, fill->tables, &arena, &blocker.waiter);
    if (run_find(&run))
        ok = lacks_find(&run, err) && run_commit(&run, err);
    else
        fill->done = true;
    work_release(&run.work);
    blocker_release(&blocker);
    arena_release(&arena);
    return ok;
}

/* --- the end --- */

static enum run finish_step(struct work *work, void *context, struct err *err)
{
    const struct index_fill *fill = context;
    struct table_index *indexes;
    enum run run = change_begin(work, err);

    if (run != RUN_DONE)
        return run;
    const struct table *table = work_find_table(work, fill->table);
    const struct table_index *index = table == NULL ? NULL : building_find(table, fill->index);
    if (index == NULL)
        return RUN_DONE;
    struct table wanted = *table;
    indexes = arena_alloc(work->arena, table->index_count * sizeof *indexes);
    memcpy(indexes, table->indexes, table->index_count * sizeof *indexes);
    indexes[index - table->indexes].building = false;
    wanted.indexes = indexes;
    change_put(work, table, &wanted, false);
    index_fill_forget(&work->batch, fill->index);
    change_submit(work);
    return RUN_DONE;
}

bool index_fill_finish(struct tables *tables, struct bytes table, uint64_t index, struct err *err)
{
    struct index_fill fill = {.tables = tables, .table = table, .index = index};

    return work_run_alone(tables, finish_step, &fill, err);
}
