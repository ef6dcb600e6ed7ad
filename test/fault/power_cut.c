/* test/fault/power_cut.c - what support/power.h does after a kill, for tests that are no C:
 *
 *     power-cut LIVE DURABLE KIND SEED
 *
 * KIND: a number below CUT_KINDS. */
#include <stdlib.h>

#include "support/check.h"
#include "support/power.h"

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    unsigned long kind = strtoul(argv[3], NULL, 10);
    uint64_t seed = strtoull(argv[4], NULL, 10);
    if (kind >= CUT_KINDS)
        return 2;
    power_cut(argv[1], argv[2], (enum power_cut)kind, &seed);
    return 0;
}
