/* api/page.c - items go from the engine's bytes straight into the reply, and their sizes are
 * counted on the way. */
#include "api/page.h"

#include "api/consumed.h"
#include "table/index.h"

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

/* --- the page --------------------------------------------------------------------------------- */

void page_begin(struct page *page, struct request *request, const struct target *target,
                const struct expressions *expressions, struct err *err)
{
    *page = (struct page){
        .request = request,
        .target = target,
        .expressions = expressions,
        .count_only = request_is(request, "Select", "COUNT"),
        .fetch = target_fetches(request, target, expressions),
        .consistent = request_flag(request, "ConsistentRead"),
        .limit = (uint64_t)request_integer(request, "Limit", INT64_MAX),
        .err = err,
    };
    buf_put_literal(&request->reply, "{");
    if (!page->count_only)
        buf_put_literal(&request->reply, "\"Items\":[");
}

static bool page_filter(struct page *page, struct bytes item)
{
    const struct condition *filter = page->expressions->filter;

    page->work += filter != NULL ? condition_work(filter) : 0;
    return filter == NULL || condition_holds(filter, item);
}

static bool page_fail(struct page *page)
{
    page->failed = true;
    return false;
}

/* Whether the page goes on behind what was looked at. */
static bool page_goes_on(struct page *page, struct bytes item)
{
    const struct target *target = page->target;
    struct arena *arena = &page->request->arena;

    page->scanned++;
    if (page->scanned < page->limit && page->size < PAGE_MOST && page->fetched < PAGE_MOST &&
        page->work < WORK_MOST)
        return true;
    page->last_key = target->index != NULL
                         ? index_key_item(target->table, target->index, item, arena)
                         : table_key_item(target->table, item, arena);
    return false;
}

/* --- items that are fetched --- */

/* The entry is told as of the item that was found: one that is gone, or lies elsewhere in the index
 * by now, is left out. */
static bool page_put_fetched(struct page *page, struct bytes key, struct bytes item_key,
                             struct bytes item)
{
    const struct target *target = page->target;
    struct request *request = page->request;
    struct index_entry entry;

    if (!index_entry(target->table, target->index, item_key, item, &request->arena, &entry) ||
        !bytes_equal(entry.key, key))
        return true;
    uint64_t size = item_size(item);
    bool kept = page_filter(page, entry.item);
    page->count += kept;
    page->size += item_size(entry.item);
    page->fetched += size;
    page->fetch_halves += capacity_of_read(size, page->consistent);
    if (kept) {
        put_comma(&request->reply);
        expressions_put_item(page->expressions, item, &request->arena, &request->reply);
    }
    return page_goes_on(page, entry.item);
}

static bool page_visit_fetched(struct page *page, struct bytes key)
{
    const struct target *target = page->target;
    struct request *request = page->request;
    struct bytes item_key = index_item_key(target->index, key, &request->arena), item;
    struct engine_value pin;
    bool found;

    if (item_key.size == 0) {
        err_fail(page->err, ERR_CORRUPT, "an index key of %zu bytes", key.size);
        return page_fail(page);
    }
    if (!table_get(&request->work, target->table, item_key, &pin, &item, &found, page->err))
        return page_fail(page);
    if (!found)
        return true;
    bool more = page_put_fetched(page, key, item_key, item);
    engine_value_release(&pin);
    return more;
}

/* --- items as they are walked --- */

bool page_visit(void *context, struct bytes key, struct bytes item)
{
    struct page *page = context;
    struct request *request = page->request;

    if (page->fetch) {
        struct arena_mark mark = arena_mark(&request->arena);
        bool more = page_visit_fetched(page, key);
        if (more)
            arena_rewind(&request->arena, mark);
        return more;
    }
    bool kept = page_filter(page, item);
    page->count += kept;
    if (kept && !page->count_only) {
        put_comma(&request->reply);
        page->size +=
            expressions_put_item(page->expressions, item, &request->arena, &request->reply);
    } else {
        page->size += item_size(item);
    }
    return page_goes_on(page, item);
}

static void page_put_consumed(const struct page *page)
{
    struct request *request = page->request;
    const struct target *target = page->target;
    uint64_t halves = capacity_of_read(page->size, page->consistent);

    if (!capacity_wanted(request))
        return;
    struct consumed consumed = consumed_of(request_text(request, "TableName"), target->table, 1);
    consumed.halves = target->index != NULL ? page->fetch_halves : halves;
    if (target->index != NULL)
        consumed.indexes[target->index - target->table->indexes] = halves;
    put_consumed_member(request, &consumed);
}

enum run page_end(struct page *page, enum scan_end end)
{
    struct buf *out = &page->request->reply;

    if (end == SCAN_FAILED || page->failed)
        return RUN_FAILED;
    if (!page->count_only)
        buf_put_literal(out, "]");
    put_integer_member(out, "Count", (int64_t)page->count);
    put_integer_member(out, "ScannedCount", (int64_t)page->scanned);
    if (page->last_key.size > 0)
        put_item_member(out, "LastEvaluatedKey", page->last_key);
    page_put_consumed(page);
    buf_put_literal(out, "}");
    return RUN_DONE;
}
