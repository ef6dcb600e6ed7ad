/* api/request.c - the life of a request around its run: its id, its reply when it fails. */
#include "api/api.h"

#include <assert.h>

#include "base/log.h"
#include "base/random.h"
#include "json/writer.h"

#define ID_ALPHABET       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define ID_LETTERS        (sizeof ID_ALPHABET - 1)
#define ID_DIGITS_PER_U64 12 /* 36^12 < 2^64 */

/* Bytes that a request hands on to the next one in its place: an ordinary call fits. */
#define ARENA_KEPT ((size_t)64 * 1024)
#define REPLY_KEPT ((size_t)64 * 1024)

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

/* A new request around an empty arena and an empty reply. */
static void request_begin(struct request *request, struct api *api, struct arena arena,
                          struct buf reply)
{
    *request =
        (struct request){.api = api, .arena = arena, .reply = reply, .reply_type = TYPE_JSON_1_0};
    id_make(api, request->id);
}

void request_init(struct request *request, struct api *api)
{
    struct arena arena;
    struct buf reply;

    arena_init(&arena);
    buf_init(&reply);
    request_begin(request, api, arena, reply);
}

/* Where its client left while it waited, the work is still held. */
static void request_end(struct request *request)
{
    if (request->state == REQUEST_READ || request->state == REQUEST_SUBMITTED)
        work_release(&request->work);
}

void request_release(struct request *request)
{
    request_end(request);
    buf_release(&request->reply);
    arena_release(&request->arena);
}

void request_reset(struct request *request)
{
    request_end(request);
    arena_reset(&request->arena, ARENA_KEPT);
    buf_reset(&request->reply, REPLY_KEPT);
    request_begin(request, request->api, request->arena, request->reply);
}

/* The service writes "Message" where its framework refuses and where its model of a transaction's
 * exceptions says so, and "message" everywhere else; some refusals have none at all. (dynalite's
 * tests against the service; botocore's model) */
static const char *message_name(enum err_code code)
{
    switch (code) {
    case ERR_SERIALIZATION:
    case ERR_ACCESS_DENIED:
    case ERR_TRANSACTION_CANCELED:
    case ERR_IDEMPOTENT_MISMATCH:
        return "Message";
    default:
        return "message";
    }
}

static void error_put(struct buf *out, const char *type, const char *name, const char *message,
                      struct bytes item, struct bytes reasons)
{
    buf_put_literal(out, "{\"__type\":");
    json_put_string(out, bytes_of_text(type));
    if (message[0] != '\0') {
        buf_printf(out, ",\"%s\":", name);
        json_put_string(out, bytes_of_text(message));
    }
    if (item.size > 0)
        put_item_member(out, "Item", item);
    if (reasons.size > 0) {
        put_member(out, "CancellationReasons");
        buf_put_bytes(out, reasons);
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
                  "message", "Internal server error", BYTES_NONE, BYTES_NONE);
    } else {
        error_put(&request->reply, type, message_name(err->code), err->message,
                  err->code == ERR_CONDITION_FAILED ? request->refused : BYTES_NONE,
                  err->code == ERR_TRANSACTION_CANCELED ? request->reasons : BYTES_NONE);
    }
    request->status = err_status(err->code);
    request_answer(request);
}

void request_keep(struct request *request, void *made)
{
    assert(request->kept == NULL && made != NULL);
    request->kept = made;
    request->mark = arena_mark(&request->arena);
}

/* --- what was asked --------------------------------------------------------------------------- */

const struct value_node *request_member(const struct request *request, const char *name)
{
    return node_member(request->input, name);
}

struct bytes request_text(const struct request *request, const char *name)
{
    const struct value_node *node = request_member(request, name);

    return node != NULL ? node->text : BYTES_NONE;
}

bool request_is(const struct request *request, const char *name, const char *value)
{
    return bytes_equal(request_text(request, name), bytes_of_text(value));
}

bool request_flag(const struct request *request, const char *name)
{
    return request_integer(request, name, 0) != 0;
}

int64_t request_integer(const struct request *request, const char *name, int64_t fallback)
{
    const struct value_node *node = request_member(request, name);

    return node != NULL ? node->integer : fallback;
}

bool node_item(const struct value_node *node, struct bytes *out, struct err *err)
{
    if (node->item.invalid != NULL) {
        *err = *node->item.invalid;
        return false;
    }
    *out = node->item.packed;
    return true;
}

bool node_item_older(const struct value_node *node, struct bytes *out, struct err *err)
{
    if (node_item(node, out, err))
        return true;
    if (node->item.older.size > 0)
        err_fail(err, ERR_VALIDATION, "%.*s", BYTES_ARGS(node->item.older));
    return false;
}

bool node_item_to_put(const struct value_node *node, struct bytes *out, struct err *err)
{
    struct bytes item;

    if (!node_item(node, &item, err))
        return false;
    if (item_size(item) > ITEM_SIZE_MOST)
        return err_fail(err, ERR_VALIDATION, "Item size has exceeded the maximum allowed size");
    *out = item;
    return true;
}

bool return_values_old(const struct request *request, const char *envelope, struct err *err)
{
    return request_member(request, "ReturnValues") == NULL ||
           request_is(request, "ReturnValues", "ALL_OLD") ||
           request_is(request, "ReturnValues", "NONE") ||
           err_fail(err, ERR_VALIDATION, "%sReturnValues can only be ALL_OLD or NONE", envelope);
}

struct bytes request_table_name(const struct request *request)
{
    struct bytes given = request_text(request, "TableName");
    struct bytes prefix = tables_arn(request->api->tables);

    return bytes_begin(given, prefix) ? bytes_from(given, prefix.size) : given;
}
