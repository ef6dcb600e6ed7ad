/* test/unit/settings.c - server/settings.h and server/address.h. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/address.h"
#include "server/settings.h"

#define ARGUMENTS_MOST 12

/* Reads and checks settings given as one text with blanks between the arguments. */
static bool settings_of(const char *arguments, struct settings *settings, struct err *err)
{
    static char text[512];
    char *argv[ARGUMENTS_MOST + 2] = {"serve"}, *rest = text;
    int argc = 1;

    snprintf(text, sizeof text, "%s", arguments);
    while (*rest != '\0' && argc <= ARGUMENTS_MOST) {
        argv[argc++] = rest;
        rest += strcspn(rest, " ");
        if (*rest != '\0')
            *rest++ = '\0';
    }
    settings_init(settings);
    return settings_read(settings, argc, argv, err) && settings_check(settings, err);
}

static void test_defaults(void **state)
{
    struct settings settings;
    struct err err;

    (void)state;
    assert_true(settings_of("--data d", &settings, &err));
    assert_string_equal(settings.data, "d");
    assert_string_equal(settings.listen, "127.0.0.1:8000");
    assert_string_equal(settings.region, "us-east-1");
    assert_string_equal(settings.account, "000000000000");
    assert_string_equal(settings.buckets, "d/buckets");
    assert_null(settings.s3_endpoint);
    assert_null(settings.credentials);
    assert_int_equal(settings.durability, DURABILITY_SYNC);
    assert_int_equal(settings.memory, 256 << 20);
    assert_true(settings.loops > 0);
    assert_int_equal(settings.s3_encryption, S3_ENCRYPTION_ON);
    assert_false(settings.insecure);
    settings_release(&settings);
}

static void test_values(void **state)
{
    struct settings settings;
    struct err err;

    (void)state;
    assert_true(settings_of("--data=d --durability relaxed --memory 3G --loops 7 --s3-style=host "
                            "--s3-encryption off",
                            &settings, &err));
    assert_int_equal(settings.durability, DURABILITY_RELAXED);
    assert_int_equal(settings.memory, (size_t)3 << 30);
    assert_int_equal(settings.loops, 7);
    assert_int_equal(settings.s3_style, S3_STYLE_HOST);
    assert_int_equal(settings.s3_encryption, S3_ENCRYPTION_OFF);
    settings_release(&settings);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *arguments, *message; /* a part of it */
    } cases[] = {
        {"", "--data DIR is missing"},
        {"--data", "option '--data' wants a value"},
        {"--data d --colour red", "unknown option '--colour'"},
        {"--data d extra", "'extra' is no option"},
        {"--data d --durability often", "sync|relaxed is wanted"},
        {"--data d --memory 12X", "a size like"},
        {"--data d --memory 99999999999G", "a size like"},
        {"--data d --memory 0", "a size like"},
        {"--data d --loops 0", "a whole number"},
        {"--data d --loops -1", "a whole number"},
        {"--data d --loops 2x", "a whole number"},
        {"--data d --account 12", "12 digits"},
        {"--data d --region EU", "is no region"},
        {"--data d --tls-cert c", "go together"},
        {"--data d --tls-key k", "go together"},
        {"--data d --buckets b --s3-endpoint http://s", "exclude each other"},
        {"--data d --export-share 51", "--export-share 51: 1 to 50 percent are wanted"},
        {"--data d --listen 0.0.0.0:1", "refusing to listen on 0.0.0.0:1 without credentials"},
        {"--data d --listen [::]:1", "refusing to listen"},
        {"--data d --listen example.org:1", "is no address"},
        {"--data d --config /nowhere/gramme.conf", "cannot be read"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct settings settings;
        struct err err = {.code = ERR_NONE};
        assert_false(settings_of(cases[i].arguments, &settings, &err));
        assert_int_equal(err.code, ERR_CONFIG);
        if (strstr(err.message, cases[i].message) == NULL)
            fail_msg("%s: %s", cases[i].arguments, err.message);
        settings_release(&settings);
    }
}

static void test_reach(void **state)
{
    static const char *const cases[] = {
        "--data d --listen 0.0.0.0:1 --insecure", "--data d --listen 0.0.0.0:1 --credentials c",
        "--data d --listen 127.8.8.8:1",          "--data d --listen [::1]:1",
        "--data d --listen localhost:0",
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct settings settings;
        struct err err;
        if (!settings_of(cases[i], &settings, &err))
            fail_msg("%s: %s", cases[i], err.message);
        settings_release(&settings);
    }
}

/* Settings that come from a file with this text, and behind it from the command line. */
static bool settings_of_file(const char *text, const char *more, struct settings *settings,
                             struct err *err)
{
    char path[] = "/tmp/gramme-settings-XXXXXX", arguments[256];
    int file = mkstemp(path);

    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    close(file);
    snprintf(arguments, sizeof arguments, "--config %s %s", path, more);
    bool ok = settings_of(arguments, settings, err);
    unlink(path);
    return ok;
}

static void test_file(void **state)
{
    struct settings settings;
    struct err err;

    (void)state;
    assert_true(settings_of_file("# ours\ndata = /srv/gramme\nmemory = 1G\ninsecure = yes\n"
                                 "region = eu-west-1\n",
                                 "--region us-west-2", &settings, &err));
    assert_string_equal(settings.data, "/srv/gramme");
    assert_int_equal(settings.memory, 1 << 30);
    assert_true(settings.insecure);
    assert_string_equal(settings.region, "us-west-2");
    settings_release(&settings);
}

static void test_file_refusals(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"data = d\ncolour = red\n", "line 2: there is no setting 'colour'"},
        {"data = d\nconfig = other\n", "line 2: there is no setting 'config'"},
        {"[server]\ndata = d\n", "line 2: there is no setting 'server.data'"},
        {"data = d\nloops = many\nmemory = x\n", "line 2: 'many' does not suit"},
        {"data = d\ninsecure = perhaps\n", "yes or no"},
        {"data\n", "line 1: this is not"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct settings settings;
        struct err err = {.code = ERR_NONE};
        assert_false(settings_of_file(cases[i].text, "", &settings, &err));
        if (strstr(err.message, cases[i].message) == NULL)
            fail_msg("%s: %s", cases[i].text, err.message);
        settings_release(&settings);
    }
}

static void test_address(void **state)
{
    static const struct {
        const char *text;
        bool good, loopback;
    } cases[] = {
        {"127.0.0.1:8000", true, true},
        {"10.1.2.3:80", true, false},
        {"[::1]:65535", true, true},
        {"[fe80::1]:1", true, false},
        {"0.0.0.0:0", true, false},
        {"localhost:1", true, true},
        {"127.0.0.1", false, false},
        {":8000", false, false},
        {"127.0.0.1:", false, false},
        {"127.0.0.1:65536", false, false},
        {"127.0.0.1:1x", false, false},
        {"::1:80", false, false},
        {"[]:80", false, false},
        {"[:80", false, false},
        {"", false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct address address;
        struct err err;
        if (address_read(cases[i].text, &address, &err) != cases[i].good)
            fail_msg("%s", cases[i].text);
        if (cases[i].good)
            assert_int_equal(address_loopback(&address), cases[i].loopback);
    }
}

static void test_description(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text);
    settings_describe(&text);
    buf_put_u8(&text, '\0');
    assert_non_null(strstr((char *)text.data, "  --data DIR"));
    assert_non_null(strstr((char *)text.data, "[127.0.0.1:8000]"));
    for (char *line = (char *)text.data; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        assert_true(strcspn(line, "\n") <= 100);
    }
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_values),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_reach),
        cmocka_unit_test(test_file),     cmocka_unit_test(test_file_refusals),
        cmocka_unit_test(test_address),  cmocka_unit_test(test_description),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
