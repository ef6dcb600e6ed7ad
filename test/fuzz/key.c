/* test/fuzz/key.c - any bytes come back out of a key; and what key_take_part() takes is what
 * key_put_part() writes, so that a key has one form. The first byte of an input says what kind of
 * part the rest is. */
#include <assert.h>

#include "item/key.h"
#include "item/number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_put(enum key_type type, struct bytes value, struct arena *arena, struct buf *key)
{
    struct bytes rest, back;

    key_put_part(key, type, value);
    rest = buf_bytes(key);
    bool ok = key_take_part(&rest, type, arena, &back);
    assert(ok && rest.size == 0 && bytes_equal(back, value));
}

static void check_take(enum key_type type, struct bytes encoded, struct arena *arena,
                       struct buf *key)
{
    struct bytes rest = encoded, value;

    if (!key_take_part(&rest, type, arena, &value))
        return;
    key_put_part(key, type, value);
    assert(bytes_equal(buf_bytes(key), bytes_of(encoded.data, encoded.size - rest.size)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct buf key;

    if (size == 0)
        return 0;
    enum key_type type = data[0] % 3 == 0 ? KEY_S : data[0] % 3 == 1 ? KEY_N : KEY_B;
    struct bytes rest = bytes_of(data + 1, size - 1);
    arena_init(&arena);
    buf_init(&key);
    if (type != KEY_N || number_valid(rest))
        check_put(type, rest, &arena, &key);
    buf_clear(&key);
    check_take(type, rest, &arena, &key);
    buf_release(&key);
    arena_release(&arena);
    return 0;
}
