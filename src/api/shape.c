/* api/shape.c - reads a body by its shape, in one pass: an item goes straight to its packed form,
 * what no row names is skipped, and the rest becomes a node for each row. A value of the wrong kind
 * ends the reading with the words of the service's deserialiser, which is Java's Jackson under a
 * layer that names Java classes (dynalite's tests against the service; "Unrecognized" for an array
 * where none belongs, "Start of structure or map" for an object).
 *
 * The recursion is as deep as the shape, which is static. */
#include "api/shape.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"

/* 9999-12-31T23:59:59Z: later times are read as this one. */
#define TIME_MOST (UINT64_C(253402300799) * SECOND_MICROS)

#define NOT_EXPECTED "Start of structure or map found where not expected"
#define PARAMETERIZED                                                                              \
    "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class "  \
    "java.lang.Class (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and "           \
    "java.lang.Class are in module java.base of loader 'bootstrap')"

static bool read_value(const struct field *field, struct json_reader *reader,
                       struct value_node *node, struct err *err);

static bool serialization(struct err *err, const char *message)
{
    return err_fail(err, ERR_SERIALIZATION, "%s", message);
}

/* Jackson's word for a scalar that is to become something else. */
static const char *token_name(enum json_kind kind, struct bytes number)
{
    switch (kind) {
    case JSON_STRING:
        return "STRING_VALUE";
    case JSON_TRUE:
        return "TRUE_VALUE";
    case JSON_FALSE:
        return "FALSE_VALUE";
    default:
        for (size_t i = 0; i < number.size; i++)
            if (number.data[i] == '.' || (number.data[i] | 0x20) == 'e')
                return "DECIMAL_VALUE";
        return "NUMBER_VALUE";
    }
}

/* A value that cannot become the Java class. Text that is no JSON is told as that. */
static bool wrong_scalar(struct json_reader *reader, const char *class, struct err *err)
{
    enum json_kind kind = json_peek(reader);
    struct bytes number = BYTES_NONE;

    if (kind == JSON_OBJECT)
        return serialization(err, NOT_EXPECTED);
    if (kind == JSON_ARRAY)
        return err_fail(err, ERR_SERIALIZATION, "Unrecognized collection type class java.lang.%s",
                        class);
    if (kind == JSON_NUMBER && !json_read_number(reader, &number, err))
        return false;
    if (kind == JSON_NOTHING)
        return serialization(err, "");
    return err_fail(err, ERR_SERIALIZATION, "%s cannot be converted to %s",
                    token_name(kind, number), class);
}

static bool read_string(struct json_reader *reader, struct value_node *node, struct err *err)
{
    if (json_peek(reader) != JSON_STRING)
        return wrong_scalar(reader, "String", err);
    return json_read_string(reader, &node->text, err);
}

/* A whole number in its range, or the whole part of one with a fraction. */
static bool whole(struct bytes text, bool is_long, struct arena *arena, int64_t *out,
                  struct err *err)
{
    double value = strtod(arena_text(arena, text), NULL);
    double most = is_long ? 9.2e18 : (double)INT32_MAX;
    char *end;

    if (!(value >= -most - 1 && value <= most))
        return serialization(err, "");
    *out = strtoll(arena_text(arena, text), &end, 10);
    if (*end != '\0')
        *out = (int64_t)value;
    return true;
}

static bool read_integer(struct json_reader *reader, bool is_long, struct value_node *node,
                         struct err *err)
{
    struct bytes text;

    if (json_peek(reader) != JSON_NUMBER)
        return wrong_scalar(reader, is_long ? "Long" : "Integer", err);
    return json_read_number(reader, &text, err) &&
           whole(text, is_long, reader->arena, &node->integer, err);
}

static bool read_time(struct json_reader *reader, struct value_node *node, struct err *err)
{
    struct bytes text;

    if (json_peek(reader) != JSON_NUMBER)
        return wrong_scalar(reader, "Date", err);
    if (!json_read_number(reader, &text, err))
        return false;
    double seconds = strtod(arena_text(reader->arena, text), NULL);
    if (seconds <= 0)
        node->time = 0;
    else if (seconds >= (double)(TIME_MOST / SECOND_MICROS))
        node->time = TIME_MOST;
    else
        node->time = (uint64_t)(seconds * (double)SECOND_MICROS + 0.5);
    return true;
}

static bool same_letters(struct bytes text, const char *word)
{
    size_t i = 0;

    for (; i < text.size && word[i] != '\0'; i++)
        if ((text.data[i] | 0x20) != word[i])
            return false;
    return i == text.size && word[i] == '\0';
}

/* The service takes some strings for booleans. */
static bool boolean_of(struct bytes text, int64_t *out)
{
    static const char *const words[] = {"false", "true", "no", "yes"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (same_letters(text, words[i])) {
            *out = i & 1;
            return true;
        }
    *out = text.size == 1 && text.data[0] == '1';
    return text.size == 1 && (text.data[0] == '0' || text.data[0] == '1');
}

static bool read_boolean(struct json_reader *reader, struct value_node *node, struct err *err)
{
    enum json_kind kind = json_peek(reader);
    struct bytes text;

    if (kind == JSON_STRING) {
        if (!json_read_string(reader, &text, err))
            return false;
        return boolean_of(text, &node->integer) ||
               serialization(err, "Unexpected token received from parser");
    }
    if (kind != JSON_TRUE && kind != JSON_FALSE)
        return wrong_scalar(reader, "Boolean", err);
    node->integer = kind == JSON_TRUE;
    return json_read_literal(reader, err);
}

/* Neither an object (or array) nor null, where one was wanted. */
static bool wrong_collection(const struct field *field, struct json_reader *reader,
                             const char *otherwise, struct err *err)
{
    enum json_kind kind = json_peek(reader);

    if (kind == JSON_NOTHING)
        return serialization(err, "");
    if (kind == JSON_OBJECT)
        return serialization(err, NOT_EXPECTED);
    if (kind == JSON_ARRAY && (field->type == TYPE_STRUCT || field->type == TYPE_VALUE))
        return err_fail(err, ERR_SERIALIZATION, "Unrecognized collection type class %s",
                        field->class);
    if (kind == JSON_ARRAY)
        return err_fail(err, ERR_SERIALIZATION,
                        "Unrecognized collection type java.util.Map<java.lang.String, %s>",
                        field->class != NULL ? field->class
                                             : "com.amazonaws.dynamodb.v20120810.AttributeValue");
    return serialization(err, field->traits & FIELD_PARAMETERIZED ? PARAMETERIZED : otherwise);
}

static bool wrong_struct(const struct field *field, struct json_reader *reader, struct err *err)
{
    return wrong_collection(field, reader,
                            bytes_equal(field->name, BYTES("member"))
                                ? "Unexpected value type in payload"
                                : "Unexpected field type",
                            err);
}

static uint32_t row_count(const struct field *shape)
{
    uint32_t count = 0;

    while (shape[count].name.size > 0)
        count++;
    return count;
}

static struct value_node *row_of(const struct field *shape, struct value_node *members,
                                 struct bytes name)
{
    for (uint32_t i = 0; shape[i].name.size > 0; i++)
        if (bytes_equal(shape[i].name, name))
            return &members[i];
    return NULL;
}

static bool read_members(const struct field *field, struct json_reader *reader,
                         struct value_node *node, struct err *err)
{
    struct bytes name;
    bool more;

    if (!json_object_begin(reader, err))
        return false;
    for (;;) {
        if (!json_object_next(reader, &name, &more, err))
            return false;
        if (!more)
            return true;
        struct value_node *member = row_of(field->of, node->members, name);
        if (member != NULL ? !read_value(member->field, reader, member, err)
                           : !json_skip(reader, err))
            return false;
    }
}

static bool read_struct(const struct field *field, struct json_reader *reader,
                        struct value_node *node, struct err *err)
{
    uint32_t count = row_count(field->of);

    if (json_peek(reader) != JSON_OBJECT)
        return wrong_struct(field, reader, err);
    node->members = arena_zalloc(reader->arena, count * sizeof *node->members);
    for (uint32_t i = 0; i < count; i++)
        node->members[i].field = &field->of[i];
    return read_members(field, reader, node, err);
}

/* Room for elements is doubled at 0, 4, 8, 16, ... */
static bool is_full(uint32_t kept)
{
    return kept == 0 || (kept >= 4 && (kept & (kept - 1)) == 0);
}

/* Room for one more element; NULL where there are enough to refuse them all. */
static struct value_node *element_add(struct arena *arena, struct value_node *node)
{
    node->count++;
    if (node->kept == SHAPE_KEPT_MOST)
        return NULL;
    if (is_full(node->kept)) {
        size_t room = node->kept == 0 ? 4 : 2 * (size_t)node->kept;
        struct value_node *grown = arena_alloc(arena, room * sizeof *grown);
        if (node->kept > 0)
            memcpy(grown, node->members, node->kept * sizeof *grown);
        node->members = grown;
    }
    struct value_node *element = &node->members[node->kept++];
    *element = (struct value_node){.field = node->field->of};
    return element;
}

static bool read_list(const struct field *field, struct json_reader *reader,
                      struct value_node *node, struct err *err)
{
    bool more;

    if (json_peek(reader) != JSON_ARRAY)
        return wrong_collection(field, reader, "Unexpected field type", err);
    if (!json_array_begin(reader, err))
        return false;
    for (;;) {
        if (!json_array_next(reader, &more, err))
            return false;
        if (!more)
            return true;
        struct value_node *element = element_add(reader->arena, node);
        if (element != NULL ? !read_value(field->of, reader, element, err)
                            : !json_skip(reader, err))
            return false;
    }
}

/* Of two members with one name, the later counts, as in Java. */
static struct value_node *entry_of(struct json_reader *reader, struct value_node *node,
                                   struct bytes name)
{
    for (uint32_t i = 0; i < node->kept; i++)
        if (bytes_equal(node->members[i].name, name)) {
            node->members[i] = (struct value_node){.field = node->field->of, .name = name};
            return &node->members[i];
        }
    struct value_node *entry = element_add(reader->arena, node);
    if (entry != NULL)
        entry->name = name;
    return entry;
}

static bool read_map(const struct field *field, struct json_reader *reader, struct value_node *node,
                     struct err *err)
{
    struct bytes name;
    bool more;

    if (json_peek(reader) != JSON_OBJECT)
        return wrong_collection(field, reader, "Unexpected field type", err);
    if (!json_object_begin(reader, err))
        return false;
    for (;;) {
        if (!json_object_next(reader, &name, &more, err))
            return false;
        if (!more)
            return true;
        struct value_node *entry = entry_of(reader, node, name);
        if (entry != NULL ? !read_value(field->of, reader, entry, err) : !json_skip(reader, err))
            return false;
    }
}

static bool read_item(const struct field *field, struct json_reader *reader,
                      struct value_node *node, struct err *err)
{
    if (json_peek(reader) != JSON_OBJECT)
        return wrong_collection(field, reader, "Unexpected field type", err);
    return item_read_json(reader, &node->item, err);
}

static bool read_attribute_value(const struct field *field, struct json_reader *reader,
                                 struct value_node *node, struct err *err)
{
    if (json_peek(reader) != JSON_OBJECT)
        return wrong_struct(field, reader, err);
    return value_read_json(reader, &node->item, err);
}

static void name_add(struct arena *arena, struct value_node *node, struct bytes key,
                     struct bytes name)
{
    node->count++;
    if (node->kept == SHAPE_NAMES_MOST)
        return;
    if (is_full(node->kept)) {
        size_t room = node->kept == 0 ? 4 : 2 * (size_t)node->kept;
        struct scope_name *grown = arena_alloc(arena, room * sizeof *grown);
        if (node->kept > 0)
            memcpy(grown, node->names, node->kept * sizeof *grown);
        node->names = grown;
    }
    node->names[node->kept++] = (struct scope_name){.key = key, .name = name};
}

/* A name that is null is an empty one. */
static bool read_names(const struct field *field, struct json_reader *reader,
                       struct value_node *node, struct err *err)
{
    struct value_node name;
    struct bytes key;
    bool more;

    if (json_peek(reader) != JSON_OBJECT)
        return wrong_collection(field, reader, "Unexpected field type", err);
    if (!json_object_begin(reader, err))
        return false;
    for (;;) {
        if (!json_object_next(reader, &key, &more, err))
            return false;
        if (!more)
            return true;
        name.text = BYTES_NONE;
        if (json_peek(reader) == JSON_NULL ? !json_read_literal(reader, err)
                                           : !read_string(reader, &name, err))
            return false;
        name_add(reader->arena, node, key, name.text);
    }
}

static bool read_value(const struct field *field, struct json_reader *reader,
                       struct value_node *node, struct err *err)
{
    struct bytes name = node->name;

    *node = (struct value_node){.field = field, .name = name};
    if (json_peek(reader) == JSON_NULL)
        return json_read_literal(reader, err);
    node->present = true;
    switch (field->type) {
    case TYPE_STRING:
        return read_string(reader, node, err);
    case TYPE_INTEGER:
    case TYPE_LONG:
        return read_integer(reader, field->type == TYPE_LONG, node, err);
    case TYPE_BOOLEAN:
        return read_boolean(reader, node, err);
    case TYPE_TIME:
        return read_time(reader, node, err);
    case TYPE_STRUCT:
        return read_struct(field, reader, node, err);
    case TYPE_LIST:
        return read_list(field, reader, node, err);
    case TYPE_MAP:
        return read_map(field, reader, node, err);
    case TYPE_ITEM:
        return read_item(field, reader, node, err);
    case TYPE_VALUE:
        return read_attribute_value(field, reader, node, err);
    case TYPE_NAMES:
        return read_names(field, reader, node, err);
    case TYPE_UNSUPPORTED:
        return json_skip(reader, err);
    }
    assert(false);
    return false;
}

bool shape_read(const struct field *shape, struct bytes body, struct arena *arena,
                struct value_node **out, struct err *err)
{
    struct field *whole_body = arena_zalloc(arena, sizeof *whole_body);
    struct value_node *node = arena_zalloc(arena, sizeof *node);
    struct json_reader reader;

    *whole_body = (struct field){.type = TYPE_STRUCT, .of = shape};
    json_reader_init(&reader, body, arena);
    if (json_peek(&reader) != JSON_OBJECT)
        return serialization(err, "");
    if (!read_value(whole_body, &reader, node, err) || !json_end(&reader, err))
        return false;
    *out = node;
    return true;
}

const struct value_node *node_member(const struct value_node *node, const char *name)
{
    assert(node->field->type == TYPE_STRUCT);
    const struct value_node *member = row_of(node->field->of, node->members, bytes_of_text(name));
    assert(member != NULL);
    return member->present ? member : NULL;
}
