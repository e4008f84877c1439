/*
 * Balancing: who is asked, against the published rule of each policy.
 *
 * Method: a world that never runs has callers and replicas; asking an edge for a server again
 * and again, with the counts of open requests set by hand, must give the sequence, the shares
 * or the refusals that the source says. Rings and tables are also looked at as such.
 */
#include "model/client/balance.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/client/edge.h"
#include "model/client/locality.h"
#include "model/client/maglev.h"
#include "model/client/outlier.h"
#include "model/client/policy.h"
#include "model/client/ring.h"
#include "model/service/service.h"

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    struct lz_edge *edge;
    struct lz_err err;
};

static struct lz_arena *make_arena(void)
{
    struct lz_arena *arena;
    struct lz_err err;
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &arena, &err));
    return arena;
}

static bool try_make(struct stage *s, uint32_t callers, uint32_t replicas,
                     const struct lz_balance_opts *opts)
{
    s->arena = make_arena();
    s->w = lz_world_create(
        &(struct lz_world_opts){.arena = s->arena, .seed = 1, .run_key = 1, .end = LZ_S});
    lz_component_id from, to;
    lz_edge_id id;
    const struct lz_service_opts caller = {.name = "web", .replicas = callers};
    const struct lz_service_opts callee = {.name = "api", .replicas = replicas};
    assert_true(lz_service_create(s->w, &caller, &from, &s->err));
    assert_true(lz_service_create(s->w, &callee, &to, &s->err));
    const struct lz_edge_opts edge = {.from = from, .to = to, .balance = *opts};
    if (!lz_call_edge(s->w, &edge, &id, &s->err))
        return false;
    s->edge = lz_edge_get(s->w, id);
    return true;
}

static struct stage make(uint32_t replicas, const struct lz_balance_opts *opts)
{
    struct stage s;
    assert_true(try_make(&s, 1, replicas, opts));
    return s;
}

// The replica, from 0, that the n-th request of a caller is sent to.
static uint32_t ask(struct stage *s, uint32_t caller, uint64_t n)
{
    lz_instance_id i = lz_balance_pick(s->w, s->edge,
                                       &(struct lz_balance_ask){
                                           .client = s->edge->client_first + caller,
                                           .path = lz_draw_index(77, n),
                                           .key = n,
                                       });
    return i - s->edge->server_first;
}

// It was looked for in a table that an edge to one has not: the run crashed at the first interval.
static void of_one_replica_nobody_is_an_outlier(void **state)
{
    (void)state;
    const struct lz_balance_opts opts = {.outliers = {.on = true, .every = LZ_S / 10}};
    struct stage s = make(1, &opts);
    assert_int_equal(lz_world_run(s.w), LZ_SIM_ENDED);
    assert_int_equal(ask(&s, 0, 1), 0);
    lz_arena_destroy(s.arena);
}

static void smooth_weighted_round_robin_is_nginx_sequence(void **state)
{
    (void)state;
    // nginx commit 52327e0627 "Upstream: smooth weighted round-robin balancing".
    static const uint32_t weights[] = {5, 1, 1};
    struct stage s = make(3, &(struct lz_balance_opts){.weights = weights, .weight_count = 3});
    char seen[22] = {0};
    for (uint32_t n = 0; n < 21; n++)
        seen[n] = (char)('a' + ask(&s, 0, n));
    assert_string_equal(seen, "aabacaaaabacaaaabacaa");
    lz_arena_destroy(s.arena);
}

static void weights_are_shares_of_random_choices(void **state)
{
    (void)state;
    static const uint32_t weights[] = {1, 2, 7};
    struct stage s =
        make(3, &(struct lz_balance_opts){
                    .policy = LZ_BALANCE_RANDOM, .weights = weights, .weight_count = 3});
    uint32_t seen[3] = {0};
    for (uint64_t n = 0; n < 100000; n++)
        seen[ask(&s, 0, n)]++;
    for (int i = 0; i < 3; i++) // four standard errors
        assert_true(fabs(seen[i] - 10000.0 * weights[i]) < 4.0 * sqrt(25000.0));
    lz_arena_destroy(s.arena);
}

// Two of four replicas are drawn; the second has one request open, the others two.
static void power_of_two_draws_with_and_without_replacement(void **state)
{
    (void)state;
    // Without: the second is among 2 of 4 with 1/2. With: 1 - (3/4)^2 = 7/16.
    static const struct {
        bool replacement;
        double share;
    } cases[] = {{false, 0.5}, {true, 0.4375}};
    for (int i = 0; i < 2; i++) {
        struct stage s = make(4, &(struct lz_balance_opts){.policy = LZ_BALANCE_POWER_OF_TWO,
                                                           .replacement = cases[i].replacement});
        for (int r = 0; r < 4; r++)
            s.edge->pairs[r].in_flight = r == 1 ? 1 : 2;
        uint32_t seen = 0;
        for (uint64_t n = 0; n < 100000; n++)
            seen += ask(&s, 0, n) == 1;
        assert_true(fabs(seen / 1e5 - cases[i].share) < 4.0 * sqrt(0.25 / 1e5));
        lz_arena_destroy(s.arena);
    }
}

static void the_least_loaded_by_weight_is_asked(void **state)
{
    (void)state;
    static const uint32_t weights[] = {1, 4};
    struct stage s =
        make(2, &(struct lz_balance_opts){
                    .policy = LZ_BALANCE_LEAST_REQUESTS, .weights = weights, .weight_count = 2});
    for (uint64_t n = 0; n < 100; n++)
        s.edge->pairs[ask(&s, 0, n)].in_flight++;
    assert_in_range(s.edge->pairs[0].in_flight, 19, 21);
    lz_arena_destroy(s.arena);
}

static void another_than_those_to_avoid_is_asked_if_there_is_one(void **state)
{
    (void)state;
    struct stage s = make(3, &(struct lz_balance_opts){.policy = LZ_BALANCE_RANDOM, .panic = 0.1});
    lz_instance_id first = s.edge->server_first;
    const lz_instance_id avoid[] = {first, first + 2, first + 1};
    for (uint64_t n = 0; n < 100; n++) {
        struct lz_balance_ask a = {.client = s.edge->client_first,
                                   .path = lz_draw_index(5, n),
                                   .avoid = avoid,
                                   .avoid_count = 2};
        assert_int_equal(lz_balance_pick(s.w, s.edge, &a), first + 1);
        a.avoid_count = 3; // nobody is left: any
        assert_in_range(lz_balance_pick(s.w, s.edge, &a), first, first + 2);
    }
    lz_arena_destroy(s.arena);
}

// Standard error of a bucket's size over its mean, averaged over rings of 1000 buckets: Lamping
// and Veach, arXiv:1406.2294, table 1. Fewer rings than theirs (1000), so 5 % of room.
static void a_ring_is_as_uneven_as_published(void **state)
{
    (void)state;
    static const struct {
        uint32_t points, rings;
        double published;
    } cases[] = {
        {1, 200, 0.997906}, {10, 40, 0.315181}, {100, 10, 0.0996996}, {1000, 2, 0.0315723}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double sum = 0.0;
        for (uint32_t r = 0; r < cases[i].rings; r++) {
            struct lz_arena *arena = make_arena();
            uint32_t points[1000];
            double share[1000] = {0};
            for (int b = 0; b < 1000; b++)
                points[b] = cases[i].points;
            struct lz_ring ring;
            lz_ring_build(&ring, arena, 1000 * i + r, points, 1000);
            for (uint32_t p = 0; p < ring.count; p++) {
                uint64_t before = ring.points[p > 0 ? p - 1 : ring.count - 1].at;
                share[ring.points[p].owner] += (double)(ring.points[p].at - before) * 0x1p-64;
            }
            double squares = 0.0;
            for (int b = 0; b < 1000; b++)
                squares += (share[b] * 1000 - 1.0) * (share[b] * 1000 - 1.0);
            sum += sqrt(squares / 1000.0);
            lz_arena_destroy(arena);
        }
        double mean = sum / cases[i].rings;
        assert_true(fabs(mean / cases[i].published - 1.0) < 0.05);
    }
}

static void a_key_keeps_its_replica_unless_that_one_goes(void **state)
{
    (void)state;
    static const enum lz_balance policies[] = {LZ_BALANCE_RING_HASH, LZ_BALANCE_MAGLEV};
    for (int i = 0; i < 2; i++) {
        struct stage s = make(10, &(struct lz_balance_opts){.policy = policies[i]});
        uint32_t before[10000], moved = 0, homeless = 0;
        for (uint64_t key = 0; key < 10000; key++)
            before[key] = ask(&s, 0, key);
        for (uint64_t key = 0; key < 10000; key++)
            assert_int_equal(ask(&s, 0, key), before[key]);
        lz_balance_out(s.w, s.edge, s.edge->server_first + 3);
        for (uint64_t key = 0; key < 10000; key++) {
            uint32_t now = ask(&s, 0, key);
            assert_int_not_equal(now, 3);
            homeless += before[key] == 3;
            moved += before[key] != 3 && now != before[key];
        }
        assert_in_range(homeless, 600, 1500);
        // A ring moves nobody else's keys; Maglev's table a few (NSDI 2016, section 5.3).
        assert_true(policies[i] == LZ_BALANCE_MAGLEV ? moved < 500 : moved == 0);
        lz_arena_destroy(s.arena);
    }
}

static void a_bounded_load_never_exceeds_its_bound(void **state)
{
    (void)state;
    // Mirrokni, Thorup, Zadimoghaddam 2018 (arXiv:1608.01350): capacity ceil((1 + eps) m / n).
    static const struct {
        uint32_t servers, open;
        double bound;
        uint32_t most;
    } cases[] = {{10, 100, 0.25, 13}, {100, 100, 0.5, 2}, {10, 100, 0.1, 11}};
    static const enum lz_balance policies[] = {LZ_BALANCE_RING_HASH, LZ_BALANCE_MAGLEV};
    for (int k = 0; k < 6; k++) {
        uint32_t servers = cases[k / 2].servers, open = cases[k / 2].open, most = 0;
        struct stage s = make(servers, &(struct lz_balance_opts){.policy = policies[k % 2],
                                                                 .load_bound = cases[k / 2].bound});
        for (uint64_t n = 0; n < open; n++) {
            struct lz_edge_pair *p = &s.edge->pairs[ask(&s, 0, n * n)];
            p->in_flight++;
            uint64_t ppm = 1000000 + (uint64_t)(cases[k / 2].bound * 1e6 + 0.5);
            uint64_t over = 1000000ull * servers;
            assert_true(p->in_flight <= ((n + 1) * ppm + over - 1) / over);
            most = p->in_flight > most ? p->in_flight : most;
        }
        assert_int_equal(most, cases[k / 2].most);
        lz_arena_destroy(s.arena);
    }
}

static void a_ring_without_a_bound_exceeds_it(void **state)
{
    (void)state;
    struct stage s = make(10, &(struct lz_balance_opts){.policy = LZ_BALANCE_RING_HASH});
    uint32_t most = 0;
    for (uint64_t n = 0; n < 100; n++) {
        uint32_t open = ++s.edge->pairs[ask(&s, 0, n * n)].in_flight;
        most = open > most ? open : most;
    }
    assert_true(most > 13);
    lz_arena_destroy(s.arena);
}

static void maglev_shares_its_table_evenly_and_by_weight(void **state)
{
    (void)state;
    struct lz_arena *arena = make_arena();
    struct lz_maglev m;
    lz_maglev_init(&m, arena, 1, 65537, 7);
    static const uint32_t weights[][7] = {{1, 1, 1, 1, 1, 1, 1}, {1, 0, 2, 1, 4, 0, 2}};
    for (int i = 0; i < 2; i++) {
        uint32_t seen[7] = {0}, sum = 0;
        lz_maglev_fill(&m, weights[i]);
        for (uint32_t e = 0; e < m.size; e++)
            seen[m.table[e]]++;
        for (int o = 0; o < 7; o++)
            sum += weights[i][o];
        for (int o = 0; o < 7; o++)
            assert_true(fabs(seen[o] - 65537.0 * weights[i][o] / sum) <= 2.0);
    }
    assert_true(lz_maglev_is_prime(65537) && !lz_maglev_is_prime(65536));
    assert_true(!lz_maglev_is_prime(1) && lz_maglev_is_prime(2) && !lz_maglev_is_prime(9));
    lz_arena_destroy(arena);
}

static void load_spills_over_as_envoy_says(void **state)
{
    (void)state;
    // Envoy, "Priority levels": P1 all alive, overprovisioning 1.4.
    static const uint32_t table[][3] = {{100, 100, 0}, {72, 100, 0}, {71, 99, 1},
                                        {50, 70, 30},  {25, 35, 65}, {0, 0, 100}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const uint32_t total[] = {100, 100}, alive[] = {table[i][0], 100};
        uint32_t percent[2];
        lz_locality_split(total, alive, 2, 140, percent);
        assert_int_equal(percent[0], table[i][1]);
        assert_int_equal(percent[1], table[i][2]);
    }
    // Not enough anywhere: in proportion (25 % of each can take 35 of 70), and nobody at all.
    const uint32_t total[] = {100, 100}, few[] = {25, 25}, none[] = {0, 0};
    uint32_t percent[2];
    lz_locality_split(total, few, 2, 140, percent);
    assert_int_equal(percent[0], 50);
    assert_int_equal(percent[1], 50);
    lz_locality_split(total, none, 2, 140, percent);
    assert_int_equal(percent[0] + percent[1], 0);
}

static void subsets_are_of_one_size_and_load_all_the_same(void **state)
{
    (void)state;
    // SRE book, ch. 20: a round of 12 / 3 callers knows every replica once.
    struct stage s;
    assert_true(try_make(&s, 8, 12, &(struct lz_balance_opts){.subset = 3}));
    uint32_t known_by[12] = {0};
    for (uint32_t caller = 0; caller < 8; caller++) {
        uint32_t seen = 0;
        for (uint64_t n = 0; n < 30; n++)
            seen |= 1u << ask(&s, caller, n);
        assert_int_equal(__builtin_popcount(seen), 3);
        for (int r = 0; r < 12; r++)
            known_by[r] += seen >> r & 1u;
    }
    for (int r = 0; r < 12; r++)
        assert_int_equal(known_by[r], 2);
    lz_arena_destroy(s.arena);
}

static void answer(struct stage *s, uint32_t server, uint32_t times, uint16_t status)
{
    enum lz_outcome outcome = status == 200 ? LZ_OUTCOME_OK : LZ_OUTCOME_ERROR;
    for (uint32_t i = 0; i < times; i++)
        lz_outlier_result(s->w, s->edge, s->edge->client_first, s->edge->server_first + server,
                          &(struct lz_call_result){.outcome = outcome, .status = status});
}

static void five_failures_in_a_row_eject_as_in_envoy(void **state)
{
    (void)state;
    struct stage s = make(20, &(struct lz_balance_opts){.outliers.on = true});
    const struct lz_policy *p = s.edge->policy;
    answer(&s, 0, 4, 503);
    answer(&s, 0, 1, 200);
    answer(&s, 0, 4, 503);
    assert_false(p->pairs[0].is_ejected);
    answer(&s, 1, 100, 404); // an error of the caller's
    assert_false(p->pairs[1].is_ejected);
    answer(&s, 0, 1, 503);
    assert_true(p->pairs[0].is_ejected);
    answer(&s, 2, 5, 503);
    answer(&s, 3, 500, 503); // 10 % of 20 are out already
    assert_true(p->pairs[2].is_ejected);
    assert_false(p->pairs[3].is_ejected);
    for (uint64_t n = 0; n < 100; n++) {
        uint32_t r = ask(&s, 0, n);
        assert_true(r != 0 && r != 2);
    }
    lz_arena_destroy(s.arena);
}

// Ejected again as soon as it is back: the n-th time lasts 30 n s, at most 300 s. Twelve times
// are 30 + 60 + ... + 300 + 300 + 300 = 2250 s.
static void the_nth_ejection_lasts_n_times_as_long(void **state)
{
    (void)state;
    struct stage s = make(3, &(struct lz_balance_opts){.outliers.on = true});
    lz_balance_start(s.w);
    const struct lz_policy_pair *p = &s.edge->policy->pairs[0];
    lz_time out = 0;
    for (int n = 1; n <= 12; n++) {
        answer(&s, 0, 5, 503);
        assert_true(p->is_ejected);
        lz_time from = lz_sim_now(s.w->sim);
        lz_time lasts = (n < 10 ? n : 10) * 30 * LZ_S;
        lz_sim_run(s.w->sim, from + lasts - 1);
        assert_true(p->is_ejected);
        lz_sim_run(s.w->sim, from + lasts);
        assert_false(p->is_ejected);
        out += lz_sim_now(s.w->sim) - from;
    }
    assert_int_equal(out, 2250 * LZ_S);
    lz_arena_destroy(s.arena);
}

static void a_replica_that_is_back_starts_slowly(void **state)
{
    (void)state;
    struct stage s = make(2, &(struct lz_balance_opts){.slow_start.window = 100 * LZ_S});
    lz_sim_run(s.w->sim, LZ_S);
    lz_policy_back(s.w, s.edge, 0);
    // Shares of two: w / (1 + w) at weights of 10 % (the least), 25 % and 100 %.
    static const struct {
        lz_time after;
        double share;
    } cases[] = {{0, 0.1 / 1.1}, {25 * LZ_S, 0.2}, {100 * LZ_S, 0.5}};
    for (int i = 0; i < 3; i++) {
        lz_sim_run(s.w->sim, LZ_S + cases[i].after);
        uint32_t seen = 0;
        for (uint64_t n = 0; n < 11000; n++)
            seen += ask(&s, 0, n) == 0;
        assert_true(fabs(seen / 11000.0 - cases[i].share) < 0.001);
    }
    lz_arena_destroy(s.arena);
}

static void below_the_panic_threshold_all_are_tried(void **state)
{
    (void)state;
    struct stage s = make(4, &(struct lz_balance_opts){.panic = 0.5});
    for (uint32_t out = 0; out < 4; out++) {
        uint32_t seen = 0;
        for (uint64_t n = 0; n < 20; n++)
            seen |= 1u << ask(&s, 0, n);
        // Envoy panics below the threshold, not at it: two of four are enough.
        assert_int_equal(__builtin_popcount(seen), out <= 2 ? 4 - out : 4);
        lz_balance_out(s.w, s.edge, s.edge->server_first + out);
    }
    lz_arena_destroy(s.arena);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const uint32_t two[] = {1, 2}, naught[] = {1, 0, 1}, huge[] = {1001, 1, 1};
    static const struct {
        struct lz_balance_opts opts;
        const char *says;
    } cases[] = {
        {{.choices = 3}, "choices and replacement are power_of_two's"},
        {{.policy = LZ_BALANCE_POWER_OF_TWO, .choices = 17}, "choices must be at most 16, got 17"},
        {{.virtual_nodes = 3}, "virtual_nodes are ring_hash's"},
        {{.table_size = 7}, "table_size is maglev's"},
        {{.load_bound = 0.5}, "load_bound is ring_hash's and maglev's"},
        {{.overprovisioning = 2}, "overprovisioning is zone_aware's"},
        {{.zone_aware = true, .overprovisioning = 101}, "overprovisioning must be between 0"},
        {{.subset = 4}, "subset must be at most the 3 replicas there are, got 4"},
        {{.panic = 1.5}, "panic must be between 0 and 1, got 1.5"},
        {{.weights = two, .weight_count = 2}, "weights must be one for each of 3 replicas, got 2"},
        {{.weights = naught, .weight_count = 3}, "a weight must be between 1 and 1000, got 0"},
        {{.weights = huge, .weight_count = 3}, "a weight must be between 1 and 1000, got 1001"},
        {{.policy = LZ_BALANCE_RING_HASH, .virtual_nodes = 4000000}, "a ring has at most 8388608"},
        {{.policy = LZ_BALANCE_MAGLEV, .table_size = 65536}, "table_size must be a prime"},
        {{.policy = LZ_BALANCE_RING_HASH, .slow_start.window = 1}, "slow_start needs a policy"},
        {{.outliers = {.on = true, .ejection = 10, .ejection_max = 5}}, "ejection_max must be"},
        {{.outliers = {.on = true, .share_max = 2.0}}, "share_max must be between 0 and 1, got 2"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stage s;
        assert_false(try_make(&s, 1, 3, &cases[i].opts));
        assert_non_null(strstr(s.err.msg, cases[i].says));
        lz_arena_destroy(s.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_one_replica_nobody_is_an_outlier),
        cmocka_unit_test(smooth_weighted_round_robin_is_nginx_sequence),
        cmocka_unit_test(weights_are_shares_of_random_choices),
        cmocka_unit_test(power_of_two_draws_with_and_without_replacement),
        cmocka_unit_test(the_least_loaded_by_weight_is_asked),
        cmocka_unit_test(another_than_those_to_avoid_is_asked_if_there_is_one),
        cmocka_unit_test(a_ring_is_as_uneven_as_published),
        cmocka_unit_test(a_key_keeps_its_replica_unless_that_one_goes),
        cmocka_unit_test(a_bounded_load_never_exceeds_its_bound),
        cmocka_unit_test(a_ring_without_a_bound_exceeds_it),
        cmocka_unit_test(maglev_shares_its_table_evenly_and_by_weight),
        cmocka_unit_test(load_spills_over_as_envoy_says),
        cmocka_unit_test(subsets_are_of_one_size_and_load_all_the_same),
        cmocka_unit_test(five_failures_in_a_row_eject_as_in_envoy),
        cmocka_unit_test(the_nth_ejection_lasts_n_times_as_long),
        cmocka_unit_test(a_replica_that_is_back_starts_slowly),
        cmocka_unit_test(below_the_panic_threshold_all_are_tried),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
