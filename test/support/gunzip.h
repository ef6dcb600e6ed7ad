/* test/support/gunzip.h - what is in a gzip member. */
#ifndef SUPPORT_GUNZIP_H
#define SUPPORT_GUNZIP_H

#include "base/buf.h"

/* Appends the content of one gzip member that is all of `file`; the test fails for anything else,
 * a wrong CRC too. */
void gunzip(struct bytes file, struct buf *out);

#endif
