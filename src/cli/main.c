/* cli/main.c - the binary `gramme`: a table of commands. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

static const struct command commands[] = {
    {"serve", "runs the server", command_serve},
    {"exports", "tells how far the exports of a server are", command_exports},
    {"check", "tells whether a database is whole", command_check},
    {"verify", "tells whether exports are whole", command_verify},
    {"diff", "tells what changed between two exports", command_diff},
    {"replay", "makes a full export of one and those that follow it", command_replay},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static int show_version(void)
{
    printf("gramme %s\n"
           "DynamoDB API 2012-08-10, on RocksDB\n"
           "built %s, for %s\n"
           "Apache License 2.0, without any warranty\n",
           GRAMME_VERSION, GRAMME_BUILD, GRAMME_MACHINE);
    return EXIT_OK;
}

static int show_help(void)
{
    printf("gramme: a DynamoDB-compatible database whose tables remember\n"
           "\n"
           "Usage: gramme COMMAND [OPTION...]\n"
           "\n"
           "Commands\n");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].summary);
    printf("\n"
           "`gramme COMMAND --help` tells the options of each; `gramme --version` which gramme "
           "this is.\n"
           "\n"
           "To try it:\n"
           "  gramme serve --data /tmp/gramme\n"
           "  aws --endpoint-url http://127.0.0.1:8000 dynamodb list-tables\n");
    return EXIT_OK;
}

/* What nobody could be told is not done. */
static int told(int status)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return status;
    fprintf(stderr, "gramme: standard output takes no more\n");
    return status == EXIT_OK ? EXIT_FAILED : status;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(name, commands[i].name) == 0)
            return told(commands[i].run(argc - 1, argv + 1));
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return show_help();
    if (strcmp(name, "--version") == 0)
        return show_version();
    fprintf(stderr, "gramme: %s%s%s; `gramme --help` tells the commands\n",
            *name != '\0' ? "there is no command '" : "no command given", name,
            *name != '\0' ? "'" : "");
    return EXIT_USAGE;
}
