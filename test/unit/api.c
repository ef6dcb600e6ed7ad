/* test/unit/api.c - each operation as a client sees it: bodies and the replies they get, on the
 * memory engine. A step of a script that a reply depends on comes before it. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/api_script.h"

#include "base/clock.h"
#include "base/log.h"

/* --- the frame -------------------------------------------------------------------------------- */

static void unknown_operations_are_refused(void **state)
{
    static const struct step steps[] = {
        {"Nothing", "{}", BAD, "UnknownOperationException"},
        {"ExecuteStatement", "{}", BAD, "UnknownOperationException"},
        {"", "", BAD, "UnknownOperationException"},
        {"Nothing", "{", BAD, "SerializationException"},
        {"ListTables", "", BAD, "SerializationException"},
        {"ListTables", "{", BAD, "SerializationException"},
        {"ListTables", "{\"Limit\":\"1\"}", BAD,
         "SerializationException: STRING_VALUE cannot be converted to Integer"},
    };

    SCRIPT(state, steps);
}

static void bodies_of_other_types_are_not_answered_in_json(void **state)
{
    static const struct {
        const char *type, *body;
        int status;
        const char *reply_type; /* JSON where the request does not say of what kind (dynalite) */
    } types[] = {
        {"application/x-amz-json-1.0", "{}", OK, "application/x-amz-json-1.0"},
        {"application/json; charset=utf-8", "{}", OK, "application/json"},
        {"application/json", "{}", OK, "application/json"},
        {"text/plain", "{}", 404, NULL},
        {"", "{}", 404, NULL},
        {"text/plain", "", BAD, "application/json"},
        {"", "", BAD, "application/json"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct request request;
        request_init(&request, fixture->api);
        request.target = BYTES("DynamoDB_20120810.DescribeLimits");
        request.content_type = bytes_of_text(types[i].type);
        request.body = bytes_of_text(types[i].body);
        assert_true(api_run(&request));
        assert_int_equal(request.status, types[i].status);
        if (types[i].status == 404) {
            assert_bytes_equal(buf_bytes(&request.reply), BYTES("<UnknownOperationException/>\n"));
            assert_null(request.reply_type);
        } else {
            assert_string_equal(request.reply_type, types[i].reply_type);
        }
        request_release(&request);
    }
}

static void every_request_has_an_id_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    struct request requests[2];

    for (int i = 0; i < 2; i++) {
        request_init(&requests[i], fixture->api);
        assert_int_equal(strlen(requests[i].id), 52);
        assert_int_equal(strspn(requests[i].id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), 52);
    }
    assert_string_not_equal(requests[0].id, requests[1].id);
    request_release(&requests[0]);
    request_release(&requests[1]);
}

static void our_own_failures_tell_the_client_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct request request;
    struct err err;

    request_init(&request, fixture->api);
    err_fail(&err, ERR_CORRUPT, "block 7 of /var/lib");
    request_fail(&request, &err);
    assert_int_equal(request.status, 500);
    assert_bytes_equal(buf_bytes(&request.reply),
                       BYTES("{\"__type\":\"com.amazonaws.dynamodb.v20120810#InternalServerError\","
                             "\"message\":\"Internal server error\"}"));
    request_release(&request);
}

/* Before a wrong signature the service tells what it finds wrong without it. */
static void the_denied_hear_of_earlier_mistakes(void **state)
{
    static const struct {
        const char *type, *target, *body, *reply;
    } cases[] = {
        {"text/xml", "DynamoDB_20120810.ListTables", "{", "<UnknownOperationException/>\n"},
        {"application/json", "DynamoDB_20120810.ListTables", "{", "SerializationException"},
        {"application/json", "nothing", "{", "SerializationException"},
        {"application/json", "nothing", "{}", "UnknownOperationException"},
        {"application/json", "nothing", "", "UnknownOperationException"},
        {"application/json", "DynamoDB_20120810.ListTables", "{\"Limit\":-1}", "denied"},
        {"", "DynamoDB_20120810.ListTables", "", "denied"},
    };
    struct fixture *fixture = *state;
    struct err err;

    err_fail(&err, ERR_MISSING_AUTHENTICATION, "denied");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct request request;
        request_init(&request, fixture->api);
        request.content_type = bytes_of_text(cases[i].type);
        request.target = bytes_of_text(cases[i].target);
        request.body = bytes_of_text(cases[i].body);
        request_deny(&request, &err);
        assert_int_equal(request.state, REQUEST_ANSWERED);
        assert_non_null(
            memmem(request.reply.data, request.reply.size, cases[i].reply, strlen(cases[i].reply)));
        request_release(&request);
    }
}

static void answers_are_counted(void **state)
{
    static const struct step steps[] = {
        {"DescribeLimits", "{}", OK,
         "{\"AccountMaxReadCapacityUnits\":80000,\"AccountMaxWriteCapacityUnits\":80000,"
         "\"TableMaxReadCapacityUnits\":40000,\"TableMaxWriteCapacityUnits\":40000}"},
        {"DescribeEndpoints", "{}", OK,
         "{\"Endpoints\":[{\"Address\":\"127.0.0.1:8000\",\"CachePeriodInMinutes\":1440}]}"},
        {"Nothing", "{}", BAD, NULL},
    };
    struct fixture *fixture = *state;
    struct buf out;

    SCRIPT(state, steps);
    buf_init(&out);
    api_metrics(fixture->api, &out);
    buf_put_u8(&out, '\0');
    assert_non_null(strstr(
        (char *)out.data,
        "gramme_requests_total{operation=\"DescribeLimits\",kind=\"manage\",status=\"200\"} 1\n"));
    assert_non_null(
        strstr((char *)out.data,
               "gramme_requests_total{operation=\"unknown\",kind=\"unknown\",status=\"400\"} 1\n"));
    buf_release(&out);
}

/* --- tables ----------------------------------------------------------------------------------- */

#define DESCRIBED                                                                                  \
    "\"AttributeDefinitions\":[" PK_S "," SK_N "],\"KeySchema\":[" HASH_KEY "," RANGE_KEY "]"
#define WARM(reads, writes)                                                                        \
    "\"WarmThroughput\":{\"ReadUnitsPerSecond\":" reads ",\"WriteUnitsPerSecond\":" writes         \
    ",\"Status\":\"ACTIVE\"}"
#define UNITS(reads, writes)                                                                       \
    "\"ProvisionedThroughput\":{\"NumberOfDecreasesToday\":0,\"ReadCapacityUnits\":" reads         \
    ",\"WriteCapacityUnits\":" writes "}"

static void tables_are_made_described_and_deleted(void **state)
{
    static const struct step steps[] = {
        {"CreateTable",
         "{\"TableName\":\"both\",\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":[" HASH_KEY
         "," RANGE_KEY "],\"AttributeDefinitions\":[" SK_N "," PK_S "]}",
         OK,
         "{\"TableDescription\":{" DESCRIBED ",\"TableName\":\"both\",\"TableStatus\":\"CREATING\","
         "\"CreationDateTime\":1760000000.123," UNITS(
             "0", "0") ",\"TableSizeBytes\":0,"
                       "\"ItemCount\":0,\"TableArn\":\"" ARN "both\",\"TableId\":\"*\","
                       "\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\"},"
                       "\"DeletionProtectionEnabled\":false}}"},
        {"CreateTable",
         "{\"TableName\":\"" ARN
         "both\",\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":[" HASH_KEY
         "],\"AttributeDefinitions\":[" PK_S "]}",
         BAD, "ResourceInUseException: Table already exists: both"},
        {"PutItem", "{\"TableName\":\"both\",\"Item\":{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"1\"}}}",
         OK, "{}"},
        {"DescribeTable", "{\"TableName\":\"" ARN "both\"}", OK,
         "{\"Table\":{" DESCRIBED ",\"TableName\":\"both\",\"TableStatus\":\"ACTIVE\","
         "\"CreationDateTime\":1760000000.123," UNITS(
             "0", "0") ",\"TableSizeBytes\":7,"
                       "\"ItemCount\":1,\"TableArn\":\"" ARN "both\",\"TableId\":\"*\","
                       "\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\","
                       "\"LastUpdateToPayPerRequestDateTime\":1760000000.123}," WARM(
                           "12000", "4000") ",\"DeletionProtectionEnabled\":false}}"},
        HASH_TABLE,
        {"ListTables", "{}", OK, "{\"TableNames\":[\"both\",\"hash\"]}"},
        {"ListTables", "{\"Limit\":1}", OK,
         "{\"TableNames\":[\"both\"],\"LastEvaluatedTableName\":\"both\"}"},
        {"ListTables", "{\"Limit\":1,\"ExclusiveStartTableName\":\"both\"}", OK,
         "{\"TableNames\":[\"hash\"]}"},
        {"ListTables", "{\"ExclusiveStartTableName\":\"zzz\"}", OK, "{\"TableNames\":[]}"},
        {"ListTables", "{\"Limit\":101}", BAD,
         ONE "Value '101' at 'limit' failed to satisfy constraint: Member must have value less "
             "than or equal to 100"},
        {"DeleteTable", "{\"TableName\":\"both\"}", OK,
         "{\"TableDescription\":{\"TableName\":\"both\",\"TableStatus\":\"DELETING\"," UNITS(
             "0", "0") ",\"TableSizeBytes\":7,\"ItemCount\":1,\"TableArn\":\"" ARN
                       "both\",\"TableId\":\"*\",\"BillingModeSummary\":{\"BillingMode\":"
                       "\"PAY_PER_REQUEST\"},\"DeletionProtectionEnabled\":false}}"},
        {"DeleteTable", "{\"TableName\":\"both\"}", BAD,
         "ResourceNotFoundException: Requested resource not found: Table: both not found"},
        {"DescribeTable", "{\"TableName\":\"both\"}", BAD,
         "ResourceNotFoundException: Requested resource not found: Table: both not found"},
        {"UpdateTable", "{\"TableName\":\"both\",\"DeletionProtectionEnabled\":true}", BAD,
         "ResourceNotFoundException: Requested resource not found: Table: both not found"},
        {"DescribeTable", "{}", BAD,
         INVALID "The parameter 'TableName' is required but was not present in the request"},
        {"DescribeTimeToLive", "{\"TableName\":\"hash\"}", OK,
         "{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":\"DISABLED\"}}"},
        {"DescribeTimeToLive", "{\"TableName\":\"both\"}", BAD,
         "ResourceNotFoundException: Requested resource not found: Table: both not found"},
    };

    SCRIPT(state, steps);
}

#define PROV_BEGINS(status)                                                                        \
    "\"AttributeDefinitions\":[" PK_S "],\"KeySchema\":[" HASH_KEY                                 \
    "],\"TableName\":\"prov\",\"TableStatus\":\"" status "\",\"CreationDateTime\":1760000000.123,"
#define PROV_FIGURES                                                                               \
    ",\"TableSizeBytes\":0,\"ItemCount\":0,\"TableArn\":\"" ARN "prov\",\"TableId\":\"*\","
#define CHANGED_UNITS(reads, writes, decreases)                                                    \
    "\"ProvisionedThroughput\":{\"LastIncreaseDateTime\":1760000000.123,"                          \
    "\"LastDecreaseDateTime\":1760000000.123,\"NumberOfDecreasesToday\":" decreases                \
    ",\"ReadCapacityUnits\":" reads ",\"WriteCapacityUnits\":" writes "}"
#define ENCRYPTED(status)                                                                          \
    "\"SSEDescription\":{\"Status\":\"" status "\",\"SSEType\":\"KMS\",\"KMSMasterKeyArn\":"       \
    "\"arn:aws:kms:eu-west-1:111122223333:key/k-1\"},"
#define CLASS(name, more) "\"TableClassSummary\":{\"TableClass\":\"" name "\"" more "},"
#define SINCE             ",\"LastUpdateDateTime\":1760000000.123"
#define UNPROTECTED       ",\"DeletionProtectionEnabled\":false}}"
#define UPDATE(more)      "{\"TableName\":\"prov\"," more "}"
#define GIVE(reads, writes)                                                                        \
    "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":" reads ",\"WriteCapacityUnits\":" writes "}"

static const struct step repeating[] = {
    {"CreateTable",
     "{\"TableName\":\"prov\",\"KeySchema\":[" HASH_KEY "],\"AttributeDefinitions\":[" PK_S
     "]," GIVE(
         "5",
         "6") ",\"Tags\":[{\"Key\":\"a\",\"Value\":\"1\"}],"
              "\"TableClass\":\"STANDARD_INFREQUENT_ACCESS\",\"DeletionProtectionEnabled\":true,"
              "\"SSESpecification\":{\"Enabled\":true,\"SSEType\":\"KMS\",\"KMSMasterKeyId\":\"k-"
              "1\"},"
              "\"StreamSpecification\":{\"StreamEnabled\":false}}",
     OK, NULL},
    {"DescribeTable", "{\"TableName\":\"prov\"}", OK,
     "{\"Table\":{" PROV_BEGINS("ACTIVE") UNITS("5", "6") PROV_FIGURES ENCRYPTED("ENABLED") CLASS(
         "STANDARD_INFREQUENT_ACCESS", "") WARM("5", "6") ",\"DeletionProtectionEnabled\":true}}"},
    {"DeleteTable", "{\"TableName\":\"prov\"}", BAD,
     INVALID "Resource cannot be deleted as it is currently protected against deletion. Disable "
             "deletion protection first."},
    {"UpdateTable", UPDATE("\"DeletionProtectionEnabled\":false"), OK,
     "{\"TableDescription\":{" PROV_BEGINS("ACTIVE") UNITS("5", "6") PROV_FIGURES ENCRYPTED(
         "ENABLED") CLASS("STANDARD_INFREQUENT_ACCESS", "") WARM("5", "6") UNPROTECTED},
    {"UpdateTable", UPDATE(GIVE("5", "6")), BAD,
     INVALID "The provisioned throughput for the table will not change. The requested value "
             "equals the current value. Current ReadCapacityUnits provisioned for the table: "
             "5. Requested ReadCapacityUnits: 5. Current WriteCapacityUnits provisioned for "
             "the table: 6. Requested WriteCapacityUnits: 6. Refer to the Amazon DynamoDB "
             "Developer Guide for current limits and how to request higher limits."},
    /* the old units and the old count, until it is done */
    {"UpdateTable", UPDATE(GIVE("4", "7")), OK,
     "{\"TableDescription\":{" PROV_BEGINS("UPDATING") CHANGED_UNITS("5", "6", "0")
         PROV_FIGURES ENCRYPTED("ENABLED") CLASS("STANDARD_INFREQUENT_ACCESS", "") WARM("5", "6")
             UNPROTECTED},
    /* the old class; what was warm stays warm */
    {"UpdateTable", UPDATE("\"TableClass\":\"STANDARD\""), OK,
     "{\"TableDescription\":{" PROV_BEGINS("UPDATING") CHANGED_UNITS("4", "7", "1")
         PROV_FIGURES ENCRYPTED("ENABLED") CLASS("STANDARD_INFREQUENT_ACCESS", "") WARM("5", "7")
             UNPROTECTED},
    {"UpdateTable", UPDATE("\"SSESpecification\":{}"), OK,
     "{\"TableDescription\":{" PROV_BEGINS("ACTIVE") CHANGED_UNITS("4", "7", "1")
         PROV_FIGURES ENCRYPTED("UPDATING") CLASS("STANDARD", SINCE) WARM("5", "7") UNPROTECTED},
    {"UpdateTable", UPDATE("\"SSESpecification\":{\"Enabled\":false}"), BAD,
     PARAMS "Table is already encrypted by default"},
    {"UpdateTable", UPDATE("\"BillingMode\":\"PAY_PER_REQUEST\""), OK, NULL},
    {"UpdateTable", UPDATE("\"OnDemandThroughput\":{\"MaxReadRequestUnits\":10}"), OK, NULL},
    {"UpdateTable",
     UPDATE("\"WarmThroughput\":{\"ReadUnitsPerSecond\":13000,\"WriteUnitsPerSecond\":5000}"), OK,
     "{\"TableDescription\":{" PROV_BEGINS("ACTIVE") CHANGED_UNITS("0", "0", "1") PROV_FIGURES
     "\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\","
     "\"LastUpdateToPayPerRequestDateTime\":1760000000.123}," CLASS(
         "STANDARD",
         SINCE) "\"OnDemandThroughput\":{\"MaxReadRequestUnits\":10},\"WarmThroughput\":{"
                "\"ReadUnitsPerSecond\":12000,\"WriteUnitsPerSecond\":4000,\"Status\":"
                "\"UPDATING\"}" UNPROTECTED},
    {"DescribeTable", "{\"TableName\":\"prov\"}", OK,
     "{\"Table\":{" PROV_BEGINS("ACTIVE") CHANGED_UNITS("0", "0", "1") PROV_FIGURES
     "\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\","
     "\"LastUpdateToPayPerRequestDateTime\":1760000000.123}," CLASS(
         "STANDARD", SINCE) "\"OnDemandThroughput\":{\"MaxReadRequestUnits\":10}," WARM("13000",
                                                                                        "5000")
         UNPROTECTED},
    {"UpdateTable", UPDATE("\"OnDemandThroughput\":{\"MaxReadRequestUnits\":-1}"), OK,
     "{\"TableDescription\":{" PROV_BEGINS("ACTIVE") CHANGED_UNITS("0", "0", "1") PROV_FIGURES
     "\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\","
     "\"LastUpdateToPayPerRequestDateTime\":1760000000.123}," CLASS(
         "STANDARD", SINCE) "\"OnDemandThroughput\":{\"MaxReadRequestUnits\":-1}," WARM("13000",
                                                                                        "5000")
         UNPROTECTED},
    {"UpdateTable", UPDATE("\"BillingMode\":\"PROVISIONED\""), BAD,
     PARAMS "ProvisionedThroughput must be specified when BillingMode is PROVISIONED"},
    {"UpdateTable", UPDATE(GIVE("4", "7")), BAD,
     PARAMS "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode "
            "is PAY_PER_REQUEST"},
    {"UpdateTable", UPDATE("\"BillingMode\":\"PROVISIONED\"," GIVE("4", "7")), OK, NULL},
    {"DescribeTable", "{\"TableName\":\"prov\"}", OK,
     "{\"Table\":{" PROV_BEGINS("ACTIVE") CHANGED_UNITS("4", "7", "1") PROV_FIGURES
     "\"BillingModeSummary\":{\"BillingMode\":\"PROVISIONED\","
     "\"LastUpdateToPayPerRequestDateTime\":1760000000.123}," CLASS("STANDARD", SINCE)
         WARM("13000", "5000") UNPROTECTED},
};

static void a_table_repeats_what_it_was_told(void **state)
{
    SCRIPT(state, repeating);
}

#define ONE_OF                                                                                     \
    "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "                    \
    "GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, "    \
    "ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, "                   \
    "OnDemandThroughput, WarmThroughput or TableClass is required"
#define PROTECT "\"DeletionProtectionEnabled\":true"
#define ONLY    " must be the only operation in the request"
#define WARMER  "\"WarmThroughput\":{\"ReadUnitsPerSecond\":1}"
#define BOUNDED "\"OnDemandThroughput\":{\"MaxWriteRequestUnits\":1}"

static const struct step concerns[] = {
    CREATE("prov", HASH_KEY, PK_S),
    {"UpdateTable", "{\"TableName\":\"prov\"}", BAD, INVALID ONE_OF},
    {"UpdateTable", "{\"TableName\":\"none\"," GIVE("1000000000001", "1") "}", BAD,
     INVALID "Given value 1000000000001 for ReadCapacityUnits is out of bounds"},
    {"UpdateTable", "{\"TableName\":\"none\",\"BillingMode\":\"PROVISIONED\"}", BAD,
     PARAMS "ProvisionedThroughput must be specified when BillingMode is PROVISIONED"},
    {"UpdateTable", UPDATE("\"WarmThroughput\":{},\"OnDemandThroughput\":{}"), BAD, INVALID ONE_OF},
    {"UpdateTable", UPDATE("\"AttributeDefinitions\":[" PK_S "]"), BAD, INVALID ONE_OF},
    {"UpdateTable", UPDATE(PROTECT ",\"SSESpecification\":{},\"TableClass\":\"STANDARD\"," WARMER),
     BAD, PARAMS "Server-Side Encryption modification" ONLY},
    {"UpdateTable", UPDATE(PROTECT ",\"TableClass\":\"STANDARD\"," WARMER), BAD,
     PARAMS "TableClass modification" ONLY},
    {"UpdateTable", UPDATE(PROTECT ",\"BillingMode\":\"PAY_PER_REQUEST\""), BAD,
     PARAMS "DeletionProtection modification" ONLY},
    {"UpdateTable", UPDATE(WARMER "," BOUNDED), BAD, PARAMS "WarmThroughput" ONLY},
    {"UpdateTable", UPDATE(BOUNDED ",\"StreamSpecification\":{\"StreamEnabled\":false}"), BAD,
     PARAMS "OnDemandThroughput can only be combined with BillingMode in an UpdateTable "
            "request"},
    {"UpdateTable", UPDATE(GIVE("1", "1") ",\"StreamSpecification\":{\"StreamEnabled\":false}"),
     BAD, PARAMS "You cannot modify stream status while updating table IOPS"},
    {"UpdateTable", UPDATE(BOUNDED ",\"BillingMode\":\"PAY_PER_REQUEST\""), OK, NULL},
    {"UpdateTable", UPDATE(PROTECT ",\"WarmThroughput\":{}"), OK, NULL},
    {"UpdateTable", UPDATE("\"TableClass\":\"standard\""), BAD,
     INVALID "Invalid table-class parameter provided. Please try again with a valid "
             "table-class value: [STANDARD, STANDARD_INFREQUENT_ACCESS]."},
    {"UpdateTable", UPDATE(WARMER), BAD,
     PARAMS "Requested ReadUnitsPerSecond for WarmThroughput for table is lower than current "
            "WarmThroughput, decreasing WarmThroughput is not supported"},
    {"UpdateTable", UPDATE("\"OnDemandThroughput\":{\"MaxWriteRequestUnits\":0}"), BAD,
     PARAMS "Requested MaxWriteRequestUnits for OnDemandThroughput for table is outside of "
            "valid range"},
    {"UpdateTable", UPDATE("\"StreamSpecification\":{\"StreamEnabled\":false}"), BAD,
     INVALID "Table has no stream to disable: TableName: prov"},
    {"UpdateTable", UPDATE("\"StreamSpecification\":{\"StreamEnabled\":true}"), BAD,
     PARAMS "If stream is being enabled then UpdateViewType is required"},
    {"UpdateTable",
     UPDATE("\"StreamSpecification\":{\"StreamEnabled\":false,\"StreamViewType\":"
            "\"KEYS_ONLY\"}"),
     BAD, PARAMS "If stream is being disabled, then UpdateViewType must not be specified"},
    {"UpdateTable",
     UPDATE("\"StreamSpecification\":{\"StreamEnabled\":true,\"StreamViewType\":"
            "\"KEYS_ONLY\"}"),
     BAD, PARAMS "StreamSpecification with StreamEnabled true is not supported yet"},
    {"UpdateTable",
     UPDATE("\"StreamSpecification\":{\"StreamEnabled\":false,\"StreamViewType\":\"\"}"), BAD,
     ONE "Value '' at 'streamSpecification.streamViewType' failed to satisfy constraint: Member "
         "must satisfy enum value set: [OLD_IMAGE, KEYS_ONLY, NEW_AND_OLD_IMAGES, NEW_IMAGE]"},
    {"UpdateTable", UPDATE(PROTECT ",\"AttributeDefinitions\":[{}]"), BAD,
     INVALID "2 validation errors detected: Value null at "
             "'attributeDefinitions.1.member.attributeType' failed to satisfy constraint: "
             "Member must not be null; Value null at "
             "'attributeDefinitions.1.member.attributeName' failed to satisfy constraint: "
             "Member must not be null"},
    {"UpdateTable", UPDATE("\"GlobalSecondaryIndexUpdates\":[{}]"), BAD,
     PARAMS "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
            "GlobalSecondaryIndexUpdate.Delete must not be null"},
    /* as if it were not there (dynalite's updateTable tests) */
    {"UpdateTable", UPDATE("\"GlobalSecondaryIndexUpdates\":[]"), BAD, INVALID ONE_OF},
    {"UpdateTable", UPDATE("\"GlobalSecondaryIndexUpdates\":{}"), BAD,
     "SerializationException: Start of structure or map found where not expected"},
    /* its class by default: nothing changes */
    {"UpdateTable", UPDATE("\"TableClass\":\"STANDARD\""), OK, NULL},
    {"DescribeTable", "{\"TableName\":\"prov\"}", OK,
     "{\"Table\":{" PROV_BEGINS("ACTIVE") UNITS("0", "0") PROV_FIGURES
     "\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\","
     "\"LastUpdateToPayPerRequestDateTime\":1760000000.123},\"OnDemandThroughput\":{"
     "\"MaxWriteRequestUnits\":1}," WARM("12000", "4000") ",\"DeletionProtectionEnabled\":"
                                                          "true}}"},
};

static void updates_have_one_concern(void **state)
{
    SCRIPT(state, concerns);
}

#define SSE(members) UPDATE("\"SSESpecification\":{" members "}")

static void encryption_has_its_rules(void **state)
{
    static const struct step steps[] = {
        CREATE("prov", HASH_KEY, PK_S),
        {"UpdateTable", SSE(""), BAD, PARAMS "Table is already encrypted by default"},
        {"UpdateTable", SSE("\"Enabled\":false,\"SSEType\":\"KMS\""), BAD,
         PARAMS "SSEType can not be specified if Enabled is false"},
        {"UpdateTable", SSE("\"Enabled\":false,\"KMSMasterKeyId\":\"k\""), BAD,
         PARAMS "KMSMasterKeyId can not be specified if Enabled is false"},
        {"UpdateTable", SSE("\"Enabled\":true,\"KMSMasterKeyId\":\"k\""), BAD,
         PARAMS "SSEType KMS is required if KMSMasterKeyId is specified"},
        {"UpdateTable", SSE("\"SSEType\":\"KMS\",\"KMSMasterKeyId\":\"\""), BAD,
         ONE "Value '' at 'sSESpecification.kMSMasterKeyId' failed to satisfy constraint: Member "
             "must have length greater than or equal to 1"},
        {"UpdateTable", SSE("\"Enabled\":true,\"SSEType\":\"AES256\""), BAD,
         PARAMS "SSEType AES256 is not supported"},
        {"UpdateTable", SSE("\"SSEType\":\"KMS\""), OK,
         "{\"TableDescription\":{" PROV_BEGINS("ACTIVE") UNITS("0", "0") PROV_FIGURES
         "\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\","
         "\"LastUpdateToPayPerRequestDateTime\":1760000000.123},\"SSEDescription\":{\"Status\":"
         "\"UPDATING\"}," WARM("12000", "4000") UNPROTECTED},
        {"UpdateTable", SSE("\"SSEType\":\"KMS\",\"KMSMasterKeyId\":\"arn:aws:kms:x:1:key/k\""), OK,
         NULL},
        {"UpdateTable", SSE("\"SSEType\":\"KMS\",\"KMSMasterKeyId\":\"arn:aws:kms:x:1:key/k\""),
         BAD,
         PARAMS "Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId "
                "parameter if you want to change Master Key"},
    };

    SCRIPT(state, steps);
}

static void throughput_falls_four_times_a_day(void **state)
{
    static const struct step steps[] = {
        {"CreateTable",
         "{\"TableName\":\"prov\",\"KeySchema\":[" HASH_KEY "],\"AttributeDefinitions\":[" PK_S
         "]," GIVE("9", "9") "}",
         OK, NULL},
        {"UpdateTable", UPDATE(GIVE("8", "9")), OK, NULL},
        {"UpdateTable", UPDATE(GIVE("8", "8")), OK, NULL},
        {"UpdateTable", UPDATE(GIVE("7", "7")), OK, NULL},
        {"UpdateTable", UPDATE(GIVE("6", "7")), OK, NULL},
        {"UpdateTable", UPDATE(GIVE("5", "9")), BAD,
         "LimitExceededException: Subscriber limit exceeded: Provisioned throughput decreases are "
         "limited within a given UTC day. After the first 4 decreases, each subsequent decrease "
         "in the same UTC day can be performed at most once every 3600 seconds. Number of "
         "decreases today: 4. Last decrease at Thursday, October 9, 2025 at 8:53:20 AM Coordinated "
         "Universal Time. Next decrease can be made at Thursday, October 9, 2025 at 9:53:20 AM "
         "Coordinated Universal Time"},
        {"UpdateTable", UPDATE(GIVE("7", "7")), OK, NULL},
    };

    SCRIPT(state, steps);
}

#define MAKE(rest) "{\"TableName\":\"abc\"," rest "}"
#define PPR        "\"BillingMode\":\"PAY_PER_REQUEST\""
#define BA         "{\"AttributeName\":\"b\",\"AttributeType\":\"S\"}"
#define AA         "{\"AttributeName\":\"a\",\"AttributeType\":\"S\"}"
#define KEY_H(a)   "{\"AttributeName\":\"" a "\",\"KeyType\":\"HASH\"}"
#define KEY_R(a)   "{\"AttributeName\":\"" a "\",\"KeyType\":\"RANGE\"}"
#define SCHEMA(keys, definitions)                                                                  \
    MAKE(PPR ",\"KeySchema\":[" keys "],\"AttributeDefinitions\":[" definitions "]")

#define NAMED(name)                                                                                \
    "{\"TableName\":\"" name "\"," PPR                                                             \
    ",\"KeySchema\":[" KEY_H("a") "],\"AttributeDefinitions\":[" AA "]}"
#define ARN_FORMAT                                                                                 \
    "Valid ARN format is 'arn:<awsPartition>:<vendor>:<region>:<subscriber>:resourceType/"         \
    "resourceName', where Resource name must have length less than or equal to 255, Resource "     \
    "name must have length greater than or equal to 3, Resource name must satisfy regular "        \
    "expression pattern: [a-zA-Z0-9_.-]+"

#define KEYED       "\"KeySchema\":[" KEY_H("a") "],\"AttributeDefinitions\":[" AA "],"
#define WITH(more)  MAKE(PPR "," KEYED more)
#define GIVEN(more) MAKE(GIVE("10", "10") "," KEYED more)

static const struct step impossible[] = {
    {"CreateTable", "{}", BAD,
     INVALID "The parameter 'TableName' is required but was not present in the request"},
    {"CreateTable", "{\"TableName\":\"abc;\"}", BAD,
     INVALID "3 validation errors detected: Value null at 'attributeDefinitions' failed to "
             "satisfy constraint: Member must not be null; Value 'abc;' at 'tableName' failed "
             "to satisfy constraint: Member must satisfy regular expression pattern: "
             "[a-zA-Z0-9_.-]+; Value null at 'keySchema' failed to satisfy constraint: Member "
             "must not be null"},
    {"CreateTable",
     MAKE("\"AttributeDefinitions\":[],\"KeySchema\":[],\"ProvisionedThroughput\":{"
          "\"ReadCapacityUnits\":-1,\"WriteCapacityUnits\":-1}"),
     BAD,
     INVALID "3 validation errors detected: Value '-1' at "
             "'provisionedThroughput.writeCapacityUnits' failed to satisfy constraint: Member "
             "must have value greater than or equal to 1; Value '-1' at "
             "'provisionedThroughput.readCapacityUnits' failed to satisfy constraint: Member "
             "must have value greater than or equal to 1; Value '[]' at 'keySchema' failed to "
             "satisfy constraint: Member must have length greater than or equal to 1"},
    {"CreateTable", SCHEMA(KEY_H("a") "," KEY_R("b") "," KEY_R("c"), AA), BAD,
     ONE "Value '[KeySchemaElement(attributeName=a, keyType=HASH), "
         "KeySchemaElement(attributeName=b, keyType=RANGE), KeySchemaElement(attributeName=c, "
         "keyType=RANGE)]' at 'keySchema' failed to satisfy constraint: Member must have "
         "length less than or equal to 2"},
    {"CreateTable",
     SCHEMA("{\"AttributeName\":\"a\",\"KeyType\":\"WOOP\"}",
            "{\"AttributeName\":\"a\",\"AttributeType\":\"SS\"}"),
     BAD,
     INVALID "2 validation errors detected: Value 'SS' at "
             "'attributeDefinitions.1.member.attributeType' failed to satisfy constraint: "
             "Member must satisfy enum value set: [B, N, S]; Value 'WOOP' at "
             "'keySchema.1.member.keyType' failed to satisfy constraint: Member must satisfy "
             "enum value set: [HASH, RANGE]"},
    {"CreateTable",
     MAKE("\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":[" AA
          "],\"KeySchema\":[" KEY_H("a") "],\"ProvisionedThroughput\":{\"ReadCapacityUnits\":1,"
                                         "\"WriteCapacityUnits\":1}"),
     BAD,
     PARAMS "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode "
            "is PAY_PER_REQUEST"},
    {"CreateTable", MAKE("\"AttributeDefinitions\":[],\"KeySchema\":[" KEY_H("a") "]"), BAD,
     PARAMS "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode "
            "is PROVISIONED"},
    {"CreateTable",
     MAKE("\"AttributeDefinitions\":[],\"KeySchema\":[" KEY_H(
         "a") "],\"ProvisionedThroughput\":{\"ReadCapacityUnits\":1000000000000,"
              "\"WriteCapacityUnits\":1000000000001}"),
     BAD, INVALID "Given value 1000000000001 for WriteCapacityUnits is out of bounds"},
    {"CreateTable", NAMED(ARN "ab"), BAD, ONE ARN_FORMAT},
    {"CreateTable", NAMED(ARN "a b"), BAD, ONE ARN_FORMAT},
    {"CreateTable", NAMED(ARN), BAD, ONE ARN_FORMAT},
    {"CreateTable", NAMED("arn:aws:dynamodb:eu-west-1:999999999999:table/abc"), BAD,
     "AccessDeniedException: Access is denied"},
    {"CreateTable", SCHEMA(KEY_H("a") "," KEY_R("a"), AA), BAD,
     INVALID "Invalid KeySchema: Some index key attribute have no definition"},
    {"CreateTable", SCHEMA(KEY_H("a"), BA), BAD,
     PARAMS "Some index key attributes are not defined in AttributeDefinitions. Keys: [a], "
            "AttributeDefinitions: [b]"},
    {"CreateTable", SCHEMA(KEY_H("a") "," KEY_R("a"), AA "," BA), BAD,
     INVALID "Both the Hash Key and the Range Key element in the KeySchema have the same name"},
    {"CreateTable", SCHEMA(KEY_R("a") "," KEY_H("b"), AA "," BA), BAD,
     INVALID "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"},
    {"CreateTable", SCHEMA(KEY_H("a") "," KEY_H("b"), AA "," BA), BAD,
     INVALID "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"},
    {"CreateTable", SCHEMA(KEY_H("a"), AA "," BA), BAD,
     PARAMS "Number of attributes in KeySchema does not exactly match number of attributes "
            "defined in AttributeDefinitions"},
    {"CreateTable",
     MAKE(PPR ",\"KeySchema\":[" KEY_H("a") "],\"AttributeDefinitions\":[" AA
                                            "],\"GlobalSecondaryIndexes\":[{}]"),
     BAD,
     INVALID "3 validation errors detected: Value null at 'globalSecondaryIndexes.1.member."
             "projection' failed to satisfy constraint: Member must not be null; Value null at "
             "'globalSecondaryIndexes.1.member.indexName' failed to satisfy constraint: Member "
             "must not be null; Value null at 'globalSecondaryIndexes.1.member.keySchema' failed "
             "to satisfy constraint: Member must not be null"},
    {"CreateTable",
     MAKE(PPR ",\"KeySchema\":[" KEY_H("a") "],\"AttributeDefinitions\":[" AA "," BA
                                            "],\"GlobalSecondaryIndexes\":[]"),
     BAD, PARAMS "List of GlobalSecondaryIndexes is empty"},
    {"CreateTable",
     MAKE(PPR ",\"KeySchema\":[" KEY_H("a") "],\"AttributeDefinitions\":[" AA
                                            "],\"GlobalSecondaryIndexes\":[],"
                                            "\"LocalSecondaryIndexes\":[]"),
     BAD, PARAMS "List of LocalSecondaryIndexes is empty"},
    {"CreateTable",
     MAKE(PPR ",\"KeySchema\":[" KEY_H("a") "],\"AttributeDefinitions\":[" AA
                                            "],\"LocalSecondaryIndexes\":\"\""),
     BAD, "SerializationException: Unexpected field type"},
    {"CreateTable", WITH("\"StreamSpecification\":{\"StreamEnabled\":true}"), BAD,
     PARAMS "Table is being created with a stream enabled, UpdateViewType is required"},
    {"CreateTable",
     WITH("\"StreamSpecification\":{\"StreamEnabled\":true,\"StreamViewType\":\"KEYS_ONLY\"}"), BAD,
     PARAMS "StreamSpecification with StreamEnabled true is not supported yet"},
    {"CreateTable",
     WITH("\"StreamSpecification\":{\"StreamEnabled\":false,\"StreamViewType\":\"KEYS_ONLY\"}"),
     BAD,
     PARAMS "Table is being created with a stream disabled, UpdateViewType should not be "
            "specified"},
    {"CreateTable", SCHEMA(KEY_H("a"), AA "," AA), BAD, INVALID "Attribute Name is duplicated: a"},
    {"CreateTable", WITH("\"TableClass\":\"x\""), BAD,
     INVALID "Invalid table-class parameter provided. Please try again with a valid table-class "
             "value: [STANDARD, STANDARD_INFREQUENT_ACCESS]."},
    {"CreateTable", WITH("\"OnDemandThroughput\":{\"MaxReadRequestUnits\":-1}"), BAD,
     PARAMS "Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of valid "
            "range"},
    {"CreateTable", WITH("\"WarmThroughput\":{\"WriteUnitsPerSecond\":1}"), BAD,
     PARAMS "Requested WriteUnitsPerSecond for WarmThroughput for table is lower than initial "
            "throughput for OnDemand. See: https://docs.aws.amazon.com/amazondynamodb/latest/"
            "developerguide/on-demand-capacity-mode.html#on-demand-capacity-mode-initial"},
    {"CreateTable", WITH("\"Tags\":[{\"Key\":\"aws:foo\",\"Value\":\"\"}]"), BAD,
     INVALID "Tag Key cannot be prefixed with aws:, Key: aws:foo"},
    {"CreateTable", GIVEN("\"WarmThroughput\":{\"ReadUnitsPerSecond\":5}"), BAD,
     PARAMS "Requested ReadUnitsPerSecond for WarmThroughput for table is lower than "
            "ReadCapacityUnits of ProvisionedThroughput"},
    {"CreateTable", GIVEN("\"OnDemandThroughput\":{\"MaxReadRequestUnits\":5}"), BAD,
     PARAMS "MaxReadRequestUnits for OnDemandThroughput cannot be specified when table "
            "BillingMode is PROVISIONED."},
    {"CreateTable",
     WITH(
         "\"Tags\":[],\"OnDemandThroughput\":{},\"WarmThroughput\":{\"ReadUnitsPerSecond\":12001}"),
     OK,
     "{\"TableDescription\":{\"AttributeDefinitions\":[" AA "],\"KeySchema\":[" KEY_H(
         "a") "],\"TableName\":\"abc\",\"TableStatus\":\"CREATING\",\"CreationDateTime\":"
              "1760000000.123," UNITS(
                  "0", "0") ",\"TableSizeBytes\":0,\"ItemCount\":0,"
                            "\"TableArn\":\"" ARN "abc\",\"TableId\":\"*\",\"BillingModeSummary\":{"
                            "\"BillingMode\":\"PAY_PER_REQUEST\"},\"WarmThroughput\":{"
                            "\"ReadUnitsPerSecond\":"
                            "12001,\"WriteUnitsPerSecond\":4000,\"Status\":\"UPDATING\"},"
                            "\"DeletionProtectionEnabled\":false}}"},
};

static void definitions_are_told_by_name(void **state)
{
    static const struct step steps[] = {
        {"CreateTable",
         "{\"TableName\":\"turned\",\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":[" KEY_H(
             "b") "," KEY_R("a") "],\"AttributeDefinitions\":[" BA "," AA "]}",
         OK,
         "{\"TableDescription\":{\"AttributeDefinitions\":[" AA "," BA
         "],\"KeySchema\":[" KEY_H("b") "," KEY_R(
             "a") "],\"TableName\":\"turned\","
                  "\"TableStatus\":\"CREATING\",\"CreationDateTime\":1760000000.123," UNITS(
                      "0",
                      "0") ",\"TableSizeBytes\":0,\"ItemCount\":0,\"TableArn\":\"" ARN
                           "turned\",\"TableId\":\"*\",\"BillingModeSummary\":{\"BillingMode\":"
                           "\"PAY_PER_REQUEST\"}" UNPROTECTED},
    };

    SCRIPT(state, steps);
}

static void impossible_tables_are_refused(void **state)
{
    SCRIPT(state, impossible);
}

#define TAG(tags) "{\"ResourceArn\":\"" ARN "hash\",\"Tags\":[" tags "]}"

static void tags_are_kept(void **state)
{
    static const struct step steps[] = {
        HASH_TABLE,
        {"TagResource",
         "{\"ResourceArn\":\"" ARN "hash\",\"Tags\":[{\"Key\":\"a\",\"Value\":\"1\"},{\"Key\":"
         "\"b\",\"Value\":\"\"}]}",
         OK, ""},
        {"TagResource",
         "{\"ResourceArn\":\"" ARN "hash\",\"Tags\":[{\"Key\":\"a\",\"Value\":\"2\"}]}", OK, ""},
        {"ListTagsOfResource", "{\"ResourceArn\":\"" ARN "hash\"}", OK,
         "{\"Tags\":[{\"Key\":\"a\",\"Value\":\"2\"},{\"Key\":\"b\",\"Value\":\"\"}]}"},
        {"UntagResource", "{\"ResourceArn\":\"" ARN "hash\",\"TagKeys\":[\"a\",\"x\"]}", OK, ""},
        {"ListTagsOfResource", "{\"ResourceArn\":\"" ARN "hash\"}", OK,
         "{\"Tags\":[{\"Key\":\"b\",\"Value\":\"\"}]}"},
        {"ListTagsOfResource", "{\"ResourceArn\":\"" ARN "none\"}", BAD,
         "ResourceNotFoundException: Requested resource not found: ResourceArn: " ARN
         "none not found"},
        {"ListTagsOfResource",
         "{\"ResourceArn\":\"arn:aws:dynamodb:eu-west-1:999999999999:table/hash\"}", BAD,
         "AccessDeniedException: Access is denied"},
        {"TagResource", "{\"ResourceArn\":\"" ARN "hash\",\"Tags\":[]}", BAD,
         INVALID "Atleast one Tag needs to be provided as Input."},
        {"TagResource", "{\"ResourceArn\":\"hash\",\"Tags\":[{\"Key\":\"a\",\"Value\":\"1\"}]}",
         BAD, PARAMS "ARNs must start with 'arn:': hash"},
        {"ListTagsOfResource",
         "{\"ResourceArn\":\"arn:aws:dynamodb:us-east-1:111122223333:table/hash\"}", BAD,
         INVALID "Invalid TableArn: Invalid ResourceArn provided as input "
                 "arn:aws:dynamodb:us-east-1:111122223333:table/hash"},
        {"ListTagsOfResource", "{\"ResourceArn\":\"" ARN "ab\"}", BAD,
         INVALID "Invalid TableArn: Invalid ResourceArn provided as input " ARN "ab"},
        {"ListTagsOfResource", "{\"ResourceArn\":\"" ARN "hash/index/i\"}", BAD,
         PARAMS "Invalid resource arn provided, only table or stream is accepted. Provided "
                "resource arn: " ARN "hash/index/i"},
        {"ListTagsOfResource", "{\"ResourceArn\":\"" ARN "hash/backup/b\"}", BAD,
         PARAMS "Provided Arn is not a DynamoDB resource arn: " ARN "hash/backup/b"},
        {"ListTagsOfResource", "{\"ResourceArn\":\"" ARN "hash\",\"NextToken\":\"x\"}", OK,
         "{\"Tags\":[{\"Key\":\"b\",\"Value\":\"\"}]}"},
        {"TagResource", TAG("{\"Key\":\"good\",\"Value\":\"1\"},{\"Key\":\"a#b\",\"Value\":\"\"}"),
         BAD, INVALID "The Tag Key provided is invalid, Key: a#b"},
        {"TagResource", TAG("{\"Key\":\"\",\"Value\":\"1\"}"), BAD,
         INVALID "The Tag Key provided is invalid, Key: "},
        {"TagResource", TAG("{\"Value\":\"1\"}"), BAD,
         INVALID "The Tag Key provided is invalid, Key: null"},
        {"TagResource", TAG("{\"Key\":\"k\"}"), BAD,
         INVALID "The Tag Value provided is invalid, Value: null"},
        {"TagResource", TAG("{\"Key\":\"k\",\"Value\":\"100%\"}"), BAD,
         INVALID "The Tag Value provided is invalid, Value: 100%"},
        {"TagResource", TAG("{\"Key\":\"k\",\"Value\":\"\xf0\x9f\x94\x91\"}"), BAD,
         INVALID "The Tag Value provided is invalid, Value: \xf0\x9f\x94\x91"},
        {"TagResource", TAG("{\"Key\":\"AWS:foo\",\"Value\":\"1\"}"), BAD,
         INVALID "Tag Key cannot be prefixed with aws:, Key: AWS:foo"},
        {"TagResource", TAG("{\"Key\":\"k\",\"Value\":\"1\"},{\"Key\":\"k\",\"Value\":\"2\"}"), BAD,
         INVALID "Duplicate Tag Keys provided as input: Duplicate Tag Key found k"},
        {"UntagResource", "{\"ResourceArn\":\"" ARN "hash\",\"TagKeys\":[\"aws:foo\"]}", BAD,
         INVALID "Tag Key cannot be prefixed with aws:, Key: aws:foo"},
        {"TagResource", TAG("{\"Key\":\"\xd0\xba\xd0\xbb\",\"Value\":\"a b+c-d=e.f_g:h/i@j\"}"), OK,
         ""},
    };

    SCRIPT(state, steps);
}

#define OTHER_REGION  "arn:aws:dynamodb:us-east-1:111122223333:table/hash"
#define OTHER_ACCOUNT "arn:aws:dynamodb:eu-west-1:999999999999:table/hash"

static void arns_of_others_are_refused(void **state)
{
    static const struct step steps[] = {
        HASH_TABLE,
        {"DescribeTable", "{\"TableName\":\"" OTHER_ACCOUNT "\"}", BAD,
         "AccessDeniedException: Access is denied"},
        {"DescribeTable", "{\"TableName\":\"" OTHER_REGION "\"}", BAD,
         ONE "Invalid AWS region in '" OTHER_REGION "'"},
        {"DescribeTable",
         "{\"TableName\":\"arn:aws-cn:dynamodb:eu-west-1:111122223333:table/hash\"}", BAD,
         ONE "Invalid AWS partition in 'arn:aws-cn:dynamodb:eu-west-1:111122223333:table/hash'"},
        {"DescribeTable", "{\"TableName\":\"arn:aws:dynamodb:eu-west-1:111122223333:stream/hash\"}",
         BAD, ONE "Invalid resource type in 'arn:aws:dynamodb:eu-west-1:111122223333:stream/hash'"},
        {"DescribeTable", "{\"TableName\":\"" ARN "hash/index/i\"}", BAD, ONE ARN_FORMAT},
        {"DescribeTable", "{\"TableName\":\"arn:aws\"}", BAD, ONE ARN_FORMAT},
        {"DescribeContinuousBackups", "{\"TableName\":\"" OTHER_REGION "\"}", BAD,
         ONE "Invalid AWS region in '" OTHER_REGION "'"},
        {"GetItem", "{\"TableName\":\"" OTHER_ACCOUNT "\",\"Key\":{\"pk\":{\"S\":\"a\"}}}", BAD,
         "AccessDeniedException: Access is denied"},
        {"BatchGetItem",
         "{\"RequestItems\":{\"" OTHER_ACCOUNT "\":{\"Keys\":[{\"pk\":{\"S\":\"a\"}}]}}}", BAD,
         "AccessDeniedException: Access is denied"},
        {"BatchGetItem", "{\"RequestItems\":{\"" ARN "hash\":{\"Keys\":[{\"pk\":{\"S\":\"a\"}}]}}}",
         OK, NULL},
        {"DescribeTable", "{\"TableName\":\"" ARN "none\"}", BAD,
         "ResourceNotFoundException: Requested resource not found: Table: none not found"},
    };

    SCRIPT(state, steps);
}

#define BACKUPS(rest)                                                                              \
    "{\"ContinuousBackupsDescription\":{\"ContinuousBackupsStatus\":\"ENABLED\","                  \
    "\"PointInTimeRecoveryDescription\":{\"PointInTimeRecoveryStatus\":" rest "}}}"
#define ENABLED(days)                                                                              \
    BACKUPS("\"ENABLED\",\"RecoveryPeriodInDays\":" days                                           \
            ",\"EarliestRestorableDateTime\":1760000000,\"LatestRestorableDateTime\":1760000000")
#define RECOVERY(spec) "{\"TableName\":\"hash\",\"PointInTimeRecoverySpecification\":{" spec "}}"

static void recovery_is_switched(void **state)
{
    static const struct step steps[] = {
        HASH_TABLE,
        {"DescribeContinuousBackups", "{\"TableName\":\"hash\"}", OK, BACKUPS("\"DISABLED\"")},
        {"UpdateContinuousBackups", RECOVERY("\"PointInTimeRecoveryEnabled\":true"), OK,
         ENABLED("35")},
        {"UpdateContinuousBackups",
         RECOVERY("\"PointInTimeRecoveryEnabled\":true,\"RecoveryPeriodInDays\":7"), OK,
         ENABLED("7")},
        {"UpdateContinuousBackups", RECOVERY("\"PointInTimeRecoveryEnabled\":true"), OK,
         ENABLED("7")},
        {"DescribeContinuousBackups", "{\"TableName\":\"" ARN "hash\"}", OK, ENABLED("7")},
        {"UpdateContinuousBackups", RECOVERY("\"PointInTimeRecoveryEnabled\":false"), OK,
         BACKUPS("\"DISABLED\"")},
        {"UpdateContinuousBackups",
         RECOVERY("\"PointInTimeRecoveryEnabled\":false,\"RecoveryPeriodInDays\":7"), BAD,
         INVALID "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling "
                 "point-in-time recovery."},
        {"UpdateContinuousBackups",
         RECOVERY("\"PointInTimeRecoveryEnabled\":true,\"RecoveryPeriodInDays\":36"), BAD,
         ONE "Value '36' at 'pointInTimeRecoverySpecification.recoveryPeriodInDays' failed to "
             "satisfy constraint: Member must have value less than or equal to 35"},
        {"DescribeContinuousBackups", "{\"TableName\":\"none\"}", BAD,
         "TableNotFoundException: Table not found: none"},
    };

    SCRIPT(state, steps);
}

/* --- items ------------------------------------------------------------------------------------ */

#define UNSUPPORTED(name) PARAMS name " is not supported yet"

static void items_are_put_got_and_deleted(void **state)
{
    static const struct step steps[] = {
        HASH_TABLE,
        {"GetItem", KEY(PK("a")), OK, "{}"},
        {"PutItem", PUT_AND(PK("a") ",\"v\":{\"N\":\"01.50\"}", "\"ReturnValues\":\"ALL_OLD\""), OK,
         "{}"},
        {"GetItem", KEY_AND(PK("a"), "\"ConsistentRead\":true"), OK,
         "{\"Item\":{\"pk\":{\"S\":\"a\"},\"v\":{\"N\":\"1.5\"}}}"},
        {"PutItem",
         PUT_AND(PK("a") ",\"v\":{\"NULL\":true}", "\"ReturnValues\":\"ALL_OLD\"," TOTAL), OK,
         "{\"Attributes\":{\"pk\":{\"S\":\"a\"},\"v\":{\"N\":\"1.5\"}},\"ConsumedCapacity\":{"
         "\"TableName\":\"hash\",\"CapacityUnits\":1.0}}"},
        {"PutItem",
         "{\"TableName\":\"" ARN "hash\",\"Item\":{" PK("b") "},\"ReturnConsumedCapacity\":"
                                                             "\"INDEXES\"}",
         OK,
         "{\"ConsumedCapacity\":{\"TableName\":\"" ARN "hash\",\"CapacityUnits\":1.0,\"Table\":{"
         "\"CapacityUnits\":1.0}}}"},
        {"GetItem", KEY_AND(PK("none"), TOTAL), OK,
         "{\"ConsumedCapacity\":{\"TableName\":\"hash\",\"CapacityUnits\":0.5}}"},
        {"GetItem", KEY_AND(PK("none"), TOTAL ",\"ConsistentRead\":true"), OK,
         "{\"ConsumedCapacity\":{\"TableName\":\"hash\",\"CapacityUnits\":1.0}}"},
        {"DeleteItem", KEY_AND(PK("a"), "\"ReturnValues\":\"ALL_OLD\"," TOTAL), OK,
         "{\"Attributes\":{\"pk\":{\"S\":\"a\"},\"v\":{\"NULL\":true}},\"ConsumedCapacity\":{"
         "\"TableName\":\"hash\",\"CapacityUnits\":1.0}}"},
        {"DeleteItem", KEY_AND(PK("a"), "\"ReturnValues\":\"ALL_OLD\"," TOTAL), OK,
         "{\"ConsumedCapacity\":{\"TableName\":\"hash\",\"CapacityUnits\":1.0}}"},
        {"DeleteItem", KEY(PK("b")), OK, "{}"},
        {"GetItem", KEY(PK("b")), OK, "{}"},
    };

    SCRIPT(state, steps);
}

static void what_is_wrong_with_an_item_is_told_in_order(void **state)
{
    static const struct step steps[] = {
        {"PutItem", "{}", BAD,
         INVALID "2 validation errors detected: Value null at 'tableName' failed to satisfy "
                 "constraint: Member must not be null; Value null at 'item' failed to satisfy "
                 "constraint: Member must not be null"},
        {"PutItem",
         "{\"TableName\":\"abc;\",\"ReturnConsumedCapacity\":\"hi\",\"ReturnValues\":\"hi\","
         "\"ReturnItemCollectionMetrics\":\"hi\"}",
         BAD,
         INVALID
         "5 validation errors detected: Value 'hi' at 'returnConsumedCapacity' failed to satisfy "
         "constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; Value 'abc;' at "
         "'tableName' failed to satisfy constraint: Member must satisfy regular expression "
         "pattern: [a-zA-Z0-9_.-]+; Value null at 'item' failed to satisfy constraint: Member must "
         "not be null; Failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, "
         "UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]; Value 'hi' at 'returnItemCollectionMetrics' "
         "failed to satisfy constraint: Member must satisfy enum "
         "value set: [SIZE, NONE]"},
        {"PutItem", PUT("\"a\":{}"), BAD,
         ONE "Supplied AttributeValue is empty, must contain exactly one of the supported "
             "datatypes"},
        {"PutItem", PUT("\"a\":{\"NS\":[\"\"]}"), BAD,
         ONE "The parameter cannot be converted to a numeric value: "},
        {"PutItem", PUT_AND("\"a\":{\"SS\":[]}", "\"ReturnValues\":\"ALL_NEW\""), BAD,
         ONE "One or more parameter values were invalid: An string set  may not be empty"},
        {"PutItem", PUT_AND("", "\"ReturnValues\":\"ALL_NEW\""), BAD,
         ONE "ReturnValues can only be ALL_OLD or NONE"},
        {"PutItem", PUT(""), BAD, "ResourceNotFoundException: Requested resource not found"},
        {"GetItem", KEY(""), BAD, "ResourceNotFoundException: Requested resource not found"},
        {"DeleteItem", KEY(""), BAD, "ResourceNotFoundException: Requested resource not found"},
        HASH_TABLE,
        {"PutItem", PUT(""), BAD, PARAMS "Missing the key pk in the item"},
        {"PutItem", PUT("\"pk\":{\"N\":\"1\"}"), BAD,
         PARAMS "Type mismatch for key pk expected: S actual: N"},
        {"PutItem", PUT(PK("")), BAD,
         INVALID "One or more parameter values are not valid. The AttributeValue for a key "
                 "attribute cannot contain an empty string value. Key: pk"},
        {"GetItem", KEY(""), BAD, INVALID "The provided key element does not match the schema"},
        {"GetItem", KEY(PK("a") ",\"b\":{\"S\":\"c\"}"), BAD,
         INVALID "The provided key element does not match the schema"},
        {"GetItem", KEY("\"pk\":{\"N\":\"x\"}"), BAD,
         INVALID "The parameter cannot be converted to a numeric value: x"},
        {"DeleteItem", KEY_AND(PK("a"), "\"ReturnValues\":\"ALL_NEW\""), BAD,
         ONE "ReturnValues can only be ALL_OLD or NONE"},
        {"GetItem", "{\"TableName\":\"\",\"Key\":{}}", BAD,
         ONE "Value at 'TableName' failed to satisfy constraint: Member must have length greater "
             "than or equal to 1"},
    };

    SCRIPT(state, steps);
}

/* A body with an item whose "v" is `size` letters. */
static struct bytes item_body(struct buf *body, const char *operation_head, size_t size)
{
    buf_clear(body);
    buf_put_text(body, operation_head);
    memset(buf_room(body, size), 'x', size);
    body->size += size;
    buf_put_literal(body, "\"}}}");
    return buf_bytes(body);
}

static void capacity_follows_size(void **state)
{
    /* pk (2 + 1), v (1 + size) */
    static const struct {
        size_t size;
        const char *write, *read;
    } sizes[] = {
        {1024 - 4, "1.0", "0.5"}, {1025 - 4, "2.0", "0.5"},          {4096 - 4, "4.0", "0.5"},
        {4097 - 4, "5.0", "1.0"}, {400 * 1024 - 4, "400.0", "50.0"},
    };
    struct fixture *fixture = *state;
    static const struct step steps[] = {HASH_TABLE};
    struct buf body, reply;
    char expected[128];

    SCRIPT(state, steps);
    buf_init(&body);
    buf_init(&reply);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        item_body(&body,
                  "{\"TableName\":\"hash\"," TOTAL
                  ",\"Item\":{\"pk\":{\"S\":\"a\"},\"v\":{\"S\":\"",
                  sizes[i].size);
        assert_int_equal(api_call(fixture->api, "PutItem", buf_bytes(&body), &reply), OK);
        snprintf(expected, sizeof expected, "\"CapacityUnits\":%s}", sizes[i].write);
        assert_non_null(strstr((char *)reply.data, expected));
        buf_clear(&reply);
        assert_int_equal(api_call(fixture->api, "GetItem", BYTES(KEY_AND(PK("a"), TOTAL)), &reply),
                         OK);
        snprintf(expected, sizeof expected, "\"CapacityUnits\":%s}", sizes[i].read);
        assert_non_null(strstr((char *)reply.data, expected));
        buf_clear(&reply);
    }
    /* a delete costs what was there, and what is too large is refused */
    assert_int_equal(api_call(fixture->api, "DeleteItem", BYTES(KEY_AND(PK("a"), TOTAL)), &reply),
                     OK);
    assert_non_null(strstr((char *)reply.data, "\"CapacityUnits\":400.0}"));
    buf_clear(&reply);
    item_body(&body, "{\"TableName\":\"none\",\"Item\":{\"pk\":{\"S\":\"a\"},\"v\":{\"S\":\"",
              400 * 1024 - 3);
    assert_int_equal(api_call(fixture->api, "PutItem", buf_bytes(&body), &reply), BAD);
    assert_non_null(strstr((char *)reply.data, "Item size has exceeded the maximum allowed size"));
    buf_release(&body);
    buf_release(&reply);
}

/* --- batches ---------------------------------------------------------------------------------- */

#define WRITE(requests) "{\"RequestItems\":{\"hash\":[" requests "]}}"
#define PUT_R(item)     "{\"PutRequest\":{\"Item\":{" item "}}}"
#define DELETE_R(key)   "{\"DeleteRequest\":{\"Key\":{" key "}}}"
#define MISMATCH        INVALID "The provided key element does not match the schema"

static void batches_write(void **state)
{
    static const struct step steps[] = {
        HASH_TABLE,
        BOTH_TABLE,
        {"BatchWriteItem",
         "{\"RequestItems\":{\"hash\":[" PUT_R(PK("a")) "," PUT_R(PK("b")) "],\"both\":[" PUT_R(
             PK("a") ",\"sk\":{\"N\":\"1\"}") "]},\"ReturnConsumedCapacity\":\"TOTAL\"}",
         OK,
         "{\"UnprocessedItems\":{},\"ConsumedCapacity\":[{\"TableName\":\"hash\","
         "\"CapacityUnits\":2.0},{\"TableName\":\"both\",\"CapacityUnits\":1.0}]}"},
        {"BatchWriteItem", WRITE(DELETE_R(PK("a")) "," DELETE_R(PK("none"))), OK,
         "{\"UnprocessedItems\":{}}"},
        {"GetItem", KEY(PK("a")), OK, "{}"},
        {"GetItem", KEY(PK("b")), OK, "{\"Item\":{\"pk\":{\"S\":\"b\"}}}"},
        {"BatchWriteItem", "{}", BAD,
         ONE "Value null at 'requestItems' failed to satisfy constraint: Member must not be null"},
        {"BatchWriteItem", "{\"RequestItems\":{}}", BAD,
         INVALID "The requestItems parameter is required for BatchWriteItem"},
        {"BatchWriteItem", "{\"RequestItems\":{\"a\":[]}}", BAD,
         INVALID "2 validation errors detected: Value '{a=[]}' at 'requestItems' failed to satisfy "
                 "constraint: Map keys must satisfy constraint: [Member must have length less than "
                 "or equal to 255, Member must have length greater than or equal to 3, Member must "
                 "satisfy regular expression pattern: [a-zA-Z0-9_.-]+]; Value '{a=[]}' at "
                 "'requestItems' failed to satisfy constraint: Map value must satisfy constraint: "
                 "[Member must have length less than or equal to 25, Member must have length "
                 "greater than or equal to 1]"},
        {"BatchWriteItem", "{\"RequestItems\":{\"abc\":[{\"PutRequest\":{}}]}}", BAD,
         ONE "Value null at 'requestItems.abc.member.1.member.putRequest.item' failed to satisfy "
             "constraint: Member must not be null"},
        {"BatchWriteItem", WRITE("{}"), BAD,
         INVALID "Supplied AttributeValue has more than one datatypes set, must contain exactly "
                 "one of the supported datatypes"},
        {"BatchWriteItem", WRITE(PUT_R("\"pk\":{\"SS\":[]}")), BAD,
         PARAMS "An string set  may not be empty"},
        {"BatchWriteItem", "{\"RequestItems\":{\"none\":[" PUT_R(PK("a")) "]}}", BAD,
         "ResourceNotFoundException: Requested resource not found"},
        {"BatchWriteItem", WRITE(PUT_R("")), BAD, MISMATCH},
        {"BatchWriteItem", WRITE(PUT_R("\"pk\":{\"N\":\"1\"}")), BAD, MISMATCH},
        {"BatchWriteItem", WRITE(DELETE_R(PK("a") ",\"b\":{\"S\":\"c\"}")), BAD, MISMATCH},
        {"BatchWriteItem", WRITE(PUT_R(PK(""))), BAD,
         INVALID "One or more parameter values are not valid. The AttributeValue for a key "
                 "attribute cannot contain an empty string value. Key: pk"},
        {"BatchWriteItem", WRITE(PUT_R(PK("a")) "," DELETE_R(PK("a"))), BAD,
         INVALID "Provided list of item keys contains duplicates"},
        {"BatchWriteItem",
         "{\"RequestItems\":{\"hash\":[" PUT_R(PK("a")) "],\"" ARN "hash\":[" PUT_R(PK("a")) "]}}",
         BAD, INVALID "Provided list of item keys contains duplicates"},
    };

    SCRIPT(state, steps);
}

static void batches_read(void **state)
{
    static const struct step steps[] = {
        HASH_TABLE,
        BOTH_TABLE,
        {"PutItem", PUT(PK("a")), OK, "{}"},
        {"PutItem", "{\"TableName\":\"both\",\"Item\":{" PK("b") ",\"sk\":{\"N\":\"2\"}}}", OK,
         "{}"},
        {"BatchGetItem",
         "{\"RequestItems\":{\"hash\":{\"Keys\":[{" PK("a") "},{" PK(
             "none") "}]},\"both\":{"
                     "\"ConsistentRead\":"
                     "true,\"Keys\":[{" PK("b") ",\"sk\":{\"N\":\"2.0\"}}]}}," TOTAL "}",
         OK,
         "{\"Responses\":{\"hash\":[{\"pk\":{\"S\":\"a\"}}],\"both\":[{\"pk\":{\"S\":\"b\"},"
         "\"sk\":{\"N\":\"2\"}}]},\"UnprocessedKeys\":{},\"ConsumedCapacity\":[{\"TableName\":"
         "\"hash\",\"CapacityUnits\":1.0},{\"TableName\":\"both\",\"CapacityUnits\":1.0}]}"},
        {"BatchGetItem", "{}", BAD,
         ONE "Value null at 'requestItems' failed to satisfy constraint: Member must not be null"},
        {"BatchGetItem", "{\"RequestItems\":{}}", BAD,
         ONE
         "Value at 'RequestItems' failed to satisfy constraint: Member must have length greater "
         "than or equal to 1"},
        {"BatchGetItem", "{\"RequestItems\":{\"hash\":{\"Keys\":[{" PK("a") "},{" PK("a") "}]}}}",
         BAD, INVALID "Provided list of item keys contains duplicates"},
        /* before the table is looked for, and before its schema */
        {"BatchGetItem",
         "{\"RequestItems\":{\"none\":{\"Keys\":[{" PK("a") ",\"b\":{\"N\":\"1\"}},{\"b\":{\"N\":"
                                                            "\"1.0\"}," PK("a") "}]}}}",
         BAD, INVALID "Provided list of item keys contains duplicates"},
        {"BatchGetItem", "{\"RequestItems\":{\"hash\":{\"Keys\":[{},{}]}}}", BAD,
         INVALID "Provided list of item keys contains duplicates"},
        {"BatchGetItem", "{\"RequestItems\":{\"hash\":{\"Keys\":[{}]}}}", BAD, MISMATCH},
        {"BatchGetItem", "{\"RequestItems\":{\"hash\":{\"Keys\":[{\"a\":{}}]}}}", BAD,
         INVALID "Supplied AttributeValue is empty, must contain exactly one of the supported "
                 "datatypes"},
        {"BatchGetItem", "{\"RequestItems\":{\"none\":{\"Keys\":[{" PK("a") "}]}}}", BAD,
         "ResourceNotFoundException: Requested resource not found"},
    };

    SCRIPT(state, steps);
}

/* The head of a body, `count` elements with a number in them, its tail. */
static int call_with_many(struct fixture *fixture, const char *operation, const char *head,
                          const char *element, int count, const char *tail, struct buf *reply)
{
    struct buf body;

    buf_init(&body);
    buf_put_text(&body, head);
    for (int i = 0; i < count; i++) {
        const char *hole = strchr(element, '@');
        buf_put_text(&body, i > 0 ? "," : "");
        buf_put(&body, element, (size_t)(hole - element));
        buf_printf(&body, "%03d%s", i, hole + 1);
    }
    buf_put_text(&body, tail);
    buf_clear(reply);
    int status = api_call(fixture->api, operation, buf_bytes(&body), reply);
    buf_release(&body);
    return status;
}

static void batches_have_bounds(void **state)
{
    static const struct step steps[] = {HASH_TABLE};
    struct fixture *fixture = *state;
    struct buf reply;

    SCRIPT(state, steps);
    buf_init(&reply);
#define MANY(operation, head, element, count, tail)                                                \
    call_with_many(fixture, operation, head, element, count, tail, &reply)
    assert_int_equal(
        MANY("BatchWriteItem", "{\"RequestItems\":{\"hash\":[", PUT_R(PK("@")), 25, "]}}"), OK);
    assert_int_equal(
        MANY("BatchWriteItem", "{\"RequestItems\":{\"hash\":[", PUT_R(PK("@")), 26, "]}}"), BAD);
    assert_non_null(strstr((char *)reply.data,
                           "at 'requestItems' failed to satisfy constraint: Map value must satisfy "
                           "constraint: [Member must have length less than or equal to 25, Member "
                           "must have length greater than or equal to 1]"));
    assert_int_equal(MANY("BatchWriteItem",
                          "{\"RequestItems\":{\"abc\":[" PUT_R(PK("a")) "],\"hash\":[",
                          PUT_R(PK("@")), 25, "]}}"),
                     BAD);
    assert_non_null(
        strstr((char *)reply.data, "Too many items requested for the BatchWriteItem call"));
    assert_int_equal(MANY("BatchGetItem", "{\"RequestItems\":{\"hash\":{\"Keys\":[",
                          "{" PK("@") "}", 100, "]}}}"),
                     OK);
    assert_int_equal(MANY("BatchGetItem", "{\"RequestItems\":{\"hash\":{\"Keys\":[",
                          "{" PK("@") "}", 101, "]}}}"),
                     BAD);
    assert_non_null(strstr((char *)reply.data,
                           "1 validation error detected: Value at 'RequestItems.hash.member.Keys' "
                           "failed to satisfy constraint: Member must have length less than or "
                           "equal to 100"));
    assert_int_equal(MANY("BatchGetItem",
                          "{\"RequestItems\":{\"abc\":{\"Keys\":[{" PK("a") "}]},\"hash\":{"
                                                                            "\"Keys\":[",
                          "{" PK("@") "}", 100, "]}}}"),
                     BAD);
    assert_non_null(
        strstr((char *)reply.data, "Too many items requested for the BatchGetItem call"));
    buf_release(&reply);
}

#define CHOSEN_V "\"ProjectionExpression\":\"#v\",\"ExpressionAttributeNames\":{\"#v\":\"v\"}"

static void a_batch_of_large_items_gives_keys_back(void **state)
{
    static const struct step steps[] = {HASH_TABLE};
    struct fixture *fixture = *state;
    struct buf body, reply;

    SCRIPT(state, steps);
    buf_init(&body);
    buf_init(&reply);
    for (int i = 0; i < 45; i++) { /* of 390,000 bytes: 43 are under 16 MB */
        char head[128];
        snprintf(head, sizeof head,
                 "{\"TableName\":\"hash\",\"Item\":{\"pk\":{\"S\":\"%03d\"},\"v\":{\"S\":\"", i);
        assert_int_equal(api_call(fixture->api, "PutItem", item_body(&body, head, 390000), &reply),
                         OK);
    }
    assert_int_equal(MANY("BatchGetItem",
                          "{\"RequestItems\":{\"hash\":{\"ConsistentRead\":true,\"Keys\":[",
                          "{" PK("@") "}", 45, "]," CHOSEN_V "}}}"),
                     OK);
    assert_non_null(strstr((char *)reply.data,
                           "\"UnprocessedKeys\":{\"hash\":{\"Keys\":[{\"pk\":{\"S\":\"043\"}},{"
                           "\"pk\":{\"S\":\"044\"}}],\"ConsistentRead\":true," CHOSEN_V "}}"));
    buf_release(&body);
    buf_release(&reply);
}

/* --- scans ------------------------------------------------------------------------------------ */

#define SCAN(more) "{\"TableName\":\"hash\"" more "}"

static void scans_are_checked(void **state)
{
    static const struct step steps[] = {
        {"Scan", SCAN(",\"Segment\":0"), BAD,
         INVALID "The TotalSegments parameter is required but was not present in the request when "
                 "Segment parameter is present"},
        {"Scan", SCAN(",\"TotalSegments\":4"), BAD,
         INVALID "The Segment parameter is required but was not present in the request when "
                 "parameter TotalSegments is present"},
        {"Scan", SCAN(",\"Segment\":5,\"TotalSegments\":5"), BAD,
         INVALID "The Segment parameter is zero-based and must be less than parameter "
                 "TotalSegments: Segment: 5 is not less than TotalSegments: 5"},
        {"Scan", SCAN(",\"Limit\":0"), BAD,
         ONE "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater "
             "than or equal to 1"},
        {"Scan", SCAN(",\"Segment\":-1,\"TotalSegments\":1000001"), BAD,
         INVALID "2 validation errors detected: Value '1000001' at 'totalSegments' failed to "
                 "satisfy constraint: Member must have value less than or equal to 1000000; Value "
                 "'-1' at 'segment' failed to satisfy constraint: Member must have value greater "
                 "than or equal to 0"},
        {"Scan", SCAN(",\"ExclusiveStartKey\":{\"a\":{}}"), BAD,
         INVALID "The provided starting key is invalid: Supplied AttributeValue is empty, must "
                 "contain exactly one of the supported datatypes"},
        {"Scan", SCAN(",\"ExclusiveStartKey\":{\"a\":{\"N\":\"b\"}}"), BAD,
         INVALID "The parameter cannot be converted to a numeric value: b"},
        {"Scan", SCAN(""), BAD, "ResourceNotFoundException: Requested resource not found"},
        HASH_TABLE,
        {"Scan", SCAN(""), OK, "{\"Items\":[],\"Count\":0,\"ScannedCount\":0}"},
        {"Scan", SCAN(",\"Select\":\"COUNT\"," TOTAL), OK,
         "{\"Count\":0,\"ScannedCount\":0,\"ConsumedCapacity\":{\"TableName\":\"hash\","
         "\"CapacityUnits\":0.5}}"},
        {"Scan", SCAN(",\"IndexName\":\"idx\""), BAD,
         INVALID "The table does not have the specified index: idx"},
        {"Scan", SCAN(",\"ExclusiveStartKey\":{}"), BAD,
         INVALID "The provided starting key is invalid: The provided key element does not match "
                 "the schema"},
        {"Scan", SCAN(",\"ExclusiveStartKey\":{\"pk\":{\"N\":\"1\"}}"), BAD,
         INVALID "The provided starting key is invalid: The provided key element does not match "
                 "the schema"},
        {"PutItem", PUT(PK("a")), OK, "{}"},
        {"Scan", SCAN(""), OK,
         "{\"Items\":[{\"pk\":{\"S\":\"a\"}}],\"Count\":1,\"ScannedCount\":1}"},
        {"Scan", SCAN(",\"Limit\":1"), OK,
         "{\"Items\":[{\"pk\":{\"S\":\"a\"}}],\"Count\":1,\"ScannedCount\":1,"
         "\"LastEvaluatedKey\":{\"pk\":{\"S\":\"a\"}}}"},
        {"Scan", SCAN(",\"Limit\":1,\"ExclusiveStartKey\":{" PK("a") "}"), OK,
         "{\"Items\":[],\"Count\":0,\"ScannedCount\":0}"},
        /* MD5("Outliers" "a") begins with a1: the third quarter */
        {"Scan", SCAN(",\"Segment\":1,\"TotalSegments\":4,\"ExclusiveStartKey\":{" PK("a") "}"),
         BAD,
         INVALID "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use "
                 "ExclusiveStartKey with correct Segment. TotalSegments: 4 Segment: 1"},
    };

    SCRIPT(state, steps);
}

/* How many items one page has; the key to go on from becomes `start`, empty at the end. */
static int page_count(struct fixture *fixture, const char *more, char *start, size_t room)
{
    struct buf body, reply;

    buf_init(&body);
    buf_init(&reply);
    buf_printf(&body, "{\"TableName\":\"hash\",\"Select\":\"COUNT\"%s%s%s}", more,
               start[0] != '\0' ? ",\"ExclusiveStartKey\":" : "", start);
    assert_int_equal(api_call(fixture->api, "Scan", buf_bytes(&body), &reply), OK);
    const char *text = (const char *)reply.data;
    int count = (int)strtol(strstr(text, "\"Count\":") + 8, NULL, 10);
    const char *key = strstr(text, "\"LastEvaluatedKey\":");
    start[0] = '\0';
    if (key != NULL)
        snprintf(start, room, "%.*s", (int)(strlen(key) - 20), key + 19);
    buf_release(&body);
    buf_release(&reply);
    return count;
}

static int scan_count(struct fixture *fixture, const char *more, int *pages)
{
    char start[256] = "";
    int total = 0;

    *pages = 0;
    do {
        total += page_count(fixture, more, start, sizeof start);
        ++*pages;
    } while (start[0] != '\0');
    return total;
}

static void scans_find_everything_once(void **state)
{
    static const struct step steps[] = {HASH_TABLE};
    struct fixture *fixture = *state;
    struct buf body, reply;
    int pages, total = 0;

    SCRIPT(state, steps);
    buf_init(&body);
    buf_init(&reply);
    for (int i = 0; i < 60; i++) { /* of 40,005 bytes: 27 reach 1 MB */
        char head[128];
        snprintf(head, sizeof head,
                 "{\"TableName\":\"hash\",\"Item\":{\"pk\":{\"S\":\"%d\"},\"v\":{\"S\":\"", i % 60);
        assert_int_equal(api_call(fixture->api, "PutItem", item_body(&body, head, 40000), &reply),
                         OK);
    }
    assert_int_equal(scan_count(fixture, "", &pages), 60);
    assert_int_equal(pages, 3);
    assert_int_equal(scan_count(fixture, ",\"Limit\":7", &pages), 60);
    assert_int_equal(pages, 9);
    assert_int_equal(scan_count(fixture, ",\"Limit\":20", &pages), 60);
    assert_int_equal(pages, 4); /* the third is full, so a fourth is asked for */
    for (int segment = 0; segment < 7; segment++) {
        char more[64];
        snprintf(more, sizeof more, ",\"Limit\":2,\"Segment\":%d,\"TotalSegments\":7", segment);
        total += scan_count(fixture, more, &pages);
    }
    assert_int_equal(total, 60);
    buf_release(&body);
    buf_release(&reply);
}

/* --- trouble ---------------------------------------------------------------------------------- */

/* The fixture again, on an engine that torments. */
static void torment(struct fixture *fixture, const struct memory_settings *settings)
{
    api_free(fixture->api);
    database_close(&fixture->database);
    database_open(&fixture->database, engine_open_memory(settings));
    fixture->api = api_new(&(struct api_settings){.tables = fixture->database.tables});
}

static void conflicts_are_tried_again(void **state)
{
    static const struct step steps[] = {
        HASH_TABLE,
        {"PutItem", PUT(PK("a")), OK, "{}"},
        {"BatchWriteItem", WRITE(PUT_R(PK("a")) "," PUT_R(PK("b"))), OK, NULL},
        {"UpdateContinuousBackups",
         "{\"TableName\":\"hash\",\"PointInTimeRecoverySpecification\":{"
         "\"PointInTimeRecoveryEnabled\":true}}",
         OK, NULL},
        {"PutItem", PUT_AND(PK("a"), "\"ReturnValues\":\"ALL_OLD\""), OK,
         "{\"Attributes\":{\"pk\":{\"S\":\"a\"}}}"},
        {"PutItem",
         PUT_AND(PK("a"), "\"ConditionExpression\":\"#p=:p\",\"ExpressionAttributeNames\":{"
                          "\"#p\":\"pk\"},\"ExpressionAttributeValues\":{\":p\":{\"S\":\"a\"}}"),
         OK, "{}"},
        {"UpdateTable", "{\"TableName\":\"hash\",\"TableClass\":\"STANDARD\"}", OK, NULL},
        {"TagResource",
         "{\"ResourceArn\":\"" ARN "hash\",\"Tags\":[{\"Key\":\"a\",\"Value\":\"1\"}]}", OK, ""},
        {"DeleteItem", KEY(PK("a")), OK, "{}"},
        {"DescribeTable", "{\"TableName\":\"hash\"}", OK, NULL},
        {"DeleteTable", "{\"TableName\":\"hash\"}", OK, NULL},
    };

    torment(*state, &(struct memory_settings){.seed = 7, .conflict_one_in = 2});
    for (int i = 0; i < 10; i++)
        SCRIPT(state, steps);
}

static void count_failures(void *context, const char *line)
{
    *(int *)context += strstr(line, " failed: ") != NULL;
}

static void an_unknown_outcome_is_ours_to_answer_for(void **state)
{
    static const struct step steps[] = {
        {"CreateTable", SCHEMA(KEY_H("a"), AA), 500, "InternalServerError: Internal server error"},
    };
    int lines = 0;

    torment(*state, &(struct memory_settings){.seed = 7, .unknown_one_in = 1});
    log_to(count_failures, &lines);
    SCRIPT(state, steps);
    log_to(NULL, NULL);
    assert_int_equal(lines, 1);
}

/* Begun one after the other and not waited for: each finds the item of the one before. */
static void requests_on_one_key_come_in_turn(void **state)
{
    static const struct step steps[] = {HASH_TABLE};
    struct fixture *fixture = *state;
    struct api_call calls[20];
    char bodies[20][128], expected[128];
    struct buf reply;

    SCRIPT(state, steps);
    buf_init(&reply);
    for (int i = 0; i < 20; i++) {
        snprintf(bodies[i], sizeof bodies[i],
                 "{\"TableName\":\"hash\",\"Item\":{\"pk\":{\"S\":\"a\"},\"v\":{\"N\":\"%d\"}},"
                 "\"ReturnValues\":\"ALL_OLD\"}",
                 i);
        api_call_begin(&calls[i], fixture->api, "PutItem", bytes_of_text(bodies[i]));
    }
    for (int i = 0; i < 20; i++) {
        buf_clear(&reply);
        assert_int_equal(api_call_end(&calls[i], &reply), OK);
        snprintf(expected, sizeof expected,
                 "{\"Attributes\":{\"pk\":{\"S\":\"a\"},\"v\":{\"N\":\"%d\"}}}", i - 1);
        assert_string_equal((char *)reply.data, i == 0 ? "{}" : expected);
    }
    buf_release(&reply);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, script_setup, script_teardown)
    static const struct CMUnitTest tests[] = {
        TEST(unknown_operations_are_refused),
        TEST(bodies_of_other_types_are_not_answered_in_json),
        TEST(every_request_has_an_id_of_its_own),
        TEST(our_own_failures_tell_the_client_nothing),
        TEST(the_denied_hear_of_earlier_mistakes),
        TEST(answers_are_counted),
        TEST(tables_are_made_described_and_deleted),
        TEST(a_table_repeats_what_it_was_told),
        TEST(definitions_are_told_by_name),
        TEST(updates_have_one_concern),
        TEST(encryption_has_its_rules),
        TEST(throughput_falls_four_times_a_day),
        TEST(arns_of_others_are_refused),
        TEST(impossible_tables_are_refused),
        TEST(tags_are_kept),
        TEST(recovery_is_switched),
        TEST(items_are_put_got_and_deleted),
        TEST(what_is_wrong_with_an_item_is_told_in_order),
        TEST(capacity_follows_size),
        TEST(batches_write),
        TEST(batches_read),
        TEST(batches_have_bounds),
        TEST(a_batch_of_large_items_gives_keys_back),
        TEST(scans_are_checked),
        TEST(scans_find_everything_once),
        TEST(conflicts_are_tried_again),
        TEST(an_unknown_outcome_is_ours_to_answer_for),
        TEST(requests_on_one_key_come_in_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
