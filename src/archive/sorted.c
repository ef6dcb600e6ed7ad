/* archive/sorted.c - keys spelt as tables spell them are in order as they are. */
#include "archive/sorted.h"

#include "item/codec.h"
#include "item/key.h"

static bool goes_on(void *context, struct err *err)
{
    (void)context, (void)err;
    return true;
}

struct sorter *sorted_new(struct scratch *scratch,
                          bool (*join)(void *context, const struct bytes *values, size_t count,
                                       struct buf *out, struct err *err),
                          void *context)
{
    return sorter_new(&(struct sorter_settings){.memory_most = SORTED_MEMORY,
                                                .scratch = scratch,
                                                .join = join,
                                                .goes_on = goes_on,
                                                .context = context});
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
