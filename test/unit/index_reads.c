/* test/unit/index_reads.c - Query and Scan on secondary indexes as a client sees them: what they
 * find and what it costs, and what is told in which order. The table is that of dynalite's tests,
 * which ran on the service. */
#include "support/check.h"

#include "support/api_script.h"

#define S(a) "{\"AttributeName\":\"" a "\",\"AttributeType\":\"S\"}"
#define H(a) "{\"AttributeName\":\"" a "\",\"KeyType\":\"HASH\"}"
#define R(a) "{\"AttributeName\":\"" a "\",\"KeyType\":\"RANGE\"}"
#define ALL  "\"ProjectionType\":\"ALL\""

#define INCLUDE(names) "\"ProjectionType\":\"INCLUDE\",\"NonKeyAttributes\":[" names "]"
#define INDEX(name, keys, projection)                                                              \
    "{\"IndexName\":\"" name "\",\"KeySchema\":[" keys "],\"Projection\":{" projection "}}"

#define TABLE                                                                                                                                                                 \
    {                                                                                                                                                                         \
        "CreateTable",                                                                                                                                                        \
            "{\"TableName\":\"abc\",\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":[" H("a") "," R("b") "],\"AttributeDefinitions\":[" S("a") "," S("b") "," S("c") "," S( \
                "d") "],\"LocalSecondaryIndexes\":[" INDEX("index1", H("a") "," R("c"),                                                                                       \
                                                           ALL) "," INDEX("index2",                                                                                           \
                                                                          H("a") "," R("d"),                                                                                  \
                                                                          INCLUDE(                                                                                            \
                                                                              "\"c\"")) "],"                                                                                  \
                                                                                        "\"Global"                                                                            \
                                                                                        "Secondar"                                                                            \
                                                                                        "yIndexes"                                                                            \
                                                                                        "\":"                                                                                 \
                                                                                        "[" INDEX("index3", H("c"), ALL) "," INDEX(                                           \
                                                                                            "inde"                                                                            \
                                                                                            "x4",                                                                             \
                                                                                            H("c") "," R(                                                                     \
                                                                                                "d"),                                                                         \
                                                                                            INCLUDE(                                                                          \
                                                                                                "\"e\"")) "]}",                                                               \
            OK, NULL                                                                                                                                                          \
    }
#define A(name, text) "\"" name "\":{\"S\":\"" text "\"}"
#define N(name, text) "\"" name "\":{\"N\":\"" text "\"}"
#define PUT_OF(attributes)                                                                         \
    {                                                                                              \
        "PutItem", "{\"TableName\":\"abc\",\"Item\":{" attributes "}}", OK, "{}"                   \
    }
#define ITEMS                                                                                      \
    TABLE, PUT_OF(A("a", "p") "," A("b", "1") "," A("c", "x") "," A("d", "d2")),                   \
        PUT_OF(A("a", "p") "," A("b", "2")),                                                       \
        PUT_OF(A("a", "p") "," A("b", "3") "," A("d", "d1") "," A("e", "e3") "," A("f", "f3")),    \
        PUT_OF(A("a", "p") "," A("b", "4") "," A("c", "x") "," A("d", "d1") "," A("e", "e4")),     \
        PUT_OF(A("a", "q") "," A("b", "5") "," A("c", "x") "," A("d", "d2") "," A("f", "f5"))

#define QUERY(index, condition, more)                                                              \
    "{\"TableName\":\"abc\",\"IndexName\":\"" index "\",\"KeyConditionExpression\":\"" condition   \
    "\"" more "}"
#define VALUES(values)    ",\"ExpressionAttributeValues\":{" values "}"
#define OF_P              VALUES(A(":p", "p"))
#define OF_X              VALUES(A(":x", "x"))
#define SCAN(index, more) "{\"TableName\":\"abc\",\"IndexName\":\"" index "\"" more "}"
#define SELECT(what)      ",\"Select\":\"" what "\""
#define PROJECT(names)    ",\"ProjectionExpression\":\"" names "\""
#define FILTER(text)      ",\"FilterExpression\":\"" text "\""
#define FROM(key)         ",\"ExclusiveStartKey\":{" key "}"
#define BACKWARD          ",\"ScanIndexForward\":false"
#define LIMIT(count)      ",\"Limit\":" count
#define COSTS             ",\"ReturnConsumedCapacity\":\"INDEXES\""
#define CONSISTENT        ",\"ConsistentRead\":true"
#define FOUND(items, n)   "{\"Items\":[" items "],\"Count\":" n ",\"ScannedCount\":" n "}"
#define FOUND_AND(items, n, more)                                                                  \
    "{\"Items\":[" items "],\"Count\":" n ",\"ScannedCount\":" n "," more "}"
#define COST(all, table, indexes)                                                                  \
    "\"ConsumedCapacity\":{\"TableName\":\"abc\",\"CapacityUnits\":" all                           \
    ",\"Table\":{\"CapacityUnits\":" table "}" indexes "}"
#define LOCAL(name, units) ",\"LocalSecondaryIndexes\":{\"" name "\":{\"CapacityUnits\":" units "}}"
#define GLOBAL(name, units)                                                                        \
    ",\"GlobalSecondaryIndexes\":{\"" name "\":{\"CapacityUnits\":" units "}}"

/* What index2 (a, d: c) has of them. */
#define D1_3 "{" A("a", "p") "," A("b", "3") "," A("d", "d1") "}"
#define D1_4 "{" A("a", "p") "," A("b", "4") "," A("c", "x") "," A("d", "d1") "}"
#define D2_1 "{" A("a", "p") "," A("b", "1") "," A("c", "x") "," A("d", "d2") "}"
/* All of two of them. */
#define ALL_3 "{" A("a", "p") "," A("b", "3") "," A("d", "d1") "," A("e", "e3") "," A("f", "f3") "}"
#define ALL_4 "{" A("a", "p") "," A("b", "4") "," A("c", "x") "," A("d", "d1") "," A("e", "e4") "}"

static void local_indexes_are_read(void **state)
{
    static const struct step steps[] = {
        ITEMS,
        {"Query", QUERY("index2", "a = :p", OF_P), OK, FOUND(D1_3 "," D1_4 "," D2_1, "3")},
        {"Query", QUERY("index2", "a = :p", OF_P BACKWARD), OK, FOUND(D2_1 "," D1_4 "," D1_3, "3")},
        {"Query",
         QUERY("index2", "a = :p AND begins_with(d, :d)",
               VALUES(A(":p", "p") "," A(":d", "d2")) SELECT("ALL_PROJECTED_ATTRIBUTES")),
         OK, FOUND(D2_1, "1")},
        {"Query", QUERY("index2", "a = :p", OF_P SELECT("COUNT") CONSISTENT), OK,
         "{\"Count\":3,\"ScannedCount\":3}"},
        /* paging through entries with the same keys */
        {"Query", QUERY("index2", "a = :p", OF_P LIMIT("1")), OK,
         FOUND_AND(D1_3, "1", "\"LastEvaluatedKey\":" D1_3)},
        {"Query",
         QUERY("index2", "a = :p",
               OF_P FROM(A("a", "p") "," A("b", "3") "," A("d", "d1")) LIMIT("1")),
         OK,
         FOUND_AND(D1_4, "1",
                   "\"LastEvaluatedKey\":{" A("a", "p") "," A("b", "4") "," A("d", "d1") "}")},
        {"Query",
         QUERY("index2", "a = :p AND d = :d",
               VALUES(A(":p", "p") "," A(":d", "d1"))
                   FROM(A("a", "p") "," A("b", "4") "," A("d", "d1"))),
         OK, FOUND("", "0")},
        {"Query",
         QUERY("index2", "a = :p",
               OF_P BACKWARD FROM(A("a", "p") "," A("b", "4") "," A("d", "d1"))),
         OK, FOUND(D1_3, "1")},
        /* a filter sees what the index has */
        {"Query",
         QUERY("index2", "a = :p",
               VALUES(A(":p", "p") "," A(":x", "x")) FILTER("c = :x") PROJECT("b")),
         OK, "{\"Items\":[{" A("b", "4") "},{" A("b", "1") "}],\"Count\":2,\"ScannedCount\":3}"},
        {"Scan", SCAN("index1", SELECT("COUNT")), OK, "{\"Count\":3,\"ScannedCount\":3}"},
        {"Scan", SCAN("index2", FILTER("attribute_not_exists(f)") SELECT("COUNT")), OK,
         "{\"Count\":4,\"ScannedCount\":4}"},
    };

    SCRIPT(state, steps);
}

/* Of three items that are looked at, each fetch is a unit of the table (dynalite, test/query.js).
 */
static void what_a_local_index_lacks_is_fetched(void **state)
{
#define ALL_1 "{" A("a", "p") "," A("b", "1") "," A("c", "x") "," A("d", "d2") "}"
    static const struct step steps[] = {
        ITEMS,
        {"Query", QUERY("index2", "a = :p", OF_P CONSISTENT COSTS), OK,
         FOUND_AND(D1_3 "," D1_4 "," D2_1, "3", COST("1.0", "0.0", LOCAL("index2", "1.0")))},
        {"Query", QUERY("index2", "a = :p", OF_P SELECT("ALL_ATTRIBUTES") CONSISTENT COSTS), OK,
         FOUND_AND(ALL_3 "," ALL_4 "," ALL_1, "3", COST("4.0", "3.0", LOCAL("index2", "1.0")))},
        {"Query",
         QUERY("index2", "a = :p",
               OF_P SELECT("ALL_ATTRIBUTES") ",\"ReturnConsumedCapacity\":\"TOTAL\""),
         OK,
         FOUND_AND(ALL_3 "," ALL_4 "," ALL_1, "3",
                   "\"ConsumedCapacity\":{\"TableName\":\"abc\",\"CapacityUnits\":2.0}")},
        {"Query", QUERY("index2", "a = :p", OF_P PROJECT("f, b") COSTS), OK,
         FOUND_AND("{" A("b", "3") "," A("f", "f3") "},{" A("b", "4") "},{" A("b", "1") "}", "3",
                   COST("2.0", "1.5", LOCAL("index2", "0.5")))},
        {"Query", QUERY("index2", "a = :p", OF_P PROJECT("c, b") COSTS), OK,
         FOUND_AND("{" A("b", "3") "},{" A("b", "4") "," A("c", "x") "},{" A("b", "1") "," A(
                       "c", "x") "}",
                   "3", COST("0.5", "0.0", LOCAL("index2", "0.5")))},
        {"Query",
         "{\"TableName\":\"abc\",\"IndexName\":\"index2\",\"KeyConditions\":{\"a\":{"
         "\"ComparisonOperator\":\"EQ\",\"AttributeValueList\":[{\"S\":\"p\"}]}},"
         "\"AttributesToGet\":[\"e\"]" LIMIT("1") COSTS "}",
         OK,
         FOUND_AND("{" A("e", "e3") "}", "1",
                   "\"LastEvaluatedKey\":" D1_3 "," COST("1.0", "0.5", LOCAL("index2", "0.5")))},
        /* what the filter drops is paid for */
        {"Scan", SCAN("index2", VALUES(A(":x", "x")) FILTER("c = :x") PROJECT("f") COSTS), OK,
         "{\"Items\":[{},{},{" A("f", "f5") "}],\"Count\":3,\"ScannedCount\":4," COST(
             "2.5", "2.0", LOCAL("index2", "0.5")) "}"},
        /* an index with everything has nothing to fetch */
        {"Query", QUERY("index1", "a = :p", OF_P SELECT("ALL_ATTRIBUTES") COSTS LIMIT("1")), OK,
         FOUND_AND(ALL_1, "1",
                   "\"LastEvaluatedKey\":{" A("a", "p") "," A("b", "1") "," A("c", "x") "}," COST(
                       "0.5", "0.0", LOCAL("index1", "0.5")))},
    };

    SCRIPT(state, steps);
}

static void global_indexes_are_read(void **state)
{
#define G1 "{" A("a", "p") "," A("b", "1") "," A("c", "x") "," A("d", "d2") "}"
#define G4 "{" A("a", "p") "," A("b", "4") "," A("c", "x") "," A("d", "d1") "," A("e", "e4") "}"
#define G5 "{" A("a", "q") "," A("b", "5") "," A("c", "x") "," A("d", "d2") "}"
    static const struct step steps[] = {
        ITEMS,
        /* of those with the same keys the hash of "q5" is the least */
        {"Query", QUERY("index4", "c = :x", OF_X), OK, FOUND(G4 "," G5 "," G1, "3")},
        {"Query", QUERY("index4", "c = :x", OF_X BACKWARD LIMIT("2")), OK,
         FOUND_AND(G1 "," G5, "2", "\"LastEvaluatedKey\":" G5)},
        {"Query",
         QUERY("index4", "c = :x",
               OF_X BACKWARD FROM(A("a", "q") "," A("b", "5") "," A("c", "x") "," A("d", "d2"))),
         OK, FOUND(G4, "1")},
        {"Query",
         QUERY("index4", "c = :x AND d = :d",
               VALUES(A(":x", "x") "," A(":d", "d2"))
                   FROM(A("a", "q") "," A("b", "5") "," A("c", "x") "," A("d", "d2"))),
         OK, FOUND(G1, "1")},
        {"Query", QUERY("index4", "c = :x", OF_X PROJECT("e") COSTS), OK,
         FOUND_AND("{" A("e", "e4") "},{},{}", "3", COST("0.5", "0.0", GLOBAL("index4", "0.5")))},
        {"Query", QUERY("index3", "c = :x", OF_X SELECT("ALL_ATTRIBUTES") PROJECT("f")), BAD,
         ONE "Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES"},
        {"Query", QUERY("index3", "c = :x", OF_X PROJECT("f")), OK,
         FOUND("{" A("f", "f5") "},{},{}", "3")},
        /* keys of the table may be in the filter */
        {"Query", QUERY("index4", "c = :x", VALUES(A(":x", "x") "," A(":p", "p")) FILTER("a = :p")),
         OK, "{\"Items\":[" G4 "," G1 "],\"Count\":2,\"ScannedCount\":3}"},
        {"Scan", SCAN("index4", SELECT("ALL_PROJECTED_ATTRIBUTES")), OK,
         FOUND(G4 "," G5 "," G1, "3")},
        {"Scan", SCAN("index4", ",\"Segment\":0,\"TotalSegments\":1" LIMIT("1")), OK,
         FOUND_AND(G4, "1",
                   "\"LastEvaluatedKey\":{" A("a", "p") "," A("b", "4") "," A("c", "x") "," A(
                       "d", "d1") "}")},
        {"Scan",
         SCAN("index4", FROM(A("a", "p") "," A("b", "4") "," A("c", "x") "," A("d", "d1"))
                            FILTER("attribute_exists(f)") COSTS),
         OK,
         "{\"Items\":[],\"Count\":0,\"ScannedCount\":2," COST("0.5", "0.0",
                                                              GLOBAL("index4", "0.5")) "}"},
        /* a write changes them at once */
        {"DeleteItem", "{\"TableName\":\"abc\",\"Key\":{" A("a", "q") "," A("b", "5") "}}", OK,
         "{}"},
        {"Query", QUERY("index4", "c = :x", OF_X), OK, FOUND(G4 "," G1, "2")},
    };

    SCRIPT(state, steps);
}

#define MISSED   INVALID "Query condition missed key schema element: "
#define START    INVALID "The provided starting key is invalid"
#define MISMATCH "The provided key element does not match the schema"
#define LACKING_ALL                                                                                \
    PARAMS "Select type ALL_ATTRIBUTES is not supported for global secondary index index4 "        \
           "because its projection type is not ALL"
#define ABCD(a, b, c, d) a "," b "," c "," d

/* Each step has one mistake less than the one before, in what the service tells first. */
static const struct step query_mistakes[] = {
    TABLE,
    {"Query", QUERY("other", "z = :p", OF_P FROM("") CONSISTENT), BAD,
     INVALID "The table does not have the specified index: other"},
    {"Query", QUERY("index4", "z = :p", OF_P FROM("") CONSISTENT), BAD,
     INVALID "Consistent reads are not supported on global secondary indexes"},
    {"Query", QUERY("index4", "z = :p", OF_P FROM(A("c", "1"))), BAD, START},
    {"Query",
     QUERY("index4", "z = :p", OF_P FROM(ABCD(N("x", "1"), N("y", "1"), N("z", "1"), N("d", "1")))),
     BAD, START},
    {"Query",
     QUERY("index4", "z = :p", OF_P FROM(ABCD(N("x", "1"), N("y", "1"), N("c", "1"), N("d", "1")))),
     BAD, INVALID MISMATCH},
    {"Query",
     QUERY("index4", "z = :p", OF_P FROM(ABCD(N("x", "1"), N("y", "1"), A("c", "1"), N("d", "1")))),
     BAD, MISSED "c"},
    {"Query",
     QUERY("index4", "c = :p AND z = :p",
           OF_P FROM(ABCD(N("x", "1"), N("y", "1"), A("c", "1"), N("d", "1")))),
     BAD, INVALID MISMATCH},
    {"Query",
     QUERY("index4", "c = :p AND z = :p",
           OF_P FROM(ABCD(N("x", "1"), N("y", "1"), A("c", "1"), A("d", "1")))),
     BAD, MISSED "d"},
    {"Query",
     QUERY("index4", "c = :p", OF_P FROM(ABCD(N("x", "1"), N("y", "1"), A("c", "1"), A("d", "1")))),
     BAD, START ": " MISMATCH},
    {"Query",
     QUERY("index4", "c = :p AND d > :p",
           OF_P FROM(ABCD(A("a", "1"), A("b", "1"), A("c", "1"), A("d", "1"))) PROJECT("c.x")),
     BAD, INVALID "The provided starting key does not match the range key predicate"},
    {"Query",
     QUERY("index4", "c = :p AND d < :p",
           OF_P FROM(ABCD(A("a", "1"), A("b", "1"), A("c", "1"), A("d", "1"))) PROJECT("c.x")),
     BAD, INVALID "The query can return at most one row and cannot be restarted"},
    {"Query",
     QUERY("index4", "c = :p",
           OF_P FROM(ABCD(A("a", "1"), A("b", "1"), A("c", "1"), A("d", "1"))) PROJECT("c.x")),
     BAD,
     INVALID "The provided starting key is outside query boundaries based on provided "
             "conditions"},
    {"Query",
     QUERY("index4", "c = :p",
           OF_P FROM(ABCD(A("a", "1"), A("b", "1"), A("c", "p"), A("d", "1"))) PROJECT("c.x")
               FILTER("d = :p")),
     BAD,
     INVALID "Key attributes must be scalars; list random access '[]' and map lookup '.' are "
             "not allowed: IndexKey: c"},
    {"Query", QUERY("index4", "c = :p", OF_P PROJECT("f, b") FILTER("d = :p AND g = :p")), BAD,
     INVALID "Filter Expression can only contain non-primary key attributes: Primary key "
             "attribute: d"},
    {"Query", QUERY("index4", "c = :p", OF_P PROJECT("f, b") FILTER("g.x = f AND e = :p")), BAD,
     PARAMS "Secondary index index4 does not project one or more filter attributes: [f, g]"},
    {"Query", QUERY("index2", "a = :p", OF_P PROJECT("e") FILTER("e = :p")), BAD,
     PARAMS "Secondary index index2 does not project one or more filter attributes: [e]"},
    {"Query", QUERY("index4", "c = :p", OF_P SELECT("ALL_ATTRIBUTES") FILTER("a.x = :p")), BAD,
     LACKING_ALL},
    {"Query", QUERY("index4", "c = :p", OF_P PROJECT("z[1], b, f") FILTER("a.x = :p")), BAD,
     PARAMS "Global secondary index index4 does not project [z, f]"},
    {"Query", QUERY("index4", "c = :p", OF_P PROJECT("b") FILTER("a.x = :p")), BAD,
     INVALID "Key attributes must be scalars; list random access '[]' and map lookup '.' are "
             "not allowed: Key: a"},
    {"Query", QUERY("index4", "c = :p", OF_P PROJECT("b")), OK, FOUND("", "0")},
};

static void mistakes_of_queries_are_told_in_order(void **state)
{
    SCRIPT(state, query_mistakes);
}

static void mistakes_of_scans_are_told_in_order(void **state)
{
    static const struct step steps[] = {
        TABLE,
        {"Scan", SCAN("other", FROM("") FILTER("attribute_exists(a.b.c)")), BAD,
         INVALID "The table does not have the specified index: other"},
        {"Scan", SCAN("index3", FROM("") CONSISTENT), BAD,
         INVALID "Consistent reads are not supported on global secondary indexes"},
        {"Scan", SCAN("index4", SELECT("ALL_ATTRIBUTES") FROM(N("a", "1") "," A("c", "1"))), BAD,
         START},
        {"Scan",
         SCAN("index4", SELECT("ALL_ATTRIBUTES")
                            FROM(ABCD(N("x", "1"), N("y", "1"), A("c", "1"), N("e", "1")))),
         BAD, START},
        {"Scan",
         SCAN("index4", SELECT("ALL_ATTRIBUTES")
                            FROM(ABCD(N("x", "1"), N("y", "1"), A("c", "1"), N("d", "1")))),
         BAD, INVALID MISMATCH},
        {"Scan",
         SCAN("index4", SELECT("ALL_ATTRIBUTES")
                            FROM(ABCD(N("x", "1"), N("y", "1"), A("c", "1"), A("d", "1")))),
         BAD, LACKING_ALL},
        {"Scan",
         SCAN("index4",
              FROM(ABCD(N("x", "1"), N("y", "1"), A("c", "1"), A("d", "1"))) PROJECT("c.x")),
         BAD, START ": " MISMATCH},
        {"Scan", SCAN("index1", FROM(A("a", "1") "," N("b", "1") "," A("c", "a"))), BAD,
         START ": " MISMATCH},
        {"Scan", SCAN("index4", PROJECT("c.x") FILTER("attribute_exists(d.x)")), BAD,
         INVALID "Key attributes must be scalars; list random access '[]' and map lookup '.' are "
                 "not allowed: IndexKey: c"},
        {"Scan", SCAN("index4", PROJECT("f") FILTER("attribute_exists(d.x)")), BAD,
         INVALID "Key attributes must be scalars; list random access '[]' and map lookup '.' are "
                 "not allowed: IndexKey: d"},
        {"Scan", SCAN("index4", PROJECT("f") FILTER("attribute_exists(f.x)")), BAD,
         PARAMS "Global secondary index index4 does not project [f]"},
        {"Scan", SCAN("index4", PROJECT("e") FILTER("attribute_exists(f.x)")), OK, FOUND("", "0")},
    };

    SCRIPT(state, steps);
}

/* dynamodb-conformance, query/multiAttributeGsiKey: what the service answered, item by item. */
static void keys_of_several_attributes_are_queried(void **state)
{
#define T(pk, a, b, c, d)                                                                          \
    PUT_OF(A("pk", pk) "," A("h", "o") "," A("a", a) "," A("b", b) c "," A("d", d))
#define MANY(condition, values, more)                                                              \
    QUERY("gsi", "h = :h" condition, VALUES(A(":h", "o") values) PROJECT("pk") more)
#define PKS(one) "{" A("pk", one) "}"
    static const struct step steps[] = {
        {"CreateTable",
         "{\"TableName\":\"abc\",\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":"
         "[" H("pk") "],\"AttributeDefinitions\":[" S("pk") "," S("h") "," S("a") "," S("b") "," S(
             "c") "," S("d") "],"
                             "\"GlobalSecondaryIndexes\":"
                             "[" INDEX("gsi", H("h") "," R("a") "," R("b") "," R("c") "," R("d"),
                                       ALL) "]}",
         OK, NULL},
        T("p1", "T", "live", "," A("c", "b"), "r1"),
        T("p2", "T", "live", "," A("c", "a"), "r2"),
        T("p3", "T", "live", "," A("c", "a"), "r1"),
        T("p4", "T", "draft", "," A("c", "c"), "r1"),
        T("p5", "F", "live", "," A("c", "a"), "r0"),
        T("p6", "T", "live", , "r1"),
        {"Query", MANY("", , ), OK,
         FOUND(PKS("p5") "," PKS("p4") "," PKS("p3") "," PKS("p2") "," PKS("p1"), "5")},
        {"Query", MANY(" AND a = :a", "," A(":a", "T"), BACKWARD), OK,
         FOUND(PKS("p1") "," PKS("p2") "," PKS("p3") "," PKS("p4"), "4")},
        {"Query", MANY(" AND a = :a AND b < :b", "," A(":a", "T") "," A(":b", "live"), ), OK,
         FOUND(PKS("p4"), "1")},
        {"Query",
         MANY(" AND c > :c AND b = :b AND a = :a",
              "," A(":a", "T") "," A(":b", "live") "," A(":c", "a"), ),
         OK, FOUND(PKS("p1"), "1")},
        {"Query",
         MANY(" AND a = :a AND b = :b AND c = :c AND begins_with(d, :d)",
              "," A(":a", "T") "," A(":b", "live") "," A(":c", "a") "," A(":d", "r"), ),
         OK, FOUND(PKS("p3") "," PKS("p2"), "2")},
        {"Query",
         MANY(" AND a = :a AND b = :b AND c = :c AND d BETWEEN :d AND :d",
              "," A(":a", "T") "," A(":b", "live") "," A(":c", "a") "," A(":d", "r1"), ),
         OK, FOUND(PKS("p3"), "1")},
        {"Query", MANY(" AND a = :a", "," A(":a", "T"), LIMIT("2")), OK,
         FOUND_AND(PKS("p4") "," PKS("p3"), "2",
                   "\"LastEvaluatedKey\":{" A("a", "T") "," A("b", "live") "," A("c", "a") "," A(
                       "d", "r1") "," A("h", "o") "," A("pk", "p3") "}")},
        {"Query",
         MANY(" AND a = :a", "," A(":a", "T"),
              FROM(A("a", "T") "," A("b", "live") "," A("c", "a") "," A("d", "r1") "," A(
                  "h", "o") "," A("pk", "p3"))),
         OK, FOUND(PKS("p2") "," PKS("p1"), "2")},
        {"Query", MANY(" AND a = :a AND c = :c", "," A(":a", "T") "," A(":c", "a"), ), BAD,
         INVALID "RANGE key attributes b must have equality conditions specified "
                 "in the query "
                 "because a condition is present on key attribute c"},
        {"Query", MANY("", "," A(":x", "1"), FILTER("d = :x")), BAD,
         INVALID "Filter Expression can only contain non-primary key attributes: "
                 "Primary key "
                 "attribute: d"},
        {"Query", MANY("", , FROM(A("a", "T") "," A("b", "b") "," A("h", "o") "," A("pk", "p"))),
         BAD, START},
    };

    SCRIPT(state, steps);
}

/* dynalite, test/query.js, "query on basic hash global index": in the service's order, which is
 * that of the hash of both keys together. */
static void ties_are_in_the_order_of_the_service(void **state)
{
#define TIED(a, b)  PUT_OF(A("a", a) "," A("b", b) "," A("c", "x"))
#define SHOWN(a, b) "{" A("a", a) "," A("b", b) "}"
    static const struct step steps[] = {
        TABLE,
        TIED("a", "a"),
        TIED("b", "b"),
        TIED("c", "e"),
        TIED("c", "d"),
        TIED("d", "a"),
        TIED("e", "a"),
        {"Query", QUERY("index3", "c = :x", OF_X PROJECT("a, b")), OK,
         FOUND(SHOWN("b", "b") "," SHOWN("a", "a") "," SHOWN("c", "e") "," SHOWN(
                   "e", "a") "," SHOWN("d", "a") "," SHOWN("c", "d"),
               "6")},
        {"Query",
         QUERY("index3", "c = :x",
               OF_X PROJECT("a, b") BACKWARD LIMIT("2")
                   FROM(A("a", "e") "," A("b", "a") "," A("c", "x"))),
         OK,
         FOUND_AND(SHOWN("c", "e") "," SHOWN("a", "a"), "2",
                   "\"LastEvaluatedKey\":{" A("a", "a") "," A("b", "a") "," A("c", "x") "}")},
    };

    SCRIPT(state, steps);
}

/* Nothing builds an index here, so one that is added stays as it is after UpdateTable. */
static void what_is_being_built_is_not_read(void **state)
{
    static const struct step steps[] = {
        TABLE,
        {"UpdateTable",
         "{\"TableName\":\"abc\",\"AttributeDefinitions\":[" S("a") "," S("b") "," S(
             "e") "],"
                  "\"GlobalSecondaryIndexUpdates\":[{\"Create\":" INDEX("index5", H("e"),
                                                                        ALL) "}]}",
         OK, NULL},
        {"Query", QUERY("index5", "z = :p", OF_P CONSISTENT), BAD,
         INVALID "Consistent reads are not supported on global secondary indexes"},
        {"Query", QUERY("index5", "z = :p", OF_P FROM("")), BAD,
         INVALID "Cannot read from backfilling global secondary index: index5"},
        {"Scan", SCAN("index5", ), BAD,
         INVALID "Cannot read from backfilling global secondary index: index5"},
        {"Scan", SCAN("index4", ), OK, FOUND("", "0")},
    };

    SCRIPT(state, steps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(local_indexes_are_read, script_setup, script_teardown),
        cmocka_unit_test_setup_teardown(what_a_local_index_lacks_is_fetched, script_setup,
                                        script_teardown),
        cmocka_unit_test_setup_teardown(global_indexes_are_read, script_setup, script_teardown),
        cmocka_unit_test_setup_teardown(mistakes_of_queries_are_told_in_order, script_setup,
                                        script_teardown),
        cmocka_unit_test_setup_teardown(mistakes_of_scans_are_told_in_order, script_setup,
                                        script_teardown),
        cmocka_unit_test_setup_teardown(keys_of_several_attributes_are_queried, script_setup,
                                        script_teardown),
        cmocka_unit_test_setup_teardown(ties_are_in_the_order_of_the_service, script_setup,
                                        script_teardown),
        cmocka_unit_test_setup_teardown(what_is_being_built_is_not_read, script_setup,
                                        script_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
