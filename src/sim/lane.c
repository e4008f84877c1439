#include "base/grow.h"
#include "sim/sim_state.h"

#define LANES_MAX 65535
#define TIMER_BIT (1ull << 63) /* of an id: a lane's timer, not an event of the queue */

static lz_lane add_lane(struct lz_sim *sim, struct lz_sim_lane lane)
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
    return add_lane(sim, (struct lz_sim_lane){.delay = delay, .kind = kind});
}

void lz_sim_timers_add(struct lz_sim *sim, struct lz_sim_timers *list, lz_kind kind)
{
    LZ_ASSERT(list->delay >= 0 && list->delay <= LZ_FOREVER / 2);
    LZ_ASSERT(list->head != NULL && list->take != NULL && !list->has_alarm);
    lz_chain_init(&list->armed);
    list->lane =
        add_lane(sim, (struct lz_sim_lane){.delay = list->delay, .kind = kind, .list = list});
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

static inline bool is_armed(const struct lz_sim *sim, struct lz_sim_turn turn)
{
    return sim->timer_gens[turn.timer] == turn.gen;
}

// The row is full: leave out who was cancelled, and widen it if that makes too little room.
static void make_room(struct lz_sim *sim, struct lz_sim_lane *l)
{
    uint32_t kept = 0;
    for (uint32_t i = l->first; i < l->last; i++) {
        struct lz_sim_turn turn = l->turns[i];
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
static uint32_t head_of(const struct lz_sim *sim, struct lz_sim_lane *l)
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
    struct lz_sim_lane *l = &sim->lanes[lane];
    LZ_ASSERT(head != 0 && !l->has_alarm);
    const struct lz_sim_timer *t = &sim->timers[head];
    LZ_ASSERT(t->at >= sim->face.now);
    uint64_t rank = t->rank >> LZ_SIM_SEQ_SHIFT << LZ_SIM_SEQ_SHIFT | LZ_SIM_ALARM;
    lz_evq_add_late(&sim->queue, t->at, rank, lane, 0);
    l->has_alarm = true;
}

void lz_sim_timers_alarm(struct lz_sim *sim, struct lz_sim_timers *list)
{
    struct lz_sim_due due;
    LZ_ASSERT(!list->has_alarm && !lz_chain_is_empty(&list->armed));
    list->head(list->ctx, list, &due);
    LZ_ASSERT(due.at >= sim->face.now);
    uint64_t rank = due.rank >> LZ_SIM_SEQ_SHIFT << LZ_SIM_SEQ_SHIFT | LZ_SIM_ALARM;
    lz_evq_add_late(&sim->queue, due.at, rank, list->lane, 0);
    list->has_alarm = true;
}

// No timer is free, or the lane's row is full. Apart, so that the usual way saves no registers.
static __attribute__((noinline)) lz_event_id arm_with_more(struct lz_sim *sim, lz_lane lane,
                                                           uint32_t entity, uint64_t payload)
{
    struct lz_sim_lane *l = &sim->lanes[lane];
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
    struct lz_sim_lane *l = &sim->lanes[lane];
    uint32_t i = sim->timer_free;
    if (i == 0 || l->last == l->cap)
        return arm_with_more(sim, lane, entity, payload);
    struct lz_sim_timer *t = &sim->timers[i];
    sim->timer_free = t->entity;
    bool is_never = l->delay > LZ_FOREVER - sim->face.now;
    t->at = is_never ? LZ_FOREVER : sim->face.now + l->delay;
    t->rank = lz_sim_next_rank(sim, lane);
    t->payload = payload;
    t->entity = entity;
    uint32_t gen = ++sim->timer_gens[i];
    sim->timers_armed++;
    l->turns[l->last++] = (struct lz_sim_turn){.timer = i, .gen = gen};
    lz_event_id id = TIMER_BIT | (uint64_t)(gen & LZ_SIM_GEN) << 32 | i;
    return l->has_alarm ? id : alarm_for(sim, lane, id);
}

static inline bool cancel_timer(struct lz_sim *sim, lz_event_id id)
{
    uint32_t i = (uint32_t)id;
    LZ_ASSERT(i > 0 && i < sim->timer_used);
    if ((sim->timer_gens[i] & LZ_SIM_GEN) != (uint32_t)((id & ~TIMER_BIT) >> 32))
        return false;
    lz_lane_disarm(sim, i);
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

uint32_t lz_lane_due(const struct lz_sim *sim, const struct lz_evq_event *alarm)
{
    const struct lz_sim_timers *list = sim->lanes[alarm->entity].list;
    if (list != NULL) {
        struct lz_sim_due due = {0};
        if (!lz_chain_is_empty(&list->armed))
            list->head(list->ctx, list, &due);
        return due.rank >> LZ_SIM_SEQ_SHIFT == alarm->rank >> LZ_SIM_SEQ_SHIFT ? LZ_SIM_LISTED : 0;
    }
    uint32_t i = head_of(sim, &sim->lanes[alarm->entity]);
    bool is_it =
        i != 0 && sim->timers[i].rank >> LZ_SIM_SEQ_SHIFT == alarm->rank >> LZ_SIM_SEQ_SHIFT;
    return is_it ? i : 0;
}

void lz_lane_move_alarm(struct lz_sim *sim)
{
    struct lz_evq_event alarm = lz_evq_take(&sim->queue);
    struct lz_sim_lane *l = &sim->lanes[alarm.entity];
    if (l->list != NULL) {
        l->list->has_alarm = false;
        if (!lz_chain_is_empty(&l->list->armed))
            lz_sim_timers_alarm(sim, l->list);
        return;
    }
    l->has_alarm = false;
    uint32_t head = head_of(sim, l);
    if (head != 0)
        set_alarm(sim, (lz_lane)alarm.entity, head);
}
