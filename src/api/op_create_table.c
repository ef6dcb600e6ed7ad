/* api/op_create_table.c - CreateTable. The table is there when its commit is; the reply says
 * CREATING, as the service's does, and the next request finds it ACTIVE.
 *
 * Order of checks: dynalite's createTable tests against the service; some messages are newer
 * (ack-api-quirks, 2026-10: DDB-TABLE-042, 442). */
#include "api/indexes.h"

#define KEYS_MOST 2

const struct field shape_create_table[] = {
    REQUIRED("AttributeDefinitions", FIELD_LIST(element_definition)),
    REQUIRED("TableName", FIELD_MANAGED_TABLE_NAME),
    OPTIONAL("BillingMode", FIELD_ENUM(enum_billing_mode)),
    OPTIONAL("ProvisionedThroughput", FIELD_STRUCT("ProvisionedThroughput", shape_throughput)),
    REQUIRED("KeySchema", FIELD_LIST(element_key), LEAST(1), MOST(KEYS_MOST)),
    OPTIONAL("LocalSecondaryIndexes", FIELD_LIST(element_local)),
    OPTIONAL("GlobalSecondaryIndexes", FIELD_LIST(element_global)),
    OPTIONAL("VectorIndexes", FIELD_UNSUPPORTED),
    OPTIONAL("StreamSpecification", FIELD_STRUCT("StreamSpecification", shape_stream)),
    OPTIONAL("SSESpecification", FIELD_STRUCT("SSESpecification", shape_encryption)),
    OPTIONAL("Tags", FIELD_LIST(element_tag)),
    OPTIONAL("TableClass", FIELD_STRING),
    OPTIONAL("DeletionProtectionEnabled", FIELD_BOOLEAN),
    OPTIONAL("WarmThroughput", FIELD_STRUCT("WarmThroughput", shape_warm)),
    OPTIONAL("OnDemandThroughput", FIELD_STRUCT("OnDemandThroughput", shape_on_demand)),
    OPTIONAL("ResourcePolicy", FIELD_UNSUPPORTED),
    OPTIONAL("GlobalTableSourceArn", FIELD_UNSUPPORTED),
    OPTIONAL("GlobalTableSettingsReplicationMode", FIELD_UNSUPPORTED),
    SHAPE_END,
};

/* --- capacity --------------------------------------------------------------------------------- */

static bool billing_take(const struct request *request, struct table *table, struct err *err)
{
    const struct value_node *throughput = request_member(request, "ProvisionedThroughput");

    table->provisioned = !request_is(request, "BillingMode", "PAY_PER_REQUEST");
    if (!table->provisioned)
        return throughput == NULL ||
               err_fail(err, ERR_VALIDATION,
                        "One or more parameter values were invalid: Neither ReadCapacityUnits nor "
                        "WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST");
    if (throughput == NULL)
        return err_fail(err, ERR_VALIDATION,
                        "One or more parameter values were invalid: ReadCapacityUnits and "
                        "WriteCapacityUnits must both be specified when BillingMode is "
                        "PROVISIONED");
    struct capacity_of of = capacity_of_table(table, true);
    return throughput_take(throughput, &of, &table->throughput, err);
}

/* --- the table -------------------------------------------------------------------------------- */

static bool keys_take(struct request *request, struct table *table, struct err *err)
{
    struct definitions definitions = {.given = request_member(request, "AttributeDefinitions"),
                                      .arena = &request->arena};

    return table_keys_take(request_member(request, "KeySchema"), &definitions, table, err) &&
           definitions_distinct(&definitions, err) &&
           indexes_take(request, &definitions, table, err);
}

static bool tags_take(const struct request *request, struct extras *extras, struct err *err)
{
    const struct value_node *tags = request_member(request, "Tags");

    return tags == NULL || extras_tag(extras, tags, err);
}

static const char *stream_wrong(const struct value_node *stream)
{
    bool enabled = node_member(stream, "StreamEnabled")->integer != 0;
    bool viewed = node_member(stream, "StreamViewType") != NULL;

    if (enabled && !viewed)
        return "Table is being created with a stream enabled, UpdateViewType is required";
    if (!enabled && viewed)
        return "Table is being created with a stream disabled, UpdateViewType should not be "
               "specified";
    return enabled ? "StreamSpecification with StreamEnabled true is not supported yet" : NULL;
}

static bool stream_check(const struct request *request, struct err *err)
{
    const struct value_node *stream = request_member(request, "StreamSpecification");
    const char *wrong = stream != NULL ? stream_wrong(stream) : NULL;

    return wrong == NULL ||
           err_fail(err, ERR_VALIDATION, "One or more parameter values were invalid: %s", wrong);
}

static bool extras_take(const struct request *request, const struct table *table,
                        struct extras *extras, struct err *err)
{
    const struct value_node *on_demand = request_member(request, "OnDemandThroughput");
    const struct value_node *warm = request_member(request, "WarmThroughput");
    struct capacity_of of = capacity_of_table(table, true);

    return (on_demand == NULL || on_demand_take(on_demand, &of, &extras->capacity, err)) &&
           (warm == NULL || warm_take(warm, &of, &extras->capacity, err)) &&
           encryption_take(request, extras, err) && tags_take(request, extras, err);
}

static bool table_take(struct request *request, struct table *table, struct extras *extras,
                       struct err *err)
{
    table->name = request_table_name(request);
    if (!billing_take(request, table, err) || !keys_take(request, table, err) ||
        !stream_check(request, err) || !class_check(request, err) ||
        !extras_take(request, table, extras, err))
        return false;
    table->deletion_protected = request_flag(request, "DeletionProtectionEnabled");
    table->table_class = request_text(request, "TableClass");
    table->settings = extras_pack(extras, &request->arena);
    return true;
}

/* WarmThroughput is shown where it was asked for (DDB-TABLE-033). */
enum run op_create_table(struct request *request, struct err *err)
{
    struct extras extras = {0};
    struct table_shown shown = {
        .extras = &extras, .status = "CREATING", .encryption = "ENABLED", .arena = &request->arena};
    struct table wanted = {0};

    if (!table_take(request, &wanted, &extras, err))
        return RUN_FAILED;
    enum run run = tables_create(&request->work, &wanted, &shown.table, err);
    if (run != RUN_DONE)
        return run;
    if (extras.capacity.warm_reads != 0 || extras.capacity.warm_writes != 0)
        shown.warm = "UPDATING";
    shown.indexes = indexes_new(shown.table, &request->arena);
    buf_put_literal(&request->reply, "{\"TableDescription\":");
    put_table(&request->reply, &shown);
    buf_put_literal(&request->reply, "}");
    return RUN_DONE;
}
