/* jobs/build_index.h - the kind of job that fills the indexes that were added to tables. A table's
 * description says which are being built, and the tables tell of each that begins; so nobody stages
 * anything for a job of this kind (table/tables.h, "indexes that are being built"). */
#ifndef JOBS_BUILD_INDEX_H
#define JOBS_BUILD_INDEX_H

#include "jobs/jobs.h"

struct index_builds;

/* Registers the kind; before jobs_start(), and before the first operation on the tables, which it
 * watches from now on. Both must outlive it. */
struct index_builds *index_builds_new(struct tables *tables, struct jobs *jobs);
void index_builds_free(struct index_builds *builds); /* once the jobs have stopped */

/* Appends figures in Prometheus' text form. Any thread. */
void index_builds_metrics(struct index_builds *builds, struct buf *out);

#endif
