/* test/fuzz/request.c - bodies of requests, on tables in memory: whatever is asked, there is an
 * answer, it is the client's fault or nobody's, and it is well-formed. The input's first line names
 * the operation. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/api_call.h"
#include "support/database.h"

#include "json/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct database database;
static struct api *api;

#define TABLE(name, keys, definitions)                                                             \
    "{\"TableName\":\"" name "\",\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":[" keys         \
    "],\"AttributeDefinitions\":[" definitions "]}"
#define HASH_KEY  "{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"}"
#define RANGE_KEY "{\"AttributeName\":\"sk\",\"KeyType\":\"RANGE\"}"
#define PK        "{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"}"
#define SK        "{\"AttributeName\":\"sk\",\"AttributeType\":\"N\"}"

/* The table "many": with a local index, and a global one of two attributes on either side. */
#define ATTRIBUTE(name)     "{\"AttributeName\":\"" name "\",\"AttributeType\":\"S\"}"
#define KEY(name, type)     "{\"AttributeName\":\"" name "\",\"KeyType\":\"" type "\"}"
#define INDEX(name, schema) "{\"IndexName\":\"" name "\",\"KeySchema\":[" schema "],"
#define MANY                                                                                                        \
    "{\"TableName\":\"many\",\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":[" HASH_KEY                          \
    "," RANGE_KEY "],\"AttributeDefinitions\":[" PK "," SK                                                          \
    "," ATTRIBUTE("a") "," ATTRIBUTE("b") "," ATTRIBUTE("c") "," ATTRIBUTE(                                         \
        "d") "],\"LocalSecondaryIndexes\":[" INDEX("local",                                                         \
                                                   HASH_KEY "," KEY(                                                \
                                                       "a",                                                         \
                                                       "RANGE")) "\"Projection\":{"                                 \
                                                                 "\"ProjectionType\":\"INCLUDE\","                  \
                                                                 "\"NonKeyAttributes\":[\"x\"]}}]"                  \
                                                                 ",\"GlobalSecondaryIndexes\":"                     \
                                                                 "[" INDEX(                                         \
                                                                     "global",                                      \
                                                                     KEY("a", "HASH") "," KEY("b", "HASH") "," KEY( \
                                                                         "c",                                       \
                                                                         "RANGE") "," KEY("d",                      \
                                                                                          "RANG"                    \
                                                                                          "E")) "\"Projection\":{\"ProjectionType\":\"ALL\"}}]}"

/* They may have been deleted by an input before. */
static void tables_make(void)
{
    struct buf reply;

    buf_init(&reply);
    (void)api_call(api, "CreateTable", BYTES(TABLE("hash", HASH_KEY, PK)), &reply);
    (void)api_call(api, "CreateTable", BYTES(TABLE("both", HASH_KEY "," RANGE_KEY, PK "," SK)),
                   &reply);
    (void)api_call(api, "CreateTable", BYTES(MANY), &reply);
    buf_release(&reply);
}

static void assert_json(struct bytes text)
{
    struct json_reader reader;
    struct arena arena;
    struct err err;

    arena_init(&arena);
    json_reader_init(&reader, text, &arena);
    assert(json_skip(&reader, &err));
    assert(json_end(&reader, &err));
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    char operation[64];
    struct buf reply;

    if (api == NULL) {
        database_open(&database, engine_open_memory(&(struct memory_settings){0}));
        api = api_new(&(struct api_settings){.tables = database.tables});
    }
    if (end == NULL || (size_t)(end - data) >= sizeof operation)
        return 0;
    memcpy(operation, data, (size_t)(end - data));
    operation[end - data] = '\0';
    tables_make();
    buf_init(&reply);
    int status =
        api_call(api, operation, bytes_of(end + 1, size - (size_t)(end - data) - 1), &reply);
    assert(status == 200 || status == 400);
    if (reply.size > 1)
        assert_json(bytes_of(reply.data, reply.size - 1));
    buf_release(&reply);
    return 0;
}
