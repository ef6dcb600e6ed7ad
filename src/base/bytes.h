/* base/bytes.h - a run of bytes that somebody else owns: borrows, never frees. The bytes must
 * outlive the `struct bytes`; text is UTF-8 without a closing NUL. Pure functions, any thread. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF(at, first) __attribute__((format(printf, at, first)))

struct bytes {
    const uint8_t *data;
    size_t size;
};

/* A literal as bytes, without its NUL; BYTES_INIT() for the initialisers of static tables. */
#define BYTES_INIT(literal)                                                                        \
    {                                                                                              \
        (const uint8_t *)("" literal), sizeof(literal) - 1                                         \
    }
#define BYTES(literal) ((struct bytes)BYTES_INIT(literal))
#define BYTES_NONE     ((struct bytes){NULL, 0})

/* For printf: printf("%.*s", BYTES_ARGS(name)). */
#define BYTES_ARGS(b)                                                                              \
    (int)(b).size, (const char *)((b).data != NULL ? (b).data : (const uint8_t *)"")

static inline struct bytes bytes_of(const void *data, size_t size)
{
    return (struct bytes){data, size};
}

static inline struct bytes bytes_of_text(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Unsigned byte order, the shorter first where one begins the other: < 0, 0 or > 0. */
static inline int bytes_compare(struct bytes a, struct bytes b)
{
    size_t shared = a.size < b.size ? a.size : b.size;
    int order = shared == 0 ? 0 : memcmp(a.data, b.data, shared);

    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static inline bool bytes_begin(struct bytes whole, struct bytes prefix)
{
    return whole.size >= prefix.size &&
           (prefix.size == 0 || memcmp(whole.data, prefix.data, prefix.size) == 0);
}

/* The bytes from `at` on; `at` is at most the size. */
static inline struct bytes bytes_from(struct bytes b, size_t at)
{
    return (struct bytes){b.data + at, b.size - at};
}

/* Big-endian integers, the byte order of everything on disk. */
static inline void be32_store(uint8_t *to, uint32_t value)
{
    for (int i = 3; i >= 0; i--, value >>= 8)
        to[i] = (uint8_t)value;
}

static inline void be64_store(uint8_t *to, uint64_t value)
{
    for (int i = 7; i >= 0; i--, value >>= 8)
        to[i] = (uint8_t)value;
}

static inline uint32_t be32_load(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static inline uint64_t be64_load(const uint8_t *from)
{
    return (uint64_t)be32_load(from) << 32 | be32_load(from + 4);
}

#endif
