/* test/unit/key.c - the hash, and composite keys: they come back, and compare as their parts. */
#include "support/check.h"

#include <pthread.h>

#include "base/random.h"
#include "item/key.h"
#include "item/number.h"

static void hash_is_the_front_of_the_md5(void **state)
{
    (void)state;
    /* printf Outliers | md5sum, and with the value behind it */
    assert_int_equal(key_hash(BYTES("")), UINT64_C(0x65a4c05294be8932));
    assert_int_equal(key_hash(BYTES("user#000001")), UINT64_C(0x2c9185ace12210a4));
    assert_int_equal(key_hash(BYTES("\xc1\x02")), UINT64_C(0xc3a0310aed78739b));
}

static void *hash_elsewhere(void *expected)
{
    return key_hash(BYTES("user#000001")) == *(uint64_t *)expected ? expected : NULL;
}

static void threads_hash_alike(void **state)
{
    uint64_t expected = key_hash(BYTES("user#000001"));
    pthread_t thread;
    void *same;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, hash_elsewhere, &expected), 0);
    assert_int_equal(pthread_join(thread, &same), 0);
    assert_non_null(same);
}

static void beginnings_begin_their_parts(void **state)
{
    static const struct bytes values[] = {BYTES_INIT(""), BYTES_INIT("a"), BYTES_INIT("a\0"),
                                          BYTES_INIT("a\0\xff"), BYTES_INIT("a\0\0")};
    struct buf part, beginning;

    (void)state;
    buf_init(&part);
    buf_init(&beginning);
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 5; j++) {
            buf_clear(&part);
            buf_clear(&beginning);
            key_put_part(&part, KEY_B, values[i]);
            key_put_beginning(&beginning, values[j]);
            assert_int_equal(bytes_begin(buf_bytes(&part), buf_bytes(&beginning)),
                             bytes_begin(values[i], values[j]));
        }
    buf_release(&beginning);
    buf_release(&part);
}

static void parts_are_escaped(void **state)
{
    static const struct {
        enum key_type type;
        struct bytes value, encoded;
    } cases[] = {
        {KEY_S, BYTES_INIT(""), BYTES_INIT("\0\0")},
        {KEY_S, BYTES_INIT("ab"), BYTES_INIT("ab\0\0")},
        {KEY_B, BYTES_INIT("\0"), BYTES_INIT("\0\xff\0\0")},
        {KEY_B, BYTES_INIT("a\0\0\xff"), BYTES_INIT("a\0\xff\0\xff\xff\0\0")},
        {KEY_N, BYTES_INIT("\x80"), BYTES_INIT("\x80\0")},
        {KEY_N, BYTES_INIT("\xc1\x02"), BYTES_INIT("\xc1\x02\0")},
        {KEY_N, BYTES_INIT("\0\x03\x66"), BYTES_INIT("\0\x03\x66\0")}, /* -9.8E+125 */
    };
    struct arena arena;
    struct buf key;
    struct bytes value;

    (void)state;
    arena_init(&arena);
    buf_init(&key);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&key);
        key_put_part(&key, cases[i].type, cases[i].value);
        assert_bytes_equal(buf_bytes(&key), cases[i].encoded);
        buf_put_text(&key, "next");
        struct bytes rest = buf_bytes(&key);
        assert_true(key_take_part(&rest, cases[i].type, &arena, &value));
        assert_bytes_equal(value, cases[i].value);
        assert_bytes_equal(rest, BYTES("next"));
    }
    buf_release(&key);
    arena_release(&arena);
}

static void what_is_no_part_is_refused(void **state)
{
    static const struct {
        enum key_type type;
        struct bytes encoded;
    } bad[] = {
        {KEY_S, BYTES_INIT("")},
        {KEY_S, BYTES_INIT("ab")},
        {KEY_S, BYTES_INIT("ab\0")},
        {KEY_S, BYTES_INIT("ab\0\xff")},
        {KEY_B, BYTES_INIT("ab\0\1\0\0")},
        {KEY_N, BYTES_INIT("")},
        {KEY_N, BYTES_INIT("\0")},
        {KEY_N, BYTES_INIT("\x80")},
        {KEY_N, BYTES_INIT("\x81\0")},
        {KEY_N, BYTES_INIT("\xc1\x02")},
        {KEY_N, BYTES_INIT("\xc1\0\0")},
        {KEY_N, BYTES_INIT("\xc1\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\0")}, /* too long */
    };
    struct arena arena;
    struct bytes value;

    (void)state;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bytes rest = bad[i].encoded;
        if (key_take_part(&rest, bad[i].type, &arena, &value))
            fail_msg("case %zu", i);
        assert_true(rest.data == bad[i].encoded.data && rest.size == bad[i].encoded.size);
    }
    arena_release(&arena);
}

/* Short keys over few letters, so that one often begins another. */
static struct bytes random_value(enum key_type type, uint64_t *seed, uint8_t room[NUMBER_MOST])
{
    static const uint8_t letters[] = {0x00, 0x01, 0xff, 'a'};
    size_t size = random_next(seed) % 5;
    struct number number;

    if (type == KEY_N) {
        number_of_integer((int64_t)(random_next(seed) % 401) - 200, &number);
        memcpy(room, number.bytes, number.size);
        return bytes_of(room, number.size);
    }
    for (size_t i = 0; i < size; i++)
        room[i] = letters[random_next(seed) % sizeof letters];
    return bytes_of(room, size);
}

static void keys_compare_as_their_parts(void **state)
{
    static const enum key_type types[] = {KEY_S, KEY_N, KEY_B};
    uint8_t room[4][NUMBER_MOST];
    uint64_t seed = 3;
    struct buf one, other;

    (void)state;
    buf_init(&one);
    buf_init(&other);
    for (int i = 0; i < 200000; i++) {
        enum key_type first = types[i % 3], second = types[i / 3 % 3];
        struct bytes a1 = random_value(first, &seed, room[0]);
        struct bytes a2 = random_value(second, &seed, room[1]);
        struct bytes b1 = random_value(first, &seed, room[2]);
        struct bytes b2 = random_value(second, &seed, room[3]);
        int expected = bytes_compare(a1, b1);
        if (expected == 0)
            expected = bytes_compare(a2, b2);
        buf_clear(&one);
        buf_clear(&other);
        key_put_part(&one, first, a1);
        key_put_part(&one, second, a2);
        key_put_part(&other, first, b1);
        key_put_part(&other, second, b2);
        int order = bytes_compare(buf_bytes(&one), buf_bytes(&other));
        assert_true((order < 0) == (expected < 0) && (order > 0) == (expected > 0));
    }
    buf_release(&other);
    buf_release(&one);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_is_the_front_of_the_md5),
        cmocka_unit_test(threads_hash_alike),
        cmocka_unit_test(parts_are_escaped),
        cmocka_unit_test(beginnings_begin_their_parts),
        cmocka_unit_test(what_is_no_part_is_refused),
        cmocka_unit_test(keys_compare_as_their_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
