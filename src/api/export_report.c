/* api/export_report.c - GET /gramme/exports, an answer of our own beside the service's API: how far
 * the exports are that run, and how the latest ones ended. Members: doc/operations.md. */
#include "api/api.h"

#include "archive/export.h"

/* Ended exports that are told of. */
#define ENDED_MOST 100

static void put_decimal_member(struct buf *out, const char *name, double value)
{
    put_member(out, name);
    buf_printf(out, "%.3f", value);
}

static void put_natural_member(struct buf *out, const char *name, uint64_t value)
{
    put_integer_member(out, name, (int64_t)value);
}

static void put_optional(struct buf *out, const char *name, struct bytes text)
{
    if (text.data != NULL)
        put_text_member(out, name, text);
}

static void put_common(struct buf *out, const struct export *export)
{
    put_text_member(out, "exportArn", export->arn);
    put_text_member(out, "tableArn", export->table_arn);
    put_text_member(out, "status", bytes_of_text(export_state_name(export->state)));
    put_text_member(out, "exportType",
                    export->type.data != NULL ? export->type : BYTES("FULL_EXPORT"));
    put_text_member(out, "exportFormat", export->format);
    put_time_member(out, "startTime", export->start_ms * 1000);
    put_text_member(out, "s3Bucket", export->bucket);
    put_optional(out, "s3Prefix", export->prefix);
}

static void put_running(struct buf *out, const struct export *export, struct exports *exports)
{
    struct export_progress progress = {.parts = export->parts, .seconds_left = -1};

    (void)export_progress(exports, export->arn, &progress); /* else it was not taken up yet */
    put_text_member(out, "phase", bytes_of_text(export_phase_name(progress.phase)));
    put_natural_member(out, "parts", progress.parts);
    put_natural_member(out, "partsDone", progress.parts_done);
    put_natural_member(out, "itemCount", progress.items);
    put_natural_member(out, "itemBytes", progress.item_bytes);
    put_natural_member(out, "fileBytes", progress.file_bytes);
    put_decimal_member(out, "share", progress.share);
    put_decimal_member(out, "bytesPerSecond", progress.bytes_rate);
    if (progress.seconds_left >= 0)
        put_decimal_member(out, "secondsLeft", progress.seconds_left);
}

static void put_ended(struct buf *out, const struct export *export)
{
    put_time_member(out, "endTime", export->end_ms * 1000);
    if (export->state == EXPORT_COMPLETED) {
        put_natural_member(out, "itemCount", export->items);
        put_natural_member(out, "itemBytes", export->billed_bytes);
    } else {
        put_text_member(out, "failureCode", export->failure_code);
        put_text_member(out, "failureMessage", export->failure_message);
    }
}

bool api_exports(const struct api *api, struct arena *arena, struct buf *out, struct err *err)
{
    struct export_recent recent;

    if (!exports_recent(api->exports, ENDED_MOST, arena, &recent, err))
        return false;
    buf_put_literal(out, "{\"exports\":[");
    for (uint32_t i = 0; i < recent.running_count + recent.ended_count; i++) {
        bool runs = i < recent.running_count;
        const struct export *export =
            runs ? &recent.running[i] : &recent.ended[i - recent.running_count];
        put_comma(out);
        buf_put_u8(out, '{');
        put_common(out, export);
        if (runs)
            put_running(out, export, api->exports);
        else
            put_ended(out, export);
        buf_put_u8(out, '}');
    }
    buf_put_literal(out, "]}\n");
    return true;
}
