/* api/capacity.c - what a table is told of its capacity: units, the bounds of OnDemandThroughput,
 * and WarmThroughput. Nothing here throttles; the values are held to the service's rules and
 * repeated.
 *
 * WarmThroughput only rises: a table keeps the highest units it ever had, and an on-demand one has
 * the service's initial ones at least. What is stored is that floor; what a table's mode gives
 * comes on top. Rules and messages: ack-api-quirks, 2026-10 (DDB-TABLE-038, 039, 059, 061, 178). */
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

/* --- units ------------------------------------------------------------------------------------ */

bool throughput_take(const struct value_node *node, struct table *table, struct err *err)
{
    int64_t reads = node_member(node, "ReadCapacityUnits")->integer;
    int64_t writes = node_member(node, "WriteCapacityUnits")->integer;

    if (reads > UNITS_MOST)
        return err_fail(err, ERR_VALIDATION,
                        "Given value %lld for ReadCapacityUnits is out of bounds",
                        (long long)reads);
    if (writes > UNITS_MOST)
        return err_fail(err, ERR_VALIDATION,
                        "Given value %lld for WriteCapacityUnits is out of bounds",
                        (long long)writes);
    table->throughput.read_units = reads;
    table->throughput.write_units = writes;
    return true;
}

/* --- bounds of what is asked on demand -------------------------------------------------------- */

static bool bound_take(const struct value_node *node, const char *name, bool creating,
                       int64_t *bound, struct err *err)
{
    const struct value_node *member = node_member(node, name);

    if (member == NULL)
        return true;
    if (member->integer < 1 && (creating || member->integer != ON_DEMAND_CLEARED))
        return err_fail(err, ERR_VALIDATION,
                        INVALID "Requested %s for OnDemandThroughput for table is outside of valid "
                                "range",
                        name);
    *bound = member->integer;
    return true;
}

bool on_demand_take(const struct value_node *node, const struct table *table, bool creating,
                    struct extras *extras, struct err *err)
{
    const char *named = node_member(node, "MaxReadRequestUnits") != NULL    ? "MaxReadRequestUnits"
                        : node_member(node, "MaxWriteRequestUnits") != NULL ? "MaxWriteRequestUnits"
                                                                            : NULL;

    if (named != NULL && table->provisioned)
        return err_fail(err, ERR_VALIDATION,
                        INVALID "%s for OnDemandThroughput cannot be specified when %stable "
                                "BillingMode is PROVISIONED%s",
                        named, creating ? "" : "the ", creating ? "." : "");
    return bound_take(node, "MaxReadRequestUnits", creating, &extras->read_units_most, err) &&
           bound_take(node, "MaxWriteRequestUnits", creating, &extras->write_units_most, err);
}

/* --- warm throughput -------------------------------------------------------------------------- */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void warm_of(const struct table *table, const struct extras *extras, int64_t *reads,
             int64_t *writes)
{
    *reads = larger(extras->warm_reads,
                    table->provisioned ? table->throughput.read_units : WARM_READS_LEAST);
    *writes = larger(extras->warm_writes,
                     table->provisioned ? table->throughput.write_units : WARM_WRITES_LEAST);
}

static bool warm_refuse(const char *unit, const struct table *table, bool creating, struct err *err)
{
    static const char *const units[] = {"ReadCapacityUnits", "WriteCapacityUnits"};

    if (!creating)
        return err_fail(err, ERR_VALIDATION,
                        INVALID "Requested %s for WarmThroughput for table is lower than current "
                                "WarmThroughput, decreasing WarmThroughput is not supported",
                        unit);
    if (table->provisioned)
        return err_fail(err, ERR_VALIDATION,
                        INVALID "Requested %s for WarmThroughput for table is lower than %s of "
                                "ProvisionedThroughput",
                        unit, units[unit[0] == 'W']);
    return err_fail(err, ERR_VALIDATION,
                    INVALID "Requested %s for WarmThroughput for table is lower than initial "
                            "throughput for OnDemand. See: " INITIAL,
                    unit);
}

bool warm_take(const struct value_node *node, const struct table *table, bool creating,
               struct extras *extras, struct err *err)
{
    const struct value_node *reads = node_member(node, "ReadUnitsPerSecond");
    const struct value_node *writes = node_member(node, "WriteUnitsPerSecond");
    int64_t reads_least, writes_least;

    warm_of(table, extras, &reads_least, &writes_least);
    if (reads != NULL && reads->integer < reads_least)
        return warm_refuse("ReadUnitsPerSecond", table, creating, err);
    if (writes != NULL && writes->integer < writes_least)
        return warm_refuse("WriteUnitsPerSecond", table, creating, err);
    if (reads != NULL)
        extras->warm_reads = reads->integer;
    if (writes != NULL)
        extras->warm_writes = writes->integer;
    return true;
}
