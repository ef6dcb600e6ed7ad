/* json/reader.c - one pass over the text with no look-back. Strings are what a request is made of,
 * so they are scanned 16 bytes at a time for the four things that matter: the closing quote, an
 * escape, a control character, and whether any byte is beyond ASCII. Only a string that has such
 * bytes is then checked as UTF-8, and only one with escapes is copied. */
#include "json/reader.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BLOCK 16 /* bytes that are looked at together */

void json_reader_init(struct json_reader *reader, struct bytes text, struct arena *arena)
{
    *reader = (struct json_reader){
        .next = text.data, .end = text.data + text.size, .arena = arena, .first = true};
}

/* The text is no JSON. The service says no more than that, so neither do we. */
static bool malformed(struct err *err)
{
    return err_fail(err, ERR_SERIALIZATION, "%s", "");
}

static inline bool is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

uint8_t json_look_behind_space(struct json_reader *reader)
{
    while (reader->next < reader->end) {
        if (!is_space(*reader->next))
            return *reader->next;
        reader->next++;
    }
    return 0;
}

enum json_kind json_peek(struct json_reader *reader)
{
    uint8_t c = json_look(reader);

    switch (c) {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 't':
        return JSON_TRUE;
    case 'f':
        return JSON_FALSE;
    case 'n':
        return JSON_NULL;
    default:
        return c == '-' || is_digit(c) ? JSON_NUMBER : JSON_NOTHING;
    }
}

bool json_refuse(struct json_reader *reader, const char *wanted, struct err *err)
{
    static const char *const tokens[] = {
        [JSON_STRING] = "STRING_VALUE", [JSON_NUMBER] = "NUMBER_VALUE", [JSON_TRUE] = "TRUE_VALUE",
        [JSON_FALSE] = "FALSE_VALUE",   [JSON_NULL] = "NULL_VALUE",
    };
    enum json_kind kind = json_peek(reader);
    struct bytes number;

    if (kind == JSON_OBJECT)
        return err_fail(err, ERR_SERIALIZATION,
                        "Start of structure or map found where not expected");
    if (kind == JSON_ARRAY)
        return err_fail(err, ERR_SERIALIZATION, "Unrecognized collection type class java.lang.%s",
                        wanted);
    if (kind == JSON_NOTHING)
        return malformed(err);
    const char *token = tokens[kind];
    if (kind == JSON_NUMBER) {
        if (!json_read_number(reader, &number, err))
            return false;
        for (size_t i = 0; i < number.size; i++)
            if (number.data[i] == '.' || (number.data[i] | 0x20) == 'e')
                token = "DECIMAL_VALUE";
    }
    return err_fail(err, ERR_SERIALIZATION, "%s cannot be converted to %s", token, wanted);
}

/* ---- strings -------------------------------------------------------------------------------- */

static inline bool is_plain(uint8_t c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

/* The first byte from `at` on that ends a plain run, or `end`; sets `*high` if it passed a byte
 * beyond ASCII. */
static inline const uint8_t *plain_run(const uint8_t *at, const uint8_t *end, bool *high)
{
    unsigned seen = 0;

#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), escape = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1f);

    for (; end - at >= BLOCK; at += BLOCK) {
        __m128i block = _mm_loadu_si128((const __m128i *)at);
        __m128i special =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, escape)),
                         _mm_cmpeq_epi8(_mm_min_epu8(block, control), block));
        unsigned stops = (unsigned)_mm_movemask_epi8(special);
        unsigned highs = (unsigned)_mm_movemask_epi8(block);
        if (stops != 0) {
            unsigned run = (unsigned)__builtin_ctz(stops);
            *high |= (seen | (highs & ((1u << run) - 1))) != 0;
            return at + run;
        }
        seen |= highs;
    }
#endif
    for (; at < end && is_plain(*at); at++)
        seen |= *at & 0x80u;
    *high |= seen != 0;
    return at;
}

static inline bool is_continuation(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

/* How many bytes the character at `at` has; 0 if it is not well-formed UTF-8 (RFC 3629: no overlong
 * form, no surrogate, nothing beyond U+10FFFF). The first byte is beyond ASCII. */
static size_t utf8_length(const uint8_t *at, const uint8_t *end)
{
    uint8_t lead = at[0];
    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;

    if (lead < 0xc2 || lead > 0xf4 || (size_t)(end - at) < length || !is_continuation(at[1]))
        return 0;
    if ((lead == 0xe0 && at[1] < 0xa0) || (lead == 0xed && at[1] > 0x9f) ||
        (lead == 0xf0 && at[1] < 0x90) || (lead == 0xf4 && at[1] > 0x8f))
        return 0;
    for (size_t i = 2; i < length; i++)
        if (!is_continuation(at[i]))
            return 0;
    return length;
}

bool utf8_valid(struct bytes text)
{
    const uint8_t *at = text.data, *end = text.data + text.size;

    while (at < end) {
        if (*at < 0x80) {
#ifdef __SSE2__
            while (end - at >= BLOCK &&
                   _mm_movemask_epi8(_mm_loadu_si128((const __m128i *)at)) == 0)
                at += BLOCK;
#endif
            while (at < end && *at < 0x80)
                at++;
            continue;
        }
        size_t length = utf8_length(at, end);
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}

static bool hex_digits(const uint8_t *at, const uint8_t *end, uint32_t *out)
{
    uint32_t value = 0;

    if (end - at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        uint8_t lower = at[i] | 0x20;
        if (is_digit(at[i]))
            value = value << 4 | (uint32_t)(at[i] - '0');
        else if (lower >= 'a' && lower <= 'f')
            value = value << 4 | (uint32_t)(lower - 'a' + 10);
        else
            return false;
    }
    *out = value;
    return true;
}

static uint8_t *put_utf8(uint8_t *to, uint32_t character)
{
    if (character < 0x80) {
        *to++ = (uint8_t)character;
        return to;
    }
    if (character < 0x800) {
        *to++ = (uint8_t)(0xc0 | character >> 6);
    } else {
        if (character < 0x10000) {
            *to++ = (uint8_t)(0xe0 | character >> 12);
        } else {
            *to++ = (uint8_t)(0xf0 | character >> 18);
            *to++ = (uint8_t)(0x80 | (character >> 12 & 0x3f));
        }
        *to++ = (uint8_t)(0x80 | (character >> 6 & 0x3f));
    }
    *to++ = (uint8_t)(0x80 | (character & 0x3f));
    return to;
}

/* A \u escape, or two that make a pair; `at` is behind the "\u". Returns the byte behind it, or
 * NULL for what is no character: a surrogate alone cannot be UTF-8. */
static const uint8_t *read_unicode(const uint8_t *at, const uint8_t *end, uint8_t **to)
{
    uint32_t character, low;

    if (!hex_digits(at, end, &character))
        return NULL;
    at += 4;
    if (character >= 0xd800 && character <= 0xdfff) {
        if (character > 0xdbff || end - at < 6 || at[0] != '\\' || at[1] != 'u' ||
            !hex_digits(at + 2, end, &low) || low < 0xdc00 || low > 0xdfff)
            return NULL;
        at += 6;
        character = 0x10000 + ((character - 0xd800) << 10) + (low - 0xdc00);
    }
    *to = put_utf8(*to, character);
    return at;
}

/* One escape at `at`, which is a backslash. Returns the byte behind it, NULL if it is none. */
static const uint8_t *read_escape(const uint8_t *at, const uint8_t *end, uint8_t **to)
{
    static const uint8_t meaning[256] = {
        ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
    };

    if (end - at < 2)
        return NULL;
    if (at[1] == 'u')
        return read_unicode(at + 2, end, to);
    if (meaning[at[1]] == 0)
        return NULL;
    *(*to)++ = meaning[at[1]];
    return at + 2;
}

/* The closing quote of a string that goes on at `at` with an escape; NULL without one. */
static const uint8_t *closing_quote(const uint8_t *at, const uint8_t *end)
{
    bool high = false;

    for (;;) {
        at = plain_run(at, end, &high);
        if (at < end && *at == '"')
            return at;
        if (end - at < 2 || *at != '\\')
            return NULL;
        at += 2;
    }
}

/* A string with escapes, which begins at `start` and has its first one at `at`. Its end is found
 * first: what comes out is never longer, so that one allocation of that size does. */
static bool read_escaped(struct json_reader *reader, const uint8_t *start, const uint8_t *at,
                         bool high, struct bytes *out, struct err *err)
{
    const uint8_t *quote = closing_quote(at, reader->end);

    if (quote == NULL)
        return malformed(err);
    uint8_t *text = arena_alloc(reader->arena, (size_t)(quote - start)), *to = text;
    memcpy(to, start, (size_t)(at - start));
    to += at - start;
    while (at < quote) {
        if (*at == '\\') {
            at = read_escape(at, quote, &to);
            if (at == NULL)
                return malformed(err);
            continue;
        }
        const uint8_t *stop = plain_run(at, quote, &high);
        memcpy(to, at, (size_t)(stop - at));
        to += stop - at;
        at = stop;
    }
    *out = bytes_of(text, (size_t)(to - text));
    if (high && !utf8_valid(*out))
        return malformed(err);
    reader->next = quote + 1;
    return true;
}

/* The reader stands behind the opening quote. */
static inline bool read_string(struct json_reader *reader, struct bytes *out, struct err *err)
{
    const uint8_t *start = reader->next;
    bool high = false;
    const uint8_t *at = plain_run(start, reader->end, &high);

    if (at == reader->end)
        return malformed(err);
    if (*at == '\\')
        return read_escaped(reader, start, at, high, out, err);
    if (*at != '"' || (high && !utf8_valid(bytes_of(start, (size_t)(at - start)))))
        return malformed(err);
    *out = bytes_of(start, (size_t)(at - start));
    reader->next = at + 1;
    return true;
}

bool json_read_string(struct json_reader *reader, struct bytes *out, struct err *err)
{
    if (json_look(reader) != '"')
        return malformed(err);
    reader->next++;
    return read_string(reader, out, err);
}

/* ---- numbers and literals ------------------------------------------------------------------- */

static const uint8_t *digits_end(const uint8_t *at, const uint8_t *end)
{
    while (at < end && is_digit(*at))
        at++;
    return at;
}

bool json_read_number(struct json_reader *reader, struct bytes *out, struct err *err)
{
    if (json_peek(reader) != JSON_NUMBER)
        return malformed(err);
    const uint8_t *start = reader->next, *end = reader->end, *at = start + (*start == '-');
    const uint8_t *digits = at;

    at = digits_end(at, end);
    if (at == digits || (*digits == '0' && at - digits > 1))
        return malformed(err);
    if (at < end && *at == '.') {
        digits = at + 1;
        at = digits_end(digits, end);
        if (at == digits)
            return malformed(err);
    }
    if (at < end && (*at | 0x20) == 'e') {
        digits = at + 1;
        if (digits < end && (*digits == '+' || *digits == '-'))
            digits++;
        at = digits_end(digits, end);
        if (at == digits)
            return malformed(err);
    }
    *out = bytes_of(start, (size_t)(at - start));
    reader->next = at;
    return true;
}

bool json_read_literal(struct json_reader *reader, struct err *err)
{
    static const struct bytes literals[] = {BYTES_INIT("true"), BYTES_INIT("false"),
                                            BYTES_INIT("null")};
    uint8_t first = json_look(reader);
    struct bytes left = bytes_of(reader->next, (size_t)(reader->end - reader->next));

    for (size_t i = 0; i < sizeof literals / sizeof *literals; i++) {
        if (first == literals[i].data[0] && bytes_begin(left, literals[i])) {
            reader->next += literals[i].size;
            return true;
        }
    }
    return malformed(err);
}

/* ---- objects and arrays --------------------------------------------------------------------- */

static inline bool container_begin(struct json_reader *reader, uint8_t opening, struct err *err)
{
    if (json_look(reader) != opening || reader->depth == JSON_DEPTH_MOST)
        return malformed(err);
    reader->next++;
    reader->depth++;
    reader->first = true;
    return true;
}

/* Steps over the comma between two parts, or over the closing bracket. Only the first part comes
 * without a comma, so `first` is all that has to be known of what was read. */
static inline bool container_next(struct json_reader *reader, uint8_t closing, bool *more,
                                  struct err *err)
{
    uint8_t c = json_look(reader);

    if (c == closing) {
        reader->next++;
        reader->depth--;
        reader->first = false;
        *more = false;
        return true;
    }
    if (!reader->first) {
        if (c != ',')
            return malformed(err);
        reader->next++;
    }
    reader->first = false;
    *more = true;
    return true;
}

bool json_object_begin(struct json_reader *reader, struct err *err)
{
    return container_begin(reader, '{', err);
}

bool json_object_next(struct json_reader *reader, struct bytes *name, bool *more, struct err *err)
{
    if (!container_next(reader, '}', more, err))
        return false;
    if (!*more)
        return true;
    if (json_look(reader) != '"')
        return malformed(err);
    reader->next++;
    if (!read_string(reader, name, err))
        return false;
    if (json_look(reader) != ':')
        return malformed(err);
    reader->next++;
    return true;
}

bool json_array_begin(struct json_reader *reader, struct err *err)
{
    return container_begin(reader, '[', err);
}

bool json_array_next(struct json_reader *reader, bool *more, struct err *err)
{
    return container_next(reader, ']', more, err);
}

/* A value that opens nothing is read whole; one that does is only begun. */
static bool skip_step(struct json_reader *reader, bool *begun_object, struct err *err)
{
    struct bytes ignored;

    switch (json_peek(reader)) {
    case JSON_OBJECT:
        *begun_object = true;
        return json_object_begin(reader, err);
    case JSON_ARRAY:
        *begun_object = false;
        return json_array_begin(reader, err);
    case JSON_STRING:
        return json_read_string(reader, &ignored, err);
    case JSON_NUMBER:
        return json_read_number(reader, &ignored, err);
    default:
        return json_read_literal(reader, err);
    }
}

bool json_skip(struct json_reader *reader, struct err *err)
{
    struct arena_mark mark = arena_mark(reader->arena);
    bool is_object[JSON_DEPTH_MOST + 1]; /* by depth */
    int outside = reader->depth;
    bool begun = false, more, ok;
    struct bytes name;

    ok = skip_step(reader, &begun, err);
    if (ok && reader->depth > outside)
        is_object[reader->depth] = begun;
    while (ok && reader->depth > outside) {
        int depth = reader->depth;
        ok = is_object[depth] ? json_object_next(reader, &name, &more, err)
                              : json_array_next(reader, &more, err);
        if (!ok || !more)
            continue;
        ok = skip_step(reader, &begun, err);
        if (ok && reader->depth > depth)
            is_object[reader->depth] = begun;
    }
    arena_rewind(reader->arena, mark);
    return ok;
}

bool json_end(struct json_reader *reader, struct err *err)
{
    json_look(reader);
    return reader->next == reader->end ? true : malformed(err);
}
