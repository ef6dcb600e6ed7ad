/* net/http_client.c - one curl easy handle. All options are set for each call: a handle that is
 * reset keeps its connection, and no call can inherit anything else from the one before it. (curl
 * sets up its global state by itself, under a lock, with the first handle.) */
#include "net/http_client.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <strings.h>

/* Room for the pieces of large bodies; curl's own defaults, 16 and 64 KiB, cost more calls. */
#define TRANSFER_BUFFER 131072L

struct http_client {
    CURL *curl;
    struct http_client_settings settings;
    char trouble[CURL_ERROR_SIZE];
};

/* What curl's callbacks work on. */
struct exchange {
    struct http_client *client;
    const struct http_call *call;
    struct http_answer *answer;
    struct err *err;
    struct curl_slist *fields;
    size_t header_size;
    bool header_whole, ended, too_large;
};

struct http_client *http_client_new(const struct http_client_settings *settings)
{
    struct http_client *client = calloc(1, sizeof *client);

    assert(client != NULL);
    client->settings = *settings;
    client->curl = curl_easy_init();
    assert(client->curl != NULL);
    return client;
}

void http_client_free(struct http_client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    free(client);
}

void http_answer_init(struct http_answer *answer)
{
    answer->status = 0;
    answer->sent = 0;
    buf_init(&answer->fields);
    buf_init(&answer->body);
}

void http_answer_release(struct http_answer *answer)
{
    buf_release(&answer->body);
    buf_release(&answer->fields);
}

static struct bytes trim(struct bytes text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = bytes_from(text, 1);
    while (text.size > 0 && strchr(" \t\r\n", text.data[text.size - 1]) != NULL)
        text.size--;
    return text;
}

struct bytes http_answer_field(const struct http_answer *answer, const char *name)
{
    struct bytes rest = buf_bytes(&answer->fields);
    size_t length = strlen(name);

    while (rest.size > 0) {
        const uint8_t *end = memchr(rest.data, '\n', rest.size);
        size_t size = end == NULL ? rest.size : (size_t)(end - rest.data) + 1;
        if (size > length && rest.data[length] == ':' &&
            strncasecmp((const char *)rest.data, name, length) == 0)
            return trim(bytes_of(rest.data + length + 1, size - length - 1));
        rest = bytes_from(rest, size);
    }
    return BYTES_NONE;
}

/* A line of the header; a status line begins a new one (100 Continue comes before the real one). */
static size_t field_take(char *data, size_t one, size_t size, void *context)
{
    struct exchange *exchange = context;
    struct buf *fields = &exchange->answer->fields;

    (void)one;
    exchange->header_size += size;
    exchange->too_large = exchange->header_size > HTTP_HEADER_MOST;
    if (exchange->too_large)
        return 0;
    exchange->header_whole = data[0] == '\r' || data[0] == '\n';
    if (bytes_begin(bytes_of(data, size), BYTES("HTTP/")))
        buf_clear(fields);
    else if (fields->size + size <= HTTP_FIELDS_MOST)
        buf_put(fields, data, size);
    return size;
}

static void status_take(struct exchange *exchange)
{
    long status = 0;

    curl_easy_getinfo(exchange->client->curl, CURLINFO_RESPONSE_CODE, &status);
    exchange->answer->status = (int)status;
}

/* Less than all of it makes curl end the transfer. */
static size_t body_take(char *data, size_t one, size_t size, void *context)
{
    struct exchange *exchange = context;
    struct buf *body = &exchange->answer->body;

    (void)one;
    status_take(exchange);
    if (exchange->call->take != NULL && exchange->answer->status / 100 == 2) {
        exchange->ended =
            !exchange->call->take(exchange->call->context, bytes_of(data, size), exchange->err);
        return exchange->ended ? 0 : size;
    }
    exchange->too_large = body->size + size > HTTP_ANSWER_MOST;
    if (exchange->too_large)
        return 0;
    buf_put(body, data, size);
    return size;
}

static int sending(void *context, char *to, char *from, int to_port, int from_port)
{
    const struct exchange *exchange = context;

    (void)to, (void)from, (void)to_port, (void)from_port;
    exchange->answer->sent++;
    return CURL_PREREQFUNC_OK;
}

/* curl asks at least once a second. */
static int stop_asked(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct exchange *exchange = context;
    const _Atomic bool *stop = exchange->client->settings.stop;

    (void)a, (void)b, (void)c, (void)d;
    return (stop != NULL && atomic_load(stop)) || stop_is_wanted(&exchange->call->stop);
}

static void field_add(struct exchange *exchange, struct bytes name, struct bytes value)
{
    struct buf line;

    buf_init(&line);
    buf_put_bytes(&line, name);
    buf_put_text(&line, value.size > 0 ? ": " : ";"); /* ";": curl's way to send an empty one */
    buf_put_bytes(&line, value);
    buf_put_u8(&line, '\0');
    struct curl_slist *more = curl_slist_append(exchange->fields, (const char *)line.data);
    assert(more != NULL);
    exchange->fields = more;
    buf_release(&line);
}

/* Fields that curl would add by itself, and that nobody has signed, are left out: an empty one says
 * so. */
static void fields_set(struct exchange *exchange)
{
    static const char *const unwanted[] = {"Expect:", "Content-Type:", "Accept:"};
    const struct http_call *call = exchange->call;

    for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; i++) {
        bool given = false;
        for (size_t j = 0; j < call->field_count; j++)
            given |= call->fields[j].name.size == strlen(unwanted[i]) - 1 &&
                     strncasecmp((const char *)call->fields[j].name.data, unwanted[i],
                                 call->fields[j].name.size) == 0;
        if (!given) {
            struct curl_slist *more = curl_slist_append(exchange->fields, unwanted[i]);
            assert(more != NULL);
            exchange->fields = more;
        }
    }
    for (size_t j = 0; j < call->field_count; j++)
        field_add(exchange, call->fields[j].name, call->fields[j].value);
    curl_easy_setopt(exchange->client->curl, CURLOPT_HTTPHEADER, exchange->fields);
}

static void method_set(CURL *curl, const struct http_call *call)
{
    bool has_body = strcmp(call->method, "PUT") == 0 || strcmp(call->method, "POST") == 0;

    if (strcmp(call->method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    if (!has_body)
        return;
    /* Borrowed by curl, which so can send it again on a fresh connection where it finds that the
     * kept one was closed. */
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                     call->body.size > 0 ? (const char *)call->body.data : "");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.size);
}

static void limits_set(CURL *curl, const struct http_client_settings *settings)
{
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)settings->connect_s);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)settings->stall_s);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXCONNECTS, 1L); /* else what the other side closed lingers */
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, TRANSFER_BUFFER);
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, TRANSFER_BUFFER);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (settings->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, settings->ca_file);
}

static void options_set(struct exchange *exchange)
{
    CURL *curl = exchange->client->curl;

    curl_easy_reset(curl);
    limits_set(curl, &exchange->client->settings);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)exchange->call->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_URL, exchange->call->url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "gramme");
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, exchange->client->trouble);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, field_take);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, body_take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, sending);
    curl_easy_setopt(curl, CURLOPT_PREREQDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, stop_asked);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, exchange);
    method_set(curl, exchange->call);
    fields_set(exchange);
}

/* What the wire would take for the end of a field. */
static bool fields_sound(const struct http_call *call)
{
    for (size_t i = 0; i < call->field_count; i++)
        for (size_t j = 0; j < call->fields[i].value.size; j++)
            if (call->fields[i].value.data[j] < ' ' || call->fields[i].value.data[j] == 0x7f)
                return false;
    return true;
}

static enum http_outcome broken(const struct exchange *exchange, const char *why)
{
    const struct http_call *call = exchange->call;

    err_fail(exchange->err, ERR_STORE, "%s %.*s: %s", call->method, (int)strcspn(call->url, "?"),
             call->url, why);
    return HTTP_BROKEN;
}

/* What time does not mend. */
static bool is_hopeless(CURLcode code)
{
    switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return true;
    default:
        return false;
    }
}

enum http_outcome http_client_call(struct http_client *client, const struct http_call *call,
                                   struct http_answer *answer, struct err *err)
{
    struct exchange exchange = {.client = client, .call = call, .answer = answer, .err = err};

    answer->status = 0;
    answer->sent = 0;
    buf_clear(&answer->fields);
    buf_clear(&answer->body);
    client->trouble[0] = '\0';
    if (!fields_sound(call))
        return broken(&exchange, "a header field would hold a control character");
    options_set(&exchange);
    CURLcode code = curl_easy_perform(client->curl);
    status_take(&exchange);
    curl_slist_free_all(exchange.fields);
    if (exchange.ended)
        return HTTP_ENDED;
    if (exchange.too_large)
        return broken(&exchange, "the answer is larger than any that was asked for");
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return broken(&exchange, "given up, as it was told to");
    if (code == CURLE_OK && !exchange.header_whole) /* which curl takes for an end */
        return broken(&exchange, "the answer broke off amid its fields");
    if (code == CURLE_OK)
        return HTTP_ANSWERED;
    broken(&exchange, client->trouble[0] != '\0' ? client->trouble : curl_easy_strerror(code));
    return is_hopeless(code) ? HTTP_HOPELESS : HTTP_BROKEN;
}
