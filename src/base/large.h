/* base/large.h - memory by the megabyte, for what is filled from one end to the other. In pages of
 * its own, so what is not written yet takes no room; in large ones where the system has them, since
 * a first touch of each 4 KiB is a good part of the price of short work. Any thread. */
#ifndef BASE_LARGE_H
#define BASE_LARGE_H

#include <stddef.h>

#define LARGE_PAGE ((size_t)2 * 1024 * 1024) /* of x86-64 and most others */

/* Never NULL: a process that cannot have it aborts. What is in it is not defined. */
void *large_new(size_t size);
void large_free(void *large); /* NULL is fine */

#endif
