#include "check/history/units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"
#include "check/history/judge.h"

lz_atom lz_units_value(struct lz_history *h, const struct lz_world *w, lz_value v)
{
    size_t len;
    switch (lz_value_kind(v)) {
    case LZ_VALUE_NOTHING:
        return 0;
    case LZ_VALUE_INTEGER:
        return lz_history_integer(h, lz_value_to_integer(v));
    case LZ_VALUE_TEXT:
        return lz_history_text(h, lz_value_to_text(w, v, &len));
    case LZ_VALUE_BOOLEAN:
        return lz_history_text(h, lz_value_to_boolean(v) ? "true" : "false");
    }
    return 0;
}

lz_atom lz_units_key(struct lz_history *h, const struct lz_world *w, const struct lz_recorder *r,
                     uint64_t key)
{
    return r->has_names ? lz_units_value(h, w, key) : lz_history_integer(h, (int64_t)key);
}

// ---- what SQL leaves unsaid

static int by_key_then_version(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_recorder_step *const *x = a, *const *y = b;
    if ((*x)->key != (*y)->key)
        return (*x)->key < (*y)->key ? -1 : 1;
    if ((*x)->version != (*y)->version)
        return (*x)->version < (*y)->version ? -1 : 1;
    return ((*x)->f == LZ_RECORDER_STEP_READ) - ((*y)->f == LZ_RECORDER_STEP_READ);
}

static void append_initial(struct lz_recorder *out, uint64_t key, lz_value value)
{
    struct lz_recorder_txn *t = &out->txns[0];
    out->steps[out->step_count++] = (struct lz_recorder_step){.key = key,
                                                              .value = value,
                                                              .has_version = true,
                                                              .is_heard = true,
                                                              .f = LZ_RECORDER_STEP_WRITE};
    if (t->last != 0)
        out->steps[t->last - 1].next = out->step_count;
    else
        t->first = out->step_count;
    t->last = out->step_count;
}

// One key's steps in order: whoever saw all up to a commit saw the last write up to there.
static void settle_key(struct lz_recorder *out, struct lz_recorder_step *const *all, uint32_t count)
{
    uint64_t last = 0;
    bool has_initial = false;
    for (uint32_t i = 0; i < count; i++) {
        struct lz_recorder_step *s = all[i];
        if (s->f != LZ_RECORDER_STEP_READ) {
            last = s->has_version ? s->version : last;
            continue;
        }
        if (!s->is_upto || !s->has_version)
            continue;
        s->version = last;
        if (last == 0 && s->value != 0 && !has_initial) {
            append_initial(out, s->key, s->value);
            has_initial = true;
        }
    }
}

void lz_units_complete(const struct lz_recorder *r, struct lz_recorder *out)
{
    struct lz_recorder_step **sorted = lz_mem_alloc((r->step_count + 1) * sizeof(*sorted));
    *out = *r;
    out->txns = lz_mem_alloc(((size_t)r->txn_count + 1) * sizeof(*out->txns));
    out->steps = lz_mem_alloc((2 * (size_t)r->step_count + 1) * sizeof(*out->steps));
    out->txns[0] = (struct lz_recorder_txn){.begin = 1,
                                            .end = LZ_RECORDER_FIRST,
                                            .process = out->processes++,
                                            .outcome = LZ_RECORDER_OK,
                                            .is_committed = true,
                                            .is_initial = true};
    if (r->txn_count > 0)
        memcpy(out->txns + 1, r->txns, r->txn_count * sizeof(*out->txns));
    if (r->step_count > 0)
        memcpy(out->steps, r->steps, r->step_count * sizeof(*out->steps));
    out->txn_count++;
    for (uint32_t i = 0; i < r->step_count; i++) {
        sorted[i] = &out->steps[i];
        if (r->is_rewound && sorted[i]->is_upto)
            sorted[i]->has_version = false;
    }
    lz_sort(sorted, r->step_count, sizeof(*sorted), by_key_then_version, NULL);
    for (uint32_t first = 0, end; first < r->step_count; first = end) {
        for (end = first; end < r->step_count && sorted[end]->key == sorted[first]->key; end++)
            ;
        settle_key(out, sorted + first, end - first);
    }
    free(sorted);
    if (out->txns[0].first != 0)
        return;
    out->txn_count--; // nothing was there: nobody wrote it
    out->processes--;
    memmove(out->txns, out->txns + 1, out->txn_count * sizeof(*out->txns));
}

void lz_units_complete_finish(const struct lz_recorder *r, struct lz_recorder *out)
{
    LZ_ASSERT(out->txns != r->txns);
    free(out->txns);
    free(out->steps);
}

// ---- made of what was recorded

static struct lz_units_one *add_unit(struct lz_units *u, const struct lz_units_one *unit)
{
    if (u->count == u->cap) {
        u->cap = u->cap > 0 ? 2 * u->cap : 64;
        u->all = lz_mem_resize(u->all, u->cap * sizeof(*u->all));
    }
    u->all[u->count] = *unit;
    u->all[u->count].first = u->step_count;
    return &u->all[u->count++];
}

static void add_step(struct lz_units *u, const struct lz_recorder_step *step)
{
    if (u->step_count == u->step_cap) {
        u->step_cap = u->step_cap > 0 ? 2 * u->step_cap : 64;
        u->steps = lz_mem_resize(u->steps, u->step_cap * sizeof(*u->steps));
    }
    u->steps[u->step_count++] = *step;
    u->all[u->count - 1].count++;
}

static int by_unit(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_recorder_op *const *x = a, *const *y = b;
    if ((*x)->unit != (*y)->unit)
        return (*x)->unit < (*y)->unit ? -1 : 1;
    return ((*x)->begin > (*y)->begin) - ((*x)->begin < (*y)->begin);
}

/*
 * What one request of a handler did, outside of transactions. What certainly did not happen is left
 * out; it is over when its last operation is; with a write of unknown outcome it is unknown.
 */
static void add_request(struct lz_units *u, const struct lz_recorder_op **ops, uint32_t count)
{
    struct lz_units_one *unit = add_unit(u, &(struct lz_units_one){.begin = ops[0]->begin,
                                                                   .end = ops[0]->end,
                                                                   .process = ops[0]->process,
                                                                   .outcome = LZ_RECORDER_OK,
                                                                   .is_committed = true});
    for (uint32_t i = 0; i < count; i++) {
        const struct lz_recorder_op *op = ops[i];
        if (op->outcome == LZ_RECORDER_FAIL)
            continue;
        if (op->outcome == LZ_RECORDER_UNKNOWN)
            unit->outcome = LZ_RECORDER_UNKNOWN;
        unit->end = op->end;
        unit->is_repeated = unit->is_repeated || op->is_repeated;
        bool reads = op->f == LZ_RECORDER_READ;
        add_step(u, &(struct lz_recorder_step){.key = op->key,
                                               .value = op->value,
                                               .version = op->version,
                                               .has_version = op->has_version,
                                               .is_heard = !reads || op->outcome == LZ_RECORDER_OK,
                                               .f = reads ? LZ_RECORDER_STEP_READ
                                                          : LZ_RECORDER_STEP_WRITE});
    }
    unit->end = unit->outcome == LZ_RECORDER_OK ? unit->end : 0;
}

static void add_requests(struct lz_units *u, const struct lz_recorder *r)
{
    const struct lz_recorder_op **ops = lz_mem_alloc((r->count + 1) * sizeof(*ops));
    struct lz_white_keys locks = lz_white_locks(r);
    uint32_t count = 0;
    for (uint32_t i = 0; i < r->count; i++)
        if ((r->ops[i].f == LZ_RECORDER_READ || r->ops[i].f == LZ_RECORDER_WRITE) &&
            !lz_judge_has_key(locks.keys, locks.count, r->ops[i].key))
            ops[count++] = &r->ops[i];
    free(locks.keys);
    lz_sort(ops, count, sizeof(*ops), by_unit, NULL);
    for (uint32_t first = 0, end; first < count; first = end) {
        for (end = first; end < count && ops[end]->unit == ops[first]->unit; end++)
            ;
        add_request(u, ops + first, end - first);
    }
    free(ops);
}

static void add_transactions(struct lz_units *u, const struct lz_recorder *r)
{
    for (uint32_t i = 0; i < r->txn_count; i++) {
        const struct lz_recorder_txn *t = &r->txns[i];
        add_unit(u, &(struct lz_units_one){.begin = t->begin,
                                           .end = t->end,
                                           .process = t->process,
                                           .outcome = t->outcome,
                                           .is_committed = t->is_committed,
                                           .is_initial = t->is_initial});
        // What a statement by itself wrote, its client knows by having said it.
        for (uint32_t at = t->first; at != 0; at = r->steps[at - 1].next)
            if (r->steps[at - 1].is_heard || r->steps[at - 1].f != LZ_RECORDER_STEP_READ)
                add_step(u, &r->steps[at - 1]);
    }
}

static int by_begin(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_units_one *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

void lz_units_make(struct lz_units *u, const struct lz_recorder *r)
{
    *u = (struct lz_units){.r = r};
    add_requests(u, r);
    add_transactions(u, r);
    lz_sort(u->all, u->count, sizeof(*u->all), by_begin, NULL);
    uint32_t appends = 0, writes = 0;
    for (uint32_t i = 0; i < u->count; i++) {
        const struct lz_units_one *unit = &u->all[i];
        bool has_written = false;
        for (uint32_t k = 0; k < unit->count; k++) {
            const struct lz_recorder_step *s = &u->steps[unit->first + k];
            appends += s->f == LZ_RECORDER_STEP_APPEND;
            writes += s->f == LZ_RECORDER_STEP_WRITE;
            has_written = has_written || s->f != LZ_RECORDER_STEP_READ;
        }
        u->has_unknown = u->has_unknown || (has_written && unit->outcome == LZ_RECORDER_UNKNOWN &&
                                            !unit->is_committed);
    }
    u->are_lists = appends > 0 && writes == 0;
}

void lz_units_finish(struct lz_units *u)
{
    free(u->all);
    free(u->steps);
    *u = (struct lz_units){0};
}

// ---- what clients can tell

// Keys that somebody deleted, in order.
static int by_number(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static uint32_t deleted_keys(const struct lz_units *u, uint64_t *keys)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < u->step_count; i++)
        if (u->steps[i].f == LZ_RECORDER_STEP_WRITE && u->steps[i].value == 0)
            keys[count++] = u->steps[i].key;
    lz_sort(keys, count, sizeof(*keys), by_number, NULL);
    return count;
}

// "3,17,4": each element by itself.
void lz_units_list(struct lz_history *h, const struct lz_world *w, struct lz_history_part *p,
                   lz_value list)
{
    size_t len = 0;
    const char *text = "";
    p->is_list = true;
    if (lz_value_kind(list) == LZ_VALUE_TEXT)
        text = lz_value_to_text(w, list, &len);
    else if (list != 0)
        lz_history_add_value(h, p, lz_units_value(h, w, list));
    for (size_t at = 0; at < len;) {
        char one[64];
        size_t size = strcspn(text + at, ",");
        size_t kept = size < sizeof(one) - 1 ? size : sizeof(one) - 1;
        memcpy(one, text + at, kept);
        one[kept] = '\0';
        char *rest;
        errno = 0;
        long long number = strtoll(one, &rest, 10);
        bool is_number = kept > 0 && *rest == '\0' && errno == 0;
        lz_history_add_value(h, p,
                             is_number ? lz_history_integer(h, number) : lz_history_text(h, one));
        at += size + 1;
    }
}

// Of two writes of one value to a key, one that failed: its transaction was tried again.
struct writing {
    const struct lz_recorder_step *step;
    uint32_t unit;
};

static int by_written(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct writing *x = a, *y = b;
    if (x->step->key != y->step->key)
        return x->step->key < y->step->key ? -1 : 1;
    return (x->step->value > y->step->value) - (x->step->value < y->step->value);
}

// `is_left_out` by step.
static void leave_out_retried(const struct lz_units *u, bool *is_left_out)
{
    struct writing *all = lz_mem_alloc((u->step_count + 1) * sizeof(*all));
    uint32_t count = 0;
    for (uint32_t i = 0; i < u->count; i++)
        for (uint32_t k = 0; k < u->all[i].count; k++)
            if (u->steps[u->all[i].first + k].f != LZ_RECORDER_STEP_READ)
                all[count++] = (struct writing){&u->steps[u->all[i].first + k], i};
    lz_sort(all, count, sizeof(*all), by_written, NULL);
    for (uint32_t i = 0; i < count; i++) {
        bool is_again = (i > 0 && by_written(&all[i - 1], &all[i], NULL) == 0) ||
                        (i + 1 < count && by_written(&all[i], &all[i + 1], NULL) == 0);
        is_left_out[all[i].step - u->steps] =
            is_again && u->all[all[i].unit].outcome == LZ_RECORDER_FAIL;
    }
    free(all);
}

static void add_part(const struct lz_units *u, const struct lz_world *w, struct lz_history *h,
                     struct lz_history_op *op, const struct lz_recorder_step *s)
{
    bool reads = s->f == LZ_RECORDER_STEP_READ;
    enum lz_history_f f = reads          ? LZ_HISTORY_READ
                          : u->are_lists ? LZ_HISTORY_APPEND
                                         : LZ_HISTORY_WRITE;
    lz_atom key = lz_units_key(h, w, u->r, s->key);
    bool is_whole = s->f == LZ_RECORDER_STEP_APPEND && !u->are_lists;
    lz_atom value = lz_units_value(h, w, is_whole ? s->whole : s->value);
    struct lz_history_part *p = lz_history_add_part(h, op, f);
    p->key = key;
    p->is_known = true;
    if (reads && u->are_lists)
        lz_units_list(h, w, p, s->value);
    else
        p->value = value;
}

void lz_units_history(const struct lz_units *u, const struct lz_world *w, struct lz_history *h)
{
    static const enum lz_history_outcome outcomes[] = {[LZ_RECORDER_OK] = LZ_HISTORY_OK,
                                                       [LZ_RECORDER_FAIL] = LZ_HISTORY_FAIL,
                                                       [LZ_RECORDER_UNKNOWN] = LZ_HISTORY_INFO};
    uint64_t *gone = lz_mem_alloc((u->step_count + 1) * sizeof(*gone));
    bool *is_left_out = lz_mem_alloc((u->step_count + 1) * sizeof(*is_left_out));
    uint32_t gone_count = deleted_keys(u, gone);
    memset(is_left_out, 0, u->step_count + 1);
    leave_out_retried(u, is_left_out);
    for (uint32_t i = 0; i < u->count; i++) {
        const struct lz_units_one *unit = &u->all[i];
        struct lz_history_op *op = lz_history_add(h, unit->process, (int64_t)unit->begin);
        op->end = unit->end != 0 ? (int64_t)unit->end : LZ_HISTORY_NEVER;
        op->outcome = (uint8_t)outcomes[unit->outcome];
        op->is_txn = true;
        for (uint32_t k = 0; k < unit->count; k++) {
            const struct lz_recorder_step *s = &u->steps[unit->first + k];
            if (!lz_judge_has_key(gone, gone_count, s->key) && !is_left_out[unit->first + k])
                add_part(u, w, h, &h->ops[i], s);
        }
    }
    free(is_left_out);
    free(gone);
    h->events = 2 * h->op_count;
}

// ---- single operations

static int by_op_begin(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_recorder_op *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

bool lz_units_is_external(const struct lz_recorder_step *steps, uint32_t count, uint32_t at)
{
    bool reads = steps[at].f == LZ_RECORDER_STEP_READ;
    for (uint32_t i = reads ? 0 : at + 1; i < (reads ? at : count); i++)
        if (steps[i].key == steps[at].key && steps[i].f != LZ_RECORDER_STEP_READ)
            return false;
    return true;
}

static void add_flat(struct lz_recorder *out, const struct lz_recorder_txn *t, uint32_t unit,
                     const struct lz_recorder_step *s)
{
    bool reads = s->f == LZ_RECORDER_STEP_READ;
    if (reads && (t->outcome != LZ_RECORDER_OK || !s->is_heard))
        return;
    out->ops[out->count++] =
        (struct lz_recorder_op){.key = s->key,
                                .value = s->f == LZ_RECORDER_STEP_APPEND ? s->whole : s->value,
                                .begin = t->begin,
                                .end = t->end,
                                .version = s->version,
                                .unit = unit,
                                .at = t->at,
                                .done = t->done,
                                .process = t->process,
                                .f = reads ? LZ_RECORDER_READ : LZ_RECORDER_WRITE,
                                .outcome = t->outcome,
                                .has_version = s->has_version};
}

void lz_units_flatten(const struct lz_recorder *r, struct lz_recorder *out)
{
    *out = *r;
    out->ops = lz_mem_alloc(((size_t)r->count + r->step_count + 1) * sizeof(*out->ops));
    if (r->count > 0)
        memcpy(out->ops, r->ops, r->count * sizeof(*out->ops));
    struct lz_recorder_step *own = lz_mem_alloc((r->step_count + 1) * sizeof(*own));
    for (uint32_t i = 0; i < r->txn_count; i++) {
        uint32_t count = 0;
        for (uint32_t at = r->txns[i].first; at != 0; at = r->steps[at - 1].next)
            own[count++] = r->steps[at - 1];
        for (uint32_t k = 0; k < count; k++)
            if (lz_units_is_external(own, count, k))
                add_flat(out, &r->txns[i], i, &own[k]);
    }
    free(own);
    lz_sort(out->ops, out->count, sizeof(*out->ops), by_op_begin, NULL);
}

void lz_units_flat_finish(struct lz_recorder *out)
{
    free(out->ops);
    out->ops = NULL;
}

void lz_units_processes(struct lz_history *h, uint32_t count)
{
    h->processes = lz_mem_alloc((count + 1) * sizeof(char *));
    h->process_cap = count + 1;
    for (; h->process_count < count; h->process_count++) {
        char name[16];
        int len = snprintf(name, sizeof(name), "%u", h->process_count);
        h->processes[h->process_count] = lz_mem_alloc((size_t)len + 1);
        memcpy(h->processes[h->process_count], name, (size_t)len + 1);
    }
}
