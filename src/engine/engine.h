/* engine/engine.h - an ordered store of bytes with atomic batches. It knows bytes alone: not
 * tables, not items. It promises only what every engine can keep (RocksDB here, PostgreSQL or
 * FoundationDB later), and callers build on no more. memory.c is the model that judges the others;
 * test/engine/ is the contract.
 *
 * What an engine promises:
 *  E1  A batch happens whole or not at all, and nothing is shown that is not durable.
 *  E2  Every slot of a batch gets a stamp of its own; stamps rise strictly in commit order, over
 *      restarts and steps of the clock too. All slots of one batch share one time (microseconds),
 *      and times never fall in stamp order.
 *  E3  Once a commit has answered, no commit that answers later has a stamp before any of its own.
 *  E4  A batch whose expectation does not hold answers CONFLICT and changes nothing. Expectations
 *      are of the state before the batch, wherever they stand in it.
 *  E5  A failed or doubtful sync is fail-stop: UNKNOWN for what waits, and no commit until a
 *      restart. A full disk refuses commits (DISK_FULL) and goes on reading.
 *
 * Reads may be called from any thread. commit() is called by one thread, the committer
 * (committer.h). */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/scratch.h"

/* The key spaces, one each for what DESIGN.md "Data layout" lists. */
enum engine_space {
    SPACE_CATALOG,
    SPACE_ITEMS,
    SPACE_INDEX,
    SPACE_CHANGELOG,
    SPACE_STATISTICS,
    ENGINE_SPACES
};

#define STAMP_MOST       16   /* the widest stamp of any engine, bytes; 8 the narrowest */
#define BATCH_SLOTS_MOST 4096 /* of one batch: they share a microsecond */

/* Limits are data: table/ works in chunks of them. */
struct engine_limits {
    size_t stamp_size;           /* bytes of a stamp */
    size_t key_most, value_most; /* bytes */
    size_t batch_most;           /* bytes of keys and values in one batch */
    bool snapshots;              /* snapshot_new() gives something */
};

struct engine;
struct engine_snapshot;

/* --- batches ---------------------------------------------------------------------------------- */

enum batch_kind {
    BATCH_PUT,
    BATCH_DELETE,
    BATCH_DELETE_RANGE, /* key: from, inclusive; value: to, exclusive, not empty */
    BATCH_ADD,          /* a value of `value.size / 8` big-endian signed counters; adds to each */
    BATCH_EXPECT,       /* the key is absent (value empty) or its value begins with `value` */
};

#define NO_MARK UINT32_MAX

struct batch_op {
    enum batch_kind kind;
    enum engine_space space;
    uint8_t *key;
    uint8_t *value;
    uint32_t key_size, value_size;
    /* PUT: where the engine writes the slot's stamp and the batch's time (8 bytes, big-endian
     * microseconds) into the caller's bytes; NO_MARK: nowhere. */
    uint32_t slot, stamp_in_key, stamp_in_value, time_in_value;
    /* EXPECT: true: a lock or the like makes it hold, the engine may trust it; false: check it. */
    bool trusted;
};

enum commit_outcome {
    COMMIT_OK,
    COMMIT_CONFLICT, /* an expectation did not hold: nothing happened */
    COMMIT_UNKNOWN,  /* it may or may not have happened; `err` says why */
    COMMIT_FAILED,   /* it did not happen; `err` says why */
};

/* Lives in the arena of whoever submits it, with the bytes its ops point to, until commit answers.
 */
struct engine_batch {
    struct arena *arena;
    struct batch_op *ops;
    uint32_t count, capacity;
    uint32_t slots;      /* stamps wanted */
    uint64_t not_before; /* the batch's time is at least this (microseconds); 0: whenever */
    /* the answer */
    enum commit_outcome outcome;
    uint64_t time;   /* of the commit, microseconds */
    struct err *err; /* in the arena; set when UNKNOWN or FAILED */
};

void batch_init(struct engine_batch *batch, struct arena *arena);
size_t batch_size(const struct engine_batch *batch); /* bytes of keys and values */

/* A new slot: a stamp for what is written under it. At most BATCH_SLOTS_MOST. */
uint32_t batch_slot(struct engine_batch *batch);

/* Stages one operation. Keys and values are borrowed until commit answers; put_marked() has the
 * engine write into them (make them in the arena). */
void batch_put(struct engine_batch *batch, enum engine_space space, struct bytes key,
               struct bytes value);
struct batch_op *batch_put_marked(struct engine_batch *batch, enum engine_space space,
                                  struct buf *key, struct buf *value, uint32_t slot);
void batch_delete(struct engine_batch *batch, enum engine_space space, struct bytes key);
void batch_delete_range(struct engine_batch *batch, enum engine_space space, struct bytes from,
                        struct bytes to);
void batch_add(struct engine_batch *batch, enum engine_space space, struct bytes key,
               const int64_t *deltas, uint32_t count);
/* `prefix` empty: absent. */
void batch_expect(struct engine_batch *batch, enum engine_space space, struct bytes key,
                  struct bytes prefix, bool trusted);

/* --- reads ------------------------------------------------------------------------------------ */

/* A value, pinned in the engine until released. */
struct engine_value {
    struct bytes bytes;
    void *handle; /* the engine's; NULL: nothing to release */
    void (*release)(void *handle);
};

static inline void engine_value_release(struct engine_value *value)
{
    if (value->handle != NULL)
        value->release(value->handle);
    *value = (struct engine_value){0};
}

/* A scan shows each pair to `visit` in key order (or against it), until there is no more, the
 * visitor answers false (that pair counts as seen), or the engine has read as much as it will in
 * one go. Key and value are borrowed for the call. Two scans need not show one instant, one scan of
 * an engine without snapshots neither. */
struct engine_scan {
    enum engine_space space;
    struct bytes from, to; /* inclusive, exclusive; an empty `to`: the end of the space */
    bool backward;         /* from the last key before `to` down to `from` */
    bool bulk;             /* a long walk: read ahead, keep out of the cache */
    const struct engine_snapshot *snapshot; /* NULL: the newest */
    bool (*visit)(void *context, struct bytes key, struct bytes value);
    void *context;
};

enum scan_end {
    SCAN_DONE,    /* all of the range was shown */
    SCAN_STOPPED, /* the visitor wanted no more */
    SCAN_PAUSED,  /* the engine wants a new scan from behind the last key shown */
    SCAN_FAILED,  /* see err */
};

/* --- engines ---------------------------------------------------------------------------------- */

struct engine_ops {
    const char *name;
    bool (*get)(struct engine *engine, const struct engine_snapshot *snapshot,
                enum engine_space space, struct bytes key, struct engine_value *out, bool *found,
                struct err *err);
    enum scan_end (*scan)(struct engine *engine, const struct engine_scan *scan, struct err *err);
    struct engine_snapshot *(*snapshot_new)(struct engine *engine); /* NULL: has none */
    void (*snapshot_free)(struct engine *engine, struct engine_snapshot *snapshot);
    /* Commits many batches with one sync, each with its own stamps and outcome, in the order given.
     * Answers in the batches. Not before this returns is any of them shown. */
    void (*commit)(struct engine *engine, struct engine_batch **batches, uint32_t count);
    /* The service time: max(clock, time of the last stamp). Never falls while open, and no later
     * commit is before it; after a restart it is above the time of every commit there was. An
     * instant that must stand for ever, and be visible as a whole, is fixed by a commit with
     * not_before (stamps.c). */
    uint64_t (*now)(struct engine *engine);
    /* The least stamp that a commit at `micros` or later can have. */
    void (*stamp_at)(struct engine *engine, uint64_t micros, uint8_t *stamp);
    /* Drops what was deleted by range from the disk at once; a hint. */
    void (*reclaim)(struct engine *engine, enum engine_space space, struct bytes from,
                    struct bytes to);
    /* Appends figures in Prometheus' text form. */
    void (*metrics)(struct engine *engine, struct buf *out);
    void (*close)(struct engine *engine);
};

struct engine {
    const struct engine_ops *ops;
    struct engine_limits limits;
    struct scratch_place scratch; /* for a job's own sorting */
};

static inline void engine_close(struct engine *engine)
{
    if (engine != NULL)
        engine->ops->close(engine);
}

/* `*found` false and `*out` empty where there is no such key. Release `out` when it was found. */
MUST_CHECK static inline bool engine_get(struct engine *engine,
                                         const struct engine_snapshot *snapshot,
                                         enum engine_space space, struct bytes key,
                                         struct engine_value *out, bool *found, struct err *err)
{
    return engine->ops->get(engine, snapshot, space, key, out, found, err);
}

MUST_CHECK static inline enum scan_end engine_scan(struct engine *engine,
                                                   const struct engine_scan *scan, struct err *err)
{
    return engine->ops->scan(engine, scan, err);
}

/* Scans on past every pause of the engine: DONE, STOPPED or FAILED. */
MUST_CHECK enum scan_end engine_scan_all(struct engine *engine, const struct engine_scan *scan,
                                         struct err *err);

/* --- opening ---------------------------------------------------------------------------------- */

struct rocksdb_settings {
    const char *directory;
    size_t memory;             /* bytes, for block cache and write buffers together */
    bool relaxed;              /* answer before the sync */
    uint64_t clock_ahead_most; /* microseconds that the stored time may be ahead of the clock */
};
#define ROCKSDB_MEMORY_DEFAULT ((size_t)256 * 1024 * 1024)
#define CLOCK_AHEAD_MOST_DEFAULT                                                                   \
    (UINT64_C(300) * 1000000) /* DESIGN.md: over 5 minutes refuses the start */

/* NULL: ERR_CONFIG with a sentence for the operator (folder in use, written by a newer version,
 * clock far behind the stored time), or ERR_STORAGE. */
struct engine *engine_open_rocksdb(const struct rocksdb_settings *settings, struct err *err);

/* The same as it is, for commands: nothing in the folder is changed, nobody else may have it open
 * or opens it meanwhile, and nothing can be committed. What is in the log only is held in memory,
 * and what a reader sorts lies in /tmp.
 * `directory` and `memory` alone count. */
struct engine *engine_open_rocksdb_as_is(const struct rocksdb_settings *settings, struct err *err);

/* The model; everything is gone when it is closed. What to torment the caller with: */
struct memory_settings {
    bool snapshots;   /* offer them */
    size_t page_most; /* pairs shown before a scan pauses; 0: no pause */
    uint64_t seed;    /* for what follows, one in n times; 0: never */
    uint32_t conflict_one_in, unknown_one_in;
    size_t stamp_size; /* 8 to STAMP_MOST */
};
struct engine *engine_open_memory(const struct memory_settings *settings);

#endif
