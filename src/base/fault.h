/* base/fault.h - fault points: `if (FAULT(ENGINE_COMMIT, err) || ...)` is false in life, and in a
 * test that armed the point fills `err` and is true. The table of armed points is one of the two
 * mutable globals of the process. Any thread. */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdatomic.h>

#include "base/err.h"

enum fault_point {
#define FAULT_POINT(name, code) FAULT_##name,
#include "base/fault.def"
#undef FAULT_POINT
    FAULT_POINTS
};

/* Tests: the point fails once `after` more passes have gone by (0: the next one), `times` times
 * (UINT64_MAX: for good). fault_clear() disarms all. */
void fault_arm(enum fault_point point, uint64_t after, uint64_t times);
void fault_clear(void);

/* How often the point was passed since fault_clear(); counted only while some point is armed. */
uint64_t fault_passes(enum fault_point point);

extern _Atomic bool fault_armed; /* any point at all: what the fast path looks at */
bool fault_pass(enum fault_point point, struct err *err);

#define FAULT(name, err)                                                                           \
    (__builtin_expect(atomic_load_explicit(&fault_armed, memory_order_relaxed), 0) &&              \
     fault_pass(FAULT_##name, (err)))

#endif
