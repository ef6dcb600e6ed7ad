/* changelog/fold.h - the fold of a log by key, in memory or in a scratch store: what all readers of
 * the past begin with. Inside the module. */
#ifndef CHANGELOG_FOLD_H
#define CHANGELOG_FOLD_H

#include <pthread.h>
#include <stdatomic.h>

#include "changelog/changelog.h"

/* What a fold holds at the end, by item key. */
enum fold_kind {
    FOLD_IMAGES,  /* SPACE_ITEMS: key -> the image before the first record; no bytes: absent */
    FOLD_CHANGES, /* SPACE_CHANGELOG: key | number (4) -> pieces of a change, see fold_piece */
};

struct fold_settings {
    enum fold_kind kind;
    struct engine *engine;
    const struct engine_snapshot *snapshot; /* borrowed; NULL: none, the log grows under us */
    uint64_t table;
    uint32_t epoch;
    uint64_t from, to; /* records with a time in [from, to) count; `to` of IMAGES: UINT64_MAX */
    bool new_only;     /* of CHANGES: images before are not wanted, see fold_piece */
    const char *scratch;
    size_t scratch_most, memory_most;
    struct log_stop stop;
};

struct fold_pair {
    struct bytes name, value;
};

/* One shard's records as far as they are folded. */
struct fold_shard {
    pthread_mutex_t lock; /* for what follows, and the shard's keys in the scratch store */
    struct buf next;      /* the first log key that was not looked at */
    uint32_t pieces;      /* chunks that went to the scratch store */
    /* where that is none at the end: what would be there, in order of the names */
    struct arena arena;
    struct fold_pair *pairs;
    uint32_t count;
    size_t kept; /* bytes of names and values */
};

struct fold {
    struct fold_settings settings;
    char *scratch_name;
    pthread_mutex_t write_lock; /* one commit to the scratch store at a time, and its opening */
    struct engine *scratch;     /* NULL: all is kept in memory */
    size_t scratch_used;        /* under write_lock */
    _Atomic bool failed;        /* a shard has: the others need not go on */
    struct fold_shard shards[LOG_SHARDS];
};

/* Folds all there is into memory or a scratch store, a thread for each shard. ERR_CORRUPT where the
 * log does not reach back to `from`: whoever folds has pinned it, or its floor could not be trusted
 * for long. What a failure leaves is to be closed, too. */
MUST_CHECK bool fold_open(struct fold *fold, const struct fold_settings *settings, struct err *err);
void fold_close(struct fold *fold);

/* Folds what a shard's log has got since; of IMAGES without a snapshot. Any thread. */
MUST_CHECK bool fold_more(struct fold *fold, uint32_t shard, struct err *err);

/* Shows what there is with a name in [from, to), as an engine's scan does; an empty `to`: all. Any
 * thread. */
MUST_CHECK enum scan_end fold_scan(struct fold *fold, struct bytes from, struct bytes to,
                                   bool (*visit)(void *context, struct bytes name,
                                                 struct bytes value),
                                   void *context, struct err *err);
size_t fold_size(const struct fold *fold); /* bytes that fold_scan() shows */

/* What one chunk of records says of a key. Pieces of one key have rising numbers, in the order of
 * the commits: each begins with the image that the one before it ended with. With `new_only` the
 * image before is left out where there is one after; else it is the last that there was, since the
 * key's attributes are wanted. */
struct fold_piece {
    struct bytes before, after; /* BYTES_NONE: absent */
    uint64_t digest;            /* of the true image before, by fold_digest() */
    uint64_t time;              /* of the last write */
    uint64_t size;              /* of all images, before and after each write, by item_size() */
};
#define FOLD_PIECE_NUMBER 4               /* bytes behind the item key */
uint64_t fold_digest(struct bytes image); /* 0: absent */
MUST_CHECK bool fold_piece_read(struct bytes value, struct fold_piece *out, struct err *err);

#endif
