/* item/codec.c - walking, checking and making the packed form (doc/item-format.md).
 *
 * Everything that has a length carries it in front, so a value is stepped over without looking
 * inside: finding an attribute touches only names and first bytes. What is read here was written
 * here and is trusted, except by item_check(), which trusts nothing. */
#include "item/codec.h"

#include <assert.h>

#include "base/cursor.h"
#include "item/number.h"
#include "item/packed.h"
#include "json/reader.h"

/* ---- walking -------------------------------------------------------------------------------- */

static inline bool tag_is_number(uint8_t tag)
{
    return tag > PACKED_N && tag <= PACKED_N + NUMBER_MOST;
}

static const uint8_t *scalar(struct value *out, enum value_type type, const uint8_t *content,
                             size_t size)
{
    out->type = type;
    out->count = 0;
    out->content = bytes_of(content, size);
    return content + size;
}

static const uint8_t *container(struct value *out, enum value_type type, const uint8_t *at)
{
    uint32_t size = packed_varint_take(&at);
    const uint8_t *end = at + size;

    out->type = type;
    out->count = packed_varint_take(&at);
    out->content = bytes_of(at, (size_t)(end - at));
    return end;
}

static const uint8_t *value_inside(const uint8_t *at, struct value *out)
{
    static const enum value_type types[] = {
        [PACKED_NULL] = VALUE_NULL, [PACKED_FALSE] = VALUE_BOOL, [PACKED_TRUE] = VALUE_BOOL,
        [PACKED_S] = VALUE_S,       [PACKED_B] = VALUE_B,        [PACKED_SS] = VALUE_SS,
        [PACKED_NS] = VALUE_NS,     [PACKED_BS] = VALUE_BS,      [PACKED_L] = VALUE_L,
        [PACKED_M] = VALUE_M,
    };
    uint8_t tag = *at++;
    uint32_t size;

    out->truth = tag == PACKED_TRUE;
    if (tag > PACKED_N)
        return scalar(out, VALUE_N, at, tag - PACKED_N);
    switch (tag) {
    case PACKED_S:
    case PACKED_B:
        size = packed_varint_take(&at);
        return scalar(out, types[tag], at, size);
    case PACKED_NULL:
    case PACKED_FALSE:
    case PACKED_TRUE:
        return scalar(out, types[tag], at, 0);
    default:
        assert(tag <= PACKED_M);
        return container(out, types[tag], at);
    }
}

const uint8_t *packed_value(const uint8_t *at, struct value *out)
{
    const uint8_t *end = value_inside(at, out);

    out->encoded = bytes_of(at, (size_t)(end - at));
    return end;
}

struct item_walk item_walk(struct bytes item)
{
    if (item.size == 0)
        return (struct item_walk){NULL, NULL};
    assert(item.data[0] == PACKED_VERSION);
    return (struct item_walk){item.data + 1, item.data + item.size};
}

bool item_next(struct item_walk *walk, struct bytes *name, struct value *out)
{
    if (walk->next == walk->end)
        return false;
    uint32_t size = packed_varint_take(&walk->next);
    *name = bytes_of(walk->next, size);
    walk->next = packed_value(walk->next + size, out);
    return true;
}

struct item_led item_led(struct bytes item, const struct bytes *first, size_t count, bool only)
{
    struct item_walk none = {NULL, NULL};

    return (struct item_led){item, first, count, 0, only ? none : item_walk(item)};
}

static bool is_one_of(struct bytes name, const struct bytes *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_equal(name, names[i]))
            return true;
    return false;
}

bool item_led_next(struct item_led *led, struct bytes *name, struct value *out)
{
    while (led->at < led->count) {
        *name = led->first[led->at++];
        if (item_find(led->item, *name, out))
            return true;
    }
    while (item_next(&led->rest, name, out))
        if (!is_one_of(*name, led->first, led->count))
            return true;
    return false;
}

struct item_walk value_walk(const struct value *value)
{
    return (struct item_walk){value->content.data, value->content.data + value->content.size};
}

bool value_next(struct item_walk *walk, struct value *out)
{
    if (walk->next == walk->end)
        return false;
    walk->next = packed_value(walk->next, out);
    return true;
}

static bool walk_to(struct item_walk walk, struct bytes name, struct value *out)
{
    struct bytes found;
    struct value value;

    while (item_next(&walk, &found, &value)) {
        if (!bytes_equal(found, name))
            continue;
        *out = value;
        return true;
    }
    return false;
}

bool item_find(struct bytes item, struct bytes name, struct value *out)
{
    return walk_to(item_walk(item), name, out);
}

bool value_find(const struct value *map, struct bytes name, struct value *out)
{
    return walk_to(value_walk(map), name, out);
}

/* ---- checking ------------------------------------------------------------------------------- */

static bool check_value(struct cursor *cursor, int level);

/* A set: members of one type, in strict order of their content, at least one. */
static bool check_set(struct cursor *cursor, uint8_t tag, uint32_t count)
{
    struct bytes before = BYTES_NONE;
    struct value member;

    if (count == 0)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (cursor_left(cursor) == 0)
            return false;
        const uint8_t *start = cursor->next;
        bool fits = tag == PACKED_NS ? tag_is_number(*start)
                                     : *start == (tag == PACKED_SS ? PACKED_S : PACKED_B);
        if (!fits || !check_value(cursor, 1))
            return false;
        packed_value(start, &member);
        if (i > 0 && bytes_compare(before, member.content) >= 0)
            return false;
        before = member.content;
    }
    return true;
}

static bool check_name(struct cursor *cursor, struct bytes *before)
{
    struct bytes name = cursor_bytes(cursor, cursor_varint(cursor));

    if (name.size == 0 || name.size > ITEM_NAME_MOST || !utf8_valid(name) ||
        (before->size > 0 && bytes_compare(*before, name) >= 0))
        return false;
    *before = name;
    return true;
}

static bool check_members(struct cursor *cursor, uint8_t tag, int level)
{
    uint32_t count = cursor_varint(cursor);
    struct bytes name = BYTES_NONE;

    if (tag < PACKED_L)
        return check_set(cursor, tag, count);
    for (uint32_t i = 0; i < count; i++) {
        if (tag == PACKED_M && !check_name(cursor, &name))
            return false;
        if (!check_value(cursor, level + 1))
            return false;
    }
    return true;
}

static bool check_container(struct cursor *cursor, uint8_t tag, int level)
{
    struct bytes inside = cursor_bytes(cursor, cursor_varint(cursor));
    struct cursor members = cursor_of(inside);

    return !cursor->failed && inside.size > 0 && check_members(&members, tag, level) &&
           cursor_ended(&members);
}

static bool check_value(struct cursor *cursor, int level)
{
    uint8_t tag = cursor_u8(cursor);
    struct bytes content;

    if (cursor->failed || level > ITEM_DEPTH_MOST)
        return false;
    if (tag_is_number(tag))
        return number_valid(cursor_bytes(cursor, tag - PACKED_N));
    switch (tag) {
    case PACKED_NULL:
    case PACKED_FALSE:
    case PACKED_TRUE:
        return true;
    case PACKED_S:
    case PACKED_B:
        content = cursor_bytes(cursor, cursor_varint(cursor));
        return !cursor->failed && (tag == PACKED_B || utf8_valid(content));
    default:
        return tag <= PACKED_M && check_container(cursor, tag, level);
    }
}

bool item_check(struct bytes item, struct err *err)
{
    struct cursor cursor = cursor_of(item);
    struct bytes name = BYTES_NONE;

    if (cursor_u8(&cursor) != PACKED_VERSION)
        return err_fail(err, ERR_CORRUPT, "an item of an unknown version");
    while (cursor_left(&cursor) > 0)
        if (!check_name(&cursor, &name) || !check_value(&cursor, 1))
            return err_fail(err, ERR_CORRUPT, "an item whose attribute %.*s is broken",
                            name.size < 255 ? (int)name.size : 255,
                            name.size > 0 ? (const char *)name.data : "");
    return true;
}

/* ---- sizes ---------------------------------------------------------------------------------- */

static uint64_t attributes_size(struct item_walk walk)
{
    uint64_t size = 0;
    struct bytes name;
    struct value value;

    while (item_next(&walk, &name, &value))
        size += name.size + value_size(&value);
    return size;
}

static uint64_t elements_size(struct item_walk walk)
{
    uint64_t size = 0;
    struct value value;

    while (value_next(&walk, &value))
        size += value_size(&value);
    return size;
}

uint64_t value_size(const struct value *value)
{
    uint64_t own = value_own_size(value);

    if (value->type == VALUE_M)
        return own + attributes_size(value_walk(value));
    return value->type >= VALUE_SS ? own + elements_size(value_walk(value)) : own;
}

uint64_t item_size(struct bytes item)
{
    return attributes_size(item_walk(item));
}

/* ---- writing -------------------------------------------------------------------------------- */

void item_open(struct buf *out)
{
    buf_put_u8(out, PACKED_VERSION);
}

void value_put_name(struct buf *out, struct bytes name)
{
    buf_put_varint(out, (uint32_t)name.size);
    buf_put_bytes(out, name);
}

void value_put_number(struct buf *out, struct bytes number)
{
    buf_put_u8(out, (uint8_t)(PACKED_N + number.size));
    buf_put_bytes(out, number);
}

void value_put_data(struct buf *out, enum value_type type, struct bytes data)
{
    assert(type == VALUE_S || type == VALUE_B);
    uint8_t *to = packed_head_put(out, type == VALUE_S ? PACKED_S : PACKED_B, data.size);
    if (data.size > 0)
        memcpy(to, data.data, data.size);
    packed_end_put(out, to + data.size);
}

size_t value_open(struct buf *out)
{
    return packed_container_begin(out);
}

void value_close(struct buf *out, size_t opened, enum value_type type, uint32_t count)
{
    static const uint8_t tags[] = {
        [VALUE_SS] = PACKED_SS, [VALUE_NS] = PACKED_NS, [VALUE_BS] = PACKED_BS,
        [VALUE_L] = PACKED_L,   [VALUE_M] = PACKED_M,
    };

    assert(type >= VALUE_SS);
    packed_container_end(out, opened, tags[type], count);
}

struct value value_read(struct bytes encoded)
{
    struct value value;

    packed_value(encoded.data, &value);
    return value;
}

/* ---- making --------------------------------------------------------------------------------- */

#define PARTS_FIRST 16

void item_begin(struct item_maker *maker, struct arena *arena)
{
    *maker = (struct item_maker){0};
    buf_init_in(&maker->attributes, arena);
}

static struct item_part *next_part(struct item_maker *maker)
{
    if (maker->count == maker->capacity) {
        uint32_t capacity = maker->capacity == 0 ? PARTS_FIRST : maker->capacity * 2;
        struct item_part *parts = arena_alloc(maker->attributes.arena, capacity * sizeof *parts);
        if (maker->count > 0)
            memcpy(parts, maker->parts, maker->count * sizeof *parts);
        maker->parts = parts;
        maker->capacity = capacity;
    }
    return &maker->parts[maker->count++];
}

/* Adds an attribute whose value has `size` bytes, and returns where they go. */
static uint8_t *put_named(struct item_maker *maker, struct bytes key, size_t size)
{
    struct item_part *part = next_part(maker);
    struct buf *to = &maker->attributes;

    assert(key.size > 0 && key.size <= ITEM_NAME_MOST);
    *part = (struct item_part){.start = (uint32_t)to->size, .key_size = (uint32_t)key.size};
    buf_put_varint(to, (uint32_t)key.size);
    part->key_start = (uint32_t)to->size;
    part->prefix = item_part_prefix(key);
    buf_put_bytes(to, key);
    buf_room(to, size);
    to->size += size;
    assert(to->size <= UINT32_MAX);
    part->size = (uint32_t)to->size - part->start;
    return to->data + to->size - size;
}

static uint8_t *put_attribute(struct item_maker *maker, const char *name, size_t size)
{
    return put_named(maker, bytes_of_text(name), size);
}

void item_put_value(struct item_maker *maker, struct bytes name, const struct value *value)
{
    memcpy(put_named(maker, name, value->encoded.size), value->encoded.data, value->encoded.size);
}

static void put_sized(struct item_maker *maker, const char *name, uint8_t tag, struct bytes content)
{
    assert(content.size <= UINT32_MAX);
    uint32_t size = (uint32_t)content.size;
    uint8_t *to = put_attribute(maker, name, 1 + packed_varint_size(size) + size);

    *to++ = tag;
    to = packed_varint_put(to, size);
    if (size > 0)
        memcpy(to, content.data, size);
}

void item_put_text(struct item_maker *maker, const char *name, struct bytes text)
{
    put_sized(maker, name, PACKED_S, text);
}

void item_put_data(struct item_maker *maker, const char *name, struct bytes data)
{
    put_sized(maker, name, PACKED_B, data);
}

void item_put_flag(struct item_maker *maker, const char *name, bool value)
{
    *put_attribute(maker, name, 1) = value ? PACKED_TRUE : PACKED_FALSE;
}

void item_put_integer(struct item_maker *maker, const char *name, int64_t value)
{
    struct number number;

    number_of_integer(value, &number);
    uint8_t *to = put_attribute(maker, name, 1u + number.size);
    *to++ = (uint8_t)(PACKED_N + number.size);
    memcpy(to, number.bytes, number.size);
}

uint32_t item_attributes(struct bytes item)
{
    struct item_walk walk = item_walk(item);
    struct bytes name;
    struct value value;
    uint32_t count = 0;

    while (item_next(&walk, &name, &value))
        count++;
    return count;
}

/* How many bytes an M or L has whose members have `content`. */
static size_t container_size(uint32_t count, size_t content)
{
    size_t inside = packed_varint_size(count) + content;

    assert(inside <= UINT32_MAX);
    return 1 + packed_varint_size((uint32_t)inside) + inside;
}

static uint8_t *put_container(uint8_t *to, uint8_t tag, uint32_t count, size_t content)
{
    *to++ = tag;
    to = packed_varint_put(to, (uint32_t)(packed_varint_size(count) + content));
    return packed_varint_put(to, count);
}

static uint8_t *put_map(uint8_t *to, struct bytes item)
{
    to = put_container(to, PACKED_M, item_attributes(item), item.size - 1);
    memcpy(to, item.data + 1, item.size - 1);
    return to + item.size - 1;
}

void item_put_item(struct item_maker *maker, const char *name, struct bytes item)
{
    assert(item.size > 0);
    put_map(put_attribute(maker, name, container_size(item_attributes(item), item.size - 1)), item);
}

void item_put_items(struct item_maker *maker, const char *name, const struct bytes *items,
                    uint32_t count)
{
    size_t content = 0;

    for (uint32_t i = 0; i < count; i++) {
        assert(items[i].size > 0);
        content += container_size(item_attributes(items[i]), items[i].size - 1);
    }
    uint8_t *to = put_attribute(maker, name, container_size(count, content));
    to = put_container(to, PACKED_L, count, content);
    for (uint32_t i = 0; i < count; i++)
        to = put_map(to, items[i]);
}

struct bytes item_finish(struct item_maker *maker)
{
    const uint8_t *from = maker->attributes.data;
    struct arena *arena = maker->attributes.arena;
    uint8_t *data = arena_alloc(arena, 1 + maker->attributes.size), *to = data;

    item_parts_sort(from, maker->parts, arena_alloc(arena, maker->count * sizeof *maker->parts),
                    maker->count);
    *to++ = PACKED_VERSION;
    for (uint32_t i = 0; i < maker->count; i++) {
        const struct item_part *part = &maker->parts[i];
        assert(i == 0 || !bytes_equal(item_part_key(from, part - 1), item_part_key(from, part)));
        memcpy(to, from + part->start, part->size);
        to += part->size;
    }
    return bytes_of(data, 1 + maker->attributes.size);
}

/* ---- records of our own --------------------------------------------------------------------- */

struct bytes item_text(struct bytes item, const char *name)
{
    struct value value;

    if (!item_find(item, bytes_of_text(name), &value) ||
        (value.type != VALUE_S && value.type != VALUE_B))
        return BYTES_NONE;
    return value.content;
}

int64_t item_integer(struct bytes item, const char *name, int64_t fallback)
{
    struct value value;
    int64_t integer;

    if (!item_find(item, bytes_of_text(name), &value) || value.type != VALUE_N ||
        !number_to_integer(value.content, &integer))
        return fallback;
    return integer;
}

bool item_flag(struct bytes item, const char *name)
{
    struct value value;

    return item_find(item, bytes_of_text(name), &value) && value.type == VALUE_BOOL && value.truth;
}

/* The attributes of an M, with the version in front: the M's own header is at least as long, but it
 * is borrowed, so this is a copy. */
static struct bytes item_of_map(const struct value *map, struct arena *arena)
{
    uint8_t *data = arena_alloc(arena, 1 + map->content.size);

    data[0] = PACKED_VERSION;
    if (map->content.size > 0)
        memcpy(data + 1, map->content.data, map->content.size);
    return bytes_of(data, 1 + map->content.size);
}

struct bytes item_item(struct bytes item, const char *name, struct arena *arena)
{
    struct value value;

    if (!item_find(item, bytes_of_text(name), &value) || value.type != VALUE_M)
        return BYTES_NONE;
    return item_of_map(&value, arena);
}

uint32_t item_items(struct bytes item, const char *name, struct arena *arena, struct bytes **out)
{
    struct value list, element;
    uint32_t count = 0;

    *out = NULL;
    if (!item_find(item, bytes_of_text(name), &list) || list.type != VALUE_L)
        return 0;
    *out = arena_alloc(arena, list.count * sizeof **out);
    struct item_walk walk = value_walk(&list);
    while (value_next(&walk, &element))
        if (element.type == VALUE_M)
            (*out)[count++] = item_of_map(&element, arena);
    return count;
}
