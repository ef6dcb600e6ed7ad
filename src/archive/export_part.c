/* archive/export_part.c - one data file of an export: the lines of an equal share of all hashes, in
 * an upload of its own, and the part's record, which says when it is done (X1 to X3 of
 * export_job.c). */
#include "archive/data_file.h"
#include "archive/export_run.h"

static bool stage_part(struct export_run *run, const void *context, struct engine_batch *batch,
                       struct err *err)
{
    const struct export_part *part = context;
    struct export_part now;

    if (!export_part_get(export_run_engine(run), run->export.arn, part->number, batch->arena, &now,
                         err))
        return false;
    struct export_part next = *part;
    next.stamp = now.stamp;
    export_part_put(batch, export_run_engine(run), run->export.arn, &next);
    return true;
}

static bool save_part(struct export_run *run, struct export_part *part, struct err *err)
{
    return export_run_commit(run, stage_part, part, err);
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
    struct export_sink sink;
    struct data_file_figures told; /* already added to the run's meter */
    uint64_t from, hashes;         /* the first hash, and the told ones; both in units of 2^32 */
    uint64_t keys;                 /* so far, of what is filtered out too */
    struct buf next;               /* where a walk that paused goes on */
    bool stopped, paused;
};

#define PROGRESS_EVERY 256 /* keys */

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

    if (++walk->keys % PROGRESS_EVERY == 0)
        tell_progress(walk, data_file_figures(walk->sink.file),
                      (be64_load(key.data) >> 32) - walk->from);
    walk->stopped = job_stopping(walk->run->job);
    walk->paused = !walk->stopped && data_file_waits(walk->sink.file);
    if (walk->paused) {
        buf_clear(&walk->next);
        buf_put_bytes(&walk->next, key);
        buf_put_u8(&walk->next, 0); /* the least key behind it */
    }
    return !walk->stopped && !walk->paused;
}

/* Up to the end, or to where the file has to wait for the store: not amid a scan, which would keep
 * the engine's memory and files as they are for as long. */
static bool walk_on(struct part_walk *walk, struct bytes end, struct err *err)
{
    struct buf from;

    buf_init(&from);
    buf_put_bytes(&from, buf_bytes(&walk->next));
    walk->paused = false;
    bool ok = export_source_write(walk->run->source, buf_bytes(&from), end, &walk->sink, err);
    buf_release(&from);
    return ok && (!walk->paused || data_file_wait(walk->sink.file, err));
}

static enum job_end write_lines(struct part_walk *walk, uint32_t number, struct err *err)
{
    struct export_run *run = walk->run;
    uint8_t from[8], to[8];
    bool ok;
    struct bytes end = number + 1 < run->export.parts ? part_from(run, number + 1, to) : BYTES_NONE;

    buf_put_bytes(&walk->next, part_from(run, number, from));
    do
        ok = walk_on(walk, end, err);
    while (ok && walk->paused);
    if (!ok)
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
                               const struct object_location *where, struct arena *arena,
                               struct err *err)
{
    struct export_run *run = walk->run;
    struct data_file_settings settings = {
        .job = run->job,
        .store = run->exports->settings.store,
        .where = *where,
        .object = run->object,
        .form = {.format = run->format,
                 .view = run->view,
                 .keys = run->export.keys,
                 .key_count = run->export.key_count,
                 .projection = run->filter.projection,
                 .arena = arena},
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

struct object_location export_part_location(const struct export_run *run, struct arena *arena,
                                            const struct export_part *part)
{
    const struct export *export = &run->export;
    struct bytes id = export_incremental(export) ? BYTES_NONE : export_id(export);

    return (struct object_location){
        run->bucket,
        export_data_key(arena, export->prefix, id, part->name, line_format_suffix(run->format))};
}

static bool abandon(struct export_run *run, const struct object_location *where,
                    const char *upload_id)
{
    struct store *store = run->exports->settings.store;
    struct job_wait wait;

    job_wait_begin(run->job, &wait);
    bool ok = store->ops->abandon(store, where, upload_id);
    job_wait_end(&wait);
    return ok;
}

/* X2. */
bool export_part_clear(struct export_run *run, struct arena *arena, const struct export_part *part)
{
    struct object_location where = export_part_location(run, arena, part);
    bool ok = true;

    if (part->upload_id.data != NULL)
        ok = abandon(run, &where, arena_text(arena, part->upload_id));
    /* The id may be one of a try before the try that was cut off. */
    if (run->resumed || run->left)
        ok = abandon(run, &where, NULL) && ok;
    return ok;
}

static enum job_end write_part(struct export_run *run, uint32_t number, struct arena *arena,
                               struct err *err)
{
    struct part_walk walk = {.run = run, .from = part_border(run, number)};
    struct export_part part;

    if (!export_part_get(export_run_engine(run), run->export.arn, number, arena, &part, err))
        return JOB_FAILED;
    if (part.stamp.size == 0) {
        err_fail(err, ERR_CORRUPT, "the record of part %u is gone", number);
        return JOB_FAILED;
    }
    if (part.done) {
        tell_found(run, &part);
        return JOB_DONE;
    }
    struct object_location where = export_part_location(run, arena, &part);
    export_part_clear(run, arena, &part);
    buf_init(&walk.next);
    enum job_end end = write_file(&walk, &part, &where, arena, err);
    buf_release(&walk.next);
    if (end != JOB_DONE && job_stopping(run->job))
        run->left = true;
    return end;
}

enum job_end export_part_run(struct export_run *run, uint32_t number, struct err *err)
{
    struct arena arena;

    arena_init(&arena);
    enum job_end end = write_part(run, number, &arena, err);
    arena_release(&arena);
    if (end == JOB_DONE)
        atomic_fetch_add(&run->meter.parts_done, 1);
    return end;
}
