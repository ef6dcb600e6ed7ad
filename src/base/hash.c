/* base/hash.c - XXH3, as libxxhash has it. */
#include "base/hash.h"

#include <xxhash.h>

uint64_t bytes_hash(struct bytes bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes.data, bytes.size, seed);
}
