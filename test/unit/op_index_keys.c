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

/* --- item collections --- */

#define SIZE    ",\"ReturnItemCollectionMetrics\":\"SIZE\""
#define METRICS "{\"ItemCollectionKey\":{\"pk\":{\"S\":\"p\"}},\"SizeEstimateRangeGB\":"
#define OF_MANY "\"ItemCollectionMetrics\":{\"tab\":[" METRICS
#define OF_ONE  "{\"ItemCollectionMetrics\":" METRICS
#define FULL    "ItemCollectionSizeLimitExceededException: Collection size exceeded."
#define OTHER   "{\"Put\":{" ON "\"Item\":{\"pk\":{\"S\":\"q\"},\"sk\":{\"S\":\"s\"}}}}"

/* Has the collection of "p" hold more, as if there were items of so many bytes. */
static void collection_fill(void **state, int64_t bytes)
{
    struct fixture *fixture = *state;
    struct engine_batch batch;
    struct arena arena;
    struct buf place;
    struct err err;

    arena_init(&arena);
    batch_init(&batch, &arena);
    buf_init_in(&place, &arena);
    buf_put_be64(&place, 1); /* the first table */
    buf_put_be32(&place, UINT32_MAX);
    buf_put_be64(&place, key_hash(BYTES("p")));
    key_put_part(&place, KEY_S, BYTES("p"));
    batch_add(&batch, SPACE_STATISTICS, buf_bytes(&place), &bytes, 1);
    assert_true(committer_commit(fixture->database.committer, &batch, &err));
    arena_release(&arena);
}

static void collections_are_shown(void **state)
{
    static const struct step before[] = {
        {"CreateTable", table, OK, NULL},
        HASH_TABLE, /* without local indexes */
        {"PutItem", "{\"TableName\":\"hash\",\"Item\":{\"pk\":{\"S\":\"p\"}}" SIZE "}", OK, "{}"},
        {"PutItem", "{" ITEM("") "}", OK, "{}"},
        {"PutItem", "{" ITEM("") SIZE "}", OK, OF_ONE "[0.0,1.0]}}"},
    };
    static const struct step after[] = {
        {"UpdateItem", "{" UPDATED("SET lk = :v", "{\"S\":\"x\"}") SIZE "}", OK,
         OF_ONE "[3.0,4.0]}}"},
        {"BatchWriteItem",
         "{\"RequestItems\":{\"tab\":[{\"PutRequest\":{\"Item\":{" BOTH "}}},{\"PutRequest\":{"
         "\"Item\":{\"pk\":{\"S\":\"q\"},\"sk\":{\"S\":\"s\"}}}},{\"DeleteRequest\":{\"Key\":{"
         "\"pk\":{\"S\":\"p\"},\"sk\":{\"S\":\"t\"}}}}]}" SIZE "}",
         OK,
         "{\"UnprocessedItems\":{}," OF_MANY "[3.0,4.0]},{\"ItemCollectionKey\":{\"pk\":{\"S\":"
         "\"q\"}},\"SizeEstimateRangeGB\":[0.0,1.0]}]}}"},
        {"TransactWriteItems", "{\"TransactItems\":[{\"Put\":{" ITEM("") "}}]" SIZE "}", OK,
         "{" OF_MANY "[3.0,4.0]}]}}"},
        {"DeleteItem", "{" ON "\"Key\":{" BOTH "}" SIZE "}", OK, OF_ONE "[3.0,4.0]}}"},
    };

    SCRIPT(state, before);
    collection_fill(state, INT64_C(3) << 30);
    SCRIPT(state, after);
}

static void collections_are_bounded(void **state)
{
    static const struct step before[] = {
        {"CreateTable", table, OK, NULL}, {"PutItem", PUT_OF(""), OK, "{}"}, /* 6 bytes */
    };
    static const struct step after[] = {
        {"PutItem", PUT_OF(",\"v\":{\"S\":\"xxx\"}"), OK, "{}"}, /* 4 more: full to the byte */
        {"PutItem", PUT_OF(",\"v\":{\"S\":\"xxxx\"}"), BAD, FULL},
        {"UpdateItem", UPDATE("SET a = :v", "{\"S\":\"x\"}"), BAD, FULL},
        {"UpdateItem", UPDATE("SET v = :v", "{\"S\":\"yyy\"}"), OK, "{}"},
        /* an entry counts too */
        {"UpdateItem", UPDATE("SET lk = :v REMOVE v", "{\"S\":\"y\"}"), BAD, FULL},
        {"BatchWriteItem", BATCH(",\"v\":{\"S\":\"xxxx\"}"), BAD, FULL},
        {"TransactWriteItems",
         "{\"TransactItems\":[" OTHER ",{\"Put\":{" ITEM(",\"v\":{\"S\":\"xxxx\"}") "}}]}", BAD,
         "TransactionCanceledException: Transaction cancelled, please refer cancellation reasons "
         "for specific reasons [None, ItemCollectionSizeLimitExceeded]\","
         "\"CancellationReasons\":[{\"Code\":\"None\"},{\"Code\":"
         "\"ItemCollectionSizeLimitExceeded\",\"Message\":\"Collection size exceeded.\"}"},
        {"TransactWriteItems", "{\"TransactItems\":[" OTHER "]}", OK, "{}"},
        {"DeleteItem", "{" ON "\"Key\":{" BOTH "}}", OK, "{}"},
        {"PutItem", PUT_OF(",\"v\":{\"S\":\"xxx\"}"), OK, "{}"},
    };

    SCRIPT(state, before);
    collection_fill(state, (INT64_C(10) << 30) - 10);
    SCRIPT(state, after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(puts_are_refused, script_setup, script_teardown),
        cmocka_unit_test_setup_teardown(updates_are_refused, script_setup, script_teardown),
        cmocka_unit_test_setup_teardown(collections_are_shown, script_setup, script_teardown),
        cmocka_unit_test_setup_teardown(collections_are_bounded, script_setup, script_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
