/* test/support/database.c - the operations as requests run them, each to its end. */
#include "support/database.h"

#include "base/clock.h"
#include "support/check.h"
#include "support/expressions.h"

void database_open(struct database *database, struct engine *engine)
{
    struct err err;

    database->engine = engine;
    database->committer = committer_new(engine);
    database->tables = tables_open(
        &(struct tables_settings){
            .engine = engine,
            .committer = database->committer,
            .region = "eu-west-1",
            .account = "111122223333",
            .trim_rest = 1,
        },
        &err);
    if (database->tables == NULL)
        fail_msg("tables_open: %s", err.message);
}

void database_close(struct database *database)
{
    tables_close(database->tables);
    committer_free(database->committer);
    engine_close(database->engine);
}

bool database_maintain(struct database *database, struct err *err)
{
    bool ok = tables_maintain(database->tables, err);
    uint64_t now = clock_monotonic_micros();

    while (clock_monotonic_micros() < now + 2) /* longer than the rest of one microsecond */
        continue;
    return ok && tables_maintain(database->tables, err);
}

void call_init(struct call *call, struct database *database)
{
    arena_init(&call->arena);
    blocker_init(&call->blocker);
    work_init(&call->work, database->tables, &call->arena, &call->blocker.waiter);
}

void call_release(struct call *call)
{
    work_release(&call->work);
    blocker_release(&call->blocker);
    arena_release(&call->arena);
}

bool call_run(struct call *call,
              enum run (*step)(struct work *work, void *context, struct err *err), void *context)
{
    return work_run(&call->work, step, context, &call->err);
}

/* Runs one step of its own to its end. */
static bool database_run(struct database *database,
                         enum run (*step)(struct work *work, void *context, struct err *err),
                         void *context, uint64_t *time, struct err *err)
{
    struct call call;

    call_init(&call, database);
    bool ok = call_run(&call, step, context);
    if (!ok)
        *err = call.err;
    if (time != NULL)
        *time = ok && call.work.submitted ? call.work.batch.time : 0;
    call_release(&call);
    return ok;
}

static enum run create_of_step(struct work *work, void *context, struct err *err)
{
    const struct table *out;

    return tables_create(work, context, &out, err);
}

bool database_create_table(struct database *database, const struct table *wanted, struct err *err)
{
    return database_run(database, create_of_step, (struct table *)(uintptr_t)wanted, NULL, err);
}

struct table_step {
    const char *name;
    bool sort, enabled;
    uint32_t days;
};

static enum run create_step(struct work *work, void *context, struct err *err)
{
    struct table_step *step = context;
    const struct table *out;
    struct table wanted = {
        .name = bytes_of_text(step->name),
        .keys = {{BYTES("pk"), KEY_S}, {BYTES("sk"), KEY_N}},
        .key_count = step->sort ? 2 : 1,
    };

    return tables_create(work, &wanted, &out, err);
}

bool database_create(struct database *database, const char *name, bool sort, struct err *err)
{
    return database_run(database, create_step, &(struct table_step){.name = name, .sort = sort},
                        NULL, err);
}

static enum run delete_step(struct work *work, void *context, struct err *err)
{
    const struct table *out;

    return tables_delete(work, bytes_of_text(context), &out, err);
}

bool database_delete(struct database *database, const char *name, struct err *err)
{
    return database_run(database, delete_step, (char *)(uintptr_t)name, NULL, err);
}

static enum run recovery_step(struct work *work, void *context, struct err *err)
{
    struct table_step *step = context;
    const struct table *table;

    if (!work_table_named(work, bytes_of_text(step->name), &table, err))
        return RUN_FAILED;
    return tables_set_recovery(work, table, step->enabled, step->days, &table, err);
}

bool database_recovery(struct database *database, const char *name, bool enabled, uint32_t days,
                       struct err *err)
{
    return database_run(database, recovery_step,
                        &(struct table_step){.name = name, .enabled = enabled, .days = days}, NULL,
                        err);
}

struct bytes simple_item(struct arena *arena, const char *key, const char *value)
{
    struct item_maker maker;

    item_begin(&maker, arena);
    item_put_text(&maker, "pk", bytes_of_text(key));
    if (value != NULL)
        item_put_text(&maker, "v", bytes_of_text(value));
    return item_finish(&maker);
}

struct write_step {
    const struct simple_write *writes;
    size_t count;
};

static bool answer_nothing(void *context, const struct write *writes, size_t count, struct err *err)
{
    (void)context, (void)writes, (void)count, (void)err;
    return true;
}

static enum run write_step(struct work *work, void *context, struct err *err)
{
    struct write_step *step = context;
    struct write *writes = arena_zalloc(work->arena, step->count * sizeof *writes);

    for (size_t i = 0; i < step->count; i++) {
        const struct simple_write *simple = &step->writes[i];
        struct bytes item = simple_item(work->arena, simple->key, simple->value);
        writes[i].kind = simple->value == NULL ? WRITE_DELETE : WRITE_PUT;
        writes[i].item = simple->value == NULL ? BYTES_NONE : item;
        if (!work_table(work, bytes_of_text(simple->table), &writes[i].table, err) ||
            !table_key(writes[i].table, item, false, work->arena, &writes[i].key, err))
            return RUN_FAILED;
    }
    return table_write(work, writes, step->count, answer_nothing, NULL, err);
}

bool database_write(struct database *database, const struct simple_write *writes, size_t count,
                    uint64_t *time, struct err *err)
{
    return database_run(database, write_step, &(struct write_step){writes, count}, time, err);
}

bool database_put(struct database *database, const char *table, const char *key, const char *value)
{
    struct err err;

    return database_write(database, &(struct simple_write){table, key, value}, 1, NULL, &err);
}

struct json_step {
    const char *table, *item;
    bool put;
};

static enum run json_step(struct work *work, void *context, struct err *err)
{
    struct json_step *step = context;
    struct bytes item = test_item(work->arena, step->item);
    struct write *write = arena_zalloc(work->arena, sizeof *write);

    write->kind = step->put ? WRITE_PUT : WRITE_DELETE;
    write->item = step->put ? item : BYTES_NONE;
    if (!work_table(work, bytes_of_text(step->table), &write->table, err) ||
        !table_key(write->table, item, false, work->arena, &write->key, err))
        return RUN_FAILED;
    return table_write(work, write, 1, answer_nothing, NULL, err);
}

bool database_put_json(struct database *database, const char *table, const char *item,
                       struct err *err)
{
    return database_run(database, json_step, &(struct json_step){table, item, true}, NULL, err);
}

bool database_delete_json(struct database *database, const char *table, const char *key,
                          struct err *err)
{
    return database_run(database, json_step, &(struct json_step){table, key, false}, NULL, err);
}

const struct table *database_table(struct call *call, const char *name)
{
    const struct table *table = work_find_table(&call->work, bytes_of_text(name));

    assert_non_null(table);
    return table;
}

struct bytes database_get(struct call *call, const char *name, const char *key)
{
    const struct table *table = database_table(call, name);
    struct bytes place, item, result = BYTES_NONE;
    struct engine_value pin;
    struct err err;
    bool found;

    assert_true(
        table_key(table, simple_item(&call->arena, key, NULL), true, &call->arena, &place, &err));
    assert_true(table_get(&call->work, table, place, &pin, &item, &found, &err));
    if (found)
        result = arena_copy(&call->arena, item_text(item, "v"));
    engine_value_release(&pin);
    return result;
}
