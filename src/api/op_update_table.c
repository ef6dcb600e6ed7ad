/* api/op_update_table.c - UpdateTable: billing mode, throughput, global indexes, deletion
 * protection and the settings that are only repeated. One concern at a time, as with the service:
 * of what may come together there is only the billing mode with throughput, OnDemandThroughput or
 * indexes, and throughput with that of indexes. All of it holds from its commit on; the reply shows
 * what the service's shows, which has only begun by then: the old throughput, class and key.
 *
 * Rules and messages: ack-api-quirks, 2026-10 (DDB-TABLE-047, 055 to 061, 079, 178, 184, 283, 382,
 * 433, 437, 456), and dynalite's updateTable tests. */
#include "api/indexes.h"

#include "base/clock.h"

#define INVALID "One or more parameter values were invalid: "

const struct field shape_update_table[] = {
    OPTIONAL("AttributeDefinitions", FIELD_LIST(element_definition)),
    REQUIRED("TableName", FIELD_MANAGED_TABLE_NAME),
    OPTIONAL("ProvisionedThroughput", FIELD_STRUCT("ProvisionedThroughput", shape_throughput)),
    OPTIONAL("BillingMode", FIELD_ENUM(enum_billing_mode)),
    OPTIONAL("GlobalSecondaryIndexUpdates", FIELD_LIST(element_index_update)),
    OPTIONAL("VectorIndexUpdates", FIELD_UNSUPPORTED),
    OPTIONAL("StreamSpecification", FIELD_STRUCT("StreamSpecification", shape_stream)),
    OPTIONAL("SSESpecification", FIELD_STRUCT("SSESpecification", shape_encryption)),
    OPTIONAL("ReplicaUpdates", FIELD_UNSUPPORTED),
    OPTIONAL("TableClass", FIELD_STRING),
    OPTIONAL("DeletionProtectionEnabled", FIELD_BOOLEAN),
    OPTIONAL("MultiRegionConsistency", FIELD_UNSUPPORTED),
    OPTIONAL("GlobalTableWitnessUpdates", FIELD_UNSUPPORTED),
    OPTIONAL("OnDemandThroughput", FIELD_STRUCT("OnDemandThroughput", shape_on_demand)),
    OPTIONAL("WarmThroughput", FIELD_STRUCT("WarmThroughput", shape_warm)),
    OPTIONAL("GlobalTableSettingsReplicationMode", FIELD_UNSUPPORTED),
    OPTIONAL("DisassociationProtectionEnabled", FIELD_UNSUPPORTED),
    SHAPE_END,
};

struct update {
    struct request *request;
    const struct table *current;
    struct extras before, after; /* settings */
    struct table changed;
    struct index_updates indexes;
};

/* --- what is wanted --------------------------------------------------------------------------- */

/* An empty structure of one of these counts as none (alone the service answers it with an internal
 * error, which we do not), and so does an empty list. */
static bool wanted(const struct request *request, const char *name)
{
    const struct value_node *node = request_member(request, name);

    if (node != NULL && (node->field->of == shape_warm || node->field->of == shape_on_demand))
        return capacity_given(node);
    return node != NULL && (node->field->type != TYPE_LIST || node->count > 0);
}

static uint32_t wanted_count(const struct request *request)
{
    static const char *const concerns[] = {
        "ProvisionedThroughput", "BillingMode",    "StreamSpecification",
        "SSESpecification",      "TableClass",     "DeletionProtectionEnabled",
        "OnDemandThroughput",    "WarmThroughput", "GlobalSecondaryIndexUpdates",
    };
    uint32_t count = 0;

    for (size_t i = 0; i < sizeof concerns / sizeof *concerns; i++)
        count += wanted(request, concerns[i]);
    return count;
}

/* In the order in which the service names them where there are several. */
static const struct {
    const char *name, *said;
    bool after_indexes; /* what is wrong with indexes is told before it */
} alone[] = {
    {"SSESpecification", "Server-Side Encryption modification", false},
    {"TableClass", "TableClass modification", false},
    {"DeletionProtectionEnabled", "DeletionProtection modification", false},
    {"WarmThroughput", "WarmThroughput", true},
};

/* What may not come with an index that is created or deleted. */
static bool indexes_alone(const struct request *request, struct err *err)
{
    const struct value_node *list = request_member(request, "GlobalSecondaryIndexUpdates");
    bool creates = index_updates_have(list, "Create");

    if (creates && wanted(request, "WarmThroughput"))
        return err_fail(err, ERR_VALIDATION,
                        INVALID "Create global secondary index cannot be specified when updating "
                                "WarmThroughput");
    if (!creates && !index_updates_have(list, "Delete"))
        return true;
    if (wanted(request, "ProvisionedThroughput"))
        return err_fail(err, ERR_VALIDATION,
                        INVALID "You cannot create or delete index while updating table IOPS");
    return !wanted(request, "StreamSpecification") ||
           err_fail(err, ERR_VALIDATION,
                    INVALID "You cannot create or delete index while changing stream status");
}

static bool together_valid(const struct request *request, uint32_t count, struct err *err)
{
    uint32_t billing = wanted(request, "BillingMode");

    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++) {
        if (alone[i].after_indexes && !indexes_alone(request, err))
            return false;
        if (count > 1 && wanted(request, alone[i].name))
            return err_fail(err, ERR_VALIDATION,
                            INVALID "%s must be the only operation in the request", alone[i].said);
    }
    if (wanted(request, "OnDemandThroughput") && count > 1 + billing)
        return err_fail(err, ERR_VALIDATION,
                        INVALID "OnDemandThroughput can only be combined with BillingMode in an "
                                "UpdateTable request");
    if (wanted(request, "StreamSpecification") &&
        (wanted(request, "ProvisionedThroughput") ||
         request_is(request, "BillingMode", "PROVISIONED")))
        return err_fail(err, ERR_VALIDATION,
                        INVALID "You cannot modify stream status while updating table IOPS");
    return true;
}

static bool wants_valid(const struct request *request, struct err *err)
{
    const struct value_node *list = request_member(request, "GlobalSecondaryIndexUpdates");
    uint32_t count = wanted_count(request);

    if (count == 0)
        return err_fail(err, ERR_VALIDATION,
                        "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
                        "GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, "
                        "MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, "
                        "DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or "
                        "TableClass is required");
    if (list != NULL && list->count == 0)
        return err_fail(err, ERR_VALIDATION,
                        INVALID "List of GlobalSecondaryIndexUpdates is empty");
    return (list == NULL || index_updates_valid(list, err)) && class_check(request, err) &&
           together_valid(request, count, err);
}

/* --- throughput ------------------------------------------------------------------------------- */

/* What needs no table to be seen is told before one is looked for (dynalite's updateTable tests).
 */
static bool throughput_valid(const struct request *request, struct err *err)
{
    const struct value_node *throughput = request_member(request, "ProvisionedThroughput");
    struct capacity_of of = {.index = BYTES_NONE};
    struct throughput asked;

    if (throughput != NULL)
        return throughput_take(throughput, &of, &asked, err);
    return !request_is(request, "BillingMode", "PROVISIONED") ||
           err_fail(err, ERR_VALIDATION,
                    INVALID "ProvisionedThroughput must be specified when BillingMode is "
                            "PROVISIONED");
}

static bool units_change(struct update *update, struct err *err)
{
    const struct value_node *throughput = request_member(update->request, "ProvisionedThroughput");
    struct capacity_of was = capacity_of_table(update->current, false);
    struct table *changed = &update->changed;

    if (throughput == NULL)
        return true;
    if (!changed->provisioned)
        return err_fail(err, ERR_VALIDATION,
                        INVALID "Neither ReadCapacityUnits nor WriteCapacityUnits can be "
                                "specified when BillingMode is PAY_PER_REQUEST");
    return throughput_change(throughput, &was, &update->request->arena, &changed->throughput, err);
}

static bool billing_change(struct update *update, struct err *err)
{
    const struct request *request = update->request;
    const struct table *current = update->current;
    struct table *changed = &update->changed;

    if (request_member(request, "BillingMode") != NULL)
        changed->provisioned = request_is(request, "BillingMode", "PROVISIONED");
    if (current->provisioned && !changed->provisioned)
        changed->billing_changed = clock_micros();
    else if (!current->provisioned && changed->provisioned && changed->billing_changed == 0)
        changed->billing_changed = current->created;
    return units_change(update, err);
}

/* --- settings --------------------------------------------------------------------------------- */

/* There are no streams yet to be switched off. */
static bool stream_change(const struct update *update, struct err *err)
{
    const struct value_node *stream = request_member(update->request, "StreamSpecification");

    if (stream == NULL)
        return true;
    bool viewed = node_member(stream, "StreamViewType") != NULL;
    if (node_member(stream, "StreamEnabled")->integer != 0)
        return err_fail(err, ERR_VALIDATION, INVALID "%s",
                        viewed ? "StreamSpecification with StreamEnabled true is not supported yet"
                               : "If stream is being enabled then UpdateViewType is required");
    if (viewed)
        return err_fail(err, ERR_VALIDATION,
                        INVALID "If stream is being disabled, then UpdateViewType must not be "
                                "specified");
    return err_fail(err, ERR_VALIDATION, "Table has no stream to disable: TableName: %.*s",
                    BYTES_ARGS(update->current->name));
}

static bool encryption_change(struct update *update, struct err *err)
{
    const struct value_node *encryption = request_member(update->request, "SSESpecification");
    struct bytes before = update->before.encryption_key;

    if (encryption == NULL)
        return true;
    if (!encryption_take(update->request, &update->after, err))
        return false;
    const struct value_node *key = node_member(encryption, "KMSMasterKeyId");
    if (update->after.encryption_key.size == 0 && before.size == 0)
        return err_fail(err, ERR_VALIDATION, INVALID "Table is already encrypted by default");
    if (key != NULL && bytes_equal(key->text, before))
        return err_fail(err, ERR_VALIDATION,
                        INVALID "Table is already encrypted with given KMSMasterKeyId. Use "
                                "KMSMasterKeyId parameter if you want to change Master Key");
    return true;
}

/* To be told the class that it has by default changes nothing. */
static void class_change(struct update *update)
{
    struct bytes wanted_class = request_text(update->request, "TableClass");
    struct bytes before = update->current->table_class;

    if (wanted_class.size == 0 ||
        bytes_equal(wanted_class, before.size > 0 ? before : BYTES("STANDARD")))
        return;
    update->changed.table_class = wanted_class;
    update->after.class_changed = clock_micros();
}

static bool bounds_free(const struct table *table, struct err *err)
{
    for (uint32_t i = 0; i < table->index_count; i++)
        if (table->indexes[i].building)
            return err_fail(err, ERR_RESOURCE_IN_USE,
                            "Attempt to change a resource which is still in use: "
                            "OnDemandThroughput cannot be updated while index creation is in "
                            "progress for indexes: [%.*s]",
                            BYTES_ARGS(table->indexes[i].name));
    return true;
}

/* What a table has warm it keeps in another mode and with less throughput; the bounds of what is
 * asked on demand go with that mode. */
static bool capacity_change(struct update *update, struct err *err)
{
    const struct value_node *on_demand = request_member(update->request, "OnDemandThroughput");
    const struct value_node *warm = request_member(update->request, "WarmThroughput");
    struct capacity_of was = capacity_of_table(update->current, false);
    struct capacity_of is = capacity_of_table(&update->changed, false);
    struct capacity *after = &update->after.capacity;

    if (wanted(update->request, "BillingMode") || wanted(update->request, "ProvisionedThroughput"))
        warm_of(&was, &update->before.capacity, &after->warm_reads, &after->warm_writes);
    if (update->changed.provisioned)
        after->read_units_most = after->write_units_most = 0;
    return (on_demand == NULL ||
            (on_demand_take(on_demand, &is, after, err) && bounds_free(update->current, err))) &&
           (warm == NULL || warm_take(warm, &was, after, err));
}

static bool indexes_change(struct update *update, struct err *err)
{
    struct request *request = update->request;
    const struct value_node *list = request_member(request, "GlobalSecondaryIndexUpdates");

    update->indexes = (struct index_updates){
        .list = list,
        .definitions = {request_member(request, "AttributeDefinitions"), &request->arena},
        .current = update->current,
        .changed = &update->changed,
    };
    return indexes_now(request->api->tables, update->current, list != NULL ? list->kept : 0,
                       &request->arena, &update->indexes.states, err) &&
           index_updates_take(&update->indexes, err);
}

static bool settings_change(struct update *update, struct err *err)
{
    const struct value_node *protection =
        request_member(update->request, "DeletionProtectionEnabled");

    if (!stream_change(update, err) || !encryption_change(update, err) ||
        !capacity_change(update, err))
        return false;
    class_change(update);
    if (protection != NULL)
        update->changed.deletion_protected = protection->integer != 0;
    return true;
}

/* --- the reply -------------------------------------------------------------------------------- */

/* Only the billing mode, throughput, class and indexes take a table out of service for a while. */
static const char *status_of(const struct request *request)
{
    const struct value_node *list = request_member(request, "GlobalSecondaryIndexUpdates");

    return wanted(request, "BillingMode") || wanted(request, "ProvisionedThroughput") ||
                   wanted(request, "TableClass") || index_updates_have(list, "Create") ||
                   index_updates_have(list, "Delete")
               ? "UPDATING"
               : "ACTIVE";
}

static void put_update(const struct update *update, const struct table_figures *figures)
{
    struct request *request = update->request;
    struct table table = update->changed;
    struct extras extras = update->before;
    struct table_shown shown = {
        .table = &table,
        .extras = &extras,
        .figures = *figures,
        .status = status_of(request),
        .warm = wanted(request, "WarmThroughput") ? "UPDATING" : "ACTIVE",
        .encryption = wanted(request, "SSESpecification") ? "UPDATING" : "ENABLED",
        .indexes = update->indexes.states,
        .arena = &request->arena,
    };

    table.indexes = update->indexes.shown;
    table.index_count = update->indexes.count;
    if (update->current->provisioned && update->changed.provisioned)
        table.throughput =
            throughput_begun(&update->current->throughput, &update->changed.throughput);
    table.table_class = update->current->table_class;
    extras.capacity.read_units_most = update->after.capacity.read_units_most;
    extras.capacity.write_units_most = update->after.capacity.write_units_most;
    buf_put_literal(&request->reply, "{\"TableDescription\":");
    put_table(&request->reply, &shown);
    buf_put_literal(&request->reply, "}");
}

enum run op_update_table(struct request *request, struct err *err)
{
    struct update update = {.request = request};
    struct table_figures figures;
    const struct table *updated;

    if (!wants_valid(request, err) || !throughput_valid(request, err) ||
        !work_table_named(&request->work, request_text(request, "TableName"), &update.current, err))
        return RUN_FAILED;
    update.changed = *update.current;
    extras_read(update.current->settings, &request->arena, &update.before);
    update.after = update.before;
    if (!billing_change(&update, err) || !indexes_change(&update, err) ||
        !settings_change(&update, err) ||
        !table_figures(request->api->tables, update.current, &figures, err))
        return RUN_FAILED;
    put_update(&update, &figures);
    capacity_settle(&update.after.capacity);
    update.changed.settings = extras_pack(&update.after, &request->arena);
    return tables_update(&request->work, update.current, &update.changed, &updated, err);
}
