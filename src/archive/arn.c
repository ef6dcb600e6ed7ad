/* archive/arn.c - ARNs of tables and exports. The account is looked at first: whatever else is
 * wrong with the ARN of another account, the service says no more than that access is denied. */
#include "archive/arn.h"

static bool take_piece(struct bytes *rest, struct bytes *piece)
{
    const uint8_t *colon = rest->size == 0 ? NULL : memchr(rest->data, ':', rest->size);

    if (colon == NULL)
        return false;
    *piece = bytes_of(rest->data, (size_t)(colon - rest->data));
    *rest = bytes_from(*rest, piece->size + 1);
    return true;
}

bool arn_split(struct bytes text, struct arn *out)
{
    struct bytes arn;
    struct arn split;

    if (!take_piece(&text, &arn) || !bytes_equal(arn, BYTES("arn")) ||
        !take_piece(&text, &split.partition) || !take_piece(&text, &split.service) ||
        !take_piece(&text, &split.region) || !take_piece(&text, &split.account))
        return false;
    split.resource = text;
    *out = split;
    return true;
}

static bool check_account(const struct arn *arn, const struct arn *home, struct err *err)
{
    return bytes_equal(arn->account, home->account) ||
           err_fail(err, ERR_ACCESS_DENIED, "Access is denied");
}

static bool is_ours(const struct arn *arn, const struct arn *home)
{
    return bytes_equal(arn->partition, home->partition) && bytes_equal(arn->service, home->service);
}

/* The part of `path` up to the next slash, which is taken away with it. */
static struct bytes take_step(struct bytes *path)
{
    const uint8_t *slash = path->size == 0 ? NULL : memchr(path->data, '/', path->size);
    struct bytes step = *path;

    if (slash == NULL) {
        *path = BYTES_NONE;
        return step;
    }
    step.size = (size_t)(slash - path->data);
    *path = bytes_from(*path, step.size + 1);
    return step;
}

bool arn_table_name(struct bytes text, const struct arn *home, struct bytes *name, struct err *err)
{
    struct arn arn;

    if (text.size == 0)
        return err_fail(err, ERR_VALIDATION, "Invalid TableArn: Invalid Table ARN");
    if (!arn_split(text, &arn))
        return err_fail(err, ERR_VALIDATION,
                        "One or more parameter values were invalid: tableArn is not a valid ARN");
    if (!check_account(&arn, home, err))
        return false;
    struct bytes path = arn.resource;
    struct bytes kind = take_step(&path);
    struct bytes table = take_step(&path);
    if (!is_ours(&arn, home) || !bytes_equal(kind, BYTES("table")) || table.size == 0 ||
        path.data != NULL)
        return err_fail(err, ERR_VALIDATION, "Invalid Request: Table ARN is invalid.");
    *name = table;
    return true;
}

bool arn_check_export(struct bytes text, const struct arn *home, struct err *err)
{
    struct arn arn;

    if (!arn_split(text, &arn))
        return err_fail(err, ERR_VALIDATION, "Invalid Export ARN");
    if (!check_account(&arn, home, err))
        return false;
    struct bytes path = arn.resource;
    struct bytes kind = take_step(&path);
    struct bytes table = take_step(&path);
    struct bytes thing = take_step(&path);
    struct bytes id = take_step(&path);
    if (!is_ours(&arn, home) || !bytes_equal(kind, BYTES("table")) || table.size == 0 ||
        !bytes_equal(thing, BYTES("export")) || id.size == 0 || path.data != NULL)
        return err_fail(err, ERR_VALIDATION, "Invalid Export ARN");
    if (!bytes_equal(arn.region, home->region))
        return err_fail(err, ERR_EXPORT_NOT_FOUND, "Export not found: Invalid export arn");
    return true;
}
