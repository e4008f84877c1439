#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "promql/ast.h"

enum lz_promql_type lz_promql_query_type(const struct lz_promql_query *q)
{
    return q->root->type;
}

const char *lz_promql_query_text(const struct lz_promql_query *q)
{
    return q->text;
}

// ---------------------------------------------------------------- selectors

static bool is_selector(const struct lz_promql_node *n)
{
    return n->kind == LZ_PROMQL_NODE_SELECTOR || n->kind == LZ_PROMQL_NODE_RANGE;
}

typedef bool visit_fn(void *ctx, const struct lz_promql_node *n);

// False as soon as `visit` says so.
static bool visit_selectors(const struct lz_promql_node *n, visit_fn *visit, void *ctx)
{
    if (is_selector(n) && !visit(ctx, n))
        return false;
    for (uint32_t i = 0; i < n->arg_count; i++)
        if (!visit_selectors(n->args[i], visit, ctx))
            return false;
    return true;
}

struct wanted {
    struct lz_promql_scratch *scratch;
    struct lz_promql_wanted *all;
    uint32_t count, cap;
};

static const char *name_of(const struct lz_promql_node *n)
{
    for (uint32_t i = 0; i < n->matcher_count; i++)
        if (strcmp(n->matchers[i].name, LZ_PROMQL_NAME) == 0 &&
            n->matchers[i].kind == LZ_PROMQL_MATCH_EQUAL)
            return n->matchers[i].value;
    return NULL;
}

static struct lz_promql_names needs_of(struct lz_promql_scratch *s, const struct lz_promql_node *n)
{
    const struct lz_promql_labels none = {0};
    const char **all = lz_promql_scratch_alloc(s, (n->matcher_count + 1) * sizeof(*all));
    uint32_t count = 0;
    for (uint32_t i = 0; i < n->matcher_count; i++) {
        const struct lz_promql_node alone = {.matchers = &n->matchers[i], .matcher_count = 1};
        if (!lz_promql_matchers_match(&alone, &none))
            all[count++] = n->matchers[i].name;
    }
    return (struct lz_promql_names){all, count};
}

static bool add_wanted(void *ctx, const struct lz_promql_node *n)
{
    struct wanted *w = ctx;
    w->all = lz_promql_scratch_grow(w->scratch, w->all, &w->cap, w->count + 1, sizeof(*w->all));
    w->all[w->count++] = (struct lz_promql_wanted){
        .name = name_of(n), .needs = needs_of(w->scratch, n), .at = n->at, .len = n->len};
    return true;
}

uint32_t lz_promql_query_wanted(const struct lz_promql_query *q, struct lz_promql_scratch *s,
                                const struct lz_promql_wanted **out)
{
    struct wanted w = {.scratch = s};
    visit_selectors(q->root, add_wanted, &w);
    *out = w.all;
    return w.count;
}

struct asked {
    const struct lz_promql_labels *labels;
};

static bool is_refused(void *ctx, const struct lz_promql_node *n)
{
    struct asked *a = ctx;
    return !lz_promql_matchers_match(n, a->labels);
}

bool lz_promql_query_wants(const struct lz_promql_query *q, const struct lz_promql_labels *labels)
{
    struct asked a = {labels};
    return !visit_selectors(q->root, is_refused, &a);
}

static bool is_of_another(void *ctx, const struct lz_promql_node *n)
{
    const struct lz_promql_label label = {LZ_PROMQL_NAME, ctx};
    const struct lz_promql_labels name = {&label, 1};
    for (uint32_t i = 0; i < n->matcher_count; i++) {
        const struct lz_promql_node alone = {.matchers = &n->matchers[i], .matcher_count = 1};
        if (strcmp(n->matchers[i].name, LZ_PROMQL_NAME) == 0 &&
            !lz_promql_matchers_match(&alone, &name))
            return true; // the next
    }
    return false;
}

bool lz_promql_query_takes(const struct lz_promql_query *q, const char *name)
{
    return !visit_selectors(q->root, is_of_another, (void *)(uintptr_t)name);
}

static struct lz_promql_reach reach_of(const struct lz_promql_node *n)
{
    int64_t own = n->kind == LZ_PROMQL_NODE_SELECTOR ? LZ_PROMQL_LOOKBACK_MS : n->range_ms;
    if (n->kind == LZ_PROMQL_NODE_RANGE && n->when.stretch != LZ_PROMQL_PLAIN)
        own += LZ_PROMQL_LOOKBACK_MS;
    struct lz_promql_reach out = {.back_ms = 0, .from_ms = INT64_MAX};
    for (uint32_t i = 0; i < n->arg_count; i++) {
        struct lz_promql_reach inner = reach_of(n->args[i]);
        out.back_ms = inner.back_ms > out.back_ms ? inner.back_ms : out.back_ms;
        out.from_ms = inner.from_ms < out.from_ms ? inner.from_ms : out.from_ms;
    }
    out.back_ms += own + (n->when.offset_ms > 0 ? n->when.offset_ms : 0);
    if (n->when.at == LZ_PROMQL_AT_TIME) { // from there, whenever it is evaluated
        int64_t from = n->when.at_ms - out.back_ms;
        out.from_ms = from < out.from_ms ? from : out.from_ms;
        out.back_ms = 0;
    }
    return out;
}

struct lz_promql_reach lz_promql_query_reach(const struct lz_promql_query *q)
{
    return reach_of(q->root);
}

// ---------------------------------------------------------------- what people read

void lz_promql_fault_show(struct lz_str *out, const char *text, const struct lz_promql_fault *fault)
{
    size_t begin = fault->at;
    LZ_ASSERT(begin <= strlen(text));
    while (begin > 0 && text[begin - 1] != '\n')
        begin--;
    size_t len = strcspn(text + begin, "\n");
    size_t before = fault->at - begin, under = fault->len;
    if (before + under > len)
        under = len > before ? len - before : 1;
    lz_str_addf(out, "  %.*s\n  ", (int)len, text + begin);
    for (size_t i = 0; i < before; i++)
        if (((unsigned char)text[begin + i] & 0xc0) != 0x80)
            lz_str_add_char(out, text[begin + i] == '\t' ? '\t' : ' ');
    lz_str_add_repeat(out, "^", under > 0 ? under : 1);
    lz_str_addf(out, " %s\n", fault->err.msg);
}

// The fewest digits that read back as the same.
static int shortest(double value, char digits[40])
{
    for (int precision = 0; precision < 17; precision++) {
        double back = 0.0;
        snprintf(digits, 40, "%.*e", precision, value);
        if (sscanf(digits, "%lf", &back) == 1 && back == value)
            break;
    }
    int exponent = 0;
    sscanf(strchr(digits, 'e') + 1, "%d", &exponent);
    return exponent;
}

const char *lz_promql_number(struct lz_promql_scratch *s, double value)
{
    if (__builtin_isnan(value))
        return "NaN";
    if (__builtin_isinf(value))
        return value > 0 ? "+Inf" : "-Inf";
    char digits[40], *out = lz_promql_scratch_alloc(s, 360), *at = out;
    int exponent = shortest(__builtin_fabs(value), digits), count = 0;
    for (char *c = digits; *c != 'e'; c++)
        if (*c != '.')
            digits[count++] = *c;
    if (value < 0 || (value == 0.0 && __builtin_signbit(value)))
        *at++ = '-';
    if (exponent < 0)
        *at++ = '0';
    for (int i = 0; i <= exponent; i++)
        *at++ = i < count ? digits[i] : '0';
    if (count > exponent + 1 && !(count == 1 && digits[0] == '0')) {
        *at++ = '.';
        for (int i = exponent + 1; i < 0; i++)
            *at++ = '0';
        for (int i = exponent < 0 ? 0 : exponent + 1; i < count; i++)
            *at++ = digits[i];
    }
    return out;
}
