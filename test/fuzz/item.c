/* test/fuzz/item.c - what item_check() takes is just what the JSON reader writes: an item written
 * as JSON and read again has the same bytes. And each attribute is found, and sizes add up. */
#include <assert.h>

#include "item/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_attributes(struct bytes item)
{
    struct item_walk walk = item_walk(item);
    struct value value, found;
    struct bytes name;
    uint64_t weight = 0;

    while (item_next(&walk, &name, &value)) {
        bool ok = item_find(item, name, &found);
        assert(ok && bytes_equal(found.encoded, value.encoded));
        weight += name.size + value_size(&value);
    }
    assert(weight == item_size(item));
}

static void check_round(struct bytes item, struct arena *arena)
{
    struct json_reader reader;
    struct item_read read;
    struct buf text;
    struct err err;

    buf_init(&text);
    uint64_t size = item_write_json_led(item, NULL, 0, &text);
    assert(size == item_size(item));
    json_reader_init(&reader, buf_bytes(&text), arena);
    bool ok = item_read_json(&reader, &read, &err) && json_end(&reader, &err);
    assert(ok && read.invalid == NULL && bytes_equal(read.packed, item));
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes item = bytes_of(data, size);
    struct arena arena;
    struct err err;

    if (!item_check(item, &err)) {
        assert(err.code == ERR_CORRUPT);
        return 0;
    }
    arena_init(&arena);
    check_attributes(item);
    check_round(item, &arena);
    arena_release(&arena);
    return 0;
}
