/* store/store.h - where exports go and imports come from: buckets of objects, on an S3 endpoint
 * (s3.c) or in a folder whose sub-folders are buckets (directory.c). Calls block; any thread, of
 * one upload one call at a time.
 *
 * A failure is ERR_STORE: `reason` is the FailureCode and the message the FailureMessage of
 * spec/export.md 2.9 ("S3NoSuchBucket", "The specified bucket does not exist (Service: Amazon S3;
 * ...)"); trouble of our own or of the network is reason "InternalServerError" with a plain
 * sentence. Calls retry what is worth it (5xx, network, SlowDown) with backoff and a bound before
 * they fail, see doc/object-stores.md, and soon fail once the store is told to stop. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/stop.h"

struct store;
struct upload;

/* How objects of one export are written (spec/export.md 3.1). */
struct object_settings {
    const char *content_type;
    const char *encryption;     /* "AES256" or "KMS"; NULL: none */
    const char *kms_key;        /* NULL: none given */
    const char *expected_owner; /* account; NULL: not checked */
    unsigned patience_s;        /* of a put, in all; 0: the store's own */
    /* Asked at least once a second while a call of the put or the upload waits, by any thread: then
     * the call fails, and what an upload has in the store may stay there. */
    struct stop stop;
};

struct object_location {
    const char *bucket, *key;
};

#define ETAG_MOST      80                        /* with its NUL; without quotes */
#define UPLOAD_PART    ((size_t)8 * 1024 * 1024) /* bytes of every part but the last */
#define UPLOAD_ID_MOST 1024

/* What an upload came to. Each store hashes in the way that it needs anyway. */
struct upload_sums {
    uint8_t md5[MD5_SIZE]; /* of all bytes */
    char etag[ETAG_MOST];
};

struct store_ops {
    const char *name;
    bool (*put)(struct store *store, const struct object_location *where, struct bytes body,
                const struct object_settings *settings, char etag[ETAG_MOST], struct err *err);
    /* A multipart upload: parts in order, each of UPLOAD_PART bytes but the last (which may be
     * empty if it is the only one). Nothing is to be seen under the key before complete. Ends by
     * complete or abort, which free it; after a failed part only abort may follow. */
    bool (*upload_begin)(struct store *store, const struct object_location *where,
                         const struct object_settings *settings, struct upload **out,
                         struct err *err);
    bool (*upload_part)(struct upload *upload, struct bytes part, struct err *err);
    bool (*upload_complete)(struct upload *upload, struct upload_sums *out, struct err *err);
    void (*upload_abort)(struct upload *upload);
    /* The upload's id, to abort it after a crash; NUL-terminated, the upload's. */
    const char *(*upload_id)(const struct upload *upload);
    /* Gives up an upload of a process that has died; NULL: each one under the key, if the store
     * lets us see them. False: something may be left, and the log says why. Tries for seconds. */
    bool (*abandon)(struct store *store, const struct object_location *where,
                    const char *upload_id);
    /* The object's bytes in pieces; false from `take` stops, with err filled by it. */
    bool (*get)(struct store *store, const struct object_location *where,
                bool (*take)(void *context, struct bytes piece, struct err *err), void *context,
                struct err *err);
    /* Size and etag (empty from a directory, which keeps none); a missing object is ERR_STORE
     * "S3NoSuchKey". */
    bool (*head)(struct store *store, const struct object_location *where, uint64_t *size,
                 char etag[ETAG_MOST], struct err *err);
    /* Keys that begin with the prefix, in byte order. */
    bool (*list)(struct store *store, const char *bucket, const char *prefix,
                 bool (*take)(void *context, const char *key, uint64_t size, struct err *err),
                 void *context, struct err *err);
    /* From now on calls fail as soon as they can, and waits for another attempt end: a server
     * stops. Not undone. */
    void (*stop)(struct store *store);
    /* No call may be running, and uploads must have ended. */
    void (*close)(struct store *store);
};

struct store {
    const struct store_ops *ops;
};

/* `root`: the folder of the buckets; made if missing. How keys become paths: doc/object-stores.md.
 * There is no KMS, and owners of buckets are not checked, since folders have no accounts. */
struct store *store_open_directory(const char *root, struct err *err);

struct s3_settings {
    const char *endpoint; /* "https://s3.eu-west-1.amazonaws.com", "http://127.0.0.1:9000/path" */
    const char *region;
    const char *access_key, *secret_key, *session_token; /* token: NULL if none */
    bool virtual_host;   /* bucket.endpoint instead of endpoint/bucket */
    bool unencrypted;    /* the endpoint knows no server-side encryption: AES256 is not asked for */
    const char *ca_file; /* NULL: the system's */
    unsigned attempts;   /* of one call; 0: the default */
    unsigned backoff_ms; /* the first wait between two, at most; 0: the default */
    unsigned stall_s;    /* no byte for so long: the attempt has failed; 0: the default */
};
/* The texts are copied. ERR_CONFIG for an endpoint that is no http(s) URL. */
struct store *store_open_s3(const struct s3_settings *settings, struct err *err);

static inline void store_stop(struct store *store)
{
    store->ops->stop(store);
}

static inline void store_close(struct store *store)
{
    if (store != NULL)
        store->ops->close(store);
}

#endif
