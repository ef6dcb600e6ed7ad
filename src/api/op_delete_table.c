/* api/op_delete_table.c - DeleteTable. The table is gone with its commit; what it held is deleted
 * in the background. The reply says DELETING, as the service's does. */
#include "api/api.h"

const struct field shape_delete_table[] = {
    REQUIRED("TableName", FIELD_MANAGED_TABLE_NAME),
    SHAPE_END,
};

enum run op_delete_table(struct request *request, struct err *err)
{
    struct bytes name = request_text(request, "TableName");
    struct extras extras;
    struct table_shown shown = {
        .extras = &extras, .status = "DELETING", .encryption = "ENABLED", .arena = &request->arena};

    if (!work_table_named(&request->work, name, &shown.table, err) ||
        !table_figures(request->api->tables, shown.table, &shown.figures, err))
        return RUN_FAILED;
    enum run run = tables_delete(&request->work, name, &shown.table, err);
    if (run != RUN_DONE)
        return run;
    extras_read(shown.table->settings, &request->arena, &extras);
    buf_put_literal(&request->reply, "{\"TableDescription\":");
    put_table(&request->reply, &shown);
    buf_put_literal(&request->reply, "}");
    return RUN_DONE;
}
