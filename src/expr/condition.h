/* expr/condition.h - ConditionExpression and FilterExpression: compiled once for a request, weighed
 * on encoded items as they are. A condition lives in the arena of its scope; many threads may weigh
 * one. */
#ifndef EXPR_CONDITION_H
#define EXPR_CONDITION_H

#include "expr/scope.h"

struct condition;

/* `label` is the parameter's name: "ConditionExpression" or "FilterExpression". ERR_VALIDATION with
 * the service's message. */
MUST_CHECK bool condition_compile(struct scope *scope, const char *label, struct bytes text,
                                  struct condition **out, struct err *err);

/* Whether an item keeps it. No item at all is an item without attributes. */
bool condition_holds(const struct condition *condition, struct bytes item);

/* Bytes that it may look through for each item beside those of the item: values that are themselves
 * searched, contains(:list, path), each as often as it is named. */
uint64_t condition_work(const struct condition *condition);

/* What the service refuses once it knows the table: paths into key attributes, of the table or
 * of indexes (`kind`); and in a Query's filter, which `label` names, key attributes at all. */
MUST_CHECK bool condition_check_keys(const struct condition *condition, const char *kind,
                                     const struct bytes *keys, uint32_t count, struct err *err);
MUST_CHECK bool condition_check_filter(const struct condition *condition, const char *label,
                                       const struct bytes *keys, uint32_t count, struct err *err);

/* The attributes that it looks at, each once, in the arena; returns how many. */
uint32_t condition_names(const struct condition *condition, struct arena *arena,
                         struct bytes **names);

#endif
