/* test/unit/manifest.c - the vectors of spec/export.md 1.4 and 3.1 to 3.4. */
#include "support/check.h"

#include <ctype.h>

#include "archive/manifest.h"
#include "base/digest.h"

#define ID "01760000000123-0a1b2c3d"

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static void prefixes_are_joined_by_one_slash(void **state)
{
    static const struct {
        const char *prefix, *key;
    } cases[] = {
        {NULL, "AWSDynamoDB/" ID "/_started"},
        {"", "AWSDynamoDB/" ID "/_started"},
        {"foo", "foo/AWSDynamoDB/" ID "/_started"},
        {"foo/", "foo/AWSDynamoDB/" ID "/_started"},
        {"a/b/c", "a/b/c/AWSDynamoDB/" ID "/_started"},
        {"/a", "/a/AWSDynamoDB/" ID "/_started"},
        {"AWSDynamoDB/", "AWSDynamoDB/AWSDynamoDB/" ID "/_started"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes prefix = cases[i].prefix == NULL ? BYTES_NONE : bytes_of_text(cases[i].prefix);
        assert_string_equal(export_key(&arena, prefix, BYTES(ID), LEAF_STARTED), cases[i].key);
    }
    assert_string_equal(export_data_key(&arena, BYTES("nightly"), BYTES(ID),
                                        BYTES("aaaabbbbccccddddeeeeffff22"), ".json.gz"),
                        "nightly/AWSDynamoDB/" ID "/data/aaaabbbbccccddddeeeeffff22.json.gz");
    assert_string_equal(export_data_key(&arena, BYTES_NONE, BYTES_NONE,
                                        BYTES("aaaabbbbccccddddeeeeffff22"), ".ion.gz"),
                        "AWSDynamoDB/data/aaaabbbbccccddddeeeeffff22.ion.gz");
}

static void ids_are_start_time_and_chance(void **state)
{
    char one[EXPORT_ID_SIZE + 1], other[EXPORT_ID_SIZE + 1];

    (void)state;
    export_id_make(UINT64_C(1760000000123), one);
    export_id_make(UINT64_C(1760000000123), other);
    assert_int_equal(strlen(one), EXPORT_ID_SIZE);
    assert_memory_equal(one, "01760000000123-", 15);
    assert_string_not_equal(one, other);
    for (int i = 15; i < EXPORT_ID_SIZE; i++)
        assert_true(isdigit(one[i]) || (one[i] >= 'a' && one[i] <= 'f'));
}

static void names_are_base32(void **state)
{
    static const struct {
        uint8_t random[16];
        const char *name;
    } cases[] = {
        {{0}, "aaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {"0123456789abcdef", "gaytemzugu3doobzmfrggzdfmy"}, /* coreutils' base32, lower case */
        {{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255},
         "7777777777777777777777777"
         "4"},
    };
    char name[FILE_NAME_SIZE + 1], other[FILE_NAME_SIZE + 1];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_name_encode(cases[i].random, name);
        assert_string_equal(name, cases[i].name);
    }
    file_name_make(name);
    file_name_make(other);
    assert_string_not_equal(name, other);
}

static void files_are_lines(void **state)
{
    static const char line[] =
        "{\"itemCount\":0,\"md5Checksum\":\"FjvgqIxwymKf1RbbqtrZag==\","
        "\"etag\":\"7deb4078f238dd87d6af0538152c04e9-1\",\"dataFileS3Key\":"
        "\"nightly/AWSDynamoDB/" ID "/data/aaaabbbbccccddddeeeeffff22.json.gz\"}\n";
    struct manifest_file file = {
        .etag = BYTES("7deb4078f238dd87d6af0538152c04e9-1"),
        .key = BYTES("nightly/AWSDynamoDB/" ID "/data/aaaabbbbccccddddeeeeffff22.json.gz"),
    };
    struct buf out, body;

    (void)state;
    buf_init_in(&out, &arena);
    buf_init_in(&body, &arena);
    uint8_t empty[16];
    digest_of(DIGEST_MD5, BYTES("\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0"), empty);
    file.md5 = bytes_of(empty, sizeof empty);
    manifest_put_file(&out, &file);
    assert_bytes_equal(buf_bytes(&out), bytes_of_text(line));
    assert_int_equal(out.size, 203);
    manifest_put_md5(&body, buf_bytes(&out));
    assert_bytes_equal(buf_bytes(&body), BYTES("tPacK3Dpy/AKZe1kM0axvw=="));
}

#define SUMMARY_FRONT                                                                              \
    "{\"version\":\"2020-06-30\",\"exportArn\":\"arn:aws:dynamodb:eu-west-1:111122223333:table/"   \
    "Orders/export/" ID "\",\"startTime\":\"2025-10-09T08:53:20.123Z\","                           \
    "\"endTime\":\"2025-10-09T08:53:29.456Z\","                                                    \
    "\"tableArn\":\"arn:aws:dynamodb:eu-west-1:111122223333:table/Orders\","                       \
    "\"tableId\":\"0f0e0d0c-0b0a-4908-8706-050403020100\","                                        \
    "\"exportTime\":\"2025-10-09T08:53:20.000Z\",\"s3Bucket\":\"acme-lake\","
#define SUMMARY_BACK ",\"billedSizeBytes\":46,\"itemCount\":1,\"outputFormat\":\"DYNAMODB_JSON\""

static struct manifest_summary summary_of(struct bytes prefix, struct bytes files_key)
{
    return (struct manifest_summary){
        .export_arn = BYTES("arn:aws:dynamodb:eu-west-1:111122223333:table/Orders/export/" ID),
        .table_arn = BYTES("arn:aws:dynamodb:eu-west-1:111122223333:table/Orders"),
        .table_id = BYTES("0f0e0d0c-0b0a-4908-8706-050403020100"),
        .start_ms = UINT64_C(1760000000123),
        .end_ms = UINT64_C(1760000009456),
        .time_ms = UINT64_C(1760000000000),
        .bucket = BYTES("acme-lake"),
        .prefix = prefix,
        .encryption = BYTES("AES256"),
        .files_key = files_key,
        .billed_bytes = 46,
        .items = 1,
        .format = BYTES("DYNAMODB_JSON"),
    };
}

static void summaries_are_one_line(void **state)
{
    struct manifest_summary summary =
        summary_of(BYTES("nightly"), BYTES("nightly/AWSDynamoDB/" ID "/manifest-files.json"));
    struct buf out;

    (void)state;
    buf_init_in(&out, &arena);
    manifest_put_summary(&out, &summary);
    assert_bytes_equal(
        buf_bytes(&out),
        BYTES(SUMMARY_FRONT
              "\"s3Prefix\":\"nightly\",\"s3SseAlgorithm\":\"AES256\",\"s3SseKmsKeyId\":null,"
              "\"manifestFilesS3Key\":\"nightly/AWSDynamoDB/" ID
              "/manifest-files.json\"" SUMMARY_BACK "}"));
}

static void summaries_name_what_was_sent(void **state)
{
    struct manifest_summary summary =
        summary_of(BYTES_NONE, BYTES("AWSDynamoDB/" ID "/manifest-files.json"));
    struct buf out;

    (void)state;
    summary.encryption = BYTES("KMS");
    summary.kms_key = BYTES("alias/mine");
    summary.type = BYTES("FULL_EXPORT");
    buf_init_in(&out, &arena);
    manifest_put_summary(&out, &summary);
    assert_bytes_equal(
        buf_bytes(&out),
        BYTES(SUMMARY_FRONT
              "\"s3Prefix\":null,\"s3SseAlgorithm\":\"KMS\",\"s3SseKmsKeyId\":\"alias/mine\","
              "\"manifestFilesS3Key\":\"AWSDynamoDB/" ID "/manifest-files.json\"" SUMMARY_BACK
              ",\"exportType\":\"FULL_EXPORT\"}"));
}

/* The sample of spec/export.md 3.3. */
static void summaries_of_windows(void **state)
{
    static const char wanted[] =
        "{\"version\":\"2023-08-01\",\"exportArn\":\"arn:aws:dynamodb:eu-west-1:111122223333:table/"
        "Orders/export/01760003600000-4e5f6071\",\"startTime\":\"2025-10-09T09:53:20.000Z\","
        "\"endTime\":\"2025-10-09T09:53:31.007Z\",\"tableArn\":\"arn:aws:dynamodb:eu-west-1:"
        "111122223333:table/Orders\",\"tableId\":\"0f0e0d0c-0b0a-4908-8706-050403020100\","
        "\"exportFromTime\":\"2025-10-09T09:30:00.000Z\",\"exportToTime\":"
        "\"2025-10-09T09:45:00.000Z\",\"s3Bucket\":\"acme-lake\",\"s3Prefix\":null,"
        "\"s3SseAlgorithm\":\"AES256\",\"s3SseKmsKeyId\":null,\"manifestFilesS3Key\":"
        "\"AWSDynamoDB/01760003600000-4e5f6071/manifest-files.json\",\"billedSizeBytes\":10000000,"
        "\"itemCount\":3,\"outputFormat\":\"DYNAMODB_JSON\",\"outputView\":"
        "\"NEW_AND_OLD_IMAGES\",\"exportType\":\"INCREMENTAL_EXPORT\"}";
    struct manifest_summary summary =
        summary_of(BYTES_NONE, BYTES("AWSDynamoDB/01760003600000-4e5f6071/manifest-files.json"));
    struct buf out;

    (void)state;
    summary.export_arn = BYTES(
        "arn:aws:dynamodb:eu-west-1:111122223333:table/Orders/export/01760003600000-4e5f6071");
    summary.start_ms = UINT64_C(1760003600000);
    summary.end_ms = UINT64_C(1760003611007);
    summary.from_ms = UINT64_C(1760002200000);
    summary.to_ms = UINT64_C(1760003100000);
    summary.billed_bytes = 10000000;
    summary.items = 3;
    summary.view = BYTES("NEW_AND_OLD_IMAGES");
    summary.type = BYTES("INCREMENTAL_EXPORT");
    buf_init_in(&out, &arena);
    manifest_put_summary(&out, &summary);
    assert_bytes_equal(buf_bytes(&out), bytes_of_text(wanted));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(prefixes_are_joined_by_one_slash, setup, teardown),
        cmocka_unit_test_setup_teardown(ids_are_start_time_and_chance, setup, teardown),
        cmocka_unit_test_setup_teardown(names_are_base32, setup, teardown),
        cmocka_unit_test_setup_teardown(files_are_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(summaries_are_one_line, setup, teardown),
        cmocka_unit_test_setup_teardown(summaries_name_what_was_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(summaries_of_windows, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
