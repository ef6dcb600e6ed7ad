/* engine/committer.h - the one thread that commits: it takes all batches that are waiting, has the
 * engine write them with one sync (group commit), and tells each submitter. */
#ifndef ENGINE_COMMITTER_H
#define ENGINE_COMMITTER_H

#include "engine/engine.h"

struct committer;

/* One submitted batch. Belongs to the submitter, who keeps it and the batch alive until done(). */
struct commit {
    struct engine_batch *batch;
    /* On the committer's thread, exactly once for each submit; must not block. The outcome is in
     * the batch. The commit may be freed or submitted again from here. */
    void (*done)(struct commit *commit);
    struct commit *next; /* the committer's */
};

/* Batches waiting at most; one more is answered COMMIT_FAILED, ERR_OVERLOADED. Above the number of
 * requests that the server takes at once. */
#define COMMITTER_QUEUE_MOST 65536

struct committer *committer_new(struct engine *engine);

/* Any thread. What is submitted after committer_free() began is answered COMMIT_FAILED. */
void committer_submit(struct committer *committer, struct commit *commit);

/* Submits and waits, for threads that may block (jobs, start-up; never a loop): true when OK. Else
 * `err` is filled and batch->outcome tells. A CONFLICT fills ERR_STORAGE "conflict". */
MUST_CHECK bool committer_commit(struct committer *committer, struct engine_batch *batch,
                                 struct err *err);

/* Waits until everything submitted has been answered, then stops the thread. */
void committer_free(struct committer *committer);

/* For metrics. */
struct committer_figures {
    uint64_t batches, groups, bytes;
};
struct committer_figures committer_figures(struct committer *committer);

#endif
