/* base/stop.h - how whoever wants something long to end is asked, by what runs it: now and then,
 * and by several threads. */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include <stdbool.h>
#include <stddef.h>

struct stop {
    bool (*wanted)(void *context); /* NULL: never */
    void *context;
};

static inline bool stop_is_wanted(const struct stop *stop)
{
    return stop->wanted != NULL && stop->wanted(stop->context);
}

#endif
