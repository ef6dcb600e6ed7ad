/* Secondary indexes as CreateTable takes them and DescribeTable shows them. What the service says:
 * dynalite's createTable tests; ack-api-quirks, 2026-10 (DDB-TABLE-123 to 138, 442). */
#include "support/api_script.h"
#include "support/check.h"

#define ATTRIBUTE(a, type)      "{\"AttributeName\":\"" a "\",\"AttributeType\":\"" type "\"}"
#define S(a)                    ATTRIBUTE(a, "S")
#define H(a)                    "{\"AttributeName\":\"" a "\",\"KeyType\":\"HASH\"}"
#define R(a)                    "{\"AttributeName\":\"" a "\",\"KeyType\":\"RANGE\"}"
#define PROJECT(members)        "\"Projection\":{" members "}"
#define ALL                     PROJECT("\"ProjectionType\":\"ALL\"")
#define INDEX(name, keys, rest) "{\"IndexName\":\"" name "\",\"KeySchema\":[" keys "]," rest "}"
#define UNITS(reads, writes)                                                                       \
    "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":" reads ",\"WriteCapacityUnits\":" writes "}"

#define TABLE(mode, definitions, keys, more)                                                       \
    "{\"TableName\":\"abc\"," mode ",\"AttributeDefinitions\":[" definitions                       \
    "],\"KeySchema\":[" keys "]," more "}"
#define PPR          "\"BillingMode\":\"PAY_PER_REQUEST\""
#define AB           S("a") "," S("b")
#define LOCAL(list)  "\"LocalSecondaryIndexes\":[" list "]"
#define GLOBAL(list) "\"GlobalSecondaryIndexes\":[" list "]"

#define HASHED(more) TABLE(PPR, AB, H("a"), more)
#define SORTED(more) TABLE(PPR, AB, H("a") "," R("b"), more)
#define GIVEN(more)  TABLE(UNITS("1", "1"), AB, H("a") "," R("b"), more)

#define REFUSED(body, message)                                                                     \
    {                                                                                              \
        "CreateTable", body, BAD, message                                                          \
    }

static const struct step local_refusals[] = {
    REFUSED(HASHED(LOCAL("")), PARAMS "List of LocalSecondaryIndexes is empty"),
    REFUSED(HASHED(LOCAL(INDEX("abc", R("c"), PROJECT("")))),
            PARAMS "Table KeySchema does not have a range key, which is required when specifying "
                   "a LocalSecondaryIndex"),
    REFUSED(SORTED(LOCAL("{},{}")),
            INVALID "6 validation errors detected: Value null at 'localSecondaryIndexes.1.member."
                    "projection' failed to satisfy constraint: Member must not be null; Value null "
                    "at 'localSecondaryIndexes.1.member.indexName' failed to satisfy constraint: "
                    "Member must not be null; Value null at 'localSecondaryIndexes.1.member."
                    "keySchema' failed to satisfy constraint: Member must not be null; Value null "
                    "at 'localSecondaryIndexes.2.member.projection' failed to satisfy constraint: "
                    "Member must not be null; Value null at 'localSecondaryIndexes.2.member."
                    "indexName' failed to satisfy constraint: Member must not be null; Value null "
                    "at 'localSecondaryIndexes.2.member.keySchema' failed to satisfy constraint: "
                    "Member must not be null"),
    REFUSED(HASHED(LOCAL(INDEX("h;", "", PROJECT("")))),
            INVALID "3 validation errors detected: Value 'h;' at 'localSecondaryIndexes.1.member."
                    "indexName' failed to satisfy constraint: Member must satisfy regular "
                    "expression pattern: [a-zA-Z0-9_.-]+; Value 'h;' at 'localSecondaryIndexes.1."
                    "member.indexName' failed to satisfy constraint: Member must have length "
                    "greater than or equal to 3; Value '[]' at 'localSecondaryIndexes.1.member."
                    "keySchema' failed to satisfy constraint: Member must have length greater than "
                    "or equal to 1"),
    REFUSED(SORTED(LOCAL(INDEX("abc", H("a") "," R("b") "," R("c"), ALL))),
            ONE "Value '[KeySchemaElement(attributeName=a, keyType=HASH), "
                "KeySchemaElement(attributeName=b, keyType=RANGE), "
                "KeySchemaElement(attributeName=c, keyType=RANGE)]' at "
                "'localSecondaryIndexes.1.member.keySchema' failed to satisfy constraint: Member "
                "must have length less than or equal to 2"),
    REFUSED(SORTED(LOCAL(INDEX("abc", R("c") "," R("d"), PROJECT("")) "," INDEX("abc", R("e"),
                                                                                PROJECT("")))),
            PARAMS "Some index key attributes are not defined in AttributeDefinitions. Keys: [c, "
                   "d], AttributeDefinitions: [a, b]"),
    REFUSED(SORTED(LOCAL(INDEX("abc", R("a"), PROJECT("")))),
            INVALID "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"),
    REFUSED(SORTED(LOCAL(INDEX("abc", H("a") "," R("a"), PROJECT("")))),
            INVALID "Both the Hash Key and the Range Key element in the KeySchema have the same "
                    "name"),
    REFUSED(SORTED(LOCAL(INDEX("abc", H("a") "," H("b"), PROJECT("")))),
            INVALID "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"),
    REFUSED(SORTED(LOCAL(INDEX("abc", H("b"), PROJECT("")))),
            PARAMS "Index KeySchema does not have a range key for index: abc"),
    REFUSED(SORTED(LOCAL(INDEX("abc", H("b") "," R("a"), PROJECT("")))),
            PARAMS "Index KeySchema does not have the same leading hash key as table KeySchema for "
                   "index: abc. index hash key: b, table hash key: a"),
    REFUSED(SORTED(LOCAL(INDEX("abc", H("a") "," R("b"), PROJECT("")))),
            PARAMS "Unknown ProjectionType: null"),
    REFUSED(SORTED(LOCAL(INDEX("abc", H("a") "," R("b"),
                               PROJECT("\"NonKeyAttributes\":[],\"ProjectionType\":\"abc\"")))),
            INVALID "2 validation errors detected: Value 'abc' at 'localSecondaryIndexes.1.member."
                    "projection.projectionType' failed to satisfy constraint: Member must satisfy "
                    "enum value set: [ALL, INCLUDE, KEYS_ONLY]; Value '[]' at "
                    "'localSecondaryIndexes.1.member.projection.nonKeyAttributes' failed to "
                    "satisfy constraint: Member must have length greater than or equal to 1"),
    REFUSED(SORTED(LOCAL(
                INDEX("abc", H("a") "," R("b"), ALL) "," INDEX("abc", H("a") "," R("b"), ALL))),
            PARAMS "Duplicate index name: abc"),
    REFUSED(
        SORTED(LOCAL(
            INDEX("ab1", H("a") "," R("b"), ALL) "," INDEX("ab2", H("a") "," R("b"), ALL) "," INDEX(
                "ab3", H("a") "," R("b"),
                ALL) "," INDEX("ab4", H("a") "," R("b"),
                               ALL) "," INDEX("ab5", H("a") "," R("b"),
                                              ALL) "," INDEX("ab6", H("a") "," R("b"), ALL))),
        PARAMS "Number of LocalSecondaryIndexes exceeds per-table limit of 5"),
};

static void local_indexes_have_rules(void **state)
{
    SCRIPT(state, local_refusals);
}

#define INCLUDE(names) PROJECT("\"ProjectionType\":\"INCLUDE\",\"NonKeyAttributes\":[" names "]")
#define WARM_INITIAL                                                                               \
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode."    \
    "html#on-demand-capacity-mode-initial"

static const struct step global_refusals[] = {
    REFUSED(HASHED(GLOBAL("")), PARAMS "List of GlobalSecondaryIndexes is empty"),
    /* what is not defined comes before what is not used, and that before all else */
    REFUSED(HASHED(GLOBAL(INDEX("abc", R("c"), PROJECT("")))),
            PARAMS "Some index key attributes are not defined in AttributeDefinitions. Keys: [c], "
                   "AttributeDefinitions: [a, b]"),
    REFUSED(TABLE(PPR, S("sk") "," S("a") "," S("b") "," S("pk") "," S("c"), H("pk") "," R("sk"),
                  GLOBAL(INDEX("abc", H("a"), PROJECT("")))),
            PARAMS "Some AttributeDefinitions are not used. AttributeDefinitions: [sk, a, b, pk, "
                   "c], keys used: [a, sk, pk]"),
    REFUSED(SORTED(GLOBAL(INDEX("abc", R("a"), PROJECT("")))),
            INVALID "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"),
    REFUSED(SORTED(GLOBAL(INDEX("abc", R("b") "," H("a"), PROJECT("")))),
            INVALID "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"),
    REFUSED(SORTED(GLOBAL(INDEX("abc", H("a") "," R("a"), PROJECT("")))),
            INVALID "The KeySchema contains multiple key attributes with the same name"),
    REFUSED(TABLE(PPR, AB "," S("c"), H("a") "," R("b"),
                  GLOBAL(INDEX("abc", H("a") "," R("b") "," H("c"), ALL))),
            PARAMS "All HASH key attributes must precede RANGE key attributes in the KeySchema"),
    REFUSED(TABLE(PPR, AB "," S("c") "," S("d") "," S("e"), H("a") "," R("b"),
                  GLOBAL(INDEX("abc", H("a") "," H("b") "," H("c") "," H("d") "," H("e"), ALL))),
            PARAMS "The KeySchema exceeds the maximum allowed number of HASH key attributes"),
    REFUSED(TABLE(PPR, AB "," S("c") "," S("d") "," S("e") "," S("f"), H("a") "," R("b"),
                  GLOBAL(INDEX("abc", H("a") "," R("b") "," R("c") "," R("d") "," R("e") "," R("f"),
                               ALL))),
            PARAMS "The KeySchema exceeds the maximum allowed number of RANGE key attributes"),
    REFUSED(SORTED(GLOBAL(INDEX("abc", H("b"), PROJECT("")))),
            PARAMS "Unknown ProjectionType: null"),
    REFUSED(SORTED(GLOBAL(INDEX("abc", H("b"), PROJECT("\"NonKeyAttributes\":[\"a\"]")))),
            PARAMS "Unknown ProjectionType: null"),
    REFUSED(
        SORTED(GLOBAL(INDEX("abc", H("b"),
                            PROJECT("\"ProjectionType\":\"ALL\",\"NonKeyAttributes\":[\"a\"]")))),
        PARAMS "ProjectionType is ALL, but NonKeyAttributes is specified"),
    REFUSED(SORTED(GLOBAL(
                INDEX("abc", H("b"),
                      PROJECT("\"ProjectionType\":\"KEYS_ONLY\",\"NonKeyAttributes\":[\"a\"]")))),
            PARAMS "ProjectionType is KEYS_ONLY, but NonKeyAttributes is specified"),
    REFUSED(SORTED(GLOBAL(INDEX("abc", H("b"), PROJECT("\"ProjectionType\":\"INCLUDE\"")))),
            PARAMS "ProjectionType is INCLUDE, but NonKeyAttributes is not specified"),
    REFUSED(SORTED(GLOBAL(INDEX("abc", H("b"), INCLUDE("\"x\",\"y\",\"x\"")))),
            PARAMS "Duplicate element in NonKeyAttributes: x"),
    REFUSED(SORTED(GLOBAL(INDEX("abc", H("b"), ALL "," UNITS("1", "1")))),
            PARAMS "ProvisionedThroughput should not be specified for index: abc when BillingMode "
                   "is PAY_PER_REQUEST"),
    REFUSED(GIVEN(GLOBAL(INDEX("abc", H("b"), ALL))),
            PARAMS "ProvisionedThroughput is not specified for index: abc"),
    REFUSED(GIVEN(GLOBAL(INDEX("abc", H("b"), ALL "," UNITS("0", "1")))),
            ONE "Value '0' at 'globalSecondaryIndexes.1.member.provisionedThroughput."
                "readCapacityUnits' failed to satisfy constraint: Member must have value greater "
                "than or equal to 1"),
    REFUSED(GIVEN(GLOBAL(INDEX("abc", H("b"),
                               ALL "," UNITS("1", "1") ",\"OnDemandThroughput\":{"
                                                       "\"MaxReadRequestUnits\":10}"))),
            PARAMS "MaxReadRequestUnits for OnDemandThroughput for index: abc cannot be specified "
                   "when table BillingMode is PROVISIONED."),
    REFUSED(SORTED(GLOBAL(
                INDEX("abc", H("b"), ALL ",\"OnDemandThroughput\":{\"MaxReadRequestUnits\":-1}"))),
            PARAMS "Requested MaxReadRequestUnits for OnDemandThroughput for index : abc is "
                   "outside of valid range"),
    REFUSED(SORTED(GLOBAL(
                INDEX("abc", H("b"), ALL ",\"WarmThroughput\":{\"ReadUnitsPerSecond\":11999}"))),
            PARAMS "Requested ReadUnitsPerSecond for WarmThroughput for index abc is lower than "
                   "initial throughput for OnDemand. See: " WARM_INITIAL),
    REFUSED(
        SORTED(LOCAL(INDEX("abc", H("a") "," R("b"), ALL)) "," GLOBAL(INDEX("abc", H("b"), ALL))),
        PARAMS "Duplicate index name: abc"),
};

static void global_indexes_have_rules(void **state)
{
    SCRIPT(state, global_refusals);
}

/* `count` global indexes with `names` projected names each, none where 0. */
static char *many(struct buf *out, int count, int names)
{
    buf_put_literal(out, "{\"TableName\":\"abc\"," PPR ",\"AttributeDefinitions\":[" S(
                             "a") "],\"KeySchema\":[" H("a") "],\"GlobalSecondaryIndexes\":[");
    for (int i = 0; i < count; i++) {
        buf_printf(out,
                   "%s{\"IndexName\":\"g%02d\",\"KeySchema\":[" H("a") "],\"Projection\":{"
                                                                       "\"ProjectionType\":",
                   i > 0 ? "," : "", i);
        buf_put_text(out, names == 0 ? "\"ALL\"}}" : "\"INCLUDE\",\"NonKeyAttributes\":[");
        for (int j = 0; j < names; j++)
            buf_printf(out, "%s\"x%d\"", j > 0 ? "," : "", j);
        buf_put_text(out, names == 0 ? "" : "]}}");
    }
    buf_put_literal(out, "]}");
    buf_put_u8(out, 0);
    return (char *)out->data;
}

static void counts_are_limited(void **state)
{
    struct buf bodies[4] = {0};
    struct step steps[] = {
        REFUSED(many(&bodies[0], 21, 0),
                PARAMS "GlobalSecondaryIndex count exceeds the per-table limit of 20"),
        REFUSED(many(&bodies[1], 6, 17),
                PARAMS "Number of NonKeyAttributes exceeds the per-table limit of 100"),
        REFUSED(many(&bodies[2], 1, 21), NULL),
        {"CreateTable", many(&bodies[3], 20, 5), OK, NULL},
    };

    SCRIPT(state, steps);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        buf_release(&bodies[i]);
}

#define KEYED      "\"KeySchema\":[" H("pk") "," R("sk") "]"
#define BY_PLACE   "\"IndexName\":\"byPlace\",\"KeySchema\":[" H("z") "," H("m") "," R("a") "]"
#define BY_DAY     "\"IndexName\":\"byDay\",\"KeySchema\":[" H("pk") "," R("a") "]"
#define INDEX_ARN  ARN "abc/index/"
#define NO_ENTRIES "\"IndexSizeBytes\":0,\"ItemCount\":0"
#define ZERO_UNITS                                                                                 \
    "\"ProvisionedThroughput\":{\"NumberOfDecreasesToday\":0,"                                     \
    "\"ReadCapacityUnits\":0,\"WriteCapacityUnits\":0}"
#define DEFINED                                                                                    \
    "\"AttributeDefinitions\":[" ATTRIBUTE("a",                                                    \
                                           "N") "," S("m") "," S("pk") "," S("sk") "," S("z") "]"
#define SHOWN_LOCAL                                                                                \
    "\"LocalSecondaryIndexes\":[{" BY_DAY ",\"Projection\":{\"ProjectionType\":\"INCLUDE\","       \
    "\"NonKeyAttributes\":[\"aa\",\"mm\",\"zz\"]}," NO_ENTRIES ",\"IndexArn\":\"" INDEX_ARN        \
    "byDay\"}]"
#define SHOWN_GLOBAL(status, warm)                                                                 \
    "\"GlobalSecondaryIndexes\":[{" BY_PLACE ",\"Projection\":{\"ProjectionType\":\"KEYS_ONLY\"}," \
    "\"IndexStatus\":\"" status "\"," ZERO_UNITS ",\"OnDemandThroughput\":{"                       \
    "\"MaxReadRequestUnits\":9}," warm NO_ENTRIES ",\"IndexArn\":\"" INDEX_ARN "byPlace\"}]"
#define SHOWN(status, table_warm, global)                                                          \
    DEFINED "," KEYED ",\"TableName\":\"abc\",\"TableStatus\":\"" status                           \
            "\",\"CreationDateTime\":1760000000.123," ZERO_UNITS                                   \
            ",\"TableSizeBytes\":0,\"ItemCount\":0,\"TableArn\":\"" ARN "abc\",\"TableId\":\"*\"," \
            "\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\"" table_warm SHOWN_LOCAL   \
            "," global ",\"DeletionProtectionEnabled\":false}}"

static const struct step described[] = {
    {"CreateTable",
     TABLE(PPR, S("z") "," S("pk") "," ATTRIBUTE("a", "N") "," S("m") "," S("sk"),
           H("pk") "," R("sk"),
           LOCAL("{" BY_DAY "," INCLUDE("\"zz\",\"aa\",\"mm\"") "}") "," GLOBAL(
               "{" BY_PLACE
               "," PROJECT("\"ProjectionType\":\"KEYS_ONLY\"") ","
                                                               "\"OnDemandThroughput\":{"
                                                               "\"MaxReadRequestUnits\":9}}")),
     OK, "{\"TableDescription\":{" SHOWN("CREATING", "},", SHOWN_GLOBAL("CREATING", ""))},
    {"DescribeTable", "{\"TableName\":\"abc\"}", OK,
     "{\"Table\":{" SHOWN(
         "ACTIVE",
         ",\"LastUpdateToPayPerRequestDateTime\":1760000000.123},\"WarmThroughput\":{"
         "\"ReadUnitsPerSecond\":12000,\"WriteUnitsPerSecond\":4000,\"Status\":\"ACTIVE\"},",
         SHOWN_GLOBAL("ACTIVE", "\"WarmThroughput\":{\"ReadUnitsPerSecond\":12000,"
                                "\"WriteUnitsPerSecond\":4000,\"Status\":\"ACTIVE\"},"))},
};

static void indexes_are_described(void **state)
{
    SCRIPT(state, described);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(local_indexes_have_rules, script_setup, script_teardown),
        cmocka_unit_test_setup_teardown(global_indexes_have_rules, script_setup, script_teardown),
        cmocka_unit_test_setup_teardown(counts_are_limited, script_setup, script_teardown),
        cmocka_unit_test_setup_teardown(indexes_are_described, script_setup, script_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
