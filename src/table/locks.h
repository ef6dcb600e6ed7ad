/* table/locks.h - locks on keys, first come, first served. A lock is a number (a hash of the key);
 * two keys that share one only wait for each other. Nobody blocks: who must wait is parked and
 * owns the lock when woken. Any thread. Inside the module. */
#ifndef TABLE_LOCKS_H
#define TABLE_LOCKS_H

#include "base/err.h"
#include "base/wait.h"

struct locks;
struct lock_claim; /* what one work holds and waits for, on the heap */

/* Works waiting for one key at most; one more fails with ERR_OVERLOADED. At one group commit (about
 * 1 ms) each, the last of them waits a second, as long as an SDK would before it tries again. */
#define LOCK_QUEUE_MOST 1000

struct locks *locks_new(void);
void locks_free(struct locks *locks); /* when nothing is held */

enum locked {
    LOCKED,
    LOCKED_LATER, /* the waiter was parked; when woken, call again with the same ids */
    LOCKED_NEVER, /* see err */
};

/* Takes all of `ids`, which rise strictly: that is the order of locking, so no two works wait for
 * each other. `*claim` is NULL at first; what it holds of other ids is given back. */
enum locked locks_take(struct locks *locks, const uint64_t *ids, size_t count,
                       struct waiter *waiter, struct lock_claim **claim, struct err *err);

/* Gives all back and wakes who is next; `*claim` becomes NULL. Not while it waits. */
void locks_release(struct locks *locks, struct lock_claim **claim);

#endif
