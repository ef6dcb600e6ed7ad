/* base/random.c - getrandom(2), called until it has given everything. */
#include "base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void random_fill(void *to, size_t size)
{
    for (uint8_t *next = to; size > 0;) {
        ssize_t got = getrandom(next, size, 0);
        if (got < 0 && errno != EINTR)
            abort();
        if (got > 0) {
            next += got;
            size -= (size_t)got;
        }
    }
}

void random_uuid(char to[UUID_TEXT_SIZE])
{
    uint8_t b[16];

    random_fill(b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* version 4, RFC 9562 */
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(to, UUID_TEXT_SIZE,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}
