#include "base/check.h"
#include "base/grow.h"
#include "model/data/leader.h"
#include "model/data/query.h"
#include "model/data/standby.h"

/*
 * Two primaries. An unfenced leader that was given up and still runs keeps a *branch*: the log from
 * where the new timeline begins. Nodes that reach it and not the new leader follow it on. Nothing
 * of a branch comes into the log that counts: what is acknowledged there is lost, and the rows it
 * wrote have diverged, until it can reach the new leader, steps down and is copied from it.
 */

struct lz_branch {
    struct lz_log log; /* first */
    uint64_t fork;     /* the last record both have */
    struct lz_rows keys;
    bool is_over;
};

static struct lz_branch *branch_of(struct lz_log *log)
{
    return (struct lz_branch *)log;
}

static void measure(struct lz_world *w, struct lz_database *d)
{
    lz_time now = lz_sim_now(w->sim);
    uint32_t primaries = 1;
    uint64_t rows = 0;
    for (uint32_t i = 0; i < d->branch_count; i++) {
        const struct lz_branch *b = d->branches[i];
        primaries += !b->is_over;
        rows += b->is_over ? 0 : b->keys.count;
    }
    if (d->split_since >= 0)
        lz_metrics_add(w->metrics, d->series.two_primaries, (uint64_t)(now - d->split_since));
    d->split_since = primaries > 1 ? now : -1;
    lz_metrics_set(w->metrics, d->series.primaries, now, primaries);
    lz_metrics_set(w->metrics, d->series.diverged, now, (double)rows);
}

static struct lz_branch *make(struct lz_world *w, struct lz_database *d)
{
    struct lz_branch *b = lz_arena_alloc(w->arena, sizeof(*b));
    lz_wal_init(&b->log.wal, w->arena);
    lz_rows_init(&b->keys, w->arena);
    uint32_t i = 0;
    while (i < d->branch_count && !d->branches[i]->is_over)
        i++;
    d->branches = lz_grow(w->arena, d->branches, &d->branch_cap, i + 1, sizeof(*d->branches));
    if (i < d->branch_count)
        lz_arena_free(w->arena, d->branches[i], sizeof(*b));
    else
        d->branch_count++;
    d->branches[i] = b;
    return b;
}

static bool stays_with(struct lz_world *w, const struct lz_database *d, uint32_t i, uint32_t old,
                       uint32_t leader)
{
    const struct lz_database_node *n = &d->nodes[i];
    if (i == old || i == leader || n->is_stale || n->log != &d->log)
        return false;
    return lz_leader_reaches(w, d->first + old, d->first + i) &&
           !lz_leader_reaches(w, d->first + leader, d->first + i);
}

uint64_t lz_split_begin(struct lz_world *w, struct lz_database *d, uint32_t node, uint32_t leader,
                        uint64_t lsn)
{
    LZ_ASSERT(d->nodes[node].log == &d->log);
    LZ_ASSERT(d->log.leader == node);
    struct lz_branch *b = make(w, d);
    struct lz_log *log = &b->log, *from = &d->log;
    if (d->nodes[node].applied < lsn)
        lz_visible_advance(d, from, lsn); // a standby has it, and leads with it
    log->timeline = from->timeline;
    log->leader = node;
    log->is_branch = true;
    log->flushed = from->flushed;
    log->flushing = from->flushing;
    log->is_awaited = from->is_awaited;
    log->commit_first = from->commit_first;
    log->commit_last = from->commit_last;
    from->commit_first = from->commit_last = 0;
    b->fork = lsn;
    uint64_t acked = lz_wal_fork(&from->wal, lsn, &log->wal);
    for (uint64_t l = lsn + 1; l <= log->wal.last; l++)
        lz_rows_put(&b->keys, lz_wal_get(&log->wal, l)->key, l, 0);
    for (uint32_t i = 0; i < d->opts.nodes; i++)
        if (stays_with(w, d, i, node, leader))
            d->nodes[i].log = log;
    d->nodes[node].log = log;
    lz_instance_note(w, d->first + node, "split_brain", "goes on taking writes: nobody fenced it");
    measure(w, d);
    return acked;
}

void lz_split_wrote(struct lz_world *w, struct lz_database *d, struct lz_log *log, uint64_t key)
{
    LZ_ASSERT(log->is_branch);
    struct lz_branch *b = branch_of(log);
    uint32_t before = b->keys.count;
    lz_rows_put(&b->keys, key, log->wal.last, 0);
    if (b->keys.count != before)
        measure(w, d);
}

bool lz_split_misses(const struct lz_log *log, uint64_t acked_version)
{
    return acked_version > ((const struct lz_branch *)log)->fork;
}

// Its nodes have records of their own, which the log that counts does not know.
static void leave(struct lz_database *d, struct lz_branch *b, uint32_t i)
{
    struct lz_database_node *n = &d->nodes[i];
    n->own_records = n->lsn > b->fork ? b->keys.count : 0;
    n->log = &d->log;
    n->is_stale = n->must_copy = true;
    n->lsn = n->lsn < b->fork ? n->lsn : b->fork;
    n->flushed = n->lsn; // that it led from there
    lz_standby_died(n);
}

void lz_split_end(struct lz_world *w, struct lz_database *d, struct lz_log *log)
{
    struct lz_branch *b = branch_of(log);
    LZ_ASSERT(log != &d->log && !b->is_over);
    uint32_t leader = log->leader;
    lz_query_break_all(w, d, d->first + leader, false);
    d->nodes[leader].has_led = true;
    lz_instance_note(w, d->first + leader, "demoted", "%u rows of its own are given up",
                     b->keys.count);
    for (uint32_t i = 0; i < d->opts.nodes; i++)
        if (d->nodes[i].log == log)
            leave(d, b, i);
    b->is_over = true;
    lz_wal_finish(&log->wal);
    lz_rows_finish(&b->keys);
    measure(w, d);
}

void lz_split_reconsider(struct lz_world *w, struct lz_database *d)
{
    for (uint32_t i = 0; i < d->branch_count; i++) {
        struct lz_branch *b = d->branches[i];
        if (b->is_over || d->split_count > 0)
            continue;
        lz_instance_id primary = d->first + d->primary, leader = d->first + b->log.leader;
        if (lz_instance_is_up(lz_instance_get(w, primary)) && lz_leader_reaches(w, primary, leader))
            lz_split_end(w, d, &b->log);
    }
}

void lz_split_second(struct lz_world *w, struct lz_database *d)
{
    if (d->split_since < 0)
        return;
    if (d->split_touched != NULL)
        ++*d->split_touched;
    measure(w, d);
}
