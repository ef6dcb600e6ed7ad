/* base/clock.c - the system's clocks, or the one time that a test has set. */
#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic uint64_t fixed; /* 0: the real clock */

static uint64_t read_clock(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * SECOND_MICROS + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_micros(void)
{
    uint64_t set = atomic_load_explicit(&fixed, memory_order_relaxed);

    return set != 0 ? set : read_clock(CLOCK_REALTIME);
}

uint64_t clock_monotonic_micros(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

void clock_set(uint64_t micros)
{
    atomic_store(&fixed, micros);
}

void clock_rest(uint64_t micros)
{
    struct timespec rest = {.tv_sec = (time_t)(micros / SECOND_MICROS),
                            .tv_nsec = (long)(micros % SECOND_MICROS) * 1000};

    nanosleep(&rest, NULL);
}
