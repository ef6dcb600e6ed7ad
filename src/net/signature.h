/* net/signature.h - AWS Signature Version 4, checked for those who call us and made for the S3 that
 * we call. (AWS IAM User Guide, "Create a signed AWS API request") */
#ifndef NET_SIGNATURE_H
#define NET_SIGNATURE_H

#include "base/buf.h"
#include "net/credentials.h"

/* "20240115T101112Z", and 64 hex digits, each with a NUL. */
#define SIGNATURE_TIME_SIZE 17
#define SIGNATURE_HASH_SIZE 65

/* How far a request's time may be from ours. The service says so in its own message: "(... - 5
 * min.)". */
#define SIGNATURE_SKEW_MINUTES 5

/* More headers or query parameters than these are not signed and not checked. Ours. */
#define SIGNATURE_HEADERS_MOST    64
#define SIGNATURE_PARAMETERS_MOST 64

struct signature_header {
    struct bytes name, value;
};

/* An HTTP request as it is on the wire. All borrowed. */
struct signature_request {
    struct bytes method;
    struct bytes path;  /* percent-encoded, begins with '/' */
    struct bytes query; /* behind the '?', percent-encoded, in any order; or empty */
    const struct signature_header *headers;
    size_t header_count;
};

/* Pure functions, any thread. */
void signature_time(uint64_t micros, char to[SIGNATURE_TIME_SIZE]);
void signature_hash(struct bytes payload, char to[SIGNATURE_HASH_SIZE]);

/* --- made ------------------------------------------------------------------------------------- */

struct signature_signer {
    struct bytes access_key, secret_key, region, service;
};

/* Appends the value of the Authorization header. Signs every header given, names in any case, and
 * at most SIGNATURE_HEADERS_MOST: Host and X-Amz-Date (signature_time() of the same `micros`) must
 * be there, and for S3 X-Amz-Content-Sha256 and, with a session token, X-Amz-Security-Token.
 * `payload_hash` is signature_hash() of the body, or "UNSIGNED-PAYLOAD". The path is signed as it
 * is, which is S3's way and for "/" everyone's. Any thread. */
void signature_sign(const struct signature_signer *signer, const struct signature_request *request,
                    struct bytes payload_hash, uint64_t micros, struct buf *out);

/* --- checked ---------------------------------------------------------------------------------- */

struct signature_checker;

/* `credentials`: who may sign; borrowed. NULL: a signature must be there and complete, and any will
 * do. */
struct signature_checker *signature_checker_new(const struct credentials *credentials,
                                                const char *region, const char *service);
/* When no thread checks any more. */
void signature_checker_free(struct signature_checker *checker);

/* Checks a request with its body, in a header or in the query, at the time `micros`. On success
 * `*access_key` says who signed, borrowed from the request or in the arena. Fails with
 * MISSING_AUTHENTICATION, INCOMPLETE_SIGNATURE, INVALID_SIGNATURE or UNRECOGNIZED_CLIENT and the
 * service's message. The payload is always part of what is signed: UNSIGNED-PAYLOAD is a mismatch.
 * Any thread. */
MUST_CHECK bool signature_check(struct signature_checker *checker,
                                const struct signature_request *request, struct bytes payload,
                                uint64_t micros, struct arena *arena, struct bytes *access_key,
                                struct err *err);

#endif
