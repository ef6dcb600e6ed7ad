/* api/describe.c - a table as the service describes it. */
#include "api/api.h"

#include "base/clock.h"
#include "json/writer.h"

/* Definitions are told in the order of their names (ack-api-quirks, DDB-TABLE-133). */
static void put_definitions(struct buf *out, const struct table *table)
{
    static const char *const types[] = {[KEY_S] = "S", [KEY_N] = "N", [KEY_B] = "B"};
    bool turned =
        table->key_count == 2 && bytes_compare(table->keys[1].name, table->keys[0].name) < 0;

    put_member(out, "AttributeDefinitions");
    buf_put_literal(out, "[");
    for (uint32_t i = 0; i < table->key_count; i++) {
        const struct key_attribute *key = &table->keys[turned ? 1 - i : i];
        put_comma(out);
        buf_put_literal(out, "{");
        put_text_member(out, "AttributeName", key->name);
        put_text_member(out, "AttributeType", bytes_of_text(types[key->type]));
        buf_put_literal(out, "}");
    }
    buf_put_literal(out, "]");
}

static void put_keys(struct buf *out, const struct table *table)
{
    put_member(out, "KeySchema");
    buf_put_literal(out, "[");
    for (uint32_t i = 0; i < table->key_count; i++) {
        put_comma(out);
        buf_put_literal(out, "{");
        put_text_member(out, "AttributeName", table->keys[i].name);
        put_text_member(out, "KeyType", i == 0 ? BYTES("HASH") : BYTES("RANGE"));
        buf_put_literal(out, "}");
    }
    buf_put_literal(out, "]");
}

static void put_throughput(struct buf *out, const struct table *table)
{
    bool today = table->throughput.decreased / DAY_MICROS == clock_micros() / DAY_MICROS;

    put_member(out, "ProvisionedThroughput");
    buf_put_literal(out, "{");
    if (table->throughput.increased != 0)
        put_time_member(out, "LastIncreaseDateTime", table->throughput.increased);
    if (table->throughput.decreased != 0)
        put_time_member(out, "LastDecreaseDateTime", table->throughput.decreased);
    put_integer_member(out, "NumberOfDecreasesToday",
                       today ? table->throughput.decreases_today : 0);
    put_integer_member(out, "ReadCapacityUnits",
                       table->provisioned ? table->throughput.read_units : 0);
    put_integer_member(out, "WriteCapacityUnits",
                       table->provisioned ? table->throughput.write_units : 0);
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

static void put_on_demand(struct buf *out, const struct extras *extras)
{
    if (extras->read_units_most == 0 && extras->write_units_most == 0)
        return;
    put_member(out, "OnDemandThroughput");
    buf_put_literal(out, "{");
    if (extras->read_units_most != 0)
        put_integer_member(out, "MaxReadRequestUnits", extras->read_units_most);
    if (extras->write_units_most != 0)
        put_integer_member(out, "MaxWriteRequestUnits", extras->write_units_most);
    buf_put_literal(out, "}");
}

static void put_warm(struct buf *out, const struct table_shown *shown)
{
    int64_t reads, writes;

    warm_of(shown->table, shown->extras, &reads, &writes);
    put_member(out, "WarmThroughput");
    buf_put_literal(out, "{");
    put_integer_member(out, "ReadUnitsPerSecond", reads);
    put_integer_member(out, "WriteUnitsPerSecond", writes);
    put_text_member(out, "Status", bytes_of_text(shown->warm));
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

/* The reply to DeleteTable leaves out what the table was made of (AWS CLI's example, delete-table).
 */
void put_table(struct buf *out, const struct table_shown *shown)
{
    const struct table *table = shown->table;
    bool deleting = strcmp(shown->status, "DELETING") == 0;

    buf_put_literal(out, "{");
    if (!deleting) {
        put_definitions(out, table);
        put_keys(out, table);
    }
    put_text_member(out, "TableName", table->name);
    put_text_member(out, "TableStatus", bytes_of_text(shown->status));
    if (!deleting)
        put_time_member(out, "CreationDateTime", table->created);
    put_throughput(out, table);
    put_integer_member(out, "TableSizeBytes", shown->figures.bytes);
    put_integer_member(out, "ItemCount", shown->figures.items);
    put_text_member(out, "TableArn", table->arn);
    put_text_member(out, "TableId", table->id);
    put_billing(out, table, strcmp(shown->status, "ACTIVE") == 0);
    put_encryption(out, shown);
    put_class(out, shown);
    put_on_demand(out, shown->extras);
    if (shown->warm != NULL)
        put_warm(out, shown);
    put_flag_member(out, "DeletionProtectionEnabled", table->deletion_protected);
    buf_put_literal(out, "}");
}
