/* api/request.h - one call of the API, from its body to its reply. A request lives on the heap,
 * with its arena, until its reply is sent. It runs on one thread, its loop's: whoever wakes its
 * waiter only tells that loop. */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include "api/shape.h"
#include "table/tables.h"

struct api;
struct exports;

/* What all requests share; whatever it names outlives it. */
struct api_settings {
    struct tables *tables;
    struct exports *exports;
};
struct api *api_new(const struct api_settings *settings);
void api_free(struct api *api); /* when no request is left */

/* Appends how many requests were answered, by operation and status, in Prometheus' text form. Any
 * thread. */
void api_metrics(const struct api *api, struct buf *out);

/* Appends what GET /gramme/exports answers: JSON of the exports that run, with how far they are,
 * and of the latest that ended. Any thread. */
MUST_CHECK bool api_exports(const struct api *api, struct arena *arena, struct buf *out,
                            struct err *err);

enum request_state {
    REQUEST_NEW,       /* the body was not looked at */
    REQUEST_READ,      /* the body was read and checked: run, or run again */
    REQUEST_SUBMITTED, /* the reply is built and waits for the commit */
    REQUEST_ANSWERED,  /* the reply may go */
};

#define REQUEST_ID_SIZE 52 /* characters of A-Z0-9, as the service's */

struct request {
    struct api *api;
    struct waiter waiter; /* its park() and wake() are set by http/ */
    struct arena arena;
    enum request_state state;
    /* what came in, borrowed from http/ for the request's life */
    struct bytes target; /* X-Amz-Target */
    struct bytes content_type;
    struct bytes host; /* the Host header: DescribeEndpoints answers it */
    struct bytes body;
    struct bytes principal; /* the access key id, for messages */
    /* as it runs */
    const struct operation *operation; /* NULL: not known, or not known yet */
    struct value_node *input;          /* the body, by shape */
    struct arena_mark mark;            /* what is behind it is dropped before a rerun */
    void *kept; /* what the handler made in its first run for all of them: request_keep() */
    struct work work;
    struct bytes reasons; /* CancellationReasons of a cancelled transaction, as JSON */
    struct bytes refused; /* the item that a failed condition is answered with; empty: none */
    /* the reply */
    int status;
    const char *reply_type;       /* its Content-Type; static; NULL: none */
    struct buf reply;             /* on the heap */
    char id[REQUEST_ID_SIZE + 1]; /* x-amzn-RequestId */
};

/* `api` outlives the request. Fill target, content_type, host, body and the waiter's hooks after
 * init. */
void request_init(struct request *request, struct api *api);
/* Both: answered or not, but never while it is parked. request_reset() makes it a new request, as
 * after init, which keeps some of the memory of the old one. */
void request_release(struct request *request);
void request_reset(struct request *request);

/* Runs the request as far as it goes. True: the reply is ready to be sent. False: it is parked;
 * after its waiter was woken, call again. */
MUST_CHECK bool api_run(struct request *request);

/* The reply for a request that failed before the API saw it (signature, size), same form: it is
 * ready to be sent, and api_run() is not called. */
void request_fail(struct request *request, const struct err *err);

/* The same for a request whose sender is not believed: what the service finds wrong before it looks
 * at the signature (content type, JSON, operation) is told instead. (dynalite's tests: connection)
 */
void request_deny(struct request *request, const struct err *err);

#endif
