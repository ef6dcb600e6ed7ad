/* store/path.h - keys of objects as paths below a bucket's folder, and back. Any key that S3 takes
 * becomes a path that stays below the folder, and two keys never become the same one; the rules are
 * in doc/object-stores.md. Pure functions. */
#ifndef STORE_PATH_H
#define STORE_PATH_H

#include "base/buf.h"

#define KEY_MOST       1024 /* bytes of a key, as S3 allows */
#define COMPONENT_MOST 255  /* bytes of a file's name, as Linux allows */

/* The folder of unfinished files inside a bucket's; no key becomes this name, since a "%" that
 * path_put_key() writes ends a component or has two hex digits behind it. */
#define UNFINISHED ".%unfinished"

/* Appends the path of a key of 1 to KEY_MOST bytes. False if a component is over COMPONENT_MOST,
 * escapes counted. */
MUST_CHECK bool path_put_key(struct buf *path, struct bytes key);

/* Appends what one file's name stands for in a key; false for a name that path_put_key() does not
 * write. */
MUST_CHECK bool path_take_name(const char *name, struct buf *key);

#endif
