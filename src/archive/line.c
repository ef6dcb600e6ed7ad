/* archive/line.c - what stands around items and images in a line. Of a full export the key leads
 * each item; images of an incremental one have all attributes in order of their names. */
#include "archive/line.h"

#include <assert.h>

#include "expr/projection.h"
#include "item/ion.h"
#include "item/json.h"
#include "item/number.h"
#include "json/writer.h"

static const struct {
    const char *name, *suffix;
} formats[] = {
    [LINE_JSON] = {"DYNAMODB_JSON", ".json.gz"},
    [LINE_ION] = {"ION", ".ion.gz"},
};

const char *line_format_name(enum line_format format)
{
    return formats[format].name;
}

const char *line_format_suffix(enum line_format format)
{
    return formats[format].suffix;
}

bool line_format_named(struct bytes name, enum line_format *out)
{
    for (enum line_format format = LINE_JSON; format <= LINE_ION; format++)
        if (bytes_equal(name, bytes_of_text(formats[format].name))) {
            *out = format;
            return true;
        }
    return false;
}

/* What of an item goes into the line. */
static struct bytes chosen(const struct line_form *form, struct bytes item)
{
    return form->projection == NULL ? item : projection_apply(form->projection, item, form->arena);
}

static uint64_t put_item(const struct line_form *form, struct bytes item, struct buf *out)
{
    uint64_t size;

    if (form->format == LINE_ION) {
        buf_put_literal(out, "$ion_1_0 {Item:");
        size = item_write_ion_led(item, form->keys, form->key_count, out);
    } else {
        buf_put_literal(out, "{\"Item\":");
        size = item_write_json_led(item, form->keys, form->key_count, out);
    }
    buf_put_literal(out, "}\n");
    return size;
}

static struct arena_mark line_mark(const struct line_form *form)
{
    return form->projection == NULL ? (struct arena_mark){0} : arena_mark(form->arena);
}

static void line_rewind(const struct line_form *form, struct arena_mark mark)
{
    if (form->projection != NULL)
        arena_rewind(form->arena, mark);
}

uint64_t line_put_item(const struct line_form *form, struct bytes item, struct buf *out)
{
    struct arena_mark mark = line_mark(form);
    uint64_t size = put_item(form, chosen(form, item), out);

    line_rewind(form, mark);
    return size;
}

static bool shows_before(const struct line_form *form, const struct line_change *change)
{
    return change->before.size > 0 && form->view == LINE_NEW_AND_OLD_IMAGES;
}

static uint64_t put_json_change(const struct line_form *form, const struct line_change *change,
                                struct bytes keys, struct buf *out)
{
    uint64_t size = 0;

    buf_put_literal(out, "{\"Metadata\":{\"WriteTimestampMicros\":{\"N\":\"");
    json_put_i64(out, (int64_t)change->time);
    buf_put_literal(out, "\"}},\"Keys\":");
    item_write_json_only(keys, form->keys, form->key_count, out);
    if (shows_before(form, change)) {
        buf_put_literal(out, ",\"OldImage\":");
        size += item_write_json(chosen(form, change->before), out);
    }
    if (change->after.size > 0) {
        buf_put_literal(out, ",\"NewImage\":");
        size += item_write_json(chosen(form, change->after), out);
    }
    buf_put_literal(out, "}\n");
    return size;
}

static uint64_t put_ion_change(const struct line_form *form, const struct line_change *change,
                               struct bytes keys, struct buf *out)
{
    struct number time;
    uint64_t size = 0;

    number_of_integer((int64_t)change->time, &time);
    buf_put_literal(out, "$ion_1_0 {Record:{Keys:");
    item_write_ion_only(keys, form->keys, form->key_count, out);
    buf_put_literal(out, ",Metadata:{WriteTimestampMicros:");
    ion_put_number(out, number_bytes(&time));
    buf_put_u8(out, '}');
    if (shows_before(form, change)) {
        buf_put_literal(out, ",OldImage:");
        size += item_write_ion(chosen(form, change->before), out);
    }
    if (change->after.size > 0) {
        buf_put_literal(out, ",NewImage:");
        size += item_write_ion(chosen(form, change->after), out);
    }
    buf_put_literal(out, "}}\n");
    return size;
}

uint64_t line_put_change(const struct line_form *form, const struct line_change *change,
                         struct buf *out)
{
    struct bytes keys = change->after.size > 0 ? change->after : change->before;

    struct arena_mark mark = line_mark(form);

    assert(keys.size > 0);
    uint64_t size = form->format == LINE_ION ? put_ion_change(form, change, keys, out)
                                             : put_json_change(form, change, keys, out);
    line_rewind(form, mark);
    return size;
}
