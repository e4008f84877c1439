#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"
#include "check/history/white.h"

/*
 * Transactions by versions. Nodes are units of work, what one request of a handler did; edges are
 * Adya's, with the order of versions that the servers know: from the writer of a version to the
 * next writer (ww), to its readers (wr), and from these to the next writer (rw). Without a cycle
 * any order along the edges is a serial one.
 */

struct edge {
    uint32_t from, to;
};

struct graph {
    struct edge *edges;
    uint32_t count, cap;
    uint32_t nodes;
};

static int by_unit(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_recorder_op *const *x = a, *const *y = b;
    if ((*x)->unit != (*y)->unit)
        return (*x)->unit < (*y)->unit ? -1 : 1;
    return ((*x)->begin > (*y)->begin) - ((*x)->begin < (*y)->begin);
}

// An operation, and the number of its unit.
struct step {
    const struct lz_recorder_op *op;
    uint32_t unit;
};

static int by_key_and_version(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct step *x = a, *y = b;
    if (x->op->key != y->op->key)
        return x->op->key < y->op->key ? -1 : 1;
    if (x->op->version != y->op->version)
        return x->op->version < y->op->version ? -1 : 1;
    bool reads = x->op->f == LZ_RECORDER_READ; // a version's write before its reads
    if (reads != (y->op->f == LZ_RECORDER_READ))
        return reads ? 1 : -1;
    return (x->op->begin > y->op->begin) - (x->op->begin < y->op->begin);
}

static void add(struct graph *g, uint32_t from, uint32_t to)
{
    if (from == to)
        return;
    if (g->count == g->cap) {
        g->cap = g->cap > 0 ? 2 * g->cap : 64;
        g->edges = lz_mem_resize(g->edges, g->cap * sizeof(*g->edges));
    }
    g->edges[g->count++] = (struct edge){from, to};
}

/*
 * A key's operations in order of version. The last writers that there were, then who has read them:
 * these come before the next writer. False: a read saw a version that nobody is known to have
 * written, or two wrote one.
 */
static bool add_key(struct graph *g, const struct step *steps, uint32_t count)
{
    uint32_t writer = UINT32_MAX, first_reader = 0;
    uint64_t version = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct step *s = &steps[i];
        if (s->op->f == LZ_RECORDER_READ) {
            if (s->op->version != version)
                return false;
            if (writer != UINT32_MAX)
                add(g, writer, s->unit);
            continue;
        }
        if (s->op->version == version)
            return false;
        for (uint32_t r = first_reader; r < i; r++)
            add(g, steps[r].unit, s->unit); // the writer before, and its readers
        writer = s->unit;
        version = s->op->version;
        first_reader = i;
    }
    return true;
}

// Kahn: those that nobody must come before are taken away until none is left.
static bool has_cycle(const struct graph *g)
{
    uint32_t *before = lz_mem_alloc((g->nodes + 1) * sizeof(*before));
    uint32_t *first = lz_mem_alloc((g->nodes + 2) * sizeof(*first));
    uint32_t *ready = lz_mem_alloc((g->nodes + 1) * sizeof(*ready));
    memset(before, 0, (g->nodes + 1) * sizeof(*before));
    memset(first, 0, (g->nodes + 2) * sizeof(*first));
    uint32_t *after = lz_mem_alloc((g->count + 1) * sizeof(*after));
    for (uint32_t i = 0; i < g->count; i++) {
        before[g->edges[i].to]++;
        first[g->edges[i].from + 2]++;
    }
    for (uint32_t n = 2; n < g->nodes + 2; n++)
        first[n] += first[n - 1];
    for (uint32_t i = 0; i < g->count; i++)
        after[first[g->edges[i].from + 1]++] = g->edges[i].to;
    uint32_t count = 0, done = 0;
    for (uint32_t n = 0; n < g->nodes; n++)
        if (before[n] == 0)
            ready[count++] = n;
    while (done < count) {
        uint32_t n = ready[done++];
        for (uint32_t e = first[n]; e < first[n + 1]; e++)
            if (--before[after[e]] == 0)
                ready[count++] = after[e];
    }
    free(before);
    free(first);
    free(ready);
    free(after);
    return done < g->nodes;
}

/*
 * Two units that read one version of a key, which somebody is known to have written, and both wrote
 * the key afterwards. `sorted` is of one key, in order of unit, then begin.
 */
static bool is_update_lost(const struct lz_recorder_op **sorted, uint32_t count)
{
    uint64_t *seen = lz_mem_alloc((count + 1) * sizeof(*seen));
    uint32_t updates = 0;
    bool is_lost = false;
    for (uint32_t first = 0, end; first < count; first = end) {
        const struct lz_recorder_op *read = NULL;
        bool writes_first = false, updates_it = false;
        for (end = first; end < count && sorted[end]->unit == sorted[first]->unit; end++) {
            bool reads = sorted[end]->f == LZ_RECORDER_READ;
            writes_first = writes_first || (!reads && read == NULL);
            read = reads && read == NULL && !writes_first ? sorted[end] : read;
            updates_it = updates_it || (!reads && read != NULL);
        }
        if (!updates_it || read->version == 0 || read->value == 0)
            continue;
        for (uint32_t i = 0; i < updates; i++)
            is_lost = is_lost || seen[i] == read->version;
        seen[updates++] = read->version;
    }
    free(seen);
    return is_lost;
}

#define LOST_MAX 4000u /* operations of a key: what is looked at is their square */

static bool loses_updates(const struct lz_recorder_op **ops, uint32_t count)
{
    const struct lz_recorder_op **sorted = lz_mem_alloc((count + 1) * sizeof(*sorted));
    bool is_lost = false;
    memcpy(sorted, ops, count * sizeof(*sorted));
    lz_sort(sorted, count, sizeof(*sorted), lz_white_by_key, NULL);
    for (uint32_t first = 0, end; first < count; first = end) {
        for (end = first; end < count && sorted[end]->key == sorted[first]->key; end++)
            ;
        if (end - first > LOST_MAX || !lz_white_is_told(sorted + first, end - first))
            continue;
        lz_sort(sorted + first, end - first, sizeof(*sorted), by_unit, NULL);
        is_lost = is_lost || is_update_lost(sorted + first, end - first);
    }
    free(sorted);
    return is_lost;
}

static bool is_acyclic(const struct lz_recorder_op **ops, uint32_t count)
{
    if (count == 0)
        return true;
    struct graph g = {0};
    struct step *steps = lz_mem_alloc((count + 1) * sizeof(*steps));
    lz_sort(ops, count, sizeof(*ops), by_unit, NULL);
    for (uint32_t i = 0; i < count; i++) {
        g.nodes += i == 0 || ops[i]->unit != ops[i - 1]->unit;
        steps[i] = (struct step){.op = ops[i], .unit = g.nodes - 1};
    }
    lz_sort(steps, count, sizeof(*steps), by_key_and_version, NULL);
    bool is_known = true;
    for (uint32_t first = 0, end; first < count; first = end) {
        for (end = first; end < count && steps[end].op->key == steps[first].op->key; end++)
            ;
        is_known = is_known && add_key(&g, steps + first, end - first);
    }
    bool is_so = is_known && !has_cycle(&g);
    free(g.edges);
    free(steps);
    return is_so;
}

enum lz_judge_white lz_white_transactions(const struct lz_recorder *r)
{
    const struct lz_recorder_op **ops = lz_mem_alloc((r->count + 1) * sizeof(*ops));
    uint32_t count = 0;
    bool is_plain = true;
    for (uint32_t i = 0; i < r->count; i++) {
        const struct lz_recorder_op *op = &r->ops[i];
        bool reads = op->f == LZ_RECORDER_READ;
        if (op->f > LZ_RECORDER_CREATE || op->outcome == LZ_RECORDER_FAIL ||
            (reads && op->outcome != LZ_RECORDER_OK))
            continue;
        is_plain = is_plain && op->outcome == LZ_RECORDER_OK && op->has_version &&
                   !op->is_repeated && (reads || (op->f == LZ_RECORDER_WRITE && op->value != 0));
        if (op->outcome == LZ_RECORDER_OK)
            ops[count++] = op;
    }
    enum lz_judge_white white = LZ_JUDGE_NOT_TOLD;
    if (loses_updates(ops, count))
        white = LZ_JUDGE_REFUTED;
    else if (is_plain && is_acyclic(ops, count))
        white = LZ_JUDGE_PROVEN;
    free(ops);
    return white;
}
