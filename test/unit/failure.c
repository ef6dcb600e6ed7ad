/* test/unit/failure.c - what stores tell of failures is text, whatever an endpoint sends. */
#include "support/check.h"

#include "store/failure.h"
#include "json/reader.h"

#define SUFFIX(code, id)                                                                           \
    " (Service: Amazon S3; Status Code: 403; Error Code: " code "; Request ID: " id                \
    "; S3 Extended Request ID: x; Proxy: null)"

static void refusals_are_told(void **state)
{
    static const struct {
        const char *code, *message, *id, *reason, *told;
    } cases[] = {
        {"AccessDenied", "Access Denied", "1", "S3AccessDenied",
         "Access Denied" SUFFIX("AccessDenied", "1")},
        {"KMS.NotFoundException", "\u00e9", "1", "KmsNotFoundException",
         "\u00e9" SUFFIX("KMS.NotFoundException", "1")},
        {"No", "m", "a\xff\xc3", "S3No", "m" SUFFIX("No", "a??")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err;
        assert_false(store_refused(
            &err, &(struct refusal){403, cases[i].code, cases[i].message, cases[i].id, "x"}));
        assert_int_equal(err.code, ERR_STORE);
        assert_string_equal(err.reason, cases[i].reason);
        assert_string_equal(err.message, cases[i].told);
    }
}

/* Codes and messages beyond all limits, which fall at each byte of a character. */
static void what_is_too_long_is_cut_between_characters(void **state)
{
    char text[ERR_MESSAGE_MOST + 8];

    (void)state;
    for (size_t before = 0; before < 3; before++) {
        struct err err;
        memset(text, 'x', before);
        for (size_t at = before; at < sizeof text; at++)
            text[at] = "\u65e5"[(at - before) % 3];
        text[before + (ERR_MESSAGE_MOST + 2) / 3 * 3] = '\0';
        store_refused(&err, &(struct refusal){500, text, text, "1", "2"});
        assert_true(utf8_valid(bytes_of_text(err.message)));
        assert_in_range(strlen(err.message), ERR_MESSAGE_MOST - 3, ERR_MESSAGE_MOST - 1);
        assert_true(utf8_valid(bytes_of_text(err.reason)));
        assert_in_range(strlen(err.reason), sizeof err.reason - 3, sizeof err.reason - 1);
        store_broken(&err, "%s", text);
        assert_true(utf8_valid(bytes_of_text(err.message)));
        assert_in_range(strlen(err.message), ERR_MESSAGE_MOST - 3, ERR_MESSAGE_MOST - 1);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals_are_told),
        cmocka_unit_test(what_is_too_long_is_cut_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
