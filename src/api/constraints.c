/* api/constraints.c - what a body that could be read must satisfy beside its types: the service
 * walks the whole of it and tells all violations in one message. Three things are told alone and
 * before all others (FIELD_ASKED_FIRST, FIELD_EMPTY_FIRST), and what we have not built comes last.
 */
#include "api/shape.h"

#include <stdio.h>

#include "base/buf.h"

#define TOLD_MOST 10   /* violations in one message: the service stops counting there */
#define ECHO_MOST 1024 /* bytes of a value in a message: the longest text that may be valid */

static bool name_matches(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i], letter = c | 0x20;
        if (!((letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
              c == '-'))
            return false;
    }
    return text.size > 0;
}

const struct pattern pattern_name = {"[a-zA-Z0-9_.-]+", name_matches};

const struct field element_attribute_name = ELEMENT(FIELD_STRING);

const struct field element_unsupported = ELEMENT(FIELD_UNSUPPORTED);

const struct field element_table_name =
    ELEMENT(FIELD_STRING, LEAST(3), MOST(255), PATTERN(pattern_name), TRAITS(FIELD_MAY_BE_ARN));

const char *const enum_consumed_capacity[] = {"INDEXES", "TOTAL", "NONE", NULL};
const char *const enum_collection_metrics[] = {"SIZE", "NONE", NULL};
const char *const enum_return_values[] = {"ALL_NEW", "UPDATED_OLD", "ALL_OLD",
                                          "NONE",    "UPDATED_NEW", NULL};
const char *const enum_on_check_failure[] = {"ALL_OLD", "NONE", NULL};

/* Where a value is, from the inside out. */
struct place {
    const struct place *outer; /* NULL: the body */
    const struct value_node *node;
    uint32_t number; /* in a list, from 1 */
};

struct check {
    struct buf told; /* the violations, in the arena */
    int count;
    bool alone; /* no more are told */
};

/* --- messages --------------------------------------------------------------------------------- */

static void put_lowered(struct buf *out, struct bytes name)
{
    uint8_t first = name.data[0];

    buf_put_u8(out, first >= 'A' && first <= 'Z' ? (uint8_t)(first + 32) : first);
    buf_put_bytes(out, bytes_from(name, 1));
}

/* A text as it stands, but no NUL, which would end the message. */
static void put_text(struct buf *out, struct bytes text)
{
    size_t start = out->size;

    buf_put_bytes(out, text);
    for (size_t i = start; i < out->size; i++)
        if (out->data[i] == '\0')
            out->data[i] = '?';
}

/* "keySchema.1.member.attributeName" */
static void put_path(struct buf *out, const struct place *place, bool lowered)
{
    bool in_list = false, in_map = false;

    if (place->outer->outer != NULL)
        put_path(out, place->outer, lowered);
    in_list = place->outer->node->field->type == TYPE_LIST;
    in_map = place->outer->node->field->type == TYPE_MAP;
    if (place->outer->outer != NULL)
        buf_put_u8(out, '.');
    if (in_list)
        buf_printf(out, "%u.", place->number);
    if (in_map) {
        put_text(out, place->node->name);
        buf_put_u8(out, '.');
    }
    if (lowered)
        put_lowered(out, place->node->field->name);
    else
        buf_put_bytes(out, place->node->field->name);
}

/* A value as Java prints it; stops once there is enough of it. */
static void put_value(struct buf *out, const struct value_node *node, size_t most)
{
    const struct field *field = node->field;
    bool braces = field->type == TYPE_MAP, names = field->type == TYPE_STRUCT;

    if (!node->present) {
        buf_put_literal(out, "null");
        return;
    }
    switch (field->type) {
    case TYPE_STRING:
        put_text(out, node->text);
        return;
    case TYPE_INTEGER:
    case TYPE_LONG:
        buf_printf(out, "%lld", (long long)node->integer);
        return;
    case TYPE_BOOLEAN:
        buf_put_text(out, node->integer ? "true" : "false");
        return;
    case TYPE_STRUCT:
    case TYPE_LIST:
    case TYPE_MAP:
        break;
    default:
        buf_put_literal(out, "{...}");
        return;
    }
    if (names)
        buf_put_text(out, field->class + sizeof "com.amazonaws.dynamodb.v20120810." - 1);
    buf_put_u8(out, names ? '(' : braces ? '{' : '[');
    for (uint32_t i = 0; names ? field->of[i].name.size > 0 : i < node->kept; i++) {
        if (i > 0)
            buf_put_literal(out, ", ");
        if (out->size >= most) {
            buf_put_literal(out, "...");
            break;
        }
        if (names)
            put_lowered(out, field->of[i].name);
        else if (braces)
            put_text(out, node->members[i].name);
        if (names || braces)
            buf_put_u8(out, '=');
        put_value(out, &node->members[i], most);
    }
    buf_put_u8(out, names ? ')' : braces ? '}' : ']');
}

/* Cuts what was put behind `start` to ECHO_MOST bytes, between characters. */
static void cut(struct buf *out, size_t start)
{
    if (out->size - start <= ECHO_MOST)
        return;
    out->size = start + ECHO_MOST;
    while (out->size > start && (out->data[out->size] & 0xc0) == 0x80)
        out->size--;
    buf_put_literal(out, "...");
}

static void put_echo(struct buf *out, const struct value_node *node)
{
    if (!node->present) {
        buf_put_literal(out, "null");
        return;
    }
    buf_put_u8(out, '\'');
    size_t start = out->size;
    if (node->field->traits & FIELD_KEYS_FIRST)
        node_put_json(out, node);
    else
        put_value(out, node, start + ECHO_MOST);
    cut(out, start);
    buf_put_u8(out, '\'');
}

/* Begins one violation; what must hold follows. NULL: enough were told. */
static struct buf *violation(struct check *check, const struct place *place)
{
    struct buf *out = &check->told;
    bool newer = place->node->field->traits & FIELD_NEWER_FORM;

    if (check->count == TOLD_MOST || check->alone)
        return NULL;
    check->alone = check->count == 0 && (place->node->field->traits & FIELD_ALONE);
    if (check->count++ > 0)
        buf_put_literal(out, "; ");
    buf_put_literal(out, "Value ");
    if (!newer) {
        put_echo(out, place->node);
        buf_put_u8(out, ' ');
    }
    buf_put_literal(out, "at '");
    size_t start = out->size;
    put_path(out, place, !newer);
    cut(out, start);
    buf_put_literal(out, "' failed to satisfy constraint: ");
    return out;
}

static void tell(struct check *check, const struct place *place, const char *rule)
{
    struct buf *out = violation(check, place);

    if (out != NULL)
        buf_put_text(out, rule);
}

static void tell_bound(struct check *check, const struct place *place, const char *what,
                       const char *direction, int64_t bound)
{
    struct buf *out = violation(check, place);

    if (out != NULL)
        buf_printf(out, "Member must have %s %s than or equal to %lld", what, direction,
                   (long long)bound);
}

/* --- one value -------------------------------------------------------------------------------- */

static bool is_number(const struct field *field)
{
    return field->type == TYPE_INTEGER || field->type == TYPE_LONG;
}

/* The characters of a text; Java counts UTF-16 units. */
static int64_t text_length(struct bytes text)
{
    int64_t length = 0;

    for (size_t i = 0; i < text.size; i++)
        length += ((text.data[i] & 0xc0) != 0x80) + (text.data[i] >= 0xf0);
    return length;
}

static int64_t measure(const struct value_node *node)
{
    if (is_number(node->field))
        return node->integer;
    return node->field->type == TYPE_STRING ? text_length(node->text) : (int64_t)node->count;
}

static bool is_one_of(struct bytes text, const char *const *values)
{
    for (; *values != NULL; values++)
        if (bytes_equal(text, bytes_of_text(*values)))
            return true;
    return false;
}

static void put_enum(struct buf *out, const char *const *values)
{
    buf_put_literal(out, "Member must satisfy enum value set: [");
    for (const char *const *value = values; *value != NULL; value++)
        buf_printf(out, "%s%s", value == values ? "" : ", ", *value);
    buf_put_u8(out, ']');
}

/* An ARN, where one is taken, is held to the model's 1024 characters alone. */
static bool is_arn(const struct value_node *node)
{
    return (node->field->traits & FIELD_MAY_BE_ARN) && bytes_begin(node->text, BYTES("arn:"));
}

static bool fits(const struct field *rules, const struct value_node *node)
{
    int64_t size = measure(node);

    return (!rules->least.set || size >= rules->least.value) &&
           (!rules->most.set || size <= rules->most.value) &&
           (rules->pattern == NULL || rules->pattern->matches(node->text)) &&
           (rules->values == NULL || is_one_of(node->text, rules->values));
}

#define VALUES_UNTOLD "Failed to satisfy constraint: Member must satisfy enum value set: "

static void tell_untold(struct check *check, const struct field *field)
{
    if (check->count == TOLD_MOST)
        return;
    if (check->count++ > 0)
        buf_put_literal(&check->told, "; ");
    buf_put_literal(&check->told, VALUES_UNTOLD);
    buf_put_text(&check->told, field->untold);
}

static void check_enum(struct check *check, const struct place *place)
{
    const struct field *field = place->node->field;

    if (field->values == NULL || is_one_of(place->node->text, field->values))
        return;
    if (field->untold != NULL && !(field->traits & FIELD_VALUE_FIRST)) {
        tell_untold(check, field);
        return;
    }
    struct buf *out = violation(check, place);
    if (out != NULL)
        put_enum(out, field->values);
}

static void check_pattern(struct check *check, const struct place *place)
{
    const struct field *field = place->node->field;

    if (field->pattern == NULL || field->pattern->matches(place->node->text))
        return;
    struct buf *out = violation(check, place);
    if (out != NULL)
        buf_printf(out, "Member must satisfy regular expression pattern: %s", field->pattern->text);
}

static void check_scalar(struct check *check, const struct place *place)
{
    const struct value_node *node = place->node;
    const struct field *field = node->field;
    const char *what = is_number(field) ? "value" : "length";

    if (is_arn(node)) {
        if (measure(node) > 1024)
            tell_bound(check, place, what, "less", 1024);
        return;
    }
    if ((field->traits & FIELD_EMPTY_FIRST) && node->text.size == 0) {
        tell_bound(check, place, what, "greater", 1);
        return;
    }
    check_enum(check, place);
    if (!(field->traits & FIELD_LENGTH_FIRST))
        check_pattern(check, place);
    if (field->least.set && measure(node) < field->least.value)
        tell_bound(check, place, what, "greater", field->least.value);
    if (field->most.set && measure(node) > field->most.value)
        tell_bound(check, place, what, "less", field->most.value);
    if (field->traits & FIELD_LENGTH_FIRST)
        check_pattern(check, place);
}

/* --- what lists and maps hold ----------------------------------------------------------------- */

/* "Map value must satisfy constraint: [Member must have ..., Member must ...]" */
static void tell_element(struct check *check, const struct place *place, const char *what,
                         const struct field *rules)
{
    struct buf *out = violation(check, place);
    const char *comma = "";

    if (out == NULL)
        return;
    buf_printf(out, "%s must satisfy constraint: [", what);
    if (rules->most.set) {
        buf_printf(out, "Member must have length less than or equal to %lld",
                   (long long)rules->most.value);
        comma = ", ";
    }
    if (rules->least.set) {
        buf_printf(out, "%sMember must have length greater than or equal to %lld", comma,
                   (long long)rules->least.value);
        comma = ", ";
    }
    if (rules->pattern != NULL)
        buf_printf(out, "%sMember must satisfy regular expression pattern: %s", comma,
                   rules->pattern->text);
    if (rules->values != NULL)
        put_enum(out, rules->values);
    buf_put_u8(out, ']');
}

static void check_key(struct check *check, const struct place *place, struct bytes key)
{
    const struct field *rules = place->node->field->keys;
    struct value_node node = {.field = rules, .present = true, .text = key};

    if (!is_arn(&node) && !fits(rules, &node))
        tell_element(check, place, "Map keys", rules);
}

static void check_keys(struct check *check, const struct place *place)
{
    const struct value_node *node = place->node;

    if ((node->field->traits & FIELD_KEYS_LAST) && check->count > 0)
        return;
    for (uint32_t i = 0; node->field->keys != NULL && i < node->kept; i++)
        check_key(check, place, node->members[i].name);
}

static void check_elements(struct check *check, const struct place *place)
{
    const struct value_node *node = place->node;
    bool is_map = node->field->type == TYPE_MAP;

    if (is_map && !(node->field->traits & FIELD_KEYS_FIRST))
        check_keys(check, place);
    for (uint32_t i = 0; i < node->kept; i++)
        if (node->members[i].present && !fits(node->field->of, &node->members[i]))
            tell_element(check, place, is_map ? "Map value" : "Member", node->field->of);
}

static void check_node(struct check *check, const struct place *place);

static void check_inside(struct check *check, const struct place *place)
{
    const struct value_node *node = place->node;
    bool is_struct = node->field->type == TYPE_STRUCT;

    for (uint32_t i = 0; is_struct ? node->field->of[i].name.size > 0 : i < node->kept; i++) {
        struct place inner = {place, &node->members[i], i + 1};
        if (is_struct)
            check_node(check, &inner);
        else if (!inner.node->present)
            tell(check, &inner, "Member must not be null");
        else if (inner.node->field->type >= TYPE_STRUCT)
            check_inside(check, &inner);
    }
}

/* A member: whether it is there, itself, what it holds. */
static void check_node(struct check *check, const struct place *place)
{
    const struct value_node *node = place->node;

    if (!node->present) {
        if (node->field->required)
            tell(check, place, "Member must not be null");
        return;
    }
    check_scalar(check, place);
    if (node->field->type == TYPE_LIST || node->field->type == TYPE_MAP)
        check_elements(check, place);
    if (node->field->type == TYPE_STRUCT || node->field->type == TYPE_LIST ||
        node->field->type == TYPE_MAP)
        check_inside(check, place);
}

/* --- the body --------------------------------------------------------------------------------- */

/* UpdateItem without its Key tells nothing alone, and all in the older form (dynamodb-conformance,
 * validation-ordering/updateItem, recorded 2026-10). */
static bool tells_all(const struct value_node *body)
{
    bool first = false, missing = false;

    for (uint32_t i = 0; body->field->of[i].name.size > 0; i++) {
        const struct value_node *node = &body->members[i];
        first = first || (node->field->traits & FIELD_VALUE_FIRST) != 0;
        missing =
            missing || (node->field->required && !node->present && node->field->type == TYPE_ITEM);
    }
    return first && missing;
}

static bool check_first(const struct value_node *body, struct err *err)
{
    if (tells_all(body))
        return true;
    for (uint32_t i = 0; body->field->of[i].name.size > 0; i++) {
        const struct value_node *node = &body->members[i];
        unsigned traits = node->field->traits;
        if ((traits & FIELD_ASKED_FIRST) && !node->present)
            return err_fail(err, ERR_VALIDATION,
                            "The parameter '%.*s' is required but was not present in the request",
                            BYTES_ARGS(node->field->name));
        if ((traits & FIELD_EMPTY_FIRST) && node->present && node->text.size == 0)
            return err_fail(err, ERR_VALIDATION,
                            "1 validation error detected: Value at '%.*s' failed to satisfy "
                            "constraint: Member must have length greater than or equal to 1",
                            BYTES_ARGS(node->field->name));
        if ((traits & FIELD_VALUE_FIRST) && node->present &&
            !is_one_of(node->text, node->field->values))
            return err_fail(err, ERR_VALIDATION, "%s" VALUES_UNTOLD "%s",
                            (traits & FIELD_VALUE_BARE) ? "" : "1 validation error detected: ",
                            node->field->untold);
    }
    return true;
}

static void check_first_keys(struct check *check, const struct place *body)
{
    const struct value_node *node = body->node;

    for (uint32_t i = 0; node->field->of[i].name.size > 0; i++) {
        struct place place = {body, &node->members[i], 0};
        if (place.node->present && (place.node->field->traits & FIELD_KEYS_FIRST))
            check_keys(check, &place);
    }
}

/* The name of the first member that is not built here; NULL if there is none. */
static const struct field *unsupported_in(const struct value_node *node)
{
    const struct field *field = node->field;

    if (!node->present || field->type == TYPE_UNSUPPORTED)
        return node->present ? field : NULL;
    if (field->type != TYPE_STRUCT && field->type != TYPE_LIST && field->type != TYPE_MAP)
        return NULL;
    if (field->of->type == TYPE_UNSUPPORTED && field->type == TYPE_LIST)
        return node->count > 0 ? field : NULL;
    for (uint32_t i = 0; field->type == TYPE_STRUCT ? field->of[i].name.size > 0 : i < node->kept;
         i++) {
        const struct field *found = unsupported_in(&node->members[i]);
        if (found != NULL)
            return found;
    }
    return NULL;
}

bool shape_check(const struct value_node *body, struct arena *arena, struct err *err)
{
    struct check check = {.count = 0};
    struct place place = {NULL, body, 0};

    if (!check_first(body, err))
        return false;
    buf_init_in(&check.told, arena);
    check_first_keys(&check, &place);
    check_inside(&check, &place);
    if (check.count > 0)
        return err_fail(err, ERR_VALIDATION, "%d validation error%s detected: %.*s", check.count,
                        check.count == 1 ? "" : "s", BYTES_ARGS(buf_bytes(&check.told)));
    const struct field *unsupported = unsupported_in(body);
    if (unsupported != NULL)
        return err_fail(err, ERR_VALIDATION,
                        "One or more parameter values were invalid: %.*s is not supported yet",
                        BYTES_ARGS(unsupported->name));
    return true;
}
