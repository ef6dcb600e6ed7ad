/* net/authorization.h - what a request says about its signature, in its Authorization header or in
 * its query, before any of it is believed. Inside net/ only. */
#ifndef NET_AUTHORIZATION_H
#define NET_AUTHORIZATION_H

#include "net/signature.h"

struct authorization {
    struct bytes algorithm, credential, signed_headers, signature;
    struct bytes time;  /* X-Amz-Date, or Date */
    struct bytes token; /* X-Amz-Security-Token; empty: none */
    /* the credential's elements; all but the first are empty if they are not five */
    struct bytes access_key, date, region, service, terminator;
    struct bytes scope; /* the last four, with the slashes between */
};

/* Borrows from the request and the arena. Fails as signature_check() with the service's messages if
 * there is no signature, or a part of it is missing. Pure. */
MUST_CHECK bool authorization_read(const struct signature_request *request, struct arena *arena,
                                   struct authorization *out, struct err *err);

/* Whether the list of signed headers names it. */
bool authorization_signs(const struct authorization *authorization, struct bytes header);

/* The value of the header, or empty; the first if there are several. */
struct bytes header_find(const struct signature_request *request, struct bytes name);

#endif
