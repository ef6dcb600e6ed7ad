/* cli/exports.c - `gramme exports`: how far the exports of a server are. Asks GET /gramme/exports,
 * once or again and again. On a terminal the lines are redrawn in their places; elsewhere a line
 * comes when it has something new to tell. */
#include "cli/exports.h"

#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/command.h"
#include "net/http_client.h"
#include "net/profile.h"
#include "net/signature.h"

#define PATH "/gramme/exports"

#define ENDED_SHOWN  10 /* unless --all */
#define POLL_MS      500
#define WATCHED_MOST 1000 /* the server tells of no more */

struct request {
    const char *endpoint, *region, *ca_file;
    bool watch, all;
};

static int help(void)
{
    printf(
        "Usage: gramme exports [--watch] [--endpoint URL] [OPTION...]\n"
        "\n"
        "Lists the exports of a running server: those in progress with how far they are, and the\n"
        "latest that have ended. Ends with 0, or with 1 if the server does not answer.\n"
        "\n"
        "  --watch         shows it again and again until no export is in progress; ends with 1\n"
        "                  if one that was in progress has FAILED\n"
        "  --endpoint URL  where the server listens (http://127.0.0.1:8000)\n"
        "  --all           the latest 100 that have ended, not 10\n"
        "  --region NAME   its region (us-east-1), which is signed\n"
        "  --ca FILE       certificates to trust instead of the system's (PEM)\n"
        "  --help          shows this and ends\n"
        "\n"
        "A server that checks signatures wants this one signed as well: with the keys of the\n"
        "AWS tools, in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or in ~/.aws/credentials.\n");
    return EXIT_OK;
}

/* EXIT_OK to go on; otherwise what to end with. `*ended`: even so. */
static int arguments_read(struct request *request, int argc, char **argv, bool *ended)
{
    enum { WATCH = 1, ENDPOINT, ALL, REGION, CA, HELP };
    static const struct option options[] = {{"watch", no_argument, NULL, WATCH},
                                            {"endpoint", required_argument, NULL, ENDPOINT},
                                            {"all", no_argument, NULL, ALL},
                                            {"region", required_argument, NULL, REGION},
                                            {"ca", required_argument, NULL, CA},
                                            {"help", no_argument, NULL, HELP},
                                            {NULL, 0, NULL, 0}};

    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case WATCH:
            request->watch = true;
            break;
        case ENDPOINT:
            request->endpoint = optarg;
            break;
        case ALL:
            request->all = true;
            break;
        case REGION:
            request->region = optarg;
            break;
        case CA:
            request->ca_file = optarg;
            break;
        case HELP:
            *ended = true;
            return help();
        default:
            return command_misused("exports", "what is this: ", argv[optind - 1]);
        }
    }
    return optind == argc ? EXIT_OK : command_misused("exports", "what is this: ", argv[optind]);
}

/* --- asking */

struct asking {
    const struct request *request;
    struct http_client *client;
    const char *url;
    struct bytes host;
    bool has_keys;
    struct profile_keys keys;
};

/* The URL of the report, and the host in it: "http://host:port" with nothing behind. */
static bool asking_address(struct asking *asking, struct arena *arena, struct err *err)
{
    struct bytes endpoint = bytes_of_text(asking->request->endpoint);
    struct bytes mark = BYTES("://");

    if (endpoint.size > 0 && endpoint.data[endpoint.size - 1] == '/')
        endpoint.size--;
    const uint8_t *found = memmem(endpoint.data, endpoint.size, mark.data, mark.size);
    if (found != NULL)
        asking->host = bytes_from(endpoint, (size_t)(found - endpoint.data) + mark.size);
    if (asking->host.size == 0 || memchr(asking->host.data, '/', asking->host.size) != NULL)
        return err_fail(err, ERR_CONFIG, "an endpoint is as http://127.0.0.1:8000, and not '%s'",
                        asking->request->endpoint);
    asking->url = arena_text(arena, arena_printf(arena, "%.*s" PATH, BYTES_ARGS(endpoint)));
    return true;
}

/* The fields of a request: signed where there are keys. */
static size_t put_fields(const struct asking *asking, struct arena *arena,
                         struct http_field fields[3])
{
    struct signature_signer signer = {
        .access_key = bytes_of_text(asking->keys.access_key),
        .secret_key = bytes_of_text(asking->keys.secret_key),
        .region = bytes_of_text(asking->request->region),
        .service = BYTES("dynamodb"),
    };
    uint64_t now = clock_micros();
    char time[SIGNATURE_TIME_SIZE], hash[SIGNATURE_HASH_SIZE];
    struct buf authorization;

    signature_time(now, time);
    signature_hash(BYTES(""), hash);
    const struct signature_header headers[] = {
        {BYTES("Host"), asking->host},
        {BYTES("X-Amz-Date"), arena_copy(arena, bytes_of_text(time))},
    };
    const struct signature_request signed_request = {
        .method = BYTES("GET"), .path = BYTES(PATH), .headers = headers, .header_count = 2};
    buf_init_in(&authorization, arena);
    signature_sign(&signer, &signed_request, bytes_of_text(hash), now, &authorization);
    for (size_t i = 0; i < 2; i++)
        fields[i] = (struct http_field){headers[i].name, headers[i].value};
    fields[2] = (struct http_field){BYTES("Authorization"), buf_bytes(&authorization)};
    return 3;
}

static bool ask(const struct asking *asking, struct arena *arena, struct http_answer *answer,
                struct export_rows *out, struct err *err)
{
    struct http_field fields[3];
    struct http_call call = {
        .method = "GET",
        .url = asking->url,
        .fields = fields,
        .field_count = asking->has_keys ? put_fields(asking, arena, fields) : 0,
    };

    if (http_client_call(asking->client, &call, answer, err) != HTTP_ANSWERED)
        return false;
    if (answer->status != 200)
        return err_fail(err, ERR_CONFIG, "%s answers with status %d: %.*s", asking->url,
                        answer->status, BYTES_ARGS(buf_bytes(&answer->body)));
    return export_rows_read(buf_bytes(&answer->body), arena, out, err);
}

/* --- showing */

/* An export that was seen in progress. */
struct watched {
    char *arn;
    char told[64]; /* elsewhere than on a terminal: phase and tenths of its last line */
};

struct showing {
    bool terminal, all;
    size_t lines; /* drawn before, to be drawn over */
    struct watched watched[WATCHED_MOST];
    size_t watched_count;
    bool failed; /* one of the watched */
};

static size_t columns(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1u : 120;
}

static bool is_shown(const struct showing *showing, const struct export_row *row, size_t *ended)
{
    return export_row_runs(row) || showing->all || (*ended)++ < ENDED_SHOWN;
}

/* Over the lines of before: up to the first of them, and everything behind erased. */
static void draw(struct showing *showing, const struct export_rows *rows)
{
    size_t width = columns(), ended = 0;
    struct buf out;

    buf_init(&out);
    if (showing->lines > 0)
        buf_printf(&out, "\033[%zuA\033[J", showing->lines);
    showing->lines = 0;
    for (size_t i = 0; i < rows->count; i++)
        if (is_shown(showing, &rows->rows[i], &ended)) {
            export_row_draw(&rows->rows[i], width, &out);
            buf_put_u8(&out, '\n');
            showing->lines++;
        }
    fwrite(out.data, 1, out.size, stdout);
    buf_release(&out);
}

static void tell(const struct export_row *row)
{
    struct buf out;

    buf_init(&out);
    export_row_tell(row, &out);
    buf_put_u8(&out, '\n');
    fwrite(out.data, 1, out.size, stdout);
    buf_release(&out);
}

static void tell_all(const struct showing *showing, const struct export_rows *rows)
{
    size_t ended = 0;

    for (size_t i = 0; i < rows->count; i++)
        if (is_shown(showing, &rows->rows[i], &ended))
            tell(&rows->rows[i]);
}

/* --- watching */

static struct watched *find_watched(struct showing *showing, struct bytes arn)
{
    for (size_t i = 0; i < showing->watched_count; i++)
        if (bytes_equal(arn, bytes_of_text(showing->watched[i].arn)))
            return &showing->watched[i];
    return NULL;
}

static struct watched *watch(struct showing *showing, struct bytes arn)
{
    struct watched *watched = find_watched(showing, arn);

    if (watched != NULL || showing->watched_count == WATCHED_MOST)
        return watched;
    watched = &showing->watched[showing->watched_count++];
    *watched = (struct watched){.arn = strndup((const char *)arn.data, arn.size)};
    if (watched->arn == NULL)
        abort();
    return watched;
}

static void unwatch(struct showing *showing, struct watched *watched)
{
    free(watched->arn);
    *watched = showing->watched[--showing->watched_count];
}

/* Takes note of one row; whether it has something new to tell. */
static bool note(struct showing *showing, const struct export_row *row)
{
    struct watched *watched;
    char now[sizeof watched->told];

    if (!export_row_runs(row)) {
        watched = find_watched(showing, row->arn);
        if (watched == NULL)
            return false;
        showing->failed = showing->failed || export_row_failed(row);
        unwatch(showing, watched);
        return true;
    }
    watched = watch(showing, row->arn);
    snprintf(now, sizeof now, "%.*s %d", BYTES_ARGS(row->phase), (int)(row->share * 10));
    if (watched == NULL || strcmp(now, watched->told) == 0)
        return false;
    memcpy(watched->told, now, sizeof now);
    return true;
}

/* Whether there is more to wait for. */
static bool show_again(struct showing *showing, const struct export_rows *rows)
{
    size_t running = 0;

    for (size_t i = 0; i < rows->count; i++) {
        bool news = note(showing, &rows->rows[i]);
        if (news && !showing->terminal)
            tell(&rows->rows[i]);
        running += export_row_runs(&rows->rows[i]);
    }
    if (showing->terminal)
        draw(showing, rows);
    fflush(stdout);
    return running > 0;
}

static bool run(const struct request *request, const struct asking *asking, struct showing *showing,
                struct err *err)
{
    struct export_rows rows;
    struct http_answer answer;
    struct arena arena;
    bool ok, more = true;

    arena_init(&arena);
    http_answer_init(&answer);
    struct arena_mark mark = arena_mark(&arena);
    while ((ok = ask(asking, &arena, &answer, &rows, err)) && more) {
        if (!request->watch && !showing->terminal)
            tell_all(showing, &rows);
        else
            more = show_again(showing, &rows);
        more = more && request->watch;
        arena_rewind(&arena, mark);
        if (!more || poll(NULL, 0, POLL_MS) < 0)
            break;
    }
    http_answer_release(&answer);
    arena_release(&arena);
    return ok;
}

#define CONNECT_S 10
#define STALL_S   30

static int exports_show(const struct request *request, struct err *err)
{
    struct http_client_settings settings = {
        .ca_file = request->ca_file, .connect_s = CONNECT_S, .stall_s = STALL_S};
    static const struct profile_choice anybody = {0};
    struct asking asking = {.request = request};
    struct showing *showing = calloc(1, sizeof *showing);
    struct arena arena;
    int status = EXIT_USAGE;
    struct err none;

    if (showing == NULL)
        abort();
    arena_init(&arena);
    asking.has_keys = profile_keys_find(&anybody, &arena, &asking.keys, &none);
    if (asking_address(&asking, &arena, err)) {
        showing->terminal = isatty(STDOUT_FILENO) != 0;
        showing->all = request->all;
        asking.client = http_client_new(&settings);
        status = run(request, &asking, showing, err) ? EXIT_OK : EXIT_FAILED;
        http_client_free(asking.client);
    }
    while (showing->watched_count > 0)
        unwatch(showing, &showing->watched[0]);
    if (status == EXIT_OK && showing->failed)
        status = EXIT_FAILED;
    free(showing);
    arena_release(&arena);
    return status;
}

int command_exports(int argc, char **argv)
{
    struct request request = {.endpoint = "http://127.0.0.1:8000", .region = "us-east-1"};
    struct err err = {0};
    bool ended = false;
    int status = arguments_read(&request, argc, argv, &ended);

    if (ended || status != EXIT_OK)
        return status;
    status = exports_show(&request, &err);
    if (err.code != ERR_NONE)
        fprintf(stderr, "gramme exports: %s\n", err.message);
    return status;
}
