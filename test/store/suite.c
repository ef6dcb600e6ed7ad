/* test/store/suite.c - the suite of every store, run on a real S3 service: S3_ENDPOINT, S3_BUCKET
 * (there and empty), S3_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY say which.
 * S3_UNENCRYPTED: the service knows no server-side encryption. */
#include "support/check.h"
#include "support/store_suite.h"

#include <stdio.h>
#include <stdlib.h>

#include "store/s3_call.h"

static struct store_under_test test;
static struct s3_settings settings;

static bool key_delete(void *context, const char *key, uint64_t size, struct err *err)
{
    struct s3_call call = {.method = "DELETE", .bucket = test.bucket, .key = key};
    struct http_answer answer;

    (void)size;
    http_answer_init(&answer);
    bool ok = s3_call_send(context, &call, &answer, err);
    http_answer_release(&answer);
    return ok;
}

/* Stores delete nothing, so the calls below them must. */
static void bucket_clear(struct store_under_test *under_test)
{
    struct err err = {0};
    struct s3_endpoint *endpoint = s3_endpoint_open(&settings, &err);

    assert_non_null(endpoint);
    if (!under_test->store->ops->list(under_test->store, under_test->bucket, "", key_delete,
                                      endpoint, &err))
        fail_msg("%s", err.message);
    s3_endpoint_close(endpoint);
}

static int test_open(void **state)
{
    struct err err = {0};

    settings = (struct s3_settings){.endpoint = getenv("S3_ENDPOINT"),
                                    .region = getenv("S3_REGION"),
                                    .access_key = getenv("AWS_ACCESS_KEY_ID"),
                                    .secret_key = getenv("AWS_SECRET_ACCESS_KEY"),
                                    .unencrypted = getenv("S3_UNENCRYPTED") != NULL,
                                    .attempts = 3};
    assert_non_null(settings.endpoint);
    assert_non_null(settings.region);
    test = (struct store_under_test){store_open_s3(&settings, &err), getenv("S3_BUCKET"), false,
                                     bucket_clear};
    if (test.store == NULL)
        fail_msg("%s", err.message);
    *state = &test;
    return 0;
}

static int test_close(void **state)
{
    (void)state;
    store_close(test.store);
    return 0;
}

static void kms_encrypts(void **state)
{
    struct object_settings kms = {.encryption = "KMS", .kms_key = getenv("S3_KMS_KEY_ID")};
    struct object_location where = {test.bucket, "small"}, large = {test.bucket, "large"};
    struct upload *upload = NULL;
    char etag[ETAG_MOST];
    struct upload_sums sums;
    struct err err = {0};
    struct buf got;

    (void)state;
    if (kms.kms_key == NULL)
        skip();
    buf_init(&got);
    if (!test.store->ops->put(test.store, &where, BYTES("abc"), &kms, etag, &err) ||
        !test.store->ops->upload_begin(test.store, &large, &kms, &upload, &err) ||
        !test.store->ops->upload_part(upload, BYTES("def"), &err) ||
        !test.store->ops->upload_complete(upload, &sums, &err))
        fail_msg("%s", err.message);
    store_read(test.store, test.bucket, "small", &got);
    store_read(test.store, test.bucket, "large", &got);
    assert_bytes_equal(buf_bytes(&got), BYTES("abcdef"));
    buf_release(&got);
    bucket_clear(&test);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, test_open, test_close)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(suite_store_puts_and_gets),
        TEST(suite_store_replaces_objects),
        TEST(suite_store_keeps_odd_keys_apart),
        TEST(suite_store_uploads_in_parts),
        TEST(suite_store_shows_no_unfinished_upload),
        TEST(suite_store_lists_in_byte_order),
        TEST(suite_store_misses_buckets_and_keys),
        TEST(suite_store_stops_a_get),
        TEST(kms_encrypts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
