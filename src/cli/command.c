/* cli/command.c - what the commands have in common at their edges. */
#include "cli/command.h"

#include <stdio.h>

int command_misused(const char *command, const char *what, const char *about)
{
    fprintf(stderr, "gramme %s: %s%s; `gramme %s --help` tells how it is used\n", command, what,
            about, command);
    return EXIT_USAGE;
}

int command_failed(const char *command, const struct err *err)
{
    struct buf why;

    buf_init(&why);
    buf_put_plain(&why, bytes_of_text(err->message));
    fprintf(stderr, "gramme %s: %.*s\n", command, BYTES_ARGS(buf_bytes(&why)));
    buf_release(&why);
    return err->code == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
}

int command_help_s3(const char *text)
{
    struct buf options;

    buf_init(&options);
    settings_describe_s3(&options);
    fputs(text, stdout);
    printf("\nS3\n%.*s", BYTES_ARGS(buf_bytes(&options)));
    buf_release(&options);
    return EXIT_OK;
}

int command_with_s3(int argc, char **argv,
                    int (*run)(const struct settings *settings, int argc, char **argv))
{
    struct settings settings;
    struct err err;

    settings_init(&settings);
    int status = settings_take_s3(&settings, &argc, argv, &err)
                     ? run(&settings, argc, argv)
                     : command_misused(argv[0], err.message, "");
    settings_release(&settings);
    return status;
}
