/* changelog/changelog.h - every write in commit order, and what is read from it: the table as it
 * was at an instant (past), the net changes of a window (changes), and how far back the log reaches
 * (floor, pins, trimming). Formats: doc/changelog-format.md. DESIGN.md "The one idea", "The past".
 *
 * The rule of all times here: an instant T means the effect of all commits with time before T. */
#ifndef CHANGELOG_CHANGELOG_H
#define CHANGELOG_CHANGELOG_H

#include "base/stop.h"
#include "engine/committer.h"
#include "engine/engine.h"

/* --- where things lie ------------------------------------------------------------------------- */

#define LOG_SHARD_BITS 2 /* 4 shards: what the service has for a new table */
#define LOG_SHARDS     (1u << LOG_SHARD_BITS)

/* SPACE_ITEMS: table number (8) | hash (8) | partition key part | sort key part
 *   -> stamp (engine's width) | time (8) | packed item
 * "item key" below means the bytes from the hash on: what a log record names. */
#define ITEM_KEY_AT 8

struct stored_item {
    struct bytes stamp;
    uint64_t time; /* of the last write, microseconds */
    struct bytes item;
};
MUST_CHECK bool stored_item_read(const struct engine_limits *limits, struct bytes value,
                                 struct stored_item *out, struct err *err);
/* Stages a value of that form under a key; the bytes are made in the batch's arena, the engine
 * fills in stamp and time. Answers the value's bytes: readable once the batch has committed.
 * Catalogue records of tables and log states have the same form. */
struct bytes stored_item_put(struct engine_batch *batch, const struct engine_limits *limits,
                             enum engine_space space, struct bytes key, struct bytes item,
                             uint32_t slot);

/* --- records ---------------------------------------------------------------------------------- */

enum cause {
    CAUSE_WRITE = 1, /* a client's */
    CAUSE_EXPIRY,    /* time to live */
};

struct log_record {
    uint64_t time; /* of the commit; filled by the engine when appended */
    enum cause cause;
    struct bytes key;           /* the item key */
    struct bytes before, after; /* packed items; BYTES_NONE: absent */
};

/* Stages the record of one write into its batch, under the write's slot. */
void changelog_append(struct engine_batch *batch, const struct engine_limits *limits,
                      uint64_t table, uint32_t epoch, uint32_t slot,
                      const struct log_record *record);
MUST_CHECK bool log_record_read(struct bytes value, struct log_record *out, struct err *err);

/* The shard that an item key's records are in: the top bits of its hash. */
uint32_t log_shard(struct bytes item_key);
/* Appends where a shard's records are: the part of a log key before the stamp. `log_put_end` is
 * the first key behind all of them. */
void log_put_prefix(struct buf *out, uint64_t table, uint32_t epoch, uint32_t shard);
void log_put_end(struct buf *out, uint64_t table, uint32_t epoch, uint32_t shard);

/* --- how far back: floor and pins ------------------------------------------------------------- */

/* One catalogue record for each table number with a log: the floor and the pins, changed only
 * together and only by batches that expect the state they read, so accepting a job and trimming
 * cannot pass each other. */
struct log_pin {
    struct bytes owner; /* the job's name */
    uint64_t time;      /* it needs the log from here on */
};
#define LOG_FLOOR_HERE 0          /* for writing: just above the commit that writes it */
#define LOG_FLOOR_NONE UINT64_MAX /* when read: there is no log */
struct log_state {
    struct bytes stamp; /* of the stored record, for batch_expect(); empty: no record */
    uint64_t floor;     /* microseconds; what is before it is gone */
    const struct log_pin *pins;
    uint32_t pin_count;
};
MUST_CHECK bool log_state_read(struct engine *engine, uint64_t table, struct arena *arena,
                               struct log_state *out, struct err *err);
/* Stages the new state, expecting the one that was read (`old->stamp`). */
void log_state_write(struct engine_batch *batch, const struct engine_limits *limits, uint64_t table,
                     const struct log_state *old, const struct log_state *state);
void log_state_delete(struct engine_batch *batch, uint64_t table, const struct log_state *old);

/* The state with one pin more or less, in the arena. */
struct log_state log_state_pinned(const struct log_state *state, const struct log_pin *pin,
                                  struct arena *arena);
struct log_state log_state_unpinned(const struct log_state *state, struct bytes owner,
                                    struct arena *arena);

/* Raises the floor of a table to `floor`, or as far as the pins allow, then deletes what is before
 * it; does nothing where the floor is there already. Blocks; for a background thread. Conflicts are
 * retried. */
MUST_CHECK bool changelog_trim(struct engine *engine, struct committer *committer, uint64_t table,
                               uint32_t epoch, uint64_t floor, struct err *err);

/* --- the past --------------------------------------------------------------------------------- */

/* The table at `instant`, opened once for all parts of a job and read by several threads at once.
 */
struct past;
struct past_settings {
    struct engine *engine;
    uint64_t table;
    uint32_t epoch;
    uint64_t instant;
    /* The item keys that walks will ask for: [key_from, key_to), of which an empty one is no bound.
     * Nothing else is folded. Borrowed until close. */
    struct bytes key_from, key_to;
    size_t scratch_most; /* bytes of scratch before ERR_SCRATCH_LIMIT; 0: no bound */
    size_t memory_most;  /* bytes that the fold holds; 0: the default. A walk has less. */
    struct stop stop;    /* once it is wanted, reading fails with ERR_OVERLOADED */
};
/* Folds the log from the instant on, with a thread for each shard. Blocks; NULL on failure. */
struct past *past_open(const struct past_settings *settings, struct err *err);
void past_close(struct past *past);

/* Shows the items of the instant whose item key is in [from, to), in key order; an empty `to` is
 * the end of the table. `item` is borrowed for the call; answering false stops the walk, which is
 * then a success. Any thread, one walk a thread. ERR_CORRUPT where items and log disagree. */
struct past_visitor {
    bool (*visit)(void *context, struct bytes key, struct bytes item, struct err *err);
    void *context;
};
MUST_CHECK bool past_walk(struct past *past, struct bytes from, struct bytes to,
                          const struct past_visitor *visitor, struct err *err);

/* --- changes ---------------------------------------------------------------------------------- */

/* The net changes of the commits with a time in [from, to): past(from) + changes(from, to) =
 * past(to), and windows that adjoin share no write and miss none. Opened once for all parts of a
 * job and read by several threads at once. */
struct changes;
struct changes_settings {
    struct engine *engine;
    uint64_t table;
    uint32_t epoch;
    uint64_t from, to;                /* microseconds; no commit before `to` is still to come */
    struct bytes key_from, key_to;    /* as of past_settings */
    bool new_only;                    /* what it was before is not asked: see net_change */
    size_t scratch_most, memory_most; /* these as of past_settings */
    struct stop stop;                 /* likewise */
};
/* Folds the log of the window, with a thread for each shard. Blocks; NULL on failure. */
struct changes *changes_open(const struct changes_settings *settings, struct err *err);
void changes_close(struct changes *changes);

/* About how many bytes of images there are to walk. */
uint64_t changes_size(const struct changes *changes);

/* What became of a key that was written in the window: its image just before `from`, and just
 * before `to`. Both may be absent, or equal: it was written all the same. With `new_only`, `before`
 * is an image that the key had at some time where there is none after, and else empty. Borrowed for
 * the call. */
struct net_change {
    struct bytes key;           /* the item key */
    struct bytes before, after; /* packed items; empty: absent */
    bool existed;               /* there was an image before */
    uint64_t time;              /* of its last write in the window, microseconds */
    uint64_t size;              /* of the images before and after each of its writes, together */
};
struct changes_visitor {
    bool (*visit)(void *context, const struct net_change *change, struct err *err);
    void *context;
};
/* Shows the changes whose item key is in [from, to), in key order; as past_walk(). */
MUST_CHECK bool changes_walk(struct changes *changes, struct bytes from, struct bytes to,
                             const struct changes_visitor *visitor, struct err *err);

#endif
