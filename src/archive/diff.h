/* archive/diff.h - what changed from one full export to another. Both are read through verify, and
 * nothing is told of exports that are not whole. Memory does not grow with them, see sorted.h: what
 * is more goes to the scratch, up to the items of both. Blocks; one thread. */
#ifndef ARCHIVE_DIFF_H
#define ARCHIVE_DIFF_H

#include "archive/verify.h"

struct diff_source {
    struct store *store;
    struct verify_settings settings; /* without a visitor; the keys must be named */
    const char *name;                /* for messages */
};

struct diff_figures {
    uint64_t added, removed, changed, same;
};

/* Shows each item that is in one alone or differs, in the order of the keys; an image that is
 * absent has no size. False ends it, with err filled by the visitor. ERR_CORRUPT, with the problems
 * that verify found in `*problems`, for an export that is not whole. */
MUST_CHECK bool
exports_diff(const struct diff_source sources[2], struct scratch *scratch,
             bool (*visit)(void *context, struct bytes before, struct bytes after, struct err *err),
             void *context, struct diff_figures *figures, struct buf *problems, struct err *err);

/* Reads an export through verify: what `diff` and `replay` read with. */
MUST_CHECK bool export_read_whole(const struct diff_source *source, struct scratch *scratch,
                                  const struct verify_visitor *visitor,
                                  struct verify_report *report, struct buf *problems,
                                  struct err *err);

#endif
