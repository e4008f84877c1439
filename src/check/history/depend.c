#include "check/history/depend.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

#define NONE UINT32_MAX
#define ROOT (UINT32_MAX - 1)

void lz_depend_init(struct lz_depend *d, const struct lz_history *h)
{
    *d = (struct lz_depend){.h = h};
}

void lz_depend_finish(struct lz_depend *d)
{
    free(d->edges);
    free(d->first);
    free(d->order);
    *d = (struct lz_depend){0};
}

void lz_depend_add(struct lz_depend *d, const struct lz_depend_edge *edge)
{
    LZ_ASSERT(edge->from < d->h->op_count && edge->to < d->h->op_count);
    LZ_ASSERT(d->first == NULL);
    if (edge->from == edge->to)
        return;
    if (d->count == d->cap) {
        d->cap = d->cap > 0 ? 2 * d->cap : 64;
        d->edges = lz_mem_resize(d->edges, d->cap * sizeof(*d->edges));
    }
    d->edges[d->count++] = *edge;
}

void lz_depend_add_sessions(struct lz_depend *d)
{
    const struct lz_history *h = d->h;
    uint32_t *last = lz_mem_alloc((h->process_count + 1) * sizeof(*last));
    memset(last, 0xff, (h->process_count + 1) * sizeof(*last));
    for (uint32_t i = 0; i < h->op_count; i++) {
        if (h->ops[i].outcome == LZ_HISTORY_FAIL)
            continue;
        uint32_t *before = &last[h->ops[i].process];
        if (*before != NONE)
            lz_depend_add(d, &(struct lz_depend_edge){*before, i, LZ_DEPEND_SESSION, 0, 0});
        *before = i;
    }
    free(last);
}

/*
 * The frontier holds what has completed and is not before anything else that has: an operation
 * comes directly after all of it, and whatever is farther back follows. Operations are looked at
 * in order of invocation; those that completed since are first taken into the frontier, in
 * order of completion.
 */
void lz_depend_add_realtime(struct lz_depend *d)
{
    const struct lz_history *h = d->h;
    uint32_t *open = lz_mem_alloc((h->op_count + 1) * sizeof(*open)), open_count = 0;
    uint32_t *frontier = lz_mem_alloc((h->op_count + 1) * sizeof(*frontier)), count = 0;
    for (uint32_t i = 0; i < h->op_count; i++) {
        if (h->ops[i].outcome == LZ_HISTORY_FAIL)
            continue;
        for (;;) {
            uint32_t next = NONE;
            for (uint32_t j = 0; j < open_count; j++)
                if (h->ops[open[j]].end < h->ops[i].begin &&
                    (next == NONE || h->ops[open[j]].end < h->ops[open[next]].end))
                    next = j;
            if (next == NONE)
                break;
            uint32_t done = open[next], kept = 0;
            memmove(open + next, open + next + 1, (open_count - next - 1) * sizeof(*open));
            open_count--;
            for (uint32_t j = 0; j < count; j++)
                if (h->ops[frontier[j]].end >= h->ops[done].begin)
                    frontier[kept++] = frontier[j];
            frontier[kept++] = done;
            count = kept;
        }
        for (uint32_t j = 0; j < count; j++)
            lz_depend_add(d, &(struct lz_depend_edge){frontier[j], i, LZ_DEPEND_REALTIME, 0, 0});
        if (h->ops[i].end != LZ_HISTORY_NEVER)
            open[open_count++] = i;
    }
    free(open);
    free(frontier);
}

void lz_depend_arrange(struct lz_depend *d)
{
    uint32_t n = d->h->op_count;
    LZ_ASSERT(d->first == NULL);
    d->first = lz_mem_alloc((n + 2) * sizeof(*d->first));
    d->order = lz_mem_alloc((d->count + 1) * sizeof(*d->order));
    memset(d->first, 0, (n + 2) * sizeof(*d->first));
    for (uint32_t i = 0; i < d->count; i++)
        d->first[d->edges[i].from + 2]++;
    for (uint32_t i = 2; i < n + 2; i++)
        d->first[i] += d->first[i - 1];
    for (uint32_t i = 0; i < d->count; i++) // first[n + 1] becomes the end of n's
        d->order[d->first[d->edges[i].from + 1]++] = i;
}

// Tarjan's components, without recursion: the graph is as deep as the history is long.
struct components {
    uint32_t *of; // by node; nodes of one component can reach each other
    uint32_t *size;
};

struct walk {
    uint32_t *index, *low, *stack, *calls, *at;
    uint32_t depth, call_depth, next_index, next_component;
};

static void enter(struct walk *w, const struct lz_depend *d, uint32_t node)
{
    w->index[node] = w->low[node] = w->next_index++;
    w->stack[w->depth++] = node;
    w->calls[w->call_depth++] = node;
    w->at[node] = d->first[node];
}

static void leave(struct walk *w, struct components *c, uint32_t node)
{
    w->call_depth--;
    if (w->call_depth > 0) {
        uint32_t above = w->calls[w->call_depth - 1];
        if (w->low[node] < w->low[above])
            w->low[above] = w->low[node];
    }
    if (w->low[node] != w->index[node])
        return;
    uint32_t member;
    do {
        member = w->stack[--w->depth];
        c->of[member] = w->next_component;
        c->size[w->next_component]++;
    } while (member != node);
    w->next_component++;
}

static void step(struct walk *w, struct components *c, const struct lz_depend *d, uint32_t kinds)
{
    uint32_t node = w->calls[w->call_depth - 1];
    if (w->at[node] == d->first[node + 1]) {
        leave(w, c, node);
        return;
    }
    const struct lz_depend_edge *e = &d->edges[d->order[w->at[node]++]];
    if ((e->kind & kinds) == 0)
        return;
    if (w->index[e->to] == NONE)
        enter(w, d, e->to);
    else if (c->of[e->to] == NONE && w->index[e->to] < w->low[node])
        w->low[node] = w->index[e->to];
}

static struct components components(const struct lz_depend *d, uint32_t kinds)
{
    uint32_t n = d->h->op_count;
    size_t size = (n + 1) * sizeof(uint32_t);
    struct components c = {.of = lz_mem_alloc(size), .size = lz_mem_alloc(size)};
    struct walk w = {.index = lz_mem_alloc(size),
                     .low = lz_mem_alloc(size),
                     .stack = lz_mem_alloc(size),
                     .calls = lz_mem_alloc(size),
                     .at = lz_mem_alloc(size)};
    memset(c.of, 0xff, size);
    memset(c.size, 0, size);
    memset(w.index, 0xff, size);
    for (uint32_t i = 0; i < n; i++) {
        if (w.index[i] != NONE)
            continue;
        enter(&w, d, i);
        while (w.call_depth > 0)
            step(&w, &c, d, kinds);
    }
    free(w.index);
    free(w.low);
    free(w.stack);
    free(w.calls);
    free(w.at);
    return c;
}

/*
 * The shortest way from `from` to `to` by edges of `kinds`, within one component. A state is a
 * node and what the way so far has: `needs` is a bit that at least one edge must have, and with
 * `apart` no rw follows an rw.
 */
struct way {
    const struct lz_depend *d;
    const uint32_t *component;
    uint32_t kinds, needs;
    bool apart;
    uint32_t *by;    // by state: the edge it was reached by; NONE: not reached, ROOT: by none
    uint32_t *from;  // by state: the state before it
    uint32_t *queue; // of states; then those to clean up
    uint32_t count;
};

enum { HAS_NEED = 1, WAS_RW = 2, STATES = 4 };

static void way_init(struct way *w, const struct lz_depend *d)
{
    size_t size = (size_t)d->h->op_count * STATES * sizeof(uint32_t) + sizeof(uint32_t);
    *w = (struct way){
        .d = d, .by = lz_mem_alloc(size), .from = lz_mem_alloc(size), .queue = lz_mem_alloc(size)};
    memset(w->by, 0xff, size);
}

static void way_finish(struct way *w)
{
    free(w->by);
    free(w->from);
    free(w->queue);
}

static uint32_t follow(const struct way *w, const struct lz_depend_edge *e, uint32_t state)
{
    uint32_t flags = state % STATES;
    bool is_rw = e->kind == LZ_DEPEND_RW;
    if ((e->kind & w->kinds) == 0 || w->component[e->to] != w->component[e->from])
        return NONE;
    if (w->apart && is_rw && (flags & WAS_RW) != 0)
        return NONE;
    uint32_t next = flags & HAS_NEED;
    if ((e->kind & w->needs) != 0)
        next |= HAS_NEED;
    if (is_rw && w->apart)
        next |= WAS_RW;
    return e->to * STATES + next;
}

// The way's last edge's state, or NONE. `first` is the edge before it.
static uint32_t search(struct way *w, const struct lz_depend_edge *first)
{
    uint32_t begin = first->to * STATES;
    if ((first->kind & w->needs) != 0)
        begin |= HAS_NEED;
    if (w->apart && first->kind == LZ_DEPEND_RW)
        begin |= WAS_RW;
    w->count = 0;
    w->queue[w->count++] = begin;
    w->by[begin] = ROOT;
    uint32_t found = NONE;
    for (uint32_t i = 0; i < w->count && found == NONE; i++) {
        uint32_t state = w->queue[i], node = state / STATES;
        if (node == first->from && (w->needs == 0 || (state & HAS_NEED) != 0) &&
            !(w->apart && (state & WAS_RW) != 0)) {
            found = state;
            break;
        }
        for (uint32_t j = w->d->first[node]; j < w->d->first[node + 1]; j++) {
            uint32_t next = follow(w, &w->d->edges[w->d->order[j]], state);
            if (next == NONE || w->by[next] != NONE)
                continue;
            w->by[next] = w->d->order[j];
            w->from[next] = state;
            w->queue[w->count++] = next;
        }
    }
    return found;
}

// Write down `first` and the way found; returns how many edges there are.
static uint32_t take(struct way *w, const struct lz_depend_edge *first, uint32_t state,
                     struct lz_depend_edge *cycle, uint32_t max)
{
    uint32_t n = 1;
    for (uint32_t s = state; w->by[s] != ROOT; s = w->from[s])
        n++;
    uint32_t at = n;
    for (uint32_t s = state; w->by[s] != ROOT; s = w->from[s])
        if (--at < max)
            cycle[at] = w->d->edges[w->by[s]];
    if (max > 0)
        cycle[0] = *first;
    return n;
}

static void clean(struct way *w)
{
    for (uint32_t i = 0; i < w->count; i++)
        w->by[w->queue[i]] = NONE;
}

// Cycles that begin with an edge of `begins` and go on by `w`'s rules.
static uint32_t find(const struct lz_depend *d, uint32_t begins, const struct way *rules,
                     struct lz_depend_edge *cycle, uint32_t max)
{
    struct components c = components(d, begins | rules->kinds);
    struct way w;
    way_init(&w, d);
    w.component = c.of;
    w.kinds = rules->kinds;
    w.needs = rules->needs;
    w.apart = rules->apart;
    uint32_t best = 0;
    for (uint32_t i = 0; i < d->count && best == 0; i++) {
        const struct lz_depend_edge *e = &d->edges[i];
        if ((e->kind & begins) == 0 || c.of[e->from] != c.of[e->to])
            continue;
        uint32_t state = search(&w, e);
        if (state != NONE)
            best = take(&w, e, state, cycle, max);
        clean(&w);
    }
    way_finish(&w);
    free(c.of);
    free(c.size);
    return best;
}

uint32_t lz_depend_find(const struct lz_depend *d, enum lz_depend_cycle class, uint32_t with,
                        struct lz_depend_edge *cycle, uint32_t max)
{
    LZ_ASSERT(d->first != NULL);
    uint32_t begins = LZ_DEPEND_RW, kinds = LZ_DEPEND_WW | LZ_DEPEND_WR | with;
    bool apart = false;
    // What is wanted of the rest of the cycle: for realtime, such an edge; else one of `with`.
    uint32_t needs = (with & LZ_DEPEND_REALTIME) != 0 ? LZ_DEPEND_REALTIME : with;
    switch (class) {
    case LZ_DEPEND_G0:
        begins = LZ_DEPEND_WW;
        kinds = LZ_DEPEND_WW | with;
        break;
    case LZ_DEPEND_G1C:
        begins = LZ_DEPEND_WR;
        break;
    case LZ_DEPEND_G_SINGLE:
        break;
    case LZ_DEPEND_G_NONADJACENT:
        kinds |= LZ_DEPEND_RW;
        apart = true;
        break;
    case LZ_DEPEND_G2_ITEM:
        kinds |= LZ_DEPEND_RW;
        break;
    case LZ_DEPEND_CYCLES:
        LZ_UNREACHABLE("no class of cycles");
    }
    struct way rules = {.kinds = kinds, .needs = needs, .apart = apart};
    return find(d, begins, &rules, cycle, max);
}

uint32_t lz_depend_find_any(const struct lz_depend *d, uint32_t kinds, struct lz_depend_edge *cycle,
                            uint32_t max)
{
    LZ_ASSERT(d->first != NULL);
    struct way rules = {.kinds = kinds};
    return find(d, kinds, &rules, cycle, max);
}

const char *lz_depend_name(enum lz_depend_cycle class)
{
    static const char *const names[LZ_DEPEND_CYCLES] = {
        [LZ_DEPEND_G0] = "G0",
        [LZ_DEPEND_G1C] = "G1c",
        [LZ_DEPEND_G_SINGLE] = "G-single",
        [LZ_DEPEND_G_NONADJACENT] = "G-nonadjacent",
        [LZ_DEPEND_G2_ITEM] = "G2-item",
    };
    LZ_ASSERT(class < LZ_DEPEND_CYCLES);
    return names[class];
}

static void explain_edge(const struct lz_depend *d, const struct lz_depend_edge *e,
                         struct lz_str *out)
{
    const char *why = e->kind == LZ_DEPEND_WW        ? "wrote before"
                      : e->kind == LZ_DEPEND_WR      ? "wrote what was read by"
                      : e->kind == LZ_DEPEND_RW      ? "did not see the write of"
                      : e->kind == LZ_DEPEND_SESSION ? "came, in its process, before"
                                                     : "had completed before the beginning of";
    lz_str_addf(out, "    %s", why);
    if (e->key != 0 || e->value != 0) {
        lz_str_add(out, ", key ");
        lz_history_show_atom(d->h, e->key, out);
        lz_str_add(out, " = ");
        lz_history_show_atom(d->h, e->value, out);
    }
    lz_str_add_char(out, '\n');
}

void lz_depend_explain(const struct lz_depend *d, const struct lz_depend_edge *cycle,
                       uint32_t count, struct lz_str *out)
{
    for (uint32_t i = 0; i < count; i++) {
        lz_str_addf(out, "  T%u ", i + 1);
        lz_history_show(d->h, &d->h->ops[cycle[i].from], out);
        lz_str_add_char(out, '\n');
        explain_edge(d, &cycle[i], out);
    }
    lz_str_add(out, "  T1 again: a cycle\n");
}
