/* test/unit/item_ion.c - packed items as Ion text: the vectors of spec/export.md 4.2, and every
 * character that is escaped. */
#include "support/check.h"

#include <stdio.h>

#include "item/ion.h"
#include "item/json.h"
#include "item/number.h"

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static struct bytes item(const char *text)
{
    struct json_reader reader;
    struct item_read read;
    struct err err;

    json_reader_init(&reader, bytes_of_text(text), &arena);
    if (!item_read_json(&reader, &read, &err))
        fail_msg("%s: %s", text, err.message);
    assert_null(read.invalid);
    return read.packed;
}

static struct bytes ion(struct bytes packed)
{
    struct buf out;

    buf_init_in(&out, &arena);
    assert_int_equal(item_write_ion(packed, &out), item_size(packed));
    return buf_bytes(&out);
}

static void numbers_are_the_vectors(void **state)
{
    static const struct {
        const char *number, *text;
    } vectors[] = {
        {"0", "0."},
        {"-0", "0."},
        {"-7", "-7."},
        {"42", "42."},
        {"103", "103."},
        {"100", "1d2"},
        {"600", "6d2"},
        {"860670", "86067d1"},
        {"39.29", "39.29"},
        {"0.5", "0.5"},
        {"-0.05", "-0.05"},
        {"0.000001", "0.000001"},
        {"0.0000012345", "0.0000012345"},
        {"0.0000001", "1d-7"},
        {"0.00000012", "12d-8"},
        {"-1.50", "-1.5"},
        {"1E-130", "1d-130"},
        {"1E+125", "1d125"},
        {"-9.9999999999999999999999999999999999999E+125",
         "-99999999999999999999999999999999999999d88"},
        {"99999999999999999999999999999999999999", "99999999999999999999999999999999999999."},
        {"1234567890123456789.0123456789012345678", "1234567890123456789.0123456789012345678"},
        {"1760000000000000", "176d13"},
        {"1684374845117899", "1684374845117899."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct number number;
        struct err err;
        struct buf out;
        assert_true(number_read(bytes_of_text(vectors[i].number), &number, &err));
        buf_init_in(&out, &arena);
        ion_put_number(&out, number_bytes(&number));
        assert_bytes_equal(buf_bytes(&out), bytes_of_text(vectors[i].text));
    }
}

static void values_of_all_types(void **state)
{
    static const struct {
        const char *json, *text;
    } cases[] = {
        {"{}", "{}"},
        {"{\"a\":{\"S\":\"abc\"}}", "{a:\"abc\"}"},
        {"{\"a\":{\"S\":\"\"},\"b\":{\"B\":\"\"}}", "{a:\"\",b:{{}}}"},
        {"{\"b\":{\"B\":\"AAEC\"}}", "{b:{{AAEC}}}"},
        {"{\"b\":{\"B\":\"AA==\"}}", "{b:{{AA==}}}"},
        {"{\"t\":{\"BOOL\":true},\"f\":{\"BOOL\":false},\"z\":{\"NULL\":true}}",
         "{f:false,t:true,z:null}"},
        {"{\"s\":{\"SS\":[\"bb\",\"a\"]}}", "{s:$dynamodb_SS::[\"a\",\"bb\"]}"},
        {"{\"s\":{\"NS\":[\"600\",\"1\"]}}", "{s:$dynamodb_NS::[1.,6d2]}"},
        {"{\"s\":{\"BS\":[\"AAEC\"]}}", "{s:$dynamodb_BS::[{{AAEC}}]}"},
        {"{\"l\":{\"L\":[{\"N\":\"1\"},{\"S\":\"x\"},{\"M\":{\"a\":{\"S\":\"b\"}}}]}}",
         "{l:[1.,\"x\",{a:\"b\"}]}"},
        {"{\"l\":{\"L\":[]},\"m\":{\"M\":{}}}", "{l:[],m:{}}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_bytes_equal(ion(item(cases[i].json)), bytes_of_text(cases[i].text));
}

static void named_attributes_lead_or_stand_alone(void **state)
{
    static const struct bytes names[] = {BYTES_INIT("pk"), BYTES_INIT("at"), BYTES_INIT("none")};
    struct bytes packed = item("{\"at\":{\"N\":\"1\"},\"b\":{\"S\":\"x\"},\"pk\":{\"S\":\"p\"}}");
    struct buf out;

    (void)state;
    buf_init_in(&out, &arena);
    assert_int_equal(item_write_ion_led(packed, names, 3, &out), item_size(packed));
    assert_bytes_equal(buf_bytes(&out), BYTES("{pk:\"p\",at:1.,b:\"x\"}"));
    buf_clear(&out);
    item_write_ion_only(packed, names, 3, &out);
    assert_bytes_equal(buf_bytes(&out), BYTES("{pk:\"p\",at:1.}"));
    buf_clear(&out);
    item_write_ion_only(packed, names + 2, 1, &out);
    assert_bytes_equal(buf_bytes(&out), BYTES("{}"));
}

static void names_are_bare_where_they_may_be(void **state)
{
    static const struct {
        const char *name, *text;
    } cases[] = {
        {"abc", "abc"},
        {"_", "_"},
        {"$", "$"},
        {"$a1", "$a1"},
        {"$ion_1_0", "$ion_1_0"},
        {"Nan", "Nan"},
        {"nulls", "nulls"},
        {"", "''"},
        {"null", "'null'"},
        {"true", "'true'"},
        {"false", "'false'"},
        {"nan", "'nan'"},
        {"$1", "'$1'"},
        {"$12", "'$12'"},
        {"$1a", "$1a"},
        {"1a", "'1a'"},
        {"my-attr", "'my-attr'"},
        {"a b", "'a b'"},
        {"a.b", "'a.b'"},
        {"it's", "'it\\'s'"},
        {"a\"b", "'a\"b'"},
        {"\xc3\xa4", "'\xc3\xa4'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out;
        buf_init_in(&out, &arena);
        ion_put_name(&out, bytes_of_text(cases[i].name));
        assert_bytes_equal(buf_bytes(&out), bytes_of_text(cases[i].text));
    }
}

/* The escape of a character, or itself. */
static void expected_escape(unsigned c, char to[8])
{
    static const char plain[] = "\a\b\t\n\v\f\r\\\"", letters[] = "abtnvfr\\\"";
    const char *at = c == 0 ? NULL : strchr(plain, (int)c);

    if (c == 0)
        snprintf(to, 8, "\\0");
    else if (c < 0x80 && at != NULL)
        snprintf(to, 8, "\\%c", letters[at - plain]);
    else if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
        snprintf(to, 8, "\\x%02x", c);
    else if (c < 0x80)
        snprintf(to, 8, "%c", (char)c);
    else
        snprintf(to, 8, "%c%c", (char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f)));
}

/* Each character at every place of a text that is longer than what is copied together. */
static void every_control_is_escaped(void **state)
{
    static const char filler[] = "0123456789abcdefghijklmnopqrstuvwxyz";

    (void)state;
    for (unsigned c = 0; c < 0x120; c++) {
        for (size_t place = 0; place < sizeof filler; place++) {
            struct item_maker maker;
            struct buf text, expected;
            char escape[8];
            buf_init_in(&text, &arena);
            buf_init_in(&expected, &arena);
            expected_escape(c, escape);
            buf_put(&text, filler, place);
            if (c < 0x80) {
                buf_put_u8(&text, (uint8_t)c);
            } else {
                buf_put_u8(&text, (uint8_t)(0xc0 | c >> 6));
                buf_put_u8(&text, (uint8_t)(0x80 | (c & 0x3f)));
            }
            buf_put_text(&text, filler + place);
            buf_printf(&expected, "{s:\"%.*s%s%s\"}", (int)place, filler, escape, filler + place);
            item_begin(&maker, &arena);
            item_put_text(&maker, "s", buf_bytes(&text));
            assert_bytes_equal(ion(item_finish(&maker)), buf_bytes(&expected));
        }
        arena_reset(&arena, 1 << 16);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(numbers_are_the_vectors, setup, teardown),
        cmocka_unit_test_setup_teardown(values_of_all_types, setup, teardown),
        cmocka_unit_test_setup_teardown(named_attributes_lead_or_stand_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(names_are_bare_where_they_may_be, setup, teardown),
        cmocka_unit_test_setup_teardown(every_control_is_escaped, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
