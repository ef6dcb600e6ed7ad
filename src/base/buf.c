/* base/buf.c - doubles when full. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_CAPACITY ((size_t)256)

void buf_init(struct buf *buf)
{
    *buf = (struct buf){0};
}

void buf_init_in(struct buf *buf, struct arena *arena)
{
    *buf = (struct buf){.arena = arena};
}

void buf_release(struct buf *buf)
{
    if (buf->arena == NULL)
        free(buf->data);
    *buf = (struct buf){.arena = buf->arena};
}

void buf_reset(struct buf *buf, size_t keep_most)
{
    if (buf->capacity > keep_most)
        buf_release(buf);
    buf_clear(buf);
}

void buf_grow(struct buf *buf, size_t more)
{
    size_t capacity = buf->capacity == 0 ? FIRST_CAPACITY : buf->capacity * 2;

    if (capacity < buf->size + more)
        capacity = buf->size + more;
    if (buf->arena != NULL) {
        uint8_t *data = arena_alloc(buf->arena, capacity);
        if (buf->size > 0)
            memcpy(data, buf->data, buf->size);
        buf->data = data;
    } else {
        buf->data = realloc(buf->data, capacity);
        if (buf->data == NULL)
            abort();
    }
    buf->capacity = capacity;
}

void buf_put_varint(struct buf *buf, uint32_t value)
{
    uint8_t *to = buf_room(buf, 5), *start = to;

    for (; value > 0x7f; value >>= 7)
        *to++ = (uint8_t)(value | 0x80);
    *to++ = (uint8_t)value;
    buf->size += (size_t)(to - start);
}

void buf_put_text(struct buf *buf, const char *text)
{
    buf_put(buf, text, strlen(text));
}

/* How many bytes the text's first character has if it is a control character, or 0. */
static size_t control_size(struct bytes text)
{
    if (text.data[0] < 0x20 || text.data[0] == 0x7f)
        return 1;
    return text.size > 1 && text.data[0] == 0xc2 && text.data[1] >= 0x80 && text.data[1] < 0xa0 ? 2
                                                                                                : 0;
}

void buf_put_plain(struct buf *buf, struct bytes text)
{
    while (text.size > 0) {
        size_t size = control_size(text);
        for (size_t i = 0; i < size; i++)
            buf_printf(buf, "\\x%02x", text.data[i]);
        if (size == 0)
            buf_put_u8(buf, text.data[0]);
        text = bytes_from(text, size == 0 ? 1 : size);
    }
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        abort();
    char *to = (char *)buf_room(buf, (size_t)length + 1);
    va_start(args, format);
    vsnprintf(to, (size_t)length + 1, format, args);
    va_end(args);
    buf->size += (size_t)length;
}
