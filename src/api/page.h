/* api/page.h - a page of items: what Query and Scan have in common. A page ends at Limit, or once
 * the items that were looked at reach 1 MB, whatever the filter kept of them; it then has a
 * LastEvaluatedKey even if nothing follows, as the service's has (dynalite, test/query.js: the item
 * that reaches the megabyte belongs to the page). One whose filter has too much to do ends sooner,
 * so that no request holds up a loop. */
#ifndef API_PAGE_H
#define API_PAGE_H

#include "api/expressions.h"

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

/* The table that is asked; there are no indexes yet. */
MUST_CHECK bool page_table(struct request *request, const struct table **table, struct err *err);

/* The item key behind which the page begins; BYTES_NONE: at the beginning. */
MUST_CHECK bool page_start(struct request *request, const struct table *table, struct bytes *from,
                           struct err *err);

struct page {
    struct request *request;
    const struct table *table;
    const struct expressions *expressions;
    bool count_only;
    uint64_t limit;
    uint64_t count, scanned, size; /* kept, looked at, bytes of what was looked at */
    uint64_t work;                 /* bytes of values that the filter has looked through */
    struct bytes last_key;         /* LastEvaluatedKey; empty while the page is not full */
};

/* Begins the reply with it. */
void page_begin(struct page *page, struct request *request, const struct table *table,
                const struct expressions *expressions);

/* The `visit` of a table_scan or table_query; the page is its context. */
bool page_visit(void *page, struct bytes key, struct bytes item);

/* Ends the reply. */
void page_end(struct page *page);

#endif
