/*
 * Memory of processes: when they run out of it, who is killed, and what swapping costs.
 *
 * Method: instances that nobody calls, on hosts of known size; exact times from the journal.
 */
#include "model/node/rss.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/journal.h"
#include "model/node/capacity.h"
#include "model/node/host.h"
#include "model/node/life.h"
#include "model/service/service.h"

#define MIB 1048576.0

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    lz_component_id ids[3];
    lz_instance_id first[3];
    uint64_t taken;
    struct lz_err err;
};

// Services of one replica each on one host of 1000 MiB.
static struct stage make(const struct lz_rss_opts *opts, size_t count)
{
    static const char *const names[] = {"a", "b", "c"};
    struct stage s = {0};
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s.arena, &s.err));
    s.w = lz_world_create(&(struct lz_world_opts){.arena = s.arena, .end = 1000 * LZ_S});
    lz_host_id host;
    lz_component_id id;
    assert_true(lz_place_host(s.w, &(struct lz_host_opts){.name = "rack"}, &host, &s.err));
    const struct lz_host_capacity has = {.name = "rack", .memory = 1000 * MIB};
    assert_true(lz_host_declare(s.w, host, &has, &id, &s.err));
    for (size_t i = 0; i < count; i++) {
        const struct lz_service_opts o = {.name = names[i], .spread = {.host = host}};
        const struct lz_life_opts life = {.restart = LZ_RESTART_ALWAYS, .grace_period = -1};
        assert_true(lz_service_create(s.w, &o, &s.ids[i], &s.err));
        assert_true(lz_life_declare(s.w, s.ids[i], &life, &s.err));
        assert_true(lz_rss_declare(s.w, s.ids[i], &opts[i], &s.err));
        s.first[i] = lz_world_component(s.w, s.ids[i])->instances_first;
    }
    return s;
}

static void run(struct stage *s, lz_time until)
{
    assert_int_equal(lz_world_run_until(s->w, until), LZ_SIM_ENDED);
}

// Who crashed when, as "a10 b12.5 ".
static const char *crashes(const struct stage *s)
{
    static char text[512];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < lz_journal_count(s->w); i++) {
        const struct lz_journal_entry *e = lz_journal_get(s->w, i);
        if (strcmp(e->kind, "crashed") == 0 && used < sizeof(text) - 40)
            used +=
                (size_t)snprintf(text + used, sizeof(text) - used, "%s%.9g ",
                                 lz_world_component(s->w, e->component)->name, (double)e->at / 1e9);
    }
    return text;
}

static void a_leak_kills_when_it_reaches_the_limit(void **state)
{
    (void)state;
    struct stage s = make(&(struct lz_rss_opts){.limit = 300 * MIB, .base = 100 * MIB}, 1);
    run(&s, 5 * LZ_S);
    uint32_t leak =
        lz_rss_take(s.w, s.first[0], &(struct lz_rss_effect){.leak = 10 * MIB, .taken = &s.taken});
    run(&s, 30 * LZ_S);
    // 200 MiB at 10 MiB/s; the fresh process begins with nothing lost. It needs a byte too many.
    assert_string_equal(crashes(&s), "a25.000001 ");
    assert_true(fabs(lz_rss_used(s.w, s.first[0]) - 150 * MIB) < 20);
    lz_rss_undo(s.w, s.first[0], leak);
    run(&s, 900 * LZ_S);
    assert_string_equal(crashes(&s), "a25.000001 "); // what leaked stays, but leaks no more
    assert_true(fabs(lz_rss_used(s.w, s.first[0]) - 150 * MIB) < 20);
    lz_arena_destroy(s.arena);
}

static void what_is_taken_comes_back(void **state)
{
    (void)state;
    struct stage s = make(&(struct lz_rss_opts){.limit = 400 * MIB, .base = 100 * MIB}, 1);
    const struct lz_rss_effect half = {.fill = 0.5, .taken = &s.taken};
    uint32_t a = lz_rss_take(s.w, s.first[0], &half);
    run(&s, LZ_S);
    assert_true(fabs(lz_rss_used(s.w, s.first[0]) - 300 * MIB) < 1);
    assert_string_equal(crashes(&s), "");
    uint32_t b = lz_rss_take(s.w, s.first[0], &half); // they stack: 100 + 2 * 200 are too much
    run(&s, 2 * LZ_S);
    assert_string_equal(crashes(&s), "a1 a1 "); // and again at once: nobody gave it back
    lz_rss_undo(s.w, s.first[0], a);
    lz_rss_undo(s.w, s.first[0], b);
    run(&s, 100 * LZ_S);
    assert_string_equal(crashes(&s), "a1 a1 ");
    assert_true(fabs(lz_rss_used(s.w, s.first[0]) - 100 * MIB) < 1);
    lz_arena_destroy(s.arena);
}

// mm/oom_kill.c: the one that uses most, shifted by thousandths of the host's memory.
static void a_full_host_kills_by_score(void **state)
{
    (void)state;
    static const struct {
        double adj[3];
        const char *killed;
    } cases[] = {
        {{0, 0, 0}, "c10 "},         // the largest, though a leaks
        {{0, 500, 0}, "b10 "},       // 250 + 500 against 450
        {{0, 0, -1000}, "a10 "},     // c is exempt; a uses 300 by now
        {{-1000, -1000, -1000}, ""}, // nobody may be
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lz_rss_opts o[3] = {{.limit = 900 * MIB, .base = 200 * MIB},
                                   {.limit = 900 * MIB, .base = 250 * MIB},
                                   {.limit = 900 * MIB, .base = 450 * MIB}};
        for (int k = 0; k < 3; k++)
            o[k].oom_score_adj = cases[i].adj[k];
        struct stage s = make(o, 3);
        lz_rss_take(s.w, s.first[0], &(struct lz_rss_effect){.leak = 10 * MIB, .taken = &s.taken});
        run(&s, 10 * LZ_S + LZ_MS);
        char text[64];
        snprintf(text, sizeof(text), "%s", crashes(&s));
        char *dot = strchr(text, '.'); // the microsecond of a byte too many
        if (dot != NULL)
            memcpy(dot, " ", 2);
        assert_string_equal(text, cases[i].killed);
        lz_arena_destroy(s.arena);
    }
}

// Effective access time: 1 + penalty * share that is swapped out.
static void swapping_slows_down_by_the_share_that_is_out(void **state)
{
    (void)state;
    struct stage s =
        make(&(struct lz_rss_opts){.limit = 400 * MIB, .base = 400 * MIB, .swap_penalty = 50}, 1);
    const struct lz_capacity *c = lz_capacity_get(s.w, s.first[0]);
    uint32_t fill = lz_rss_take(
        s.w, s.first[0], &(struct lz_rss_effect){.fill = 0.25, .swaps = true, .taken = &s.taken});
    run(&s, LZ_S);
    assert_string_equal(crashes(&s), "");
    assert_true(fabs(c->factor - (1.0 + 50 * 0.2)) < 1e-9); // 100 of 500 MiB are out
    lz_rss_undo(s.w, s.first[0], fill);
    assert_true(c->factor <= 1.0);
    lz_arena_destroy(s.arena);
}

// Who begins when the others have left is not slowed down by what they had.
static void swapping_gets_less_as_requests_leave(void **state)
{
    (void)state;
    struct stage s = make(&(struct lz_rss_opts){.limit = 200 * MIB,
                                                .base = 100 * MIB,
                                                .per_request = 10 * MIB,
                                                .swaps = true,
                                                .swap_penalty = 50},
                          1);
    const struct lz_capacity *c = lz_capacity_get(s.w, s.first[0]);
    run(&s, LZ_S);
    for (int i = 0; i < 20; i++)
        lz_rss_count(s.w, s.first[0], +1);
    assert_true(fabs(c->factor - (1.0 + 50.0 * 100.0 / 300.0)) < 1e-9);
    for (int i = 0; i < 5; i++)
        lz_rss_count(s.w, s.first[0], -1);
    assert_true(fabs(c->factor - (1.0 + 50.0 * 50.0 / 250.0)) < 1e-9);
    for (int i = 0; i < 5; i++)
        lz_rss_count(s.w, s.first[0], -1);
    assert_true(c->factor <= 1.0);
    lz_arena_destroy(s.arena);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct lz_rss_opts opts;
        const char *says;
    } cases[] = {
        {{.limit = 0}, "limit must be between"},
        {{.limit = 10, .base = 20}, "base, 20 bytes, is above the limit, 10 bytes"},
        {{.limit = 10, .oom_score_adj = 1001}, "oom_score_adj must be between -1000 and 1000"},
    };
    struct stage s = make(&(struct lz_rss_opts){.limit = 10}, 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_false(lz_rss_declare(s.w, s.ids[0], &cases[i].opts, &s.err));
        assert_non_null(strstr(s.err.msg, cases[i].says));
    }
    lz_arena_destroy(s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leak_kills_when_it_reaches_the_limit),
        cmocka_unit_test(what_is_taken_comes_back),
        cmocka_unit_test(a_full_host_kills_by_score),
        cmocka_unit_test(swapping_slows_down_by_the_share_that_is_out),
        cmocka_unit_test(swapping_gets_less_as_requests_leave),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
