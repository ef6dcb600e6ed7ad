/* api/transaction.c - cancelled, or paid for. */
#include "api/transaction.h"

#include "json/writer.h"

/* --- reasons ---------------------------------------------------------------------------------- */

struct reason reason_invalid(struct request *request, const struct err *err)
{
    return (struct reason){
        .code = "ValidationError",
        .message = arena_copy(&request->arena, bytes_of_text(err->message)),
    };
}

static void put_reason(struct buf *out, const struct reason *reason)
{
    put_comma(out);
    buf_put_literal(out, "{");
    put_text_member(out, "Code", bytes_of_text(reason->code != NULL ? reason->code : "None"));
    if (reason->message.size > 0)
        put_text_member(out, "Message", reason->message);
    if (reason->item.size > 0)
        put_item_member(out, "Item", reason->item);
    buf_put_literal(out, "}");
}

static struct bytes codes_of(struct request *request, const struct reason *reasons, size_t count)
{
    struct buf codes;

    buf_init_in(&codes, &request->arena);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_put_literal(&codes, ", ");
        buf_put_text(&codes, reasons[i].code != NULL ? reasons[i].code : "None");
    }
    return buf_bytes(&codes);
}

bool reasons_none(struct request *request, const struct reason *reasons, size_t count,
                  struct err *err)
{
    struct buf list;
    size_t first = 0;

    while (first < count && reasons[first].code == NULL)
        first++;
    if (first == count)
        return true;
    buf_init_in(&list, &request->arena);
    buf_put_literal(&list, "[");
    for (size_t i = 0; i < count; i++)
        put_reason(&list, &reasons[i]);
    buf_put_literal(&list, "]");
    request->reasons = buf_bytes(&list);
    return err_fail(err, ERR_TRANSACTION_CANCELED,
                    "Transaction cancelled, please refer cancellation reasons for specific reasons "
                    "[%.*s]",
                    BYTES_ARGS(codes_of(request, reasons, count)));
}

/* --- keys ------------------------------------------------------------------------------------- */

/* Of two keys the wrong one is not known, so it is not compared. */
static bool is_twice(const struct write *writes, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (writes[i].key.size > 0 && writes[i].table->number == writes[at].table->number &&
            bytes_equal(writes[i].key, writes[at].key))
            return true;
    return false;
}

/* An empty value refuses the request, one that is too long its action alone (ExtendDB,
 * tests/test_transaction_key_size_validation.py). */
static bool key_is_empty(const struct write *write, struct bytes item)
{
    struct value value;

    for (uint32_t i = 0; i < write->table->key_count; i++)
        if (item_find(item, write->table->keys[i].name, &value) && value.content.size == 0)
            return true;
    return false;
}

bool actions_take_keys(struct request *request, struct write *writes,
                       const struct action_item *items, size_t count, struct reason *reasons,
                       struct err *err)
{
    bool told = false;

    for (size_t i = 0; i < count; i++) {
        struct err inner;
        if (table_key(writes[i].table, items[i].item, items[i].exact, &request->arena,
                      &writes[i].key, &inner))
            continue;
        if (table_key_matches(writes[i].table, items[i].item, items[i].exact, err) &&
            key_is_empty(&writes[i], items[i].item)) {
            *err = inner;
            return false;
        }
        if (!told)
            reasons[i] = reason_invalid(request, &inner);
        told = true;
    }
    for (size_t i = 0; i < count; i++)
        if (writes[i].key.size > 0 && is_twice(writes, i))
            return err_fail(err, ERR_VALIDATION,
                            "Transaction request cannot include multiple operations on one item");
    return true;
}

/* --- what it has cost ------------------------------------------------------------------------- */

/* Everything of a transaction costs twice as much as alone. A check is paid for as a write. */
static void spend(struct consumed *consumed, const struct write *write, const char *kind)
{
    uint64_t size = write->old.size > 0 ? item_size(write->old) : 0;

    if (strcmp(kind, CONSUMED_WRITING) == 0)
        consume_write(consumed, write);
    else
        consumed->halves += consumed->times * capacity_of_read(size, true);
}

void put_spent_member(struct request *request, const struct write *writes,
                      const struct bytes *names, size_t count, const char *kind)
{
    struct consumed *all;
    size_t tables = 0;

    if (!capacity_wanted(request))
        return;
    all = arena_alloc(&request->arena, count * sizeof *all);
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (at < tables && all[at].table->number != writes[i].table->number)
            at++;
        if (at == tables)
            all[tables++] = consumed_of(names[i], writes[i].table, 2);
        spend(&all[at], &writes[i], kind);
    }
    put_consumed_list(request, all, tables, kind);
}
