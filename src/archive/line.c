/* archive/line.c - what stands around items and images in a line. Of a full export the key leads
 * each item; images of an incremental one have all attributes in order of their names. */
#include "archive/line.h"

#include <assert.h>

#include "item/json.h"
#include "json/writer.h"

uint64_t line_put_item(const struct line_form *form, struct bytes item, struct buf *out)
{
    buf_put_literal(out, "{\"Item\":");
    uint64_t size = item_write_json_led(item, form->keys, form->key_count, out);
    buf_put_literal(out, "}\n");
    return size;
}

uint64_t line_put_change(const struct line_form *form, const struct line_change *change,
                         struct buf *out)
{
    struct bytes any = change->after.size > 0 ? change->after : change->before;
    uint64_t size = 0;

    assert(any.size > 0);
    buf_put_literal(out, "{\"Metadata\":{\"WriteTimestampMicros\":{\"N\":\"");
    json_put_i64(out, (int64_t)change->time);
    buf_put_literal(out, "\"}},\"Keys\":");
    item_write_json_only(any, form->keys, form->key_count, out);
    if (change->before.size > 0 && form->view == LINE_NEW_AND_OLD_IMAGES) {
        buf_put_literal(out, ",\"OldImage\":");
        size += item_write_json(change->before, out);
    }
    if (change->after.size > 0) {
        buf_put_literal(out, ",\"NewImage\":");
        size += item_write_json(change->after, out);
    }
    buf_put_literal(out, "}\n");
    return size;
}
