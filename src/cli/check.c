/* cli/check.c - `gramme check`: whether a database is what its tables say it must be. Needs no
 * server, and bears none beside it. */
#include <getopt.h>
#include <stdio.h>

#include "cli/command.h"
#include "engine/engine.h"
#include "table/check.h"

static int help(void)
{
    printf(
        "Usage: gramme check --data DIR\n"
        "\n"
        "Reads the database of a server that does not run and tells whether it is whole: every\n"
        "secondary index is compared with its table, entry for entry, and the statistics with\n"
        "what they count. Ends with 0 if all agrees, with 1 and a line for each difference if it\n"
        "does not or if the database cannot be read. Changes nothing.\n"
        "\n"
        "  --data DIR  folder of the database, as in `gramme serve`\n"
        "  --help      shows this and ends\n");
    return EXIT_OK;
}

static void tell_difference(void *context, const char *sentence)
{
    (void)context;
    printf("%s\n", sentence);
}

static void tell_figures(const struct check_figures *figures)
{
    printf("%llu items in %llu tables, %llu entries in %llu indexes\n",
           (unsigned long long)figures->items, (unsigned long long)figures->tables,
           (unsigned long long)figures->entries, (unsigned long long)figures->indexes);
    if (figures->building > 0)
        printf("%llu entries are still to come to indexes that are being built\n",
               (unsigned long long)figures->building);
    if (figures->differences == 0)
        printf("the database is whole\n");
    else
        printf("the database is not whole: %llu difference%s\n",
               (unsigned long long)figures->differences, figures->differences == 1 ? "" : "s");
}

/* Names of region and account are of no account here. */
static bool check_engine(struct engine *engine, struct check_figures *figures, struct err *err)
{
    struct tables *tables =
        tables_open(&(struct tables_settings){.engine = engine, .region = "", .account = ""}, err);

    if (tables == NULL)
        return false;
    bool ok = tables_check(tables, tell_difference, NULL, figures, err);
    tables_close(tables);
    return ok;
}

static int check_folder(const char *data)
{
    struct check_figures figures = {0};
    struct arena arena;
    struct err err;

    arena_init(&arena);
    struct rocksdb_settings settings = {
        .directory = arena_text(&arena, arena_printf(&arena, "%s/engine", data)),
        .memory = ROCKSDB_MEMORY_DEFAULT,
    };
    struct engine *engine = engine_open_rocksdb_as_is(&settings, &err);
    bool ok = engine != NULL && check_engine(engine, &figures, &err);
    engine_close(engine);
    arena_release(&arena);
    if (ok)
        tell_figures(&figures);
    else
        fprintf(stderr, "gramme check: %s\n", err.message);
    return ok && figures.differences == 0 ? EXIT_OK : EXIT_FAILED;
}

int command_check(int argc, char **argv)
{
    static const struct option options[] = {{"data", required_argument, NULL, 'd'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *data = NULL;

    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h')
            return help();
        if (option != 'd')
            return command_misused("check", "what is this: ", argv[optind - 1]);
        data = optarg;
    }
    if (optind < argc)
        return command_misused("check", "what is this: ", argv[optind]);
    if (data == NULL)
        return command_misused("check", "--data DIR is missing: the folder of the database", "");
    return check_folder(data);
}
