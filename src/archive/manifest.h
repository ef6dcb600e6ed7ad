/* archive/manifest.h - what an export writes beside its data files, byte for byte, and what all its
 * objects are called. Rules and vectors: spec/export.md 1.4 and 3.1 to 3.4. Pure functions but for
 * the two that draw random names. */
#ifndef ARCHIVE_MANIFEST_H
#define ARCHIVE_MANIFEST_H

#include "base/buf.h"

/* An export's id: its StartTime in milliseconds, 14 digits, "-", 8 random hex digits. */
#define EXPORT_ID_SIZE 23
void export_id_make(uint64_t start_ms, char to[EXPORT_ID_SIZE + 1]);

/* A data file's name: 16 random bytes in lower-case base32 without padding. */
#define FILE_NAME_SIZE 26
void file_name_make(char to[FILE_NAME_SIZE + 1]);
void file_name_encode(const uint8_t random[16], char to[FILE_NAME_SIZE + 1]);

/* Keys of one export's objects, NUL-terminated in the arena. `prefix` as sent, or BYTES_NONE. A
 * data file without an id lies in the folder that incremental exports share; `suffix` is that of
 * its format (line_format_suffix()). */
char *export_key(struct arena *arena, struct bytes prefix, struct bytes id, const char *leaf);
char *export_data_key(struct arena *arena, struct bytes prefix, struct bytes id, struct bytes name,
                      const char *suffix);

#define LEAF_STARTED     "_started"
#define LEAF_FILES       "manifest-files.json"
#define LEAF_FILES_MD5   "manifest-files.md5"
#define LEAF_SUMMARY     "manifest-summary.json"
#define LEAF_SUMMARY_MD5 "manifest-summary.md5"

/* One line of manifest-files.json. */
struct manifest_file {
    uint64_t items;
    struct bytes md5; /* 16 bytes, of the compressed object */
    struct bytes etag, key;
};
void manifest_put_file(struct buf *out, const struct manifest_file *file);

/* manifest-summary.json. Absent texts have no data (BYTES_NONE). */
struct manifest_summary {
    struct bytes export_arn, table_arn, table_id;
    uint64_t start_ms, end_ms;
    uint64_t time_ms;        /* of a full export */
    uint64_t from_ms, to_ms; /* of an incremental one */
    struct bytes bucket, prefix, encryption, kms_key, files_key;
    uint64_t billed_bytes, items;
    struct bytes format;
    struct bytes view; /* none: a full export */
    struct bytes type; /* as sent; none: the member is left out */
};
void manifest_put_summary(struct buf *out, const struct manifest_summary *summary);

/* The body of the .md5 object beside an object: base64, no newline. */
void manifest_put_md5(struct buf *out, struct bytes object);

/* yyyy-MM-ddTHH:mm:ss.SSSZ, always three decimals. */
void manifest_put_time(struct buf *out, uint64_t ms);

#endif
