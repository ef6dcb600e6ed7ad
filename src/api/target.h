/* api/target.h - what Query and Scan read: a table or one of its indexes, and what the service
 * refuses of a request once it knows which. Sources: dynalite's tests against the service (query,
 * scan), dynamodb-conformance (query, scan, partiql/indexQualifier, 2026). ERR_VALIDATION. */
#ifndef API_TARGET_H
#define API_TARGET_H

#include "api/expressions.h"

struct target {
    const struct table *table;
    const struct table_index *index;  /* NULL: the table itself */
    const struct key_attribute *keys; /* of the index or of the table, the partition key's first */
    uint32_t partition_count, key_count;
};

/* Refuses an index that is not there or is still being built, and consistent reads of a global one.
 */
MUST_CHECK bool target_find(struct request *request, struct target *out, struct err *err);

/* --- where a page starts ---------------------------------------------------------------------- */

/* ExclusiveStartKey names an item by the table's key, and of an index the entry by that key too.
 * These are told in this order, with others in between: how many attributes it has; each attribute
 * of the target's key; those of the table's key, after which it is a key: an item key or index key,
 * BYTES_NONE where the page starts at the beginning. */
MUST_CHECK bool start_check_count(const struct request *request, const struct target *target,
                                  struct err *err);
MUST_CHECK bool start_check_part(const struct request *request, const struct target *target,
                                 uint32_t part, struct err *err);
MUST_CHECK bool start_take(struct request *request, const struct target *target, struct bytes *out,
                           struct err *err);

/* --- what an index lacks ---------------------------------------------------------------------- */

/* ALL_ATTRIBUTES of a global index that has not all. */
MUST_CHECK bool target_check_select(const struct request *request, const struct target *target,
                                    struct err *err);
/* Attributes that a global index does not project. */
MUST_CHECK bool target_check_projection(struct request *request, const struct target *target,
                                        const struct expressions *expressions, struct err *err);
/* The same of a Query's filter, of any index. */
MUST_CHECK bool target_check_filter(struct request *request, const struct target *target,
                                    const struct expressions *expressions, struct err *err);

/* Whether items have attributes that are wanted and that the index, a local one, does not project:
 * they are fetched from the table. */
bool target_fetches(struct request *request, const struct target *target,
                    const struct expressions *expressions);

#endif
