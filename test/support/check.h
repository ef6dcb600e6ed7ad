/* test/support/check.h - cmocka with the headers it wants before it, and checks on our own types.
 */
#ifndef SUPPORT_CHECK_H
#define SUPPORT_CHECK_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "base/bytes.h"

/* Two runs of bytes are the same; shows both when they are text. */
#define assert_bytes_equal(actual, expected)                                                       \
    do {                                                                                           \
        struct bytes actual_ = (actual), expected_ = (expected);                                   \
        if (!bytes_equal(actual_, expected_))                                                      \
            fail_msg("%.*s != %.*s", BYTES_ARGS(actual_), BYTES_ARGS(expected_));                  \
    } while (0)

#endif
