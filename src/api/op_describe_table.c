/* api/op_describe_table.c - DescribeTable: the table, and its exact figures as of the last commit.
 */
#include "api/api.h"

const struct field shape_describe_table[] = {
    REQUIRED("TableName", FIELD_MANAGED_TABLE_NAME),
    SHAPE_END,
};

enum run op_describe_table(struct request *request, struct err *err)
{
    struct extras extras;
    struct table_shown shown = {.extras = &extras,
                                .status = "ACTIVE",
                                .warm = "ACTIVE",
                                .encryption = "ENABLED",
                                .arena = &request->arena};

    if (!work_table_named(&request->work, request_text(request, "TableName"), &shown.table, err) ||
        !table_figures(request->api->tables, shown.table, &shown.figures, err) ||
        !indexes_now(request->api->tables, shown.table, 0, &request->arena, &shown.indexes, err))
        return RUN_FAILED;
    extras_read(shown.table->settings, &request->arena, &extras);
    buf_put_literal(&request->reply, "{\"Table\":");
    put_table(&request->reply, &shown);
    buf_put_literal(&request->reply, "}");
    return RUN_DONE;
}
