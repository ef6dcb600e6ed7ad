/* cli/verify.c - `gramme verify`: whether an export is whole. Needs no server. */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/manifest.h"
#include "archive/verify.h"
#include "cli/command.h"
#include "net/profile.h"

struct request {
    const char *where;
    struct s3_settings s3;
    struct profile_choice profile;
    char *keys; /* "pk" or "pk:sk" */
    struct arena arena;
    struct verify_settings settings;
};

static int help(void)
{
    printf(
        "Usage: gramme verify DIR [--keys PK[:SK]]\n"
        "       gramme verify s3://BUCKET/PREFIX/AWSDynamoDB/ID --s3-endpoint URL [OPTION...]\n"
        "\n"
        "Reads a full export through, in a folder (where its manifest-summary.json is) or on an "
        "S3\n"
        "service, and tells whether it is whole: manifests, checksums, gzip data, every line, and\n"
        "that what they hold adds up. Ends with 0 if it is, with 1 and a line for each problem if\n"
        "it is not.\n"
        "\n"
        "  --keys PK[:SK]     names of the key attributes: checks order and uniqueness too\n"
        "  --s3-endpoint URL  S3 service; its keys are looked for as the AWS tools do:\n"
        "                     environment, ~/.aws/credentials, ~/.aws/config\n"
        "  --s3-profile NAME  profile of its keys in those files, ahead of the environment\n"
        "  --s3-credentials FILE  credentials file with its keys, instead of all of those\n"
        "  --s3-region NAME   its region (us-east-1)\n"
        "  --s3-style STYLE   path: bucket in the path; host: in the host name (path)\n"
        "  --s3-ca FILE       certificates to trust instead of the system's (PEM)\n"
        "  --help             shows this and ends\n");
    return EXIT_OK;
}

static int complain(const char *what, const char *about)
{
    fprintf(stderr, "gramme verify: %s%s; `gramme verify --help` tells how it is used\n", what,
            about);
    return EXIT_USAGE;
}

/* EXIT_OK to go on; otherwise what to end with. `*ended`: even so. */
static int arguments_read(struct request *request, int argc, char **argv, bool *ended)
{
    enum { KEYS = 1, ENDPOINT, PROFILE, CREDENTIALS, REGION, STYLE, CA, HELP };
    static const struct option options[] = {
        {"keys", required_argument, NULL, KEYS},
        {"s3-endpoint", required_argument, NULL, ENDPOINT},
        {"s3-profile", required_argument, NULL, PROFILE},
        {"s3-credentials", required_argument, NULL, CREDENTIALS},
        {"s3-region", required_argument, NULL, REGION},
        {"s3-style", required_argument, NULL, STYLE},
        {"s3-ca", required_argument, NULL, CA},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0}};

    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case KEYS:
            request->keys = optarg;
            break;
        case ENDPOINT:
            request->s3.endpoint = optarg;
            break;
        case PROFILE:
            request->profile.profile = optarg;
            break;
        case CREDENTIALS:
            request->profile.file = optarg;
            break;
        case REGION:
            request->s3.region = optarg;
            break;
        case CA:
            request->s3.ca_file = optarg;
            break;
        case STYLE:
            request->s3.virtual_host = strcmp(optarg, "host") == 0;
            if (!request->s3.virtual_host && strcmp(optarg, "path") != 0)
                return complain("--s3-style is neither path nor host: ", optarg);
            break;
        case HELP:
            *ended = true;
            return help();
        default:
            return complain("what is this: ", argv[optind - 1]);
        }
    }
    if (optind != argc - 1)
        return complain(optind == argc ? "which export" : "one export at a time", "");
    request->where = argv[optind];
    return EXIT_OK;
}

/* "pk:sk", cut in place. */
static void keys_take(struct request *request)
{
    if (request->keys == NULL)
        return;
    char *colon = strchr(request->keys, ':');
    if (colon != NULL)
        *colon++ = '\0';
    request->settings.keys[0] = request->keys;
    request->settings.keys[1] = colon;
}

/* Cut off the end, if it is there. */
static void cut_end(char *text, const char *end)
{
    size_t size = strlen(text), more = strlen(end);

    if (size > more && strcmp(text + size - more, end) == 0)
        text[size - more] = '\0';
}

/* The folder is its own bucket, in the folder around it. */
static struct store *open_folder(struct request *request, struct err *err)
{
    char path[PATH_MAX];

    if (realpath(request->where, path) == NULL) {
        err_fail(err, ERR_STORE, "%s: there is no such folder", request->where);
        return NULL;
    }
    cut_end(path, "/" LEAF_SUMMARY);
    char *slash = strrchr(path, '/');
    request->settings.bucket = arena_text(&request->arena, bytes_of_text(slash + 1));
    request->settings.folder = "";
    request->settings.moved = true;
    slash[slash == path] = '\0';
    return store_open_directory(path, err);
}

static struct store *open_bucket(struct request *request, struct err *err)
{
    char *bucket = arena_text(&request->arena, bytes_of_text(request->where + strlen("s3://")));
    char *slash = strchr(bucket, '/');
    struct profile_keys keys;

    if (request->s3.endpoint == NULL || slash == NULL) {
        err_fail(err, ERR_CONFIG,
                 "an export on S3 needs s3://BUCKET/PREFIX/AWSDynamoDB/ID and "
                 "--s3-endpoint");
        return NULL;
    }
    *slash++ = '\0';
    cut_end(slash, "/" LEAF_SUMMARY);
    cut_end(slash, "/");
    request->settings.bucket = bucket;
    request->settings.folder = slash;
    if (!profile_keys_find(&request->profile, &request->arena, &keys, err))
        return NULL;
    request->s3.access_key = keys.access_key;
    request->s3.secret_key = keys.secret_key;
    request->s3.session_token = keys.session_token;
    return store_open_s3(&request->s3, err);
}

static void tell(const struct verify_report *report)
{
    printf("%.*s", BYTES_ARGS(buf_bytes(&report->problems)));
    if (report->problem_count > VERIFY_PROBLEMS_MOST)
        printf("and %llu more\n",
               (unsigned long long)(report->problem_count - VERIFY_PROBLEMS_MOST));
    if (report->export_arn[0] != '\0')
        printf("%s, the table as of %s\n", report->export_arn, report->export_time);
    printf("%llu items of %llu bytes, %llu bytes of lines, in %llu files of %llu bytes\n",
           (unsigned long long)report->items, (unsigned long long)report->item_bytes,
           (unsigned long long)report->text_bytes, (unsigned long long)report->files,
           (unsigned long long)report->file_bytes);
    if (report->etags_unchecked > 0)
        printf("%llu etags could not be checked: of KMS, or of parts of another length\n",
               (unsigned long long)report->etags_unchecked);
    if (report->keys_unchecked)
        printf("not all partition keys were compared: there are too many\n");
    if (report->problem_count == 0)
        printf("the export is whole\n");
    else
        printf("the export is not whole: %llu problem%s\n",
               (unsigned long long)report->problem_count, report->problem_count == 1 ? "" : "s");
}

static int run(struct request *request)
{
    bool on_s3 = strncmp(request->where, "s3://", 5) == 0;
    struct verify_report report;
    struct err err = {0};
    int status = EXIT_FAILED;

    struct store *store = on_s3 ? open_bucket(request, &err) : open_folder(request, &err);
    if (store == NULL) {
        fprintf(stderr, "gramme verify: %s\n", err.message);
        return err.code == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
    }
    verify_report_init(&report);
    if (verify_export(store, &request->settings, &report, &err)) {
        tell(&report);
        status = report.problem_count == 0 ? EXIT_OK : EXIT_FAILED;
    } else {
        fprintf(stderr, "gramme verify: %s\n", err.message);
    }
    verify_report_release(&report);
    store_close(store);
    return status;
}

int command_verify(int argc, char **argv)
{
    struct request request = {.s3.region = "us-east-1"};
    bool ended = false;
    int status = arguments_read(&request, argc, argv, &ended);

    if (ended || status != EXIT_OK)
        return status;
    keys_take(&request);
    arena_init(&request.arena);
    status = run(&request);
    arena_release(&request.arena);
    return status;
}
