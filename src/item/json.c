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
#include "item/parts.h"
#include "json/writer.h"

#define CAPACITY_FIRST ((size_t)4096)

struct item_reader {
    struct json_reader *json;
    struct buf out;
    bool is_invalid;
    struct err invalid;        /* the first bad value, if is_invalid */
    struct bytes invalid_name; /* and the attribute of the item that it is in */
    struct bytes older;        /* the other wording of it, or none */
};

/* ---- mistakes ------------------------------------------------------------------------------- */

/* Messages of the service, without the "1 validation error detected: " that some operations put
 * before them. There are two wordings, by operation (dynamodb-conformance, error-messages/
 * valueLayers, recorded 2026-10): here is the current one, and beside it the older one where it
 * differs. Also: dynalite's tests, which ran on the service (test/putItem.js, "invalid values in
 * Item"). */
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
/* dynamodb-conformance, validation-ordering/deepRequests. */
#define EMPTY_NAME "Empty attribute name"
/* DynamoDB Local's words. ScyllaDB's test/alternator/test_limits.py knows the number of them. */
#define LONG_NAME "Attribute name is too large, must be less than 65536 bytes"

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
    if (json_look(in->json) != '"')
        return json_refuse(in->json, "String", err);
    return json_read_string(in->json, out, err);
}

static bool read_s(struct item_reader *in, struct err *err)
{
    struct bytes text;

    if (!read_text(in, &text, err))
        return false;
    uint8_t *to = packed_head_put(&in->out, PACKED_S, text.size);
    memcpy(to, text.data, text.size);
    packed_end_put(&in->out, to + text.size);
    return true;
}

/* A struct number is its size and then its bytes, and a packed one a tag that holds the size and
 * then the same bytes: so it is made where it is wanted. */
static bool read_n(struct item_reader *in, struct err *err)
{
    struct bytes text;
    struct err wrong;

    if (!read_text(in, &text, err))
        return false;
    struct number *number = (struct number *)buf_room(&in->out, sizeof *number);
    if (!number_read(text, number, &wrong)) {
        bool first = !in->is_invalid;
        complain(in, "%s", wrong.message);
        number_tell_older(text, &wrong);
        if (first)
            in->older = arena_copy(in->json->arena, bytes_of_text(wrong.message));
        put_placeholder(in);
        return true;
    }
    in->out.size += 1u + number->size;
    number->size = (uint8_t)(PACKED_N + number->size);
    return true;
}

/* dynalite, test/helpers.js, type Blob; "dectected" is the service's. */
static bool read_b(struct item_reader *in, struct err *err)
{
    struct bytes text;
    size_t size;

    if (json_look(in->json) != '"')
        return refuse(in, "class java.nio.ByteBuffer",
                      "only base-64-encoded strings are convertible to bytes", err);
    if (!json_read_string(in->json, &text, err))
        return false;
    if (text.size % 4 != 0)
        return err_fail(err, ERR_SERIALIZATION,
                        "Base64 encoded length is expected a multiple of 4 bytes but found: %zu",
                        text.size);
    size_t padding = 0;
    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=')
        padding++;
    uint8_t *to = packed_head_put(&in->out, PACKED_B, BASE64_DATA_MOST(text.size) - padding);
    if (!base64_decode_to(text, to, &size))
        return err_fail(err, ERR_SERIALIZATION, "Invalid last non-pad Base64 character dectected");
    packed_end_put(&in->out, to + size);
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

/* {"NULL": false} was taken in some regions for a while (dynamodb-conformance, putItem error
 * messages, 2026-07-17: every region refuses it). */
static bool read_null(struct item_reader *in, struct err *err)
{
    bool truth;

    if (!read_truth(in, &truth, err))
        return false;
    if (!truth)
        complain(in, INVALID "Null attribute value types must have the value of true");
    buf_put_u8(&in->out, PACKED_NULL);
    return true;
}

/* ---- containers ----------------------------------------------------------------------------- */

/* Brings attributes into the order of their names. Of those with one name the last stays, as in the
 * maps that the service reads its JSON into. */
static void sort_attributes(struct parts *parts)
{
    uint32_t kept = 0;

    parts_sort(parts);
    for (uint32_t i = 0; i < parts->count; i++) {
        if (i + 1 < parts->count && part_repeats(parts, i + 1))
            continue;
        parts->all[kept++] = parts->all[i];
    }
    parts->count = kept;
    parts_lay_out(parts);
}

/* Of text or data; the older wording has no quotes. */
static void put_member(struct buf *out, struct bytes member, enum value_type type, bool quoted)
{
    size_t start = out->size;

    if (type == VALUE_S && !quoted) {
        buf_put_bytes(out, member);
        return;
    }
    if (type == VALUE_S)
        json_put_string(out, member);
    else
        json_put_base64(out, member);
    if (quoted)
        return;
    out->size -= 2;
    memmove(out->data + start, out->data + start + 1, out->size - start);
}

/* The members as they came, from `from` in the buf on. */
static void put_members(struct buf *out, const struct item_reader *in, size_t from,
                        enum value_type type, bool quoted)
{
    struct item_walk walk = {in->out.data + from, in->out.data + in->out.size};
    struct value member;

    while (value_next(&walk, &member) && out->size < ERR_MESSAGE_MOST) {
        if (out->size > 0)
            buf_put_text(out, type == VALUE_S || !quoted ? ", " : ",");
        put_member(out, member.content, type, quoted);
    }
}

/* In the current wording the members before the first repeat are in order, the others as they came
 * (["b", "a", "b"] is told as ["a", "b", "b"]). `parts` are sorted, equal ones as they came. */
static void put_repeated(struct buf *out, const struct item_reader *in, const struct parts *parts,
                         enum value_type type)
{
    const uint8_t *base = in->out.data + parts->base;
    uint32_t repeat = UINT32_MAX;

    for (uint32_t i = 1; i < parts->count; i++)
        if (part_repeats(parts, i) && parts->all[i].start < repeat)
            repeat = parts->all[i].start;
    for (uint32_t i = 0; i < parts->count && out->size < ERR_MESSAGE_MOST; i++) {
        if (parts->all[i].start >= repeat)
            continue;
        if (out->size > 0)
            buf_put_text(out, type == VALUE_S ? ", " : ",");
        put_member(out, item_part_key(base, &parts->all[i]), type, true);
    }
    put_members(out, in, parts->base + repeat, type, true);
}

/* The members still lie as they came. */
static void complain_of_duplicates(struct item_reader *in, const struct parts *parts,
                                   enum value_type type)
{
    const char *of = type == VALUE_B ? "of type BS" : "";
    struct buf current, older;

    if (in->is_invalid)
        return;
    if (type == VALUE_N) {
        complain(in, INVALID "Input collection contains duplicates.");
        in->older = BYTES("Input collection contains duplicates");
        return;
    }
    buf_init_in(&current, in->json->arena);
    buf_init_in(&older, in->json->arena);
    put_repeated(&current, in, parts, type);
    put_members(&older, in, parts->base, type, false);
    complain(in, INVALID "Input collection [%.*s]%s contains duplicates.",
             BYTES_ARGS(buf_bytes(&current)), of);
    in->older =
        arena_printf(in->json->arena, INVALID "Input collection [%.*s]%s contains duplicates.",
                     BYTES_ARGS(buf_bytes(&older)), of);
}

static void sort_members(struct parts *parts, struct item_reader *in, enum value_type type)
{
    parts_sort(parts);
    for (uint32_t i = 1; i < parts->count; i++) {
        if (part_repeats(parts, i)) {
            complain_of_duplicates(in, parts, type);
            return;
        }
    }
    parts_lay_out(parts);
}

static bool read_value(struct item_reader *in, int level, struct err *err);

struct set_kind {
    enum value_type member;
    uint8_t tag;
    bool (*read)(struct item_reader *in, struct err *err);
    const char *if_empty, *if_null;
};

/* More than any set can have that the service takes: of different members most have three bytes,
 * and the values of a request 2 MB together. It is there so that 16 MB of members without bytes do
 * not take 500 MB. */
#define SET_MEMBERS_MOST 1000000

static bool skip_member(struct item_reader *in, struct err *err)
{
    complain(in, "Item size has exceeded the maximum allowed size");
    return json_skip(in->json, err);
}

static bool read_member_of_set(struct item_reader *in, const struct set_kind *kind,
                               struct parts *parts, struct err *err)
{
    size_t start = in->out.size;
    struct value member;

    if (parts->count == SET_MEMBERS_MOST)
        return skip_member(in, err);
    if (json_look(in->json) == 'n') {
        complain(in, "%s", kind->if_null);
        return json_read_literal(in->json, err);
    }
    if (!kind->read(in, err))
        return false;
    packed_value(in->out.data + start, &member);
    parts_open(parts, start, (size_t)(member.content.data - in->out.data), member.content);
    parts_close(parts);
    return true;
}

static bool read_set(struct item_reader *in, const struct set_kind *kind, struct err *err)
{
    size_t content = packed_container_begin(&in->out);
    struct parts parts;
    bool more;

    parts_begin(&parts, &in->out, in->json->arena);
    if (json_look(in->json) != '[')
        return refuse(in, "", "Unexpected field type", err);
    if (!json_array_begin(in->json, err))
        return false;
    for (;;) {
        if (!json_array_next(in->json, &more, err))
            return false;
        if (!more)
            break;
        if (!read_member_of_set(in, kind, &parts, err))
            return false;
    }
    if (parts.count == 0)
        complain(in, "%s", kind->if_empty);
    if (!parts.sorted && !in->is_invalid)
        sort_members(&parts, in, kind->member);
    packed_container_end(&in->out, content, kind->tag, parts.count);
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
    size_t content = packed_container_begin(&in->out);
    uint32_t count = 0;
    bool more;

    if (json_look(in->json) != '[')
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
    packed_container_end(&in->out, content, PACKED_L, count);
    return true;
}

static void put_name(struct item_reader *in, struct bytes name, struct parts *parts)
{
    size_t start = in->out.size;

    if (name.size == 0)
        complain(in, EMPTY_NAME);
    if (name.size > ITEM_NAME_MOST)
        complain(in, LONG_NAME);
    uint8_t *to = buf_room(&in->out, PACKED_VARINT_MOST + name.size);
    to = packed_varint_put(to, (uint32_t)name.size);
    memcpy(to, name.data, name.size);
    packed_end_put(&in->out, to + name.size);
    parts_open(parts, start, in->out.size - name.size, name);
}

/* {"name": {"S": ...}, ...} on a level. */
static bool read_attributes(struct item_reader *in, int level, uint32_t *count, struct err *err)
{
    struct parts parts;
    struct bytes name;
    bool more;

    parts_begin(&parts, &in->out, in->json->arena);
    if (json_look(in->json) != '{')
        return refuse_map(in, err);
    if (!json_object_begin(in->json, err))
        return false;
    for (;;) {
        if (!json_object_next(in->json, &name, &more, err))
            return false;
        if (!more)
            break;
        bool was_invalid = in->is_invalid;
        put_name(in, name, &parts);
        if (!read_value(in, level, err))
            return false;
        parts_close(&parts);
        if (level == 1 && in->is_invalid && !was_invalid)
            in->invalid_name = name;
    }
    if (!parts.sorted)
        sort_attributes(&parts);
    *count = parts.count;
    return true;
}

static bool read_map(struct item_reader *in, int level, struct err *err)
{
    size_t content = packed_container_begin(&in->out);
    uint32_t count;

    if (!read_attributes(in, level + 1, &count, err))
        return false;
    packed_container_end(&in->out, content, PACKED_M, count);
    return true;
}

/* ---- attribute values ----------------------------------------------------------------------- */

#define NO_TYPE (-1)

/* The type that a member of an AttributeValue names; NO_TYPE for one that is not known. */
static inline int type_of_letter(uint8_t letter)
{
    switch (letter) {
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
}

static int type_named(struct bytes name)
{
    if (name.size == 1)
        return type_of_letter(name.data[0]);
    if (bytes_equal(name, BYTES("BOOL")))
        return VALUE_BOOL;
    if (bytes_equal(name, BYTES("NULL")))
        return VALUE_NULL;
    if (bytes_equal(name, BYTES("SS")))
        return VALUE_SS;
    if (bytes_equal(name, BYTES("NS")))
        return VALUE_NS;
    return bytes_equal(name, BYTES("BS")) ? VALUE_BS : NO_TYPE;
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

/* What the members of an AttributeValue say: a bit for each type that is set, and the type that was
 * read last, which is what lies in the buf. */
struct types {
    unsigned seen;
    int held;
};

/* One member, which stands at its value: what is not known is dropped, null is absent, and of a
 * type the last one counts. */
static bool read_member(struct item_reader *in, int type, int level, size_t start,
                        struct types *types, struct err *err)
{
    if (type == NO_TYPE)
        return json_skip(in->json, err);
    if (json_look(in->json) == 'n') {
        types->seen &= ~(1u << type);
        return json_read_literal(in->json, err);
    }
    in->out.size = start;
    types->seen |= 1u << type;
    types->held = type;
    return read_typed(in, type, level, err);
}

/* The members of an object that was begun. */
static bool read_members(struct item_reader *in, int level, size_t start, struct types *types,
                         struct err *err)
{
    struct bytes name;
    bool more;

    for (;;) {
        if (!json_object_next(in->json, &name, &more, err))
            return false;
        if (!more)
            return true;
        if (!read_member(in, type_named(name), level, start, types, err))
            return false;
    }
}

/* Any attribute value; the members, if there are any, begin with one named `letter` unless it is 0.
 * A NULL is appended for a bad value. */
static bool read_any_value(struct item_reader *in, uint8_t letter, int level, struct err *err)
{
    struct types types = {0, NO_TYPE};
    size_t start = in->out.size;
    uint8_t c = json_look(in->json);

    if (letter != 0) {
        if (!read_member(in, type_of_letter(letter), level, start, &types, err) ||
            !read_members(in, level, start, &types, err))
            return false;
    } else if (c == '{') {
        if (!json_object_begin(in->json, err) || !read_members(in, level, start, &types, err))
            return false;
    } else if (c != 'n') {
        return refuse_value(in, err);
    } else if (!json_read_literal(in->json, err)) {
        return false;
    }
    if (types.seen != 0 && types.seen == 1u << types.held)
        return true;
    complain(in, "%s", types.seen == 0 ? EMPTY_VALUE : MANY_DATATYPES);
    in->out.size = start;
    put_placeholder(in);
    return true;
}

/* An attribute value; exactly one packed value is appended. Nearly all are a string or a number and
 * nothing else, and are read by the shortest way. */
static bool read_value(struct item_reader *in, int level, struct err *err)
{
    if (level > ITEM_DEPTH_MOST) {
        complain(in, TOO_DEEP);
        put_placeholder(in);
        return json_skip(in->json, err);
    }
    json_look(in->json);
    const uint8_t *value = in->json->next;
    int depth = in->json->depth;
    size_t start = in->out.size;
    uint8_t letter = json_object_letter(in->json);
    if ((letter == 'S' || letter == 'N') && json_look(in->json) == '"') {
        if (letter == 'S' ? !read_s(in, err) : !read_n(in, err))
            return false;
        if (json_object_ends(in->json))
            return true;
        in->out.size = start;
        in->json->next = value;
        in->json->depth = depth;
        letter = 0;
    }
    return read_any_value(in, letter, level, err);
}

static void reader_begin(struct item_reader *in, struct json_reader *json)
{
    size_t left = (size_t)(json->end - json->next);

    in->json = json;
    in->is_invalid = false;
    in->invalid_name = in->older = BYTES_NONE;
    buf_init_in(&in->out, json->arena);
    buf_room(&in->out, left < CAPACITY_FIRST ? left + 1 : CAPACITY_FIRST);
}

static void reader_end(const struct item_reader *in, struct item_read *out)
{
    *out = (struct item_read){.packed = buf_bytes(&in->out)};
    if (!in->is_invalid)
        return;
    out->invalid = arena_alloc(in->json->arena, sizeof in->invalid);
    *out->invalid = in->invalid;
    out->invalid_name = in->invalid_name;
    out->older = in->older;
}

bool item_read_json(struct json_reader *reader, struct item_read *out, struct err *err)
{
    struct item_reader in;
    uint32_t count;

    reader_begin(&in, reader);
    buf_put_u8(&in.out, PACKED_VERSION);
    if (!read_attributes(&in, 1, &count, err))
        return false;
    reader_end(&in, out);
    return true;
}

bool value_read_json(struct json_reader *reader, struct item_read *out, struct err *err)
{
    struct item_reader in;

    reader_begin(&in, reader);
    if (!read_value(&in, 1, err))
        return false;
    reader_end(&in, out);
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

static uint64_t write_elements(const struct value *value, struct buf *out)
{
    struct item_walk walk = value_walk(value);
    struct value element;
    uint64_t size = 0;
    uint8_t before = '[';

    while (value_next(&walk, &element)) {
        buf_put_u8(out, before);
        before = ',';
        if (value->type == VALUE_L) {
            size += value_write_json(&element, out);
        } else {
            write_scalar(&element, out);
            size += value_own_size(&element);
        }
    }
    if (before == '[')
        buf_put_u8(out, before);
    buf_put_u8(out, ']');
    return size;
}

static uint64_t write_attribute(uint8_t before, struct bytes name, const struct value *value,
                                struct buf *out)
{
    buf_put_u8(out, before);
    json_put_string(out, name);
    buf_put_u8(out, ':');
    return name.size + value_write_json(value, out);
}

static uint64_t write_map(const struct value *value, struct buf *out)
{
    struct item_walk walk = value_walk(value);
    struct bytes name;
    struct value element;
    uint64_t size = 0;
    uint8_t before = '{';

    for (; item_next(&walk, &name, &element); before = ',')
        size += write_attribute(before, name, &element, out);
    if (before == '{')
        buf_put_u8(out, before);
    buf_put_u8(out, '}');
    return size;
}

uint64_t value_write_json(const struct value *value, struct buf *out)
{
    static const struct bytes openings[] = {
        [VALUE_S] = BYTES_INIT("{\"S\":"),   [VALUE_N] = BYTES_INIT("{\"N\":"),
        [VALUE_B] = BYTES_INIT("{\"B\":"),   [VALUE_SS] = BYTES_INIT("{\"SS\":"),
        [VALUE_NS] = BYTES_INIT("{\"NS\":"), [VALUE_BS] = BYTES_INIT("{\"BS\":"),
        [VALUE_L] = BYTES_INIT("{\"L\":"),   [VALUE_M] = BYTES_INIT("{\"M\":"),
    };
    uint64_t size = value_own_size(value);

    switch (value->type) {
    case VALUE_BOOL:
        if (value->truth)
            buf_put_literal(out, "{\"BOOL\":true}");
        else
            buf_put_literal(out, "{\"BOOL\":false}");
        return size;
    case VALUE_NULL:
        buf_put_literal(out, "{\"NULL\":true}");
        return size;
    default:
        buf_put_bytes(out, openings[value->type]);
    }
    if (value->type == VALUE_M)
        size += write_map(value, out);
    else if (value->type >= VALUE_SS)
        size += write_elements(value, out);
    else
        write_scalar(value, out);
    buf_put_u8(out, '}');
    return size;
}

static uint64_t write_item(struct item_led led, struct buf *out)
{
    struct bytes name;
    struct value value;
    uint64_t size = 0;
    uint8_t before = '{';

    for (; item_led_next(&led, &name, &value); before = ',')
        size += write_attribute(before, name, &value, out);
    if (before == '{')
        buf_put_u8(out, before);
    buf_put_u8(out, '}');
    return size;
}

uint64_t item_write_json_led(struct bytes item, const struct bytes *first, size_t count,
                             struct buf *out)
{
    return write_item(item_led(item, first, count, false), out);
}

void item_write_json_only(struct bytes item, const struct bytes *names, size_t count,
                          struct buf *out)
{
    write_item(item_led(item, names, count, true), out);
}

uint64_t item_write_json(struct bytes item, struct buf *out)
{
    return write_item(item_led(item, NULL, 0, false), out);
}
