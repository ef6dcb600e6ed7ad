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

bool actions_take_keys(struct request *request, struct write *writes,
                       const struct action_item *items, size_t count, struct reason *reasons,
                       struct err *err)
{
    bool told = false;

    for (size_t i = 0; i < count; i++) {
        struct err inner;
        if (!table_key_matches(writes[i].table, items[i].item, items[i].exact, &inner)) {
            if (!told)
                reasons[i] = reason_invalid(request, &inner);
            told = true;
        } else if (!table_key(writes[i].table, items[i].item, items[i].exact, &request->arena,
                              &writes[i].key, err)) {
            return false;
        }
    }
    for (size_t i = 0; i < count; i++)
        if (writes[i].key.size > 0 && is_twice(writes, i))
            return err_fail(err, ERR_VALIDATION,
                            "Transaction request cannot include multiple operations on one item");
    return true;
}

/* --- what it has cost ------------------------------------------------------------------------- */

void put_spent_member(struct request *request, struct spent *spent, size_t count, const char *kind)
{
    struct buf *out = &request->reply;

    if (!capacity_wanted(request))
        return;
    put_member(out, "ConsumedCapacity");
    buf_put_literal(out, "[");
    for (size_t i = 0; i < count; i++) {
        uint64_t halves = spent[i].halves;
        if (spent[i].number == 0)
            continue;
        for (size_t j = i + 1; j < count; j++)
            if (spent[j].number == spent[i].number) {
                halves += spent[j].halves;
                spent[j].number = 0; /* no table's: it is counted */
            }
        put_comma(out);
        put_capacity_split(request, spent[i].name, halves, kind);
    }
    buf_put_literal(out, "]");
}
