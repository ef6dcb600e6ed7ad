/* test/support/api_script.h - operations as a client sees them: scripts of bodies and the replies
 * they get, on the memory engine. A step that a reply depends on comes before it. */
#ifndef SUPPORT_API_SCRIPT_H
#define SUPPORT_API_SCRIPT_H

#include "support/api_call.h"
#include "support/database.h"

#define NOW UINT64_C(1760000000123000) /* the clock of a script stands */
#define ARN "arn:aws:dynamodb:eu-west-1:111122223333:table/"
#define OK  200
#define BAD 400

struct fixture {
    struct database database;
    struct api *api;
};

/* For cmocka: `*state` becomes a fixture. */
int script_setup(void **state);
int script_teardown(void **state);

/* A call and what it answers. Errors are told as TYPE: MESSAGE, the type from behind its '#'. */
struct step {
    const char *operation, *body;
    int status;
    const char *reply; /* NULL: whatever it is */
};

/* Fails the test at the first step that answers otherwise. */
void script_run(void **state, const struct step *steps, size_t count);
#define SCRIPT(state, steps) script_run(state, steps, sizeof(steps) / sizeof *(steps))

#define INVALID "ValidationException: "
#define ONE     INVALID "1 validation error detected: "
#define PARAMS  INVALID "One or more parameter values were invalid: "

#define CREATE(name, keys, definitions)                                                            \
    {                                                                                              \
        "CreateTable",                                                                             \
            "{\"TableName\":\"" name "\",\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":[" keys \
            "],\"AttributeDefinitions\":[" definitions "]}",                                       \
            OK, NULL                                                                               \
    }
#define HASH_KEY   "{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"}"
#define RANGE_KEY  "{\"AttributeName\":\"sk\",\"KeyType\":\"RANGE\"}"
#define PK_S       "{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"}"
#define SK_N       "{\"AttributeName\":\"sk\",\"AttributeType\":\"N\"}"
#define HASH_TABLE CREATE("hash", HASH_KEY, PK_S)
#define BOTH_TABLE CREATE("both", HASH_KEY "," RANGE_KEY, PK_S "," SK_N)

/* Bodies for the table "hash". */
#define PUT(item)           "{\"TableName\":\"hash\",\"Item\":{" item "}}"
#define PUT_AND(item, more) "{\"TableName\":\"hash\",\"Item\":{" item "}," more "}"
#define KEY(key)            "{\"TableName\":\"hash\",\"Key\":{" key "}}"
#define KEY_AND(key, more)  "{\"TableName\":\"hash\",\"Key\":{" key "}," more "}"
#define PK(value)           "\"pk\":{\"S\":\"" value "\"}"
#define TOTAL               "\"ReturnConsumedCapacity\":\"TOTAL\""

#endif
