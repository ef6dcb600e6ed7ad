/* api/api.h - what the files of this folder share and nobody else needs: the operations and the
 * counts of their answers. */
#ifndef API_API_H
#define API_API_H

#include <stdatomic.h>

#include "api/request.h"

/* The statuses that are counted one by one; whatever else comes is counted as the last. */
#define API_STATUSES(X) X(200) X(400) X(404) X(413) X(503) X(500)

enum {
#define INDEX(status) STATUS_##status,
    API_STATUSES(INDEX)
#undef INDEX
        STATUS_KINDS
};

struct api {
    struct tables *tables;
    uint64_t id_seed;         /* unpredictable, of this process */
    _Atomic uint64_t id_next; /* counts requests; with the seed it makes their ids */
    _Atomic uint64_t answered[STATUS_KINDS];
};

/* The reply is final: counts it and lets it go. */
void request_answer(struct request *request);

#endif
