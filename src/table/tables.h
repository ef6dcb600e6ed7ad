/* table/tables.h - the tables of one database: the catalogue and what is done to items. One
 * operation becomes one engine batch. Messages are the service's to the letter. */
#ifndef TABLE_TABLES_H
#define TABLE_TABLES_H

#include "base/clock.h"
#include "base/wait.h"
#include "changelog/changelog.h"
#include "expr/key_condition.h"
#include "table/schema.h"

struct tables;

struct tables_settings {
    struct engine *engine;
    struct committer *committer;
    const char *region, *account;
    /* How long trimming rests after a start and after a step of the clock, microseconds; 0: the
     * default. An operator has so long to see and to mend a wrong clock before history goes. */
    uint64_t trim_rest;
};
#define TRIM_REST_DEFAULT (UINT64_C(600) * SECOND_MICROS)

/* Reads the catalogue. The engine and the committer must outlive it. */
struct tables *tables_open(const struct tables_settings *settings, struct err *err);
void tables_close(struct tables *tables);
struct engine *tables_engine(const struct tables *tables);
struct committer *tables_committer(const struct tables *tables);
struct bytes
tables_arn(const struct tables *tables); /* "arn:aws:dynamodb:<region>:<account>:table/" */

/* --- work: one operation as it runs ----------------------------------------------------------- */

/* What a handler answers. After WAIT it is run again from the top; until its batch is submitted it
 * has no side effects but the locks it holds, and after that it never waits. */
enum run {
    RUN_DONE,
    RUN_FAILED, /* see err; nothing was submitted */
    RUN_WAIT,   /* the waiter was parked and will be woken, then run again */
};

/* One operation's claim on the database: its arena, its references, its locks, its batch. Lives in
 * the request (or job) that runs it. */
struct work {
    struct tables *tables;
    struct arena *arena;
    struct waiter *waiter;
    struct table_reference *references; /* tables held; dropped by work_release() */
    struct lock_claim *claims;          /* key locks held or waited for */
    struct change *change;              /* of the catalogue, under way */
    uint32_t conflicts;                 /* commits refused so far */
    struct engine_batch batch;
    struct commit commit;
    uint64_t lock_too; /* a lock that table_write() takes beside those of its keys; 0: none */
    bool submitted;    /* the batch was handed to the committer: the waiter is parked until it is
                       durable */
    /* What is to happen once the batch is durable, before the waiter is woken: on the committer's
     * thread, must not block. NULL: nothing. work_restart() clears it. */
    void (*committed)(struct work *work);
    void *committed_context;
};

void work_init(struct work *work, struct tables *tables, struct arena *arena,
               struct waiter *waiter);
/* Before a rerun, and before the arena is rewound: drops references and the batch, keeps the locks.
 * After a conflict it looks up anew the tables that were held: reads the engine. */
void work_restart(struct work *work);
/* Gives everything back. After the outcome is known, or when nothing was submitted. Any thread. */
void work_release(struct work *work);

/* The current description of a table, held until the work is released; `name` may be an ARN of a
 * table. ERR_RESOURCE_NOT_FOUND "Requested resource not found" (the service's wording for item
 * operations). */
MUST_CHECK bool work_table(struct work *work, struct bytes name, const struct table **out,
                           struct err *err);

/* The same with the wording of the operations on tables: "Requested resource not found: Table: x
 * not found" (dynalite's tests against the service, describeTable). */
MUST_CHECK bool work_table_named(struct work *work, struct bytes name, const struct table **out,
                                 struct err *err);
/* The same for operations that have a wording of their own; NULL: there is no such table. */
const struct table *work_find_table(struct work *work, struct bytes name);

/* Runs `step` to its end on a thread that may block, as a request would be run: waits, runs it
 * again after WAIT and CONFLICT, waits for the commit. The work's waiter is a blocker's
 * (base/wait.h). True: done and, if it submitted, durable: work->batch.time is its commit's. The
 * caller releases the work. What the last run left in the arena stays. */
MUST_CHECK bool work_run(struct work *work,
                         enum run (*step)(struct work *work, void *context, struct err *err),
                         void *context, struct err *err);
#define WORK_CONFLICTS_MOST 100 /* reruns of one operation after a conflict */
/* The same with a work, an arena and a waiter of its own. */
MUST_CHECK bool work_run_alone(struct tables *tables,
                               enum run (*step)(struct work *work, void *context, struct err *err),
                               void *context, struct err *err);

/* Takes all of `ids`, which it puts in order: RUN_WAIT as long as others have some of them. They
 * are held until the work's batch is durable or the work is released. */
enum run work_lock(struct work *work, uint64_t *ids, size_t count, struct err *err);

/* For operations of the layers above (exports), which stage their own batch in work->batch: it
 * expects the table to be what `table` says (its generation); and it is handed to the committer,
 * after which the waiter is parked and the handler answers RUN_DONE. */
void work_expect_table(struct work *work, const struct table *table);
void work_submit(struct work *work);

/* --- items ------------------------------------------------------------------------------------ */

/* One item as it is now; the packed item is pinned: release the value. */
MUST_CHECK bool table_get(struct work *work, const struct table *table, struct bytes key,
                          struct engine_value *pin, struct bytes *item, bool *found,
                          struct err *err);

enum write_kind {
    WRITE_PUT,
    WRITE_DELETE,
    WRITE_NOTHING, /* the item stays what it is: a condition is checked, or the outcome is the same
                    */
};

/* What a write changes of one index: nothing where both sizes are 0 or nothing that is projected
 * changed. */
struct index_change {
    bool changed;
    bool moved;                  /* the index key is another one: a deletion and a put */
    uint64_t old_size, new_size; /* item_size() of the entry's item; 0: no entry */
};

struct write {
    enum write_kind kind;
    const struct table *table;
    struct bytes key;  /* item key */
    struct bytes item; /* PUT: packed */
    /* Called once `old` is known and locked: may check it, and may set `kind` and `item`, which
     * need not be there before. False fails the call, which then writes nothing. NULL: nothing to
     * settle.
     */
    bool (*settle)(struct write *write, struct arena *arena, struct err *err);
    void *context;
    /* filled before `settle` and `answer` are called */
    struct bytes old; /* the item before, in the work's arena; BYTES_NONE: there was none */
    /* filled before `answer` is called */
    struct index_change *indexes; /* one for each of table->indexes */
    /* Bytes of the item's collection before the call and after it, entries of local indexes
     * included; 0 for tables without local indexes, and of WRITE_NOTHING. */
    uint64_t collection_before, collection_after;
};

/* The service's bound on an item collection (developer guide, "Item collections"): a write that
 * makes one grow beyond it fails with ERR_COLLECTION_SIZE. For an `answer`. The words are those of
 * a cancelled transaction's reason in the API reference. */
#define COLLECTION_SIZE_MOST (UINT64_C(10) << 30)
MUST_CHECK bool collection_check(const struct write *write, struct err *err);

/* The key of the item's collection as an item: the partition key alone. Empty for tables without
 * local indexes. */
struct bytes collection_key(const struct write *write, struct arena *arena);

/* All writes or none, in one commit: locks the keys (in key order) or waits, reads the old items,
 * settles what is written, has `answer` build the reply (it may stage more of its own), stages
 * items, statistics and log records, and submits. RUN_DONE: the reply is built and may be sent once
 * the waiter is woken and work->batch.outcome is COMMIT_OK; on CONFLICT run again from the top.
 * Keys are distinct. A delete of nothing stages nothing; where there is nothing to stage at all,
 * nothing is submitted and the reply may go at once. */
enum run table_write(struct work *work, struct write *writes, size_t count,
                     bool (*answer)(void *context, const struct write *writes, size_t count,
                                    struct err *err),
                     void *context, struct err *err);

/* The same for reads alone: `writes` are of the kind WRITE_NOTHING, `old` of each is the item as of
 * one instant, the same for all, and nothing is submitted. With an engine that has snapshots it
 * waits for nobody. */
enum run table_read(struct work *work, struct write *reads, size_t count,
                    bool (*answer)(void *context, const struct write *reads, size_t count,
                                   struct err *err),
                    void *context, struct err *err);

/* --- requests that count once ----------------------------------------------------------------- */

#define TOKEN_KEPT         (UINT64_C(600) * SECOND_MICROS) /* as the service: 10 minutes */
#define TOKEN_REQUEST_SIZE 32

/* What a ClientRequestToken stands for. A request with one sets work->lock_too to token_lock(),
 * looks the token up in a `settle`, which is under that lock, and stages it in its `answer`. */
struct token {
    struct bytes name;
    uint8_t request[TOKEN_REQUEST_SIZE]; /* a digest of all that makes two requests the same */
    struct bytes places[2], stamps[2];   /* where it is, or would be: token.c */
};
uint64_t token_lock(struct bytes name);
/* `*replayed`: the same request was made before. ERR_IDEMPOTENT_MISMATCH: another one was. */
MUST_CHECK bool token_look(struct work *work, struct token *token, bool *replayed, struct err *err);
void token_stage(struct work *work, const struct token *token);

/* The items of a table in the order of a Scan, shown to `visit` with their item keys; or the
 * entries of one of its indexes, with their index keys. */
struct table_scan {
    const struct table *table;
    const struct table_index *index; /* of the table; NULL: the table itself */
    struct bytes from; /* item key or index key, exclusive; empty: the start of the segment */
    uint32_t segment, segments;
    bool (*visit)(void *context, struct bytes key, struct bytes item);
    void *context;
};
/* Whether an item key lies in the scan's segment. */
bool table_scan_covers(const struct table_scan *scan, struct bytes key);
enum scan_end table_scan(struct work *work, const struct table_scan *scan, struct err *err);

/* The items of one partition key that a key query asks for, shown to `visit` with their item keys
 * in the order of their sort keys, or against it; or the entries of an index, with index keys, when
 * the query is on the index's key. */
struct table_query {
    const struct table *table;
    const struct table_index *index; /* of the table; NULL: the table itself */
    const struct key_query *query;
    bool backward;
    struct bytes from; /* item key or index key, exclusive; empty: the start of what is asked */
    bool (*visit)(void *context, struct bytes key, struct bytes item);
    void *context;
};
enum scan_end table_query(struct work *work, const struct table_query *query, struct err *err);

/* The item keys that a query of the table's own key asks for, in the arena: [from, to); an empty
 * `to` is the end of the table. */
void table_query_range(const struct table *table, const struct key_query *query,
                       struct arena *arena, struct bytes *from, struct bytes *to);

/* Exact, as of the last commit. */
struct table_figures {
    int64_t items, bytes;
};
MUST_CHECK bool table_figures(struct tables *tables, const struct table *table,
                              struct table_figures *out, struct err *err);
MUST_CHECK bool index_figures(struct tables *tables, const struct table_index *index,
                              struct table_figures *out, struct err *err);

/* --- the catalogue ---------------------------------------------------------------------------- */

/* Changes to the catalogue are work too: staged, submitted, waited for. On success `*out` is the
 * table as it will be once durable (in the work's arena or held by it). The service's checks that
 * need the catalogue are made here (exists, in use, protected, limits); shapes were checked before.
 */
enum run tables_create(struct work *work, const struct table *wanted, const struct table **out,
                       struct err *err);
enum run tables_delete(struct work *work, struct bytes name, const struct table **out,
                       struct err *err);
/* `changed` is a copy of the current table with the wanted changes; runs again if the table has
 * changed since. An index whose number is 0 is new: it gets its number and is `building`, even
 * where the table is empty, since a write that is under way does not know of it. One that is
 * missing is dropped, and its entries are deleted in the background. */
enum run tables_update(struct work *work, const struct table *current, const struct table *changed,
                       const struct table **out, struct err *err);
/* Switches point-in-time recovery and sets its period; keeps floor and log in step. Where there is
 * something to change it answers WAIT while that is committed, and the rerun finds it done: so
 * `*out` has the exact time of the enabling, which only the commit gives. */
enum run tables_set_recovery(struct work *work, const struct table *current, bool enabled,
                             uint32_t days, const struct table **out, struct err *err);

/* Names in byte order, from behind `after`, at most `most`; returns how many. */
size_t tables_list(struct work *work, struct bytes after, size_t most, struct bytes *names,
                   bool *more);
/* Calls for each table there is; holds no lock while it calls. For background work. */
bool tables_each(struct tables *tables,
                 bool (*visit)(void *context, const struct table *table, struct err *err),
                 void *context, struct err *err);

/* --- indexes that are being built ------------------------------------------------------------- */

/* A new index lacks the items that were there before it; that it is `building` in the table's
 * description is all there is of its job, so the commit that makes the index is the one that
 * promises the work. The job (jobs/build_index.h) walks the items as they are, in parts of equal
 * ranges of hashes, and puts the entries that are missing. See fill.c. */
#define INDEX_PARTS 16 /* on the disk: never changes */

/* From now on `building` is called with each description that was changed and has an index that is
 * being built: on the committer's thread, must not block. Before the first operation. */
void tables_watch(struct tables *tables, void (*building)(void *context, const struct table *table),
                  void *context);

/* One part of an index on its way. One thread at a time. */
struct index_fill {
    struct tables *tables;
    struct bytes table;    /* name, borrowed */
    uint64_t index;        /* number */
    uint32_t part;         /* below INDEX_PARTS */
    uint64_t items, added; /* looked at, and entries that were put, since it was opened */
    struct buf from;       /* the item key to go on from */
    bool done;             /* all was looked at; or there is no such index to be built any more */
};

/* Goes on where the part's record says that a run before this one has ended. */
MUST_CHECK bool index_fill_open(struct index_fill *fill, struct tables *tables, struct bytes table,
                                uint64_t index, uint32_t part, struct err *err);
void index_fill_close(struct index_fill *fill);
/* A few more items, in one commit with the part's record. Blocks. After a failure it may be called
 * again. */
MUST_CHECK bool index_fill_step(struct index_fill *fill, struct err *err);

/* Once all parts are done: one commit after which the index is read, and there are no records of
 * its parts. Nothing where the index is not being built any more. Blocks. */
MUST_CHECK bool index_fill_finish(struct tables *tables, struct bytes table, uint64_t index,
                                  struct err *err);

/* The window of recovery as of service time, microseconds (spec/export.md 5.3). */
uint64_t table_earliest(const struct table *table, uint64_t now);
uint64_t table_latest(const struct table *table, uint64_t now);

/* What time and deletion leave behind: trims logs to their periods, deletes the items and logs of
 * dropped tables that no pin holds. Blocks; the maintenance job calls it again and again. */
MUST_CHECK bool tables_maintain(struct tables *tables, struct err *err);

#endif
