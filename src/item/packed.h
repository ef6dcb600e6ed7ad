/* item/packed.h - the bytes of the packed form, for the files of this folder. What they mean is in
 * doc/item-format.md; a number here never changes. */
#ifndef ITEM_PACKED_H
#define ITEM_PACKED_H

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

/* The service's bound on attribute names, in bytes of UTF-8 (developer guide, "Naming rules"). */
#define ITEM_NAME_MOST 65535

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

/* What has to be put in order: an attribute (its key is its name) or a member of a set. */
struct item_part {
    uint64_t prefix; /* the first 8 bytes of the key, zeros behind it: settles most comparisons */
    const uint8_t *key;
    uint32_t key_size;
    uint32_t lead; /* bytes of the part before its key */
    uint32_t size; /* of the part */
};

struct item_part item_part_of(const uint8_t *start, const uint8_t *end, struct bytes key);

static inline struct bytes item_part_bytes(const struct item_part *part)
{
    return bytes_of(part->key - part->lead, part->size);
}

static inline struct bytes item_part_key(const struct item_part *part)
{
    return bytes_of(part->key, part->key_size);
}

/* Sorts by key, those of equal keys as they came. `spare` has room for `count` too. Never more than
 * n log n comparisons, and fewer where runs are in order already. */
void item_parts_sort(struct item_part *parts, struct item_part *spare, uint32_t count);

#endif
