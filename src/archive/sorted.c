/* archive/sorted.c - writes are gathered, since a commit for each would cost more than the write.
 */
#include "archive/sorted.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "item/codec.h"
#include "item/key.h"

#define GATHER_MOST ((size_t)4 * 1024 * 1024)

static void batch_begin(struct sorted *sorted)
{
    arena_reset(&sorted->arena, GATHER_MOST);
    batch_init(&sorted->batch, &sorted->arena);
    sorted->gathered = 0;
}

bool sorted_open(struct sorted *sorted, const char *folder, struct err *err)
{
    const char *above = folder != NULL ? folder : getenv("TMPDIR");
    struct arena arena;

    *sorted = (struct sorted){0};
    arena_init(&arena);
    char *path = arena_text(&arena, arena_printf(&arena, "%s/gramme-XXXXXX",
                                                 above != NULL && *above != '\0' ? above : "/tmp"));
    if (mkdtemp(path) == NULL) {
        err_fail(err, ERR_STORAGE, "cannot make a scratch folder %s: %s", path, strerror(errno));
    } else {
        sorted->folder = strdup(path);
        const char *inside = arena_text(&arena, arena_printf(&arena, "%s/scratch", path));
        sorted->engine = engine_open_scratch(inside, SORTED_MEMORY, err);
    }
    arena_release(&arena);
    arena_init(&sorted->arena);
    batch_begin(sorted);
    return sorted->engine != NULL;
}

void sorted_close(struct sorted *sorted)
{
    engine_close(sorted->engine);
    if (sorted->folder != NULL)
        rmdir(sorted->folder);
    free(sorted->folder);
    arena_release(&sorted->arena);
}

/* The type of a key attribute, by that of its value. */
static bool key_type_of(enum value_type type, enum key_type *out)
{
    static const enum key_type types[] = {[VALUE_S] = KEY_S, [VALUE_N] = KEY_N, [VALUE_B] = KEY_B};

    if (type > VALUE_B)
        return false;
    *out = types[type];
    return true;
}

bool sorted_key(struct bytes item, const char *const names[2], struct arena *arena,
                struct bytes *out, struct err *err)
{
    struct buf key;

    buf_init_in(&key, arena);
    for (size_t i = 0; i < 2 && names[i] != NULL; i++) {
        struct value value;
        enum key_type type;
        if (!item_find(item, bytes_of_text(names[i]), &value) || !key_type_of(value.type, &type))
            return err_fail(err, ERR_CORRUPT, "an item has no key attribute %s", names[i]);
        if (i == 0)
            buf_put_be64(&key, key_hash(value.content));
        key_put_part(&key, type, value.content);
    }
    *out = buf_bytes(&key);
    return true;
}

static bool flush(struct sorted *sorted, struct err *err)
{
    struct engine_batch *batch = &sorted->batch;

    if (batch->count == 0)
        return true;
    sorted->engine->ops->commit(sorted->engine, &batch, 1);
    if (batch->outcome != COMMIT_OK)
        return err_fail(err, ERR_STORAGE, "the scratch folder %s: %s", sorted->folder,
                        batch->err != NULL ? batch->err->message : "conflict");
    batch_begin(sorted);
    return true;
}

bool sorted_put(struct sorted *sorted, struct bytes key, struct bytes value, struct err *err)
{
    struct bytes copy = arena_copy(&sorted->arena, key);

    if (value.size > 0)
        batch_put(&sorted->batch, SPACE_ITEMS, copy, arena_copy(&sorted->arena, value));
    else
        batch_delete(&sorted->batch, SPACE_ITEMS, copy);
    sorted->gathered += key.size + value.size;
    return sorted->gathered < GATHER_MOST || flush(sorted, err);
}

bool sorted_get(struct sorted *sorted, struct bytes key, struct engine_value *out, bool *found,
                struct err *err)
{
    return flush(sorted, err) &&
           engine_get(sorted->engine, NULL, SPACE_ITEMS, key, out, found, err);
}

struct walk {
    bool (*visit)(void *context, struct bytes key, struct bytes value, struct err *err);
    void *context;
    struct err *err;
};

static bool walk_visit(void *context, struct bytes key, struct bytes value)
{
    struct walk *walk = context;

    return walk->visit(walk->context, key, value, walk->err);
}

bool sorted_walk(struct sorted *sorted, struct bytes from, struct bytes to,
                 bool (*visit)(void *context, struct bytes key, struct bytes value,
                               struct err *err),
                 void *context, struct err *err)
{
    struct walk walk = {visit, context, err};
    struct engine_scan scan = {.space = SPACE_ITEMS,
                               .from = from,
                               .to = to,
                               .bulk = true,
                               .visit = walk_visit,
                               .context = &walk};

    return flush(sorted, err) && engine_scan_all(sorted->engine, &scan, err) == SCAN_DONE;
}
