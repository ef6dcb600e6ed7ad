/* cli/serve.c - `gramme serve`: settings in, the server until a signal says stop. */
#include <stdio.h>

#include "cli/command.h"
#include "server/server.h"

static int serve_help(void)
{
    struct buf text;

    buf_init(&text);
    buf_put_text(
        &text,
        "Usage: gramme serve --data DIR [OPTION...]\n"
        "\n"
        "Serves the DynamoDB API over HTTP, from a database in a folder. Says on standard\n"
        "error where it listens once it does. SIGTERM or SIGINT end it: what is in flight is\n"
        "finished first.\n");
    settings_describe(&text);
    fwrite(text.data, 1, text.size, stdout);
    buf_release(&text);
    return EXIT_OK;
}

int command_serve(int argc, char **argv)
{
    struct settings settings;
    struct err err;
    int status = EXIT_USAGE;

    settings_init(&settings);
    if (!settings_read(&settings, argc, argv, &err))
        goto out;
    if (settings.help) {
        settings_release(&settings);
        return serve_help();
    }
    if (!settings_check(&settings, &err))
        goto out;
    status = server_run(&settings, &err) ? EXIT_OK : EXIT_FAILED;
out:
    if (status != EXIT_OK)
        fprintf(stderr, "gramme serve: %s\n", err.message);
    settings_release(&settings);
    return status;
}
