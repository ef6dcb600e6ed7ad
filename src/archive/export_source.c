/* archive/export_source.c - the two readers of the log, behind one door. */
#include "archive/export_source.h"

#include <assert.h>
#include <stdlib.h>

#include "base/share.h"
#include "table/index.h"

struct export_source {
    struct past *past; /* one of the two */
    struct changes *changes;
    struct arena arena;
    struct table table; /* its keys and local indexes */
    const struct export_filter *filter;
};

/* The item keys that are read. */
static struct bytes key_from(const struct export_filter *filter)
{
    return filter == NULL ? BYTES_NONE : filter->from;
}

static struct bytes key_to(const struct export_filter *filter)
{
    return filter == NULL ? BYTES_NONE : filter->to;
}

static struct past *open_past(const struct export_source_settings *from, struct err *err)
{
    struct past_settings settings = {
        .engine = from->engine,
        .table = from->export->table_number,
        .epoch = from->export->table_epoch,
        .instant = from->export->instant,
        .key_from = key_from(from->filter),
        .key_to = key_to(from->filter),
        .scratch_most = from->scratch_most,
        .memory_most = from->fold_memory,
        .stop = from->stop,
    };

    return past_open(&settings, err);
}

/* A condition is weighed on the image that a deleted item had before the window, so then that is
 * wanted whatever is shown. */
static bool wants_new_only(const struct export_source_settings *from)
{
    return bytes_equal(from->export->view, BYTES("NEW_IMAGE")) &&
           (from->filter == NULL || from->filter->condition == NULL);
}

static struct changes *open_changes(const struct export_source_settings *from, struct err *err)
{
    struct changes_settings settings = {
        .engine = from->engine,
        .table = from->export->table_number,
        .epoch = from->export->table_epoch,
        .from = from->export->instant,
        .to = from->export->to_ms * 1000,
        .key_from = key_from(from->filter),
        .key_to = key_to(from->filter),
        .new_only = wants_new_only(from),
        .scratch_most = from->scratch_most,
        .memory_most = from->fold_memory,
        .stop = from->stop,
    };

    return changes_open(&settings, err);
}

struct export_source *export_source_open(const struct export_source_settings *settings,
                                         struct err *err)
{
    struct export_source *source = calloc(1, sizeof *source);

    assert(source != NULL);
    arena_init(&source->arena);
    source->filter = settings->filter;
    if (export_incremental(settings->export))
        source->changes = open_changes(settings, err);
    else if (table_locals_read(settings->export->local_indexes, &source->arena, &source->table,
                               err))
        source->past = open_past(settings, err);
    if (source->past != NULL || source->changes != NULL)
        return source;
    export_source_close(source);
    return NULL;
}

void export_source_close(struct export_source *source)
{
    if (source == NULL)
        return;
    past_close(source->past);
    changes_close(source->changes);
    arena_release(&source->arena);
    free(source);
}

uint64_t export_source_text(const struct export_source *source)
{
    return source->changes == NULL ? 0 : changes_size(source->changes) / 2 * 3;
}

/* --- writing */

struct writing {
    const struct export_source *source;
    struct export_sink *sink;
    bool failed;
    uint32_t passed; /* over, since there was a line */
    struct err *err;
};

#define OFFER_EVERY 64 /* items that are passed over */

static bool writing_goes_on(struct writing *writing, bool put, struct bytes key)
{
    writing->failed = !put;
    return put && writing->sink->goes_on(writing->sink->context, key);
}

/* Where no lines are compressed for long, nobody else gives way to who needs the processor. */
static bool pass_over(struct writing *writing)
{
    if (++writing->passed % OFFER_EVERY == 0)
        share_offer();
    return true;
}

/* What the local indexes had of an item. */
static uint64_t locals_size(const struct table *table, struct bytes item)
{
    uint64_t size = 0;

    for (uint32_t i = 0; i < table->index_count; i++)
        size += index_entry_size(table, &table->indexes[i], item);
    return size;
}

static bool item_visit(void *context, struct bytes key, struct bytes item, struct err *err)
{
    struct writing *writing = context;
    const struct export_source *source = writing->source;
    struct data_file *file = writing->sink->file;
    uint64_t before = data_file_figures(file).item_bytes;

    (void)err;
    bool put = export_filter_takes(source->filter, item)
                   ? data_file_put_item(file, item, writing->err)
                   : pass_over(writing);
    writing->sink->billed_bytes +=
        (source->filter == NULL ? data_file_figures(file).item_bytes - before : item_size(item)) +
        locals_size(&source->table, item);
    return writing_goes_on(writing, put, key);
}

/* What was neither there before nor is now has no line (spec 4.5), and counts all the same. */
static bool change_visit(void *context, const struct net_change *change, struct err *err)
{
    struct writing *writing = context;
    struct line_change line = {change->time, change->before, change->after};
    struct bytes latest = change->after.size > 0 ? change->after : change->before;
    bool none = !change->existed && change->after.size == 0;

    (void)err;
    writing->sink->billed_bytes += change->size;
    bool put = none || !export_filter_takes(writing->source->filter, latest)
                   ? pass_over(writing)
                   : data_file_put_change(writing->sink->file, &line, writing->err);
    return writing_goes_on(writing, put, change->key);
}

bool export_source_write(struct export_source *source, struct bytes from, struct bytes to,
                         struct export_sink *sink, struct err *err)
{
    struct writing writing = {.source = source, .sink = sink, .err = err};
    struct past_visitor items = {item_visit, &writing};
    struct changes_visitor changes = {change_visit, &writing};
    struct bytes least = key_from(source->filter), end = key_to(source->filter);

    if (bytes_compare(from, least) < 0)
        from = least;
    if (end.size > 0 && (to.size == 0 || bytes_compare(end, to) < 0))
        to = end;
    bool walked = source->changes != NULL ? changes_walk(source->changes, from, to, &changes, err)
                                          : past_walk(source->past, from, to, &items, err);

    return walked && !writing.failed;
}
