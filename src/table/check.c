/* table/check.c - walks each table once. For each item the entries that the indexes must have of it
 * are looked up, so none is missing and none is wrong; and as many entries as were found are in the
 * index, so there is none too many. Only where the numbers differ the index is walked as well, to
 * say which. What is counted on the way must be what the counters say. */
#include "table/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "item/json.h"
#include "table/catalog.h"
#include "table/collection.h"
#include "table/index.h"
#include "table/items.h"
#include "table/tally.h"

#define SENTENCE_MOST 1000

struct check {
    struct engine *engine;
    const struct engine_snapshot *snapshot;
    struct arena arena; /* of one step */
    void (*tell)(void *context, const char *sentence);
    void *context;
    struct check_figures *figures;
    uint32_t told;      /* of this table or index */
    struct buf numbers; /* that something may lie under, 8 bytes each */
    bool failed;
    struct err *err;
};

static void PRINTF(2, 3) differ(struct check *check, const char *format, ...)
{
    char sentence[SENTENCE_MOST];
    va_list args;

    check->figures->differences++;
    if (check->told++ >= CHECK_TOLD_MOST)
        return;
    va_start(args, format);
    (void)vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    check->tell(check->context, sentence);
}

/* From within a visitor: ends the walk. */
static bool give_up(struct check *check)
{
    check->failed = true;
    return false;
}

static bool number_walk(struct check *check, enum engine_space space, uint64_t number,
                        bool (*visit)(void *context, struct bytes key, struct bytes value),
                        void *context)
{
    uint8_t from[8], to[8];
    struct engine_scan scan = {
        .space = space,
        .from = bytes_of(from, sizeof from),
        .to = bytes_of(to, sizeof to),
        .bulk = true,
        .snapshot = check->snapshot,
        .visit = visit,
        .context = context,
    };

    be64_store(from, number);
    be64_store(to, number + 1);
    return engine_scan_all(check->engine, &scan, check->err) != SCAN_FAILED && !check->failed;
}

/* --- figures ---------------------------------------------------------------------------------- */

static bool figures_check(struct check *check, uint64_t number, const struct table_figures *counted,
                          const char *what)
{
    struct table_figures stored;

    if (!number_figures(check->engine, check->snapshot, number, &stored, check->err))
        return false;
    if (stored.items != counted->items || stored.bytes != counted->bytes)
        differ(check, "%s: the statistics say %lld of %lld bytes, there are %lld of %lld", what,
               (long long)stored.items, (long long)stored.bytes, (long long)counted->items,
               (long long)counted->bytes);
    return true;
}

/* --- a table and what its indexes must have of it --------------------------------------------- */

struct table_walk {
    struct check *check;
    const struct table *table;
    struct table_figures counted;
    struct table_figures *entries; /* found, of each index */
    /* of a table with local indexes: the collection that is being walked */
    struct buf collection;
    uint64_t collection_bytes, collections;
};

static const char *key_text(struct check *check, struct bytes key_item)
{
    struct buf text;

    buf_init_in(&text, &check->arena);
    item_write_json(key_item, &text);
    return arena_text(&check->arena, buf_bytes(&text));
}

/* What was counted of a collection is what its counter says. */
static bool collection_end(struct table_walk *walk)
{
    struct check *check = walk->check;
    uint64_t stored;

    if (walk->collection.size == 0)
        return true;
    struct bytes place = collection_place(&check->arena, walk->table, buf_bytes(&walk->collection));
    if (!collection_read(check->engine, check->snapshot, place, &stored, check->err))
        return false;
    if (stored != walk->collection_bytes)
        differ(check, "%.*s: a collection is said to have %llu bytes, it has %llu",
               BYTES_ARGS(walk->table->name), (unsigned long long)stored,
               (unsigned long long)walk->collection_bytes);
    walk->collections++;
    walk->collection_bytes = 0;
    buf_clear(&walk->collection);
    return true;
}

/* Items of one collection follow each other. */
static bool collection_add(struct table_walk *walk, struct bytes key, struct bytes item)
{
    struct bytes collection = collection_of(&walk->check->arena, walk->table, key);

    if (!bytes_equal(collection, buf_bytes(&walk->collection))) {
        if (!collection_end(walk))
            return false;
        buf_put_bytes(&walk->collection, collection);
    }
    walk->collection_bytes += item_size(item);
    return true;
}

static bool counter_visit(void *context, struct bytes place, struct bytes value)
{
    static const uint8_t zero[8];

    (void)place;
    *(uint64_t *)context += !bytes_equal(value, bytes_of(zero, sizeof zero));
    return true;
}

/* Every collection was met; a counter of one that is empty is 0. */
static bool collections_end(struct table_walk *walk)
{
    struct check *check = walk->check;
    uint64_t counters = 0;
    uint8_t from[12], to[8];
    struct engine_scan scan = {
        .space = SPACE_STATISTICS,
        .from = bytes_of(from, sizeof from),
        .to = bytes_of(to, sizeof to),
        .snapshot = check->snapshot,
        .visit = counter_visit,
        .context = &counters,
    };

    be64_store(from, walk->table->number);
    be32_store(from + 8, TALLY_SHARDS);
    be64_store(to, walk->table->number + 1);
    if (!collection_end(walk) || engine_scan_all(check->engine, &scan, check->err) == SCAN_FAILED)
        return false;
    if (counters != walk->collections)
        differ(check, "%.*s: there are sizes of %llu collections, and %llu collections",
               BYTES_ARGS(walk->table->name), (unsigned long long)counters,
               (unsigned long long)walk->collections);
    return true;
}

static bool entry_check(struct table_walk *walk, const struct table_index *index,
                        struct table_figures *found, struct bytes key, struct bytes item)
{
    struct check *check = walk->check;
    struct arena *arena = &check->arena;
    struct engine_value value;
    struct index_entry entry;
    bool there, due = true;

    if (!index_entry(walk->table, index, key, item, arena, &entry))
        return true;
    if (!engine_get(check->engine, check->snapshot, SPACE_INDEX,
                    item_place(arena, index->number, entry.key), &value, &there, check->err))
        return give_up(check);
    if (there) {
        found->items++;
        found->bytes += (int64_t)item_size(value.bytes);
        walk->collection_bytes += index->local ? item_size(value.bytes) : 0;
    }
    if (!there && index->building &&
        !index_fill_passed(check->engine, check->snapshot, index->number, key, &due, check->err))
        return give_up(check);
    if (!due)
        check->figures->building++;
    else if (!there || !bytes_equal(value.bytes, entry.item))
        differ(check, "%.*s: index %.*s has %s of the item %s", BYTES_ARGS(walk->table->name),
               BYTES_ARGS(index->name), there ? "another entry" : "no entry",
               key_text(check, table_key_item(walk->table, item, arena)));
    engine_value_release(&value);
    return true;
}

static bool item_visit(void *context, struct bytes place, struct bytes value)
{
    struct table_walk *walk = context;
    struct check *check = walk->check;
    struct arena_mark mark = arena_mark(&check->arena);
    struct bytes key = bytes_from(place, ITEM_KEY_AT), own;
    struct stored_item stored;
    struct err err;

    if (!stored_item_read(&check->engine->limits, value, &stored, check->err) ||
        !item_check(stored.item, check->err))
        return give_up(check);
    if (!table_key(walk->table, stored.item, false, &check->arena, &own, &err) ||
        !bytes_equal(own, key))
        differ(check, "%.*s: the item %s lies under another key", BYTES_ARGS(walk->table->name),
               key_text(check, table_key_item(walk->table, stored.item, &check->arena)));
    walk->counted.items++;
    walk->counted.bytes += (int64_t)item_size(stored.item);
    if (table_has_collections(walk->table) && !collection_add(walk, key, stored.item))
        return give_up(check);
    for (uint32_t i = 0; i < walk->table->index_count; i++)
        if (!entry_check(walk, &walk->table->indexes[i], &walk->entries[i], key, stored.item))
            return false;
    arena_rewind(&check->arena, mark);
    return true;
}

/* --- what an index has too many --------------------------------------------------------------- */

struct index_walk {
    struct check *check;
    const struct table *table;
    const struct table_index *index;
    uint64_t entries;
};

static bool entry_count(void *context, struct bytes place, struct bytes value)
{
    struct index_walk *walk = context;

    (void)place, (void)value;
    walk->entries++;
    return true;
}

/* Whether the entry is that of an item that is there. */
static bool entry_belongs(struct index_walk *walk, struct bytes key, bool *belongs)
{
    struct check *check = walk->check;
    struct arena *arena = &check->arena;
    struct bytes item_key = index_item_key(walk->index, key, arena);
    struct engine_value value;
    struct stored_item stored;
    struct index_entry entry;
    bool there;

    if (!engine_get(check->engine, check->snapshot, SPACE_ITEMS,
                    item_place(arena, walk->table->number, item_key), &value, &there, check->err))
        return false;
    bool ok = !there || stored_item_read(&check->engine->limits, value.bytes, &stored, check->err);
    *belongs = ok && there &&
               index_entry(walk->table, walk->index, item_key, stored.item, arena, &entry) &&
               bytes_equal(entry.key, key);
    engine_value_release(&value);
    return ok;
}

static bool entry_visit(void *context, struct bytes place, struct bytes value)
{
    struct index_walk *walk = context;
    struct check *check = walk->check;
    struct arena_mark mark = arena_mark(&check->arena);
    bool belongs;

    if (!item_check(value, check->err) ||
        !entry_belongs(walk, bytes_from(place, ITEM_KEY_AT), &belongs))
        return give_up(check);
    if (!belongs)
        differ(check, "%.*s: index %.*s has an entry of no item, %s", BYTES_ARGS(walk->table->name),
               BYTES_ARGS(walk->index->name),
               key_text(check, index_key_item(walk->table, walk->index, value, &check->arena)));
    arena_rewind(&check->arena, mark);
    return true;
}

static bool index_check(struct check *check, const struct table *table,
                        const struct table_index *index, const struct table_figures *found)
{
    struct index_walk walk = {check, table, index, 0};

    check->told = 0;
    if (!number_walk(check, SPACE_INDEX, index->number, entry_count, &walk))
        return false;
    check->figures->indexes++;
    check->figures->entries += walk.entries;
    if (walk.entries != (uint64_t)found->items)
        return number_walk(check, SPACE_INDEX, index->number, entry_visit, &walk);
    const char *what =
        arena_text(&check->arena, arena_printf(&check->arena, "%.*s: index %.*s",
                                               BYTES_ARGS(table->name), BYTES_ARGS(index->name)));
    return figures_check(check, index->number, found, what);
}

static bool table_check(struct check *check, const struct table *table)
{
    struct table_figures entries[INDEXES_MOST] = {{0}};
    struct table_walk walk = {.check = check, .table = table, .entries = entries};

    check->told = 0;
    buf_init(&walk.collection);
    bool walked =
        number_walk(check, SPACE_ITEMS, table->number, item_visit, &walk) && collections_end(&walk);
    buf_release(&walk.collection);
    if (!walked)
        return false;
    check->figures->tables++;
    check->figures->items += (uint64_t)walk.counted.items;
    if (!figures_check(check, table->number, &walk.counted, arena_text(&check->arena, table->name)))
        return false;
    for (uint32_t i = 0; i < table->index_count; i++)
        if (!index_check(check, table, &table->indexes[i], &entries[i]))
            return false;
    return true;
}

/* --- the catalogue of the instant ------------------------------------------------------------- */

static bool table_visit(void *context, struct bytes key, struct bytes value)
{
    struct check *check = context;
    struct arena_mark mark = arena_mark(&check->arena);
    struct table table;

    if (!table_record_read(&check->engine->limits, bytes_from(key, 1), value, &check->arena, &table,
                           check->err) ||
        !table_check(check, &table))
        return give_up(check);
    buf_put_be64(&check->numbers, table.number);
    for (uint32_t i = 0; i < table.index_count; i++)
        buf_put_be64(&check->numbers, table.indexes[i].number);
    arena_rewind(&check->arena, mark);
    return true;
}

static bool dropped_visit(void *context, struct bytes key, struct bytes value)
{
    struct check *check = context;

    (void)value;
    buf_put_bytes(&check->numbers, bytes_from(key, 1));
    return true;
}

static bool records_walk(struct check *check, uint8_t kind,
                         bool (*visit)(void *context, struct bytes key, struct bytes value))
{
    uint8_t to = (uint8_t)(kind + 1);
    struct engine_scan scan = {
        .space = SPACE_CATALOG,
        .from = bytes_of(&kind, 1),
        .to = bytes_of(&to, 1),
        .snapshot = check->snapshot,
        .visit = visit,
        .context = check,
    };

    return engine_scan_all(check->engine, &scan, check->err) != SCAN_FAILED && !check->failed;
}

/* --- what nobody has -------------------------------------------------------------------------- */

static int number_order(const void *left, const void *right)
{
    return memcmp(left, right, 8); /* big-endian */
}

static bool is_known(const struct check *check, uint64_t number)
{
    uint8_t wanted[8];

    be64_store(wanted, number);
    return bsearch(wanted, check->numbers.data, check->numbers.size / 8, 8, number_order) != NULL;
}

static bool first_visit(void *context, struct bytes key, struct bytes value)
{
    (void)value;
    *(uint64_t *)context = key.size < 8 ? UINT64_MAX : be64_load(key.data);
    return false;
}

/* From number to number, without a look at what lies between. */
static bool space_check(struct check *check, enum engine_space space, const char *name)
{
    uint64_t number = 0;
    uint8_t from[8] = {0};

    check->told = 0;
    for (;;) {
        struct engine_scan scan = {
            .space = space,
            .from = bytes_of(from, sizeof from),
            .snapshot = check->snapshot,
            .visit = first_visit,
            .context = &number,
        };
        enum scan_end end = engine_scan_all(check->engine, &scan, check->err);
        if (end != SCAN_STOPPED)
            return end == SCAN_DONE;
        if (!is_known(check, number))
            differ(check, "%s lie under the number %llu, which nothing has", name,
                   (unsigned long long)number);
        if (number == UINT64_MAX)
            return true;
        be64_store(from, number + 1);
    }
}

static bool database_check(struct check *check)
{
    static const struct {
        enum engine_space space;
        const char *name;
    } spaces[] = {{SPACE_ITEMS, "items"},
                  {SPACE_INDEX, "entries of an index"},
                  {SPACE_CHANGELOG, "changes"},
                  {SPACE_STATISTICS, "statistics"}};

    if (!records_walk(check, CATALOG_TABLE, table_visit) ||
        !records_walk(check, CATALOG_DROPPED, dropped_visit))
        return false;
    if (check->numbers.size == 0)
        buf_put_be64(&check->numbers, 0); /* nothing has it */
    qsort(check->numbers.data, check->numbers.size / 8, 8, number_order);
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        if (!space_check(check, spaces[i].space, spaces[i].name))
            return false;
    return true;
}

bool tables_check(struct tables *tables, void (*tell)(void *context, const char *sentence),
                  void *context, struct check_figures *figures, struct err *err)
{
    struct engine *engine = tables->engine;
    struct engine_snapshot *snapshot = engine->ops->snapshot_new(engine);
    struct check check = {
        .engine = engine,
        .snapshot = snapshot,
        .tell = tell,
        .context = context,
        .figures = figures,
        .err = err,
    };

    arena_init(&check.arena);
    buf_init(&check.numbers);
    bool ok = database_check(&check);
    buf_release(&check.numbers);
    arena_release(&check.arena);
    if (snapshot != NULL)
        engine->ops->snapshot_free(engine, snapshot);
    return ok;
}
