/* base/log.h - the operator's log: one line a record on standard error, or where a test sends it.
 * The sink is one of the two mutable globals of the process. Any thread. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/bytes.h"

/* Writes "<time> <format...>\n" in one piece. Line feeds inside are written as blanks. */
void log_line(const char *format, ...) PRINTF(1, 2);

/* Where lines go from now on; NULL: standard error again. Not while other threads log. */
void log_to(void (*sink)(void *context, const char *line), void *context);

#endif
