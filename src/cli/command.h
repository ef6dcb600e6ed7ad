/* cli/command.h - the commands of the one binary. Each is a function in a file of its own and a row
 * in main.c. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "server/settings.h"

/* What a command answers to the shell. */
enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1, /* it was understood and could not be done */
    EXIT_USAGE = 2,  /* the command line makes no sense */
};

/* `argv[0]` is the command's name. Sentences about failures go to standard error. */
struct command {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
};

/* Says what is wrong with a command line; answers EXIT_USAGE. */
int command_misused(const char *command, const char *what, const char *about);

/* Says why a command failed; answers its exit status: EXIT_USAGE for what it was told wrong. */
int command_failed(const char *command, const struct err *err);

/* Shows a help text, and behind it the options of an S3 service; answers EXIT_OK. */
int command_help_s3(const char *text);

/* Takes the options of an S3 service out of a command line, and runs the command with what is left.
 */
int command_with_s3(int argc, char **argv,
                    int (*run)(const struct settings *settings, int argc, char **argv));

int command_check(int argc, char **argv);
int command_exports(int argc, char **argv);
int command_serve(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_diff(int argc, char **argv);
int command_replay(int argc, char **argv);

#endif
