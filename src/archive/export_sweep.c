/* archive/export_sweep.c - what time takes away of the records of exports. */
#include "archive/export_job.h"

#include "base/clock.h"

#define SWEEP_EVERY (UINT64_C(3600) * SECOND_MICROS)
#define SWEEP_BATCH 256

struct sweep {
    struct engine *engine;
    struct engine_batch *batch;
    struct arena *arena;
    uint64_t now_ms, kept_ms;
    uint32_t count;
    struct bytes last; /* key */
    struct err *err;
    bool failed;
};

/* An export stays as long as it runs, and its filter as long as it is there. */
static bool sweep_needs(struct sweep *sweep, struct bytes key, struct bytes item)
{
    struct arena_mark mark = arena_mark(sweep->arena);
    struct record export = {.stamp = BYTES_NONE};

    if (key.data[0] != RECORD_FILTER)
        return bytes_equal(item_text(item, "ExportStatus"), BYTES("IN_PROGRESS"));
    sweep->failed =
        !record_get(sweep->engine, record_key(sweep->arena, RECORD_EXPORT, bytes_from(key, 1)),
                    sweep->arena, &export, sweep->err);
    bool there = export.stamp.size > 0;
    arena_rewind(sweep->arena, mark);
    return there;
}

static bool sweep_visit(void *context, struct bytes key, struct bytes value)
{
    struct sweep *sweep = context;
    struct record record;

    sweep->failed = !record_read(sweep->engine, value, &record, sweep->err);
    if (sweep->failed)
        return false;
    uint64_t start_ms = (uint64_t)item_integer(record.item, "StartTime", 0);
    if (sweep->now_ms < start_ms + sweep->kept_ms || sweep_needs(sweep, key, record.item))
        return !sweep->failed;
    if (sweep->failed)
        return false;
    sweep->last = arena_copy(sweep->arena, key);
    record_delete(sweep->batch, sweep->last, arena_copy(sweep->arena, record.stamp));
    return ++sweep->count < SWEEP_BATCH;
}

/* One batch of deletions; `*from` moves behind them, and is empty once there are no more. */
static bool sweep_some(struct exports *exports, struct arena *arena, uint64_t kept_ms,
                       struct bytes to, struct bytes *from, struct err *err)
{
    struct engine_batch batch;
    struct sweep sweep = {
        .engine = exports_engine(exports),
        .batch = &batch,
        .arena = arena,
        .now_ms = exports_now(exports) / 1000,
        .kept_ms = kept_ms,
        .err = err,
    };
    struct engine_scan scan = {
        .space = SPACE_CATALOG,
        .from = *from,
        .to = to,
        .visit = sweep_visit,
        .context = &sweep,
    };

    batch_init(&batch, arena);
    if (engine_scan_all(exports_engine(exports), &scan, err) == SCAN_FAILED || sweep.failed)
        return false;
    *from = sweep.count == SWEEP_BATCH ? sweep.last : BYTES_NONE;
    return sweep.count == 0 ||
           committer_commit(tables_committer(exports->settings.tables), &batch, err) ||
           batch.outcome == COMMIT_CONFLICT; /* somebody renewed one; the next sweep sees it */
}

static bool sweep_kind(struct exports *exports, enum record_kind kind, uint64_t kept_ms,
                       struct err *err)
{
    struct arena arena;
    bool ok = true;

    arena_init(&arena);
    struct bytes from = record_key(&arena, kind, BYTES_NONE);
    struct bytes to = record_key_after(&arena, from);
    while (ok && from.data != NULL)
        ok = sweep_some(exports, &arena, kept_ms, to, &from, err);
    arena_release(&arena);
    return ok;
}

bool exports_sweep(void *context, struct err *err)
{
    struct exports *exports = context;
    uint64_t now = clock_micros();

    if (now >= exports->swept_at && now - exports->swept_at < SWEEP_EVERY)
        return true;
    if (!sweep_kind(exports, RECORD_TOKEN, EXPORT_TOKEN_KEPT_MS, err) ||
        !sweep_kind(exports, RECORD_EXPORT, EXPORT_KEPT_MS, err) ||
        !sweep_kind(exports, RECORD_FILTER, EXPORT_KEPT_MS, err))
        return false;
    exports->swept_at = now;
    return true;
}
