/* cli/place.c - a folder is taken for a key below a folder around it, which is a bucket then: so
 * incremental exports find the data files that they share, beside their own folder. */
#include "cli/place.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "archive/manifest.h"
#include "base/folder.h"

#define SCHEME "s3://"

/* Cut off the end, if it is there. */
static void cut_end(char *text, const char *end)
{
    size_t size = strlen(text), more = strlen(end);

    if (size > more && strcmp(text + size - more, end) == 0)
        text[size - more] = '\0';
}

/* "s3://BUCKET/KEY". */
static bool open_bucket(const struct settings *settings, struct arena *arena, struct place *out,
                        struct err *err)
{
    char *bucket = arena_text(arena, bytes_of_text(out->text + strlen(SCHEME)));
    char *slash = strchr(bucket, '/');

    if (settings->s3_endpoint == NULL)
        return err_fail(err, ERR_CONFIG, "%s wants --s3-endpoint", out->text);
    if (slash != NULL)
        *slash++ = '\0';
    out->bucket = bucket;
    out->folder = slash != NULL ? slash : "";
    out->store = settings_open_s3(settings, arena, err);
    return out->store != NULL;
}

/* The slash behind the nearest folder around `path` that can be a bucket, see store/path.h: no
 * hidden one, and the names below it are components of keys as they are. NULL: there is none. */
static char *bucket_end(char *path)
{
    char *end = strrchr(path, '/');

    while (end > path && strchr(end + 1, '%') == NULL) {
        char *above = memrchr(path, '/', (size_t)(end - path));
        if (above[1] != '.')
            return end;
        end = above;
    }
    return NULL;
}

/* `path` is absolute, and cut. */
static bool open_folder(char *path, struct arena *arena, struct place *out, struct err *err)
{
    char *end = bucket_end(path);

    out->moved = true;
    out->folder = end != NULL ? arena_text(arena, bytes_of_text(end + 1)) : "";
    if (end != NULL)
        *end = '\0';
    char *slash = strrchr(path, '/');
    out->bucket = arena_text(arena, bytes_of_text(slash + 1));
    *slash = '\0';
    out->store = store_open_directory(*path != '\0' ? path : "/", err);
    return out->store != NULL;
}

bool place_open(const struct settings *settings, const char *text, struct arena *arena,
                struct place *out, struct err *err)
{
    char path[PATH_MAX];

    *out = (struct place){.text = text};
    if (strncmp(text, SCHEME, strlen(SCHEME)) == 0) {
        if (!open_bucket(settings, arena, out, err))
            return false;
        char *folder = arena_text(arena, bytes_of_text(out->folder));
        cut_end(folder, "/" LEAF_SUMMARY);
        cut_end(folder, "/");
        out->folder = folder;
        return folder[0] != '\0' ||
               err_fail(err, ERR_CONFIG, "%s is no export: " SCHEME "BUCKET/PREFIX/AWSDynamoDB/ID",
                        text);
    }
    if (realpath(text, path) == NULL)
        return err_fail(err, ERR_STORE, "%s: there is no such folder", text);
    cut_end(path, "/" LEAF_SUMMARY);
    return open_folder(path, arena, out, err);
}

bool place_make(const struct settings *settings, const char *text, struct arena *arena,
                struct place *out, struct err *err)
{
    char path[PATH_MAX];

    *out = (struct place){.text = text, .folder = "", .moved = true};
    if (strncmp(text, SCHEME, strlen(SCHEME)) == 0) {
        out->moved = false;
        return open_bucket(settings, arena, out, err);
    }
    if (!folder_ensure(text, 0777) || realpath(text, path) == NULL)
        return err_fail(err, ERR_STORE, "cannot make the folder %s: %s", text, strerror(errno));
    char *slash = strrchr(path, '/');
    out->bucket = arena_text(arena, bytes_of_text(slash + 1));
    *slash = '\0';
    out->store = store_open_directory(*path != '\0' ? path : "/", err);
    return out->store != NULL;
}

void place_close(struct place *place)
{
    store_close(place->store);
    place->store = NULL;
}

void keys_take(char *text, const char *keys[2])
{
    char *colon = strchr(text, ':');

    if (colon != NULL)
        *colon++ = '\0';
    keys[0] = text;
    keys[1] = colon;
}
