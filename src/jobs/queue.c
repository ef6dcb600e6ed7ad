/* jobs/queue.c - the queue of jobs and what becomes of their steps.
 *
 * A job goes through start, prepare, its parts, finish; or, once a step has failed for good, fail.
 * Threads take steps, not jobs: a worker takes the first step that is ready of the oldest job that
 * has one, so the parts of one job run side by side and the next job begins only where the older
 * ones leave a worker idle, fail, or wait for a store. Starters take the steps that must not queue
 * behind long parts: start and fail.
 *
 * Any step may wait long for a store that does not answer. So what is bounded is not threads
 * (jobs.c) but what steps take: of the processors (J4), of what one store can hold up (J5), of
 * memory (J6).
 *
 *  J1  Only `parts` of one job run side by side; every other step runs alone, and so do the parts
 *      of a job that has failed, or whose lane had to make room (J6), until one goes well again.
 *  J2  A job leaves the list when it has ended, or when not even its failure could be recorded; in
 *      the latter case its record is still there, and a round of maintenance takes it up again.
 *  J3  Nothing here must be right for a job to be right: what is in memory is a shadow of the
 *      records, and a job that is run twice finds its parts done.
 *  J4  At most `workers` steps compute. One that waits for a store lends its place to others; when
 *      the wait is over it has the next place that is free, ahead of steps that have not begun.
 *  J5  Of a lane at most `workers` steps have begun and not ended. So jobs whose store stands still
 *      hold up those of their own lane alone.
 *  J6  Of all lanes JOB_OPEN_MOST have. Where one more would begin, the job that has waited for its
 *      store the longest is set aside, if that is longer than its patience: its steps stop and are
 *      run again later. Its lane goes behind those that had to make room less often, and has twice
 *      the patience from then on, so a store that is only slow gets done.
 *  J7  A job that waits for another try of its parts holds nothing (the kind's rest()): it prepares
 *      again.
 *
 * Starters are outside of J4 to J6: what they run is short but for the store, and holds little.
 */
#include "jobs/queue.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

enum part_state {
    PART_WAITS,
    PART_RUNS,
    PART_DONE,
};

/* --- the list */

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

/* --- lanes: all with the lock held */

static struct lane *lane_enter(struct jobs *jobs, struct bytes name)
{
    struct lane *lane = jobs->lanes;

    while (lane != NULL && !bytes_equal(bytes_of(lane->name, lane->size), name))
        lane = lane->next;
    if (lane == NULL) {
        lane = calloc(1, sizeof *lane + name.size);
        assert(lane != NULL);
        lane->size = name.size;
        if (name.size > 0)
            memcpy(lane->name, name.data, name.size);
        lane->next = jobs->lanes;
        jobs->lanes = lane;
    }
    lane->jobs++;
    return lane;
}

static void lane_leave(struct jobs *jobs, struct lane *lane)
{
    struct lane **at = &jobs->lanes;

    if (lane == NULL || --lane->jobs > 0)
        return;
    assert(lane->open == 0);
    while (*at != lane)
        at = &(*at)->next;
    *at = lane->next;
    free(lane);
}

/* What a run holds may take a while to give back (a scratch store on disk), and whoever tells of a
 * new job must not wait for that: he may be the committer. So the lock is let go, and the entry,
 * whose only step seems to run still, stays in the list until nothing of it is left. */
void queue_drop(struct jobs *jobs, struct entry *entry)
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
    lane_leave(jobs, entry->lane);
    free(entry->part_states);
    free(entry);
    pthread_cond_broadcast(&jobs->changed);
}

bool job_stopping(const struct job *job)
{
    const struct entry *entry = (const struct entry *)job;

    return atomic_load(&entry->jobs->stopping) || atomic_load(&entry->failing) ||
           atomic_load(&entry->aside);
}

/* --- waits for a store */

static void wait_add(struct job_wait **list, struct job_wait *wait)
{
    while (*list != NULL)
        list = &(*list)->next;
    wait->next = NULL;
    *list = wait;
}

static void wait_remove(struct job_wait **list, const struct job_wait *wait)
{
    while (*list != wait)
        list = &(*list)->next;
    *list = wait->next;
}

static uint32_t computing_most(const struct jobs *jobs)
{
    return jobs->settings.workers > 0 ? jobs->settings.workers : 1;
}

void job_wait_begin(struct job *job, struct job_wait *wait)
{
    struct entry *entry = (struct entry *)job;

    wait->job = job;
    if (job == NULL)
        return;
    pthread_mutex_lock(&entry->jobs->lock);
    wait->since = clock_monotonic_micros();
    wait_add(&entry->waits, wait);
    if (!entry->urgent) {
        entry->lane->waiting++;
        entry->jobs->computing--;
        pthread_cond_broadcast(&entry->jobs->changed);
    }
    pthread_mutex_unlock(&entry->jobs->lock);
}

/* J4. Where all stops nobody waits for a place. */
static void compute_again(struct jobs *jobs, struct job_wait *wait)
{
    wait_add(&jobs->returning, wait);
    while (!jobs->stopping && (jobs->returning != wait || jobs->computing >= computing_most(jobs)))
        pthread_cond_wait(&jobs->changed, &jobs->lock);
    wait_remove(&jobs->returning, wait);
    jobs->computing++;
    pthread_cond_broadcast(&jobs->changed);
}

void job_wait_end(struct job_wait *wait)
{
    struct entry *entry = (struct entry *)wait->job;

    if (entry == NULL)
        return;
    pthread_mutex_lock(&entry->jobs->lock);
    wait_remove(&entry->waits, wait);
    if (!entry->urgent) {
        entry->lane->waiting--;
        compute_again(entry->jobs, wait);
    }
    pthread_mutex_unlock(&entry->jobs->lock);
}

/* --- steps: all with the lock held, but for the kind's own functions */

static uint32_t part_waiting(const struct entry *entry)
{
    uint32_t part = 0;

    while (part < entry->parts && entry->part_states[part] != PART_WAITS)
        part++;
    return part;
}

static uint32_t misfortunes(const struct entry *entry)
{
    return entry->failures + (entry->lane != NULL ? entry->lane->times_aside : 0);
}

/* The step of this job that may begin now. */
static enum step step_ready(struct entry *entry, uint32_t *part)
{
    if (entry->aside)
        return STEP_NONE;
    if (entry->failing)
        return entry->running == 0 ? STEP_FAIL : STEP_NONE;
    if (entry->step != STEP_PART)
        return entry->running == 0 ? entry->step : STEP_NONE;
    if (misfortunes(entry) > 0 && entry->running > 0)
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
    if (entry->part_states == NULL) {
        entry->part_states = calloc(parts, 1);
        assert(entry->part_states != NULL || parts == 0);
        entry->parts = parts;
    }
    assert(entry->parts == parts); /* also where it is prepared again (J7) */
    entry->step = entry->parts_done < parts ? STEP_PART : STEP_FINISH;
}

/* The job's place once a step went well. To be prepared again is not yet to have done better. */
static void advance(struct entry *entry, enum step step, uint32_t part)
{
    if (step != STEP_PREPARE || entry->part_states == NULL)
        entry->failures = 0;
    if (step == STEP_START) {
        entry->lane = lane_enter(entry->jobs, entry->job.lane);
        entry->step = STEP_PREPARE;
    }
    if (step == STEP_PART || step == STEP_FINISH)
        entry->lane->times_aside = 0;
    if (step == STEP_PREPARE)
        begin_parts(entry, part);
    if (step == STEP_PART) {
        entry->part_states[part] = PART_DONE;
        entry->parts_done++;
        if (entry->parts_done == entry->parts)
            entry->step = STEP_FINISH;
    }
}

#define RETRY_MS_MOST  60000
#define DOUBLINGS_MOST 16

static uint32_t doublings(uint32_t misfortunes)
{
    return misfortunes < DOUBLINGS_MOST ? misfortunes : DOUBLINGS_MOST;
}

/* Not before the wait that goes with so many misfortunes. */
static void postpone(struct entry *entry, uint32_t misfortunes)
{
    uint64_t delay_ms = (uint64_t)entry->jobs->settings.retry_ms << doublings(misfortunes);

    delay_ms = delay_ms < RETRY_MS_MOST ? delay_ms : RETRY_MS_MOST;
    entry->ready_at = clock_monotonic_micros() + delay_ms * 1000;
}

/* What a failure means: another try, the job's failure, or (if that could not be recorded) rest. */
static void suffer(struct entry *entry, enum step step, const struct err *err)
{
    uint32_t attempts_most =
        step == STEP_START && err->code == ERR_STORE ? JOB_STARTS_MOST : JOB_ATTEMPTS_MOST;

    if (entry->failing && step != STEP_FAIL)
        return;
    entry->failures++;
    bool again = step == STEP_FAIL || entry->kind->again(err);
    if (again && entry->failures < attempts_most) {
        postpone(entry, entry->failures - 1);
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

static bool is_urgent(enum step step)
{
    return step == STEP_START || step == STEP_FAIL;
}

static void step_begin(struct entry *entry, enum step step, uint32_t part)
{
    struct jobs *jobs = entry->jobs;

    if (step == STEP_START && entry->failures == 0)
        log_line("%s %.*s: starts", entry->kind->name, BYTES_ARGS(entry->job.name));
    if (step == STEP_PART)
        entry->part_states[part] = PART_RUNS;
    entry->running++;
    entry->urgent = is_urgent(step);
    if (entry->urgent)
        return;
    jobs->computing++;
    jobs->open++;
    entry->lane->open++;
}

static void step_end(struct entry *entry)
{
    entry->running--;
    if (entry->urgent)
        return;
    entry->jobs->computing--;
    entry->jobs->open--;
    entry->lane->open--;
}

/* J7. As in queue_drop(), the job's only step seems to run still. */
static void rest(struct jobs *jobs, struct entry *entry)
{
    if (entry->kind->rest == NULL || (entry->step != STEP_PREPARE && entry->step != STEP_PART))
        return;
    entry->running++;
    pthread_mutex_unlock(&jobs->lock);
    entry->kind->rest(entry->kind->context, &entry->job);
    pthread_mutex_lock(&jobs->lock);
    entry->running--;
    entry->step = STEP_PREPARE;
}

/* Once nothing of it runs, a job that failed or was set aside rests. */
static void settle(struct jobs *jobs, struct entry *entry, enum job_end end)
{
    if (entry->running > 0 || entry->failing || (!entry->aside && end != JOB_FAILED))
        return;
    rest(jobs, entry);
    if (entry->aside)
        postpone(entry, entry->lane->times_aside);
    entry->aside = false;
}

void queue_run(struct jobs *jobs, const struct choice *choice)
{
    struct entry *entry = choice->entry;
    enum step step = choice->step;
    uint32_t part = choice->part;
    struct err err = {0};

    step_begin(entry, step, part);
    pthread_mutex_unlock(&jobs->lock);
    enum job_end end = call(entry, step, &part, &err);
    pthread_mutex_lock(&jobs->lock);
    step_end(entry);
    if (end == JOB_FAILED && (jobs->stopping || entry->aside))
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
        queue_drop(jobs, entry);
    } else {
        settle(jobs, entry, end);
    }
    pthread_cond_broadcast(&jobs->changed);
}

/* --- which step is next */

/* Somebody waits for what the job's lane is named after; the lane without a name is nobody's. */
static bool is_awaited(const struct entry *entry)
{
    return entry->lane != NULL && entry->lane->size > 0 && entry->lane->waiting > 0;
}

/* `crew` NULL: jobs_step(), which takes any. */
static bool crew_takes(const struct crew *crew, const struct entry *entry, enum step step)
{
    if (step == STEP_NONE || (crew != NULL && crew->urgent != is_urgent(step)))
        return false;
    return is_urgent(step) || entry->lane->open < computing_most(entry->jobs); /* J5 */
}

/* Of two jobs in their order of age: jobs that had bad luck go last, and among equals those of a
 * lane in which nobody waits go first. So a store that stands still has one step try it before it
 * has more. */
static bool goes_before(const struct entry *younger, const struct entry *older)
{
    if (misfortunes(younger) != misfortunes(older))
        return misfortunes(younger) < misfortunes(older);
    return is_awaited(older) && !is_awaited(younger);
}

/* The first in line. If none is ready, when one will be (UINT64_MAX: not known). */
static struct choice choose(struct jobs *jobs, const struct crew *crew, uint64_t now,
                            uint64_t *next)
{
    struct choice choice = {.step = STEP_NONE};

    *next = UINT64_MAX;
    for (struct entry *entry = jobs->first; entry != NULL; entry = entry->next) {
        uint32_t part = 0;
        enum step step = step_ready(entry, &part);
        if (!crew_takes(crew, entry, step))
            continue;
        if (entry->ready_at > now)
            *next = entry->ready_at < *next ? entry->ready_at : *next;
        else if (choice.entry == NULL || goes_before(entry, choice.entry))
            choice = (struct choice){entry, step, part};
    }
    return choice;
}

static void set_aside(struct jobs *jobs, struct entry *entry)
{
    log_line("%s %.*s: set aside, since its store has not answered for %.1f s and others wait",
             entry->kind->name, BYTES_ARGS(entry->job.name),
             (double)(clock_monotonic_micros() - entry->waits->since) / 1e6);
    entry->aside = true;
    entry->lane->times_aside++;
    jobs->set_aside++;
}

static uint64_t patient_until(const struct entry *entry)
{
    uint64_t patience_ms = (uint64_t)entry->jobs->settings.patience_ms
                           << doublings(entry->lane->times_aside);

    return entry->waits->since + patience_ms * 1000;
}

/* J6. One at a time; for a job that had as much bad luck or less. Else tells when it will be time.
 */
static void make_room(struct jobs *jobs, const struct entry *wanting, uint64_t now, uint64_t *next)
{
    struct entry *chosen = NULL;

    for (struct entry *entry = jobs->first; entry != NULL; entry = entry->next) {
        if (entry->aside)
            return;
        if (entry->waits == NULL || entry->urgent || entry->failing ||
            misfortunes(entry) < misfortunes(wanting))
            continue;
        uint64_t until = patient_until(entry);
        if (until > now)
            *next = until < *next ? until : *next;
        else if (chosen == NULL || entry->waits->since < chosen->waits->since)
            chosen = entry;
    }
    if (chosen != NULL)
        set_aside(jobs, chosen);
}

/* Whether the step may begin; if not, something changes when it may, or `*next` comes. For a second
 * step of a lane that may stand still itself nobody is set aside. */
static bool has_room(struct jobs *jobs, const struct choice *choice, uint64_t now, uint64_t *next)
{
    if (is_urgent(choice->step))
        return true;
    if (jobs->returning != NULL || jobs->computing >= computing_most(jobs))
        return false;
    if (jobs->open < JOB_OPEN_MOST(jobs->settings.workers))
        return true;
    if (!is_awaited(choice->entry))
        make_room(jobs, choice->entry, now, next);
    return false;
}

struct choice queue_choose(struct jobs *jobs, const struct crew *crew, uint64_t now, uint64_t *next)
{
    struct choice choice = choose(jobs, crew, now, next);

    if (choice.entry != NULL && !has_room(jobs, &choice, now, next))
        choice.entry = NULL;
    return choice;
}
