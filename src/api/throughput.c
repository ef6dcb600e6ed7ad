/* api/throughput.c - the throughput of a table or a global index as it changes: to other units
 * only, downwards a few times a day, and what is remembered of that.
 *
 * Rules and messages: ack-api-quirks, 2026-10 (DDB-TABLE-153, 157, 164), and dynalite's updateTable
 * tests. */
#include "api/api.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"

#define DECREASES_FREE   4 /* of one UTC day; later ones an hour apart */
#define DECREASES_MICROS (UINT64_C(3600) * SECOND_MICROS)

int64_t decreases_on(const struct throughput *throughput, uint64_t now)
{
    return throughput->decreased / DAY_MICROS == now / DAY_MICROS ? throughput->decreases_today : 0;
}

static bool same_refuse(const struct capacity_of *was, const struct throughput *asked,
                        struct err *err)
{
    const char *the = was->index.size > 0 ? "the " : "", *whose = "the table";
    char index[sizeof "index " + 255];

    if (was->index.size > 0) {
        snprintf(index, sizeof index, "index %.*s", BYTES_ARGS(was->index));
        whose = index;
    }
    return err_fail(
        err, ERR_VALIDATION,
        "The provisioned throughput for %s%s will not change. The requested value equals the "
        "current value. Current ReadCapacityUnits provisioned for %s: %lld. Requested "
        "ReadCapacityUnits: %lld. Current WriteCapacityUnits provisioned for %s: %lld. Requested "
        "WriteCapacityUnits: %lld. Refer to the Amazon DynamoDB Developer Guide for current limits "
        "and how to request higher limits.",
        the, whose, whose, (long long)was->throughput.read_units, (long long)asked->read_units,
        whose, (long long)was->throughput.write_units, (long long)asked->write_units);
}

/* "Friday, October 9, 2026 at 1:21:34 AM Coordinated Universal Time" */
static struct bytes long_time(uint64_t micros, struct arena *arena)
{
    time_t seconds = (time_t)(micros / SECOND_MICROS);
    char day[32], minutes[16];
    struct tm utc;

    gmtime_r(&seconds, &utc);
    strftime(day, sizeof day, "%A, %B", &utc);
    strftime(minutes, sizeof minutes, "%M:%S %p", &utc);
    return arena_printf(arena, "%s %d, %d at %d:%s Coordinated Universal Time", day, utc.tm_mday,
                        utc.tm_year + 1900, (utc.tm_hour + 11) % 12 + 1, minutes);
}

static bool decrease_allowed(const struct throughput *was, uint64_t now, struct arena *arena,
                             struct err *err)
{
    uint64_t next = was->decreased + DECREASES_MICROS;
    uint64_t midnight = (now / DAY_MICROS + 1) * DAY_MICROS;

    if (decreases_on(was, now) < DECREASES_FREE || now >= next)
        return true;
    return err_fail(
        err, ERR_LIMIT_EXCEEDED,
        "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given "
        "UTC day. After the first 4 decreases, each subsequent decrease in the same UTC day can "
        "be performed at most once every 3600 seconds. Number of decreases today: %lld. Last "
        "decrease at %.*s. Next decrease can be made at %.*s",
        (long long)decreases_on(was, now), BYTES_ARGS(long_time(was->decreased, arena)),
        BYTES_ARGS(long_time(next < midnight ? next : midnight, arena)));
}

void throughput_note_decrease(struct throughput *throughput, uint64_t now)
{
    throughput->decreases_today = decreases_on(throughput, now) + 1;
    throughput->decreased = now;
}

bool throughput_change(const struct value_node *node, const struct capacity_of *was,
                       struct arena *arena, struct throughput *out, struct err *err)
{
    const struct throughput *before = &was->throughput;
    struct throughput after = *before;
    uint64_t now = clock_micros();

    if (!throughput_take(node, was, &after, err))
        return false;
    *out = after;
    if (!was->provisioned)
        return true;
    if (after.read_units == before->read_units && after.write_units == before->write_units)
        return same_refuse(was, &after, err);
    if (after.read_units > before->read_units || after.write_units > before->write_units)
        out->increased = now;
    if (after.read_units < before->read_units || after.write_units < before->write_units) {
        if (!decrease_allowed(before, now, arena, err))
            return false;
        throughput_note_decrease(out, now);
    }
    return true;
}

struct throughput throughput_begun(const struct throughput *before, const struct throughput *after)
{
    struct throughput shown = *after;

    shown.read_units = before->read_units;
    shown.write_units = before->write_units;
    if (after->decreased != before->decreased)
        shown.decreases_today = decreases_on(before, after->decreased);
    return shown;
}
