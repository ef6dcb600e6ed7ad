/* test/fuzz/item_ion.c - an item that was read from any Ion text is a valid one, and written as Ion
 * and read again it is the same. */
#include <assert.h>

#include "item/ion.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read(struct bytes text, struct arena *arena, struct bytes *out)
{
    struct ion_reader reader;
    struct err err;

    ion_reader_init(&reader, text, arena);
    if (item_read_ion(&reader, out, &err))
        return reader.next == reader.end;
    assert(err.code == ERR_CORRUPT);
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes once, twice;
    struct arena arena;
    struct buf text;
    struct err err;

    arena_init(&arena);
    buf_init(&text);
    if (read(bytes_of(data, size), &arena, &once)) {
        bool valid = item_check(once, &err);
        assert(valid);
        uint64_t weight = item_write_ion(once, &text);
        assert(weight == item_size(once));
        bool again = read(buf_bytes(&text), &arena, &twice);
        assert(again && bytes_equal(once, twice));
    }
    buf_release(&text);
    arena_release(&arena);
    return 0;
}
