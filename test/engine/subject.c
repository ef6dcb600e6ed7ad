/* test/engine/subject.c - opening, committing and listing for the conformance suite. */
#include "engine/subject.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/fault.h"

#define MEMORY ((size_t)16 * 1024 * 1024)

static struct engine *open_memory(const struct subject *subject, struct err *err)
{
    struct memory_settings settings = {.snapshots = true, .page_most = 3, .stamp_size = 8};

    (void)subject, (void)err;
    return engine_open_memory(&settings);
}

/* As another engine might be: no snapshots, wide stamps, no pauses. */
static struct engine *open_other(const struct subject *subject, struct err *err)
{
    struct memory_settings settings = {.seed = 7, .stamp_size = 12};

    (void)subject, (void)err;
    return engine_open_memory(&settings);
}

static struct engine *open_rocksdb(const struct subject *subject, struct err *err)
{
    struct rocksdb_settings settings = {
        .directory = subject->folder,
        .memory = MEMORY,
        .clock_ahead_most = CLOCK_AHEAD_MOST_DEFAULT,
    };

    return engine_open_rocksdb(&settings, err);
}

static struct engine *open_relaxed(const struct subject *subject, struct err *err)
{
    struct rocksdb_settings settings = {
        .directory = subject->folder,
        .memory = MEMORY,
        .relaxed = true,
        .clock_ahead_most = CLOCK_AHEAD_MOST_DEFAULT,
    };

    return engine_open_rocksdb(&settings, err);
}

static const struct kind {
    const char *name;
    struct engine *(*open)(const struct subject *subject, struct err *err);
    bool lasts;
} kinds[] =
    {
        {"memory", open_memory, false},
        {"other", open_other, false},
        {"rocksdb", open_rocksdb, true},
        {"relaxed", open_relaxed, true},
},
  *chosen;

bool subject_choose(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            chosen = &kinds[i];
    return chosen != NULL;
}

int subject_open(void **state)
{
    struct subject *subject = calloc(1, sizeof *subject);
    struct err err;

    if (subject == NULL)
        return -1;
    arena_init(&subject->arena);
    folder_make(subject->folder);
    subject->lasts = chosen->lasts;
    subject->engine = chosen->open(subject, &err);
    *state = subject;
    return subject->engine == NULL ? -1 : 0;
}

int subject_close(void **state)
{
    struct subject *subject = *state;

    fault_clear();
    clock_set(0);
    engine_close(subject->engine);
    arena_release(&subject->arena);
    folder_remove(subject->folder);
    free(subject);
    return 0;
}

bool subject_try_reopen(struct subject *subject, struct err *err)
{
    engine_close(subject->engine);
    subject->engine = chosen->open(subject, err);
    return subject->engine != NULL;
}

void subject_reopen(struct subject *subject)
{
    struct err err;

    if (!subject_try_reopen(subject, &err))
        fail_msg("reopen: %s", err.message);
}

struct engine_batch *subject_batch(struct subject *subject)
{
    struct engine_batch *batch = arena_alloc(&subject->arena, sizeof *batch);

    batch_init(batch, &subject->arena);
    return batch;
}

void subject_commit_group(struct subject *subject, struct engine_batch **batches, uint32_t count)
{
    subject->engine->ops->commit(subject->engine, batches, count);
}

void subject_expect(struct subject *subject, struct engine_batch *batch,
                    enum commit_outcome outcome)
{
    subject_commit_group(subject, &batch, 1);
    if (batch->outcome != outcome)
        fail_msg("outcome %d, wanted %d: %s", (int)batch->outcome, (int)outcome,
                 batch->err != NULL ? batch->err->message : "no error");
}

void subject_commit(struct subject *subject, struct engine_batch *batch)
{
    subject_expect(subject, batch, COMMIT_OK);
}

struct bytes subject_get(struct subject *subject, enum engine_space space, struct bytes key)
{
    struct engine_value value;
    struct bytes copy = BYTES("(none)");
    struct err err;
    bool found;

    if (!engine_get(subject->engine, NULL, space, key, &value, &found, &err))
        fail_msg("get: %s", err.message);
    if (found)
        copy = arena_copy(&subject->arena, value.bytes);
    else
        assert_int_equal(value.bytes.size, 0);
    engine_value_release(&value);
    return copy;
}

static bool list_pair(void *context, struct bytes key, struct bytes value)
{
    buf_printf(context, "%.*s=%.*s ", BYTES_ARGS(key), BYTES_ARGS(value));
    return true;
}

struct bytes subject_list(struct subject *subject, const struct engine_scan *range)
{
    struct engine_scan scan = *range;
    struct buf list;
    struct err err;

    buf_init_in(&list, &subject->arena);
    scan.visit = list_pair;
    scan.context = &list;
    if (engine_scan_all(subject->engine, &scan, &err) != SCAN_DONE)
        fail_msg("scan: %s", err.message);
    return buf_bytes(&list);
}

struct bytes subject_list_all(struct subject *subject, enum engine_space space)
{
    return subject_list(subject, &(struct engine_scan){.space = space});
}
