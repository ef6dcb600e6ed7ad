/* test/support/api_call.h - a call of the API from a thread that blocks, without a socket. */
#ifndef SUPPORT_API_CALL_H
#define SUPPORT_API_CALL_H

#include "api/request.h"

/* One call, in steps: begun, it runs until it must wait; ended, it is waited for. Stays where it is
 * between the two. */
struct api_call {
    struct request request;
    struct blocker blocker;
    char target[128];
    bool answered;
};
void api_call_begin(struct api_call *call, struct api *api, const char *operation,
                    struct bytes body);
int api_call_end(struct api_call *call, struct buf *reply);

/* Runs `operation` ("PutItem") with a body to its end and answers the HTTP status. `reply` gets the
 * reply's text, with a NUL behind it; release it. */
int api_call(struct api *api, const char *operation, struct bytes body, struct buf *reply);

#endif
