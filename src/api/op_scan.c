/* api/op_scan.c - Scan: a page of a table, or of a part of it, in the order of the hash.
 *
 * What is wrong is told in this order (dynalite's tests against the service): constraints, styles
 * that are mixed, names twice in AttributesToGet, ScanFilter, values of the starting key, segments,
 * expressions, Select, whether there are the table and the index, the starting key as far as it is
 * the index's, ALL_ATTRIBUTES of a global index, the starting key of the table, paths into keys,
 * and what a global index does not project. */
#include "api/page.h"

#define SEGMENTS_MOST 1000000

const struct field shape_scan[] = {
    OPTIONAL("Select", FIELD_ENUM(enum_select)),
    OPTIONAL("IndexName", FIELD_INDEX_NAME),
    OPTIONAL("TotalSegments", FIELD_INTEGER, LEAST(1), MOST(SEGMENTS_MOST)),
    OPTIONAL("ReturnConsumedCapacity", FIELD_ENUM(enum_consumed_capacity)),
    REQUIRED("TableName", FIELD_TABLE_NAME),
    OPTIONAL("ConditionalOperator", FIELD_CONDITIONAL_OPERATOR_OF_SCAN),
    OPTIONAL("ScanFilter", FIELD_CONDITIONS(OLD_FILTER)),
    OPTIONAL("Segment", FIELD_INTEGER, LEAST(0), MOST(SEGMENTS_MOST - 1)),
    OPTIONAL("Limit", FIELD_INTEGER, LEAST(1)),
    OPTIONAL("AttributesToGet", FIELD_ATTRIBUTES_TO_GET),
    OPTIONAL("ExclusiveStartKey", FIELD_ITEM),
    OPTIONAL("FilterExpression", FIELD_EXPRESSION(FILTER)),
    OPTIONAL("ProjectionExpression", FIELD_EXPRESSION(PROJECTION)),
    OPTIONAL("ExpressionAttributeValues", FIELD_VALUES),
    OPTIONAL("ExpressionAttributeNames", FIELD_NAMES),
    OPTIONAL("ConsistentRead", FIELD_BOOLEAN),
    SHAPE_END,
};

static bool segments_valid(const struct request *request, struct err *err)
{
    const struct value_node *segment = request_member(request, "Segment");
    const struct value_node *total = request_member(request, "TotalSegments");

    if (segment != NULL && total == NULL)
        return err_fail(err, ERR_VALIDATION,
                        "The TotalSegments parameter is required but was not present in the "
                        "request when Segment parameter is present");
    if (total != NULL && segment == NULL)
        return err_fail(err, ERR_VALIDATION,
                        "The Segment parameter is required but was not present in the request "
                        "when parameter TotalSegments is present");
    if (total != NULL && segment->integer >= total->integer)
        return err_fail(err, ERR_VALIDATION,
                        "The Segment parameter is zero-based and must be less than parameter "
                        "TotalSegments: Segment: %lld is not less than TotalSegments: %lld",
                        (long long)segment->integer, (long long)total->integer);
    return true;
}

/* All that does not depend on the table; NULL: see `err`. */
static const struct expressions *scan_read(struct request *request, struct err *err)
{
    if (!expressions_check(request->input, OLDER_WORDING, &request->arena, err) ||
        !expressions_check_names(request->input, err) ||
        !page_check_older(request, "ScanFilter", err) || !page_check_start(request, err) ||
        !segments_valid(request, err))
        return NULL;
    const struct expressions *expressions = request_expressions(request, OLDER_WORDING, err);
    if (expressions == NULL || !page_check_select(request, ENVELOPE_NONE, err))
        return NULL;
    return expressions;
}

/* Of an index its own key, and what is asked of it, comes before the table's key. */
static bool start_check(const struct request *request, const struct target *target, struct err *err)
{
    if (target->index == NULL)
        return true;
    if (!start_check_count(request, target, err))
        return false;
    for (uint32_t i = 0; i < target->key_count; i++)
        if (!start_check_part(request, target, i, err))
            return false;
    return true;
}

static bool scan_start(struct request *request, const struct target *target,
                       struct table_scan *scan, struct err *err)
{
    if (!start_check(request, target, err) || !target_check_select(request, target, err) ||
        !start_take(request, target, &scan->from, err))
        return false;
    if (scan->from.size > 0 && !table_scan_covers(scan, scan->from))
        return err_fail(err, ERR_VALIDATION,
                        "The provided starting key is invalid: Invalid ExclusiveStartKey. Please "
                        "use ExclusiveStartKey with correct Segment. TotalSegments: %u Segment: %u",
                        scan->segments, scan->segment);
    return true;
}

enum run op_scan(struct request *request, struct err *err)
{
    const struct expressions *expressions = scan_read(request, err);
    struct target target;
    struct page page;
    struct table_scan scan = {.segment = (uint32_t)request_integer(request, "Segment", 0),
                              .segments = (uint32_t)request_integer(request, "TotalSegments", 1),
                              .visit = page_visit,
                              .context = &page};

    if (expressions == NULL || !target_find(request, &target, err) ||
        !scan_start(request, &target, &scan, err) ||
        !expressions_check_keys(expressions, target.table, err) ||
        !expressions_check_filter(expressions, target.table, err) ||
        !target_check_projection(request, &target, expressions, err))
        return RUN_FAILED;
    scan.table = target.table;
    scan.index = target.index;
    page_begin(&page, request, &target, expressions, err);
    return page_end(&page, table_scan(&request->work, &scan, err));
}
