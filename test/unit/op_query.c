/* test/unit/op_query.c - Query as a client sees it: what its conditions find, which starting keys
 * it takes, and in which order it tells mistakes. */
#include "support/check.h"

#include "support/api_script.h"

#define TEXT_TABLE                                                                                 \
    CREATE("text", HASH_KEY "," RANGE_KEY,                                                         \
           PK_S ",{\"AttributeName\":\"sk\",\"AttributeType\":"                                    \
                "\"S\"}")
#define ITEM_OF(table, pk, sk)                                                                     \
    {                                                                                              \
        "PutItem",                                                                                 \
            "{\"TableName\":\"" table "\",\"Item\":{\"pk\":{\"S\":\"" pk "\"},\"sk\":" sk "}}",    \
            OK, "{}"                                                                               \
    }

#define QUERY(table, condition, values, more)                                                      \
    "{\"TableName\":\"" table "\",\"KeyConditionExpression\":\"" condition "\","                   \
    "\"ExpressionAttributeValues\":{\":p\":{\"S\":\"p\"}" values "}" more "}"
#define N(name, number) ",\":" name "\":{\"N\":\"" number "\"}"
#define S(name, text)   ",\":" name "\":{\"S\":\"" text "\"}"
#define BACKWARD        ",\"ScanIndexForward\":false"
#define COUNT           ",\"Select\":\"COUNT\""
#define FROM(key)       ",\"ExclusiveStartKey\":{" key "}"

#define FOUND(items, count) "{\"Items\":[" items "],\"Count\":" count ",\"ScannedCount\":" count "}"
#define IN(number)          "{\"pk\":{\"S\":\"p\"},\"sk\":{\"N\":\"" number "\"}}"
#define AT(text)            "{\"pk\":{\"S\":\"p\"},\"sk\":{\"S\":\"" text "\"}}"

static void numbers_are_found_in_their_order(void **state)
{
    static const struct step steps[] = {
        BOTH_TABLE,
        ITEM_OF("both", "o", "{\"N\":\"1\"}"),
        ITEM_OF("both", "p", "{\"N\":\"10\"}"),
        ITEM_OF("both", "p", "{\"N\":\"-1\"}"),
        ITEM_OF("both", "p", "{\"N\":\"2.5\"}"),
        ITEM_OF("both", "p", "{\"N\":\"0\"}"),
        ITEM_OF("both", "q", "{\"N\":\"1\"}"),
        {"Query", QUERY("both", "pk = :p", "", ""), OK,
         FOUND(IN("-1") "," IN("0") "," IN("2.5") "," IN("10"), "4")},
        {"Query", QUERY("both", "pk = :p", "", BACKWARD), OK,
         FOUND(IN("10") "," IN("2.5") "," IN("0") "," IN("-1"), "4")},
        {"Query", QUERY("both", "pk = :p AND sk = :n", N("n", "2.50"), ""), OK,
         FOUND(IN("2.5"), "1")},
        {"Query", QUERY("both", "pk = :p AND sk = :n", N("n", "3"), ""), OK, FOUND("", "0")},
        {"Query", QUERY("both", "pk = :p AND sk < :n", N("n", "2.5"), ""), OK,
         FOUND(IN("-1") "," IN("0"), "2")},
        {"Query", QUERY("both", ":n >= sk AND pk = :p", N("n", "2.5"), BACKWARD), OK,
         FOUND(IN("2.5") "," IN("0") "," IN("-1"), "3")},
        {"Query", QUERY("both", "pk = :p AND sk > :n", N("n", "0"), ""), OK,
         FOUND(IN("2.5") "," IN("10"), "2")},
        {"Query", QUERY("both", "pk = :p AND sk >= :n", N("n", "0"), BACKWARD), OK,
         FOUND(IN("10") "," IN("2.5") "," IN("0"), "3")},
        {"Query", QUERY("both", "pk = :p AND sk BETWEEN :n AND :m", N("n", "-1") N("m", "1"), ""),
         OK, FOUND(IN("-1") "," IN("0"), "2")},
        {"Query", QUERY("both", "pk = :p", "", COUNT), OK, "{\"Count\":4,\"ScannedCount\":4}"},
    };

    SCRIPT(state, steps);
}

static void text_has_beginnings(void **state)
{
    static const struct step steps[] = {
        TEXT_TABLE,
        ITEM_OF("text", "p", "{\"S\":\"a\"}"),
        ITEM_OF("text", "p", "{\"S\":\"ab\"}"),
        ITEM_OF("text", "p", "{\"S\":\"a\\u0000\"}"),
        ITEM_OF("text", "p", "{\"S\":\"b\"}"),
        ITEM_OF("text", "p", "{\"S\":\"\\u00e9\"}"),
        {"Query", QUERY("text", "pk = :p AND begins_with(sk, :a)", S("a", "a"), ""), OK,
         FOUND(AT("a") "," AT("a\\u0000") "," AT("ab"), "3")},
        {"Query", QUERY("text", "pk = :p AND begins_with(sk, :a)", S("a", "a"), BACKWARD), OK,
         FOUND(AT("ab") "," AT("a\\u0000") "," AT("a"), "3")},
        {"Query", QUERY("text", "pk = :p AND begins_with(sk, :a)", S("a", "c"), ""), OK,
         FOUND("", "0")},
        {"Query", QUERY("text", "pk = :p AND sk > :a", S("a", "ab"), ""), OK,
         FOUND(AT("b") "," AT("\xc3\xa9"), "2")},
    };

    SCRIPT(state, steps);
}

/* A table without a sort key has one item under each partition key. */
static void a_partition_key_alone_finds_its_item(void **state)
{
    static const struct step steps[] = {
        HASH_TABLE,
        {"PutItem", PUT(PK("p")), OK, "{}"},
        {"PutItem", PUT(PK("q")), OK, "{}"},
        {"Query", QUERY("hash", "pk = :p", "", ""), OK, FOUND("{\"pk\":{\"S\":\"p\"}}", "1")},
        {"Query", QUERY("hash", "pk = :p", "", BACKWARD), OK, FOUND("{\"pk\":{\"S\":\"p\"}}", "1")},
        {"Query", QUERY("hash", "pk = :p", "", FROM(PK("p"))), OK, FOUND("", "0")},
        {"Query", QUERY("hash", "pk = :p", "", FROM(PK("p")) BACKWARD), OK, FOUND("", "0")},
        {"Query", QUERY("hash", "pk = :p", "", FROM(PK("q"))), BAD,
         INVALID "The provided starting key is outside query boundaries based on provided "
                 "conditions"},
    };

    SCRIPT(state, steps);
}

#define SK(text)  "\"sk\":{\"S\":\"" text "\"}"
#define START_BAD INVALID "The provided starting key is invalid"

static void starting_keys_are_held_against_the_condition(void **state)
{
    static const struct step steps[] = {
        TEXT_TABLE,
        ITEM_OF("text", "p", "{\"S\":\"a\"}"),
        ITEM_OF("text", "p", "{\"S\":\"c\"}"),
        ITEM_OF("text", "p", "{\"S\":\"e\"}"),
        {"Query", QUERY("text", "pk = :p", "", FROM(PK("p") "," SK("b"))), OK,
         FOUND(AT("c") "," AT("e"), "2")},
        {"Query", QUERY("text", "pk = :p", "", FROM(PK("p") "," SK("c")) BACKWARD), OK,
         FOUND(AT("a"), "1")},
        {"Query", QUERY("text", "pk = :p AND sk > :b", S("b", "b"), FROM(PK("p") "," SK("c"))), OK,
         FOUND(AT("e"), "1")},
        {"Query", QUERY("text", "pk = :p", "", FROM(PK("p") "," SK("c") ",\"x\":{\"S\":\"1\"}")),
         BAD, START_BAD},
        {"Query", QUERY("text", "pk = :p", "", FROM(PK("p"))), BAD, START_BAD},
        {"Query", QUERY("text", "pk = :p", "", FROM(PK("p") ",\"x\":{\"S\":\"1\"}")), BAD,
         START_BAD},
        {"Query", QUERY("text", "pk = :p", "", FROM("")), BAD, START_BAD},
        {"Query", QUERY("text", "pk = :p", "", FROM(PK("p") ",\"sk\":{\"N\":\"1\"}")), BAD,
         INVALID "The provided key element does not match the schema"},
        {"Query", QUERY("text", "pk = :p", "", FROM(PK("q") "," SK("c"))), BAD,
         INVALID "The provided starting key is outside query boundaries based on provided "
                 "conditions"},
        {"Query", QUERY("text", "pk = :p AND sk > :b", S("b", "b"), FROM(PK("p") "," SK("b"))), BAD,
         INVALID "The provided starting key does not match the range key predicate"},
        {"Query", QUERY("text", "pk = :p AND sk > :b", S("b", "b"), FROM(PK("q") "," SK("b"))), BAD,
         INVALID "The provided starting key does not match the range key predicate"},
        {"Query", QUERY("text", "pk = :p AND sk > :b", S("b", "b"), FROM(PK("q") "," SK("c"))), BAD,
         INVALID "The query can return at most one row and cannot be restarted"},
    };

    SCRIPT(state, steps);
}

/* Each step has one mistake less than the one before: which is told shows the order. */
static void mistakes_without_a_table_are_told_in_order(void **state)
{
    static const struct step steps[] = {
        {"Query", "{\"ReturnConsumedCapacity\":\"a\",\"Select\":\"b\",\"Limit\":0}", BAD,
         ONE "Value 'a' at 'returnConsumedCapacity' failed to satisfy constraint: Member must "
             "satisfy enum value set: [INDEXES, TOTAL, NONE]"},
        {"Query", "{\"Select\":\"b\",\"Limit\":0}", BAD,
         ONE "Value 'b' at 'select' failed to satisfy constraint: Member must satisfy enum value "
             "set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]"},
        {"Query", "{\"TableName\":\"text\",\"Limit\":0}", BAD,
         ONE "Value at 'Limit' failed to satisfy constraint: Member must have value greater than "
             "or equal to 1"},
        {"Query",
         "{\"TableName\":\"text\",\"ProjectionExpression\":\"\",\"FilterExpression\":\"\","
         "\"AttributesToGet\":[\"a\",\"a\"]}",
         BAD,
         INVALID "Can not use both expression and non-expression parameters in the same request: "
                 "Non-expression parameters: {AttributesToGet} Expression parameters: "
                 "{ProjectionExpression, FilterExpression}"},
        {"Query", "{\"TableName\":\"text\",\"ExpressionAttributeNames\":{}}", BAD,
         INVALID "ExpressionAttributeNames can only be specified when using expressions"},
        {"Query",
         "{\"TableName\":\"text\",\"AttributesToGet\":[\"a\",\"b\",\"a\"],"
         "\"ExclusiveStartKey\":{\"a\":{}}}",
         BAD, PARAMS "Duplicate value in attribute name: a"},
        {"Query", "{\"TableName\":\"text\",\"ExclusiveStartKey\":{\"a\":{}}}", BAD,
         START_BAD ": Supplied AttributeValue is empty, must contain exactly one of the supported "
                   "datatypes"},
        {"Query", "{\"TableName\":\"text\"}", BAD,
         INVALID "Either the KeyConditions or KeyConditionExpression parameter must be specified "
                 "in the request."},
        {"Query", QUERY("text", "", "", ",\"FilterExpression\":\"\""), BAD,
         INVALID "Invalid KeyConditionExpression: The expression can not be empty;"},
        {"Query", QUERY("text", "attribute_exists(pk)", "", ",\"FilterExpression\":\"\""), BAD,
         INVALID "Invalid FilterExpression: The expression can not be empty;"},
        {"Query", QUERY("text", "attribute_exists(pk)", "", ",\"ProjectionExpression\":\"\""), BAD,
         INVALID "Invalid ProjectionExpression: The expression can not be empty;"},
        {"Query", QUERY("text", "attribute_exists(pk)", "", ""), BAD,
         INVALID "Value provided in ExpressionAttributeValues unused in expressions: keys: {:p}"},
        {"Query", QUERY("text", "x <> :p", "", ",\"Select\":\"SPECIFIC_ATTRIBUTES\""), BAD,
         INVALID "Invalid operator used in KeyConditionExpression: <>"},
        {"Query", QUERY("text", "x = :p", "", ",\"Select\":\"SPECIFIC_ATTRIBUTES\""), BAD,
         ONE "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
             "SPECIFIC_ATTRIBUTES"},
        {"Query", QUERY("text", "x = :p", "", ",\"IndexName\":\"abc\"" FROM("")), BAD,
         "ResourceNotFoundException: Requested resource not found"},
    };

    SCRIPT(state, steps);
}

static void mistakes_on_a_table_are_told_in_order(void **state)
{
#define BOTH ",\"sk\":{\"N\":\"1\"}"
    static const struct step steps[] = {
        BOTH_TABLE,
        {"Query", QUERY("both", "x = :p", "", ",\"IndexName\":\"abc\"" FROM("")), BAD,
         INVALID "The table does not have the specified index: abc"},
        {"Query", QUERY("both", "x = :p", "", FROM("\"pk\":{\"N\":\"1\"}")), BAD, START_BAD},
        {"Query", QUERY("both", "x = :p", "", FROM("\"pk\":{\"N\":\"1\"}" BOTH)), BAD,
         INVALID "The provided key element does not match the schema"},
        {"Query", QUERY("both", "x = :p", "", FROM("\"pk\":{\"S\":\"\"}" BOTH)), BAD,
         INVALID "One or more parameter values are not valid. The AttributeValue for a key "
                 "attribute cannot contain an empty string value. Key: pk"},
        {"Query", QUERY("both", "x = :p", "", FROM(PK("p") ",\"sk\":{\"S\":\"1\"}")), BAD,
         INVALID "Query condition missed key schema element: pk"},
        {"Query", QUERY("both", "pk = :p AND sk = :p", "", FROM(PK("q") ",\"sk\":{\"S\":\"1\"}")),
         BAD, INVALID "The provided key element does not match the schema"},
        {"Query", QUERY("both", "pk = :p AND sk = :p", "", FROM(PK("q") BOTH)), BAD,
         PARAMS "Condition parameter type does not match schema type"},
        {"Query",
         QUERY("both", "pk = :p", "", FROM(PK("q") BOTH) ",\"ProjectionExpression\":\"pk.a\""), BAD,
         INVALID "The provided starting key is outside query boundaries based on provided "
                 "conditions"},
        {"Query",
         QUERY("both", "pk = :p", "",
               ",\"ProjectionExpression\":\"pk.a\",\"FilterExpression\":\"sk[1] = :p\""),
         BAD,
         INVALID "Key attributes must be scalars; list random access '[]' and map lookup '.' are "
                 "not allowed: Key: pk"},
        {"Query", QUERY("both", "pk = :p", "", ",\"FilterExpression\":\"sk[1] = :p\""), BAD,
         INVALID "Filter Expression can only contain non-primary key attributes: Primary key "
                 "attribute: sk"},
        {"Query", QUERY("both", "pk = :p", "", ",\"FilterExpression\":\"x[1] = :p\""), OK,
         FOUND("", "0")},
    };

    SCRIPT(state, steps);
}

#define OLDER(conditions, more)                                                                    \
    "{\"TableName\":\"both\",\"KeyConditions\":{" conditions "}" more "}"
#define IS(name, operator, values)                                                                 \
    "\"" name "\":{\"ComparisonOperator\":\"" operator"\",\"AttributeValueList\":[" values "]}"
#define IS_P      IS("pk", "EQ", "{\"S\":\"p\"}")
#define NUM(text) "{\"N\":\"" text "\"}"

static void older_conditions_find_the_same(void **state)
{
    static const struct step steps[] = {
        BOTH_TABLE,
        ITEM_OF("both", "p", NUM("1")),
        ITEM_OF("both", "p", NUM("2")),
        ITEM_OF("both", "p", NUM("3")),
        {"Query", OLDER(IS_P, ""), OK, FOUND(IN("1") "," IN("2") "," IN("3"), "3")},
        {"Query", OLDER(IS("sk", "LT", NUM("2")) "," IS_P, ""), OK, FOUND(IN("1"), "1")},
        {"Query", OLDER(IS_P "," IS("sk", "LE", NUM("2")), BACKWARD), OK,
         FOUND(IN("2") "," IN("1"), "2")},
        {"Query", OLDER(IS_P "," IS("sk", "GT", NUM("2")), ""), OK, FOUND(IN("3"), "1")},
        {"Query", OLDER(IS_P "," IS("sk", "GE", NUM("2")), ""), OK,
         FOUND(IN("2") "," IN("3"), "2")},
        {"Query", OLDER(IS_P "," IS("sk", "EQ", NUM("2.0")), ""), OK, FOUND(IN("2"), "1")},
        {"Query", OLDER(IS_P "," IS("sk", "BETWEEN", NUM("1.5") "," NUM("9")), ""), OK,
         FOUND(IN("2") "," IN("3"), "2")},
        /* KeyConditions are taken beside the other expressions */
        {"Query",
         OLDER(IS_P,
               ",\"FilterExpression\":\"attribute_exists(x)\",\"ProjectionExpression\":\"x\""),
         OK, "{\"Items\":[],\"Count\":0,\"ScannedCount\":3}"},
        {"Query", OLDER(IS_P, ",\"QueryFilter\":{" IS("x", "NE", NUM("1")) "}"), OK,
         FOUND(IN("1") "," IN("2") "," IN("3"), "3")},
        {"Query", OLDER(IS_P, ",\"QueryFilter\":{},\"AttributesToGet\":[\"sk\"],\"Limit\":1"), OK,
         "{\"Items\":[{\"sk\":{\"N\":\"1\"}}],\"Count\":1,\"ScannedCount\":1,"
         "\"LastEvaluatedKey\":" IN("1") "}"},
    };

    SCRIPT(state, steps);
}

static void older_conditions_have_their_mistakes(void **state)
{
    static const struct step steps[] = {
        {"Query",
         OLDER(IS_P, ",\"KeyConditionExpression\":\"\",\"QueryFilter\":{},\"ConditionalOperator\":"
                     "\"OR\""),
         BAD,
         INVALID "Can not use both expression and non-expression parameters in the same request: "
                 "Non-expression parameters: {QueryFilter, ConditionalOperator, KeyConditions} "
                 "Expression parameters: {KeyConditionExpression}"},
        {"Query", OLDER("\"pk\":{}", ",\"QueryFilter\":{" IS("x", "EQ", "") "}"), BAD,
         ONE "Value null at 'keyConditions.pk.member.comparisonOperator' failed to satisfy "
             "constraint: Member must not be null"},
        {"Query",
         OLDER(
             IS("pk", "EQ", "{}"),
             ",\"QueryFilter\":{" IS("x", "EQ", "") "},\"AttributesToGet\":[\"a\",\"a\"]" FROM("")),
         BAD, PARAMS "Invalid number of argument(s) for the EQ ComparisonOperator"},
        {"Query",
         OLDER(IS("pk", "EQ", "{}"), ",\"AttributesToGet\":[\"a\",\"a\"]" FROM("\"a\":{}")), BAD,
         PARAMS "Duplicate value in attribute name: a"},
        {"Query", OLDER(IS("pk", "EQ", "{}"), FROM("\"a\":{}")), BAD,
         START_BAD ": Supplied AttributeValue is empty, must contain exactly one of the supported "
                   "datatypes"},
        {"Query", OLDER(IS("pk", "EQ", "{}"), ""), BAD,
         INVALID "Supplied AttributeValue is empty, must contain exactly one of the supported "
                 "datatypes"},
        {"Query", OLDER(IS("pk", "LT", "{\"BOOL\":true}"), ""), BAD,
         PARAMS "ComparisonOperator LT is not valid for BOOL AttributeValue type"},
        {"Query", OLDER("", ""), BAD, INVALID "Conditions can be of length 1 or 2 only"},
        {"Query", OLDER(IS("a", "NULL", "") "," IS("b", "NULL", "") "," IS("c", "NULL", ""), ""),
         BAD, INVALID "Conditions can be of length 1 or 2 only"},
        {"Query", OLDER(IS("z", "NULL", ""), FROM("")), BAD,
         "ResourceNotFoundException: Requested resource not found"},
        BOTH_TABLE,
        {"Query", OLDER(IS("z", "NULL", ""), ""), BAD,
         INVALID "Query condition missed key schema element: pk"},
        {"Query", OLDER(IS("pk", "IN", "{\"S\":\"p\"}"), ""), BAD,
         INVALID "Attempted conditional constraint is not an indexable operation"},
        {"Query", OLDER(IS_P "," IS("sk", "NE", NUM("1")), ""), BAD,
         INVALID "Attempted conditional constraint is not an indexable operation"},
        {"Query", OLDER(IS("pk", "GE", "{\"S\":\"p\"}"), ""), BAD,
         INVALID "Query key condition not supported"},
        {"Query", OLDER(IS_P, ",\"QueryFilter\":{" IS("sk", "EQ", NUM("1")) "}"), BAD,
         INVALID "QueryFilter can only contain non-primary key attributes: Primary key attribute: "
                 "sk"},
    };

    SCRIPT(state, steps);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_setup, script_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_are_found_in_their_order),
        TEST(text_has_beginnings),
        TEST(a_partition_key_alone_finds_its_item),
        TEST(starting_keys_are_held_against_the_condition),
        TEST(mistakes_without_a_table_are_told_in_order),
        TEST(mistakes_on_a_table_are_told_in_order),
        TEST(older_conditions_find_the_same),
        TEST(older_conditions_have_their_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
