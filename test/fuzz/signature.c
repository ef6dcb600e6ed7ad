/* test/fuzz/signature.c - a whole HTTP head, as lines: the query, then headers "Name: value". What
 * is said about a signature is read without a fault whatever it is, with credentials nothing but a
 * right signature is believed, and messages are plain text. */
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MICROS UINT64_C(1772600767000000) /* 2026-03-04T05:06:07Z */

static struct bytes line_take(struct bytes *left, uint8_t end)
{
    const uint8_t *found = left->size == 0 ? NULL : memchr(left->data, end, left->size);
    struct bytes line = *left;

    if (found != NULL)
        line.size = (size_t)(found - left->data);
    *left = bytes_from(*left, found != NULL ? line.size + 1 : left->size);
    return line;
}

static void check(struct signature_checker *checker, const struct signature_request *request)
{
    struct bytes access_key = BYTES_NONE;
    struct arena arena;
    struct err err = {0};

    arena_init(&arena);
    if (!signature_check(checker, request, BYTES("{}"), MICROS, &arena, &access_key, &err)) {
        assert(err.code == ERR_MISSING_AUTHENTICATION || err.code == ERR_INCOMPLETE_SIGNATURE ||
               err.code == ERR_INVALID_SIGNATURE || err.code == ERR_UNRECOGNIZED_CLIENT);
        for (const char *c = err.message; *c != '\0'; c++)
            assert((*c >= ' ' || *c == '\n') && *c <= '~');
    }
    arena_release(&arena);
}

/* What is signed, whatever is in it, is believed; with a byte more in the body it is not. */
static void check_round(struct signature_checker *checker, struct bytes query, struct bytes value)
{
    const struct signature_signer signer = {BYTES("AKIA"), BYTES("secret"), BYTES("r"),
                                            BYTES("dynamodb")};
    struct signature_header headers[] = {{BYTES("Host"), BYTES("h")},
                                         {BYTES("X-Amz-Date"), BYTES("20260304T050607Z")},
                                         {BYTES("X-Fuzz"), value},
                                         {BYTES("Authorization"), BYTES_NONE}};
    struct signature_request request = {BYTES("POST"), BYTES("/"), query, headers, 3};
    char hash[SIGNATURE_HASH_SIZE];
    struct bytes access_key;
    struct arena arena;
    struct buf made;
    struct err err;

    arena_init(&arena);
    buf_init(&made);
    signature_hash(BYTES("{}"), hash);
    signature_sign(&signer, &request, bytes_of_text(hash), MICROS, &made);
    headers[3].value = buf_bytes(&made);
    request.header_count = 4;
    bool right = signature_check(checker, &request, BYTES("{}"), MICROS, &arena, &access_key, &err);
    bool wrong =
        signature_check(checker, &request, BYTES("{} "), MICROS, &arena, &access_key, &err);
    assert(right && !wrong);
    buf_release(&made);
    arena_release(&arena);
}

static bool query_usual(struct bytes query)
{
    size_t parameters = 1;

    for (size_t i = 0; i < query.size; i++)
        parameters += query.data[i] == '&';
    return parameters < SIGNATURE_PARAMETERS_MOST &&
           memmem(query.data, query.size, "X-Amz-", strlen("X-Amz-")) == NULL;
}

static struct signature_checker *checker_with_credentials(void)
{
    static const char text[] = "[a]\naws_access_key_id=AKIA\naws_secret_access_key=secret\n";
    char path[] = "/tmp/gramme-fuzz-XXXXXX";
    struct err err;
    int file = mkstemp(path);

    assert(file >= 0 && write(file, text, sizeof text - 1) == (ssize_t)sizeof text - 1);
    close(file);
    struct credentials *credentials = credentials_open(path, &err);
    assert(credentials != NULL);
    unlink(path);
    return signature_checker_new(credentials, "r", "dynamodb");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct signature_checker *strict, *trusting;
    struct signature_header headers[SIGNATURE_HEADERS_MOST];
    struct bytes left = bytes_of(data, size), query = line_take(&left, '\n');
    struct signature_request request = {BYTES("POST"), BYTES("/"), query, headers, 0};

    if (strict == NULL) {
        strict = checker_with_credentials();
        trusting = signature_checker_new(NULL, "r", "dynamodb");
    }
    if (query_usual(query))
        check_round(strict, query, left);
    while (left.size > 0 && request.header_count < SIGNATURE_HEADERS_MOST) {
        struct bytes value = line_take(&left, '\n'), name = line_take(&value, ':');
        headers[request.header_count++] = (struct signature_header){name, value};
    }
    check(trusting, &request);
    check(strict, &request);
    return 0;
}
