/* api/describe.c - a table as the service describes it. */
#include "api/indexes.h"

#include "base/clock.h"
#include "json/writer.h"

/* Definitions are told in the order of their names (ack-api-quirks, DDB-TABLE-133). */
static void put_definitions(struct buf *out, const struct table *table, struct arena *arena)
{
    static const char *const types[] = {[KEY_S] = "S", [KEY_N] = "N", [KEY_B] = "B"};
    struct key_attribute *attributes;
    uint32_t count = table_attributes(table, arena, &attributes);

    put_member(out, "AttributeDefinitions");
    buf_put_literal(out, "[");
    for (uint32_t i = 0; i < count; i++) {
        put_comma(out);
        buf_put_literal(out, "{");
        put_text_member(out, "AttributeName", attributes[i].name);
        put_text_member(out, "AttributeType", bytes_of_text(types[attributes[i].type]));
        buf_put_literal(out, "}");
    }
    buf_put_literal(out, "]");
}

/* `hashes` of the keys are of the partition key. */
static void put_keys(struct buf *out, const struct key_attribute *keys, uint32_t hashes,
                     uint32_t count)
{
    put_member(out, "KeySchema");
    buf_put_literal(out, "[");
    for (uint32_t i = 0; i < count; i++) {
        put_comma(out);
        buf_put_literal(out, "{");
        put_text_member(out, "AttributeName", keys[i].name);
        put_text_member(out, "KeyType", i < hashes ? BYTES("HASH") : BYTES("RANGE"));
        buf_put_literal(out, "}");
    }
    buf_put_literal(out, "]");
}

static void put_throughput(struct buf *out, const struct throughput *throughput, bool provisioned)
{
    put_member(out, "ProvisionedThroughput");
    buf_put_literal(out, "{");
    if (throughput->increased != 0)
        put_time_member(out, "LastIncreaseDateTime", throughput->increased);
    if (throughput->decreased != 0)
        put_time_member(out, "LastDecreaseDateTime", throughput->decreased);
    put_integer_member(out, "NumberOfDecreasesToday", decreases_on(throughput, clock_micros()));
    put_integer_member(out, "ReadCapacityUnits", provisioned ? throughput->read_units : 0);
    put_integer_member(out, "WriteCapacityUnits", provisioned ? throughput->write_units : 0);
    buf_put_literal(out, "}");
}

/* A table that was always PROVISIONED has none. */
static void put_billing(struct buf *out, const struct table *table, bool active)
{
    uint64_t since = table->billing_changed != 0 ? table->billing_changed : table->created;

    if (table->provisioned && table->billing_changed == 0)
        return;
    put_member(out, "BillingModeSummary");
    buf_put_literal(out, "{");
    put_text_member(out, "BillingMode",
                    table->provisioned ? BYTES("PROVISIONED") : BYTES("PAY_PER_REQUEST"));
    if (active)
        put_time_member(out, "LastUpdateToPayPerRequestDateTime", since);
    buf_put_literal(out, "}");
}

static void put_on_demand(struct buf *out, const struct capacity *capacity)
{
    if (capacity->read_units_most == 0 && capacity->write_units_most == 0)
        return;
    put_member(out, "OnDemandThroughput");
    buf_put_literal(out, "{");
    if (capacity->read_units_most != 0)
        put_integer_member(out, "MaxReadRequestUnits", capacity->read_units_most);
    if (capacity->write_units_most != 0)
        put_integer_member(out, "MaxWriteRequestUnits", capacity->write_units_most);
    buf_put_literal(out, "}");
}

static void put_warm(struct buf *out, const struct capacity_of *of, const struct capacity *capacity,
                     const char *status)
{
    int64_t reads, writes;

    warm_of(of, capacity, &reads, &writes);
    put_member(out, "WarmThroughput");
    buf_put_literal(out, "{");
    put_integer_member(out, "ReadUnitsPerSecond", reads);
    put_integer_member(out, "WriteUnitsPerSecond", writes);
    put_text_member(out, "Status", bytes_of_text(status));
    buf_put_literal(out, "}");
}

/* Encryption that is only being switched on has no key yet. */
static void put_encryption(struct buf *out, const struct table_shown *shown)
{
    bool enabled = strcmp(shown->encryption, "ENABLED") == 0;
    struct bytes key = shown->extras->encryption_key;

    if (enabled && key.size == 0)
        return;
    put_member(out, "SSEDescription");
    buf_put_literal(out, "{");
    put_text_member(out, "Status", bytes_of_text(shown->encryption));
    if (key.size > 0) {
        put_text_member(out, "SSEType", BYTES("KMS"));
        put_text_member(out, "KMSMasterKeyArn", key);
    }
    buf_put_literal(out, "}");
}

static void put_class(struct buf *out, const struct table_shown *shown)
{
    if (shown->table->table_class.size == 0)
        return;
    put_member(out, "TableClassSummary");
    buf_put_literal(out, "{");
    put_text_member(out, "TableClass", shown->table->table_class);
    if (shown->extras->class_changed != 0)
        put_time_member(out, "LastUpdateDateTime", shown->extras->class_changed);
    buf_put_literal(out, "}");
}

/* --- indexes ---------------------------------------------------------------------------------- */

static void put_projection(struct buf *out, const struct table_index *index)
{
    static const char *const names[] = {
        [PROJECT_ALL] = "ALL", [PROJECT_KEYS_ONLY] = "KEYS_ONLY", [PROJECT_INCLUDE] = "INCLUDE"};

    put_member(out, "Projection");
    buf_put_literal(out, "{");
    put_text_member(out, "ProjectionType", bytes_of_text(names[index->projection]));
    if (index->projection == PROJECT_INCLUDE) {
        put_member(out, "NonKeyAttributes");
        buf_put_literal(out, "[");
        for (uint32_t i = 0; i < index->included_count; i++) {
            put_comma(out);
            json_put_string(out, index->included[i]);
        }
        buf_put_literal(out, "]");
    }
    buf_put_literal(out, "}");
}

/* What only a global one has. */
static void put_global(struct buf *out, const struct table *table, const struct table_index *index,
                       const struct index_shown *shown)
{
    struct capacity_of of = capacity_of_index(table, index, false);
    struct capacity capacity;

    capacity_read(index->settings, &capacity);
    put_text_member(out, "IndexStatus", bytes_of_text(shown->status));
    if (shown->added)
        put_flag_member(out, "Backfilling", shown->backfilling);
    put_throughput(out, &index->throughput, table->provisioned);
    put_on_demand(out, &capacity);
    if (shown->warm != NULL)
        put_warm(out, &of, &capacity, shown->warm);
}

static void put_index(struct buf *out, const struct table *table, const struct table_index *index,
                      const struct index_shown *shown, struct arena *arena)
{
    put_comma(out);
    buf_put_literal(out, "{");
    put_text_member(out, "IndexName", index->name);
    put_keys(out, index->keys, index->partition_count, index->key_count);
    put_projection(out, index);
    if (!index->local)
        put_global(out, table, index, shown);
    put_integer_member(out, "IndexSizeBytes", shown->figures.bytes);
    put_integer_member(out, "ItemCount", shown->figures.items);
    put_text_member(
        out, "IndexArn",
        arena_printf(arena, "%.*s/index/%.*s", BYTES_ARGS(table->arn), BYTES_ARGS(index->name)));
    buf_put_literal(out, "}");
}

static void put_indexes(struct buf *out, const struct table_shown *shown, bool local)
{
    const struct table *table = shown->table;
    bool any = false;

    for (uint32_t i = 0; i < table->index_count; i++) {
        if (table->indexes[i].local != local)
            continue;
        if (!any) {
            put_member(out, local ? "LocalSecondaryIndexes" : "GlobalSecondaryIndexes");
            buf_put_literal(out, "[");
            any = true;
        }
        put_index(out, table, &table->indexes[i], &shown->indexes[i], shown->arena);
    }
    if (any)
        buf_put_literal(out, "]");
}

struct index_shown *indexes_new(const struct table *table, struct arena *arena)
{
    struct index_shown *shown = arena_zalloc(arena, table->index_count * sizeof *shown);

    for (uint32_t i = 0; i < table->index_count; i++)
        shown[i].status = "CREATING";
    return shown;
}

/* CreateTable's are there with the table: only what UpdateTable adds is seen being built. */
bool indexes_now(struct tables *tables, const struct table *table, uint32_t room,
                 struct arena *arena, struct index_shown **out, struct err *err)
{
    size_t count = (size_t)table->index_count + room;
    struct index_shown *shown = arena_zalloc(arena, count * sizeof *shown);

    for (uint32_t i = 0; i < table->index_count; i++) {
        const struct table_index *index = &table->indexes[i];
        shown[i] = (struct index_shown){.status = index->building ? "CREATING" : "ACTIVE",
                                        .added = index->building,
                                        .backfilling = index->building,
                                        .warm = index->building ? "UPDATING" : "ACTIVE"};
        if (!index_figures(tables, index, &shown[i].figures, err))
            return false;
    }
    *out = shown;
    return true;
}

/* --- the table -------------------------------------------------------------------------------- */

/* The reply to DeleteTable leaves out what the table was made of (AWS CLI's example, delete-table).
 */
void put_table(struct buf *out, const struct table_shown *shown)
{
    const struct table *table = shown->table;
    struct capacity_of of = capacity_of_table(table, false);
    bool deleting = strcmp(shown->status, "DELETING") == 0;

    buf_put_literal(out, "{");
    if (!deleting) {
        put_definitions(out, table, shown->arena);
        put_keys(out, table->keys, 1, table->key_count);
    }
    put_text_member(out, "TableName", table->name);
    put_text_member(out, "TableStatus", bytes_of_text(shown->status));
    if (!deleting)
        put_time_member(out, "CreationDateTime", table->created);
    put_throughput(out, &table->throughput, table->provisioned);
    put_integer_member(out, "TableSizeBytes", shown->figures.bytes);
    put_integer_member(out, "ItemCount", shown->figures.items);
    put_text_member(out, "TableArn", table->arn);
    put_text_member(out, "TableId", table->id);
    put_billing(out, table, strcmp(shown->status, "ACTIVE") == 0);
    put_encryption(out, shown);
    put_class(out, shown);
    put_on_demand(out, &shown->extras->capacity);
    if (shown->warm != NULL)
        put_warm(out, &of, &shown->extras->capacity, shown->warm);
    if (!deleting) {
        put_indexes(out, shown, true);
        put_indexes(out, shown, false);
    }
    put_flag_member(out, "DeletionProtectionEnabled", table->deletion_protected);
    buf_put_literal(out, "}");
}
