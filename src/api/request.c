/* api/request.c - the life of a request around its run: its id, its reply when it fails. */
#include "api/api.h"

#include "base/log.h"
#include "base/random.h"
#include "json/writer.h"

#define ID_ALPHABET       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define ID_LETTERS        (sizeof ID_ALPHABET - 1)
#define ID_DIGITS_PER_U64 12 /* 36^12 < 2^64 */

#define TYPE_JSON_1_0 "application/x-amz-json-1.0"

/* From a seed that nobody knows and a count, so that no request asks the kernel for random bytes.
 */
static void id_make(struct api *api, char id[REQUEST_ID_SIZE + 1])
{
    uint64_t count = atomic_fetch_add_explicit(&api->id_next, 1, memory_order_relaxed);
    uint64_t state = api->id_seed + (count << 8), digits = 0;

    for (int i = 0; i < REQUEST_ID_SIZE; i++, digits /= ID_LETTERS) {
        if (i % ID_DIGITS_PER_U64 == 0)
            digits = random_next(&state);
        id[i] = ID_ALPHABET[digits % ID_LETTERS];
    }
    id[REQUEST_ID_SIZE] = '\0';
}

void request_init(struct request *request, struct api *api)
{
    *request = (struct request){.api = api, .reply_type = TYPE_JSON_1_0};
    arena_init(&request->arena);
    buf_init(&request->reply);
    id_make(api, request->id);
}

void request_release(struct request *request)
{
    buf_release(&request->reply);
    arena_release(&request->arena);
}

/* The service writes "Message" where its framework refuses and "message" everywhere else; some
 * refusals have none at all. (dynalite's tests against the service) */
static const char *message_name(enum err_code code)
{
    return code == ERR_SERIALIZATION || code == ERR_ACCESS_DENIED ? "Message" : "message";
}

static void error_put(struct buf *out, const char *type, const char *name, const char *message)
{
    buf_put_literal(out, "{\"__type\":");
    json_put_string(out, bytes_of_text(type));
    if (message[0] != '\0') {
        buf_printf(out, ",\"%s\":", name);
        json_put_string(out, bytes_of_text(message));
    }
    buf_put_literal(out, "}");
}

void request_fail(struct request *request, const struct err *err)
{
    const char *type = err_wire(err->code);

    buf_clear(&request->reply);
    if (type == NULL) {
        log_line("request %s failed: %s: %s", request->id, err_name(err->code), err->message);
        error_put(&request->reply, "com.amazonaws.dynamodb.v20120810#InternalServerError",
                  "message", "Internal server error");
    } else {
        error_put(&request->reply, type, message_name(err->code), err->message);
    }
    request->status = err_status(err->code);
    request_answer(request);
}
