/* test/support/api_call.c - a request whose waiter is a blocker's. */
#include "support/api_call.h"

#include <stdio.h>

static struct blocker *blocker_of(struct waiter *waiter)
{
    return &((struct api_call *)((char *)waiter - offsetof(struct request, waiter)))->blocker;
}

static void call_park(struct waiter *waiter)
{
    struct blocker *blocker = blocker_of(waiter);

    blocker->waiter.park(&blocker->waiter);
}

static void call_wake(struct waiter *waiter)
{
    struct blocker *blocker = blocker_of(waiter);

    blocker->waiter.wake(&blocker->waiter);
}

void api_call_begin(struct api_call *call, struct api *api, const char *operation,
                    struct bytes body)
{
    struct request *request = &call->request;

    snprintf(call->target, sizeof call->target, "DynamoDB_20120810.%s", operation);
    request_init(request, api);
    blocker_init(&call->blocker);
    request->waiter = (struct waiter){call_park, call_wake};
    request->target = bytes_of_text(call->target);
    request->content_type = BYTES("application/x-amz-json-1.0");
    request->host = BYTES("127.0.0.1:8000");
    request->body = body;
    call->answered = api_run(request);
}

int api_call_end(struct api_call *call, struct buf *reply)
{
    struct request *request = &call->request;

    while (!call->answered) {
        blocker_wait(&call->blocker);
        call->answered = api_run(request);
    }
    buf_put_bytes(reply, buf_bytes(&request->reply));
    buf_put_u8(reply, '\0');
    int status = request->status;
    blocker_release(&call->blocker);
    request_release(request);
    return status;
}

int api_call(struct api *api, const char *operation, struct bytes body, struct buf *reply)
{
    struct api_call call;

    api_call_begin(&call, api, operation, body);
    return api_call_end(&call, reply);
}
