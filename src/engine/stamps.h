/* engine/stamps.h - the clock of an engine that gives its own stamps: 52 bits of microseconds, 12
 * of counter. For engines only; the essay is in stamps.c. */
#ifndef ENGINE_STAMPS_H
#define ENGINE_STAMPS_H

#include <stdatomic.h>

#include "engine/engine.h"

#define STAMP_SIZE 8 /* bytes that this clock needs of a stamp */

struct stamps {
    _Atomic uint64_t least; /* microseconds: no answer and no commit from here on is before it */
    /* the committer's own */
    uint64_t time;    /* of the last slot given */
    uint32_t counter; /* free ones at `time` begin here */
    uint64_t ceiling; /* stored: above all times in the store */
};

/* `ceiling` as stored, 0 for an empty store. ERR_CONFIG where it is more than `ahead_most` ahead of
 * the clock, or the clock is out of range. */
MUST_CHECK bool stamps_open(struct stamps *stamps, uint64_t ceiling, uint64_t ahead_most,
                            struct err *err);

/* The service time. Any thread. */
uint64_t stamps_now(struct stamps *stamps);

/* Gives the batch its time and stamps, and writes them at its marks. `stamp_size` is the engine's;
 * what is over 8 bytes is filled. The committer's thread. */
void stamps_give(struct stamps *stamps, struct engine_batch *batch, size_t stamp_size);

/* True when the batches that were given stamps must not be stored without a new ceiling in the same
 * atomic write; `*ceiling` is what to store. stamps_raised() once it is. The committer's thread. */
bool stamps_raise(const struct stamps *stamps, uint64_t *ceiling);
void stamps_raised(struct stamps *stamps, uint64_t ceiling);

/* What a clean close stores as the ceiling. */
uint64_t stamps_close(struct stamps *stamps);

/* The least stamp of a commit at `micros` or later. */
void stamps_at(uint64_t micros, size_t stamp_size, uint8_t *stamp);

#endif
