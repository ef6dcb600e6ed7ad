/* test/unit/number.c - the vectors of spec/keys.md and spec/export.md 5.2, what is a number and
 * what is not, and the order of random numbers beside a comparison of their digits. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "item/number.h"

#define OVERFLOWS                                                                                  \
    "Number overflow. Attempting to store a number with magnitude larger than supported range"
#define UNDERFLOWS                                                                                 \
    "Number underflow. Attempting to store a number with magnitude smaller than supported range"
#define TOO_LONG    "Attempting to store more than 38 significant digits in a Number"
#define NOT_NUMERIC "The parameter cannot be converted to a numeric value"
#define NINES38     "99999999999999999999999999999999999999"
#define ZEROS50     "00000000000000000000000000000000000000000000000000"

static struct number number_of(const char *text)
{
    struct number number;
    struct err err;

    if (!number_read(bytes_of_text(text), &number, &err))
        fail_msg("%s: %s", text, err.message);
    assert_true(number_valid(number_bytes(&number)));
    return number;
}

static void bytes_are_the_vectors(void **state)
{
    static const struct {
        const char *text;
        struct bytes bytes;
    } vectors[] = {
        {"1", BYTES_INIT("\xc1\x02")},        {"10", BYTES_INIT("\xc1\x0b")},
        {"100", BYTES_INIT("\xc2\x02")},      {"0.1", BYTES_INIT("\xc0\x0b")},
        {"123", BYTES_INIT("\xc2\x02\x18")},  {"-1", BYTES_INIT("\x3e\x64\x66")},
        {"-100", BYTES_INIT("\x3d\x64\x66")}, {"0", BYTES_INIT("\x80")},
        {"-0", BYTES_INIT("\x80")},           {"0e125", BYTES_INIT("\x80")},
        {"1E-130", BYTES_INIT("\x80\x02")},   {"9.9E+125", BYTES_INIT("\xff\x64")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct number number = number_of(vectors[i].text);
        assert_bytes_equal(number_bytes(&number), vectors[i].bytes);
    }
}

static void sizes_are_the_vectors(void **state)
{
    static const struct {
        const char *text;
        size_t size;
    } vectors[] = {
        {"0", 1},      {"42", 2},     {"7", 2},      {"-7", 3},         {"100", 2},
        {"1000", 2},   {"12345", 4},  {"3.14", 3},   {"0.5", 2},        {"0.005", 2},
        {"-12.5", 4},  {"1E-130", 2}, {NINES38, 20}, {"-" NINES38, 21}, {"3.14159", 5},
        {"123456", 4}, {"1E125", 2},
    };
    /* dynamodb-conformance, limits/numberByteSize, recorded 2026-08 */
    static const struct {
        const char *text;
        size_t size;
    } recorded[] = {
        {"0", 1},
        {"1", 2},
        {"12", 2},
        {"123", 3},
        {"1234", 3},
        {"0042", 2},
        {"100", 2},
        {"1010", 3},
        {"1E125", 2},
        {"1E-100", 2},
        {"0.0000001", 2},
        {"1.5", 3},
        {"15", 2},
        {"1.2", 3},
        {"1.200", 3},
        {"1.234", 4},
        {"100.5", 4},
        {"0.15", 2},
        {"-42", 3},
        {"-0", 1},
        {"3.14159", 5},
        {"123456", 4},
        {"12345678901234567890123456789012345678", 20},
    };

    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        assert_int_equal(number_of(vectors[i].text).size, vectors[i].size);
    for (size_t i = 0; i < sizeof recorded / sizeof *recorded; i++)
        assert_int_equal(number_of(recorded[i].text).size, recorded[i].size);
}

static void text_is_canonical(void **state)
{
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        {"0", "0"},
        {"-0", "0"},
        {"-0.000e5", "0"},
        {"1.0", "1"},
        {"+3", "3"},
        {".123", "0.123"},
        {"5.", "5"},
        {"0001.23", "1.23"},
        {"1e+5", "100000"},
        {"-17.4E37", "-174000000000000000000000000000000000000"},
        {"1.5E2", "150"},
        {"0042.1200", "42.12"},
        {"0.000001", "0.000001"},
        {"-0.0000010", "-0.000001"},
        {"1E-3", "0.001"},
        {"12e-1", "1.2"},
        {"1e00000000000000000005", "100000"},
        {"1e-05", "0.00001"},
        {NINES38, NINES38},
        {NINES38 "00000", NINES38 "00000"},
        {"0." ZEROS50 NINES38, "0." ZEROS50 NINES38},
        {"1" ZEROS50 ZEROS50, "1" ZEROS50 ZEROS50},
        {ZEROS50 "7." ZEROS50, "7"},
    };
    struct buf text;

    (void)state;
    buf_init(&text);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct number number = number_of(cases[i].text);
        buf_clear(&text);
        number_print(number_bytes(&number), &text);
        assert_bytes_equal(buf_bytes(&text), bytes_of_text(cases[i].canonical));
    }
    buf_release(&text);
}

static void the_ends_of_the_range_print_in_full(void **state)
{
    struct number most = number_of("-9.9999999999999999999999999999999999999E+125");
    struct number least = number_of("1E-130");
    char expected[256];
    struct buf text;

    (void)state;
    buf_init(&text);
    number_print(number_bytes(&most), &text);
    snprintf(expected, sizeof expected, "-" NINES38 "%088d", 0);
    assert_bytes_equal(buf_bytes(&text), bytes_of_text(expected));
    buf_clear(&text);
    number_print(number_bytes(&least), &text);
    snprintf(expected, sizeof expected, "0.%0129d1", 0);
    assert_bytes_equal(buf_bytes(&text), bytes_of_text(expected));
    buf_release(&text);
}

static void the_longest_text_has_its_room(void **state)
{
    struct number number = number_of("-1.2345678901234567890123456789012345678e-130");
    struct buf text;

    (void)state;
    buf_init(&text);
    number_print(number_bytes(&number), &text);
    assert_int_equal(text.size, NUMBER_TEXT_MOST);
    buf_release(&text);
}

static void what_is_no_number_is_refused(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", NOT_NUMERIC ": "},
        {"b", NOT_NUMERIC ": b"},
        {"NaN", NOT_NUMERIC ": NaN"},
        {"-Infinity", NOT_NUMERIC ": -Infinity"},
        {" 1", NOT_NUMERIC ":  1"},
        {"1 ", NOT_NUMERIC ": 1 "},
        {"0x10", NOT_NUMERIC ": 0x10"},
        {"1e", NOT_NUMERIC ": 1e"},
        {"1e+", NOT_NUMERIC ": 1e+"},
        {"1e5.", NOT_NUMERIC ": 1e5."},
        {"e5", NOT_NUMERIC ": e5"},
        {".", NOT_NUMERIC ": ."},
        {"-", NOT_NUMERIC ": -"},
        {"+-1", NOT_NUMERIC ": +-1"},
        {"1.2.3", NOT_NUMERIC ": 1.2.3"},
        {"1,000", NOT_NUMERIC ": 1,000"},
        {"1_0", NOT_NUMERIC ": 1_0"},
        {"1f", NOT_NUMERIC ": 1f"},
        {"1e9223372036854775808", NOT_NUMERIC ": 1e9223372036854775808"},
        {"1e99999999999999999999999999", NOT_NUMERIC ": 1e99999999999999999999999999"},
        {"\xd9\xa1", NOT_NUMERIC ": \xd9\xa1"},
        {"1e126", OVERFLOWS},
        {"-1e126", OVERFLOWS},
        {"11e125", OVERFLOWS},
        {"1.0e100000000", OVERFLOWS},
        {"1e2147483647", OVERFLOWS},
        {"1e2147483648", OVERFLOWS},
        {"-1e9223372036854775807", OVERFLOWS},
        {"0e126", OVERFLOWS},
        {"0.00e126", OVERFLOWS},
        {"1e-131", UNDERFLOWS},
        {"-1e-131", UNDERFLOWS},
        {"0.9e-130", UNDERFLOWS},
        {"1e-2147483647", UNDERFLOWS},
        {"1e-99999999999", UNDERFLOWS},
        {"0e-131", UNDERFLOWS},
        {"123456789012345678901234567890123456789", TOO_LONG},
        {"-1.23456789012345678901234567890123456789", TOO_LONG},
        {"1.00000000000000000000000000000000000001", TOO_LONG},
        {"123456789012345678901234567890123456789e100", OVERFLOWS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct number number;
        struct err err;
        assert_false(number_read(bytes_of_text(cases[i].text), &number, &err));
        assert_int_equal(err.code, ERR_VALIDATION);
        assert_string_equal(err.message, cases[i].message);
    }
}

/* dynamodb-conformance, error-messages/valueLayers. */
static void older_operations_read_exponents_of_32_bits(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"abc", NOT_NUMERIC ": abc"},
        {"", NOT_NUMERIC},
        {"1e126", OVERFLOWS},
        {"1e2147483646", OVERFLOWS},
        {"1e2147483647", UNDERFLOWS},
        {"1e2147483648", NOT_NUMERIC ": 1e2147483648"},
        {"1e-2147483648", NOT_NUMERIC ": 1e-2147483648"},
        {"1e-131", UNDERFLOWS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct number number;
        struct err err;
        assert_false(number_read(bytes_of_text(cases[i].text), &number, &err));
        number_tell_older(bytes_of_text(cases[i].text), &err);
        assert_string_equal(err.message, cases[i].message);
    }
}

static void long_texts_are_read_once(void **state)
{
    struct buf text;
    struct number number;
    struct err err;

    (void)state;
    buf_init(&text);
    buf_put_text(&text, "-");
    for (int i = 0; i < 400000; i++)
        buf_put_u8(&text, '0');
    buf_put_text(&text, ".");
    for (int i = 0; i < 400000; i++)
        buf_put_u8(&text, '0');
    assert_true(number_read(buf_bytes(&text), &number, &err));
    assert_int_equal(number.size, 1);
    buf_put_text(&text, "1");
    assert_false(number_read(buf_bytes(&text), &number, &err));
    assert_string_equal(err.message, UNDERFLOWS);
    buf_put_text(&text, "e400000");
    assert_true(number_read(buf_bytes(&text), &number, &err));
    assert_bytes_equal(number_bytes(&number), BYTES("\x3f\x5b\x66"));
    buf_release(&text);
}

static void bytes_that_are_no_number_are_seen(void **state)
{
    static const struct bytes bad[] = {
        BYTES_INIT(""),
        BYTES_INIT("\x81"),
        BYTES_INIT("\xc1"),
        BYTES_INIT("\x80\x01"),         /* a pair of zeros in front */
        BYTES_INIT("\xc1\x02\x01"),     /* behind */
        BYTES_INIT("\xc1\x65"),         /* a pair of 100 */
        BYTES_INIT("\xc1\x00"),         /* of -1 */
        BYTES_INIT("\x3e\x64"),         /* no end */
        BYTES_INIT("\x3e\x66"),         /* nothing but the end */
        BYTES_INIT("\x3e\x64\x66\x66"), /* two ends */
        BYTES_INIT("\x3e\x64\x65\x66"), /* a pair of zeros behind */
        BYTES_INIT(
            "\xc1\x64\x64\x64\x64\x64\x64\x64\x64\x64\x64\x64\x64\x64\x64\x64\x64\x64\x64\x64"
            "\x64"), /* 40 digits */
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (number_valid(bad[i]))
            fail_msg("case %zu", i);
}

/* ---- beside another way of comparing -------------------------------------------------------- */

struct sample {
    int sign, power; /* 0.digits x 10^power */
    char digits[NUMBER_DIGITS_MOST + 1];
    struct number number;
};

static void sample_init(struct sample *sample, uint64_t *seed)
{
    static const int powers[] = {-129, -128, -1, 0, 1, 2, 3, 19, 38, 125, 126};
    size_t count = 1 + random_next(seed) % NUMBER_DIGITS_MOST;
    char text[128];

    for (size_t i = 0; i < count; i++)
        sample->digits[i] = (char)('0' + random_next(seed) % (random_next(seed) % 4 == 0 ? 2 : 10));
    if (sample->digits[0] == '0')
        sample->digits[0] = '1';
    sample->digits[count] = '\0';
    while (count > 1 && sample->digits[count - 1] == '0')
        sample->digits[--count] = '\0';
    sample->sign = random_next(seed) % 2 == 0 ? 1 : -1;
    sample->power = powers[random_next(seed) % (sizeof powers / sizeof *powers)];
    snprintf(text, sizeof text, "%s0.%se%d", sample->sign < 0 ? "-" : "", sample->digits,
             sample->power);
    sample->number = number_of(text);
}

static int sample_compare(const struct sample *a, const struct sample *b)
{
    if (a->sign != b->sign)
        return a->sign;
    if (a->power != b->power)
        return a->power < b->power ? -a->sign : a->sign;
    return a->sign * strcmp(a->digits, b->digits);
}

static void bytes_compare_as_the_numbers(void **state)
{
    struct sample *samples = calloc(1000, sizeof *samples);
    uint64_t seed = 20261122;

    (void)state;
    for (int i = 0; i < 1000; i++)
        sample_init(&samples[i], &seed);
    for (int i = 0; i < 1000; i++) {
        struct bytes a = number_bytes(&samples[i].number);
        assert_true((samples[i].sign > 0) == (bytes_compare(a, BYTES("\x80")) > 0));
        for (int j = 0; j < 1000; j++) {
            int order = bytes_compare(a, number_bytes(&samples[j].number));
            int expected = sample_compare(&samples[i], &samples[j]);
            if ((order > 0) != (expected > 0) || (order < 0) != (expected < 0))
                fail_msg("%d and %d", i, j);
        }
    }
    free(samples);
}

static void printed_numbers_read_the_same(void **state)
{
    uint64_t seed = 7;
    struct buf text;
    struct err err;

    (void)state;
    buf_init(&text);
    for (int i = 0; i < 20000; i++) {
        struct sample sample;
        struct number again;
        sample_init(&sample, &seed);
        buf_clear(&text);
        number_print(number_bytes(&sample.number), &text);
        assert_true(number_read(buf_bytes(&text), &again, &err));
        assert_bytes_equal(number_bytes(&again), number_bytes(&sample.number));
    }
    buf_release(&text);
}

static void integers_come_back(void **state)
{
    static const int64_t values[] = {0,
                                     1,
                                     -1,
                                     10,
                                     -100,
                                     9007199254740993,
                                     INT64_MAX,
                                     INT64_MIN,
                                     INT64_MIN + 1,
                                     1000000000000000000};
    static const char *const others[] = {
        "0.5", "-1.25", "9223372036854775808", "-9223372036854775809", "1e30", "1e-3"};
    struct number number;
    int64_t back;
    char text[32];

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        number_of_integer(values[i], &number);
        snprintf(text, sizeof text, "%lld", (long long)values[i]);
        struct number expected = number_of(text);
        assert_bytes_equal(number_bytes(&number), number_bytes(&expected));
        assert_true(number_to_integer(number_bytes(&number), &back));
        assert_int_equal(back, values[i]);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        number = number_of(others[i]);
        assert_false(number_to_integer(number_bytes(&number), &back));
    }
}

/* ---- sums ----------------------------------------------------------------------------------- */

static void sums_are_exact(void **state)
{
    static const struct {
        const char *one, *other, *sum, *difference;
    } cases[] = {
        {"0", "0", "0", "0"},
        {"1", "0", "1", "1"},
        {"0", "1", "1", "-1"},
        {"0.1", "0.2", "0.3", "-0.1"},
        {"99", "1", "100", "98"},
        {"-5", "5", "0", "-10"},
        {"1", "-100", "-99", "101"},
        {"0.001", "1000", "1000.001", "-999.999"},
        {NINES38, "1", "100000000000000000000000000000000000000",
         "99999999999999999999999999999999999998"},
        {"1E-130", "1E-130", NULL, "0"},
        {"1E125", "-1E125", "0", NULL},
    };
    struct number sum;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct number one = number_of(cases[i].one), other = number_of(cases[i].other);
        assert_true(number_add(number_bytes(&one), number_bytes(&other), &sum, &err));
        if (cases[i].sum != NULL) {
            struct number wanted = number_of(cases[i].sum);
            assert_bytes_equal(number_bytes(&sum), number_bytes(&wanted));
        }
        assert_true(number_subtract(number_bytes(&one), number_bytes(&other), &sum, &err));
        if (cases[i].difference != NULL) {
            struct number wanted = number_of(cases[i].difference);
            assert_bytes_equal(number_bytes(&sum), number_bytes(&wanted));
        }
    }
}

static void sums_that_do_not_fit_are_refused(void **state)
{
    static const struct {
        const char *one, *other, *message;
        bool minus;
    } cases[] = {
        {NINES38, "0.1", TOO_LONG, false},      {"1E125", "1E-130", TOO_LONG, false},
        {"1E125", "1", TOO_LONG, true},         {"9E125", "1E125", OVERFLOWS, false},
        {"-9.9E125", "1E124", OVERFLOWS, true}, {"1.5E-130", "1E-130", UNDERFLOWS, true},
    };
    struct number sum;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct number one = number_of(cases[i].one), other = number_of(cases[i].other);
        bool ok = cases[i].minus
                      ? number_subtract(number_bytes(&one), number_bytes(&other), &sum, &err)
                      : number_add(number_bytes(&one), number_bytes(&other), &sum, &err);
        assert_false(ok);
        assert_string_equal(err.message, cases[i].message);
    }
}

/* Beside sums of integers in 128 bits, a random place of the decimal point in front. */
static void random_sums_are_those_of_integers(void **state)
{
    uint64_t seed = 4;
    char text[64];
    struct err err;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        int64_t one = (int64_t)random_next(&seed) >> random_next(&seed) % 62;
        int64_t other = (int64_t)random_next(&seed) >> random_next(&seed) % 62;
        int place = (int)(random_next(&seed) % 40) - 20;
        if (__builtin_add_overflow_p(one, other, (int64_t)0))
            continue;
        snprintf(text, sizeof text, "%lldE%d", (long long)one, place);
        struct number a = number_of(text), sum, back;
        snprintf(text, sizeof text, "%lldE%d", (long long)other, place);
        struct number b = number_of(text);
        snprintf(text, sizeof text, "%lldE%d", (long long)(one + other), place);
        struct number wanted = number_of(text);
        assert_true(number_add(number_bytes(&a), number_bytes(&b), &sum, &err));
        assert_bytes_equal(number_bytes(&sum), number_bytes(&wanted));
        assert_true(number_subtract(number_bytes(&sum), number_bytes(&b), &back, &err));
        assert_bytes_equal(number_bytes(&back), number_bytes(&a));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_the_vectors),
        cmocka_unit_test(sizes_are_the_vectors),
        cmocka_unit_test(text_is_canonical),
        cmocka_unit_test(the_ends_of_the_range_print_in_full),
        cmocka_unit_test(the_longest_text_has_its_room),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(older_operations_read_exponents_of_32_bits),
        cmocka_unit_test(long_texts_are_read_once),
        cmocka_unit_test(bytes_that_are_no_number_are_seen),
        cmocka_unit_test(bytes_compare_as_the_numbers),
        cmocka_unit_test(printed_numbers_read_the_same),
        cmocka_unit_test(integers_come_back),
        cmocka_unit_test(sums_are_exact),
        cmocka_unit_test(sums_that_do_not_fit_are_refused),
        cmocka_unit_test(random_sums_are_those_of_integers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
