/* test/unit/export_window.c - which windows there may be: spec/export.md 2.6, in its order. */
#include "support/check.h"

#include "archive/export_window.h"

#define DAY INT64_C(86400)
/* The table is from 1.5 s after this, and it is 2 days and 0.7 s after it now. */
#define ZERO INT64_C(1760000000) /* 2025-10-09T08:53:20Z */
#define NOW  (2 * DAY)

static const struct {
    int64_t from_ms, to_ms; /* from ZERO on; -1: no end was sent */
    int64_t from, to;
    const char *message;
} cases[] = {
    {1000, 901000, 1, 901, NULL}, /* in the second of the creation; exactly a quarter */
    {999, 901000, 0, 0,
     "Incremental export period from time cannot be less than the table creation time : "
     "2025-10-09T08:53:20Z"},
    {-ZERO * 1000, 901000, 0, 0,
     "Incremental export period from time cannot be less than the table creation time : "
     "1970-01-01T00:00:00Z"},
    {5000, 904999, 0, 0,
     "Difference between export period from time and export period to time is less than 15 "
     "minutes"},
    {5999, 905000, 5, 905, NULL}, /* fractions are cut off both */
    {5000, 5000 + 86400000, 5, 5 + DAY, NULL},
    {5000, 5999 + 86400000, 5, 5 + DAY, NULL},
    {5000, 6000 + 86400000, 0, 0,
     "Difference between export period from time and export period to time is greater than 24 "
     "hours"},
    {5000, 5000, 0, 0,
     "Incremental export period from time should not be greater or equal to incremental "
     "export period to time"},
    {9000, 5000, 0, 0,
     "Incremental export period from time should not be greater or equal to incremental "
     "export period to time"},
    {(NOW - 900) * 1000, NOW * 1000 + 999, NOW - 900, NOW, NULL}, /* this very second */
    {(NOW - 900) * 1000, NOW * 1000 + 1000, 0, 0,
     "Incremental export period to time cannot be greater than the current time : "
     "2025-10-11T08:53:21Z"},
    {(NOW - 1000) * 1000, -1, NOW - 1000, NOW, NULL},
    {(NOW - 899) * 1000, -1, 0, 0,
     "Difference between export period from time and export period to time is less than 15 "
     "minutes"},
    {(NOW + 100) * 1000, -1, 0, 0,
     "Incremental export period from time should not be greater or equal to incremental "
     "export period to time"},
    {0, -1, 0, 0, /* each check hides those behind it */
     "Incremental export period from time cannot be less than the table creation time : "
     "2025-10-09T08:53:20Z"},
    {(NOW + 10) * 1000, (NOW + 5) * 1000, 0, 0,
     "Incremental export period to time cannot be greater than the current time : "
     "2025-10-11T08:53:25Z"},
};

static void windows_are_weighed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct export_request request = {
            .window = true,
            .window_from = true,
            .from_ms = (uint64_t)(ZERO * 1000 + cases[i].from_ms),
            .window_to = cases[i].to_ms != -1,
            .to_ms = (uint64_t)(ZERO * 1000 + cases[i].to_ms),
        };
        struct export_window window = {0};
        struct err err = {0};
        bool ok = export_window_check(&request, ZERO * 1000000 + 1500000,
                                      (ZERO + NOW) * 1000000 + 700000, &window, &err);
        assert_string_equal(ok ? "" : err.message,
                            cases[i].message == NULL ? "" : cases[i].message);
        assert_int_equal(err.code, ok ? ERR_NONE : ERR_INVALID_EXPORT_TIME);
        assert_int_equal(window.from, ok ? ZERO + cases[i].from : 0);
        assert_int_equal(window.to, ok ? ZERO + cases[i].to : 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(windows_are_weighed)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
