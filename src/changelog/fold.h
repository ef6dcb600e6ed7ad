/* changelog/fold.h - the fold of a log by key, in memory or in scratch files: what all readers of
 * the past begin with. Inside the module. */
#ifndef CHANGELOG_FOLD_H
#define CHANGELOG_FOLD_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/sorter.h"
#include "changelog/changelog.h"

/* What a fold shows of each item key. */
enum fold_kind {
    FOLD_IMAGES,  /* the image before the first record; no bytes: absent */
    FOLD_CHANGES, /* a piece of all records, see piece.h */
};

struct fold_settings {
    enum fold_kind kind;
    struct engine *engine;
    const struct engine_snapshot *snapshot; /* borrowed; NULL: none, the log grows under us */
    uint64_t table;
    uint32_t epoch;
    uint64_t from, to; /* records with a time in [from, to) count; `to` of IMAGES: UINT64_MAX */
    struct bytes key_from, key_to; /* item keys; an empty one is no bound */
    bool new_only;                 /* of CHANGES: images before are not wanted, see piece.h */
    size_t scratch_most, memory_most;
    struct stop stop;
};

/* One shard's records as far as they are folded. */
struct fold_shard {
    pthread_mutex_t lock; /* of a fold that grows: held by the cursors that are on the shard */
    struct buf next;      /* the first log key that was not looked at */
    struct sorter *sorter;
    uint64_t images, kept; /* bytes of all images that were looked at; of what was kept of them */
};

struct fold {
    struct fold_settings settings;
    struct scratch scratch;
    _Atomic bool failed; /* a shard has: the others need not go on */
    struct fold_shard shards[LOG_SHARDS];
};

/* Folds all there is, a thread for each shard. ERR_CORRUPT where the log does not reach back to
 * `from`: whoever folds has pinned it, or its floor could not be trusted for long. What a failure
 * leaves is to be closed, too. */
MUST_CHECK bool fold_open(struct fold *fold, const struct fold_settings *settings, struct err *err);
void fold_close(struct fold *fold);

/* False, with err filled, once somebody wants the end or a shard has failed. */
MUST_CHECK bool fold_goes_on(struct fold *fold, struct err *err);

/* Shows the keys in [from, to), in their order; an empty `to`: to the end. Both are borrowed until
 * the end. Of images without a snapshot what the log has got since is folded first, and the shards
 * are this cursor's until it ends: it shows what was until its beginning. Any thread; begin and end
 * by the same one, and end also what failed. */
struct fold_cursor {
    struct fold *fold;
    struct bytes from, to;
    uint32_t first, shard, last; /* shards */
    uint32_t locked;             /* of them, from the first on */
    struct sorter_cursor *pairs; /* of the shard; NULL: it is at none */
};
MUST_CHECK bool fold_cursor_begin(struct fold_cursor *cursor, struct fold *fold, struct bytes from,
                                  struct bytes to, struct err *err);
MUST_CHECK bool fold_cursor_next(struct fold_cursor *cursor, struct sorted_pair *out, bool *found,
                                 struct err *err);
void fold_cursor_end(struct fold_cursor *cursor);

uint64_t fold_size(const struct fold *fold); /* about: bytes of images that are shown */

#endif
