/*
 * txn_register.c — transactions that read and write registers.
 *
 * A register forgets what it held, so the order of its values is known only in part: nil came
 * before everything, and what a transaction read before what it then wrote to the same key.
 * From these and from who read what follow the dependencies (Elle, VLDB 2020, section 5.2). The
 * weak levels need no order of values and are decided as Biswas and Enea do (weak.c).
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"
#include "check/history/txn.h"

// A read of another transaction's value: the first of its key, before writes of its own.
struct seen {
    lz_atom key, value;
    uint32_t op;
};

struct reads {
    struct seen *all; // by key, then value
    uint32_t count;
};

// Is a part the first that its transaction did to its key?
static const struct lz_history_part *before(const struct lz_history *h,
                                            const struct lz_history_op *op, uint32_t at)
{
    const struct lz_history_part *p = lz_history_part(h, op, at);
    for (uint32_t i = at; i-- > 0;) {
        const struct lz_history_part *q = lz_history_part(h, op, i);
        if (q->key == p->key && (q->f == LZ_HISTORY_WRITE || q->is_known))
            return q;
    }
    return NULL;
}

static int by_seen(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct seen *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

static struct reads collect(struct lz_verify *v)
{
    const struct lz_history *h = v->h;
    struct reads r = {.all = lz_mem_alloc((h->part_count + 1) * sizeof(*r.all))};
    for (uint32_t i = 0; i < h->op_count; i++) {
        const struct lz_history_op *op = &h->ops[i];
        for (uint32_t j = 0; op->outcome == LZ_HISTORY_OK && j < op->part_count; j++) {
            const struct lz_history_part *p = lz_history_part(h, op, j);
            if (p->f != LZ_HISTORY_READ || !p->is_known)
                continue;
            const struct lz_history_part *q = before(h, op, j);
            if (q == NULL)
                r.all[r.count++] = (struct seen){p->key, p->value, i};
            else if (q->value != p->value && q->f == LZ_HISTORY_WRITE)
                lz_txn_found(v, "internal", op, p->key, p->value,
                             "read something else than it had written before");
            else if (q->value != p->value)
                lz_txn_found(v, "non-repeatable-read", op, p->key, p->value,
                             "read something else than it had read before");
        }
    }
    lz_sort(r.all, r.count, sizeof(*r.all), by_seen, NULL);
    return r;
}

// The readers of one value are `*count` from the result on.
static const struct seen *readers(const struct reads *r, lz_atom key, lz_atom value,
                                  uint32_t *count)
{
    const struct seen want = {.key = key, .value = value};
    uint32_t low = 0, high = r->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (by_seen(&r->all[middle], &want, NULL) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    uint32_t end = low;
    while (end < r->count && by_seen(&r->all[end], &want, NULL) == 0)
        end++;
    *count = end - low;
    return r->all + low;
}

// A value is known to be followed by `w`'s: its writer and its readers come before w's writer.
static void follows(struct lz_depend *d, const struct lz_txn_writes *writes, const struct reads *r,
                    lz_atom value, const struct lz_txn_write *w)
{
    const struct lz_txn_write *first = value != 0 ? lz_txn_writer(writes, w->key, value) : NULL;
    if (first != NULL)
        lz_depend_add(d,
                      &(struct lz_depend_edge){first->op, w->op, LZ_DEPEND_WW, w->key, w->value});
    uint32_t count;
    const struct seen *s = readers(r, w->key, value, &count);
    for (uint32_t i = 0; i < count; i++)
        lz_depend_add(d, &(struct lz_depend_edge){s[i].op, w->op, LZ_DEPEND_RW, w->key, w->value});
}

// What a transaction wrote at last, of a key that it had read before.
static const struct lz_txn_write *
overwrites(const struct lz_verify *v, const struct lz_txn_writes *writes, const struct seen *s)
{
    const struct lz_history_op *op = &v->h->ops[s->op];
    for (uint32_t j = op->part_count; j-- > 0;) {
        const struct lz_history_part *p = lz_history_part(v->h, op, j);
        if (p->f == LZ_HISTORY_WRITE && p->key == s->key)
            return lz_txn_writer(writes, p->key, p->value);
    }
    return NULL;
}

static void order(struct lz_verify *v, struct lz_depend *d, const struct lz_txn_writes *writes,
                  const struct reads *r)
{
    for (uint32_t i = 0; i < r->count; i++) {
        const struct seen *s = &r->all[i];
        if (s->value != 0) {
            const struct lz_txn_write *w = lz_txn_saw(v, writes, s->op, s->key, s->value);
            if (w != NULL)
                lz_depend_add(
                    d, &(struct lz_depend_edge){w->op, s->op, LZ_DEPEND_WR, s->key, s->value});
        }
        const struct lz_txn_write *next = overwrites(v, writes, s);
        if (next == NULL || s->value == 0)
            continue;
        follows(d, writes, r, s->value, next);
        // Two that read the same and both wrote: one of the writes is lost.
        for (uint32_t j = i; j-- > 0 && by_seen(&r->all[j], s, NULL) == 0;)
            if (overwrites(v, writes, &r->all[j]) != NULL && r->all[j].op != s->op)
                lz_txn_found(v, "lost-update", &v->h->ops[s->op], s->key, s->value,
                             "overwrote what another transaction had read and overwritten");
    }
    for (uint32_t i = 0; i < writes->count; i++)
        if (v->h->ops[writes->all[i].op].outcome == LZ_HISTORY_OK && writes->all[i].is_last)
            follows(d, writes, r, 0, &writes->all[i]);
}

bool lz_txn_register_check(struct lz_verify *v, const struct lz_verify_model *m, struct lz_err *err)
{
    const struct lz_history *h = v->h;
    for (uint32_t i = 0; i < h->part_count; i++)
        if (h->parts[i].f != LZ_HISTORY_WRITE && h->parts[i].f != LZ_HISTORY_READ)
            return lz_fail(err, LZ_EINVAL, "transactions of %s have parts r and w", m->name);
    struct lz_txn_writes writes;
    bool ok = true;
    if (lz_txn_writes(v, LZ_HISTORY_WRITE, &writes)) {
        struct reads r = collect(v);
        struct lz_depend d;
        lz_depend_init(&d, h);
        order(v, &d, &writes, &r);
        const char *weak =
            v->opts->consistency != NULL ? lz_weak_level(v->opts->consistency) : NULL;
        ok = lz_txn_judge(v, &d, err) && (weak == NULL || lz_weak_check(v, weak, err));
        lz_depend_finish(&d);
        free(r.all);
    }
    lz_txn_writes_finish(&writes);
    return ok;
}
