/* archive/line.h - the text of one line of a data file: an item of a full export or a change of an
 * incremental one. Formats: spec/export.md 4. Straight from the packed form, without a tree in
 * between. Pure functions on the caller's buf. */
#ifndef ARCHIVE_LINE_H
#define ARCHIVE_LINE_H

#include "base/buf.h"
#include "base/err.h"

struct arena;
struct projection;

enum line_format {
    LINE_JSON,
    LINE_ION,
};

enum line_view {
    LINE_NEW_IMAGE,
    LINE_NEW_AND_OLD_IMAGES,
};

/* What all lines of a file have in common. */
struct line_form {
    enum line_format format;
    enum line_view view;      /* of changes */
    const struct bytes *keys; /* names of the key attributes: partition key, sort key */
    size_t key_count;
    /* NULL: whole items. What it takes from them is made in the arena, and gone with the line. */
    const struct projection *projection;
    struct arena *arena;
};

/* The net change of one key; an image that is absent has no size, and one at least is there. */
struct line_change {
    uint64_t time; /* of the last write, microseconds since 1970 */
    struct bytes before, after;
};

/* The name of an ExportFormat ("DYNAMODB_JSON", "ION"), and what the names of its data files end
 * in; false for a name that is none. */
const char *line_format_name(enum line_format format);
const char *line_format_suffix(enum line_format format);
MUST_CHECK bool line_format_named(struct bytes name, enum line_format *out);

/* Both append the line with its end and return the item_size() of the images that are in it. The
 * keys of a change are there whatever the projection takes. */
uint64_t line_put_item(const struct line_form *form, struct bytes item, struct buf *out);
uint64_t line_put_change(const struct line_form *form, const struct line_change *change,
                         struct buf *out);

/* Both read a line without its end, strictly: members where the service has them and no blanks, but
 * that items may have their attributes in any order. What is read is packed, in the arena or
 * borrowed from the text. Of a change `keys` is an item of its own; whether the images fit it and
 * the view is not judged. ERR_CORRUPT with what is wrong. */
MUST_CHECK bool line_read_item(enum line_format format, struct bytes text, struct arena *arena,
                               struct bytes *item, struct err *err);
MUST_CHECK bool line_read_change(enum line_format format, struct bytes text, struct arena *arena,
                                 struct bytes *keys, struct line_change *out, struct err *err);

#endif
