/* test/unit/update_item.c - UpdateItem as a client sees it. What expressions compute is tested in
 * expr_update.c; here is what the operation makes of it. */
#include "support/check.h"

#include "support/api_script.h"

#define UPDATE(more)   KEY_AND(PK("a"), more)
#define SET(update)    "\"UpdateExpression\":\"" update "\""
#define IF(condition)  "\"ConditionExpression\":\"" condition "\""
#define VALUES(values) ",\"ExpressionAttributeValues\":{" values "}"
#define RETURN(what)   ",\"ReturnValues\":\"" what "\""
#define N(name, value) "\"" name "\":{\"N\":\"" value "\"}"
#define S(name, value) "\"" name "\":{\"S\":\"" value "\"}"
#define SHOWS(item)    "{\"Attributes\":{" item "}}"
#define FAILED         "ConditionalCheckFailedException: The conditional request failed"

static void an_update_makes_or_changes_an_item(void **state)
{
    static const struct step steps[] = {
        HASH_TABLE,
        {"UpdateItem", UPDATE(SET("SET n = :n") VALUES(N(":n", "1"))), OK, "{}"},
        {"GetItem", KEY(PK("a")), OK, "{\"Item\":{" N("n", "1") "," PK("a") "}}"},
        {"UpdateItem", UPDATE(SET("SET n = n + :n ADD m :n") VALUES(N(":n", "1"))), OK, "{}"},
        {"GetItem", KEY(PK("a")), OK, "{\"Item\":{" N("m", "1") "," N("n", "2") "," PK("a") "}}"},
        {"UpdateItem", UPDATE(SET("REMOVE m, n")), OK, "{}"},
        {"GetItem", KEY(PK("a")), OK, "{\"Item\":{" PK("a") "}}"},
        {"UpdateItem", UPDATE(SET("REMOVE x")), OK, "{}"},
        {"GetItem", KEY(PK("a")), OK, "{\"Item\":{" PK("a") "}}"},
    };

    SCRIPT(state, steps);
}

static void an_update_that_puts_nothing_makes_no_item(void **state)
{
    static const struct step steps[] = {
        HASH_TABLE,
        {"UpdateItem", UPDATE(SET("REMOVE x") RETURN("ALL_NEW") "," TOTAL), OK,
         "{\"ConsumedCapacity\":{\"TableName\":\"hash\",\"CapacityUnits\":1.0}}"},
        {"UpdateItem", UPDATE(SET("DELETE x :s") VALUES("\":s\":{\"SS\":[\"a\"]}")), OK, "{}"},
        {"GetItem", KEY(PK("a")), OK, "{}"},
        {"UpdateItem", KEY(PK("a")), OK, "{}"},
        {"GetItem", KEY(PK("a")), OK, "{\"Item\":{" PK("a") "}}"},
        {"UpdateItem", KEY_AND(PK("b"), TOTAL RETURN("ALL_NEW")), OK,
         "{\"Attributes\":{" PK("b") "},\"ConsumedCapacity\":{\"TableName\":\"hash\","
                                     "\"CapacityUnits\":1.0}}"},
    };

    SCRIPT(state, steps);
}

/* ScyllaDB, test_returnvalues.py, ran on the service. */
static void values_are_returned_as_asked(void **state)
{
#define CAT_AND_HELLO SET("SET b = :b, c = :c REMOVE d") VALUES(S(":b", "cat") "," S(":c", "hello"))
    static const struct step steps[] = {
        HASH_TABLE,
        {"UpdateItem", UPDATE(CAT_AND_HELLO RETURN("ALL_OLD")), OK, "{}"},
        {"UpdateItem", UPDATE(CAT_AND_HELLO RETURN("ALL_OLD")), OK,
         SHOWS(S("b", "cat") "," S("c", "hello") "," PK("a"))},
        {"PutItem", PUT(PK("a") "," S("a", "hi") "," S("b", "dog") "," S("d", "gone")), OK, "{}"},
        {"UpdateItem", UPDATE(CAT_AND_HELLO RETURN("UPDATED_OLD")), OK,
         SHOWS(S("b", "dog") "," S("d", "gone"))},
        {"UpdateItem", UPDATE(CAT_AND_HELLO RETURN("UPDATED_NEW")), OK,
         SHOWS(S("b", "cat") "," S("c", "hello"))},
        {"UpdateItem", UPDATE(CAT_AND_HELLO RETURN("ALL_NEW")), OK,
         SHOWS(S("a", "hi") "," S("b", "cat") "," S("c", "hello") "," PK("a"))},
        {"UpdateItem", UPDATE(CAT_AND_HELLO RETURN("NONE")), OK, "{}"},
        {"UpdateItem", UPDATE(SET("SET e = :e") VALUES(S(":e", "")) RETURN("UPDATED_OLD")), OK,
         "{}"},
        {"UpdateItem", UPDATE(SET("REMOVE e") RETURN("UPDATED_NEW")), OK, "{}"},
        {"UpdateItem", KEY_AND(PK("a"), "\"ReturnValues\":\"UPDATED_NEW\""), OK, "{}"},
    };

    SCRIPT(state, steps);
}

static void parts_of_documents_are_returned_alone(void **state)
{
#define DOCUMENT(b, c)                                                                             \
    "\"doc\":{\"M\":{\"b\":{\"S\":\"" b "\"},\"c\":{\"L\":[{\"N\":\"1\"},{\"N\":\"" c              \
    "\"},{\"N\":\"3\"}]}}}"
    static const struct step steps[] = {
        HASH_TABLE,
        {"PutItem", PUT(PK("a") "," DOCUMENT("dog", "2")), OK, "{}"},
        {"UpdateItem",
         UPDATE(SET("SET doc.c[1] = :v, doc.b = :w") VALUES(N(":v", "7") "," S(":w", "yo"))
                    RETURN("UPDATED_OLD")),
         OK, SHOWS("\"doc\":{\"M\":{\"b\":{\"S\":\"dog\"},\"c\":{\"L\":[{\"N\":\"2\"}]}}}")},
        {"UpdateItem",
         UPDATE(SET("SET doc.c[100] = :v") VALUES(N(":v", "70")) RETURN("UPDATED_NEW")), OK, "{}"},
        {"UpdateItem", UPDATE(SET("REMOVE doc.c[2]") RETURN("UPDATED_NEW")), OK,
         SHOWS("\"doc\":{\"M\":{\"c\":{\"L\":[{\"N\":\"70\"}]}}}")},
    };

    SCRIPT(state, steps);
}

static void conditions_decide_over_updates(void **state)
{
    static const struct step steps[] = {
        HASH_TABLE,
        {"UpdateItem",
         UPDATE(SET("SET n = :n") "," IF("attribute_exists(pk)") VALUES(N(":n", "1"))), BAD,
         FAILED},
        {"GetItem", KEY(PK("a")), OK, "{}"},
        {"UpdateItem",
         UPDATE(SET("SET n = :n") "," IF("attribute_not_exists(pk)") VALUES(N(":n", "1"))), OK,
         "{}"},
        {"UpdateItem",
         UPDATE("\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"," SET("SET n = :n") "," IF(
             "n > :n") VALUES(N(":n", "1"))),
         BAD, FAILED "\",\"Item\":{\"n\":{\"N\":\"1\"},\"pk\":{\"S\":\"a\"}"},
        {"UpdateItem", UPDATE(IF("attribute_exists(n)")), OK, "{}"},
    };

    SCRIPT(state, steps);
}

static void mistakes_are_told_in_order(void **state)
{
    static const struct step steps[] = {
        {"UpdateItem", "{}", BAD,
         INVALID "2 validation errors detected: Value null at 'tableName' failed to satisfy "
                 "constraint: Member must not be null; Value null at 'key' failed to satisfy "
                 "constraint: Member must not be null"},
        {"UpdateItem",
         "{\"TableName\":\"\",\"ReturnConsumedCapacity\":\"hi\",\"ReturnValues\":\"hi\"}", BAD,
         INVALID
         "4 validation errors detected: Value 'hi' at 'returnConsumedCapacity' failed to satisfy "
         "constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; Value '' at "
         "'tableName' failed to satisfy constraint: Member must have length greater than or equal "
         "to 1; Value 'hi' at 'returnValues' failed to satisfy constraint: Member must satisfy "
         "enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]; Value null at 'key' "
         "failed to satisfy constraint: Member must not be null"},
        {"UpdateItem", KEY_AND("", "\"ReturnConsumedCapacity\":\"hi\",\"ReturnValues\":\"hi\""),
         BAD,
         ONE "Failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, "
             "UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]"},
        {"UpdateItem", KEY_AND("\"x\":{}", "\"ExpressionAttributeValues\":{}"), BAD,
         ONE "ExpressionAttributeValues can only be specified when using expressions"},
        {"UpdateItem", KEY_AND("\"x\":{}", SET("") "," IF("")), BAD,
         ONE "Supplied AttributeValue is empty, must contain exactly one of the supported "
             "datatypes"},
        {"UpdateItem", KEY_AND("", SET("") "," IF("")), BAD,
         ONE "Invalid UpdateExpression: The expression can not be empty;"},
        {"UpdateItem", KEY_AND("", SET("REMOVE x") "," IF("")), BAD,
         ONE "Invalid ConditionExpression: The expression can not be empty;"},
        {"UpdateItem", KEY_AND("", SET("REMOVE pk")), BAD,
         "ResourceNotFoundException: Requested resource not found"},
        HASH_TABLE,
        {"UpdateItem", KEY_AND("", SET("REMOVE pk")), BAD,
         INVALID "The provided key element does not match the schema"},
        {"UpdateItem", KEY_AND(PK("a"), SET("REMOVE pk") "," IF("attribute_exists(x)")), BAD,
         PARAMS "Cannot update attribute pk. This attribute is part of the key"},
        {"UpdateItem", KEY_AND(PK("a"), SET("SET x = y") "," IF("attribute_exists(x)")), BAD,
         FAILED},
        {"UpdateItem", KEY_AND(PK("a"), SET("SET x = y")), BAD,
         INVALID "The provided expression refers to an attribute that does not exist in the item"},
        {"UpdateItem", KEY_AND(PK("a"), SET("SET x.y = pk")), BAD,
         INVALID "The document path provided in the update expression is invalid for update"},
        {"UpdateItem", KEY_AND(PK("a"), SET("ADD x :x") VALUES(S(":x", "1"))), BAD, NULL},
        {"GetItem", KEY(PK("a")), OK, "{}"},
    };

    SCRIPT(state, steps);
}

static bool count_visit(void *context, struct bytes key, struct bytes value)
{
    (void)key;
    (void)value;
    ++*(int *)context;
    return true;
}

/* A change is what was written, also where the item stays as it was  (as PutItem of an equal item
 * is); an update that makes no item and one that is refused write nothing. */
static void what_is_written_is_in_the_log(void **state)
{
    static const struct {
        struct step step;
        int records; /* since the beginning */
    } rows[] = {
        {HASH_TABLE, 0},
        {{"UpdateContinuousBackups",
          "{\"TableName\":\"hash\",\"PointInTimeRecoverySpecification\":{"
          "\"PointInTimeRecoveryEnabled\":true}}",
          OK, NULL},
         0},
        {{"UpdateItem", UPDATE(SET("REMOVE n")), OK, "{}"}, 0},
        {{"UpdateItem", UPDATE(SET("SET n = :n") VALUES(N(":n", "1"))), OK, "{}"}, 1},
        {{"UpdateItem", UPDATE(SET("SET n = :n") VALUES(N(":n", "1"))), OK, "{}"}, 2},
        {{"UpdateItem", UPDATE(SET("REMOVE m")), OK, "{}"}, 3},
        {{"UpdateItem", UPDATE(SET("REMOVE n") "," IF("attribute_not_exists(n)")), BAD, FAILED}, 3},
        {{"UpdateItem", UPDATE(SET("SET n = m")), BAD, NULL}, 3},
        {{"UpdateItem", KEY(PK("a")), OK, "{}"}, 4},
    };
    struct fixture *fixture = *state;
    struct err err;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int records = 0;
        script_run(state, &rows[i].step, 1);
        assert_int_equal(engine_scan_all(fixture->database.engine,
                                         &(struct engine_scan){.space = SPACE_CHANGELOG,
                                                               .visit = count_visit,
                                                               .context = &records},
                                         &err),
                         SCAN_DONE);
        assert_int_equal(records, rows[i].records);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_setup, script_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_update_makes_or_changes_an_item), TEST(an_update_that_puts_nothing_makes_no_item),
        TEST(values_are_returned_as_asked),       TEST(parts_of_documents_are_returned_alone),
        TEST(conditions_decide_over_updates),     TEST(mistakes_are_told_in_order),
        TEST(what_is_written_is_in_the_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
