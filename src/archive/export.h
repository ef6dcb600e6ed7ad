/* archive/export.h - exports of a table as it was: accepted, described, listed, and run as jobs.
 * Behaviour and messages: spec/export.md 1 to 3.
 *
 * An export is accepted in one commit, which writes its record, its job, its ClientToken and its
 * pin on the table's log, and which comes at StartTime or later: so what was acknowledged before
 * the call lies before StartTime, and no commit that is still to come does. */
#ifndef ARCHIVE_EXPORT_H
#define ARCHIVE_EXPORT_H

#include "archive/export_record.h"
#include "archive/export_request.h"
#include "jobs/jobs.h"

/* Data files of one export at least (what the service writes for a new on-demand table), and at
 * most: part records are written in one batch. A file grows to about FILE_TEXT of lines. Above one
 * there are always a multiple of the least: files are of one size, and two or four workers that
 * share them end together. */
#define EXPORT_FILES_LEAST 4
#define EXPORT_FILES_MOST  2048
#define EXPORT_FILE_TEXT   (UINT64_C(256) * 1024 * 1024)

#define EXPORTS_AT_ONCE_MOST    300                               /* spec 2.7 */
#define EXPORTS_TB_AT_ONCE_MOST 100                               /* of tables; the same */
#define EXPORT_KEPT_MS          (UINT64_C(90) * 24 * 3600 * 1000) /* spec 1.5 */
#define EXPORT_TOKEN_KEPT_MS    (UINT64_C(8) * 3600 * 1000)       /* spec 2.8 */
#define EXPORTS_PAGE_DEFAULT    10                                /* spec 1.6 */
#define EXPORTS_PAGE_MOST       25

/* FailureMessage of trouble of our own, whose cause is the operator's, in the log (spec 2.9: "a
 * plain sentence"). What the store says is told as it is. */
#define EXPORT_SCRATCH  "The export needs more scratch space on disk than --scratch allows."
#define EXPORT_INTERNAL "An internal error ended the export; the server's log tells more."

struct exports;

/* Into how many files a table of so many bytes is exported. */
uint32_t export_parts_for(const struct table *table, uint64_t bytes);
/* Into how many files so much text goes, if that is more than `least`. */
uint32_t export_parts_in(uint64_t text, uint32_t least);

/* What an incremental export is billed for at least (spec 5.1): 10 MB. */
#define EXPORT_BILLED_LEAST UINT64_C(10000000)

struct exports_settings {
    struct tables *tables;
    struct jobs *jobs;
    struct store *store;
    size_t scratch_most; /* bytes of scratch for the past of one export; 0: no bound */
    size_t fold_memory;  /* what of the log is held in memory before that; 0: the default */
};

/* Registers the kind of job; before jobs_start(). The settings' parts outlive the exports; the jobs
 * are stopped before free, which also stops the store. */
struct exports *exports_new(const struct exports_settings *settings);
void exports_free(struct exports *exports);

/* Accepts an export: `*out`, in the work's arena, is what to answer once the work's commit is
 * durable. A request whose ClientToken was seen before submits nothing, and `*out` is that export
 * as it is now. */
enum run export_start(struct exports *exports, struct work *work,
                      const struct export_request *request, struct export *out, struct err *err);

MUST_CHECK bool export_describe(struct exports *exports, struct bytes arn, struct arena *arena,
                                struct export *out, struct err *err);

/* The S3 key of a completed export's summary, in the arena. */
struct bytes export_manifest_key(const struct export *export, struct arena *arena);

struct export_query {
    struct bytes table_arn; /* no data: all tables */
    uint32_t most;          /* 1 to EXPORTS_PAGE_MOST */
    struct bytes token;     /* no data: the first page */
};
struct export_page {
    const struct export *exports;
    uint32_t count;
    struct bytes next; /* no data: there are no more */
};
MUST_CHECK bool exports_list(struct exports *exports, struct work *work,
                             const struct export_query *query, struct export_page *out,
                             struct err *err);

enum export_phase {
    EXPORT_WAITS,   /* for a worker */
    EXPORT_READS,   /* the log, for the past */
    EXPORT_WRITES,  /* data files */
    EXPORT_FINISHES /* manifests */
};
const char *export_phase_name(enum export_phase phase);

/* How far an export is that runs now; false if none does under this name. Any thread. */
struct export_progress {
    enum export_phase phase;
    uint32_t parts, parts_done;
    uint64_t items, item_bytes;
    uint64_t file_bytes; /* compressed, since the start of this server */
    double share;        /* of the table that is done, by hashes: 0 to 1 */
    double bytes_rate;   /* item bytes a second since writing began */
    double seconds_left; /* at the rate so far; negative: not known yet */
};
bool export_progress(struct exports *exports, struct bytes arn, struct export_progress *out);

/* The exports in progress, and the latest `ended_most` of those that have ended; newest first in
 * each. Looks at the keys of all exports that are kept. In the arena. */
struct export_recent {
    struct export *running, *ended;
    uint32_t running_count, ended_count;
};
#define EXPORTS_RECENT_MOST 1000
MUST_CHECK bool exports_recent(struct exports *exports, uint32_t ended_most, struct arena *arena,
                               struct export_recent *out, struct err *err);

/* Appends figures of the exports that run, in Prometheus' text form. */
void exports_metrics(struct exports *exports, struct buf *out);

#endif
