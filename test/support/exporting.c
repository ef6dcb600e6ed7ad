/* test/support/exporting.c - exports on tables in an engine and a folder of buckets. */
#include "support/exporting.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/fault.h"
#include "base/log.h"
#include "support/gunzip.h"

/* --- a store that dies */

struct upload {
    struct upload *real;
    struct dying_store *dying;
};

static struct dying_store *dying_of(struct store *store)
{
    return (struct dying_store *)store;
}

static bool alive(struct dying_store *dying, struct err *err)
{
    if (dying->calls_left > 0) {
        dying->calls_left--;
        return true;
    }
    dying->dead = true;
    fault_arm(FAULT_ENGINE_COMMIT, 0, UINT64_MAX);
    return err_fail(err, ERR_STORE, "the store is dead");
}

static bool dying_put(struct store *store, const struct object_location *where, struct bytes body,
                      const struct object_settings *settings, char etag[ETAG_MOST], struct err *err)
{
    struct dying_store *dying = dying_of(store);

    return alive(dying, err) &&
           dying->real->ops->put(dying->real, where, body, settings, etag, err);
}

static bool dying_begin(struct store *store, const struct object_location *where,
                        const struct object_settings *settings, struct upload **out,
                        struct err *err)
{
    struct dying_store *dying = dying_of(store);
    struct upload *real;

    if (!alive(dying, err) ||
        !dying->real->ops->upload_begin(dying->real, where, settings, &real, err))
        return false;
    *out = malloc(sizeof **out);
    **out = (struct upload){real, dying};
    return true;
}

static bool dying_part(struct upload *upload, struct bytes part, struct err *err)
{
    return alive(upload->dying, err) &&
           upload->dying->real->ops->upload_part(upload->real, part, err);
}

/* What dies with the process stays, as far as the memory checker is asked. */
static struct upload *lost[1000];
static size_t lost_count;

static void upload_lose(struct upload *upload)
{
    assert_true(lost_count < sizeof lost / sizeof *lost);
    lost[lost_count++] = upload->real;
    free(upload);
}

static bool dying_complete(struct upload *upload, struct upload_sums *out, struct err *err)
{
    if (!alive(upload->dying, err)) {
        upload_lose(upload);
        return false;
    }
    bool ok = upload->dying->real->ops->upload_complete(upload->real, out, err);
    free(upload);
    return ok;
}

static void dying_abort(struct upload *upload)
{
    if (upload->dying->dead) {
        upload_lose(upload);
        return;
    }
    upload->dying->real->ops->upload_abort(upload->real);
    free(upload);
}

static const char *dying_id(const struct upload *upload)
{
    return upload->dying->real->ops->upload_id(upload->real);
}

static bool dying_abandon(struct store *store, const struct object_location *where,
                          const char *upload_id)
{
    return !dying_of(store)->dead &&
           dying_of(store)->real->ops->abandon(dying_of(store)->real, where, upload_id);
}

static void dying_stop(struct store *store)
{
    store_stop(dying_of(store)->real);
}

static const struct store_ops dying_ops = {
    .name = "dying",
    .put = dying_put,
    .upload_begin = dying_begin,
    .upload_part = dying_part,
    .upload_complete = dying_complete,
    .upload_abort = dying_abort,
    .upload_id = dying_id,
    .abandon = dying_abandon,
    .stop = dying_stop,
};

/* --- opening */

static _Atomic uint64_t now_ms;

void exporting_later(uint64_t ms)
{
    now_ms += ms;
    clock_set(now_ms * 1000);
}

uint64_t exporting_now_ms(void)
{
    return now_ms;
}

static void quiet(void *context, const char *line)
{
    (void)context, (void)line;
}

static void engine_start(struct exporting *exporting)
{
    char path[FOLDER_PATH_MOST + 8];
    struct engine *engine;

    snprintf(path, sizeof path, "%s/db", exporting->folder);
    if (exporting->lasts)
        engine = engine_open_rocksdb(
            &(struct rocksdb_settings){.directory = path,
                                       .memory = (size_t)8 * 1024 * 1024,
                                       .clock_ahead_most = CLOCK_AHEAD_MOST_DEFAULT},
            &exporting->err);
    else
        engine = engine_open_memory(&(struct memory_settings){.snapshots = true, .page_most = 7});
    if (engine == NULL)
        fail_msg("%s", exporting->err.message);
    database_open(&exporting->database, engine);
}

static void jobs_begin(struct exporting *exporting)
{
    char path[FOLDER_PATH_MOST + 8];

    snprintf(path, sizeof path, "%s/buckets", exporting->folder);
    exporting->dying = (struct dying_store){
        .store = {&dying_ops},
        .real = store_open_directory(path, &exporting->err),
        .calls_left = UINT64_MAX,
    };
    assert_non_null(exporting->dying.real);
    exporting->jobs = jobs_new(&(struct jobs_settings){
        .tables = exporting->database.tables, .workers = exporting->workers, .tick_ms = 3600000});
    exporting->exports =
        exports_new(&(struct exports_settings){.tables = exporting->database.tables,
                                               .jobs = exporting->jobs,
                                               .store = &exporting->dying.store,
                                               .scratch_most = exporting->scratch_most,
                                               .fold_memory = 100});
    if (!jobs_start(exporting->jobs, &exporting->err))
        fail_msg("%s", exporting->err.message);
}

static void jobs_end(struct exporting *exporting)
{
    jobs_stop(exporting->jobs);
    exports_free(exporting->exports);
    jobs_free(exporting->jobs);
    store_close(exporting->dying.real);
}

void exporting_open(struct exporting *exporting, bool lasts, uint32_t workers)
{
    char path[FOLDER_PATH_MOST + 32];

    *exporting = (struct exporting){.lasts = lasts, .workers = workers};
    log_to(quiet, NULL);
    now_ms = UINT64_C(1760000000000);
    exporting_later(123);
    folder_make(exporting->folder);
    snprintf(path, sizeof path, "%s/buckets", exporting->folder);
    assert_int_equal(mkdir(path, 0777), 0);
    snprintf(path, sizeof path, "%s/buckets/" EXPORTING_BUCKET, exporting->folder);
    assert_int_equal(mkdir(path, 0777), 0);
    engine_start(exporting);
    jobs_begin(exporting);
}

void exporting_close(struct exporting *exporting)
{
    fault_clear();
    jobs_end(exporting);
    database_close(&exporting->database);
    folder_remove(exporting->folder);
    clock_set(0);
    log_to(NULL, NULL);
}

void exporting_restart(struct exporting *exporting)
{
    jobs_end(exporting);
    fault_clear();
    if (exporting->lasts) {
        database_close(&exporting->database);
        engine_start(exporting);
    }
    jobs_begin(exporting);
}

void exporting_run(struct exporting *exporting)
{
    if (exporting->workers > 0)
        assert_true(jobs_wait(exporting->jobs, UINT32_MAX));
    while (exporting->workers == 0 && jobs_step(exporting->jobs))
        ;
}

void exporting_table(struct exporting *exporting, const char *name)
{
    struct err *err = &exporting->err;

    if (!database_create(&exporting->database, name, true, err) ||
        !database_recovery(&exporting->database, name, true, 35, err))
        fail_msg("%s", err->message);
    exporting_later(5);
}

/* --- requests */

struct export_request exporting_request(const char *table_arn)
{
    return (struct export_request){.table_arn = bytes_of_text(table_arn),
                                   .bucket = BYTES(EXPORTING_BUCKET)};
}

struct export_filter *exporting_filter(struct arena *arena, const char *key_condition,
                                       const char *condition, const char *value)
{
    struct export_filter *filter = arena_zalloc(arena, sizeof *filter);
    struct scope *scope = arena_alloc(arena, sizeof *scope);
    struct item_maker values;
    struct err err;

    item_begin(&values, arena);
    item_put_text(&values, ":v", bytes_of_text(value));
    filter->values = item_finish(&values);
    scope_init(scope, arena);
    assert_true(scope_put_values(scope, filter->values, &err));
    if (key_condition != NULL) {
        filter->key_text = bytes_of_text(key_condition);
        assert_true(key_condition_compile(scope, filter->key_text, &filter->key_condition, &err));
        assert_true(key_condition_check(filter->key_condition, &err));
    }
    if (condition != NULL) {
        filter->condition_text = bytes_of_text(condition);
        assert_true(condition_compile(scope, "FilterExpression", filter->condition_text,
                                      &filter->condition, &err));
    }
    return filter;
}

struct start {
    struct exporting *exporting;
    const struct export_request *request;
    struct export *out;
};

static enum run start_step(struct work *work, void *context, struct err *err)
{
    struct start *start = context;

    return export_start(start->exporting->exports, work, start->request, start->out, err);
}

/* `*time`, unless NULL: of the commit, microseconds. */
static bool run_call_timed(struct exporting *exporting, struct arena *arena,
                           enum run (*step)(struct work *work, void *context, struct err *err),
                           void *context, uint64_t *time)
{
    struct blocker blocker;
    struct work work;

    blocker_init(&blocker);
    work_init(&work, exporting->database.tables, arena, &blocker.waiter);
    bool ok = work_run(&work, step, context, &exporting->err);
    if (time != NULL)
        *time = work.batch.time;
    work_release(&work);
    blocker_release(&blocker);
    return ok;
}

static bool run_call(struct exporting *exporting, struct arena *arena,
                     enum run (*step)(struct work *work, void *context, struct err *err),
                     void *context)
{
    return run_call_timed(exporting, arena, step, context, NULL);
}

/* What an answer says borrows from the table, which the work's release lets go. */
static bool copy_described(struct exporting *exporting, struct arena *arena, struct export *out)
{
    struct bytes arn = arena_copy(arena, out->arn);

    return exporting_describe(exporting, arn, arena, out);
}

bool exporting_start(struct exporting *exporting, const struct export_request *request,
                     struct arena *arena, struct export *out)
{
    struct start start = {exporting, request, out};

    return run_call(exporting, arena, start_step, &start) && copy_described(exporting, arena, out);
}

bool exporting_describe(struct exporting *exporting, struct bytes arn, struct arena *arena,
                        struct export *out)
{
    return export_describe(exporting->exports, arn, arena, out, &exporting->err);
}

struct list {
    struct exporting *exporting;
    const struct export_query *query;
    struct export_page *out;
};

static enum run list_step(struct work *work, void *context, struct err *err)
{
    struct list *list = context;

    return exports_list(list->exporting->exports, work, list->query, list->out, err) ? RUN_DONE
                                                                                     : RUN_FAILED;
}

bool exporting_list(struct exporting *exporting, const struct export_query *query,
                    struct arena *arena, struct export_page *out)
{
    return run_call(exporting, arena, list_step, &(struct list){exporting, query, out});
}

/* --- the model */

static struct bytes model_item(struct arena *arena, const char *pk, int sk, const char *value)
{
    struct item_maker maker;

    item_begin(&maker, arena);
    item_put_text(&maker, "pk", bytes_of_text(pk));
    item_put_integer(&maker, "sk", sk);
    if (value != NULL)
        item_put_text(&maker, "v", bytes_of_text(value));
    return item_finish(&maker);
}

/* To delete what is not there is no write. */
static void model_write(struct model *model, const char *pk, int sk, const char *value,
                        uint64_t time)
{
    int i = 0;

    while (i < model->count && (strcmp(model->items[i].pk, pk) != 0 || model->items[i].sk != sk))
        i++;
    assert_true(i < MODEL_MOST);
    if (value == NULL && (i == model->count || !model->items[i].there))
        return;
    model->count = i == model->count ? i + 1 : model->count;
    model->items[i].time = time;
    snprintf(model->items[i].pk, sizeof model->items[i].pk, "%s", pk);
    snprintf(model->items[i].value, sizeof model->items[i].value, "%s", value == NULL ? "" : value);
    model->items[i].sk = sk;
    model->items[i].there = value != NULL;
}

struct write_one {
    const char *table, *pk, *value;
    int sk;
};

static bool answer_nothing(void *context, const struct write *writes, size_t count, struct err *err)
{
    (void)context, (void)writes, (void)count, (void)err;
    return true;
}

static enum run write_step(struct work *work, void *context, struct err *err)
{
    struct write_one *one = context;
    struct write *write = arena_zalloc(work->arena, sizeof *write);

    write->kind = one->value == NULL ? WRITE_DELETE : WRITE_PUT;
    write->item = model_item(work->arena, one->pk, one->sk, one->value);
    if (!work_table(work, bytes_of_text(one->table), &write->table, err) ||
        !table_key(write->table, write->item, false, work->arena, &write->key, err))
        return RUN_FAILED;
    return table_write(work, write, 1, answer_nothing, NULL, err);
}

void exporting_write(struct exporting *exporting, struct model *model, const char *table,
                     const char *pk, int sk, const char *value)
{
    struct write_one one = {table, pk, value, sk};
    struct arena arena;
    uint64_t time;

    arena_init(&arena);
    if (!run_call_timed(exporting, &arena, write_step, &one, &time))
        fail_msg("%s", exporting->err.message);
    arena_release(&arena);
    model_write(model, pk, sk, value, time);
}

/* --- what an export wrote */

struct reading {
    struct exporting *exporting;
    struct arena arena;
    struct export export;
    char **lines; /* of all data files, and then of the model */
    size_t line_count;
    uint64_t items, item_bytes;
    size_t objects;
};

static void read_object(struct exporting *exporting, const struct export *export, const char *key,
                        struct buf *out)
{
    char path[FOLDER_PATH_MOST + 256];

    snprintf(path, sizeof path, "%s/buckets/%.*s/%s", exporting->folder, BYTES_ARGS(export->bucket),
             key);
    file_read(path, out);
}

void exporting_object(struct exporting *exporting, const struct export *export, const char *leaf,
                      struct buf *out)
{
    struct arena arena;

    arena_init(&arena);
    read_object(exporting, export, export_key(&arena, export->prefix, export_id(export), leaf),
                out);
    arena_release(&arena);
}

/* The key of the data file that is named behind "/data/" in a line of the manifest. */
static const char *data_key(struct arena *arena, const struct export *export, const char *line)
{
    const char *folder = strstr(line, "/data/");

    assert_non_null(folder);
    return export_data_key(arena, export->prefix,
                           export_incremental(export) ? BYTES_NONE : export_id(export),
                           bytes_of(folder + strlen("/data/"), FILE_NAME_SIZE), ".json.gz");
}

static struct bytes object(struct reading *reading, const char *leaf)
{
    struct buf out;

    buf_init_in(&out, &reading->arena);
    exporting_object(reading->exporting, &reading->export, leaf, &out);
    reading->objects++;
    return buf_bytes(&out);
}

static char **split_lines(struct reading *reading, struct bytes text, size_t *count)
{
    char **lines = arena_alloc(&reading->arena, (MODEL_MOST + 1) * sizeof *lines);

    *count = 0;
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        assert_non_null(end); /* the last line has one too */
        assert_true(*count < MODEL_MOST);
        size_t size = (size_t)(end - text.data);
        lines[(*count)++] = arena_text(&reading->arena, bytes_of(text.data, size));
        text = bytes_from(text, size + 1);
    }
    return lines;
}

static void check_md5(struct reading *reading, struct bytes body, const char *md5_leaf)
{
    struct buf md5;

    buf_init_in(&md5, &reading->arena);
    manifest_put_md5(&md5, body);
    assert_bytes_equal(object(reading, md5_leaf), buf_bytes(&md5));
}

/* One data file against the line that names it: builds the line from the object's bytes. */
static void check_file(struct reading *reading, const char *line)
{
    const char *key = data_key(&reading->arena, &reading->export, line);
    char etag[2 * MD5_SIZE + 3];
    uint8_t md5[MD5_SIZE], of_md5[MD5_SIZE];
    struct buf object, text, expected;
    size_t count;

    buf_init_in(&object, &reading->arena);
    read_object(reading->exporting, &reading->export, key, &object);
    reading->objects++;
    struct bytes file = buf_bytes(&object);
    buf_init_in(&text, &reading->arena);
    gunzip(file, &text);
    char **lines = split_lines(reading, buf_bytes(&text), &count);
    for (size_t i = 0; i < count; i++)
        reading->lines[reading->line_count++] = lines[i];
    reading->items += count;

    digest_of(DIGEST_MD5, file, md5);
    digest_of(DIGEST_MD5, bytes_of(md5, sizeof md5), of_md5);
    hex_put(of_md5, sizeof of_md5, etag);
    snprintf(etag + 2 * MD5_SIZE, 3, "-1");
    struct manifest_file entry = {
        .items = count,
        .md5 = bytes_of(md5, sizeof md5),
        .etag = bytes_of_text(etag),
        .key = bytes_of_text(key),
    };
    buf_init_in(&expected, &reading->arena);
    manifest_put_file(&expected, &entry);
    expected.size--; /* the line feed */
    assert_bytes_equal(bytes_of_text(line), buf_bytes(&expected));
}

static void check_files(struct reading *reading)
{
    struct bytes manifest = object(reading, LEAF_FILES);
    size_t count;

    check_md5(reading, manifest, LEAF_FILES_MD5);
    char **lines = split_lines(reading, manifest, &count);
    assert_int_equal(count, reading->export.parts);
    for (size_t i = 0; i < count; i++)
        check_file(reading, lines[i]);
}

static void check_summary(struct reading *reading)
{
    const struct export *export = &reading->export;
    struct bytes files_key =
        bytes_of_text(export_key(&reading->arena, export->prefix, export_id(export), LEAF_FILES));
    struct manifest_summary summary = {
        .export_arn = export->arn,
        .table_arn = export->table_arn,
        .table_id = export->table_id,
        .start_ms = export->start_ms,
        .end_ms = export->end_ms,
        .time_ms = export->time_ms,
        .from_ms = export->from_ms,
        .to_ms = export->to_ms,
        .bucket = export->bucket,
        .prefix = export->prefix,
        .encryption = export->encryption,
        .kms_key = export->kms_key,
        .files_key = files_key,
        .billed_bytes = reading->item_bytes,
        .items = reading->items,
        .format = export->format,
        .view = export->view,
        .type = export->type,
    };
    struct buf expected;

    buf_init_in(&expected, &reading->arena);
    manifest_put_summary(&expected, &summary);
    struct bytes text = object(reading, LEAF_SUMMARY);
    assert_bytes_equal(text, buf_bytes(&expected));
    check_md5(reading, text, LEAF_SUMMARY_MD5);
    assert_int_equal(export->items, reading->items);
    assert_int_equal(export->billed_bytes, reading->item_bytes);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t model_lines(struct reading *reading, const struct model *model, char **lines)
{
    size_t count = 0;

    for (int i = 0; i < model->count; i++) {
        if (!model->items[i].there)
            continue;
        struct bytes line = arena_printf(
            &reading->arena,
            "{\"Item\":{\"pk\":{\"S\":\"%s\"},\"sk\":{\"N\":\"%d\"},\"v\":{\"S\":\"%s\"}}}",
            model->items[i].pk, model->items[i].sk, model->items[i].value);
        lines[count++] = arena_text(&reading->arena, line);
        reading->item_bytes += item_size(model_item(&reading->arena, model->items[i].pk,
                                                    model->items[i].sk, model->items[i].value));
    }
    return count;
}

static void put_model_image(struct buf *line, const char *name, const struct model *model, int at)
{
    buf_printf(line, ",\"%s\":{\"pk\":{\"S\":\"%s\"},\"sk\":{\"N\":\"%d\"},\"v\":{\"S\":\"%s\"}}",
               name, model->items[at].pk, model->items[at].sk, model->items[at].value);
}

static int model_find(const struct model *model, const char *pk, int sk)
{
    for (int i = 0; i < model->count; i++)
        if (model->items[i].there && strcmp(model->items[i].pk, pk) == 0 &&
            model->items[i].sk == sk)
            return i;
    return -1;
}

/* The table of spec/export.md 4.5. */
static char *change_line(struct reading *reading, const struct model *before,
                         const struct model *after, int at)
{
    int was = model_find(before, after->items[at].pk, after->items[at].sk);
    struct buf line;

    buf_init_in(&line, &reading->arena);
    buf_printf(&line,
               "{\"Metadata\":{\"WriteTimestampMicros\":{\"N\":\"%llu\"}},\"Keys\":{\"pk\":{\"S\":"
               "\"%s\"},\"sk\":{\"N\":\"%d\"}}",
               (unsigned long long)after->items[at].time, after->items[at].pk, after->items[at].sk);
    if (was >= 0 && bytes_equal(reading->export.view, BYTES("NEW_AND_OLD_IMAGES")))
        put_model_image(&line, "OldImage", before, was);
    if (after->items[at].there)
        put_model_image(&line, "NewImage", after, at);
    buf_put_literal(&line, "}");
    buf_put_u8(&line, 0);
    return was >= 0 || after->items[at].there ? (char *)line.data : NULL;
}

static size_t window_lines(struct reading *reading, const struct model *before,
                           const struct model *after, char **lines)
{
    size_t count = 0;

    for (int i = 0; i < after->count; i++)
        if (after->items[i].time >= reading->export.from_ms * 1000 &&
            after->items[i].time < reading->export.to_ms * 1000) {
            char *line = change_line(reading, before, after, i);
            if (line != NULL)
                lines[count++] = line;
        }
    reading->item_bytes = EXPORT_BILLED_LEAST;
    return count;
}

/* `before` NULL: a full export. */
static void check_lines(struct reading *reading, const struct model *before,
                        const struct model *model)
{
    char **expected = arena_alloc(&reading->arena, MODEL_MOST * sizeof *expected);
    size_t count = before == NULL ? model_lines(reading, model, expected)
                                  : window_lines(reading, before, model, expected);

    qsort(expected, count, sizeof *expected, by_text);
    qsort(reading->lines, reading->line_count, sizeof *reading->lines, by_text);
    for (size_t i = 0; i < count && i < reading->line_count; i++)
        assert_string_equal(reading->lines[i], expected[i]);
    assert_int_equal(reading->line_count, count);
}

/* Nothing is there but the export's objects: no part of an upload, no file twice. Data files of an
 * incremental export lie beside others'. */
static void check_leftovers(struct reading *reading)
{
    char path[FOLDER_PATH_MOST + 256];

    assert_int_equal(object(reading, LEAF_STARTED).size, 0);
    assert_int_equal(reading->objects, reading->export.parts + 5);
    char *folder =
        export_key(&reading->arena, reading->export.prefix, export_id(&reading->export), "");
    snprintf(path, sizeof path, "%s/buckets/%.*s/%s", reading->exporting->folder,
             BYTES_ARGS(reading->export.bucket), folder);
    assert_int_equal(folder_files(path),
                     export_incremental(&reading->export) ? 5 : reading->objects);
    snprintf(path, sizeof path, "%s/buckets/%.*s/.%%unfinished", reading->exporting->folder,
             BYTES_ARGS(reading->export.bucket));
    assert_int_equal(folder_files(path), 0);
}

static void check(struct exporting *exporting, struct bytes arn, const struct model *before,
                  const struct model *model)
{
    struct reading reading = {.exporting = exporting};

    arena_init(&reading.arena);
    reading.lines = arena_alloc(&reading.arena, 2 * MODEL_MOST * sizeof *reading.lines);
    if (!exporting_describe(exporting, arn, &reading.arena, &reading.export))
        fail_msg("%s", exporting->err.message);
    if (reading.export.state != EXPORT_COMPLETED)
        fail_msg("%s: %.*s %.*s", export_state_name(reading.export.state),
                 BYTES_ARGS(reading.export.failure_code),
                 BYTES_ARGS(reading.export.failure_message));
    check_files(&reading);
    assert_int_equal(export_incremental(&reading.export), before != NULL);
    check_lines(&reading, before, model);
    check_summary(&reading);
    check_leftovers(&reading);
    arena_release(&reading.arena);
}

void exporting_check(struct exporting *exporting, struct bytes arn, const struct model *model)
{
    check(exporting, arn, NULL, model);
}

void exporting_check_window(struct exporting *exporting, struct bytes arn,
                            const struct model *before, const struct model *after)
{
    check(exporting, arn, before, after);
}

void exporting_lines(struct exporting *exporting, struct bytes arn, struct buf *out)
{
    struct arena arena;
    struct export export;
    struct buf manifest, file;

    arena_init(&arena);
    assert_true(exporting_describe(exporting, arn, &arena, &export));
    assert_int_equal(export.state, EXPORT_COMPLETED);
    buf_init_in(&manifest, &arena);
    exporting_object(exporting, &export, LEAF_FILES, &manifest);
    buf_put_u8(&manifest, 0);
    for (char *at = (char *)manifest.data; (at = strstr(at, "/data/")) != NULL; at++) {
        buf_init_in(&file, &arena);
        read_object(exporting, &export, data_key(&arena, &export, at), &file);
        gunzip(buf_bytes(&file), out);
    }
    buf_put_u8(out, 0);
    arena_release(&arena);
}
