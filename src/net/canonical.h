/* net/canonical.h - the steps of Signature Version 4 that making and checking share: the canonical
 * request, the string to sign, the signing key. Inside net/ only. */
#ifndef NET_CANONICAL_H
#define NET_CANONICAL_H

#include <openssl/evp.h>

#include "base/digest.h"
#include "net/signature.h"

#define SIGNATURE_ALGORITHM  "AWS4-HMAC-SHA256"
#define SIGNATURE_TERMINATOR "aws4_request"

/* What hashes, looked up once and used again and again. One thread at a time. */
struct hasher {
    struct digest *sha256;
    EVP_MAC *hmac;
};

void hasher_init(struct hasher *hasher);
void hasher_release(struct hasher *hasher);
/* 64 hex digits and a NUL. */
void hasher_hex(struct hasher *hasher, struct bytes data, char to[SIGNATURE_HASH_SIZE]);

/* A MAC that has the signing key of the day, region and service in it. Free with EVP_MAC_CTX_free.
 */
EVP_MAC_CTX *signing_key(struct hasher *hasher, struct bytes secret_key, struct bytes date,
                         struct bytes region, struct bytes service);
/* The signature of the string, in hex. The key stays as it is. */
void signing_key_hex(EVP_MAC_CTX *key, struct bytes string, char to[SIGNATURE_HASH_SIZE]);

/* Appends the canonical request. `signed_headers`: names in lower case with ';' between; one that
 * the request lacks is signed as empty. X-Amz-Signature is left out of the query. False: more
 * query parameters than SIGNATURE_PARAMETERS_MOST. */
MUST_CHECK bool canonical_request(const struct signature_request *request,
                                  struct bytes signed_headers, struct bytes payload_hash,
                                  struct buf *out);

/* Appends the string to sign; `scope`: "date/region/service/aws4_request". */
void string_to_sign(struct hasher *hasher, struct bytes time, struct bytes scope,
                    struct bytes canonical, struct buf *out);

/* Names of headers are ASCII and know no case. */
bool name_equal(struct bytes a, struct bytes b);

/* The part of `text` up to the separator, which is taken away with it; all of it if there is none.
 */
struct bytes part_take(struct bytes *text, char separator);

/* The next byte of percent-encoded text that is not empty; what is no escape stands for itself. */
uint8_t encoded_take(struct bytes *raw);

/* Without the blanks at both ends. */
struct bytes text_trim(struct bytes text);

#endif
