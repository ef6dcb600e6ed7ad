/* archive/gunzip.h - one gzip member, unpacked as it comes. One thread at a time. */
#ifndef ARCHIVE_GUNZIP_H
#define ARCHIVE_GUNZIP_H

#include "base/err.h"

struct gunzip;

struct gunzip *gunzip_new(void);
void gunzip_free(struct gunzip *gunzip);

/* Hands out what a piece unpacks to; false from `take` stops, with err filled by it. ERR_CORRUPT
 * for what is no gzip, for a checksum that is wrong, and for anything behind the member. */
MUST_CHECK bool gunzip_put(struct gunzip *gunzip, struct bytes piece,
                           bool (*take)(void *context, struct bytes text, struct err *err),
                           void *context, struct err *err);

/* ERR_CORRUPT if the member is not whole. */
MUST_CHECK bool gunzip_end(const struct gunzip *gunzip, struct err *err);

#endif
