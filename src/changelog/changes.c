/* changelog/changes.c - the net changes of a window [from, to): pieces of each key, put together.
 *
 * The log of a window does not change any more: no commit is before the time that has passed, and
 * the pin keeps it from being trimmed. So unlike the past it needs no snapshot, and nothing but the
 * log: a key's first image and its last one say all, in proportion to what was written in the
 * window, whatever the size of the table. */
#include "changelog/fold.h"

#include <stdlib.h>

struct changes {
    struct fold fold;
};

struct changes *changes_open(const struct changes_settings *settings, struct err *err)
{
    struct changes *changes = calloc(1, sizeof *changes);
    struct fold_settings fold = {
        .kind = FOLD_CHANGES,
        .engine = settings->engine,
        .table = settings->table,
        .epoch = settings->epoch,
        .from = settings->from,
        .to = settings->to,
        .new_only = settings->new_only,
        .scratch = settings->scratch,
        .scratch_most = settings->scratch_most,
        .memory_most = settings->memory_most,
        .stop = settings->stop,
    };

    if (changes == NULL)
        abort();
    if (fold_open(&changes->fold, &fold, err))
        return changes;
    changes_close(changes);
    return NULL;
}

void changes_close(struct changes *changes)
{
    if (changes == NULL)
        return;
    fold_close(&changes->fold);
    free(changes);
}

size_t changes_size(const struct changes *changes)
{
    return fold_size(&changes->fold);
}

/* The change that is put together: copies, since its pieces are shown one by one. */
struct walk {
    const struct changes_visitor *visitor;
    struct buf key, before, after;
    uint64_t time, size;
    bool new_only, existed;
    bool held, failed, stopped;
    struct err *err;
};

static void buf_set(struct buf *buf, struct bytes bytes)
{
    buf_clear(buf);
    buf_put_bytes(buf, bytes);
}

/* Shows the change that is held; false: no more are wanted. */
static bool walk_show(struct walk *walk)
{
    struct net_change change = {
        .key = buf_bytes(&walk->key),
        .before = buf_bytes(&walk->before),
        .after = buf_bytes(&walk->after),
        .existed = walk->existed,
        .time = walk->time,
        .size = walk->size,
    };

    if (!walk->held)
        return true;
    walk->held = false;
    walk->stopped = !walk->visitor->visit(walk->visitor->context, &change, walk->err);
    return !walk->stopped;
}

static void walk_begin(struct walk *walk, struct bytes key, const struct fold_piece *piece)
{
    walk->held = true;
    buf_set(&walk->key, key);
    walk->existed = piece->digest != 0;
    buf_set(&walk->before, piece->before);
    walk->size = 0;
}

static bool walk_fail(struct walk *walk)
{
    walk->failed = true;
    return false;
}

static bool piece_visit(void *context, struct bytes name, struct bytes value)
{
    struct walk *walk = context;
    struct bytes key = bytes_of(name.data, name.size - FOLD_PIECE_NUMBER);
    struct fold_piece piece;

    if (!fold_piece_read(value, &piece, walk->err))
        return walk_fail(walk);
    if (!walk->held || !bytes_equal(key, buf_bytes(&walk->key))) {
        if (!walk_show(walk))
            return false;
        walk_begin(walk, key, &piece);
    } else if (fold_digest(buf_bytes(&walk->after)) != piece.digest) {
        err_fail(walk->err, ERR_CORRUPT, "the log has lost a write of a key before %llu",
                 (unsigned long long)piece.time);
        return walk_fail(walk);
    } else if (walk->new_only && (piece.before.size > 0 || piece.after.size > 0)) {
        buf_set(&walk->before, piece.before);
    }
    buf_set(&walk->after, piece.after);
    walk->time = piece.time;
    walk->size += piece.size;
    return true;
}

bool changes_walk(struct changes *changes, struct bytes from, struct bytes to,
                  const struct changes_visitor *visitor, struct err *err)
{
    struct walk walk = {
        .visitor = visitor, .new_only = changes->fold.settings.new_only, .err = err};

    if (to.size > 0 && bytes_compare(from, to) >= 0)
        return true;
    buf_init(&walk.key);
    buf_init(&walk.before);
    buf_init(&walk.after);
    enum scan_end end = fold_scan(&changes->fold, from, to, piece_visit, &walk, err);
    if (end == SCAN_DONE)
        walk_show(&walk);
    buf_release(&walk.after);
    buf_release(&walk.before);
    buf_release(&walk.key);
    return end != SCAN_FAILED && !walk.failed;
}
