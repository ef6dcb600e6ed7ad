/* base/log.c - a line is put together first, so that lines of several threads do not mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

static struct {
    void (*write)(void *context, const char *line);
    void *context;
} sink;

void log_to(void (*write)(void *context, const char *line), void *context)
{
    sink.write = write;
    sink.context = context;
}

void log_line(const char *format, ...)
{
    char line[2048];
    struct tm tm;
    uint64_t now = clock_micros();
    time_t seconds = (time_t)(now / 1000000);
    va_list args;

    gmtime_r(&seconds, &tm);
    size_t length = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &tm);
    length += (size_t)snprintf(line + length, sizeof line - length, ".%03uZ ",
                               (unsigned)(now / 1000 % 1000));
    va_start(args, format);
    int more = vsnprintf(line + length, sizeof line - length - 1, format, args);
    va_end(args);
    length += more < 0 ? 0 : (size_t)more;
    if (length > sizeof line - 2)
        length = sizeof line - 2;
    for (size_t i = 0; i < length; i++) {
        if (line[i] == '\n' || line[i] == '\r')
            line[i] = ' ';
    }
    line[length] = '\0';
    if (sink.write != NULL) {
        sink.write(sink.context, line);
        return;
    }
    line[length] = '\n';
    if (write(STDERR_FILENO, line, length + 1) < 0)
        return; /* nowhere left to say so */
}
