#include "model/data/multi.h"

#include "base/check.h"
#include "base/grow.h"
#include "base/hash.h"
#include "model/data/leader.h"
#include "model/data/sql/replay.h"
#include "model/net/link.h"
#include "model/net/net.h"
#include "model/node/clock.h"

/*
 * A version is which node wrote it and where in its log; of one that was merged it is made from the
 * value, so that it is the same wherever the same came out. `stamps` has for each key the version
 * and when it was written, by that node's clock.
 */

#define NODE_SHIFT 40
#define MERGED (1ull << 62)

struct lz_multi {
    struct lz_multi_opts opts;
    struct lz_log *logs;    // by node
    struct lz_way *ways;    // from * nodes + to
    uint64_t *received;     // from * nodes + to: `to` has that log up to here
    struct lz_rows *stamps; // by node
    bool is_dirty;          // something changed since the rows were compared
};

struct lz_multis {
    lz_kind log;
};

static bool has_process(const struct lz_world *w, const struct lz_database *d, uint32_t node)
{
    return lz_instance_has_begun(lz_instance_get(w, d->first + node));
}

static uint32_t way(const struct lz_database *d, uint32_t from, uint32_t to)
{
    LZ_ASSERT(from != to);
    return from * d->opts.nodes + to;
}

static uint64_t version_of(uint32_t node, uint64_t lsn)
{
    return (uint64_t)(node + 1) << NODE_SHIFT | lsn;
}

// Whoever merged to the same has the same one, whatever came first.
static uint64_t merged(lz_value value)
{
    return (lz_hash_mix(value, 4) >> 2) | MERGED;
}

static void put(struct lz_database *d, uint32_t node, uint64_t key, uint64_t version, lz_time at,
                lz_value value)
{
    lz_rows_put(&d->multi->stamps[node], key, version, (uint64_t)at);
    // Snapshots of a node go by the order in which it came to know of things.
    lz_rows_put(&d->nodes[node].rows, key, ++d->nodes[node].applied, value);
    d->multi->is_dirty = true;
}

void lz_multi_wrote(struct lz_world *w, struct lz_database *d, uint32_t node, uint64_t lsn)
{
    struct lz_wal_record *r = lz_wal_get(&d->multi->logs[node].wal, lsn);
    r->before = lz_rows_get(&d->multi->stamps[node], r->key);
    r->stamp = lz_clock_read(w, d->first + node);
    put(d, node, r->key, version_of(node, lsn), r->stamp, r->value);
}

void lz_multi_ship(struct lz_world *w, struct lz_database *d, struct lz_log *log, lz_time held)
{
    uint32_t from = log->leader;
    for (uint32_t to = 0; to < d->opts.nodes; to++)
        if (to != from && has_process(w, d, to))
            lz_database_ship_to(
                w, d, log,
                &(struct lz_shipment){.way = &d->multi->ways[way(d, from, to)],
                                      .to = to,
                                      .received = d->multi->received[way(d, from, to)],
                                      .held = held});
}

struct lz_way *lz_multi_way(const struct lz_world *w, struct lz_database *d, uint32_t from,
                            uint32_t to, lz_kind *kind)
{
    *kind = w->multis->log;
    return &d->multi->ways[way(d, from, to)];
}

static enum lz_conflict_winner by_time(enum lz_multi_rule rule, const struct lz_multi_row *here,
                                       const struct lz_multi_row *there)
{
    bool is_later = there->at != here->at ? there->at > here->at : there->node > here->node;
    return is_later == (rule == LZ_MULTI_LAST_WRITER) ? LZ_CONFLICT_THERE : LZ_CONFLICT_HERE;
}

static struct lz_multi_row row_here(const struct lz_database *d, uint32_t node, uint64_t key,
                                    uint64_t *version)
{
    uint64_t at, value;
    *version = lz_rows_read(&d->multi->stamps[node], key, &at);
    lz_rows_read(&d->nodes[node].rows, key, &value);
    uint32_t writer = (*version & MERGED) != 0 ? 0 : (uint32_t)(*version >> NODE_SHIFT);
    return (struct lz_multi_row){.value = value, .at = (lz_time)at, .node = writer};
}

// Found here is another version than the one it replaced where it was made.
static void settle(struct lz_world *w, struct lz_database *d, uint32_t node, uint64_t lsn,
                   struct lz_wal_record *r, uint32_t from)
{
    const struct lz_multi_opts *o = &d->multi->opts;
    uint64_t found;
    struct lz_multi_row here = row_here(d, node, r->key, &found);
    struct lz_multi_row there = {.value = r->value, .at = r->stamp, .node = from + 1};
    lz_value value = 0;
    lz_metrics_add(w->metrics, d->series.conflicts, 1);
    enum lz_conflict_winner winner = o->rule == LZ_MULTI_ASKED
                                         ? o->ask(o->ctx, r->key, &here, &there, &value)
                                         : by_time(o->rule, &here, &there);
    uint64_t version = version_of(from, lsn);
    if (winner == LZ_CONFLICT_MERGED) {
        lz_time at = here.at > there.at ? here.at : there.at;
        put(d, node, r->key, merged(value), at, value);
    } else if (winner == LZ_CONFLICT_THERE) {
        put(d, node, r->key, version, r->stamp, r->value);
    } else if (!r->is_lost) {
        r->is_lost = true;
        lz_metrics_add(w->metrics, d->series.lost_updates, 1);
    }
}

struct stamping {
    struct lz_world *w;
    struct lz_database *d;
    uint32_t node, from;
    uint64_t version;
    struct lz_wal_record *r;
    uint64_t *refused; // keys of rows that stay as they are
    uint32_t refused_count, refused_cap;
};

static void stamp(void *ctx, uint64_t key)
{
    const struct stamping *s = ctx;
    for (uint32_t i = 0; i < s->refused_count; i++)
        if (s->refused[i] == key)
            return;
    lz_rows_put(&s->d->multi->stamps[s->node], key, s->version, (uint64_t)s->r->stamp);
}

void lz_multi_wrote_rows(struct lz_world *w, struct lz_database *d, uint32_t node, uint64_t lsn)
{
    struct lz_wal_record *r = lz_wal_get(&d->multi->logs[node].wal, lsn);
    r->stamp = lz_clock_read(w, d->first + node);
    d->multi->is_dirty = true;
    struct stamping s = {.w = w, .d = d, .node = node, .version = version_of(node, lsn), .r = r};
    lz_replay_each_key(r->image, stamp, &s);
}

// A row that is not as it was where it was changed: whose stays?
static bool takes(void *ctx, const struct lz_conflict *c)
{
    struct stamping *s = ctx;
    uint64_t at, version = lz_rows_read(&s->d->multi->stamps[s->node], c->key, &at);
    struct lz_multi_row here = {.at = (lz_time)at, .node = (uint32_t)(version >> NODE_SHIFT)};
    struct lz_multi_row there = {.at = s->r->stamp, .node = s->from + 1};
    lz_metrics_add(s->w->metrics, s->d->series.conflicts, 1);
    if (by_time(s->d->multi->opts.rule, &here, &there) == LZ_CONFLICT_THERE)
        return true;
    s->refused = lz_grow(s->w->arena, s->refused, &s->refused_cap, s->refused_count + 1,
                         sizeof(*s->refused));
    s->refused[s->refused_count++] = c->key;
    if (!s->r->is_lost) {
        s->r->is_lost = true;
        lz_metrics_add(s->w->metrics, s->d->series.lost_updates, 1);
    }
    return false;
}

static void integrate_rows(struct lz_world *w, struct lz_database *d, uint32_t node, uint32_t from,
                           uint64_t lsn)
{
    struct stamping s = {.w = w,
                         .d = d,
                         .node = node,
                         .from = from,
                         .version = version_of(from, lsn),
                         .r = lz_wal_get(&d->multi->logs[from].wal, lsn)};
    struct lz_engine *e = d->nodes[node].engine;
    struct lz_conflicts conflicts = {.rule = takes, .ctx = &s};
    // Each node commits in the order in which it came to know of things.
    e->ops->apply(e, &(struct lz_change){.lsn = e->ops->lsn(e) + 1, .image = s.r->image},
                  &conflicts);
    lz_replay_each_key(s.r->image, stamp, &s);
    lz_arena_free(w->arena, s.refused, s.refused_cap * sizeof(*s.refused));
    d->nodes[node].applied++;
    d->multi->is_dirty = true;
}

static void integrate(struct lz_world *w, struct lz_database *d, uint32_t node, uint32_t from,
                      uint64_t lsn)
{
    struct lz_wal_record *r = lz_wal_get(&d->multi->logs[from].wal, lsn);
    LZ_ASSERT(r != NULL);
    if (r->image != NULL) {
        integrate_rows(w, d, node, from, lsn);
        return;
    }
    d->multi->is_dirty = true;
    if (lz_rows_get(&d->multi->stamps[node], r->key) == r->before)
        put(d, node, r->key, version_of(from, lsn), r->stamp, r->value);
    else
        settle(w, d, node, lsn, r, from);
}

static void drop(struct lz_database *d, uint32_t from)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t to = 0; to < d->opts.nodes; to++)
        if (to != from && d->multi->received[way(d, from, to)] < least)
            least = d->multi->received[way(d, from, to)];
    lz_wal_drop(&d->multi->logs[from].wal, least);
}

static void on_log(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_at(w, lz_instance_get(w, entity)->component);
    if (lz_instance_defer(w, entity, w->multis->log, payload))
        return;
    uint32_t node = entity - d->first;
    uint32_t from = (uint32_t)(payload >> (LZ_LOG_LSN_BITS + LZ_LOG_NODE_BITS));
    if (!has_process(w, d, node))
        return; // it is sent again when it is back
    struct lz_log *log = &d->multi->logs[from];
    uint64_t *received = &d->multi->received[way(d, from, node)], before = *received;
    uint64_t lsn = lz_log_lsn_of(payload);
    uint64_t first = lz_database_first_of(log, &d->multi->ways[way(d, from, node)], lsn);
    *received = lz_wal_arrived(&log->wal, node, before, first, lsn);
    for (uint64_t l = before + 1; l <= *received; l++)
        integrate(w, d, node, from, l);
    drop(d, from);
}

void lz_multi_died(struct lz_database *d, uint32_t node, uint64_t lsn)
{
    struct lz_log *log = &d->multi->logs[node];
    uint64_t has = lsn;
    for (uint32_t to = 0; to < d->opts.nodes; to++)
        if (to != node && d->multi->received[way(d, node, to)] > has)
            has = d->multi->received[way(d, node, to)];
    log->flushed = has < log->flushed ? has : log->flushed;
}

// What was not flushed is gone, and with it its rows: they are what the next node has of them.
static void forget_unflushed(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    struct lz_log *log = &d->multi->logs[node];
    uint32_t other = (node + 1) % d->opts.nodes;
    for (uint64_t l = log->flushed + 1; l <= log->wal.last; l++) {
        uint64_t version, key = lz_wal_get(&log->wal, l)->key;
        struct lz_multi_row row = row_here(d, other, key, &version);
        put(d, node, key, version, row.at, row.value);
    }
    lz_metrics_add(w->metrics, d->series.lost_acks, lz_wal_cut(&log->wal, log->flushed));
}

// It was sent things while it had no process, and what it sent itself it may send again.
void lz_multi_started(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    if (d->multi->logs[node].wal.last > d->multi->logs[node].flushed)
        forget_unflushed(w, d, node);
    d->nodes[node].lsn = d->multi->logs[node].wal.last;
    for (uint32_t other = 0; other < d->opts.nodes; other++) {
        if (other == node)
            continue;
        uint32_t in = way(d, other, node), out = way(d, node, other);
        d->multi->ways[in].sent = d->multi->ways[in].shipped = d->multi->received[in];
        d->multi->ways[out].sent = d->multi->ways[out].shipped = d->multi->received[out];
        if (has_process(w, d, other))
            lz_database_ship(w, d, &d->multi->logs[other], 0);
    }
    lz_database_ship(w, d, &d->multi->logs[node], 0);
}

// How late the latest is that some node does not have.
static void measure_lag(struct lz_world *w, struct lz_database *d)
{
    lz_time now = lz_sim_now(w->sim), oldest = now;
    uint64_t most = 0;
    for (uint32_t from = 0; from < d->opts.nodes; from++) {
        const struct lz_wal *wal = &d->multi->logs[from].wal;
        for (uint32_t to = 0; to < d->opts.nodes; to++) {
            if (to == from || !has_process(w, d, to))
                continue;
            uint64_t have = d->multi->received[way(d, from, to)];
            const struct lz_wal_record *r = lz_wal_get(wal, have + 1);
            most = wal->last - have > most ? wal->last - have : most;
            oldest = r != NULL && r->at < oldest ? r->at : oldest;
        }
    }
    lz_metrics_set(w->metrics, d->series.lag_time, now, (double)(now - oldest) / 1e9);
    lz_metrics_set(w->metrics, d->series.lag_records, now, (double)most);
}

// What tells how far a node has come: with SQL, who wrote each row last.
static const struct lz_rows *compared(const struct lz_database *d, uint32_t node)
{
    return d->sql != NULL ? &d->multi->stamps[node] : &d->nodes[node].rows;
}

// A key that some node does not have differs too: it is counted where it is first found.
static bool differs(const struct lz_database *d, uint32_t found_at, uint64_t key)
{
    uint64_t value, other;
    bool is_different = false;
    uint64_t first = lz_rows_read(compared(d, found_at), key, &value);
    for (uint32_t n = 0; n < d->opts.nodes; n++) {
        uint64_t version = lz_rows_read(compared(d, n), key, &other);
        if (n < found_at && version != 0)
            return false; // counted there
        is_different =
            is_different || version == 0 || other != value || (d->sql != NULL && version != first);
    }
    return is_different;
}

static uint64_t count_diverged(const struct lz_database *d)
{
    uint64_t first = lz_rows_hash(&d->multi->stamps[0]), count = 0;
    bool is_equal = true;
    for (uint32_t n = 1; n < d->opts.nodes; n++)
        is_equal = is_equal && lz_rows_hash(&d->multi->stamps[n]) == first;
    for (uint32_t n = 0; n < d->opts.nodes && !is_equal; n++) {
        uint64_t key, version;
        for (uint64_t at = 0; lz_rows_next(compared(d, n), &at, &key, &version);)
            count += differs(d, n, key);
    }
    return count;
}

void lz_multi_second(struct lz_world *w, struct lz_database *d)
{
    measure_lag(w, d);
    if (!d->multi->is_dirty)
        return;
    d->multi->is_dirty = false;
    lz_metrics_set(w->metrics, d->series.diverged, lz_sim_now(w->sim), (double)count_diverged(d));
}

static double distance(struct lz_world *w, lz_instance_id from, lz_instance_id to)
{
    return lz_dist_mean(lz_link_get(w, from, to)->base);
}

lz_instance_id lz_multi_route(struct lz_world *w, struct lz_database *d, const struct lz_route *ask)
{
    uint32_t best[LZ_DATABASE_NODES_MAX], count = 0;
    double least = 0.0;
    bool is_reachable = false;
    for (uint32_t n = 0; n < d->opts.nodes; n++) {
        lz_instance_id id = d->first + n;
        bool can = lz_instance_is_up(lz_instance_get(w, id)) && lz_net_can_ask(w, ask->client, id);
        double far = distance(w, ask->client, id);
        if (is_reachable && !can)
            continue;
        if (count == 0 || far < least || (can && !is_reachable)) {
            count = 0;
            least = far;
            is_reachable = can;
        }
        if (!(far > least))
            best[count++] = n;
    }
    LZ_ASSERT(count > 0);
    if (count == 1)
        return d->first + best[0];
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), ask->path, LZ_PURPOSE_BALANCE, 0);
    return d->first + best[lz_draw_below(&draw, count)];
}

static bool check(const struct lz_database *d, struct lz_err *err)
{
    if (d->opts.nodes < 2)
        return lz_fail(err, LZ_EINVAL, "many masters are at least 2 nodes, and it has 1");
    if (d->replication.commit > LZ_COMMIT_ASYNC)
        return lz_fail(err, LZ_EINVAL,
                       "with replication = \"multi\" a write is acknowledged where it is made: "
                       "commit can be \"local\" or \"async\"");
    if (d->replication.apply_time.kind != LZ_DIST_NONE ||
        d->replication.standby_write.kind != LZ_DIST_NONE)
        return lz_fail(err, LZ_EINVAL,
                       "standby_write, apply_time and replay are about standbys, and with "
                       "replication = \"multi\" there are none");
    if (d->opts.read_replicas)
        return lz_fail(err, LZ_EINVAL,
                       "reads = \"replicas\": with replication = \"multi\" every node is a master, "
                       "and callers read at the nearest");
    return true;
}

bool lz_multi_declare(struct lz_world *w, lz_component_id id, const struct lz_multi_opts *opts,
                      struct lz_err *err)
{
    struct lz_database *d = lz_database_at(w, id);
    LZ_ASSERT(!w->running && d->multi == NULL);
    LZ_ASSERT((opts->rule == LZ_MULTI_ASKED) == (opts->ask != NULL));
    if (!check(d, err))
        return false;
    uint32_t nodes = d->opts.nodes;
    struct lz_multi *m = d->multi = lz_arena_alloc(w->arena, sizeof(*m));
    m->opts = *opts;
    m->logs = lz_arena_alloc(w->arena, nodes * sizeof(*m->logs));
    m->ways = lz_arena_alloc(w->arena, nodes * nodes * sizeof(*m->ways));
    m->received = lz_arena_alloc(w->arena, nodes * nodes * sizeof(*m->received));
    m->stamps = lz_arena_alloc(w->arena, nodes * sizeof(*m->stamps));
    for (uint32_t n = 0; n < nodes; n++) {
        m->logs[n] = (struct lz_log){.leader = n, .timeline = n};
        lz_wal_init(&m->logs[n].wal, w->arena);
        lz_rows_init(&m->stamps[n], w->arena);
        d->nodes[n].log = &m->logs[n];
    }
    d->failover.mode = LZ_FAILOVER_NONE;
    lz_metrics_set(w->metrics, d->series.primaries, lz_sim_now(w->sim), nodes);
    return true;
}

void lz_multi_init(struct lz_world *w)
{
    w->multis = lz_arena_alloc(w->arena, sizeof(*w->multis));
    w->multis->log = lz_sim_kind(w->sim, "log.master", on_log, w);
}
