/* Secondary indexes as CreateTable takes them and DescribeTable shows them. What the service says:
 * dynalite's createTable tests; ack-api-quirks, 2026-10 (DDB-TABLE-123 to 138, 442). */
#include "support/api_script.h"
#include "support/check.h"

#include <stdio.h>

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
                PARAMS "Number of projected attributes in all indexes exceeds limit of 100"),
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

/* --- UpdateTable ------------------------------------------------------------------------------ */

#define UPDATE(rest)                    "{\"TableName\":\"abc\"," rest "}"
#define DEFINE(list)                    "\"AttributeDefinitions\":[" list "]"
#define CHANGES(list)                   "\"GlobalSecondaryIndexUpdates\":[" list "]"
#define MAKE(name, keys, rest)          "{\"Create\":" INDEX(name, keys, rest) "}"
#define DROP(name)                      "{\"Delete\":{\"IndexName\":\"" name "\"}}"
#define GIVE(name, rest)                "{\"Update\":{\"IndexName\":\"" name "\"" rest "}}"
#define GIVE_UNITS(name, reads, writes) GIVE(name, "," UNITS(reads, writes))
#define TO_PROVISIONED                  "\"BillingMode\":\"PROVISIONED\""
#define ONE_ONLINE                                                                                 \
    "LimitExceededException: Subscriber limit exceeded: Only 1 online index can be created or "    \
    "deleted simultaneously per table"
#define SAME(name, reads, writes)                                                                  \
    INVALID                                                                                        \
    "The provisioned throughput for the index " name " will not change. The requested "            \
    "value equals the current value. Current ReadCapacityUnits provisioned for index " name        \
    ": " reads ". Requested ReadCapacityUnits: " reads ". Current "                                \
    "WriteCapacityUnits provisioned for index " name ": " writes ". Requested "                    \
    "WriteCapacityUnits: " writes ". Refer to the Amazon DynamoDB Developer Guide for "            \
    "current limits and how to request higher limits."
#define CHANGED(body, message)                                                                     \
    {                                                                                              \
        "UpdateTable", UPDATE(body), BAD, message                                                  \
    }
#define DONE(body)                                                                                 \
    {                                                                                              \
        "UpdateTable", UPDATE(body), OK, NULL                                                      \
    }

/* Of no table: what can be told without it. */
static const struct step blind_refusals[] = {
    CHANGED(CHANGES("{}"),
            PARAMS "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
                   "GlobalSecondaryIndexUpdate.Delete must not be null"),
    CHANGED(CHANGES("{\"Update\":{\"IndexName\":\"gs1\"},\"Delete\":{\"IndexName\":\"gs1\"}}"),
            PARAMS "Only one global secondary index action is allowed per "
                   "GlobalSecondaryIndexUpdate object"),
    CHANGED(CHANGES(DROP("gs1") "," DROP("gs1")),
            PARAMS "Only one global secondary index update per index is allowed simultaneously. "
                   "Index: gs1"),
    CHANGED(CHANGES(DROP("gs1") "," MAKE("gs1", H("a"), ALL)),
            PARAMS "Only one global secondary index update per index is allowed simultaneously. "
                   "Index: gs1"),
    CHANGED(CHANGES("{\"Update\":{}}"),
            ONE "Value null at 'globalSecondaryIndexUpdates.1.member.update.indexName' failed to "
                "satisfy constraint: Member must not be null"),
    CHANGED(CHANGES(GIVE("a", ",\"ProvisionedThroughput\":{}") "," GIVE_UNITS(
                "abc;", "1000000000001", "0")),
            INVALID
            "5 validation errors detected: Value 'a' at 'globalSecondaryIndexUpdates.1."
            "member.update.indexName' failed to satisfy constraint: Member must have length "
            "greater than or equal to 3; Value null at 'globalSecondaryIndexUpdates.1."
            "member.update.provisionedThroughput.writeCapacityUnits' failed to satisfy "
            "constraint: Member must not be null; Value null at "
            "'globalSecondaryIndexUpdates.1.member.update.provisionedThroughput."
            "readCapacityUnits' failed to satisfy constraint: Member must not be null; "
            "Value 'abc;' at 'globalSecondaryIndexUpdates.2.member.update.indexName' "
            "failed to satisfy constraint: Member must satisfy regular expression pattern: "
            "[a-zA-Z0-9_.-]+; Value '0' at 'globalSecondaryIndexUpdates.2.member.update."
            "provisionedThroughput.writeCapacityUnits' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1"),
    CHANGED(CHANGES(GIVE_UNITS("abc", "1000000000001", "1000000000001")),
            INVALID "Given value 1000000000001 for ReadCapacityUnits is out of bounds for index "
                    "abc"),
    CHANGED(CHANGES(GIVE("abc", ",\"WarmThroughput\":{}")),
            PARAMS "WarmThroughput must have at least one of ReadUnitsPerSecond or "
                   "WriteUnitsPerSecond specified for index: abc"),
    CHANGED(CHANGES("") ",\"DeletionProtectionEnabled\":true",
            PARAMS "List of GlobalSecondaryIndexUpdates is empty"),
    CHANGED(CHANGES(MAKE("gs1", H("a"), ALL)) "," UNITS("2", "2"),
            PARAMS "You cannot create or delete index while updating table IOPS"),
    CHANGED(CHANGES(DROP("gs1")) ",\"StreamSpecification\":{\"StreamEnabled\":false}",
            PARAMS "You cannot create or delete index while changing stream status"),
    CHANGED(CHANGES(MAKE("gs1", H("a"), ALL)) ",\"DeletionProtectionEnabled\":true",
            PARAMS "DeletionProtection modification must be the only operation in the request"),
    CHANGED(CHANGES(MAKE("gs1", H("a"), ALL)) ",\"WarmThroughput\":{\"ReadUnitsPerSecond\":1}",
            PARAMS "Create global secondary index cannot be specified when updating "
                   "WarmThroughput"),
    CHANGED(CHANGES(DROP("gs1")) ",\"OnDemandThroughput\":{\"MaxReadRequestUnits\":1}",
            PARAMS "OnDemandThroughput can only be combined with BillingMode in an UpdateTable "
                   "request"),
    CHANGED(CHANGES(DROP("gs1")),
            "ResourceNotFoundException: Requested resource not found: Table: abc not found"),
};

static void changes_have_rules_of_their_own(void **state)
{
    SCRIPT(state, blind_refusals);
}

#define WITH_BOTH                                                                                  \
    TABLE(PPR, AB "," S("c"), H("a") "," R("b"),                                                   \
          LOCAL(INDEX("lo1", H("a") "," R("c"), ALL)) "," GLOBAL(INDEX("gs1", H("b"), ALL)))

static const struct step refused_changes[] = {
    {"CreateTable", WITH_BOTH, OK, NULL},
    CHANGED(CHANGES(DROP("ghost")),
            "ResourceNotFoundException: Requested resource not found: Index ghost for table abc"),
    CHANGED(CHANGES(GIVE("gs1", ",\"OnDemandThroughput\":{\"MaxReadRequestUnits\":5}") "," GIVE(
                "ghost", ",\"OnDemandThroughput\":{\"MaxReadRequestUnits\":5}")),
            "ResourceNotFoundException: Requested resource not found: Index ghost for table abc"),
    CHANGED(CHANGES(DROP("lo1")),
            INVALID "Cannot delete an index that is not a GlobalSecondaryIndex: lo1"),
    CHANGED(CHANGES(GIVE_UNITS("lo1", "1", "1")),
            INVALID "Cannot update an index that is not a GlobalSecondaryIndex: lo1"),
    CHANGED(DEFINE(S("x")) "," CHANGES(MAKE("lo1", H("x"), ALL)),
            INVALID "Attempting to create an index which already exists"),
    CHANGED(CHANGES(MAKE("gs1", H("x"), PROJECT(""))),
            INVALID "Attempting to create an index which already exists"),
    CHANGED(CHANGES(MAKE("gs2", H("a"), ALL)),
            PARAMS "AttributeDefinitions is not specified for index: gs2"),
    CHANGED(DEFINE(S("x")) "," CHANGES(MAKE("gs2", H("x") "," R("y"), ALL)),
            INVALID "Invalid KeySchema: Some index key attribute have no definition"),
    /* what the table knows must be told again */
    CHANGED(DEFINE(S("x")) "," CHANGES(MAKE("gs2", H("a"), ALL)),
            PARAMS "Some index key attributes are not defined in AttributeDefinitions. Keys: [a], "
                   "AttributeDefinitions: [x]"),
    CHANGED(DEFINE(S("x") "," S("x")) "," CHANGES(MAKE("gs2", H("x"), ALL)),
            INVALID "Attribute Name is duplicated: x"),
    CHANGED(DEFINE(ATTRIBUTE("a", "N")) "," CHANGES(MAKE("gs2", H("a"), ALL)),
            PARAMS "Attributes cannot be redefined. Please check that your attribute has the same "
                   "type as previously defined. Existing schema: Schema:[SchemaElement: "
                   "key{a:S:HASH}, SchemaElement: key{b:S:RANGE}] New schema: "
                   "Schema:[SchemaElement: key{a:N:HASH}]"),
    CHANGED(DEFINE(S("x")) "," CHANGES(MAKE("gs2", H("x"), PROJECT(""))),
            PARAMS "Unknown ProjectionType: null"),
    CHANGED(DEFINE(S("x")) "," CHANGES(MAKE("gs2", H("x"), ALL "," UNITS("1", "1"))),
            PARAMS "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: "
                   "gs2 when BillingMode is PAY_PER_REQUEST"),
    CHANGED(DEFINE(S("x")) "," CHANGES(MAKE("gs2", H("x"), ALL) "," MAKE("gs3", H("x"), ALL)),
            ONE_ONLINE),
    CHANGED(DEFINE(S("x")) "," CHANGES(MAKE("gs2", H("x"), ALL) "," DROP("gs1")), ONE_ONLINE),
    CHANGED(CHANGES(GIVE_UNITS("gs1", "1", "1")),
            PARAMS "The only Updates for index: gs1 when TableThroughputMode is PAY_PER_REQUEST "
                   "can be to OnDemandThroughput, WarmThroughput"),
    CHANGED(CHANGES(GIVE("gs1", ",\"OnDemandThroughput\":{}")),
            PARAMS "The only Updates for index: gs1 when TableThroughputMode is PAY_PER_REQUEST "
                   "can be to OnDemandThroughput, WarmThroughput"),
    CHANGED(CHANGES(GIVE("gs1", ",\"OnDemandThroughput\":{\"MaxReadRequestUnits\":0}")),
            PARAMS "Requested MaxReadRequestUnits for OnDemandThroughput for index : gs1 is "
                   "outside of valid range"),
    CHANGED(CHANGES(GIVE("gs1", ",\"WarmThroughput\":{\"ReadUnitsPerSecond\":-1}")),
            PARAMS "Requested ReadUnitsPerSecond for WarmThroughput for index gs1 is lower than "
                   "current WarmThroughput, decreasing WarmThroughput is not supported"),
    CHANGED(TO_PROVISIONED "," CHANGES(GIVE_UNITS("gs1", "1", "1")),
            PARAMS "ProvisionedThroughput must be specified when BillingMode is PROVISIONED"),
    CHANGED(TO_PROVISIONED "," UNITS("5", "5"),
            PARAMS "ProvisionedThroughput must be specified for index: gs1"),
    /* none of it came to pass */
    {"DescribeTable", "{\"TableName\":\"abc\"}", OK,
     "{\"Table\":{\"AttributeDefinitions\":[" AB "," S("c") "],\"KeySchema\":[" H("a") "," R(
         "b") "],\"TableName\":\"abc\",\"TableStatus\":\"ACTIVE\",\"CreationDateTime\":"
              "1760000000.123," ZERO_UNITS ",\"TableSizeBytes\":0,\"ItemCount\":0,\"TableArn\":"
              "\"" ARN "abc\",\"TableId\":\"*\",\"BillingModeSummary\":{\"BillingMode\":"
              "\"PAY_PER_REQUEST\",\"LastUpdateToPayPerRequestDateTime\":1760000000.123},"
              "\"WarmThroughput\":{\"ReadUnitsPerSecond\":12000,\"WriteUnitsPerSecond\":4000,"
              "\"Status\":\"ACTIVE\"},\"LocalSecondaryIndexes\":[{\"IndexName\":\"lo1\","
              "\"KeySchema\":[" H("a") "," R(
                  "c") "]," ALL "," NO_ENTRIES ",\"IndexArn\":\"" INDEX_ARN
                       "lo1\"}],\"GlobalSecondaryIndexes\":[{\"IndexName\":\"gs1\",\"KeySchema\":"
                       "[" H("b") "]," ALL ",\"IndexStatus\":\"ACTIVE\"," ZERO_UNITS
                                  ",\"WarmThroughput\":{"
                                  "\"ReadUnitsPerSecond\":12000,\"WriteUnitsPerSecond\":4000,"
                                  "\"Status\":\"ACTIVE\"}," NO_ENTRIES ",\"IndexArn\":\"" INDEX_ARN
                                  "gs1\"}],\"DeletionProtectionEnabled\":false}}"},
};

static void wrong_changes_change_nothing(void **state)
{
    SCRIPT(state, refused_changes);
}

/* What a reply shows of the indexes of the table abc, its attributes and its status, and nothing
 * else; made of the reply, since descriptions are long. */
struct glimpse {
    const char *body; /* of an UpdateTable; NULL: DescribeTable */
    const char *seen; /* TableStatus name=IndexStatus,Backfilling,reads/writes,warm ... */
};

static const char *text_in(const char *from, const char *to, const char *name, char *out)
{
    const char *found = strstr(from, name);
    size_t size = 0;

    out[0] = '\0';
    if (found == NULL || found >= to)
        return out;
    found += strlen(name);
    while (found[size] != '"' && found[size] != ',' && found[size] != '}')
        size++;
    snprintf(out, 64, "%.*s", (int)size, found);
    return out;
}

static void glimpse_make(const char *reply, char *out, size_t room)
{
    const char *globals = strstr(reply, "\"GlobalSecondaryIndexes\":["), *end = NULL;
    char status[64], name[64], index[64], filling[64], reads[64], writes[64], warm[64], state[64];
    size_t used = (size_t)snprintf(
        out, room, "%s", text_in(reply, reply + strlen(reply), "\"TableStatus\":\"", status));

    for (const char *at = globals; at != NULL; at = end) {
        at = strstr(at, "{\"IndexName\":\"");
        if (at == NULL)
            return;
        end = strstr(at, "\"IndexArn\"");
        used += (size_t)snprintf(out + used, room - used, " %s=%s,%s,%s/%s,%s:%s",
                                 text_in(at, end, "\"IndexName\":\"", name),
                                 text_in(at, end, "\"IndexStatus\":\"", index),
                                 text_in(at, end, "\"Backfilling\":", filling),
                                 text_in(at, end, "\"ReadCapacityUnits\":", reads),
                                 text_in(at, end, "\"WriteCapacityUnits\":", writes),
                                 text_in(at, end, "\"ReadUnitsPerSecond\":", warm),
                                 text_in(at, end, "\"Status\":\"", state));
    }
}

static void glimpses_run(void **state, const struct glimpse *glimpses, size_t count)
{
    struct fixture *fixture = *state;
    char seen[1024];

    for (size_t i = 0; i < count; i++) {
        const char *body = glimpses[i].body;
        struct buf reply;
        buf_init(&reply);
        int status =
            api_call(fixture->api, body != NULL ? "UpdateTable" : "DescribeTable",
                     bytes_of_text(body != NULL ? body : "{\"TableName\":\"abc\"}"), &reply);
        if (status != OK)
            fail_msg("step %zu: %s answers %s", i, body, (char *)reply.data);
        glimpse_make((char *)reply.data, seen, sizeof seen);
        if (strcmp(seen, glimpses[i].seen) != 0)
            fail_msg("step %zu: %s shows\n  %s\n  not\n  %s", i, body, seen, glimpses[i].seen);
        buf_release(&reply);
    }
}
#define GLIMPSES(state, list) glimpses_run(state, list, sizeof(list) / sizeof *(list))

#define WARMED(name) GIVE(name, ",\"WarmThroughput\":{\"ReadUnitsPerSecond\":12001}")
#define BOUND(name)  GIVE(name, ",\"OnDemandThroughput\":{\"MaxReadRequestUnits\":7}")

static const struct glimpse capacities[] = {
    {NULL, "ACTIVE gs1=ACTIVE,,0/0,12000:ACTIVE gs2=ACTIVE,,0/0,12000:ACTIVE"},
    {UPDATE(CHANGES(WARMED("gs1"))),
     "ACTIVE gs1=ACTIVE,,0/0,12000:UPDATING gs2=ACTIVE,,0/0,12000:ACTIVE"},
    {UPDATE(CHANGES(BOUND("gs2"))),
     "ACTIVE gs1=ACTIVE,,0/0,12001:ACTIVE gs2=UPDATING,,0/0,12000:ACTIVE"},
    {UPDATE(TO_PROVISIONED "," UNITS("5", "5") "," CHANGES(
         GIVE_UNITS("gs1", "6", "7") "," GIVE_UNITS("gs2", "8", "9"))),
     "UPDATING gs1=UPDATING,,6/7,12001:ACTIVE gs2=UPDATING,,8/9,12000:ACTIVE"},
    {NULL, "ACTIVE gs1=ACTIVE,,6/7,12001:ACTIVE gs2=ACTIVE,,8/9,12000:ACTIVE"},
    {UPDATE(CHANGES(GIVE_UNITS("gs1", "7", "7") "," GIVE_UNITS("gs2", "8", "10"))),
     "ACTIVE gs1=UPDATING,,6/7,12001:ACTIVE gs2=UPDATING,,8/9,12000:ACTIVE"},
    {UPDATE(UNITS("9", "9") "," CHANGES(GIVE_UNITS("gs1", "13000", "7"))),
     "UPDATING gs1=UPDATING,,7/7,12001:ACTIVE gs2=ACTIVE,,8/10,12000:ACTIVE"},
    {UPDATE(CHANGES(GIVE_UNITS("gs1", "1", "1"))),
     "ACTIVE gs1=UPDATING,,13000/7,13000:ACTIVE gs2=ACTIVE,,8/10,12000:ACTIVE"},
    {NULL, "ACTIVE gs1=ACTIVE,,1/1,13000:ACTIVE gs2=ACTIVE,,8/10,12000:ACTIVE"},
    {UPDATE(PPR), "UPDATING gs1=UPDATING,,0/0,13000:ACTIVE gs2=UPDATING,,0/0,12000:ACTIVE"},
    {NULL, "ACTIVE gs1=ACTIVE,,0/0,13000:ACTIVE gs2=ACTIVE,,0/0,12000:ACTIVE"},
};

static const struct step units_refused[] = {
    {"CreateTable",
     TABLE(UNITS("5", "5"), AB, H("a"), GLOBAL(INDEX("gs1", H("b"), ALL "," UNITS("9", "9")))), OK,
     NULL},
    CHANGED(CHANGES(GIVE_UNITS("gs1", "9", "9")), SAME("gs1", "9", "9")),
    CHANGED(CHANGES(GIVE("gs1", "")),
            PARAMS "Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: "
                   "gs1"),
    CHANGED(CHANGES(BOUND("gs1")),
            PARAMS "MaxReadRequestUnits for OnDemandThroughput for index : gs1 cannot be specified "
                   "when the table BillingMode is PROVISIONED"),
    CHANGED(DEFINE(S("b")) "," CHANGES(MAKE("gs2", H("b"), ALL)),
            PARAMS "Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: "
                   "gs2"),
    DONE(CHANGES(GIVE_UNITS("gs1", "8", "9"))),
    DONE(CHANGES(GIVE_UNITS("gs1", "7", "9"))),
    DONE(CHANGES(GIVE_UNITS("gs1", "6", "9"))),
    DONE(CHANGES(GIVE_UNITS("gs1", "5", "9"))),
    /* the index's own count; the table's has not begun, but goes back with it */
    CHANGED(UNITS("4", "4") "," CHANGES(GIVE_UNITS("gs1", "4", "9")),
            "LimitExceededException: Subscriber limit exceeded: Provisioned throughput decreases "
            "are limited within a given UTC day. After the first 4 decreases, each subsequent "
            "decrease in the same UTC day can be performed at most once every 3600 seconds. Number "
            "of decreases today: 4. Last decrease at Thursday, October 9, 2025 at 8:53:20 AM "
            "Coordinated Universal Time. Next decrease can be made at Thursday, October 9, 2025 at "
            "9:53:20 AM Coordinated Universal Time"),
    DONE(UNITS("4", "4")),
};

static void indexes_have_capacity_of_their_own(void **state)
{
    static const struct step create[] = {
        {"CreateTable",
         TABLE(PPR, AB, H("a"), GLOBAL(INDEX("gs1", H("b"), ALL) "," INDEX("gs2", H("b"), ALL))),
         OK, NULL},
    };

    SCRIPT(state, create);
    GLIMPSES(state, capacities);
}

static void units_of_indexes_have_rules(void **state)
{
    SCRIPT(state, units_refused);
}

#define MAKE_2 DEFINE(S("x") "," S("unused")) "," CHANGES(MAKE("gs2", H("x"), ALL))

/* No job runs here: what is built stays so until the test says. */
static const struct glimpse added[] = {
    {UPDATE(MAKE_2), "UPDATING gs1=ACTIVE,,0/0,12000:ACTIVE gs2=CREATING,false,0/0,12000:UPDATING"},
    {NULL, "ACTIVE gs1=ACTIVE,,0/0,12000:ACTIVE gs2=CREATING,true,0/0,12000:UPDATING"},
    {UPDATE(CHANGES(BOUND("gs1"))),
     "ACTIVE gs1=UPDATING,,0/0,12000:ACTIVE gs2=CREATING,true,0/0,12000:UPDATING"},
    {UPDATE("\"DeletionProtectionEnabled\":true"),
     "ACTIVE gs1=ACTIVE,,0/0,12000:ACTIVE gs2=CREATING,true,0/0,12000:UPDATING"},
    {UPDATE("\"DeletionProtectionEnabled\":false"),
     "ACTIVE gs1=ACTIVE,,0/0,12000:ACTIVE gs2=CREATING,true,0/0,12000:UPDATING"},
};

static const struct step while_building[] = {
    CHANGED(DEFINE(S("x")) "," CHANGES(MAKE("gs3", H("x"), ALL)), ONE_ONLINE),
    CHANGED(CHANGES(DROP("gs1")), ONE_ONLINE),
    CHANGED(MAKE_2, "ResourceInUseException: Attempt to change a resource which is still in use: "
                    "Index is being created.  Table: abc Index: gs2"),
    CHANGED("\"OnDemandThroughput\":{\"MaxReadRequestUnits\":1}",
            "ResourceInUseException: Attempt to change a resource which is still in use: "
            "OnDemandThroughput cannot be updated while index creation is in progress for indexes: "
            "[gs2]"),
    {"DeleteTable", "{\"TableName\":\"abc\"}", BAD,
     "ResourceInUseException: Attempt to change a resource which is still in use: Cannot delete "
     "table while indexes are being created, updated, or deleted."},
};

/* One that is being built may be deleted; it leaves nothing behind, and its name is free. */
static const struct glimpse dropped[] = {
    {UPDATE(CHANGES(DROP("gs2"))),
     "UPDATING gs1=ACTIVE,,0/0,12000:ACTIVE gs2=DELETING,,0/0,12000:UPDATING"},
    {NULL, "ACTIVE gs1=ACTIVE,,0/0,12000:ACTIVE"},
    {UPDATE(CHANGES(DROP("gs1"))), "UPDATING gs1=DELETING,,0/0,12000:ACTIVE"},
    {NULL, "ACTIVE"},
    {UPDATE(MAKE_2), "UPDATING gs2=CREATING,false,0/0,12000:UPDATING"},
};

/* The last index of the table abc is built. */
static void index_built(struct database *database)
{
    struct call call;

    call_init(&call, database);
    const struct table *table = database_table(&call, "abc");
    assert_true(index_fill_finish(database->tables, table->name,
                                  table->indexes[table->index_count - 1].number, &call.err));
    call_release(&call);
}

static void an_index_is_added_and_dropped(void **state)
{
    static const struct step create[] = {
        {"CreateTable", TABLE(PPR, AB, H("a"), GLOBAL(INDEX("gs1", H("b"), ALL))), OK, NULL},
    };
    static const struct glimpse done[] = {{NULL, "ACTIVE gs2=ACTIVE,,0/0,12000:ACTIVE"}};
    static const struct step defined[] = {
        {"DescribeTable", "{\"TableName\":\"abc\"}", OK,
         "{\"Table\":{\"AttributeDefinitions\":[" S("a") "," S("x") "],\"KeySchema\":[" H(
             "a") "],\"TableName\":\"abc\",\"TableStatus\":\"ACTIVE\",\"CreationDateTime\":"
                  "1760000000.123," ZERO_UNITS
                  ",\"TableSizeBytes\":0,\"ItemCount\":0,\"TableArn\":\"" ARN
                  "abc\",\"TableId\":\"*\",\"BillingModeSummary\":{\"BillingMode\":"
                  "\"PAY_PER_REQUEST\",\"LastUpdateToPayPerRequestDateTime\":1760000000.123},"
                  "\"WarmThroughput\":{\"ReadUnitsPerSecond\":12000,\"WriteUnitsPerSecond\":4000,"
                  "\"Status\":\"ACTIVE\"},\"GlobalSecondaryIndexes\":[{\"IndexName\":\"gs2\","
                  "\"KeySchema\":[" H("x") "]," ALL ",\"IndexStatus\":\"ACTIVE\"," ZERO_UNITS
                                           ",\"WarmThroughput\":{\"ReadUnitsPerSecond\":12000,"
                                           "\"WriteUnitsPerSecond\":4000,"
                                           "\"Status\":\"ACTIVE\"}," NO_ENTRIES
                                           ",\"IndexArn\":\"" INDEX_ARN
                                           "gs2\"}],\"DeletionProtectionEnabled\":false}}"},
        {"DeleteTable", "{\"TableName\":\"abc\"}", OK, NULL},
    };
    struct fixture *fixture = *state;

    SCRIPT(state, create);
    GLIMPSES(state, added);
    SCRIPT(state, while_building);
    GLIMPSES(state, dropped);
    index_built(&fixture->database);
    GLIMPSES(state, done);
    SCRIPT(state, defined);
}

static void a_table_has_twenty_at_most(void **state)
{
    struct buf body = {0};
    struct step steps[] = {
        {"CreateTable", many(&body, 20, 0), OK, NULL},
        CHANGED(DEFINE(S("a")) "," CHANGES(MAKE("more", H("a"), ALL)),
                "LimitExceededException: Subscriber limit exceeded: Number of global secondary "
                "indexes exceeds per-table limit of 20"),
        DONE(CHANGES(DROP("g07"))),
        DONE(DEFINE(S("a")) "," CHANGES(MAKE("more", H("a"), ALL))),
    };

    SCRIPT(state, steps);
    buf_release(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(local_indexes_have_rules, script_setup, script_teardown),
        cmocka_unit_test_setup_teardown(global_indexes_have_rules, script_setup, script_teardown),
        cmocka_unit_test_setup_teardown(counts_are_limited, script_setup, script_teardown),
        cmocka_unit_test_setup_teardown(indexes_are_described, script_setup, script_teardown),
        cmocka_unit_test_setup_teardown(changes_have_rules_of_their_own, script_setup,
                                        script_teardown),
        cmocka_unit_test_setup_teardown(wrong_changes_change_nothing, script_setup,
                                        script_teardown),
        cmocka_unit_test_setup_teardown(indexes_have_capacity_of_their_own, script_setup,
                                        script_teardown),
        cmocka_unit_test_setup_teardown(units_of_indexes_have_rules, script_setup, script_teardown),
        cmocka_unit_test_setup_teardown(an_index_is_added_and_dropped, script_setup,
                                        script_teardown),
        cmocka_unit_test_setup_teardown(a_table_has_twenty_at_most, script_setup, script_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
