/* jobs/queue.h - the queue of jobs: which step is next, and what running it comes to. Inside the
 * module. The functions are called with the lock held; what runs for long lets it go. */
#ifndef JOBS_QUEUE_H
#define JOBS_QUEUE_H

#include "jobs/jobs.h"

#include <pthread.h>
#include <stdatomic.h>

enum step {
    STEP_START,
    STEP_PREPARE,
    STEP_PART,
    STEP_FINISH,
    STEP_FAIL,
    STEP_NONE,
};

struct lane {
    struct lane *next;
    uint32_t jobs;
    uint32_t open, waiting; /* steps of theirs that workers have begun and not ended; of these */
    uint32_t times_aside;   /* of its jobs, since one of their steps went well */
    size_t size;
    uint8_t name[];
};

struct entry {
    struct job job; /* first: job_stopping() goes from it to the entry */
    struct jobs *jobs;
    const struct job_kind *kind;
    struct entry *next;
    struct lane *lane; /* once it has started */
    enum step step;    /* the next, or the one that runs */
    uint32_t running;
    bool urgent;            /* what runs is a starter's */
    struct job_wait *waits; /* of its steps, the oldest first */
    uint32_t parts, parts_done;
    uint8_t *part_states; /* of enum part_state */
    uint32_t failures;    /* in a row */
    uint64_t ready_at;    /* monotonic microseconds: not before */
    uint64_t began_at;
    _Atomic bool failing; /* `why` is set; parts that run must end */
    _Atomic bool aside;   /* steps that run must end; then it rests */
    struct err why;
    uint8_t name[];
};

/* Threads that run steps of one sort: as many as there is to run, and one idle. */
struct crew {
    struct jobs *jobs;
    bool urgent; /* starters */
    bool shared; /* the first has its share; it makes the others, which inherit that */
    uint32_t most, threads, idle;
};

struct jobs {
    struct jobs_settings settings;
    const struct job_kind *kinds[JOB_KINDS_MOST];
    uint32_t kind_count;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    struct entry *first, **last;
    _Atomic bool stopping;
    struct lane *lanes;
    uint32_t computing, open;   /* of workers' steps: J4, J6 */
    struct job_wait *returning; /* want to compute again, the first in line first */
    uint64_t completed, failed, set_aside;
    struct crew starters, workers;
    pthread_t maintainer;
    bool maintained; /* there is such a thread */
};

struct choice {
    struct entry *entry; /* NULL: none is ready */
    enum step step;
    uint32_t part;
};

/* The step that this crew may begin now; NULL: any crew's. If there is none, something changes when
 * there is one, or `*next` comes (UINT64_MAX: not known when). */
struct choice queue_choose(struct jobs *jobs, const struct crew *crew, uint64_t now,
                           uint64_t *next);

/* Runs it to its end on this thread. */
void queue_run(struct jobs *jobs, const struct choice *choice);

/* Takes a job of which nothing runs out of the queue. */
void queue_drop(struct jobs *jobs, struct entry *entry);

#endif
