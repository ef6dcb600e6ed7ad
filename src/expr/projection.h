/* expr/projection.h - ProjectionExpression: compiled once for a request, applied to encoded items,
 * of which it copies the chosen parts. A projection lives in the arena of its scope; many threads
 * may apply one, each with an arena of its own. */
#ifndef EXPR_PROJECTION_H
#define EXPR_PROJECTION_H

#include "expr/scope.h"

struct projection;

/* ERR_VALIDATION with the service's message. */
MUST_CHECK bool projection_compile(struct scope *scope, struct bytes text, struct projection **out,
                                   struct err *err);

/* Of whole attributes, AttributesToGet: the names differ. */
struct projection *projection_of_names(struct arena *arena, const struct bytes *names,
                                       uint32_t count);

/* Refuses paths into key attributes, of the table or of indexes (`kind`). */
MUST_CHECK bool projection_check_keys(const struct projection *projection, const char *kind,
                                      const struct bytes *keys, uint32_t count, struct err *err);

/* The attributes that it chooses from, each once, in the order in which they were asked for; in the
 * arena; returns how many. */
uint32_t projection_names(const struct projection *projection, struct arena *arena,
                          struct bytes **names);

/* The chosen parts of an item, packed, in the arena: the documents around them, with nothing else
 * in them; of a list the chosen elements behind each other. What is not there is left out. */
struct bytes projection_apply(const struct projection *projection, struct bytes item,
                              struct arena *arena);

#endif
