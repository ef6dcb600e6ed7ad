/* base/fault.c - counters for each point, behind one lock that only tests take. */
#include "base/fault.h"

#include <pthread.h>

_Atomic bool fault_armed;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    uint64_t passes, after, times;
} points[FAULT_POINTS]; /* lock */

static const struct {
    const char *name;
    enum err_code code;
} table[FAULT_POINTS] = {
#define FAULT_POINT(name, code) {#name, ERR_##code},
#include "base/fault.def"
#undef FAULT_POINT
};

void fault_arm(enum fault_point point, uint64_t after, uint64_t times)
{
    pthread_mutex_lock(&lock);
    points[point].after = points[point].passes + after;
    points[point].times = times;
    fault_armed = true;
    pthread_mutex_unlock(&lock);
}

void fault_clear(void)
{
    pthread_mutex_lock(&lock);
    memset(points, 0, sizeof points);
    fault_armed = false;
    pthread_mutex_unlock(&lock);
}

uint64_t fault_passes(enum fault_point point)
{
    pthread_mutex_lock(&lock);
    uint64_t passes = points[point].passes;
    pthread_mutex_unlock(&lock);
    return passes;
}

bool fault_pass(enum fault_point point, struct err *err)
{
    pthread_mutex_lock(&lock);
    bool fires = points[point].passes++ >= points[point].after && points[point].times > 0;
    if (fires && points[point].times != UINT64_MAX)
        points[point].times--;
    pthread_mutex_unlock(&lock);
    if (fires)
        err_fail(err, table[point].code, "fault injected: %s", table[point].name);
    return fires;
}
