#include "promql/doubt.h"

#include <string.h>

#include "base/check.h"
#include "promql/ast.h"
#include "promql/functions.h"

struct names {
    const char **all;
    uint32_t count, cap;
};

struct look {
    const struct lz_promql_known *known;
    struct lz_promql_scratch *s;
    struct lz_promql_doubt *all;
    uint32_t count, cap;
};

// The labels that an element may have; `is_any`: nobody knows.
struct may {
    struct names names;
    bool is_any;
};

static bool has(const struct names *n, const char *name)
{
    return lz_promql_names_have(&(struct lz_promql_names){n->all, n->count}, name);
}

static void add(struct look *l, struct names *n, const char *name)
{
    if (has(n, name))
        return;
    n->all = lz_promql_scratch_grow(l->s, n->all, &n->cap, n->count + 1, sizeof(*n->all));
    n->all[n->count++] = name;
}

static void doubt(struct look *l, struct lz_promql_doubt d, const struct names *others)
{
    d.others = (struct lz_promql_names){others->all, others->count};
    l->all = lz_promql_scratch_grow(l->s, l->all, &l->cap, l->count + 1, sizeof(*l->all));
    l->all[l->count++] = d;
}

// ---------------------------------------------------------------- selectors

static bool is_name(const struct lz_promql_matcher *m)
{
    return strcmp(m->name, LZ_PROMQL_NAME) == 0;
}

static bool matches(const struct lz_promql_matcher *m, const struct lz_promql_labels *labels)
{
    const struct lz_promql_node alone = {.matchers = m, .matcher_count = 1};
    return lz_promql_matchers_match(&alone, labels);
}

// By its name alone.
static bool takes(const struct lz_promql_node *n, const struct lz_promql_labels *labels)
{
    for (uint32_t i = 0; i < n->matcher_count; i++)
        if (is_name(&n->matchers[i]) && !matches(&n->matchers[i], labels))
            return false;
    return true;
}

static bool is_open(const struct look *l, const struct lz_promql_node *n)
{
    for (uint32_t i = 0; i < l->known->open.count; i++) {
        const struct lz_promql_label label = {LZ_PROMQL_NAME, l->known->open.all[i]};
        if (takes(n, &(struct lz_promql_labels){&label, 1}))
            return true;
    }
    return false;
}

// Names that are there, if it takes none of them.
static bool check_name(struct look *l, const struct lz_promql_node *n)
{
    struct names names = {0};
    for (uint32_t i = 0; i < l->known->count; i++) {
        if (takes(n, &l->known->series[i]))
            return true;
        add(l, &names, lz_promql_labels_get(&l->known->series[i], LZ_PROMQL_NAME));
    }
    doubt(l, (struct lz_promql_doubt){LZ_PROMQL_DOUBT_METRIC, n->at, n->len, NULL, NULL, {0}},
          &names);
    return false;
}

static bool check_matcher(struct look *l, const struct lz_promql_node *n,
                          const struct lz_promql_matcher *m)
{
    const struct lz_promql_labels none = {0};
    struct names values = {0};
    if (is_name(m) || matches(m, &none))
        return true;
    for (uint32_t i = 0; i < l->known->count; i++) {
        const struct lz_promql_labels *labels = &l->known->series[i];
        const char *value = lz_promql_labels_get(labels, m->name);
        if (!takes(n, labels))
            continue;
        if (matches(m, labels))
            return true;
        if (value[0] != '\0')
            add(l, &values, value);
    }
    doubt(l, (struct lz_promql_doubt){LZ_PROMQL_DOUBT_VALUE, n->at, n->len, m->name, m->value, {0}},
          &values);
    return false;
}

static void check_selector(struct look *l, const struct lz_promql_node *n)
{
    const struct names none = {0};
    if (is_open(l, n) || !check_name(l, n))
        return;
    bool ok = true;
    for (uint32_t i = 0; i < n->matcher_count; i++)
        ok = check_matcher(l, n, &n->matchers[i]) && ok;
    for (uint32_t i = 0; ok && i < l->known->count; i++)
        if (lz_promql_matchers_match(n, &l->known->series[i]))
            return;
    if (ok)
        doubt(l, (struct lz_promql_doubt){LZ_PROMQL_DOUBT_TOGETHER, n->at, n->len, NULL, NULL, {0}},
              &none);
}

// ---------------------------------------------------------------- what an element may have

static struct may of_selector(struct look *l, const struct lz_promql_node *n)
{
    struct may out = {.is_any = is_open(l, n)};
    for (uint32_t i = 0; i < l->known->count; i++) {
        const struct lz_promql_labels *labels = &l->known->series[i];
        for (uint32_t k = 0; takes(n, labels) && k < labels->count; k++)
            add(l, &out.names, labels->all[k].name);
    }
    out.is_any = out.is_any || out.names.count == 0; // that is another's doubt
    return out;
}

static void check_group(struct look *l, const struct lz_promql_node *n, const struct may *may,
                        const struct lz_promql_names *names)
{
    for (uint32_t i = 0; i < names->count && !may->is_any; i++)
        if (!has(&may->names, names->all[i]) && strcmp(names->all[i], LZ_PROMQL_NAME) != 0)
            doubt(l,
                  (struct lz_promql_doubt){
                      LZ_PROMQL_DOUBT_GROUP, n->at, n->len, names->all[i], NULL, {0}},
                  &may->names);
}

static void of_aggregate(struct look *l, const struct lz_promql_node *n, struct may *may)
{
    check_group(l, n, may, &n->by);
    struct may out = {.is_any = may->is_any && n->is_without};
    for (uint32_t i = 0; i < n->by.count && !n->is_without; i++)
        if (may->is_any || has(&may->names, n->by.all[i]))
            add(l, &out.names, n->by.all[i]);
    for (uint32_t i = 0; i < may->names.count && n->is_without; i++)
        if (!lz_promql_names_have(&n->by, may->names.all[i]))
            add(l, &out.names, may->names.all[i]);
    bool keeps =
        n->aggregate->value == NULL; // topk and such, or count_values: labels of more kinds
    if (!keeps)
        *may = out;
    else
        may->is_any = may->is_any || n->aggregate->param == 't';
}

// A label that a function writes may have any name that its text says.
static bool makes_labels(const struct lz_promql_node *n)
{
    const char *name = n->kind == LZ_PROMQL_NODE_CALL ? n->function->name : "";
    return strncmp(name, "label_", 6) == 0 || strncmp(name, "absent", 6) == 0;
}

static struct may look_at(struct look *l, const struct lz_promql_node *n, bool is_absent)
{
    struct may out = {0};
    if (n->kind == LZ_PROMQL_NODE_SELECTOR || n->kind == LZ_PROMQL_NODE_RANGE) {
        if (!is_absent)
            check_selector(l, n);
        return of_selector(l, n);
    }
    is_absent = is_absent ||
                (n->kind == LZ_PROMQL_NODE_CALL && strncmp(n->function->name, "absent", 6) == 0);
    for (uint32_t i = 0; i < n->arg_count; i++) {
        struct may one = look_at(l, n->args[i], is_absent);
        out.is_any = out.is_any || one.is_any;
        for (uint32_t k = 0; k < one.names.count; k++)
            add(l, &out.names, one.names.all[k]);
    }
    if (n->kind == LZ_PROMQL_NODE_AGGREGATE)
        of_aggregate(l, n, &out);
    if (n->kind == LZ_PROMQL_NODE_BINARY) {
        check_group(l, n, &out, &n->matching.names);
        check_group(l, n, &out, &n->matching.include);
    }
    out.is_any = out.is_any || makes_labels(n);
    return out;
}

uint32_t lz_promql_doubts(const struct lz_promql_query *q, const struct lz_promql_known *known,
                          struct lz_promql_scratch *s, const struct lz_promql_doubt **out)
{
    struct look l = {.known = known, .s = s};
    (void)look_at(&l, q->root, false);
    *out = l.all;
    return l.count;
}
