/* api/extras.c - what a table is told at its creation or update: its capacity, and the settings
 * that change nothing here but are repeated in its descriptions, since programs written for the
 * service give them and read them back. They are kept as an item in struct table's `settings`, of
 * which the layers below know nothing. */
#include "api/api.h"

#define UNITS_MOST INT64_C(1000000000000) /* dynalite's createTable tests */

/* What the service has warm for a table at least (API reference, WarmThroughput). */
#define WARM_READS_LEAST  12000
#define WARM_WRITES_LEAST 4000

const char *const enum_billing_mode[] = {"PROVISIONED", "PAY_PER_REQUEST", NULL};
const char *const enum_table_class[] = {"STANDARD", "STANDARD_INFREQUENT_ACCESS", NULL};
static const char *const enum_attribute_type[] = {"B", "N", "S", NULL};
static const char *const enum_encryption[] = {"AES256", "KMS", NULL};
static const char *const enum_stream_view[] = {"NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES",
                                               "KEYS_ONLY", NULL};

static const struct field definition_members[] = {
    REQUIRED("AttributeName", FIELD_STRING, LEAST(1), MOST(255)),
    REQUIRED("AttributeType", FIELD_ENUM(enum_attribute_type)),
    SHAPE_END,
};
const struct field element_definition =
    ELEMENT(FIELD_STRUCT("AttributeDefinition", definition_members));

const struct field shape_throughput[] = {
    REQUIRED("WriteCapacityUnits", FIELD_LONG, LEAST(1)),
    REQUIRED("ReadCapacityUnits", FIELD_LONG, LEAST(1)),
    SHAPE_END,
};
const struct field shape_on_demand[] = {
    OPTIONAL("MaxReadRequestUnits", FIELD_LONG),
    OPTIONAL("MaxWriteRequestUnits", FIELD_LONG),
    SHAPE_END,
};
const struct field shape_warm[] = {
    OPTIONAL("ReadUnitsPerSecond", FIELD_LONG),
    OPTIONAL("WriteUnitsPerSecond", FIELD_LONG),
    SHAPE_END,
};
const struct field shape_encryption[] = {
    OPTIONAL("Enabled", FIELD_BOOLEAN),
    OPTIONAL("SSEType", FIELD_ENUM(enum_encryption)),
    OPTIONAL("KMSMasterKeyId", FIELD_STRING),
    SHAPE_END,
};
const struct field shape_stream[] = {
    REQUIRED("StreamEnabled", FIELD_BOOLEAN),
    OPTIONAL("StreamViewType", FIELD_ENUM(enum_stream_view)),
    SHAPE_END,
};
const struct field shape_tag[] = {
    REQUIRED("Key", FIELD_STRING, LEAST(1), MOST(128)),
    REQUIRED("Value", FIELD_STRING, MOST(256)),
    SHAPE_END,
};
const struct field element_tag = ELEMENT(FIELD_STRUCT("Tag", shape_tag));

static int64_t member_integer(const struct value_node *node, const char *name, int64_t fallback)
{
    const struct value_node *member = node_member(node, name);

    return member != NULL ? member->integer : fallback;
}

/* --- packed
 * ---------------------------------------------------------------------------------------- */

void extras_read(struct bytes packed, struct arena *arena, struct extras *out)
{
    struct bytes *tags;

    *out = (struct extras){0};
    if (packed.size == 0)
        return;
    out->tag_count = item_items(packed, "Tags", arena, &tags);
    for (uint32_t i = 0; i < out->tag_count; i++)
        out->tags[i] = (struct tag){item_text(tags[i], "Key"), item_text(tags[i], "Value")};
    out->read_units_most = item_integer(packed, "MaxReadRequestUnits", 0);
    out->write_units_most = item_integer(packed, "MaxWriteRequestUnits", 0);
    out->warm_reads = item_integer(packed, "ReadUnitsPerSecond", 0);
    out->warm_writes = item_integer(packed, "WriteUnitsPerSecond", 0);
    out->encryption_key = item_text(packed, "KMSMasterKeyArn");
}

static void pack_integer(struct item_maker *maker, const char *name, int64_t value)
{
    if (value != 0)
        item_put_integer(maker, name, value);
}

static void pack_tags(struct item_maker *maker, const struct extras *extras, struct arena *arena)
{
    struct bytes tags[TAGS_MOST];

    for (uint32_t i = 0; i < extras->tag_count; i++) {
        struct item_maker tag;
        item_begin(&tag, arena);
        item_put_text(&tag, "Key", extras->tags[i].key);
        item_put_text(&tag, "Value", extras->tags[i].value);
        tags[i] = item_finish(&tag);
    }
    if (extras->tag_count > 0)
        item_put_items(maker, "Tags", tags, extras->tag_count);
}

struct bytes extras_pack(const struct extras *extras, struct arena *arena)
{
    struct item_maker maker;

    item_begin(&maker, arena);
    pack_tags(&maker, extras, arena);
    pack_integer(&maker, "MaxReadRequestUnits", extras->read_units_most);
    pack_integer(&maker, "MaxWriteRequestUnits", extras->write_units_most);
    pack_integer(&maker, "ReadUnitsPerSecond", extras->warm_reads);
    pack_integer(&maker, "WriteUnitsPerSecond", extras->warm_writes);
    if (extras->encryption_key.size > 0)
        item_put_text(&maker, "KMSMasterKeyArn", extras->encryption_key);
    return item_finish(&maker);
}

/* --- tags
 * ------------------------------------------------------------------------------------------ */

static struct tag *tag_find(struct extras *extras, struct bytes key)
{
    for (uint32_t i = 0; i < extras->tag_count; i++)
        if (bytes_equal(extras->tags[i].key, key))
            return &extras->tags[i];
    return NULL;
}

bool extras_tag(struct extras *extras, const struct value_node *tags, struct err *err)
{
    for (uint32_t i = 0; i < tags->kept; i++) {
        struct bytes key = node_member(&tags->members[i], "Key")->text;
        struct tag *tag = tag_find(extras, key);
        if (tag == NULL && extras->tag_count == TAGS_MOST)
            return err_fail(err, ERR_VALIDATION,
                            "One or more parameter values were invalid: Too many tags: a resource "
                            "has at most %d",
                            TAGS_MOST);
        if (tag == NULL)
            tag = &extras->tags[extras->tag_count++];
        *tag = (struct tag){key, node_member(&tags->members[i], "Value")->text};
    }
    return true;
}

void extras_untag(struct extras *extras, struct bytes key)
{
    struct tag *tag = tag_find(extras, key);

    if (tag != NULL)
        *tag = extras->tags[--extras->tag_count];
}

/* --- what a request gives
 * ------------------------------------------------------------------------- */

static bool on_demand_take(const struct value_node *node, bool provisioned, struct extras *extras,
                           struct err *err)
{
    int64_t reads = member_integer(node, "MaxReadRequestUnits", extras->read_units_most);
    int64_t writes = member_integer(node, "MaxWriteRequestUnits", extras->write_units_most);

    if (provisioned)
        return err_fail(err, ERR_VALIDATION,
                        "One or more parameter values were invalid: OnDemandThroughput can only "
                        "be specified when BillingMode is PAY_PER_REQUEST");
    if (reads < -1 || writes < -1)
        return err_fail(err, ERR_VALIDATION,
                        "One or more parameter values were invalid: MaxReadRequestUnits and "
                        "MaxWriteRequestUnits must be -1 or greater than 0");
    extras->read_units_most = reads;
    extras->write_units_most = writes;
    return true;
}

static bool warm_take(const struct value_node *node, struct extras *extras, struct err *err)
{
    int64_t reads = member_integer(node, "ReadUnitsPerSecond", WARM_READS_LEAST);
    int64_t writes = member_integer(node, "WriteUnitsPerSecond", WARM_WRITES_LEAST);

    if (reads < WARM_READS_LEAST || writes < WARM_WRITES_LEAST)
        return err_fail(err, ERR_VALIDATION,
                        "One or more parameter values were invalid: WarmThroughput must be at "
                        "least %d ReadUnitsPerSecond and %d WriteUnitsPerSecond",
                        WARM_READS_LEAST, WARM_WRITES_LEAST);
    extras->warm_reads = reads;
    extras->warm_writes = writes;
    return true;
}

/* "arn:aws:dynamodb:<region>:<account>:table/" -> "arn:aws:kms:<region>:<account>:" and the key. */
static struct bytes key_arn(const struct request *request, struct bytes key)
{
    struct bytes table_arn = tables_arn(request->api->tables);
    struct bytes scope = bytes_from(table_arn, sizeof "arn:aws:dynamodb:" - 1);

    scope.size -= sizeof "table/" - 1;
    if (bytes_begin(key, BYTES("arn:")))
        return key;
    return arena_printf((struct arena *)&request->arena, "arn:aws:kms:%.*s%s%.*s",
                        BYTES_ARGS(scope), bytes_begin(key, BYTES("alias/")) ? "" : "key/",
                        BYTES_ARGS(key));
}

static void encryption_take(const struct request *request, const struct value_node *node,
                            struct extras *extras)
{
    const struct value_node *key = node_member(node, "KMSMasterKeyId");

    extras->encryption_key = BYTES_NONE;
    if (member_integer(node, "Enabled", 0) != 0)
        extras->encryption_key =
            key_arn(request, key != NULL ? key->text : BYTES("alias/aws/dynamodb"));
}

bool extras_take(const struct request *request, bool provisioned, struct extras *extras,
                 struct err *err)
{
    const struct value_node *on_demand = request_member(request, "OnDemandThroughput");
    const struct value_node *warm = request_member(request, "WarmThroughput");
    const struct value_node *encryption = request_member(request, "SSESpecification");

    if ((on_demand != NULL && !on_demand_take(on_demand, provisioned, extras, err)) ||
        (warm != NULL && !warm_take(warm, extras, err)))
        return false;
    if (encryption != NULL)
        encryption_take(request, encryption, extras);
    return true;
}

bool throughput_take(const struct value_node *node, struct table *table, struct err *err)
{
    int64_t reads = node_member(node, "ReadCapacityUnits")->integer;
    int64_t writes = node_member(node, "WriteCapacityUnits")->integer;

    if (reads > UNITS_MOST)
        return err_fail(err, ERR_VALIDATION,
                        "Given value %lld for ReadCapacityUnits is out of bounds",
                        (long long)reads);
    if (writes > UNITS_MOST)
        return err_fail(err, ERR_VALIDATION,
                        "Given value %lld for WriteCapacityUnits is out of bounds",
                        (long long)writes);
    table->read_units = reads;
    table->write_units = writes;
    return true;
}

bool stream_refuse(const struct request *request, struct err *err)
{
    const struct value_node *stream = request_member(request, "StreamSpecification");

    if (stream == NULL)
        return true;
    if (node_member(stream, "StreamEnabled")->integer != 0)
        return err_fail(err, ERR_VALIDATION,
                        "One or more parameter values were invalid: StreamSpecification with "
                        "StreamEnabled true is not supported yet");
    if (node_member(stream, "StreamViewType") != NULL)
        return err_fail(err, ERR_VALIDATION,
                        "One or more parameter values were invalid: StreamViewType cannot be "
                        "specified when StreamEnabled is false");
    return true;
}
