/* test/unit/query.c - random queries of one partition key beside a model: every comparison, every
 * type of sort key, both directions, pages of any size that begin behind any key. The values are
 * those that an escape or a carry could put in a wrong place. */
#include "support/check.h"

#include <stdlib.h>

#include "base/random.h"
#include "item/number.h"
#include "support/database.h"

#define ITEMS_MOST 80
#define QUERIES    1500

/* What is in the table, and what is asked of it. */
struct thing {
    int partition;
    struct bytes sort; /* as bytes of the value */
    int64_t number;    /* of an N: what it is, times 100 */
};

struct subject {
    struct database database;
    struct call call;
    const struct table *table;
    uint64_t seed;
    struct thing things[ITEMS_MOST];
    size_t count;
};

static const struct bytes partitions[] = {BYTES_INIT("p"), BYTES_INIT("p\0"), BYTES_INIT("q")};
#define PARTITIONS 3

static uint64_t below(struct subject *subject, uint64_t most)
{
    return random_next(&subject->seed) % most;
}

static enum run create_step(struct work *work, void *context, struct err *err)
{
    const struct table *out;
    struct table wanted = {
        .name = BYTES("t"),
        .keys = {{BYTES("pk"), KEY_S}, {BYTES("sk"), *(const enum key_type *)context}},
        .key_count = 2,
    };

    return tables_create(work, &wanted, &out, err);
}

static void random_number(struct subject *subject, struct thing *out)
{
    static const struct {
        int64_t times_100;
        const char *exponent;
    } scales[] = {{1, "e-2"}, {100, "e0"}, {100000, "e3"}};
    size_t scale = below(subject, 3);
    int64_t digits = (int64_t)below(subject, 250) - 125;
    struct number number;
    struct err err;
    struct bytes text =
        arena_printf(&subject->call.arena, "%d%s", (int)digits, scales[scale].exponent);

    assert_true(number_read(text, &number, &err));
    out->sort = arena_copy(&subject->call.arena, number_bytes(&number));
    out->number = digits * scales[scale].times_100;
}

static struct bytes random_data(struct subject *subject, size_t least)
{
    static const uint8_t alphabet[] = {0x00, 0x01, 0x7f, 0xfe, 0xff};
    size_t size = least + below(subject, 4);
    uint8_t *data = arena_alloc(&subject->call.arena, 4);

    for (size_t i = 0; i < size; i++)
        data[i] = alphabet[below(subject, sizeof alphabet)];
    return bytes_of(data, size);
}

static struct thing random_thing(struct subject *subject)
{
    struct thing thing = {.partition = (int)below(subject, PARTITIONS)};

    if (subject->table->keys[1].type == KEY_N)
        random_number(subject, &thing);
    else
        thing.sort = random_data(subject, 1);
    return thing;
}

static int thing_order(const struct subject *subject, const struct thing *one,
                       const struct thing *other)
{
    if (subject->table->keys[1].type == KEY_N)
        return (one->number > other->number) - (one->number < other->number);
    return bytes_compare(one->sort, other->sort);
}

static struct value sort_value(const struct subject *subject, struct bytes content)
{
    static const enum value_type types[] = {
        [KEY_S] = VALUE_S, [KEY_N] = VALUE_N, [KEY_B] = VALUE_B};

    return (struct value){.type = types[subject->table->keys[1].type], .content = content};
}

/* --- the table ------------------------------------------------------------------------------ */

/* The key item, packed: S and B through the maker, an N put by itself. */
static struct bytes thing_item(struct subject *subject, const struct thing *thing)
{
    struct buf out;
    struct item_maker maker;

    if (subject->table->keys[1].type == KEY_N) {
        struct bytes partition = partitions[thing->partition];
        item_begin(&maker, &subject->call.arena);
        item_put_text(&maker, "pk", partition);
        struct bytes item = item_finish(&maker);
        struct value value;
        assert_true(item_find(item, BYTES("pk"), &value));
        buf_init_in(&out, &subject->call.arena);
        item_open(&out);
        value_put_name(&out, BYTES("pk"));
        buf_put_bytes(&out, value.encoded);
        value_put_name(&out, BYTES("sk"));
        value_put_number(&out, thing->sort);
        return buf_bytes(&out);
    }
    item_begin(&maker, &subject->call.arena);
    item_put_text(&maker, "pk", partitions[thing->partition]);
    if (subject->table->keys[1].type == KEY_S)
        item_put_text(&maker, "sk", thing->sort);
    else
        item_put_data(&maker, "sk", thing->sort);
    return item_finish(&maker);
}

static struct bytes thing_key(struct subject *subject, const struct thing *thing)
{
    struct bytes key;
    struct err err;

    assert_true(table_key(subject->table, thing_item(subject, thing), true, &subject->call.arena,
                          &key, &err));
    return key;
}

static bool answer_nothing(void *context, const struct write *writes, size_t count, struct err *err)
{
    (void)context, (void)writes, (void)count, (void)err;
    return true;
}

static enum run fill_step(struct work *work, void *context, struct err *err)
{
    struct subject *subject = context;
    struct write *writes = arena_zalloc(work->arena, subject->count * sizeof *writes);

    for (size_t i = 0; i < subject->count; i++)
        writes[i] = (struct write){
            .kind = WRITE_PUT,
            .table = subject->table,
            .key = thing_key(subject, &subject->things[i]),
            .item = thing_item(subject, &subject->things[i]),
        };
    return table_write(work, writes, subject->count, answer_nothing, NULL, err);
}

static bool is_there(const struct subject *subject, const struct thing *thing)
{
    for (size_t i = 0; i < subject->count; i++)
        if (subject->things[i].partition == thing->partition &&
            thing_order(subject, &subject->things[i], thing) == 0)
            return true;
    return false;
}

static void subject_open(struct subject *subject, enum key_type type)
{
    struct call fill;

    *subject = (struct subject){.seed = 4711};
    database_open(&subject->database,
                  engine_open_memory(&(struct memory_settings){.page_most = 5}));
    call_init(&fill, &subject->database);
    assert_true(call_run(&fill, create_step, &type));
    call_release(&fill);
    call_init(&subject->call, &subject->database);
    subject->table = database_table(&subject->call, "t");
    while (subject->count < ITEMS_MOST) {
        struct thing thing = random_thing(subject);
        if (!is_there(subject, &thing))
            subject->things[subject->count++] = thing;
    }
    call_init(&fill, &subject->database);
    assert_true(call_run(&fill, fill_step, subject));
    call_release(&fill);
}

static void subject_close(struct subject *subject)
{
    call_release(&subject->call);
    database_close(&subject->database);
}

/* --- the model ------------------------------------------------------------------------------ */

struct question {
    int partition;
    enum key_test test;
    struct thing low, high;
    bool backward;
    bool starts; /* behind `start`, which need not be there */
    struct thing start;
};

static bool test_holds(const struct subject *subject, const struct question *asked,
                       const struct thing *thing)
{
    int order = asked->test == KEY_ANY || asked->test == KEY_BEGINS
                    ? 0
                    : thing_order(subject, thing, &asked->low);

    switch (asked->test) {
    case KEY_ANY:
        return true;
    case KEY_EQUAL:
        return order == 0;
    case KEY_LESS:
        return order < 0;
    case KEY_AT_MOST:
        return order <= 0;
    case KEY_MORE:
        return order > 0;
    case KEY_AT_LEAST:
        return order >= 0;
    case KEY_BETWEEN:
        return order >= 0 && thing_order(subject, thing, &asked->high) <= 0;
    case KEY_BEGINS:
        return bytes_begin(thing->sort, asked->low.sort);
    default:
        return false;
    }
}

static bool is_asked_for(const struct subject *subject, const struct question *asked,
                         const struct thing *thing)
{
    if (thing->partition != asked->partition || !test_holds(subject, asked, thing))
        return false;
    if (!asked->starts)
        return true;
    int order = thing_order(subject, thing, &asked->start);
    return asked->backward ? order < 0 : order > 0;
}

/* The things that are asked for, in the order in which they must come. */
static size_t model_answer(const struct subject *subject, const struct question *asked,
                           struct thing *out)
{
    size_t count = 0;

    for (size_t i = 0; i < subject->count; i++) {
        const struct thing *thing = &subject->things[i];
        if (!is_asked_for(subject, asked, thing))
            continue;
        size_t at = count++;
        for (; at > 0; at--) {
            int order = thing_order(subject, thing, &out[at - 1]);
            if (asked->backward ? order < 0 : order > 0)
                break;
            out[at] = out[at - 1];
        }
        out[at] = *thing;
    }
    return count;
}

/* --- the question --------------------------------------------------------------------------- */

struct seen {
    struct arena *arena;
    struct bytes items[ITEMS_MOST];
    struct bytes last;
    size_t count, stop;
};

static bool see(void *context, struct bytes key, struct bytes item)
{
    struct seen *seen = context;

    assert_true(seen->count < ITEMS_MOST);
    seen->last = arena_copy(seen->arena, key);
    seen->items[seen->count++] = arena_copy(seen->arena, item);
    return seen->count != seen->stop;
}

static struct question random_question(struct subject *subject)
{
    bool number = subject->table->keys[1].type == KEY_N;
    struct question asked = {
        .partition = (int)below(subject, PARTITIONS),
        .test = (enum key_test)below(subject, number ? KEY_BEGINS : KEY_BEGINS + 1),
        .low = random_thing(subject),
        .high = random_thing(subject),
        .backward = below(subject, 2) == 0,
        .starts = below(subject, 3) == 0,
        .start = random_thing(subject),
    };

    asked.start.partition = asked.partition;
    return asked;
}

static void ask(struct subject *subject, const struct question *asked)
{
    struct thing expected[ITEMS_MOST];
    struct err err;
    struct key_query query = {
        .equal = {{.type = VALUE_S, .content = partitions[asked->partition]},
                  sort_value(subject, asked->low.sort)},
        .equal_count = asked->test == KEY_EQUAL ? 2 : 1,
        .test = asked->test == KEY_EQUAL ? KEY_ANY : asked->test,
        .low = sort_value(subject, asked->low.sort),
        .high = sort_value(subject, asked->high.sort),
    };
    struct seen seen = {.arena = &subject->call.arena};
    struct table_query run = {
        .table = subject->table,
        .query = &query,
        .backward = asked->backward,
        .visit = see,
        .context = &seen,
    };
    size_t page = 1 + below(subject, 9), count = model_answer(subject, asked, expected);

    if (asked->starts)
        run.from = thing_key(subject, &asked->start);
    for (enum scan_end end = SCAN_STOPPED; end == SCAN_STOPPED; run.from = seen.last) {
        seen.stop = seen.count + page;
        end = table_query(&subject->call.work, &run, &err);
        assert_int_not_equal(end, SCAN_FAILED);
        if (seen.count == 0)
            break;
    }
    assert_int_equal(seen.count, count);
    struct bytes from, to;
    table_query_range(subject->table, &query, &subject->call.arena, &from, &to);
    for (size_t i = 0; i < count; i++) {
        assert_bytes_equal(seen.items[i], thing_item(subject, &expected[i]));
        assert_true(bytes_compare(thing_key(subject, &expected[i]), from) >= 0);
        assert_true(to.size == 0 || bytes_compare(thing_key(subject, &expected[i]), to) < 0);
    }
}

static void check_all(enum key_type type)
{
    struct subject subject;

    subject_open(&subject, type);
    for (int i = 0; i < QUERIES; i++) {
        struct arena_mark mark = arena_mark(&subject.call.arena);
        struct question asked = random_question(&subject);
        ask(&subject, &asked);
        arena_rewind(&subject.call.arena, mark);
    }
    subject_close(&subject);
}

static void text_is_in_the_order_of_its_bytes(void **state)
{
    (void)state;
    check_all(KEY_S);
}

static void data_is_in_the_order_of_its_bytes(void **state)
{
    (void)state;
    check_all(KEY_B);
}

static void numbers_are_in_their_order(void **state)
{
    (void)state;
    check_all(KEY_N);
}

/* What begins with bytes whose successor carries, or with nothing at all. */
static void beginnings_carry(void **state)
{
    static const struct bytes beginnings[] = {BYTES_INIT(""),         BYTES_INIT("\xff"),
                                              BYTES_INIT("\0"),       BYTES_INIT("\0\xff"),
                                              BYTES_INIT("\xff\xff"), BYTES_INIT("\x01\0")};
    struct subject subject;

    (void)state;
    subject_open(&subject, KEY_B);
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        for (int backward = 0; backward < 2; backward++)
            ask(&subject, &(struct question){.test = KEY_BEGINS,
                                             .low = {.sort = beginnings[i]},
                                             .backward = backward});
    subject_close(&subject);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_in_the_order_of_its_bytes),
        cmocka_unit_test(data_is_in_the_order_of_its_bytes),
        cmocka_unit_test(numbers_are_in_their_order),
        cmocka_unit_test(beginnings_carry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
