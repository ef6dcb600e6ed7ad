/* base/wait.h - one thing that can wait: a request on a loop, or a thread of a job. Whoever is
 * about to keep it (a lock's queue, the committer) first calls park() on the waiter's own thread,
 * and later calls wake() exactly once for each park(), from any thread. Between the two the waiter
 * does not run. */
#ifndef BASE_WAIT_H
#define BASE_WAIT_H

struct waiter {
    void (*park)(struct waiter *waiter);
    void (*wake)(struct waiter *waiter);
};

#endif
