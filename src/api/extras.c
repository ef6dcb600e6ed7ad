/* api/extras.c - the settings of a table that change nothing here but are repeated in its
 * descriptions, since programs written for the service give them and read them back: class,
 * encryption, and beside them what capacity.c and tags.c take. They are kept as an item in struct
 * table's `settings`, of which the layers below know nothing.
 *
 * Rules and messages: ack-api-quirks, 2026-10 (DDB-TABLE-437, 442). */
#include "api/api.h"

#define INVALID "One or more parameter values were invalid: "

const char *const enum_billing_mode[] = {"PROVISIONED", "PAY_PER_REQUEST", NULL};
static const char *const enum_attribute_type[] = {"B", "N", "S", NULL};
static const char *const enum_encryption[] = {"AES256", "KMS", NULL};
static const char *const enum_stream_view[] = {"OLD_IMAGE", "KEYS_ONLY", "NEW_AND_OLD_IMAGES",
                                               "NEW_IMAGE", NULL};

static const struct field definition_members[] = {
    REQUIRED("AttributeType", FIELD_ENUM(enum_attribute_type)),
    REQUIRED("AttributeName", FIELD_STRING, LEAST(1), MOST(255)),
    SHAPE_END,
};
const struct field element_definition =
    ELEMENT(FIELD_STRUCT("AttributeDefinition", definition_members));

const struct field shape_encryption[] = {
    OPTIONAL("Enabled", FIELD_BOOLEAN),
    OPTIONAL("SSEType", FIELD_ENUM(enum_encryption)),
    OPTIONAL("KMSMasterKeyId", FIELD_STRING, LEAST(1)),
    SHAPE_END,
};
const struct field shape_stream[] = {
    REQUIRED("StreamEnabled", FIELD_BOOLEAN),
    OPTIONAL("StreamViewType", FIELD_ENUM(enum_stream_view)),
    SHAPE_END,
};

/* --- packed ----------------------------------------------------------------------------------- */

void extras_read(struct bytes packed, struct arena *arena, struct extras *out)
{
    struct bytes *tags;

    *out = (struct extras){0};
    if (packed.size == 0)
        return;
    out->tag_count = item_items(packed, "Tags", arena, &tags);
    for (uint32_t i = 0; i < out->tag_count; i++)
        out->tags[i] = (struct tag){item_text(tags[i], "Key"), item_text(tags[i], "Value")};
    capacity_read(packed, &out->capacity);
    out->encryption_key = item_text(packed, "KMSMasterKeyArn");
    out->class_changed = (uint64_t)item_integer(packed, "ClassChanged", 0);
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
    capacity_put(&maker, &extras->capacity);
    if (extras->class_changed != 0)
        item_put_integer(&maker, "ClassChanged", (int64_t)extras->class_changed);
    if (extras->encryption_key.size > 0)
        item_put_text(&maker, "KMSMasterKeyArn", extras->encryption_key);
    return item_finish(&maker);
}

/* --- encryption ------------------------------------------------------------------------------- */

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

static const char *encryption_wrong(const struct value_node *enabled, const struct value_node *type,
                                    const struct value_node *key)
{
    bool off = enabled != NULL && enabled->integer == 0;

    if (off && type != NULL)
        return "SSEType can not be specified if Enabled is false";
    if (off && key != NULL)
        return "KMSMasterKeyId can not be specified if Enabled is false";
    if (key != NULL && type == NULL)
        return "SSEType KMS is required if KMSMasterKeyId is specified";
    if (type != NULL && bytes_equal(type->text, BYTES("AES256")))
        return "SSEType AES256 is not supported";
    return NULL;
}

bool encryption_take(const struct request *request, struct extras *extras, struct err *err)
{
    const struct value_node *node = request_member(request, "SSESpecification");

    if (node == NULL)
        return true;
    const struct value_node *enabled = node_member(node, "Enabled");
    const struct value_node *type = node_member(node, "SSEType");
    const struct value_node *key = node_member(node, "KMSMasterKeyId");
    const char *wrong = encryption_wrong(enabled, type, key);
    if (wrong != NULL)
        return err_fail(err, ERR_VALIDATION, INVALID "%s", wrong);
    bool on = enabled != NULL ? enabled->integer != 0 : type != NULL;
    extras->encryption_key = BYTES_NONE;
    if (on)
        extras->encryption_key =
            key_arn(request, key != NULL ? key->text : BYTES("alias/aws/dynamodb"));
    return true;
}

/* --- class ------------------------------------------------------------------------------------ */

bool class_check(const struct request *request, struct err *err)
{
    const struct value_node *given = request_member(request, "TableClass");

    return given == NULL || bytes_equal(given->text, BYTES("STANDARD")) ||
           bytes_equal(given->text, BYTES("STANDARD_INFREQUENT_ACCESS")) ||
           err_fail(err, ERR_VALIDATION,
                    "Invalid table-class parameter provided. Please try again with a valid "
                    "table-class value: [STANDARD, STANDARD_INFREQUENT_ACCESS].");
}
