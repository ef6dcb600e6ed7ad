/* item/json.c - text to packed form and back, each in one pass.
 *
 * Reading appends to one buf as the text goes by. Of a container neither length nor count is known
 * when it begins, so the least room is left for them and the content moves up at its end when they
 * need more. Attributes that came out of order are sorted at the end of their map. Each value is
 * moved at most once for every level above it, and the levels are bounded.
 *
 * Two kinds of mistakes: a JSON value of the wrong type fails the read at once, as the service
 * tells such before anything else; a bad value is kept (the first one, as the service stops there),
 * a NULL takes its place, and the rest is read on for mistakes of the first kind. */
#include "item/json.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "item/number.h"
#include "item/packed.h"
#include "json/writer.h"

#define CAPACITY_FIRST ((size_t)4096)

struct item_reader {
    struct json_reader *json;
    struct buf out;
    bool is_invalid;
    struct err invalid; /* the first bad value, if is_invalid */
};

/* ---- mistakes ------------------------------------------------------------------------------- */

/* Messages of the service, without the "1 validation error detected: " that some operations put
 * before them. Sources: dynalite's tests, which ran on the service (test/putItem.js, "invalid
 * values in Item"), and dynamodb-conformance's recordings of 2026 (captures/2026-06-09, regions of
 * the new wording). */
#define INVALID "One or more parameter values were invalid: "
#define EMPTY_VALUE                                                                                \
    "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
#define MANY_DATATYPES                                                                             \
    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "    \
    "supported datatypes"
/* dynamodb-conformance, nesting depth, recorded 2026-06. */
#define TOO_DEEP                                                                                   \
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels "    \
    "beyond supported limit"
/* DynamoDB Local's wording of a null among the members. */
#define NULL_IN_STRINGS  INVALID "An string set may not have a null string as a member"
#define NULL_IN_NUMBERS  INVALID "An number set may not have a null string as a member"
#define NULL_IN_BINARIES INVALID "Binary sets may not contain null or empty values"
/* No recording was found of these two. */
#define EMPTY_NAME INVALID "An attribute name may not be empty"
#define LONG_NAME  INVALID "An attribute name may not be longer than 65535 bytes"

static void complain(struct item_reader *in, const char *format, ...) PRINTF(2, 3);

static void complain(struct item_reader *in, const char *format, ...)
{
    va_list args;

    if (in->is_invalid)
        return;
    in->is_invalid = true;
    in->invalid.code = ERR_VALIDATION;
    in->invalid.reason[0] = '\0';
    va_start(args, format);
    vsnprintf(in->invalid.message, sizeof in->invalid.message, format, args);
    va_end(args);
}

/* What should be an object, an array or an attribute value is none: dynalite, test/helpers.js,
 * assertType(). */
static bool refuse(struct item_reader *in, const char *of_array, const char *of_scalar,
                   struct err *err)
{
    switch (json_peek(in->json)) {
    case JSON_NOTHING:
        return json_refuse(in->json, "", err);
    case JSON_OBJECT:
        return err_fail(err, ERR_SERIALIZATION,
                        "Start of structure or map found where not expected");
    case JSON_ARRAY:
        return err_fail(err, ERR_SERIALIZATION, "Unrecognized collection type %s", of_array);
    default:
        return err_fail(err, ERR_SERIALIZATION, "%s", of_scalar);
    }
}

#define MODEL "com.amazonaws.dynamodb.v20120810."

static bool refuse_value(struct item_reader *in, struct err *err)
{
    return refuse(in, "class " MODEL "AttributeValue", "Unexpected value type in payload", err);
}

static bool refuse_map(struct item_reader *in, struct err *err)
{
    return refuse(in, "java.util.Map<java.lang.String, " MODEL "AttributeValue>",
                  "Unexpected field type", err);
}

/* ---- scalars -------------------------------------------------------------------------------- */

static void put_placeholder(struct item_reader *in)
{
    buf_put_u8(&in->out, PACKED_NULL);
}

static bool read_text(struct item_reader *in, struct bytes *out, struct err *err)
{
    if (json_peek(in->json) != JSON_STRING)
        return json_refuse(in->json, "String", err);
    return json_read_string(in->json, out, err);
}

/* Room for a tag, a length and the content, of which the first two are written. */
static uint8_t *put_head(struct item_reader *in, uint8_t tag, size_t size)
{
    uint8_t *to = buf_room(&in->out, 1 + PACKED_VARINT_MOST + size);

    assert(size <= UINT32_MAX);
    *to++ = tag;
    return packed_varint_put(to, (uint32_t)size);
}

static void put_done(struct item_reader *in, const uint8_t *end)
{
    in->out.size = (size_t)(end - in->out.data);
}

static bool read_s(struct item_reader *in, struct err *err)
{
    struct bytes text;

    if (!read_text(in, &text, err))
        return false;
    uint8_t *to = put_head(in, PACKED_S, text.size);
    memcpy(to, text.data, text.size);
    put_done(in, to + text.size);
    return true;
}

static bool read_n(struct item_reader *in, struct err *err)
{
    struct bytes text;
    struct number number = {0};
    struct err wrong;

    if (!read_text(in, &text, err))
        return false;
    if (!number_read(text, &number, &wrong)) {
        complain(in, "%s", wrong.message);
        put_placeholder(in);
        return true;
    }
    uint8_t *to = buf_room(&in->out, 1 + NUMBER_MOST);
    *to++ = (uint8_t)(PACKED_N + number.size);
    memcpy(to, number.bytes, NUMBER_MOST);
    put_done(in, to + number.size);
    return true;
}

/* dynalite, test/helpers.js, type Blob; "dectected" is the service's. */
static bool read_b(struct item_reader *in, struct err *err)
{
    enum json_kind kind = json_peek(in->json);
    struct bytes text;
    size_t size;

    if (kind == JSON_OBJECT || kind == JSON_ARRAY || kind == JSON_NOTHING)
        return refuse(in, "class java.nio.ByteBuffer", "", err);
    if (kind != JSON_STRING)
        return err_fail(err, ERR_SERIALIZATION,
                        "only base-64-encoded strings are convertible to bytes");
    if (!json_read_string(in->json, &text, err))
        return false;
    if (text.size % 4 != 0)
        return err_fail(err, ERR_SERIALIZATION,
                        "Base64 encoded length is expected a multiple of 4 bytes but found: %zu",
                        text.size);
    size_t padding = 0;
    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=')
        padding++;
    uint8_t *to = put_head(in, PACKED_B, BASE64_DATA_MOST(text.size) - padding);
    if (!base64_decode_to(text, to, &size))
        return err_fail(err, ERR_SERIALIZATION, "Invalid last non-pad Base64 character dectected");
    put_done(in, to + size);
    return true;
}

/* Some strings are booleans to the service (dynalite, validations/index.js). */
static bool text_truth(struct bytes text, bool *out)
{
    static const struct {
        struct bytes text;
        bool truth;
    } words[] = {
        {BYTES_INIT("true"), true}, {BYTES_INIT("false"), false}, {BYTES_INIT("yes"), true},
        {BYTES_INIT("no"), false},  {BYTES_INIT("1"), true},      {BYTES_INIT("0"), false},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (text.size == words[i].text.size &&
            strncasecmp((const char *)text.data, (const char *)words[i].text.data, text.size) ==
                0) {
            *out = words[i].truth;
            return true;
        }
    }
    return false;
}

static bool read_truth(struct item_reader *in, bool *out, struct err *err)
{
    enum json_kind kind = json_peek(in->json);
    struct bytes text;

    if (kind == JSON_TRUE || kind == JSON_FALSE) {
        *out = kind == JSON_TRUE;
        return json_read_literal(in->json, err);
    }
    if (kind != JSON_STRING)
        return json_refuse(in->json, "Boolean", err);
    if (!json_read_string(in->json, &text, err))
        return false;
    return text_truth(text, out) ||
           err_fail(err, ERR_SERIALIZATION, "Unexpected token received from parser");
}

static bool read_bool(struct item_reader *in, struct err *err)
{
    bool truth;

    if (!read_truth(in, &truth, err))
        return false;
    buf_put_u8(&in->out, truth ? PACKED_TRUE : PACKED_FALSE);
    return true;
}

/* Whatever its value: {"NULL": false} is taken and read back as true (dynamodb-conformance,
 * putItem error messages, recorded 2026-06). */
static bool read_null(struct item_reader *in, struct err *err)
{
    bool truth;

    if (!read_truth(in, &truth, err))
        return false;
    buf_put_u8(&in->out, PACKED_NULL);
    return true;
}

/* ---- containers ----------------------------------------------------------------------------- */

#define CONTAINER_HEAD 3 /* a tag, a length below 128 and a count below 128 */

static size_t container_begin(struct item_reader *in)
{
    buf_room(&in->out, CONTAINER_HEAD);
    in->out.size += CONTAINER_HEAD;
    return in->out.size;
}

/* Writes what container_begin() left room for; `content` is what it returned. */
static void container_end(struct item_reader *in, size_t content, uint8_t tag, uint32_t count)
{
    size_t size = in->out.size - content;
    uint32_t inside = (uint32_t)(size + packed_varint_size(count));
    size_t head = 1 + packed_varint_size(inside) + packed_varint_size(count);

    assert(size < UINT32_MAX - PACKED_VARINT_MOST);
    if (head > CONTAINER_HEAD) {
        buf_room(&in->out, head - CONTAINER_HEAD);
        memmove(in->out.data + content - CONTAINER_HEAD + head, in->out.data + content, size);
        in->out.size += head - CONTAINER_HEAD;
    }
    uint8_t *to = in->out.data + content - CONTAINER_HEAD;
    *to++ = tag;
    to = packed_varint_put(to, inside);
    packed_varint_put(to, count);
}

/* Few parts are sorted on the stack, many in the arena. */
#define PARTS_FEW   48
#define CONTENT_FEW ((size_t)4096)

struct parts {
    struct item_part *sorted;
    uint32_t count;
    struct item_part few[2 * PARTS_FEW];
};

static void parts_init(struct parts *parts, struct item_reader *in, uint32_t count)
{
    parts->sorted = parts->few;
    parts->count = 0;
    if (count > PARTS_FEW)
        parts->sorted = arena_alloc(in->json->arena, 2 * (size_t)count * sizeof *parts->sorted);
}

static void parts_sort(struct parts *parts)
{
    item_parts_sort(parts->sorted, parts->sorted + parts->count, parts->count);
}

static bool part_repeats(const struct parts *parts, uint32_t i)
{
    return i > 0 &&
           bytes_equal(item_part_key(&parts->sorted[i - 1]), item_part_key(&parts->sorted[i]));
}

/* Lays what is behind `content` out anew, in the order of its parts. */
static void parts_lay_out(const struct parts *parts, struct item_reader *in, size_t content)
{
    uint8_t few[CONTENT_FEW], *old = few, *to = in->out.data + content;
    size_t size = in->out.size - content;

    if (size > CONTENT_FEW)
        old = arena_alloc(in->json->arena, size);
    memcpy(old, to, size);
    for (uint32_t i = 0; i < parts->count; i++) {
        struct bytes part = item_part_bytes(&parts->sorted[i]);
        memcpy(to, old + (part.data - (in->out.data + content)), part.size);
        to += part.size;
    }
    put_done(in, to);
}

/* Brings `count` attributes into the order of their names. Of those with one name the last stays,
 * as in the maps that the service reads its JSON into. Returns how many are left. */
static uint32_t sort_attributes(struct item_reader *in, size_t content, uint32_t count)
{
    struct item_walk walk = {in->out.data + content, in->out.data + in->out.size};
    const uint8_t *start = walk.next;
    struct parts parts;
    struct bytes name;
    struct value value;
    uint32_t kept = 0;

    parts_init(&parts, in, count);
    for (; item_next(&walk, &name, &value); start = walk.next)
        parts.sorted[parts.count++] = item_part_of(start, walk.next, name);
    assert(parts.count == count);
    parts_sort(&parts);
    for (uint32_t i = 0; i < count; i++) {
        kept += !part_repeats(&parts, i);
        if (kept - 1 != i)
            parts.sorted[kept - 1] = parts.sorted[i];
    }
    parts.count = kept;
    parts_lay_out(&parts, in, content);
    return kept;
}

/* "["a", "a"]" of the members as they came. */
static void put_members(struct buf *out, struct item_walk walk)
{
    struct value member;
    const char *between = "[";

    for (; value_next(&walk, &member) && out->size < ERR_MESSAGE_MOST; between = ", ") {
        buf_put_text(out, between);
        if (member.type == VALUE_S)
            json_put_string(out, member.content);
        else
            json_put_base64(out, member.content);
    }
    buf_put_text(out, "]");
}

static void complain_of_duplicates(struct item_reader *in, size_t content, enum value_type type)
{
    struct item_walk walk = {in->out.data + content, in->out.data + in->out.size};
    struct buf list;

    if (in->is_invalid)
        return;
    if (type == VALUE_N) {
        complain(in, "Input collection contains duplicates");
        return;
    }
    buf_init_in(&list, in->json->arena);
    put_members(&list, walk);
    complain(in, INVALID "Input collection %.*s%s contains duplicates.",
             BYTES_ARGS(buf_bytes(&list)), type == VALUE_B ? "of type BS" : "");
}

static void sort_members(struct item_reader *in, size_t content, uint32_t count,
                         enum value_type type)
{
    struct item_walk walk = {in->out.data + content, in->out.data + in->out.size};
    const uint8_t *start = walk.next;
    struct parts parts;
    struct value member;

    parts_init(&parts, in, count);
    for (; value_next(&walk, &member); start = walk.next)
        parts.sorted[parts.count++] = item_part_of(start, walk.next, member.content);
    assert(parts.count == count);
    parts_sort(&parts);
    for (uint32_t i = 0; i < count; i++) {
        if (part_repeats(&parts, i)) {
            complain_of_duplicates(in, content, type);
            return;
        }
    }
    parts_lay_out(&parts, in, content);
}

static bool read_value(struct item_reader *in, int level, struct err *err);

/* Steps over a JSON null; false if something else follows. */
static bool take_null(struct item_reader *in, bool *taken, struct err *err)
{
    *taken = json_peek(in->json) == JSON_NULL;
    return !*taken || json_read_literal(in->json, err);
}

struct set_kind {
    enum value_type member;
    uint8_t tag;
    bool (*read)(struct item_reader *in, struct err *err);
    const char *if_empty, *if_null;
};

static bool read_set(struct item_reader *in, const struct set_kind *kind, struct err *err)
{
    size_t content = container_begin(in);
    uint32_t count = 0;
    bool more, absent;

    if (json_peek(in->json) != JSON_ARRAY)
        return refuse(in, "", "Unexpected field type", err);
    if (!json_array_begin(in->json, err))
        return false;
    for (;;) {
        if (!json_array_next(in->json, &more, err))
            return false;
        if (!more)
            break;
        if (!take_null(in, &absent, err) || (!absent && !kind->read(in, err)))
            return false;
        if (absent)
            complain(in, "%s", kind->if_null);
        count += !absent;
    }
    if (count == 0)
        complain(in, "%s", kind->if_empty);
    if (!in->is_invalid && count > 1)
        sort_members(in, content, count, kind->member);
    container_end(in, content, kind->tag, count);
    return true;
}

static bool read_ss(struct item_reader *in, struct err *err)
{
    static const struct set_kind kind = {
        VALUE_S, PACKED_SS, read_s, INVALID "An string set  may not be empty", NULL_IN_STRINGS};

    return read_set(in, &kind, err);
}

static bool read_ns(struct item_reader *in, struct err *err)
{
    static const struct set_kind kind = {
        VALUE_N, PACKED_NS, read_n, INVALID "An number set  may not be empty", NULL_IN_NUMBERS};

    return read_set(in, &kind, err);
}

static bool read_bs(struct item_reader *in, struct err *err)
{
    static const struct set_kind kind = {
        VALUE_B, PACKED_BS, read_b, INVALID "Binary sets should not be empty", NULL_IN_BINARIES};

    return read_set(in, &kind, err);
}

static bool read_list(struct item_reader *in, int level, struct err *err)
{
    size_t content = container_begin(in);
    uint32_t count = 0;
    bool more;

    if (json_peek(in->json) != JSON_ARRAY)
        return refuse(in, "", "Unexpected field type", err);
    if (!json_array_begin(in->json, err))
        return false;
    for (;;) {
        if (!json_array_next(in->json, &more, err))
            return false;
        if (!more)
            break;
        if (!read_value(in, level + 1, err))
            return false;
        count++;
    }
    container_end(in, content, PACKED_L, count);
    return true;
}

static void put_name(struct item_reader *in, struct bytes name)
{
    if (name.size == 0)
        complain(in, EMPTY_NAME);
    if (name.size > ITEM_NAME_MOST)
        complain(in, LONG_NAME);
    uint8_t *to = buf_room(&in->out, PACKED_VARINT_MOST + name.size);
    to = packed_varint_put(to, (uint32_t)name.size);
    memcpy(to, name.data, name.size);
    put_done(in, to + name.size);
}

/* {"name": {"S": ...}, ...} on a level. A name that was escaped lies in the arena and one that was
 * not in the text, so the one before stays where it is. */
static bool read_attributes(struct item_reader *in, int level, uint32_t *count, struct err *err)
{
    size_t content = in->out.size;
    struct bytes name, before = BYTES_NONE;
    bool more, sorted = true;

    if (json_peek(in->json) != JSON_OBJECT)
        return refuse_map(in, err);
    if (!json_object_begin(in->json, err))
        return false;
    for (*count = 0;; ++*count, before = name) {
        if (!json_object_next(in->json, &name, &more, err))
            return false;
        if (!more)
            break;
        sorted = sorted && (*count == 0 || bytes_compare(before, name) < 0);
        put_name(in, name);
        if (!read_value(in, level, err))
            return false;
    }
    if (!sorted)
        *count = sort_attributes(in, content, *count);
    return true;
}

static bool read_map(struct item_reader *in, int level, struct err *err)
{
    size_t content = container_begin(in);
    uint32_t count;

    if (!read_attributes(in, level + 1, &count, err))
        return false;
    container_end(in, content, PACKED_M, count);
    return true;
}

/* ---- attribute values ----------------------------------------------------------------------- */

#define NO_TYPE (-1)

/* The type that a member of an AttributeValue names; NO_TYPE for one that is not known. */
static int type_named(struct bytes name)
{
    switch (name.size) {
    case 1:
        switch (name.data[0]) {
        case 'S':
            return VALUE_S;
        case 'N':
            return VALUE_N;
        case 'B':
            return VALUE_B;
        case 'L':
            return VALUE_L;
        case 'M':
            return VALUE_M;
        default:
            return NO_TYPE;
        }
    case 2:
        if (name.data[1] != 'S')
            return NO_TYPE;
        return name.data[0] == 'S'   ? VALUE_SS
               : name.data[0] == 'N' ? VALUE_NS
               : name.data[0] == 'B' ? VALUE_BS
                                     : NO_TYPE;
    case 4:
        if (memcmp(name.data, "BOOL", 4) == 0)
            return VALUE_BOOL;
        return memcmp(name.data, "NULL", 4) == 0 ? VALUE_NULL : NO_TYPE;
    default:
        return NO_TYPE;
    }
}

static bool read_typed(struct item_reader *in, int type, int level, struct err *err)
{
    switch (type) {
    case VALUE_S:
        return read_s(in, err);
    case VALUE_N:
        return read_n(in, err);
    case VALUE_B:
        return read_b(in, err);
    case VALUE_BOOL:
        return read_bool(in, err);
    case VALUE_NULL:
        return read_null(in, err);
    case VALUE_SS:
        return read_ss(in, err);
    case VALUE_NS:
        return read_ns(in, err);
    case VALUE_BS:
        return read_bs(in, err);
    case VALUE_L:
        return read_list(in, level, err);
    default:
        assert(type == VALUE_M);
        return read_map(in, level, err);
    }
}

/* The members of an AttributeValue: those that are known and not null are read, of each type the
 * last one counts. `*seen` has a bit for each type that is set, `*held` the type that was read last
 * and is what lies behind `start`. */
static bool read_members(struct item_reader *in, int level, unsigned *seen, int *held,
                         struct err *err)
{
    size_t start = in->out.size;
    struct bytes name;
    bool more, absent;

    for (;;) {
        if (!json_object_next(in->json, &name, &more, err))
            return false;
        if (!more)
            return true;
        int type = type_named(name);
        if (type == NO_TYPE) {
            if (!json_skip(in->json, err))
                return false;
            continue;
        }
        if (!take_null(in, &absent, err))
            return false;
        if (absent) {
            *seen &= ~(1u << type);
            continue;
        }
        in->out.size = start;
        if (!read_typed(in, type, level, err))
            return false;
        *seen |= 1u << type;
        *held = type;
    }
}

/* An attribute value; exactly one packed value is appended, a NULL for a bad one. */
static bool read_value(struct item_reader *in, int level, struct err *err)
{
    size_t start = in->out.size;
    unsigned seen = 0;
    int held = NO_TYPE;
    bool absent;

    if (level > ITEM_DEPTH_MOST) {
        complain(in, TOO_DEEP);
        put_placeholder(in);
        return json_skip(in->json, err);
    }
    if (!take_null(in, &absent, err))
        return false;
    if (!absent) {
        if (json_peek(in->json) != JSON_OBJECT)
            return refuse_value(in, err);
        if (!json_object_begin(in->json, err) || !read_members(in, level, &seen, &held, err))
            return false;
    }
    if (seen != 0 && seen == 1u << held)
        return true;
    complain(in, "%s", seen == 0 ? EMPTY_VALUE : MANY_DATATYPES);
    in->out.size = start;
    put_placeholder(in);
    return true;
}

bool item_read_json(struct json_reader *reader, struct item_read *out, struct err *err)
{
    struct item_reader in;
    size_t left = (size_t)(reader->end - reader->next);
    uint32_t count;

    in.json = reader;
    in.is_invalid = false;
    buf_init_in(&in.out, reader->arena);
    buf_room(&in.out, left < CAPACITY_FIRST ? left + 1 : CAPACITY_FIRST);
    buf_put_u8(&in.out, PACKED_VERSION);
    if (!read_attributes(&in, 1, &count, err))
        return false;
    *out = (struct item_read){.packed = buf_bytes(&in.out)};
    if (in.is_invalid) {
        out->packed = BYTES_NONE;
        out->invalid = arena_alloc(reader->arena, sizeof in.invalid);
        *out->invalid = in.invalid;
    }
    return true;
}

/* ---- writing -------------------------------------------------------------------------------- */

static void write_number(struct bytes number, struct buf *out)
{
    uint8_t *to = buf_room(out, NUMBER_TEXT_MOST + 2);

    *to = '"';
    size_t size = number_print_to(number, to + 1);
    to[size + 1] = '"';
    out->size += size + 2;
}

static void write_scalar(const struct value *value, struct buf *out)
{
    switch (value->type) {
    case VALUE_N:
        write_number(value->content, out);
        return;
    case VALUE_B:
        json_put_base64(out, value->content);
        return;
    default:
        assert(value->type == VALUE_S);
        json_put_string(out, value->content);
    }
}

static void write_elements(const struct value *value, struct buf *out)
{
    struct item_walk walk = value_walk(value);
    struct value element;
    uint8_t before = '[';

    while (value_next(&walk, &element)) {
        buf_put_u8(out, before);
        before = ',';
        if (value->type == VALUE_L)
            value_write_json(&element, out);
        else
            write_scalar(&element, out);
    }
    if (before == '[')
        buf_put_u8(out, before);
    buf_put_u8(out, ']');
}

static void write_attribute(uint8_t before, struct bytes name, const struct value *value,
                            struct buf *out)
{
    buf_put_u8(out, before);
    json_put_string(out, name);
    buf_put_u8(out, ':');
    value_write_json(value, out);
}

static void write_map(const struct value *value, struct buf *out)
{
    struct item_walk walk = value_walk(value);
    struct bytes name;
    struct value element;
    uint8_t before = '{';

    for (; item_next(&walk, &name, &element); before = ',')
        write_attribute(before, name, &element, out);
    if (before == '{')
        buf_put_u8(out, before);
    buf_put_u8(out, '}');
}

void value_write_json(const struct value *value, struct buf *out)
{
    static const struct bytes openings[] = {
        [VALUE_S] = BYTES_INIT("{\"S\":"),   [VALUE_N] = BYTES_INIT("{\"N\":"),
        [VALUE_B] = BYTES_INIT("{\"B\":"),   [VALUE_SS] = BYTES_INIT("{\"SS\":"),
        [VALUE_NS] = BYTES_INIT("{\"NS\":"), [VALUE_BS] = BYTES_INIT("{\"BS\":"),
        [VALUE_L] = BYTES_INIT("{\"L\":"),   [VALUE_M] = BYTES_INIT("{\"M\":"),
    };

    switch (value->type) {
    case VALUE_BOOL:
        if (value->truth)
            buf_put_literal(out, "{\"BOOL\":true}");
        else
            buf_put_literal(out, "{\"BOOL\":false}");
        return;
    case VALUE_NULL:
        buf_put_literal(out, "{\"NULL\":true}");
        return;
    default:
        buf_put_bytes(out, openings[value->type]);
    }
    if (value->type == VALUE_M)
        write_map(value, out);
    else if (value->type >= VALUE_SS)
        write_elements(value, out);
    else
        write_scalar(value, out);
    buf_put_u8(out, '}');
}

static bool is_one_of(struct bytes name, const struct bytes *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_equal(name, names[i]))
            return true;
    return false;
}

void item_write_json_led(struct bytes item, const struct bytes *first, size_t count,
                         struct buf *out)
{
    struct item_walk walk = item_walk(item);
    struct bytes name;
    struct value value;
    uint8_t before = '{';

    for (size_t i = 0; i < count; i++) {
        if (!item_find(item, first[i], &value))
            continue;
        write_attribute(before, first[i], &value, out);
        before = ',';
    }
    while (item_next(&walk, &name, &value)) {
        if (is_one_of(name, first, count))
            continue;
        write_attribute(before, name, &value, out);
        before = ',';
    }
    if (before == '{')
        buf_put_u8(out, before);
    buf_put_u8(out, '}');
}

void item_write_json(struct bytes item, struct buf *out)
{
    item_write_json_led(item, NULL, 0, out);
}
