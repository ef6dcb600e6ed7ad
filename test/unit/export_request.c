/* test/unit/export_request.c - ARNs and couplings: the tables of spec/export.md 2.3, 2.4, 2.7. */
#include "support/check.h"

#include "archive/export_request.h"

#define ACCOUNT "111122223333"
#define TABLE   "arn:aws:dynamodb:eu-west-1:" ACCOUNT ":table/Orders"

static const struct arn home = {
    .partition = BYTES_INIT("aws"),
    .service = BYTES_INIT("dynamodb"),
    .region = BYTES_INIT("eu-west-1"),
    .account = BYTES_INIT(ACCOUNT),
};

#define NOT_AN_ARN   "One or more parameter values were invalid: tableArn is not a valid ARN"
#define NOT_OF_TABLE "Invalid Request: Table ARN is invalid."
#define DENIED       "Access is denied"

static void table_arns(void **state)
{
    static const struct {
        const char *arn, *name;
        enum err_code code;
        const char *message;
    } cases[] = {
        {TABLE, "Orders", ERR_NONE, NULL},
        {"arn:aws:dynamodb:us-east-1:" ACCOUNT ":table/Orders", "Orders", ERR_NONE, NULL},
        {"Orders", NULL, ERR_VALIDATION, NOT_AN_ARN},
        {"arn:aws:dynamodb:eu-west-1", NULL, ERR_VALIDATION, NOT_AN_ARN},
        {"", NULL, ERR_VALIDATION, "Invalid TableArn: Invalid Table ARN"},
        {TABLE "/index/byDate", NULL, ERR_VALIDATION, NOT_OF_TABLE},
        {TABLE "/", NULL, ERR_VALIDATION, NOT_OF_TABLE},
        {"arn:aws:dynamodb:eu-west-1:" ACCOUNT ":table/", NULL, ERR_VALIDATION, NOT_OF_TABLE},
        {"arn:aws:dynamodb:eu-west-1:" ACCOUNT ":backup/Orders", NULL, ERR_VALIDATION,
         NOT_OF_TABLE},
        {"arn:aws:s3:eu-west-1:" ACCOUNT ":table/Orders", NULL, ERR_VALIDATION, NOT_OF_TABLE},
        {"arn:aws:dynamodb:eu-west-1:000000000001:table/Orders", NULL, ERR_ACCESS_DENIED, DENIED},
        {"arn:cn:s3:nowhere:000000000001:junk", NULL, ERR_ACCESS_DENIED, DENIED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes name;
        struct err err = {0};
        bool ok = arn_table_name(bytes_of_text(cases[i].arn), &home, &name, &err);
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(ok, cases[i].name != NULL);
        if (ok)
            assert_bytes_equal(name, bytes_of_text(cases[i].name));
        else
            assert_string_equal(err.message, cases[i].message);
    }
}

static void export_arns(void **state)
{
    static const struct {
        const char *arn;
        enum err_code code;
        const char *message;
    } cases[] = {
        {TABLE "/export/01760000000123-0a1b2c3d", ERR_NONE, NULL},
        {TABLE, ERR_VALIDATION, "Invalid Export ARN"},
        {TABLE "/import/01760000000123-0a1b2c3d", ERR_VALIDATION, "Invalid Export ARN"},
        {TABLE "/export/", ERR_VALIDATION, "Invalid Export ARN"},
        {TABLE "/export/a/b", ERR_VALIDATION, "Invalid Export ARN"},
        {"this is no arn but long enough to be looked at", ERR_VALIDATION, "Invalid Export ARN"},
        {"arn:aws:dynamodb:us-east-1:" ACCOUNT ":table/Orders/export/01760000000123-0a1b2c3d",
         ERR_EXPORT_NOT_FOUND, "Export not found: Invalid export arn"},
        {"arn:aws:dynamodb:eu-west-1:000000000001:table/Orders/export/01760000000123-0a1b2c3d",
         ERR_ACCESS_DENIED, DENIED},
        {"arn:b:c:d:000000000001:e", ERR_ACCESS_DENIED, DENIED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {0};
        bool ok = arn_check_export(bytes_of_text(cases[i].arn), &home, &err);
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(ok, cases[i].code == ERR_NONE);
        if (!ok)
            assert_string_equal(err.message, cases[i].message);
    }
}

#define FULL        BYTES_INIT("FULL_EXPORT")
#define INCREMENTAL BYTES_INIT("INCREMENTAL_EXPORT")
#define ION         BYTES_INIT("ION")
#define INVALID     "Invalid Request: "

static void couplings(void **state)
{
    static const struct {
        struct export_request request;
        const char *message;
    } cases[] = {
        {{.table_arn = BYTES_INIT(TABLE)}, NULL},
        {{.type = FULL}, NULL},
        {{.type = FULL, .timed = true}, NULL},
        {{.encryption = BYTES_INIT("KMS"), .kms_key = BYTES_INIT("alias/a-key_1")}, NULL},
        {{.encryption = BYTES_INIT("KMS")}, NULL},
        {{.window = true, .window_from = true},
         INVALID "Export Type expected to be Incremental Export when incremental export "
                 "specification is provided"},
        {{.window = true, .window_from = true, .type = FULL},
         INVALID "When Export Type is Full Export , Incremental Export Specification should not be "
                 "provided"},
        {{.type = INCREMENTAL},
         INVALID "Incremental Export Specification expected when export type is set as Incremental "
                 "Export"},
        {{.type = INCREMENTAL, .window = true},
         INVALID "ExportFromTime must be provided in IncrementalExportSpecification"},
        {{.type = INCREMENTAL, .window = true, .window_from = true, .timed = true},
         INVALID "Export Time should not be provided when export type is set as Incremental "
                 "Export"},
        {{.kms_key = BYTES_INIT("alias/a")},
         INVALID "KMS Key Id is not supported for this encryption type"},
        {{.kms_key = BYTES_INIT("alias/a"), .encryption = BYTES_INIT("AES256")},
         INVALID "KMS Key Id is not supported for this encryption type"},
        {{.kms_key = BYTES_INIT("not a key"), .encryption = BYTES_INIT("KMS")},
         INVALID "1 validation error detected: Value 'not a key' at 's3SseKmsKeyId' failed to "
                 "satisfy constraint: Member must satisfy regular expression pattern: "
                 "^[a-zA-Z0-9:/_-]+$"},
        {{.type = INCREMENTAL, .window = true, .window_from = true}, NULL},
        {{.format = ION}, NULL},
        {{.format = ION, .kms_key = BYTES_INIT("alias/a")},
         INVALID "KMS Key Id is not supported for this encryption type"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct export_request request = cases[i].request;
        struct bytes name;
        struct err err = {0};
        request.table_arn = BYTES(TABLE);
        bool ok = export_request_check(&request, &home, &name, &err);
        assert_int_equal(ok, cases[i].message == NULL);
        if (ok)
            continue;
        assert_int_equal(err.code, ERR_VALIDATION);
        assert_string_equal(err.message, cases[i].message);
    }
}

static void the_arn_comes_before_couplings(void **state)
{
    struct export_request request = {.table_arn = BYTES("Orders"), .window = true};
    struct bytes name;
    struct err err = {0};

    (void)state;
    assert_false(export_request_check(&request, &home, &name, &err));
    assert_string_equal(err.message, NOT_AN_ARN);
}

#define WINDOW(...)                                                                                \
    {                                                                                              \
        .table_arn = BYTES_INIT(TABLE), .bucket = BYTES_INIT("b"), .type = INCREMENTAL,            \
        .window = true, __VA_ARGS__                                                                \
    }

/* Every member counts, and one that is sent as its default is not one that is left out. */
static void canonical_forms_differ_as_requests_do(void **state)
{
    static const struct export_request requests[] = {
        {.table_arn = BYTES_INIT(TABLE), .bucket = BYTES_INIT("b")},
        {.table_arn = BYTES_INIT(TABLE "2"), .bucket = BYTES_INIT("b")},
        {.table_arn = BYTES_INIT(TABLE), .bucket = BYTES_INIT("c")},
        {.table_arn = BYTES_INIT(TABLE), .bucket = BYTES_INIT("b"), .prefix = BYTES_INIT("")},
        {.table_arn = BYTES_INIT(TABLE), .bucket = BYTES_INIT("b"), .prefix = BYTES_INIT("p")},
        {.table_arn = BYTES_INIT(TABLE),
         .bucket = BYTES_INIT("b"),
         .bucket_owner = BYTES_INIT(ACCOUNT)},
        {.table_arn = BYTES_INIT(TABLE),
         .bucket = BYTES_INIT("b"),
         .encryption = BYTES_INIT("AES256")},
        {.table_arn = BYTES_INIT(TABLE),
         .bucket = BYTES_INIT("b"),
         .format = BYTES_INIT("DYNAMODB_JSON")},
        {.table_arn = BYTES_INIT(TABLE), .bucket = BYTES_INIT("b"), .type = FULL},
        {.table_arn = BYTES_INIT(TABLE), .bucket = BYTES_INIT("b"), .timed = true},
        {.table_arn = BYTES_INIT(TABLE), .bucket = BYTES_INIT("b"), .timed = true, .time_ms = 1},
        WINDOW(.window_from = true, .from_ms = 1),
        WINDOW(.window_from = true, .from_ms = 2),
        WINDOW(.window_from = true, .from_ms = 1, .window_to = true),
        WINDOW(.window_from = true, .from_ms = 1, .window_to = true, .to_ms = 1),
        WINDOW(.window_from = true, .from_ms = 1, .view = BYTES_INIT("NEW_IMAGE")),
        WINDOW(.window_from = true, .from_ms = 1, .view = BYTES_INIT("NEW_AND_OLD_IMAGES")),
    };
    size_t count = sizeof requests / sizeof *requests;
    struct arena arena;

    (void)state;
    arena_init(&arena);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            bool same = bytes_equal(export_request_canonical(&requests[i], &arena),
                                    export_request_canonical(&requests[j], &arena));
            assert_int_equal(same, i == j);
        }
    arena_release(&arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_arns),
        cmocka_unit_test(export_arns),
        cmocka_unit_test(couplings),
        cmocka_unit_test(the_arn_comes_before_couplings),
        cmocka_unit_test(canonical_forms_differ_as_requests_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
