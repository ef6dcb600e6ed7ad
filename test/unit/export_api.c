/* test/unit/export_api.c - the operations on exports as a client sees them: members by state
 * (spec/export.md 1.3), and what their shapes refuse (2.2). */
#include "support/check.h"
#include "support/exporting.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/api_call.h"

#define ORDERS EXPORTING_ARN "Orders"

struct fixture {
    struct exporting exporting;
    struct api *api;
    struct buf reply;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    exporting_open(&fixture->exporting, false, 0);
    fixture->api = api_new(&(struct api_settings){.tables = fixture->exporting.database.tables,
                                                  .exports = fixture->exporting.exports});
    buf_init(&fixture->reply);
    exporting_table(&fixture->exporting, "Orders");
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    api_free(fixture->api);
    buf_release(&fixture->reply);
    exporting_close(&fixture->exporting);
    free(fixture);
    return 0;
}

/* What chance has chosen becomes a star. */
static void star(char *text, const char *before, size_t size)
{
    for (char *at = text; (at = strstr(at, before)) != NULL;) {
        at += strlen(before);
        memmove(at + 1, at + size, strlen(at + size) + 1);
        *at = '*';
    }
}

/* The reply's text, and in `arn` (if not NULL, 256 bytes) the first export ARN in it. */
static const char *call(struct fixture *fixture, const char *operation, const char *body,
                        int status, char *arn)
{
    buf_clear(&fixture->reply);
    assert_int_equal(api_call(fixture->api, operation, bytes_of_text(body), &fixture->reply),
                     status);
    buf_put_u8(&fixture->reply, '\0');
    char *text = (char *)fixture->reply.data;
    const char *at = strstr(text, "\"ExportArn\":\"");
    if (arn != NULL) {
        assert_non_null(at);
        snprintf(arn, 256, "%.*s", (int)strcspn(at + 13, "\""), at + 13);
    }
    star(text, "/export/", EXPORT_ID_SIZE);
    star(text, "AWSDynamoDB/", EXPORT_ID_SIZE);
    star(text, "\"TableId\":\"", 36);
    return text;
}

static const char *describe(struct fixture *fixture, const char *arn)
{
    char body[300];

    snprintf(body, sizeof body, "{\"ExportArn\":\"%s\"}", arn);
    return call(fixture, "DescribeExport", body, 200, NULL);
}

/* exporting_open() and exporting_table(): 1760000000.128; a commit on the way took one more. */
#define START  "1760000000.129"
#define COMMON ",\"TableArn\":\"" ORDERS "\",\"TableId\":\"*\""

static void members_follow_the_state(void **state)
{
    struct fixture *fixture = *state;
    char arn[256];

    exporting_write(&fixture->exporting, &(struct model){.count = 0}, "Orders", "a", 1, "x");
    const char *running =
        "{\"ExportDescription\":{\"ExportArn\":\"" ORDERS "/export/*\",\"ExportStatus\":"
        "\"IN_PROGRESS\",\"StartTime\":" START COMMON ",\"ExportTime\":" START
        ",\"ClientToken\":\"t\",\"S3Bucket\":\"acme-lake\",\"S3SseAlgorithm\":\"AES256\","
        "\"ExportFormat\":\"DYNAMODB_JSON\"}}";
    assert_string_equal(call(fixture, "ExportTableToPointInTime",
                             "{\"TableArn\":\"" ORDERS "\",\"S3Bucket\":\"acme-lake\","
                             "\"ClientToken\":\"t\"}",
                             200, arn),
                        running);
    assert_string_equal(describe(fixture, arn), running);
    exporting_later(1000);
    exporting_run(&fixture->exporting);
    assert_string_equal(
        describe(fixture, arn),
        "{\"ExportDescription\":{\"ExportArn\":\"" ORDERS "/export/*\",\"ExportStatus\":"
        "\"COMPLETED\",\"StartTime\":" START COMMON ",\"ExportTime\":" START
        ",\"ClientToken\":\"t\",\"S3Bucket\":\"acme-lake\",\"S3SseAlgorithm\":\"AES256\","
        "\"ExportFormat\":\"DYNAMODB_JSON\",\"EndTime\":1760000001.128,\"ExportManifest\":"
        "\"AWSDynamoDB/*/manifest-summary.json\",\"BilledSizeBytes\":9,\"ItemCount\":1}}");
}

static void what_was_sent_is_echoed(void **state)
{
    struct fixture *fixture = *state;
    char arn[256];

    call(fixture, "ExportTableToPointInTime",
         "{\"TableArn\":\"" ORDERS "\",\"S3Bucket\":\"nowhere\",\"ClientToken\":\"t\","
         "\"S3Prefix\":\"\",\"S3BucketOwner\":\"000000000007\",\"S3SseAlgorithm\":\"KMS\","
         "\"S3SseKmsKeyId\":\"alias/k\",\"ExportFormat\":\"DYNAMODB_JSON\","
         "\"ExportType\":\"FULL_EXPORT\",\"ExportTime\":1.760000000128E9,\"Unknown\":{}}",
         200, arn);
    exporting_run(&fixture->exporting);
    const char *text = describe(fixture, arn);
    const char *failed =
        "{\"ExportDescription\":{\"ExportArn\":\"" ORDERS "/export/*\",\"ExportStatus\":"
        "\"FAILED\",\"StartTime\":" START COMMON
        ",\"ExportTime\":1760000000.128,\"ClientToken\":\"t\",\"S3Bucket\":\"nowhere\","
        "\"S3BucketOwner\":\"000000000007\",\"S3SseAlgorithm\":\"KMS\","
        "\"S3SseKmsKeyId\":\"alias/k\",\"ExportFormat\":\"DYNAMODB_JSON\","
        "\"ExportType\":\"FULL_EXPORT\",\"FailureCode\":\"";
    assert_true(bytes_begin(bytes_of_text(text), bytes_of_text(failed)));
    assert_non_null(strstr(text, "\"FailureMessage\":\""));
    assert_null(strstr(text, "EndTime"));
}

/* 1760000000.128 is when the table could be exported first; an hour has passed since. */
#define WINDOW(members)                                                                            \
    "{\"TableArn\":\"" ORDERS "\",\"S3Bucket\":\"acme-lake\",\"ClientToken\":\"t\","               \
    "\"ExportType\":\"INCREMENTAL_EXPORT\",\"IncrementalExportSpecification\":{" members "}}"
#define WINDOW_FRONT(status)                                                                       \
    "{\"ExportDescription\":{\"ExportArn\":\"" ORDERS "/export/*\",\"ExportStatus\":\"" status     \
    "\",\"StartTime\":1760003600" COMMON ",\"ClientToken\":\"t\",\"S3Bucket\":\"acme-lake\","      \
    "\"S3SseAlgorithm\":\"AES256\",\"ExportFormat\":\"DYNAMODB_JSON\","                            \
    "\"ExportType\":\"INCREMENTAL_EXPORT\",\"IncrementalExportSpecification\":{"

static void windows_are_described(void **state)
{
    static const struct {
        const char *body, *echo;
    } cases[] = {
        {WINDOW("\"ExportFromTime\":1760000001"),
         "\"ExportFromTime\":1760000001,\"ExportToTime\":1760003600,\"ExportViewType\":"
         "\"NEW_AND_OLD_IMAGES\"}"},
        {WINDOW("\"ExportFromTime\":1.7600000019E9,\"ExportToTime\":1760003599.999,"
                "\"ExportViewType\":\"NEW_IMAGE\""),
         "\"ExportFromTime\":1760000001,\"ExportToTime\":1760003599,\"ExportViewType\":"
         "\"NEW_IMAGE\"}"},
    };
    struct fixture *fixture = *state;
    char arn[256], wanted[1200];

    exporting_later(3600500);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(wanted, sizeof wanted, WINDOW_FRONT("IN_PROGRESS") "%s}}", cases[i].echo);
        const char *text = call(fixture, "ExportTableToPointInTime", cases[i].body, 200, arn);
        assert_string_equal(text, wanted);
        assert_non_null(strstr(arn, "/export/01760003600000-"));
        assert_string_equal(call(fixture, "ExportTableToPointInTime", cases[i].body, 200, NULL),
                            wanted);
        exporting_run(&fixture->exporting);
        snprintf(
            wanted, sizeof wanted,
            WINDOW_FRONT(
                "COMPLETED") "%s,\"EndTime\":1760003600.628,\"ExportManifest\":"
                             "\"AWSDynamoDB/*/manifest-summary.json\",\"BilledSizeBytes\":10000000,"
                             "\"ItemCount\":0}}",
            cases[i].echo);
        assert_string_equal(describe(fixture, arn), wanted);
        assert_non_null(strstr(call(fixture, "ListExports", "{}", 200, NULL),
                               "\"ExportStatus\":\"COMPLETED\",\"ExportType\":"
                               "\"INCREMENTAL_EXPORT\"}"));
        teardown(state);
        setup(state);
        fixture = *state;
        exporting_later(3600500);
    }
}

static void summaries_tell_the_type(void **state)
{
    struct fixture *fixture = *state;
    const char *body = "{\"TableArn\":\"" ORDERS "\",\"S3Bucket\":\"acme-lake\"}";
    char listing[600];

    assert_string_equal(call(fixture, "ListExports", "{}", 200, NULL), "{\"ExportSummaries\":[]}");
    call(fixture, "ExportTableToPointInTime", body, 200, NULL);
    call(fixture, "ExportTableToPointInTime", body, 200, NULL);
    const char *one = "{\"ExportSummaries\":[{\"ExportArn\":\"" ORDERS
                      "/export/*\",\"ExportStatus\":\"IN_PROGRESS\",\"ExportType\":"
                      "\"FULL_EXPORT\"}]";
    const char *first = call(fixture, "ListExports", "{\"MaxResults\":1}", 200, NULL);
    assert_true(bytes_begin(bytes_of_text(first), bytes_of_text(one)));
    const char *token = strstr(first, ",\"NextToken\":\"");
    assert_non_null(token);
    snprintf(listing, sizeof listing, "{\"MaxResults\":1%s", token);
    snprintf(listing + strlen(listing) - 1, 40, ",\"TableArn\":null}");
    assert_true(bytes_begin(bytes_of_text(call(fixture, "ListExports", listing, 200, NULL)),
                            bytes_of_text(one)));
}

#define FILTER(members)                                                                            \
    "{\"TableArn\":\"" ORDERS "\",\"S3Bucket\":\"acme-lake\",\"FilterSpecification\":{" members "}}"

/* As it was sent, but for what is not known, and of a placeholder that came twice the last. */
static void a_filter_is_echoed(void **state)
{
    struct fixture *fixture = *state;
    const char *echo =
        ",\"FilterSpecification\":{\"FilterExpression\":\"#v = :v\",\"ExpressionAttributeNames\":"
        "{\"#v\":\"v\\\"\"},\"ExpressionAttributeValues\":{\":v\":{\"M\":{\"a\":{\"N\":\"1\"}}}}}";
    char arn[256];

    assert_non_null(strstr(
        call(fixture, "ExportTableToPointInTime",
             FILTER("\"Unknown\":[],\"FilterExpression\":\"#v = :v\",\"ExpressionAttributeNames\":"
                    "{\"#v\":\"w\",\"#v\":\"v\\\"\"},\"ExpressionAttributeValues\":{\":v\":{\"M\":"
                    "{\"a\":{\"N\":\"1.0\"}}}}"),
             200, arn),
        echo));
    assert_non_null(strstr(describe(fixture, arn), echo));
    exporting_run(&fixture->exporting);
    assert_non_null(strstr(describe(fixture, arn), echo));
    assert_non_null(strstr(describe(fixture, arn), "\"COMPLETED\""));
    assert_null(strstr(call(fixture, "ListExports", "{}", 200, NULL), "Filter"));
}

#define INVALID "1 validation error detected: Value "
#define FAILED  " failed to satisfy constraint: Member must "

static void shapes_refuse(void **state)
{
    static const struct {
        const char *operation, *body, *message;
    } cases[] = {
        {"ExportTableToPointInTime", "{\"S3Bucket\":\"b1\"}",
         "The parameter 'TableArn' is required but was not present in the request"},
        {"ExportTableToPointInTime", "{\"TableArn\":\"" ORDERS "\"}",
         INVALID "null at 's3Bucket'" FAILED "not be null"},
        {"ExportTableToPointInTime", "{\"TableArn\":\"" ORDERS "\",\"S3Bucket\":\"\"}",
         INVALID
         "'' at 's3Bucket'" FAILED
         "satisfy regular expression pattern: ^[a-z0-9A-Z]+[\\\\.\\\\-\\\\w]*[a-z0-9A-Z]+$"},
        {"ExportTableToPointInTime",
         "{\"TableArn\":\"" ORDERS "\",\"S3Bucket\":\"b1\",\"ExportFormat\":\"\"}",
         INVALID "'' at 'exportFormat'" FAILED "satisfy enum value set: [ION, DYNAMODB_JSON]"},
        {"ExportTableToPointInTime",
         "{\"TableArn\":\"" ORDERS "\",\"S3Bucket\":\"b1\",\"S3SseAlgorithm\":\"aws:kms\"}",
         INVALID "'aws:kms' at 's3SseAlgorithm'" FAILED "satisfy enum value set: [KMS, AES256]"},
        {"ExportTableToPointInTime",
         "{\"TableArn\":\"" ORDERS "\",\"S3Bucket\":\"b1\",\"S3BucketOwner\":\"1\"}",
         INVALID "'1' at 's3BucketOwner'" FAILED "satisfy regular expression pattern: [0-9]{12}"},
        {"ExportTableToPointInTime",
         "{\"TableArn\":\"" ORDERS "\",\"S3Bucket\":\"b1\",\"ClientToken\":\"a$\"}",
         INVALID "'a$' at 'clientToken'" FAILED "satisfy regular expression pattern: ^[^\\\\$]+$"},
        {"ExportTableToPointInTime",
         "{\"TableArn\":\"" ORDERS "\",\"S3Bucket\":\"b1\",\"ExportType\":\"INCREMENTAL_EXPORT\","
         "\"IncrementalExportSpecification\":{\"ExportViewType\":\"NEW_IMAGES\"}}",
         INVALID "'NEW_IMAGES' at 'incrementalExportSpecification.exportViewType'" FAILED
                 "satisfy enum value set: [NEW_IMAGE, NEW_AND_OLD_IMAGES]"},
        {"ExportTableToPointInTime", "{\"TableArn\":\"x\",\"S3Bucket\":\"!\",\"ExportType\":\"x\"}",
         "2 validation errors detected: Value '!' at 's3Bucket'" FAILED
         "satisfy regular expression pattern: ^[a-z0-9A-Z]+[\\\\.\\\\-\\\\w]*[a-z0-9A-Z]+$; Value "
         "'x' at 'exportType'" FAILED "satisfy enum value set: [FULL_EXPORT, INCREMENTAL_EXPORT]"},
        {"ExportTableToPointInTime", FILTER("\"Unknown\":1"),
         "Invalid Request: Invalid FilterSpecification: The specification can not be empty"},
        {"ExportTableToPointInTime", FILTER("\"FilterExpression\":null"),
         "Invalid Request: Invalid FilterSpecification: The specification can not be empty"},
        {"DescribeExport", "{\"ExportArn\":\"short\"}",
         INVALID "'short' at 'exportArn'" FAILED "have length greater than or equal to 37"},
        {"ListExports", "{\"MaxResults\":26}",
         INVALID "'26' at 'maxResults'" FAILED "have value less than or equal to 25"},
        {"ListExports", "{\"MaxResults\":0}",
         INVALID "'0' at 'maxResults'" FAILED "have value greater than or equal to 1"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = call(fixture, cases[i].operation, cases[i].body, 400, NULL);
        if (strstr(text, cases[i].message) == NULL || strstr(text, "#ValidationException") == NULL)
            fail_msg("%s\n  answers %s\n  not     %s", cases[i].body, text, cases[i].message);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(members_follow_the_state, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_sent_is_echoed, setup, teardown),
        cmocka_unit_test_setup_teardown(windows_are_described, setup, teardown),
        cmocka_unit_test_setup_teardown(summaries_tell_the_type, setup, teardown),
        cmocka_unit_test_setup_teardown(a_filter_is_echoed, setup, teardown),
        cmocka_unit_test_setup_teardown(shapes_refuse, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
