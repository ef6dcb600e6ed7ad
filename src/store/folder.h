/* store/folder.h - what directory.c needs beside writing and reading files. */
#ifndef STORE_FOLDER_H
#define STORE_FOLDER_H

#include "base/err.h"

/* Refuses as S3 would, with ids of a request that are made up. Returns false. */
bool folder_refused(struct err *err, int status, const char *code, const char *message);

/* Hands out the keys below a bucket's folder as store_ops.list does. Takes memory for the names of
 * the folders on the way to the key at hand. Regular files only; names that no key has are passed
 * over, and so is what vanishes meanwhile. */
MUST_CHECK bool folder_walk(int root, const char *bucket, const char *prefix,
                            bool (*take)(void *context, const char *key, uint64_t size,
                                         struct err *err),
                            void *context, struct err *err);

#endif
