/* changelog/fold.h - the fold of a log into a scratch store: for each key that was written at or
 * after an instant, its image at that instant. Inside the module. */
#ifndef CHANGELOG_FOLD_H
#define CHANGELOG_FOLD_H

#include <pthread.h>

#include "changelog/changelog.h"

/* One shard's records as far as they are folded. */
struct fold_shard {
    pthread_mutex_t lock; /* for what follows, and the shard's keys in the scratch store */
    struct buf next;      /* the first log key that was not looked at */
};

struct fold {
    struct past_settings settings;
    const struct engine_snapshot *snapshot; /* NULL: none, the log grows under us */
    struct engine *scratch;                 /* SPACE_ITEMS: item key -> image; no bytes: absent */
    pthread_mutex_t write_lock;             /* one commit to the scratch store at a time */
    size_t scratch_used;                    /* under write_lock */
    struct fold_shard shards[LOG_SHARDS];
};

/* Folds all there is. The settings are copied; snapshot and scratch store are borrowed. */
MUST_CHECK bool fold_open(struct fold *fold, const struct past_settings *settings,
                          const struct engine_snapshot *snapshot, struct engine *scratch,
                          struct err *err);
void fold_close(struct fold *fold);

/* Folds what a shard's log has got since. Any thread. */
MUST_CHECK bool fold_more(struct fold *fold, uint32_t shard, struct err *err);

#endif
