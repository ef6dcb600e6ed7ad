/* expr/syntax.h - an expression as a tree, for the files of this folder: read by parser.c, its
 * placeholders replaced and its rules checked by check.c. Trees live in the request's arena and
 * borrow from the text and the scope. */
#ifndef EXPR_SYNTAX_H
#define EXPR_SYNTAX_H

#include "expr/scope.h"

/* Developer guide, "Service quotas", expression parameters: an expression has at most 4 KB, 300
 * operators or functions, 100 operands of IN. A document path is as deep as an item. */
#define EXPRESSION_MOST 4096
#define OPERATORS_MOST  300
#define IN_MOST         100
#define PATH_MOST       ITEM_DEPTH_MOST

enum node_kind {
    NODE_PATH,
    NODE_VALUE,
    NODE_CALL,
    NODE_OR,
    NODE_AND,
    NODE_NOT,
    NODE_EQ,
    NODE_NE,
    NODE_LT,
    NODE_LE,
    NODE_GT,
    NODE_GE,
    NODE_BETWEEN,
    NODE_IN,
    NODE_PLUS,
    NODE_MINUS,
};

enum function {
    FUNCTION_UNKNOWN,
    FUNCTION_ATTRIBUTE_EXISTS,
    FUNCTION_ATTRIBUTE_NOT_EXISTS,
    FUNCTION_ATTRIBUTE_TYPE,
    FUNCTION_BEGINS_WITH,
    FUNCTION_CONTAINS,
    FUNCTION_SIZE,
    FUNCTION_IF_NOT_EXISTS,
    FUNCTION_LIST_APPEND,
};

enum step_kind {
    STEP_INDEX, /* before names: the order in which paths are sorted */
    STEP_NAME,
};

/* One step of a document path. */
struct step {
    enum step_kind kind;
    bool alias; /* `name` is "#n" and nothing has replaced it */
    uint32_t index;
    struct bytes name; /* of an index: its digits */
};

struct node {
    enum node_kind kind;
    enum function function;
    bool in_parentheses;
    uint32_t count;    /* steps or operands */
    struct bytes text; /* a value's ":v", a function's name */
    union {
        struct step *steps;
        struct node **operands;
        const struct value *value;
    };
};

enum action_kind {
    ACTION_SET,
    ACTION_REMOVE,
    ACTION_ADD,
    ACTION_DELETE,
};

/* One assignment of an update. */
struct action {
    enum action_kind kind;
    uint32_t section; /* counted from 0 as written */
    struct node *path;
    struct node *operand; /* NULL: REMOVE */
};

/* A list of paths, or of what an update does. */
struct node_list {
    struct node **nodes;
    uint32_t count, capacity;
};
struct action_list {
    struct action *actions;
    uint32_t count, capacity;
};

/* What is being compiled: `label` is the parameter's name. */
struct source {
    const char *label;
    struct bytes text;
    struct scope *scope;
    struct err *err;
    uint32_t operators; /* seen so far */
};

/* Fails with "Invalid LABEL: ". */
bool source_fail(const struct source *source, const char *format, ...) PRINTF(2, 3);

/* Each reads a whole text. NULL or false: it is none, and source->err says why. */
struct node *parse_condition(struct source *source);
bool parse_projection(struct source *source, struct node_list *paths);
bool parse_update(struct source *source, struct action_list *actions);

/* Paths in the order of an item, those that begin alike together, and where each stood before. */
struct sorted_paths {
    struct node **paths;
    uint32_t *places;
};

/* Each checks what was read by the service's rules, in its order, and replaces the placeholders. */
bool check_condition(struct source *source, struct node *condition);
bool check_projection(struct source *source, struct node_list *paths);
bool check_update(struct source *source, struct action_list *actions, struct sorted_paths *sorted);

/* What an UpdateExpression counts as against the size of an item, bytes. */
uint64_t charge_of(const struct action *actions, uint32_t count);

/* Sorts paths. Fails where one contains another or where two want a list and a map in one place. */
bool sort_paths(const struct source *source, struct node *const *paths, uint32_t count,
                struct sorted_paths *out);

/* The name of a function as it is written, and which one a word names. */
enum function function_named(struct bytes word);

bool word_reserved(struct bytes word);

/* The path of a whole attribute, as it is read from an alias. */
struct node *path_of_name(struct arena *arena, struct bytes name);

/* A projection of paths that are sorted. */
struct projection;
struct projection *projection_of(struct arena *arena, struct node **sorted, uint32_t count);

/* A condition of a tree that is bound; an update of whole attributes whose names differ, by the
 * rules of AttributeUpdates. */
struct condition;
struct condition *condition_of(struct arena *arena, struct node *root);
struct update;
struct update *update_of(struct arena *arena, struct action *actions, uint32_t count);

/* Whether two steps are the same; < 0, 0, > 0 in the order of sort_paths(). */
int step_order(const struct step *one, const struct step *other);

/* The value at the first `steps` steps of a path in an item; false if there is none. */
bool path_find(const struct node *path, uint32_t steps, struct bytes item, struct value *out);

/* Whether a value's type and content are another's. Not for what has no value_walk() content. */
bool value_same(const struct value *one, const struct value *other);

/* "BOOL" */
const char *type_name(enum value_type type);

/* The first path below one of the names in a tree; NULL: none. `deep`: only such with a step behind
 * the name. */
const struct node *find_path(const struct node *node, const struct bytes *names, uint32_t count,
                             bool deep);

/* "Key attributes must be scalars", where `path` is not NULL (dynalite, validateKeyPaths). `kind`
 * is what the service calls the key: KEY_OF_TABLE or KEY_OF_INDEX. */
bool refuse_key_path(const struct node *path, const char *kind, struct err *err);

/* Adds the attributes that the paths of a tree begin at to `names`, each once, in the order of the
 * text; there is room for all. Returns how many there are then. */
uint32_t collect_names(const struct node *node, struct bytes *names, uint32_t count);
/* How many paths there are in a tree. */
uint32_t count_paths(const struct node *node);

#endif
