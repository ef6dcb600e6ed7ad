/* jobs/jobs.h - background work that survives a crash. A job is a record in the catalogue, written
 * in the same commit as the answer that promises it and gone in the commit that ends it; after a
 * crash every job goes on at its unfinished parts. What a job does is up to its kind; kinds
 * register themselves. See DESIGN.md "Jobs". */
#ifndef JOBS_JOBS_H
#define JOBS_JOBS_H

#include "table/tables.h"

struct jobs;

/* One job as it runs. The steps of one kind are called with it, parts by several threads at once.
 */
struct job {
    struct bytes name;
    void *run; /* the kind's own, made by start() */
    /* Set by start(), read once: jobs of one lane wait for the same thing, such as a bucket, and
     * none for those of other lanes. Empty: the lane of all that wait for nobody. */
    struct bytes lane;
};

enum job_end {
    JOB_DONE,    /* this step is done: on to the next */
    JOB_ENDED,   /* the job has ended already, nothing is left to do; no answer of a part */
    JOB_STOPPED, /* job_stopping() said so; the step is run again at the next start */
    JOB_FAILED,  /* see err; tried again if `again` says it is worth it */
};

/* A kind of job. Steps block, are run again from their beginning after a failure or a crash, and
 * keep in records of their own what must not change between two runs. */
struct job_kind {
    const char *name; /* in records and log lines: never changes */
    void *context;
    /* Ahead of any queue, so that what cannot work at all fails in seconds. */
    enum job_end (*start)(void *context, struct job *job, struct err *err);
    /* Fixes the parts: how many, the same number at each run. */
    enum job_end (*prepare)(void *context, struct job *job, uint32_t *parts, struct err *err);
    /* One part; at once where a run before this one did it. */
    enum job_end (*part)(void *context, struct job *job, uint32_t part, struct err *err);
    /* After all parts: records success, and removes the job's record (job_remove). */
    enum job_end (*finish)(void *context, struct job *job, struct err *err);
    /* Instead of the steps that are left: records the failure, and removes the job's record. */
    enum job_end (*fail)(void *context, struct job *job, const struct err *why, struct err *err);
    bool (*again)(const struct err *err);
    /* Gives back what prepare() took, which is called again before the next part: the job waits for
     * another try. No step is running. NULL: there is nothing, and parts go on without. */
    void (*rest)(void *context, struct job *job);
    /* Frees job->run, which may be NULL; no other step is running. */
    void (*release)(void *context, struct job *job);
    /* The jobs stop: steps that block shall end soon, as whatever; they are run again at the next
     * start. Any thread. May be NULL. */
    void (*interrupt)(void *context);
    /* Called now and then: what time leaves behind. May be NULL. */
    bool (*maintain)(void *context, struct err *err);
    /* Shows the names of all unfinished jobs, borrowed, where something else than the records of
     * jobs knows of them. NULL: jobs_each() does. */
    bool (*each)(void *context, void (*take)(void *context, struct bytes name), void *taker,
                 struct err *err);
};

struct jobs_settings {
    struct tables *tables;
    uint32_t workers; /* steps that compute at once; 0: no threads at all, tests call jobs_step() */
    uint32_t retry_ms;    /* before the second try of a step; doubles with each further one */
    uint32_t tick_ms;     /* between two rounds of maintenance */
    uint32_t patience_ms; /* of a wait for a store while others have no room; doubles likewise */
    uint32_t share;       /* of a processor that others want, see base/share.h; 0: SHARE_MOST */
};
#define JOB_WORKERS_DEFAULT     2
#define JOB_WORKERS_MOST        64
#define JOB_RETRY_MS_DEFAULT    1000
#define JOB_TICK_MS_DEFAULT     60000
#define JOB_PATIENCE_MS_DEFAULT 5000
#define JOB_KINDS_MOST          8
#define JOB_STARTERS_MOST       64 /* threads, made as they are needed */
/* Steps that workers have begun and not ended, those included that wait for a store. Ours: memory
 * is bounded by it, and one lane, which holds `workers` of them, leaves at least as many. */
#define JOB_OPEN_MOST(workers) (2 * (workers) + 8)

/* Failures in a row, of one job's steps, before the job itself has failed. */
#define JOB_ATTEMPTS_MOST 5
/* The same of a start by ERR_STORE, so that a store that does not work fails it in seconds. */
#define JOB_STARTS_MOST 2

/* The tables must outlive the jobs. */
struct jobs *jobs_new(const struct jobs_settings *settings);

/* Before jobs_start(). `kind` outlives the jobs. */
void jobs_register(struct jobs *jobs, const struct job_kind *kind);

/* Takes up every unfinished job, and starts the threads. */
MUST_CHECK bool jobs_start(struct jobs *jobs, struct err *err);

/* Stops promptly, amid parts too. Then the kinds may go, then free. */
void jobs_stop(struct jobs *jobs);
void jobs_free(struct jobs *jobs);

/* --- a job's record: for the commits that accept and end it */

/* Whoever puts a job takes his turn first, in the arena, and then looks at the others of its kind:
 * of two that have seen the same jobs only one puts his, and the other's commit is a conflict. So a
 * limit on jobs is exact. */
MUST_CHECK bool jobs_turn(struct engine *engine, const char *kind, struct arena *arena,
                          struct bytes *turn, struct err *err);
void job_put(struct engine_batch *batch, const struct engine *engine, const char *kind,
             struct bytes name, struct bytes turn);
/* Shows the names of all unfinished jobs of a kind, borrowed. */
MUST_CHECK bool jobs_each(struct engine *engine, const char *kind,
                          void (*take)(void *context, struct bytes name), void *context,
                          struct err *err);
void job_remove(struct engine_batch *batch, const char *kind, struct bytes name);

/* --- as they run */

/* Takes up a job whose record is durable now; one that is taken up already stays as it is. Any
 * thread, does not block. One that is not told of is found at the next round of maintenance. */
void jobs_add(struct jobs *jobs, const struct job_kind *kind, struct bytes name);

/* Whether a long step must end, as JOB_STOPPED or failed. Any thread; ask often, and while it waits
 * for a store too. */
bool job_stopping(const struct job *job);

/* Around whatever waits for others than this machine, or leaves it to others: meanwhile the step is
 * none of the `workers`, and another one computes. On the step's own thread, with no lock held, not
 * one in another; the end may have to wait for its place. A `job` of NULL is nobody's: nothing
 * happens. */
struct job_wait {
    struct job *job;
    struct job_wait *next;
    uint64_t since; /* monotonic microseconds */
};
void job_wait_begin(struct job *job, struct job_wait *wait);
void job_wait_end(struct job_wait *wait);

/* One round of maintenance: trims and clears what tables left behind, has the kinds do theirs,
 * takes up jobs that nobody told of. Goes on after failures; tells the first. */
bool jobs_maintain(struct jobs *jobs, struct err *err);

/* For tests: runs one step on this thread, without waiting for a retry's time; false if no job has
 * one. And: waits until no job is left (true) or `timeout_ms` is over. */
bool jobs_step(struct jobs *jobs);
bool jobs_wait(struct jobs *jobs, uint32_t timeout_ms);

/* Appends figures in Prometheus' text form. */
void jobs_metrics(struct jobs *jobs, struct buf *out);

#endif
