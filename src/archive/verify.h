/* archive/verify.h - checks that an export is whole, full or incremental, in either format: its
 * manifests, their checksums, every data file and every line in it (spec/export.md 3 and 4), and
 * that a full one's folder holds nothing else. Works on any store, knows nothing of the server that
 * wrote it, and takes memory for one line, one manifest, and the keys that seen.h keeps, however
 * large the export is. What reads exports for another end (`gramme diff`, `gramme replay`) reads
 * them through this, and so uses nothing that is not whole. Blocks; one thread. */
#ifndef ARCHIVE_VERIFY_H
#define ARCHIVE_VERIFY_H

#include "archive/line.h"
#include "base/scratch.h"
#include "store/store.h"

struct verify_report;

/* What is shown of an export on the way; each may be NULL. False ends the reading, with err filled
 * by the visitor. Only lines without a fault are shown; what is shown is borrowed. */
struct verify_visitor {
    bool (*begin)(void *context, const struct verify_report *report, struct err *err);
    bool (*item)(void *context, struct bytes item, struct err *err);
    bool (*change)(void *context, struct bytes keys, const struct line_change *change,
                   struct err *err);
    void *context;
};

struct verify_settings {
    const char *bucket;
    const char *folder; /* the keys without "/manifest-summary.json"; "": the bucket itself */
    bool moved; /* the folder was copied to where it is, so that bucket, prefix and etags are
                   not compared with those of the manifests */
    const char *keys[2];     /* partition and sort key; NULL: there is none, or it is not known, and
                                then order and uniqueness go unchecked */
    struct scratch *scratch; /* for named keys that are more than seen.h holds; borrowed */
    struct verify_visitor visitor;
};

/* Problems are told one by one up to this many, and counted beyond. */
#define VERIFY_PROBLEMS_MOST 100

struct verify_report {
    /* From the summary; no ARN if it says nothing that can be read. */
    char export_arn[1100], table_arn[1100], table_id[40];
    bool incremental;
    enum line_format format;
    enum line_view view;
    uint64_t time_ms;        /* of a full one */
    uint64_t from_ms, to_ms; /* of an incremental one */
    uint64_t files, items;
    uint64_t item_bytes; /* of items and images, by item_size() */
    uint64_t file_bytes; /* compressed */
    uint64_t text_bytes;
    uint64_t etags_unchecked; /* of parts that are not as long as ours, or encrypted by KMS */
    uint64_t problem_count;
    struct buf problems; /* a line each: where, and what is wrong */
};
void verify_report_init(struct verify_report *report);
void verify_report_release(struct verify_report *report);

/* True: it was read to its end, and the export is whole if there are no problems. ERR_STORE: it
 * could not be read, which says nothing of the export. */
MUST_CHECK bool verify_export(struct store *store, const struct verify_settings *settings,
                              struct verify_report *report, struct err *err);

/* The same of its summary alone. */
MUST_CHECK bool verify_summary(struct store *store, const struct verify_settings *settings,
                               struct verify_report *report, struct err *err);

#endif
