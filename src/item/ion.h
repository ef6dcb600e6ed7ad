/* item/ion.h - items between Ion text, as exports have it (spec/export.md 4.2), and the packed
 * form, in one pass each way and without a tree in between. One thread at a time per reader and
 * buf. */
#ifndef ITEM_ION_H
#define ITEM_ION_H

#include "base/arena.h"
#include "item/codec.h"
#include "item/number.h"

/* Each appends {name:value,...} and returns item_size(): attributes in order of their names; with
 * the named ones first; the named ones alone. */
uint64_t item_write_ion(struct bytes item, struct buf *out);
uint64_t item_write_ion_led(struct bytes item, const struct bytes *first, size_t count,
                            struct buf *out);
void item_write_ion_only(struct bytes item, const struct bytes *names, size_t count,
                         struct buf *out);

/* Appends the text of a value; of a number; of a field's name, quoted where it has to be. */
uint64_t value_write_ion(const struct value *value, struct buf *out);
void ion_put_number(struct buf *out, struct bytes encoded);
void ion_put_name(struct buf *out, struct bytes name);

/* Whether a field's name needs no quotes. */
bool ion_name_is_bare(struct bytes name);

/* Reads what these write and what else means the same (other escapes, `0.420d2`, fields in another
 * order), strictly: no blanks, no comments, no ints, no type that an item has not. Text and arena
 * must outlive what was read. A failure is ERR_CORRUPT and leaves the reader where nothing more may
 * be read. */
struct ion_reader {
    const uint8_t *next, *end;
    struct arena *arena;
};
void ion_reader_init(struct ion_reader *reader, struct bytes text, struct arena *arena);

/* A struct as an item, valid but for its size, which is not judged here; in the arena. */
MUST_CHECK bool item_read_ion(struct ion_reader *reader, struct bytes *out, struct err *err);

/* A decimal. */
MUST_CHECK bool ion_read_number(struct ion_reader *reader, struct number *out, struct err *err);

/* Steps over `text` if it comes next. */
bool ion_read_fixed(struct ion_reader *reader, struct bytes text);

#endif
