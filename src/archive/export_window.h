/* archive/export_window.h - which windows an incremental export may have: spec/export.md 2.6. Pure
 * functions. */
#ifndef ARCHIVE_EXPORT_WINDOW_H
#define ARCHIVE_EXPORT_WINDOW_H

#include "archive/export_request.h"

#define EXPORT_WINDOW_LEAST_S 900         /* 15 minutes */
#define EXPORT_WINDOW_MOST_S  (24 * 3600) /* a day */

/* In seconds since 1970: what a window is told in. */
struct export_window {
    uint64_t from, to;
};

/* The window that a request names: fractions are cut off, and where it has no end it ends in this
 * second. `least` is the earliest it may begin in, `now` the service time, both microseconds. */
MUST_CHECK bool export_window_check(const struct export_request *request, uint64_t least,
                                    uint64_t now, struct export_window *out, struct err *err);

#endif
