/* expr/key_condition.h - KeyConditionExpression, or what KeyConditions say: read once for a
 * request, then held against the key of a table or an index. Lives in the arena of its scope. */
#ifndef EXPR_KEY_CONDITION_H
#define EXPR_KEY_CONDITION_H

#include "expr/scope.h"
#include "item/key.h"

struct key_condition;

/* What is asked of one attribute. */
enum key_test {
    KEY_ANY, /* no condition on it */
    KEY_EQUAL,
    KEY_LESS,
    KEY_AT_MOST,
    KEY_MORE,
    KEY_AT_LEAST,
    KEY_BETWEEN, /* both bounds included */
    KEY_BEGINS,
    KEY_OTHER, /* what KeyConditions can say and no key can be asked */
};

struct key_asked {
    struct bytes name;
    enum key_test test;
    const struct value *values[2]; /* the second: of KEY_BETWEEN */
};

/* ERR_VALIDATION with the service's message for what is no condition at all. */
MUST_CHECK bool key_condition_compile(struct scope *scope, struct bytes text,
                                      struct key_condition **out, struct err *err);

/* Refuses what no key can be asked: told after the mistakes in all expressions of the request.
 * Before key_condition_match(). */
MUST_CHECK bool key_condition_check(struct key_condition *condition, struct err *err);

/* The same from what is asked of each attribute, whose names differ; borrowed. */
MUST_CHECK bool key_condition_of(struct arena *arena, const struct key_asked *asked, uint32_t count,
                                 struct key_condition **out, struct err *err);

/* A key of a table or an index has at most 4 attributes in its partition key and 4 in its sort key
 * (API reference, CreateGlobalSecondaryIndexAction). */
#define KEY_PARTS_MOST 8

/* One attribute of a key. */
struct key_part {
    struct bytes name;
    enum key_type type;
};

/* A key, the attributes of the partition key first. */
struct key_parts {
    struct bytes index; /* the index that has it; empty: a table */
    struct key_part parts[KEY_PARTS_MOST];
    uint32_t partition_count, count;
};

/* What a Query asks for, borrowed from the scope's values: the first attributes of the key are
 * compared with =, all of the partition key among them, and what is asked of the next one is
 * anything else. */
struct key_query {
    struct value equal[KEY_PARTS_MOST];
    uint32_t equal_count;
    enum key_test test; /* not KEY_EQUAL */
    struct value low;   /* what it is compared with */
    struct value high;  /* of KEY_BETWEEN */
};

/* Holds the condition against part `at` of a key, the first one first, and adds what that part says
 * to the query. ERR_VALIDATION with the service's message where the condition is not on this key.
 */
MUST_CHECK bool key_condition_match(const struct key_condition *condition,
                                    const struct key_parts *key, uint32_t at, struct key_query *out,
                                    struct err *err);

/* Whether the query asks for what has this content as part `at` of its key. */
bool key_query_takes(const struct key_query *query, uint32_t at, struct bytes content);

#endif
