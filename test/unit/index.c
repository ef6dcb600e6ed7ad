/* test/unit/index.c - entries of indexes: what they are, what writes do to them, and what is left
 * of indexes that are dropped. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/database.h"
#include "support/expressions.h"
#include "table/index.h"

#define PARAMETER "One or more parameter values were invalid: "
#define NOT_VALID "One or more parameter values are not valid. "
#define BEYOND                                                                                     \
    "The update expression attempted to update the secondary index key beyond allowed size limits"
#define UNSUPPORTED                                                                                \
    "The update expression attempted to update the secondary index key to unsupported type"

/* A table {pk S, sk N} with an LSI on l (N), and GSIs on g (S), h (N): all of it, a part, keys. */
static const struct bytes included[] = {BYTES_INIT("v"), BYTES_INIT("w")};
static const struct table_index indexes[] = {
    {.name = BYTES_INIT("local"),
     .local = true,
     .keys = {{BYTES_INIT("pk"), KEY_S}, {BYTES_INIT("l"), KEY_N}},
     .partition_count = 1,
     .key_count = 2,
     .projection = PROJECT_KEYS_ONLY},
    {.name = BYTES_INIT("all"),
     .keys = {{BYTES_INIT("g"), KEY_S}},
     .partition_count = 1,
     .key_count = 1,
     .projection = PROJECT_ALL},
    {.name = BYTES_INIT("some"),
     .keys = {{BYTES_INIT("g"), KEY_S}, {BYTES_INIT("h"), KEY_N}},
     .partition_count = 1,
     .key_count = 2,
     .projection = PROJECT_INCLUDE,
     .included = included,
     .included_count = 2},
    {.name = BYTES_INIT("many"),
     .keys = {{BYTES_INIT("g"), KEY_S}, {BYTES_INIT("h"), KEY_N}, {BYTES_INIT("b"), KEY_B}},
     .partition_count = 2,
     .key_count = 3,
     .projection = PROJECT_KEYS_ONLY},
};
#define INDEXES 4
static const struct table schema = {
    .name = BYTES_INIT("t"),
    .keys = {{BYTES_INIT("pk"), KEY_S}, {BYTES_INIT("sk"), KEY_N}},
    .key_count = 2,
    .indexes = indexes,
    .index_count = INDEXES,
};

static int setup(void **state)
{
    struct database *database = calloc(1, sizeof *database);
    struct err err;

    database_open(database, engine_open_memory(&(struct memory_settings){.snapshots = true}));
    assert_true(database_create_table(database, &schema, &err));
    *state = database;
    return 0;
}

static int teardown(void **state)
{
    database_close(*state);
    free(*state);
    return 0;
}

/* --- entries --- */

static struct bytes item_key(struct arena *arena, struct bytes item)
{
    struct bytes key;
    struct err err;

    assert_true(table_key(&schema, item, false, arena, &key, &err));
    return key;
}

static void entries_hold_what_is_projected(void **state)
{
    static const struct {
        const char *item;
        const char *entries[INDEXES]; /* NULL: none */
    } cases[] = {
        {"{'pk':{'S':'p'},'sk':{'N':'1'},'v':{'S':'x'}}", {NULL, NULL, NULL, NULL}},
        {"{'pk':{'S':'p'},'sk':{'N':'1'},'l':{'N':'7'},'v':{'S':'x'}}",
         {"{'l':{'N':'7'},'pk':{'S':'p'},'sk':{'N':'1'}}", NULL, NULL, NULL}},
        {"{'pk':{'S':'p'},'sk':{'N':'1'},'g':{'S':'a'},'v':{'S':'x'}}",
         {NULL, "{'g':{'S':'a'},'pk':{'S':'p'},'sk':{'N':'1'},'v':{'S':'x'}}", NULL, NULL}},
        {"{'pk':{'S':'p'},'sk':{'N':'1'},'g':{'S':'a'},'h':{'N':'2'},'o':{'BOOL':true},'v':{'S':'x'"
         "}}",
         {NULL,
          "{'g':{'S':'a'},'h':{'N':'2'},'o':{'BOOL':true},'pk':{'S':'p'},'sk':{'N':'1'},'v':{'S':"
          "'x'}}",
          "{'g':{'S':'a'},'h':{'N':'2'},'pk':{'S':'p'},'sk':{'N':'1'},'v':{'S':'x'}}", NULL}},
        {"{'pk':{'S':'p'},'sk':{'N':'1'},'g':{'S':'a'},'h':{'N':'2'},'b':{'B':'YQ=='},'w':{'S':'x'}"
         "}",
         {NULL,
          "{'b':{'B':'YQ=='},'g':{'S':'a'},'h':{'N':'2'},'pk':{'S':'p'},'sk':{'N':'1'},'w':{'S':'x'"
          "}}",
          "{'g':{'S':'a'},'h':{'N':'2'},'pk':{'S':'p'},'sk':{'N':'1'},'w':{'S':'x'}}",
          "{'b':{'B':'YQ=='},'g':{'S':'a'},'h':{'N':'2'},'pk':{'S':'p'},'sk':{'N':'1'}}"}},
        /* what cannot be indexed: of another type, empty */
        {"{'pk':{'S':'p'},'sk':{'N':'1'},'g':{'N':'1'},'l':{'S':'1'}}", {NULL, NULL, NULL, NULL}},
        {"{'pk':{'S':'p'},'sk':{'N':'1'},'g':{'S':''},'h':{'N':'1'}}", {NULL, NULL, NULL, NULL}},
    };
    struct arena arena;

    (void)state;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t j = 0; j < INDEXES; j++) {
            struct bytes item = test_item(&arena, cases[i].item), key = item_key(&arena, item);
            struct index_entry entry;
            bool found = index_entry(&schema, &indexes[j], key, item, &arena, &entry);
            assert_int_equal(found, cases[i].entries[j] != NULL);
            if (!found)
                continue;
            assert_string_equal(test_json(&arena, entry.item), cases[i].entries[j]);
            assert_bytes_equal(index_item_key(&indexes[j], entry.key, &arena), key);
            struct bytes map = index_key_item(&schema, &indexes[j], entry.item, &arena);
            assert_bytes_equal(index_key_of(&schema, &indexes[j], map, &arena), entry.key);
        }
    arena_release(&arena);
}

/* The bytes on the disk (doc/key-format.md): a change of them is a change of the format. */
static void index_keys_have_these_bytes(void **state)
{
    static const uint8_t expected[] = {
        0xf6, 0x55, 0x8e, 0x51, 0x62, 0x75, 0xde, 0xe2, /* the hash of "a" */
        'a',  0,    0,    0xc1, 0x03, 0,                /* g, h */
        0xf6, 0xec, 0x07, 0xb8, 0x12, 0xb0, 0xad, 0xea, /* the hash of "p" and 1 */
    };
    struct arena arena;
    struct index_entry entry;

    (void)state;
    arena_init(&arena);
    struct bytes item = test_item(
        &arena, "{'pk':{'S':'p'},'sk':{'N':'1'},'g':{'S':'a'},'h':{'N':'2'},'v':{'S':'x'}}");
    struct bytes key = item_key(&arena, item);
    assert_true(index_entry(&schema, &indexes[2], key, item, &arena, &entry));
    assert_memory_equal(entry.key.data, expected, sizeof expected);
    assert_bytes_equal(bytes_from(entry.key, sizeof expected), key);
    arena_release(&arena);
}

static void sizes_are_of_all_attributes_together(void **state)
{
    struct arena arena;
    struct index_entry entry;
    struct err err;
    char text[2100];

    (void)state;
    arena_init(&arena);
    for (int size = 2040; size < 2050; size++) {
        memset(text, 'x', sizeof text);
        text[size] = 0;
        struct bytes item = test_item(
            &arena, arena_text(&arena, arena_printf(&arena,
                                                    "{'pk':{'S':'p'},'sk':{'N':'1'},'b':{'B':'YQ=="
                                                    "'},'h':{'N':'123'},'g':{'S':'%s'}}",
                                                    text)));
        struct bytes key = item_key(&arena, item);
        /* the number has 3 bytes */
        assert_int_equal(index_entry(&schema, &indexes[3], key, item, &arena, &entry),
                         size + 3 <= 2048);
        assert_int_equal(indexes_check_put(&schema, item, &err), size + 3 <= 2048);
        bool fits = indexes_match_update(&schema, BYTES_NONE, item, &err);
        assert_int_equal(fits, size + 3 <= 2048);
        if (!fits)
            assert_string_equal(err.message, BEYOND);
        assert_int_equal(index_entry(&schema, &indexes[1], key, item, &arena, &entry),
                         size <= 2048);
    }
    arena_release(&arena);
}

/* What has another type is in no index key, however long it is. */
static void sizes_are_of_the_right_types(void **state)
{
    struct arena arena;
    struct err err;
    char text[200];

    (void)state;
    arena_init(&arena);
    (void)snprintf(text, sizeof text, "{'pk':{'S':'p'},'sk':{'N':'1'},'h':{'S':'%0100d'}}", 0);
    struct bytes before = test_item(&arena, text);
    char item[2300];
    (void)snprintf(item, sizeof item,
                   "{'pk':{'S':'p'},'sk':{'N':'1'},'h':{'S':'%0100d'},'g':{'S':'%02000d'}}", 0, 0);
    assert_true(indexes_match_update(&schema, before, test_item(&arena, item), &err));
    arena_release(&arena);
}

static void refuses_as_the_service_does(void **state)
{
    static const struct {
        bool updated;
        const char *before, *item;
        const char *message; /* NULL: fine */
        bool whole;          /* the request is refused, not an action of it */
    } cases[] = {
        {false, NULL, "{'pk':{'S':'p'},'g':{'S':'a'},'v':{'N':'1'}}", NULL, false},
        /* of several indexes the one whose name is least */
        {false, NULL, "{'g':{'N':'5'}}",
         PARAMETER "Type mismatch for Index Key g Expected: S Actual: N IndexName: all", false},
        {false, NULL, "{'h':{'L':[]}}",
         PARAMETER "Type mismatch for Index Key h Expected: N Actual: L IndexName: many", false},
        {true, NULL, "{'l':{'NULL':true}}", UNSUPPORTED, false},
        /* types before empty values */
        {false, NULL, "{'g':{'S':''},'l':{'S':'1'}}",
         PARAMETER "Type mismatch for Index Key l Expected: N Actual: S IndexName: local", false},
        {false, NULL, "{'g':{'S':''}}",
         NOT_VALID "A value specified for a secondary index key is not supported. The "
                   "AttributeValue for a key attribute cannot contain an empty string value. "
                   "IndexName: all, IndexKey: g",
         true},
        {true, NULL, "{'b':{'B':''}}",
         NOT_VALID "The update expression attempted to update a secondary index key to a value "
                   "that is not supported. The AttributeValue for a key attribute cannot contain "
                   "an empty binary value.",
         true},
        /* what was there before the index was */
        {true, "{'g':{'N':'5'},'b':{'B':''}}", "{'g':{'N':'5'},'b':{'B':''},'v':{'S':'x'}}", NULL,
         false},
        {true, "{'g':{'N':'5'}}", "{'g':{'N':'6'}}", UNSUPPORTED, false},
    };
    struct arena arena;
    struct err err;

    (void)state;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes before = test_item(&arena, cases[i].before);
        struct bytes item = test_item(&arena, cases[i].item);
        bool matches = cases[i].updated ? indexes_match_update(&schema, before, item, &err)
                                        : indexes_match_put(&schema, item, &err);
        assert_int_equal(matches, cases[i].message == NULL || cases[i].whole);
        if (matches)
            assert_int_equal(cases[i].updated ? indexes_check_update(&schema, before, item, &err)
                                              : indexes_check_put(&schema, item, &err),
                             cases[i].message == NULL);
        if (cases[i].message != NULL)
            assert_string_equal(err.message, cases[i].message);
    }
    arena_release(&arena);
}

/* --- writes --- */

struct shown {
    struct buf text;
    struct arena *arena;
    size_t count;
};

static bool entry_show(void *context, struct bytes key, struct bytes value)
{
    struct shown *shown = context;

    (void)key;
    buf_put_text(&shown->text, shown->count++ > 0 ? " " : "");
    buf_put_text(&shown->text, test_json(shown->arena, value));
    return true;
}

/* All entries of an index, in JSON, and its figures held against them. */
static void assert_entries(struct database *database, const char *name, const char *expected,
                           int64_t bytes)
{
    struct call call;
    uint8_t from[8], to[8];
    struct shown shown = {.count = 0};
    struct table_figures figures;
    struct err err;

    call_init(&call, database);
    const struct table_index *index =
        table_find_index(database_table(&call, "t"), bytes_of_text(name));
    assert_non_null(index);
    be64_store(from, index->number);
    be64_store(to, index->number + 1);
    shown.arena = &call.arena;
    buf_init_in(&shown.text, &call.arena);
    assert_int_equal(engine_scan_all(database->engine,
                                     &(struct engine_scan){.space = SPACE_INDEX,
                                                           .from = bytes_of(from, 8),
                                                           .to = bytes_of(to, 8),
                                                           .visit = entry_show,
                                                           .context = &shown},
                                     &err),
                     SCAN_DONE);
    assert_bytes_equal(buf_bytes(&shown.text), bytes_of_text(expected));
    assert_true(index_figures(database->tables, index, &figures, &err));
    assert_int_equal(figures.items, shown.count);
    assert_int_equal(figures.bytes, bytes);
    call_release(&call);
}

static void put(void **state, const char *item)
{
    struct err err;

    assert_true(database_put_json(*state, "t", item, &err));
}

static void writes_change_entries(void **state)
{
    struct err err;

    put(state, "{'pk':{'S':'p'},'sk':{'N':'1'},'g':{'S':'a'},'l':{'N':'7'}}");
    assert_entries(*state, "local", "{'l':{'N':'7'},'pk':{'S':'p'},'sk':{'N':'1'}}", 10);
    assert_entries(*state, "all", "{'g':{'S':'a'},'l':{'N':'7'},'pk':{'S':'p'},'sk':{'N':'1'}}",
                   12);
    assert_entries(*state, "some", "", 0);

    put(state, "{'pk':{'S':'p'},'sk':{'N':'1'},'g':{'S':'b'},'h':{'N':'1'}}");
    assert_entries(*state, "local", "", 0);
    assert_entries(*state, "all", "{'g':{'S':'b'},'h':{'N':'1'},'pk':{'S':'p'},'sk':{'N':'1'}}",
                   12);
    assert_entries(*state, "some", "{'g':{'S':'b'},'h':{'N':'1'},'pk':{'S':'p'},'sk':{'N':'1'}}",
                   12);

    assert_true(database_delete_json(*state, "t", "{'pk':{'S':'p'},'sk':{'N':'1'}}", &err));
    for (size_t i = 0; i < INDEXES; i++)
        assert_entries(*state, (const char[][8]){"local", "all", "some", "many"}[i], "", 0);
}

/* Entries with equal index attributes: of a global index by the hash of all of the table's key, of
 * a local one by the key itself. */
static void ties_have_an_order(void **state)
{
    put(state, "{'pk':{'S':'p'},'sk':{'N':'10'},'g':{'S':'a'}}");
    put(state, "{'pk':{'S':'p'},'sk':{'N':'-3'},'g':{'S':'a'}}");
    put(state, "{'pk':{'S':'p'},'sk':{'N':'9'},'g':{'S':'a'}}");
    assert_entries(*state, "all",
                   "{'g':{'S':'a'},'pk':{'S':'p'},'sk':{'N':'10'}} "
                   "{'g':{'S':'a'},'pk':{'S':'p'},'sk':{'N':'-3'}} "
                   "{'g':{'S':'a'},'pk':{'S':'p'},'sk':{'N':'9'}}",
                   28);
    put(state, "{'pk':{'S':'p'},'sk':{'N':'10'},'l':{'N':'1'}}");
    put(state, "{'pk':{'S':'p'},'sk':{'N':'9'},'l':{'N':'1'}}");
    assert_entries(*state, "local",
                   "{'l':{'N':'1'},'pk':{'S':'p'},'sk':{'N':'9'}} "
                   "{'l':{'N':'1'},'pk':{'S':'p'},'sk':{'N':'10'}}",
                   20);
}

/* --- what a write says of its indexes, and what it stages --- */

struct seen {
    const char *item;
    bool put;
    struct index_change changes[INDEXES];
    uint32_t operations; /* of the batch, on the index */
};

static bool seen_answer(void *context, const struct write *writes, size_t count, struct err *err)
{
    struct seen *seen = context;

    (void)count, (void)err;
    memcpy(seen->changes, writes[0].indexes, sizeof seen->changes);
    return true;
}

static enum run seen_step(struct work *work, void *context, struct err *err)
{
    struct seen *seen = context;
    struct bytes item = test_item(work->arena, seen->item);
    struct write *write = arena_zalloc(work->arena, sizeof *write);

    *write = (struct write){.kind = seen->put ? WRITE_PUT : WRITE_DELETE, .item = item};
    if (!work_table(work, BYTES("t"), &write->table, err) ||
        !table_key(write->table, item, false, work->arena, &write->key, err))
        return RUN_FAILED;
    enum run run = table_write(work, write, 1, seen_answer, seen, err);
    for (uint32_t i = 0; i < work->batch.count; i++)
        seen->operations += work->batch.ops[i].space == SPACE_INDEX;
    return run;
}

static void writes_say_what_changes(void **state)
{
    static const struct {
        struct seen seen; /* in order: each write finds what the ones before it left */
    } cases[] = {
        {{"{'pk':{'S':'p'},'sk':{'N':'1'},'v':{'S':'x'}}", true, .operations = 0}},
        {{"{'pk':{'S':'p'},'sk':{'N':'1'},'g':{'S':'a'},'h':{'N':'1'}}", true,
          .changes = {[1] = {true, false, 0, 12}, [2] = {true, false, 0, 12}}, .operations = 2}},
        /* what only one of them projects */
        {{"{'pk':{'S':'p'},'sk':{'N':'1'},'g':{'S':'a'},'h':{'N':'1'},'o':{'S':'x'}}", true,
          .changes = {[1] = {true, false, 12, 14}}, .operations = 1}},
        /* the same again */
        {{"{'pk':{'S':'p'},'sk':{'N':'1'},'g':{'S':'a'},'h':{'N':'1'},'o':{'S':'x'}}", true,
          .operations = 0}},
        {{"{'pk':{'S':'p'},'sk':{'N':'1'},'g':{'S':'a'},'h':{'N':'2'},'o':{'S':'x'}}", true,
          .changes = {[1] = {true, false, 14, 14}, [2] = {true, true, 12, 12}}, .operations = 3}},
        {{"{'pk':{'S':'p'},'sk':{'N':'1'}}", false,
          .changes = {[1] = {true, false, 14, 0}, [2] = {true, false, 12, 0}}, .operations = 2}},
        {{"{'pk':{'S':'p'},'sk':{'N':'1'}}", false, .operations = 0}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct seen seen = {.item = cases[i].seen.item, .put = cases[i].seen.put};
        struct call call;
        call_init(&call, *state);
        assert_true(call_run(&call, seen_step, &seen));
        call_release(&call);
        assert_int_equal(seen.operations, cases[i].seen.operations);
        for (size_t j = 0; j < INDEXES; j++) {
            const struct index_change *is = &seen.changes[j], *wanted = &cases[i].seen.changes[j];
            assert_int_equal(is->changed, wanted->changed);
            assert_int_equal(is->moved, wanted->moved);
            assert_int_equal(is->old_size, wanted->old_size);
            assert_int_equal(is->new_size, wanted->new_size);
        }
    }
}

/* --- indexes that come and go --- */

/* Drops all indexes but the ones named; adds `added`. */
struct alter {
    const char *kept;
    const struct table_index *added;
};

static enum run alter_step(struct work *work, void *context, struct err *err)
{
    const struct alter *alter = context;
    const struct table *table;
    struct table_index list[INDEXES + 1];
    uint32_t count = 0;

    if (!work_table_named(work, BYTES("t"), &table, err))
        return RUN_FAILED;
    struct table changed = *table;
    for (uint32_t i = 0; i < table->index_count; i++)
        if (bytes_equal(table->indexes[i].name, bytes_of_text(alter->kept)))
            list[count++] = table->indexes[i];
    if (alter->added != NULL)
        list[count++] = *alter->added;
    changed.indexes = list;
    changed.index_count = count;
    return tables_update(work, table, &changed, &table, err);
}

static void run(struct database *database,
                enum run (*step)(struct work *work, void *context, struct err *err), void *context)
{
    struct call call;

    call_init(&call, database);
    if (!call_run(&call, step, context))
        fail_msg("%s", call.err.message);
    call_release(&call);
}

static bool pair_count(void *context, struct bytes key, struct bytes value)
{
    (void)key, (void)value;
    ++*(size_t *)context;
    return true;
}

static size_t space_count(struct database *database, enum engine_space space)
{
    struct err err;
    size_t count = 0;

    assert_int_equal(engine_scan_all(database->engine,
                                     &(struct engine_scan){.space = space,
                                                           .from = BYTES_NONE,
                                                           .visit = pair_count,
                                                           .context = &count},
                                     &err),
                     SCAN_DONE);
    return count;
}

static void dropped_indexes_are_purged(void **state)
{
    struct database *database = *state;
    struct alter keep = {.kept = "some"};
    struct call call;
    struct err err;

    put(state, "{'pk':{'S':'p'},'sk':{'N':'1'},'g':{'S':'a'},'l':{'N':'7'}}");
    put(state, "{'pk':{'S':'p'},'sk':{'N':'2'},'g':{'S':'a'},'h':{'N':'7'}}");
    assert_int_equal(space_count(database, SPACE_INDEX), 4);
    run(database, alter_step, &keep);
    put(state, "{'pk':{'S':'p'},'sk':{'N':'3'},'g':{'S':'a'},'h':{'N':'7'}}");
    assert_int_equal(space_count(database, SPACE_INDEX), 5);
    assert_true(database_maintain(database, &err));
    assert_int_equal(space_count(database, SPACE_INDEX), 2);
    /* table and "some" have one shard each, and there is one collection */
    assert_int_equal(space_count(database, SPACE_STATISTICS), 3);

    call_init(&call, database);
    assert_int_equal(database_table(&call, "t")->index_count, 1);
    call_release(&call);
    assert_true(database_delete(database, "t", &err));
    assert_true(database_maintain(database, &err));
    assert_int_equal(space_count(database, SPACE_INDEX), 0);
    assert_int_equal(space_count(database, SPACE_STATISTICS), 0);
    assert_int_equal(space_count(database, SPACE_ITEMS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_hold_what_is_projected),
        cmocka_unit_test(index_keys_have_these_bytes),
        cmocka_unit_test(sizes_are_of_all_attributes_together),
        cmocka_unit_test(sizes_are_of_the_right_types),
        cmocka_unit_test(refuses_as_the_service_does),
        cmocka_unit_test_setup_teardown(writes_change_entries, setup, teardown),
        cmocka_unit_test_setup_teardown(ties_have_an_order, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_say_what_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(dropped_indexes_are_purged, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
