/* test/unit/item_ion.c - packed items as Ion text and back: the vectors of spec/export.md 4.2,
 * every character that is escaped, and what is refused. */
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

/* All of a text as an item; BYTES_NONE with `why` filled. */
static struct bytes read_ion(struct bytes text, struct err *why)
{
    struct ion_reader reader;
    struct bytes packed;

    ion_reader_init(&reader, text, &arena);
    if (!item_read_ion(&reader, &packed, why))
        return BYTES_NONE;
    assert_true(item_check(packed, why));
    assert_ptr_equal(reader.next, reader.end);
    return packed;
}

static void items_come_back(void **state)
{
    static const char *const items[] = {
        "{}",
        "{\"a\":{\"S\":\"\"},\"b\":{\"B\":\"\"},\"c\":{\"L\":[]},\"d\":{\"M\":{}}}",
        "{\"t\":{\"BOOL\":true},\"f\":{\"BOOL\":false},\"z\":{\"NULL\":true}}",
        "{\"s\":{\"SS\":[\"bb\",\"a\",\"\"]},\"n\":{\"NS\":[\"600\",\"-1\",\"0\"]},"
        "\"b\":{\"BS\":[\"AAEC\",\"AA==\",\"\"]}}",
        "{\"null\":{\"N\":\"1E-130\"},\"$1\":{\"N\":\"9.9E125\"},\"x y\":{\"N\":\"-0.000001\"}}",
        "{\"s\":{\"S\":\"\\u0000\\u0007\\b\\t\\n\\u000b\\f\\r\\\\\\\"'\\u001f\\u007f\\u0085\\u00a0"
        "\\u20ac\\ud83d\\ude00\"},\"it's \\\"x\\\"\\n\":{\"S\":\"y\"}}",
        "{\"m\":{\"M\":{\"l\":{\"L\":[{\"M\":{\"b\":{\"N\":\"2\"},\"a\":{\"N\":\"1\"}}}]}}}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        struct err err = {0};
        struct bytes packed = item(items[i]);
        struct bytes back = read_ion(ion(packed), &err);
        if (back.data == NULL)
            fail_msg("%.*s: %s", BYTES_ARGS(ion(packed)), err.message);
        assert_bytes_equal(back, packed);
    }
}

/* What a writer might write and ours does not. */
static void other_texts_mean_the_same(void **state)
{
    static const struct {
        const char *text, *written;
    } cases[] = {
        {"{b:1.,a:2.}", "{a:2.,b:1.}"},
        {"{n:0d0}", "{n:0.}"},
        {"{n:0.420d2}", "{n:42.}"},
        {"{n:42d0}", "{n:42.}"},
        {"{n:42D+1}", "{n:42d1}"},
        {"{n:-0.}", "{n:0.}"},
        {"{n:1.50}", "{n:1.5}"},
        {"{'a':\"x\"}", "{a:\"x\"}"},
        {"{a:\"\\u00e4\\U0001F600\\xe4\\/\\?\\'\"}", "{a:\"\xc3\xa4\xf0\x9f\x98\x80\xc3\xa4/?'\"}"},
        {"{s:$dynamodb_NS::[2.,1d0]}", "{s:$dynamodb_NS::[1.,2.]}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {0};
        struct bytes packed = read_ion(bytes_of_text(cases[i].text), &err);
        if (packed.data == NULL)
            fail_msg("%s: %s", cases[i].text, err.message);
        assert_bytes_equal(ion(packed), bytes_of_text(cases[i].written));
    }
}

#define NINES38 "99999999999999999999999999999999999999"

static const char *const no_items[] = {
    "",
    "[]",
    "{",
    "{a",
    "{a:",
    "{a:1.",
    "{a:1.,",
    "{a:1.,}",
    "{,}",
    "{:1.}",
    "{a:1.b:2.}",
    "{a :1.}",
    "{a: 1.}",
    "{a:1. }",
    "{a:1./*x*/}",
    "{a:}",
    /* names */
    "{null:1.}",
    "{true:1.}",
    "{$1:1.}",
    "{1a:1.}",
    "{a-b:1.}",
    "{'':1.}",
    "{'a:1.}",
    "{\"a\":1.}",
    "{a:1.,a:2.}",
    "{m:{a:1.,b:2.,a:3.}}",
    /* numbers */
    "{n:42}",
    "{n:1e3}",
    "{n:0x1.}",
    "{n:01.}",
    "{n:.5}",
    "{n:-.5}",
    "{n:--1.}",
    "{n:1_0.}",
    "{n:+1.}",
    "{n:1d}",
    "{n:1d1.}",
    "{n:1d-131}",
    "{n:1d126}",
    "{n:" NINES38 "9.}",
    "{n:nan}",
    "{n:-}",
    /* text */
    "{s:\"}",
    "{s:\"a\nb\"}",
    "{s:\"\\q\"}",
    "{s:\"\\x1\"}",
    "{s:\"\\ud800\"}",
    "{s:\"\xff\"}",
    "{s:\"\\U00110000\"}",
    "{s:'symbol'}",
    "{s:symbol}",
    "{s:'''long'''}",
    "{s:\"\\",
    /* blobs */
    "{b:{{A}}}",
    "{b:{{AAEC}",
    "{b:{{AAEC} }}",
    "{b:{{ AAEC }}}",
    "{b:{{\"clob\"}}}",
    "{b:{{",
    /* other types and annotations */
    "{a:null.string}",
    "{a:2020-01-01T}",
    "{a:(1.)}",
    "{a:x::1.}",
    "{a:truest}",
    "{a:$dynamodb_SS::[]}",
    "{a:$dynamodb_SS::[1.]}",
    "{a:$dynamodb_NS::[\"1\"]}",
    "{a:$dynamodb_NS::[1.,1d0]}",
    "{a:$dynamodb_SS::{}}",
    "{a:$dynamodb_BS::[\"\"]}",
    "{a:$dynamodb_XX::[1.]}",
    "{a:[1.,]}",
    "{a:[1.",
    "{a:[,1.]}",
};

static void what_is_no_item_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof no_items / sizeof *no_items; i++) {
        struct err err = {0};
        struct ion_reader reader;
        struct bytes packed;
        ion_reader_init(&reader, bytes_of_text(no_items[i]), &arena);
        if (item_read_ion(&reader, &packed, &err))
            fail_msg("taken: %s", no_items[i]);
        assert_int_equal(err.code, ERR_CORRUPT);
    }
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    for (int depth = 30; depth < 2000; depth = depth < 40 ? depth + 1 : depth * 7) {
        struct ion_reader reader;
        struct bytes packed;
        struct buf text;
        struct err err;
        buf_init_in(&text, &arena);
        buf_put_text(&text, "{a:");
        for (int i = 0; i < depth; i++)
            buf_put_u8(&text, '[');
        for (int i = 0; i < depth; i++)
            buf_put_u8(&text, ']');
        buf_put_u8(&text, '}');
        ion_reader_init(&reader, buf_bytes(&text), &arena);
        assert_int_equal(item_read_ion(&reader, &packed, &err), depth <= ITEM_DEPTH_MOST);
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
        cmocka_unit_test_setup_teardown(items_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(other_texts_mean_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_item_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(nesting_is_bounded, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
