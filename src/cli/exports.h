/* cli/exports.h - what `gramme exports` knows of exports, and how it shows them. */
#ifndef CLI_EXPORTS_H
#define CLI_EXPORTS_H

#include "base/buf.h"
#include "base/err.h"

/* One export as the server tells of it; all borrowed. What is not told is empty, 0, or -1 for
 * `seconds_left`. */
struct export_row {
    struct bytes arn, status, phase, failure_code, failure_message;
    double items, item_bytes, share, rate, seconds_left, start, end;
};
struct export_rows {
    struct export_row *rows;
    size_t count;
};

/* Reads the answer of GET /gramme/exports; members it does not know are passed over. Text and arena
 * outlive the rows. */
MUST_CHECK bool export_rows_read(struct bytes text, struct arena *arena, struct export_rows *out,
                                 struct err *err);

bool export_row_runs(const struct export_row *row);
bool export_row_failed(const struct export_row *row);

/* Appends one line, without its end: with a bar, cut to `width` columns, for people who look at it;
 * or in whole numbers for what reads on. */
void export_row_draw(const struct export_row *row, size_t width, struct buf *out);
void export_row_tell(const struct export_row *row, struct buf *out);

#endif
