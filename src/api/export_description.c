/* api/export_description.c - what ExportTableToPointInTime and DescribeExport answer: which member
 * is there in which state is the table of spec/export.md 1.3. */
#include "api/export_description.h"

#include "api/api.h"
#include "json/writer.h"

static void put_optional(struct buf *out, const char *name, struct bytes text)
{
    if (text.data != NULL)
        put_text_member(out, name, text);
}

static void put_result(struct buf *out, const struct export *export, struct arena *arena)
{
    if (export->state == EXPORT_COMPLETED) {
        put_time_member(out, "EndTime", export->end_ms * 1000);
        put_text_member(out, "ExportManifest", export_manifest_key(export, arena));
        put_integer_member(out, "BilledSizeBytes", (int64_t) export->billed_bytes);
        put_integer_member(out, "ItemCount", (int64_t) export->items);
    }
    if (export->state == EXPORT_FAILED) {
        put_text_member(out, "FailureCode", export->failure_code);
        put_text_member(out, "FailureMessage", export->failure_message);
    }
}

static void put_window(struct buf *out, const struct export *export)
{
    put_member(out, "IncrementalExportSpecification");
    buf_put_u8(out, '{');
    put_time_member(out, "ExportFromTime", export->from_ms * 1000);
    put_time_member(out, "ExportToTime", export->to_ms * 1000);
    put_text_member(out, "ExportViewType", export->view);
    buf_put_u8(out, '}');
}

static void put_names(struct buf *out, const struct export_filter *filter)
{
    if (filter->name_count == 0)
        return;
    put_member(out, "ExpressionAttributeNames");
    buf_put_u8(out, '{');
    for (size_t i = 0; i < filter->name_count; i++) {
        put_name(out, filter->names[i].key);
        json_put_string(out, filter->names[i].name);
    }
    buf_put_u8(out, '}');
}

static void put_filter(struct buf *out, const struct export_filter *filter)
{
    put_member(out, "FilterSpecification");
    buf_put_u8(out, '{');
    put_optional(out, "FilterExpression", filter->condition_text);
    put_optional(out, "ProjectionExpression", filter->projection_text);
    put_optional(out, "KeyConditionExpression", filter->key_text);
    put_names(out, filter);
    if (filter->values.size > 0)
        put_item_member(out, "ExpressionAttributeValues", filter->values);
    buf_put_u8(out, '}');
}

void put_export(struct buf *out, const struct export *export, struct arena *arena)
{
    buf_put_literal(out, "{\"ExportDescription\":{");
    put_text_member(out, "ExportArn", export->arn);
    put_text_member(out, "ExportStatus", bytes_of_text(export_state_name(export->state)));
    put_time_member(out, "StartTime", export->start_ms * 1000);
    put_text_member(out, "TableArn", export->table_arn);
    put_text_member(out, "TableId", export->table_id);
    if (!export_incremental(export))
        put_time_member(out, "ExportTime", export->time_ms * 1000);
    put_optional(out, "ClientToken", export->client_token);
    put_optional(out, "S3Bucket", export->bucket);
    put_optional(out, "S3BucketOwner", export->bucket_owner);
    put_optional(out, "S3Prefix", export->prefix);
    put_optional(out, "S3SseAlgorithm", export->encryption);
    put_optional(out, "S3SseKmsKeyId", export->kms_key);
    put_optional(out, "ExportFormat", export->format);
    put_optional(out, "ExportType", export->type);
    if (export_incremental(export))
        put_window(out, export);
    if (export->filter != NULL)
        put_filter(out, export->filter);
    put_result(out, export, arena);
    buf_put_literal(out, "}}");
}
