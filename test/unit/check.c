/* test/unit/check.c - a database that was written at random is whole, whatever became of its
 * indexes meanwhile; and one that is not is told to be. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "support/database.h"
#include "support/expressions.h"
#include "table/check.h"
#include "table/index.h"
#include "table/items.h"

static const struct bytes included[] = {BYTES_INIT("v")};
static const struct table_index kinds[] = {
    {.name = BYTES_INIT("local"),
     .local = true,
     .keys = {{BYTES_INIT("pk"), KEY_S}, {BYTES_INIT("a"), KEY_N}},
     .partition_count = 1,
     .key_count = 2,
     .projection = PROJECT_INCLUDE,
     .included = included,
     .included_count = 1},
    {.name = BYTES_INIT("all"),
     .keys = {{BYTES_INIT("b"), KEY_S}},
     .partition_count = 1,
     .key_count = 1,
     .projection = PROJECT_ALL},
    {.name = BYTES_INIT("keys"),
     .keys = {{BYTES_INIT("b"), KEY_S}, {BYTES_INIT("a"), KEY_N}},
     .partition_count = 1,
     .key_count = 2,
     .projection = PROJECT_KEYS_ONLY},
    {.name = BYTES_INIT("many"),
     .keys = {{BYTES_INIT("a"), KEY_N}, {BYTES_INIT("b"), KEY_S}, {BYTES_INIT("sk"), KEY_N}},
     .partition_count = 2,
     .key_count = 3,
     .projection = PROJECT_KEYS_ONLY},
};
static const struct table schema = {
    .name = BYTES_INIT("t"),
    .keys = {{BYTES_INIT("pk"), KEY_S}, {BYTES_INIT("sk"), KEY_N}},
    .key_count = 2,
    .indexes = kinds,
    .index_count = 3, /* the last one is added */
};

struct fixture {
    struct database database;
    uint64_t seed;
    char told[2000];
};

static uint64_t below(struct fixture *fixture, uint64_t most)
{
    return random_next(&fixture->seed) % most;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct err err;

    fixture->seed = 20261122;
    database_open(&fixture->database,
                  engine_open_memory(&(struct memory_settings){
                      .snapshots = true, .page_most = 7, .seed = 5, .conflict_one_in = 9}));
    assert_true(database_create_table(&fixture->database, &schema, &err));
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    database_close(&fixture->database);
    free(fixture);
    return 0;
}

static void tell(void *context, const char *sentence)
{
    struct fixture *fixture = context;
    size_t size = strlen(fixture->told);

    (void)snprintf(fixture->told + size, sizeof fixture->told - size, "%s\n", sentence);
}

static struct check_figures check(struct fixture *fixture)
{
    struct check_figures figures = {0};
    struct err err;

    fixture->told[0] = 0;
    if (!tables_check(fixture->database.tables, tell, fixture, &figures, &err))
        fail_msg("%s", err.message);
    return figures;
}

static void assert_whole(struct fixture *fixture)
{
    struct check_figures figures = check(fixture);

    if (figures.differences > 0)
        fail_msg("%s", fixture->told);
}

/* --- at random --- */

#define WRITES_MOST 4

struct random_writes {
    struct fixture *fixture;
    uint64_t seed; /* the same writes in a rerun */
};

static struct bytes random_item(struct fixture *fixture, struct arena *arena)
{
    struct buf text;

    buf_init_in(&text, arena);
    buf_printf(&text, "{'pk':{'S':'p%d'},'sk':{'N':'%d'}", (int)below(fixture, 3),
               (int)below(fixture, 6));
    if (below(fixture, 3) > 0)
        buf_printf(&text, ",'a':{'N':'%d'}", (int)below(fixture, 4) - 1);
    if (below(fixture, 3) > 0)
        buf_printf(&text, ",'b':{'S':'%c'}", (char)('x' + below(fixture, 3)));
    if (below(fixture, 2) > 0)
        buf_printf(&text, ",'v':{'S':'%d'}", (int)below(fixture, 2));
    if (below(fixture, 9) == 0)
        buf_put_text(&text, ",'c':{'L':[{'S':'c'}]}");
    buf_put_text(&text, "}");
    return test_item(arena, arena_text(arena, buf_bytes(&text)));
}

static bool answer(void *context, const struct write *writes, size_t count, struct err *err)
{
    (void)context, (void)writes, (void)count, (void)err;
    return true;
}

static bool is_twice(const struct write *writes, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (bytes_equal(writes[i].key, writes[at].key))
            return true;
    return false;
}

static enum run writes_step(struct work *work, void *context, struct err *err)
{
    struct random_writes *random = context;
    struct write *writes = arena_zalloc(work->arena, WRITES_MOST * sizeof *writes);
    const struct table *table;
    size_t count = 0;

    random->fixture->seed = random->seed;
    if (!work_table(work, BYTES("t"), &table, err))
        return RUN_FAILED;
    for (uint64_t i = below(random->fixture, WRITES_MOST) + 1; i > 0; i--) {
        struct write *write = &writes[count];
        *write = (struct write){.kind = (enum write_kind)below(random->fixture, 3), .table = table};
        write->item = random_item(random->fixture, work->arena);
        if (!table_key(table, write->item, false, work->arena, &write->key, err))
            return RUN_FAILED;
        count += !is_twice(writes, count);
    }
    return table_write(work, writes, count, answer, NULL, err);
}

static void run(struct fixture *fixture,
                enum run (*step)(struct work *work, void *context, struct err *err), void *context)
{
    struct call call;

    call_init(&call, &fixture->database);
    if (!call_run(&call, step, context))
        fail_msg("%s", call.err.message);
    call_release(&call);
}

static void write_at_random(struct fixture *fixture, int count)
{
    for (int i = 0; i < count; i++) {
        struct random_writes writes = {.fixture = fixture, .seed = random_next(&fixture->seed)};
        run(fixture, writes_step, &writes);
    }
}

/* Adds the last kind of index where there is none, drops it where there is. */
static enum run alter_step(struct work *work, void *context, struct err *err)
{
    const struct table *table;
    struct table_index list[4];

    (void)context;
    if (!work_table_named(work, BYTES("t"), &table, err))
        return RUN_FAILED;
    struct table changed = *table;
    memcpy(list, table->indexes, 3 * sizeof *list);
    list[3] = kinds[3];
    changed.indexes = list;
    changed.index_count = table->index_count == 3 ? 4 : 3;
    return tables_update(work, table, &changed, &table, err);
}

static uint64_t added_index(struct fixture *fixture)
{
    struct call call;

    call_init(&call, &fixture->database);
    const struct table *table = database_table(&call, "t");
    assert_int_equal(table->index_count, 4);
    uint64_t number = table->indexes[3].number;
    call_release(&call);
    return number;
}

static void fill(struct fixture *fixture)
{
    struct err err;

    for (uint32_t part = 0; part < INDEX_PARTS; part++) {
        struct index_fill fill;
        assert_true(index_fill_open(&fill, fixture->database.tables, BYTES("t"),
                                    added_index(fixture), part, &err));
        while (!fill.done)
            assert_true(index_fill_step(&fill, &err));
        index_fill_close(&fill);
    }
}

static void random_writes_leave_it_whole(void **state)
{
    struct fixture *fixture = *state;
    struct err err;

    for (int round = 0; round < 12; round++) {
        write_at_random(fixture, 60);
        assert_whole(fixture);
        run(fixture, alter_step, NULL); /* added: it lacks what is there */
        assert_whole(fixture);
        assert_true(check(fixture).building > 0);
        write_at_random(fixture, 10);
        assert_whole(fixture);
        fill(fixture);
        write_at_random(fixture, 10);
        assert_int_equal(check(fixture).building, 0);
        if (round % 3 > 0)
            assert_true(index_fill_finish(fixture->database.tables, BYTES("t"),
                                          added_index(fixture), &err));
        write_at_random(fixture, 20);
        assert_whole(fixture);
        run(fixture, alter_step, NULL); /* dropped */
        assert_whole(fixture);
        if (round % 2 > 0)
            assert_true(database_maintain(&fixture->database, &err));
    }
    assert_true(check(fixture).entries > 10);
}

/* --- what is not whole --- */

enum tampering {
    TAMPER_ENTRY_GONE,
    TAMPER_ENTRY_MORE,
    TAMPER_ENTRY_OTHER,
    TAMPER_FIGURES,
    TAMPER_TABLE_FIGURES,
    TAMPER_ITEM_GONE,
    TAMPER_NUMBER,
    TAMPER_COLLECTION,
    TAMPER_NO_COLLECTION,
};

/* Where the changed item or counter is. */
static struct bytes other_place(struct arena *arena, enum tampering how, const struct table *table,
                                const struct table_index *index, struct bytes key)
{
    struct buf place;

    buf_init_in(&place, arena);
    buf_put_be64(&place, how == TAMPER_FIGURES ? index->number : table->number);
    if (how == TAMPER_ITEM_GONE)
        buf_put_bytes(&place, key);
    if (how == TAMPER_FIGURES || how == TAMPER_TABLE_FIGURES)
        buf_put_be32(&place, log_shard(key));
    if (how == TAMPER_COLLECTION || how == TAMPER_NO_COLLECTION) {
        buf_put_be32(&place, UINT32_MAX);
        buf_put_bytes(&place, how == TAMPER_COLLECTION ? bytes_of(key.data, 8 + 3) : key);
    }
    return buf_bytes(&place);
}

static struct bytes entry_place(struct arena *arena, enum tampering how,
                                const struct table_index *index, struct bytes index_key)
{
    struct buf place;

    buf_init_in(&place, arena);
    buf_put_be64(&place, index->number + (how == TAMPER_NUMBER ? 100 : 0));
    buf_put_bytes(&place, index_key);
    if (how == TAMPER_ENTRY_MORE)
        buf_put_u8(&place, 'x');
    return buf_bytes(&place);
}

static void tampering_stage(struct engine_batch *batch, enum tampering how, struct bytes entry,
                            struct bytes item, struct bytes other)
{
    int64_t deltas[2] = {1, 0};

    switch (how) {
    case TAMPER_COLLECTION:
    case TAMPER_NO_COLLECTION:
        batch_add(batch, SPACE_STATISTICS, other, deltas, 1);
        break;
    case TAMPER_ENTRY_GONE:
        batch_delete(batch, SPACE_INDEX, entry);
        break;
    case TAMPER_ENTRY_MORE:
    case TAMPER_NUMBER:
        batch_put(batch, SPACE_INDEX, entry, item);
        break;
    case TAMPER_ENTRY_OTHER:
        batch_put(batch, SPACE_INDEX, entry, test_item(batch->arena, "{'b':{'S':'x'}}"));
        break;
    case TAMPER_FIGURES:
    case TAMPER_TABLE_FIGURES:
        batch_add(batch, SPACE_STATISTICS, other, deltas, 2);
        break;
    case TAMPER_ITEM_GONE:
        batch_delete(batch, SPACE_ITEMS, other);
        break;
    }
}

/* Changes what there is of the item {p, 1, a 1, b x} and its entry in "all". */
static void tamper(struct fixture *fixture, enum tampering how)
{
    struct engine_batch batch;
    struct index_entry entry;
    struct bytes key;
    struct call call;
    struct err err;

    call_init(&call, &fixture->database);
    const struct table *table = database_table(&call, "t");
    const struct table_index *index = table_find_index(table, BYTES("all"));
    struct bytes item =
        test_item(&call.arena, "{'pk':{'S':'p'},'sk':{'N':'1'},'a':{'N':'1'},'b':{'S':'x'}}");
    assert_true(table_key(table, item, false, &call.arena, &key, &err));
    assert_true(index_entry(table, index, key, item, &call.arena, &entry));
    batch_init(&batch, &call.arena);
    tampering_stage(&batch, how, entry_place(&call.arena, how, index, entry.key), entry.item,
                    other_place(&call.arena, how, table, index, key));
    while (!committer_commit(fixture->database.committer, &batch, &err))
        assert_int_equal(batch.outcome, COMMIT_CONFLICT);
    call_release(&call);
}

#define THIS "{\"b\":{\"S\":\"x\"},\"pk\":{\"S\":\"p\"},\"sk\":{\"N\":\"1\"}}"

static void tells_what_is_not_whole(void **state)
{
    static const struct {
        enum tampering how;
        const char *told;
    } cases[] = {
        {TAMPER_ENTRY_GONE,
         "t: index all has no entry of the item {\"pk\":{\"S\":\"p\"},\"sk\":{\"N\":\"1\"}}\n"
         "t: index all: the statistics say 1 of 12 bytes, there are 0 of 0\n"},
        {TAMPER_ENTRY_MORE, "t: index all has an entry of no item, " THIS "\n"},
        {TAMPER_ENTRY_OTHER,
         "t: index all has another entry of the item {\"pk\":{\"S\":\"p\"},\"sk\":{\"N\":\"1\"}}\n"
         "t: index all: the statistics say 1 of 12 bytes, there are 1 of 2\n"},
        {TAMPER_FIGURES, "t: index all: the statistics say 2 of 12 bytes, there are 1 of 12\n"},
        {TAMPER_TABLE_FIGURES, "t: the statistics say 2 of 12 bytes, there are 1 of 12\n"},
        {TAMPER_ITEM_GONE,
         "t: there are sizes of 1 collections, and 0 collections\n"
         "t: the statistics say 1 of 12 bytes, there are 0 of 0\n"
         "t: index local has an entry of no item, "
         "{\"a\":{\"N\":\"1\"},\"pk\":{\"S\":\"p\"},\"sk\":{\"N\":\"1\"}}\n"
         "t: index all has an entry of no item, " THIS "\n"
         "t: index keys has an entry of no item, "
         "{\"a\":{\"N\":\"1\"},\"b\":{\"S\":\"x\"},\"pk\":{\"S\":\"p\"},\"sk\":{\"N\":\"1\"}}\n"},
        {TAMPER_COLLECTION, "t: a collection is said to have 23 bytes, it has 22\n"},
        {TAMPER_NO_COLLECTION, "t: there are sizes of 2 collections, and 1 collections\n"},
        {TAMPER_NUMBER, "entries of an index lie under the number 103, which nothing has\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        void *fresh;
        struct err err;
        setup(&fresh);
        struct fixture *fixture = fresh;
        assert_true(database_put_json(&fixture->database, "t",
                                      "{'pk':{'S':'p'},'sk':{'N':'1'},'a':{'N':'1'},'b':{'S':'x'}}",
                                      &err));
        assert_whole(fixture);
        tamper(fixture, cases[i].how);
        struct check_figures figures = check(fixture);
        assert_string_equal(fixture->told, cases[i].told);
        assert_true(figures.differences > 0);
        teardown(&fresh);
    }
}

/* Nothing that lies in a database may stop it from being looked at. */
static void an_item_whose_key_is_too_long_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct engine *engine = fixture->database.engine;
    struct engine_batch batch;
    char text[5000];
    struct bytes key;
    struct call call;
    struct err err;

    call_init(&call, &fixture->database);
    const struct table *table = database_table(&call, "t");
    struct bytes item = test_item(&call.arena, "{'pk':{'S':'p'},'sk':{'N':'1'}}");
    assert_true(table_key(table, item, false, &call.arena, &key, &err));
    (void)snprintf(text, sizeof text, "{'pk':{'S':'%04000d'},'sk':{'N':'1'},'b':{'S':'x'}}", 0);
    batch_init(&batch, &call.arena);
    stored_item_put(&batch, &engine->limits, SPACE_ITEMS,
                    item_place(&call.arena, table->number, key), test_item(&call.arena, text),
                    batch_slot(&batch));
    while (!committer_commit(fixture->database.committer, &batch, &err))
        assert_int_equal(batch.outcome, COMMIT_CONFLICT);
    call_release(&call);
    assert_true(check(fixture).differences > 0);
    assert_non_null(strstr(fixture->told, "t: the item {\"pk\":{\"S\":\"0000"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_writes_leave_it_whole, setup, teardown),
        cmocka_unit_test(tells_what_is_not_whole),
        cmocka_unit_test_setup_teardown(an_item_whose_key_is_too_long_is_told, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
