/* archive/export_progress.c - what people see who wait for exports: how far those are that run, and
 * which have ended lately.
 *
 * The order of a table is that of its hashes, which are spread evenly: how many of them are behind
 * us tells how much is done, without knowing how much there is. */
#include <stdlib.h>

#include "archive/export_job.h"
#include "base/clock.h"

#define HASHES ((double)(UINT64_C(1) << 32)) /* in the meter's units */

static const char *const phase_names[] = {
    [EXPORT_WAITS] = "WAITING",
    [EXPORT_READS] = "READING_LOG",
    [EXPORT_WRITES] = "WRITING",
    [EXPORT_FINISHES] = "FINISHING",
};

const char *export_phase_name(enum export_phase phase)
{
    return phase_names[phase];
}

/* Counters of one meter are read one after the other, so they need not agree to the last item. */
static void estimate(struct export_meter *meter, struct export_progress *progress)
{
    uint64_t began = meter->began_at, now = clock_monotonic_micros();
    double seconds = began == 0 ? 0 : (double)(now - began) / (double)SECOND_MICROS;
    double done = progress->share - (double)meter->found_hashes / HASHES;
    double bytes = (double)progress->item_bytes - (double)meter->found_bytes;

    progress->bytes_rate = seconds > 0 && bytes > 0 ? bytes / seconds : 0;
    progress->seconds_left = seconds > 0 && done > 0 ? seconds * (1 - progress->share) / done : -1;
}

struct export_progress export_meter_read(struct export_meter *meter, uint32_t parts)
{
    struct export_progress progress = {
        .phase = meter->phase,
        .parts = parts,
        .parts_done = meter->parts_done,
        .items = meter->items,
        .item_bytes = meter->item_bytes,
        .file_bytes = meter->file_bytes,
        .share = (double)meter->hashes / HASHES,
    };

    estimate(meter, &progress);
    return progress;
}

/* --- the latest */

/* An ARN of ours: region and account, a table's name of at most 255, and the id. */
#define ARN_MOST 512

struct slot {
    uint8_t arn[ARN_MOST];
    size_t size;
};

/* ARNs with the newest ids, newest first: an id begins with its StartTime. */
struct latest {
    struct slot *slots;
    uint32_t count, most;
};

static struct bytes slot_arn(const struct slot *slot)
{
    return bytes_of(slot->arn, slot->size);
}

static bool is_newer(struct bytes arn, const struct slot *slot)
{
    return bytes_compare(export_arn_id(arn), export_arn_id(slot_arn(slot))) > 0;
}

static void latest_take(void *context, struct bytes arn)
{
    struct latest *latest = context;
    uint32_t at = latest->count;

    if (arn.size > ARN_MOST || latest->most == 0)
        return;
    while (at > 0 && is_newer(arn, &latest->slots[at - 1]))
        at--;
    if (at == latest->most)
        return;
    if (latest->count < latest->most)
        latest->count++;
    memmove(&latest->slots[at + 1], &latest->slots[at],
            (latest->count - at - 1) * sizeof *latest->slots);
    latest->slots[at].size = arn.size;
    memcpy(latest->slots[at].arn, arn.data, arn.size);
}

static bool latest_visit(void *context, struct bytes key, struct bytes value)
{
    (void)value;
    latest_take(context, bytes_from(key, 1));
    return true;
}

static bool find_latest(struct engine *engine, struct latest *latest, struct arena *arena,
                        struct err *err)
{
    struct bytes prefix = record_key(arena, RECORD_EXPORT, BYTES_NONE);
    struct engine_scan scan = {
        .space = SPACE_CATALOG,
        .from = prefix,
        .to = record_key_after(arena, prefix),
        .backward = true, /* newest first within a table */
        .visit = latest_visit,
        .context = latest,
    };

    return engine_scan_all(engine, &scan, err) != SCAN_FAILED;
}

/* Reads the records of those that are (not) in progress. */
static bool read_exports(struct exports *exports, const struct latest *names, bool in_progress,
                         uint32_t most, struct arena *arena, struct export **out, uint32_t *count,
                         struct err *err)
{
    struct engine *engine = tables_engine(exports->settings.tables);
    uint64_t now = engine->ops->now(engine);

    *out = arena_alloc(arena, (size_t)names->count * sizeof **out);
    *count = 0;
    for (uint32_t i = 0; i < names->count && *count < most; i++) {
        struct export *export = &(*out)[*count];
        if (!export_get(engine, arena_copy(arena, slot_arn(&names->slots[i])), arena, export, err))
            return false;
        if (export->stamp.size > 0 && (export->state == EXPORT_IN_PROGRESS) == in_progress &&
            !export_expired(export, now))
            ++*count;
    }
    return true;
}

bool exports_recent(struct exports *exports, uint32_t ended_most, struct arena *arena,
                    struct export_recent *out, struct err *err)
{
    struct engine *engine = tables_engine(exports->settings.tables);
    struct slot *slots = malloc(2 * EXPORTS_RECENT_MOST * sizeof *slots);
    struct latest running = {.slots = slots, .most = EXPORTS_RECENT_MOST};
    struct latest latest = {.slots = slots + EXPORTS_RECENT_MOST};

    if (slots == NULL)
        abort();
    bool ok = jobs_each(engine, EXPORT_JOB, latest_take, &running, err);
    /* Among the latest may be all that run. */
    latest.most = ended_most == 0 ? 0 : ended_most + running.count;
    if (latest.most > EXPORTS_RECENT_MOST)
        latest.most = EXPORTS_RECENT_MOST;
    ok = ok && (ended_most == 0 || find_latest(engine, &latest, arena, err)) &&
         read_exports(exports, &running, true, EXPORTS_RECENT_MOST, arena, &out->running,
                      &out->running_count, err) &&
         read_exports(exports, &latest, false, ended_most, arena, &out->ended, &out->ended_count,
                      err);
    free(slots);
    return ok;
}
