/* test/unit/expr_projection.c - projections: each message of the service, and what is chosen of an
 * item (ScyllaDB, test/alternator/test_projection_expression.py, ran on the service). */
#include "support/check.h"

#include <stdio.h>

#include "expr/projection.h"
#include "support/expressions.h"

#define NAMES "#a=a #dot=a.b #i=[1]"

static const struct {
    const char *text, *message;
} refusals[] = {
    {"", "The expression can not be empty;"},
    {"x,", "Syntax error; token: \"<EOF>\", near: \",\""},
    {",x", "Syntax error; token: \",\", near: \",x\""},
    {"x,,y", "Syntax error; token: \",\", near: \",,y\""},
    {"x y", "Syntax error; token: \"y\", near: \"x y\""},
    {"(x)", "Syntax error; token: \"(\", near: \"(x\""},
    {"x, status", "Attribute name is a reserved keyword; reserved keyword: status"},
    {"x, #gone", "An expression attribute name used in the document path is not defined; attribute "
                 "name: #gone"},
    {"x, x", "Two document paths overlap with each other; must remove or rewrite one of these "
             "paths; path one: [x], path two: [x]"},
    {"x.b[0], x.b[0]", "Two document paths overlap with each other; must remove or rewrite one of "
                       "these paths; path one: [x, b, [0]], path two: [x, b, [0]]"},
    {"x, y, x.b[2].c", "Two document paths overlap with each other; must remove or rewrite one of "
                       "these paths; path one: [x], path two: [x, b, [2], c]"},
    {"x.b, x[1]", "Two document paths conflict with each other; must remove or rewrite one of "
                  "these paths; path one: [x, b], path two: [x, [1]]"},
    {"x[9999999999]", "List index is not within the allowable range; index: [9999999999]"},
};

static void mistakes_are_told_as_the_service_does(void **state)
{
    struct projection *projection;
    char message[1024];
    struct arena arena;
    struct scope scope;
    struct err err;

    (void)state;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        test_scope(&scope, &arena, NAMES, NULL);
        if (projection_compile(&scope, bytes_of_text(refusals[i].text), &projection, &err))
            fail_msg("%s was taken", refusals[i].text);
        snprintf(message, sizeof message, "Invalid ProjectionExpression: %s", refusals[i].message);
        if (strcmp(err.message, message) != 0)
            fail_msg("%s: %s\nnot %s", refusals[i].text, err.message, message);
    }
    arena_release(&arena);
}

#define ITEM                                                                                       \
    "{'p':{'S':'k'},'a':{'M':{'b':{'L':[{'N':'2'},{'N':'4'},{'M':{'x':{'S':'hi'},'y':{'S':'yo'}}}" \
    "]},'c':{'N':'5'}}},'b':{'S':'hello'},'a.b':{'S':'dot'},'z':{'M':{}}}"

static const struct {
    const char *text, *chosen;
} cases[] = {
    {"b", "{'b':{'S':'hello'}}"},
    {"p, b", "{'b':{'S':'hello'},'p':{'S':'k'}}"},
    {" b  ,   p ", "{'b':{'S':'hello'},'p':{'S':'k'}}"},
    {"gone", "{}"},
    {"gone, b, x, zz, A", "{'b':{'S':'hello'}}"},
    {"z", "{'z':{'M':{}}}"},
    {"z.a", "{}"},
    {"a.b", "{'a':{'M':{'b':{'L':[{'N':'2'},{'N':'4'},{'M':{'x':{'S':'hi'},'y':{'S':'yo'}}}]}}}}"},
    {"a.b[0]", "{'a':{'M':{'b':{'L':[{'N':'2'}]}}}}"},
    {"a.b[2]", "{'a':{'M':{'b':{'L':[{'M':{'x':{'S':'hi'},'y':{'S':'yo'}}}]}}}}"},
    {"a.b[2].y", "{'a':{'M':{'b':{'L':[{'M':{'y':{'S':'yo'}}}]}}}}"},
    {"a.b[3]", "{}"},
    {"a.x", "{}"},
    {"a.x.y", "{}"},
    {"a.b[3].x", "{}"},
    {"a.b.x", "{}"},
    {"a[0]", "{}"},
    {"a.b[0].x", "{}"},
    {"a.b[0][0]", "{}"},
    {"a.b[1],a.b[0]", "{'a':{'M':{'b':{'L':[{'N':'2'},{'N':'4'}]}}}}"},
    {"a.c,a.b[0]", "{'a':{'M':{'b':{'L':[{'N':'2'}]},'c':{'N':'5'}}}}"},
    {"a.c,b", "{'a':{'M':{'c':{'N':'5'}}},'b':{'S':'hello'}}"},
    {"a.x, a.b[0], x, a.b[3].x", "{'a':{'M':{'b':{'L':[{'N':'2'}]}}}}"},
    {"#dot", "{'a.b':{'S':'dot'}}"},
    {"#a.c", "{'a':{'M':{'c':{'N':'5'}}}}"},
    {"a.#i", "{}"},
};

static void parts_are_chosen_as_by_the_service(void **state)
{
    struct projection *projection;
    struct arena arena;
    struct scope scope;
    struct err err;

    (void)state;
    arena_init(&arena);
    struct bytes item = test_item(&arena, ITEM);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_scope(&scope, &arena, NAMES, NULL);
        if (!projection_compile(&scope, bytes_of_text(cases[i].text), &projection, &err))
            fail_msg("%s: %s", cases[i].text, err.message);
        struct bytes chosen = projection_apply(projection, item, &arena);
        assert_true(item_check(chosen, &err));
        if (strcmp(test_json(&arena, chosen), cases[i].chosen) != 0)
            fail_msg("%s: %s\nnot %s", cases[i].text, test_json(&arena, chosen), cases[i].chosen);
    }
    arena_release(&arena);
}

static void key_attributes_are_scalars(void **state)
{
    const struct bytes keys[] = {BYTES_INIT("p")};
    struct projection *projection;
    struct arena arena;
    struct scope scope;
    struct err err;

    (void)state;
    arena_init(&arena);
    scope_init(&scope, &arena);
    assert_true(projection_compile(&scope, BYTES("p, a.x"), &projection, &err));
    assert_true(projection_check_keys(projection, KEY_OF_TABLE, keys, 1, &err));
    assert_true(projection_compile(&scope, BYTES("a, p.x"), &projection, &err));
    assert_false(projection_check_keys(projection, KEY_OF_TABLE, keys, 1, &err));
    assert_string_equal(err.message, "Key attributes must be scalars; list random access '[]' and "
                                     "map lookup '.' are not allowed: Key: p");
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_told_as_the_service_does),
        cmocka_unit_test(parts_are_chosen_as_by_the_service),
        cmocka_unit_test(key_attributes_are_scalars),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
