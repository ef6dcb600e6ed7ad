/* base/digest.h - MD5 and SHA-256 of bytes that come in pieces. One thread at a time. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/bytes.h"

enum digest_kind {
    DIGEST_MD5,
    DIGEST_SHA256,
};

#define MD5_SIZE    16
#define SHA256_SIZE 32

struct digest;

/* Never NULL: a process without these algorithms aborts. */
struct digest *digest_new(enum digest_kind kind);
void digest_free(struct digest *digest);

void digest_put(struct digest *digest, struct bytes piece);

/* Goes on from where `from`, of the same kind, is; what was put before is forgotten. */
void digest_copy(struct digest *digest, const struct digest *from);

/* The digest of all pieces since the last one was taken; the next piece begins anew. */
void digest_take(struct digest *digest, uint8_t *out);

/* Of one piece. */
void digest_of(enum digest_kind kind, struct bytes whole, uint8_t *out);

/* Lower-case hex with a NUL; `to` has room for 2 * size + 1. */
void hex_put(const uint8_t *data, size_t size, char *to);

#endif
