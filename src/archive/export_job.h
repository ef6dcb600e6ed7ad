/* archive/export_job.h - inside archive/: what the accepting half of exports and the running half
 * share. */
#ifndef ARCHIVE_EXPORT_JOB_H
#define ARCHIVE_EXPORT_JOB_H

#include <pthread.h>

#include "archive/export.h"

#define EXPORT_JOB "export" /* the kind's name in records */

struct export_run;

struct exports {
    struct exports_settings settings;
    struct arn home;      /* our region and account */
    struct job_kind kind; /* filled by export_job_kind() */
    pthread_mutex_t lock; /* of the runs */
    struct export_run *runs;
    uint64_t swept_at; /* the clock's microseconds; the maintenance thread's alone */
};

/* The steps of exports as a kind of job. */
void export_job_kind(struct exports *exports);

/* Deletes what is past its time: exports after 90 days, tokens after 8 hours. */
bool exports_sweep(void *exports, struct err *err);

#endif
