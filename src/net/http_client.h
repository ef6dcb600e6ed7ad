/* net/http_client.h - HTTP/1.1 requests, over libcurl, which nobody else includes. A client keeps
 * its connection from one call to the next and serves one thread at a time; calls block. Redirects
 * are answers, not followed. Proxies are those of the environment, as curl reads it. */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/stop.h"

struct http_client;

struct http_client_settings {
    const char *ca_file;      /* PEM; NULL: the system's. Borrowed */
    unsigned connect_s;       /* for a connection, TLS included */
    unsigned stall_s;         /* an answer or body that stands still for so long has failed */
    const _Atomic bool *stop; /* a call ends, broken, within a second of this; borrowed */
};

struct http_client *http_client_new(const struct http_client_settings *settings);
void http_client_free(struct http_client *client);

struct http_field {
    struct bytes name, value;
};

/* All borrowed. A Host field, if given, is sent as it is. */
struct http_call {
    const char *method, *url;
    const struct http_field *fields;
    size_t field_count;
    struct bytes body;   /* with PUT and POST, which always send a length */
    unsigned timeout_ms; /* for all of it; 0: none but those of the client */
    struct stop stop;    /* asked at least once a second; then the call ends, broken */
    /* Takes the body of a 2xx answer as it comes, when the answer's status and fields are there;
     * false, with err filled, ends the call. NULL: the body is kept, as it is for all other
     * answers. */
    bool (*take)(void *context, struct bytes piece, struct err *err);
    void *context;
};

/* Ours: a page of a listing, 1000 keys of 1024 bytes with each byte escaped, is under half of it.
 */
#define HTTP_ANSWER_MOST ((size_t)8 * 1024 * 1024)
/* Ours: bytes of header fields that are kept; that come in all, of interim answers too. */
#define HTTP_FIELDS_MOST ((size_t)32 * 1024)
#define HTTP_HEADER_MOST ((size_t)256 * 1024)

struct http_answer {
    int status;
    unsigned
        sent; /* times the request was: where a kept connection was lost it is sent once more */
    struct buf fields; /* "name: value\n" each, of the last header block */
    struct buf body;
};
void http_answer_init(struct http_answer *answer);
void http_answer_release(struct http_answer *answer);
/* The value of a field, its name in any case; empty if there is none. Borrowed. */
struct bytes http_answer_field(const struct http_answer *answer, const char *name);

enum http_outcome {
    HTTP_ANSWERED, /* whatever the status */
    HTTP_BROKEN,   /* no whole answer came: ERR_STORE, a plain sentence */
    HTTP_HOPELESS, /* nor will one: a certificate that is not trusted, a file that is none */
    HTTP_ENDED,    /* by `take`, whose err it is */
};
/* The answer begins anew with each call; its fields and status are also of use when it broke off.
 */
enum http_outcome http_client_call(struct http_client *client, const struct http_call *call,
                                   struct http_answer *answer, struct err *err);

#endif
