/* test/support/power.h - running a program under libpowerloss.so (powerloss.c) and cutting its
 * power. */
#ifndef SUPPORT_POWER_H
#define SUPPORT_POWER_H

#include <sys/types.h>

#include "base/bytes.h"

/* Starts `arguments` (NULL at the end) on the folder `live`, with what is durable of it kept in
 * `durable`, which must not exist; both absolute. The shim is where the environment's
 * POWERLOSS_SHIM says. `*output` is the reading end of its standard output. */
pid_t power_start(const char *live, const char *durable, char *const *arguments, int *output);

/* How much of what was not synced survives. */
enum power_cut {
    CUT_CLEAN,  /* nothing */
    CUT_SHORT,  /* a beginning of what was appended to each file */
    CUT_BLOCKS, /* blocks of 4 KB here and there, zeros between */
    CUT_KINDS
};

/* After the program was killed: `live` becomes what the power cut has left, `durable` is gone. */
void power_cut(const char *live, const char *durable, enum power_cut cut, uint64_t *seed);

#endif
