/* store/folder.c - the keys below a folder, in byte order. A folder called "a" holds keys that
 * begin with "a/", so it comes after a file called "a-b" and before one called "a0": names are
 * sorted with the slash that a folder brings along. One level is read whole and sorted, then
 * walked; the depth is bounded by the longest key. */
#include "store/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "store/failure.h"
#include "store/path.h"

/* The lengths and letters of the ids that S3 gives (spec/export.md 2.9). */
#define REQUEST_ID_LENGTH  16
#define EXTENDED_ID_LENGTH 76

struct entry {
    const char *name;   /* of the file */
    const char *suffix; /* what it adds to the key; a folder's with a slash */
    bool folder;
};

struct walk {
    int root;
    const char *bucket;
    struct bytes prefix;
    struct arena arena;
    struct buf path, key; /* of the level at hand; the path without a closing slash */
    bool (*take)(void *context, const char *key, uint64_t size, struct err *err);
    void *context;
};

static void random_letters(const char *alphabet, size_t count, char *to)
{
    size_t letters = strlen(alphabet);

    random_fill(to, count);
    for (size_t i = 0; i < count; i++)
        to[i] = alphabet[(uint8_t)to[i] % letters];
    to[count] = '\0';
}

bool folder_refused(struct err *err, int status, const char *code, const char *message)
{
    char request_id[REQUEST_ID_LENGTH + 1], extended_id[EXTENDED_ID_LENGTH + 1];

    random_letters("0123456789ABCDEFGHJKMNPQRSTVWXYZ", REQUEST_ID_LENGTH, request_id);
    random_letters("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
                   EXTENDED_ID_LENGTH, extended_id);
    return store_refused(err, &(struct refusal){status, code, message, request_id, extended_id});
}

static int entry_compare(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->suffix, ((const struct entry *)b)->suffix);
}

/* Whether keys with the prefix can be at, or below, what the buffer says. */
static bool key_wanted(const struct walk *walk, struct bytes key, bool folder)
{
    return bytes_begin(key, walk->prefix) || (folder && bytes_begin(walk->prefix, key));
}

static bool entry_is_folder(DIR *folder, const struct dirent *entry)
{
    struct stat info;

    if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(dirfd(folder), entry->d_name, &info, 0) == 0 && S_ISDIR(info.st_mode);
}

/* What one file's name adds to the key of the level; false if it has no keys that are wanted. */
static bool entry_read(struct walk *walk, DIR *folder, const struct dirent *from, struct entry *out)
{
    size_t level = walk->key.size;
    bool wanted = strcmp(from->d_name, ".") != 0 && strcmp(from->d_name, "..") != 0 &&
                  path_take_name(from->d_name, &walk->key);

    if (wanted) {
        out->folder = entry_is_folder(folder, from);
        if (out->folder)
            buf_put_u8(&walk->key, '/');
        wanted = walk->key.size <= KEY_MOST && key_wanted(walk, buf_bytes(&walk->key), out->folder);
    }
    if (wanted) {
        out->name = arena_text(&walk->arena, bytes_of_text(from->d_name));
        out->suffix = arena_text(&walk->arena, bytes_from(buf_bytes(&walk->key), level));
    }
    walk->key.size = level;
    return wanted;
}

static DIR *level_open(struct walk *walk)
{
    buf_put_u8(&walk->path, '\0');
    walk->path.size--;
    int folder =
        openat(walk->root, (const char *)walk->path.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *names = folder < 0 ? NULL : fdopendir(folder);
    if (names == NULL && folder >= 0)
        close(folder);
    return names;
}

/* The level's entries, sorted, on the heap. Links that go round end at some depth, with ELOOP. */
static bool level_read(struct walk *walk, struct buf *entries, struct err *err)
{
    DIR *folder = level_open(walk);

    if (folder == NULL)
        return errno == ENOENT || errno == ELOOP ||
               store_broken(err, "listing %.*s: %s", BYTES_ARGS(buf_bytes(&walk->path)),
                            strerror(errno));
    for (const struct dirent *from; (from = readdir(folder)) != NULL;) {
        struct entry entry;
        if (entry_read(walk, folder, from, &entry))
            buf_put(entries, &entry, sizeof entry);
    }
    closedir(folder);
    if (entries->size > 0)
        qsort(entries->data, entries->size / sizeof(struct entry), sizeof(struct entry),
              entry_compare);
    return true;
}

static bool level_walk(struct walk *walk, struct err *err);

static bool entry_walk(struct walk *walk, const struct entry *entry, struct err *err)
{
    struct stat info;
    size_t path = walk->path.size, key = walk->key.size;
    bool ok = true;

    buf_printf(&walk->path, "/%s%c", entry->name, '\0');
    buf_printf(&walk->key, "%s%c", entry->suffix, '\0');
    walk->path.size--;
    walk->key.size--;
    if (entry->folder)
        ok = level_walk(walk, err);
    else if (fstatat(walk->root, (const char *)walk->path.data, &info, 0) == 0 &&
             S_ISREG(info.st_mode))
        ok = walk->take(walk->context, (const char *)walk->key.data, (uint64_t)info.st_size, err);
    walk->path.size = path;
    walk->key.size = key;
    return ok;
}

static bool level_walk(struct walk *walk, struct err *err)
{
    struct arena_mark mark = arena_mark(&walk->arena);
    struct buf entries;

    buf_init(&entries);
    bool ok = level_read(walk, &entries, err);
    for (size_t at = 0; ok && at < entries.size; at += sizeof(struct entry))
        ok = entry_walk(walk, (const struct entry *)(entries.data + at), err);
    buf_release(&entries);
    arena_rewind(&walk->arena, mark);
    return ok;
}

bool folder_walk(int root, const char *bucket, const char *prefix,
                 bool (*take)(void *context, const char *key, uint64_t size, struct err *err),
                 void *context, struct err *err)
{
    struct walk walk = {.root = root,
                        .bucket = bucket,
                        .prefix = bytes_of_text(prefix),
                        .take = take,
                        .context = context};

    arena_init(&walk.arena);
    buf_init(&walk.path);
    buf_init(&walk.key);
    buf_put_text(&walk.path, bucket);
    bool ok = level_walk(&walk, err);
    buf_release(&walk.key);
    buf_release(&walk.path);
    arena_release(&walk.arena);
    return ok;
}
