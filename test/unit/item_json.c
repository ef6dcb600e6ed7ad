/* test/unit/item_json.c - DynamoDB JSON to packed items and back; which mistakes are told how. */
#include "support/check.h"

#include "item/json.h"

#define EMPTY                                                                                      \
    "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
#define MANY                                                                                       \
    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "    \
    "supported datatypes"
#define INVALID "One or more parameter values were invalid: "
#define TOO_DEEP                                                                                   \
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels "    \
    "beyond supported limit"

struct read {
    struct arena arena;
    struct item_read item;
    struct err err;
    bool ok;
};

static int setup(void **state)
{
    static struct read read;

    arena_init(&read.arena);
    *state = &read;
    return 0;
}

static int teardown(void **state)
{
    struct read *read = *state;

    arena_release(&read->arena);
    return 0;
}

static void read_text(struct read *read, struct bytes text)
{
    struct json_reader reader;

    json_reader_init(&reader, text, &read->arena);
    read->ok = item_read_json(&reader, &read->item, &read->err) && json_end(&reader, &read->err);
}

static struct bytes packed(struct read *read, const char *text)
{
    read_text(read, bytes_of_text(text));
    if (!read->ok)
        fail_msg("%s: %s", text, read->err.message);
    if (read->item.invalid != NULL)
        fail_msg("%s: %s", text, read->item.invalid->message);
    if (!item_check(read->item.packed, &read->err))
        fail_msg("%s: %s", text, read->err.message);
    return read->item.packed;
}

static struct bytes written(struct read *read, struct bytes item)
{
    struct buf out;

    buf_init_in(&out, &read->arena);
    assert_int_equal(item_write_json_led(item, NULL, 0, &out), item_size(item));
    buf_clear(&out);
    item_write_json(item, &out);
    return buf_bytes(&out);
}

static void items_come_back(void **state)
{
    static const struct {
        const char *text, *back; /* NULL: the same */
    } cases[] = {
        {"{}", NULL},
        {"{\"a\":{\"S\":\"x\"}}", NULL},
        {"{\"id\":{\"S\":\"u-1\"},\"b\":{\"B\":\"AAEC\"},\"e\":{\"L\":[]},\"f\":{\"M\":{}},"
         "\"l\":{\"L\":[{\"N\":\"1\"},{\"S\":\"ab\"}]},\"n\":{\"N\":\"42\"},\"ok\":{\"BOOL\":true},"
         "\"s\":{\"SS\":[\"bb\",\"a\"]},\"z\":{\"NULL\":true}}",
         "{\"b\":{\"B\":\"AAEC\"},\"e\":{\"L\":[]},\"f\":{\"M\":{}},\"id\":{\"S\":\"u-1\"},"
         "\"l\":{\"L\":[{\"N\":\"1\"},{\"S\":\"ab\"}]},\"n\":{\"N\":\"42\"},\"ok\":{\"BOOL\":true},"
         "\"s\":{\"SS\":[\"a\",\"bb\"]},\"z\":{\"NULL\":true}}"},
        {"{\"a\":{\"NS\":[\"10\",\"-1\",\"9\",\"0.50\"]}}",
         "{\"a\":{\"NS\":[\"-1\",\"0.5\",\"9\",\"10\"]}}"},
        {"{\"a\":{\"BS\":[\"Yg==\",\"YQ==\",\"\"]}}", "{\"a\":{\"BS\":[\"\",\"YQ==\",\"Yg==\"]}}"},
        {"{\"a\":{\"S\":\"\"},\"b\":{\"B\":\"\"}}", NULL},
        {"{\"a\":{\"S\":\"\\u00e9\\n\\u0001\\ud83d\\ude00\\/\"}}",
         "{\"a\":{\"S\":\"\xc3\xa9\\n\\u0001\xf0\x9f\x98\x80/\"}}"},
        {" { \"a\" : { \"N\" : \"1e2\" } } ", "{\"a\":{\"N\":\"100\"}}"},
        {"{\"b\":{\"M\":{\"y\":{\"S\":\"1\"},\"x\":{\"S\":\"2\"}}},\"a\":{\"S\":\"3\"}}",
         "{\"a\":{\"S\":\"3\"},\"b\":{\"M\":{\"x\":{\"S\":\"2\"},\"y\":{\"S\":\"1\"}}}}"},
        /* the last of a name counts, and of a type */
        {"{\"a\":{\"S\":\"1\"},\"b\":{\"S\":\"2\"},\"a\":{\"S\":\"3\"}}",
         "{\"a\":{\"S\":\"3\"},\"b\":{\"S\":\"2\"}}"},
        {"{\"a\":{\"S\":\"1\",\"S\":\"2\"}}", "{\"a\":{\"S\":\"2\"}}"},
        /* null is absent, what is unknown is ignored */
        {"{\"a\":{\"S\":\"1\",\"N\":null,\"X\":{\"y\":[1,2]}}}", "{\"a\":{\"S\":\"1\"}}"},
        {"{\"a\":{\"NULL\":\"yes\"}}", "{\"a\":{\"NULL\":true}}"},
        {"{\"a\":{\"NULL\":\"1\"},\"b\":{\"BOOL\":\"FALSE\"}}",
         "{\"a\":{\"NULL\":true},\"b\":{\"BOOL\":false}}"},
    };
    struct read *read = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *back = cases[i].back != NULL ? cases[i].back : cases[i].text;
        assert_bytes_equal(written(read, packed(read, cases[i].text)), bytes_of_text(back));
    }
}

static void bad_values_are_kept(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{\"a\":{}}", EMPTY},
        {"{\"a\":null}", EMPTY},
        {"{\"a\":{\"a\":\"\"}}", EMPTY},
        {"{\"a\":{\"S\":null}}", EMPTY},
        {"{\"a\":{\"M\":{\"a\":{}}}}", EMPTY},
        {"{\"a\":{\"L\":[{}]}}", EMPTY},
        {"{\"a\":{\"L\":[null]}}", EMPTY},
        {"{\"a\":{\"S\":\"a\",\"BOOL\":true}}", MANY},
        {"{\"a\":{\"S\":\"\",\"N\":\"\"}}",
         "The parameter cannot be converted to a numeric value: "},
        {"{\"a\":{\"NULL\":false}}",
         INVALID "Null attribute value types must have the value of true"},
        {"{\"a\":{\"S\":\"a\",\"N\":\"b\"}}",
         "The parameter cannot be converted to a numeric value: b"},
        {"{\"a\":{\"NS\":[\"1\",\"b\"]}}",
         "The parameter cannot be converted to a numeric value: b"},
        {"{\"a\":{\"NS\":[\"1\",\"1.0\"]}}", INVALID "Input collection contains duplicates."},
        {"{\"a\":{\"SS\":[]}}", INVALID "An string set  may not be empty"},
        {"{\"a\":{\"NS\":[]}}", INVALID "An number set  may not be empty"},
        {"{\"a\":{\"BS\":[]}}", INVALID "Binary sets should not be empty"},
        {"{\"a\":{\"SS\":[\"a\",null]}}",
         INVALID "An string set may not have a null string as a member"},
        {"{\"a\":{\"SS\":[\"b\",\"a\",\"b\"]}}",
         INVALID "Input collection [\"a\", \"b\", \"b\"] contains duplicates."},
        {"{\"a\":{\"BS\":[\"Yg==\",\"Yg==\"]}}",
         INVALID "Input collection [\"Yg==\",\"Yg==\"]of type BS contains duplicates."},
        {"{\"a\":{\"N\":\"1e126\"}}",
         "Number overflow. Attempting to store a number with magnitude "
         "larger than supported range"},
        /* the first one is told, whatever the order of names */
        {"{\"b\":{\"SS\":[]},\"a\":{\"N\":\"x\"}}", INVALID "An string set  may not be empty"},
    };
    struct read *read = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        read_text(read, bytes_of_text(cases[i].text));
        assert_true(read->ok);
        if (read->item.invalid == NULL)
            fail_msg("%s", cases[i].text);
        assert_int_equal(read->item.invalid->code, ERR_VALIDATION);
        assert_string_equal(read->item.invalid->message, cases[i].message);
    }
}

/* dynamodb-conformance, error-messages/valueLayers, recorded 2026-10. */
static void some_bad_values_have_two_wordings(void **state)
{
    static const struct {
        const char *text, *current, *older; /* older "": as the current */
    } cases[] = {
        {"{\"a\":{\"N\":\"\"}}", "The parameter cannot be converted to a numeric value: ",
         "The parameter cannot be converted to a numeric value"},
        {"{\"a\":{\"SS\":[\"b\",\"a\",\"b\",\"0\"]}}",
         INVALID "Input collection [\"a\", \"b\", \"b\", \"0\"] contains duplicates.",
         INVALID "Input collection [b, a, b, 0] contains duplicates."},
        {"{\"a\":{\"BS\":[\"/w==\",\"AA==\",\"AA==\"]}}",
         INVALID "Input collection [\"AA==\",\"/w==\",\"AA==\"]of type BS contains duplicates.",
         INVALID "Input collection [/w==, AA==, AA==]of type BS contains duplicates."},
        {"{\"a\":{\"NS\":[\"2\",\"1\",\"2\"]}}", INVALID "Input collection contains duplicates.",
         "Input collection contains duplicates"},
        {"{\"a\":{}}",
         "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
         ""},
    };
    struct read *read = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        read_text(read, bytes_of_text(cases[i].text));
        assert_true(read->ok && read->item.invalid != NULL);
        assert_string_equal(read->item.invalid->message, cases[i].current);
        assert_bytes_equal(read->item.older, bytes_of_text(cases[i].older));
        assert_bytes_equal(read->item.invalid_name, BYTES("a"));
    }
}

static void wrong_types_fail_at_once(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{\"a\":{\"S\":5}}", "NUMBER_VALUE cannot be converted to String"},
        {"{\"a\":{\"S\":-2147483648}}", "NUMBER_VALUE cannot be converted to String"},
        {"{\"a\":{\"N\":34.56}}", "DECIMAL_VALUE cannot be converted to String"},
        {"{\"a\":{\"S\":true}}", "TRUE_VALUE cannot be converted to String"},
        {"{\"a\":{\"S\":false}}", "FALSE_VALUE cannot be converted to String"},
        {"{\"a\":{\"S\":[]}}", "Unrecognized collection type class java.lang.String"},
        {"{\"a\":{\"S\":{}}}", "Start of structure or map found where not expected"},
        {"{\"a\":{\"BOOL\":\"23\"}}", "Unexpected token received from parser"},
        {"{\"a\":{\"BOOL\":23}}", "NUMBER_VALUE cannot be converted to Boolean"},
        {"{\"a\":{\"NULL\":[]}}", "Unrecognized collection type class java.lang.Boolean"},
        {"{\"a\":{\"B\":true}}", "only base-64-encoded strings are convertible to bytes"},
        {"{\"a\":{\"B\":[]}}", "Unrecognized collection type class java.nio.ByteBuffer"},
        {"{\"a\":{\"B\":\"23456\"}}",
         "Base64 encoded length is expected a multiple of 4 bytes but found: 5"},
        {"{\"a\":{\"B\":\"=+/=\"}}", "Invalid last non-pad Base64 character dectected"},
        {"{\"a\":{\"B\":\"+/+=\"}}", "Invalid last non-pad Base64 character dectected"},
        {"{\"a\":{\"L\":{}}}", "Start of structure or map found where not expected"},
        {"{\"a\":{\"L\":\"x\"}}", "Unexpected field type"},
        {"{\"a\":{\"SS\":5}}", "Unexpected field type"},
        {"{\"a\":{\"SS\":[5]}}", "NUMBER_VALUE cannot be converted to String"},
        {"{\"a\":{\"M\":\"x\"}}", "Unexpected field type"},
        {"{\"a\":{\"M\":[]}}", "Unrecognized collection type java.util.Map<java.lang.String, "
                               "com.amazonaws.dynamodb.v20120810.AttributeValue>"},
        {"{\"a\":\"x\"}", "Unexpected value type in payload"},
        {"{\"a\":{\"L\":[[]]}}",
         "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue"},
        /* before any bad value */
        {"{\"a\":{\"N\":\"x\"},\"b\":{\"S\":5}}", "NUMBER_VALUE cannot be converted to String"},
        /* no JSON */
        {"{\"a\":{\"S\":\"x\"}", ""},
        {"{\"a\":{\"X\":[1,]}}", ""},
        {"{\"a\":{\"S\":}}", ""},
        {"{\"a\":{\"S\":\"\\ud800\"}}", ""},
    };
    struct read *read = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        read_text(read, bytes_of_text(cases[i].text));
        if (read->ok)
            fail_msg("%s", cases[i].text);
        assert_int_equal(read->err.code, ERR_SERIALIZATION);
        assert_string_equal(read->err.message, cases[i].message);
    }
}

/* {"d": maps around `inner`} */
static struct bytes wrapped(struct read *read, int levels, const char *inner)
{
    struct buf text;

    buf_init_in(&text, &read->arena);
    buf_put_text(&text, "{\"d\":");
    for (int i = 0; i < levels; i++)
        buf_put_text(&text, i % 2 == 0 ? "{\"M\":{\"n\":" : "{\"L\":[");
    buf_put_text(&text, inner);
    for (int i = levels - 1; i >= 0; i--)
        buf_put_text(&text, i % 2 == 0 ? "}}" : "]}");
    buf_put_text(&text, "}");
    return buf_bytes(&text);
}

static void levels_are_counted(void **state)
{
    static const struct {
        int levels;
        const char *inner, *message;
    } cases[] = {
        {31, "{\"S\":\"leaf\"}", NULL},     {31, "{\"M\":{}}", NULL},
        {31, "{\"SS\":[\"a\"]}", NULL},     {32, "{\"S\":\"leaf\"}", TOO_DEEP},
        {33, "{\"S\":\"leaf\"}", TOO_DEEP}, {100, "{\"S\":\"leaf\"}", TOO_DEEP},
    };
    struct read *read = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes text = wrapped(read, cases[i].levels, cases[i].inner);
        read_text(read, text);
        assert_true(read->ok);
        if (cases[i].message != NULL) {
            assert_non_null(read->item.invalid);
            assert_string_equal(read->item.invalid->message, cases[i].message);
            continue;
        }
        assert_null(read->item.invalid);
        assert_true(item_check(read->item.packed, &read->err));
        assert_bytes_equal(written(read, read->item.packed), text);
    }
    read_text(read, wrapped(read, JSON_DEPTH_MOST, "{}"));
    assert_false(read->ok);
}

static void the_vector_weighs_46(void **state)
{
    struct read *read = *state;
    struct bytes item =
        packed(read, "{\"id\":{\"S\":\"u-1\"},\"n\":{\"N\":\"42\"},\"ok\":{\"BOOL\":true},"
                     "\"z\":{\"NULL\":true},\"l\":{\"L\":[{\"N\":\"1\"},{\"S\":\"ab\"}]},"
                     "\"m\":{\"M\":{\"k\":{\"S\":\"v\"}}},\"s\":{\"SS\":[\"a\",\"bb\"]},"
                     "\"b\":{\"B\":\"AAEC\"},\"e\":{\"L\":[]},\"f\":{\"M\":{}}}");

    assert_int_equal(item_size(item), 46);
}

static void keys_lead_an_export_line(void **state)
{
    static const struct bytes keys[] = {BYTES_INIT("pk"), BYTES_INIT("sk"), BYTES_INIT("none")};
    struct read *read = *state;
    struct buf out;

    buf_init_in(&out, &read->arena);
    struct bytes item =
        packed(read, "{\"a\":{\"S\":\"1\"},\"sk\":{\"N\":\"2\"},\"z\":{\"S\":\"3\"},"
                     "\"pk\":{\"S\":\"4\"}}");
    assert_int_equal(item_write_json_led(item, keys, 3, &out), item_size(item));
    assert_bytes_equal(buf_bytes(&out),
                       BYTES("{\"pk\":{\"S\":\"4\"},\"sk\":{\"N\":\"2\"},\"a\":{\"S\":\"1\"},"
                             "\"z\":{\"S\":\"3\"}}"));
}

/* Many attributes, in several orders: the bytes are the same. */
static void order_does_not_matter(void **state)
{
    enum { COUNT = 2999 }; /* a prime: each step visits all */
    struct read *read = *state;
    struct bytes first = BYTES_NONE;

    for (int step = 1; step < COUNT; step += 997) {
        struct buf text;
        buf_init_in(&text, &read->arena);
        for (int i = 0; i < COUNT; i++) {
            int at = i * step % COUNT;
            buf_printf(&text, "%s\"some-longer-name-%d\":{\"L\":[{\"N\":\"%d\"}]}",
                       i == 0 ? "{" : ",", at, at);
        }
        buf_put_text(&text, "}");
        buf_put_u8(&text, '\0');
        struct bytes item = packed(read, (const char *)text.data);
        if (first.size == 0)
            first = item;
        assert_true(bytes_equal(item, first));
    }
}

/* Every level of the deepest item is out of order: what that takes is a few times its size, and not
 * its size for each level. */
static void deep_items_take_little(void **state)
{
    enum { SIZE = 1000000 };
    struct read *read = *state;
    struct buf text;

    buf_init(&text);
    for (int i = 0; i < ITEM_DEPTH_MOST; i++)
        buf_put_text(&text, i == 0 ? "{\"b\":" : "{\"M\":{\"b\":");
    buf_put_text(&text, "{\"S\":\"");
    memset(buf_room(&text, SIZE), 'x', SIZE);
    text.size += SIZE;
    buf_put_text(&text, "\"}");
    for (int i = 0; i < ITEM_DEPTH_MOST; i++)
        buf_put_text(&text, i == 0 ? ",\"a\":{\"NULL\":true}}" : "},\"a\":{\"NULL\":true}}");
    read_text(read, buf_bytes(&text));
    buf_release(&text);
    assert_true(read->ok && read->item.invalid == NULL);
    assert_true(item_check(read->item.packed, &read->err));
    assert_in_range(arena_footprint(&read->arena), SIZE, 5 * SIZE);
}

/* What 5,000,000 members without bytes take is a few times what comes over the wire. */
static void large_sets_take_little(void **state)
{
    enum { COUNT = 5000000 };
    struct read *read = *state;
    struct buf text;

    buf_init(&text);
    buf_put_text(&text, "{\"a\":{\"SS\":[\"\"");
    for (int i = 1; i < COUNT; i++)
        buf_put_text(&text, ",\"\"");
    buf_put_text(&text, "]}}");
    read_text(read, buf_bytes(&text));
    assert_true(read->ok);
    assert_string_equal(read->item.invalid->message,
                        "Item size has exceeded the maximum allowed size");
    assert_true(arena_footprint(&read->arena) < 8 * text.size);
    buf_release(&text);
}

/* Each size around those where lengths and counts need another byte. */
static void lengths_of_all_widths(void **state)
{
    static const int counts[] = {0, 1, 41, 42, 43, 126, 127, 128, 129, 5461, 5462, 16383, 16384};
    struct read *read = *state;

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct buf text;
        buf_init_in(&text, &read->arena);
        buf_put_text(&text, "{\"a\":{\"L\":[");
        for (int j = 0; j < counts[i]; j++)
            buf_put_text(&text, j == 0 ? "{\"S\":\"x\"}" : ",{\"S\":\"x\"}");
        buf_put_text(&text, "]}}");
        read_text(read, buf_bytes(&text));
        assert_true(read->ok && read->item.invalid == NULL);
        assert_true(item_check(read->item.packed, &read->err));
        assert_bytes_equal(written(read, read->item.packed), buf_bytes(&text));
        assert_int_equal(item_size(read->item.packed), 1 + 3 + 2 * counts[i]);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(items_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_values_are_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_types_fail_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(some_bad_values_have_two_wordings, setup, teardown),
        cmocka_unit_test_setup_teardown(levels_are_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(the_vector_weighs_46, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_lead_an_export_line, setup, teardown),
        cmocka_unit_test_setup_teardown(order_does_not_matter, setup, teardown),
        cmocka_unit_test_setup_teardown(deep_items_take_little, setup, teardown),
        cmocka_unit_test_setup_teardown(large_sets_take_little, setup, teardown),
        cmocka_unit_test_setup_teardown(lengths_of_all_widths, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
