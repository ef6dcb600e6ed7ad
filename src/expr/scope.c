/* expr/scope.c - placeholders in two sorted arrays: an expression of 4 KB can ask for a thousand of
 * half a million, so each is found by halving. */
#include "expr/scope.h"

#include <stdlib.h>

#define KEY_MOST 255 /* developer guide, "Service quotas": substitution variables */

void scope_init(struct scope *scope, struct arena *arena)
{
    *scope = (struct scope){.arena = arena};
}

static bool key_good(struct bytes key, char mark)
{
    if (key.size < 2 || key.data[0] != mark)
        return false;
    for (size_t i = 1; i < key.size; i++) {
        uint8_t c = key.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '_'))
            return false;
    }
    return true;
}

/* How much of a client's text goes into a message. */
static int shown(struct bytes text)
{
    return text.size < ERR_MESSAGE_MOST / 2 ? (int)text.size : ERR_MESSAGE_MOST / 2;
}

#define LONG_KEY "The expression attribute map contains a key that is too long;"

/* Messages: dynalite, test/updateItem.js ("invalid ExpressionAttributeNames"); of a long key,
 * ExtendDB, tests/test_expression_attribute_map_validation.py: only a name's has its size told. */
static bool check_key(const char *map, struct bytes key, char mark, struct err *err)
{
    if (key.size > KEY_MOST && mark == '#')
        return err_fail(err, ERR_VALIDATION,
                        "%s contains invalid key: " LONG_KEY " size of key: %zu", map, key.size);
    if (key.size > KEY_MOST)
        return err_fail(err, ERR_VALIDATION, "%s contains invalid key: " LONG_KEY, map);
    if (!key_good(key, mark))
        return err_fail(err, ERR_VALIDATION, "%s contains invalid key: Syntax error; key: \"%.*s\"",
                        map, shown(key), (const char *)key.data);
    return true;
}

/* The words for a long name: DynamoDB Local's. */
static bool check_name(const struct scope_name *name, struct err *err)
{
    const char *wrong = name->name.size == 0 ? "Empty attribute name"
                        : name->name.size > ITEM_NAME_MOST
                            ? "Attribute name is too large, must be less than 65536 bytes"
                            : NULL;

    return wrong == NULL ||
           err_fail(err, ERR_VALIDATION,
                    "ExpressionAttributeNames contains invalid value: %s for key %.*s", wrong,
                    BYTES_ARGS(name->key));
}

static int name_order(const void *a, const void *b)
{
    const struct scope_name *one = a, *other = b;
    int order = bytes_compare(one->key, other->key);

    return order != 0 ? order : (one->place > other->place) - (one->place < other->place);
}

/* Of equal keys the last that came stays, as in the map that the service reads its JSON into. */
static void sort_names(struct scope *scope)
{
    size_t kept = 0;

    for (size_t i = 1; i < scope->name_count; i++) {
        if (bytes_compare(scope->names[i - 1].key, scope->names[i].key) < 0)
            continue;
        qsort(scope->names, scope->name_count, sizeof *scope->names, name_order);
        break;
    }
    for (size_t i = 0; i < scope->name_count; i++)
        if (i + 1 == scope->name_count ||
            !bytes_equal(scope->names[i].key, scope->names[i + 1].key))
            scope->names[kept++] = scope->names[i];
    scope->name_count = kept;
}

bool scope_put_names(struct scope *scope, const struct scope_name *names, size_t count,
                     struct err *err)
{
    if (count == 0)
        return err_fail(err, ERR_VALIDATION, "ExpressionAttributeNames must not be empty");
    for (size_t i = 0; i < count; i++) {
        if (!check_key("ExpressionAttributeNames", names[i].key, '#', err))
            return false;
        if (!check_name(&names[i], err))
            return false;
    }
    scope->names = arena_alloc(scope->arena, count * sizeof *names);
    for (size_t i = 0; i < count; i++)
        scope->names[i] =
            (struct scope_name){.key = names[i].key, .name = names[i].name, .place = i};
    scope->name_count = count;
    sort_names(scope);
    return true;
}

bool scope_put_values(struct scope *scope, struct bytes values, struct err *err)
{
    struct item_walk walk = item_walk(values);
    struct scope_value one = {.used = false};
    size_t count = 0;

    while (item_next(&walk, &one.key, &one.value)) {
        if (!check_key("ExpressionAttributeValues", one.key, ':', err))
            return false;
        count++;
    }
    if (count == 0)
        return err_fail(err, ERR_VALIDATION, "ExpressionAttributeValues must not be empty");
    scope->values = arena_alloc(scope->arena, count * sizeof one);
    scope->value_count = 0;
    walk = item_walk(values);
    while (item_next(&walk, &one.key, &one.value))
        scope->values[scope->value_count++] = one;
    return true;
}

/* ---- finding -------------------------------------------------------------------------------- */

static struct scope_name *find_name(const struct scope *scope, struct bytes key)
{
    size_t low = 0, high = scope->name_count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = bytes_compare(key, scope->names[middle].key);
        if (order == 0)
            return &scope->names[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static struct scope_value *find_value(const struct scope *scope, struct bytes key)
{
    size_t low = 0, high = scope->value_count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = bytes_compare(key, scope->values[middle].key);
        if (order == 0)
            return &scope->values[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct bytes *scope_find_name(const struct scope *scope, struct bytes key)
{
    const struct scope_name *found = find_name(scope, key);

    return found != NULL ? &found->name : NULL;
}

const struct value *scope_find_value(const struct scope *scope, struct bytes key)
{
    const struct scope_value *found = find_value(scope, key);

    return found != NULL ? &found->value : NULL;
}

const struct bytes *scope_use_name(struct scope *scope, struct bytes key)
{
    struct scope_name *found = find_name(scope, key);

    if (found == NULL)
        return NULL;
    found->used = true;
    return &found->name;
}

const struct value *scope_use_value(struct scope *scope, struct bytes key)
{
    struct scope_value *found = find_value(scope, key);

    if (found == NULL)
        return NULL;
    found->used = true;
    return &found->value;
}

/* ---- what is not used ----------------------------------------------------------------------- */

struct unused {
    struct bytes key;
    uint32_t slot;
};

/* The service lists unused keys in the order of a Java HashSet of all keys, which follows from
 * their String.hashCode() and from how many there are. */
static uint32_t java_slot(struct bytes key, size_t total)
{
    uint32_t hash = 0, capacity = 16;

    while (capacity < total / 3 * 4 + total % 3 + 1)
        capacity *= 2;
    for (size_t i = 0; i < key.size; i++)
        hash = hash * 31 + key.data[i];
    return (hash ^ hash >> 16) & (capacity - 1);
}

static int slot_order(const void *a, const void *b)
{
    const struct unused *one = a, *other = b;

    if (one->slot != other->slot)
        return one->slot < other->slot ? -1 : 1;
    return bytes_compare(one->key, other->key);
}

static bool fail_unused(const struct scope *scope, const char *map, struct unused *unused,
                        size_t count, struct err *err)
{
    const char *between = "";
    struct buf list;

    qsort(unused, count, sizeof *unused, slot_order);
    buf_init_in(&list, scope->arena);
    for (size_t i = 0; i < count && list.size < ERR_MESSAGE_MOST; i++) {
        buf_put_text(&list, between);
        buf_put_bytes(&list, unused[i].key);
        between = ", ";
    }
    return err_fail(err, ERR_VALIDATION, "Value provided in %s unused in expressions: keys: {%.*s}",
                    map, BYTES_ARGS(buf_bytes(&list)));
}

bool scope_check_used(const struct scope *scope, struct err *err)
{
    size_t most = scope->name_count > scope->value_count ? scope->name_count : scope->value_count;
    struct unused *unused = arena_alloc(scope->arena, most * sizeof *unused);
    size_t count = 0;

    for (size_t i = 0; i < scope->name_count; i++)
        if (!scope->names[i].used)
            unused[count++] = (struct unused){scope->names[i].key,
                                              java_slot(scope->names[i].key, scope->name_count)};
    if (count > 0)
        return fail_unused(scope, "ExpressionAttributeNames", unused, count, err);
    for (size_t i = 0; i < scope->value_count; i++)
        if (!scope->values[i].used)
            unused[count++] = (struct unused){scope->values[i].key,
                                              java_slot(scope->values[i].key, scope->value_count)};
    if (count > 0)
        return fail_unused(scope, "ExpressionAttributeValues", unused, count, err);
    return true;
}
