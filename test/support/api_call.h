/* test/support/api_call.h - a call of the API from a thread that blocks, without a socket. */
#ifndef SUPPORT_API_CALL_H
#define SUPPORT_API_CALL_H

#include "api/request.h"

/* Runs `operation` ("PutItem") with a body to its end and answers the HTTP status. `reply` gets the
 * reply's text, with a NUL behind it; release it. */
int api_call(struct api *api, const char *operation, struct bytes body, struct buf *reply);

#endif
