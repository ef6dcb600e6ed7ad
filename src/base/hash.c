/* base/hash.c - XXH3, as libxxhash has it, with the widest registers that the processor has. */
#include "base/hash.h"

#include <xxh_x86dispatch.h>

uint64_t bytes_hash(struct bytes bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed_dispatch(bytes.data, bytes.size, seed);
}
