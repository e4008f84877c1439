/*
 * group.c — a group's coordinator: who is a member, who reads what, how far it has been read.
 *
 *   EMPTY ──join──▶ PREPARING ──all have joined, or time is up──▶ COMPLETING ──leader's sync──▶
 *                       ▲ STABLE └── somebody joins, leaves, or a session runs out
 * ──────────────────────┘
 *
 * The coordinator is the node that leads the group's part of __consumer_offsets: the first live one
 * from a place given by the group's name. What it knows is replicated; when it moves, sessions
 * begin anew (GroupCoordinator.onElection), and members find it when their requests fail.
 *
 * From EMPTY a rebalance waits 3 s for more members (group.initial.rebalance.delay.ms); others wait
 * for all that sit, at most max_poll_interval (rebalance.timeout.ms).
 */
#include "base/check.h"
#include "base/grow.h"
#include "model/broker/transaction.h"
#include "model/net/net.h"

#define INITIAL_DELAY_NS (3 * LZ_S)
#define SEATS_MAX 65536u

static uint64_t pack(const struct lz_group *g, uint32_t seat)
{
    return (uint64_t)g->id << 32 | seat;
}

static lz_instance_id coordinator(const struct lz_group *g)
{
    return g->coordinator == LZ_BROKER_NOBODY ? 0 : g->broker->first + g->coordinator;
}

// ---- sessions

static void arm_session(struct lz_world *w, struct lz_group *g, uint32_t seat)
{
    struct lz_seat *s = &g->seats[seat];
    lz_sim_cancel(w->sim, s->session);
    s->session = 0;
    s->expires = lz_sim_now(w->sim) + g->opts.session;
    if (coordinator(g) != 0)
        s->session = lz_sim_arm(w->sim, lz_sim_lane(w->sim, g->opts.session, w->groups->session),
                                coordinator(g), pack(g, seat));
}

static uint32_t find_seat(const struct lz_world *w, const struct lz_group *g, lz_instance_id id)
{
    uint32_t incarnation = lz_instance_get(w, id)->incarnation;
    for (uint32_t i = 0; i < g->seat_count; i++)
        if (g->seats[i].instance == id && g->seats[i].incarnation == incarnation)
            return i;
    return LZ_BROKER_NOBODY;
}

// The seat that its name has, whoever sits there (GroupMetadata.replaceStaticMember).
static uint32_t find_named(const struct lz_group *g, lz_instance_id id)
{
    for (uint32_t i = 0; i < g->seat_count; i++)
        if (g->seats[i].instance == id)
            return i;
    return LZ_BROKER_NOBODY;
}

static uint32_t take_seat(struct lz_world *w, struct lz_group *g, lz_instance_id id)
{
    uint32_t i = 0;
    while (i < g->seat_count && g->seats[i].instance != 0)
        i++;
    LZ_ASSERT(i < SEATS_MAX);
    g->seats = lz_grow(w->arena, g->seats, &g->seat_cap, i + 1, sizeof(*g->seats));
    if (i == g->seat_count)
        g->seat_count++;
    g->seats[i] =
        (struct lz_seat){.instance = id, .incarnation = lz_instance_get(w, id)->incarnation};
    return i;
}

static uint32_t sitting(const struct lz_group *g)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < g->seat_count; i++)
        count += g->seats[i].instance != 0;
    return count;
}

// ---- answers

static void answer(struct lz_world *w, uint64_t *id, enum lz_broker_error error)
{
    struct lz_rpc *r = lz_rpc_find(w, *id);
    *id = 0;
    if (r != NULL && lz_rpc_is_there(r)) // else its node has ended, and it knows
        lz_rpc_answer(w, r, (uint16_t)error, 0);
}

// ---- assigning

// Members that sit, by their numbers: what assign.h calls the i-th. A process that was started
// again may sit twice until its predecessor's session has run out; the newer one counts.
static uint32_t list_members(const struct lz_group *g, uint32_t *members)
{
    uint32_t count = 0;
    for (uint32_t m = 0; m < g->opts.members; m++) {
        bool sits = false;
        for (uint32_t i = 0; i < g->seat_count; i++)
            sits = sits || (g->seats[i].instance == g->first + m &&
                            g->seats[i].generation == g->generation);
        if (sits)
            members[count++] = m;
    }
    return count;
}

static uint32_t index_of(const uint32_t *members, uint32_t count, uint32_t member)
{
    for (uint32_t i = 0; i < count; i++)
        if (members[i] == member)
            return i;
    return LZ_ASSIGN_NOBODY;
}

// In a cooperative round what moves is given to nobody while its owner still has it.
static void assign(struct lz_group *g)
{
    uint32_t n = g->topic->opts.partitions, members[LZ_CONSUMERS_MEMBERS_MAX];
    uint32_t count = list_members(g, members);
    if (count == 0)
        return;
    for (uint32_t p = 0; p < n; p++)
        g->owners[p] = index_of(members, count, g->claims[p].owner);
    lz_assign(g->opts.assignment, n, count, g->owners, g->load);
    for (uint32_t p = 0; p < n; p++) {
        uint32_t owner = members[g->owners[p]], before = g->claims[p].owner;
        bool is_held = before != LZ_BROKER_NOBODY && before != owner &&
                       index_of(members, count, before) != LZ_ASSIGN_NOBODY &&
                       lz_member_cursor(&g->members[before], p) != NULL;
        g->claims[p].owner = g->opts.is_cooperative && is_held ? LZ_BROKER_NOBODY : owner;
    }
}

// ---- rebalancing

static void complete_join(struct lz_world *w, struct lz_group *g);

static void join_if_complete(struct lz_world *w, struct lz_group *g)
{
    if (g->phase != LZ_GROUP_PREPARING || g->is_waiting)
        return;
    for (uint32_t i = 0; i < g->seat_count; i++)
        if (g->seats[i].instance != 0 && !g->seats[i].has_joined)
            return;
    complete_join(w, g);
}

static void prepare(struct lz_world *w, struct lz_group *g)
{
    bool is_first = g->phase == LZ_GROUP_EMPTY;
    g->phase = LZ_GROUP_PREPARING;
    g->is_waiting = is_first;
    g->prepared = lz_sim_now(w->sim);
    for (uint32_t i = 0; i < g->seat_count; i++) {
        answer(w, &g->seats[i].sync, LZ_BROKER_REBALANCING);
        g->seats[i].has_joined = g->seats[i].join != 0;
    }
    lz_sim_cancel(w->sim, g->joining);
    g->joining = 0;
    g->completes = g->prepared + (is_first ? INITIAL_DELAY_NS : g->opts.max_poll_interval);
    if (coordinator(g) != 0)
        g->joining = lz_sim_at(w->sim, g->completes, w->groups->joining, coordinator(g), g->id);
    lz_metrics_add(w->metrics, g->series.rebalances, 1);
}

static void remove_seat(struct lz_world *w, struct lz_group *g, uint32_t seat)
{
    struct lz_seat *s = &g->seats[seat];
    lz_sim_cancel(w->sim, s->session);
    answer(w, &s->join, LZ_BROKER_UNKNOWN_MEMBER);
    answer(w, &s->sync, LZ_BROKER_UNKNOWN_MEMBER);
    *s = (struct lz_seat){0};
}

static void emptied(struct lz_world *w, struct lz_group *g)
{
    g->phase = LZ_GROUP_EMPTY;
    g->is_waiting = false;
    g->generation++;
    lz_sim_cancel(w->sim, g->joining);
    g->joining = 0;
    for (uint32_t p = 0; p < g->topic->opts.partitions; p++)
        g->claims[p].owner = LZ_BROKER_NOBODY;
}

static void after_departure(struct lz_world *w, struct lz_group *g)
{
    if (sitting(g) == 0)
        emptied(w, g);
    else if (g->phase == LZ_GROUP_PREPARING)
        join_if_complete(w, g);
    else
        prepare(w, g);
}

static void complete_join(struct lz_world *w, struct lz_group *g)
{
    lz_sim_cancel(w->sim, g->joining);
    g->joining = 0;
    g->is_waiting = false;
    for (uint32_t i = 0; i < g->seat_count; i++)
        if (g->seats[i].instance != 0 && !g->seats[i].has_joined)
            remove_seat(w, g, i);
    if (sitting(g) == 0) {
        emptied(w, g);
        return;
    }
    g->generation++;
    g->phase = LZ_GROUP_COMPLETING;
    g->leader = LZ_BROKER_NOBODY;
    for (uint32_t i = 0; i < g->seat_count; i++) {
        if (g->seats[i].instance == 0)
            continue;
        if (g->leader == LZ_BROKER_NOBODY)
            g->leader = i;
        g->seats[i].generation = g->generation;
        answer(w, &g->seats[i].join, LZ_BROKER_OK);
        arm_session(w, g, i);
    }
}

static void on_joining(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->groups->joining, payload))
        return;
    struct lz_group *g = lz_group_at(w, (lz_component_id)payload);
    if (coordinator(g) != entity || g->phase != LZ_GROUP_PREPARING)
        return;
    if (lz_sim_now(w->sim) < g->completes)
        return; // of a rebalance before, kept while the coordinator was paused
    g->joining = 0;
    complete_join(w, g);
}

static void on_session(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->groups->session, payload))
        return;
    struct lz_group *g = lz_group_at(w, (lz_component_id)(payload >> 32));
    uint32_t seat = (uint32_t)payload;
    if (coordinator(g) != entity || g->seats[seat].instance == 0)
        return;
    struct lz_seat *s = &g->seats[seat];
    if (lz_sim_now(w->sim) < s->expires)
        return; // kept while the coordinator was paused: its seat was heard of since
    s->session = 0;
    bool waits =
        s->join != 0 || s->sync != 0; // here: it lives (MemberMetadata.hasSatisfiedHeartbeat)
    if (waits || !lz_instance_is_up(lz_instance_get(w, entity))) {
        arm_session(w, g, seat);
        return;
    }
    lz_instance_note(w, s->instance, "expired", "is out of its group: its session ran out");
    remove_seat(w, g, seat);
    after_departure(w, g);
}

// ---- requests

static void join(struct lz_world *w, struct lz_group *g, struct lz_rpc *r)
{
    bool is_static = g->opts.is_static;
    uint32_t seat = is_static ? find_named(g, r->from) : find_seat(w, g, r->from);
    bool replaces = is_static && seat != LZ_BROKER_NOBODY && lz_group_generation_of(r) == 0;
    if (seat == LZ_BROKER_NOBODY)
        seat = take_seat(w, g, r->from);
    struct lz_seat *s = &g->seats[seat];
    answer(w, &s->join, LZ_BROKER_REBALANCING); // it asks again: the old request is forgotten
    if (replaces) {
        answer(w, &s->sync, LZ_BROKER_UNKNOWN_MEMBER);
        s->incarnation = r->from_incarnation;
    }
    if (g->transactions != NULL)
        lz_transaction_joined(w, g, &g->members[r->owner >> 32]);
    arm_session(w, g, seat);
    if (replaces && g->phase == LZ_GROUP_STABLE) { // of the generation that there is
        lz_rpc_answer(w, r, LZ_BROKER_OK, 0);
        return;
    }
    s->join = lz_pool_id(r);
    if (g->phase != LZ_GROUP_PREPARING)
        prepare(w, g);
    s->has_joined = true;
    join_if_complete(w, g);
}

static void sync(struct lz_world *w, struct lz_group *g, struct lz_rpc *r, uint32_t seat)
{
    if (g->phase == LZ_GROUP_STABLE) {
        lz_rpc_answer(w, r, LZ_BROKER_OK, 0);
        return;
    }
    g->seats[seat].sync = lz_pool_id(r);
    if (seat != g->leader)
        return;
    assign(g);
    g->phase = LZ_GROUP_STABLE;
    lz_metrics_observe(w->metrics, g->series.rebalance_time, lz_sim_now(w->sim) - g->prepared);
    for (uint32_t i = 0; i < g->seat_count; i++)
        answer(w, &g->seats[i].sync, LZ_BROKER_OK);
}

static void commit(struct lz_group *g, const struct lz_member *m, const struct lz_rpc *r)
{
    if (m->said == NULL || m->said_in != lz_group_generation_of(r))
        return;
    for (uint32_t p = 0; p < g->topic->opts.partitions; p++)
        if (m->said[p] != LZ_POSITION_NONE)
            g->claims[p].committed = m->said[p];
}

// What a seated member of this generation asks.
static void serve(struct lz_world *w, struct lz_group *g, struct lz_rpc *r, uint32_t seat)
{
    enum lz_group_op op = lz_group_op_of(r);
    const struct lz_member *m = &g->members[r->owner >> 32];
    bool is_preparing = g->phase == LZ_GROUP_PREPARING;
    switch (op) {
    case LZ_GROUP_SYNC:
        if (is_preparing)
            lz_rpc_answer(w, r, LZ_BROKER_REBALANCING, 0);
        else
            sync(w, g, r, seat);
        return;
    case LZ_GROUP_ABORT:
        lz_transaction_end(w, g, m, r, false);
        return;
    case LZ_GROUP_COMMIT:
        if (g->transactions != NULL) {
            lz_transaction_end(w, g, m, r, true);
            return;
        }
        commit(g, m, r);
        lz_rpc_answer(w, r, LZ_BROKER_OK, 0);
        return;
    case LZ_GROUP_LEAVE:
        // With transactions nothing is open by now; of an old generation nothing can be committed.
        if (g->transactions == NULL && g->seats[seat].generation == lz_group_generation_of(r))
            commit(g, m, r);
        lz_rpc_answer(w, r, LZ_BROKER_OK, 0);
        remove_seat(w, g, seat);
        after_departure(w, g);
        return;
    case LZ_GROUP_LOAD:
        if (!lz_transaction_is_settled(g)) { // UNSTABLE_OFFSET_COMMIT: asked again
            lz_rpc_answer(w, r, LZ_BROKER_NOT_COORDINATOR, 0);
            return;
        }
        lz_rpc_answer(w, r, is_preparing ? LZ_BROKER_REBALANCING : LZ_BROKER_OK, 0);
        return;
    default:
        lz_rpc_answer(w, r, is_preparing ? LZ_BROKER_REBALANCING : LZ_BROKER_OK, 0);
        return;
    }
}

void lz_group_arrived(struct lz_world *w, struct lz_rpc *r)
{
    struct lz_group *g = lz_group_at(w, lz_instance_get(w, r->from)->component);
    if (coordinator(g) != r->to) {
        lz_rpc_answer(w, r, LZ_BROKER_NOT_COORDINATOR, 0);
        return;
    }
    enum lz_group_op op = lz_group_op_of(r);
    bool stands = op == LZ_GROUP_LEAVE || (op == LZ_GROUP_COMMIT && g->transactions == NULL);
    if (!stands && !lz_rpc_is_wanted(w, r)) {
        lz_rpc_answer(w, r, LZ_BROKER_UNKNOWN_MEMBER, 0); // of a process that has ended
        return;
    }
    if (op == LZ_GROUP_JOIN) {
        join(w, g, r);
        return;
    }
    uint32_t seat = LZ_BROKER_NOBODY;
    for (uint32_t i = 0; i < g->seat_count; i++)
        if (g->seats[i].instance == r->from && g->seats[i].incarnation == r->from_incarnation)
            seat = i;
    bool is_known = seat != LZ_BROKER_NOBODY;
    if (is_known && op != LZ_GROUP_LEAVE) // that names its member and no generation
        is_known = g->seats[seat].generation == lz_group_generation_of(r) &&
                   g->seats[seat].generation == g->generation;
    if (!is_known) {
        lz_rpc_answer(w, r, LZ_BROKER_UNKNOWN_MEMBER, 0);
        return;
    }
    arm_session(w, g, seat);
    serve(w, g, r, seat);
}

// ---- where it is

static uint32_t find_coordinator(const struct lz_group *g)
{
    uint32_t n = g->broker->opts.nodes, first = (uint32_t)(lz_hash_text(g->opts.name) % n);
    for (uint32_t i = 0; i < n; i++)
        if (!g->broker->nodes[(first + i) % n].is_fenced)
            return (first + i) % n;
    return LZ_BROKER_NOBODY;
}

void lz_group_reconsider(struct lz_world *w, struct lz_group *g)
{
    uint32_t node = find_coordinator(g);
    if (node == g->coordinator)
        return;
    g->coordinator = node;
    lz_sim_cancel(w->sim, g->joining);
    g->joining = 0;
    for (uint32_t i = 0; i < g->seat_count; i++) {
        struct lz_seat *s = &g->seats[i];
        if (s->instance == 0)
            continue;
        answer(w, &s->join, LZ_BROKER_NOT_COORDINATOR);
        answer(w, &s->sync, LZ_BROKER_NOT_COORDINATOR);
        s->has_joined = false;
        arm_session(w, g, i);
    }
    lz_transaction_resume(w, g);
    bool is_torn = g->phase == LZ_GROUP_PREPARING || g->phase == LZ_GROUP_COMPLETING;
    if (is_torn && sitting(g) > 0)
        prepare(w, g); // what was agreed on by half begins again
}

// ---- the beginning

void lz_group_seat_all(struct lz_world *w, struct lz_group *g)
{
    g->coordinator = find_coordinator(g);
    g->generation = 1;
    g->phase = LZ_GROUP_STABLE;
    for (uint32_t m = 0; m < g->opts.members; m++) {
        if (!lz_instance_is_up(lz_instance_get(w, g->first + m)))
            continue;
        uint32_t seat = take_seat(w, g, g->first + m);
        g->seats[seat].generation = g->generation;
        arm_session(w, g, seat);
    }
    if (sitting(g) == 0)
        g->phase = LZ_GROUP_EMPTY;
    assign(g);
}

void lz_group_truncated(struct lz_world *w, struct lz_partition *p, uint64_t end)
{
    (void)w;
    for (uint32_t i = 0; i < p->topic->group_count; i++) {
        struct lz_claim *c = &p->topic->groups[i]->claims[p->number];
        lz_seen_cut(&c->seen, end);
        c->committed = c->committed < end ? c->committed : end;
        c->front = c->front < end ? c->front : end;
    }
}

void lz_group_needs(const struct lz_partition *p, uint64_t *upto)
{
    for (uint32_t i = 0; i < p->topic->group_count; i++) {
        struct lz_group *g = p->topic->groups[i];
        uint64_t least = g->claims[p->number].committed;
        for (uint32_t m = 0; m < g->opts.members; m++) {
            const struct lz_cursor *c = lz_member_cursor(&g->members[m], p->number);
            if (c != NULL && c->done < least)
                least = c->done;
        }
        *upto = least < *upto ? least : *upto;
        if (g->claims[p->number].front < *upto)
            *upto = g->claims[p->number].front;
    }
}

void lz_group_init(struct lz_world *w)
{
    static const struct lz_rpc_ops ops = {.arrived = lz_group_arrived, .ended = lz_member_ended};
    struct lz_groups *gs = w->groups = lz_arena_alloc(w->arena, sizeof(*gs));
    lz_rpc_serve(w, LZ_RPC_GROUP, &ops);
    gs->session = lz_sim_kind(w->sim, "group.session", on_session, w);
    gs->joining = lz_sim_kind(w->sim, "group.joining", on_joining, w);
    gs->heartbeat = lz_sim_kind(w->sim, "group.heartbeat", lz_member_on_heartbeat, w);
    gs->again = lz_sim_kind(w->sim, "group.again", lz_member_on_again, w);
    gs->rested = lz_sim_kind(w->sim, "group.rested", lz_work_on_rested, w);
    lz_reader_init(w);
}
