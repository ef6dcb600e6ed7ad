/* api/node_json.c - what was asked, back as JSON: for keys that a batch gives back, and for the one
 * message of the service that quotes a request so. */
#include "api/api.h"

#include "json/writer.h"

static void put_names(struct buf *out, const struct value_node *node)
{
    buf_put_literal(out, "{");
    for (uint32_t i = 0; i < node->kept; i++) {
        put_name(out, node->names[i].key);
        json_put_string(out, node->names[i].name);
    }
    buf_put_literal(out, "}");
}

static void put_members(struct buf *out, const struct value_node *node)
{
    buf_put_literal(out, "{");
    for (uint32_t i = 0; node->field->of[i].name.size > 0; i++) {
        if (!node->members[i].present)
            continue;
        put_name(out, node->field->of[i].name);
        node_put_json(out, &node->members[i]);
    }
    buf_put_literal(out, "}");
}

static void put_elements(struct buf *out, const struct value_node *node)
{
    bool is_map = node->field->type == TYPE_MAP;

    buf_put_u8(out, is_map ? '{' : '[');
    for (uint32_t i = 0; i < node->kept; i++) {
        if (is_map)
            put_name(out, node->members[i].name);
        else
            put_comma(out);
        node_put_json(out, &node->members[i]);
    }
    buf_put_u8(out, is_map ? '}' : ']');
}

/* The recursion is as deep as the shape. */
void node_put_json(struct buf *out, const struct value_node *node)
{
    struct value value;

    switch (node->present ? node->field->type : TYPE_UNSUPPORTED) {
    case TYPE_STRING:
        json_put_string(out, node->text);
        return;
    case TYPE_INTEGER:
    case TYPE_LONG:
        json_put_i64(out, node->integer);
        return;
    case TYPE_BOOLEAN:
        buf_put_text(out, node->integer ? "true" : "false");
        return;
    case TYPE_TIME:
        json_put_time(out, node->time);
        return;
    case TYPE_STRUCT:
        put_members(out, node);
        return;
    case TYPE_LIST:
    case TYPE_MAP:
        put_elements(out, node);
        return;
    case TYPE_ITEM:
        item_write_json(node->item.packed, out);
        return;
    case TYPE_VALUE:
        value = value_read(node->item.packed);
        value_write_json(&value, out);
        return;
    case TYPE_NAMES:
        put_names(out, node);
        return;
    case TYPE_UNSUPPORTED:
        buf_put_literal(out, "null");
    }
}
