/* engine/rocksdb.c - the engine on RocksDB, through its C interface; the only file that knows it.
 * What lies on the disk: doc/engine-format.md.
 *
 * Each key space is a column family; the engine's own few keys are in the one named "default", so
 * they never meet a caller's. All column families share one write-ahead log, which makes a batch
 * over several of them atomic.
 *
 *  R1  A group of batches is one write of RocksDB, one record of its log, one sync. RocksDB syncs
 *      the log before it shows the write to readers, so what is visible is durable. In relaxed mode
 *      a thread syncs behind, and only the order is kept.
 *  R2  The log is read back until its first torn record (point in time). Whatever was answered was
 *      synced before, so a crash or a power cut can tear only what was not answered yet. A column
 *      family is never ahead of the log: RocksDB syncs the logs behind a flush before the flush
 *      counts.
 *  R3  Whether a failed write left something in the log is in general unknown: a later start may
 *      find it. So it answers UNKNOWN, and nothing is written until a restart has read the log and
 *      shown which. A full disk is certain: a record that is cut off is dropped as a whole, so it
 *      answers FAILED. RocksDB does not go on well after that, so we do not let it come so far: a
 *      group is refused when the disk has no room beyond what the write buffers need to be flushed,
 *      and taken again as soon as it has.
 *  R4  Expectations and counters are looked up in `current`, which is loaded from the store before
 *      the group and then follows every write in it; a write that fails empties it. */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <rocksdb/c.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/folder.h"
#include "base/log.h"
#include "engine/batch.h"
#include "engine/current.h"
#include "engine/stamps.h"

#define FORMAT_VERSION 1
#define FORMAT_SIZE    4

/* The engine's own keys. */
static const struct bytes format_key = BYTES_INIT("format"); /* version, 4 bytes */
static const struct bytes clock_key = BYTES_INIT("clock");   /* ceiling of stamps.h, 8 bytes */

#define OWN      ENGINE_SPACES /* the column family of those keys */
#define FAMILIES (ENGINE_SPACES + 1)
static const char *const family_names[FAMILIES] = {
    [SPACE_CATALOG] = "catalog",     [SPACE_ITEMS] = "items",           [SPACE_INDEX] = "index",
    [SPACE_CHANGELOG] = "changelog", [SPACE_STATISTICS] = "statistics", [OWN] = "default",
};

/* Measured, see doc/engine-format.md. */
#define BLOCK_SIZE      ((size_t)8 * 1024)
#define BLOOM_BITS      10.0
#define MEMTABLE_BLOOM  0.02 /* of the write buffer: an absent key costs no search of it */
#define LEVELS          7
#define OPEN_FILES_MOST 512
#define BACKGROUND_JOBS 3
#define BUFFERS_MOST    4 /* of one column family */
#define BYTES_PER_SYNC  ((uint64_t)1024 * 1024)
#define READAHEAD       ((size_t)192 * 1024) /* of each file that a bulk scan is in */
#define INFO_LOG_SIZE   ((size_t)4 * 1024 * 1024)
#define INFO_LOGS       2
#define CURRENT_MOST    ((size_t)4 * 1024 * 1024) /* bytes of `current`; above, it starts again */
#define RELAXED_MICROS  (UINT64_C(100) * 1000)    /* at most so much is lost in relaxed mode */
#define SCRATCH_FOLDER  "scratch"
#define FOLDER_DEPTH    3

struct rocks {
    struct engine engine;
    char *directory;
    bool relaxed;
    int as_is;        /* the lock of a database that is only read; -1: it is not one */
    uint64_t reserve; /* bytes of the disk that a commit leaves free */
    rocksdb_t *db;
    rocksdb_column_family_handle_t *families[FAMILIES];
    rocksdb_cache_t *cache;
    rocksdb_readoptions_t *get_options;
    rocksdb_writeoptions_t *write_options, *sync_options;
    struct stamps stamps;
    /* the committer's own */
    rocksdb_writebatch_t *writes;
    struct current current;
    uint64_t groups;
    rocksdb_writebatch_t *doubtful; /* of an injected fault: the write whose sync "failed" */
    /* relaxed mode's thread */
    pthread_t flusher;
    pthread_cond_t wake;
    pthread_mutex_t lock;
    bool unsynced, ending; /* lock */
    bool stopped;          /* lock: no commit is taken any more */
    struct err why;        /* lock: once stopped */
};

struct engine_snapshot {
    const rocksdb_snapshot_t *snapshot;
    rocksdb_readoptions_t *get_options;
};

static const struct engine_ops rocks_ops;

static struct rocks *rocks_of(struct engine *engine)
{
    assert(engine->ops == &rocks_ops);
    return (struct rocks *)engine;
}

static const char *chars(struct bytes bytes)
{
    return bytes.data == NULL ? "" : (const char *)bytes.data;
}

static bool says(const char *reason, const char *words)
{
    return strstr(reason, words) != NULL;
}

/* Frees `reason`, fills `err`, returns false. */
static bool fail_with(char *reason, const char *what, struct err *err)
{
    enum err_code code = ERR_STORAGE;

    if (says(reason, "No space left on device"))
        code = ERR_DISK_FULL;
    else if (says(reason, "Corruption"))
        code = ERR_CORRUPT;
    err_fail(err, code, "%s: %s", what, reason);
    rocksdb_free(reason);
    return false;
}

static void fail_stop(struct rocks *rocks, const struct err *err)
{
    pthread_mutex_lock(&rocks->lock);
    bool first = !rocks->stopped;
    if (first)
        rocks->why = *err;
    rocks->stopped = true;
    pthread_mutex_unlock(&rocks->lock);
    if (first)
        log_line("no more writes until a restart: %s", err->message);
}

static bool is_stopped(struct rocks *rocks, struct err *err)
{
    pthread_mutex_lock(&rocks->lock);
    bool stopped = rocks->stopped;
    if (stopped)
        err_fail(err, rocks->why.code == ERR_DISK_FULL ? ERR_DISK_FULL : ERR_STORAGE,
                 "no more writes until a restart: %s", rocks->why.message);
    pthread_mutex_unlock(&rocks->lock);
    return stopped;
}

/* --- reading -------------------------------------------------------------------------------- */

static void release_slice(void *handle)
{
    rocksdb_pinnableslice_destroy(handle);
}

static bool get_pinned(struct rocks *rocks, rocksdb_readoptions_t *options, int family,
                       struct bytes key, rocksdb_pinnableslice_t **out, struct bytes *value,
                       struct err *err)
{
    char *reason = NULL;
    rocksdb_pinnableslice_t *slice = rocksdb_get_pinned_cf(
        rocks->db, options, rocks->families[family], chars(key), key.size, &reason);

    if (reason != NULL)
        return fail_with(reason, "get", err);
    *out = slice;
    *value = BYTES_NONE;
    if (slice != NULL)
        value->data = (const uint8_t *)rocksdb_pinnableslice_value(slice, &value->size);
    return true;
}

static bool rocks_get(struct engine *engine, const struct engine_snapshot *snapshot,
                      enum engine_space space, struct bytes key, struct engine_value *out,
                      bool *found, struct err *err)
{
    struct rocks *rocks = rocks_of(engine);
    rocksdb_readoptions_t *options = snapshot != NULL ? snapshot->get_options : rocks->get_options;
    rocksdb_pinnableslice_t *slice;
    struct bytes value;

    if (FAULT(ENGINE_GET, err) || !get_pinned(rocks, options, (int)space, key, &slice, &value, err))
        return false;
    *found = slice != NULL;
    *out = (struct engine_value){value, slice, release_slice};
    return true;
}

/* To where a scan begins. */
static void iterator_place(rocksdb_iterator_t *iterator, const struct engine_scan *scan)
{
    if (!scan->backward)
        rocksdb_iter_seek(iterator, chars(scan->from), scan->from.size);
    else
        rocksdb_iter_seek_to_last(iterator); /* of what is below the upper bound */
}

static enum scan_end iterator_show(rocksdb_iterator_t *iterator, const struct engine_scan *scan)
{
    while (rocksdb_iter_valid(iterator)) {
        struct bytes key, value;
        key.data = (const uint8_t *)rocksdb_iter_key(iterator, &key.size);
        value.data = (const uint8_t *)rocksdb_iter_value(iterator, &value.size);
        if (!scan->visit(scan->context, key, value))
            return SCAN_STOPPED;
        if (scan->backward)
            rocksdb_iter_prev(iterator);
        else
            rocksdb_iter_next(iterator);
    }
    return SCAN_DONE;
}

static enum scan_end rocks_scan(struct engine *engine, const struct engine_scan *scan,
                                struct err *err)
{
    struct rocks *rocks = rocks_of(engine);
    char *reason = NULL;

    if (FAULT(ENGINE_SCAN, err))
        return SCAN_FAILED;
    if (scan->to.size > 0 && bytes_compare(scan->from, scan->to) >= 0)
        return SCAN_DONE;
    rocksdb_readoptions_t *options = rocksdb_readoptions_create();
    if (scan->snapshot != NULL)
        rocksdb_readoptions_set_snapshot(options, scan->snapshot->snapshot);
    if (scan->to.size > 0)
        rocksdb_readoptions_set_iterate_upper_bound(options, chars(scan->to), scan->to.size);
    if (scan->backward && scan->from.size > 0)
        rocksdb_readoptions_set_iterate_lower_bound(options, chars(scan->from), scan->from.size);
    if (scan->bulk) {
        rocksdb_readoptions_set_readahead_size(options, READAHEAD);
        rocksdb_readoptions_set_fill_cache(options, 0);
    }
    rocksdb_iterator_t *iterator =
        rocksdb_create_iterator_cf(rocks->db, options, rocks->families[scan->space]);
    iterator_place(iterator, scan);
    enum scan_end end = iterator_show(iterator, scan);
    rocksdb_iter_get_error(iterator, &reason);
    rocksdb_iter_destroy(iterator);
    rocksdb_readoptions_destroy(options);
    if (reason != NULL) {
        fail_with(reason, "scan", err);
        return SCAN_FAILED;
    }
    return end;
}

static struct engine_snapshot *rocks_snapshot_new(struct engine *engine)
{
    struct rocks *rocks = rocks_of(engine);
    struct engine_snapshot *snapshot = malloc(sizeof *snapshot);

    if (snapshot == NULL)
        abort();
    snapshot->snapshot = rocksdb_create_snapshot(rocks->db);
    snapshot->get_options = rocksdb_readoptions_create();
    rocksdb_readoptions_set_snapshot(snapshot->get_options, snapshot->snapshot);
    return snapshot;
}

static void rocks_snapshot_free(struct engine *engine, struct engine_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    rocksdb_readoptions_destroy(snapshot->get_options);
    rocksdb_release_snapshot(rocks_of(engine)->db, snapshot->snapshot);
    free(snapshot);
}

/* --- committing ----------------------------------------------------------------------------- */

static bool looks_up(const struct batch_op *op)
{
#ifdef CHECK_TRUSTED
    return op->kind == BATCH_ADD || op->kind == BATCH_EXPECT;
#else
    return op->kind == BATCH_ADD || (op->kind == BATCH_EXPECT && !op->trusted);
#endif
}

/* Before anything of the group is staged: what it will look up, as stored. */
static bool load_current(struct rocks *rocks, const struct engine_batch *batch, struct err *err)
{
    rocksdb_pinnableslice_t *slice;
    struct bytes value;

    for (uint32_t i = 0; i < batch->count; i++) {
        const struct batch_op *op = &batch->ops[i];
        struct bytes key = batch_op_key(op);
        if (!looks_up(op) || current_find(&rocks->current, op->space, key) != NULL)
            continue;
        if (!get_pinned(rocks, rocks->get_options, (int)op->space, key, &slice, &value, err))
            return false;
        current_load(&rocks->current, op->space, key, slice != NULL, value);
        rocksdb_pinnableslice_destroy(slice);
    }
    return true;
}

static bool expectations_hold(struct rocks *rocks, const struct engine_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct batch_op *op = &batch->ops[i];
        if (op->kind != BATCH_EXPECT || !looks_up(op))
            continue;
        const struct current_entry *entry =
            current_find(&rocks->current, op->space, batch_op_key(op));
        if (!batch_expected(batch_op_value(op), entry->found, buf_bytes(&entry->value))) {
            assert(!op->trusted); /* a lock that did not hold */
            return false;
        }
    }
    return true;
}

static void stage_op(struct rocks *rocks, const struct batch_op *op)
{
    rocksdb_column_family_handle_t *family = rocks->families[op->space];
    struct bytes key = batch_op_key(op), value = batch_op_value(op);

    switch (op->kind) {
    case BATCH_PUT:
        rocksdb_writebatch_put_cf(rocks->writes, family, chars(key), key.size, chars(value),
                                  value.size);
        current_put(&rocks->current, op->space, key, value);
        break;
    case BATCH_DELETE:
        rocksdb_writebatch_delete_cf(rocks->writes, family, chars(key), key.size);
        current_delete(&rocks->current, op->space, key);
        break;
    case BATCH_DELETE_RANGE:
        if (bytes_compare(key, value) >= 0)
            break;
        rocksdb_writebatch_delete_range_cf(rocks->writes, family, chars(key), key.size,
                                           chars(value), value.size);
        current_delete_range(&rocks->current, op->space, key, value);
        break;
    case BATCH_ADD:
        current_sum(&rocks->current, op->space, key, value);
        break;
    case BATCH_EXPECT:
        break;
    }
}

/* COMMIT_OK here means: staged. */
static void stage_batch(struct rocks *rocks, struct engine_batch *batch)
{
    struct err err;

    if (!batch_fits(batch, &rocks->engine.limits, &err)) {
        batch_fail(batch, COMMIT_FAILED, &err);
        return;
    }
    batch->outcome = COMMIT_CONFLICT;
    if (!expectations_hold(rocks, batch))
        return;
    stamps_give(&rocks->stamps, batch, STAMP_SIZE);
    for (uint32_t i = 0; i < batch->count; i++)
        stage_op(rocks, &batch->ops[i]);
    batch->outcome = COMMIT_OK;
}

static void stage_sums(struct rocks *rocks)
{
    struct current_entry *entry;

    while ((entry = current_take(&rocks->current)) != NULL)
        rocksdb_writebatch_put_cf(rocks->writes, rocks->families[entry->space],
                                  (const char *)entry->key, entry->key_size,
                                  chars(buf_bytes(&entry->value)), entry->value.size);
}

static void stage_own(struct rocks *rocks, struct bytes key, uint64_t value)
{
    uint8_t bytes[8];

    be64_store(bytes, value);
    rocksdb_writebatch_put_cf(rocks->writes, rocks->families[OWN], chars(key), key.size,
                              (const char *)bytes, sizeof bytes);
}

static bool disk_is_full(const struct rocks *rocks, uint64_t size, struct err *err)
{
    struct statvfs disk;

    if (statvfs(rocks->directory, &disk) != 0)
        return false;
    uint64_t left = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (left >= rocks->reserve + size)
        return false;
    return !err_fail(err, ERR_DISK_FULL,
                     "commit of %llu bytes: the disk of %s has %llu bytes left, of which %llu are "
                     "kept free",
                     (unsigned long long)size, rocks->directory, (unsigned long long)left,
                     (unsigned long long)rocks->reserve);
}

/* R3: what a failed write means. A full disk under one of RocksDB's background jobs refuses it too,
 * until there is room. */
static enum commit_outcome judge(struct rocks *rocks, char *reason, struct err *err)
{
    bool full = says(reason, "No space left on device") && says(reason, "While appending to file");
    bool background = full && !says(reason, ".log:");

    fail_with(reason, "commit", err);
    if (!full)
        err->code = ERR_UNKNOWN_OUTCOME;
    if (!background)
        fail_stop(rocks, err);
    return full ? COMMIT_FAILED : COMMIT_UNKNOWN;
}

static enum commit_outcome write_group(struct rocks *rocks, struct err *err)
{
    char *reason = NULL;
    size_t size;

    rocksdb_writebatch_data(rocks->writes, &size);
    if (disk_is_full(rocks, size, err))
        return COMMIT_FAILED;
    if (FAULT(ENGINE_SYNC, err)) {
        rocks->doubtful = rocks->writes;
        rocks->writes = rocksdb_writebatch_create();
        fail_stop(rocks, err);
        return COMMIT_UNKNOWN;
    }
    rocksdb_write(rocks->db, rocks->relaxed ? rocks->write_options : rocks->sync_options,
                  rocks->writes, &reason);
    return reason == NULL ? COMMIT_OK : judge(rocks, reason, err);
}

static bool refuses(struct rocks *rocks, struct err *err)
{
    return is_stopped(rocks, err) || FAULT(ENGINE_COMMIT, err) || FAULT(ENGINE_FULL, err);
}

static void note_unsynced(struct rocks *rocks)
{
    if (!rocks->relaxed)
        return;
    pthread_mutex_lock(&rocks->lock);
    if (!rocks->unsynced)
        pthread_cond_signal(&rocks->wake);
    rocks->unsynced = true;
    pthread_mutex_unlock(&rocks->lock);
}

/* Stages all batches and writes them; what the outcome is of those that were staged. */
static enum commit_outcome commit_group(struct rocks *rocks, struct engine_batch **batches,
                                        uint32_t count, struct err *err)
{
    uint64_t ceiling = 0;

    for (uint32_t i = 0; i < count; i++)
        stage_batch(rocks, batches[i]);
    stage_sums(rocks);
    if (stamps_raise(&rocks->stamps, &ceiling))
        stage_own(rocks, clock_key, ceiling);
    if (rocksdb_writebatch_count(rocks->writes) == 0)
        return COMMIT_OK;
    enum commit_outcome outcome = write_group(rocks, err);
    if (outcome == COMMIT_OK && ceiling != 0)
        stamps_raised(&rocks->stamps, ceiling);
    return outcome;
}

static void rocks_commit(struct engine *engine, struct engine_batch **batches, uint32_t count)
{
    struct rocks *rocks = rocks_of(engine);
    enum commit_outcome outcome = COMMIT_FAILED;
    struct err err;

    for (uint32_t i = 0; i < count; i++)
        batches[i]->outcome = COMMIT_OK; /* not refused by itself yet */
    if (refuses(rocks, &err))
        goto out;
    if (rocks->current.bytes > CURRENT_MOST)
        current_clear(&rocks->current);
    for (uint32_t i = 0; i < count; i++)
        if (!load_current(rocks, batches[i], &err))
            goto out;
    rocks->groups++;
    outcome = commit_group(rocks, batches, count, &err);
    rocksdb_writebatch_clear(rocks->writes);
    if (outcome == COMMIT_OK)
        note_unsynced(rocks);
    else
        current_clear(&rocks->current);
out:
    for (uint32_t i = 0; outcome != COMMIT_OK && i < count; i++)
        if (batches[i]->outcome == COMMIT_OK)
            batch_fail(batches[i], outcome, &err);
}

/* Relaxed mode: syncs what has been written since, again and again. */
static void *flusher_run(void *context)
{
    struct rocks *rocks = context;
    struct err err;

    pthread_mutex_lock(&rocks->lock);
    while (!rocks->ending) {
        uint64_t until = clock_monotonic_micros() + RELAXED_MICROS;
        struct timespec limit = {(time_t)(until / SECOND_MICROS),
                                 (long)(until % SECOND_MICROS * 1000)};
        while (!rocks->ending && clock_monotonic_micros() < until)
            pthread_cond_timedwait(&rocks->wake, &rocks->lock, &limit);
        while (!rocks->ending && !rocks->unsynced)
            pthread_cond_wait(&rocks->wake, &rocks->lock);
        bool unsynced = rocks->unsynced;
        rocks->unsynced = false;
        pthread_mutex_unlock(&rocks->lock);
        char *reason = NULL;
        if (unsynced)
            rocksdb_flush_wal(rocks->db, 1, &reason);
        if (reason != NULL) {
            fail_with(reason, "sync", &err);
            fail_stop(rocks, &err);
        }
        pthread_mutex_lock(&rocks->lock);
    }
    pthread_mutex_unlock(&rocks->lock);
    return NULL;
}

static void flusher_start(struct rocks *rocks)
{
    if (rocks->relaxed && pthread_create(&rocks->flusher, NULL, flusher_run, rocks) != 0)
        abort();
}

static void flusher_stop(struct rocks *rocks)
{
    if (!rocks->relaxed)
        return;
    pthread_mutex_lock(&rocks->lock);
    rocks->ending = true;
    pthread_cond_signal(&rocks->wake);
    pthread_mutex_unlock(&rocks->lock);
    pthread_join(rocks->flusher, NULL);
}

/* --- folders -------------------------------------------------------------------------------- */

static char *path_of(const char *folder, const char *name)
{
    struct buf path;

    buf_init(&path);
    buf_printf(&path, "%s/%s", folder, name);
    buf_put_u8(&path, 0);
    return (char *)path.data;
}

/* With all that is in it, `depth` levels deep at most; what cannot be removed stays. */
static void folder_delete(const char *path, int depth)
{
    DIR *folder = opendir(path);
    struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char *inner = path_of(path, entry->d_name);
        if (unlink(inner) != 0 && depth > 1)
            folder_delete(inner, depth - 1);
        free(inner);
    }
    if (folder != NULL)
        closedir(folder);
    rmdir(path);
}

static bool folder_make(const char *path, struct err *err)
{
    return folder_ensure(path, 0700) ||
           err_fail(err, ERR_CONFIG, "the data folder %s cannot be made: %s", path,
                    strerror(errno));
}

/* --- opening -------------------------------------------------------------------------------- */

static rocksdb_options_t *database_options(size_t buffers)
{
    rocksdb_options_t *options = rocksdb_options_create();

    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_create_missing_column_families(options, 1);
    rocksdb_options_set_paranoid_checks(options, 1);
    rocksdb_options_set_wal_recovery_mode(options, rocksdb_point_in_time_recovery); /* R2 */
    rocksdb_options_set_db_write_buffer_size(options, buffers);
    rocksdb_options_set_max_total_wal_size(options, buffers * 2);
    rocksdb_options_set_max_open_files(options, OPEN_FILES_MOST);
    rocksdb_options_set_skip_stats_update_on_db_open(options, 1);
    rocksdb_options_set_max_background_jobs(options, BACKGROUND_JOBS);
    rocksdb_options_set_bytes_per_sync(options, BYTES_PER_SYNC);
    rocksdb_options_set_avoid_unnecessary_blocking_io(options, 1);
    rocksdb_options_set_max_log_file_size(options, INFO_LOG_SIZE);
    rocksdb_options_set_keep_log_file_num(options, INFO_LOGS);
    rocksdb_options_set_stats_dump_period_sec(options, 0);
    return options;
}

/* One column family's. Log records are only ever scanned: no filters for them. */
static rocksdb_options_t *family_options(const struct rocks *rocks, int family, size_t buffers)
{
    int compression[LEVELS] = {rocksdb_no_compression, rocksdb_no_compression};
    rocksdb_options_t *options = database_options(buffers);
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();

    for (int level = 2; level < LEVELS; level++)
        compression[level] = rocksdb_lz4_compression;
    rocksdb_options_set_num_levels(options, LEVELS);
    rocksdb_options_set_compression_per_level(options, compression, LEVELS);
    rocksdb_options_set_level_compaction_dynamic_level_bytes(options, 1);
    rocksdb_options_set_write_buffer_size(options, buffers / 2);
    rocksdb_options_set_max_write_buffer_number(options, BUFFERS_MOST);
    rocksdb_block_based_options_set_block_cache(table, rocks->cache);
    rocksdb_block_based_options_set_block_size(table, BLOCK_SIZE);
    rocksdb_block_based_options_set_format_version(table, 5);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1);
    if (family != SPACE_CHANGELOG) {
        rocksdb_block_based_options_set_filter_policy(
            table, rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS));
        rocksdb_options_set_memtable_prefix_bloom_size_ratio(options, MEMTABLE_BLOOM);
        rocksdb_options_set_memtable_whole_key_filtering(options, 1);
    }
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);
    return options;
}

static bool fail_in_use(const struct rocks *rocks, struct err *err)
{
    return err_fail(err, ERR_CONFIG, "the data folder %s is in use by another gramme",
                    rocks->directory);
}

/* Frees `reason`; the sentence for the operator. */
static bool fail_open(const struct rocks *rocks, char *reason, struct err *err)
{
    if (says(reason, "lock hold by current process") || says(reason, "hile lock file"))
        fail_in_use(rocks, err);
    else if (says(reason, "Column families not opened"))
        err_fail(err, ERR_CONFIG, "the data folder %s was written by a newer version of gramme",
                 rocks->directory);
    else if (says(reason, "Corruption"))
        err_fail(err, ERR_CORRUPT, "the data folder %s: %s", rocks->directory, reason);
    else
        err_fail(err, ERR_CONFIG, "the data folder %s cannot be opened: %s", rocks->directory,
                 reason);
    rocksdb_free(reason);
    return false;
}

static bool database_open(struct rocks *rocks, size_t buffers, struct err *err)
{
    rocksdb_options_t *options = database_options(buffers);
    rocksdb_options_t *families[FAMILIES];
    const rocksdb_options_t *const *constant = (const rocksdb_options_t *const *)families;
    char *reason = NULL;

    for (int i = 0; i < FAMILIES; i++)
        families[i] = family_options(rocks, i, buffers);
    if (rocks->as_is >= 0)
        rocks->db = rocksdb_open_for_read_only_column_families(options, rocks->directory, FAMILIES,
                                                               family_names, constant,
                                                               rocks->families, false, &reason);
    else
        rocks->db = rocksdb_open_column_families(options, rocks->directory, FAMILIES, family_names,
                                                 constant, rocks->families, &reason);
    for (int i = 0; i < FAMILIES; i++)
        rocksdb_options_destroy(families[i]);
    rocksdb_options_destroy(options);
    return reason == NULL || fail_open(rocks, reason, err);
}

/* A big-endian number under a key of the engine's own; 0 where there is none. */
static bool own_get(struct rocks *rocks, struct bytes key, size_t size, uint64_t *out,
                    struct err *err)
{
    rocksdb_pinnableslice_t *slice;
    struct bytes value;

    if (!get_pinned(rocks, rocks->get_options, OWN, key, &slice, &value, err))
        return false;
    bool whole = slice == NULL || value.size == size;
    *out = slice == NULL || !whole ? 0 : size == 4 ? be32_load(value.data) : be64_load(value.data);
    rocksdb_pinnableslice_destroy(slice);
    return whole || err_fail(err, ERR_CORRUPT, "the engine's own key %.*s", BYTES_ARGS(key));
}

/* Whether there is nothing at all in a column family. */
static bool family_empty(struct rocks *rocks, int family)
{
    rocksdb_iterator_t *iterator =
        rocksdb_create_iterator_cf(rocks->db, rocks->get_options, rocks->families[family]);

    rocksdb_iter_seek_to_first(iterator);
    bool empty = !rocksdb_iter_valid(iterator);
    rocksdb_iter_destroy(iterator);
    return empty;
}

/* Writes what is staged, with a sync, and clears it. */
static bool write_staged(struct rocks *rocks, struct err *err)
{
    char *reason = NULL;

    rocksdb_write(rocks->db, rocks->sync_options, rocks->writes, &reason);
    rocksdb_writebatch_clear(rocks->writes);
    return reason == NULL || fail_with(reason, "write", err);
}

/* `*stored`: the format; 0: of an empty database. */
static bool format_check(struct rocks *rocks, uint64_t *stored, struct err *err)
{
    if (!own_get(rocks, format_key, FORMAT_SIZE, stored, err))
        return false;
    if (*stored > FORMAT_VERSION)
        return err_fail(err, ERR_CONFIG,
                        "the data folder %s was written by a newer version of gramme (its format "
                        "is %llu, ours %d)",
                        rocks->directory, (unsigned long long)*stored, FORMAT_VERSION);
    if (*stored == 0 && !family_empty(rocks, OWN))
        return err_fail(err, ERR_CONFIG, "the data folder %s holds a database that is not gramme's",
                        rocks->directory);
    return true;
}

static bool format_ensure(struct rocks *rocks, struct err *err)
{
    uint8_t version[FORMAT_SIZE];
    uint64_t stored;

    if (!format_check(rocks, &stored, err))
        return false;
    if (stored != 0)
        return true;
    be32_store(version, FORMAT_VERSION);
    rocksdb_writebatch_put_cf(rocks->writes, rocks->families[OWN], chars(format_key),
                              format_key.size, (const char *)version, sizeof version);
    return write_staged(rocks, err);
}

static struct rocks *rocks_new(const char *directory)
{
    struct rocks *rocks = calloc(1, sizeof *rocks);
    pthread_condattr_t attributes;

    if (rocks == NULL || (rocks->directory = strdup(directory)) == NULL)
        abort();
    rocks->engine = (struct engine){
        .ops = &rocks_ops,
        .limits = {.stamp_size = STAMP_SIZE,
                   .key_most = LIMITS_KEY_MOST,
                   .value_most = LIMITS_VALUE_MOST,
                   .batch_most = LIMITS_BATCH_MOST,
                   .snapshots = true},
    };
    rocks->as_is = -1;
    rocks->get_options = rocksdb_readoptions_create();
    rocks->write_options = rocksdb_writeoptions_create();
    rocks->sync_options = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(rocks->sync_options, 1);
    rocks->writes = rocksdb_writebatch_create();
    current_init(&rocks->current);
    pthread_mutex_init(&rocks->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&rocks->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    return rocks;
}

/* Whatever of it there is. */
static void rocks_free(struct rocks *rocks)
{
    for (int i = 0; i < FAMILIES; i++)
        if (rocks->families[i] != NULL)
            rocksdb_column_family_handle_destroy(rocks->families[i]);
    if (rocks->db != NULL)
        rocksdb_close(rocks->db);
    if (rocks->as_is >= 0)
        close(rocks->as_is);
    if (rocks->cache != NULL)
        rocksdb_cache_destroy(rocks->cache);
    if (rocks->doubtful != NULL)
        rocksdb_writebatch_destroy(rocks->doubtful);
    rocksdb_writebatch_destroy(rocks->writes);
    rocksdb_writeoptions_destroy(rocks->sync_options);
    rocksdb_writeoptions_destroy(rocks->write_options);
    rocksdb_readoptions_destroy(rocks->get_options);
    current_release(&rocks->current);
    pthread_cond_destroy(&rocks->wake);
    pthread_mutex_destroy(&rocks->lock);
    free((char *)rocks->engine.scratch.folder);
    free(rocks->directory);
    free(rocks);
}

/* Jobs give way first: they leave twice as much of the disk free as commits. */
static bool scratch_make(struct rocks *rocks, struct err *err)
{
    char *folder = path_of(rocks->directory, SCRATCH_FOLDER);

    folder_delete(folder, FOLDER_DEPTH); /* a crash may have left some */
    rocks->engine.scratch = (struct scratch_place){folder, rocks->reserve * 2};
    return mkdir(folder, 0700) == 0 || errno == EEXIST ||
           err_fail(err, ERR_CONFIG, "the folder %s cannot be made: %s", folder, strerror(errno));
}

struct engine *engine_open_rocksdb(const struct rocksdb_settings *settings, struct err *err)
{
    struct rocks *rocks = rocks_new(settings->directory);
    size_t buffers = settings->memory / 8 * 3; /* the rest is cache */
    uint64_t ceiling;

    rocks->relaxed = settings->relaxed;
    rocks->reserve = buffers;
    rocks->cache = rocksdb_cache_create_lru(settings->memory - buffers);
    if (!folder_make(rocks->directory, err) || !database_open(rocks, buffers, err) ||
        !format_ensure(rocks, err) || !own_get(rocks, clock_key, 8, &ceiling, err) ||
        !stamps_open(&rocks->stamps, ceiling, settings->clock_ahead_most, err) ||
        !scratch_make(rocks, err)) {
        rocks_free(rocks);
        return NULL;
    }
    flusher_start(rocks);
    return &rocks->engine;
}

/* RocksDB takes no lock to read; so we take the one that it takes to write, on the same file. */
static bool lock_as_is(struct rocks *rocks, struct err *err)
{
    char *path = path_of(rocks->directory, "LOCK");
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    rocks->as_is = open(path, O_RDWR | O_CLOEXEC);
    free(path);
    if (rocks->as_is < 0)
        return err_fail(err, ERR_CONFIG,
                        "the data folder %s holds no database that can be read: %s",
                        rocks->directory, strerror(errno));
    return fcntl(rocks->as_is, F_OFD_SETLK, &whole) == 0 || fail_in_use(rocks, err);
}

struct engine *engine_open_rocksdb_as_is(const struct rocksdb_settings *settings, struct err *err)
{
    struct rocks *rocks = rocks_new(settings->directory);
    size_t buffers = settings->memory / 8 * 3;
    uint64_t version, ceiling;

    rocks->cache = rocksdb_cache_create_lru(settings->memory - buffers);
    rocks->engine.scratch.folder = strdup(P_tmpdir);
    if (!lock_as_is(rocks, err) || !database_open(rocks, buffers, err) ||
        !format_check(rocks, &version, err) || !own_get(rocks, clock_key, 8, &ceiling, err) ||
        !stamps_open(&rocks->stamps, ceiling, UINT64_MAX, err)) {
        rocks_free(rocks);
        return NULL;
    }
    rocks->stopped = true;
    err_fail(&rocks->why, ERR_STORAGE, "the database is only read");
    return &rocks->engine;
}

/* The next start finds nothing to read back but the files: the log is empty. */
static void close_cleanly(struct rocks *rocks)
{
    rocksdb_flushoptions_t *options = rocksdb_flushoptions_create();
    char *reason = NULL;
    struct err err;

    rocksdb_writebatch_clear(rocks->writes);
    stage_own(rocks, clock_key, stamps_close(&rocks->stamps));
    if (!write_staged(rocks, &err))
        log_line("closing the engine: %s", err.message);
    for (int i = 0; i < FAMILIES && reason == NULL; i++)
        rocksdb_flush_cf(rocks->db, options, rocks->families[i], &reason);
    if (reason != NULL) /* the log still has it all */
        log_line("closing the engine: %s", reason);
    rocksdb_free(reason);
    rocksdb_flushoptions_destroy(options);
}

static void rocks_close(struct engine *engine)
{
    struct rocks *rocks = rocks_of(engine);
    char *reason = NULL;
    struct err err;

    flusher_stop(rocks);
    if (!is_stopped(rocks, &err))
        close_cleanly(rocks);
    if (rocks->doubtful != NULL && (rocks->groups & 1) != 0)
        rocksdb_write(rocks->db, rocks->sync_options, rocks->doubtful, &reason);
    rocksdb_free(reason);
    rocks_free(rocks);
}

/* --- the rest ------------------------------------------------------------------------------- */

static uint64_t rocks_now(struct engine *engine)
{
    return stamps_now(&rocks_of(engine)->stamps);
}

static void rocks_stamp_at(struct engine *engine, uint64_t micros, uint8_t *stamp)
{
    stamps_at(micros, engine->limits.stamp_size, stamp);
}

/* Deletes the files that lie wholly in the range, without reading them. It asks for care twice. A
 * file may hold the mark of an earlier range delete that hides older keys in files that stay; so a
 * mark over the whole range goes to the log first, in a level that is left alone. And RocksDB
 * counts the end of the range as part of it; so the end is brought to just below. */
static void rocks_reclaim(struct engine *engine, enum engine_space space, struct bytes from,
                          struct bytes to)
{
    struct rocks *rocks = rocks_of(engine);
    rocksdb_column_family_handle_t *family = rocks->families[space];
    char *reason = NULL;
    struct buf end;
    struct err err;

    if (bytes_compare(from, to) >= 0 || is_stopped(rocks, &err))
        return;
    rocksdb_delete_range_cf(rocks->db, rocks->sync_options, family, chars(from), from.size,
                            chars(to), to.size, &reason);
    buf_init(&end);
    buf_put(&end, to.data, to.size - 1);
    if (to.data[to.size - 1] > 0) {
        buf_put_u8(&end, (uint8_t)(to.data[to.size - 1] - 1));
        memset(buf_room(&end, STAMP_SIZE), 0xff, STAMP_SIZE);
        end.size += STAMP_SIZE;
    }
    if (reason == NULL)
        rocksdb_delete_file_in_range_cf(rocks->db, family, chars(from), from.size,
                                        chars(buf_bytes(&end)), end.size, &reason);
    if (reason != NULL)
        log_line("reclaim: %s", reason); /* a hint: compaction comes to it */
    rocksdb_free(reason);
    buf_release(&end);
}

/* Sums a property over the column families, unless each tells that of all. */
static uint64_t property(struct rocks *rocks, const char *name, bool of_all)
{
    uint64_t sum = 0, one;

    for (int i = 0; i < (of_all ? 1 : FAMILIES); i++)
        if (rocksdb_property_int_cf(rocks->db, rocks->families[i], name, &one) == 0)
            sum += one;
    return sum;
}

static void rocks_metrics(struct engine *engine, struct buf *out)
{
    struct rocks *rocks = rocks_of(engine);
    static const struct {
        const char *name, *property;
        bool of_all;
    } table[] = {
        {"gramme_engine_memtable_bytes", "rocksdb.cur-size-all-mem-tables", false},
        {"gramme_engine_file_bytes", "rocksdb.total-sst-files-size", false},
        {"gramme_engine_compaction_pending_bytes", "rocksdb.estimate-pending-compaction-bytes",
         false},
        {"gramme_engine_flushes_running", "rocksdb.num-running-flushes", true},
        {"gramme_engine_writes_stopped", "rocksdb.is-write-stopped", true},
    };
    struct err err;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        buf_printf(out, "# TYPE %s gauge\n%s %llu\n", table[i].name, table[i].name,
                   (unsigned long long)property(rocks, table[i].property, table[i].of_all));
    buf_printf(out, "# TYPE gramme_engine_cache_bytes gauge\ngramme_engine_cache_bytes %zu\n",
               rocksdb_cache_get_usage(rocks->cache));
    buf_printf(out, "# TYPE gramme_engine_failed gauge\ngramme_engine_failed %d\n",
               is_stopped(rocks, &err) ? 1 : 0);
}

static const struct engine_ops rocks_ops = {
    .name = "rocksdb",
    .get = rocks_get,
    .scan = rocks_scan,
    .snapshot_new = rocks_snapshot_new,
    .snapshot_free = rocks_snapshot_free,
    .commit = rocks_commit,
    .now = rocks_now,
    .stamp_at = rocks_stamp_at,
    .reclaim = rocks_reclaim,
    .metrics = rocks_metrics,
    .close = rocks_close,
};
