/* api/indexes.h - the keys and secondary indexes that CreateTable and UpdateTable give, held to the
 * service's rules, and as replies show them. Messages are the service's: dynalite's createTable
 * tests; of 2026-10, ack-api-quirks (DDB-TABLE-123 to 129, 133, 134, 138, 442). */
#ifndef API_INDEXES_H
#define API_INDEXES_H

#include "api/api.h"

/* Names projected by INCLUDE, over all indexes of a table (developer guide, "Quotas in Amazon
 * DynamoDB", secondary indexes). */
#define INCLUDED_MOST 100

/* --- AttributeDefinitions and KeySchema ------------------------------------------------------- */

extern const struct field element_key; /* of a KeySchema */

/* What attributes are. */
struct definitions {
    const struct value_node *given; /* AttributeDefinitions */
    const struct table *table;      /* its keys' attributes are defined too; NULL: it is new */
    struct arena *arena;
};
MUST_CHECK bool definitions_distinct(const struct definitions *definitions, struct err *err);

/* A table's KeySchema, and that of an index; `count` keys are put, `partition_count` of them into
 * its partition key. */
MUST_CHECK bool table_keys_take(const struct value_node *schema,
                                const struct definitions *definitions, struct table *table,
                                struct err *err);
MUST_CHECK bool local_keys_take(const struct value_node *schema,
                                const struct definitions *definitions, struct table_index *index,
                                struct err *err);
MUST_CHECK bool global_keys_take(const struct value_node *schema,
                                 const struct definitions *definitions, struct table_index *index,
                                 struct err *err);

/* Every attribute that is given is one of some key's. */
MUST_CHECK bool definitions_used(const struct definitions *definitions, const struct table *table,
                                 struct err *err);

/* The attributes of the keys of a table and its indexes, each once, in the order of their names. */
uint32_t table_attributes(const struct table *table, struct arena *arena,
                          struct key_attribute **out);

/* --- indexes ---------------------------------------------------------------------------------- */

extern const struct field element_local, element_global; /* of CreateTable's lists */
extern const struct field shape_global[];                /* what creates a global one */

/* The lists of CreateTable, where there are any, into `table->indexes`: their numbers are 0. Its
 * own keys, mode and throughput are set. */
MUST_CHECK bool indexes_take(struct request *request, const struct definitions *definitions,
                             struct table *table, struct err *err);

/* Projection, throughput and settings of one global index, whose name and keys are set. */
MUST_CHECK bool global_take(const struct value_node *node, const struct table *table,
                            struct arena *arena, struct table_index *index, struct err *err);

/* The bound of INCLUDED_MOST. */
MUST_CHECK bool included_check(const struct table *table, struct err *err);

#endif
