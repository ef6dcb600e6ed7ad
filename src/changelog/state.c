/* changelog/state.c - how far back a table's log reaches, and who needs it: one catalogue record
 *
 *     'L' | table (8)  ->  stamp | time | { Floor?: N, Pins: [{ Owner: B, Time: N }] }
 *
 * A record without Floor was written by the commit that switched the log on, and its floor is that
 * commit's time plus one. Why plus one: what was committed before the switch is not in the log, and
 * may have the very microsecond of the switch, but never a later one; what has a later microsecond
 * was committed after it and is in the log. So every instant from time + 1 on is exact, and none
 * before it is promised. */
#include "changelog/changelog.h"

#include "item/codec.h"

#define STATE_KIND 'L'

static struct bytes state_key(uint64_t table, struct arena *arena)
{
    uint8_t *key = arena_alloc(arena, 9);

    key[0] = STATE_KIND;
    be64_store(key + 1, table);
    return bytes_of(key, 9);
}

static bool state_decode(const struct engine_limits *limits, struct bytes value,
                         struct arena *arena, struct log_state *out, struct err *err)
{
    struct stored_item stored;
    struct bytes *items;
    struct log_pin *pins;

    if (!stored_item_read(limits, value, &stored, err) || !item_check(stored.item, err))
        return false;
    int64_t floor = item_integer(stored.item, "Floor", (int64_t)stored.time + 1);
    uint32_t count = item_items(stored.item, "Pins", arena, &items);
    pins = arena_alloc(arena, count * sizeof *pins);
    for (uint32_t i = 0; i < count; i++) {
        pins[i].owner = item_text(items[i], "Owner");
        pins[i].time = (uint64_t)item_integer(items[i], "Time", 0);
    }
    *out = (struct log_state){stored.stamp, (uint64_t)floor, pins, count};
    return true;
}

bool log_state_read(struct engine *engine, uint64_t table, struct arena *arena,
                    struct log_state *out, struct err *err)
{
    struct engine_value value;
    bool found;

    if (!engine_get(engine, NULL, SPACE_CATALOG, state_key(table, arena), &value, &found, err))
        return false;
    if (!found) {
        *out = (struct log_state){.floor = LOG_FLOOR_NONE};
        return true;
    }
    struct bytes copy = arena_copy(arena, value.bytes);
    engine_value_release(&value);
    return state_decode(&engine->limits, copy, arena, out, err);
}

void log_state_write(struct engine_batch *batch, const struct engine_limits *limits, uint64_t table,
                     const struct log_state *old, const struct log_state *state)
{
    struct bytes key = state_key(table, batch->arena);
    struct bytes *pins = arena_alloc(batch->arena, state->pin_count * sizeof *pins);
    struct item_maker maker;

    for (uint32_t i = 0; i < state->pin_count; i++) {
        item_begin(&maker, batch->arena);
        item_put_data(&maker, "Owner", state->pins[i].owner);
        item_put_integer(&maker, "Time", (int64_t)state->pins[i].time);
        pins[i] = item_finish(&maker);
    }
    item_begin(&maker, batch->arena);
    if (state->floor != LOG_FLOOR_HERE)
        item_put_integer(&maker, "Floor", (int64_t)state->floor);
    item_put_items(&maker, "Pins", pins, state->pin_count);
    batch_expect(batch, SPACE_CATALOG, key, old->stamp, false);
    stored_item_put(batch, limits, SPACE_CATALOG, key, item_finish(&maker), batch_slot(batch));
}

void log_state_delete(struct engine_batch *batch, uint64_t table, const struct log_state *old)
{
    struct bytes key = state_key(table, batch->arena);

    batch_expect(batch, SPACE_CATALOG, key, old->stamp, false);
    batch_delete(batch, SPACE_CATALOG, key);
}

struct log_state log_state_pinned(const struct log_state *state, const struct log_pin *pin,
                                  struct arena *arena)
{
    struct log_state result = *state;
    struct log_pin *pins = arena_alloc(arena, (state->pin_count + 1) * sizeof *pins);

    for (uint32_t i = 0; i < state->pin_count; i++)
        pins[i] = state->pins[i];
    pins[state->pin_count] = *pin;
    result.pins = pins;
    result.pin_count++;
    return result;
}

struct log_state log_state_unpinned(const struct log_state *state, struct bytes owner,
                                    struct arena *arena)
{
    struct log_state result = *state;
    struct log_pin *pins = arena_alloc(arena, (state->pin_count + 1) * sizeof *pins);

    result.pin_count = 0;
    result.pins = pins;
    for (uint32_t i = 0; i < state->pin_count; i++)
        if (!bytes_equal(state->pins[i].owner, owner))
            pins[result.pin_count++] = state->pins[i];
    return result;
}
