/* test/unit/export.c - exports asked for, described and listed: sections 1 and 2 of spec/export.md,
 * row by row. */
#include "support/check.h"
#include "support/exporting.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

#define ORDERS EXPORTING_ARN "Orders"

struct fixture {
    struct exporting exporting;
    struct arena arena;
    struct export export;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    exporting_open(&fixture->exporting, false, 0);
    arena_init(&fixture->arena);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    exporting_close(&fixture->exporting);
    arena_release(&fixture->arena);
    free(fixture);
    return 0;
}

static bool start(struct fixture *fixture, const struct export_request *request)
{
    return exporting_start(&fixture->exporting, request, &fixture->arena, &fixture->export);
}

static void assert_refused(struct fixture *fixture, const struct export_request *request,
                           enum err_code code, const char *message)
{
    assert_false(start(fixture, request));
    assert_string_equal(fixture->exporting.err.message, message);
    assert_int_equal(fixture->exporting.err.code, code);
}

/* Each check of 2.1 hides those that come later: all of them fail, and are mended one by one. */
static void checks_come_in_order(void **state)
{
    struct fixture *fixture = *state;
    struct exporting *exporting = &fixture->exporting;
    struct export_request request = exporting_request("Orders");
    struct err err;

    request.client_token = BYTES("taken");
    request.kms_key = BYTES("alias/a");
    request.timed = true;
    request.time_ms = exporting_now_ms() + 5000;
    exporting_table(exporting, "Other");
    struct export_request other = exporting_request(EXPORTING_ARN "Other");
    other.client_token = request.client_token;
    assert_true(start(fixture, &other));

    assert_refused(fixture, &request, ERR_VALIDATION,
                   "One or more parameter values were invalid: tableArn is not a valid ARN");
    request.table_arn = BYTES(ORDERS);
    assert_refused(fixture, &request, ERR_VALIDATION,
                   "Invalid Request: KMS Key Id is not supported for this encryption type");
    request.encryption = BYTES("KMS");
    assert_refused(fixture, &request, ERR_TABLE_NOT_FOUND, "Table not found: " ORDERS);
    assert_true(database_create(&exporting->database, "Orders", true, &err));
    assert_refused(fixture, &request, ERR_EXPORT_CONFLICT,
                   "Export conflict: Duplicate request detected with conflicting parameters");
    request.client_token = BYTES("free");
    assert_refused(fixture, &request, ERR_RECOVERY_UNAVAILABLE,
                   "Point in time recovery is not enabled for table 'Orders'");
    assert_true(database_recovery(&exporting->database, "Orders", true, 35, &err));
    assert_refused(fixture, &request, ERR_INVALID_EXPORT_TIME, "Export Time is invalid");
    request.timed = false;
    assert_true(start(fixture, &request));
}

static void tables_are_looked_up_locally(void **state)
{
    struct fixture *fixture = *state;
    struct export_request request =
        exporting_request("arn:aws:dynamodb:mars-1:" EXPORTING_ACCOUNT ":table/Orders");

    assert_refused(fixture, &request, ERR_TABLE_NOT_FOUND,
                   "Table not found: arn:aws:dynamodb:mars-1:" EXPORTING_ACCOUNT ":table/Orders");
    exporting_table(&fixture->exporting, "Orders");
    assert_true(start(fixture, &request));
    assert_bytes_equal(fixture->export.table_arn, BYTES(ORDERS));
    struct err err;
    assert_true(database_delete(&fixture->exporting.database, "Orders", &err));
    assert_false(start(fixture, &request));
    assert_int_equal(fixture->exporting.err.code, ERR_TABLE_NOT_FOUND);
}

/* Spec 2.5. Times are told from the enabling, which is at second 100; the table is from second 50,
 * and it is second 200 now. */
static void export_times(void **state)
{
    static const struct {
        int64_t at_ms;
        enum err_code code;
        const char *message;
    } cases[] = {
        {200000, ERR_NONE, NULL}, /* the current second */
        {150808, ERR_NONE, NULL},
        {100500, ERR_NONE, NULL},
        {100000, ERR_NONE, NULL}, /* inside the second of enabling */
        {99999, ERR_INVALID_EXPORT_TIME,
         "Point in Time Recovery is not available for specified export time"},
        {50123, ERR_INVALID_EXPORT_TIME,
         "Point in Time Recovery is not available for specified export time"},
        {49999, ERR_INVALID_EXPORT_TIME, "Export Time is invalid"},
        {-7 * 86400000, ERR_INVALID_EXPORT_TIME, "Export Time is invalid"},
        {205000, ERR_INVALID_EXPORT_TIME, "Export Time is invalid"},
    };
    struct fixture *fixture = *state;
    struct exporting *exporting = &fixture->exporting;
    uint64_t zero = exporting_now_ms() / 1000 * 1000;
    struct err err;

    exporting_later(zero + 50500 - exporting_now_ms());
    assert_true(database_create(&exporting->database, "Orders", true, &err));
    exporting_later(zero + 100400 - exporting_now_ms());
    assert_true(database_recovery(&exporting->database, "Orders", true, 35, &err));
    exporting_later(zero + 200700 - exporting_now_ms());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct export_request request = exporting_request(ORDERS);
        request.timed = true;
        request.time_ms = (uint64_t)((int64_t)zero + cases[i].at_ms);
        if (cases[i].code != ERR_NONE) {
            assert_refused(fixture, &request, cases[i].code, cases[i].message);
            continue;
        }
        assert_true(start(fixture, &request));
        assert_int_equal(fixture->export.time_ms, request.time_ms); /* told as it was asked for */
    }
}

static struct export_request window_of(uint64_t from_ms)
{
    struct export_request request = exporting_request(ORDERS);

    request.type = BYTES("INCREMENTAL_EXPORT");
    request.window = request.window_from = true;
    request.from_ms = from_ms;
    return request;
}

#define TOO_EARLY                                                                                  \
    "Incremental export period from time cannot be less than the table creation time : "

/* The window is looked at behind the token and before recovery, which moves its beginning. */
static void windows_come_before_recovery(void **state)
{
    struct fixture *fixture = *state;
    struct exporting *exporting = &fixture->exporting;
    struct err err;

    exporting_later(1000 - exporting_now_ms() % 1000 + 500);
    assert_true(database_create(&exporting->database, "Orders", true, &err));
    uint64_t created = exporting_now_ms() / 1000 * 1000; /* 2025-10-09T08:53:21Z */
    exporting_later(7200000);
    struct export_request request = window_of(created - 1000);
    assert_refused(fixture, &request, ERR_INVALID_EXPORT_TIME, TOO_EARLY "2025-10-09T08:53:20Z");
    request = window_of(created);
    assert_refused(fixture, &request, ERR_RECOVERY_UNAVAILABLE,
                   "Point in time recovery is not enabled for table 'Orders'");
    assert_true(database_recovery(&exporting->database, "Orders", true, 35, &err));
    assert_refused(fixture, &request, ERR_INVALID_EXPORT_TIME, TOO_EARLY "2025-10-09T08:53:21Z");
    uint64_t enabled = exporting_now_ms() / 1000 * 1000;
    request = window_of(enabled - 1000);
    exporting_later(900000);
    assert_refused(fixture, &request, ERR_INVALID_EXPORT_TIME, TOO_EARLY "2025-10-09T10:53:20Z");
    request = window_of(enabled); /* inside the second of the enabling */
    assert_true(start(fixture, &request));
    assert_int_equal(fixture->export.from_ms, enabled);
    assert_int_equal(fixture->export.to_ms, enabled + 900000);
    assert_int_equal(fixture->export.start_ms, exporting_now_ms() / 1000 * 1000);
    assert_true(fixture->export.instant > enabled * 1000);

    /* off and on again inside the window: what was before is gone */
    assert_true(database_recovery(&exporting->database, "Orders", false, 0, &err));
    assert_refused(fixture, &request, ERR_RECOVERY_UNAVAILABLE,
                   "Point in time recovery is not enabled for table 'Orders'");
    assert_true(database_recovery(&exporting->database, "Orders", true, 35, &err));
    exporting_later(60000);
    assert_refused(fixture, &request, ERR_INVALID_EXPORT_TIME, TOO_EARLY "2025-10-09T10:53:21Z");
}

static void tokens_stand_for_windows(void **state)
{
    struct fixture *fixture = *state;
    struct exporting *exporting = &fixture->exporting;

    exporting_table(exporting, "Orders");
    struct export_request request = window_of(exporting_now_ms() + 1000);
    exporting_later(3600000);
    request.client_token = BYTES("t");
    assert_true(start(fixture, &request));
    struct bytes first = fixture->export.arn;
    uint64_t to_ms = fixture->export.to_ms;
    exporting_later(5000); /* what was left out is not resolved anew */
    assert_true(start(fixture, &request));
    assert_bytes_equal(fixture->export.arn, first);
    assert_int_equal(fixture->export.to_ms, to_ms);
    struct export_request changed[] = {request, request, request, request};
    changed[0].from_ms += 1000;
    changed[1].window_to = true;
    changed[1].to_ms = to_ms;
    changed[2].view = BYTES("NEW_AND_OLD_IMAGES");
    changed[3].from_ms = 0; /* a window that could not be */
    for (size_t i = 0; i < 4; i++)
        assert_refused(fixture, &changed[i], ERR_EXPORT_CONFLICT,
                       "Export conflict: Duplicate request detected with conflicting parameters");
}

static void periods_move_the_window(void **state)
{
    struct fixture *fixture = *state;
    struct exporting *exporting = &fixture->exporting;
    struct export_request request = exporting_request(ORDERS);
    struct err err;

    exporting_table(exporting, "Orders");
    request.timed = true;
    request.time_ms = exporting_now_ms() + 3600000;
    exporting_later(UINT64_C(3) * 86400000);
    assert_true(start(fixture, &request));
    assert_true(database_recovery(&exporting->database, "Orders", true, 1, &err));
    assert_refused(fixture, &request, ERR_INVALID_EXPORT_TIME,
                   "Point in Time Recovery is not available for specified export time");
    assert_true(database_recovery(&exporting->database, "Orders", true, 35, &err));
    assert_refused(fixture, &request, ERR_INVALID_EXPORT_TIME,
                   "Point in Time Recovery is not available for specified export time");
    request.time_ms = exporting_now_ms() - 86400000 + 1000;
    assert_true(start(fixture, &request));
}

/* In the middle of the window's first second, which moves on: a full export of that second and a
 * window from it on are of the same instant, and the log reaches back so far. */
static void the_edge_of_the_window_is_exact(void **state)
{
    struct fixture *fixture = *state;
    struct exporting *exporting = &fixture->exporting;
    struct err err;

    exporting_table(exporting, "Orders");
    assert_true(database_recovery(&exporting->database, "Orders", true, 1, &err));
    exporting_later(UINT64_C(2) * 86400000);
    exporting_later(1700 - exporting_now_ms() % 1000);
    uint64_t edge = (exporting_now_ms() - 86400000) / 1000 * 1000;
    struct export_request request = exporting_request(ORDERS);
    assert_true(database_maintain(&exporting->database, &err)); /* trims up to it */
    request.timed = true;
    request.time_ms = edge;
    assert_true(start(fixture, &request));
    assert_int_equal(fixture->export.instant, edge * 1000);
    request = window_of(edge);
    request.window_to = true;
    request.to_ms = edge + 900000;
    assert_true(start(fixture, &request));
    assert_int_equal(fixture->export.instant, edge * 1000);
}

static void a_new_export_is_described(void **state)
{
    struct fixture *fixture = *state;
    struct export *export = &fixture->export;
    struct export_request request = exporting_request(ORDERS);
    char front[64];

    exporting_table(&fixture->exporting, "Orders");
    assert_true(start(fixture, &request));
    assert_int_equal(export->state, EXPORT_IN_PROGRESS);
    assert_int_equal(export->start_ms, exporting_now_ms() + 1);
    assert_int_equal(export->time_ms, export->start_ms);
    assert_int_equal(export->instant, export->start_ms * 1000);
    assert_int_equal(export->end_ms, 0);
    snprintf(front, sizeof front, "%014llu-", (unsigned long long)export->start_ms);
    assert_true(bytes_begin(export_id(export), bytes_of_text(front)));
    assert_int_equal(export_id(export).size, EXPORT_ID_SIZE);
    assert_true(bytes_begin(export->arn, BYTES(ORDERS "/export/")));
    assert_bytes_equal(export->encryption, BYTES("AES256"));
    assert_bytes_equal(export->format, BYTES("DYNAMODB_JSON"));
    assert_int_equal(export->client_token.size, 36);
    assert_null(export->type.data);
    assert_null(export->prefix.data);
    assert_null(export->bucket_owner.data);
    assert_null(export->kms_key.data);

    request.prefix = BYTES("");
    request.bucket_owner = BYTES("000000000007");
    request.type = BYTES("FULL_EXPORT");
    request.encryption = BYTES("KMS");
    request.kms_key = BYTES("alias/mine");
    assert_true(start(fixture, &request));
    assert_null(export->prefix.data); /* empty is as good as none */
    assert_bytes_equal(export->bucket_owner, request.bucket_owner);
    assert_bytes_equal(export->type, request.type);
    assert_bytes_equal(export->kms_key, request.kms_key);
}

static void files_go_by_size(void **state)
{
    static const uint64_t gigabyte = UINT64_C(1) << 30;
    static const struct {
        bool provisioned;
        int64_t reads, writes;
        uint64_t bytes;
        uint32_t parts;
    } cases[] = {
        {false, 0, 0, 0, 4},
        {false, 0, 0, 1000, 4},
        {true, 5, 5, 1000, 1},
        {true, 3000, 1000, 1000, 1},
        {true, 3001, 5, 1000, 4},
        {true, 5, 1001, 1000, 4},
        {true, 5, 5, gigabyte / 4, 4}, /* too much for one file */
        {false, 0, 0, gigabyte, 8},    /* 1.5 GB of lines, 256 MB a file */
        {false, 0, 0, 100 * gigabyte, 604},
        {false, 0, 0, 100000 * gigabyte, EXPORT_FILES_MOST},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct table table = {.provisioned = cases[i].provisioned,
                              .throughput.read_units = cases[i].reads,
                              .throughput.write_units = cases[i].writes};
        assert_int_equal(export_parts_for(&table, cases[i].bytes), cases[i].parts);
    }
}

static void ids_differ_in_one_millisecond(void **state)
{
    struct fixture *fixture = *state;
    struct export_request request = exporting_request(ORDERS);

    exporting_table(&fixture->exporting, "Orders");
    assert_true(start(fixture, &request));
    struct bytes first = fixture->export.arn;
    assert_true(start(fixture, &request));
    assert_false(bytes_equal(first, fixture->export.arn));
}

static void describing_checks_arns(void **state)
{
    static const struct {
        const char *arn;
        enum err_code code;
        const char *message;
    } cases[] = {
        {ORDERS "/export/01760000000123-0a1b2c3d", ERR_EXPORT_NOT_FOUND,
         "Export not found: Export not found: " ORDERS "/export/01760000000123-0a1b2c3d"},
        {ORDERS "/a/long/enough/thing/of/ours", ERR_VALIDATION, "Invalid Export ARN"},
        {"arn:aws:dynamodb:eu-west-1:000000000001:table/Orders/export/01760000000123-0a1b2c3d",
         ERR_ACCESS_DENIED, "Access is denied"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(exporting_describe(&fixture->exporting, bytes_of_text(cases[i].arn),
                                        &fixture->arena, &fixture->export));
        assert_int_equal(fixture->exporting.err.code, cases[i].code);
        assert_string_equal(fixture->exporting.err.message, cases[i].message);
    }
}

/* Spec 2.8 */
static void tokens_stand_for_requests(void **state)
{
    struct fixture *fixture = *state;
    struct exporting *exporting = &fixture->exporting;
    struct export_request request = exporting_request(ORDERS);
    struct err err;

    exporting_table(exporting, "Orders");
    exporting_table(exporting, "Other");
    request.client_token = BYTES("t");
    assert_true(start(fixture, &request));
    struct bytes first = fixture->export.arn;
    exporting_later(1000);
    assert_true(start(fixture, &request));
    assert_bytes_equal(fixture->export.arn, first);
    assert_int_equal(fixture->export.state, EXPORT_IN_PROGRESS);
    exporting_run(exporting);
    assert_true(start(fixture, &request));
    assert_bytes_equal(fixture->export.arn, first);
    assert_int_equal(fixture->export.state, EXPORT_COMPLETED);

    struct export_request changed = request;
    changed.encryption = BYTES("AES256"); /* the default, but it was not sent before */
    assert_refused(fixture, &changed, ERR_EXPORT_CONFLICT,
                   "Export conflict: Duplicate request detected with conflicting parameters");
    changed = request;
    changed.table_arn = BYTES(EXPORTING_ARN "Other");
    assert_refused(fixture, &changed, ERR_EXPORT_CONFLICT,
                   "Export conflict: Duplicate request detected with conflicting parameters");

    assert_true(database_recovery(&exporting->database, "Orders", false, 0, &err));
    assert_true(start(fixture, &request)); /* the look-up comes before the check of recovery */
    assert_bytes_equal(fixture->export.arn, first);
    assert_true(database_recovery(&exporting->database, "Orders", true, 35, &err));
    exporting_later(EXPORT_TOKEN_KEPT_MS);
    assert_true(start(fixture, &request));
    assert_false(bytes_equal(fixture->export.arn, first));
    assert_int_equal(fixture->export.state, EXPORT_IN_PROGRESS);
}

static void a_refused_request_takes_no_token(void **state)
{
    struct fixture *fixture = *state;
    struct export_request request = exporting_request(ORDERS);

    exporting_table(&fixture->exporting, "Orders");
    request.client_token = BYTES("t");
    request.timed = true;
    request.time_ms = exporting_now_ms() + 100000;
    assert_refused(fixture, &request, ERR_INVALID_EXPORT_TIME, "Export Time is invalid");
    request.timed = false;
    assert_true(start(fixture, &request));
}

static void three_hundred_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct exporting *exporting = &fixture->exporting;
    struct export_request request = exporting_request(ORDERS);

    exporting_table(exporting, "Orders");
    for (int i = 0; i < EXPORTS_AT_ONCE_MOST; i++)
        assert_true(start(fixture, &request));
    assert_refused(fixture, &request, ERR_LIMIT_EXCEEDED,
                   "Subscriber limit exceeded: There is a limit of 300 concurrent exports per "
                   "subscriber");
    for (int i = 0; i < 7; i++) /* one of them: start, prepare, 4 parts, finish */
        assert_true(jobs_step(exporting->jobs));
    assert_true(start(fixture, &request));
    assert_false(start(fixture, &request));
}

/* As if its items had so many bytes more. */
static void grow(struct fixture *fixture, const char *name, int64_t bytes)
{
    struct database *database = &fixture->exporting.database;
    int64_t deltas[2] = {0, bytes};
    struct engine_batch batch;
    struct call call;
    uint8_t key[12] = {0};
    struct err err;

    call_init(&call, database);
    be64_store(key, database_table(&call, name)->number);
    batch_init(&batch, &call.arena);
    batch_add(&batch, SPACE_STATISTICS, bytes_of(key, sizeof key), deltas, 2);
    assert_true(committer_commit(database->committer, &batch, &err));
    call_release(&call);
}

static void a_hundred_terabytes_at_once(void **state)
{
    static const int64_t terabyte = INT64_C(1000000000000);
    struct fixture *fixture = *state;
    struct export_request orders = exporting_request(ORDERS);
    struct export_request others = exporting_request(EXPORTING_ARN "Others");

    exporting_table(&fixture->exporting, "Orders");
    exporting_table(&fixture->exporting, "Others");
    uint64_t enabled = exporting_now_ms() / 1000 * 1000;
    exporting_later(1000 * 1000);
    grow(fixture, "Orders", 60 * terabyte);
    grow(fixture, "Others", 40 * terabyte);
    assert_true(start(fixture, &orders));
    assert_refused(fixture, &orders, ERR_LIMIT_EXCEEDED,
                   "Subscriber limit exceeded: There is a limit of 100 TB of tables in concurrent "
                   "exports per subscriber");
    assert_true(start(fixture, &others));
    grow(fixture, "Others", 1 - 40 * terabyte);
    assert_false(start(fixture, &others));
    grow(fixture, "Others", -1);
    assert_true(start(fixture, &others));
    struct export_request incremental = window_of(enabled); /* counts by itself */
    assert_true(start(fixture, &incremental));
    assert_false(start(fixture, &incremental));
    assert_int_equal(fixture->exporting.err.code, ERR_LIMIT_EXCEEDED);
}

static void incremental_exports_have_a_limit_of_their_own(void **state)
{
    struct fixture *fixture = *state;
    struct export_request full = exporting_request(ORDERS);

    exporting_table(&fixture->exporting, "Orders");
    uint64_t enabled = exporting_now_ms() / 1000 * 1000;
    exporting_later(1000 * 1000); /* windows are of a quarter of an hour at least */
    struct export_request incremental = window_of(enabled);
    for (int i = 0; i < EXPORTS_AT_ONCE_MOST; i++) {
        assert_true(start(fixture, &full));
        assert_true(start(fixture, &incremental));
    }
    assert_false(start(fixture, &full));
    assert_int_equal(fixture->exporting.err.code, ERR_LIMIT_EXCEEDED);
    assert_false(start(fixture, &incremental));
    assert_int_equal(fixture->exporting.err.code, ERR_LIMIT_EXCEEDED);
}

/* Those who ask in the same moment have counted the same exports; each has a table of its own, so
 * that nothing else keeps them apart. */
#define RIVALS 16
#define PLACES 5

struct rival {
    struct exporting exporting; /* for an error of its own */
    char arn[sizeof EXPORTING_ARN + 16];
    pthread_barrier_t *begin;
    bool accepted;
};

static void *rival_asks(void *context)
{
    struct rival *rival = context;
    struct export_request request = exporting_request(rival->arn);
    struct export export;
    struct arena arena;

    arena_init(&arena);
    pthread_barrier_wait(rival->begin);
    rival->accepted = exporting_start(&rival->exporting, &request, &arena, &export);
    arena_release(&arena);
    return NULL;
}

static int rivals_ask(struct rival *rivals)
{
    pthread_t threads[RIVALS];
    int accepted = 0;

    for (int i = 0; i < RIVALS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, rival_asks, &rivals[i]), 0);
    for (int i = 0; i < RIVALS; i++) {
        pthread_join(threads[i], NULL);
        accepted += rivals[i].accepted;
        if (!rivals[i].accepted)
            assert_int_equal(rivals[i].exporting.err.code, ERR_LIMIT_EXCEEDED);
    }
    return accepted;
}

static void rivals_do_not_pass_the_limit(void **state)
{
    struct fixture *fixture = *state;
    struct exporting *exporting = &fixture->exporting;
    struct export_request request = exporting_request(ORDERS);
    struct rival *rivals = calloc(RIVALS, sizeof *rivals);
    pthread_barrier_t begin;

    exporting_table(exporting, "Orders");
    for (int i = 0; i < EXPORTS_AT_ONCE_MOST - PLACES; i++)
        assert_true(start(fixture, &request));
    pthread_barrier_init(&begin, NULL, RIVALS);
    for (int i = 0; i < RIVALS; i++) {
        char name[16];
        snprintf(name, sizeof name, "Table%d", i);
        exporting_table(exporting, name);
        rivals[i] = (struct rival){.exporting = *exporting, .begin = &begin};
        snprintf(rivals[i].arn, sizeof rivals[i].arn, EXPORTING_ARN "%s", name);
    }
    assert_int_equal(rivals_ask(rivals), PLACES);
    assert_false(start(fixture, &request));
    pthread_barrier_destroy(&begin);
    free(rivals);
}

/* --- lists */

static uint32_t list(struct fixture *fixture, const char *table_arn, uint32_t most,
                     struct bytes token, struct export_page *page)
{
    struct export_query query = {.most = most, .token = token};

    if (table_arn != NULL)
        query.table_arn = bytes_of_text(table_arn);
    if (!exporting_list(&fixture->exporting, &query, &fixture->arena, page))
        fail_msg("%s", fixture->exporting.err.message);
    return page->count;
}

static void start_some(struct fixture *fixture, const char *table_arn, int count)
{
    struct export_request request = exporting_request(table_arn);

    for (int i = 0; i < count; i++) {
        assert_true(start(fixture, &request));
        exporting_later(2);
    }
}

static void pages_descend(void **state)
{
    struct fixture *fixture = *state;
    struct export_page page, rest;

    assert_int_equal(list(fixture, NULL, EXPORTS_PAGE_DEFAULT, BYTES_NONE, &page), 0);
    assert_null(page.next.data);
    exporting_table(&fixture->exporting, "Orders");
    start_some(fixture, ORDERS, 12);
    exporting_run(&fixture->exporting);
    start_some(fixture, ORDERS, 1); /* and one that runs still */

    assert_int_equal(list(fixture, ORDERS, EXPORTS_PAGE_DEFAULT, BYTES_NONE, &page), 10);
    assert_int_equal(page.exports[0].state, EXPORT_IN_PROGRESS);
    assert_bytes_equal(page.exports[0].arn, fixture->export.arn);
    for (uint32_t i = 1; i < page.count; i++) {
        assert_true(bytes_compare(page.exports[i - 1].arn, page.exports[i].arn) > 0);
        assert_int_equal(page.exports[i].state, EXPORT_COMPLETED);
    }
    assert_int_equal(page.next.size % 16, 0);
    assert_in_range(page.next.size, 112, 1024);
    assert_int_equal(strspn((char *)arena_text(&fixture->arena, page.next), "0123456789abcdef"),
                     page.next.size);

    assert_int_equal(list(fixture, ORDERS, EXPORTS_PAGE_DEFAULT, page.next, &rest), 3);
    assert_null(rest.next.data);
    assert_true(bytes_compare(page.exports[9].arn, rest.exports[0].arn) > 0);
    /* another size goes on at the same place; a page that just ends has no token */
    assert_int_equal(list(fixture, ORDERS, 1, page.next, &rest), 1);
    assert_non_null(rest.next.data);
    assert_int_equal(list(fixture, ORDERS, 3, page.next, &rest), 3);
    assert_null(rest.next.data);
}

static void filters_go_by_incarnation(void **state)
{
    struct fixture *fixture = *state;
    struct exporting *exporting = &fixture->exporting;
    struct export_page page, other;
    struct err err;

    exporting_table(exporting, "Orders");
    exporting_table(exporting, "Orders2");
    start_some(fixture, ORDERS, 2);
    start_some(fixture, EXPORTING_ARN "Orders2", 3);
    assert_int_equal(list(fixture, ORDERS, 10, BYTES_NONE, &page), 2);
    assert_int_equal(list(fixture, EXPORTING_ARN "Orders2", 10, BYTES_NONE, &page), 3);
    assert_int_equal(list(fixture, EXPORTING_ARN "Nothing", 10, BYTES_NONE, &page), 0);
    assert_int_equal(list(fixture, NULL, 10, BYTES_NONE, &page), 5);
    assert_true(bytes_begin(page.exports[0].arn, BYTES(EXPORTING_ARN "Orders2/")));

    /* a token of one table's list finds nothing in another's */
    list(fixture, EXPORTING_ARN "Orders2", 1, BYTES_NONE, &page);
    assert_int_equal(list(fixture, ORDERS, 10, page.next, &other), 0);

    struct bytes arn = arena_copy(&fixture->arena, page.exports[0].arn);
    assert_true(database_delete(&exporting->database, "Orders2", &err));
    assert_int_equal(list(fixture, EXPORTING_ARN "Orders2", 10, BYTES_NONE, &page), 0);
    exporting_table(exporting, "Orders2");
    assert_int_equal(list(fixture, EXPORTING_ARN "Orders2", 10, BYTES_NONE, &page), 0);
    assert_int_equal(list(fixture, NULL, 10, BYTES_NONE, &page), 5);
    assert_true(exporting_describe(exporting, arn, &fixture->arena, &fixture->export));
}

static void foreign_tokens_are_refused(void **state)
{
    static const char *const tokens[] = {
        "x",
        "",
        "00",
        "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "0"
        "000000000000000000000",
        "GG0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "0"
        "000000000000000000000",
    };
    struct fixture *fixture = *state;
    struct export_page page;
    char message[256];

    exporting_table(&fixture->exporting, "Orders");
    start_some(fixture, ORDERS, 2);
    list(fixture, ORDERS, 1, BYTES_NONE, &page);
    char *forged = arena_text(&fixture->arena, page.next);
    forged[40] = forged[40] == '0' ? '1' : '0';
    for (size_t i = 0; i <= sizeof tokens / sizeof *tokens; i++) {
        const char *token = i == sizeof tokens / sizeof *tokens ? forged : tokens[i];
        struct export_query query = {.most = 10, .token = bytes_of_text(token)};
        assert_false(exporting_list(&fixture->exporting, &query, &fixture->arena, &page));
        assert_int_equal(fixture->exporting.err.code, ERR_VALIDATION);
        snprintf(message, sizeof message, "Invalid Request: Provided nextToken is invalid: %s",
                 token);
        assert_string_equal(fixture->exporting.err.message, message);
    }
}

static void filters_are_checked(void **state)
{
    struct fixture *fixture = *state;
    struct export_query query = {.most = 10, .table_arn = BYTES("Orders")};
    struct export_page page;

    assert_false(exporting_list(&fixture->exporting, &query, &fixture->arena, &page));
    assert_string_equal(fixture->exporting.err.message,
                        "One or more parameter values were invalid: tableArn is not a valid ARN");
}

static void ninety_days(void **state)
{
    struct fixture *fixture = *state;
    struct exporting *exporting = &fixture->exporting;
    struct export_request request = exporting_request(ORDERS);
    struct export_page page;
    struct err err;

    exporting_table(exporting, "Orders");
    request.client_token = BYTES("t");
    request.filter = exporting_filter(&fixture->arena, "pk = :v", NULL, "a");
    assert_true(start(fixture, &request));
    struct bytes done = fixture->export.arn;
    exporting_run(exporting);
    exporting_later(1000);
    request.client_token = BYTES_NONE;
    assert_true(start(fixture, &request));
    struct bytes running = fixture->export.arn;

    exporting_later(EXPORT_KEPT_MS - 2000);
    assert_true(jobs_maintain(exporting->jobs, &err));
    assert_true(exporting_describe(exporting, done, &fixture->arena, &fixture->export));
    exporting_later(5000);
    assert_false(exporting_describe(exporting, done, &fixture->arena, &fixture->export));
    assert_int_equal(exporting->err.code, ERR_EXPORT_NOT_FOUND);
    assert_int_equal(list(fixture, ORDERS, 10, BYTES_NONE, &page), 1);
    /* one that still runs stays, whatever its age */
    assert_true(exporting_describe(exporting, running, &fixture->arena, &fixture->export));

    exporting_later(3600000);
    assert_true(jobs_maintain(exporting->jobs, &err));
    struct export found;
    assert_true(export_get(exporting->database.engine, done, &fixture->arena, &found, &err));
    assert_int_equal(found.stamp.size, 0);
    assert_true(export_get(exporting->database.engine, running, &fixture->arena, &found, &err));
    assert_int_not_equal(found.stamp.size, 0);
    struct export_filter filter;
    assert_false(
        export_filter_get(exporting->database.engine, done, &fixture->arena, &filter, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_true(
        export_filter_get(exporting->database.engine, running, &fixture->arena, &filter, &err));
    struct export_token token;
    assert_true(
        export_token_get(exporting->database.engine, BYTES("t"), &fixture->arena, &token, &err));
    assert_int_equal(token.stamp.size, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(checks_come_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(tables_are_looked_up_locally, setup, teardown),
        cmocka_unit_test_setup_teardown(export_times, setup, teardown),
        cmocka_unit_test_setup_teardown(windows_come_before_recovery, setup, teardown),
        cmocka_unit_test_setup_teardown(tokens_stand_for_windows, setup, teardown),
        cmocka_unit_test_setup_teardown(periods_move_the_window, setup, teardown),
        cmocka_unit_test_setup_teardown(the_edge_of_the_window_is_exact, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_export_is_described, setup, teardown),
        cmocka_unit_test(files_go_by_size),
        cmocka_unit_test_setup_teardown(ids_differ_in_one_millisecond, setup, teardown),
        cmocka_unit_test_setup_teardown(describing_checks_arns, setup, teardown),
        cmocka_unit_test_setup_teardown(tokens_stand_for_requests, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_request_takes_no_token, setup, teardown),
        cmocka_unit_test_setup_teardown(three_hundred_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hundred_terabytes_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(incremental_exports_have_a_limit_of_their_own, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(rivals_do_not_pass_the_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_descend, setup, teardown),
        cmocka_unit_test_setup_teardown(filters_go_by_incarnation, setup, teardown),
        cmocka_unit_test_setup_teardown(foreign_tokens_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(filters_are_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(ninety_days, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
