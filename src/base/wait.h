/* base/wait.h - one thing that can wait: a request on a loop, or a thread of a job. Whoever is
 * about to keep it (a lock's queue, the committer) first calls park() on the waiter's own thread,
 * and later calls wake() exactly once for each park(), from any thread. Between the two the waiter
 * does not run. */
#ifndef BASE_WAIT_H
#define BASE_WAIT_H

#include <pthread.h>
#include <stdint.h>

struct waiter {
    void (*park)(struct waiter *waiter);
    void (*wake)(struct waiter *waiter);
};

/* A waiter for a thread that may block: parks at once, blocker_wait() returns when woken. */
struct blocker {
    struct waiter waiter;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    uint32_t parked; /* how often it was parked and not woken yet */
};

void blocker_init(struct blocker *blocker);
void blocker_release(struct blocker *blocker);
/* Until every park() had its wake(). */
void blocker_wait(struct blocker *blocker);

#endif
