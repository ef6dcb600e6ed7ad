/* test/support/sim.h - what the simulations have in common. */
#ifndef SUPPORT_SIM_H
#define SUPPORT_SIM_H

#include "engine/engine.h"

/* A number out of the environment. */
uint64_t sim_setting(const char *name, uint64_t fallback);

/* The engine of a world: "rocksdb" in the folder, else the model: "pauses" has short pages, and of
 * "conflicts" a third of the commits is refused. NULL, and a line says why. */
struct engine *sim_engine(const char *world, const char *folder, uint64_t seed);

#endif
