/* api/tags.c - the tags of a table: which the service takes, and which ARNs it takes them for.
 *
 * Messages and their order: the probes of the live service in ack-api-quirks, 2026-10
 * (DDB-TABLE-071, 105 to 110, 372, 442). All tags of a request are good or none is taken. */
#include "api/api.h"

#include <assert.h>

#include "archive/arn.h"

#define TAG_KEY_MOST   128 /* characters, as the service allows */
#define TAG_VALUE_MOST 256

/* Checked here and not by the shape, which would tell it in other words. */
const struct field shape_tag[] = {
    OPTIONAL("Key", FIELD_STRING),
    OPTIONAL("Value", FIELD_STRING),
    SHAPE_END,
};
const struct field element_tag = ELEMENT(FIELD_STRUCT("Tag", shape_tag));

/* --- characters ------------------------------------------------------------------------------- */

static bool ascii_fits(uint32_t c)
{
    uint32_t letter = c | 0x20;

    return (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') ||
           (c > 0 && strchr(" +-=._:/@", (int)c) != NULL);
}

/* Letters, digits and blanks of all scripts: of what is not ASCII, all but the blocks of arrows,
 * symbols and emoji. */
static bool character_fits(uint32_t c)
{
    if (c < 0x80)
        return ascii_fits(c);
    return !(c >= 0x2190 && c <= 0x2bff) && !(c >= 0x1f000 && c <= 0x1faff);
}

/* Valid UTF-8 of at most `most` characters that all fit. */
static bool text_fits(struct bytes text, size_t most)
{
    size_t count = 0;

    for (size_t i = 0; i < text.size; count++) {
        uint8_t lead = text.data[i];
        size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
        uint32_t c = size == 1 ? lead : lead & (0xffU >> (size + 1));
        for (size_t j = 1; j < size && i + j < text.size; j++)
            c = c << 6 | (text.data[i + j] & 0x3fU);
        if (!character_fits(c))
            return false;
        i += size;
    }
    return count <= most;
}

static bool is_reserved(struct bytes key)
{
    return key.size >= 4 && (key.data[0] | 0x20) == 'a' && (key.data[1] | 0x20) == 'w' &&
           (key.data[2] | 0x20) == 's' && key.data[3] == ':';
}

/* --- tags ------------------------------------------------------------------------------------- */

static bool key_check(const struct value_node *key, struct err *err)
{
    if (key == NULL)
        return err_fail(err, ERR_VALIDATION, "The Tag Key provided is invalid, Key: null");
    if (key->text.size == 0 || !text_fits(key->text, TAG_KEY_MOST))
        return err_fail(err, ERR_VALIDATION, "The Tag Key provided is invalid, Key: %.*s",
                        BYTES_ARGS(key->text));
    if (is_reserved(key->text))
        return err_fail(err, ERR_VALIDATION, "Tag Key cannot be prefixed with aws:, Key: %.*s",
                        BYTES_ARGS(key->text));
    return true;
}

static bool value_check(const struct value_node *value, struct err *err)
{
    if (value == NULL)
        return err_fail(err, ERR_VALIDATION, "The Tag Value provided is invalid, Value: null");
    return text_fits(value->text, TAG_VALUE_MOST) ||
           err_fail(err, ERR_VALIDATION, "The Tag Value provided is invalid, Value: %.*s",
                    BYTES_ARGS(value->text));
}

static bool count_check(size_t count, struct err *err)
{
    return count <= TAGS_MOST ||
           err_fail(err, ERR_VALIDATION,
                    "Number of Tags exceed the current limit for the provided ResourceArn");
}

static struct bytes key_of(const struct value_node *tags, uint32_t at)
{
    return node_member(&tags->members[at], "Key")->text;
}

static bool tags_check(const struct value_node *tags, struct err *err)
{
    if (!count_check(tags->count, err))
        return false;
    for (uint32_t i = 0; i < tags->kept; i++)
        if (!key_check(node_member(&tags->members[i], "Key"), err) ||
            !value_check(node_member(&tags->members[i], "Value"), err))
            return false;
    for (uint32_t i = 0; i < tags->kept; i++)
        for (uint32_t j = 0; j < i; j++)
            if (bytes_equal(key_of(tags, i), key_of(tags, j)))
                return err_fail(
                    err, ERR_VALIDATION,
                    "Duplicate Tag Keys provided as input: Duplicate Tag Key found %.*s",
                    BYTES_ARGS(key_of(tags, i)));
    return true;
}

static struct tag *tag_find(struct extras *extras, struct bytes key)
{
    for (uint32_t i = 0; i < extras->tag_count; i++)
        if (bytes_equal(extras->tags[i].key, key))
            return &extras->tags[i];
    return NULL;
}

bool extras_tag(struct extras *extras, const struct value_node *tags, struct err *err)
{
    if (!tags_check(tags, err))
        return false;
    for (uint32_t i = 0; i < tags->kept; i++) {
        struct tag *tag = tag_find(extras, key_of(tags, i));
        if (tag == NULL && !count_check(extras->tag_count + 1, err))
            return false;
        if (tag == NULL)
            tag = &extras->tags[extras->tag_count++];
        *tag = (struct tag){key_of(tags, i), node_member(&tags->members[i], "Value")->text};
    }
    return true;
}

bool extras_untag(struct extras *extras, const struct value_node *keys, struct err *err)
{
    if (!count_check(keys->count, err))
        return false;
    for (uint32_t i = 0; i < keys->kept; i++)
        if (!key_check(&keys->members[i], err))
            return false;
    for (uint32_t i = 0; i < keys->kept; i++) {
        struct tag *tag = tag_find(extras, keys->members[i].text);
        if (tag != NULL)
            *tag = extras->tags[--extras->tag_count];
    }
    return true;
}

/* --- what may have tags ----------------------------------------------------------------------- */

static bool not_ours(struct bytes arn, struct err *err)
{
    return err_fail(err, ERR_VALIDATION,
                    "One or more parameter values were invalid: Provided Arn is not a DynamoDB "
                    "resource arn: %.*s",
                    BYTES_ARGS(arn));
}

static bool invalid_input(struct bytes arn, struct err *err)
{
    return err_fail(err, ERR_VALIDATION,
                    "Invalid TableArn: Invalid ResourceArn provided as input %.*s",
                    BYTES_ARGS(arn));
}

/* What follows the name in an ARN that begins as a table's. There are no streams to have tags. */
static bool rest_check(struct bytes arn, struct bytes rest, struct err *err)
{
    if (rest.size == 0 || bytes_begin(rest, BYTES("/stream/")))
        return true;
    if (!bytes_begin(rest, BYTES("/index/")))
        return not_ours(arn, err);
    return err_fail(err, ERR_VALIDATION,
                    "One or more parameter values were invalid: Invalid resource arn provided, "
                    "only table or stream is accepted. Provided resource arn: %.*s",
                    BYTES_ARGS(arn));
}

bool resource_name(const struct request *request, struct bytes arn, struct bytes *name,
                   struct err *err)
{
    struct arn given, home;
    bool split = arn_split(tables_arn(request->api->tables), &home);

    assert(split);
    if (!bytes_begin(arn, BYTES("arn:")))
        return err_fail(err, ERR_VALIDATION,
                        "One or more parameter values were invalid: ARNs must start with 'arn:': "
                        "%.*s",
                        BYTES_ARGS(arn));
    if (!arn_split(arn, &given))
        return not_ours(arn, err);
    if (!bytes_equal(given.account, home.account))
        return err_fail(err, ERR_ACCESS_DENIED, "Access is denied");
    if (!bytes_equal(given.service, home.service) || !bytes_begin(given.resource, BYTES("table/")))
        return not_ours(arn, err);
    if (!bytes_equal(given.region, home.region) || !bytes_equal(given.partition, home.partition))
        return invalid_input(arn, err);
    *name = bytes_from(given.resource, sizeof "table/" - 1);
    const uint8_t *slash = name->size > 0 ? memchr(name->data, '/', name->size) : NULL;
    size_t size = slash != NULL ? (size_t)(slash - name->data) : name->size;
    if (!rest_check(arn, bytes_from(*name, size), err))
        return false;
    return size >= TABLE_NAME_LEAST || invalid_input(arn, err);
}
