/* base/sorter.h - pairs that are put in any order and shown in the order of their names, each name
 * once, with what its values come to. What memory does not hold lies in scratch files; memory is
 * bounded whatever is put.
 *
 * One thread at a time puts; once sorter_ready() was told, many may walk, until the next put. */
#ifndef BASE_SORTER_H
#define BASE_SORTER_H

#include "base/buf.h"
#include "base/scratch.h"

struct sorter_settings {
    size_t memory_most; /* bytes of pairs in memory; a pair that is larger is held all the same */
    struct scratch *scratch;
    /* Appends what values of one name, two or more, come to: in the order in which they were put.
     * Any of them may be such an outcome itself. */
    bool (*join)(void *context, const struct bytes *values, size_t count, struct buf *out,
                 struct err *err);
    /* Asked while files are merged: false, with err filled, ends it. */
    bool (*goes_on)(void *context, struct err *err);
    void *context; /* of both, which several threads may call at once */
};

struct sorter;

struct sorter *sorter_new(const struct sorter_settings *settings);
void sorter_free(struct sorter *sorter); /* NULL is fine */

/* The value is the pieces, one behind the other. After a failure what was put before is still
 * there, and the pair is not. */
MUST_CHECK bool sorter_put(struct sorter *sorter, struct bytes name, const struct bytes *pieces,
                           size_t count, struct err *err);
MUST_CHECK bool sorter_ready(struct sorter *sorter, struct err *err);

/* Bytes of all pairs that are held, in memory and on disk. */
uint64_t sorter_size(const struct sorter *sorter);

struct sorted_pair {
    struct bytes name, value;
};

/* Walks the names in [from, to); an empty `to`: to the end. NULL on failure. `to` is borrowed. */
struct sorter_cursor;
struct sorter_cursor *sorter_cursor_open(const struct sorter *sorter, struct bytes from,
                                         struct bytes to, struct err *err);
/* `*found` false: there are no more. The pair is borrowed until the next call. */
MUST_CHECK bool sorter_cursor_next(struct sorter_cursor *cursor, struct sorted_pair *out,
                                   bool *found, struct err *err);
void sorter_cursor_close(struct sorter_cursor *cursor); /* NULL is fine */

#endif
