/* api/request.h - one call of the API, from its body to its reply. A request lives on the heap,
 * with its arena, until its reply is sent; it runs on one thread at a time. */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include "api/shape.h"
#include "table/tables.h"

struct api;

enum request_state {
    REQUEST_NEW,       /* the body was not looked at */
    REQUEST_READ,      /* the body was read and checked: run, or run again */
    REQUEST_SUBMITTED, /* the reply is built and waits for the commit */
    REQUEST_ANSWERED,  /* the reply may go */
};

struct request {
    struct api *api;
    struct waiter waiter; /* its park() and wake() are set by http/ */
    struct arena arena;
    enum request_state state;
    /* what came in, borrowed from http/ for the request's life */
    struct bytes target; /* X-Amz-Target */
    struct bytes content_type;
    struct bytes body;
    struct bytes principal; /* the access key id, for messages */
    /* as it runs */
    const struct operation *operation;
    struct value_node *input; /* the body, by shape */
    struct arena_mark mark;   /* what is behind it is dropped before a rerun */
    struct work work;
    /* the reply */
    int status;
    struct buf reply; /* JSON, on the heap */
    char id[53];      /* x-amzn-RequestId: 52 characters of A-Z0-9 */
};

/* `api` outlives the request. Fill target, content_type, body and the waiter's hooks after init. */
void request_init(struct request *request, struct api *api);
void request_release(struct request *request);

/* Runs the request as far as it goes. True: the reply is ready to be sent. False: it is parked;
 * after its waiter was woken, call again. */
MUST_CHECK bool api_run(struct request *request);

/* The reply for a request that failed before the API saw it (signature, size), same form. */
void request_fail(struct request *request, const struct err *err);

#endif
