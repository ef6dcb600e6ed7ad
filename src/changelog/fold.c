/* changelog/fold.c - the log by key instead of by time: what was before, and for changes also what
 * came out.
 *
 * The image of a key at instant T is what its first record from T on says was before. The records
 * of a shard are read twice over at most:
 *
 *  1 At the opening, backwards: the newest first. Each record puts its image over the one that a
 *    newer record left, so at the end the oldest stands, and no image was looked up.
 *  2 Where there is no snapshot, what was appended later, forwards (fold_more): a key keeps the
 *    image that it has, here or in the scratch store, so each new key costs a look-up.
 *
 * The changes of a window are read once, forwards, until a record is at its end: so a window costs
 * what was written in it, however much came after. Here a key needs its first image and its last
 * one; what a chunk knows of it is a piece, and pieces are put together when they are walked, which
 * costs no look-ups either.
 *
 * Images go through a chunk of bounded size, in which a key has one place: a key that is written a
 * million times goes to the scratch store once a chunk, and not even that where few keys take all
 * the writes, since a chunk full of replaced images is squeezed. Memory is a chunk and a record for
 * each shard, whatever the log's length. A record's own time decides whether it counts; the stamp
 * only where to begin. */
#include "changelog/fold.h"

#include <assert.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "base/fault.h"
#include "base/hash.h"
#include "item/codec.h"

#define CHUNK_KEYS  4096
#define CHUNK_SLOTS (2 * CHUNK_KEYS)

enum fold_pass {
    PASS_OLDEST, /* backwards; an older image takes the place of a newer one */
    PASS_MORE,   /* forwards; an image that is there stays */
    PASS_WINDOW, /* forwards; the first image before, the last one after */
};

struct chunk_key {
    struct bytes key;
    struct fold_piece piece;
};

struct chunk {
    struct fold *fold;
    struct fold_shard *shard;
    enum fold_pass pass;
    struct arena tables, arena; /* of what follows; of keys and images */
    struct chunk_key *keys;
    uint32_t *slots; /* hash of key -> its index + 1 */
    uint32_t count;
    size_t bytes, live; /* of keys and images in the arena; of them, those that are needed */
    size_t bytes_most;
    bool failed;
    struct err *err;
};

static void chunk_clear(struct chunk *chunk)
{
    arena_rewind(&chunk->arena, (struct arena_mark){0});
    memset(chunk->slots, 0, CHUNK_SLOTS * sizeof *chunk->slots);
    chunk->count = 0;
    chunk->bytes = chunk->live = 0;
}

static void chunk_init(struct chunk *chunk, struct fold *fold, struct fold_shard *shard,
                       enum fold_pass pass, struct err *err)
{
    *chunk = (struct chunk){.fold = fold, .shard = shard, .pass = pass, .err = err};
    chunk->bytes_most = fold->settings.memory_most / LOG_SHARDS;
    arena_init(&chunk->tables);
    arena_init(&chunk->arena);
    chunk->keys = arena_alloc(&chunk->tables, CHUNK_KEYS * sizeof *chunk->keys);
    chunk->slots = arena_alloc(&chunk->tables, CHUNK_SLOTS * sizeof *chunk->slots);
    chunk_clear(chunk);
}

static void chunk_release(struct chunk *chunk)
{
    arena_release(&chunk->arena);
    arena_release(&chunk->tables);
}

static uint32_t *chunk_slot(struct chunk *chunk, struct bytes key)
{
    size_t at = bytes_hash(key, 0) % CHUNK_SLOTS;

    while (chunk->slots[at] != 0 && !bytes_equal(chunk->keys[chunk->slots[at] - 1].key, key))
        at = (at + 1) % CHUNK_SLOTS;
    return &chunk->slots[at];
}

static void chunk_hold(struct chunk *chunk, struct bytes *place, struct bytes image)
{
    chunk->live += image.size - place->size;
    chunk->bytes += image.size;
    *place = arena_copy(&chunk->arena, image);
}

static uint64_t image_size(struct bytes image)
{
    return image.size == 0 ? 0 : item_size(image);
}

/* Within a window each write of a key begins where the one before it ended. */
static bool chunk_join(struct chunk *chunk, struct fold_piece *piece, bool first,
                       const struct log_record *record)
{
    if (!first && !bytes_equal(piece->after, record->before))
        return err_fail(
            chunk->err, ERR_CORRUPT, "the log of table %llu has lost a write of a key before %llu",
            (unsigned long long)chunk->fold->settings.table, (unsigned long long)record->time);
    if (first)
        chunk_hold(chunk, &piece->before, record->before);
    chunk_hold(chunk, &piece->after, record->after);
    piece->time = record->time;
    piece->size += image_size(record->before) + image_size(record->after);
    return true;
}

static bool chunk_add(struct chunk *chunk, const struct log_record *record)
{
    uint32_t *slot = chunk_slot(chunk, record->key);
    bool first = *slot == 0;

    if (first) {
        *slot = ++chunk->count;
        chunk->keys[*slot - 1] = (struct chunk_key){0};
        chunk_hold(chunk, &chunk->keys[*slot - 1].key, record->key);
    }
    struct fold_piece *piece = &chunk->keys[*slot - 1].piece;
    if (chunk->pass == PASS_WINDOW)
        return chunk_join(chunk, piece, first, record);
    if (first || chunk->pass == PASS_OLDEST)
        chunk_hold(chunk, &piece->before, record->before);
    return true;
}

/* Keeps what is needed of a chunk that is full of what is not. */
static void chunk_squeeze(struct chunk *chunk)
{
    struct arena full = chunk->arena;

    arena_init(&chunk->arena);
    for (uint32_t i = 0; i < chunk->count; i++) {
        struct chunk_key *key = &chunk->keys[i];
        key->key = arena_copy(&chunk->arena, key->key);
        key->piece.before = arena_copy(&chunk->arena, key->piece.before);
        key->piece.after = arena_copy(&chunk->arena, key->piece.after);
    }
    chunk->bytes = chunk->live;
    arena_release(&full);
}

static bool scratch_has(struct fold *fold, struct bytes key, bool *found, struct err *err)
{
    struct engine_value value = {0};

    if (!engine_get(fold->scratch, NULL, SPACE_ITEMS, key, &value, found, err))
        return false;
    engine_value_release(&value);
    return true;
}

#define PIECE_HEAD 20 /* time (8), size (8), length of the image before (4) */

static void stage_piece(struct engine_batch *batch, uint32_t number, const struct chunk_key *key)
{
    struct buf name, value;

    buf_init_in(&name, batch->arena);
    buf_grow(&name, key->key.size + FOLD_PIECE_NUMBER);
    buf_put_bytes(&name, key->key);
    buf_put_be32(&name, number);
    buf_init_in(&value, batch->arena);
    buf_grow(&value, PIECE_HEAD + key->piece.before.size + key->piece.after.size);
    buf_put_be64(&value, key->piece.time);
    buf_put_be64(&value, key->piece.size);
    buf_put_be32(&value, (uint32_t)key->piece.before.size);
    buf_put_bytes(&value, key->piece.before);
    buf_put_bytes(&value, key->piece.after);
    batch_put(batch, SPACE_CHANGELOG, buf_bytes(&name), buf_bytes(&value));
}

bool fold_piece_read(struct bytes value, struct fold_piece *out, struct err *err)
{
    struct cursor cursor = cursor_of(value);
    struct fold_piece piece = {.time = cursor_be64(&cursor), .size = cursor_be64(&cursor)};

    piece.before = cursor_bytes(&cursor, cursor_be32(&cursor));
    piece.after = cursor_bytes(&cursor, cursor_left(&cursor));
    if (cursor.failed)
        return err_fail(err, ERR_CORRUPT, "a piece of a change of %zu bytes", value.size);
    *out = piece;
    return true;
}

static bool chunk_stage(struct chunk *chunk, struct engine_batch *batch)
{
    for (uint32_t i = 0; i < chunk->count; i++) {
        struct chunk_key *key = &chunk->keys[i];
        bool found = false;
        if (chunk->pass == PASS_WINDOW)
            stage_piece(batch, chunk->shard->pieces, key);
        else if (chunk->pass == PASS_MORE &&
                 !scratch_has(chunk->fold, key->key, &found, chunk->err))
            return false;
        else if (!found)
            batch_put(batch, SPACE_ITEMS, key->key, key->piece.before);
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
                 fold->scratch_name, most);
        goto out;
    }
    fold->scratch->ops->commit(fold->scratch, &batch, 1);
    if (batch->outcome != COMMIT_OK) {
        err_fail(err, batch->err == NULL ? ERR_STORAGE : batch->err->code,
                 "the scratch store %s: %s", fold->scratch_name,
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
    chunk->shard->pieces++;
    chunk_clear(chunk);
    return true;
}

static bool chunk_make_room(struct chunk *chunk)
{
    if (chunk->count < CHUNK_KEYS && chunk->bytes < chunk->bytes_most)
        return true;
    if (chunk->count < CHUNK_KEYS && chunk->live < chunk->bytes_most / 2) {
        chunk_squeeze(chunk);
        return true;
    }
    return chunk_flush(chunk);
}

/* The log key that was seen is the newest of all so far: what comes next is behind it. */
static void shard_seen(struct fold_shard *shard, struct bytes key)
{
    buf_clear(&shard->next);
    buf_put_bytes(&shard->next, key);
    buf_put_u8(&shard->next, 0);
}

/* Whether the scan goes on: it does not once somebody wants the end, or another shard has failed.
 */
static bool chunk_goes_on(struct chunk *chunk)
{
    const struct log_stop *stop = &chunk->fold->settings.stop;

    if (!chunk->failed && stop->wanted != NULL && stop->wanted(stop->context))
        chunk->failed = !err_fail(chunk->err, ERR_OVERLOADED, "reading the log was stopped");
    return !chunk->failed && !chunk->fold->failed;
}

static bool chunk_visit(void *context, struct bytes key, struct bytes value)
{
    struct chunk *chunk = context;
    const struct fold_settings *settings = &chunk->fold->settings;
    struct log_record record;

    if (bytes_compare(key, buf_bytes(&chunk->shard->next)) >= 0)
        shard_seen(chunk->shard, key);
    if (!log_record_read(value, &record, chunk->err)) {
        chunk->failed = true;
        return false;
    }
    if (record.time >= settings->to) /* times never fall in the order of stamps */
        return false;
    if (record.time >= settings->from)
        chunk->failed = !chunk_add(chunk, &record) || !chunk_make_room(chunk);
    return chunk_goes_on(chunk);
}

/* From the shard's `next` on to its end, or the window's. */
static bool shard_fold(struct fold *fold, uint32_t shard, enum fold_pass pass, struct err *err)
{
    struct engine *engine = fold->settings.engine;
    struct chunk chunk;
    struct buf to;

    chunk_init(&chunk, fold, &fold->shards[shard], pass, err);
    buf_init_in(&to, &chunk.tables);
    log_put_end(&to, fold->settings.table, fold->settings.epoch, shard);
    struct bytes from = arena_copy(&chunk.tables, buf_bytes(&fold->shards[shard].next));
    enum scan_end end = engine_scan_all(engine,
                                        &(struct engine_scan){
                                            .space = SPACE_CHANGELOG,
                                            .from = from,
                                            .to = buf_bytes(&to),
                                            .backward = pass == PASS_OLDEST,
                                            .bulk = true,
                                            .snapshot = fold->settings.snapshot,
                                            .visit = chunk_visit,
                                            .context = &chunk,
                                        },
                                        err);
    bool ok = end != SCAN_FAILED && !chunk.failed && chunk_flush(&chunk);
    if (!ok) { /* what was seen is not all in the scratch store: look at it again */
        buf_clear(&fold->shards[shard].next);
        buf_put_bytes(&fold->shards[shard].next, from);
    }
    chunk_release(&chunk);
    return ok;
}

/* --- all shards at once */

struct shard_thread {
    struct fold *fold;
    uint32_t shard;
    pthread_t thread;
    bool started, ok;
    struct err err;
};

static void *shard_main(void *context)
{
    struct shard_thread *thread = context;
    struct fold *fold = thread->fold;

    thread->ok =
        shard_fold(fold, thread->shard,
                   fold->settings.kind == FOLD_IMAGES ? PASS_OLDEST : PASS_WINDOW, &thread->err);
    if (!thread->ok)
        fold->failed = true;
    return NULL;
}

/* Who cannot have a thread does without. The first shard that failed says why: those after it may
 * only have been told to stop, which is no failure of theirs. */
static bool shards_fold(struct fold *fold, struct err *err)
{
    struct shard_thread threads[LOG_SHARDS] = {0};
    bool ok = true;

    for (uint32_t i = 0; i < LOG_SHARDS; i++) {
        threads[i].fold = fold;
        threads[i].shard = i;
        threads[i].started = i + 1 < LOG_SHARDS &&
                             pthread_create(&threads[i].thread, NULL, shard_main, &threads[i]) == 0;
        if (!threads[i].started)
            shard_main(&threads[i]);
    }
    for (uint32_t i = 0; i < LOG_SHARDS; i++) {
        if (threads[i].started)
            pthread_join(threads[i].thread, NULL);
        if (!threads[i].ok && ok)
            *err = threads[i].err;
        ok = ok && threads[i].ok;
    }
    return ok;
}

static bool floor_check(const struct fold_settings *settings, struct err *err)
{
    struct log_state state;
    struct arena arena;

    arena_init(&arena);
    bool ok = log_state_read(settings->engine, settings->table, &arena, &state, err);
    if (ok && settings->from < state.floor)
        ok = err_fail(err, ERR_CORRUPT, "the log of table %llu begins at %llu, after %llu",
                      (unsigned long long)settings->table, (unsigned long long)state.floor,
                      (unsigned long long)settings->from);
    arena_release(&arena);
    return ok;
}

static void shards_init(struct fold *fold)
{
    struct engine *engine = fold->settings.engine;
    uint8_t stamp[STAMP_MOST];

    engine->ops->stamp_at(engine, fold->settings.from, stamp);
    for (uint32_t i = 0; i < LOG_SHARDS; i++) {
        struct fold_shard *shard = &fold->shards[i];
        pthread_mutex_init(&shard->lock, NULL);
        buf_init(&shard->next);
        log_put_prefix(&shard->next, fold->settings.table, fold->settings.epoch, i);
        buf_put(&shard->next, stamp, engine->limits.stamp_size);
    }
}

bool fold_open(struct fold *fold, const struct fold_settings *settings, struct err *err)
{
    struct engine *engine = settings->engine;

    *fold = (struct fold){.settings = *settings, .scratch_name = strdup(settings->scratch)};
    if (fold->settings.memory_most == 0)
        fold->settings.memory_most = PAST_MEMORY_DEFAULT;
    pthread_mutex_init(&fold->write_lock, NULL);
    shards_init(fold);
    if (!floor_check(settings, err))
        return false;
    fold->scratch = engine->ops->scratch(engine, fold->scratch_name, err);
    return fold->scratch != NULL && shards_fold(fold, err);
}

void fold_close(struct fold *fold)
{
    engine_close(fold->scratch);
    for (uint32_t i = 0; i < LOG_SHARDS; i++) {
        buf_release(&fold->shards[i].next);
        pthread_mutex_destroy(&fold->shards[i].lock);
    }
    pthread_mutex_destroy(&fold->write_lock);
    free(fold->scratch_name);
}

bool fold_more(struct fold *fold, uint32_t shard, struct err *err)
{
    assert(shard < LOG_SHARDS && fold->settings.kind == FOLD_IMAGES &&
           fold->settings.snapshot == NULL);
    pthread_mutex_lock(&fold->shards[shard].lock);
    bool ok = shard_fold(fold, shard, PASS_MORE, err);
    pthread_mutex_unlock(&fold->shards[shard].lock);
    return ok;
}
