/* test/unit/shape.c - bodies and the words that refuse them. The texts are those of dynalite's
 * tests against the service and of recordings of 2026 (src/api/shape.h). */
#include "support/check.h"

#include <stdio.h>

#include "api/shape.h"

/* A shape with one of each. */
static const char *const enum_color[] = {"RED", "GREEN", NULL};
static const struct field pair_members[] = {
    REQUIRED("Left", FIELD_LONG, LEAST(1)),
    REQUIRED("Right", FIELD_STRING, LEAST(2), MOST(4)),
    SHAPE_END,
};
static const struct field pair = ELEMENT(FIELD_STRUCT("Pair", pair_members));
static const struct field word = ELEMENT(FIELD_STRING, LEAST(1), MOST(3));
static const struct field words = ELEMENT(FIELD_LIST(word), MOST(2), TRAITS(FIELD_PARAMETERIZED));
static const struct field shape_all[] = {
    OPTIONAL("Color", FIELD_ENUM(enum_color)),
    REQUIRED("TableName", FIELD_TABLE_NAME),
    OPTIONAL("Count", FIELD_INTEGER, LEAST(0), MOST(10)),
    OPTIONAL("Big", FIELD_LONG),
    OPTIONAL("Flag", FIELD_BOOLEAN),
    OPTIONAL("When", FIELD_TIME),
    OPTIONAL("Pair", FIELD_STRUCT("Pair", pair_members)),
    OPTIONAL("Pairs", FIELD_LIST(pair), LEAST(1)),
    OPTIONAL("Words", FIELD_LIST(word)),
    OPTIONAL("Lists", FIELD_MAP("java.util.List<X>", words), KEYS(element_table_name)),
    OPTIONAL("Item", FIELD_ITEM),
    OPTIONAL("Filter", FIELD_UNSUPPORTED),
    SHAPE_END,
};
static const struct field shape_managed[] = {REQUIRED("TableName", FIELD_MANAGED_TABLE_NAME),
                                             SHAPE_END};

struct reading {
    struct arena arena;
    struct value_node *body;
    struct err err;
};

static bool read_body(struct reading *reading, const struct field *shape, const char *body)
{
    arena_init(&reading->arena);
    reading->err = (struct err){0};
    return shape_read(shape, bytes_of_text(body), &reading->arena, &reading->body, &reading->err) &&
           shape_check(reading->body, &reading->arena, &reading->err);
}

struct refusal {
    const char *body, *message;
};

static void assert_refused(const struct field *shape, enum err_code code,
                           const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct reading reading;
        if (read_body(&reading, shape, refusals[i].body))
            fail_msg("accepted: %s", refusals[i].body);
        assert_string_equal(reading.err.message, refusals[i].message);
        assert_int_equal(reading.err.code, code);
        arena_release(&reading.arena);
    }
}
#define REFUSED(shape, code, list) assert_refused(shape, code, list, sizeof(list) / sizeof *(list))

#define OBJECT "Start of structure or map found where not expected"

static void wrong_types_are_told_as_the_service_does(void **state)
{
    static const struct refusal refusals[] = {
        {"", ""},
        {"nope", ""},
        {"[]", ""},
        {"{\"TableName\":\"abc\"", ""},
        {"{\"TableName\":\"abc\"} x", ""},
        {"{\"TableName\":nul}", ""},
        {"{\"TableName\":23}", "NUMBER_VALUE cannot be converted to String"},
        {"{\"TableName\":-2.3}", "DECIMAL_VALUE cannot be converted to String"},
        {"{\"TableName\":1e9}", "DECIMAL_VALUE cannot be converted to String"},
        {"{\"TableName\":true}", "TRUE_VALUE cannot be converted to String"},
        {"{\"TableName\":false}", "FALSE_VALUE cannot be converted to String"},
        {"{\"TableName\":[]}", "Unrecognized collection type class java.lang.String"},
        {"{\"TableName\":{}}", OBJECT},
        {"{\"Count\":\"1\"}", "STRING_VALUE cannot be converted to Integer"},
        {"{\"Count\":true}", "TRUE_VALUE cannot be converted to Integer"},
        {"{\"Count\":[1]}", "Unrecognized collection type class java.lang.Integer"},
        {"{\"Count\":{}}", OBJECT},
        {"{\"Count\":2147483648}", ""},
        {"{\"Count\":1e400}", ""},
        {"{\"Big\":\"1\"}", "STRING_VALUE cannot be converted to Long"},
        {"{\"Big\":9223372036854775808}", ""},
        {"{\"Flag\":\"hi\"}", "Unexpected token received from parser"},
        {"{\"Flag\":1}", "NUMBER_VALUE cannot be converted to Boolean"},
        {"{\"Flag\":1.5}", "DECIMAL_VALUE cannot be converted to Boolean"},
        {"{\"Flag\":[]}", "Unrecognized collection type class java.lang.Boolean"},
        {"{\"Pair\":5}", "Unexpected field type"},
        {"{\"Pair\":\"a\"}", "Unexpected field type"},
        {"{\"Pair\":[]}",
         "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.Pair"},
        {"{\"Pairs\":{}}", OBJECT},
        {"{\"Pairs\":true}", "Unexpected field type"},
        {"{\"Pairs\":[1]}", "Unexpected value type in payload"},
        {"{\"Pairs\":[[]]}",
         "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.Pair"},
        {"{\"Lists\":[]}",
         "Unrecognized collection type java.util.Map<java.lang.String, java.util.List<X>>"},
        {"{\"Lists\":4}", "Unexpected field type"},
        {"{\"Lists\":{\"abc\":4}}",
         "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to "
         "class java.lang.Class (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and "
         "java.lang.Class are in module java.base of loader 'bootstrap')"},
        {"{\"Item\":\"a\"}", "Unexpected field type"},
        {"{\"Item\":[]}", "Unrecognized collection type java.util.Map<java.lang.String, "
                          "com.amazonaws.dynamodb.v20120810.AttributeValue>"},
        /* a wrong type is told before any violation */
        {"{\"Color\":\"BLUE\",\"Count\":\"1\"}", "STRING_VALUE cannot be converted to Integer"},
        /* and what no row names is still read strictly */
        {"{\"TableName\":\"abc\",\"Unknown\":[1,}", ""},
    };

    (void)state;
    REFUSED(shape_all, ERR_SERIALIZATION, refusals);
}

#define VALUE(value, path) "Value " value " at '" path "' failed to satisfy constraint: "
#define ONE                "1 validation error detected: "
#define TWO                "2 validation errors detected: "
#define PATTERN_NAME       "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"

static const struct refusal violations[] = {
    {"{}", ONE VALUE("null", "tableName") "Member must not be null"},
    {"{\"TableName\":null}", ONE VALUE("null", "tableName") "Member must not be null"},
    {"{\"TableName\":\"a;\"}", ONE VALUE("'a;'", "tableName") PATTERN_NAME},
    {"{\"Color\":\"BLUE\",\"TableName\":\"a;\"}",
     TWO VALUE("'BLUE'", "color") "Member must satisfy enum value set: [RED, GREEN]; " VALUE(
         "'a;'", "tableName") PATTERN_NAME},
    {"{\"TableName\":\"abc\",\"Count\":-1}",
     ONE VALUE("'-1'", "count") "Member must have value greater than or equal to 0"},
    {"{\"TableName\":\"abc\",\"Count\":11}",
     ONE VALUE("'11'", "count") "Member must have value less than or equal to 10"},
    {"{\"TableName\":\"abc\",\"Pair\":{}}",
     TWO VALUE("null", "pair.left") "Member must not be null; " VALUE(
         "null", "pair.right") "Member must not be null"},
    {"{\"TableName\":\"abc\",\"Pair\":{\"Left\":0,\"Right\":\"abcde\"}}",
     TWO VALUE("'0'", "pair.left") "Member must have value greater than or equal to 1; " VALUE(
         "'abcde'", "pair.right") "Member must have length less than or equal to 4"},
    {"{\"TableName\":\"abc\",\"Pairs\":[]}",
     ONE VALUE("'[]'", "pairs") "Member must have length greater than or equal to 1"},
    {"{\"TableName\":\"abc\",\"Pairs\":[{\"Left\":1,\"Right\":\"ab\"},{\"Left\":1}]}",
     ONE VALUE("null", "pairs.2.member.right") "Member must not be null"},
    {"{\"TableName\":\"abc\",\"Pairs\":[null]}",
     ONE VALUE("null", "pairs.1.member") "Member must not be null"},
    {"{\"TableName\":\"abc\",\"Words\":[\"abcd\"]}",
     ONE VALUE("'[abcd]'", "words") "Member must satisfy constraint: [Member must have length "
                                    "less than or equal to 3, Member must have length greater "
                                    "than or equal to 1]"},
    {"{\"TableName\":\"abc\",\"Lists\":{\"a;\":[]}}",
     ONE VALUE("'{a;=[]}'",
               "lists") "Map keys must satisfy constraint: [Member must have length less than "
                        "or equal to 255, Member must have length greater than or equal to 3, "
                        "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]"},
    {"{\"TableName\":\"abc\",\"Lists\":{\"abc\":[\"a\",\"b\",\"c\"]}}",
     ONE VALUE("'{abc=[a, b, c]}'",
               "lists") "Map value must satisfy constraint: [Member must have length less "
                        "than or equal to 2]"},
    /* lengths are counted in characters; a NUL ends no message */
    {"{\"TableName\":\"abc\",\"Pair\":{\"Left\":1,\"Right\":\"\xc3\xa9\"}}",
     ONE VALUE("'\xc3\xa9'", "pair.right") "Member must have length greater than or equal to "
                                           "2"},
    {"{\"TableName\":\"a\\u0000c\"}", ONE VALUE("'a?c'", "tableName") PATTERN_NAME},
    /* alone, and in the newer form */
    {"{\"TableName\":\"\",\"Color\":\"BLUE\"}",
     ONE "Value at 'TableName' failed to satisfy constraint: Member must have length greater "
         "than or equal to 1"},
    /* not built, told last */
    {"{\"TableName\":\"abc\",\"Filter\":{\"a\":[1]}}",
     "One or more parameter values were invalid: Filter is not supported yet"},
    {"{\"Filter\":1}", ONE VALUE("null", "tableName") "Member must not be null"},
};

static void violations_are_told_together(void **state)
{
    static const struct refusal managed[] = {
        {"{}", "The parameter 'TableName' is required but was not present in the request"},
        {"{\"TableName\":\"ab\"}",
         ONE VALUE("'ab'", "tableName") "Member must have length greater than or equal to 3"},
        {"{\"TableName\":\"a;\"}",
         TWO VALUE("'a;'", "tableName") "Member must have length greater than or "
                                        "equal to 3; " VALUE("'a;'", "tableName") PATTERN_NAME},
    };

    (void)state;
    REFUSED(shape_all, ERR_VALIDATION, violations);
    REFUSED(shape_managed, ERR_VALIDATION, managed);
}

static void ten_violations_are_told_and_long_values_cut(void **state)
{
    struct reading reading;
    struct buf body;

    (void)state;
    buf_init(&body);
    buf_put_literal(&body, "{\"TableName\":\"abc\",\"Pairs\":[");
    for (int i = 0; i < 2000; i++)
        buf_printf(&body, "%s{\"Left\":0,\"Right\":\"ab\"}", i > 0 ? "," : "");
    buf_put(&body, "]}", 3);
    assert_false(read_body(&reading, shape_all, (const char *)body.data));
    assert_memory_equal(reading.err.message, "10 validation errors detected: Value '0' at ", 44);
    const struct value_node *pairs = node_member(reading.body, "Pairs");
    assert_int_equal(pairs->count, 2000);
    assert_int_equal(pairs->kept, SHAPE_KEPT_MOST);
    arena_release(&reading.arena);

    buf_clear(&body);
    buf_put_literal(&body, "{\"TableName\":\"");
    for (int i = 0; i < 3000; i++)
        buf_put_literal(&body, "\xc3\xa9");
    buf_put(&body, "\"}", 3);
    assert_false(read_body(&reading, shape_all, (const char *)body.data));
    assert_non_null(strstr(reading.err.message, "\xc3\xa9...' at 'tableName' failed"));
    arena_release(&reading.arena);
    buf_release(&body);
}

static void values_are_read(void **state)
{
    struct reading reading;

    (void)state;
    assert_true(read_body(
        &reading, shape_all,
        " {\"Unknown\":{\"a\":[1,2]},\"TableName\":\"no\",\"TableName\":\"t\\u0061b\",\"Count\":7."
        "9,"
        "\"Big\":-9007199254740993,\"Flag\":\"yes\",\"When\":1760000000.123,\"Color\":null,"
        "\"Pair\":{\"Left\":1e2,\"Right\":\"ab\"},\"Words\":[\"a\",\"b\",\"c\",\"d\",\"e\"],"
        "\"Lists\":{\"abc\":[\"x\"],\"abd\":[],\"abc\":[\"y\",\"z\"]},"
        "\"Item\":{\"k\":{\"N\":\"1\"}}} "));
    const struct value_node *body = reading.body;
    assert_bytes_equal(node_member(body, "TableName")->text, BYTES("tab"));
    assert_int_equal(node_member(body, "Count")->integer, 7);
    assert_int_equal(node_member(body, "Big")->integer, INT64_C(-9007199254740993));
    assert_int_equal(node_member(body, "Flag")->integer, 1);
    assert_int_equal(node_member(body, "When")->time, UINT64_C(1760000000123000));
    assert_null(node_member(body, "Color"));
    assert_int_equal(node_member(node_member(body, "Pair"), "Left")->integer, 100);
    const struct value_node *list = node_member(body, "Words");
    assert_int_equal(list->kept, 5);
    assert_bytes_equal(list->members[4].text, BYTES("e"));
    const struct value_node *map = node_member(body, "Lists");
    assert_int_equal(map->kept, 2);
    assert_bytes_equal(map->members[0].name, BYTES("abc"));
    assert_int_equal(map->members[0].kept, 2);
    assert_bytes_equal(map->members[0].members[1].text, BYTES("z"));
    assert_int_equal(item_integer(node_member(body, "Item")->item.packed, "k", 0), 1);
    arena_release(&reading.arena);
}

static void times_in_any_notation_are_read(void **state)
{
    static const struct {
        const char *text;
        uint64_t micros;
    } times[] = {
        {"0", 0},
        {"-5", 0},
        {"1760000000", UINT64_C(1760000000000000)},
        {"1.76e9", UINT64_C(1760000000000000)},
        {"1.760000000123E9", UINT64_C(1760000000123000)},
        {"1760000000.999999", UINT64_C(1760000000999999)},
        {"1e300", UINT64_C(253402300799000000)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct reading reading;
        char body[128];
        snprintf(body, sizeof body, "{\"TableName\":\"abc\",\"When\":%s}", times[i].text);
        assert_true(read_body(&reading, shape_all, body));
        assert_int_equal(node_member(reading.body, "When")->time, times[i].micros);
        arena_release(&reading.arena);
    }
}

static void an_arn_is_a_table_name(void **state)
{
    struct reading reading;
    char body[2048], arn[1100];

    (void)state;
    assert_true(
        read_body(&reading, shape_managed,
                  "{\"TableName\":\"arn:aws:dynamodb:us-east-1:000000000000:table/Orders\"}"));
    arena_release(&reading.arena);
    memset(arn, 'a', sizeof arn);
    snprintf(body, sizeof body, "{\"TableName\":\"arn:%.*s\"}", 1021, arn);
    assert_false(read_body(&reading, shape_managed, body));
    assert_non_null(strstr(reading.err.message, "length less than or equal to 1024"));
    arena_release(&reading.arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_types_are_told_as_the_service_does),
        cmocka_unit_test(violations_are_told_together),
        cmocka_unit_test(ten_violations_are_told_and_long_values_cut),
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(times_in_any_notation_are_read),
        cmocka_unit_test(an_arn_is_a_table_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
