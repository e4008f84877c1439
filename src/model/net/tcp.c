#include "model/net/tcp.h"

#include "base/check.h"
#include "base/pool.h"
#include "model/net/link.h"
#include "model/net/net.h"
#include "model/node/instance.h"

#define ACK_COUNTER (1ull << 35) // draws of acknowledgements, apart from those of the data

struct window {
    uint64_t bytes;     // the congestion window
    uint64_t threshold; // where slow start ends; 0: nowhere yet
    lz_time used_at;
};

struct path {
    struct lz_pool_head head;
    struct window window;
};

// A long message under way.
struct transfer {
    struct lz_pool_head head;
    uint32_t flights; // sent so far
    uint32_t tries;   // timeouts that ran out since something arrived
    bool has_begun;   // its first segment has arrived
    uint64_t left;    // bytes that have not arrived
    lz_time leaves;   // its latest flight is on the line
    struct window window;
    struct lz_message m;
};

struct lz_tcps {
    struct lz_pool paths, transfers;
    lz_kind round;
};

lz_time lz_tcp_rto(double smooth_ns, double varying_ns)
{
    LZ_ASSERT(smooth_ns >= 0.0 && varying_ns >= 0.0);
    double rto = smooth_ns + 4.0 * varying_ns;
    if (!(rto > (double)LZ_TCP_RTO_MIN_NS))
        return LZ_TCP_RTO_MIN_NS;
    return rto < (double)LZ_TCP_RTO_MAX_NS ? (lz_time)rto : LZ_TCP_RTO_MAX_NS;
}

lz_time lz_tcp_backoff(lz_time rto, uint32_t tries)
{
    LZ_ASSERT(rto > 0);
    for (uint32_t i = 0; i < tries && rto < LZ_TCP_RTO_MAX_NS; i++)
        rto *= 2;
    return rto < LZ_TCP_RTO_MAX_NS ? rto : LZ_TCP_RTO_MAX_NS;
}

lz_time lz_tcp_syn_wait(uint32_t tries, uint32_t linear)
{
    uint32_t doublings = tries > linear ? tries - linear : 0;
    lz_time wait = doublings < 7 ? LZ_S << doublings : LZ_TCP_RTO_MAX_NS;
    LZ_ASSERT(wait >= LZ_S);
    return wait;
}

lz_tcp_path_id lz_tcp_open(struct lz_world *w)
{
    return lz_pool_id((struct path *)lz_pool_take(&w->tcps->paths));
}

void lz_tcp_close(struct lz_world *w, lz_tcp_path_id id)
{
    struct path *p = lz_pool_find(&w->tcps->paths, id);
    if (p != NULL)
        lz_pool_give(&w->tcps->paths, p);
}

// The window as the path has it after what it idled.
static struct window window_of(struct lz_world *w, const struct lz_message *m)
{
    const struct path *p = lz_pool_find(&w->tcps->paths, m->path);
    struct window win = p != NULL ? p->window : (struct window){0};
    if (win.bytes == 0)
        win.bytes = LZ_TCP_INITIAL_WINDOW;
    lz_time rto = lz_net_rto(w, m->from, m->to);
    lz_time idle = lz_sim_now(w->sim) - win.used_at;
    for (; win.bytes > LZ_TCP_INITIAL_WINDOW && idle > rto; idle -= rto)
        win.bytes /= 2;
    if (win.bytes < LZ_TCP_INITIAL_WINDOW && idle > rto)
        win.bytes = LZ_TCP_INITIAL_WINDOW;
    return win;
}

static void keep_window(struct lz_world *w, struct transfer *x)
{
    x->window.used_at = lz_sim_now(w->sim);
    struct path *p = lz_pool_find(&w->tcps->paths, x->m.path);
    if (p != NULL)
        p->window = x->window;
}

static void end(struct lz_world *w, struct transfer *x)
{
    keep_window(w, x);
    lz_pool_give(&w->tcps->transfers, x);
}

static void go_on(struct lz_world *w, const struct transfer *x, lz_time wait)
{
    lz_time at = lz_sim_now(w->sim) + (wait > 0 ? wait : 1);
    lz_sim_at(w->sim, at, w->tcps->round, x->m.from, lz_pool_id(x));
}

// Half of what was under way, at least two segments (RFC 5681, equation 4).
static void halve(struct transfer *x, uint64_t flight)
{
    x->window.threshold = flight / 2 > 2 * LZ_TCP_SEGMENT ? flight / 2 : 2 * LZ_TCP_SEGMENT;
    x->window.bytes = x->window.threshold;
}

static void time_out(struct lz_world *w, struct transfer *x, uint64_t flight)
{
    if (x->tries == 0)
        halve(x, flight);
    x->window.bytes = LZ_TCP_SEGMENT;
    lz_time rto = lz_tcp_backoff(lz_net_rto(w, x->m.from, x->m.to), x->tries);
    x->tries++;
    go_on(w, x, rto);
}

// All of a flight was acknowledged. A window that was not needed does not grow.
static void grow(struct transfer *x, uint64_t flight)
{
    struct window *win = &x->window;
    if (2 * flight <= win->bytes)
        return;
    bool is_slow_start = win->threshold == 0 || win->bytes < win->threshold;
    if (!is_slow_start)
        win->bytes += LZ_TCP_SEGMENT;
    else if (win->threshold != 0 && win->bytes + flight > win->threshold)
        win->bytes = win->threshold;
    else
        win->bytes += flight;
    if (win->bytes > LZ_TCP_WINDOW_MAX)
        win->bytes = LZ_TCP_WINDOW_MAX;
}

// Where acknowledgements cannot come back, what arrived has arrived, but nothing more is sent.
static void after_flight(struct lz_world *w, struct transfer *x, const struct lz_flight *f,
                         lz_time ack, bool is_heard)
{
    uint64_t arrived = f->bytes - (f->lost > 0 ? f->bytes * f->lost / f->segments : 0);
    LZ_ASSERT(arrived <= x->left);
    if (x->m.first != 0 && !x->has_begun && arrived > 0) {
        x->has_begun = true;
        lz_net_deliver(w, &x->m, x->m.first, f->first_delay);
    }
    x->left -= arrived;
    if (f->lost == 0 && x->left == 0) {
        if (is_heard)
            grow(x, f->bytes);
        lz_net_deliver(w, &x->m, x->m.kind, f->delay);
        end(w, x);
        return;
    }
    if (!is_heard) {
        time_out(w, x, f->bytes);
    } else if (f->lost == 0) {
        x->tries = 0;
        grow(x, f->bytes);
        go_on(w, x, f->first_delay + ack);
    } else if (f->after_loss >= 3) {
        x->tries = 0;
        halve(x, f->bytes);
        go_on(w, x, f->first_delay + ack);
    } else {
        if (f->lost < f->segments)
            x->tries = 0;
        time_out(w, x, f->bytes);
    }
}

static void send_flight(struct lz_world *w, struct transfer *x)
{
    const struct lz_message *m = &x->m;
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), m->owner, m->purpose, ACK_COUNTER + x->flights);
    const struct lz_link *back = lz_link_get(w, m->to, m->from);
    bool is_heard = !back->is_cut[!lz_link_is_answer(m->purpose)];
    lz_time ack = lz_link_latency(w, back, m->connection, &draw);
    struct lz_link *l = lz_link_get(w, m->from, m->to);
    uint64_t window = m->window > 0 ? m->window : LZ_TCP_WINDOW;
    window = x->window.bytes < window ? x->window.bytes : window;
    uint64_t bytes = x->left < window ? x->left : window;
    struct lz_flight f = {.owner = m->owner,
                          .purpose = m->purpose,
                          .connection = m->connection,
                          .number = x->flights++,
                          .bytes = bytes,
                          .segments = (uint32_t)((bytes + LZ_TCP_SEGMENT - 1) / LZ_TCP_SEGMENT),
                          .is_paced = true,
                          .round_trip = (lz_time)l->smooth_ns + ack,
                          .earlier_until = x->leaves};
    lz_link_pass(w, l, &f);
    x->leaves = f.leaves;
    after_flight(w, x, &f, ack, is_heard);
}

static void next_round(struct lz_world *w, struct transfer *x)
{
    struct lz_link *l = lz_link_get(w, x->m.from, x->m.to);
    bool is_cut = l->is_cut[lz_link_is_answer(x->m.purpose)];
    if (lz_instance_get(w, x->m.from)->state == LZ_INSTANCE_LOST) {
        end(w, x); // nobody is left to send it
    } else if (is_cut || lz_instance_get(w, x->m.to)->state == LZ_INSTANCE_LOST) {
        if (is_cut)
            lz_link_swallow(w, l, x->m.purpose);
        time_out(w, x, x->window.bytes);
    } else {
        send_flight(w, x);
    }
}

static void on_round(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    struct lz_world *w = ctx;
    struct transfer *x = lz_pool_find(&w->tcps->transfers, payload);
    LZ_ASSERT(x != NULL);
    if (x->m.wanted != NULL && !x->m.wanted(w, x->m.payload, x->tries)) {
        end(w, x);
        return;
    }
    next_round(w, x);
}

void lz_tcp_send(struct lz_world *w, const struct lz_message *m)
{
    LZ_ASSERT(m->bytes > LZ_TCP_SEGMENT);
    LZ_ASSERT(m->window <= LZ_TCP_WINDOW_MAX);
    struct transfer *x = lz_pool_take(&w->tcps->transfers);
    x->m = *m;
    x->left = m->bytes;
    x->window = window_of(w, m);
    next_round(w, x);
}

void lz_tcp_init(struct lz_world *w)
{
    struct lz_tcps *ts = lz_arena_alloc(w->arena, sizeof(*ts));
    lz_pool_init(&ts->paths, w->arena, sizeof(struct path));
    lz_pool_init(&ts->transfers, w->arena, sizeof(struct transfer));
    w->tcps = ts;
    ts->round = lz_sim_kind(w->sim, "net.round", on_round, w);
}

size_t lz_tcp_bytes(const struct lz_world *w)
{
    return lz_pool_bytes(&w->tcps->transfers);
}
