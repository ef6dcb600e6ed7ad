/* api/names.c - tables named by their ARNs: wherever a name is taken, the ARN of a table of this
 * account and region is taken as well. What is wrong with another is told before the table is
 * looked for. The messages are the live service's (ack-api-quirks, 2026-10: DDB-TABLE-011, 442);
 * how it tells the ARN of an index was not recorded in full. */
#include "api/api.h"

#include <assert.h>

#include "archive/arn.h"

#define DETECTED "1 validation error detected: "
#define ARN_FORMAT                                                                                 \
    "Valid ARN format is 'arn:<awsPartition>:<vendor>:<region>:<subscriber>:resourceType/"         \
    "resourceName', where Resource name must have length less than or equal to 255, Resource "     \
    "name must have length greater than or equal to 3, Resource name must satisfy regular "        \
    "expression pattern: [a-zA-Z0-9_.-]+"

static bool table_name_fits(struct bytes name)
{
    return name.size >= TABLE_NAME_LEAST && name.size <= TABLE_NAME_MOST &&
           pattern_name.matches(name);
}

/* The account comes first: of what belongs to others nothing more is told. */
static bool arn_check(const struct request *request, struct bytes text, struct err *err)
{
    struct arn arn, home;
    bool split = arn_split(tables_arn(request->api->tables), &home);

    assert(split);
    if (!arn_split(text, &arn))
        return err_fail(err, ERR_VALIDATION, DETECTED ARN_FORMAT);
    if (!bytes_equal(arn.account, home.account))
        return err_fail(err, ERR_ACCESS_DENIED, "Access is denied");
    if (!bytes_equal(arn.partition, home.partition))
        return err_fail(err, ERR_VALIDATION, DETECTED "Invalid AWS partition in '%.*s'",
                        BYTES_ARGS(text));
    if (!bytes_equal(arn.region, home.region))
        return err_fail(err, ERR_VALIDATION, DETECTED "Invalid AWS region in '%.*s'",
                        BYTES_ARGS(text));
    if (!bytes_equal(arn.service, home.service) || !bytes_begin(arn.resource, BYTES("table/")))
        return err_fail(err, ERR_VALIDATION, DETECTED "Invalid resource type in '%.*s'",
                        BYTES_ARGS(text));
    return table_name_fits(bytes_from(arn.resource, sizeof "table/" - 1)) ||
           err_fail(err, ERR_VALIDATION, DETECTED ARN_FORMAT);
}

static bool name_check(const struct request *request, struct bytes name, struct err *err)
{
    return !bytes_begin(name, BYTES("arn:")) || arn_check(request, name, err);
}

static bool may_be_arn(const struct field *field)
{
    return field != NULL && (field->traits & FIELD_MAY_BE_ARN) != 0;
}

static bool keys_check(const struct request *request, const struct value_node *map, struct err *err)
{
    for (uint32_t i = 0; i < map->kept; i++)
        if (!name_check(request, map->members[i].name, err))
            return false;
    return true;
}

static bool node_check(const struct request *request, const struct value_node *node,
                       struct err *err);

static bool members_check(const struct request *request, const struct value_node *node,
                          uint32_t count, struct err *err)
{
    for (uint32_t i = 0; i < count; i++)
        if (node->members[i].present && !node_check(request, &node->members[i], err))
            return false;
    return true;
}

static bool struct_check(const struct request *request, const struct value_node *node,
                         struct err *err)
{
    uint32_t count = 0;

    while (node->field->of[count].name.size > 0)
        count++;
    return members_check(request, node, count, err);
}

/* The recursion is as deep as the shape. */
static bool node_check(const struct request *request, const struct value_node *node,
                       struct err *err)
{
    if (may_be_arn(node->field) && !name_check(request, node->text, err))
        return false;
    if (may_be_arn(node->field->keys) && !keys_check(request, node, err))
        return false;
    if (node->field->type == TYPE_STRUCT)
        return struct_check(request, node, err);
    return node->field->type != TYPE_LIST || members_check(request, node, node->kept, err);
}

bool names_check(const struct request *request, struct err *err)
{
    return struct_check(request, request->input, err);
}
