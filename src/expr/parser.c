/* expr/parser.c - the text of an expression to a tree, by recursive descent.
 *
 * The service's grammar lets a parenthesis hold a condition or an operand, which shows only behind
 * it. Instead of trying both, what stands in parentheses is read as either: an operand that no
 * comparison follows is handed up while only a closing parenthesis stands behind it, and must find
 * its comparison there. So each token is read once, and a syntax error is where no reading goes on,
 * as the service tells it.
 *
 * How a syntax error is told is pinned by recordings: the token, and the text from the token before
 * it to the one behind it (dynamodb-conformance, tier3/error-messages/updateItem: token "INVALID",
 * near "INVALID SYNTAX"; ScyllaDB, test_update_expression.py: token "_", near "SET _123"). */
#include <assert.h>

#include "expr/syntax.h"

/* Deeper than any text that the service takes: 300 operators, each in parentheses. */
#define DEPTH_MOST 1000

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_ALIAS,
    TOKEN_VALUE,
    TOKEN_DIGITS,
    TOKEN_BAD, /* what begins no token */
    TOKEN_NE,
    TOKEN_LE,
    TOKEN_GE,
    /* keywords, in no matter what case */
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_NOT,
    TOKEN_BETWEEN,
    TOKEN_IN,
    TOKEN_SET,
    TOKEN_REMOVE,
    TOKEN_ADD,
    TOKEN_DELETE,
    /* other characters are their own tokens */
};

struct token {
    int kind;
    const uint8_t *start, *end;
};

struct parser {
    struct source *source;
    struct arena *arena;
    const uint8_t *end;
    const uint8_t *before; /* where the token before `now` starts */
    struct token now;
    int depth;
};

/* ---- tokens --------------------------------------------------------------------------------- */

enum character {
    CHARACTER_OTHER,
    CHARACTER_LETTER,
    CHARACTER_DIGIT,
    CHARACTER_BLANK,
    CHARACTER_MARK, /* begins a token of one or two characters */
};

static inline enum character character_of(uint8_t c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return CHARACTER_LETTER;
    if (c >= '0' && c <= '9')
        return CHARACTER_DIGIT;
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
        return CHARACTER_BLANK;
    return c != 0 && strchr("=<>()[],.+-", c) != NULL ? CHARACTER_MARK : CHARACTER_OTHER;
}

static inline bool in_word(uint8_t c)
{
    return character_of(c) == CHARACTER_LETTER || character_of(c) == CHARACTER_DIGIT || c == '_';
}

static const uint8_t *word_end(const uint8_t *at, const uint8_t *end)
{
    while (at < end && in_word(*at))
        at++;
    return at;
}

static bool is_keyword(const uint8_t *word, size_t size, const char *keyword)
{
    for (size_t i = 0; i < size; i++)
        if ((word[i] & ~0x20) != keyword[i])
            return false;
    return true;
}

static int word_kind(const uint8_t *word, size_t size)
{
    static const struct {
        const char *text;
        uint8_t size, kind;
    } keywords[] = {
        {"AND", 3, TOKEN_AND},         {"OR", 2, TOKEN_OR},   {"NOT", 3, TOKEN_NOT},
        {"BETWEEN", 7, TOKEN_BETWEEN}, {"IN", 2, TOKEN_IN},   {"SET", 3, TOKEN_SET},
        {"REMOVE", 6, TOKEN_REMOVE},   {"ADD", 3, TOKEN_ADD}, {"DELETE", 6, TOKEN_DELETE},
    };

    if (size < 2 || size > 7)
        return TOKEN_WORD;
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (keywords[i].size == size && is_keyword(word, size, keywords[i].text))
            return keywords[i].kind;
    return TOKEN_WORD;
}

/* A character that begins no token, whole: the message shows it. */
static const uint8_t *bad_end(const uint8_t *at, const uint8_t *end)
{
    at++;
    while (at < end && (*at & 0xc0) == 0x80)
        at++;
    return at;
}

static struct token mark_at(const uint8_t *at, const uint8_t *end)
{
    uint8_t next = at + 1 < end ? at[1] : 0;

    if (*at == '<' && next == '>')
        return (struct token){TOKEN_NE, at, at + 2};
    if (*at == '<' && next == '=')
        return (struct token){TOKEN_LE, at, at + 2};
    if (*at == '>' && next == '=')
        return (struct token){TOKEN_GE, at, at + 2};
    return (struct token){*at, at, at + 1};
}

static struct token token_at(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *to;

    while (at < end && character_of(*at) == CHARACTER_BLANK)
        at++;
    if (at == end)
        return (struct token){TOKEN_END, at, at};
    switch (character_of(*at)) {
    case CHARACTER_LETTER:
        to = word_end(at, end);
        return (struct token){word_kind(at, (size_t)(to - at)), at, to};
    case CHARACTER_DIGIT: /* no leading zeros: "01" is two tokens */
        for (to = at + 1; to < end && *at != '0' && character_of(*to) == CHARACTER_DIGIT;)
            to++;
        return (struct token){TOKEN_DIGITS, at, to};
    case CHARACTER_MARK:
        return mark_at(at, end);
    default:
        break;
    }
    to = word_end(at + 1, end);
    if (to > at + 1 && (*at == '#' || *at == ':'))
        return (struct token){*at == '#' ? TOKEN_ALIAS : TOKEN_VALUE, at, to};
    return (struct token){TOKEN_BAD, at, bad_end(at, end)};
}

static inline void step_on(struct parser *parser)
{
    parser->before = parser->now.start;
    parser->now = token_at(parser->now.end, parser->end);
}

static inline struct bytes token_text(const struct token *token)
{
    return bytes_of(token->start, (size_t)(token->end - token->start));
}

/* ---- failing -------------------------------------------------------------------------------- */

static bool fail_syntax(struct parser *parser)
{
    const struct token *now = &parser->now;
    struct token next = token_at(now->end, parser->end);
    const uint8_t *near_end = next.kind == TOKEN_END ? now->end : next.end;
    struct bytes token = now->kind == TOKEN_END ? BYTES("<EOF>") : token_text(now);

    if (now->kind == TOKEN_END) /* without the blanks at the end */
        while (near_end > parser->before && character_of(near_end[-1]) == CHARACTER_BLANK)
            near_end--;
    return source_fail(parser->source, "Syntax error; token: \"%.*s\", near: \"%.*s\"",
                       BYTES_ARGS(token), (int)(near_end - parser->before),
                       (const char *)parser->before);
}

/* NULL, for those that return nodes. */
static struct node *no_node(struct parser *parser)
{
    fail_syntax(parser);
    return NULL;
}

static struct node *redundant(struct parser *parser)
{
    source_fail(parser->source, "The expression has redundant parentheses;");
    return NULL;
}

/* Whether one more level may be entered. What is deeper is refused by the service too: as having
 * redundant parentheses or too many operators. */
static bool enter(struct parser *parser)
{
    if (parser->depth < DEPTH_MOST) {
        parser->depth++;
        return true;
    }
    if (parser->now.kind == TOKEN_NOT)
        source_fail(parser->source,
                    "The expression contains too many operators; operator count: %d",
                    OPERATORS_MOST + 1);
    else
        redundant(parser);
    return false;
}

/* ---- nodes ---------------------------------------------------------------------------------- */

static struct node *node_new(struct parser *parser, enum node_kind kind)
{
    struct node *node = arena_zalloc(parser->arena, sizeof *node);

    node->kind = kind;
    if (kind > NODE_VALUE)
        parser->source->operators++;
    return node;
}

static void list_add(struct parser *parser, struct node_list *list, struct node *node)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity == 0 ? 4 : list->capacity * 2;
        struct node **nodes = arena_alloc(parser->arena, capacity * sizeof(struct node *));
        if (list->count > 0)
            memcpy(nodes, list->nodes, list->count * sizeof(struct node *));
        list->nodes = nodes;
        list->capacity = capacity;
    }
    list->nodes[list->count++] = node;
}

static struct node *node_of(struct parser *parser, enum node_kind kind, struct node *first,
                            struct node *second)
{
    struct node *node = node_new(parser, kind);

    node->count = second == NULL ? 1 : 2;
    node->operands = arena_alloc(parser->arena, node->count * sizeof(struct node *));
    node->operands[0] = first;
    if (second != NULL)
        node->operands[1] = second;
    return node;
}

static bool expect(struct parser *parser, int kind)
{
    if (parser->now.kind != kind)
        return fail_syntax(parser);
    step_on(parser);
    return true;
}

/* ---- operands ------------------------------------------------------------------------------- */

static struct node *parse_operand(struct parser *parser);

/* The digits of an index; above what an int holds it stays for check.c to refuse. */
static uint32_t index_of(struct bytes digits)
{
    uint64_t index = 0;

    for (size_t i = 0; i < digits.size && index <= INT32_MAX; i++)
        index = index * 10 + (uint64_t)(digits.data[i] - '0');
    return index <= INT32_MAX ? (uint32_t)index : UINT32_MAX;
}

static bool parse_step(struct parser *parser, struct step *out)
{
    bool index = parser->now.kind == '[';

    step_on(parser);
    *out = (struct step){.kind = index ? STEP_INDEX : STEP_NAME,
                         .alias = parser->now.kind == TOKEN_ALIAS,
                         .name = token_text(&parser->now)};
    if (!index) {
        if (parser->now.kind != TOKEN_WORD && parser->now.kind != TOKEN_ALIAS)
            return fail_syntax(parser);
        step_on(parser);
        return true;
    }
    if (parser->now.kind != TOKEN_DIGITS)
        return fail_syntax(parser);
    out->index = index_of(out->name);
    step_on(parser);
    return expect(parser, ']');
}

#define STEPS_FIRST 2

static void step_add(struct parser *parser, struct node *path, uint32_t *capacity,
                     const struct step *step)
{
    if (path->count == *capacity) {
        struct step *steps = arena_alloc(parser->arena, 2 * *capacity * sizeof *steps);
        memcpy(steps, path->steps, path->count * sizeof *steps);
        path->steps = steps;
        *capacity *= 2;
    }
    path->steps[path->count++] = *step;
}

static struct node *parse_path(struct parser *parser)
{
    struct step step = {.kind = STEP_NAME,
                        .alias = parser->now.kind == TOKEN_ALIAS,
                        .name = token_text(&parser->now)};
    uint32_t capacity = STEPS_FIRST;

    if (parser->now.kind != TOKEN_WORD && parser->now.kind != TOKEN_ALIAS)
        return no_node(parser);
    struct node *path = node_new(parser, NODE_PATH);
    path->steps = arena_alloc(parser->arena, capacity * sizeof step);
    step_add(parser, path, &capacity, &step);
    step_on(parser);
    while (parser->now.kind == '.' || parser->now.kind == '[') {
        if (!parse_step(parser, &step))
            return NULL;
        step_add(parser, path, &capacity, &step);
    }
    return path;
}

static struct node *parse_value(struct parser *parser)
{
    if (parser->now.kind != TOKEN_VALUE)
        return no_node(parser);
    struct node *node = node_new(parser, NODE_VALUE);
    node->text = token_text(&parser->now);
    step_on(parser);
    return node;
}

/* Operands between parentheses, the first of which is behind us. */
static bool parse_operands(struct parser *parser, struct node_list *out)
{
    for (;;) {
        struct node *operand = parse_operand(parser);
        if (operand == NULL)
            return false;
        list_add(parser, out, operand);
        if (parser->now.kind != ',')
            return expect(parser, ')');
        step_on(parser);
    }
}

static struct node *parse_call(struct parser *parser)
{
    struct node *call = node_new(parser, NODE_CALL);
    struct node_list operands = {0};

    call->text = token_text(&parser->now);
    call->function = function_named(call->text);
    step_on(parser);
    step_on(parser);
    if (!enter(parser) || !parse_operands(parser, &operands))
        return NULL;
    parser->depth--;
    call->operands = operands.nodes;
    call->count = operands.count;
    return call;
}

static bool call_follows(const struct parser *parser)
{
    const uint8_t *at = parser->now.end;

    if (parser->now.kind != TOKEN_WORD)
        return false;
    while (at < parser->end && character_of(*at) == CHARACTER_BLANK)
        at++;
    return at < parser->end && *at == '(';
}

/* What parentheses hold was read; two around one thing are refused at once, before a later syntax
 * error is seen. */
static struct node *close_parentheses(struct parser *parser, struct node *inner)
{
    if (inner == NULL || !expect(parser, ')'))
        return NULL;
    parser->depth--;
    if (inner->in_parentheses)
        return redundant(parser);
    inner->in_parentheses = true;
    return inner;
}

static struct node *parse_operand(struct parser *parser)
{
    if (parser->now.kind == TOKEN_VALUE)
        return parse_value(parser);
    if (parser->now.kind == '(') {
        if (!enter(parser))
            return NULL;
        step_on(parser);
        return close_parentheses(parser, parse_operand(parser));
    }
    if (call_follows(parser))
        return parse_call(parser);
    return parse_path(parser);
}

/* ---- conditions ----------------------------------------------------------------------------- */

/* `bare`: an operand may be all there is, if a closing parenthesis follows. */
static struct node *parse_or(struct parser *parser, bool bare);

static int comparison_of(int token)
{
    switch (token) {
    case '=':
        return NODE_EQ;
    case TOKEN_NE:
        return NODE_NE;
    case '<':
        return NODE_LT;
    case TOKEN_LE:
        return NODE_LE;
    case '>':
        return NODE_GT;
    case TOKEN_GE:
        return NODE_GE;
    }
    return -1;
}

static struct node *parse_between(struct parser *parser, struct node *first)
{
    struct node *node = node_new(parser, NODE_BETWEEN);

    node->count = 3;
    node->operands = arena_alloc(parser->arena, 3 * sizeof(struct node *));
    node->operands[0] = first;
    step_on(parser);
    if ((node->operands[1] = parse_operand(parser)) == NULL || !expect(parser, TOKEN_AND) ||
        (node->operands[2] = parse_operand(parser)) == NULL)
        return NULL;
    return node;
}

static struct node *parse_in(struct parser *parser, struct node *first)
{
    struct node *node = node_new(parser, NODE_IN);
    struct node_list operands = {0};

    list_add(parser, &operands, first);
    step_on(parser);
    if (!expect(parser, '(') || !parse_operands(parser, &operands))
        return NULL;
    node->operands = operands.nodes;
    node->count = operands.count;
    return node;
}

/* What follows an operand and makes a condition of it. */
static struct node *parse_comparison(struct parser *parser, struct node *first, bool bare)
{
    int kind = comparison_of(parser->now.kind);

    if (kind >= 0) {
        step_on(parser);
        struct node *second = parse_operand(parser);
        return second == NULL ? NULL : node_of(parser, (enum node_kind)kind, first, second);
    }
    if (parser->now.kind == TOKEN_BETWEEN)
        return parse_between(parser, first);
    if (parser->now.kind == TOKEN_IN)
        return parse_in(parser, first);
    if (first->kind == NODE_CALL || (bare && parser->now.kind == ')'))
        return first;
    return no_node(parser);
}

static struct node *parse_primary(struct parser *parser, bool bare)
{
    struct node *node;

    if (parser->now.kind != '(') {
        node = parse_operand(parser);
    } else {
        if (!enter(parser))
            return NULL;
        step_on(parser);
        node = close_parentheses(parser, parse_or(parser, true));
        if (node != NULL && node->kind > NODE_CALL)
            return node; /* a condition in parentheses */
    }
    return node == NULL ? NULL : parse_comparison(parser, node, bare);
}

static struct node *parse_not(struct parser *parser, bool bare)
{
    if (parser->now.kind != TOKEN_NOT)
        return parse_primary(parser, bare);
    if (!enter(parser))
        return NULL;
    step_on(parser);
    struct node *operand = parse_not(parser, false);
    parser->depth--;
    return operand == NULL ? NULL : node_of(parser, NODE_NOT, operand, NULL);
}

static struct node *parse_and(struct parser *parser, bool bare)
{
    struct node *node = parse_not(parser, bare);

    while (node != NULL && parser->now.kind == TOKEN_AND) {
        step_on(parser);
        struct node *second = parse_not(parser, false);
        node = second == NULL ? NULL : node_of(parser, NODE_AND, node, second);
    }
    return node;
}

static struct node *parse_or(struct parser *parser, bool bare)
{
    struct node *node = parse_and(parser, bare);

    while (node != NULL && parser->now.kind == TOKEN_OR) {
        step_on(parser);
        struct node *second = parse_and(parser, false);
        node = second == NULL ? NULL : node_of(parser, NODE_OR, node, second);
    }
    return node;
}

/* ---- updates -------------------------------------------------------------------------------- */

static void action_add(struct parser *parser, struct action_list *list, const struct action *action)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity == 0 ? 4 : list->capacity * 2;
        struct action *actions = arena_alloc(parser->arena, capacity * sizeof *actions);
        if (list->count > 0)
            memcpy(actions, list->actions, list->count * sizeof *actions);
        list->actions = actions;
        list->capacity = capacity;
    }
    list->actions[list->count++] = *action;
}

/* operand, operand + operand, operand - operand; all of it may stand in parentheses. */
static struct node *parse_sum(struct parser *parser)
{
    struct node *node;

    if (parser->now.kind != '(') {
        node = parse_operand(parser);
    } else {
        if (!enter(parser))
            return NULL;
        step_on(parser);
        node = close_parentheses(parser, parse_sum(parser));
    }
    if (node == NULL || node->kind > NODE_CALL ||
        (parser->now.kind != '+' && parser->now.kind != '-'))
        return node;
    enum node_kind kind = parser->now.kind == '+' ? NODE_PLUS : NODE_MINUS;
    step_on(parser);
    struct node *second = parse_operand(parser);
    return second == NULL ? NULL : node_of(parser, kind, node, second);
}

static bool parse_action(struct parser *parser, struct action *action)
{
    if ((action->path = parse_path(parser)) == NULL)
        return false;
    switch (action->kind) {
    case ACTION_SET:
        if (!expect(parser, '='))
            return false;
        action->operand = parse_sum(parser);
        return action->operand != NULL;
    case ACTION_REMOVE:
        action->operand = NULL;
        return true;
    default:
        action->operand = parse_value(parser);
        return action->operand != NULL;
    }
}

static bool parse_section(struct parser *parser, uint32_t section, struct action_list *out)
{
    struct action action = {.section = section};

    switch (parser->now.kind) {
    case TOKEN_SET:
        action.kind = ACTION_SET;
        break;
    case TOKEN_REMOVE:
        action.kind = ACTION_REMOVE;
        break;
    case TOKEN_ADD:
        action.kind = ACTION_ADD;
        break;
    case TOKEN_DELETE:
        action.kind = ACTION_DELETE;
        break;
    default:
        return fail_syntax(parser);
    }
    do {
        step_on(parser);
        if (!parse_action(parser, &action))
            return false;
        action_add(parser, out, &action);
    } while (parser->now.kind == ',');
    return true;
}

/* ---- whole texts ---------------------------------------------------------------------------- */

/* The size is told of a condition and a filter only (ExtendDB, tests/test_expression_size_limit.py;
 * PynamoDB, issue 979; dynamodb-conformance, validation-ordering/deepRequests). */
static bool fail_size(const struct source *source)
{
    if (strcmp(source->label, "ConditionExpression") != 0 &&
        strcmp(source->label, "FilterExpression") != 0)
        return source_fail(source, "Expression size has exceeded the maximum allowed size;");
    return source_fail(source,
                       "Expression size has exceeded the maximum allowed size; expression size: "
                       "%zu",
                       source->text.size);
}

/* Messages: dynalite, test/updateItem.js. */
static bool parser_init(struct parser *parser, struct source *source)
{
    struct bytes text = source->text;

    source->operators = 0;
    if (text.size == 0)
        return source_fail(source, "The expression can not be empty;");
    if (text.size > EXPRESSION_MOST)
        return fail_size(source);
    *parser = (struct parser){.source = source,
                              .arena = source->scope->arena,
                              .end = text.data + text.size,
                              .before = text.data};
    parser->now = token_at(text.data, parser->end);
    parser->before = parser->now.start;
    return true;
}

static bool parser_ended(struct parser *parser)
{
    return parser->now.kind == TOKEN_END || fail_syntax(parser);
}

struct node *parse_condition(struct source *source)
{
    struct parser parser;

    if (!parser_init(&parser, source))
        return NULL;
    struct node *node = parse_or(&parser, false);
    return node != NULL && parser_ended(&parser) ? node : NULL;
}

bool parse_projection(struct source *source, struct node_list *paths)
{
    struct parser parser;

    *paths = (struct node_list){0};
    if (!parser_init(&parser, source))
        return false;
    for (;; step_on(&parser)) {
        struct node *path = parse_path(&parser);
        if (path == NULL)
            return false;
        list_add(&parser, paths, path);
        if (parser.now.kind != ',')
            return parser_ended(&parser);
    }
}

bool parse_update(struct source *source, struct action_list *actions)
{
    struct parser parser;
    uint32_t section = 0;

    *actions = (struct action_list){0};
    if (!parser_init(&parser, source))
        return false;
    do {
        if (!parse_section(&parser, section++, actions))
            return false;
    } while (parser.now.kind != TOKEN_END);
    return true;
}
