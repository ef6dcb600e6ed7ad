/* archive/export_window.c - the checks of a window, in the service's order; all is told in whole
 * seconds, and so all is compared in whole seconds. */
#include "archive/export_window.h"

#include <time.h>

#include "base/clock.h"

#define TIME_TEXT_SIZE 32

/* yyyy-MM-ddTHH:mm:ssZ */
static const char *time_text(uint64_t seconds, char to[TIME_TEXT_SIZE])
{
    time_t time = (time_t)seconds;
    struct tm utc;

    gmtime_r(&time, &utc);
    strftime(to, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return to;
}

bool export_window_check(const struct export_request *request, uint64_t least, uint64_t now,
                         struct export_window *out, struct err *err)
{
    struct export_window window = {
        .from = request->from_ms / 1000,
        .to = request->window_to ? request->to_ms / 1000 : now / SECOND_MICROS,
    };
    char text[TIME_TEXT_SIZE];

    if (window.from < least / SECOND_MICROS)
        return err_fail(err, ERR_INVALID_EXPORT_TIME,
                        "Incremental export period from time cannot be less than the table "
                        "creation time : %s",
                        time_text(window.from, text));
    if (window.to > now / SECOND_MICROS)
        return err_fail(err, ERR_INVALID_EXPORT_TIME,
                        "Incremental export period to time cannot be greater than the current "
                        "time : %s",
                        time_text(window.to, text));
    if (window.from >= window.to)
        return err_fail(err, ERR_INVALID_EXPORT_TIME,
                        "Incremental export period from time should not be greater or equal to "
                        "incremental export period to time");
    if (window.to - window.from < EXPORT_WINDOW_LEAST_S)
        return err_fail(err, ERR_INVALID_EXPORT_TIME,
                        "Difference between export period from time and export period to time is "
                        "less than 15 minutes");
    if (window.to - window.from > EXPORT_WINDOW_MOST_S)
        return err_fail(err, ERR_INVALID_EXPORT_TIME,
                        "Difference between export period from time and export period to time is "
                        "greater than 24 hours");
    *out = window;
    return true;
}
