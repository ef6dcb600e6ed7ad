/* changelog/changes.c - the net changes of a window [from, to): what the records of each key come
 * to.
 *
 * The log of a window does not change any more: no commit is before the time that has passed, and
 * the pin keeps it from being trimmed. So unlike the past it needs no snapshot, and nothing but the
 * log: a key's first image and its last one say all, in proportion to what was written in the
 * window, whatever the size of the table. */
#include "changelog/fold.h"

#include <stdlib.h>

#include "changelog/piece.h"

#define ARENA_KEPT ((size_t)1024 * 1024) /* of a change, for the next */

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
        .key_from = settings->key_from,
        .key_to = settings->key_to,
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

uint64_t changes_size(const struct changes *changes)
{
    return fold_size(&changes->fold);
}

static bool change_show(const struct sorted_pair *pair, struct arena *arena,
                        const struct changes_visitor *visitor, bool *more, struct err *err)
{
    struct piece piece;

    if (!piece_read(pair->value, arena, &piece, err))
        return false;
    struct net_change change = {
        .key = pair->name,
        .before = piece.before,
        .after = piece.after,
        .existed = piece.link != 0,
        .time = piece.time,
        .size = piece.size,
    };
    *more = visitor->visit(visitor->context, &change, err);
    return true;
}

bool changes_walk(struct changes *changes, struct bytes from, struct bytes to,
                  const struct changes_visitor *visitor, struct err *err)
{
    struct fold_cursor cursor;
    struct sorted_pair pair;
    struct arena arena;
    bool more = true, found = true;

    if (to.size > 0 && bytes_compare(from, to) >= 0)
        return true;
    arena_init(&arena);
    bool ok = fold_cursor_begin(&cursor, &changes->fold, from, to, err);
    while (ok && more && found) {
        arena_reset(&arena, ARENA_KEPT);
        ok = fold_cursor_next(&cursor, &pair, &found, err) &&
             (!found || change_show(&pair, &arena, visitor, &more, err));
    }
    fold_cursor_end(&cursor);
    arena_release(&arena);
    return ok;
}
