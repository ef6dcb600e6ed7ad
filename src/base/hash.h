/* base/hash.h - a fast hash of bytes, for tables in memory, lock numbers and scratch files: nothing
 * that it gives outlives the process. Pure functions. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/bytes.h"

/* 64 bits of XXH3. */
uint64_t bytes_hash(struct bytes bytes, uint64_t seed);

#endif
