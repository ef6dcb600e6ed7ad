/* table/change.c - changes to the catalogue. All of them take one lock, from before they look until
 * their commit is installed: so two creates of one name cannot race, numbers are given once, and
 * what was weighed is still true when it is committed. The expectations in the batch say the same
 * to engines that have other clients. */
#include "table/change.h"

#include <assert.h>
#include <stdlib.h>

static const uint64_t CATALOG_LOCK = 0;

void change_free(struct change *change)
{
    if (change == NULL)
        return;
    entry_free(change->entry);
    arena_release(&change->arena);
    free(change);
}

/* A change that was waited for: true when this run may go on. */
static bool change_told(struct work *work, struct err *err)
{
    struct change *before = work->change;

    if (before == NULL)
        return true;
    work->change = NULL;
    bool ok = true;
    if (before->waiting && before->outcome == COMMIT_CONFLICT) {
        if (++work->conflicts > WORK_CONFLICTS_MOST)
            ok = err_fail(err, ERR_OVERLOADED, "The table was changed too often meanwhile");
    } else if (before->waiting && before->outcome != COMMIT_OK) {
        *err = *work->batch.err;
        ok = false;
    }
    batch_init(&work->batch, work->arena);
    change_free(before);
    return ok;
}

enum run change_begin(struct work *work, struct err *err)
{
    struct tables *tables = work->tables;

    switch (locks_take(tables->locks, &CATALOG_LOCK, 1, work->waiter, &work->claims, err)) {
    case LOCKED_LATER:
        return RUN_WAIT;
    case LOCKED_NEVER:
        return RUN_FAILED;
    case LOCKED:
        break;
    }
    if (!change_told(work, err))
        return RUN_FAILED;
    if (atomic_exchange(&tables->stale, false) && !catalog_load(tables, err)) {
        atomic_store(&tables->stale, true);
        return RUN_FAILED;
    }
    work->change = calloc(1, sizeof *work->change);
    if (work->change == NULL)
        abort();
    arena_init(&work->change->arena);
    work->change->tables = tables;
    batch_init(&work->batch, &work->change->arena);
    return RUN_DONE;
}

const struct table *change_put(struct work *work, const struct table *old,
                               const struct table *wanted, bool since_here)
{
    struct change *change = work->change;
    struct engine_batch *batch = &work->batch;
    const struct engine_limits *limits = &work->tables->engine->limits;
    struct table described = *wanted;

    described.generation = BYTES_NONE;
    change->entry = entry_new(work->tables, &described);
    change->name = change->entry->table.name;
    change->since_here = since_here;
    struct bytes key = catalog_key(&change->arena, CATALOG_TABLE, change->name);
    batch_expect(batch, SPACE_CATALOG, key, old == NULL ? BYTES_NONE : old->generation, false);
    change->stored = stored_item_put(
        batch, limits, SPACE_CATALOG, key,
        table_record(&change->entry->table, since_here, &change->arena), batch_slot(batch));
    return &change->entry->table;
}

void change_remove(struct work *work, const struct table *old)
{
    struct change *change = work->change;

    change->name = arena_copy(&change->arena, old->name);
    struct bytes key = catalog_key(&change->arena, CATALOG_TABLE, change->name);
    batch_expect(&work->batch, SPACE_CATALOG, key, old->generation, false);
    batch_delete(&work->batch, SPACE_CATALOG, key);
}

static bool has_building(const struct table *table)
{
    bool building = false;

    for (uint32_t i = 0; i < table->index_count; i++)
        building = building || table->indexes[i].building;
    return building;
}

/* On the committer's thread. The entry is filled in before anyone else can find it. */
static void change_install(struct work *work)
{
    struct change *change = work->change;
    struct tables *tables = change->tables;
    struct table_entry *entry = change->entry;
    size_t stamp_size = tables->engine->limits.stamp_size;

    if (entry != NULL) {
        memcpy(entry->stamp, change->stored.data, stamp_size);
        entry->table.generation.size = stamp_size;
        if (change->since_here)
            entry->table.recovery_since = be64_load(change->stored.data + stamp_size) + 1;
        atomic_fetch_add(&entry->references, 1); /* the work goes on holding its own */
    }
    if (change->numbers_after != 0) {
        tables->next_number = change->numbers_after;
        tables->numbers_stored = true;
        memcpy(tables->numbers_stamp, change->stored.data, stamp_size);
    }
    catalog_install(tables, change->name, entry);
    if (entry != NULL && tables->building != NULL && has_building(&entry->table))
        tables->building(tables->building_context, &entry->table);
}

void change_submit(struct work *work)
{
    work->committed = change_install;
    work_submit(work);
}

void change_submit_waiting(struct work *work)
{
    work->change->waiting = true;
    change_submit(work);
}
