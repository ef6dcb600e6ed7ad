/* test/support/store_suite.c - see store_suite.h. */
#include "support/store_suite.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/check.h"

const struct object_settings store_usual_settings = {.content_type = "application/json",
                                                     .encryption = "AES256"};

/* MD5 of nothing, "abc" (RFC 1321 A.5), and, of an upload of one empty part (as spec/export.md 3.2
 * has it). */
#define ETAG_NOTHING "d41d8cd98f00b204e9800998ecf8427e"
#define ETAG_ABC     "900150983cd24fb0d6963f7d28e17f72"

static bool append(void *context, struct bytes piece, struct err *err)
{
    (void)err;
    buf_put_bytes(context, piece);
    return true;
}

static bool append_key(void *context, const char *key, uint64_t size, struct err *err)
{
    (void)size, (void)err;
    buf_printf(context, "%s\n", key);
    return true;
}

static struct object_location at(const struct store_under_test *test, const char *key)
{
    return (struct object_location){test->bucket, key};
}

void store_read(struct store *store, const char *bucket, const char *key, struct buf *out)
{
    struct err err = {0};

    if (!store->ops->get(store, &(struct object_location){bucket, key}, append, out, &err))
        fail_msg("get of %s: %s", key, err.message);
}

void store_keys(struct store *store, const char *bucket, const char *prefix, struct buf *out)
{
    struct err err = {0};

    if (!store->ops->list(store, bucket, prefix, append_key, out, &err))
        fail_msg("list of %s: %s", prefix, err.message);
}

static void put(struct store_under_test *test, const char *key, struct bytes body, const char *etag)
{
    char given[ETAG_MOST];
    struct err err = {0};
    struct object_location where = at(test, key);

    if (!test->store->ops->put(test->store, &where, body, &store_usual_settings, given, &err))
        fail_msg("put of %s: %s", key, err.message);
    if (etag != NULL)
        assert_string_equal(given, etag);
}

static void assert_object(struct store_under_test *test, const char *key, struct bytes body)
{
    struct buf got;
    uint64_t size;
    char etag[ETAG_MOST];
    struct err err;
    struct object_location where = at(test, key);

    buf_init(&got);
    store_read(test->store, test->bucket, key, &got);
    assert_int_equal(got.size, body.size);
    assert_true(bytes_equal(buf_bytes(&got), body));
    assert_true(test->store->ops->head(test->store, &where, &size, etag, &err));
    assert_int_equal(size, body.size);
    buf_release(&got);
}

static void assert_keys(struct store_under_test *test, const char *prefix, const char *keys)
{
    struct buf got;

    buf_init(&got);
    store_keys(test->store, test->bucket, prefix, &got);
    assert_bytes_equal(buf_bytes(&got), bytes_of_text(keys));
    buf_release(&got);
}

void store_puts_and_gets(struct store_under_test *test)
{
    put(test, "a/b/c.json", BYTES("abc"), ETAG_ABC);
    put(test, "a/b/_started", BYTES_NONE, ETAG_NOTHING);
    assert_object(test, "a/b/c.json", BYTES("abc"));
    assert_object(test, "a/b/_started", BYTES_NONE);
    test->clear(test);
    assert_keys(test, "", "");
}

void store_replaces_objects(struct store_under_test *test)
{
    put(test, "key", BYTES("before"), NULL);
    put(test, "key", BYTES("abc"), ETAG_ABC);
    assert_object(test, "key", BYTES("abc"));
    assert_keys(test, "", "key\n");
    test->clear(test);
}

/* Each holds its own name. */
void store_keeps_odd_keys_apart(struct store_under_test *test)
{
    static const char *const keys[] = {
        "/",    "/lead/ing",   "a b",    "a&b<c>\"'", "a+b",     "a//b",
        "a//c", "big\xc3\xa9", "c%",     "c%25",      "c%2F",    "d?x=y#z",
        "e=f",  "t/",          "tab\t!", "u:v;w@x",   "z%2E%2E", "~-_.!*()",
    };

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        put(test, keys[i], bytes_of_text(keys[i]), NULL);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_object(test, keys[i], bytes_of_text(keys[i]));
    struct buf all;
    buf_init(&all);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        buf_printf(&all, "%s\n", keys[i]);
    buf_put_u8(&all, '\0');
    assert_keys(test, "", (const char *)all.data);
    buf_release(&all);
    test->clear(test);
}

static struct upload *begin(struct store_under_test *test, const char *key)
{
    struct upload *upload = NULL;
    struct err err = {0};
    struct object_location where = at(test, key);

    if (!test->store->ops->upload_begin(test->store, &where, &store_usual_settings, &upload, &err))
        fail_msg("upload of %s: %s", key, err.message);
    return upload;
}

static void part(struct store_under_test *test, struct upload *upload, struct bytes bytes)
{
    struct err err = {0};

    if (!test->store->ops->upload_part(upload, bytes, &err))
        fail_msg("part: %s", err.message);
}

static void complete(struct store_under_test *test, struct upload *upload, struct bytes body,
                     const char *etag)
{
    struct upload_sums sums;
    uint8_t md5[MD5_SIZE];
    struct err err = {0};

    if (!test->store->ops->upload_complete(upload, &sums, &err))
        fail_msg("complete: %s", err.message);
    digest_of(DIGEST_MD5, body, md5);
    assert_memory_equal(sums.md5, md5, sizeof md5);
    assert_string_equal(sums.etag, etag);
}

void store_uploads_in_parts(struct store_under_test *test)
{
    static const char gzip_of_nothing[20] = "\x1f\x8b\x08\0\0\0\0\0\0\xff\x03";
    struct bytes empty_file = bytes_of(gzip_of_nothing, sizeof gzip_of_nothing);
    size_t size = UPLOAD_PART + 5;
    uint8_t *large = malloc(size);

    struct upload *upload = begin(test, "data/empty.json.gz");
    part(test, upload, empty_file);
    complete(test, upload, empty_file,
             "7deb4078f238dd87d6af0538152c04e9-1"); /* spec/export.md 3.2 */
    assert_object(test, "data/empty.json.gz", empty_file);

    for (size_t i = 0; i < size; i++)
        large[i] = (uint8_t)(i * 7 + (i >> 12));
    upload = begin(test, "data/large");
    part(test, upload, bytes_of(large, UPLOAD_PART));
    part(test, upload, bytes_of(large + UPLOAD_PART, 5));
    complete(test, upload, bytes_of(large, size),
             test->one_part ? "f0b95689b4319fde34bd96f1b638763a-1"
                            : "e2923a98dabcccc4403e82588893f8f2-2");
    assert_object(test, "data/large", bytes_of(large, size));
    free(large);
    test->clear(test);
}

void store_shows_no_unfinished_upload(struct store_under_test *test)
{
    char id[UPLOAD_ID_MOST];
    struct object_location lost = at(test, "lost");

    struct upload *upload = begin(test, "given-up");
    part(test, upload, BYTES("abc"));
    assert_keys(test, "", "");
    test->store->ops->upload_abort(upload);
    assert_keys(test, "", "");
    /* Given up by its id alone, as after a crash: it cannot be completed any more. */
    upload = begin(test, "lost");
    part(test, upload, BYTES("abc"));
    snprintf(id, sizeof id, "%s", test->store->ops->upload_id(upload));
    assert_true(id[0] != '\0');
    test->store->ops->abandon(test->store, &lost, id);
    struct upload_sums sums;
    struct err err = {0};
    assert_false(test->store->ops->upload_complete(upload, &sums, &err));
    assert_int_equal(err.code, ERR_STORE);
    assert_keys(test, "", "");
    test->store->ops->abandon(test->store, &lost, id); /* once more: nothing to do */
    test->clear(test);
}

void store_lists_in_byte_order(struct store_under_test *test)
{
    static const char *const keys[] = {"a/b",   "a-b/c", "a0",  "b/x/1",
                                       "b/x/2", "b/y",   "b.c", "b/xx"};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        put(test, keys[i], BYTES("abc"), ETAG_ABC);
    assert_keys(test, "", "a-b/c\na/b\na0\nb.c\nb/x/1\nb/x/2\nb/xx\nb/y\n");
    assert_keys(test, "b/x", "b/x/1\nb/x/2\nb/xx\n");
    assert_keys(test, "b/x/", "b/x/1\nb/x/2\n");
    assert_keys(test, "b/x/2", "b/x/2\n");
    assert_keys(test, "nothing", "");
    test->clear(test);
}

static void assert_refused(const struct err *err, const char *reason, const char *message)
{
    assert_int_equal(err->code, ERR_STORE);
    assert_string_equal(err->reason, reason);
    if (strncmp(err->message, message, strlen(message)) != 0)
        fail_msg("%s", err->message);
}

#define NO_BUCKET                                                                                  \
    "The specified bucket does not exist (Service: Amazon S3; Status Code: 404; Error Code: "      \
    "NoSuchBucket; Request ID: "

void store_misses_buckets_and_keys(struct store_under_test *test)
{
    struct store *store = test->store;
    struct object_location nowhere = {"no-such-bucket", "key"}, no_key = at(test, "no/such/key");
    struct upload *upload = NULL;
    char etag[ETAG_MOST];
    uint64_t size;
    struct err err = {0};
    struct buf buf;

    buf_init(&buf);
    assert_false(store->ops->put(store, &nowhere, BYTES("x"), &store_usual_settings, etag, &err));
    assert_refused(&err, "S3NoSuchBucket", NO_BUCKET);
    assert_non_null(strstr(err.message, "; S3 Extended Request ID: "));
    assert_non_null(strstr(err.message, "; Proxy: null)"));
    assert_false(store->ops->upload_begin(store, &nowhere, &store_usual_settings, &upload, &err));
    assert_refused(&err, "S3NoSuchBucket", NO_BUCKET);
    assert_null(upload);
    assert_false(store->ops->list(store, nowhere.bucket, "", append_key, &buf, &err));
    assert_refused(&err, "S3NoSuchBucket", NO_BUCKET);
    assert_false(store->ops->get(store, &nowhere, append, &buf, &err));
    assert_refused(&err, "S3NoSuchBucket", NO_BUCKET);
    assert_false(store->ops->get(store, &no_key, append, &buf, &err));
    assert_refused(&err, "S3NoSuchKey", "The specified key does not exist.");
    assert_false(store->ops->head(store, &no_key, &size, etag, &err));
    assert_refused(&err, "S3NoSuchKey", "The specified key does not exist.");
    assert_int_equal(buf.size, 0);
    buf_release(&buf);
}

static bool refuse(void *context, struct bytes piece, struct err *err)
{
    (void)context, (void)piece;
    return err_fail(err, ERR_CORRUPT, "not this");
}

void store_stops_a_get(struct store_under_test *test)
{
    struct err err = {0};
    struct object_location where = at(test, "key");

    put(test, "key", BYTES("abc"), ETAG_ABC);
    assert_false(test->store->ops->get(test->store, &where, refuse, NULL, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_string_equal(err.message, "not this");
    test->clear(test);
}
