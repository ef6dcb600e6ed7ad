/* test/fault/http_server.c - http/ in front of an API that does what the test wants: the functions
 * of api/request.h are defined here instead. X-Amz-Target says what:
 *
 *     Echo      answers the body
 *     Park      the body is a number: parks so many times, each time woken by another thread at
 * once Hold      parks until somebody calls Release Fail      an error of ours
 *
 * usage: http-server LOOPS LIMIT_MS [CREDENTIALS [CERT KEY]]; prints its port; stops gracefully
 * when its standard input ends. LIMIT_MS: all the limits of time. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "http/http.h"

#define PARKS_MOST 1000

struct waiting {
    struct request *request;
    struct waiting *next;
    long parks; /* left */
};

/* --- the API ---------------------------------------------------------------------------------- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct waiting *woken, *held; /* to be woken at once, and on Release */
    bool stopping;
} world = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};

static void *waker_run(void *context)
{
    pthread_mutex_lock(&world.lock);
    while (!world.stopping || world.woken != NULL) {
        struct waiting *waiting = world.woken;
        if (waiting == NULL) {
            pthread_cond_wait(&world.more, &world.lock);
            continue;
        }
        world.woken = waiting->next;
        pthread_mutex_unlock(&world.lock);
        struct waiter *waiter = &waiting->request->waiter;
        waiter->wake(waiter); /* from here on the request may be gone */
        pthread_mutex_lock(&world.lock);
    }
    pthread_mutex_unlock(&world.lock);
    return context;
}

static bool park(struct request *request, struct waiting **list)
{
    struct waiting *waiting = (struct waiting *)(void *)request->input;

    request->waiter.park(&request->waiter);
    pthread_mutex_lock(&world.lock);
    waiting->next = *list;
    *list = waiting;
    pthread_cond_signal(&world.more);
    pthread_mutex_unlock(&world.lock);
    return false;
}

static void release_all(void)
{
    pthread_mutex_lock(&world.lock);
    while (world.held != NULL) {
        struct waiting *waiting = world.held;
        world.held = waiting->next;
        waiting->next = world.woken;
        world.woken = waiting;
    }
    pthread_cond_signal(&world.more);
    pthread_mutex_unlock(&world.lock);
}

void request_init(struct request *request, struct api *api)
{
    *request = (struct request){.api = api, .reply_type = "application/x-amz-json-1.0"};
    arena_init(&request->arena);
    buf_init(&request->reply);
    memset(request->id, 'A', REQUEST_ID_SIZE);
}

void request_release(struct request *request)
{
    buf_release(&request->reply);
    arena_release(&request->arena);
}

void request_reset(struct request *request)
{
    struct api *api = request->api;

    request_release(request);
    request_init(request, api);
}

void request_fail(struct request *request, const struct err *err)
{
    buf_printf(&request->reply, "{\"__type\":\"%s\",\"message\":\"%s\"}",
               err_wire(err->code) != NULL ? err_wire(err->code) : "ours", err->message);
    request->status = err_status(err->code);
}

void request_deny(struct request *request, const struct err *err)
{
    request_fail(request, err);
}

static bool request_answered(struct request *request)
{
    buf_put_bytes(&request->reply, request->body);
    request->status = 200;
    return true;
}

static bool request_begin(struct request *request)
{
    struct waiting *waiting = arena_zalloc(&request->arena, sizeof *waiting);
    struct err err;

    request->input = (struct value_node *)(void *)waiting;
    request->state = REQUEST_READ;
    waiting->request = request;
    if (bytes_equal(request->target, BYTES("Park"))) {
        waiting->parks = strtol(arena_text(&request->arena, request->body), NULL, 10);
        if (waiting->parks > PARKS_MOST)
            waiting->parks = PARKS_MOST;
    }
    if (bytes_equal(request->target, BYTES("Hold")))
        return park(request, &world.held);
    if (bytes_equal(request->target, BYTES("Release")))
        release_all();
    if (!bytes_equal(request->target, BYTES("Fail")))
        return api_run(request);
    err_fail(&err, ERR_STORAGE, "as asked");
    request_fail(request, &err);
    return true;
}

bool api_run(struct request *request)
{
    if (request->state == REQUEST_NEW)
        return request_begin(request);
    struct waiting *waiting = (struct waiting *)(void *)request->input;
    if (waiting->parks-- > 0)
        return park(request, &world.woken);
    return request_answered(request);
}

void api_metrics(const struct api *api, struct buf *out)
{
    (void)api;
    buf_put_literal(out, "test 1\n");
}

bool api_exports(const struct api *api, struct arena *arena, struct buf *out, struct err *err)
{
    (void)api, (void)arena, (void)err;
    buf_put_literal(out, "{}");
    return true;
}

/* --- the server ------------------------------------------------------------------------------- */

static int serve(const struct http_settings *settings)
{
    struct err err;
    pthread_t waker;
    char byte;

    struct http *http = http_start(settings, NULL, &err);
    if (http == NULL) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    pthread_create(&waker, NULL, waker_run, NULL);
    printf("%u\n", http_port(http));
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    http_stop(http);
    pthread_mutex_lock(&world.lock);
    world.stopping = true;
    pthread_cond_signal(&world.more);
    pthread_mutex_unlock(&world.lock);
    pthread_join(waker, NULL);
    puts("stopped");
    return 0;
}

int main(int argc, char **argv)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct credentials *credentials = NULL;
    struct err err;

    if (argc < 3)
        return 2;
    unsigned limit = (unsigned)strtoul(argv[2], NULL, 10);
    if (argc > 3 && (credentials = credentials_open(argv[3], &err)) == NULL) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    int status = serve(&(struct http_settings){
        .address = (const struct sockaddr *)&address,
        .address_size = sizeof address,
        .loops = (unsigned)strtoul(argv[1], NULL, 10),
        .credentials = credentials,
        .region = "us-east-1",
        .first_ms = limit,
        .idle_ms = limit,
        .body_ms = limit,
        .reply_ms = limit,
        .tls_cert = argc > 5 ? argv[4] : NULL,
        .tls_key = argc > 5 ? argv[5] : NULL,
    });
    credentials_close(credentials);
    return status;
}
