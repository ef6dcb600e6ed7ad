/* test/unit/line.c - lines of data files, to the letter. */
#include "support/check.h"

#include "archive/line.h"
#include "base/arena.h"
#include "expr/projection.h"
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
        enum line_format format;
        size_t keys;
        const char *expected;
    } rows[] = {
        {LINE_JSON, 1,
         "{\"Item\":{\"pk\":{\"S\":\"x\"},\"at\":{\"N\":\"7\"},\"z\":{\"BOOL\":true}}}\n"},
        {LINE_JSON, 2,
         "{\"Item\":{\"pk\":{\"S\":\"x\"},\"at\":{\"N\":\"7\"},\"z\":{\"BOOL\":true}}}\n"},
        {LINE_ION, 1, "$ion_1_0 {Item:{pk:\"x\",at:7.,z:true}}\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct line_form form = {.format = rows[i].format, .keys = keys};
        struct buf out;
        form.key_count = rows[i].keys;
        buf_init_in(&out, &arena);
        assert_int_equal(line_put_item(&form, item(OLD), &out), 2 + 2 + 2 + 1 + 1 + 1);
        assert_bytes_equal(buf_bytes(&out), bytes_of_text(rows[i].expected));
    }
}

/* The keys of a change are there whatever is chosen; where nothing is, the image is empty. */
static void projections_choose(void **state)
{
    static const struct {
        enum line_format format;
        const char *projection, *line, *change;
        uint64_t size;
    } rows[] = {
        {LINE_JSON, "z, pk", "{\"Item\":{\"pk\":{\"S\":\"x\"},\"z\":{\"BOOL\":true}}}\n",
         "\"OldImage\":{\"pk\":{\"S\":\"x\"},\"z\":{\"BOOL\":true}},\"NewImage\":{\"pk\":{\"S\":"
         "\"x\"}}}\n",
         2 + 1 + 1 + 1},
        {LINE_JSON, "b", "{\"Item\":{}}\n",
         "\"OldImage\":{},\"NewImage\":{\"b\":{\"NS\":[\"1\",\"600\"]}}}\n", 0},
        {LINE_ION, "z", "$ion_1_0 {Item:{z:true}}\n", "OldImage:{z:true},NewImage:{}}}\n", 1 + 1},
    };
    struct line_change change = {.time = 12, .before = item(OLD), .after = item(NEW)};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct line_form form = {.format = rows[i].format,
                                 .view = LINE_NEW_AND_OLD_IMAGES,
                                 .keys = keys,
                                 .key_count = 2,
                                 .arena = &arena};
        struct projection *projection;
        struct scope scope;
        struct buf out;
        struct err err;
        scope_init(&scope, &arena);
        assert_true(
            projection_compile(&scope, bytes_of_text(rows[i].projection), &projection, &err));
        form.projection = projection;
        buf_init(&out);
        assert_int_equal(line_put_item(&form, item(OLD), &out), rows[i].size);
        assert_bytes_equal(buf_bytes(&out), bytes_of_text(rows[i].line));
        line_put_change(&form, &change, &out);
        struct bytes images = bytes_of_text(rows[i].change);
        assert_bytes_equal(bytes_from(buf_bytes(&out), out.size - images.size), images);
        assert_non_null(memmem(out.data, out.size, "Keys", 4));
        buf_release(&out);
    }
}

/* spec/export.md 4.2. */
static void ion_is_the_example(void **state)
{
    static const struct bytes id = BYTES_INIT("id");
    struct line_form form = {.format = LINE_ION, .keys = &id, .key_count = 1};
    struct buf out;

    (void)state;
    buf_init_in(&out, &arena);
    line_put_item(&form,
                  item("{\"id\":{\"S\":\"u-1\"},\"b\":{\"B\":\"AAEC\"},\"n\":{\"N\":\"42\"},"
                       "\"ok\":{\"BOOL\":true},\"s\":{\"SS\":[\"a\",\"bb\"]},"
                       "\"x-y\":{\"NULL\":true}}"),
                  &out);
    assert_bytes_equal(buf_bytes(&out), BYTES("$ion_1_0 {Item:{id:\"u-1\",b:{{AAEC}},n:42.,ok:true,"
                                              "s:$dynamodb_SS::[\"a\",\"bb\"],'x-y':null}}\n"));
}

static void formats_have_names(void **state)
{
    enum line_format format;

    (void)state;
    assert_true(line_format_named(BYTES("ION"), &format));
    assert_int_equal(format, LINE_ION);
    assert_true(line_format_named(BYTES("DYNAMODB_JSON"), &format));
    assert_int_equal(format, LINE_JSON);
    assert_false(line_format_named(BYTES("ion"), &format));
    assert_string_equal(line_format_name(LINE_ION), "ION");
    assert_string_equal(line_format_suffix(LINE_ION), ".ion.gz");
}

#define HEAD                                                                                       \
    "{\"Metadata\":{\"WriteTimestampMicros\":{\"N\":\"1760001234567890\"}},"                       \
    "\"Keys\":{\"pk\":{\"S\":\"x\"},\"at\":{\"N\":\"7\"}}"

#define ION_HEAD                                                                                   \
    "$ion_1_0 {Record:{Keys:{pk:\"x\",at:7.},Metadata:{WriteTimestampMicros:176000123456789d1}"
#define ION_OLD "{at:7.,pk:\"x\",z:true}"
#define ION_NEW "{at:7.,b:$dynamodb_NS::[1.,6d2],pk:\"x\"}"

/* spec/export.md 4.3, 4.4 and 4.5. */
static void changes_show_what_the_view_shows(void **state)
{
    static const struct {
        const char *before, *after;
        enum line_view view;
        uint64_t size;
        const char *expected, *ion;
    } rows[] = {
        {NULL, NEW, LINE_NEW_AND_OLD_IMAGES, 12, HEAD ",\"NewImage\":" NEW "}\n",
         ION_HEAD ",NewImage:" ION_NEW "}}\n"},
        {OLD, NEW, LINE_NEW_AND_OLD_IMAGES, 21,
         HEAD ",\"OldImage\":" OLD ",\"NewImage\":" NEW "}\n",
         ION_HEAD ",OldImage:" ION_OLD ",NewImage:" ION_NEW "}}\n"},
        {OLD, NULL, LINE_NEW_AND_OLD_IMAGES, 9, HEAD ",\"OldImage\":" OLD "}\n",
         ION_HEAD ",OldImage:" ION_OLD "}}\n"},
        {NULL, NEW, LINE_NEW_IMAGE, 12, HEAD ",\"NewImage\":" NEW "}\n",
         ION_HEAD ",NewImage:" ION_NEW "}}\n"},
        {OLD, NEW, LINE_NEW_IMAGE, 12, HEAD ",\"NewImage\":" NEW "}\n",
         ION_HEAD ",NewImage:" ION_NEW "}}\n"},
        {OLD, NULL, LINE_NEW_IMAGE, 0, HEAD "}\n", ION_HEAD "}}\n"},
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
        buf_clear(&out);
        form.format = LINE_ION;
        assert_int_equal(line_put_change(&form, &change, &out), rows[i].size);
        assert_bytes_equal(buf_bytes(&out), bytes_of_text(rows[i].ion));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(items_have_their_keys_first, setup, teardown),
        cmocka_unit_test_setup_teardown(projections_choose, setup, teardown),
        cmocka_unit_test_setup_teardown(ion_is_the_example, setup, teardown),
        cmocka_unit_test_setup_teardown(formats_have_names, setup, teardown),
        cmocka_unit_test_setup_teardown(changes_show_what_the_view_shows, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
