/* test/unit/page.c - pages of Query and Scan: filters and projections, Select, where a page ends
 * and what it costs. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/api_script.h"

#define THREE                                                                                      \
    BOTH_TABLE, THING("1", "\"c\":{\"S\":\"red\"},\"l\":{\"L\":[{\"N\":\"1\"},{\"N\":\"2\"}]}"),   \
        THING("2", "\"c\":{\"S\":\"blue\"}"), THING("3", "\"c\":{\"S\":\"red\"}")
#define THING(number, more)                                                                        \
    {                                                                                              \
        "PutItem",                                                                                 \
            "{\"TableName\":\"both\",\"Item\":{\"pk\":{\"S\":\"p\"},\"sk\":{\"N\":\"" number       \
            "\"}," more "}}",                                                                      \
            OK, "{}"                                                                               \
    }
#define QUERY(more)                                                                                \
    "{\"TableName\":\"both\",\"KeyConditionExpression\":\"pk = :p\","                              \
    "\"ExpressionAttributeValues\":{\":p\":{\"S\":\"p\"}}" more "}"
#define QUERY_RED(more)                                                                            \
    "{\"TableName\":\"both\",\"KeyConditionExpression\":\"pk = :p\",\"FilterExpression\":\"c = "   \
    ":c\",\"ExpressionAttributeValues\":{\":p\":{\"S\":\"p\"},\":c\":{\"S\":\"red\"}}" more "}"
#define SCAN(more) "{\"TableName\":\"both\"" more "}"
#define SCAN_RED(more)                                                                             \
    "{\"TableName\":\"both\",\"FilterExpression\":\"c = :c\",\"ExpressionAttributeValues\":{"      \
    "\":c\":{\"S\":\"red\"}}" more "}"
#define PROJECTION(paths) ",\"ProjectionExpression\":\"" paths "\""
#define LAST(number)      ",\"LastEvaluatedKey\":{\"pk\":{\"S\":\"p\"},\"sk\":{\"N\":\"" number "\"}}}"
#define SK(number)        "{\"sk\":{\"N\":\"" number "\"}}"

/* Of Query and Scan alike: one partition is in the same order in both. */
static void filters_and_projections_choose(void **state)
{
    static const struct step steps[] = {
        THREE,
        {"Query", QUERY_RED(PROJECTION("sk")), OK,
         "{\"Items\":[" SK("1") "," SK("3") "],\"Count\":2,\"ScannedCount\":3}"},
        {"Scan", SCAN_RED(PROJECTION("sk")), OK,
         "{\"Items\":[" SK("1") "," SK("3") "],\"Count\":2,\"ScannedCount\":3}"},
        {"Scan", SCAN(PROJECTION("l[1]")), OK,
         "{\"Items\":[{\"l\":{\"L\":[{\"N\":\"2\"}]}},{},{}],\"Count\":3,\"ScannedCount\":3}"},
        {"Scan", SCAN(",\"AttributesToGet\":[\"sk\",\"nothing\",\"l\"]"), OK,
         "{\"Items\":[{\"l\":{\"L\":[{\"N\":\"1\"},{\"N\":\"2\"}]},\"sk\":{\"N\":\"1\"}}," SK(
             "2") "," SK("3") "],\"Count\":3,\"ScannedCount\":3}"},
        {"Query", QUERY_RED(",\"Select\":\"COUNT\""), OK, "{\"Count\":2,\"ScannedCount\":3}"},
        {"Scan", SCAN_RED(",\"Select\":\"COUNT\""), OK, "{\"Count\":2,\"ScannedCount\":3}"},
        {"Query", QUERY_RED(PROJECTION("sk") ",\"Select\":\"SPECIFIC_ATTRIBUTES\",\"Limit\":1"), OK,
         "{\"Items\":[" SK("1") "],\"Count\":1,\"ScannedCount\":1" LAST("1")},
        {"Scan",
         "{\"TableName\":\"both\",\"FilterExpression\":\"begins_with(pk, :p) AND sk > :n\","
         "\"ProjectionExpression\":\"#s\",\"ExpressionAttributeNames\":{\"#s\":\"sk\"},"
         "\"ExpressionAttributeValues\":{\":p\":{\"S\":\"p\"},\":n\":{\"N\":\"1\"}}}",
         OK, "{\"Items\":[" SK("2") "," SK("3") "],\"Count\":2,\"ScannedCount\":3}"},
    };

    SCRIPT(state, steps);
}

#define IS(name, operator, values)                                                                 \
    "\"" name "\":{\"ComparisonOperator\":\"" operator"\",\"AttributeValueList\":[" values "]}"

static void older_filters_choose_the_same(void **state)
{
#define RED ",\"ScanFilter\":{" IS("c", "EQ", "{\"S\":\"red\"}")
    static const struct step steps[] = {
        THREE,
        {"Scan", SCAN(RED "},\"AttributesToGet\":[\"sk\"]"), OK,
         "{\"Items\":[" SK("1") "," SK("3") "],\"Count\":2,\"ScannedCount\":3}"},
        {"Scan",
         SCAN(RED "," IS("l", "NULL", "") "},\"ConditionalOperator\":\"AND\",\"AttributesToGet\":["
                                          "\"sk\"]"),
         OK, "{\"Items\":[" SK("3") "],\"Count\":1,\"ScannedCount\":3}"},
        {"Scan",
         SCAN(RED "," IS("sk", "GT", "{\"N\":\"1\"}") "},\"ConditionalOperator\":\"OR\","
                                                      "\"Select\":\"COUNT\""),
         OK, "{\"Count\":3,\"ScannedCount\":3}"},
        {"Scan", SCAN(RED "},\"ConditionalOperator\":\"OR\""), BAD,
         INVALID "ConditionalOperator can only be used when Filter or Expected has two or more "
                 "elements"},
        {"Scan", SCAN(",\"ConditionalOperator\":\"OR\""), BAD,
         INVALID "ConditionalOperator cannot be used without Filter or Expected"},
        {"Scan", SCAN(RED "},\"FilterExpression\":\"a = b\""), BAD,
         INVALID "Can not use both expression and non-expression parameters in the same request: "
                 "Non-expression parameters: {ScanFilter} Expression parameters: "
                 "{FilterExpression}"},
        /* of several mistakes */
        {"Scan",
         SCAN(",\"ScanFilter\":{" IS("c", "EQ",
                                     "") "},\"AttributesToGet\":[\"a\",\"a\"],\"Segment\":"
                                         "1"),
         BAD, PARAMS "Duplicate value in attribute name: a"},
        {"Scan",
         SCAN(
             ",\"ScanFilter\":{" IS("c", "EQ", "") "},\"ExclusiveStartKey\":{\"a\":{}},\"Segment\":"
                                                   "1"),
         BAD, PARAMS "Invalid number of argument(s) for the EQ ComparisonOperator"},
    };

    SCRIPT(state, steps);
}

/* What the filter dropped counts too, and a full page has a key even if nothing follows. */
static void a_limit_is_of_what_is_looked_at(void **state)
{
    static const struct step steps[] = {
        THREE,
        {"Query", QUERY_RED(PROJECTION("sk") ",\"Limit\":2"), OK,
         "{\"Items\":[" SK("1") "],\"Count\":1,\"ScannedCount\":2" LAST("2")},
        {"Query", QUERY_RED(PROJECTION("sk") ",\"Limit\":2,\"ScanIndexForward\":false"), OK,
         "{\"Items\":[" SK("3") "],\"Count\":1,\"ScannedCount\":2" LAST("2")},
        {"Scan", SCAN_RED(PROJECTION("sk") ",\"Limit\":3"), OK,
         "{\"Items\":[" SK("1") "," SK("3") "],\"Count\":2,\"ScannedCount\":3" LAST("3")},
        {"Scan", SCAN_RED(",\"Select\":\"COUNT\",\"Limit\":2"), OK,
         "{\"Count\":1,\"ScannedCount\":2" LAST("2")},
        {"Query", QUERY(",\"Select\":\"COUNT\",\"Limit\":4"), OK,
         "{\"Count\":3,\"ScannedCount\":3}"},
    };

    SCRIPT(state, steps);
}

static void select_is_held_against_what_is_wanted(void **state)
{
#define NOT_WITH(what) "Cannot specify the ProjectionExpression when choosing to get " what
#define NEEDS                                                                                      \
    "Must specify the AttributesToGet or ProjectionExpression when choosing to get "               \
    "SPECIFIC_ATTRIBUTES"
#define NEEDS_INDEX "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"
    static const struct step steps[] = {
        BOTH_TABLE,
        {"Query", QUERY(",\"Select\":\"COUNT\"" PROJECTION("c")), BAD,
         ONE NOT_WITH("only the Count")},
        {"Scan", SCAN(",\"Select\":\"COUNT\"" PROJECTION("c")), BAD,
         INVALID NOT_WITH("only the Count")},
        {"Query", QUERY(",\"Select\":\"ALL_ATTRIBUTES\"" PROJECTION("c")), BAD,
         ONE NOT_WITH("ALL_ATTRIBUTES")},
        {"Scan", SCAN(",\"Select\":\"ALL_PROJECTED_ATTRIBUTES\"" PROJECTION("c")), BAD,
         INVALID NOT_WITH("ALL_PROJECTED_ATTRIBUTES")},
        {"Scan", SCAN(",\"Select\":\"COUNT\",\"AttributesToGet\":[\"c\"]"), BAD,
         INVALID "Cannot specify the AttributesToGet when choosing to get only the Count"},
        {"Query", QUERY(",\"Select\":\"SPECIFIC_ATTRIBUTES\""), BAD, ONE NEEDS},
        {"Scan", SCAN(",\"Select\":\"SPECIFIC_ATTRIBUTES\""), BAD, INVALID NEEDS},
        {"Query", QUERY(",\"Select\":\"ALL_PROJECTED_ATTRIBUTES\""), BAD, ONE NEEDS_INDEX},
        {"Scan", SCAN(",\"Select\":\"ALL_PROJECTED_ATTRIBUTES\""), BAD, INVALID NEEDS_INDEX},
        {"Scan", SCAN(",\"Select\":\"SPECIFIC_ATTRIBUTES\",\"AttributesToGet\":[\"c\"]"), OK, NULL},
        {"Query", QUERY(",\"Select\":\"ALL_ATTRIBUTES\""), OK, NULL},
    };

    SCRIPT(state, steps);
}

/* Of what was looked at, in units of 4 KB, whatever was kept; 3 items of 4,000 bytes and a few. */
static void capacity_is_of_what_is_looked_at(void **state)
{
    struct fixture *fixture = *state;
    static const struct step before[] = {BOTH_TABLE};
    static const struct step after[] = {
        {"Query", QUERY_RED(",\"Select\":\"COUNT\"," TOTAL), OK,
         "{\"Count\":0,\"ScannedCount\":3,\"ConsumedCapacity\":{\"TableName\":\"both\","
         "\"CapacityUnits\":1.5}}"},
        {"Scan", SCAN_RED(",\"Select\":\"COUNT\",\"ConsistentRead\":true," TOTAL), OK,
         "{\"Count\":0,\"ScannedCount\":3,\"ConsumedCapacity\":{\"TableName\":\"both\","
         "\"CapacityUnits\":3.0}}"},
        {"Query", QUERY(",\"Select\":\"COUNT\",\"Limit\":1,\"ReturnConsumedCapacity\":\"INDEXES\""),
         OK,
         "{\"Count\":1,\"ScannedCount\":1,\"LastEvaluatedKey\":{\"pk\":{\"S\":\"p\"},\"sk\":{\"N\":"
         "\"0\"}},\"ConsumedCapacity\":{\"TableName\":\"both\",\"CapacityUnits\":0.5,\"Table\":{"
         "\"CapacityUnits\":0.5}}}"},
    };
    struct buf body, reply;

    SCRIPT(state, before);
    buf_init(&body);
    buf_init(&reply);
    for (int i = 0; i < 3; i++) {
        buf_clear(&body);
        buf_printf(&body,
                   "{\"TableName\":\"both\",\"Item\":{\"pk\":{\"S\":\"p\"},\"sk\":{\"N\":\"%d\"},"
                   "\"v\":{\"S\":\"%04000d\"}}}",
                   i, 0);
        assert_int_equal(api_call(fixture->api, "PutItem", buf_bytes(&body), &reply), OK);
    }
    buf_release(&body);
    buf_release(&reply);
    SCRIPT(state, after);
}

static void put_of_size(struct fixture *fixture, int number, int size)
{
    struct buf body, reply;

    buf_init(&body);
    buf_init(&reply);
    buf_printf(&body,
               "{\"TableName\":\"both\",\"Item\":{\"pk\":{\"S\":\"p\"},\"sk\":{\"N\":\"%d\"},\"v\":"
               "{\"S\":\"%0*d\"}}}",
               number, size - 8, 0); /* pk and p, sk and two bytes, v */
    assert_int_equal(api_call(fixture->api, "PutItem", buf_bytes(&body), &reply), OK);
    buf_release(&body);
    buf_release(&reply);
}

/* Items of 256 KB: four are 1 MB exactly, one byte less is not. */
static void a_megabyte_ends_a_page(void **state)
{
    static const struct step before[] = {BOTH_TABLE};
    static const struct step full[] = {
        {"Query", QUERY(",\"Select\":\"COUNT\""), OK, "{\"Count\":4,\"ScannedCount\":4" LAST("4")},
        {"Scan", SCAN_RED(",\"Select\":\"COUNT\""), OK,
         "{\"Count\":0,\"ScannedCount\":4" LAST("4")},
        {"Query",
         QUERY(",\"Select\":\"COUNT\",\"ExclusiveStartKey\":{\"pk\":{\"S\":\"p\"},\"sk\":{\"N\":"
               "\"4\"}}"),
         OK, "{\"Count\":0,\"ScannedCount\":0}"},
    };
    static const struct step less[] = {
        {"Query", QUERY(",\"Select\":\"COUNT\""), OK, "{\"Count\":4,\"ScannedCount\":4}"},
        {"Scan", SCAN_RED(",\"Select\":\"COUNT\""), OK, "{\"Count\":0,\"ScannedCount\":4}"},
    };

    SCRIPT(state, before);
    for (int i = 1; i <= 4; i++)
        put_of_size(*state, i, 256 * 1024);
    SCRIPT(state, full);
    put_of_size(*state, 2, 256 * 1024 - 1);
    SCRIPT(state, less);
}

/* 75 searches of 2 MB for each item come to 1 GB with the eighth. */
static void a_filter_with_much_to_do_ends_a_page(void **state)
{
    static const struct step before[] = {BOTH_TABLE};
    struct fixture *fixture = *state;
    struct buf body, reply;

    SCRIPT(state, before);
    for (int i = 1; i <= 10; i++)
        put_of_size(fixture, i, 100);
    buf_init(&body);
    buf_init(&reply);
    buf_put_text(&body, "{\"TableName\":\"both\",\"Select\":\"COUNT\",\"FilterExpression\":\"");
    for (int i = 0; i < 75; i++)
        buf_put_text(&body, i > 0 ? " OR contains(:x, c)" : "contains(:x, c)");
    buf_printf(&body, "\",\"ExpressionAttributeValues\":{\":x\":{\"S\":\"%0*d\"}}", 2000000, 0);
    size_t size = body.size;
    buf_put_text(&body, "}");
    assert_int_equal(api_call(fixture->api, "Scan", buf_bytes(&body), &reply), OK);
    assert_string_equal((char *)reply.data, "{\"Count\":0,\"ScannedCount\":8" LAST("8"));
    body.size = size;
    buf_put_text(&body, ",\"ExclusiveStartKey\":{\"pk\":{\"S\":\"p\"},\"sk\":{\"N\":\"8\"}}}");
    buf_clear(&reply);
    assert_int_equal(api_call(fixture->api, "Scan", buf_bytes(&body), &reply), OK);
    assert_string_equal((char *)reply.data, "{\"Count\":0,\"ScannedCount\":2}");
    buf_release(&body);
    buf_release(&reply);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_setup, script_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(filters_and_projections_choose),       TEST(older_filters_choose_the_same),
        TEST(a_limit_is_of_what_is_looked_at),      TEST(select_is_held_against_what_is_wanted),
        TEST(capacity_is_of_what_is_looked_at),     TEST(a_megabyte_ends_a_page),
        TEST(a_filter_with_much_to_do_ends_a_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
