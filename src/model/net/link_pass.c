/*
 * link_pass.c — what becomes of packets on a link: lines, losses, delays.
 *
 * A message of one segment is the common case and costs no more than what its link has.
 */
#include "base/check.h"
#include "model/net/link_state.h"

// Draw counters of one message: its owner and purpose are its own, these keep its draws
// apart. Causes draw under their own paths, so that deleting one shifts nobody else.
enum { COUNTER_LATENCY, COUNTER_LOSS, COUNTERS_PER_FLIGHT };
#define COUNTER_CORRUPT (1ull << 34)
#define COUNTER_DUPLICATE (2ull << 34)
#define COUNTER_REORDER (3ull << 34)
#define COUNTER_LINE (4ull << 34)
#define COUNTER_DELAYED (5ull << 34)
#define COUNTER_PIECES (6ull << 34)
#define PIECES_DRAWN 4096 // of one message; those behind them are of the mean size

// Which segments of a flight are lost. Only the words in use are touched.
struct lost {
    uint64_t words[LZ_LINK_SEGMENTS_MAX / 64];
};

static struct lz_draw draw_of(const struct lz_world *w, const struct lz_flight *f, uint64_t path,
                              uint64_t counter)
{
    uint64_t owner = path != 0 ? lz_draw_join(f->owner, path) : f->owner;
    return lz_draw_begin(lz_sim_key(w->sim), owner, f->purpose, counter);
}

static uint64_t counter_of(const struct lz_flight *f, uint64_t what)
{
    return what < COUNTERS_PER_FLIGHT ? (uint64_t)f->number * COUNTERS_PER_FLIGHT + what
                                      : what + f->number;
}

// How many of the flight's segments it strikes; into `lost`, if that is what it does.
static uint32_t strike(const struct lz_flight *f, const struct lz_loss *loss,
                       struct lz_loss_state *state, struct lz_draw draw, struct lost *lost)
{
    uint32_t struck = 0;
    for (uint32_t i = 0; i < f->segments; i++) {
        if (!lz_loss_next(loss, state, &draw))
            continue;
        struck++;
        if (lost != NULL)
            lost->words[i / 64] |= 1ull << (i % 64);
    }
    return struck;
}

// A cause that strikes whole connections leaves this one alone, and what is on none: a handshake,
// which a proxy makes by itself, and what processes tell each other.
static bool spares(const struct lz_world *w, const struct lz_flight *f,
                   const struct lz_link_effect *e)
{
    if (!(e->connections > 0.0))
        return false;
    if (f->connection == 0)
        return true;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), lz_draw_join(e->path, f->connection),
                                        LZ_PURPOSE_NET_OUT, 0);
    return !(lz_draw_unit(&draw) < e->connections);
}

static bool delays(const struct lz_world *w, const struct lz_flight *f,
                   const struct lz_link_effect *e)
{
    if (e->conditions.latency.kind == LZ_DIST_NONE || spares(w, f, e))
        return false;
    if (!(e->delayed > 0.0))
        return true;
    struct lz_draw draw = draw_of(w, f, e->path, counter_of(f, COUNTER_DELAYED));
    return lz_draw_unit(&draw) < e->delayed;
}

// What one cause does to the flight's segments, and what it is asked for.
struct question {
    const struct lz_loss *loss;
    struct lz_loss_state *state;
    uint64_t counter;
};

static uint32_t ask(struct lz_world *w, const struct lz_flight *f, const struct lz_link_passing *p,
                    struct question q, struct lost *lost)
{
    if (q.loss->kind == LZ_LOSS_NONE || spares(w, f, &p->cause->effect))
        return 0;
    struct lz_draw draw = draw_of(w, f, p->cause->effect.path, counter_of(f, q.counter));
    uint32_t struck = strike(f, q.loss, q.state, draw, lost);
    *p->cause->effect.touched += struck;
    return struck;
}

static double segment_bytes(const struct lz_flight *f)
{
    return f->segments == 1 ? (double)f->bytes : (double)f->bytes / f->segments;
}

// Room that acknowledgements make: what the line carries in a round trip, and what is left on it
// of the same sender's earlier packets, whose acknowledgements let these go.
static double room_of(const struct lz_flight *f, const struct lz_pipe *line, lz_time at)
{
    if (!f->is_paced)
        return 0.0;
    double room = (double)f->round_trip * 1e-9 * line->rate;
    double backlog = lz_pipe_backlog(line, at);
    double own = (double)(f->earlier_until - at) * 1e-9 * line->rate;
    if (own > 0.0)
        room += own < backlog ? own : backlog;
    return room;
}

// What does not fit is dropped: of a paced flight here and there, so that later packets arrive.
static void drop_tail(struct lz_flight *f, double accepted, struct lost *lost)
{
    uint32_t kept = (uint32_t)(accepted / segment_bytes(f) + 0.5);
    for (uint32_t i = kept; i < f->segments; i++)
        lost->words[i / 64] |= 1ull << (i % 64);
}

static double copied_bytes(struct lz_world *w, struct lz_link *l, const struct lz_flight *f)
{
    uint32_t copies = 0;
    for (uint32_t i = 0; i < l->passing_count; i++) {
        struct lz_link_passing *p = &l->passing[i];
        const struct lz_loss *duplicate = &p->cause->effect.conditions.duplicate;
        copies += ask(w, f, p,
                      (struct question){duplicate, &p->memory.duplicate, COUNTER_DUPLICATE}, NULL);
    }
    return copies * segment_bytes(f);
}

// Through the lines one after another; a packet enters the next as it has left the one before.
// Copies come last: they delay nobody but those who come after.
static void pass_lines(struct lz_world *w, struct lz_link *l, struct lz_flight *f,
                       struct lost *lost)
{
    lz_time now = lz_sim_now(w->sim), first = now, last = now;
    double copied = copied_bytes(w, l, f);
    for (uint32_t i = 0; i < l->passing_count; i++) {
        struct lz_link_passing *p = &l->passing[i];
        if (p->line == NULL)
            continue;
        const struct lz_link_effect *e = &p->cause->effect;
        struct lz_pipe *line = &p->line->pipe;
        struct lz_draw draw = draw_of(w, f, e->path, counter_of(f, COUNTER_LINE));
        struct lz_pipe_load load = {
            .at = first, .bytes = (double)f->bytes, .packet = segment_bytes(f)};
        load.room = room_of(f, line, first);
        struct lz_pipe_answer a = lz_pipe_offer(line, &load, &draw);
        if (a.accepted < load.bytes)
            drop_tail(f, a.accepted, lost);
        load.bytes = copied;
        if (copied > 0.0)
            lz_pipe_offer(line, &load, &draw);
        *e->touched += f->bytes;
        first = a.first_leaves;
        last = a.leaves > last ? a.leaves : last;
    }
    f->leaves = last;
    f->first_delay = first - now;
    f->delay = last - now;
}

static void pass_losses(struct lz_world *w, struct lz_link *l, struct lz_flight *f,
                        struct lost *lost)
{
    for (uint32_t i = 0; i < l->passing_count; i++) {
        struct lz_link_passing *p = &l->passing[i];
        const struct lz_link_conditions *c = &p->cause->effect.conditions;
        ask(w, f, p, (struct question){&c->loss, &p->memory.loss, COUNTER_LOSS}, lost);
        ask(w, f, p, (struct question){&c->corrupt, &p->memory.corrupt, COUNTER_CORRUPT}, lost);
    }
    bool gap_seen = false;
    for (uint32_t i = 0; i < f->segments; i++) {
        bool is_lost = (lost->words[i / 64] >> (i % 64) & 1) != 0;
        f->lost += is_lost;
        f->after_loss += gap_seen && !is_lost;
        gap_seen |= is_lost;
    }
}

// With the correlation's probability the delay is the last one: its distribution stays what it
// is, and neighbours are alike as much as was asked for.
static lz_time correlated(const struct lz_dist *dist, double correlation, bool *has_last,
                          lz_time *last_ns, struct lz_draw *draw)
{
    if (!(correlation > 0.0))
        return lz_dist_time(dist, draw);
    if (!(lz_draw_unit(draw) < correlation) || !*has_last)
        *last_ns = lz_dist_time(dist, draw);
    *has_last = true;
    return *last_ns;
}

// Into how many pieces a message is cut: all but the last of the same size, or of sizes drawn
// around it, as Toxiproxy's slicer varies them.
static int64_t pieces_of(struct lz_world *w, const struct lz_flight *f,
                         const struct lz_link_effect *e)
{
    const struct lz_link_conditions *c = &e->conditions;
    double left = (double)f->bytes;
    int64_t pieces = 0;
    if (c->piece_variation > 0.0) {
        struct lz_draw draw = draw_of(w, f, e->path, counter_of(f, COUNTER_PIECES));
        while (left > 0.0 && pieces < PIECES_DRAWN) {
            left -= c->piece + (2.0 * lz_draw_unit(&draw) - 1.0) * c->piece_variation;
            pieces++;
        }
    }
    return left > 0.0 ? pieces + (int64_t)((left - 1.0) / c->piece) + 1 : pieces;
}

static void pass_delays(struct lz_world *w, struct lz_link *l, struct lz_flight *f)
{
    struct lz_draw draw = draw_of(w, f, 0, counter_of(f, COUNTER_LATENCY));
    lz_time delay = correlated(l->base, l->correlation, &l->has_last, &l->last_ns, &draw);
    lz_time late = 0;
    for (uint32_t i = 0; i < l->passing_count; i++) {
        struct lz_link_passing *p = &l->passing[i];
        const struct lz_link_effect *e = &p->cause->effect;
        const struct lz_link_conditions *c = &e->conditions;
        if (!p->cause->is_declared && delays(w, f, e)) {
            struct lz_draw own = draw_of(w, f, e->path, counter_of(f, COUNTER_LATENCY));
            delay += correlated(&c->latency, c->latency_correlation, &p->memory.has_last,
                                &p->memory.last_ns, &own);
            (*e->touched)++;
        }
        if (ask(w, f, p, (struct question){&c->reorder, &p->memory.reorder, COUNTER_REORDER},
                NULL) > 0 &&
            c->gap > late)
            late = c->gap;
        if (c->piece > 0.0 && (double)f->bytes > c->piece - c->piece_variation) {
            int64_t pieces = pieces_of(w, f, e);
            // A message that would take longer than any run does not come in it.
            double wait = (double)(pieces - 1) * (double)c->piece_delay;
            late = wait < (double)(LZ_FOREVER / 32 - late) ? late + (pieces - 1) * c->piece_delay
                                                           : LZ_FOREVER / 32;
            *e->touched += pieces > 1 ? (uint64_t)pieces : 0;
        }
    }
    f->first_delay += delay;
    f->delay += delay + late;
}

// RFC 6298, of one way: a round trip's deviation is at most that of its two ways together.
static void learn(struct lz_link *l, lz_time delay)
{
    double off = (double)delay - l->smooth_ns;
    l->varying_ns += ((off < 0.0 ? -off : off) - l->varying_ns) / 4.0;
    l->smooth_ns += off / 8.0;
}

void lz_link_pass(struct lz_world *w, struct lz_link *l, struct lz_flight *f)
{
    LZ_ASSERT(f->bytes > 0);
    LZ_ASSERT(f->segments > 0 && f->segments <= LZ_LINK_SEGMENTS_MAX);
    struct lost lost;
    for (uint32_t i = 0; i <= (f->segments - 1) / 64; i++)
        lost.words[i] = 0;
    f->lost = f->after_loss = 0;
    pass_lines(w, l, f, &lost);
    pass_losses(w, l, f, &lost);
    pass_delays(w, l, f);
    if (f->lost < f->segments)
        learn(l, f->delay);
    if (l->is_measured)
        lz_link_measure(w, l, f);
    LZ_ASSERT(f->delay >= f->first_delay);
}

void lz_link_swallow(struct lz_world *w, struct lz_link *l, enum lz_purpose purpose)
{
    bool is_answer = lz_link_is_answer(purpose);
    for (uint32_t i = 0; i < l->passing_count; i++)
        if (l->passing[i].cuts[is_answer])
            (*l->passing[i].cause->effect.touched)++;
    if (l->is_measured)
        lz_link_measure_cut(w, l);
}

lz_time lz_link_latency(const struct lz_world *w, const struct lz_link *l, uint64_t connection,
                        struct lz_draw *draw)
{
    const struct lz_flight f = {.connection = connection};
    lz_time delay = lz_dist_time(l->base, draw);
    for (uint32_t i = 0; i < l->passing_count; i++) {
        const struct lz_link_cause *c = l->passing[i].cause;
        const struct lz_link_effect *e = &c->effect;
        if (c->is_declared || e->conditions.latency.kind == LZ_DIST_NONE || spares(w, &f, e))
            continue;
        if (!(e->delayed > 0.0) || lz_draw_unit(draw) < e->delayed)
            delay += lz_dist_time(&e->conditions.latency, draw);
    }
    return delay;
}
