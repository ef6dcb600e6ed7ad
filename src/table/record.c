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

struct bytes table_record(const struct table *table, bool since_here, struct arena *arena)
{
    struct bytes keys[2];
    struct item_maker maker;

    for (uint32_t i = 0; i < table->key_count; i++)
        keys[i] = key_record(&table->keys[i], arena);
    item_begin(&maker, arena);
    item_put_integer(&maker, "Number", (int64_t)table->number);
    item_put_text(&maker, "Id", table->id);
    item_put_items(&maker, "Keys", keys, table->key_count);
    item_put_integer(&maker, "Created", (int64_t)table->created);
    item_put_flag(&maker, "Provisioned", table->provisioned);
    item_put_integer(&maker, "ReadUnits", table->read_units);
    item_put_integer(&maker, "WriteUnits", table->write_units);
    item_put_integer(&maker, "BillingChanged", (int64_t)table->billing_changed);
    item_put_integer(&maker, "Increased", (int64_t)table->throughput_increased);
    item_put_integer(&maker, "Decreased", (int64_t)table->throughput_decreased);
    item_put_integer(&maker, "DecreasesToday", table->decreases_today);
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

static bool keys_read(struct bytes record, struct arena *arena, struct table *out)
{
    struct bytes *keys;
    uint32_t count = item_items(record, "Keys", arena, &keys);

    if (count < 1 || count > 2)
        return false;
    out->key_count = count;
    for (uint32_t i = 0; i < count; i++) {
        int64_t type = item_integer(keys[i], "Type", -1);
        out->keys[i].name = item_text(keys[i], "Name");
        if (type < KEY_S || type > KEY_B || out->keys[i].name.size == 0)
            return false;
        out->keys[i].type = (enum key_type)type;
    }
    return true;
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
    table.read_units = item_integer(record, "ReadUnits", 0);
    table.write_units = item_integer(record, "WriteUnits", 0);
    table.billing_changed = (uint64_t)item_integer(record, "BillingChanged", 0);
    table.throughput_increased = (uint64_t)item_integer(record, "Increased", 0);
    table.throughput_decreased = (uint64_t)item_integer(record, "Decreased", 0);
    table.decreases_today = item_integer(record, "DecreasesToday", 0);
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
    if (!keys_read(record, arena, &table) || table.number == 0)
        return err_fail(err, ERR_CORRUPT, "the catalogue record of table %.*s", BYTES_ARGS(name));
    *out = table;
    return true;
}
