/* engine/committer.c - group commit. Submitters hang their commits onto a list; the one thread
 * takes the whole list, cuts it into groups that are not too large, has the engine commit each
 * group with one sync, and answers in order. While it syncs, the next group gathers: the busier the
 * server, the larger the groups, and nobody waits for a timer. The thread is woken only from sleep,
 * so a busy one costs its submitters no system call. */
#include "engine/committer.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define GROUP_BATCHES_MOST 1024u
#define GROUP_BYTES_MOST   ((size_t)4 * 1024 * 1024) /* what a disk syncs in some milliseconds */

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

static void *run(void *context)
{
    struct committer *committer = context;

    pthread_mutex_lock(&committer->lock);
    for (;;) {
        while (committer->waiting.count + committer->refused.count == 0 && !committer->ending) {
            committer->sleeping = true;
            pthread_cond_wait(&committer->work, &committer->lock);
            committer->sleeping = false;
        }
        if (committer->waiting.count + committer->refused.count == 0)
            break;
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

    if (committer == NULL)
        abort();
    committer->engine = engine;
    list_init(&committer->waiting);
    list_init(&committer->refused);
    pthread_mutex_init(&committer->lock, NULL);
    pthread_cond_init(&committer->work, NULL);
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
    bool wake = committer->sleeping;
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
