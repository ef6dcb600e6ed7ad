/* archive/manifest.c - the manifests as text. Readers take them by line and some by member order,
 * so both are written member by member, compact, in the order of the service's own files. */
#include "archive/manifest.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

#include "base/digest.h"
#include "base/random.h"
#include "json/writer.h"

void export_id_make(uint64_t start_ms, char to[EXPORT_ID_SIZE + 1])
{
    uint32_t random;

    random_fill(&random, sizeof random);
    int size = snprintf(to, EXPORT_ID_SIZE + 1, "%014llu-%08x", (unsigned long long)start_ms,
                        (unsigned)random);
    assert(size == EXPORT_ID_SIZE);
}

void file_name_encode(const uint8_t random[16], char to[FILE_NAME_SIZE + 1])
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint32_t bits = 0;
    int held = 0, at = 0;

    for (int i = 0; i < 16; i++) {
        bits = bits << 8 | random[i];
        for (held += 8; held >= 5; held -= 5)
            to[at++] = alphabet[bits >> (held - 5) & 31];
    }
    to[at++] = alphabet[bits << (5 - held) & 31];
    to[at] = '\0';
    assert(at == FILE_NAME_SIZE);
}

void file_name_make(char to[FILE_NAME_SIZE + 1])
{
    uint8_t random[16];

    random_fill(random, sizeof random);
    file_name_encode(random, to);
}

/* Exactly one slash between a prefix and what follows; a prefix that is empty adds nothing. Without
 * an id it is the folder that incremental exports share. */
static void put_folder(struct buf *out, struct bytes prefix, struct bytes id)
{
    buf_put_bytes(out, prefix);
    if (prefix.size > 0 && prefix.data[prefix.size - 1] != '/')
        buf_put_u8(out, '/');
    buf_put_literal(out, "AWSDynamoDB/");
    buf_put_bytes(out, id);
    if (id.size > 0)
        buf_put_u8(out, '/');
}

char *export_key(struct arena *arena, struct bytes prefix, struct bytes id, const char *leaf)
{
    struct buf key;

    buf_init_in(&key, arena);
    put_folder(&key, prefix, id);
    buf_put_text(&key, leaf);
    buf_put_u8(&key, '\0');
    return (char *)key.data;
}

char *export_data_key(struct arena *arena, struct bytes prefix, struct bytes id, struct bytes name,
                      const char *suffix)
{
    struct buf key;

    buf_init_in(&key, arena);
    put_folder(&key, prefix, id);
    buf_put_literal(&key, "data/");
    buf_put_bytes(&key, name);
    buf_put_text(&key, suffix);
    buf_put_u8(&key, '\0');
    return (char *)key.data;
}

void manifest_put_file(struct buf *out, const struct manifest_file *file)
{
    buf_printf(out, "{\"itemCount\":%llu,\"md5Checksum\":", (unsigned long long)file->items);
    json_put_base64(out, file->md5);
    buf_put_literal(out, ",\"etag\":");
    json_put_string(out, file->etag);
    buf_put_literal(out, ",\"dataFileS3Key\":");
    json_put_string(out, file->key);
    buf_put_literal(out, "}\n");
}

static void put_text(struct buf *out, const char *name, struct bytes text)
{
    buf_printf(out, ",\"%s\":", name);
    if (text.data != NULL)
        json_put_string(out, text);
    else
        buf_put_literal(out, "null");
}

void manifest_put_time(struct buf *out, uint64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    char text[32];

    gmtime_r(&seconds, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    buf_printf(out, "%s.%03uZ", text, (unsigned)(ms % 1000));
}

static void put_time(struct buf *out, const char *name, uint64_t ms)
{
    buf_printf(out, ",\"%s\":\"", name);
    manifest_put_time(out, ms);
    buf_put_u8(out, '"');
}

void manifest_put_summary(struct buf *out, const struct manifest_summary *summary)
{
    bool full = summary->view.data == NULL;

    buf_put_literal(out, "{\"version\":");
    json_put_string(out, full ? BYTES("2020-06-30") : BYTES("2023-08-01"));
    put_text(out, "exportArn", summary->export_arn);
    put_time(out, "startTime", summary->start_ms);
    put_time(out, "endTime", summary->end_ms);
    put_text(out, "tableArn", summary->table_arn);
    put_text(out, "tableId", summary->table_id);
    if (full) {
        put_time(out, "exportTime", summary->time_ms);
    } else {
        put_time(out, "exportFromTime", summary->from_ms);
        put_time(out, "exportToTime", summary->to_ms);
    }
    put_text(out, "s3Bucket", summary->bucket);
    put_text(out, "s3Prefix", summary->prefix);
    put_text(out, "s3SseAlgorithm", summary->encryption);
    put_text(out, "s3SseKmsKeyId", summary->kms_key);
    put_text(out, "manifestFilesS3Key", summary->files_key);
    buf_printf(out, ",\"billedSizeBytes\":%llu,\"itemCount\":%llu",
               (unsigned long long)summary->billed_bytes, (unsigned long long)summary->items);
    put_text(out, "outputFormat", summary->format);
    if (!full)
        put_text(out, "outputView", summary->view);
    if (summary->type.data != NULL)
        put_text(out, "exportType", summary->type);
    buf_put_u8(out, '}');
}

void manifest_put_md5(struct buf *out, struct bytes object)
{
    uint8_t md5[MD5_SIZE];
    struct buf quoted;

    digest_of(DIGEST_MD5, object, md5);
    buf_init(&quoted);
    json_put_base64(&quoted, bytes_of(md5, sizeof md5));
    buf_put(out, quoted.data + 1, quoted.size - 2);
    buf_release(&quoted);
}
