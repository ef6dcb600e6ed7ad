/* table/schema.c - from an item to the key that it lies under. */
#include "table/schema.h"

#define INVALID "One or more parameter values were invalid: "

const struct table_index *table_find_index(const struct table *table, struct bytes name)
{
    for (uint32_t i = 0; i < table->index_count; i++)
        if (bytes_equal(table->indexes[i].name, name))
            return &table->indexes[i];
    return NULL;
}

static const char *const type_names[] = {
    [VALUE_S] = "S",       [VALUE_N] = "N",   [VALUE_B] = "B",   [VALUE_BOOL] = "BOOL",
    [VALUE_NULL] = "NULL", [VALUE_SS] = "SS", [VALUE_NS] = "NS", [VALUE_BS] = "BS",
    [VALUE_L] = "L",       [VALUE_M] = "M",
};

enum value_type key_value_type(enum key_type type)
{
    return type == KEY_S ? VALUE_S : type == KEY_N ? VALUE_N : VALUE_B;
}

const char *value_type_name(enum value_type type)
{
    return type_names[type];
}

/* A Key parameter says one thing whatever is wrong with it; an item is told what. */
static bool attribute_find(const struct key_attribute *attribute, struct bytes item, bool exact,
                           struct value *value, struct err *err)
{
    bool found = item_find(item, attribute->name, value);

    if (found && value->type == key_value_type(attribute->type))
        return true;
    if (exact)
        return err_fail(err, ERR_VALIDATION, "The provided key element does not match the schema");
    if (!found)
        return err_fail(err, ERR_VALIDATION, INVALID "Missing the key %.*s in the item",
                        BYTES_ARGS(attribute->name));
    return err_fail(err, ERR_VALIDATION,
                    INVALID "Type mismatch for key %.*s expected: %s actual: %s",
                    BYTES_ARGS(attribute->name), value_type_name(key_value_type(attribute->type)),
                    value_type_name(value->type));
}

static bool attribute_check(const struct key_attribute *attribute, bool partition,
                            const struct value *value, struct err *err)
{
    if (value->content.size == 0)
        return err_fail(err, ERR_VALIDATION,
                        "One or more parameter values are not valid. The AttributeValue for a key "
                        "attribute cannot contain an empty %s value. Key: %.*s",
                        attribute->type == KEY_B ? "binary" : "string",
                        BYTES_ARGS(attribute->name));
    if (partition && value->content.size > PARTITION_KEY_MOST)
        return err_fail(err, ERR_VALIDATION,
                        INVALID "Size of hashkey has exceeded the maximum size limit of%d bytes",
                        PARTITION_KEY_MOST);
    if (!partition && value->content.size > SORT_KEY_MOST)
        return err_fail(err, ERR_VALIDATION,
                        INVALID "Aggregated size of all range keys has exceeded the size limit "
                                "of %d bytes",
                        SORT_KEY_MOST);
    return true;
}

bool key_attribute_check(const struct key_attribute *attribute, bool partition, struct bytes item,
                         struct err *err)
{
    struct value value;

    return attribute_find(attribute, item, true, &value, err) &&
           attribute_check(attribute, partition, &value, err);
}

static bool attributes_more_than(struct bytes item, uint32_t most)
{
    struct item_walk walk = item_walk(item);
    struct bytes name;
    struct value value;

    for (uint32_t i = 0; i <= most; i++)
        if (!item_next(&walk, &name, &value))
            return false;
    return true;
}

static bool attributes_find(const struct table *table, struct bytes item, bool exact,
                            struct value values[2], struct err *err)
{
    if (exact && attributes_more_than(item, table->key_count))
        return err_fail(err, ERR_VALIDATION, "The provided key element does not match the schema");
    for (uint32_t i = 0; i < table->key_count; i++)
        if (!attribute_find(&table->keys[i], item, exact, &values[i], err))
            return false;
    return true;
}

bool table_key_matches(const struct table *table, struct bytes item, bool exact, struct err *err)
{
    struct value values[2];

    return attributes_find(table, item, exact, values, err);
}

bool table_key(const struct table *table, struct bytes item, bool exact, struct arena *arena,
               struct bytes *key, struct err *err)
{
    struct value values[2];
    struct buf out;

    if (!attributes_find(table, item, exact, values, err))
        return false;
    for (uint32_t i = 0; i < table->key_count; i++)
        if (!attribute_check(&table->keys[i], i == 0, &values[i], err))
            return false;
    buf_init_in(&out, arena);
    buf_put_be64(&out, key_hash(values[0].content));
    for (uint32_t i = 0; i < table->key_count; i++)
        key_put_part(&out, table->keys[i].type, values[i].content);
    *key = buf_bytes(&out);
    return true;
}

struct bytes table_key_item(const struct table *table, struct bytes item, struct arena *arena)
{
    struct item_maker maker;
    struct value value;

    item_begin(&maker, arena);
    for (uint32_t i = 0; i < table->key_count; i++)
        if (item_find(item, table->keys[i].name, &value))
            item_put_value(&maker, table->keys[i].name, &value);
    return item_finish(&maker);
}
