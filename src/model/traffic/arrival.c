/*
 * arrival.c — the open loop: when requests come, whoever is ready for them.
 *
 * A *stream* is an arrival process: a traffic's own, or one that a fault adds. Each has its
 * own counter and its own draws, so that a surge moves no request that would have come
 * without it; two independent Poisson streams are together the Poisson process with the sum
 * of their rates.
 *
 *   Poisson    the area under the rate to the next arrival is a standard exponential
 *   even       it is 1; of a constant rate instants count from the start, so that rounding
 *              does not add up
 *   renewal    it is a gap's draw by the gaps' mean
 *
 * A surge that ramps up is thinned: an arrival is kept with the share that the ramp has
 * reached, by a draw of its own (Lewis and Shedler 1979), an even stream by carrying shares
 * forward until they make a whole.
 */
#include "base/check.h"
#include "base/grow.h"
#include "model/traffic/traffic_state.h"

// Surges of one traffic are numbered in the top byte of an ordinal; then they begin again.
#define SURGES_MAX 255u
#define SURGE_SHIFT 32u

// How long after the one before it the `nth` comes, if the run key is still that one then.
struct ahead {
    uint64_t nth, key; // nth is 0: it is not known
    lz_time gap;
};

struct stream {
    struct lz_traffic *traffic; // NULL: free
    struct lz_shape shape;
    lz_time origin; // of the shape's time
    double scale;   // the shape's rate times this
    double carried; // of even arrivals while the ramp rises
    lz_time began, ramp;
    uint64_t path;
    uint64_t base;  // of its ordinals
    uint64_t count; // arrivals so far, each of `batch` requests
    uint64_t *touched;
    struct lz_draw_row gaps;
    struct ahead ahead;
    lz_event_id next;
    bool are_bots;
    double batch;     // 1 or more
    bool looks_ahead; // its gaps are exponential, and of one mean
    bool is_usual;    // each arrival is one request of somebody who does not come back, and comes
};

struct lz_arrivals {
    struct stream *all; // 0 ..
    uint32_t count, cap;
    lz_kind arrival;
};

// A traffic's own, from the start of the run on.
static bool is_plain(const struct stream *s)
{
    return s->shape.kind == LZ_SHAPE_CONSTANT && s->base == 0;
}

// The area under the rate until the next arrival.
static double next_area(struct lz_world *w, struct stream *s)
{
    const struct lz_traffic_opts *o = &s->traffic->opts;
    if (o->constant)
        return s->batch / s->scale;
    uint64_t key = lz_sim_key(w->sim), nth = s->count + 1;
    if (o->gaps.kind == LZ_DIST_NONE)
        return lz_draw_exponential_next(&s->gaps, key, nth) * s->batch / s->scale;
    struct lz_draw draw = lz_draw_begin(key, s->path, LZ_PURPOSE_ARRIVAL, nth);
    return lz_dist_value(&o->gaps, &draw) / lz_dist_mean(&o->gaps) / s->scale;
}

static lz_time next_time(struct lz_world *w, struct stream *s)
{
    const struct lz_traffic_opts *o = &s->traffic->opts;
    lz_time now = lz_sim_now(w->sim);
    if (o->constant && is_plain(s) && s->shape.mean > 0.0) {
        double gap_ns = 1e9 / s->shape.mean * s->batch;
        return (lz_time)(gap_ns * (double)(s->count + 1) + 0.5);
    }
    lz_time at = lz_shape_after(&s->shape, now - s->origin, next_area(w, s));
    return at == LZ_FOREVER ? LZ_FOREVER : s->origin + at;
}

// A gap is a draw, a table and two divisions: found when the arrival before it was scheduled,
// nobody who looks for a place among the near waits for it. Under a constant rate it is the same
// from any instant on.
static inline void look_ahead(struct lz_world *w, struct stream *s)
{
    uint64_t key = lz_sim_key(w->sim), nth = s->count + 2;
    double area = lz_draw_exponential_next(&s->gaps, key, nth) * s->batch / s->scale;
    lz_time gap = lz_shape_after(&s->shape, 0, area);
    s->ahead = (struct ahead){.nth = gap < LZ_FOREVER ? nth : 0, .key = key, .gap = gap};
}

static inline bool is_known(const struct lz_world *w, const struct stream *s)
{
    return s->ahead.nth == s->count + 1 && s->ahead.key == lz_sim_key(w->sim);
}

static inline void schedule_next(struct lz_world *w, struct stream *s, uint32_t index)
{
    lz_time at = is_known(w, s) ? lz_sim_now(w->sim) + s->ahead.gap : next_time(w, s);
    s->next = at < LZ_FOREVER ? lz_sim_at(w->sim, at, w->arrivals->arrival, index, 0) : 0;
    if (s->looks_ahead && !lz_draw_watch_is_on())
        look_ahead(w, s);
}

static void schedule(struct lz_world *w, uint32_t index)
{
    schedule_next(w, &w->arrivals->all[index], index);
}

// How far the ramp has risen decides whether this arrival comes.
static bool is_kept(struct lz_world *w, struct stream *s)
{
    lz_time since = lz_sim_now(w->sim) - s->began;
    if (since >= s->ramp)
        return true;
    double share = (double)since / (double)s->ramp;
    if (!s->traffic->opts.constant) {
        struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), s->path, LZ_PURPOSE_THIN, s->count);
        return lz_draw_unit(&draw) < share;
    }
    s->carried += share;
    if (s->carried < 1.0)
        return false;
    s->carried -= 1.0;
    return true;
}

static inline void send(struct lz_world *w, const struct stream *s, uint64_t nth)
{
    uint64_t ordinal = s->base + nth;
    lz_traffic_send(w, &(struct lz_traffic_send){.traffic = s->traffic,
                                                 .ordinal = ordinal,
                                                 .path = lz_draw_index(s->path, nth),
                                                 .key = ordinal,
                                                 .is_bot = s->are_bots});
}

static bool comes_back(const struct lz_traffic *t)
{
    return t->opts.session > 0 || t->opts.leave > 0.0;
}

// One request, or one user who begins a session.
static void arrive(struct lz_world *w, const struct stream *s, uint64_t nth)
{
    if (s->touched != NULL)
        (*s->touched)++;
    if (comes_back(s->traffic))
        lz_user_come(w, &(struct lz_user_session){.traffic = s->traffic,
                                                  .ordinal = s->base + nth,
                                                  .path = lz_draw_index(s->path, nth),
                                                  .is_bot = s->are_bots});
    else
        send(w, s, nth);
}

static __attribute__((noinline)) void arrive_otherwise(struct lz_world *w, struct stream *s)
{
    uint64_t batch = s->traffic->opts.batch > 1 ? s->traffic->opts.batch : 1;
    s->count++;
    if (s->ramp == 0 || is_kept(w, s))
        for (uint64_t i = 1; i <= batch; i++)
            arrive(w, s, (s->count - 1) * batch + i);
}

static void on_arrival(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct stream *s = &w->arrivals->all[entity];
    LZ_ASSERT(s->traffic != NULL);
    if (s->is_usual)
        send(w, s, ++s->count);
    else
        arrive_otherwise(w, s);
    schedule_next(w, &w->arrivals->all[entity], entity); // there may be more streams than before
}

void lz_arrivals_init(struct lz_world *w)
{
    w->arrivals = lz_arena_alloc(w->arena, sizeof(*w->arrivals));
    w->arrivals->arrival = lz_sim_kind(w->sim, "arrival", on_arrival, w);
}

static uint32_t add(struct lz_world *w, const struct stream *stream)
{
    struct lz_arrivals *as = w->arrivals;
    uint32_t at = 0;
    while (at < as->count && as->all[at].traffic != NULL)
        at++;
    if (at == as->count) {
        as->all = lz_grow(w->arena, as->all, &as->cap, at + 1, sizeof(*as->all));
        as->count++;
    }
    as->all[at] = *stream;
    as->all[at].is_usual = stream->touched == NULL && stream->ramp == 0 &&
                           stream->traffic->opts.batch <= 1 && !comes_back(stream->traffic);
    const struct lz_traffic_opts *o = &stream->traffic->opts;
    as->all[at].batch = o->batch > 0 ? (double)o->batch : 1.0;
    as->all[at].looks_ahead = !o->constant && o->gaps.kind == LZ_DIST_NONE &&
                              stream->shape.kind == LZ_SHAPE_CONSTANT && stream->shape.mean > 0.0;
    as->all[at].gaps = (struct lz_draw_row){.owner = stream->path, .purpose = LZ_PURPOSE_ARRIVAL};
    return at;
}

static struct lz_shape shape_of(const struct lz_traffic_opts *o)
{
    if (o->gaps.kind == LZ_DIST_NONE)
        return o->rate;
    return (struct lz_shape){.kind = LZ_SHAPE_CONSTANT, .mean = 1e9 / lz_dist_mean(&o->gaps)};
}

void lz_arrival_add(struct lz_world *w, struct lz_traffic *t)
{
    LZ_ASSERT(!w->running);
    add(w,
        &(struct stream){.traffic = t, .shape = shape_of(&t->opts), .scale = 1.0, .path = t->path});
}

void lz_arrivals_start(struct lz_world *w)
{
    for (uint32_t i = 0; i < w->arrivals->count; i++)
        schedule(w, i);
}

uint32_t lz_traffic_surge(struct lz_world *w, const struct lz_traffic_surge *surge)
{
    struct lz_traffic *t = lz_traffic_at(w, surge->traffic);
    bool by_factor = surge->factor > 0.0;
    LZ_ASSERT(LZ_IMPLIES(by_factor, surge->factor > 1.0));
    LZ_ASSERT(LZ_IMPLIES(by_factor, t->opts.users == 0));
    lz_time now = lz_sim_now(w->sim);
    t->surges = t->surges % SURGES_MAX + 1;
    uint32_t at = add(w, &(struct stream){
                             .traffic = t,
                             .shape = by_factor ? shape_of(&t->opts) : surge->rate,
                             .origin = by_factor ? 0 : now,
                             .scale = by_factor ? surge->factor - 1.0 : 1.0,
                             .began = now,
                             .ramp = surge->ramp,
                             .path = lz_draw_join(surge->path, t->path),
                             .base = (uint64_t)t->surges << SURGE_SHIFT,
                             .touched = surge->touched,
                             .are_bots = surge->are_bots,
                         });
    schedule(w, at);
    return at + 1;
}

void lz_traffic_calm(struct lz_world *w, uint32_t id)
{
    LZ_ASSERT(id >= 1 && id <= w->arrivals->count);
    struct stream *s = &w->arrivals->all[id - 1];
    LZ_ASSERT(s->traffic != NULL && s->touched != NULL);
    lz_sim_cancel(w->sim, s->next);
    *s = (struct stream){0};
}
