/* table/locks.c - the owner of a lock is its record: each stripe has a chain of the holds that own
 * something in it, and behind each owner hang, in order, the holds that wait for it. Taking and
 * handing on allocate nothing.
 *
 *  L1 A hold is owned, or queued behind the owner of its id, or neither (not reached yet).
 *  L2 The ids of a claim are taken in rising order, and only one of them is ever waited for.
 *  L3 A waiter is parked before its hold can be seen in a queue, so a wake always follows its park;
 *     if the lock became free in between, the taker wakes itself.
 *  L4 A lock is handed over under the stripe's mutex and never becomes free with somebody queued:
 *     nobody overtakes.
 */
#include "table/locks.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

#define STRIPES 1024 /* a power of two; a few times the works that run at once */

struct hold {
    uint64_t id;
    bool owned;
    struct waiter *waiter;
    struct hold *next;         /* the next owner of the stripe, or who waits behind */
    struct hold *first, *last; /* of an owner: who waits */
    uint32_t waiting;          /* of an owner: how many */
};

struct lock_claim {
    size_t count;
    size_t owned; /* holds before this one are owned */
    bool queued;  /* the hold at `owned` was queued: when we run again, it is owned */
    struct hold holds[];
};

struct stripe {
    alignas(64) pthread_mutex_t lock;
    struct hold *owners;
};

struct locks {
    struct stripe stripes[STRIPES];
};

struct locks *locks_new(void)
{
    struct locks *locks = aligned_alloc(alignof(struct stripe), sizeof *locks);

    if (locks == NULL)
        abort();
    for (size_t i = 0; i < STRIPES; i++) {
        pthread_mutex_init(&locks->stripes[i].lock, NULL);
        locks->stripes[i].owners = NULL;
    }
    return locks;
}

void locks_free(struct locks *locks)
{
    if (locks == NULL)
        return;
    for (size_t i = 0; i < STRIPES; i++) {
        assert(locks->stripes[i].owners == NULL);
        pthread_mutex_destroy(&locks->stripes[i].lock);
    }
    free(locks);
}

static struct stripe *stripe_of(struct locks *locks, uint64_t id)
{
    return &locks->stripes[id % STRIPES];
}

static struct hold *owner_find(const struct stripe *stripe, uint64_t id)
{
    struct hold *owner = stripe->owners;

    while (owner != NULL && owner->id != id)
        owner = owner->next;
    return owner;
}

static void owner_add(struct stripe *stripe, struct hold *hold)
{
    hold->owned = true;
    hold->next = stripe->owners;
    stripe->owners = hold;
}

static void hold_queue(struct hold *owner, struct hold *hold)
{
    if (owner->last == NULL)
        owner->first = hold;
    else
        owner->last->next = hold;
    owner->last = hold;
    owner->waiting++;
}

static bool hold_take_free(struct stripe *stripe, struct hold *hold, uint32_t *waiting)
{
    pthread_mutex_lock(&stripe->lock);
    struct hold *owner = owner_find(stripe, hold->id);
    if (owner == NULL)
        owner_add(stripe, hold);
    *waiting = owner == NULL ? 0 : owner->waiting;
    pthread_mutex_unlock(&stripe->lock);
    return owner == NULL;
}

static void hold_take_parked(struct stripe *stripe, struct hold *hold)
{
    hold->waiter->park(hold->waiter);
    pthread_mutex_lock(&stripe->lock);
    struct hold *owner = owner_find(stripe, hold->id);
    struct waiter *waiter = hold->waiter;
    if (owner == NULL)
        owner_add(stripe, hold);
    else
        hold_queue(owner, hold);
    pthread_mutex_unlock(&stripe->lock);
    if (owner == NULL)
        waiter->wake(waiter);
}

static enum locked hold_take(struct locks *locks, struct hold *hold, struct err *err)
{
    struct stripe *stripe = stripe_of(locks, hold->id);
    uint32_t waiting;

    if (hold_take_free(stripe, hold, &waiting))
        return LOCKED;
    if (waiting >= LOCK_QUEUE_MOST) {
        err_fail(err, ERR_OVERLOADED, "Too many operations wait for one item");
        return LOCKED_NEVER;
    }
    hold_take_parked(stripe, hold);
    return LOCKED_LATER;
}

static bool claim_is_of(const struct lock_claim *claim, const uint64_t *ids, size_t count)
{
    if (claim->count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (claim->holds[i].id != ids[i])
            return false;
    return true;
}

static struct lock_claim *claim_new(const uint64_t *ids, size_t count, struct waiter *waiter)
{
    struct lock_claim *claim = calloc(1, sizeof *claim + count * sizeof claim->holds[0]);

    if (claim == NULL)
        abort();
    claim->count = count;
    for (size_t i = 0; i < count; i++) {
        assert(i == 0 || ids[i - 1] < ids[i]);
        claim->holds[i].id = ids[i];
        claim->holds[i].waiter = waiter;
    }
    return claim;
}

/* The waiter was woken: what it was queued for is its own now. */
static void claim_resume(struct lock_claim *claim)
{
    if (claim->queued) {
        assert(claim->holds[claim->owned].owned);
        claim->queued = false;
        claim->owned++;
    }
}

enum locked locks_take(struct locks *locks, const uint64_t *ids, size_t count,
                       struct waiter *waiter, struct lock_claim **claim, struct err *err)
{
    if (*claim != NULL && !claim_is_of(*claim, ids, count))
        locks_release(locks, claim);
    if (*claim == NULL)
        *claim = claim_new(ids, count, waiter);
    struct lock_claim *mine = *claim;
    claim_resume(mine);
    while (mine->owned < mine->count) {
        /* From the moment it is queued, another thread may hand it over: nothing of the claim is
         * touched after a LOCKED_LATER. */
        mine->queued = true;
        enum locked locked = hold_take(locks, &mine->holds[mine->owned], err);
        if (locked == LOCKED_LATER)
            return LOCKED_LATER;
        mine->queued = false;
        if (locked == LOCKED_NEVER)
            return LOCKED_NEVER;
        mine->owned++;
    }
    return LOCKED;
}

/* Answers whom to wake, outside the mutex. */
static struct waiter *hold_release(struct locks *locks, struct hold *hold)
{
    struct stripe *stripe = stripe_of(locks, hold->id);
    struct waiter *waiter = NULL;

    pthread_mutex_lock(&stripe->lock);
    struct hold **link = &stripe->owners;
    while (*link != hold)
        link = &(*link)->next;
    *link = hold->next;
    struct hold *heir = hold->first;
    if (heir != NULL) {
        waiter = heir->waiter;
        heir->first = heir->next;
        heir->last = heir->first == NULL ? NULL : hold->last;
        heir->waiting = hold->waiting - 1;
        owner_add(stripe, heir);
    }
    pthread_mutex_unlock(&stripe->lock);
    return waiter;
}

void locks_release(struct locks *locks, struct lock_claim **claim)
{
    struct lock_claim *mine = *claim;

    if (mine == NULL)
        return;
    claim_resume(mine);
    for (size_t i = 0; i < mine->owned; i++) {
        struct waiter *waiter = hold_release(locks, &mine->holds[i]);
        if (waiter != NULL)
            waiter->wake(waiter);
    }
    free(mine);
    *claim = NULL;
}
