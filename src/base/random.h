/* base/random.h - unpredictable bytes, and the ids made of them. Any thread. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include "base/bytes.h"

/* Fills from the kernel's generator; aborts if there is none. */
void random_fill(void *to, size_t size);

/* A version 4 UUID, 36 characters and a NUL. */
#define UUID_TEXT_SIZE 37
void random_uuid(char to[UUID_TEXT_SIZE]);

/* A fast sequence from a seed, for tests and simulations (splitmix64). */
static inline uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

#endif
