/* api/reply.c - pieces of replies, put straight into the text: members and elements with their
 * commas, and the capacity that a request consumed. */
#include "api/api.h"

#include "json/writer.h"

#define READ_UNIT  4096 /* bytes that one unit reads */
#define WRITE_UNIT 1024

void put_comma(struct buf *out)
{
    uint8_t last = out->data[out->size - 1];

    if (last != '{' && last != '[')
        buf_put_u8(out, ',');
}

void put_member(struct buf *out, const char *name)
{
    put_comma(out);
    buf_put_u8(out, '"');
    buf_put_text(out, name);
    buf_put_literal(out, "\":");
}

void put_name(struct buf *out, struct bytes name)
{
    put_comma(out);
    json_put_string(out, name);
    buf_put_u8(out, ':');
}

void put_text_member(struct buf *out, const char *name, struct bytes text)
{
    put_member(out, name);
    json_put_string(out, text);
}

void put_integer_member(struct buf *out, const char *name, int64_t value)
{
    put_member(out, name);
    json_put_i64(out, value);
}

void put_flag_member(struct buf *out, const char *name, bool value)
{
    put_member(out, name);
    buf_put_text(out, value ? "true" : "false");
}

void put_time_member(struct buf *out, const char *name, uint64_t micros)
{
    put_member(out, name);
    json_put_time(out, micros);
}

void put_item_member(struct buf *out, const char *name, struct bytes item)
{
    put_member(out, name);
    item_write_json(item, out);
}

/* Whole units; what is not there costs one as well. */
static uint64_t units(uint64_t size, uint64_t unit)
{
    return size == 0 ? 1 : (size + unit - 1) / unit;
}

uint64_t capacity_of_read(uint64_t size, bool consistent)
{
    return units(size, READ_UNIT) * (consistent ? 2 : 1);
}

uint64_t capacity_of_write(uint64_t size_before, uint64_t size_after)
{
    return 2 * units(size_before > size_after ? size_before : size_after, WRITE_UNIT);
}

bool capacity_wanted(const struct request *request)
{
    return request_is(request, "ReturnConsumedCapacity", "TOTAL") ||
           request_is(request, "ReturnConsumedCapacity", "INDEXES");
}

static void put_units(struct buf *out, const char *name, uint64_t halves)
{
    put_member(out, name);
    buf_printf(out, "%llu.%c", (unsigned long long)(halves / 2), halves % 2 != 0 ? '5' : '0');
}

static void put_unit_kinds(struct buf *out, uint64_t halves, const char *kind)
{
    put_units(out, "CapacityUnits", halves);
    if (kind != NULL)
        put_units(out, kind, halves);
}

void put_capacity_split(struct request *request, struct bytes table, uint64_t halves,
                        const char *kind)
{
    struct buf *out = &request->reply;

    buf_put_literal(out, "{");
    put_text_member(out, "TableName", table);
    put_unit_kinds(out, halves, kind);
    if (request_is(request, "ReturnConsumedCapacity", "INDEXES")) {
        put_member(out, "Table");
        buf_put_literal(out, "{");
        put_unit_kinds(out, halves, kind);
        buf_put_literal(out, "}");
    }
    buf_put_literal(out, "}");
}

/* No split into reads and writes: only transactions tell that (dynamodb-conformance). */
void put_capacity(struct request *request, struct bytes table, uint64_t halves)
{
    put_capacity_split(request, table, halves, NULL);
}

void put_capacity_member(struct request *request, struct bytes table, uint64_t halves)
{
    if (!capacity_wanted(request))
        return;
    put_member(&request->reply, "ConsumedCapacity");
    put_capacity(request, table, halves);
}
