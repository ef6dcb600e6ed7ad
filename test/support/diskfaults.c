/* test/support/diskfaults.c - libdiskfaults.so, for LD_PRELOAD: a disk that fails when it is told
 * to.
 *
 *     DISKFAULTS=/path/controls LD_PRELOAD=.../libdiskfaults.so PROGRAM
 *
 * In the folder of controls a file means a fault, as long as it is there; it holds a text, and
 * files whose path has it are concerned:
 *
 *     sync     fsync() and fdatasync() fail with EIO, and nothing is synced
 *     full     the disk says that there is no room
 *     nospace  what would need room fails with ENOSPC
 *
 * The bytes of an fsync() that failed stay readable, as after a real one. */
#undef _FILE_OFFSET_BITS /* it would rename the functions that we stand in for */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT    __attribute__((visibility("default")))
#define TEXT_MOST 256

/* Whether the control is there and concerns the path. Its own file is read by system calls that
 * nobody stands in for. */
static bool concerns(const char *control, const char *path)
{
    const char *folder = getenv("DISKFAULTS");
    char name[PATH_MAX], text[TEXT_MOST];

    if (folder == NULL || snprintf(name, sizeof name, "%s/%s", folder, control) >= PATH_MAX)
        return false;
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size < 0 ? 0 : size] = '\0';
    return size > 0 && strstr(path, text) != NULL;
}

/* errno is as before unless it fails. */
static bool fails(int fd, const char *control, int why)
{
    char link[64], path[PATH_MAX];
    int before = errno;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    path[size < 0 ? 0 : size] = '\0';
    bool failing = path[0] == '/' && concerns(control, path);
    errno = failing ? why : before;
    return failing;
}

static void resolve(void *to, const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (function == NULL)
        abort();
    memcpy(to, &function, sizeof function);
}

#define REAL(result, name, ...)                                                                    \
    static result (*real)(__VA_ARGS__);                                                            \
    if (real == NULL)                                                                              \
    resolve(&real, #name)

EXPORT int fsync(int fd)
{
    REAL(int, fsync, int);
    return fails(fd, "sync", EIO) ? -1 : real(fd);
}

EXPORT int fdatasync(int fd)
{
    REAL(int, fdatasync, int);
    return fails(fd, "sync", EIO) ? -1 : real(fd);
}

EXPORT ssize_t write(int fd, const void *data, size_t size)
{
    REAL(ssize_t, write, int, const void *, size_t);
    return fails(fd, "nospace", ENOSPC) ? -1 : real(fd, data, size);
}

EXPORT ssize_t writev(int fd, const struct iovec *parts, int count)
{
    REAL(ssize_t, writev, int, const struct iovec *, int);
    return fails(fd, "nospace", ENOSPC) ? -1 : real(fd, parts, count);
}

EXPORT ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    return fails(fd, "nospace", ENOSPC) ? -1 : real(fd, data, size, at);
}

EXPORT int fallocate(int fd, int mode, off_t at, off_t size)
{
    REAL(int, fallocate, int, int, off_t, off_t);
    return fails(fd, "nospace", ENOSPC) ? -1 : real(fd, mode, at, size);
}

EXPORT int statvfs(const char *path, struct statvfs *out)
{
    REAL(int, statvfs, const char *, struct statvfs *);
    int result = real(path, out);
    if (result == 0 && concerns("full", path))
        out->f_bavail = out->f_bfree = 0;
    return result;
}

/* glibc's names for 64-bit offsets are the same functions here. */
#define ALIAS(name) __attribute__((alias(#name), visibility("default")))
_Static_assert(sizeof(off_t) == 8, "64-bit offsets");
ssize_t pwrite64(int fd, const void *data, size_t size, off_t at) ALIAS(pwrite);
int fallocate64(int fd, int mode, off_t at, off_t size) ALIAS(fallocate);
int statvfs64(const char *path, struct statvfs64 *out);

EXPORT int statvfs64(const char *path, struct statvfs64 *out)
{
    _Static_assert(sizeof(struct statvfs) == sizeof(struct statvfs64), "one layout");
    return statvfs(path, (struct statvfs *)out);
}
