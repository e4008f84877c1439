#include "base/check.h"
#include "model/data/leader.h"
#include "model/data/standby.h"
#include "model/net/link.h"
#include "model/net/net.h"
#include "model/world_kinds.h"

/*
 * The log's way to who follows it, and the confirmations' way back.
 *
 * As many messages as PostgreSQL's walsender and walreceiver exchange, or fewer. The sender sends
 * all that was flushed since it sent last (XLogSendPhysical, src/backend/replication/walsender.c):
 * here one message for each flush, of all the records it had. The receiver answers after it has
 * written what has come, and once more after it has flushed it (XLogWalRcvFlush and
 * XLogWalRcvSendReply, walreceiver.c; the documentation of wal_receiver_status_interval: "updates
 * are sent each time the write or flush positions change"): here once, for the level that commits
 * wait for. One confirmation is for all records up to its position.
 */

// A route was looked at since a process or a link changed last: what is sent on it is one event.
static struct lz_log_route *fresh_route(struct lz_world *w, const struct lz_database *d,
                                        struct lz_log_route *r, const struct lz_log_message *m)
{
    if (r->ways == w->ways && r->from == m->from && r->to == m->to)
        return r;
    lz_instance_id from = d->first + m->from, to = d->first + m->to;
    const struct lz_link *l = lz_link_get(w, from, to);
    bool is_open = l->always_ns >= 0 && !l->is_cut[0] &&
                   lz_instance_get(w, from)->state != LZ_INSTANCE_LOST &&
                   lz_instance_get(w, to)->state != LZ_INSTANCE_LOST;
    *r = (struct lz_log_route){
        .ways = w->ways, .from = m->from, .to = m->to, .line = is_open ? l->line : 0};
    return r;
}

static void send(struct lz_world *w, const struct lz_database *d, const struct lz_log_message *m,
                 struct lz_log_route *route)
{
    bool is_ack = m->kind == w->replication->ack;
    uint32_t node = is_ack ? m->from : m->to;
    uint64_t payload = lz_log_pack(m->log, m->lsn, node);
    uint64_t bytes = m->records * (uint64_t)LZ_NET_SMALL_BYTES;
    lz_line line = fresh_route(w, d, route, m)->line;
    if (line != 0 && bytes <= LZ_TCP_SEGMENT) { // nothing is drawn: nobody asks for an owner
        lz_sim_after(w->sim, line, m->kind, d->first + m->to, payload);
        return;
    }
    uint64_t owner = lz_draw_index(lz_draw_index(d->path, m->lsn), node);
    if (d->multi != NULL)
        owner = lz_draw_index(owner, m->from);
    lz_net_send(w, &(struct lz_message){.from = d->first + m->from,
                                        .to = d->first + m->to,
                                        .kind = m->kind,
                                        .payload = payload,
                                        .owner = is_ack ? ~owner : owner,
                                        .purpose = LZ_PURPOSE_LOG,
                                        .bytes = bytes,
                                        .path = m->path});
}

// The route is as it was when it was looked at last, and what is sent on it is one event.
static inline bool is_known(const struct lz_world *w, const struct lz_log_route *r, uint32_t from,
                            uint32_t to)
{
    return r->ways == w->ways && r->line != 0 && r->from == from && r->to == to;
}

void lz_database_confirm(struct lz_world *w, struct lz_database *d, uint32_t node, uint64_t lsn)
{
    const struct lz_log *log = d->nodes[node].log;
    const struct lz_log_route *back = &d->nodes[node].back;
    if (is_known(w, back, node, log->leader)) {
        lz_sim_after(w->sim, back->line, w->replication->ack, d->first + log->leader,
                     lz_log_pack(log, lsn, node));
        return;
    }
    const struct lz_log_message m = {.log = log,
                                     .kind = w->replication->ack,
                                     .from = node,
                                     .to = log->leader,
                                     .lsn = lsn,
                                     .records = 1};
    send(w, d, &m, &d->nodes[node].back);
}

static lz_time hold(struct lz_world *w, struct lz_database *d, const struct lz_log *log,
                    uint64_t records, bool *is_broken)
{
    lz_time held = 0;
    for (uint32_t i = 0; i < d->effect_count; i++) {
        struct lz_replication_effect *e = &d->effects[i];
        if (e->path == 0)
            continue;
        *e->touched += records;
        *is_broken = *is_broken || e->breaks;
        struct lz_draw draw =
            lz_draw_begin(lz_sim_key(w->sim), e->path, LZ_PURPOSE_LOG, log->flushed);
        held += e->breaks ? 0 : lz_dist_time(&e->add, &draw);
    }
    return held;
}

// The way from a log's leader to a node, and what messages on it are.
static struct lz_way *way_to(const struct lz_world *w, struct lz_database *d,
                             const struct lz_log *log, uint32_t node, lz_kind *kind)
{
    if (d->multi != NULL)
        return lz_multi_way(w, d, log->leader, node, kind);
    *kind = lz_standby_kind(w);
    return &d->nodes[node].way;
}

static void send_log(struct lz_world *w, struct lz_database *d, struct lz_log *log, uint32_t node,
                     uint64_t lsn)
{
    lz_kind kind;
    struct lz_way *way = way_to(w, d, log, node, &kind);
    LZ_ASSERT(lsn > way->shipped);
    uint64_t records = lsn - way->shipped;
    if (records * LZ_NET_SMALL_BYTES > LZ_TCP_SEGMENT && way->stream == 0)
        way->stream = lz_tcp_open(w);
    way->shipped = lsn;
    const struct lz_log_message m = {.log = log,
                                     .kind = kind,
                                     .from = log->leader,
                                     .to = node,
                                     .lsn = lsn,
                                     .records = records,
                                     .path = way->stream};
    send(w, d, &m, &way->route);
}

void lz_database_ship_to(struct lz_world *w, struct lz_database *d, struct lz_log *log,
                         const struct lz_shipment *s)
{
    struct lz_way *way = s->way;
    uint64_t lsn = log->flushed;
    if (way->sent >= lsn)
        return;
    const struct lz_wal_record *r = lz_wal_get(&log->wal, lsn);
    if (r == NULL || way->sent + r->batch < lsn) {
        way->catch_first = way->catch_last > s->received ? way->catch_first : way->sent + 1;
        way->catch_last = lsn;
    }
    bool is_any_held = way->sent != way->shipped; // what is may fall due in this very instant
    way->sent = lsn;
    lz_time now = lz_sim_now(w->sim), due = now + s->held;
    if (due < way->held_until)
        due = way->held_until; // a stream: nothing overtakes
    if (due == now && !is_any_held) {
        send_log(w, d, log, s->to, lsn);
        return;
    }
    way->held_until = due;
    lz_sim_at(w->sim, due, w->replication->held, d->first + log->leader,
              lz_log_pack(log, lsn, s->to));
}

uint64_t lz_database_first_of(const struct lz_log *log, const struct lz_way *way, uint64_t lsn)
{
    const struct lz_wal_record *r = lz_wal_get(&log->wal, lsn);
    if (lsn == way->catch_last)
        return way->catch_first;
    return r != NULL && r->batch > 0 ? lsn + 1 - r->batch : lsn;
}

/*
 * The usual: what was flushed now is all that it lacks, nothing holds it up, and it is one small
 * message on a known route. False: it is for lz_database_ship_to.
 */
static inline bool ship_plainly(struct lz_world *w, const struct lz_database *d,
                                const struct lz_log *log, uint32_t node, uint64_t records)
{
    struct lz_way *way = &d->nodes[node].way;
    uint64_t lsn = log->flushed, before = lsn - records;
    bool is_plain = way->sent == before && way->shipped == before &&
                    way->held_until <= lz_sim_now(w->sim) &&
                    records <= LZ_TCP_SEGMENT / LZ_NET_SMALL_BYTES &&
                    is_known(w, &way->route, log->leader, node);
    if (!is_plain)
        return false;
    way->sent = way->shipped = lsn;
    lz_sim_after(w->sim, way->route.line, lz_standby_kind(w), d->first + node,
                 lz_log_pack(log, lsn, node));
    return true;
}

static void ship_to_standbys(struct lz_world *w, struct lz_database *d, struct lz_log *log,
                             uint64_t records, lz_time held)
{
    for (uint32_t n = 0; n < d->opts.nodes; n++) {
        struct lz_database_node *to = &d->nodes[n];
        bool follows =
            n != log->leader && to->log == log && !to->is_stale && lz_database_has_process(w, d, n);
        if (!follows)
            continue;
        if (d->encrypt == NULL && held == 0 && records > 0 && ship_plainly(w, d, log, n, records))
            continue;
        if (d->encrypt == NULL || lz_encrypt_connects(w, d, log->leader, n))
            lz_database_ship_to(
                w, d, log,
                &(struct lz_shipment){.way = &to->way, .to = n, .received = to->lsn, .held = held});
    }
}

void lz_database_ship(struct lz_world *w, struct lz_database *d, struct lz_log *log,
                      uint64_t records)
{
    bool is_broken = false;
    lz_time held = d->effect_count > 0 ? hold(w, d, log, records, &is_broken) : 0;
    if (is_broken)
        return;
    if (d->multi != NULL)
        lz_multi_ship(w, d, log, held);
    else
        ship_to_standbys(w, d, log, records, held);
}

// Standbys connect anew, each from where its log ends: what was on its way to one when the host of
// who leads was lost has never come (walreceiver.c, START_REPLICATION).
void lz_ship_again(struct lz_world *w, struct lz_database *d)
{
    bool is_any = false;
    for (uint32_t i = 0; i < d->opts.nodes; i++) {
        struct lz_database_node *n = &d->nodes[i];
        if (i == d->primary || n->log != &d->log || n->is_stale || n->lsn >= n->way.sent)
            continue;
        n->way.sent = n->way.shipped = n->lsn;
        n->way.catch_first = n->way.catch_last = 0;
        is_any = true;
    }
    if (is_any)
        lz_database_ship(w, d, &d->log, 0);
}

void lz_ship_held(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_here(w, entity);
    if (lz_instance_defer(w, entity, w->replication->held, payload))
        return;
    struct lz_log *log = d->nodes[entity - d->first].log;
    uint32_t node = lz_log_node_of(payload);
    bool is_led = log->leader == entity - d->first && lz_log_is_current(log, payload);
    bool is_followed = d->multi != NULL || d->nodes[node].log == log;
    if (!is_led || !lz_instance_has_begun(lz_instance_get(w, entity)) || !is_followed)
        return;
    // Not what went with the rest when its standby connected anew.
    lz_kind kind;
    uint64_t lsn = lz_log_lsn_of(payload);
    if (lsn > way_to(w, d, log, node, &kind)->shipped)
        send_log(w, d, log, node, lsn);
}
