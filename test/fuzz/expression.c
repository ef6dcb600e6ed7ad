/* test/fuzz/expression.c - hostile expressions on hostile items. An input is a letter for the
 * parameter, the text, a NUL, and an item, packed (another stands in where it is none). What an
 * expression makes of an item is an item; a condition and its NOT do not both hold; and a mistake
 * is the client's. */
#include <assert.h>

#include "expr/condition.h"
#include "expr/key_condition.h"
#include "expr/projection.h"
#include "expr/update.h"
#include "item/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bytes packed(struct arena *arena, struct bytes json)
{
    struct json_reader reader;
    struct item_read read;
    struct err err;

    json_reader_init(&reader, json, arena);
    bool ok = item_read_json(&reader, &read, &err);
    assert(ok && read.invalid == NULL);
    return read.packed;
}

static struct bytes stand_in(struct arena *arena)
{
    return packed(
        arena, BYTES("{\"a\":{\"S\":\"abc\"},\"n\":{\"N\":\"5\"},\"l\":{\"L\":[{\"N\":\"1\"},"
                     "{\"M\":{\"x\":{\"SS\":[\"a\",\"b\"]}}}]},\"m\":{\"M\":{\"x\":{\"N\":\"1\"},"
                     "\"y\":{\"NS\":[\"1\",\"2\"]}}},\"b\":{\"B\":\"YWJj\"},\"u\":{\"NULL\":true},"
                     "\"t\":{\"BOOL\":true}}"));
}

static void make_scope(struct scope *scope, struct arena *arena)
{
    const struct scope_name names[] = {
        {.key = BYTES("#a"), .name = BYTES("a")}, {.key = BYTES("#l"), .name = BYTES("l")},
        {.key = BYTES("#m"), .name = BYTES("m")}, {.key = BYTES("#i"), .name = BYTES("[1]")},
        {.key = BYTES("#x"), .name = BYTES("x")},
    };
    struct err err;

    scope_init(scope, arena);
    bool ok =
        scope_put_names(scope, names, sizeof names / sizeof *names, &err) &&
        scope_put_values(
            scope,
            packed(arena,
                   BYTES("{\":s\":{\"S\":\"abc\"},\":n\":{\"N\":\"5\"},\":big\":{\"N\":\"9E+125\"},"
                         "\":tiny\":{\"N\":\"-1E-130\"},\":ss\":{\"SS\":[\"a\",\"c\"]},"
                         "\":ns\":{\"NS\":[\"1\",\"3\"]},\":l\":{\"L\":[{\"N\":\"1\"}]},"
                         "\":m\":{\"M\":{}},\":b\":{\"B\":\"YQ==\"},\":t\":{\"S\":\"SS\"},"
                         "\":u\":{\"NULL\":true}}")),
            &err);
    assert(ok);
}

static void try_condition(struct scope *scope, struct bytes text, struct bytes item)
{
    struct condition *condition, *opposite;
    struct bytes not = arena_printf(scope->arena, "NOT (%.*s)", BYTES_ARGS(text));
    struct err err;

    if (!condition_compile(scope, "FilterExpression", text, &condition, &err)) {
        assert(err.code == ERR_VALIDATION);
        return;
    }
    bool holds = condition_holds(condition, item);
    if (condition_compile(scope, "FilterExpression", not, &opposite, &err))
        assert(condition_holds(opposite, item) == !holds);
}

static void try_update(struct scope *scope, struct bytes text, struct bytes item, bool exists)
{
    struct update *update;
    struct bytes made;
    struct err err;

    if (!update_compile(scope, text, &update, &err) ||
        !update_apply(update, item, exists, scope->arena, &made, &err)) {
        assert(err.code == ERR_VALIDATION);
        return;
    }
    bool ok = item_check(made, &err) && item_size(made) <= ITEM_SIZE_MOST;
    assert(ok);
    ok = item_check(projection_apply(update_paths(update), made, scope->arena), &err);
    assert(ok);
}

static void try_projection(struct scope *scope, struct bytes text, struct bytes item)
{
    struct projection *projection;
    struct err err;

    if (!projection_compile(scope, text, &projection, &err)) {
        assert(err.code == ERR_VALIDATION);
        return;
    }
    struct bytes chosen = projection_apply(projection, item, scope->arena);
    bool ok = item_check(chosen, &err) && item_size(chosen) <= item_size(item);
    assert(ok);
}

static void try_key_condition(struct scope *scope, struct bytes text)
{
    const struct key_parts key = {
        .parts = {{BYTES("a"), KEY_S}, {BYTES("n"), KEY_N}, {BYTES("b"), KEY_B}},
        .partition_count = 1,
        .count = 3};
    struct key_condition *condition;
    struct key_query query;
    struct err err;

    if (!key_condition_compile(scope, text, &condition, &err) ||
        !key_condition_check(condition, &err) ||
        !key_condition_match(condition, &key, 0, &query, &err) ||
        !key_condition_match(condition, &key, 1, &query, &err) ||
        !key_condition_match(condition, &key, 2, &query, &err))
        assert(err.code == ERR_VALIDATION);
    else
        assert(query.equal[0].type == VALUE_S && query.test != KEY_EQUAL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct scope scope;
    struct err err;

    if (size == 0)
        return 0;
    const uint8_t *end = memchr(data, '\0', size);
    struct bytes text = bytes_of(data + 1, (size_t)((end == NULL ? data + size : end) - data) - 1);
    struct bytes item =
        end == NULL ? BYTES_NONE : bytes_of(end + 1, (size_t)(data + size - end) - 1);
    if (end == data)
        return 0;
    arena_init(&arena);
    make_scope(&scope, &arena);
    if (!item_check(item, &err))
        item = stand_in(&arena);
    if (data[0] == 'c')
        try_condition(&scope, text, item);
    else if (data[0] == 'u' || data[0] == 'n')
        try_update(&scope, text, item, data[0] == 'u');
    else if (data[0] == 'p')
        try_projection(&scope, text, item);
    else
        try_key_condition(&scope, text);
    arena_release(&arena);
    return 0;
}
