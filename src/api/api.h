/* api/api.h - what the files of this folder share: the operations, and what handlers ask of their
 * request and put into its reply. A handler reads: find, check, do, answer. It is run again from
 * the top after it had to wait, so until its batch is submitted it changes nothing but the reply,
 * which is emptied before each run. */
#ifndef API_API_H
#define API_API_H

#include <stdatomic.h>

#include "api/request.h"

/* --- operations ------------------------------------------------------------------------------- */

enum op_traits {
    OP_READ,   /* of items */
    OP_WRITE,  /* of items */
    OP_MANAGE, /* of what holds them */
};

struct operation {
    struct bytes name;
    enum op_traits traits;
    const struct field *shape;
    enum run (*run)(struct request *request, struct err *err);
};

#define OP(name, handler, traits)                                                                  \
    extern const struct field shape_##handler[];                                                   \
    enum run op_##handler(struct request *request, struct err *err);
#include "api/ops.def"
#undef OP

enum {
#define OP(name, handler, traits) OPERATION_##name,
#include "api/ops.def"
#undef OP
    OPERATIONS /* also: what is none of them */
};

/* The statuses that are counted one by one; whatever else comes is counted as the last. */
#define API_STATUSES(X) X(200) X(400) X(404) X(413) X(503) X(500)

enum {
#define INDEX(status) STATUS_##status,
    API_STATUSES(INDEX)
#undef INDEX
        STATUS_KINDS
};

struct api {
    struct tables *tables;
    struct exports *exports;
    uint64_t id_seed;         /* unpredictable, of this process */
    _Atomic uint64_t id_next; /* counts requests; with the seed it makes their ids */
    _Atomic uint64_t answered[OPERATIONS + 1][STATUS_KINDS];
};

/* The reply is final: counts it and lets it go. */
void request_answer(struct request *request);

/* Once in a request: what its arena holds by now, `made` with it, is there for the reruns too. What
 * was made must not depend on anything but the body. */
void request_keep(struct request *request, void *made);

/* --- what was asked --------------------------------------------------------------------------- */

/* Members of the body by their names, which its shape has. Not sent: NULL, BYTES_NONE, false, the
 * fallback. */
const struct value_node *request_member(const struct request *request, const char *name);
struct bytes request_text(const struct request *request, const char *name);
bool request_is(const struct request *request, const char *name, const char *value);
bool request_flag(const struct request *request, const char *name);
int64_t request_integer(const struct request *request, const char *name, int64_t fallback);

/* The packed item of a TYPE_ITEM, or what is wrong with it. */
MUST_CHECK bool node_item(const struct value_node *node, struct bytes *out, struct err *err);

/* The same in the service's older wording, see api/expressions.h. */
MUST_CHECK bool node_item_older(const struct value_node *node, struct bytes *out, struct err *err);

/* An item that a client may store: well-formed and at most 400 KB. */
MUST_CHECK bool node_item_to_put(const struct value_node *node, struct bytes *out, struct err *err);

/* A write can give back the item before it, or nothing. `envelope`: what the message begins with.
 */
MUST_CHECK bool return_values_old(const struct request *request, const char *envelope,
                                  struct err *err);

/* The name of a table that was given as its name or its ARN in this account and region; else what
 * was given. */
struct bytes request_table_name(const struct request *request);

/* What a member asks for, whatever the order in which it says so: SHA-256, 32 bytes. */
void node_digest(const struct value_node *node, struct arena *arena, uint8_t *out);

/* --- replies ---------------------------------------------------------------------------------- */

/* Appends `"name":`, and a comma before it where something stands before it. */
void put_member(struct buf *out, const char *name);
void put_name(struct buf *out, struct bytes name); /* the same, for a name from outside */
void put_text_member(struct buf *out, const char *name, struct bytes text);
void put_integer_member(struct buf *out, const char *name, int64_t value);
void put_flag_member(struct buf *out, const char *name, bool value);
void put_time_member(struct buf *out, const char *name, uint64_t micros);
void put_item_member(struct buf *out, const char *name, struct bytes item);
void put_comma(struct buf *out); /* before the next element of a list, but the first */

/* ItemCollectionMetrics, where they are asked for: of one write, or of many by their tables. */
void put_collection_member(struct request *request, const struct write *write);
void put_collections_member(struct request *request, const struct write *writes, size_t count);

struct extras;

/* An index as a reply shows it; of a local one only the figures are. */
struct index_shown {
    const char *status;      /* IndexStatus */
    bool added, backfilling; /* Backfilling is shown of one that UpdateTable has added */
    const char *warm;        /* Status of its WarmThroughput; NULL: that is not shown */
    struct table_figures figures;
};

/* A table as a reply shows it, which may lag behind what it is already. */
struct table_shown {
    const struct table *table; /* all but its settings */
    const struct extras *extras;
    struct table_figures figures;
    const char *status;          /* TableStatus: what is asked later finds it ACTIVE or gone */
    const char *warm;            /* Status of its WarmThroughput; NULL: that is not shown */
    const char *encryption;      /* Status of its SSEDescription */
    struct index_shown *indexes; /* one for each of table->indexes; not shown with DELETING */
    struct arena *arena;         /* for what is made of names */
};
/* All of them alike, empty and new; or as they are now, with room for more. In the arena. */
struct index_shown *indexes_new(const struct table *table, struct arena *arena);
MUST_CHECK bool indexes_now(struct tables *tables, const struct table *table, uint32_t room,
                            struct arena *arena, struct index_shown **out, struct err *err);
void put_table(struct buf *out, const struct table_shown *shown);

/* --- what a table is told and only repeats ---------------------------------------------------- */

#define TAGS_MOST         50   /* of a resource, as the service allows */
#define ON_DEMAND_CLEARED (-1) /* what clears a bound of OnDemandThroughput */

struct tag {
    struct bytes key, value;
};

/* Of a table or a global index. */
struct capacity {
    int64_t read_units_most, write_units_most; /* OnDemandThroughput; 0: not given */
    int64_t warm_reads, warm_writes;           /* WarmThroughput at least; 0: whatever its mode */
};

/* struct table's `settings`, unpacked. */
struct extras {
    struct tag tags[TAGS_MOST];
    uint32_t tag_count;
    struct capacity capacity;
    struct bytes encryption_key; /* SSESpecification: the key's ARN; empty: none */
    uint64_t class_changed;      /* microseconds; 0: never */
};
void extras_read(struct bytes packed, struct arena *arena, struct extras *out);
struct bytes extras_pack(const struct extras *extras, struct arena *arena);

/* Adds or replaces; takes away. All or none: ERR_VALIDATION for what the service refuses. */
MUST_CHECK bool extras_tag(struct extras *extras, const struct value_node *tags, struct err *err);
MUST_CHECK bool extras_untag(struct extras *extras, const struct value_node *keys, struct err *err);

/* The name of the table that a ResourceArn names. What follows the name in the ARN of a stream
 * stays behind it. */
MUST_CHECK bool resource_name(const struct request *request, struct bytes arn, struct bytes *name,
                              struct err *err);

/* SSESpecification, if there is one. */
MUST_CHECK bool encryption_take(const struct request *request, struct extras *extras,
                                struct err *err);
/* TableClass, if there is one. */
MUST_CHECK bool class_check(const struct request *request, struct err *err);

/* struct table_index's `settings` are a packed capacity; a table's are among its extras. */
void capacity_read(struct bytes packed, struct capacity *out);
void capacity_put(struct item_maker *maker, const struct capacity *capacity);
struct bytes capacity_pack(const struct capacity *capacity, struct arena *arena);

/* Whose capacity it is: as it will be; only for WarmThroughput as it is, unless it is being
 * created. */
struct capacity_of {
    struct bytes index; /* its name; empty: the table itself */
    bool provisioned, creating;
    struct throughput throughput;
};
struct capacity_of capacity_of_table(const struct table *table, bool creating);
struct capacity_of capacity_of_index(const struct table *table, const struct table_index *index,
                                     bool creating);

/* Whether an OnDemandThroughput or WarmThroughput has any member; NULL: there is none. */
bool capacity_given(const struct value_node *node);

/* ProvisionedThroughput, OnDemandThroughput and WarmThroughput. Of the throughput only the units
 * are set; ON_DEMAND_CLEARED is left in the capacity. */
MUST_CHECK bool throughput_take(const struct value_node *node, const struct capacity_of *of,
                                struct throughput *out, struct err *err);
MUST_CHECK bool on_demand_take(const struct value_node *node, const struct capacity_of *of,
                               struct capacity *capacity, struct err *err);
MUST_CHECK bool warm_take(const struct value_node *node, const struct capacity_of *of,
                          struct capacity *capacity, struct err *err);
/* Another throughput for what `was`, with when it rose and fell; ERR_VALIDATION where it stays the
 * same, ERR_LIMIT_EXCEEDED where it falls too often. What was on demand takes any. */
MUST_CHECK bool throughput_change(const struct value_node *node, const struct capacity_of *was,
                                  struct arena *arena, struct throughput *out, struct err *err);
void throughput_note_decrease(struct throughput *throughput, uint64_t now);
/* What is shown of a change that has only begun: units and count as they were, times as they are.
 */
struct throughput throughput_begun(const struct throughput *before, const struct throughput *after);
int64_t decreases_on(const struct throughput *throughput, uint64_t now); /* its UTC day */
void capacity_settle(struct capacity *capacity); /* bounds that were cleared are none */
/* What it has warm. */
void warm_of(const struct capacity_of *of, const struct capacity *capacity, int64_t *reads,
             int64_t *writes);

/* Every table that the request names by an ARN is one of this account and region. */
MUST_CHECK bool names_check(const struct request *request, struct err *err);

/* The rows that CreateTable and UpdateTable share. */
extern const struct field shape_throughput[], shape_on_demand[], shape_warm[], shape_encryption[],
    shape_stream[], shape_tag[];
extern const struct field element_tag, element_definition;
extern const char *const enum_billing_mode[];

#endif
