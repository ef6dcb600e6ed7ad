/* store/etag.h - the etags that S3 gives (spec/export.md 3.2): of a put the MD5 in hex; of a
 * multipart upload the MD5 over the MD5s of its parts, "-" and their number, also where there is
 * only one. Without quotes. One thread at a time. */
#ifndef STORE_ETAG_H
#define STORE_ETAG_H

#include "store/store.h"

void etag_of_object(struct bytes body, char etag[ETAG_MOST]);

/* Of an upload in one part, by the MD5 of its bytes. */
void etag_of_one_part(const uint8_t md5[MD5_SIZE], char etag[ETAG_MOST]);

/* Of an upload: its bytes in pieces, and where each part ends. */
struct etag_sum {
    struct digest *part, *all;
    uint32_t parts;
};
void etag_sum_init(struct etag_sum *sum);
void etag_sum_release(struct etag_sum *sum);
void etag_sum_put(struct etag_sum *sum, struct bytes piece);
/* Ends a part; `md5` is of its bytes: in hex, its etag. */
void etag_sum_part(struct etag_sum *sum, uint8_t md5[MD5_SIZE]);
/* Of the parts that have ended; the sum begins anew. */
void etag_sum_take(struct etag_sum *sum, char etag[ETAG_MOST]);

#endif
