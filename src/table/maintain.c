/* table/maintain.c - forgetting in the background: logs beyond their periods, logs that nobody
 * needs, the data of deleted tables and indexes. Every step is a commit that expects what it saw,
 * and is done again by the next round if it was refused. */
#include "table/change.h"

#include "base/clock.h"

/* Trimming moves a floor by at least so much: each time leaves marks of deletion in the engine. The
 * window that clients see does not depend on it (table_earliest). */
#define TRIM_STEP (UINT64_C(900) * SECOND_MICROS)

/* The wall clock is said to have stepped when it and the monotonic clock differ by more than this
 * between two rounds. */
#define STEP_LEAST (UINT64_C(60) * SECOND_MICROS)

/* --- trimming --- */

/* False: a start or a step of the clock is so recent that trimming rests. */
static bool trim_allowed(struct tables *tables)
{
    uint64_t clock = clock_micros(), monotonic = clock_monotonic_micros();
    uint64_t expected = tables->last_clock + (monotonic - tables->last_monotonic);
    uint64_t off = clock > expected ? clock - expected : expected - clock;

    if (tables->last_monotonic == 0 || off > STEP_LEAST)
        tables->rest_until = monotonic + tables->trim_rest;
    tables->last_clock = clock;
    tables->last_monotonic = monotonic;
    return monotonic >= tables->rest_until;
}

/* Up to a whole second, which is how clients see the window's beginning: all of that second can
 * still be asked for. */
static bool table_trim(struct tables *tables, const struct table *table, struct err *err)
{
    uint64_t earliest = table_earliest(table, tables->engine->ops->now(tables->engine));
    earliest -= earliest % SECOND_MICROS;
    struct log_state state;
    struct arena arena;

    arena_init(&arena);
    bool ok = log_state_read(tables->engine, table->number, &arena, &state, err);
    arena_release(&arena);
    if (!ok || state.floor == LOG_FLOOR_NONE || earliest < state.floor + TRIM_STEP)
        return ok;
    return changelog_trim(tables->engine, tables->committer, table->number, table->log_epoch,
                          earliest, err);
}

/* --- logs that nobody needs --- */

static enum run log_drop_step(struct work *work, void *context, struct err *err)
{
    const struct table *table = work_find_table(work, *(const struct bytes *)context);
    struct table wanted;
    struct log_state state;

    if (table == NULL || table->recovery || !table->log)
        return RUN_DONE;
    enum run run = change_begin(work, err);
    if (run != RUN_DONE)
        return run;
    const struct table *current = work_find_table(work, table->name);
    if (current == NULL || current->recovery || !current->log)
        return RUN_DONE;
    if (!log_state_read(work->tables->engine, current->number, &work->change->arena, &state, err))
        return RUN_FAILED;
    if (state.pin_count > 0)
        return RUN_DONE;
    wanted = *current;
    recovery_log_drop(work, &state, &wanted);
    change_put(work, current, &wanted, false);
    change_submit(work);
    return RUN_DONE;
}

/* What a log left on the disk when it was dropped; once for each description and start. */
static void log_reclaim(struct tables *tables, const struct table *table)
{
    struct table_entry *entry = (struct table_entry *)(uintptr_t)table;
    struct buf from, to;

    if (entry->reclaimed)
        return;
    buf_init(&from);
    buf_init(&to);
    log_put_prefix(&from, table->number, 0, 0);
    log_put_prefix(&to, table->number, table->log_epoch + 1, 0);
    tables->engine->ops->reclaim(tables->engine, SPACE_CHANGELOG, buf_bytes(&from), buf_bytes(&to));
    buf_release(&to);
    buf_release(&from);
    entry->reclaimed = true;
}

static bool table_maintain(void *context, const struct table *table, struct err *err)
{
    struct tables *tables = context;

    if (table->log && !table->recovery)
        return work_run_alone(tables, log_drop_step, (void *)(uintptr_t)&table->name, err);
    if (!table->log && table->log_epoch > 0)
        log_reclaim(tables, table);
    if (table->recovery && tables->trimming)
        return table_trim(tables, table, err);
    return true;
}

/* --- deleted tables and indexes --- */

static bool dropped_visit(void *context, struct bytes key, struct bytes value)
{
    (void)value;
    buf_put_bytes(context, bytes_from(key, 1));
    return true;
}

static void range_stage(struct engine_batch *batch, enum engine_space space, uint64_t number)
{
    struct buf from, to;

    buf_init_in(&from, batch->arena);
    buf_put_be64(&from, number);
    buf_init_in(&to, batch->arena);
    buf_put_be64(&to, number + 1);
    batch_delete_range(batch, space, buf_bytes(&from), buf_bytes(&to));
}

/* Everything under the number of a table or of an index, in one commit; later, when the last pin
 * has gone, if there is one. */
static bool number_purge(struct tables *tables, uint64_t number, struct arena *arena,
                         struct err *err)
{
    static const enum engine_space spaces[] = {SPACE_ITEMS, SPACE_INDEX, SPACE_CHANGELOG,
                                               SPACE_STATISTICS};
    struct engine *engine = tables->engine;
    struct engine_batch batch;
    struct log_state state;
    uint8_t from[8], to[8];

    if (!log_state_read(engine, number, arena, &state, err))
        return false;
    if (state.pin_count > 0)
        return true;
    batch_init(&batch, arena);
    if (state.stamp.size > 0)
        log_state_delete(&batch, number, &state);
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++)
        range_stage(&batch, spaces[i], number);
    batch_delete(&batch, SPACE_CATALOG, catalog_number_key(arena, CATALOG_DROPPED, number));
    index_fill_forget(&batch, number);
    if (!committer_commit(tables->committer, &batch, err))
        return batch.outcome == COMMIT_CONFLICT;
    be64_store(from, number);
    be64_store(to, number + 1);
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++)
        engine->ops->reclaim(engine, spaces[i], bytes_of(from, 8), bytes_of(to, 8));
    return true;
}

static bool dropped_purge(struct tables *tables, struct err *err)
{
    static const uint8_t from = CATALOG_DROPPED, to = CATALOG_DROPPED + 1;
    struct buf numbers;
    struct arena arena;
    struct engine_scan scan = {
        .space = SPACE_CATALOG,
        .from = bytes_of(&from, 1),
        .to = bytes_of(&to, 1),
        .visit = dropped_visit,
        .context = &numbers,
    };

    buf_init(&numbers);
    arena_init(&arena);
    bool ok = engine_scan_all(tables->engine, &scan, err) != SCAN_FAILED;
    for (size_t at = 0; ok && at + 8 <= numbers.size; at += 8)
        ok = number_purge(tables, be64_load(numbers.data + at), &arena, err);
    arena_release(&arena);
    buf_release(&numbers);
    return ok;
}

bool tables_maintain(struct tables *tables, struct err *err)
{
    tables->trimming = trim_allowed(tables);
    return tables_each(tables, table_maintain, tables, err) && dropped_purge(tables, err) &&
           tokens_purge(tables, err);
}
