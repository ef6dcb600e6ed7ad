/* test/unit/profile.c - where the keys of an S3 service are looked for, in which order, and what is
 * refused. */
#include "support/check.h"
#include "support/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "net/profile.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static char home[FOLDER_PATH_MOST];

static void write_below(const char *leaf, const char *text)
{
    char path[FOLDER_PATH_MOST + 32];

    snprintf(path, sizeof path, "%s/%s", home, leaf);
    if (text == NULL)
        remove(path);
    else
        file_write(path, bytes_of_text(text));
}

static void set(const char *name, const char *value)
{
    if (value == NULL)
        unsetenv(name);
    else
        setenv(name, value, 1);
}

#define PAIR(name) "aws_access_key_id = A" name "\naws_secret_access_key=S" name "\n"

struct place {
    const char *credentials, *config;              /* files below ~/.aws; NULL: none */
    const char *access, *secret, *token, *profile; /* the environment; NULL: not set */
    struct profile_choice choice;
};

static bool find(const struct place *place, struct arena *arena, struct profile_keys *keys,
                 struct err *err)
{
    write_below(".aws/credentials", place->credentials);
    write_below(".aws/config", place->config);
    set("AWS_ACCESS_KEY_ID", place->access);
    set("AWS_SECRET_ACCESS_KEY", place->secret);
    set("AWS_SESSION_TOKEN", place->token);
    set("AWS_PROFILE", place->profile);
    return profile_keys_find(&place->choice, arena, keys, err);
}

static void assert_same(const char *a, const char *b)
{
    assert_string_equal(a == NULL ? "none" : a, b == NULL ? "none" : b);
}

static void the_first_place_wins(void **state)
{
    static const struct {
        struct place place;
        const char *access, *secret, *token;
    } cases[] = {
        {{.access = "AE", .secret = "SE", .token = "TE", .credentials = "[default]\n" PAIR("F")},
         "AE",
         "SE",
         "TE"},
        {{.access = "AE", .secret = "SE", .profile = "nowhere"}, "AE", "SE"},
        {{.access = "", .secret = "", .token = "TE", .credentials = "[default]\n" PAIR("F")},
         "AF",
         "SF"},
        {{.credentials = "[default]\n" PAIR("F"), .config = "[default]\n" PAIR("C")}, "AF", "SF"},
        {{.config = "[default]\n" PAIR("C")}, "AC", "SC"},
        {{.config = "[profile default]\n" PAIR("C")}, "AC", "SC"},
        {{.credentials = "[default]\nregion = x\n", .config = "[default]\n" PAIR("C")}, "AC", "SC"},
        {{.credentials = "[default]\n" PAIR("D") "[b]\n" PAIR("B"), .profile = "b"}, "AB", "SB"},
        {{.config = "[b]\n" PAIR("no") "[profile b]\n" PAIR("B"), .profile = "b"}, "AB", "SB"},
        {{.config = "[profile \"b c\"]\n" PAIR("B"), .profile = "b c"}, "AB", "SB"},
        {{.credentials = "[b]\n" PAIR("B"),
          .access = "AE",
          .secret = "SE",
          .choice = {.profile = "b"}},
         "AB",
         "SB"},
        {{.credentials = "[b]\n" PAIR("B"), .profile = "c", .choice = {.profile = "b"}},
         "AB",
         "SB"},
        /* what a file may look like */
        {{.credentials = "# one\n; two\n\n[ default ]  # three\r\naws_access_key_id\t=\tA/+=\r\n"
                         "aws_secret_access_key=S ; four\naws_session_token = T==\n"},
         "A/+=",
         "S",
         "T=="},
        {{.credentials = "[default]\n" PAIR("1") "[b]\n" PAIR("2") "[default]\n"
                                                                   "aws_session_token=T1"},
         "A1",
         "S1",
         "T1"},
        {{.credentials =
              "[default]\ns3 =\n  aws_access_key_id = no\n" PAIR("1") "nonsense\n[bad\n"
                                                                      "aws_access_key_id = no\n"},
         "A1",
         "S1"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct profile_keys keys = {0};
        struct arena arena;
        struct err err = {0};

        arena_init(&arena);
        if (!find(&cases[i].place, &arena, &keys, &err))
            fail_msg("case %zu: %s", i, err.message);
        assert_same(keys.access_key, cases[i].access);
        assert_same(keys.secret_key, cases[i].secret);
        assert_same(keys.session_token, cases[i].token);
        arena_release(&arena);
    }
}

static void refuses_with_a_sentence(void **state)
{
    static const struct {
        struct place place;
        const char *why;
    } cases[] = {
        {{0}, "neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, nor profile default"},
        {{.access = "AE", .credentials = "[default]\n" PAIR("F")},
         "AWS_SECRET_ACCESS_KEY) has the access key of a pair and not its secret key"},
        {{.secret = "SE"}, "has the secret key of a pair and not its access key"},
        {{.credentials = "[default]\naws_access_key_id = A\n"}, "profile default in "},
        {{.profile = "b", .credentials = "[default]\n" PAIR("D")}, "there is no profile b"},
        {{.choice = {.profile = "b"}, .access = "AE", .secret = "SE"}, "there is no profile b"},
        {{.config = "[default]\nrole_arn = x\n"}, "has no aws_access_key_id; keys of roles"},
        {{.choice = {.file = "/nowhere"}, .access = "AE", .secret = "SE"}, "in /nowhere"},
        {{.choice = {.file = "/"}}, "/: "},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct profile_keys keys;
        struct arena arena;
        struct err err = {0};

        arena_init(&arena);
        assert_false(find(&cases[i].place, &arena, &keys, &err));
        assert_int_equal(err.code, ERR_CONFIG);
        if (strstr(err.message, cases[i].why) == NULL)
            fail_msg("case %zu: %s", i, err.message);
        arena_release(&arena);
    }
}

static void files_may_lie_elsewhere(void **state)
{
    struct place place = {.config = "[default]\n" PAIR("C")};
    char path[FOLDER_PATH_MOST + 32];
    struct profile_keys keys;
    struct arena arena;
    struct err err;

    (void)state;
    arena_init(&arena);
    snprintf(path, sizeof path, "%s/other", home);
    write_below("other", "[default]\n" PAIR("O"));
    setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
    assert_true(find(&place, &arena, &keys, &err));
    assert_string_equal(keys.access_key, "AO");
    unsetenv("AWS_SHARED_CREDENTIALS_FILE");
    write_below("other", "[default]\n" PAIR("P"));
    setenv("AWS_CONFIG_FILE", path, 1);
    assert_true(find(&place, &arena, &keys, &err));
    assert_string_equal(keys.access_key, "AP");
    unsetenv("AWS_CONFIG_FILE");
    place.access = "AE", place.secret = "SE", place.choice.file = path;
    assert_true(find(&place, &arena, &keys, &err));
    assert_string_equal(keys.access_key, "AP");
    arena_release(&arena);
}

/* As long as tokens get, and one byte over what a line may have. */
static void lines_have_a_bound(void **state)
{
    static char text[PROFILE_LINE_MOST + 100], token[PROFILE_LINE_MOST];
    struct place place = {.credentials = text};
    struct profile_keys keys;
    struct arena arena;
    struct err err;

    (void)state;
    arena_init(&arena);
    memset(token, 'T', 4000);
    snprintf(text, sizeof text, "[default]\n" PAIR("1") "aws_session_token=%s\n", token);
    assert_true(find(&place, &arena, &keys, &err));
    assert_string_equal(keys.session_token, token);
    memset(token, 'T', sizeof token - 1);
    snprintf(text, sizeof text, "[default]\n" PAIR("1") "%s\n", token);
    assert_false(find(&place, &arena, &keys, &err));
    assert_non_null(strstr(err.message, "a line is too long"));
    arena_release(&arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_place_wins),
        cmocka_unit_test(refuses_with_a_sentence),
        cmocka_unit_test(files_may_lie_elsewhere),
        cmocka_unit_test(lines_have_a_bound),
    };
    char path[FOLDER_PATH_MOST + 32];

    folder_make(home);
    snprintf(path, sizeof path, "%s/.aws", home);
    mkdir(path, 0700);
    setenv("HOME", home, 1);
    unsetenv("AWS_SHARED_CREDENTIALS_FILE");
    unsetenv("AWS_CONFIG_FILE");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    folder_remove(home);
    return failed;
}
