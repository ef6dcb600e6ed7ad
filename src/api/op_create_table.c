/* api/op_create_table.c - CreateTable. The table is there when its commit is; the reply says
 * CREATING, as the service's does, and the next request finds it ACTIVE.
 *
 * Order of checks: dynalite's createTable tests against the service; some messages are newer
 * (ack-api-quirks, 2026-10: DDB-TABLE-042, 442). */
#include "api/api.h"

#define KEYS_MOST 2

static const char *const enum_key_type[] = {"HASH", "RANGE", NULL};

static const struct field key_members[] = {
    REQUIRED("AttributeName", FIELD_STRING, LEAST(1), MOST(255)),
    REQUIRED("KeyType", FIELD_ENUM(enum_key_type)),
    SHAPE_END,
};
static const struct field key_element = ELEMENT(FIELD_STRUCT("KeySchemaElement", key_members));

const struct field shape_create_table[] = {
    REQUIRED("AttributeDefinitions", FIELD_LIST(element_definition)),
    REQUIRED("TableName", FIELD_MANAGED_TABLE_NAME),
    OPTIONAL("BillingMode", FIELD_ENUM(enum_billing_mode)),
    OPTIONAL("ProvisionedThroughput", FIELD_STRUCT("ProvisionedThroughput", shape_throughput)),
    REQUIRED("KeySchema", FIELD_LIST(key_element), LEAST(1), MOST(KEYS_MOST)),
    OPTIONAL("LocalSecondaryIndexes", FIELD_LIST(element_unsupported)),
    OPTIONAL("GlobalSecondaryIndexes", FIELD_LIST(element_unsupported)),
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
    return throughput_take(throughput, table, err);
}

/* --- keys ------------------------------------------------------------------------------------- */

static struct bytes name_of(const struct value_node *list, uint32_t at)
{
    return node_member(&list->members[at], "AttributeName")->text;
}

static struct bytes key_type(const struct value_node *schema, uint32_t at)
{
    return node_member(&schema->members[at], "KeyType")->text;
}

/* The definition of an attribute; NULL if there is none. */
static const struct value_node *definition_of(const struct value_node *definitions,
                                              struct bytes name)
{
    for (uint32_t i = 0; i < definitions->kept; i++)
        if (bytes_equal(name_of(definitions, i), name))
            return &definitions->members[i];
    return NULL;
}

static struct bytes names_in(const struct value_node *list, struct arena *arena)
{
    struct buf out;

    buf_init_in(&out, arena);
    for (uint32_t i = 0; i < list->kept; i++) {
        if (i > 0)
            buf_put_literal(&out, ", ");
        buf_put_bytes(&out, name_of(list, i));
    }
    return buf_bytes(&out);
}

static bool keys_defined(struct request *request, const struct value_node *schema,
                         const struct value_node *definitions, struct err *err)
{
    for (uint32_t i = 0; i < schema->kept; i++)
        if (definition_of(definitions, name_of(schema, i)) == NULL)
            return err_fail(err, ERR_VALIDATION,
                            "One or more parameter values were invalid: Some index key attributes "
                            "are not defined in AttributeDefinitions. Keys: [%.*s], "
                            "AttributeDefinitions: [%.*s]",
                            BYTES_ARGS(names_in(schema, &request->arena)),
                            BYTES_ARGS(names_in(definitions, &request->arena)));
    return true;
}

static bool definitions_distinct(const struct value_node *definitions, struct err *err)
{
    for (uint32_t i = 0; i < definitions->kept; i++)
        if (definition_of(definitions, name_of(definitions, i)) != &definitions->members[i])
            return err_fail(err, ERR_VALIDATION, "Attribute Name is duplicated: %.*s",
                            BYTES_ARGS(name_of(definitions, i)));
    return true;
}

/* One that is not empty was refused before. */
static bool indexes_absent(const struct request *request, const char *name, struct err *err)
{
    return request_member(request, name) == NULL ||
           err_fail(err, ERR_VALIDATION,
                    "One or more parameter values were invalid: List of %s is empty", name);
}

static bool schema_valid(struct request *request, const struct value_node *schema,
                         const struct value_node *definitions, struct err *err)
{
    if (schema->count > definitions->count)
        return err_fail(err, ERR_VALIDATION,
                        "Invalid KeySchema: Some index key attribute have no definition");
    if (!keys_defined(request, schema, definitions, err))
        return false;
    if (schema->count == 2 && bytes_equal(name_of(schema, 0), name_of(schema, 1)))
        return err_fail(err, ERR_VALIDATION,
                        "Both the Hash Key and the Range Key element in the KeySchema have the "
                        "same name");
    if (!bytes_equal(key_type(schema, 0), BYTES("HASH")))
        return err_fail(err, ERR_VALIDATION,
                        "Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
    if (schema->count == 2 && !bytes_equal(key_type(schema, 1), BYTES("RANGE")))
        return err_fail(err, ERR_VALIDATION,
                        "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
    if (!definitions_distinct(definitions, err) ||
        !indexes_absent(request, "LocalSecondaryIndexes", err) ||
        !indexes_absent(request, "GlobalSecondaryIndexes", err))
        return false;
    if (schema->count != definitions->count)
        return err_fail(err, ERR_VALIDATION,
                        "One or more parameter values were invalid: Number of attributes in "
                        "KeySchema does not exactly match number of attributes defined in "
                        "AttributeDefinitions");
    return true;
}

static enum key_type type_of(struct bytes name)
{
    return name.data[0] == 'S' ? KEY_S : name.data[0] == 'N' ? KEY_N : KEY_B;
}

static bool keys_take(struct request *request, struct table *table, struct err *err)
{
    const struct value_node *schema = request_member(request, "KeySchema");
    const struct value_node *definitions = request_member(request, "AttributeDefinitions");

    if (!schema_valid(request, schema, definitions, err))
        return false;
    table->key_count = schema->kept;
    for (uint32_t i = 0; i < schema->kept; i++) {
        const struct value_node *definition = definition_of(definitions, name_of(schema, i));
        table->keys[i] = (struct key_attribute){
            name_of(schema, i), type_of(node_member(definition, "AttributeType")->text)};
    }
    return true;
}

/* --- the table -------------------------------------------------------------------------------- */

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

    return (on_demand == NULL || on_demand_take(on_demand, table, true, extras, err)) &&
           (warm == NULL || warm_take(warm, table, true, extras, err)) &&
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
    struct table_shown shown = {.extras = &extras, .status = "CREATING", .encryption = "ENABLED"};
    struct table wanted = {0};

    if (!table_take(request, &wanted, &extras, err))
        return RUN_FAILED;
    enum run run = tables_create(&request->work, &wanted, &shown.table, err);
    if (run != RUN_DONE)
        return run;
    if (extras.warm_reads != 0 || extras.warm_writes != 0)
        shown.warm = "UPDATING";
    buf_put_literal(&request->reply, "{\"TableDescription\":");
    put_table(&request->reply, &shown);
    buf_put_literal(&request->reply, "}");
    return RUN_DONE;
}
