/* http/call.c - the life of one HTTP request. libmicrohttpd calls call_step() on the connection's
 * loop, again and again: once with the headers, once for each piece of the body, once at its end.
 * A request that is parked leaves its loop (the connection is suspended before anybody can wake it)
 * and comes back to it by the same door.
 *
 * Two requests in one are the danger of HTTP: where the length of a body is in doubt, so is the
 * beginning of the next request, and a proxy before us may see it elsewhere. libmicrohttpd refuses
 * most of that itself; framing_check() refuses what it lets through, and closes.
 *
 * What the service answers to what is no call of its API is from dynalite's tests against it
 * (test/connection.js). */
#include "http/call.h"

#include <isa-l/crc.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/clock.h"

/* A body that is too large is still read up to here, so that its client, who writes before it
 * reads, gets to see the reply. Ours. */
#define SWALLOW_MOST ((size_t)64 << 20)

/* Room that a body is given on its header's word alone. */
#define BODY_TRUSTED ((size_t)1 << 20)

/* Calls that have ended and are kept for the next ones, and the body's room that each may keep. */
#define SPARE_MOST 256
#define BODY_KEPT  ((size_t)64 * 1024)

#define CORS_AGE "172800" /* seconds; the service's */

#define UNKNOWN_TEXT "<UnknownOperationException/>\n"

static struct call *call_of(struct waiter *waiter)
{
    return (struct call *)((char *)waiter - offsetof(struct call, request.waiter));
}

static void request_suspend(struct waiter *waiter)
{
    MHD_suspend_connection(call_of(waiter)->connection);
}

static void request_resume(struct waiter *waiter)
{
    MHD_resume_connection(call_of(waiter)->connection);
}

static struct call *spare_take(struct http *http)
{
    pthread_mutex_lock(&http->spare_lock);
    struct call *call = http->spare;
    if (call != NULL) {
        http->spare = call->next;
        http->spare_count--;
    }
    pthread_mutex_unlock(&http->spare_lock);
    return call;
}

/* False: there are enough. */
static bool spare_put(struct http *http, struct call *call)
{
    pthread_mutex_lock(&http->spare_lock);
    bool kept = http->spare_count < SPARE_MOST;
    if (kept) {
        call->next = http->spare;
        http->spare = call;
        http->spare_count++;
    }
    pthread_mutex_unlock(&http->spare_lock);
    return kept;
}

static void call_destroy(struct call *call)
{
    request_release(&call->request);
    buf_release(&call->body);
    free(call);
}

void calls_release(struct http *http)
{
    for (struct call *call; (call = spare_take(http)) != NULL;)
        call_destroy(call);
}

static struct call *call_make(struct http *http)
{
    struct call *call = malloc(sizeof *call);

    if (call == NULL)
        abort();
    buf_init(&call->body);
    request_init(&call->request, http->api);
    return call;
}

struct call *call_new(struct http *http, struct MHD_Connection *connection, const char *uri)
{
    struct call *call = spare_take(http);

    if (call == NULL)
        call = call_make(http);
    call->http = http;
    call->connection = connection;
    call->peer =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    call->phase = CALL_HEAD;
    call->received = 0;
    call->refused = ERR_NONE;
    call->closing = false;
    call->header_count = 0;
    call->request.waiter = (struct waiter){request_suspend, request_resume};
    struct bytes whole = arena_copy(&call->request.arena, bytes_of_text(uri));
    const uint8_t *mark = whole.size == 0 ? NULL : memchr(whole.data, '?', whole.size);
    size_t length = mark == NULL ? whole.size : (size_t)(mark - whole.data);
    call->path = bytes_of(whole.data, length);
    call->query = mark == NULL ? BYTES_NONE : bytes_from(whole, length + 1);
    return call;
}

/* Counts one down; who stops us waits for 0. */
static void count_down(struct http *http, _Atomic size_t *count)
{
    if (atomic_fetch_sub(count, 1) > 1 || !atomic_load(&http->stopping))
        return;
    pthread_mutex_lock(&http->lock);
    pthread_cond_broadcast(&http->drained);
    pthread_mutex_unlock(&http->lock);
}

void call_free(struct call *call)
{
    struct http *http = call->http;
    enum call_phase phase = call->phase;

    atomic_fetch_sub_explicit(&http->body_bytes, call->received, memory_order_relaxed);
    peer_limit(call->peer, http->settings.idle_ms);
    request_reset(&call->request);
    buf_reset(&call->body, BODY_KEPT);
    if (!spare_put(http, call))
        call_destroy(call);
    if (phase == CALL_RUNNING)
        count_down(http, &http->running);
    if (phase != CALL_HEAD)
        count_down(http, &http->in_flight);
}

/* --- replies ---------------------------------------------------------------------------------- */

/* `body` must live until call_free(). */
static struct MHD_Response *reply_begin(const struct call *call, struct bytes body)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body.size, (void *)(uintptr_t)body.data, MHD_RESPMEM_PERSISTENT);

    if (response == NULL)
        abort();
    MHD_add_response_header(response, "Server", "Server"); /* as the service says it */
    MHD_add_response_header(response, "x-amzn-RequestId", call->request.id);
    if (call->closing || atomic_load_explicit(&call->http->stopping, memory_order_relaxed))
        MHD_add_response_header(response, "Connection", "close");
    return response;
}

static enum MHD_Result reply_end(struct call *call, int status, struct MHD_Response *response)
{
    if (call->phase == CALL_RUNNING)
        count_down(call->http, &call->http->running);
    call->phase = CALL_REPLIED;
    peer_limit(call->peer, call->http->settings.reply_ms);
    enum MHD_Result result = MHD_queue_response(call->connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return result;
}

static struct bytes header_of(const struct call *call, const char *name)
{
    for (size_t i = 0; i < call->header_count; i++)
        if (call->headers[i].name.size == strlen(name) &&
            strncasecmp((const char *)call->headers[i].name.data, name, strlen(name)) == 0)
            return call->headers[i].value;
    return BYTES_NONE;
}

static enum MHD_Result reply(struct call *call, int status, const char *type, struct bytes body)
{
    struct MHD_Response *response = reply_begin(call, body);
    char checksum[16];

    snprintf(checksum, sizeof checksum, "%u", crc32_gzip_refl(0, body.data, body.size));
    MHD_add_response_header(response, "x-amz-crc32", checksum);
    if (type != NULL)
        MHD_add_response_header(response, "Content-Type", type);
    if (header_of(call, "Origin").data != NULL)
        MHD_add_response_header(response, "Access-Control-Allow-Origin", "*");
    return reply_end(call, status, response);
}

static enum MHD_Result reply_request(struct call *call)
{
    return reply(call, call->request.status, call->request.reply_type,
                 buf_bytes(&call->request.reply));
}

/* What follows on this connection is in doubt. */
static enum MHD_Result reply_misframed(struct call *call, int status)
{
    call->closing = true;
    return reply_end(call, status, reply_begin(call, BYTES("")));
}

static void request_refuse(struct call *call)
{
    struct err err;

    err_fail(&err, call->refused, "%s", "");
    request_fail(&call->request, &err);
}

/* --- what is no call of the API --------------------------------------------------------------- */

static enum MHD_Result reply_unknown(struct call *call)
{
    return reply(call, 404, NULL, BYTES(UNKNOWN_TEXT));
}

static enum MHD_Result reply_health(struct call *call)
{
    struct bytes text =
        arena_printf(&call->request.arena, "healthy: dynamodb.%s.amazonaws.com ",
                     call->http->settings.region); /* the blank at the end is the service's */

    return reply(call, 200, NULL, text);
}

static enum MHD_Result reply_metrics(struct call *call)
{
    struct http *http = call->http;
    struct buf *out = &call->request.reply;

    buf_printf(out, "# TYPE gramme_connections gauge\ngramme_connections %zu\n",
               peers_count(http->peers));
    buf_printf(out, "# TYPE gramme_requests_in_flight gauge\ngramme_requests_in_flight %zu\n",
               atomic_load(&http->in_flight));
    buf_printf(out, "# TYPE gramme_body_bytes gauge\ngramme_body_bytes %zu\n",
               atomic_load(&http->body_bytes));
    api_metrics(http->api, out);
    if (http->settings.metrics != NULL)
        http->settings.metrics(http->settings.metrics_context, out);
    return reply(call, 200, "text/plain; version=0.0.4", buf_bytes(out));
}

/* Shows names of tables and buckets, so it is for those who may call the API: where there are keys,
 * it has to be signed with one of them. */
static bool exports_run(struct call *call, const char *method, struct err *err)
{
    struct request *request = &call->request;
    const struct signature_request signed_request = {bytes_of_text(method), call->path, call->query,
                                                     call->headers, call->header_count};

    if (call->http->settings.credentials != NULL &&
        !signature_check(call->http->checker, &signed_request, BYTES(""), clock_micros(),
                         &request->arena, &request->principal, err))
        return false;
    return api_exports(call->http->api, &request->arena, &request->reply, err);
}

static enum MHD_Result reply_exports(struct call *call, const char *method)
{
    struct request *request = &call->request;
    struct err err;

    if (!exports_run(call, method, &err)) {
        request_fail(request, &err);
        return reply_request(call);
    }
    return reply(call, 200, "application/json", buf_bytes(&request->reply));
}

/* A browser asks what it may send: anything. */
static enum MHD_Result reply_preflight(struct call *call)
{
    static const char *const granted[][2] = {
        {"Access-Control-Request-Headers", "Access-Control-Allow-Headers"},
        {"Access-Control-Request-Method", "Access-Control-Allow-Methods"},
    };
    struct MHD_Response *response = reply_begin(call, BYTES(""));

    MHD_add_response_header(response, "Access-Control-Allow-Origin", "*");
    for (size_t i = 0; i < sizeof granted / sizeof *granted; i++) {
        struct bytes asked = header_of(call, granted[i][0]);
        if (asked.data != NULL)
            MHD_add_response_header(response, granted[i][1],
                                    arena_text(&call->request.arena, asked));
    }
    MHD_add_response_header(response, "Access-Control-Max-Age", CORS_AGE);
    return reply_end(call, 200, response);
}

static enum MHD_Result reply_other(struct call *call, const char *method)
{
    bool get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;

    if (strcmp(method, "OPTIONS") == 0 && header_of(call, "Origin").data != NULL)
        return reply_preflight(call);
    if (get && bytes_equal(call->path, BYTES("/")))
        return reply_health(call);
    if (get && bytes_equal(call->path, BYTES("/metrics")))
        return reply_metrics(call);
    if (get && bytes_equal(call->path, BYTES("/gramme/exports")))
        return reply_exports(call, method);
    return reply_unknown(call);
}

/* --- calls of the API ------------------------------------------------------------------------- */

/* True: the reply is there. */
static bool request_start(struct call *call)
{
    struct request *request = &call->request;
    const struct signature_request signed_request = {BYTES("POST"), call->path, call->query,
                                                     call->headers, call->header_count};
    struct err err;

    request->target = header_of(call, "X-Amz-Target");
    request->content_type = header_of(call, "Content-Type");
    request->host = header_of(call, "Host");
    request->body = buf_bytes(&call->body);
    if (call->refused != ERR_NONE) {
        request_refuse(call);
        return true;
    }
    if (!signature_check(call->http->checker, &signed_request, request->body, clock_micros(),
                         &request->arena, &request->principal, &err)) {
        request_deny(request, &err);
        return true;
    }
    return api_run(request);
}

/* The whole request is there, or it was woken. */
static enum MHD_Result call_run(struct call *call, const char *method)
{
    bool ready;

    if (call->phase == CALL_RUNNING) {
        ready = api_run(&call->request);
    } else {
        atomic_fetch_add(&call->http->running, 1);
        call->phase = CALL_RUNNING;
        if (atomic_load(&call->http->closed))
            return MHD_NO;
        peer_limit(call->peer, 0);
        if (strcmp(method, "POST") != 0) /* its path is nothing to the service (dynalite) */
            return reply_other(call, method);
        ready = request_start(call);
    }
    if (!ready)
        return MHD_YES; /* suspended, and maybe woken already */
    return reply_request(call);
}

/* --- what comes in ---------------------------------------------------------------------------- */

static enum MHD_Result header_take(void *context, enum MHD_ValueKind kind, const char *name,
                                   size_t name_size, const char *value, size_t value_size)
{
    struct call *call = context;

    (void)kind;
    if (call->header_count < SIGNATURE_HEADERS_MOST)
        call->headers[call->header_count] = (struct signature_header){
            bytes_of(name, name_size), bytes_of(value != NULL ? value : "", value_size)};
    call->header_count++;
    return MHD_YES;
}

static bool is_named(struct bytes text, const char *name)
{
    return text.size == strlen(name) && strncasecmp((const char *)text.data, name, text.size) == 0;
}

/* RFC 9110 5.6.2; a blank before the colon is what matters. */
static bool is_token(struct bytes text)
{
    static const bool symbols[128] = {
        ['!'] = true,  ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true,
        ['\''] = true, ['*'] = true, ['+'] = true, ['-'] = true, ['.'] = true,
        ['^'] = true,  ['_'] = true, ['`'] = true, ['|'] = true, ['~'] = true,
    };

    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && !(c >= '0' && c <= '9') && (c > 127 || !symbols[c]))
            return false;
    }
    return text.size > 0;
}

/* Names that are names; one length or one encoding, and no more; an encoding that is exactly
 * "chunked". */
static bool framing_check(const struct call *call)
{
    size_t lengths = 0, encodings = 0;

    for (size_t i = 0; i < call->header_count; i++) {
        if (!is_token(call->headers[i].name))
            return false;
        lengths += is_named(call->headers[i].name, "Content-Length");
        if (!is_named(call->headers[i].name, "Transfer-Encoding"))
            continue;
        encodings++;
        if (!is_named(call->headers[i].value, "chunked"))
            return false;
    }
    return lengths + encodings <= 1;
}

/* The length that the header tells; 0 where it tells none, SIZE_MAX where it is more than a number.
 */
static size_t length_told(const struct call *call)
{
    struct bytes text = header_of(call, "Content-Length");
    size_t length = 0;

    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || length > SIZE_MAX / 16)
            return SIZE_MAX;
        length = length * 10 + (size_t)(text.data[i] - '0');
    }
    return length;
}

static enum MHD_Result head_take(struct call *call)
{
    const struct http_settings *settings = &call->http->settings;

    atomic_fetch_add(&call->http->in_flight, 1);
    call->phase = CALL_BODY;
    peer_limit(call->peer, settings->body_ms);
    MHD_get_connection_values_n(call->connection, MHD_HEADER_KIND, header_take, call);
    if (call->header_count > SIGNATURE_HEADERS_MOST) {
        call->header_count = SIGNATURE_HEADERS_MOST;
        return reply_misframed(call, 431);
    }
    if (!framing_check(call))
        return reply_misframed(call, 400);
    size_t length = length_told(call);
    if (length > settings->body_most)
        call->refused = ERR_REQUEST_TOO_LARGE;
    else if (length > 0)
        buf_room(&call->body, length < BODY_TRUSTED ? length : BODY_TRUSTED);
    if (length <= SWALLOW_MOST)
        return MHD_YES;
    call->closing = true;
    request_refuse(call);
    return reply_request(call);
}

static enum MHD_Result body_take(struct call *call, const char *piece, size_t size)
{
    const struct http_settings *settings = &call->http->settings;
    size_t all = atomic_fetch_add_explicit(&call->http->body_bytes, size, memory_order_relaxed);

    call->received += size;
    if (call->received > settings->body_most)
        call->refused = ERR_REQUEST_TOO_LARGE;
    else if (all + size > settings->bodies_most)
        call->refused = ERR_OVERLOADED;
    if (call->refused != ERR_NONE)
        buf_release(&call->body);
    else
        buf_put(&call->body, piece, size);
    return call->received <= SWALLOW_MOST ? MHD_YES : MHD_NO;
}

enum MHD_Result call_step(struct call *call, const char *method, const char *piece, size_t *size)
{
    switch (call->phase) {
    case CALL_HEAD:
        return head_take(call);
    case CALL_BODY:
        if (*size == 0)
            return call_run(call, method);
        break;
    case CALL_RUNNING:
        return call_run(call, method);
    case CALL_REPLIED:
        return MHD_NO;
    }
    size_t taken = *size;
    *size = 0;
    return body_take(call, piece, taken);
}
