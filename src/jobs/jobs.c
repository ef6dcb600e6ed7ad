/* jobs/jobs.c - the queue of jobs and the threads that run their steps.
 *
 * A job goes through start, prepare, its parts, finish; or, once a step has failed for good, fail.
 * Threads take steps, not jobs: a worker takes the first step that is ready of the oldest job that
 * has one, so the parts of one job run side by side and the next job begins only where the older
 * ones leave a worker idle, or fail. Starters take the steps that must not queue behind long parts:
 * start and fail. These may wait long for a store that does not answer, so whichever starter takes
 * one leaves another one idle, which takes the next. One more thread does maintenance.
 *
 *  J1  Only `parts` of one job run side by side; every other step runs alone, and so do the parts
 *      of a job while it fails, so that one which waits for a store that stands still does not
 *      hold all workers.
 *  J2  A job leaves the list when it has ended, or when not even its failure could be recorded; in
 *      the latter case its record is still there, and a round of maintenance takes it up again.
 *  J3  Nothing here must be right for a job to be right: what is in memory is a shadow of the
 *      records, and a job that is run twice finds its parts done.
 */
#include "jobs/jobs.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/share.h"
#include "jobs/record.h"

enum step {
    STEP_START,
    STEP_PREPARE,
    STEP_PART,
    STEP_FINISH,
    STEP_FAIL,
    STEP_NONE,
};

enum part_state {
    PART_WAITS,
    PART_RUNS,
    PART_DONE,
};

struct entry {
    struct job job; /* first: job_stopping() goes from it to the entry */
    struct jobs *jobs;
    const struct job_kind *kind;
    struct entry *next;
    enum step step; /* the next, or the one that runs */
    uint32_t running;
    uint32_t parts, parts_done;
    uint8_t *part_states; /* of enum part_state */
    uint32_t failures;    /* in a row */
    uint64_t ready_at;    /* monotonic microseconds: not before */
    uint64_t began_at;
    _Atomic bool failing; /* `why` is set; parts that run must end */
    struct err why;
    uint8_t name[];
};

struct jobs {
    struct jobs_settings settings;
    const struct job_kind *kinds[JOB_KINDS_MOST];
    uint32_t kind_count;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    struct entry *first, **last;
    _Atomic bool stopping;
    uint64_t completed, failed;
    pthread_t threads[JOB_WORKERS_MOST + 1];
    uint32_t thread_count;
    uint32_t starters, starters_idle; /* threads beside those, which end by themselves */
};

/* --- records */

static struct bytes job_prefix(struct arena *arena, const char *kind)
{
    struct buf key;

    buf_init_in(&key, arena);
    buf_put_u8(&key, RECORD_JOB);
    buf_put(&key, kind, strlen(kind) + 1);
    return buf_bytes(&key);
}

static struct bytes job_key(struct arena *arena, const char *kind, struct bytes name)
{
    struct buf key;

    buf_init_in(&key, arena);
    buf_put_bytes(&key, job_prefix(arena, kind));
    buf_put_bytes(&key, name);
    return buf_bytes(&key);
}

static struct bytes turn_key(struct arena *arena, const char *kind)
{
    return record_key(arena, RECORD_TURN, bytes_of_text(kind));
}

void job_put(struct engine_batch *batch, const struct engine *engine, const char *kind,
             struct bytes name, struct bytes turn)
{
    struct item_maker maker;

    item_begin(&maker, batch->arena);
    struct bytes nothing = item_finish(&maker);
    record_put(batch, engine, job_key(batch->arena, kind, name), BYTES_NONE, nothing);
    record_put(batch, engine, turn_key(batch->arena, kind), turn, nothing);
}

void job_remove(struct engine_batch *batch, const char *kind, struct bytes name)
{
    batch_delete(batch, SPACE_CATALOG, job_key(batch->arena, kind, name));
}

struct listing {
    void (*take)(void *context, struct bytes name);
    void *context;
    size_t prefix_size;
};

static bool listing_visit(void *context, struct bytes key, struct bytes value)
{
    struct listing *listing = context;

    (void)value;
    listing->take(listing->context, bytes_from(key, listing->prefix_size));
    return true;
}

bool jobs_each(struct engine *engine, const char *kind,
               void (*take)(void *context, struct bytes name), void *context, struct err *err)
{
    struct listing listing = {.take = take, .context = context};
    struct arena arena;

    arena_init(&arena);
    struct bytes prefix = job_prefix(&arena, kind);
    struct engine_scan scan = {
        .space = SPACE_CATALOG,
        .from = prefix,
        .to = record_key_after(&arena, prefix),
        .visit = listing_visit,
        .context = &listing,
    };
    listing.prefix_size = prefix.size;
    enum scan_end end = engine_scan_all(engine, &scan, err);
    arena_release(&arena);
    return end != SCAN_FAILED;
}

bool jobs_turn(struct engine *engine, const char *kind, struct arena *arena, struct bytes *turn,
               struct err *err)
{
    struct record record;

    if (!record_get(engine, turn_key(arena, kind), arena, &record, err))
        return false;
    *turn = record.stamp;
    return true;
}

/* --- the list */

struct jobs *jobs_new(const struct jobs_settings *settings)
{
    struct jobs *jobs = calloc(1, sizeof *jobs);
    pthread_condattr_t attributes;

    assert(jobs != NULL && settings->workers <= JOB_WORKERS_MOST);
    jobs->settings = *settings;
    jobs->last = &jobs->first;
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&jobs->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return jobs;
}

void jobs_register(struct jobs *jobs, const struct job_kind *kind)
{
    assert(jobs->kind_count < JOB_KINDS_MOST && jobs->thread_count == 0);
    jobs->kinds[jobs->kind_count++] = kind;
}

static bool is_listed(const struct jobs *jobs, const struct job_kind *kind, struct bytes name)
{
    for (const struct entry *entry = jobs->first; entry != NULL; entry = entry->next)
        if (entry->kind == kind && bytes_equal(entry->job.name, name))
            return true;
    return false;
}

void jobs_add(struct jobs *jobs, const struct job_kind *kind, struct bytes name)
{
    struct entry *entry = calloc(1, sizeof *entry + name.size);

    assert(entry != NULL);
    memcpy(entry->name, name.data, name.size);
    entry->job.name = bytes_of(entry->name, name.size);
    entry->jobs = jobs;
    entry->kind = kind;
    entry->began_at = clock_monotonic_micros();
    pthread_mutex_lock(&jobs->lock);
    if (jobs->stopping || is_listed(jobs, kind, name)) {
        free(entry);
    } else {
        *jobs->last = entry;
        jobs->last = &entry->next;
        pthread_cond_broadcast(&jobs->changed);
    }
    pthread_mutex_unlock(&jobs->lock);
}

/* What a run holds may take a while to give back (a scratch store on disk), and whoever tells of a
 * new job must not wait for that: he may be the committer. So the lock is let go, and the entry,
 * whose only step seems to run still, stays in the list until nothing of it is left. */
static void drop(struct jobs *jobs, struct entry *entry)
{
    struct entry **at = &jobs->first;

    assert(entry->running == 0);
    entry->running++;
    pthread_mutex_unlock(&jobs->lock);
    entry->kind->release(entry->kind->context, &entry->job);
    pthread_mutex_lock(&jobs->lock);
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    if (jobs->last == &entry->next)
        jobs->last = at;
    free(entry->part_states);
    free(entry);
    pthread_cond_broadcast(&jobs->changed);
}

bool job_stopping(const struct job *job)
{
    const struct entry *entry = (const struct entry *)job;

    return atomic_load(&entry->jobs->stopping) || atomic_load(&entry->failing);
}

/* --- steps: all with the lock held, but for the kind's own functions */

static uint32_t part_waiting(const struct entry *entry)
{
    uint32_t part = 0;

    while (part < entry->parts && entry->part_states[part] != PART_WAITS)
        part++;
    return part;
}

/* The step of this job that may begin now. */
static enum step step_ready(struct entry *entry, uint32_t *part)
{
    if (entry->failing)
        return entry->running == 0 ? STEP_FAIL : STEP_NONE;
    if (entry->step != STEP_PART)
        return entry->running == 0 ? entry->step : STEP_NONE;
    if (entry->failures > 0 && entry->running > 0)
        return STEP_NONE;
    *part = part_waiting(entry);
    return *part < entry->parts ? STEP_PART : STEP_NONE;
}

static void log_job(const struct entry *entry, const char *what)
{
    log_line("%s %.*s: %s after %.1f s", entry->kind->name, BYTES_ARGS(entry->job.name), what,
             (double)(clock_monotonic_micros() - entry->began_at) / 1e6);
}

static void begin_parts(struct entry *entry, uint32_t parts)
{
    free(entry->part_states);
    entry->part_states = calloc(parts, 1);
    assert(entry->part_states != NULL || parts == 0);
    entry->parts = parts;
    entry->parts_done = 0;
    entry->step = parts > 0 ? STEP_PART : STEP_FINISH;
}

/* The job's place once a step went well. */
static void advance(struct entry *entry, enum step step, uint32_t part)
{
    entry->failures = 0;
    if (step == STEP_START)
        entry->step = STEP_PREPARE;
    if (step == STEP_PREPARE)
        begin_parts(entry, part);
    if (step == STEP_PART) {
        entry->part_states[part] = PART_DONE;
        entry->parts_done++;
        if (entry->parts_done == entry->parts)
            entry->step = STEP_FINISH;
    }
}

#define RETRY_MS_MOST 60000

/* What a failure means: another try, the job's failure, or (if that could not be recorded) rest. */
static void suffer(struct entry *entry, enum step step, const struct err *err)
{
    uint64_t delay_ms = (uint64_t)entry->jobs->settings.retry_ms << entry->failures;
    uint32_t attempts_most =
        step == STEP_START && err->code == ERR_STORE ? JOB_STARTS_MOST : JOB_ATTEMPTS_MOST;

    if (entry->failing && step != STEP_FAIL)
        return;
    entry->failures++;
    bool again = step == STEP_FAIL || entry->kind->again(err);
    if (again && entry->failures < attempts_most) {
        delay_ms = delay_ms < RETRY_MS_MOST ? delay_ms : RETRY_MS_MOST;
        entry->ready_at = clock_monotonic_micros() + delay_ms * 1000;
        log_line("%s %.*s: try %u: %s", entry->kind->name, BYTES_ARGS(entry->job.name),
                 entry->failures, err->message);
        return;
    }
    if (step == STEP_FAIL) {
        log_line("%s %.*s: its failure could not be recorded: %s", entry->kind->name,
                 BYTES_ARGS(entry->job.name), err->message);
        return;
    }
    entry->why = *err;
    entry->failures = 0;
    entry->ready_at = 0;
    entry->failing = true;
}

static enum job_end call(struct entry *entry, enum step step, uint32_t *part, struct err *err)
{
    const struct job_kind *kind = entry->kind;

    switch (step) {
    case STEP_START:
        return kind->start(kind->context, &entry->job, err);
    case STEP_PREPARE:
        return kind->prepare(kind->context, &entry->job, part, err);
    case STEP_PART:
        return kind->part(kind->context, &entry->job, *part, err);
    case STEP_FINISH:
        return kind->finish(kind->context, &entry->job, err);
    default:
        return kind->fail(kind->context, &entry->job, &entry->why, err);
    }
}

/* A job is over: with its last step, or because not even its failure could be recorded. */
static bool is_over(const struct entry *entry, enum step step, enum job_end end)
{
    if (end == JOB_FAILED)
        return step == STEP_FAIL && entry->failures >= JOB_ATTEMPTS_MOST;
    return end == JOB_ENDED || (end == JOB_DONE && (step == STEP_FINISH || step == STEP_FAIL));
}

static void tell_end(struct jobs *jobs, const struct entry *entry, enum step step)
{
    if (step == STEP_FAIL) {
        jobs->failed++;
        log_line("%s %.*s: failed: %s%s%s", entry->kind->name, BYTES_ARGS(entry->job.name),
                 entry->why.reason, entry->why.reason[0] != '\0' ? ": " : "", entry->why.message);
    } else {
        jobs->completed++;
        log_job(entry, "completed");
    }
}

static void run_step(struct jobs *jobs, struct entry *entry, enum step step, uint32_t part)
{
    struct err err = {0};

    if (step == STEP_START && entry->failures == 0)
        log_line("%s %.*s: starts", entry->kind->name, BYTES_ARGS(entry->job.name));
    if (step == STEP_PART)
        entry->part_states[part] = PART_RUNS;
    entry->running++;
    pthread_mutex_unlock(&jobs->lock);
    enum job_end end = call(entry, step, &part, &err);
    pthread_mutex_lock(&jobs->lock);
    entry->running--;
    if (end == JOB_FAILED && jobs->stopping)
        end = JOB_STOPPED;
    assert(step != STEP_PART || end != JOB_ENDED);

    if (step == STEP_PART && end != JOB_DONE)
        entry->part_states[part] = PART_WAITS;
    if (end == JOB_DONE)
        advance(entry, step, part);
    if (end == JOB_FAILED)
        suffer(entry, step, &err);
    if (is_over(entry, step, end)) {
        if (end == JOB_DONE)
            tell_end(jobs, entry, step);
        drop(jobs, entry);
    }
    pthread_cond_broadcast(&jobs->changed);
}

/* --- threads */

enum role {
    ROLE_STARTER,
    ROLE_WORKER,
    ROLE_BOTH, /* jobs_step() */
};

static bool role_takes(enum role role, enum step step)
{
    bool urgent = step == STEP_START || step == STEP_FAIL;

    return step != STEP_NONE && (role == ROLE_BOTH || urgent == (role == ROLE_STARTER));
}

static void *thread_start(void *context);

/* Where the system has no more threads to give, it is left at those that are. */
static void make_starter(struct jobs *jobs)
{
    pthread_t thread;

    if (jobs->starters == JOB_STARTERS_MOST || jobs->stopping ||
        pthread_create(&thread, NULL, thread_start, jobs) != 0)
        return;
    pthread_detach(thread);
    jobs->starters++;
    jobs->starters_idle++;
}

/* A starter leaves another one idle. */
static void run_as(struct jobs *jobs, enum role role, struct entry *entry, enum step step,
                   uint32_t part)
{
    bool starter = role == ROLE_STARTER;

    if (starter && --jobs->starters_idle == 0)
        make_starter(jobs);
    run_step(jobs, entry, step, part);
    jobs->starters_idle += starter;
}

/* Runs one step that is ready; else tells when the next will be (UINT64_MAX: not known). Of the
 * jobs that have failed least, so that those which wait for a store that stands still go last. */
static bool run_any(struct jobs *jobs, enum role role, uint64_t now, uint64_t *next)
{
    struct entry *chosen = NULL;
    enum step chosen_step = STEP_NONE;
    uint32_t chosen_part = 0;

    *next = UINT64_MAX;
    for (struct entry *entry = jobs->first; entry != NULL; entry = entry->next) {
        uint32_t part = 0;
        enum step step = step_ready(entry, &part);
        if (!role_takes(role, step))
            continue;
        if (entry->ready_at > now) {
            *next = entry->ready_at < *next ? entry->ready_at : *next;
        } else if (chosen == NULL || entry->failures < chosen->failures) {
            chosen = entry;
            chosen_step = step;
            chosen_part = part;
        }
    }
    if (chosen != NULL)
        run_as(jobs, role, chosen, chosen_step, chosen_part);
    return chosen != NULL;
}

static void wait_until(struct jobs *jobs, uint64_t micros)
{
    struct timespec time = {
        .tv_sec = (time_t)(micros / SECOND_MICROS),
        .tv_nsec = (long)(micros % SECOND_MICROS) * 1000,
    };

    if (micros == UINT64_MAX)
        pthread_cond_wait(&jobs->changed, &jobs->lock);
    else
        pthread_cond_timedwait(&jobs->changed, &jobs->lock, &time);
}

/* Ends when another one is idle too. */
static void *thread_start(void *context)
{
    struct jobs *jobs = context;
    uint64_t next;

    pthread_mutex_lock(&jobs->lock);
    while (!jobs->stopping && jobs->starters_idle == 1)
        if (!run_any(jobs, ROLE_STARTER, clock_monotonic_micros(), &next))
            wait_until(jobs, next);
    jobs->starters--;
    jobs->starters_idle--;
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
    return NULL;
}

static void *thread_work(void *context)
{
    struct jobs *jobs = context;
    uint64_t next;

    share_set(jobs->settings.share != 0 ? jobs->settings.share : SHARE_MOST);
    pthread_mutex_lock(&jobs->lock);
    while (!jobs->stopping)
        if (!run_any(jobs, ROLE_WORKER, clock_monotonic_micros(), &next))
            wait_until(jobs, next);
    pthread_mutex_unlock(&jobs->lock);
    return NULL;
}

static void *thread_maintain(void *context)
{
    struct jobs *jobs = context;
    uint64_t next = clock_monotonic_micros();
    struct err err;

    pthread_mutex_lock(&jobs->lock);
    while (!jobs->stopping) {
        next += (uint64_t)jobs->settings.tick_ms * 1000;
        while (!jobs->stopping && clock_monotonic_micros() < next)
            wait_until(jobs, next);
        pthread_mutex_unlock(&jobs->lock);
        if (!jobs->stopping && !jobs_maintain(jobs, &err))
            log_line("maintenance: %s", err.message);
        pthread_mutex_lock(&jobs->lock);
    }
    pthread_mutex_unlock(&jobs->lock);
    return NULL;
}

struct resume {
    struct jobs *jobs;
    const struct job_kind *kind;
};

static void resume_one(void *context, struct bytes name)
{
    const struct resume *resume = context;

    jobs_add(resume->jobs, resume->kind, name);
}

static bool resume_kind(struct jobs *jobs, const struct job_kind *kind, struct err *err)
{
    struct resume resume = {jobs, kind};

    if (kind->each != NULL)
        return kind->each(kind->context, resume_one, &resume, err);
    return jobs_each(tables_engine(jobs->settings.tables), kind->name, resume_one, &resume, err);
}

static void spawn(struct jobs *jobs, void *(*main)(void *))
{
    int failed = pthread_create(&jobs->threads[jobs->thread_count], NULL, main, jobs);

    assert(failed == 0);
    jobs->thread_count++;
}

bool jobs_start(struct jobs *jobs, struct err *err)
{
    for (uint32_t i = 0; i < jobs->kind_count; i++)
        if (!resume_kind(jobs, jobs->kinds[i], err))
            return false;
    if (jobs->settings.workers == 0)
        return true;
    pthread_mutex_lock(&jobs->lock);
    make_starter(jobs);
    assert(jobs->starters > 0);
    pthread_mutex_unlock(&jobs->lock);
    spawn(jobs, thread_maintain);
    for (uint32_t i = 0; i < jobs->settings.workers; i++)
        spawn(jobs, thread_work);
    return true;
}

void jobs_stop(struct jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    jobs->stopping = true;
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
    for (uint32_t i = 0; i < jobs->kind_count; i++)
        if (jobs->kinds[i]->interrupt != NULL)
            jobs->kinds[i]->interrupt(jobs->kinds[i]->context);
    for (uint32_t i = 0; i < jobs->thread_count; i++)
        pthread_join(jobs->threads[i], NULL);
    jobs->thread_count = 0;
    pthread_mutex_lock(&jobs->lock);
    while (jobs->starters > 0)
        pthread_cond_wait(&jobs->changed, &jobs->lock);
    while (jobs->first != NULL)
        drop(jobs, jobs->first);
    pthread_mutex_unlock(&jobs->lock);
}

void jobs_free(struct jobs *jobs)
{
    if (jobs == NULL)
        return;
    assert(jobs->thread_count == 0 && jobs->first == NULL);
    pthread_cond_destroy(&jobs->changed);
    pthread_mutex_destroy(&jobs->lock);
    free(jobs);
}

bool jobs_maintain(struct jobs *jobs, struct err *err)
{
    struct err reason;
    bool ok = tables_maintain(jobs->settings.tables, err);

    for (uint32_t i = 0; i < jobs->kind_count; i++) {
        const struct job_kind *kind = jobs->kinds[i];
        bool kept = kind->maintain == NULL || kind->maintain(kind->context, &reason);
        bool resumed = kept && resume_kind(jobs, kind, &reason);
        if (!resumed && ok)
            *err = reason;
        ok = ok && resumed;
    }
    return ok;
}

bool jobs_step(struct jobs *jobs)
{
    uint64_t next;

    pthread_mutex_lock(&jobs->lock);
    bool ran = run_any(jobs, ROLE_BOTH, UINT64_MAX, &next);
    pthread_mutex_unlock(&jobs->lock);
    return ran;
}

bool jobs_wait(struct jobs *jobs, uint32_t timeout_ms)
{
    uint64_t until = clock_monotonic_micros() + (uint64_t)timeout_ms * 1000;

    pthread_mutex_lock(&jobs->lock);
    while (jobs->first != NULL && clock_monotonic_micros() < until)
        wait_until(jobs, until);
    bool idle = jobs->first == NULL;
    pthread_mutex_unlock(&jobs->lock);
    return idle;
}

void jobs_metrics(struct jobs *jobs, struct buf *out)
{
    uint64_t unfinished = 0, running = 0;

    pthread_mutex_lock(&jobs->lock);
    for (const struct entry *entry = jobs->first; entry != NULL; entry = entry->next) {
        unfinished++;
        running += entry->running;
    }
    buf_printf(out,
               "# TYPE gramme_jobs_unfinished gauge\ngramme_jobs_unfinished %llu\n"
               "# TYPE gramme_job_steps_running gauge\ngramme_job_steps_running %llu\n"
               "# TYPE gramme_jobs_completed_total counter\ngramme_jobs_completed_total %llu\n"
               "# TYPE gramme_jobs_failed_total counter\ngramme_jobs_failed_total %llu\n",
               (unsigned long long)unfinished, (unsigned long long)running,
               (unsigned long long)jobs->completed, (unsigned long long)jobs->failed);
    pthread_mutex_unlock(&jobs->lock);
}
