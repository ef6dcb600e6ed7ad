/* archive/export.c - exports accepted and described; the order of all checks is that of
 * spec/export.md 2.1. */
#include "archive/export.h"

#include <assert.h>
#include <stdlib.h>

#include "archive/export_job.h"
#include "archive/export_window.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/random.h"

struct exports *exports_new(const struct exports_settings *settings)
{
    struct exports *exports = calloc(1, sizeof *exports);

    assert(exports != NULL);
    exports->settings = *settings;
    bool split = arn_split(tables_arn(settings->tables), &exports->home);
    assert(split);
    pthread_mutex_init(&exports->lock, NULL);
    export_job_kind(exports);
    jobs_register(settings->jobs, &exports->kind);
    return exports;
}

void exports_free(struct exports *exports)
{
    if (exports == NULL)
        return;
    assert(exports->runs == NULL);
    pthread_mutex_destroy(&exports->lock);
    free(exports);
}

struct engine *exports_engine(const struct exports *exports)
{
    return tables_engine(exports->settings.tables);
}

uint64_t exports_now(const struct exports *exports)
{
    return exports_engine(exports)->ops->now(exports_engine(exports));
}

/* --- accepting */

struct acceptance {
    struct exports *exports;
    struct work *work;
    const struct export_request *request;
    const struct table *table;
    struct export_token token;
    struct log_state log;
    uint64_t now; /* service time, microseconds */
    struct bytes turn;
    struct export *export;
};

static bool find_table(struct acceptance *a, struct bytes name, struct err *err)
{
    a->table = work_find_table(a->work, name);
    return a->table != NULL || err_fail(err, ERR_TABLE_NOT_FOUND, "Table not found: %.*s",
                                        BYTES_ARGS(a->request->table_arn));
}

/* What a filtered export is described with. */
static bool read_filter(struct engine *engine, struct arena *arena, struct export *export,
                        struct err *err)
{
    struct export_filter *filter;

    if (!export->filtered)
        return true;
    filter = arena_alloc(arena, sizeof *filter);
    export->filter = filter;
    return export_filter_get(engine, export->arn, arena, filter, err);
}

/* Looks the ClientToken up; `*replayed`: it stands for the same request, and its export was read.
 */
static bool check_token(struct acceptance *a, struct bytes canonical, bool *replayed,
                        struct err *err)
{
    struct engine *engine = exports_engine(a->exports);
    struct bytes token = a->request->client_token;

    *replayed = false;
    if (token.data == NULL)
        return true;
    if (!export_token_get(engine, token, a->work->arena, &a->token, err))
        return false;
    if (a->token.stamp.size == 0 || a->now / 1000 >= a->token.start_ms + EXPORT_TOKEN_KEPT_MS)
        return true;
    if (!bytes_equal(a->token.request, canonical))
        return err_fail(err, ERR_EXPORT_CONFLICT,
                        "Export conflict: Duplicate request detected with conflicting parameters");
    if (!export_get(engine, a->token.arn, a->work->arena, a->export, err))
        return false;
    *replayed = a->export->stamp.size > 0;
    return !*replayed || read_filter(engine, a->work->arena, a->export, err);
}

/* What of a filter depends on the table. The place of this check is ours: behind the token's, as
 * all that was seen to be, before what the log has to say. */
static bool check_filter(struct acceptance *a, struct err *err)
{
    struct export_filter *filter = a->request->filter;

    return filter == NULL || export_filter_match(filter, a->table, a->work->arena, err);
}

static bool read_log(struct acceptance *a, struct err *err)
{
    return log_state_read(exports_engine(a->exports), a->table->number, a->work->arena, &a->log,
                          err);
}

/* A table whose log is gone had its recovery switched off a moment ago. */
static bool has_recovery(const struct acceptance *a)
{
    return a->table->recovery && a->log.floor != LOG_FLOOR_NONE;
}

static bool check_recovery(const struct acceptance *a, struct err *err)
{
    return has_recovery(a) || err_fail(err, ERR_RECOVERY_UNAVAILABLE,
                                       "Point in time recovery is not enabled for table '%.*s'",
                                       BYTES_ARGS(a->table->name));
}

static uint64_t second_of(uint64_t micros)
{
    return micros / SECOND_MICROS;
}

static uint64_t earliest_of(const struct acceptance *a)
{
    uint64_t earliest = table_earliest(a->table, a->now);

    return a->log.floor > earliest ? a->log.floor : earliest;
}

/* Spec 2.6. It comes before the check of recovery; without that there is only the table's creation
 * to go by. A window that begins in the floor's own second begins at the floor. */
static bool check_window(struct acceptance *a, struct err *err)
{
    uint64_t least = has_recovery(a) ? earliest_of(a) : a->table->created;
    struct export_window window;

    if (!export_request_incremental(a->request))
        return true;
    least = a->table->created > least ? a->table->created : least;
    if (!export_window_check(a->request, least, a->now, &window, err))
        return false;
    a->export->from_ms = window.from * 1000;
    a->export->to_ms = window.to * 1000;
    a->export->instant = window.from * SECOND_MICROS;
    if (a->export->instant < a->log.floor)
        a->export->instant = a->log.floor;
    return true;
}

/* Spec 2.5. A time before the window but inside the window's first second is in it: that is how
 * clients name its beginning, who are shown whole seconds. The log still tells of that instant,
 * unless it is the second of the enabling, which reads as the enabling. */
static bool check_time(struct acceptance *a, struct err *err)
{
    uint64_t earliest = earliest_of(a);
    uint64_t instant = a->export->time_ms * 1000;

    if (export_request_incremental(a->request))
        return true;
    a->export->instant = instant;
    if (!a->request->timed)
        return true;
    if (instant > a->now || second_of(instant) < second_of(a->table->created))
        return err_fail(err, ERR_INVALID_EXPORT_TIME, "Export Time is invalid");
    if (second_of(instant) < second_of(earliest))
        return err_fail(err, ERR_INVALID_EXPORT_TIME,
                        "Point in Time Recovery is not available for specified export time");
    a->export->instant = instant < a->log.floor ? a->log.floor : instant;
    return true;
}

#define TERABYTE UINT64_C(1000000000000)

/* Exports in progress that count against the same limit: full and incremental ones have one each
 * (spec 2.7). */
struct others {
    struct engine *engine;
    struct arena arena;
    bool incremental, failed;
    uint32_t count;
    uint64_t table_bytes;
    struct err *err;
};

static void others_count(void *context, struct bytes arn)
{
    struct others *others = context;
    struct arena_mark mark = arena_mark(&others->arena);
    struct export export;

    if (others->failed)
        return;
    others->failed = !export_get(others->engine, arn, &others->arena, &export, others->err);
    if (!others->failed && export.stamp.size > 0 &&
        export_incremental(&export) == others->incremental) {
        others->count++;
        others->table_bytes += export.table_bytes;
    }
    arena_rewind(&others->arena, mark);
}

static bool check_limit(struct acceptance *a, struct err *err)
{
    struct others others = {
        .engine = exports_engine(a->exports),
        .incremental = export_request_incremental(a->request),
        .err = err,
    };

    arena_init(&others.arena);
    bool ok = jobs_turn(others.engine, EXPORT_JOB, a->work->arena, &a->turn, err) &&
              jobs_each(others.engine, EXPORT_JOB, others_count, &others, err) && !others.failed;
    arena_release(&others.arena);
    if (!ok)
        return false;
    if (others.count >= EXPORTS_AT_ONCE_MOST)
        return err_fail(err, ERR_LIMIT_EXCEEDED,
                        "Subscriber limit exceeded: There is a limit of %d concurrent exports per "
                        "subscriber",
                        EXPORTS_AT_ONCE_MOST);
    if (others.table_bytes + a->export->table_bytes > EXPORTS_TB_AT_ONCE_MOST * TERABYTE)
        return err_fail(err, ERR_LIMIT_EXCEEDED,
                        "Subscriber limit exceeded: There is a limit of %d TB of tables in "
                        "concurrent exports per subscriber",
                        EXPORTS_TB_AT_ONCE_MOST);
    return true;
}

/* A provisioned table of at most this capacity has one partition with the service, and its export
 * one file (spec 3.5). */
#define ONE_PARTITION_READS  3000
#define ONE_PARTITION_WRITES 1000

/* Lines are about half as long again as the size that is billed for their items. */
uint32_t export_parts_for(const struct table *table, uint64_t bytes)
{
    bool small = table->provisioned && table->throughput.read_units <= ONE_PARTITION_READS &&
                 table->throughput.write_units <= ONE_PARTITION_WRITES;

    return export_parts_in(bytes / 2 * 3, small ? 1 : EXPORT_FILES_LEAST);
}

uint32_t export_parts_in(uint64_t text, uint32_t least)
{
    uint64_t parts = text / EXPORT_FILE_TEXT + 1;

    if (parts <= least)
        return least;
    parts = (parts + EXPORT_FILES_LEAST - 1) / EXPORT_FILES_LEAST * EXPORT_FILES_LEAST;
    return parts > EXPORT_FILES_MOST ? EXPORT_FILES_MOST : (uint32_t)parts;
}

static bool read_size(struct acceptance *a, struct err *err)
{
    struct table_figures figures;

    if (!table_figures(a->exports->settings.tables, a->table, &figures, err))
        return false;
    a->export->table_bytes = figures.bytes < 0 ? 0 : (uint64_t)figures.bytes;
    return true;
}

/* How much a window holds nobody knows yet: that takes the first run (export_job.c). All items of a
 * partition key go into one file, however many there are. */
static void choose_parts(struct acceptance *a)
{
    const struct export_filter *filter = a->request->filter;
    bool unknown =
        export_request_incremental(a->request) || (filter != NULL && filter->key_condition != NULL);
    uint64_t bytes = unknown ? 0 : a->export->table_bytes;

    a->export->parts = export_parts_for(a->table, bytes);
}

/* StartTime is the first whole millisecond above service time; the commit comes no earlier, so all
 * that is acknowledged by now lies before it and all that is still to be committed after it. That
 * of an incremental export is this second (spec 1.3): its window has ended by now, so what is still
 * to be committed lies behind it, and what has been lies before the commit of this export. */
static void name_export(struct acceptance *a)
{
    struct export *export = a->export;
    struct arena *arena = a->work->arena;
    char id[EXPORT_ID_SIZE + 1];

    if (export_request_incremental(a->request)) {
        export->start_ms = a->now / SECOND_MICROS * 1000;
    } else {
        export->start_ms = a->now / 1000 + 1;
        export->time_ms = a->request->timed ? a->request->time_ms : export->start_ms;
    }
    export_id_make(export->start_ms, id);
    export->arn = arena_printf(arena, "%.*s/export/%s", BYTES_ARGS(a->table->arn), id);
}

static void describe_table(struct acceptance *a)
{
    struct export *export = a->export;

    export->table_arn = a->table->arn;
    export->table_id = a->table->id;
    export->table_number = a->table->number;
    export->table_epoch = a->table->log_epoch;
    export->key_count = a->table->key_count;
    for (uint32_t i = 0; i < export->key_count; i++)
        export->keys[i] = a->table->keys[i].name;
    export->local_indexes = table_locals_pack(a->table, a->work->arena);
}

static struct bytes either(struct bytes given, struct bytes otherwise)
{
    return given.data != NULL ? given : otherwise;
}

/* An empty prefix is as good as none (spec/export.md 7.2). */
static void describe_request(struct acceptance *a)
{
    const struct export_request *request = a->request;
    struct export *export = a->export;
    char uuid[UUID_TEXT_SIZE];

    random_uuid(uuid);
    export->client_token =
        either(request->client_token, arena_copy(a->work->arena, bytes_of_text(uuid)));
    export->bucket = request->bucket;
    export->bucket_owner = request->bucket_owner;
    export->prefix = request->prefix.size > 0 ? request->prefix : BYTES_NONE;
    export->encryption = either(request->encryption, BYTES("AES256"));
    export->kms_key = request->kms_key;
    export->format = either(request->format, BYTES("DYNAMODB_JSON"));
    export->type = request->type;
    if (export_request_incremental(request))
        export->view = either(request->view, BYTES("NEW_AND_OLD_IMAGES"));
    export->filtered = request->filter != NULL;
    export->filter = request->filter;
}

/* Once the commit is durable the job is taken up, whether or not the client is still there. */
static void accepted(struct work *work)
{
    const struct acceptance *a = work->committed_context;

    jobs_add(a->exports->settings.jobs, &a->exports->kind, a->export->arn);
}

static void stage(struct acceptance *a, struct bytes canonical)
{
    struct engine_batch *batch = &a->work->batch;
    struct engine *engine = exports_engine(a->exports);
    struct log_pin pin = {a->export->arn, a->export->instant};
    struct log_state pinned = log_state_pinned(&a->log, &pin, a->work->arena);

    work_expect_table(a->work, a->table);
    export_put(batch, engine, a->export);
    if (a->export->filtered)
        export_filter_put(batch, engine, a->export->arn, a->export->start_ms, a->export->filter);
    job_put(batch, engine, EXPORT_JOB, a->export->arn, a->turn);
    log_state_write(batch, &engine->limits, a->table->number, &a->log, &pinned);
    if (a->request->client_token.data != NULL) {
        struct export_token token = {
            .stamp = a->token.stamp,
            .arn = a->export->arn,
            .request = canonical,
            .start_ms = a->export->start_ms,
        };
        export_token_put(batch, engine, a->request->client_token, &token);
    }
    batch->not_before = a->export->start_ms * 1000;
}

/* One is accepted after the other: each looks at all others, so of many at once all but the first
 * would conflict, again and again. */
static enum run wait_for_others(struct work *work, struct err *err)
{
    uint64_t id = UINT64_C(0x6578706f727473); /* of no table's items */

    return work_lock(work, &id, 1, err);
}

enum run export_start(struct exports *exports, struct work *work,
                      const struct export_request *request, struct export *out, struct err *err)
{
    struct bytes canonical = export_request_canonical(request, work->arena);
    struct acceptance *a = arena_zalloc(work->arena, sizeof *a);
    struct export *export = arena_zalloc(work->arena, sizeof *export);
    struct bytes name;
    bool replayed;

    *a =
        (struct acceptance){.exports = exports, .work = work, .request = request, .export = export};
    a->now = exports_now(exports);
    if (!export_request_check(request, &exports->home, &name, err) || !find_table(a, name, err))
        return RUN_FAILED;
    enum run turn = wait_for_others(work, err);
    if (turn != RUN_DONE)
        return turn;
    if (!check_token(a, canonical, &replayed, err))
        return RUN_FAILED;
    if (!replayed) {
        name_export(a);
        if (!check_filter(a, err) || !read_log(a, err) || !check_window(a, err) ||
            !check_recovery(a, err) || !check_time(a, err) || !read_size(a, err) ||
            !check_limit(a, err))
            return RUN_FAILED;
        choose_parts(a);
        describe_table(a);
        describe_request(a);
        stage(a, canonical);
        work->committed = accepted;
        work->committed_context = a;
        work_submit(work);
    }
    *out = *export;
    return RUN_DONE;
}

/* --- describing */

bool export_expired(const struct export *export, uint64_t now_micros)
{
    return export->state != EXPORT_IN_PROGRESS &&
           now_micros / 1000 >= export->start_ms + EXPORT_KEPT_MS;
}

bool export_describe(struct exports *exports, struct bytes arn, struct arena *arena,
                     struct export *out, struct err *err)
{
    struct export export;

    if (!arn_check_export(arn, &exports->home, err) ||
        !export_get(exports_engine(exports), arn, arena, &export, err))
        return false;
    if (export.stamp.size == 0 || export_expired(&export, exports_now(exports)))
        return err_fail(err, ERR_EXPORT_NOT_FOUND, "Export not found: Export not found: %.*s",
                        BYTES_ARGS(arn));
    if (!read_filter(exports_engine(exports), arena, &export, err))
        return false;
    *out = export;
    return true;
}

struct bytes export_manifest_key(const struct export *export, struct arena *arena)
{
    return bytes_of_text(export_key(arena, export->prefix, export_id(export), LEAF_SUMMARY));
}
