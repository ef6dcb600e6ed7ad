/* archive/export_job.h - inside archive/: what the accepting half of exports and the running half
 * share. */
#ifndef ARCHIVE_EXPORT_JOB_H
#define ARCHIVE_EXPORT_JOB_H

#include <pthread.h>
#include <stdatomic.h>

#include "archive/export.h"

#define EXPORT_JOB "export" /* the kind's name in records */

/* How far a run is: counted by its workers, read by anybody. */
struct export_meter {
    _Atomic enum export_phase phase;
    _Atomic uint32_t parts_done;
    _Atomic uint64_t items, item_bytes, file_bytes;
    _Atomic uint64_t hashes;                    /* done, in units of 2^32 of all 2^64 */
    _Atomic uint64_t found_hashes, found_bytes; /* of those, of parts that a run before this did */
    _Atomic uint64_t began_at;                  /* monotonic microseconds: writing did */
};

/* What the meter of a run says now. */
struct export_progress export_meter_read(struct export_meter *meter, uint32_t parts);

struct export_run;

struct exports {
    struct exports_settings settings;
    struct arn home;      /* our region and account */
    struct job_kind kind; /* filled by export_job_kind() */
    pthread_mutex_t lock; /* of the runs */
    struct export_run *runs;
    uint64_t swept_at; /* the clock's microseconds; the maintenance thread's alone */
};

struct engine *exports_engine(const struct exports *exports);

/* Service time, microseconds. */
uint64_t exports_now(const struct exports *exports);

/* It has ended, and its 90 days are over. */
bool export_expired(const struct export *export, uint64_t now_micros);

/* The steps of exports as a kind of job. */
void export_job_kind(struct exports *exports);

/* Deletes what is past its time: exports after 90 days, tokens after 8 hours. */
bool exports_sweep(void *exports, struct err *err);

#endif
