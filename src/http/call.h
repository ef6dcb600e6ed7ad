/* http/call.h - one HTTP request and its reply, as libmicrohttpd calls us for it. Inside http/
 * only. */
#ifndef HTTP_CALL_H
#define HTTP_CALL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "http/http.h"
#include "http/peers.h"
#include "net/signature.h"

struct http {
    struct http_settings settings; /* with the defaults filled in */
    struct api *api;
    struct signature_checker *checker;
    struct peers *peers;
    struct MHD_Daemon **loops;
    unsigned loop_count;
    pthread_t acceptor;
    bool accepting;           /* there is an acceptor */
    char *tls_cert, *tls_key; /* the files' text */
    int listener;             /* -1: none */
    _Atomic bool started;     /* everything runs */
    uint16_t port;
    /* Counts of requests: `in_flight` from their headers to the end of their reply, `running` from
     * before `closed` is looked at until the reply is there. Once `closed` is set, what is running
     * only becomes less. */
    _Atomic size_t in_flight, running, body_bytes;
    _Atomic bool stopping; /* replies close their connections */
    _Atomic bool closed;   /* no request runs any more */
    pthread_mutex_t lock;
    pthread_cond_t drained; /* one of the counts has become 0 while stopping */
    pthread_mutex_t spare_lock;
    struct call *spare; /* spare_lock: calls that have ended, to be used again */
    size_t spare_count; /* spare_lock */
};

enum call_phase {
    CALL_HEAD, /* the headers are not complete */
    CALL_BODY,
    CALL_RUNNING, /* parked, or about to run again */
    CALL_REPLIED, /* the reply is queued */
};

struct call {
    struct http *http;
    struct call *next; /* where it is spare */
    struct MHD_Connection *connection;
    struct peer *peer;
    enum call_phase phase;
    struct request request;
    struct bytes path, query; /* as they came; in the request's arena */
    struct buf body;
    size_t received;       /* of the body, kept or not */
    enum err_code refused; /* why the body is not kept: ERR_NONE, REQUEST_TOO_LARGE, OVERLOADED */
    bool closing;          /* the reply ends the connection */
    struct signature_header headers[SIGNATURE_HEADERS_MOST];
    size_t header_count;
};

/* The request line has come. */
struct call *call_new(struct http *http, struct MHD_Connection *connection, const char *uri);

/* The headers are complete; then pieces of the body; then its end, and again whenever the request
 * was woken: libmicrohttpd's contract of an access handler. MHD_NO closes the connection. */
enum MHD_Result call_step(struct call *call, const char *method, const char *piece, size_t *size);

/* The reply is sent, or the connection has ended. */
void call_free(struct call *call);

/* Gives the memory of spare calls back; when no call is left. */
void calls_release(struct http *http);

#endif
