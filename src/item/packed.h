/* item/packed.h - the bytes of the packed form, for the files of this folder. What they mean is in
 * doc/item-format.md; a number here never changes. */
#ifndef ITEM_PACKED_H
#define ITEM_PACKED_H

#include <assert.h>

#include "item/codec.h"

#define PACKED_VERSION 1

/* The first byte of a value. An N carries its length in it: PACKED_N + 1 to PACKED_N + 21. */
enum packed_tag {
    PACKED_NULL,
    PACKED_FALSE,
    PACKED_TRUE,
    PACKED_S,
    PACKED_B,
    PACKED_SS,
    PACKED_NS,
    PACKED_BS,
    PACKED_L,
    PACKED_M,
    PACKED_N = 0x20,
};

#define PACKED_VARINT_MOST 5

static inline size_t packed_varint_size(uint32_t value)
{
    size_t size = 1;

    while (value > 0x7f) {
        value >>= 7;
        size++;
    }
    return size;
}

static inline uint8_t *packed_varint_put(uint8_t *to, uint32_t value)
{
    for (; value > 0x7f; value >>= 7)
        *to++ = (uint8_t)(value | 0x80);
    *to++ = (uint8_t)value;
    return to;
}

/* A varint of bytes that are known to be good. */
static inline uint32_t packed_varint_take(const uint8_t **at)
{
    uint32_t value = *(*at)++;

    if (value > 0x7f) {
        value &= 0x7f;
        for (int shift = 7;; shift += 7) {
            uint8_t byte = *(*at)++;
            value |= (uint32_t)(byte & 0x7f) << shift;
            if (byte <= 0x7f)
                break;
        }
    }
    return value;
}

/* The value at `at`, of bytes that are known to be good; returns the byte behind it. */
const uint8_t *packed_value(const uint8_t *at, struct value *out);

/* Room at the end of a buf for a tag, a length and the content, of which the first two are written;
 * packed_end_put() says where the content ended. */
static inline uint8_t *packed_head_put(struct buf *out, uint8_t tag, size_t size)
{
    uint8_t *to = buf_room(out, 1 + PACKED_VARINT_MOST + size);

    assert(size <= UINT32_MAX);
    *to++ = tag;
    return packed_varint_put(to, (uint32_t)size);
}

static inline void packed_end_put(struct buf *out, const uint8_t *end)
{
    out->size = (size_t)(end - out->data);
}

/* What a value adds to the size of its item beside its members; an attribute adds its name too. */
#define ITEM_CONTAINER_SIZE 3 /* of an L or M, and 1 for each of its elements */
static inline uint64_t value_own_size(const struct value *value)
{
    switch (value->type) {
    case VALUE_S:
    case VALUE_B:
    case VALUE_N:
        return value->content.size;
    case VALUE_BOOL:
    case VALUE_NULL:
        return 1;
    case VALUE_L:
    case VALUE_M:
        return ITEM_CONTAINER_SIZE + value->count;
    default: /* sets */
        return 0;
    }
}

/* A container at the end of a buf whose members come one by one: neither length nor count is known
 * when it begins, so the least room is left for them and the content moves up when they need more.
 */
#define PACKED_CONTAINER_HEAD 3 /* a tag, a length below 128 and a count below 128 */

static inline size_t packed_container_begin(struct buf *out)
{
    buf_room(out, PACKED_CONTAINER_HEAD);
    out->size += PACKED_CONTAINER_HEAD;
    return out->size;
}

/* Writes what packed_container_begin() left room for; `content` is what it returned. */
static inline void packed_container_end(struct buf *out, size_t content, uint8_t tag,
                                        uint32_t count)
{
    size_t size = out->size - content;
    uint32_t inside = (uint32_t)(size + packed_varint_size(count));
    size_t head = 1 + packed_varint_size(inside) + packed_varint_size(count);

    assert(size < UINT32_MAX - PACKED_VARINT_MOST);
    if (head > PACKED_CONTAINER_HEAD) {
        buf_room(out, head - PACKED_CONTAINER_HEAD);
        memmove(out->data + content - PACKED_CONTAINER_HEAD + head, out->data + content, size);
        out->size += head - PACKED_CONTAINER_HEAD;
    }
    uint8_t *to = out->data + content - PACKED_CONTAINER_HEAD;
    *to++ = tag;
    to = packed_varint_put(to, inside);
    packed_varint_put(to, count);
}

/* What has to be put in order: an attribute (its key is its name) or a member of a set (its key is
 * its content). Where it lies is counted from a base, since a buf may move. */
struct item_part {
    uint64_t prefix; /* the first 8 bytes of the key, zeros behind it: settles most comparisons */
    uint32_t start, size;
    uint32_t key_start, key_size;
};

/* Looks at no byte outside the key. Of a short one the ends are taken, which overlap. */
static inline uint64_t item_part_prefix(struct bytes key)
{
    const uint8_t *at = key.data;
    size_t size = key.size, middle = size / 2;

    if (size >= 8)
        return be64_load(at);
    if (size >= 4)
        return (uint64_t)be32_load(at) << 32 |
               (uint32_t)((uint64_t)be32_load(at + size - 4) << (64 - 8 * size));
    if (size == 0)
        return 0;
    return (uint64_t)at[0] << 56 | (uint64_t)at[middle] << (56 - 8 * middle) |
           (uint64_t)at[size - 1] << (64 - 8 * size);
}

static inline struct bytes item_part_key(const uint8_t *base, const struct item_part *part)
{
    return bytes_of(base + part->key_start, part->key_size);
}

/* Sorts by key, those of equal keys as they came. `spare` has room for `count` too. Never more than
 * n log n comparisons, and fewer where runs are in order already. */
void item_parts_sort(const uint8_t *base, struct item_part *parts, struct item_part *spare,
                     uint32_t count);

#endif
