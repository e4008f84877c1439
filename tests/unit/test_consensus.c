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

#include "consensus_stage.h"

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
        struct tempest seen = {0};
        const char *wrong = stage_storm(&kinds[seed % 6], seed, &seen);
        if (wrong != NULL)
            fail_msg("seed %llu: %s", (unsigned long long)seed, wrong);
        total += seen.committed;
    }
    assert_in_range(total, 60 * 20, UINT64_MAX); // and they did agree on something
}

// The check can say no: two nodes that lead in one term.
static void the_witness_sees_two_leaders(void **state)
{
    (void)state;
    struct stage s = stage_make(&(struct lz_consensus_opts){.nodes = 3}, 1, 10 * LZ_S);
    static struct lz_raft_entry entries[64];
    static uint64_t hashes[64];
    struct witness v = {.committed = entries, .applied_hash = hashes, .cap = 64};
    stage_run(&s, LZ_S);
    assert_null(stage_unsafe(&s, &v));
    s.g->nodes[1].role = LZ_RAFT_LEADER;
    assert_string_equal(stage_unsafe(&s, &v), "two leaders in a term");
    s.g->nodes[1].role = LZ_RAFT_FOLLOWER;
    struct lz_raft_entry *e = lz_raft_log_get(&s.g->nodes[2].log, 1);
    e->value = 17;
    assert_string_equal(stage_unsafe(&s, &v), "another entry committed at an index");
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
    struct stage s = stage_make(opts, 7, 1000000 * LZ_S);
    stage_ways(&s, 500 * LZ_US);
    struct lz_draw d = lz_draw_begin(3, 4, LZ_PURPOSE_SCRIPT, 0);
    lz_time now = 0;
    for (uint32_t i = 0; i < times; i++) {
        now += 10 * s.g->opts.election + (lz_time)stage_pick(&d, (uint64_t)s.g->opts.heartbeat);
        stage_run(&s, now);
        lz_instance_id leader = lz_consensus_leader(s.w, s.g->id);
        assert_int_not_equal(leader, 0);
        lz_instance_kill(s.w, leader);
        lz_time end = now;
        while (lz_consensus_leader(s.w, s.g->id) == 0)
            stage_run(&s, end += 100 * LZ_US);
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
        struct stage s = stage_make(&o, 11, 4000000 * LZ_S);
        struct lz_dist slow = {0}, none = lz_dist_constant(0);
        assert_true(lz_dist_make(&slow, LZ_DIST_EXPONENTIAL, (double)LZ_S, 0, &s.err));
        for (uint32_t n = 1; n < rows[i].nodes; n++) {
            stage_way(&s, 0, n, &none);
            stage_way(&s, n, 0, &slow);
        }
        for (uint32_t k = 0; k < 40000; k++) {
            stage_run(&s, (lz_time)k * 37 * LZ_S);
            assert_int_not_equal(
                stage_propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = k % 5}), 0);
        }
        stage_run(&s, (lz_time)40000 * 37 * LZ_S);
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
        struct stage s =
            stage_make(&(struct lz_consensus_opts){.nodes = rows[i].nodes}, 1, 100 * LZ_S);
        for (uint32_t n = 1; n < rows[i].nodes; n++) {
            struct lz_dist d = lz_dist_constant(rows[i].trips_ms[n - 1] * LZ_MS / 2);
            stage_way(&s, 0, n, &d);
            stage_way(&s, n, 0, &d);
        }
        for (uint32_t k = 1; k < 50; k++) {
            stage_run(&s, (lz_time)k * LZ_S);
            stage_propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = 1});
        }
        stage_run(&s, 60 * LZ_S);
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
        struct stage s =
            stage_make(&(struct lz_consensus_opts){.nodes = rows[i][0]}, 5, 1000 * LZ_S);
        assert_int_equal(rows[i][0] / 2 + 1, rows[i][2]);
        lz_time now = LZ_S;
        for (uint32_t gone = 0; gone <= rows[i][1] + 1; gone++) {
            stage_run(&s, now += 20 * LZ_S);
            bool works = gone <= rows[i][1];
            assert_int_equal(lz_consensus_leader(s.w, s.g->id) != 0, works);
            uint64_t index =
                stage_propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = 1, .value = 9});
            stage_run(&s, now += LZ_S);
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
    stage_run(s, *now += 30 * LZ_S);
    uint64_t index =
        stage_propose(s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = 1, .value = 9});
    stage_run(s, *now += LZ_S);
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
        struct stage s =
            stage_make(&(struct lz_consensus_opts){.nodes = rows[i].nodes}, 3, 90000 * LZ_S);
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
    struct stage s = stage_make(&(struct lz_consensus_opts){.nodes = 3}, 1, 100 * LZ_S);
    struct lz_raft_entry e = {.op = LZ_RAFT_ACQUIRE, .key = 5, .value = 11, .ttl = 10 * LZ_S};
    stage_run(&s, LZ_S);
    stage_propose(&s, &e);
    stage_run(&s, 2 * LZ_S);
    const struct lz_raft_machine *m = &s.g->nodes[1].machine;
    assert_int_equal(lz_raft_machine_get(m, 5)->value, 11);
    e.value = 12; // another cannot have it
    stage_propose(&s, &e);
    e.value = 11;
    e.op = LZ_RAFT_RENEW;
    stage_run(&s, 8 * LZ_S);
    stage_propose(&s, &e);
    stage_run(&s, 17 * LZ_S); // renewed at 8 s
    assert_int_equal(lz_raft_machine_get(m, 5)->value, 11);
    stage_run(&s, 19 * LZ_S);
    assert_false(lz_raft_machine_get(m, 5)->is_there);
    lz_arena_destroy(s.arena);
}

static void a_new_leader_gives_leases_their_full_time_again(void **state)
{
    (void)state;
    struct stage s = stage_make(&(struct lz_consensus_opts){.nodes = 3}, 1, 100 * LZ_S);
    stage_run(&s, LZ_S);
    stage_propose(&s, &(struct lz_raft_entry){
                          .op = LZ_RAFT_ACQUIRE, .key = 5, .value = 11, .ttl = 10 * LZ_S});
    stage_run(&s, 9 * LZ_S);
    lz_instance_kill(s.w, s.g->first);
    stage_run(&s, 14 * LZ_S); // it would have run out at 11 s
    lz_instance_id leader = lz_consensus_leader(s.w, s.g->id);
    assert_int_not_equal(leader, 0);
    const struct lz_raft_machine *m = &s.g->nodes[leader - s.g->first].machine;
    assert_true(lz_raft_machine_get(m, 5)->is_there);
    stage_run(&s, 24 * LZ_S);
    assert_false(lz_raft_machine_get(m, 5)->is_there);
    lz_arena_destroy(s.arena);
}

static void compare_and_set_is_by_version(void **state)
{
    (void)state;
    struct stage s = stage_make(&(struct lz_consensus_opts){.nodes = 1}, 1, 100 * LZ_S);
    stage_run(&s, LZ_S);
    struct lz_raft_machine *m = &s.g->nodes[0].machine;
    uint64_t first =
        stage_propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_CAS, .key = 3, .value = 1});
    stage_propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_CAS, .key = 3, .value = 2});
    assert_int_equal(lz_raft_machine_get(m, 3)->value, 1); // it was there already
    stage_propose(
        &s, &(struct lz_raft_entry){.op = LZ_RAFT_CAS, .key = 3, .value = 4, .expect = first});
    assert_int_equal(lz_raft_machine_get(m, 3)->value, 4);
    stage_propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_DELETE, .key = 3});
    assert_false(lz_raft_machine_get(m, 3)->is_there);
    lz_arena_destroy(s.arena);
}

static void who_was_away_too_long_is_sent_the_state(void **state)
{
    (void)state;
    const struct lz_consensus_opts o = {.nodes = 3, .snapshot_every = 10, .snapshot_keep = 2};
    struct stage s = stage_make(&o, 1, 100 * LZ_S);
    stage_run(&s, LZ_S);
    lz_instance_kill(s.w, s.g->first + 2);
    for (uint64_t k = 0; k < 50; k++)
        stage_propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = k, .value = k + 1});
    stage_run(&s, 5 * LZ_S);
    assert_true(s.g->nodes[0].log.base > 30);
    lz_instance_restart(s.w, s.g->first + 2);
    stage_run(&s, 10 * LZ_S);
    assert_int_equal(s.g->nodes[2].applied, s.g->nodes[0].applied);
    assert_int_equal(lz_raft_machine_hash(&s.g->nodes[2].machine),
                     lz_raft_machine_hash(&s.g->nodes[0].machine));
    assert_true(s.g->nodes[2].snapshot_index > 30);
    lz_arena_destroy(s.arena);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    struct stage s = stage_make(&(struct lz_consensus_opts){.nodes = 3}, 1, LZ_S);
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
