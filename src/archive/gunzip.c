/* archive/gunzip.c - ISA-L's inflate with its check of the CRC and the length at the end. */
#include "archive/gunzip.h"

#include <assert.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>

#define TEXT_PIECE ((size_t)64 * 1024)
#define FEED_MOST  ((size_t)1 << 30) /* ISA-L counts in 32 bits */

struct gunzip {
    struct inflate_state state;
    uint8_t text[TEXT_PIECE];
};

struct gunzip *gunzip_new(void)
{
    struct gunzip *gunzip = malloc(sizeof *gunzip);

    assert(gunzip != NULL);
    isal_inflate_init(&gunzip->state);
    gunzip->state.crc_flag = ISAL_GZIP;
    return gunzip;
}

void gunzip_free(struct gunzip *gunzip)
{
    free(gunzip);
}

static bool ended(const struct gunzip *gunzip)
{
    return gunzip->state.block_state == ISAL_BLOCK_FINISH;
}

/* One buffer of text; `*full` if there may be more of it without further input. */
static bool inflate_some(struct gunzip *gunzip, struct bytes *text, bool *full, struct err *err)
{
    struct inflate_state *state = &gunzip->state;

    state->next_out = gunzip->text;
    state->avail_out = TEXT_PIECE;
    int code = isal_inflate(state);
    if (code == ISAL_INCORRECT_CHECKSUM)
        return err_fail(err, ERR_CORRUPT, "the gzip checksum is wrong");
    if (code != ISAL_DECOMP_OK && code != ISAL_END_INPUT)
        return err_fail(err, ERR_CORRUPT, "it is not gzip, or damaged (%d)", code);
    *text = bytes_of(gunzip->text, TEXT_PIECE - state->avail_out);
    *full = state->avail_out == 0;
    return true;
}

bool gunzip_put(struct gunzip *gunzip, struct bytes piece,
                bool (*take)(void *context, struct bytes text, struct err *err), void *context,
                struct err *err)
{
    struct bytes text;
    bool full = true;

    assert(piece.size <= FEED_MOST);
    if (piece.size == 0)
        return true;
    gunzip->state.next_in = (uint8_t *)piece.data; /* which it only reads */
    gunzip->state.avail_in = (uint32_t)piece.size;
    while (!ended(gunzip) && (gunzip->state.avail_in > 0 || full)) {
        if (!inflate_some(gunzip, &text, &full, err))
            return false;
        if (text.size > 0 && !take(context, text, err))
            return false;
    }
    if (ended(gunzip) && gunzip->state.avail_in > 0)
        return err_fail(err, ERR_CORRUPT, "something follows the end of the gzip data");
    return true;
}

bool gunzip_end(const struct gunzip *gunzip, struct err *err)
{
    return ended(gunzip) || err_fail(err, ERR_CORRUPT, "the gzip data breaks off");
}
