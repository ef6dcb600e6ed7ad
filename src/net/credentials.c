/* net/credentials.c - the file is read by inih, section by section, into an array that is then
 * sorted by access key. */
#include "net/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for all pairs that may be in it, with comments. */
#define FILE_SIZE_MOST (1 << 20)

/* Who but the owner may do anything with the file. */
#define MODE_OF_OTHERS (S_IRWXG | S_IRWXO)

struct pair {
    char access_key[ACCESS_KEY_MOST + 1];
    char secret_key[SECRET_KEY_MOST + 1];
    char section[64];
};

struct credentials {
    size_t count;
    struct pair pairs[CREDENTIALS_MOST];
};

struct reading {
    struct credentials *credentials;
    const char *path;
    struct err *err;
    bool failed;
};

static bool reading_fail(struct reading *reading, const char *section, const char *what)
{
    reading->failed = true;
    return err_fail(reading->err, ERR_CONFIG, "credentials file %s: section [%s] %s", reading->path,
                    section, what);
}

static bool pair_whole(struct reading *reading, const struct pair *pair)
{
    if (pair->access_key[0] == '\0')
        return reading_fail(reading, pair->section, "has no aws_access_key_id");
    if (pair->secret_key[0] == '\0')
        return reading_fail(reading, pair->section, "has no aws_secret_access_key");
    return true;
}

/* The pair of the section: the last one, or a new one. */
static struct pair *pair_of(struct reading *reading, const char *section)
{
    struct credentials *credentials = reading->credentials;
    struct pair *last =
        credentials->count == 0 ? NULL : &credentials->pairs[credentials->count - 1];

    if (last != NULL && strcmp(last->section, section) == 0)
        return last;
    if (last != NULL && !pair_whole(reading, last))
        return NULL;
    if (credentials->count == CREDENTIALS_MOST) {
        reading_fail(reading, section, "is one too many");
        return NULL;
    }
    struct pair *pair = &credentials->pairs[credentials->count++];
    snprintf(pair->section, sizeof pair->section, "%s", section);
    return pair;
}

static bool access_key_valid(const char *key)
{
    return strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") ==
           strlen(key);
}

static bool value_take(struct reading *reading, const char *section, char *to, size_t size,
                       const char *value)
{
    if (to[0] != '\0')
        return reading_fail(reading, section, "holds more than one pair");
    if (value[0] == '\0' || strlen(value) >= size)
        return reading_fail(reading, section, "has an empty or overlong value");
    memcpy(to, value, strlen(value) + 1);
    return true;
}

/* inih's callback: 0 stops. Members that other tools keep in such a file are passed over. */
static int line_take(void *context, const char *section, const char *name, const char *value)
{
    struct reading *reading = context;
    struct pair *pair;

    if (reading->failed)
        return 0;
    bool access = strcmp(name, "aws_access_key_id") == 0 || strcmp(name, "access_key_id") == 0;
    bool secret =
        strcmp(name, "aws_secret_access_key") == 0 || strcmp(name, "secret_access_key") == 0;
    if (!access && !secret)
        return 1;
    if ((pair = pair_of(reading, section)) == NULL)
        return 0;
    if (access && !access_key_valid(value))
        return reading_fail(reading, section, "has an access key of other than word characters");
    return access ? value_take(reading, section, pair->access_key, sizeof pair->access_key, value)
                  : value_take(reading, section, pair->secret_key, sizeof pair->secret_key, value);
}

static int pair_order(const void *a, const void *b)
{
    return strcmp(((const struct pair *)a)->access_key, ((const struct pair *)b)->access_key);
}

static bool pairs_check(struct reading *reading)
{
    struct credentials *credentials = reading->credentials;

    if (credentials->count == 0)
        return err_fail(reading->err, ERR_CONFIG, "credentials file %s holds no access key",
                        reading->path);
    if (!pair_whole(reading, &credentials->pairs[credentials->count - 1]))
        return false;
    qsort(credentials->pairs, credentials->count, sizeof *credentials->pairs, pair_order);
    for (size_t i = 1; i < credentials->count; i++)
        if (pair_order(&credentials->pairs[i - 1], &credentials->pairs[i]) == 0)
            return reading_fail(reading, credentials->pairs[i].section,
                                "repeats the access key of another");
    return true;
}

static bool file_check(int file, const char *path, struct err *err)
{
    struct stat status;

    if (fstat(file, &status) != 0)
        return err_fail(err, ERR_CONFIG, "credentials file %s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return err_fail(err, ERR_CONFIG, "credentials file %s is not a file", path);
    if ((status.st_mode & MODE_OF_OTHERS) != 0)
        return err_fail(err, ERR_CONFIG,
                        "credentials file %s is open to others than its owner (mode %03o): "
                        "chmod 600 it",
                        path, (unsigned)(status.st_mode & 0777));
    if (status.st_size > FILE_SIZE_MOST)
        return err_fail(err, ERR_CONFIG, "credentials file %s is larger than 1 MB", path);
    return true;
}

static bool stream_read(FILE *stream, struct reading *reading)
{
    int line = ini_parse_file(stream, line_take, reading);

    if (reading->failed)
        return false;
    if (line != 0)
        return err_fail(reading->err, ERR_CONFIG, "credentials file %s: line %d is not understood",
                        reading->path, line);
    return pairs_check(reading);
}

struct credentials *credentials_open(const char *path, struct err *err)
{
    struct reading reading = {.path = path, .err = err};
    struct credentials *credentials = NULL;
    int file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0) {
        err_fail(err, ERR_CONFIG, "credentials file %s: %s", path, strerror(errno));
        return NULL;
    }
    FILE *stream = fdopen(file, "r");
    if (stream == NULL || (credentials = calloc(1, sizeof *credentials)) == NULL)
        abort();
    reading.credentials = credentials;
    if (!file_check(file, path, err) || !stream_read(stream, &reading)) {
        credentials_close(credentials);
        credentials = NULL;
    }
    fclose(stream);
    return credentials;
}

void credentials_close(struct credentials *credentials)
{
    if (credentials == NULL)
        return;
    OPENSSL_cleanse(credentials, sizeof *credentials);
    free(credentials);
}

bool credentials_find(const struct credentials *credentials, struct bytes access_key,
                      struct bytes *secret_key)
{
    struct pair wanted;

    if (access_key.size == 0 || access_key.size > ACCESS_KEY_MOST ||
        memchr(access_key.data, '\0', access_key.size) != NULL)
        return false;
    memcpy(wanted.access_key, access_key.data, access_key.size);
    wanted.access_key[access_key.size] = '\0';
    const struct pair *found = bsearch(&wanted, credentials->pairs, credentials->count,
                                       sizeof *credentials->pairs, pair_order);
    if (found == NULL)
        return false;
    *secret_key = bytes_of_text(found->secret_key);
    return true;
}

size_t credentials_count(const struct credentials *credentials)
{
    return credentials->count;
}
