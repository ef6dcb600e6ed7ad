/* test/support/stand_in.c - starts the process and talks to it. */
#include "support/stand_in.h"

#include "support/check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/http_client.h"

static void child(int input, int output, const char *tls_folder)
{
    char script[512];

    snprintf(script, sizeof script, "%s/s3_stand_in.py", getenv("SUPPORT"));
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    execlp("python3", "python3", script, tls_folder == NULL ? NULL : "--tls", tls_folder, NULL);
    _exit(127);
}

/* The line that it prints once it serves. */
static void url_read(struct stand_in *stand_in, int from)
{
    size_t size = 0;

    do {
        assert_true(size < sizeof stand_in->url);
        assert_int_equal(read(from, stand_in->url + size, 1), 1);
    } while (stand_in->url[size++] != '\n');
    stand_in->url[size - 1] = '\0';
    close(from);
}

void stand_in_start(struct stand_in *stand_in, const char *tls_folder, const char *ca_file)
{
    int to[2], from[2];

    assert_non_null(getenv("SUPPORT"));
    assert_int_equal(pipe2(to, O_CLOEXEC), 0);
    assert_int_equal(pipe2(from, O_CLOEXEC), 0);
    stand_in->process = fork();
    assert_true(stand_in->process >= 0);
    if (stand_in->process == 0)
        child(to[0], from[1], tls_folder);
    close(to[0]);
    close(from[1]);
    stand_in->lifeline = to[1];
    stand_in->ca_file = ca_file;
    url_read(stand_in, from[0]);
    stand_in->client = http_client_new(
        &(struct http_client_settings){.ca_file = ca_file, .connect_s = 60, .stall_s = 60});
}

void stand_in_stop(struct stand_in *stand_in)
{
    http_client_free(stand_in->client);
    close(stand_in->lifeline);
    assert_int_equal(waitpid(stand_in->process, NULL, 0), stand_in->process);
}

static void call(struct stand_in *stand_in, const char *method, const char *what, const char *text,
                 struct buf *out)
{
    char url[128];
    struct http_answer answer;
    struct err err = {0};

    snprintf(url, sizeof url, "%s/-/%s", stand_in->url, what);
    http_answer_init(&answer);
    if (http_client_call(
            stand_in->client,
            &(struct http_call){.method = method, .url = url, .body = bytes_of_text(text)}, &answer,
            &err) != HTTP_ANSWERED)
        fail_msg("%s", err.message);
    assert_int_equal(answer.status, 200);
    if (out != NULL)
        buf_put_bytes(out, buf_bytes(&answer.body));
    http_answer_release(&answer);
}

void stand_in_tell(struct stand_in *stand_in, const char *what, const char *text)
{
    call(stand_in, "PUT", what, text, NULL);
}

const char *stand_in_ask(struct stand_in *stand_in, const char *what, struct buf *answer)
{
    buf_clear(answer);
    call(stand_in, "GET", what, "", answer);
    buf_put_u8(answer, '\0');
    return (const char *)answer->data;
}
