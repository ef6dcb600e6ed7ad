/* test/fuzz/line.c - a line of a data file that was read from any text holds valid items, and
 * written in either format and read again it is the same. The first byte of an input says what it
 * is: bit 0 Ion, bit 1 a change. */
#include <assert.h>

#include "archive/line.h"
#include "item/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct line {
    bool is_change;
    struct bytes item; /* or the keys of the change */
    struct line_change change;
};

static bool read(enum line_format format, struct bytes text, struct arena *arena, struct line *out)
{
    struct err err;
    bool ok = out->is_change ? line_read_change(format, text, arena, &out->item, &out->change, &err)
                             : line_read_item(format, text, arena, &out->item, &err);

    assert(ok || err.code == ERR_CORRUPT);
    return ok;
}

static void check(struct bytes item)
{
    struct err err;
    bool valid = item.size == 0 || item_check(item, &err);

    assert(valid);
}

/* Whether the keys are the image's is not the reader's to judge, so none are written. */
static void write_and_read(enum line_format format, const struct line *line, struct arena *arena)
{
    struct line_form form = {.format = format, .view = LINE_NEW_AND_OLD_IMAGES};
    struct line again = {.is_change = line->is_change};
    struct buf text;

    buf_init(&text);
    if (line->is_change)
        line_put_change(&form, &line->change, &text);
    else
        line_put_item(&form, line->item, &text);
    bool ok = read(format, bytes_of(text.data, text.size - 1), arena, &again);
    assert(ok && again.change.time == line->change.time);
    assert(bytes_equal(again.change.before, line->change.before) &&
           bytes_equal(again.change.after, line->change.after));
    assert(line->is_change || bytes_equal(again.item, line->item));
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum line_format format = size > 0 && (data[0] & 1) != 0 ? LINE_ION : LINE_JSON;
    struct line line = {.is_change = size > 0 && (data[0] & 2) != 0};
    struct arena arena;

    arena_init(&arena);
    if (size > 0 && read(format, bytes_of(data + 1, size - 1), &arena, &line)) {
        check(line.item);
        check(line.change.before);
        check(line.change.after);
        if (!line.is_change || line.change.before.size + line.change.after.size > 0) {
            write_and_read(LINE_JSON, &line, &arena);
            write_and_read(LINE_ION, &line, &arena);
        }
    }
    arena_release(&arena);
    return 0;
}
