/* archive/export_job.c - an export as it runs: _started, data files, manifests, COMPLETED.
 *
 * What must be the same when an export is run again after a crash is in its records before anything
 * depends on it:
 *
 *  X1  Instant and id are in the record that accepted it; the number of parts is in the record, and
 *      a part's file name in the part's record, before any upload of data begins.
 *  X2  An upload's id is in the part's record before the first byte is sent, so that a run after a
 *      crash, or after a stop, can abandon what was cut off; where that came before the id was
 *      there, it abandons whatever is unfinished under the part's key, which is nobody else's.
 *  X3  A part is done when its record says so. One whose object was completed a moment before a
 *      crash is written once more, to the same name with the same bytes.
 *  X4  EndTime is in the record before the summary is written.
 *  X5  One last commit makes it COMPLETED or FAILED, takes the pin from the log, and removes the
 *      parts and the job: there is no state in between.
 *
 * One data file is export_part.c's, how it ends export_end.c's.
 */
#include "archive/export_job.h"

#include <assert.h>
#include <stdlib.h>

#include "archive/export_run.h"
#include "base/clock.h"
#include "store/failure.h"

struct engine *export_run_engine(const struct export_run *run)
{
    return exports_engine(run->exports);
}

/* --- commits of the job's own */

/* Conflicts come from others who change the table's pins: exports that are accepted or end, and
 * trimming. */
#define CONFLICTS_MOST EXPORTS_AT_ONCE_MOST

bool export_run_commit(struct export_run *run,
                       bool (*stage)(struct export_run *run, const void *context,
                                     struct engine_batch *batch, struct err *err),
                       const void *context, struct err *err)
{
    struct committer *committer = tables_committer(run->exports->settings.tables);
    struct arena arena;
    struct engine_batch batch;
    bool ok = false;

    arena_init(&arena);
    for (int i = 0; !ok && i < CONFLICTS_MOST; i++) {
        batch_init(&batch, &arena);
        if (!stage(run, context, &batch, err))
            break;
        ok = committer_commit(committer, &batch, err);
        if (!ok && batch.outcome != COMMIT_CONFLICT)
            break;
    }
    arena_release(&arena);
    return ok;
}

/* --- start */

static const char *optional_text(struct arena *arena, struct bytes text)
{
    return text.data == NULL ? NULL : arena_text(arena, text);
}

static struct export_run *run_new(struct exports *exports, struct job *job)
{
    struct export_run *run = calloc(1, sizeof *run);

    assert(run != NULL);
    run->exports = exports;
    run->job = job;
    run->export.arn = job->name;
    arena_init(&run->arena);
    pthread_mutex_lock(&exports->lock);
    run->next = exports->runs;
    exports->runs = run;
    pthread_mutex_unlock(&exports->lock);
    return run;
}

static void job_release(void *context, struct job *job)
{
    struct exports *exports = context;
    struct export_run *run = job->run;
    struct export_run **at = &exports->runs;

    if (run == NULL)
        return;
    pthread_mutex_lock(&exports->lock);
    while (*at != run)
        at = &(*at)->next;
    *at = run->next;
    pthread_mutex_unlock(&exports->lock);
    export_source_close(run->source);
    arena_release(&run->arena);
    free(run);
    job->run = NULL;
}

/* Ours: of one try of `_started`, of which there are JOB_STARTS_MOST. */
#define STARTED_PATIENCE_S 8

bool export_run_put(struct export_run *run, const char *leaf, const char *content_type,
                    struct bytes body, struct err *err)
{
    struct store *store = run->exports->settings.store;
    struct object_settings object = run->object;
    struct job_wait wait;
    struct arena arena;
    char etag[ETAG_MOST];

    arena_init(&arena);
    struct object_location where = {
        run->bucket, export_key(&arena, run->export.prefix, export_id(&run->export), leaf)};
    object.content_type = content_type;
    object.patience_s = strcmp(leaf, LEAF_STARTED) == 0 ? STARTED_PATIENCE_S : 0;
    job_wait_begin(run->job, &wait);
    bool ok = store->ops->put(store, &where, body, &object, etag, err);
    job_wait_end(&wait);
    arena_release(&arena);
    return ok;
}

/* `_started`: the first object of all, which tells whether the bucket can be written. A key that is
 * cut off at a NUL would be that of another object. */
static bool put_started(struct export_run *run, struct err *err)
{
    struct bytes prefix = run->export.prefix;

    if (prefix.size > 0 && memchr(prefix.data, '\0', prefix.size) != NULL)
        return store_broken(err, "no object's key has a NUL in it, as this S3Prefix does");
    return export_run_put(run, LEAF_STARTED, "application/octet-stream", BYTES(""), err);
}

static bool stage_orphan(struct export_run *run, const void *context, struct engine_batch *batch,
                         struct err *err)
{
    (void)context;
    (void)err;
    job_remove(batch, EXPORT_JOB, run->export.arn);
    return true;
}

enum job_end export_run_read(struct export_run *run, struct bytes arn, struct arena *arena,
                             struct export *out, struct err *err)
{
    if (!export_get(export_run_engine(run), arn, arena, out, err))
        return JOB_FAILED;
    if (out->stamp.size == 0)
        return export_run_commit(run, stage_orphan, NULL, err) ? JOB_ENDED : JOB_FAILED;
    return out->state == EXPORT_IN_PROGRESS ? JOB_DONE : JOB_ENDED;
}

static bool job_stop_wanted(void *context)
{
    return job_stopping(context);
}

static bool read_filter(struct export_run *run, struct err *err)
{
    return !run->export.filtered || (export_filter_get(export_run_engine(run), run->export.arn,
                                                       &run->arena, &run->filter, err) &&
                                     export_filter_compile(&run->filter, &run->arena, err));
}

static enum job_end job_start(void *context, struct job *job, struct err *err)
{
    job_release(context, job);
    struct exports *exports = context;
    struct export_run *run = job->run = run_new(exports, job);
    struct export found;
    struct export_part part;

    enum job_end end = export_run_read(run, job->name, &run->arena, &found, err);
    if (end != JOB_DONE)
        return end;
    if (!export_part_get(export_run_engine(run), job->name, 0, &run->arena, &part, err))
        return JOB_FAILED;
    run->resumed = part.stamp.size > 0;
    pthread_mutex_lock(&exports->lock);
    run->export = found;
    pthread_mutex_unlock(&exports->lock);
    if (!line_format_named(run->export.format, &run->format)) {
        err_fail(err, ERR_CORRUPT, "the record of %.*s has format %.*s", BYTES_ARGS(job->name),
                 BYTES_ARGS(run->export.format));
        return JOB_FAILED;
    }
    run->view = bytes_equal(run->export.view, BYTES("NEW_IMAGE")) ? LINE_NEW_IMAGE
                                                                  : LINE_NEW_AND_OLD_IMAGES;
    if (!read_filter(run, err))
        return JOB_FAILED;
    run->bucket = arena_text(&run->arena, run->export.bucket);
    job->lane = run->export.bucket;
    run->object = (struct object_settings){
        .encryption = optional_text(&run->arena, run->export.encryption),
        .kms_key = optional_text(&run->arena, run->export.kms_key),
        .expected_owner = optional_text(&run->arena, run->export.bucket_owner),
        .stop = {job_stop_wanted, job},
    };
    if (run->resumed) /* parts come after it, so it is there; and an outage now is none to hurry at
                       */
        return JOB_DONE;
    return put_started(run, err) ? JOB_DONE : JOB_FAILED;
}

/* --- prepare */

static bool stage_parts(struct export_run *run, const void *context, struct engine_batch *batch,
                        struct err *err)
{
    const uint32_t *parts = context;
    char name[FILE_NAME_SIZE + 1];
    struct export export;

    if (!export_get(export_run_engine(run), run->export.arn, batch->arena, &export, err))
        return false;
    export.parts = *parts;
    export_put(batch, export_run_engine(run), &export);
    for (uint32_t i = 0; i < export.parts; i++) {
        file_name_make(name);
        struct export_part part = {
            .number = i,
            .name = arena_copy(batch->arena, bytes_of(name, FILE_NAME_SIZE)),
        };
        export_part_put(batch, export_run_engine(run), run->export.arn, &part);
    }
    return true;
}

/* Whether some part is still to be written, and whether it is the first run, which makes them. */
static bool look_at_parts(struct export_run *run, bool *unfinished, bool *first, struct err *err)
{
    struct arena arena;
    struct export_part part;
    bool ok = true;

    *unfinished = *first = false;
    arena_init(&arena);
    struct arena_mark mark = arena_mark(&arena);
    for (uint32_t i = 0; ok && i < run->export.parts && !*unfinished; i++) {
        ok = export_part_get(export_run_engine(run), run->export.arn, i, &arena, &part, err);
        *unfinished = ok && !part.done;
        *first = *unfinished && part.stamp.size == 0;
        arena_rewind(&arena, mark);
    }
    arena_release(&arena);
    return ok;
}

/* X1. How many there are of an incremental export goes by what the window holds. */
static bool make_parts(struct export_run *run, struct err *err)
{
    uint32_t parts = export_parts_in(export_source_text(run->source), run->export.parts);

    if (!export_run_commit(run, stage_parts, &parts, err))
        return false;
    pthread_mutex_lock(&run->exports->lock);
    run->export.parts = parts;
    pthread_mutex_unlock(&run->exports->lock);
    return true;
}

static bool open_source(struct export_run *run, struct job *job, struct err *err)
{
    struct export_source_settings settings = {
        .engine = export_run_engine(run),
        .export = &run->export,
        .filter = run->export.filtered ? &run->filter : NULL,
        .scratch_most = run->exports->settings.scratch_most,
        .fold_memory = run->exports->settings.fold_memory,
        .stop = {job_stop_wanted, job},
    };

    if (run->source == NULL)
        run->source = export_source_open(&settings, err);
    return run->source != NULL;
}

static enum job_end job_prepare(void *context, struct job *job, uint32_t *parts, struct err *err)
{
    struct export_run *run = job->run;
    bool unfinished, first;

    (void)context;
    run->meter.phase = EXPORT_READS;
    if (!look_at_parts(run, &unfinished, &first, err) ||
        (unfinished && !open_source(run, job, err)) || (first && !make_parts(run, err)))
        return JOB_FAILED;
    *parts = run->export.parts;
    run->meter.began_at = clock_monotonic_micros();
    run->meter.phase = EXPORT_WRITES;
    return JOB_DONE;
}

/* --- the other steps */

static enum job_end job_part(void *context, struct job *job, uint32_t number, struct err *err)
{
    (void)context;
    return export_part_run(job->run, number, err);
}

/* An open source has memory, scratch files, and keeps the engine from dropping what it shows. */
static void job_rest(void *context, struct job *job)
{
    struct export_run *run = job->run;

    (void)context;
    run->meter.phase = EXPORT_WAITS;
    export_source_close(run->source);
    run->source = NULL;
}

static enum job_end job_finish(void *context, struct job *job, struct err *err)
{
    struct export_run *run = job->run;

    (void)context;
    run->meter.phase = EXPORT_FINISHES;
    export_source_close(run->source); /* its scratch store is not needed any more */
    run->source = NULL;
    return export_run_finish(run, err);
}

static enum job_end job_fail(void *context, struct job *job, const struct err *why, struct err *err)
{
    (void)context;
    return export_run_fail(job->run, job->name, why, err);
}

/* What may pass by itself. The store has tried again what is worth it within one call; a part is
 * begun anew where that was not enough. */
static bool job_again(const struct err *err)
{
    static const char *const passing[] = {
        "InternalServerError",  "S3SlowDown",       "S3InternalError",
        "S3ServiceUnavailable", "S3RequestTimeout", "S3NoSuchUpload",
    };

    if (err->code != ERR_STORE)
        return err->code == ERR_STORAGE || err->code == ERR_DISK_FULL ||
               err->code == ERR_OVERLOADED || err->code == ERR_UNKNOWN_OUTCOME;
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        if (strcmp(err->reason, passing[i]) == 0)
            return true;
    return false;
}

static void job_interrupt(void *context)
{
    struct exports *exports = context;

    store_stop(exports->settings.store);
}

void export_job_kind(struct exports *exports)
{
    exports->kind = (struct job_kind){
        .name = EXPORT_JOB,
        .context = exports,
        .start = job_start,
        .prepare = job_prepare,
        .part = job_part,
        .finish = job_finish,
        .fail = job_fail,
        .again = job_again,
        .rest = job_rest,
        .release = job_release,
        .interrupt = job_interrupt,
        .maintain = exports_sweep,
    };
}

/* --- progress */

static struct export_progress progress_of(struct export_run *run)
{
    return export_meter_read(&run->meter, run->export.parts);
}

bool export_progress(struct exports *exports, struct bytes arn, struct export_progress *out)
{
    bool found = false;

    pthread_mutex_lock(&exports->lock);
    for (struct export_run *run = exports->runs; run != NULL && !found; run = run->next)
        if (bytes_equal(run->export.arn, arn)) {
            *out = progress_of(run);
            found = true;
        }
    pthread_mutex_unlock(&exports->lock);
    return found;
}

void exports_metrics(struct exports *exports, struct buf *out)
{
    struct export_progress sum = {0};

    pthread_mutex_lock(&exports->lock);
    for (struct export_run *run = exports->runs; run != NULL; run = run->next) {
        struct export_progress one = progress_of(run);
        sum.parts += one.parts;
        sum.parts_done += one.parts_done;
        sum.items += one.items;
        sum.file_bytes += one.file_bytes;
    }
    buf_printf(out,
               "# TYPE gramme_export_parts gauge\ngramme_export_parts %u\n"
               "# TYPE gramme_export_parts_done gauge\ngramme_export_parts_done %u\n"
               "# TYPE gramme_export_items gauge\ngramme_export_items %llu\n"
               "# TYPE gramme_export_file_bytes gauge\ngramme_export_file_bytes %llu\n",
               sum.parts, sum.parts_done, (unsigned long long)sum.items,
               (unsigned long long)sum.file_bytes);
    pthread_mutex_unlock(&exports->lock);
}
