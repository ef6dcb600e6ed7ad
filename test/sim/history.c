/* test/sim/history.c - random histories of tables beside a plain model that forgets nothing.
 *
 * Several workers run operations as requests do: a turn runs one of them until it waits, and which
 * one is drawn. Writes of one to four keys over several tables, creations, deletions, recovery
 * switched on and off are all in flight at once. The clock is moved forth and back, logs are
 * trimmed, jobs pin them, the database is closed and opened again. The model keeps for every key
 * the list of its values with the times of their commits; so what a table was at an instant is a
 * look-up, and past(), scan, get and the figures must say the same. What a window did to a key is
 * two look-ups, which changes() must tell; and the past at its beginning and the changes of windows
 * that adjoin make the past at their end.
 *
 * The tables have indexes, one of which comes and goes and is built while the world stands still;
 * the model knows nothing of them: all of them must be what their tables say.
 *
 * One seed gives one run: the committer is a thread, but a gate in front of the engine's commit
 * lets it work only when all that was submitted is waited for (drain). SIM_SEED and SIM_TURNS
 * choose a run. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "support/database.h"
#include "support/folder.h"
#include "support/sim.h"
#include "table/check.h"

#define NAMES      3          /* of tables */
#define KEYS       24         /* in each */
#define WORKERS    6          /* operations at once */
#define TABLES     400        /* incarnations in one run at most */
#define BATCH_MOST 4          /* writes in one */
#define GROUPS     7          /* of items, in indexes */
#define PADDING    200        /* bytes of an item at most, beside the rest */
#define SAME_VALUE 1000000000 /* and more: what a key gets again and again */
#define START      UINT64_C(1700000000000000)

/* --- the model --- */

struct version {
    uint64_t time;
    uint32_t value; /* 0: absent */
};

struct model_key {
    struct version *versions;
    uint32_t count, capacity;
};

struct model_table {
    uint64_t number;
    int name;
    bool exists;
    struct model_key keys[KEYS];
    uint32_t sizes[KEYS]; /* of the items now, by item_size() */
    uint64_t trimmed;     /* by hand, up to here */
    uint64_t pinned;      /* the instant of the one job there is; 0: none */
    uint64_t until;       /* the end of its window */
    uint32_t pinned_epoch;
};

/* --- the world --- */

enum kind {
    KIND_WRITE,
    KIND_CREATE,
    KIND_DELETE,
    KIND_RECOVERY,
    KIND_INDEX, /* the one that comes and goes */
};

enum worker_state {
    WORKER_IDLE,
    WORKER_READY, /* to be run, again */
    WORKER_WAITS, /* parked, nothing submitted */
    WORKER_SUBMITTED,
};

struct sim;

struct worker {
    struct waiter waiter;
    uint32_t parked; /* under sim.lock */
    struct sim *sim;
    struct arena arena;
    struct work work;
    enum worker_state state;
    enum kind kind;
    int name;
    bool enabled, refuses;
    uint64_t later; /* microseconds: the commit is not before now and these */
    uint32_t days;
    uint64_t number; /* of the table that was created or deleted */
    uint32_t count;
    struct {
        int name, key;
        uint32_t value;
        uint64_t number;
        uint32_t size;
    } writes[BATCH_MOST];
};

/* A batch of nothing, in whose answer the committer is held until the gate opens. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool open, held; /* held: the committer stands before it */
    struct arena arena;
    struct engine_batch batch;
    struct commit plug;
};

struct sim {
    const char *world;
    char folder[FOLDER_PATH_MOST];
    uint64_t random, clock;
    struct database database;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    struct worker workers[WORKERS];
    struct model_table *tables;
    uint32_t table_count, next_value, turn;
    uint32_t commits, conflicts, waits, pasts, windows, reopened, trims, built;
    uint64_t entries, lacking; /* seen in indexes, and missing in those that were not built yet */
};

static struct gate gate = {
    .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER, .open = true};

static void gate_hold(struct commit *commit)
{
    (void)commit;
    pthread_mutex_lock(&gate.lock);
    gate.held = true;
    pthread_cond_broadcast(&gate.moved);
    while (!gate.open)
        pthread_cond_wait(&gate.moved, &gate.lock);
    gate.held = false;
    pthread_cond_broadcast(&gate.moved);
    pthread_mutex_unlock(&gate.lock);
}

/* Answers what it was; when it returns, the committer stands before the gate or runs free. */
static bool gate_set(struct sim *sim, bool open)
{
    pthread_mutex_lock(&gate.lock);
    bool was = gate.open;
    gate.open = open;
    if (was && !open) {
        batch_init(&gate.batch, &gate.arena);
        gate.plug = (struct commit){.batch = &gate.batch, .done = gate_hold};
        committer_submit(sim->database.committer, &gate.plug);
    }
    pthread_cond_broadcast(&gate.moved);
    while (gate.held == open)
        pthread_cond_wait(&gate.moved, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
    return was;
}

static void check_at(struct sim *sim, bool ok, int line, const char *what)
{
    if (ok)
        return;
    printf("not ok: line %d, turn %u: %s\n", line, sim->turn, what);
    abort();
}
#define CHECK(condition)    check_at(sim, (condition), __LINE__, #condition)
#define CHECK_OK(call, err) check_at(sim, (call), __LINE__, (err)->message)

static uint64_t draw(struct sim *sim, uint64_t below)
{
    return random_next(&sim->random) % below;
}

static bool one_in(struct sim *sim, uint64_t n)
{
    return draw(sim, n) == 0;
}

static uint64_t sim_now(struct sim *sim)
{
    return sim->database.engine->ops->now(sim->database.engine);
}

static struct model_table *model_of(struct sim *sim, uint64_t number)
{
    for (uint32_t i = 0; i < sim->table_count; i++)
        if (sim->tables[i].number == number)
            return &sim->tables[i];
    CHECK(!"a table that the model knows");
    return NULL;
}

/* To delete what is not there is no write. */
static void model_add(struct model_key *key, uint64_t time, uint32_t value)
{
    if (value == 0 && (key->count == 0 || key->versions[key->count - 1].value == 0))
        return;
    if (key->count == key->capacity) {
        key->capacity = key->capacity * 2 + 8;
        key->versions = realloc(key->versions, key->capacity * sizeof key->versions[0]);
    }
    key->versions[key->count++] = (struct version){time, value};
}

/* The effect of all commits before `instant`. */
static uint32_t model_at(const struct model_key *key, uint64_t instant)
{
    for (uint32_t i = key->count; i > 0; i--)
        if (key->versions[i - 1].time < instant)
            return key->versions[i - 1].value;
    return 0;
}

/* --- waiting --- */

static void worker_park(struct waiter *waiter)
{
    struct worker *worker = (struct worker *)waiter;

    pthread_mutex_lock(&worker->sim->lock);
    worker->parked++;
    pthread_mutex_unlock(&worker->sim->lock);
}

static void worker_wake(struct waiter *waiter)
{
    struct worker *worker = (struct worker *)waiter;
    struct sim *sim = worker->sim;

    pthread_mutex_lock(&sim->lock);
    worker->parked--;
    pthread_cond_broadcast(&sim->woken);
    pthread_mutex_unlock(&sim->lock);
}

/* --- opening --- */

static const char *name_text(int name)
{
    static const char *const names[NAMES] = {"alpha", "beta", "gamma"};

    return names[name];
}

static struct engine *engine_make(struct sim *sim)
{
    struct memory_settings memory = {
        .snapshots = strcmp(sim->world, "snapshots") == 0,
        .page_most = strcmp(sim->world, "pages") == 0 ? 3 : 7,
        .seed = sim->random,
        .conflict_one_in = strcmp(sim->world, "pages") == 0  ? 10
                           : strcmp(sim->world, "wide") == 0 ? 100
                                                             : 0,
        .stamp_size = strcmp(sim->world, "wide") == 0 ? 13 : 8,
    };
    struct rocksdb_settings rocksdb = {
        .directory = sim->folder,
        .memory = (size_t)32 * 1024 * 1024,
        .relaxed = true, /* crashes are not what this test is about */
        .clock_ahead_most = UINT64_MAX / 2,
    };
    struct err err;

    struct engine *engine = strcmp(sim->world, "rocksdb") == 0 ? engine_open_rocksdb(&rocksdb, &err)
                                                               : engine_open_memory(&memory);
    CHECK_OK(engine != NULL, &err);
    return engine;
}

static void sim_init(struct sim *sim, const char *world, uint64_t seed)
{
    *sim = (struct sim){.world = world, .random = seed, .clock = START};
    clock_set(sim->clock);
    if (strcmp(world, "rocksdb") == 0)
        folder_make(sim->folder);
    pthread_mutex_init(&sim->lock, NULL);
    pthread_cond_init(&sim->woken, NULL);
    sim->tables = calloc(TABLES, sizeof sim->tables[0]);
    for (int i = 0; i < WORKERS; i++) {
        sim->workers[i].sim = sim;
        sim->workers[i].waiter = (struct waiter){worker_park, worker_wake};
        arena_init(&sim->workers[i].arena);
    }
    database_open(&sim->database, engine_make(sim));
}

static void sim_release(struct sim *sim)
{
    database_close(&sim->database);
    for (int i = 0; i < WORKERS; i++)
        arena_release(&sim->workers[i].arena);
    for (uint32_t i = 0; i < sim->table_count; i++)
        for (int key = 0; key < KEYS; key++)
            free(sim->tables[i].keys[key].versions);
    free(sim->tables);
    if (strcmp(sim->world, "rocksdb") == 0)
        folder_remove(sim->folder);
    clock_set(0);
}

/* --- operations --- */

static struct bytes item_make(struct arena *arena, int key, uint32_t value)
{
    static const char padding[PADDING] = {0};
    struct item_maker maker;

    item_begin(&maker, arena);
    item_put_text(&maker, "pk", arena_printf(arena, "key-%d", key));
    if (value != 0) {
        item_put_integer(&maker, "v", value);
        if (value % GROUPS != 0) /* else the item is in no index of groups */
            item_put_integer(&maker, "g", value % GROUPS);
        item_put_data(&maker, "padding", bytes_of(padding, value % PADDING));
    }
    return item_finish(&maker);
}

static bool write_answer(void *context, const struct write *writes, size_t count, struct err *err)
{
    struct worker *worker = context;

    (void)writes, (void)count;
    return !worker->refuses || err_fail(err, ERR_CONDITION_FAILED, "refused");
}

static enum run write_run(struct worker *worker, struct err *err)
{
    struct write *writes = arena_zalloc(&worker->arena, worker->count * sizeof *writes);

    for (uint32_t i = 0; i < worker->count; i++) {
        struct write *write = &writes[i];
        struct bytes item =
            item_make(&worker->arena, worker->writes[i].key, worker->writes[i].value);
        if (!work_table(&worker->work, bytes_of_text(name_text(worker->writes[i].name)),
                        &write->table, err) ||
            !table_key(write->table, item, false, &worker->arena, &write->key, err))
            return RUN_FAILED;
        write->kind = worker->writes[i].value == 0 ? WRITE_DELETE : WRITE_PUT;
        write->item = item;
        worker->writes[i].number = write->table->number;
        worker->writes[i].size = write->kind == WRITE_PUT ? (uint32_t)item_size(item) : 0;
    }
    /* The clock stands still while a group commits; this is how time passes in it all the same. */
    worker->work.batch.not_before = sim_now(worker->sim) + worker->later;
    return table_write(&worker->work, writes, worker->count, write_answer, worker, err);
}

/* --- indexes --- */

static const struct table_index indexes[] = {
    {.name = BYTES_INIT("local"),
     .local = true,
     .keys = {{BYTES_INIT("pk"), KEY_S}, {BYTES_INIT("v"), KEY_N}},
     .partition_count = 1,
     .key_count = 2,
     .projection = PROJECT_KEYS_ONLY},
    {.name = BYTES_INIT("all"),
     .keys = {{BYTES_INIT("g"), KEY_N}},
     .partition_count = 1,
     .key_count = 1,
     .projection = PROJECT_ALL},
    {.name = BYTES_INIT("late"),
     .keys = {{BYTES_INIT("g"), KEY_N}, {BYTES_INIT("v"), KEY_N}},
     .partition_count = 1,
     .key_count = 2,
     .projection = PROJECT_KEYS_ONLY},
};
#define INDEXES 2 /* from a table's creation on */

/* Adds the last one, or drops it. */
static enum run index_run(struct worker *worker, struct bytes name, struct err *err)
{
    const struct table *table;
    struct table_index list[INDEXES + 1];

    if (!work_table_named(&worker->work, name, &table, err))
        return RUN_FAILED;
    struct table changed = *table;
    memcpy(list, table->indexes, INDEXES * sizeof *list);
    list[INDEXES] = indexes[INDEXES];
    changed.indexes = list;
    changed.index_count = table->index_count == INDEXES ? INDEXES + 1 : INDEXES;
    return tables_update(&worker->work, table, &changed, &table, err);
}

static enum run worker_step(struct worker *worker, struct err *err)
{
    struct bytes name = bytes_of_text(name_text(worker->name));
    struct table wanted = {.name = name,
                           .keys = {{BYTES("pk"), KEY_S}},
                           .key_count = 1,
                           .indexes = indexes,
                           .index_count = INDEXES};
    const struct table *table;
    enum run run = RUN_FAILED;

    switch (worker->kind) {
    case KIND_WRITE:
        return write_run(worker, err);
    case KIND_CREATE:
        run = tables_create(&worker->work, &wanted, &table, err);
        break;
    case KIND_DELETE:
        run = tables_delete(&worker->work, name, &table, err);
        break;
    case KIND_INDEX:
        return index_run(worker, name, err);
    case KIND_RECOVERY:
        if (!work_table_named(&worker->work, name, &table, err))
            return RUN_FAILED;
        return tables_set_recovery(&worker->work, table, worker->enabled, worker->days, &table,
                                   err);
    }
    if (run == RUN_DONE)
        worker->number = table->number;
    return run;
}

static void worker_end(struct worker *worker)
{
    work_release(&worker->work);
    arena_rewind(&worker->arena, (struct arena_mark){0});
    worker->state = WORKER_IDLE;
}

static void worker_run(struct sim *sim, struct worker *worker)
{
    struct err err = {0};
    enum run run = worker_step(worker, &err);

    if (run == RUN_WAIT) {
        worker->state = WORKER_WAITS;
        sim->waits++;
    } else if (run == RUN_DONE && worker->work.submitted) {
        worker->state = WORKER_SUBMITTED;
    } else {
        CHECK_OK(run == RUN_DONE || err.code == ERR_CONDITION_FAILED ||
                     err.code == ERR_RESOURCE_NOT_FOUND || err.code == ERR_RESOURCE_IN_USE,
                 &err);
        worker_end(worker);
    }
}

static void writes_draw(struct sim *sim, struct worker *worker)
{
    worker->count = one_in(sim, 3) ? 1 + (uint32_t)draw(sim, BATCH_MOST) : 1;
    for (uint32_t i = 0; i < worker->count; i++) {
        bool again = true;
        while (again) {
            worker->writes[i].name = (int)draw(sim, NAMES);
            worker->writes[i].key = (int)draw(sim, one_in(sim, 2) ? 3 : KEYS);
            again = false;
            for (uint32_t j = 0; j < i; j++)
                again = again || (worker->writes[i].name == worker->writes[j].name &&
                                  worker->writes[i].key == worker->writes[j].key);
        }
        worker->writes[i].value = one_in(sim, 4)   ? 0
                                  : one_in(sim, 4) ? SAME_VALUE + (uint32_t)worker->writes[i].key
                                                   : ++sim->next_value;
    }
}

static void worker_start(struct sim *sim, struct worker *worker)
{
    uint64_t what = draw(sim, 100);

    worker->kind = what < 90   ? KIND_WRITE
                   : what < 94 ? KIND_CREATE
                   : what < 95 ? KIND_DELETE
                   : what < 97 ? KIND_INDEX
                               : KIND_RECOVERY;
    worker->name = (int)draw(sim, NAMES);
    worker->enabled = !one_in(sim, 3);
    worker->days = 1 + (uint32_t)draw(sim, 35);
    worker->refuses = one_in(sim, 20);
    worker->later = one_in(sim, 2) ? draw(sim, 4) : 0;
    if (worker->kind == KIND_CREATE && sim->table_count == TABLES)
        worker->kind = KIND_WRITE;
    writes_draw(sim, worker);
    work_init(&worker->work, sim->database.tables, &worker->arena, &worker->waiter);
    worker_run(sim, worker);
}

static void worker_again(struct sim *sim, struct worker *worker)
{
    work_restart(&worker->work);
    arena_rewind(&worker->arena, (struct arena_mark){0});
    worker_run(sim, worker);
}

static void worker_committed(struct sim *sim, struct worker *worker)
{
    sim->commits++;
    switch (worker->kind) {
    case KIND_WRITE:
        for (uint32_t i = 0; i < worker->count; i++) {
            struct model_table *table = model_of(sim, worker->writes[i].number);
            int key = worker->writes[i].key;
            model_add(&table->keys[key], worker->work.batch.time, worker->writes[i].value);
            table->sizes[key] = worker->writes[i].size;
        }
        break;
    case KIND_CREATE:
        CHECK(sim->table_count < TABLES);
        sim->tables[sim->table_count++] =
            (struct model_table){.number = worker->number, .name = worker->name, .exists = true};
        break;
    case KIND_DELETE:
        model_of(sim, worker->number)->exists = false;
        break;
    case KIND_RECOVERY:
    case KIND_INDEX:
        break;
    }
}

/* Waits until all that was submitted is answered, and looks at the answers. */
static void drain(struct sim *sim)
{
    bool was = gate_set(sim, true);

    pthread_mutex_lock(&sim->lock);
    for (int i = 0; i < WORKERS; i++) {
        struct worker *worker = &sim->workers[i];
        bool committing = worker->state == WORKER_SUBMITTED ||
                          (worker->state == WORKER_WAITS && worker->work.commit.batch != NULL);
        while (committing && worker->parked > 0)
            pthread_cond_wait(&sim->woken, &sim->lock);
    }
    for (int i = 0; i < WORKERS; i++)
        if (sim->workers[i].state == WORKER_WAITS && sim->workers[i].parked == 0)
            sim->workers[i].state = WORKER_READY;
    pthread_mutex_unlock(&sim->lock);
    gate_set(sim, was);
    for (int i = 0; i < WORKERS; i++) {
        struct worker *worker = &sim->workers[i];
        if (worker->state != WORKER_SUBMITTED)
            continue;
        CHECK(worker->work.batch.outcome == COMMIT_OK ||
              worker->work.batch.outcome == COMMIT_CONFLICT);
        if (worker->work.batch.outcome == COMMIT_OK) {
            worker_committed(sim, worker);
            worker_end(worker);
        } else {
            sim->conflicts++;
            worker->state = WORKER_READY;
        }
    }
}

/* One worker goes on, or a new operation begins, or what was submitted is waited for. */
static void turn(struct sim *sim, bool begin)
{
    struct worker *worker = &sim->workers[draw(sim, WORKERS)];

    if (one_in(sim, 3))
        drain(sim);
    if (worker->state == WORKER_READY)
        worker_again(sim, worker);
    else if (worker->state == WORKER_IDLE && begin)
        worker_start(sim, worker);
}

static void quiesce(struct sim *sim)
{
    bool was = gate_set(sim, false);

    for (bool busy = true; busy;) {
        drain(sim);
        busy = false;
        for (int i = 0; i < WORKERS; i++) {
            if (sim->workers[i].state == WORKER_READY)
                worker_again(sim, &sim->workers[i]);
            busy = busy || sim->workers[i].state != WORKER_IDLE;
        }
    }
    gate_set(sim, was);
}

/* --- what must hold --- */

struct reading {
    struct sim *sim;
    uint32_t values[KEYS];
    uint32_t count;
    uint8_t last[64];
    size_t last_size;
    bool turns;                      /* let the world go on while it is read */
    const struct model_table *model; /* of a window */
    uint64_t from, to;
    bool new_only;
};

/* Keys are shown in their order, each once. */
static void reading_see_key(struct reading *reading, struct bytes key)
{
    struct sim *sim = reading->sim;

    CHECK(bytes_compare(bytes_of(reading->last, reading->last_size), key) < 0);
    CHECK(key.size <= sizeof reading->last);
    memcpy(reading->last, key.data, key.size);
    reading->last_size = key.size;
}

static unsigned long key_of(struct sim *sim, struct bytes item)
{
    struct bytes text = item_text(item, "pk");
    char number[8] = {0};

    CHECK(text.size > 4 && text.size < 4 + sizeof number);
    memcpy(number, text.data + 4, text.size - 4);
    unsigned long at = strtoul(number, NULL, 10);
    CHECK(at < KEYS);
    return at;
}

static bool reading_see(struct reading *reading, struct bytes key, struct bytes item)
{
    struct sim *sim = reading->sim;

    reading_see_key(reading, key);
    unsigned long at = key_of(sim, item);
    reading->values[at] = (uint32_t)item_integer(item, "v", 0);
    CHECK(reading->values[at] != 0);
    reading->count++;
    if (reading->turns && one_in(sim, 4))
        turn(sim, true);
    return true;
}

static bool see_scanned(void *context, struct bytes key, struct bytes item)
{
    return reading_see(context, key, item);
}

static bool see_past(void *context, struct bytes key, struct bytes item, struct err *err)
{
    (void)err;
    return reading_see(context, key, item);
}

/* All of it as it is now, when nothing is under way. */
static void check_now(struct sim *sim, struct model_table *model)
{
    struct reading reading = {.sim = sim};
    struct table_figures figures;
    int64_t items = 0, bytes = 0;
    struct call call;
    struct err err;

    call_init(&call, &sim->database);
    const struct table *table = work_find_table(&call.work, bytes_of_text(name_text(model->name)));
    CHECK(table != NULL && table->number == model->number);
    struct table_scan scan = {
        .table = table, .segments = 1, .visit = see_scanned, .context = &reading};
    CHECK_OK(table_scan(&call.work, &scan, &err) == SCAN_DONE, &err);
    for (int key = 0; key < KEYS; key++) {
        uint32_t value = model_at(&model->keys[key], UINT64_MAX);
        CHECK(reading.values[key] == value);
        items += value != 0;
        bytes += value != 0 ? model->sizes[key] : 0;
    }
    CHECK_OK(table_figures(sim->database.tables, table, &figures, &err), &err);
    CHECK(figures.items == items && figures.bytes == bytes);
    call_release(&call);
}

static void check_gone(struct sim *sim, int name)
{
    struct call call;

    for (uint32_t i = 0; i < sim->table_count; i++)
        if (sim->tables[i].name == name && sim->tables[i].exists)
            return;
    call_init(&call, &sim->database);
    CHECK(work_find_table(&call.work, bytes_of_text(name_text(name))) == NULL);
    call_release(&call);
}

/* The table at an instant, read in up to four parts, in any order, which now and then are folded
 * each by itself; with `turns` the world goes on meanwhile. */
static void check_past(struct sim *sim, struct model_table *model, uint32_t epoch, uint64_t instant,
                       bool turns)
{
    struct reading reading = {.sim = sim, .turns = turns};
    uint32_t expected[KEYS];
    struct past_settings settings = {
        .engine = sim->database.engine,
        .table = model->number,
        .epoch = epoch,
        .instant = instant,
        .memory_most = one_in(sim, 2) ? 0 : 400 + draw(sim, 4000),
    };
    struct past_visitor visitor = {see_past, &reading};
    uint32_t parts = 1 + (uint32_t)draw(sim, 4);
    bool apart = !turns && one_in(sim, 3);
    uint8_t cuts[5][8];
    struct err err;

    for (int key = 0; key < KEYS; key++)
        expected[key] = model_at(&model->keys[key], instant);
    struct past *past = past_open(&settings, &err);
    CHECK_OK(past != NULL, &err);
    bool was = gate_set(sim, !turns);
    for (uint32_t i = 0; i <= parts; i++)
        be64_store(cuts[i], i * (UINT64_MAX / parts));
    for (uint32_t i = 0; i < parts; i++) {
        struct bytes from = i == 0 ? BYTES_NONE : bytes_of(cuts[i], 8);
        struct bytes to = i + 1 == parts ? BYTES_NONE : bytes_of(cuts[i + 1], 8);
        reading.last_size = 0;
        if (apart) {
            past_close(past);
            settings.key_from = from;
            settings.key_to = to;
            past = past_open(&settings, &err);
            CHECK_OK(past != NULL, &err);
        }
        CHECK_OK(past_walk(past, from, to, &visitor, &err), &err);
        if (turns)
            turn(sim, true);
    }
    quiesce(sim);
    gate_set(sim, was);
    past_close(past);
    for (int key = 0; key < KEYS; key++) {
        if (reading.values[key] != expected[key])
            printf("table %" PRIu64 " key %d at %" PRIu64 ": %u, not %u\n", model->number, key,
                   instant, reading.values[key], expected[key]);
        CHECK(reading.values[key] == expected[key]);
    }
    sim->pasts++;
}

/* An instant that means something: at a commit, or next to one. */
static uint64_t instant_draw(struct sim *sim, const struct model_table *model, uint64_t from,
                             uint64_t to)
{
    const struct model_key *key = &model->keys[draw(sim, KEYS)];
    uint64_t instant = from + draw(sim, to - from + 1);

    if (one_in(sim, 10))
        return one_in(sim, 2) ? from : to;
    if (key->count > 0 && !one_in(sim, 10))
        instant = key->versions[draw(sim, key->count)].time - 1 + draw(sim, 3);
    return instant < from ? from : instant > to ? to : instant;
}

static uint32_t value_of(struct bytes item)
{
    return item.size == 0 ? 0 : (uint32_t)item_integer(item, "v", 0);
}

/* What the model says of the window for one key: when it was written last, and how often. */
static uint64_t window_last(const struct model_key *key, uint64_t from, uint64_t to,
                            uint32_t *writes)
{
    uint64_t last = 0;

    *writes = 0;
    for (uint32_t i = 0; i < key->count; i++)
        if (key->versions[i].time >= from && key->versions[i].time < to) {
            last = key->versions[i].time;
            ++*writes;
        }
    return last;
}

/* Of a window without old images: what a key that is not there at its end was last. */
static uint32_t image_left(const struct model_key *key, uint64_t to)
{
    uint32_t last = 0;

    for (uint32_t i = 0; i < key->count; i++)
        if (key->versions[i].time < to && key->versions[i].value != 0)
            last = key->versions[i].value;
    return model_at(key, to) != 0 ? 0 : last;
}

static bool see_change(void *context, const struct net_change *change, struct err *err)
{
    struct reading *reading = context;
    struct sim *sim = reading->sim;
    uint32_t writes;

    (void)err;
    reading_see_key(reading, change->key);
    CHECK(change->size > 0);
    if (!change->existed && change->after.size == 0)
        return true;
    unsigned long at = key_of(sim, change->before.size > 0 ? change->before : change->after);
    const struct model_key *key = &reading->model->keys[at];
    CHECK(change->existed == (model_at(key, reading->from) != 0));
    CHECK(value_of(change->before) ==
          (reading->new_only ? image_left(key, reading->to) : model_at(key, reading->from)));
    CHECK(value_of(change->after) == model_at(key, reading->to));
    CHECK(change->time == window_last(key, reading->from, reading->to, &writes) && writes > 0);
    CHECK(reading->values[at] == model_at(key, reading->from)); /* as replaying has left it */
    reading->values[at] = value_of(change->after);
    reading->count++;
    return true;
}

/* The changes of [from, to) put upon `values`, which are the past at `from`. */
static void check_changes(struct sim *sim, struct model_table *model, uint32_t epoch, uint64_t from,
                          uint64_t to, uint32_t values[KEYS])
{
    struct reading reading = {
        .sim = sim, .model = model, .from = from, .to = to, .new_only = one_in(sim, 3)};
    struct changes_settings settings = {
        .engine = sim->database.engine,
        .table = model->number,
        .epoch = epoch,
        .from = from,
        .to = to,
        .new_only = reading.new_only,
        .memory_most = one_in(sim, 2) ? 0 : 400 + draw(sim, 4000),
    };
    struct changes_visitor visitor = {see_change, &reading};
    uint64_t cut = random_next(&sim->random);
    uint32_t written = 0, writes;
    uint8_t middle[8];
    struct err err;

    memcpy(reading.values, values, sizeof reading.values);
    bool apart = one_in(sim, 3);
    be64_store(middle, cut);
    if (apart)
        settings.key_to = bytes_of(middle, 8);
    struct changes *changes = changes_open(&settings, &err);
    CHECK_OK(changes != NULL, &err);
    CHECK_OK(changes_walk(changes, BYTES_NONE, bytes_of(middle, 8), &visitor, &err), &err);
    if (apart) {
        changes_close(changes);
        settings.key_from = bytes_of(middle, 8);
        settings.key_to = BYTES_NONE;
        changes = changes_open(&settings, &err);
        CHECK_OK(changes != NULL, &err);
    }
    CHECK_OK(changes_walk(changes, bytes_of(middle, 8), BYTES_NONE, &visitor, &err), &err);
    changes_close(changes);
    for (int key = 0; key < KEYS; key++) {
        window_last(&model->keys[key], from, to, &writes);
        written += writes > 0 &&
                   (model_at(&model->keys[key], from) != 0 || model_at(&model->keys[key], to) != 0);
        CHECK(reading.values[key] == model_at(&model->keys[key], to));
    }
    CHECK(reading.count == written);
    memcpy(values, reading.values, sizeof reading.values);
    sim->windows++;
}

/* The past at the beginning and the changes of the windows up to `to`, in turn. */
static void check_replay(struct sim *sim, struct model_table *model, uint32_t epoch, uint64_t from,
                         uint64_t to)
{
    uint32_t values[KEYS];

    for (int key = 0; key < KEYS; key++)
        values[key] = model_at(&model->keys[key], from);
    for (bool last = false; !last;) {
        uint64_t next = one_in(sim, 3) ? to : instant_draw(sim, model, from, to);
        last = next == to;
        check_changes(sim, model, epoch, from, next, values);
        from = next;
    }
}

static void check_history(struct sim *sim, struct model_table *model)
{
    uint64_t now = sim_now(sim);
    struct log_state state;
    struct call call;
    struct err err;

    call_init(&call, &sim->database);
    const struct table *table = database_table(&call, name_text(model->name));
    CHECK_OK(log_state_read(sim->database.engine, model->number, &call.arena, &state, &err), &err);
    CHECK(table->log == (state.floor != LOG_FLOOR_NONE));
    CHECK(table->log || !table->recovery);
    if (table->recovery) {
        uint64_t earliest = table_earliest(table, now);
        /* What was promised is there, unless this test has trimmed it by hand. */
        CHECK(state.floor <= earliest || state.floor <= model->trimmed);
        uint64_t from = state.floor > earliest ? state.floor : earliest;
        for (int i = 0; i < 4 && from <= now; i++)
            check_past(sim, model, table->log_epoch, instant_draw(sim, model, from, now), false);
        if (from <= now)
            check_replay(sim, model, table->log_epoch, instant_draw(sim, model, from, now), now);
    }
    call_release(&call);
}

/* --- what else happens --- */

static struct model_table *table_draw(struct sim *sim)
{
    struct model_table *found = NULL;
    uint64_t seen = 0;

    for (uint32_t i = 0; i < sim->table_count; i++)
        if (sim->tables[i].exists && draw(sim, ++seen) == 0)
            found = &sim->tables[i];
    return found;
}

static void clock_move(struct sim *sim)
{
    uint64_t by = one_in(sim, 20)  ? draw(sim, DAY_MICROS)
                  : one_in(sim, 5) ? draw(sim, 10 * SECOND_MICROS)
                                   : draw(sim, 5);

    drain(sim);
    if (one_in(sim, 6) && sim->clock > START + by)
        sim->clock -= by;
    else
        sim->clock += by;
    clock_set(sim->clock);
}

static void trim_by_hand(struct sim *sim, struct model_table *model)
{
    struct call call;
    struct err err;
    uint64_t now = sim_now(sim);

    call_init(&call, &sim->database);
    const struct table *table = database_table(&call, name_text(model->name));
    if (table->log) {
        uint64_t floor = now - draw(sim, one_in(sim, 2) ? 100 : DAY_MICROS);
        CHECK_OK(changelog_trim(sim->database.engine, sim->database.committer, table->number,
                                table->log_epoch, floor, &err),
                 &err);
        if (model->trimmed < floor)
            model->trimmed = floor;
        sim->trims++;
    }
    call_release(&call);
}

struct pin_step {
    struct sim *sim;
    struct model_table *model;
    uint64_t instant; /* 0: the pin goes */
    uint32_t epoch;
    bool done;
};

static enum run pin_step(struct work *work, void *context, struct err *err)
{
    struct pin_step *step = context;
    struct engine *engine = tables_engine(work->tables);
    uint64_t number = step->model->number;
    struct log_state state, next;

    if (!log_state_read(engine, number, work->arena, &state, err))
        return RUN_FAILED;
    if (step->instant == 0) {
        next = log_state_unpinned(&state, BYTES("job"), work->arena);
    } else {
        const struct table *table;
        if (!work_table(work, bytes_of_text(name_text(step->model->name)), &table, err))
            return RUN_FAILED;
        if (!table->recovery || step->instant < state.floor)
            return RUN_DONE;
        next =
            log_state_pinned(&state, &(struct log_pin){BYTES("job"), step->instant}, work->arena);
        work_expect_table(work, table);
        step->epoch = table->log_epoch;
    }
    step->done = true;
    log_state_write(&work->batch, &engine->limits, number, &state, &next);
    work_submit(work);
    return RUN_DONE;
}

static bool pin_set(struct sim *sim, struct model_table *model, uint64_t instant)
{
    struct pin_step step = {.sim = sim, .model = model, .instant = instant};
    struct call call;

    call_init(&call, &sim->database);
    CHECK_OK(call_run(&call, pin_step, &step), &call.err);
    call_release(&call);
    if (step.done) {
        model->pinned = instant;
        model->pinned_epoch = step.epoch;
    }
    return step.done;
}

/* A job begins, looks again and again, and ends; whatever happens to its table. */
static void jobs_go_on(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->table_count; i++) {
        struct model_table *model = &sim->tables[i];
        if (model->pinned == 0)
            continue;
        check_past(sim, model, model->pinned_epoch, model->pinned, one_in(sim, 2));
        check_replay(sim, model, model->pinned_epoch, model->pinned, model->until);
        if (one_in(sim, 5))
            pin_set(sim, model, 0);
    }
    quiesce(sim);
    struct model_table *begins = table_draw(sim);
    if (begins != NULL && begins->pinned == 0) {
        uint64_t now = sim_now(sim);
        if (pin_set(sim, begins, instant_draw(sim, begins, now - DAY_MICROS, now)))
            begins->until = instant_draw(sim, begins, begins->pinned, now);
    }
}

static void maintain(struct sim *sim)
{
    struct log_state state;
    struct call call;
    struct err err;

    CHECK_OK(database_maintain(&sim->database, &err), &err);
    call_init(&call, &sim->database);
    for (uint32_t i = 0; i < sim->table_count; i++) {
        const struct model_table *model = &sim->tables[i];
        if (!model->exists || model->pinned != 0)
            continue;
        const struct table *table = database_table(&call, name_text(model->name));
        CHECK_OK(log_state_read(sim->database.engine, model->number, &call.arena, &state, &err),
                 &err);
        CHECK(table->log == table->recovery);
        CHECK(!table->recovery ||
              state.floor + 1000 * SECOND_MICROS > table_earliest(table, sim_now(sim)));
    }
    call_release(&call);
}

static void reopen(struct sim *sim)
{
    struct engine *engine = sim->database.engine;

    if (strcmp(sim->world, "rocksdb") == 0) {
        database_close(&sim->database);
        engine = engine_make(sim);
    } else {
        tables_close(sim->database.tables);
        committer_free(sim->database.committer);
    }
    database_open(&sim->database, engine);
    sim->reopened++;
}

/* One step of a part may be refused by conflicts again and again. */
static void part_fill(struct sim *sim, const struct table *table, uint64_t index, uint32_t part)
{
    struct index_fill fill;
    struct err err;

    CHECK_OK(index_fill_open(&fill, sim->database.tables, table->name, index, part, &err), &err);
    for (int tries = 0; tries < 100 && !fill.done; tries++)
        (void)!index_fill_step(&fill, &err);
    CHECK(fill.done);
    index_fill_close(&fill);
}

static bool is_building(const struct table *table)
{
    return table->index_count > INDEXES && table->indexes[INDEXES].building;
}

/* Some parts of it, some of them twice. */
static bool table_fill(void *context, const struct table *table, struct err *err)
{
    struct sim *sim = context;

    (void)err;
    for (uint32_t i = 0; is_building(table) && i < INDEX_PARTS; i++)
        part_fill(sim, table, table->indexes[INDEXES].number, (uint32_t)draw(sim, INDEX_PARTS));
    return true;
}

static bool table_build(void *context, const struct table *table, struct err *err)
{
    struct sim *sim = context;
    bool done = false;

    if (!is_building(table))
        return true;
    uint64_t index = table->indexes[INDEXES].number;
    for (uint32_t part = 0; part < INDEX_PARTS; part++)
        part_fill(sim, table, index, part);
    for (int tries = 0; tries < 100 && !done; tries++)
        done = index_fill_finish(sim->database.tables, table->name, index, err);
    CHECK_OK(done, err);
    sim->built++;
    return true;
}

static void tell(void *context, const char *sentence)
{
    printf("turn %u: %s\n", ((struct sim *)context)->turn, sentence);
}

static void check_indexes(struct sim *sim)
{
    struct check_figures figures = {0};
    struct err err;

    CHECK_OK(tables_check(sim->database.tables, tell, sim, &figures, &err), &err);
    CHECK(figures.differences == 0);
    sim->entries += figures.entries;
    sim->lacking += figures.building;
}

static void check_all(struct sim *sim)
{
    quiesce(sim);
    check_indexes(sim);
    for (int name = 0; name < NAMES; name++)
        check_gone(sim, name);
    for (uint32_t i = 0; i < sim->table_count; i++)
        if (sim->tables[i].exists)
            check_now(sim, &sim->tables[i]);
}

static void event(struct sim *sim)
{
    struct model_table *model = table_draw(sim);
    struct err err;

    quiesce(sim);
    gate_set(sim, true);
    switch (draw(sim, 9)) {
    case 8:
        CHECK_OK(
            tables_each(sim->database.tables, one_in(sim, 2) ? table_build : table_fill, sim, &err),
            &err);
        check_indexes(sim);
        break;
    case 0:
        check_all(sim);
        break;
    case 1:
        if (model != NULL && model->exists)
            trim_by_hand(sim, model);
        break;
    case 2:
        maintain(sim);
        break;
    case 3:
        if (one_in(sim, 2))
            reopen(sim);
        break;
    case 4:
        jobs_go_on(sim);
        break;
    default:
        if (model != NULL && model->exists)
            check_history(sim, model);
        break;
    }
    quiesce(sim);
    gate_set(sim, false);
}

static bool count_visit(void *context, struct bytes key, struct bytes value)
{
    (void)key, (void)value;
    ++*(size_t *)context;
    return true;
}

/* All tables are deleted, all jobs end: the engine must be empty. */
static void check_empty_at_last(struct sim *sim)
{
    struct err err;

    quiesce(sim);
    CHECK_OK(tables_each(sim->database.tables, table_build, sim, &err), &err);
    for (uint32_t i = 0; i < sim->table_count; i++) {
        struct model_table *model = &sim->tables[i];
        if (model->pinned != 0)
            pin_set(sim, model, 0);
        if (!model->exists)
            continue;
        bool gone = false;
        for (int tries = 0; tries < 100 && !gone; tries++)
            gone = database_delete(&sim->database, name_text(model->name), &err);
        CHECK_OK(gone, &err);
    }
    for (int i = 0; i < 20; i++) /* a round may be refused by a conflict */
        CHECK_OK(tables_maintain(sim->database.tables, &err), &err);
    for (int space = SPACE_ITEMS; space < ENGINE_SPACES; space++) {
        size_t count = 0;
        struct engine_scan scan = {
            .space = (enum engine_space)space, .visit = count_visit, .context = &count};
        CHECK_OK(engine_scan_all(sim->database.engine, &scan, &err) == SCAN_DONE, &err);
        CHECK(count == 0);
    }
}

int main(int argc, char **argv)
{
    const char *world = argc > 1 ? argv[1] : "snapshots";
    uint64_t seed = sim_setting("SIM_SEED", 1), turns = sim_setting("SIM_TURNS", 20000);
    struct sim *sim = calloc(1, sizeof *sim);

    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("world %s, SIM_SEED=%" PRIu64 " SIM_TURNS=%" PRIu64 "\n", world, seed, turns);
    sim_init(sim, world, seed);
    gate_set(sim, false);
    for (sim->turn = 0; sim->turn < turns; sim->turn++) {
        turn(sim, true);
        if (one_in(sim, 4))
            clock_move(sim);
        if (one_in(sim, 20))
            event(sim);
    }
    gate_set(sim, true);
    check_all(sim);
    check_empty_at_last(sim);
    printf(
        "%u commits, %u conflicts, %u waits, %u tables, %u pasts, %u windows, %u trims, %u times "
        "reopened, %u indexes built, %" PRIu64 " entries seen, %" PRIu64 " not there yet\n",
        sim->commits, sim->conflicts, sim->waits, sim->table_count, sim->pasts, sim->windows,
        sim->trims, sim->reopened, sim->built, sim->entries, sim->lacking);
    CHECK(sim->commits > turns / 10 && sim->pasts > turns / 1000 && sim->windows > turns / 1000);
    sim_release(sim);
    free(sim);
    return 0;
}
