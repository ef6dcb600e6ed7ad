/* table/change.h - a change to the catalogue under way: its batch lives in an arena of its own, so
 * that the handler may go on building its reply while the committer works. One at a time in the
 * process. Inside the module. */
#ifndef TABLE_CHANGE_H
#define TABLE_CHANGE_H

#include "table/catalog.h"

struct change {
    struct arena arena;
    struct tables *tables;
    struct table_entry *entry; /* what the name will be; NULL: gone */
    struct bytes name;
    struct bytes stored; /* the record's value in the batch: stamp and time once it is committed */
    bool since_here;     /* recovery reaches back to this very commit */
    uint64_t numbers_after; /* the next table number then; 0: as it is */
    /* of a change that the handler waits for with WAIT (work_submit_waiting) */
    bool waiting;
    enum commit_outcome outcome;
};

/* Locks the catalogue, or waits; then work->batch is empty and in work->change's arena. DONE: go
 * on. Where an earlier run of this work submitted a change and waited, its failure is told here. */
enum run change_begin(struct work *work, struct err *err);

/* Stages the record of `wanted` (number, name, everything but its generation) and makes the entry
 * that will be installed; `old` NULL: there is none. */
const struct table *change_put(struct work *work, const struct table *old,
                               const struct table *wanted, bool since_here);
/* Stages its removal. */
void change_remove(struct work *work, const struct table *old);

/* Submits: what is staged is installed when it is durable. */
void change_submit(struct work *work);
/* The same for a handler that answers WAIT and finds the change done when it is run again. */
void change_submit_waiting(struct work *work);

/* Stages the end of a table's log, which has no pins, and takes it out of the description. */
void recovery_log_drop(struct work *work, const struct log_state *state, struct table *table);

void change_free(struct change *change);

#endif
