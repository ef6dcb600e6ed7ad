/* test/unit/committer.c - group commit, over an engine that waits at a gate and counts. */
#include "support/check.h"

#include <pthread.h>
#include <stdlib.h>

#include "engine/committer.h"

#define GROUPS_MOST 64

struct gate {
    struct engine engine; /* first */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool closed, inside; /* lock: whether commits wait; whether one does */
    /* the committer's */
    uint32_t groups, sizes[GROUPS_MOST];
    enum commit_outcome outcome;
};

static void gate_commit(struct engine *engine, struct engine_batch **batches, uint32_t count)
{
    struct gate *gate = (struct gate *)engine;

    pthread_mutex_lock(&gate->lock);
    gate->inside = true;
    pthread_cond_broadcast(&gate->changed);
    while (gate->closed)
        pthread_cond_wait(&gate->changed, &gate->lock);
    gate->inside = false;
    pthread_mutex_unlock(&gate->lock);
    gate->sizes[gate->groups++ % GROUPS_MOST] = count;
    for (uint32_t i = 0; i < count; i++) {
        batches[i]->outcome = gate->outcome;
        if (gate->outcome == COMMIT_OK || gate->outcome == COMMIT_CONFLICT)
            continue;
        batches[i]->err = arena_alloc(batches[i]->arena, sizeof *batches[i]->err);
        err_fail(batches[i]->err, ERR_DISK_FULL, "no room");
    }
}

static const struct engine_ops gate_ops = {.name = "gate", .commit = gate_commit};

static void gate_init(struct gate *gate)
{
    *gate = (struct gate){.engine = {.ops = &gate_ops}};
    pthread_mutex_init(&gate->lock, NULL);
    pthread_cond_init(&gate->changed, NULL);
}

static void gate_set(struct gate *gate, bool closed)
{
    pthread_mutex_lock(&gate->lock);
    gate->closed = closed;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

/* Until the committer stands at the gate. */
static void gate_await(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    while (!gate->inside)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

/* Commits that note the order of their answers. */
struct job {
    struct commit commit; /* first */
    struct engine_batch batch;
    struct arena arena;
    struct jobs *jobs;
    uint32_t place, again; /* times to submit again */
};

struct jobs {
    struct committer *committer;
    uint32_t answered; /* the committer's */
    struct job *jobs;
    uint32_t count;
};

static void job_done(struct commit *commit)
{
    struct job *job = (struct job *)commit;

    job->place = job->jobs->answered++;
    if (job->again > 0) {
        job->again--;
        committer_submit(job->jobs->committer, commit);
    }
}

static void jobs_init(struct jobs *jobs, struct committer *committer, uint32_t count)
{
    *jobs = (struct jobs){committer, 0, calloc(count, sizeof *jobs->jobs), count};
    assert_non_null(jobs->jobs);
    for (uint32_t i = 0; i < count; i++) {
        struct job *job = &jobs->jobs[i];
        arena_init(&job->arena);
        batch_init(&job->batch, &job->arena);
        job->commit = (struct commit){.batch = &job->batch, .done = job_done};
        job->jobs = jobs;
    }
}

static void jobs_submit(struct jobs *jobs, uint32_t from)
{
    for (uint32_t i = from; i < jobs->count; i++)
        committer_submit(jobs->committer, &jobs->jobs[i].commit);
}

static void jobs_release(struct jobs *jobs)
{
    for (uint32_t i = 0; i < jobs->count; i++)
        arena_release(&jobs->jobs[i].arena);
    free(jobs->jobs);
}

static void what_waits_is_one_group(void **state)
{
    struct gate gate;
    struct jobs jobs;

    (void)state;
    gate_init(&gate);
    gate_set(&gate, true);
    struct committer *committer = committer_new(&gate.engine);
    jobs_init(&jobs, committer, 101);
    committer_submit(committer, &jobs.jobs[0].commit);
    gate_await(&gate);
    jobs_submit(&jobs, 1);
    gate_set(&gate, false);
    committer_free(committer);
    assert_int_equal(gate.groups, 2);
    assert_int_equal(gate.sizes[0], 1);
    assert_int_equal(gate.sizes[1], 100);
    for (uint32_t i = 0; i < jobs.count; i++)
        assert_int_equal(jobs.jobs[i].place, i);
    jobs_release(&jobs);
}

static void groups_have_a_size(void **state)
{
    static uint8_t value[1536 * 1024];
    struct gate gate;
    struct jobs jobs;

    (void)state;
    gate_init(&gate);
    gate_set(&gate, true);
    struct committer *committer = committer_new(&gate.engine);
    jobs_init(&jobs, committer, 6);
    for (uint32_t i = 1; i < jobs.count; i++) /* the last one alone is too large for a group */
        for (uint32_t j = 0; j < (i == 5 ? 4 : 1); j++)
            batch_put(&jobs.jobs[i].batch, SPACE_ITEMS, BYTES("key"),
                      bytes_of(value, sizeof value));
    committer_submit(committer, &jobs.jobs[0].commit);
    gate_await(&gate);
    jobs_submit(&jobs, 1);
    gate_set(&gate, false);
    committer_free(committer);
    static const uint32_t wanted[] = {1, 2, 2, 1};
    assert_int_equal(gate.groups, 4);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(gate.sizes[i], wanted[i]);
    jobs_release(&jobs);
}

static void the_queue_is_bounded(void **state)
{
    struct gate gate;
    struct jobs jobs;

    (void)state;
    gate_init(&gate);
    gate_set(&gate, true);
    struct committer *committer = committer_new(&gate.engine);
    jobs_init(&jobs, committer, COMMITTER_QUEUE_MOST + 6);
    committer_submit(committer, &jobs.jobs[0].commit);
    gate_await(&gate);
    jobs_submit(&jobs, 1);
    gate_set(&gate, false);
    committer_free(committer);
    for (uint32_t i = 0; i < jobs.count; i++) {
        const struct engine_batch *batch = &jobs.jobs[i].batch;
        assert_int_equal(batch->outcome, i <= COMMITTER_QUEUE_MOST ? COMMIT_OK : COMMIT_FAILED);
        if (batch->outcome == COMMIT_FAILED)
            assert_int_equal(batch->err->code, ERR_OVERLOADED);
    }
    assert_int_equal(jobs.answered, jobs.count);
    jobs_release(&jobs);
}

static void an_answer_may_submit_again(void **state)
{
    struct gate gate;
    struct jobs jobs;

    (void)state;
    gate_init(&gate);
    struct committer *committer = committer_new(&gate.engine);
    jobs_init(&jobs, committer, 3);
    for (uint32_t i = 0; i < jobs.count; i++)
        jobs.jobs[i].again = 5;
    gate_set(&gate, true);
    jobs_submit(&jobs, 0);
    gate_await(&gate);
    gate_set(&gate, false);
    while (committer_figures(committer).batches < 18) {
        struct arena arena;
        struct engine_batch batch;
        struct err err;
        arena_init(&arena);
        batch_init(&batch, &arena);
        assert_true(committer_commit(committer, &batch, &err));
        arena_release(&arena);
    }
    committer_free(committer);
    assert_int_equal(jobs.answered, 18);
    jobs_release(&jobs);
}

static void waiting_tells_the_outcome(void **state)
{
    static const struct {
        enum commit_outcome outcome;
        enum err_code code;
    } cases[] = {
        {COMMIT_OK, ERR_NONE},
        {COMMIT_CONFLICT, ERR_STORAGE},
        {COMMIT_FAILED, ERR_DISK_FULL},
        {COMMIT_UNKNOWN, ERR_DISK_FULL},
    };
    struct gate gate;
    struct arena arena;

    (void)state;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct engine_batch batch;
        struct err err = {0};
        gate_init(&gate);
        gate.outcome = cases[i].outcome;
        struct committer *committer = committer_new(&gate.engine);
        batch_init(&batch, &arena);
        assert_int_equal(committer_commit(committer, &batch, &err), cases[i].code == ERR_NONE);
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(batch.outcome, cases[i].outcome);
        committer_free(committer);
    }
    arena_release(&arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_is_one_group),   cmocka_unit_test(groups_have_a_size),
        cmocka_unit_test(the_queue_is_bounded),      cmocka_unit_test(an_answer_may_submit_again),
        cmocka_unit_test(waiting_tells_the_outcome),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
