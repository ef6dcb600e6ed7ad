/* engine/stamps.c - a clock that cannot go back.
 *
 * A stamp is 64 bits, big-endian: 52 of microseconds since 1970 (good until 2112), 12 of counter.
 * `least` is the one number that all times come from. Whoever reads the time raises it to the
 * system's clock and answers it; whoever commits raises it as well and takes it. It never falls, so
 * a clock that steps back stands still here until it has caught up, and one that steps forward and
 * back again leaves us ahead for that long.
 *
 *  S1  Stamps rise strictly: a batch takes the microsecond of the last one only while its slots fit
 *      into the counter, and the next microsecond otherwise. All slots of a batch share a time.
 *  S2  What now() has answered is at or below the time of every commit that was given its stamps
 *      later: both go through `least`.
 *  S3  The stored ceiling is above every time in the store, at every moment: a write that holds a
 *      time at or above the stored ceiling also holds a higher ceiling, CEILING_AHEAD ahead, and is
 *      atomic. A start begins at the stored ceiling, so its stamps are above all that is stored,
 *      whatever the system's clock says. A clean close stores `least` + 1, so that only a crash
 *      leaves the ceiling ahead of a clock that did not step: the start then waits until the clock
 *      has passed it. Otherwise our times would run ahead of the clock, further with each crash,
 *      and an instant that a client notes would not be the one that we show.
 *
 * What now() answers is promised for ever only by a commit. Beyond a crash, S3 covers times that
 * were committed; an answer of now() between the last commit and the crash is covered by the
 * system's clock alone, and if that was set back meanwhile, the next start may answer less. (To
 * promise it would cost a sync each second in which somebody asks for the time.) And a commit that
 * already has its stamps may be shown only after a later now(). So who needs an instant T that all
 * agree on for ever (an export, the enabling of recovery) commits a batch with not_before = T:
 * commits are answered in stamp order, so once it is answered, all that is before T is visible, and
 * by S1 and S3 nothing before T can come any more. */
#include "engine/stamps.h"

#include <assert.h>
#include <poll.h>

#include "base/clock.h"

#define COUNTER_BITS  12
#define COUNTER_END   (1u << COUNTER_BITS)
#define TIME_MOST     (UINT64_MAX >> COUNTER_BITS)   /* the last of 52 bits */
#define CLOCK_MOST    (TIME_MOST - 366 * DAY_MICROS) /* room for what runs ahead of the clock */
#define CEILING_AHEAD (SECOND_MICROS / 5)

_Static_assert(BATCH_SLOTS_MOST <= COUNTER_END, "the slots of a batch share a microsecond");

bool stamps_open(struct stamps *stamps, uint64_t ceiling, uint64_t ahead_most, struct err *err)
{
    uint64_t clock = clock_micros();

    if (clock > CLOCK_MOST)
        return err_fail(err, ERR_CONFIG, "the system's clock is past the year 2110");
    if (ceiling > clock && ceiling - clock > ahead_most)
        return err_fail(err, ERR_CONFIG,
                        "the last write is %llu seconds ahead of the system's clock: set the clock "
                        "right, or allow a clock that far behind",
                        (unsigned long long)((ceiling - clock) / SECOND_MICROS));
    if (ceiling > CLOCK_MOST)
        return err_fail(err, ERR_CORRUPT, "the stored time is past the year 2110");
    if (ceiling > clock && ceiling - clock <= CEILING_AHEAD)
        poll(NULL, 0, (int)((ceiling - clock) / 1000) + 1);
    *stamps = (struct stamps){.least = ceiling, .ceiling = ceiling};
    return true;
}

/* Raises `least` to `time` at least; what it is then. */
static uint64_t raise(struct stamps *stamps, uint64_t time)
{
    uint64_t least = atomic_load(&stamps->least);

    while (least < time)
        if (atomic_compare_exchange_weak(&stamps->least, &least, time))
            return time;
    return least;
}

uint64_t stamps_now(struct stamps *stamps)
{
    uint64_t clock = clock_micros();

    return raise(stamps, clock < CLOCK_MOST ? clock : CLOCK_MOST);
}

/* Stamps wider than our own 8 bytes are only for tests: the rest depends on the stamp, so that
 * whoever takes a stamp for 8 bytes is found out. */
static void stamp_write(uint64_t stamp, size_t stamp_size, uint8_t *to)
{
    be64_store(to, stamp);
    for (size_t i = STAMP_SIZE; i < stamp_size; i++)
        to[i] = (uint8_t)(stamp * 151 + i);
}

static void mark_op(struct batch_op *op, uint64_t first, uint64_t time, size_t stamp_size)
{
    if (op->stamp_in_key != NO_MARK) {
        assert(op->stamp_in_key + stamp_size <= op->key_size && op->slot != NO_MARK);
        stamp_write(first + op->slot, stamp_size, op->key + op->stamp_in_key);
    }
    if (op->stamp_in_value != NO_MARK) {
        assert(op->stamp_in_value + stamp_size <= op->value_size && op->slot != NO_MARK);
        stamp_write(first + op->slot, stamp_size, op->value + op->stamp_in_value);
    }
    if (op->time_in_value != NO_MARK) {
        assert(op->time_in_value + (size_t)8 <= op->value_size);
        be64_store(op->value + op->time_in_value, time);
    }
}

void stamps_give(struct stamps *stamps, struct engine_batch *batch, size_t stamp_size)
{
    uint64_t time = stamps_now(stamps);

    assert(batch->slots <= COUNTER_END && batch->not_before <= CLOCK_MOST);
    if (time < batch->not_before)
        time = batch->not_before;
    if (time == stamps->time && stamps->counter + batch->slots > COUNTER_END)
        time++;
    time = raise(stamps, time);
    if (time > stamps->time) {
        stamps->time = time;
        stamps->counter = 0;
    }
    uint64_t first = time << COUNTER_BITS | stamps->counter;
    stamps->counter += batch->slots;
    assert(stamps->counter <= COUNTER_END && time <= TIME_MOST);
    batch->time = time;
    for (uint32_t i = 0; i < batch->count; i++)
        mark_op(&batch->ops[i], first, time, stamp_size);
}

bool stamps_raise(const struct stamps *stamps, uint64_t *ceiling)
{
    if (stamps->time < stamps->ceiling)
        return false;
    *ceiling = stamps->time + CEILING_AHEAD;
    return true;
}

void stamps_raised(struct stamps *stamps, uint64_t ceiling)
{
    assert(ceiling > stamps->time);
    stamps->ceiling = ceiling;
}

uint64_t stamps_close(struct stamps *stamps)
{
    return atomic_load(&stamps->least) + 1;
}

void stamps_at(uint64_t micros, size_t stamp_size, uint8_t *stamp)
{
    uint64_t time = micros < TIME_MOST ? micros : TIME_MOST;

    be64_store(stamp, time << COUNTER_BITS);
    memset(stamp + STAMP_SIZE, 0, stamp_size - STAMP_SIZE);
}
