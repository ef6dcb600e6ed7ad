/* api/op_list_exports.c - ListExports: newest first within a table, a page at a time. Unlike a
 * description, a summary always tells the type (spec/export.md 1.6). */
#include "api/api.h"

#include "archive/export.h"

const struct field shape_list_exports[] = {
    OPTIONAL("TableArn", FIELD_STRING, LEAST(1), MOST(1024)),
    OPTIONAL("MaxResults", FIELD_INTEGER, LEAST(1), MOST(EXPORTS_PAGE_MOST)),
    OPTIONAL("NextToken", FIELD_STRING),
    SHAPE_END,
};

static void put_summary(struct buf *out, const struct export *export)
{
    put_comma(out);
    buf_put_u8(out, '{');
    put_text_member(out, "ExportArn", export->arn);
    put_text_member(out, "ExportStatus", bytes_of_text(export_state_name(export->state)));
    put_text_member(out, "ExportType",
                    export->type.data != NULL ? export->type : BYTES("FULL_EXPORT"));
    buf_put_u8(out, '}');
}

enum run op_list_exports(struct request *request, struct err *err)
{
    const struct value_node *token = request_member(request, "NextToken");
    struct export_query query = {
        .table_arn = request_text(request, "TableArn"),
        .most = (uint32_t)request_integer(request, "MaxResults", EXPORTS_PAGE_DEFAULT),
    };
    struct buf *out = &request->reply;
    struct export_page page;

    if (token != NULL)
        query.token = token->text.size > 0 ? token->text : BYTES("");
    if (!exports_list(request->api->exports, &request->work, &query, &page, err))
        return RUN_FAILED;
    buf_put_literal(out, "{\"ExportSummaries\":[");
    for (uint32_t i = 0; i < page.count; i++)
        put_summary(out, &page.exports[i]);
    buf_put_u8(out, ']');
    if (page.next.data != NULL)
        put_text_member(out, "NextToken", page.next);
    buf_put_u8(out, '}');
    return RUN_DONE;
}
