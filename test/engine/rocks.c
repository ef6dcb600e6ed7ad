/* test/engine/rocks.c - what is RocksDB's alone: folders that are refused, and starts after a
 * death. */
#include "support/check.h"
#include "support/folder.h"

#include <dirent.h>
#include <limits.h>
#include <rocksdb/c.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/engine.h"

#define NOW (UINT64_C(1700000000) * SECOND_MICROS)

static int folder_setup(void **state)
{
    static char folder[FOLDER_PATH_MOST];

    folder_make(folder);
    *state = folder;
    return 0;
}

static int folder_teardown(void **state)
{
    clock_set(0);
    folder_remove(*state);
    return 0;
}

static struct engine *open_folder(const char *folder, struct err *err)
{
    struct rocksdb_settings settings = {
        .directory = folder,
        .memory = (size_t)16 * 1024 * 1024,
        .clock_ahead_most = CLOCK_AHEAD_MOST_DEFAULT,
    };

    return engine_open_rocksdb(&settings, err);
}

static void assert_refused(const char *folder, const char *words)
{
    struct err err;

    assert_null(open_folder(folder, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    if (strstr(err.message, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

/* The folder opened as RocksDB's own, with one more column family if wanted. */
struct raw {
    rocksdb_t *db;
    rocksdb_column_family_handle_t *families[8];
    rocksdb_options_t *options;
    rocksdb_writeoptions_t *write;
    int count;
};
enum { RAW_DEFAULT, RAW_CATALOG, RAW_ITEMS };

static void raw_open(struct raw *raw, const char *folder, const char *more)
{
    const char *names[8] = {"default",   "catalog",    "items", "index",
                            "changelog", "statistics", more};
    const rocksdb_options_t *options[8];
    char *reason = NULL;

    raw->options = rocksdb_options_create();
    raw->write = rocksdb_writeoptions_create();
    raw->count = more == NULL ? 6 : 7;
    rocksdb_options_set_create_if_missing(raw->options, 1);
    rocksdb_options_set_create_missing_column_families(raw->options, 1);
    for (int i = 0; i < raw->count; i++)
        options[i] = raw->options;
    raw->db = rocksdb_open_column_families(raw->options, folder, raw->count, names, options,
                                           raw->families, &reason);
    assert_null(reason);
}

static void raw_put(struct raw *raw, int family, struct bytes key, struct bytes value)
{
    char *reason = NULL;

    rocksdb_put_cf(raw->db, raw->write, raw->families[family], (const char *)key.data, key.size,
                   (const char *)value.data, value.size, &reason);
    assert_null(reason);
}

static void raw_close(struct raw *raw)
{
    rocksdb_writeoptions_destroy(raw->write);
    for (int i = 0; i < raw->count; i++)
        rocksdb_column_family_handle_destroy(raw->families[i]);
    rocksdb_close(raw->db);
    rocksdb_options_destroy(raw->options);
}

/* One key of the engine's own, written behind its back. */
static void raw_own(const char *folder, const char *more, struct bytes key, struct bytes value)
{
    struct raw raw;

    raw_open(&raw, folder, more);
    raw_put(&raw, RAW_DEFAULT, key, value);
    raw_close(&raw);
}

static void a_folder_in_use_is_refused(void **state)
{
    struct err err;
    struct engine *engine = open_folder(*state, &err);

    assert_non_null(engine);
    assert_refused(*state, "is in use by another gramme");
    engine_close(engine);
    engine = open_folder(*state, &err);
    assert_non_null(engine);
    engine_close(engine);
}

static struct engine *open_as_is(const char *folder, struct err *err)
{
    return engine_open_rocksdb_as_is(
        &(struct rocksdb_settings){.directory = folder, .memory = (size_t)16 * 1024 * 1024}, err);
}

static bool commit_one(struct engine *engine, struct bytes key)
{
    struct engine_batch batch, *batches = &batch;
    struct arena arena;

    arena_init(&arena);
    batch_init(&batch, &arena);
    batch_put(&batch, SPACE_ITEMS, key, BYTES("value"));
    engine->ops->commit(engine, &batches, 1);
    arena_release(&arena);
    return batch.outcome == COMMIT_OK;
}

static bool is_there(struct engine *engine, struct bytes key)
{
    struct engine_value value;
    struct err err;
    bool found;

    assert_true(engine_get(engine, NULL, SPACE_ITEMS, key, &value, &found, &err));
    engine_value_release(&value);
    return found;
}

/* Of every file its name, size and time of the last change. */
static void folder_describe(const char *folder, struct buf *out)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    struct stat about;
    char path[PATH_MAX];

    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        assert_int_equal(stat(path, &about), 0);
        if (strcmp(entries[i]->d_name, "..") != 0)
            buf_printf(out, "%s %lld %lld.%09ld\n", entries[i]->d_name, (long long)about.st_size,
                       (long long)about.st_mtim.tv_sec, about.st_mtim.tv_nsec);
        free(entries[i]);
    }
    free(entries);
}

/* After a death, so that the log has something, and beside nobody. */
static void a_database_is_read_as_it_is(void **state)
{
    struct buf before, after;
    struct err err;
    int status;
    pid_t child = fork();

    if (child == 0) {
        struct engine *engine = open_folder(*state, &err);
        _exit(engine != NULL && commit_one(engine, BYTES("in the log")) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    buf_init(&before);
    buf_init(&after);
    folder_describe(*state, &before);
    struct engine *engine = open_as_is(*state, &err);
    assert_non_null(engine);
    assert_true(is_there(engine, BYTES("in the log")));
    assert_false(commit_one(engine, BYTES("more")));
    folder_describe(*state, &after);
    assert_refused(*state, "is in use by another gramme");
    engine_close(engine);
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.data, after.data, before.size);
    buf_release(&before);
    buf_release(&after);
}

static void what_cannot_be_read_as_it_is(void **state)
{
    struct err err;
    char nothing[PATH_MAX];

    snprintf(nothing, sizeof nothing, "%s/nothing", (char *)*state);
    assert_null(open_as_is(nothing, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_int_equal(access(nothing, F_OK), -1);
    struct engine *engine = open_folder(*state, &err);
    assert_null(open_as_is(*state, &err));
    assert_non_null(strstr(err.message, "is in use by another gramme"));
    engine_close(engine);
    raw_own(*state, NULL, BYTES("format"), BYTES("\0\0\0\2"));
    assert_null(open_as_is(*state, &err));
    assert_non_null(strstr(err.message, "newer version of gramme"));
}

static void a_newer_format_is_refused(void **state)
{
    struct err err;

    engine_close(open_folder(*state, &err));
    raw_own(*state, NULL, BYTES("format"), BYTES("\0\0\0\2"));
    assert_refused(*state, "newer version of gramme (its format is 2");
    raw_own(*state, NULL, BYTES("format"), BYTES("\0\0\0\1"));
    struct engine *engine = open_folder(*state, &err);
    assert_non_null(engine);
    engine_close(engine);
    raw_own(*state, "future", BYTES("format"), BYTES("\0\0\0\1"));
    assert_refused(*state, "newer version of gramme");
}

static void a_foreign_database_is_refused(void **state)
{
    raw_own(*state, NULL, BYTES("somebody's"), BYTES("value"));
    assert_refused(*state, "not gramme's");
}

static void damage_is_told(void **state)
{
    struct err err;

    engine_close(open_folder(*state, &err));
    raw_own(*state, NULL, BYTES("clock"), BYTES("short"));
    assert_null(open_folder(*state, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
}

static void a_path_that_cannot_be_is_refused(void **state)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/missing/folder", (const char *)*state);
    assert_refused(path, path);
}

/* Items in one file at the bottom, where whole files can be deleted. */
static struct engine *open_compacted(const char *folder, const struct bytes *keys, size_t count)
{
    static uint8_t value[100000];
    struct raw raw;
    struct err err;

    engine_close(open_folder(folder, &err));
    raw_open(&raw, folder, NULL);
    for (size_t i = 0; i < count; i++)
        raw_put(&raw, RAW_ITEMS, keys[i], bytes_of(value, sizeof value));
    rocksdb_compact_range_cf(raw.db, raw.families[RAW_ITEMS], NULL, 0, NULL, 0);
    raw_close(&raw);
    return open_folder(folder, &err);
}

static void delete_and_reclaim(struct engine *engine, struct bytes from, struct bytes to)
{
    struct engine_batch batch, *one = &batch;
    struct arena arena;

    arena_init(&arena);
    batch_init(&batch, &arena);
    batch_delete_range(&batch, SPACE_ITEMS, from, to);
    engine->ops->commit(engine, &one, 1);
    assert_int_equal(batch.outcome, COMMIT_OK);
    engine->ops->reclaim(engine, SPACE_ITEMS, from, to);
    arena_release(&arena);
}

static bool has_item(struct engine *engine, struct bytes key)
{
    struct engine_value value;
    struct err err;
    bool found;

    assert_true(engine_get(engine, NULL, SPACE_ITEMS, key, &value, &found, &err));
    engine_value_release(&value);
    return found;
}

/* Bytes of files, from the metrics. */
static unsigned long long file_bytes(struct engine *engine)
{
    static const char name[] = "\ngramme_engine_file_bytes ";
    struct buf metrics;

    buf_init(&metrics);
    engine->ops->metrics(engine, &metrics);
    buf_put_u8(&metrics, 0);
    const char *at = strstr((const char *)metrics.data, name);
    assert_non_null(at);
    unsigned long long bytes = strtoull(at + sizeof name - 1, NULL, 10);
    buf_release(&metrics);
    return bytes;
}

/* The file ends at the very key that the range ends before. */
static void reclaiming_spares_the_end(void **state)
{
    static const struct bytes ends[] = {BYTES_INIT("c"), BYTES_INIT("b\1"), BYTES_INIT("b\0"),
                                        BYTES_INIT("b\377")};

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct bytes keys[] = {BYTES("b"), ends[i]};
        struct engine *engine = open_compacted(*state, keys, 2);
        assert_non_null(engine);
        delete_and_reclaim(engine, BYTES("b"), ends[i]);
        assert_false(has_item(engine, BYTES("b")));
        assert_true(has_item(engine, ends[i]));
        delete_and_reclaim(engine, BYTES("a"), BYTES("z"));
        engine_close(engine);
    }
}

static void reclaiming_gives_the_room_back(void **state)
{
    static const struct bytes keys[] = {BYTES_INIT("b"), BYTES_INIT("bb"), BYTES_INIT("c")};
    struct engine *engine = open_compacted(*state, keys, 3);

    assert_non_null(engine);
    unsigned long long before = file_bytes(engine);
    delete_and_reclaim(engine, BYTES("b"), BYTES("d"));
    assert_true(file_bytes(engine) < before);
    for (size_t i = 0; i < 3; i++)
        assert_false(has_item(engine, keys[i]));
    engine_close(engine);
}

static void scratch_of_the_dead_is_removed(void **state)
{
    char path[PATH_MAX];
    struct err err;

    snprintf(path, sizeof path, "%s/scratch", (const char *)*state);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/scratch/job", (const char *)*state);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/scratch/job/000001.sst", (const char *)*state);
    file_write(path, BYTES("left"));
    struct engine *engine = open_folder(*state, &err);
    assert_non_null(engine);
    assert_int_not_equal(access(path, F_OK), 0);
    engine_close(engine);
}

/* Commits one record at the clock's time; the time it got. */
static uint64_t commit_record(struct engine *engine, uint8_t stamp[8])
{
    struct engine_batch batch;
    struct engine_batch *one = &batch;
    struct arena arena;
    struct buf key, value;

    arena_init(&arena);
    batch_init(&batch, &arena);
    buf_init_in(&key, &arena);
    buf_init_in(&value, &arena);
    buf_put_be64(&key, 0);
    struct batch_op *op =
        batch_put_marked(&batch, SPACE_CHANGELOG, &key, &value, batch_slot(&batch));
    op->stamp_in_key = 0;
    engine->ops->commit(engine, &one, 1);
    assert_int_equal(batch.outcome, COMMIT_OK);
    memcpy(stamp, op->key, 8);
    arena_release(&arena);
    return batch.time;
}

/* The last record that a process committed. */
struct last {
    uint64_t time;
    uint8_t stamp[8];
};

/* Opens while the clock is a minute behind the last record of the process before, and goes on above
 * it; then commits some records at later times and dies with the engine open. */
static bool go_on(const char *folder, int round, struct last *last)
{
    struct last before = *last;
    struct err err;

    clock_set(round == 0 ? NOW : before.time - 60 * SECOND_MICROS);
    struct engine *engine = open_folder(folder, &err);
    if (engine == NULL)
        return false;
    uint64_t now = engine->ops->now(engine);
    if (round > 0 && (now <= before.time || now > before.time + SECOND_MICROS)) /* no leap either */
        return false;
    last->time = commit_record(engine, last->stamp);
    if (last->time < now || memcmp(last->stamp, before.stamp, 8) <= 0)
        return false;
    for (uint64_t i = 0; i < (uint64_t)round; i++) {
        clock_set(NOW + (uint64_t)round * 100 * SECOND_MICROS + i * SECOND_MICROS / 3);
        last->time = commit_record(engine, last->stamp);
    }
    return true;
}

static void a_death_does_not_turn_the_clock_back(void **state)
{
    struct last last = {0};
    int ends[2], status;

    assert_int_equal(pipe(ends), 0);
    for (int round = 0; round < 10; round++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(!go_on(*state, round, &last) ||
                  write(ends[1], &last, sizeof last) != sizeof last);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_int_equal(read(ends[0], &last, sizeof last), sizeof last);
    }
    close(ends[0]);
    close(ends[1]);
}

/* --- a full disk ----------------------------------------------------------------------------- */

enum { PASSED, FAILED, CANNOT };

static enum commit_outcome put_numbered(struct engine *engine, uint32_t number, enum err_code *code)
{
    static uint8_t value[100 * 1024];
    struct engine_batch batch, *one = &batch;
    struct arena arena;
    uint8_t key[4];

    arena_init(&arena);
    batch_init(&batch, &arena);
    be32_store(key, number);
    batch_put(&batch, SPACE_ITEMS, bytes_of(key, sizeof key), bytes_of(value, sizeof value));
    engine->ops->commit(engine, &one, 1);
    *code = batch.err == NULL ? ERR_NONE : batch.err->code;
    arena_release(&arena);
    return batch.outcome;
}

static bool count_visit(void *context, struct bytes key, struct bytes value)
{
    (void)key, (void)value;
    ++*(uint32_t *)context;
    return true;
}

static uint32_t count_items(struct engine *engine)
{
    uint32_t count = 0;
    struct engine_scan scan = {.space = SPACE_ITEMS, .visit = count_visit, .context = &count};
    struct err err;

    return engine_scan_all(engine, &scan, &err) == SCAN_DONE ? count : 0;
}

#define BALLAST     ((size_t)80 * 1024 * 1024)
#define ROOM_MICROS (30 * SECOND_MICROS) /* RocksDB looks for room every few seconds */
#define REFUSALS    5

static bool small_disk(const char *folder)
{
    return (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
           mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", folder, "tmpfs", 0, "size=128m") == 0;
}

/* Puts until it is refused several times together, since a flush behind our back may make some
 * room; false: it failed in another way. */
static bool fill(struct engine *engine, uint32_t *number)
{
    enum err_code code;

    for (int refusals = 0; refusals < REFUSALS;) {
        enum commit_outcome outcome = put_numbered(engine, *number, &code);
        if (outcome != COMMIT_OK && (outcome != COMMIT_FAILED || code != ERR_DISK_FULL))
            return false;
        *number += outcome == COMMIT_OK;
        refusals = outcome == COMMIT_OK ? 0 : refusals + 1;
    }
    return true;
}

/* Fills a small disk of its own, in a process of its own: writes are refused, reading goes on, and
 * writing too once there is room again. */
static int fill_disk(const char *folder)
{
    char data[PATH_MAX], ballast[PATH_MAX];
    static uint8_t zeros[BALLAST];
    enum err_code code = ERR_NONE;
    struct err err;
    uint32_t number = 0;

    if (!small_disk(folder))
        return CANNOT;
    snprintf(data, sizeof data, "%s/data", folder);
    snprintf(ballast, sizeof ballast, "%s/ballast", folder);
    file_write(ballast, bytes_of(zeros, sizeof zeros));
    struct engine *engine = open_folder(data, &err);
    if (engine == NULL || !fill(engine, &number) || count_items(engine) != number)
        return FAILED;
    unlink(ballast);
    uint64_t until = clock_monotonic_micros() + ROOM_MICROS;
    while (put_numbered(engine, number, &code) != COMMIT_OK)
        if (code != ERR_DISK_FULL || clock_monotonic_micros() > until)
            return FAILED;
    number++;
    engine_close(engine);
    engine = open_folder(data, &err);
    if (engine == NULL || count_items(engine) != number)
        return FAILED;
    engine_close(engine);
    return number > 100 ? PASSED : FAILED;
}

static void a_full_disk_refuses_writes(void **state)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        _exit(fill_disk(*state));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == CANNOT)
        print_message("# a disk of its own needs rights that are not there: not tested\n");
    else
        assert_int_equal(WEXITSTATUS(status), PASSED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        /* these fork, so before any thread is made */
        TEST(a_full_disk_refuses_writes),       TEST(a_death_does_not_turn_the_clock_back),
        TEST(a_database_is_read_as_it_is),      TEST(what_cannot_be_read_as_it_is),
        TEST(a_folder_in_use_is_refused),       TEST(a_newer_format_is_refused),
        TEST(a_foreign_database_is_refused),    TEST(damage_is_told),
        TEST(a_path_that_cannot_be_is_refused), TEST(reclaiming_spares_the_end),
        TEST(reclaiming_gives_the_room_back),   TEST(scratch_of_the_dead_is_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
