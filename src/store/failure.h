/* store/failure.h - the failures of stores in the words that an export shows (spec/export.md 2.9).
 * Each fills `err` with ERR_STORE and returns false. */
#ifndef STORE_FAILURE_H
#define STORE_FAILURE_H

#include "base/err.h"

/* S3 has refused: its status, code, message and the two ids of the request. */
struct refusal {
    int status;
    const char *code, *message, *request_id, *extended_id;
};
bool store_refused(struct err *err, const struct refusal *refusal);

/* Trouble of our own or of the network: "InternalServerError" with this plain sentence. */
bool store_broken(struct err *err, const char *format, ...) PRINTF(2, 3);

/* What another module filled in, or a fault point, becomes trouble of our own; returns true. */
bool store_blamed(struct err *err);

#define STORE_FAULT(point, err) (FAULT(point, (err)) && store_blamed(err))

#endif
