/* test/support/database.h - tables on an engine, used from a thread that blocks. */
#ifndef SUPPORT_DATABASE_H
#define SUPPORT_DATABASE_H

#include "table/tables.h"

struct database {
    struct engine *engine;
    struct committer *committer;
    struct tables *tables;
};

/* Takes the engine over. Trimming does not rest. */
void database_open(struct database *database, struct engine *engine);
void database_close(struct database *database);

/* Maintains until nothing rests: a first round sees the clock's steps, a second one trims. */
bool database_maintain(struct database *database, struct err *err);

/* One operation: its arena, its waiter, its work. */
struct call {
    struct arena arena;
    struct blocker blocker;
    struct work work;
    struct err err; /* of the last call_run() that failed */
};
void call_init(struct call *call, struct database *database);
void call_release(struct call *call);
bool call_run(struct call *call,
              enum run (*step)(struct work *work, void *context, struct err *err), void *context);

/* Any table. */
bool database_create_table(struct database *database, const struct table *wanted, struct err *err);

/* A table with the partition key "pk" (S) and, if `sort`, the sort key "sk" (N). */
bool database_create(struct database *database, const char *name, bool sort, struct err *err);
bool database_delete(struct database *database, const char *name, struct err *err);
bool database_recovery(struct database *database, const char *name, bool enabled, uint32_t days,
                       struct err *err);

/* One write of several: an item {pk: key, v: value}, or its deletion (`value` NULL). */
struct simple_write {
    const char *table, *key, *value;
};
/* All in one commit, or nothing; `*time` is the commit's, 0 if there was nothing to commit. */
bool database_write(struct database *database, const struct simple_write *writes, size_t count,
                    uint64_t *time, struct err *err);
bool database_put(struct database *database, const char *table, const char *key, const char *value);

/* One write of an item in JSON, in which ' stands for "; of a deletion only the key is looked at.
 */
bool database_put_json(struct database *database, const char *table, const char *item,
                       struct err *err);
bool database_delete_json(struct database *database, const char *table, const char *key,
                          struct err *err);

/* The item's "v" in the call's arena; BYTES_NONE: there is no such item. */
struct bytes database_get(struct call *call, const char *table, const char *key);

/* Holds the description of a table in the call's work; the test fails if there is none. */
const struct table *database_table(struct call *call, const char *name);

/* {pk: key, v: value}; `value` NULL leaves it out. */
struct bytes simple_item(struct arena *arena, const char *key, const char *value);

#endif
