/* api/op_time_to_live.c - UpdateTimeToLive and DescribeTimeToLive: which attribute of a table says
 * when its items expire. It is a setting alone so far: it is kept, told and guarded, and no item
 * expires by it.
 *
 * The service settles a change before it can be asked for again, so neither ENABLING nor DISABLING
 * is ever shown; a table that was disabled looks like one that never was enabled; and what is wrong
 * with the specification is told before that it comes too soon (ack-api-quirks, DDB-TABLE-143 to
 * 147). */
#include "api/api.h"

/* The documentation says "up to one hour"; the service refused at 1,812 s and took it at 1,872 s
 * after the change before (ack-api-quirks, DDB-TABLE-143). */
#define CHANGES_APART (UINT64_C(1860) * SECOND_MICROS)

static const struct field specification_members[] = {
    REQUIRED("AttributeName", FIELD_STRING, LEAST(1), MOST(255)),
    REQUIRED("Enabled", FIELD_BOOLEAN),
    SHAPE_END,
};

const struct field shape_update_time_to_live[] = {
    REQUIRED("TableName", FIELD_MANAGED_TABLE_NAME),
    REQUIRED("TimeToLiveSpecification",
             FIELD_STRUCT("TimeToLiveSpecification", specification_members)),
    SHAPE_END,
};
const struct field shape_describe_time_to_live[] = {
    REQUIRED("TableName", FIELD_MANAGED_TABLE_NAME),
    SHAPE_END,
};

static bool change_check(const struct table *table, bool enabled, struct bytes name, uint64_t now,
                         struct err *err)
{
    bool active = table->time_to_live.size > 0;

    if (active && !bytes_equal(table->time_to_live, name))
        return err_fail(err, ERR_VALIDATION,
                        "TimeToLive is active on a different AttributeName: current AttributeName "
                        "is %.*s",
                        BYTES_ARGS(table->time_to_live));
    if (active == enabled)
        return err_fail(err, ERR_VALIDATION, "TimeToLive is already %s",
                        enabled ? "enabled" : "disabled");
    return table->time_to_live_changed == 0 || now >= table->time_to_live_changed + CHANGES_APART ||
           err_fail(err, ERR_VALIDATION,
                    "Time to live has been modified multiple times within a fixed interval");
}

enum run op_update_time_to_live(struct request *request, struct err *err)
{
    const struct value_node *wanted = request_member(request, "TimeToLiveSpecification");
    bool enabled = node_member(wanted, "Enabled")->integer != 0;
    struct bytes name = node_member(wanted, "AttributeName")->text;
    struct engine *engine = tables_engine(request->api->tables);
    uint64_t now = engine->ops->now(engine);
    const struct table *table, *updated;
    struct buf *out = &request->reply;

    if (!work_table_named(&request->work, request_text(request, "TableName"), &table, err) ||
        !change_check(table, enabled, name, now, err))
        return RUN_FAILED;
    struct table changed = *table;
    changed.time_to_live = enabled ? name : BYTES_NONE;
    changed.time_to_live_changed = now;
    buf_put_literal(out, "{\"TimeToLiveSpecification\":{");
    put_flag_member(out, "Enabled", enabled);
    put_text_member(out, "AttributeName", name);
    buf_put_literal(out, "}}");
    return tables_update(&request->work, table, &changed, &updated, err);
}

enum run op_describe_time_to_live(struct request *request, struct err *err)
{
    const struct table *table;
    struct buf *out = &request->reply;

    if (!work_table_named(&request->work, request_text(request, "TableName"), &table, err))
        return RUN_FAILED;
    bool active = table->time_to_live.size > 0;
    buf_put_literal(out, "{\"TimeToLiveDescription\":{");
    put_text_member(out, "TimeToLiveStatus", active ? BYTES("ENABLED") : BYTES("DISABLED"));
    if (active)
        put_text_member(out, "AttributeName", table->time_to_live);
    buf_put_literal(out, "}}");
    return RUN_DONE;
}
