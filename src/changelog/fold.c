/* changelog/fold.c - the log by key instead of by time: what was before, and for changes also what
 * came out.
 *
 * The image of a key at instant T is what its first record from T on says was before; the change of
 * a window is what its records come to, one after the other. Either way a shard's records are read
 * once, forwards, and put into a sorter by key: there values of one key meet in the order of the
 * commits, of images the first stays, of changes the pieces are joined. So no image is ever looked
 * up, a key that is written a million times takes little room, and memory is bounded whatever the
 * log's length. A window is read until a record is at its end: it costs what was written in it,
 * however much came after. Where there is no snapshot, what was appended later is put behind the
 * rest, and changes nothing but for keys that were not there yet.
 *
 * A record's own time decides whether it counts; the stamp only where to begin. */
#include "changelog/fold.h"

#include <assert.h>

#include "base/share.h"
#include "changelog/piece.h"

#define MEMORY_DEFAULT ((size_t)16 * 1024 * 1024)

/* --- what sorters ask */

static bool pieces_join(struct fold *fold, const struct bytes *values, size_t count,
                        struct arena *arena, struct buf *out, struct err *err)
{
    const struct fold_settings *settings = &fold->settings;
    struct piece whole, next;
    struct piece_parts parts;

    if (!piece_read(values[0], arena, &whole, err))
        return false;
    for (size_t i = 1; i < count; i++) {
        if (!piece_read(values[i], arena, &next, err))
            return false;
        if (!piece_join(&whole, &next, settings->new_only))
            return err_fail(err, ERR_CORRUPT,
                            "the log of table %llu has lost a write of a key before %llu",
                            (unsigned long long)settings->table, (unsigned long long)next.time);
    }
    piece_cut(&whole, &parts);
    for (size_t i = 0; i < sizeof parts.parts / sizeof *parts.parts; i++)
        buf_put_bytes(out, parts.parts[i]);
    return true;
}

static bool join(void *context, const struct bytes *values, size_t count, struct buf *out,
                 struct err *err)
{
    struct fold *fold = context;
    struct arena arena;

    if (fold->settings.kind == FOLD_IMAGES) {
        buf_put_bytes(out, values[0]);
        return true;
    }
    arena_init(&arena);
    bool ok = pieces_join(fold, values, count, &arena, out, err);
    arena_release(&arena);
    return ok;
}

bool fold_goes_on(struct fold *fold, struct err *err)
{
    share_offer();
    if (fold->failed || stop_is_wanted(&fold->settings.stop))
        return err_fail(err, ERR_OVERLOADED, "reading the log was stopped");
    return true;
}

static bool goes_on(void *context, struct err *err)
{
    return fold_goes_on(context, err);
}

/* --- one shard */

static bool record_put(struct fold *fold, struct fold_shard *shard, const struct log_record *record,
                       struct err *err)
{
    if (fold->settings.kind == FOLD_IMAGES)
        return sorter_put(shard->sorter, record->key, &record->before, 1, err);

    struct piece piece = piece_of_record(record, fold->settings.new_only);
    struct piece_parts parts;
    piece_cut(&piece, &parts);
    shard->images += piece.before.size + piece.after.size;
    for (size_t i = 0; i < sizeof parts.parts / sizeof *parts.parts; i++)
        shard->kept += parts.parts[i].size;
    return sorter_put(shard->sorter, record->key, parts.parts,
                      sizeof parts.parts / sizeof *parts.parts, err);
}

/* What comes next is behind the record that was seen. */
static void shard_seen(struct fold_shard *shard, struct bytes key)
{
    buf_clear(&shard->next);
    buf_put_bytes(&shard->next, key);
    buf_put_u8(&shard->next, 0);
}

static bool key_wanted(const struct fold_settings *settings, struct bytes key)
{
    return bytes_compare(key, settings->key_from) >= 0 &&
           (settings->key_to.size == 0 || bytes_compare(key, settings->key_to) < 0);
}

static bool shard_wanted(const struct fold_settings *settings, uint32_t shard)
{
    return shard >= log_shard(settings->key_from) &&
           (settings->key_to.size == 0 || shard <= log_shard(settings->key_to));
}

struct reading {
    struct fold *fold;
    struct fold_shard *shard;
    bool failed;
    struct err *err;
};

static bool record_visit(void *context, struct bytes key, struct bytes value)
{
    struct reading *reading = context;
    const struct fold_settings *settings = &reading->fold->settings;
    struct log_record record;

    reading->failed = !log_record_read(value, &record, reading->err);
    if (reading->failed || record.time >= settings->to) /* times never fall in stamp order */
        return false;
    if (record.time >= settings->from && key_wanted(settings, record.key))
        reading->failed = !record_put(reading->fold, reading->shard, &record, reading->err);
    if (reading->failed)
        return false;
    shard_seen(reading->shard, key);
    reading->failed = !fold_goes_on(reading->fold, reading->err);
    return !reading->failed;
}

/* From the shard's `next` on to its end, or the window's. */
static bool shard_fold(struct fold *fold, uint32_t shard, struct err *err)
{
    struct reading reading = {.fold = fold, .shard = &fold->shards[shard], .err = err};
    struct buf from, to;

    if (!shard_wanted(&fold->settings, shard))
        return sorter_ready(fold->shards[shard].sorter, err);
    buf_init(&from);
    buf_put_bytes(&from, buf_bytes(&fold->shards[shard].next));
    buf_init(&to);
    log_put_end(&to, fold->settings.table, fold->settings.epoch, shard);
    enum scan_end end = engine_scan_all(fold->settings.engine,
                                        &(struct engine_scan){
                                            .space = SPACE_CHANGELOG,
                                            .from = buf_bytes(&from),
                                            .to = buf_bytes(&to),
                                            .bulk = true,
                                            .snapshot = fold->settings.snapshot,
                                            .visit = record_visit,
                                            .context = &reading,
                                        },
                                        err);
    buf_release(&from);
    buf_release(&to);
    return end != SCAN_FAILED && !reading.failed && sorter_ready(fold->shards[shard].sorter, err);
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

    thread->ok = shard_fold(thread->fold, thread->shard, &thread->err);
    if (!thread->ok)
        thread->fold->failed = true;
    return NULL;
}

/* Who cannot have a thread does without. Shards that were only told to stop since another has
 * failed are the last to say why. */
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
        if (!threads[i].ok && (ok || err->code == ERR_OVERLOADED))
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
    struct sorter_settings sorter = {
        .memory_most = fold->settings.memory_most / LOG_SHARDS,
        .scratch = &fold->scratch,
        .join = join,
        .goes_on = goes_on,
        .context = fold,
    };
    uint8_t stamp[STAMP_MOST];

    engine->ops->stamp_at(engine, fold->settings.from, stamp);
    for (uint32_t i = 0; i < LOG_SHARDS; i++) {
        struct fold_shard *shard = &fold->shards[i];
        pthread_mutex_init(&shard->lock, NULL);
        shard->sorter = sorter_new(&sorter);
        buf_init(&shard->next);
        log_put_prefix(&shard->next, fold->settings.table, fold->settings.epoch, i);
        buf_put(&shard->next, stamp, engine->limits.stamp_size);
    }
}

bool fold_open(struct fold *fold, const struct fold_settings *settings, struct err *err)
{
    *fold = (struct fold){.settings = *settings};
    fold->scratch.place = settings->engine->scratch;
    fold->scratch.most = settings->scratch_most;
    if (fold->settings.memory_most == 0)
        fold->settings.memory_most = MEMORY_DEFAULT;
    shards_init(fold);
    return floor_check(settings, err) && shards_fold(fold, err);
}

void fold_close(struct fold *fold)
{
    for (uint32_t i = 0; i < LOG_SHARDS; i++) {
        sorter_free(fold->shards[i].sorter);
        buf_release(&fold->shards[i].next);
        pthread_mutex_destroy(&fold->shards[i].lock);
    }
}

/* What sorters hold, counted in images instead of what was kept of them. */
uint64_t fold_size(const struct fold *fold)
{
    double size = 0;

    for (uint32_t i = 0; i < LOG_SHARDS; i++) {
        const struct fold_shard *shard = &fold->shards[i];
        if (shard->kept > 0)
            size +=
                (double)sorter_size(shard->sorter) * (double)shard->images / (double)shard->kept;
    }
    return (uint64_t)size;
}

/* --- walking */

static bool fold_grows(const struct fold *fold)
{
    return fold->settings.kind == FOLD_IMAGES && fold->settings.snapshot == NULL;
}

bool fold_cursor_begin(struct fold_cursor *cursor, struct fold *fold, struct bytes from,
                       struct bytes to, struct err *err)
{
    uint32_t first = log_shard(from), last = to.size == 0 ? LOG_SHARDS - 1 : log_shard(to);

    *cursor = (struct fold_cursor){fold, from, to, first, first, last, 0, NULL};
    for (uint32_t i = first; fold_grows(fold) && i <= last; i++) {
        pthread_mutex_lock(&fold->shards[i].lock);
        cursor->locked++;
        if (!shard_fold(fold, i, err))
            return false;
    }
    return true;
}

void fold_cursor_end(struct fold_cursor *cursor)
{
    sorter_cursor_close(cursor->pairs);
    for (uint32_t i = 0; i < cursor->locked; i++)
        pthread_mutex_unlock(&cursor->fold->shards[cursor->first + i].lock);
}

/* A shard's keys begin with its number, so shards follow on each other. */
bool fold_cursor_next(struct fold_cursor *cursor, struct sorted_pair *out, bool *found,
                      struct err *err)
{
    for (*found = false; cursor->shard <= cursor->last; cursor->shard++) {
        if (cursor->pairs == NULL)
            cursor->pairs = sorter_cursor_open(cursor->fold->shards[cursor->shard].sorter,
                                               cursor->from, cursor->to, err);
        if (cursor->pairs == NULL || !sorter_cursor_next(cursor->pairs, out, found, err))
            return false;
        if (*found)
            break;
        sorter_cursor_close(cursor->pairs);
        cursor->pairs = NULL;
    }
    return true;
}
