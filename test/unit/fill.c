/* test/unit/fill.c - an index that is added to a table gets what it lacks: beside writes, after
 * interruptions, and exactly. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "support/database.h"
#include "support/folder.h"
#include "table/index.h"

/* A table {pk S, sk N}, and what is added to it: a GSI on g (S) with all attributes. */
static const struct table schema = {
    .name = BYTES_INIT("t"),
    .keys = {{BYTES_INIT("pk"), KEY_S}, {BYTES_INIT("sk"), KEY_N}},
    .key_count = 2,
};
static const struct table_index late = {
    .name = BYTES_INIT("late"),
    .keys = {{BYTES_INIT("g"), KEY_S}},
    .partition_count = 1,
    .key_count = 1,
    .projection = PROJECT_ALL,
};

static void open_on(struct database *database, struct engine *engine)
{
    struct err err;

    database_open(database, engine);
    while (!database_create_table(database, &schema, &err) && err.code != ERR_RESOURCE_IN_USE)
        assert_int_equal(err.code, ERR_UNKNOWN_OUTCOME);
}

static int setup(void **state)
{
    struct database *database = calloc(1, sizeof *database);

    open_on(database, engine_open_memory(&(struct memory_settings){.snapshots = true}));
    *state = database;
    return 0;
}

static int teardown(void **state)
{
    database_close(*state);
    free(*state);
    return 0;
}

static bool put(struct database *database, const char *format, ...)
{
    char item[200];
    va_list arguments;
    struct err err;

    va_start(arguments, format);
    (void)vsnprintf(item, sizeof item, format, arguments);
    va_end(arguments);
    return database_put_json(database, "t", item, &err);
}

static enum run add_step(struct work *work, void *context, struct err *err)
{
    struct table changed;
    const struct table *table;

    if (!work_table_named(work, BYTES("t"), &table, err))
        return RUN_FAILED;
    changed = *table;
    changed.indexes = context;
    changed.index_count = context == NULL ? 0 : 1;
    return tables_update(work, table, &changed, &table, err);
}

/* Adds the index (or, without one, drops those there are); its number. */
static uint64_t change(struct database *database, const struct table_index *index)
{
    struct call call;
    uint64_t number = 0;
    bool done = false;

    while (!done) {
        call_init(&call, database);
        done = call_run(&call, add_step, (void *)(uintptr_t)index);
        assert_true(done || call.err.code == ERR_UNKNOWN_OUTCOME);
        call_release(&call);
    }
    call_init(&call, database);
    const struct table *table = database_table(&call, "t");
    if (index != NULL) {
        assert_true(table->indexes[0].building);
        number = table->indexes[0].number;
    }
    call_release(&call);
    return number;
}

static void fill_part(struct database *database, uint64_t index, uint32_t part)
{
    struct index_fill fill;
    struct err err;

    assert_true(index_fill_open(&fill, database->tables, BYTES("t"), index, part, &err));
    while (!fill.done)
        if (!index_fill_step(&fill, &err) && err.code != ERR_UNKNOWN_OUTCOME)
            fail_msg("%s", err.message);
    index_fill_close(&fill);
}

static void fill_all(struct database *database, uint64_t index)
{
    for (uint32_t part = 0; part < INDEX_PARTS; part++)
        fill_part(database, index, part);
}

static void finish(struct database *database, uint64_t index)
{
    struct err err;

    while (!index_fill_finish(database->tables, BYTES("t"), index, &err))
        assert_int_equal(err.code, ERR_UNKNOWN_OUTCOME);
}

/* --- what must hold --- */

struct compare {
    struct database *database;
    const struct table *table;
    struct arena arena;
    int64_t entries, bytes;
};

static bool compare_item(void *context, struct bytes key, struct bytes item)
{
    struct compare *compare = context;
    const struct table_index *index = &compare->table->indexes[0];
    struct engine *engine = compare->database->engine;
    struct engine_value value;
    struct index_entry entry;
    struct buf place;
    struct err err;
    bool found;

    if (!index_entry(compare->table, index, key, item, &compare->arena, &entry))
        return true;
    buf_init_in(&place, &compare->arena);
    buf_put_be64(&place, index->number);
    buf_put_bytes(&place, entry.key);
    assert_true(engine_get(engine, NULL, SPACE_INDEX, buf_bytes(&place), &value, &found, &err));
    assert_true(found);
    assert_bytes_equal(value.bytes, entry.item);
    engine_value_release(&value);
    compare->entries++;
    compare->bytes += (int64_t)item_size(entry.item);
    return true;
}

static bool compare_count(void *context, struct bytes key, struct bytes value)
{
    (void)key, (void)value;
    ++*(int64_t *)context;
    return true;
}

static int64_t pairs(struct database *database, enum engine_space space, struct bytes from,
                     struct bytes to)
{
    int64_t count = 0;
    struct err err;
    struct engine_scan scan = {
        .space = space, .from = from, .to = to, .visit = compare_count, .context = &count};

    assert_int_equal(engine_scan_all(database->engine, &scan, &err), SCAN_DONE);
    return count;
}

/* The index is what the table says, and counts it right; answers how many entries there are. */
static int64_t assert_whole(struct database *database)
{
    struct compare compare = {.database = database};
    struct table_figures figures;
    struct call call;
    struct err err;

    call_init(&call, database);
    arena_init(&compare.arena);
    compare.table = database_table(&call, "t");
    struct table_scan scan = {
        .table = compare.table, .segments = 1, .visit = compare_item, .context = &compare};
    assert_int_equal(table_scan(&call.work, &scan, &err), SCAN_DONE);
    assert_int_equal(pairs(database, SPACE_INDEX, BYTES_NONE, BYTES_NONE), compare.entries);
    assert_true(index_figures(database->tables, &compare.table->indexes[0], &figures, &err));
    assert_int_equal(figures.items, compare.entries);
    assert_int_equal(figures.bytes, compare.bytes);
    arena_release(&compare.arena);
    call_release(&call);
    return compare.entries;
}

static int64_t records(struct database *database)
{
    return pairs(database, SPACE_CATALOG, BYTES("F"), BYTES("G"));
}

/* --- */

static void what_is_missing_is_put(void **state)
{
    struct database *database = *state;
    struct call call;
    struct err err;

    for (int i = 0; i < 100; i++)
        assert_true(put(database, "{'pk':{'S':'p%d'},'sk':{'N':'1'},'g':{'S':'a%d'}}", i, i % 7));
    assert_true(put(database, "{'pk':{'S':'x'},'sk':{'N':'1'}}"));
    assert_true(put(database, "{'pk':{'S':'y'},'sk':{'N':'1'},'g':{'N':'1'}}")); /* cannot be */
    uint64_t index = change(database, &late);
    /* before it is filled: one that moves, one that stays, one that goes, one that comes */
    assert_true(put(database, "{'pk':{'S':'p1'},'sk':{'N':'1'},'g':{'S':'b'}}"));
    assert_true(put(database, "{'pk':{'S':'p2'},'sk':{'N':'1'},'g':{'S':'a2'}}"));
    assert_true(database_delete_json(database, "t", "{'pk':{'S':'p3'},'sk':{'N':'1'}}", &err));
    assert_true(put(database, "{'pk':{'S':'z'},'sk':{'N':'1'},'g':{'S':'a'}}"));
    fill_all(database, index);
    assert_int_equal(assert_whole(database), 100);
    fill_all(database, index); /* as after a crash: nothing is put twice */
    assert_true(database_delete_json(database, "t", "{'pk':{'S':'p4'},'sk':{'N':'1'}}", &err));
    assert_true(records(database) > 0);
    finish(database, index);
    finish(database, index);
    assert_int_equal(records(database), 0);
    assert_int_equal(assert_whole(database), 99);
    call_init(&call, database);
    assert_false(database_table(&call, "t")->indexes[0].building);
    call_release(&call);
}

/* One partition, and so one part, of several commits; `attribute`: what its items have. */
static void assert_goes_on(struct database *database, char attribute, int count, uint64_t wanted)
{
    uint64_t items = 0, added = 0;
    struct err err;

    for (int i = 0; i < count; i++)
        assert_true(
            put(database, "{'pk':{'S':'p'},'sk':{'N':'%d'},'%c':{'S':'%d'}}", i, attribute, i % 7));
    uint64_t index = change(database, &late);
    for (uint32_t part = 0; part < INDEX_PARTS; part++) {
        struct index_fill fill = {.done = false};
        while (!fill.done) {
            assert_true(index_fill_open(&fill, database->tables, BYTES("t"), index, part, &err));
            assert_true(index_fill_step(&fill, &err));
            items += fill.items;
            added += fill.added;
            index_fill_close(&fill);
        }
    }
    assert_int_equal(items, count);
    assert_int_equal(added, wanted);
    finish(database, index);
    assert_int_equal(assert_whole(database), wanted);
}

static void a_part_goes_on_where_it_was(void **state)
{
    assert_goes_on(*state, 'g', 1000, 1000);
}

/* Its place is kept though nothing is put. */
static void a_part_without_entries_goes_on_too(void **state)
{
    assert_goes_on(*state, 'h', 2500, 0);
}

static void an_index_that_goes_ends_its_fill(void **state)
{
    struct database *database = *state;
    struct index_fill fill;
    struct err err;

    for (int i = 0; i < 300; i++)
        assert_true(put(database, "{'pk':{'S':'p'},'sk':{'N':'%d'},'g':{'S':'a'}}", i));
    uint64_t index = change(database, &late);
    assert_true(index_fill_open(&fill, database->tables, BYTES("t"), index, 0, &err));
    fill_all(database, index);
    change(database, NULL);
    uint64_t next = change(database, &late); /* one of the same name */
    assert_true(index_fill_step(&fill, &err));
    assert_true(fill.done);
    index_fill_close(&fill);
    finish(database, index);
    assert_true(records(database) > 0);
    assert_true(database_maintain(database, &err));
    assert_int_equal(records(database), 0);
    assert_int_equal(pairs(database, SPACE_INDEX, BYTES_NONE, BYTES_NONE), 0);
    fill_all(database, next);
    finish(database, next);
    assert_int_equal(assert_whole(database), 300);
    assert_true(database_delete(database, "t", &err));
    fill_all(database, next);
    finish(database, next);
}

/* --- beside writers --- */

#define WRITERS      3
#define WRITES       600
#define KEYS         300
#define PARTITIONS   20
#define FILLERS      2
#define ITEMS_BEFORE 250

struct worker {
    struct database *database;
    uint64_t seed, index;
    uint32_t number;
    pthread_t thread;
    bool failed;
};

/* An item of few keys, which others write too; some have no entry, some are deletions. */
static bool write_any(struct database *database, uint64_t *seed)
{
    char item[200], key[100];
    struct err err = {0};
    unsigned at = (unsigned)(random_next(seed) % KEYS), kind = (unsigned)(random_next(seed) % 6);
    unsigned group = (unsigned)(random_next(seed) % 9);

    (void)snprintf(key, sizeof key, "{'pk':{'S':'p%u'},'sk':{'N':'%u'}", at % PARTITIONS,
                   at / PARTITIONS);
    (void)snprintf(item, sizeof item, "%s,'%c':{'S':'g%u'},'v':{'N':'%u'}}", key,
                   kind == 1 ? 'h' : 'g', group, kind);
    bool ok = kind == 0 ? database_delete_json(database, "t", item, &err)
                        : database_put_json(database, "t", item, &err);
    return ok || err.code == ERR_UNKNOWN_OUTCOME;
}

static void *writer_run(void *context)
{
    struct worker *worker = context;

    for (int i = 0; i < WRITES && !worker->failed; i++)
        worker->failed = !write_any(worker->database, &worker->seed);
    return NULL;
}

static void *filler_run(void *context)
{
    struct worker *worker = context;
    struct index_fill fill;
    struct err err;

    for (uint32_t part = worker->number; part < INDEX_PARTS; part += FILLERS) {
        fill.done = false;
        while (!fill.done && !worker->failed) {
            /* opened for each step, as if there had been a crash */
            worker->failed = !index_fill_open(&fill, worker->database->tables, BYTES("t"),
                                              worker->index, part, &err) ||
                             (!index_fill_step(&fill, &err) && err.code != ERR_UNKNOWN_OUTCOME);
            index_fill_close(&fill);
        }
    }
    return NULL;
}

static void run_beside(struct database *database, uint64_t seed)
{
    struct worker workers[WRITERS + FILLERS];

    for (int i = 0; i < ITEMS_BEFORE; i++)
        assert_true(write_any(database, &seed));
    uint64_t index = change(database, &late);
    for (uint32_t i = 0; i < WRITERS + FILLERS; i++) {
        workers[i] = (struct worker){.database = database,
                                     .seed = random_next(&seed),
                                     .index = index,
                                     .number = i - WRITERS};
        assert_int_equal(pthread_create(&workers[i].thread, NULL,
                                        i < WRITERS ? writer_run : filler_run, &workers[i]),
                         0);
    }
    for (uint32_t i = 0; i < WRITERS + FILLERS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_false(workers[i].failed);
    }
    assert_whole(database);
    finish(database, index);
    for (int i = 0; i < WRITES; i++)
        assert_true(write_any(database, &seed));
    assert_true(assert_whole(database) > 0);
}

/* On the model, which refuses and doubts commits; then on the real engine. */
static void beside_writers(void **state)
{
    char folder[FOLDER_PATH_MOST];
    struct database database;
    uint64_t seed;
    struct err err;

    (void)state;
    random_fill(&seed, sizeof seed);
    if (getenv("SEED") != NULL)
        seed = strtoull(getenv("SEED"), NULL, 10);
    print_message("# SEED=%llu\n", (unsigned long long)seed);
    open_on(&database,
            engine_open_memory(&(struct memory_settings){
                .seed = seed, .page_most = 7, .conflict_one_in = 9, .unknown_one_in = 50}));
    run_beside(&database, seed);
    database_close(&database);
    folder_make(folder);
    struct engine *engine = engine_open_rocksdb(
        &(struct rocksdb_settings){.directory = folder,
                                   .memory = (size_t)16 * 1024 * 1024,
                                   .clock_ahead_most = CLOCK_AHEAD_MOST_DEFAULT},
        &err);
    assert_non_null(engine);
    open_on(&database, engine);
    run_beside(&database, seed);
    database_close(&database);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_missing_is_put, setup, teardown),
        cmocka_unit_test_setup_teardown(a_part_goes_on_where_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(a_part_without_entries_goes_on_too, setup, teardown),
        cmocka_unit_test_setup_teardown(an_index_that_goes_ends_its_fill, setup, teardown),
        cmocka_unit_test(beside_writers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
