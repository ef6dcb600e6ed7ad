/* test/unit/legacy.c - the older parameters: Expected, ConditionalOperator, AttributeUpdates. */
#include "support/check.h"

#include "support/api_script.h"

#define ITEM             PK("a")
#define EXPECT(expected) "\"Expected\":{" expected "}"
#define JOIN(how)        ",\"ConditionalOperator\":\"" how "\""
#define LIST(values)     "\"AttributeValueList\":[" values "]"
#define IS(how)          "\"ComparisonOperator\":\"" how "\""
#define UPDATES(updates) "\"AttributeUpdates\":{" updates "}"
#define N(value)         "{\"N\":\"" value "\"}"
#define S(value)         "{\"S\":\"" value "\"}"
#define NS(values)       "{\"NS\":[" values "]}"
#define FAILED           "ConditionalCheckFailedException: The conditional request failed"
#define COMPARE(name, how, values)                                                                 \
    KEY_AND(ITEM, EXPECT("\"" name "\":{" IS(how) "," LIST(values) "}"))
#define HOLDS(name, how, values)                                                                   \
    {                                                                                              \
        "UpdateItem", COMPARE(name, how, values), OK, "{}"                                         \
    }
#define FAILS(name, how, values)                                                                   \
    {                                                                                              \
        "UpdateItem", COMPARE(name, how, values), BAD, FAILED                                      \
    }

/* ScyllaDB, test_expected.py, ran on the service. */
static void comparisons_decide(void **state)
{
    static const struct step steps[] = {
        HASH_TABLE,
        {"PutItem",
         PUT(ITEM ",\"n\":" N("2") ",\"s\":" S("hello") ",\"set\":" NS(
             "\"1\",\"2\"") ","
                            "\"l\":{\"L\":[" N("4") "]}"),
         OK, "{}"},
        HOLDS("n", "EQ", N("2")),
        FAILS("n", "EQ", N("3")),
        FAILS("n", "EQ", S("2")),
        HOLDS("set", "EQ", NS("\"2\",\"1\"")),
        HOLDS("n", "NE", N("3")),
        HOLDS("n", "NE", S("2")),
        HOLDS("none", "NE", N("1")),
        FAILS("n", "NE", N("2.0")),
        HOLDS("n", "LE", N("2")),
        FAILS("n", "LT", N("2")),
        HOLDS("n", "GE", N("2")),
        FAILS("n", "GT", N("2")),
        FAILS("n", "LE", S("3")),
        HOLDS("n", "NOT_NULL", ""),
        FAILS("none", "NOT_NULL", ""),
        HOLDS("none", "NULL", ""),
        FAILS("n", "NULL", ""),
        HOLDS("s", "CONTAINS", S("ell")),
        HOLDS("set", "CONTAINS", N("2")),
        HOLDS("l", "CONTAINS", N("4")),
        FAILS("s", "CONTAINS", N("1")),
        FAILS("none", "CONTAINS", N("1")),
        HOLDS("s", "NOT_CONTAINS", S("dog")),
        HOLDS("s", "NOT_CONTAINS", N("1")),
        FAILS("l", "NOT_CONTAINS", N("4")),
        FAILS("none", "NOT_CONTAINS", N("1")),
        HOLDS("s", "BEGINS_WITH", S("hell")),
        FAILS("n", "BEGINS_WITH", S("2")),
        HOLDS("n", "IN", N("1") "," N("2")),
        FAILS("n", "IN", N("1") "," N("3")),
        FAILS("set", "IN", N("1")),
        HOLDS("n", "BETWEEN", N("2") "," N("3")),
        FAILS("n", "BETWEEN", N("3") "," N("4")),
        FAILS("none", "BETWEEN", N("0") "," N("9")),
    };

    SCRIPT(state, steps);
}

static void values_and_existence_decide(void **state)
{
    static const struct step steps[] = {
        HASH_TABLE,
        {"PutItem", PUT_AND(ITEM ",\"n\":" N("1"), EXPECT("\"pk\":{\"Exists\":false}")), OK, "{}"},
        {"PutItem", PUT_AND(ITEM, EXPECT("\"pk\":{\"Exists\":false}")), BAD, FAILED},
        {"PutItem", PUT_AND(ITEM, EXPECT("\"n\":{\"Value\":" N("2") "}")), BAD, FAILED},
        {"DeleteItem",
         KEY_AND(ITEM, EXPECT("\"n\":{\"Value\":" N("1") "},\"x\":{\"Exists\":false},\"pk\":{" IS(
                           "NULL") "}")),
         BAD, FAILED},
        {"PutItem",
         PUT_AND(ITEM ",\"n\":" N("5"),
                 EXPECT("\"n\":{\"Value\":" N("7") "},\"x\":{\"Exists\":false},\"pk\":{" IS(
                     "NULL") "}") JOIN("OR")),
         OK, "{}"},
        {"PutItem",
         PUT_AND(ITEM, EXPECT("\"n\":{\"Value\":" N("7") "},\"pk\":{" IS("NULL") "}") JOIN("OR")),
         BAD, FAILED},
        {"PutItem", PUT_AND(ITEM ",\"n\":" N("6"), EXPECT("")), OK, "{}"},
        {"DeleteItem",
         KEY_AND(ITEM, EXPECT("\"n\":{\"Exists\":true,\"Value\":" N("6") "},\"pk\":{" IS(
                           "NOT_NULL") "}") JOIN("AND")),
         OK, "{}"},
    };

    SCRIPT(state, steps);
}

static void what_is_not_expected_is_refused(void **state)
{
#define REFUSES(expected, message)                                                                 \
    {                                                                                              \
        "PutItem", PUT_AND(ITEM, EXPECT("\"a\":{" expected "}")), BAD,                             \
            ONE "One or more parameter values were invalid: " message                              \
    }
#define ARGUMENTS(how) "Invalid number of argument(s) for the " how " ComparisonOperator"
    static const struct step steps[] = {
        REFUSES("", "Value must be provided when Exists is null for Attribute: a"),
        REFUSES("\"Exists\":true", "Value must be provided when Exists is true for Attribute: a"),
        REFUSES("\"Exists\":false,\"Value\":" S("a"),
                "Value cannot be used when Exists is false for Attribute: a"),
        REFUSES(IS("LT"), "Value or AttributeValueList must be used with ComparisonOperator: LT "
                          "for Attribute: a"),
        REFUSES(IS("LT") ",\"Exists\":true",
                "Exists and ComparisonOperator cannot be used together for Attribute: a"),
        REFUSES(IS("LT") "," LIST(S("a")) ",\"Value\":" S("a"),
                "Value and AttributeValueList cannot be used together for Attribute: a"),
        REFUSES(LIST(S("a")) ",\"Exists\":true",
                "AttributeValueList can only be used with a ComparisonOperator for Attribute: a"),
        REFUSES(IS("EQ") "," LIST(""), ARGUMENTS("EQ")),
        REFUSES(IS("NULL") "," LIST(S("a")), ARGUMENTS("NULL")),
        REFUSES(IS("NULL") ",\"Value\":" S("a"), ARGUMENTS("NULL")),
        REFUSES(IS("IN") "," LIST(""), ARGUMENTS("IN")),
        REFUSES(IS("BETWEEN") "," LIST(N("1") "," N("2") "," N("3")), ARGUMENTS("BETWEEN")),
        REFUSES(IS("BETWEEN") ",\"Value\":" S("a"), ARGUMENTS("BETWEEN")),
        REFUSES(IS("IN") "," LIST(N("1") "," S("a")),
                "AttributeValues inside AttributeValueList must be of same type"),
        REFUSES(IS("BEGINS_WITH") "," LIST(N("1")),
                "ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type"),
        REFUSES(IS("CONTAINS") "," LIST("{\"L\":[]}"),
                "ComparisonOperator CONTAINS is not valid for L AttributeValue type"),
        {"PutItem", PUT_AND(ITEM, EXPECT("\"a\":{" IS("BETWEEN") "," LIST(N("2") "," N("1")) "}")),
         BAD,
         ONE "The BETWEEN condition was provided a range where the lower bound is greater than the "
             "upper bound"},
        {"PutItem", PUT_AND(ITEM, EXPECT("\"a\":{\"Value\":{}}")), BAD,
         ONE "Supplied AttributeValue is empty, must contain exactly one of the supported "
             "datatypes"},
        {"PutItem", PUT_AND(ITEM, EXPECT("\"a\":{" IS("LIKE") "}")), BAD,
         ONE "Value 'LIKE' at 'expected.a.member.comparisonOperator' failed to satisfy constraint: "
             "Member must satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, "
             "NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]"},
        {"PutItem", PUT_AND(ITEM, EXPECT("\"a\":{\"Value\":1}")), BAD,
         "SerializationException: Unexpected field type"},
        {"PutItem", PUT_AND(ITEM, EXPECT("\"a\":{" LIST("1") "}")), BAD,
         "SerializationException: Unexpected value type in payload"},
        {"PutItem", PUT_AND(ITEM, EXPECT("\"a\":{\"Value\":[]}")), BAD,
         "SerializationException: Unrecognized collection type class "
         "com.amazonaws.dynamodb.v20120810.AttributeValue"},
    };

    SCRIPT(state, steps);
}

/* ExtendDB's tests of ConditionalOperator, which run on the service too. */
static void styles_do_not_mix(void **state)
{
#define MIXED(older, newer)                                                                        \
    ONE "Can not use both expression and non-expression parameters in the same request: "          \
        "Non-expression parameters: {" older "} Expression parameters: {" newer "}"
    static const struct step steps[] = {
        {"PutItem", PUT_AND(ITEM, EXPECT("") JOIN("OR")), BAD,
         ONE "ConditionalOperator cannot be used without Filter or Expected"},
        {"DeleteItem", KEY_AND(ITEM, EXPECT("\"a\":{}") JOIN("AND")), BAD,
         ONE "ConditionalOperator can only be used when Filter or Expected has two or more "
             "elements"},
        {"UpdateItem", KEY_AND(ITEM, UPDATES("") JOIN("AND")), BAD,
         ONE "ConditionalOperator cannot be used without Filter or Expected"},
        {"PutItem", PUT_AND(ITEM, EXPECT("") JOIN("AND") ",\"ConditionExpression\":\"\""), BAD,
         MIXED("Expected, ConditionalOperator", "ConditionExpression")},
        {"UpdateItem",
         KEY_AND(ITEM, EXPECT("") JOIN("AND") "," UPDATES(
                           "") ",\"ConditionExpression\":\"\",\"UpdateExpression\":\"\""),
         BAD,
         MIXED("AttributeUpdates, Expected, ConditionalOperator",
               "UpdateExpression, ConditionExpression")},
    };

    SCRIPT(state, steps);
}

static void updates_of_attributes_are_applied(void **state)
{
    static const struct step steps[] = {
        HASH_TABLE,
        {"UpdateItem",
         KEY_AND(
             ITEM,
             UPDATES("\"b\":{\"Action\":\"DELETE\"},"
                     "\"c\":{\"Action\":\"DELETE\",\"Value\":" NS(
                         "\"1\"") "},"
                                  "\"d\":{\"Action\":\"ADD\",\"Value\":" N(
                                      "5") "},"
                                           "\"e\":{\"Action\":\"ADD\",\"Value\":" NS(
                                               "\"1\",\"2\"") "},"
                                                              "\"f\":{\"Action\":\"ADD\",\"Value\":"
                                                              "{\"L\":[" S(
                                                                  "x") "]}},"
                                                                       "\"g\":{\"Value\":" S(
                                                                           "put") "}") ",\"ReturnVa"
                                                                                       "lues\":"
                                                                                       "\"UPDATED_"
                                                                                       "NEW\""),
         OK,
         "{\"Attributes\":{\"d\":" N("5") ",\"e\":" NS("\"1\",\"2\"") ",\"f\":{\"L\":[" S(
             "x") "]},"
                  "\"g\":" S("put") "}}"},
        {"UpdateItem",
         KEY_AND(
             ITEM,
             UPDATES("\"d\":{\"Action\":\"ADD\",\"Value\":" N(
                 "-6.5") "},"
                         "\"e\":{\"Action\":\"DELETE\",\"Value\":" NS(
                             "\"1\",\"7\"") "},"
                                            "\"f\":{\"Action\":\"ADD\",\"Value\":{\"L\":[" N(
                                                "1") "]}},"
                                                     "\"g\":{\"Action\":\"DELETE\"}") ",\"ReturnVal"
                                                                                      "ues\":\"ALL_"
                                                                                      "NEW\""),
         OK,
         "{\"Attributes\":{\"d\":" N("-1.5") ",\"e\":" NS("\"2\"") ",\"f\":{\"L\":[" S("x") "," N(
             "1") "]}," ITEM "}}"},
        {"UpdateItem",
         KEY_AND(ITEM, UPDATES("\"e\":{\"Action\":\"DELETE\",\"Value\":" NS("\"2\"") "}")), OK,
         "{}"},
        {"GetItem", KEY_AND(ITEM, "\"AttributesToGet\":[\"d\",\"e\"]"), OK,
         "{\"Item\":{\"d\":" N("-1.5") "}}"},
        {"UpdateItem", KEY_AND(PK("b"), UPDATES("\"e\":{\"Action\":\"DELETE\"}")), OK, "{}"},
        {"GetItem", KEY(PK("b")), OK, "{}"},
        {"UpdateItem", KEY_AND(PK("b"), UPDATES("")), OK, "{}"},
        {"GetItem", KEY(PK("b")), OK, "{\"Item\":{" PK("b") "}}"},
    };

    SCRIPT(state, steps);
}

static void what_is_no_update_is_refused(void **state)
{
#define NO_UPDATE(update, message)                                                                 \
    {                                                                                              \
        "UpdateItem", KEY_AND(ITEM, UPDATES(update)), BAD,                                         \
            ONE "One or more parameter values were invalid: " message                              \
    }
#define MISMATCH(update)                                                                           \
    {                                                                                              \
        "UpdateItem", KEY_AND(ITEM, UPDATES(update)), BAD,                                         \
            INVALID "Type mismatch for attribute to update"                                        \
    }
    static const struct step steps[] = {
        NO_UPDATE("\"a\":{\"x\":\"whatever\"}",
                  "Only DELETE action is allowed when no attribute value is specified"),
        NO_UPDATE("\"a\":{\"Action\":\"DELETE\",\"Value\":{\"L\":[]}}",
                  "DELETE action with value is not supported for the type L"),
        NO_UPDATE("\"a\":{\"Action\":\"ADD\",\"Value\":{\"BOOL\":true}}",
                  "ADD action is not supported for the type BOOL"),
        NO_UPDATE("\"a\":{\"Value\":{\"SS\":[]}}", "An string set  may not be empty"),
        {"UpdateItem", KEY_AND(ITEM, UPDATES("\"a\":{\"Action\":\"MOVE\"}")), BAD,
         ONE "Value 'MOVE' at 'attributeUpdates.a.member.action' failed to satisfy constraint: "
             "Member must satisfy enum value set: [ADD, DELETE, PUT]"},
        HASH_TABLE,
        {"UpdateItem", KEY_AND(ITEM, UPDATES("\"pk\":{\"Value\":" S("x") "}")), BAD,
         PARAMS "Cannot update attribute pk. This attribute is part of the key"},
        {"PutItem", PUT(ITEM ",\"b\":{\"SS\":[\"1\"]},\"c\":" N("1") ",\"d\":" NS("\"1\"")), OK,
         "{}"},
        MISMATCH("\"b\":{\"Action\":\"DELETE\",\"Value\":" NS("\"1\"") "}"),
        MISMATCH("\"c\":{\"Action\":\"DELETE\",\"Value\":" NS("\"1\"") "}"),
        MISMATCH("\"b\":{\"Action\":\"ADD\",\"Value\":" NS("\"1\"") "}"),
        MISMATCH("\"d\":{\"Action\":\"ADD\",\"Value\":" N("1") "}"),
    };

    SCRIPT(state, steps);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_setup, script_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(comparisons_decide),
        TEST(values_and_existence_decide),
        TEST(what_is_not_expected_is_refused),
        TEST(styles_do_not_mix),
        TEST(updates_of_attributes_are_applied),
        TEST(what_is_no_update_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
