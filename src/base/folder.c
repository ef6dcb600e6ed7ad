/* base/folder.c - a new folder is durable once the one above it is synced. One that is there
 * already may have been made just before a crash, so it is synced too; but it may as well lie in a
 * folder that we cannot read, and whoever put it there has seen to it. */
#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

bool folder_ensure(const char *path, mode_t mode)
{
    bool made = mkdir(path, mode) == 0;
    char above[PATH_MAX];

    if (!made && errno != EEXIST)
        return false;
    if (snprintf(above, sizeof above, "%s/..", path) >= (int)sizeof above) {
        errno = ENAMETOOLONG;
        return false;
    }
    int folder = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = folder >= 0 && fsync(folder) == 0;
    int why = errno;
    if (folder >= 0)
        close(folder);
    errno = why;
    return ok || !made;
}
