/* server/server.c - a list of parts, from the disk up. Each leans on those before it only, so they
 * are opened in the order of the list and closed against it, also when a later one could not be
 * opened. */
#include "server/server.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "api/request.h"
#include "archive/export.h"
#include "base/folder.h"
#include "base/log.h"
#include "http/http.h"
#include "jobs/build_index.h"
#include "server/address.h"
#include "store/store.h"

struct server {
    const struct settings *settings;
    struct arena arena; /* of what parts are told by name */
    struct engine *engine;
    struct committer *committer;
    struct tables *tables;
    struct store *store;
    struct jobs *jobs;
    struct exports *exports;
    struct index_builds *index_builds;
    struct api *api;
    struct credentials *credentials;
    struct http *http;
    size_t opened; /* parts */
    const char *url;
};

/* --- the parts --- */

static bool open_folder(struct server *server, struct err *err)
{
    const char *folder = server->settings->data;
    struct rlimit files;

    /* Tables of RocksDB and connections are files, and the usual soft limit is for programs that
     * use select(). */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    return folder_ensure(folder, 0700) ||
           err_fail(err, ERR_CONFIG, "cannot make the data folder %s: %s", folder, strerror(errno));
}

static bool open_engine(struct server *server, struct err *err)
{
    const struct settings *settings = server->settings;
    struct rocksdb_settings wanted = {
        .directory =
            arena_text(&server->arena, arena_printf(&server->arena, "%s/engine", settings->data)),
        .memory = settings->memory,
        .relaxed = settings->durability == DURABILITY_RELAXED,
        .clock_ahead_most = settings->clock_ahead * SECOND_MICROS,
    };

    server->engine = engine_open_rocksdb(&wanted, err);
    return server->engine != NULL;
}

static void close_engine(struct server *server)
{
    engine_close(server->engine);
}

static bool open_committer(struct server *server, struct err *err)
{
    (void)err;
    server->committer = committer_new(server->engine);
    return true;
}

static void close_committer(struct server *server)
{
    committer_free(server->committer);
}

static bool open_tables(struct server *server, struct err *err)
{
    struct tables_settings wanted = {
        .engine = server->engine,
        .committer = server->committer,
        .region = server->settings->region,
        .account = server->settings->account,
    };

    server->tables = tables_open(&wanted, err);
    return server->tables != NULL;
}

static void close_tables(struct server *server)
{
    tables_close(server->tables);
}

static bool open_store(struct server *server, struct err *err)
{
    const struct settings *settings = server->settings;

    server->store = settings->s3_endpoint != NULL ? settings_open_s3(settings, &server->arena, err)
                                                  : store_open_directory(settings->buckets, err);
    return server->store != NULL;
}

static void close_store(struct server *server)
{
    store_close(server->store);
}

static void close_jobs(struct server *server)
{
    jobs_stop(server->jobs);
    index_builds_free(server->index_builds);
    exports_free(server->exports);
    jobs_free(server->jobs);
}

static bool open_jobs(struct server *server, struct err *err)
{
    struct jobs_settings jobs = {
        .tables = server->tables,
        .workers = server->settings->export_parts,
        .retry_ms = JOB_RETRY_MS_DEFAULT,
        .tick_ms = JOB_TICK_MS_DEFAULT,
        .patience_ms = JOB_PATIENCE_MS_DEFAULT,
        .share = server->settings->export_share,
    };

    server->jobs = jobs_new(&jobs);
    struct exports_settings exports = {
        .tables = server->tables,
        .jobs = server->jobs,
        .store = server->store,
        .scratch_most = server->settings->scratch,
    };
    server->exports = exports_new(&exports);
    server->index_builds = index_builds_new(server->tables, server->jobs);
    if (jobs_start(server->jobs, err))
        return true;
    close_jobs(server);
    return false;
}

static bool open_api(struct server *server, struct err *err)
{
    struct api_settings wanted = {.tables = server->tables, .exports = server->exports};

    (void)err;
    server->api = api_new(&wanted);
    return true;
}

static void close_api(struct server *server)
{
    api_free(server->api);
}

static bool open_credentials(struct server *server, struct err *err)
{
    if (server->settings->credentials == NULL)
        return true;
    server->credentials = credentials_open(server->settings->credentials, err);
    return server->credentials != NULL;
}

static void close_credentials(struct server *server)
{
    credentials_close(server->credentials);
}

/* What /metrics shows beside requests and connections. */
static void metrics(void *context, struct buf *out)
{
    struct server *server = context;
    struct committer_figures figures = committer_figures(server->committer);

    buf_printf(out,
               "# TYPE gramme_commit_batches_total counter\ngramme_commit_batches_total %llu\n",
               (unsigned long long)figures.batches);
    buf_printf(out, "# TYPE gramme_commit_groups_total counter\ngramme_commit_groups_total %llu\n",
               (unsigned long long)figures.groups);
    server->engine->ops->metrics(server->engine, out);
    jobs_metrics(server->jobs, out);
    exports_metrics(server->exports, out);
    index_builds_metrics(server->index_builds, out);
}

static bool open_http(struct server *server, struct err *err)
{
    const struct settings *settings = server->settings;
    struct address address;

    if (!address_read(settings->listen, &address, err))
        return false;
    struct http_settings wanted = {
        .address = (const struct sockaddr *)&address.socket,
        .address_size = address.size,
        .loops = settings->loops,
        .connections = settings->connections,
        .tls_cert = settings->tls_cert,
        .tls_key = settings->tls_key,
        .credentials = server->credentials,
        .region = settings->region,
        .metrics = metrics,
        .metrics_context = server,
    };
    struct err why;
    server->http = http_start(&wanted, server->api, &why);
    if (server->http == NULL)
        return err_fail(err, why.code, "%s: %s", settings->listen, why.message);
    return true;
}

static void close_http(struct server *server)
{
    http_stop(server->http);
}

static const struct part {
    bool (*open)(struct server *server, struct err *err);
    void (*close)(struct server *server);
} parts[] = {
    {open_folder, NULL},
    {open_engine, close_engine},
    {open_committer, close_committer},
    {open_tables, close_tables},
    {open_store, close_store},
    {open_jobs, close_jobs},
    {open_api, close_api},
    {open_credentials, close_credentials},
    {open_http, close_http},
};

#define PARTS (sizeof parts / sizeof parts[0])

/* --- the whole --- */

struct server *server_open(const struct settings *settings, struct err *err)
{
    struct server *server = calloc(1, sizeof *server);

    if (server == NULL)
        abort();
    server->settings = settings;
    arena_init(&server->arena);
    for (; server->opened < PARTS; server->opened++) {
        if (!parts[server->opened].open(server, err)) {
            server_close(server);
            return NULL;
        }
    }
    const char *listen = settings->listen;
    server->url = arena_text(
        &server->arena,
        arena_printf(&server->arena, "%s://%.*s:%u", settings->tls_cert != NULL ? "https" : "http",
                     (int)(strrchr(listen, ':') - listen), listen, http_port(server->http)));
    return server;
}

const char *server_url(const struct server *server)
{
    return server->url;
}

void server_close(struct server *server)
{
    while (server->opened > 0) {
        const struct part *part = &parts[--server->opened];
        if (part->close != NULL)
            part->close(server);
    }
    arena_release(&server->arena);
    free(server);
}

/* --- a process's life --- */

static void log_start(const struct server *server)
{
    const struct settings *settings = server->settings;
    char keys[64] = "any signature accepted";

    if (server->credentials != NULL)
        snprintf(keys, sizeof keys, "signatures checked, %zu keys",
                 credentials_count(server->credentials));
    log_line("gramme " GRAMME_VERSION " listens on %s; data %s, durability %s, %s", server->url,
             settings->data,
             settings->durability == DURABILITY_SYNC
                 ? "sync"
                 : "relaxed (a power loss may take back the last acknowledged writes)",
             keys);
}

/* Write buffers, parts of uploads and read-ahead are large, few, and freed by other threads than
 * those that made them. Left to itself malloc() soon takes them from its heaps, one for each
 * thread, and never gives back what lies below a block of the cache: half as much memory again as
 * is in use. So the large ones are mapped, each by itself; the threshold moves no more once it is
 * set. */
#define MAP_FROM  (256 * 1024)
#define TRIM_FROM (1024 * 1024) /* left free at the top of a heap */

static void allocator_set(void)
{
    mallopt(M_MMAP_THRESHOLD, MAP_FROM);
    mallopt(M_TRIM_THRESHOLD, TRIM_FROM);
}

bool server_run(const struct settings *settings, struct err *err)
{
    sigset_t stops, before;
    int which;

    allocator_set();
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&stops);
    sigaddset(&stops, SIGTERM);
    sigaddset(&stops, SIGINT);
    /* Before any thread is made, so that all leave the signals to this one. */
    pthread_sigmask(SIG_BLOCK, &stops, &before);
    struct server *server = server_open(settings, err);
    if (server == NULL)
        return false;
    log_start(server);
    sigwait(&stops, &which);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    server_close(server);
    log_line("gramme stopped by %s", which == SIGTERM ? "SIGTERM" : "SIGINT");
    return true;
}
