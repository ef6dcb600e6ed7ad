/* test/support/dying.c - libdying.so, for LD_PRELOAD: a process that dies at a chosen call of the
 * file system.
 *
 *     DYING=/path/control LD_PRELOAD=.../libdying.so PROGRAM
 *
 * The file is a big-endian number of 8 bytes, and, written by us behind it, how many calls there
 * were since it appeared. The process is killed (SIGKILL) instead of the call after as many as the
 * number says. Calls are those that change what is on disk: what makes, writes, syncs, renames,
 * cuts and removes files and folders. No file, no death. */
#undef _FILE_OFFSET_BITS /* it would rename the functions that we stand in for */
#include <dlfcn.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

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

static ssize_t control_write(int fd, const uint64_t *count)
{
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    return real(fd, count, sizeof *count, sizeof *count);
}

static int control_open(void)
{
    REAL(int, open, const char *, int, ...);
    const char *path = getenv("DYING");

    return path == NULL ? -1 : real(path, O_RDWR | O_CLOEXEC);
}

/* One call more; errno stays as it is. */
static void pass(void)
{
    uint64_t numbers[2] = {0, 0}; /* at which, so far */
    int before = errno;

    pthread_mutex_lock(&lock);
    int fd = control_open();
    if (fd >= 0 && pread(fd, numbers, sizeof numbers, 0) >= (ssize_t)sizeof numbers[0]) {
        if (be64toh(numbers[1]) >= be64toh(numbers[0]))
            kill(getpid(), SIGKILL);
        numbers[1] = htobe64(be64toh(numbers[1]) + 1);
        control_write(fd, &numbers[1]);
    }
    if (fd >= 0)
        close(fd);
    pthread_mutex_unlock(&lock);
    errno = before;
}

/* Not of a socket or a pipe. */
static void pass_file(int fd)
{
    struct stat info;
    int before = errno;

    if (fstat(fd, &info) == 0 && (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode)))
        pass();
    errno = before;
}

#define STAND_IN(result, name, kind, parameters, arguments, ...)                                   \
    EXPORT result name parameters                                                                  \
    {                                                                                              \
        REAL(result, name, __VA_ARGS__);                                                           \
        kind;                                                                                      \
        return real arguments;                                                                     \
    }

STAND_IN(int, fsync, pass_file(fd), (int fd), (fd), int)
STAND_IN(int, fdatasync, pass_file(fd), (int fd), (fd), int)
STAND_IN(ssize_t, write, pass_file(fd), (int fd, const void *data, size_t size), (fd, data, size),
         int, const void *, size_t)
STAND_IN(ssize_t, writev, pass_file(fd), (int fd, const struct iovec *parts, int count),
         (fd, parts, count), int, const struct iovec *, int)
STAND_IN(ssize_t, pwrite, pass_file(fd), (int fd, const void *data, size_t size, off_t at),
         (fd, data, size, at), int, const void *, size_t, off_t)
STAND_IN(int, ftruncate, pass_file(fd), (int fd, off_t size), (fd, size), int, off_t)
STAND_IN(int, rename, pass(), (const char *from, const char *to), (from, to), const char *,
         const char *)
STAND_IN(int, renameat, pass(), (int from_fd, const char *from, int to_fd, const char *to),
         (from_fd, from, to_fd, to), int, const char *, int, const char *)
STAND_IN(int, unlink, pass(), (const char *path), (path), const char *)
STAND_IN(int, unlinkat, pass(), (int fd, const char *path, int flags), (fd, path, flags), int,
         const char *, int)
STAND_IN(int, mkdir, pass(), (const char *path, mode_t mode), (path, mode), const char *, mode_t)
STAND_IN(int, mkdirat, pass(), (int fd, const char *path, mode_t mode), (fd, path, mode), int,
         const char *, mode_t)

/* A mode follows where a file may be made. */
#define OPEN(name, parameters, arguments, ...)                                                     \
    EXPORT int name parameters                                                                     \
    {                                                                                              \
        REAL(int, name, __VA_ARGS__, int, ...);                                                    \
        mode_t mode = 0;                                                                           \
        if ((flags & (O_CREAT | O_TMPFILE)) != 0) {                                                \
            va_list rest;                                                                          \
            va_start(rest, flags);                                                                 \
            mode = (mode_t)va_arg(rest, int);                                                      \
            va_end(rest);                                                                          \
        }                                                                                          \
        if ((flags & O_CREAT) != 0)                                                                \
            pass();                                                                                \
        return real arguments;                                                                     \
    }

OPEN(open, (const char *path, int flags, ...), (path, flags, mode), const char *)
OPEN(open64, (const char *path, int flags, ...), (path, flags, mode), const char *)
OPEN(openat, (int fd, const char *path, int flags, ...), (fd, path, flags, mode), int, const char *)
OPEN(openat64, (int fd, const char *path, int flags, ...), (fd, path, flags, mode), int,
     const char *)

/* glibc's names for 64-bit offsets are the same functions here. */
#define ALIAS(name) __attribute__((alias(#name), visibility("default")))
_Static_assert(sizeof(off_t) == 8, "64-bit offsets");
ssize_t pwrite64(int fd, const void *data, size_t size, off_t at) ALIAS(pwrite);
int ftruncate64(int fd, off_t size) ALIAS(ftruncate);
