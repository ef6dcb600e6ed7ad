/* api/indexes.c - secondary indexes as CreateTable's lists and UpdateTable's Create give them. What
 * is wrong with keys is told before what no key uses, and that before projections, throughput and
 * names; local indexes are looked at before global ones. */
#include "api/indexes.h"

#define INVALID       "One or more parameter values were invalid: "
#define NON_KEYS_MOST 20 /* of one index */

static const char *const enum_projection[] = {"ALL", "INCLUDE", "KEYS_ONLY", NULL};

static const struct field element_non_key = ELEMENT(FIELD_STRING, LEAST(1), MOST(255));
static const struct field projection_members[] = {
    OPTIONAL("ProjectionType", FIELD_ENUM(enum_projection)),
    OPTIONAL("NonKeyAttributes", FIELD_LIST(element_non_key), LEAST(1), MOST(NON_KEYS_MOST)),
    SHAPE_END,
};

#define PROJECTION REQUIRED("Projection", FIELD_STRUCT("Projection", projection_members))

static const struct field local_members[] = {
    PROJECTION,
    REQUIRED("IndexName", FIELD_INDEX_NAME),
    REQUIRED("KeySchema", FIELD_LIST(element_key), LEAST(1), MOST(2)),
    SHAPE_END,
};
const struct field element_local = ELEMENT(FIELD_STRUCT("LocalSecondaryIndex", local_members));

const struct field shape_global[] = {
    PROJECTION,
    REQUIRED("IndexName", FIELD_INDEX_NAME),
    OPTIONAL("ProvisionedThroughput", FIELD_STRUCT("ProvisionedThroughput", shape_throughput)),
    REQUIRED("KeySchema", FIELD_LIST(element_key), LEAST(1)),
    OPTIONAL("OnDemandThroughput", FIELD_STRUCT("OnDemandThroughput", shape_on_demand)),
    OPTIONAL("WarmThroughput", FIELD_STRUCT("WarmThroughput", shape_warm)),
    SHAPE_END,
};
const struct field element_global = ELEMENT(FIELD_STRUCT("GlobalSecondaryIndex", shape_global));

/* --- projections ------------------------------------------------------------------------------ */

static enum index_projection projection_named(struct bytes name)
{
    return bytes_equal(name, BYTES("ALL"))         ? PROJECT_ALL
           : bytes_equal(name, BYTES("KEYS_ONLY")) ? PROJECT_KEYS_ONLY
                                                   : PROJECT_INCLUDE;
}

static bool included_add(struct table_index *index, struct bytes *included, struct bytes name,
                         struct err *err)
{
    uint32_t at = index->included_count++;

    for (; at > 0 && bytes_compare(included[at - 1], name) >= 0; at--) {
        if (bytes_equal(included[at - 1], name))
            return err_fail(err, ERR_VALIDATION,
                            INVALID "Duplicate element in NonKeyAttributes: %.*s",
                            BYTES_ARGS(name));
        included[at] = included[at - 1];
    }
    included[at] = name;
    return true;
}

/* In the order of their names, as the service tells them (ack-api-quirks, DDB-TABLE-125). */
static bool included_take(const struct value_node *names, struct arena *arena,
                          struct table_index *index, struct err *err)
{
    struct bytes *included = arena_alloc(arena, names->kept * sizeof *included);

    index->included = included;
    for (uint32_t i = 0; i < names->kept; i++)
        if (!included_add(index, included, names->members[i].text, err))
            return false;
    return true;
}

static bool projection_take(const struct value_node *node, struct arena *arena,
                            struct table_index *index, struct err *err)
{
    const struct value_node *type = node_member(node, "ProjectionType");
    const struct value_node *names = node_member(node, "NonKeyAttributes");

    if (type == NULL)
        return err_fail(err, ERR_VALIDATION, INVALID "Unknown ProjectionType: null");
    index->projection = projection_named(type->text);
    if ((index->projection == PROJECT_INCLUDE) != (names != NULL))
        return err_fail(err, ERR_VALIDATION,
                        INVALID "ProjectionType is %.*s, but NonKeyAttributes is %sspecified",
                        BYTES_ARGS(type->text), names == NULL ? "not " : "");
    return names == NULL || included_take(names, arena, index, err);
}

bool included_check(const struct table *table, struct err *err)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < table->index_count; i++)
        count += table->indexes[i].included_count;
    return count <= INCLUDED_MOST ||
           err_fail(err, ERR_VALIDATION,
                    INVALID "Number of projected attributes in all indexes exceeds limit of %d",
                    INCLUDED_MOST);
}

/* --- capacity --------------------------------------------------------------------------------- */

/* What the table's mode says of an index's throughput, which has it against the mode. */
static const char *units_rule(bool provisioned, bool added)
{
    if (provisioned)
        return added ? "Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: "
                     : "ProvisionedThroughput is not specified for index: ";
    return added ? "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: "
                 : "ProvisionedThroughput should not be specified for index: ";
}

static bool units_take(const struct value_node *node, const struct table *table, bool added,
                       struct table_index *index, struct err *err)
{
    struct capacity_of of = capacity_of_index(table, index, true);
    const struct value_node *throughput = node_member(node, "ProvisionedThroughput");

    if ((throughput != NULL) != table->provisioned)
        return err_fail(err, ERR_VALIDATION, INVALID "%s%.*s%s",
                        units_rule(table->provisioned, added), BYTES_ARGS(index->name),
                        table->provisioned ? "" : " when BillingMode is PAY_PER_REQUEST");
    return throughput == NULL || throughput_take(throughput, &of, &index->throughput, err);
}

static bool settings_take(const struct value_node *node, const struct table *table,
                          struct arena *arena, struct table_index *index, struct err *err)
{
    struct capacity_of of = capacity_of_index(table, index, true);
    const struct value_node *on_demand = node_member(node, "OnDemandThroughput");
    const struct value_node *warm = node_member(node, "WarmThroughput");
    struct capacity capacity = {0};

    if ((on_demand != NULL && !on_demand_take(on_demand, &of, &capacity, err)) ||
        (warm != NULL && !warm_take(warm, &of, &capacity, err)))
        return false;
    index->settings = capacity_pack(&capacity, arena);
    return true;
}

bool global_take(const struct value_node *node, const struct table *table, bool added,
                 struct arena *arena, struct table_index *index, struct err *err)
{
    return projection_take(node_member(node, "Projection"), arena, index, err) &&
           units_take(node, table, added, index, err) &&
           settings_take(node, table, arena, index, err);
}

/* --- the lists of CreateTable ----------------------------------------------------------------- */

struct lists {
    const struct value_node *local, *global; /* NULL: none */
    struct table_index *indexes;             /* the table's */
};

static const struct value_node *list_at(const struct lists *lists, uint32_t at)
{
    uint32_t locals = lists->local != NULL ? lists->local->kept : 0;

    return at < locals ? &lists->local->members[at] : &lists->global->members[at - locals];
}

static bool not_empty(const struct value_node *list, struct err *err)
{
    return list == NULL || list->count > 0 ||
           err_fail(err, ERR_VALIDATION, INVALID "List of %.*s is empty",
                    BYTES_ARGS(list->field->name));
}

static bool lists_valid(const struct lists *lists, const struct table *table, struct err *err)
{
    if (!not_empty(lists->local, err))
        return false;
    if (lists->local != NULL && table->key_count < 2)
        return err_fail(err, ERR_VALIDATION,
                        INVALID "Table KeySchema does not have a range key, which is required "
                                "when specifying a LocalSecondaryIndex");
    return not_empty(lists->global, err);
}

static bool keys_take(const struct lists *lists, const struct definitions *definitions,
                      const struct table *table, struct err *err)
{
    for (uint32_t i = 0; i < table->index_count; i++) {
        const struct value_node *node = list_at(lists, i);
        const struct value_node *schema = node_member(node, "KeySchema");
        struct table_index *index = &lists->indexes[i];
        *index = (struct table_index){.name = node_member(node, "IndexName")->text,
                                      .local = node->field == &element_local};
        if (index->local ? !local_keys_take(schema, definitions, index, err)
                         : !global_keys_take(schema, definitions, index, err))
            return false;
    }
    return true;
}

static bool local_valid(const struct table *table, const struct table_index *index, struct err *err)
{
    if (index->key_count < 2)
        return err_fail(err, ERR_VALIDATION,
                        INVALID "Index KeySchema does not have a range key for index: %.*s",
                        BYTES_ARGS(index->name));
    return bytes_equal(index->keys[0].name, table->keys[0].name) ||
           err_fail(err, ERR_VALIDATION,
                    INVALID "Index KeySchema does not have the same leading hash key as table "
                            "KeySchema for index: %.*s. index hash key: %.*s, table hash key: "
                            "%.*s",
                    BYTES_ARGS(index->name), BYTES_ARGS(index->keys[0].name),
                    BYTES_ARGS(table->keys[0].name));
}

static bool index_take(const struct value_node *node, const struct table *table,
                       struct arena *arena, struct table_index *index, struct err *err)
{
    if (index->local ? !local_valid(table, index, err) ||
                           !projection_take(node_member(node, "Projection"), arena, index, err)
                     : !global_take(node, table, false, arena, index, err))
        return false;
    return table_find_index(table, index->name) == index ||
           err_fail(err, ERR_VALIDATION, INVALID "Duplicate index name: %.*s",
                    BYTES_ARGS(index->name));
}

static bool counts_check(const struct lists *lists, struct err *err)
{
    if (lists->local != NULL && lists->local->count > INDEXES_LOCAL_MOST)
        return err_fail(err, ERR_VALIDATION,
                        INVALID "Number of LocalSecondaryIndexes exceeds per-table limit of %d",
                        INDEXES_LOCAL_MOST);
    return lists->global == NULL || lists->global->count <= INDEXES_GLOBAL_MOST ||
           err_fail(err, ERR_VALIDATION,
                    INVALID "GlobalSecondaryIndex count exceeds the per-table limit of %d",
                    INDEXES_GLOBAL_MOST);
}

bool indexes_take(struct request *request, const struct definitions *definitions,
                  struct table *table, struct err *err)
{
    struct lists lists = {.local = request_member(request, "LocalSecondaryIndexes"),
                          .global = request_member(request, "GlobalSecondaryIndexes")};

    if (!lists_valid(&lists, table, err))
        return false;
    table->index_count = (lists.local != NULL ? lists.local->kept : 0) +
                         (lists.global != NULL ? lists.global->kept : 0);
    lists.indexes = arena_zalloc(&request->arena, table->index_count * sizeof *lists.indexes);
    table->indexes = lists.indexes;
    if (!keys_take(&lists, definitions, table, err) || !definitions_used(definitions, table, err))
        return false;
    for (uint32_t i = 0; i < table->index_count; i++)
        if (!index_take(list_at(&lists, i), table, &request->arena, &lists.indexes[i], err))
            return false;
    return counts_check(&lists, err) && included_check(table, err);
}
