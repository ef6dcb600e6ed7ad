/* test/unit/s3.c - the s3 store against the stand-in of test/support, and the HTTP client below it.
 */
#include "support/check.h"
#include "support/folder.h"
#include "support/stand_in.h"
#include "support/store_suite.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/log.h"

#define ATTEMPTS 4

struct place {
    struct store_under_test test; /* first: the suite's functions take its address */
    struct stand_in stand_in;
    struct s3_settings settings;
    struct buf text;
};

/* One for all tests; each leaves it cleared. */
static struct stand_in plain;

static void bucket_clear(struct store_under_test *test)
{
    stand_in_tell(&((struct place *)test)->stand_in, "clear", "");
}

static struct s3_settings settings_of(const char *endpoint)
{
    return (struct s3_settings){.endpoint = endpoint,
                                .region = STAND_IN_REGION,
                                .access_key = STAND_IN_KEY,
                                .secret_key = STAND_IN_SECRET,
                                .attempts = ATTEMPTS,
                                .backoff_ms = 1};
}

static void reopen(struct place *place)
{
    struct err err = {0};

    store_close(place->test.store);
    place->test.store = store_open_s3(&place->settings, &err);
    if (place->test.store == NULL)
        fail_msg("%s", err.message);
}

static int place_open(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    place->stand_in = plain;
    place->settings = settings_of(plain.url);
    place->test = (struct store_under_test){NULL, "bucket", false, bucket_clear};
    buf_init(&place->text);
    reopen(place);
    bucket_clear(&place->test);
    *state = place;
    return 0;
}

static int place_close(void **state)
{
    struct place *place = *state;

    store_close(place->test.store);
    buf_release(&place->text);
    free(place);
    return 0;
}

static int world_start(void **state)
{
    (void)state;
    stand_in_start(&plain, NULL, NULL);
    return 0;
}

static int world_stop(void **state)
{
    (void)state;
    stand_in_stop(&plain);
    return 0;
}

static void tell(struct place *place, const char *what, const char *text)
{
    stand_in_tell(&place->stand_in, what, text);
}

/* How many requests of this beginning there were. */
static size_t requests(struct place *place, const char *beginning)
{
    const char *log = stand_in_ask(&place->stand_in, "log", &place->text);
    size_t count = 0;

    for (; *log != '\0'; log = strchr(log, '\n') + 1)
        count += strncmp(log, beginning, strlen(beginning)) == 0;
    return count;
}

static bool put(struct place *place, const char *bucket, const char *key,
                const struct object_settings *settings, struct err *err)
{
    char etag[ETAG_MOST] = "";
    struct store *store = place->test.store;
    bool ok = store->ops->put(store, &(struct object_location){bucket, key}, BYTES("abc"), settings,
                              etag, err);

    assert_true(ok == (etag[0] != '\0'));
    return ok;
}

static bool upload(struct place *place, const char *key, const struct object_settings *settings,
                   char etag[ETAG_MOST], struct err *err)
{
    struct store *store = place->test.store;
    struct upload *upload = NULL;

    if (!store->ops->upload_begin(store, &(struct object_location){"bucket", key}, settings,
                                  &upload, err))
        return false;
    if (!store->ops->upload_part(upload, BYTES("abc"), err)) {
        store->ops->upload_abort(upload);
        return false;
    }
    struct upload_sums sums;
    if (!store->ops->upload_complete(upload, &sums, err))
        return false;
    memcpy(etag, sums.etag, ETAG_MOST);
    return true;
}

static void assert_reason(const struct err *err, const char *reason, const char *piece)
{
    assert_int_equal(err->code, ERR_STORE);
    assert_string_equal(err->reason, reason);
    if (strstr(err->message, piece) == NULL)
        fail_msg("%s does not hold: %s", err->message, piece);
}

static void assert_whole(struct place *place, const char *key)
{
    struct buf got;

    buf_init(&got);
    store_read(place->test.store, "bucket", key, &got);
    assert_bytes_equal(buf_bytes(&got), BYTES("abc"));
    buf_release(&got);
}

/* --- what S3 refuses ------------------------------------------------------------------------- */

static void refusals_are_told_as_s3_tells_them(void **state)
{
    static const struct {
        const char *bucket;
        struct object_settings settings;
        const char *reason, *message;
    } table[] = {
        {"no-such-bucket",
         {.encryption = "AES256"},
         "S3NoSuchBucket",
         "The specified bucket does not exist (Service: Amazon S3; Status Code: 404; Error Code: "
         "NoSuchBucket; Request ID: 0123456789ABCDEF; S3 Extended Request ID: host/id+of=; Proxy: "
         "null)"},
        {"bucket",
         {.encryption = "AES256", .expected_owner = "999999999999"},
         "S3AccessDenied",
         "Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; "},
        {"locked",
         {.encryption = "AES256"},
         "S3AccessDenied",
         "User: arn:aws:iam::111122223333:user/x is not authorized to perform: s3:PutObject on "
         "resource: \"arn:aws:s3:::locked/key\" because"},
        {"bucket",
         {.encryption = "KMS", .kms_key = "arn:aws:kms:missing"},
         "KmsNotFoundException",
         "Key 'arn:aws:kms:missing' does not exist (Service: Amazon S3; Status Code: 400; Error "
         "Code: KMS.NotFoundException; "},
        {"bucket",
         {.encryption = "KMS", .kms_key = "two\r\nlines: of a header"},
         "InternalServerError",
         "control character"},
    };
    struct place *place = *state;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct err err = {0};
        assert_false(put(place, table[i].bucket, "key", &table[i].settings, &err));
        assert_reason(&err, table[i].reason, table[i].message);
    }
    assert_int_equal(requests(place, "PUT "), 4); /* none of them twice */
}

static void what_is_asked_for_is_sent(void **state)
{
    struct place *place = *state;
    struct object_settings settings = {.content_type = "application/x-gzip",
                                       .encryption = "KMS",
                                       .kms_key = "alias/exports",
                                       .expected_owner = STAND_IN_OWNER};
    char etag[ETAG_MOST];
    struct err err = {0};

    assert_true(put(place, "bucket", "key", &settings, &err)); /* its etag is no MD5 */
    assert_true(upload(place, "large", &settings, etag, &err));
    assert_whole(place, "key");
    assert_whole(place, "large");
}

static void a_wrong_key_is_refused(void **state)
{
    struct place *place = *state;
    struct err err = {0};

    place->settings.secret_key = "wrong";
    reopen(place);
    assert_false(put(place, "bucket", "key", &store_usual_settings, &err));
    assert_reason(&err, "S3SignatureDoesNotMatch", "Status Code: 403");
    place->settings.secret_key = STAND_IN_SECRET;
    place->settings.region = "elsewhere";
    reopen(place);
    assert_false(put(place, "bucket", "key", &store_usual_settings, &err));
    assert_reason(&err, "S3AuthorizationHeaderMalformed", "");
}

/* --- what passes, and what does not ------------------------------------------------------------
 */

static void puts_survive_what_passes(void **state)
{
    static const char *const ways[] = {"500",  "503",   "502",   "400",  "cut",
                                       "lost", "stall", "large", "torn", "noise"};
    struct place *place = *state;

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        char command[64];
        struct err err = {.reason = "untouched"};

        bucket_clear(&place->test);
        bool stall = strcmp(ways[i], "stall") == 0;
        place->settings.stall_s = stall ? 1 : 0; /* which a busy machine exceeds by itself */
        place->settings.attempts = stall ? 1000 : ATTEMPTS;
        reopen(place);
        snprintf(command, sizeof command, "%d PUT /bucket/key %s", ATTEMPTS - 3, ways[i]);
        tell(place, "fail", command);
        if (!put(place, "bucket", "key", &store_usual_settings, &err))
            fail_msg("%s: %s", ways[i], err.message);
        assert_string_equal(err.reason, "untouched");
        tell(place, "release", "");
        assert_whole(place, "key");
        assert_true(requests(place, "PUT ") >= (stall ? 1 : 2));
    }
}

static void attempts_have_an_end(void **state)
{
    static const struct {
        const char *how, *reason, *piece;
        size_t attempts;
    } table[] = {
        {"500", "S3InternalError", "Status Code: 500; Error Code: InternalError", ATTEMPTS},
        {"503", "S3SlowDown", "Status Code: 503", ATTEMPTS},
        {"502", "InternalServerError", "status 502, and the answer is no error of S3", ATTEMPTS},
        /* curl sends again by itself where a connection that it kept turns out to be closed */
        {"cut", "InternalServerError", "PUT http://localhost", ATTEMPTS + 1},
        {"denied", "S3AccessDenied", "Access Denied (", 1},
        {"terse", "S3AccessDenied", "Access Denied (Service: Amazon S3; Status Code: 403", 1},
        {"moved", "S3PermanentRedirect", "Status Code: 301", 1},
        {"etag", "InternalServerError", "S3 stored other bytes than were sent", 1},
        {"no-etag", "InternalServerError", "without an etag", 1},
    };
    struct place *place = *state;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char command[64];
        struct err err = {0};

        bucket_clear(&place->test);
        snprintf(command, sizeof command, "100 PUT /bucket/key %s", table[i].how);
        tell(place, "fail", command);
        assert_false(put(place, "bucket", "key", &store_usual_settings, &err));
        assert_reason(&err, table[i].reason, table[i].piece);
        assert_int_equal(requests(place, "PUT /bucket/key"), table[i].attempts);
    }
}

static void answers_without_end_are_given_up(void **state)
{
    static const struct {
        const char *how, *piece;
    } table[] = {
        {"trickle", "timed out"},
        {"fields", "larger than any"},
        {"continue", "larger than any"},
    };
    struct place *place = *state;

    place->settings.stall_s = 1;
    place->settings.attempts = 2;
    reopen(place);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char command[64];
        struct err err = {0};

        bucket_clear(&place->test);
        snprintf(command, sizeof command, "100 PUT /bucket/key %s", table[i].how);
        tell(place, "fail", command);
        assert_false(put(place, "bucket", "key", &store_usual_settings, &err));
        assert_reason(&err, "InternalServerError", table[i].piece);
        assert_int_equal(requests(place, "PUT /bucket/key"), 2);
    }
}

/* At each call of an upload: it comes through, or it fails and leaves nothing behind. */
static void uploads_survive_or_are_aborted(void **state)
{
    static const struct {
        const char *failure;
        bool passes;
    } table[] = {
        {"2 POST uploads= 503", true},         {"1 POST uploads= cut", true},
        {"1 POST uploads= garbage", true},     {"1 POST uploads= lost", true},
        {"2 POST uploads= torn", true},        {"9 POST uploads= lost", false},
        {"2 PUT partNumber=1 500", true},      {"1 PUT partNumber=1 lost", true},
        {"9 PUT partNumber=1 500", false},     {"1 PUT partNumber=1 etag", false},
        {"1 PUT partNumber=1 denied", false},  {"1 POST ?uploadId= 500", true},
        {"1 POST ?uploadId= lost", true},      {"1 POST ?uploadId= half", true},
        {"1 POST ?uploadId= garbage", true},   {"2 POST ?uploadId= error200", true},
        {"9 POST ?uploadId= error200", false}, {"1 POST ?uploadId= etag", false},
        {"9 POST ?uploadId= cut", false},
    };
    struct place *place = *state;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct err err = {0};
        char etag[ETAG_MOST] = "";

        bucket_clear(&place->test);
        /* So that there is a kept connection, on which a request is sent again unasked. */
        assert_true(put(place, "bucket", "other", &store_usual_settings, &err));
        tell(place, "fail", table[i].failure);
        if (upload(place, "key", &store_usual_settings, etag, &err) != table[i].passes)
            fail_msg("%s: %s", table[i].failure, err.message);
        if (table[i].passes) {
            assert_string_equal(etag, "af5da9f45af7a300e3aded972f8ff687-1");
            assert_whole(place, "key");
        }
        assert_string_equal(stand_in_ask(&place->stand_in, "uploads", &place->text), "0");
    }
}

static void a_get_goes_on_where_it_broke_off(void **state)
{
    struct place *place = *state;
    struct store *store = place->test.store;
    struct object_location where = {"bucket", "key"};
    size_t size = 3000000;
    uint8_t *body = malloc(size);
    char etag[ETAG_MOST];
    struct err err = {0};
    struct buf got;

    buf_init(&got);
    for (size_t i = 0; i < size; i++)
        body[i] = (uint8_t)(i * 31 + (i >> 9));
    assert_true(
        store->ops->put(store, &where, bytes_of(body, size), &store_usual_settings, etag, &err));
    tell(place, "fail", "1 GET /bucket/key half");
    tell(place, "fail", "1 GET /bucket/key 500");
    tell(place, "fail", "1 GET /bucket/key half");
    store_read(store, "bucket", "key", &got);
    assert_true(bytes_equal(buf_bytes(&got), bytes_of(body, size)));
    assert_int_equal(requests(place, "GET /bucket/key"), 4);
    buf_release(&got);
    free(body);
}

static bool stop_never(void *context, const char *key, uint64_t size, struct err *err)
{
    (void)context, (void)key, (void)size, (void)err;
    return true;
}

static void listings_that_make_no_sense_end(void **state)
{
    static const struct {
        const char *failure, *reason, *piece;
    } table[] = {
        {"100 GET list-type garbage", "InternalServerError", "cannot be read"},
        {"100 GET list-type stuck", "InternalServerError", "out of order"},
        {"100 GET list-type error200", "S3InternalError", "Status Code: 200"},
        {"100 GET list-type large", "InternalServerError", "larger than any"},
    };
    struct place *place = *state;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct err err = {0};

        bucket_clear(&place->test);
        assert_true(put(place, "bucket", "key", &store_usual_settings, &err));
        tell(place, "fail", table[i].failure);
        assert_false(
            place->test.store->ops->list(place->test.store, "bucket", "", stop_never, NULL, &err));
        assert_reason(&err, table[i].reason, table[i].piece);
    }
}

static void a_listing_has_pages(void **state)
{
    struct place *place = *state;

    tell(place, "page", "3");
    store_lists_in_byte_order(&place->test);
    tell(place, "page", "2");
    store_keeps_odd_keys_apart(&place->test);
}

/* --- connections --------------------------------------------------------------------------------
 */

static void connections_are_kept(void **state)
{
    struct place *place = *state;
    struct err err = {0};
    char before[16];

    assert_true(put(place, "bucket", "key", &store_usual_settings, &err));
    snprintf(before, sizeof before, "%s",
             stand_in_ask(&place->stand_in, "connections", &place->text));
    for (int i = 0; i < 20; i++)
        assert_true(put(place, "bucket", "key", &store_usual_settings, &err));
    assert_string_equal(stand_in_ask(&place->stand_in, "connections", &place->text), before);
}

static void *puts_many(void *context)
{
    struct place *place = context;
    struct err err = {0};

    for (int i = 0; i < 10; i++)
        if (!put(place, "bucket", "key", &store_usual_settings, &err))
            return "failed";
    return NULL;
}

static void threads_share_a_store(void **state)
{
    pthread_t threads[6];
    void *result;

    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, puts_many, *state), 0);
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
    }
    assert_int_equal(requests(*state, "PUT /bucket/key 200"), 60);
}

static void nobody_is_there(void **state)
{
    struct place *place = *state;
    struct err err = {0};

    place->settings.endpoint = "http://127.0.0.1:1";
    reopen(place);
    assert_false(put(place, "bucket", "key", &store_usual_settings, &err));
    assert_reason(&err, "InternalServerError",
                  "PUT http://127.0.0.1:1/bucket/key: Failed to connect");
}

struct stopped_call {
    struct place *place;
    struct object_settings settings;
    struct err err;
    bool ok;
};

static void *put_once(void *context)
{
    struct stopped_call *call = context;

    call->ok = put(call->place, "bucket", "key", &call->settings, &call->err);
    return NULL;
}

/* With waits and attempts that the test's own time limit would not outlast. */
static void a_stop_ends_waits_and_transfers(void **state)
{
    struct place *place = *state;
    struct stopped_call call = {.place = place, .settings = store_usual_settings};
    pthread_t thread;

    place->settings.attempts = 1000;
    place->settings.backoff_ms = 20000;
    place->settings.stall_s = 1000;
    for (int i = 0; i < 2; i++) {
        tell(place, "fail", i == 0 ? "1000 * * 500" : "1000 * * stall");
        reopen(place);
        assert_int_equal(pthread_create(&thread, NULL, put_once, &call), 0);
        store_stop(place->test.store);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_false(call.ok);
        assert_int_equal(call.err.code, ERR_STORE);
        tell(place, "release", "");
        bucket_clear(&place->test);
    }
}

static bool is_set(void *context)
{
    return atomic_load((_Atomic bool *)context);
}

/* The same of one call alone; the store works on. */
static void one_call_can_be_stopped(void **state)
{
    struct place *place = *state;
    _Atomic bool wanted;
    struct stopped_call call = {.place = place, .settings = store_usual_settings};
    pthread_t thread;

    call.settings.stop = (struct stop){is_set, &wanted};
    place->settings.attempts = 1000;
    place->settings.backoff_ms = 20000;
    place->settings.stall_s = 1000;
    reopen(place);
    for (int i = 0; i < 2; i++) {
        tell(place, "fail", i == 0 ? "1000 * * 500" : "1000 * * stall");
        wanted = false;
        assert_int_equal(pthread_create(&thread, NULL, put_once, &call), 0);
        wanted = true;
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_false(call.ok);
        assert_int_equal(call.err.code, ERR_STORE);
        tell(place, "heal", "");
        assert_true(put(place, "bucket", "key", &store_usual_settings, &call.err));
    }
}

static void faults_fail_without_a_request(void **state)
{
    struct place *place = *state;
    char etag[ETAG_MOST];
    struct err err = {0};

    fault_arm(FAULT_STORE_PUT, 0, 1);
    assert_false(put(place, "bucket", "key", &store_usual_settings, &err));
    assert_reason(&err, "InternalServerError", "STORE_PUT");
    assert_int_equal(requests(place, ""), 0);
    fault_arm(FAULT_STORE_PART, 0, 1);
    assert_false(upload(place, "key", &store_usual_settings, etag, &err));
    assert_reason(&err, "InternalServerError", "STORE_PART");
    fault_arm(FAULT_STORE_COMPLETE, 0, 1);
    assert_false(upload(place, "key", &store_usual_settings, etag, &err));
    assert_reason(&err, "InternalServerError", "STORE_COMPLETE");
    fault_clear();
    assert_string_equal(stand_in_ask(&place->stand_in, "uploads", &place->text), "0");
}

/* --- endpoints ----------------------------------------------------------------------------------
 */

static void buckets_can_be_in_the_host_name(void **state)
{
    struct place *place = *state;
    struct err err = {0};

    place->settings.virtual_host = true;
    reopen(place);
    store_puts_and_gets(&place->test);
    store_uploads_in_parts(&place->test);
    store_lists_in_byte_order(&place->test);
    store_misses_buckets_and_keys(&place->test);
    assert_false(put(place, "a/b?", "key", &store_usual_settings, &err));
    assert_reason(&err, "InternalServerError", "cannot be part of a host's");
    assert_int_equal(requests(place, ""), 6); /* none for the last */
}

static void tls_needs_a_certificate_that_is_trusted(void **state)
{
    struct place *place = *state;
    struct stand_in tls;
    char folder[FOLDER_PATH_MOST], ca_file[FOLDER_PATH_MOST + 8], endpoint[80];
    struct err err = {0};

    folder_make(folder);
    snprintf(ca_file, sizeof ca_file, "%s/ca.pem", folder);
    stand_in_start(&tls, folder, ca_file);
    snprintf(endpoint, sizeof endpoint, "%s/base/", tls.url);
    place->settings.endpoint = endpoint;
    place->settings.session_token = "a session/token+";
    reopen(place);
    assert_false(put(place, "bucket", "key", &store_usual_settings, &err));
    assert_reason(&err, "InternalServerError", "certificate");
    place->settings.ca_file = ca_file;
    reopen(place);
    assert_true(put(place, "bucket", "key", &store_usual_settings, &err));
    assert_whole(place, "key");
    store_uploads_in_parts(&place->test);
    stand_in_stop(&tls);
    folder_remove(folder);
}

static void endpoints_are_urls(void **state)
{
    static const char *const bad[] = {"",          "localhost:9000", "ftp://host",    "http://",
                                      "http:///",  "http://h?x=y",   "http://a@host", "http://h/#f",
                                      "http://h h"};
    struct s3_settings settings = settings_of("http://host");
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        settings.endpoint = bad[i];
        assert_null(store_open_s3(&settings, &err));
        assert_int_equal(err.code, ERR_CONFIG);
    }
    settings = settings_of("http://host:80/");
    settings.secret_key = NULL;
    assert_null(store_open_s3(&settings, &err));
    assert_int_equal(err.code, ERR_CONFIG);
}

/* --- regions ------------------------------------------------------------------------------------
 */

static bool key_seen(void *context, const char *key, uint64_t size, struct err *err)
{
    (void)err;
    *(bool *)context = strcmp(key, "key") == 0 && size == 3;
    return true;
}

static bool put_alone(struct place *place, const char *bucket)
{
    struct err err = {0};

    return put(place, bucket, "key", &store_usual_settings, &err);
}

static bool abandon_one(struct place *place, const char *bucket)
{
    struct store *store = place->test.store;

    return store->ops->abandon(store, &(struct object_location){bucket, "key"}, "gone");
}

static bool abandon_all(struct place *place, const char *bucket)
{
    struct store *store = place->test.store;

    return store->ops->abandon(store, &(struct object_location){bucket, "key"}, NULL);
}

static bool upload_once(struct place *place, const char *bucket)
{
    struct store *store = place->test.store;
    struct object_location where = {bucket, "key"};
    struct upload *upload;
    struct upload_sums sums;
    struct err err = {0};

    return store->ops->upload_begin(store, &where, &store_usual_settings, &upload, &err) &&
           store->ops->upload_part(upload, BYTES("abc"), &err) &&
           store->ops->upload_complete(upload, &sums, &err);
}

static bool head_once(struct place *place, const char *bucket)
{
    struct store *store = place->test.store;
    char etag[ETAG_MOST];
    uint64_t size;
    struct err err = {0};

    return store->ops->head(store, &(struct object_location){bucket, "key"}, &size, etag, &err) &&
           size == 3;
}

static bool get_once(struct place *place, const char *bucket)
{
    struct buf got;

    buf_init(&got);
    store_read(place->test.store, bucket, "key", &got);
    bool ok = bytes_equal(buf_bytes(&got), BYTES("abc"));
    buf_release(&got);
    return ok;
}

static bool list_once(struct place *place, const char *bucket)
{
    struct store *store = place->test.store;
    struct err err = {0};
    bool seen = false;

    return store->ops->list(store, bucket, "", key_seen, &seen, &err) && seen;
}

/* Each call, as the first one that a store sends: one request more, and none from then on. */
static void buckets_can_be_in_another_region(void **state)
{
    static const char *const buckets[] = {"away-301", "away-307", "away-400"};
    static const struct {
        bool (*call)(struct place *place, const char *bucket);
        size_t requests;
    } calls[] = {{upload_once, 3}, {put_alone, 1},   {head_once, 1},  {get_once, 1},
                 {list_once, 1},   {abandon_one, 1}, {abandon_all, 1}};
    struct place *place = *state;

    place->settings.attempts = 1; /* it is none that has failed */
    for (size_t i = 0; i < sizeof buckets / sizeof *buckets; i++) {
        for (size_t j = 0; j < sizeof calls / sizeof *calls; j++) {
            reopen(place);
            size_t before = requests(place, "");
            if (!calls[j].call(place, buckets[i]))
                fail_msg("call %zu on %s", j, buckets[i]);
            assert_int_equal(requests(place, "") - before, calls[j].requests + 1);
            if (!calls[j].call(place, buckets[i]) || !put_alone(place, "bucket"))
                fail_msg("call %zu on %s, again", j, buckets[i]);
            assert_int_equal(requests(place, "") - before, 2 * calls[j].requests + 2);
        }
    }
    assert_string_equal(stand_in_ask(&place->stand_in, "uploads", &place->text), "0");
}

static void what_passes_passes_there_too(void **state)
{
    struct place *place = *state;
    struct err err = {0};

    tell(place, "fail", "2 PUT /away-301/key 503");
    assert_true(put(place, "away-301", "key", &store_usual_settings, &err));
    assert_int_equal(requests(place, "PUT /away-301/key 301"), 1);
    assert_int_equal(requests(place, "PUT /away-301/key 503"), 2);
    assert_int_equal(requests(place, "PUT /away-301/key 200"), 1);
}

static void regions_that_are_none_and_circles_end(void **state)
{
    static const struct {
        const char *bucket;
        size_t requests;
    } table[] = {{"away-odd", 1}, {"away-round", 3}};
    struct place *place = *state;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct err err = {0};
        size_t before = requests(place, "");
        assert_false(put(place, table[i].bucket, "key", &store_usual_settings, &err));
        assert_reason(&err, "S3PermanentRedirect", "Status Code: 301");
        assert_int_equal(requests(place, "") - before, table[i].requests);
    }
}

/* With the stand-in as the proxy, since AWS's hosts are not to be had. */
static void aws_has_a_host_for_each_region(void **state)
{
    static const struct {
        const char *endpoint, *region;
        bool virtual_host;
        const char *first, *second;
    } table[] = {
        {"http://s3.eu-test-1.amazonaws.com", "eu-test-1", false,
         "PUT http://s3.eu-test-1.amazonaws.com/away-301/key 301",
         "PUT http://s3.eu-test-2.amazonaws.com/away-301/key 200"},
        {"http://s3.eu-test-1.amazonaws.com", "eu-test-1", true,
         "PUT http://away-301.s3.eu-test-1.amazonaws.com/key 301",
         "PUT http://away-301.s3.eu-test-2.amazonaws.com/key 200"},
        /* signed for the right region, and at the wrong host */
        {"http://s3.eu-test-1.amazonaws.com", "eu-test-2", false,
         "PUT http://s3.eu-test-1.amazonaws.com/away-301/key 301",
         "PUT http://s3.eu-test-2.amazonaws.com/away-301/key 200"},
    };
    struct place *place = *state;
    struct err err = {0};

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        bucket_clear(&place->test);
        place->settings.endpoint = table[i].endpoint;
        place->settings.region = table[i].region;
        place->settings.virtual_host = table[i].virtual_host;
        reopen(place);
        setenv("http_proxy", place->stand_in.url, 1);
        bool ok = put(place, "away-301", "key", &store_usual_settings, &err);
        unsetenv("http_proxy");
        if (!ok)
            fail_msg("%zu: %s", i, err.message);
        assert_int_equal(requests(place, ""), 2);
        assert_int_equal(requests(place, table[i].first), 1);
        assert_int_equal(requests(place, table[i].second), 1);
    }
}

static void log_drop(void *context, const char *line)
{
    (void)context, (void)line;
}

#define SUITE(name)                                                                                \
    static void suite_##name(void **state)                                                         \
    {                                                                                              \
        name(*state);                                                                              \
    }
SUITE(store_puts_and_gets)
SUITE(store_replaces_objects)
SUITE(store_keeps_odd_keys_apart)
SUITE(store_uploads_in_parts)
SUITE(store_shows_no_unfinished_upload)
SUITE(store_lists_in_byte_order)
SUITE(store_misses_buckets_and_keys)
SUITE(store_stops_a_get)

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_open, place_close)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(suite_store_puts_and_gets),
        TEST(suite_store_replaces_objects),
        TEST(suite_store_keeps_odd_keys_apart),
        TEST(suite_store_uploads_in_parts),
        TEST(suite_store_shows_no_unfinished_upload),
        TEST(suite_store_lists_in_byte_order),
        TEST(suite_store_misses_buckets_and_keys),
        TEST(suite_store_stops_a_get),
        TEST(refusals_are_told_as_s3_tells_them),
        TEST(what_is_asked_for_is_sent),
        TEST(a_wrong_key_is_refused),
        TEST(puts_survive_what_passes),
        TEST(attempts_have_an_end),
        TEST(answers_without_end_are_given_up),
        TEST(uploads_survive_or_are_aborted),
        TEST(a_get_goes_on_where_it_broke_off),
        TEST(listings_that_make_no_sense_end),
        TEST(a_listing_has_pages),
        TEST(connections_are_kept),
        TEST(threads_share_a_store),
        TEST(nobody_is_there),
        TEST(a_stop_ends_waits_and_transfers),
        TEST(one_call_can_be_stopped),
        TEST(faults_fail_without_a_request),
        TEST(buckets_can_be_in_the_host_name),
        TEST(tls_needs_a_certificate_that_is_trusted),
        TEST(endpoints_are_urls),
        TEST(buckets_can_be_in_another_region),
        TEST(what_passes_passes_there_too),
        TEST(regions_that_are_none_and_circles_end),
        TEST(aws_has_a_host_for_each_region),
    };

    log_to(log_drop, NULL);
    return cmocka_run_group_tests(tests, world_start, world_stop);
}
