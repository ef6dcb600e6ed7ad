/* api/node_digest.c - whether two requests ask for the same: a digest of what was asked, whatever
 * the order of its members was, in what order its sets and how its numbers were written. */
#include "api/api.h"

#include <assert.h>
#include <stdlib.h>

#include "base/digest.h"

static void put_text(struct digest *digest, struct bytes text)
{
    uint8_t size[8];

    be64_store(size, text.size);
    digest_put(digest, bytes_of(size, sizeof size));
    digest_put(digest, text);
}

static void put_count(struct digest *digest, uint64_t count)
{
    uint8_t bytes[8];

    be64_store(bytes, count);
    digest_put(digest, bytes_of(bytes, sizeof bytes));
}

static int key_order(const void *left, const void *right)
{
    const struct scope_name *a = left, *b = right;

    return bytes_compare(a->key, b->key);
}

static void put_names(struct digest *digest, const struct value_node *node, struct arena *arena)
{
    struct scope_name *sorted = arena_alloc(arena, (node->kept + 1) * sizeof *sorted);

    if (node->kept > 0)
        memcpy(sorted, node->names, node->kept * sizeof *sorted);
    qsort(sorted, node->kept, sizeof *sorted, key_order);
    put_count(digest, node->kept);
    for (uint32_t i = 0; i < node->kept; i++) {
        put_text(digest, sorted[i].key);
        put_text(digest, sorted[i].name);
    }
}

/* The recursion is as deep as the shape. */
static void put_node(struct digest *digest, const struct value_node *node, struct arena *arena)
{
    uint32_t count = node->kept;

    put_count(digest, node->present);
    if (!node->present)
        return;
    switch (node->field->type) {
    case TYPE_STRING:
        put_text(digest, node->text);
        return;
    case TYPE_INTEGER:
    case TYPE_LONG:
    case TYPE_BOOLEAN:
        put_count(digest, (uint64_t)node->integer);
        return;
    case TYPE_TIME:
        put_count(digest, node->time);
        return;
    case TYPE_ITEM:
    case TYPE_VALUE:
        put_text(digest, node->item.packed);
        return;
    case TYPE_NAMES:
        put_names(digest, node, arena);
        return;
    case TYPE_STRUCT:
        for (count = 0; node->field->of[count].name.size > 0;)
            count++;
        break;
    case TYPE_LIST:
        break;
    case TYPE_MAP: /* would have to be sorted; none comes here */
    case TYPE_UNSUPPORTED:
        assert(false);
    }
    put_count(digest, count);
    for (uint32_t i = 0; i < count; i++)
        put_node(digest, &node->members[i], arena);
}

void node_digest(const struct value_node *node, struct arena *arena, uint8_t *out)
{
    struct digest *digest = digest_new(DIGEST_SHA256);

    put_node(digest, node, arena);
    digest_take(digest, out);
    digest_free(digest);
}
