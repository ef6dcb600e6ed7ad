/* server/settings.c - the table of settings.def, read from three places that all end in
 * setting_set(): the initial values, the configuration file, the command line. The command line is
 * gone through twice: for --config first, and once more behind the file, so that it wins. */
#include "server/settings.h"

#include <assert.h>
#include <getopt.h>
#include <ini.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/share.h"
#include "net/profile.h"
#include "server/address.h"
#include "store/store.h"

enum kind {
    TEXT,
    CHOICE,
    COUNT,
    SIZE,
    FLAG,
};

struct setting {
    const char *heading; /* a heading and nothing else, or NULL */
    const char *name, *argument, *initial, *help;
    enum kind kind;
    size_t at; /* of the field */
};

static const struct setting table[] = {
#define GROUP(text) {.heading = (text)},
#define SETTING(field, name, kind, argument, initial, help)                                        \
    {NULL, name, argument, initial, help, kind, offsetof(struct settings, field)},
#include "server/settings.def"
#undef SETTING
#undef GROUP
};

#define SETTINGS   (sizeof table / sizeof table[0])
#define COUNT_MOST 1000000
#define LINE_WIDTH 98 /* of the help text */
#define HELP_AT    29 /* column */

static bool count_read(const char *text, unsigned *out)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || value == 0 || value > COUNT_MOST)
        return false;
    *out = (unsigned)value;
    return true;
}

static bool size_read(const char *text, size_t *out)
{
    static const char units[] = "KMG";
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    const char *unit = *end != '\0' ? strchr(units, *end) : NULL;
    unsigned shift = unit != NULL ? 10 * (unsigned)(unit - units + 1) : 0;

    if (*text < '0' || *text > '9' || (unit != NULL ? end[1] : *end) != '\0' || value == 0 ||
        value > (SIZE_MAX >> 1) >> shift)
        return false;
    *out = (size_t)value << shift;
    return true;
}

/* The place of a word among "one|two|three". */
static bool choice_read(const char *text, const char *alternatives, unsigned *out)
{
    size_t size = strlen(text);
    unsigned at = 0;

    for (const char *next = alternatives; next != NULL; at++) {
        const char *bar = strchr(next, '|');
        size_t length = bar != NULL ? (size_t)(bar - next) : strlen(next);
        if (length == size && memcmp(next, text, size) == 0) {
            *out = at;
            return true;
        }
        next = bar != NULL ? bar + 1 : NULL;
    }
    return false;
}

static bool flag_read(const char *text, bool *out)
{
    unsigned word;

    if (!choice_read(text, "no|yes|false|true", &word))
        return false;
    *out = word % 2 == 1;
    return true;
}

static bool setting_set(struct settings *settings, const struct setting *setting, const char *text,
                        struct err *err)
{
    static const char *const wanted[] = {
        [COUNT] = "a whole number from 1 on",
        [SIZE] = "a size like 512K, 256M or 2G",
        [FLAG] = "yes or no",
    };
    uint8_t *field = (uint8_t *)settings + setting->at;
    bool ok = true;

    switch (setting->kind) {
    case TEXT:
        *(const char **)field = text;
        break;
    case CHOICE:
        ok = choice_read(text, setting->argument, (unsigned *)field);
        break;
    case COUNT:
        ok = count_read(text, (unsigned *)field);
        break;
    case SIZE:
        ok = size_read(text, (size_t *)field);
        break;
    case FLAG:
        ok = flag_read(text, (bool *)field);
        break;
    }
    return ok || err_fail(err, ERR_CONFIG, "'%s' does not suit the setting '%s': %s is wanted",
                          text, setting->name,
                          setting->kind == CHOICE ? setting->argument : wanted[setting->kind]);
}

void settings_init(struct settings *settings)
{
    struct err err;

    memset(settings, 0, sizeof *settings);
    arena_init(&settings->arena);
    for (size_t i = 0; i < SETTINGS; i++) {
        if (table[i].heading == NULL && table[i].initial != NULL) {
            bool ok = setting_set(settings, &table[i], table[i].initial, &err);
            assert(ok);
        }
    }
}

void settings_release(struct settings *settings)
{
    arena_release(&settings->arena);
}

/* --- the configuration file --- */

struct file {
    struct settings *settings;
    struct err *err; /* of the first line that failed */
};

/* What only makes sense on the command line. */
static bool setting_of_call(const struct setting *setting)
{
    return setting->at == offsetof(struct settings, config) ||
           setting->at == offsetof(struct settings, help);
}

static const struct setting *setting_find(const char *name)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        if (table[i].heading == NULL && strcmp(table[i].name, name) == 0)
            return &table[i];
    }
    return NULL;
}

/* inih's handler: 0 fails the line. It goes on with the next one, so the first failure is kept. */
static int file_take(void *context, const char *section, const char *name, const char *value)
{
    struct file *file = context;
    const struct setting *setting = *section == '\0' ? setting_find(name) : NULL;

    if (file->err->code != ERR_NONE)
        return 0;
    if (setting == NULL || setting_of_call(setting))
        return err_fail(file->err, ERR_CONFIG, "there is no setting '%s%s%s' for a file", section,
                        *section != '\0' ? "." : "", name);
    return setting_set(file->settings, setting,
                       arena_text(&file->settings->arena, bytes_of_text(value)), file->err);
}

static bool file_read(struct settings *settings, const char *path, struct err *err)
{
    struct err why = {.code = ERR_NONE};
    struct file file = {settings, &why};
    int line = ini_parse(path, file_take, &file);

    if (line < 0)
        return err_fail(err, ERR_CONFIG, "configuration file %s cannot be read", path);
    if (line > 0)
        return err_fail(err, ERR_CONFIG, "configuration file %s, line %d: %s", path, line,
                        why.code != ERR_NONE ? why.message : "this is not `name = value`");
    return true;
}

/* --- the command line --- */

/* getopt_long() answers the row's number plus this. */
#define OPTION_BASE 256

static void options_fill(struct option options[static SETTINGS + 1])
{
    size_t count = 0;

    for (size_t i = 0; i < SETTINGS; i++) {
        if (table[i].heading == NULL)
            options[count++] = (struct option){
                table[i].name,
                table[i].kind == FLAG ? no_argument : required_argument,
                NULL,
                OPTION_BASE + (int)i,
            };
    }
    options[count] = (struct option){0};
}

static bool arguments_read(struct settings *settings, int argc, char **argv, bool config_only,
                           struct err *err)
{
    struct option options[SETTINGS + 1];
    int answer;

    options_fill(options);
    optind = 0; /* begins anew, as the GNU one wants it */
    opterr = 0;
    while ((answer = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
        if (answer == ':')
            return err_fail(err, ERR_CONFIG, "option '%s' wants a value", argv[optind - 1]);
        if (answer < OPTION_BASE)
            return err_fail(err, ERR_CONFIG, "unknown option '%s'", argv[optind - 1]);
        const struct setting *setting = &table[answer - OPTION_BASE];
        bool config = setting->at == offsetof(struct settings, config);
        if (config == config_only &&
            !setting_set(settings, setting, setting->kind == FLAG ? "yes" : optarg, err))
            return false;
    }
    if (optind < argc)
        return err_fail(err, ERR_CONFIG, "'%s' is no option", argv[optind]);
    return true;
}

bool settings_read(struct settings *settings, int argc, char **argv, struct err *err)
{
    if (!arguments_read(settings, argc, argv, true, err))
        return false;
    if (settings->config != NULL && !file_read(settings, settings->config, err))
        return false;
    return arguments_read(settings, argc, argv, false, err);
}

/* --- the S3 service --- */

static bool setting_of_s3(const struct setting *setting)
{
    return setting->heading == NULL && strncmp(setting->name, "s3-", 3) == 0;
}

/* The setting that an argument names, with its value if that is part of it. */
static const struct setting *s3_option(const char *argument, const char **value)
{
    size_t size = strcspn(argument, "=");

    if (strncmp(argument, "--", 2) != 0)
        return NULL;
    *value = argument[size] == '=' ? argument + size + 1 : NULL;
    for (size_t i = 0; i < SETTINGS; i++)
        if (setting_of_s3(&table[i]) && strlen(table[i].name) + 2 == size &&
            memcmp(table[i].name, argument + 2, size - 2) == 0)
            return &table[i];
    return NULL;
}

bool settings_take_s3(struct settings *settings, int *argc, char **argv, struct err *err)
{
    int kept = 1;

    for (int i = 1; i < *argc; i++) {
        const char *value;
        const struct setting *setting = s3_option(argv[i], &value);
        if (setting == NULL) {
            argv[kept++] = argv[i];
            continue;
        }
        if (value == NULL && i + 1 == *argc)
            return err_fail(err, ERR_CONFIG, "option '%s' wants a value", argv[i]);
        if (!setting_set(settings, setting, value != NULL ? value : argv[++i], err))
            return false;
    }
    *argc = kept;
    argv[kept] = NULL;
    return true;
}

struct store *settings_open_s3(const struct settings *settings, struct arena *arena,
                               struct err *err)
{
    struct profile_choice choice = {settings->s3_profile, settings->s3_credentials};
    struct profile_keys keys;

    if (!profile_keys_find(&choice, arena, &keys, err))
        return NULL;
    struct s3_settings wanted = {
        .endpoint = settings->s3_endpoint,
        .region = settings->s3_region != NULL ? settings->s3_region : settings->region,
        .access_key = keys.access_key,
        .secret_key = keys.secret_key,
        .session_token = keys.session_token,
        .virtual_host = settings->s3_style == S3_STYLE_HOST,
        .unencrypted = settings->s3_encryption == S3_ENCRYPTION_OFF,
        .ca_file = settings->s3_ca,
    };
    return store_open_s3(&wanted, err);
}

/* --- together --- */

static bool account_check(const char *account, struct err *err)
{
    if (strlen(account) == 12 && strspn(account, "0123456789") == 12)
        return true;
    return err_fail(err, ERR_CONFIG, "'%s' is no account: 12 digits are wanted", account);
}

/* What ARNs and signatures are made of. */
static bool region_check(const char *region, struct err *err)
{
    size_t size = strlen(region);

    if (size > 0 && size < 64 && strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") == size)
        return true;
    return err_fail(err, ERR_CONFIG,
                    "'%s' is no region: lower-case letters, digits and '-' are wanted", region);
}

static bool reach_check(const struct settings *settings, struct err *err)
{
    struct address address;

    if (!address_read(settings->listen, &address, err))
        return false;
    if (address_loopback(&address) || settings->credentials != NULL || settings->insecure)
        return true;
    return err_fail(
        err, ERR_CONFIG,
        "refusing to listen on %s without credentials: anybody who reaches it could read and "
        "delete all tables. Give --credentials FILE, or --insecure to do it all the same",
        settings->listen);
}

static unsigned processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count < 1 ? 1 : (unsigned)count;
}

static void defaults_fill(struct settings *settings)
{
    if (settings->loops == 0)
        settings->loops = processors();
    if (settings->export_parts == 0)
        settings->export_parts = processors();
    if (settings->s3_region == NULL)
        settings->s3_region = settings->region;
    if (settings->buckets == NULL && settings->s3_endpoint == NULL)
        settings->buckets = arena_text(
            &settings->arena, arena_printf(&settings->arena, "%s/buckets", settings->data));
}

bool settings_check(struct settings *settings, struct err *err)
{
    if (settings->data == NULL)
        return err_fail(err, ERR_CONFIG, "--data DIR is missing: the folder of the database");
    if ((settings->tls_cert == NULL) != (settings->tls_key == NULL))
        return err_fail(err, ERR_CONFIG, "--tls-cert and --tls-key go together");
    if (settings->buckets != NULL && settings->s3_endpoint != NULL)
        return err_fail(err, ERR_CONFIG, "--buckets and --s3-endpoint exclude each other");
    if (settings->export_share > SHARE_MOST)
        return err_fail(err, ERR_CONFIG, "--export-share %u: 1 to %d percent are wanted",
                        settings->export_share, SHARE_MOST);
    if (!account_check(settings->account, err) || !region_check(settings->region, err) ||
        !reach_check(settings, err))
        return false;
    defaults_fill(settings);
    return true;
}

/* --- for people --- */

/* Words from column HELP_AT on, in lines of LINE_WIDTH; the first line stands at `column` already.
 */
static void words_put(struct buf *out, const char *text, size_t column)
{
    size_t at = column;

    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        if (at >= HELP_AT && at + 1 + length > LINE_WIDTH) {
            buf_put_text(out, "\n");
            at = 0;
        }
        size_t blanks = at < HELP_AT ? HELP_AT - at : 1;
        for (size_t i = 0; i < blanks; i++)
            buf_put_text(out, " ");
        buf_put(out, text, length);
        at += blanks + length;
        text += length + strspn(text + length, " ");
    }
    buf_put_text(out, "\n");
}

static void setting_describe(const struct setting *setting, struct buf *out)
{
    struct buf words;
    size_t from = out->size;

    buf_init(&words);
    buf_put_text(&words, setting->help);
    if (setting->initial != NULL)
        buf_printf(&words, " [%s]", setting->initial);
    buf_put_u8(&words, '\0');
    buf_printf(out, "  --%s", setting->name);
    if (setting->argument != NULL)
        buf_printf(out, " %s", setting->argument);
    words_put(out, (const char *)words.data, out->size - from);
    buf_release(&words);
}

void settings_describe(struct buf *out)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        if (table[i].heading != NULL)
            buf_printf(out, "\n%s\n", table[i].heading);
        else
            setting_describe(&table[i], out);
    }
}

void settings_describe_s3(struct buf *out)
{
    for (size_t i = 0; i < SETTINGS; i++)
        if (setting_of_s3(&table[i]))
            setting_describe(&table[i], out);
}
