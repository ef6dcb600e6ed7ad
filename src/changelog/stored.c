/* changelog/stored.c - values that say which commit wrote them: stamp | time | packed item. */
#include "changelog/changelog.h"

#define TIME_SIZE 8

bool stored_item_read(const struct engine_limits *limits, struct bytes value,
                      struct stored_item *out, struct err *err)
{
    size_t head = limits->stamp_size + TIME_SIZE;

    if (value.size <= head)
        return err_fail(err, ERR_CORRUPT, "a stored item of %zu bytes", value.size);
    out->stamp = bytes_of(value.data, limits->stamp_size);
    out->time = be64_load(value.data + limits->stamp_size);
    out->item = bytes_from(value, head);
    return true;
}

struct bytes stored_item_put(struct engine_batch *batch, const struct engine_limits *limits,
                             enum engine_space space, struct bytes key, struct bytes item,
                             uint32_t slot)
{
    size_t head = limits->stamp_size + TIME_SIZE;
    struct buf key_buf, value;

    buf_init_in(&key_buf, batch->arena);
    buf_put_bytes(&key_buf, key);
    buf_init_in(&value, batch->arena);
    memset(buf_room(&value, head + item.size), 0, head);
    value.size = head;
    buf_put_bytes(&value, item);
    struct batch_op *op = batch_put_marked(batch, space, &key_buf, &value, slot);
    op->stamp_in_value = 0;
    op->time_in_value = (uint32_t)limits->stamp_size;
    return buf_bytes(&value);
}
