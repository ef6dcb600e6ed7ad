/* engine/memory.c - the model: an engine in plain sight that judges the others, and torments its
 * callers with what they may meet elsewhere (conflicts, unknown outcomes, pauses, wide stamps).
 *
 * The store is one immutable tree for each space. A commit makes a new version of the trees that
 * shares all it did not touch with the old, and publishes it by swapping one pointer; a reader
 * takes a reference on the version it reads, so a scan shows one instant and a snapshot is a
 * reference that is kept. The trees are treaps (ordered by key, heaped by a random priority), for
 * which everything is a split at a key and a join: a put splits, exchanges one node and joins; a
 * delete of a range splits twice and leaves the middle out. Recursion is as deep as the tree, which
 * is logarithmic for random priorities. */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/random.h"
#include "engine/batch.h"
#include "engine/stamps.h"

/* --- trees ---------------------------------------------------------------------------------- */

/* What a key has; shared by all nodes for it, and by readers of its value. */
struct pair {
    _Atomic uint32_t references;
    uint32_t key_size, value_size;
    uint8_t room[]; /* key, value */
};

struct node {
    _Atomic uint32_t references;
    uint64_t priority;
    struct pair *pair;
    struct node *left, *right;
};

static void *must_alloc(size_t size)
{
    void *memory = malloc(size);

    if (memory == NULL)
        abort();
    return memory;
}

static struct bytes pair_key(const struct pair *pair)
{
    return bytes_of(pair->room, pair->key_size);
}

static struct bytes pair_value(const struct pair *pair)
{
    return bytes_of(pair->room + pair->key_size, pair->value_size);
}

static struct pair *pair_new(struct bytes key, struct bytes value)
{
    struct pair *pair = must_alloc(sizeof *pair + key.size + value.size);

    pair->references = 1;
    pair->key_size = (uint32_t)key.size;
    pair->value_size = (uint32_t)value.size;
    if (key.size > 0)
        memcpy(pair->room, key.data, key.size);
    if (value.size > 0)
        memcpy(pair->room + key.size, value.data, value.size);
    return pair;
}

static struct pair *pair_hold(struct pair *pair)
{
    pair->references++;
    return pair;
}

static void pair_release(struct pair *pair)
{
    if (--pair->references == 0)
        free(pair);
}

static struct node *node_hold(struct node *node)
{
    if (node != NULL)
        node->references++;
    return node;
}

static void node_release(struct node *node)
{
    if (node == NULL || --node->references > 0)
        return;
    node_release(node->left);
    node_release(node->right);
    pair_release(node->pair);
    free(node);
}

/* Takes over the references to pair, left and right. */
static struct node *node_new(uint64_t priority, struct pair *pair, struct node *left,
                             struct node *right)
{
    struct node *node = must_alloc(sizeof *node);

    *node = (struct node){1, priority, pair, left, right};
    return node;
}

static struct node *node_with(const struct node *node, struct node *left, struct node *right)
{
    return node_new(node->priority, pair_hold(node->pair), left, right);
}

/* The tree in two, below `key` and from `key` on; the tree itself stays as it is. */
static void tree_split(struct node *tree, struct bytes key, struct node **below, struct node **rest)
{
    struct node *part;

    if (tree == NULL) {
        *below = *rest = NULL;
    } else if (bytes_compare(pair_key(tree->pair), key) < 0) {
        tree_split(tree->right, key, &part, rest);
        *below = node_with(tree, node_hold(tree->left), part);
    } else {
        tree_split(tree->left, key, below, &part);
        *rest = node_with(tree, part, node_hold(tree->right));
    }
}

/* One tree of two, all keys of `below` being below those of `rest`. Takes over both. */
static struct node *tree_join(struct node *below, struct node *rest)
{
    struct node *whole;

    if (below == NULL)
        return rest;
    if (rest == NULL)
        return below;
    if (below->priority > rest->priority) {
        struct node *right = tree_join(node_hold(below->right), rest);
        whole = node_with(below, node_hold(below->left), right);
        node_release(below);
    } else {
        struct node *left = tree_join(below, node_hold(rest->left));
        whole = node_with(rest, left, node_hold(rest->right));
        node_release(rest);
    }
    return whole;
}

/* Puts `middle` in the place of [from, to). Takes over `middle`. */
static void tree_replace(struct node **tree, struct bytes from, struct bytes to,
                         struct node *middle)
{
    struct node *below, *rest, *out, *above;

    tree_split(*tree, from, &below, &rest);
    tree_split(rest, to, &out, &above);
    node_release(out);
    node_release(rest);
    node_release(*tree);
    *tree = tree_join(tree_join(below, middle), above);
}

static struct pair *tree_find(const struct node *tree, struct bytes key)
{
    while (tree != NULL) {
        int order = bytes_compare(key, pair_key(tree->pair));
        if (order == 0)
            return tree->pair;
        tree = order < 0 ? tree->left : tree->right;
    }
    return NULL;
}

/* --- versions ------------------------------------------------------------------------------- */

struct version {
    _Atomic uint32_t references;
    struct node *trees[ENGINE_SPACES];
};

struct engine_snapshot {
    struct version *version;
};

struct memory {
    struct engine engine;
    struct memory_settings settings;
    struct stamps stamps;
    pthread_mutex_t lock;
    struct version *version; /* lock: the newest */
    /* the committer's own */
    uint64_t random;     /* for priorities and torments */
    struct err *stopped; /* why no commit is taken any more; NULL: one is */
};

static const struct engine_ops memory_ops;

static struct memory *memory_of(struct engine *engine)
{
    assert(engine->ops == &memory_ops);
    return (struct memory *)engine;
}

static struct version *version_new(const struct version *old)
{
    struct version *version = must_alloc(sizeof *version);

    *version = (struct version){.references = 1};
    for (int i = 0; old != NULL && i < ENGINE_SPACES; i++)
        version->trees[i] = node_hold(old->trees[i]);
    return version;
}

static void version_release(struct version *version)
{
    if (--version->references > 0)
        return;
    for (int i = 0; i < ENGINE_SPACES; i++)
        node_release(version->trees[i]);
    free(version);
}

static struct version *version_hold(struct memory *memory, const struct engine_snapshot *snapshot)
{
    if (snapshot != NULL) {
        snapshot->version->references++;
        return snapshot->version;
    }
    pthread_mutex_lock(&memory->lock);
    struct version *version = memory->version;
    version->references++;
    pthread_mutex_unlock(&memory->lock);
    return version;
}

static void version_publish(struct memory *memory, struct version *version)
{
    pthread_mutex_lock(&memory->lock);
    struct version *old = memory->version;
    memory->version = version;
    pthread_mutex_unlock(&memory->lock);
    version_release(old);
}

static struct engine_snapshot *memory_snapshot_new(struct engine *engine)
{
    struct memory *memory = memory_of(engine);

    if (!memory->settings.snapshots)
        return NULL;
    struct engine_snapshot *snapshot = must_alloc(sizeof *snapshot);
    snapshot->version = version_hold(memory, NULL);
    return snapshot;
}

static void memory_snapshot_free(struct engine *engine, struct engine_snapshot *snapshot)
{
    (void)engine;
    if (snapshot == NULL)
        return;
    version_release(snapshot->version);
    free(snapshot);
}

/* --- reading -------------------------------------------------------------------------------- */

static void release_pair(void *handle)
{
    pair_release(handle);
}

static bool memory_get(struct engine *engine, const struct engine_snapshot *snapshot,
                       enum engine_space space, struct bytes key, struct engine_value *out,
                       bool *found, struct err *err)
{
    if (FAULT(ENGINE_GET, err))
        return false;
    struct version *version = version_hold(memory_of(engine), snapshot);
    struct pair *pair = tree_find(version->trees[space], key);

    *found = pair != NULL;
    *out = (struct engine_value){0};
    if (pair != NULL)
        *out = (struct engine_value){pair_value(pair), pair_hold(pair), release_pair};
    version_release(version);
    return true;
}

struct walk {
    const struct engine_scan *scan;
    size_t left; /* pairs to show until it pauses */
    enum scan_end end;
};

static bool walk_show(struct walk *walk, const struct pair *pair)
{
    if (walk->left == 0) {
        walk->end = SCAN_PAUSED;
        return false;
    }
    walk->left--;
    if (!walk->scan->visit(walk->scan->context, pair_key(pair), pair_value(pair))) {
        walk->end = SCAN_STOPPED;
        return false;
    }
    return true;
}

/* In order or against it; false where the walk has ended. */
static bool walk_tree(struct walk *walk, const struct node *tree)
{
    const struct engine_scan *scan = walk->scan;

    if (tree == NULL)
        return true;
    bool behind_from = bytes_compare(pair_key(tree->pair), scan->from) >= 0;
    bool before_to = scan->to.size == 0 || bytes_compare(pair_key(tree->pair), scan->to) < 0;
    const struct node *first = scan->backward ? tree->right : tree->left;
    const struct node *second = scan->backward ? tree->left : tree->right;
    bool wants_first = scan->backward ? before_to : behind_from;
    bool wants_second = scan->backward ? behind_from : before_to;

    return (!wants_first || walk_tree(walk, first)) &&
           (!behind_from || !before_to || walk_show(walk, tree->pair)) &&
           (!wants_second || walk_tree(walk, second));
}

static enum scan_end memory_scan(struct engine *engine, const struct engine_scan *scan,
                                 struct err *err)
{
    struct memory *memory = memory_of(engine);
    size_t page = memory->settings.page_most;
    struct walk walk = {scan, page == 0 ? SIZE_MAX : page, SCAN_DONE};

    if (FAULT(ENGINE_SCAN, err))
        return SCAN_FAILED;
    struct version *version = version_hold(memory, scan->snapshot);
    walk_tree(&walk, version->trees[scan->space]);
    version_release(version);
    return walk.end;
}

/* --- committing ----------------------------------------------------------------------------- */

static bool expectations_hold(const struct version *version, const struct engine_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct batch_op *op = &batch->ops[i];
        if (op->kind != BATCH_EXPECT)
            continue;
        const struct pair *pair = tree_find(version->trees[op->space], batch_op_key(op));
        if (!batch_expected(batch_op_value(op), pair != NULL,
                            pair != NULL ? pair_value(pair) : BYTES_NONE))
            return false;
    }
    return true;
}

static bool expects(const struct engine_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++)
        if (batch->ops[i].kind == BATCH_EXPECT)
            return true;
    return false;
}

/* Puts `middle` in the place of what `key` has. */
static void tree_exchange(struct node **tree, struct bytes key, struct node *middle)
{
    uint8_t room[LIMITS_KEY_MOST + 1]; /* the key just above */

    if (key.size > 0)
        memcpy(room, key.data, key.size);
    room[key.size] = 0;
    tree_replace(tree, key, bytes_of(room, key.size + 1), middle);
}

static void tree_put(struct memory *memory, struct node **tree, struct bytes key,
                     struct bytes value)
{
    struct pair *pair = pair_new(key, value);

    tree_exchange(tree, key, node_new(random_next(&memory->random), pair, NULL, NULL));
}

static void tree_add(struct memory *memory, struct node **tree, struct bytes key,
                     struct bytes deltas)
{
    struct pair *pair = tree_find(*tree, key);
    struct bytes old = pair != NULL ? pair_value(pair) : BYTES_NONE;
    size_t size = batch_sum_size(old, deltas);
    uint8_t *sum = must_alloc(size + 1);

    batch_sum(old, deltas, sum);
    tree_put(memory, tree, key, bytes_of(sum, size));
    free(sum);
}

static void apply(struct memory *memory, struct version *version, const struct engine_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct batch_op *op = &batch->ops[i];
        struct node **tree = &version->trees[op->space];
        struct bytes key = batch_op_key(op), value = batch_op_value(op);
        switch (op->kind) {
        case BATCH_PUT:
            tree_put(memory, tree, key, value);
            break;
        case BATCH_DELETE:
            tree_exchange(tree, key, NULL);
            break;
        case BATCH_DELETE_RANGE:
            if (bytes_compare(key, value) < 0)
                tree_replace(tree, key, value, NULL);
            break;
        case BATCH_ADD:
            tree_add(memory, tree, key, value);
            break;
        case BATCH_EXPECT:
            break;
        }
    }
}

static bool one_in(struct memory *memory, uint32_t n)
{
    return n != 0 && random_next(&memory->random) % n == 0;
}

/* One batch onto the version that is being made. */
static void commit_one(struct memory *memory, struct version *version, struct engine_batch *batch)
{
    struct err err;

    if (!batch_fits(batch, &memory->engine.limits, &err)) {
        batch_fail(batch, COMMIT_FAILED, &err);
        return;
    }
    if (!expectations_hold(version, batch) ||
        (one_in(memory, memory->settings.conflict_one_in) && expects(batch))) {
        batch->outcome = COMMIT_CONFLICT;
        return;
    }
    bool unknown = one_in(memory, memory->settings.unknown_one_in);
    if (!unknown || one_in(memory, 2)) {
        stamps_give(&memory->stamps, batch, memory->engine.limits.stamp_size);
        apply(memory, version, batch);
    }
    batch->outcome = COMMIT_OK;
    if (unknown) {
        err_fail(&err, ERR_UNKNOWN_OUTCOME, "commit: the engine does not know the outcome");
        batch_fail(batch, COMMIT_UNKNOWN, &err);
    }
}

static bool refuses(struct memory *memory, struct err *err)
{
    if (memory->stopped != NULL)
        return !err_fail(err, ERR_STORAGE, "no more writes until a restart: %s",
                         memory->stopped->message);
    return FAULT(ENGINE_COMMIT, err) || FAULT(ENGINE_FULL, err);
}

static void memory_commit(struct engine *engine, struct engine_batch **batches, uint32_t count)
{
    struct memory *memory = memory_of(engine);
    enum commit_outcome outcome = COMMIT_FAILED;
    struct err err;

    if (refuses(memory, &err))
        goto failed;
    if (FAULT(ENGINE_SYNC, &err)) {
        memory->stopped = must_alloc(sizeof err);
        *memory->stopped = err;
        outcome = COMMIT_UNKNOWN;
        goto failed;
    }
    struct version *version = version_new(memory->version);
    for (uint32_t i = 0; i < count; i++)
        commit_one(memory, version, batches[i]);
    version_publish(memory, version);
    return;
failed:
    for (uint32_t i = 0; i < count; i++)
        batch_fail(batches[i], outcome, &err);
}

/* --- the rest ------------------------------------------------------------------------------- */

static uint64_t memory_now(struct engine *engine)
{
    return stamps_now(&memory_of(engine)->stamps);
}

static void memory_stamp_at(struct engine *engine, uint64_t micros, uint8_t *stamp)
{
    stamps_at(micros, engine->limits.stamp_size, stamp);
}

static void memory_reclaim(struct engine *engine, enum engine_space space, struct bytes from,
                           struct bytes to)
{
    (void)engine, (void)space, (void)from, (void)to; /* nothing is left behind by a delete */
}

static void memory_metrics(struct engine *engine, struct buf *out)
{
    (void)engine, (void)out;
}

static void memory_close(struct engine *engine)
{
    struct memory *memory = memory_of(engine);

    version_release(memory->version);
    pthread_mutex_destroy(&memory->lock);
    free(memory->stopped);
    free(memory);
}

static const struct engine_ops memory_ops = {
    .name = "memory",
    .get = memory_get,
    .scan = memory_scan,
    .snapshot_new = memory_snapshot_new,
    .snapshot_free = memory_snapshot_free,
    .commit = memory_commit,
    .now = memory_now,
    .stamp_at = memory_stamp_at,
    .reclaim = memory_reclaim,
    .metrics = memory_metrics,
    .close = memory_close,
};

struct engine *engine_open_memory(const struct memory_settings *settings)
{
    struct memory *memory = must_alloc(sizeof *memory);
    struct err err;

    *memory = (struct memory){
        .engine = {.ops = &memory_ops,
                   .limits = {.stamp_size = STAMP_SIZE,
                              .key_most = LIMITS_KEY_MOST,
                              .value_most = LIMITS_VALUE_MOST,
                              .batch_most = LIMITS_BATCH_MOST,
                              .snapshots = settings->snapshots},
                   .scratch = {.folder = P_tmpdir}},
        .settings = *settings,
        .version = version_new(NULL),
        .random = settings->seed,
    };
    if (settings->stamp_size != 0)
        memory->engine.limits.stamp_size = settings->stamp_size;
    assert(memory->engine.limits.stamp_size >= STAMP_SIZE &&
           memory->engine.limits.stamp_size <= STAMP_MOST);
    if (!stamps_open(&memory->stamps, 0, UINT64_MAX, &err))
        abort(); /* a model under a clock that tests set */
    pthread_mutex_init(&memory->lock, NULL);
    return &memory->engine;
}
