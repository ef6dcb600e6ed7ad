/* api/op_describe_table.c - DescribeTable: the table, and its exact figures as of the last commit.
 */
#include "api/api.h"

const struct field shape_describe_table[] = {
    REQUIRED("TableName", FIELD_MANAGED_TABLE_NAME),
    SHAPE_END,
};

enum run op_describe_table(struct request *request, struct err *err)
{
    struct table_figures figures;
    const struct table *table;

    if (!work_table_named(&request->work, request_text(request, "TableName"), &table, err) ||
        !table_figures(request->api->tables, table, &figures, err))
        return RUN_FAILED;
    buf_put_literal(&request->reply, "{\"Table\":");
    put_table(&request->reply, table, "ACTIVE", &figures, &request->arena);
    buf_put_literal(&request->reply, "}");
    return RUN_DONE;
}
