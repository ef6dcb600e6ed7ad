/* table/read.c - items as they are now: one, all between two places, or in the order of a Scan; the
 * entries of an index; and the table's figures. */
#include <assert.h>

#include "table/catalog.h"

#include "base/cursor.h"
#include "table/items.h"
#include "table/tally.h"

struct bytes item_place(struct arena *arena, uint64_t number, struct bytes key)
{
    uint8_t *place = arena_alloc(arena, ITEM_KEY_AT + key.size);

    be64_store(place, number);
    if (key.size > 0)
        memcpy(place + ITEM_KEY_AT, key.data, key.size);
    return bytes_of(place, ITEM_KEY_AT + key.size);
}

struct bytes item_place_behind(struct arena *arena, struct bytes place)
{
    uint8_t *behind = arena_alloc(arena, place.size + 1);

    memcpy(behind, place.data, place.size);
    behind[place.size] = 0;
    return bytes_of(behind, place.size + 1);
}

bool table_get(struct work *work, const struct table *table, struct bytes key,
               struct engine_value *pin, struct bytes *item, bool *found, struct err *err)
{
    struct engine *engine = work->tables->engine;
    struct stored_item stored = {0};
    struct engine_value value = {0};
    bool there;

    if (!engine_get(engine, NULL, SPACE_ITEMS, item_place(work->arena, table->number, key), &value,
                    &there, err))
        return false;
    if (there && !stored_item_read(&engine->limits, value.bytes, &stored, err)) {
        engine_value_release(&value);
        return false;
    }
    *pin = value;
    *item = stored.item;
    *found = there;
    return true;
}

/* --- walks --- */

struct walk_run {
    const struct items_walk *walk;
    const struct engine_limits *limits;
    bool failed;
    struct err *err;
};

static bool walk_visit_entry(void *context, struct bytes key, struct bytes value)
{
    struct walk_run *run = context;

    if (value.size == 0) {
        run->failed = !err_fail(run->err, ERR_CORRUPT, "an entry of an index without its item");
        return false;
    }
    return run->walk->visit(run->walk->context, bytes_from(key, ITEM_KEY_AT), value);
}

static bool walk_visit(void *context, struct bytes key, struct bytes value)
{
    struct walk_run *run = context;
    struct stored_item stored;

    if (!stored_item_read(run->limits, value, &stored, run->err)) {
        run->failed = true;
        return false;
    }
    return run->walk->visit(run->walk->context, bytes_from(key, ITEM_KEY_AT), stored.item);
}

enum scan_end items_walk(struct work *work, const struct items_walk *walk, struct err *err)
{
    struct engine *engine = work->tables->engine;
    struct walk_run run = {.walk = walk, .limits = &engine->limits, .err = err};
    struct engine_scan scan = {
        .space = walk->index ? SPACE_INDEX : SPACE_ITEMS,
        .from = walk->from,
        .to = walk->to,
        .backward = walk->backward,
        .visit = walk->index ? walk_visit_entry : walk_visit,
        .context = &run,
    };

    if (bytes_compare(walk->from, walk->to) >= 0)
        return SCAN_DONE;
    enum scan_end end = engine_scan_all(engine, &scan, err);
    return run.failed ? SCAN_FAILED : end;
}

/* --- scans --- */

/* The first hash of a segment, segment * 2^64 / segments: the hashes are cut into equal parts. */
static uint64_t segment_start(uint64_t segment, uint64_t segments)
{
    uint64_t whole = (0 - segments) / segments + 1, rest = (0 - segments) % segments;

    return segment * whole + segment * rest / segments;
}

bool table_scan_covers(const struct table_scan *scan, struct bytes key)
{
    uint64_t hash = be64_load(key.data);

    return hash >= segment_start(scan->segment, scan->segments) &&
           (scan->segment + 1 == scan->segments ||
            hash < segment_start(scan->segment + 1, scan->segments));
}

static uint64_t scan_number(const struct table_scan *scan)
{
    return scan->index != NULL ? scan->index->number : scan->table->number;
}

static struct bytes scan_from(struct work *work, const struct table_scan *scan)
{
    uint8_t start[8];

    be64_store(start, segment_start(scan->segment, scan->segments));
    if (bytes_compare(scan->from, bytes_of(start, sizeof start)) < 0)
        return item_place(work->arena, scan_number(scan), bytes_of(start, sizeof start));
    return item_place_behind(work->arena, item_place(work->arena, scan_number(scan), scan->from));
}

static struct bytes scan_to(struct work *work, const struct table_scan *scan)
{
    uint8_t end[8];

    if (scan->segment + 1 == scan->segments)
        return item_place(work->arena, scan_number(scan) + 1, BYTES_NONE);
    be64_store(end, segment_start(scan->segment + 1, scan->segments));
    return item_place(work->arena, scan_number(scan), bytes_of(end, sizeof end));
}

enum scan_end table_scan(struct work *work, const struct table_scan *scan, struct err *err)
{
    assert(scan->segment < scan->segments);
    return items_walk(work,
                      &(struct items_walk){
                          .from = scan_from(work, scan),
                          .to = scan_to(work, scan),
                          .index = scan->index != NULL,
                          .visit = scan->visit,
                          .context = scan->context,
                      },
                      err);
}

/* --- figures --- */

struct figures_run {
    struct table_figures sum;
    bool failed;
    struct err *err;
};

static bool figures_visit(void *context, struct bytes key, struct bytes value)
{
    struct figures_run *run = context;
    struct cursor cursor = cursor_of(value);

    (void)key;
    run->sum.items += (int64_t)cursor_be64(&cursor);
    run->sum.bytes += (int64_t)cursor_be64(&cursor);
    run->failed = !cursor_ended(&cursor);
    return !run->failed || err_fail(run->err, ERR_CORRUPT, "statistics of %zu bytes", value.size);
}

bool number_figures(struct engine *engine, const struct engine_snapshot *snapshot, uint64_t number,
                    struct table_figures *out, struct err *err)
{
    struct figures_run run = {.err = err};
    uint8_t from[8], to[12];
    struct engine_scan scan = {
        .space = SPACE_STATISTICS,
        .from = bytes_of(from, sizeof from),
        .to = bytes_of(to, sizeof to),
        .snapshot = snapshot,
        .visit = figures_visit,
        .context = &run,
    };

    be64_store(from, number);
    be64_store(to, number);
    be32_store(to + 8, TALLY_SHARDS);
    if (engine_scan_all(engine, &scan, err) == SCAN_FAILED || run.failed)
        return false;
    *out = run.sum;
    return true;
}

bool table_figures(struct tables *tables, const struct table *table, struct table_figures *out,
                   struct err *err)
{
    return number_figures(tables->engine, NULL, table->number, out, err);
}

bool index_figures(struct tables *tables, const struct table_index *index,
                   struct table_figures *out, struct err *err)
{
    return number_figures(tables->engine, NULL, index->number, out, err);
}
