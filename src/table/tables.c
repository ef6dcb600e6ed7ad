/* table/tables.c - the operations on tables: created, changed, deleted, and their recovery
 * switched.
 *
 * Recovery and the log. Switching recovery on is one commit that changes the table's generation,
 * turns its log on and sets its floor; every write expects the generation, so all writes in stamp
 * order after that commit are logged and none before. Switching it off is one commit as well, which
 * drops log and floor; but while a running job has a pin, the log stays on, since the job may have
 * to begin again, and goes when the last pin has gone (maintain.c). A log that is switched on again
 * begins a new epoch: its keys are others. */
#include <assert.h>

#include "table/change.h"

#include "base/random.h"

/* The service's delay between now and the latest restorable time (spec/export.md 5.3). */
#define LATEST_LAG (UINT64_C(300) * SECOND_MICROS)

static uint64_t now_of(const struct tables *tables)
{
    return tables->engine->ops->now(tables->engine);
}

/* The change waits until it can be weighed against the newest description: run again, keeping the
 * lock. */
static enum run run_again(struct work *work)
{
    work->waiter->park(work->waiter);
    work->waiter->wake(work->waiter);
    return RUN_WAIT;
}

/* Locks the catalogue for a change of a table that was looked up before: RUN_WAIT where it is no
 * longer what it was. */
static enum run change_begin_of(struct work *work, const struct table *current, struct err *err)
{
    enum run run = change_begin(work, err);

    if (run != RUN_DONE)
        return run;
    const struct table *newest = work_find_table(work, current->name);
    if (newest == NULL || !bytes_equal(newest->generation, current->generation))
        return run_again(work);
    return RUN_DONE;
}

/* --- create --- */

/* Numbers up to `next` are given: to the table that is put, or to its indexes. */
static void numbers_stage(struct work *work, uint64_t next)
{
    struct tables *tables = work->tables;
    const struct engine_limits *limits = &tables->engine->limits;
    struct change *change = work->change;
    struct bytes key = catalog_key(&change->arena, CATALOG_NUMBERS, BYTES_NONE);
    struct bytes stamp = bytes_of(tables->numbers_stamp, limits->stamp_size);
    struct item_maker maker;

    item_begin(&maker, &change->arena);
    item_put_integer(&maker, "Next", (int64_t)next);
    batch_expect(&work->batch, SPACE_CATALOG, key, tables->numbers_stored ? stamp : BYTES_NONE,
                 false);
    /* The slot of the table's record: one stamp, the one that change_install() takes. */
    stored_item_put(&work->batch, limits, SPACE_CATALOG, key, item_finish(&maker), 0);
    change->numbers_after = next;
}

/* Gives numbers to the indexes that have none, from `next` on; answers the next one. */
static uint64_t indexes_number(struct table *table, bool building, uint64_t next,
                               struct arena *arena)
{
    struct table_index *indexes = arena_alloc(arena, table->index_count * sizeof *indexes);

    for (uint32_t i = 0; i < table->index_count; i++) {
        indexes[i] = table->indexes[i];
        if (indexes[i].number != 0)
            continue;
        indexes[i].number = next++;
        indexes[i].building = building;
    }
    table->indexes = indexes;
    return next;
}

enum run tables_create(struct work *work, const struct table *wanted, const struct table **out,
                       struct err *err)
{
    struct tables *tables = work->tables;
    struct table table = *wanted;
    char id[UUID_TEXT_SIZE];
    enum run run = change_begin(work, err);

    if (run != RUN_DONE)
        return run;
    if (work_find_table(work, wanted->name) != NULL) {
        err_fail(err, ERR_RESOURCE_IN_USE, "Table already exists: %.*s", BYTES_ARGS(wanted->name));
        return RUN_FAILED;
    }
    if (tables->count >= TABLES_MOST) {
        err_fail(err, ERR_LIMIT_EXCEEDED,
                 "Subscriber limit exceeded: There is a limit of %d tables per subscriber",
                 TABLES_MOST);
        return RUN_FAILED;
    }
    random_uuid(id);
    table.id = bytes_of_text(id);
    table.number = tables->next_number;
    table.created = now_of(tables);
    table.recovery = table.log = false;
    uint64_t next = indexes_number(&table, false, table.number + 1, work->arena);
    *out = change_put(work, NULL, &table, false);
    numbers_stage(work, next);
    work_hold(work, work->change->entry);
    change_submit(work);
    return RUN_DONE;
}

/* --- delete --- */

/* What is needed to purge it later: of a table, or of an index, whose data is its entries. */
static void dropped_stage(struct work *work, const struct table *table, uint64_t number,
                          struct bytes name)
{
    struct arena *arena = &work->change->arena;
    struct item_maker maker;

    item_begin(&maker, arena);
    item_put_text(&maker, "Name", name);
    item_put_text(&maker, "Id", table->id);
    stored_item_put(&work->batch, &work->tables->engine->limits, SPACE_CATALOG,
                    catalog_number_key(arena, CATALOG_DROPPED, number), item_finish(&maker),
                    batch_slot(&work->batch));
}

static bool has_index(const struct table *table, uint64_t number)
{
    for (uint32_t i = 0; i < table->index_count; i++)
        if (table->indexes[i].number == number)
            return true;
    return false;
}

/* The indexes of a table that `kept` does not have. */
static void indexes_drop(struct work *work, const struct table *table, const struct table *kept)
{
    for (uint32_t i = 0; i < table->index_count; i++)
        if (kept == NULL || !has_index(kept, table->indexes[i].number))
            dropped_stage(work, table, table->indexes[i].number, table->indexes[i].name);
}

/* (ack-api-quirks, DDB-TABLE-150) */
static bool indexes_idle(const struct table *table, struct err *err)
{
    for (uint32_t i = 0; i < table->index_count; i++)
        if (table->indexes[i].building)
            return err_fail(err, ERR_RESOURCE_IN_USE,
                            "Attempt to change a resource which is still in use: Cannot delete "
                            "table while indexes are being created, updated, or deleted.");
    return true;
}

enum run tables_delete(struct work *work, struct bytes name, const struct table **out,
                       struct err *err)
{
    const struct table *table;
    enum run run = change_begin(work, err);

    if (run != RUN_DONE)
        return run;
    if (!work_table_named(work, name, &table, err))
        return RUN_FAILED;
    if (table->deletion_protected) {
        err_fail(err, ERR_VALIDATION,
                 "Resource cannot be deleted as it is currently protected against deletion. "
                 "Disable deletion protection first.");
        return RUN_FAILED;
    }
    if (!indexes_idle(table, err))
        return RUN_FAILED;
    change_remove(work, table);
    dropped_stage(work, table, table->number, table->name);
    indexes_drop(work, table, NULL);
    *out = table;
    change_submit(work);
    return RUN_DONE;
}

/* --- update --- */

enum run tables_update(struct work *work, const struct table *current, const struct table *changed,
                       const struct table **out, struct err *err)
{
    struct table wanted = *changed;
    enum run run = change_begin_of(work, current, err);

    if (run != RUN_DONE)
        return run;
    assert(changed->number == current->number && bytes_equal(changed->name, current->name));
    wanted.recovery = current->recovery;
    wanted.recovery_since = current->recovery_since;
    wanted.recovery_days = current->recovery_days;
    wanted.log_epoch = current->log_epoch;
    wanted.log = current->log;
    uint64_t first = work->tables->next_number;
    uint64_t next = indexes_number(&wanted, true, first, work->arena);
    *out = change_put(work, current, &wanted, false);
    if (next != first)
        numbers_stage(work, next);
    indexes_drop(work, current, &wanted);
    work_hold(work, work->change->entry);
    change_submit(work);
    return RUN_DONE;
}

/* --- recovery --- */

static uint64_t days_before(uint64_t now, uint32_t days)
{
    uint64_t period = days * DAY_MICROS;

    return now > period ? now - period : 0;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

uint64_t table_earliest(const struct table *table, uint64_t now)
{
    return later(table->recovery_since, days_before(now, table->recovery_days));
}

uint64_t table_latest(const struct table *table, uint64_t now)
{
    return later(table->recovery_since, now > LATEST_LAG ? now - LATEST_LAG : 0);
}

void recovery_log_drop(struct work *work, const struct log_state *state, struct table *table)
{
    struct arena *arena = &work->change->arena;
    struct buf from, to;

    if (state->stamp.size > 0)
        log_state_delete(&work->batch, table->number, state);
    buf_init_in(&from, arena);
    log_put_prefix(&from, table->number, table->log_epoch, 0);
    buf_init_in(&to, arena);
    log_put_prefix(&to, table->number, table->log_epoch + 1, 0);
    batch_delete_range(&work->batch, SPACE_CHANGELOG, buf_bytes(&from), buf_bytes(&to));
    table->log = false;
}

static void recovery_enable(struct work *work, const struct log_state *state, uint32_t days,
                            struct table *wanted)
{
    wanted->recovery = true;
    wanted->recovery_days = days;
    if (wanted->log) /* a job's pin has kept it on: it reaches further back than was promised */
        return;
    struct log_state opened = {.floor = LOG_FLOOR_HERE};
    wanted->log = true;
    wanted->log_epoch++;
    log_state_write(&work->batch, &work->tables->engine->limits, wanted->number, state, &opened);
}

/* What a shorter period has given up, a longer one does not bring back. */
static void recovery_period(struct work *work, uint32_t days, struct table *wanted)
{
    uint32_t shorter = days < wanted->recovery_days ? days : wanted->recovery_days;

    wanted->recovery_since =
        later(wanted->recovery_since, days_before(now_of(work->tables), shorter));
    wanted->recovery_days = days;
}

static void recovery_disable(struct work *work, const struct log_state *state, struct table *wanted)
{
    wanted->recovery = false;
    wanted->recovery_since = 0;
    wanted->recovery_days = 0;
    if (state->pin_count == 0)
        recovery_log_drop(work, state, wanted);
}

enum run tables_set_recovery(struct work *work, const struct table *current, bool enabled,
                             uint32_t days, const struct table **out, struct err *err)
{
    struct table wanted = *current;
    struct log_state state;

    if (current->recovery == enabled && (!enabled || current->recovery_days == days)) {
        *out = current;
        return RUN_DONE;
    }
    enum run run = change_begin_of(work, current, err);
    if (run != RUN_DONE)
        return run;
    if (!log_state_read(work->tables->engine, current->number, &work->change->arena, &state, err))
        return RUN_FAILED;
    if (!enabled)
        recovery_disable(work, &state, &wanted);
    else if (current->recovery)
        recovery_period(work, days, &wanted);
    else
        recovery_enable(work, &state, days, &wanted);
    change_put(work, current, &wanted, enabled && !current->recovery);
    change_submit_waiting(work);
    return RUN_WAIT;
}
