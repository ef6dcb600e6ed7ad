/* store/s3.c - any S3-compatible endpoint as an object store. Every answer is checked against what
 * was sent: the etag of a put, of a part and of a whole upload must be the one that we compute from
 * our own bytes, unless the object is encrypted by KMS, whose etags are no MD5s. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/fault.h"
#include "base/log.h"
#include "store/etag.h"
#include "store/failure.h"
#include "store/s3_call.h"
#include "store/xml.h"
#include "json/writer.h"

/* S3's limit (S3 User Guide, "Multipart upload limits"). */
#define PARTS_MOST 10000
/* Ours: what clears up after a failure or a crash does not wait long for an endpoint. */
#define CLEAR_PATIENCE_S 10

struct s3 {
    struct store store;
    struct s3_endpoint *endpoint;
    bool encrypts; /* asks for encryption at all */
};

struct s3_upload {
    struct s3 *s3;
    struct arena arena; /* the texts */
    struct object_location where;
    const char *owner;
    const char *id;
    struct stop stop;
    bool kms;
    struct etag_sum sum;
    struct digest *md5; /* of all parts */
    uint64_t size;
    bool last_seen;   /* a part under UPLOAD_PART has come */
    struct buf parts; /* the body of the call that completes */
};

static struct s3 *s3_of(struct store *store)
{
    return (struct s3 *)store;
}

static struct s3_upload *upload_of(struct upload *upload)
{
    return (struct s3_upload *)upload;
}

static struct s3_call call_of(const char *method, const struct object_location *where,
                              struct bytes query, struct bytes body)
{
    return (struct s3_call){
        .method = method, .bucket = where->bucket, .key = where->key, .query = query, .body = body};
}

static bool is_kms(const struct object_settings *settings)
{
    return settings->encryption != NULL && strcmp(settings->encryption, "KMS") == 0;
}

/* The fields of spec/export.md 3.1. */
static void settings_fields(struct s3_call *call, const struct s3 *s3,
                            const struct object_settings *settings)
{
    s3_call_field(call, "Content-Type", settings->content_type);
    s3_call_field(call, "X-Amz-Acl", "bucket-owner-full-control");
    s3_call_field(call, "X-Amz-Expected-Bucket-Owner", settings->expected_owner);
    if (is_kms(settings)) {
        s3_call_field(call, "X-Amz-Server-Side-Encryption", "aws:kms");
        s3_call_field(call, "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", settings->kms_key);
    } else if (s3->encrypts) {
        s3_call_field(call, "X-Amz-Server-Side-Encryption", settings->encryption);
    }
}

/* --- etags ------------------------------------------------------------------------------------ */

/* Without quotes; false for what cannot be an etag. */
static bool etag_read(struct bytes text, char etag[ETAG_MOST])
{
    if (text.size >= 2 && text.data[0] == '"' && text.data[text.size - 1] == '"')
        text = bytes_of(text.data + 1, text.size - 2);
    if (text.size == 0 || text.size >= ETAG_MOST)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f || strchr("\"<>&", text.data[i]) != NULL)
            return false;
    memcpy(etag, text.data, text.size);
    etag[text.size] = '\0';
    return true;
}

/* What an answer should say of what was stored, and what it says. */
struct etag_check {
    const char *computed;
    bool kms;
    char *etag;
};

/* A bucket may encrypt by KMS by itself; the answer then says so. */
static bool etag_compare(const struct etag_check *check, const struct http_answer *answer,
                         struct err *err)
{
    struct bytes encryption = http_answer_field(answer, "x-amz-server-side-encryption");

    if (check->kms || bytes_begin(encryption, BYTES("aws:kms")) ||
        strcmp(check->etag, check->computed) == 0)
        return true;
    return store_broken(err, "S3 stored other bytes than were sent: its etag is %s, not %s",
                        check->etag, check->computed);
}

static bool etag_judge(void *context, const struct http_answer *answer, bool *again,
                       struct err *err)
{
    const struct etag_check *check = context;

    *again = false;
    if (!etag_read(http_answer_field(answer, "ETag"), check->etag))
        return store_broken(err, "S3 answered without an etag");
    return etag_compare(check, answer, err);
}

/* Outputs stay untouched on failure, so etags are read into a place of their own. */
static bool send_checked(struct s3 *s3, struct s3_call *call, const char *computed, bool kms,
                         char etag[ETAG_MOST], struct err *err)
{
    char given[ETAG_MOST];
    struct etag_check check = {computed, kms, given};
    struct http_answer answer;

    call->judge = etag_judge;
    call->context = &check;
    http_answer_init(&answer);
    bool ok = s3_call_send(s3->endpoint, call, &answer, err);
    if (ok)
        memcpy(etag, given, ETAG_MOST);
    http_answer_release(&answer);
    return ok;
}

static bool s3_put(struct store *store, const struct object_location *where, struct bytes body,
                   const struct object_settings *settings, char etag[ETAG_MOST], struct err *err)
{
    struct s3_call call = call_of("PUT", where, BYTES_NONE, body);
    char computed[ETAG_MOST];

    if (STORE_FAULT(STORE_PUT, err))
        return false;
    etag_of_object(body, computed);
    call.patience_s = settings->patience_s;
    call.stop = settings->stop;
    settings_fields(&call, s3_of(store), settings);
    return send_checked(s3_of(store), &call, computed, is_kms(settings), etag, err);
}

/* --- clearing up ------------------------------------------------------------------------------ */

static struct bytes upload_query(struct arena *arena, const char *id, uint32_t part)
{
    struct buf query;

    buf_init_in(&query, arena);
    if (part > 0)
        buf_printf(&query, "partNumber=%u&", part);
    buf_put_literal(&query, "uploadId=");
    s3_put_encoded(&query, bytes_of_text(id), false);
    return buf_bytes(&query);
}

static bool delete_upload(struct s3 *s3, const struct object_location *where, const char *owner,
                          const char *id, struct stop stop, struct err *err)
{
    struct arena arena;
    struct http_answer answer;

    arena_init(&arena);
    struct s3_call call = call_of("DELETE", where, upload_query(&arena, id, 0), BYTES_NONE);
    call.patience_s = CLEAR_PATIENCE_S;
    call.stop = stop;
    s3_call_field(&call, "X-Amz-Expected-Bucket-Owner", owner);
    http_answer_init(&answer);
    bool ok = s3_call_send(s3->endpoint, &call, &answer, err);
    http_answer_release(&answer);
    arena_release(&arena);
    return ok || strcmp(err->reason, "S3NoSuchUpload") == 0;
}

/* Nobody can do anything about a failure but whoever pays for the parts. */
static bool abort_or_log(struct s3 *s3, const struct object_location *where, const char *owner,
                         const char *id, struct stop stop)
{
    struct err err = {0};

    if (delete_upload(s3, where, owner, id, stop, &err))
        return true;
    log_line("store: parts of upload %s of %s stay in bucket %s: %s", id, where->key, where->bucket,
             err.message);
    return false;
}

/* The uploads under one key, from a page of ListMultipartUploads. More than a page of them, which
 * takes a thousand crashes, waits for the next one. */
struct uploads {
    struct arena arena;
    const char *key;  /* the one that is looked for */
    bool found, here; /* a listing; the upload at hand is under the key */
    const char *id;   /* of the upload at hand */
    struct buf ids;   /* const char * each */
};

static void uploads_leaf(void *context, const char *path, const char *text)
{
    static const char root[] = "ListMultipartUploadsResult";
    struct uploads *uploads = context;

    if (strncmp(path, root, sizeof root - 1) != 0)
        return;
    uploads->found = true;
    path += sizeof root - 1;
    if (strcmp(path, "/Upload/Key") == 0) {
        uploads->here = strcmp(text, uploads->key) == 0;
    } else if (strcmp(path, "/Upload/UploadId") == 0) {
        uploads->id = arena_text(&uploads->arena, bytes_of_text(text));
    } else if (strcmp(path, "/Upload") == 0) {
        if (uploads->here && uploads->id != NULL)
            buf_put(&uploads->ids, &uploads->id, sizeof uploads->id);
        uploads->here = false;
        uploads->id = NULL;
    }
}

static bool uploads_judge(void *context, const struct http_answer *answer, bool *again,
                          struct err *err)
{
    struct uploads *uploads = context;

    uploads->found = false;
    buf_clear(&uploads->ids);
    if (xml_read(buf_bytes(&answer->body), uploads_leaf, uploads) && uploads->found)
        return true;
    *again = true;
    return store_broken(err, "S3 answered with a listing of uploads that cannot be read");
}

static bool uploads_list(struct s3 *s3, const struct object_location *where, struct uploads *out,
                         struct err *err)
{
    struct object_location bucket = {where->bucket, NULL};
    struct http_answer answer;
    struct buf query;

    buf_init_in(&query, &out->arena);
    buf_put_literal(&query, "prefix=");
    s3_put_encoded(&query, bytes_of_text(where->key), false);
    buf_put_literal(&query, "&uploads=");
    struct s3_call call = call_of("GET", &bucket, buf_bytes(&query), BYTES_NONE);
    call.patience_s = CLEAR_PATIENCE_S;
    call.judge = uploads_judge;
    call.context = out;
    http_answer_init(&answer);
    bool ok = s3_call_send(s3->endpoint, &call, &answer, err);
    http_answer_release(&answer);
    return ok;
}

/* Aborts the uploads under a key, but for the one that is `kept` (NULL: none): those whose ids no
 * answer brought, or a crash lost. */
static bool uploads_clear(struct s3 *s3, const struct object_location *where, const char *kept)
{
    struct uploads uploads = {.key = where->key};
    struct err err = {0};

    arena_init(&uploads.arena);
    buf_init_in(&uploads.ids, &uploads.arena);
    bool ok = uploads_list(s3, where, &uploads, &err);
    if (!ok)
        log_line("store: uploads of %s may stay in bucket %s: %s", where->key, where->bucket,
                 err.message);
    const char *const *ids = (const char *const *)uploads.ids.data;
    for (size_t i = 0; ok && i < uploads.ids.size / sizeof *ids; i++)
        if (kept == NULL || strcmp(ids[i], kept) != 0)
            ok = abort_or_log(s3, where, NULL, ids[i], (struct stop){0});
    arena_release(&uploads.arena);
    return ok;
}

/* --- uploads ---------------------------------------------------------------------------------- */

/* One text out of a document. */
struct wanted {
    const char *path;
    char text[UPLOAD_ID_MOST];
    bool found;
};

static void wanted_leaf(void *context, const char *path, const char *text)
{
    struct wanted *wanted = context;

    if (strcmp(path, wanted->path) == 0 && strlen(text) < sizeof wanted->text) {
        snprintf(wanted->text, sizeof wanted->text, "%s", text);
        wanted->found = text[0] != '\0';
    }
}

static bool begin_judge(void *context, const struct http_answer *answer, bool *again,
                        struct err *err)
{
    struct wanted *wanted = context;

    if (xml_read(buf_bytes(&answer->body), wanted_leaf, wanted) && wanted->found)
        return true;
    *again = true;
    if (s3_refusal(answer, again, err))
        return false;
    return store_broken(err, "S3 began an upload and gave it no id that can be read");
}

static struct s3_upload *upload_new(struct s3 *s3, const struct object_location *where,
                                    const struct object_settings *settings, const char *id)
{
    struct s3_upload *upload = calloc(1, sizeof *upload);

    assert(upload != NULL);
    upload->s3 = s3;
    arena_init(&upload->arena);
    upload->where.bucket = arena_text(&upload->arena, bytes_of_text(where->bucket));
    upload->where.key = arena_text(&upload->arena, bytes_of_text(where->key));
    upload->id = arena_text(&upload->arena, bytes_of_text(id));
    if (settings->expected_owner != NULL)
        upload->owner = arena_text(&upload->arena, bytes_of_text(settings->expected_owner));
    upload->stop = settings->stop;
    upload->kms = is_kms(settings);
    etag_sum_init(&upload->sum);
    upload->md5 = digest_new(DIGEST_MD5);
    buf_init(&upload->parts);
    return upload;
}

static void upload_free(struct s3_upload *upload)
{
    buf_release(&upload->parts);
    digest_free(upload->md5);
    etag_sum_release(&upload->sum);
    arena_release(&upload->arena);
    free(upload);
}

static bool s3_upload_begin(struct store *store, const struct object_location *where,
                            const struct object_settings *settings, struct upload **out,
                            struct err *err)
{
    struct s3 *s3 = s3_of(store);
    struct s3_call call = call_of("POST", where, BYTES("uploads="), BYTES_NONE);
    struct wanted id = {.path = "InitiateMultipartUploadResult/UploadId"};
    struct http_answer answer;
    unsigned sent = 0;

    settings_fields(&call, s3, settings);
    call.stop = settings->stop;
    call.judge = begin_judge;
    call.context = &id;
    call.sent = &sent;
    http_answer_init(&answer);
    bool ok = s3_call_send(s3->endpoint, &call, &answer, err);
    http_answer_release(&answer);
    if (sent > 1) /* one that failed may have begun an upload all the same */
        uploads_clear(s3, where, ok ? id.text : NULL);
    if (ok)
        *out = (struct upload *)upload_new(s3, where, settings, id.text);
    return ok;
}

static bool s3_upload_part(struct upload *base, struct bytes part, struct err *err)
{
    struct s3_upload *upload = upload_of(base);
    struct arena_mark mark = arena_mark(&upload->arena);
    uint8_t md5[MD5_SIZE];
    char computed[ETAG_MOST], etag[ETAG_MOST];
    struct buf text;

    assert(!upload->last_seen && part.size <= UPLOAD_PART);
    upload->last_seen = part.size < UPLOAD_PART;
    if (STORE_FAULT(STORE_PART, err))
        return false;
    if (upload->sum.parts == PARTS_MOST)
        return store_broken(err, "an object of more than %d parts", PARTS_MOST);
    etag_sum_put(&upload->sum, part);
    if (upload->sum.parts == 0)
        digest_copy(upload->md5, upload->sum.part); /* they are the same so far */
    else
        digest_put(upload->md5, part);
    etag_sum_part(&upload->sum, md5);
    hex_put(md5, sizeof md5, computed);
    buf_init_in(&text, &upload->arena);
    base64_put(&text, bytes_of(md5, sizeof md5));
    buf_put_u8(&text, '\0');
    struct s3_call call = call_of(
        "PUT", &upload->where, upload_query(&upload->arena, upload->id, upload->sum.parts), part);
    s3_call_field(&call, "Content-MD5", (const char *)text.data);
    call.has_md5 = true;
    s3_call_field(&call, "X-Amz-Expected-Bucket-Owner", upload->owner);
    call.stop = upload->stop;
    bool ok = send_checked(upload->s3, &call, computed, upload->kms, etag, err);
    arena_rewind(&upload->arena, mark);
    if (!ok)
        return false;
    upload->size += part.size;
    buf_printf(&upload->parts, "<Part><PartNumber>%u</PartNumber><ETag>\"%s\"</ETag></Part>",
               upload->sum.parts, etag);
    return true;
}

/* S3 may answer 200 before it knows how the upload ends; the end is then in the document. One that
 * cannot be read tells nothing, so the call is sent again, which changes nothing if it had worked.
 */
static bool complete_judge(void *context, const struct http_answer *answer, bool *again,
                           struct err *err)
{
    const struct etag_check *check = context;
    struct wanted etag = {.path = "CompleteMultipartUploadResult/ETag"};

    *again = true;
    if (s3_refusal(answer, again, err))
        return false;
    if (!xml_read(buf_bytes(&answer->body), wanted_leaf, &etag) || !etag.found ||
        !etag_read(bytes_of_text(etag.text), check->etag))
        return store_broken(err, "S3 completed an upload with an answer that cannot be read");
    *again = false;
    return etag_compare(check, answer, err);
}

static bool head(struct s3 *s3, const struct object_location *where, unsigned patience_s,
                 uint64_t *size, char etag[ETAG_MOST], struct err *err);

/* An attempt whose answer was lost may have worked; the next one (which may be curl's, on a fresh
 * connection) then hears that there is no such upload, or its answer is lost as well. Keys of
 * exports are never used twice, so what lies there is what we have sent if its etag says so, or,
 * where KMS hides that, its size. */
static bool completed_before(struct s3_upload *upload, const char *computed, char etag[ETAG_MOST])
{
    char there[ETAG_MOST];
    uint64_t size;
    struct err ignored;

    if (!head(upload->s3, &upload->where, CLEAR_PATIENCE_S, &size, there, &ignored) ||
        size != upload->size || (!upload->kms && strcmp(there, computed) != 0))
        return false;
    memcpy(etag, there, ETAG_MOST);
    return true;
}

static bool complete_send(struct s3_upload *upload, const char *computed, char etag[ETAG_MOST],
                          struct err *err)
{
    struct buf body;
    struct http_answer answer;
    char given[ETAG_MOST];
    struct etag_check check = {computed, upload->kms, given};

    buf_init_in(&body, &upload->arena);
    buf_put_literal(&body,
                    "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    buf_put_bytes(&body, buf_bytes(&upload->parts));
    buf_put_literal(&body, "</CompleteMultipartUpload>");
    struct s3_call call = call_of("POST", &upload->where,
                                  upload_query(&upload->arena, upload->id, 0), buf_bytes(&body));
    s3_call_field(&call, "Content-Type", "application/xml");
    s3_call_field(&call, "X-Amz-Expected-Bucket-Owner", upload->owner);
    call.stop = upload->stop;
    call.judge = complete_judge;
    call.context = &check;
    http_answer_init(&answer);
    bool ok = s3_call_send(upload->s3->endpoint, &call, &answer, err);
    bool doubtful = answer.status == 0 || strcmp(err->reason, "S3NoSuchUpload") == 0;
    http_answer_release(&answer);
    if (ok)
        memcpy(etag, given, ETAG_MOST);
    return ok || (doubtful && completed_before(upload, computed, etag));
}

static void s3_upload_abort(struct upload *base)
{
    struct s3_upload *upload = upload_of(base);

    abort_or_log(upload->s3, &upload->where, upload->owner, upload->id, upload->stop);
    upload_free(upload);
}

static bool s3_upload_complete(struct upload *base, struct upload_sums *out, struct err *err)
{
    struct s3_upload *upload = upload_of(base);
    char computed[ETAG_MOST];

    assert(upload->sum.parts > 0);
    etag_sum_take(&upload->sum, computed);
    bool ok = !STORE_FAULT(STORE_COMPLETE, err) && complete_send(upload, computed, out->etag, err);
    if (!ok) {
        s3_upload_abort(base);
        return false;
    }
    digest_take(upload->md5, out->md5);
    upload_free(upload);
    return true;
}

static const char *s3_upload_id(const struct upload *base)
{
    return ((const struct s3_upload *)base)->id;
}

static bool s3_abandon(struct store *store, const struct object_location *where,
                       const char *upload_id)
{
    return upload_id == NULL ? uploads_clear(s3_of(store), where, NULL)
                             : abort_or_log(s3_of(store), where, NULL, upload_id, (struct stop){0});
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool s3_get(struct store *store, const struct object_location *where,
                   bool (*take)(void *context, struct bytes piece, struct err *err), void *context,
                   struct err *err)
{
    struct s3_call call = call_of("GET", where, BYTES_NONE, BYTES_NONE);
    struct http_answer answer;

    call.take = take;
    call.context = context;
    http_answer_init(&answer);
    bool ok = s3_call_send(s3_of(store)->endpoint, &call, &answer, err);
    http_answer_release(&answer);
    return ok;
}

static bool size_read(struct bytes text, uint64_t *size)
{
    uint64_t value = 0;

    if (text.size == 0 || text.size > 18) /* S3's largest object has 14 digits */
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text.data[i] - '0');
    }
    *size = value;
    return true;
}

static bool head(struct s3 *s3, const struct object_location *where, unsigned patience_s,
                 uint64_t *size, char etag[ETAG_MOST], struct err *err)
{
    struct s3_call call = call_of("HEAD", where, BYTES_NONE, BYTES_NONE);
    struct http_answer answer;
    char given[ETAG_MOST];

    call.patience_s = patience_s;
    http_answer_init(&answer);
    bool ok = s3_call_send(s3->endpoint, &call, &answer, err);
    if (ok && (!etag_read(http_answer_field(&answer, "ETag"), given) ||
               !size_read(http_answer_field(&answer, "Content-Length"), size)))
        ok = store_broken(err, "S3 answered for %s without its size and etag", where->key);
    if (ok)
        memcpy(etag, given, ETAG_MOST);
    http_answer_release(&answer);
    return ok;
}

static bool s3_head(struct store *store, const struct object_location *where, uint64_t *size,
                    char etag[ETAG_MOST], struct err *err)
{
    return head(s3_of(store), where, 0, size, etag, err);
}

/* --- listing ---------------------------------------------------------------------------------- */

/* A page, read whole before its keys go out: a page that fails half way is asked for again. */
struct page {
    struct arena *arena;
    struct buf objects; /* struct listed each */
    struct bytes key;   /* of the object at hand */
    uint64_t size;
    bool found, truncated, encoded, whole;
    const char *token;
};

struct listed {
    struct bytes key;
    uint64_t size;
};

static void page_leaf(void *context, const char *path, const char *text)
{
    struct page *page = context;
    static const char root[] = "ListBucketResult";

    if (strncmp(path, root, sizeof root - 1) != 0)
        return;
    page->found = true;
    path += sizeof root - 1;
    if (strcmp(path, "/Contents/Key") == 0) {
        page->key = arena_copy(page->arena, bytes_of_text(text));
    } else if (strcmp(path, "/Contents/Size") == 0) {
        page->whole &= size_read(bytes_of_text(text), &page->size);
    } else if (strcmp(path, "/Contents") == 0) {
        struct listed listed = {page->key, page->size};
        page->whole &= page->key.size > 0;
        buf_put(&page->objects, &listed, sizeof listed);
        page->key = BYTES_NONE;
    } else if (strcmp(path, "/IsTruncated") == 0) {
        page->truncated = strcmp(text, "true") == 0;
    } else if (strcmp(path, "/EncodingType") == 0) {
        page->encoded = strcmp(text, "url") == 0;
    } else if (strcmp(path, "/NextContinuationToken") == 0) {
        page->token = arena_text(page->arena, bytes_of_text(text));
    }
}

static bool page_judge(void *context, const struct http_answer *answer, bool *again,
                       struct err *err)
{
    struct page *page = context;

    *page = (struct page){.arena = page->arena, .whole = true};
    buf_init_in(&page->objects, page->arena);
    if (xml_read(buf_bytes(&answer->body), page_leaf, page) && page->found && page->whole &&
        (!page->truncated || page->token != NULL))
        return true;
    *again = true;
    if (s3_refusal(answer, again, err))
        return false;
    return store_broken(err, "S3 answered with a listing that cannot be read");
}

static int hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* As S3 encodes keys in listings: percent signs, and "+" for a blank. A text, in the arena. */
static const char *key_decoded(struct bytes key, bool encoded, struct arena *arena)
{
    struct buf out;

    buf_init_in(&out, arena);
    for (size_t i = 0; i < key.size; i++) {
        uint8_t byte = key.data[i];
        bool escape = encoded && byte == '%' && i + 2 < key.size &&
                      hex_digit(key.data[i + 1]) >= 0 && hex_digit(key.data[i + 2]) >= 0;
        if (escape) {
            byte = (uint8_t)(hex_digit(key.data[i + 1]) << 4 | hex_digit(key.data[i + 2]));
            i += 2;
        } else if (encoded && byte == '+') {
            byte = ' ';
        }
        buf_put_u8(&out, byte);
    }
    buf_put_u8(&out, '\0');
    return (const char *)out.data;
}

/* What a listing has come to. */
struct listing {
    struct s3 *s3;
    const char *bucket, *prefix;
    bool (*take)(void *context, const char *key, uint64_t size, struct err *err);
    void *context;
    struct buf last;  /* the key before, a text; empty before the first */
    struct buf token; /* of the next page, a text; empty for the first */
};

/* Keys must rise: callers are promised that, and a listing that never ends would show by it. */
static bool page_hand_out(struct listing *listing, const struct page *page, struct err *err)
{
    const struct listed *listed = (const struct listed *)page->objects.data;

    for (size_t i = 0; i < page->objects.size / sizeof *listed; i++) {
        const char *key = key_decoded(listed[i].key, page->encoded, page->arena);
        if (listing->last.size > 0 && strcmp((const char *)listing->last.data, key) >= 0)
            return store_broken(err, "S3 listed %s out of order", key);
        buf_clear(&listing->last);
        buf_put(&listing->last, key, strlen(key) + 1);
        if (!listing->take(listing->context, key, listed[i].size, err))
            return false;
    }
    return true;
}

static struct bytes page_query(const struct listing *listing, struct arena *arena)
{
    struct buf query;

    buf_init_in(&query, arena);
    if (listing->token.size > 0) {
        buf_put_literal(&query, "continuation-token=");
        s3_put_encoded(&query, bytes_of_text((const char *)listing->token.data), false);
        buf_put_u8(&query, '&');
    }
    buf_put_literal(&query, "encoding-type=url&list-type=2&prefix=");
    s3_put_encoded(&query, bytes_of_text(listing->prefix), false);
    return buf_bytes(&query);
}

static bool page_list(struct listing *listing, struct arena *arena, bool *more, struct err *err)
{
    struct object_location where = {listing->bucket, NULL};
    struct s3_call call = call_of("GET", &where, page_query(listing, arena), BYTES_NONE);
    struct page page = {.arena = arena};
    struct http_answer answer;

    call.judge = page_judge;
    call.context = &page;
    http_answer_init(&answer);
    bool ok = s3_call_send(listing->s3->endpoint, &call, &answer, err) &&
              page_hand_out(listing, &page, err);
    http_answer_release(&answer);
    if (!ok)
        return false;
    *more = page.truncated;
    if (page.truncated && page.objects.size == 0)
        return store_broken(err, "S3 answered with an empty page of a longer listing");
    buf_clear(&listing->token);
    if (page.truncated)
        buf_put(&listing->token, page.token, strlen(page.token) + 1);
    return true;
}

static bool s3_list(struct store *store, const char *bucket, const char *prefix,
                    bool (*take)(void *context, const char *key, uint64_t size, struct err *err),
                    void *context, struct err *err)
{
    struct listing listing = {s3_of(store), bucket, prefix, take, context, {0}, {0}};
    struct arena arena;
    bool more = true, ok = true;

    arena_init(&arena);
    struct arena_mark mark = arena_mark(&arena);
    while (ok && more) {
        ok = page_list(&listing, &arena, &more, err);
        arena_rewind(&arena, mark);
    }
    buf_release(&listing.token);
    buf_release(&listing.last);
    arena_release(&arena);
    return ok;
}

/* ---------------------------------------------------------------------------------------------- */

static void s3_stop(struct store *store)
{
    s3_endpoint_stop(s3_of(store)->endpoint);
}

static void s3_close(struct store *store)
{
    s3_endpoint_close(s3_of(store)->endpoint);
    free(store);
}

static const struct store_ops s3_ops = {
    .name = "s3",
    .put = s3_put,
    .upload_begin = s3_upload_begin,
    .upload_part = s3_upload_part,
    .upload_complete = s3_upload_complete,
    .upload_abort = s3_upload_abort,
    .upload_id = s3_upload_id,
    .abandon = s3_abandon,
    .get = s3_get,
    .head = s3_head,
    .list = s3_list,
    .stop = s3_stop,
    .close = s3_close,
};

struct store *store_open_s3(const struct s3_settings *settings, struct err *err)
{
    struct s3_endpoint *endpoint = s3_endpoint_open(settings, err);

    if (endpoint == NULL)
        return NULL;
    struct s3 *s3 = malloc(sizeof *s3);
    assert(s3 != NULL);
    *s3 = (struct s3){{&s3_ops}, endpoint, !settings->unencrypted};
    return &s3->store;
}
