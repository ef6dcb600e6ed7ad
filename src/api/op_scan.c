/* api/op_scan.c - Scan: a page of a table, or of a part of it, in the order of the hash. A page
 * ends at Limit, or once its items reach 1 MB; it then has a LastEvaluatedKey even if nothing
 * follows, as the service's has. */
#include "api/api.h"

#define PAGE_MOST     ((uint64_t)1024 * 1024) /* bytes of items, by item_size() */
#define SEGMENTS_MOST 1000000
#define BAD_START     "The provided starting key is invalid: "

static const char *const enum_select[] = {"SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES",
                                          "ALL_PROJECTED_ATTRIBUTES", NULL};

const struct field shape_scan[] = {
    OPTIONAL("Select", FIELD_ENUM(enum_select)),
    OPTIONAL("IndexName", FIELD_STRING, PATTERN(pattern_name), LEAST(3), MOST(255)),
    OPTIONAL("TotalSegments", FIELD_INTEGER, LEAST(1), MOST(SEGMENTS_MOST)),
    OPTIONAL("ReturnConsumedCapacity", FIELD_ENUM(enum_consumed_capacity)),
    REQUIRED("TableName", FIELD_TABLE_NAME),
    OPTIONAL("ConditionalOperator", FIELD_UNSUPPORTED),
    OPTIONAL("ScanFilter", FIELD_UNSUPPORTED),
    OPTIONAL("Segment", FIELD_INTEGER, LEAST(0), MOST(SEGMENTS_MOST - 1)),
    OPTIONAL("Limit", FIELD_INTEGER, LEAST(1)),
    OPTIONAL("AttributesToGet", FIELD_UNSUPPORTED),
    OPTIONAL("ExclusiveStartKey", FIELD_ITEM),
    OPTIONAL("FilterExpression", FIELD_UNSUPPORTED),
    OPTIONAL("ProjectionExpression", FIELD_UNSUPPORTED),
    OPTIONAL("ExpressionAttributeValues", FIELD_UNSUPPORTED),
    OPTIONAL("ExpressionAttributeNames", FIELD_UNSUPPORTED),
    OPTIONAL("ConsistentRead", FIELD_BOOLEAN),
    SHAPE_END,
};

struct page {
    struct request *request;
    const struct table *table;
    bool count_only;
    uint64_t limit, count, size;
    struct bytes last_key; /* LastEvaluatedKey; empty while the page is not full */
};

static bool page_visit(void *context, struct bytes key, struct bytes item)
{
    struct page *page = context;

    (void)key;
    if (!page->count_only) {
        put_comma(&page->request->reply);
        item_write_json(item, &page->request->reply);
    }
    page->count++;
    page->size += item_size(item);
    if (page->count < page->limit && page->size < PAGE_MOST)
        return true;
    page->last_key = table_key_item(page->table, item, &page->request->arena);
    return false;
}

/* --- checks ----------------------------------------------------------------------------------- */

/* The service puts these words before some of the messages only (dynalite's scan tests). */
static bool start_valid(const struct value_node *start, struct err *err)
{
    static const char *const bare[] = {"contains duplicates", "number set", "numeric value",
                                       "significant digits", "number with magnitude"};

    if (start == NULL || start->item.invalid == NULL)
        return true;
    const char *message = start->item.invalid->message, *lead = BAD_START;
    for (size_t i = 0; i < sizeof bare / sizeof *bare; i++)
        if (strstr(message, bare[i]) != NULL)
            lead = "";
    return err_fail(err, ERR_VALIDATION, "%s%s", lead, message);
}

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

static bool select_valid(const struct request *request, struct err *err)
{
    if (request_is(request, "Select", "SPECIFIC_ATTRIBUTES"))
        return err_fail(err, ERR_VALIDATION,
                        "Must specify the AttributesToGet or ProjectionExpression when choosing "
                        "to get SPECIFIC_ATTRIBUTES");
    if (request_is(request, "Select", "ALL_PROJECTED_ATTRIBUTES") &&
        request_member(request, "IndexName") == NULL)
        return err_fail(err, ERR_VALIDATION,
                        "One or more parameter values were invalid: ALL_PROJECTED_ATTRIBUTES can "
                        "be used only when Querying using an IndexName");
    return true;
}

/* The table's, which has no indexes yet. */
static bool table_take(struct request *request, const struct table **table, struct err *err)
{
    const struct value_node *index = request_member(request, "IndexName");

    if (!work_table(&request->work, request_text(request, "TableName"), table, err))
        return false;
    if (index != NULL)
        return err_fail(err, ERR_VALIDATION, "The table does not have the specified index: %.*s",
                        BYTES_ARGS(index->text));
    return true;
}

static bool start_take(struct request *request, struct table_scan *scan, struct err *err)
{
    const struct value_node *start = request_member(request, "ExclusiveStartKey");
    struct err inner;

    if (start == NULL)
        return true;
    if (!table_key(scan->table, start->item.packed, true, &request->arena, &scan->from, &inner))
        return err_fail(err, inner.code, BAD_START "%s", inner.message);
    if (!table_scan_covers(scan, scan->from))
        return err_fail(err, ERR_VALIDATION,
                        BAD_START "Invalid ExclusiveStartKey. Please use ExclusiveStartKey with "
                                  "correct Segment. TotalSegments: %u Segment: %u",
                        scan->segments, scan->segment);
    return true;
}

/* --- the page --------------------------------------------------------------------------------- */

static void page_end(struct page *page)
{
    struct request *request = page->request;
    struct buf *out = &request->reply;

    if (!page->count_only)
        buf_put_literal(out, "]");
    put_integer_member(out, "Count", (int64_t)page->count);
    put_integer_member(out, "ScannedCount", (int64_t)page->count);
    if (page->last_key.size > 0)
        put_item_member(out, "LastEvaluatedKey", page->last_key);
    put_capacity_member(request, request_text(request, "TableName"),
                        capacity_of_read(page->size, request_flag(request, "ConsistentRead")));
    buf_put_literal(out, "}");
}

enum run op_scan(struct request *request, struct err *err)
{
    struct page page = {.request = request,
                        .count_only = request_is(request, "Select", "COUNT"),
                        .limit = (uint64_t)request_integer(request, "Limit", INT64_MAX)};
    struct table_scan scan = {.segment = (uint32_t)request_integer(request, "Segment", 0),
                              .segments = (uint32_t)request_integer(request, "TotalSegments", 1),
                              .visit = page_visit,
                              .context = &page};

    if (!start_valid(request_member(request, "ExclusiveStartKey"), err) ||
        !segments_valid(request, err) || !select_valid(request, err) ||
        !table_take(request, &scan.table, err) || !start_take(request, &scan, err))
        return RUN_FAILED;
    page.table = scan.table;
    buf_put_literal(&request->reply, "{");
    if (!page.count_only)
        buf_put_literal(&request->reply, "\"Items\":[");
    if (table_scan(&request->work, &scan, err) == SCAN_FAILED)
        return RUN_FAILED;
    page_end(&page);
    return RUN_DONE;
}
