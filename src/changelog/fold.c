/* changelog/fold.c - the images of an instant, taken from the log.
 *
 * The image of a key at instant T is what its first record from T on says was before. The records
 * of a shard are read twice over at most:
 *
 *  1 At the opening, backwards: the newest first. Each record puts its image over the one that a
 *    newer record left, so at the end the oldest stands, and no image was looked up.
 *  2 Where there is no snapshot, what was appended later, forwards (fold_more): a key keeps the
 *    image that it has, here or in the scratch store, so each new key costs a look-up.
 *
 * Images go through a chunk of bounded size, in which a key has one place: a key that is written a
 * million times goes to the scratch store once a chunk. Memory is a chunk and a record, whatever
 * the log's length. A record's own time decides whether it counts; the stamp only where to begin.
 */
#include "changelog/fold.h"

#include <assert.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/hash.h"

#define CHUNK_BYTES                                                                                \
    ((size_t)4 * 1024 * 1024) /* of keys and images read, counting replaced ones                   \
                               */
#define CHUNK_KEYS  8192
#define CHUNK_SLOTS (2 * CHUNK_KEYS)

struct chunk_image {
    struct bytes key, image;
};

struct chunk {
    struct fold *fold;
    struct fold_shard *shard;
    bool older_wins; /* a later record read replaces an earlier one: backwards */
    struct arena arena;
    struct arena_mark mark;
    struct chunk_image *images;
    uint32_t count;
    size_t bytes;    /* of keys and images read, counting replaced ones */
    uint32_t *slots; /* hash of key -> index of its image + 1 */
    bool failed;
    struct err *err;
};

static void chunk_clear(struct chunk *chunk)
{
    arena_rewind(&chunk->arena, chunk->mark);
    memset(chunk->slots, 0, CHUNK_SLOTS * sizeof *chunk->slots);
    chunk->count = 0;
    chunk->bytes = 0;
}

static void chunk_init(struct chunk *chunk, struct fold *fold, struct fold_shard *shard,
                       bool older_wins, struct err *err)
{
    *chunk = (struct chunk){.fold = fold, .shard = shard, .older_wins = older_wins, .err = err};
    arena_init(&chunk->arena);
    chunk->images = arena_alloc(&chunk->arena, CHUNK_KEYS * sizeof *chunk->images);
    chunk->slots = arena_alloc(&chunk->arena, CHUNK_SLOTS * sizeof *chunk->slots);
    chunk->mark = arena_mark(&chunk->arena);
    chunk_clear(chunk);
}

static uint32_t *chunk_slot(struct chunk *chunk, struct bytes key)
{
    size_t at = bytes_hash(key, 0) % CHUNK_SLOTS;

    while (chunk->slots[at] != 0 && !bytes_equal(chunk->images[chunk->slots[at] - 1].key, key))
        at = (at + 1) % CHUNK_SLOTS;
    return &chunk->slots[at];
}

static void chunk_add(struct chunk *chunk, const struct log_record *record)
{
    uint32_t *slot = chunk_slot(chunk, record->key);

    if (*slot == 0) {
        *slot = ++chunk->count;
        chunk->images[*slot - 1].key = arena_copy(&chunk->arena, record->key);
        chunk->bytes += record->key.size;
    } else if (!chunk->older_wins) {
        return;
    }
    chunk->images[*slot - 1].image = arena_copy(&chunk->arena, record->before);
    chunk->bytes += record->before.size;
}

static bool scratch_has(struct fold *fold, struct bytes key, bool *found, struct err *err)
{
    struct engine_value value = {0};

    if (!engine_get(fold->scratch, NULL, SPACE_ITEMS, key, &value, found, err))
        return false;
    engine_value_release(&value);
    return true;
}

static bool chunk_stage(struct chunk *chunk, struct engine_batch *batch)
{
    for (uint32_t i = 0; i < chunk->count; i++) {
        struct chunk_image *image = &chunk->images[i];
        bool found = false;
        if (!chunk->older_wins && !scratch_has(chunk->fold, image->key, &found, chunk->err))
            return false;
        if (!found)
            batch_put(batch, SPACE_ITEMS, image->key, image->image);
    }
    return true;
}

static bool scratch_commit(struct fold *fold, struct engine_batch *batch, struct err *err)
{
    size_t most = fold->settings.scratch_most, size = batch_size(batch);
    bool ok = false;

    pthread_mutex_lock(&fold->write_lock);
    if (FAULT(SCRATCH_WRITE, err))
        goto out;
    if (most != 0 && most - fold->scratch_used < size) {
        err_fail(err, ERR_DISK_FULL, "the scratch store %s needs more than its %zu bytes",
                 fold->settings.scratch, most);
        goto out;
    }
    fold->scratch->ops->commit(fold->scratch, &batch, 1);
    if (batch->outcome != COMMIT_OK) {
        err_fail(err, batch->err == NULL ? ERR_STORAGE : batch->err->code,
                 "the scratch store %s: %s", fold->settings.scratch,
                 batch->err == NULL ? "conflict" : batch->err->message);
        goto out;
    }
    fold->scratch_used += size;
    ok = true;
out:
    pthread_mutex_unlock(&fold->write_lock);
    return ok;
}

static bool chunk_flush(struct chunk *chunk)
{
    struct engine_batch batch;

    batch_init(&batch, &chunk->arena);
    if (!chunk_stage(chunk, &batch) ||
        (batch.count > 0 && !scratch_commit(chunk->fold, &batch, chunk->err)))
        return false;
    chunk_clear(chunk);
    return true;
}

/* The log key that was seen is the newest of all so far: what comes next is behind it. */
static void shard_seen(struct fold_shard *shard, struct bytes key)
{
    buf_clear(&shard->next);
    buf_put_bytes(&shard->next, key);
    buf_put_u8(&shard->next, 0);
}

static bool chunk_visit(void *context, struct bytes key, struct bytes value)
{
    struct chunk *chunk = context;
    struct log_record record;

    if (bytes_compare(key, buf_bytes(&chunk->shard->next)) >= 0)
        shard_seen(chunk->shard, key);
    if (!log_record_read(value, &record, chunk->err)) {
        chunk->failed = true;
        return false;
    }
    if (record.time < chunk->fold->settings.instant)
        return true;
    chunk_add(chunk, &record);
    if (chunk->count == CHUNK_KEYS || chunk->bytes >= chunk->fold->settings.memory_most)
        chunk->failed = !chunk_flush(chunk);
    return !chunk->failed;
}

/* From the shard's `next` on to its end; backwards puts older images over newer ones. */
static bool shard_fold(struct fold *fold, uint32_t shard, bool backwards, struct err *err)
{
    struct engine *engine = fold->settings.engine;
    struct chunk chunk;
    struct buf to;

    chunk_init(&chunk, fold, &fold->shards[shard], backwards, err);
    buf_init_in(&to, &chunk.arena);
    log_put_end(&to, fold->settings.table, fold->settings.epoch, shard);
    struct bytes from = arena_copy(&chunk.arena, buf_bytes(&fold->shards[shard].next));
    chunk.mark = arena_mark(&chunk.arena);
    enum scan_end end = engine_scan_all(engine,
                                        &(struct engine_scan){
                                            .space = SPACE_CHANGELOG,
                                            .from = from,
                                            .to = buf_bytes(&to),
                                            .backward = backwards,
                                            .bulk = true,
                                            .snapshot = fold->snapshot,
                                            .visit = chunk_visit,
                                            .context = &chunk,
                                        },
                                        err);
    bool ok = end != SCAN_FAILED && !chunk.failed && chunk_flush(&chunk);
    if (!ok) { /* what was seen is not all in the scratch store: look at it again */
        buf_clear(&fold->shards[shard].next);
        buf_put_bytes(&fold->shards[shard].next, from);
    }
    arena_release(&chunk.arena);
    return ok;
}

bool fold_open(struct fold *fold, const struct past_settings *settings,
               const struct engine_snapshot *snapshot, struct engine *scratch, struct err *err)
{
    struct engine *engine = settings->engine;
    uint8_t stamp[STAMP_MOST];
    bool ok = true;

    *fold = (struct fold){.settings = *settings, .snapshot = snapshot, .scratch = scratch};
    pthread_mutex_init(&fold->write_lock, NULL);
    engine->ops->stamp_at(engine, settings->instant, stamp);
    for (uint32_t i = 0; i < LOG_SHARDS; i++) {
        struct fold_shard *shard = &fold->shards[i];
        pthread_mutex_init(&shard->lock, NULL);
        buf_init(&shard->next);
        log_put_prefix(&shard->next, settings->table, settings->epoch, i);
        buf_put(&shard->next, stamp, engine->limits.stamp_size);
    }
    for (uint32_t i = 0; i < LOG_SHARDS && ok; i++)
        ok = shard_fold(fold, i, true, err);
    return ok;
}

void fold_close(struct fold *fold)
{
    for (uint32_t i = 0; i < LOG_SHARDS; i++) {
        buf_release(&fold->shards[i].next);
        pthread_mutex_destroy(&fold->shards[i].lock);
    }
    pthread_mutex_destroy(&fold->write_lock);
}

bool fold_more(struct fold *fold, uint32_t shard, struct err *err)
{
    assert(shard < LOG_SHARDS && fold->snapshot == NULL);
    pthread_mutex_lock(&fold->shards[shard].lock);
    bool ok = shard_fold(fold, shard, false, err);
    pthread_mutex_unlock(&fold->shards[shard].lock);
    return ok;
}
