/* archive/export_run.h - inside archive/: an export as it runs. Its steps are in export_job.c,
 * which begins it, export_part.c, which writes one data file, and export_end.c, which ends it. */
#ifndef ARCHIVE_EXPORT_RUN_H
#define ARCHIVE_EXPORT_RUN_H

#include "archive/export_job.h"
#include "archive/export_source.h"

struct export_run {
    struct exports *exports;
    struct job *job;
    struct export_run *next; /* exports->lock */
    struct arena arena;      /* of the texts below; no step changes them, so threads share them */
    struct export export;    /* as read by start() */
    enum line_format format;
    const char *bucket;
    struct object_settings object; /* but for the content type */
    enum line_view view;
    struct export_filter filter; /* compiled; of an export without one all of it empty */
    struct export_source *source;
    bool resumed;      /* a process before this one had begun with it */
    _Atomic bool left; /* a step was stopped amid an upload, which may be in the store still */
    struct export_meter meter;
};

struct engine *export_run_engine(const struct export_run *run);

/* One commit of the job's own: staged, and staged again after a conflict. */
MUST_CHECK bool export_run_commit(struct export_run *run,
                                  bool (*stage)(struct export_run *run, const void *context,
                                                struct engine_batch *batch, struct err *err),
                                  const void *context, struct err *err);

/* The record as it is now; JOB_ENDED if it has no more to do. A job without a record (its last
 * commit was answered as unknown, and the record has expired since) goes too. */
enum job_end export_run_read(struct export_run *run, struct bytes arn, struct arena *arena,
                             struct export *out, struct err *err);

/* Puts an object into the export's folder; of `_started` not for long. */
MUST_CHECK bool export_run_put(struct export_run *run, const char *leaf, const char *content_type,
                               struct bytes body, struct err *err);

/* --- export_part.c --- */

/* Writes a data file, unless a run before this one has. */
enum job_end export_part_run(struct export_run *run, uint32_t number, struct err *err);

struct object_location export_part_location(const struct export_run *run, struct arena *arena,
                                            const struct export_part *part);

/* Abandons the uploads that a part has left (X2); false: the store cannot be cleared now. */
bool export_part_clear(struct export_run *run, struct arena *arena, const struct export_part *part);

/* --- export_end.c --- */

/* Writes the manifests and records success. */
enum job_end export_run_finish(struct export_run *run, struct err *err);

/* Records the failure, and clears what tries have left in the store. */
enum job_end export_run_fail(struct export_run *run, struct bytes arn, const struct err *why,
                             struct err *err);

#endif
