/* test/unit/directory.c - the directory store, its paths and its etags. */
#include "support/check.h"
#include "support/folder.h"
#include "support/store_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "store/path.h"

struct place {
    struct store_under_test test; /* first: the suite's functions take its address */
    char root[FOLDER_PATH_MOST], bucket[FOLDER_PATH_MOST + 8];
};

static void bucket_make(struct store_under_test *test)
{
    struct place *place = (struct place *)test;

    assert_int_equal(mkdir(place->bucket, 0777), 0);
}

static void bucket_clear(struct store_under_test *test)
{
    folder_remove(((struct place *)test)->bucket);
    bucket_make(test);
}

static int place_open(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    struct err err;

    folder_make(place->root);
    snprintf(place->bucket, sizeof place->bucket, "%s/bucket", place->root);
    place->test = (struct store_under_test){store_open_directory(place->root, &err), "bucket", true,
                                            bucket_clear};
    assert_non_null(place->test.store);
    bucket_make(&place->test);
    *state = place;
    return 0;
}

static int place_close(void **state)
{
    struct place *place = *state;

    store_close(place->test.store);
    folder_remove(place->root);
    free(place);
    return 0;
}

static void keys_become_paths_and_come_back(void **state)
{
    static const struct {
        const char *key, *path;
    } table[] = {
        {"a/b.json", "a/b.json"},
        {"/a", "%/a"},
        {"a//b/", "a/%/b/%"},
        {"..", "%2E%2E"},
        {"a/./..b/.c", "a/%2E/..b/.c"},
        {"50%", "50%25"},
        {"%2E", "%252E"},
        {UNFINISHED "/x", ".%25unfinished/x"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct buf path, key;

        buf_init(&path);
        buf_init(&key);
        assert_true(path_put_key(&path, bytes_of_text(table[i].key)));
        assert_bytes_equal(buf_bytes(&path), bytes_of_text(table[i].path));
        buf_put_u8(&path, '\0');
        for (char *name = (char *)path.data, *slash; name != NULL; name = slash) {
            slash = strchr(name, '/');
            if (slash != NULL)
                *slash++ = '\0';
            if (name != (char *)path.data)
                buf_put_u8(&key, '/');
            assert_true(path_take_name(name, &key));
        }
        assert_bytes_equal(buf_bytes(&key), bytes_of_text(table[i].key));
        buf_release(&key);
        buf_release(&path);
    }
}

static void names_that_no_key_has(void **state)
{
    static const char *const names[] = {UNFINISHED, "100%.csv", "%2", "a%2Eb", "%2e", "%2E%", "%%"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct buf key;

        buf_init(&key);
        assert_false(path_take_name(names[i], &key));
        assert_int_equal(key.size, 0);
        buf_release(&key);
    }
}

/* Keys that climb stay below the bucket; nothing appears beside it. */
static void no_key_leaves_the_bucket(void **state)
{
    static const char *const keys[] = {"../out", "a/../../out", "/etc/out", "b/..", "./..//../out"};
    struct place *place = *state;
    struct store *store = place->test.store;
    char etag[ETAG_MOST];
    struct err err;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct object_location where = {"bucket", keys[i]};
        assert_true(store->ops->put(store, &where, BYTES("x"), &store_usual_settings, etag, &err));
        assert_int_equal(folder_files(place->bucket), i + 1);
        assert_int_equal(folder_files(place->root), i + 1);
    }
}

static void odd_buckets_do_not_exist(void **state)
{
    static const char *const buckets[] = {"",          ".",    "..",   "a/b",
                                          "bucket/..", "/tmp", "file", ".hidden"};
    struct place *place = *state;
    struct store *store = place->test.store;
    char path[FOLDER_PATH_MOST + 16], etag[ETAG_MOST];

    snprintf(path, sizeof path, "%s/file", place->root);
    file_write(path, BYTES("x"));
    for (size_t i = 0; i < sizeof buckets / sizeof *buckets; i++) {
        struct object_location where = {buckets[i], "key"};
        struct err err = {0};
        assert_false(store->ops->put(store, &where, BYTES("x"), &store_usual_settings, etag, &err));
        assert_string_equal(err.reason, "S3NoSuchBucket");
    }
    assert_int_equal(folder_files(place->root), 1);
}

static bool put_fails(struct place *place, const char *key, struct err *err)
{
    struct store *store = place->test.store;
    char etag[ETAG_MOST];

    return !store->ops->put(store, &(struct object_location){"bucket", key}, BYTES("x"),
                            &store_usual_settings, etag, err);
}

static void impossible_keys_fail_clearly(void **state)
{
    struct place *place = *state;
    char key[KEY_MOST + 2];
    struct err err = {0};

    memset(key, 'k', sizeof key);
    key[KEY_MOST + 1] = '\0';
    assert_true(put_fails(place, key, &err));
    assert_string_equal(err.reason, "S3KeyTooLongError");
    key[COMPONENT_MOST + 1] = '\0';
    assert_true(put_fails(place, key, &err));
    assert_string_equal(err.reason, "InternalServerError");
    assert_non_null(strstr(err.message, "over 255 bytes"));
    assert_true(put_fails(place, "", &err));
    assert_int_equal(folder_files(place->bucket), 0);

    assert_false(put_fails(place, "a/b", &err));
    assert_true(put_fails(place, "a", &err));
    assert_non_null(strstr(err.message, "a folder cannot hold an object and others below its key"));
    assert_true(put_fails(place, "a/b/c", &err));
    assert_non_null(strstr(err.message, "a folder cannot hold an object and others below its key"));
    assert_int_equal(folder_files(place->bucket), 1);
}

static void kms_is_refused_with_a_sentence(void **state)
{
    struct place *place = *state;
    struct store *store = place->test.store;
    struct object_settings settings = {.encryption = "KMS", .kms_key = "key"};
    struct object_location where = {"bucket", "key"};
    struct upload *upload = NULL;
    char etag[ETAG_MOST];
    struct err err = {0};

    assert_false(store->ops->put(store, &where, BYTES("x"), &settings, etag, &err));
    assert_string_equal(err.reason, "S3NotImplemented");
    assert_non_null(strstr(err.message, "no KMS"));
    assert_false(store->ops->upload_begin(store, &where, &settings, &upload, &err));
    assert_int_equal(folder_files(place->bucket), 0);
}

/* At every fault point: the failure is told as ours, and no file stays behind. */
static void faults_leave_nothing_behind(void **state)
{
    struct place *place = *state;
    struct store *store = place->test.store;
    struct object_location where = {"bucket", "a/key"};
    struct upload *upload = NULL;
    struct upload_sums sums;
    struct err err = {0};

    fault_arm(FAULT_STORE_PUT, 0, 1);
    assert_true(put_fails(place, "a/key", &err));
    assert_string_equal(err.reason, "InternalServerError");
    fault_arm(FAULT_STORE_PART, 1, 1);
    assert_true(store->ops->upload_begin(store, &where, &store_usual_settings, &upload, &err));
    uint8_t *part = calloc(1, UPLOAD_PART);
    assert_true(store->ops->upload_part(upload, bytes_of(part, UPLOAD_PART), &err));
    assert_false(store->ops->upload_part(upload, BYTES("x"), &err));
    free(part);
    store->ops->upload_abort(upload);
    fault_arm(FAULT_STORE_COMPLETE, 0, 1);
    assert_true(store->ops->upload_begin(store, &where, &store_usual_settings, &upload, &err));
    assert_true(store->ops->upload_part(upload, BYTES("x"), &err));
    err.reason[0] = '\0';
    assert_false(store->ops->upload_complete(upload, &sums, &err));
    assert_string_equal(err.reason, "InternalServerError");
    fault_clear();
    assert_int_equal(folder_files(place->root), 0);
}

/* Ids that are not those of unfinished files remove nothing, and files of lost ids go in time. */
static void orphan_make(const struct place *place, const char *id)
{
    char path[FOLDER_PATH_MOST + 64];

    snprintf(path, sizeof path, "%s/%s/%s", place->bucket, UNFINISHED, id);
    file_write(path, BYTES("of a lost id"));
}

#define AN_ID "0123456789abcdef0123456789abcdef"

/* What nobody has locked is of a process that has died. */
static void orphans_are_removed(void **state)
{
    struct place *place = *state;
    struct store *store = place->test.store;
    struct object_location where = {"bucket", "key"};
    char etag[ETAG_MOST];
    struct upload *upload = NULL;
    struct upload_sums sums;
    struct err err;

    assert_true(store->ops->upload_begin(store, &where, &store_usual_settings, &upload, &err));
    orphan_make(place, AN_ID);
    orphan_make(place, "0123"); /* none of ours */
    assert_true(store->ops->abandon(store, &where, NULL));
    assert_int_equal(folder_files(place->bucket), 2);
    /* Before the first write of a process, and by none that only reads. */
    orphan_make(place, AN_ID);
    struct store *other = store_open_directory(place->root, &err);
    assert_int_equal(folder_files(place->bucket), 3);
    where.key = "other";
    assert_true(other->ops->put(other, &where, BYTES("x"), &store_usual_settings, etag, &err));
    assert_int_equal(folder_files(place->bucket), 3);
    store_close(other);
    assert_true(store->ops->upload_part(upload, BYTES("abc"), &err));
    assert_true(store->ops->upload_complete(upload, &sums, &err));
    assert_int_equal(folder_files(place->bucket), 3);
}

static void what_is_no_object_is_not_listed(void **state)
{
    struct place *place = *state;
    char path[FOLDER_PATH_MOST + 64];
    struct buf keys;

    snprintf(path, sizeof path, "%s/100%%.csv", place->bucket);
    file_write(path, BYTES("x"));
    snprintf(path, sizeof path, "%s/real.csv", place->bucket);
    file_write(path, BYTES("x"));
    snprintf(path, sizeof path, "%s/loop", place->bucket);
    assert_int_equal(symlink(".", path), 0);
    snprintf(path, sizeof path, "%s/pipe", place->bucket);
    assert_int_equal(mkfifo(path, 0777), 0);
    buf_init(&keys);
    store_keys(place->test.store, "bucket", "real", &keys);
    assert_bytes_equal(buf_bytes(&keys), BYTES("real.csv\n"));
    buf_clear(&keys);
    store_keys(place->test.store, "bucket", "", &keys); /* the loop ends at the longest key */
    assert_null(memmem(keys.data, keys.size, "pipe", 4));
    buf_release(&keys);
}

static void a_root_is_made_or_refused(void **state)
{
    struct place *place = *state;
    char path[FOLDER_PATH_MOST + 16];
    struct err err = {0};

    snprintf(path, sizeof path, "%s/new", place->root);
    store_close(store_open_directory(path, &err));
    assert_int_equal(access(path, F_OK), 0);
    snprintf(path, sizeof path, "%s/no/such", place->root);
    assert_null(store_open_directory(path, &err));
    assert_int_equal(err.code, ERR_STORE);
    assert_non_null(strstr(err.message, "No such file"));
}

#define SUITE(name)                                                                                \
    static void suite_##name(void **state)                                                         \
    {                                                                                              \
        name(*state);                                                                              \
    }
SUITE(store_puts_and_gets)
SUITE(store_replaces_objects)
SUITE(store_keeps_odd_keys_apart)
SUITE(store_uploads_in_parts)
SUITE(store_shows_no_unfinished_upload)
SUITE(store_lists_in_byte_order)
SUITE(store_misses_buckets_and_keys)
SUITE(store_stops_a_get)

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_open, place_close)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_become_paths_and_come_back),
        cmocka_unit_test(names_that_no_key_has),
        TEST(suite_store_puts_and_gets),
        TEST(suite_store_replaces_objects),
        TEST(suite_store_keeps_odd_keys_apart),
        TEST(suite_store_uploads_in_parts),
        TEST(suite_store_shows_no_unfinished_upload),
        TEST(suite_store_lists_in_byte_order),
        TEST(suite_store_misses_buckets_and_keys),
        TEST(suite_store_stops_a_get),
        TEST(no_key_leaves_the_bucket),
        TEST(odd_buckets_do_not_exist),
        TEST(impossible_keys_fail_clearly),
        TEST(kms_is_refused_with_a_sentence),
        TEST(faults_leave_nothing_behind),
        TEST(orphans_are_removed),
        TEST(what_is_no_object_is_not_listed),
        TEST(a_root_is_made_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
