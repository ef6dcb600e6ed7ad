/* jobs/jobs.c - the threads that run the steps of jobs, in the order that the queue has (queue.c).
 *
 * Since any step may wait long for a store, threads are made as they are needed: whichever takes a
 * step leaves another one idle, which takes the next. One more thread does maintenance. */
#include "jobs/jobs.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/share.h"
#include "jobs/queue.h"

struct jobs *jobs_new(const struct jobs_settings *settings)
{
    struct jobs *jobs = calloc(1, sizeof *jobs);
    pthread_condattr_t attributes;

    assert(jobs != NULL && settings->workers <= JOB_WORKERS_MOST);
    jobs->settings = *settings;
    jobs->last = &jobs->first;
    jobs->starters = (struct crew){.jobs = jobs, .urgent = true, .most = JOB_STARTERS_MOST};
    jobs->workers = (struct crew){.jobs = jobs, .most = JOB_OPEN_MOST(settings->workers) + 1};
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&jobs->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return jobs;
}

void jobs_register(struct jobs *jobs, const struct job_kind *kind)
{
    assert(jobs->kind_count < JOB_KINDS_MOST && !jobs->maintained);
    jobs->kinds[jobs->kind_count++] = kind;
}

/* --- threads */

static void *thread_run(void *context);

/* Where the system has no more threads to give, it is left at those that are. */
static void crew_grow(struct crew *crew)
{
    pthread_t thread;

    if (crew->threads == crew->most || crew->jobs->stopping ||
        pthread_create(&thread, NULL, thread_run, crew) != 0)
        return;
    pthread_detach(thread);
    crew->threads++;
    crew->idle++;
}

/* Runs one step that is ready; else tells when to look again. */
static bool run_any(struct jobs *jobs, struct crew *crew, uint64_t now, uint64_t *next)
{
    struct choice choice = queue_choose(jobs, crew, now, next);

    if (choice.entry == NULL)
        return false;
    if (crew != NULL && --crew->idle == 0)
        crew_grow(crew);
    queue_run(jobs, &choice);
    if (crew != NULL)
        crew->idle++;
    return true;
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
static void *thread_run(void *context)
{
    struct crew *crew = context;
    struct jobs *jobs = crew->jobs;
    uint64_t next;

    pthread_mutex_lock(&jobs->lock);
    if (!crew->urgent && !crew->shared)
        share_set(jobs->settings.share != 0 ? jobs->settings.share : SHARE_MOST);
    crew->shared = true;
    while (!jobs->stopping && crew->idle == 1)
        if (!run_any(jobs, crew, clock_monotonic_micros(), &next))
            wait_until(jobs, next);
    crew->threads--;
    crew->idle--;
    pthread_cond_broadcast(&jobs->changed);
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

bool jobs_start(struct jobs *jobs, struct err *err)
{
    for (uint32_t i = 0; i < jobs->kind_count; i++)
        if (!resume_kind(jobs, jobs->kinds[i], err))
            return false;
    if (jobs->settings.workers == 0)
        return true;
    jobs->maintained = pthread_create(&jobs->maintainer, NULL, thread_maintain, jobs) == 0;
    pthread_mutex_lock(&jobs->lock);
    crew_grow(&jobs->starters);
    crew_grow(&jobs->workers);
    assert(jobs->maintained && jobs->starters.threads > 0 && jobs->workers.threads > 0);
    pthread_mutex_unlock(&jobs->lock);
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
    if (jobs->maintained)
        pthread_join(jobs->maintainer, NULL);
    jobs->maintained = false;
    pthread_mutex_lock(&jobs->lock);
    while (jobs->starters.threads + jobs->workers.threads > 0)
        pthread_cond_wait(&jobs->changed, &jobs->lock);
    while (jobs->first != NULL)
        queue_drop(jobs, jobs->first);
    pthread_mutex_unlock(&jobs->lock);
}

void jobs_free(struct jobs *jobs)
{
    if (jobs == NULL)
        return;
    assert(!jobs->maintained && jobs->first == NULL && jobs->lanes == NULL);
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
    bool ran = run_any(jobs, NULL, UINT64_MAX, &next);
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

static uint32_t waits_count(const struct entry *entry)
{
    uint32_t count = 0;

    for (const struct job_wait *wait = entry->waits; wait != NULL; wait = wait->next)
        count++;
    return count;
}

void jobs_metrics(struct jobs *jobs, struct buf *out)
{
    uint64_t unfinished = 0, running = 0, waiting = 0;

    pthread_mutex_lock(&jobs->lock);
    for (const struct entry *entry = jobs->first; entry != NULL; entry = entry->next) {
        unfinished++;
        running += entry->running;
        waiting += waits_count(entry);
    }
    buf_printf(out,
               "# TYPE gramme_jobs_unfinished gauge\ngramme_jobs_unfinished %llu\n"
               "# TYPE gramme_job_steps_running gauge\ngramme_job_steps_running %llu\n"
               "# TYPE gramme_job_steps_waiting gauge\ngramme_job_steps_waiting %llu\n"
               "# TYPE gramme_jobs_completed_total counter\ngramme_jobs_completed_total %llu\n"
               "# TYPE gramme_jobs_failed_total counter\ngramme_jobs_failed_total %llu\n"
               "# TYPE gramme_jobs_set_aside_total counter\ngramme_jobs_set_aside_total %llu\n",
               (unsigned long long)unfinished, (unsigned long long)running,
               (unsigned long long)waiting, (unsigned long long)jobs->completed,
               (unsigned long long)jobs->failed, (unsigned long long)jobs->set_aside);
    pthread_mutex_unlock(&jobs->lock);
}
