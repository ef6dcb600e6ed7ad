/* test/unit/jobs.c - the queue of jobs: order of steps, tries, failures, and what a restart takes
 * up again. */
#include "support/check.h"
#include "support/database.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/log.h"
#include "jobs/jobs.h"
#include "jobs/record.h"

/* A kind whose steps write down that they ran, as letters, and fail as they are told. */
struct toy {
    struct database database;
    struct jobs *jobs;
    struct job_kind kind;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    struct buf steps;
    char fail_at;          /* the step's letter */
    uint32_t fail_times;   /* how often */
    enum err_code fail_as; /* ERR_VALIDATION: not worth another try */
    bool holds;            /* parts that do not fail wait until they are to stop, or released */
    bool holds_starts;     /* the same of starts of jobs whose names begin with "held" */
    bool store_stands;     /* parts of jobs whose names begin with "wait" wait for a store */
    uint32_t rests;
    uint32_t share;
    int nice_least, nice_most; /* of threads that ran parts */
    enum err_code why;         /* what fail() was told */
};

static enum job_end step(struct toy *toy, char letter, struct err *err)
{
    enum job_end end = JOB_DONE;

    pthread_mutex_lock(&toy->lock);
    buf_put_u8(&toy->steps, (uint8_t)letter);
    if (toy->fail_at == letter && toy->fail_times > 0) {
        toy->fail_times--;
        err_fail(err, toy->fail_as, "step %c", letter);
        end = JOB_FAILED;
    }
    pthread_cond_broadcast(&toy->changed);
    pthread_mutex_unlock(&toy->lock);
    return end;
}

static enum job_end toy_start(void *context, struct job *job, struct err *err)
{
    struct toy *toy = context;

    pthread_mutex_lock(&toy->lock);
    while (toy->holds_starts && bytes_begin(job->name, BYTES("held")) && !job_stopping(job))
        pthread_cond_wait(&toy->changed, &toy->lock);
    pthread_mutex_unlock(&toy->lock);
    const uint8_t *dot = memchr(job->name.data, '.', job->name.size);
    if (dot != NULL)
        job->lane = bytes_of(job->name.data, (size_t)(dot - job->name.data));
    return step(context, 's', err);
}

static enum job_end toy_prepare(void *context, struct job *job, uint32_t *parts, struct err *err)
{
    (void)job;
    *parts = 3;
    return step(context, 'p', err);
}

/* As a store does, asks now and then whether it is to stop. */
static bool wait_for_store(struct toy *toy, struct job *job)
{
    struct job_wait wait;
    struct timespec look;

    job_wait_begin(job, &wait);
    pthread_mutex_lock(&toy->lock);
    while (toy->store_stands && !job_stopping(job)) {
        uint64_t micros = clock_monotonic_micros() + 10000;
        look.tv_sec = (time_t)(micros / SECOND_MICROS);
        look.tv_nsec = (long)(micros % SECOND_MICROS) * 1000;
        pthread_cond_timedwait(&toy->changed, &toy->lock, &look);
    }
    pthread_mutex_unlock(&toy->lock);
    job_wait_end(&wait);
    return !job_stopping(job);
}

static enum job_end toy_part(void *context, struct job *job, uint32_t part, struct err *err)
{
    struct toy *toy = context;
    enum job_end end = step(toy, (char)('0' + part), err);
    int nice = getpriority(PRIO_PROCESS, 0); /* this thread's */

    pthread_mutex_lock(&toy->lock);
    toy->nice_least = nice < toy->nice_least ? nice : toy->nice_least;
    toy->nice_most = nice > toy->nice_most ? nice : toy->nice_most;
    if (toy->store_stands && bytes_begin(job->name, BYTES("wait"))) {
        pthread_mutex_unlock(&toy->lock);
        return wait_for_store(toy, job) ? step(toy, 'w', err) : JOB_FAILED;
    }
    while (toy->holds && end == JOB_DONE && !job_stopping(job))
        pthread_cond_wait(&toy->changed, &toy->lock);
    pthread_mutex_unlock(&toy->lock);
    return job_stopping(job) && end == JOB_DONE ? JOB_STOPPED : end;
}

static enum job_end toy_remove(struct toy *toy, struct job *job, struct err *err)
{
    struct engine_batch batch;
    struct arena arena;

    arena_init(&arena);
    batch_init(&batch, &arena);
    job_remove(&batch, "toy", job->name);
    bool ok = committer_commit(toy->database.committer, &batch, err);
    arena_release(&arena);
    return ok ? JOB_DONE : JOB_FAILED;
}

static enum job_end toy_finish(void *context, struct job *job, struct err *err)
{
    enum job_end end = step(context, 'f', err);

    return end == JOB_DONE ? toy_remove(context, job, err) : end;
}

static enum job_end toy_fail(void *context, struct job *job, const struct err *why, struct err *err)
{
    struct toy *toy = context;
    enum job_end end = step(toy, 'x', err);

    toy->why = why->code;
    return end == JOB_DONE ? toy_remove(toy, job, err) : end;
}

static bool toy_again(const struct err *err)
{
    return err->code == ERR_STORAGE || err->code == ERR_STORE;
}

static void toy_rest(void *context, struct job *job)
{
    struct toy *toy = context;

    (void)job;
    pthread_mutex_lock(&toy->lock);
    toy->rests++;
    pthread_mutex_unlock(&toy->lock);
}

static void toy_release(void *context, struct job *job)
{
    (void)context, (void)job;
}

static void toy_interrupt(void *context)
{
    struct toy *toy = context;

    pthread_mutex_lock(&toy->lock);
    pthread_cond_broadcast(&toy->changed);
    pthread_mutex_unlock(&toy->lock);
}

static void quiet(void *context, const char *line)
{
    (void)context, (void)line;
}

static void jobs_open(struct toy *toy, uint32_t workers)
{
    struct jobs_settings settings = {.tables = toy->database.tables,
                                     .workers = workers,
                                     .tick_ms = 3600000,
                                     .share = toy->share};
    struct err err;

    toy->jobs = jobs_new(&settings);
    jobs_register(toy->jobs, &toy->kind);
    assert_true(jobs_start(toy->jobs, &err));
}

static void jobs_reopen(struct toy *toy, uint32_t workers)
{
    jobs_stop(toy->jobs);
    jobs_free(toy->jobs);
    jobs_open(toy, workers);
}

static int setup(void **state)
{
    struct toy *toy = calloc(1, sizeof *toy);
    pthread_condattr_t monotonic;

    log_to(quiet, NULL);
    database_open(&toy->database, engine_open_memory(&(struct memory_settings){.snapshots = true}));
    toy->kind = (struct job_kind){
        .name = "toy",
        .context = toy,
        .start = toy_start,
        .prepare = toy_prepare,
        .part = toy_part,
        .finish = toy_finish,
        .fail = toy_fail,
        .again = toy_again,
        .release = toy_release,
        .interrupt = toy_interrupt,
    };
    pthread_mutex_init(&toy->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&toy->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    buf_init(&toy->steps);
    jobs_open(toy, 0);
    *state = toy;
    return 0;
}

static int teardown(void **state)
{
    struct toy *toy = *state;

    jobs_stop(toy->jobs);
    jobs_free(toy->jobs);
    database_close(&toy->database);
    buf_release(&toy->steps);
    pthread_cond_destroy(&toy->changed);
    pthread_mutex_destroy(&toy->lock);
    free(toy);
    log_to(NULL, NULL);
    return 0;
}

static void accept(struct toy *toy, const char *name)
{
    struct engine_batch batch;
    struct arena arena;
    struct bytes turn;
    struct err err;

    arena_init(&arena);
    batch_init(&batch, &arena);
    assert_true(jobs_turn(toy->database.engine, "toy", &arena, &turn, &err));
    job_put(&batch, toy->database.engine, "toy", bytes_of_text(name), turn);
    assert_true(committer_commit(toy->database.committer, &batch, &err));
    arena_release(&arena);
}

static void run_all(struct toy *toy)
{
    while (jobs_step(toy->jobs))
        ;
}

static void count_job(void *context, struct bytes name)
{
    (void)name;
    ++*(uint32_t *)context;
}

static uint32_t unfinished(struct toy *toy)
{
    uint32_t count = 0;
    struct err err;

    assert_true(jobs_each(toy->database.engine, "toy", count_job, &count, &err));
    return count;
}

static void assert_steps(struct toy *toy, const char *steps)
{
    assert_bytes_equal(buf_bytes(&toy->steps), bytes_of_text(steps));
}

static void steps_come_in_order(void **state)
{
    struct toy *toy = *state;

    accept(toy, "a");
    jobs_add(toy->jobs, &toy->kind, BYTES("a"));
    jobs_add(toy->jobs, &toy->kind, BYTES("a")); /* told twice */
    run_all(toy);
    assert_steps(toy, "sp012f");
    assert_int_equal(unfinished(toy), 0);
}

static void unfinished_jobs_are_taken_up(void **state)
{
    struct toy *toy = *state;

    accept(toy, "a");
    accept(toy, "b");
    run_all(toy);
    assert_steps(toy, ""); /* nobody told */
    jobs_reopen(toy, 0);
    for (int i = 0; i < 3; i++)
        assert_true(jobs_step(toy->jobs));
    assert_steps(toy, "sp0");
    jobs_reopen(toy, 0);
    run_all(toy);
    assert_steps(toy, "sp0"
                      "sp012f"
                      "sp012f");
    assert_int_equal(unfinished(toy), 0);
    jobs_reopen(toy, 0);
    assert_false(jobs_step(toy->jobs));
}

static void failures_that_pass_are_tried_again(void **state)
{
    static const struct {
        char at;
        const char *steps;
    } cases[] = {
        {'s', "ssssp012f"},
        {'p', "spppp012f"},
        {'1', "sp011112f"},
        {'f', "sp012ffff"},
    };
    struct toy *toy = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&toy->steps);
        toy->fail_at = cases[i].at;
        toy->fail_times = 3;
        toy->fail_as = ERR_STORAGE;
        accept(toy, "a");
        jobs_add(toy->jobs, &toy->kind, BYTES("a"));
        run_all(toy);
        assert_steps(toy, cases[i].steps);
        assert_int_equal(unfinished(toy), 0);
    }
}

static void failures_that_stay_end_the_job(void **state)
{
    static const struct {
        char at;
        enum err_code as;
        const char *steps;
    } cases[] = {
        {'s', ERR_VALIDATION, "sx"},      {'1', ERR_VALIDATION, "sp01x"},
        {'f', ERR_VALIDATION, "sp012fx"}, {'s', ERR_STORAGE, "sssssx"},
        {'s', ERR_STORE, "ssx"},          {'1', ERR_STORE, "sp011111x"},
        {'2', ERR_STORAGE, "sp0122222x"},
    };
    struct toy *toy = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&toy->steps);
        toy->fail_at = cases[i].at;
        toy->fail_times = UINT32_MAX;
        toy->fail_as = cases[i].as;
        accept(toy, "a");
        jobs_add(toy->jobs, &toy->kind, BYTES("a"));
        run_all(toy);
        assert_steps(toy, cases[i].steps);
        assert_int_equal(toy->why, cases[i].as);
        assert_int_equal(unfinished(toy), 0);
    }
}

/* J2: it rests, and maintenance finds its record. */
static void a_failure_that_cannot_be_recorded_rests(void **state)
{
    struct toy *toy = *state;
    struct err err;

    toy->fail_at = 'p';
    toy->fail_times = 1;
    toy->fail_as = ERR_VALIDATION;
    accept(toy, "a");
    jobs_add(toy->jobs, &toy->kind, BYTES("a"));
    assert_true(jobs_step(toy->jobs));
    assert_true(jobs_step(toy->jobs));
    toy->fail_at = 'x';
    toy->fail_times = JOB_ATTEMPTS_MOST;
    toy->fail_as = ERR_STORAGE;
    run_all(toy);
    assert_steps(toy, "spxxxxx");
    assert_int_equal(unfinished(toy), 1);
    assert_true(jobs_maintain(toy->jobs, &err));
    run_all(toy);
    assert_steps(toy, "spxxxxxsp012f");
    assert_int_equal(unfinished(toy), 0);
}

static void wait_for(struct toy *toy, const char *steps)
{
    pthread_mutex_lock(&toy->lock);
    while (!bytes_equal(buf_bytes(&toy->steps), bytes_of_text(steps)))
        pthread_cond_wait(&toy->changed, &toy->lock);
    pthread_mutex_unlock(&toy->lock);
}

/* One worker is held by a part; the other job is started all the same, but goes no further. */
static void starts_do_not_queue(void **state)
{
    struct toy *toy = *state;

    toy->holds = true;
    jobs_reopen(toy, 1);
    accept(toy, "a");
    jobs_add(toy->jobs, &toy->kind, BYTES("a"));
    wait_for(toy, "sp0");
    accept(toy, "b");
    jobs_add(toy->jobs, &toy->kind, BYTES("b"));
    wait_for(toy, "sp0s");
    pthread_mutex_lock(&toy->lock);
    toy->holds = false;
    pthread_cond_broadcast(&toy->changed);
    pthread_mutex_unlock(&toy->lock);
    assert_true(jobs_wait(toy->jobs, UINT32_MAX));
    assert_steps(toy, "sp0s12fp012f");
}

/* Any number that wait for a store leaves the others theirs. */
static void starts_do_not_wait_for_each_other(void **state)
{
    struct toy *toy = *state;
    char name[16];

    toy->holds_starts = true;
    jobs_reopen(toy, 1);
    for (int i = 0; i < JOB_STARTERS_MOST - 1; i++) {
        snprintf(name, sizeof name, "held-%d", i);
        accept(toy, name);
        jobs_add(toy->jobs, &toy->kind, bytes_of_text(name));
    }
    accept(toy, "a");
    jobs_add(toy->jobs, &toy->kind, BYTES("a"));
    wait_for(toy, "sp012f");
    pthread_mutex_lock(&toy->lock);
    toy->holds_starts = false;
    pthread_cond_broadcast(&toy->changed);
    pthread_mutex_unlock(&toy->lock);
    assert_true(jobs_wait(toy->jobs, UINT32_MAX));
    assert_int_equal(toy->steps.size, JOB_STARTERS_MOST * strlen("sp012f"));
    assert_int_equal(unfinished(toy), 0);
}

static void wait_for_steps(struct toy *toy, size_t count)
{
    pthread_mutex_lock(&toy->lock);
    while (toy->steps.size < count)
        pthread_cond_wait(&toy->changed, &toy->lock);
    pthread_mutex_unlock(&toy->lock);
}

/* One part waits and another has failed: the worker that is free goes on with the next job. */
static void a_job_that_fails_leaves_workers_to_others(void **state)
{
    struct toy *toy = *state;

    toy->holds = true;
    toy->fail_at = '1';
    toy->fail_times = 1;
    toy->fail_as = ERR_STORAGE;
    jobs_reopen(toy, 2);
    accept(toy, "a");
    jobs_add(toy->jobs, &toy->kind, BYTES("a"));
    wait_for_steps(toy, 4);
    accept(toy, "b");
    jobs_add(toy->jobs, &toy->kind, BYTES("b"));
    wait_for_steps(toy, 5);
    assert_int_equal(toy->steps.data[4], 's');
    wait_for_steps(toy, 7);
    assert_memory_equal(toy->steps.data + 4, "sp0", 3);
    pthread_mutex_lock(&toy->lock);
    toy->holds = false;
    pthread_cond_broadcast(&toy->changed);
    pthread_mutex_unlock(&toy->lock);
    assert_true(jobs_wait(toy->jobs, UINT32_MAX));
    assert_int_equal(toy->steps.size, 13); /* s p 0 1 2 f of each, and one part twice */
}

static void jobs_that_fail_go_last(void **state)
{
    struct toy *toy = *state;

    toy->fail_at = '1';
    toy->fail_times = 3;
    toy->fail_as = ERR_STORE;
    accept(toy, "a");
    jobs_add(toy->jobs, &toy->kind, BYTES("a"));
    for (int i = 0; i < 6; i++)
        assert_true(jobs_step(toy->jobs));
    assert_steps(toy, "sp0111");
    accept(toy, "b");
    jobs_add(toy->jobs, &toy->kind, BYTES("b"));
    run_all(toy);
    assert_steps(toy, "sp0111"
                      "sp012f"
                      "12f");
}

static void stopping_does_not_wait_for_parts(void **state)
{
    struct toy *toy = *state;

    toy->holds = true;
    jobs_reopen(toy, 2);
    accept(toy, "a");
    jobs_add(toy->jobs, &toy->kind, BYTES("a"));
    pthread_mutex_lock(&toy->lock);
    while (toy->steps.size < 4)
        pthread_cond_wait(&toy->changed, &toy->lock);
    pthread_mutex_unlock(&toy->lock);
    jobs_stop(toy->jobs);
    assert_int_equal(unfinished(toy), 1);
    assert_false(jobs_step(toy->jobs));
}

static void add(struct toy *toy, const char *name)
{
    accept(toy, name);
    jobs_add(toy->jobs, &toy->kind, bytes_of_text(name));
}

static void set_flag(struct toy *toy, bool *flag, bool value)
{
    pthread_mutex_lock(&toy->lock);
    *flag = value;
    pthread_cond_broadcast(&toy->changed);
    pthread_mutex_unlock(&toy->lock);
}

/* J4, J5: the one worker is free for jobs of other lanes, and for no others. */
static void waits_hold_up_their_lane_alone(void **state)
{
    struct toy *toy = *state;

    toy->store_stands = true;
    jobs_reopen(toy, 1);
    add(toy, "wait.1");
    wait_for(toy, "sp0");
    add(toy, "wait.2");
    wait_for(toy, "sp0s");
    add(toy, "a.1");
    wait_for(toy, "sp0ssp012f");
    add(toy, "a.2");
    wait_for(toy, "sp0ssp012fsp012f");
    set_flag(toy, &toy->store_stands, false);
    assert_true(jobs_wait(toy->jobs, UINT32_MAX));
    assert_steps(toy, "sp0ssp012fsp012f"
                      "w12fp012f");
}

/* Reads a figure of /metrics. */
static uint64_t figure(struct toy *toy, const char *name)
{
    struct buf out;
    char wanted[64];

    buf_init(&out);
    jobs_metrics(toy->jobs, &out);
    buf_put_u8(&out, 0);
    snprintf(wanted, sizeof wanted, "\n%s ", name);
    const char *found = strstr((const char *)out.data, wanted);
    assert_non_null(found);
    uint64_t value = strtoull(found + strlen(wanted), NULL, 10);
    buf_release(&out);
    return value;
}

/* J4: the other job has the only place, so the wait ends when that gives it back, and before any
 * other step begins. */
static void after_a_wait_a_step_is_first(void **state)
{
    struct toy *toy = *state;

    toy->store_stands = toy->holds = true;
    jobs_reopen(toy, 1);
    add(toy, "wait.1");
    wait_for(toy, "sp0");
    add(toy, "a.1");
    wait_for(toy, "sp0sp0");
    add(toy, "b.1");
    wait_for(toy, "sp0sp0s");
    set_flag(toy, &toy->store_stands, false);
    while (figure(toy, "gramme_job_steps_waiting") > 0)
        sched_yield();
    assert_steps(toy, "sp0sp0s");
    set_flag(toy, &toy->holds, false);
    assert_true(jobs_wait(toy->jobs, UINT32_MAX));
    assert_int_equal(toy->steps.data[7], 'w');
    assert_int_equal(toy->steps.size, 3 * strlen("sp012f") + 1);
}

/* J6, J7: all places are taken by jobs of other lanes that wait. */
static void one_that_waits_long_is_set_aside(void **state)
{
    struct toy *toy = *state;
    char name[16];

    toy->store_stands = true;
    toy->kind.rest = toy_rest;
    jobs_reopen(toy, 1);
    for (int i = 0; i < JOB_OPEN_MOST(1); i++) {
        snprintf(name, sizeof name, "wait%d.1", i);
        add(toy, name);
        wait_for_steps(toy, 3 * (size_t)(i + 1));
    }
    add(toy, "wait0.2"); /* is older than what comes, but the lane has to make room */
    wait_for_steps(toy, 3 * JOB_OPEN_MOST(1) + 1);
    add(toy, "a.1");
    wait_for_steps(toy, 3 * JOB_OPEN_MOST(1) + 7);
    assert_memory_equal(toy->steps.data + 3 * JOB_OPEN_MOST(1), "ssp012f", 7);
    wait_for_steps(toy, 3 * JOB_OPEN_MOST(1) + 9); /* prepared and begun again */
    assert_int_equal(figure(toy, "gramme_jobs_set_aside_total"), 1);
    assert_int_equal(toy->rests, 1);
    set_flag(toy, &toy->store_stands, false);
    assert_true(jobs_wait(toy->jobs, UINT32_MAX));
    assert_int_equal(unfinished(toy), 0);
    assert_int_equal(figure(toy, "gramme_jobs_failed_total"), 0);
}

/* J7: after a failure as well; what was done is not lost. */
static void a_job_that_is_tried_again_is_prepared_again(void **state)
{
    struct toy *toy = *state;

    toy->kind.rest = toy_rest;
    jobs_reopen(toy, 0);
    toy->fail_at = '1';
    toy->fail_times = 2;
    toy->fail_as = ERR_STORE;
    add(toy, "a");
    run_all(toy);
    assert_steps(toy, "sp01p1p12f");
    assert_int_equal(toy->rests, 2);
}

/* Threads make each other, and inherit what the first was given. */
static void workers_have_the_same_share(void **state)
{
    struct toy *toy = *state;
    char name[16];

    toy->share = 40;
    toy->nice_least = 100;
    toy->nice_most = -100;
    jobs_reopen(toy, 2);
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "%d", i);
        add(toy, name);
    }
    assert_true(jobs_wait(toy->jobs, UINT32_MAX));
    assert_int_equal(toy->nice_least, toy->nice_most);
}

static void stopping_does_not_wait_for_stores(void **state)
{
    struct toy *toy = *state;

    toy->store_stands = true;
    jobs_reopen(toy, 1);
    add(toy, "wait1.1");
    add(toy, "wait2.1");
    wait_for_steps(toy, 6);
    jobs_stop(toy->jobs);
    assert_int_equal(unfinished(toy), 2);
}

static void figures_count_jobs(void **state)
{
    struct toy *toy = *state;
    struct buf out;

    accept(toy, "a");
    jobs_add(toy->jobs, &toy->kind, BYTES("a"));
    buf_init(&out);
    jobs_metrics(toy->jobs, &out);
    buf_put_u8(&out, 0);
    assert_non_null(strstr((char *)out.data, "\ngramme_jobs_unfinished 1\n"));
    run_all(toy);
    buf_clear(&out);
    jobs_metrics(toy->jobs, &out);
    buf_put_u8(&out, 0);
    assert_non_null(strstr((char *)out.data, "gramme_jobs_completed_total 1\n"));
    buf_release(&out);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(steps_come_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(unfinished_jobs_are_taken_up, setup, teardown),
        cmocka_unit_test_setup_teardown(failures_that_pass_are_tried_again, setup, teardown),
        cmocka_unit_test_setup_teardown(failures_that_stay_end_the_job, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failure_that_cannot_be_recorded_rests, setup, teardown),
        cmocka_unit_test_setup_teardown(starts_do_not_queue, setup, teardown),
        cmocka_unit_test_setup_teardown(starts_do_not_wait_for_each_other, setup, teardown),
        cmocka_unit_test_setup_teardown(a_job_that_fails_leaves_workers_to_others, setup, teardown),
        cmocka_unit_test_setup_teardown(jobs_that_fail_go_last, setup, teardown),
        cmocka_unit_test_setup_teardown(stopping_does_not_wait_for_parts, setup, teardown),
        cmocka_unit_test_setup_teardown(waits_hold_up_their_lane_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(after_a_wait_a_step_is_first, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_waits_long_is_set_aside, setup, teardown),
        cmocka_unit_test_setup_teardown(a_job_that_is_tried_again_is_prepared_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(workers_have_the_same_share, setup, teardown),
        cmocka_unit_test_setup_teardown(stopping_does_not_wait_for_stores, setup, teardown),
        cmocka_unit_test_setup_teardown(figures_count_jobs, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
