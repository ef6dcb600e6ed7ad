/* expr/key_condition.h - KeyConditionExpression: compiled once for a request, then held against the
 * key of a table or an index. Lives in the arena of its scope. */
#ifndef EXPR_KEY_CONDITION_H
#define EXPR_KEY_CONDITION_H

#include "expr/scope.h"
#include "item/key.h"

struct key_condition;

/* ERR_VALIDATION with the service's message for what no table's key can be asked. */
MUST_CHECK bool key_condition_compile(struct scope *scope, struct bytes text,
                                      struct key_condition **out, struct err *err);

/* One attribute of a key. */
struct key_part {
    struct bytes name;
    enum key_type type;
};

enum key_test {
    KEY_ANY, /* no condition on the sort key */
    KEY_EQUAL,
    KEY_LESS,
    KEY_AT_MOST,
    KEY_MORE,
    KEY_AT_LEAST,
    KEY_BETWEEN, /* both bounds included */
    KEY_BEGINS,
};

/* What a Query asks for, borrowed from the scope's values. */
struct key_query {
    struct value partition;
    enum key_test test; /* of the sort key */
    struct value low;   /* what it is compared with */
    struct value high;  /* of KEY_BETWEEN */
};

/* The query that the condition is on a key of one or two parts. ERR_VALIDATION with the service's
 * message where the condition is not on this key. */
MUST_CHECK bool key_condition_match(const struct key_condition *condition,
                                    const struct key_part *parts, uint32_t count,
                                    struct key_query *out, struct err *err);

#endif
