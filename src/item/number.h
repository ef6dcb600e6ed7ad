/* item/number.h - exact decimal numbers: up to 38 significant digits, magnitude 1E-130 to
 * 9.99..E+125, and zero. A number is its order-preserving bytes (spec/keys.md "Number bytes"): at
 * most NUMBER_MOST of them, compared by bytes_compare() as the numbers compare, and as long as the
 * service bills (spec/export.md 5.2). One value has one encoding. Pure functions. */
#ifndef ITEM_NUMBER_H
#define ITEM_NUMBER_H

#include "base/buf.h"
#include "base/err.h"

#define NUMBER_MOST        21
#define NUMBER_DIGITS_MOST 38

struct number {
    uint8_t size; /* 1 to NUMBER_MOST */
    uint8_t bytes[NUMBER_MOST];
};

static inline struct bytes number_bytes(const struct number *number)
{
    return bytes_of(number->bytes, number->size);
}

/* From the text of an N ("-0012.50e3"): ERR_VALIDATION with the service's message for what is no
 * number, has more than 38 digits, or is too large or too small. */
MUST_CHECK bool number_read(struct bytes text, struct number *out, struct err *err);

/* Whether bytes are what number_read() would give for some text. */
bool number_valid(struct bytes encoded);

/* The canonical text, as the service prints it in an answer. `encoded` is valid. */
void number_print(struct bytes encoded, struct buf *out);

#endif
