/* table/catalog.h - the catalogue of tables in memory: names to descriptions, read by every request
 * under a short shared lock, replaced by the committer when a change is durable. Inside the module.
 * Records: doc/catalog-format.md. */
#ifndef TABLE_CATALOG_H
#define TABLE_CATALOG_H

#include <pthread.h>
#include <stdatomic.h>

#include "table/locks.h"
#include "table/tables.h"

#define TABLES_MOST 2500 /* the service's default quota for an account and region */

/* Kinds of catalogue records that are ours: the first byte of their keys. */
#define CATALOG_TABLE   'T' /* name -> the table */
#define CATALOG_NUMBERS 'N' /* -> the next number of a table or an index */
#define CATALOG_DROPPED 'D' /* number -> a deleted table or index whose data is still there */
#define CATALOG_FILL    'F' /* number of an index, part -> how far it is filled */
#define CATALOG_TOKEN   'I' /* period, SHA-256 of a token -> the request it stands for */

/* A description that is held by whoever uses it: the catalogue, works. Immutable once it is in the
 * catalogue. */
struct table_entry {
    struct table table; /* its bytes are in the arena */
    struct arena arena;
    atomic_uint references;
    bool reclaimed;            /* its dropped log was taken off the disk; for maintain.c alone */
    uint8_t stamp[STAMP_MOST]; /* table.generation's bytes */
};

struct tables {
    struct engine *engine;
    struct committer *committer;
    struct locks *locks;
    char *arn;
    pthread_rwlock_t lock;        /* for the entries */
    struct table_entry **entries; /* in order of their names */
    size_t count, capacity;
    /* Owned by whoever has the lock CATALOG_LOCK, and by the committer on his behalf. */
    uint64_t next_number;
    uint8_t numbers_stamp[STAMP_MOST];
    bool numbers_stored; /* the record exists: numbers_stamp is its stamp */
    atomic_bool stale;   /* a change ended in doubt: read it all again before the next one */
    /* Of the one thread that maintains (maintain.c). */
    uint64_t trim_rest, rest_until, last_clock, last_monotonic;
    bool trimming; /* in this round */
    /* tables_watch() */
    void (*building)(void *context, const struct table *table);
    void *building_context;
};

/* A copy of a description, with one reference; ARN, bytes and all. */
struct table_entry *entry_new(const struct tables *tables, const struct table *table);
void entry_free(struct table_entry *entry); /* drops one reference; NULL is fine */

/* The entry, with a reference of the caller's; NULL: none. */
struct table_entry *catalog_find(struct tables *tables, struct bytes name);
/* Puts an entry in the place of its name, or removes (`entry` NULL) the name. Takes the reference.
 */
void catalog_install(struct tables *tables, struct bytes name, struct table_entry *entry);
/* Reads one name again, in case someone else has changed it. */
MUST_CHECK bool catalog_refresh(struct tables *tables, struct bytes name, struct err *err);
/* Reads it all again. Nobody may be changing it. */
MUST_CHECK bool catalog_load(struct tables *tables, struct err *err);

/* The work holds the entry too, until it is released; takes a reference of its own. */
void work_hold(struct work *work, struct table_entry *entry);

/* Stages the end of the records of an index that was built or dropped (fill.c). */
void index_fill_forget(struct engine_batch *batch, uint64_t index);

/* Whether the build of an index is behind an item key: what it had to put there is there. */
MUST_CHECK bool index_fill_passed(struct engine *engine, const struct engine_snapshot *snapshot,
                                  uint64_t index, struct bytes key, bool *passed, struct err *err);

/* What the counters of a table or an index say; `snapshot` NULL: now. */
MUST_CHECK bool number_figures(struct engine *engine, const struct engine_snapshot *snapshot,
                               uint64_t number, struct table_figures *out, struct err *err);

/* Drops the tokens that stand for nothing any more. Blocks. */
MUST_CHECK bool tokens_purge(struct tables *tables, struct err *err);

/* 'T' | name, 'D' | number: made in the arena. */
struct bytes catalog_key(struct arena *arena, uint8_t kind, struct bytes rest);
struct bytes catalog_number_key(struct arena *arena, uint8_t kind, uint64_t number);

/* The record of a table as a packed item, and back (catalog_record.c). `since_here`: recovery is
 * switched on by the very commit that writes the record. */
struct bytes table_record(const struct table *table, bool since_here, struct arena *arena);
MUST_CHECK bool table_record_read(const struct engine_limits *limits, struct bytes name,
                                  struct bytes value, struct arena *arena, struct table *out,
                                  struct err *err);

#endif
