/* item/ion.c - Ion text in the manner of ion-java's writer, which the service's exports follow:
 * compact, names bare where they may be, decimals and never ints. Escapes of strings and of quoted
 * names differ in the quote alone. */
#include "item/ion.h"

#include <assert.h>

#include "base/text.h"
#include "item/number.h"
#include "item/packed.h"
#include "json/writer.h"

/* ---- text ----------------------------------------------------------------------------------- */

#define DELETE      0x7f
#define C1_LEAD     0xc2 /* begins U+0080 to U+00BF, of which those up to U+009F are controls */
#define C1_LAST     0x9f
#define ESCAPE_MOST 4 /* of \x1f */

static uint8_t *put_hex(uint8_t *to, uint8_t c)
{
    static const uint8_t hex_digits[] = "0123456789abcdef";

    memcpy(to, "\\x", 2);
    to[2] = hex_digits[c >> 4];
    to[3] = hex_digits[c & 15];
    return to + 4;
}

static uint8_t *put_escape(uint8_t *to, uint8_t c)
{
    static const uint8_t letter[256] = {
        [0] = '0',    ['\a'] = 'a', ['\b'] = 'b', ['\t'] = 't',  ['\n'] = 'n',  ['\v'] = 'v',
        ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"',  ['\''] = '\'', ['\\'] = '\\',
    };

    if (letter[c] == 0)
        return put_hex(to, c);
    *to++ = '\\';
    *to++ = letter[c];
    return to;
}

/* What stands at `*at` and may have to be escaped. */
static uint8_t *put_special(uint8_t *to, const uint8_t **at, const uint8_t *end)
{
    uint8_t c = *(*at)++;

    if (c != C1_LEAD)
        return put_escape(to, c);
    if (*at < end && **at <= C1_LAST)
        return put_hex(to, *(*at)++);
    *to++ = c;
    return to;
}

static inline void put_quoted(struct buf *out, uint8_t quote, struct bytes text)
{
    const uint8_t *at = text.data, *end = text.data + text.size;
    uint8_t *to = buf_room(out, text.size + TEXT_BLOCK + 2);

    *to++ = quote;
    for (;;) {
        at = text_copy_run(at, end, &to, quote, DELETE, C1_LEAD);
        if (at == end)
            break;
        out->size = (size_t)(to - out->data);
        to = buf_room(out, ESCAPE_MOST + (size_t)(end - at) + TEXT_BLOCK + 2);
        to = put_special(to, &at, end);
    }
    *to++ = quote;
    out->size = (size_t)(to - out->data);
}

static inline bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

/* Words that are values, and "$10", which stands for an entry of a symbol table. */
static bool is_reserved(struct bytes name)
{
    static const struct bytes words[] = {BYTES_INIT("null"), BYTES_INIT("true"),
                                         BYTES_INIT("false"), BYTES_INIT("nan")};
    size_t digits = 1;

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (bytes_equal(name, words[i]))
            return true;
    while (digits < name.size && is_digit(name.data[digits]))
        digits++;
    return name.data[0] == '$' && name.size > 1 && digits == name.size;
}

bool ion_name_is_bare(struct bytes name)
{
    if (name.size == 0 || is_digit(name.data[0]))
        return false;
    for (size_t i = 0; i < name.size; i++)
        if (!is_letter(name.data[i]) && !is_digit(name.data[i]))
            return false;
    return !is_reserved(name);
}

void ion_put_name(struct buf *out, struct bytes name)
{
    if (ion_name_is_bare(name))
        buf_put_bytes(out, name);
    else
        put_quoted(out, '\'', name);
}

/* ---- values --------------------------------------------------------------------------------- */

void ion_put_number(struct buf *out, struct bytes encoded)
{
    out->size += number_print_ion_to(encoded, buf_room(out, NUMBER_TEXT_MOST));
}

static void put_scalar(const struct value *value, struct buf *out)
{
    switch (value->type) {
    case VALUE_N:
        ion_put_number(out, value->content);
        return;
    case VALUE_B:
        buf_put_literal(out, "{{");
        base64_put(out, value->content);
        buf_put_literal(out, "}}");
        return;
    default:
        assert(value->type == VALUE_S);
        put_quoted(out, '"', value->content);
    }
}

static uint64_t put_elements(const struct value *value, struct buf *out)
{
    struct item_walk walk = value_walk(value);
    struct value element;
    uint64_t size = 0;
    uint8_t before = '[';

    for (; value_next(&walk, &element); before = ',') {
        buf_put_u8(out, before);
        size += value_write_ion(&element, out);
    }
    if (before == '[')
        buf_put_u8(out, before);
    buf_put_u8(out, ']');
    return size;
}

static uint64_t put_field(uint8_t before, struct bytes name, const struct value *value,
                          struct buf *out)
{
    buf_put_u8(out, before);
    ion_put_name(out, name);
    buf_put_u8(out, ':');
    return name.size + value_write_ion(value, out);
}

static void put_struct_end(uint8_t before, struct buf *out)
{
    if (before == '{')
        buf_put_u8(out, before);
    buf_put_u8(out, '}');
}

static uint64_t put_map(const struct value *value, struct buf *out)
{
    struct item_walk walk = value_walk(value);
    struct bytes name;
    struct value element;
    uint64_t size = 0;
    uint8_t before = '{';

    for (; item_next(&walk, &name, &element); before = ',')
        size += put_field(before, name, &element, out);
    put_struct_end(before, out);
    return size;
}

uint64_t value_write_ion(const struct value *value, struct buf *out)
{
    uint64_t size = value_own_size(value);

    switch (value->type) {
    case VALUE_BOOL:
        buf_put_text(out, value->truth ? "true" : "false");
        return size;
    case VALUE_NULL:
        buf_put_literal(out, "null");
        return size;
    case VALUE_SS:
        buf_put_literal(out, "$dynamodb_SS::");
        return size + put_elements(value, out);
    case VALUE_NS:
        buf_put_literal(out, "$dynamodb_NS::");
        return size + put_elements(value, out);
    case VALUE_BS:
        buf_put_literal(out, "$dynamodb_BS::");
        return size + put_elements(value, out);
    case VALUE_L:
        return size + put_elements(value, out);
    case VALUE_M:
        return size + put_map(value, out);
    default:
        put_scalar(value, out);
        return size;
    }
}

/* ---- items ---------------------------------------------------------------------------------- */

static uint64_t put_item(struct item_led led, struct buf *out)
{
    struct bytes name;
    struct value value;
    uint64_t size = 0;
    uint8_t before = '{';

    for (; item_led_next(&led, &name, &value); before = ',')
        size += put_field(before, name, &value, out);
    put_struct_end(before, out);
    return size;
}

uint64_t item_write_ion(struct bytes item, struct buf *out)
{
    return put_item(item_led(item, NULL, 0, false), out);
}

uint64_t item_write_ion_led(struct bytes item, const struct bytes *first, size_t count,
                            struct buf *out)
{
    return put_item(item_led(item, first, count, false), out);
}

void item_write_ion_only(struct bytes item, const struct bytes *names, size_t count,
                         struct buf *out)
{
    put_item(item_led(item, names, count, true), out);
}
