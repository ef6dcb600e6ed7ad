/* table/catalog.c - a sorted array of references to immutable descriptions. A request takes the
 * shared lock for a binary search and one count. Changes are installed by the committer, in commit
 * order, so what is here is never older than what was answered. */
#include "table/catalog.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct bytes catalog_key(struct arena *arena, uint8_t kind, struct bytes rest)
{
    uint8_t *key = arena_alloc(arena, 1 + rest.size);

    key[0] = kind;
    if (rest.size > 0)
        memcpy(key + 1, rest.data, rest.size);
    return bytes_of(key, 1 + rest.size);
}

struct bytes catalog_number_key(struct arena *arena, uint8_t kind, uint64_t number)
{
    uint8_t rest[8];

    be64_store(rest, number);
    return catalog_key(arena, kind, bytes_of(rest, sizeof rest));
}

/* --- entries --- */

static void indexes_copy(struct table *table, struct arena *arena)
{
    struct table_index *indexes = arena_alloc(arena, table->index_count * sizeof *indexes);

    for (uint32_t i = 0; i < table->index_count; i++) {
        struct table_index *copy = &indexes[i];
        *copy = table->indexes[i];
        struct bytes *included = arena_alloc(arena, copy->included_count * sizeof *included);
        copy->name = arena_copy(arena, copy->name);
        copy->settings = arena_copy(arena, copy->settings);
        for (uint32_t j = 0; j < copy->key_count; j++)
            copy->keys[j].name = arena_copy(arena, copy->keys[j].name);
        for (uint32_t j = 0; j < copy->included_count; j++)
            included[j] = arena_copy(arena, copy->included[j]);
        copy->included = included;
    }
    table->indexes = indexes;
}

struct table_entry *entry_new(const struct tables *tables, const struct table *table)
{
    struct table_entry *entry = calloc(1, sizeof *entry);

    if (entry == NULL)
        abort();
    arena_init(&entry->arena);
    entry->table = *table;
    struct arena *arena = &entry->arena;
    struct table *copy = &entry->table;
    atomic_init(&entry->references, 1);
    copy->arn = arena_printf(arena, "%s%.*s", tables->arn, BYTES_ARGS(table->name));
    copy->name = bytes_from(copy->arn, copy->arn.size - table->name.size);
    copy->id = arena_copy(arena, table->id);
    for (uint32_t i = 0; i < table->key_count; i++)
        copy->keys[i].name = arena_copy(arena, table->keys[i].name);
    indexes_copy(copy, arena);
    copy->table_class = arena_copy(arena, table->table_class);
    copy->settings = arena_copy(arena, table->settings);
    copy->time_to_live = arena_copy(arena, table->time_to_live);
    assert(table->generation.size <= STAMP_MOST);
    if (table->generation.size > 0)
        memcpy(entry->stamp, table->generation.data, table->generation.size);
    copy->generation = bytes_of(entry->stamp, table->generation.size);
    return entry;
}

void entry_free(struct table_entry *entry)
{
    if (entry == NULL || atomic_fetch_sub(&entry->references, 1) != 1)
        return;
    arena_release(&entry->arena);
    free(entry);
}

/* --- the array --- */

/* Where a name is, or belongs. Under the lock. */
static size_t place_of(const struct tables *tables, struct bytes name, bool *found)
{
    size_t low = 0, high = tables->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = bytes_compare(tables->entries[middle]->table.name, name);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = false;
    return low;
}

struct table_entry *catalog_find(struct tables *tables, struct bytes name)
{
    struct table_entry *entry = NULL;
    bool found;

    pthread_rwlock_rdlock(&tables->lock);
    size_t at = place_of(tables, name, &found);
    if (found) {
        entry = tables->entries[at];
        atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
    }
    pthread_rwlock_unlock(&tables->lock);
    return entry;
}

/* Under the lock; answers the entry that was there. */
static struct table_entry *place_put(struct tables *tables, struct bytes name,
                                     struct table_entry *entry)
{
    bool found;
    size_t at = place_of(tables, name, &found);
    struct table_entry *old = found ? tables->entries[at] : NULL;

    if (!found && entry == NULL)
        return NULL;
    if (!found) {
        if (tables->count == tables->capacity) {
            tables->capacity = tables->capacity * 2 + 16;
            tables->entries =
                realloc(tables->entries, tables->capacity * sizeof tables->entries[0]);
            if (tables->entries == NULL)
                abort();
        }
        memmove(&tables->entries[at + 1], &tables->entries[at],
                (tables->count - at) * sizeof tables->entries[0]);
        tables->count++;
    } else if (entry == NULL) {
        tables->count--;
        memmove(&tables->entries[at], &tables->entries[at + 1],
                (tables->count - at) * sizeof tables->entries[0]);
        return old;
    }
    tables->entries[at] = entry;
    return old;
}

void catalog_install(struct tables *tables, struct bytes name, struct table_entry *entry)
{
    pthread_rwlock_wrlock(&tables->lock);
    struct table_entry *old = place_put(tables, name, entry);
    pthread_rwlock_unlock(&tables->lock);
    entry_free(old);
}

/* --- reading it from the engine --- */

static bool entry_read(struct tables *tables, struct bytes name, struct bytes value,
                       struct table_entry **out, struct err *err)
{
    struct arena arena;
    struct table table;

    arena_init(&arena);
    bool ok = table_record_read(&tables->engine->limits, name, value, &arena, &table, err);
    if (ok)
        *out = entry_new(tables, &table);
    arena_release(&arena);
    return ok;
}

/* Between the reading and here, the committer may have installed something newer, which stays. */
static void refreshed_install(struct tables *tables, struct bytes name,
                              const struct table_entry *before, struct table_entry *fresh)
{
    struct table_entry *old = fresh;
    bool found;

    pthread_rwlock_wrlock(&tables->lock);
    size_t at = place_of(tables, name, &found);
    if (found && (fresh == NULL ? tables->entries[at] == before
                                : bytes_compare(fresh->table.generation,
                                                tables->entries[at]->table.generation) > 0))
        old = place_put(tables, name, fresh);
    pthread_rwlock_unlock(&tables->lock);
    entry_free(old);
}

bool catalog_refresh(struct tables *tables, struct bytes name, struct err *err)
{
    struct table_entry *before = catalog_find(tables, name), *fresh = NULL;
    struct engine_value value = {0};
    struct arena arena;
    bool found = false;

    arena_init(&arena);
    bool ok = engine_get(tables->engine, NULL, SPACE_CATALOG,
                         catalog_key(&arena, CATALOG_TABLE, name), &value, &found, err);
    if (ok && found)
        ok = entry_read(tables, name, value.bytes, &fresh, err);
    if (ok)
        refreshed_install(tables, name, before, fresh);
    engine_value_release(&value);
    entry_free(before);
    arena_release(&arena);
    return ok;
}

struct load {
    struct tables *tables;
    struct tables fresh; /* its entries alone */
    bool failed;
    struct err *err;
};

static bool load_visit(void *context, struct bytes key, struct bytes value)
{
    struct load *load = context;
    struct table_entry *entry;
    struct bytes name = bytes_from(key, 1);

    if (!entry_read(load->tables, name, value, &entry, load->err)) {
        load->failed = true;
        return false;
    }
    place_put(&load->fresh, name, entry);
    return true;
}

static bool numbers_load(struct tables *tables, struct err *err)
{
    struct engine_value value = {0};
    struct stored_item stored;
    uint8_t key = CATALOG_NUMBERS;
    bool found;

    if (!engine_get(tables->engine, NULL, SPACE_CATALOG, bytes_of(&key, 1), &value, &found, err))
        return false;
    tables->numbers_stored = found;
    tables->next_number = 1;
    if (!found)
        return true;
    bool ok = stored_item_read(&tables->engine->limits, value.bytes, &stored, err) &&
              item_check(stored.item, err);
    if (ok) {
        memcpy(tables->numbers_stamp, stored.stamp.data, stored.stamp.size);
        tables->next_number = (uint64_t)item_integer(stored.item, "Next", 0);
        if (tables->next_number == 0)
            ok = err_fail(err, ERR_CORRUPT, "the catalogue record of table numbers");
    }
    engine_value_release(&value);
    return ok;
}

static void entries_free(struct table_entry **entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        entry_free(entries[i]);
    free(entries);
}

bool catalog_load(struct tables *tables, struct err *err)
{
    static const uint8_t from = CATALOG_TABLE, to = CATALOG_TABLE + 1;
    struct load load = {.tables = tables, .err = err};
    struct engine_scan scan = {
        .space = SPACE_CATALOG,
        .from = bytes_of(&from, 1),
        .to = bytes_of(&to, 1),
        .visit = load_visit,
        .context = &load,
    };

    if (!numbers_load(tables, err))
        return false;
    if (engine_scan_all(tables->engine, &scan, err) == SCAN_FAILED || load.failed) {
        entries_free(load.fresh.entries, load.fresh.count);
        return false;
    }
    pthread_rwlock_wrlock(&tables->lock);
    struct table_entry **old = tables->entries;
    size_t count = tables->count;
    tables->entries = load.fresh.entries;
    tables->count = load.fresh.count;
    tables->capacity = load.fresh.capacity;
    pthread_rwlock_unlock(&tables->lock);
    entries_free(old, count);
    return true;
}

/* --- opening --- */

struct tables *tables_open(const struct tables_settings *settings, struct err *err)
{
    struct tables *tables = calloc(1, sizeof *tables);

    if (tables == NULL || asprintf(&tables->arn, "arn:aws:dynamodb:%s:%s:table/", settings->region,
                                   settings->account) < 0)
        abort();
    tables->engine = settings->engine;
    tables->committer = settings->committer;
    tables->locks = locks_new();
    tables->trim_rest = settings->trim_rest == 0 ? TRIM_REST_DEFAULT : settings->trim_rest;
    pthread_rwlock_init(&tables->lock, NULL);
    if (!catalog_load(tables, err)) {
        tables_close(tables);
        return NULL;
    }
    return tables;
}

void tables_close(struct tables *tables)
{
    if (tables == NULL)
        return;
    entries_free(tables->entries, tables->count);
    pthread_rwlock_destroy(&tables->lock);
    locks_free(tables->locks);
    free(tables->arn);
    free(tables);
}

void tables_watch(struct tables *tables, void (*building)(void *context, const struct table *table),
                  void *context)
{
    tables->building = building;
    tables->building_context = context;
}

struct engine *tables_engine(const struct tables *tables)
{
    return tables->engine;
}

struct committer *tables_committer(const struct tables *tables)
{
    return tables->committer;
}

struct bytes tables_arn(const struct tables *tables)
{
    return bytes_of_text(tables->arn);
}

size_t tables_list(struct work *work, struct bytes after, size_t most, struct bytes *names,
                   bool *more)
{
    struct tables *tables = work->tables;
    size_t count = 0;
    bool found;

    pthread_rwlock_rdlock(&tables->lock);
    size_t at = place_of(tables, after, &found);
    for (at += found; at < tables->count && count < most; at++)
        names[count++] = arena_copy(work->arena, tables->entries[at]->table.name);
    *more = at < tables->count;
    pthread_rwlock_unlock(&tables->lock);
    return count;
}

bool tables_each(struct tables *tables,
                 bool (*visit)(void *context, const struct table *table, struct err *err),
                 void *context, struct err *err)
{
    pthread_rwlock_rdlock(&tables->lock);
    size_t count = tables->count;
    struct table_entry **entries = malloc((count + 1) * sizeof *entries);
    if (entries == NULL)
        abort();
    for (size_t i = 0; i < count; i++) {
        entries[i] = tables->entries[i];
        atomic_fetch_add(&entries[i]->references, 1);
    }
    pthread_rwlock_unlock(&tables->lock);
    bool ok = true;
    for (size_t i = 0; i < count && ok; i++)
        ok = visit(context, &entries[i]->table, err);
    entries_free(entries, count);
    return ok;
}
