/* test/unit/build_index.c - the job that fills an index: it begins by itself, survives the end of
 * the process, and ends with its index or its table. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "jobs/build_index.h"
#include "support/database.h"

#define ITEMS 40

struct builder {
    struct database database;
    struct jobs *jobs;
    struct index_builds *builds;
};

static void quiet(void *context, const char *line)
{
    (void)context, (void)line;
}

static void jobs_open(struct builder *builder, uint32_t workers)
{
    struct err err;

    builder->jobs = jobs_new(&(struct jobs_settings){
        .tables = builder->database.tables, .workers = workers, .tick_ms = 3600000});
    builder->builds = index_builds_new(builder->database.tables, builder->jobs);
    assert_true(jobs_start(builder->jobs, &err));
}

static void jobs_shut(struct builder *builder)
{
    jobs_stop(builder->jobs);
    index_builds_free(builder->builds);
    jobs_free(builder->jobs);
}

static int setup(void **state)
{
    struct builder *builder = calloc(1, sizeof *builder);
    char key[20];
    struct err err;

    log_to(quiet, NULL);
    database_open(&builder->database, engine_open_memory(&(struct memory_settings){0}));
    jobs_open(builder, 0);
    assert_true(database_create(&builder->database, "t", false, &err));
    for (int i = 0; i < ITEMS; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        assert_true(database_put(&builder->database, "t", key, "v"));
    }
    *state = builder;
    return 0;
}

static int teardown(void **state)
{
    struct builder *builder = *state;

    jobs_shut(builder);
    database_close(&builder->database);
    free(builder);
    log_to(NULL, NULL);
    return 0;
}

static enum run add_step(struct work *work, void *context, struct err *err)
{
    static const struct table_index wanted = {
        .name = BYTES_INIT("by-v"),
        .keys = {{BYTES_INIT("v"), KEY_S}},
        .partition_count = 1,
        .key_count = 1,
    };
    const struct table *table;

    if (!work_table_named(work, BYTES("t"), &table, err))
        return RUN_FAILED;
    struct table changed = *table;
    changed.indexes = &wanted;
    changed.index_count = *(uint32_t *)context;
    return tables_update(work, table, &changed, &table, err);
}

static void change_indexes(struct builder *builder, uint32_t count)
{
    struct call call;

    call_init(&call, &builder->database);
    assert_true(call_run(&call, add_step, &count));
    call_release(&call);
}

static bool is_building(struct builder *builder)
{
    struct call call;

    call_init(&call, &builder->database);
    bool building = database_table(&call, "t")->indexes[0].building;
    call_release(&call);
    return building;
}

static int64_t entries(struct builder *builder)
{
    struct table_figures figures;
    struct call call;
    struct err err;

    call_init(&call, &builder->database);
    assert_true(index_figures(builder->database.tables, &database_table(&call, "t")->indexes[0],
                              &figures, &err));
    call_release(&call);
    return figures.items;
}

static void assert_metrics(struct builder *builder, const char *line)
{
    struct buf text;

    buf_init(&text);
    index_builds_metrics(builder->builds, &text);
    buf_put_u8(&text, 0);
    if (strstr((const char *)text.data, line) == NULL)
        fail_msg("%s is not in %s", line, (const char *)text.data);
    buf_release(&text);
}

/* So many steps that parts are under way. */
static void run_some(struct builder *builder)
{
    for (int i = 0; i < 6; i++)
        assert_true(jobs_step(builder->jobs));
}

static void it_is_built(void **state)
{
    struct builder *builder = *state;

    assert_false(jobs_step(builder->jobs));
    change_indexes(builder, 1);
    assert_true(is_building(builder));
    run_some(builder);
    assert_metrics(builder, "\ngramme_index_build_parts 16\n");
    assert_metrics(builder, "\ngramme_index_build_parts_done 4\n");
    while (jobs_step(builder->jobs))
        continue;
    assert_false(is_building(builder));
    assert_int_equal(entries(builder), ITEMS);
    assert_metrics(builder, "\ngramme_index_build_parts 0\n");
    assert_metrics(builder, "\ngramme_index_build_entries_total 40\n");
}

static void a_restart_goes_on(void **state)
{
    struct builder *builder = *state;

    change_indexes(builder, 1);
    run_some(builder);
    jobs_shut(builder);
    jobs_open(builder, 2);
    assert_true(jobs_wait(builder->jobs, 60000));
    assert_false(is_building(builder));
    assert_int_equal(entries(builder), ITEMS);
}

/* And one of the same name that follows at once has a job of its own. */
static void a_dropped_index_ends_its_job(void **state)
{
    struct builder *builder = *state;

    change_indexes(builder, 1);
    run_some(builder);
    change_indexes(builder, 0);
    change_indexes(builder, 1);
    while (jobs_step(builder->jobs))
        continue;
    assert_false(is_building(builder));
    assert_int_equal(entries(builder), ITEMS);
}

/* Which is only taken once the index was dropped. */
static void a_deleted_table_ends_its_jobs(void **state)
{
    struct builder *builder = *state;
    struct err err;

    change_indexes(builder, 1);
    run_some(builder);
    assert_false(database_delete(&builder->database, "t", &err));
    change_indexes(builder, 0);
    assert_true(database_delete(&builder->database, "t", &err));
    while (jobs_step(builder->jobs))
        continue;
    assert_true(jobs_wait(builder->jobs, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_built, setup, teardown),
        cmocka_unit_test_setup_teardown(a_restart_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(a_dropped_index_ends_its_job, setup, teardown),
        cmocka_unit_test_setup_teardown(a_deleted_table_ends_its_jobs, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
