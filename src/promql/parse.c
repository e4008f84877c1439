#include "promql/parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "promql/functions.h"

typedef struct lz_promql_parser parser;
typedef lz_promql_made made;

// ---------------------------------------------------------------- words

made lz_promql_parse_refuse(parser *p, size_t at, size_t len, const char *fmt, ...)
{
    if (p->failed)
        return NULL;
    char text[200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    p->failed = true;
    p->fault->at = at;
    p->fault->len = len > 0 ? len : 1;
    lz_fail(&p->fault->err, LZ_EINVAL, "%s", text);
    return NULL;
}

made lz_promql_parse_expected(parser *p, const char *what)
{
    const struct lz_promql_token *t = &p->token;
    if (t->kind == LZ_PROMQL_TOKEN_END)
        return lz_promql_parse_refuse(p, t->at, 1, "expected %s, and here it ends", what);
    return lz_promql_parse_refuse(p, t->at, t->len, "expected %s, got `%.*s`", what,
                                  (int)(t->len < 40 ? t->len : 40), p->lexer.text + t->at);
}

bool lz_promql_parse_is(const parser *p, const char *sign)
{
    return p->token.kind == LZ_PROMQL_TOKEN_SIGN && strcmp(p->token.text, sign) == 0;
}

bool lz_promql_parse_is_word(const parser *p, const char *word)
{
    return p->token.kind == LZ_PROMQL_TOKEN_NAME && strcasecmp(p->token.text, word) == 0;
}

void lz_promql_parse_take(parser *p)
{
    p->done = p->token.at + p->token.len;
    p->token = p->next;
    if (p->failed || p->next.kind == LZ_PROMQL_TOKEN_END)
        return;
    if (!lz_promql_lex(&p->lexer, &p->next, p->fault)) {
        p->failed = true;
        p->next = (struct lz_promql_token){.kind = LZ_PROMQL_TOKEN_END, .text = ""};
    }
}

bool lz_promql_parse_accept(parser *p, const char *sign)
{
    if (!lz_promql_parse_is(p, sign))
        return false;
    lz_promql_parse_take(p);
    return true;
}

bool lz_promql_parse_need(parser *p, const char *sign, const char *what)
{
    if (lz_promql_parse_accept(p, sign))
        return !p->failed;
    return lz_promql_parse_expected(p, what) != NULL;
}

static bool next_is(const parser *p, const char *sign)
{
    return p->next.kind == LZ_PROMQL_TOKEN_SIGN && strcmp(p->next.text, sign) == 0;
}

made lz_promql_parse_node(parser *p, enum lz_promql_node_kind kind, enum lz_promql_type type,
                          size_t at)
{
    made n = lz_promql_scratch_alloc(p->lexer.scratch, sizeof(*n));
    n->kind = kind;
    n->type = type;
    n->at = at;
    n->len = p->done - at;
    return n;
}

bool lz_promql_parse_measure(parser *p, made n)
{
    for (uint32_t i = 0; i < n->arg_count; i++)
        if (n->args[i]->height >= n->height)
            n->height = n->args[i]->height + 1;
    return n->height <= LZ_PROMQL_HEIGHT_MAX ||
           lz_promql_parse_refuse(p, n->at, n->len,
                                  "more than %d calls, operators and brackets in "
                                  "each other",
                                  LZ_PROMQL_HEIGHT_MAX) != NULL;
}

static bool set_args(parser *p, made n, const struct lz_promql_node *a,
                     const struct lz_promql_node *b)
{
    n->args = lz_promql_scratch_alloc(p->lexer.scratch, 2 * sizeof(*n->args));
    n->args[0] = a;
    n->args[1] = b;
    n->arg_count = b != NULL ? 2 : 1;
    return lz_promql_parse_measure(p, n);
}

// ---------------------------------------------------------------- calls

static made parse_expr(parser *p, int least);

struct args {
    const struct lz_promql_node *all[LZ_PROMQL_NAMES_MAX];
    uint32_t count;
};

static bool parse_args(parser *p, struct args *args)
{
    args->count = 0;
    if (!lz_promql_parse_need(p, "(", "("))
        return false;
    while (!lz_promql_parse_is(p, ")")) {
        if (args->count == LZ_PROMQL_NAMES_MAX)
            return lz_promql_parse_refuse(p, p->token.at, p->token.len, "more than %d arguments",
                                          LZ_PROMQL_NAMES_MAX) != NULL;
        made arg = parse_expr(p, 0);
        if (arg == NULL)
            return false;
        args->all[args->count++] = arg;
        if (lz_promql_parse_is(p, ",") && next_is(p, ")"))
            return lz_promql_parse_refuse(p, p->token.at, 1, "a comma behind the last argument") !=
                   NULL;
        if (!lz_promql_parse_accept(p, ",") && !lz_promql_parse_is(p, ")"))
            return lz_promql_parse_expected(p, ", or )") != NULL;
    }
    return lz_promql_parse_need(p, ")", ")");
}

static enum lz_promql_type type_of(char letter)
{
    return letter == 's'   ? LZ_PROMQL_SCALAR
           : letter == 'v' ? LZ_PROMQL_VECTOR
           : letter == 'm' ? LZ_PROMQL_MATRIX
                           : LZ_PROMQL_STRING;
}

static bool check_arg(parser *p, const char *name, const struct lz_promql_node *arg, char letter)
{
    enum lz_promql_type want = type_of(letter);
    if (arg->type == want)
        return true;
    return lz_promql_parse_refuse(p, arg->at, arg->len, "%s needs %s %s here, got %s %s%s", name,
                                  want == LZ_PROMQL_VECTOR ? "an" : "a", lz_promql_type_name(want),
                                  arg->type == LZ_PROMQL_VECTOR ? "an" : "a",
                                  lz_promql_type_name(arg->type),
                                  want == LZ_PROMQL_MATRIX && arg->type == LZ_PROMQL_VECTOR
                                      ? ": say over which time, as in x[5m]"
                                      : "") != NULL;
}

static bool check_args(parser *p, const made n, const struct args *args)
{
    const struct lz_promql_function *f = n->function;
    const char *takes = f->takes;
    uint32_t least = 0, most = 0;
    bool optional = false, any = false;
    char letters[16];
    for (; *takes != '\0'; takes++) {
        if (*takes == '?') {
            optional = true;
        } else if (*takes == '*') {
            any = true;
        } else {
            letters[most++] = *takes;
            least += optional ? 0 : 1;
        }
    }
    least -= any && !optional ? 1 : 0;
    if (args->count < least || (args->count > most && !any))
        return lz_promql_parse_refuse(p, n->at, n->len, "%s takes %s%u argument%s, got %u", f->name,
                                      any            ? "at least "
                                      : least < most ? "up to "
                                                     : "",
                                      any ? least : most, (any ? least : most) == 1 ? "" : "s",
                                      args->count) != NULL;
    for (uint32_t i = 0; i < args->count; i++)
        if (!check_arg(p, f->name, args->all[i], letters[i < most ? i : most - 1]))
            return false;
    return true;
}

static void keep_args(parser *p, made n, const struct args *args)
{
    n->args = lz_promql_scratch_alloc(p->lexer.scratch, (args->count + 1) * sizeof(*n->args));
    if (args->count > 0)
        memcpy(n->args, args->all, args->count * sizeof(*n->args));
    n->arg_count = args->count;
    lz_promql_parse_measure(p, n);
}

static made unknown_function(parser *p)
{
    const char *name = p->token.text, *nearest = lz_promql_function_nearest(name);
    bool is_native = strncmp(name, "histogram_", 10) == 0 || strcmp(name, "info") == 0 ||
                     strcmp(name, "limit_ratio") == 0;
    return lz_promql_parse_refuse(
        p, p->token.at, p->token.len,
        is_native ? "%s is not supported: native histograms, info and limit_ratio are left out"
        : nearest != NULL ? "no function `%s`; the nearest is `%s`"
                          : "no function `%s`",
        name, nearest);
}

// Once, and not at each evaluation: it can only be a text.
static bool compile_pattern(parser *p, made n)
{
    const struct lz_promql_node *arg = lz_promql_node_bare(n->args[n->function->pattern]);
    struct lz_err err;
    return lz_promql_regex_compile(p->lexer.scratch, arg->text, &n->regex, NULL, &err) ||
           lz_promql_parse_refuse(p, arg->at, arg->len, "regular expression: %s", err.msg) != NULL;
}

static made parse_call(parser *p)
{
    size_t at = p->token.at;
    const struct lz_promql_function *f = lz_promql_function_find(p->token.text);
    if (f == NULL)
        return unknown_function(p);
    lz_promql_parse_take(p);
    struct args args;
    if (!parse_args(p, &args))
        return NULL;
    made n = lz_promql_parse_node(p, LZ_PROMQL_NODE_CALL, f->returns, at);
    n->function = f;
    if (!check_args(p, n, &args))
        return NULL;
    keep_args(p, n, &args);
    return f->pattern == 0 || compile_pattern(p, n) ? n : NULL;
}

// ( a, b, c ), also with a text in place of a name.
static bool parse_names(parser *p, struct lz_promql_names *out)
{
    const char **all =
        lz_promql_scratch_alloc(p->lexer.scratch, LZ_PROMQL_NAMES_MAX * sizeof(*all));
    uint32_t count = 0;
    if (!lz_promql_parse_need(p, "(", "( and labels"))
        return false;
    while (!lz_promql_parse_is(p, ")")) {
        bool is_name = p->token.kind == LZ_PROMQL_TOKEN_NAME && strchr(p->token.text, ':') == NULL;
        if (!is_name && p->token.kind != LZ_PROMQL_TOKEN_STRING)
            return lz_promql_parse_expected(p, "a label's name") != NULL;
        if (count == LZ_PROMQL_NAMES_MAX)
            return lz_promql_parse_refuse(p, p->token.at, p->token.len, "more than %d labels",
                                          LZ_PROMQL_NAMES_MAX) != NULL;
        all[count++] = p->token.text;
        lz_promql_parse_take(p);
        if (!lz_promql_parse_accept(p, ",") && !lz_promql_parse_is(p, ")"))
            return lz_promql_parse_expected(p, ", or )") != NULL;
    }
    *out = (struct lz_promql_names){all, count};
    return lz_promql_parse_need(p, ")", ")");
}

static bool is_grouping(const parser *p)
{
    return lz_promql_parse_is_word(p, "by") || lz_promql_parse_is_word(p, "without");
}

static bool parse_grouping(parser *p, made n)
{
    n->is_without = lz_promql_parse_is_word(p, "without");
    lz_promql_parse_take(p);
    return parse_names(p, &n->by);
}

static bool check_aggregate(parser *p, const made n, const struct args *args)
{
    char param = n->aggregate->param;
    const char *name = n->aggregate->name;
    uint32_t want = param != 0 ? 2 : 1;
    if (args->count != want)
        return lz_promql_parse_refuse(p, n->at, n->len, "%s takes %u argument%s, got %u", name,
                                      want, want == 1 ? "" : "s", args->count) != NULL;
    if (param != 0 && !check_arg(p, name, args->all[0], param))
        return false;
    return check_arg(p, name, args->all[want - 1], 'v');
}

// sum by (a) (x), or sum(x) by (a).
static made parse_aggregate(parser *p)
{
    size_t at = p->token.at;
    made n = lz_promql_parse_node(p, LZ_PROMQL_NODE_AGGREGATE, LZ_PROMQL_VECTOR, at);
    n->aggregate = lz_promql_aggregate_find(p->token.text);
    lz_promql_parse_take(p);
    bool is_first = is_grouping(p);
    struct args args;
    if ((is_first && !parse_grouping(p, n)) || !parse_args(p, &args))
        return NULL;
    if (!is_first && is_grouping(p) && !parse_grouping(p, n))
        return NULL;
    n->len = p->done - at;
    if (!check_aggregate(p, n, &args))
        return NULL;
    keep_args(p, n, &args);
    return n;
}

// ---------------------------------------------------------------- operands

static made parse_paren(parser *p)
{
    size_t at = p->token.at;
    lz_promql_parse_take(p);
    made inner = parse_expr(p, 0);
    if (inner == NULL || !lz_promql_parse_need(p, ")", "an operator or )"))
        return NULL;
    made n = lz_promql_parse_node(p, LZ_PROMQL_NODE_PAREN, inner->type, at);
    set_args(p, n, inner, NULL);
    return n;
}

static made parse_literal(parser *p)
{
    bool is_text = p->token.kind == LZ_PROMQL_TOKEN_STRING;
    double number = p->token.number;
    const char *text = p->token.text;
    if (p->token.kind == LZ_PROMQL_TOKEN_NAME)
        number = strcasecmp(text, "nan") == 0 ? (double)__builtin_nan("") : __builtin_inf();
    size_t at = p->token.at;
    lz_promql_parse_take(p);
    made n = lz_promql_parse_node(p, is_text ? LZ_PROMQL_NODE_STRING : LZ_PROMQL_NODE_NUMBER,
                                  is_text ? LZ_PROMQL_STRING : LZ_PROMQL_SCALAR, at);
    n->number = number;
    n->text = text;
    return n;
}

static bool next_groups(const parser *p)
{
    return p->next.kind == LZ_PROMQL_TOKEN_NAME &&
           (strcasecmp(p->next.text, "by") == 0 || strcasecmp(p->next.text, "without") == 0);
}

static made parse_operand(parser *p)
{
    enum lz_promql_token_kind kind = p->token.kind;
    if (lz_promql_parse_is(p, "("))
        return parse_paren(p);
    if (lz_promql_parse_is(p, "{"))
        return lz_promql_parse_selector(p);
    if (kind == LZ_PROMQL_TOKEN_NUMBER || kind == LZ_PROMQL_TOKEN_DURATION ||
        kind == LZ_PROMQL_TOKEN_STRING)
        return parse_literal(p);
    if (kind != LZ_PROMQL_TOKEN_NAME)
        return lz_promql_parse_expected(p, "a metric, a number or a function");
    bool is_called = next_is(p, "(");
    if (lz_promql_aggregate_find(p->token.text) != NULL && (is_called || next_groups(p)))
        return parse_aggregate(p);
    if (is_called)
        return parse_call(p);
    bool is_number = lz_promql_parse_is_word(p, "inf") || lz_promql_parse_is_word(p, "nan");
    return is_number && !next_is(p, "{") ? parse_literal(p) : lz_promql_parse_selector(p);
}

// ---------------------------------------------------------------- operators

struct operator_row {
    const char *word;
    enum lz_promql_binary op;
    int strength;
};

#define UNARY_STRENGTH 6 // a sign binds as * does: only ^ binds stronger
static const struct operator_row operators[] = {
    {"or", LZ_PROMQL_OR, 1}, {"and", LZ_PROMQL_AND, 2}, {"unless", LZ_PROMQL_UNLESS, 2},
    {"==", LZ_PROMQL_EQ, 3}, {"!=", LZ_PROMQL_NE, 3},   {"<", LZ_PROMQL_LT, 3},
    {">", LZ_PROMQL_GT, 3},  {"<=", LZ_PROMQL_LE, 3},   {">=", LZ_PROMQL_GE, 3},
    {"+", LZ_PROMQL_ADD, 4}, {"-", LZ_PROMQL_SUB, 4},   {"*", LZ_PROMQL_MUL, 5},
    {"/", LZ_PROMQL_DIV, 5}, {"%", LZ_PROMQL_MOD, 5},   {"atan2", LZ_PROMQL_ATAN2, 5},
    {"^", LZ_PROMQL_POW, 6},
};

static const struct operator_row *operator_here(const parser *p)
{
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
        if (p->token.kind == LZ_PROMQL_TOKEN_SIGN || p->token.kind == LZ_PROMQL_TOKEN_NAME)
            if (strcasecmp(p->token.text, operators[i].word) == 0)
                return &operators[i];
    return NULL;
}

// fill(0), fill_left(0), fill_right(0).
static bool parse_fill(parser *p, struct lz_promql_matching *m)
{
    bool left = !lz_promql_parse_is_word(p, "fill_right");
    bool right = !lz_promql_parse_is_word(p, "fill_left");
    lz_promql_parse_take(p);
    lz_promql_parse_take(p);
    double sign = lz_promql_parse_is(p, "-") ? -1.0 : 1.0;
    if (lz_promql_parse_is(p, "-") || lz_promql_parse_is(p, "+"))
        lz_promql_parse_take(p);
    bool is_word = lz_promql_parse_is_word(p, "inf") || lz_promql_parse_is_word(p, "nan");
    if (p->token.kind != LZ_PROMQL_TOKEN_NUMBER && !is_word)
        return lz_promql_parse_expected(p, "a number") != NULL;
    made n = parse_literal(p);
    if (left) {
        m->fills_left = true;
        m->left = sign * n->number;
    }
    if (right) {
        m->fills_right = true;
        m->right = sign * n->number;
    }
    return lz_promql_parse_need(p, ")", ")");
}

static bool is_fill(const parser *p)
{
    return next_is(p, "(") &&
           (lz_promql_parse_is_word(p, "fill") || lz_promql_parse_is_word(p, "fill_left") ||
            lz_promql_parse_is_word(p, "fill_right"));
}

static bool parse_group(parser *p, struct lz_promql_matching *m)
{
    bool left = lz_promql_parse_is_word(p, "group_left");
    if (!left && !lz_promql_parse_is_word(p, "group_right"))
        return true;
    m->card = left ? LZ_PROMQL_MANY_TO_ONE : LZ_PROMQL_ONE_TO_MANY;
    lz_promql_parse_take(p);
    return !lz_promql_parse_is(p, "(") || parse_names(p, &m->include);
}

// bool, on (a) or ignoring (a), group_left (b), fill (0): what stands behind an operator.
static bool parse_modifiers(parser *p, made n, bool *is_matched)
{
    if (lz_promql_parse_is_word(p, "bool")) {
        n->is_bool = true;
        lz_promql_parse_take(p);
    }
    bool on = lz_promql_parse_is_word(p, "on");
    *is_matched = (on || lz_promql_parse_is_word(p, "ignoring")) && next_is(p, "(");
    if (*is_matched) {
        n->matching.is_on = on;
        lz_promql_parse_take(p);
        if (!parse_names(p, &n->matching.names) || !parse_group(p, &n->matching))
            return false;
    }
    while (is_fill(p)) {
        *is_matched = true;
        if (!parse_fill(p, &n->matching))
            return false;
    }
    return !p->failed;
}

static bool is_comparison(enum lz_promql_binary op)
{
    return op >= LZ_PROMQL_EQ && op <= LZ_PROMQL_GE;
}

static const char *wrong_sides(const made n, bool is_matched)
{
    bool is_set = n->op >= LZ_PROMQL_AND;
    bool scalars = n->args[0]->type == LZ_PROMQL_SCALAR || n->args[1]->type == LZ_PROMQL_SCALAR;
    bool both = n->args[0]->type == LZ_PROMQL_SCALAR && n->args[1]->type == LZ_PROMQL_SCALAR;
    if (n->is_bool && !is_comparison(n->op))
        return "bool belongs to comparisons only";
    if (both && is_comparison(n->op) && !n->is_bool)
        return "a comparison of two scalars needs bool, as in 1 > bool 2";
    if (scalars && is_set)
        return "and, or and unless join instant vectors, not scalars";
    if (scalars && is_matched)
        return "on, ignoring and fill are about two instant vectors, and here is a scalar";
    if (is_set && n->matching.card != LZ_PROMQL_ONE_TO_ONE)
        return "and, or and unless know no group_left and group_right";
    if (is_set && (n->matching.fills_left || n->matching.fills_right))
        return "and, or and unless know no fill";
    for (uint32_t i = 0; i < n->matching.include.count; i++)
        if (n->matching.is_on &&
            lz_promql_names_have(&n->matching.names, n->matching.include.all[i]))
            return "a label cannot be in on (...) and in group_left (...) at once";
    return NULL;
}

static bool check_sides(parser *p, const made n, bool is_matched)
{
    for (uint32_t i = 0; i < 2; i++)
        if (n->args[i]->type != LZ_PROMQL_SCALAR && n->args[i]->type != LZ_PROMQL_VECTOR)
            return lz_promql_parse_refuse(
                       p, n->args[i]->at, n->args[i]->len,
                       "an operator takes scalars and instant vectors, got a %s%s",
                       lz_promql_type_name(n->args[i]->type),
                       n->args[i]->type == LZ_PROMQL_MATRIX ? ": rate(x[5m]) makes one of it"
                                                            : "") != NULL;
    const char *wrong = wrong_sides(n, is_matched);
    return wrong == NULL || lz_promql_parse_refuse(p, n->at, n->len, "%s", wrong) != NULL;
}

static made parse_sign(parser *p)
{
    size_t at = p->token.at;
    bool minus = lz_promql_parse_is(p, "-");
    lz_promql_parse_take(p);
    made inner = parse_expr(p, UNARY_STRENGTH);
    if (inner == NULL)
        return NULL;
    if (inner->type != LZ_PROMQL_SCALAR && inner->type != LZ_PROMQL_VECTOR)
        return lz_promql_parse_refuse(p, inner->at, inner->len,
                                      "a sign is for scalars and instant vectors, got a %s",
                                      lz_promql_type_name(inner->type));
    made n = lz_promql_parse_node(p, minus ? LZ_PROMQL_NODE_UNARY : LZ_PROMQL_NODE_PAREN,
                                  inner->type, at);
    set_args(p, n, inner, NULL);
    return n;
}

static made parse_right(parser *p, const struct operator_row *o, made left)
{
    lz_promql_parse_take(p);
    made n = lz_promql_parse_node(p, LZ_PROMQL_NODE_BINARY, LZ_PROMQL_VECTOR, left->at);
    n->op = o->op;
    bool is_matched = false;
    if (!parse_modifiers(p, n, &is_matched))
        return NULL;
    made right = parse_expr(p, o->op == LZ_PROMQL_POW ? o->strength : o->strength + 1);
    if (right == NULL)
        return NULL;
    set_args(p, n, left, right);
    n->len = p->done - n->at;
    if (left->type == LZ_PROMQL_SCALAR && right->type == LZ_PROMQL_SCALAR)
        n->type = LZ_PROMQL_SCALAR;
    return check_sides(p, n, is_matched) ? n : NULL;
}

// Operators that bind at least so strong.
static made parse_expr(parser *p, int least)
{
    if (p->failed)
        return NULL;
    if (++p->depth > LZ_PROMQL_DEPTH_MAX)
        return lz_promql_parse_refuse(p, p->token.at, p->token.len, "nested more than %d deep",
                                      LZ_PROMQL_DEPTH_MAX);
    bool is_signed = lz_promql_parse_is(p, "-") || lz_promql_parse_is(p, "+");
    made left = is_signed ? parse_sign(p) : lz_promql_parse_behind(p, parse_operand(p));
    const struct operator_row *o = NULL;
    uint32_t chained = 0;
    while (left != NULL && (o = operator_here(p)) != NULL && o->strength >= least) {
        // A row of operators is as deep a tree as so many brackets.
        if (++chained > 10 * LZ_PROMQL_DEPTH_MAX)
            return lz_promql_parse_refuse(p, p->token.at, p->token.len,
                                          "more than %d operators in a row",
                                          10 * LZ_PROMQL_DEPTH_MAX);
        left = parse_right(p, o, left);
    }
    p->depth--;
    return p->failed ? NULL : left;
}

// ---------------------------------------------------------------- all of it

bool lz_promql_parse(struct lz_promql_scratch *s, const char *text,
                     const struct lz_promql_query **out, struct lz_promql_fault *fault)
{
    *fault = (struct lz_promql_fault){0};
    size_t len = strlen(text);
    if (len > LZ_PROMQL_TEXT_MAX) {
        fault->len = 1;
        return lz_fail(&fault->err, LZ_EFULL, "an expression of %zu bytes, %d are allowed", len,
                       LZ_PROMQL_TEXT_MAX);
    }
    const char *copy = lz_promql_scratch_text(s, text, len);
    parser p = {.lexer = {.scratch = s, .text = copy}, .fault = fault};
    if (!lz_promql_lex(&p.lexer, &p.next, fault))
        return false;
    lz_promql_parse_take(&p); // the first word
    p.done = 0;
    made root = parse_expr(&p, 0);
    if (root != NULL && p.token.kind != LZ_PROMQL_TOKEN_END)
        root = lz_promql_parse_expected(&p, "an operator or the end");
    if (root == NULL) {
        LZ_ASSERT(fault->err.msg[0] != '\0');
        return false;
    }
    struct lz_promql_query *q = lz_promql_scratch_alloc(s, sizeof(*q));
    *q = (struct lz_promql_query){.text = copy, .root = root};
    *out = q;
    return true;
}
