/* table/collection.c - the sizes of item collections: counters beside those of statistics, added to
 * in the batch of each write of a table with local indexes, so they are exact. A table has its
 * local indexes from its creation on, so nothing was ever written without being counted. The
 * counter of a partition that was emptied stays, as 0, until the table is purged.
 *
 * The limit is weighed against what was committed when the write looked: writes of one partition
 * that are under way together may pass it by their own size, not more. */
#include "table/collection.h"

#include "base/cursor.h"

struct bytes collection_of(struct arena *arena, const struct table *table, struct bytes key)
{
    struct bytes rest = bytes_from(key, 8), value; /* behind the hash */

    if (!key_take_part(&rest, table->keys[0].type, arena, &value))
        return key;
    return bytes_of(key.data, key.size - rest.size);
}

struct bytes collection_place(struct arena *arena, const struct table *table, struct bytes key)
{
    struct bytes collection = collection_of(arena, table, key);
    uint8_t *place = arena_alloc(arena, 12 + collection.size);

    be64_store(place, table->number);
    be32_store(place + 8, TALLY_SHARDS);
    memcpy(place + 12, collection.data, collection.size);
    return bytes_of(place, 12 + collection.size);
}

bool collection_read(struct engine *engine, const struct engine_snapshot *snapshot,
                     struct bytes place, uint64_t *bytes, struct err *err)
{
    struct engine_value value;
    bool found;

    if (!engine_get(engine, snapshot, SPACE_STATISTICS, place, &value, &found, err))
        return false;
    struct cursor cursor = cursor_of(value.bytes);
    *bytes = found ? cursor_be64(&cursor) : 0;
    bool ok = !found || cursor_ended(&cursor) ||
              err_fail(err, ERR_CORRUPT, "the size of a collection of %zu bytes", value.bytes.size);
    engine_value_release(&value);
    return ok;
}

struct bytes collection_key(const struct write *write, struct arena *arena)
{
    const struct key_attribute *partition = &write->table->keys[0];
    struct bytes rest = bytes_from(write->key, 8), value;
    struct buf item;

    if (!table_has_collections(write->table) ||
        !key_take_part(&rest, partition->type, arena, &value))
        return BYTES_NONE;
    buf_init_in(&item, arena);
    item_open(&item);
    value_put_name(&item, partition->name);
    if (partition->type == KEY_N)
        value_put_number(&item, value);
    else
        value_put_data(&item, key_value_type(partition->type), value);
    return buf_bytes(&item);
}

bool collection_check(const struct write *write, struct err *err)
{
    return write->collection_after <= write->collection_before ||
           write->collection_after <= COLLECTION_SIZE_MOST ||
           err_fail(err, ERR_COLLECTION_SIZE, "Collection size exceeded.");
}
