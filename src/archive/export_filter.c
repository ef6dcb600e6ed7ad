/* archive/export_filter.c - a key condition becomes a range of item keys when the export is
 * accepted, and is only told from then on; condition and projection are compiled once more for each
 * run of the job. A specification has up to 2 MB of values, so it has a record of its own, which
 * only those read who run or describe the export. */
#include "archive/export_filter.h"

#include "jobs/record.h"

/* --- held against a table */

static bool in_fault(struct err *err)
{
    struct err bare = *err;

    return err_fail(err, bare.code, FILTER_FAULT "%s", bare.message);
}

static bool find_range(struct export_filter *filter, const struct table *table, struct arena *arena,
                       struct err *err)
{
    struct key_parts key = {.partition_count = 1, .count = table->key_count};
    struct key_query query;

    for (uint32_t i = 0; i < key.count; i++)
        key.parts[i] = (struct key_part){table->keys[i].name, table->keys[i].type};
    for (uint32_t i = 0; i < key.count; i++)
        if (!key_condition_match(filter->key_condition, &key, i, &query, err))
            return false;
    table_query_range(table, &query, arena, &filter->from, &filter->to);
    return true;
}

/* In the order of Query's (api/op_query.c); indexes do not matter to an export. */
static bool match(struct export_filter *filter, const struct table *table, struct arena *arena,
                  struct err *err)
{
    const struct condition *condition = filter->condition;
    struct bytes names[2];
    bool keyed = filter->key_condition != NULL;

    for (uint32_t i = 0; i < table->key_count; i++)
        names[i] = table->keys[i].name;
    return (!keyed || find_range(filter, table, arena, err)) &&
           (filter->projection == NULL || projection_check_keys(filter->projection, KEY_OF_TABLE,
                                                                names, table->key_count, err)) &&
           (condition == NULL || !keyed ||
            condition_check_filter(condition, "Filter Expression", names, table->key_count, err)) &&
           (condition == NULL ||
            condition_check_keys(condition, KEY_OF_TABLE, names, table->key_count, err));
}

bool export_filter_match(struct export_filter *filter, const struct table *table,
                         struct arena *arena, struct err *err)
{
    return match(filter, table, arena, err) || in_fault(err);
}

/* --- what was sent, as an item */

static void put_text(struct item_maker *maker, const char *name, struct bytes text)
{
    if (text.data != NULL)
        item_put_text(maker, name, text);
}

/* Placeholders are letters and digits: scope_put_names() has seen to that. */
static struct bytes pack_names(const struct export_filter *filter, struct arena *arena)
{
    struct item_maker maker;

    item_begin(&maker, arena);
    for (size_t i = 0; i < filter->name_count; i++)
        item_put_text(&maker, arena_text(arena, filter->names[i].key), filter->names[i].name);
    return item_finish(&maker);
}

static void put_sent(struct item_maker *maker, const struct export_filter *filter,
                     struct arena *arena)
{
    put_text(maker, "KeyConditionExpression", filter->key_text);
    put_text(maker, "FilterExpression", filter->condition_text);
    put_text(maker, "ProjectionExpression", filter->projection_text);
    if (filter->name_count > 0)
        item_put_data(maker, "ExpressionAttributeNames", pack_names(filter, arena));
    if (filter->values.size > 0)
        item_put_data(maker, "ExpressionAttributeValues", filter->values);
}

struct bytes export_filter_pack(const struct export_filter *filter, struct arena *arena)
{
    struct item_maker maker;

    item_begin(&maker, arena);
    put_sent(&maker, filter, arena);
    return item_finish(&maker);
}

/* --- its record */

void export_filter_put(struct engine_batch *batch, const struct engine *engine, struct bytes arn,
                       uint64_t start_ms, const struct export_filter *filter)
{
    struct item_maker maker;

    item_begin(&maker, batch->arena);
    put_sent(&maker, filter, batch->arena);
    item_put_integer(&maker, "StartTime", (int64_t)start_ms);
    if (filter->from.size > 0)
        item_put_data(&maker, "KeyFrom", filter->from);
    if (filter->to.size > 0)
        item_put_data(&maker, "KeyTo", filter->to);
    record_put(batch, engine, record_key(batch->arena, RECORD_FILTER, arn), BYTES_NONE,
               item_finish(&maker));
}

static struct bytes optional(struct bytes item, const char *name)
{
    struct value value;

    if (!item_find(item, bytes_of_text(name), &value))
        return BYTES_NONE;
    return value.content.data != NULL ? value.content : BYTES("");
}

static bool packed_good(struct bytes packed, struct err *err)
{
    return packed.size == 0 || item_check(packed, err);
}

static void read_names(struct bytes packed, struct arena *arena, struct export_filter *out)
{
    struct item_walk walk = item_walk(packed);
    struct scope_name *names = arena_alloc(arena, item_attributes(packed) * sizeof *names);
    struct scope_name one = {.used = false};
    struct value value;

    while (item_next(&walk, &one.key, &value)) {
        one.name = value.content;
        names[out->name_count++] = one;
    }
    out->names = names;
}

bool export_filter_get(struct engine *engine, struct bytes arn, struct arena *arena,
                       struct export_filter *out, struct err *err)
{
    struct record record;

    if (!record_get(engine, record_key(arena, RECORD_FILTER, arn), arena, &record, err))
        return false;
    if (record.stamp.size == 0)
        return err_fail(err, ERR_CORRUPT, "the filter of %.*s is gone", BYTES_ARGS(arn));
    struct bytes names = optional(record.item, "ExpressionAttributeNames");
    struct export_filter filter = {
        .key_text = optional(record.item, "KeyConditionExpression"),
        .condition_text = optional(record.item, "FilterExpression"),
        .projection_text = optional(record.item, "ProjectionExpression"),
        .values = optional(record.item, "ExpressionAttributeValues"),
        .from = optional(record.item, "KeyFrom"),
        .to = optional(record.item, "KeyTo"),
    };
    if (!packed_good(names, err) || !packed_good(filter.values, err))
        return false;
    if (names.size > 0)
        read_names(names, arena, &filter);
    *out = filter;
    return true;
}

/* --- where it runs */

static bool compile(struct export_filter *filter, struct scope *scope, struct err *err)
{
    return (filter->name_count == 0 ||
            scope_put_names(scope, filter->names, filter->name_count, err)) &&
           (filter->values.size == 0 || scope_put_values(scope, filter->values, err)) &&
           (filter->condition_text.data == NULL ||
            condition_compile(scope, "FilterExpression", filter->condition_text, &filter->condition,
                              err)) &&
           (filter->projection_text.data == NULL ||
            projection_compile(scope, filter->projection_text, &filter->projection, err));
}

bool export_filter_compile(struct export_filter *filter, struct arena *arena, struct err *err)
{
    struct scope scope;

    scope_init(&scope, arena);
    if (compile(filter, &scope, err))
        return true;
    struct err why = *err;
    return err_fail(err, ERR_CORRUPT, "the filter of an export: %s", why.message);
}

bool export_filter_takes(const struct export_filter *filter, struct bytes item)
{
    return filter == NULL || filter->condition == NULL || condition_holds(filter->condition, item);
}
