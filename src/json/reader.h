/* json/reader.h - reads JSON text a value at a time, strictly (RFC 8259: no trailing commas, no
 * control characters in strings, valid UTF-8, no lone surrogates) and bounded: no text nests deeper
 * than JSON_DEPTH_MOST. Knows nothing of items.
 *
 * Strings are borrowed from the text where they hold no escape and are made in the arena where they
 * do; numbers are borrowed as they are written. Text and arena must outlive what was read. A
 * failure is ERR_SERIALIZATION and leaves the reader where nothing more may be read: with an empty
 * message for text that is no JSON, as the service answers it (dynalite, test/connection.js), and
 * with the service's words where JSON of the wrong type was refused by json_refuse(). A member that
 * comes twice is given twice. One thread at a time. */
#ifndef JSON_READER_H
#define JSON_READER_H

#include "base/arena.h"
#include "base/err.h"

/* Items nest 32 levels, two JSON levels each, and requests some more around them; deeper items are
 * still read, so that they are refused for their nesting and not as broken JSON. Our own bound. */
#define JSON_DEPTH_MOST 256

enum json_kind {
    JSON_OBJECT,
    JSON_ARRAY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
    JSON_NOTHING, /* what follows begins no value */
};

struct json_reader {
    const uint8_t *next, *end;
    struct arena *arena;
    int depth;
    bool first; /* no member or element of the innermost object or array was read yet */
};

void json_reader_init(struct json_reader *reader, struct bytes text, struct arena *arena);

/* The next character that is no white space, unread; 0 at the end, which no JSON text holds. Tells
 * the kind of a value where time matters. */
uint8_t json_look_behind_space(struct json_reader *reader);
static inline uint8_t json_look(struct json_reader *reader)
{
    if (reader->next<reader->end && * reader->next> ' ')
        return *reader->next;
    return json_look_behind_space(reader);
}

/* The kind of the next value, which stays unread. */
enum json_kind json_peek(struct json_reader *reader);

/* Fails as the service does where `wanted` ("String", "Boolean", "Integer", "Long": the name of a
 * Java class) should be and the next value is of another kind. */
bool json_refuse(struct json_reader *reader, const char *wanted, struct err *err);

/* Each reads one value of that kind; the caller has peeked, or wants the failure. */
MUST_CHECK bool json_read_string(struct json_reader *reader, struct bytes *out, struct err *err);
MUST_CHECK bool json_read_number(struct json_reader *reader, struct bytes *out, struct err *err);
/* true, false or null */
MUST_CHECK bool json_read_literal(struct json_reader *reader, struct err *err);

/* An object: begin, then members until `*more` is false; the value of each is read in between. */
MUST_CHECK bool json_object_begin(struct json_reader *reader, struct err *err);
MUST_CHECK bool json_object_next(struct json_reader *reader, struct bytes *name, bool *more,
                                 struct err *err);

/* Short cuts for small objects, where time matters. Begins an object whose first member has a name
 * of one letter, steps over name and colon, and returns the letter; 0 and nothing was read if what
 * follows is anything else. If the object ends here, steps over its end. */
static inline uint8_t json_object_letter(struct json_reader *reader)
{
    const uint8_t *at = reader->next;

    if (reader->end - at < 5 || at[0] != '{' || at[1] != '"' || at[2] < 'A' || at[2] > 'Z' ||
        at[3] != '"' || at[4] != ':' || reader->depth == JSON_DEPTH_MOST)
        return 0;
    reader->next += 5;
    reader->depth++;
    reader->first = false;
    return at[2];
}
static inline bool json_object_ends(struct json_reader *reader)
{
    if (json_look(reader) != '}')
        return false;
    reader->next++;
    reader->depth--;
    reader->first = false;
    return true;
}

/* An array likewise. */
MUST_CHECK bool json_array_begin(struct json_reader *reader, struct err *err);
MUST_CHECK bool json_array_next(struct json_reader *reader, bool *more, struct err *err);

/* Reads and drops one value of any kind, checked as strictly as one that is kept. */
MUST_CHECK bool json_skip(struct json_reader *reader, struct err *err);

/* Whether text is well-formed UTF-8 (RFC 3629): what a string that was read always is. */
bool utf8_valid(struct bytes text);

/* Nothing but white space is left. */
MUST_CHECK bool json_end(struct json_reader *reader, struct err *err);

#endif
