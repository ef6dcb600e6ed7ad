/* json/writer.h - writes pieces of compact JSON text. The caller puts the commas and braces
 * (literals, by buf_put_literal); these write what needs rules. Pure functions on the caller's buf.
 */
#ifndef JSON_WRITER_H
#define JSON_WRITER_H

#include "base/buf.h"

/* Quoted; escapes `"`, `\` and control characters (short forms where JSON has them); all else as it
 * is. */
void json_put_string(struct buf *buf, struct bytes text);

void json_put_i64(struct buf *buf, int64_t value);

/* Seconds with at most 3 fraction digits, no exponent, no trailing zeros (spec/export.md 1.1). */
void json_put_time(struct buf *buf, uint64_t micros);

/* Quoted standard base64 with padding; the same without quotes. */
void json_put_base64(struct buf *buf, struct bytes data);
void base64_put(struct buf *buf, struct bytes data);

/* The data of base64 text; strict: alphabet, padding and zero spare bits. False if it is not that.
 */
MUST_CHECK bool base64_decode(struct bytes text, struct arena *arena, struct bytes *out);

/* The same into room of the caller's, BASE64_DATA_MOST(text.size) bytes. */
#define BASE64_DATA_MOST(size) ((size) / 4 * 3)
MUST_CHECK bool base64_decode_to(struct bytes text, uint8_t *to, size_t *size);

#endif
