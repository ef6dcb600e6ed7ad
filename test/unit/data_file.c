/* test/unit/data_file.c - lines in, a gzipped object out, with what the manifests say of it. */
#include "support/check.h"
#include "support/folder.h"
#include "support/gunzip.h"

#include <stdio.h>
#include <sys/stat.h>

#include "archive/data_file.h"
#include "base/fault.h"
#include "base/random.h"
#include "item/codec.h"

static struct {
    char root[FOLDER_PATH_MOST];
    struct store *store;
    struct arena arena;
    struct err err;
} place;

static const struct bytes keys[] = {BYTES_INIT("id"), BYTES_INIT("at")};

static int setup(void **state)
{
    char bucket[FOLDER_PATH_MOST + 8];

    (void)state;
    folder_make(place.root);
    snprintf(bucket, sizeof bucket, "%s/b", place.root);
    assert_int_equal(mkdir(bucket, 0777), 0);
    place.store = store_open_directory(place.root, &place.err);
    assert_non_null(place.store);
    arena_init(&place.arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fault_clear();
    store_close(place.store);
    folder_remove(place.root);
    arena_release(&place.arena);
    return 0;
}

static struct data_file *open_file(void)
{
    static const struct data_file_settings settings = {
        .where = {"b", "x.json.gz"},
        .object = {.content_type = "application/x-gzip", .encryption = "AES256"},
        .form = {.keys = keys, .key_count = 2},
    };
    struct data_file_settings now = settings;

    now.store = place.store;
    return data_file_open(&now, &place.err);
}

/* The object's bytes, in the arena. */
static struct bytes object(void)
{
    char path[FOLDER_PATH_MOST + 16];
    struct buf file;

    snprintf(path, sizeof path, "%s/b/x.json.gz", place.root);
    buf_init_in(&file, &place.arena);
    file_read(path, &file);
    return buf_bytes(&file);
}

static struct bytes item_of(uint64_t number, size_t filler)
{
    uint8_t *text = arena_alloc(&place.arena, filler);
    uint64_t seed = number;
    struct item_maker maker;

    for (size_t i = 0; i < filler; i++)
        text[i] = (uint8_t)(' ' + random_next(&seed) % 64);
    item_begin(&maker, &place.arena);
    item_put_text(&maker, "zz", bytes_of(text, filler));
    item_put_text(&maker, "id", BYTES("same"));
    item_put_integer(&maker, "at", (int64_t)number);
    return item_finish(&maker);
}

static void an_empty_file_is_the_vector(void **state)
{
    struct data_file *file = open_file();
    struct data_file_result result;
    struct buf md5;

    (void)state;
    assert_non_null(file);
    assert_true(data_file_finish(file, &result, &place.err));
    data_file_close(file);
    assert_bytes_equal(object(), BYTES("\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0"));
    assert_string_equal(result.sums.etag, "7deb4078f238dd87d6af0538152c04e9-1");
    assert_int_equal(result.figures.items, 0);
    assert_int_equal(result.figures.file_bytes, 20);
    buf_init_in(&md5, &place.arena);
    for (int i = 0; i < MD5_SIZE; i++)
        buf_printf(&md5, "%02x", result.sums.md5[i]);
    assert_bytes_equal(buf_bytes(&md5), BYTES("163be0a88c70ca629fd516dbaadad96a"));
}

static void lines_have_their_keys_first(void **state)
{
    struct data_file *file = open_file();
    struct data_file_result result;
    struct buf text;

    (void)state;
    assert_true(data_file_put_item(file, item_of(7, 0), &place.err));
    assert_true(data_file_put_item(file, item_of(8, 0), &place.err));
    assert_true(data_file_finish(file, &result, &place.err));
    data_file_close(file);
    buf_init_in(&text, &place.arena);
    gunzip(object(), &text);
    assert_bytes_equal(
        buf_bytes(&text),
        BYTES("{\"Item\":{\"id\":{\"S\":\"same\"},\"at\":{\"N\":\"7\"},\"zz\":{\"S\":\"\"}}}\n"
              "{\"Item\":{\"id\":{\"S\":\"same\"},\"at\":{\"N\":\"8\"},\"zz\":{\"S\":\"\"}}}\n"));
    assert_int_equal(result.figures.items, 2);
    assert_int_equal(result.figures.item_bytes, 2 * (2 + 4 + 2 + 2 + 2));
    assert_int_equal(result.figures.text_bytes, text.size);
}

static void changes_are_lines_too(void **state)
{
    struct data_file *file = open_file();
    struct line_change change = {.time = 12, .before = item_of(7, 0)};
    struct data_file_result result;
    struct buf text;

    (void)state;
    assert_true(data_file_put_change(file, &change, &place.err));
    assert_true(data_file_finish(file, &result, &place.err));
    data_file_close(file);
    buf_init_in(&text, &place.arena);
    gunzip(object(), &text);
    assert_bytes_equal(buf_bytes(&text),
                       BYTES("{\"Metadata\":{\"WriteTimestampMicros\":{\"N\":\"12\"}},"
                             "\"Keys\":{\"id\":{\"S\":\"same\"},\"at\":{\"N\":\"7\"}}}\n"));
    assert_int_equal(result.figures.items, 1);
    assert_int_equal(result.figures.item_bytes, 0);
    assert_int_equal(result.figures.text_bytes, text.size);
}

/* Text that hardly compresses, so that the upload has several parts. */
static void large_files_are_whole(void **state)
{
    struct data_file *file = open_file();
    struct data_file_result result;
    struct buf text, line;
    uint8_t md5[MD5_SIZE];
    size_t at = 0;

    (void)state;
    for (uint64_t i = 0; i < 300; i++)
        assert_true(data_file_put_item(file, item_of(i, 100000), &place.err));
    assert_true(data_file_finish(file, &result, &place.err));
    data_file_close(file);
    assert_int_equal(object().size, result.figures.file_bytes);
    assert_true(object().size > 2 * UPLOAD_PART);
    assert_memory_equal(object().data, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
    digest_of(DIGEST_MD5, object(), md5);
    assert_memory_equal(md5, result.sums.md5, MD5_SIZE);
    assert_string_equal(strchr(result.sums.etag, '-'), "-1"); /* in a folder they are one */

    buf_init_in(&text, &place.arena);
    gunzip(object(), &text);
    assert_int_equal(text.size, result.figures.text_bytes);
    for (uint64_t i = 0; i < 300; i++) {
        buf_init_in(&line, &place.arena);
        buf_printf(&line, "{\"Item\":{\"id\":{\"S\":\"same\"},\"at\":{\"N\":\"%u\"},", (unsigned)i);
        assert_true(bytes_begin(bytes_from(buf_bytes(&text), at), buf_bytes(&line)));
        const uint8_t *end = memchr(text.data + at, '\n', text.size - at);
        assert_non_null(end);
        at = (size_t)(end - text.data) + 1;
    }
    assert_int_equal(at, text.size);
}

static void failures_leave_nothing(void **state)
{
    static const enum fault_point points[] = {FAULT_STORE_PART, FAULT_STORE_COMPLETE};
    struct data_file_result result;

    (void)state;
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        struct data_file *file = open_file();
        assert_true(data_file_put_item(file, item_of(1, 10), &place.err));
        fault_arm(points[i], 0, UINT64_MAX);
        assert_false(data_file_finish(file, &result, &place.err));
        assert_int_equal(place.err.code, ERR_STORE);
        data_file_close(file);
        fault_clear();
        assert_int_equal(folder_files(place.root), 0);
    }
    struct data_file *file = open_file();
    assert_true(data_file_put_item(file, item_of(1, 10), &place.err));
    data_file_close(file);
    assert_int_equal(folder_files(place.root), 0);
}

/* The first, the second, ... part fails in flight: it is told at the next one, or at the end. */
static void a_part_that_fails_in_flight_is_told(void **state)
{
    struct data_file_result result;
    uint64_t parts = 4;

    (void)state;
    for (uint64_t fails = 0; fails < parts; fails++) {
        struct data_file *file = open_file();
        bool ok = true;
        fault_arm(FAULT_STORE_PART, fails, 1);
        for (uint64_t i = 0; ok && i < 300; i++)
            ok = data_file_put_item(file, item_of(i, 100000), &place.err);
        ok = ok && data_file_finish(file, &result, &place.err);
        assert_int_equal(ok, fails == 3); /* there are three */
        if (!ok)
            assert_string_equal(place.err.reason, "InternalServerError");
        data_file_close(file);
        fault_clear();
        assert_int_equal(folder_files(place.root), ok ? 1 : 0);
    }
}

/* An export that is stopped amid a flight. */
static void a_file_can_be_given_up_at_any_time(void **state)
{
    (void)state;
    for (uint64_t items = 80; items < 180; items += 20) {
        struct data_file *file = open_file();
        for (uint64_t i = 0; i < items; i++)
            assert_true(data_file_put_item(file, item_of(i, 100000), &place.err));
        data_file_close(file);
        assert_int_equal(folder_files(place.root), 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_file_is_the_vector, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_have_their_keys_first, setup, teardown),
        cmocka_unit_test_setup_teardown(changes_are_lines_too, setup, teardown),
        cmocka_unit_test_setup_teardown(large_files_are_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(failures_leave_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_part_that_fails_in_flight_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_can_be_given_up_at_any_time, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
