/* item/key.h - where an item lies: the hash of its partition key, and keys whose bytes compare as
 * the service compares values (spec/keys.md). Pure functions. */
#ifndef ITEM_KEY_H
#define ITEM_KEY_H

#include "base/buf.h"

enum key_type {
    KEY_S,
    KEY_N,
    KEY_B,
};

/* The first 8 bytes of MD5("Outliers" || value), as a number: the order of a Scan. `value` is the
 * text of an S, the data of a B, the number bytes of an N. */
uint64_t key_hash(struct bytes value);

/* Appends one key part in the form for composite keys: escaped and ended, so that parts can follow.
 */
void key_put_part(struct buf *out, enum key_type type, struct bytes value);

/* Appends what key_put_part() writes of each S or B that begins with `value`, as far as that is the
 * same for all of them. */
void key_put_beginning(struct buf *out, struct bytes value);

/* Reads one part back from the front of `*encoded`, which then begins behind it; the value is made
 * in the arena where it had to be unescaped. False for bytes that key_put_part() does not write. */
MUST_CHECK bool key_take_part(struct bytes *encoded, enum key_type type, struct arena *arena,
                              struct bytes *value);

#endif
