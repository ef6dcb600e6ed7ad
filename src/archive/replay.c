/* archive/replay.c - the summaries first, which say what follows what; then all of it into one
 * sorter, the full export's items and behind them each window's changes, so that what is of one key
 * comes together in the order of time; then what is left of each key, in the order of the keys, as
 * data files of equal ranges of hashes and manifests, in the order of spec/export.md 3.1: a summary
 * last, so nothing is an export that is not finished.
 *
 * No item is ever looked up. What some exports in a row say of a key is a piece: the image that the
 * first of them begins with, and the item that the last of them leaves. Where two pieces meet, the
 * one must begin with what the other leaves. One that does not is remembered in the piece, and told
 * once all exports were found to be whole, before anything is written. */
#include "archive/replay.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "archive/data_file.h"
#include "archive/export.h"
#include "archive/manifest.h"
#include "archive/sorted.h"
#include "base/clock.h"
#include "base/hash.h"

struct replay {
    struct sorter *sorter; /* of pieces, by key */
    struct scratch *scratch;
    const struct diff_source *sources;
    const struct diff_source *source; /* that is read */
    struct arena arena;               /* of one line */
    bool compared;                    /* what is read tells old images */
    bool checked;                     /* so does any of them */
    uint64_t text_bytes;              /* of all lines that were read */
    uint64_t known_ms;                /* the table as of this is in the sorter */
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

/* ---- pieces ---------------------------------------------------------------------------------- */

struct piece {
    bool compared;   /* it is known what it begins with */
    bool wrong;      /* something in it does not follow on what is before */
    uint32_t source; /* who says what it begins with, or what is wrong */
    uint64_t before; /* hash of the image that it begins with; of nothing: of none */
    struct bytes after;
};

/* Kept as: flags (1), source (4), before (8), after. */
#define PIECE_HEAD     13
#define PIECE_COMPARED 1u
#define PIECE_WRONG    2u

static void piece_head_put(const struct piece *piece, uint8_t to[PIECE_HEAD])
{
    to[0] = (uint8_t)((piece->compared ? PIECE_COMPARED : 0) | (piece->wrong ? PIECE_WRONG : 0));
    be32_store(to + 1, piece->source);
    be64_store(to + 5, piece->before);
}

static struct piece piece_read(struct bytes kept)
{
    assert(kept.size >= PIECE_HEAD);
    return (struct piece){.compared = (kept.data[0] & PIECE_COMPARED) != 0,
                          .wrong = (kept.data[0] & PIECE_WRONG) != 0,
                          .source = be32_load(kept.data + 1),
                          .before = be64_load(kept.data + 5),
                          .after = bytes_from(kept, PIECE_HEAD)};
}

static bool piece_follows(const struct piece *piece, struct bytes held)
{
    return !piece->wrong && (!piece->compared || piece->before == bytes_hash(held, 0));
}

static bool pieces_join(void *context, const struct bytes *values, size_t count, struct buf *out,
                        struct err *err)
{
    struct piece whole = piece_read(values[0]);
    uint8_t head[PIECE_HEAD];

    (void)context, (void)err;
    for (size_t i = 1; i < count; i++) {
        struct piece next = piece_read(values[i]);
        if (!whole.wrong && !piece_follows(&next, whole.after)) {
            whole.wrong = true;
            whole.source = next.source;
        }
        whole.after = next.after;
    }
    piece_head_put(&whole, head);
    buf_put(out, head, sizeof head);
    buf_put_bytes(out, whole.after);
    return true;
}

/* ---- reading -------------------------------------------------------------------------------- */

/* `keys`: an item that has them. */
static bool piece_put(struct replay *replay, struct bytes keys, struct bytes before,
                      struct bytes after, struct err *err)
{
    struct arena_mark mark = arena_mark(&replay->arena);
    struct piece piece = {.compared = replay->compared,
                          .source = (uint32_t)(replay->source - replay->sources),
                          .before = bytes_hash(before, 0)};
    uint8_t head[PIECE_HEAD];
    struct bytes key;

    piece_head_put(&piece, head);
    bool ok = sorted_key(keys, replay->source->settings.keys, &replay->arena, &key, err) &&
              sorter_put(replay->sorter, key, (struct bytes[]){{head, sizeof head}, after}, 2, err);
    arena_rewind(&replay->arena, mark);
    return ok;
}

static bool take_item(void *context, struct bytes item, struct err *err)
{
    return piece_put(context, item, BYTES_NONE, item, err);
}

/* An image without its key, of an export with a ProjectionExpression, is no item of a table. */
static bool take_change(void *context, struct bytes keys, const struct line_change *change,
                        struct err *err)
{
    struct bytes after = change->after;

    return piece_put(context, after.size > 0 ? after : keys, change->before, after, err);
}

/* Whether OldImages can be compared is told by the view, which is in the summary. */
static bool take_begin(void *context, const struct verify_report *report, struct err *err)
{
    struct replay *replay = context;

    (void)err;
    replay->compared = report->incremental && report->view == LINE_NEW_AND_OLD_IMAGES;
    replay->checked = replay->checked || replay->compared;
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

static bool read_all(struct replay *replay, size_t count, struct err *err)
{
    const struct diff_source *sources = replay->sources;
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

/* ---- walking -------------------------------------------------------------------------------- */

static struct sorter_cursor *pieces_open(const struct replay *replay, struct err *err)
{
    return sorter_cursor_open(replay->sorter, BYTES_NONE, BYTES_NONE, err);
}

/* Nothing is ahead of all pieces of a key. */
static bool piece_check(const struct replay *replay, struct bytes kept, struct err *err)
{
    struct piece piece = piece_read(kept);

    return piece_follows(&piece, BYTES_NONE) ||
           err_fail(err, ERR_CORRUPT,
                    "%s: an OldImage is not what the exports before it make of the item",
                    replay->sources[piece.source].name);
}

static bool pieces_check(const struct replay *replay, struct err *err)
{
    struct sorter_cursor *cursor = pieces_open(replay, err);
    struct sorted_pair pair;
    bool ok = cursor != NULL, found = true;

    while (ok && found)
        ok = sorter_cursor_next(cursor, &pair, &found, err) &&
             (!found || piece_check(replay, pair.value, err));
    sorter_cursor_close(cursor);
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
    struct sorter_cursor *pieces;
    struct sorted_pair at;  /* the item that comes next */
    bool more;              /* there is one */
    struct data_file *file; /* that is written */
    struct buf files;       /* lines of manifest-files.json */
    uint64_t start_ms, items, item_bytes;
};

#define ITEMS_UNASKED 1024 /* between two questions whether to stop */

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

static bool goes_on(struct output *out, struct err *err)
{
    return !stop_is_wanted(&out->target->stop) ||
           err_fail(err, ERR_STORE,
                    "it was stopped: what is in %s has no " LEAF_SUMMARY ", and is no export",
                    export_key(&out->arena, out->prefix, out->id, ""));
}

/* To the next item that is left; the others went away. */
static bool items_next(struct output *out, struct err *err)
{
    do {
        if (!sorter_cursor_next(out->pieces, &out->at, &out->more, err))
            return false;
    } while (out->more && out->at.value.size == PIECE_HEAD);
    return true;
}

/* All of a range of hashes. */
static bool write_items(struct output *out, uint32_t part, uint32_t parts, const char *key,
                        struct err *err)
{
    uint64_t share = UINT64_MAX / parts + 1;
    struct data_file_result result;

    assert(parts > 1);
    for (uint32_t i = 0; out->more && be64_load(out->at.name.data) / share == part; i++)
        if ((i % ITEMS_UNASKED == 0 && !goes_on(out, err)) ||
            !data_file_put_item(out->file, piece_read(out->at.value).after, err) ||
            !items_next(out, err))
            return false;
    if (!data_file_finish(out->file, &result, err))
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
    if (!goes_on(out, err) ||
        !put_object(out, LEAF_STARTED, "application/octet-stream", BYTES(""), err) ||
        !items_next(out, err))
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
    out.pieces = pieces_open(replay, err);
    bool ok = out.pieces != NULL && write_export(&out, replay->text_bytes, arena, result, err);
    sorter_cursor_close(out.pieces);
    arena_release(&out.arena);
    return ok;
}

bool exports_replay(const struct diff_source *sources, size_t count, struct scratch *scratch,
                    const struct replay_target *target, struct arena *arena,
                    struct replay_result *out, struct buf *problems, struct err *err)
{
    struct replay replay = {.sources = sources, .scratch = scratch, .problems = problems};

    assert(count > 0);
    arena_init(&replay.arena);
    verify_report_init(&replay.full);
    replay.sorter = sorted_new(scratch, pieces_join, NULL);
    bool ok = read_all(&replay, count, err) && sorter_ready(replay.sorter, err) &&
              (!replay.checked || pieces_check(&replay, err)) &&
              write_all(&replay, &sources[0], target, arena, out, err);
    sorter_free(replay.sorter);
    verify_report_release(&replay.full);
    arena_release(&replay.arena);
    return ok;
}
