/* item/number.c - text and order-preserving bytes, without arithmetic on the way: a number is its
 * significant digits and the place of its decimal point (0.d1d2d3... x 10^point, d1 not 0), and
 * both forms are only other ways of writing these down. Sums are made of digits side by side in a
 * row as wide as the two numbers are apart. */
#include "item/number.h"

#define POINT_LEAST (-129) /* 1E-130 is 0.1 x 10^-129 */
#define POINT_MOST  126    /* 9.99E+125 is 0.999 x 10^126 */
#define PAIRS_MOST  20     /* 38 digits, and one zero before and behind them */

#define ZERO             0x80 /* the one byte of zero */
#define EXPONENT_ZERO    192  /* the first byte of a positive number whose point is at 0 */
#define NEGATIVE_END     102  /* behind the pairs of a negative number, where there is room */
#define POSITIVE_PAIR(p) ((uint8_t)((p) + 1))
#define NEGATIVE_PAIR(p) ((uint8_t)(101 - (p)))

/* Exponents that are written. A zero may have those that another digit in its place could have. */
#define ZERO_EXPONENT_LEAST (-130)
#define ZERO_EXPONENT_MOST  125
/* What older operations of the service read numbers with, Java's BigDecimal, wants 32 bits. */
#define OLDER_EXPONENT_MOST INT64_C(2147483647)
/* Far outside the range, so that sums of exponents stay far inside 64 bits. */
#define EXPONENT_FAR (INT64_C(1) << 60)

#define NOT_NUMERIC "The parameter cannot be converted to a numeric value"

struct decimal {
    bool negative;
    int count; /* of digits; 0: the number is zero */
    int point;
    uint8_t digits[2 * PAIRS_MOST];
};

/* ---- text to digits ------------------------------------------------------------------------- */

/* What was seen of the digits so far; `point` counts without bound, the text may be long. */
struct scan {
    const uint8_t *at, *end;
    int64_t point, seen; /* `seen`: digits from the first one that is not 0 */
    int64_t exponent;    /* as it is written */
    bool any;            /* digits at all */
    bool too_many;
};

static inline bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* A run of digits before (`whole` is 1) or behind (0) the decimal point. Zeros at the end count as
 * seen but are only taken up when a digit follows that is not 0, so `count` never includes them. */
static void scan_digits(struct scan *scan, int whole, struct decimal *out)
{
    for (; scan->at < scan->end && is_digit(*scan->at); scan->at++) {
        uint8_t digit = (uint8_t)(*scan->at - '0');
        scan->any = true;
        if (scan->seen == 0 && digit == 0) {
            scan->point -= 1 - whole;
            continue;
        }
        scan->point += whole;
        if (digit != 0) {
            if (scan->seen < NUMBER_DIGITS_MOST) {
                while (out->count < scan->seen)
                    out->digits[out->count++] = 0;
                out->digits[out->count++] = digit;
            } else {
                scan->too_many = true;
            }
        }
        scan->seen++;
    }
}

/* "e+5"; false if it is none, or none of 64 bits. */
static bool scan_exponent(struct scan *scan)
{
    int64_t exponent = 0;
    bool negative;

    if (scan->at == scan->end)
        return true;
    if ((*scan->at++ | 0x20) != 'e' || scan->at == scan->end)
        return false;
    negative = *scan->at == '-';
    if (*scan->at == '-' || *scan->at == '+')
        scan->at++;
    if (scan->at == scan->end)
        return false;
    for (; scan->at < scan->end; scan->at++) {
        if (!is_digit(*scan->at))
            return false;
        if (__builtin_mul_overflow(exponent, 10, &exponent) ||
            __builtin_add_overflow(exponent, *scan->at - '0', &exponent))
            return false;
    }
    if (exponent > EXPONENT_FAR)
        exponent = EXPONENT_FAR;
    scan->exponent = negative ? -exponent : exponent;
    scan->point += scan->exponent;
    return true;
}

static bool fail_numeric(struct bytes text, struct err *err)
{
    return err_fail(err, ERR_VALIDATION, NOT_NUMERIC ": %.*s",
                    (int)(text.size < ERR_MESSAGE_MOST ? text.size : ERR_MESSAGE_MOST),
                    text.size > 0 ? (const char *)text.data : "");
}

static bool fail_overflow(struct err *err)
{
    return err_fail(err, ERR_VALIDATION,
                    "Number overflow. Attempting to store a number with magnitude larger than "
                    "supported range");
}

static bool fail_underflow(struct err *err)
{
    return err_fail(err, ERR_VALIDATION,
                    "Number underflow. Attempting to store a number with magnitude smaller than "
                    "supported range");
}

/* Whether the service stores a number that is not zero. */
static bool check_range(int64_t point, bool too_many, struct err *err)
{
    if (point > POINT_MOST)
        return fail_overflow(err);
    if (point < POINT_LEAST)
        return fail_underflow(err);
    return !too_many || err_fail(err, ERR_VALIDATION,
                                 "Attempting to store more than 38 significant digits in a Number");
}

static bool check_zero(int64_t exponent, struct err *err)
{
    if (exponent > ZERO_EXPONENT_MOST)
        return fail_overflow(err);
    return exponent >= ZERO_EXPONENT_LEAST || fail_underflow(err);
}

/* False: the text is no number. */
static bool scan_decimal(struct scan *scan, struct decimal *out)
{
    out->negative = scan->at < scan->end && *scan->at == '-';
    out->count = 0;
    if (scan->at < scan->end && (*scan->at == '-' || *scan->at == '+'))
        scan->at++;
    scan_digits(scan, 1, out);
    if (scan->at < scan->end && *scan->at == '.') {
        scan->at++;
        scan_digits(scan, 0, out);
    }
    return scan->any && scan_exponent(scan);
}

static bool read_decimal(struct bytes text, struct decimal *out, struct err *err)
{
    struct scan scan = {.at = text.data, .end = text.data + text.size};

    if (!scan_decimal(&scan, out))
        return fail_numeric(text, err);
    if (out->count == 0)
        return check_zero(scan.exponent, err);
    if (!check_range(scan.point, scan.too_many, err))
        return false;
    out->point = (int)scan.point;
    return true;
}

/* ---- digits and bytes ----------------------------------------------------------------------- */

/* Pairs are aligned at the decimal point: an odd point puts a zero before the digits, and a count
 * that is then odd one behind them. */
static void encode(struct decimal *decimal, struct number *out)
{
    uint8_t *to = out->bytes;
    int lead = decimal->point & 1;
    int pairs = (decimal->count + lead + 1) / 2;

    if (decimal->count == 0) {
        *out = (struct number){.size = 1, .bytes = {ZERO}};
        return;
    }
    if (((decimal->count + lead) & 1) != 0)
        decimal->digits[decimal->count] = 0;
    uint8_t first = (uint8_t)(EXPONENT_ZERO + (decimal->point + lead) / 2);
    *to++ = decimal->negative ? (uint8_t)~first : first;
    for (int i = 0, at = -lead; i < pairs; i++, at += 2) {
        int pair = (at < 0 ? 0 : decimal->digits[at] * 10) + decimal->digits[at + 1];
        *to++ = decimal->negative ? NEGATIVE_PAIR(pair) : POSITIVE_PAIR(pair);
    }
    if (decimal->negative && pairs < PAIRS_MOST)
        *to++ = NEGATIVE_END;
    out->size = (uint8_t)(to - out->bytes);
}

bool number_read(struct bytes text, struct number *out, struct err *err)
{
    struct decimal decimal;

    if (!read_decimal(text, &decimal, err))
        return false;
    encode(&decimal, out);
    return true;
}

void number_tell_older(struct bytes text, struct err *err)
{
    struct scan scan = {.at = text.data, .end = text.data + text.size};
    struct decimal decimal;

    if (text.size == 0)
        err_fail(err, ERR_VALIDATION, NOT_NUMERIC);
    else if (!scan_decimal(&scan, &decimal))
        return;
    else if (scan.exponent > OLDER_EXPONENT_MOST || scan.exponent < -OLDER_EXPONENT_MOST)
        fail_numeric(text, err);
    else if (decimal.count > 0 && scan.point > OLDER_EXPONENT_MOST)
        fail_underflow(err);
}

void number_of_integer(int64_t value, struct number *out)
{
    struct decimal decimal = {.negative = value < 0};
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
    uint8_t reversed[20];
    int count = 0, zeros = 0;

    for (; magnitude != 0; magnitude /= 10)
        reversed[count++] = (uint8_t)(magnitude % 10);
    while (zeros < count && reversed[zeros] == 0)
        zeros++;
    decimal.point = count;
    while (count > zeros)
        decimal.digits[decimal.count++] = reversed[--count];
    encode(&decimal, out);
}

/* The pairs of a number that is not zero, 0 to 99 each; returns how many. */
static inline int pairs_of(struct bytes encoded, uint8_t pairs[PAIRS_MOST])
{
    bool negative = encoded.data[0] < ZERO;
    int count = (int)encoded.size - 1;

    if (negative && encoded.data[count] == NEGATIVE_END)
        count--;
    for (int i = 0; i < count; i++) {
        uint8_t byte = encoded.data[i + 1];
        pairs[i] = (uint8_t)(negative ? 101 - byte : byte - 1);
    }
    return count;
}

bool number_valid(struct bytes encoded)
{
    uint8_t pairs[PAIRS_MOST];

    if (encoded.size == 1)
        return encoded.data[0] == ZERO;
    if (encoded.size == 0 || encoded.size > NUMBER_MOST)
        return false;
    bool ended = encoded.data[encoded.size - 1] == NEGATIVE_END;
    if (encoded.data[0] < ZERO && !ended && encoded.size < NUMBER_MOST)
        return false;
    int count = pairs_of(encoded, pairs);
    /* an unsigned 0 - 1 is above 99 too */
    for (int i = 0; i < count; i++)
        if (pairs[i] > 99)
            return false;
    if (count == 0 || pairs[0] == 0 || pairs[count - 1] == 0)
        return false;
    return 2 * count - (pairs[0] < 10) - (pairs[count - 1] % 10 == 0) <= NUMBER_DIGITS_MOST;
}

static void decode(struct bytes encoded, struct decimal *out)
{
    uint8_t pairs[PAIRS_MOST];
    int count = pairs_of(encoded, pairs);
    uint8_t *to = out->digits;

    out->negative = encoded.data[0] < ZERO;
    uint8_t first = out->negative ? (uint8_t)~encoded.data[0] : encoded.data[0];
    out->point = 2 * ((int)first - EXPONENT_ZERO);
    if (pairs[0] < 10)
        out->point--;
    else
        *to++ = pairs[0] / 10;
    *to++ = pairs[0] % 10;
    for (int i = 1; i < count; i++) {
        *to++ = pairs[i] / 10;
        *to++ = pairs[i] % 10;
    }
    if (to[-1] == 0)
        to--;
    out->count = (int)(to - out->digits);
}

bool number_to_integer(struct bytes encoded, int64_t *out)
{
    struct decimal decimal = {0};
    uint64_t magnitude = 0;

    if (encoded.size > 1)
        decode(encoded, &decimal);
    if (decimal.point < decimal.count || decimal.point > 19) /* 19 digits do not overflow 64 bits */
        return false;
    for (int i = 0; i < decimal.point; i++)
        magnitude = magnitude * 10 + (i < decimal.count ? decimal.digits[i] : 0);
    if (magnitude > (uint64_t)INT64_MAX + decimal.negative)
        return false;
    *out = (int64_t)(decimal.negative ? -magnitude : magnitude);
    return true;
}

/* ---- sums ----------------------------------------------------------------------------------- */

/* From the carry above the largest number to the last digit of the smallest. */
#define ROW_MOST (1 + POINT_MOST - POINT_LEAST + NUMBER_DIGITS_MOST)

/* Digits by their places; the first is worth 10^(point - 1). */
struct row {
    int point, count;
    uint8_t digits[ROW_MOST];
};

static void row_of(const struct decimal *decimal, int point, int count, struct row *out)
{
    out->point = point;
    out->count = count;
    memset(out->digits, 0, (size_t)count);
    memcpy(out->digits + (point - decimal->point), decimal->digits, (size_t)decimal->count);
}

static void row_add(struct row *row, const struct row *other)
{
    int carry = 0;

    for (int i = row->count - 1; i >= 0; i--) {
        int sum = row->digits[i] + other->digits[i] + carry;
        carry = sum >= 10;
        row->digits[i] = (uint8_t)(sum - 10 * carry);
    }
}

/* `other` is not larger. */
static void row_subtract(struct row *row, const struct row *other)
{
    int borrow = 0;

    for (int i = row->count - 1; i >= 0; i--) {
        int rest = row->digits[i] - other->digits[i] - borrow;
        borrow = rest < 0;
        row->digits[i] = (uint8_t)(rest + 10 * borrow);
    }
}

static bool row_to_number(const struct row *row, bool negative, struct number *out, struct err *err)
{
    struct decimal decimal = {.negative = negative};
    int first = 0, end = row->count;

    while (end > 0 && row->digits[end - 1] == 0)
        end--;
    while (first < end && row->digits[first] == 0)
        first++;
    decimal.point = row->point - first;
    bool too_many = end - first > NUMBER_DIGITS_MOST;
    if (first < end && !check_range(decimal.point, too_many, err))
        return false;
    decimal.count = end - first;
    memcpy(decimal.digits, row->digits + first, (size_t)decimal.count);
    encode(&decimal, out);
    return true;
}

static bool sum(struct bytes one, struct bytes other, bool minus, struct number *out,
                struct err *err)
{
    struct decimal a = {0}, b = {0};
    struct row left, right;

    if (one.size > 1)
        decode(one, &a);
    if (other.size > 1)
        decode(other, &b);
    if (a.count == 0)
        a.point = b.point;
    if (b.count == 0)
        b.point = a.point;
    b.negative ^= minus;
    int point = 1 + (a.point > b.point ? a.point : b.point);
    int last = a.point - a.count < b.point - b.count ? a.point - a.count : b.point - b.count;
    row_of(&a, point, point - last, &left);
    row_of(&b, point, point - last, &right);
    if (a.negative == b.negative) {
        row_add(&left, &right);
        return row_to_number(&left, a.negative, out, err);
    }
    bool swap = memcmp(left.digits, right.digits, (size_t)left.count) < 0;
    row_subtract(swap ? &right : &left, swap ? &left : &right);
    return row_to_number(swap ? &right : &left, swap ? b.negative : a.negative, out, err);
}

bool number_add(struct bytes one, struct bytes other, struct number *out, struct err *err)
{
    return sum(one, other, false, out, err);
}

bool number_subtract(struct bytes one, struct bytes other, struct number *out, struct err *err)
{
    return sum(one, other, true, out, err);
}

/* ---- digits to text ------------------------------------------------------------------------- */

static uint8_t *put_zeros(uint8_t *to, int count)
{
    if (count <= 0)
        return to;
    memset(to, '0', (size_t)count);
    return to + count;
}

static uint8_t *put_digits(uint8_t *to, const uint8_t *digits, int count)
{
    for (int i = 0; i < count; i++)
        *to++ = (uint8_t)('0' + digits[i]);
    return to;
}

size_t number_print_to(struct bytes encoded, uint8_t *to)
{
    struct decimal decimal;
    uint8_t *start = to;

    if (encoded.data[0] == ZERO && encoded.size == 1) {
        *to = '0';
        return 1;
    }
    decode(encoded, &decimal);
    int whole = decimal.point < 0               ? 0
                : decimal.point < decimal.count ? decimal.point
                                                : decimal.count;
    if (decimal.negative)
        *to++ = '-';
    if (whole == 0)
        *to++ = '0';
    to = put_digits(to, decimal.digits, whole);
    to = put_zeros(to, decimal.point - decimal.count);
    if (whole < decimal.count) {
        *to++ = '.';
        to = put_zeros(to, -decimal.point);
        to = put_digits(to, decimal.digits + whole, decimal.count - whole);
    }
    return (size_t)(to - start);
}

void number_print(struct bytes encoded, struct buf *out)
{
    out->size += number_print_to(encoded, buf_room(out, NUMBER_TEXT_MOST));
}

static uint8_t *put_exponent(uint8_t *to, int exponent)
{
    uint8_t reversed[3];
    int count = 0;

    *to++ = 'd';
    if (exponent < 0)
        *to++ = '-';
    for (int left = exponent < 0 ? -exponent : exponent; left > 0; left /= 10)
        reversed[count++] = (uint8_t)(left % 10);
    while (count > 0)
        *to++ = (uint8_t)('0' + reversed[--count]);
    return to;
}

/* Below 10^-6 java.math.BigDecimal, whose text the service's writer follows, turns to exponents. */
#define ION_POINT_LEAST (-5)

size_t number_print_ion_to(struct bytes encoded, uint8_t *to)
{
    struct decimal decimal = {0};
    uint8_t *start = to;

    if (encoded.size > 1)
        decode(encoded, &decimal);
    int exponent = decimal.point - decimal.count;
    if (decimal.negative)
        *to++ = '-';
    if (decimal.count == 0) {
        *to++ = '0';
        *to++ = '.';
    } else if (exponent > 0 || decimal.point < ION_POINT_LEAST) {
        to = put_digits(to, decimal.digits, decimal.count);
        to = put_exponent(to, exponent);
    } else if (decimal.point > 0) {
        to = put_digits(to, decimal.digits, decimal.point);
        *to++ = '.';
        to = put_digits(to, decimal.digits + decimal.point, decimal.count - decimal.point);
    } else {
        *to++ = '0';
        *to++ = '.';
        to = put_zeros(to, -decimal.point);
        to = put_digits(to, decimal.digits, decimal.count);
    }
    return (size_t)(to - start);
}
