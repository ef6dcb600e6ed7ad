/* archive/export_job.c - an export as it runs: _started, data files, manifests, COMPLETED.
 *
 * What must be the same when an export is run again after a crash is in its records before anything
 * depends on it:
 *
 *  X1  Instant and id are in the record that accepted it; the number of parts is in the record, and
 *      a part's file name in the part's record, before any upload of data begins.
 *  X2  An upload's id is in the part's record before the first byte is sent, so that a run after a
 *      crash can abandon what the crash cut off; where the crash came before the id was there, it
 *      abandons whatever is unfinished under the part's key, which is nobody else's.
 *  X3  A part is done when its record says so. One whose object was completed a moment before a
 *      crash is written once more, to the same name with the same bytes.
 *  X4  EndTime is in the record before the summary is written.
 *  X5  One last commit makes it COMPLETED or FAILED, takes the pin from the log, and removes the
 *      parts and the job: there is no state in between.
 */
#include "archive/export_job.h"

#include <assert.h>
#include <stdlib.h>

#include "archive/export_source.h"
#include "base/clock.h"
#include "store/failure.h"

struct export_run {
    struct exports *exports;
    struct export_run *next; /* exports->lock */
    struct arena arena;      /* of the texts below; no step changes them, so threads share them */
    struct export export;    /* as read by start() */
    enum line_format format;
    const char *bucket;
    struct object_settings object; /* but for the content type */
    enum line_view view;
    struct export_source *source;
    bool resumed; /* a process before this one had begun with it */
    struct export_meter meter;
};

static struct engine *engine_of(const struct export_run *run)
{
    return tables_engine(run->exports->settings.tables);
}

/* --- commits of the job's own */

/* Conflicts come from trimming, which changes the table's pins as well, and pass. */
#define CONFLICTS_MOST 16

struct change {
    bool (*stage)(struct export_run *run, const struct change *change, struct engine_batch *batch,
                  struct err *err);
    struct export_part *part;
    const struct err *why;
    uint32_t parts;
    uint64_t items, billed_bytes, end_ms;
};

static bool commit_change(struct export_run *run, const struct change *change, struct err *err)
{
    struct committer *committer = tables_committer(run->exports->settings.tables);
    struct arena arena;
    struct engine_batch batch;
    bool ok = false;

    arena_init(&arena);
    for (int i = 0; !ok && i < CONFLICTS_MOST; i++) {
        batch_init(&batch, &arena);
        if (!change->stage(run, change, &batch, err))
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

static struct export_run *run_new(struct exports *exports, struct bytes arn)
{
    struct export_run *run = calloc(1, sizeof *run);

    assert(run != NULL);
    run->exports = exports;
    run->export.arn = arn;
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

static bool put_object(struct export_run *run, const char *leaf, const char *content_type,
                       struct bytes body, struct err *err)
{
    struct store *store = run->exports->settings.store;
    struct object_settings object = run->object;
    struct arena arena;
    char etag[ETAG_MOST];

    arena_init(&arena);
    struct object_location where = {
        run->bucket, export_key(&arena, run->export.prefix, export_id(&run->export), leaf)};
    object.content_type = content_type;
    object.patience_s = strcmp(leaf, LEAF_STARTED) == 0 ? STARTED_PATIENCE_S : 0;
    bool ok = store->ops->put(store, &where, body, &object, etag, err);
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
    return put_object(run, LEAF_STARTED, "application/octet-stream", BYTES(""), err);
}

static bool stage_orphan(struct export_run *run, const struct change *change,
                         struct engine_batch *batch, struct err *err)
{
    (void)change;
    (void)err;
    job_remove(batch, EXPORT_JOB, run->export.arn);
    return true;
}

/* The record as it is now; JOB_ENDED if it has no more to do. A job without a record (its last
 * commit was answered as unknown, and the record has expired since) goes too. */
static enum job_end read_export(struct export_run *run, struct bytes arn, struct arena *arena,
                                struct export *out, struct err *err)
{
    static const struct change orphan = {.stage = stage_orphan};

    if (!export_get(engine_of(run), arn, arena, out, err))
        return JOB_FAILED;
    if (out->stamp.size == 0)
        return commit_change(run, &orphan, err) ? JOB_ENDED : JOB_FAILED;
    return out->state == EXPORT_IN_PROGRESS ? JOB_DONE : JOB_ENDED;
}

static enum job_end job_start(void *context, struct job *job, struct err *err)
{
    job_release(context, job);
    struct exports *exports = context;
    struct export_run *run = job->run = run_new(exports, job->name);
    struct export found;
    struct export_part part;

    enum job_end end = read_export(run, job->name, &run->arena, &found, err);
    if (end != JOB_DONE)
        return end;
    if (!export_part_get(engine_of(run), job->name, 0, &run->arena, &part, err))
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
    run->bucket = arena_text(&run->arena, run->export.bucket);
    run->object = (struct object_settings){
        .encryption = optional_text(&run->arena, run->export.encryption),
        .kms_key = optional_text(&run->arena, run->export.kms_key),
        .expected_owner = optional_text(&run->arena, run->export.bucket_owner),
    };
    if (run->resumed) /* parts come after it, so it is there; and an outage now is none to hurry at
                       */
        return JOB_DONE;
    return put_started(run, err) ? JOB_DONE : JOB_FAILED;
}

/* --- prepare */

static bool stage_parts(struct export_run *run, const struct change *change,
                        struct engine_batch *batch, struct err *err)
{
    char name[FILE_NAME_SIZE + 1];
    struct export export;

    if (!export_get(engine_of(run), run->export.arn, batch->arena, &export, err))
        return false;
    export.parts = change->parts;
    export_put(batch, engine_of(run), &export);
    for (uint32_t i = 0; i < export.parts; i++) {
        file_name_make(name);
        struct export_part part = {
            .number = i,
            .name = arena_copy(batch->arena, bytes_of(name, FILE_NAME_SIZE)),
        };
        export_part_put(batch, engine_of(run), run->export.arn, &part);
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
        ok = export_part_get(engine_of(run), run->export.arn, i, &arena, &part, err);
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
    struct change change = {
        .stage = stage_parts,
        .parts = export_parts_in(export_source_text(run->source), run->export.parts),
    };

    if (!commit_change(run, &change, err))
        return false;
    pthread_mutex_lock(&run->exports->lock);
    run->export.parts = change.parts;
    pthread_mutex_unlock(&run->exports->lock);
    return true;
}

static bool stop_wanted(void *context)
{
    return job_stopping(context);
}

static bool open_source(struct export_run *run, struct job *job, struct err *err)
{
    struct export_source_settings settings = {
        .engine = engine_of(run),
        .export = &run->export,
        .scratch_most = run->exports->settings.scratch_most,
        .fold_memory = run->exports->settings.fold_memory,
        .stop = {stop_wanted, job},
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

/* --- one part */

static bool stage_part(struct export_run *run, const struct change *change,
                       struct engine_batch *batch, struct err *err)
{
    struct export_part now;

    if (!export_part_get(engine_of(run), run->export.arn, change->part->number, batch->arena, &now,
                         err))
        return false;
    struct export_part next = *change->part;
    next.stamp = now.stamp;
    export_part_put(batch, engine_of(run), run->export.arn, &next);
    return true;
}

static bool save_part(struct export_run *run, struct export_part *part, struct err *err)
{
    struct change change = {.stage = stage_part, .part = part};

    return commit_change(run, &change, err);
}

/* The first hash of a part, as the front of an item key: equal shares of all hashes. */
static struct bytes part_from(const struct export_run *run, uint32_t number, uint8_t to[8])
{
    uint64_t share = UINT64_MAX / run->export.parts + 1; /* 0, of one part: all */

    be64_store(to, share * number);
    return bytes_of(to, 8);
}

struct part_walk {
    struct export_run *run;
    const struct job *job;
    struct export_sink sink;
    struct data_file_figures told; /* already added to the run's meter */
    uint64_t from, hashes;         /* the first hash, and the told ones; both in units of 2^32 */
    bool stopped;
};

#define PROGRESS_EVERY 256 /* items */

/* Where parts begin, in units of 2^32 hashes. */
static uint64_t part_border(const struct export_run *run, uint32_t number)
{
    return (UINT64_C(1) << 32) * number / run->export.parts;
}

static void tell_progress(struct part_walk *walk, struct data_file_figures now, uint64_t hashes)
{
    struct export_meter *meter = &walk->run->meter;

    atomic_fetch_add(&meter->items, now.items - walk->told.items);
    atomic_fetch_add(&meter->item_bytes, now.item_bytes - walk->told.item_bytes);
    atomic_fetch_add(&meter->file_bytes, now.file_bytes - walk->told.file_bytes);
    atomic_fetch_add(&meter->hashes, hashes - walk->hashes);
    walk->told = now;
    walk->hashes = hashes;
}

/* A part that a run before this one has written. */
static void tell_found(struct export_run *run, const struct export_part *part)
{
    struct export_meter *meter = &run->meter;
    uint64_t hashes = part_border(run, part->number + 1) - part_border(run, part->number);

    atomic_fetch_add(&meter->items, part->items);
    atomic_fetch_add(&meter->item_bytes, part->item_bytes);
    atomic_fetch_add(&meter->found_bytes, part->item_bytes);
    atomic_fetch_add(&meter->hashes, hashes);
    atomic_fetch_add(&meter->found_hashes, hashes);
}

static bool part_goes_on(void *context, struct bytes key)
{
    struct part_walk *walk = context;
    struct data_file_figures now = data_file_figures(walk->sink.file);

    if (now.items % PROGRESS_EVERY == 0)
        tell_progress(walk, now, (be64_load(key.data) >> 32) - walk->from);
    walk->stopped = job_stopping(walk->job);
    return !walk->stopped;
}

static enum job_end write_lines(struct part_walk *walk, uint32_t number, struct err *err)
{
    struct export_run *run = walk->run;
    uint8_t from[8], to[8];
    struct bytes end = number + 1 < run->export.parts ? part_from(run, number + 1, to) : BYTES_NONE;

    if (!export_source_write(run->source, part_from(run, number, from), end, &walk->sink, err))
        return JOB_FAILED;
    return walk->stopped ? JOB_STOPPED : JOB_DONE;
}

static bool finish_file(struct part_walk *walk, struct export_part *part, struct err *err)
{
    struct data_file_result result;

    if (!data_file_finish(walk->sink.file, &result, err))
        return false;
    tell_progress(walk, result.figures, part_border(walk->run, part->number + 1) - walk->from);
    part->upload_id = BYTES_NONE;
    part->done = true;
    part->items = result.figures.items;
    part->item_bytes = walk->sink.billed_bytes;
    part->md5 = bytes_of(result.sums.md5, sizeof result.sums.md5);
    part->etag = bytes_of_text(result.sums.etag);
    return save_part(walk->run, part, err);
}

static enum job_end write_file(struct part_walk *walk, struct export_part *part,
                               const struct object_location *where, struct err *err)
{
    struct export_run *run = walk->run;
    struct data_file_settings settings = {
        .store = run->exports->settings.store,
        .where = *where,
        .object = run->object,
        .form = {.format = run->format,
                 .view = run->view,
                 .keys = run->export.keys,
                 .key_count = run->export.key_count},
    };

    settings.object.content_type = "application/x-gzip";
    walk->sink = (struct export_sink){data_file_open(&settings, err), 0, part_goes_on, walk};
    if (walk->sink.file == NULL)
        return JOB_FAILED;
    part->upload_id = bytes_of_text(data_file_upload_id(walk->sink.file));
    enum job_end end = save_part(run, part, err) ? JOB_DONE : JOB_FAILED;
    if (end == JOB_DONE)
        end = write_lines(walk, part->number, err);
    if (end == JOB_DONE && !finish_file(walk, part, err))
        end = JOB_FAILED;
    if (end != JOB_DONE)
        tell_progress(walk, (struct data_file_figures){0}, 0);
    data_file_close(walk->sink.file);
    return end;
}

static struct object_location part_location(const struct export_run *run, struct arena *arena,
                                            const struct export_part *part)
{
    const struct export *export = &run->export;
    struct bytes id = export_incremental(export) ? BYTES_NONE : export_id(export);

    return (struct object_location){
        run->bucket,
        export_data_key(arena, export->prefix, id, part->name, line_format_suffix(run->format))};
}

/* X2; false: the store cannot be cleared now. */
static bool part_clear(const struct export_run *run, struct arena *arena,
                       const struct export_part *part)
{
    struct store *store = run->exports->settings.store;
    struct object_location where = part_location(run, arena, part);
    bool ok = true;

    if (part->upload_id.data != NULL)
        ok = store->ops->abandon(store, &where, arena_text(arena, part->upload_id));
    /* The id may be one of a run before the run that the crash has cut off. */
    if (run->resumed)
        ok = store->ops->abandon(store, &where, NULL) && ok;
    return ok;
}

static enum job_end write_part(struct export_run *run, const struct job *job, uint32_t number,
                               struct arena *arena, struct err *err)
{
    struct part_walk walk = {.run = run, .job = job, .from = part_border(run, number)};
    struct export_part part;

    if (!export_part_get(engine_of(run), run->export.arn, number, arena, &part, err))
        return JOB_FAILED;
    if (part.stamp.size == 0) {
        err_fail(err, ERR_CORRUPT, "the record of part %u is gone", number);
        return JOB_FAILED;
    }
    if (part.done) {
        tell_found(run, &part);
        return JOB_DONE;
    }
    struct object_location where = part_location(run, arena, &part);
    part_clear(run, arena, &part);
    return write_file(&walk, &part, &where, err);
}

static enum job_end job_part(void *context, struct job *job, uint32_t number, struct err *err)
{
    struct export_run *run = job->run;
    struct arena arena;

    (void)context;
    arena_init(&arena);
    enum job_end end = write_part(run, job, number, &arena, err);
    arena_release(&arena);
    if (end == JOB_DONE)
        atomic_fetch_add(&run->meter.parts_done, 1);
    return end;
}

/* --- the end */

static bool stage_unpin(struct export_run *run, struct engine_batch *batch, struct err *err)
{
    struct engine *engine = engine_of(run);
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
        if (!export_part_get(engine_of(run), last->arn, i, batch->arena, &part, err))
            return false;
        if (part.stamp.size > 0)
            export_part_delete(batch, last->arn, &part);
    }
    export_put(batch, engine_of(run), last);
    job_remove(batch, EXPORT_JOB, last->arn);
    return stage_unpin(run, batch, err);
}

static bool stage_completed(struct export_run *run, const struct change *change,
                            struct engine_batch *batch, struct err *err)
{
    struct export last;

    if (!export_get(engine_of(run), run->export.arn, batch->arena, &last, err))
        return false;
    last.state = EXPORT_COMPLETED;
    last.items = change->items;
    last.billed_bytes = change->billed_bytes;
    return stage_end(run, batch, &last, err);
}

static bool stage_failed(struct export_run *run, const struct change *change,
                         struct engine_batch *batch, struct err *err)
{
    const struct err *why = change->why;
    bool store = why->code == ERR_STORE && why->reason[0] != '\0';
    struct export last;

    if (!export_get(engine_of(run), run->export.arn, batch->arena, &last, err))
        return false;
    last.state = EXPORT_FAILED;
    last.end_ms = engine_of(run)->ops->now(engine_of(run)) / 1000;
    last.failure_code = store ? bytes_of_text(why->reason) : BYTES("InternalServerError");
    last.failure_message = bytes_of_text(store                            ? why->message
                                         : why->code == ERR_SCRATCH_LIMIT ? EXPORT_SCRATCH
                                                                          : EXPORT_INTERNAL);
    return stage_end(run, batch, &last, err);
}

static bool stage_end_time(struct export_run *run, const struct change *change,
                           struct engine_batch *batch, struct err *err)
{
    struct export next;

    if (!export_get(engine_of(run), run->export.arn, batch->arena, &next, err))
        return false;
    next.end_ms = change->end_ms;
    export_put(batch, engine_of(run), &next);
    return true;
}

/* The lines of manifest-files.json, and the sums of what they name. */
static bool list_files(struct export_run *run, struct arena *arena, struct buf *out,
                       struct change *sums, struct err *err)
{
    const struct export *export = &run->export;
    struct export_part part;

    for (uint32_t i = 0; i < export->parts; i++) {
        if (!export_part_get(engine_of(run), export->arn, i, arena, &part, err))
            return false;
        if (!part.done)
            return err_fail(err, ERR_CORRUPT, "part %u is not done", i);
        struct manifest_file file = {
            .items = part.items,
            .md5 = part.md5,
            .etag = part.etag,
            .key = bytes_of_text(part_location(run, arena, &part).key),
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

    if (!put_object(run, leaf, "application/json", body, err))
        return false;
    buf_init(&md5);
    manifest_put_md5(&md5, body);
    bool ok = put_object(run, md5_leaf, "text/plain", buf_bytes(&md5), err);
    buf_release(&md5);
    return ok;
}

static bool put_summary(struct export_run *run, const struct change *sums, struct arena *arena,
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
    struct engine *engine = engine_of(run);
    struct change change = {.stage = stage_end_time, .end_ms = now->end_ms};

    if (now->end_ms == 0) {
        change.end_ms = engine->ops->now(engine) / 1000;
        if (!commit_change(run, &change, err))
            return false;
    }
    *end_ms = change.end_ms;
    return true;
}

static enum job_end finish(struct export_run *run, struct arena *arena, struct err *err)
{
    struct change last = {.stage = stage_completed};
    struct export now;
    struct buf files;

    enum job_end end = read_export(run, run->export.arn, arena, &now, err);
    if (end != JOB_DONE)
        return end;
    buf_init_in(&files, arena);
    if (!list_files(run, arena, &files, &last, err) ||
        !put_with_md5(run, LEAF_FILES, LEAF_FILES_MD5, buf_bytes(&files), err) ||
        !fix_end_time(run, &now, &last.end_ms, err) || !put_summary(run, &last, arena, err) ||
        !commit_change(run, &last, err))
        return JOB_FAILED;
    return JOB_DONE;
}

static enum job_end job_finish(void *context, struct job *job, struct err *err)
{
    struct export_run *run = job->run;
    struct arena arena;

    (void)context;
    run->meter.phase = EXPORT_FINISHES;
    export_source_close(run->source); /* its scratch store is not needed any more */
    run->source = NULL;
    arena_init(&arena);
    enum job_end end = finish(run, &arena, err);
    arena_release(&arena);
    return end;
}

/* Uploads of a process before this one, which nobody will take up now: those of this one are
 * aborted when a part fails. At the first that the store does not let go it is left at that. */
static void clear_parts(const struct export_run *run, const struct export *export,
                        struct arena *arena)
{
    struct export_part part;
    struct err ignored;
    bool ok = run->resumed;

    for (uint32_t i = 0; ok && i < export->parts; i++) {
        ok = export_part_get(engine_of(run), export->arn, i, arena, &part, &ignored);
        if (ok && part.stamp.size > 0 && !part.done)
            ok = part_clear(run, arena, &part);
    }
}

static enum job_end job_fail(void *context, struct job *job, const struct err *why, struct err *err)
{
    struct export_run *run = job->run;
    struct change last = {.stage = stage_failed, .why = why};
    struct export now;
    struct arena arena;

    (void)context;
    arena_init(&arena);
    enum job_end end = read_export(run, job->name, &arena, &now, err);
    if (end == JOB_DONE)
        clear_parts(run, &now, &arena);
    if (end == JOB_DONE && !commit_change(run, &last, err))
        end = JOB_FAILED;
    arena_release(&arena);
    return end;
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
