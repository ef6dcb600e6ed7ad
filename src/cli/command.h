/* cli/command.h - the commands of the one binary. Each is a function in a file of its own and a row
 * in main.c. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

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

int command_exports(int argc, char **argv);
int command_serve(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_diff(int argc, char **argv);
int command_replay(int argc, char **argv);

#endif
