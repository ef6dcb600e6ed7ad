/* archive/replay.c - the summaries first, which say what follows what; then the full export into a
 * scratch store and each window's changes upon it; then what is there, in the order of its keys, as
 * data files of equal ranges of hashes and manifests, in the order of spec/export.md 3.1: a summary
 * last, so nothing is an export that is not finished. */
#include "archive/replay.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "archive/data_file.h"
#include "archive/export.h"
#include "archive/manifest.h"
#include "archive/sorted.h"
#include "base/clock.h"

struct replay {
    struct sorted sorted;
    const char *scratch;
    const struct diff_source *source; /* that is read */
    struct arena arena;               /* of one line */
    bool compared;                    /* what is read tells old images */
    uint64_t text_bytes;              /* of all lines that were read */
    uint64_t known_ms;                /* the table as of this is in the scratch store */
    struct verify_report full;        /* of the full export */
    struct buf *problems;
};

/* ---- what follows what ---------------------------------------------------------------------- */

struct step {
    const struct diff_source *source;
    uint64_t from_ms, to_ms;
};

static int step_compare(const void *a, const void *b)
{
    const struct step *one = a, *other = b;

    return (one->from_ms > other->from_ms) - (one->from_ms < other->from_ms);
}

/* One summary, and whether it fits the full export's. */
static bool look(struct replay *replay, const struct diff_source *source, struct step *out,
                 struct err *err)
{
    struct verify_report report;
    bool ok = false;

    verify_report_init(&report);
    if (!verify_summary(source->store, &source->settings, &report, err))
        goto out;
    if (report.problem_count > 0) {
        buf_put_bytes(replay->problems, buf_bytes(&report.problems));
        err_fail(err, ERR_CORRUPT, "%s is not whole", source->name);
    } else if (!report.incremental) {
        err_fail(err, ERR_CONFIG, "%s is a full export, and one is what all begins with",
                 source->name);
    } else if (strcmp(report.table_id, replay->full.table_id) != 0) {
        err_fail(err, ERR_CONFIG, "%s is of another table", source->name);
    } else {
        *out = (struct step){source, report.from_ms, report.to_ms};
        ok = true;
    }
out:
    verify_report_release(&report);
    return ok;
}

static bool look_at_full(struct replay *replay, const struct diff_source *source, struct err *err)
{
    if (!verify_summary(source->store, &source->settings, &replay->full, err))
        return false;
    if (replay->full.problem_count > 0) {
        buf_put_bytes(replay->problems, buf_bytes(&replay->full.problems));
        return err_fail(err, ERR_CORRUPT, "%s is not whole", source->name);
    }
    replay->known_ms = replay->full.time_ms;
    return !replay->full.incremental ||
           err_fail(err, ERR_CONFIG, "%s is an incremental export, and the first must be full",
                    source->name);
}

/* A window that begins earlier will not do: what was new in the table as it is known, and was
 * deleted before the window's end, has no record in the window. */
static bool order_check(const struct replay *replay, const struct step *steps, size_t count,
                        struct err *err)
{
    uint64_t known = replay->known_ms;

    for (size_t i = 0; i < count; i++) {
        if (steps[i].from_ms > known)
            return err_fail(err, ERR_CONFIG, "nothing tells what changed before the window of %s",
                            steps[i].source->name);
        if (steps[i].to_ms <= known)
            return err_fail(err, ERR_CONFIG, "the window of %s has passed already",
                            steps[i].source->name);
        if (steps[i].from_ms < known)
            return err_fail(err, ERR_CONFIG,
                            "the window of %s begins before the time that the table is known of, "
                            "so it does not tell all that went away since",
                            steps[i].source->name);
        known = steps[i].to_ms;
    }
    return true;
}

/* ---- reading -------------------------------------------------------------------------------- */

static bool take_item(void *context, struct bytes item, struct err *err)
{
    struct replay *replay = context;
    struct arena_mark mark = arena_mark(&replay->arena);
    struct bytes key;
    bool ok = sorted_key(item, replay->source->settings.keys, &replay->arena, &key, err) &&
              sorted_put(&replay->sorted, key, item, err);

    arena_rewind(&replay->arena, mark);
    return ok;
}

/* What the table holds is what the window says that it held. */
static bool image_check(struct replay *replay, struct bytes key, struct bytes before,
                        struct err *err)
{
    struct engine_value held;
    bool found;

    if (!sorted_get(&replay->sorted, key, &held, &found, err))
        return false;
    bool same = found ? bytes_equal(held.bytes, before) : before.size == 0;
    if (found)
        engine_value_release(&held);
    return same || err_fail(err, ERR_CORRUPT,
                            "%s: an OldImage is not what the exports before it make of the item",
                            replay->source->name);
}

static bool take_change(void *context, struct bytes keys, const struct line_change *change,
                        struct err *err)
{
    struct replay *replay = context;
    struct arena_mark mark = arena_mark(&replay->arena);
    struct bytes key;
    bool ok = sorted_key(keys, replay->source->settings.keys, &replay->arena, &key, err) &&
              (!replay->compared || image_check(replay, key, change->before, err)) &&
              sorted_put(&replay->sorted, key, change->after, err);

    arena_rewind(&replay->arena, mark);
    return ok;
}

/* Whether OldImages can be compared is told by the view, which is in the summary. */
static bool take_begin(void *context, const struct verify_report *report, struct err *err)
{
    struct replay *replay = context;

    (void)err;
    replay->compared = report->incremental && report->view == LINE_NEW_AND_OLD_IMAGES;
    return true;
}

static bool read_one(struct replay *replay, const struct diff_source *source, struct err *err)
{
    const struct verify_visitor visitor = {
        .begin = take_begin, .item = take_item, .change = take_change, .context = replay};
    struct verify_report report;

    verify_report_init(&report);
    replay->source = source;
    bool ok = export_read_whole(source, replay->scratch, &visitor, &report, replay->problems, err);
    replay->text_bytes += report.text_bytes;
    if (ok)
        replay->known_ms = report.incremental ? report.to_ms : report.time_ms;
    verify_report_release(&report);
    return ok;
}

static bool read_all(struct replay *replay, const struct diff_source *sources, size_t count,
                     struct err *err)
{
    struct step *steps = calloc(count, sizeof *steps);
    bool ok = steps != NULL && look_at_full(replay, &sources[0], err);

    assert(steps != NULL);
    for (size_t i = 1; ok && i < count; i++)
        ok = look(replay, &sources[i], &steps[i - 1], err);
    if (ok)
        qsort(steps, count - 1, sizeof *steps, step_compare);
    ok = ok && order_check(replay, steps, count - 1, err) && read_one(replay, &sources[0], err);
    for (size_t i = 1; ok && i < count; i++)
        ok = read_one(replay, steps[i - 1].source, err);
    free(steps);
    return ok;
}

/* ---- writing -------------------------------------------------------------------------------- */

struct output {
    struct replay *replay;
    const struct replay_target *target;
    struct arena arena; /* of all of it */
    struct bytes id, prefix;
    struct bytes keys[2];
    size_t key_count;
    struct data_file *file; /* that is written */
    struct buf files;       /* lines of manifest-files.json */
    uint64_t start_ms, items, item_bytes;
};

static const struct object_settings object_settings = {.encryption = "AES256"};

static bool put_object(struct output *out, const char *leaf, const char *content_type,
                       struct bytes body, struct err *err)
{
    struct object_settings object = object_settings;
    struct object_location where = {out->target->bucket,
                                    export_key(&out->arena, out->prefix, out->id, leaf)};
    char etag[ETAG_MOST];

    object.content_type = content_type;
    return out->target->store->ops->put(out->target->store, &where, body, &object, etag, err);
}

static bool put_with_md5(struct output *out, const char *leaf, const char *md5_leaf,
                         struct bytes body, struct err *err)
{
    struct buf md5;

    buf_init_in(&md5, &out->arena);
    manifest_put_md5(&md5, body);
    return put_object(out, leaf, "application/json", body, err) &&
           put_object(out, md5_leaf, "text/plain", buf_bytes(&md5), err);
}

static bool write_item(void *context, struct bytes key, struct bytes item, struct err *err)
{
    struct output *out = context;

    (void)key;
    return data_file_put_item(out->file, item, err);
}

/* All of a range of hashes. */
static bool write_items(struct output *out, uint32_t part, uint32_t parts, const char *key,
                        struct err *err)
{
    uint64_t share = UINT64_MAX / parts + 1; /* 0, of one part: all */
    struct data_file_result result;
    uint8_t from[8], to[8];

    be64_store(from, share * part);
    be64_store(to, share * (part + 1));
    struct bytes end = part + 1 < parts ? bytes_of(to, 8) : BYTES_NONE;
    if (!sorted_walk(&out->replay->sorted, bytes_of(from, 8), end, write_item, out, err) ||
        !data_file_finish(out->file, &result, err))
        return false;
    manifest_put_file(&out->files,
                      &(struct manifest_file){.items = result.figures.items,
                                              .md5 = bytes_of(result.sums.md5, MD5_SIZE),
                                              .etag = bytes_of_text(result.sums.etag),
                                              .key = bytes_of_text(key)});
    out->items += result.figures.items;
    out->item_bytes += result.figures.item_bytes;
    return true;
}

static bool write_file(struct output *out, uint32_t part, uint32_t parts, struct err *err)
{
    enum line_format format = out->replay->full.format;
    char name[FILE_NAME_SIZE + 1];

    file_name_make(name);
    const char *key = export_data_key(&out->arena, out->prefix, out->id,
                                      bytes_of(name, FILE_NAME_SIZE), line_format_suffix(format));
    struct data_file_settings settings = {
        .store = out->target->store,
        .where = {out->target->bucket, key},
        .object = object_settings,
        .form = {.format = format, .keys = out->keys, .key_count = out->key_count},
    };
    settings.object.content_type = "application/x-gzip";
    out->file = data_file_open(&settings, err);
    bool ok = out->file != NULL && write_items(out, part, parts, key, err);
    data_file_close(out->file);
    return ok;
}

static bool write_summary(struct output *out, const struct replay_result *result, struct err *err)
{
    const struct replay *replay = out->replay;
    uint64_t now = clock_micros() / 1000;
    struct manifest_summary summary = {
        .export_arn = bytes_of_text(result->export_arn),
        .table_arn = bytes_of_text(replay->full.table_arn),
        .table_id = bytes_of_text(replay->full.table_id),
        .start_ms = out->start_ms,
        .end_ms = now > out->start_ms ? now : out->start_ms,
        .time_ms = replay->known_ms,
        .bucket = bytes_of_text(out->target->bucket),
        .prefix = out->prefix,
        .encryption = BYTES("AES256"),
        .files_key = bytes_of_text(export_key(&out->arena, out->prefix, out->id, LEAF_FILES)),
        .billed_bytes = out->item_bytes,
        .items = out->items,
        .format = bytes_of_text(line_format_name(replay->full.format)),
    };
    struct buf text;

    buf_init_in(&text, &out->arena);
    manifest_put_summary(&text, &summary);
    return put_with_md5(out, LEAF_SUMMARY, LEAF_SUMMARY_MD5, buf_bytes(&text), err);
}

/* Its name: of now, or of the table's instant where that is ahead of our clock. */
static void name_export(struct output *out, struct arena *arena, struct replay_result *result)
{
    const struct replay *replay = out->replay;
    uint64_t now = clock_micros() / 1000;
    char id[EXPORT_ID_SIZE + 1];

    out->start_ms = now > replay->known_ms ? now : replay->known_ms;
    export_id_make(out->start_ms, id);
    out->id = arena_copy(&out->arena, bytes_of(id, EXPORT_ID_SIZE));
    out->prefix = out->target->prefix[0] != '\0' ? bytes_of_text(out->target->prefix) : BYTES_NONE;
    result->export_arn =
        arena_text(arena, arena_printf(arena, "%s/export/%s", replay->full.table_arn, id));
    result->folder = export_key(arena, out->prefix, out->id, "");
    result->time_ms = replay->known_ms;
}

static bool write_export(struct output *out, uint64_t text_bytes, struct arena *arena,
                         struct replay_result *result, struct err *err)
{
    uint64_t files = text_bytes / EXPORT_FILE_TEXT + 1;
    uint32_t parts = files < EXPORT_FILES_LEAST  ? EXPORT_FILES_LEAST
                     : files > EXPORT_FILES_MOST ? EXPORT_FILES_MOST
                                                 : (uint32_t)files;

    name_export(out, arena, result);
    if (!put_object(out, LEAF_STARTED, "application/octet-stream", BYTES(""), err))
        return false;
    for (uint32_t i = 0; i < parts; i++)
        if (!write_file(out, i, parts, err))
            return false;
    result->items = out->items;
    result->files = parts;
    return put_with_md5(out, LEAF_FILES, LEAF_FILES_MD5, buf_bytes(&out->files), err) &&
           write_summary(out, result, err);
}

static bool write_all(struct replay *replay, const struct diff_source *full,
                      const struct replay_target *target, struct arena *arena,
                      struct replay_result *result, struct err *err)
{
    struct output out = {.replay = replay, .target = target};

    arena_init(&out.arena);
    buf_init_in(&out.files, &out.arena);
    for (; out.key_count < 2 && full->settings.keys[out.key_count] != NULL; out.key_count++)
        out.keys[out.key_count] = bytes_of_text(full->settings.keys[out.key_count]);
    bool ok = write_export(&out, replay->text_bytes, arena, result, err);
    arena_release(&out.arena);
    return ok;
}

bool exports_replay(const struct diff_source *sources, size_t count, const char *scratch,
                    const struct replay_target *target, struct arena *arena,
                    struct replay_result *out, struct buf *problems, struct err *err)
{
    struct replay replay = {.scratch = scratch, .problems = problems};

    assert(count > 0);
    arena_init(&replay.arena);
    verify_report_init(&replay.full);
    bool ok = sorted_open(&replay.sorted, scratch, err) && read_all(&replay, sources, count, err) &&
              write_all(&replay, &sources[0], target, arena, out, err);
    sorted_close(&replay.sorted);
    verify_report_release(&replay.full);
    arena_release(&replay.arena);
    return ok;
}
