/* test/support/expressions.h - what tests of expressions need: items from JSON, and the
 * placeholders of a request. What is made lives in the arena; a mistake in a test's own text fails
 * the test. */
#ifndef SUPPORT_EXPRESSIONS_H
#define SUPPORT_EXPRESSIONS_H

#include "expr/scope.h"

/* An item from {"a": {"S": ...}, ...}, in which ' stands for ". NULL: no item, BYTES_NONE. */
struct bytes test_item(struct arena *arena, const char *json);

/* Puts names, "#a=x #b=y", and values, an item in JSON, into a new scope. NULL: none. */
void test_scope(struct scope *scope, struct arena *arena, const char *names, const char *values);

/* An item as JSON with ' for ". */
const char *test_json(struct arena *arena, struct bytes item);

#endif
