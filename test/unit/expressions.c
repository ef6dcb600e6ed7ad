/* test/unit/expressions.c - the expressions of requests: what is refused, in which order, and that
 * what is taken decides. */
#include "support/check.h"

#include "support/api_script.h"

#define NAMES(names)   "\"ExpressionAttributeNames\":{" names "}"
#define VALUES(values) "\"ExpressionAttributeValues\":{" values "}"
#define IF(condition)  "\"ConditionExpression\":\"" condition "\""
#define ITEM           PK("a")
#define FAILED         "ConditionalCheckFailedException: The conditional request failed"

static void conditions_decide_over_writes(void **state)
{
    static const struct step steps[] = {
        HASH_TABLE,
        {"PutItem", PUT_AND(ITEM ",\"n\":{\"N\":\"1\"}", IF("attribute_not_exists(pk)")), OK, "{}"},
        {"PutItem", PUT_AND(ITEM, IF("attribute_not_exists(pk)")), BAD, FAILED},
        {"PutItem",
         PUT_AND(ITEM ",\"n\":{\"N\":\"2\"}",
                 IF("#n = :one") "," NAMES("\"#n\":\"n\"") "," VALUES("\":one\":{\"N\":\"1\"}")),
         OK, "{}"},
        {"DeleteItem", KEY_AND(ITEM, IF("n < :two") "," VALUES("\":two\":{\"N\":\"2\"}")), BAD,
         FAILED},
        {"GetItem", KEY(ITEM), OK, "{\"Item\":{\"n\":{\"N\":\"2\"},\"pk\":{\"S\":\"a\"}}}"},
        {"DeleteItem", KEY_AND(ITEM, IF("n <= :two") "," VALUES("\":two\":{\"N\":\"2\"}")), OK,
         "{}"},
        {"DeleteItem", KEY_AND(ITEM, IF("attribute_exists(pk)")), BAD, FAILED},
        {"DeleteItem", KEY_AND(ITEM, IF("attribute_not_exists(pk)")), OK, "{}"},
    };

    SCRIPT(state, steps);
}

static void the_item_of_a_failed_condition_is_shown_where_wanted(void **state)
{
#define WANTED "\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\","
    static const struct step steps[] = {
        HASH_TABLE,
        {"PutItem", PUT_AND(ITEM, WANTED IF("attribute_exists(pk)")), BAD, FAILED},
        {"PutItem", PUT(ITEM), OK, "{}"},
        {"PutItem", PUT_AND(ITEM, WANTED IF("attribute_not_exists(pk)")), BAD,
         FAILED "\",\"Item\":{\"pk\":{\"S\":\"a\"}"},
        {"DeleteItem", KEY_AND(ITEM, WANTED IF("attribute_not_exists(pk)")), BAD,
         FAILED "\",\"Item\":{\"pk\":{\"S\":\"a\"}"},
        {"DeleteItem",
         KEY_AND(ITEM, "\"ReturnValuesOnConditionCheckFailure\":\"NONE\"," IF(
                           "attribute_not_exists(pk)")),
         BAD, FAILED},
        /* only conditions show it */
        {"PutItem", PUT_AND(ITEM, WANTED IF("x")), BAD, NULL},
    };

    SCRIPT(state, steps);
}

/* Each step has one mistake less than the one before: which is told shows the order. */
static void mistakes_are_told_in_order(void **state)
{
#define UNUSED "Value provided in ExpressionAttribute"
    static const struct step steps[] = {
        {"PutItem", PUT_AND("\"x\":{}", NAMES("") "," VALUES("")), BAD,
         ONE "ExpressionAttributeNames can only be specified when using expressions"},
        {"PutItem", PUT_AND("\"x\":{}", VALUES("")), BAD,
         ONE "ExpressionAttributeValues can only be specified when using expressions"},
        {"PutItem", PUT_AND("\"x\":{}", IF("") "," NAMES("") "," VALUES("")), BAD,
         ONE "Supplied AttributeValue is empty, must contain exactly one of the supported "
             "datatypes"},
        {"PutItem",
         PUT_AND(ITEM, "\"ReturnValues\":\"ALL_NEW\"," IF("") "," NAMES("") "," VALUES("")), BAD,
         ONE "ReturnValues can only be ALL_OLD or NONE"},
        {"PutItem", PUT_AND(ITEM, IF("") "," NAMES("") "," VALUES("")), BAD,
         ONE "ExpressionAttributeNames must not be empty"},
        {"PutItem", PUT_AND(ITEM, IF("") "," NAMES("\"a\":\"a\"") "," VALUES("")), BAD,
         ONE "ExpressionAttributeNames contains invalid key: Syntax error; key: \\\"a\\\""},
        {"PutItem", PUT_AND(ITEM, IF("") "," NAMES("\"#a\":null") "," VALUES("")), BAD,
         ONE "ExpressionAttributeNames contains invalid value: Empty attribute name for key #a"},
        {"PutItem", PUT_AND(ITEM, IF("") "," NAMES("\"#a\":\"a\"") "," VALUES("")), BAD,
         ONE "ExpressionAttributeValues must not be empty"},
        {"PutItem", PUT_AND(ITEM, IF("") "," VALUES("\":b\":{\"a\":\"\"},\"b\":{\"S\":\"a\"}")),
         BAD, ONE "ExpressionAttributeValues contains invalid key: Syntax error; key: \\\"b\\\""},
        {"PutItem",
         PUT_AND(ITEM, IF("") "," VALUES("\":a\":{\"S\":\"\"},\":b\":{\"L\":[{}]},\":c\":{}")), BAD,
         ONE "Supplied AttributeValue is empty, must contain exactly one of the supported "
             "datatypes"},
        {"PutItem",
         PUT_AND(ITEM, IF("") "," NAMES("\"#a\":\"a\"") "," VALUES("\":b\":{\"S\":\"\"}")), BAD,
         ONE "Invalid ConditionExpression: The expression can not be empty;"},
        {"PutItem",
         PUT_AND(ITEM, IF("x = :c") "," NAMES("\"#a\":\"a\"") "," VALUES("\":b\":{\"S\":\"\"}")),
         BAD,
         ONE "Invalid ConditionExpression: An expression attribute value used in expression is "
             "not defined; attribute value: :c"},
        {"PutItem",
         PUT_AND(ITEM, IF("x <> y") "," NAMES("\"#a\":\"a\"") "," VALUES("\":b\":{\"S\":\"\"}")),
         BAD, ONE UNUSED "Names unused in expressions: keys: {#a}"},
        {"PutItem", PUT_AND(ITEM, IF("x <> y") "," VALUES("\":b\":{\"S\":\"\"}")), BAD,
         ONE UNUSED "Values unused in expressions: keys: {:b}"},
        {"PutItem", PUT_AND("\"x\":{\"S\":\"\"}", IF("pk.a <> y")), BAD,
         "ResourceNotFoundException: Requested resource not found"},
        HASH_TABLE,
        {"PutItem", PUT_AND("\"x\":{\"S\":\"\"}", IF("pk.a <> y")), BAD,
         PARAMS "Missing the key pk in the item"},
        {"PutItem", PUT_AND(ITEM, IF("pk.a <> y")), BAD,
         INVALID "Key attributes must be scalars; list random access '[]' and map lookup '.' are "
                 "not allowed: Key: pk"},
        {"PutItem", PUT_AND(ITEM, IF("attribute_exists(pk)")), BAD, FAILED},
        {"DeleteItem", KEY_AND("\"x\":{}", VALUES("")), BAD,
         ONE "ExpressionAttributeValues can only be specified when using expressions"},
        {"DeleteItem", KEY_AND(ITEM, IF("((a = b))")), BAD,
         ONE "Invalid ConditionExpression: The expression has redundant parentheses;"},
    };

    SCRIPT(state, steps);
}

/* dynamodb-conformance, error-messages/valueLayers, recorded 2026-10. */
static void the_older_wording_names_the_placeholder(void **state)
{
    static const struct step steps[] = {
        {"Scan",
         "{\"TableName\":\"hash\",\"FilterExpression\":\"\"," VALUES(
             "\":a\":{\"S\":\"\"},\":b\":{\"L\":[{\"N\":\"\"}]}") "}",
         BAD,
         INVALID "ExpressionAttributeValues contains invalid value: The parameter cannot be "
                 "converted to a numeric value for key :b"},
    };

    SCRIPT(state, steps);
}

static void placeholders_have_a_bound(void **state)
{
    struct fixture *fixture = *state;
    struct buf body, reply;

    buf_init(&body);
    buf_init(&reply);
    buf_put_literal(&body, "{\"TableName\":\"hash\",\"Key\":{},\"UpdateExpression\":\"SET a = :0\","
                           "\"ExpressionAttributeValues\":{");
    for (int i = 0; body.size < (size_t)3 * 1024 * 1024; i++)
        buf_printf(&body, "%s\":%d\":{\"S\":\"%0100d\"}", i > 0 ? "," : "", i, i);
    buf_put_literal(&body, "}}");
    assert_int_equal(api_call(fixture->api, "UpdateItem", buf_bytes(&body), &reply), BAD);
    assert_non_null(strstr((char *)reply.data, "1 validation error detected: Combined size of "
                                               "ExpressionAttributeNames and "
                                               "ExpressionAttributeValues exceeds max size"));
    buf_release(&body);
    buf_release(&reply);
}

static void placeholders_of_wrong_types_are_refused(void **state)
{
#define TYPE "SerializationException: "
    static const struct step steps[] = {
        {"PutItem", PUT_AND(ITEM, "\"ExpressionAttributeNames\":1"), BAD,
         TYPE "Unexpected field type"},
        {"PutItem", PUT_AND(ITEM, "\"ExpressionAttributeNames\":[]"), BAD,
         TYPE "Unrecognized collection type java.util.Map<java.lang.String, java.lang.String>"},
        {"PutItem", PUT_AND(ITEM, NAMES("\"#a\":1")), BAD,
         TYPE "NUMBER_VALUE cannot be converted to String"},
        {"PutItem", PUT_AND(ITEM, VALUES("\":a\":1")), BAD,
         TYPE "Unexpected value type in payload"},
        {"PutItem", PUT_AND(ITEM, "\"ConditionExpression\":[]"), BAD,
         TYPE "Unrecognized collection type class java.lang.String"},
    };

    SCRIPT(state, steps);
}

static void reads_show_what_is_chosen(void **state)
{
#define DOCUMENT     "\"d\":{\"M\":{\"x\":{\"N\":\"1\"},\"y\":{\"N\":\"2\"}}}"
#define CHOSEN(what) "\"ProjectionExpression\":\"" what "\""
#define GET(what)    "\"AttributesToGet\":[" what "]"
#define BATCH(more)                                                                                \
    "{\"RequestItems\":{\"hash\":{\"Keys\":[{" ITEM "},{" PK("none") "}]," more "}}}"
#define BATCH_SHOWS(items) "{\"Responses\":{\"hash\":[" items "]},\"UnprocessedKeys\":{}}"
    static const struct step steps[] = {
        HASH_TABLE,
        {"PutItem", PUT(ITEM ",\"n\":{\"N\":\"1\"}," DOCUMENT), OK, "{}"},
        {"GetItem", KEY_AND(ITEM, CHOSEN("d.y, n")), OK,
         "{\"Item\":{\"d\":{\"M\":{\"y\":{\"N\":\"2\"}}},\"n\":{\"N\":\"1\"}}}"},
        {"GetItem", KEY_AND(ITEM, CHOSEN("#d.#x") "," NAMES("\"#d\":\"d\",\"#x\":\"x\"")), OK,
         "{\"Item\":{\"d\":{\"M\":{\"x\":{\"N\":\"1\"}}}}}"},
        {"GetItem", KEY_AND(ITEM, CHOSEN("nothing")), OK, "{\"Item\":{}}"},
        {"GetItem", KEY_AND(PK("none"), CHOSEN("pk")), OK, "{}"},
        {"GetItem", KEY_AND(ITEM, GET("\"pk\",\"x.y\",\"n\"")), OK,
         "{\"Item\":{\"n\":{\"N\":\"1\"},\"pk\":{\"S\":\"a\"}}}"},
        {"BatchGetItem", BATCH(CHOSEN("d.x")), OK,
         BATCH_SHOWS("{\"d\":{\"M\":{\"x\":{\"N\":\"1\"}}}}")},
        {"BatchGetItem", BATCH(GET("\"n\"")), OK, BATCH_SHOWS("{\"n\":{\"N\":\"1\"}}")},
    };

    SCRIPT(state, steps);
}

static void what_cannot_be_chosen_is_refused(void **state)
{
#define MIXED                                                                                      \
    INVALID "Can not use both expression and non-expression parameters in the same request: "      \
            "Non-expression parameters: {AttributesToGet} Expression parameters: "                 \
            "{ProjectionExpression}"
    static const struct step steps[] = {
        {"GetItem", KEY_AND("\"x\":{}", GET("\"a\"") "," CHOSEN("") "," NAMES("")), BAD, MIXED},
        {"GetItem", KEY_AND("\"x\":{}", NAMES("")), BAD,
         INVALID "ExpressionAttributeNames can only be specified when using expressions"},
        {"GetItem", KEY_AND("\"x\":{}", CHOSEN("")), BAD,
         INVALID "Supplied AttributeValue is empty, must contain exactly one of the supported "
                 "datatypes"},
        {"GetItem", KEY_AND("", CHOSEN("")), BAD,
         INVALID "Invalid ProjectionExpression: The expression can not be empty;"},
        {"GetItem", KEY_AND("", CHOSEN("a, a.b")), BAD,
         INVALID "Invalid ProjectionExpression: Two document paths overlap with each other; must "
                 "remove or rewrite one of these paths; path one: [a], path two: [a, b]"},
        {"GetItem", KEY_AND("", GET("\"a\",\"b\",\"a\"")), BAD,
         PARAMS "Duplicate value in attribute name: a"},
        {"GetItem", KEY_AND("", GET("")), BAD,
         ONE "Value '[]' at 'attributesToGet' failed to satisfy constraint: Member must have "
             "length greater than or equal to 1"},
        {"GetItem", KEY_AND("", CHOSEN("pk.x")), BAD,
         "ResourceNotFoundException: Requested resource not found"},
        HASH_TABLE,
        {"GetItem", KEY_AND(ITEM, CHOSEN("pk.x")), BAD,
         INVALID "Key attributes must be scalars; list random access '[]' and map lookup '.' are "
                 "not allowed: Key: pk"},
        {"BatchGetItem", BATCH(GET("\"a\"") "," CHOSEN("")), BAD, MIXED},
        {"BatchGetItem", BATCH(CHOSEN("")), BAD,
         INVALID "Invalid ProjectionExpression: The expression can not be empty;"},
        {"BatchGetItem", BATCH(GET("\"a\",\"a\"")), BAD,
         PARAMS "Duplicate value in attribute name: a"},
    };

    SCRIPT(state, steps);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_setup, script_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(conditions_decide_over_writes),
        TEST(the_item_of_a_failed_condition_is_shown_where_wanted),
        TEST(mistakes_are_told_in_order),
        TEST(the_older_wording_names_the_placeholder),
        TEST(placeholders_have_a_bound),
        TEST(placeholders_of_wrong_types_are_refused),
        TEST(reads_show_what_is_chosen),
        TEST(what_cannot_be_chosen_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
