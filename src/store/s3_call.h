/* store/s3_call.h - one call on an S3 endpoint: addressed, signed, sent, and sent again where that
 * can help. Any thread. */
#ifndef STORE_S3_CALL_H
#define STORE_S3_CALL_H

#include "net/http_client.h"
#include "store/store.h"

struct s3_endpoint;

/* ERR_CONFIG for an endpoint that is no http(s) URL. */
struct s3_endpoint *s3_endpoint_open(const struct s3_settings *settings, struct err *err);
void s3_endpoint_close(struct s3_endpoint *endpoint);
void s3_endpoint_stop(struct s3_endpoint *endpoint);

/* Ours: the fields that any call of ours needs. */
#define S3_FIELDS_MOST 8

struct s3_call {
    const char *method;
    const char *bucket, *key; /* key: NULL for the bucket itself */
    struct bytes query;       /* encoded, without "?" */
    struct http_field fields[S3_FIELDS_MOST];
    size_t field_count;
    struct bytes body;
    /* A Content-MD5 vouches for the body: over TLS nobody asks for a SHA-256 beside it (botocore,
     * S3SigV4Auth). */
    bool has_md5;
    /* The call's measure of time: no attempt begins later than this after the first one; and, where
     * it is not the usual one (0), none lasts much beyond it either. */
    unsigned patience_s;
    struct stop stop; /* as of object_settings */
    unsigned *sent;   /* how many times it was; NULL: nobody asks */
    /* Judges a 2xx answer; false, with err filled: an attempt that failed, `*again` if another may
     * do better. NULL: any will do. */
    bool (*judge)(void *context, const struct http_answer *answer, bool *again, struct err *err);
    /* A get: its body as it comes, see http_client.h. A transfer that breaks off goes on where it
     * was, as long as the object is still the same. */
    bool (*take)(void *context, struct bytes piece, struct err *err);
    void *context;
};

/* A field without a value (NULL) is left out. The texts are borrowed. */
void s3_call_field(struct s3_call *call, const char *name, const char *value);

/* True for a 2xx answer that was judged good. Otherwise ERR_STORE: what S3 says, or a plain
 * sentence. The call may have worked all the same, if its answer was lost. */
MUST_CHECK bool s3_call_send(struct s3_endpoint *endpoint, const struct s3_call *call,
                             struct http_answer *answer, struct err *err);

/* What S3 says in an error document; false if it is none. For answers whose status is 200 all the
 * same. `*again`: worth another attempt. */
bool s3_refusal(const struct http_answer *answer, bool *again, struct err *err);

/* Appends text percent-encoded as signatures want it: all but letters, digits and "-._~", and but
 * slashes if they are to be `kept`. */
void s3_put_encoded(struct buf *out, struct bytes text, bool slashes_kept);

#endif
