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

/* From the text of an N ("-0012.50e3"): a sign, digits with a decimal point among or around them,
 * an exponent of 64 bits; no blanks, no NaN, no Infinity. ERR_VALIDATION with the service's message
 * for what is no number, is too large or too small, or has more than 38 significant digits, in this
 * order (dynalite, test/putItem.js). The exponent of a zero is held to the range as well
 * (dynamodb-conformance, limits/numberExponent, recorded 2026-10). */
MUST_CHECK bool number_read(struct bytes text, struct number *out, struct err *err);

/* Rewords what number_read() told of a text as the operations with the older wording tell it, which
 * read an exponent as 32 bits and let 1E2147483647 wrap (dynamodb-conformance, error-messages/
 * valueLayers, recorded 2026-10). */
void number_tell_older(struct bytes text, struct err *err);

/* From and to an integer of 64 bits; false for a number that is none. */
void number_of_integer(int64_t value, struct number *out);
bool number_to_integer(struct bytes encoded, int64_t *out);

/* The exact sum and difference of two numbers. ERR_VALIDATION as number_read() where the service
 * cannot store it. */
MUST_CHECK bool number_add(struct bytes one, struct bytes other, struct number *out,
                           struct err *err);
MUST_CHECK bool number_subtract(struct bytes one, struct bytes other, struct number *out,
                                struct err *err);

/* Whether bytes are what number_read() would give for some text. */
bool number_valid(struct bytes encoded);

/* The canonical text, as the service prints it in an answer: never an exponent, no zero that is not
 * needed, 1E+125 is a 1 and 125 zeros (dynamodb-conformance, numberByteSize, recorded 2026-08).
 * `encoded` is valid. The last one writes into room of the caller's. */
#define NUMBER_TEXT_MOST 170 /* -0. and 129 zeros and 38 digits */
void number_print(struct bytes encoded, struct buf *out);
/* The text of an Ion decimal, as exports have it (spec/export.md 4.2): no zero at the end of the
 * digits, `42.`, `6d2`, `0.5`, `1d-130`. Room as above. */
size_t number_print_ion_to(struct bytes encoded, uint8_t *to);
size_t number_print_to(struct bytes encoded, uint8_t *to);

#endif
