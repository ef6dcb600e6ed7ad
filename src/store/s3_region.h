/* store/s3_region.h - regions of buckets: which one a bucket is in, once an endpoint has said so,
 * and which host AWS has for it. */
#ifndef STORE_S3_REGION_H
#define STORE_S3_REGION_H

#include <pthread.h>

#include "base/arena.h"

/* The longest label of a host's name (RFC 1035, 2.3.4), which a region is, and its NUL. */
#define S3_REGION_SIZE 64
/* What exports take for a bucket's name, and its NUL (spec/export.md 2.2). */
#define S3_BUCKET_SIZE 256
/* Ours: with more buckets in other regions than these, one that was told long ago is asked anew. */
#define S3_BUCKETS_KNOWN 64

/* Letters, digits, and dashes inside. What an endpoint names beyond that is no region. */
bool s3_region_is_valid(struct bytes region);

/* A host of AWS for the region, where `host` is one of AWS's own, of whichever region; else, an
 * endpoint that is no part of AWS or a private way into it, `host` itself. A text, in the arena.
 */
const char *s3_region_host(const char *host, struct bytes region, struct arena *arena);

/* The buckets that are elsewhere than the endpoint's settings have it. Any thread. */
struct s3_regions {
    pthread_mutex_t lock;
    struct {
        char bucket[S3_BUCKET_SIZE], region[S3_REGION_SIZE];
    } known[S3_BUCKETS_KNOWN]; /* lock */
    size_t next;               /* lock; the one that a further bucket replaces */
};
void s3_regions_init(struct s3_regions *regions);
void s3_regions_release(struct s3_regions *regions);

/* The region, in the arena; empty: nobody has told. */
struct bytes s3_regions_find(struct s3_regions *regions, const char *bucket, struct arena *arena);
/* `region` is a valid one. A name too long for a bucket is not kept. */
void s3_regions_keep(struct s3_regions *regions, const char *bucket, struct bytes region);

#endif
