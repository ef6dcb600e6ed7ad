/* archive/sorted.h - items in the order of their keys, on disk: what is made of exports that are
 * larger than memory. A scratch store in a folder of its own, gone when it is closed. One thread.
 */
#ifndef ARCHIVE_SORTED_H
#define ARCHIVE_SORTED_H

#include "engine/engine.h"

/* Ours: for writes that are gathered and for RocksDB's cache. */
#define SORTED_MEMORY ((size_t)64 * 1024 * 1024)

struct sorted {
    char *folder; /* a temporary one */
    struct engine *engine;
    struct arena arena; /* of the batch */
    struct engine_batch batch;
    size_t gathered; /* bytes in it */
};

/* Makes it in `folder`, which is there already; NULL: in TMPDIR, or else in /tmp. */
MUST_CHECK bool sorted_open(struct sorted *sorted, const char *folder, struct err *err);
void sorted_close(struct sorted *sorted);

/* Where an item belongs: hash, partition key, sort key, as tables have it; in the arena. `names`:
 * one or two, the second NULL if there is none. ERR_CORRUPT if the item lacks them. */
MUST_CHECK bool sorted_key(struct bytes item, const char *const names[2], struct arena *arena,
                           struct bytes *out, struct err *err);

/* What was put under a key before is replaced; an empty value removes it. Written at the latest by
 * the next get or walk. */
MUST_CHECK bool sorted_put(struct sorted *sorted, struct bytes key, struct bytes value,
                           struct err *err);

/* `*found` false: there is none. Release `out` when it was found. */
MUST_CHECK bool sorted_get(struct sorted *sorted, struct bytes key, struct engine_value *out,
                           bool *found, struct err *err);

/* Shows all from `from` on and before `to` (empty: to the end), in order. False from `visit` ends
 * it, with err filled by the visitor. */
MUST_CHECK bool sorted_walk(struct sorted *sorted, struct bytes from, struct bytes to,
                            bool (*visit)(void *context, struct bytes key, struct bytes value,
                                          struct err *err),
                            void *context, struct err *err);

#endif
