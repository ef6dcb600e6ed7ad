/* base/text.h - copies text up to what a writer must escape, a block at a time where the processor
 * can; and ends texts that were cut. Pure. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/bytes.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Takes off the part of a character of UTF-8 that a text ends with, where it was cut at a limit. */
void text_end_whole(char *text);

#define TEXT_BLOCK 16 /* bytes that are copied together */

/* Copies to `*to`, which then stands behind the copy, up to the first byte that is below 0x20, a
 * backslash, or one of three of the caller's (constants; the same one more than once costs
 * nothing). Returns where it is. There must be room for the rest of the text and a block more. */
static inline const uint8_t *text_copy_run(const uint8_t *at, const uint8_t *end, uint8_t **to,
                                           uint8_t one, uint8_t two, uint8_t three)
{
    uint8_t *out = *to;

#ifdef __SSE2__
    const __m128i control = _mm_set1_epi8(0x1f), escape = _mm_set1_epi8('\\');
    const __m128i stop_one = _mm_set1_epi8((char)one), stop_two = _mm_set1_epi8((char)two);
    const __m128i stop_three = _mm_set1_epi8((char)three);

    for (; end - at >= TEXT_BLOCK; at += TEXT_BLOCK, out += TEXT_BLOCK) {
        __m128i block = _mm_loadu_si128((const __m128i *)at);
        __m128i stops = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(block, control), block),
                                     _mm_cmpeq_epi8(block, escape));
        stops = _mm_or_si128(stops, _mm_cmpeq_epi8(block, stop_one));
        stops = _mm_or_si128(stops, _mm_cmpeq_epi8(block, stop_two));
        stops = _mm_or_si128(stops, _mm_cmpeq_epi8(block, stop_three));
        unsigned found = (unsigned)_mm_movemask_epi8(stops);
        _mm_storeu_si128((__m128i *)out, block);
        if (found != 0) {
            unsigned run = (unsigned)__builtin_ctz(found);
            *to = out + run;
            return at + run;
        }
    }
#endif
    while (at < end && *at >= 0x20 && *at != '\\' && *at != one && *at != two && *at != three)
        *out++ = *at++;
    *to = out;
    return at;
}

#endif
