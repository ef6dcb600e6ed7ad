/* net/signature.c - makes signatures. Made a few times a second at most, so nothing is kept from
 * one to the next. */
#include "net/signature.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "net/canonical.h"

void signature_time(uint64_t micros, char to[SIGNATURE_TIME_SIZE])
{
    time_t seconds = (time_t)(micros / SECOND_MICROS);
    struct tm parts;

    gmtime_r(&seconds, &parts);
    strftime(to, SIGNATURE_TIME_SIZE, "%Y%m%dT%H%M%SZ", &parts);
}

void signature_hash(struct bytes payload, char to[SIGNATURE_HASH_SIZE])
{
    uint8_t digest[SHA256_SIZE];

    digest_of(DIGEST_SHA256, payload, digest);
    hex_put(digest, sizeof digest, to);
}

static int name_order(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

/* The names of all headers, in lower case and sorted, each once, with ';' between. */
static struct bytes signed_headers(const struct signature_request *request, struct arena *arena)
{
    struct bytes names[SIGNATURE_HEADERS_MOST];
    struct buf list;

    assert(request->header_count <= SIGNATURE_HEADERS_MOST);
    for (size_t i = 0; i < request->header_count; i++) {
        char *name = arena_text(arena, request->headers[i].name);
        for (char *c = name; *c != '\0'; c++)
            *c = (char)tolower((unsigned char)*c);
        names[i] = bytes_of_text(name);
    }
    qsort(names, request->header_count, sizeof *names, name_order);
    buf_init_in(&list, arena);
    for (size_t i = 0; i < request->header_count; i++) {
        if (i > 0 && bytes_equal(names[i - 1], names[i]))
            continue;
        if (i > 0)
            buf_put_u8(&list, ';');
        buf_put_bytes(&list, names[i]);
    }
    return buf_bytes(&list);
}

static void sign(struct hasher *hasher, const struct signature_signer *signer, const char *time,
                 struct bytes scope, struct bytes canonical, char to[SIGNATURE_HASH_SIZE])
{
    struct buf string;

    buf_init(&string);
    string_to_sign(hasher, bytes_of_text(time), scope, canonical, &string);
    EVP_MAC_CTX *key = signing_key(hasher, signer->secret_key, bytes_of(time, strlen("YYYYMMDD")),
                                   signer->region, signer->service);
    signing_key_hex(key, buf_bytes(&string), to);
    EVP_MAC_CTX_free(key);
    buf_release(&string);
}

void signature_sign(const struct signature_signer *signer, const struct signature_request *request,
                    struct bytes payload_hash, uint64_t micros, struct buf *out)
{
    char time[SIGNATURE_TIME_SIZE], signature[SIGNATURE_HASH_SIZE];
    struct hasher hasher;
    struct arena arena;
    struct buf canonical;

    hasher_init(&hasher);
    arena_init(&arena);
    buf_init_in(&canonical, &arena);
    signature_time(micros, time);
    struct bytes names = signed_headers(request, &arena);
    struct bytes scope = arena_printf(&arena, "%.8s/%.*s/%.*s/" SIGNATURE_TERMINATOR, time,
                                      BYTES_ARGS(signer->region), BYTES_ARGS(signer->service));
    bool bounded = canonical_request(request, names, payload_hash, &canonical);
    assert(bounded);
    sign(&hasher, signer, time, scope, buf_bytes(&canonical), signature);
    buf_printf(out, SIGNATURE_ALGORITHM " Credential=%.*s/%.*s, SignedHeaders=%.*s, Signature=%s",
               BYTES_ARGS(signer->access_key), BYTES_ARGS(scope), BYTES_ARGS(names), signature);
    arena_release(&arena);
    hasher_release(&hasher);
}
