/* archive/export_request.c - the checks of an export request that need nothing but the request. */
#include "archive/export_request.h"

#include "base/digest.h"
#include "item/codec.h"

static bool sent(struct bytes member)
{
    return member.data != NULL;
}

static bool is(struct bytes member, const char *text)
{
    return bytes_equal(member, bytes_of_text(text));
}

bool export_request_incremental(const struct export_request *request)
{
    return is(request->type, "INCREMENTAL_EXPORT");
}

/* The characters of key ids, aliases and ARNs; the service's own pattern is not known. */
#define KMS_KEY_PATTERN "^[a-zA-Z0-9:/_-]+$"

static bool check_kms_key(struct bytes key, struct err *err)
{
    for (size_t i = 0; i < key.size; i++) {
        uint8_t c = key.data[i];
        bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == ':' || c == '/' || c == '_' || c == '-';
        if (!fits)
            return err_fail(err, ERR_VALIDATION,
                            "Invalid Request: 1 validation error detected: Value '%.*s' at "
                            "'s3SseKmsKeyId' failed to satisfy constraint: Member must satisfy "
                            "regular expression pattern: " KMS_KEY_PATTERN,
                            BYTES_ARGS(key));
    }
    return true;
}

/* Spec 2.4, row by row. */
static const char *coupling_broken(const struct export_request *request)
{
    bool incremental = export_request_incremental(request);

    if (request->window && !sent(request->type))
        return "Export Type expected to be Incremental Export when incremental export "
               "specification is provided";
    if (request->window && !incremental)
        return "When Export Type is Full Export , Incremental Export Specification should not be "
               "provided";
    if (incremental && !request->window)
        return "Incremental Export Specification expected when export type is set as Incremental "
               "Export";
    if (request->window && !request->window_from)
        return "ExportFromTime must be provided in IncrementalExportSpecification";
    if (incremental && request->timed)
        return "Export Time should not be provided when export type is set as Incremental Export";
    if (sent(request->kms_key) && !is(request->encryption, "KMS"))
        return "KMS Key Id is not supported for this encryption type";
    return NULL;
}

/* The service names no bound for a token, and SDKs send UUIDs; ours keeps records small. */
#define CLIENT_TOKEN_MOST 4096

static bool check_token(struct bytes token, struct err *err)
{
    if (token.size > CLIENT_TOKEN_MOST)
        return err_fail(err, ERR_VALIDATION,
                        "1 validation error detected: Value at 'clientToken' failed to satisfy "
                        "constraint: Member must have length less than or equal to %d",
                        CLIENT_TOKEN_MOST);
    return true;
}

bool export_request_check(const struct export_request *request, const struct arn *home,
                          struct bytes *name, struct err *err)
{
    if (!arn_table_name(request->table_arn, home, name, err) ||
        !check_kms_key(request->kms_key, err) || !check_token(request->client_token, err))
        return false;
    const char *broken = coupling_broken(request);
    if (broken != NULL)
        return err_fail(err, ERR_VALIDATION, "Invalid Request: %s", broken);
    return true;
}

static void put_sent(struct item_maker *maker, const char *name, struct bytes member)
{
    if (sent(member))
        item_put_text(maker, name, member);
}

/* By its digest: a specification may have 2 MB, and is kept with the export itself. */
static void put_filter(struct item_maker *maker, const struct export_filter *filter,
                       struct arena *arena)
{
    uint8_t digest[SHA256_SIZE];

    digest_of(DIGEST_SHA256, export_filter_pack(filter, arena), digest);
    item_put_data(maker, "FilterSpecification", bytes_of(digest, sizeof digest));
}

struct bytes export_request_canonical(const struct export_request *request, struct arena *arena)
{
    struct item_maker maker;

    item_begin(&maker, arena);
    put_sent(&maker, "TableArn", request->table_arn);
    put_sent(&maker, "S3Bucket", request->bucket);
    put_sent(&maker, "S3BucketOwner", request->bucket_owner);
    put_sent(&maker, "S3Prefix", request->prefix);
    put_sent(&maker, "S3SseAlgorithm", request->encryption);
    put_sent(&maker, "S3SseKmsKeyId", request->kms_key);
    put_sent(&maker, "ExportFormat", request->format);
    put_sent(&maker, "ExportType", request->type);
    if (request->timed)
        item_put_integer(&maker, "ExportTime", (int64_t)request->time_ms);
    if (request->window_from)
        item_put_integer(&maker, "ExportFromTime", (int64_t)request->from_ms);
    if (request->window_to)
        item_put_integer(&maker, "ExportToTime", (int64_t)request->to_ms);
    put_sent(&maker, "ExportViewType", request->view);
    if (request->filter != NULL)
        put_filter(&maker, request->filter, arena);
    return item_finish(&maker);
}
