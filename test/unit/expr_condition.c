/* test/unit/expr_condition.c - conditions: each message of the service, and what holds on which
 * item. Where a row has a recording on the service, its source is named above the rows. */
#include "support/check.h"

#include <stdio.h>

#include "expr/condition.h"
#include "support/expressions.h"

#define VALUES                                                                                     \
    "{':s':{'S':'abc'},':n':{'N':'5'},':m':{'N':'7'},':b':{'B':'YWJj'},':t':{'BOOL':true},"        \
    "':u':{'NULL':true},':ss':{'SS':['a','b']},':ns':{'NS':['1','2']},':l':{'L':[{'N':'1'}]},"     \
    "':map':{'M':{'x':{'N':'1'}}},':type':{'S':'N'},':dog':{'S':'DOG'},':e':{'S':''},"             \
    "':big':{'S':'zz'}}"
#define NAMES "#a=a #b=b #odd=a.b #i=[1]"

struct refusal {
    const char *text, *message;
};

#define SYNTAX(token, near) "Syntax error; token: \"" token "\", near: \"" near "\""

static const struct refusal refusals[] = {
    {"", "The expression can not be empty;"},
    /* where a syntax error is, and what is near it */
    {"foo", SYNTAX("<EOF>", "foo")},
    {"  ", SYNTAX("<EOF>", "")},
    {"attribute_not_exists(", SYNTAX("<EOF>", "(")},
    {"attribute_exists(x) AND NOT #a", SYNTAX("<EOF>", "#a")},
    {"x > now()", SYNTAX(")", "()")},
    {"contains (x, :s", SYNTAX("<EOF>", ":s")},
    {"x = :n a", SYNTAX("a", ":n a")},
    {"x = = :n", SYNTAX("=", "= = :n")},
    {"x == :n", SYNTAX("=", "== :n")},
    {"x != :n", SYNTAX("!", "x !=")},
    {"_x = :n", SYNTAX("_", "_x")},
    {"x = :", SYNTAX(":", "= :")},
    {"#  = :n", SYNTAX("#", "#  =")},
    {"x[-1] = :n", SYNTAX("-", "[-1")},
    {"x[:n] = :n", SYNTAX(":n", "[:n]")},
    {"x[01] = :n", SYNTAX("1", "01]")},
    {"x. = :n", SYNTAX("=", ". = :n")},
    {"x IN ()", SYNTAX(")", "()")},
    {"x = 5", SYNTAX("5", "= 5")},
    {"x = \"s\"", SYNTAX("\"", "= \"s")},
    {"x = :n AND", SYNTAX("<EOF>", "AND")},
    {"x = :n AND OR y = :n", SYNTAX("OR", "AND OR y")},
    {"(x = :n", SYNTAX("<EOF>", ":n")},
    {"x = :n)", SYNTAX(")", ":n)")},
    {"(x)", SYNTAX("<EOF>", ")")},
    {"(x AND y = :n)", SYNTAX("AND", "x AND y")},
    {"x = (y = :n)", SYNTAX("=", "y = :n")},
    {"set = :n", SYNTAX("set", "set =")},
    {"x BETWEEN :n OR :m", SYNTAX("OR", ":n OR :m")},
    {"x = :n \xc3\xa9", SYNTAX("\xc3\xa9", ":n \xc3\xa9")},
    /* parentheses: dynamodb-conformance, redundant parentheses; ScyllaDB, test_limits.py */
    {"((x = :n))", "The expression has redundant parentheses;"},
    {"((x)) = :n", "The expression has redundant parentheses;"},
    {"x = ((:n))", "The expression has redundant parentheses;"},
    {"(x = :n) AND ((y = :n)) oops", "The expression has redundant parentheses;"},
    /* functions */
    {"dog(x) = :n", "Invalid function name; function: dog"},
    {"BEGINS_WITH(x, :s)", "Invalid function name; function: BEGINS_WITH"},
    {"if_not_exists(x, x) = :n",
     "The function is not allowed in a condition expression; function: if_not_exists"},
    {"size(x)", "The function is not allowed to be used this way in an expression; function: size"},
    {"NOT size(x)",
     "The function is not allowed to be used this way in an expression; function: size"},
    {"attribute_exists(x) < :n",
     "The function is not allowed to be used this way in an expression; function: "
     "attribute_exists"},
    {"contains(x, begins_with(x, :s))",
     "The function is not allowed to be used this way in an expression; function: begins_with"},
    {"size(x, x) = :n", "Incorrect number of operands for operator or function; operator or "
                        "function: size, number of operands: 2"},
    {"attribute_exists(x, y)", "Incorrect number of operands for operator or function; operator "
                               "or function: attribute_exists, number of operands: 2"},
    {"attribute_exists(:n)",
     "Operator or function requires a document path; operator or function: attribute_exists"},
    {"begins_with(x, :n)", "Incorrect operand type for operator or function; operator or "
                           "function: begins_with, operand type: N"},
    {"size(:n) = :n", "Incorrect operand type for operator or function; operator or function: "
                      "size, operand type: N"},
    {"attribute_type(x, :n)", "Incorrect operand type for operator or function; operator or "
                              "function: attribute_type, operand type: N"},
    {"attribute_type(x, y)",
     "Incorrect operand type for operator or function; operator or function: attribute_type, "
     "operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}"},
    {"attribute_type(x, :dog)", "Invalid attribute type name found; type: DOG, valid types: "
                                "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}"},
    {"contains(x, x)", "The first operand must be distinct from the remaining operands for this "
                       "operator or function; operator: contains, first operand: [x]"},
    {"x.y[3] = x.y[3]", "The first operand must be distinct from the remaining operands for this "
                        "operator or function; operator: =, first operand: [x, y, [3]]"},
    {"x IN (y, x)", "The first operand must be distinct from the remaining operands for this "
                    "operator or function; operator: IN, first operand: [x]"},
    {"x < :l", "Incorrect operand type for operator or function; operator or function: <, "
               "operand type: L"},
    {":t >= x", "Incorrect operand type for operator or function; operator or function: >=, "
                "operand type: BOOL"},
    {"x BETWEEN :ss AND y", "Incorrect operand type for operator or function; operator or "
                            "function: BETWEEN, operand type: SS"},
    {"x BETWEEN :m AND :n",
     "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower "
     "bound operand: AttributeValue: {N:7}, upper bound operand: AttributeValue: {N:5}"},
    {"x BETWEEN :m AND :s",
     "The BETWEEN operator requires same data type for lower and upper bounds; lower bound "
     "operand: AttributeValue: {N:7}, upper bound operand: AttributeValue: {S:abc}"},
    /* names */
    {"status = :n", "Attribute name is a reserved keyword; reserved keyword: status"},
    {"x.y.abOrt = :n", "Attribute name is a reserved keyword; reserved keyword: abOrt"},
    {"#none = :n", "An expression attribute name used in the document path is not defined; "
                   "attribute name: #none"},
    {"x = :none", "An expression attribute value used in expression is not defined; attribute "
                  "value: :none"},
    {"x[2147483648] = :n", "List index is not within the allowable range; index: [2147483648]"},
    {"x[99999999999999999999999] = :n",
     "List index is not within the allowable range; index: [99999999999999999999999]"},
    /* of several mistakes, the first that the service tells */
    {"status = :none", "Attribute name is a reserved keyword; reserved keyword: status"},
    {"dog(status)", "Invalid function name; function: dog"},
    {"status = :n AND dog(x)", "Attribute name is a reserved keyword; reserved keyword: status"},
    {"x < :l AND #none = :n", "Incorrect operand type for operator or function; operator or "
                              "function: <, operand type: L"},
};

static void mistakes_are_told_as_the_service_does(void **state)
{
    struct condition *condition;
    char message[1024];
    struct arena arena;
    struct scope scope;
    struct err err;

    (void)state;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        test_scope(&scope, &arena, NAMES, VALUES);
        if (condition_compile(&scope, "ConditionExpression", bytes_of_text(refusals[i].text),
                              &condition, &err))
            fail_msg("%s was taken", refusals[i].text);
        assert_int_equal(err.code, ERR_VALIDATION);
        snprintf(message, sizeof message, "Invalid ConditionExpression: %s", refusals[i].message);
        if (strcmp(err.message, message) != 0)
            fail_msg("%s: %s\nnot %s", refusals[i].text, err.message, message);
    }
    arena_release(&arena);
}

/* ---- what holds ----------------------------------------------------------------------------- */

#define ITEM                                                                                       \
    "{'a':{'S':'abc'},'n5':{'N':'5.0'},'n6':{'N':'6'},'t':{'BOOL':true},'f':{'BOOL':false},"       \
    "'u':{'NULL':true},'bin':{'B':'YWJj'},'ss':{'SS':['a','b']},'ns':{'NS':['1','2']},"            \
    "'l':{'L':[{'N':'1'},{'S':'x'},{'L':[{'N':'5'}]},{'SS':['a','b']}]},"                          \
    "'doc':{'M':{'x':{'N':'1'},'low':{'M':{'y':{'L':[{'S':'abc'}]}}}}},'a.b':{'S':'dot'},"         \
    "'wide':{'S':'\xc3\xa9'},'e':{'S':''}}"

static const struct {
    const char *text;
    bool holds;
} cases[] = {
    {"a = :s", true},
    {"a = :n", false},
    {"n5 = :n", true},
    {":n = n5", true},
    {"(n5) = (:n)", true},
    {"n5 <> :n", false},
    {"a <> :n", true},
    {"gone <> :n", true},
    {"gone <> another", true},
    {"gone = another", false},
    {"gone < :n", false},
    {":n < gone", false},
    {"n5 < n6", true},
    {"n6 < n5", false},
    {"n5 <= :n", true},
    {"n5 >= :n", true},
    {"n6 > :n", true},
    {"a < :big", true},
    {"a < n5", false},
    {"l < n5", false},
    {"bin <= :b", true},
    {"doc = :map", false},
    {"ss = :ss", true},
    {"ns = :ns", true},
    {"u = :u", true},
    {"t = :t", true},
    {"f = :t", false},
    {"n6 BETWEEN :n AND :m", true},
    {"n6 between n5 and :m", true},
    {"n6 BETWEEN :m AND gone", false},
    {"a BETWEEN :s AND :big", true},
    {"a BETWEEN n5 AND n6", false},
    {"n5 IN (:s, :n)", true},
    {"n5 in (:m, :s)", false},
    {"gone IN (:n)", false},
    {"l IN (:l, l[0])", false},
    {"attribute_exists(a)", true},
    {"attribute_exists(doc.low.y[0])", true},
    {"attribute_exists(doc.low.y[1])", false},
    {"attribute_exists(doc[0])", false},
    {"attribute_exists(l.x)", false},
    {"attribute_not_exists(gone)", true},
    {"attribute_not_exists(a)", false},
    {"NOT attribute_exists(gone)", true},
    {"not not attribute_exists(gone)", false},
    {"attribute_type(n5, :type)", true},
    {"attribute_type(a, :type)", false},
    {"attribute_type(:n, :type)", true},
    {"attribute_type(gone, :type)", false},
    {"begins_with(a, :e)", true},
    {"begins_with(a, :s)", true},
    {"begins_with(:s, a)", true},
    {"begins_with(e, :s)", false},
    {"begins_with(n5, :s)", false},
    {"begins_with(bin, :b)", true},
    {"contains(a, :e)", true},
    {"contains(a, :s)", true},
    {"contains(e, :s)", false},
    {"contains(ss, l[1])", false},
    {"contains(l, l[1])", true},
    {"contains(l, :ss)", true},
    {"contains(ns, :n)", false},
    {"contains(ns, l[0])", true},
    {"contains(bin, :b)", true},
    {"contains(doc, :n)", false},
    {"contains(gone, :n)", false},
    {"size(a) = size(:s)", true},
    {"size(ss) < size(a)", true},
    {"size(doc) = size(ns)", true},
    {"size(l) > size(a)", true},
    {"size(n5) = size(a)", false},
    {"size(n5) <> :n", true},
    {"size(gone) < :n", false},
    {"size(wide) = size(ns)", true},
    {"size(a) = :s", false},
    {"l[2][0] = :n", true},
    {"doc.low.y[0] = a", true},
    {"#odd = :n", false},
    {"#a = :s AND #odd <> :s", true},
    {"a = :s OR a = :n AND a = :n", true},
    {"(a = :s OR a = :n) AND a = :n", false},
    {"NOT a = :n AND a = :s", true},
    {"NOT (a = :s AND n5 = :n)", false},
    {"((a) = :s)", true},
    {"(attribute_exists(a)) AND ((n5 = :n) OR (n5 = :m))", true},
    {" a=:s\tAND\nn5=:n\r", true},
};

static void conditions_hold_as_on_the_service(void **state)
{
    struct condition *condition;
    struct arena arena;
    struct scope scope;
    struct err err;

    (void)state;
    arena_init(&arena);
    struct bytes item = test_item(&arena, ITEM);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_scope(&scope, &arena, NAMES, VALUES);
        if (!condition_compile(&scope, "FilterExpression", bytes_of_text(cases[i].text), &condition,
                               &err))
            fail_msg("%s: %s", cases[i].text, err.message);
        if (condition_holds(condition, item) != cases[i].holds)
            fail_msg("%s: not %d", cases[i].text, cases[i].holds);
    }
    arena_release(&arena);
}

static void no_item_has_no_attributes(void **state)
{
    struct condition *condition;
    struct arena arena;
    struct scope scope;
    struct err err;

    (void)state;
    arena_init(&arena);
    scope_init(&scope, &arena);
    assert_true(condition_compile(&scope, "ConditionExpression", BYTES("attribute_not_exists(a)"),
                                  &condition, &err));
    assert_true(condition_holds(condition, BYTES_NONE));
    assert_false(condition_holds(condition, test_item(&arena, ITEM)));
    arena_release(&arena);
}

/* ---- placeholders --------------------------------------------------------------------------- */

/* dynalite, test/updateItem.js. */
static void bad_placeholders_are_refused(void **state)
{
    static const struct {
        const char *key, *name, *message;
    } names[] = {
        {"a", "a", "ExpressionAttributeNames contains invalid key: Syntax error; key: \"a\""},
        {"#", "a", "ExpressionAttributeNames contains invalid key: Syntax error; key: \"#\""},
        {"#a-b", "a", "ExpressionAttributeNames contains invalid key: Syntax error; key: \"#a-b\""},
        {"#a", "",
         "ExpressionAttributeNames contains invalid value: Empty attribute name for key #a"},
    };
    struct arena arena;
    struct scope scope;
    struct err err;

    (void)state;
    arena_init(&arena);
    scope_init(&scope, &arena);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct scope_name name = {.key = bytes_of_text(names[i].key),
                                  .name = bytes_of_text(names[i].name)};
        assert_false(scope_put_names(&scope, &name, 1, &err));
        assert_string_equal(err.message, names[i].message);
    }
    assert_false(scope_put_names(&scope, NULL, 0, &err));
    assert_string_equal(err.message, "ExpressionAttributeNames must not be empty");
    assert_false(scope_put_values(&scope, test_item(&arena, "{}"), &err));
    assert_string_equal(err.message, "ExpressionAttributeValues must not be empty");
    assert_false(scope_put_values(&scope, test_item(&arena, "{'b':{'S':'a'}}"), &err));
    assert_string_equal(err.message,
                        "ExpressionAttributeValues contains invalid key: Syntax error; key: \"b\"");
    arena_release(&arena);
}

static void unused_placeholders_are_refused(void **state)
{
    struct condition *condition;
    struct arena arena;
    struct scope scope;
    struct err err;

    (void)state;
    arena_init(&arena);
    test_scope(&scope, &arena, "#a=a #b=b #c=c", "{':v':{'N':'1'},':w':{'N':'1'}}");
    assert_true(
        condition_compile(&scope, "ConditionExpression", BYTES("#a = :v"), &condition, &err));
    assert_false(scope_check_used(&scope, &err));
    assert_string_equal(
        err.message,
        "Value provided in ExpressionAttributeNames unused in expressions: keys: {#c, #b}");
    assert_true(condition_compile(&scope, "FilterExpression", BYTES("#b = #c"), &condition, &err));
    assert_false(scope_check_used(&scope, &err));
    assert_string_equal(
        err.message,
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}");
    assert_true(condition_compile(&scope, "FilterExpression", BYTES("x = :w"), &condition, &err));
    assert_true(scope_check_used(&scope, &err));
    arena_release(&arena);
}

static void of_equal_names_the_last_counts(void **state)
{
    const struct scope_name names[] = {
        {.key = BYTES("#a"), .name = BYTES("gone")},
        {.key = BYTES("#b"), .name = BYTES("x")},
        {.key = BYTES("#a"), .name = BYTES("there")},
    };
    struct condition *condition;
    struct arena arena;
    struct scope scope;
    struct err err;

    (void)state;
    arena_init(&arena);
    scope_init(&scope, &arena);
    assert_true(scope_put_names(&scope, names, 3, &err));
    assert_true(condition_compile(&scope, "ConditionExpression",
                                  BYTES("attribute_exists(#a) AND attribute_not_exists(#b)"),
                                  &condition, &err));
    assert_true(scope_check_used(&scope, &err));
    assert_true(condition_holds(condition, test_item(&arena, "{'there':{'N':'1'}}")));
    arena_release(&arena);
}

static void long_names_are_refused(void **state)
{
    struct arena arena;
    struct scope scope;
    struct err err;

    (void)state;
    arena_init(&arena);
    scope_init(&scope, &arena);
    struct scope_name name = {.key = BYTES("#a"),
                              .name = bytes_of(arena_zalloc(&arena, 65536), 65536)};
    assert_false(scope_put_names(&scope, &name, 1, &err));
    assert_string_equal(err.message,
                        "ExpressionAttributeNames contains invalid value: Attribute name is too "
                        "large, must be less than 65536 bytes for key #a");
    name.name.size--;
    assert_true(scope_put_names(&scope, &name, 1, &err));
    arena_release(&arena);
}

#define MANY 50000

static void many_names_are_found(void **state)
{
    struct condition *condition;
    struct scope_name *names;
    struct arena arena;
    struct scope scope;
    struct err err;

    (void)state;
    arena_init(&arena);
    names = arena_alloc(&arena, MANY * sizeof *names);
    for (size_t i = 0; i < MANY; i++)
        names[i] = (struct scope_name){.key = arena_printf(&arena, "#%zu", i * 7919 % MANY),
                                       .name = arena_printf(&arena, "n%zu", i * 7919 % MANY)};
    scope_init(&scope, &arena);
    assert_true(scope_put_names(&scope, names, MANY, &err));
    assert_false(condition_compile(&scope, "ConditionExpression",
                                   BYTES("#0 = n0 AND #49999 = n49999"), &condition, &err));
    assert_string_equal(err.message,
                        "Invalid ConditionExpression: The first operand must be distinct from the "
                        "remaining operands for this operator or function; operator: =, first "
                        "operand: [n0]");
    assert_false(scope_check_used(&scope, &err));
    assert_true(strlen(err.message) < ERR_MESSAGE_MOST);
    arena_release(&arena);
}

/* ---- bounds --------------------------------------------------------------------------------- */

static void repeat(struct buf *out, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++)
        buf_put_text(out, text);
}

/* What compiling a text answers; NULL: it was taken. */
static const char *answer_to(struct arena *arena, const struct buf *text, struct err *err)
{
    struct condition *condition;
    struct scope scope;

    test_scope(&scope, arena, NAMES, VALUES);
    return condition_compile(&scope, "ConditionExpression", buf_bytes(text), &condition, err)
               ? NULL
               : err->message;
}

#define TOO_MANY                                                                                   \
    "Invalid ConditionExpression: The expression contains too many operators; operator count: 301"

/* ScyllaDB, test_limits.py: 149 levels have 299 operators and are taken. */
static void operators_are_counted(void **state)
{
    struct arena arena;
    struct buf text;
    struct err err;

    (void)state;
    arena_init(&arena);
    buf_init_in(&text, &arena);
    buf_put_text(&text, "a<b ");
    repeat(&text, "or (a<b ", 149);
    repeat(&text, ")", 149);
    assert_null(answer_to(&arena, &text, &err));
    buf_clear(&text);
    buf_put_text(&text, "a<b ");
    repeat(&text, "or (a<b ", 150);
    repeat(&text, ")", 150);
    assert_string_equal(answer_to(&arena, &text, &err), TOO_MANY);
    buf_clear(&text);
    repeat(&text, "not ", 1020);
    buf_put_text(&text, "a<b");
    assert_string_equal(answer_to(&arena, &text, &err), TOO_MANY);
    arena_release(&arena);
}

static void sizes_and_depths_are_bounded(void **state)
{
    struct arena arena;
    struct buf text;
    struct err err;

    (void)state;
    arena_init(&arena);
    buf_init_in(&text, &arena);
    buf_put_text(&text, "a = :n");
    repeat(&text, " ", 4096 - text.size);
    assert_null(answer_to(&arena, &text, &err));
    repeat(&text, " ", 13);
    assert_string_equal(answer_to(&arena, &text, &err),
                        "Invalid ConditionExpression: Expression size has exceeded the maximum "
                        "allowed size; expression size: 4109");
    buf_clear(&text);
    repeat(&text, "(", 2046);
    buf_put_text(&text, "a<b");
    repeat(&text, ")", 2046);
    assert_string_equal(answer_to(&arena, &text, &err),
                        "Invalid ConditionExpression: The expression has redundant parentheses;");
    buf_clear(&text);
    repeat(&text, "f(", 2048);
    assert_non_null(answer_to(&arena, &text, &err));
    buf_clear(&text);
    buf_put_text(&text, "a");
    repeat(&text, ".a", 31);
    buf_put_text(&text, "=:n");
    assert_null(answer_to(&arena, &text, &err));
    buf_clear(&text);
    buf_put_text(&text, "a");
    repeat(&text, ".a", 32);
    buf_put_text(&text, "=:n");
    assert_string_equal(answer_to(&arena, &text, &err),
                        "Invalid ConditionExpression: The document path has too many nesting "
                        "levels; nesting levels: 33");
    arena_release(&arena);
}

static void in_takes_a_hundred(void **state)
{
    struct arena arena;
    struct buf text;
    struct err err;

    (void)state;
    arena_init(&arena);
    buf_init_in(&text, &arena);
    buf_put_text(&text, "a IN (:n");
    repeat(&text, ",:n", 99);
    buf_put_text(&text, ")");
    assert_null(answer_to(&arena, &text, &err));
    text.size--;
    buf_put_text(&text, ",:n)");
    assert_string_equal(answer_to(&arena, &text, &err),
                        "Invalid ConditionExpression: The IN operator is provided with too many "
                        "operands; number of operands: 101");
    arena_release(&arena);
}

/* ---- keys ----------------------------------------------------------------------------------- */

static void key_attributes_are_scalars(void **state)
{
    const struct bytes keys[] = {BYTES_INIT("p"), BYTES_INIT("s")};
    struct condition *condition;
    struct arena arena;
    struct scope scope;
    struct err err;

    (void)state;
    arena_init(&arena);
    scope_init(&scope, &arena);
    assert_true(condition_compile(&scope, "FilterExpression", BYTES("x = y AND size(s[1]) < x"),
                                  &condition, &err));
    assert_false(condition_check_keys(condition, KEY_OF_TABLE, keys, 2, &err));
    assert_string_equal(err.message, "Key attributes must be scalars; list random access '[]' and "
                                     "map lookup '.' are not allowed: Key: s");
    assert_true(condition_check_keys(condition, KEY_OF_TABLE, keys, 1, &err));
    assert_false(condition_check_filter(condition, "Filter Expression", keys, 2, &err));
    assert_string_equal(err.message, "Filter Expression can only contain non-primary key "
                                     "attributes: Primary key attribute: s");
    assert_true(condition_check_filter(condition, "Filter Expression", keys, 1, &err));
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_told_as_the_service_does),
        cmocka_unit_test(conditions_hold_as_on_the_service),
        cmocka_unit_test(no_item_has_no_attributes),
        cmocka_unit_test(bad_placeholders_are_refused),
        cmocka_unit_test(unused_placeholders_are_refused),
        cmocka_unit_test(of_equal_names_the_last_counts),
        cmocka_unit_test(long_names_are_refused),
        cmocka_unit_test(many_names_are_found),
        cmocka_unit_test(operators_are_counted),
        cmocka_unit_test(sizes_and_depths_are_bounded),
        cmocka_unit_test(in_takes_a_hundred),
        cmocka_unit_test(key_attributes_are_scalars),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
