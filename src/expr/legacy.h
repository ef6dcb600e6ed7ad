/* expr/legacy.h - what requests said before there were expressions, as expressions: comparisons of
 * whole attributes (Expected, QueryFilter, ScanFilter, KeyConditions) and AttributeUpdates become
 * the same trees and are weighed and applied by the same code. What is made lives in the arena and
 * borrows the names and values. */
#ifndef EXPR_LEGACY_H
#define EXPR_LEGACY_H

#include "expr/condition.h"
#include "expr/update.h"

enum comparison_kind {
    COMPARISON_EQ,
    COMPARISON_NE,
    COMPARISON_LE,
    COMPARISON_LT,
    COMPARISON_GE,
    COMPARISON_GT,
    COMPARISON_NOT_NULL,
    COMPARISON_NULL,
    COMPARISON_CONTAINS,
    COMPARISON_NOT_CONTAINS,
    COMPARISON_BEGINS_WITH,
    COMPARISON_IN,
    COMPARISON_BETWEEN,
    COMPARISONS
};

/* One attribute compared with values, as many as the kind wants. */
struct comparison {
    struct bytes name;
    enum comparison_kind kind;
    const struct value *values;
    uint32_t count;
};

/* A ComparisonOperator; the name is one of theirs. */
enum comparison_kind comparison_named(struct bytes name);

/* Whether the values are as many and of such types as the kind wants: ERR_VALIDATION with the
 * service's messages. */
MUST_CHECK bool comparison_check(const struct comparison *comparison, struct err *err);

/* All of the comparisons, or any of them; they were checked, and there is one at least. */
struct condition *condition_of_comparisons(struct arena *arena, const struct comparison *all,
                                           uint32_t count, bool any);

enum assignment_kind {
    ASSIGNMENT_PUT,
    ASSIGNMENT_ADD,
    ASSIGNMENT_DELETE,
};

/* One attribute of AttributeUpdates. */
struct assignment {
    struct bytes name;
    enum assignment_kind kind;
    const struct value *value; /* NULL: none, of a DELETE */
};

/* Whether the kind takes such a value. ERR_VALIDATION with the service's messages. */
MUST_CHECK bool assignment_check(const struct assignment *assignment, struct err *err);

/* The update they are, which were checked and have different names; there is one at least. Unlike
 * an expression it may ADD to lists, and has words of its own for values of the wrong type. */
struct update *update_of_assignments(struct arena *arena, const struct assignment *all,
                                     uint32_t count);

#endif
