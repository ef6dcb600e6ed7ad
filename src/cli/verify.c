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
        "  --scratch DIR              where a temporary file goes, which only --keys needs: 16 "
        "bytes\n"
        "                             of each partition key if there are over a million; it has "
        "no\n"
        "                             name, and is gone however the command ends [TMPDIR, or "
        "/tmp]\n"
        "  --help                     shows this and ends\n"
        "\n"
        "Takes some 50 MB of memory, however large the export is.\n");
}

static void tell_export(const struct verify_report *report)
{
    struct buf text;

    buf_init(&text);
    buf_put_plain(&text, bytes_of_text(report->export_arn));
    buf_put_text(&text, report->incremental ? ", what changed from " : ", the table as of ");
    manifest_put_time(&text, report->incremental ? report->from_ms : report->time_ms);
    if (report->incremental) {
        buf_put_text(&text, " to ");
        manifest_put_time(&text, report->to_ms);
    }
    printf("%.*s\n", BYTES_ARGS(buf_bytes(&text)));
    buf_release(&text);
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
    const char *keys[2], *scratch_folder;
    struct scratch scratch;
};

static int verify_place(const struct place *place, struct request *request)
{
    struct verify_settings settings = {.bucket = place->bucket,
                                       .folder = place->folder,
                                       .moved = place->moved,
                                       .keys = {request->keys[0], request->keys[1]},
                                       .scratch = &request->scratch};
    struct verify_report report;
    struct err err = {0};
    int status;

    verify_report_init(&report);
    if (verify_export(place->store, &settings, &report, &err)) {
        tell(&report);
        status = report.problem_count == 0 ? EXIT_OK : EXIT_FAILED;
    } else {
        status = command_failed("verify", &err);
    }
    verify_report_release(&report);
    return status;
}

static int verify_text(const struct settings *settings, const char *text, struct request *request)
{
    struct arena arena;
    struct place place;
    struct err err = {0};
    int status;

    arena_init(&arena);
    if (place_open(settings, text, &arena, &place, &err))
        status = verify_place(&place, request);
    else
        status = command_failed("verify", &err);
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
    struct request request = {.scratch_folder = NULL};
    struct err err = {0};
    int status = EXIT_OK;

    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h')
            return help();
        if (option == 'k')
            keys_take(optarg, request.keys);
        else if (option == 's')
            request.scratch_folder = optarg;
        else
            return command_misused("verify", "what is this: ", argv[optind - 1]);
    }
    if (optind == argc)
        return command_misused("verify", "which export", "");
    if (request.keys[0] != NULL && !scratch_choose(&request.scratch, request.scratch_folder, &err))
        return command_failed("verify", &err);
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
