/* api/op_continuous_backups.c - UpdateContinuousBackups and DescribeContinuousBackups:
 * point-in-time recovery and its window (spec/export.md 5.3). ContinuousBackupsStatus is not about
 * that: it is ENABLED for every table. */
#include "api/api.h"

#include "base/clock.h"

#define DAYS_DEFAULT 35 /* also the most */

static const struct field recovery_members[] = {
    REQUIRED("PointInTimeRecoveryEnabled", FIELD_BOOLEAN),
    OPTIONAL("RecoveryPeriodInDays", FIELD_INTEGER, LEAST(1), MOST(DAYS_DEFAULT)),
    SHAPE_END,
};
const struct field shape_update_continuous_backups[] = {
    REQUIRED("TableName", FIELD_TABLE_NAME),
    REQUIRED("PointInTimeRecoverySpecification",
             FIELD_STRUCT("PointInTimeRecoverySpecification", recovery_members)),
    SHAPE_END,
};
const struct field shape_describe_continuous_backups[] = {
    REQUIRED("TableName", FIELD_TABLE_NAME),
    SHAPE_END,
};

static bool table_find(struct request *request, const struct table **table, struct err *err)
{
    struct bytes name = request_text(request, "TableName");

    *table = work_find_table(&request->work, name);
    return *table != NULL || err_fail(err, ERR_TABLE_NOT_FOUND, "Table not found: %.*s",
                                      BYTES_ARGS(request_table_name(request)));
}

static uint64_t whole_second(uint64_t micros)
{
    return micros - micros % SECOND_MICROS;
}

static void put_backups(struct request *request, const struct table *table)
{
    struct engine *engine = tables_engine(request->api->tables);
    uint64_t now = engine->ops->now(engine);
    struct buf *out = &request->reply;

    buf_put_literal(out, "{\"ContinuousBackupsDescription\":{\"ContinuousBackupsStatus\":"
                         "\"ENABLED\",\"PointInTimeRecoveryDescription\":{");
    put_text_member(out, "PointInTimeRecoveryStatus",
                    table->recovery ? BYTES("ENABLED") : BYTES("DISABLED"));
    if (table->recovery) {
        put_integer_member(out, "RecoveryPeriodInDays", table->recovery_days);
        put_time_member(out, "EarliestRestorableDateTime",
                        whole_second(table_earliest(table, now)));
        put_time_member(out, "LatestRestorableDateTime", whole_second(table_latest(table, now)));
    }
    buf_put_literal(out, "}}}");
}

enum run op_describe_continuous_backups(struct request *request, struct err *err)
{
    const struct table *table;

    if (!table_find(request, &table, err))
        return RUN_FAILED;
    put_backups(request, table);
    return RUN_DONE;
}

/* Enabling what is enabled keeps its period unless another is given; disabling forgets it. */
enum run op_update_continuous_backups(struct request *request, struct err *err)
{
    const struct value_node *wanted = request_member(request, "PointInTimeRecoverySpecification");
    bool enabled = node_member(wanted, "PointInTimeRecoveryEnabled")->integer != 0;
    const struct value_node *days = node_member(wanted, "RecoveryPeriodInDays");
    const struct table *table, *updated;

    if (!enabled && days != NULL) {
        err_fail(err, ERR_VALIDATION,
                 "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling "
                 "point-in-time recovery.");
        return RUN_FAILED;
    }
    if (!table_find(request, &table, err))
        return RUN_FAILED;
    uint32_t period = days != NULL                 ? (uint32_t)days->integer
                      : enabled && table->recovery ? table->recovery_days
                                                   : DAYS_DEFAULT;
    enum run run = tables_set_recovery(&request->work, table, enabled, period, &updated, err);
    if (run == RUN_DONE)
        put_backups(request, updated);
    return run;
}
