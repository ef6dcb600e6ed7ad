/* test/support/powerloss.c - libpowerloss.so, for LD_PRELOAD: keeps beside a folder what a power
 * cut would leave of it.
 *
 *     POWERLOSS_LIVE=/path/live POWERLOSS_DURABLE=/path/durable LD_PRELOAD=.../libpowerloss.so
 * PROGRAM
 *
 * Both paths are absolute and on one file system, LIVE exists, DURABLE is absent or empty. The
 * program works on LIVE as ever. DURABLE is what has been made durable so far and nothing else, so
 * the power is cut by killing the program (SIGKILL) and going on with DURABLE. Nothing is really
 * synced, so it is fast. What counts as durable is what POSIX promises, which is less than file
 * systems do:
 *
 *   - Bytes and length of a file, by fsync() or fdatasync() on any descriptor of it. Not by
 * close(), sync_file_range(), O_SYNC, sync() or syncfs().
 *   - Names in a folder (created, renamed, removed, linked, sub-folders), by fsync() on the folder.
 *     A name made durable for a file that was never synced leads to an empty file.
 *
 * What is in LIVE at the start is durable. In DURABLE the folder ".files" has each file under its
 * identity (inode and time of birth, since inodes are used again); names are hard links to those,
 * so that a name and its content become durable independently. A folder that was synced before its
 * own name was waits there too, and is moved to its place when that name is made durable.
 * support/power.h makes a fresh LIVE of DURABLE and can tear what was not synced.
 *
 * Writes are noted as a range per file, copied at its sync; what is written behind our back (stdio
 * calls its own write()) is found by the file's time of change, and copied whole. Not modelled, and
 * refused by an abort: shared writable mappings, and renaming a folder. Not seen: io_uring. */
#undef _FILE_OFFSET_BITS /* it would rename the functions that we stand in for */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT           __attribute__((visibility("default")))
#define DESCRIPTORS_MOST 65536
#define FILES            ".files"
#define COPY_SIZE        ((size_t)256 * 1024)
#define IDENTITY_SIZE    64

/* A file of LIVE. */
struct file {
    struct file *next;
    char identity[IDENTITY_SIZE];
    off_t from, to;         /* written since the last sync; from == to: nothing */
    struct timespec synced; /* its time of change at the last sync */
};

/* What a descriptor is of. */
enum what { UNKNOWN, OUTSIDE, INSIDE };
static struct {
    enum what what;
    struct file *file;
} descriptors[DESCRIPTORS_MOST]; /* lock */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file *files;         /* lock */
static const char *live, *durable; /* NULL: not asked to do anything */
static char copy_room[COPY_SIZE];  /* lock */

/* The real functions. */
static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static int (*real_close)(int);
static int (*real_dup2)(int, int);
static int (*real_dup3)(int, int, int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_pwritev)(int, const struct iovec *, int, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fallocate)(int, int, off_t, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_rename)(const char *, const char *);
static void *(*real_mmap)(void *, size_t, int, int, int, off_t);

static void give_up(const char *what)
{
    fprintf(stderr, "powerloss: %s: %s\n", what, strerror(errno));
    abort();
}

static void resolve(void *to, const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (function == NULL)
        give_up(name);
    memcpy(to, &function, sizeof function);
}

__attribute__((constructor)) static void resolve_all(void)
{
    if (real_open != NULL)
        return;
    resolve(&real_openat, "openat");
    resolve(&real_close, "close");
    resolve(&real_dup2, "dup2");
    resolve(&real_dup3, "dup3");
    resolve(&real_write, "write");
    resolve(&real_pwrite, "pwrite");
    resolve(&real_writev, "writev");
    resolve(&real_pwritev, "pwritev");
    resolve(&real_ftruncate, "ftruncate");
    resolve(&real_fallocate, "fallocate");
    resolve(&real_fsync, "fsync");
    resolve(&real_fdatasync, "fdatasync");
    resolve(&real_rename, "rename");
    resolve(&real_mmap, "mmap");
    resolve(&real_open, "open");
}

/* --- files ---------------------------------------------------------------------------------- */

static void path_join(char to[PATH_MAX], const char *folder, const char *name)
{
    if (snprintf(to, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
        give_up("a path that is too long");
}

static void identity_of(int at, const char *path, int flags, char identity[IDENTITY_SIZE])
{
    struct statx status;

    if (statx(at, path, flags | AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &status) != 0)
        give_up("statx");
    snprintf(identity, IDENTITY_SIZE, "%llu-%lld.%u", (unsigned long long)status.stx_ino,
             (long long)status.stx_btime.tv_sec, status.stx_btime.tv_nsec);
}

static void content_path(char to[PATH_MAX], const char *identity)
{
    if (snprintf(to, PATH_MAX, "%s/" FILES "/%s", durable, identity) >= PATH_MAX)
        give_up("a path that is too long");
}

/* The place of a path of LIVE in DURABLE; false: it is outside of LIVE. */
static bool durable_path(const char *path, char to[PATH_MAX])
{
    size_t size = strlen(live);

    if (strncmp(path, live, size) != 0 || (path[size] != '/' && path[size] != '\0'))
        return false;
    if (snprintf(to, PATH_MAX, "%s%s", durable, path + size) >= PATH_MAX)
        give_up("a path that is too long");
    return true;
}

static void waiting_path(char to[PATH_MAX], const char *folder)
{
    char identity[IDENTITY_SIZE];

    identity_of(AT_FDCWD, folder, 0, identity);
    content_path(to, identity);
}

/* One step down from a folder's durable place: where it waits, or under its name; else it waits
 * from now on. */
static void place_step(char place[PATH_MAX], const char *path, const char *name)
{
    char waiting[PATH_MAX], named[PATH_MAX];

    waiting_path(waiting, path);
    path_join(named, place, name);
    bool waits = access(waiting, F_OK) == 0;
    if (!waits && access(named, F_OK) != 0) {
        if (mkdir(waiting, 0700) != 0)
            give_up("a folder that waits for its name");
        waits = true;
    }
    memcpy(place, waits ? waiting : named, PATH_MAX);
}

/* Where the durable names of this folder of LIVE are kept. */
static void folder_place(char place[PATH_MAX], const char *path)
{
    char part[PATH_MAX];
    size_t at = strlen(live);

    snprintf(place, PATH_MAX, "%s", durable);
    while (path[at] == '/') {
        size_t size = strcspn(path + at + 1, "/");
        memcpy(part, path, at + 1 + size);
        part[at + 1 + size] = '\0';
        place_step(place, part, part + at + 1);
        at += 1 + size;
    }
}

/* Under what path the descriptor was opened; false: none. */
static bool descriptor_path(int fd, char to[PATH_MAX])
{
    char link[64];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, to, PATH_MAX - 1);
    to[size < 0 ? 0 : size] = '\0';
    return size > 0;
}

static struct file *file_find(int fd)
{
    char identity[IDENTITY_SIZE];

    identity_of(fd, "", AT_EMPTY_PATH, identity);
    for (struct file *file = files; file != NULL; file = file->next)
        if (strcmp(file->identity, identity) == 0)
            return file;
    struct file *file = calloc(1, sizeof *file);
    if (file == NULL)
        give_up("memory");
    memcpy(file->identity, identity, sizeof identity);
    file->next = files;
    return files = file;
}

/* The file of LIVE behind a descriptor; NULL: something else. Under the lock. */
static struct file *file_of(int fd)
{
    char path[PATH_MAX], other[PATH_MAX];
    struct stat status;

    if (live == NULL || fd < 0 || fd >= DESCRIPTORS_MOST)
        return NULL;
    if (descriptors[fd].what == UNKNOWN) {
        bool inside = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                      descriptor_path(fd, path) && durable_path(path, other);
        descriptors[fd].what = inside ? INSIDE : OUTSIDE;
        descriptors[fd].file = inside ? file_find(fd) : NULL;
    }
    return descriptors[fd].file;
}

static void note_range(int fd, off_t from, off_t to)
{
    pthread_mutex_lock(&lock);
    struct file *file = file_of(fd);
    if (file != NULL && file->from == file->to) {
        file->from = from;
        file->to = to;
    } else if (file != NULL) {
        file->from = from < file->from ? from : file->from;
        file->to = to > file->to ? to : file->to;
    }
    pthread_mutex_unlock(&lock);
}

static void forget(int fd)
{
    if (live == NULL || fd < 0 || fd >= DESCRIPTORS_MOST)
        return;
    pthread_mutex_lock(&lock);
    descriptors[fd].what = UNKNOWN;
    descriptors[fd].file = NULL;
    pthread_mutex_unlock(&lock);
}

/* --- making durable ------------------------------------------------------------------------- */

static void copy_range(int from_fd, int to_fd, off_t from, off_t to)
{
    while (from < to) {
        size_t size = to - from < (off_t)COPY_SIZE ? (size_t)(to - from) : COPY_SIZE;
        ssize_t got = pread(from_fd, copy_room, size, from);
        if (got == 0)
            break;
        if (got < 0 || real_pwrite(to_fd, copy_room, (size_t)got, from) != got)
            give_up("copy");
        from += got;
    }
}

/* The content of the file, as it is now, becomes durable. */
static void sync_content(struct file *file, int fd)
{
    char path[PATH_MAX], self[64];
    struct stat now, before;

    content_path(path, file->identity);
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    int from = real_open(self, O_RDONLY | O_CLOEXEC);
    int to = real_open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (from < 0 || to < 0 || fstat(from, &now) != 0 || fstat(to, &before) != 0)
        give_up("sync");
    bool unseen = file->from == file->to && (now.st_mtim.tv_sec != file->synced.tv_sec ||
                                             now.st_mtim.tv_nsec != file->synced.tv_nsec);
    if (unseen)
        copy_range(from, to, 0, now.st_size);
    else
        copy_range(from, to, file->from, file->to);
    copy_range(from, to, before.st_size, now.st_size);
    if (real_ftruncate(to, now.st_size) != 0)
        give_up("sync");
    file->from = file->to = 0;
    file->synced = now.st_mtim;
    real_close(from);
    real_close(to);
}

static void remove_tree(const char *path)
{
    char inner[PATH_MAX];
    struct dirent *entry;
    DIR *folder = unlink(path) == 0 ? NULL : opendir(path);

    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            path_join(inner, path, entry->d_name);
            remove_tree(inner);
        }
    closedir(folder);
    rmdir(path);
}

/* One name of a folder becomes durable, in one step. */
static void sync_name(const char *from, const char *to)
{
    char identity[IDENTITY_SIZE], content[PATH_MAX], step[PATH_MAX];
    struct stat status;

    if (lstat(from, &status) != 0)
        return; /* it has just gone */
    if (S_ISDIR(status.st_mode)) {
        waiting_path(content, from);
        if (real_rename(content, to) != 0 && mkdir(to, 0700) != 0 && errno != EEXIST)
            give_up("sync of a folder");
        return;
    }
    if (!S_ISREG(status.st_mode))
        return;
    identity_of(AT_FDCWD, from, 0, identity);
    content_path(content, identity);
    int fd = real_open(content, O_WRONLY | O_CREAT | O_CLOEXEC, 0600); /* never synced: empty */
    if (fd >= 0)
        real_close(fd);
    path_join(step, durable, FILES "/step");
    unlink(step);
    if (link(content, step) != 0 || real_rename(step, to) != 0)
        give_up("sync of a name");
    unlink(step); /* still there where both were names of one file */
}

/* The names in a folder, as they are now, become durable. */
static void sync_names(const char *path, const char *copy)
{
    char from[PATH_MAX], to[PATH_MAX];
    struct dirent *entry;
    DIR *folder = opendir(path);

    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            path_join(from, path, entry->d_name);
            path_join(to, copy, entry->d_name);
            sync_name(from, to);
        }
    closedir(folder);
    folder = opendir(copy);
    while (folder != NULL && (entry = readdir(folder)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            strcmp(entry->d_name, FILES) != 0) {
            path_join(from, path, entry->d_name);
            path_join(to, copy, entry->d_name);
            if (faccessat(AT_FDCWD, from, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
                remove_tree(to);
        }
    if (folder != NULL)
        closedir(folder);
}

/* At the start: all there is. */
static void sync_tree(const char *path, const char *copy)
{
    char inner[PATH_MAX], inner_copy[PATH_MAX];
    struct dirent *entry;
    struct stat status;
    DIR *folder = opendir(path);

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        path_join(inner, path, entry->d_name);
        path_join(inner_copy, copy, entry->d_name);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            lstat(inner, &status) != 0)
            continue;
        if (S_ISDIR(status.st_mode)) {
            mkdir(inner_copy, 0700);
            sync_tree(inner, inner_copy);
        } else if (S_ISREG(status.st_mode)) {
            int fd = real_open(inner, O_RDONLY | O_CLOEXEC);
            if (fd < 0)
                give_up(inner);
            sync_content(file_find(fd), fd);
            real_close(fd);
        }
    }
    if (folder != NULL)
        closedir(folder);
    sync_names(path, copy);
}

__attribute__((constructor)) static void begin(void)
{
    char path[PATH_MAX];

    resolve_all();
    const char *asked = getenv("POWERLOSS_LIVE");
    durable = getenv("POWERLOSS_DURABLE");
    if (asked == NULL || durable == NULL)
        return;
    mkdir(durable, 0700);
    path_join(path, durable, FILES);
    if (mkdir(path, 0700) != 0)
        give_up("POWERLOSS_DURABLE is in use");
    live = asked;
    sync_tree(live, durable);
}

static int sync_descriptor(int fd, int (*real)(int))
{
    char path[PATH_MAX], copy[PATH_MAX];
    struct stat status;

    if (live == NULL || fstat(fd, &status) != 0)
        return real(fd);
    pthread_mutex_lock(&lock);
    struct file *file = file_of(fd);
    bool folder = S_ISDIR(status.st_mode) && descriptor_path(fd, path) && durable_path(path, copy);
    if (file != NULL)
        sync_content(file, fd);
    if (folder) {
        folder_place(copy, path);
        sync_names(path, copy);
    }
    pthread_mutex_unlock(&lock);
    return file != NULL || folder ? 0 : real(fd);
}

/* --- the calls ------------------------------------------------------------------------------ */

/* glibc's names for 64-bit offsets are the same functions here. */
#define ALIAS(name) __attribute__((alias(#name), visibility("default")))
_Static_assert(sizeof(off_t) == 8, "64-bit offsets");

static int opened(int fd, int flags)
{
    forget(fd);
    if (fd >= 0 && (flags & O_TRUNC) != 0)
        note_range(fd, 0, 1);
    return fd;
}

static mode_t mode_of(int flags, va_list args)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;
}

EXPORT int open(const char *path, int flags, ...)
{
    va_list args;

    resolve_all();
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return opened(real_open(path, flags, mode), flags);
}

EXPORT int openat(int at, const char *path, int flags, ...)
{
    va_list args;

    resolve_all();
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return opened(real_openat(at, path, flags, mode), flags);
}

EXPORT int creat(const char *path, mode_t mode)
{
    return open(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

EXPORT int close(int fd)
{
    resolve_all();
    forget(fd);
    return real_close(fd);
}

EXPORT int dup2(int fd, int to)
{
    resolve_all();
    forget(to);
    return real_dup2(fd, to);
}

EXPORT int dup3(int fd, int to, int flags)
{
    resolve_all();
    forget(to);
    return real_dup3(fd, to, flags);
}

/* After a write at the descriptor's own place. */
static ssize_t written(int fd, ssize_t size)
{
    off_t end;

    if (live != NULL && size > 0 && (end = lseek(fd, 0, SEEK_CUR)) >= (off_t)size)
        note_range(fd, end - (off_t)size, end);
    return size;
}

static ssize_t written_at(int fd, ssize_t size, off_t at)
{
    if (live != NULL && size > 0)
        note_range(fd, at, at + (off_t)size);
    return size;
}

EXPORT ssize_t write(int fd, const void *data, size_t size)
{
    resolve_all();
    return written(fd, real_write(fd, data, size));
}

EXPORT ssize_t writev(int fd, const struct iovec *parts, int count)
{
    resolve_all();
    return written(fd, real_writev(fd, parts, count));
}

EXPORT ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    resolve_all();
    return written_at(fd, real_pwrite(fd, data, size, at), at);
}

EXPORT ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    resolve_all();
    return written_at(fd, real_pwritev(fd, parts, count, at), at);
}

EXPORT int ftruncate(int fd, off_t size)
{
    resolve_all();
    if (live != NULL)
        note_range(fd, size, size + 1);
    return real_ftruncate(fd, size);
}

EXPORT int fallocate(int fd, int mode, off_t at, off_t size)
{
    resolve_all();
    if (live != NULL && (mode & ~FALLOC_FL_KEEP_SIZE) != 0)
        note_range(fd, at, at + size);
    return real_fallocate(fd, mode, at, size);
}

EXPORT int fsync(int fd)
{
    resolve_all();
    return sync_descriptor(fd, real_fsync);
}

EXPORT int fdatasync(int fd)
{
    resolve_all();
    return sync_descriptor(fd, real_fdatasync);
}

EXPORT int rename(const char *from, const char *to)
{
    char other[PATH_MAX];
    struct stat status;

    resolve_all();
    if (live != NULL && durable_path(from, other) && stat(from, &status) == 0 &&
        S_ISDIR(status.st_mode))
        give_up("renaming a folder is not modelled");
    return real_rename(from, to);
}

EXPORT void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    resolve_all();
    if (live != NULL && (flags & MAP_TYPE) != MAP_PRIVATE && (protection & PROT_WRITE) != 0 &&
        (flags & MAP_ANONYMOUS) == 0) {
        pthread_mutex_lock(&lock);
        bool inside = file_of(fd) != NULL;
        pthread_mutex_unlock(&lock);
        if (inside)
            give_up("a shared writable mapping is not modelled");
    }
    return real_mmap(at, size, protection, flags, fd, offset);
}

int open64(const char *path, int flags, ...) ALIAS(open);
int openat64(int at, const char *path, int flags, ...) ALIAS(openat);
int creat64(const char *path, mode_t mode) ALIAS(creat);
ssize_t pwrite64(int fd, const void *data, size_t size, off_t at) ALIAS(pwrite);
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at) ALIAS(pwritev);
int ftruncate64(int fd, off_t size) ALIAS(ftruncate);
int fallocate64(int fd, int mode, off_t at, off_t size) ALIAS(fallocate);
void *mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset) ALIAS(mmap);
