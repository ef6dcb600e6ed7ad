/* base/large.c - large pages are asked for, and had where they begin and end at their own borders:
 * a rest behind the last border is in small ones. */
#include "base/large.h"

#include <stdlib.h>
#include <sys/mman.h>

void *large_new(size_t size)
{
    void *large = NULL;

    if (posix_memalign(&large, LARGE_PAGE, size) != 0)
        abort();
    madvise(large, size, MADV_HUGEPAGE); /* a wish: some systems have none */
    return large;
}

void large_free(void *large)
{
    free(large);
}
