/* archive/diff.c - both exports go into one sorter, each item under its key and the side it comes
 * from; so a walk meets the two of a key one after the other. */
#include "archive/diff.h"

#include "archive/sorted.h"

bool export_read_whole(const struct diff_source *source, struct scratch *scratch,
                       const struct verify_visitor *visitor, struct verify_report *report,
                       struct buf *problems, struct err *err)
{
    struct verify_settings settings = source->settings;

    settings.scratch = scratch;
    settings.visitor = *visitor;
    if (!verify_export(source->store, &settings, report, err))
        return false;
    if (report->problem_count == 0)
        return true;
    buf_put_bytes(problems, buf_bytes(&report->problems));
    return err_fail(err, ERR_CORRUPT, "%s is not whole: %llu problem%s", source->name,
                    (unsigned long long)report->problem_count,
                    report->problem_count == 1 ? "" : "s");
}

struct diff {
    struct sorter *sorter;
    const struct diff_source *source; /* of the two that is read */
    uint8_t side;
    struct arena arena; /* of one item */
    bool (*visit)(void *context, struct bytes before, struct bytes after, struct err *err);
    void *context;
    struct diff_figures figures;
    struct buf key, before; /* of the item of the first that waits for that of the second */
};

/* What comes twice is no whole export, which verify tells at its end: either will do until then. */
static bool keep_last(void *context, const struct bytes *values, size_t count, struct buf *out,
                      struct err *err)
{
    (void)context, (void)err;
    buf_put_bytes(out, values[count - 1]);
    return true;
}

static bool take_begin(void *context, const struct verify_report *report, struct err *err)
{
    struct diff *diff = context;

    return !report->incremental ||
           err_fail(err, ERR_CONFIG, "%s is an incremental export", diff->source->name);
}

static bool take_item(void *context, struct bytes item, struct err *err)
{
    struct diff *diff = context;
    struct arena_mark mark = arena_mark(&diff->arena);
    struct bytes key;
    struct buf place;

    if (!sorted_key(item, diff->source->settings.keys, &diff->arena, &key, err))
        return false;
    buf_init_in(&place, &diff->arena);
    buf_put_bytes(&place, key);
    buf_put_u8(&place, diff->side);
    bool ok = sorter_put(diff->sorter, buf_bytes(&place), &item, 1, err);
    arena_rewind(&diff->arena, mark);
    return ok;
}

/* Tells of the item of the first that had none of the second behind it. */
static bool settle(struct diff *diff, struct err *err)
{
    if (diff->key.size == 0)
        return true;
    diff->key.size = 0;
    diff->figures.removed++;
    return diff->visit(diff->context, buf_bytes(&diff->before), BYTES_NONE, err);
}

static bool meet(struct diff *diff, struct bytes key, struct bytes after, struct err *err)
{
    bool has_before = diff->key.size > 0 && bytes_equal(buf_bytes(&diff->key), key);

    if (!has_before) {
        if (!settle(diff, err))
            return false;
        diff->figures.added++;
        return diff->visit(diff->context, BYTES_NONE, after, err);
    }
    diff->key.size = 0;
    if (bytes_equal(buf_bytes(&diff->before), after)) {
        diff->figures.same++;
        return true;
    }
    diff->figures.changed++;
    return diff->visit(diff->context, buf_bytes(&diff->before), after, err);
}

static bool compare(struct diff *diff, struct bytes place, struct bytes item, struct err *err)
{
    struct bytes key = bytes_of(place.data, place.size - 1);

    if (place.data[key.size] == 1)
        return meet(diff, key, item, err);
    if (!settle(diff, err))
        return false;
    buf_clear(&diff->key);
    buf_put_bytes(&diff->key, key);
    buf_clear(&diff->before);
    buf_put_bytes(&diff->before, item);
    return true;
}

static bool read_both(struct diff *diff, const struct diff_source sources[2],
                      struct scratch *scratch, struct buf *problems, struct err *err)
{
    const struct verify_visitor visitor = {.begin = take_begin, .item = take_item, .context = diff};
    bool ok = true;

    for (uint8_t i = 0; ok && i < 2; i++) {
        struct verify_report report;
        verify_report_init(&report);
        diff->source = &sources[i];
        diff->side = i;
        ok = export_read_whole(&sources[i], scratch, &visitor, &report, problems, err);
        verify_report_release(&report);
    }
    return ok;
}

static bool compare_all(struct diff *diff, struct err *err)
{
    struct sorted_pair pair;
    bool found = true;

    if (!sorter_ready(diff->sorter, err))
        return false;
    struct sorter_cursor *cursor = sorter_cursor_open(diff->sorter, BYTES_NONE, BYTES_NONE, err);
    bool ok = cursor != NULL;
    while (ok && found)
        ok = sorter_cursor_next(cursor, &pair, &found, err) &&
             (found ? compare(diff, pair.name, pair.value, err) : settle(diff, err));
    sorter_cursor_close(cursor);
    return ok;
}

bool exports_diff(const struct diff_source sources[2], struct scratch *scratch,
                  bool (*visit)(void *context, struct bytes before, struct bytes after,
                                struct err *err),
                  void *context, struct diff_figures *figures, struct buf *problems,
                  struct err *err)
{
    struct diff diff = {.visit = visit, .context = context};

    arena_init(&diff.arena);
    buf_init(&diff.key);
    buf_init(&diff.before);
    diff.sorter = sorted_new(scratch, keep_last, &diff);
    bool ok = read_both(&diff, sources, scratch, problems, err) && compare_all(&diff, err);
    sorter_free(diff.sorter);
    buf_release(&diff.before);
    buf_release(&diff.key);
    arena_release(&diff.arena);
    *figures = diff.figures;
    return ok;
}
