/* test/fuzz/number.c - text that is a number has valid bytes, and valid bytes print as text that
 * reads as the same bytes. */
#include <assert.h>

#include "item/number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_bytes(struct bytes encoded)
{
    struct number again;
    struct err err;
    struct buf text;
    int64_t integer;

    buf_init(&text);
    number_print(encoded, &text);
    assert(text.size <= NUMBER_TEXT_MOST);
    bool ok = number_read(buf_bytes(&text), &again, &err);
    assert(ok && bytes_equal(number_bytes(&again), encoded));
    if (number_to_integer(encoded, &integer)) {
        number_of_integer(integer, &again);
        assert(bytes_equal(number_bytes(&again), encoded));
    }
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct number number;
    struct err err;

    if (number_read(bytes_of(data, size), &number, &err)) {
        assert(number_valid(number_bytes(&number)));
        check_bytes(number_bytes(&number));
    } else {
        assert(err.code == ERR_VALIDATION);
    }
    if (number_valid(bytes_of(data, size)))
        check_bytes(bytes_of(data, size));
    return 0;
}
