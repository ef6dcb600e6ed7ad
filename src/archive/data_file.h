/* archive/data_file.h - one data file of an export as it is written: items or changes in, an object
 * of gzipped lines out (archive/line.h). Format: spec/export.md 3.5. One thread at a time.
 *
 * While a part is on its way to the store the next one is compressed. Memory is bounded: two parts
 * of the upload (of 8 MiB; one until the first is full, and of the last part), one chunk of lines,
 * one item's text. */
#ifndef ARCHIVE_DATA_FILE_H
#define ARCHIVE_DATA_FILE_H

#include "archive/line.h"
#include "jobs/jobs.h"
#include "store/store.h"

struct data_file_settings {
    struct job *job; /* whose step writes it, and waits for the store; NULL: nobody's */
    struct store *store;
    struct object_location where;
    struct object_settings object;
    struct line_form form;
};

struct data_file_figures {
    uint64_t items;      /* lines */
    uint64_t item_bytes; /* of items and images, by item_size() */
    uint64_t text_bytes; /* of lines */
    uint64_t file_bytes; /* compressed */
};

struct data_file_result {
    struct data_file_figures figures;
    struct upload_sums sums; /* of the compressed bytes */
};

struct data_file;

/* Begins the upload. The settings' names and texts are borrowed until close. NULL on failure. */
struct data_file *data_file_open(const struct data_file_settings *settings, struct err *err);

/* What to abandon if the process dies before close. */
const char *data_file_upload_id(const struct data_file *file);

/* A line of a full export; of an incremental one. */
MUST_CHECK bool data_file_put_item(struct data_file *file, struct bytes item, struct err *err);
MUST_CHECK bool data_file_put_change(struct data_file *file, const struct line_change *change,
                                     struct err *err);

/* Whether what is put next may have to wait for the store: then whoever holds something that others
 * want gives it back and calls data_file_wait() first. */
bool data_file_waits(const struct data_file *file);
MUST_CHECK bool data_file_wait(struct data_file *file, struct err *err);

/* How far it is; what was put but not yet compressed is counted. */
struct data_file_figures data_file_figures(const struct data_file *file);

/* Completes the object. */
MUST_CHECK bool data_file_finish(struct data_file *file, struct data_file_result *out,
                                 struct err *err);

/* Aborts the upload if it was not finished; NULL is fine. */
void data_file_close(struct data_file *file);

#endif
