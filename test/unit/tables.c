/* test/unit/tables.c - the catalogue and writes of items, on the memory engine. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "support/database.h"

static int setup(void **state)
{
    struct database *database = calloc(1, sizeof *database);

    database_open(database, engine_open_memory(&(struct memory_settings){.snapshots = true}));
    *state = database;
    return 0;
}

static int teardown(void **state)
{
    database_close(*state);
    free(*state);
    return 0;
}

static void creates_and_deletes(void **state)
{
    struct database *database = *state;
    struct call call;
    struct err err;

    assert_true(database_create(database, "music", true, &err));
    assert_false(database_create(database, "music", true, &err));
    assert_int_equal(err.code, ERR_RESOURCE_IN_USE);
    assert_string_equal(err.message, "Table already exists: music");

    call_init(&call, database);
    const struct table *table = database_table(&call, "music");
    assert_int_equal(table->number, 1);
    assert_int_equal(table->key_count, 2);
    assert_int_equal(table->keys[1].type, KEY_N);
    assert_bytes_equal(table->arn, BYTES("arn:aws:dynamodb:eu-west-1:111122223333:table/music"));
    assert_int_equal(table->id.size, 36);
    assert_true(work_find_table(&call.work, table->arn) == table);

    assert_true(database_delete(database, "music", &err));
    assert_bytes_equal(table->name, BYTES("music")); /* who holds it may still read it */
    call_release(&call);
    assert_false(database_delete(database, "music", &err));
    assert_int_equal(err.code, ERR_RESOURCE_NOT_FOUND);
    assert_string_equal(err.message, "Requested resource not found: Table: music not found");
    assert_false(database_put(database, "music", "a", "1"));

    assert_true(database_create(database, "music", false, &err));
    call_init(&call, database);
    assert_int_equal(database_table(&call, "music")->number, 2);
    call_release(&call);
}

static enum run protect(struct work *work, void *context, struct err *err)
{
    const struct table *table;

    if (!work_table_named(work, BYTES("safe"), &table, err))
        return RUN_FAILED;
    struct table changed = *table;
    changed.deletion_protected = *(bool *)context;
    return tables_update(work, table, &changed, &table, err);
}

static void protects_from_deletion(void **state)
{
    struct database *database = *state;
    struct call call;
    struct err err;
    bool protected = true;

    assert_true(database_create(database, "safe", false, &err));
    call_init(&call, database);
    assert_true(call_run(&call, protect, &protected));
    call_release(&call);
    assert_false(database_delete(database, "safe", &err));
    assert_string_equal(err.message, "Resource cannot be deleted as it is currently protected "
                                     "against deletion. Disable deletion protection first.");
    protected = false;
    call_init(&call, database);
    assert_true(call_run(&call, protect, &protected));
    call_release(&call);
    assert_true(database_delete(database, "safe", &err));
}

static void lists_in_order_of_names(void **state)
{
    static const char *const names[] = {"b", "ab", "c", "a", "bb"};
    struct database *database = *state;
    struct bytes page[3];
    struct call call;
    struct err err;
    bool more;

    for (size_t i = 0; i < 5; i++)
        assert_true(database_create(database, names[i], false, &err));
    call_init(&call, database);
    assert_int_equal(tables_list(&call.work, BYTES_NONE, 3, page, &more), 3);
    assert_true(more);
    assert_bytes_equal(page[0], BYTES("a"));
    assert_bytes_equal(page[2], BYTES("b"));
    assert_int_equal(tables_list(&call.work, BYTES("b"), 3, page, &more), 2);
    assert_false(more);
    assert_bytes_equal(page[0], BYTES("bb"));
    call_release(&call);
}

static void check_figures(struct database *database, const char *name, int64_t items, int64_t bytes)
{
    struct table_figures figures;
    struct call call;
    struct err err;

    call_init(&call, database);
    assert_true(table_figures(database->tables, database_table(&call, name), &figures, &err));
    assert_int_equal(figures.items, items);
    assert_int_equal(figures.bytes, bytes);
    call_release(&call);
}

static void writes_and_counts(void **state)
{
    struct database *database = *state;
    struct call call;
    struct err err;
    uint64_t time;

    assert_true(database_create(database, "t", false, &err));
    assert_true(database_create(database, "u", false, &err));
    assert_true(database_put(database, "t", "a", "12"));
    check_figures(database, "t", 1, 2 + 1 + 1 + 2);
    assert_true(database_put(database, "t", "a", "1234"));
    check_figures(database, "t", 1, 2 + 1 + 1 + 4);

    struct simple_write many[] = {{"t", "a", NULL}, {"u", "b", "x"}, {"t", "c", "y"}};
    assert_true(database_write(database, many, 3, &time, &err));
    assert_int_not_equal(time, 0);
    check_figures(database, "t", 1, 5);
    check_figures(database, "u", 1, 5);
    call_init(&call, database);
    assert_null(database_get(&call, "t", "a").data);
    assert_bytes_equal(database_get(&call, "u", "b"), BYTES("x"));
    call_release(&call);

    assert_true(
        database_write(database, &(struct simple_write){"t", "nothing", NULL}, 1, &time, &err));
    assert_int_equal(time, 0);
}

/* Keeps what is there, and puts what is not. */
static bool put_if_absent(struct write *write, struct arena *arena, struct err *err)
{
    (void)arena;
    (void)err;
    *(bool *)write->context = write->old.size == 0;
    write->kind = write->old.size > 0 ? WRITE_NOTHING : WRITE_PUT;
    return true;
}

static bool answer_nothing(void *context, const struct write *writes, size_t count, struct err *err)
{
    (void)context;
    (void)writes;
    (void)count;
    (void)err;
    return true;
}

static enum run put_if_absent_step(struct work *work, void *context, struct err *err)
{
    struct write write = {
        .item = simple_item(work->arena, "a", "new"),
        .settle = put_if_absent,
        .context = context,
    };

    if (!work_table(work, BYTES("t"), &write.table, err) ||
        !table_key(write.table, write.item, false, work->arena, &write.key, err))
        return RUN_FAILED;
    return table_write(work, &write, 1, answer_nothing, NULL, err);
}

static void what_is_written_is_settled_under_the_lock(void **state)
{
    struct database *database = *state;
    struct call call;
    struct err err;
    bool absent[2];

    assert_true(database_create(database, "t", false, &err));
    for (size_t i = 0; i < 2; i++) {
        call_init(&call, database);
        assert_true(call_run(&call, put_if_absent_step, &absent[i]));
        assert_int_equal(call.work.submitted, i == 0);
        call_release(&call);
    }
    assert_true(absent[0]);
    assert_false(absent[1]);
}

static bool refuse(void *context, const struct write *writes, size_t count, struct err *err)
{
    (void)count;
    *(struct bytes *)context = writes[0].old;
    return err_fail(err, ERR_CONDITION_FAILED, "The conditional request failed");
}

static enum run refused_step(struct work *work, void *context, struct err *err)
{
    struct write write = {.kind = WRITE_PUT, .item = simple_item(work->arena, "a", "new")};

    if (!work_table(work, BYTES("t"), &write.table, err) ||
        !table_key(write.table, write.item, false, work->arena, &write.key, err))
        return RUN_FAILED;
    return table_write(work, &write, 1, refuse, context, err);
}

static void a_refused_write_leaves_the_lock(void **state)
{
    struct database *database = *state;
    struct bytes old;
    struct call call;
    struct err err;

    assert_true(database_create(database, "t", false, &err));
    assert_true(database_put(database, "t", "a", "old"));
    call_init(&call, database);
    assert_false(call_run(&call, refused_step, &old));
    assert_int_equal(call.err.code, ERR_CONDITION_FAILED);
    assert_bytes_equal(item_text(old, "v"), BYTES("old"));
    call_release(&call);
    assert_true(database_put(database, "t", "a", "newer"));
}

static void refuses_large_items(void **state)
{
    struct database *database = *state;
    char *value = calloc(1, ITEM_SIZE_MOST + 1);
    struct err err;

    assert_true(database_create(database, "t", false, &err));
    memset(value, 'x', ITEM_SIZE_MOST - 4); /* "pk" "a" "v" */
    assert_true(database_write(database, &(struct simple_write){"t", "a", value}, 1, NULL, &err));
    value[ITEM_SIZE_MOST - 4] = 'x';
    assert_false(database_write(database, &(struct simple_write){"t", "a", value}, 1, NULL, &err));
    assert_string_equal(err.message, "Item size has exceeded the maximum allowed size");
    free(value);
}

struct seen {
    struct arena *arena;
    struct bytes last;
    size_t count, most;
};

static bool see(void *context, struct bytes key, struct bytes item)
{
    struct seen *seen = context;

    assert_true(item.size > 0);
    assert_true(bytes_compare(seen->last, key) < 0);
    seen->last = arena_copy(seen->arena, key);
    return ++seen->count != seen->most;
}

/* Every item once, whatever the number of segments, and in pages. */
static void scans_by_segments_and_pages(void **state)
{
    struct database *database = *state;
    struct call call;
    struct err err;
    char key[16];

    assert_true(database_create(database, "t", false, &err));
    assert_true(database_create(database, "next", false, &err));
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "key%d", i);
        assert_true(database_put(database, "t", key, "v"));
        assert_true(database_put(database, "next", key, "v"));
    }
    for (uint32_t segments = 1; segments < 20; segments += 3) {
        size_t total = 0;
        call_init(&call, database);
        for (uint32_t segment = 0; segment < segments; segment++) {
            struct seen seen = {&call.arena, BYTES_NONE, 0, 7};
            struct table_scan scan = {
                .table = database_table(&call, "t"),
                .segment = segment,
                .segments = segments,
                .visit = see,
                .context = &seen,
            };
            while (table_scan(&call.work, &scan, &err) == SCAN_STOPPED) {
                scan.from = seen.last;
                seen.most = seen.count + 7;
            }
            total += seen.count;
        }
        assert_int_equal(total, 100);
        call_release(&call);
    }
}

static void a_deleted_table_is_purged(void **state)
{
    struct database *database = *state;
    struct err err;
    struct engine_value value;
    uint8_t dropped[9] = {'D', 0, 0, 0, 0, 0, 0, 0, 1};
    bool found;

    assert_true(database_create(database, "t", false, &err));
    assert_true(database_recovery(database, "t", true, 35, &err));
    assert_true(database_put(database, "t", "a", "1"));
    assert_true(database_delete(database, "t", &err));
    assert_true(engine_get(database->engine, NULL, SPACE_CATALOG, bytes_of(dropped, 9), &value,
                           &found, &err));
    assert_true(found);
    engine_value_release(&value);
    assert_true(tables_maintain(database->tables, &err));
    for (int space = SPACE_ITEMS; space < ENGINE_SPACES; space++) {
        struct arena arena;
        arena_init(&arena);
        struct seen seen = {&arena, BYTES_NONE, 0, 0};
        assert_int_equal(engine_scan_all(database->engine,
                                         &(struct engine_scan){.space = (enum engine_space)space,
                                                               .visit = see,
                                                               .context = &seen},
                                         &err),
                         SCAN_DONE);
        assert_int_equal(seen.count, 0);
        arena_release(&arena);
    }
    assert_true(engine_get(database->engine, NULL, SPACE_CATALOG, bytes_of(dropped, 9), &value,
                           &found, &err));
    assert_false(found);
}

/* What the catalogue says of a table's recovery. */
struct recovery {
    bool on, log;
    uint64_t since, floor;
    uint32_t days, epoch;
};

static struct recovery recovery_of(struct database *database, const char *name)
{
    struct recovery recovery;
    struct log_state state;
    struct call call;
    struct err err;

    call_init(&call, database);
    const struct table *table = database_table(&call, name);
    assert_true(log_state_read(database->engine, table->number, &call.arena, &state, &err));
    recovery = (struct recovery){table->recovery, table->log,           table->recovery_since,
                                 state.floor,     table->recovery_days, table->log_epoch};
    call_release(&call);
    return recovery;
}

#define NOON (UINT64_C(20000) * DAY_MICROS + DAY_MICROS / 2)

static void recovery_is_switched(void **state)
{
    struct database *database = *state;
    struct err err;

    clock_set(NOON);
    assert_true(database_create(database, "t", false, &err));
    assert_false(recovery_of(database, "t").on);
    assert_true(database_recovery(database, "t", true, 35, &err));
    struct recovery first = recovery_of(database, "t");
    assert_true(first.on && first.log && first.days == 35 && first.epoch == 1);
    assert_true(first.since > NOON && first.since < NOON + 10);
    assert_true(first.floor == first.since);

    clock_set(NOON + DAY_MICROS);
    assert_true(database_recovery(database, "t", true, 35, &err)); /* again: nothing changes */
    assert_true(recovery_of(database, "t").since == first.since);
    assert_true(database_recovery(database, "t", true, 7, &err));
    assert_true(recovery_of(database, "t").since == first.since);
    assert_int_equal(recovery_of(database, "t").days, 7);

    clock_set(NOON + 10 * DAY_MICROS); /* seven days are left, and more days bring no more back */
    assert_true(database_recovery(database, "t", true, 30, &err));
    assert_true(recovery_of(database, "t").since == NOON + 3 * DAY_MICROS);
    assert_int_equal(recovery_of(database, "t").epoch, 1);

    assert_true(database_recovery(database, "t", false, 0, &err));
    struct recovery off = recovery_of(database, "t");
    assert_true(!off.on && !off.log && off.floor == LOG_FLOOR_NONE);
    assert_true(database_recovery(database, "t", true, 35, &err));
    struct recovery second = recovery_of(database, "t");
    assert_true(second.since > NOON + 10 * DAY_MICROS && second.epoch == 2);
    clock_set(0);
}

static void the_window_ends_and_begins(void **state)
{
    struct table table = {.recovery = true, .recovery_since = NOON, .recovery_days = 2};

    (void)state;
    assert_true(table_earliest(&table, NOON + DAY_MICROS) == NOON);
    assert_true(table_earliest(&table, NOON + 5 * DAY_MICROS) == NOON + 3 * DAY_MICROS);
    assert_true(table_latest(&table, NOON + 10) == NOON);
    assert_true(table_latest(&table, NOON + DAY_MICROS) == NOON + DAY_MICROS - 300 * SECOND_MICROS);
}

/* After a step of the clock history is not forgotten at once: someone may mend the clock. */
static void trimming_rests_after_a_step(void **state)
{
    struct database *database = *state;
    struct tables_settings settings = {.engine = database->engine,
                                       .committer = database->committer,
                                       .region = "eu-west-1",
                                       .account = "111122223333"};
    struct err err;

    clock_set(NOON);
    assert_true(database_create(database, "t", false, &err));
    assert_true(database_recovery(database, "t", true, 1, &err));
    uint64_t floor = recovery_of(database, "t").floor;
    clock_set(NOON + 3 * DAY_MICROS);
    struct tables *patient = tables_open(&settings, &err);
    assert_non_null(patient);
    for (int i = 0; i < 3; i++)
        assert_true(tables_maintain(patient, &err));
    assert_true(recovery_of(database, "t").floor == floor);
    tables_close(patient);
    assert_true(database_maintain(database, &err));
    floor = recovery_of(database, "t").floor;
    assert_true(floor >= NOON + 2 * DAY_MICROS && floor < NOON + 2 * DAY_MICROS + SECOND_MICROS);
    clock_set(0);
}

static void tables_are_bounded(void **state)
{
    struct database *database = *state;
    struct err err;
    char name[16];

    for (int i = 0; i < 2500; i++) {
        snprintf(name, sizeof name, "table-%d", i);
        assert_true(database_create(database, name, false, &err));
    }
    assert_false(database_create(database, "one-more", false, &err));
    assert_int_equal(err.code, ERR_LIMIT_EXCEEDED);
    assert_true(database_delete(database, "table-7", &err));
    assert_true(database_create(database, "one-more", false, &err));
}

static size_t names_of(struct database *database, char names[8][8])
{
    struct bytes list[8];
    struct call call;
    bool more;

    call_init(&call, database);
    size_t count = tables_list(&call.work, BYTES_NONE, 8, list, &more);
    for (size_t i = 0; i < count; i++)
        snprintf(names[i], 8, "%.*s", BYTES_ARGS(list[i]));
    call_release(&call);
    return count;
}

/* Whatever a change in doubt has come to, the next one sees it, and so does a restart. */
static void doubtful_changes_are_looked_up(void **state)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    uint64_t random = 7;
    struct database database;
    char before[8][8], after[8][8];
    struct err err;
    int doubts = 0;

    (void)state;
    database_open(&database,
                  engine_open_memory(&(struct memory_settings){.seed = 3, .unknown_one_in = 3}));
    for (int i = 0; i < 200; i++) {
        const char *name = names[random_next(&random) % 4];
        bool ok = random_next(&random) % 2 == 0 ? database_create(&database, name, false, &err)
                                                : database_delete(&database, name, &err);
        doubts += !ok && err.code == ERR_UNKNOWN_OUTCOME;
        assert_true(ok || err.code == ERR_UNKNOWN_OUTCOME || err.code == ERR_RESOURCE_IN_USE ||
                    err.code == ERR_RESOURCE_NOT_FOUND);
    }
    assert_true(doubts > 10);
    while (!database_create(&database, "last", false, &err)) /* and all doubts are settled */
        assert_true(err.code == ERR_UNKNOWN_OUTCOME || err.code == ERR_RESOURCE_IN_USE);
    size_t count = names_of(&database, before);
    tables_close(database.tables);
    committer_free(database.committer);
    database_open(&database, database.engine);
    assert_int_equal(names_of(&database, after), count);
    for (size_t at = 0; at < count; at++)
        assert_string_equal(before[at], after[at]);
    database_close(&database);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(creates_and_deletes),
        TEST(protects_from_deletion),
        TEST(lists_in_order_of_names),
        TEST(writes_and_counts),
        TEST(what_is_written_is_settled_under_the_lock),
        TEST(a_refused_write_leaves_the_lock),
        TEST(refuses_large_items),
        TEST(scans_by_segments_and_pages),
        TEST(a_deleted_table_is_purged),
        TEST(recovery_is_switched),
        TEST(the_window_ends_and_begins),
        TEST(trimming_rests_after_a_step),
        TEST(tables_are_bounded),
        TEST(doubtful_changes_are_looked_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
