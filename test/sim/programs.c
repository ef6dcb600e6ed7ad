/* test/sim/programs.c - random programs of PutItem, UpdateItem, DeleteItem and GetItem with
 * conditions, updates and projections, in both styles of parameters, beside a small model. Requests
 * are made up and worked out in one go: as a body is written, the model does what it says, the
 * plain way. Some writes are begun before others are answered, so that they wait for each other;
 * what they do is what they would do one after the other. On a database that refuses every third
 * commit they are run again and again, and nothing may show of it. The table has indexes, which
 * must hold at the end, and now and then, what the items say.
 *
 * SIM_SEED and SIM_TURNS choose a run. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/check.h"

#include "base/random.h"
#include "item/json.h"
#include "support/api_call.h"
#include "support/database.h"
#include "support/folder.h"
#include "support/sim.h"
#include "table/check.h"

#define KEY_COUNT   4
#define CHECK_EVERY 20 /* turns, after which the indexes are looked at whole */
#define TOGETHER    5  /* writes begun before the first of them is answered, at most */
#define LIST_MOST   24 /* elements; a list that is longer is removed */
#define WRONG       "com.amazon.coral.validate#ValidationException"
#define NOT_SO      "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"

/* --- the model -------------------------------------------------------------------------------- */

enum attribute { ATTRIBUTE_L, ATTRIBUTE_N, ATTRIBUTE_PK, ATTRIBUTE_S, ATTRIBUTE_T, ATTRIBUTES };
#define ALL ((1u << ATTRIBUTES) - 1)

static const char *const names[ATTRIBUTES] = {"l", "n", "pk", "s", "t"}; /* in their order */

struct item {
    unsigned has; /* a bit for each attribute; none: there is no item */
    int n;
    const char *s;
    unsigned t; /* a set of the numbers 0 to 3, a bit each */
    int l[LIST_MOST + 1], count;
};

static const char *const texts[] = {"", "x", "xy", "yx"};

static struct item items[KEY_COUNT];
static struct api *api;
static uint64_t seed, turn;
static unsigned counts[3]; /* of writes: done, refused by a condition, wrong */

static unsigned any(unsigned below)
{
    return (unsigned)(random_next(&seed) % below);
}

static bool has(const struct item *item, enum attribute attribute)
{
    return (item->has & 1u << attribute) != 0;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void put_list(struct buf *out, const int *elements, int count)
{
    const char *between = "";

    buf_put_literal(out, "{\"L\":[");
    for (int i = 0; i < count; i++, between = ",")
        buf_printf(out, "%s{\"N\":\"%d\"}", between, elements[i]);
    buf_put_literal(out, "]}");
}

static void put_set(struct buf *out, unsigned set)
{
    const char *between = "";

    buf_put_literal(out, "{\"NS\":[");
    for (unsigned i = 0; i < 4; i++)
        if ((set & 1u << i) != 0) {
            buf_printf(out, "%s\"%u\"", between, i);
            between = ",";
        }
    buf_put_literal(out, "]}");
}

static void put_value(struct buf *out, const struct item *item, unsigned key, int attribute)
{
    switch (attribute) {
    case ATTRIBUTE_L:
        put_list(out, item->l, item->count);
        break;
    case ATTRIBUTE_N:
        buf_printf(out, "{\"N\":\"%d\"}", item->n);
        break;
    case ATTRIBUTE_PK:
        buf_printf(out, "{\"S\":\"%u\"}", key);
        break;
    case ATTRIBUTE_S:
        buf_printf(out, "{\"S\":\"%s\"}", item->s);
        break;
    default:
        put_set(out, item->t);
    }
}

/* Of the attributes that an item has, those asked for. */
static void put_item(struct buf *out, const struct item *item, unsigned key, unsigned wanted)
{
    const char *between = "";

    buf_put_literal(out, "{");
    for (int i = 0; i < ATTRIBUTES; i++) {
        if ((item->has & wanted & 1u << i) == 0)
            continue;
        buf_printf(out, "%s\"%s\":", between, names[i]);
        put_value(out, item, key, i);
        between = ",";
    }
    buf_put_literal(out, "}");
}

/* --- one request ------------------------------------------------------------------------------ */

struct program {
    const char *operation;
    unsigned key;
    struct item old, new;
    struct buf body, values;
    int value_count;
    bool older; /* the style of its parameters */
    bool condition, refused, shows_item;
    unsigned written;    /* attributes that an update writes to */
    int index;           /* of the element of "l" that it writes to; -1: to all of it */
    struct buf expected; /* what the reply is, or what is in it */
    struct api_call call;
};

/* ":3", and a value of that name. */
static const char *value_name(struct program *program)
{
    static char name[8];

    snprintf(name, sizeof name, ":%d", program->value_count);
    buf_printf(&program->values, "%s\"%s\":", program->value_count > 0 ? "," : "", name);
    program->value_count++;
    return name;
}

static const char *number(struct program *program, int value)
{
    const char *name = value_name(program);

    buf_printf(&program->values, "{\"N\":\"%d\"}", value);
    return name;
}

static const char *text_value(struct program *program, const char *value)
{
    const char *name = value_name(program);

    buf_printf(&program->values, "{\"S\":\"%s\"}", value);
    return name;
}

static const char *set_value(struct program *program, unsigned set)
{
    const char *name = value_name(program);

    put_set(&program->values, set);
    return name;
}

static const char *list_value(struct program *program, int element)
{
    const char *name = value_name(program);

    put_list(&program->values, &element, 1);
    return name;
}

/* --- conditions ------------------------------------------------------------------------------- */

/* Appends a term and answers whether it holds. */
static bool random_term(struct program *program, struct buf *out)
{
    const struct item *old = &program->old;
    int attribute = (int)any(ATTRIBUTES), member = (int)any(4);
    int low = (int)any(6) - 2, high = low + (int)any(4);
    const char *text = texts[any(4)];

    switch (any(8)) {
    case 0:
        buf_printf(out, "attribute_exists(%s)", names[attribute]);
        return has(old, (enum attribute)attribute);
    case 1:
        buf_printf(out, "attribute_not_exists(%s)", names[attribute]);
        return !has(old, (enum attribute)attribute);
    case 2:
        buf_printf(out, "n < %s", number(program, low));
        return has(old, ATTRIBUTE_N) && old->n < low;
    case 3:
        buf_printf(out, "n <> %s", number(program, low));
        return !has(old, ATTRIBUTE_N) || old->n != low;
    case 4:
        buf_printf(out, "contains(t, %s)", number(program, member));
        return has(old, ATTRIBUTE_T) && (old->t & 1u << member) != 0;
    case 5:
        buf_printf(out, "size(l) >= %s", number(program, high));
        return has(old, ATTRIBUTE_L) && old->count >= high;
    case 6:
        buf_printf(out, "begins_with(s, %s)", text_value(program, text));
        return has(old, ATTRIBUTE_S) && strncmp(old->s, text, strlen(text)) == 0;
    default:
        buf_printf(out, "n BETWEEN %s", number(program, low));
        buf_printf(out, " AND %s", number(program, high));
        return has(old, ATTRIBUTE_N) && old->n >= low && old->n <= high;
    }
}

static bool random_condition(struct program *program, struct buf *out)
{
    bool holds = random_term(program, out);

    for (unsigned more = any(3); more > 0; more--) {
        bool both = any(2) == 0, negated = any(3) == 0;
        buf_put_text(out, both ? " AND (" : " OR (");
        if (negated)
            buf_put_literal(out, "NOT ");
        bool next = random_term(program, out) != negated;
        buf_put_literal(out, ")");
        /* AND binds: a OR b AND c is a OR (b AND c); so only the last may be an OR */
        if (!both)
            return holds || next;
        holds = holds && next;
    }
    return holds;
}

/* "n" by its value, "t" by what it contains, "s" by whether it is there. */
static bool random_expected(struct program *program, struct buf *out)
{
    const struct item *old = &program->old;
    int value = (int)any(4);
    bool or = any(2) == 0, is_less = has(old, ATTRIBUTE_N) && old->n < value;
    bool contains = has(old, ATTRIBUTE_T) && (old->t & 1u << value) != 0;
    bool denied = any(2) == 0, wanted = any(2) == 0;

    if (denied)
        contains = has(old, ATTRIBUTE_T) && !contains;
    buf_printf(out,
               ",\"ConditionalOperator\":\"%s\",\"Expected\":{\"n\":{\"ComparisonOperator\":\"LT\","
               "\"AttributeValueList\":[{\"N\":\"%d\"}]},\"t\":{\"ComparisonOperator\":\"%s\","
               "\"Value\":{\"N\":\"%d\"}},\"s\":{%s}}",
               or ? "OR" : "AND", value, denied ? "NOT_CONTAINS" : "CONTAINS", value,
               wanted ? "\"ComparisonOperator\":\"NOT_NULL\"" : "\"Exists\":false");
    bool exists = has(old, ATTRIBUTE_S) == wanted;
    return or ? is_less || contains || exists : is_less && contains && exists;
}

static void condition_add(struct program *program)
{
    if (any(2) == 0)
        return;
    program->condition = true;
    if (program->older) {
        program->refused = !random_expected(program, &program->body);
    } else {
        buf_put_literal(&program->body, ",\"ConditionExpression\":\"");
        program->refused = !random_condition(program, &program->body);
        buf_put_literal(&program->body, "\"");
    }
    program->shows_item = any(2) == 0;
    if (program->shows_item)
        buf_put_literal(&program->body, ",\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"");
}

/* --- updates ---------------------------------------------------------------------------------- */

struct sections {
    struct buf set, remove, add, delete;
    bool wrong; /* the item cannot take it */
};

static void put_action(struct buf *section, const char *format, ...) PRINTF(2, 3);

static void put_action(struct buf *section, const char *format, ...)
{
    char text[128];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buf_printf(section, "%s%s", section->size > 0 ? ", " : "", text);
}

static void update_n(struct program *program, struct sections *sections)
{
    bool had = has(&program->old, ATTRIBUTE_N);
    int by = (int)any(5) - 2;

    program->new.has |= 1u << ATTRIBUTE_N;
    switch (any(4)) {
    case 0:
        put_action(&sections->set, "n = n - %s", number(program, by));
        sections->wrong = sections->wrong || !had;
        program->new.n -= by;
        break;
    case 1:
        put_action(&sections->set, "n = if_not_exists(n, %s)", number(program, by));
        if (!had)
            program->new.n = by;
        break;
    case 2:
        put_action(&sections->add, "n %s", number(program, by));
        program->new.n = by + (had ? program->old.n : 0);
        break;
    default:
        put_action(&sections->remove, "n");
        program->new.has &= ~(1u << ATTRIBUTE_N);
    }
}

static void update_t(struct program *program, struct sections *sections)
{
    unsigned set = 1 + any(15), old = has(&program->old, ATTRIBUTE_T) ? program->old.t : 0;
    bool add = any(2) == 0;

    program->new.t = add ? old | set : old & ~set;
    program->new.has |= 1u << ATTRIBUTE_T;
    if (program->new.t == 0)
        program->new.has &= ~(1u << ATTRIBUTE_T);
    put_action(add ? &sections->add : &sections->delete, "t %s", set_value(program, set));
}

static void element_remove(struct item *item, int index)
{
    if (index >= item->count)
        return;
    item->count--;
    memmove(item->l + index, item->l + index + 1, (size_t)(item->count - index) * sizeof *item->l);
}

static void update_l(struct program *program, struct sections *sections)
{
    struct item *new = &program->new;
    bool had = has(&program->old, ATTRIBUTE_L), exists = program->old.has != 0;
    int index = (int)any(4), value = (int)any(9);

    switch (new->count >= LIST_MOST ? 3 : any(3)) {
    case 0:
        put_action(&sections->set, "l = list_append(if_not_exists(l, %s), ",
                   list_value(program, value));
        buf_printf(&sections->set, "%s)", list_value(program, value + 1));
        new->count = had ? new->count : 0;
        if (!had)
            new->l[new->count++] = value;
        new->l[new->count++] = value + 1;
        new->has |= 1u << ATTRIBUTE_L;
        break;
    case 1:
        put_action(&sections->set, "l[%d] = %s", index, number(program, value));
        sections->wrong = sections->wrong || !had;
        new->l[index < new->count ? index : new->count++] = value;
        program->index = index;
        break;
    case 2:
        put_action(&sections->remove, "l[%d]", index);
        sections->wrong = sections->wrong || (!had && exists);
        if (had)
            element_remove(new, index);
        program->index = index;
        break;
    default:
        put_action(&sections->remove, "l");
        new->has &= ~(1u << ATTRIBUTE_L);
    }
}

static void put_section(struct buf *out, const char *name, struct buf *section)
{
    if (section->size > 0)
        buf_printf(out, " %s %.*s", name, BYTES_ARGS(buf_bytes(section)));
    buf_release(section);
}

/* Answers whether the item can take it. */
static bool random_update(struct program *program)
{
    struct sections sections = {.wrong = false};

    buf_init(&sections.set);
    buf_init(&sections.remove);
    buf_init(&sections.add);
    buf_init(&sections.delete);
    program->written = 1 + any(ALL); /* of "pk" nothing is written */
    program->written &= ~(1u << ATTRIBUTE_PK);
    if (program->written == 0)
        program->written = 1u << ATTRIBUTE_S;
    if (program->written & 1u << ATTRIBUTE_L)
        update_l(program, &sections);
    if (program->written & 1u << ATTRIBUTE_N)
        update_n(program, &sections);
    if (program->written & 1u << ATTRIBUTE_T)
        update_t(program, &sections);
    if (program->written & 1u << ATTRIBUTE_S) {
        program->new.s = texts[any(4)];
        program->new.has |= 1u << ATTRIBUTE_S;
        put_action(&sections.set, "s = %s", text_value(program, program->new.s));
    }
    buf_put_literal(&program->body, ",\"UpdateExpression\":\"");
    put_section(&program->body, "SET", &sections.set);
    put_section(&program->body, "REMOVE", &sections.remove);
    put_section(&program->body, "ADD", &sections.add);
    put_section(&program->body, "DELETE", &sections.delete);
    buf_put_literal(&program->body, "\"");
    return !sections.wrong;
}

/* "n" counted up, "s" put or deleted, elements of "t" added. */
static void older_update(struct program *program)
{
    int by = (int)any(5);
    unsigned set = 1 + any(15);
    bool put = any(2) == 0;

    program->written = 1u << ATTRIBUTE_N | 1u << ATTRIBUTE_S | 1u << ATTRIBUTE_T;
    program->new.n = by + (has(&program->old, ATTRIBUTE_N) ? program->old.n : 0);
    program->new.t = set | (has(&program->old, ATTRIBUTE_T) ? program->old.t : 0);
    program->new.has |= 1u << ATTRIBUTE_N | 1u << ATTRIBUTE_T;
    program->new.s = texts[any(4)];
    buf_printf(&program->body,
               ",\"AttributeUpdates\":{\"n\":{\"Action\":\"ADD\",\"Value\":{\"N\":"
               "\"%d\"}},\"t\":{\"Action\":\"ADD\",\"Value\":",
               by);
    put_set(&program->body, set);
    if (put) {
        buf_printf(&program->body, "},\"s\":{\"Value\":{\"S\":\"%s\"}}}", program->new.s);
        program->new.has |= 1u << ATTRIBUTE_S;
    } else {
        buf_put_literal(&program->body, "},\"s\":{\"Action\":\"DELETE\"}}");
        program->new.has &= ~(1u << ATTRIBUTE_S);
    }
}

/* --- replies ---------------------------------------------------------------------------------- */

/* What UPDATED_OLD and UPDATED_NEW show of an item. */
static struct item updated_part(const struct program *program, const struct item *item)
{
    struct item part = *item;

    part.has &= program->written;
    if (program->index < 0 || !has(&part, ATTRIBUTE_L))
        return part;
    if (program->index < item->count) {
        part.l[0] = item->l[program->index];
        part.count = 1;
    } else {
        part.has &= ~(1u << ATTRIBUTE_L);
    }
    return part;
}

static void expect_attributes(struct program *program, struct item shown)
{
    buf_put_literal(&program->expected, "{");
    if (shown.has != 0) {
        buf_put_literal(&program->expected, "\"Attributes\":");
        put_item(&program->expected, &shown, program->key, ALL);
    }
    buf_put_literal(&program->expected, "}");
}

static void expect_returned(struct program *program, bool update)
{
    static const char *const wishes[] = {"NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD",
                                         "UPDATED_NEW"};
    unsigned wish = any(update ? 5 : 2);
    const struct item shown[] = {{.has = 0},
                                 program->old,
                                 program->new,
                                 updated_part(program, &program->old),
                                 updated_part(program, &program->new)};

    buf_printf(&program->body, ",\"ReturnValues\":\"%s\"", wishes[wish]);
    expect_attributes(program, shown[wish]);
}

static void expect_refusal(struct program *program)
{
    buf_clear(&program->expected);
    buf_put_literal(&program->expected,
                    "{\"__type\":\"" NOT_SO "\",\"message\":\"The conditional request failed\"");
    if (program->shows_item && program->old.has != 0) {
        buf_put_literal(&program->expected, ",\"Item\":");
        put_item(&program->expected, &program->old, program->key, ALL);
    }
    buf_put_literal(&program->expected, "}");
    program->new = program->old;
}

/* --- programs --------------------------------------------------------------------------------- */

static void put_make(struct program *program)
{
    struct item *new = &program->new;

    program->operation = "PutItem";
    *new = (struct item){.has = 1u << ATTRIBUTE_PK | any(ALL + 1),
                         .n = (int)any(7) - 3,
                         .s = texts[any(4)],
                         .t = 1 + any(15),
                         .count = (int)any(4)};
    for (int i = 0; i < new->count; i++)
        new->l[i] = (int)any(9);
    buf_put_literal(&program->body, ",\"Item\":");
    put_item(&program->body, new, program->key, ALL);
    expect_returned(program, false);
}

static void key_add(struct program *program)
{
    buf_printf(&program->body, ",\"Key\":{\"pk\":{\"S\":\"%u\"}}", program->key);
}

static void delete_make(struct program *program)
{
    program->operation = "DeleteItem";
    program->new = (struct item){.has = 0};
    key_add(program);
    expect_returned(program, false);
}

static void update_make(struct program *program, bool *wrong)
{
    program->operation = "UpdateItem";
    key_add(program);
    if (any(12) == 0)
        program->new.has |= 1u << ATTRIBUTE_PK; /* of no update: the key becomes an item */
    else if (program->older)
        older_update(program);
    else
        *wrong = !random_update(program);
    if (program->new.has != 0)
        program->new.has |= 1u << ATTRIBUTE_PK;
    expect_returned(program, true);
}

/* Makes a write and does it to the model. */
static void write_make(struct program *program)
{
    bool wrong = false;

    program->key = any(KEY_COUNT);
    program->old = program->new = items[program->key];
    program->older = any(3) == 0;
    program->index = -1;
    buf_put_literal(&program->body, "{\"TableName\":\"hash\"");
    switch (any(6)) {
    case 0:
        put_make(program);
        break;
    case 1:
        delete_make(program);
        break;
    default:
        update_make(program, &wrong);
    }
    condition_add(program);
    if (program->value_count > 0)
        buf_printf(&program->body, ",\"ExpressionAttributeValues\":{%.*s}",
                   BYTES_ARGS(buf_bytes(&program->values)));
    buf_put_literal(&program->body, "}");
    counts[program->refused ? 1 : wrong ? 2 : 0]++;
    if (program->refused) {
        expect_refusal(program);
    } else if (wrong) {
        buf_clear(&program->expected);
        buf_put_literal(&program->expected, "{\"__type\":\"" WRONG);
        program->new = program->old;
    }
    items[program->key] = program->new;
}

static void read_make(struct program *program)
{
    struct item shown;

    program->operation = "GetItem";
    program->key = any(KEY_COUNT);
    shown = items[program->key];
    buf_put_literal(&program->body, "{\"TableName\":\"hash\"");
    key_add(program);
    if (any(2) == 0) {
        buf_put_literal(&program->body, ",\"ProjectionExpression\":\"t, l[1], n\"}");
        program->written = 1u << ATTRIBUTE_T | 1u << ATTRIBUTE_L | 1u << ATTRIBUTE_N;
        program->index = 1;
        shown = updated_part(program, &shown);
    } else {
        buf_put_literal(&program->body, ",\"AttributesToGet\":[\"s\",\"pk\",\"l\"]}");
        shown.has &= 1u << ATTRIBUTE_S | 1u << ATTRIBUTE_PK | 1u << ATTRIBUTE_L;
    }
    if (items[program->key].has == 0) {
        buf_put_literal(&program->expected, "{}");
        return;
    }
    buf_put_literal(&program->expected, "{\"Item\":");
    put_item(&program->expected, &shown, program->key, ALL);
    buf_put_literal(&program->expected, "}");
}

static void program_begin(struct program *program, void (*make)(struct program *program))
{
    *program = (struct program){.value_count = 0};
    buf_init(&program->body);
    buf_init(&program->values);
    buf_init(&program->expected);
    make(program);
    api_call_begin(&program->call, api, program->operation, buf_bytes(&program->body));
}

/* A ValidationException may say what it likes. */
static void program_end(struct program *program)
{
    struct buf reply;
    size_t size = program->expected.size;
    bool open = program->expected.data[size - 1] != '}';

    buf_init(&reply);
    (void)api_call_end(&program->call, &reply);
    if (reply.size - 1 < size || memcmp(reply.data, program->expected.data, size) != 0 ||
        (!open && reply.size - 1 != size)) {
        printf("turn %" PRIu64 ": %s %.*s\n  answers %s\n  not     %.*s\n", turn,
               program->operation, BYTES_ARGS(buf_bytes(&program->body)), (char *)reply.data,
               BYTES_ARGS(buf_bytes(&program->expected)));
        exit(1);
    }
    buf_release(&reply);
    buf_release(&program->body);
    buf_release(&program->values);
    buf_release(&program->expected);
}

static void run_turn(void)
{
    static struct program programs[TOGETHER];
    unsigned count = 1 + any(TOGETHER);

    for (unsigned i = 0; i < count; i++)
        program_begin(&programs[i], write_make);
    for (unsigned i = 0; i < count; i++)
        program_end(&programs[i]);
    program_begin(&programs[0], read_make);
    program_end(&programs[0]);
}

/* --- indexes ---------------------------------------------------------------------------------- */

/* Of what is always of one type; the values of `n` are few, so entries come, move and go. */
static const struct bytes included[] = {BYTES_INIT("t"), BYTES_INIT("l")};
static const struct table_index indexes[] = {
    {.name = BYTES_INIT("all"),
     .keys = {{BYTES_INIT("n"), KEY_N}},
     .partition_count = 1,
     .key_count = 1,
     .projection = PROJECT_ALL},
    {.name = BYTES_INIT("keys"),
     .keys = {{BYTES_INIT("pk"), KEY_S}, {BYTES_INIT("n"), KEY_N}},
     .partition_count = 1,
     .key_count = 2,
     .projection = PROJECT_KEYS_ONLY},
    {.name = BYTES_INIT("some"),
     .keys = {{BYTES_INIT("n"), KEY_N}, {BYTES_INIT("pk"), KEY_S}},
     .partition_count = 2,
     .key_count = 2,
     .projection = PROJECT_INCLUDE,
     .included = included,
     .included_count = 2},
};
#define INDEX_COUNT 3
static const struct table table = {
    .name = BYTES_INIT("hash"),
    .keys = {{BYTES_INIT("pk"), KEY_S}},
    .key_count = 1,
    .indexes = indexes,
    .index_count = INDEX_COUNT,
};

/* --- the world -------------------------------------------------------------------------------- */

static void check_figures(struct database *database)
{
    struct table_figures figures, expected = {0};
    struct arena arena;
    struct call call;
    struct err err;

    arena_init(&arena);
    for (unsigned i = 0; i < KEY_COUNT; i++) {
        struct json_reader reader;
        struct item_read read;
        struct buf text;
        if (items[i].has == 0)
            continue;
        buf_init_in(&text, &arena);
        put_item(&text, &items[i], i, ALL);
        json_reader_init(&reader, buf_bytes(&text), &arena);
        assert_true(item_read_json(&reader, &read, &err));
        expected.items++;
        expected.bytes += (int64_t)item_size(read.packed);
    }
    call_init(&call, database);
    assert_true(table_figures(database->tables, database_table(&call, "hash"), &figures, &err));
    assert_int_equal(figures.items, expected.items);
    assert_int_equal(figures.bytes, expected.bytes);
    call_release(&call);
    arena_release(&arena);
}

static void tell(void *context, const char *sentence)
{
    (void)context;
    printf("turn %" PRIu64 ": %s\n", turn, sentence);
}

static uint64_t entries_seen;

static void check_indexes(struct database *database)
{
    struct check_figures figures = {0};
    struct err err;

    assert_true(tables_check(database->tables, tell, NULL, &figures, &err));
    assert_int_equal(figures.differences, 0);
    assert_int_equal(figures.indexes, INDEX_COUNT);
    entries_seen += figures.entries;
}

int main(int argc, char **argv)
{
    const char *world = argc > 1 ? argv[1] : "memory";
    uint64_t turns = sim_setting("SIM_TURNS", 5000);
    char folder[FOLDER_PATH_MOST];
    struct database database;
    struct err err;

    seed = sim_setting("SIM_SEED", 1);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("world %s, SIM_SEED=%" PRIu64 " SIM_TURNS=%" PRIu64 "\n", world, seed, turns);
    folder_make(folder);
    database_open(&database, sim_engine(world, folder, seed));
    assert_true(database_create_table(&database, &table, &err));
    assert_true(database_recovery(&database, "hash", true, 35, &err));
    api = api_new(&(struct api_settings){.tables = database.tables});
    for (turn = 0; turn < turns; turn++) {
        run_turn();
        if (turn % CHECK_EVERY == 0)
            check_indexes(&database);
    }
    check_indexes(&database);
    check_figures(&database);
    printf("%u done, %u refused, %u wrong\n", counts[0], counts[1], counts[2]);
    assert_true(counts[0] > turns && counts[1] > turns / 4 && counts[2] > turns / 10);
    assert_true(entries_seen > turns / CHECK_EVERY);
    api_free(api);
    database_close(&database);
    folder_remove(folder);
    return 0;
}
