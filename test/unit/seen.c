/* test/unit/seen.c - keys that come again, in memory and on disk. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "archive/seen.h"
#include "base/scratch.h"

struct told {
    uint64_t places[64];
    size_t count;
};

static struct scratch scratch = {.place.folder = P_tmpdir};

static void tell(void *context, uint64_t place)
{
    struct told *told = context;

    assert_true(told->count < sizeof told->places / sizeof *told->places);
    told->places[told->count++] = place;
}

static void put(struct seen *seen, uint64_t hash, uint64_t place)
{
    struct err err = {0};

    assert_true(seen_put(seen, hash, place, &err));
}

static struct told repeats(struct seen *seen)
{
    struct told told = {0};
    struct err err = {0};

    assert_true(seen_repeats(seen, tell, &told, &err));
    return told;
}

/* From all in memory to a run for each key. */
static void keys_that_come_again_are_told(void **state)
{
    static const size_t most[] = {1000, 12, 11, 7, 5, 4};
    static const uint64_t keys[] = {9, 3, UINT64_MAX, 0, 3, 7, 1, 3, 0, 8, 2, UINT64_MAX};
    static const uint64_t wanted[] = {8, 4, 7, 11}; /* their places, by hash */

    (void)state;
    for (size_t i = 0; i < sizeof most / sizeof *most; i++) {
        struct seen *seen = seen_new(&scratch, most[i]);
        for (size_t j = 0; j < sizeof keys / sizeof *keys; j++)
            put(seen, keys[j], j);
        struct told told = repeats(seen);
        assert_int_equal(told.count, sizeof wanted / sizeof *wanted);
        assert_memory_equal(told.places, wanted, sizeof wanted);
        seen_free(seen);
    }
}

/* Many runs, of which each has a few keys in memory at a time. */
static void many_runs_are_merged(void **state)
{
    const uint64_t count = 100000;
    struct seen *seen = seen_new(&scratch, 1000);

    (void)state;
    for (uint64_t i = 0; i < count; i++)
        put(seen, i * UINT64_C(0x9e3779b97f4a7c15), i); /* odd, so no two are the same */
    put(seen, 4321 * UINT64_C(0x9e3779b97f4a7c15), count);
    struct told told = repeats(seen);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.places[0], count);
    seen_free(seen);
}

static void nothing_has_no_repeats(void **state)
{
    struct seen *seen = seen_new(&scratch, 4);

    (void)state;
    assert_int_equal(repeats(seen).count, 0);
    seen_free(seen);
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    struct scratch nowhere = {.place.folder = "/nowhere/at/all"};
    struct seen *seen = seen_new(&nowhere, 2);
    struct err err = {0};

    (void)state;
    put(seen, 1, 1);
    put(seen, 2, 2);
    assert_false(seen_put(seen, 3, 3, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.message, "opening scratch in /nowhere/at/all: "));
    seen_free(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_that_come_again_are_told),
        cmocka_unit_test(many_runs_are_merged),
        cmocka_unit_test(nothing_has_no_repeats),
        cmocka_unit_test(a_folder_that_is_not_there_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
