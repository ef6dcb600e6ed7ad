/* changelog/trim.c - forgetting: first the floor is raised by a commit of its own, in which no pin
 * is passed, and only then is what lies before it deleted. A crash between the two leaves records
 * that nobody reads, and the next trim takes them along, since it deletes from the start. */
#include "changelog/changelog.h"

#define CONFLICTS_MOST 100 /* lost races against jobs that begin and end */

enum raised {
    RAISED,
    RAISED_NOTHING, /* the floor is there already, or a pin holds it */
    RAISED_CONFLICT,
    RAISED_FAILED,
};

static enum raised floor_raise(struct engine *engine, struct committer *committer, uint64_t table,
                               uint64_t *floor, struct arena *arena, struct err *err)
{
    struct engine_batch batch;
    struct log_state state;

    if (!log_state_read(engine, table, arena, &state, err))
        return RAISED_FAILED;
    for (uint32_t i = 0; i < state.pin_count; i++)
        if (state.pins[i].time < *floor)
            *floor = state.pins[i].time;
    if (state.stamp.size == 0 || *floor <= state.floor)
        return RAISED_NOTHING;
    struct log_state raised = state;
    raised.floor = *floor;
    batch_init(&batch, arena);
    log_state_write(&batch, &engine->limits, table, &state, &raised);
    if (committer_commit(committer, &batch, err))
        return RAISED;
    return batch.outcome == COMMIT_CONFLICT ? RAISED_CONFLICT : RAISED_FAILED;
}

/* A batch that expects nothing may be refused by an engine all the same. */
static bool commit_insisted(struct committer *committer, struct engine_batch *batch,
                            struct err *err)
{
    for (int i = 0; i < CONFLICTS_MOST; i++) {
        if (committer_commit(committer, batch, err))
            return true;
        if (batch->outcome != COMMIT_CONFLICT)
            return false;
    }
    return false;
}

static bool records_delete(struct engine *engine, struct committer *committer, uint64_t table,
                           uint32_t epoch, uint64_t floor, struct arena *arena, struct err *err)
{
    uint8_t stamp[STAMP_MOST];
    struct buf from[LOG_SHARDS], to[LOG_SHARDS];
    struct engine_batch batch;

    engine->ops->stamp_at(engine, floor, stamp);
    batch_init(&batch, arena);
    for (uint32_t shard = 0; shard < LOG_SHARDS; shard++) {
        buf_init_in(&from[shard], arena);
        log_put_prefix(&from[shard], table, epoch, shard);
        buf_init_in(&to[shard], arena);
        log_put_prefix(&to[shard], table, epoch, shard);
        buf_put(&to[shard], stamp, engine->limits.stamp_size);
        batch_delete_range(&batch, SPACE_CHANGELOG, buf_bytes(&from[shard]), buf_bytes(&to[shard]));
    }
    if (!commit_insisted(committer, &batch, err))
        return false;
    for (uint32_t shard = 0; shard < LOG_SHARDS; shard++)
        engine->ops->reclaim(engine, SPACE_CHANGELOG, buf_bytes(&from[shard]),
                             buf_bytes(&to[shard]));
    return true;
}

bool changelog_trim(struct engine *engine, struct committer *committer, uint64_t table,
                    uint32_t epoch, uint64_t floor, struct err *err)
{
    enum raised raised = RAISED_CONFLICT;
    struct arena arena;

    arena_init(&arena);
    for (int i = 0; i < CONFLICTS_MOST && raised == RAISED_CONFLICT; i++)
        raised = floor_raise(engine, committer, table, &floor, &arena, err);
    bool ok =
        raised == RAISED_NOTHING ||
        (raised == RAISED && records_delete(engine, committer, table, epoch, floor, &arena, err));
    arena_release(&arena);
    return ok;
}
