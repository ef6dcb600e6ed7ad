/* jobs/record.c - records of jobs in the catalogue. */
#include "jobs/record.h"

struct bytes record_key(struct arena *arena, enum record_kind kind, struct bytes name)
{
    struct buf key;

    buf_init_in(&key, arena);
    buf_put_u8(&key, (uint8_t)kind);
    buf_put_bytes(&key, name);
    return buf_bytes(&key);
}

struct bytes record_key_after(struct arena *arena, struct bytes prefix)
{
    struct bytes after = arena_copy(arena, prefix);
    uint8_t *data = (uint8_t *)after.data;

    while (after.size > 0 && data[after.size - 1] == 0xff)
        after.size--;
    if (after.size > 0)
        data[after.size - 1]++;
    return after;
}

bool record_read(const struct engine *engine, struct bytes value, struct record *out,
                 struct err *err)
{
    size_t stamp_size = engine->limits.stamp_size;
    struct err reason;

    if (value.size < stamp_size)
        return err_fail(err, ERR_CORRUPT, "a catalogue record of %zu bytes", value.size);
    if (!item_check(bytes_from(value, stamp_size), &reason))
        return err_fail(err, ERR_CORRUPT, "a catalogue record: %s", reason.message);
    out->stamp = bytes_of(value.data, stamp_size);
    out->item = bytes_from(value, stamp_size);
    return true;
}

bool record_get(struct engine *engine, struct bytes key, struct arena *arena, struct record *out,
                struct err *err)
{
    struct engine_value value = {0};
    bool found;

    if (!engine_get(engine, NULL, SPACE_CATALOG, key, &value, &found, err))
        return false;
    *out = (struct record){0};
    if (!found)
        return true;
    struct bytes copy = arena_copy(arena, value.bytes);
    engine_value_release(&value);
    return record_read(engine, copy, out, err);
}

void record_put(struct engine_batch *batch, const struct engine *engine, struct bytes key,
                struct bytes was, struct bytes item)
{
    struct buf key_buf, value;

    buf_init_in(&key_buf, batch->arena);
    buf_put_bytes(&key_buf, key);
    buf_init_in(&value, batch->arena);
    memset(buf_room(&value, engine->limits.stamp_size), 0, engine->limits.stamp_size);
    value.size += engine->limits.stamp_size;
    buf_put_bytes(&value, item);
    batch_expect(batch, SPACE_CATALOG, key, was, false);
    batch_put_marked(batch, SPACE_CATALOG, &key_buf, &value, batch_slot(batch))->stamp_in_value = 0;
}

void record_delete(struct engine_batch *batch, struct bytes key, struct bytes was)
{
    batch_expect(batch, SPACE_CATALOG, key, was, false);
    batch_delete(batch, SPACE_CATALOG, key);
}
