/* jobs/build_index.c - an index as it is built: its parts are filled one step after the other, and
 * once all are done it is read. All that must survive is in table/fill.c's commits; what is here is
 * who does it when.
 *
 * A job's name is for people and for us: TABLE/INDEX/NUMBER. The number tells an index from one of
 * the same name that was dropped. An index or a table that goes meanwhile ends its job by having
 * nothing left to fill. A build that has failed is not given up: its index is still `building`, so
 * the next round of maintenance takes it up again. */
#include "jobs/build_index.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"

#define REST_MOST UINT64_C(100000) /* microseconds: a stop waits no longer */

struct build {
    struct build *next; /* builds->lock */
    struct bytes table;
    uint64_t index;
    atomic_uint parts_done;
};

struct index_builds {
    struct tables *tables;
    struct jobs *jobs;
    struct job_kind kind;
    pthread_mutex_t lock; /* of the list */
    struct build *running;
    atomic_ullong items, entries; /* since the start */
};

/* --- which there are --- */

struct naming {
    void (*take)(void *taker, struct bytes name);
    void *taker;
};

static bool name_builds(void *context, const struct table *table, struct err *err)
{
    const struct naming *naming = context;
    struct buf name;

    (void)err;
    buf_init(&name);
    for (uint32_t i = 0; i < table->index_count; i++) {
        const struct table_index *index = &table->indexes[i];
        if (!index->building)
            continue;
        buf_clear(&name);
        buf_printf(&name, "%.*s/%.*s/%llu", BYTES_ARGS(table->name), BYTES_ARGS(index->name),
                   (unsigned long long)index->number);
        naming->take(naming->taker, buf_bytes(&name));
    }
    buf_release(&name);
    return true;
}

static bool builds_each(void *context, void (*take)(void *taker, struct bytes name), void *taker,
                        struct err *err)
{
    struct index_builds *builds = context;

    return tables_each(builds->tables, name_builds, &(struct naming){take, taker}, err);
}

static void build_add(void *context, struct bytes name)
{
    struct index_builds *builds = context;

    jobs_add(builds->jobs, &builds->kind, name);
}

/* On the committer's thread. */
static void table_changed(void *context, const struct table *table)
{
    struct err ignored;

    name_builds(&(struct naming){build_add, context}, table, &ignored);
}

/* --- the steps --- */

static void build_name_read(struct build *build, struct bytes name)
{
    size_t slash = name.size;

    build->index = 0;
    while (name.data[--slash] != '/')
        continue;
    for (size_t i = slash + 1; i < name.size; i++)
        build->index = build->index * 10 + (uint64_t)(name.data[i] - '0');
    while (name.data[--slash] != '/')
        continue;
    build->table = bytes_of(name.data, slash);
}

static void job_release(void *context, struct job *job)
{
    struct index_builds *builds = context;
    struct build **at = &builds->running;

    if (job->run == NULL)
        return;
    pthread_mutex_lock(&builds->lock);
    while (*at != job->run)
        at = &(*at)->next;
    *at = (*at)->next;
    pthread_mutex_unlock(&builds->lock);
    free(job->run);
    job->run = NULL;
}

static enum job_end job_start(void *context, struct job *job, struct err *err)
{
    struct index_builds *builds = context;
    struct build *build = calloc(1, sizeof *build);

    (void)err;
    job_release(context, job);
    assert(build != NULL);
    build_name_read(build, job->name);
    job->run = build;
    pthread_mutex_lock(&builds->lock);
    build->next = builds->running;
    builds->running = build;
    pthread_mutex_unlock(&builds->lock);
    return JOB_DONE;
}

static enum job_end job_prepare(void *context, struct job *job, uint32_t *parts, struct err *err)
{
    struct build *build = job->run;

    (void)context, (void)err;
    atomic_store(&build->parts_done, 0);
    *parts = INDEX_PARTS;
    return JOB_DONE;
}

static void tell_progress(struct index_builds *builds, const struct index_fill *before,
                          const struct index_fill *now)
{
    atomic_fetch_add(&builds->items, now->items - before->items);
    atomic_fetch_add(&builds->entries, now->added - before->added);
}

/* What a step costs is mostly the committer's and the engine's, whose threads do not give way as
 * this one does (base/share.h): so it leaves them to others for as long as it had them. Its place
 * among the workers too: a part is long, and there may be steps that want to compute again. */
static bool step_and_rest(struct job *job, struct index_fill *fill, struct err *err)
{
    struct job_wait wait;
    uint64_t start = clock_monotonic_micros();

    if (!index_fill_step(fill, err))
        return false;
    uint64_t took = clock_monotonic_micros() - start;
    job_wait_begin(job, &wait);
    clock_rest(took < REST_MOST ? took : REST_MOST);
    job_wait_end(&wait);
    return true;
}

static enum job_end job_part(void *context, struct job *job, uint32_t part, struct err *err)
{
    struct index_builds *builds = context;
    struct build *build = job->run;
    struct index_fill fill;

    bool ok = index_fill_open(&fill, builds->tables, build->table, build->index, part, err);
    while (ok && !fill.done && !job_stopping(job)) {
        struct index_fill before = fill;
        ok = step_and_rest(job, &fill, err);
        tell_progress(builds, &before, &fill);
    }
    bool done = fill.done;
    index_fill_close(&fill);
    if (!ok)
        return JOB_FAILED;
    if (!done)
        return JOB_STOPPED;
    atomic_fetch_add(&build->parts_done, 1);
    return JOB_DONE;
}

static enum job_end job_finish(void *context, struct job *job, struct err *err)
{
    const struct index_builds *builds = context;
    const struct build *build = job->run;

    return index_fill_finish(builds->tables, build->table, build->index, err) ? JOB_DONE
                                                                              : JOB_FAILED;
}

/* Told in the log by the jobs; there is nothing to record. */
static enum job_end job_fail(void *context, struct job *job, const struct err *why, struct err *err)
{
    (void)context, (void)job, (void)why, (void)err;
    return JOB_DONE;
}

static bool job_again(const struct err *err)
{
    return err->code == ERR_STORAGE || err->code == ERR_DISK_FULL || err->code == ERR_OVERLOADED ||
           err->code == ERR_UNKNOWN_OUTCOME;
}

/* --- all of them --- */

struct index_builds *index_builds_new(struct tables *tables, struct jobs *jobs)
{
    struct index_builds *builds = calloc(1, sizeof *builds);

    assert(builds != NULL);
    builds->tables = tables;
    builds->jobs = jobs;
    pthread_mutex_init(&builds->lock, NULL);
    builds->kind = (struct job_kind){
        .name = "index",
        .context = builds,
        .start = job_start,
        .prepare = job_prepare,
        .part = job_part,
        .finish = job_finish,
        .fail = job_fail,
        .again = job_again,
        .release = job_release,
        .each = builds_each,
    };
    jobs_register(jobs, &builds->kind);
    tables_watch(tables, table_changed, builds);
    return builds;
}

void index_builds_free(struct index_builds *builds)
{
    if (builds == NULL)
        return;
    assert(builds->running == NULL);
    tables_watch(builds->tables, NULL, NULL);
    pthread_mutex_destroy(&builds->lock);
    free(builds);
}

void index_builds_metrics(struct index_builds *builds, struct buf *out)
{
    uint32_t parts = 0, parts_done = 0;

    pthread_mutex_lock(&builds->lock);
    for (struct build *build = builds->running; build != NULL; build = build->next) {
        parts += INDEX_PARTS;
        parts_done += atomic_load(&build->parts_done);
    }
    pthread_mutex_unlock(&builds->lock);
    buf_printf(out,
               "# TYPE gramme_index_build_parts gauge\ngramme_index_build_parts %u\n"
               "# TYPE gramme_index_build_parts_done gauge\ngramme_index_build_parts_done %u\n"
               "# TYPE gramme_index_build_items_total counter\n"
               "gramme_index_build_items_total %llu\n"
               "# TYPE gramme_index_build_entries_total counter\n"
               "gramme_index_build_entries_total %llu\n",
               parts, parts_done, (unsigned long long)atomic_load(&builds->items),
               (unsigned long long)atomic_load(&builds->entries));
}
