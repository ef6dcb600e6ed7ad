/* api/capacity.c - what a table or a global index is told of its capacity: units, the bounds of
 * OnDemandThroughput, and WarmThroughput. Nothing here throttles; the values are held to the
 * service's rules and repeated.
 *
 * WarmThroughput only rises: a table keeps the highest units it ever had, and an on-demand one has
 * the service's initial ones at least. What is stored is that floor; what a table's mode gives
 * comes on top. Rules and messages: ack-api-quirks, 2026-10 (DDB-TABLE-038, 039, 059, 061, 128,
 * 153, 155, 178). */
#include "api/api.h"

#define UNITS_MOST INT64_C(1000000000000) /* dynalite's createTable tests */

/* What the service has warm for an on-demand table at least (API reference, WarmThroughput). */
#define WARM_READS_LEAST  12000
#define WARM_WRITES_LEAST 4000

#define INVALID "One or more parameter values were invalid: "
#define INITIAL                                                                                    \
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode."    \
    "html#on-demand-capacity-mode-initial"

const struct field shape_throughput[] = {
    REQUIRED("WriteCapacityUnits", FIELD_LONG, LEAST(1)),
    REQUIRED("ReadCapacityUnits", FIELD_LONG, LEAST(1)),
    SHAPE_END,
};
const struct field shape_on_demand[] = {
    OPTIONAL("MaxReadRequestUnits", FIELD_LONG),
    OPTIONAL("MaxWriteRequestUnits", FIELD_LONG),
    SHAPE_END,
};
const struct field shape_warm[] = {
    OPTIONAL("ReadUnitsPerSecond", FIELD_LONG),
    OPTIONAL("WriteUnitsPerSecond", FIELD_LONG),
    SHAPE_END,
};

/* --- packed ----------------------------------------------------------------------------------- */

void capacity_read(struct bytes packed, struct capacity *out)
{
    *out = (struct capacity){0};
    if (packed.size == 0)
        return;
    out->read_units_most = item_integer(packed, "MaxReadRequestUnits", 0);
    out->write_units_most = item_integer(packed, "MaxWriteRequestUnits", 0);
    out->warm_reads = item_integer(packed, "ReadUnitsPerSecond", 0);
    out->warm_writes = item_integer(packed, "WriteUnitsPerSecond", 0);
}

static void pack_integer(struct item_maker *maker, const char *name, int64_t value)
{
    if (value != 0)
        item_put_integer(maker, name, value);
}

void capacity_put(struct item_maker *maker, const struct capacity *capacity)
{
    pack_integer(maker, "MaxReadRequestUnits", capacity->read_units_most);
    pack_integer(maker, "MaxWriteRequestUnits", capacity->write_units_most);
    pack_integer(maker, "ReadUnitsPerSecond", capacity->warm_reads);
    pack_integer(maker, "WriteUnitsPerSecond", capacity->warm_writes);
}

struct bytes capacity_pack(const struct capacity *capacity, struct arena *arena)
{
    struct item_maker maker;

    item_begin(&maker, arena);
    capacity_put(&maker, capacity);
    return item_finish(&maker);
}

/* --- whose ------------------------------------------------------------------------------------ */

struct capacity_of capacity_of_table(const struct table *table, bool creating)
{
    return (struct capacity_of){
        .provisioned = table->provisioned, .creating = creating, .throughput = table->throughput};
}

struct capacity_of capacity_of_index(const struct table *table, const struct table_index *index,
                                     bool creating)
{
    return (struct capacity_of){.index = index->name,
                                .provisioned = table->provisioned,
                                .creating = creating,
                                .throughput = index->throughput};
}

void capacity_settle(struct capacity *capacity)
{
    if (capacity->read_units_most == ON_DEMAND_CLEARED)
        capacity->read_units_most = 0;
    if (capacity->write_units_most == ON_DEMAND_CLEARED)
        capacity->write_units_most = 0;
}

bool capacity_given(const struct value_node *node)
{
    for (uint32_t i = 0; node != NULL && node->field->of[i].name.size > 0; i++)
        if (node->members[i].present)
            return true;
    return false;
}

/* --- units ------------------------------------------------------------------------------------ */

/* " for index x", or nothing where it is the table's own. */
#define INDEX_FORMAT         "%s%.*s"
#define INDEX_ARGS(of, word) (of)->index.size > 0 ? (word) : "", BYTES_ARGS((of)->index)

static bool bounds_refuse(const char *name, int64_t units, const struct capacity_of *of,
                          struct err *err)
{
    return err_fail(err, ERR_VALIDATION, "Given value %lld for %s is out of bounds" INDEX_FORMAT,
                    (long long)units, name, INDEX_ARGS(of, " for index "));
}

bool throughput_take(const struct value_node *node, const struct capacity_of *of,
                     struct throughput *out, struct err *err)
{
    int64_t reads = node_member(node, "ReadCapacityUnits")->integer;
    int64_t writes = node_member(node, "WriteCapacityUnits")->integer;

    if (reads > UNITS_MOST)
        return bounds_refuse("ReadCapacityUnits", reads, of, err);
    if (writes > UNITS_MOST)
        return bounds_refuse("WriteCapacityUnits", writes, of, err);
    out->read_units = reads;
    out->write_units = writes;
    return true;
}

/* --- bounds of what is asked on demand -------------------------------------------------------- */

static bool bound_take(const struct value_node *node, const char *name,
                       const struct capacity_of *of, int64_t *bound, struct err *err)
{
    const struct value_node *member = node_member(node, name);

    if (member == NULL)
        return true;
    if (member->integer < 1 && (of->creating || member->integer != ON_DEMAND_CLEARED))
        return err_fail(err, ERR_VALIDATION,
                        INVALID "Requested %s for OnDemandThroughput for " INDEX_FORMAT
                                "%s is outside of valid range",
                        name, INDEX_ARGS(of, "index : "), of->index.size > 0 ? "" : "table");
    *bound = member->integer;
    return true;
}

static bool on_demand_refuse(const char *name, const struct capacity_of *of, struct err *err)
{
    const char *word = of->creating ? " for index: " : " for index : ";

    return err_fail(err, ERR_VALIDATION,
                    INVALID "%s for OnDemandThroughput" INDEX_FORMAT
                            " cannot be specified when %stable BillingMode is PROVISIONED%s",
                    name, INDEX_ARGS(of, word), of->creating ? "" : "the ",
                    of->creating ? "." : "");
}

bool on_demand_take(const struct value_node *node, const struct capacity_of *of,
                    struct capacity *capacity, struct err *err)
{
    const char *named = node_member(node, "MaxReadRequestUnits") != NULL    ? "MaxReadRequestUnits"
                        : node_member(node, "MaxWriteRequestUnits") != NULL ? "MaxWriteRequestUnits"
                                                                            : NULL;

    if (named != NULL && of->provisioned)
        return on_demand_refuse(named, of, err);
    return bound_take(node, "MaxReadRequestUnits", of, &capacity->read_units_most, err) &&
           bound_take(node, "MaxWriteRequestUnits", of, &capacity->write_units_most, err);
}

/* --- warm throughput -------------------------------------------------------------------------- */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void warm_of(const struct capacity_of *of, const struct capacity *capacity, int64_t *reads,
             int64_t *writes)
{
    *reads = larger(capacity->warm_reads,
                    of->provisioned ? of->throughput.read_units : WARM_READS_LEAST);
    *writes = larger(capacity->warm_writes,
                     of->provisioned ? of->throughput.write_units : WARM_WRITES_LEAST);
}

/* What the units must not be lower than. */
static const char *warm_floor(const char *unit, const struct capacity_of *of)
{
    if (!of->creating)
        return "current WarmThroughput, decreasing WarmThroughput is not supported";
    if (!of->provisioned)
        return "initial throughput for OnDemand. See: " INITIAL;
    return unit[0] == 'R' ? "ReadCapacityUnits of ProvisionedThroughput"
                          : "WriteCapacityUnits of ProvisionedThroughput";
}

static bool warm_refuse(const char *unit, const struct capacity_of *of, struct err *err)
{
    return err_fail(
        err, ERR_VALIDATION,
        INVALID "Requested %s for WarmThroughput for " INDEX_FORMAT "%s is lower than %s", unit,
        INDEX_ARGS(of, "index "), of->index.size > 0 ? "" : "table", warm_floor(unit, of));
}

bool warm_take(const struct value_node *node, const struct capacity_of *of,
               struct capacity *capacity, struct err *err)
{
    const struct value_node *reads = node_member(node, "ReadUnitsPerSecond");
    const struct value_node *writes = node_member(node, "WriteUnitsPerSecond");
    int64_t reads_least, writes_least;

    warm_of(of, capacity, &reads_least, &writes_least);
    if (reads != NULL && reads->integer < reads_least)
        return warm_refuse("ReadUnitsPerSecond", of, err);
    if (writes != NULL && writes->integer < writes_least)
        return warm_refuse("WriteUnitsPerSecond", of, err);
    if (reads != NULL)
        capacity->warm_reads = reads->integer;
    if (writes != NULL)
        capacity->warm_writes = writes->integer;
    return true;
}
