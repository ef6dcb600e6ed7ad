/* archive/export_request.h - what ExportTableToPointInTime was asked, and what is wrong with it as
 * a request. Pure functions. */
#ifndef ARCHIVE_EXPORT_REQUEST_H
#define ARCHIVE_EXPORT_REQUEST_H

#include "archive/arn.h"
#include "archive/export_filter.h"

/* As sent, its shape already checked; a member that was not sent has no data (BYTES_NONE), one that
 * was sent empty has data and no size. */
struct export_request {
    struct bytes table_arn;
    struct bytes bucket, bucket_owner, prefix, encryption, kms_key;
    struct bytes format, type, client_token;
    bool timed;       /* ExportTime was sent */
    uint64_t time_ms; /* it, since 1970; what is before that is 0 */
    bool window;      /* IncrementalExportSpecification was sent */
    bool window_from; /* with ExportFromTime in it */
    bool window_to;   /* with ExportToTime */
    uint64_t from_ms, to_ms;
    struct bytes view;            /* ExportViewType */
    struct export_filter *filter; /* FilterSpecification, compiled; NULL: not sent */
};

bool export_request_incremental(const struct export_request *request);

/* Checks members against each other (spec/export.md 2.4); `*name` is the table's, from the ARN
 * (2.3). */
MUST_CHECK bool export_request_check(const struct export_request *request, const struct arn *home,
                                     struct bytes *name, struct err *err);

/* The same bytes for the same request, other bytes for any other: what a ClientToken stands for. An
 * item in the arena. */
struct bytes export_request_canonical(const struct export_request *request, struct arena *arena);

#endif
