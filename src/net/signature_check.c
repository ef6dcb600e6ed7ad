/* net/signature_check.c - checks signatures, some hundred thousand in a second: what hashes and the
 * signing keys (which change once a day) are kept for each thread, so that a check makes two
 * SHA-256 and one HMAC and takes no lock. The order of the checks and their messages are the
 * service's, as dynalite's notes on it record them. */
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "net/authorization.h"
#include "net/canonical.h"

/* A power of two: which keys a thread has in hand. */
#define SLOTS 16

/* Our own bound, twice what the longest access key, region and service need. */
#define CREDENTIAL_MOST 320

struct slot {
    size_t credential_size;
    uint8_t credential[CREDENTIAL_MOST];
    EVP_MAC_CTX *key;
};

struct checker_thread {
    struct hasher hasher;
    struct buf canonical, string;
    struct slot slots[SLOTS];
};

struct signature_checker {
    const struct credentials *credentials;
    struct bytes region, service;
    pthread_key_t thread;
};

static void thread_free(void *context)
{
    struct checker_thread *thread = context;

    if (thread == NULL)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        EVP_MAC_CTX_free(thread->slots[i].key);
    buf_release(&thread->string);
    buf_release(&thread->canonical);
    hasher_release(&thread->hasher);
    free(thread);
}

static struct checker_thread *thread_of(struct signature_checker *checker)
{
    struct checker_thread *thread = pthread_getspecific(checker->thread);

    if (thread != NULL)
        return thread;
    thread = calloc(1, sizeof *thread);
    if (thread == NULL || pthread_setspecific(checker->thread, thread) != 0)
        abort();
    hasher_init(&thread->hasher);
    buf_init(&thread->canonical);
    buf_init(&thread->string);
    return thread;
}

struct signature_checker *signature_checker_new(const struct credentials *credentials,
                                                const char *region, const char *service)
{
    struct signature_checker *checker = calloc(1, sizeof *checker);

    if (checker == NULL || pthread_key_create(&checker->thread, thread_free) != 0)
        abort();
    checker->credentials = credentials;
    checker->region = bytes_of_text(region);
    checker->service = bytes_of_text(service);
    return checker;
}

void signature_checker_free(struct signature_checker *checker)
{
    if (checker == NULL)
        return;
    thread_free(pthread_getspecific(checker->thread));
    pthread_key_delete(checker->thread);
    free(checker);
}

/* --- the parts of a check --------------------------------------------------------------------- */

static bool time_read(struct bytes text, uint64_t *micros)
{
    char copy[SIGNATURE_TIME_SIZE] = "", again[SIGNATURE_TIME_SIZE];
    struct tm parts = {0};

    if (text.size != SIGNATURE_TIME_SIZE - 1)
        return false;
    memcpy(copy, text.data, text.size);
    char *end = strptime(copy, "%Y%m%dT%H%M%SZ", &parts);
    if (end == NULL || *end != '\0' || parts.tm_year < 70)
        return false;
    *micros = (uint64_t)timegm(&parts) * SECOND_MICROS;
    signature_time(*micros, again);
    return strcmp(copy, again) == 0; /* strptime() takes blanks and 60 seconds, the service not */
}

static bool time_check(const struct authorization *authorization, uint64_t now, struct err *err)
{
    const uint64_t skew = SIGNATURE_SKEW_MINUTES * 60 * SECOND_MICROS;
    char now_text[SIGNATURE_TIME_SIZE], limit[SIGNATURE_TIME_SIZE];
    uint64_t time;

    if (!time_read(authorization->time, &time))
        return err_fail(err, ERR_INCOMPLETE_SIGNATURE,
                        "Date must be in ISO-8601 'basic format'. Got '%.*s'. See "
                        "http://en.wikipedia.org/wiki/ISO_8601",
                        BYTES_ARGS(authorization->time));
    if (time + skew >= now && time <= now + skew)
        return true;
    signature_time(now, now_text);
    if (time + skew < now) {
        signature_time(now - skew, limit);
        return err_fail(err, ERR_INVALID_SIGNATURE,
                        "Signature expired: %.*s is now earlier than %s (%s - %d min.)",
                        BYTES_ARGS(authorization->time), limit, now_text, SIGNATURE_SKEW_MINUTES);
    }
    signature_time(now + skew, limit);
    return err_fail(err, ERR_INVALID_SIGNATURE,
                    "Signature not yet current: %.*s is still later than %s (%s + %d min.)",
                    BYTES_ARGS(authorization->time), limit, now_text, SIGNATURE_SKEW_MINUTES);
}

static bool form_check(const struct authorization *authorization, struct err *err)
{
    if (!authorization_signs(authorization, BYTES("host")))
        return err_fail(err, ERR_INVALID_SIGNATURE,
                        "'Host' or ':authority' must be a 'SignedHeader' in the AWS "
                        "Authorization.");
    if (!bytes_equal(authorization->algorithm, BYTES(SIGNATURE_ALGORITHM)))
        return err_fail(err, ERR_INCOMPLETE_SIGNATURE,
                        "Unsupported AWS 'algorithm': '%.*s' (only AWS4-HMAC-SHA256 for now). ",
                        BYTES_ARGS(authorization->algorithm));
    if (authorization->terminator.size == 0 || authorization->credential.size > CREDENTIAL_MOST)
        return err_fail(err, ERR_INCOMPLETE_SIGNATURE,
                        "Credential must have exactly 5 slash-delimited elements, e.g. "
                        "keyid/date/region/service/term, got '%.*s'",
                        BYTES_ARGS(authorization->credential));
    return true;
}

static bool scope_check(const struct signature_checker *checker,
                        const struct authorization *authorization, struct arena *arena,
                        struct err *err)
{
    struct bytes day = bytes_of(authorization->time.data, strlen("YYYYMMDD"));
    struct buf wrong;

    buf_init_in(&wrong, arena);
    if (!bytes_equal(authorization->region, checker->region))
        buf_printf(&wrong, "Credential should be scoped to a valid region, not '%.*s'. ",
                   BYTES_ARGS(authorization->region));
    if (!bytes_equal(authorization->service, checker->service))
        buf_printf(&wrong, "Credential should be scoped to correct service: '%.*s'. ",
                   BYTES_ARGS(checker->service));
    if (!bytes_equal(authorization->terminator, BYTES(SIGNATURE_TERMINATOR)))
        buf_printf(&wrong,
                   "Credential should be scoped with a valid terminator: '" SIGNATURE_TERMINATOR
                   "', not '%.*s'. ",
                   BYTES_ARGS(authorization->terminator));
    if (!bytes_equal(authorization->date, day))
        buf_printf(&wrong,
                   "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of "
                   "date from HTTP: '%.*s' != '%.*s', from '%.*s'.",
                   BYTES_ARGS(authorization->date), BYTES_ARGS(day),
                   BYTES_ARGS(authorization->time));
    if (wrong.size == 0)
        return true;
    return err_fail(err, ERR_INVALID_SIGNATURE, "%.*s", BYTES_ARGS(buf_bytes(&wrong)));
}

/* The signing key of the credential, from the thread's slots or made; the thread's. */
static EVP_MAC_CTX *key_of(struct checker_thread *thread, const struct authorization *authorization,
                           struct bytes secret_key)
{
    struct bytes credential = authorization->credential;
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (size_t i = 0; i < credential.size; i++)
        hash = (hash ^ credential.data[i]) * 16777619u;
    struct slot *slot = &thread->slots[hash % SLOTS];
    if (bytes_equal(bytes_of(slot->credential, slot->credential_size), credential))
        return slot->key;
    EVP_MAC_CTX_free(slot->key);
    slot->key = signing_key(&thread->hasher, secret_key, authorization->date, authorization->region,
                            authorization->service);
    slot->credential_size = credential.size;
    memcpy(slot->credential, credential.data, credential.size);
    return slot->key;
}

static bool signature_compare(struct checker_thread *thread,
                              const struct signature_request *request, struct bytes payload,
                              const struct authorization *authorization, struct bytes secret_key,
                              struct err *err)
{
    char hash[SIGNATURE_HASH_SIZE], signature[SIGNATURE_HASH_SIZE];

    hasher_hex(&thread->hasher, payload, hash);
    buf_clear(&thread->canonical);
    buf_clear(&thread->string);
    if (!canonical_request(request, authorization->signed_headers, bytes_of_text(hash),
                           &thread->canonical))
        return err_fail(err, ERR_INCOMPLETE_SIGNATURE, "More than %d query-string parameters",
                        SIGNATURE_PARAMETERS_MOST);
    string_to_sign(&thread->hasher, authorization->time, authorization->scope,
                   buf_bytes(&thread->canonical), &thread->string);
    signing_key_hex(key_of(thread, authorization, secret_key), buf_bytes(&thread->string),
                    signature);
    if (authorization->signature.size == SIGNATURE_HASH_SIZE - 1 &&
        CRYPTO_memcmp(authorization->signature.data, signature, SIGNATURE_HASH_SIZE - 1) == 0)
        return true;
    return err_fail(err, ERR_INVALID_SIGNATURE,
                    "The request signature we calculated does not match the signature you "
                    "provided. Check your AWS Secret Access Key and signing method. Consult the "
                    "service documentation for details.\n\nThe Canonical String for this request "
                    "should have been\n'%.*s'\n\nThe String-to-Sign should have been\n'%.*s'\n",
                    BYTES_ARGS(buf_bytes(&thread->canonical)),
                    BYTES_ARGS(buf_bytes(&thread->string)));
}

static bool request_check(struct signature_checker *checker,
                          const struct signature_request *request, struct bytes payload,
                          uint64_t micros, struct arena *arena,
                          const struct authorization *authorization, struct err *err)
{
    struct bytes secret_key;

    if (!time_check(authorization, micros, err) || !form_check(authorization, err) ||
        !scope_check(checker, authorization, arena, err))
        return false;
    if (!credentials_find(checker->credentials, authorization->access_key, &secret_key))
        return err_fail(err, ERR_UNRECOGNIZED_CLIENT,
                        "The security token included in the request is invalid.");
    if (!signature_compare(thread_of(checker), request, payload, authorization, secret_key, err))
        return false;
    if (authorization->token.size > 0) /* our keys are for good and have none */
        return err_fail(err, ERR_UNRECOGNIZED_CLIENT,
                        "The security token included in the request is invalid");
    return true;
}

/* Messages quote the request, and a reply is UTF-8 without control characters. */
static bool message_clean(struct err *err)
{
    for (uint8_t *c = (uint8_t *)err->message; *c != '\0'; c++)
        if ((*c < ' ' && *c != '\n') || *c >= 0x7f)
            *c = '?';
    return false;
}

bool signature_check(struct signature_checker *checker, const struct signature_request *request,
                     struct bytes payload, uint64_t micros, struct arena *arena,
                     struct bytes *access_key, struct err *err)
{
    struct authorization authorization;

    if (!authorization_read(request, arena, &authorization, err))
        return message_clean(err);
    if (checker->credentials != NULL &&
        !request_check(checker, request, payload, micros, arena, &authorization, err))
        return message_clean(err);
    *access_key = authorization.access_key;
    return true;
}
