/* api/op_describe_export.c - DescribeExport. */
#include "api/api.h"
#include "api/export_description.h"

const struct field shape_describe_export[] = {
    REQUIRED("ExportArn", FIELD_STRING, LEAST(37), MOST(1024)),
    SHAPE_END,
};

enum run op_describe_export(struct request *request, struct err *err)
{
    struct export export;

    if (!export_describe(request->api->exports, request_text(request, "ExportArn"), &request->arena,
                         &export, err))
        return RUN_FAILED;
    put_export(&request->reply, &export, &request->arena);
    return RUN_DONE;
}
