/* api/describe.c - a table as the service describes it. */
#include "api/api.h"

#include "base/clock.h"
#include "json/writer.h"

#define WARM_READS_DEFAULT  12000 /* of an on-demand table, as the service shows them */
#define WARM_WRITES_DEFAULT 4000

static void put_keys(struct buf *out, const struct table *table)
{
    static const char *const types[] = {[KEY_S] = "S", [KEY_N] = "N", [KEY_B] = "B"};

    put_member(out, "AttributeDefinitions");
    buf_put_literal(out, "[");
    for (uint32_t i = 0; i < table->key_count; i++) {
        put_comma(out);
        buf_put_literal(out, "{");
        put_text_member(out, "AttributeName", table->keys[i].name);
        put_text_member(out, "AttributeType", bytes_of_text(types[table->keys[i].type]));
        buf_put_literal(out, "}");
    }
    buf_put_literal(out, "]");
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
    bool today = table->throughput_decreased / DAY_MICROS == clock_micros() / DAY_MICROS;

    put_member(out, "ProvisionedThroughput");
    buf_put_literal(out, "{");
    if (table->throughput_increased != 0)
        put_time_member(out, "LastIncreaseDateTime", table->throughput_increased);
    if (table->throughput_decreased != 0)
        put_time_member(out, "LastDecreaseDateTime", table->throughput_decreased);
    put_integer_member(out, "NumberOfDecreasesToday", today ? table->decreases_today : 0);
    put_integer_member(out, "ReadCapacityUnits", table->provisioned ? table->read_units : 0);
    put_integer_member(out, "WriteCapacityUnits", table->provisioned ? table->write_units : 0);
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

static int64_t first_of(int64_t given, int64_t otherwise)
{
    return given != 0 ? given : otherwise;
}

static void put_warm(struct buf *out, const struct table *table, const struct extras *extras)
{
    put_member(out, "WarmThroughput");
    buf_put_literal(out, "{");
    put_integer_member(
        out, "ReadUnitsPerSecond",
        first_of(extras->warm_reads, table->provisioned ? table->read_units : WARM_READS_DEFAULT));
    put_integer_member(out, "WriteUnitsPerSecond",
                       first_of(extras->warm_writes,
                                table->provisioned ? table->write_units : WARM_WRITES_DEFAULT));
    put_text_member(out, "Status", BYTES("ACTIVE"));
    buf_put_literal(out, "}");
}

static void put_extras(struct buf *out, const struct table *table, struct arena *arena, bool active)
{
    struct extras extras;

    extras_read(table->settings, arena, &extras);
    if (extras.encryption_key.size > 0) {
        put_member(out, "SSEDescription");
        buf_put_literal(out, "{\"Status\":\"ENABLED\",\"SSEType\":\"KMS\"");
        put_text_member(out, "KMSMasterKeyArn", extras.encryption_key);
        buf_put_literal(out, "}");
    }
    if (table->table_class.size > 0) {
        put_member(out, "TableClassSummary");
        buf_put_literal(out, "{");
        put_text_member(out, "TableClass", table->table_class);
        buf_put_literal(out, "}");
    }
    put_on_demand(out, &extras);
    if (active)
        put_warm(out, table, &extras);
}

/* The reply to DeleteTable leaves out what the table was made of (AWS CLI's example, delete-table).
 */
void put_table(struct buf *out, const struct table *table, const char *status,
               const struct table_figures *figures, struct arena *arena)
{
    bool active = strcmp(status, "ACTIVE") == 0;

    buf_put_literal(out, "{");
    if (strcmp(status, "DELETING") != 0)
        put_keys(out, table);
    put_text_member(out, "TableName", table->name);
    put_text_member(out, "TableStatus", bytes_of_text(status));
    if (strcmp(status, "DELETING") != 0)
        put_time_member(out, "CreationDateTime", table->created);
    put_throughput(out, table);
    put_integer_member(out, "TableSizeBytes", figures->bytes);
    put_integer_member(out, "ItemCount", figures->items);
    put_text_member(out, "TableArn", table->arn);
    put_text_member(out, "TableId", table->id);
    put_billing(out, table, active);
    put_extras(out, table, arena, active);
    put_flag_member(out, "DeletionProtectionEnabled", table->deletion_protected);
    buf_put_literal(out, "}");
}
