/* net/canonical.c - Both sides of a signature write the request down in the same canonical way and
 * hash that, so all that matters here is to write it to the letter: header values trimmed and with
 * single blanks, query parameters sorted by their encoded names, exactly the unreserved characters
 * of RFC 3986 not encoded. */
#include "net/canonical.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <stdlib.h>
#include <strings.h>

/* --- hashes ----------------------------------------------------------------------------------- */

/* OpenSSL fails at these only without memory or without its default provider. */
static void must(bool success)
{
    if (!success)
        abort();
}

void hasher_init(struct hasher *hasher)
{
    hasher->sha256 = digest_new(DIGEST_SHA256);
    hasher->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    must(hasher->hmac != NULL);
}

void hasher_release(struct hasher *hasher)
{
    EVP_MAC_free(hasher->hmac);
    digest_free(hasher->sha256);
}

void hasher_hex(struct hasher *hasher, struct bytes data, char to[SIGNATURE_HASH_SIZE])
{
    uint8_t digest[SHA256_SIZE];

    digest_put(hasher->sha256, data);
    digest_take(hasher->sha256, digest);
    hex_put(digest, sizeof digest, to);
}

static void key_set(EVP_MAC_CTX *key, struct bytes bytes)
{
    char name[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };

    must(EVP_MAC_init(key, bytes.data, bytes.size, parameters) == 1);
}

static void mac(EVP_MAC_CTX *key, struct bytes data, uint8_t digest[SHA256_SIZE])
{
    size_t size;

    must(EVP_MAC_update(key, data.data, data.size) == 1 &&
         EVP_MAC_final(key, digest, &size, SHA256_SIZE) == 1 && size == SHA256_SIZE);
}

EVP_MAC_CTX *signing_key(struct hasher *hasher, struct bytes secret_key, struct bytes date,
                         struct bytes region, struct bytes service)
{
    const struct bytes steps[] = {date, region, service, BYTES(SIGNATURE_TERMINATOR)};
    EVP_MAC_CTX *key = EVP_MAC_CTX_new(hasher->hmac);
    uint8_t digest[SHA256_SIZE], first[SECRET_KEY_MOST + 4] = "AWS4";

    must(key != NULL);
    assert(secret_key.size <= SECRET_KEY_MOST);
    memcpy(first + 4, secret_key.data, secret_key.size);
    key_set(key, bytes_of(first, secret_key.size + 4));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        mac(key, steps[i], digest);
        key_set(key, bytes_of(digest, sizeof digest));
    }
    OPENSSL_cleanse(first, sizeof first);
    OPENSSL_cleanse(digest, sizeof digest);
    return key;
}

void signing_key_hex(EVP_MAC_CTX *key, struct bytes string, char to[SIGNATURE_HASH_SIZE])
{
    uint8_t digest[SHA256_SIZE];

    must(EVP_MAC_init(key, NULL, 0, NULL) == 1); /* begins anew with the key it has */
    mac(key, string, digest);
    hex_put(digest, sizeof digest, to);
}

/* --- text ------------------------------------------------------------------------------------- */

bool name_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size &&
           (a.size == 0 || strncasecmp((const char *)a.data, (const char *)b.data, a.size) == 0);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

struct bytes text_trim(struct bytes text)
{
    while (text.size > 0 && is_blank(text.data[text.size - 1]))
        text.size--;
    while (text.size > 0 && is_blank(text.data[0]))
        text = bytes_from(text, 1);
    return text;
}

struct bytes part_take(struct bytes *text, char separator)
{
    const uint8_t *end = text->size == 0 ? NULL : memchr(text->data, separator, text->size);
    struct bytes part = *text;

    if (end == NULL) {
        *text = bytes_from(*text, text->size);
        return part;
    }
    part.size = (size_t)(end - text->data);
    *text = bytes_from(*text, part.size + 1);
    return part;
}

static bool is_unreserved(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

static int hex_value(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

uint8_t encoded_take(struct bytes *raw)
{
    uint8_t c = raw->data[0];
    size_t length = 1;

    if (c == '%' && raw->size > 2 && hex_value(raw->data[1]) >= 0 && hex_value(raw->data[2]) >= 0) {
        c = (uint8_t)(hex_value(raw->data[1]) << 4 | hex_value(raw->data[2]));
        length = 3;
    }
    *raw = bytes_from(*raw, length);
    return c;
}

/* Decodes what is encoded and encodes what must be, so that every way to write it becomes one. */
static void encoded_put(struct buf *out, struct bytes raw)
{
    static const char digits[] = "0123456789ABCDEF";

    while (raw.size > 0) {
        uint8_t c = encoded_take(&raw);
        if (is_unreserved(c)) {
            buf_put_u8(out, c);
        } else {
            const char escape[3] = {'%', digits[c >> 4], digits[c & 15]};
            buf_put(out, escape, sizeof escape);
        }
    }
}

/* --- the canonical request -------------------------------------------------------------------- */

struct parameter {
    struct bytes name, value;
};

static int parameter_order(const void *a, const void *b)
{
    const struct parameter *left = a, *right = b;
    int order = bytes_compare(left->name, right->name);

    return order != 0 ? order : bytes_compare(left->value, right->value);
}

/* `scratch` has room for all that is put there, so that the parameters may borrow from it. */
static bool parameters_read(struct bytes query, struct buf *scratch,
                            struct parameter parameters[SIGNATURE_PARAMETERS_MOST], size_t *count)
{
    while (query.size > 0) {
        struct bytes value = part_take(&query, '&'), name = part_take(&value, '=');
        if (bytes_equal(name, BYTES("X-Amz-Signature")))
            continue;
        if (*count == SIGNATURE_PARAMETERS_MOST)
            return false;
        size_t start = scratch->size;
        encoded_put(scratch, name);
        size_t middle = scratch->size;
        encoded_put(scratch, value);
        parameters[(*count)++] =
            (struct parameter){bytes_of(scratch->data + start, middle - start),
                               bytes_of(scratch->data + middle, scratch->size - middle)};
    }
    return true;
}

static bool query_put(struct buf *out, struct bytes query)
{
    struct parameter parameters[SIGNATURE_PARAMETERS_MOST];
    size_t count = 0;
    struct buf scratch;

    if (query.size == 0)
        return true;
    buf_init(&scratch);
    buf_grow(&scratch, query.size * 3);
    bool ok = parameters_read(query, &scratch, parameters, &count);
    if (ok) {
        qsort(parameters, count, sizeof *parameters, parameter_order);
        for (size_t i = 0; i < count; i++) {
            if (i > 0)
                buf_put_u8(out, '&');
            buf_put_bytes(out, parameters[i].name);
            buf_put_u8(out, '=');
            buf_put_bytes(out, parameters[i].value);
        }
    }
    buf_release(&scratch);
    return ok;
}

static void value_put(struct buf *out, struct bytes value)
{
    value = text_trim(value);
    for (size_t i = 0; i < value.size; i++)
        if (!is_blank(value.data[i]))
            buf_put_u8(out, value.data[i]);
        else if (!is_blank(value.data[i - 1]))
            buf_put_u8(out, ' ');
}

/* A header that came more than once is one with its values in a list. */
static void header_put(struct buf *out, const struct signature_request *request, struct bytes name)
{
    bool more = false;

    buf_put_bytes(out, name);
    buf_put_u8(out, ':');
    for (size_t i = 0; i < request->header_count; i++) {
        if (!name_equal(request->headers[i].name, name))
            continue;
        if (more)
            buf_put_u8(out, ',');
        value_put(out, request->headers[i].value);
        more = true;
    }
    buf_put_u8(out, '\n');
}

bool canonical_request(const struct signature_request *request, struct bytes signed_headers,
                       struct bytes payload_hash, struct buf *out)
{
    buf_put_bytes(out, request->method);
    buf_put_u8(out, '\n');
    buf_put_bytes(out, request->path);
    buf_put_u8(out, '\n');
    if (!query_put(out, request->query))
        return false;
    buf_put_u8(out, '\n');
    for (struct bytes left = signed_headers; left.size > 0;)
        header_put(out, request, part_take(&left, ';'));
    buf_put_u8(out, '\n');
    buf_put_bytes(out, signed_headers);
    buf_put_u8(out, '\n');
    buf_put_bytes(out, payload_hash);
    return true;
}

void string_to_sign(struct hasher *hasher, struct bytes time, struct bytes scope,
                    struct bytes canonical, struct buf *out)
{
    char hash[SIGNATURE_HASH_SIZE];

    hasher_hex(hasher, canonical, hash);
    buf_put_literal(out, SIGNATURE_ALGORITHM "\n");
    buf_put_bytes(out, time);
    buf_put_u8(out, '\n');
    buf_put_bytes(out, scope);
    buf_put_u8(out, '\n');
    buf_put(out, hash, SIGNATURE_HASH_SIZE - 1);
}
