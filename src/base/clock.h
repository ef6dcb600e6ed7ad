/* base/clock.h - the only clock. Everything that asks for the time asks here, so that tests can
 * move it. The wall clock may step; what must not go back is the engine's service time
 * (engine/engine.h). */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define SECOND_MICROS UINT64_C(1000000)
#define DAY_MICROS    (UINT64_C(86400) * SECOND_MICROS)

/* Microseconds since 1970 UTC. Any thread. */
uint64_t clock_micros(void);

/* For durations and timeouts: never steps, even where tests move the wall clock. */
uint64_t clock_monotonic_micros(void);

/* Has this thread rest: for background work alone, so that others come first. */
void clock_rest(uint64_t micros);

/* Tests: from now on clock_micros() answers `micros`; 0 gives the real clock back. Any thread. */
void clock_set(uint64_t micros);

#endif
