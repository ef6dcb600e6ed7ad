/* expr/scope.h - what the placeholders of one request stand for: its ExpressionAttributeNames and
 * ExpressionAttributeValues, shared by all of its expressions, which mark what they use. Lives in
 * the request's arena; the bytes it is given must outlive it. One thread at a time.
 *
 * Failures are ERR_VALIDATION with the service's messages, without the "1 validation error
 * detected: " that the service puts before them in some regions (dynamodb-conformance,
 * captures/2026-06-09-validation-rewording.json). */
#ifndef EXPR_SCOPE_H
#define EXPR_SCOPE_H

#include "item/codec.h"

/* "#n": "name" */
struct scope_name {
    struct bytes key, name;
    size_t place; /* in the request, from 0; set by scope_put_names() */
    bool used;
};

/* ":v": a value */
struct scope_value {
    struct bytes key;
    struct value value;
    bool used;
};

struct scope {
    struct arena *arena;
    struct scope_name *names; /* both in the order of their keys */
    struct scope_value *values;
    size_t name_count, value_count;
};

/* An empty scope: for requests that bring no placeholders. */
void scope_init(struct scope *scope, struct arena *arena);

/* Takes the names as they came; of those with one key the last counts. Refuses none at all, keys
 * that are no "#name", and names that no attribute can have. */
MUST_CHECK bool scope_put_names(struct scope *scope, const struct scope_name *names, size_t count,
                                struct err *err);

/* Takes the values: an item whose attributes are named ":v". Refuses none at all and keys that are
 * no ":value". Whether the values themselves are good was settled where they were read. */
MUST_CHECK bool scope_put_values(struct scope *scope, struct bytes values, struct err *err);

/* Once all expressions of the request are compiled: refuses names, and then values, that none of
 * them uses. */
MUST_CHECK bool scope_check_used(const struct scope *scope, struct err *err);

/* What a placeholder stands for, marked as used; NULL if it is not defined. For the compilers. */
const struct bytes *scope_use_name(struct scope *scope, struct bytes key);
const struct value *scope_use_value(struct scope *scope, struct bytes key);

/* The same, not marked. */
const struct bytes *scope_find_name(const struct scope *scope, struct bytes key);
const struct value *scope_find_value(const struct scope *scope, struct bytes key);

/* What the service calls a key that something is refused for. */
#define KEY_OF_TABLE "Key"
#define KEY_OF_INDEX "IndexKey"

#endif
