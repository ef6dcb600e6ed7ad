/* api/op_update_table.c - UpdateTable: billing mode, throughput, deletion protection and the
 * settings that are only repeated. All of it holds from its commit on; the reply says UPDATING and
 * shows the throughput before, as the service's does (dynalite's updateTable tests). */
#include "api/api.h"

#include "base/clock.h"

const struct field shape_update_table[] = {
    OPTIONAL("AttributeDefinitions", FIELD_LIST(element_definition)),
    REQUIRED("TableName", FIELD_MANAGED_TABLE_NAME),
    OPTIONAL("ProvisionedThroughput", FIELD_STRUCT("ProvisionedThroughput", shape_throughput)),
    OPTIONAL("BillingMode", FIELD_ENUM(enum_billing_mode)),
    OPTIONAL("GlobalSecondaryIndexUpdates", FIELD_UNSUPPORTED),
    OPTIONAL("VectorIndexUpdates", FIELD_UNSUPPORTED),
    OPTIONAL("StreamSpecification", FIELD_STRUCT("StreamSpecification", shape_stream)),
    OPTIONAL("SSESpecification", FIELD_STRUCT("SSESpecification", shape_encryption)),
    OPTIONAL("ReplicaUpdates", FIELD_UNSUPPORTED),
    OPTIONAL("TableClass", FIELD_ENUM(enum_table_class)),
    OPTIONAL("DeletionProtectionEnabled", FIELD_BOOLEAN),
    OPTIONAL("MultiRegionConsistency", FIELD_UNSUPPORTED),
    OPTIONAL("GlobalTableWitnessUpdates", FIELD_UNSUPPORTED),
    OPTIONAL("OnDemandThroughput", FIELD_STRUCT("OnDemandThroughput", shape_on_demand)),
    OPTIONAL("WarmThroughput", FIELD_STRUCT("WarmThroughput", shape_warm)),
    OPTIONAL("GlobalTableSettingsReplicationMode", FIELD_UNSUPPORTED),
    OPTIONAL("DisassociationProtectionEnabled", FIELD_UNSUPPORTED),
    SHAPE_END,
};

static bool anything_wanted(const struct request *request, struct err *err)
{
    static const char *const changes[] = {
        "ProvisionedThroughput", "BillingMode",    "StreamSpecification",
        "SSESpecification",      "TableClass",     "DeletionProtectionEnabled",
        "OnDemandThroughput",    "WarmThroughput",
    };

    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        if (request_member(request, changes[i]) != NULL)
            return true;
    return err_fail(err, ERR_VALIDATION,
                    "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
                    "GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is "
                    "required");
}

static bool same_throughput(const struct table *current, const struct table *changed,
                            struct err *err)
{
    return err_fail(
        err, ERR_VALIDATION,
        "The provisioned throughput for the table will not change. The requested value equals the "
        "current value. Current ReadCapacityUnits provisioned for the table: %lld. Requested "
        "ReadCapacityUnits: %lld. Current WriteCapacityUnits provisioned for the table: %lld. "
        "Requested WriteCapacityUnits: %lld. Refer to the Amazon DynamoDB Developer Guide for "
        "current limits and how to request higher limits.",
        (long long)current->read_units, (long long)changed->read_units,
        (long long)current->write_units, (long long)changed->write_units);
}

/* When the throughput rose and fell, and how often it fell on this day. */
static void throughput_note(const struct table *current, struct table *changed, uint64_t now)
{
    bool same_day = current->throughput_decreased / DAY_MICROS == now / DAY_MICROS;

    if (changed->read_units > current->read_units || changed->write_units > current->write_units)
        changed->throughput_increased = now;
    if (changed->read_units < current->read_units || changed->write_units < current->write_units) {
        changed->throughput_decreased = now;
        changed->decreases_today = (same_day ? current->decreases_today : 0) + 1;
    }
}

static bool throughput_change(const struct request *request, const struct table *current,
                              struct table *changed, struct err *err)
{
    const struct value_node *throughput = request_member(request, "ProvisionedThroughput");

    if (throughput == NULL)
        return true;
    if (!changed->provisioned)
        return err_fail(err, ERR_VALIDATION,
                        "One or more parameter values were invalid: Neither ReadCapacityUnits nor "
                        "WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST");
    if (!throughput_take(throughput, changed, err))
        return false;
    if (current->provisioned && changed->read_units == current->read_units &&
        changed->write_units == current->write_units)
        return same_throughput(current, changed, err);
    if (current->provisioned)
        throughput_note(current, changed, clock_micros());
    return true;
}

static bool billing_change(const struct request *request, const struct table *current,
                           struct table *changed, struct err *err)
{
    if (request_member(request, "BillingMode") != NULL)
        changed->provisioned = request_is(request, "BillingMode", "PROVISIONED");
    if (changed->provisioned && request_member(request, "BillingMode") != NULL &&
        request_member(request, "ProvisionedThroughput") == NULL)
        return err_fail(err, ERR_VALIDATION,
                        "One or more parameter values were invalid: ProvisionedThroughput must be "
                        "specified when BillingMode is PROVISIONED");
    if (current->provisioned && !changed->provisioned)
        changed->billing_changed = clock_micros();
    else if (!current->provisioned && changed->provisioned && changed->billing_changed == 0)
        changed->billing_changed = current->created;
    return throughput_change(request, current, changed, err);
}

static bool extras_change(struct request *request, const struct table *current,
                          struct table *changed, struct err *err)
{
    const struct value_node *protection = request_member(request, "DeletionProtectionEnabled");
    const struct value_node *table_class = request_member(request, "TableClass");
    struct extras extras;

    extras_read(current->settings, &request->arena, &extras);
    if (!stream_refuse(request, err) || !extras_take(request, changed->provisioned, &extras, err))
        return false;
    if (protection != NULL)
        changed->deletion_protected = protection->integer != 0;
    if (table_class != NULL)
        changed->table_class = table_class->text;
    changed->settings = extras_pack(&extras, &request->arena);
    return true;
}

static void put_updating(struct request *request, const struct table *current,
                         const struct table *changed, const struct table_figures *figures)
{
    struct table shown = *changed;

    if (current->provisioned && changed->provisioned) {
        shown.read_units = current->read_units;
        shown.write_units = current->write_units;
    }
    buf_put_literal(&request->reply, "{\"TableDescription\":");
    put_table(&request->reply, &shown, "UPDATING", figures, &request->arena);
    buf_put_literal(&request->reply, "}");
}

enum run op_update_table(struct request *request, struct err *err)
{
    const struct table *current, *updated;
    struct table_figures figures;
    struct table changed;

    if (!anything_wanted(request, err) ||
        !work_table_named(&request->work, request_text(request, "TableName"), &current, err))
        return RUN_FAILED;
    changed = *current;
    if (!billing_change(request, current, &changed, err) ||
        !extras_change(request, current, &changed, err) ||
        !table_figures(request->api->tables, current, &figures, err))
        return RUN_FAILED;
    put_updating(request, current, &changed, &figures);
    return tables_update(&request->work, current, &changed, &updated, err);
}
