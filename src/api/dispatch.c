/* api/dispatch.c - from a request's target to its operation, and the counts of what was answered.
 */
#include "api/api.h"

#include <stdlib.h>

#include "base/random.h"

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
    random_fill(&api->id_seed, sizeof api->id_seed);
    return api;
}

void api_free(struct api *api)
{
    free(api);
}

void api_metrics(const struct api *api, struct buf *out)
{
    for (int i = 0; i < STATUS_KINDS; i++)
        buf_printf(out, "gramme_requests_total{operation=\"unknown\",status=\"%d\"} %llu\n",
                   statuses[i], (unsigned long long)atomic_load(&api->answered[i]));
}

void request_answer(struct request *request)
{
    int kind = 0;

    while (kind < STATUS_KINDS - 1 && statuses[kind] != request->status)
        kind++;
    atomic_fetch_add_explicit(&request->api->answered[kind], 1, memory_order_relaxed);
    request->state = REQUEST_ANSWERED;
}

bool api_run(struct request *request)
{
    struct err err;

    err_fail(&err, ERR_UNKNOWN_OPERATION, "%s", "");
    request_fail(request, &err);
    return true;
}
