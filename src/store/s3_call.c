/* store/s3_call.c - attempts, and what lies between them. Each attempt is signed anew, since a
 * signature holds its time. What can pass (a 5xx, a plea to slow down, a connection that breaks or
 * stands still) is tried again after a random part of a wait that doubles; whatever else S3 refuses
 * it would refuse again. But where an answer names the region that the bucket is in, the attempt is
 * made again, once, signed for that region and at its host if AWS has one for it; wherever else S3
 * would redirect us to, nothing signed with our keys goes there. A stop ends the wait and the
 * transfer. */
#include "store/s3_call.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "net/signature.h"
#include "store/failure.h"
#include "store/s3_region.h"
#include "store/xml.h"

/* Ours. About half a minute of waiting for an endpoint that is away; and whatever each attempt
 * takes, the last one begins within the patience and ends when it stands still. */
#define ATTEMPTS        10
#define BACKOFF_MS      100
#define BACKOFF_MOST_MS 20000
#define PATIENCE_S      60
/* Less than this would make a time-out of what the endpoint had to say. */
#define ATTEMPT_LEAST_MICROS (2 * SECOND_MICROS)
#define CONNECT_S            10
#define STALL_S              60
/* Bytes a second: an attempt that has not ended after STALL_S and the time that its body takes at
 * this speed has failed, however its bytes trickle. */
#define SPEED_LEAST 8192

/* What stands for the hash of a body that is not signed (S3 API reference, "Signature calculations
 * for the authorization header"). */
#define UNSIGNED "UNSIGNED-PAYLOAD"

/* Connections that wait for their next call; more than these are closed. */
#define IDLE_MOST 16

struct s3_endpoint {
    struct arena arena; /* the texts; not touched after opening */
    const char *scheme, *host, *base;
    struct signature_signer signer;
    struct bytes token;
    bool tls, virtual_host;
    unsigned attempts, backoff_ms;
    struct http_client_settings client;
    struct s3_regions regions;
    _Atomic bool stopped;
    pthread_mutex_t lock;
    pthread_cond_t stopping;             /* lock; on the monotonic clock */
    struct http_client *idle[IDLE_MOST]; /* lock */
    size_t idle_count;                   /* lock */
};

/* What stays the same in all attempts of a call, and how far a get has come. */
struct attempts {
    struct s3_endpoint *endpoint;
    const struct s3_call *call;
    struct arena arena;
    struct bytes region;     /* that is signed for */
    const char *region_host; /* where it is; without the bucket */
    bool elsewhere;          /* the last answer says so of the bucket */
    bool turned;             /* to where one has said */
    const char *url;
    struct bytes host, path;
    char payload_hash[SIGNATURE_HASH_SIZE];
    struct http_answer *answer;
    unsigned sent;  /* as of struct s3_call */
    uint64_t until; /* monotonic: no attempt begins later */
    uint64_t offset;
    bool resuming;     /* the attempt at hand began behind the object's start */
    struct bytes etag; /* of the object that the bytes so far came from */
};

/* --- the endpoint --------------------------------------------------------------------------- */

static const char *text_copy(struct s3_endpoint *endpoint, const char *text)
{
    return arena_text(&endpoint->arena, bytes_of_text(text));
}

/* Host and path of the URL; the port that goes without saying is left out, as clients do. */
static bool url_split(struct s3_endpoint *endpoint, const char *url, struct err *err)
{
    bool tls = endpoint->tls = strncmp(url, "https://", 8) == 0;
    const char *usual_port = tls ? ":443" : ":80";

    if (!tls && strncmp(url, "http://", 7) != 0)
        return err_fail(err, ERR_CONFIG,
                        "the S3 endpoint %s begins with neither http:// nor https://", url);
    struct bytes rest = bytes_of_text(url + (tls ? 8 : 7));
    struct bytes host = bytes_of(rest.data, strcspn((const char *)rest.data, "/"));
    struct bytes base = bytes_from(rest, host.size);
    if (host.size == 0 || strpbrk((const char *)rest.data, "?#@ \t\r\n") != NULL)
        return err_fail(err, ERR_CONFIG,
                        "the S3 endpoint %s is not of the form http://HOST[:PORT][/PATH]", url);
    size_t port = strlen(usual_port);
    if (host.size > port && memcmp(host.data + host.size - port, usual_port, port) == 0)
        host.size -= port;
    while (base.size > 0 && base.data[base.size - 1] == '/')
        base.size--;
    endpoint->scheme = tls ? "https://" : "http://";
    endpoint->host = arena_text(&endpoint->arena, host);
    endpoint->base = arena_text(&endpoint->arena, base);
    return true;
}

static void lock_init(struct s3_endpoint *endpoint)
{
    pthread_condattr_t monotonic;

    pthread_mutex_init(&endpoint->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&endpoint->stopping, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

struct s3_endpoint *s3_endpoint_open(const struct s3_settings *settings, struct err *err)
{
    struct s3_endpoint *endpoint = calloc(1, sizeof *endpoint);

    assert(endpoint != NULL);
    arena_init(&endpoint->arena);
    lock_init(endpoint);
    s3_regions_init(&endpoint->regions);
    bool ok = url_split(endpoint, settings->endpoint, err);
    if (ok && (settings->access_key == NULL || settings->secret_key == NULL))
        ok = err_fail(err, ERR_CONFIG, "S3 needs an access key and a secret key");
    if (!ok) {
        s3_endpoint_close(endpoint);
        return NULL;
    }
    endpoint->signer = (struct signature_signer){
        bytes_of_text(text_copy(endpoint, settings->access_key)),
        bytes_of_text(text_copy(endpoint, settings->secret_key)),
        bytes_of_text(text_copy(endpoint, settings->region)), BYTES("s3")};
    if (settings->session_token != NULL)
        endpoint->token = bytes_of_text(text_copy(endpoint, settings->session_token));
    endpoint->virtual_host = settings->virtual_host;
    endpoint->attempts = settings->attempts > 0 ? settings->attempts : ATTEMPTS;
    endpoint->backoff_ms = settings->backoff_ms > 0 ? settings->backoff_ms : BACKOFF_MS;
    endpoint->client = (struct http_client_settings){
        .ca_file = settings->ca_file == NULL ? NULL : text_copy(endpoint, settings->ca_file),
        .connect_s = CONNECT_S,
        .stall_s = settings->stall_s > 0 ? settings->stall_s : STALL_S,
        .stop = &endpoint->stopped};
    return endpoint;
}

void s3_endpoint_close(struct s3_endpoint *endpoint)
{
    while (endpoint->idle_count > 0)
        http_client_free(endpoint->idle[--endpoint->idle_count]);
    pthread_cond_destroy(&endpoint->stopping);
    pthread_mutex_destroy(&endpoint->lock);
    s3_regions_release(&endpoint->regions);
    arena_release(&endpoint->arena);
    free(endpoint);
}

void s3_endpoint_stop(struct s3_endpoint *endpoint)
{
    pthread_mutex_lock(&endpoint->lock);
    atomic_store(&endpoint->stopped, true);
    pthread_cond_broadcast(&endpoint->stopping);
    pthread_mutex_unlock(&endpoint->lock);
}

static struct http_client *client_take(struct s3_endpoint *endpoint)
{
    struct http_client *client = NULL;

    pthread_mutex_lock(&endpoint->lock);
    if (endpoint->idle_count > 0)
        client = endpoint->idle[--endpoint->idle_count];
    pthread_mutex_unlock(&endpoint->lock);
    return client != NULL ? client : http_client_new(&endpoint->client);
}

static void client_return(struct s3_endpoint *endpoint, struct http_client *client)
{
    pthread_mutex_lock(&endpoint->lock);
    if (endpoint->idle_count < IDLE_MOST) {
        endpoint->idle[endpoint->idle_count++] = client;
        client = NULL;
    }
    pthread_mutex_unlock(&endpoint->lock);
    http_client_free(client);
}

static bool is_stopped(const struct attempts *attempts)
{
    const struct s3_call *call = attempts->call;

    return atomic_load(&attempts->endpoint->stopped) || stop_is_wanted(&call->stop);
}

static struct timespec timespec_of(uint64_t micros)
{
    return (struct timespec){.tv_sec = (time_t)(micros / SECOND_MICROS),
                             .tv_nsec = (long)(micros % SECOND_MICROS) * 1000};
}

/* False once the endpoint is stopped, or within a second of the call's own stop. */
static bool wait_micros(const struct attempts *attempts, uint64_t micros)
{
    struct s3_endpoint *endpoint = attempts->endpoint;
    uint64_t now = clock_monotonic_micros(), until = now + micros;

    pthread_mutex_lock(&endpoint->lock);
    while (!is_stopped(attempts) && now < until) {
        uint64_t look = now + SECOND_MICROS < until ? now + SECOND_MICROS : until;
        struct timespec when = timespec_of(look);
        pthread_cond_timedwait(&endpoint->stopping, &endpoint->lock, &when);
        now = clock_monotonic_micros();
    }
    pthread_mutex_unlock(&endpoint->lock);
    return !is_stopped(attempts);
}

static uint64_t backoff_micros(const struct s3_endpoint *endpoint, unsigned attempt)
{
    uint64_t most = endpoint->backoff_ms, part;

    for (unsigned i = 1; i < attempt && most < BACKOFF_MOST_MS; i++)
        most *= 2;
    most = (most < BACKOFF_MOST_MS ? most : BACKOFF_MOST_MS) * 1000;
    random_fill(&part, sizeof part);
    return part % (most + 1);
}

/* --- what S3 says ----------------------------------------------------------------------------- */

struct error_document {
    char code[64], message[2048], request_id[128], extended_id[256];
    char region[S3_REGION_SIZE + 1]; /* one byte more shows one that is too long */
};

static void text_keep(const char *text, char *to, size_t size)
{
    snprintf(to, size, "%s", text);
    text_end_whole(to);
}

static void error_leaf(void *context, const char *path, const char *text)
{
    struct error_document *document = context;

    if (strcmp(path, "Error/Code") == 0)
        text_keep(text, document->code, sizeof document->code);
    else if (strcmp(path, "Error/Message") == 0)
        text_keep(text, document->message, sizeof document->message);
    else if (strcmp(path, "Error/RequestId") == 0)
        text_keep(text, document->request_id, sizeof document->request_id);
    else if (strcmp(path, "Error/HostId") == 0)
        text_keep(text, document->extended_id, sizeof document->extended_id);
    else if (strcmp(path, "Error/Region") == 0)
        text_keep(text, document->region, sizeof document->region);
}

/* The ids are those of the header where it has them, and "null" where nobody has, which is how the
 * SDK for Java prints what is missing. */
static void id_settle(const struct http_answer *answer, const char *field, char *id, size_t size)
{
    struct bytes value = http_answer_field(answer, field);

    if (value.size > 0)
        snprintf(id, size, "%.*s", BYTES_ARGS(value));
    else if (id[0] == '\0')
        snprintf(id, size, "null");
}

static bool status_passes(int status)
{
    return status == 429 || (status >= 500 && status != 501);
}

/* Codes that come with other statuses and are worth another attempt (S3 API reference, error
 * codes). */
static bool code_passes(const char *code)
{
    static const char *const codes[] = {"SlowDown", "InternalError", "ServiceUnavailable",
                                        "RequestTimeout"};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(code, codes[i]) == 0)
            return true;
    return false;
}

/* Some endpoints (Ceph's) send a code and no message; these are S3's own for what exports meet. */
static const char *usual_message(const char *code)
{
    static const struct {
        const char *code, *message;
    } table[] = {
        {"NoSuchBucket", "The specified bucket does not exist"},
        {"NoSuchKey", "The specified key does not exist."},
        {"NoSuchUpload", "The specified multipart upload does not exist. The upload ID might be "
                         "invalid, or the multipart upload might have been aborted or completed."},
        {"AccessDenied", "Access Denied"},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(code, table[i].code) == 0)
            return table[i].message;
    return code;
}

static void refuse(const struct http_answer *answer, struct error_document *document, bool *again,
                   struct err *err)
{
    id_settle(answer, "x-amz-request-id", document->request_id, sizeof document->request_id);
    id_settle(answer, "x-amz-id-2", document->extended_id, sizeof document->extended_id);
    if (document->message[0] == '\0')
        snprintf(document->message, sizeof document->message, "%s", usual_message(document->code));
    *again = status_passes(answer->status) || code_passes(document->code);
    store_refused(err, &(struct refusal){answer->status, document->code, document->message,
                                         document->request_id, document->extended_id});
}

bool s3_refusal(const struct http_answer *answer, bool *again, struct err *err)
{
    struct error_document document = {0};

    if (!xml_read(buf_bytes(&answer->body), error_leaf, &document) || document.code[0] == '\0')
        return false;
    refuse(answer, &document, again, err);
    return true;
}

/* The answer to a HEAD has no document, so the status must do. */
static bool bare_refusal(const struct http_answer *answer, bool *again, struct err *err)
{
    struct error_document document = {0};

    if (answer->status != 404 && answer->status != 403)
        return false;
    snprintf(document.code, sizeof document.code, "%s",
             answer->status == 404 ? "NoSuchKey" : "AccessDenied");
    refuse(answer, &document, again, err);
    return true;
}

/* --- attempts --------------------------------------------------------------------------------- */

void s3_put_encoded(struct buf *out, struct bytes text, bool slashes_kept)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
            (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' ||
            byte == '~' || (byte == '/' && slashes_kept)) {
            buf_put_u8(out, byte);
        } else {
            uint8_t escaped[] = {'%', (uint8_t)digits[byte >> 4], (uint8_t)digits[byte & 15]};
            buf_put(out, escaped, sizeof escaped);
        }
    }
}

void s3_call_field(struct s3_call *call, const char *name, const char *value)
{
    if (value == NULL)
        return;
    assert(call->field_count < S3_FIELDS_MOST);
    call->fields[call->field_count++] =
        (struct http_field){bytes_of_text(name), bytes_of_text(value)};
}

/* In a host's name a bucket stands bare, so one that would not read as a name goes nowhere. */
static bool bucket_fits_host(const char *bucket)
{
    return bucket[0] != '\0' &&
           bucket[strspn(bucket,
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")] ==
               '\0';
}

/* Where the call goes, and what for: the endpoint as it was given, unless the bucket is known to be
 * elsewhere. */
static bool address(struct attempts *attempts, struct err *err)
{
    struct s3_endpoint *endpoint = attempts->endpoint;
    const struct s3_call *call = attempts->call;
    bool in_host = endpoint->virtual_host;
    struct bytes told = s3_regions_find(&endpoint->regions, call->bucket, &attempts->arena);
    struct buf path;

    attempts->region = told.size > 0 ? told : endpoint->signer.region;
    attempts->region_host =
        told.size > 0 ? s3_region_host(endpoint->host, told, &attempts->arena) : endpoint->host;
    if (in_host && !bucket_fits_host(call->bucket))
        return store_broken(err, "the bucket's name %s cannot be part of a host's", call->bucket);
    attempts->host = arena_printf(&attempts->arena, "%s%s%s", in_host ? call->bucket : "",
                                  in_host ? "." : "", attempts->region_host);
    buf_init_in(&path, &attempts->arena);
    buf_put_text(&path, endpoint->base);
    if (!in_host) {
        buf_put_u8(&path, '/');
        s3_put_encoded(&path, bytes_of_text(call->bucket), false);
    }
    if (call->key != NULL || path.size == 0) {
        buf_put_u8(&path, '/');
        s3_put_encoded(&path, bytes_of_text(call->key == NULL ? "" : call->key), true);
    }
    attempts->path = buf_bytes(&path);
    attempts->url =
        (const char *)arena_printf(&attempts->arena, "%s%.*s%.*s%s%.*s%c", endpoint->scheme,
                                   BYTES_ARGS(attempts->host), BYTES_ARGS(attempts->path),
                                   call->query.size > 0 ? "?" : "", BYTES_ARGS(call->query), '\0')
            .data;
    return true;
}

static void add(struct http_field *fields, size_t *count, const char *name, struct bytes value)
{
    fields[(*count)++] = (struct http_field){bytes_of_text(name), value};
}

#define FIELDS_MOST (S3_FIELDS_MOST + 7)

/* All fields, the signature last. */
static size_t sign(const struct attempts *attempts, struct arena *arena,
                   struct http_field fields[FIELDS_MOST])
{
    const struct s3_endpoint *endpoint = attempts->endpoint;
    const struct s3_call *call = attempts->call;
    struct signature_header headers[FIELDS_MOST];
    uint64_t now = clock_micros();
    char *time = arena_alloc(arena, SIGNATURE_TIME_SIZE);
    struct signature_signer signer = endpoint->signer;
    struct buf authorization;
    size_t count = 0;

    signer.region = attempts->region;
    signature_time(now, time);
    add(fields, &count, "Host", attempts->host);
    add(fields, &count, "X-Amz-Date", bytes_of_text(time));
    add(fields, &count, "X-Amz-Content-Sha256", bytes_of_text(attempts->payload_hash));
    if (endpoint->token.size > 0)
        add(fields, &count, "X-Amz-Security-Token", endpoint->token);
    for (size_t i = 0; i < call->field_count; i++)
        fields[count++] = call->fields[i];
    if (attempts->offset > 0) {
        add(fields, &count, "Range",
            arena_printf(arena, "bytes=%llu-", (unsigned long long)attempts->offset));
        add(fields, &count, "If-Match", attempts->etag);
    }
    for (size_t i = 0; i < count; i++)
        headers[i] = (struct signature_header){fields[i].name, fields[i].value};
    buf_init_in(&authorization, arena);
    signature_sign(&signer,
                   &(struct signature_request){bytes_of_text(call->method), attempts->path,
                                               call->query, headers, count},
                   bytes_of_text(attempts->payload_hash), now, &authorization);
    add(fields, &count, "Authorization", buf_bytes(&authorization));
    return count;
}

/* A get that goes on must go on where it was. */
static bool piece_take(void *context, struct bytes piece, struct err *err)
{
    struct attempts *attempts = context;

    if (attempts->resuming && attempts->answer->status != 206)
        return store_broken(err,
                            "reading %s broke off, and the endpoint does not go on in the middle",
                            attempts->call->key);
    if (attempts->etag.size == 0)
        attempts->etag = arena_copy(&attempts->arena, http_answer_field(attempts->answer, "ETag"));
    if (!attempts->call->take(attempts->call->context, piece, err))
        return false;
    attempts->offset += piece.size;
    return true;
}

/* Takes down the region that a refusal names, in a field or in its document. (S3 User
 * Guide, "Request redirection and the REST API"; botocore, S3RegionRedirectorv2) */
static bool region_take(struct attempts *attempts)
{
    const struct http_answer *answer = attempts->answer;
    struct s3_endpoint *endpoint = attempts->endpoint;
    struct bytes region = http_answer_field(answer, "x-amz-bucket-region");
    struct error_document document = {0};

    if (answer->status / 100 != 3 && answer->status != 400)
        return false;
    if (region.size == 0 && xml_read(buf_bytes(&answer->body), error_leaf, &document))
        region = bytes_of_text(document.region);
    if (!s3_region_is_valid(region))
        return false;
    const char *host = s3_region_host(endpoint->host, region, &attempts->arena);
    if (bytes_equal(region, attempts->region) && strcmp(host, attempts->region_host) == 0)
        return false;
    s3_regions_keep(&endpoint->regions, attempts->call->bucket, region);
    return true;
}

static bool answer_judge(struct attempts *attempts, bool *again, struct err *err)
{
    const struct s3_call *call = attempts->call;
    const struct http_answer *answer = attempts->answer;

    if (answer->status / 100 == 2)
        return call->judge == NULL || call->judge(call->context, answer, again, err);
    attempts->elsewhere = region_take(attempts);
    if (s3_refusal(answer, again, err) ||
        (strcmp(call->method, "HEAD") == 0 && bare_refusal(answer, again, err)))
        return false;
    *again = status_passes(answer->status);
    return store_broken(err, "%s %.*s: status %d, and the answer is no error of S3", call->method,
                        (int)strcspn(attempts->url, "?"), attempts->url, answer->status);
}

/* How long an attempt may last at most; 0: as long as it moves, since a get has any length. */
static unsigned attempt_ms(const struct attempts *attempts)
{
    const struct s3_call *call = attempts->call;
    uint64_t now = clock_monotonic_micros();
    uint64_t least = now + ATTEMPT_LEAST_MICROS;

    if (call->take != NULL)
        return 0;
    if (call->patience_s == 0)
        return attempts->endpoint->client.stall_s * 1000 +
               (unsigned)(call->body.size / SPEED_LEAST * 1000);
    return (unsigned)(((attempts->until > least ? attempts->until : least) - now) / 1000);
}

static bool attempt(struct attempts *attempts, struct http_client *client, bool *again,
                    struct err *err)
{
    struct arena_mark mark = arena_mark(&attempts->arena);
    struct http_field fields[FIELDS_MOST];
    const struct s3_call *call = attempts->call;
    struct http_call sent = {.method = call->method,
                             .url = attempts->url,
                             .fields = fields,
                             .field_count = sign(attempts, &attempts->arena, fields),
                             .body = call->body,
                             .timeout_ms = attempt_ms(attempts),
                             .stop = call->stop,
                             .take = call->take == NULL ? NULL : piece_take,
                             .context = attempts};

    *again = attempts->elsewhere = false;
    attempts->resuming = attempts->offset > 0;
    enum http_outcome outcome = http_client_call(client, &sent, attempts->answer, err);
    attempts->sent += attempts->answer->sent;
    if (attempts->resuming || attempts->offset == 0)
        arena_rewind(&attempts->arena, mark); /* else the etag lies behind it */
    if (outcome == HTTP_ENDED)
        return false;
    if (outcome == HTTP_ANSWERED)
        return answer_judge(attempts, again, err);
    *again = outcome == HTTP_BROKEN && (attempts->offset == 0 || attempts->etag.size > 0);
    store_blamed(err);
    return false;
}

/* An attempt that S3 sends elsewhere has begun nothing and counts for nothing. Once a call, so that
 * nobody leads us round in circles. */
static bool attempt_or_turn(struct attempts *attempts, struct http_client *client, bool *again,
                            struct err *err)
{
    bool ok = attempt(attempts, client, again, err);

    if (!attempts->elsewhere || attempts->turned)
        return ok;
    attempts->turned = true;
    attempts->sent--;
    return address(attempts, err) && attempt(attempts, client, again, err);
}

static bool send(struct attempts *attempts, struct err *err)
{
    struct s3_endpoint *endpoint = attempts->endpoint;
    struct http_client *client = client_take(endpoint);
    struct err failure = {0};
    unsigned count = 1;
    bool ok, again;

    for (;; count++) {
        ok = attempt_or_turn(attempts, client, &again, &failure);
        if (ok || !again || count >= endpoint->attempts)
            break;
        uint64_t wait = backoff_micros(endpoint, count);
        if (clock_monotonic_micros() + wait >= attempts->until || !wait_micros(attempts, wait))
            break;
    }
    client_return(endpoint, client);
    if (attempts->call->sent != NULL)
        *attempts->call->sent = attempts->sent;
    if (!ok)
        *err = failure;
    return ok;
}

bool s3_call_send(struct s3_endpoint *endpoint, const struct s3_call *call,
                  struct http_answer *answer, struct err *err)
{
    struct attempts state = {.endpoint = endpoint, .call = call, .answer = answer};
    unsigned patience_s = call->patience_s > 0 ? call->patience_s : PATIENCE_S;

    state.until = clock_monotonic_micros() + patience_s * SECOND_MICROS;
    arena_init(&state.arena);
    if (endpoint->tls && call->has_md5)
        memcpy(state.payload_hash, UNSIGNED, sizeof UNSIGNED);
    else
        signature_hash(call->body, state.payload_hash);
    bool ok = address(&state, err) && send(&state, err);
    arena_release(&state.arena);
    return ok;
}
