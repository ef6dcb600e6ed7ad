/* archive/export_record.c - exports, parts and tokens as catalogue records. They are packed items:
 * a member that was not sent is simply not there, which is also how it is told from an empty one.
 */
#include "archive/export_record.h"

#include "base/digest.h"

static const char *const state_names[] = {
    [EXPORT_IN_PROGRESS] = "IN_PROGRESS",
    [EXPORT_COMPLETED] = "COMPLETED",
    [EXPORT_FAILED] = "FAILED",
};

const char *export_state_name(enum export_state state)
{
    return state_names[state];
}

struct bytes export_arn_id(struct bytes arn)
{
    const uint8_t *slash = memrchr(arn.data, '/', arn.size);

    return slash == NULL ? arn : bytes_from(arn, (size_t)(slash + 1 - arn.data));
}

bool export_incremental(const struct export *export)
{
    return bytes_equal(export->type, BYTES("INCREMENTAL_EXPORT"));
}

struct bytes export_id(const struct export *export)
{
    return export_arn_id(export->arn);
}

static void put_optional(struct item_maker *maker, const char *name, struct bytes text)
{
    if (text.data != NULL)
        item_put_text(maker, name, text);
}

/* Absent: no data. There but empty: data. */
static struct bytes optional(struct bytes item, const char *name)
{
    struct value value;

    if (!item_find(item, bytes_of_text(name), &value) ||
        (value.type != VALUE_S && value.type != VALUE_B))
        return BYTES_NONE;
    return value.content.data != NULL ? value.content : BYTES("");
}

static uint64_t natural(struct bytes item, const char *name)
{
    int64_t value = item_integer(item, name, 0);

    return value < 0 ? 0 : (uint64_t)value;
}

/* --- exports */

static void put_result(struct item_maker *maker, const struct export *export)
{
    if (export->end_ms != 0)
        item_put_integer(maker, "EndTime", (int64_t) export->end_ms);
    item_put_integer(maker, "ItemCount", (int64_t) export->items);
    item_put_integer(maker, "BilledSizeBytes", (int64_t) export->billed_bytes);
    put_optional(maker, "FailureCode", export->failure_code);
    put_optional(maker, "FailureMessage", export->failure_message);
}

static void put_table(struct item_maker *maker, const struct export *export)
{
    item_put_text(maker, "TableArn", export->table_arn);
    item_put_text(maker, "TableId", export->table_id);
    item_put_integer(maker, "TableNumber", (int64_t) export->table_number);
    item_put_integer(maker, "TableEpoch", export->table_epoch);
    item_put_integer(maker, "TableSizeBytes", (int64_t) export->table_bytes);
    item_put_text(maker, "HashKey", export->keys[0]);
    if (export->key_count == 2)
        item_put_text(maker, "RangeKey", export->keys[1]);
    if (export->local_indexes.size > 0)
        item_put_data(maker, "LocalIndexes", export->local_indexes);
    item_put_integer(maker, "Parts", export->parts);
}

static void put_request(struct item_maker *maker, const struct export *export)
{
    put_optional(maker, "ClientToken", export->client_token);
    put_optional(maker, "S3Bucket", export->bucket);
    put_optional(maker, "S3BucketOwner", export->bucket_owner);
    put_optional(maker, "S3Prefix", export->prefix);
    put_optional(maker, "S3SseAlgorithm", export->encryption);
    put_optional(maker, "S3SseKmsKeyId", export->kms_key);
    put_optional(maker, "ExportFormat", export->format);
    put_optional(maker, "ExportType", export->type);
    put_optional(maker, "ExportViewType", export->view);
    if (export->filtered)
        item_put_flag(maker, "Filtered", true);
}

static void put_times(struct item_maker *maker, const struct export *export)
{
    if (export_incremental(export)) {
        item_put_integer(maker, "ExportFromTime", (int64_t) export->from_ms);
        item_put_integer(maker, "ExportToTime", (int64_t) export->to_ms);
    } else {
        item_put_integer(maker, "ExportTime", (int64_t) export->time_ms);
    }
    item_put_integer(maker, "Instant", (int64_t) export->instant);
}

void export_put(struct engine_batch *batch, const struct engine *engine,
                const struct export *export)
{
    struct item_maker maker;

    item_begin(&maker, batch->arena);
    item_put_text(&maker, "ExportStatus", bytes_of_text(export_state_name(export->state)));
    item_put_integer(&maker, "StartTime", (int64_t) export->start_ms);
    put_times(&maker, export);
    put_table(&maker, export);
    put_request(&maker, export);
    put_result(&maker, export);
    record_put(batch, engine, record_key(batch->arena, RECORD_EXPORT, export->arn), export->stamp,
               item_finish(&maker));
}

void export_delete(struct engine_batch *batch, const struct export *export)
{
    record_delete(batch, record_key(batch->arena, RECORD_EXPORT, export->arn), export->stamp);
}

static bool read_state(struct bytes item, enum export_state *out)
{
    struct bytes text = item_text(item, "ExportStatus");

    for (enum export_state state = EXPORT_IN_PROGRESS; state <= EXPORT_FAILED; state++)
        if (bytes_equal(text, bytes_of_text(state_names[state]))) {
            *out = state;
            return true;
        }
    return false;
}

static void read_request(struct bytes item, struct export *out)
{
    out->client_token = optional(item, "ClientToken");
    out->bucket = optional(item, "S3Bucket");
    out->bucket_owner = optional(item, "S3BucketOwner");
    out->prefix = optional(item, "S3Prefix");
    out->encryption = optional(item, "S3SseAlgorithm");
    out->kms_key = optional(item, "S3SseKmsKeyId");
    out->format = optional(item, "ExportFormat");
    out->type = optional(item, "ExportType");
    out->view = optional(item, "ExportViewType");
    out->filtered = item_flag(item, "Filtered");
}

static void read_table(struct bytes item, struct export *out)
{
    out->table_arn = optional(item, "TableArn");
    out->table_id = optional(item, "TableId");
    out->table_number = natural(item, "TableNumber");
    out->table_epoch = (uint32_t)natural(item, "TableEpoch");
    out->table_bytes = natural(item, "TableSizeBytes");
    out->keys[0] = optional(item, "HashKey");
    out->keys[1] = optional(item, "RangeKey");
    out->key_count = out->keys[1].data != NULL ? 2 : 1;
    out->local_indexes = item_text(item, "LocalIndexes");
    out->parts = (uint32_t)natural(item, "Parts");
}

static bool read_item(struct bytes arn, const struct record *record, struct export *out,
                      struct err *err)
{
    struct bytes item = record->item;
    struct export export = {.stamp = record->stamp, .arn = arn};

    if (!read_state(item, &export.state))
        return err_fail(err, ERR_CORRUPT, "the record of %.*s has no state", BYTES_ARGS(arn));
    export.start_ms = natural(item, "StartTime");
    export.time_ms = natural(item, "ExportTime");
    export.from_ms = natural(item, "ExportFromTime");
    export.to_ms = natural(item, "ExportToTime");
    export.instant = natural(item, "Instant");
    export.end_ms = natural(item, "EndTime");
    export.items = natural(item, "ItemCount");
    export.billed_bytes = natural(item, "BilledSizeBytes");
    export.failure_code = optional(item, "FailureCode");
    export.failure_message = optional(item, "FailureMessage");
    read_table(item, &export);
    read_request(item, &export);
    *out = export;
    return true;
}

bool export_read(const struct engine *engine, struct bytes key, struct bytes value,
                 struct export *out, struct err *err)
{
    struct record record;

    return record_read(engine, value, &record, err) &&
           read_item(bytes_from(key, 1), &record, out, err);
}

bool export_get(struct engine *engine, struct bytes arn, struct arena *arena, struct export *out,
                struct err *err)
{
    struct bytes key = record_key(arena, RECORD_EXPORT, arn);
    struct record record;

    if (!record_get(engine, key, arena, &record, err))
        return false;
    if (record.stamp.size == 0) {
        *out = (struct export){0};
        return true;
    }
    return read_item(bytes_from(key, 1), &record, out, err);
}

/* --- parts */

static struct bytes part_key(struct arena *arena, struct bytes arn, uint32_t number)
{
    struct buf key;

    buf_init_in(&key, arena);
    buf_put_u8(&key, RECORD_PART);
    buf_put_bytes(&key, arn);
    buf_put_be32(&key, number);
    return buf_bytes(&key);
}

void export_part_put(struct engine_batch *batch, const struct engine *engine, struct bytes arn,
                     const struct export_part *part)
{
    struct item_maker maker;

    item_begin(&maker, batch->arena);
    item_put_text(&maker, "Name", part->name);
    put_optional(&maker, "UploadId", part->upload_id);
    item_put_flag(&maker, "Done", part->done);
    if (part->done) {
        item_put_integer(&maker, "ItemCount", (int64_t)part->items);
        item_put_integer(&maker, "ItemBytes", (int64_t)part->item_bytes);
        item_put_data(&maker, "Md5", part->md5);
        item_put_text(&maker, "Etag", part->etag);
    }
    record_put(batch, engine, part_key(batch->arena, arn, part->number), part->stamp,
               item_finish(&maker));
}

void export_part_delete(struct engine_batch *batch, struct bytes arn,
                        const struct export_part *part)
{
    record_delete(batch, part_key(batch->arena, arn, part->number), part->stamp);
}

bool export_part_get(struct engine *engine, struct bytes arn, uint32_t number, struct arena *arena,
                     struct export_part *out, struct err *err)
{
    struct record record;

    if (!record_get(engine, part_key(arena, arn, number), arena, &record, err))
        return false;
    *out = (struct export_part){.stamp = record.stamp, .number = number};
    if (record.stamp.size == 0)
        return true;
    out->name = optional(record.item, "Name");
    out->upload_id = optional(record.item, "UploadId");
    out->done = item_flag(record.item, "Done");
    out->items = natural(record.item, "ItemCount");
    out->item_bytes = natural(record.item, "ItemBytes");
    out->md5 = optional(record.item, "Md5");
    out->etag = optional(record.item, "Etag");
    if (out->name.size != FILE_NAME_SIZE || (out->done && out->md5.size != MD5_SIZE))
        return err_fail(err, ERR_CORRUPT, "the record of part %u of %.*s", number, BYTES_ARGS(arn));
    return true;
}

/* --- tokens */

/* Tokens have no length limit of their own, keys have. */
static struct bytes token_key(struct arena *arena, struct bytes token)
{
    uint8_t digest[SHA256_SIZE];

    digest_of(DIGEST_SHA256, token, digest);
    return record_key(arena, RECORD_TOKEN, bytes_of(digest, sizeof digest));
}

bool export_token_get(struct engine *engine, struct bytes token, struct arena *arena,
                      struct export_token *out, struct err *err)
{
    struct record record;

    if (!record_get(engine, token_key(arena, token), arena, &record, err))
        return false;
    *out = (struct export_token){.stamp = record.stamp};
    if (record.stamp.size == 0)
        return true;
    out->arn = optional(record.item, "ExportArn");
    out->request = optional(record.item, "Request");
    out->start_ms = natural(record.item, "StartTime");
    return true;
}

void export_token_put(struct engine_batch *batch, const struct engine *engine, struct bytes token,
                      const struct export_token *record)
{
    struct item_maker maker;

    item_begin(&maker, batch->arena);
    item_put_text(&maker, "ExportArn", record->arn);
    item_put_data(&maker, "Request", record->request);
    item_put_integer(&maker, "StartTime", (int64_t)record->start_ms);
    record_put(batch, engine, token_key(batch->arena, token), record->stamp, item_finish(&maker));
}
