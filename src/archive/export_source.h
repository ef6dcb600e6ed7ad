/* archive/export_source.h - what the data files of an export are written from: the table as it was
 * at an instant, or what changed in a window. Opened once for all files; they are written by
 * several threads at once. */
#ifndef ARCHIVE_EXPORT_SOURCE_H
#define ARCHIVE_EXPORT_SOURCE_H

#include "archive/data_file.h"
#include "archive/export_record.h"
#include "changelog/changelog.h"

struct export_source;

/* Reads the log; blocks. NULL on failure. */
struct export_source_settings {
    struct engine *engine;
    const struct export *export;
    const struct export_filter *filter; /* compiled; NULL: everything. Borrowed until close. */
    size_t scratch_most, fold_memory;   /* as of exports_settings */
    struct stop stop;
};
struct export_source *export_source_open(const struct export_source_settings *settings,
                                         struct err *err);
void export_source_close(struct export_source *source); /* NULL is fine */

/* About how many bytes of text an incremental export will have; 0 of a full one. */
uint64_t export_source_text(const struct export_source *source);

struct export_sink {
    struct data_file *file;
    /* Added up as lines are put, or filtered out behind the reading: spec/export.md 5.1, and the
     * developer guide's "Filtering a table export". */
    uint64_t billed_bytes;
    /* Asked after each key, which is borrowed; false ends the writing, which is then a success. */
    bool (*goes_on)(void *context, struct bytes key);
    void *context;
};

/* Puts the lines of the item keys in [from, to) that the filter takes, in key order; an empty `to`
 * is the end. */
MUST_CHECK bool export_source_write(struct export_source *source, struct bytes from,
                                    struct bytes to, struct export_sink *sink, struct err *err);

#endif
