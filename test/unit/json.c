/* test/unit/json.c - what is JSON and what is not, and text written for it. */
#include "support/check.h"

#include "base/random.h"
#include "json/reader.h"
#include "json/writer.h"

static bool skips(struct bytes text, struct err *err)
{
    struct json_reader reader;
    struct arena arena;

    arena_init(&arena);
    json_reader_init(&reader, text, &arena);
    bool ok = json_skip(&reader, err) && json_end(&reader, err);
    arena_release(&arena);
    return ok;
}

static void json_is_taken(void **state)
{
    static const struct bytes good[] = {
        BYTES_INIT("{}"),
        BYTES_INIT(" \t\r\n[ ] "),
        BYTES_INIT("[1,-1,0,-0,1.5,1e5,1E+5,1e-05,0.0]"),
        BYTES_INIT("[true,false,null,\"\"]"),
        BYTES_INIT("{\"a\":{\"b\":[{\"c\":[[],{}]}]},\"a\":1}"),
        BYTES_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uABCD\\ud83d\\uDE00\""),
        BYTES_INIT("\"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80"
                   "\xf4\x8f\xbf\xbf\""),
    };
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!skips(good[i], &err))
            fail_msg("%.*s", BYTES_ARGS(good[i]));
}

static const struct bytes no_json[] = {
    BYTES_INIT(""),
    BYTES_INIT(" "),
    BYTES_INIT("{"),
    BYTES_INIT("}"),
    BYTES_INIT("[1"),
    BYTES_INIT("[1,]"),
    BYTES_INIT("[,1]"),
    BYTES_INIT("[1 2]"),
    BYTES_INIT("[1}"),
    BYTES_INIT("{\"a\":1,}"),
    BYTES_INIT("{\"a\"}"),
    BYTES_INIT("{\"a\" 1}"),
    BYTES_INIT("{a:1}"),
    BYTES_INIT("{1:1}"),
    BYTES_INIT("{\"a\":1]"),
    BYTES_INIT("1 2"),
    BYTES_INIT("{}x"),
    BYTES_INIT("{}\0"),
    BYTES_INIT("tru"),
    BYTES_INIT("True"),
    BYTES_INIT("nulls"),
    BYTES_INIT("NaN"),
    BYTES_INIT("+1"),
    BYTES_INIT("01"),
    BYTES_INIT("-"),
    BYTES_INIT("-01"),
    BYTES_INIT(".5"),
    BYTES_INIT("5."),
    BYTES_INIT("1e"),
    BYTES_INIT("1e+"),
    BYTES_INIT("0x1"),
    BYTES_INIT("'a'"),
    BYTES_INIT("\"a"),
    BYTES_INIT("\"a\\\""),
    BYTES_INIT("\"\\"),
    BYTES_INIT("\"\\x\""),
    BYTES_INIT("\"\\0\""),
    BYTES_INIT("\"\\u12\""),
    BYTES_INIT("\"\\u12g4\""),
    BYTES_INIT("\"\\ud800\""),
    BYTES_INIT("\"\\udc00\""),
    BYTES_INIT("\"\\ud800\\ud800\""),
    BYTES_INIT("\"\\ud800x\\udc00\""),
    BYTES_INIT("\"\\ud800\\u\""),
    BYTES_INIT("\"a\nb\""),
    BYTES_INIT("\"a\0b\""),
    BYTES_INIT("\"\x1f\""),
    BYTES_INIT("\"0123456789abcdef0123\tabcdef\""), /* in a later block */
    BYTES_INIT("\"\x80\""),
    BYTES_INIT("\"\xc0\x80\""), /* overlong */
    BYTES_INIT("\"\xc1\xbf\""),
    BYTES_INIT("\"\xc2\""),
    BYTES_INIT("\"\xc2\x41\""),
    BYTES_INIT("\"\xe0\x9f\xbf\""),
    BYTES_INIT("\"\xe2\x82\""),
    BYTES_INIT("\"\xed\xa0\x80\""), /* a surrogate */
    BYTES_INIT("\"\xf0\x8f\xbf\xbf\""),
    BYTES_INIT("\"\xf4\x90\x80\x80\""), /* beyond U+10FFFF */
    BYTES_INIT("\"\xf5\x80\x80\x80\""),
    BYTES_INIT("\"\xff\""),
    BYTES_INIT("\"0123456789abcdef0123456789\xc3\""),
    BYTES_INIT("\"\\n\xc3\""),
};

static void what_is_no_json_is_refused(void **state)
{
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof no_json / sizeof *no_json; i++) {
        if (skips(no_json[i], &err))
            fail_msg("case %zu: %.*s", i, BYTES_ARGS(no_json[i]));
        assert_int_equal(err.code, ERR_SERIALIZATION);
        assert_string_equal(err.message, "");
    }
}

static void depth_is_bounded(void **state)
{
    struct err err;
    struct buf text;

    (void)state;
    buf_init(&text);
    for (int depth = JSON_DEPTH_MOST; depth <= JSON_DEPTH_MOST + 1; depth++) {
        buf_clear(&text);
        for (int i = 0; i < depth; i++)
            buf_put_text(&text, i % 3 == 0 ? "{\"a\":" : "[");
        buf_put_text(&text, "1");
        for (int i = depth - 1; i >= 0; i--)
            buf_put_text(&text, i % 3 == 0 ? "}" : "]");
        assert_int_equal(skips(buf_bytes(&text), &err), depth == JSON_DEPTH_MOST);
    }
    buf_release(&text);
}

/* Each kind of string end and escape, at each place in and around the blocks that are looked at
 * together. */
static void strings_at_every_place(void **state)
{
    static const struct {
        struct bytes text, meaning;
    } middles[] = {
        {BYTES_INIT(""), BYTES_INIT("")},
        {BYTES_INIT("\\n"), BYTES_INIT("\n")},
        {BYTES_INIT("\\\""), BYTES_INIT("\"")},
        {BYTES_INIT("\\\\"), BYTES_INIT("\\")},
        {BYTES_INIT("\xc3\xa9"), BYTES_INIT("\xc3\xa9")},
        {BYTES_INIT("\\ud83d\\ude00"), BYTES_INIT("\xf0\x9f\x98\x80")},
        {BYTES_INIT("\\u00e9\xe2\x82\xac"), BYTES_INIT("\xc3\xa9\xe2\x82\xac")},
    };
    struct json_reader reader;
    struct buf text, expected;
    struct arena arena;
    struct bytes read;
    struct err err;

    (void)state;
    arena_init(&arena);
    buf_init(&text);
    buf_init(&expected);
    for (size_t kind = 0; kind < sizeof middles / sizeof *middles; kind++) {
        for (int before = 0; before < 40; before++) {
            for (int after = 0; after < 40; after += 3) {
                buf_clear(&text);
                buf_clear(&expected);
                for (int i = 0; i < before; i++)
                    buf_put_u8(&expected, (uint8_t)('a' + i % 26));
                buf_put_u8(&text, '"');
                buf_put_bytes(&text, buf_bytes(&expected));
                buf_put_bytes(&text, middles[kind].text);
                buf_put_bytes(&expected, middles[kind].meaning);
                for (int i = 0; i < after; i++) {
                    buf_put_u8(&text, 'z');
                    buf_put_u8(&expected, 'z');
                }
                buf_put_u8(&text, '"');
                json_reader_init(&reader, buf_bytes(&text), &arena);
                assert_true(json_read_string(&reader, &read, &err));
                assert_true(json_end(&reader, &err));
                assert_bytes_equal(read, buf_bytes(&expected));
                buf_clear(&text);
                json_put_string(&text, read);
                json_reader_init(&reader, buf_bytes(&text), &arena);
                assert_true(json_read_string(&reader, &read, &err));
                assert_bytes_equal(read, buf_bytes(&expected));
            }
        }
    }
    buf_release(&expected);
    buf_release(&text);
    arena_release(&arena);
}

static void objects_and_arrays_are_walked(void **state)
{
    struct bytes text = BYTES("{ \"a\" : [ 1 , [] , {} ] , \"\\u0062\" : \"x\" }"), name, value;
    struct json_reader reader;
    struct arena arena;
    struct err err;
    bool more;

    (void)state;
    arena_init(&arena);
    json_reader_init(&reader, text, &arena);
    assert_int_equal(json_peek(&reader), JSON_OBJECT);
    assert_true(json_object_begin(&reader, &err));
    assert_true(json_object_next(&reader, &name, &more, &err) && more);
    assert_bytes_equal(name, BYTES("a"));
    assert_true(json_array_begin(&reader, &err));
    assert_true(json_array_next(&reader, &more, &err) && more);
    assert_true(json_read_number(&reader, &value, &err));
    assert_bytes_equal(value, BYTES("1"));
    assert_true(json_array_next(&reader, &more, &err) && more);
    assert_true(json_skip(&reader, &err));
    assert_true(json_array_next(&reader, &more, &err) && more);
    assert_int_equal(json_peek(&reader), JSON_OBJECT);
    assert_true(json_skip(&reader, &err));
    assert_true(json_array_next(&reader, &more, &err) && !more);
    assert_true(json_object_next(&reader, &name, &more, &err) && more);
    assert_bytes_equal(name, BYTES("b"));
    assert_true(json_read_string(&reader, &value, &err));
    assert_bytes_equal(value, BYTES("x"));
    assert_true(json_object_next(&reader, &name, &more, &err) && !more);
    assert_true(json_end(&reader, &err));
    arena_release(&arena);
}

static void wrong_kinds_are_told(void **state)
{
    static const struct {
        struct bytes text;
        const char *message;
    } cases[] = {
        {BYTES_INIT("5"), "NUMBER_VALUE cannot be converted to String"},
        {BYTES_INIT("5.0"), "DECIMAL_VALUE cannot be converted to String"},
        {BYTES_INIT("5e1"), "DECIMAL_VALUE cannot be converted to String"},
        {BYTES_INIT("true"), "TRUE_VALUE cannot be converted to String"},
        {BYTES_INIT("[]"), "Unrecognized collection type class java.lang.String"},
        {BYTES_INIT("{}"), "Start of structure or map found where not expected"},
        {BYTES_INIT("-"), ""},
        {BYTES_INIT("?"), ""},
    };
    struct json_reader reader;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_reader_init(&reader, cases[i].text, NULL);
        assert_false(json_refuse(&reader, "String", &err));
        assert_int_equal(err.code, ERR_SERIALIZATION);
        assert_string_equal(err.message, cases[i].message);
    }
}

static void text_is_escaped(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out);
    json_put_string(&out, BYTES("a\"b\\c/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9"));
    assert_bytes_equal(buf_bytes(&out),
                       BYTES("\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9\""));
    buf_release(&out);
}

static void numbers_and_times_are_written(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out);
    json_put_i64(&out, 0);
    buf_put_u8(&out, ' ');
    json_put_i64(&out, INT64_MIN);
    buf_put_u8(&out, ' ');
    json_put_i64(&out, INT64_MAX);
    assert_bytes_equal(buf_bytes(&out), BYTES("0 -9223372036854775808 9223372036854775807"));
    buf_clear(&out);
    json_put_time(&out, UINT64_C(1760000000123456));
    buf_put_u8(&out, ' ');
    json_put_time(&out, UINT64_C(1760000000120000));
    buf_put_u8(&out, ' ');
    json_put_time(&out, UINT64_C(1760000000001999));
    buf_put_u8(&out, ' ');
    json_put_time(&out, UINT64_C(1760000000000999));
    assert_bytes_equal(buf_bytes(&out),
                       BYTES("1760000000.123 1760000000.12 1760000000.001 1760000000"));
    buf_release(&out);
}

static void base64_comes_back(void **state)
{
    uint8_t data[100];
    uint64_t seed = 1;
    struct arena arena;
    struct buf out;
    struct bytes back;

    (void)state;
    arena_init(&arena);
    buf_init(&out);
    for (size_t size = 0; size <= sizeof data; size++) {
        for (size_t i = 0; i < size; i++)
            data[i] = (uint8_t)random_next(&seed);
        buf_clear(&out);
        json_put_base64(&out, bytes_of(data, size));
        assert_true(base64_decode(bytes_of(out.data + 1, out.size - 2), &arena, &back));
        assert_true(bytes_equal(back, bytes_of(data, size)));
    }
    buf_release(&out);
    arena_release(&arena);
}

static void what_is_no_base64_is_refused(void **state)
{
    static const struct bytes bad[] = {
        BYTES_INIT("A"),
        BYTES_INIT("AA"),
        BYTES_INIT("AAA"),
        BYTES_INIT("AAAAA"),
        BYTES_INIT("===="),
        BYTES_INIT("A==="),
        BYTES_INIT("AB=="),
        BYTES_INIT("AAB="),
        BYTES_INIT("AA==AAAA"),
        BYTES_INIT("AA=A"),
        BYTES_INIT("AAA-"),
        BYTES_INIT("AAA_"),
        BYTES_INIT("AAA "),
        BYTES_INIT("A\nAA"),
        BYTES_INIT("AAAAAA\xff="),
        BYTES_INIT("AAA\x80"
                   "AAAA"),
        BYTES_INIT("=AAA"),
        BYTES_INIT("AAA\0"),
    };
    static const struct {
        struct bytes text, data;
    } good[] = {
        {BYTES_INIT(""), BYTES_INIT("")},
        {BYTES_INIT("Yg=="), BYTES_INIT("b")},
        {BYTES_INIT("+/8="), BYTES_INIT("\xfb\xff")},
        {BYTES_INIT("AAEC"), BYTES_INIT("\0\1\2")},
    };
    struct arena arena;
    struct bytes out;

    (void)state;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (base64_decode(bad[i], &arena, &out))
            fail_msg("%.*s", BYTES_ARGS(bad[i]));
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(base64_decode(good[i].text, &arena, &out));
        assert_bytes_equal(out, good[i].data);
    }
    arena_release(&arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_taken),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(strings_at_every_place),
        cmocka_unit_test(objects_and_arrays_are_walked),
        cmocka_unit_test(wrong_kinds_are_told),
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(numbers_and_times_are_written),
        cmocka_unit_test(base64_comes_back),
        cmocka_unit_test(what_is_no_base64_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
