/* api/page.h - a page of items: what Query and Scan have in common. A page ends at Limit, or once
 * the items that were looked at reach 1 MB, whatever the filter kept of them; it then has a
 * LastEvaluatedKey even if nothing follows, as the service's has (dynalite, test/query.js: the item
 * that reaches the megabyte belongs to the page). One whose filter has too much to do ends sooner,
 * so that no request holds up a loop.
 *
 * What a local index lacks is fetched from the table, of each item that is looked at and whatever
 * the filter keeps, and paid for item by item beside the index (dynamodb-conformance,
 * partiql/indexQualifier; dynalite, test/query.js). A filter sees the index alone. */
#ifndef API_PAGE_H
#define API_PAGE_H

#include "api/target.h"

extern const char *const enum_select[];

/* The older parameters, whose mistakes are told before those of the starting key: AttributesToGet,
 * and QueryFilter or ScanFilter, which `filter` names. */
MUST_CHECK bool page_check_older(struct request *request, const char *filter, struct err *err);

/* Select beside IndexName and what says which attributes are wanted. The messages are those of
 * moto's AWS-verified test_dynamodb_select.py; a Query's are in an envelope. */
MUST_CHECK bool page_check_select(const struct request *request, const char *envelope,
                                  struct err *err);

/* The values in ExclusiveStartKey, whatever the table is. */
MUST_CHECK bool page_check_start(const struct request *request, struct err *err);

struct page {
    struct request *request;
    const struct target *target;
    const struct expressions *expressions;
    bool count_only, fetch, consistent;
    uint64_t limit;
    uint64_t count, scanned; /* kept, looked at */
    uint64_t size;           /* bytes of what was looked at, as the table or index has it */
    uint64_t fetched;        /* bytes of items that were fetched from the table */
    uint64_t fetch_halves;   /* what they cost */
    uint64_t work;           /* bytes of values that the filter has looked through */
    struct bytes last_key;   /* LastEvaluatedKey; empty while the page is not full */
    bool failed;
    struct err *err;
};

/* Begins the reply with it. The target and `err` outlive the page. */
void page_begin(struct page *page, struct request *request, const struct target *target,
                const struct expressions *expressions, struct err *err);

/* The `visit` of a table_scan or table_query; the page is its context. */
bool page_visit(void *page, struct bytes key, struct bytes item);

/* Ends the reply, unless the walk failed or a visit did. */
enum run page_end(struct page *page, enum scan_end end);

#endif
