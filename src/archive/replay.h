/* archive/replay.h - a full export and the incremental ones that follow it, put together to the
 * table that results, and written as a full export again. All are read through verify. Memory does
 * not grow with them, see sorted.h: what is more goes to the scratch, up to the items of the full
 * export and the new images of the others. Blocks; one thread. */
#ifndef ARCHIVE_REPLAY_H
#define ARCHIVE_REPLAY_H

#include "archive/diff.h"

struct replay_target {
    struct store *store;
    const char *bucket, *prefix; /* as an export's S3Bucket and S3Prefix; "": none */
    /* Asked from the first object on, between items: then it fails, and no upload is left. What was
     * written has no summary, and is no export. */
    struct stop stop;
};

struct replay_result {
    const char *export_arn, *folder; /* its name, and where in the bucket it is; in the arena */
    uint64_t time_ms;                /* the table as of this */
    uint64_t items, files;
};

/* `sources[0]` is the full export, the others incremental ones, in any order: their windows must
 * follow each other from its time on, without a gap or an overlap. Each OldImage must be what the
 * table holds, by a hash of 64 bits. ERR_CONFIG for exports that do not fit together; ERR_CORRUPT
 * for those that are not whole, with what verify found in `*problems`, or that contradict each
 * other: nothing is written then. */
MUST_CHECK bool exports_replay(const struct diff_source *sources, size_t count,
                               struct scratch *scratch, const struct replay_target *target,
                               struct arena *arena, struct replay_result *out, struct buf *problems,
                               struct err *err);

#endif
