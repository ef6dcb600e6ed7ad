/* api/key_schema.c - AttributeDefinitions and the KeySchema of tables and indexes. A name that a
 * key has must be defined, a definition must be used, and the order of both is the client's; only a
 * global index may have several attributes on each side of its key. */
#include "api/indexes.h"

#include <stdlib.h>

#define INVALID "One or more parameter values were invalid: "

static const char *const enum_key_type[] = {"HASH", "RANGE", NULL};

static const struct field key_members[] = {
    REQUIRED("AttributeName", FIELD_STRING, LEAST(1), MOST(255)),
    REQUIRED("KeyType", FIELD_ENUM(enum_key_type)),
    SHAPE_END,
};
const struct field element_key = ELEMENT(FIELD_STRUCT("KeySchemaElement", key_members));

static struct bytes name_of(const struct value_node *list, uint32_t at)
{
    return node_member(&list->members[at], "AttributeName")->text;
}

static bool is_hash(const struct value_node *schema, uint32_t at)
{
    return bytes_equal(node_member(&schema->members[at], "KeyType")->text, BYTES("HASH"));
}

/* --- names in messages ------------------------------------------------------------------------ */

/* The service tells sets of names in the order of Java's hash maps: by the low bits of their
 * hashes. (What is not ASCII it hashes otherwise.) */
static uint32_t name_bucket(struct bytes name, uint32_t buckets)
{
    uint32_t hash = 0;

    for (size_t i = 0; i < name.size; i++)
        hash = 31 * hash + name.data[i];
    return (hash ^ (hash >> 16)) & (buckets - 1);
}

/* A map that grew from Java's 16 buckets; one that was made for `count` names, as Guava does it. */
static uint32_t buckets_grown(uint32_t count)
{
    uint32_t buckets = 16;

    while (4 * count > 3 * buckets)
        buckets *= 2;
    return buckets;
}

static uint32_t buckets_made(uint32_t count)
{
    uint32_t wanted = count < 3 ? count + 1 : count * 4 / 3 + 1, buckets = 1;

    while (buckets < wanted)
        buckets *= 2;
    return buckets;
}

static uint32_t names_distinct(struct bytes *names, uint32_t count)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        bool seen = false;
        for (uint32_t j = 0; j < kept && !seen; j++)
            seen = bytes_equal(names[j], names[i]);
        if (!seen)
            names[kept++] = names[i];
    }
    return kept;
}

/* `count` names, all different. */
static struct bytes names_told(const struct bytes *names, uint32_t count, uint32_t buckets,
                               struct arena *arena)
{
    struct buf out;

    buf_init_in(&out, arena);
    for (uint32_t bucket = 0; bucket < buckets; bucket++)
        for (uint32_t i = 0; i < count; i++)
            if (name_bucket(names[i], buckets) == bucket) {
                buf_put_text(&out, out.size > 0 ? ", " : "");
                buf_put_bytes(&out, names[i]);
            }
    return buf_bytes(&out);
}

static struct bytes list_told(const struct value_node *list, bool made, struct arena *arena)
{
    struct bytes *names = arena_alloc(arena, list->kept * sizeof *names);

    for (uint32_t i = 0; i < list->kept; i++)
        names[i] = name_of(list, i);
    uint32_t count = names_distinct(names, list->kept);
    return names_told(names, count, made ? buckets_made(count) : buckets_grown(count), arena);
}

/* --- definitions ------------------------------------------------------------------------------ */

static const struct value_node *given_find(const struct value_node *given, struct bytes name)
{
    for (uint32_t i = 0; i < given->kept; i++)
        if (bytes_equal(name_of(given, i), name))
            return &given->members[i];
    return NULL;
}

bool definitions_distinct(const struct definitions *definitions, struct err *err)
{
    const struct value_node *given = definitions->given;

    for (uint32_t i = 0; i < given->kept; i++)
        if (given_find(given, name_of(given, i)) != &given->members[i])
            return err_fail(err, ERR_VALIDATION, "Attribute Name is duplicated: %.*s",
                            BYTES_ARGS(name_of(given, i)));
    return true;
}

static enum key_type type_named(struct bytes name)
{
    return name.data[0] == 'S' ? KEY_S : name.data[0] == 'N' ? KEY_N : KEY_B;
}

static const struct key_attribute *key_find(const struct key_attribute *keys, uint32_t count,
                                            struct bytes name)
{
    for (uint32_t i = 0; i < count; i++)
        if (bytes_equal(keys[i].name, name))
            return &keys[i];
    return NULL;
}

static bool keys_defined(const struct value_node *schema, const struct definitions *definitions,
                         struct err *err)
{
    if (schema->count > definitions->given->count)
        return err_fail(err, ERR_VALIDATION,
                        "Invalid KeySchema: Some index key attribute have no definition");
    for (uint32_t i = 0; i < schema->kept; i++)
        if (given_find(definitions->given, name_of(schema, i)) == NULL)
            return err_fail(err, ERR_VALIDATION,
                            INVALID "Some index key attributes are not defined in "
                                    "AttributeDefinitions. Keys: [%.*s], AttributeDefinitions: "
                                    "[%.*s]",
                            BYTES_ARGS(list_told(schema, false, definitions->arena)),
                            BYTES_ARGS(list_told(definitions->given, true, definitions->arena)));
    return true;
}

/* --- keys ------------------------------------------------------------------------------------- */

static void keys_put(const struct value_node *schema, const struct definitions *definitions,
                     struct key_attribute *out)
{
    for (uint32_t i = 0; i < schema->kept; i++) {
        const struct value_node *given = given_find(definitions->given, name_of(schema, i));
        out[i] = (struct key_attribute){name_of(schema, i),
                                        type_named(node_member(given, "AttributeType")->text)};
    }
}

static bool hash_first(const struct value_node *schema, struct err *err)
{
    return is_hash(schema, 0) ||
           err_fail(err, ERR_VALIDATION,
                    "Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
}

/* One of one attribute or two. */
static bool pair_valid(const struct value_node *schema, const struct definitions *definitions,
                       struct err *err)
{
    if (!keys_defined(schema, definitions, err))
        return false;
    if (schema->count == 2 && bytes_equal(name_of(schema, 0), name_of(schema, 1)))
        return err_fail(err, ERR_VALIDATION,
                        "Both the Hash Key and the Range Key element in the KeySchema have the "
                        "same name");
    if (!hash_first(schema, err))
        return false;
    return schema->count < 2 || !is_hash(schema, 1) ||
           err_fail(err, ERR_VALIDATION,
                    "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
}

bool table_keys_take(const struct value_node *schema, const struct definitions *definitions,
                     struct table *table, struct err *err)
{
    if (!pair_valid(schema, definitions, err))
        return false;
    table->key_count = schema->kept;
    keys_put(schema, definitions, table->keys);
    return true;
}

bool local_keys_take(const struct value_node *schema, const struct definitions *definitions,
                     struct table_index *index, struct err *err)
{
    if (!pair_valid(schema, definitions, err))
        return false;
    index->partition_count = 1;
    index->key_count = schema->kept;
    keys_put(schema, definitions, index->keys);
    return true;
}

static bool names_differ(const struct value_node *schema, struct err *err)
{
    for (uint32_t i = 0; i < schema->kept; i++)
        for (uint32_t j = 0; j < i; j++)
            if (bytes_equal(name_of(schema, i), name_of(schema, j)))
                return err_fail(err, ERR_VALIDATION,
                                "The KeySchema contains multiple key attributes with the same "
                                "name");
    return true;
}

/* Up to INDEX_PART_MOST of each kind (ack-api-quirks, DDB-TABLE-123). */
static bool parts_valid(const struct value_node *schema, uint32_t *partition_count, struct err *err)
{
    uint32_t hashes = 0, leading = 0;

    for (uint32_t i = 0; i < schema->kept; i++) {
        hashes += is_hash(schema, i);
        leading += hashes == i + 1;
    }
    *partition_count = hashes;
    if (leading != hashes)
        return err_fail(err, ERR_VALIDATION,
                        INVALID "All HASH key attributes must precede RANGE key attributes in the "
                                "KeySchema");
    if (hashes > INDEX_PART_MOST || schema->count - hashes > INDEX_PART_MOST)
        return err_fail(err, ERR_VALIDATION,
                        INVALID "The KeySchema exceeds the maximum allowed number of %s key "
                                "attributes",
                        hashes > INDEX_PART_MOST ? "HASH" : "RANGE");
    return true;
}

bool global_keys_take(const struct value_node *schema, const struct definitions *definitions,
                      struct table_index *index, struct err *err)
{
    if (!keys_defined(schema, definitions, err) || !names_differ(schema, err) ||
        !hash_first(schema, err) || !parts_valid(schema, &index->partition_count, err))
        return false;
    index->key_count = schema->kept;
    keys_put(schema, definitions, index->keys);
    return true;
}

/* --- what was defined before ------------------------------------------------------------------ */

/* Whose key has an attribute, and where in it. */
struct keyed {
    const struct key_attribute *keys, *found;
    uint32_t partition_count, key_count;
};

static bool keyed_find(const struct table *table, struct bytes name, struct keyed *out)
{
    *out = (struct keyed){table->keys, key_find(table->keys, table->key_count, name), 1,
                          table->key_count};
    for (uint32_t i = 0; out->found == NULL && i < table->index_count; i++) {
        const struct table_index *index = &table->indexes[i];
        *out = (struct keyed){index->keys, key_find(index->keys, index->key_count, name),
                              index->partition_count, index->key_count};
    }
    return out->found != NULL;
}

/* "SchemaElement: key{pk:S:HASH}", and a comma between two. */
static struct bytes schema_told(const struct keyed *keyed, struct arena *arena)
{
    static const char types[] = {[KEY_S] = 'S', [KEY_N] = 'N', [KEY_B] = 'B'};
    struct buf out;

    buf_init_in(&out, arena);
    for (uint32_t i = 0; i < keyed->key_count; i++)
        buf_printf(&out, "%sSchemaElement: key{%.*s:%c:%s}", i > 0 ? ", " : "",
                   BYTES_ARGS(keyed->keys[i].name), types[keyed->keys[i].type],
                   i < keyed->partition_count ? "HASH" : "RANGE");
    return buf_bytes(&out);
}

bool keys_as_defined(const struct table *table, const struct table_index *index,
                     struct arena *arena, struct err *err)
{
    struct keyed before, now = {index->keys, NULL, index->partition_count, index->key_count};

    for (uint32_t i = 0; i < index->key_count; i++)
        if (keyed_find(table, index->keys[i].name, &before) &&
            before.found->type != index->keys[i].type)
            return err_fail(err, ERR_VALIDATION,
                            INVALID "Attributes cannot be redefined. Please check that your "
                                    "attribute has the same type as previously defined. Existing "
                                    "schema: Schema:[%.*s] New schema: Schema:[%.*s]",
                            BYTES_ARGS(schema_told(&before, arena)),
                            BYTES_ARGS(schema_told(&now, arena)));
    return true;
}

/* --- all of them ------------------------------------------------------------------------------ */

static uint32_t keys_gather(const struct key_attribute *keys, uint32_t count,
                            struct key_attribute *out, uint32_t gathered)
{
    for (uint32_t i = 0; i < count; i++)
        if (key_find(out, gathered, keys[i].name) == NULL)
            out[gathered++] = keys[i];
    return gathered;
}

static uint32_t attributes_gather(const struct table *table, struct arena *arena,
                                  struct key_attribute **out)
{
    size_t most = table->key_count + (size_t)table->index_count * INDEX_KEYS_MOST;
    struct key_attribute *all = arena_alloc(arena, most * sizeof *all);
    uint32_t count = keys_gather(table->keys, table->key_count, all, 0);

    for (uint32_t i = 0; i < table->index_count; i++)
        count = keys_gather(table->indexes[i].keys, table->indexes[i].key_count, all, count);
    *out = all;
    return count;
}

static int by_name(const void *a, const void *b)
{
    return bytes_compare(((const struct key_attribute *)a)->name,
                         ((const struct key_attribute *)b)->name);
}

uint32_t table_attributes(const struct table *table, struct arena *arena,
                          struct key_attribute **out)
{
    uint32_t count = attributes_gather(table, arena, out);

    qsort(*out, count, sizeof **out, by_name);
    return count;
}

bool definitions_used(const struct definitions *definitions, const struct table *table,
                      struct err *err)
{
    struct key_attribute *used;
    uint32_t count = attributes_gather(table, definitions->arena, &used);
    struct bytes *names = arena_alloc(definitions->arena, count * sizeof *names);

    if (definitions->given->count == count)
        return true;
    if (table->index_count == 0)
        return err_fail(err, ERR_VALIDATION,
                        INVALID "Number of attributes in KeySchema does not exactly match number "
                                "of attributes defined in AttributeDefinitions");
    for (uint32_t i = 0; i < count; i++)
        names[i] = used[i].name;
    return err_fail(err, ERR_VALIDATION,
                    INVALID "Some AttributeDefinitions are not used. AttributeDefinitions: "
                            "[%.*s], keys used: [%.*s]",
                    BYTES_ARGS(list_told(definitions->given, true, definitions->arena)),
                    BYTES_ARGS(names_told(names, count, buckets_grown(count), definitions->arena)));
}
