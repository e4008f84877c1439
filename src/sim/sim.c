#include "sim/sim.h"

#include "base/check.h"
#include "base/grow.h"
#include "sim/evq.h"
#include "sim/line.h"

#define KINDS_MAX 4096
#define LANES_MAX 65535
#define SEQ_SHIFT LZ_SIM_SEQ_SHIFT
#define FIRST_SEQ (1ull << 40) /* sequences below are for lz_sim_at_first */
#define KIND_ALARM 0           /* in the queue: a lane's nearest timer may be due */
#define TIMER_BIT (1ull << 63) /* of an id: a lane's timer, not an event of the queue */
#define LISTED UINT32_MAX      /* in place of a timer's number */
#define GEN_MASK 0x7fffffffu   /* what an id has room for */

struct kind {
    lz_event_fn *fn;
    void *ctx;
    const char *name;
    lz_event_fn *foresee; // NULL: nobody does
};

// Due at this instant, in order.
struct ready {
    uint64_t payload;
    uint64_t rank;
    uint32_t entity;
};

struct timer {
    lz_time at;
    uint64_t rank; // with the lane where an event has its kind
    uint64_t payload;
    uint32_t entity; // while free: the next free one
} __attribute__((packed, aligned(4)));

_Static_assert(sizeof(struct timer) == 28, "with its generation, two timers to a cache line");

struct turn {
    uint32_t timer, gen; // of another generation: it was cancelled
};

/*
 * Timers of one delay, in the order they were armed, which is the order they are due:
 * turns[first] .. turns[last - 1]. Those that were cancelled stay until the row is full, and
 * are then left out; a list of links took three cache misses to cancel one of many, and even a
 * count of the living in each lane would take one, for a timer's lane is known by the timer.
 * The queue holds at most one alarm for a lane, at the head's time and sequence when it was
 * set. The head may be cancelled under it: then the alarm, when it comes, moves on to the
 * new head, and nobody notices.
 */
struct lane {
    lz_time delay;
    lz_kind kind;
    bool has_alarm;
    uint32_t first, last, cap;
    struct turn *turns;
    struct lz_sim_timers *list; // instead: kept by their owner, has_alarm too
};

struct lz_sim {
    struct lz_sim_face face; // first: the getters look here
    uint64_t trace;
    uint64_t fired;
    uint64_t fired_max;
    uint64_t fired_limit; // of the usual way; 0: stopped, or watched
    uint64_t first_seq;
    uint64_t run_key, seed;
    bool stop;
    bool foresees; // some kind is foreseen
    struct lz_arena *arena;
    struct kind *kinds; // 1 ..
    uint32_t kind_count, kind_cap;
    struct ready *ready; // a ring; cap is a power of two
    uint32_t ready_first, ready_count, ready_cap;
    struct lane *lanes; // 1 ..
    uint32_t lane_count, lane_cap;
    struct timer *timers; // 1 ..
    // Theirs, odd while armed. Apart, for cancelling one, which is what happens to most, reads
    // nothing else, and those of 1e5 timers stay in the second cache level.
    uint32_t *timer_gens;
    uint32_t timer_used, timer_cap, timer_gen_cap, timer_free, timers_armed;
    lz_sim_watch_fn *watch;
    void *watch_ctx;
    lz_kind future;
    struct lz_check_note note;
    struct lz_evq queue;
};

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
    sim->face.ranks = FIRST_SEQ << SEQ_SHIFT;
    sim->timer_used = 1;
    lz_lines_init(&sim->face.lines, opts->arena);
    sim->trace = lz_hash_mix(opts->run_key, 1);
    sim->ready_cap = 64;
    sim->ready = lz_arena_alloc(opts->arena, sim->ready_cap * sizeof(*sim->ready));
    lz_evq_init(&sim->queue, opts->arena);
    sim->note.seed = opts->seed;
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

// The run and the ready ring have places of their own, which a handful of others share.
size_t lz_sim_bytes(const struct lz_sim *sim)
{
    size_t event = sizeof(struct lz_evq_event) + sizeof(uint32_t);
    size_t bytes = (sim->queue.event_used - 1) * event;
    bytes += (sim->timer_used - 1) * (sizeof(*sim->timers) + sizeof(*sim->timer_gens));
    for (uint32_t i = 1; i <= sim->lane_count; i++)
        bytes += sim->lanes[i].cap * sizeof(*sim->lanes[i].turns);
    return bytes + lz_lines_bytes(&sim->face.lines);
}

lz_kind lz_sim_kind(struct lz_sim *sim, const char *name, lz_event_fn *fn, void *ctx)
{
    LZ_ASSERT(fn != NULL && name != NULL);
    LZ_ASSERT(sim->kind_count < KINDS_MAX);
    sim->kinds =
        lz_grow(sim->arena, sim->kinds, &sim->kind_cap, sim->kind_count + 2, sizeof(*sim->kinds));
    sim->kinds[++sim->kind_count] = (struct kind){.fn = fn, .ctx = ctx, .name = name};
    return (lz_kind)sim->kind_count;
}

lz_kind lz_sim_kind_count(const struct lz_sim *sim)
{
    return (lz_kind)sim->kind_count;
}

const char *lz_sim_kind_name(const struct lz_sim *sim, lz_kind kind)
{
    LZ_ASSERT(kind >= 1 && kind <= sim->kind_count);
    return sim->kinds[kind].name;
}

void lz_sim_foresee(struct lz_sim *sim, lz_kind kind, lz_event_fn *fn)
{
    LZ_ASSERT(fn != NULL);
    LZ_ASSERT(kind >= 1 && kind <= sim->kind_count);
    sim->kinds[kind].foresee = fn;
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
    uint64_t id = (uint64_t)(sim->queue.events[i].gen & GEN_MASK) << 32 | i;
    return lz_evq_put(&sim->queue, (struct lz_evq_entry){.at = at, .event = i}, id);
}

void lz_sim_at_first(struct lz_sim *sim, lz_time at, lz_kind kind, uint32_t entity,
                     uint64_t payload)
{
    LZ_ASSERT(kind >= 1 && kind <= sim->kind_count);
    LZ_ASSERT(at >= sim->face.now);
    LZ_ASSERT(sim->first_seq < FIRST_SEQ);
    uint64_t rank = sim->first_seq++ << SEQ_SHIFT | kind;
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
    return lz_lines_find(&sim->face.lines, delay);
}

void lz_sim_after_more(struct lz_sim *sim, lz_line line, lz_kind kind, uint32_t entity,
                       uint64_t payload)
{
    lz_lines_widen(&sim->face.lines, line);
    lz_sim_after(sim, line, kind, entity, payload);
}

static void widen_ready(struct lz_sim *sim)
{
    uint32_t cap = 2 * sim->ready_cap;
    struct ready *ring = lz_arena_alloc(sim->arena, cap * sizeof(*ring));
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
    LZ_ASSERT(kind >= 1 && kind <= sim->kind_count);
    uint32_t at = (sim->ready_first + sim->ready_count++) & (sim->ready_cap - 1);
    sim->ready[at] =
        (struct ready){.payload = payload, .rank = lz_sim_next_rank(sim, kind), .entity = entity};
}

static lz_lane add_lane(struct lz_sim *sim, struct lane lane)
{
    LZ_ASSERT(sim->lane_count < LANES_MAX);
    sim->lanes =
        lz_grow(sim->arena, sim->lanes, &sim->lane_cap, sim->lane_count + 2, sizeof(*sim->lanes));
    sim->lanes[++sim->lane_count] = lane;
    return (lz_lane)sim->lane_count;
}

lz_lane lz_sim_lane(struct lz_sim *sim, lz_time delay, lz_kind kind)
{
    LZ_ASSERT(delay >= 0);
    LZ_ASSERT(kind >= 1 && kind <= sim->kind_count);
    for (uint32_t i = 1; i <= sim->lane_count; i++)
        if (sim->lanes[i].delay == delay && sim->lanes[i].kind == kind && !sim->lanes[i].list)
            return (lz_lane)i;
    return add_lane(sim, (struct lane){.delay = delay, .kind = kind});
}

void lz_sim_timers_add(struct lz_sim *sim, struct lz_sim_timers *list, lz_kind kind)
{
    LZ_ASSERT(list->delay >= 0 && list->delay <= LZ_FOREVER / 2);
    LZ_ASSERT(list->head != NULL && list->take != NULL && !list->has_alarm && list->first == 0);
    list->lane = add_lane(sim, (struct lane){.delay = list->delay, .kind = kind, .list = list});
}

// So that one is free.
static void grow_timers(struct lz_sim *sim)
{
    LZ_ASSERT(sim->timer_free == 0);
    uint32_t need = sim->timer_used < 256 ? 256 : sim->timer_used + 1;
    sim->timers = lz_grow(sim->arena, sim->timers, &sim->timer_cap, need, sizeof(*sim->timers));
    sim->timer_gens =
        lz_grow(sim->arena, sim->timer_gens, &sim->timer_gen_cap, need, sizeof(*sim->timer_gens));
    sim->timer_free = sim->timer_used++;
    sim->timers[sim->timer_free].entity = 0;
}

static inline bool is_armed(const struct lz_sim *sim, struct turn turn)
{
    return sim->timer_gens[turn.timer] == turn.gen;
}

// The row is full: leave out who was cancelled, and widen it if that makes too little room.
static void make_room(struct lz_sim *sim, struct lane *l)
{
    uint32_t kept = 0;
    for (uint32_t i = l->first; i < l->last; i++) {
        struct turn turn = l->turns[i];
        l->turns[kept] = turn; // nobody can guess which stay: no jump
        kept += is_armed(sim, turn);
    }
    LZ_ASSERT(kept <= sim->timers_armed);
    l->first = 0;
    l->last = kept;
    if (kept >= l->cap / 3 * 2)
        l->turns = lz_grow(sim->arena, l->turns, &l->cap, l->cap + 16, sizeof(*l->turns));
    LZ_ASSERT(l->last < l->cap);
}

// The timer that is due first in a lane, or 0.
static uint32_t head_of(const struct lz_sim *sim, struct lane *l)
{
    if (sim->timers_armed == 0)
        l->first = l->last;
    while (l->first < l->last && !is_armed(sim, l->turns[l->first]))
        l->first++;
    return l->first < l->last ? l->turns[l->first].timer : 0;
}

// For the timer at the head of a lane.
static void set_alarm(struct lz_sim *sim, lz_lane lane, uint32_t head)
{
    struct lane *l = &sim->lanes[lane];
    LZ_ASSERT(head != 0 && !l->has_alarm);
    const struct timer *t = &sim->timers[head];
    LZ_ASSERT(t->at >= sim->face.now);
    uint64_t rank = t->rank >> SEQ_SHIFT << SEQ_SHIFT | KIND_ALARM;
    lz_evq_add_late(&sim->queue, t->at, rank, lane, 0);
    l->has_alarm = true;
}

void lz_sim_timers_alarm(struct lz_sim *sim, struct lz_sim_timers *list)
{
    struct lz_sim_due due;
    LZ_ASSERT(!list->has_alarm && list->first != 0);
    list->head(list->ctx, list, &due);
    LZ_ASSERT(due.at >= sim->face.now);
    uint64_t rank = due.rank >> SEQ_SHIFT << SEQ_SHIFT | KIND_ALARM;
    lz_evq_add_late(&sim->queue, due.at, rank, list->lane, 0);
    list->has_alarm = true;
}

// No timer is free, or the lane's row is full. Apart, so that the usual way saves no registers.
static __attribute__((noinline)) lz_event_id arm_with_more(struct lz_sim *sim, lz_lane lane,
                                                           uint32_t entity, uint64_t payload)
{
    struct lane *l = &sim->lanes[lane];
    if (sim->timer_free == 0)
        grow_timers(sim);
    if (l->last == l->cap)
        make_room(sim, l);
    return lz_sim_arm(sim, lane, entity, payload);
}

// The lane has no alarm yet. Gives `id` back: its caller can end by a jump.
static __attribute__((noinline)) lz_event_id alarm_for(struct lz_sim *sim, lz_lane lane,
                                                       lz_event_id id)
{
    set_alarm(sim, lane, head_of(sim, &sim->lanes[lane]));
    return id;
}

lz_event_id lz_sim_arm(struct lz_sim *sim, lz_lane lane, uint32_t entity, uint64_t payload)
{
    LZ_ASSERT(lane >= 1 && lane <= sim->lane_count);
    struct lane *l = &sim->lanes[lane];
    uint32_t i = sim->timer_free;
    if (i == 0 || l->last == l->cap)
        return arm_with_more(sim, lane, entity, payload);
    struct timer *t = &sim->timers[i];
    sim->timer_free = t->entity;
    bool is_never = l->delay > LZ_FOREVER - sim->face.now;
    t->at = is_never ? LZ_FOREVER : sim->face.now + l->delay;
    t->rank = lz_sim_next_rank(sim, lane);
    t->payload = payload;
    t->entity = entity;
    uint32_t gen = ++sim->timer_gens[i];
    sim->timers_armed++;
    l->turns[l->last++] = (struct turn){.timer = i, .gen = gen};
    lz_event_id id = TIMER_BIT | (uint64_t)(gen & GEN_MASK) << 32 | i;
    return l->has_alarm ? id : alarm_for(sim, lane, id);
}

static inline void disarm(struct lz_sim *sim, uint32_t i)
{
    LZ_ASSERT((sim->timer_gens[i] & 1u) != 0);
    sim->timer_gens[i]++;
    sim->timers[i].entity = sim->timer_free;
    sim->timer_free = i;
    sim->timers_armed--;
}

static inline bool cancel_timer(struct lz_sim *sim, lz_event_id id)
{
    uint32_t i = (uint32_t)id;
    LZ_ASSERT(i > 0 && i < sim->timer_used);
    if ((sim->timer_gens[i] & GEN_MASK) != (uint32_t)((id & ~TIMER_BIT) >> 32))
        return false;
    disarm(sim, i);
    return true;
}

bool lz_sim_cancel(struct lz_sim *sim, lz_event_id id)
{
    if (id == 0)
        return false;
    if ((id & TIMER_BIT) != 0)
        return cancel_timer(sim, id);
    return lz_evq_cancel(&sim->queue, (uint32_t)id, (uint32_t)(id >> 32));
}

// The hash's chain is one product long: what an event says is mixed on its own first.
static inline void trace_event(struct lz_sim *sim, lz_kind kind, uint32_t entity, uint64_t payload)
{
    uint64_t what =
        lz_hash_mix((uint64_t)sim->face.now ^ payload << 1, (uint64_t)kind << 32 | entity);
    sim->trace = lz_hash_mix(sim->trace ^ what, payload);
    sim->fired++;
}

static inline void fire_unwatched(struct lz_sim *sim, lz_kind kind, uint32_t entity,
                                  uint64_t payload)
{
    const struct kind *k = &sim->kinds[kind];
    trace_event(sim, kind, entity, payload);
    k->fn(k->ctx, entity, payload);
}

static void fire(struct lz_sim *sim, lz_kind kind, uint32_t entity, uint64_t payload)
{
    const struct kind *k = &sim->kinds[kind];
    trace_event(sim, kind, entity, payload);
    if (sim->watch != NULL)
        sim->watch(sim->watch_ctx,
                   &(struct lz_event){
                       .at = sim->face.now, .kind = kind, .entity = entity, .payload = payload});
    k->fn(k->ctx, entity, payload);
}

void lz_sim_foresee_cancel(const struct lz_sim *sim, lz_event_id id)
{
    uint32_t i = (uint32_t)id;
    if ((id & TIMER_BIT) == 0) {
        __builtin_prefetch(&sim->queue.events[i], 1);
        return;
    }
    __builtin_prefetch(&sim->timer_gens[i], 1);
    __builtin_prefetch(&sim->timers[i], 1);
}

static inline void foresee(const struct lz_sim *sim, uint32_t event)
{
    const struct lz_evq_event *e = &sim->queue.events[event];
    const struct kind *k = &sim->kinds[(lz_kind)e->rank];
    if ((lz_kind)e->rank != KIND_ALARM && k->foresee != NULL)
        k->foresee(k->ctx, e->entity, e->payload);
}

/*
 * Slots were opened, whose events fire one after the other from now on. Those of the next ones are
 * foreseen, which are as many if few are; of many, these themselves but for the first, which
 * fire at once. Told in a row, all that has to be fetched is on its way at the same time.
 */
static __attribute__((noinline)) void foresee_some(const struct lz_sim *sim)
{
    const struct lz_evq *q = &sim->queue;
    if (q->near_last - q->near_first > LZ_EVQ_AHEAD) {
        for (uint32_t i = q->near_first + 2; i < q->near_last; i++)
            foresee(sim, q->near[i].event);
        return;
    }
    uint32_t ahead[LZ_EVQ_AHEAD];
    uint32_t count = lz_evq_ahead(q, ahead);
    for (uint32_t i = 0; i < count; i++)
        foresee(sim, ahead[i]);
}

// The timer that an alarm was set for, LISTED if its owner keeps it, or 0 if it was cancelled
// meanwhile.
static uint32_t timer_of(const struct lz_sim *sim, const struct lz_evq_event *alarm)
{
    const struct lz_sim_timers *list = sim->lanes[alarm->entity].list;
    if (list != NULL) {
        struct lz_sim_due due = {0};
        if (list->first != 0)
            list->head(list->ctx, list, &due);
        return due.rank >> SEQ_SHIFT == alarm->rank >> SEQ_SHIFT ? LISTED : 0;
    }
    uint32_t i = head_of(sim, &sim->lanes[alarm->entity]);
    bool is_it = i != 0 && sim->timers[i].rank >> SEQ_SHIFT == alarm->rank >> SEQ_SHIFT;
    return is_it ? i : 0;
}

static void move_alarm(struct lz_sim *sim)
{
    struct lz_evq_event alarm = lz_evq_take(&sim->queue);
    struct lane *l = &sim->lanes[alarm.entity];
    if (l->list != NULL) {
        l->list->has_alarm = false;
        if (l->list->first != 0)
            lz_sim_timers_alarm(sim, l->list);
        return;
    }
    l->has_alarm = false;
    uint32_t head = head_of(sim, l);
    if (head != 0)
        set_alarm(sim, (lz_lane)alarm.entity, head);
}

static void fire_timer(struct lz_sim *sim, uint32_t i)
{
    uint64_t payload = sim->timers[i].payload;
    uint32_t entity = sim->timers[i].entity;
    lz_kind kind = sim->lanes[(lz_lane)sim->timers[i].rank].kind;
    disarm(sim, i);
    move_alarm(sim);
    fire(sim, kind, entity, payload);
}

static void fire_listed(struct lz_sim *sim, lz_lane lane)
{
    struct lz_sim_timers *list = sim->lanes[lane].list;
    lz_kind kind = sim->lanes[lane].kind;
    struct lz_sim_due due;
    list->head(list->ctx, list, &due);
    list->take(list->ctx, list);
    move_alarm(sim);
    fire(sim, kind, due.entity, due.payload);
}

static inline struct ready take_ready(struct lz_sim *sim)
{
    struct ready r = sim->ready[sim->ready_first];
    sim->ready_first = (sim->ready_first + 1) & (sim->ready_cap - 1);
    sim->ready_count--;
    return r;
}

static inline void fire_next(struct lz_sim *sim, uint32_t timer)
{
    if (timer == LISTED) {
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
    LZ_ASSERT(e->at >= sim->face.now);
    sim->face.now = e->at;
    sim->note.now_ns = e->at;
    return e;
}

// Ready work, if nothing else falls on this instant; false: that has to be looked at first.
static inline bool fire_ready_first(struct lz_sim *sim)
{
    const struct lz_evq *q = &sim->queue;
    uint64_t now = (uint64_t)sim->face.now;
    bool is_near = q->near_first != q->near_last;
    uint64_t next = is_near ? (uint64_t)q->near[q->near_first].at : q->near_end;
    if (next <= now || (uint64_t)lz_lines_at(&sim->face.lines) <= now)
        return false;
    struct ready r = take_ready(sim);
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
    lz_time line_at = lz_lines_at(&sim->face.lines), near_at = LZ_FOREVER;
    const struct lz_evq_entry *next = NULL;
    if (q->near_first != q->near_last || open_next(sim, end)) {
        next = &q->near[q->near_first];
        near_at = next->at;
    }
    if (line_at < near_at) { // what is not near is not due before it
        if (line_at > end)
            return false;
        const struct lz_line_event *e = take_line(sim);
        fire_unwatched(sim, (lz_kind)e->rank, e->entity, e->payload);
        return true;
    }
    if (line_at == near_at || near_at > end)
        return false;
    const struct lz_evq_event *e = &q->events[next->event];
    if ((e->gen & 1u) == 0 || (lz_kind)e->rank == KIND_ALARM)
        return false;
    LZ_ASSERT(next->at >= sim->face.now);
    sim->face.now = next->at;
    sim->note.now_ns = next->at;
    lz_kind kind = (lz_kind)e->rank;
    uint32_t entity = e->entity;
    uint64_t payload = e->payload;
    q->near_first++;
    q->live--;
    lz_evq_release_live(q, next->event);
    fire_unwatched(sim, kind, entity, payload);
    return true;
}

// Who stops, or watches, is seen where the budget is: the usual way need not ask.
static void choose_limit(struct lz_sim *sim)
{
    sim->fired_limit = sim->stop || sim->watch != NULL ? 0 : sim->fired_max;
}

// Nothing is due by `end`.
static enum lz_sim_stop end_at(struct lz_sim *sim, lz_time end)
{
    sim->face.now = end;
    sim->note.now_ns = end;
    return LZ_SIM_ENDED;
}

/*
 * The queue is asked for no more than this instant while there is ready work: opening it
 * further would be for nothing, as the ready work schedules what comes before. The same holds for
 * the instant at which the first of the lines is due.
 */
enum lz_sim_stop lz_sim_run(struct lz_sim *sim, lz_time end)
{
    LZ_ASSERT(end >= sim->face.now);
    lz_check_set_note(&sim->note);
    sim->stop = false;
    choose_limit(sim);
    for (;;) {
        if (fire_plain(sim, end))
            continue;
        if (sim->stop)
            return LZ_SIM_STOPPED;
        bool has_ready = sim->ready_count > 0;
        lz_time limit = has_ready ? sim->face.now : end;
        lz_time line_at = lz_lines_at(&sim->face.lines);
        bool is_line = line_at <= limit && line_at < LZ_FOREVER;
        const struct lz_evq_entry *next = lz_evq_peek(&sim->queue, is_line ? line_at : limit);
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
            if ((lz_kind)e->rank == KIND_ALARM && (timer = timer_of(sim, e)) == 0) {
                move_alarm(sim);
                continue;
            }
        }
        if (sim->fired >= sim->fired_max)
            return LZ_SIM_EVENTS_USED;
        if (is_ready) {
            struct ready r = take_ready(sim);
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
        sim->note.now_ns = next->at;
        fire_next(sim, timer);
    }
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
