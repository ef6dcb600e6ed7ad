/* api/dispatch.c - one run of a request, and the one place where its failure is told. A request
 * that must wait is parked and run again from the top; what it took from its arena is dropped, its
 * body stays. The state is what was reached, and api_run() goes on from there. */
#include "api/api.h"

#include <stdlib.h>

#include "base/random.h"

#define TARGET_PREFIX "DynamoDB_20120810."

static const struct operation operations[OPERATIONS] = {
#define OP(name_, handler, traits_) {BYTES_INIT(#name_), traits_, shape_##handler, op_##handler},
#include "api/ops.def"
#undef OP
};

static const int statuses[STATUS_KINDS] = {
#define VALUE(status) status,
    API_STATUSES(VALUE)
#undef VALUE
};

struct api *api_new(const struct api_settings *settings)
{
    struct api *api = calloc(1, sizeof *api);

    if (api == NULL)
        abort();
    api->tables = settings->tables;
    api->exports = settings->exports;
    random_fill(&api->id_seed, sizeof api->id_seed);
    return api;
}

void api_free(struct api *api)
{
    free(api);
}

/* --- counting --------------------------------------------------------------------------------- */

void api_metrics(const struct api *api, struct buf *out)
{
    static const char *const kinds[] = {
        [OP_READ] = "read", [OP_WRITE] = "write", [OP_MANAGE] = "manage"};

    buf_put_literal(out, "# HELP gramme_requests_total Requests answered.\n"
                         "# TYPE gramme_requests_total counter\n");
    for (int op = 0; op <= OPERATIONS; op++)
        for (int status = 0; status < STATUS_KINDS; status++) {
            uint64_t count = atomic_load(&api->answered[op][status]);
            if (count == 0)
                continue;
            struct bytes name = op < OPERATIONS ? operations[op].name : BYTES("unknown");
            buf_printf(out,
                       "gramme_requests_total{operation=\"%.*s\",kind=\"%s\",status=\"%d\"} %llu\n",
                       BYTES_ARGS(name), op < OPERATIONS ? kinds[operations[op].traits] : "unknown",
                       statuses[status], (unsigned long long)count);
        }
}

void request_answer(struct request *request)
{
    ptrdiff_t op = request->operation != NULL ? request->operation - operations : OPERATIONS;
    int kind = 0;

    while (kind < STATUS_KINDS - 1 && statuses[kind] != request->status)
        kind++;
    atomic_fetch_add_explicit(&request->api->answered[op][kind], 1, memory_order_relaxed);
    request->state = REQUEST_ANSWERED;
}

/* --- reading ---------------------------------------------------------------------------------- */

static const struct operation *operation_find(struct bytes target)
{
    if (!bytes_begin(target, BYTES(TARGET_PREFIX)))
        return NULL;
    struct bytes name = bytes_from(target, sizeof TARGET_PREFIX - 1);
    for (size_t i = 0; i < OPERATIONS; i++)
        if (bytes_equal(operations[i].name, name))
            return &operations[i];
    return NULL;
}

static bool text_check(struct request *request, struct err *err)
{
    struct json_reader reader;

    json_reader_init(&reader, request->body, &request->arena);
    return request->body.size == 0 || (json_skip(&reader, err) && json_end(&reader, err));
}

/* The service looks at the text before it looks for the operation. */
static bool operation_unknown(struct request *request, struct err *err)
{
    return text_check(request, err) && err_fail(err, ERR_UNKNOWN_OPERATION, "%s", "");
}

static bool request_read(struct request *request, struct err *err)
{
    request->operation = operation_find(request->target);
    if (request->operation == NULL)
        return operation_unknown(request, err);
    if (!shape_read(request->operation->shape, request->body, &request->arena, &request->input,
                    err) ||
        !shape_check(request->input, &request->arena, err) || !names_check(request, err))
        return false;
    request->mark = arena_mark(&request->arena);
    work_init(&request->work, request->api->tables, &request->arena, &request->waiter);
    request->state = REQUEST_READ;
    return true;
}

/* What is no JSON by its own word is not answered in JSON (dynalite's tests: connection). */
static bool content_type_known(struct bytes type)
{
    const uint8_t *end =
        memchr(type.data != NULL ? type.data : (const uint8_t *)"", ';', type.size);

    if (end != NULL)
        type.size = (size_t)(end - type.data);
    while (type.size > 0 && type.data[type.size - 1] == ' ')
        type.size--;
    return bytes_equal(type, BYTES("application/x-amz-json-1.0")) ||
           bytes_equal(type, BYTES("application/json"));
}

static void answer_in_xml(struct request *request)
{
    buf_put_literal(&request->reply, "<UnknownOperationException/>\n");
    request->status = 404;
    request->reply_type = NULL;
    request_answer(request);
}

/* False: it was answered. */
static bool request_open(struct request *request)
{
    if (request->body.size > 0 && !content_type_known(request->content_type)) {
        answer_in_xml(request);
        return false;
    }
    if (!bytes_begin(request->content_type, BYTES("application/x-amz-json-1.0")))
        request->reply_type = "application/json";
    return true;
}

void request_deny(struct request *request, const struct err *err)
{
    struct err earlier;

    if (!request_open(request))
        return;
    request->operation = operation_find(request->target);
    if (request->operation == NULL ? !operation_unknown(request, &earlier)
                                   : !text_check(request, &earlier))
        err = &earlier;
    request_fail(request, err);
}

/* --- running ---------------------------------------------------------------------------------- */

static void request_finish(struct request *request, const struct err *failure)
{
    if (failure != NULL)
        request_fail(request, failure);
    work_release(&request->work);
    if (failure == NULL) {
        request->status = 200;
        request_answer(request);
    }
}

static bool request_step(struct request *request)
{
    struct err err;

    request->state = REQUEST_READ;
    work_restart(&request->work);
    arena_rewind(&request->arena, request->mark);
    buf_clear(&request->reply);
    switch (request->operation->run(request, &err)) {
    case RUN_WAIT:
        return false;
    case RUN_FAILED:
        request_finish(request, &err);
        return true;
    case RUN_DONE:
        break;
    }
    if (request->work.submitted) {
        request->state = REQUEST_SUBMITTED;
        return false;
    }
    request_finish(request, NULL);
    return true;
}

static bool request_committed(struct request *request)
{
    const struct engine_batch *batch = &request->work.batch;
    struct err err;

    switch (batch->outcome) {
    case COMMIT_OK:
        request_finish(request, NULL);
        return true;
    case COMMIT_CONFLICT:
        if (++request->work.conflicts <= WORK_CONFLICTS_MOST)
            return request_step(request);
        err_fail(&err, ERR_STORAGE, "gave up after %u conflicts", request->work.conflicts);
        request_finish(request, &err);
        return true;
    case COMMIT_UNKNOWN:
    case COMMIT_FAILED:
        request_finish(request, batch->err);
        return true;
    }
    abort();
}

bool api_run(struct request *request)
{
    struct err err;

    if (request->state == REQUEST_SUBMITTED)
        return request_committed(request);
    if (request->state == REQUEST_READ)
        return request_step(request);
    if (!request_open(request))
        return true;
    if (!request_read(request, &err)) {
        request_fail(request, &err);
        return true;
    }
    return request_step(request);
}
