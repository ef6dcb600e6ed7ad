/* table/index.c - from an item to its entry in an index, and back to the item's key. The entry of
 * an item is the same whoever computes it and whenever, so the entry before and the one after a
 * write say what the write does to the index, and a checker can tell what an index must hold. */
#include "table/index.h"

#define INVALID   "One or more parameter values were invalid: "
#define NOT_VALID "One or more parameter values are not valid. "
#define EMPTY     "The AttributeValue for a key attribute cannot contain an empty %s value."

#define HASH_SIZE 8

/* --- the attributes of the index's key -------------------------------------------------------- */

/* Whether the values of one half of the key are within its size, all together. */
static bool sizes_fit(const struct value *values, uint32_t from, uint32_t to, size_t most)
{
    size_t size = 0;

    for (uint32_t i = from; i < to; i++)
        size += values[i].content.size;
    return size <= most;
}

/* False: the index has no entry of the item. */
static bool values_find(const struct table_index *index, struct bytes item, struct value *values)
{
    if (item.size == 0)
        return false;
    for (uint32_t i = 0; i < index->key_count; i++)
        if (!item_find(item, index->keys[i].name, &values[i]) ||
            values[i].type != key_value_type(index->keys[i].type) || values[i].content.size == 0)
            return false;
    return sizes_fit(values, 0, index->partition_count, PARTITION_KEY_MOST) &&
           sizes_fit(values, index->partition_count, index->key_count, SORT_KEY_MOST);
}

static bool values_equal(const struct table_index *index, const struct value *a,
                         const struct value *b)
{
    for (uint32_t i = 0; i < index->key_count; i++)
        if (!bytes_equal(a[i].content, b[i].content))
            return false;
    return true;
}

void index_put_partition(struct buf *out, const struct table_index *index,
                         const struct bytes *values)
{
    size_t start = out->size;

    buf_put_be64(out, 0);
    for (uint32_t i = 0; i < index->partition_count; i++)
        key_put_part(out, index->keys[i].type, values[i]);
    struct bytes parts = bytes_from(buf_bytes(out), start + HASH_SIZE);
    be64_store(out->data + start, key_hash(index->partition_count == 1 ? values[0] : parts));
}

static void put_index_values(struct buf *out, const struct table_index *index,
                             const struct value *values)
{
    struct bytes contents[INDEX_KEYS_MOST];

    for (uint32_t i = 0; i < index->key_count; i++)
        contents[i] = values[i].content;
    index_put_partition(out, index, contents);
    for (uint32_t i = index->partition_count; i < index->key_count; i++)
        key_put_part(out, index->keys[i].type, contents[i]);
}

/* The order of entries of a global index that have equal index attributes: the hash of all bytes of
 * the item's key, which for a partition key alone is the item key's own. */
static uint64_t tie_hash(const struct table *table, struct bytes item, struct arena *arena)
{
    struct value value;
    struct buf key;

    buf_init_in(&key, arena);
    for (uint32_t i = 0; i < table->key_count; i++)
        if (item_find(item, table->keys[i].name, &value))
            buf_put_bytes(&key, value.content);
    return key_hash(buf_bytes(&key));
}

/* `item`: one that has the item key. */
static struct bytes key_make(const struct table *table, const struct table_index *index,
                             const struct value *values, struct bytes item_key, struct bytes item,
                             struct arena *arena)
{
    struct buf key;
    size_t size = 0;

    for (uint32_t i = 0; i < index->key_count; i++)
        size += values[i].content.size + 2;
    buf_init_in(&key, arena);
    buf_grow(&key, 2 * HASH_SIZE + size + item_key.size);
    put_index_values(&key, index, values);
    if (!index->local)
        buf_put_be64(&key, table->key_count == 1 ? be64_load(item_key.data)
                                                 : tie_hash(table, item, arena));
    buf_put_bytes(&key, item_key);
    return buf_bytes(&key);
}

/* --- what is projected ------------------------------------------------------------------------ */

static bool is_key_of(const struct key_attribute *keys, uint32_t count, struct bytes name)
{
    for (uint32_t i = 0; i < count; i++)
        if (bytes_equal(keys[i].name, name))
            return true;
    return false;
}

static bool is_key(const struct table *table, const struct table_index *index, struct bytes name)
{
    return is_key_of(index->keys, index->key_count, name) ||
           is_key_of(table->keys, table->key_count, name);
}

static bool is_included(const struct table_index *index, struct bytes name)
{
    for (uint32_t i = 0; i < index->included_count; i++)
        if (bytes_equal(index->included[i], name))
            return true;
    return false;
}

/* An item keeps the order of its attributes when some are left out. */
static struct bytes item_project(const struct table *table, const struct table_index *index,
                                 struct bytes item, bool keys_only, struct arena *arena)
{
    struct item_walk walk = item_walk(item);
    struct bytes name;
    struct value value;
    struct buf out;

    buf_init_in(&out, arena);
    item_open(&out);
    while (item_next(&walk, &name, &value))
        if (is_key(table, index, name) || (!keys_only && is_included(index, name))) {
            value_put_name(&out, name);
            buf_put_bytes(&out, value.encoded);
        }
    return buf_bytes(&out);
}

static struct bytes projected(const struct table *table, const struct table_index *index,
                              struct bytes item, struct arena *arena)
{
    if (index->projection == PROJECT_ALL)
        return item;
    return item_project(table, index, item, index->projection == PROJECT_KEYS_ONLY, arena);
}

bool index_projects(const struct table *table, const struct table_index *index, struct bytes name)
{
    return index->projection == PROJECT_ALL || is_key(table, index, name) ||
           (index->projection == PROJECT_INCLUDE && is_included(index, name));
}

/* --- entries ---------------------------------------------------------------------------------- */

bool index_entry(const struct table *table, const struct table_index *index, struct bytes item_key,
                 struct bytes item, struct arena *arena, struct index_entry *out)
{
    struct value values[INDEX_KEYS_MOST];

    *out = (struct index_entry){.key = BYTES_NONE};
    if (!values_find(index, item, values))
        return false;
    out->key = key_make(table, index, values, item_key, item, arena);
    out->item = projected(table, index, item, arena);
    return true;
}

uint64_t index_entry_size(const struct table *table, const struct table_index *index,
                          struct bytes item)
{
    struct value values[INDEX_KEYS_MOST], value;
    struct item_walk walk = item_walk(item);
    struct bytes name;
    uint64_t size = 0;

    if (!values_find(index, item, values))
        return 0;
    while (item_next(&walk, &name, &value))
        if (index->projection == PROJECT_ALL || is_key(table, index, name) ||
            is_included(index, name))
            size += name.size + value_size(&value);
    return size;
}

/* The index key of both, once, unless there is nothing to do with it. */
static bool step_in_place(const struct table *table, const struct table_index *index,
                          struct bytes item_key, const struct value *values, struct bytes before,
                          struct bytes after, struct arena *arena, struct index_step *out)
{
    out->before.item = projected(table, index, before, arena);
    out->after.item = projected(table, index, after, arena);
    if (bytes_equal(out->before.item, out->after.item))
        return false;
    out->before.key = out->after.key = key_make(table, index, values, item_key, after, arena);
    return true;
}

bool index_step(const struct table *table, const struct table_index *index, struct bytes item_key,
                struct bytes before, struct bytes after, struct arena *arena,
                struct index_step *out)
{
    struct value old[INDEX_KEYS_MOST], new[INDEX_KEYS_MOST];
    bool had = values_find(index, before, old), has = values_find(index, after, new);

    *out = (struct index_step){.before = {.key = BYTES_NONE}};
    if (had && has && values_equal(index, old, new))
        return step_in_place(table, index, item_key, new, before, after, arena, out);
    if (had)
        out->before = (struct index_entry){key_make(table, index, old, item_key, before, arena),
                                           projected(table, index, before, arena)};
    if (has)
        out->after = (struct index_entry){key_make(table, index, new, item_key, after, arena),
                                          projected(table, index, after, arena)};
    return had || has;
}

/* --- what is refused -------------------------------------------------------------------------- */

static bool given_by_put(void *context, struct bytes name, struct value *out)
{
    return item_find(*(const struct bytes *)context, name, out);
}

struct images {
    struct bytes before, after;
};

static bool given_by_update(void *context, struct bytes name, struct value *out)
{
    const struct images *images = context;
    struct value old;

    return item_find(images->after, name, out) &&
           !(item_find(images->before, name, &old) && bytes_equal(old.encoded, out->encoded));
}

/* What stands against a write: of one kind, in the index whose name is least. */
struct objection {
    const struct table_index *index;
    const struct key_attribute *key;
    struct value value;
};

static bool is_mistyped(const struct key_attribute *key, const struct value *value)
{
    return value->type != key_value_type(key->type);
}

static bool is_empty(const struct key_attribute *key, const struct value *value)
{
    (void)key;
    return value->content.size == 0;
}

static bool objection_in(const struct table_index *index, const struct index_given *given,
                         bool (*is_wrong)(const struct key_attribute *, const struct value *),
                         struct objection *out)
{
    struct value value;

    for (uint32_t i = 0; i < index->key_count; i++)
        if (given->find(given->context, index->keys[i].name, &value) &&
            is_wrong(&index->keys[i], &value)) {
            *out = (struct objection){index, &index->keys[i], value};
            return true;
        }
    return false;
}

static bool objection_find(const struct table *table, const struct index_given *given,
                           bool (*is_wrong)(const struct key_attribute *, const struct value *),
                           struct objection *out)
{
    bool found = false;

    for (uint32_t i = 0; i < table->index_count; i++) {
        const struct table_index *index = &table->indexes[i];
        if (!found || bytes_compare(index->name, out->index->name) < 0)
            found = objection_in(index, given, is_wrong, out) || found;
    }
    return found;
}

bool indexes_match(const struct table *table, const struct index_given *given, struct err *err)
{
    struct objection wrong;

    if (!objection_find(table, given, is_mistyped, &wrong))
        return true;
    return err_fail(err, ERR_VALIDATION,
                    INVALID
                    "Type mismatch for Index Key %.*s Expected: %s Actual: %s IndexName: %.*s",
                    BYTES_ARGS(wrong.key->name), value_type_name(key_value_type(wrong.key->type)),
                    value_type_name(wrong.value.type), BYTES_ARGS(wrong.index->name));
}

bool indexes_match_put(const struct table *table, struct bytes item, struct err *err)
{
    return indexes_match(table, &(struct index_given){given_by_put, &item}, err);
}

/* Whether the write has made one half of the key too long, all its attributes together. */
static bool half_exceeds(const struct key_attribute *keys, uint32_t count, struct bytes item,
                         const struct index_given *given, size_t most)
{
    struct value value;
    size_t size = 0;
    bool written = false;

    for (uint32_t i = 0; i < count; i++) {
        written = given->find(given->context, keys[i].name, &value) || written;
        if (item_find(item, keys[i].name, &value) && !is_mistyped(&keys[i], &value))
            size += value.content.size;
    }
    return written && size > most;
}

/* The same of any index; `partition`: it is that half. */
static bool key_exceeds(const struct table *table, struct bytes item,
                        const struct index_given *given, bool *partition)
{
    for (uint32_t i = 0; i < table->index_count; i++) {
        const struct table_index *index = &table->indexes[i];
        uint32_t count = index->partition_count;
        *partition = half_exceeds(index->keys, count, item, given, PARTITION_KEY_MOST);
        if (*partition ||
            half_exceeds(index->keys + count, index->key_count - count, item, given, SORT_KEY_MOST))
            return true;
    }
    return false;
}

bool indexes_match_update(const struct table *table, struct bytes before, struct bytes item,
                          struct err *err)
{
    struct index_given given = {given_by_update, &(struct images){before, item}};
    struct objection wrong;
    bool partition;

    if (objection_find(table, &given, is_mistyped, &wrong))
        return err_fail(err, ERR_VALIDATION,
                        "The update expression attempted to update the secondary index key to "
                        "unsupported type");
    return !key_exceeds(table, item, &given, &partition) ||
           err_fail(err, ERR_VALIDATION,
                    "The update expression attempted to update the secondary index key beyond "
                    "allowed size limits");
}

/* No recording was found of the service's words; these are those of the table's own key. */
static bool sizes_check(const struct table *table, struct bytes item,
                        const struct index_given *given, struct err *err)
{
    bool partition;

    if (!key_exceeds(table, item, given, &partition))
        return true;
    if (partition)
        return err_fail(err, ERR_VALIDATION,
                        INVALID "Size of hashkey has exceeded the maximum size limit of%d bytes",
                        PARTITION_KEY_MOST);
    return err_fail(err, ERR_VALIDATION,
                    INVALID "Aggregated size of all range keys has exceeded the size limit of %d "
                            "bytes",
                    SORT_KEY_MOST);
}

bool indexes_check_put(const struct table *table, struct bytes item, struct err *err)
{
    struct index_given given = {given_by_put, &item};
    struct objection wrong;

    if (!objection_find(table, &given, is_empty, &wrong))
        return sizes_check(table, item, &given, err);
    return err_fail(err, ERR_VALIDATION,
                    NOT_VALID "A value specified for a secondary index key is not supported. " EMPTY
                              " IndexName: %.*s, IndexKey: %.*s",
                    wrong.key->type == KEY_B ? "binary" : "string", BYTES_ARGS(wrong.index->name),
                    BYTES_ARGS(wrong.key->name));
}

bool indexes_check_update(const struct table *table, struct bytes before, struct bytes item,
                          struct err *err)
{
    struct index_given given = {given_by_update, &(struct images){before, item}};
    struct objection wrong;

    if (!objection_find(table, &given, is_empty, &wrong))
        return true;
    return err_fail(err, ERR_VALIDATION,
                    NOT_VALID "The update expression attempted to update a secondary index key to "
                              "a value that is not supported. " EMPTY,
                    wrong.key->type == KEY_B ? "binary" : "string");
}

/* --- index keys ------------------------------------------------------------------------------- */

struct bytes index_key_item(const struct table *table, const struct table_index *index,
                            struct bytes item, struct arena *arena)
{
    return item_project(table, index, item, true, arena);
}

struct bytes index_key_of(const struct table *table, const struct table_index *index,
                          struct bytes key_item, struct arena *arena)
{
    struct value values[INDEX_KEYS_MOST], value;
    struct buf key;

    for (uint32_t i = 0; i < index->key_count; i++)
        if (!item_find(key_item, index->keys[i].name, &values[i]))
            values[i].content = BYTES_NONE;
    buf_init_in(&key, arena);
    put_index_values(&key, index, values);
    if (!index->local)
        buf_put_be64(&key, tie_hash(table, key_item, arena));
    for (uint32_t i = 0; i < table->key_count; i++) {
        if (!item_find(key_item, table->keys[i].name, &value))
            value.content = BYTES_NONE;
        if (i == 0)
            buf_put_be64(&key, key_hash(value.content));
        key_put_part(&key, table->keys[i].type, value.content);
    }
    return buf_bytes(&key);
}

struct bytes index_item_key(const struct table_index *index, struct bytes index_key,
                            struct arena *arena)
{
    struct bytes value;

    if (index_key.size < HASH_SIZE)
        return BYTES_NONE;
    index_key = bytes_from(index_key, HASH_SIZE);
    for (uint32_t i = 0; i < index->key_count; i++)
        if (!key_take_part(&index_key, index->keys[i].type, arena, &value))
            return BYTES_NONE;
    if (index->local)
        return index_key;
    return index_key.size > HASH_SIZE ? bytes_from(index_key, HASH_SIZE) : BYTES_NONE;
}
