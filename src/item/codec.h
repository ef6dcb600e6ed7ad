/* item/codec.h - an item at rest: a version byte, then the attributes sorted by name, so that equal
 * items have equal bytes and the change log compares images without decoding them. A byte once
 * written keeps its meaning for ever; a new layout is a new version. See doc/item-format.md.
 * Catalogue records are items too. An item is a `struct bytes`; these functions read it in place
 * and copy nothing. Pure functions on what the caller owns. */
#ifndef ITEM_CODEC_H
#define ITEM_CODEC_H

#include "base/buf.h"
#include "base/err.h"

enum value_type {
    VALUE_S,
    VALUE_N,
    VALUE_B,
    VALUE_BOOL,
    VALUE_NULL,
    VALUE_SS,
    VALUE_NS,
    VALUE_BS,
    VALUE_L,
    VALUE_M,
};

/* One value inside an encoded item. */
struct value {
    enum value_type type;
    bool truth;           /* BOOL */
    uint32_t count;       /* members of a set, elements of an L, attributes of an M */
    struct bytes content; /* S: text; N: number bytes; B: data; sets, L, M: the encoded members */
    struct bytes encoded; /* all of it: equal values have equal bytes */
};

/* The service's levels of nesting: an attribute is on the first, and what an L or M holds is one
 * deeper (dynamodb-conformance, nesting depth, recorded 2026-06: a leaf on level 32 is taken). */
#define ITEM_DEPTH_MOST 32
#define ITEM_SIZE_MOST  (400 * 1024) /* by item_size() */

/* The service's bound on attribute names, in bytes of UTF-8 (developer guide, "Naming rules"). */
#define ITEM_NAME_MOST 65535

/* Whether bytes are an item that item_finish() or the JSON reader would write: the right version,
 * lengths that fit, names and set members in strict order, depth, numbers and UTF-8 as they must
 * be. */
MUST_CHECK bool item_check(struct bytes item, struct err *err);

/* The value of one attribute; false if there is none. The item is a valid one. */
bool item_find(struct bytes item, struct bytes name, struct value *out);

/* Walks the attributes of an item, in order of their names. */
struct item_walk {
    const uint8_t *next, *end;
};
struct item_walk item_walk(struct bytes item);
bool item_next(struct item_walk *walk, struct bytes *name, struct value *out);
uint32_t item_attributes(struct bytes item); /* how many */

/* Walks the attributes of an item with some of them in front, in their order; the others follow in
 * the order of their names, or not at all (`only`). Of those in front the item may lack some. The
 * names are borrowed. */
struct item_led {
    struct bytes item;
    const struct bytes *first;
    size_t count, at;
    struct item_walk rest;
};
struct item_led item_led(struct bytes item, const struct bytes *first, size_t count, bool only);
bool item_led_next(struct item_led *led, struct bytes *name, struct value *out);

/* Walks the members of a set or the elements of an L (value_next), the attributes of an M
 * (item_next). */
struct item_walk value_walk(const struct value *value);
bool value_next(struct item_walk *walk, struct value *out);

/* The value of one attribute of an M; false if there is none. */
bool value_find(const struct value *map, struct bytes name, struct value *out);

/* Writes an item straight to the end of a buf: item_open(), then its attributes in the order of
 * their names, each a name and a value. An encoded value is put as it is; a number, text or data by
 * itself; a set, L or M by opening it, putting its members in their order, and closing it with what
 * value_open() returned. value_read() is the value that begins such bytes. */
void item_open(struct buf *out);
void value_put_name(struct buf *out, struct bytes name);
void value_put_number(struct buf *out, struct bytes number);
void value_put_data(struct buf *out, enum value_type type, struct bytes data); /* S or B */
size_t value_open(struct buf *out);
void value_close(struct buf *out, size_t opened, enum value_type type, uint32_t count);
struct value value_read(struct bytes encoded);

/* Makes an item attribute by attribute, in any order, each name once. For records of our own:
 *
 *     struct item_maker maker;
 *     item_begin(&maker, arena);
 *     item_put_text(&maker, "TableName", name);
 *     item_put_integer(&maker, "Shards", 4);
 *     record = item_finish(&maker);
 */
struct item_maker {
    struct buf attributes; /* as they came */
    struct item_part *parts;
    uint32_t count, capacity;
};
void item_begin(struct item_maker *maker, struct arena *arena);
void item_put_text(struct item_maker *maker, const char *name, struct bytes text);
void item_put_data(struct item_maker *maker, const char *name, struct bytes data);
void item_put_integer(struct item_maker *maker, const char *name, int64_t value);
void item_put_flag(struct item_maker *maker, const char *name, bool value);
/* A value out of another item, as it is. */
void item_put_value(struct item_maker *maker, struct bytes name, const struct value *value);
/* An M whose content is another finished item, and an L of such. */
void item_put_item(struct item_maker *maker, const char *name, struct bytes item);
void item_put_items(struct item_maker *maker, const char *name, const struct bytes *items,
                    uint32_t count);
struct bytes item_finish(struct item_maker *maker); /* in the arena */

/* Readers for records of our own: what is absent or of another type gives the fallback. Borrowed.
 */
struct bytes item_text(struct bytes item, const char *name); /* S or B; none: BYTES_NONE */
int64_t item_integer(struct bytes item, const char *name, int64_t fallback);
bool item_flag(struct bytes item, const char *name); /* none: false */
/* An M as an item in the arena (none: BYTES_NONE); an L of M likewise, returns how many. */
struct bytes item_item(struct bytes item, const char *name, struct arena *arena);
uint32_t item_items(struct bytes item, const char *name, struct arena *arena, struct bytes **out);

/* The service's size of an item (spec/export.md 5.2), which the 400 KB and all billing go by. */
uint64_t item_size(struct bytes item);
uint64_t value_size(const struct value *value);

#endif
