/* engine/committer.c - group commit. Submitters hang their commits onto a list; the one thread
 * takes the whole list, cuts it into groups that are not too large, has the engine commit each
 * group with one sync, and answers in order. While it syncs, the next group gathers: the busier the
 * server, the larger the groups. The thread is woken only from sleep, so a busy one costs its
 * submitters no system call.
 *
 * Clients that were answered together come back one by one, and a thread that takes the first of
 * them at once syncs for one what it could sync for all. So while less is waiting than half of what
 * the last group held, it waits for more, for a fraction of what a sync takes. A lone client is its
 * own last group, and never waits. */
#include "engine/committer.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

#define GROUP_BATCHES_MOST 1024u
#define GROUP_BYTES_MOST   ((size_t)4 * 1024 * 1024) /* what a disk syncs in some milliseconds */
#define GATHER_MICROS      200u                      /* a sync takes some 250 and more */

struct list {
    struct commit *first, **end;
    uint32_t count;
};

struct committer {
    struct engine *engine;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work; /* something waits, or the end has come */
    /* lock */
    struct list waiting, refused;
    uint32_t wanted; /* so many are to wait before a sleeping thread is woken */
    bool sleeping, ending, ended;
    _Atomic uint64_t batches, groups, bytes;
};

static void list_init(struct list *list)
{
    *list = (struct list){.end = &list->first};
}

static void list_add(struct list *list, struct commit *commit)
{
    commit->next = NULL;
    *list->end = commit;
    list->end = &commit->next;
    list->count++;
}

static struct commit *list_take(struct list *list)
{
    struct commit *first = list->first;

    list_init(list);
    return first;
}

/* Cuts the next group off the list and has it committed; what is left of the list. */
static struct commit *commit_group(struct committer *committer, struct commit *first)
{
    struct engine_batch *batches[GROUP_BATCHES_MOST];
    struct commit *end = first;
    uint32_t count = 0;
    size_t bytes = 0;

    while (end != NULL && count < GROUP_BATCHES_MOST) {
        size_t size = batch_size(end->batch);
        if (count > 0 && bytes + size > GROUP_BYTES_MOST)
            break;
        bytes += size;
        batches[count++] = end->batch;
        end = end->next;
    }
    committer->engine->ops->commit(committer->engine, batches, count);
    committer->batches += count;
    committer->groups++;
    committer->bytes += bytes;
    while (first != end) {
        struct commit *next = first->next; /* before done(), which may free */
        first->done(first);
        first = next;
    }
    return end;
}

static void refuse(struct commit *commit, bool ended)
{
    struct engine_batch *batch = commit->batch;

    batch->err = arena_alloc(batch->arena, sizeof *batch->err);
    batch->outcome = COMMIT_FAILED;
    if (ended)
        err_fail(batch->err, ERR_OVERLOADED, "commit: the server is stopping");
    else
        err_fail(batch->err, ERR_OVERLOADED, "commit: %d batches are waiting",
                 COMMITTER_QUEUE_MOST);
    commit->done(commit);
}

static uint32_t waiting_count(const struct committer *committer)
{
    return committer->waiting.count + committer->refused.count;
}

/* Until something waits, or the end has come. Called with the lock held, as gather(). */
static void wait_for_work(struct committer *committer)
{
    committer->wanted = 1;
    while (waiting_count(committer) == 0 && !committer->ending) {
        committer->sleeping = true;
        pthread_cond_wait(&committer->work, &committer->lock);
        committer->sleeping = false;
    }
}

static void gather(struct committer *committer, uint32_t wanted)
{
    uint64_t until = clock_monotonic_micros() + GATHER_MICROS;
    const struct timespec wake = {(time_t)(until / SECOND_MICROS),
                                  (long)(until % SECOND_MICROS) * 1000};
    int late = 0;

    committer->wanted = wanted;
    while (waiting_count(committer) < wanted && !committer->ending && late == 0) {
        committer->sleeping = true;
        late = pthread_cond_timedwait(&committer->work, &committer->lock, &wake);
        committer->sleeping = false;
    }
}

static void *run(void *context)
{
    struct committer *committer = context;
    uint32_t last = 0;

    pthread_mutex_lock(&committer->lock);
    for (;;) {
        wait_for_work(committer);
        if (waiting_count(committer) < last / 2)
            gather(committer, last / 2);
        if (waiting_count(committer) == 0)
            break;
        last = committer->waiting.count;
        struct commit *commit = list_take(&committer->waiting);
        struct commit *refused = list_take(&committer->refused);
        bool ending = committer->ending;
        pthread_mutex_unlock(&committer->lock);
        while (commit != NULL)
            commit = commit_group(committer, commit);
        while (refused != NULL) {
            struct commit *next = refused->next;
            refuse(refused, ending);
            refused = next;
        }
        pthread_mutex_lock(&committer->lock);
    }
    committer->ended = true;
    pthread_mutex_unlock(&committer->lock);
    return NULL;
}

struct committer *committer_new(struct engine *engine)
{
    struct committer *committer = calloc(1, sizeof *committer);
    pthread_condattr_t attributes;

    if (committer == NULL)
        abort();
    committer->engine = engine;
    list_init(&committer->waiting);
    list_init(&committer->refused);
    pthread_mutex_init(&committer->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&committer->work, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&committer->thread, NULL, run, committer) != 0)
        abort();
    return committer;
}

void committer_submit(struct committer *committer, struct commit *commit)
{
    pthread_mutex_lock(&committer->lock);
    if (committer->ended) {
        pthread_mutex_unlock(&committer->lock);
        refuse(commit, true);
        return;
    }
    bool full = committer->ending || committer->waiting.count >= COMMITTER_QUEUE_MOST;
    list_add(full ? &committer->refused : &committer->waiting, commit);
    bool wake = committer->sleeping && waiting_count(committer) >= committer->wanted;
    if (wake)
        committer->sleeping = false; /* one wake is enough */
    pthread_mutex_unlock(&committer->lock);
    if (wake)
        pthread_cond_signal(&committer->work);
}

void committer_free(struct committer *committer)
{
    if (committer == NULL)
        return;
    pthread_mutex_lock(&committer->lock);
    committer->ending = true;
    pthread_cond_signal(&committer->work);
    pthread_mutex_unlock(&committer->lock);
    pthread_join(committer->thread, NULL);
    pthread_cond_destroy(&committer->work);
    pthread_mutex_destroy(&committer->lock);
    free(committer);
}

struct committer_figures committer_figures(struct committer *committer)
{
    return (struct committer_figures){committer->batches, committer->groups, committer->bytes};
}

/* --- waiting for one ------------------------------------------------------------------------ */

struct blocked {
    struct commit commit;
    pthread_mutex_t lock;
    pthread_cond_t answered;
    bool done; /* lock */
};

static void blocked_done(struct commit *commit)
{
    struct blocked *blocked = (struct blocked *)commit;

    pthread_mutex_lock(&blocked->lock);
    blocked->done = true;
    pthread_cond_signal(&blocked->answered);
    pthread_mutex_unlock(&blocked->lock);
}

bool committer_commit(struct committer *committer, struct engine_batch *batch, struct err *err)
{
    struct blocked blocked = {.commit = {.batch = batch, .done = blocked_done}};

    pthread_mutex_init(&blocked.lock, NULL);
    pthread_cond_init(&blocked.answered, NULL);
    committer_submit(committer, &blocked.commit);
    pthread_mutex_lock(&blocked.lock);
    while (!blocked.done)
        pthread_cond_wait(&blocked.answered, &blocked.lock);
    pthread_mutex_unlock(&blocked.lock);
    pthread_cond_destroy(&blocked.answered);
    pthread_mutex_destroy(&blocked.lock);
    if (batch->outcome == COMMIT_OK)
        return true;
    if (batch->outcome == COMMIT_CONFLICT)
        return err_fail(err, ERR_STORAGE, "conflict");
    *err = *batch->err;
    return false;
}
