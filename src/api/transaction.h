/* api/transaction.h - what TransactWriteItems and TransactGetItems share: the keys of their
 * actions, why one is cancelled, and what it has cost. */
#ifndef API_TRANSACTION_H
#define API_TRANSACTION_H

#include "api/consumed.h"
#include "api/expressions.h"

#define ACTIONS_MOST          100 /* of a transaction, as the service allows */
#define TRANSACTION_SIZE_MOST ((uint64_t)4 * 1024 * 1024) /* bytes of items, likewise */

/* Why an action cannot be done. */
struct reason {
    const char *code;     /* NULL: it can */
    struct bytes message; /* in the request's arena */
    struct bytes item;    /* the item that broke the condition, where it was asked for */
};

/* The reason that something was refused for. */
struct reason reason_invalid(struct request *request, const struct err *err);

/* Whether nothing stands against the transaction; else ERR_TRANSACTION_CANCELED, and the reply will
 * list the reasons in the order of the actions. */
MUST_CHECK bool reasons_none(struct request *request, const struct reason *reasons, size_t count,
                             struct err *err);

/* The key of each write from `items`: one that does not match its table's schema is a reason
 * against its action, and a key that no item may have fails at once, as two actions on one item do.
 * Of what is wrong with the actions before their items are looked at only the first is told
 * (ScyllaDB, test_transact_write_cancellation_reasons_validationerror). */
struct action_item {
    struct bytes item; /* an item, or a Key if `exact` */
    bool exact;
};
MUST_CHECK bool actions_take_keys(struct request *request, struct write *writes,
                                  const struct action_item *items, size_t count,
                                  struct reason *reasons, struct err *err);

/* ConsumedCapacity, of writes or reads that have happened: one element for each table, in the order
 * in which the actions name them (`names`). `kind`: CONSUMED_READING or CONSUMED_WRITING. */
void put_spent_member(struct request *request, const struct write *writes,
                      const struct bytes *names, size_t count, const char *kind);

#endif
