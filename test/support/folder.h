/* test/support/folder.h - temporary folders and their files. */
#ifndef SUPPORT_FOLDER_H
#define SUPPORT_FOLDER_H

#include "base/buf.h"

/* A new empty folder in TMPDIR or /tmp; `path` has room for FOLDER_PATH_MOST. */
#define FOLDER_PATH_MOST 256
void folder_make(char path[FOLDER_PATH_MOST]);
/* With all that is in it. */
void folder_remove(const char *path);

/* Regular files below it, at any depth. */
size_t folder_files(const char *path);

void file_write(const char *path, struct bytes content);
/* Appends the file's bytes; the test fails if there is no such file. */
void file_read(const char *path, struct buf *out);

#endif
