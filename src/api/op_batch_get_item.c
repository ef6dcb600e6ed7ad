/* api/op_batch_get_item.c - BatchGetItem: up to 100 items of several tables. What would make the
 * reply larger than 16 MB of items is not read and goes back as UnprocessedKeys. */
#include "api/consumed.h"
#include "api/expressions.h"

#define KEYS_MOST  100                          /* as the service allows */
#define ITEMS_MOST ((uint64_t)16 * 1024 * 1024) /* bytes of items in one reply, likewise */

static const struct field key_element = ELEMENT(FIELD_ITEM, TRAITS(FIELD_PARAMETERIZED));
static const struct field table_members[] = {
    REQUIRED("Keys", FIELD_LIST(key_element), LEAST(1), MOST(KEYS_MOST), TRAITS(FIELD_NEWER_FORM)),
    OPTIONAL("AttributesToGet", FIELD_ATTRIBUTES_TO_GET),
    OPTIONAL("ConsistentRead", FIELD_BOOLEAN),
    OPTIONAL("ProjectionExpression", FIELD_EXPRESSION(PROJECTION)),
    OPTIONAL("ExpressionAttributeNames", FIELD_NAMES),
    SHAPE_END,
};
static const struct field keys_of_table = ELEMENT(FIELD_STRUCT("KeysAndAttributes", table_members));

const struct field shape_batch_get_item[] = {
    OPTIONAL("ReturnConsumedCapacity", FIELD_ENUM(enum_consumed_capacity)),
    REQUIRED("RequestItems",
             FIELD_MAP("com.amazonaws.dynamodb.v20120810.KeysAndAttributes", keys_of_table),
             KEYS(element_table_name), TRAITS(FIELD_KEYS_FIRST)),
    SHAPE_END,
};

/* One table of the request, as it is answered. */
struct part {
    const struct value_node
        *node; /* what is asked of the table; its name is as the client gave it */
    struct expressions expressions;
    const struct table *table;
    const struct value_node *nodes; /* the keys */
    struct bytes *keys;             /* item keys */
    uint32_t count, done;           /* how many there are; how many were read */
    bool consistent;
    uint64_t halves;
};

struct batch {
    struct part *parts;
    uint32_t count;
    uint64_t size; /* of the items so far */
};

/* Equal keys have equal bytes. */
static bool is_twice(const struct value_node *keys, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++)
        if (bytes_equal(keys->members[i].item.packed, keys->members[at].item.packed))
            return true;
    return false;
}

/* That a key comes twice is told before its table is looked for (dynalite's batchGetItem tests). */
static bool keys_valid(const struct value_node *keys, uint32_t *total, struct err *err)
{
    struct bytes key;

    for (uint32_t i = 0; i < keys->kept; i++) {
        if (!node_item(&keys->members[i], &key, err))
            return false;
        if (is_twice(keys, i))
            return err_fail(err, ERR_VALIDATION, "Provided list of item keys contains duplicates");
        if (++*total > KEYS_MOST)
            return err_fail(err, ERR_VALIDATION,
                            "Too many items requested for the BatchGetItem call");
    }
    return true;
}

/* The request is one of either style, all its tables together (dynamodb-conformance,
 * error-messages/ batchGetItem); the words are those of one table's. */
static bool styles_check(const struct value_node *tables, struct err *err)
{
    bool newer = false, older = false;

    for (uint32_t i = 0; i < tables->kept; i++) {
        newer = newer || node_member(&tables->members[i], "ProjectionExpression") != NULL;
        older = older || node_member(&tables->members[i], "AttributesToGet") != NULL;
    }
    return !newer || !older ||
           err_fail(err, ERR_VALIDATION,
                    "Can not use both expression and non-expression parameters in the same "
                    "request: Non-expression parameters: {AttributesToGet} Expression "
                    "parameters: {ProjectionExpression}");
}

/* Of each table what needs no table to be seen: the expressions, then the keys (dynalite,
 * validations/batchGetItem). */
static bool parts_take(struct request *request, const struct value_node *tables,
                       struct batch *batch, struct err *err)
{
    uint32_t total = 0;

    batch->parts = arena_zalloc(&request->arena, batch->count * sizeof *batch->parts);
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct value_node *node = &tables->members[i];
        batch->parts[i].node = node;
        if (!expressions_check(node, ENVELOPE_NONE, &request->arena, err) ||
            !expressions_compile(node, ENVELOPE_NONE, &request->arena, &batch->parts[i].expressions,
                                 err) ||
            !keys_valid(node_member(node, "Keys"), &total, err))
            return false;
    }
    return true;
}

static bool part_find(struct request *request, struct part *part, struct err *err)
{
    const struct value_node *keys = node_member(part->node, "Keys");
    const struct value_node *consistent = node_member(part->node, "ConsistentRead");

    part->nodes = keys->members;
    part->count = keys->kept;
    part->consistent = consistent != NULL && consistent->integer;
    part->keys = arena_alloc(&request->arena, part->count * sizeof *part->keys);
    if (!work_table(&request->work, part->node->name, &part->table, err))
        return false;
    for (uint32_t i = 0; i < part->count; i++)
        if (!table_key(part->table, part->nodes[i].item.packed, true, &request->arena,
                       &part->keys[i], err))
            return false;
    return expressions_check_keys(&part->expressions, part->table, err);
}

/* Reads items of one table until there are enough for the reply. */
static bool part_read(struct request *request, struct batch *batch, struct part *part,
                      struct err *err)
{
    for (; part->done < part->count && batch->size < ITEMS_MOST; part->done++) {
        struct engine_value pin;
        struct bytes item;
        bool found;
        if (!table_get(&request->work, part->table, part->keys[part->done], &pin, &item, &found,
                       err))
            return false;
        uint64_t size = found ? item_size(item) : 0;
        bool fits = batch->size + size <= ITEMS_MOST;
        if (found && fits) {
            put_comma(&request->reply);
            expressions_put_item(&part->expressions, item, &request->arena, &request->reply);
        }
        if (found)
            engine_value_release(&pin);
        if (!fits) {
            batch->size = ITEMS_MOST;
            return true;
        }
        batch->size += size;
        part->halves += capacity_of_read(size, part->consistent);
    }
    return true;
}

static bool put_responses(struct request *request, struct batch *batch, struct err *err)
{
    struct buf *out = &request->reply;

    put_member(out, "Responses");
    buf_put_literal(out, "{");
    for (uint32_t i = 0; i < batch->count; i++) {
        put_name(out, batch->parts[i].node->name);
        buf_put_literal(out, "[");
        if (!part_read(request, batch, &batch->parts[i], err))
            return false;
        buf_put_literal(out, "]");
    }
    buf_put_literal(out, "}");
    return true;
}

/* The keys that are left, and all else that was asked. */
static void put_left(struct buf *out, const struct part *part)
{
    const struct value_node *node = part->node;

    put_name(out, node->name);
    buf_put_literal(out, "{\"Keys\":[");
    for (uint32_t j = part->done; j < part->count; j++) {
        put_comma(out);
        item_write_json(part->nodes[j].item.packed, out);
    }
    buf_put_literal(out, "]");
    for (uint32_t i = 0; node->field->of[i].name.size > 0; i++) {
        if (!node->members[i].present || bytes_equal(node->field->of[i].name, BYTES("Keys")))
            continue;
        put_name(out, node->field->of[i].name);
        node_put_json(out, &node->members[i]);
    }
    buf_put_literal(out, "}");
}

static void put_unprocessed(struct buf *out, const struct batch *batch)
{
    put_member(out, "UnprocessedKeys");
    buf_put_literal(out, "{");
    for (uint32_t i = 0; i < batch->count; i++)
        if (batch->parts[i].done < batch->parts[i].count)
            put_left(out, &batch->parts[i]);
    buf_put_literal(out, "}");
}

static void put_consumed_of_batch(struct request *request, const struct batch *batch)
{
    struct buf *out = &request->reply;

    if (!capacity_wanted(request))
        return;
    put_member(out, "ConsumedCapacity");
    buf_put_literal(out, "[");
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct part *part = &batch->parts[i];
        struct consumed consumed = consumed_of(part->node->name, part->table, 1);
        consumed.halves = part->halves;
        put_comma(out);
        put_consumed(request, &consumed);
    }
    buf_put_literal(out, "]");
}

enum run op_batch_get_item(struct request *request, struct err *err)
{
    const struct value_node *tables = request_member(request, "RequestItems");
    struct batch batch = {.count = tables->kept};

    if (tables->count == 0) {
        /* What all regions but one say since 2026-09; BatchWriteItem still says that "the
         * requestItems parameter is required" (dynamodb-conformance, error-messages/batchGetItem).
         */
        err_fail(err, ERR_VALIDATION,
                 "1 validation error detected: Value at 'RequestItems' failed to satisfy "
                 "constraint: Member must have length greater than or equal to 1");
        return RUN_FAILED;
    }
    if (!styles_check(tables, err) || !parts_take(request, tables, &batch, err))
        return RUN_FAILED;
    for (uint32_t i = 0; i < batch.count; i++)
        if (!part_find(request, &batch.parts[i], err))
            return RUN_FAILED;
    buf_put_literal(&request->reply, "{");
    if (!put_responses(request, &batch, err))
        return RUN_FAILED;
    put_unprocessed(&request->reply, &batch);
    put_consumed_of_batch(request, &batch);
    buf_put_literal(&request->reply, "}");
    return RUN_DONE;
}
