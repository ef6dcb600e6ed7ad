/* test/unit/signature_check.c - signatures of botocore 1.43 are accepted; each way to be wrong has
 * its message. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/signature.h"

#define MICROS (UINT64_C(1772600767) * SECOND_MICROS) /* 2026-03-04T05:06:07Z */
#define MINUTE (60 * SECOND_MICROS)
#define TIME   "20260304T050607Z"
#define REGION "eu-west-1"

#define ACCESS_KEY "AKIDEXAMPLE0000000001"
#define SECRET_KEY "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define SCOPE      "20260304/" REGION "/dynamodb/aws4_request"
#define SIGNED     "content-type;host;x-amz-date;x-amz-target"
#define BODY       "{\"TableName\":\"t\"}"

#define HEADERS_MOST 8
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* botocore's for the request of request_usual() */
#define SIGNATURE "6a960c6a12a258097ccc093d41f0c2383a0bc6b53fcc1fdfb21754ccc0518c09"
#define AUTHORIZATION(credential, signed_headers, signature)                                       \
    "AWS4-HMAC-SHA256 Credential=" credential ", SignedHeaders=" signed_headers                    \
    ", Signature=" signature
#define GOOD AUTHORIZATION(ACCESS_KEY "/" SCOPE, SIGNED, SIGNATURE)

struct suite {
    struct credentials *credentials;
    struct signature_checker *checker, *trusting;
};

struct case_request {
    struct signature_request request;
    struct signature_header headers[HEADERS_MOST];
};

static void header_add(struct case_request *to, const char *name, const char *value)
{
    to->headers[to->request.header_count++] =
        (struct signature_header){bytes_of_text(name), bytes_of_text(value)};
}

/* Without what is NULL. */
static void request_usual(struct case_request *to, const char *authorization, const char *time)
{
    *to = (struct case_request){.request = {BYTES("POST"), BYTES("/"), BYTES_NONE}};
    to->request.headers = to->headers;
    header_add(to, "Content-Type", "application/x-amz-json-1.0");
    header_add(to, "x-amz-target", "DynamoDB_20120810.GetItem");
    header_add(to, "HOST", "localhost:8000");
    if (time != NULL)
        header_add(to, "X-Amz-Date", time);
    if (authorization != NULL)
        header_add(to, "Authorization", authorization);
}

static bool check(struct signature_checker *checker, const struct case_request *request,
                  struct bytes body, uint64_t micros, struct err *err)
{
    struct bytes access_key = BYTES_NONE;
    struct arena arena;

    arena_init(&arena);
    bool ok = signature_check(checker, &request->request, body, micros, &arena, &access_key, err);
    if (ok)
        assert_bytes_equal(access_key, BYTES(ACCESS_KEY));
    arena_release(&arena);
    return ok;
}

static void accepts_a_right_signature(void **state)
{
    const struct suite *suite = *state;
    struct case_request request;
    struct err err = {0};

    request_usual(&request, GOOD, TIME);
    for (int again = 0; again < 3; again++) /* the second time with the key that was kept */
        if (!check(suite->checker, &request, BYTES(BODY), MICROS, &err))
            fail_msg("%s", err.message);
    assert_true(check(suite->checker, &request, BYTES(BODY), MICROS + 5 * MINUTE, &err));
    assert_true(check(suite->checker, &request, BYTES(BODY), MICROS - 5 * MINUTE, &err));
}

/* botocore signs the query of a request without a body. */
static void accepts_a_right_signature_in_the_query(void **state)
{
    const struct suite *suite = *state;
    struct signature_checker *checker =
        signature_checker_new(suite->credentials, "us-east-1", "dynamodb");
    struct case_request request = {
        .request = {BYTES("POST"), BYTES("/"),
                    BYTES("X-Amz-Algorithm=AWS4-HMAC-SHA256"
                          "&X-Amz-Credential=" ACCESS_KEY
                          "%2F20260304%2Fus-east-1%2Fdynamodb%2Faws4_request"
                          "&X-Amz-Date=20260304T050607Z&X-Amz-Expires=3600"
                          "&X-Amz-SignedHeaders=content-type%3Bhost%3Bx-amz-"
                          "target&X-Amz-Signature=c0c31e546c7c194fd31e7e95c370e"
                          "4a802f09745d0043830ef6652d72c10d16d")}};
    struct err err = {0};

    request.request.headers = request.headers;
    header_add(&request, "Content-Type", "application/x-amz-json-1.0");
    header_add(&request, "X-Amz-Target", "DynamoDB_20120810.ListTables");
    header_add(&request, "Host", "localhost:8000");
    if (!check(checker, &request, BYTES_NONE, MICROS, &err))
        fail_msg("%s", err.message);
    assert_false(check(checker, &request, BYTES("{}"), MICROS, &err));
    assert_int_equal(err.code, ERR_INVALID_SIGNATURE);
    header_add(&request, "Authorization", GOOD);
    assert_false(check(checker, &request, BYTES_NONE, MICROS, &err));
    assert_string_equal(err.message, "Found both 'X-Amz-Algorithm' as a query-string param and "
                                     "'Authorization' as HTTP header.");
    signature_checker_free(checker);
}

struct failure {
    const char *authorization, *time;
    enum err_code code;
    const char *message; /* or its beginning, where it ends in "..." */
};

#define LACKS_ALL                                                                                  \
    "Authorization header requires 'Credential' parameter. Authorization header requires "         \
    "'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. "             \
    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "        \
    "Authorization=AWS4-"
#define UNKNOWN "The security token included in the request is invalid."

/* Told whether or not there are credentials. */
static const struct failure always[] = {
    {NULL, TIME, ERR_MISSING_AUTHENTICATION, "Request is missing Authentication Token"},
    {"", TIME, ERR_MISSING_AUTHENTICATION, "Request is missing Authentication Token"},
    {"AWS4", TIME, ERR_MISSING_AUTHENTICATION, "Request is missing Authentication Token"},
    {"Bearer x", TIME, ERR_MISSING_AUTHENTICATION, "Request is missing Authentication Token"},
    {"AWS4-", NULL, ERR_INCOMPLETE_SIGNATURE, LACKS_ALL},
    {GOOD, NULL, ERR_INCOMPLETE_SIGNATURE,
     "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
     "Authorization=" GOOD},
    {"AWS4-HMAC-SHA256 Credential=a,Signature=b", TIME, ERR_INCOMPLETE_SIGNATURE,
     "Authorization header requires 'SignedHeaders' parameter. "
     "Authorization=AWS4-HMAC-SHA256 Credential=a,Signature=b"},
    {"AWS4-HMAC-SHA256 Signature=b,    Credential,    SignedHeaders", TIME,
     ERR_INCOMPLETE_SIGNATURE,
     "'Credential' not a valid key=value pair (missing equal-sign) in Authorization header: "
     "'AWS4-HMAC-SHA256 Signature=b,    Credential,    SignedHeaders'."},
    {"AWS4-\xff\x01 \"", NULL, ERR_INCOMPLETE_SIGNATURE,
     "'\"' not a valid key=value pair (missing equal-sign) in Authorization header: "
     "'AWS4-?? \"'."},
};

static const struct failure with_credentials[] = {
    {GOOD, "201", ERR_INCOMPLETE_SIGNATURE,
     "Date must be in ISO-8601 'basic format'. Got '201'. See "
     "http://en.wikipedia.org/wiki/ISO_8601"},
    {GOOD, "20260304T0506 7Z", ERR_INCOMPLETE_SIGNATURE, "Date must be in ISO-8601..."},
    {GOOD, "20261304T050607Z", ERR_INCOMPLETE_SIGNATURE, "Date must be in ISO-8601..."},
    {GOOD, "20260304T050106Z", ERR_INVALID_SIGNATURE,
     "Signature expired: 20260304T050106Z is now earlier than 20260304T050107Z "
     "(20260304T050607Z - 5 min.)"},
    {GOOD, "20260304T051108Z", ERR_INVALID_SIGNATURE,
     "Signature not yet current: 20260304T051108Z is still later than 20260304T051107Z "
     "(20260304T050607Z + 5 min.)"},
    {AUTHORIZATION(ACCESS_KEY "/" SCOPE, "x-amz-date", SIGNATURE), TIME, ERR_INVALID_SIGNATURE,
     "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
    {"AWS4-HMAC-SHA25 Credential=" ACCESS_KEY "/" SCOPE ", SignedHeaders=host, Signature=x", TIME,
     ERR_INCOMPLETE_SIGNATURE,
     "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA25' (only AWS4-HMAC-SHA256 for now). "},
    {AUTHORIZATION("a/b/c/d", "host", "x"), TIME, ERR_INCOMPLETE_SIGNATURE,
     "Credential must have exactly 5 slash-delimited elements, e.g. "
     "keyid/date/region/service/term, got 'a/b/c/d'"},
    {AUTHORIZATION("a/b/c/d/e/f", "host", "x"), TIME, ERR_INCOMPLETE_SIGNATURE,
     "Credential must have exactly 5 slash-delimited elements..."},
    {AUTHORIZATION("a/b/c/d/e", "host", "x"), TIME, ERR_INVALID_SIGNATURE,
     "Credential should be scoped to a valid region, not 'c'. Credential should be scoped to "
     "correct service: 'dynamodb'. Credential should be scoped with a valid terminator: "
     "'aws4_request', not 'e'. Date in Credential scope does not match YYYYMMDD from ISO-8601 "
     "version of date from HTTP: 'b' != '20260304', from '20260304T050607Z'."},
    {AUTHORIZATION("AKIANOBODY/" SCOPE, SIGNED, SIGNATURE), TIME, ERR_UNRECOGNIZED_CLIENT, UNKNOWN},
    {AUTHORIZATION(ACCESS_KEY "/" SCOPE, SIGNED, "6a960c6a"), TIME, ERR_INVALID_SIGNATURE,
     "The request signature we calculated does not match the signature you provided..."},
    {AUTHORIZATION(ACCESS_KEY "/" SCOPE, SIGNED ";x-not-there", SIGNATURE), TIME,
     ERR_INVALID_SIGNATURE,
     "The request signature we calculated does not match the signature you provided..."},
    {GOOD, "20260304T050608Z", ERR_INVALID_SIGNATURE,
     "The request signature we calculated does not match the signature you provided..."},
};

static void fails_as(struct signature_checker *checker, const struct failure *wanted)
{
    struct case_request request;
    struct err err = {0};
    size_t length = strlen(wanted->message);

    request_usual(&request, wanted->authorization, wanted->time);
    assert_false(check(checker, &request, BYTES(BODY), MICROS, &err));
    if (length > 3 && strcmp(wanted->message + length - 3, "...") == 0)
        err.message[length -= 3] = '\0';
    if (strncmp(err.message, wanted->message, length) != 0 || strlen(err.message) != length)
        fail_msg("%s\n  wanted %s", err.message, wanted->message);
    assert_int_equal(err.code, wanted->code);
}

static void fails_with_the_services_messages(void **state)
{
    const struct suite *suite = *state;

    for (size_t i = 0; i < COUNT(always); i++) {
        fails_as(suite->checker, &always[i]);
        fails_as(suite->trusting, &always[i]);
    }
    for (size_t i = 0; i < COUNT(with_credentials); i++)
        fails_as(suite->checker, &with_credentials[i]);
}

static void shows_what_it_hashed(void **state)
{
    const struct suite *suite = *state;
    struct case_request request;
    struct err err = {0};

    request_usual(&request, GOOD, TIME);
    assert_false(check(suite->checker, &request, BYTES("{}"), MICROS, &err));
    assert_string_equal(
        err.message,
        "The request signature we calculated does not match the signature you provided. Check your "
        "AWS Secret Access Key and signing method. Consult the service documentation for details."
        "\n\nThe Canonical String for this request should have been\n'POST\n/\n\n"
        "content-type:application/x-amz-json-1.0\nhost:localhost:8000\nx-amz-date:" TIME "\n"
        "x-amz-target:DynamoDB_20120810.GetItem\n\n" SIGNED "\n"
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'\n\n"
        "The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n" TIME "\n" SCOPE "\n"
        "502f851fa023cb056858eee8fc61c0954bcd0ce16d176ed6a9eabb116c59ff0a'\n");
}

/* What is signed cannot be changed: every byte of a signed header, the body, the method, the path
 * and the query. */
static void notices_any_change(void **state)
{
    const struct suite *suite = *state;
    struct case_request request;
    struct err err = {0};

    for (int i = 0; i < 3; i++) {
        char changed[] = "application/x-amz-json-1.0......";
        request_usual(&request, GOOD, TIME);
        struct bytes value = request.headers[i].value;
        memcpy(changed, value.data, value.size);
        for (size_t at = 0; at < value.size; at++) {
            changed[at] ^= 1;
            request.headers[i].value = bytes_of(changed, value.size);
            assert_false(check(suite->checker, &request, BYTES(BODY), MICROS, &err));
            changed[at] ^= 1;
        }
        request.headers[i].value = value;
        assert_true(check(suite->checker, &request, BYTES(BODY), MICROS, &err));
    }
    request.request.method = BYTES("PUT");
    assert_false(check(suite->checker, &request, BYTES(BODY), MICROS, &err));
    request.request.method = BYTES("POST");
    request.request.query = BYTES("a");
    assert_false(check(suite->checker, &request, BYTES(BODY), MICROS, &err));
    request.request.query = BYTES_NONE;
    request.request.path = BYTES("/a");
    assert_false(check(suite->checker, &request, BYTES(BODY), MICROS, &err));
    request.request.path = BYTES("/");
    header_add(&request, "Host", "elsewhere");
    assert_false(check(suite->checker, &request, BYTES(BODY), MICROS, &err));
}

static void refuses_session_tokens_and_unsigned_payloads(void **state)
{
    const struct suite *suite = *state;
    struct case_request request;
    struct err err = {0};

    request_usual(&request, GOOD, TIME);
    header_add(&request, "X-Amz-Security-Token", "t");
    assert_false(check(suite->checker, &request, BYTES(BODY), MICROS, &err));
    assert_int_equal(err.code, ERR_UNRECOGNIZED_CLIENT);
    assert_string_equal(err.message, "The security token included in the request is invalid");

    const struct signature_signer signer = {BYTES(ACCESS_KEY), BYTES(SECRET_KEY), BYTES(REGION),
                                            BYTES("dynamodb")};
    struct buf made;
    buf_init(&made);
    request_usual(&request, NULL, TIME);
    header_add(&request, "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD");
    signature_sign(&signer, &request.request, BYTES("UNSIGNED-PAYLOAD"), MICROS, &made);
    request.headers[request.request.header_count++] =
        (struct signature_header){BYTES("Authorization"), buf_bytes(&made)};
    assert_false(check(suite->checker, &request, BYTES(BODY), MICROS, &err));
    assert_int_equal(err.code, ERR_INVALID_SIGNATURE);
    buf_release(&made);
}

static void trusts_anyone_without_credentials(void **state)
{
    const struct suite *suite = *state;
    struct case_request request;
    struct err err = {0};

    request_usual(&request,
                  "AWS4-HMAC-SHA256 Credential=" ACCESS_KEY ",SignedHeaders=x Signature=y",
                  "whenever");
    assert_true(check(suite->trusting, &request, BYTES(BODY), MICROS, &err));
}

static void names_what_the_query_lacks(void **state)
{
    const struct suite *suite = *state;
    struct case_request request;
    struct err err = {0};

    request_usual(&request, NULL, NULL);
    request.request.query = BYTES("X-Amz-Algorithm=x&X-Amz-Date=%32");
    assert_false(check(suite->trusting, &request, BYTES_NONE, MICROS, &err));
    assert_string_equal(err.message,
                        "AWS query-string parameters must include 'X-Amz-Credential'. AWS "
                        "query-string parameters must include 'X-Amz-Signature'. AWS query-string "
                        "parameters must include 'X-Amz-SignedHeaders'. Re-examine the "
                        "query-string parameters.");
}

static int suite_begin(void **state)
{
    static struct suite suite;
    char path[] = "/tmp/gramme-signature-XXXXXX";
    struct err err;
    int file = mkstemp(path);
    static const char text[] =
        "[a]\naws_access_key_id=" ACCESS_KEY "\naws_secret_access_key=" SECRET_KEY "\n";

    if (file < 0 || write(file, text, sizeof text - 1) != (ssize_t)sizeof text - 1)
        return 1;
    close(file);
    suite.credentials = credentials_open(path, &err);
    unlink(path);
    if (suite.credentials == NULL)
        return 1;
    suite.checker = signature_checker_new(suite.credentials, REGION, "dynamodb");
    suite.trusting = signature_checker_new(NULL, REGION, "dynamodb");
    *state = &suite;
    return 0;
}

static int suite_end(void **state)
{
    struct suite *suite = *state;

    signature_checker_free(suite->checker);
    signature_checker_free(suite->trusting);
    credentials_close(suite->credentials);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_a_right_signature),
        cmocka_unit_test(accepts_a_right_signature_in_the_query),
        cmocka_unit_test(fails_with_the_services_messages),
        cmocka_unit_test(shows_what_it_hashed),
        cmocka_unit_test(notices_any_change),
        cmocka_unit_test(refuses_session_tokens_and_unsigned_payloads),
        cmocka_unit_test(trusts_anyone_without_credentials),
        cmocka_unit_test(names_what_the_query_lacks),
    };

    return cmocka_run_group_tests(tests, suite_begin, suite_end);
}
