/* base/wait.c - the waiter of a thread that may block. */
#include "base/wait.h"

static void blocker_park(struct waiter *waiter)
{
    struct blocker *blocker = (struct blocker *)waiter;

    pthread_mutex_lock(&blocker->lock);
    blocker->parked++;
    pthread_mutex_unlock(&blocker->lock);
}

static void blocker_wake(struct waiter *waiter)
{
    struct blocker *blocker = (struct blocker *)waiter;

    pthread_mutex_lock(&blocker->lock);
    blocker->parked--;
    pthread_cond_signal(&blocker->woken);
    pthread_mutex_unlock(&blocker->lock);
}

void blocker_init(struct blocker *blocker)
{
    *blocker = (struct blocker){.waiter = {blocker_park, blocker_wake}};
    pthread_mutex_init(&blocker->lock, NULL);
    pthread_cond_init(&blocker->woken, NULL);
}

void blocker_release(struct blocker *blocker)
{
    pthread_cond_destroy(&blocker->woken);
    pthread_mutex_destroy(&blocker->lock);
}

void blocker_wait(struct blocker *blocker)
{
    pthread_mutex_lock(&blocker->lock);
    while (blocker->parked > 0)
        pthread_cond_wait(&blocker->woken, &blocker->lock);
    pthread_mutex_unlock(&blocker->lock);
}
