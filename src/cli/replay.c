/* cli/replay.c - `gramme replay`: the table that a full export and incremental ones make. Needs no
 * server. */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "archive/manifest.h"
#include "archive/replay.h"
#include "cli/command.h"
#include "cli/sources.h"

static int help(void)
{
    return command_help_s3(
        "Usage: gramme replay FULL INCREMENTAL... --keys PK[:SK] --out DIR [OPTION...]\n"
        "       gramme replay FULL INCREMENTAL... --keys PK[:SK] --out s3://BUCKET[/PREFIX] ...\n"
        "\n"
        "Applies incremental exports of a table to a full one and writes the table that results\n"
        "as a full export, in the format of the first. An export is a folder (where its\n"
        "manifest-summary.json is) or s3://BUCKET/KEY. The windows may come in any order and must\n"
        "follow each other from the full export's time on, without a gap or an overlap. All are\n"
        "verified on the way, and old images are compared with the table. Says where the new\n"
        "export is. Ends with 0 if it is there, with 1 if an export is not whole, contradicts the\n"
        "others or cannot be read or written, with 2 if it was not used right.\n"
        "\n"
        "  --keys PK[:SK]             names of the key attributes\n"
        "  --out PLACE                what stands for the bucket: a folder, made if it is "
        "missing;\n"
        "                             or a bucket of S3, with a prefix if there is one\n"
        "  --scratch DIR              where temporary files go, up to twice as large as all items "
        "and\n"
        "                             new images; they have no names, and are gone however the\n"
        "                             command ends [TMPDIR, or /tmp]\n"
        "  --help                     shows this and ends\n"
        "\n"
        "Takes some 100 MB of memory, however large the exports are.\n");
}

static void tell(const struct place *out, const struct replay_result *result)
{
    struct buf time;

    buf_init(&time);
    manifest_put_time(&time, result->time_ms);
    printf("%s, the table as of %.*s\n", result->export_arn, BYTES_ARGS(buf_bytes(&time)));
    printf("%llu items, in %llu files\n", (unsigned long long)result->items,
           (unsigned long long)result->files);
    if (out->moved)
        printf("%s/%s\n", out->text, result->folder);
    else
        printf("s3://%s/%s\n", out->bucket, result->folder);
    buf_release(&time);
}

/* From when it is first asked on, signals wait, so that nothing that was sent by half is left. */
static bool end_wanted(void *context)
{
    const sigset_t *ends = context;
    sigset_t waiting;

    pthread_sigmask(SIG_BLOCK, ends, NULL);
    sigpending(&waiting);
    return sigismember(&waiting, SIGINT) == 1 || sigismember(&waiting, SIGTERM) == 1;
}

static int replay(const struct sources *sources, const struct place *out, struct scratch *scratch)
{
    sigset_t ends;
    struct replay_target target = {out->store, out->bucket, out->folder, {end_wanted, &ends}};
    struct replay_result result;
    struct arena arena;
    struct buf problems;
    struct err err = {0};
    int status = EXIT_OK;

    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    arena_init(&arena);
    buf_init(&problems);
    if (exports_replay(sources->all, sources->count, scratch, &target, &arena, &result, &problems,
                       &err))
        tell(out, &result);
    else
        status = sources_complain("replay", &problems, &err);
    buf_release(&problems);
    arena_release(&arena);
    return status;
}

struct request {
    const char *keys[2], *out, *scratch;
};

static int work(const struct settings *settings, const struct request *request, char *const *texts,
                size_t count)
{
    struct sources sources;
    struct scratch scratch;
    struct place out = {0};
    struct err err = {0};

    bool ok = sources_open(&sources, settings, texts, count, request->keys, &err) &&
              scratch_choose(&scratch, request->scratch, &err) &&
              place_make(settings, request->out, &sources.arena, &out, &err);
    int status = ok ? replay(&sources, &out, &scratch) : command_failed("replay", &err);
    place_close(&out);
    sources_close(&sources);
    return status;
}

static int run(const struct settings *settings, int argc, char **argv)
{
    static const struct option options[] = {{"keys", required_argument, NULL, 'k'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"scratch", required_argument, NULL, 's'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct request request = {.out = NULL};

    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h')
            return help();
        if (option == 'k')
            keys_take(optarg, request.keys);
        else if (option == 'o')
            request.out = optarg;
        else if (option == 's')
            request.scratch = optarg;
        else
            return command_misused("replay", "what is this: ", argv[optind - 1]);
    }
    if (optind == argc)
        return command_misused("replay", "which full export, and which incremental ones", "");
    if (request.keys[0] == NULL)
        return command_misused("replay", "--keys is missing: the names of the key attributes", "");
    if (request.out == NULL)
        return command_misused("replay", "--out is missing: where the result goes", "");
    return work(settings, &request, argv + optind, (size_t)(argc - optind));
}

int command_replay(int argc, char **argv)
{
    return command_with_s3(argc, argv, run);
}
