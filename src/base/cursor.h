/* base/cursor.h - reads the fields of a record from the front. A read past the end gives zeros and
 * marks the cursor as failed, so that a reader checks once, at its end. One thread at a time. */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include "base/bytes.h"

struct cursor {
    const uint8_t *next, *end;
    bool failed;
};

static inline struct cursor cursor_of(struct bytes bytes)
{
    return (struct cursor){bytes.data, bytes.data + bytes.size, false};
}

static inline size_t cursor_left(const struct cursor *cursor)
{
    return (size_t)(cursor->end - cursor->next);
}

/* Everything was there, and nothing is left. */
static inline bool cursor_ended(const struct cursor *cursor)
{
    return !cursor->failed && cursor->next == cursor->end;
}

static inline struct bytes cursor_bytes(struct cursor *cursor, size_t size)
{
    if (cursor_left(cursor) < size) {
        cursor->failed = true;
        cursor->next = cursor->end;
        return BYTES_NONE;
    }
    cursor->next += size;
    return bytes_of(cursor->next - size, size);
}

static inline uint8_t cursor_u8(struct cursor *cursor)
{
    struct bytes b = cursor_bytes(cursor, 1);

    return b.size == 0 ? 0 : b.data[0];
}

static inline uint32_t cursor_be32(struct cursor *cursor)
{
    struct bytes b = cursor_bytes(cursor, 4);

    return b.size == 0 ? 0 : be32_load(b.data);
}

static inline uint64_t cursor_be64(struct cursor *cursor)
{
    struct bytes b = cursor_bytes(cursor, 8);

    return b.size == 0 ? 0 : be64_load(b.data);
}

/* As buf_put_varint() writes it; one that is longer than it need be, or over 32 bits, fails. */
static inline uint32_t cursor_varint(struct cursor *cursor)
{
    uint64_t value = 0;

    for (int shift = 0; shift < 35; shift += 7) {
        uint8_t byte = cursor_u8(cursor);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            if ((byte == 0 && shift > 0) || value > UINT32_MAX)
                break;
            return (uint32_t)value;
        }
    }
    cursor->failed = true;
    cursor->next = cursor->end;
    return 0;
}

#endif
