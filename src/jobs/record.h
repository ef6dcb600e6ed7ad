/* jobs/record.h - records of jobs in the catalogue: a key that begins with a kind byte, and as its
 * value the stamp of its last write and a packed item. Whoever changes a record expects the stamp
 * that it read, so two writers cannot pass each other. Any thread. */
#ifndef JOBS_RECORD_H
#define JOBS_RECORD_H

#include "engine/engine.h"
#include "item/codec.h"

/* First bytes of the catalogue keys that jobs own; those of tables are in table/. */
enum record_kind {
    RECORD_JOB = 'J',    /* kind of job | 0 | name: there while the job is unfinished */
    RECORD_TURN = 'U',   /* kind of job: written by whoever puts one */
    RECORD_EXPORT = 'X', /* export ARN */
    RECORD_PART = 'P',   /* export ARN | part (4) */
    RECORD_TOKEN = 'K',  /* SHA-256 of a ClientToken */
    RECORD_FILTER = 'F', /* export ARN */
};

struct record {
    struct bytes stamp; /* empty: there is no such record */
    struct bytes item;
};

struct bytes record_key(struct arena *arena, enum record_kind kind, struct bytes name);

/* The least key above all that begin with `prefix`: the end of a scan. */
struct bytes record_key_after(struct arena *arena, struct bytes prefix);

/* Splits a value as it is stored; borrowed. ERR_CORRUPT. */
MUST_CHECK bool record_read(const struct engine *engine, struct bytes value, struct record *out,
                            struct err *err);

/* One record, copied to the arena; absence is an empty stamp. */
MUST_CHECK bool record_get(struct engine *engine, struct bytes key, struct arena *arena,
                           struct record *out, struct err *err);

/* Stages a record, or its removal, where it is still as it was read (`was`: its stamp). */
void record_put(struct engine_batch *batch, const struct engine *engine, struct bytes key,
                struct bytes was, struct bytes item);
void record_delete(struct engine_batch *batch, struct bytes key, struct bytes was);

#endif
