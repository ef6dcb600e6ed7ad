/* test/unit/expr_key_condition.c - key conditions: each message of the service, and the query that
 * a condition is on a table's key. */
#include "support/check.h"

#include "expr/key_condition.h"
#include "support/expressions.h"

#define VALUES                                                                                     \
    "{':p':{'S':'k'},':q':{'S':'m'},':n':{'N':'5'},':m':{'N':'7'},':e':{'S':''},':l':{'L':[]}}"

static const struct key_part parts[] = {{BYTES_INIT("p"), KEY_S}, {BYTES_INIT("s"), KEY_N}};

static struct key_parts key_of(const struct key_part *from, uint32_t partition, uint32_t count)
{
    struct key_parts key = {.partition_count = partition, .count = count};

    memcpy(key.parts, from, count * sizeof *from);
    return key;
}

/* Of a table with a sort key of type N, or without one. */
static const struct {
    const char *text;
    uint32_t parts;
    const char *message;
} refusals[] = {
    {"", 2, "Invalid KeyConditionExpression: The expression can not be empty;"},
    {"p = :p a", 2, "Invalid KeyConditionExpression: Syntax error; token: \"a\", near: \":p a\""},
    {"p", 2, "Invalid KeyConditionExpression: Syntax error; token: \"<EOF>\", near: \"p\""},
    {"p = :p AND BEGINS_WITH(s, :p)", 2,
     "Invalid KeyConditionExpression: Invalid function name; function: BEGINS_WITH"},
    {"p = :p AND begins_with(s, :n)", 2,
     "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator "
     "or function: begins_with, operand type: N"},
    {"p = :p AND ((s = :n))", 2,
     "Invalid KeyConditionExpression: The expression has redundant parentheses;"},
    {"s = :n OR p = :p", 2, "Invalid operator used in KeyConditionExpression: OR"},
    {"NOT s = :n AND p = :p", 2, "Invalid operator used in KeyConditionExpression: NOT"},
    {"p = :p AND s IN (:n)", 2, "Invalid operator used in KeyConditionExpression: IN"},
    {"p = :p AND s <> :n", 2, "Invalid operator used in KeyConditionExpression: <>"},
    {"p = :p AND attribute_exists(s)", 2,
     "Invalid operator used in KeyConditionExpression: attribute_exists"},
    {"p = :p AND contains(s, :n)", 2, "Invalid operator used in KeyConditionExpression: contains"},
    {"p = :p AND size(s) = :n", 2,
     "Invalid KeyConditionExpression: KeyConditionExpressions cannot contain nested operations"},
    {"p = :p AND :n BETWEEN s AND :m", 2,
     "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute as "
     "its first operand"},
    {"p = :p AND begins_with(:p, s)", 2,
     "Invalid condition in KeyConditionExpression: begins_with operator must have the key "
     "attribute as its first operand"},
    {"p = s", 2,
     "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"},
    {":p = :q", 2, "Invalid condition in KeyConditionExpression: No key attribute specified"},
    {"p = :p AND s.x < :n", 2,
     "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested "
     "attributes"},
    {"p = :p AND p = :p", 2,
     "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per "
     "key"},
    {"p = :p AND s >= :n AND s <= :m", 2,
     "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per "
     "key"},
    {"p = :p AND s = :n AND x = :n", 2,
     "The number of query conditions (3) exceeds the number of key attributes defined in the "
     "schema (2)"},
    {"p < :p", 2, "Query key condition not supported"},
    {"begins_with(p, :p)", 2, "Query key condition not supported"},
    {"p = :p AND s = :n", 1,
     "The number of query conditions (2) exceeds the number of key attributes defined in the "
     "schema (1)"},
    {"s = :n", 2, "Query condition missed key schema element: p"},
    {"x = :n", 1, "Query condition missed key schema element: p"},
    {"p = :p AND x < :n", 2, "Query condition missed key schema element: s"},
    {"p = :n", 2,
     "One or more parameter values were invalid: Condition parameter type does not match schema "
     "type"},
    {"p = :p AND s = :q", 2,
     "One or more parameter values were invalid: Condition parameter type does not match schema "
     "type"},
    {"p = :e", 2,
     "One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
     "contain an empty string value. Key: p"},
};

/* All that there is to do with one. */
static bool query_of(struct scope *scope, struct bytes text, const struct key_parts *key,
                     struct key_query *query, struct err *err)
{
    struct key_condition *condition;

    if (!key_condition_compile(scope, text, &condition, err) ||
        !key_condition_check(condition, err))
        return false;
    for (uint32_t i = 0; i < key->count; i++)
        if (!key_condition_match(condition, key, i, query, err))
            return false;
    return true;
}

static void mistakes_are_told_as_the_service_does(void **state)
{
    struct key_query query;
    struct arena arena;
    struct scope scope;
    struct err err;

    (void)state;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        test_scope(&scope, &arena, NULL, VALUES);
        struct key_parts key = key_of(parts, 1, refusals[i].parts);
        if (query_of(&scope, bytes_of_text(refusals[i].text), &key, &query, &err))
            fail_msg("%s was taken", refusals[i].text);
        if (strcmp(err.message, refusals[i].message) != 0)
            fail_msg("%s: %s\nnot %s", refusals[i].text, err.message, refusals[i].message);
    }
    arena_release(&arena);
}

static const struct {
    const char *text;
    enum key_test test;
    const char *low, *high;
} cases[] = {
    {"p = :p", KEY_ANY, NULL, NULL},
    {":p = p", KEY_ANY, NULL, NULL},
    {"(p = :p)", KEY_ANY, NULL, NULL},
    {"#p = :p AND s = :n", KEY_EQUAL, ":n", NULL}, /* as key_query says it: below */
    {"((s = :n) AND (p = :p))", KEY_EQUAL, ":n", NULL},
    {"p = :p AND s < :n", KEY_LESS, ":n", NULL},
    {"p = :p AND s <= :n", KEY_AT_MOST, ":n", NULL},
    {"p = :p AND s > :n", KEY_MORE, ":n", NULL},
    {"p = :p AND s >= :n", KEY_AT_LEAST, ":n", NULL},
    {"p = :p AND :n < s", KEY_MORE, ":n", NULL},
    {"p = :p AND :n <= s", KEY_AT_LEAST, ":n", NULL},
    {"p = :p AND :n > s", KEY_LESS, ":n", NULL},
    {"p = :p AND :n >= s", KEY_AT_MOST, ":n", NULL},
    {"p=:p AnD s BeTwEeN :n aNd :m", KEY_BETWEEN, ":n", ":m"},
};

static void conditions_become_queries(void **state)
{
    struct key_query query;
    struct arena arena;
    struct scope scope;
    struct err err;

    (void)state;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_scope(&scope, &arena, "#p=p", VALUES);
        struct key_parts key = key_of(parts, 1, 2);
        if (!query_of(&scope, bytes_of_text(cases[i].text), &key, &query, &err))
            fail_msg("%s: %s", cases[i].text, err.message);
        assert_bytes_equal(query.equal[0].content, BYTES("k"));
        if (cases[i].test == KEY_EQUAL) {
            assert_int_equal(query.equal_count, 2);
            query.test = KEY_EQUAL;
            query.low = query.equal[1];
        } else {
            assert_int_equal(query.equal_count, 1);
        }
        assert_int_equal(query.test, cases[i].test);
        if (cases[i].low != NULL)
            assert_bytes_equal(query.low.encoded,
                               scope_find_value(&scope, bytes_of_text(cases[i].low))->encoded);
        if (cases[i].high != NULL)
            assert_bytes_equal(query.high.encoded,
                               scope_find_value(&scope, bytes_of_text(cases[i].high))->encoded);
    }
    arena_release(&arena);
}

static void text_keys_have_beginnings(void **state)
{
    const struct key_parts texts = {
        .parts = {{BYTES("p"), KEY_S}, {BYTES("s"), KEY_S}}, .partition_count = 1, .count = 2};
    struct key_query query;
    struct arena arena;
    struct scope scope;
    struct err err;

    (void)state;
    arena_init(&arena);
    test_scope(&scope, &arena, NULL, VALUES);
    assert_true(query_of(&scope, BYTES("begins_with(s, :q) AND p = :p"), &texts, &query, &err));
    assert_int_equal(query.test, KEY_BEGINS);
    assert_bytes_equal(query.low.content, BYTES("m"));
    arena_release(&arena);
}

/* What KeyConditions can say. */
static void older_conditions_are_held_against_the_key_too(void **state)
{
    struct key_asked asked[3] = {{.name = BYTES("p"), .test = KEY_EQUAL},
                                 {.name = BYTES("s"), .test = KEY_OTHER},
                                 {.name = BYTES("x"), .test = KEY_EQUAL}};
    const struct key_parts key = key_of(parts, 1, 2);
    struct key_condition *condition;
    struct key_query query;
    struct arena arena;
    struct scope scope;
    struct err err;

    (void)state;
    arena_init(&arena);
    test_scope(&scope, &arena, NULL, VALUES);
    asked[0].values[0] = scope_find_value(&scope, BYTES(":p"));
    assert_false(key_condition_of(&arena, asked, 0, &condition, &err));
    assert_string_equal(err.message, "Conditions can be of length 1 or 2 only");
    assert_false(key_condition_of(&arena, asked, 3, &condition, &err));
    assert_string_equal(err.message, "Conditions can be of length 1 or 2 only");
    assert_true(key_condition_of(&arena, asked, 2, &condition, &err));
    assert_true(key_condition_check(condition, &err));
    assert_true(key_condition_match(condition, &key, 0, &query, &err));
    assert_false(key_condition_match(condition, &key, 1, &query, &err));
    assert_string_equal(err.message,
                        "Attempted conditional constraint is not an indexable operation");
    arena_release(&arena);
}

/* The same sort keys as a Query of the table: that test is in query.c. */
static void a_query_knows_the_keys_it_takes(void **state)
{
    static const struct {
        enum key_test test;
        const char *taken; /* of "a" to "e" */
    } takes[] = {
        {KEY_ANY, "abcde"},     {KEY_LESS, "a"},      {KEY_AT_MOST, "ab"}, {KEY_MORE, "cde"},
        {KEY_AT_LEAST, "bcde"}, {KEY_BETWEEN, "bcd"}, {KEY_BEGINS, "b"},
    };
    struct key_query query = {.equal = {{.content = BYTES("p")}},
                              .equal_count = 1,
                              .low = {.content = BYTES("b")},
                              .high = {.content = BYTES("d")}};

    (void)state;
    for (size_t i = 0; i < sizeof takes / sizeof *takes; i++) {
        query.test = takes[i].test;
        for (const char *sort = "abcde"; *sort != '\0'; sort++)
            assert_int_equal(key_query_takes(&query, 1, bytes_of(sort, 1)),
                             strchr(takes[i].taken, *sort) != NULL);
        assert_true(key_query_takes(&query, 0, BYTES("p")));
        assert_false(key_query_takes(&query, 0, BYTES("q")));
        assert_true(key_query_takes(&query, 2, BYTES("x")));
    }
}

/* Keys of several attributes: two in the partition key, three behind them. */
static const struct key_part many[] = {{BYTES_INIT("h"), KEY_S},
                                       {BYTES_INIT("i"), KEY_N},
                                       {BYTES_INIT("a"), KEY_S},
                                       {BYTES_INIT("b"), KEY_N},
                                       {BYTES_INIT("c"), KEY_S}};

#define BOTH_OF "h = :p AND i = :n"
#define MUST_BE " must have equality conditions specified in the query because a condition is "

static const struct {
    const char *text;
    uint32_t equal; /* how many are compared with = */
    enum key_test test;
    const char *message; /* NULL: it is taken */
} several[] = {
    {BOTH_OF, 2, KEY_ANY, NULL},
    {"i = :n AND h = :p", 2, KEY_ANY, NULL},
    {BOTH_OF " AND a = :q", 3, KEY_ANY, NULL},
    {BOTH_OF " AND begins_with(a, :q)", 2, KEY_BEGINS, NULL},
    {"b < :n AND a = :q AND " BOTH_OF, 3, KEY_LESS, NULL},
    {BOTH_OF " AND a = :q AND b = :n AND c = :p", 5, KEY_ANY, NULL},
    {BOTH_OF " AND a = :q AND b = :n AND c BETWEEN :p AND :q", 4, KEY_BETWEEN, NULL},
    {"h = :p", 0, KEY_ANY, "Query condition missed key schema element: i"},
    {"h = :p AND a = :q", 0, KEY_ANY, "Query condition missed key schema element: i"},
    {"h = :p AND i > :n", 0, KEY_ANY, "Query key condition not supported"},
    {BOTH_OF " AND x = :q", 0, KEY_ANY, "Query condition missed key schema element: a"},
    {BOTH_OF " AND a = :q AND x = :q", 0, KEY_ANY, "Query condition missed key schema element: b"},
    {BOTH_OF " AND a = :q AND b = :n AND c = :p AND x = :q", 0, KEY_ANY,
     "The number of query conditions (6) exceeds the number of key attributes defined in the "
     "schema (5)"},
    {BOTH_OF " AND b = :n", 0, KEY_ANY,
     "RANGE key attributes a" MUST_BE "present on key attribute b"},
    {BOTH_OF " AND a = :q AND c = :p", 0, KEY_ANY,
     "RANGE key attributes b" MUST_BE "present on key attribute c"},
    {BOTH_OF " AND a = :q AND b > :n AND c = :p", 0, KEY_ANY,
     "RANGE key attributes b" MUST_BE "present on key attribute c"},
    {BOTH_OF " AND c = :p", 0, KEY_ANY,
     "RANGE key attributes a, b" MUST_BE "present on key attribute c"},
    {BOTH_OF " AND a = :n", 0, KEY_ANY,
     "One or more parameter values were invalid: Condition parameter type does not match schema "
     "type"},
    {BOTH_OF " AND a = :e", 0, KEY_ANY,
     "One or more parameter values are not valid. A value specified for a secondary index key is "
     "not supported. The AttributeValue for a key attribute cannot contain an empty string value. "
     "IndexName: many, IndexKey: a"},
};

static void keys_may_have_several_attributes(void **state)
{
    struct key_parts key = key_of(many, 2, 5);
    struct key_query query;
    struct arena arena;
    struct scope scope;
    struct err err;

    (void)state;
    arena_init(&arena);
    key.index = BYTES("many");
    for (size_t i = 0; i < sizeof several / sizeof *several; i++) {
        test_scope(&scope, &arena, NULL, VALUES);
        bool taken = query_of(&scope, bytes_of_text(several[i].text), &key, &query, &err);
        if (taken != (several[i].message == NULL))
            fail_msg("%s: %s", several[i].text, taken ? "taken" : err.message);
        if (!taken && strcmp(err.message, several[i].message) != 0)
            fail_msg("%s: %s\nnot %s", several[i].text, err.message, several[i].message);
        if (!taken)
            continue;
        assert_int_equal(query.equal_count, several[i].equal);
        assert_int_equal(query.test, several[i].test);
    }
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_told_as_the_service_does),
        cmocka_unit_test(conditions_become_queries),
        cmocka_unit_test(text_keys_have_beginnings),
        cmocka_unit_test(older_conditions_are_held_against_the_key_too),
        cmocka_unit_test(a_query_knows_the_keys_it_takes),
        cmocka_unit_test(keys_may_have_several_attributes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
