/* item/ion_read.c - Ion text to packed form in one pass, as item/json.c does it: containers at the
 * end of one buf, parts in order at their end. Annotated lists are sets; all else has a first
 * character of its own. Every recursion is a level of nesting, which are bounded. */
#include <assert.h>

#include "item/ion.h"
#include "item/packed.h"
#include "item/parts.h"
#include "json/reader.h"
#include "json/writer.h"

struct read {
    struct ion_reader *text;
    struct buf out;
};

void ion_reader_init(struct ion_reader *reader, struct bytes text, struct arena *arena)
{
    *reader = (struct ion_reader){text.data, text.data + text.size, arena};
}

/* The next character, unread; 0 at the end, which no text that is read here holds bare. */
static inline uint8_t look(const struct ion_reader *text)
{
    return text->next < text->end ? *text->next : 0;
}

static inline bool take(struct ion_reader *text, uint8_t c)
{
    if (look(text) != c)
        return false;
    text->next++;
    return true;
}

bool ion_read_fixed(struct ion_reader *reader, struct bytes text)
{
    if (!bytes_begin(bytes_of(reader->next, (size_t)(reader->end - reader->next)), text))
        return false;
    reader->next += text.size;
    return true;
}

static bool fail(struct err *err, const char *message)
{
    return err_fail(err, ERR_CORRUPT, "%s", message);
}

static inline bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

/* ---- text ----------------------------------------------------------------------------------- */

static int hex_value(uint8_t c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* So many hex digits as a character. */
static bool read_hex(struct ion_reader *text, int digits, uint32_t *out)
{
    uint32_t value = 0;

    if (text->end - text->next < digits)
        return false;
    for (int i = 0; i < digits; i++) {
        int digit = hex_value(*text->next++);
        if (digit < 0)
            return false;
        value = value << 4 | (uint32_t)digit;
    }
    *out = value;
    return true;
}

/* What stands behind a backslash (Ion 1.0, "Text Format", escapes). */
static bool read_escape(struct ion_reader *text, uint32_t *out)
{
    static const char letters[] = "0abtnfrv\"'?\\/", meanings[] = "\0\a\b\t\n\f\r\v\"'?\\/";
    uint8_t c = look(text);
    const char *at = c == 0 ? NULL : strchr(letters, c);

    text->next++;
    if (c == 'x')
        return read_hex(text, 2, out);
    if (c == 'u')
        return read_hex(text, 4, out);
    if (c == 'U')
        return read_hex(text, 8, out);
    if (at != NULL)
        *out = (uint8_t)meanings[at - letters];
    return at != NULL;
}

/* A character as UTF-8: never longer than its escape was. */
static bool put_character(uint8_t **to, uint32_t c)
{
    uint8_t *at = *to;

    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return false;
    if (c < 0x80) {
        *at++ = (uint8_t)c;
    } else if (c < 0x800) {
        *at++ = (uint8_t)(0xc0 | c >> 6);
    } else if (c < 0x10000) {
        *at++ = (uint8_t)(0xe0 | c >> 12);
        *at++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    } else {
        *at++ = (uint8_t)(0xf0 | c >> 18);
        *at++ = (uint8_t)(0x80 | (c >> 12 & 0x3f));
        *at++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    }
    if (c >= 0x80)
        *at++ = (uint8_t)(0x80 | (c & 0x3f));
    *to = at;
    return true;
}

/* To the closing quote, which is found first; `*escaped` if anything before it is escaped. */
static bool find_quote(const struct ion_reader *text, uint8_t quote, size_t *size, bool *escaped)
{
    *escaped = false;
    for (const uint8_t *at = text->next; at < text->end; at++) {
        if (*at == quote) {
            *size = (size_t)(at - text->next);
            return true;
        }
        if (*at < 0x20)
            return false;
        if (*at == '\\') {
            *escaped = true;
            if (++at == text->end)
                return false;
        }
    }
    return false;
}

static bool unescape(struct ion_reader *inside, uint8_t *to, size_t *size)
{
    uint8_t *start = to;
    uint32_t c;

    while (inside->next < inside->end) {
        if (*inside->next != '\\') {
            *to++ = *inside->next++;
            continue;
        }
        inside->next++;
        if (!read_escape(inside, &c) || !put_character(&to, c))
            return false;
    }
    *size = (size_t)(to - start);
    return true;
}

/* Borrowed, or made in the arena where something was escaped. */
static bool read_quoted(struct ion_reader *text, uint8_t quote, struct bytes *out, struct err *err)
{
    size_t size;
    bool escaped;

    text->next++;
    if (!find_quote(text, quote, &size, &escaped))
        return fail(err, "a text has no end");
    *out = bytes_of(text->next, size);
    text->next += size + 1;
    if (escaped) {
        struct ion_reader inside = {out->data, out->data + size, text->arena};
        uint8_t *to = arena_alloc(text->arena, size);
        if (!unescape(&inside, to, &size))
            return fail(err, "an escape is none of Ion's");
        *out = bytes_of(to, size);
    }
    return utf8_valid(*out) || fail(err, "a text is no UTF-8");
}

/* ---- scalars -------------------------------------------------------------------------------- */

static bool read_s(struct read *in, struct err *err)
{
    struct bytes text;

    if (look(in->text) != '"')
        return fail(err, "a string is expected");
    if (!read_quoted(in->text, '"', &text, err))
        return false;
    uint8_t *to = packed_head_put(&in->out, PACKED_S, text.size);
    if (text.size > 0)
        memcpy(to, text.data, text.size);
    packed_end_put(&in->out, to + text.size);
    return true;
}

/* Longer than any number that an item can hold, zeros and all. Our own bound. */
#define DECIMAL_MOST 512

/* Copies digits to `*to`; how many. */
static size_t copy_digits(struct ion_reader *text, const uint8_t *end, uint8_t **to)
{
    size_t count = 0;

    for (; text->next < end && is_digit(*text->next); count++)
        *(*to)++ = *text->next++;
    return count;
}

/* A decimal as the text of an N: `d` becomes `e`. False if it is none. */
static bool copy_decimal(struct ion_reader *text, uint8_t copy[DECIMAL_MOST], size_t *size)
{
    size_t left = (size_t)(text->end - text->next);
    const uint8_t *end = text->next + (left < DECIMAL_MOST ? left : DECIMAL_MOST);
    uint8_t *to = copy;

    if (look(text) == '-')
        *to++ = *text->next++;
    const uint8_t *first = text->next;
    size_t whole = copy_digits(text, end, &to);
    bool point = text->next < end && *text->next == '.';
    if (whole == 0 || (whole > 1 && *first == '0'))
        return false;
    if (point) {
        *to++ = *text->next++;
        copy_digits(text, end, &to);
    }
    bool exponent = text->next < end && (*text->next | 0x20) == 'd';
    if (exponent) {
        *to++ = 'e';
        text->next++;
        if (text->next < end && (*text->next == '-' || *text->next == '+'))
            *to++ = *text->next++;
        if (copy_digits(text, end, &to) == 0)
            return false;
    }
    *size = (size_t)(to - copy);
    return point || exponent;
}

bool ion_read_number(struct ion_reader *reader, struct number *out, struct err *err)
{
    uint8_t copy[DECIMAL_MOST];
    struct err why;
    size_t size;

    if (!copy_decimal(reader, copy, &size))
        return fail(err, "a decimal is expected");
    return number_read(bytes_of(copy, size), out, &why) || fail(err, why.message);
}

static bool read_n(struct read *in, struct err *err)
{
    struct number number;

    if (!ion_read_number(in->text, &number, err))
        return false;
    value_put_number(&in->out, number_bytes(&number));
    return true;
}

static bool read_b(struct read *in, struct err *err)
{
    if (!ion_read_fixed(in->text, BYTES("{{")))
        return fail(err, "a blob is expected");
    const uint8_t *end = memchr(in->text->next, '}', (size_t)(in->text->end - in->text->next));
    if (end == NULL)
        return fail(err, "a blob has no end");
    struct bytes text = bytes_of(in->text->next, (size_t)(end - in->text->next));
    in->text->next = end;
    if (!ion_read_fixed(in->text, BYTES("}}")))
        return fail(err, "a blob has no end");
    struct bytes data;
    if (!base64_decode(text, in->text->arena, &data))
        return fail(err, "a blob is not base64");
    uint8_t *to = packed_head_put(&in->out, PACKED_B, data.size);
    if (data.size > 0)
        memcpy(to, data.data, data.size);
    packed_end_put(&in->out, to + data.size);
    return true;
}

static bool read_word(struct read *in, struct err *err)
{
    static const struct {
        struct bytes word;
        uint8_t tag;
    } words[] = {{BYTES_INIT("null"), PACKED_NULL},
                 {BYTES_INIT("true"), PACKED_TRUE},
                 {BYTES_INIT("false"), PACKED_FALSE}};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (ion_read_fixed(in->text, words[i].word)) {
            buf_put_u8(&in->out, words[i].tag);
            return true;
        }
    return fail(err, "a value of an item is expected");
}

/* ---- containers ----------------------------------------------------------------------------- */

/* Behind an element: another one, or the end. */
static bool read_separator(struct ion_reader *text, uint8_t end, bool *more, struct err *err)
{
    *more = take(text, ',');
    return *more || take(text, end) || fail(err, "a list or struct breaks off");
}

static bool read_value(struct read *in, int level, struct err *err);

struct set_kind {
    struct bytes annotation;
    uint8_t tag;
    bool (*read)(struct read *in, struct err *err);
};

static bool read_member(struct read *in, const struct set_kind *kind, struct parts *parts,
                        struct err *err)
{
    size_t start = in->out.size;
    struct value member;

    if (!kind->read(in, err))
        return false;
    packed_value(in->out.data + start, &member);
    parts_open(parts, start, (size_t)(member.content.data - in->out.data), member.content);
    parts_close(parts);
    return true;
}

/* Sorts, if need be, and refuses what comes twice. */
static bool parts_settle(struct parts *parts, struct err *err)
{
    if (parts->sorted)
        return true;
    parts_sort(parts);
    for (uint32_t i = 1; i < parts->count; i++)
        if (part_repeats(parts, i))
            return fail(err, "a field or a member of a set comes twice");
    parts_lay_out(parts);
    return true;
}

static bool read_members(struct read *in, const struct set_kind *kind, struct err *err)
{
    size_t content = packed_container_begin(&in->out);
    struct parts parts;
    bool more = true;

    parts_begin(&parts, &in->out, in->text->arena);
    if (!take(in->text, '['))
        return fail(err, "a set is no list");
    while (more)
        if (!read_member(in, kind, &parts, err) || !read_separator(in->text, ']', &more, err))
            return false;
    if (!parts_settle(&parts, err))
        return false;
    packed_container_end(&in->out, content, kind->tag, parts.count);
    return true;
}

static bool read_set(struct read *in, struct err *err)
{
    static const struct set_kind kinds[] = {
        {BYTES_INIT("$dynamodb_SS::"), PACKED_SS, read_s},
        {BYTES_INIT("$dynamodb_NS::"), PACKED_NS, read_n},
        {BYTES_INIT("$dynamodb_BS::"), PACKED_BS, read_b},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (ion_read_fixed(in->text, kinds[i].annotation))
            return read_members(in, &kinds[i], err);
    return fail(err, "a value of an item is expected");
}

static bool read_list(struct read *in, int level, struct err *err)
{
    size_t content = packed_container_begin(&in->out);
    uint32_t count = 0;

    in->text->next++;
    for (bool more = !take(in->text, ']'); more; count++)
        if (!read_value(in, level + 1, err) || !read_separator(in->text, ']', &more, err))
            return false;
    packed_container_end(&in->out, content, PACKED_L, count);
    return true;
}

static bool read_name(struct ion_reader *text, struct bytes *out, struct err *err)
{
    const uint8_t *start = text->next;

    if (look(text) == '\'') {
        if (!read_quoted(text, '\'', out, err))
            return false;
    } else {
        while (is_letter(look(text)) || is_digit(look(text)))
            text->next++;
        *out = bytes_of(start, (size_t)(text->next - start));
        if (!ion_name_is_bare(*out))
            return fail(err, "a field has no name");
    }
    if (out->size == 0 || out->size > ITEM_NAME_MOST)
        return fail(err, "the name of a field is empty or too long");
    return take(text, ':') || fail(err, "a field has no value");
}

static bool read_field(struct read *in, int level, struct parts *parts, struct err *err)
{
    size_t start = in->out.size;
    struct bytes name;

    if (!read_name(in->text, &name, err))
        return false;
    buf_put_varint(&in->out, (uint32_t)name.size);
    buf_put_bytes(&in->out, name);
    parts_open(parts, start, in->out.size - name.size, name);
    if (!read_value(in, level, err))
        return false;
    parts_close(parts);
    return true;
}

/* {name:value,...} on a level. */
static bool read_struct(struct read *in, int level, uint32_t *count, struct err *err)
{
    struct parts parts;

    parts_begin(&parts, &in->out, in->text->arena);
    if (!take(in->text, '{'))
        return fail(err, "a struct is expected");
    for (bool more = !take(in->text, '}'); more;)
        if (!read_field(in, level, &parts, err) || !read_separator(in->text, '}', &more, err))
            return false;
    *count = parts.count;
    return parts_settle(&parts, err);
}

static bool read_map(struct read *in, int level, struct err *err)
{
    size_t content = packed_container_begin(&in->out);
    uint32_t count;

    if (!read_struct(in, level + 1, &count, err))
        return false;
    packed_container_end(&in->out, content, PACKED_M, count);
    return true;
}

/* A value; exactly one packed value is appended. */
static bool read_value(struct read *in, int level, struct err *err)
{
    uint8_t c = look(in->text);

    if (level > ITEM_DEPTH_MOST)
        return fail(err, "it is nested deeper than any item");
    if (c == '"')
        return read_s(in, err);
    if (c == '-' || is_digit(c))
        return read_n(in, err);
    if (c == '[')
        return read_list(in, level, err);
    if (c == '$')
        return read_set(in, err);
    if (c != '{')
        return read_word(in, err);
    bool blob = in->text->end - in->text->next > 1 && in->text->next[1] == '{';
    return blob ? read_b(in, err) : read_map(in, level, err);
}

bool item_read_ion(struct ion_reader *reader, struct bytes *out, struct err *err)
{
    struct read in = {.text = reader};
    uint32_t count;

    buf_init_in(&in.out, reader->arena);
    item_open(&in.out);
    if (!read_struct(&in, 1, &count, err))
        return false;
    *out = buf_bytes(&in.out);
    return true;
}
