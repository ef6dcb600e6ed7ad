/* item/ion.h - items as Ion text, as exports have it (spec/export.md 4.2): straight from the packed
 * form, without a tree. One thread at a time per buf. */
#ifndef ITEM_ION_H
#define ITEM_ION_H

#include "item/codec.h"

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

#endif
