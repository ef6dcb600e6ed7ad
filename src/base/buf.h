/* base/buf.h - bytes that grow at the end. A buf lives on the heap (buf_init, buf_release) or in an
 * arena (buf_init_in; nothing to release). Growing never fails: what goes in is bounded at the
 * door, and a process that cannot have it aborts. One thread at a time. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/arena.h"

struct buf {
    uint8_t *data;
    size_t size, capacity;
    struct arena *arena; /* NULL: on the heap */
};

void buf_init(struct buf *buf);
void buf_init_in(struct buf *buf, struct arena *arena);
void buf_release(struct buf *buf);

static inline void buf_clear(struct buf *buf)
{
    buf->size = 0;
}

/* Empties the buf for another use; room of more than `keep_most` bytes is given back. */
void buf_reset(struct buf *buf, size_t keep_most);

static inline struct bytes buf_bytes(const struct buf *buf)
{
    return bytes_of(buf->data, buf->size);
}

/* Makes room for `more` bytes behind the end. */
void buf_grow(struct buf *buf, size_t more);

/* Room for `more` bytes at the end, for the caller to write; add to `size` what was written. */
static inline uint8_t *buf_room(struct buf *buf, size_t more)
{
    if (buf->capacity - buf->size < more)
        buf_grow(buf, more);
    return buf->data + buf->size;
}

static inline void buf_put(struct buf *buf, const void *data, size_t size)
{
    if (size > 0)
        memcpy(buf_room(buf, size), data, size);
    buf->size += size;
}

static inline void buf_put_bytes(struct buf *buf, struct bytes bytes)
{
    buf_put(buf, bytes.data, bytes.size);
}

static inline void buf_put_u8(struct buf *buf, uint8_t value)
{
    *buf_room(buf, 1) = value;
    buf->size++;
}

static inline void buf_put_be32(struct buf *buf, uint32_t value)
{
    be32_store(buf_room(buf, 4), value);
    buf->size += 4;
}

static inline void buf_put_be64(struct buf *buf, uint64_t value)
{
    be64_store(buf_room(buf, 8), value);
    buf->size += 8;
}

/* A literal's bytes, without its NUL. */
#define buf_put_literal(buf, literal) buf_put((buf), ("" literal), sizeof(literal) - 1)

/* 7 bits a byte, the low ones first, the high bit set on all but the last; at most 5 bytes. */
void buf_put_varint(struct buf *buf, uint32_t value);
void buf_put_text(struct buf *buf, const char *text);
/* Text from outside, for a terminal: each byte of a control character (U+0000 to U+001F, U+007F to
 * U+009F) is written \xHH. */
void buf_put_plain(struct buf *buf, struct bytes text);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF(2, 3);

#endif
