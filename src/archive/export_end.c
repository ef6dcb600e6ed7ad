/* archive/export_end.c - how an export ends: its manifests, the summary last, then COMPLETED; or
 * FAILED, and why (X4 and X5 of export_job.c). */
#include "archive/export_run.h"

/* What the manifests say of all data files. */
struct sums {
    uint64_t items, billed_bytes, end_ms;
};

static bool stage_unpin(struct export_run *run, struct engine_batch *batch, struct err *err)
{
    struct engine *engine = export_run_engine(run);
    uint64_t table = run->export.table_number;
    struct log_state state;

    if (!log_state_read(engine, table, batch->arena, &state, err))
        return false;
    if (state.stamp.size == 0)
        return true;
    struct log_state next = log_state_unpinned(&state, run->export.arn, batch->arena);
    log_state_write(batch, &engine->limits, table, &state, &next);
    return true;
}

static bool stage_end(struct export_run *run, struct engine_batch *batch, const struct export *last,
                      struct err *err)
{
    struct export_part part;

    for (uint32_t i = 0; i < last->parts; i++) {
        if (!export_part_get(export_run_engine(run), last->arn, i, batch->arena, &part, err))
            return false;
        if (part.stamp.size > 0)
            export_part_delete(batch, last->arn, &part);
    }
    export_put(batch, export_run_engine(run), last);
    job_remove(batch, EXPORT_JOB, last->arn);
    return stage_unpin(run, batch, err);
}

static bool stage_completed(struct export_run *run, const void *context, struct engine_batch *batch,
                            struct err *err)
{
    const struct sums *sums = context;
    struct export last;

    if (!export_get(export_run_engine(run), run->export.arn, batch->arena, &last, err))
        return false;
    last.state = EXPORT_COMPLETED;
    last.items = sums->items;
    last.billed_bytes = sums->billed_bytes;
    return stage_end(run, batch, &last, err);
}

static bool stage_failed(struct export_run *run, const void *context, struct engine_batch *batch,
                         struct err *err)
{
    const struct err *why = context;
    bool store = why->code == ERR_STORE && why->reason[0] != '\0';
    struct export last;

    if (!export_get(export_run_engine(run), run->export.arn, batch->arena, &last, err))
        return false;
    last.state = EXPORT_FAILED;
    last.end_ms = export_run_engine(run)->ops->now(export_run_engine(run)) / 1000;
    last.failure_code = store ? bytes_of_text(why->reason) : BYTES("InternalServerError");
    last.failure_message = bytes_of_text(store                            ? why->message
                                         : why->code == ERR_SCRATCH_LIMIT ? EXPORT_SCRATCH
                                                                          : EXPORT_INTERNAL);
    return stage_end(run, batch, &last, err);
}

static bool stage_end_time(struct export_run *run, const void *context, struct engine_batch *batch,
                           struct err *err)
{
    const uint64_t *end_ms = context;
    struct export next;

    if (!export_get(export_run_engine(run), run->export.arn, batch->arena, &next, err))
        return false;
    next.end_ms = *end_ms;
    export_put(batch, export_run_engine(run), &next);
    return true;
}

/* The lines of manifest-files.json, and the sums of what they name. */
static bool list_files(struct export_run *run, struct arena *arena, struct buf *out,
                       struct sums *sums, struct err *err)
{
    const struct export *export = &run->export;
    struct export_part part;

    for (uint32_t i = 0; i < export->parts; i++) {
        if (!export_part_get(export_run_engine(run), export->arn, i, arena, &part, err))
            return false;
        if (!part.done)
            return err_fail(err, ERR_CORRUPT, "part %u is not done", i);
        struct manifest_file file = {
            .items = part.items,
            .md5 = part.md5,
            .etag = part.etag,
            .key = bytes_of_text(export_part_location(run, arena, &part).key),
        };
        manifest_put_file(out, &file);
        sums->items += part.items;
        sums->billed_bytes += part.item_bytes;
    }
    if (export_incremental(export) && sums->billed_bytes < EXPORT_BILLED_LEAST)
        sums->billed_bytes = EXPORT_BILLED_LEAST;
    return true;
}

static bool put_with_md5(struct export_run *run, const char *leaf, const char *md5_leaf,
                         struct bytes body, struct err *err)
{
    struct buf md5;

    if (!export_run_put(run, leaf, "application/json", body, err))
        return false;
    buf_init(&md5);
    manifest_put_md5(&md5, body);
    bool ok = export_run_put(run, md5_leaf, "text/plain", buf_bytes(&md5), err);
    buf_release(&md5);
    return ok;
}

static bool put_summary(struct export_run *run, const struct sums *sums, struct arena *arena,
                        struct err *err)
{
    const struct export *export = &run->export;
    struct manifest_summary summary = {
        .export_arn = export->arn,
        .table_arn = export->table_arn,
        .table_id = export->table_id,
        .start_ms = export->start_ms,
        .end_ms = sums->end_ms,
        .time_ms = export->time_ms,
        .from_ms = export->from_ms,
        .to_ms = export->to_ms,
        .bucket = export->bucket,
        .prefix = export->prefix,
        .encryption = export->encryption,
        .kms_key = export->kms_key,
        .files_key =
            bytes_of_text(export_key(arena, export->prefix, export_id(export), LEAF_FILES)),
        .billed_bytes = sums->billed_bytes,
        .items = sums->items,
        .format = export->format,
        .view = export->view,
        .type = export->type,
    };
    struct buf text;

    buf_init_in(&text, arena);
    manifest_put_summary(&text, &summary);
    return put_with_md5(run, LEAF_SUMMARY, LEAF_SUMMARY_MD5, buf_bytes(&text), err);
}

/* X4: the time that a run before this one recorded, or now. */
static bool fix_end_time(struct export_run *run, const struct export *now, uint64_t *end_ms,
                         struct err *err)
{
    struct engine *engine = export_run_engine(run);
    uint64_t fixed = now->end_ms;

    if (fixed == 0) {
        fixed = engine->ops->now(engine) / 1000;
        if (!export_run_commit(run, stage_end_time, &fixed, err))
            return false;
    }
    *end_ms = fixed;
    return true;
}

static enum job_end finish(struct export_run *run, struct arena *arena, struct err *err)
{
    struct sums sums = {0};
    struct export now;
    struct buf files;

    enum job_end end = export_run_read(run, run->export.arn, arena, &now, err);
    if (end != JOB_DONE)
        return end;
    buf_init_in(&files, arena);
    if (!list_files(run, arena, &files, &sums, err) ||
        !put_with_md5(run, LEAF_FILES, LEAF_FILES_MD5, buf_bytes(&files), err) ||
        !fix_end_time(run, &now, &sums.end_ms, err) || !put_summary(run, &sums, arena, err) ||
        !export_run_commit(run, stage_completed, &sums, err))
        return JOB_FAILED;
    return JOB_DONE;
}

enum job_end export_run_finish(struct export_run *run, struct err *err)
{
    struct arena arena;

    arena_init(&arena);
    enum job_end end = finish(run, &arena, err);
    arena_release(&arena);
    return end;
}

/* Uploads that nobody will take up now: of a process before this one, of a step that was stopped,
 * or whose abort failed as well. At the first that the store does not let go it is left at that. */
static void clear_parts(struct export_run *run, const struct export *export, struct arena *arena)
{
    struct export_part part;
    struct err ignored;
    bool ok = true;

    for (uint32_t i = 0; ok && i < export->parts; i++) {
        ok = export_part_get(export_run_engine(run), export->arn, i, arena, &part, &ignored);
        if (ok && part.stamp.size > 0 && !part.done)
            ok = export_part_clear(run, arena, &part);
    }
}

enum job_end export_run_fail(struct export_run *run, struct bytes arn, const struct err *why,
                             struct err *err)
{
    struct export now;
    struct arena arena;

    arena_init(&arena);
    enum job_end end = export_run_read(run, arn, &arena, &now, err);
    if (end == JOB_DONE)
        clear_parts(run, &now, &arena);
    if (end == JOB_DONE && !export_run_commit(run, stage_failed, why, err))
        end = JOB_FAILED;
    arena_release(&arena);
    return end;
}
