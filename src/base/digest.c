/* base/digest.c - OpenSSL's EVP contexts. The algorithm is looked up when a context is made and
 * stays with it: the look-up costs more than hashing a small piece. */
#include "base/digest.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/share.h"

#define OFFER_EVERY ((size_t)16 * 1024) /* bytes: some 30 us of MD5 */

struct digest {
    EVP_MD_CTX *context;
};

struct digest *digest_new(enum digest_kind kind)
{
    struct digest *digest = malloc(sizeof *digest);

    assert(digest != NULL);
    digest->context = EVP_MD_CTX_new();
    assert(digest->context != NULL);
    int ok =
        EVP_DigestInit_ex(digest->context, kind == DIGEST_MD5 ? EVP_md5() : EVP_sha256(), NULL);
    assert(ok == 1);
    return digest;
}

void digest_free(struct digest *digest)
{
    if (digest == NULL)
        return;
    EVP_MD_CTX_free(digest->context);
    free(digest);
}

static void update(struct digest *digest, const uint8_t *data, size_t size)
{
    int ok = EVP_DigestUpdate(digest->context, data, size);

    assert(ok == 1);
}

void digest_put(struct digest *digest, struct bytes piece)
{
    for (; piece.size > OFFER_EVERY; piece = bytes_from(piece, OFFER_EVERY)) {
        update(digest, piece.data, OFFER_EVERY);
        share_offer();
    }
    update(digest, piece.data, piece.size);
}

void digest_copy(struct digest *digest, const struct digest *from)
{
    int ok = EVP_MD_CTX_copy_ex(digest->context, from->context);

    assert(ok == 1);
}

void digest_take(struct digest *digest, uint8_t *out)
{
    int ok = EVP_DigestFinal_ex(digest->context, out, NULL);

    assert(ok == 1);
    ok = EVP_DigestInit_ex(digest->context, NULL, NULL);
    assert(ok == 1);
}

void digest_of(enum digest_kind kind, struct bytes whole, uint8_t *out)
{
    struct digest *digest = digest_new(kind);

    digest_put(digest, whole);
    digest_take(digest, out);
    digest_free(digest);
}

void hex_put(const uint8_t *data, size_t size, char *to)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        *to++ = digits[data[i] >> 4];
        *to++ = digits[data[i] & 15];
    }
    *to = '\0';
}
