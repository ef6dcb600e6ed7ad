/* test/support/sim.c - worlds and settings of simulations. */
#include "support/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t sim_setting(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 10) : fallback;
}

struct engine *sim_engine(const char *world, const char *folder, uint64_t seed)
{
    struct memory_settings memory = {.seed = seed,
                                     .conflict_one_in = strcmp(world, "conflicts") == 0 ? 3 : 0,
                                     .page_most = strcmp(world, "pauses") == 0 ? 3 : 0};
    struct rocksdb_settings rocksdb = {.directory = folder,
                                       .memory = (size_t)16 * 1024 * 1024,
                                       .clock_ahead_most = CLOCK_AHEAD_MOST_DEFAULT};
    struct err err;

    if (strcmp(world, "rocksdb") != 0)
        return engine_open_memory(&memory);
    struct engine *engine = engine_open_rocksdb(&rocksdb, &err);
    if (engine == NULL)
        printf("%s\n", err.message);
    return engine;
}
