/* bench/commit.c - what a durable write costs below the server: two threads keep OUTSTANDING
 * batches in flight through the committer, each an item and its log record of 1 KB (stamped) and a
 * counter. Usage: commit FOLDER OUTSTANDING SECONDS [relaxed]. The folder must not exist yet. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/random.h"
#include "engine/committer.h"

#define THREADS    2
#define VALUE_SIZE 1024
#define POOL_SIZE  ((size_t)64 * 1024 * 1024)
#define LATENCIES  4000000

struct request {
    struct commit commit; /* first */
    struct loop *loop;
    struct engine_batch batch;
    struct arena arena;
    uint64_t begun;
};

/* A stand-in for one of the server's loops. */
struct loop {
    pthread_t thread;
    struct committer *committer;
    pthread_mutex_t lock;
    pthread_cond_t answered;
    struct commit *ready; /* lock */
    uint64_t seed, until, finished;
    uint32_t outstanding;
};

static uint8_t *pool;
static uint32_t latencies[LATENCIES];
static _Atomic uint64_t latency_count;

static void request_done(struct commit *commit)
{
    struct loop *loop = ((struct request *)commit)->loop;

    pthread_mutex_lock(&loop->lock);
    bool wake = loop->ready == NULL;
    commit->next = loop->ready;
    loop->ready = commit;
    pthread_mutex_unlock(&loop->lock);
    if (wake)
        pthread_cond_signal(&loop->answered);
}

/* Room for a stamp and a time, then 1 KB that compresses like items do. */
static void value_make(struct request *request, struct buf *value, uint64_t random)
{
    buf_init_in(value, &request->arena);
    buf_grow(value, 16 + VALUE_SIZE);
    memset(value->data, 0, 16);
    memcpy(value->data + 16, pool + random % (POOL_SIZE - VALUE_SIZE), VALUE_SIZE);
    value->size = 16 + VALUE_SIZE;
}

static void request_begin(struct request *request)
{
    struct loop *loop = request->loop;
    struct engine_batch *batch = &request->batch;
    uint64_t random = random_next(&loop->seed);
    struct buf key, value;
    int64_t deltas[2] = {1, VALUE_SIZE};

    request->begun = clock_monotonic_micros();
    arena_release(&request->arena);
    arena_init(&request->arena);
    batch_init(batch, &request->arena);
    uint32_t slot = batch_slot(batch);
    buf_init_in(&key, &request->arena);
    buf_put_be64(&key, 1);
    buf_put_be64(&key, random);
    buf_put_be64(&key, ~random);
    value_make(request, &value, random);
    struct batch_op *op = batch_put_marked(batch, SPACE_ITEMS, &key, &value, slot);
    op->stamp_in_value = 0;
    op->time_in_value = 8;
    buf_init_in(&key, &request->arena);
    buf_put_be64(&key, 1);
    buf_put_be64(&key, random >> 62);
    buf_put_be64(&key, 0);
    value_make(request, &value, random);
    op = batch_put_marked(batch, SPACE_CHANGELOG, &key, &value, slot);
    op->stamp_in_key = 16;
    op->time_in_value = 8;
    buf_init_in(&key, &request->arena);
    buf_put_be64(&key, 1);
    buf_put_u8(&key, (uint8_t)(random >> 62));
    batch_add(batch, SPACE_STATISTICS, buf_bytes(&key), deltas, 2);
    committer_submit(loop->committer, &request->commit);
}

static bool request_end(struct request *request, uint64_t now)
{
    uint64_t at = latency_count++;

    if (request->batch.outcome != COMMIT_OK) {
        fprintf(stderr, "commit: outcome %d\n", (int)request->batch.outcome);
        exit(1);
    }
    if (at < LATENCIES)
        latencies[at] = (uint32_t)(now - request->begun);
    request->loop->finished++;
    return now < request->loop->until;
}

static void *loop_run(void *context)
{
    struct loop *loop = context;
    struct request *requests = calloc(loop->outstanding, sizeof *requests);
    uint32_t left = loop->outstanding;

    for (uint32_t i = 0; i < loop->outstanding; i++) {
        requests[i].commit.batch = &requests[i].batch;
        requests[i].commit.done = request_done;
        requests[i].loop = loop;
        arena_init(&requests[i].arena);
        request_begin(&requests[i]);
    }
    while (left > 0) {
        pthread_mutex_lock(&loop->lock);
        while (loop->ready == NULL)
            pthread_cond_wait(&loop->answered, &loop->lock);
        struct commit *commit = loop->ready;
        loop->ready = NULL;
        pthread_mutex_unlock(&loop->lock);
        uint64_t now = clock_monotonic_micros();
        while (commit != NULL) {
            struct request *request = (struct request *)commit;
            commit = commit->next;
            if (request_end(request, now))
                request_begin(request);
            else
                left--;
        }
    }
    for (uint32_t i = 0; i < loop->outstanding; i++)
        arena_release(&requests[i].arena);
    free(requests);
    return NULL;
}

static double cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int latency_compare(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

    return (a > b) - (a < b);
}

static void report(const struct committer_figures *figures, double seconds, double cpu)
{
    size_t seen = latency_count < LATENCIES ? latency_count : LATENCIES;
    double requests = (double)figures->batches, groups = (double)figures->groups;

    qsort(latencies, seen, sizeof *latencies, latency_compare);
    printf("%.0f requests/s, %.0f syncs/s (%.1f each), CPU %.1f us per request (%.0f%% of a core), "
           "p50 %.2f ms p99 %.2f ms\n",
           requests / seconds, groups / seconds, requests / groups, cpu / requests * 1e6,
           cpu / seconds * 100, latencies[seen / 2] / 1e3, latencies[seen * 99 / 100] / 1e3);
}

int main(int argc, char **argv)
{
    struct rocksdb_settings settings = {.memory = ROCKSDB_MEMORY_DEFAULT,
                                        .clock_ahead_most = CLOCK_AHEAD_MOST_DEFAULT};
    struct loop loops[THREADS] = {0};
    uint64_t seed = 1;
    struct err err;

    if (argc < 4) {
        fprintf(stderr, "usage: commit FOLDER OUTSTANDING SECONDS [relaxed]\n");
        return 2;
    }
    settings.directory = argv[1];
    settings.relaxed = argc > 4;
    pool = malloc(POOL_SIZE);
    for (size_t i = 0; i < POOL_SIZE; i += 8) { /* half of each is the same everywhere */
        be64_store(pool + i, i % 16 == 0 ? random_next(&seed) : 0);
    }
    struct engine *engine = engine_open_rocksdb(&settings, &err);
    if (engine == NULL) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    struct committer *committer = committer_new(engine);
    double cpu = cpu_seconds();
    uint64_t begun = clock_monotonic_micros();
    for (uint32_t i = 0; i < THREADS; i++) {
        loops[i] = (struct loop){
            .committer = committer,
            .seed = i,
            .outstanding = (uint32_t)strtoul(argv[2], NULL, 10) / THREADS,
            .until = begun + strtoul(argv[3], NULL, 10) * SECOND_MICROS,
        };
        pthread_mutex_init(&loops[i].lock, NULL);
        pthread_cond_init(&loops[i].answered, NULL);
        pthread_create(&loops[i].thread, NULL, loop_run, &loops[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(loops[i].thread, NULL);
    double seconds = (double)(clock_monotonic_micros() - begun) / 1e6;
    struct committer_figures figures = committer_figures(committer);
    report(&figures, seconds, cpu_seconds() - cpu);
    committer_free(committer);
    engine_close(engine);
    free(pool);
    return 0;
}
