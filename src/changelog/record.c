/* changelog/record.c - log records and their keys (doc/changelog-format.md):
 *
 *     key    table (8) | epoch (4) | shard (4) | stamp
 *     value  version (1) | time (8) | cause (1) | key | before | after
 *
 * where key and images have their length before them as a varint; an image of no bytes is absence,
 * since a packed item has at least one. Within a shard the order of keys is the order of commits.
 */
#include "changelog/changelog.h"

#include "base/cursor.h"

#define RECORD_VERSION 1
#define RECORD_TIME_AT 1
#define VARINT_MOST    5

uint32_t log_shard(struct bytes item_key)
{
    return item_key.size == 0 ? 0 : item_key.data[0] >> (8 - LOG_SHARD_BITS);
}

void log_put_prefix(struct buf *out, uint64_t table, uint32_t epoch, uint32_t shard)
{
    buf_put_be64(out, table);
    buf_put_be32(out, epoch);
    buf_put_be32(out, shard);
}

void log_put_end(struct buf *out, uint64_t table, uint32_t epoch, uint32_t shard)
{
    log_put_prefix(out, table, epoch, shard + 1);
}

static void put_sized(struct buf *out, struct bytes bytes)
{
    buf_put_varint(out, (uint32_t)bytes.size);
    buf_put_bytes(out, bytes);
}

void changelog_append(struct engine_batch *batch, const struct engine_limits *limits,
                      uint64_t table, uint32_t epoch, uint32_t slot,
                      const struct log_record *record)
{
    uint8_t stamp[STAMP_MOST] = {0};
    struct buf key, value;

    buf_init_in(&key, batch->arena);
    buf_grow(&key, 16 + limits->stamp_size);
    log_put_prefix(&key, table, epoch, log_shard(record->key));
    uint32_t stamp_at = (uint32_t)key.size;
    buf_put(&key, stamp, limits->stamp_size);

    buf_init_in(&value, batch->arena);
    buf_grow(&value,
             10 + 3 * VARINT_MOST + record->key.size + record->before.size + record->after.size);
    buf_put_u8(&value, RECORD_VERSION);
    buf_put_be64(&value, 0);
    buf_put_u8(&value, (uint8_t)record->cause);
    put_sized(&value, record->key);
    put_sized(&value, record->before);
    put_sized(&value, record->after);

    struct batch_op *op = batch_put_marked(batch, SPACE_CHANGELOG, &key, &value, slot);
    op->stamp_in_key = stamp_at;
    op->time_in_value = RECORD_TIME_AT;
}

static struct bytes take_sized(struct cursor *cursor)
{
    return cursor_bytes(cursor, cursor_varint(cursor));
}

bool log_record_read(struct bytes value, struct log_record *out, struct err *err)
{
    struct cursor cursor = cursor_of(value);
    uint8_t version = cursor_u8(&cursor);
    struct log_record record = {.time = cursor_be64(&cursor)};
    uint8_t cause = cursor_u8(&cursor);

    record.key = take_sized(&cursor);
    record.before = take_sized(&cursor);
    record.after = take_sized(&cursor);
    if (version != RECORD_VERSION || !cursor_ended(&cursor) || record.key.size == 0 ||
        cause < CAUSE_WRITE || cause > CAUSE_EXPIRY)
        return err_fail(err, ERR_CORRUPT, "a log record of version %u with %zu bytes", version,
                        value.size);
    record.cause = (enum cause)cause;
    *out = record;
    return true;
}
