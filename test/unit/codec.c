/* test/unit/codec.c - the packed form: its bytes, what is none, finding, and records of our own. */
#include "support/check.h"

#include <stdio.h>

#include "item/codec.h"

static int setup(void **state)
{
    static struct arena arena;

    arena_init(&arena);
    *state = &arena;
    return 0;
}

static int teardown(void **state)
{
    arena_release(*state);
    return 0;
}

/* The bytes of doc/item-format.md: a change here breaks every database that was ever written. */
static void bytes_are_for_ever(void **state)
{
    struct item_maker maker;
    struct bytes inner, item;

    item_begin(&maker, *state);
    item_put_data(&maker, "d", BYTES("\x00\x01"));
    inner = item_finish(&maker);
    item_begin(&maker, *state);
    item_put_text(&maker, "t", BYTES("text"));
    item_put_integer(&maker, "n", -100);
    item_put_flag(&maker, "no", false);
    item_put_flag(&maker, "yes", true);
    item_put_item(&maker, "m", inner);
    item_put_items(&maker, "l", &inner, 1);
    item = item_finish(&maker);
    assert_true(bytes_equal(item, BYTES("\x01"
                                        "\x01l\x08\x0a\x01\x09\x07\x01\x01"
                                        "d\x04\x02\x00\x01"
                                        "\x01m\x09\x07\x01\x01"
                                        "d\x04\x02\x00\x01"
                                        "\x01n\x23\x3d\x64\x66"
                                        "\x02no\x01"
                                        "\x01t\x03\x04text"
                                        "\x03yes\x02")));
}

static const struct bytes no_items[] = {
    BYTES_INIT(""),
    BYTES_INIT("\x02"),         /* version */
    BYTES_INIT("\x01\x00\x00"), /* empty name */
    BYTES_INIT("\x01\x01"),     /* cut off */
    BYTES_INIT("\x01\x01"
               "a"), /* no value */
    BYTES_INIT("\x01\x81\x00"
               "a\x00"),            /* length longer than it need be */
    BYTES_INIT("\x01\x01\xff\x00"), /* name is no UTF-8 */
    BYTES_INIT("\x01\x01"
               "b\x00\x01"
               "a\x00"), /* names out of order */
    BYTES_INIT("\x01\x01"
               "a\x00\x01"
               "a\x00"), /* twice */
    BYTES_INIT("\x01\x01"
               "a\x0a"), /* tags that are none */
    BYTES_INIT("\x01\x01"
               "a\x20"),
    BYTES_INIT("\x01\x01"
               "a\x36"),
    BYTES_INIT("\x01\x01"
               "a\xff"),
    BYTES_INIT("\x01\x01"
               "a\x03\x02x"), /* string cut off */
    BYTES_INIT("\x01\x01"
               "a\x03\x01\x80"), /* string is no UTF-8 */
    BYTES_INIT("\x01\x01"
               "a\x22\xc1\x01"), /* no number */
    BYTES_INIT("\x01\x01"
               "a\x05\x01\x00"), /* empty set */
    BYTES_INIT("\x01\x01"
               "a\x05\x07\x02\x03\x01"
               "b\x03\x01"
               "a"), /* out of order */
    BYTES_INIT("\x01\x01"
               "a\x05\x07\x02\x03\x01"
               "a\x03\x01"
               "a"), /* twice */
    BYTES_INIT("\x01\x01"
               "a\x05\x04\x01\x04\x01"
               "a"), /* another type inside */
    BYTES_INIT("\x01\x01"
               "a\x05\x04\x02\x03\x01"
               "a"), /* fewer than it says */
    BYTES_INIT("\x01\x01"
               "a\x08\x00"), /* no count */
    BYTES_INIT("\x01\x01"
               "a\x08\x02\x00\x00"), /* more than it says */
    BYTES_INIT("\x01\x01"
               "a\x08\x03\x01\x00\x00"),
    BYTES_INIT("\x01\x01"
               "a\x08\x02\x01\x03"), /* an element that ends outside */
    BYTES_INIT("\x01\x01"
               "a\x09\x05\x01\x01"
               "b\x03\x01"
               "a"),
};

static void what_is_no_item_is_seen(void **state)
{
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof no_items / sizeof *no_items; i++) {
        if (item_check(no_items[i], &err))
            fail_msg("case %zu", i);
        assert_int_equal(err.code, ERR_CORRUPT);
    }
    assert_true(item_check(BYTES("\x01"), &err));
    assert_true(item_check(BYTES("\x01\x01"
                                 "a\x05\x04\x01\x03\x01"
                                 "a"),
                           &err));
}

/* L in L in ... around a NULL, whose level is `level`. */
static bool level_is_taken(struct arena *arena, int level)
{
    struct err err;
    struct buf item;

    buf_init_in(&item, arena);
    buf_put_literal(&item, "\x01\x01"
                           "a");
    for (int i = level - 1; i > 0; i--) {
        buf_put_u8(&item, 0x08);
        buf_put_u8(&item, (uint8_t)(3 * i - 1));
        buf_put_u8(&item, 0x01);
    }
    buf_put_u8(&item, 0x00);
    return item_check(buf_bytes(&item), &err);
}

static void levels_are_bounded(void **state)
{
    assert_true(level_is_taken(*state, 1));
    assert_true(level_is_taken(*state, ITEM_DEPTH_MOST));
    assert_false(level_is_taken(*state, ITEM_DEPTH_MOST + 1));
}

static void records_come_back(void **state)
{
    struct arena *arena = *state;
    struct bytes parts[3], *back, item;
    struct item_maker maker;
    struct err err;

    for (int i = 0; i < 3; i++) {
        item_begin(&maker, arena);
        item_put_integer(&maker, "Part", i);
        parts[i] = item_finish(&maker);
    }
    item_begin(&maker, arena);
    item_put_text(&maker, "TableName", BYTES("Users"));
    item_put_integer(&maker, "Shards", 4);
    item_put_integer(&maker, "Least", INT64_MIN);
    item_put_flag(&maker, "Enabled", true);
    item_put_data(&maker, "Token", BYTES("\0\xff"));
    item_put_item(&maker, "First", parts[0]);
    item_put_items(&maker, "Parts", parts, 3);
    item_put_items(&maker, "None", NULL, 0);
    item = item_finish(&maker);
    assert_true(item_check(item, &err));
    assert_bytes_equal(item_text(item, "TableName"), BYTES("Users"));
    assert_int_equal(item_integer(item, "Shards", 1), 4);
    assert_int_equal(item_integer(item, "Least", 1), INT64_MIN);
    assert_true(item_flag(item, "Enabled"));
    assert_bytes_equal(item_text(item, "Token"), BYTES("\0\xff"));
    assert_bytes_equal(item_item(item, "First", arena), parts[0]);
    assert_int_equal(item_items(item, "Parts", arena, &back), 3);
    for (int i = 0; i < 3; i++)
        assert_bytes_equal(back[i], parts[i]);
    assert_int_equal(item_items(item, "None", arena, &back), 0);
    /* what is absent, or of another type */
    assert_int_equal(item_text(item, "Shards").size, 0);
    assert_int_equal(item_integer(item, "TableName", 7), 7);
    assert_int_equal(item_integer(item, "Absent", 7), 7);
    assert_false(item_flag(item, "Shards"));
    assert_int_equal(item_item(item, "Parts", arena).size, 0);
    assert_int_equal(item_items(item, "First", arena, &back), 0);
    assert_int_equal(item_integer(BYTES_NONE, "Shards", 7), 7);
}

static void many_attributes_are_found(void **state)
{
    struct item_maker maker;
    struct value value;
    struct bytes name, before = BYTES_NONE;
    char text[32];
    int seen = 0;

    item_begin(&maker, *state);
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "attribute-%d", i * 617 % 1000);
        item_put_integer(&maker, text, i * 617 % 1000);
    }
    struct bytes item = item_finish(&maker);
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "attribute-%d", i);
        assert_int_equal(item_integer(item, text, -1), i);
    }
    assert_false(item_find(item, BYTES("attribute-1000"), &value));
    struct item_walk walk = item_walk(item);
    for (; item_next(&walk, &name, &value); before = name, seen++)
        assert_true(bytes_compare(before, name) < 0);
    assert_int_equal(seen, 1000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_are_for_ever, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_item_is_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(levels_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(records_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(many_attributes_are_found, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
