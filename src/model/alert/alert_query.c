#include "model/alert/alert_query.h"

#include <string.h>

#include "base/check.h"
#include "base/grow.h"

struct element {
    struct lz_alert_labels labels;
    uint32_t number; // the manager's
    struct lz_alert_rule rule;
    bool is_true;
};

struct lz_alert_query {
    struct lz_alert_query_opts opts;
    struct lz_alert_expr *expr;
    struct lz_alert_writer writer;
    struct element *all;
    uint32_t count, cap;
    bool has_failed;
    lz_time forgot_at; // what it could do without
};

struct lz_alert_query *lz_alert_query_create(const struct lz_alert_query_opts *opts,
                                             struct lz_err *err)
{
    struct lz_alert_query *q = lz_arena_alloc(opts->arena, sizeof(*q));
    q->opts = *opts;
    q->expr = lz_alert_expr_create(opts->store, opts->expr, err);
    return q->expr != NULL ? q : NULL;
}

struct lz_alert_expr *lz_alert_query_expr(const struct lz_alert_query *q)
{
    return q->expr;
}

// ---------------------------------------------------------------- elements

static void fail(struct lz_alert_query *q, const char *why)
{
    if (!q->has_failed)
        q->opts.failed(q->opts.ctx, why);
    q->has_failed = true;
}

// The element's labels, over them the rule's; for as long as the evaluation lasts.
static struct lz_alert_labels labels_of(struct lz_alert_query *q,
                                        const struct lz_promql_labels *element)
{
    const struct lz_alert_labels *own = q->opts.labels;
    struct lz_alert_label *all = lz_promql_scratch_alloc(
        lz_alert_store_scratch(q->opts.store), (own->count + element->count + 1) * sizeof(*all));
    uint32_t count = 0;
    for (uint32_t i = 0; i < own->count; i++)
        if (own->all[i].value[0] != '\0')
            all[count++] = own->all[i];
    for (uint32_t i = 0; i < element->count; i++) {
        const struct lz_promql_label *l = &element->all[i];
        bool is_own = strcmp(l->name, LZ_PROMQL_NAME) == 0;
        for (uint32_t k = 0; k < own->count; k++)
            is_own = is_own || strcmp(own->all[k].name, l->name) == 0;
        if (!is_own)
            all[count++] = (struct lz_alert_label){l->name, l->value};
    }
    return (struct lz_alert_labels){all, count};
}

static struct lz_alert_labels copied(struct lz_arena *arena, const struct lz_alert_labels *l)
{
    struct lz_alert_label *all = lz_arena_alloc(arena, (l->count + 1) * sizeof(*all));
    for (uint32_t i = 0; i < l->count; i++)
        all[i] = (struct lz_alert_label){lz_arena_strdup(arena, l->all[i].name),
                                         lz_arena_strdup(arena, l->all[i].value)};
    return (struct lz_alert_labels){all, l->count};
}

static struct element *element_of(struct lz_alert_query *q, const struct lz_alert_labels *labels)
{
    for (uint32_t i = 0; i < q->count; i++)
        if (lz_alert_labels_equal(&q->all[i].labels, labels))
            return &q->all[i];
    struct lz_err err;
    struct element e = {.labels = copied(q->opts.arena, labels)};
    lz_alert_rule_init(&e.rule);
    if (!lz_alert_manager_add(q->opts.manager, &e.labels, &e.number, &err)) {
        fail(q, err.msg);
        return NULL;
    }
    q->all = lz_grow(q->opts.arena, q->all, &q->cap, q->count + 1, sizeof(*q->all));
    q->all[q->count] = e;
    q->opts.added(q->opts.ctx, e.number);
    return &q->all[q->count++];
}

void lz_alert_query_settle(struct lz_alert_query *q)
{
    struct lz_err err;
    if (!lz_alert_expr_settle(q->expr, &err))
        fail(q, err.msg);
}

void lz_alert_query_start(struct lz_alert_query *q, lz_time interval)
{
    lz_alert_write_init(&q->writer, q->opts.store, interval, LZ_ALERT_WRITE_ALERTS,
                        LZ_ALERT_WRITE_STATE);
}

static void free_labels(struct lz_arena *arena, struct lz_alert_labels *l)
{
    for (uint32_t i = 0; i < l->count; i++) {
        char *name = (char *)(uintptr_t)l->all[i].name, *value = (char *)(uintptr_t)l->all[i].value;
        lz_arena_free(arena, name, strlen(name) + 1);
        lz_arena_free(arena, value, strlen(value) + 1);
    }
    lz_arena_free(arena, (void *)(uintptr_t)l->all, (l->count + 1) * sizeof(*l->all));
}

// Prometheus deletes an alert that is inactive and was not firing lately.
static void forget_old(struct lz_alert_query *q, lz_time now)
{
    uint32_t kept = 0;
    q->forgot_at = now;
    for (uint32_t i = 0; i < q->count; i++) {
        struct element *e = &q->all[i];
        bool is_old = e->rule.state == LZ_ALERT_INACTIVE && e->rule.resolved_at < 0;
        if (is_old && lz_alert_manager_forget(q->opts.manager, e->number, now))
            free_labels(q->opts.arena, &e->labels);
        else
            q->all[kept++] = *e;
    }
    q->count = kept;
}

// False: the evaluation says nothing.
static bool mark_true(struct lz_alert_query *q, const struct lz_promql_value *v)
{
    for (uint32_t i = 0; i < q->count; i++)
        q->all[i].is_true = false;
    for (uint32_t i = 0; i < v->count; i++) {
        struct lz_alert_labels labels = labels_of(q, &v->all[i].labels);
        struct element *e = element_of(q, &labels);
        if (e == NULL)
            continue;
        if (e->is_true) {
            fail(q, "two elements are the same alert once they have the rule's labels");
            return false;
        }
        e->is_true = true;
    }
    return true;
}

static void write_samples(struct lz_alert_query *q)
{
    struct lz_err err;
    bool ok = true;
    for (uint32_t i = 0; i < q->count && ok; i++)
        ok = lz_alert_write_alert(&q->writer, &q->all[i].labels, &q->all[i].rule, &err);
    if (!ok)
        fail(q, err.msg);
    lz_alert_write_done(&q->writer);
}

struct lz_alert_query_found lz_alert_query_evaluate(struct lz_alert_query *q,
                                                    const struct lz_alert_rule_opts *o,
                                                    const struct lz_alert_expr_when *when)
{
    struct lz_alert_query_found found = {0, 0};
    struct lz_promql_value v;
    struct lz_promql_fault fault;
    lz_time now = when->now;
    bool ok = lz_alert_expr_evaluate(q->expr, when, &v, &fault);
    if (!ok)
        fail(q, fault.err.msg);
    ok = ok && mark_true(q, &v);
    for (uint32_t i = 0; i < q->count; i++) {
        struct element *e = &q->all[i];
        struct lz_alert_sending sending;
        if (ok)
            (void)lz_alert_rule_evaluate(&e->rule, o, e->is_true, now);
        found.pending += e->rule.state == LZ_ALERT_PENDING;
        found.firing += e->rule.state == LZ_ALERT_FIRING;
        if (ok && lz_alert_rule_sends(&e->rule, o, now, &sending))
            lz_alert_manager_send(q->opts.manager, e->number, sending.starts_at, sending.ends_at,
                                  now);
    }
    if (ok)
        write_samples(q);
    if (now - q->forgot_at >= LZ_ALERT_TIDY)
        forget_old(q, now);
    return found;
}
