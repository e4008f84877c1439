#include "live/net/shaper.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/net/impair.h"
#include "live/net/tc.h"

#define ROOT LZ_TC_HANDLE(1, 0)
#define TOP UINT32_MAX      // TC_H_ROOT: below the interface itself
#define FIRST_HANDLE 0x100u // of qdiscs in chains
#define CHAIN_MAX 8         // toxics at once on one way
#define HELD_MAX 65536u     // packets in a netem, as in the carrier's queue
#define SAMPLES 8192        // of a distribution
#define SPREAD 3.99         // jitters between the middle of a table and its ends
#define BURST_MIN 3028u     // two packets with their headers
#define BURST_S 0.001
#define NOTHING_RATE 12500000000.0

enum qdisc { NETEM, TBF, QDISCS };

static const char *const qdisc_names[QDISCS] = {[NETEM] = "netem", [TBF] = "tbf"};

// One qdisc of a chain, and whose it is.
struct level {
    enum qdisc qdisc;
    uint32_t toxic; // its id; 0: it does nothing now
    struct lz_tc_counts base;
};

struct way {
    int fd, interface; // where packets leave, and a socket of that namespace
    uint32_t root;     // of which interface, in `is_rooted`
    struct level chain[CHAIN_MAX];
    size_t len;
    bool has_class, is_led; // filters lead packets here
};

struct toxic {
    bool is_used;
    enum lz_toxic_kind kind;
    uint32_t edge;
    uint64_t touched; // when it was last asked for
};

struct lz_shaper {
    const struct lz_spaces *spaces;
    uint64_t run_key;
    struct lz_cable_edge *edges;
    uint32_t edge_count;
    bool has[QDISCS];
    char lacks[QDISCS][LZ_ERR_SIZE];
    int own;         // sockets: of the run's namespace, and of each node's that is a client's
    int *nodes;      // -1: of nobody's
    bool *is_rooted; // the loopback, then both ends of each node's link
    size_t node_count;
    struct way *ways; // of edge e: 2e up, 2e + 1 down
    struct toxic toxics[LZ_CABLE_TOXICS_MAX];
    uint32_t next_toxic;
    struct lz_netlink_batch batch;
    int16_t table[SAMPLES];
};

static bool ask(struct lz_shaper *s, int fd, const char *what, struct lz_err *err)
{
    return lz_netlink_ask(fd, &s->batch, NULL, err) || lz_fail_in(err, "%s", what);
}

// ---------------------------------------------------------------- what the kernel has

// On the run's own loopback, where nothing is yet.
static bool try_qdisc(struct lz_shaper *s, int fd, enum qdisc q, struct lz_err *err)
{
    const struct lz_tc_place root = {LZ_SPACES_LOOPBACK, TOP, ROOT};
    const struct lz_tc_place class = {LZ_SPACES_LOOPBACK, ROOT, ROOT + 1};
    const struct lz_tc_place leaf = {LZ_SPACES_LOOPBACK, ROOT + 1, LZ_TC_HANDLE(FIRST_HANDLE, 0)};
    lz_netlink_start(&s->batch);
    lz_tc_put_htb(&s->batch, &root);
    if (!ask(s, fd, "this kernel has no htb (sch_htb)", err))
        return false;
    lz_netlink_start(&s->batch);
    lz_tc_put_class(&s->batch, &class);
    lz_tc_put_filter(&s->batch, &class, 1, &(struct lz_tc_match){.target = 1});
    bool ok = ask(s, fd, "this kernel has no u32 (cls_u32)", err);
    if (ok) {
        lz_netlink_start(&s->batch);
        if (q == NETEM)
            lz_tc_put_netem(&s->batch, &leaf, false, &(struct lz_tc_netem){.limit = HELD_MAX});
        else
            lz_tc_put_tbf(&s->batch, &leaf, false,
                          &(struct lz_tc_tbf){NOTHING_RATE, BURST_MIN, BURST_MIN});
        ok = ask(s, fd,
                 q == NETEM ? "this kernel has no netem (sch_netem)"
                            : "this kernel has no tbf (sch_tbf)",
                 err);
    }
    struct lz_err gone;
    lz_netlink_start(&s->batch);
    lz_tc_put_no_qdisc(&s->batch, &root);
    return ask(s, fd, "a qdisc cannot be taken away", ok ? err : &gone) && ok;
}

static bool try_here(enum qdisc q, struct lz_err *err)
{
    struct lz_shaper *s = lz_mem_alloc(sizeof(*s));
    int fd;
    bool ok = lz_netlink_open(LZ_SPACES_ROUTE, &fd, err);
    if (ok) {
        ok = try_qdisc(s, fd, q, err);
        close(fd);
    }
    free(s);
    return ok;
}

static bool try_netem(struct lz_err *err)
{
    return try_here(NETEM, err);
}

static bool try_tbf(struct lz_err *err)
{
    return try_here(TBF, err);
}

bool lz_shaper_probe_netem(struct lz_str *saw)
{
    return lz_spaces_probe_by(try_netem, "netem can be put on an interface", saw);
}

bool lz_shaper_probe_tbf(struct lz_str *saw)
{
    return lz_spaces_probe_by(try_tbf, "tbf can be put on an interface", saw);
}

// ---------------------------------------------------------------- making

static bool open_nodes(struct lz_shaper *s, struct lz_err *err)
{
    for (uint32_t i = 0; i < s->edge_count; i++) {
        size_t node = s->edges[i].client != 0 ? lz_spaces_index(s->edges[i].client) : SIZE_MAX;
        if (node != SIZE_MAX && s->nodes[node] < 0 &&
            !lz_spaces_open_route(s->spaces, node, &s->nodes[node], err))
            return false;
    }
    return true;
}

static void place_ways(struct lz_shaper *s)
{
    for (uint32_t i = 0; i < s->edge_count; i++) {
        struct way *up = &s->ways[2 * i], *down = &s->ways[2 * i + 1];
        *up = (struct way){.fd = s->own, .interface = LZ_SPACES_LOOPBACK};
        *down = *up;
        if (s->edges[i].client == 0)
            continue;
        size_t node = lz_spaces_index(s->edges[i].client);
        *up = (struct way){.fd = s->nodes[node],
                           .interface = LZ_SPACES_INNER_LINK,
                           .root = 1 + 2 * (uint32_t)node};
        *down = (struct way){
            .fd = s->own, .interface = lz_spaces_link(node), .root = 2 + 2 * (uint32_t)node};
    }
}

static bool send_single_packets(struct lz_shaper *s, struct lz_err *err)
{
    for (uint32_t i = 0; i < 2 * s->edge_count; i++) {
        lz_netlink_start(&s->batch);
        lz_spaces_put_single(&s->batch, s->ways[i].interface);
        if (!ask(s, s->ways[i].fd, "an interface cannot be told to send single packets", err))
            return false;
    }
    return true;
}

bool lz_shaper_create(struct lz_shaper **out, const struct lz_shaper_opts *opts, struct lz_err *err)
{
    struct lz_shaper *s = lz_mem_alloc(sizeof(*s));
    memset(s, 0, sizeof(*s));
    s->spaces = opts->spaces;
    s->run_key = opts->run_key;
    s->edge_count = opts->edge_count;
    s->node_count = lz_spaces_count(opts->spaces);
    s->own = -1;
    s->edges = lz_mem_alloc((s->edge_count + 1) * sizeof(s->edges[0]));
    if (s->edge_count > 0)
        memcpy(s->edges, opts->edges, s->edge_count * sizeof(s->edges[0]));
    s->nodes = lz_mem_alloc((s->node_count + 1) * sizeof(s->nodes[0]));
    for (size_t i = 0; i < s->node_count; i++)
        s->nodes[i] = -1;
    s->is_rooted = lz_mem_alloc(2 * s->node_count + 1);
    memset(s->is_rooted, 0, 2 * s->node_count + 1);
    s->ways = lz_mem_alloc((2 * s->edge_count + 1) * sizeof(s->ways[0]));
    if (!lz_netlink_open(LZ_SPACES_ROUTE, &s->own, err) || !open_nodes(s, err)) {
        lz_shaper_destroy(s);
        return false;
    }
    place_ways(s);
    bool has_any = false;
    for (int q = 0; q < QDISCS; q++) {
        struct lz_err why;
        s->has[q] = try_qdisc(s, s->own, (enum qdisc)q, &why);
        if (!s->has[q])
            snprintf(s->lacks[q], sizeof(s->lacks[q]), "%s", why.msg);
        has_any = has_any || s->has[q];
    }
    if (has_any && !send_single_packets(s, err)) {
        lz_shaper_destroy(s);
        return false;
    }
    *out = s;
    return true;
}

void lz_shaper_destroy(struct lz_shaper *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->node_count; i++)
        if (s->nodes[i] >= 0)
            close(s->nodes[i]);
    if (s->own >= 0)
        close(s->own);
    free(s->edges);
    free(s->nodes);
    free(s->is_rooted);
    free(s->ways);
    free(s);
}

// ---------------------------------------------------------------- what it can do

static enum qdisc qdisc_of(const struct lz_toxic *t)
{
    return t->kind == LZ_TOXIC_BANDWIDTH ? TBF : NETEM;
}

// What is done otherwise than packet by packet of ours; NULL: nothing.
static const char *difference(const struct lz_toxic *t)
{
    if (t->kind == LZ_TOXIC_LATENCY && t->delay.kind != LZ_DIST_CONSTANT)
        return "its delays differ, and netem would let packets pass each other";
    if (t->kind == LZ_TOXIC_DUPLICATE || t->kind == LZ_TOXIC_CORRUPT)
        return "netem does not count which packets it doubles or damages";
    if (lz_toxic_strikes(t->kind) && t->loss.correlation > 0.0)
        return "its packets are correlated, which in netem changes their share";
    bool is_certain = t->loss.kind == LZ_LOSS_RATIO && t->loss.ratio >= 1.0;
    if (lz_toxic_strikes(t->kind) && !is_certain)
        return "which packets it strikes is netem's chance, and does not repeat by the seed";
    return NULL;
}

// Draws of a delay, sorted into what netem takes: entries around a middle.
static bool fill_table(struct lz_shaper *s, const struct lz_toxic *t, struct lz_tc_netem *n,
                       struct lz_err *err)
{
    static int64_t samples[SAMPLES];
    struct lz_dist dist = t->delay;
    int64_t least = INT64_MAX, most = 0;
    dist.points = t->points;
    uint32_t count = dist.kind == LZ_DIST_CONSTANT ? 1 : SAMPLES;
    for (uint32_t i = 0; i < count; i++) {
        struct lz_draw draw = lz_draw_begin(s->run_key, t->owner, LZ_PURPOSE_NET_OUT, i);
        samples[i] = lz_dist_time(&dist, &draw);
        least = samples[i] < least ? samples[i] : least;
        most = samples[i] > most ? samples[i] : most;
    }
    int64_t middle = least + (most - least) / 2;
    double jitter = ceil((double)(most - least) / 2.0 / SPREAD);
    if (most > LZ_TC_DELAY_MAX || jitter > (double)LZ_TC_JITTER_MAX)
        return lz_fail(err, LZ_ERANGE,
                       "netem delays by up to 274s, and by 16s more or less than another packet; "
                       "this goes from %.3gs to %.3gs",
                       (double)least / 1e9, (double)most / 1e9);
    n->delay_ns = middle;
    n->jitter_ns = (int64_t)jitter;
    if (n->jitter_ns < 64)
        return true; // all alike, as far as netem can tell
    for (uint32_t i = 0; i < SAMPLES; i++)
        s->table[i] = (int16_t)lround((double)(samples[i] - middle) / jitter * LZ_TC_TABLE_SCALE);
    n->table = s->table;
    n->table_len = SAMPLES;
    n->delay_correlation = t->correlation;
    return true;
}

static bool fill_netem(struct lz_shaper *s, const struct lz_toxic *t, struct lz_tc_netem *n,
                       struct lz_err *err)
{
    double ratio = t->loss.ratio, correlation = t->loss.correlation;
    *n = (struct lz_tc_netem){.limit = HELD_MAX};
    if (t->kind == LZ_TOXIC_LATENCY)
        return fill_table(s, t, n, err);
    if (t->kind == LZ_TOXIC_CUT) {
        n->loss = (struct lz_loss){.kind = LZ_LOSS_RATIO, .ratio = 1.0};
    } else if (t->kind == LZ_TOXIC_STALL) {
        n->loss = t->loss;
    } else if (t->loss.kind != LZ_LOSS_RATIO) {
        return lz_fail(err, LZ_EINVAL, "netem has bursts of loss only");
    } else if (t->kind == LZ_TOXIC_DUPLICATE) {
        n->duplicate = ratio;
        n->duplicate_correlation = correlation;
    } else if (t->kind == LZ_TOXIC_CORRUPT) {
        n->corrupt = ratio;
        n->corrupt_correlation = correlation;
    } else {
        LZ_ASSERT(t->kind == LZ_TOXIC_REORDER);
        if (t->after_ns > LZ_TC_DELAY_MAX)
            return lz_fail(err, LZ_ERANGE, "netem holds a packet for up to 274s");
        n->delay_ns = t->after_ns;
        n->reorder = 1.0 - ratio;
        n->reorder_correlation = correlation;
    }
    return true;
}

static struct lz_tc_tbf tbf_of(const struct lz_toxic *t)
{
    double burst = t->rate * BURST_S, buffer = t->buffer > 0 ? t->buffer : LZ_IMPAIR_BUFFER;
    uint32_t at_once = burst < BURST_MIN ? BURST_MIN : burst < 1e9 ? (uint32_t)burst : 1000000000u;
    return (struct lz_tc_tbf){.rate = t->rate < 1.0 ? 1.0 : t->rate,
                              .burst = at_once,
                              .limit = (uint32_t)(buffer < BURST_MIN ? BURST_MIN : buffer)};
}

bool lz_shaper_can(const struct lz_shaper *s, const struct lz_toxic *t, bool is_asked,
                   struct lz_err *err)
{
    enum qdisc q = qdisc_of(t);
    const char *differs = difference(t);
    if (!s->has[q])
        return lz_fail(err, LZ_ERANGE, "%s", s->lacks[q]);
    if (t->kind == LZ_TOXIC_LATENCY && t->ratio > 0.0 && t->ratio < 1.0)
        return lz_fail(err, LZ_EINVAL,
                       "netem delays every packet, and %g %% of them are to be delayed: "
                       "write by = \"nfqueue\", or leave `by` out",
                       100.0 * t->ratio);
    if (differs != NULL && !is_asked)
        return lz_fail(err, LZ_EINVAL, "%s", differs);
    if (t->line != 0 && t->kind == LZ_TOXIC_BANDWIDTH)
        return lz_fail(err, LZ_EINVAL,
                       "several edges share one rate, and tbf limits each interface by itself");
    return true;
}

// ---------------------------------------------------------------- chains of qdiscs

static struct lz_tc_place class_of(const struct lz_shaper *s, const struct way *w)
{
    uint32_t index = (uint32_t)(w - s->ways);
    return (struct lz_tc_place){w->interface, ROOT, ROOT + 1 + index};
}

static uint16_t order_of(const struct lz_shaper *s, const struct way *w)
{
    return (uint16_t)(1 + (w - s->ways));
}

static uint32_t handle_of(const struct lz_shaper *s, const struct way *w, size_t level)
{
    size_t major = FIRST_HANDLE + (size_t)(w - s->ways) * CHAIN_MAX + level;
    LZ_ASSERT(major < 0xffff);
    return LZ_TC_HANDLE(major, 0);
}

static struct lz_tc_place place_of(const struct lz_shaper *s, const struct way *w, size_t level)
{
    uint32_t parent = level == 0 ? class_of(s, w).handle : handle_of(s, w, level - 1) + 1;
    return (struct lz_tc_place){w->interface, parent, handle_of(s, w, level)};
}

// `t` NULL: what does nothing.
static bool put_level(struct lz_shaper *s, const struct way *w, size_t level, bool is_change,
                      const struct lz_toxic *t, struct lz_err *err)
{
    struct lz_tc_place at = place_of(s, w, level);
    struct lz_tc_netem netem = {.limit = HELD_MAX};
    struct lz_tc_tbf tbf = {NOTHING_RATE, 1u << 20, 1u << 24};
    lz_netlink_start(&s->batch);
    if (w->chain[level].qdisc == TBF) {
        tbf = t != NULL ? tbf_of(t) : tbf;
        lz_tc_put_tbf(&s->batch, &at, is_change, &tbf);
    } else {
        if (t != NULL && !fill_netem(s, t, &netem, err))
            return false;
        lz_tc_put_netem(&s->batch, &at, is_change, &netem);
    }
    return ask(s, w->fd, qdisc_names[w->chain[level].qdisc], err);
}

static bool found_way(struct lz_shaper *s, struct way *w, struct lz_err *err)
{
    const struct lz_tc_place root = {w->interface, TOP, ROOT};
    struct lz_tc_place class = class_of(s, w);
    if (!s->is_rooted[w->root]) {
        lz_netlink_start(&s->batch);
        lz_tc_put_htb(&s->batch, &root);
        if (!ask(s, w->fd, "htb", err))
            return false;
        s->is_rooted[w->root] = true;
    }
    if (!w->has_class) {
        lz_netlink_start(&s->batch);
        lz_tc_put_class(&s->batch, &class);
        if (!ask(s, w->fd, "a class of htb", err))
            return false;
        w->has_class = true;
    }
    return true;
}

// What goes along this edge in this direction, through its proxy and beside it.
static bool lead(struct lz_shaper *s, struct way *w, struct lz_err *err)
{
    size_t index = (size_t)(w - s->ways);
    const struct lz_cable_edge *e = &s->edges[index / 2];
    bool is_up = index % 2 == 0;
    struct lz_tc_place class = class_of(s, w);
    struct lz_tc_match door = {.source = is_up ? 0 : e->door,
                               .target = is_up ? e->door : 0,
                               .source_port = is_up ? 0 : e->door_port,
                               .target_port = is_up ? e->door_port : 0};
    struct lz_tc_match direct = {.source = is_up ? e->client : e->server,
                                 .target = is_up ? e->server : e->client};
    if (w->is_led)
        return true;
    lz_netlink_start(&s->batch);
    if (e->door != 0)
        lz_tc_put_filter(&s->batch, &class, order_of(s, w), &door);
    if (e->client != 0)
        lz_tc_put_filter(&s->batch, &class, order_of(s, w), &direct);
    w->is_led = ask(s, w->fd, "a filter", err);
    return w->is_led;
}

static bool lead_past(struct lz_shaper *s, struct way *w, struct lz_err *err)
{
    struct lz_tc_place class = class_of(s, w);
    for (size_t i = 0; i < w->len; i++)
        if (w->chain[i].toxic != 0)
            return true;
    if (!w->is_led)
        return true;
    w->is_led = false;
    lz_netlink_start(&s->batch);
    lz_tc_put_no_filter(&s->batch, &class, order_of(s, w));
    return ask(s, w->fd, "a filter", err);
}

static bool put_on(struct lz_shaper *s, struct way *w, uint32_t id, const struct lz_toxic *t,
                   struct lz_err *err)
{
    size_t at = 0;
    while (at < w->len && (w->chain[at].toxic != 0 || w->chain[at].qdisc != qdisc_of(t)))
        at++;
    bool is_there = at < w->len;
    if (at == CHAIN_MAX)
        return lz_fail(err, LZ_EFULL, "at most %d faults can be in force on one way by tc",
                       CHAIN_MAX);
    struct level *l = &w->chain[at];
    l->qdisc = qdisc_of(t);
    if (!found_way(s, w, err) || !put_level(s, w, at, is_there, t, err))
        return false;
    w->len += !is_there;
    l->base = (struct lz_tc_counts){0};
    l->toxic = id; // from here on it is taken off if something fails
    struct lz_tc_place place = place_of(s, w, at);
    if (is_there && !lz_tc_ask_counts(w->fd, &place, &l->base, err))
        return false;
    return lead(s, w, err);
}

static bool count_on(struct lz_shaper *s, const struct way *w, size_t level,
                     enum lz_toxic_kind kind, uint64_t *sum)
{
    const struct level *l = &w->chain[level];
    struct lz_tc_place at = place_of(s, w, level);
    struct lz_tc_counts now;
    struct lz_err err;
    if (!lz_tc_ask_counts(w->fd, &at, &now, &err))
        return false;
    uint32_t through = now.packets + now.waiting - l->base.packets - l->base.waiting;
    if (kind == LZ_TOXIC_BANDWIDTH)
        *sum += now.bytes - l->base.bytes;
    else if (kind == LZ_TOXIC_STALL || kind == LZ_TOXIC_CUT)
        *sum += now.dropped - l->base.dropped;
    else if (kind == LZ_TOXIC_REORDER)
        *sum += through - (now.requeued - l->base.requeued);
    else
        *sum += through;
    return true;
}

// ---------------------------------------------------------------- toxics

// Calls `fn` for each place where the toxic is, until one says no.
typedef bool at_level_fn(struct lz_shaper *s, struct way *w, size_t level, const void *ctx,
                         struct lz_err *err);

static bool each_level(struct lz_shaper *s, uint32_t id, at_level_fn *fn, const void *ctx,
                       struct lz_err *err)
{
    struct way *ways = &s->ways[2 * s->toxics[id - 1].edge];
    bool ok = true;
    for (int d = 0; d < 2; d++)
        for (size_t i = 0; i < ways[d].len; i++)
            if (ways[d].chain[i].toxic == id)
                ok = fn(s, &ways[d], i, ctx, err) && ok;
    return ok;
}

static bool take_off(struct lz_shaper *s, struct way *w, size_t level, const void *ctx,
                     struct lz_err *err)
{
    (void)ctx;
    w->chain[level].toxic = 0;
    bool ok = put_level(s, w, level, true, NULL, err);
    return lead_past(s, w, err) && ok;
}

static bool alter(struct lz_shaper *s, struct way *w, size_t level, const void *ctx,
                  struct lz_err *err)
{
    return put_level(s, w, level, true, ctx, err);
}

bool lz_shaper_add(struct lz_shaper *s, uint32_t edge, const struct lz_toxic *t,
                   lz_shaper_toxic_id *id, struct lz_err *err)
{
    LZ_ASSERT(edge < s->edge_count);
    uint32_t slot = s->next_toxic;
    for (uint32_t i = 0; s->toxics[slot].is_used; slot = (slot + 1) % LZ_CABLE_TOXICS_MAX)
        if (++i == LZ_CABLE_TOXICS_MAX)
            return lz_fail(err, LZ_EFULL, "edge '%s': at most %u faults can be in force by tc",
                           s->edges[edge].name, LZ_CABLE_TOXICS_MAX);
    if (!lz_shaper_can(s, t, true, err) || !lz_toxic_check(t, false, err))
        return lz_fail_in(err, "edge '%s'", s->edges[edge].name);
    s->toxics[slot] = (struct toxic){.is_used = true, .kind = t->kind, .edge = edge};
    unsigned directions = t->directions != 0 ? t->directions : LZ_TOXIC_BOTH;
    bool ok = true;
    for (unsigned d = 0; d < 2 && ok; d++)
        if ((directions & (d == 0 ? LZ_TOXIC_UP : LZ_TOXIC_DOWN)) != 0)
            ok = put_on(s, &s->ways[2 * edge + d], slot + 1, t, err);
    if (!ok) {
        struct lz_err gone;
        bool is_off = each_level(s, slot + 1, take_off, NULL, &gone);
        (void)is_off;
        s->toxics[slot].is_used = false;
        return lz_fail_in(err, "edge '%s'", s->edges[edge].name);
    }
    s->next_toxic = (slot + 1) % LZ_CABLE_TOXICS_MAX;
    *id = slot + 1;
    return true;
}

bool lz_shaper_change(struct lz_shaper *s, lz_shaper_toxic_id id, const struct lz_toxic *t,
                      struct lz_err *err)
{
    LZ_ASSERT(id >= 1 && id <= LZ_CABLE_TOXICS_MAX);
    LZ_ASSERT(s->toxics[id - 1].is_used);
    LZ_ASSERT(s->toxics[id - 1].kind == t->kind);
    return each_level(s, id, alter, t, err);
}

bool lz_shaper_remove(struct lz_shaper *s, lz_shaper_toxic_id id, struct lz_err *err)
{
    LZ_ASSERT(id >= 1 && id <= LZ_CABLE_TOXICS_MAX);
    LZ_ASSERT(s->toxics[id - 1].is_used);
    s->toxics[id - 1].touched = lz_shaper_touched(s, id);
    s->toxics[id - 1].is_used = false;
    return each_level(s, id, take_off, NULL, err);
}

// What cannot be asked for now stays what it was.
uint64_t lz_shaper_touched(struct lz_shaper *s, lz_shaper_toxic_id id)
{
    LZ_ASSERT(id >= 1 && id <= LZ_CABLE_TOXICS_MAX);
    struct toxic *t = &s->toxics[id - 1];
    uint64_t touched = 0;
    bool ok = t->is_used;
    const struct way *ways = &s->ways[2 * t->edge];
    for (int d = 0; d < 2; d++)
        for (size_t i = 0; i < ways[d].len; i++)
            if (ways[d].chain[i].toxic == id)
                ok = ok && count_on(s, &ways[d], i, t->kind, &touched);
    t->touched = ok ? touched : t->touched;
    return t->touched;
}
