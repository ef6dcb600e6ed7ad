/* expr/update.h - UpdateExpression: compiled once for a request, applied to an encoded item, from
 * which it makes another. An update lives in the arena of its scope; many threads may apply one,
 * each with an arena of its own. */
#ifndef EXPR_UPDATE_H
#define EXPR_UPDATE_H

#include "expr/projection.h"
#include "expr/scope.h"

struct update;

/* ERR_VALIDATION with the service's message. */
MUST_CHECK bool update_compile(struct scope *scope, struct bytes text, struct update **out,
                               struct err *err);

/* Refuses an update of key attributes. */
MUST_CHECK bool update_check_keys(const struct update *update, const struct bytes *keys,
                                  uint32_t count, struct err *err);

/* Refuses paths into key attributes of indexes. */
MUST_CHECK bool update_check_index_keys(const struct update *update, const struct bytes *keys,
                                        uint32_t count, struct err *err);

/* Whether the update gives the attribute `name` a value of a type that shows without an item. */
bool update_gives(const struct update *update, struct bytes name, enum value_type *type);

/* Refuses an update that counts for more than an item may have, whatever it makes of one. */
MUST_CHECK bool update_check_charge(const struct update *update, struct err *err);

/* The item after the update, packed, in the arena. `base` is the item before it or, where there is
 * none (`exists` is false), the item's Key map: what the update finds and writes to. ERR_VALIDATION
 * with the service's messages for values of the wrong type, attributes and paths that are not
 * there, numbers and items that become too large or too deep. */
MUST_CHECK bool update_apply(const struct update *update, struct bytes base, bool exists,
                             struct arena *arena, struct bytes *out, struct err *err);

/* The paths that it writes to: of the item before and of the one after, what UPDATED_OLD and
 * UPDATED_NEW return. */
const struct projection *update_paths(const struct update *update);

#endif
