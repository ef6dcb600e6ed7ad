/* test/unit/transfer.c - threads that move amounts between accounts of two tables, each move one
 * commit of two writes. Whatever instant is looked at, while it happens or after, by several
 * threads at once, with snapshots or without: the sum is the same. */
#include "support/check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "support/database.h"

#define ACCOUNTS 12 /* half of them in each table */
#define OPENING  1000
#define MOVERS   4
#define MOVES    400
#define LOOKS    12
#define WALKERS  2

static const char *const tables[2] = {"left", "right"};

/* For threads, out of which cmocka cannot jump. */
static void must(bool ok, const struct err *err)
{
    if (ok)
        return;
    fprintf(stderr, "%s\n", err->message);
    abort();
}

struct account {
    const struct table *table;
    struct bytes key;
    int64_t amount;
};

struct move {
    uint64_t *random;
    struct account accounts[2]; /* from, to */
};

static struct bytes account_item(struct arena *arena, uint64_t account, int64_t amount)
{
    struct item_maker maker;

    item_begin(&maker, arena);
    item_put_text(&maker, "pk", arena_printf(arena, "account-%d", (int)account));
    item_put_integer(&maker, "amount", amount);
    return item_finish(&maker);
}

static bool account_read(struct work *work, uint64_t number, struct account *account,
                         struct err *err)
{
    struct bytes item, key = account_item(work->arena, number, 0);
    struct engine_value pin;
    bool found;

    if (!work_table(work, bytes_of_text(tables[number % 2]), &account->table, err) ||
        !table_key(account->table, key, false, work->arena, &account->key, err) ||
        !table_get(work, account->table, account->key, &pin, &item, &found, err))
        return false;
    account->amount = found ? item_integer(item, "amount", -1) : OPENING;
    engine_value_release(&pin);
    return true;
}

/* The condition: nobody has moved anything since we looked. */
static bool move_answer(void *context, const struct write *writes, size_t count, struct err *err)
{
    struct move *move = context;

    for (size_t i = 0; i < count; i++)
        if (writes[i].old.size > 0 &&
            item_integer(writes[i].old, "amount", -1) != move->accounts[i].amount)
            return err_fail(err, ERR_CONDITION_FAILED, "moved meanwhile");
    return true;
}

static enum run move_step(struct work *work, void *context, struct err *err)
{
    struct move *move = context;
    uint64_t from = random_next(move->random) % ACCOUNTS;
    uint64_t to = (from + 1 + random_next(move->random) % (ACCOUNTS - 1)) % ACCOUNTS;
    uint64_t numbers[2] = {from, to};
    struct write writes[2] = {0};

    for (int i = 0; i < 2; i++) {
        if (!account_read(work, numbers[i], &move->accounts[i], err))
            return RUN_FAILED;
        writes[i].kind = WRITE_PUT;
        writes[i].table = move->accounts[i].table;
        writes[i].key = move->accounts[i].key;
        writes[i].item =
            account_item(work->arena, numbers[i], move->accounts[i].amount + (i == 0 ? -1 : 1));
    }
    return table_write(work, writes, 2, move_answer, move, err);
}

struct mover {
    struct database *database;
    uint64_t random;
    atomic_int *moving;
};

static void *mover_run(void *context)
{
    struct mover *mover = context;

    for (int done = 0; done < MOVES;) {
        struct move move = {.random = &mover->random};
        struct call call;
        call_init(&call, mover->database);
        if (call_run(&call, move_step, &move))
            done++;
        else
            must(call.err.code == ERR_CONDITION_FAILED, &call.err);
        call_release(&call);
    }
    atomic_fetch_sub(mover->moving, 1);
    return NULL;
}

/* --- looking at the past --- */

struct walker {
    struct past *past;
    uint32_t part;
    int64_t sum, count;
};

static bool sum_up(void *context, struct bytes key, struct bytes item, struct err *err)
{
    struct walker *walker = context;

    (void)key, (void)err;
    walker->sum += item_integer(item, "amount", -1);
    walker->count++;
    return true;
}

static void *walker_run(void *context)
{
    struct walker *walker = context;
    struct past_visitor visitor = {sum_up, walker};
    uint8_t cut[8];
    struct err err;

    be64_store(cut, UINT64_C(1) << 63);
    struct bytes middle = bytes_of(cut, sizeof cut);
    must(past_walk(walker->past, walker->part == 0 ? BYTES_NONE : middle,
                   walker->part == 0 ? middle : BYTES_NONE, &visitor, &err),
         &err);
    return NULL;
}

static int64_t sum_of(struct database *database, const struct table *table, uint64_t instant)
{
    struct walker walkers[WALKERS];
    pthread_t threads[WALKERS];
    int64_t sum = 0, count = 0;
    struct err err;
    struct past *past = past_open(
        &(struct past_settings){
            .engine = database->engine,
            .table = table->number,
            .epoch = table->log_epoch,
            .instant = instant,
            .memory_most = 300,
        },
        &err);

    assert_non_null(past);
    for (uint32_t i = 0; i < WALKERS; i++) {
        walkers[i] = (struct walker){.past = past, .part = i};
        assert_int_equal(pthread_create(&threads[i], NULL, walker_run, &walkers[i]), 0);
    }
    for (uint32_t i = 0; i < WALKERS; i++) {
        pthread_join(threads[i], NULL);
        sum += walkers[i].sum;
        count += walkers[i].count;
    }
    past_close(past);
    return sum + (ACCOUNTS / 2 - count) * OPENING; /* an account that was not there yet */
}

static void look(struct database *database, uint64_t instant)
{
    struct call call;
    int64_t sum = 0;

    call_init(&call, database);
    for (int i = 0; i < 2; i++)
        sum += sum_of(database, database_table(&call, tables[i]), instant);
    call_release(&call);
    assert_int_equal(sum, ACCOUNTS * OPENING);
}

/* An instant of which all is visible: that of a commit that was answered. */
static uint64_t instant_now(struct database *database)
{
    struct simple_write mark = {"marks", "mark", "x"};
    uint64_t time;
    struct err err;

    assert_true(database_write(database, &mark, 1, &time, &err));
    return time;
}

static void sums_are_kept(const struct memory_settings *settings)
{
    struct database database;
    struct mover movers[MOVERS];
    pthread_t threads[MOVERS];
    atomic_int moving = MOVERS;
    uint64_t instants[LOOKS];
    int looks = 0;
    struct err err;

    database_open(&database, engine_open_memory(settings));
    assert_true(database_create(&database, "marks", false, &err));
    for (int i = 0; i < 2; i++) {
        assert_true(database_create(&database, tables[i], false, &err));
        assert_true(database_recovery(&database, tables[i], true, 35, &err));
    }
    for (int i = 0; i < MOVERS; i++) {
        movers[i] = (struct mover){&database, settings->seed + (uint64_t)i, &moving};
        assert_int_equal(pthread_create(&threads[i], NULL, mover_run, &movers[i]), 0);
    }
    while (atomic_load(&moving) > 0 && looks < LOOKS) {
        instants[looks] = instant_now(&database);
        look(&database, instants[looks++]);
    }
    for (int i = 0; i < MOVERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < looks; i++) {
        look(&database, instants[i]);
        look(&database, instants[i] + 1);
    }
    database_close(&database);
}

static void with_snapshots(void **state)
{
    (void)state;
    sums_are_kept(&(struct memory_settings){.snapshots = true, .seed = 1});
}

static void without_snapshots(void **state)
{
    (void)state;
    sums_are_kept(&(struct memory_settings){.page_most = 2, .seed = 2});
}

static void with_conflicts(void **state)
{
    (void)state;
    sums_are_kept(&(struct memory_settings){.page_most = 3, .seed = 3, .conflict_one_in = 10});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_snapshots),
        cmocka_unit_test(without_snapshots),
        cmocka_unit_test(with_conflicts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
