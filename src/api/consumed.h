/* api/consumed.h - what requests have consumed of a table and of its indexes, and how replies tell
 * it. Facts: dynamodb-conformance (putItem/indexConsumedCapacity, recorded 2026-08; batchWriteItem,
 * transactWrite), dynalite's tests of Query and Scan. */
#ifndef API_CONSUMED_H
#define API_CONSUMED_H

#include "api/api.h"

/* Capacity is counted in half units: an eventually consistent read of up to 4 KB. */
struct consumed {
    struct bytes name; /* the table's, as the client gave it */
    const struct table *table;
    uint64_t times;                 /* what everything costs: 2 of a transaction */
    uint64_t halves;                /* of the table itself */
    uint64_t indexes[INDEXES_MOST]; /* of each of table->indexes; 0: nothing, which is not told */
};
struct consumed consumed_of(struct bytes name, const struct table *table, uint64_t times);

uint64_t capacity_of_read(uint64_t size, bool consistent);
uint64_t capacity_of_write(uint64_t size_before, uint64_t size_after);

/* Adds what a write costs the table, and each index that it changes: an entry that moves is deleted
 * and put. As of `answer` of a table_write(). */
void consume_write(struct consumed *consumed, const struct write *write);

/* Whether the request wants to be told. */
bool capacity_wanted(const struct request *request);

/* Telling it: one element, as batches have; the member of a request on one table; and that of a
 * transaction, which also tells whether it was for reading or for writing. */
#define CONSUMED_READING "ReadCapacityUnits"
#define CONSUMED_WRITING "WriteCapacityUnits"
void put_consumed(struct request *request, const struct consumed *consumed);
void put_consumed_member(struct request *request, const struct consumed *consumed);
void put_consumed_list(struct request *request, const struct consumed *all, size_t count,
                       const char *kind);

/* What the reply to a request of one write ends with. */
void put_consumed_of_write(struct request *request, const struct write *write);

#endif
