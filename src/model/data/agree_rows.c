#include "base/check.h"
#include "base/grow.h"
#include "model/consensus/consensus_member.h"
#include "model/consensus/raft_log.h"
#include "model/data/agree_state.h"
#include "model/data/sql/execute.h"

void lz_agree_forget_undos(struct lz_agree *a, uint32_t node)
{
    struct lz_agree_undos *u = &a->undos[node];
    while (u->count > 0)
        lz_image_release(u->all[--u->count].image);
}

static void remember(struct lz_world *w, struct lz_agree *a, uint32_t node,
                     const struct lz_agree_undo *one)
{
    struct lz_agree_undos *u = &a->undos[node];
    u->all = lz_grow(w->arena, u->all, &u->cap, u->count + 1, sizeof(*u->all));
    u->all[u->count++] = *one;
}

static void put_row(struct lz_world *w, struct lz_database *d, uint32_t node, uint64_t index,
                    const struct lz_agree_row *row, bool is_kept)
{
    struct lz_rows *rows = &d->nodes[node].rows;
    if (!is_kept) {
        struct lz_agree_undo old = {.index = index, .key = row->key};
        old.version = lz_rows_read(rows, row->key, &old.value);
        remember(w, d->agree, node, &old);
    }
    lz_rows_put(rows, row->key, index, row->value);
}

static bool is_broken(const struct lz_database *d, uint32_t node)
{
    return d->sql != NULL && !lz_execute_can_lead(d, node);
}

void lz_agree_take_back(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    struct lz_agree *a = d->agree;
    struct lz_agree_undos *u = &a->undos[node];
    uint64_t last = lz_consensus_last(w, d->id, node);
    if (a->applied[node] < u->floor) // its file was cut
        u->floor = a->applied[node];
    if (last < u->floor)
        last = u->floor;
    if (a->applied[node] <= last)
        return;
    for (; u->count > 0 && u->all[u->count - 1].index > last; u->count--) {
        const struct lz_agree_undo *old = &u->all[u->count - 1];
        if (old->image == NULL)
            lz_rows_put_back(&d->nodes[node].rows, old->key, old->version, old->value);
        else
            lz_execute_take_back(d, node, old->index, old->image);
        lz_image_release(old->image);
    }
    a->applied[node] = last;
}

// With the undos: what is not safe at `from` is not safer here, and the log of `node` may not have
// it. Content ahead of a log would stay when the group loses the entries and writes others.
static void copy_all(struct lz_world *w, struct lz_database *d, uint32_t node, uint32_t from)
{
    struct lz_agree *a = d->agree;
    struct lz_database_node *n = &d->nodes[node];
    LZ_ASSERT(node != from);
    n->engine->ops->copy(n->engine, d->nodes[from].engine);
    if (d->sql != NULL)
        lz_execute_rebuilt(w, d, node);
    lz_agree_forget_undos(a, node);
    for (uint32_t i = 0; i < a->undos[from].count; i++) {
        struct lz_agree_undo one = a->undos[from].all[i];
        if (one.image != NULL)
            one.image = lz_image_hold(one.image);
        remember(w, a, node, &one);
    }
    a->undos[node].floor = a->undos[from].floor;
    a->applied[node] = a->applied[from];
    lz_agree_take_back(w, d, node);
    n->lsn = n->applied = a->applied[node];
}

static void take(struct lz_world *w, struct lz_database *d, uint32_t node, uint64_t index,
                 const struct lz_raft_entry *e, const struct lz_agree_commit *c)
{
    struct lz_agree *a = d->agree;
    struct lz_engine *engine = d->nodes[node].engine;
    bool is_kept = lz_consensus_keeps(w, d->id, node, e->write) &&
                   lz_consensus_majority_keeps(w, d->id, node, index);
    if (is_kept) {
        lz_agree_forget_undos(a, node); // what came before it is kept as well
        a->undos[node].floor = index;
    }
    if (c == NULL)
        put_row(w, d, node, index, &(struct lz_agree_row){e->key, e->value}, is_kept);
    else if (c->image != NULL)
        engine->ops->apply(engine, &(struct lz_change){.lsn = index, .image = c->image}, NULL);
    if (c != NULL && c->image != NULL && !is_kept)
        remember(w, a, node,
                 &(struct lz_agree_undo){.index = index, .image = lz_image_hold(c->image)});
    for (uint32_t i = 0; c != NULL && i < c->count; i++)
        put_row(w, d, node, index, &c->rows[i], is_kept);
}

// From who has most, of those that are whole: false if nobody has more.
static bool rebuild(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    const struct lz_agree *a = d->agree;
    uint32_t best = node;
    uint64_t most = is_broken(d, node) ? 0 : a->applied[node] + 1; // what must be had, at least
    for (uint32_t n = 0; n < d->opts.nodes; n++) {
        if (n == node || is_broken(d, n) || !lz_consensus_are_of_one(w, d->id, n, node) ||
            a->applied[n] < most)
            continue;
        best = n;
        most = a->applied[n] + 1;
    }
    if (best == node)
        return false;
    copy_all(w, d, node, best);
    lz_instance_note(w, d->first + node, "rebuilt", "was sent all of it by %s[%u]", d->opts.name,
                     best + 1);
    return true;
}

// The next entry of its log. False: it is not kept, here or anywhere.
static bool step(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    struct lz_agree *a = d->agree;
    uint64_t index = a->applied[node] + 1;
    const struct lz_raft_entry *e = lz_consensus_entry(w, d->id, node, index);
    if (e == NULL)
        return false;
    struct lz_agree_commit *c = NULL;
    if (e->op == LZ_RAFT_PUT && e->expect != 0) {
        c = lz_pool_find(&a->commits, e->expect);
        if (c == NULL)
            return false;
    }
    if (e->op == LZ_RAFT_PUT)
        take(w, d, node, index, e, c);
    a->applied[node] = index;
    return true;
}

bool lz_agree_apply(struct lz_world *w, struct lz_database *d, uint32_t node, uint64_t index)
{
    struct lz_agree *a = d->agree;
    for (uint32_t copies = 0; copies <= 2; copies++) { // of one that is broken, and of who has more
        while (a->applied[node] < index && !is_broken(d, node) && step(w, d, node))
            continue;
        if (a->applied[node] >= index || !rebuild(w, d, node))
            break;
    }
    struct lz_database_node *n = &d->nodes[node];
    n->lsn = n->applied = a->applied[node];
    return a->applied[node] >= index;
}

// Who sent it may be behind what the node's group has applied here.
static void go_on(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    (void)lz_agree_apply(w, d, node, lz_consensus_applied(w, d->id, node));
}

void lz_agree_rewound(struct lz_world *w, void *ctx, uint32_t node, uint64_t index, uint32_t from)
{
    struct lz_database *d = ctx;
    const struct lz_agree *a = d->agree;
    if (a->applied[node] <= index || is_broken(d, from))
        return;
    copy_all(w, d, node, from);
    lz_instance_note(w, d->first + node, "rebuilt", "had what %s[%u] lacks: was sent all of it",
                     d->opts.name, from + 1);
    go_on(w, d, node);
}

void lz_agree_restored(struct lz_world *w, void *ctx, uint32_t node, uint32_t from)
{
    struct lz_database *d = ctx;
    const struct lz_agree *a = d->agree;
    if (from != node && !is_broken(d, from) && a->applied[from] >= a->applied[node])
        copy_all(w, d, node, from);
    go_on(w, d, node);
}
