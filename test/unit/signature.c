/* test/unit/signature.c - signatures as botocore 1.43 makes them for the same requests. */
#include "support/check.h"

#include "base/clock.h"
#include "net/signature.h"

#define MICROS (UINT64_C(1772600767) * SECOND_MICROS) /* 2026-03-04T05:06:07Z */
#define TIME   "20260304T050607Z"

#define ACCESS_KEY "AKIDEXAMPLE0000000001"
#define SECRET_KEY "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#define HEADERS_MOST 8
#define COUNT(array) (sizeof(array) / sizeof *(array))

struct vector {
    const char *region, *service, *method, *path, *query;
    const char *headers[HEADERS_MOST][2];
    const char *payload_hash, *signed_headers, *signature;
};

static const struct vector vectors[] = {
    {"eu-west-1",
     "dynamodb",
     "POST",
     "/",
     "",
     {{"Content-Type", "application/x-amz-json-1.0"},
      {"X-Amz-Target", "DynamoDB_20120810.GetItem"},
      {"Host", "localhost:8000"},
      {"X-Amz-Date", TIME}},
     "f28af92fc15f446717e10364e12f5128ef4611dfaeb8469b0ca93776dd9d3f5a",
     "content-type;host;x-amz-date;x-amz-target",
     "6a960c6a12a258097ccc093d41f0c2383a0bc6b53fcc1fdfb21754ccc0518c09"},
    {"us-east-1",
     "s3",
     "PUT",
     "/bucket/AWSDynamoDB/01-a/data/x%20y%2Bz.json.gz",
     "uploadId=abc%2f%3D%2B~x&partNumber=2",
     {{"Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="},
      {"Host", "127.0.0.1:9000"},
      {"X-Amz-Date", TIME},
      {"X-Amz-Content-SHA256", "37a680133bd09342f934afb8dd2c7d9e1b624da5f35e3a38adb103e37c055ed1"}},
     "37a680133bd09342f934afb8dd2c7d9e1b624da5f35e3a38adb103e37c055ed1",
     "content-md5;host;x-amz-content-sha256;x-amz-date",
     "5c798e5b6bf37039bbb08b456922dfe1be75a5bfc878362e1f1ff92c590222b2"},
    {"us-east-1",
     "s3",
     "GET",
     "/bucket",
     "prefix=a b/%C3%BC&list-type=2&delimiter",
     {{"host", "127.0.0.1:9000"}, {"x-amz-date", TIME}, {"x-amz-content-sha256", EMPTY_HASH}},
     EMPTY_HASH,
     "host;x-amz-content-sha256;x-amz-date",
     "a05a4d79aaaaaac853ed3fd54494dbafea2a7fa43177ac441e291a448eea2d42"},
    {"us-east-1",
     "s3",
     "POST",
     "/k",
     "uploads",
     {{"Host", "b.s3.example.com"},
      {"X-Amz-Server-Side-Encryption", "aws:kms"},
      {"X-Amz-Meta-Note", "  two \t words  "},
      {"X-Amz-Date", TIME},
      {"X-Amz-Security-Token", "token/with+chars=="},
      {"X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD"}},
     "UNSIGNED-PAYLOAD",
     "host;x-amz-content-sha256;x-amz-date;x-amz-meta-note;x-amz-security-token;"
     "x-amz-server-side-encryption",
     "cf1ac5000f49b3e8e29e929842dd0af27b0a4c4de86cd0c4847e7156dc124ff0"},
};

static size_t headers_of(const struct vector *vector, struct signature_header headers[HEADERS_MOST])
{
    size_t count = 0;

    for (; count < HEADERS_MOST && vector->headers[count][0] != NULL; count++)
        headers[count] = (struct signature_header){bytes_of_text(vector->headers[count][0]),
                                                   bytes_of_text(vector->headers[count][1])};
    return count;
}

static void signs_as_botocore_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        const struct vector *v = &vectors[i];
        struct signature_header headers[HEADERS_MOST];
        const struct signature_request request = {bytes_of_text(v->method), bytes_of_text(v->path),
                                                  bytes_of_text(v->query), headers,
                                                  headers_of(v, headers)};
        const struct signature_signer signer = {BYTES(ACCESS_KEY), BYTES(SECRET_KEY),
                                                bytes_of_text(v->region),
                                                bytes_of_text(v->service)};
        struct buf made, wanted;
        buf_init(&made);
        buf_init(&wanted);
        signature_sign(&signer, &request, bytes_of_text(v->payload_hash), MICROS, &made);
        buf_printf(&wanted,
                   "AWS4-HMAC-SHA256 Credential=" ACCESS_KEY "/20260304/%s/%s/aws4_request, "
                   "SignedHeaders=%s, Signature=%s",
                   v->region, v->service, v->signed_headers, v->signature);
        assert_bytes_equal(buf_bytes(&made), buf_bytes(&wanted));
        buf_release(&made);
        buf_release(&wanted);
    }
}

static void writes_times_and_hashes(void **state)
{
    char time[SIGNATURE_TIME_SIZE], hash[SIGNATURE_HASH_SIZE];

    (void)state;
    signature_time(MICROS + 999999, time);
    assert_string_equal(time, TIME);
    signature_time(0, time);
    assert_string_equal(time, "19700101T000000Z");
    signature_hash(BYTES_NONE, hash);
    assert_string_equal(hash, EMPTY_HASH);
    signature_hash(BYTES("{\"TableName\":\"t\"}"), hash);
    assert_string_equal(hash, vectors[0].payload_hash);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_as_botocore_does),
        cmocka_unit_test(writes_times_and_hashes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
