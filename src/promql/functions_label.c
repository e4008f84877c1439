#include <string.h>

#include "base/sort.h"
#include "promql/functions.h"
#include "promql/regex.h"

typedef struct lz_promql_eval eval;
typedef struct lz_promql_call call;
typedef struct lz_promql_value value;

// Any text is a label's name since Prometheus 3, but none is not.
static bool check_name(eval *e, const call *c, uint32_t arg)
{
    if (c->args[arg].text[0] != '\0')
        return true;
    return lz_promql_blame(e->fault, c->node->args[arg], LZ_EINVAL, "a label's name, got \"\"");
}

static void relabel(eval *e, struct lz_promql_series *s, const char *name, const char *text)
{
    s->labels = lz_promql_labels_set(e->scratch, &s->labels, name, text);
    if (strcmp(name, LZ_PROMQL_NAME) == 0)
        s->drops_name = false; // it has been given one
}

// label_replace(v, to, template, from, regex)
static bool fn_replace(eval *e, const call *c, value *out)
{
    const struct lz_promql_regex *re = c->node->regex;
    if (!check_name(e, c, 1))
        return false;
    *out = c->args[0];
    for (uint32_t i = 0; i < out->count; i++) {
        struct lz_promql_groups_found found;
        const char *from = lz_promql_labels_get(&out->all[i].labels, c->args[3].text);
        if (!lz_promql_regex_groups(re, from, &found))
            continue;
        relabel(e, &out->all[i], c->args[1].text,
                lz_promql_regex_expand(e->scratch, re, c->args[2].text, from, &found));
    }
    return lz_promql_eval_unique(e, c->node, out);
}

static const char *joined(eval *e, const call *c, const struct lz_promql_labels *l)
{
    size_t len = 1;
    for (uint32_t i = 3; i < c->count; i++)
        len += strlen(lz_promql_labels_get(l, c->args[i].text)) + strlen(c->args[2].text);
    char *text = lz_promql_scratch_alloc(e->scratch, len), *at = text;
    for (uint32_t i = 3; i < c->count; i++) {
        const char *part[] = {i > 3 ? c->args[2].text : "",
                              lz_promql_labels_get(l, c->args[i].text)};
        for (int p = 0; p < 2; p++) {
            memcpy(at, part[p], strlen(part[p]));
            at += strlen(part[p]);
        }
    }
    return text;
}

// label_join(v, to, between, from...)
static bool fn_join(eval *e, const call *c, value *out)
{
    if (!check_name(e, c, 1))
        return false;
    *out = c->args[0];
    for (uint32_t i = 0; i < out->count; i++)
        relabel(e, &out->all[i], c->args[1].text, joined(e, c, &out->all[i].labels));
    return lz_promql_eval_unique(e, c->node, out);
}

// ---------------------------------------------------------------- sorting by labels

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits_of(const char **at)
{
    while (**at == '0' && is_digit((*at)[1]))
        (*at)++;
    return strspn(*at, "0123456789");
}

// Numbers in a text by their value: "m9" before "m10".
static int by_nature(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        if (is_digit(*a) && is_digit(*b)) {
            size_t la = digits_of(&a), lb = digits_of(&b);
            int d = la != lb ? (la < lb ? -1 : 1) : strncmp(a, b, la);
            if (d != 0)
                return d;
            a += la;
            b += lb;
        } else {
            if (*a != *b)
                return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
            a++;
            b++;
        }
    }
    return *a == *b ? 0 : *a == '\0' ? -1 : 1;
}

struct order {
    const call *call;
    int sign;
};

static int by_labels(const void *x, const void *y, void *ctx)
{
    const struct order *o = ctx;
    const struct lz_promql_labels *a = &((const struct lz_promql_series *)x)->labels;
    const struct lz_promql_labels *b = &((const struct lz_promql_series *)y)->labels;
    for (uint32_t i = 1; i < o->call->count; i++) {
        const char *name = o->call->args[i].text;
        int d = by_nature(lz_promql_labels_get(a, name), lz_promql_labels_get(b, name));
        if (d != 0)
            return o->sign * d;
    }
    return o->sign * lz_promql_labels_compare(a, b);
}

static bool sorted(const call *c, value *out, int sign)
{
    struct order o = {c, sign};
    *out = c->args[0];
    if (out->count > 0)
        lz_sort(out->all, out->count, sizeof(*out->all), by_labels, &o);
    return true;
}

static bool fn_sort(eval *e, const call *c, value *out)
{
    (void)e;
    return sorted(c, out, 1);
}

static bool fn_sort_desc(eval *e, const call *c, value *out)
{
    (void)e;
    return sorted(c, out, -1);
}

#define V LZ_PROMQL_VECTOR

static const struct lz_promql_function rows[] = {
    {"label_join", "vttt*", V, .whole = fn_join},
    {"label_replace", "vtttt", V, .pattern = 4, .whole = fn_replace},
    {"sort_by_label", "vt*", V, .whole = fn_sort},
    {"sort_by_label_desc", "vt*", V, .whole = fn_sort_desc},
};

struct lz_promql_rows lz_promql_rows_label(void)
{
    return (struct lz_promql_rows){rows, sizeof(rows) / sizeof(rows[0])};
}
