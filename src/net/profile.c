/* net/profile.c - a walk over the places, until one has keys. The files are read line by line: inih
 * cuts a line at 200 bytes, which is less than a session token has. */
#include "net/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define BLANKS " \t\r\n"

struct search {
    struct arena *arena;
    const char *profile;
    bool named; /* the profile was asked for: it must be there */
    bool found; /* the profile's section, in any file */
    struct profile_keys keys;
};

static bool is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);

    return is_given(value) ? value : NULL;
}

/* Whether the keys are there; half of a pair is a mistake that nobody should have to look for. */
static bool keys_judge(const struct profile_keys *keys, const char *where, bool *whole,
                       struct err *err)
{
    *whole = keys->access_key != NULL && keys->secret_key != NULL;
    if (*whole || (keys->access_key == NULL && keys->secret_key == NULL))
        return true;
    return err_fail(err, ERR_CONFIG, "%s has %s key of a pair and not its %s key", where,
                    keys->access_key != NULL ? "the access" : "the secret",
                    keys->access_key != NULL ? "secret" : "access");
}

static bool environment_search(struct search *search, bool *whole, struct err *err)
{
    search->keys = (struct profile_keys){environment("AWS_ACCESS_KEY_ID"),
                                         environment("AWS_SECRET_ACCESS_KEY"),
                                         environment("AWS_SESSION_TOKEN")};
    return keys_judge(&search->keys, "the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)",
                      whole, err);
}

/* --- files */

static char *trim(char *text)
{
    text += strspn(text, BLANKS);
    for (size_t size = strlen(text); size > 0 && strchr(BLANKS, text[size - 1]) != NULL;)
        text[--size] = '\0';
    return text;
}

/* Whether "[name]", or in a config file "[profile name]", is the section of the profile. */
static bool section_is(char *line, bool config, const char *profile)
{
    char *end = strchr(line, ']');

    if (end == NULL)
        return false;
    *end = '\0';
    char *name = trim(line + 1);
    bool led = strncmp(name, "profile", 7) == 0 && strchr(" \t", name[7]) != NULL;
    if (config && led)
        name = trim(name + 7);
    else if (config && strcmp(name, "default") != 0)
        return false;
    size_t size = strlen(name);
    if (size >= 2 && strchr("\"'", name[0]) != NULL && name[size - 1] == name[0]) {
        name[size - 1] = '\0';
        name++;
    }
    return strcmp(name, profile) == 0;
}

/* "name = value"; a value ends at a blank, since no key has one in it. */
static void value_take(struct search *search, char *line)
{
    const struct {
        const char *name;
        const char **at;
    } wanted[] = {
        {"aws_access_key_id", &search->keys.access_key},
        {"aws_secret_access_key", &search->keys.secret_key},
        {"aws_session_token", &search->keys.session_token},
    };
    char *value = strchr(line, '=');

    if (value == NULL)
        return;
    *value++ = '\0';
    const char *name = trim(line);
    value = trim(value);
    value[strcspn(value, BLANKS)] = '\0';
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (strcmp(name, wanted[i].name) == 0 && value[0] != '\0')
            *wanted[i].at = arena_text(search->arena, bytes_of_text(value));
}

/* Indented lines belong to nested settings ("s3 =" and what follows), of which none is ours. */
static void lines_take(struct search *search, FILE *file, bool config, bool *cut)
{
    char line[PROFILE_LINE_MOST];
    bool inside = false;

    *cut = false;
    while (!*cut && fgets(line, sizeof line, file) != NULL) {
        *cut = strlen(line) == sizeof line - 1;
        if (line[0] == '[') {
            inside = section_is(line, config, search->profile);
            search->found |= inside;
        } else if (inside && strchr(BLANKS "#;", line[0]) == NULL) {
            value_take(search, line);
        }
    }
}

static bool file_search(struct search *search, const char *path, bool config, bool *whole,
                        struct err *err)
{
    FILE *file = fopen(path, "re");
    bool cut;

    *whole = false;
    search->keys = (struct profile_keys){0};
    if (file == NULL)
        return errno == ENOENT || errno == ENOTDIR ||
               err_fail(err, ERR_CONFIG, "%s: %s", path, strerror(errno));
    lines_take(search, file, config, &cut);
    bool failed = ferror(file) != 0;
    fclose(file);
    if (failed || cut)
        return err_fail(err, ERR_CONFIG, "%s: %s", path,
                        cut ? "a line is too long" : "cannot be read");
    const char *where = arena_text(
        search->arena, arena_printf(search->arena, "profile %s in %s", search->profile, path));
    return keys_judge(&search->keys, where, whole, err);
}

/* --- the places, in order */

/* What the variable names, or the leaf of ~/.aws; NULL without a home. */
static const char *usual_file(struct arena *arena, const char *variable, const char *leaf)
{
    const char *home = environment("HOME");

    if (environment(variable) != NULL)
        return environment(variable);
    return home == NULL ? NULL : arena_text(arena, arena_printf(arena, "%s/.aws/%s", home, leaf));
}

static bool files_search(struct search *search, const char *named, bool *whole, struct err *err)
{
    const char *credentials =
        is_given(named) ? named
                        : usual_file(search->arena, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
    const char *config =
        is_given(named) ? NULL : usual_file(search->arena, "AWS_CONFIG_FILE", "config");

    if (credentials != NULL && !file_search(search, credentials, false, whole, err))
        return false;
    if (*whole || config == NULL)
        return true;
    return file_search(search, config, true, whole, err);
}

static bool fail_without(const struct search *search, const struct profile_choice *choice,
                         struct err *err)
{
    const char *where = is_given(choice->file) ? choice->file : "~/.aws/credentials and config";

    if (search->found)
        return err_fail(err, ERR_CONFIG,
                        "profile %s in %s has no aws_access_key_id; keys of roles, single sign-on "
                        "and programs are not supported",
                        search->profile, where);
    if (search->named)
        return err_fail(err, ERR_CONFIG, "there is no profile %s in %s", search->profile, where);
    return err_fail(err, ERR_CONFIG,
                    "no keys for the S3 service: neither AWS_ACCESS_KEY_ID and "
                    "AWS_SECRET_ACCESS_KEY, nor profile %s in %s",
                    search->profile, where);
}

bool profile_keys_find(const struct profile_choice *choice, struct arena *arena,
                       struct profile_keys *out, struct err *err)
{
    const char *profile = is_given(choice->profile) ? choice->profile : environment("AWS_PROFILE");
    struct search search = {
        .arena = arena, .profile = profile != NULL ? profile : "default", .named = profile != NULL};
    bool whole = false;

    if (!is_given(choice->profile) && !is_given(choice->file) &&
        !environment_search(&search, &whole, err))
        return false;
    if (!whole && !files_search(&search, choice->file, &whole, err))
        return false;
    if (!whole)
        return fail_without(&search, choice, err);
    *out = search.keys;
    return true;
}
