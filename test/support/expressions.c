/* test/support/expressions.c */
#include "support/expressions.h"

#include <assert.h>

#include "item/json.h"
#include "support/check.h"

#define NAMES_MOST 16

static void swap_quotes(uint8_t *text, size_t size, uint8_t from, uint8_t to)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] == from)
            text[i] = to;
}

struct bytes test_item(struct arena *arena, const char *json)
{
    struct json_reader reader;
    struct item_read read;
    struct err err;

    if (json == NULL)
        return BYTES_NONE;
    char *text = arena_text(arena, bytes_of_text(json));
    swap_quotes((uint8_t *)text, strlen(text), '\'', '"');
    json_reader_init(&reader, bytes_of_text(text), arena);
    if (!item_read_json(&reader, &read, &err))
        fail_msg("%s: %s", json, err.message);
    if (read.invalid != NULL)
        fail_msg("%s: %s", json, read.invalid->message);
    return read.packed;
}

const char *test_json(struct arena *arena, struct bytes item)
{
    struct buf text;

    buf_init_in(&text, arena);
    item_write_json(item, &text);
    swap_quotes(text.data, text.size, '"', '\'');
    buf_put_u8(&text, '\0');
    return (const char *)text.data;
}

void test_scope(struct scope *scope, struct arena *arena, const char *names, const char *values)
{
    struct scope_name all[NAMES_MOST];
    size_t count = 0;
    struct err err;

    scope_init(scope, arena);
    for (const char *at = names; at != NULL && *at != '\0';) {
        size_t key = strcspn(at, "="), name = strcspn(at + key + 1, " ");
        assert(count < NAMES_MOST);
        all[count++] = (struct scope_name){.key = arena_copy(arena, bytes_of(at, key)),
                                           .name = arena_copy(arena, bytes_of(at + key + 1, name))};
        at += key + 1 + name;
        at += *at == ' ';
    }
    if (names != NULL && !scope_put_names(scope, all, count, &err))
        fail_msg("%s: %s", names, err.message);
    if (values != NULL && !scope_put_values(scope, test_item(arena, values), &err))
        fail_msg("%s: %s", values, err.message);
}
