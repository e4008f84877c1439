/* history_write_counts.c — counters, sets and ids, as JSON lines. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/sort.h"
#include "check/history/counted.h"
#include "check/history/history_write.h"
#include "model/history/recorder_txn.h"

struct one {
    const struct lz_recorder_op *op;
    const struct lz_counted_step *step; // of a transaction
};

struct event {
    uint64_t at;
    uint32_t one;
    bool is_end;
};

static int by_number(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct event *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (x->one > y->one) - (x->one < y->one);
}

struct writing {
    const struct lz_world *w;
    const struct lz_recorder *r;
    struct lz_history_naming *naming;
    enum lz_recorder_kind kind;
    struct lz_str *out;
};

static void add_head(const struct writing *g, uint32_t process, uint8_t outcome, bool is_end,
                     const char *f, uint64_t key)
{
    static const char *const types[] = {
        [LZ_RECORDER_OK] = "ok", [LZ_RECORDER_FAIL] = "fail", [LZ_RECORDER_UNKNOWN] = "info"};
    lz_str_addf(g->out, "{\"process\":%u,\"type\":\"%s\",\"f\":\"%s\",\"key\":",
                g->naming->process_first + process, is_end ? types[outcome] : "invoke", f);
    lz_history_write_key(g->out, g->naming, (int64_t)key);
    lz_str_add(g->out, ",\"value\":");
}

static void add_tail(const struct writing *g, lz_time at)
{
    lz_history_write_of(g->out, g->naming);
    lz_str_addf(g->out, ",\"time\":%" PRId64 "}\n", at);
}

// A counter that is not there is at 0, and a set without elements; a service's silence is nothing.
static void add_seen(const struct writing *g, const struct lz_recorder_op *op)
{
    bool is_told = op->value != 0 || op->has_version;
    if (op->f == LZ_RECORDER_MEMBERS && is_told)
        lz_history_write_list(g->out, g->w, op->value);
    else if (op->value == 0 && is_told)
        lz_str_add_char(g->out, '0');
    else
        lz_history_write_value(g->out, g->w, op->value);
}

static void add_op(const struct writing *g, const struct lz_recorder_op *op, bool is_end)
{
    bool is_ok = is_end && op->outcome == LZ_RECORDER_OK;
    bool is_id = g->kind == LZ_RECORDER_IDS;
    bool reads = op->f == LZ_RECORDER_MEMBERS || op->f == LZ_RECORDER_READ;
    uint8_t outcome = op->outcome;
    if (is_id && op->outcome == LZ_RECORDER_OK && op->value == 0)
        outcome = LZ_RECORDER_UNKNOWN;
    add_head(g, op->process, outcome, is_end, is_id ? "generate" : reads ? "read" : "add", op->key);
    if (is_id)
        lz_history_write_value(g->out, g->w, is_ok ? op->value : 0);
    else if (!reads)
        lz_history_write_value(g->out, g->w, op->added);
    else if (is_ok)
        add_seen(g, op);
    else
        lz_str_add(g->out, "null");
    if (g->kind == LZ_RECORDER_COUNTERS && is_ok && op->is_add && op->value != 0) {
        lz_str_add(g->out, ",\"sum\":");
        lz_history_write_value(g->out, g->w, op->value);
    }
    add_tail(g, is_end ? op->done : op->at);
}

// A step of a transaction: each is an operation of all of its time, by a process of its own.
static void add_step(const struct writing *g, const struct one *one, uint32_t process, bool is_end)
{
    const struct lz_counted_step *s = one->step;
    const struct lz_recorder_txn *t = &g->r->txns[s->txn];
    add_head(g, process, t->outcome, is_end, s->is_read ? "read" : "add", s->key);
    if (!s->is_read)
        lz_history_write_value(g->out, g->w, s->value);
    else if (is_end)
        lz_history_write_list(g->out, g->w, s->value);
    else
        lz_str_add(g->out, "null");
    add_tail(g, is_end ? t->done : t->at);
}

void lz_history_write_counts(const struct lz_world *w, const struct lz_recorder *r,
                             enum lz_recorder_kind kind, struct lz_history_naming *naming,
                             struct lz_str *out)
{
    const struct writing g = {.w = w, .r = r, .naming = naming, .kind = kind, .out = out};
    const struct lz_recorder_op **ops = lz_mem_alloc((r->count + 1) * sizeof(*ops));
    size_t cap = (size_t)r->count + r->step_count + 1;
    struct one *all = lz_mem_alloc(cap * sizeof(*all));
    struct event *events = lz_mem_alloc(2 * cap * sizeof(*events));
    uint32_t op_count = lz_counted_ops(r, kind, ops), count = op_count, n = 0;
    for (uint32_t i = 0; i < op_count; i++)
        all[i] = (struct one){.op = ops[i]};
    struct lz_counted_step *steps = lz_mem_alloc(cap * sizeof(*steps));
    uint32_t step_count = kind == LZ_RECORDER_SETS ? lz_counted_steps(r, steps) : 0;
    for (uint32_t i = 0; i < step_count; i++)
        all[count++] = (struct one){.step = &steps[i]};
    for (uint32_t i = 0; i < count; i++) {
        const struct lz_recorder_txn *t = all[i].op == NULL ? &r->txns[all[i].step->txn] : NULL;
        uint64_t end = t != NULL ? t->end : all[i].op->end;
        events[n++] = (struct event){t != NULL ? t->begin : all[i].op->begin, i, false};
        if (end != 0)
            events[n++] = (struct event){end, i, true};
    }
    lz_sort(events, n, sizeof(*events), by_number, NULL);
    for (uint32_t i = 0; i < n; i++) {
        const struct one *one = &all[events[i].one];
        if (one->op != NULL)
            add_op(&g, one->op, events[i].is_end);
        else
            add_step(&g, one, r->processes + events[i].one, events[i].is_end);
    }
    naming->process_first += r->processes + count;
    free(events);
    free(steps);
    free(all);
    free(ops);
}
