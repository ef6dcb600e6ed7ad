/* test/fuzz/item_json.c - an item that was read from any text is a valid one, and written as JSON
 * and read again it is the same. Mistakes are of the two kinds that the service knows. */
#include <assert.h>

#include "item/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read(struct bytes text, struct arena *arena, struct item_read *out)
{
    struct json_reader reader;
    struct err err;

    json_reader_init(&reader, text, arena);
    if (!item_read_json(&reader, out, &err) || !json_end(&reader, &err)) {
        assert(err.code == ERR_SERIALIZATION);
        return false;
    }
    assert(out->invalid == NULL || out->invalid->code == ERR_VALIDATION);
    return out->invalid == NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct item_read once, twice;
    struct arena arena;
    struct buf text;
    struct err err;

    arena_init(&arena);
    buf_init(&text);
    if (read(bytes_of(data, size), &arena, &once)) {
        bool valid = item_check(once.packed, &err);
        assert(valid);
        item_write_json(once.packed, &text);
        bool again = read(buf_bytes(&text), &arena, &twice);
        assert(again && bytes_equal(once.packed, twice.packed));
    }
    buf_release(&text);
    arena_release(&arena);
    return 0;
}
