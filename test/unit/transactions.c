/* test/unit/transactions.c - TransactWriteItems, TransactGetItems and what a token stands for. */
#include "support/check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "support/api_script.h"

#define WRITE "TransactWriteItems"
#define READ  "TransactGetItems"

#define ITEMS(actions) "{\"TransactItems\":[" actions "]}"
#define ITEMS_ONCE(token, actions)                                                                 \
    "{\"ClientRequestToken\":\"" token "\",\"TransactItems\":[" actions "]}"
#define ON                  "\"TableName\":\"hash\","
#define DO(kind, key, more) "{\"" kind "\":{" ON "\"Key\":{" PK(key) "}" more "}}"
#define MAKE(key, more)     "{\"Put\":{" ON "\"Item\":{" PK(key) more "}}}"
#define ADD(key, n)                                                                                \
    DO("Update", key,                                                                              \
       ",\"UpdateExpression\":\"ADD n :n\",\"ExpressionAttributeValues\":{\":n\":{\"N\":\"" n      \
       "\"}}")
#define NUMBER(n) ",\"n\":{\"N\":\"" n "\"}"
#define CANCELED                                                                                   \
    "TransactionCanceledException: Transaction cancelled, please refer cancellation "              \
    "reasons for specific reasons "

static void all_or_none(void **state)
{
    static const struct step steps[] = {
        HASH_TABLE,
        {WRITE, ITEMS(MAKE("a", NUMBER("1")) "," MAKE("b", "")), OK, "{}"},
        {WRITE, ITEMS(ADD("a", "1") "," DO("Delete", "b", "") "," MAKE("c", "")), OK, "{}"},
        {READ, ITEMS(DO("Get", "a", "") "," DO("Get", "b", "") "," DO("Get", "c", "")), OK,
         "{\"Responses\":[{\"Item\":{\"n\":{\"N\":\"2\"}," PK("a") "}},{},{\"Item\":{" PK(
             "c") "}}]}"},
        {WRITE,
         ITEMS(ADD("a", "1") "," DO("ConditionCheck", "b",
                                    ",\"ConditionExpression\":\"attribute_exists(pk)\"")),
         BAD,
         CANCELED "[None, ConditionalCheckFailed]\",\"CancellationReasons\":[{\"Code\":\"None\"},"
                  "{\"Code\":\"ConditionalCheckFailed\",\"Message\":\"The conditional request "
                  "failed\"}"},
        {READ, ITEMS(DO("Get", "a", ",\"ProjectionExpression\":\"n\"")), OK,
         "{\"Responses\":[{\"Item\":{\"n\":{\"N\":\"2\"}}}]}"},
        {WRITE, ITEMS(ADD("a", "1") "," DO("Delete", "a", "")), BAD,
         INVALID "Transaction request cannot include multiple operations on one item"},
        {WRITE, ITEMS("{}"), BAD,
         INVALID "Invalid Request: TransactWriteRequest should contain Delete or Put or Update "
                 "request"},
    };

    SCRIPT(state, steps);
}

/* --- tokens --- */

static bool count_key(void *context, struct bytes key, struct bytes value)
{
    (void)key;
    (void)value;
    ++*(int *)context;
    return true;
}

static int tokens_stored(struct database *database)
{
    int count = 0;
    struct engine_scan scan = {.space = SPACE_CATALOG,
                               .from = BYTES("I"),
                               .to = BYTES("J"),
                               .visit = count_key,
                               .context = &count};
    struct err err;

    assert_int_equal(engine_scan_all(database->engine, &scan, &err), SCAN_DONE);
    return count;
}

static void a_token_counts_for_ten_minutes(void **state)
{
#define N_IS(n)                                                                                    \
    {                                                                                              \
        "GetItem", KEY(PK("a")), OK, "{\"Item\":{\"n\":{\"N\":\"" n "\"}," PK("a") "}}"            \
    }
    static const struct step first[] = {
        HASH_TABLE,
        {WRITE, ITEMS_ONCE("t", ADD("a", "1")), OK, "{}"},
        {WRITE, ITEMS_ONCE("t", ADD("a", "1.0")), OK, "{}"},
        {WRITE, ITEMS_ONCE("u", ADD("a", "1")), OK, "{}"},
        N_IS("2"),
        {WRITE, ITEMS_ONCE("t", ADD("a", "2")), BAD,
         "IdempotentParameterMismatchException: The request was made before with the same client "
         "request token and other parameters"},
        {WRITE, ITEMS_ONCE("t", ADD("b", "1")), BAD, NULL},
    };
    static const struct step again[] = {{WRITE, ITEMS_ONCE("t", ADD("a", "1")), OK, "{}"},
                                        N_IS("2")};
    static const struct step anew[] = {{WRITE, ITEMS_ONCE("t", ADD("a", "1")), OK, "{}"},
                                       N_IS("3")};
    static const struct step another[] = {{WRITE, ITEMS_ONCE("t", ADD("a", "2")), OK, "{}"},
                                          N_IS("5")};
    struct fixture *fixture = *state;
    struct err err;

    /* the last second of a period, so that the next one begins while the token counts */
    uint64_t start = (NOW / (2 * TOKEN_KEPT) + 1) * (2 * TOKEN_KEPT) - SECOND_MICROS;
    clock_set(start);
    SCRIPT(state, first);
    clock_set(start + 500 * SECOND_MICROS);
    SCRIPT(state, again);
    assert_int_equal(tokens_stored(&fixture->database), 2);
    assert_true(tables_maintain(fixture->database.tables, &err));
    assert_int_equal(tokens_stored(&fixture->database), 2);
    clock_set(start + 601 * SECOND_MICROS);
    SCRIPT(state, anew);
    assert_int_equal(tokens_stored(&fixture->database), 3);
    clock_set(start + 1202 * SECOND_MICROS);
    SCRIPT(state, another);
    assert_true(tables_maintain(fixture->database.tables, &err));
    assert_int_equal(tokens_stored(&fixture->database), 2);
    clock_set(start + 10000 * SECOND_MICROS);
    assert_true(tables_maintain(fixture->database.tables, &err));
    assert_int_equal(tokens_stored(&fixture->database), 0);
}

static void a_token_that_is_in_use_is_waited_for(void **state)
{
    static const char body[] = ITEMS_ONCE("t", ADD("a", "1") "," ADD("b", "1"));
    static const struct step before[] = {HASH_TABLE};
    static const struct step after[] = {N_IS("1")};
    struct fixture *fixture = *state;
    struct api_call calls[5];

    SCRIPT(state, before);
    for (int i = 0; i < 5; i++)
        api_call_begin(&calls[i], fixture->api, WRITE, bytes_of_text(body));
    for (int i = 0; i < 5; i++) {
        struct buf reply;
        buf_init(&reply);
        assert_int_equal(api_call_end(&calls[i], &reply), OK);
        assert_string_equal((char *)reply.data, "{}");
        buf_release(&reply);
    }
    SCRIPT(state, after);
}

/* --- many at once --- */

#define ACCOUNTS  5
#define THREADS   4
#define TRANSFERS 600
#define EACH      100

struct bank {
    struct api *api;
    uint64_t seed;
    int transferred, refused, counted;
    int wrong; /* told by the thread that may fail a test */
};

static int bank_call(struct bank *bank, const char *operation, const char *body, struct buf *reply)
{
    buf_init(reply);
    return api_call(bank->api, operation, bytes_of_text(body), reply);
}

/* Moves an amount if it is there: "n >= :m". */
static void bank_transfer(struct bank *bank, int from, int to, int amount)
{
    char body[1024];
    struct buf reply;

    snprintf(body, sizeof body,
             ITEMS("{\"Update\":{" ON "\"Key\":{\"pk\":{\"S\":\"%d\"}},\"UpdateExpression\":"
                   "\"SET n = n - :m\",\"ConditionExpression\":\"n >= :m\","
                   "\"ExpressionAttributeValues\":{\":m\":{\"N\":\"%d\"}}}},"
                   "{\"Update\":{" ON "\"Key\":{\"pk\":{\"S\":\"%d\"}},\"UpdateExpression\":"
                   "\"ADD n :m\",\"ExpressionAttributeValues\":{\":m\":{\"N\":\"%d\"}}}}"),
             from, amount, to, amount);
    int status = bank_call(bank, WRITE, body, &reply);
    if (status == OK)
        bank->transferred++;
    else if (strstr((char *)reply.data, "ConditionalCheckFailed") != NULL)
        bank->refused++;
    else
        bank->wrong++;
    buf_release(&reply);
}

static void bank_count(struct bank *bank)
{
    static const char body[] = ITEMS(DO("Get", "0", "") "," DO("Get", "1", "") "," DO(
        "Get", "2", "") "," DO("Get", "3", "") "," DO("Get", "4", ""));
    struct buf reply;
    int sum = 0, found = 0;

    bank->wrong += bank_call(bank, READ, body, &reply) != OK;
    for (char *n = (char *)reply.data; (n = strstr(n, "\"N\":\"")) != NULL; found++) {
        n += strlen("\"N\":\"");
        sum += (int)strtol(n, NULL, 10);
    }
    bank->wrong += found != ACCOUNTS || sum != ACCOUNTS * EACH;
    bank->counted++;
    buf_release(&reply);
}

static void *bank_run(void *context)
{
    struct bank *bank = context;

    for (int i = 0; i < TRANSFERS; i++) {
        uint64_t drawn = random_next(&bank->seed);
        int from = (int)(drawn % ACCOUNTS);
        int to = (from + 1 + (int)(drawn / ACCOUNTS % (ACCOUNTS - 1))) % ACCOUNTS;
        bank_transfer(bank, from, to, 1 + (int)(drawn / 64 % EACH));
        if (i % 3 == 0)
            bank_count(bank);
    }
    return NULL;
}

/* On engines with and without snapshots, which read in different ways. */
static void sums_stay(bool snapshots)
{
    struct database database;
    struct bank banks[THREADS];
    pthread_t threads[THREADS];
    struct buf reply;
    struct err err;
    int transferred = 0, refused = 0;

    database_open(&database, engine_open_memory(&(struct memory_settings){.snapshots = snapshots}));
    struct api *api = api_new(&(struct api_settings){.tables = database.tables});
    assert_true(database_create(&database, "hash", false, &err));
    banks[0] = (struct bank){.api = api};
    assert_int_equal(bank_call(&banks[0], WRITE,
                               ITEMS(ADD("0", "100") "," ADD("1", "100") "," ADD(
                                   "2", "100") "," ADD("3", "100") "," ADD("4", "100")),
                               &reply),
                     OK);
    buf_release(&reply);
    for (int i = 0; i < THREADS; i++) {
        banks[i] = (struct bank){.api = api, .seed = (uint64_t)i + 1};
        assert_int_equal(pthread_create(&threads[i], NULL, bank_run, &banks[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        transferred += banks[i].transferred;
        refused += banks[i].refused;
        assert_int_equal(banks[i].wrong, 0);
        assert_int_equal(banks[i].counted, TRANSFERS / 3);
    }
    bank_count(&banks[0]);
    assert_int_equal(banks[0].wrong, 0);
    assert_int_equal(transferred + refused, THREADS * TRANSFERS);
    assert_in_range(transferred, 200, THREADS * TRANSFERS - 1);
    api_free(api);
    database_close(&database);
}

static void sums_stay_with_snapshots(void **state)
{
    (void)state;
    sums_stay(true);
}

static void sums_stay_with_locks(void **state)
{
    (void)state;
    sums_stay(false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_setup, script_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_or_none),
        TEST(a_token_counts_for_ten_minutes),
        TEST(a_token_that_is_in_use_is_waited_for),
        cmocka_unit_test(sums_stay_with_snapshots),
        cmocka_unit_test(sums_stay_with_locks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
