/* http/http.h - HTTP/1.1 for the API: takes requests from sockets, checks who signed them, hands
 * them to api/, parks what must wait and sends the replies. Also GET / (health), GET /metrics, GET
 * /gramme/exports, and the answers to browsers that ask for leave (CORS).
 *
 * Every bound on what comes from outside is here or in the settings. */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <sys/socket.h>

#include "api/request.h"
#include "net/credentials.h"

struct http;

/* The service takes 16 MB in one BatchWriteItem, measured in items; this is of their JSON. Ours:
 * the service's own bound on a body is 16 MB as well (dynalite's tests), and the slack is for the
 * escapes and the numbers that are longer as text. */
#define HTTP_BODY_MOST ((size_t)24 << 20)

/* Ours: the request line and all headers; the SDKs send under 2 KB, with a session token under 5.
 */
#define HTTP_HEAD_MOST ((size_t)16 << 10)

/* Ours: memory for the bodies of all requests that are being received or answered. */
#define HTTP_BODIES_MOST ((size_t)256 << 20)

/* Ours, all in milliseconds: until a new connection's first request, from a reply to the next
 * request (its headers complete), for a body, for taking a reply, and for requests in flight when
 * we are told to stop. */
#define HTTP_FIRST_MS 20000u
#define HTTP_IDLE_MS  120000u
#define HTTP_BODY_MS  120000u
#define HTTP_REPLY_MS 120000u
#define HTTP_STOP_MS  5000u

/* All borrowed, until http_stop(). A zero takes the bound above, or one loop. */
struct http_settings {
    const struct sockaddr *address;
    socklen_t address_size;
    unsigned loops;
    unsigned connections;                  /* at one time; more wait to be accepted; 0: 1024 */
    const char *tls_cert, *tls_key;        /* PEM files, both or neither */
    const struct credentials *credentials; /* NULL: a signature must be there, and any will do */
    const char *region;
    size_t body_most, bodies_most;
    unsigned first_ms, idle_ms, body_ms, reply_ms, stop_ms;
    /* Appends what /metrics shows beside what http/ and api/ count; any thread; may be NULL. */
    void (*metrics)(void *context, struct buf *out);
    void *metrics_context;
};

/* Listens and serves until http_stop(). ERR_CONFIG in a sentence for the operator: the address is
 * taken, a certificate does not fit its key. */
struct http *http_start(const struct http_settings *settings, struct api *api, struct err *err);

/* Takes no more connections, lets what is in flight be answered within the bound, then closes. What
 * was submitted is always waited for. Accepts NULL. */
void http_stop(struct http *http);

/* The port it listens on: the one that was found where the settings said 0. */
uint16_t http_port(const struct http *http);

#endif
