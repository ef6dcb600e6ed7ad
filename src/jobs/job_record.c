/* jobs/job_record.c - what the catalogue has of jobs: a record for each that is unfinished, and one
 * for each kind, which whoever puts a job writes as well (jobs_turn()). */
#include "jobs/jobs.h"
#include "jobs/record.h"

static struct bytes job_prefix(struct arena *arena, const char *kind)
{
    struct buf key;

    buf_init_in(&key, arena);
    buf_put_u8(&key, RECORD_JOB);
    buf_put(&key, kind, strlen(kind) + 1);
    return buf_bytes(&key);
}

static struct bytes job_key(struct arena *arena, const char *kind, struct bytes name)
{
    struct buf key;

    buf_init_in(&key, arena);
    buf_put_bytes(&key, job_prefix(arena, kind));
    buf_put_bytes(&key, name);
    return buf_bytes(&key);
}

static struct bytes turn_key(struct arena *arena, const char *kind)
{
    return record_key(arena, RECORD_TURN, bytes_of_text(kind));
}

void job_put(struct engine_batch *batch, const struct engine *engine, const char *kind,
             struct bytes name, struct bytes turn)
{
    struct item_maker maker;

    item_begin(&maker, batch->arena);
    struct bytes nothing = item_finish(&maker);
    record_put(batch, engine, job_key(batch->arena, kind, name), BYTES_NONE, nothing);
    record_put(batch, engine, turn_key(batch->arena, kind), turn, nothing);
}

void job_remove(struct engine_batch *batch, const char *kind, struct bytes name)
{
    batch_delete(batch, SPACE_CATALOG, job_key(batch->arena, kind, name));
}

struct listing {
    void (*take)(void *context, struct bytes name);
    void *context;
    size_t prefix_size;
};

static bool listing_visit(void *context, struct bytes key, struct bytes value)
{
    struct listing *listing = context;

    (void)value;
    listing->take(listing->context, bytes_from(key, listing->prefix_size));
    return true;
}

bool jobs_each(struct engine *engine, const char *kind,
               void (*take)(void *context, struct bytes name), void *context, struct err *err)
{
    struct listing listing = {.take = take, .context = context};
    struct arena arena;

    arena_init(&arena);
    struct bytes prefix = job_prefix(&arena, kind);
    struct engine_scan scan = {
        .space = SPACE_CATALOG,
        .from = prefix,
        .to = record_key_after(&arena, prefix),
        .visit = listing_visit,
        .context = &listing,
    };
    listing.prefix_size = prefix.size;
    enum scan_end end = engine_scan_all(engine, &scan, err);
    arena_release(&arena);
    return end != SCAN_FAILED;
}

bool jobs_turn(struct engine *engine, const char *kind, struct arena *arena, struct bytes *turn,
               struct err *err)
{
    struct record record;

    if (!record_get(engine, turn_key(arena, kind), arena, &record, err))
        return false;
    *turn = record.stamp;
    return true;
}
