/* test/unit/base.c - arena, buf, cursor, digest, err, fault, clock, share. */
#include "support/check.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/digest.h"
#include "base/fault.h"
#include "base/random.h"
#include "base/share.h"

static void arena_goes_back_to_a_mark(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena);
    struct bytes kept = arena_copy(&arena, BYTES("kept"));
    struct arena_mark mark = arena_mark(&arena);
    size_t before = arena_footprint(&arena);
    for (int i = 0; i < 1000; i++)
        memset(arena_alloc(&arena, 5000), i, 5000);
    arena_rewind(&arena, mark);
    assert_int_equal(arena_footprint(&arena), before);
    assert_true(bytes_equal(kept, BYTES("kept")));
    arena_release(&arena);
    assert_int_equal(arena_footprint(&arena), 0);
}

static void arena_keeps_room_for_another_use(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena);
    arena_reset(&arena, 1000000);
    assert_int_equal(arena_footprint(&arena), 0);
    for (int i = 0; i < 4; i++)
        memset(arena_alloc(&arena, 8000), i, 8000);
    memset(arena_alloc(&arena, 3000000), 1, 3000000);
    arena_reset(&arena, 100000);
    size_t kept = arena_footprint(&arena);
    assert_in_range(kept, 16000, 100100);
    memset(arena_alloc(&arena, 16000), 2, 16000);
    assert_int_equal(arena_footprint(&arena), kept);
    arena_reset(&arena, 100);
    assert_int_equal(arena_footprint(&arena), 0);
}

static void arena_aligns(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena);
    for (size_t size = 0; size < 100; size++)
        assert_int_equal((uintptr_t)arena_alloc(&arena, size) % 16, 0);
    arena_release(&arena);
}

static void buf_grows_on_heap_and_in_arena(void **state)
{
    struct arena arena;
    struct buf heap, inside;

    (void)state;
    arena_init(&arena);
    buf_init(&heap);
    buf_init_in(&inside, &arena);
    for (unsigned i = 0; i < 3000; i++) {
        buf_printf(&heap, "%u,", i);
        buf_printf(&inside, "%u,", i);
    }
    assert_true(bytes_equal(buf_bytes(&heap), buf_bytes(&inside)));
    assert_true(bytes_begin(buf_bytes(&heap), BYTES("0,1,2,3,")));
    buf_release(&heap);
    arena_release(&arena);
}

static void plain_text_moves_no_cursor(void **state)
{
    static const struct {
        const char *text, *plain;
    } cases[] = {
        {"", ""},
        {"a b/\xc3\xa9\xe4\xb8\xad~", "a b/\xc3\xa9\xe4\xb8\xad~"},
        {"a\nb\x1b[2J\x7f\r", "a\\x0ab\\x1b[2J\\x7f\\x0d"},
        {"\xc2\x9b"
         "1m\xc2\xa0\xc2",
         "\\xc2\\x9b"
         "1m\xc2\xa0\xc2"},
    };
    struct buf plain;

    (void)state;
    buf_init(&plain);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&plain);
        buf_put_plain(&plain, bytes_of_text(cases[i].text));
        assert_bytes_equal(buf_bytes(&plain), bytes_of_text(cases[i].plain));
    }
    buf_release(&plain);
}

static void varints_come_back(void **state)
{
    static const uint32_t values[] = {0, 1, 127, 128, 16383, 16384, 0x0fffffff, UINT32_MAX};
    struct buf buf;

    (void)state;
    buf_init(&buf);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        buf_put_varint(&buf, values[i]);
    struct cursor cursor = cursor_of(buf_bytes(&buf));
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        assert_int_equal(cursor_varint(&cursor), values[i]);
    assert_true(cursor_ended(&cursor));
    buf_release(&buf);
}

static void cursor_refuses_what_is_not_there(void **state)
{
    static const struct bytes bad[] = {
        BYTES_INIT("\x80"),                 /* cut off */
        BYTES_INIT("\x80\x00"),             /* longer than it need be */
        BYTES_INIT("\xff\xff\xff\xff\x7f"), /* over 32 bits */
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct cursor cursor = cursor_of(bad[i]);
        assert_int_equal(cursor_varint(&cursor), 0);
        assert_true(cursor.failed);
    }
    struct cursor cursor = cursor_of(BYTES("abc"));
    assert_int_equal(cursor_be64(&cursor), 0);
    assert_false(cursor_ended(&cursor));
}

static void faults_fire_when_armed(void **state)
{
    struct err err;

    (void)state;
    assert_false(FAULT(ENGINE_COMMIT, &err));
    fault_arm(FAULT_ENGINE_COMMIT, 1, 1);
    assert_false(FAULT(ENGINE_COMMIT, &err));
    assert_true(FAULT(ENGINE_COMMIT, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_false(FAULT(ENGINE_COMMIT, &err));
    assert_int_equal(fault_passes(FAULT_ENGINE_COMMIT), 3);
    fault_clear();
}

static void every_error_has_a_status(void **state)
{
    (void)state;
    for (enum err_code code = ERR_NONE + 1; code < ERR_CODES; code++) {
        assert_in_range(err_status(code), 400, 599);
        assert_true(err_status(code) >= 500 || err_wire(code) != NULL);
    }
}

/* However the limit falls among characters of one to four bytes. */
static void messages_are_cut_between_characters(void **state)
{
    static const char *const characters[] = {"a", "\u00e9", "\u65e5", "\U0001f418"};
    char text[ERR_MESSAGE_MOST + 8];
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof characters / sizeof *characters; i++)
        for (size_t before = 0; before < 5; before++) {
            size_t size = strlen(characters[i]), at = before;
            memset(text, 'x', before);
            for (; at + size < sizeof text; at += size)
                memcpy(text + at, characters[i], size);
            text[at] = '\0';
            err_fail(&err, ERR_VALIDATION, "%s", text);
            size_t kept = strlen(err.message);
            assert_in_range(kept, ERR_MESSAGE_MOST - 4, ERR_MESSAGE_MOST - 1);
            assert_int_equal((kept - before) % size, 0);
            assert_memory_equal(err.message, text, kept);
        }
}

static void clock_is_moved(void **state)
{
    (void)state;
    clock_set(35 * DAY_MICROS);
    assert_int_equal(clock_micros(), 35 * DAY_MICROS);
    clock_set(0);
    assert_true(clock_micros() > UINT64_C(1600000000) * SECOND_MICROS);
}

static void uuids_are_version_4(void **state)
{
    char uuid[UUID_TEXT_SIZE];

    (void)state;
    random_uuid(uuid);
    assert_int_equal(strlen(uuid), 36);
    assert_int_equal(uuid[14], '4');
    assert_non_null(strchr("89ab", uuid[19]));
}

static void digests_of_pieces_are_of_the_whole(void **state)
{
    uint8_t md5[MD5_SIZE], sha256[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    struct digest *digest = digest_new(DIGEST_MD5);

    (void)state;
    for (int round = 0; round < 2; round++) {
        digest_put(digest, BYTES("a"));
        digest_put(digest, BYTES_NONE);
        digest_put(digest, BYTES("bc"));
        digest_take(digest, md5);
        hex_put(md5, MD5_SIZE, hex);
        assert_string_equal(hex, "900150983cd24fb0d6963f7d28e17f72"); /* RFC 1321 A.5 */
    }
    struct digest *other = digest_new(DIGEST_MD5);
    digest_put(digest, BYTES("ab"));
    digest_put(other, BYTES("forgotten"));
    digest_copy(other, digest);
    digest_put(other, BYTES("c"));
    digest_take(other, md5);
    hex_put(md5, MD5_SIZE, hex);
    assert_string_equal(hex, "900150983cd24fb0d6963f7d28e17f72");
    digest_free(other);
    digest_free(digest);
    digest_of(DIGEST_SHA256, BYTES("abc"), sha256);
    hex_put(sha256, SHA256_SIZE, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void *share_lowered(void *context)
{
    int *nice = context;

    share_set(SHARE_MOST);
    nice[0] = getpriority(PRIO_PROCESS, 0);
    share_set(10);
    nice[1] = getpriority(PRIO_PROCESS, 0);
    nice[2] = sched_getscheduler(0);
    share_set(SHARE_LEAST);
    nice[3] = getpriority(PRIO_PROCESS, 0);
    return NULL;
}

static void a_share_is_the_threads_own(void **state)
{
    int before = getpriority(PRIO_PROCESS, 0), nice[4];
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, share_lowered, nice), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(nice[0], before);
    assert_int_equal(nice[1], before + 10 < 19 ? before + 10 : 19); /* 1 : 9 is nearly 1.25^10 */
    assert_int_equal(nice[2], SCHED_BATCH);
    assert_int_equal(nice[3], 19);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), before);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_goes_back_to_a_mark),
        cmocka_unit_test(arena_keeps_room_for_another_use),
        cmocka_unit_test(arena_aligns),
        cmocka_unit_test(buf_grows_on_heap_and_in_arena),
        cmocka_unit_test(plain_text_moves_no_cursor),
        cmocka_unit_test(varints_come_back),
        cmocka_unit_test(cursor_refuses_what_is_not_there),
        cmocka_unit_test(faults_fire_when_armed),
        cmocka_unit_test(every_error_has_a_status),
        cmocka_unit_test(messages_are_cut_between_characters),
        cmocka_unit_test(clock_is_moved),
        cmocka_unit_test(digests_of_pieces_are_of_the_whole),
        cmocka_unit_test(uuids_are_version_4),
        cmocka_unit_test(a_share_is_the_threads_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
