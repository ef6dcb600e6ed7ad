/* api/index_updates.c - GlobalSecondaryIndexUpdates of UpdateTable. Several indexes may be given
 * other throughput at once, but one index is created or deleted at a time. All of it holds from the
 * commit on, but that a new index is built first; the reply shows what has only begun by then: the
 * old throughput, an index that is being deleted.
 *
 * Rules, messages and what is shown: ack-api-quirks, 2026-10 (DDB-TABLE-135, 137, 138, 149, 152,
 * 153, 155, 159 to 165, 169, 456), and dynalite's updateTable tests. */
#include "api/indexes.h"

#include "base/clock.h"

#define INVALID "One or more parameter values were invalid: "
#define IN_USE  "Attempt to change a resource which is still in use: "

static const struct field update_members[] = {
    REQUIRED("IndexName", FIELD_INDEX_NAME),
    OPTIONAL("ProvisionedThroughput", FIELD_STRUCT("ProvisionedThroughput", shape_throughput)),
    OPTIONAL("OnDemandThroughput", FIELD_STRUCT("OnDemandThroughput", shape_on_demand)),
    OPTIONAL("WarmThroughput", FIELD_STRUCT("WarmThroughput", shape_warm)),
    SHAPE_END,
};
static const struct field delete_members[] = {REQUIRED("IndexName", FIELD_INDEX_NAME), SHAPE_END};
static const struct field entry_members[] = {
    OPTIONAL("Update", FIELD_STRUCT("UpdateGlobalSecondaryIndexAction", update_members)),
    OPTIONAL("Create", FIELD_STRUCT("CreateGlobalSecondaryIndexAction", shape_global)),
    OPTIONAL("Delete", FIELD_STRUCT("DeleteGlobalSecondaryIndexAction", delete_members)),
    SHAPE_END,
};
const struct field element_index_update =
    ELEMENT(FIELD_STRUCT("GlobalSecondaryIndexUpdate", entry_members));

/* --- what needs no table to be seen ----------------------------------------------------------- */

/* The one action of an entry. */
static const struct value_node *action_of(const struct value_node *entry)
{
    const struct value_node *action = node_member(entry, "Update");

    if (action == NULL)
        action = node_member(entry, "Create");
    return action != NULL ? action : node_member(entry, "Delete");
}

static bool action_is(const struct value_node *action, const char *name)
{
    return bytes_equal(action->field->name, bytes_of_text(name));
}

static struct bytes name_of(const struct value_node *action)
{
    return node_member(action, "IndexName")->text;
}

static bool entry_valid(const struct value_node *entry, struct err *err)
{
    int actions = (node_member(entry, "Update") != NULL) + (node_member(entry, "Create") != NULL) +
                  (node_member(entry, "Delete") != NULL);

    if (actions == 0)
        return err_fail(err, ERR_VALIDATION,
                        INVALID "One of GlobalSecondaryIndexUpdate.Update, "
                                "GlobalSecondaryIndexUpdate.Create, "
                                "GlobalSecondaryIndexUpdate.Delete must not be null");
    return actions == 1 || err_fail(err, ERR_VALIDATION,
                                    INVALID "Only one global secondary index action is allowed per "
                                            "GlobalSecondaryIndexUpdate object");
}

static bool names_differ(const struct value_node *list, struct err *err)
{
    for (uint32_t i = 0; i < list->kept; i++)
        for (uint32_t j = 0; j < i; j++)
            if (bytes_equal(name_of(action_of(&list->members[i])),
                            name_of(action_of(&list->members[j]))))
                return err_fail(err, ERR_VALIDATION,
                                INVALID "Only one global secondary index update per index is "
                                        "allowed simultaneously. Index: %.*s",
                                BYTES_ARGS(name_of(action_of(&list->members[i]))));
    return true;
}

static bool capacity_valid(const struct value_node *action, struct err *err)
{
    struct capacity_of of = {.index = name_of(action)};
    struct throughput asked;

    if (action_is(action, "Delete"))
        return true;
    const struct value_node *throughput = node_member(action, "ProvisionedThroughput");
    const struct value_node *warm = node_member(action, "WarmThroughput");
    if (throughput != NULL && !throughput_take(throughput, &of, &asked, err))
        return false;
    return warm == NULL || capacity_given(warm) || action_is(action, "Create") ||
           err_fail(err, ERR_VALIDATION,
                    INVALID "WarmThroughput must have at least one of ReadUnitsPerSecond or "
                            "WriteUnitsPerSecond specified for index: %.*s",
                    BYTES_ARGS(of.index));
}

bool index_updates_valid(const struct value_node *list, struct err *err)
{
    for (uint32_t i = 0; i < list->kept; i++)
        if (!entry_valid(&list->members[i], err))
            return false;
    if (!names_differ(list, err))
        return false;
    for (uint32_t i = 0; i < list->kept; i++)
        if (!capacity_valid(action_of(&list->members[i]), err))
            return false;
    return true;
}

bool index_updates_have(const struct value_node *list, const char *action)
{
    for (uint32_t i = 0; list != NULL && i < list->kept; i++)
        if (action_is(action_of(&list->members[i]), action))
            return true;
    return false;
}

/* --- the indexes, one by one ------------------------------------------------------------------ */

static bool in_use(const struct index_updates *updates, const char *what, struct bytes name,
                   struct err *err)
{
    return err_fail(err, ERR_RESOURCE_IN_USE, IN_USE "%s Table: %.*s Index: %.*s", what,
                    BYTES_ARGS(updates->current->name), BYTES_ARGS(name));
}

/* Where a global index of that name is. */
static bool index_at(const struct index_updates *updates, const struct value_node *action,
                     uint32_t *at, struct err *err)
{
    struct bytes name = name_of(action);
    const struct table_index *found = table_find_index(updates->current, name);

    if (found == NULL)
        return err_fail(err, ERR_RESOURCE_NOT_FOUND,
                        "Requested resource not found: Index %.*s for table %.*s", BYTES_ARGS(name),
                        BYTES_ARGS(updates->current->name));
    if (found->local)
        return err_fail(err, ERR_VALIDATION,
                        "Cannot %s an index that is not a GlobalSecondaryIndex: %.*s",
                        action_is(action, "Delete") ? "delete" : "update", BYTES_ARGS(name));
    *at = (uint32_t)(found - updates->current->indexes);
    return true;
}

static bool attributes_defined(const struct index_updates *updates, struct bytes name,
                               struct err *err)
{
    return updates->definitions.given != NULL ||
           err_fail(err, ERR_VALIDATION,
                    INVALID "AttributeDefinitions is not specified for index: %.*s",
                    BYTES_ARGS(name));
}

static bool index_create(struct index_updates *updates, const struct value_node *action,
                         struct err *err)
{
    struct table_index *index = &updates->after[updates->count];
    const struct table_index *same = table_find_index(updates->current, name_of(action));

    *index = (struct table_index){.name = name_of(action)};
    if (same != NULL && same->building)
        return in_use(updates, "Index is being created. ", index->name, err);
    if (same != NULL)
        return err_fail(err, ERR_VALIDATION, "Attempting to create an index which already exists");
    if (!attributes_defined(updates, index->name, err) ||
        !definitions_distinct(&updates->definitions, err) ||
        !global_keys_take(node_member(action, "KeySchema"), &updates->definitions, index, err) ||
        !keys_as_defined(updates->current, index, updates->definitions.arena, err) ||
        !global_take(action, updates->changed, true, updates->definitions.arena, index, err))
        return false;
    updates->shown[updates->count] = *index;
    updates->states[updates->count++] =
        (struct index_shown){.status = "CREATING", .added = true, .warm = "UPDATING"};
    return true;
}

static bool index_delete(struct index_updates *updates, const struct value_node *action,
                         struct err *err)
{
    uint32_t at;

    if (!index_at(updates, action, &at, err))
        return false;
    updates->states[at].status = "DELETING";
    updates->states[at].added = false;
    updates->gone[at] = true;
    return true;
}

/* What the table's mode lets an index be given. */
static bool update_fits(const struct table *table, const struct value_node *action, struct err *err)
{
    struct bytes name = name_of(action);
    bool other = capacity_given(node_member(action, "OnDemandThroughput")) ||
                 node_member(action, "WarmThroughput") != NULL;
    bool units = node_member(action, "ProvisionedThroughput") != NULL;

    if (!table->provisioned && (units || !other))
        return err_fail(err, ERR_VALIDATION,
                        INVALID "The only Updates for index: %.*s when TableThroughputMode is "
                                "PAY_PER_REQUEST can be to OnDemandThroughput, WarmThroughput",
                        BYTES_ARGS(name));
    return units || other ||
           err_fail(err, ERR_VALIDATION,
                    INVALID "Both ReadCapacityUnits and WriteCapacityUnits must be specified for "
                            "index: %.*s",
                    BYTES_ARGS(name));
}

/* What has begun: bounds are shown as they will be, units and what is warm as they were. */
static void update_show(struct index_updates *updates, uint32_t at, const struct value_node *action,
                        struct capacity shown, const struct capacity *after)
{
    shown.read_units_most = after->read_units_most;
    shown.write_units_most = after->write_units_most;
    updates->shown[at].settings = capacity_pack(&shown, updates->definitions.arena);
    updates->shown[at].throughput =
        throughput_begun(&updates->current->indexes[at].throughput, &updates->after[at].throughput);
    if (node_member(action, "WarmThroughput") != NULL)
        updates->states[at].warm = "UPDATING";
    if (updates->states[at].added)
        return;
    if (node_member(action, "ProvisionedThroughput") != NULL ||
        node_member(action, "OnDemandThroughput") != NULL)
        updates->states[at].status = "UPDATING";
}

static bool index_update(struct index_updates *updates, const struct value_node *action,
                         struct err *err)
{
    const struct value_node *units = node_member(action, "ProvisionedThroughput");
    const struct value_node *on_demand = node_member(action, "OnDemandThroughput");
    const struct value_node *warm = node_member(action, "WarmThroughput");
    struct arena *arena = updates->definitions.arena;
    struct capacity before, after;
    uint32_t at;

    if (!index_at(updates, action, &at, err) || !update_fits(updates->changed, action, err))
        return false;
    struct table_index *index = &updates->after[at];
    struct capacity_of was =
        capacity_of_index(updates->current, &updates->current->indexes[at], false);
    struct capacity_of is = capacity_of_index(updates->changed, index, false);
    capacity_read(index->settings, &before);
    after = before;
    if (units != NULL) {
        warm_of(&was, &before, &after.warm_reads, &after.warm_writes);
        if (!throughput_change(units, &was, arena, &index->throughput, err))
            return false;
    }
    if ((on_demand != NULL && !on_demand_take(on_demand, &is, &after, err)) ||
        (warm != NULL && !warm_take(warm, &was, &after, err)))
        return false;
    update_show(updates, at, action, before, &after);
    capacity_settle(&after);
    index->settings = capacity_pack(&after, arena);
    return true;
}

/* --- all of them ------------------------------------------------------------------------------ */

static bool is_switched(const struct index_updates *updates)
{
    return updates->current->provisioned != updates->changed->provisioned;
}

static void begin(struct index_updates *updates)
{
    const struct table *current = updates->current;
    size_t room = current->index_count + (updates->list != NULL ? updates->list->kept : 0);
    struct arena *arena = updates->definitions.arena;

    updates->count = current->index_count;
    updates->after = arena_zalloc(arena, room * sizeof *updates->after);
    updates->shown = arena_zalloc(arena, room * sizeof *updates->shown);
    updates->gone = arena_zalloc(arena, room * sizeof *updates->gone);
    for (uint32_t i = 0; i < current->index_count; i++)
        updates->after[i] = updates->shown[i] = current->indexes[i];
}

/* Of an index of a table that changes its mode: what was bounded on demand no more is, what was
 * warm stays so. */
static void mode_switch(struct index_updates *updates, uint32_t at)
{
    const struct table_index *before = &updates->current->indexes[at];
    struct table_index *after = &updates->after[at];
    struct capacity_of was = capacity_of_index(updates->current, before, false);
    struct capacity capacity;

    capacity_read(before->settings, &capacity);
    warm_of(&was, &capacity, &capacity.warm_reads, &capacity.warm_writes);
    capacity.read_units_most = capacity.write_units_most = 0;
    after->settings = capacity_pack(&capacity, updates->definitions.arena);
    if (updates->current->provisioned)
        throughput_note_decrease(&after->throughput, clock_micros());
    after->throughput.read_units = after->throughput.write_units = 0;
    if (!updates->states[at].added)
        updates->states[at].status = "UPDATING";
}

/* Nothing is given by itself to what was on demand. */
static bool units_complete(const struct index_updates *updates, struct err *err)
{
    for (uint32_t i = 0; i < updates->current->index_count; i++)
        if (!updates->after[i].local && !updates->gone[i] &&
            updates->after[i].throughput.read_units == 0)
            return err_fail(err, ERR_VALIDATION,
                            INVALID "ProvisionedThroughput must be specified for index: %.*s",
                            BYTES_ARGS(updates->after[i].name));
    return true;
}

static bool entries_take(struct index_updates *updates, struct err *err)
{
    for (uint32_t i = 0; updates->list != NULL && i < updates->list->kept; i++) {
        const struct value_node *action = action_of(&updates->list->members[i]);
        if (action_is(action, "Create")   ? !index_create(updates, action, err)
            : action_is(action, "Delete") ? !index_delete(updates, action, err)
                                          : !index_update(updates, action, err))
            return false;
    }
    return true;
}

/* An index that is being built may be deleted, but nothing else beside it. */
static bool one_at_a_time(const struct index_updates *updates, struct err *err)
{
    uint32_t moves = updates->count - updates->current->index_count, building = 0;

    for (uint32_t i = 0; i < updates->current->index_count; i++) {
        moves += updates->gone[i];
        building += updates->current->indexes[i].building && !updates->gone[i];
    }
    return moves == 0 || moves + building == 1 ||
           err_fail(err, ERR_LIMIT_EXCEEDED,
                    "Subscriber limit exceeded: Only 1 online index can be created or deleted "
                    "simultaneously per table");
}

static bool count_check(const struct index_updates *updates, struct err *err)
{
    uint32_t globals = 0;

    for (uint32_t i = 0; i < updates->count; i++)
        globals += !updates->after[i].local;
    return globals <= INDEXES_GLOBAL_MOST ||
           err_fail(err, ERR_LIMIT_EXCEEDED,
                    "Subscriber limit exceeded: Number of global secondary indexes exceeds "
                    "per-table limit of %d",
                    INDEXES_GLOBAL_MOST);
}

static void end(struct index_updates *updates)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < updates->count; i++) {
        if (is_switched(updates))
            updates->shown[i] = updates->after[i];
        if (!updates->gone[i])
            updates->after[kept++] = updates->after[i];
    }
    updates->changed->indexes = updates->after;
    updates->changed->index_count = kept;
}

bool index_updates_take(struct index_updates *updates, struct err *err)
{
    begin(updates);
    for (uint32_t i = 0; is_switched(updates) && i < updates->count; i++)
        if (!updates->after[i].local)
            mode_switch(updates, i);
    if (!entries_take(updates, err) ||
        (updates->changed->provisioned && is_switched(updates) && !units_complete(updates, err)))
        return false;
    if (!one_at_a_time(updates, err) || !count_check(updates, err))
        return false;
    end(updates);
    return included_check(updates->changed, err);
}
