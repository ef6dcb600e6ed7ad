/* test/unit/locks.c - the order of waiting, several locks at once, the bound, threads. */
#include "support/check.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/random.h"
#include "table/locks.h"

struct party {
    struct waiter waiter; /* counts instead of waiting */
    int parked, woken;
    struct lock_claim *claim;
};

static void count_park(struct waiter *waiter)
{
    ((struct party *)waiter)->parked++;
}

static void count_wake(struct waiter *waiter)
{
    ((struct party *)waiter)->woken++;
}

static struct party party(void)
{
    return (struct party){.waiter = {count_park, count_wake}};
}

static enum locked take(struct locks *locks, struct party *party, const uint64_t *ids, size_t count)
{
    struct err err;

    return locks_take(locks, ids, count, &party->waiter, &party->claim, &err);
}

static void serves_in_order(void **state)
{
    struct locks *locks = locks_new();
    struct party parties[4] = {party(), party(), party(), party()};
    const uint64_t id = 7;

    (void)state;
    assert_int_equal(take(locks, &parties[0], &id, 1), LOCKED);
    for (int i = 1; i < 4; i++)
        assert_int_equal(take(locks, &parties[i], &id, 1), LOCKED_LATER);
    for (int i = 1; i < 4; i++) {
        locks_release(locks, &parties[i - 1].claim);
        for (int j = 1; j < 4; j++)
            assert_int_equal(parties[j].woken, j <= i);
        assert_int_equal(take(locks, &parties[i], &id, 1), LOCKED);
        assert_int_equal(parties[i].parked, 1);
    }
    locks_release(locks, &parties[3].claim);
    locks_free(locks);
}

static void takes_several_or_waits_for_one(void **state)
{
    struct locks *locks = locks_new();
    struct party one = party(), many = party(), last = party();
    const uint64_t ids[] = {1, 2, 1025}; /* 1 and 1025 share a stripe */

    (void)state;
    assert_int_equal(take(locks, &one, &ids[1], 1), LOCKED);
    assert_int_equal(take(locks, &many, ids, 3), LOCKED_LATER);
    assert_int_equal(take(locks, &last, &ids[0], 1), LOCKED_LATER); /* held already by many */
    locks_release(locks, &one.claim);
    assert_int_equal(many.woken, 1);
    assert_int_equal(take(locks, &many, ids, 3), LOCKED);
    assert_int_equal(last.woken, 0);
    locks_release(locks, &many.claim);
    assert_int_equal(take(locks, &last, &ids[0], 1), LOCKED);
    locks_release(locks, &last.claim);
    locks_free(locks);
}

static void a_rerun_may_want_others(void **state)
{
    struct locks *locks = locks_new();
    struct party a = party(), b = party();
    const uint64_t first = 1, second = 2;

    (void)state;
    assert_int_equal(take(locks, &a, &first, 1), LOCKED);
    assert_int_equal(take(locks, &b, &first, 1), LOCKED_LATER);
    assert_int_equal(take(locks, &a, &second, 1), LOCKED); /* gives the first to b */
    assert_int_equal(b.woken, 1);
    locks_release(locks, &a.claim);
    locks_release(locks, &b.claim); /* without having run again */
    assert_int_equal(take(locks, &a, &first, 1), LOCKED);
    locks_release(locks, &a.claim);
    locks_free(locks);
}

static void the_queue_is_bounded(void **state)
{
    struct locks *locks = locks_new();
    struct party *parties = calloc(LOCK_QUEUE_MOST + 2, sizeof *parties);
    const uint64_t id = 3;

    (void)state;
    for (int i = 0; i < LOCK_QUEUE_MOST + 2; i++)
        parties[i] = party();
    assert_int_equal(take(locks, &parties[0], &id, 1), LOCKED);
    for (int i = 1; i <= LOCK_QUEUE_MOST; i++)
        assert_int_equal(take(locks, &parties[i], &id, 1), LOCKED_LATER);
    struct party *late = &parties[LOCK_QUEUE_MOST + 1];
    assert_int_equal(take(locks, late, &id, 1), LOCKED_NEVER);
    assert_int_equal(late->parked, 0);
    locks_release(locks, &late->claim);
    for (int i = 0; i <= LOCK_QUEUE_MOST; i++)
        locks_release(locks, &parties[i].claim);
    free(parties);
    locks_free(locks);
}

/* Threads that each add to two of a few counters, which only the locks protect. */
#define THREADS  4
#define ROUNDS   5000
#define COUNTERS 5

struct race {
    struct locks *locks;
    uint64_t seed;
    uint64_t *counters;
};

static void *race_run(void *context)
{
    struct race *race = context;
    struct blocker blocker;
    struct lock_claim *claim = NULL;
    struct err err;

    blocker_init(&blocker);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t ids[2] = {random_next(&race->seed) % (COUNTERS - 1), 0};
        ids[1] = ids[0] + 1 + random_next(&race->seed) % (COUNTERS - 1 - ids[0]);
        while (locks_take(race->locks, ids, 2, &blocker.waiter, &claim, &err) != LOCKED)
            blocker_wait(&blocker);
        race->counters[ids[0]]++;
        race->counters[ids[1]]++;
        locks_release(race->locks, &claim);
    }
    blocker_release(&blocker);
    return NULL;
}

static void threads_exclude_each_other(void **state)
{
    struct locks *locks = locks_new();
    uint64_t counters[COUNTERS] = {0}, sum = 0;
    struct race races[THREADS];
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        races[i] = (struct race){locks, (uint64_t)i, counters};
        assert_int_equal(pthread_create(&threads[i], NULL, race_run, &races[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < COUNTERS; i++)
        sum += counters[i];
    assert_int_equal(sum, 2 * THREADS * ROUNDS);
    locks_free(locks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_in_order),
        cmocka_unit_test(takes_several_or_waits_for_one),
        cmocka_unit_test(a_rerun_may_want_others),
        cmocka_unit_test(the_queue_is_bounded),
        cmocka_unit_test(threads_exclude_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
