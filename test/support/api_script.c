/* test/support/api_script.c - runs scripts. */
#include "support/api_script.h"

#include <stdlib.h>

#include "support/check.h"

#include "base/clock.h"
#include "base/log.h"

static void no_log(void *context, const char *line)
{
    (void)context;
    (void)line;
}

int script_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    clock_set(NOW);
    log_to(no_log, NULL);
    database_open(&fixture->database, engine_open_memory(&(struct memory_settings){0}));
    fixture->api = api_new(&(struct api_settings){.tables = fixture->database.tables});
    *state = fixture;
    return 0;
}

int script_teardown(void **state)
{
    struct fixture *fixture = *state;

    api_free(fixture->api);
    database_close(&fixture->database);
    free(fixture);
    log_to(NULL, NULL);
    clock_set(0);
    return 0;
}

/* What differs from run to run becomes a star. */
static void stars(char *text)
{
    for (char *id = text; (id = strstr(id, "\"TableId\":\"")) != NULL;) {
        id += strlen("\"TableId\":\"");
        memmove(id + 1, id + 36, strlen(id + 36) + 1);
        *id = '*';
    }
}

/* {"__type":"a#B","message":"c"} -> B: c */
static void error_shorten(char *text)
{
    char *type = strchr(text, '#'), *message = strstr(text, "essage\":\"");

    if (strncmp(text, "{\"__type\":", 10) != 0 || type == NULL)
        return;
    size_t name = strcspn(type + 1, "\"");
    memmove(text, type + 1, name);
    if (message == NULL) {
        text[name] = '\0';
        return;
    }
    message += strlen("essage\":\"");
    size_t length = strlen(message) - 2;
    memmove(text + name + 2, message, length);
    memcpy(text + name, ": ", 2);
    text[name + 2 + length] = '\0';
}

void script_run(void **state, const struct step *steps, size_t count)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < count; i++) {
        struct buf reply;
        buf_init(&reply);
        int status =
            api_call(fixture->api, steps[i].operation, bytes_of_text(steps[i].body), &reply);
        char *text = (char *)reply.data;
        stars(text);
        if (status != OK)
            error_shorten(text);
        if (status != steps[i].status ||
            (steps[i].reply != NULL && strcmp(text, steps[i].reply) != 0))
            fail_msg("step %zu: %s %s\n  answers %d %s\n  not     %d %s", i, steps[i].operation,
                     steps[i].body, status, text, steps[i].status,
                     steps[i].reply != NULL ? steps[i].reply : "(whatever)");
        buf_release(&reply);
    }
}
