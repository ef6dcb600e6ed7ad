/* api/legacy.c - reads Expected, AttributeUpdates and the maps of Condition. */
#include "api/legacy.h"

#define INVALID "One or more parameter values were invalid: "

const char *const enum_conditional_operator[] = {"OR", "AND", NULL};

/* In the order in which the service tells them (dynalite's tests). */
static const char *const enum_comparison[] = {
    "IN",       "NULL", "BETWEEN", "LT",          "NOT_CONTAINS", "EQ",       "GT",
    "NOT_NULL", "NE",   "LE",      "BEGINS_WITH", "GE",           "CONTAINS", NULL};
static const char *const enum_action[] = {"ADD", "DELETE", "PUT", NULL};

static const struct field element_value = ELEMENT(FIELD_VALUE);

static const struct field expected_members[] = {
    OPTIONAL("AttributeValueList", FIELD_LIST(element_value)),
    OPTIONAL("ComparisonOperator", FIELD_ENUM(enum_comparison)),
    OPTIONAL("Exists", FIELD_BOOLEAN),
    OPTIONAL("Value", FIELD_VALUE),
    SHAPE_END,
};
static const struct field update_members[] = {
    OPTIONAL("Action", FIELD_ENUM(enum_action)),
    OPTIONAL("Value", FIELD_VALUE),
    SHAPE_END,
};
static const struct field condition_members[] = {
    OPTIONAL("AttributeValueList", FIELD_LIST(element_value)),
    REQUIRED("ComparisonOperator", FIELD_ENUM(enum_comparison)),
    SHAPE_END,
};
const struct field element_expected =
    ELEMENT(FIELD_STRUCT("ExpectedAttributeValue", expected_members));
const struct field element_update = ELEMENT(FIELD_STRUCT("AttributeValueUpdate", update_members));
const struct field element_condition = ELEMENT(FIELD_STRUCT("Condition", condition_members));

/* A bound of our own (SHAPE_KEPT_MOST): more would have been dropped, and nothing is ignored. */
static bool check_kept(const struct value_node *node, struct err *err)
{
    return node->count == node->kept ||
           err_fail(err, ERR_VALIDATION, INVALID "%.*s has more than %d elements",
                    BYTES_ARGS(node->field->name), SHAPE_KEPT_MOST);
}

static bool value_take(const struct value_node *node, struct value *out, struct err *err)
{
    if (node->item.invalid != NULL) {
        *err = *node->item.invalid;
        return false;
    }
    *out = value_read(node->item.packed);
    return true;
}

/* The values of an AttributeValueList, or the one Value, or none. */
static bool values_take(const struct value_node *list, const struct value_node *one,
                        struct arena *arena, struct comparison *out, struct err *err)
{
    uint32_t count = list != NULL ? list->kept : one != NULL;
    struct value *values = arena_alloc(arena, count * sizeof *values);

    if (list != NULL && !check_kept(list, err))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!value_take(list != NULL ? &list->members[i] : one, &values[i], err))
            return false;
    out->values = values;
    out->count = count;
    return true;
}

/* --- Condition -------------------------------------------------------------------------------- */

static bool condition_take(const struct value_node *node, struct arena *arena,
                           struct comparison *out, struct err *err)
{
    out->name = node->name;
    out->kind = comparison_named(node_member(node, "ComparisonOperator")->text);
    return values_take(node_member(node, "AttributeValueList"), NULL, arena, out, err) &&
           comparison_check(out, err);
}

bool conditions_take(const struct value_node *node, struct arena *arena, struct comparison **out,
                     struct err *err)
{
    *out = arena_zalloc(arena, node->kept * sizeof **out);
    if (!check_kept(node, err))
        return false;
    for (uint32_t i = 0; i < node->kept; i++)
        if (!condition_take(&node->members[i], arena, &(*out)[i], err))
            return false;
    return true;
}

/* --- Expected --------------------------------------------------------------------------------- */

static bool fail_for(struct bytes name, const char *what, struct err *err)
{
    return err_fail(err, ERR_VALIDATION, INVALID "%s for Attribute: %.*s", what, BYTES_ARGS(name));
}

/* With a ComparisonOperator. */
static bool compared_take(const struct value_node *node, struct arena *arena,
                          struct comparison *out, struct err *err)
{
    const struct value_node *kind = node_member(node, "ComparisonOperator");
    const struct value_node *list = node_member(node, "AttributeValueList");
    const struct value_node *one = node_member(node, "Value");

    if (node_member(node, "Exists") != NULL)
        return fail_for(node->name, "Exists and ComparisonOperator cannot be used together", err);
    out->kind = comparison_named(kind->text);
    if (out->kind != COMPARISON_NULL && out->kind != COMPARISON_NOT_NULL && list == NULL &&
        one == NULL)
        return err_fail(err, ERR_VALIDATION,
                        INVALID "Value or AttributeValueList must be used with ComparisonOperator: "
                                "%.*s for Attribute: %.*s",
                        BYTES_ARGS(kind->text), BYTES_ARGS(node->name));
    return values_take(list, one, arena, out, err) && comparison_check(out, err);
}

/* Without: Exists and Value. */
static bool existing_take(const struct value_node *node, struct arena *arena,
                          struct comparison *out, struct err *err)
{
    const struct value_node *exists = node_member(node, "Exists");
    const struct value_node *one = node_member(node, "Value");
    bool wanted = exists == NULL || exists->integer != 0;

    if (wanted && one == NULL)
        return fail_for(node->name,
                        exists == NULL ? "Value must be provided when Exists is null"
                                       : "Value must be provided when Exists is true",
                        err);
    if (!wanted && one != NULL)
        return fail_for(node->name, "Value cannot be used when Exists is false", err);
    out->kind = wanted ? COMPARISON_EQ : COMPARISON_NULL;
    return values_take(NULL, one, arena, out, err);
}

static bool one_expected_take(const struct value_node *node, struct arena *arena,
                              struct comparison *out, struct err *err)
{
    bool has_list = node_member(node, "AttributeValueList") != NULL;

    out->name = node->name;
    if (has_list && node_member(node, "Value") != NULL)
        return fail_for(node->name, "Value and AttributeValueList cannot be used together", err);
    if (node_member(node, "ComparisonOperator") != NULL)
        return compared_take(node, arena, out, err);
    if (has_list)
        return fail_for(node->name, "AttributeValueList can only be used with a ComparisonOperator",
                        err);
    return existing_take(node, arena, out, err);
}

bool expected_take(const struct value_node *node, struct arena *arena, struct comparison **out,
                   struct err *err)
{
    *out = arena_zalloc(arena, node->kept * sizeof **out);
    if (!check_kept(node, err))
        return false;
    for (uint32_t i = 0; i < node->kept; i++)
        if (!one_expected_take(&node->members[i], arena, &(*out)[i], err))
            return false;
    return true;
}

/* --- AttributeUpdates ------------------------------------------------------------------------- */

static bool update_take(const struct value_node *node, struct arena *arena, struct assignment *out,
                        struct err *err)
{
    const struct value_node *action = node_member(node, "Action");
    const struct value_node *one = node_member(node, "Value");

    *out = (struct assignment){.name = node->name, .kind = ASSIGNMENT_PUT};
    if (action != NULL && action->text.data[0] == 'A')
        out->kind = ASSIGNMENT_ADD;
    else if (action != NULL && action->text.data[0] == 'D')
        out->kind = ASSIGNMENT_DELETE;
    if (one != NULL) {
        struct value *value = arena_alloc(arena, sizeof *value);
        if (!value_take(one, value, err))
            return false;
        out->value = value;
    }
    return assignment_check(out, err);
}

bool updates_take(const struct value_node *node, struct arena *arena, struct assignment **out,
                  struct err *err)
{
    *out = arena_zalloc(arena, node->kept * sizeof **out);
    if (!check_kept(node, err))
        return false;
    for (uint32_t i = 0; i < node->kept; i++)
        if (!update_take(&node->members[i], arena, &(*out)[i], err))
            return false;
    return true;
}
