/* api/op_describe_limits.c - DescribeLimits and DescribeEndpoints: what an account of the service
 * may do, and where it is; here without bound, and where it was asked. */
#include "api/api.h"

const struct field shape_describe_limits[] = {SHAPE_END};
const struct field shape_describe_endpoints[] = {SHAPE_END};

/* The service's defaults (developer guide, ServiceQuotas). Nothing here enforces them. */
enum run op_describe_limits(struct request *request, struct err *err)
{
    struct buf *out = &request->reply;

    (void)err;
    buf_put_literal(out, "{");
    put_integer_member(out, "AccountMaxReadCapacityUnits", 80000);
    put_integer_member(out, "AccountMaxWriteCapacityUnits", 80000);
    put_integer_member(out, "TableMaxReadCapacityUnits", 40000);
    put_integer_member(out, "TableMaxWriteCapacityUnits", 40000);
    buf_put_literal(out, "}");
    return RUN_DONE;
}

enum run op_describe_endpoints(struct request *request, struct err *err)
{
    struct buf *out = &request->reply;

    (void)err;
    buf_put_literal(out, "{\"Endpoints\":[{");
    put_text_member(out, "Address", request->host);
    put_integer_member(out, "CachePeriodInMinutes", 1440);
    buf_put_literal(out, "}]}");
    return RUN_DONE;
}
