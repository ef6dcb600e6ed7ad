/* test/unit/line.c - lines of data files, to the letter. */
#include "support/check.h"

#include "archive/line.h"
#include "base/arena.h"
#include "item/json.h"

static struct arena arena;

static const struct bytes keys[] = {BYTES_INIT("pk"), BYTES_INIT("at")};

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

/* Text of an item, packed; of NULL none. */
static struct bytes item(const char *text)
{
    struct json_reader reader;
    struct item_read read;
    struct err err;

    if (text == NULL)
        return BYTES_NONE;
    json_reader_init(&reader, bytes_of_text(text), &arena);
    assert_true(item_read_json(&reader, &read, &err));
    assert_null(read.invalid);
    return read.packed;
}

#define OLD "{\"at\":{\"N\":\"7\"},\"pk\":{\"S\":\"x\"},\"z\":{\"BOOL\":true}}"
#define NEW "{\"at\":{\"N\":\"7\"},\"b\":{\"NS\":[\"1\",\"600\"]},\"pk\":{\"S\":\"x\"}}"

static void items_have_their_keys_first(void **state)
{
    static const struct {
        size_t keys;
        const char *expected;
    } rows[] = {
        {1, "{\"Item\":{\"pk\":{\"S\":\"x\"},\"at\":{\"N\":\"7\"},\"z\":{\"BOOL\":true}}}\n"},
        {2, "{\"Item\":{\"pk\":{\"S\":\"x\"},\"at\":{\"N\":\"7\"},\"z\":{\"BOOL\":true}}}\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct line_form form = {.keys = keys, .key_count = rows[i].keys};
        struct buf out;
        buf_init_in(&out, &arena);
        assert_int_equal(line_put_item(&form, item(OLD), &out), 2 + 2 + 2 + 1 + 1 + 1);
        assert_bytes_equal(buf_bytes(&out), bytes_of_text(rows[i].expected));
    }
}

#define HEAD                                                                                       \
    "{\"Metadata\":{\"WriteTimestampMicros\":{\"N\":\"1760001234567890\"}},"                       \
    "\"Keys\":{\"pk\":{\"S\":\"x\"},\"at\":{\"N\":\"7\"}}"

/* spec/export.md 4.3 and 4.5. */
static void changes_show_what_the_view_shows(void **state)
{
    static const struct {
        const char *before, *after;
        enum line_view view;
        uint64_t size;
        const char *expected;
    } rows[] = {
        {NULL, NEW, LINE_NEW_AND_OLD_IMAGES, 12, HEAD ",\"NewImage\":" NEW "}\n"},
        {OLD, NEW, LINE_NEW_AND_OLD_IMAGES, 21,
         HEAD ",\"OldImage\":" OLD ",\"NewImage\":" NEW "}\n"},
        {OLD, NULL, LINE_NEW_AND_OLD_IMAGES, 9, HEAD ",\"OldImage\":" OLD "}\n"},
        {NULL, NEW, LINE_NEW_IMAGE, 12, HEAD ",\"NewImage\":" NEW "}\n"},
        {OLD, NEW, LINE_NEW_IMAGE, 12, HEAD ",\"NewImage\":" NEW "}\n"},
        {OLD, NULL, LINE_NEW_IMAGE, 0, HEAD "}\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct line_form form = {.view = rows[i].view, .keys = keys, .key_count = 2};
        struct line_change change = {.time = UINT64_C(1760001234567890),
                                     .before = item(rows[i].before),
                                     .after = item(rows[i].after)};
        struct buf out;
        buf_init_in(&out, &arena);
        assert_int_equal(line_put_change(&form, &change, &out), rows[i].size);
        assert_bytes_equal(buf_bytes(&out), bytes_of_text(rows[i].expected));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(items_have_their_keys_first, setup, teardown),
        cmocka_unit_test_setup_teardown(changes_show_what_the_view_shows, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
