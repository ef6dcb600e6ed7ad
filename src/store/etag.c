/* store/etag.c - etags are MD5s, as S3 computes them. */
#include "store/etag.h"

#include <stdio.h>

void etag_of_object(struct bytes body, char etag[ETAG_MOST])
{
    uint8_t md5[MD5_SIZE];

    digest_of(DIGEST_MD5, body, md5);
    hex_put(md5, sizeof md5, etag);
}

static void put_with_parts(const uint8_t md5[MD5_SIZE], uint32_t parts, char etag[ETAG_MOST])
{
    hex_put(md5, MD5_SIZE, etag);
    snprintf(etag + (size_t)2 * MD5_SIZE, ETAG_MOST - (size_t)2 * MD5_SIZE, "-%u", parts);
}

void etag_of_one_part(const uint8_t md5[MD5_SIZE], char etag[ETAG_MOST])
{
    uint8_t outer[MD5_SIZE];

    digest_of(DIGEST_MD5, bytes_of(md5, MD5_SIZE), outer);
    put_with_parts(outer, 1, etag);
}

void etag_sum_init(struct etag_sum *sum)
{
    *sum = (struct etag_sum){digest_new(DIGEST_MD5), digest_new(DIGEST_MD5), 0};
}

void etag_sum_release(struct etag_sum *sum)
{
    digest_free(sum->all);
    digest_free(sum->part);
}

void etag_sum_put(struct etag_sum *sum, struct bytes piece)
{
    digest_put(sum->part, piece);
}

void etag_sum_part(struct etag_sum *sum, uint8_t md5[MD5_SIZE])
{
    digest_take(sum->part, md5);
    digest_put(sum->all, bytes_of(md5, MD5_SIZE));
    sum->parts++;
}

void etag_sum_take(struct etag_sum *sum, char etag[ETAG_MOST])
{
    uint8_t md5[MD5_SIZE];

    digest_take(sum->all, md5);
    put_with_parts(md5, sum->parts, etag);
    sum->parts = 0;
}
