/* base/share.c - shares as Linux has them: a thread of nice level n weighs 1024 / 1.25^n, and those
 * that compete are served by weight (sched(7)).
 *
 * Weight alone is not enough for a thread that has just woken up to answer a request: the one that
 * runs may end its slice first, and recent kernels look whether it has only with each tick, some
 * milliseconds. So the slice is the shortest there is (kernels before 6.12 know no slice of a
 * thread's own and ignore it), and share_offer() gives way without being asked. The kernel's idle
 * class would do no better, and who holds a lock there may wait for long while others want it. */
#include "base/share.h"

#include <assert.h>
#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"

#define NICE_MOST    19
#define SLICE_NANOS  100000 /* the kernel's least: 0.1 ms */
#define OFFER_MICROS 50

/* What sched_setattr(2) takes, in its first published form; the C library has no name for it. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};
static_assert(sizeof(struct attributes) == 48, "SCHED_ATTR_SIZE_VER0");

static int nice_of(unsigned percent)
{
    double weight = 1, wanted = percent / (100.0 - percent);
    int nice = 0;

    while (nice < NICE_MOST && weight > wanted) {
        weight /= 1.25;
        nice++;
    }
    return nice;
}

void share_set(unsigned percent)
{
    struct attributes attributes = {.size = sizeof attributes, .policy = SCHED_BATCH};

    assert(percent >= SHARE_LEAST && percent <= SHARE_MOST);
    if (percent == SHARE_MOST)
        return;
    int nice = getpriority(PRIO_PROCESS, 0) + nice_of(percent);
    attributes.nice = nice < NICE_MOST ? nice : NICE_MOST;
    attributes.runtime = SLICE_NANOS;
    /* Lowering needs no privilege; where a sandbox forbids it all the same, exports are a nuisance
     * and nothing worse. */
    syscall(SYS_sched_setattr, 0, &attributes, 0);
}

void share_offer(void)
{
    static _Thread_local enum { UNKNOWN, ORDINARY, GIVES_WAY } standing;
    static _Thread_local uint64_t offered;

    if (standing == UNKNOWN)
        standing = sched_getscheduler(0) == SCHED_OTHER ? ORDINARY : GIVES_WAY;
    if (standing == ORDINARY || clock_monotonic_micros() - offered < OFFER_MICROS)
        return;
    sched_yield();
    offered = clock_monotonic_micros();
}
