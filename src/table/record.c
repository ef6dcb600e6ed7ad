/* table/record.c - the catalogue record of a table. A record without RecoverySince was written by
 * the commit that switched recovery on: it reaches back to just above that commit, as
 * changelog/state.c explains. */
#include "table/catalog.h"

static struct bytes key_record(const struct key_attribute *key, struct arena *arena)
{
    struct item_maker maker;

    item_begin(&maker, arena);
    item_put_text(&maker, "Name", key->name);
    item_put_integer(&maker, "Type", key->type);
    return item_finish(&maker);
}

static void put_keys(struct item_maker *maker, const struct key_attribute *keys, uint32_t count,
                     struct arena *arena)
{
    struct bytes records[INDEX_KEYS_MOST];

    for (uint32_t i = 0; i < count; i++)
        records[i] = key_record(&keys[i], arena);
    item_put_items(maker, "Keys", records, count);
}

static void put_throughput(struct item_maker *maker, const struct throughput *throughput)
{
    item_put_integer(maker, "ReadUnits", throughput->read_units);
    item_put_integer(maker, "WriteUnits", throughput->write_units);
    item_put_integer(maker, "Increased", (int64_t)throughput->increased);
    item_put_integer(maker, "Decreased", (int64_t)throughput->decreased);
    item_put_integer(maker, "DecreasesToday", throughput->decreases_today);
}

/* Names that are projected, as items of one attribute each. */
static void put_included(struct item_maker *maker, const struct table_index *index,
                         struct arena *arena)
{
    struct bytes *records = arena_alloc(arena, index->included_count * sizeof *records);

    for (uint32_t i = 0; i < index->included_count; i++) {
        struct item_maker record;
        item_begin(&record, arena);
        item_put_text(&record, "Name", index->included[i]);
        records[i] = item_finish(&record);
    }
    item_put_items(maker, "Included", records, index->included_count);
}

static struct bytes index_record(const struct table_index *index, struct arena *arena)
{
    struct item_maker maker;

    item_begin(&maker, arena);
    item_put_integer(&maker, "Number", (int64_t)index->number);
    item_put_text(&maker, "Name", index->name);
    item_put_flag(&maker, "Local", index->local);
    item_put_flag(&maker, "Building", index->building);
    put_keys(&maker, index->keys, index->key_count, arena);
    item_put_integer(&maker, "PartitionKeys", index->partition_count);
    item_put_integer(&maker, "Projection", index->projection);
    if (index->included_count > 0)
        put_included(&maker, index, arena);
    put_throughput(&maker, &index->throughput);
    if (index->settings.size > 0)
        item_put_item(&maker, "Settings", index->settings);
    return item_finish(&maker);
}

static void put_indexes(struct item_maker *maker, const struct table *table, struct arena *arena)
{
    struct bytes records[INDEXES_MOST];

    for (uint32_t i = 0; i < table->index_count; i++)
        records[i] = index_record(&table->indexes[i], arena);
    item_put_items(maker, "Indexes", records, table->index_count);
}

struct bytes table_record(const struct table *table, bool since_here, struct arena *arena)
{
    struct item_maker maker;

    item_begin(&maker, arena);
    item_put_integer(&maker, "Number", (int64_t)table->number);
    item_put_text(&maker, "Id", table->id);
    put_keys(&maker, table->keys, table->key_count, arena);
    if (table->index_count > 0)
        put_indexes(&maker, table, arena);
    item_put_integer(&maker, "Created", (int64_t)table->created);
    item_put_flag(&maker, "Provisioned", table->provisioned);
    put_throughput(&maker, &table->throughput);
    item_put_integer(&maker, "BillingChanged", (int64_t)table->billing_changed);
    item_put_flag(&maker, "DeletionProtected", table->deletion_protected);
    if (table->table_class.size > 0)
        item_put_text(&maker, "Class", table->table_class);
    if (table->settings.size > 0)
        item_put_item(&maker, "Settings", table->settings);
    if (table->time_to_live.size > 0)
        item_put_text(&maker, "TimeToLive", table->time_to_live);
    item_put_integer(&maker, "TimeToLiveChanged", (int64_t)table->time_to_live_changed);
    item_put_flag(&maker, "Recovery", table->recovery);
    if (!since_here)
        item_put_integer(&maker, "RecoverySince", (int64_t)table->recovery_since);
    item_put_integer(&maker, "RecoveryDays", table->recovery_days);
    item_put_integer(&maker, "LogEpoch", table->log_epoch);
    item_put_flag(&maker, "Log", table->log);
    return item_finish(&maker);
}

/* How many; 0: none, or not as they must be. */
static uint32_t keys_read(struct bytes record, struct arena *arena, struct key_attribute *out,
                          uint32_t most)
{
    struct bytes *keys;
    uint32_t count = item_items(record, "Keys", arena, &keys);

    if (count > most)
        return 0;
    for (uint32_t i = 0; i < count; i++) {
        int64_t type = item_integer(keys[i], "Type", -1);
        out[i].name = item_text(keys[i], "Name");
        if (type < KEY_S || type > KEY_B || out[i].name.size == 0)
            return 0;
        out[i].type = (enum key_type)type;
    }
    return count;
}

static struct throughput throughput_read(struct bytes record)
{
    return (struct throughput){
        .read_units = item_integer(record, "ReadUnits", 0),
        .write_units = item_integer(record, "WriteUnits", 0),
        .increased = (uint64_t)item_integer(record, "Increased", 0),
        .decreased = (uint64_t)item_integer(record, "Decreased", 0),
        .decreases_today = item_integer(record, "DecreasesToday", 0),
    };
}

static void included_read(struct bytes record, struct arena *arena, struct table_index *out)
{
    struct bytes *records, *names;

    out->included_count = item_items(record, "Included", arena, &records);
    names = arena_alloc(arena, out->included_count * sizeof *names);
    for (uint32_t i = 0; i < out->included_count; i++)
        names[i] = item_text(records[i], "Name");
    out->included = names;
}

static bool index_read(struct bytes record, struct arena *arena, struct table_index *out)
{
    int64_t partition_count = item_integer(record, "PartitionKeys", 0);
    int64_t projection = item_integer(record, "Projection", -1);

    *out = (struct table_index){
        .number = (uint64_t)item_integer(record, "Number", 0),
        .name = item_text(record, "Name"),
        .local = item_flag(record, "Local"),
        .building = item_flag(record, "Building"),
        .throughput = throughput_read(record),
        .settings = item_item(record, "Settings", arena),
    };
    out->key_count = keys_read(record, arena, out->keys, INDEX_KEYS_MOST);
    included_read(record, arena, out);
    if (out->number == 0 || partition_count < 1 || partition_count > out->key_count ||
        projection < PROJECT_ALL || projection > PROJECT_INCLUDE)
        return false;
    out->partition_count = (uint32_t)partition_count;
    out->projection = (enum index_projection)projection;
    return true;
}

static bool indexes_read(struct bytes record, struct arena *arena, struct table *out)
{
    struct bytes *records;
    uint32_t count = item_items(record, "Indexes", arena, &records);
    struct table_index *indexes = arena_alloc(arena, count * sizeof *indexes);

    for (uint32_t i = 0; i < count; i++)
        if (!index_read(records[i], arena, &indexes[i]))
            return false;
    out->indexes = indexes;
    out->index_count = count;
    return count <= INDEXES_MOST;
}

bool table_record_read(const struct engine_limits *limits, struct bytes name, struct bytes value,
                       struct arena *arena, struct table *out, struct err *err)
{
    struct stored_item stored;
    struct table table = {.name = name};

    if (!stored_item_read(limits, value, &stored, err) || !item_check(stored.item, err))
        return false;
    struct bytes record = stored.item;
    table.generation = stored.stamp;
    table.number = (uint64_t)item_integer(record, "Number", 0);
    table.id = item_text(record, "Id");
    table.created = (uint64_t)item_integer(record, "Created", 0);
    table.provisioned = item_flag(record, "Provisioned");
    table.throughput = throughput_read(record);
    table.billing_changed = (uint64_t)item_integer(record, "BillingChanged", 0);
    table.deletion_protected = item_flag(record, "DeletionProtected");
    table.table_class = item_text(record, "Class");
    table.settings = item_item(record, "Settings", arena);
    table.time_to_live = item_text(record, "TimeToLive");
    table.time_to_live_changed = (uint64_t)item_integer(record, "TimeToLiveChanged", 0);
    table.recovery = item_flag(record, "Recovery");
    table.recovery_since =
        (uint64_t)item_integer(record, "RecoverySince", (int64_t)stored.time + 1);
    table.recovery_days = (uint32_t)item_integer(record, "RecoveryDays", 0);
    table.log_epoch = (uint32_t)item_integer(record, "LogEpoch", 0);
    table.log = item_flag(record, "Log");
    table.key_count = keys_read(record, arena, table.keys, 2);
    if (table.key_count == 0 || table.number == 0 || !indexes_read(record, arena, &table))
        return err_fail(err, ERR_CORRUPT, "the catalogue record of table %.*s", BYTES_ARGS(name));
    *out = table;
    return true;
}

struct bytes table_locals_pack(const struct table *table, struct arena *arena)
{
    struct table locals = *table;
    struct item_maker maker;

    locals.index_count = 0;
    while (locals.index_count < table->index_count && table->indexes[locals.index_count].local)
        locals.index_count++;
    if (locals.index_count == 0)
        return BYTES_NONE;
    item_begin(&maker, arena);
    put_keys(&maker, locals.keys, locals.key_count, arena);
    put_indexes(&maker, &locals, arena);
    return item_finish(&maker);
}

bool table_locals_read(struct bytes item, struct arena *arena, struct table *out, struct err *err)
{
    *out = (struct table){.number = 0};
    if (item.size == 0)
        return true;
    if (!item_check(item, err))
        return false;
    out->key_count = keys_read(item, arena, out->keys, 2);
    return (out->key_count > 0 && indexes_read(item, arena, out)) ||
           err_fail(err, ERR_CORRUPT, "a record of a table's local indexes");
}
