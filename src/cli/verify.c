/* cli/verify.c - `gramme verify`: whether exports are whole. Needs no server. */
#include <getopt.h>
#include <stdio.h>

#include "archive/manifest.h"
#include "archive/verify.h"
#include "cli/command.h"
#include "cli/place.h"

static int help(void)
{
    return command_help_s3(
        "Usage: gramme verify DIR... [--keys PK[:SK]] [OPTION...]\n"
        "       gramme verify s3://BUCKET/PREFIX/AWSDynamoDB/ID... --s3-endpoint URL [OPTION...]\n"
        "\n"
        "Reads exports through, full or incremental, in DynamoDB JSON or Ion, in folders (where a\n"
        "manifest-summary.json is) or on an S3 service, and tells whether they are whole:\n"
        "manifests, checksums, gzip data, every line, and that what they hold adds up. Ends with "
        "0\n"
        "if they are, with 1 and a line for each problem if they are not. The data files of an\n"
        "incremental export are looked for in the folder `data` beside its own.\n"
        "\n"
        "  --keys PK[:SK]             names of the key attributes: checks order and uniqueness "
        "too\n"
        "  --scratch DIR              with --keys, for a temporary file: 16 bytes of each "
        "partition\n"
        "                             key once there are millions [TMPDIR, or /tmp]\n"
        "  --help                     shows this and ends\n");
}

static void tell_export(const struct verify_report *report)
{
    struct buf times;

    buf_init(&times);
    manifest_put_time(&times, report->incremental ? report->from_ms : report->time_ms);
    if (report->incremental) {
        buf_put_text(&times, " to ");
        manifest_put_time(&times, report->to_ms);
    }
    printf("%s, %s %.*s\n", report->export_arn,
           report->incremental ? "what changed from" : "the table as of",
           BYTES_ARGS(buf_bytes(&times)));
    buf_release(&times);
}

static void tell(const struct verify_report *report)
{
    printf("%.*s", BYTES_ARGS(buf_bytes(&report->problems)));
    if (report->problem_count > VERIFY_PROBLEMS_MOST)
        printf("and %llu more\n",
               (unsigned long long)(report->problem_count - VERIFY_PROBLEMS_MOST));
    if (report->export_arn[0] != '\0')
        tell_export(report);
    printf("%llu %s of %llu bytes, %llu bytes of lines, in %llu files of %llu bytes\n",
           (unsigned long long)report->items, report->incremental ? "changes" : "items",
           (unsigned long long)report->item_bytes, (unsigned long long)report->text_bytes,
           (unsigned long long)report->files, (unsigned long long)report->file_bytes);
    if (report->etags_unchecked > 0)
        printf("%llu etags could not be checked: of KMS, or of parts of another length\n",
               (unsigned long long)report->etags_unchecked);
    if (report->problem_count == 0)
        printf("the export is whole\n");
    else
        printf("the export is not whole: %llu problem%s\n",
               (unsigned long long)report->problem_count, report->problem_count == 1 ? "" : "s");
}

/* How all of them are read. */
struct request {
    const char *keys[2], *scratch;
};

static int verify_place(const struct place *place, const struct request *request)
{
    struct verify_settings settings = {.bucket = place->bucket,
                                       .folder = place->folder,
                                       .moved = place->moved,
                                       .keys = {request->keys[0], request->keys[1]},
                                       .scratch = request->scratch};
    struct verify_report report;
    struct err err = {0};
    int status = EXIT_FAILED;

    verify_report_init(&report);
    if (verify_export(place->store, &settings, &report, &err)) {
        tell(&report);
        status = report.problem_count == 0 ? EXIT_OK : EXIT_FAILED;
    } else {
        fprintf(stderr, "gramme verify: %s\n", err.message);
    }
    verify_report_release(&report);
    return status;
}

static int verify_text(const struct settings *settings, const char *text,
                       const struct request *request)
{
    struct arena arena;
    struct place place;
    struct err err = {0};
    int status;

    arena_init(&arena);
    if (place_open(settings, text, &arena, &place, &err)) {
        status = verify_place(&place, request);
    } else {
        fprintf(stderr, "gramme verify: %s\n", err.message);
        status = err.code == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
    }
    place_close(&place);
    arena_release(&arena);
    return status;
}

/* What is left once the settings of S3 are taken out. */
static int run(const struct settings *settings, int argc, char **argv)
{
    static const struct option options[] = {{"keys", required_argument, NULL, 'k'},
                                            {"scratch", required_argument, NULL, 's'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct request request = {0};
    int status = EXIT_OK;

    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h')
            return help();
        if (option == 'k')
            keys_take(optarg, request.keys);
        else if (option == 's')
            request.scratch = optarg;
        else
            return command_misused("verify", "what is this: ", argv[optind - 1]);
    }
    if (optind == argc)
        return command_misused("verify", "which export", "");
    for (int i = optind; i < argc; i++) {
        int one = verify_text(settings, argv[i], &request);
        status = one > status ? one : status;
    }
    return status;
}

int command_verify(int argc, char **argv)
{
    return command_with_s3(argc, argv, run);
}
