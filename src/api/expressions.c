/* api/expressions.c - from the rows of a shape to compiled expressions. The rows that a request has
 * sent are found in one walk by their roles, so that a request without expressions pays for no
 * more. */
#include "api/expressions.h"

#include "table/index.h"

/* The members of a request by their roles; NULL: not sent. */
struct members {
    const struct value_node *of[ROLES];
};

static struct members members_of(const struct value_node *node)
{
    struct members members = {.of = {NULL}};

    for (uint32_t i = 0; node->field->of[i].name.size > 0; i++)
        if (node->field->of[i].role != ROLE_NONE && node->members[i].present)
            members.of[node->field->of[i].role] = &node->members[i];
    return members;
}

bool in_envelope(const char *envelope, struct err *err)
{
    struct err bare = *err;

    if (envelope == OLDER_WORDING || envelope[0] == '\0')
        return false;
    return err_fail(err, bare.code, "%s%s", envelope, bare.message);
}

/* --- styles ----------------------------------------------------------------------------------- */

/* Expressions, and the older parameters, by role. */
#define EXPRESSIONS ROLE_PROJECTION, ROLE_KEY_CONDITION
#define OLDER       ROLE_ATTRIBUTES_TO_GET, ROLE_KEY_CONDITIONS

static bool any(const struct members *members, int first, int last)
{
    for (int role = first; role <= last; role++)
        if (members->of[role] != NULL)
            return true;
    return false;
}

/* "AttributeUpdates, Expected" */
static struct bytes names_of(const struct members *members, int first, int last,
                             struct arena *arena)
{
    struct buf names;

    buf_init_in(&names, arena);
    for (int role = first; role <= last; role++) {
        if (members->of[role] == NULL)
            continue;
        if (names.size > 0)
            buf_put_literal(&names, ", ");
        buf_put_bytes(&names, members->of[role]->field->name);
    }
    return buf_bytes(&names);
}

static bool fail_mixed(const struct members *members, const char *envelope, struct arena *arena,
                       struct err *err)
{
    return err_fail(err, ERR_VALIDATION,
                    "%sCan not use both expression and non-expression parameters in the same "
                    "request: Non-expression parameters: {%.*s} Expression parameters: {%.*s}",
                    envelope, BYTES_ARGS(names_of(members, OLDER, arena)),
                    BYTES_ARGS(names_of(members, EXPRESSIONS, arena)));
}

/* ": UpdateExpression and ConditionExpression are null", of what the operation knows; the wording
 * that is told in an envelope is without it. */
static bool fail_values(const struct value_node *node, const char *envelope, struct arena *arena,
                        struct err *err)
{
    const char *verb = "is";
    struct buf names;

    if (envelope[0] != '\0')
        return err_fail(err, ERR_VALIDATION,
                        "%sExpressionAttributeValues can only be specified when using expressions",
                        envelope);
    buf_init_in(&names, arena);
    for (int role = ROLE_FILTER; role <= ROLE_KEY_CONDITION; role++)
        for (const struct field *field = node->field->of; field->name.size > 0; field++) {
            if ((int)field->role != role)
                continue;
            if (names.size > 0) {
                buf_put_literal(&names, " and ");
                verb = "are";
            }
            buf_put_bytes(&names, field->name);
        }
    return err_fail(err, ERR_VALIDATION,
                    "ExpressionAttributeValues can only be specified when using expressions: %.*s "
                    "%s null",
                    BYTES_ARGS(buf_bytes(&names)), verb);
}

/* Where a condition's parts are joined there are two at least (ExtendDB's tests). */
static bool check_operator(const struct members *members, const char *envelope, struct err *err)
{
    const struct value_node *expected = members->of[ROLE_EXPECTED];
    const struct value_node *filter = members->of[ROLE_OLD_FILTER];
    uint32_t count = expected != NULL ? expected->count : filter != NULL ? filter->count : 0;

    if (members->of[ROLE_CONDITIONAL_OPERATOR] == NULL || count > 1)
        return true;
    return err_fail(err, ERR_VALIDATION, "%sConditionalOperator %s", envelope,
                    count == 0
                        ? "cannot be used without Filter or Expected"
                        : "can only be used when Filter or Expected has two or more elements");
}

bool expressions_check(const struct value_node *node, const char *envelope, struct arena *arena,
                       struct err *err)
{
    struct members members = members_of(node);
    bool used = any(&members, EXPRESSIONS);

    if (envelope == OLDER_WORDING)
        envelope = ENVELOPE_NONE;

    /* Beside other expressions KeyConditions are taken (dynalite, validateExpressionParams). */
    if (members.of[ROLE_KEY_CONDITION] == NULL)
        members.of[ROLE_KEY_CONDITIONS] = NULL;
    if (used && any(&members, OLDER))
        return fail_mixed(&members, envelope, arena, err);
    if (members.of[ROLE_NAMES] != NULL && !used)
        return err_fail(err, ERR_VALIDATION,
                        "%sExpressionAttributeNames can only be specified when using expressions",
                        envelope);
    if (members.of[ROLE_VALUES] != NULL && !any(&members, ROLE_FILTER, ROLE_KEY_CONDITION))
        return fail_values(node, envelope, arena, err);
    return check_operator(&members, envelope, err);
}

/* --- placeholders ----------------------------------------------------------------------------- */

static bool values_take(const struct value_node *node, const char *envelope, struct scope *scope,
                        struct err *err)
{
    const struct item_read *values = &node->item;
    struct bytes packed;

    if (!scope_put_values(scope, values->packed, err))
        return false;
    if (envelope != OLDER_WORDING)
        return node_item(node, &packed, err);
    if (node_item_older(node, &packed, err))
        return true;
    struct err wrong = *err;
    return err_fail(err, ERR_VALIDATION,
                    "ExpressionAttributeValues contains invalid value: %s for key %.*s",
                    wrong.message, BYTES_ARGS(values->invalid_name));
}

/* Developer guide, "Service quotas": all substitution variables of a request, in bytes. The words
 * are DynamoDB Local's. */
#define PLACEHOLDERS_MOST ((uint64_t)2 * 1024 * 1024)

static bool sizes_check(const struct value_node *names, const struct value_node *values,
                        struct err *err)
{
    uint64_t size = values != NULL ? item_size(values->item.packed) : 0;

    for (uint32_t i = 0; names != NULL && i < names->kept; i++)
        size += names->names[i].key.size + names->names[i].name.size;
    return size <= PLACEHOLDERS_MOST ||
           err_fail(err, ERR_VALIDATION,
                    "Combined size of ExpressionAttributeNames and ExpressionAttributeValues "
                    "exceeds max size");
}

static bool scope_take(const struct members *members, const char *envelope, struct scope *scope,
                       struct err *err)
{
    const struct value_node *names = members->of[ROLE_NAMES], *values = members->of[ROLE_VALUES];

    return sizes_check(names, values, err) &&
           (names == NULL || scope_put_names(scope, names->names, names->kept, err)) &&
           (values == NULL || values_take(values, envelope, scope, err));
}

/* --- compiling -------------------------------------------------------------------------------- */

static bool condition_take(const struct value_node *node, struct scope *scope,
                           struct condition **out, struct err *err)
{
    return node == NULL ||
           condition_compile(scope, (const char *)node->field->name.data, node->text, out, err);
}

/* Message: dynalite, test/getItem.js. */
static bool names_differ(const struct value_node *list, struct err *err)
{
    for (uint32_t i = 0; i < list->kept; i++)
        for (uint32_t j = 0; j < i; j++)
            if (bytes_equal(list->members[i].text, list->members[j].text))
                return err_fail(err, ERR_VALIDATION,
                                "One or more parameter values were invalid: Duplicate value in "
                                "attribute name: %.*s",
                                BYTES_ARGS(list->members[i].text));
    return true;
}

bool expressions_check_names(const struct value_node *node, struct err *err)
{
    struct members members = members_of(node);
    const struct value_node *list = members.of[ROLE_ATTRIBUTES_TO_GET];

    return list == NULL || names_differ(list, err);
}

/* AttributesToGet. */
static bool names_take(const struct value_node *list, struct arena *arena, struct projection **out,
                       struct err *err)
{
    struct bytes *names;

    if (list == NULL)
        return true;
    if (!names_differ(list, err))
        return false;
    names = arena_alloc(arena, list->kept * sizeof *names);
    for (uint32_t i = 0; i < list->kept; i++)
        names[i] = list->members[i].text;
    *out = projection_of_names(arena, names, list->kept);
    return true;
}

static bool update_take(const struct value_node *node, struct arena *arena, struct update **out,
                        struct err *err)
{
    struct assignment *all;

    if (node == NULL)
        return true;
    if (!updates_take(node, arena, &all, err))
        return false;
    if (node->kept > 0)
        *out = update_of_assignments(arena, all, node->kept);
    return true;
}

/* Expected, or a filter. */
static bool legacy_take(const struct members *members, enum field_role role, struct arena *arena,
                        struct condition **out, struct err *err)
{
    const struct value_node *node = members->of[role];
    const struct value_node *joined = members->of[ROLE_CONDITIONAL_OPERATOR];
    bool any_of = joined != NULL && bytes_equal(joined->text, BYTES("OR"));
    struct comparison *all;

    if (node == NULL)
        return true;
    if (role == ROLE_EXPECTED ? !expected_take(node, arena, &all, err)
                              : !conditions_take(node, arena, &all, err))
        return false;
    if (node->kept > 0)
        *out = condition_of_comparisons(arena, all, node->kept, any_of);
    return true;
}

static bool expressions_take(const struct members *members, const char *envelope,
                             struct expressions *out, struct err *err)
{
    const struct value_node *const *of = members->of;
    struct scope *scope = &out->scope;

    return update_take(of[ROLE_ATTRIBUTE_UPDATES], scope->arena, &out->update, err) &&
           legacy_take(members, ROLE_EXPECTED, scope->arena, &out->condition, err) &&
           legacy_take(members, ROLE_OLD_FILTER, scope->arena, &out->filter, err) &&
           names_take(of[ROLE_ATTRIBUTES_TO_GET], scope->arena, &out->projection, err) &&
           scope_take(members, envelope, scope, err) &&
           (of[ROLE_UPDATE] == NULL ||
            update_compile(scope, of[ROLE_UPDATE]->text, &out->update, err)) &&
           condition_take(of[ROLE_CONDITION], scope, &out->condition, err) &&
           (of[ROLE_KEY_CONDITION] == NULL ||
            key_condition_compile(scope, of[ROLE_KEY_CONDITION]->text, &out->key_condition, err)) &&
           condition_take(of[ROLE_FILTER], scope, &out->filter, err) &&
           (of[ROLE_PROJECTION] == NULL ||
            projection_compile(scope, of[ROLE_PROJECTION]->text, &out->projection, err)) &&
           scope_check_used(scope, err);
}

bool expressions_compile(const struct value_node *node, const char *envelope, struct arena *arena,
                         struct expressions *out, struct err *err)
{
    struct members members = members_of(node);

    *out = (struct expressions){.update = NULL};
    scope_init(&out->scope, arena);
    return expressions_take(&members, envelope, out, err) || in_envelope(envelope, err);
}

const struct expressions *request_expressions(struct request *request, const char *envelope,
                                              struct err *err)
{
    if (request->kept != NULL)
        return request->kept;
    struct expressions *made = arena_alloc(&request->arena, sizeof *made);
    if (!expressions_compile(request->input, envelope, &request->arena, made, err))
        return NULL;
    request_keep(request, made);
    return made;
}

/* --- what they are on ------------------------------------------------------------------------- */

static uint32_t key_names(const struct table *table, struct bytes names[2])
{
    for (uint32_t i = 0; i < table->key_count; i++)
        names[i] = table->keys[i].name;
    return table->key_count;
}

static bool check_table_keys(const struct expressions *expressions, const struct table *table,
                             struct err *err)
{
    struct bytes names[2];
    uint32_t count = key_names(table, names);

    return (expressions->update == NULL ||
            update_check_keys(expressions->update, names, count, err)) &&
           (expressions->condition == NULL ||
            condition_check_keys(expressions->condition, KEY_OF_TABLE, names, count, err)) &&
           (expressions->projection == NULL ||
            projection_check_keys(expressions->projection, KEY_OF_TABLE, names, count, err));
}

static bool given_by_expression(void *context, struct bytes name, struct value *out)
{
    return update_gives(context, name, &out->type);
}

static uint32_t index_key_names(const struct table *table,
                                struct bytes names[INDEXES_MOST * INDEX_KEYS_MOST])
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < table->index_count; i++)
        for (uint32_t j = 0; j < table->indexes[i].key_count; j++)
            names[count++] = table->indexes[i].keys[j].name;
    return count;
}

/* Types before paths: dynalite, test/updateItem.js, 'set d.a = a add c :a'. */
static bool check_index_keys(const struct expressions *expressions, const struct table *table,
                             struct err *err)
{
    struct bytes names[INDEXES_MOST * INDEX_KEYS_MOST];
    struct update *update = expressions->update;
    uint32_t count = index_key_names(table, names);

    return (update == NULL ||
            (indexes_match(table, &(struct index_given){given_by_expression, update}, err) &&
             update_check_index_keys(update, names, count, err))) &&
           (expressions->condition == NULL ||
            condition_check_keys(expressions->condition, KEY_OF_INDEX, names, count, err)) &&
           (expressions->projection == NULL ||
            projection_check_keys(expressions->projection, KEY_OF_INDEX, names, count, err));
}

bool expressions_check_keys(const struct expressions *expressions, const struct table *table,
                            struct err *err)
{
    return check_table_keys(expressions, table, err) &&
           (table->index_count == 0 || check_index_keys(expressions, table, err));
}

bool expressions_check_filter(const struct expressions *expressions, const struct table *table,
                              struct err *err)
{
    struct bytes names[2], index_names[INDEXES_MOST * INDEX_KEYS_MOST];

    return expressions->filter == NULL ||
           (condition_check_keys(expressions->filter, KEY_OF_TABLE, names, key_names(table, names),
                                 err) &&
            condition_check_keys(expressions->filter, KEY_OF_INDEX, index_names,
                                 index_key_names(table, index_names), err));
}

bool expressions_hold(const struct expressions *expressions, struct bytes old, struct err *err)
{
    return expressions->condition == NULL || condition_holds(expressions->condition, old) ||
           err_fail(err, ERR_CONDITION_FAILED, "The conditional request failed");
}

bool expressions_update(const struct expressions *expressions, struct bytes key_item,
                        struct write *write, struct arena *arena, struct err *err)
{
    bool exists = write->old.size > 0;
    struct bytes base = exists ? write->old : key_item;

    write->kind = WRITE_PUT;
    write->item = base;
    if (expressions->update == NULL)
        return true;
    if (!update_apply(expressions->update, base, exists, arena, &write->item, err))
        return false;
    if (!exists && bytes_equal(write->item, base))
        write->kind = WRITE_NOTHING;
    return true;
}

bool settle_condition(struct write *write, struct arena *arena, struct err *err)
{
    struct request *request = write->context;

    (void)arena;
    if (expressions_hold(request->kept, write->old, err))
        return true;
    if (request_is(request, "ReturnValuesOnConditionCheckFailure", "ALL_OLD"))
        request->refused = write->old;
    return false;
}

uint64_t expressions_put_item(const struct expressions *expressions, struct bytes item,
                              struct arena *arena, struct buf *out)
{
    if (expressions->projection == NULL)
        return item_write_json(item, out);
    struct arena_mark mark = arena_mark(arena);
    item_write_json(projection_apply(expressions->projection, item, arena), out);
    arena_rewind(arena, mark);
    return item_size(item);
}
