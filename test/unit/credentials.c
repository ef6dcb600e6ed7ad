/* test/unit/credentials.c - what a credentials file may look like, and what is refused. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/credentials.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static char path[] = "/tmp/gramme-credentials-XXXXXX";

static void file_write(const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void finds_every_pair(void **state)
{
    struct bytes secret = BYTES_NONE;
    struct err err;

    (void)state;
    file_write("# ours\n[default]\naws_access_key_id = AKIAB\naws_secret_access_key = s/+=2\n"
               "region = eu-west-1\n\n[other]\nsecret_access_key=s1\naccess_key_id=AKIAA\n",
               0600);
    struct credentials *credentials = credentials_open(path, &err);
    assert_non_null(credentials);
    assert_int_equal(credentials_count(credentials), 2);
    assert_true(credentials_find(credentials, BYTES("AKIAA"), &secret));
    assert_bytes_equal(secret, BYTES("s1"));
    assert_true(credentials_find(credentials, BYTES("AKIAB"), &secret));
    assert_bytes_equal(secret, BYTES("s/+=2"));
    assert_false(credentials_find(credentials, BYTES("AKIA"), &secret));
    assert_false(credentials_find(credentials, BYTES("AKIAA\0"), &secret));
    assert_false(credentials_find(credentials, BYTES_NONE, &secret));
    credentials_close(credentials);
}

static void refuses_with_a_sentence(void **state)
{
    static const struct {
        const char *text;
        mode_t mode;
        const char *why;
    } cases[] = {
        {"[a]\naws_access_key_id=K\naws_secret_access_key=s\n", 0640, "chmod 600"},
        {"[a]\naws_access_key_id=K\naws_secret_access_key=s\n", 0604, "mode 604"},
        {"", 0600, "holds no access key"},
        {"[a]\nregion=x\n", 0600, "holds no access key"},
        {"[a]\naws_access_key_id=K\n", 0600, "[a] has no aws_secret_access_key"},
        {"[a]\naws_secret_access_key=s\n[b]\naws_access_key_id=K\n", 0600,
         "[a] has no aws_access_key_id"},
        {"[a]\naws_access_key_id=K\naws_secret_access_key=\n", 0600, "empty or overlong"},
        {"[a]\naws_access_key_id=K\naws_access_key_id=L\n", 0600, "more than one pair"},
        {"[a]\naws_access_key_id=K/L\n", 0600, "word characters"},
        {"[a]\naws_access_key_id=K\naws_secret_access_key=s\n[b]\naws_access_key_id=K\n"
         "aws_secret_access_key=t\n",
         0600, "repeats the access key"},
        {"[a]\nnonsense\n", 0600, "line 2"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        file_write(cases[i].text, cases[i].mode);
        assert_null(credentials_open(path, &err));
        assert_int_equal(err.code, ERR_CONFIG);
        if (strstr(err.message, cases[i].why) == NULL || strstr(err.message, path) == NULL)
            fail_msg("%s: %s", cases[i].text, err.message);
    }
}

static void refuses_what_is_no_file(void **state)
{
    struct err err;

    (void)state;
    assert_null(credentials_open("/tmp", &err));
    assert_null(credentials_open("/nonexistent/credentials", &err));
    assert_non_null(strstr(err.message, "No such file"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_every_pair),
        cmocka_unit_test(refuses_with_a_sentence),
        cmocka_unit_test(refuses_what_is_no_file),
    };
    int file = mkstemp(path);

    if (file < 0)
        return 1;
    close(file);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
