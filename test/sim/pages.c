/* test/sim/pages.c - random Queries and Scans of random items beside a model, page by page: sort
 * keys of all three types, every condition on the key, both directions, filters and projections in
 * both styles, counts, limits, pages of 1 MB, starting keys that are no items, segments. The model
 * is an array of rows in the order of their keys; each reply must be, to the letter, what a walk
 * over it comes to. Each table has a local and a global index with its own key and all of its
 * items, which must answer as the table does.
 *
 * Which partition a Scan shows first is not for a model to know, so the order is learned: from one
 * Scan of each world of items, which must show all of them once, each partition in the order of its
 * sort keys. Every other Scan is then held to that order, and the segments to their share of it.
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

#define PARTITIONS    3
#define SORTS         12
#define ROWS          (PARTITIONS * SORTS)
#define QUERIES       12 /* of one world of items */
#define SCANS         6
#define SEGMENTS_MOST 7
#define PADDING       ((size_t)90000) /* so that 12 items are more than a page */
#define PAGE_MOST     ((uint64_t)1024 * 1024)

/* --- the model -------------------------------------------------------------------------------- */

struct kind {
    const char *table, *type;  /* of the sort key */
    const char *sorts[SORTS];  /* as JSON has them, in their order */
    struct bytes bytes[SORTS]; /* S and B: what begins_with() looks at */
};

#define TEXT(text) BYTES_INIT(text)
static const struct kind kinds[] = {
    {"numbers",
     "N",
     {"-300", "-12", "-1.5", "-1", "0", "0.25", "1", "2", "10", "11", "1000",
      "12345678901234567890"},
     {{0}}},
    {"texts",
     "S",
     {"A", "a", "aa", "ab", "abc", "abd", "b", "ba", "bb", "c", "zz", "\xc3\xa9"},
     {TEXT("A"), TEXT("a"), TEXT("aa"), TEXT("ab"), TEXT("abc"), TEXT("abd"), TEXT("b"), TEXT("ba"),
      TEXT("bb"), TEXT("c"), TEXT("zz"), TEXT("\xc3\xa9")}},
    {"binaries",
     "B",
     {"AA==", "AAE=", "AQ==", "AQE=", "Ag==", "YQ==", "YWE=", "YWI=", "gA==", "/w==", "/wA=",
      "//8="},
     {TEXT("\0"), TEXT("\0\1"), TEXT("\1"), TEXT("\1\1"), TEXT("\2"), TEXT("a"), TEXT("aa"),
      TEXT("ab"), TEXT("\x80"), TEXT("\xff"), TEXT("\xff\0"), TEXT("\xff\xff")}},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static const char *const texts[] = {"", "x", "xy", "yx"};

/* The item of one key; its number is its place among all keys. */
struct row {
    bool there, has_n, padded;
    int n;
    const char *s; /* NULL: none */
    uint64_t size;
};

static struct row rows[ROWS];
static const struct kind *kind;
static struct api *api;
static struct arena arena;
static uint64_t seed, turn;
static unsigned pages, started; /* how many replies were held to the model, and began anywhere */

static unsigned any(unsigned below)
{
    return (unsigned)(random_next(&seed) % below);
}

static bool rarely(void)
{
    return any(8) == 0;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void put_key(struct buf *out, unsigned row)
{
    buf_printf(out, "{\"pk\":{\"S\":\"%u\"},\"sk\":{\"%s\":\"%s\"}}", row / SORTS, kind->type,
               kind->sorts[row % SORTS]);
}

enum attribute { ATTRIBUTE_ID, ATTRIBUTE_N, ATTRIBUTE_P, ATTRIBUTE_PK, ATTRIBUTE_S, ATTRIBUTE_SK };
static const char *const names[] = {"id", "n", "p", "pk", "s", "sk"}; /* in their order */
#define ATTRIBUTES 6u
#define ALL        ((1u << ATTRIBUTES) - 1)

static void put_padding(struct buf *out)
{
    buf_put_literal(out, "{\"S\":\"");
    memset(buf_room(out, PADDING), 'p', PADDING);
    out->size += PADDING;
    buf_put_literal(out, "\"}");
}

static void put_attribute(struct buf *out, unsigned at, unsigned attribute)
{
    const struct row *row = &rows[at];

    switch (attribute) {
    case ATTRIBUTE_ID:
        buf_printf(out, "{\"N\":\"%u\"}", at);
        return;
    case ATTRIBUTE_N:
        buf_printf(out, "{\"N\":\"%d\"}", row->n);
        return;
    case ATTRIBUTE_P:
        put_padding(out);
        return;
    case ATTRIBUTE_PK:
        buf_printf(out, "{\"S\":\"%u\"}", at / SORTS);
        return;
    case ATTRIBUTE_S:
        buf_printf(out, "{\"S\":\"%s\"}", row->s);
        return;
    default:
        buf_printf(out, "{\"%s\":\"%s\"}", kind->type, kind->sorts[at % SORTS]);
    }
}

static bool has(const struct row *row, unsigned attribute)
{
    return attribute == ATTRIBUTE_N   ? row->has_n
           : attribute == ATTRIBUTE_P ? row->padded
           : attribute == ATTRIBUTE_S ? row->s != NULL
                                      : true;
}

static void put_row(struct buf *out, unsigned at, unsigned wanted)
{
    const char *between = "";

    buf_put_literal(out, "{");
    for (unsigned i = 0; i < ATTRIBUTES; i++) {
        if ((wanted & 1u << i) == 0 || !has(&rows[at], i))
            continue;
        buf_printf(out, "%s\"%s\":", between, names[i]);
        put_attribute(out, at, i);
        between = ",";
    }
    buf_put_literal(out, "}");
}

/* The one thing that is asked of the code under test: how large an item is. */
static uint64_t row_size(unsigned at)
{
    struct json_reader reader;
    struct item_read read;
    struct buf text;
    struct err err;

    buf_init_in(&text, &arena);
    put_row(&text, at, ALL);
    json_reader_init(&reader, buf_bytes(&text), &arena);
    assert_true(item_read_json(&reader, &read, &err));
    return item_size(read.packed);
}

/* --- filters ---------------------------------------------------------------------------------- */

struct term {
    unsigned test;
    int low, high;
    const char *text;
    bool negated;
};

/* "one", "one AND two" or "one OR two". */
struct filter {
    struct term terms[2];
    unsigned count;
    bool or, older;
};

static bool term_holds(const struct term *term, const struct row *row)
{
    bool holds;

    switch (term->test) {
    case 0:
        holds = row->has_n && row->n < term->low;
        break;
    case 1:
        holds = row->s != NULL;
        break;
    case 2:
        holds = row->has_n && row->n >= term->low && row->n <= term->high;
        break;
    case 3:
        holds = row->s != NULL && strncmp(row->s, term->text, strlen(term->text)) == 0;
        break;
    default:
        holds = row->s != NULL && (int)strlen(row->s) > term->high;
    }
    return holds != term->negated;
}

static void put_term(struct buf *out, struct buf *values, const struct term *term, unsigned at)
{
    static const char *const tests[] = {"n < :l%u", "attribute_exists(s)",
                                        "n BETWEEN :l%u AND :h%u", "begins_with(s, :t%u)",
                                        "size(s) > :h%u"};
    bool low = term->test == 0 || term->test == 2, high = term->test == 2 || term->test == 4;
    const char *test = tests[term->test];

    buf_put_text(out, term->negated ? "NOT " : "");
    for (const char *c = test; *c != '\0'; c++)
        if (*c == '%')
            buf_printf(out, "%u", at);
        else if (c == test || c[-1] != '%')
            buf_put_u8(out, (uint8_t)*c);
    if (low)
        buf_printf(values, ",\":l%u\":{\"N\":\"%d\"}", at, term->low);
    if (high)
        buf_printf(values, ",\":h%u\":{\"N\":\"%d\"}", at, term->high);
    if (term->test == 3)
        buf_printf(values, ",\":t%u\":{\"S\":\"%s\"}", at, term->text);
}

static bool filter_keeps(const struct filter *filter, const struct row *row)
{
    bool first = filter->count == 0 || term_holds(&filter->terms[0], row);

    if (filter->count < 2)
        return first;
    bool second = term_holds(&filter->terms[1], row);
    return filter->or ? first || second : first && second;
}

static struct filter random_filter(bool older)
{
    struct filter filter = {.count = any(3), .or = any(2) == 0, .older = older};

    for (unsigned i = 0; i < filter.count; i++) {
        struct term *term = &filter.terms[i];
        term->low = (int)any(6) - 2;
        term->high = term->low + (int)any(4);
        term->test = any(5);
        term->text = texts[any(4)];
        term->negated = any(3) == 0;
    }
    if (older) { /* n LT and s NOT_NULL, or the one of them */
        filter.terms[0].test = 0;
        filter.terms[1].test = 1;
        filter.terms[0].negated = filter.terms[1].negated = false;
    }
    return filter;
}

static void put_filter(struct buf *body, struct buf *values, const struct filter *filter,
                       const char *older_name)
{
    if (filter->count == 0)
        return;
    if (filter->older) {
        buf_printf(body,
                   ",\"%s\":{\"n\":{\"ComparisonOperator\":\"LT\",\"AttributeValueList\":[{\"N\":"
                   "\"%d\"}]}",
                   older_name, filter->terms[0].low);
        if (filter->count == 2)
            buf_printf(body,
                       ",\"s\":{\"ComparisonOperator\":\"NOT_NULL\"}},\"ConditionalOperator\":"
                       "\"%s\"",
                       filter->or ? "OR" : "AND");
        else
            buf_put_literal(body, "}");
        return;
    }
    buf_put_literal(body, ",\"FilterExpression\":\"");
    put_term(body, values, &filter->terms[0], 0);
    if (filter->count == 2) {
        buf_put_text(body, filter->or ? " OR " : " AND ");
        put_term(body, values, &filter->terms[1], 1);
    }
    buf_put_literal(body, "\"");
}

/* --- what is shown ---------------------------------------------------------------------------- */

struct view {
    const char *index; /* NULL: the table */
    unsigned wanted;   /* attributes */
    bool count_only, older, consistent, capacity;
    uint64_t limit; /* 0: none */
};

static struct view random_view(bool older)
{
    static const char *const indexes[] = {NULL, NULL, "global", "local"};
    struct view view = {.index = indexes[any(4)],
                        .wanted = ALL,
                        .older = older,
                        .consistent = any(2) == 0,
                        .capacity = any(2) == 0,
                        .limit = any(3) == 0 ? 0 : 1 + any(SORTS)};

    if (view.index == indexes[2])
        view.consistent = false;
    if (any(3) == 0)
        view.wanted = 1 + any(ALL);
    else
        view.count_only = any(3) == 0;
    return view;
}

static void put_view(struct buf *body, const struct view *view)
{
    const char *between = "";

    if (view->index != NULL)
        buf_printf(body, ",\"IndexName\":\"%s\"", view->index);
    if (view->wanted != ALL) {
        buf_put_text(body, view->older ? ",\"AttributesToGet\":[" : ",\"ProjectionExpression\":\"");
        for (unsigned i = ATTRIBUTES; i-- > 0;) {
            if ((view->wanted & 1u << i) == 0)
                continue;
            buf_printf(body, view->older ? "%s\"%s\"" : "%s%s", between, names[i]);
            between = ",";
        }
        buf_put_text(body, view->older ? "]" : "\"");
    } else if (view->count_only) {
        buf_put_literal(body, ",\"Select\":\"COUNT\"");
    }
    if (view->consistent)
        buf_put_literal(body, ",\"ConsistentRead\":true");
    if (view->capacity)
        buf_put_literal(body, ",\"ReturnConsumedCapacity\":\"TOTAL\"");
    if (view->limit > 0)
        buf_printf(body, ",\"Limit\":%" PRIu64, view->limit);
}

/* --- pages ------------------------------------------------------------------------------------ */

/* A walk over rows in an order, some of them passed over, and where the next page begins. */
struct walk {
    const unsigned *order;
    unsigned count, at;
    const bool *asked; /* by row; NULL: all */
    const struct filter *filter;
    const struct view *view;
    int last; /* the row where the last page ended; -1: the walk is at its end */
};

static void put_capacity(struct buf *out, const struct view *view, uint64_t size)
{
    uint64_t units = size == 0 ? 1 : (size + 4095) / 4096,
             halves = units * (view->consistent ? 2 : 1);

    if (view->capacity)
        buf_printf(out,
                   ",\"ConsumedCapacity\":{\"TableName\":\"%s\",\"CapacityUnits\":%" PRIu64 ".%c}",
                   kind->table, halves / 2, halves % 2 != 0 ? '5' : '0');
}

/* The reply that shows the next page. */
static void expect_page(struct walk *walk, struct buf *out)
{
    unsigned scanned = 0, kept = 0;
    uint64_t size = 0;

    walk->last = -1;
    buf_put_text(out, walk->view->count_only ? "{" : "{\"Items\":[");
    for (; walk->at < walk->count && walk->last < 0; walk->at++) {
        unsigned at = walk->order[walk->at];
        if (!rows[at].there || (walk->asked != NULL && !walk->asked[at]))
            continue;
        scanned++;
        size += rows[at].size;
        if (filter_keeps(walk->filter, &rows[at]) && ++kept > 0 && !walk->view->count_only) {
            buf_put_text(out, kept > 1 ? "," : "");
            put_row(out, at, walk->view->wanted);
        }
        if (scanned == walk->view->limit || size >= PAGE_MOST)
            walk->last = (int)at;
    }
    buf_printf(out, "%s\"Count\":%u,\"ScannedCount\":%u", walk->view->count_only ? "" : "],", kept,
               scanned);
    if (walk->last >= 0) {
        buf_put_literal(out, ",\"LastEvaluatedKey\":");
        put_key(out, (unsigned)walk->last);
    }
    put_capacity(out, walk->view, size);
    buf_put_literal(out, "}");
}

static void call(const char *operation, struct bytes body, struct buf *reply)
{
    buf_clear(reply);
    (void)api_call(api, operation, body, reply);
}

static void check_page(const char *operation, struct bytes body, struct walk *walk)
{
    struct buf reply, expected;

    buf_init(&reply);
    buf_init(&expected);
    expect_page(walk, &expected);
    call(operation, body, &reply);
    if (reply.size - 1 != expected.size || memcmp(reply.data, expected.data, expected.size) != 0) {
        printf("turn %" PRIu64 ": %s %.*s\n  answers %.4000s\n  not     %.*s\n", turn, operation,
               BYTES_ARGS(body), (char *)reply.data,
               (int)(expected.size < 4000 ? expected.size : 4000), (char *)expected.data);
        exit(1);
    }
    pages++;
    buf_release(&reply);
    buf_release(&expected);
}

/* All pages of a request that is the same but for where it begins; `head` is without its end. */
static void check_pages(const char *operation, const struct buf *head, struct walk *walk)
{
    struct buf body;

    buf_init(&body);
    do {
        buf_clear(&body);
        buf_put_bytes(&body, buf_bytes(head));
        if (walk->last >= 0) {
            buf_put_literal(&body, ",\"ExclusiveStartKey\":");
            put_key(&body, (unsigned)walk->last);
        }
        buf_put_literal(&body, "}");
        check_page(operation, buf_bytes(&body), walk);
    } while (walk->last >= 0);
    buf_release(&body);
}

/* --- Query ------------------------------------------------------------------------------------ */

static const struct {
    const char *text, *older;
} comparisons[] = {{"=", "EQ"}, {"<", "LT"}, {"<=", "LE"}, {">", "GT"}, {">=", "GE"}};
enum { SORT_BETWEEN = 5, SORT_BEGINS, SORT_ANY, SORT_TESTS };

static bool sort_fits(unsigned test, unsigned sort, unsigned low, unsigned high)
{
    switch (test) {
    case 0:
        return sort == low;
    case 1:
        return sort < low;
    case 2:
        return sort <= low;
    case 3:
        return sort > low;
    case 4:
        return sort >= low;
    case SORT_BETWEEN:
        return sort >= low && sort <= high;
    case SORT_BEGINS:
        return bytes_begin(kind->bytes[sort], kind->bytes[low]);
    default:
        return true;
    }
}

static void put_sort_value(struct buf *out, unsigned sort)
{
    buf_printf(out, "{\"%s\":\"%s\"}", kind->type, kind->sorts[sort]);
}

static void put_older_key(struct buf *body, unsigned partition, unsigned test, unsigned low,
                          unsigned high)
{
    const char *name = test == SORT_BETWEEN  ? "BETWEEN"
                       : test == SORT_BEGINS ? "BEGINS_WITH"
                                             : comparisons[test % SORT_BETWEEN].older;

    buf_printf(body,
               ",\"KeyConditions\":{\"pk\":{\"ComparisonOperator\":\"EQ\",\"AttributeValueList\":"
               "[{\"S\":\"%u\"}]}",
               partition);
    if (test != SORT_ANY) {
        buf_printf(body, ",\"sk\":{\"ComparisonOperator\":\"%s\",\"AttributeValueList\":[", name);
        put_sort_value(body, low);
        if (test == SORT_BETWEEN) {
            buf_put_literal(body, ",");
            put_sort_value(body, high);
        }
        buf_put_literal(body, "]}");
    }
    buf_put_literal(body, "}");
}

static void put_newer_key(struct buf *body, struct buf *values, unsigned partition, unsigned test,
                          unsigned low, unsigned high)
{
    buf_put_literal(body, ",\"KeyConditionExpression\":\"");
    if (test == SORT_ANY)
        buf_put_literal(body, "pk = :pk");
    else if (test == SORT_BETWEEN)
        buf_put_literal(body, "pk = :pk AND sk BETWEEN :low AND :high");
    else if (test == SORT_BEGINS)
        buf_put_literal(body, "begins_with(sk, :low) AND pk = :pk");
    else
        buf_printf(body, "pk = :pk AND sk %s :low", comparisons[test].text);
    buf_put_literal(body, "\"");
    buf_printf(values, ",\":pk\":{\"S\":\"%u\"}", partition);
    if (test != SORT_ANY) {
        buf_put_literal(values, ",\":low\":");
        put_sort_value(values, low);
    }
    if (test == SORT_BETWEEN) {
        buf_put_literal(values, ",\":high\":");
        put_sort_value(values, high);
    }
}

static void put_values(struct buf *body, struct buf *values)
{
    if (values->size > 0)
        buf_printf(body, ",\"ExpressionAttributeValues\":{%.*s}",
                   BYTES_ARGS(bytes_from(buf_bytes(values), 1)));
}

/* A page may begin behind any key that is asked for, whether it is an item's or not. */
static void begin_anywhere(struct walk *walk)
{
    unsigned from = any(walk->count);

    if (any(2) == 0 || !walk->asked[walk->order[from]])
        return;
    walk->at = from + 1;
    walk->last = (int)walk->order[from];
    started++;
}

static void random_query(void)
{
    bool older = any(3) == 0, backward = any(2) == 0;
    unsigned partition = any(PARTITIONS + 1), test = any(SORT_TESTS), low = any(SORTS);
    unsigned high = low + any(SORTS - low), order[SORTS];
    struct filter filter = random_filter(older);
    struct view view = random_view(older);
    bool asked[(PARTITIONS + 1) * SORTS] = {false};
    struct walk walk = {order, partition < PARTITIONS ? SORTS : 0, 0, asked, &filter, &view, -1};
    struct buf body, values;

    if (test == SORT_BEGINS && kind->type[0] == 'N')
        test = SORT_ANY;
    for (unsigned i = 0; i < SORTS; i++) {
        unsigned sort = backward ? SORTS - 1 - i : i;
        order[i] = partition * SORTS + sort;
        asked[order[i]] = sort_fits(test, sort, low, high);
    }
    buf_init(&body);
    buf_init(&values);
    buf_printf(&body, "{\"TableName\":\"%s\",\"ScanIndexForward\":%s", kind->table,
               backward ? "false" : "true");
    if (older)
        put_older_key(&body, partition, test, low, high);
    else
        put_newer_key(&body, &values, partition, test, low, high);
    put_filter(&body, &values, &filter, "QueryFilter");
    put_view(&body, &view);
    put_values(&body, &values);
    if (walk.count > 0)
        begin_anywhere(&walk);
    check_pages("Query", &body, &walk);
    buf_release(&body);
    buf_release(&values);
}

/* --- Scan ------------------------------------------------------------------------------------- */

/* Rows in the order of a whole Scan, or of one segment, pages and all; returns how many. */
static unsigned scan_order(const char *more, unsigned *order)
{
    static const char mark[] = "{\"id\":{\"N\":\"";
    struct buf body, reply;
    unsigned count = 0;
    const char *next = "";

    buf_init(&body);
    buf_init(&reply);
    while (next != NULL) {
        buf_clear(&body);
        buf_printf(&body, "{\"TableName\":\"%s\",\"ProjectionExpression\":\"id\"%s%s", kind->table,
                   more, next[0] != '\0' ? ",\"ExclusiveStartKey\":" : "");
        buf_put_text(&body, next);
        buf_put_text(&body, next[0] != '\0' ? "" : "}");
        call("Scan", buf_bytes(&body), &reply);
        const char *at = (const char *)reply.data;
        while ((at = strstr(at, mark)) != NULL) {
            at += sizeof mark - 1;
            assert_true(count < ROWS);
            order[count++] = (unsigned)strtoul(at, NULL, 10);
        }
        next = strstr((const char *)reply.data, "\"LastEvaluatedKey\":");
        if (next != NULL) { /* to the end of the reply, whose brace ends the next request */
            next += sizeof "\"LastEvaluatedKey\":" - 1;
            next = (const char *)arena_copy(&arena, bytes_of(next, strlen(next) + 1)).data;
        }
    }
    buf_release(&body);
    buf_release(&reply);
    return count;
}

/* All items once, each partition as a whole and in its order. */
static void check_order(const unsigned *order, unsigned count)
{
    bool seen[ROWS] = {false}, begun[PARTITIONS] = {false};
    unsigned there = 0;

    for (unsigned i = 0; i < ROWS; i++)
        there += rows[i].there;
    assert_int_equal(count, there);
    for (unsigned i = 0; i < count; i++) {
        unsigned partition = order[i] / SORTS;
        assert_true(rows[order[i]].there && !seen[order[i]]);
        seen[order[i]] = true;
        if (i > 0 && order[i - 1] / SORTS == partition) {
            assert_true(order[i - 1] < order[i]);
            continue;
        }
        assert_false(begun[partition]);
        begun[partition] = true;
    }
}

static void random_scan(const unsigned *order, unsigned count, const char *more)
{
    bool older = any(3) == 0;
    struct filter filter = random_filter(older);
    struct view view = random_view(older);
    struct walk walk = {order, count, 0, NULL, &filter, &view, -1};
    struct buf body, values;

    buf_init(&body);
    buf_init(&values);
    buf_printf(&body, "{\"TableName\":\"%s\"%s", kind->table, more);
    put_filter(&body, &values, &filter, "ScanFilter");
    put_view(&body, &view);
    put_values(&body, &values);
    check_pages("Scan", &body, &walk);
    buf_release(&body);
    buf_release(&values);
}

/* The segments are the whole, one behind the other. */
static void random_segments(const unsigned *order, unsigned count)
{
    unsigned segments = 1 + any(SEGMENTS_MOST), before = 0, part[ROWS];
    char more[64];

    for (unsigned segment = 0; segment < segments; segment++) {
        snprintf(more, sizeof more, ",\"Segment\":%u,\"TotalSegments\":%u", segment, segments);
        unsigned own = scan_order(more, part);
        assert_true(before + own <= count);
        assert_memory_equal(part, order + before, own * sizeof *part);
        random_scan(part, own, more);
        before += own;
    }
    assert_int_equal(before, count);
}

/* --- the world -------------------------------------------------------------------------------- */

static void write_row(unsigned at, bool pads)
{
    struct row *row = &rows[at];
    struct buf body, reply;

    *row = (struct row){.there = any(4) > 0,
                        .has_n = any(3) > 0,
                        .n = (int)any(7) - 3,
                        .s = any(3) > 0 ? texts[any(4)] : NULL,
                        .padded = pads && any(8) > 0};
    row->size = row_size(at);
    buf_init(&body);
    buf_init(&reply);
    buf_printf(&body, "{\"TableName\":\"%s\",\"%s\":", kind->table, row->there ? "Item" : "Key");
    if (row->there)
        put_row(&body, at, ALL);
    else
        put_key(&body, at);
    buf_put_literal(&body, "}");
    call(row->there ? "PutItem" : "DeleteItem", buf_bytes(&body), &reply);
    assert_string_equal((char *)reply.data, "{}");
    buf_release(&body);
    buf_release(&reply);
}

/* Another world of items, and what is asked of it. */
static void run_turn(void)
{
    bool pads = rarely();
    unsigned order[ROWS];
    struct arena_mark mark = arena_mark(&arena);

    kind = &kinds[turn % KINDS];
    for (unsigned i = 0; i < ROWS; i++)
        write_row(i, pads);
    for (unsigned i = 0; i < QUERIES; i++)
        random_query();
    unsigned count = scan_order("", order);
    check_order(order, count);
    for (unsigned i = 0; i < SCANS; i++)
        random_scan(order, count, "");
    random_segments(order, count);
    arena_rewind(&arena, mark);
}

#define SAME_KEY                                                                                   \
    "\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"sk\","    \
    "\"KeyType\":\"RANGE\"}]"
#define INDEXES(kind, name)                                                                        \
    "\"" kind "SecondaryIndexes\":[{\"IndexName\":\"" name "\"," SAME_KEY                          \
    ",\"Projection\":{\"ProjectionType\":\"ALL\"}}]"

static void tables_make(void)
{
    struct buf body, reply;

    buf_init(&body);
    buf_init(&reply);
    for (size_t i = 0; i < KINDS; i++) {
        buf_clear(&body);
        buf_printf(&body,
                   "{\"TableName\":\"%s\",\"BillingMode\":\"PAY_PER_REQUEST\"," SAME_KEY
                   "," INDEXES("Local", "local") "," INDEXES(
                       "Global", "global") ",\"AttributeDefinitions\":["
                                           "{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"},{"
                                           "\"AttributeName\":\"sk\","
                                           "\"AttributeType\":\"%s\"}]}",
                   kinds[i].table, kinds[i].type);
        call("CreateTable", buf_bytes(&body), &reply);
        assert_non_null(strstr((char *)reply.data, "TableDescription"));
    }
    buf_release(&body);
    buf_release(&reply);
}

int main(int argc, char **argv)
{
    const char *world = argc > 1 ? argv[1] : "memory";
    uint64_t turns = sim_setting("SIM_TURNS", 300);
    char folder[FOLDER_PATH_MOST];
    struct database database;

    seed = sim_setting("SIM_SEED", 1);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("world %s, SIM_SEED=%" PRIu64 " SIM_TURNS=%" PRIu64 "\n", world, seed, turns);
    arena_init(&arena);
    folder_make(folder);
    database_open(&database, sim_engine(world, folder, seed));
    api = api_new(&(struct api_settings){.tables = database.tables});
    tables_make();
    for (turn = 0; turn < turns; turn++)
        run_turn();
    printf("%u pages, %u of them begun anywhere\n", pages, started);
    assert_true(pages > turns * (QUERIES + SCANS) && started > turns / 2);
    api_free(api);
    database_close(&database);
    folder_remove(folder);
    arena_release(&arena);
    return 0;
}
