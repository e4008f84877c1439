#include "model/data/replicate.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/data/leader.h"
#include "model/data/multi.h"
#include "model/data/sql/execute.h"
#include "model/data/sql/isolate.h"
#include "model/data/standby.h"
#include "model/net/net.h"
#include "model/node/disk.h"
#include "model/service/argument.h"
#include "model/service/fence.h"
#include "model/service/task.h"
#include "model/world_kinds.h"

/*
 * The primary's side: the log is appended to and flushed; confirmations come back. How it is
 * shipped is in ship.c.
 *
 *   append ──▶ wal.last ──flush──▶ flushed ──ship──▶ sent (to each) ──ack──▶ acked (of each)
 */

#define FLUSH_OF 0x100u // beside the nodes, among the owners of a record's draws

// Who may still need a record: standbys, snapshots, and a primary that may have to forget.
static void drop_log(struct lz_world *w, struct lz_database *d, uint64_t least)
{
    struct lz_log *log = &d->log;
    // A primary without power may have to forget: what it would is kept.
    uint64_t durable = lz_disk_durable(w, d->first + d->primary, log->flushed);
    // So may a standby, and one without a process comes back with what it has, and may lead.
    for (uint32_t n = 0; n < d->opts.nodes; n++) {
        if (n == d->primary || d->nodes[n].log != log)
            continue;
        uint64_t has = lz_disk_durable(w, d->first + n, d->nodes[n].applied);
        least = has < least ? has : least;
    }
    uint64_t seen = d->nodes[d->primary].applied; // what is not yet is taken from there
    least = seen < least ? seen : least;
    if (d->sql != NULL) { // snapshots are gone back to along the log
        uint64_t oldest = lz_isolate_oldest(d);
        least = oldest < least ? oldest : least;
    }
    lz_wal_drop(&log->wal, least < durable ? least : durable);
}

// As far as the slowest of those that follow and have a process: `last` if there is none.
static uint64_t slowest(const struct lz_world *w, const struct lz_database *d, uint64_t last)
{
    uint64_t least = last;
    for (uint32_t n = 0; n < d->opts.nodes; n++)
        if (d->nodes[n].applied < least && n != d->primary && d->nodes[n].log == &d->log &&
            lz_database_has_process(w, d, n))
            least = d->nodes[n].applied;
    return least;
}

static void note_lag(struct lz_world *w, const struct lz_database *d, uint64_t last, uint64_t least)
{
    lz_time now = lz_sim_now(w->sim);
    double lag_s = 0.0;
    if (least < last) {
        const struct lz_wal_record *missing = lz_wal_get(&d->log.wal, least + 1);
        lag_s = missing != NULL ? (double)(now - missing->at) / 1e9 : 0.0;
    }
    lz_metrics_set_on(w->metrics, d->series.lag_time_on, now, lag_s);
    lz_metrics_set_on(w->metrics, d->series.lag_records_on, now, (double)(last - least));
}

void lz_database_measure_lag(struct lz_world *w, struct lz_database *d)
{
    if (d->multi != NULL || d->agree != NULL)
        return; // every second is enough for so many ways
    const struct lz_wal *wal = &d->log.wal;
    bool is_heard =
        !lz_metrics_is_deaf(d->series.lag_time_on) || !lz_metrics_is_deaf(d->series.lag_records_on);
    if (!is_heard && !lz_wal_may_drop(wal, wal->last))
        return;
    uint64_t last = d->nodes[d->primary].lsn, least = slowest(w, d, last);
    if (is_heard)
        note_lag(w, d, last, least);
    if (lz_wal_may_drop(wal, least))
        drop_log(w, d, least);
}

// What the primary's disk has been asked to keep, and what it would keep.
static void note_flush(struct lz_world *w, struct lz_database *d, const struct lz_log *log)
{
    lz_instance_id leader = d->first + log->leader;
    lz_disk_flushed(w, leader, log->flushed);
    if (log != &d->log)
        return;
    double at_risk = (double)(log->wal.last - lz_disk_durable(w, leader, log->flushed));
    lz_metrics_set_on(w->metrics, d->series.unflushed_on, lz_sim_now(w->sim), at_risk);
}

static void flushed(struct lz_world *w, struct lz_database *d, struct lz_log *log, uint64_t lsn)
{
    uint64_t records = lsn - log->flushed;
    LZ_ASSERT(records > 0);
    lz_wal_get(&log->wal, lsn)->batch = (uint32_t)records;
    log->flushed = lsn;
    note_flush(w, d, log);
    lz_database_ship(w, d, log, records);
    lz_database_commit_safe(w, d, log);
}

// One flush is under way at a time; the next takes all that have come meanwhile.
static void flush(struct lz_world *w, struct lz_database *d, struct lz_log *log)
{
    uint64_t lsn = log->wal.last;
    if (lsn == log->flushed || log->flushing != 0)
        return;
    lz_time bytes = d->checkpoints != NULL ? lz_checkpoint_flush(d) : 0, took = bytes;
    if (d->replication.wal_flush.kind != LZ_DIST_NONE) {
        uint64_t owner = lz_draw_index(lz_draw_index(d->path, lsn), FLUSH_OF + log->leader);
        struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), owner, LZ_PURPOSE_LOG, 0);
        took += lz_dist_time(&d->replication.wal_flush, &draw);
    } else if (bytes == 0) {
        flushed(w, d, log, lsn);
        return;
    }
    log->flushing = lsn;
    lz_sim_at(w->sim, lz_sim_now(w->sim) + took, w->replication->flushed, d->first + log->leader,
              d->nodes[log->leader].epoch);
}

static void on_flushed(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_here(w, entity);
    if (lz_instance_defer(w, entity, w->replication->flushed, payload))
        return;
    struct lz_database_node *n = &d->nodes[entity - d->first];
    if (n->epoch != payload)
        return; // of a process that is gone, or of one that no longer leads
    struct lz_log *log = n->log;
    uint64_t lsn = log->flushing;
    log->flushing = 0;
    flushed(w, d, log, lsn);
    if (d->replication.commit != LZ_COMMIT_ASYNC)
        flush(w, d, log);
    lz_database_measure_lag(w, d);
}

// The WAL writer comes every so often; its phase is its own.
static void await_writer(struct lz_world *w, struct lz_database *d, struct lz_log *log)
{
    if (log->is_awaited)
        return;
    log->is_awaited = true;
    lz_time delay = d->replication.wal_writer_delay, now = lz_sim_now(w->sim);
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), lz_draw_index(d->path, log->leader), LZ_PURPOSE_PHASE, 0);
    lz_time phase = (lz_time)lz_draw_below(&draw, (uint64_t)delay);
    lz_time at = now - (now - phase) % delay + (now < phase ? 0 : delay);
    LZ_ASSERT(at > now);
    lz_sim_at(w->sim, at, w->replication->writer, d->first + log->leader,
              d->nodes[log->leader].epoch);
}

static void on_writer(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_here(w, entity);
    if (lz_instance_defer(w, entity, w->replication->writer, payload))
        return;
    struct lz_database_node *n = &d->nodes[entity - d->first];
    if (n->epoch != payload)
        return;
    n->log->is_awaited = false;
    flush(w, d, n->log);
    if (n->log->wal.last > n->log->flushed && n->log->flushing != n->log->wal.last)
        await_writer(w, d, n->log);
    lz_database_measure_lag(w, d);
}

uint64_t lz_database_append(struct lz_world *w, struct lz_database *d, uint32_t node,
                            const struct lz_change *c)
{
    struct lz_database_node *n = &d->nodes[node];
    struct lz_log *log = n->log;
    LZ_ASSERT(log->leader == node);
    uint64_t lsn = lz_wal_append(&log->wal, c->key, &c->value, lz_sim_now(w->sim));
    LZ_ASSERT(lsn == n->lsn + 1);
    n->lsn = lsn;
    if (d->multi == NULL && !lz_visible_is_late(d))
        n->applied = lsn;
    if (log->is_branch)
        lz_split_wrote(w, d, log, c->key);
    if (c->image != NULL)
        lz_wal_get(&log->wal, lsn)->image = lz_image_hold((struct lz_image *)c->image);
    if (d->checkpoints != NULL) {
        double bytes = lz_checkpoint_wrote(w, d, c->key, c->image);
        if (d->retain != NULL && log == &d->log)
            lz_retain_wrote(w, d, lsn, bytes);
    }
    if (d->backups != NULL && log == &d->log)
        lz_backup_wrote(w, d, lsn);
    return lsn;
}

void lz_database_appended(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    struct lz_log *log = d->nodes[node].log;
    if (d->replication.commit == LZ_COMMIT_ASYNC)
        await_writer(w, d, log);
    else
        flush(w, d, log);
}

void lz_database_write(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    uint32_t node = t->server - d->first;
    struct lz_log *log = d->nodes[node].log;
    LZ_ASSERT(lz_database_takes_writes(w, d, node));
    lz_argument_id argument = lz_argument_of(w, t);
    // What none was said for is told apart by where it was written.
    uint64_t own = (log->wal.last + 1) | (d->multi != NULL ? (uint64_t)(node + 1) << 40 : 0);
    if (d->agree != NULL)
        own = lz_agree_next(w, d, node);
    lz_value said = lz_argument_to_value(w, argument); // it may have brought a token alone
    lz_value value = said != 0 ? said : lz_value_integer((int64_t)own);
    lz_fence_accepted(w, t);
    if (d->agree != NULL) {
        (void)lz_agree_write(w, d, t, value); // it leads: that was looked at
        return;
    }
    struct lz_change change = {.key = t->key, .value = value};
    uint64_t lsn = lz_database_append(w, d, node, &change);
    if (d->multi != NULL)
        lz_multi_wrote(w, d, node, lsn);
    else if (!lz_visible_is_late(d))
        lz_database_put(&d->nodes[node], lz_wal_get(&log->wal, lsn), lsn);
    lz_database_appended(w, d, node);
    lz_database_commit(w, d, t, lsn);
    lz_database_measure_lag(w, d);
}

static void on_ack(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_here(w, entity);
    if (lz_instance_defer(w, entity, w->replication->ack, payload))
        return;
    struct lz_log *log = d->nodes[entity - d->first].log;
    if (!lz_instance_has_begun(lz_instance_get(w, entity)) || !lz_log_is_current(log, payload) ||
        entity != d->first + log->leader)
        return;
    struct lz_database_node *n = &d->nodes[lz_log_node_of(payload)];
    if (lz_log_lsn_of(payload) > n->acked)
        n->acked = lz_log_lsn_of(payload);
    lz_database_commit_safe(w, d, log);
    lz_database_measure_lag(w, d);
}

void lz_database_died(struct lz_world *w, struct lz_database *d, uint32_t node, bool silent)
{
    struct lz_database_node *n = &d->nodes[node];
    struct lz_log *log = n->log;
    if (d->agree != NULL) {
        lz_agree_died(w, d, node, silent);
        return;
    }
    if (log->is_branch && log->leader == node) {
        lz_split_end(w, d, log);
    } else if (log->leader == node) {
        n->lsn = log->flushed < n->lsn ? log->flushed : n->lsn;
        log->flushing = 0;
        log->is_awaited = false;
    } else if (n->flushed < n->lsn && silent) {
        n->lsn = n->flushed; // what was only written is gone with the system's memory
    }
    if (d->sql != NULL) // its file says how far it is
        n->lsn = lz_execute_died(w, d, node, silent, n->lsn);
    else if (silent) // the power is gone, and with it what only the disk's cache had
        n->lsn = lz_disk_durable(w, d->first + node, n->lsn);
    if (silent)
        lz_disk_is_whole(w, d->first + node);
    if (d->multi != NULL) {
        lz_multi_died(d, node, n->lsn);
        n->epoch++; // a master has no standby's rounds
    } else {
        lz_standby_died(n);
    }
}

// Rebuilt from the primary (pg_rewind, pg_basebackup), whatever it had.
void lz_database_rejoin(struct lz_world *w, struct lz_database *d, lz_instance_id node)
{
    uint32_t i = node - d->first;
    LZ_ASSERT(i != d->primary);
    struct lz_database_node *n = &d->nodes[i];
    LZ_ASSERT(n->is_stale);
    const struct lz_database_node *p = &d->nodes[d->primary];
    n->engine->ops->copy(n->engine, p->engine);
    if (d->sql != NULL)
        lz_execute_rebuilt(w, d, i);
    n->log = &d->log;
    lz_standby_set(n, d->log.flushed);
    if (p->applied < n->applied) { // the rows it was given lack what is in the log alone
        n->applied = p->applied;
        lz_standby_catch_up(w, d, i);
    }
    n->is_stale = false;
    if (d->retain != NULL)
        lz_retain_rejoined(w, d, i);
    lz_disk_written_anew(w, node);
    lz_instance_note(w, node, "rejoined", "follows %s[%u]", d->opts.name, d->primary + 1);
    lz_database_confirm(w, d, i, n->lsn);
    lz_database_measure_lag(w, d);
}

uint32_t lz_replication_disturb(struct lz_world *w, lz_component_id id,
                                const struct lz_replication_effect *effect)
{
    struct lz_database *d = lz_database_at(w, id);
    LZ_ASSERT(effect->path != 0);
    LZ_ASSERT(effect->touched != NULL);
    uint32_t i = 0;
    while (i < d->effect_count && d->effects[i].path != 0)
        i++;
    d->effects = lz_grow(w->arena, d->effects, &d->effect_cap, i + 1, sizeof(*d->effects));
    d->effects[i] = *effect;
    d->effect_count = i + 1 > d->effect_count ? i + 1 : d->effect_count;
    return i + 1;
}

void lz_replication_undo(struct lz_world *w, lz_component_id id, uint32_t effect)
{
    struct lz_database *d = lz_database_at(w, id);
    LZ_ASSERT(effect >= 1 && effect <= d->effect_count);
    d->effects[effect - 1] = (struct lz_replication_effect){0};
    while (d->effect_count > 0 && d->effects[d->effect_count - 1].path == 0)
        d->effect_count--;
    for (uint32_t n = 0; n < d->opts.nodes; n++)
        if (d->nodes[n].log->leader == n && lz_database_has_process(w, d, n))
            lz_database_ship(w, d, d->nodes[n].log, 0);
}

// A standby that has said nothing for so long is no longer waited for by name.
static void on_timeout(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_at(w, entity);
    lz_database_commit_safe(w, d, &d->log);
}

void lz_database_watch_standbys(struct lz_world *w, struct lz_database *d)
{
    if (d->replication.priority_count == 0)
        return;
    lz_time now = lz_sim_now(w->sim);
    lz_instance_id leader = d->first + d->primary;
    for (uint32_t n = 0; n < d->opts.nodes; n++) {
        bool is_heard = n == d->primary || (lz_net_can_ask(w, leader, d->first + n) &&
                                            lz_net_can_ask(w, d->first + n, leader));
        struct lz_database_node *node = &d->nodes[n];
        if (is_heard) {
            node->silent_since = -1;
        } else if (node->silent_since < 0) {
            node->silent_since = now;
            lz_sim_at(w->sim, now + d->replication.sender_timeout, w->replication->timeout, d->id,
                      n);
        }
    }
    lz_database_commit_safe(w, d, &d->log); // who was waited for may be gone
}

static bool check(const struct lz_database *d, const struct lz_replication_opts *o,
                  struct lz_err *err)
{
    uint32_t standbys = d->opts.nodes - 1, quorum = o->quorum > 0 ? o->quorum : 1;
    bool is_remote = o->commit > LZ_COMMIT_ASYNC;
    if (!is_remote && (o->quorum > 0 || o->priority_count > 0))
        return lz_fail(err, LZ_EINVAL,
                       "quorum and priority are about standbys, and this commit waits for none: "
                       "give commit = \"on\", \"remote_write\" or \"remote_apply\"");
    if (!is_remote)
        return true;
    if (standbys == 0)
        return lz_fail(err, LZ_EINVAL,
                       "synchronous replication needs at least 2 nodes: nobody could confirm a "
                       "write");
    if (quorum > standbys)
        return lz_fail(err, LZ_EINVAL,
                       "quorum must be at most the number of standbys, %u, got %u: no write would "
                       "ever be acknowledged",
                       standbys, quorum);
    for (uint32_t i = 0; i < o->priority_count; i++) {
        if (o->priority[i] < 1 || o->priority[i] > d->opts.nodes)
            return lz_fail(err, LZ_EINVAL, "priority lists nodes by number, 1 to %u, and has %u",
                           d->opts.nodes, o->priority[i]);
        for (uint32_t k = 0; k < i; k++)
            if (o->priority[i] == o->priority[k])
                return lz_fail(err, LZ_EINVAL, "priority lists node %u twice", o->priority[i]);
    }
    if (o->priority_count > 0 && o->priority_count <= quorum && o->priority_count < d->opts.nodes)
        return lz_fail(err, LZ_EINVAL,
                       "priority must list more nodes than the %u of quorum, got %u: one of them "
                       "leads, and would leave too few",
                       quorum, o->priority_count);
    return true;
}

bool lz_replication_declare(struct lz_world *w, lz_component_id id,
                            const struct lz_replication_opts *opts, struct lz_err *err)
{
    struct lz_database *d = lz_database_at(w, id);
    LZ_ASSERT(!w->running);
    if (!check(d, opts, err))
        return false;
    struct lz_replication_opts *o = &d->replication;
    *o = *opts;
    if (o->quorum == 0)
        o->quorum = 1;
    if (o->wal_writer_delay == 0)
        o->wal_writer_delay = 200 * LZ_MS;
    if (o->sender_timeout == 0)
        o->sender_timeout = 60 * LZ_S;
    return true;
}

void lz_replicate_init(struct lz_world *w)
{
    w->replication = lz_arena_alloc(w->arena, sizeof(*w->replication));
    lz_standby_init(w); // registers "log" first, as it always was
    w->replication->ack = lz_sim_kind(w->sim, "log.ack", on_ack, w);
    w->replication->flushed = lz_sim_kind(w->sim, "wal.flushed", on_flushed, w);
    w->replication->writer = lz_sim_kind(w->sim, "wal.writer", on_writer, w);
    w->replication->held = lz_sim_kind(w->sim, "log.held", lz_ship_held, w);
    w->replication->timeout = lz_sim_kind(w->sim, "standby.timeout", on_timeout, w);
}
