#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/math.h"
#include "promql/parse.h"

typedef struct lz_promql_parser parser;
typedef lz_promql_made made;

#define MS_MAX 9.0e15 // of a time or a range: far from the ends of int64_t, in exact steps of 1 ms

// ---------------------------------------------------------------- name{a="b"}

struct matchers {
    struct lz_promql_matcher all[LZ_PROMQL_NAMES_MAX];
    uint32_t count;
};

static struct lz_promql_matcher *add(parser *p, struct matchers *ms)
{
    if (ms->count < LZ_PROMQL_NAMES_MAX)
        return &ms->all[ms->count++];
    lz_promql_parse_refuse(p, p->token.at, p->token.len, "more than %d matchers",
                           LZ_PROMQL_NAMES_MAX);
    return NULL;
}

static bool add_name(parser *p, struct matchers *ms)
{
    for (uint32_t i = 0; i < ms->count; i++)
        if (strcmp(ms->all[i].name, LZ_PROMQL_NAME) == 0 &&
            ms->all[i].kind == LZ_PROMQL_MATCH_EQUAL)
            return lz_promql_parse_refuse(p, p->token.at, p->token.len,
                                          "the metric has a name already: %s",
                                          ms->all[i].value) != NULL;
    struct lz_promql_matcher *m = add(p, ms);
    if (m == NULL)
        return false;
    *m = (struct lz_promql_matcher){
        .name = LZ_PROMQL_NAME, .value = p->token.text, .kind = LZ_PROMQL_MATCH_EQUAL};
    lz_promql_parse_take(p);
    return true;
}

static enum lz_promql_match match_here(const parser *p)
{
    return lz_promql_parse_is(p, "=")    ? LZ_PROMQL_MATCH_EQUAL
           : lz_promql_parse_is(p, "!=") ? LZ_PROMQL_MATCH_NOT_EQUAL
           : lz_promql_parse_is(p, "=~") ? LZ_PROMQL_MATCH_REGEX
           : lz_promql_parse_is(p, "!~") ? LZ_PROMQL_MATCH_NOT_REGEX
                                         : 0;
}

static bool parse_value(parser *p, struct lz_promql_matcher *m)
{
    if (p->token.kind != LZ_PROMQL_TOKEN_STRING)
        return lz_promql_parse_expected(p, "a text in quotes") != NULL;
    m->value = p->token.text;
    size_t where = 0;
    struct lz_err err;
    bool is_regex = m->kind == LZ_PROMQL_MATCH_REGEX || m->kind == LZ_PROMQL_MATCH_NOT_REGEX;
    if (is_regex && !lz_promql_regex_compile(p->lexer.scratch, m->value, &m->regex, &where, &err)) {
        // Where there are no escapes, the byte of the pattern is that of the text.
        bool is_plain = p->token.len == strlen(m->value) + 2;
        return lz_promql_parse_refuse(p, is_plain ? p->token.at + 1 + where : p->token.at,
                                      is_plain ? 1 : p->token.len, "regular expression: %s",
                                      err.msg) != NULL;
    }
    lz_promql_parse_take(p);
    return true;
}

static bool parse_matcher(parser *p, struct matchers *ms)
{
    bool is_text = p->token.kind == LZ_PROMQL_TOKEN_STRING;
    bool has_sign = p->next.kind == LZ_PROMQL_TOKEN_SIGN && strchr("=!", p->next.text[0]) != NULL;
    if (is_text && !has_sign)
        return add_name(p, ms);
    if (!is_text && (p->token.kind != LZ_PROMQL_TOKEN_NAME || strchr(p->token.text, ':') != NULL))
        return lz_promql_parse_expected(p, "a label's name or }") != NULL;
    struct lz_promql_matcher *m = add(p, ms);
    if (m == NULL)
        return false;
    m->name = p->token.text;
    lz_promql_parse_take(p);
    m->kind = match_here(p);
    if (m->kind == 0)
        return lz_promql_parse_expected(p, "=, !=, =~ or !~") != NULL;
    lz_promql_parse_take(p);
    return parse_value(p, m);
}

static bool parse_matchers(parser *p, struct matchers *ms)
{
    lz_promql_parse_take(p);
    while (!lz_promql_parse_is(p, "}")) {
        if (p->failed || !parse_matcher(p, ms))
            return false;
        if (!lz_promql_parse_accept(p, ",") && !lz_promql_parse_is(p, "}"))
            return lz_promql_parse_expected(p, ", or }") != NULL;
    }
    return lz_promql_parse_need(p, "}", "}");
}

// As it is with no label at all, a selector must not be true: it would select everything.
static bool matches_nothing(const struct lz_promql_matcher *m)
{
    bool is_regex = m->kind == LZ_PROMQL_MATCH_REGEX || m->kind == LZ_PROMQL_MATCH_NOT_REGEX;
    bool same = is_regex ? lz_promql_regex_matches(m->regex, "") : m->value[0] == '\0';
    return same == (m->kind == LZ_PROMQL_MATCH_EQUAL || m->kind == LZ_PROMQL_MATCH_REGEX);
}

made lz_promql_parse_selector(parser *p)
{
    size_t at = p->token.at;
    struct matchers ms = {.count = 0};
    bool is_named = !lz_promql_parse_is(p, "{");
    if (is_named && !add_name(p, &ms))
        return NULL;
    if (lz_promql_parse_is(p, "{") && !parse_matchers(p, &ms))
        return NULL;
    made n = lz_promql_parse_node(p, LZ_PROMQL_NODE_SELECTOR, LZ_PROMQL_VECTOR, at);
    uint32_t empty = 0;
    for (uint32_t i = 0; i < ms.count; i++) {
        empty += matches_nothing(&ms.all[i]);
        if (is_named && i > 0 && strcmp(ms.all[i].name, LZ_PROMQL_NAME) == 0)
            return lz_promql_parse_refuse(p, n->at, n->len, "the metric has a name already: %s",
                                          ms.all[0].value);
    }
    if (empty == ms.count)
        return lz_promql_parse_refuse(p, n->at, n->len,
                                      "a selector needs a name or a matcher that something "
                                      "without labels does not match");
    struct lz_promql_matcher *all =
        lz_promql_scratch_alloc(p->lexer.scratch, ms.count * sizeof(*all));
    memcpy(all, ms.all, ms.count * sizeof(*all));
    n->matchers = all;
    n->matcher_count = ms.count;
    return n;
}

// ---------------------------------------------------------------- durations, and sums of them

static bool parse_sum(parser *p, int least, double *out);

static bool parse_min_max(parser *p, double *out)
{
    bool is_min = lz_promql_parse_is_word(p, "min");
    double other = 0.0;
    lz_promql_parse_take(p);
    if (!lz_promql_parse_need(p, "(", "(") || !parse_sum(p, 0, out) ||
        !lz_promql_parse_need(p, ",", ",") || !parse_sum(p, 0, &other))
        return false;
    if (is_min ? other < *out : other > *out)
        *out = other;
    return lz_promql_parse_need(p, ")", ")");
}

// A number, a duration, (...), min(a, b), max(a, b), step(), range(), with a sign or without.
static bool parse_part(parser *p, double *out)
{
    if (++p->depth > LZ_PROMQL_DEPTH_MAX)
        return lz_promql_parse_refuse(p, p->token.at, p->token.len, "nested more than %d deep",
                                      LZ_PROMQL_DEPTH_MAX) != NULL;
    bool ok = true;
    if (p->token.kind == LZ_PROMQL_TOKEN_NUMBER || p->token.kind == LZ_PROMQL_TOKEN_DURATION) {
        *out = p->token.number;
        lz_promql_parse_take(p);
    } else if (lz_promql_parse_accept(p, "-")) {
        ok = parse_part(p, out);
        *out = -*out;
    } else if (lz_promql_parse_accept(p, "+")) {
        ok = parse_part(p, out);
    } else if (lz_promql_parse_accept(p, "(")) {
        ok = parse_sum(p, 0, out) && lz_promql_parse_need(p, ")", ")");
    } else if (lz_promql_parse_is_word(p, "min") || lz_promql_parse_is_word(p, "max")) {
        ok = parse_min_max(p, out);
    } else if (lz_promql_parse_is_word(p, "step") || lz_promql_parse_is_word(p, "range")) {
        *out = 0.0; // of an evaluation at one instant
        lz_promql_parse_take(p);
        ok = lz_promql_parse_need(p, "(", "(") && lz_promql_parse_need(p, ")", ")");
    } else {
        ok = lz_promql_parse_expected(p, "a duration such as 5m") != NULL;
    }
    p->depth--;
    return ok && !p->failed;
}

static int strength_here(const parser *p)
{
    return lz_promql_parse_is(p, "^")                                 ? 3
           : lz_promql_parse_is(p, "*") || lz_promql_parse_is(p, "/") ? 2
           : lz_promql_parse_is(p, "%")                               ? 2
           : lz_promql_parse_is(p, "+") || lz_promql_parse_is(p, "-") ? 1
                                                                      : 0;
}

static double combine(char sign, double a, double b)
{
    return sign == '^'   ? lz_math_pow(a, b)
           : sign == '*' ? a * b
           : sign == '/' ? a / b
           : sign == '%' ? fmod(a, b)
           : sign == '+' ? a + b
                         : a - b;
}

static bool parse_sum(parser *p, int least, double *out)
{
    if (!parse_part(p, out))
        return false;
    int strength = 0;
    while ((strength = strength_here(p)) > 0 && strength >= least) {
        char sign = p->token.text[0];
        double right = 0.0;
        lz_promql_parse_take(p);
        if (!parse_sum(p, sign == '^' ? strength : strength + 1, &right))
            return false;
        *out = combine(sign, *out, right);
    }
    return true;
}

static bool to_ms(parser *p, size_t at, double seconds, int64_t *out)
{
    double ms = seconds * 1000.0;
    if (!(fabs(ms) <= MS_MAX))
        return lz_promql_parse_refuse(p, at, p->done - at, "a time too large, or none") != NULL;
    *out = (int64_t)(ms < 0.0 ? ms - 0.5 : ms + 0.5);
    return true;
}

static bool parse_above_zero(parser *p, const char *what, int64_t *out)
{
    size_t at = p->token.at;
    double seconds = 0.0;
    if (!parse_sum(p, 0, &seconds) || !to_ms(p, at, seconds, out))
        return false;
    if (*out > 0)
        return true;
    return lz_promql_parse_refuse(p, at, p->done - at, "%s must be above 0", what) != NULL;
}

// ---------------------------------------------------------------- [5m], [1h:1m], offset, @

static made to_range(parser *p, made n, int64_t range)
{
    if (n->kind != LZ_PROMQL_NODE_SELECTOR)
        return lz_promql_parse_refuse(p, n->at, p->done - n->at,
                                      "a range is of a selector; of anything else it is a "
                                      "subquery, as in (x + y)[1h:1m]");
    if (n->when.has_offset || n->when.at != LZ_PROMQL_AT_NONE)
        return lz_promql_parse_refuse(p, n->at, p->done - n->at,
                                      "offset and @ stand behind the range");
    n->kind = LZ_PROMQL_NODE_RANGE;
    n->type = LZ_PROMQL_MATRIX;
    n->range_ms = range;
    n->len = p->done - n->at;
    return n;
}

static made parse_range(parser *p, made n)
{
    int64_t range = 0, step = 0;
    lz_promql_parse_take(p);
    if (!parse_above_zero(p, "a range", &range))
        return NULL;
    if (!lz_promql_parse_accept(p, ":"))
        return lz_promql_parse_need(p, "]", "] or :") ? to_range(p, n, range) : NULL;
    if (!lz_promql_parse_is(p, "]") && !parse_above_zero(p, "a step", &step))
        return NULL;
    if (!lz_promql_parse_need(p, "]", "]"))
        return NULL;
    if (n->type != LZ_PROMQL_VECTOR)
        return lz_promql_parse_refuse(p, n->at, n->len,
                                      "a subquery is of an instant vector, got a %s",
                                      lz_promql_type_name(n->type));
    made s = lz_promql_parse_node(p, LZ_PROMQL_NODE_SUBQUERY, LZ_PROMQL_MATRIX, n->at);
    s->range_ms = range;
    s->step_ms = step;
    s->args = lz_promql_scratch_alloc(p->lexer.scratch, sizeof(*s->args));
    s->args[0] = n;
    s->arg_count = 1;
    lz_promql_parse_measure(p, s);
    return s;
}

static bool is_anchor(const made n)
{
    return n->kind == LZ_PROMQL_NODE_SELECTOR || n->kind == LZ_PROMQL_NODE_RANGE ||
           n->kind == LZ_PROMQL_NODE_SUBQUERY;
}

static made parse_offset(parser *p, made n)
{
    double seconds = 0.0;
    lz_promql_parse_take(p);
    size_t at = p->token.at;
    if (!is_anchor(n) || n->when.has_offset)
        return lz_promql_parse_refuse(p, n->at, n->len,
                                      n->when.has_offset
                                          ? "two offsets; one is allowed"
                                          : "offset is for a selector, a range or a subquery");
    if (!parse_part(p, &seconds) || !to_ms(p, at, seconds, &n->when.offset_ms))
        return NULL;
    n->when.has_offset = true;
    n->len = p->done - n->at;
    return n;
}

static made parse_at(parser *p, made n)
{
    lz_promql_parse_take(p);
    size_t at = p->token.at;
    if (!is_anchor(n) || n->when.at != LZ_PROMQL_AT_NONE)
        return lz_promql_parse_refuse(p, n->at, n->len,
                                      n->when.at != LZ_PROMQL_AT_NONE
                                          ? "two times behind @; one is allowed"
                                          : "@ is for a selector, a range or a subquery");
    double seconds = 0.0;
    if (lz_promql_parse_is_word(p, "start") || lz_promql_parse_is_word(p, "end")) {
        n->when.at = LZ_PROMQL_AT_NOW; // of an evaluation at one instant both are it
        lz_promql_parse_take(p);
        if (!lz_promql_parse_need(p, "(", "(") || !lz_promql_parse_need(p, ")", ")"))
            return NULL;
    } else {
        n->when.at = LZ_PROMQL_AT_TIME;
        double sign = lz_promql_parse_accept(p, "-") ? -1.0 : 1.0;
        lz_promql_parse_accept(p, "+");
        if (p->token.kind != LZ_PROMQL_TOKEN_NUMBER && p->token.kind != LZ_PROMQL_TOKEN_DURATION)
            return lz_promql_parse_expected(p, "a time in seconds, start() or end()");
        seconds = sign * p->token.number;
        lz_promql_parse_take(p);
        if (!to_ms(p, at, seconds, &n->when.at_ms))
            return NULL;
    }
    n->len = p->done - n->at;
    return n;
}

static made parse_stretch(parser *p, made n)
{
    enum lz_promql_stretch stretch =
        lz_promql_parse_is_word(p, "anchored") ? LZ_PROMQL_ANCHORED : LZ_PROMQL_SMOOTHED;
    lz_promql_parse_take(p);
    bool fits = n->kind == LZ_PROMQL_NODE_RANGE ||
                (n->kind == LZ_PROMQL_NODE_SELECTOR && stretch == LZ_PROMQL_SMOOTHED);
    if (!fits || n->when.stretch != LZ_PROMQL_PLAIN)
        return lz_promql_parse_refuse(p, n->at, p->done - n->at,
                                      "anchored stands once behind a range, smoothed behind a "
                                      "range or a selector");
    n->when.stretch = stretch;
    n->len = p->done - n->at;
    return n;
}

made lz_promql_parse_behind(parser *p, made n)
{
    while (n != NULL && !p->failed) {
        if (lz_promql_parse_is(p, "["))
            n = parse_range(p, n);
        else if (lz_promql_parse_is_word(p, "offset"))
            n = parse_offset(p, n);
        else if (lz_promql_parse_is(p, "@"))
            n = parse_at(p, n);
        else if (lz_promql_parse_is_word(p, "anchored") || lz_promql_parse_is_word(p, "smoothed"))
            n = parse_stretch(p, n);
        else
            return n;
    }
    return p->failed ? NULL : n;
}
