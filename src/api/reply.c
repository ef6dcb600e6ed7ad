/* api/reply.c - pieces of replies, put straight into the text: members and elements with their
 * commas. */
#include "api/api.h"

#include "json/writer.h"

void put_comma(struct buf *out)
{
    uint8_t last = out->data[out->size - 1];

    if (last != '{' && last != '[')
        buf_put_u8(out, ',');
}

void put_member(struct buf *out, const char *name)
{
    put_comma(out);
    buf_put_u8(out, '"');
    buf_put_text(out, name);
    buf_put_literal(out, "\":");
}

void put_name(struct buf *out, struct bytes name)
{
    put_comma(out);
    json_put_string(out, name);
    buf_put_u8(out, ':');
}

void put_text_member(struct buf *out, const char *name, struct bytes text)
{
    put_member(out, name);
    json_put_string(out, text);
}

void put_integer_member(struct buf *out, const char *name, int64_t value)
{
    put_member(out, name);
    json_put_i64(out, value);
}

void put_flag_member(struct buf *out, const char *name, bool value)
{
    put_member(out, name);
    buf_put_text(out, value ? "true" : "false");
}

void put_time_member(struct buf *out, const char *name, uint64_t micros)
{
    put_member(out, name);
    json_put_time(out, micros);
}

void put_item_member(struct buf *out, const char *name, struct bytes item)
{
    put_member(out, name);
    item_write_json(item, out);
}
