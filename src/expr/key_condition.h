/* expr/key_condition.h - KeyConditionExpression, or what KeyConditions say: read once for a
 * request, then held against the key of a table or an index. Lives in the arena of its scope. */
#ifndef EXPR_KEY_CONDITION_H
#define EXPR_KEY_CONDITION_H

#include "expr/scope.h"
#include "item/key.h"

struct key_condition;

/* What is asked of one attribute. */
enum key_test {
    KEY_ANY, /* no condition on the sort key */
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

/* Refuses what no table's key can be asked: told after the mistakes in all expressions of the
 * request. Before key_condition_match(). */
MUST_CHECK bool key_condition_check(struct key_condition *condition, struct err *err);

/* The same from what is asked of each attribute, whose names differ; borrowed. */
MUST_CHECK bool key_condition_of(struct arena *arena, const struct key_asked *asked, uint32_t count,
                                 struct key_condition **out, struct err *err);

/* One attribute of a key. */
struct key_part {
    struct bytes name;
    enum key_type type;
};

/* What a Query asks for, borrowed from the scope's values. */
struct key_query {
    struct value partition;
    enum key_test test; /* of the sort key */
    struct value low;   /* what it is compared with */
    struct value high;  /* of KEY_BETWEEN */
};

/* Holds the condition against part `at` of a key of one or two parts, the first one first, and
 * fills what that part says of the query. ERR_VALIDATION with the service's message where the
 * condition is not on this key. */
MUST_CHECK bool key_condition_match(const struct key_condition *condition,
                                    const struct key_part *parts, uint32_t count, uint32_t at,
                                    struct key_query *out, struct err *err);

/* Whether a sort key's content is one that the query asks for. */
bool key_query_takes(const struct key_query *query, struct bytes sort);

#endif
