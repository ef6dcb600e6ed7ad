/* base/err.c - the table of err.def as functions. */
#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

static const struct {
    const char *name, *wire;
    int status;
} table[ERR_CODES] = {
    [ERR_NONE] = {"NONE", NULL, 200},
#define ERR(name, status, wire) [ERR_##name] = {#name, wire, status},
#include "base/err.def"
#undef ERR
};

bool err_fail(struct err *err, enum err_code code, const char *format, ...)
{
    va_list args;

    assert(code != ERR_NONE && code < ERR_CODES);
    err->code = code;
    err->reason[0] = '\0';
    va_start(args, format);
    int size = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (size >= (int)sizeof err->message)
        text_end_whole(err->message);
    return false;
}

int err_status(enum err_code code)
{
    return table[code].status;
}

const char *err_wire(enum err_code code)
{
    return table[code].wire;
}

const char *err_name(enum err_code code)
{
    return table[code].name;
}
