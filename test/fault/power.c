/* test/fault/power.c - power cuts under the engine. A child commits numbered batches, many at once,
 * and reports each answered one; it is killed at a random moment, and the engine is opened on what
 * a power cut would have left. In sync mode everything that was answered is there, whole and in
 * order. In relaxed mode something is missing after a few cuts: else this test would not see a
 * sync that is not made. The seed is printed; POWER_SEED and POWER_CUTS change it. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"
#include "support/folder.h"
#include "support/power.h"

#include "base/random.h"
#include "engine/committer.h"

#define CUTS         12
#define CUTS_RELAXED 10 /* until one of them must have lost something */
#define OUTSTANDING  24
#define PAYLOAD      2500
#define ANSWERS_MOST 600                       /* before the kill */
#define MEMORY       ((size_t)4 * 1024 * 1024) /* small, so that buffers are flushed on the way */

static struct engine *open_engine(const char *folder, bool relaxed)
{
    struct rocksdb_settings settings = {
        .directory = folder,
        .memory = MEMORY,
        .relaxed = relaxed,
        .clock_ahead_most = CLOCK_AHEAD_MOST_DEFAULT,
    };
    struct err err;
    struct engine *engine = engine_open_rocksdb(&settings, &err);

    if (engine == NULL)
        fail_msg("open after a power cut: %s", err.message);
    return engine;
}

/* --- what is written ------------------------------------------------------------------------ */

/* Bytes that the number alone decides, behind a stamp and a time. */
static void payload_make(struct buf *value, uint64_t number)
{
    uint64_t seed = number;

    for (int i = 0; i < 16; i += 8)
        buf_put_be64(value, 0);
    buf_put_be64(value, number);
    for (int i = 0; i < PAYLOAD; i += 8)
        buf_put_be64(value, random_next(&seed));
}

/* Batch `number`: an item, its record in the log, a counter, and the number itself. */
static void batch_make(struct engine_batch *batch, uint64_t number)
{
    struct buf key, value;
    int64_t one = 1;
    uint32_t slot = batch_slot(batch);

    buf_init_in(&key, batch->arena);
    buf_init_in(&value, batch->arena);
    buf_put_be64(&key, number);
    payload_make(&value, number);
    struct batch_op *op = batch_put_marked(batch, SPACE_ITEMS, &key, &value, slot);
    op->stamp_in_value = 0;
    op->time_in_value = 8;
    buf_init_in(&key, batch->arena);
    buf_init_in(&value, batch->arena);
    buf_put_be64(&key, 0);
    payload_make(&value, number);
    op = batch_put_marked(batch, SPACE_CHANGELOG, &key, &value, slot);
    op->stamp_in_key = op->stamp_in_value = 0;
    op->time_in_value = 8;
    batch_add(batch, SPACE_STATISTICS, BYTES("count"), &one, 1);
}

/* --- the child ------------------------------------------------------------------------------ */

struct job {
    struct commit commit; /* first */
    struct engine_batch batch;
    struct arena arena;
    uint64_t number;
    sem_t *free;
};

static void job_done(struct commit *commit)
{
    struct job *job = (struct job *)commit;

    if (job->batch.outcome != COMMIT_OK)
        _exit(3);
    if (write(STDOUT_FILENO, &job->number, sizeof job->number) != sizeof job->number)
        _exit(0); /* the parent has gone */
    sem_post(job->free);
}

static bool count_visit(void *context, struct bytes key, struct bytes value)
{
    (void)value;
    *(uint64_t *)context = be64_load(key.data);
    return false;
}

/* The highest number in the store; 0: none. */
static uint64_t last_number(struct engine *engine)
{
    uint64_t last = 0;
    struct engine_scan scan = {
        .space = SPACE_ITEMS, .backward = true, .visit = count_visit, .context = &last};
    struct err err;

    if (engine_scan_all(engine, &scan, &err) == SCAN_FAILED)
        fail_msg("scan: %s", err.message);
    return last;
}

/* Commits until it is killed. Answers come in the order of numbers, so a ring of jobs does. */
static _Noreturn void child_run(const char *folder, bool relaxed)
{
    struct engine *engine = open_engine(folder, relaxed);
    struct committer *committer = committer_new(engine);
    static struct job jobs[OUTSTANDING];
    uint64_t number = last_number(engine);
    sem_t vacant;

    sem_init(&vacant, 0, OUTSTANDING);
    for (;;) {
        while (sem_wait(&vacant) != 0)
            ;
        number++;
        struct job *job = &jobs[number % OUTSTANDING];
        arena_release(&job->arena);
        arena_init(&job->arena);
        batch_init(&job->batch, &job->arena);
        job->commit = (struct commit){.batch = &job->batch, .done = job_done};
        job->number = number;
        job->free = &vacant;
        batch_make(&job->batch, number);
        committer_submit(committer, &job->commit);
    }
}

/* --- what must be there --------------------------------------------------------------------- */

struct check {
    uint64_t number;
    uint8_t stamp[8];
    uint64_t time;
    bool changelog;
};

/* Numbers without a hole, whole, with rising stamps. */
static bool check_visit(void *context, struct bytes key, struct bytes value)
{
    struct check *check = context;
    struct buf expected;

    check->number++;
    buf_init(&expected);
    payload_make(&expected, check->number);
    assert_int_equal(value.size, expected.size);
    assert_memory_equal(value.data + 16, expected.data + 16, expected.size - 16);
    buf_release(&expected);
    assert_true(memcmp(value.data, check->stamp, 8) > 0);
    assert_true(be64_load(value.data + 8) >= check->time);
    memcpy(check->stamp, value.data, 8);
    check->time = be64_load(value.data + 8);
    if (check->changelog)
        assert_memory_equal(key.data, value.data, 8);
    else
        assert_int_equal(be64_load(key.data), check->number);
    return true;
}

static uint64_t check_space(struct engine *engine, enum engine_space space)
{
    struct check check = {.changelog = space == SPACE_CHANGELOG};
    struct engine_scan scan = {.space = space, .visit = check_visit, .context = &check};
    struct err err;

    if (engine_scan_all(engine, &scan, &err) != SCAN_DONE)
        fail_msg("scan: %s", err.message);
    return check.number;
}

/* Opens the store and checks that it is in itself whole; how many batches it holds. */
static uint64_t check_store(const char *folder, bool relaxed)
{
    struct engine *engine = open_engine(folder, relaxed);
    uint64_t items = check_space(engine, SPACE_ITEMS);
    struct engine_value value;
    struct err err;
    bool found;

    assert_int_equal(check_space(engine, SPACE_CHANGELOG), items);
    assert_true(engine_get(engine, NULL, SPACE_STATISTICS, BYTES("count"), &value, &found, &err));
    assert_int_equal(found ? be64_load(value.bytes.data) : 0, items);
    engine_value_release(&value);
    engine_close(engine);
    return items;
}

/* --- cutting -------------------------------------------------------------------------------- */

struct world {
    char folder[FOLDER_PATH_MOST], live[PATH_MAX], durable[PATH_MAX], self[PATH_MAX];
    bool relaxed;
    uint64_t seed;
};

static void world_init(struct world *world, bool relaxed)
{
    const char *seed = getenv("POWER_SEED");

    *world = (struct world){.relaxed = relaxed};
    random_fill(&world->seed, sizeof world->seed);
    if (seed != NULL)
        world->seed = strtoull(seed, NULL, 10);
    print_message("# POWER_SEED=%" PRIu64 "\n", world->seed);
    folder_make(world->folder);
    snprintf(world->live, sizeof world->live, "%s/live", world->folder);
    snprintf(world->durable, sizeof world->durable, "%s/durable", world->folder);
    assert_true(readlink("/proc/self/exe", world->self, sizeof world->self - 1) > 0);
    /* an empty store is what each child begins with at least */
    engine_close(open_engine(world->live, relaxed));
}

/* Runs a child, kills it after some answers; the last number that was answered. */
static uint64_t run_and_kill(struct world *world)
{
    char *arguments[] = {world->self, "child", world->live, world->relaxed ? "relaxed" : "sync",
                         NULL};
    uint64_t number, last = 0, answers = 0;
    uint64_t kill_after = 1 + random_next(&world->seed) % ANSWERS_MOST;
    int output, status;
    ssize_t got;
    pid_t child = power_start(world->live, world->durable, arguments, &output);

    while ((got = read(output, &number, sizeof number)) == sizeof number) {
        assert_true(number > last);
        last = number;
        if (++answers == kill_after)
            kill(child, SIGKILL);
    }
    assert_int_equal(got, 0);
    close(output);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return last;
}

/* One more power cut; how many answered batches it has cost. */
static uint64_t cut_once(struct world *world, int round)
{
    uint64_t answered = run_and_kill(world);

    power_cut(world->live, world->durable, (enum power_cut)(round % CUT_KINDS), &world->seed);
    uint64_t kept = check_store(world->live, world->relaxed);
    return kept >= answered ? 0 : answered - kept;
}

static int cuts(int otherwise)
{
    const char *wanted = getenv("POWER_CUTS");

    return wanted != NULL ? (int)strtol(wanted, NULL, 10) : otherwise;
}

static void what_was_answered_is_there(void **state)
{
    struct world world;

    (void)state;
    world_init(&world, false);
    for (int round = 0; round < cuts(CUTS); round++)
        assert_int_equal(cut_once(&world, round), 0);
    folder_remove(world.folder);
}

static void a_missing_sync_is_seen(void **state)
{
    struct world world;
    uint64_t lost = 0;

    (void)state;
    world_init(&world, true);
    for (int round = 0; round < CUTS_RELAXED && lost == 0; round++)
        lost += cut_once(&world, round);
    assert_true(lost > 0);
    folder_remove(world.folder);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_answered_is_there),
        cmocka_unit_test(a_missing_sync_is_seen),
    };

    if (argc == 4 && strcmp(argv[1], "child") == 0)
        child_run(argv[2], strcmp(argv[3], "relaxed") == 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
