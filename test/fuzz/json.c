/* test/fuzz/json.c - what the reader takes, the writer writes down so that the reader takes it
 * again and with the same meaning; and json_skip() takes just what is read value by value. */
#include <assert.h>

#include "json/reader.h"
#include "json/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Well-formed UTF-8 by another way than the reader's: each character is decoded, and must be one
 * that needs so many bytes. */
static bool is_text(struct bytes text)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};

    for (size_t i = 0; i < text.size;) {
        uint8_t lead = text.data[i++];
        int more = lead < 0x80 ? 0 : lead < 0xc0 ? 4 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
        uint32_t character = more == 0 ? lead : lead & (0x3fu >> more);
        if (more > 3 || lead > 0xf7)
            return false;
        for (int j = 0; j < more; j++, i++) {
            if (i == text.size || text.data[i] >> 6 != 2)
                return false;
            character = character << 6 | (text.data[i] & 0x3f);
        }
        if (character < least[more] || character > 0x10ffff || character >> 11 == 0x1b)
            return false;
    }
    return true;
}

static bool copy_value(struct json_reader *reader, struct buf *out, struct err *err);

static bool copy_object(struct json_reader *reader, struct buf *out, struct err *err)
{
    struct bytes name;
    uint8_t before = '{';
    bool more;

    if (!json_object_begin(reader, err))
        return false;
    while (json_object_next(reader, &name, &more, err)) {
        if (!more) {
            buf_put_text(out, before == '{' ? "{}" : "}");
            return true;
        }
        assert(is_text(name));
        buf_put_u8(out, before);
        before = ',';
        json_put_string(out, name);
        buf_put_u8(out, ':');
        if (!copy_value(reader, out, err))
            return false;
    }
    return false;
}

static bool copy_array(struct json_reader *reader, struct buf *out, struct err *err)
{
    uint8_t before = '[';
    bool more;

    if (!json_array_begin(reader, err))
        return false;
    while (json_array_next(reader, &more, err)) {
        if (!more) {
            buf_put_text(out, before == '[' ? "[]" : "]");
            return true;
        }
        buf_put_u8(out, before);
        before = ',';
        if (!copy_value(reader, out, err))
            return false;
    }
    return false;
}

static bool copy_value(struct json_reader *reader, struct buf *out, struct err *err)
{
    enum json_kind kind = json_peek(reader);
    struct bytes text;

    switch (kind) {
    case JSON_OBJECT:
        return copy_object(reader, out, err);
    case JSON_ARRAY:
        return copy_array(reader, out, err);
    case JSON_STRING:
        if (!json_read_string(reader, &text, err))
            return false;
        assert(is_text(text));
        json_put_string(out, text);
        return true;
    case JSON_NUMBER:
        if (!json_read_number(reader, &text, err))
            return false;
        buf_put_bytes(out, text);
        return true;
    default:
        if (!json_read_literal(reader, err))
            return false;
        buf_put_text(out, kind == JSON_TRUE ? "true" : kind == JSON_FALSE ? "false" : "null");
        return true;
    }
}

static bool copy(struct bytes text, struct arena *arena, struct buf *out)
{
    struct json_reader reader;
    struct err err;

    json_reader_init(&reader, text, arena);
    return copy_value(&reader, out, &err) && json_end(&reader, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = bytes_of(data, size);
    struct json_reader reader;
    struct buf once, twice;
    struct arena arena;
    struct err err;

    assert(utf8_valid(text) == is_text(text));
    arena_init(&arena);
    buf_init(&once);
    buf_init(&twice);
    json_reader_init(&reader, text, &arena);
    bool skipped = json_skip(&reader, &err) && json_end(&reader, &err);
    bool copied = copy(text, &arena, &once);
    assert(skipped == copied);
    if (copied) {
        bool again = copy(buf_bytes(&once), &arena, &twice);
        assert(again && bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
    }
    buf_release(&twice);
    buf_release(&once);
    arena_release(&arena);
    return 0;
}
