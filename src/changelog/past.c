/* changelog/past.c - a table as it was at an instant T: the items as they are now, walked beside
 * the images that the fold took from the log.
 *
 * For each key there are five cases, and one of them is impossible:
 *
 *     item, last written before T, no image    the item: nothing has touched it since
 *     item or none, an image                   the image
 *     item or none, an image of absence        nothing: it did not exist
 *     item, last written at T or later, no image    the log has lost a record: ERR_CORRUPT
 *     neither                                  nothing
 *
 * With a snapshot, items and log are of one moment, and the walk is one scan. Without, the items
 * are read a page at a time, and after each page the log's new records are folded before the page
 * is weighed. That is enough: a write of a key between the reading of its item and the fold leaves
 * an image, and the first image from T on is the key's state at T whenever it is looked at; a
 * write after the fold came after the page was read, so the item that was read stands, with the
 * time that goes with it. */
#include "changelog/fold.h"

#include <stdlib.h>

#define SLICES 16 /* of the fold's memory: as much as a walk takes at a time */

struct past {
    struct fold fold;
    struct engine_snapshot *snapshot;
};

struct pair {
    struct bytes key, value;
};

/* Pairs in memory, in order of their keys: a page of items, or a slice of the images. */
struct pairs {
    struct arena arena;
    struct buf list; /* of struct pair */
    size_t bytes, bytes_most;
    size_t cut; /* of the keys: what is in front of the item key */
};

struct walk {
    struct past *past;
    const struct past_visitor *visitor;
    struct err *err;
    bool failed, stopped;
    struct pairs images;
    size_t image_next;
    struct buf images_from; /* what is not loaded yet begins here */
    struct bytes images_to; /* and ends here; empty: the end of the table */
    bool images_all;        /* nothing is left to load */
};

static void pairs_init(struct pairs *pairs, size_t cut, size_t bytes_most)
{
    *pairs = (struct pairs){.bytes_most = bytes_most, .cut = cut};
    arena_init(&pairs->arena);
    buf_init(&pairs->list);
}

static void pairs_release(struct pairs *pairs)
{
    buf_release(&pairs->list);
    arena_release(&pairs->arena);
}

static void pairs_clear(struct pairs *pairs)
{
    arena_rewind(&pairs->arena, (struct arena_mark){0});
    buf_clear(&pairs->list);
    pairs->bytes = 0;
}

static const struct pair *pairs_at(const struct pairs *pairs, size_t at)
{
    const struct pair *list = (const struct pair *)(const void *)pairs->list.data;

    return at < pairs->list.size / sizeof *list ? &list[at] : NULL;
}

static bool pairs_visit(void *context, struct bytes key, struct bytes value)
{
    struct pairs *pairs = context;
    struct pair pair = {arena_copy(&pairs->arena, bytes_from(key, pairs->cut)),
                        arena_copy(&pairs->arena, value)};

    buf_put(&pairs->list, &pair, sizeof pair);
    pairs->bytes += key.size + value.size + sizeof pair;
    return pairs->bytes < pairs->bytes_most;
}

/* What comes next after a key: the key and a zero byte. */
static void successor_set(struct buf *to, struct bytes key)
{
    buf_clear(to);
    buf_put_bytes(to, key);
    buf_put_u8(to, 0);
}

/* --- images, in order of their keys, loaded a slice at a time --- */

static void images_reset(struct walk *walk, struct bytes from, struct bytes to)
{
    pairs_clear(&walk->images);
    walk->image_next = 0;
    buf_clear(&walk->images_from);
    buf_put_bytes(&walk->images_from, from);
    walk->images_to = to;
    walk->images_all = false;
}

static bool images_load(struct walk *walk)
{
    pairs_clear(&walk->images);
    walk->image_next = 0;
    enum scan_end end = fold_scan(&walk->past->fold, buf_bytes(&walk->images_from), walk->images_to,
                                  pairs_visit, &walk->images, walk->err);
    walk->images_all = end == SCAN_DONE;
    if (end == SCAN_STOPPED) {
        size_t count = walk->images.list.size / sizeof(struct pair);
        successor_set(&walk->images_from, pairs_at(&walk->images, count - 1)->key);
    }
    return end != SCAN_FAILED;
}

/* The next image, or NULL where there is none or the walk has failed. */
static const struct pair *image_peek(struct walk *walk)
{
    const struct pair *image = pairs_at(&walk->images, walk->image_next);

    while (image == NULL && !walk->images_all && !walk->failed) {
        walk->failed = !images_load(walk);
        image = pairs_at(&walk->images, 0);
    }
    return walk->failed ? NULL : image;
}

/* --- the walk --- */

static void show(struct walk *walk, struct bytes key, struct bytes item)
{
    walk->stopped = !walk->visitor->visit(walk->visitor->context, key, item, walk->err);
}

static void image_show(struct walk *walk, const struct pair *image)
{
    walk->image_next++;
    if (image->value.size > 0)
        show(walk, image->key, image->value);
}

static bool walk_goes_on(const struct walk *walk)
{
    return !walk->failed && !walk->stopped;
}

static void item_show(struct walk *walk, struct bytes key, struct bytes value)
{
    const struct fold_settings *settings = &walk->past->fold.settings;
    struct stored_item stored;

    if (!stored_item_read(&settings->engine->limits, value, &stored, walk->err))
        walk->failed = true;
    else if (stored.time < settings->from)
        show(walk, key, stored.item);
    else
        walk->failed =
            !err_fail(walk->err, ERR_CORRUPT,
                      "an item of table %llu, written at %llu, has no record in the log",
                      (unsigned long long)settings->table, (unsigned long long)stored.time);
}

/* The images before this item's key, then the item or its image. */
static bool walk_item(struct walk *walk, struct bytes key, struct bytes value)
{
    while (walk_goes_on(walk)) {
        const struct pair *image = image_peek(walk);
        if (walk->failed)
            break;
        int order = image == NULL ? 1 : bytes_compare(image->key, key);
        if (order <= 0)
            image_show(walk, image);
        else
            item_show(walk, key, value);
        if (order >= 0)
            break;
    }
    return walk_goes_on(walk);
}

static void walk_images_left(struct walk *walk)
{
    const struct pair *image;

    while (walk_goes_on(walk) && (image = image_peek(walk)) != NULL)
        image_show(walk, image);
}

static bool item_visit(void *context, struct bytes key, struct bytes value)
{
    return walk_item(context, bytes_from(key, ITEM_KEY_AT), value);
}

/* Scans the table's items with item keys in [from, to). */
static enum scan_end items_scan(struct past *past, struct bytes from, struct bytes to,
                                bool (*visit)(void *, struct bytes, struct bytes), void *context,
                                struct err *err)
{
    struct buf first, end;

    buf_init(&first);
    buf_put_be64(&first, past->fold.settings.table);
    buf_put_bytes(&first, from);
    buf_init(&end);
    buf_put_be64(&end, past->fold.settings.table + (to.size == 0 ? 1 : 0));
    buf_put_bytes(&end, to);
    enum scan_end result = engine_scan_all(past->fold.settings.engine,
                                           &(struct engine_scan){
                                               .space = SPACE_ITEMS,
                                               .from = buf_bytes(&first),
                                               .to = buf_bytes(&end),
                                               .bulk = true,
                                               .snapshot = past->snapshot,
                                               .visit = visit,
                                               .context = context,
                                           },
                                           err);
    buf_release(&first);
    buf_release(&end);
    return result;
}

static bool walk_snapshot(struct walk *walk, struct bytes from, struct bytes to)
{
    images_reset(walk, from, to);
    if (items_scan(walk->past, from, to, item_visit, walk, walk->err) == SCAN_FAILED)
        return false;
    walk_images_left(walk);
    return !walk->failed;
}

/* Folds what was appended to the logs of all shards that [from, to) touches. */
static bool shards_fold(struct past *past, struct bytes from, struct bytes to, struct err *err)
{
    uint32_t last = to.size == 0 ? LOG_SHARDS - 1 : log_shard(to);

    for (uint32_t shard = log_shard(from); shard <= last; shard++)
        if (!fold_more(&past->fold, shard, err))
            return false;
    return true;
}

static bool walk_page(struct walk *walk, const struct pairs *page, struct bytes from,
                      struct bytes to)
{
    const struct pair *item;

    if (!shards_fold(walk->past, from, to, walk->err))
        return false;
    images_reset(walk, from, to);
    for (size_t i = 0; walk_goes_on(walk) && (item = pairs_at(page, i)) != NULL; i++)
        walk_item(walk, item->key, item->value);
    walk_images_left(walk);
    return !walk->failed;
}

static bool walk_pages(struct walk *walk, struct bytes from, struct bytes to)
{
    struct pairs page;
    struct buf at, next;
    bool ok = true;

    pairs_init(&page, ITEM_KEY_AT, walk->past->fold.settings.memory_most / SLICES);
    buf_init(&at);
    buf_put_bytes(&at, from);
    buf_init(&next);
    for (enum scan_end end = SCAN_STOPPED; ok && end == SCAN_STOPPED && !walk->stopped;) {
        pairs_clear(&page);
        end = items_scan(walk->past, buf_bytes(&at), to, pairs_visit, &page, walk->err);
        struct bytes page_to = to;
        if (end == SCAN_STOPPED) {
            successor_set(&next, pairs_at(&page, page.list.size / sizeof(struct pair) - 1)->key);
            page_to = buf_bytes(&next);
        }
        ok = end != SCAN_FAILED && walk_page(walk, &page, buf_bytes(&at), page_to);
        buf_clear(&at);
        buf_put_bytes(&at, page_to);
    }
    buf_release(&next);
    buf_release(&at);
    pairs_release(&page);
    return ok;
}

bool past_walk(struct past *past, struct bytes from, struct bytes to,
               const struct past_visitor *visitor, struct err *err)
{
    struct walk walk = {.past = past, .visitor = visitor, .err = err};

    if (to.size > 0 && bytes_compare(from, to) >= 0)
        return true;
    pairs_init(&walk.images, 0, past->fold.settings.memory_most / SLICES);
    buf_init(&walk.images_from);
    bool ok = past->snapshot != NULL ? walk_snapshot(&walk, from, to) : walk_pages(&walk, from, to);
    buf_release(&walk.images_from);
    pairs_release(&walk.images);
    return ok;
}

struct past *past_open(const struct past_settings *settings, struct err *err)
{
    struct engine *engine = settings->engine;
    struct past *past = calloc(1, sizeof *past);
    struct fold_settings fold = {
        .kind = FOLD_IMAGES,
        .engine = engine,
        .table = settings->table,
        .epoch = settings->epoch,
        .from = settings->instant,
        .to = UINT64_MAX,
        .scratch = settings->scratch,
        .scratch_most = settings->scratch_most,
        .memory_most = settings->memory_most,
        .stop = settings->stop,
    };

    if (past == NULL)
        abort();
    if (engine->limits.snapshots)
        fold.snapshot = past->snapshot = engine->ops->snapshot_new(engine);
    if (fold_open(&past->fold, &fold, err))
        return past;
    past_close(past);
    return NULL;
}

void past_close(struct past *past)
{
    if (past == NULL)
        return;
    struct engine *engine = past->fold.settings.engine;
    fold_close(&past->fold);
    if (past->snapshot != NULL)
        engine->ops->snapshot_free(engine, past->snapshot);
    free(past);
}
