/* table/check.h - whether a database is what its tables say it must be: each index is compared
 * whole with its table, figures with what they count, and nothing lies under numbers that nobody
 * has. Reads alone, in bounded memory, and of one instant where the engine has snapshots; else
 * nobody may write meanwhile. Blocks. */
#ifndef TABLE_CHECK_H
#define TABLE_CHECK_H

#include "table/tables.h"

/* Told of at most, for each table or index; the others are counted. */
#define CHECK_TOLD_MOST 20

struct check_figures {
    uint64_t tables, indexes;
    uint64_t items, entries; /* that are there */
    uint64_t building;       /* entries that indexes still lack, which are being built */
    uint64_t differences;
};

/* Adds to `figures`; `tell` is called with a sentence for each difference, the table's name first.
 * False when it could not be read: see `err`. */
MUST_CHECK bool tables_check(struct tables *tables,
                             void (*tell)(void *context, const char *sentence), void *context,
                             struct check_figures *figures, struct err *err);

#endif
