/* cli/diff.c - `gramme diff`: what changed from one full export to another. Needs no server. */
#include <getopt.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/sources.h"
#include "item/json.h"

static int help(void)
{
    return command_help_s3(
        "Usage: gramme diff EXPORT EXPORT --keys PK[:SK] [OPTION...]\n"
        "\n"
        "Tells what changed from one full export of a table to another, in either format. An\n"
        "EXPORT is a folder (where its manifest-summary.json is) or s3://BUCKET/KEY. A line for\n"
        "each item that differs, in the order of their keys: `-` and the item as it was, `+` and\n"
        "the item as it is, in DynamoDB JSON; an item that changed has both, one after the other.\n"
        "How many there are is told on standard error. Ends with 0 if nothing changed, which\n"
        "prints nothing; with 1 if something did, or if an export is not whole or cannot be read;\n"
        "with 2 if it was not used right.\n"
        "\n"
        "  --keys PK[:SK]             names of the key attributes\n"
        "  --scratch DIR              where temporary files go, up to twice as large as the items "
        "of\n"
        "                             both; they have no names, and are gone however the command\n"
        "                             ends [TMPDIR, or /tmp]\n"
        "  --help                     shows this and ends\n"
        "\n"
        "Takes some 90 MB of memory, however large the exports are.\n");
}

struct printer {
    struct bytes names[2]; /* of the key attributes */
    size_t count;
    struct buf text;
};

static void put_line(struct printer *printer, char sign, struct bytes item)
{
    if (item.size == 0)
        return;
    buf_printf(&printer->text, "%c ", sign);
    item_write_json_led(item, printer->names, printer->count, &printer->text);
    buf_put_u8(&printer->text, '\n');
}

static bool print(void *context, struct bytes before, struct bytes after, struct err *err)
{
    struct printer *printer = context;

    buf_clear(&printer->text);
    put_line(printer, '-', before);
    put_line(printer, '+', after);
    return fwrite(printer->text.data, 1, printer->text.size, stdout) == printer->text.size ||
           err_fail(err, ERR_STORAGE, "standard output takes no more");
}

static int diff(const struct sources *sources, const char *const keys[2], struct scratch *scratch)
{
    struct printer printer = {.count = 0};
    struct diff_figures figures;
    struct buf problems;
    struct err err = {0};
    int status;

    for (; printer.count < 2 && keys[printer.count] != NULL; printer.count++)
        printer.names[printer.count] = bytes_of_text(keys[printer.count]);
    buf_init(&printer.text);
    buf_init(&problems);
    if (exports_diff(sources->all, scratch, print, &printer, &figures, &problems, &err)) {
        status = figures.added + figures.removed + figures.changed == 0 ? EXIT_OK : EXIT_FAILED;
        if (status != EXIT_OK)
            fprintf(stderr, "%llu added, %llu removed, %llu changed, %llu the same\n",
                    (unsigned long long)figures.added, (unsigned long long)figures.removed,
                    (unsigned long long)figures.changed, (unsigned long long)figures.same);
    } else {
        status = sources_complain("diff", &problems, &err);
    }
    buf_release(&problems);
    buf_release(&printer.text);
    return status;
}

static int run(const struct settings *settings, int argc, char **argv)
{
    static const struct option options[] = {{"keys", required_argument, NULL, 'k'},
                                            {"scratch", required_argument, NULL, 's'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *keys[2] = {NULL, NULL}, *folder = NULL;
    struct scratch scratch;
    struct sources sources;
    struct err err = {0};

    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h')
            return help();
        if (option == 'k')
            keys_take(optarg, keys);
        else if (option == 's')
            folder = optarg;
        else
            return command_misused("diff", "what is this: ", argv[optind - 1]);
    }
    if (argc - optind != 2)
        return command_misused("diff", "two exports are wanted", "");
    if (keys[0] == NULL)
        return command_misused("diff", "--keys is missing: the names of the key attributes", "");
    bool ok = sources_open(&sources, settings, argv + optind, 2, keys, &err) &&
              scratch_choose(&scratch, folder, &err);
    int status = ok ? diff(&sources, keys, &scratch) : command_failed("diff", &err);
    sources_close(&sources);
    return status;
}

int command_diff(int argc, char **argv)
{
    return command_with_s3(argc, argv, run);
}
