/* archive/export_record.h - what is kept of an export: its record, a record for each part while it
 * runs, and one for its ClientToken. Layout: doc/export-records.md. Any thread. */
#ifndef ARCHIVE_EXPORT_RECORD_H
#define ARCHIVE_EXPORT_RECORD_H

#include "archive/export_filter.h"
#include "archive/manifest.h"
#include "jobs/record.h"
#include "store/store.h"

enum export_state {
    EXPORT_IN_PROGRESS,
    EXPORT_COMPLETED,
    EXPORT_FAILED,
};

/* Texts that are absent have no data. Times "_ms" are milliseconds since 1970. */
struct export
{
    struct bytes stamp; /* of the record as read; empty: not stored yet */
    struct bytes arn;   /* its name, and behind the last slash its id */
    enum export_state state;
    uint64_t start_ms;
    uint64_t time_ms;        /* ExportTime of a full export */
    uint64_t from_ms, to_ms; /* the window of an incremental one, in whole seconds */
    uint64_t end_ms; /* 0: not known yet; recorded ahead of the summary, so before COMPLETED */
    /* Microseconds: the table as of this is written, or what changed from here on. What was asked
     * for, or the log's floor in that second. */
    uint64_t instant;
    /* the table, as it was when the export was accepted */
    struct bytes table_arn, table_id;
    uint64_t table_number;
    uint64_t table_bytes; /* 0 of one that was accepted before this was kept */
    uint32_t table_epoch;
    struct bytes keys[2];
    uint32_t key_count;
    struct bytes local_indexes; /* table_locals_pack(): their entries are billed too */
    uint32_t parts; /* how many data files; of an incremental export fixed at its first run */
    /* the request, defaults filled in where the service echoes them */
    struct bytes client_token, bucket, bucket_owner, prefix, encryption, kms_key, format, type;
    struct bytes view; /* ExportViewType of an incremental export */
    bool filtered;     /* it has a record of its own beside this one: export_filter.h */
    const struct export_filter *filter; /* what that says, for whoever has read it too; else NULL */
    /* the result */
    uint64_t items, billed_bytes;
    struct bytes failure_code, failure_message;
};

const char *export_state_name(enum export_state state);
bool export_incremental(const struct export *export);
struct bytes export_id(const struct export *export);
struct bytes export_arn_id(struct bytes arn);

/* Absence is an empty `out->stamp`. The texts are in the arena. */
MUST_CHECK bool export_get(struct engine *engine, struct bytes arn, struct arena *arena,
                           struct export *out, struct err *err);
/* The same from key and value as a scan shows them; borrowed. */
MUST_CHECK bool export_read(const struct engine *engine, struct bytes key, struct bytes value,
                            struct export *out, struct err *err);
/* Stages the record; its removal. Both expect `export->stamp`. */
void export_put(struct engine_batch *batch, const struct engine *engine,
                const struct export *export);
void export_delete(struct engine_batch *batch, const struct export *export);

/* One data file. The parts of an export are written all at once, at its first run. */
struct export_part {
    struct bytes stamp;
    uint32_t number;
    struct bytes name;      /* FILE_NAME_SIZE */
    struct bytes upload_id; /* of the upload that runs, or was cut off; absent: none */
    bool done;
    uint64_t items, item_bytes;
    struct bytes md5, etag;
};
void export_part_put(struct engine_batch *batch, const struct engine *engine, struct bytes arn,
                     const struct export_part *part);
void export_part_delete(struct engine_batch *batch, struct bytes arn,
                        const struct export_part *part);
MUST_CHECK bool export_part_get(struct engine *engine, struct bytes arn, uint32_t number,
                                struct arena *arena, struct export_part *out, struct err *err);

/* What a ClientToken stands for. */
struct export_token {
    struct bytes stamp;
    struct bytes arn;     /* the export's */
    struct bytes request; /* export_request_canonical() */
    uint64_t start_ms;
};
MUST_CHECK bool export_token_get(struct engine *engine, struct bytes token, struct arena *arena,
                                 struct export_token *out, struct err *err);
/* Stages it, expecting `record->stamp`. */
void export_token_put(struct engine_batch *batch, const struct engine *engine, struct bytes token,
                      const struct export_token *record);

#endif
