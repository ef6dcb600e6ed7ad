/* api/shape.h - what a request's body must look like: a static table of fields for each operation,
 * by which the body is read once and then checked, before its handler sees it.
 *
 * How to write one (op_delete_item.c):
 *
 *     const struct field shape_delete_item[] = {
 *         OPTIONAL("ReturnConsumedCapacity", FIELD_ENUM(enum_consumed_capacity)),
 *         REQUIRED("TableName", FIELD_TABLE_NAME),
 *         REQUIRED("Key", FIELD_ITEM),
 *         OPTIONAL("ConditionExpression", FIELD_UNSUPPORTED),
 *         SHAPE_END,
 *     };
 *
 * The order of the rows is the order in which the service tells violations (its framework walks a
 * hash table: the order is known from recordings only). Structures, lists and maps name the shape
 * of what they hold:
 *
 *     static const struct field throughput[] = {
 *         REQUIRED("WriteCapacityUnits", FIELD_LONG, LEAST(1)), ..., SHAPE_END};
 *     static const struct field tag = ELEMENT(FIELD_STRUCT("Tag", tag_members));
 *     OPTIONAL("ProvisionedThroughput", FIELD_STRUCT("ProvisionedThroughput", throughput)),
 *     OPTIONAL("Tags", FIELD_LIST(tag)),
 *
 * What the service knows and we do not is a row too: FIELD_UNSUPPORTED refuses it by name, as does
 * a list of element_unsupported that is not empty. What no row names is skipped, as the service
 * does. A handler asks for members by name (api/api.h).
 *
 * Facts: the constraints of botocore's model of 2012-08-10; message forms of spec/export.md 2.2 and
 * of dynalite's tests, which ran against the service; of 2026, github.com/nubo-db/
 * dynamodb-conformance, recorded in us-east-1. Pure functions on the caller's arena. */
#ifndef API_SHAPE_H
#define API_SHAPE_H

#include "expr/scope.h"
#include "item/json.h"

enum field_type {
    TYPE_STRING,
    TYPE_INTEGER, /* 32 bits */
    TYPE_LONG,
    TYPE_BOOLEAN,
    TYPE_TIME, /* seconds since 1970, as an integer, with a fraction or an exponent */
    TYPE_STRUCT,
    TYPE_LIST,
    TYPE_MAP,
    TYPE_ITEM,        /* an item or a key: read straight to the packed form */
    TYPE_VALUE,       /* one attribute value, likewise */
    TYPE_NAMES,       /* ExpressionAttributeNames */
    TYPE_UNSUPPORTED, /* known to the service, not built here: refused when it is sent */
};

enum field_trait {
    FIELD_MAY_BE_ARN = 1,     /* a text that begins with "arn:" is held to 1024 characters only */
    FIELD_ASKED_FIRST = 2,    /* its absence is told alone: "The parameter 'X' is required ..." */
    FIELD_EMPTY_FIRST = 4,    /* an empty text is told alone, in the newer form (below) */
    FIELD_NEWER_FORM = 8,     /* "Value at 'Path.Member' failed ...": no value, names as sent */
    FIELD_PARAMETERIZED = 16, /* a list or map inside a map: another message for a wrong type */
    FIELD_LENGTH_FIRST = 32,  /* its length is told before its pattern */
    FIELD_ALONE = 64,         /* what is wrong with it is told alone, if nothing was told before */
    FIELD_VALUE_FIRST = 128,  /* a value outside its enum is told alone, and before all others */
    FIELD_VALUE_BARE = 256,   /* ... and without the count of errors */
    FIELD_KEYS_FIRST = 512,   /* what is wrong with a map's keys comes before all others; as JSON */
    FIELD_KEYS_LAST = 1024,   /* ... is told where nothing else is */
};

/* What a member is to api/expressions.h: an expression, or one of the older parameters that say the
 * same, each kind in the order in which the service names them in a message. */
enum field_role {
    ROLE_NONE,
    ROLE_PROJECTION,
    ROLE_FILTER,
    ROLE_UPDATE,
    ROLE_CONDITION,
    ROLE_KEY_CONDITION,
    ROLE_ATTRIBUTES_TO_GET,
    ROLE_ATTRIBUTE_UPDATES,
    ROLE_EXPECTED,
    ROLE_OLD_FILTER, /* QueryFilter, ScanFilter */
    ROLE_CONDITIONAL_OPERATOR,
    ROLE_KEY_CONDITIONS,
    ROLE_NAMES, /* ExpressionAttributeNames */
    ROLE_VALUES,
    ROLES
};

struct bound {
    bool set;
    int64_t value;
};

struct pattern {
    const char *text; /* as the service's messages quote it */
    bool (*matches)(struct bytes text);
};

struct field {
    struct bytes name; /* as it is sent; empty ends a shape */
    enum field_type type;
    bool required;
    unsigned traits;
    enum field_role role;
    struct bound least, most; /* of the length of a text, list or map; of the value of a number */
    const struct pattern *pattern;
    const char *const *values; /* an enum's, in the service's order; NULL ends them */
    const char *untold;     /* how it lists them where it tells neither value nor place; or NULL */
    const struct field *of; /* STRUCT: its members; LIST, MAP: what each element is */
    const struct field *keys; /* MAP: what its keys must satisfy */
    const char *class;        /* of a STRUCT, or of a MAP's values: the Java name in messages */
};

#define REQUIRED(name_, ...)                                                                       \
    {                                                                                              \
        .name = BYTES_INIT(name_), .required = true, __VA_ARGS__                                   \
    }
#define OPTIONAL(name_, ...)                                                                       \
    {                                                                                              \
        .name = BYTES_INIT(name_), __VA_ARGS__                                                     \
    }
#define ELEMENT(...)                                                                               \
    {                                                                                              \
        .name = BYTES_INIT("member"), __VA_ARGS__                                                  \
    }
#define SHAPE_END                                                                                  \
    {                                                                                              \
        .name = { NULL, 0 }                                                                        \
    }

#define LEAST(n)   .least = {true, (n)}
#define MOST(n)    .most = {true, (n)}
#define PATTERN(p) .pattern = &(p)
#define TRAITS(t)  .traits = (t)
#define KEYS(k)    .keys = &(k)

#define FIELD_STRING      .type = TYPE_STRING
#define FIELD_ENUM(set)   .type = TYPE_STRING, .values = (set)
#define FIELD_INTEGER     .type = TYPE_INTEGER
#define FIELD_LONG        .type = TYPE_LONG
#define FIELD_BOOLEAN     .type = TYPE_BOOLEAN
#define FIELD_TIME        .type = TYPE_TIME
#define FIELD_ITEM        .type = TYPE_ITEM
#define FIELD_UNSUPPORTED .type = TYPE_UNSUPPORTED
#define FIELD_VALUE       .type = TYPE_VALUE, .class = "com.amazonaws.dynamodb.v20120810.AttributeValue"

/* The expressions of an operation, see api/expressions.h: FIELD_EXPRESSION(CONDITION) */
#define FIELD_EXPRESSION(what) .type = TYPE_STRING, .role = ROLE_##what
#define FIELD_NAMES            .type = TYPE_NAMES, .role = ROLE_NAMES, .class = "java.lang.String"
#define FIELD_ATTRIBUTES_TO_GET                                                                    \
    .type = TYPE_LIST, .of = &element_attribute_name, .role = ROLE_ATTRIBUTES_TO_GET,              \
    .least = {true, 1}, .most = {true, 255}
#define FIELD_VALUES .type = TYPE_ITEM, .role = ROLE_VALUES
#define FIELD_STRUCT(java, members)                                                                \
    .type = TYPE_STRUCT, .class = "com.amazonaws.dynamodb.v20120810." java, .of = (members)
#define FIELD_LIST(element)      .type = TYPE_LIST, .of = &(element)
#define FIELD_MAP(java, element) .type = TYPE_MAP, .class = (java), .of = &(element)

/* ReturnValues of a write (dynamodb-conformance, captures/2026-08-12-wording-drift.json); the slip
 * is the service's. */
#define FIELD_RETURN_VALUES(told)                                                                  \
    .type = TYPE_STRING, .values = enum_return_values,                                             \
    .untold = "[ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]", .traits = (told)

/* A table to work on: its name, or its ARN. */
#define FIELD_TABLE_NAME                                                                           \
    .type = TYPE_STRING, .traits = FIELD_MAY_BE_ARN | FIELD_EMPTY_FIRST, .pattern = &pattern_name, \
    .most = {true, 255}
/* The same where tables themselves are managed. */
#define FIELD_MANAGED_TABLE_NAME                                                                   \
    .type = TYPE_STRING, .traits = FIELD_MAY_BE_ARN | FIELD_ASKED_FIRST | FIELD_LENGTH_FIRST,      \
    .pattern = &pattern_name, .least = {true, 3}, .most = {true, 255}

#define FIELD_INDEX_NAME                                                                           \
    .type = TYPE_STRING, .pattern = &pattern_name, .least = {true, 3}, .most = {true, 255}

extern const struct pattern pattern_name; /* [a-zA-Z0-9_.-]+ */

extern const struct field element_attribute_name;

/* Of a list that is refused by name unless it is empty. */
extern const struct field element_unsupported;

extern const struct field element_table_name; /* as a key of a map: a name, or an ARN */

extern const char *const enum_consumed_capacity[];
extern const char *const enum_collection_metrics[];
extern const char *const enum_return_values[];
extern const char *const enum_on_check_failure[];

/* A body as it was read. Lives in the arena. */
struct value_node {
    const struct field *field;
    bool present;      /* was sent, and is not null; what is below is only set if so */
    uint32_t count;    /* LIST, MAP: elements that were sent */
    uint32_t kept;     /* of them, those in `members`: all but what is beyond any limit */
    struct bytes name; /* in a MAP: its key */
    union {
        struct bytes text;
        int64_t integer;            /* INTEGER, LONG; BOOLEAN: 0 or 1 */
        uint64_t time;              /* microseconds */
        struct item_read item;      /* ITEM, VALUE */
        struct scope_name *names;   /* NAMES: `kept` of them */
        struct value_node *members; /* STRUCT: one for each row of its shape; LIST, MAP: elements */
    };
};

/* Elements of one list or map that are kept. Above every limit of the service's on one, so more is
 * refused; only there so that a body of 16 MB cannot make hundreds of MB of nodes. */
#define SHAPE_KEPT_MOST 256

/* The same for ExpressionAttributeNames: more than all expressions of a request can use. */
#define SHAPE_NAMES_MOST 16384

/* Reads a body. ERR_SERIALIZATION with the service's message for a value of a wrong type, without a
 * message for text that is not JSON. */
MUST_CHECK bool shape_read(const struct field *shape, struct bytes body, struct arena *arena,
                           struct value_node **out, struct err *err);

/* Checks what was read: ERR_VALIDATION, all violations in one message (at most ten). */
MUST_CHECK bool shape_check(const struct value_node *body, struct arena *arena, struct err *err);

/* Appends what was read, as JSON. */
void node_put_json(struct buf *out, const struct value_node *node);

/* A member of a STRUCT; NULL if it was not sent. The shape has a row of that name. */
const struct value_node *node_member(const struct value_node *node, const char *name);

#endif
