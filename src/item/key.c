/* item/key.c - the escapes of spec/keys.md: an S or B writes each 00 as 00 ff and ends with 00 00,
 * so that the end is less than anything that may follow in a longer value. An N needs no escapes:
 * from its second byte on it holds no 00, and its first byte is never looked at for the end. */
#include "item/key.h"

#include <assert.h>
#include <pthread.h>

#include "base/digest.h"
#include "item/number.h"

#define MARK    0x00
#define ESCAPED 0xff /* behind MARK: a 00 of the value */

/* Making a digest costs more than hashing a key, so each thread keeps one until it ends. */
static pthread_once_t digest_once = PTHREAD_ONCE_INIT;
static pthread_key_t digest_slot;

static void digest_drop(void *digest)
{
    digest_free(digest);
}

static void digest_slot_make(void)
{
    int failed = pthread_key_create(&digest_slot, digest_drop);

    assert(failed == 0);
}

static struct digest *thread_digest(void)
{
    pthread_once(&digest_once, digest_slot_make);
    struct digest *digest = pthread_getspecific(digest_slot);
    if (digest == NULL) {
        digest = digest_new(DIGEST_MD5);
        int failed = pthread_setspecific(digest_slot, digest);
        assert(failed == 0);
    }
    return digest;
}

uint64_t key_hash(struct bytes value)
{
    uint8_t md5[MD5_SIZE];
    struct digest *digest = thread_digest();

    digest_put(digest, BYTES("Outliers"));
    digest_put(digest, value);
    digest_take(digest, md5);
    return be64_load(md5);
}

void key_put_beginning(struct buf *out, struct bytes value)
{
    const uint8_t *at = value.data, *end = value.data + value.size;

    while (at < end) {
        const uint8_t *mark = memchr(at, MARK, (size_t)(end - at));
        const uint8_t *stop = mark == NULL ? end : mark + 1;
        buf_put(out, at, (size_t)(stop - at));
        if (mark != NULL)
            buf_put_u8(out, ESCAPED);
        at = stop;
    }
}

void key_put_part(struct buf *out, enum key_type type, struct bytes value)
{
    if (type == KEY_N) {
        buf_put_bytes(out, value);
        buf_put_u8(out, MARK);
        return;
    }
    key_put_beginning(out, value);
    buf_put(out, (const uint8_t[]){MARK, MARK}, 2);
}

static bool take_number(struct bytes *encoded, struct bytes *value)
{
    size_t most = encoded->size < NUMBER_MOST + 1 ? encoded->size : NUMBER_MOST + 1;

    if (most < 2)
        return false;
    const uint8_t *mark = memchr(encoded->data + 1, MARK, most - 1);
    if (mark == NULL)
        return false;
    struct bytes number = bytes_of(encoded->data, (size_t)(mark - encoded->data));
    if (!number_valid(number))
        return false;
    *value = number;
    *encoded = bytes_from(*encoded, number.size + 1);
    return true;
}

/* The end of an escaped part, a MARK that is followed by another; NULL for a MARK that is followed
 * by anything else. */
static const uint8_t *part_end(struct bytes encoded, size_t *escapes)
{
    const uint8_t *at = encoded.data, *end = encoded.data + encoded.size;

    *escapes = 0;
    while (at < end) {
        at = memchr(at, MARK, (size_t)(end - at));
        if (at == NULL || end - at < 2)
            return NULL;
        if (at[1] == MARK)
            return at;
        if (at[1] != ESCAPED)
            return NULL;
        at += 2;
        ++*escapes;
    }
    return NULL;
}

static struct bytes unescape(struct bytes escaped, size_t size, struct arena *arena)
{
    uint8_t *to = arena_alloc(arena, size);
    struct bytes value = bytes_of(to, size);
    const uint8_t *at = escaped.data, *end = escaped.data + escaped.size;

    while (at < end) {
        const uint8_t *mark = memchr(at, MARK, (size_t)(end - at));
        const uint8_t *stop = mark == NULL ? end : mark + 1;
        memcpy(to, at, (size_t)(stop - at));
        to += stop - at;
        at = mark == NULL ? end : mark + 2;
    }
    return value;
}

bool key_take_part(struct bytes *encoded, enum key_type type, struct arena *arena,
                   struct bytes *value)
{
    size_t escapes;

    if (type == KEY_N)
        return take_number(encoded, value);
    const uint8_t *end = part_end(*encoded, &escapes);
    if (end == NULL)
        return false;
    struct bytes escaped = bytes_of(encoded->data, (size_t)(end - encoded->data));
    *encoded = bytes_from(*encoded, escaped.size + 2);
    *value = escapes == 0 ? escaped : unescape(escaped, escaped.size - escapes, arena);
    return true;
}
