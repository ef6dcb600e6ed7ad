/* store/directory.c - a folder as an object store: its sub-folders are the buckets, and an object
 * is one file. What S3 promises and a file system does not by itself:
 *
 * 1. An object is whole or not there. Bytes go to a file of their own in the bucket's UNFINISHED
 *    folder, are synced, and are renamed to the key's path at the end.
 * 2. What was acknowledged survives a loss of power. Every folder that a new name appears in (made
 * on the way, or the one the file is renamed into) is synced before success is told.
 * 3. Nobody gets out of the bucket: see path.h. Symbolic links are followed; only the owner of the
 *    folder can have made them.
 *
 * An upload's id is the name of its unfinished file. Whoever writes the file has it locked, so that
 * those which a crash has left can be told from the others: they go before the first write. */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/folder.h"
#include "base/random.h"
#include "base/share.h"
#include "store/etag.h"
#include "store/failure.h"
#include "store/folder.h"
#include "store/path.h"

#define GET_PIECE   ((size_t)256 * 1024)
#define WRITE_PIECE ((size_t)64 * 1024) /* a kernel may not be interrupted in a call */
#define ID_SIZE     33                  /* 32 hex digits and a NUL */

struct directory {
    struct store store;
    int root;
    char *name;           /* of the root, for messages */
    _Atomic bool cleared; /* of what a process before us has left */
};

/* A file on its way to becoming an object. Paths are below the root. */
struct unfinished {
    struct directory *directory;
    struct arena arena; /* the texts */
    struct object_location where;
    const char *path, *target;
    char id[ID_SIZE];
    int file;
};

struct directory_upload {
    struct unfinished unfinished;
    struct digest *md5; /* of all bytes: in a folder they are one part, however they come */
    bool first_seen;
    bool last_seen; /* a part under UPLOAD_PART has come */
};

static struct directory *directory_of(struct store *store)
{
    return (struct directory *)store;
}

static struct directory_upload *upload_of(struct upload *upload)
{
    return (struct directory_upload *)upload;
}

static bool no_such_bucket(struct err *err)
{
    return folder_refused(err, 404, "NoSuchBucket", "The specified bucket does not exist");
}

/* A bucket's name is one component of a path, and no hidden one. */
static bool bucket_check(const struct directory *directory, const char *bucket, struct err *err)
{
    struct stat info;

    if (bucket[0] == '\0' || bucket[0] == '.' || strchr(bucket, '/') != NULL)
        return no_such_bucket(err);
    if (fstatat(directory->root, bucket, &info, 0) < 0)
        return errno == ENOENT || errno == ENAMETOOLONG
                   ? no_such_bucket(err)
                   : store_broken(err, "%s/%s: %s", directory->name, bucket, strerror(errno));
    return S_ISDIR(info.st_mode) || no_such_bucket(err);
}

/* The path of an object, in the arena. */
static bool target_path(struct directory *directory, const struct object_location *where,
                        struct arena *arena, const char **out, struct err *err)
{
    struct bytes key = bytes_of_text(where->key);
    struct buf path;

    if (!bucket_check(directory, where->bucket, err))
        return false;
    if (key.size > KEY_MOST)
        return folder_refused(err, 400, "KeyTooLongError", "Your key is too long");
    if (key.size == 0)
        return store_broken(err, "an object needs a key");
    buf_init_in(&path, arena);
    buf_printf(&path, "%s/", where->bucket);
    if (!path_put_key(&path, key))
        return store_broken(err,
                            "a part of the key %s is over %d bytes, the most that a file's "
                            "name may have",
                            where->key, COMPONENT_MOST);
    buf_put_u8(&path, '\0');
    *out = (const char *)path.data;
    return true;
}

static bool folder_sync(const struct directory *directory, const char *path)
{
    int folder = openat(directory->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0)
        return false;
    bool ok = fsync(folder) == 0;
    int why = errno;
    close(folder);
    errno = why;
    return ok;
}

/* The path cut at one of its slashes, for the length of a call. */
static bool cut_sync(const struct directory *directory, char *path, char *slash)
{
    *slash = '\0';
    bool ok = folder_sync(directory, path);
    *slash = '/';
    return ok;
}

/* Makes the folders that a path below a bucket needs. One that is there may be another thread's,
 * who has not come to the sync yet; so each is synced either way. */
static bool parents_make(const struct directory *directory, char *path)
{
    char *above = strchr(path, '/');

    for (char *slash = strchr(above + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool there = mkdirat(directory->root, path, 0777) == 0 || errno == EEXIST;
        *slash = '/';
        if (!there || !cut_sync(directory, path, above))
            return false;
        above = slash;
    }
    return true;
}

static bool unfinished_broken(const struct unfinished *unfinished, struct err *err)
{
    bool clash = errno == ENOTDIR || errno == EISDIR || errno == ENOTEMPTY || errno == EEXIST;

    return store_broken(
        err, "writing %s in bucket %s: %s", unfinished->where.key, unfinished->where.bucket,
        clash ? "a folder cannot hold an object and others below its key" : strerror(errno));
}

static void random_id(char id[ID_SIZE])
{
    uint8_t bytes[(ID_SIZE - 1) / 2];

    random_fill(bytes, sizeof bytes);
    hex_put(bytes, sizeof bytes, id);
}

static const char *unfinished_path(struct arena *arena, const char *bucket, const char *id)
{
    return (const char *)arena_printf(arena, "%s/%s/%s%c", bucket, UNFINISHED, id, '\0').data;
}

/* --- files that are being written */

/* A file that nobody has locked is of a process that has died. */
static void orphan_remove(int folder, const char *name)
{
    int file = openat(folder, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

    if (file < 0)
        return;
    if (flock(file, LOCK_EX | LOCK_NB) == 0)
        unlinkat(folder, name, 0);
    close(file);
}

/* Removes the orphans of a bucket, and one more if it has an id. */
static void orphans_remove(const struct directory *directory, const char *bucket, const char *id)
{
    char path[2 * COMPONENT_MOST + 2];

    snprintf(path, sizeof path, "%s/%s", bucket, UNFINISHED);
    int folder = openat(directory->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *names = folder < 0 ? NULL : fdopendir(folder);
    if (names == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(names)) != NULL;) {
        if (strlen(entry->d_name) != ID_SIZE - 1)
            continue;
        if (id != NULL && strcmp(entry->d_name, id) == 0)
            unlinkat(folder, entry->d_name, 0);
        else
            orphan_remove(folder, entry->d_name);
    }
    closedir(names);
}

/* Once, before the first file of our own: those who only read remove nothing. */
static void orphans_remove_once(struct directory *directory)
{
    if (atomic_exchange(&directory->cleared, true))
        return;
    int root = openat(directory->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *names = root < 0 ? NULL : fdopendir(root);

    if (names == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(names)) != NULL;)
        if (entry->d_name[0] != '.')
            orphans_remove(directory, entry->d_name, NULL);
    closedir(names);
}

static void unfinished_close(struct unfinished *unfinished)
{
    if (unfinished->file >= 0)
        close(unfinished->file);
    unfinished->file = -1;
}

static void unfinished_drop(struct unfinished *unfinished)
{
    if (unfinished->file >= 0) {
        unfinished_close(unfinished);
        unlinkat(unfinished->directory->root, unfinished->path, 0);
    }
    arena_release(&unfinished->arena);
}

static bool unfinished_open(struct unfinished *unfinished, struct err *err)
{
    struct directory *directory = unfinished->directory;
    char *path = (char *)unfinished->path;
    struct stat info;

    if (!parents_make(directory, path))
        return unfinished_broken(unfinished, err);
    do { /* again where somebody has taken it for an orphan before it was locked */
        unfinished_close(unfinished);
        unfinished->file = openat(directory->root, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        if (unfinished->file < 0)
            return unfinished_broken(unfinished, err);
        flock(unfinished->file, LOCK_EX);
    } while (fstat(unfinished->file, &info) == 0 && info.st_nlink == 0);
    return true;
}

/* Fails with nothing left to drop. */
static bool unfinished_begin(struct directory *directory, const struct object_location *where,
                             const struct object_settings *settings, struct unfinished *out,
                             struct err *err)
{
    if (settings->encryption != NULL && strcmp(settings->encryption, "KMS") == 0)
        return folder_refused(err, 501, "NotImplemented",
                              "Encryption by KMS was asked for, and a folder has no KMS: choose "
                              "AES256, or an S3 endpoint that has one");
    orphans_remove_once(directory);
    *out = (struct unfinished){.directory = directory, .file = -1};
    arena_init(&out->arena);
    out->where.bucket = arena_text(&out->arena, bytes_of_text(where->bucket));
    out->where.key = arena_text(&out->arena, bytes_of_text(where->key));
    random_id(out->id);
    out->path = unfinished_path(&out->arena, where->bucket, out->id);
    if (target_path(directory, where, &out->arena, &out->target, err) && unfinished_open(out, err))
        return true;
    unfinished_drop(out);
    return false;
}

static bool unfinished_write(struct unfinished *unfinished, struct bytes piece, struct err *err)
{
    while (piece.size > 0) {
        size_t some = piece.size < WRITE_PIECE ? piece.size : WRITE_PIECE;
        ssize_t written = write(unfinished->file, piece.data, some);
        share_offer();
        if (written < 0 && errno != EINTR)
            return unfinished_broken(unfinished, err);
        if (written > 0)
            piece = bytes_from(piece, (size_t)written);
    }
    return true;
}

/* Makes the file an object; the unfinished folder is synced too, lest a crash show both names. */
static bool unfinished_publish(struct unfinished *unfinished, struct err *err)
{
    struct directory *directory = unfinished->directory;
    char *path = (char *)unfinished->path, *target = (char *)unfinished->target;

    if (fsync(unfinished->file) < 0 || !parents_make(directory, target) ||
        renameat(directory->root, path, directory->root, target) < 0 ||
        !cut_sync(directory, target, strrchr(target, '/')) ||
        !cut_sync(directory, path, strrchr(path, '/')))
        return unfinished_broken(unfinished, err);
    return true;
}

static bool directory_put(struct store *store, const struct object_location *where,
                          struct bytes body, const struct object_settings *settings,
                          char etag[ETAG_MOST], struct err *err)
{
    struct unfinished unfinished;

    if (STORE_FAULT(STORE_PUT, err) ||
        !unfinished_begin(directory_of(store), where, settings, &unfinished, err))
        return false;
    bool ok = unfinished_write(&unfinished, body, err) && unfinished_publish(&unfinished, err);
    if (ok)
        etag_of_object(body, etag);
    unfinished_drop(&unfinished);
    return ok;
}

static bool directory_upload_begin(struct store *store, const struct object_location *where,
                                   const struct object_settings *settings, struct upload **out,
                                   struct err *err)
{
    struct unfinished unfinished;

    if (!unfinished_begin(directory_of(store), where, settings, &unfinished, err))
        return false;
    struct directory_upload *upload = calloc(1, sizeof *upload);
    assert(upload != NULL);
    upload->unfinished = unfinished;
    upload->md5 = digest_new(DIGEST_MD5);
    *out = (struct upload *)upload;
    return true;
}

static bool directory_upload_part(struct upload *base, struct bytes part, struct err *err)
{
    struct directory_upload *upload = upload_of(base);

    assert(!upload->last_seen && part.size <= UPLOAD_PART);
    upload->first_seen = true;
    upload->last_seen = part.size < UPLOAD_PART;
    if (STORE_FAULT(STORE_PART, err) || !unfinished_write(&upload->unfinished, part, err))
        return false;
    /* A hint to begin: if a large file were written all by its sync, syncs of commits on the same
     * disk would stand behind it. */
    sync_file_range(upload->unfinished.file, 0, 0, SYNC_FILE_RANGE_WRITE);
    digest_put(upload->md5, part);
    return true;
}

static void directory_upload_abort(struct upload *base)
{
    struct directory_upload *upload = upload_of(base);

    unfinished_drop(&upload->unfinished);
    digest_free(upload->md5);
    free(upload);
}

static bool directory_upload_complete(struct upload *base, struct upload_sums *out, struct err *err)
{
    struct directory_upload *upload = upload_of(base);

    assert(upload->first_seen);
    bool ok = !STORE_FAULT(STORE_COMPLETE, err) && unfinished_publish(&upload->unfinished, err);
    if (ok) {
        digest_take(upload->md5, out->md5);
        etag_of_one_part(out->md5, out->etag);
    }
    directory_upload_abort(base); /* frees; after the rename there is no file to remove */
    return ok;
}

static const char *directory_upload_id(const struct upload *base)
{
    return ((const struct directory_upload *)base)->unfinished.id;
}

static bool directory_abandon(struct store *store, const struct object_location *where,
                              const char *upload_id)
{
    struct err ignored;

    if (bucket_check(directory_of(store), where->bucket, &ignored))
        orphans_remove(directory_of(store), where->bucket, upload_id);
    return true;
}

static bool no_such_key(struct err *err)
{
    return folder_refused(err, 404, "NoSuchKey", "The specified key does not exist.");
}

static bool reading_broken(const struct object_location *where, struct err *err)
{
    if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR)
        return no_such_key(err);
    return store_broken(err, "reading %s in bucket %s: %s", where->key, where->bucket,
                        strerror(errno));
}

/* The object's file and what it is; the caller closes it. */
static bool object_open(struct directory *directory, const struct object_location *where, int *file,
                        struct stat *info, struct err *err)
{
    struct arena arena;
    const char *path;

    arena_init(&arena);
    bool ok = target_path(directory, where, &arena, &path, err);
    if (ok) {
        *file = openat(directory->root, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        ok = (*file >= 0 && fstat(*file, info) == 0) || reading_broken(where, err);
    }
    arena_release(&arena);
    if (!ok)
        return false;
    if (S_ISREG(info->st_mode))
        return true;
    close(*file);
    return no_such_key(err);
}

static bool file_read(int file, const struct object_location *where,
                      bool (*take)(void *context, struct bytes piece, struct err *err),
                      void *context, struct err *err)
{
    uint8_t *piece = malloc(GET_PIECE);
    bool ok = true;

    assert(piece != NULL);
    for (ssize_t size = 1; ok && size != 0;) {
        size = read(file, piece, GET_PIECE);
        if (size < 0 && errno != EINTR)
            ok = reading_broken(where, err);
        if (size > 0)
            ok = take(context, bytes_of(piece, (size_t)size), err);
    }
    free(piece);
    return ok;
}

static bool directory_get(struct store *store, const struct object_location *where,
                          bool (*take)(void *context, struct bytes piece, struct err *err),
                          void *context, struct err *err)
{
    struct stat info;
    int file;

    if (!object_open(directory_of(store), where, &file, &info, err))
        return false;
    bool ok = file_read(file, where, take, context, err);
    close(file);
    return ok;
}

static bool directory_head(struct store *store, const struct object_location *where, uint64_t *size,
                           char etag[ETAG_MOST], struct err *err)
{
    struct stat info;
    int file;

    if (!object_open(directory_of(store), where, &file, &info, err))
        return false;
    close(file);
    *size = (uint64_t)info.st_size;
    etag[0] = '\0';
    return true;
}

static bool directory_list(struct store *store, const char *bucket, const char *prefix,
                           bool (*take)(void *context, const char *key, uint64_t size,
                                        struct err *err),
                           void *context, struct err *err)
{
    struct directory *directory = directory_of(store);

    return bucket_check(directory, bucket, err) &&
           folder_walk(directory->root, bucket, prefix, take, context, err);
}

/* Nothing here waits. */
static void directory_stop(struct store *store)
{
    (void)store;
}

static void directory_close(struct store *store)
{
    struct directory *directory = directory_of(store);

    close(directory->root);
    free(directory->name);
    free(directory);
}

static const struct store_ops directory_ops = {
    .name = "directory",
    .put = directory_put,
    .upload_begin = directory_upload_begin,
    .upload_part = directory_upload_part,
    .upload_complete = directory_upload_complete,
    .upload_abort = directory_upload_abort,
    .upload_id = directory_upload_id,
    .abandon = directory_abandon,
    .get = directory_get,
    .head = directory_head,
    .list = directory_list,
    .stop = directory_stop,
    .close = directory_close,
};

struct store *store_open_directory(const char *root, struct err *err)
{
    int folder = -1;

    if (folder_ensure(root, 0777))
        folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        store_broken(err, "opening the folder of buckets %s: %s", root, strerror(errno));
        return NULL;
    }
    struct directory *directory = malloc(sizeof *directory);
    assert(directory != NULL);
    *directory = (struct directory){{&directory_ops}, folder, strdup(root), false};
    return &directory->store;
}
