/* json/writer.c - strings are copied in blocks while looking for what must be escaped: few strings
 * hold anything of the kind. Room is made once for a whole string and again only behind an escape.
 */
#include "json/writer.h"

#include "base/text.h"

#ifdef __SSSE3__
#include <tmmintrin.h>
#endif

#define ESCAPE_MOST 6 /* of \u001f */

static uint8_t *put_escape(uint8_t *to, uint8_t c)
{
    static const uint8_t letter[256] = {
        ['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
        ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't',
    };
    static const uint8_t hex_digits[] = "0123456789abcdef";

    *to++ = '\\';
    if (letter[c] != 0) {
        *to++ = letter[c];
        return to;
    }
    memcpy(to, "u00", 3);
    to[3] = (uint8_t)('0' + (c >> 4));
    to[4] = hex_digits[c & 15];
    return to + 5;
}

void json_put_string(struct buf *buf, struct bytes text)
{
    const uint8_t *at = text.data, *end = text.data + text.size;
    uint8_t *to = buf_room(buf, text.size + TEXT_BLOCK + 2);

    *to++ = '"';
    for (;;) {
        at = text_copy_run(at, end, &to, '"', '"', '"');
        if (at == end)
            break;
        buf->size = (size_t)(to - buf->data);
        to = put_escape(buf_room(buf, ESCAPE_MOST + (size_t)(end - at) + TEXT_BLOCK + 2), *at);
        at++;
    }
    *to++ = '"';
    buf->size = (size_t)(to - buf->data);
}

/* ---- numbers -------------------------------------------------------------------------------- */

static void put_u64(struct buf *buf, uint64_t value)
{
    uint8_t digits[20], *start = digits + sizeof digits;

    do {
        *--start = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    buf_put(buf, start, (size_t)(digits + sizeof digits - start));
}

void json_put_i64(struct buf *buf, int64_t value)
{
    uint64_t magnitude = (uint64_t)value;

    if (value < 0) {
        buf_put_u8(buf, '-');
        magnitude = -magnitude;
    }
    put_u64(buf, magnitude);
}

void json_put_time(struct buf *buf, uint64_t micros)
{
    uint64_t millis = micros / 1000 % 1000;

    put_u64(buf, micros / 1000000);
    if (millis == 0)
        return;
    buf_put_u8(buf, '.');
    for (uint64_t unit = 100; millis != 0; unit /= 10) {
        buf_put_u8(buf, (uint8_t)('0' + millis / unit));
        millis %= unit;
    }
}

/* ---- base64 (RFC 4648, section 4) ----------------------------------------------------------- */

static const char alphabet[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_put(struct buf *buf, struct bytes data)
{
    size_t left = data.size;
    const uint8_t *at = data.data;
    uint8_t *to = buf_room(buf, (data.size + 2) / 3 * 4);

    for (; left >= 3; left -= 3, at += 3) {
        uint32_t bits = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
        *to++ = (uint8_t)alphabet[bits >> 18];
        *to++ = (uint8_t)alphabet[bits >> 12 & 63];
        *to++ = (uint8_t)alphabet[bits >> 6 & 63];
        *to++ = (uint8_t)alphabet[bits & 63];
    }
    if (left > 0) {
        uint32_t bits = (uint32_t)at[0] << 16 | (left == 2 ? (uint32_t)at[1] << 8 : 0);
        *to++ = (uint8_t)alphabet[bits >> 18];
        *to++ = (uint8_t)alphabet[bits >> 12 & 63];
        *to++ = left == 2 ? (uint8_t)alphabet[bits >> 6 & 63] : '=';
        *to++ = '=';
    }
    buf->size = (size_t)(to - buf->data);
}

void json_put_base64(struct buf *buf, struct bytes data)
{
    buf_put_u8(buf, '"');
    base64_put(buf, data);
    buf_put_u8(buf, '"');
}

#define NO_DIGIT 0x80 /* beyond the 6 bits of a digit */

/* The 6 bits of each character, NO_DIGIT for what is not of the alphabet. */
static const uint8_t *digit_values(void)
{
#define NONE8  NO_DIGIT, NO_DIGIT, NO_DIGIT, NO_DIGIT, NO_DIGIT, NO_DIGIT, NO_DIGIT, NO_DIGIT
#define NONE32 NONE8, NONE8, NONE8, NONE8
    static const uint8_t values[256] = {
        NONE32,                                                                           /* 00 */
        NONE8,  NO_DIGIT, NO_DIGIT, NO_DIGIT, 62,       NO_DIGIT, NO_DIGIT, NO_DIGIT, 63, /* 20 */
        52,     53,       54,       55,       56,       57,       58,       59,           /* 30 */
        60,     61,       NO_DIGIT, NO_DIGIT, NO_DIGIT, NO_DIGIT, NO_DIGIT, NO_DIGIT, NO_DIGIT,
        0,      1,        2,        3,        4,        5,        6, /* 40 */
        7,      8,        9,        10,       11,       12,       13,       14,       15,
        16,     17,       18,       19,       20,       21,       22, /* 50 */
        23,     24,       25,       NO_DIGIT, NO_DIGIT, NO_DIGIT, NO_DIGIT, NO_DIGIT, NO_DIGIT,
        26,     27,       28,       29,       30,       31,       32, /* 60 */
        33,     34,       35,       36,       37,       38,       39,       40,       41,
        42,     43,       44,       45,       46,       47,       48, /* 70 */
        49,     50,       51,       NO_DIGIT, NO_DIGIT, NO_DIGIT, NO_DIGIT, NO_DIGIT, NONE32,
        NONE32, NONE32,   NONE32, /* 80 to ff */
    };
#undef NONE32
#undef NONE8
    return values;
}

/* The last four characters, which may be padded. Returns how many bytes they give; 0: they are
 * wrong, as are padded digits with bits that no byte takes. */
static size_t decode_last(const uint8_t *at, uint8_t *to)
{
    const uint8_t *value = digit_values();
    size_t count = at[3] != '=' ? 3 : at[2] != '=' ? 2 : 1;
    uint8_t third = count > 1 ? value[at[2]] : 0, fourth = count > 2 ? value[at[3]] : 0;

    if (((value[at[0]] | value[at[1]] | third | fourth) & NO_DIGIT) != 0)
        return 0;
    uint32_t bits =
        (uint32_t)value[at[0]] << 18 | (uint32_t)value[at[1]] << 12 | (uint32_t)third << 6 | fourth;
    if ((bits & ((1u << (24 - 8 * count)) - 1)) != 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        to[i] = (uint8_t)(bits >> (16 - 8 * i));
    return count;
}

#ifdef __SSSE3__
/* -1 in each byte of `block` that is a character from `first` to `last`. */
static inline __m128i in_range(__m128i block, char first, char last)
{
    return _mm_and_si128(_mm_cmpgt_epi8(block, _mm_set1_epi8((char)(first - 1))),
                         _mm_cmplt_epi8(block, _mm_set1_epi8((char)(last + 1))));
}

/* 16 characters of the alphabet to 12 bytes; writes 16. False if one is none. The digits are found
 * by what has to be added to the characters of each range, and then joined two by two. */
static inline bool decode_block(const uint8_t *at, uint8_t *to)
{
    const __m128i order = _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
    __m128i block = _mm_loadu_si128((const __m128i *)at);
    __m128i upper = in_range(block, 'A', 'Z'), lower = in_range(block, 'a', 'z');
    __m128i digit = in_range(block, '0', '9'), plus = _mm_cmpeq_epi8(block, _mm_set1_epi8('+'));
    __m128i slash = _mm_cmpeq_epi8(block, _mm_set1_epi8('/'));
    __m128i added = _mm_or_si128(_mm_and_si128(upper, _mm_set1_epi8(0 - 'A')),
                                 _mm_and_si128(lower, _mm_set1_epi8(26 - 'a')));

    added = _mm_or_si128(added, _mm_and_si128(digit, _mm_set1_epi8(52 - '0')));
    added = _mm_or_si128(added, _mm_and_si128(plus, _mm_set1_epi8(62 - '+')));
    added = _mm_or_si128(added, _mm_and_si128(slash, _mm_set1_epi8(63 - '/')));
    __m128i known =
        _mm_or_si128(_mm_or_si128(upper, lower), _mm_or_si128(digit, _mm_or_si128(plus, slash)));
    __m128i twelve = _mm_maddubs_epi16(_mm_add_epi8(block, added), _mm_set1_epi32(0x01400140));
    __m128i whole = _mm_madd_epi16(twelve, _mm_set1_epi32(0x00011000));
    _mm_storeu_si128((__m128i *)to, _mm_shuffle_epi8(whole, order));
    return _mm_movemask_epi8(known) == 0xffff;
}
#endif

bool base64_decode_to(struct bytes text, uint8_t *to, size_t *size)
{
    const uint8_t *value = digit_values(), *at = text.data;
    uint8_t *start = to;

    if (text.size % 4 != 0)
        return false;
    *size = 0;
    if (text.size == 0)
        return true;
    const uint8_t *last = text.data + text.size - 4;
#ifdef __SSSE3__
    /* a block writes 4 bytes more than it has, for which two groups behind it have the room */
    for (; last - at >= TEXT_BLOCK + 4; at += TEXT_BLOCK, to += 12)
        if (!decode_block(at, to))
            return false;
#endif
    for (; at < last; at += 4) {
        uint8_t a = value[at[0]], b = value[at[1]], c = value[at[2]], d = value[at[3]];
        if (((a | b | c | d) & NO_DIGIT) != 0)
            return false;
        uint32_t bits = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)c << 6 | d;
        *to++ = (uint8_t)(bits >> 16);
        *to++ = (uint8_t)(bits >> 8);
        *to++ = (uint8_t)bits;
    }
    size_t count = decode_last(at, to);
    *size = (size_t)(to - start) + count;
    return count > 0;
}

bool base64_decode(struct bytes text, struct arena *arena, struct bytes *out)
{
    uint8_t *data = arena_alloc(arena, BASE64_DATA_MOST(text.size));
    size_t size;

    if (!base64_decode_to(text, data, &size))
        return false;
    *out = bytes_of(data, size);
    return true;
}
