/* archive/verify_parts.h - what verify.c is made of: manifests and data files, each checked by
 * itself. One thread. */
#ifndef ARCHIVE_VERIFY_PARTS_H
#define ARCHIVE_VERIFY_PARTS_H

#include "archive/seen.h"
#include "archive/verify.h"

/* The work at hand, shared by all parts. */
struct verify {
    struct store *store;
    const struct verify_settings *settings;
    struct verify_report *report;
    struct arena arena; /* what lasts as long as the work */
    uint16_t key_types; /* of the keys that were named, as the first item has them; 0: none yet */
    struct seen *seen;  /* of the partition keys */
    struct buf schema;  /* names and types of the key attributes, once a line has shown them */
    uint8_t
        shown; /* SHOWN_KNOWN, once there was an image, and a bit for each key attribute in it */
};

#define SHOWN_KNOWN 0x80

/* Notes a problem: `where` is what it is about, a key without the export's folder. */
void verify_problem(struct verify *verify, const char *where, const char *format, ...) PRINTF(3, 4);

/* The full key of something in the folder, in the arena. */
const char *verify_key(struct verify *verify, const char *leaf);

/* --- manifests (verify_manifest.c) --------------------------------------------------------------
 */

struct summary {
    bool incremental;
    enum line_format format;
    enum line_view view; /* of an incremental one */
    struct bytes export_arn, table_arn, table_id, id, bucket, prefix, encryption, files_key;
    uint64_t time_ms, from_ms, to_ms;
    uint64_t items;
};

struct file_entry {
    size_t number; /* of its line in the manifest, from 0 */
    uint64_t items;
    struct bytes md5; /* base64 */
    struct bytes etag;
    struct bytes key;  /* as the manifest has it */
    const char *leaf;  /* "data/...", below the export's folder or the one that they share */
    const char *place; /* its key in the store, which it may have been copied to */
    bool again;        /* the manifest named it before */
};

/* Reads one; what it holds is borrowed from the text and the arena. False after a problem that
 * leaves nothing to go on with. */
bool summary_read(struct verify *verify, struct bytes text, struct summary *out);

/* Reads the lines of manifest-files.json; `out` gets a struct file_entry each. */
void files_read(struct verify *verify, const struct summary *summary, struct bytes text,
                struct buf *out);

/* --- data files (verify_file.c) -----------------------------------------------------------------
 */

/* Reads a data file through. False, with err filled: it could not be read. */
MUST_CHECK bool file_verify(struct verify *verify, const struct summary *summary,
                            const struct file_entry *entry, uint64_t *items, struct err *err);

/* After all of them: partition keys that are in two places. False as above. */
MUST_CHECK bool repeats_verify(struct verify *verify, const struct file_entry *entries,
                               struct err *err);

#endif
