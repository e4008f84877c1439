#include "consensus_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct stage stage_make(const struct lz_consensus_opts *opts, uint64_t seed, lz_time end)
{
    struct stage s = {0};
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s.arena, &s.err));
    s.w = lz_world_create(
        &(struct lz_world_opts){.arena = s.arena, .seed = seed, .run_key = seed, .end = end});
    struct lz_consensus_opts o = *opts;
    o.name = "etcd";
    lz_component_id id = 0;
    assert_true(lz_consensus_create(s.w, &o, &id, &s.err));
    s.g = lz_consensus_at(s.w, id);
    return s;
}

void stage_run(struct stage *s, lz_time until)
{
    assert_int_equal(lz_world_run_until(s->w, until), LZ_SIM_ENDED);
}

static struct lz_target node_target(const struct stage *s, uint32_t n)
{
    return (struct lz_target){.kind = LZ_TARGET_INSTANCE, .id = s->g->id, .ordinal = n + 1};
}

void stage_way(struct stage *s, uint32_t from, uint32_t to, const struct lz_dist *latency)
{
    struct lz_target a = node_target(s, from), b = node_target(s, to);
    struct lz_link_opts o = {
        .from = a, .to = b, .one_way = true, .conditions = {.latency = *latency}};
    o.conditions.gap = 10 * LZ_MS;
    assert_true(lz_link_declare(s->w, &o, &s->err));
}

void stage_ways(struct stage *s, lz_time latency)
{
    struct lz_dist d = lz_dist_constant(latency);
    for (uint32_t i = 0; i < s->g->opts.nodes; i++)
        for (uint32_t j = 0; j < s->g->opts.nodes; j++)
            if (i != j)
                stage_way(s, i, j, &d);
}

uint64_t stage_propose(struct stage *s, const struct lz_raft_entry *e)
{
    lz_instance_id leader = lz_consensus_leader(s->w, s->g->id);
    return leader != 0 ? lz_raft_propose(s->w, s->g, leader - s->g->first, e) : 0;
}

// ---- safety

const char *stage_unsafe(const struct stage *s, struct witness *v)
{
    const struct lz_consensus *g = s->g;
    for (uint32_t n = 0; n < g->opts.nodes; n++) {
        const struct lz_raft_node *node = &g->nodes[n];
        if (!node->is_on)
            continue;
        uint64_t *led = &v->term_led_by[node->hard.term];
        if (node->role == LZ_RAFT_LEADER && *led != 0 && *led != n + 1)
            return "two leaders in a term";
        if (node->role == LZ_RAFT_LEADER)
            *led = n + 1;
        for (uint64_t i = node->log.base + 1; i <= node->commit; i++) {
            const struct lz_raft_entry *e = lz_raft_log_get(&node->log, i);
            if (i < v->cap && i <= v->count &&
                (v->committed[i].term != e->term || v->committed[i].key != e->key ||
                 v->committed[i].value != e->value))
                return "another entry committed at an index";
            if (i == v->count + 1 && i < v->cap)
                v->committed[++v->count] = *e;
        }
        uint64_t hash = lz_raft_machine_hash(&node->machine);
        if (node->applied < v->cap && v->applied_hash[node->applied] == 0)
            v->applied_hash[node->applied] = hash;
        if (node->applied < v->cap && v->applied_hash[node->applied] != hash)
            return "another state after the same index";
        if (node->applied > node->commit)
            return "applied what is not committed";
    }
    for (uint32_t n = 0; n < g->opts.nodes; n++) {
        const struct lz_raft_node *node = &g->nodes[n];
        bool is_newest = node->is_on && node->role == LZ_RAFT_LEADER;
        for (uint32_t o = 0; o < g->opts.nodes; o++)
            is_newest = is_newest && g->nodes[o].hard.term <= node->hard.term;
        for (uint64_t i = node->log.base + 1; is_newest && i <= v->count; i++)
            if (lz_raft_log_term(&node->log, i) != v->committed[i].term)
                return "a leader lacks what was committed";
        for (uint32_t o = 0; o < n; o++) {
            const struct lz_raft_log *a = &node->log, *b = &g->nodes[o].log;
            bool is_same = false;
            uint64_t i = a->last < b->last ? a->last : b->last;
            for (; i > a->base && i > b->base; i--) {
                is_same = is_same || lz_raft_log_term(a, i) == lz_raft_log_term(b, i);
                if (is_same && (lz_raft_log_get(a, i)->key != lz_raft_log_get(b, i)->key ||
                                lz_raft_log_term(a, i) != lz_raft_log_term(b, i)))
                    return "logs that agree at an index differ before it";
            }
        }
    }
    return NULL;
}

struct turmoil {
    struct stage *s;
    struct lz_link_effect cut[2];
    lz_link_effect_id cut_ids[2];
    uint64_t touched;
    bool is_cut;
    uint64_t changes, transfers;          // that were begun
    uint8_t held[LZ_CONSENSUS_NODES_MAX]; // how a node is held: 0 not, 1 killed, 2 lost, 3 paused
};

uint64_t stage_pick(struct lz_draw *d, uint64_t n)
{
    return lz_draw_below(d, n);
}

static void release(struct turmoil *t, uint32_t n)
{
    lz_instance_id id = t->s->g->first + n;
    if (t->held[n] == 1)
        lz_instance_restart(t->s->w, id);
    else if (t->held[n] == 2)
        lz_instance_return(t->s->w, id);
    else if (t->held[n] == 3)
        lz_instance_resume(t->s->w, id);
    t->held[n] = 0;
}

static struct lz_link_end end_of(const struct stage *s, uint32_t n, lz_instance_id *place)
{
    *place = s->g->first + n;
    return (struct lz_link_end){.list = place, .count = 1};
}

static void disturb(struct turmoil *t, struct lz_draw *d)
{
    struct stage *s = t->s;
    uint32_t n = (uint32_t)stage_pick(d, s->g->opts.nodes);
    lz_instance_id id = s->g->first + n;
    static lz_instance_id places[2];
    switch (stage_pick(d, s->g->opts.members < s->g->opts.nodes ? 9 : 6)) {
    case 0:
    case 1:
        if (t->held[n] != 0) {
            release(t, n);
            return;
        }
        t->held[n] = (uint8_t)(1 + stage_pick(d, 3));
        if (t->held[n] == 1)
            lz_instance_kill(s->w, id);
        else if (t->held[n] == 2)
            lz_instance_lose(s->w, id);
        else if (!lz_instance_pause(s->w, id))
            t->held[n] = 0;
        return;
    case 2:
    case 3: { // one node from another, one way or both
        if (t->is_cut) {
            lz_link_effect_remove(s->w, t->cut_ids[0]);
            t->is_cut = false;
            return;
        }
        uint32_t other = (n + 1 + (uint32_t)stage_pick(d, s->g->opts.nodes - 1)) % s->g->opts.nodes;
        struct lz_link_effect e = {
            .both_ways = stage_pick(d, 2) == 0, .cut = LZ_LINK_CUT, .touched = &t->touched};
        e.from = end_of(s, n, &places[0]);
        e.to = end_of(s, other, &places[1]);
        t->cut_ids[0] = lz_link_effect_add(s->w, &e);
        t->is_cut = true;
        return;
    }
    case 6:
    case 7: { // what speaks against it is no fault
        enum lz_member_change what = (enum lz_member_change)stage_pick(d, 4);
        t->changes += lz_consensus_change(s->w, s->g->id, what, n + 1, &s->err);
        return;
    }
    case 8:
        t->transfers += lz_consensus_transfer(s->w, s->g->id, n + 1, &s->err);
        return;
    default:
        (void)stage_propose(s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT,
                                                       .key = stage_pick(d, 8),
                                                       .value = 1 + stage_pick(d, 1u << 30)});
    }
}

// What a leader has is agreed on, though nothing more is written.
static const char *unsettled(const struct stage *s)
{
    lz_instance_id leader = lz_consensus_leader(s->w, s->g->id);
    const struct lz_raft_node *node = leader != 0 ? &s->g->nodes[leader - s->g->first] : NULL;
    return node != NULL && node->commit < node->log.last ? "an entry is never committed" : NULL;
}

// Of one node to another: some are late, and what is lost holds up what follows.
static void rough_way(struct stage *s)
{
    struct lz_link_opts o = {
        .from = node_target(s, 0), .to = node_target(s, 1), .conditions = {.gap = 50 * LZ_MS}};
    o.conditions.loss = (struct lz_loss){.kind = LZ_LOSS_RATIO, .ratio = 0.05};
    o.conditions.reorder = (struct lz_loss){.kind = LZ_LOSS_RATIO, .ratio = 0.2};
    assert_true(lz_dist_make(&o.conditions.latency, LZ_DIST_EXPONENTIAL, 5.0 * LZ_MS, 0, &s->err));
    assert_true(lz_link_declare(s->w, &o, &s->err));
}

const char *stage_storm(const struct lz_consensus_opts *opts, uint64_t seed, struct tempest *seen)
{
    struct stage s = stage_make(opts, seed, 1000 * LZ_S);
    stage_ways(&s, LZ_MS);
    if (seed % 2 == 0)
        rough_way(&s);
    const struct lz_disk_opts disk = {.latency = lz_dist_constant(2 * LZ_MS)};
    assert_true(lz_disk_declare(s.w, s.g->id, &disk, &s.err));
    struct turmoil t = {.s = &s};
    static struct lz_raft_entry entries[4096];
    static uint64_t hashes[4096];
    struct witness v = {.committed = entries, .applied_hash = hashes, .cap = 4096};
    memset(entries, 0, sizeof(entries));
    memset(hashes, 0, sizeof(hashes));
    struct lz_draw d = lz_draw_begin(seed, 99, LZ_PURPOSE_SCRIPT, 0);
    const char *wrong = NULL;
    lz_time now = 0;
    for (uint32_t step = 0; step < 400 && wrong == NULL; step++) {
        now += (lz_time)stage_pick(&d, (uint64_t)(300 * LZ_MS));
        stage_run(&s, now);
        wrong = stage_unsafe(&s, &v);
        disturb(&t, &d);
    }
    for (uint32_t n = 0; n < s.g->opts.nodes; n++)
        release(&t, n);
    if (t.is_cut)
        lz_link_effect_remove(s.w, t.cut_ids[0]);
    stage_run(&s, now + 30 * LZ_S); // all is well again: they must agree
    if (wrong == NULL)
        wrong = unsettled(&s);
    uint64_t index =
        stage_propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = 1, .value = 5});
    if (wrong == NULL && index == 0)
        wrong = "nobody leads though all is well";
    stage_run(&s, now + 40 * LZ_S);
    if (wrong == NULL)
        wrong = stage_unsafe(&s, &v);
    lz_instance_id leader = lz_consensus_leader(s.w, s.g->id);
    uint32_t voters = leader != 0 ? lz_raft_voters(&s.g->nodes[leader - s.g->first]) : 0;
    for (uint32_t n = 0; n < s.g->opts.nodes && wrong == NULL; n++)
        if ((voters >> n & 1u) != 0 && s.g->nodes[n].applied < index)
            wrong = "a node does not catch up though all is well";
    *seen = (struct tempest){.committed = v.count, .changes = t.changes, .transfers = t.transfers};
    lz_arena_destroy(s.arena);
    return wrong;
}
