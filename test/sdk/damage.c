/* test/sdk/damage.c - takes the first entry of all indexes out of a database that nobody has open,
 * behind its back:  damage DATA  */
#include <stdio.h>
#include <stdlib.h>

#include "support/check.h"

#include "engine/engine.h"

static bool take_first(void *context, struct bytes key, struct bytes value)
{
    struct engine_batch *batch = context;

    (void)value;
    batch_delete(batch, SPACE_INDEX, arena_copy(batch->arena, key));
    return false;
}

int main(int argc, char **argv)
{
    struct rocksdb_settings settings = {
        .memory = (size_t)16 * 1024 * 1024,
        .clock_ahead_most = CLOCK_AHEAD_MOST_DEFAULT,
    };
    struct engine_batch batch, *batches = &batch;
    struct arena arena;
    struct err err;

    if (argc != 2)
        return 2;
    arena_init(&arena);
    batch_init(&batch, &arena);
    settings.directory = arena_text(&arena, arena_printf(&arena, "%s/engine", argv[1]));
    struct engine *engine = engine_open_rocksdb(&settings, &err);
    if (engine == NULL) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    struct engine_scan scan = {.space = SPACE_INDEX, .visit = take_first, .context = &batch};
    bool ok = engine_scan_all(engine, &scan, &err) == SCAN_STOPPED;
    engine->ops->commit(engine, &batches, 1);
    ok = ok && batch.outcome == COMMIT_OK;
    engine_close(engine);
    arena_release(&arena);
    return ok ? 0 : 1;
}
