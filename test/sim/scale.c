/* test/sim/scale.c - a table and a log far larger than the memory of the database.
 *
 * Every item is written once a round, or deleted, and the rounds fill 35 days of a clock that we
 * move. At the end of the 35 days the table as it was after any round must still be told exactly,
 * and the changes of any window; and the memory that this takes must not depend on how long the log
 * is. The value of an item in a round is a function of both, so nothing has to be remembered.
 *
 * SCALE_ITEMS, SCALE_ROUNDS and SCALE_MEMORY (megabytes of the database) choose another size; the
 * figures are printed. */
#include "support/check.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "support/database.h"
#include "support/folder.h"

#define START UINT64_C(1700000000000000)
#define DAYS  35
#define BATCH 25  /* writes in a commit */
#define VALUE 800 /* bytes */
#define GROWTH_MB                                                                                  \
    40                /* that a past or changes may take, however long the log: less than it here  \
                       */
#define DELETE_ONE 11 /* in so many items, a different one in each round */

struct scale {
    char folder[FOLDER_PATH_MOST];
    struct database database;
    uint32_t items, rounds;
    uint64_t table, *instants; /* instants[i]: after round i */
    uint32_t epoch;
};

static uint32_t size_of(const char *name, uint32_t standard)
{
    const char *text = getenv(name);

    return text == NULL ? standard : (uint32_t)strtoul(text, NULL, 10);
}

/* Random letters: what does not compress is as large on the disk as in memory. */
static const char *value_of(uint32_t item, uint32_t round, char value[VALUE + 1])
{
    uint64_t random = ((uint64_t)round << 32) + item + 1;

    if ((item + round) % DELETE_ONE == 0)
        return NULL;
    for (size_t i = 0; i < VALUE; i++)
        value[i] = (char)('!' + random_next(&random) % 90);
    value[VALUE] = '\0';
    return value;
}

static void write_batch(struct scale *scale, uint32_t first, uint32_t round)
{
    static char keys[BATCH][16], values[BATCH][VALUE + 1];
    struct simple_write writes[BATCH];
    uint32_t count = 0;
    uint64_t time;
    struct err err;

    for (; count < BATCH && first + count < scale->items; count++) {
        uint32_t item = first + count;
        snprintf(keys[count], sizeof keys[count], "%u", item);
        writes[count] =
            (struct simple_write){"t", keys[count], value_of(item, round, values[count])};
    }
    if (!database_write(&scale->database, writes, count, &time, &err))
        fail_msg("%s", err.message);
}

static void write_rounds(struct scale *scale)
{
    for (uint32_t round = 0; round < scale->rounds; round++) {
        for (uint32_t item = 0; item < scale->items; item += BATCH)
            write_batch(scale, item, round);
        scale->instants[round] = scale->database.engine->ops->now(scale->database.engine) + 1;
        clock_set(START + (round + 1) * DAYS * DAY_MICROS / scale->rounds);
    }
    clock_set(scale->instants[0] + DAYS * DAY_MICROS); /* the first is as old as one can be */
}

static int setup(void **state)
{
    struct scale *scale = calloc(1, sizeof *scale);
    struct call call;
    struct err err;

    mallopt(M_MMAP_THRESHOLD, 256 * 1024); /* as server/server.c has it */
    scale->items = size_of("SCALE_ITEMS", 2500);
    scale->rounds = size_of("SCALE_ROUNDS", 12);
    scale->instants = calloc(scale->rounds, sizeof *scale->instants);
    folder_make(scale->folder);
    clock_set(START);
    struct rocksdb_settings settings = {
        .directory = scale->folder,
        .memory = (size_t)size_of("SCALE_MEMORY", 1) << 20,
        .relaxed = true,
        .clock_ahead_most = UINT64_MAX,
    };
    struct engine *engine = engine_open_rocksdb(&settings, &err);
    assert_non_null(engine);
    database_open(&scale->database, engine);
    assert_true(database_create(&scale->database, "t", false, &err));
    assert_true(database_recovery(&scale->database, "t", true, DAYS, &err));
    call_init(&call, &scale->database);
    scale->table = database_table(&call, "t")->number;
    scale->epoch = database_table(&call, "t")->log_epoch;
    call_release(&call);
    write_rounds(scale);
    assert_true(database_maintain(&scale->database, &err));
    *state = scale;
    return 0;
}

static int teardown(void **state)
{
    struct scale *scale = *state;

    database_close(&scale->database);
    clock_set(0);
    folder_remove(scale->folder);
    free(scale->instants);
    free(scale);
    return 0;
}

/* --- memory --- */

/* From /proc/self/status, KB. */
static long memory_kb(const char *what)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long size = 0;

    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, what, strlen(what)) == 0)
            size = strtol(line + strlen(what), NULL, 10);
    fclose(file);
    assert_true(size > 0);
    return size;
}

/* What is resident now; from here on VmHWM counts anew (proc(5)). */
static long peak_begin(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");

    malloc_trim(0);
    assert_non_null(file);
    fputs("5", file);
    fclose(file);
    return memory_kb("VmRSS:");
}

/* The sanitizers keep freed memory, and shadows of it. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool memory_counts = false;
#else
static const bool memory_counts = true;
#endif

/* --- the past and the changes --- */

struct seen {
    const struct scale *scale;
    uint32_t round, before; /* whose values there must be */
    uint32_t items;
};

static struct bytes text_of(const char *text)
{
    return text == NULL ? BYTES_NONE : bytes_of_text(text);
}

static bool see_item(void *context, struct bytes key, struct bytes item, struct err *err)
{
    struct seen *seen = context;
    char number[16] = {0}, value[VALUE + 1];
    struct bytes pk = item_text(item, "pk");

    (void)key, (void)err;
    memcpy(number, pk.data, pk.size);
    assert_bytes_equal(item_text(item, "v"),
                       text_of(value_of((uint32_t)strtoul(number, NULL, 10), seen->round, value)));
    seen->items++;
    return true;
}

static uint32_t there(const struct scale *scale, uint32_t round)
{
    char value[VALUE + 1];
    uint32_t count = 0;

    for (uint32_t item = 0; item < scale->items; item++)
        count += value_of(item, round, value) != NULL;
    return count;
}

/* Answers the memory that it took, KB. */
static long check_past(struct scale *scale, uint32_t round)
{
    struct seen seen = {.scale = scale, .round = round};
    struct past_visitor visitor = {see_item, &seen};
    struct past_settings settings = {
        .engine = scale->database.engine,
        .table = scale->table,
        .epoch = scale->epoch,
        .instant = scale->instants[round],
    };
    struct err err;

    long before_kb = peak_begin();
    struct past *past = past_open(&settings, &err);
    if (past == NULL || !past_walk(past, BYTES_NONE, BYTES_NONE, &visitor, &err))
        fail_msg("%s", err.message);
    past_close(past);
    assert_int_equal(seen.items, there(scale, round));
    return memory_kb("VmHWM:") - before_kb;
}

static bool see_change(void *context, const struct net_change *change, struct err *err)
{
    struct seen *seen = context;
    char number[16] = {0}, value[VALUE + 1];
    struct bytes some = change->before.size > 0 ? change->before : change->after;

    (void)err;
    seen->items++;
    if (some.size == 0)
        return true; /* written in between only */
    struct bytes pk = item_text(some, "pk");
    memcpy(number, pk.data, pk.size);
    uint32_t item = (uint32_t)strtoul(number, NULL, 10);
    const char *before = value_of(item, seen->before, value);
    assert_int_equal(change->before.size == 0, before == NULL);
    if (before != NULL)
        assert_bytes_equal(item_text(change->before, "v"), bytes_of_text(before));
    const char *after = value_of(item, seen->round, value);
    assert_int_equal(change->after.size == 0, after == NULL);
    if (after != NULL)
        assert_bytes_equal(item_text(change->after, "v"), bytes_of_text(after));
    return true;
}

/* The changes from the end of round `before` to that of `after`. */
static long check_changes(struct scale *scale, uint32_t before, uint32_t after)
{
    struct seen seen = {.scale = scale, .before = before, .round = after};
    struct changes_visitor visitor = {see_change, &seen};
    struct changes_settings settings = {
        .engine = scale->database.engine,
        .table = scale->table,
        .epoch = scale->epoch,
        .from = scale->instants[before],
        .to = scale->instants[after],
    };
    struct err err;

    long before_kb = peak_begin();
    struct changes *changes = changes_open(&settings, &err);
    if (changes == NULL || !changes_walk(changes, BYTES_NONE, BYTES_NONE, &visitor, &err))
        fail_msg("%s", err.message);
    changes_close(changes);
    assert_in_range(seen.items, there(scale, after), scale->items);
    return memory_kb("VmHWM:") - before_kb;
}

static void tell(const char *what, uint32_t rounds, long size_kb)
{
    printf("# %s over %u rounds: %ld MB\n", what, rounds, size_kb / 1024);
    if (memory_counts)
        assert_in_range(size_kb, 0, GROWTH_MB * 1024);
}

static void every_instant_of_35_days_is_exact(void **state)
{
    struct scale *scale = *state;
    uint32_t last = scale->rounds - 1;

    tell("past", 1, check_past(scale, last - 1));
    tell("past", last, check_past(scale, 0));
    for (uint32_t round = 1; round <= last; round += 5)
        check_past(scale, round);
}

static void every_window_of_35_days_is_exact(void **state)
{
    struct scale *scale = *state;
    uint32_t last = scale->rounds - 1;

    tell("changes", 1, check_changes(scale, last - 1, last));
    tell("changes", last, check_changes(scale, 0, last));
    check_changes(scale, 1, last / 2);
}

static void an_instant_that_is_older_is_gone(void **state)
{
    struct scale *scale = *state;
    struct past_settings settings = {
        .engine = scale->database.engine,
        .table = scale->table,
        .epoch = scale->epoch,
        .instant = scale->instants[0],
    };
    struct err err;

    clock_set(scale->instants[0] + (DAYS + 2) * DAY_MICROS);
    assert_true(database_maintain(&scale->database, &err));
    assert_null(past_open(&settings, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    check_past(scale, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_instant_of_35_days_is_exact),
        cmocka_unit_test(every_window_of_35_days_is_exact),
        cmocka_unit_test(an_instant_that_is_older_is_gone),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
