/* base/runs.h - sorted runs of pairs in scratch files, and what walks many of them as one. Inside
 * the sorter: sorter.h is what the others see. */
#ifndef BASE_RUNS_H
#define BASE_RUNS_H

#include "base/buf.h"
#include "base/scratch.h"
#include "base/sorter.h"

/* --- runs ------------------------------------------------------------------------------------- */

/* A name's first eight bytes as a number: most names differ there, so few are compared whole. */
uint64_t name_prefix(struct bytes name);

/* Where a walk may begin. */
struct run_mark {
    uint64_t prefix; /* of the first name there */
    uint64_t at;     /* in the file */
};

/* Names rise, each once. */
struct run {
    uint64_t from, to; /* in the file */
    struct run_mark *marks;
    uint32_t mark_count;
};

struct run_writer {
    struct scratch_file *file;
    struct run run;
    uint32_t stride, unmarked; /* a mark every so many blocks; blocks since the last */
    struct buf blocks;         /* not written yet */
    size_t block_at;           /* where in them the last begins, to which more is put */
    uint64_t first;            /* prefix of its first name */
};

void run_begin(struct run_writer *writer, struct scratch_file *file);
MUST_CHECK bool run_put(struct run_writer *writer, struct bytes name, struct bytes value,
                        struct err *err);
/* The run's marks are the caller's to free. */
MUST_CHECK bool run_commit(struct run_writer *writer, struct run *out, struct err *err);
void run_abort(struct run_writer *writer); /* the file is as before run_begin() */

/* --- pairs in memory -------------------------------------------------------------------------- */

/* A pair lies as name's size (4), value's size (4), name, value, here and in runs. */
struct pair_ref {
    uint64_t prefix;
    const uint8_t *pair;
};

#define PAIR_HEAD 8
void pair_head_put(uint8_t *to, size_t name_size, size_t value_size);
struct bytes pair_name(const uint8_t *pair);
struct bytes pair_value(const uint8_t *pair);

/* --- walking ---------------------------------------------------------------------------------- */

/* A run or sorted pairs in memory, from its next pair on. */
struct source {
    const struct pair_ref *next, *end; /* of memory */
    const struct scratch_file *file;   /* NULL: of memory */
    uint64_t at, to;
    struct buf block;
    size_t block_at;
    uint64_t prefix; /* of the pair that it is at */
    struct bytes name, value;
};

struct source source_of_run(const struct run *run, const struct scratch_file *file,
                            struct bytes from);
struct source source_of_memory(const struct pair_ref *refs, size_t count);

/* Sources in the order in which their pairs were put. */
struct merge {
    const struct sorter_settings *settings;
    struct source *sources;
    uint32_t *heap, *shown; /* indexes: those that wait, and those whose name was shown last */
    uint32_t count, heap_count, shown_count;
    struct bytes *values; /* of those shown */
    struct buf joined;
};

/* Takes over the sources, which are on the heap, at the first of their names that is not before
 * `from`. Release it in any case. */
MUST_CHECK bool merge_begin(struct merge *merge, const struct sorter_settings *settings,
                            struct source *sources, uint32_t count, struct bytes from,
                            struct err *err);
/* The next name, with what its values come to; borrowed until the next call. */
MUST_CHECK bool merge_next(struct merge *merge, struct sorted_pair *out, bool *found,
                           struct err *err);
void merge_release(struct merge *merge);

#endif
