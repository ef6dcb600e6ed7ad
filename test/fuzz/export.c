/* test/fuzz/export.c - an export of any bytes is read to its end, and is whole only if what was
 * read adds up. An input is objects in a store: the first byte of each piece (they are divided by
 * 0xff 0xfe) says which, the rest is its content. What is not in the input is not in the store. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "archive/verify.h"
#include "item/codec.h"
#include "store/failure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In byte order. The export's folder, and the data files that incremental ones share beside it. */
#define FOLDER "f"
static const char *const keys[] = {
    "data/aaaabbbbccccddddeeeeffff22.ion.gz",
    "data/zzzzyyyyxxxxwwwwvvvvuuuu77.json.gz",
    FOLDER "/_started",
    FOLDER "/data/aaaabbbbccccddddeeeeffff22.ion.gz",
    FOLDER "/data/aaaabbbbccccddddeeeeffff22.json.gz",
    FOLDER "/data/zzzzyyyyxxxxwwwwvvvvuuuu77.json.gz",
    FOLDER "/manifest-files.json",
    FOLDER "/manifest-files.md5",
    FOLDER "/manifest-summary.json",
    FOLDER "/manifest-summary.md5",
};
#define KEYS (sizeof keys / sizeof *keys)

struct shelf {
    struct store store;
    struct bytes objects[KEYS]; /* no data: not there */
};

static struct bytes object_of(struct store *store, const char *key)
{
    for (size_t i = 0; i < KEYS; i++)
        if (strcmp(keys[i], key) == 0)
            return ((struct shelf *)store)->objects[i];
    return BYTES_NONE;
}

static bool missing(struct err *err)
{
    return store_refused(err, &(struct refusal){404, "NoSuchKey", "no", "id", "id"});
}

/* In two pieces. */
static bool shelf_get(struct store *store, const struct object_location *where,
                      bool (*take)(void *context, struct bytes piece, struct err *err),
                      void *context, struct err *err)
{
    struct bytes object = object_of(store, where->key);
    size_t half = object.size / 2;

    if (object.data == NULL)
        return missing(err);
    return take(context, bytes_of(object.data, half), err) &&
           take(context, bytes_from(object, half), err);
}

static bool shelf_head(struct store *store, const struct object_location *where, uint64_t *size,
                       char etag[ETAG_MOST], struct err *err)
{
    struct bytes object = object_of(store, where->key);

    if (object.data == NULL)
        return missing(err);
    *size = object.size;
    etag[0] = '\0';
    return true;
}

static bool shelf_list(struct store *store, const char *bucket, const char *prefix,
                       bool (*take)(void *context, const char *key, uint64_t size, struct err *err),
                       void *context, struct err *err)
{
    const struct shelf *shelf = (const struct shelf *)store;

    (void)bucket;
    for (size_t i = 0; i < KEYS; i++)
        if (shelf->objects[i].data != NULL && strncmp(keys[i], prefix, strlen(prefix)) == 0 &&
            !take(context, keys[i], shelf->objects[i].size, err))
            return false;
    return true;
}

static const struct store_ops shelf_ops = {
    .name = "shelf", .get = shelf_get, .head = shelf_head, .list = shelf_list};

static bool item_seen(void *context, struct bytes item, struct err *err)
{
    bool ok = item_check(item, err);

    assert(ok);
    ++*(uint64_t *)context;
    return true;
}

static bool change_seen(void *context, struct bytes names, const struct line_change *change,
                        struct err *err)
{
    bool ok = item_check(names, err) &&
              (change->before.size == 0 || item_check(change->before, err)) &&
              (change->after.size == 0 || item_check(change->after, err));

    assert(ok);
    ++*(uint64_t *)context;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct shelf shelf = {.store.ops = &shelf_ops};
    struct bytes rest = bytes_of(data, size);
    struct verify_report report;
    struct err err = {0};
    uint64_t items = 0;
    const struct verify_settings settings = {
        .bucket = "b",
        .folder = FOLDER,
        .moved = true,
        .keys = {"id", NULL},
        .visitor = {.item = item_seen, .change = change_seen, .context = &items}};

    while (rest.size > 0) {
        const uint8_t *end = memmem(rest.data, rest.size, "\xff\xfe", 2);
        size_t piece = end == NULL ? rest.size : (size_t)(end - rest.data);
        if (piece > 0)
            shelf.objects[rest.data[0] % KEYS] = bytes_of(rest.data + 1, piece - 1);
        rest = bytes_from(rest, end == NULL ? piece : piece + 2);
    }
    verify_report_init(&report);
    bool ok = verify_export(&shelf.store, &settings, &report, &err);
    assert(ok && items <= report.items);
    assert(report.problem_count > 0 ||
           (report.files > 0 && report.items == items && report.export_arn[0] != '\0'));
    verify_report_release(&report);
    return 0;
}
