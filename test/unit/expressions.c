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
         ONE "ExpressionAttributeValues contains invalid value: Supplied AttributeValue is empty, "
             "must contain exactly one of the supported datatypes for key :b"},
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_setup, script_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(conditions_decide_over_writes),
        TEST(the_item_of_a_failed_condition_is_shown_where_wanted),
        TEST(mistakes_are_told_in_order),
        TEST(placeholders_of_wrong_types_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
