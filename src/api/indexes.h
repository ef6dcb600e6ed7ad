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

/* What attributes are; names in messages are made in the arena. */
struct definitions {
    const struct value_node *given; /* AttributeDefinitions */
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

/* The attributes of a new index's keys are of the types that keys of the table have them of. */
MUST_CHECK bool keys_as_defined(const struct table *table, const struct table_index *index,
                                struct arena *arena, struct err *err);

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

/* Projection, throughput and settings of one global index, whose name and keys are set. `added`: to
 * a table that there is. */
MUST_CHECK bool global_take(const struct value_node *node, const struct table *table, bool added,
                            struct arena *arena, struct table_index *index, struct err *err);

/* The bound of INCLUDED_MOST. */
MUST_CHECK bool included_check(const struct table *table, struct err *err);

/* --- UpdateTable ------------------------------------------------------------------------------ */

extern const struct field element_index_update; /* of GlobalSecondaryIndexUpdates */

/* What is wrong with them whatever the table is. */
MUST_CHECK bool index_updates_valid(const struct value_node *list, struct err *err);
/* Whether one of them is a "Create", "Update" or "Delete". After index_updates_valid(). */
bool index_updates_have(const struct value_node *list, const char *action);

/* What becomes of the indexes of a table. */
struct index_updates {
    const struct value_node *list; /* NULL: none */
    struct definitions definitions;
    const struct table *current;
    struct table *changed; /* with its mode; its indexes will be put */
    /* As the reply shows them: `states` begins as indexes_now(), with room for `list` more. */
    struct index_shown *states;
    struct table_index *shown;
    uint32_t count;
    /* while they are taken */
    struct table_index *after;
    bool *gone;
};
MUST_CHECK bool index_updates_take(struct index_updates *updates, struct err *err);

#endif
