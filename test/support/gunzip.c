/* test/support/gunzip.c - what is in a gzip member. */
#include "support/gunzip.h"
#include "support/check.h"

#include <isa-l.h>
#include <stdlib.h>

void gunzip(struct bytes file, struct buf *out)
{
    struct inflate_state *state = malloc(sizeof *state);
    int outcome;

    assert_non_null(state);
    isal_inflate_init(state);
    state->crc_flag = ISAL_GZIP;
    state->next_in = (uint8_t *)file.data;
    state->avail_in = (uint32_t)file.size;
    do {
        size_t room = 1 << 20;
        state->next_out = buf_room(out, room);
        state->avail_out = (uint32_t)room;
        outcome = isal_inflate(state);
        out->size += room - state->avail_out;
        assert_int_equal(outcome, ISAL_DECOMP_OK);
    } while (state->block_state != ISAL_BLOCK_FINISH && state->avail_out == 0);
    assert_int_equal(state->block_state, ISAL_BLOCK_FINISH);
    assert_int_equal(state->avail_in, 0);
    free(state);
}
