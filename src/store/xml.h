/* store/xml.h - reads what S3 answers: small documents whose leaves are text. Pure function. */
#ifndef STORE_XML_H
#define STORE_XML_H

#include "base/bytes.h"

/* Ours: S3's own answers are 4 levels deep. */
#define XML_DEPTH_MOST 16
#define XML_PATH_MOST  256
/* Ours: a key of 1024 bytes with each byte escaped takes 3072. */
#define XML_TEXT_MOST 8192

/* Hands out each element at its end: the names from the root on, joined by "/", and the text
 * directly inside. False for what is not well formed, has a DTD, or is over the limits. */
MUST_CHECK bool xml_read(struct bytes text,
                         void (*take)(void *context, const char *path, const char *text),
                         void *context);

#endif
