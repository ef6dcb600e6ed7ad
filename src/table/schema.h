/* table/schema.h - what a table is: an immutable description, shared by everyone who holds a
 * reference, replaced as a whole when the table changes. Any thread. */
#ifndef TABLE_SCHEMA_H
#define TABLE_SCHEMA_H

#include "engine/engine.h"
#include "item/codec.h"
#include "item/key.h"

#define TABLE_NAME_LEAST   3
#define TABLE_NAME_MOST    255
#define PARTITION_KEY_MOST 2048 /* bytes, as the service allows */
#define SORT_KEY_MOST      1024

/* The service's quotas (developer guide, "Quotas in Amazon DynamoDB"). */
#define INDEXES_LOCAL_MOST  5
#define INDEXES_GLOBAL_MOST 20
#define INDEXES_MOST        (INDEXES_LOCAL_MOST + INDEXES_GLOBAL_MOST)
/* A global index has up to 4 attributes in its partition key and 4 in its sort key (API reference,
 * CreateGlobalSecondaryIndexAction, KeySchema). */
#define INDEX_PART_MOST 4
#define INDEX_KEYS_MOST (2 * INDEX_PART_MOST)

struct key_attribute {
    struct bytes name;
    enum key_type type;
};

/* What a table or a global index was given, in units; 0 on demand. */
struct throughput {
    int64_t read_units, write_units;
    uint64_t increased, decreased; /* microseconds; 0: never */
    int64_t decreases_today;       /* on the UTC day of `decreased` */
};

enum index_projection {
    PROJECT_ALL,
    PROJECT_KEYS_ONLY,
    PROJECT_INCLUDE,
};

/* A secondary index. Every write of the table changes it in the same batch, from the commit on that
 * put it into the table's description; so one that is being built lacks only items that were not
 * written since. */
struct table_index {
    uint64_t number; /* the incarnation's: of the same counter as tables' */
    struct bytes name;
    bool local;
    bool building;                              /* items are missing: it is not read yet */
    struct key_attribute keys[INDEX_KEYS_MOST]; /* those of the partition key first */
    uint32_t partition_count, key_count;
    enum index_projection projection;
    const struct bytes *included; /* PROJECT_INCLUDE: names, beside the keys of index and table */
    uint32_t included_count;
    struct throughput throughput; /* of a global one */
    struct bytes settings;        /* an item, as the table's */
};

struct table {
    uint64_t number; /* the incarnation's; never used again */
    struct bytes name, arn;
    struct bytes id; /* TableId, a UUID */
    struct bytes
        generation; /* the stamp of its catalogue record: every batch on the table expects it */
    struct key_attribute keys[2]; /* partition, sort */
    uint32_t key_count;
    const struct table_index *indexes; /* local ones first, each kind in the order of creation */
    uint32_t index_count;
    uint64_t created; /* microseconds */
    bool provisioned; /* else PAY_PER_REQUEST */
    struct throughput throughput;
    uint64_t billing_changed; /* microseconds; 0: never */
    bool deletion_protected;
    struct bytes table_class; /* "STANDARD" ...; empty: never given */
    struct bytes
        settings; /* an item: members accepted and echoed (SSE, OnDemandThroughput, tags) */
    struct bytes time_to_live;     /* the attribute that says when items expire; empty: none does */
    uint64_t time_to_live_changed; /* microseconds; 0: never */
    /* point-in-time recovery */
    bool recovery;
    uint64_t recovery_since; /* microseconds: the last enabling */
    uint32_t recovery_days;
    uint32_t log_epoch;
    bool log; /* something needs the change log: writes append to it */
};

/* What a key attribute's values are, and what the service calls a type. */
enum value_type key_value_type(enum key_type type);
const char *value_type_name(enum value_type type);

/* NULL: the table has no index of that name. */
const struct table_index *table_find_index(const struct table *table, struct bytes name);

/* The keys and local indexes of a table as an item, for who must know them when it is gone; empty:
 * it has none. Reading makes a table of which nothing else is known; ERR_CORRUPT. */
struct bytes table_locals_pack(const struct table *table, struct arena *arena);
MUST_CHECK bool table_locals_read(struct bytes item, struct arena *arena, struct table *out,
                                  struct err *err);

/* Whether an item has the table's key attributes, of their types: the first half of table_key(). A
 * transaction is cancelled by what this refuses, and refused as a request by what the rest does. */
MUST_CHECK bool table_key_matches(const struct table *table, struct bytes item, bool exact,
                                  struct err *err);

/* The item key (changelog.h) of an item or of a key map: ERR_VALIDATION with the service's messages
 * for a missing, mistyped, empty or oversized key attribute. `exact`: a Key parameter, which must
 * hold the key attributes and no others. The messages are those of dynalite's tests against the
 * service (putItem, getItem, batchWriteItem) and moto's AWS-verified ones; for an empty key the
 * service's newer wording, "One or more parameter values are not valid." (moto). */
MUST_CHECK bool table_key(const struct table *table, struct bytes item, bool exact,
                          struct arena *arena, struct bytes *key, struct err *err);

/* The same of one attribute of a key, of a table or an index, in a Key parameter alone: whether
 * there are others is not looked at. */
MUST_CHECK bool key_attribute_check(const struct key_attribute *attribute, bool partition,
                                    struct bytes item, struct err *err);

/* The Key map of an item, packed: only its key attributes (LastEvaluatedKey, UnprocessedKeys). */
struct bytes table_key_item(const struct table *table, struct bytes item, struct arena *arena);

#endif
