/* http/http.c - starts and stops the loops, each a libmicrohttpd daemon with a thread and an epoll
 * of its own, and the thread that accepts for all of them. A new connection goes to the loop that
 * has the fewest, and stays there. (Loops that accept for themselves race for the listening socket,
 * and often one of them wins nearly all of it: the others sleep while it works.) */
#include "http/http.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/call.h"

#define CONNECTIONS 1024u
#define BACKLOG     1024

/* Certificate and key files are small texts. */
#define PEM_MOST ((long)1 << 20)

/* TLS 1.2 and later, in GnuTLS's words. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* In place of the C library's, for libmicrohttpd 0.9.75: where it gets as many events as it has
 * room for (128), it waits for more before it looks at any. If these were all that its clients have
 * to say until they are answered, that is for ever. So it never gets as many. */
__attribute__((visibility("default"))) int epoll_wait(int set, struct epoll_event *events, int most,
                                                      int timeout_ms)
{
    return epoll_pwait(set, events, most > 1 ? most - 1 : most, timeout_ms, NULL);
}

/* --- libmicrohttpd's callbacks ---------------------------------------------------------------- */

static void *on_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
    return call_new(context, connection, uri);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *piece,
                                  size_t *size, void **call)
{
    (void)context, (void)connection, (void)url, (void)version;
    return call_step(*call, method, piece, size);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **call,
                         enum MHD_RequestTerminationCode code)
{
    (void)context, (void)connection, (void)code;
    if (*call != NULL)
        call_free(*call);
    *call = NULL;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **peer,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http *http = context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *peer = peers_add(
            http->peers,
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
        peer_limit(*peer, http->settings.first_ms);
    } else if (*peer != NULL) {
        peers_remove(http->peers, *peer);
        *peer = NULL;
    }
}

/* What the library says while it starts is why it does not; later it complains of clients. */
static void on_log(void *context, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
static void on_log(void *context, const char *format, va_list arguments)
{
    struct http *http = context;
    char line[256];

    if (atomic_load(&http->started))
        return;
    vsnprintf(line, sizeof line, format, arguments);
    log_line("http: %s", line);
}

/* --- start ------------------------------------------------------------------------------------ */

static void settings_fill(struct http_settings *settings)
{
    if (settings->loops == 0)
        settings->loops = 1;
    if (settings->connections == 0)
        settings->connections = CONNECTIONS;
    if (settings->body_most == 0)
        settings->body_most = HTTP_BODY_MOST;
    if (settings->bodies_most == 0)
        settings->bodies_most = HTTP_BODIES_MOST;
    if (settings->first_ms == 0)
        settings->first_ms = HTTP_FIRST_MS;
    if (settings->idle_ms == 0)
        settings->idle_ms = HTTP_IDLE_MS;
    if (settings->body_ms == 0)
        settings->body_ms = HTTP_BODY_MS;
    if (settings->reply_ms == 0)
        settings->reply_ms = HTTP_REPLY_MS;
    if (settings->stop_ms == 0)
        settings->stop_ms = HTTP_STOP_MS;
}

static bool listener_open(struct http *http, struct err *err)
{
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof bound;
    const int one = 1;

    http->listener = socket(http->settings.address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (http->listener < 0 ||
        setsockopt(http->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(http->listener, http->settings.address, http->settings.address_size) != 0 ||
        listen(http->listener, BACKLOG) != 0 ||
        getsockname(http->listener, (struct sockaddr *)&bound, &size) != 0)
        return err_fail(err, ERR_CONFIG, "cannot listen on the address: %s", strerror(errno));
    http->port =
        ntohs(bound.ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)&bound)->sin6_port
                                          : ((const struct sockaddr_in *)&bound)->sin_port);
    return true;
}

static char *pem_read(const char *path, struct err *err)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;

    if (file == NULL) {
        err_fail(err, ERR_CONFIG, "cannot read %s: %s", path, strerror(errno));
        return NULL;
    }
    text = calloc(1, (size_t)PEM_MOST + 1);
    if (text == NULL)
        abort();
    size = fread(text, 1, (size_t)PEM_MOST, file);
    if (ferror(file) || size == (size_t)PEM_MOST) {
        err_fail(err, ERR_CONFIG, "cannot read %s, or it is no PEM file", path);
        free(text);
        text = NULL;
    }
    fclose(file);
    return text;
}

static bool tls_read(struct http *http, struct err *err)
{
    if (http->settings.tls_cert == NULL)
        return true;
    http->tls_cert = pem_read(http->settings.tls_cert, err);
    if (http->tls_cert == NULL)
        return false;
    http->tls_key = pem_read(http->settings.tls_key, err);
    return http->tls_key != NULL;
}

static struct MHD_Daemon *loop_start(struct http *http)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET |
                     MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, http->tls_cert},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, http->tls_key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

    if (http->tls_cert != NULL)
        flags |= MHD_USE_TLS;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, http, MHD_OPTION_EXTERNAL_LOGGER, on_log, http,
        MHD_OPTION_URI_LOG_CALLBACK, on_uri, http, MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_CONNECTION_LIMIT,
        http->settings.connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_HEAD_MOST,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, http->tls_cert != NULL ? tls : none,
        MHD_OPTION_END);
}

static bool loops_start(struct http *http, struct err *err)
{
    http->loops = calloc(http->settings.loops, sizeof(struct MHD_Daemon *));
    if (http->loops == NULL)
        abort();
    while (http->loop_count < http->settings.loops) {
        struct MHD_Daemon *loop = loop_start(http);
        if (loop == NULL)
            return err_fail(err, ERR_CONFIG, "HTTP does not start%s",
                            http->tls_cert != NULL ? ": do certificate and key fit each other?"
                                                   : "");
        http->loops[http->loop_count++] = loop;
    }
    return true;
}

static struct MHD_Daemon *loop_choose(const struct http *http)
{
    struct MHD_Daemon *chosen = NULL;
    unsigned fewest = UINT_MAX;

    for (unsigned i = 0; i < http->loop_count; i++) {
        unsigned now = MHD_get_daemon_info(http->loops[i], MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
                           ->num_connections;
        if (now < fewest) {
            fewest = now;
            chosen = http->loops[i];
        }
    }
    return chosen;
}

/* What the system is short of (descriptors, memory) comes back when a peer goes. */
static bool accept_later(int reason)
{
    return reason == EMFILE || reason == ENFILE || reason == ENOBUFS || reason == ENOMEM;
}

static void *acceptor_run(void *context)
{
    struct http *http = context;

    while (peers_wait(http->peers, http->settings.connections)) {
        struct sockaddr_storage from;
        socklen_t size = sizeof from;
        int peer =
            accept4(http->listener, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (peer >= 0)
            MHD_add_connection(loop_choose(http), peer, (struct sockaddr *)&from, size);
        else if (accept_later(errno))
            peers_wait_change(http->peers);
    }
    return NULL;
}

static bool acceptor_start(struct http *http, struct err *err)
{
    http->accepting = pthread_create(&http->acceptor, NULL, acceptor_run, http) == 0;
    return http->accepting || err_fail(err, ERR_CONFIG, "HTTP has no thread to start with");
}

static void acceptor_stop(struct http *http)
{
    if (!http->accepting)
        return;
    peers_close(http->peers);
    shutdown(http->listener, SHUT_RDWR); /* wakes who waits in accept */
    pthread_join(http->acceptor, NULL);
    http->accepting = false;
}

static void http_free(struct http *http)
{
    acceptor_stop(http);
    for (unsigned i = 0; i < http->loop_count; i++)
        MHD_stop_daemon(http->loops[i]);
    free(http->loops);
    if (http->listener >= 0)
        close(http->listener);
    peers_free(http->peers);
    signature_checker_free(http->checker);
    free(http->tls_cert);
    free(http->tls_key);
    pthread_cond_destroy(&http->drained);
    pthread_mutex_destroy(&http->lock);
    calls_release(http);
    pthread_mutex_destroy(&http->spare_lock);
    free(http);
}

struct http *http_start(const struct http_settings *settings, struct api *api, struct err *err)
{
    struct http *http = calloc(1, sizeof *http);
    pthread_condattr_t attributes;

    if (http == NULL)
        abort();
    http->settings = *settings;
    settings_fill(&http->settings);
    http->api = api;
    http->listener = -1;
    pthread_mutex_init(&http->lock, NULL);
    pthread_mutex_init(&http->spare_lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&http->drained, &attributes);
    pthread_condattr_destroy(&attributes);
    http->checker = signature_checker_new(settings->credentials, settings->region, "dynamodb");
    http->peers = peers_new();
    if (!tls_read(http, err) || !listener_open(http, err) || !loops_start(http, err) ||
        !acceptor_start(http, err)) {
        http_free(http);
        return NULL;
    }
    atomic_store(&http->started, true);
    return http;
}

/* --- stop ------------------------------------------------------------------------------------- */

/* Waits until the count is 0, but not beyond the deadline; 0: as long as it takes. */
static void drain(struct http *http, const _Atomic size_t *count, uint64_t deadline)
{
    const struct timespec until = {(time_t)(deadline / SECOND_MICROS),
                                   (long)(deadline % SECOND_MICROS) * 1000};

    pthread_mutex_lock(&http->lock);
    while (atomic_load(count) > 0 && (deadline == 0 || clock_monotonic_micros() < deadline)) {
        if (deadline == 0)
            pthread_cond_wait(&http->drained, &http->lock);
        else
            pthread_cond_timedwait(&http->drained, &http->lock, &until);
    }
    pthread_mutex_unlock(&http->lock);
}

void http_stop(struct http *http)
{
    if (http == NULL)
        return;
    atomic_store(&http->stopping, true);
    acceptor_stop(http);
    drain(http, &http->in_flight,
          clock_monotonic_micros() + http->settings.stop_ms * UINT64_C(1000));
    atomic_store(&http->closed, true);
    drain(http, &http->running, 0);
    http_free(http);
}

uint16_t http_port(const struct http *http)
{
    return http->port;
}
