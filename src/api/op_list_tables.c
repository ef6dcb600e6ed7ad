/* api/op_list_tables.c - ListTables: names in order, a page at a time. */
#include "api/api.h"

#include "json/writer.h"

#define NAMES_MOST 100 /* of one page, as the service allows; also what it gives unasked */

const struct field shape_list_tables[] = {
    OPTIONAL("ExclusiveStartTableName", FIELD_STRING, PATTERN(pattern_name), LEAST(3), MOST(255)),
    OPTIONAL("Limit", FIELD_INTEGER, LEAST(1), MOST(NAMES_MOST)),
    SHAPE_END,
};

enum run op_list_tables(struct request *request, struct err *err)
{
    size_t most = (size_t)request_integer(request, "Limit", NAMES_MOST);
    struct bytes names[NAMES_MOST];
    struct buf *out = &request->reply;
    bool more;

    (void)err;
    size_t count = tables_list(&request->work, request_text(request, "ExclusiveStartTableName"),
                               most, names, &more);
    buf_put_literal(out, "{\"TableNames\":[");
    for (size_t i = 0; i < count; i++) {
        put_comma(out);
        json_put_string(out, names[i]);
    }
    buf_put_literal(out, "]");
    if (more)
        put_text_member(out, "LastEvaluatedTableName", names[count - 1]);
    buf_put_literal(out, "}");
    return RUN_DONE;
}
