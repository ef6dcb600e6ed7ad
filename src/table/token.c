/* table/token.c - requests that count once: what a ClientRequestToken stands for, kept with the
 * writes of its request in one commit
 *
 *     'I' | period (4) | SHA-256 of the token (32)  ->  stamp | time | { Request: B }
 *
 * The key begins with the period of time in which it was made, so that what is old lies together
 * and goes with one deletion of a range, without being read. A period is longer than a token is
 * kept, so a token that still counts is in this period or in the one before: both are looked at,
 * and both are expected to be what they were. Whether it still counts is told by the time of its
 * commit, which is when its request was done. The lock of the token is held from the look until the
 * commit, so of two requests at once the second one finds what the first one made of it. */
#include "table/catalog.h"

#include "base/digest.h"
#include "base/hash.h"

#define TOKEN_PERIOD (2 * TOKEN_KEPT)
#define LOCK_SEED    UINT64_C(0x746f6b656e) /* another one than any table's number */

uint64_t token_lock(struct bytes name)
{
    return bytes_hash(name, LOCK_SEED) | 1; /* 0 is no lock */
}

static struct bytes period_key(struct arena *arena, uint64_t period, struct bytes rest)
{
    uint8_t *key = arena_alloc(arena, 5 + rest.size);

    key[0] = CATALOG_TOKEN;
    be32_store(key + 1, (uint32_t)period);
    if (rest.size > 0)
        memcpy(key + 5, rest.data, rest.size);
    return bytes_of(key, 5 + rest.size);
}

static uint64_t period_now(struct engine *engine)
{
    return engine->ops->now(engine) / TOKEN_PERIOD;
}

/* One of the two places; `*found`: there is a token that counts. */
static bool place_look(struct work *work, struct token *token, int at, bool *found, bool *same,
                       struct err *err)
{
    struct engine *engine = work->tables->engine;
    struct engine_value value;
    struct stored_item stored;
    bool there;

    *found = false;
    token->stamps[at] = BYTES_NONE;
    if (!engine_get(engine, NULL, SPACE_CATALOG, token->places[at], &value, &there, err))
        return false;
    if (!there)
        return true;
    struct bytes copy = arena_copy(work->arena, value.bytes);
    engine_value_release(&value);
    if (!stored_item_read(&engine->limits, copy, &stored, err) || !item_check(stored.item, err))
        return false;
    token->stamps[at] = stored.stamp;
    *found = engine->ops->now(engine) < stored.time + TOKEN_KEPT;
    *same = bytes_equal(item_text(stored.item, "Request"),
                        bytes_of(token->request, TOKEN_REQUEST_SIZE));
    return true;
}

bool token_look(struct work *work, struct token *token, bool *replayed, struct err *err)
{
    uint64_t period = period_now(work->tables->engine);
    uint8_t digest[SHA256_SIZE];
    bool found = false, same = false;

    digest_of(DIGEST_SHA256, token->name, digest);
    for (int at = 0; at < 2; at++)
        token->places[at] =
            period_key(work->arena, period - (uint64_t)at, bytes_of(digest, sizeof digest));
    for (int at = 0; at < 2 && !found; at++)
        if (!place_look(work, token, at, &found, &same, err))
            return false;
    /* No recording was found of the service's words. */
    if (found && !same)
        return err_fail(err, ERR_IDEMPOTENT_MISMATCH,
                        "The request was made before with the same client request token and other "
                        "parameters");
    *replayed = found;
    return true;
}

void token_stage(struct work *work, const struct token *token)
{
    struct engine_batch *batch = &work->batch;
    struct item_maker maker;

    for (int at = 0; at < 2; at++)
        batch_expect(batch, SPACE_CATALOG, token->places[at], token->stamps[at], true);
    item_begin(&maker, batch->arena);
    item_put_data(&maker, "Request", bytes_of(token->request, TOKEN_REQUEST_SIZE));
    stored_item_put(batch, &work->tables->engine->limits, SPACE_CATALOG, token->places[0],
                    item_finish(&maker), batch_slot(batch));
}

static bool stop_at_first(void *context, struct bytes key, struct bytes value)
{
    (void)context;
    (void)key;
    (void)value;
    return false;
}

bool tokens_purge(struct tables *tables, struct err *err)
{
    struct engine *engine = tables->engine;
    uint64_t period = period_now(engine);
    struct engine_batch batch;
    struct arena arena;

    if (period == 0)
        return true;
    arena_init(&arena);
    struct engine_scan old = {
        .space = SPACE_CATALOG,
        .from = period_key(&arena, 0, BYTES_NONE),
        .to = period_key(&arena, period - 1, BYTES_NONE),
        .visit = stop_at_first,
    };
    enum scan_end end = engine_scan_all(engine, &old, err);
    bool ok = end != SCAN_FAILED;
    if (end == SCAN_STOPPED) {
        batch_init(&batch, &arena);
        batch_delete_range(&batch, SPACE_CATALOG, old.from, old.to);
        ok = committer_commit(tables->committer, &batch, err) || batch.outcome == COMMIT_CONFLICT;
    }
    arena_release(&arena);
    return ok;
}
