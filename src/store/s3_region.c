/* store/s3_region.c - a small table that forgets the oldest, and the forms of AWS's hosts. Nothing
 * that an endpoint says can lead out of AWS's domain: it names a region, and never a host. */
#include "store/s3_region.h"

#include <assert.h>
#include <string.h>

bool s3_region_is_valid(struct bytes region)
{
    if (region.size == 0 || region.size >= S3_REGION_SIZE || region.data[0] == '-' ||
        region.data[region.size - 1] == '-')
        return false;
    for (size_t i = 0; i < region.size; i++) {
        uint8_t byte = region.data[i];
        if (!(byte >= 'a' && byte <= 'z') && !(byte >= 'A' && byte <= 'Z') &&
            !(byte >= '0' && byte <= '9') && byte != '-')
            return false;
    }
    return true;
}

/* AWS General Reference, "Amazon S3 endpoints and quotas". s3.amazonaws.com is without a region. */
const char *s3_region_host(const char *host, struct bytes region, struct arena *arena)
{
    static const char *const heads[] = {"s3.dualstack.", "s3-fips.dualstack.", "s3-fips.", "s3."};
    const char *tail = strstr(host, ".amazonaws.com");

    if (strcmp(host, "s3.amazonaws.com") == 0)
        return (const char *)arena_printf(arena, "s3.%.*s%s%c", BYTES_ARGS(region), tail, '\0')
            .data;
    if (tail == NULL ||
        (strcmp(tail, ".amazonaws.com") != 0 && strcmp(tail, ".amazonaws.com.cn") != 0))
        return host;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        size_t size = strlen(heads[i]);
        if (strncmp(host, heads[i], size) == 0 && tail > host + size &&
            s3_region_is_valid(bytes_of(host + size, (size_t)(tail - host) - size)))
            return (const char *)arena_printf(arena, "%s%.*s%s%c", heads[i], BYTES_ARGS(region),
                                              tail, '\0')
                .data;
    }
    return host;
}

void s3_regions_init(struct s3_regions *regions)
{
    memset(regions, 0, sizeof *regions);
    pthread_mutex_init(&regions->lock, NULL);
}

void s3_regions_release(struct s3_regions *regions)
{
    pthread_mutex_destroy(&regions->lock);
}

/* The bucket's place in the table, or that of none: S3_BUCKETS_KNOWN. */
static size_t place_of(const struct s3_regions *regions, const char *bucket)
{
    size_t at = 0;

    while (at < S3_BUCKETS_KNOWN && strcmp(regions->known[at].bucket, bucket) != 0)
        at++;
    return at;
}

struct bytes s3_regions_find(struct s3_regions *regions, const char *bucket, struct arena *arena)
{
    struct bytes region = BYTES_NONE;

    pthread_mutex_lock(&regions->lock);
    size_t at = place_of(regions, bucket);
    if (at < S3_BUCKETS_KNOWN)
        region = arena_copy(arena, bytes_of_text(regions->known[at].region));
    pthread_mutex_unlock(&regions->lock);
    return region;
}

void s3_regions_keep(struct s3_regions *regions, const char *bucket, struct bytes region)
{
    size_t size = strlen(bucket) + 1;

    assert(s3_region_is_valid(region));
    if (size > S3_BUCKET_SIZE)
        return;
    pthread_mutex_lock(&regions->lock);
    size_t at = place_of(regions, bucket);
    if (at == S3_BUCKETS_KNOWN) {
        at = regions->next;
        regions->next = (at + 1) % S3_BUCKETS_KNOWN;
    }
    memcpy(regions->known[at].bucket, bucket, size);
    memcpy(regions->known[at].region, region.data, region.size);
    regions->known[at].region[region.size] = '\0';
    pthread_mutex_unlock(&regions->lock);
}
