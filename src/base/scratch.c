/* base/scratch.c - O_TMPFILE, or where the file system has none, a name that goes at once. */
#include "base/scratch.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fault.h"

static bool fail(const struct scratch *scratch, const char *what, struct err *err)
{
    return err_fail(err, errno == ENOSPC ? ERR_DISK_FULL : ERR_STORAGE, "%s scratch in %s: %s",
                    what, scratch->place.folder, strerror(errno));
}

static int open_named(const char *folder)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/XXXXXX", folder) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int file = mkostemp(path, O_CLOEXEC);
    if (file >= 0)
        unlink(path);
    return file;
}

bool scratch_file_open(struct scratch_file *file, struct scratch *scratch, struct err *err)
{
    if (FAULT(SCRATCH_WRITE, err))
        return false;
    int opened = open(scratch->place.folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (opened < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
        opened = open_named(scratch->place.folder);
    if (opened < 0)
        return fail(scratch, "opening", err);
    *file = (struct scratch_file){.scratch = scratch, .file = opened};
    return true;
}

void scratch_file_close(struct scratch_file *file)
{
    atomic_fetch_sub(&file->scratch->used, file->size);
    close(file->file);
}

bool scratch_choose(struct scratch *scratch, const char *folder, struct err *err)
{
    const char *usual = getenv("TMPDIR");
    struct scratch_file file;

    if (folder == NULL)
        folder = usual != NULL && *usual != '\0' ? usual : "/tmp";
    *scratch = (struct scratch){.place.folder = folder};
    if (!scratch_file_open(&file, scratch, err))
        return false;
    scratch_file_close(&file);
    return true;
}

/* Takes room; what is taken in vain is given back by the caller. */
static bool room_take(struct scratch *scratch, size_t size, struct err *err)
{
    uint64_t used = atomic_fetch_add(&scratch->used, size) + size;

    return scratch->most == 0 || used <= scratch->most ||
           err_fail(err, ERR_SCRATCH_LIMIT, "more than %llu bytes of scratch are needed",
                    (unsigned long long)scratch->most);
}

static bool disk_has_room(const struct scratch_file *file, size_t size, struct err *err)
{
    const struct scratch_place *place = &file->scratch->place;
    struct statvfs disk;

    if (place->reserve == 0 || fstatvfs(file->file, &disk) != 0)
        return true;
    return (uint64_t)disk.f_bavail * disk.f_frsize >= place->reserve + size ||
           err_fail(err, ERR_DISK_FULL, "%llu bytes of the disk of %s are kept free",
                    (unsigned long long)place->reserve, place->folder);
}

static bool write_all(const struct scratch_file *file, struct bytes bytes, struct err *err)
{
    uint64_t at = file->size;

    while (bytes.size > 0) {
        ssize_t written = pwrite(file->file, bytes.data, bytes.size, (off_t)at);
        if (written < 0 && errno != EINTR)
            return fail(file->scratch, "writing", err);
        if (written > 0) {
            bytes = bytes_from(bytes, (size_t)written);
            at += (uint64_t)written;
        }
    }
    return true;
}

bool scratch_append(struct scratch_file *file, struct bytes bytes, struct err *err)
{
    if (FAULT(SCRATCH_WRITE, err))
        return false;
    if (room_take(file->scratch, bytes.size, err) && disk_has_room(file, bytes.size, err) &&
        write_all(file, bytes, err)) {
        file->size += bytes.size;
        return true;
    }
    atomic_fetch_sub(&file->scratch->used, bytes.size);
    return false;
}

bool scratch_read(const struct scratch_file *file, uint64_t from, uint8_t *to, size_t size,
                  struct err *err)
{
    assert(from + size <= file->size);
    if (FAULT(SCRATCH_READ, err))
        return false;
    while (size > 0) {
        ssize_t got = pread(file->file, to, size, (off_t)from);
        if (got == 0)
            return err_fail(err, ERR_CORRUPT, "a file of scratch in %s is cut off",
                            file->scratch->place.folder);
        if (got < 0 && errno != EINTR)
            return fail(file->scratch, "reading", err);
        if (got > 0) {
            to += got;
            from += (uint64_t)got;
            size -= (size_t)got;
        }
    }
    return true;
}

void scratch_cut(struct scratch_file *file, uint64_t size)
{
    assert(size <= file->size);
    atomic_fetch_sub(&file->scratch->used, file->size - size);
    file->size = size;
    if (ftruncate(file->file, (off_t)size) != 0)
        return; /* a hint: what lies there is written over, and goes with the file */
}
