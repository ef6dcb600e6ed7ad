/* table/work.c - the life of one operation: what it holds, and what happens when its batch is
 * answered. From work_submit() until the waiter is woken the work belongs to the committer. */
#include <assert.h>
#include <stddef.h>

#include "table/change.h"

struct table_reference {
    struct table_entry *entry;
    struct table_reference *next;
};

void work_init(struct work *work, struct tables *tables, struct arena *arena, struct waiter *waiter)
{
    *work = (struct work){.tables = tables, .arena = arena, .waiter = waiter};
    batch_init(&work->batch, arena);
}

static void references_drop(struct work *work, bool refresh)
{
    struct err err;

    for (struct table_reference *held = work->references; held != NULL; held = held->next) {
        /* A failed look-up is told by the next one that matters: the rerun's. */
        if (refresh && !catalog_refresh(work->tables, held->entry->table.name, &err))
            atomic_store(&work->tables->stale, true);
        entry_free(held->entry);
    }
    work->references = NULL;
}

void work_restart(struct work *work)
{
    bool waited = work->change != NULL && work->change->waiting;
    bool refused = (work->submitted || waited) && work->batch.outcome == COMMIT_CONFLICT;

    references_drop(work, refused);
    work->submitted = false;
    work->committed = NULL;
    work->committed_context = NULL;
    work->commit = (struct commit){0};
    if (waited) /* the rerun wants to know how it ended: change_begin() */
        return;
    change_free(work->change);
    work->change = NULL;
    batch_init(&work->batch, work->arena);
}

void work_release(struct work *work)
{
    references_drop(work, false);
    change_free(work->change);
    work->change = NULL;
    locks_release(work->tables->locks, &work->claims);
}

/* The name inside an ARN of a table here, or the name itself. */
static struct bytes name_of(const struct tables *tables, struct bytes name)
{
    struct bytes prefix = tables_arn(tables);

    return bytes_begin(name, prefix) ? bytes_from(name, prefix.size) : name;
}

void work_hold(struct work *work, struct table_entry *entry)
{
    struct table_reference *held = arena_alloc(work->arena, sizeof *held);

    atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
    *held = (struct table_reference){entry, work->references};
    work->references = held;
}

const struct table *work_find_table(struct work *work, struct bytes name)
{
    struct table_entry *entry = catalog_find(work->tables, name_of(work->tables, name));

    if (entry == NULL)
        return NULL;
    work_hold(work, entry);
    entry_free(entry);
    return &entry->table;
}

bool work_table(struct work *work, struct bytes name, const struct table **out, struct err *err)
{
    const struct table *table = work_find_table(work, name);

    if (table == NULL)
        return err_fail(err, ERR_RESOURCE_NOT_FOUND, "Requested resource not found");
    *out = table;
    return true;
}

bool work_table_named(struct work *work, struct bytes name, const struct table **out,
                      struct err *err)
{
    const struct table *table = work_find_table(work, name);

    if (table == NULL)
        return err_fail(err, ERR_RESOURCE_NOT_FOUND,
                        "Requested resource not found: Table: %.*s not found",
                        BYTES_ARGS(name_of(work->tables, name)));
    *out = table;
    return true;
}

void work_expect_table(struct work *work, const struct table *table)
{
    batch_expect(&work->batch, SPACE_CATALOG,
                 catalog_key(work->batch.arena, CATALOG_TABLE, table->name), table->generation,
                 false);
}

/* On the committer's thread. Locks go before the waiter is woken, since then the work is gone;
 * after a conflict they stay, so that the rerun keeps its place. */
static void work_done(struct commit *commit)
{
    struct work *work = (struct work *)((char *)commit - offsetof(struct work, commit));
    struct waiter *waiter = work->waiter;
    enum commit_outcome outcome = work->batch.outcome;

    if (outcome == COMMIT_OK && work->committed != NULL)
        work->committed(work);
    if (work->change != NULL) {
        work->change->outcome = outcome;
        if (outcome != COMMIT_OK)
            atomic_store(&work->tables->stale, true);
    }
    if (outcome != COMMIT_CONFLICT)
        locks_release(work->tables->locks, &work->claims);
    waiter->wake(waiter);
}

void work_submit(struct work *work)
{
    assert(!work->submitted);
    work->waiter->park(work->waiter);
    work->submitted = work->change == NULL || !work->change->waiting;
    work->commit = (struct commit){.batch = &work->batch, .done = work_done};
    committer_submit(work->tables->committer, &work->commit);
}

/* What the outcome of a submitted batch means for its operation. */
static enum run run_of_outcome(struct work *work, struct err *err)
{
    switch (work->batch.outcome) {
    case COMMIT_OK:
        return RUN_DONE;
    case COMMIT_CONFLICT:
        if (++work->conflicts <= WORK_CONFLICTS_MOST)
            return RUN_WAIT;
        err_fail(err, ERR_OVERLOADED, "Refused by other changes too often");
        return RUN_FAILED;
    case COMMIT_UNKNOWN:
    case COMMIT_FAILED:
        break;
    }
    *err = *work->batch.err;
    return RUN_FAILED;
}

bool work_run(struct work *work, enum run (*step)(struct work *, void *, struct err *),
              void *context, struct err *err)
{
    struct blocker *blocker = (struct blocker *)work->waiter;
    struct arena_mark mark = arena_mark(work->arena);

    for (;;) {
        enum run run = step(work, context, err);
        if (run != RUN_FAILED)
            blocker_wait(blocker);
        if (run == RUN_DONE && work->submitted)
            run = run_of_outcome(work, err);
        if (run != RUN_WAIT)
            return run == RUN_DONE;
        work_restart(work);
        arena_rewind(work->arena, mark);
    }
}

bool work_run_alone(struct tables *tables, enum run (*step)(struct work *, void *, struct err *),
                    void *context, struct err *err)
{
    struct blocker blocker;
    struct arena arena;
    struct work work;

    arena_init(&arena);
    blocker_init(&blocker);
    work_init(&work, tables, &arena, &blocker.waiter);
    bool ok = work_run(&work, step, context, err);
    work_release(&work);
    blocker_release(&blocker);
    arena_release(&arena);
    return ok;
}
