/* api/op_export_table.c - ExportTableToPointInTime. All checks but those of the shape and of what
 * is wrong with a FilterSpecification by itself are archive/'s, in the order of spec/export.md 2.1.
 */
#include "api/api.h"
#include "api/export_description.h"
#include "api/expressions.h"

static bool is_alphanumeric(uint8_t c)
{
    uint8_t letter = c | 0x20;

    return (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9');
}

static bool bucket_matches(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (!is_alphanumeric(c) && c != '.' && c != '-' && c != '_')
            return false;
    }
    return text.size >= 2 && is_alphanumeric(text.data[0]) &&
           is_alphanumeric(text.data[text.size - 1]);
}

static bool account_matches(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return text.size == 12;
}

static bool token_matches(struct bytes text)
{
    return text.size > 0 && memchr(text.data, '$', text.size) == NULL;
}

static const struct pattern pattern_bucket = {"^[a-z0-9A-Z]+[\\.\\-\\w]*[a-z0-9A-Z]+$",
                                              bucket_matches},
                            pattern_account = {"[0-9]{12}", account_matches},
                            pattern_token = {"^[^\\$]+$", token_matches};

static const char *const enum_format[] = {"ION", "DYNAMODB_JSON", NULL};
static const char *const enum_type[] = {"FULL_EXPORT", "INCREMENTAL_EXPORT", NULL};
static const char *const enum_encryption[] = {"KMS", "AES256", NULL};
static const char *const enum_view[] = {"NEW_IMAGE", "NEW_AND_OLD_IMAGES", NULL};

static const struct field window_members[] = {
    OPTIONAL("ExportFromTime", FIELD_TIME),
    OPTIONAL("ExportToTime", FIELD_TIME),
    OPTIONAL("ExportViewType", FIELD_ENUM(enum_view)),
    SHAPE_END,
};
static const struct field filter_members[] = {
    OPTIONAL("FilterExpression", FIELD_EXPRESSION(FILTER)),
    OPTIONAL("ProjectionExpression", FIELD_EXPRESSION(PROJECTION)),
    OPTIONAL("KeyConditionExpression", FIELD_EXPRESSION(KEY_CONDITION)),
    OPTIONAL("ExpressionAttributeNames", FIELD_NAMES),
    OPTIONAL("ExpressionAttributeValues", FIELD_VALUES),
    SHAPE_END,
};
const struct field shape_export_table[] = {
    REQUIRED("TableArn", FIELD_STRING, MOST(1024), TRAITS(FIELD_ASKED_FIRST)),
    OPTIONAL("ExportTime", FIELD_TIME),
    OPTIONAL("ClientToken", FIELD_STRING, PATTERN(pattern_token)),
    REQUIRED("S3Bucket", FIELD_STRING, MOST(255), PATTERN(pattern_bucket)),
    OPTIONAL("S3BucketOwner", FIELD_STRING, PATTERN(pattern_account)),
    OPTIONAL("S3Prefix", FIELD_STRING, MOST(1024)),
    OPTIONAL("S3SseAlgorithm", FIELD_ENUM(enum_encryption)),
    OPTIONAL("S3SseKmsKeyId", FIELD_STRING, LEAST(1), MOST(2048)),
    OPTIONAL("ExportFormat", FIELD_ENUM(enum_format)),
    OPTIONAL("ExportType", FIELD_ENUM(enum_type)),
    OPTIONAL("IncrementalExportSpecification",
             FIELD_STRUCT("IncrementalExportSpecification", window_members)),
    OPTIONAL("FilterSpecification", FIELD_STRUCT("FilterSpecification", filter_members)),
    SHAPE_END,
};

/* As sent: what is there but empty has data, what is not there has none. */
static struct bytes sent_in(const struct value_node *parent, const char *name)
{
    const struct value_node *node = node_member(parent, name);

    if (node == NULL)
        return BYTES_NONE;
    return node->text.size > 0 ? node->text : BYTES("");
}

static struct bytes sent(const struct request *request, const char *name)
{
    return sent_in(request->input, name);
}

/* IncrementalExportSpecification */
static void put_window(const struct request *request, struct export_request *out)
{
    const struct value_node *window = request_member(request, "IncrementalExportSpecification");

    out->window = window != NULL;
    if (window == NULL)
        return;
    const struct value_node *from = node_member(window, "ExportFromTime"),
                            *to = node_member(window, "ExportToTime"),
                            *view = node_member(window, "ExportViewType");
    out->window_from = from != NULL;
    out->from_ms = from != NULL ? from->time / 1000 : 0;
    out->window_to = to != NULL;
    out->to_ms = to != NULL ? to->time / 1000 : 0;
    out->view = view != NULL ? view->text : BYTES_NONE;
}

static struct export_request request_of(const struct request *request)
{
    const struct value_node *time = request_member(request, "ExportTime");
    struct export_request result = {
        .table_arn = sent(request, "TableArn"),
        .bucket = sent(request, "S3Bucket"),
        .bucket_owner = sent(request, "S3BucketOwner"),
        .prefix = sent(request, "S3Prefix"),
        .encryption = sent(request, "S3SseAlgorithm"),
        .kms_key = sent(request, "S3SseKmsKeyId"),
        .format = sent(request, "ExportFormat"),
        .type = sent(request, "ExportType"),
        .client_token = sent(request, "ClientToken"),
        .timed = time != NULL,
        .time_ms = time != NULL ? time->time / 1000 : 0,
    };

    put_window(request, &result);
    return result;
}

/* --- FilterSpecification */

static bool filter_is_empty(const struct value_node *node)
{
    for (uint32_t i = 0; node->field->of[i].name.size > 0; i++)
        if (node->members[i].present)
            return false;
    return true;
}

static bool filter_compile(const struct value_node *node, struct arena *arena,
                           struct expressions *out, struct err *err)
{
    if (filter_is_empty(node))
        return err_fail(err, ERR_VALIDATION, FILTER_FAULT "The specification can not be empty");
    if (!expressions_check(node, ENVELOPE_NONE, arena, err) ||
        !expressions_compile(node, ENVELOPE_NONE, arena, out, err) ||
        (out->key_condition != NULL && !key_condition_check(out->key_condition, err)))
        return in_envelope(FILTER_FAULT, err);
    return true;
}

/* As Query tells what is wrong with it, and before the table is looked for. */
static bool filter_take(const struct request *request, struct arena *arena,
                        struct export_filter **out, struct err *err)
{
    const struct value_node *node = request_member(request, "FilterSpecification");
    struct expressions *compiled = arena_alloc(arena, sizeof *compiled);
    struct export_filter *filter = arena_alloc(arena, sizeof *filter);

    if (node == NULL)
        return true;
    if (!filter_compile(node, arena, compiled, err))
        return false;
    const struct value_node *values = node_member(node, "ExpressionAttributeValues");
    *filter = (struct export_filter){
        .key_text = sent_in(node, "KeyConditionExpression"),
        .condition_text = sent_in(node, "FilterExpression"),
        .projection_text = sent_in(node, "ProjectionExpression"),
        .names = compiled->scope.names,
        .name_count = compiled->scope.name_count,
        .values = values != NULL ? values->item.packed : BYTES_NONE,
        .key_condition = compiled->key_condition,
        .condition = compiled->filter,
        .projection = compiled->projection,
    };
    *out = filter;
    return true;
}

enum run op_export_table(struct request *request, struct err *err)
{
    struct export_request wanted = request_of(request);
    struct export export;

    if (!filter_take(request, &request->arena, &wanted.filter, err))
        return RUN_FAILED;
    enum run run = export_start(request->api->exports, &request->work, &wanted, &export, err);
    if (run == RUN_DONE)
        put_export(&request->reply, &export, &request->arena);
    return run;
}
