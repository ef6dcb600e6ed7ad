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

#define PAGES 16 /* of the fold's memory: as much as a page of items has */

struct past {
    struct fold fold;
    struct engine_snapshot *snapshot;
};

struct pair {
    struct bytes key, value;
};

/* A page of items, in order of their keys. */
struct page {
    struct arena arena;
    struct buf list; /* of struct pair */
    size_t bytes, bytes_most;
};

struct walk {
    struct past *past;
    const struct past_visitor *visitor;
    struct err *err;
    bool failed, stopped;
    struct fold_cursor images;
    struct sorted_pair image; /* the next, once it is held */
    bool image_held, images_all;
};

static void page_init(struct page *page, size_t bytes_most)
{
    *page = (struct page){.bytes_most = bytes_most};
    arena_init(&page->arena);
    buf_init(&page->list);
}

static void page_release(struct page *page)
{
    buf_release(&page->list);
    arena_release(&page->arena);
}

static void page_clear(struct page *page)
{
    arena_rewind(&page->arena, (struct arena_mark){0});
    buf_clear(&page->list);
    page->bytes = 0;
}

static const struct pair *page_at(const struct page *page, size_t at)
{
    const struct pair *list = (const struct pair *)(const void *)page->list.data;

    return at < page->list.size / sizeof *list ? &list[at] : NULL;
}

static bool page_visit(void *context, struct bytes key, struct bytes value)
{
    struct page *page = context;
    struct pair pair = {arena_copy(&page->arena, bytes_from(key, ITEM_KEY_AT)),
                        arena_copy(&page->arena, value)};

    buf_put(&page->list, &pair, sizeof pair);
    page->bytes += key.size + value.size + sizeof pair;
    return page->bytes < page->bytes_most;
}

/* What comes next after a key: the key and a zero byte. */
static void successor_set(struct buf *to, struct bytes key)
{
    buf_clear(to);
    buf_put_bytes(to, key);
    buf_put_u8(to, 0);
}

/* --- images, in order of their keys --- */

static bool images_begin(struct walk *walk, struct bytes from, struct bytes to)
{
    walk->image_held = walk->images_all = false;
    return fold_cursor_begin(&walk->images, &walk->past->fold, from, to, walk->err);
}

/* The next image, or NULL where there is none or the walk has failed. */
static const struct sorted_pair *image_peek(struct walk *walk)
{
    if (!walk->image_held && !walk->images_all && !walk->failed) {
        walk->failed = !fold_cursor_next(&walk->images, &walk->image, &walk->image_held, walk->err);
        walk->images_all = !walk->image_held;
    }
    return walk->image_held && !walk->failed ? &walk->image : NULL;
}

/* --- the walk --- */

static void show(struct walk *walk, struct bytes key, struct bytes item)
{
    walk->stopped = !walk->visitor->visit(walk->visitor->context, key, item, walk->err);
}

/* Of the absent nobody is told, so nobody could end the walk: it asks by itself. */
static void image_show(struct walk *walk, const struct sorted_pair *image)
{
    walk->image_held = false;
    if (image->value.size > 0)
        show(walk, image->name, image->value);
    else
        walk->failed = !fold_goes_on(&walk->past->fold, walk->err);
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
        const struct sorted_pair *image = image_peek(walk);
        if (walk->failed)
            break;
        int order = image == NULL ? 1 : bytes_compare(image->name, key);
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
    const struct sorted_pair *image;

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
    bool ok = images_begin(walk, from, to) &&
              items_scan(walk->past, from, to, item_visit, walk, walk->err) != SCAN_FAILED;

    if (ok)
        walk_images_left(walk);
    fold_cursor_end(&walk->images);
    return ok && !walk->failed;
}

static bool walk_page(struct walk *walk, const struct page *page, struct bytes from,
                      struct bytes to)
{
    bool ok = images_begin(walk, from, to);
    const struct pair *item;

    for (size_t i = 0; ok && walk_goes_on(walk) && (item = page_at(page, i)) != NULL; i++)
        walk_item(walk, item->key, item->value);
    if (ok)
        walk_images_left(walk);
    fold_cursor_end(&walk->images);
    return ok && !walk->failed;
}

static bool walk_pages(struct walk *walk, struct bytes from, struct bytes to)
{
    struct page page;
    struct buf at, next;
    bool ok = true;

    page_init(&page, walk->past->fold.settings.memory_most / PAGES);
    buf_init(&at);
    buf_put_bytes(&at, from);
    buf_init(&next);
    for (enum scan_end end = SCAN_STOPPED; ok && end == SCAN_STOPPED && !walk->stopped;) {
        page_clear(&page);
        end = items_scan(walk->past, buf_bytes(&at), to, page_visit, &page, walk->err);
        struct bytes page_to = to;
        if (end == SCAN_STOPPED) {
            successor_set(&next, page_at(&page, page.list.size / sizeof(struct pair) - 1)->key);
            page_to = buf_bytes(&next);
        }
        ok = end != SCAN_FAILED && walk_page(walk, &page, buf_bytes(&at), page_to);
        buf_clear(&at);
        buf_put_bytes(&at, page_to);
    }
    buf_release(&next);
    buf_release(&at);
    page_release(&page);
    return ok;
}

bool past_walk(struct past *past, struct bytes from, struct bytes to,
               const struct past_visitor *visitor, struct err *err)
{
    struct walk walk = {.past = past, .visitor = visitor, .err = err};

    if (to.size > 0 && bytes_compare(from, to) >= 0)
        return true;
    return past->snapshot != NULL ? walk_snapshot(&walk, from, to) : walk_pages(&walk, from, to);
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
        .key_from = settings->key_from,
        .key_to = settings->key_to,
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
