/*
 * What a name is answered with, how soon a loss is found out, and what a caller's cache makes of
 * it.
 *
 * Method: a small world with three services behind a name. A case says which of them are lost, and
 * the lookups are made directly; detection is read from the journal, over many runs, and compared
 * with what the health checks' period and threshold say.
 */
#include "model/net/dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/journal.h"
#include "model/net/net.h"
#include "model/node/instance.h"
#include "model/service/service.h"
#include "model/traffic/traffic.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MIB ((size_t)1024 * 1024)
#define ANSWERS 3

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    lz_component_id answers[ANSWERS], name, users;
};

static void build(struct stage *s, const struct lz_dns_opts *opts, uint64_t key, lz_time end)
{
    struct lz_err err;
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 64 * MIB}, &s->arena, &err));
    s->w = lz_world_create(&(struct lz_world_opts){.arena = s->arena, .run_key = key, .end = end});
    lz_region_id regions[ANSWERS];
    for (uint32_t i = 0; i < ANSWERS; i++) {
        char name[] = {'a', (char)('a' + i), 0};
        assert_true(
            lz_place_region(s->w, &(struct lz_region_opts){.name = name}, &regions[i], &err));
        struct lz_service_opts o = {
            .name = name, .replicas = 2, .queue = {.max = 10}, .spread = {.region = regions[i]}};
        assert_true(lz_service_create(s->w, &o, &s->answers[i], &err));
    }
    struct lz_dns_opts o = *opts;
    o.name = "shop";
    o.answers = s->answers;
    o.answer_count = ANSWERS;
    assert_true(lz_dns_create(s->w, &o, &s->name, &err));
    struct lz_traffic_opts t = {.name = "users", .to = s->name};
    assert_true(lz_traffic_create(s->w, &t, &s->users, &err));
}

static void end(struct stage *s)
{
    lz_arena_destroy(s->arena);
}

static void lose(struct stage *s, uint32_t answer)
{
    const struct lz_component *c = lz_world_component(s->w, s->answers[answer]);
    for (uint32_t i = 0; i < c->instance_count; i++)
        lz_instance_lose(s->w, c->instances_first + i);
}

static struct lz_dns_said look_up(struct stage *s, uint64_t counter)
{
    lz_instance_id user = lz_world_component(s->w, s->users)->instances_first;
    return lz_dns_look_up(s->w, s->name, user, 42, counter);
}

static const struct lz_dns_opts checked = {.ttl = 60 * LZ_S,
                                           .negative_ttl = 900 * LZ_S,
                                           .is_checked = true,
                                           .honour_ttl = 1.0,
                                           .health = {.every = 10 * LZ_S, .fails = 3, .passes = 2}};

static void the_first_that_is_healthy_is_answered(void **unused)
{
    (void)unused;
    static const struct {
        const char *lost; // as letters
        uint32_t want;
    } rows[] = {{"", 0}, {"a", 1}, {"ab", 2}, {"b", 0}, {"abc", 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stage s;
        build(&s, &checked, i, 100 * LZ_S);
        lz_world_run_until(s.w, 1 * LZ_S);
        for (const char *at = rows[i].lost; *at != '\0'; at++)
            lose(&s, (uint32_t)(*at - 'a'));
        assert_int_equal(look_up(&s, 0).answer, 0); // nobody knows yet
        lz_world_run_until(s.w, 40 * LZ_S);
        assert_int_equal(look_up(&s, 1).answer, rows[i].want);
        end(&s);
    }
}

static void weights_are_shares_of_what_is_healthy(void **unused)
{
    (void)unused;
    static const double weights[ANSWERS] = {70, 20, 10};
    struct lz_dns_opts o = checked;
    struct stage s;
    uint32_t got[ANSWERS] = {0};
    o.policy = LZ_DNS_WEIGHTED;
    o.weights = weights;
    build(&s, &o, 7, 100 * LZ_S);
    for (uint64_t i = 0; i < 100000; i++)
        got[look_up(&s, i).answer]++;
    assert_in_range(got[0], 69420, 70580); // four standard errors
    assert_in_range(got[1], 19490, 20510);
    lz_world_run_until(s.w, 1 * LZ_S);
    lose(&s, 0);
    lz_world_run_until(s.w, 60 * LZ_S);
    memset(got, 0, sizeof(got));
    for (uint64_t i = 0; i < 90000; i++)
        got[look_up(&s, i).answer]++;
    assert_int_equal(got[0], 0);
    assert_in_range(got[1], 59430, 60570);
    end(&s);
}

/*
 * Amazon Route 53's health checks: a threshold of 3 at intervals of 30 s, or 10 s when fast. With
 * a failure at a random time the third failed check is 2.5 intervals away on average and 3 at the
 * most; a TTL of 60 s adds 30 s on average and 60 s at the most (resolvers asked at any time).
 */
static void a_loss_is_found_out_as_at_route_53(void **unused)
{
    (void)unused;
    static const struct {
        lz_time every;
        double mean_s, worst_s; // with a TTL of 60 s
    } rows[] = {{30 * LZ_S, 105.0, 150.0}, {10 * LZ_S, 55.0, 90.0}};
    enum { RUNS = 1000 };
    for (size_t r = 0; r < COUNT(rows); r++) {
        double sum = 0.0, worst = 0.0;
        for (uint64_t key = 0; key < RUNS; key++) {
            struct lz_dns_opts o = checked;
            struct stage s;
            o.health.every = rows[r].every;
            build(&s, &o, key, 200 * LZ_S);
            lz_world_run_until(s.w, 60 * LZ_S);
            lose(&s, 0);
            lz_world_run(s.w);
            lz_time flipped = -1;
            for (size_t i = 0; i < lz_journal_count(s.w) && flipped < 0; i++)
                if (strstr(lz_journal_get(s.w, i)->text, "is answered with") != NULL)
                    flipped = lz_journal_get(s.w, i)->at;
            assert_true(flipped > 60 * LZ_S);
            double took = (double)(flipped - 60 * LZ_S) / 1e9;
            sum += took;
            worst = took > worst ? took : worst;
            end(&s);
        }
        double mean = sum / RUNS + 30.0;
        assert_true(mean > rows[r].mean_s * 0.98 && mean < rows[r].mean_s * 1.02);
        assert_true(worst + 60.0 <= rows[r].worst_s);
        assert_true(worst + 60.0 > rows[r].worst_s * 0.98);
    }
}

static void effects_change_lookups_and_leave_nothing(void **unused)
{
    (void)unused;
    static const struct {
        struct lz_dns_effect first, second;
        enum lz_dns_reply want;
        lz_time took, ttl;
    } rows[] = {
        {{.reply = LZ_DNS_NXDOMAIN}, {0}, LZ_DNS_NXDOMAIN, 30 * LZ_MS, 900 * LZ_S},
        {{.reply = LZ_DNS_EMPTY}, {0}, LZ_DNS_EMPTY, 30 * LZ_MS, 900 * LZ_S},
        {{.reply = LZ_DNS_NXDOMAIN}, {.reply = LZ_DNS_SERVFAIL}, LZ_DNS_SERVFAIL, 30 * LZ_MS, LZ_S},
        {{.reply = LZ_DNS_TIMEOUT}, {0}, LZ_DNS_TIMEOUT, 10 * LZ_S, LZ_S},
        {{.reply = LZ_DNS_SPOOF}, {0}, LZ_DNS_SPOOF, 30 * LZ_MS, 60 * LZ_S},
        {{.reply = LZ_DNS_NXDOMAIN, .caller = 1}, {0}, LZ_DNS_ANSWER, 30 * LZ_MS, 60 * LZ_S},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stage s;
        uint64_t touched = 0;
        build(&s, &checked, 3, 10 * LZ_S);
        struct lz_dns_effect first = rows[i].first, second = rows[i].second;
        first.touched = second.touched = &touched;
        first.delay = second.delay = (struct lz_dist){0};
        uint32_t a = lz_dns_effect_add(s.w, s.name, &first);
        uint32_t b = lz_dns_effect_add(s.w, s.name, &second);
        struct lz_dns_said said = look_up(&s, 0);
        assert_int_equal(said.reply, rows[i].want);
        assert_int_equal(said.took, rows[i].took);
        assert_int_equal(said.ttl, rows[i].ttl);
        assert_int_equal(touched > 0, rows[i].want != LZ_DNS_ANSWER);
        lz_dns_effect_remove(s.w, s.name, a);
        lz_dns_effect_remove(s.w, s.name, b);
        said = look_up(&s, 0);
        assert_int_equal(said.reply, LZ_DNS_ANSWER);
        assert_int_equal(said.took, 30 * LZ_MS);
        end(&s);
    }
}

static void delays_of_several_faults_add_up(void **unused)
{
    (void)unused;
    struct stage s;
    uint64_t touched = 0;
    build(&s, &checked, 3, 10 * LZ_S);
    struct lz_dns_effect e = {.delay = lz_dist_constant(5 * LZ_MS), .touched = &touched};
    lz_dns_effect_add(s.w, s.name, &e);
    lz_dns_effect_add(s.w, s.name, &e);
    assert_int_equal(look_up(&s, 0).took, 40 * LZ_MS);
    assert_int_equal(touched, 2);
    end(&s);
}

static void a_stale_answer_is_the_one_of_the_moment_it_began(void **unused)
{
    (void)unused;
    struct stage s;
    uint64_t touched = 0;
    build(&s, &checked, 3, 100 * LZ_S);
    lz_world_run_until(s.w, LZ_S);
    uint32_t id = lz_dns_effect_add(s.w, s.name,
                                    &(struct lz_dns_effect){.is_stale = true, .touched = &touched});
    assert_int_equal(look_up(&s, 0).answer, 0);
    assert_int_equal(touched, 0); // nothing was changed by it yet
    lose(&s, 0);
    lz_world_run_until(s.w, 60 * LZ_S);
    assert_int_equal(look_up(&s, 1).answer, 0);
    assert_int_equal(touched, 1);
    lz_dns_effect_remove(s.w, s.name, id);
    assert_int_equal(look_up(&s, 2).answer, 1);
    end(&s);
}

static void servers_that_are_gone_answer_nothing(void **unused)
{
    (void)unused;
    struct stage s;
    build(&s, &checked, 3, 100 * LZ_S);
    lz_instance_kill(s.w, lz_world_component(s.w, s.name)->instances_first);
    assert_int_equal(look_up(&s, 0).reply, LZ_DNS_TIMEOUT);
    assert_int_equal(look_up(&s, 0).took, LZ_DNS_TIMEOUT_NS);
    lz_instance_restart(s.w, lz_world_component(s.w, s.name)->instances_first);
    assert_int_equal(look_up(&s, 0).reply, LZ_DNS_ANSWER);
    end(&s);
}

static void what_makes_no_sense_is_refused(void **unused)
{
    (void)unused;
    static const double below[ANSWERS] = {1, -1, 1};
    static const lz_component_id twice[] = {1, 2, 1};
    static const struct {
        struct lz_dns_opts o;
        const char *says;
    } rows[] = {
        {{.answer_count = 0}, "a name has 1 to 64 answers, got 0"},
        {{.answer_count = 65}, "a name has 1 to 64 answers, got 65"},
        {{.answer_count = 3, .answers = twice}, "aa is answered twice"},
        {{.answer_count = 3, .weights = below},
         "the weight of ab must be between 0 and 1e9, got -1"},
        {{.answer_count = 1, .honour_ttl = 1.5}, "honour_ttl must be between 0 and 1, got 1.5"},
        {{.answer_count = 1, .resolvers = 1000001}, "at most 1000000 resolvers, got 1000001"},
    };
    struct stage s;
    build(&s, &checked, 1, LZ_S);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_err err;
        struct lz_dns_opts o = rows[i].o;
        lz_component_id id = 0;
        o.name = "other";
        o.answers = o.answers != NULL ? o.answers : s.answers;
        assert_false(lz_dns_create(s.w, &o, &id, &err));
        assert_string_equal(err.msg, rows[i].says);
    }
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_that_is_healthy_is_answered),
        cmocka_unit_test(weights_are_shares_of_what_is_healthy),
        cmocka_unit_test(a_loss_is_found_out_as_at_route_53),
        cmocka_unit_test(effects_change_lookups_and_leave_nothing),
        cmocka_unit_test(delays_of_several_faults_add_up),
        cmocka_unit_test(a_stale_answer_is_the_one_of_the_moment_it_began),
        cmocka_unit_test(servers_that_are_gone_answer_nothing),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
