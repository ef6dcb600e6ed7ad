/* api/consumed.c - capacity, counted and told. Nothing is counted that nobody asked for. */
#include "api/consumed.h"

#define READ_UNIT  4096 /* bytes that one unit reads */
#define WRITE_UNIT 1024

struct consumed consumed_of(struct bytes name, const struct table *table, uint64_t times)
{
    return (struct consumed){.name = name, .table = table, .times = times};
}

/* --- counting --------------------------------------------------------------------------------- */

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

static uint64_t capacity_of_change(const struct index_change *change)
{
    if (!change->changed)
        return 0;
    if (change->moved)
        return capacity_of_write(change->old_size, 0) + capacity_of_write(0, change->new_size);
    return capacity_of_write(change->old_size, change->new_size);
}

void consume_write(struct consumed *consumed, const struct write *write)
{
    uint64_t before = write->old.size > 0 ? item_size(write->old) : 0;
    uint64_t after = write->kind == WRITE_PUT ? item_size(write->item) : 0;

    consumed->halves += consumed->times * capacity_of_write(before, after);
    for (uint32_t i = 0; i < write->table->index_count; i++)
        consumed->indexes[i] += consumed->times * capacity_of_change(&write->indexes[i]);
}

/* --- telling ---------------------------------------------------------------------------------- */

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

/* Which kind it is only transactions tell (dynamodb-conformance). */
static void put_unit_kinds(struct buf *out, uint64_t halves, const char *kind)
{
    put_units(out, "CapacityUnits", halves);
    if (kind != NULL)
        put_units(out, kind, halves);
}

static void put_indexes(struct buf *out, const struct consumed *consumed, bool local,
                        const char *kind)
{
    bool any = false;

    for (uint32_t i = 0; i < consumed->table->index_count; i++) {
        const struct table_index *index = &consumed->table->indexes[i];
        if (consumed->indexes[i] == 0 || index->local != local)
            continue;
        if (!any) {
            put_member(out, local ? "LocalSecondaryIndexes" : "GlobalSecondaryIndexes");
            buf_put_literal(out, "{");
        }
        any = true;
        put_name(out, index->name);
        buf_put_literal(out, "{");
        put_unit_kinds(out, consumed->indexes[i], kind);
        buf_put_literal(out, "}");
    }
    if (any)
        buf_put_literal(out, "}");
}

static uint64_t sum_of(const struct consumed *consumed)
{
    uint64_t sum = consumed->halves;

    for (uint32_t i = 0; i < consumed->table->index_count; i++)
        sum += consumed->indexes[i];
    return sum;
}

static void put_one(struct request *request, const struct consumed *consumed, const char *kind)
{
    struct buf *out = &request->reply;

    buf_put_literal(out, "{");
    put_text_member(out, "TableName", consumed->name);
    put_unit_kinds(out, sum_of(consumed), kind);
    if (request_is(request, "ReturnConsumedCapacity", "INDEXES")) {
        put_member(out, "Table");
        buf_put_literal(out, "{");
        put_unit_kinds(out, consumed->halves, kind);
        buf_put_literal(out, "}");
        put_indexes(out, consumed, true, kind);
        put_indexes(out, consumed, false, kind);
    }
    buf_put_literal(out, "}");
}

void put_consumed(struct request *request, const struct consumed *consumed)
{
    put_one(request, consumed, NULL);
}

void put_consumed_member(struct request *request, const struct consumed *consumed)
{
    if (!capacity_wanted(request))
        return;
    put_member(&request->reply, "ConsumedCapacity");
    put_one(request, consumed, NULL);
}

void put_consumed_list(struct request *request, const struct consumed *all, size_t count,
                       const char *kind)
{
    struct buf *out = &request->reply;

    put_member(out, "ConsumedCapacity");
    buf_put_literal(out, "[");
    for (size_t i = 0; i < count; i++) {
        put_comma(out);
        put_one(request, &all[i], kind);
    }
    buf_put_literal(out, "]");
}

void put_consumed_of_write(struct request *request, const struct write *write)
{
    if (!capacity_wanted(request))
        return;
    struct consumed consumed = consumed_of(request_text(request, "TableName"), write->table, 1);
    consume_write(&consumed, write);
    put_consumed_member(request, &consumed);
}
