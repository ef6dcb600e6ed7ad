/* archive/export_filter.h - the FilterSpecification of an export: what it was asked, held against
 * its table, kept beside its record, compiled again where it runs.
 *
 * spec/export.md 1.2 would have it ignored "until a model appears": it is in the SDKs' models since
 * 2026-09-30, and the developer guide tells what it means ("Filtering a table export"):
 *
 *   - Syntax and rules are those of Query with a key condition, and those of Scan without one: only
 *     then may the filter look at key attributes. Projections are those of every operation: what
 *     they do not name is not there, keys included.
 *   - A change of an incremental export is weighed by its latest image: the new one, or of a
 * deleted item the old one.
 *   - A key condition has only that partition key's data read (and billed); a filter and a
 *     projection come behind the reading.
 *
 * Recorded (October 2026): an empty one answers FILTER_FAULT "The specification can not be empty";
 * an accepted one is echoed as it was sent. Ours, since nothing was recorded: other faults are
 * Query's messages behind the same words; the manifests do not name a filter; images that the
 * projection takes nothing from are there and empty. The guide's "250 bytes" for an attribute's
 * name, which no operation holds names to, is not a limit here. */
#ifndef ARCHIVE_EXPORT_FILTER_H
#define ARCHIVE_EXPORT_FILTER_H

#include "engine/engine.h"
#include "expr/condition.h"
#include "expr/projection.h"
#include "table/tables.h"

#define FILTER_FAULT "Invalid Request: Invalid FilterSpecification: "

struct export_filter {
    /* As sent; what was not has no data. The names are in the order of their keys. */
    struct bytes key_text, condition_text, projection_text;
    const struct scope_name *names;
    size_t name_count;
    struct bytes values; /* a packed item */
    /* Compiled; NULL: not asked for. */
    struct key_condition *key_condition; /* of a request only: it has become the range */
    struct condition *condition;
    struct projection *projection;
    /* The item keys that it looks at: [from, to); both empty: all. */
    struct bytes from, to;
};

/* Holds a compiled specification against the keys of its table, and finds its range, in the arena.
 * ERR_VALIDATION. */
MUST_CHECK bool export_filter_match(struct export_filter *filter, const struct table *table,
                                    struct arena *arena, struct err *err);

/* What was sent, as a packed item in the arena: the same bytes for the same, other ones for any
 * other. */
struct bytes export_filter_pack(const struct export_filter *filter, struct arena *arena);

/* Stages the record of an export's filter (doc/export-records.md), which is new. */
void export_filter_put(struct engine_batch *batch, const struct engine *engine, struct bytes arn,
                       uint64_t start_ms, const struct export_filter *filter);

/* Reads it, not compiled; in the arena. ERR_CORRUPT if it is not there. */
MUST_CHECK bool export_filter_get(struct engine *engine, struct bytes arn, struct arena *arena,
                                  struct export_filter *out, struct err *err);

/* Compiles condition and projection of one that was read, in the arena: for all threads that write
 * the export. ERR_CORRUPT, since it was accepted once. */
MUST_CHECK bool export_filter_compile(struct export_filter *filter, struct arena *arena,
                                      struct err *err);

/* Whether an item is exported; NULL takes all. */
bool export_filter_takes(const struct export_filter *filter, struct bytes item);

#endif
