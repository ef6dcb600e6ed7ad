/* api/target.c - a table and an index differ in their keys and in what they have of an item. */
#include "api/target.h"

#include <stdlib.h>

#include "table/index.h"

#define BAD_START "The provided starting key is invalid"
#define INVALID   "One or more parameter values were invalid: "

bool target_find(struct request *request, struct target *out, struct err *err)
{
    const struct value_node *named = request_member(request, "IndexName");
    const struct table *table;

    if (!work_table(&request->work, request_text(request, "TableName"), &table, err))
        return false;
    *out = (struct target){
        .table = table, .keys = table->keys, .partition_count = 1, .key_count = table->key_count};
    if (named == NULL)
        return true;
    const struct table_index *index = table_find_index(table, named->text);
    if (index == NULL)
        return err_fail(err, ERR_VALIDATION, "The table does not have the specified index: %.*s",
                        BYTES_ARGS(named->text));
    if (!index->local && request_flag(request, "ConsistentRead"))
        return err_fail(err, ERR_VALIDATION,
                        "Consistent reads are not supported on global secondary indexes");
    if (index->building)
        return err_fail(err, ERR_VALIDATION,
                        "Cannot read from backfilling global secondary index: %.*s",
                        BYTES_ARGS(index->name));
    out->index = index;
    out->keys = index->keys;
    out->partition_count = index->partition_count;
    out->key_count = index->key_count;
    return true;
}

/* --- where a page starts ---------------------------------------------------------------------- */

static bool is_key_of(const struct key_attribute *keys, uint32_t count, struct bytes name)
{
    for (uint32_t i = 0; i < count; i++)
        if (bytes_equal(keys[i].name, name))
            return true;
    return false;
}

static uint32_t start_size(const struct target *target)
{
    uint32_t size = target->key_count;

    for (uint32_t i = 0; target->index != NULL && i < target->table->key_count; i++)
        size += !is_key_of(target->keys, target->key_count, target->table->keys[i].name);
    return size;
}

bool start_check_count(const struct request *request, const struct target *target, struct err *err)
{
    const struct value_node *start = request_member(request, "ExclusiveStartKey");

    return start == NULL || item_attributes(start->item.packed) == start_size(target) ||
           err_fail(err, ERR_VALIDATION, BAD_START);
}

bool start_check_part(const struct request *request, const struct target *target, uint32_t part,
                      struct err *err)
{
    const struct value_node *start = request_member(request, "ExclusiveStartKey");
    const struct key_attribute *attribute = &target->keys[part];
    struct value value;

    if (start == NULL)
        return true;
    if (!item_find(start->item.packed, attribute->name, &value))
        return err_fail(err, ERR_VALIDATION, BAD_START);
    return key_attribute_check(attribute, part < target->partition_count, start->item.packed, err);
}

bool start_take(struct request *request, const struct target *target, struct bytes *out,
                struct err *err)
{
    const struct value_node *start = request_member(request, "ExclusiveStartKey");
    const struct table *table = target->table;
    struct arena *arena = &request->arena;
    struct err inner;

    *out = BYTES_NONE;
    if (start == NULL)
        return true;
    struct bytes packed = start->item.packed;
    if (!table_key(table, target->index != NULL ? table_key_item(table, packed, arena) : packed,
                   true, arena, out, &inner))
        return err_fail(err, inner.code, BAD_START ": %s", inner.message);
    if (target->index != NULL)
        *out = index_key_of(table, target->index, packed, arena);
    return true;
}

/* --- what an index lacks ---------------------------------------------------------------------- */

static bool lacks_nothing(const struct target *target)
{
    return target->index == NULL || target->index->projection == PROJECT_ALL;
}

bool target_check_select(const struct request *request, const struct target *target,
                         struct err *err)
{
    return lacks_nothing(target) || target->index->local ||
           !request_is(request, "Select", "ALL_ATTRIBUTES") ||
           err_fail(err, ERR_VALIDATION,
                    INVALID "Select type ALL_ATTRIBUTES is not supported for global secondary "
                            "index %.*s because its projection type is not ALL",
                    BYTES_ARGS(target->index->name));
}

/* Leaves those of the names that the index does not project. */
static uint32_t names_lacking(const struct target *target, struct bytes *names, uint32_t count)
{
    uint32_t lacking = 0;

    for (uint32_t i = 0; i < count; i++)
        if (!index_projects(target->table, target->index, names[i]))
            names[lacking++] = names[i];
    return lacking;
}

static bool fail_lacking(const struct target *target, const char *kind, const char *what,
                         const struct bytes *names, uint32_t count, struct arena *arena,
                         struct err *err)
{
    struct buf list;

    buf_init_in(&list, arena);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            buf_put_literal(&list, ", ");
        buf_put_bytes(&list, names[i]);
    }
    return err_fail(err, ERR_VALIDATION, INVALID "%s %.*s does not project %s[%.*s]", kind,
                    BYTES_ARGS(target->index->name), what, BYTES_ARGS(buf_bytes(&list)));
}

bool target_check_projection(struct request *request, const struct target *target,
                             const struct expressions *expressions, struct err *err)
{
    struct bytes *names;

    if (lacks_nothing(target) || target->index->local || expressions->projection == NULL)
        return true;
    uint32_t count = projection_names(expressions->projection, &request->arena, &names);
    count = names_lacking(target, names, count);
    return count == 0 ||
           fail_lacking(target, "Global secondary index", "", names, count, &request->arena, err);
}

static int name_order(const void *a, const void *b)
{
    const struct bytes *one = a, *other = b;

    return bytes_compare(*one, *other);
}

bool target_check_filter(struct request *request, const struct target *target,
                         const struct expressions *expressions, struct err *err)
{
    struct bytes *names;

    if (lacks_nothing(target) || expressions->filter == NULL)
        return true;
    uint32_t count = condition_names(expressions->filter, &request->arena, &names);
    count = names_lacking(target, names, count);
    if (count == 0)
        return true;
    qsort(names, count, sizeof *names, name_order);
    return fail_lacking(target, "Secondary index", "one or more filter attributes: ", names, count,
                        &request->arena, err);
}

bool target_fetches(struct request *request, const struct target *target,
                    const struct expressions *expressions)
{
    struct bytes *names;

    if (lacks_nothing(target) || !target->index->local)
        return false;
    if (expressions->projection == NULL)
        return request_is(request, "Select", "ALL_ATTRIBUTES");
    uint32_t count = projection_names(expressions->projection, &request->arena, &names);
    return names_lacking(target, names, count) > 0;
}
