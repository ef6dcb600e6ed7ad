/* api/page.c - items go from the engine's bytes straight into the reply, and their sizes are
 * counted on the way. */
#include "api/page.h"

#define PAGE_MOST ((uint64_t)1024 * 1024) /* bytes of items, by item_size() */
/* Bytes of the request's values that a filter may look through for one page (condition_work()); a
 * bound of our own, about a second. Only a filter that searches its values in vain gets there. */
#define WORK_MOST ((uint64_t)1024 * 1024 * 1024)

#define BAD_START "The provided starting key is invalid: "

const char *const enum_select[] = {"SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES",
                                   "ALL_PROJECTED_ATTRIBUTES", NULL};

/* --- checks ----------------------------------------------------------------------------------- */

/* Where they stand no expression does, so nothing else can be told here. */
bool page_check_older(struct request *request, const char *filter, struct err *err)
{
    bool older = request_member(request, filter) != NULL ||
                 request_member(request, "AttributesToGet") != NULL;

    return !older || request_expressions(request, ENVELOPE_NONE, err) != NULL;
}

/* What says which attributes are wanted; NULL: nothing does. */
static const char *wanted_by(const struct request *request)
{
    if (request_member(request, "ProjectionExpression") != NULL)
        return "ProjectionExpression";
    return request_member(request, "AttributesToGet") != NULL ? "AttributesToGet" : NULL;
}

bool page_check_select(const struct request *request, const char *envelope, struct err *err)
{
    struct bytes select = request_text(request, "Select");
    const char *by = wanted_by(request);
    bool specific = bytes_equal(select, BYTES("SPECIFIC_ATTRIBUTES"));

    if (select.size > 0 && !specific && by != NULL)
        return err_fail(
            err, ERR_VALIDATION, "%sCannot specify the %s when choosing to get %.*s", envelope, by,
            BYTES_ARGS(bytes_equal(select, BYTES("COUNT")) ? BYTES("only the Count") : select));
    if (specific && by == NULL)
        return err_fail(err, ERR_VALIDATION,
                        "%sMust specify the AttributesToGet or ProjectionExpression when choosing "
                        "to get SPECIFIC_ATTRIBUTES",
                        envelope);
    if (bytes_equal(select, BYTES("ALL_PROJECTED_ATTRIBUTES")) &&
        request_member(request, "IndexName") == NULL)
        return err_fail(err, ERR_VALIDATION,
                        "%sALL_PROJECTED_ATTRIBUTES can be used only when Querying using an "
                        "IndexName",
                        envelope);
    return true;
}

/* The service puts these words before some of the messages only (dynalite's tests of Query and
 * Scan). */
bool page_check_start(const struct request *request, struct err *err)
{
    static const char *const bare[] = {"contains duplicates", "number set", "numeric value",
                                       "significant digits", "number with magnitude"};
    const struct value_node *start = request_member(request, "ExclusiveStartKey");

    if (start == NULL || start->item.invalid == NULL)
        return true;
    const char *message = start->item.invalid->message, *lead = BAD_START;
    for (size_t i = 0; i < sizeof bare / sizeof *bare; i++)
        if (strstr(message, bare[i]) != NULL)
            lead = "";
    return err_fail(err, ERR_VALIDATION, "%s%s", lead, message);
}

bool page_table(struct request *request, const struct table **table, struct err *err)
{
    const struct value_node *index = request_member(request, "IndexName");

    if (!work_table(&request->work, request_text(request, "TableName"), table, err))
        return false;
    if (index != NULL)
        return err_fail(err, ERR_VALIDATION, "The table does not have the specified index: %.*s",
                        BYTES_ARGS(index->text));
    return true;
}

bool page_start(struct request *request, const struct table *table, struct bytes *from,
                struct err *err)
{
    const struct value_node *start = request_member(request, "ExclusiveStartKey");
    struct err inner;

    *from = BYTES_NONE;
    return start == NULL ||
           table_key(table, start->item.packed, true, &request->arena, from, &inner) ||
           err_fail(err, inner.code, BAD_START "%s", inner.message);
}

/* --- the page --------------------------------------------------------------------------------- */

void page_begin(struct page *page, struct request *request, const struct table *table,
                const struct expressions *expressions)
{
    *page = (struct page){
        .request = request,
        .table = table,
        .expressions = expressions,
        .count_only = request_is(request, "Select", "COUNT"),
        .limit = (uint64_t)request_integer(request, "Limit", INT64_MAX),
    };
    buf_put_literal(&request->reply, "{");
    if (!page->count_only)
        buf_put_literal(&request->reply, "\"Items\":[");
}

bool page_visit(void *context, struct bytes key, struct bytes item)
{
    struct page *page = context;
    struct request *request = page->request;
    const struct condition *filter = page->expressions->filter;
    bool kept = filter == NULL || condition_holds(filter, item);

    (void)key;
    page->scanned++;
    page->count += kept;
    page->work += filter != NULL ? condition_work(filter) : 0;
    if (kept && !page->count_only) {
        put_comma(&request->reply);
        page->size +=
            expressions_put_item(page->expressions, item, &request->arena, &request->reply);
    } else {
        page->size += item_size(item);
    }
    if (page->scanned < page->limit && page->size < PAGE_MOST && page->work < WORK_MOST)
        return true;
    page->last_key = table_key_item(page->table, item, &request->arena);
    return false;
}

void page_end(struct page *page)
{
    struct request *request = page->request;
    struct buf *out = &request->reply;

    if (!page->count_only)
        buf_put_literal(out, "]");
    put_integer_member(out, "Count", (int64_t)page->count);
    put_integer_member(out, "ScannedCount", (int64_t)page->scanned);
    if (page->last_key.size > 0)
        put_item_member(out, "LastEvaluatedKey", page->last_key);
    put_capacity_member(request, request_text(request, "TableName"),
                        capacity_of_read(page->size, request_flag(request, "ConsistentRead")));
    buf_put_literal(out, "}");
}
