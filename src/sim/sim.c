#include "base/grow.h"
#include "sim/sim_state.h"

#define KINDS_MAX 4096
#define FORESEEN 32 /* events of many that are near, half of them when as many have fired */
#define FIRST_SEQ (1ull << 40) /* sequences below are for lz_sim_at_first */

static void on_future(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    struct lz_sim *sim = ctx;
    sim->face.key = payload == 0 ? sim->run_key : lz_hash_mix(sim->run_key, payload);
}

struct lz_sim *lz_sim_create(const struct lz_sim_opts *opts)
{
    LZ_ASSERT(opts->arena != NULL);
    struct lz_sim *sim = lz_arena_alloc(opts->arena, sizeof(*sim));
    sim->arena = opts->arena;
    sim->seed = opts->seed;
    sim->face.key = sim->run_key = opts->run_key;
    sim->fired_max = opts->events_max > 0 ? opts->events_max : UINT64_MAX;
    sim->face.ranks = FIRST_SEQ << LZ_SIM_SEQ_SHIFT;
    sim->kind_count = LZ_SIM_ALSO;
    sim->timer_used = 1;
    sim->foresee_at = UINT32_MAX;
    lz_lines_init(&sim->face.lines, opts->arena);
    sim->trace = lz_hash_mix(opts->run_key, 1);
    sim->ready_cap = 64;
    sim->ready = lz_arena_alloc(opts->arena, sim->ready_cap * sizeof(*sim->ready));
    lz_evq_init(&sim->queue, opts->arena);
    sim->note = (struct lz_check_note){.seed = opts->seed, .now_ns = &sim->face.now};
    sim->future = lz_sim_kind(sim, "future", on_future, sim);
    return sim;
}

struct lz_arena *lz_sim_arena(const struct lz_sim *sim)
{
    return sim->arena;
}

uint64_t lz_sim_seed(const struct lz_sim *sim)
{
    return sim->seed;
}

uint64_t lz_sim_events(const struct lz_sim *sim)
{
    return sim->fired;
}

uint64_t lz_sim_trace(const struct lz_sim *sim)
{
    return sim->trace;
}

size_t lz_sim_pending(const struct lz_sim *sim)
{
    size_t alarms = 0;
    for (uint32_t i = 1; i <= sim->lane_count; i++)
        alarms += sim->lanes[i].has_alarm || (sim->lanes[i].list && sim->lanes[i].list->has_alarm);
    return sim->queue.live - alarms + lz_lines_held(&sim->face.lines) + sim->ready_count +
           sim->timers_armed;
}

// The ready ring, and the run as it begins, have places of their own, which a handful of others
// share. The run grows with thousands, and so does what sorts them.
size_t lz_sim_bytes(const struct lz_sim *sim)
{
    size_t event = sizeof(struct lz_evq_event) + sizeof(uint32_t);
    size_t bytes = (sim->queue.event_used - 1) * event;
    if (sim->queue.near_cap > LZ_EVQ_NEAR_FIRST)
        bytes += (sim->queue.near_cap - LZ_EVQ_NEAR_FIRST) * sizeof(*sim->queue.near);
    bytes += sim->queue.spare_cap * sizeof(*sim->queue.spare);
    bytes += (sim->timer_used - 1) * (sizeof(*sim->timers) + sizeof(*sim->timer_gens));
    for (uint32_t i = 1; i <= sim->lane_count; i++)
        bytes += sim->lanes[i].cap * sizeof(*sim->lanes[i].turns);
    return bytes + lz_lines_bytes(&sim->face.lines);
}

lz_kind lz_sim_kind(struct lz_sim *sim, const char *name, lz_event_fn *fn, void *ctx)
{
    LZ_ASSERT(fn != NULL && name != NULL);
    LZ_ASSERT(sim->kind_count < KINDS_MAX);
    uint32_t id = ++sim->kind_count;
    sim->face.kinds =
        lz_grow(sim->arena, sim->face.kinds, &sim->kind_cap, id + 1, sizeof(*sim->face.kinds));
    sim->kind_names =
        lz_grow(sim->arena, sim->kind_names, &sim->name_cap, id + 1, sizeof(*sim->kind_names));
    sim->face.kinds[id] =
        (struct lz_sim_kind){.fn = fn, .ctx = ctx, .as = (lz_kind)id, .traced = id - LZ_SIM_ALSO};
    sim->kind_names[id] = name;
    return (lz_kind)id;
}

lz_kind lz_sim_kind_also(struct lz_sim *sim, lz_kind kind, lz_event_fn *fn)
{
    LZ_ASSERT(fn != NULL && lz_sim_has_kind(sim, kind));
    LZ_ASSERT(sim->also_count < LZ_SIM_ALSO);
    uint32_t id = ++sim->also_count;
    sim->face.kinds[id] = sim->face.kinds[kind];
    sim->face.kinds[id].fn = fn;
    return (lz_kind)id;
}

bool lz_sim_has_kind(const struct lz_sim *sim, uint32_t number)
{
    return number > LZ_SIM_ALSO && number <= sim->kind_count;
}

// One that was made, or another handler of one.
static inline bool is_kind(const struct lz_sim *sim, lz_kind kind)
{
    return sim->face.kinds[kind].fn != NULL;
}

const char *lz_sim_kind_name(const struct lz_sim *sim, lz_kind kind)
{
    LZ_ASSERT(lz_sim_has_kind(sim, kind));
    return sim->kind_names[kind];
}

void lz_sim_foresee(struct lz_sim *sim, lz_kind kind, lz_event_fn *fn)
{
    LZ_ASSERT(fn != NULL && lz_sim_has_kind(sim, kind));
    sim->face.kinds[kind].foresee = fn;
    sim->foresees = true;
}

// No event is free: make one, and begin again. Apart, so that the usual way saves no registers.
static __attribute__((noinline)) lz_event_id
at_with_more(struct lz_sim *sim, lz_time at, lz_kind kind, uint32_t entity, uint64_t payload)
{
    lz_evq_grow_events(&sim->queue);
    return lz_sim_at(sim, at, kind, entity, payload);
}

lz_event_id lz_sim_at(struct lz_sim *sim, lz_time at, lz_kind kind, uint32_t entity,
                      uint64_t payload)
{
    if (__builtin_expect(sim->queue.event_free == 0, 0))
        return at_with_more(sim, at, kind, entity, payload);
    LZ_ASSERT(kind - 1u < sim->kind_count);
    LZ_ASSERT(at >= sim->face.now);
    uint64_t rank = lz_sim_next_rank(sim, kind);
    uint32_t i = lz_evq_make(&sim->queue, (uint64_t)at, rank, entity, payload);
    uint64_t id = (uint64_t)(sim->queue.events[i].gen & LZ_SIM_GEN) << 32 | i;
    return lz_evq_put(&sim->queue, (struct lz_evq_entry){.at = at, .event = i}, id);
}

void lz_sim_at_first(struct lz_sim *sim, lz_time at, lz_kind kind, uint32_t entity,
                     uint64_t payload)
{
    LZ_ASSERT(kind >= 1 && kind <= sim->kind_count && is_kind(sim, kind));
    LZ_ASSERT(at >= sim->face.now);
    LZ_ASSERT(sim->first_seq < FIRST_SEQ);
    uint64_t rank = sim->first_seq++ << LZ_SIM_SEQ_SHIFT | kind;
    lz_evq_add_late(&sim->queue, at, rank, entity, payload);
}

void lz_sim_set_future(struct lz_sim *sim, lz_time at, uint64_t future)
{
    if (at <= sim->face.now)
        on_future(sim, 0, future);
    else
        lz_sim_at_first(sim, at, sim->future, 0, future);
}

lz_line lz_sim_line(struct lz_sim *sim, lz_time delay)
{
    lz_line line = lz_lines_find(&sim->face.lines, delay);
    lz_sim_look(&sim->face);
    return line;
}

void lz_sim_after_more(struct lz_sim *sim, lz_line line, lz_kind kind, uint32_t entity,
                       uint64_t payload)
{
    if (sim->face.lines.is_closed) {
        lz_time at = sim->face.now + lz_lines_ring(&sim->face.lines, line)->delay;
        lz_sim_at(sim, at, kind, entity, payload);
        return;
    }
    lz_lines_widen(&sim->face.lines, line);
    lz_sim_after(sim, line, kind, entity, payload);
}

static void widen_ready(struct lz_sim *sim)
{
    uint32_t cap = 2 * sim->ready_cap;
    struct lz_sim_ready *ring = lz_arena_alloc(sim->arena, cap * sizeof(*ring));
    for (uint32_t i = 0; i < sim->ready_count; i++)
        ring[i] = sim->ready[(sim->ready_first + i) & (sim->ready_cap - 1)];
    lz_arena_free(sim->arena, sim->ready, sim->ready_cap * sizeof(*ring));
    sim->ready = ring;
    sim->ready_cap = cap;
    sim->ready_first = 0;
}

// The ring is full. Apart, so that the usual way saves no registers.
static __attribute__((noinline)) void soon_with_more(struct lz_sim *sim, lz_kind kind,
                                                     uint32_t entity, uint64_t payload)
{
    widen_ready(sim);
    lz_sim_soon(sim, kind, entity, payload);
}

void lz_sim_soon(struct lz_sim *sim, lz_kind kind, uint32_t entity, uint64_t payload)
{
    if (__builtin_expect(sim->ready_count == sim->ready_cap, 0)) {
        soon_with_more(sim, kind, entity, payload);
        return;
    }
    LZ_ASSERT(kind >= 1 && kind <= sim->kind_count && is_kind(sim, kind));
    uint32_t at = (sim->ready_first + sim->ready_count++) & (sim->ready_cap - 1);
    sim->ready[at] = (struct lz_sim_ready){
        .payload = payload, .rank = lz_sim_next_rank(sim, kind), .entity = entity};
}

// The hash's chain is one product long: what an event says is mixed on its own first.
static inline void trace_event(struct lz_sim *sim, const struct lz_sim_kind *k, uint32_t entity,
                               uint64_t payload)
{
    uint64_t who = ((uint64_t)k->traced << 32 | entity) * 0x9e3779b97f4a7c15ull;
    sim->trace = lz_hash_mix(sim->trace ^ (uint64_t)sim->face.now, payload ^ who);
    sim->fired++;
}

static inline void fire_unwatched(struct lz_sim *sim, lz_kind kind, uint32_t entity,
                                  uint64_t payload)
{
    const struct lz_sim_kind *k = &sim->face.kinds[kind];
    trace_event(sim, k, entity, payload);
    k->fn(k->ctx, entity, payload);
}

static void fire(struct lz_sim *sim, lz_kind kind, uint32_t entity, uint64_t payload)
{
    const struct lz_sim_kind *k = &sim->face.kinds[kind];
    trace_event(sim, k, entity, payload);
    if (sim->watch != NULL)
        sim->watch(sim->watch_ctx,
                   &(struct lz_event){
                       .at = sim->face.now, .kind = k->as, .entity = entity, .payload = payload});
    k->fn(k->ctx, entity, payload);
}

static inline void foresee(const struct lz_sim *sim, uint32_t event)
{
    const struct lz_evq_event *e = &sim->queue.events[event];
    const struct lz_sim_kind *k = &sim->face.kinds[(lz_kind)e->rank];
    if ((lz_kind)e->rank != LZ_SIM_ALARM && k->foresee != NULL)
        k->foresee(k->ctx, e->entity, e->payload);
}

// So many after the next one of those that are near, if there are so many.
static void foresee_near(const struct lz_sim *sim, uint32_t from, uint32_t to)
{
    const struct lz_evq *q = &sim->queue;
    uint32_t left = q->near_last - q->near_first;
    for (uint32_t i = from; i < to && i < left; i++)
        foresee(sim, q->near[q->near_first + i].event);
}

/*
 * Slots were opened, whose events fire one after the other from now on. Those of the next ones are
 * foreseen, which are as many if few are; of many, these themselves but for the first, which
 * fire at once: some in a row, so that all that has to be fetched is on its way at the same time,
 * and of thousands no more than the cache keeps until they fire.
 */
static __attribute__((noinline)) void foresee_some(struct lz_sim *sim)
{
    const struct lz_evq *q = &sim->queue;
    sim->foresee_at = UINT32_MAX;
    if (q->near_last - q->near_first > LZ_EVQ_AHEAD) {
        sim->foresee_at = q->near_first + FORESEEN / 2;
        foresee_near(sim, 2, FORESEEN);
        return;
    }
    uint32_t ahead[LZ_EVQ_AHEAD];
    uint32_t count = lz_evq_ahead(q, ahead);
    for (uint32_t i = 0; i < count; i++)
        foresee(sim, ahead[i]);
}

// Half of what was foreseen of many has fired, or more, for some are passed without being asked
// for: what was cancelled, for one.
static __attribute__((noinline)) void foresee_more(struct lz_sim *sim)
{
    uint32_t half = FORESEEN / 2, late = sim->queue.near_first - sim->foresee_at;
    sim->foresee_at = sim->queue.near_first + half;
    foresee_near(sim, late < half ? half - late : 1, FORESEEN);
}

static void fire_timer(struct lz_sim *sim, uint32_t i)
{
    uint64_t payload = sim->timers[i].payload;
    uint32_t entity = sim->timers[i].entity;
    lz_kind kind = sim->lanes[(lz_lane)sim->timers[i].rank].kind;
    lz_lane_disarm(sim, i);
    lz_lane_move_alarm(sim);
    fire(sim, kind, entity, payload);
}

static void fire_listed(struct lz_sim *sim, lz_lane lane)
{
    struct lz_sim_timers *list = sim->lanes[lane].list;
    lz_kind kind = sim->lanes[lane].kind;
    struct lz_sim_due due;
    list->head(list->ctx, list, &due);
    list->take(list->ctx, list);
    lz_lane_move_alarm(sim);
    fire(sim, kind, due.entity, due.payload);
}

static inline struct lz_sim_ready take_ready(struct lz_sim *sim)
{
    struct lz_sim_ready r = sim->ready[sim->ready_first];
    sim->ready_first = (sim->ready_first + 1) & (sim->ready_cap - 1);
    sim->ready_count--;
    return r;
}

static inline void fire_next(struct lz_sim *sim, uint32_t timer)
{
    if (timer == LZ_SIM_LISTED) {
        fire_listed(
            sim, (lz_lane)sim->queue.events[sim->queue.near[sim->queue.near_first].event].entity);
        return;
    }
    if (timer != 0) {
        fire_timer(sim, timer);
        return;
    }
    struct lz_evq_event e = lz_evq_take(&sim->queue);
    fire(sim, (lz_kind)e.rank, e.entity, e.payload);
}

// The first event of the lines; it is now its time.
static inline const struct lz_line_event *take_line(struct lz_sim *sim)
{
    const struct lz_line_event *e = lz_lines_take(&sim->face.lines);
    lz_sim_look(&sim->face);
    LZ_ASSERT(e->at >= sim->face.now);
    sim->face.now = e->at;
    return e;
}

// Ready work, if nothing else falls on this instant; false: that has to be looked at first.
static inline bool fire_ready_first(struct lz_sim *sim)
{
    const struct lz_evq *q = &sim->queue;
    uint64_t now = (uint64_t)sim->face.now;
    uint64_t next = q->next_at < LZ_FOREVER ? (uint64_t)q->next_at : q->near_end;
    if (next <= now || (uint64_t)lz_lines_at(&sim->face.lines) <= now)
        return false;
    struct lz_sim_ready r = take_ready(sim);
    fire_unwatched(sim, (lz_kind)r.rank, r.entity, r.payload);
    return true;
}

// Nothing is near. False: nothing in the queue is due, or a line's first event may be before it.
static __attribute__((noinline)) bool open_next(struct lz_sim *sim, lz_time end)
{
    lz_time line_at = lz_lines_at(&sim->face.lines), limit = line_at < end ? line_at : end;
    if ((uint64_t)limit < sim->queue.near_end || !lz_evq_open(&sim->queue, limit))
        return false;
    if (sim->foresees)
        foresee_some(sim);
    return true;
}

/*
 * What happens nearly always: nobody watches, nothing is ready, and the nearest of the queue and of
 * the lines is an event that is due. False: nothing was done but to look at it, and perhaps to open
 * a slot.
 */
static inline bool fire_plain(struct lz_sim *sim, lz_time end)
{
    struct lz_evq *q = &sim->queue;
    if (sim->fired >= sim->fired_limit)
        return false;
    if (sim->ready_count > 0)
        return fire_ready_first(sim);
    lz_time line_at = lz_lines_at(&sim->face.lines), near_at = q->next_at;
    if (near_at == LZ_FOREVER && q->near_first == q->near_last && open_next(sim, end))
        near_at = q->next_at;
    if (line_at < near_at) { // what is not near is not due before it
        if (line_at > end)
            return false;
        const struct lz_sim_kind *k = &sim->face.kinds[sim->face.line_kind];
        lz_event_fn *fn = sim->face.line_fn;
        const struct lz_line_event *e = take_line(sim);
        trace_event(sim, k, e->entity, e->payload);
        fn(k->ctx, e->entity, e->payload);
        return true;
    }
    if (line_at == near_at || near_at > end)
        return false;
    lz_kind kind = (lz_kind)q->next_rank;
    uint32_t event = q->near[q->near_first].event;
    const struct lz_evq_event *e = &q->events[event];
    if ((e->gen & 1u) == 0 || kind == LZ_SIM_ALARM)
        return false;
    LZ_ASSERT(near_at >= sim->face.now);
    sim->face.now = near_at;
    if (q->near_first >= sim->foresee_at)
        foresee_more(sim);
    uint32_t entity = e->entity;
    uint64_t payload = e->payload;
    q->near_first++;
    q->live--;
    lz_evq_release_live(q, event);
    lz_evq_look(q);
    fire_unwatched(sim, kind, entity, payload);
    return true;
}

// The queue's next, where it does not go the usual way: slots may be opened here as well.
static const struct lz_evq_entry *peek(struct lz_sim *sim, lz_time limit)
{
    uint64_t near_end = sim->queue.near_end;
    const struct lz_evq_entry *next = lz_evq_peek(&sim->queue, limit);
    if (next != NULL && sim->foresees && sim->queue.near_end != near_end)
        foresee_some(sim);
    else if (next != NULL && sim->queue.near_first >= sim->foresee_at)
        foresee_more(sim);
    return next;
}

// Who stops, or watches, is seen where the budget is: the usual way need not ask. Nor does it know
// of times that lines do not have.
static void choose_limit(struct lz_sim *sim)
{
    bool is_unusual = sim->stop || sim->watch != NULL || sim->face.lines.is_closed;
    sim->fired_limit = is_unusual ? 0 : sim->fired_max;
}

// Nothing is due by `end`.
static enum lz_sim_stop end_at(struct lz_sim *sim, lz_time end)
{
    sim->face.now = end;
    return LZ_SIM_ENDED;
}

/*
 * The queue is asked for no more than this instant while there is ready work: opening it
 * further would be for nothing, as the ready work schedules what comes before. The same holds for
 * the instant at which the first of the lines is due.
 */
static enum lz_sim_stop run_until(struct lz_sim *sim, lz_time end)
{
    choose_limit(sim);
    for (;;) {
        if (fire_plain(sim, end))
            continue;
        if (sim->stop)
            return LZ_SIM_STOPPED;
        bool has_ready = sim->ready_count > 0;
        lz_time limit = has_ready ? sim->face.now : end;
        lz_time line_at = lz_lines_at(&sim->face.lines);
        bool is_line = line_at <= limit && line_at < LZ_LINES_NEVER;
        const struct lz_evq_entry *next = peek(sim, is_line ? line_at : limit);
        const struct lz_evq_event *e = next != NULL ? &sim->queue.events[next->event] : NULL;
        is_line =
            is_line && (e == NULL || line_at < next->at ||
                        (line_at == next->at && lz_lines_first(&sim->face.lines)->rank < e->rank));
        uint64_t rank = is_line     ? lz_lines_first(&sim->face.lines)->rank
                        : e != NULL ? e->rank
                                    : UINT64_MAX;
        bool is_ready = has_ready && sim->ready[sim->ready_first].rank < rank;
        uint32_t timer = 0;
        if (!is_ready && !is_line) {
            if (e == NULL)
                return end_at(sim, end);
            if ((lz_kind)e->rank == LZ_SIM_ALARM && (timer = lz_lane_due(sim, e)) == 0) {
                lz_lane_move_alarm(sim);
                continue;
            }
        }
        if (sim->fired >= sim->fired_max)
            return LZ_SIM_EVENTS_USED;
        if (is_ready) {
            struct lz_sim_ready r = take_ready(sim);
            fire(sim, (lz_kind)r.rank, r.entity, r.payload);
            continue;
        }
        if (is_line) {
            const struct lz_line_event *event = take_line(sim);
            fire(sim, (lz_kind)event->rank, event->entity, event->payload);
            continue;
        }
        LZ_ASSERT(next->at >= sim->face.now);
        sim->face.now = next->at;
        fire_next(sim, timer);
    }
}

enum lz_sim_stop lz_sim_run(struct lz_sim *sim, lz_time end)
{
    LZ_ASSERT(end >= sim->face.now);
    lz_check_set_note(&sim->note);
    sim->stop = false;
    if (end >= LZ_LINES_UNTIL && !sim->face.lines.is_closed) {
        enum lz_sim_stop stop = run_until(sim, LZ_LINES_UNTIL - 1);
        if (stop != LZ_SIM_ENDED)
            return stop;
        lz_lines_close(&sim->face.lines);
    }
    return run_until(sim, end);
}

void lz_sim_stop(struct lz_sim *sim)
{
    sim->stop = true;
    choose_limit(sim);
}

void lz_sim_watch(struct lz_sim *sim, lz_sim_watch_fn *fn, void *ctx)
{
    sim->watch = fn;
    sim->watch_ctx = ctx;
    choose_limit(sim);
}

void lz_sim_trace_add(struct lz_sim *sim, uint64_t value)
{
    sim->trace = lz_hash_mix(sim->trace, value);
}
