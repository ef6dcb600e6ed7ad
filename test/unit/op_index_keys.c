/* test/unit/op_index_keys.c - what operations refuse because of secondary indexes: words and order
 * of dynamodb-conformance (recorded 2026-06) and dynalite's updateItem tests. */
#include "support/check.h"

#include "support/api_script.h"

/* `lk` is in the key of two indexes, `gk` and `gn` of one. */
static const char table[] =
    "{\"TableName\":\"tab\",\"BillingMode\":\"PAY_PER_REQUEST\","
    "\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"},"
    "{\"AttributeName\":\"sk\",\"KeyType\":\"RANGE\"}],"
    "\"AttributeDefinitions\":[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"},"
    "{\"AttributeName\":\"sk\",\"AttributeType\":\"S\"},"
    "{\"AttributeName\":\"lk\",\"AttributeType\":\"S\"},"
    "{\"AttributeName\":\"gk\",\"AttributeType\":\"B\"},"
    "{\"AttributeName\":\"gn\",\"AttributeType\":\"N\"}],"
    "\"LocalSecondaryIndexes\":[{\"IndexName\":\"lsi1\",\"Projection\":{\"ProjectionType\":\"ALL\"}"
    ","
    "\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"},"
    "{\"AttributeName\":\"lk\",\"KeyType\":\"RANGE\"}]}],"
    "\"GlobalSecondaryIndexes\":[{\"IndexName\":\"gsi2\","
    "\"Projection\":{\"ProjectionType\":\"ALL\"},"
    "\"KeySchema\":[{\"AttributeName\":\"gk\",\"KeyType\":\"HASH\"},"
    "{\"AttributeName\":\"gn\",\"KeyType\":\"RANGE\"}]},"
    "{\"IndexName\":\"gsi1\",\"Projection\":{\"ProjectionType\":\"ALL\"},"
    "\"KeySchema\":[{\"AttributeName\":\"lk\",\"KeyType\":\"HASH\"}]}]}";

#define ON           "\"TableName\":\"tab\","
#define BOTH         "\"pk\":{\"S\":\"p\"},\"sk\":{\"S\":\"s\"}"
#define ITEM(more)   ON "\"Item\":{" BOTH more "}"
#define PUT_OF(more) "{" ITEM(more) "}"
#define BATCH(more)  "{\"RequestItems\":{\"tab\":[{\"PutRequest\":{\"Item\":{" BOTH more "}}}]}}"
#define UPDATED(expression, value)                                                                 \
    ON "\"Key\":{" BOTH "},\"UpdateExpression\":\"" expression                                     \
       "\",\"ExpressionAttributeValues\":{\":v\":" value "}"
#define UPDATE(expression, value) "{" UPDATED(expression, value) "}"
#define TRANSACT(kind, action)    "{\"TransactItems\":[{\"" kind "\":{" action "}}]}"
#define CANCELED(message)                                                                          \
    "TransactionCanceledException: Transaction cancelled, please refer cancellation reasons for "  \
    "specific reasons [ValidationError]\",\"CancellationReasons\":[{\"Code\":\"ValidationError\"," \
    "\"Message\":\"" message "\"}"

#define PARAMETERS "One or more parameter values were invalid: "
#define NOT_VALID  "One or more parameter values are not valid. "
#define MISMATCH(key, expected, actual, index)                                                     \
    PARAMETERS "Type mismatch for Index Key " key " Expected: " expected " Actual: " actual        \
               " IndexName: " index
#define EMPTY(kind, index, key)                                                                    \
    NOT_VALID "A value specified for a secondary index key is not supported. The AttributeValue "  \
              "for a key attribute cannot contain an empty " kind " value. IndexName: " index      \
              ", IndexKey: " key
#define EMPTY_UPDATE(kind)                                                                         \
    NOT_VALID                                                                                      \
    "The update expression attempted to update a secondary index key to a value that "             \
    "is not supported. The AttributeValue for a key attribute cannot contain an empty " kind       \
    " value."
#define SCALARS(key)                                                                               \
    "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: " \
    "IndexKey: " key

static void puts_are_refused(void **state)
{
    static const struct step steps[] = {
        {"CreateTable", table, OK, NULL},
        {"PutItem", PUT_OF(",\"lk\":{\"N\":\"5\"}"), BAD, INVALID MISMATCH("lk", "S", "N", "gsi1")},
        {"PutItem", PUT_OF(",\"lk\":{\"L\":[]}"), BAD, INVALID MISMATCH("lk", "S", "L", "gsi1")},
        {"PutItem", PUT_OF(",\"gn\":{\"NULL\":true}"), BAD,
         INVALID MISMATCH("gn", "N", "NULL", "gsi2")},
        {"PutItem", PUT_OF(",\"lk\":{\"S\":\"\"}"), BAD, INVALID EMPTY("string", "gsi1", "lk")},
        {"PutItem", PUT_OF(",\"gk\":{\"B\":\"\"}"), BAD, INVALID EMPTY("binary", "gsi2", "gk")},
        {"BatchWriteItem", BATCH(",\"lk\":{\"N\":\"5\"}"), BAD,
         INVALID MISMATCH("lk", "S", "N", "gsi1")},
        {"BatchWriteItem", BATCH(",\"lk\":{\"S\":\"\"}"), BAD,
         INVALID EMPTY("string", "gsi1", "lk")},
        {"TransactWriteItems", TRANSACT("Put", ITEM(",\"lk\":{\"N\":\"5\"}")), BAD,
         CANCELED(MISMATCH("lk", "S", "N", "gsi1"))},
        {"TransactWriteItems", TRANSACT("Put", ITEM(",\"lk\":{\"S\":\"\"}")), BAD,
         INVALID EMPTY("string", "gsi1", "lk")},
        /* nothing of that was written */
        {"Scan", "{\"TableName\":\"tab\"}", OK, "{\"Items\":[],\"Count\":0,\"ScannedCount\":0}"},
        /* an attribute that is not there keeps the item out of the index */
        {"PutItem", PUT_OF(",\"gk\":{\"B\":\"YQ==\"}"), OK, "{}"},
    };

    SCRIPT(state, steps);
}

static void updates_are_refused(void **state)
{
    static const struct step steps[] = {
        {"CreateTable", table, OK, NULL},
        /* what shows without the item is told before it is looked at */
        {"UpdateItem", UPDATE("SET lk = :v", "{\"N\":\"5\"}"), BAD,
         INVALID MISMATCH("lk", "S", "N", "gsi1")},
        {"UpdateItem", UPDATE("SET e = lk[1], lk = lk + :v", "{\"N\":\"5\"}"), BAD,
         INVALID MISMATCH("lk", "S", "N", "gsi1")},
        {"UpdateItem", UPDATE("SET gk.a = pk ADD lk :v", "{\"N\":\"5\"}"), BAD,
         INVALID MISMATCH("lk", "S", "N", "gsi1")},
        {"UpdateItem", UPDATE("ADD gk.b :v", "{\"N\":\"5\"}"), BAD, INVALID SCALARS("gk")},
        {"UpdateItem", UPDATE("SET e = :v, f = gk[1]", "{\"N\":\"5\"}"), BAD,
         INVALID SCALARS("gk")},
        {"UpdateItem", UPDATE("SET lk = :v", "{\"S\":\"\"}"), BAD, INVALID EMPTY_UPDATE("string")},
        {"UpdateItem", UPDATE("SET gk = :v", "{\"B\":\"\"}"), BAD, INVALID EMPTY_UPDATE("binary")},
        {"UpdateItem",
         "{" ON "\"Key\":{" BOTH "},\"AttributeUpdates\":{\"lk\":{\"Value\":{\"N\":\"1\"}}}}", BAD,
         INVALID MISMATCH("lk", "S", "N", "gsi1")},
        {"UpdateItem", UPDATE("SET e = :v", "{\"N\":\"5\"}"), OK, "{}"},
        {"UpdateItem", "{" ON "\"Key\":{" BOTH "},\"UpdateExpression\":\"SET lk = e\"}", BAD,
         INVALID "The update expression attempted to update the secondary index key to unsupported "
                 "type"},
        {"UpdateItem", UPDATE("SET lk = :v", "{\"S\":\"x\"}"), OK, "{}"},
        {"UpdateItem", UPDATE("REMOVE lk SET e = :v", "{\"S\":\"x\"}"), OK, "{}"},
        {"TransactWriteItems", TRANSACT("Update", UPDATED("SET lk = :v", "{\"N\":\"5\"}")), BAD,
         CANCELED(MISMATCH("lk", "S", "N", "gsi1"))},
        {"TransactWriteItems", TRANSACT("Update", UPDATED("SET lk = :v", "{\"S\":\"\"}")), BAD,
         INVALID EMPTY_UPDATE("string")},
        {"DeleteItem",
         "{" ON "\"Key\":{" BOTH "},\"ConditionExpression\":\"attribute_exists(lk.a)\"}", BAD,
         INVALID SCALARS("lk")},
    };

    SCRIPT(state, steps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(puts_are_refused, script_setup, script_teardown),
        cmocka_unit_test_setup_teardown(updates_are_refused, script_setup, script_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
