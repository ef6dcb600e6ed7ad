/* api/op_describe_time_to_live.c - DescribeTimeToLive. Nothing here expires, and UpdateTimeToLive
 * is an unknown operation, so it is disabled for every table; programs that manage tables ask. */
#include "api/api.h"

const struct field shape_describe_time_to_live[] = {
    REQUIRED("TableName", FIELD_MANAGED_TABLE_NAME),
    SHAPE_END,
};

enum run op_describe_time_to_live(struct request *request, struct err *err)
{
    const struct table *table;

    if (!work_table_named(&request->work, request_text(request, "TableName"), &table, err))
        return RUN_FAILED;
    buf_put_literal(&request->reply,
                    "{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":\"DISABLED\"}}");
    return RUN_DONE;
}
