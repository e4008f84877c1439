/*
 * Groups that agree: Raft's safety over random faults and seeds, elections and commits against
 * their closed forms, and what each operation does. Worlds are made and disturbed directly, so
 * that all a node has can be looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/consensus/consensus_state.h"
#include "model/net/link.h"
#include "model/node/disk.h"

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    struct lz_consensus *g;
    struct lz_err err;
};

static struct stage make(const struct lz_consensus_opts *opts, uint64_t seed, lz_time end)
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

static void run(struct stage *s, lz_time until)
{
    assert_int_equal(lz_world_run_until(s->w, until), LZ_SIM_ENDED);
}

static struct lz_target node_target(const struct stage *s, uint32_t n)
{
    return (struct lz_target){.kind = LZ_TARGET_INSTANCE, .id = s->g->id, .ordinal = n + 1};
}

// One way from node to node takes a constant time.
static void set_way(struct stage *s, uint32_t from, uint32_t to, const struct lz_dist *latency)
{
    struct lz_target a = node_target(s, from), b = node_target(s, to);
    struct lz_link_opts o = {
        .from = a, .to = b, .one_way = true, .conditions = {.latency = *latency}};
    o.conditions.gap = 10 * LZ_MS;
    assert_true(lz_link_declare(s->w, &o, &s->err));
}

static void set_ways(struct stage *s, lz_time latency)
{
    struct lz_dist d = lz_dist_constant(latency);
    for (uint32_t i = 0; i < s->g->opts.nodes; i++)
        for (uint32_t j = 0; j < s->g->opts.nodes; j++)
            if (i != j)
                set_way(s, i, j, &d);
}

// An operation handed to the leader, if there is one; nobody waits for it.
static uint64_t propose(struct stage *s, const struct lz_raft_entry *e)
{
    lz_instance_id leader = lz_consensus_leader(s->w, s->g->id);
    return leader != 0 ? lz_raft_propose(s->w, s->g, leader - s->g->first, e) : 0;
}

// ---- safety

struct witness {
    uint64_t term_led_by[4096]; // node + 1
    struct lz_raft_entry *committed;
    uint64_t *applied_hash; // by index: of the machine after it
    uint64_t count, cap;
};

/*
 * What is true of every state, whatever happens: one leader in a term; equal entries where terms
 * are equal, and before them; what one has committed, a later leader has; equal machines at equal
 * indices.
 */
static const char *unsafe(const struct stage *s, struct witness *v)
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
    bool is_cut, is_lossy;
    uint8_t held[LZ_CONSENSUS_NODES_MAX]; // how a node is held: 0 not, 1 killed, 2 lost, 3 paused
};

static uint64_t pick(struct lz_draw *d, uint64_t n)
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
    uint32_t n = (uint32_t)pick(d, s->g->opts.nodes);
    lz_instance_id id = s->g->first + n;
    static lz_instance_id places[2];
    switch (pick(d, 6)) {
    case 0:
    case 1:
        if (t->held[n] != 0) {
            release(t, n);
            return;
        }
        t->held[n] = (uint8_t)(1 + pick(d, 3));
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
        uint32_t other = (n + 1 + (uint32_t)pick(d, s->g->opts.nodes - 1)) % s->g->opts.nodes;
        struct lz_link_effect e = {
            .both_ways = pick(d, 2) == 0, .cut = LZ_LINK_CUT, .touched = &t->touched};
        e.from = end_of(s, n, &places[0]);
        e.to = end_of(s, other, &places[1]);
        t->cut_ids[0] = lz_link_effect_add(s->w, &e);
        t->is_cut = true;
        return;
    }
    default:
        (void)propose(s, &(struct lz_raft_entry){
                             .op = LZ_RAFT_PUT, .key = pick(d, 8), .value = 1 + pick(d, 1u << 30)});
    }
}

// Returns what went wrong, NULL if nothing did; `committed` is how much was agreed on.
static const char *storm(const struct lz_consensus_opts *opts, uint64_t seed, uint64_t *committed)
{
    struct stage s = make(opts, seed, 1000 * LZ_S);
    set_ways(&s, LZ_MS);
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
        now += (lz_time)pick(&d, (uint64_t)(300 * LZ_MS));
        run(&s, now);
        wrong = unsafe(&s, &v);
        disturb(&t, &d);
    }
    for (uint32_t n = 0; n < s.g->opts.nodes; n++)
        release(&t, n);
    if (t.is_cut)
        lz_link_effect_remove(s.w, t.cut_ids[0]);
    run(&s, now + 30 * LZ_S); // all is well again: they must agree
    uint64_t index = propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = 1, .value = 5});
    if (wrong == NULL && index == 0)
        wrong = "nobody leads though all is well";
    run(&s, now + 40 * LZ_S);
    if (wrong == NULL)
        wrong = unsafe(&s, &v);
    for (uint32_t n = 0; n < s.g->opts.nodes && wrong == NULL; n++)
        if (s.g->nodes[n].applied < index)
            wrong = "a node does not catch up though all is well";
    *committed = v.count;
    lz_arena_destroy(s.arena);
    return wrong;
}

static void rafts_invariants_hold_over_random_faults(void **state)
{
    (void)state;
    static const struct lz_consensus_opts kinds[] = {
        {.nodes = 3},
        {.nodes = 5},
        {.nodes = 5, .no_pre_vote = true},
        {.nodes = 4, .no_pre_vote = true, .no_check_quorum = true},
        {.nodes = 3, .snapshot_every = 7, .snapshot_keep = 2},
        {.nodes = 5, .heartbeat = 20 * LZ_MS, .election = 60 * LZ_MS, .no_pre_vote = true},
    };
    uint64_t total = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t committed = 0;
        const char *wrong = storm(&kinds[seed % 6], seed, &committed);
        if (wrong != NULL)
            fail_msg("seed %llu: %s", (unsigned long long)seed, wrong);
        total += committed;
    }
    assert_in_range(total, 60 * 20, UINT64_MAX); // and they did agree on something
}

// The check can say no: two nodes that lead in one term.
static void the_witness_sees_two_leaders(void **state)
{
    (void)state;
    struct stage s = make(&(struct lz_consensus_opts){.nodes = 3}, 1, 10 * LZ_S);
    static struct lz_raft_entry entries[64];
    static uint64_t hashes[64];
    struct witness v = {.committed = entries, .applied_hash = hashes, .cap = 64};
    run(&s, LZ_S);
    assert_null(unsafe(&s, &v));
    s.g->nodes[1].role = LZ_RAFT_LEADER;
    assert_string_equal(unsafe(&s, &v), "two leaders in a term");
    s.g->nodes[1].role = LZ_RAFT_FOLLOWER;
    struct lz_raft_entry *e = lz_raft_log_get(&s.g->nodes[2].log, 1);
    e->value = 17;
    assert_string_equal(unsafe(&s, &v), "another entry committed at an index");
    lz_arena_destroy(s.arena);
}

// ---- numbers

struct tally {
    double sum;
    uint32_t count;
    double values[4096];
};

static double quantile(const struct tally *t, double q)
{
    static double v[4096];
    memcpy(v, t->values, t->count * sizeof(double));
    for (uint32_t i = 1; i < t->count; i++)
        for (uint32_t j = i; j > 0 && v[j] < v[j - 1]; j--) {
            double x = v[j];
            v[j] = v[j - 1];
            v[j - 1] = x;
        }
    return v[(uint32_t)(q * (t->count - 1))];
}

/*
 * The leader crashes at a drawn phase of its heartbeats, again and again; how long until another
 * leads? C03 and C05: E = a + (b - a)/n - h/2 + 3d without split votes, timeouts uniform in [a, b).
 */
static void measure_elections(const struct lz_consensus_opts *opts, uint32_t times, struct tally *t)
{
    *t = (struct tally){0};
    struct stage s = make(opts, 7, 1000000 * LZ_S);
    set_ways(&s, 500 * LZ_US);
    struct lz_draw d = lz_draw_begin(3, 4, LZ_PURPOSE_SCRIPT, 0);
    lz_time now = 0;
    for (uint32_t i = 0; i < times; i++) {
        now += 10 * s.g->opts.election + (lz_time)pick(&d, (uint64_t)s.g->opts.heartbeat);
        run(&s, now);
        lz_instance_id leader = lz_consensus_leader(s.w, s.g->id);
        assert_int_not_equal(leader, 0);
        lz_instance_kill(s.w, leader);
        lz_time end = now;
        while (lz_consensus_leader(s.w, s.g->id) == 0)
            run(&s, end += 100 * LZ_US);
        t->values[t->count++] = (double)(end - now) / 1e6;
        t->sum += (double)(end - now) / 1e6;
        lz_instance_restart(s.w, leader);
        now = end;
    }
    lz_arena_destroy(s.arena);
}

static void is_near(double got, double want, double share, const char *what)
{
    if (!(got >= want * (1 - share) && got <= want * (1 + share)))
        fail_msg("%s: %g, want %g", what, got, want);
}

// Ongaro and Ousterhout 2014, section 9.3, as recomputed: C03. Milliseconds.
static void a_crashed_leader_is_replaced_as_fast_as_published(void **state)
{
    (void)state;
    static const struct {
        uint32_t nodes;
        double mean, p99;
    } rows[] = {{3, 177.8, 278.7}, {5, 156.5, 235.0}, {7, 147.93, 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tally t;
        const struct lz_consensus_opts o = {.nodes = rows[i].nodes,
                                            .heartbeat = 50 * LZ_MS,
                                            .election = 150 * LZ_MS,
                                            .no_pre_vote = true};
        measure_elections(&o, 3000, &t);
        is_near(t.sum / t.count, rows[i].mean, 0.03, "mean");
        if (rows[i].p99 > 0)
            is_near(quantile(&t, 0.99), rows[i].p99, 0.03, "p99");
    }
}

// etcd's defaults, heartbeat 100 ms and election 1000 ms: C05. Milliseconds.
static void etcds_defaults_give_its_election_times(void **state)
{
    (void)state;
    static const struct {
        uint32_t nodes;
        double mean, p50, p99;
    } rows[] = {{3, 1285, 1244, 1861}, {5, 1151, 1112, 1645}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tally t;
        const struct lz_consensus_opts o = {.nodes = rows[i].nodes, .no_pre_vote = true};
        measure_elections(&o, 4000, &t);
        is_near(t.sum / t.count, rows[i].mean, 0.03, "mean");
        is_near(quantile(&t, 0.5), rows[i].p50, 0.03, "p50");
        is_near(quantile(&t, 0.99), rows[i].p99, 0.03, "p99");
    }
}

// With a pre-vote it is one round trip more, 1 ms of C05's 1285.
static void a_pre_vote_costs_a_round_trip(void **state)
{
    (void)state;
    struct tally t;
    measure_elections(&(struct lz_consensus_opts){.nodes = 3}, 4000, &t);
    is_near(t.sum / t.count, 1286, 0.02, "mean");
}

static double mean_commit(struct stage *s)
{
    lz_metric id = lz_world_metric(s->w, s->g->id, "commit.mean");
    struct lz_sample v = lz_metrics_whole(s->w->metrics, id);
    assert_true(v.present);
    return v.value;
}

// C02: the (n/2)-th smallest of n - 1 confirmations, each exponential with mean 1.
static void commits_take_as_long_as_the_majority(void **state)
{
    (void)state;
    static const struct {
        uint32_t nodes;
        double mean;
    } rows[] = {{3, 0.5}, {5, 0.58333}, {7, 0.61667}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct lz_consensus_opts o = {
            .nodes = rows[i].nodes, .heartbeat = 1000 * LZ_S, .election = 10000000 * LZ_S};
        struct stage s = make(&o, 11, 4000000 * LZ_S);
        struct lz_dist slow = {0}, none = lz_dist_constant(0);
        assert_true(lz_dist_make(&slow, LZ_DIST_EXPONENTIAL, (double)LZ_S, 0, &s.err));
        for (uint32_t n = 1; n < rows[i].nodes; n++) {
            set_way(&s, 0, n, &none);
            set_way(&s, n, 0, &slow);
        }
        for (uint32_t k = 0; k < 40000; k++) {
            run(&s, (lz_time)k * 37 * LZ_S);
            assert_int_not_equal(
                propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = k % 5}), 0);
        }
        run(&s, (lz_time)40000 * 37 * LZ_S);
        is_near(mean_commit(&s), rows[i].mean, 0.01, "commit");
        lz_arena_destroy(s.arena);
    }
}

// C02's example over a wide area: round trips of 10 and 70 ms; of 1, 70, 80 and 150 ms.
static void commits_over_a_wide_area_take_the_median_round_trip(void **state)
{
    (void)state;
    static const struct {
        uint32_t nodes;
        lz_time trips_ms[4];
        double commit_s;
    } rows[] = {{3, {10, 70}, 0.010}, {5, {1, 70, 80, 150}, 0.070}};
    for (size_t i = 0; i < 2; i++) {
        struct stage s = make(&(struct lz_consensus_opts){.nodes = rows[i].nodes}, 1, 100 * LZ_S);
        for (uint32_t n = 1; n < rows[i].nodes; n++) {
            struct lz_dist d = lz_dist_constant(rows[i].trips_ms[n - 1] * LZ_MS / 2);
            set_way(&s, 0, n, &d);
            set_way(&s, n, 0, &d);
        }
        for (uint32_t k = 1; k < 50; k++) {
            run(&s, (lz_time)k * LZ_S);
            propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = 1});
        }
        run(&s, 60 * LZ_S);
        is_near(mean_commit(&s), rows[i].commit_s, 0.001, "commit");
        lz_arena_destroy(s.arena);
    }
}

// C07, the table of etcd's FAQ: how many nodes may be gone.
static void a_minority_may_be_gone_and_no_more(void **state)
{
    (void)state;
    static const uint32_t rows[][3] = {{3, 1, 2}, {4, 1, 3}, {5, 2, 3}, {6, 2, 4}, {7, 3, 4}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage s = make(&(struct lz_consensus_opts){.nodes = rows[i][0]}, 5, 1000 * LZ_S);
        assert_int_equal(s.g->majority, rows[i][2]);
        lz_time now = LZ_S;
        for (uint32_t gone = 0; gone <= rows[i][1] + 1; gone++) {
            run(&s, now += 20 * LZ_S);
            bool works = gone <= rows[i][1];
            assert_int_equal(lz_consensus_leader(s.w, s.g->id) != 0, works);
            uint64_t index =
                propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = 1, .value = 9});
            run(&s, now += LZ_S);
            lz_instance_id leader = lz_consensus_leader(s.w, s.g->id);
            if (works)
                assert_true(s.g->nodes[leader - s.g->first].commit >= index);
            else
                break;
            lz_instance_kill(s.w, leader); // the worst of them
        }
        lz_arena_destroy(s.arena);
    }
}

// With the nodes of `up` and no others: is something committed?
static bool works_with(struct stage *s, unsigned up, unsigned *are_up, lz_time *now)
{
    for (uint32_t n = 0; n < s->g->opts.nodes; n++)
        if ((up >> n & 1u) == 0 && (*are_up >> n & 1u) != 0)
            lz_instance_kill(s->w, s->g->first + n);
        else if ((up >> n & 1u) != 0 && (*are_up >> n & 1u) == 0)
            lz_instance_restart(s->w, s->g->first + n);
    *are_up = up;
    run(s, *now += 30 * LZ_S);
    uint64_t index = propose(s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = 1, .value = 9});
    run(s, *now += LZ_S);
    lz_instance_id leader = lz_consensus_leader(s->w, s->g->id);
    return leader != 0 && index != 0 && s->g->nodes[leader - s->g->first].commit >= index;
}

// C01: each node there with probability p, each set of nodes tried; to the digits given.
static void a_majority_is_there_as_often_as_binomial(void **state)
{
    (void)state;
    static const struct {
        uint32_t nodes;
        double unavailable[3]; // at p = 0.99, 0.999, 0.95
    } rows[] = {{3, {0.000298, 2.998e-06, 0.00725}},
                {5, {9.8506e-06, 9.985e-09, 0.0011581}},
                {7, {3.4167e-07, 3.4916e-11, 0.00019358}}};
    static const double p[] = {0.99, 0.999, 0.95};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage s = make(&(struct lz_consensus_opts){.nodes = rows[i].nodes}, 3, 90000 * LZ_S);
        double unavailable[3] = {0, 0, 0};
        unsigned all = (1u << rows[i].nodes) - 1, are_up = all;
        lz_time now = LZ_S;
        for (unsigned up = 0; up <= all; up++) {
            bool works = works_with(&s, up, &are_up, &now);
            for (int k = 0; k < 3 && !works; k++) {
                double weight = 1.0;
                for (uint32_t n = 0; n < rows[i].nodes; n++)
                    weight *= (up >> n & 1u) != 0 ? p[k] : 1.0 - p[k];
                unavailable[k] += weight;
            }
        }
        for (int k = 0; k < 3; k++)
            is_near(unavailable[k], rows[i].unavailable[k], 5e-5, "unavailability");
        lz_arena_destroy(s.arena);
    }
}

// ---- what operations do

static void locks_are_held_renewed_and_run_out(void **state)
{
    (void)state;
    struct stage s = make(&(struct lz_consensus_opts){.nodes = 3}, 1, 100 * LZ_S);
    struct lz_raft_entry e = {.op = LZ_RAFT_ACQUIRE, .key = 5, .value = 11, .ttl = 10 * LZ_S};
    run(&s, LZ_S);
    propose(&s, &e);
    run(&s, 2 * LZ_S);
    const struct lz_raft_machine *m = &s.g->nodes[1].machine;
    assert_int_equal(lz_raft_machine_get(m, 5)->value, 11);
    e.value = 12; // another cannot have it
    propose(&s, &e);
    e.value = 11;
    e.op = LZ_RAFT_RENEW;
    run(&s, 8 * LZ_S);
    propose(&s, &e);
    run(&s, 17 * LZ_S); // renewed at 8 s
    assert_int_equal(lz_raft_machine_get(m, 5)->value, 11);
    run(&s, 19 * LZ_S);
    assert_false(lz_raft_machine_get(m, 5)->is_there);
    lz_arena_destroy(s.arena);
}

static void a_new_leader_gives_leases_their_full_time_again(void **state)
{
    (void)state;
    struct stage s = make(&(struct lz_consensus_opts){.nodes = 3}, 1, 100 * LZ_S);
    run(&s, LZ_S);
    propose(&s, &(struct lz_raft_entry){
                    .op = LZ_RAFT_ACQUIRE, .key = 5, .value = 11, .ttl = 10 * LZ_S});
    run(&s, 9 * LZ_S);
    lz_instance_kill(s.w, s.g->first);
    run(&s, 14 * LZ_S); // it would have run out at 11 s
    lz_instance_id leader = lz_consensus_leader(s.w, s.g->id);
    assert_int_not_equal(leader, 0);
    const struct lz_raft_machine *m = &s.g->nodes[leader - s.g->first].machine;
    assert_true(lz_raft_machine_get(m, 5)->is_there);
    run(&s, 24 * LZ_S);
    assert_false(lz_raft_machine_get(m, 5)->is_there);
    lz_arena_destroy(s.arena);
}

static void compare_and_set_is_by_version(void **state)
{
    (void)state;
    struct stage s = make(&(struct lz_consensus_opts){.nodes = 1}, 1, 100 * LZ_S);
    run(&s, LZ_S);
    struct lz_raft_machine *m = &s.g->nodes[0].machine;
    uint64_t first = propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_CAS, .key = 3, .value = 1});
    propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_CAS, .key = 3, .value = 2});
    assert_int_equal(lz_raft_machine_get(m, 3)->value, 1); // it was there already
    propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_CAS, .key = 3, .value = 4, .expect = first});
    assert_int_equal(lz_raft_machine_get(m, 3)->value, 4);
    propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_DELETE, .key = 3});
    assert_false(lz_raft_machine_get(m, 3)->is_there);
    lz_arena_destroy(s.arena);
}

static void who_was_away_too_long_is_sent_the_state(void **state)
{
    (void)state;
    const struct lz_consensus_opts o = {.nodes = 3, .snapshot_every = 10, .snapshot_keep = 2};
    struct stage s = make(&o, 1, 100 * LZ_S);
    run(&s, LZ_S);
    lz_instance_kill(s.w, s.g->first + 2);
    for (uint64_t k = 0; k < 50; k++)
        propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = k, .value = k + 1});
    run(&s, 5 * LZ_S);
    assert_true(s.g->nodes[0].log.base > 30);
    lz_instance_restart(s.w, s.g->first + 2);
    run(&s, 10 * LZ_S);
    assert_int_equal(s.g->nodes[2].applied, s.g->nodes[0].applied);
    assert_int_equal(lz_raft_machine_hash(&s.g->nodes[2].machine),
                     lz_raft_machine_hash(&s.g->nodes[0].machine));
    assert_true(s.g->nodes[2].snapshot_index > 30);
    lz_arena_destroy(s.arena);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    struct stage s = make(&(struct lz_consensus_opts){.nodes = 3}, 1, LZ_S);
    lz_component_id id;
    const struct lz_consensus_opts slow = {
        .name = "a", .heartbeat = LZ_S, .election = 1500 * LZ_MS};
    assert_false(lz_consensus_create(s.w, &slow, &id, &s.err));
    assert_non_null(strstr(s.err.msg, "at least twice the heartbeat"));
    const struct lz_consensus_opts many = {.name = "a", .nodes = 16};
    assert_false(lz_consensus_create(s.w, &many, &id, &s.err));
    assert_non_null(strstr(s.err.msg, "nodes must be at most 15"));
    const struct lz_consensus_opts lease = {
        .name = "a", .reads = LZ_READS_LEASE, .no_check_quorum = true};
    assert_false(lz_consensus_create(s.w, &lease, &id, &s.err));
    assert_non_null(strstr(s.err.msg, "need check_quorum"));
    lz_arena_destroy(s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rafts_invariants_hold_over_random_faults),
        cmocka_unit_test(the_witness_sees_two_leaders),
        cmocka_unit_test(a_crashed_leader_is_replaced_as_fast_as_published),
        cmocka_unit_test(etcds_defaults_give_its_election_times),
        cmocka_unit_test(a_pre_vote_costs_a_round_trip),
        cmocka_unit_test(commits_take_as_long_as_the_majority),
        cmocka_unit_test(commits_over_a_wide_area_take_the_median_round_trip),
        cmocka_unit_test(a_minority_may_be_gone_and_no_more),
        cmocka_unit_test(a_majority_is_there_as_often_as_binomial),
        cmocka_unit_test(locks_are_held_renewed_and_run_out),
        cmocka_unit_test(a_new_leader_gives_leases_their_full_time_again),
        cmocka_unit_test(compare_and_set_is_by_version),
        cmocka_unit_test(who_was_away_too_long_is_sent_the_state),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
