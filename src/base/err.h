/* base/err.h - why something failed: the client's mistakes and the world's failures. Our own
 * mistakes are asserts. A function that can fail takes `struct err *err` last, returns false and
 * fills it; on success and before it fails it leaves it alone. Callers pass it on or translate it,
 * and do not log. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/bytes.h"

enum err_code {
    ERR_NONE,
#define ERR(name, status, wire) ERR_##name,
#include "base/err.def"
#undef ERR
    ERR_CODES
};

/* A message is cut at this length, between two characters; the service's own longest ones (many
 * violations in one) fit. */
#define ERR_MESSAGE_MOST 4096

struct err {
    enum err_code code;
    char reason[64]; /* of ERR_STORE: the FailureCode that a job shows (spec/export.md 2.9) */
    char message[ERR_MESSAGE_MOST];
};

/* Fills `err` and returns false, so that a caller fails with `return err_fail(...)`. */
bool err_fail(struct err *err, enum err_code code, const char *format, ...) PRINTF(3, 4);

/* The HTTP status, and the type on the wire; NULL where the client is told InternalServerError. */
int err_status(enum err_code code);
const char *err_wire(enum err_code code);

/* The enum's name, for logs and documents: "VALIDATION". */
const char *err_name(enum err_code code);

#endif
