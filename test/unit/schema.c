/* test/unit/schema.c - item keys, and what the service says of wrong ones. */
#include "support/check.h"

#include <stdlib.h>

#include "item/json.h"
#include "table/schema.h"

static const struct table hash_table = {.keys = {{BYTES_INIT("a"), KEY_S}}, .key_count = 1};
static const struct table range_table = {
    .keys = {{BYTES_INIT("a"), KEY_S}, {BYTES_INIT("b"), KEY_N}}, .key_count = 2};
static const struct table binary_table = {
    .keys = {{BYTES_INIT("a"), KEY_S}, {BYTES_INIT("b"), KEY_B}}, .key_count = 2};

static struct bytes item_of(const char *json, struct arena *arena)
{
    struct json_reader reader;
    struct item_read read;
    struct err err;

    json_reader_init(&reader, bytes_of_text(json), arena);
    if (!item_read_json(&reader, &read, &err) || read.invalid != NULL)
        fail_msg("%s", json);
    return read.packed;
}

#define MISMATCH "The provided key element does not match the schema"
#define INVALID  "One or more parameter values were invalid: "
#define EMPTY    "One or more parameter values are not valid. The AttributeValue for a key attribute "

static void tells_what_is_wrong_with_a_key(void **state)
{
    static const struct {
        const struct table *table;
        bool exact;
        const char *json, *message; /* NULL: it is right */
    } cases[] = {
        {&hash_table, false, "{\"a\":{\"S\":\"x\"}}", NULL},
        {&hash_table, false, "{\"a\":{\"S\":\"x\"},\"z\":{\"N\":\"1\"}}", NULL},
        {&hash_table, true, "{\"a\":{\"S\":\"x\"}}", NULL},
        {&range_table, true, "{\"b\":{\"N\":\"-1.5\"},\"a\":{\"S\":\"x\"}}", NULL},
        {&hash_table, true, "{}", MISMATCH},
        {&hash_table, true, "{\"b\":{\"S\":\"x\"}}", MISMATCH},
        {&hash_table, true, "{\"a\":{\"S\":\"x\"},\"b\":{\"S\":\"x\"}}", MISMATCH},
        {&hash_table, true, "{\"a\":{\"N\":\"1\"}}", MISMATCH},
        {&range_table, true, "{\"a\":{\"S\":\"x\"}}", MISMATCH},
        {&hash_table, false, "{}", INVALID "Missing the key a in the item"},
        {&range_table, false, "{\"a\":{\"S\":\"x\"}}", INVALID "Missing the key b in the item"},
        {&hash_table, false, "{\"a\":{\"N\":\"1\"}}",
         INVALID "Type mismatch for key a expected: S actual: N"},
        {&hash_table, false, "{\"a\":{\"NULL\":true}}",
         INVALID "Type mismatch for key a expected: S actual: NULL"},
        {&range_table, false, "{\"a\":{\"S\":\"x\"},\"b\":{\"L\":[]}}",
         INVALID "Type mismatch for key b expected: N actual: L"},
        {&hash_table, false, "{\"a\":{\"S\":\"\"}}",
         EMPTY "cannot contain an empty string value. Key: a"},
        {&binary_table, true, "{\"a\":{\"S\":\"x\"},\"b\":{\"B\":\"\"}}",
         EMPTY "cannot contain an empty binary value. Key: b"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena arena;
        struct bytes key;
        struct err err;
        arena_init(&arena);
        bool ok = table_key(cases[i].table, item_of(cases[i].json, &arena), cases[i].exact, &arena,
                            &key, &err);
        assert_int_equal(ok, cases[i].message == NULL);
        if (!ok) {
            assert_int_equal(err.code, ERR_VALIDATION);
            assert_string_equal(err.message, cases[i].message);
        }
        arena_release(&arena);
    }
}

static bool key_of_sizes(size_t partition, size_t sort, struct err *err)
{
    struct item_maker maker;
    struct arena arena;
    struct bytes key;

    arena_init(&arena);
    uint8_t *filler = arena_zalloc(&arena, 4096);
    memset(filler, 'x', 4096);
    item_begin(&maker, &arena);
    item_put_text(&maker, "a", bytes_of(filler, partition));
    item_put_data(&maker, "b", bytes_of(filler, sort));
    bool ok = table_key(&binary_table, item_finish(&maker), false, &arena, &key, err);
    arena_release(&arena);
    return ok;
}

static void bounds_the_sizes_of_keys(void **state)
{
    struct err err;

    (void)state;
    assert_true(key_of_sizes(2048, 1024, &err));
    assert_false(key_of_sizes(2049, 1, &err));
    assert_string_equal(err.message,
                        INVALID "Size of hashkey has exceeded the maximum size limit of2048 bytes");
    assert_false(key_of_sizes(1, 1025, &err));
    assert_string_equal(err.message, INVALID "Aggregated size of all range keys has exceeded the "
                                             "size limit of 1024 bytes");
}

static void orders_and_shows_keys(void **state)
{
    struct arena arena;
    struct bytes low, high, other;
    struct err err;

    (void)state;
    arena_init(&arena);
    struct bytes item =
        item_of("{\"b\":{\"N\":\"-2\"},\"a\":{\"S\":\"x\"},\"z\":{\"S\":\"y\"}}", &arena);
    assert_true(table_key(&range_table, item, false, &arena, &low, &err));
    assert_true(table_key(&range_table,
                          item_of("{\"a\":{\"S\":\"x\"},\"b\":{\"N\":\"1E1\"}}", &arena), true,
                          &arena, &high, &err));
    assert_true(bytes_compare(low, high) < 0);
    assert_memory_equal(low.data, high.data, 8); /* the hash is of the partition key alone */
    assert_bytes_equal(table_key_item(&range_table, item, &arena),
                       item_of("{\"a\":{\"S\":\"x\"},\"b\":{\"N\":\"-2\"}}", &arena));
    assert_true(table_key(&range_table, table_key_item(&range_table, item, &arena), true, &arena,
                          &other, &err));
    assert_bytes_equal(other, low);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_is_wrong_with_a_key),
        cmocka_unit_test(bounds_the_sizes_of_keys),
        cmocka_unit_test(orders_and_shows_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
