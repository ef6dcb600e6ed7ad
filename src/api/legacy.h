/* api/legacy.h - the older parameters of requests, from their nodes to the conditions and updates
 * that they are (expr/legacy.h). expressions_compile() does all that a handler needs of them; what
 * is here is for its pieces:
 *
 *     OPTIONAL("ConditionalOperator", FIELD_CONDITIONAL_OPERATOR(0)),
 *     OPTIONAL("Expected", FIELD_EXPECTED),
 *     OPTIONAL("AttributeUpdates", FIELD_ATTRIBUTE_UPDATES),
 *     OPTIONAL("ScanFilter", FIELD_CONDITIONS(OLD_FILTER)),
 *     OPTIONAL("KeyConditions", FIELD_CONDITIONS(KEY_CONDITIONS)),
 *
 * Messages: dynalite's tests against the service (putItem, updateItem, scan, query); ExtendDB's
 * tests of ConditionalOperator, which run on the service too. ERR_VALIDATION. */
#ifndef API_LEGACY_H
#define API_LEGACY_H

#include "api/shape.h"
#include "expr/legacy.h"

/* The rows. Scan alone tells an unknown operator by the older wording; the slip in the other is the
 * service's (dynamodb-conformance, validation-ordering/ query and deepRequests, recorded 2026-10).
 */
#define FIELD_CONDITIONAL_OPERATOR_OF_SCAN                                                         \
    .type = TYPE_STRING, .values = enum_conditional_operator, .role = ROLE_CONDITIONAL_OPERATOR
#define FIELD_CONDITIONAL_OPERATOR(told)                                                           \
    FIELD_CONDITIONAL_OPERATOR_OF_SCAN, .untold = "[ALL, OR]", .traits = (told)
#define FIELD_EXPECTED                                                                             \
    .type = TYPE_MAP, .class = "com.amazonaws.dynamodb.v20120810.ExpectedAttributeValue",          \
    .of = &element_expected, .role = ROLE_EXPECTED
#define FIELD_ATTRIBUTE_UPDATES                                                                    \
    .type = TYPE_MAP, .class = "com.amazonaws.dynamodb.v20120810.AttributeValueUpdate",            \
    .of = &element_update, .role = ROLE_ATTRIBUTE_UPDATES
#define FIELD_CONDITIONS(what)                                                                     \
    .type = TYPE_MAP, .class = "com.amazonaws.dynamodb.v20120810.Condition",                       \
    .of = &element_condition, .role = ROLE_##what

extern const char *const enum_conditional_operator[];
extern const struct field element_expected, element_update, element_condition;

/* What a row of that kind says, checked, in the order of the request; returned in the arena. */
MUST_CHECK bool expected_take(const struct value_node *node, struct arena *arena,
                              struct comparison **out, struct err *err);
MUST_CHECK bool conditions_take(const struct value_node *node, struct arena *arena,
                                struct comparison **out, struct err *err);
MUST_CHECK bool updates_take(const struct value_node *node, struct arena *arena,
                             struct assignment **out, struct err *err);

#endif
