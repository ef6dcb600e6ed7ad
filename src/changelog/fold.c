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
 * the writes, since a chunk full of replaced images is squeezed. Names and values in a chunk are
 * those of the scratch store, so they go there as they are. A shard whose records fit into one
 * chunk keeps it, and is walked right there: short logs have no scratch store at all. Memory is a
 * chunk for each shard, whatever the log's length. A record's own time decides whether it counts;
 * the stamp only where to begin. */
#include "changelog/fold.h"

#include <assert.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "base/fault.h"
#include "base/hash.h"
#include "item/codec.h"

#define CHUNK_KEYS     8192
#define CHUNK_SLOTS    (2 * CHUNK_KEYS)
#define MEMORY_DEFAULT ((size_t)16 * 1024 * 1024)

enum fold_pass {
    PASS_OLDEST, /* backwards; an older image takes the place of a newer one */
    PASS_MORE,   /* forwards; an image that is there stays */
    PASS_WINDOW, /* forwards; the first image before, the last one after */
};

struct chunk {
    struct fold *fold;
    struct fold_shard *shard;
    enum fold_pass pass;
    size_t suffix;        /* bytes of a name behind the item key */
    struct arena *arena;  /* the shard's; of names and values */
    struct arena staging; /* of a batch */
    struct arena tables;  /* of what follows */
    struct fold_pair *pairs;
    uint32_t *slots; /* hash of key -> its index + 1 */
    uint32_t count;
    size_t bytes, live; /* of names and values in the arena; of them, those that are needed */
    size_t bytes_most;
    bool failed;
    struct err *err;
};

/* One block for all but huge images, used by chunk after chunk: memory fresh from the system costs
 * more than what is done with it. */
static void arena_ready(struct arena *arena, size_t size)
{
    arena_reset(arena, SIZE_MAX);
    arena_alloc(arena, size / 8 * 9);
    arena_reset(arena, SIZE_MAX);
}

static void chunk_clear(struct chunk *chunk)
{
    arena_ready(chunk->arena, chunk->bytes_most);
    memset(chunk->slots, 0, CHUNK_SLOTS * sizeof *chunk->slots);
    chunk->count = 0;
    chunk->bytes = chunk->live = 0;
}

static void chunk_init(struct chunk *chunk, struct fold *fold, struct fold_shard *shard,
                       enum fold_pass pass, struct err *err)
{
    *chunk = (struct chunk){.fold = fold, .shard = shard, .pass = pass, .err = err};
    chunk->suffix = pass == PASS_WINDOW ? FOLD_PIECE_NUMBER : 0;
    chunk->bytes_most = fold->settings.memory_most / LOG_SHARDS;
    chunk->arena = &shard->arena;
    arena_init(&chunk->staging);
    arena_init(&chunk->tables);
    chunk->pairs = arena_alloc(&chunk->tables, CHUNK_KEYS * sizeof *chunk->pairs);
    chunk->slots = arena_alloc(&chunk->tables, CHUNK_SLOTS * sizeof *chunk->slots);
    chunk_clear(chunk);
}

static uint32_t *chunk_slot(struct chunk *chunk, struct bytes key)
{
    size_t at = bytes_hash(key, 0) % CHUNK_SLOTS;

    for (; chunk->slots[at] != 0; at = (at + 1) % CHUNK_SLOTS) {
        struct bytes name = chunk->pairs[chunk->slots[at] - 1].name;
        if (bytes_equal(bytes_of(name.data, name.size - chunk->suffix), key))
            break;
    }
    return &chunk->slots[at];
}

/* --- pieces of changes */

#define PIECE_HEAD 28 /* time, size, digest (8 each), length of the image before (4) */

static void piece_put(struct buf *out, const struct fold_piece *piece)
{
    buf_put_be64(out, piece->time);
    buf_put_be64(out, piece->size);
    buf_put_be64(out, piece->digest);
    buf_put_be32(out, (uint32_t)piece->before.size);
    buf_put_bytes(out, piece->before);
    buf_put_bytes(out, piece->after);
}

bool fold_piece_read(struct bytes value, struct fold_piece *out, struct err *err)
{
    struct cursor cursor = cursor_of(value);
    struct fold_piece piece;

    piece.time = cursor_be64(&cursor);
    piece.size = cursor_be64(&cursor);
    piece.digest = cursor_be64(&cursor);
    piece.before = cursor_bytes(&cursor, cursor_be32(&cursor));
    piece.after = cursor_bytes(&cursor, cursor_left(&cursor));
    if (cursor.failed)
        return err_fail(err, ERR_CORRUPT, "a piece of a change of %zu bytes", value.size);
    *out = piece;
    return true;
}

uint64_t fold_digest(struct bytes image)
{
    return image.size == 0 ? 0 : bytes_hash(image, 0) | 1;
}

static uint64_t image_size(struct bytes image)
{
    return image.size == 0 ? 0 : item_size(image);
}

/* Within a window each write of a key begins where the one before it ended. Where old images are
 * not wanted, one is kept only while there is no other that knows the key. */
static bool piece_join(struct chunk *chunk, struct fold_piece *piece, bool first,
                       const struct log_record *record)
{
    const struct fold_settings *settings = &chunk->fold->settings;

    if (!first && !bytes_equal(piece->after, record->before))
        return err_fail(chunk->err, ERR_CORRUPT,
                        "the log of table %llu has lost a write of a key before %llu",
                        (unsigned long long)settings->table, (unsigned long long)record->time);
    if (first)
        piece->digest = fold_digest(record->before);
    if (!settings->new_only)
        piece->before = first ? record->before : piece->before;
    else if (record->after.size > 0)
        piece->before = BYTES_NONE;
    else if (record->before.size > 0)
        piece->before = record->before;
    piece->after = record->after;
    piece->time = record->time;
    piece->size += image_size(record->before) + image_size(record->after);
    return true;
}

/* --- filling a chunk */

static void chunk_hold(struct chunk *chunk, struct bytes *place, struct bytes value)
{
    chunk->live += value.size - place->size;
    chunk->bytes += value.size;
    *place = value;
}

static bool chunk_join(struct chunk *chunk, struct fold_pair *pair, bool first,
                       const struct log_record *record)
{
    struct fold_piece piece = {0};
    struct buf value;

    if ((!first && !fold_piece_read(pair->value, &piece, chunk->err)) ||
        !piece_join(chunk, &piece, first, record))
        return false;
    buf_init_in(&value, chunk->arena);
    buf_grow(&value, PIECE_HEAD + piece.before.size + piece.after.size);
    piece_put(&value, &piece);
    chunk_hold(chunk, &pair->value, buf_bytes(&value));
    return true;
}

static struct bytes name_make(struct chunk *chunk, struct bytes key)
{
    struct buf name;

    buf_init_in(&name, chunk->arena);
    buf_grow(&name, key.size + FOLD_PIECE_NUMBER);
    buf_put_bytes(&name, key);
    if (chunk->suffix > 0)
        buf_put_be32(&name, chunk->shard->pieces);
    return buf_bytes(&name);
}

static bool chunk_add(struct chunk *chunk, const struct log_record *record)
{
    uint32_t *slot = chunk_slot(chunk, record->key);
    bool first = *slot == 0;

    if (first) {
        *slot = ++chunk->count;
        chunk->pairs[*slot - 1] = (struct fold_pair){0};
        chunk_hold(chunk, &chunk->pairs[*slot - 1].name, name_make(chunk, record->key));
    }
    struct fold_pair *pair = &chunk->pairs[*slot - 1];
    if (chunk->pass == PASS_WINDOW)
        return chunk_join(chunk, pair, first, record);
    if (first || chunk->pass == PASS_OLDEST)
        chunk_hold(chunk, &pair->value, arena_copy(chunk->arena, record->before));
    return true;
}

/* Keeps what is needed of a chunk that is full of what is not. */
static void chunk_squeeze(struct chunk *chunk)
{
    struct arena full = *chunk->arena;

    arena_init(chunk->arena);
    arena_ready(chunk->arena, chunk->bytes_most);
    for (uint32_t i = 0; i < chunk->count; i++) {
        struct fold_pair *pair = &chunk->pairs[i];
        pair->name = arena_copy(chunk->arena, pair->name);
        pair->value = arena_copy(chunk->arena, pair->value);
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

static enum engine_space fold_space(const struct fold *fold)
{
    return fold->settings.kind == FOLD_IMAGES ? SPACE_ITEMS : SPACE_CHANGELOG;
}

static bool chunk_stage(struct chunk *chunk, struct engine_batch *batch)
{
    enum engine_space space = fold_space(chunk->fold);

    for (uint32_t i = 0; i < chunk->count; i++) {
        const struct fold_pair *pair = &chunk->pairs[i];
        bool found = false;
        if (chunk->pass == PASS_MORE && !scratch_has(chunk->fold, pair->name, &found, chunk->err))
            return false;
        if (!found)
            batch_put(batch, space, pair->name, pair->value);
    }
    return true;
}

/* The scratch store is there from the first chunk on that goes to it. */
static bool scratch_open(struct fold *fold, struct err *err)
{
    struct engine *engine = fold->settings.engine;

    pthread_mutex_lock(&fold->write_lock);
    if (fold->scratch == NULL)
        fold->scratch = engine->ops->scratch(engine, fold->scratch_name, err);
    bool ok = fold->scratch != NULL;
    pthread_mutex_unlock(&fold->write_lock);
    return ok;
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

    if (!scratch_open(chunk->fold, chunk->err))
        return false;
    batch_init(&batch, &chunk->staging);
    if (!chunk_stage(chunk, &batch) ||
        (batch.count > 0 && !scratch_commit(chunk->fold, &batch, chunk->err)))
        return false;
    chunk->shard->pieces++;
    arena_reset(&chunk->staging, SIZE_MAX);
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

static int pair_order(const void *one, const void *other)
{
    const struct fold_pair *a = one, *b = other;

    return bytes_compare(a->name, b->name);
}

/* All of the shard is in this chunk, and nothing comes any more: it is walked where it is. */
static void chunk_keep(struct chunk *chunk)
{
    struct fold_shard *shard = chunk->shard;

    qsort(chunk->pairs, chunk->count, sizeof *chunk->pairs, pair_order);
    shard->pairs = arena_alloc(chunk->arena, chunk->count * sizeof *chunk->pairs);
    memcpy(shard->pairs, chunk->pairs, chunk->count * sizeof *chunk->pairs);
    shard->count = chunk->count;
    shard->kept = chunk->live;
}

static bool chunk_end(struct chunk *chunk)
{
    const struct fold_settings *settings = &chunk->fold->settings;
    bool grows = settings->kind == FOLD_IMAGES && settings->snapshot == NULL;

    if (chunk->shard->pieces > 0 || grows)
        return chunk_flush(chunk);
    chunk_keep(chunk);
    return true;
}

static void chunk_release(struct chunk *chunk)
{
    arena_release(&chunk->staging);
    arena_release(&chunk->tables);
    if (chunk->shard->pairs == NULL)
        arena_release(chunk->arena);
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
    bool ok = end != SCAN_FAILED && !chunk.failed && chunk_end(&chunk);
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
        arena_init(&shard->arena);
        buf_init(&shard->next);
        log_put_prefix(&shard->next, fold->settings.table, fold->settings.epoch, i);
        buf_put(&shard->next, stamp, engine->limits.stamp_size);
    }
}

bool fold_open(struct fold *fold, const struct fold_settings *settings, struct err *err)
{
    *fold = (struct fold){.settings = *settings, .scratch_name = strdup(settings->scratch)};
    if (fold->settings.memory_most == 0)
        fold->settings.memory_most = MEMORY_DEFAULT;
    pthread_mutex_init(&fold->write_lock, NULL);
    shards_init(fold);
    return floor_check(settings, err) && shards_fold(fold, err);
}

void fold_close(struct fold *fold)
{
    engine_close(fold->scratch);
    for (uint32_t i = 0; i < LOG_SHARDS; i++) {
        arena_release(&fold->shards[i].arena);
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

size_t fold_size(const struct fold *fold)
{
    size_t size = fold->scratch_used;

    for (uint32_t i = 0; i < LOG_SHARDS; i++)
        size += fold->shards[i].kept;
    return size;
}

/* --- walking */

static bool is_before(struct bytes name, struct bytes to)
{
    return to.size == 0 || bytes_compare(name, to) < 0;
}

static enum scan_end kept_scan(const struct fold_shard *shard, const struct engine_scan *scan)
{
    size_t at = 0;

    for (size_t end = shard->count; at < end;) {
        size_t middle = at + (end - at) / 2;
        if (bytes_compare(shard->pairs[middle].name, scan->from) < 0)
            at = middle + 1;
        else
            end = middle;
    }
    for (; at < shard->count && is_before(shard->pairs[at].name, scan->to); at++)
        if (!scan->visit(scan->context, shard->pairs[at].name, shard->pairs[at].value))
            return SCAN_STOPPED;
    return SCAN_DONE;
}

/* The part of the scan that is in one shard: its keys begin with its number. */
static enum scan_end shard_scan(struct fold *fold, uint32_t shard, struct engine_scan scan,
                                struct err *err)
{
    uint8_t first = (uint8_t)(shard << (8 - LOG_SHARD_BITS)),
            end = (uint8_t)((shard + 1) << (8 - LOG_SHARD_BITS));

    if (fold->shards[shard].pairs != NULL)
        return kept_scan(&fold->shards[shard], &scan);
    if (fold->scratch == NULL)
        return SCAN_DONE;
    if (bytes_compare(scan.from, bytes_of(&first, 1)) < 0)
        scan.from = bytes_of(&first, 1);
    if (end != 0 && is_before(bytes_of(&end, 1), scan.to))
        scan.to = bytes_of(&end, 1);
    return engine_scan_all(fold->scratch, &scan, err);
}

enum scan_end fold_scan(struct fold *fold, struct bytes from, struct bytes to,
                        bool (*visit)(void *context, struct bytes name, struct bytes value),
                        void *context, struct err *err)
{
    enum scan_end end = SCAN_DONE;
    uint32_t last = to.size == 0 ? LOG_SHARDS - 1 : log_shard(to);

    for (uint32_t i = log_shard(from); i <= last && end == SCAN_DONE; i++)
        end = shard_scan(fold, i,
                         (struct engine_scan){
                             .space = fold_space(fold),
                             .from = from,
                             .to = to,
                             .bulk = true,
                             .visit = visit,
                             .context = context,
                         },
                         err);
    return end;
}
