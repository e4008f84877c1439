#include "repl/past.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"

bool lz_past_has(const struct lz_tree *t, uint32_t whose, uint64_t order, uint32_t node)
{
    uint64_t up_to = UINT64_MAX;
    for (;;) {
        const struct lz_tree_node *n = &t->nodes[node];
        if (whose == node)
            return order <= up_to;
        if (n->parent == node)
            return false;
        up_to = n->order < up_to ? n->order : up_to;
        node = n->parent;
    }
}

bool lz_past_is_reachable(const struct lz_tree *t, uint32_t whose, uint64_t order)
{
    for (uint32_t i = 0; i < t->branch_count; i++)
        if (lz_past_has(t, whose, order, t->branches[i].node))
            return true;
    return false;
}

uint32_t lz_past_nearest(const struct lz_tree *t, lz_time at)
{
    const struct lz_snapshots *all = &t->snapshots;
    uint32_t best = all->count, node = t->branches[t->current].node;
    for (uint32_t i = 0; i < all->count; i++) {
        const struct lz_snapshot *s = &all->all[i];
        if (s->at <= at && lz_past_has(t, s->node, s->order, node) &&
            (best == all->count || s->events > all->all[best].events ||
             (s->events == all->all[best].events && s->order > all->all[best].order)))
            best = i;
    }
    return best;
}

struct lz_past_since lz_past_since(const struct lz_tree *t)
{
    const struct lz_tree_branch *b = &t->branches[t->current];
    uint32_t i = lz_past_nearest(t, b->at);
    if (i == t->snapshots.count)
        return (struct lz_past_since){b->events, b->at};
    const struct lz_snapshot *s = &t->snapshots.all[i];
    return (struct lz_past_since){b->events - s->events, b->at - s->at};
}

bool lz_past_is_due(const struct lz_tree *t)
{
    const struct lz_past_since s = lz_past_since(t);
    return s.events >= LZ_SNAPSHOTS_EVENTS ||
           t->branches[t->current].work_ns >= LZ_SNAPSHOTS_WORK ||
           (s.events >= LZ_SNAPSHOTS_EVENTS_MIN && s.span >= LZ_SNAPSHOTS_TIME);
}

uint64_t lz_past_last(const struct lz_tree *t, lz_time at)
{
    uint32_t node = t->branches[t->current].node;
    uint64_t last = 0;
    for (uint32_t i = 0; i < t->snapshots.count; i++) {
        const struct lz_snapshot *s = &t->snapshots.all[i];
        if (s->at <= at && s->order > last && lz_past_has(t, s->node, s->order, node))
            last = s->order;
    }
    for (uint32_t i = 0; i < t->typed_count; i++) {
        const struct lz_tree_typed *l = &t->typed[i];
        if (l->at <= at && l->order > last && lz_past_has(t, l->node, l->order, node))
            last = l->order;
    }
    return last;
}

// ---------------------------------------------------------------- gaps

// A copy in one history.
struct step {
    uint64_t events, order;
    uint32_t copy;
};

static int by_events(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct step *x = a, *y = b;
    if (x->events != y->events)
        return x->events < y->events ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

// The copies in the past of a branch, first to last; `out` has room for all there are.
static uint32_t steps_of(const struct lz_tree *t, uint32_t branch, struct step *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < t->snapshots.count; i++) {
        const struct lz_snapshot *s = &t->snapshots.all[i];
        if (lz_past_has(t, s->node, s->order, t->branches[branch].node))
            out[count++] = (struct step){s->events, s->order, i};
    }
    lz_sort(out, count, sizeof(*out), by_events, NULL);
    return count;
}

// From the step before `i` to the one after it, or to where the branch stands.
static uint64_t joined(const struct lz_tree *t, uint32_t branch, const struct step *steps,
                       uint32_t count, uint32_t i)
{
    uint64_t from = i > 0 ? steps[i - 1].events : 0;
    uint64_t to = i + 1 < count ? steps[i + 1].events : t->branches[branch].events;
    return to > from ? to - from : 0;
}

uint32_t lz_past_list(const struct lz_tree *t, uint32_t *out)
{
    struct step *steps = lz_mem_alloc((t->snapshots.count + 1) * sizeof(*steps));
    uint32_t count = steps_of(t, t->current, steps);
    for (uint32_t i = 0; i < count; i++)
        out[i] = steps[i].copy;
    free(steps);
    return count;
}

uint64_t lz_past_gap(const struct lz_tree *t)
{
    struct step *steps = lz_mem_alloc((t->snapshots.count + 1) * sizeof(*steps));
    uint32_t count = steps_of(t, t->current, steps);
    uint64_t most = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t to = i + 1 < count ? steps[i + 1].events : t->branches[t->current].events;
        uint64_t gap = to > steps[i].events ? to - steps[i].events : 0;
        most = gap > most ? gap : most;
    }
    free(steps);
    return most;
}

uint32_t lz_past_least_missed(const void *ctx)
{
    const struct lz_tree *t = ctx;
    uint32_t all = t->snapshots.count, best = all;
    uint64_t *missed = lz_mem_alloc((all + 1) * sizeof(*missed)), least = UINT64_MAX;
    struct step *steps = lz_mem_alloc((all + 1) * sizeof(*steps));
    memset(missed, 0, (all + 1) * sizeof(*missed));
    for (uint32_t b = 0; b < t->branch_count; b++) {
        uint32_t count = steps_of(t, b, steps);
        for (uint32_t i = 0; i < count; i++) {
            uint64_t gap = joined(t, b, steps, count, i), *most = &missed[steps[i].copy];
            *most = gap > *most ? gap : *most;
        }
    }
    for (uint32_t i = 0; i + 1 < all; i++) {
        if (t->snapshots.all[i].is_first || missed[i] >= least)
            continue;
        least = missed[i];
        best = i;
    }
    free(steps);
    free(missed);
    return best;
}
