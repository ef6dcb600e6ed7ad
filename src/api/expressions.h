/* api/expressions.h - the expressions of a request: whether they may stand beside its other
 * parameters, and what they and its placeholders compile to. A request has them in its body or, in
 * a transaction, in each of its elements; its shape says which, by the roles of its rows:
 *
 *     OPTIONAL("ConditionExpression", FIELD_EXPRESSION(CONDITION)),
 *     OPTIONAL("ExpressionAttributeValues", FIELD_VALUES),
 *     OPTIONAL("ExpressionAttributeNames", FIELD_NAMES),
 *
 * The older parameters (api/legacy.h) are found in the same way and compile to the same, but for
 * KeyConditions, which are left to the operation.
 *
 * The order in which mistakes are told (dynalite's tests against the service: putItem, updateItem,
 * getItem, query): expressions_check(), what the operation says of its item or key, then
 * expressions_compile(): the older parameters, names, values, the update, the condition, the key
 * condition, the filter, the projection, and at last what is not used. Messages are the service's,
 * ERR_VALIDATION. */
#ifndef API_EXPRESSIONS_H
#define API_EXPRESSIONS_H

#include "api/api.h"
#include "api/legacy.h"
#include "expr/condition.h"
#include "expr/key_condition.h"
#include "expr/projection.h"
#include "expr/update.h"

/* How an operation words what is wrong with a request by itself (dynamodb-conformance, error-
 * messages/valueLayers and deleteItem, recorded 2026-10): PutItem, UpdateItem and DeleteItem put an
 * envelope around it, wherever the bad value sits; GetItem, BatchGetItem and Query put nothing; and
 * BatchWriteItem, Scan and transactions have an older wording of some of it, and name the key of a
 * bad expression value. */
#define ENVELOPE_OF_WRITES "1 validation error detected: "
#define ENVELOPE_NONE      ""
#define OLDER_WORDING      NULL

/* NULL: not asked for. In the arena of the scope. */
struct expressions {
    struct scope scope;
    struct update *update;
    struct condition *condition;
    struct key_condition *key_condition;
    struct condition *filter;
    struct projection *projection;
};

/* Refuses both styles in one request, and placeholders without an expression. `node` is the body or
 * the element. */
MUST_CHECK bool expressions_check(const struct value_node *node, const char *envelope,
                                  struct arena *arena, struct err *err);

/* Refuses a name that is in AttributesToGet twice: of some operations that is told before other
 * mistakes, of the others expressions_compile() tells it. */
MUST_CHECK bool expressions_check_names(const struct value_node *node, struct err *err);

MUST_CHECK bool expressions_compile(const struct value_node *node, const char *envelope,
                                    struct arena *arena, struct expressions *out, struct err *err);

/* The expressions of a whole request, compiled in its first run and kept for the others. NULL: see
 * `err`. */
const struct expressions *request_expressions(struct request *request, const char *envelope,
                                              struct err *err);

/* What the service refuses once it knows the table: paths into key attributes, and updates of them;
 * values that are of no type of an index's key. When it looks at the filter depends on the
 * operation. */
MUST_CHECK bool expressions_check_keys(const struct expressions *expressions,
                                       const struct table *table, struct err *err);
MUST_CHECK bool expressions_check_filter(const struct expressions *expressions,
                                         const struct table *table, struct err *err);

/* Whether the item before a write keeps its condition, if there is one: else ERR_CONDITION_FAILED.
 * `old` is BYTES_NONE where there was none. */
MUST_CHECK bool expressions_hold(const struct expressions *expressions, struct bytes old,
                                 struct err *err);

/* What the update makes of `old`, or of the Key map where there was no item: sets the write's kind
 * and item. An update that finds no item and puts nothing into it makes none (ScyllaDB,
 * test_update_item_non_existent); without any update the Key itself becomes one. */
MUST_CHECK bool expressions_update(const struct expressions *expressions, struct bytes key_item,
                                   struct write *write, struct arena *arena, struct err *err);

/* expressions_hold() for a write of the whole request, to be its `settle` with the request as its
 * context: the reply to a refused one shows the item where ReturnValuesOnConditionCheckFailure
 * wants it. */
bool settle_condition(struct write *write, struct arena *arena, struct err *err);

/* Appends an item, or what the projection chooses of it; returns item_size() of the whole. `arena`
 * is for what is made meanwhile. */
uint64_t expressions_put_item(const struct expressions *expressions, struct bytes item,
                              struct arena *arena, struct buf *out);

/* Puts a message that was told without an envelope into one. Returns false, as err_fail() does. */
bool in_envelope(const char *envelope, struct err *err);

#endif
