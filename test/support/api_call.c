/* test/support/api_call.c - a request whose waiter is a blocker's. */
#include "support/api_call.h"

#include <stdio.h>

struct called {
    struct request request;
    struct blocker blocker;
};

static struct blocker *blocker_of(struct waiter *waiter)
{
    return &((struct called *)((char *)waiter - offsetof(struct request, waiter)))->blocker;
}

static void called_park(struct waiter *waiter)
{
    struct blocker *blocker = blocker_of(waiter);

    blocker->waiter.park(&blocker->waiter);
}

static void called_wake(struct waiter *waiter)
{
    struct blocker *blocker = blocker_of(waiter);

    blocker->waiter.wake(&blocker->waiter);
}

int api_call(struct api *api, const char *operation, struct bytes body, struct buf *reply)
{
    struct called called;
    struct request *request = &called.request;
    char target[128];

    snprintf(target, sizeof target, "DynamoDB_20120810.%s", operation);
    request_init(request, api);
    blocker_init(&called.blocker);
    request->waiter = (struct waiter){called_park, called_wake};
    request->target = bytes_of_text(target);
    request->content_type = BYTES("application/x-amz-json-1.0");
    request->host = BYTES("127.0.0.1:8000");
    request->body = body;
    while (!api_run(request))
        blocker_wait(&called.blocker);
    buf_put_bytes(reply, buf_bytes(&request->reply));
    buf_put_u8(reply, '\0');
    int status = request->status;
    blocker_release(&called.blocker);
    request_release(request);
    return status;
}
