/* item/json.h - items between DynamoDB JSON and the packed form, in one pass each way and without a
 * tree in between. One thread at a time per reader and buf. */
#ifndef ITEM_JSON_H
#define ITEM_JSON_H

#include "item/codec.h"
#include "json/reader.h"

/* An item as it came in a request: packed, or what is wrong with it. The service tells wrong JSON
 * types (SerializationException) before anything else in the request, and bad values
 * (ValidationException) only when their turn comes; so the former fail the read and the latter are
 * kept here. */
struct item_read {
    struct bytes packed; /* in the arena; if `invalid` only the names in it are what was sent */
    struct err *invalid; /* in the arena: ERR_VALIDATION with the service's message, or NULL */
    struct bytes older;  /* what operations say of it that keep the older wording; or none */
    struct bytes invalid_name; /* the attribute that holds the bad value; of a value: none */
};

/* Reads {"name": {"S": ...}, ...} as an item. Size and key schema are not judged here. */
MUST_CHECK bool item_read_json(struct json_reader *reader, struct item_read *out, struct err *err);

/* Reads {"S": ...} as one value: `packed` is what value_read() takes. */
MUST_CHECK bool value_read_json(struct json_reader *reader, struct item_read *out, struct err *err);

/* Appends {"name":{"S":...},...}, attributes in order of their names. Returns item_size(), which
 * costs next to nothing on the way. */
uint64_t item_write_json(struct bytes item, struct buf *out);

/* The same with the named attributes first (an export's lines: partition key, sort key). */
uint64_t item_write_json_led(struct bytes item, const struct bytes *first, size_t count,
                             struct buf *out);

/* The named attributes alone, in their order. */
void item_write_json_only(struct bytes item, const struct bytes *names, size_t count,
                          struct buf *out);

/* Appends {"S":...}. Returns value_size(). */
uint64_t value_write_json(const struct value *value, struct buf *out);

#endif
