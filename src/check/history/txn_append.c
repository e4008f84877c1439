/*
 * txn_append.c — transactions that append to lists and read them.
 *
 * A read of a list shows its whole history, so the longest read of a key gives the order in
 * which its values were appended; every other read must be a beginning of it (Elle, VLDB 2020,
 * section 4). What was appended for certain and never read came later than all that was.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"
#include "check/history/txn.h"

struct keys {
    const struct lz_history_part **longest; // by key; NULL: never read
};

static bool is_read(const struct lz_history_part *p)
{
    return p->f == LZ_HISTORY_READ && p->is_known && (p->is_list || p->value == 0);
}

static const lz_atom *list_of(const struct lz_history *h, const struct lz_history_part *p)
{
    return h->list + p->list_first;
}

// Does a read agree with what its own transaction did before it?
static void check_internal(struct lz_verify *v, const struct lz_history_op *op, uint32_t at)
{
    const struct lz_history *h = v->h;
    const struct lz_history_part *p = lz_history_part(h, op, at);
    uint32_t own = 0; // appended by this transaction, from the end backwards
    for (uint32_t i = at; i-- > 0;) {
        const struct lz_history_part *q = lz_history_part(h, op, i);
        if (q->key != p->key)
            continue;
        if (is_read(q)) {
            bool fits = p->list_count == q->list_count + own &&
                        (q->list_count == 0 || memcmp(list_of(h, p), list_of(h, q),
                                                      q->list_count * sizeof(lz_atom)) == 0);
            if (!fits)
                lz_txn_found(v, "internal", op, p->key, 0,
                             "read two states of a list that do not follow from each other");
            return;
        }
        if (q->f != LZ_HISTORY_APPEND)
            continue;
        own++;
        if (own > p->list_count || list_of(h, p)[p->list_count - own] != q->value) {
            lz_txn_found(v, "internal", op, p->key, q->value, "did not read its own append");
            return;
        }
    }
}

static void find_longest(const struct lz_history *h, struct keys *keys)
{
    for (uint32_t i = 0; i < h->op_count; i++) {
        for (uint32_t j = 0; j < h->ops[i].part_count; j++) {
            const struct lz_history_part *p = lz_history_part(h, &h->ops[i], j);
            const struct lz_history_part **longest = &keys->longest[p->key];
            if (h->ops[i].outcome == LZ_HISTORY_OK && is_read(p) &&
                (*longest == NULL || p->list_count > (*longest)->list_count))
                *longest = p;
        }
    }
}

// Each read is a beginning of the longest; returns false where the order is in doubt.
static bool check_order(struct lz_verify *v, const struct keys *keys)
{
    const struct lz_history *h = v->h;
    bool ok = true;
    for (uint32_t i = 0; i < h->op_count; i++) {
        const struct lz_history_op *op = &h->ops[i];
        for (uint32_t j = 0; op->outcome == LZ_HISTORY_OK && j < op->part_count; j++) {
            const struct lz_history_part *p = lz_history_part(h, op, j);
            if (!is_read(p))
                continue;
            const struct lz_history_part *longest = keys->longest[p->key];
            if (p->list_count > 0 &&
                memcmp(list_of(h, p), list_of(h, longest), p->list_count * sizeof(lz_atom)) != 0) {
                lz_txn_found(v, "incompatible-order", op, p->key, 0,
                             "read a list that is no beginning of a longer one");
                ok = false;
            }
            check_internal(v, op, j);
        }
    }
    return ok;
}

static int by_atom(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    lz_atom x = *(const lz_atom *)a, y = *(const lz_atom *)b;
    return (x > y) - (x < y);
}

static void check_duplicates(struct lz_verify *v, const struct lz_history_op *op,
                             const struct lz_history_part *p)
{
    if (p->list_count < 2)
        return;
    lz_atom *sorted = lz_mem_alloc(p->list_count * sizeof(*sorted));
    memcpy(sorted, list_of(v->h, p), p->list_count * sizeof(*sorted));
    lz_sort(sorted, p->list_count, sizeof(*sorted), by_atom, NULL);
    for (uint32_t i = 1; i < p->list_count; i++)
        if (sorted[i] == sorted[i - 1])
            lz_txn_found(v, "duplicate-elements", op, p->key, sorted[i],
                         "read a list that has a value twice");
    free(sorted);
}

// ww along the longest list, and to what was surely appended after it.
static void order_writes(struct lz_verify *v, struct lz_depend *d, const struct keys *keys,
                         const struct lz_txn_writes *writes)
{
    const struct lz_history *h = v->h;
    for (lz_atom key = 0; key < h->atom_count; key++) {
        const struct lz_history_part *p = keys->longest[key];
        if (p == NULL)
            continue;
        const struct lz_txn_write *last = NULL;
        for (uint32_t i = 0; i < p->list_count; i++) {
            const struct lz_txn_write *w = lz_txn_writer(writes, key, list_of(h, p)[i]);
            if (w == NULL)
                continue;
            writes->all[w - writes->all].is_seen = true;
            if (last != NULL)
                lz_depend_add(
                    d, &(struct lz_depend_edge){last->op, w->op, LZ_DEPEND_WW, key, w->value});
            last = w;
        }
    }
}

// What came directly after a list of this length: the next of the longest, or all that nobody
// read and that did happen.
static void order_after(struct lz_depend *d, uint32_t reader, const struct lz_history_part *p,
                        const struct lz_history_part *longest, const struct lz_txn_writes *writes,
                        uint32_t kind)
{
    const struct lz_history *h = d->h;
    if (p->list_count < longest->list_count) {
        lz_atom next = list_of(h, longest)[p->list_count];
        const struct lz_txn_write *w = lz_txn_writer(writes, p->key, next);
        if (w != NULL)
            lz_depend_add(d, &(struct lz_depend_edge){reader, w->op, kind, p->key, next});
        return;
    }
    uint32_t count;
    const struct lz_txn_write *w = lz_txn_writes_of(writes, p->key, &count);
    for (uint32_t i = 0; i < count; i++)
        if (h->ops[w[i].op].outcome == LZ_HISTORY_OK && !w[i].is_seen)
            lz_depend_add(d, &(struct lz_depend_edge){reader, w[i].op, kind, p->key, w[i].value});
}

static bool appended_before(const struct lz_history *h, const struct lz_history_op *op, uint32_t at)
{
    const struct lz_history_part *p = lz_history_part(h, op, at);
    for (uint32_t i = 0; i < at; i++) {
        const struct lz_history_part *q = lz_history_part(h, op, i);
        if (q->key == p->key && q->f == LZ_HISTORY_APPEND)
            return true;
    }
    return false;
}

static void order_reads(struct lz_verify *v, struct lz_depend *d, const struct keys *keys,
                        const struct lz_txn_writes *writes)
{
    const struct lz_history *h = v->h;
    for (uint32_t i = 0; i < h->op_count; i++) {
        const struct lz_history_op *op = &h->ops[i];
        for (uint32_t j = 0; op->outcome == LZ_HISTORY_OK && j < op->part_count; j++) {
            const struct lz_history_part *p = lz_history_part(h, op, j);
            if (!is_read(p))
                continue;
            const struct lz_history_part *longest = keys->longest[p->key];
            check_duplicates(v, op, p);
            if (p == longest) // the others are beginnings of it
                for (uint32_t k = 0; k + 1 < p->list_count; k++) {
                    lz_atom value = list_of(h, p)[k];
                    const struct lz_txn_write *w = lz_txn_writer(writes, p->key, value);
                    if (w == NULL || h->ops[w->op].outcome == LZ_HISTORY_FAIL)
                        (void)lz_txn_saw(v, writes, i, p->key, value);
                }
            if (appended_before(h, op, j))
                continue; // its own appends are part of what it saw
            if (p->list_count > 0) {
                lz_atom value = list_of(h, p)[p->list_count - 1];
                const struct lz_txn_write *w = lz_txn_saw(v, writes, i, p->key, value);
                if (w != NULL)
                    lz_depend_add(d,
                                  &(struct lz_depend_edge){w->op, i, LZ_DEPEND_WR, p->key, value});
            }
            order_after(d, i, p, longest, writes, LZ_DEPEND_RW);
        }
    }
}

// The writer of the last value that was read comes before the writers of what nobody read.
static void order_unread(struct lz_verify *v, struct lz_depend *d, const struct keys *keys,
                         const struct lz_txn_writes *writes)
{
    for (lz_atom key = 0; key < v->h->atom_count; key++) {
        const struct lz_history_part *p = keys->longest[key];
        if (p == NULL || p->list_count == 0)
            continue;
        const struct lz_txn_write *w =
            lz_txn_writer(writes, key, list_of(v->h, p)[p->list_count - 1]);
        if (w != NULL)
            order_after(d, w->op, p, p, writes, LZ_DEPEND_WW);
    }
}

bool lz_txn_append_check(struct lz_verify *v, const struct lz_verify_model *m, struct lz_err *err)
{
    const struct lz_history *h = v->h;
    for (uint32_t i = 0; i < h->part_count; i++)
        if (h->parts[i].f != LZ_HISTORY_APPEND && h->parts[i].f != LZ_HISTORY_READ)
            return lz_fail(err, LZ_EINVAL, "transactions of %s have parts r and append", m->name);
    struct lz_txn_writes writes;
    struct keys keys = {lz_mem_alloc((h->atom_count + 1) * sizeof(*keys.longest))};
    memset(keys.longest, 0, (h->atom_count + 1) * sizeof(*keys.longest));
    struct lz_depend d;
    lz_depend_init(&d, h);
    bool ok = true;
    if (lz_txn_writes(v, LZ_HISTORY_APPEND, &writes)) {
        find_longest(h, &keys);
        if (check_order(v, &keys)) {
            order_writes(v, &d, &keys, &writes);
            order_unread(v, &d, &keys, &writes);
            order_reads(v, &d, &keys, &writes);
        }
        ok = lz_txn_judge(v, &d, err);
    }
    lz_depend_finish(&d);
    lz_txn_writes_finish(&writes);
    free(keys.longest);
    return ok;
}
