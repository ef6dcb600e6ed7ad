/* archive/verify.c - an export from its summary on: the summary says where the list of files is,
 * the list names the files, and what they hold must add up to the summary again. Last the folder
 * itself is listed: there is nothing in it that nobody speaks of, and what must be there is. */
#include "archive/verify.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "archive/manifest.h"
#include "archive/verify_parts.h"
#include "base/text.h"

/* Ours: over 250,000 data files. */
#define MANIFEST_MOST ((size_t)64 * 1024 * 1024)

void verify_report_init(struct verify_report *report)
{
    *report = (struct verify_report){0};
    buf_init(&report->problems);
}

void verify_report_release(struct verify_report *report)
{
    buf_release(&report->problems);
}

void verify_problem(struct verify *verify, const char *where, const char *format, ...)
{
    struct verify_report *report = verify->report;
    char text[ERR_MESSAGE_MOST];
    va_list args;

    if (report->problem_count++ >= VERIFY_PROBLEMS_MOST)
        return;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (size >= (int)sizeof text)
        text_end_whole(text);
    buf_put_plain(&report->problems, bytes_of_text(where));
    buf_put_literal(&report->problems, ": ");
    buf_put_plain(&report->problems, bytes_of_text(text));
    buf_put_u8(&report->problems, '\n');
}

const char *verify_key(struct verify *verify, const char *leaf)
{
    const char *folder = verify->settings->folder;

    return (const char *)arena_printf(&verify->arena, "%s%s%s%c", folder,
                                      folder[0] != '\0' ? "/" : "", leaf, '\0')
        .data;
}

/* --- small objects ---------------------------------------------------------------------------- */

struct whole {
    struct buf bytes;
    bool too_large;
};

static bool whole_take(void *context, struct bytes piece, struct err *err)
{
    struct whole *whole = context;

    whole->too_large = whole->bytes.size + piece.size > MANIFEST_MOST;
    if (whole->too_large)
        return err_fail(err, ERR_CORRUPT, "it is larger than any manifest");
    buf_put_bytes(&whole->bytes, piece);
    return true;
}

/* An object, in the arena; `*found` is false after a problem. */
static bool object_read(struct verify *verify, const char *leaf, struct bytes *out, bool *found,
                        struct err *err)
{
    struct object_location where = {verify->settings->bucket, verify_key(verify, leaf)};
    struct whole whole = {0};

    buf_init(&whole.bytes);
    bool ok = verify->store->ops->get(verify->store, &where, whole_take, &whole, err);
    bool missing = !ok && strcmp(err->reason, "S3NoSuchKey") == 0;
    *found = ok;
    if (ok)
        *out = arena_copy(&verify->arena, buf_bytes(&whole.bytes));
    else if (missing || whole.too_large)
        verify_problem(verify, leaf, "%s", missing ? "it is missing" : err->message);
    buf_release(&whole.bytes);
    return ok || missing || whole.too_large;
}

/* A manifest, and the object beside it that holds its MD5. */
static bool manifest_read(struct verify *verify, const char *leaf, const char *md5_leaf,
                          struct bytes *out, bool *found, struct err *err)
{
    struct bytes md5;
    struct buf expected;
    bool md5_found;

    if (!object_read(verify, leaf, out, found, err) ||
        !object_read(verify, md5_leaf, &md5, &md5_found, err))
        return false;
    if (!*found || !md5_found)
        return true;
    buf_init_in(&expected, &verify->arena);
    manifest_put_md5(&expected, *out);
    if (!bytes_equal(md5, buf_bytes(&expected)))
        verify_problem(verify, md5_leaf, "it is %.*s, and the MD5 of %s is %.*s", BYTES_ARGS(md5),
                       leaf, BYTES_ARGS(buf_bytes(&expected)));
    return true;
}

/* --- the folder ------------------------------------------------------------------------------- */

/* What must be there, and what there is, both in byte order. */
struct contents {
    struct verify *verify;
    const char **expected;
    size_t count, at;
    size_t folder_size; /* of the folder's own name in a key, with its slash */
};

static void missing_until(struct contents *contents, const char *leaf)
{
    for (; contents->at < contents->count; contents->at++) {
        const char *expected = contents->expected[contents->at];
        if (leaf != NULL && strcmp(expected, leaf) >= 0)
            return;
        if (strcmp(expected, LEAF_STARTED) == 0)
            verify_problem(contents->verify, expected, "it is missing"); /* others were read */
    }
}

static bool key_take(void *context, const char *key, uint64_t size, struct err *err)
{
    struct contents *contents = context;
    const char *leaf = key + contents->folder_size;

    (void)err;
    missing_until(contents, leaf);
    if (contents->at == contents->count || strcmp(contents->expected[contents->at], leaf) != 0)
        verify_problem(contents->verify, leaf, "it does not belong to the export");
    else
        contents->at++;
    if (strcmp(leaf, LEAF_STARTED) == 0 && size != 0)
        verify_problem(contents->verify, leaf, "it is not empty");
    return true;
}

static int text_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The data files of incremental exports lie elsewhere, among those of others. */
static bool folder_verify(struct verify *verify, const struct file_entry *files, size_t count,
                          bool incremental, struct err *err)
{
    static const char *const always[] = {LEAF_STARTED, LEAF_FILES, LEAF_FILES_MD5, LEAF_SUMMARY,
                                         LEAF_SUMMARY_MD5};
    size_t fixed = sizeof always / sizeof *always;
    const char *folder = verify_key(verify, "");
    const char **leaves = arena_alloc(&verify->arena, (fixed + count) * sizeof *leaves);
    struct contents contents = {.verify = verify,
                                .expected = leaves,
                                .count = fixed + (incremental ? 0 : count),
                                .folder_size = strlen(folder)};

    for (size_t i = 0; i < count; i++)
        leaves[i] = files[i].leaf;
    memcpy(leaves + (incremental ? 0 : count), always, sizeof always);
    qsort(leaves, contents.count, sizeof *leaves, text_compare);
    if (!verify->store->ops->list(verify->store, verify->settings->bucket, folder, key_take,
                                  &contents, err))
        return false;
    missing_until(&contents, NULL);
    return true;
}

/* --- files ------------------------------------------------------------------------------------ */

static int entry_compare(const void *a, const void *b)
{
    const struct file_entry *one = *(struct file_entry *const *)a,
                            *other = *(struct file_entry *const *)b;
    int order = strcmp(one->leaf, other->leaf);

    return order != 0 ? order : (one->number > other->number) - (one->number < other->number);
}

static void repeats_mark(struct verify *verify, struct file_entry *files, size_t count)
{
    struct file_entry **sorted = arena_alloc(&verify->arena, count * sizeof(struct file_entry *));

    for (size_t i = 0; i < count; i++)
        sorted[i] = &files[i];
    qsort(sorted, count, sizeof *sorted, entry_compare);
    for (size_t i = 1; i < count; i++) {
        sorted[i]->again = strcmp(sorted[i]->leaf, sorted[i - 1]->leaf) == 0;
        if (sorted[i]->again)
            verify_problem(verify, LEAF_FILES, "%s is named twice", sorted[i]->leaf);
    }
}

static bool files_verify(struct verify *verify, const struct summary *summary,
                         struct file_entry *files, size_t count, struct err *err)
{
    bool ok = true;

    repeats_mark(verify, files, count);
    verify->seen = seen_new(verify->settings->scratch, SEEN_KEYS_MOST);
    for (size_t i = 0; ok && i < count; i++)
        ok = files[i].again || file_verify(verify, summary, &files[i], &verify->report->items, err);
    ok = ok && repeats_verify(verify, files, err);
    seen_free(verify->seen);
    return ok;
}

/* --- all of it -------------------------------------------------------------------------------- */

/* Of sizes nothing adds up: what the service bills for a full export is a statistic of hours ago,
 * 0 of a young table (spec/export.md 5.1). */
static void sums_check(struct verify *verify, const struct summary *summary,
                       const struct file_entry *files, size_t count)
{
    uint64_t listed = 0;

    for (size_t i = 0; i < count; i++)
        listed += files[i].items;
    if (listed != summary->items)
        verify_problem(verify, LEAF_SUMMARY,
                       "itemCount is %llu, and that of the files sums to %llu",
                       (unsigned long long)summary->items, (unsigned long long)listed);
}

static void summary_tell(struct verify_report *report, const struct summary *summary)
{
    snprintf(report->export_arn, sizeof report->export_arn, "%.*s",
             BYTES_ARGS(summary->export_arn));
    snprintf(report->table_arn, sizeof report->table_arn, "%.*s", BYTES_ARGS(summary->table_arn));
    snprintf(report->table_id, sizeof report->table_id, "%.*s", BYTES_ARGS(summary->table_id));
    report->incremental = summary->incremental;
    report->format = summary->format;
    report->view = summary->view;
    report->time_ms = summary->time_ms;
    report->from_ms = summary->from_ms;
    report->to_ms = summary->to_ms;
}

/* `*found` is false after a problem that leaves nothing to go on with. */
static bool summary_verify(struct verify *verify, struct summary *out, bool *found, struct err *err)
{
    struct bytes text;

    if (!manifest_read(verify, LEAF_SUMMARY, LEAF_SUMMARY_MD5, &text, found, err))
        return false;
    *found = *found && summary_read(verify, text, out);
    if (*found)
        summary_tell(verify->report, out);
    return true;
}

static bool verify_all(struct verify *verify, struct err *err)
{
    struct bytes text;
    struct summary summary;
    struct buf files;
    bool found;

    if (!summary_verify(verify, &summary, &found, err))
        return false;
    if (!found)
        return true;
    const struct verify_visitor *visitor = &verify->settings->visitor;
    if (visitor->begin != NULL && !visitor->begin(visitor->context, verify->report, err))
        return false;
    if (!manifest_read(verify, LEAF_FILES, LEAF_FILES_MD5, &text, &found, err))
        return false;
    if (!found)
        return true;
    buf_init_in(&files, &verify->arena);
    files_read(verify, &summary, text, &files);
    struct file_entry *entries = (struct file_entry *)files.data;
    size_t count = files.size / sizeof *entries;
    if (!files_verify(verify, &summary, entries, count, err) ||
        !folder_verify(verify, entries, count, summary.incremental, err))
        return false;
    sums_check(verify, &summary, entries, count);
    return true;
}

bool verify_export(struct store *store, const struct verify_settings *settings,
                   struct verify_report *report, struct err *err)
{
    struct verify verify = {.store = store, .settings = settings, .report = report};

    arena_init(&verify.arena);
    buf_init_in(&verify.schema, &verify.arena);
    bool ok = verify_all(&verify, err);
    arena_release(&verify.arena);
    return ok;
}

bool verify_summary(struct store *store, const struct verify_settings *settings,
                    struct verify_report *report, struct err *err)
{
    struct verify verify = {.store = store, .settings = settings, .report = report};
    struct summary summary;
    bool found;

    arena_init(&verify.arena);
    bool ok = summary_verify(&verify, &summary, &found, err);
    arena_release(&verify.arena);
    return ok;
}
