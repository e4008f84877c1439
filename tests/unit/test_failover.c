/*
 * Who leads, when, and what is lost: the published distributions of takeovers (fidelity C09, D02,
 * D03, D10), fencing and its absence, and how an old primary comes back.
 *
 * Method: many databases in one world, each with its own phase; all primaries die or are cut off
 * at one instant, and each is watched every 10 ms. Sources: Patroni, dynamic_configuration.rst and
 * faq.rst; client-go's leader election; the MySQL 8.0 manual, group_replication_member_expel_
 * timeout. What is lost asynchronously is Poisson with mean rate times lag.
 */
#include "model/data/failover.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/data/database_state.h"
#include "model/net/link.h"
#include "model/node/disk.h"
#include "model/traffic/traffic.h"

#define MANY 400
#define STEP (10 * LZ_MS)
#define DIES (1000 * LZ_S)

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    lz_component_id db[MANY];
    uint32_t count;
    struct lz_err err;
};

static void make(struct stage *s, uint32_t count, const struct lz_database_opts *db,
                 const struct lz_failover_opts *failover)
{
    *s = (struct stage){.count = count};
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s->arena, &s->err));
    s->w = lz_world_create(
        &(struct lz_world_opts){.arena = s->arena, .seed = 1, .run_key = 1, .end = 10000 * LZ_S});
    for (uint32_t i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof(name), "db%u", i);
        struct lz_database_opts o = *db;
        o.name = lz_arena_strdup(s->arena, name);
        o.failover = true;
        assert_true(lz_database_create(s->w, &o, &s->db[i], &s->err));
        assert_true(lz_failover_declare(s->w, s->db[i], failover, &s->err));
    }
}

static void run(struct stage *s, lz_time until)
{
    assert_int_equal(lz_world_run_until(s->w, until), LZ_SIM_ENDED);
}

static struct lz_database *at(const struct stage *s, uint32_t i)
{
    return lz_database_at(s->w, s->db[i]);
}

static lz_instance_id node(const struct stage *s, uint32_t i, uint32_t n)
{
    return at(s, i)->first + n;
}

struct spread {
    double least, most, mean, below_middle;
};

// Seconds from the instant of dying until another leads, over all databases.
static struct spread takeovers(struct stage *s)
{
    static double took[MANY];
    run(s, DIES);
    for (uint32_t i = 0; i < s->count; i++) {
        took[i] = -1.0;
        lz_instance_kill(s->w, lz_database_primary(s->w, s->db[i]));
    }
    lz_database_reconsider(s->w);
    for (lz_time t = DIES; t < DIES + 60 * LZ_S; t += STEP) {
        run(s, t);
        for (uint32_t i = 0; i < s->count; i++)
            if (took[i] < 0.0 && at(s, i)->primary != 0)
                took[i] = (double)(t - DIES) / 1e9;
    }
    struct spread out = {.least = took[0], .most = took[0]};
    for (uint32_t i = 0; i < s->count; i++) {
        assert_true(took[i] >= 0.0);
        out.least = took[i] < out.least ? took[i] : out.least;
        out.most = took[i] > out.most ? took[i] : out.most;
        out.mean += took[i] / s->count;
    }
    for (uint32_t i = 0; i < s->count; i++)
        out.below_middle += took[i] < out.mean;
    out.below_middle /= s->count;
    return out;
}

static void a_takeover_takes_what_is_published(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint32_t nodes;
        struct lz_failover_opts opts;
        double least, most, mean;
    } rows[] = {
        {"D03 Patroni's defaults: the lock expires U[20, 30] s after; here 2 s of promoting",
         3,
         {.is_leased = true, .promote = 2 * LZ_S},
         22.0,
         32.0,
         27.0},
        {"D03 with ttl 20 and loop 5: U[15, 20] s",
         3,
         {.is_leased = true,
          .ttl = 20 * LZ_S,
          .loop_wait = 5 * LZ_S,
          .retry_timeout = 5 * LZ_S,
          .promote = 1},
         15.0,
         20.0,
         17.5},
        {"C09 client-go's 15, 10, 2 s: U[13, 15] + U[0, 2]",
         2,
         {.is_leased = true,
          .ttl = 15 * LZ_S,
          .loop_wait = 2 * LZ_S,
          .retry_timeout = 10 * LZ_S,
          .poll = 2 * LZ_S,
          .promote = 1},
         13.0,
         17.0,
         15.0},
        {"D10 Group Replication: suspected after 5 s, expelled 5 s later",
         3,
         {.detect = 10 * LZ_S, .promote = 1},
         10.0,
         10.0,
         10.0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage s;
        make(&s, MANY, &(struct lz_database_opts){.nodes = rows[i].nodes}, &rows[i].opts);
        struct spread got = takeovers(&s);
        double width = rows[i].most - rows[i].least;
        print_message("# %s: %.2f to %.2f s, mean %.3f\n", rows[i].what, got.least, got.most,
                      got.mean);
        assert_true(got.least >= rows[i].least);
        assert_true(got.most <= rows[i].most + 0.02); // seen at the next step
        assert_true(got.least <= rows[i].least + 0.1 * width + 0.02);
        assert_true(got.most >= rows[i].most - 0.1 * width);
        assert_true(got.mean >= 0.98 * rows[i].mean && got.mean <= 1.02 * rows[i].mean);
        assert_true(!(width > 0.0) || (got.below_middle > 0.4 && got.below_middle < 0.6));
        lz_arena_destroy(s.arena);
    }
}

// Cut one node off from the others of its database, or put it back.
static uint32_t cut(struct stage *s, uint32_t i, uint32_t n, uint64_t *touched)
{
    static lz_instance_id ends[MANY][LZ_DATABASE_NODES_MAX];
    uint32_t count = 0;
    ends[i][count++] = node(s, i, n);
    for (uint32_t k = 0; k < at(s, i)->opts.nodes; k++)
        if (k != n)
            ends[i][count++] = node(s, i, k);
    struct lz_link_effect e = {.from = {.list = &ends[i][0], .count = 1},
                               .to = {.list = &ends[i][1], .count = count - 1},
                               .both_ways = true,
                               .is_shared = true,
                               .cut = LZ_LINK_CUT,
                               .path = 1 + i,
                               .touched = touched};
    uint32_t id = lz_link_effect_add(s->w, &e);
    lz_database_reconsider(s->w);
    return id;
}

static void mend(struct stage *s, uint32_t id)
{
    lz_link_effect_remove(s->w, id);
    lz_database_reconsider(s->w);
}

// C09: it steps down after the renew deadline, and so always before another can lead.
static void a_leader_that_cannot_renew_steps_down_before_another_leads(void **state)
{
    (void)state;
    struct stage s;
    const struct lz_failover_opts opts = {.is_leased = true,
                                          .ttl = 15 * LZ_S,
                                          .loop_wait = 2 * LZ_S,
                                          .retry_timeout = 10 * LZ_S,
                                          .promote = 1};
    uint64_t touched = 0;
    make(&s, 50, &(struct lz_database_opts){.nodes = 3}, &opts);
    run(&s, DIES);
    for (uint32_t i = 0; i < s.count; i++)
        cut(&s, i, 0, &touched);
    double least = 99.0, most = 0.0;
    bool is_down[50] = {false};
    for (lz_time t = DIES; t < DIES + 20 * LZ_S; t += STEP) {
        run(&s, t);
        for (uint32_t i = 0; i < s.count; i++) {
            double after = (double)(t - DIES) / 1e9;
            if (!is_down[i] && at(&s, i)->primary == 0 && !at(&s, i)->is_writable) {
                is_down[i] = true;
                least = after < least ? after : least;
                most = after > most ? after : most;
            }
            assert_true(at(&s, i)->primary == 0 || is_down[i]);
        }
    }
    for (uint32_t i = 0; i < s.count; i++)
        assert_int_not_equal(at(&s, i)->primary, 0);
    assert_true(least >= 10.0 && most <= 12.02); // the deadline after its next try
    lz_arena_destroy(s.arena);
}

static void write_to(struct stage *s, uint32_t i, const char *rate_of, double rate)
{
    char name[24];
    lz_component_id id;
    snprintf(name, sizeof(name), "%s%u", rate_of, i);
    struct lz_traffic_opts o = {.name = lz_arena_strdup(s->arena, name),
                                .to = s->db[i],
                                .rate.mean = rate,
                                .local = true,
                                .edge = {.to = s->db[i], .op = "write x"}};
    assert_true(lz_traffic_create(s->w, &o, &id, &s->err));
}

static double total(const struct stage *s, uint32_t i, const char *name)
{
    lz_metric id = lz_world_metric(s->w, s->db[i], name);
    assert_int_not_equal(id, 0);
    return lz_metrics_whole(s->w->metrics, id).value;
}

// D02: with commits at rate q and a lag L at the crash, Poisson with mean q L is lost.
static void an_asynchronous_failover_loses_rate_times_lag(void **state)
{
    (void)state;
    static const struct {
        double rate;
        double lag_least, lag_most; // spread evenly over the databases
        bool sync;
        double mean, sd; // sd 0: that of the lags is in it too
    } rows[] = {
        {1000, 0.2, 0.2, false, 200.0, 14.14},
        {500, 0.0, 1.0, false, 250.0, 0.0},
        {1000, 0.2, 0.2, true, 0.0, 0.0},
    };
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        struct stage s;
        uint64_t touched = 0;
        const uint32_t n = 100;
        make(&s, n,
             &(struct lz_database_opts){.nodes = 2,
                                        .sync = rows[r].sync,
                                        .max_connections = 10000,
                                        .query_time = lz_dist_constant(LZ_US)},
             &(struct lz_failover_opts){.detect = LZ_S, .promote = 1});
        for (uint32_t i = 0; i < n; i++) {
            double share = (i + 0.5) / n;
            double lag = rows[r].lag_least + share * (rows[r].lag_most - rows[r].lag_least);
            write_to(&s, i, "w", rows[r].rate);
            struct lz_replication_effect e = {
                .add = lz_dist_constant((lz_time)(lag * 1e9)), .path = 1 + i, .touched = &touched};
            lz_replication_disturb(s.w, s.db[i], &e);
        }
        run(&s, 3 * LZ_S);
        for (uint32_t i = 0; i < n; i++)
            lz_instance_kill(s.w, node(&s, i, 0));
        lz_database_reconsider(s.w);
        run(&s, 5 * LZ_S);
        double sum = 0.0, squares = 0.0;
        for (uint32_t i = 0; i < n; i++) {
            double lost = total(&s, i, "lost_acks");
            assert_true(total(&s, i, "failovers") > 0.5);
            sum += lost;
            squares += lost * lost;
        }
        double mean = sum / n, sd = sqrt(squares / n - mean * mean);
        print_message("# D02: lost %.2f (sd %.2f), published %.0f\n", mean, sd, rows[r].mean);
        double room = 4.0 * sqrt(rows[r].mean / n); // of Poisson's mean, 4 sigma
        assert_true(mean >= rows[r].mean - room && mean <= rows[r].mean + room);
        if (rows[r].sd > 0.0)
            assert_true(sd > 0.7 * rows[r].sd && sd < 1.3 * rows[r].sd);
        lz_arena_destroy(s.arena);
    }
}

// What a write replaced is there again where that is lost: never "no such row".
static void a_row_whose_overwrite_is_lost_is_what_it_was(void **state)
{
    (void)state;
    for (uint32_t sync = 0; sync < 2; sync++) {
        struct stage s;
        uint64_t touched = 0, was[51], values[51];
        make(&s, 1, &(struct lz_database_opts){.nodes = 1 + sync, .sync = sync != 0},
             &(struct lz_failover_opts){.mode = LZ_FAILOVER_NONE});
        struct lz_traffic_opts o = {.name = "w",
                                    .to = s.db[0],
                                    .rate.mean = 1000,
                                    .local = true,
                                    .edge = {.to = s.db[0], .op = "write x"}};
        assert_true(lz_dist_make(&o.keys, LZ_DIST_ZIPF, 50.0, 0.5, &s.err));
        lz_component_id id;
        assert_true(lz_traffic_create(s.w, &o, &id, &s.err));
        run(&s, 3 * LZ_S);
        struct lz_database *d = at(&s, 0);
        for (uint32_t n = 0; n <= sync; n++)
            lz_disk_disturb(
                s.w, node(&s, 0, n),
                &(struct lz_disk_effect){.lies = true, .path = 7 + n, .touched = &touched});
        uint64_t lsn = d->nodes[0].applied;
        for (uint64_t k = 1; k <= 50; k++) {
            was[k] = lz_rows_read(&d->nodes[0].rows, k, &values[k]);
            assert_true(was[k] <= lsn);
        }
        run(&s, 6 * LZ_S);
        for (uint32_t n = 0; n <= sync; n++)
            lz_instance_lose(s.w, node(&s, 0, n));
        lz_instance_return(s.w, node(&s, 0, 0));
        assert_true(total(&s, 0, "lost_acks") > 2000.0);
        for (uint64_t k = 1; k <= 50; k++) {
            uint64_t value, now = lz_rows_read(&d->nodes[0].rows, k, &value);
            assert_in_range(now, was[k], was[k] + 40); // what was on its way then was kept
            assert_true(now > was[k] || value == values[k]);
        }
        lz_arena_destroy(s.arena);
    }
}

static void an_unfenced_primary_goes_on_until_it_meets_the_other(void **state)
{
    (void)state;
    for (int is_fenced = 0; is_fenced < 2; is_fenced++) {
        struct stage s;
        uint64_t touched = 0;
        make(&s, 1, &(struct lz_database_opts){.nodes = 3, .query_time = lz_dist_constant(LZ_US)},
             &(struct lz_failover_opts){.detect = 3 * LZ_S,
                                        .promote = 2 * LZ_S,
                                        .unfenced = !is_fenced,
                                        .is_discovered = true,
                                        .discovery = 3600 * LZ_S});
        write_to(&s, 0, "w", 100.0);
        run(&s, 10 * LZ_S);
        uint32_t id = cut(&s, 0, 0, &touched);
        run(&s, 40 * LZ_S);
        assert_int_not_equal(at(&s, 0)->primary, 0);
        assert_int_equal(lz_database_takes_writes(s.w, at(&s, 0), 0), !is_fenced);
        mend(&s, id);
        run(&s, 42 * LZ_S);
        assert_false(lz_database_takes_writes(s.w, at(&s, 0), 0));
        assert_false(at(&s, 0)->nodes[0].is_stale); // it follows
        double lost = total(&s, 0, "lost_acks"), two = total(&s, 0, "two_primaries");
        // From the cut until it is declared dead, or until the cut is mended: 3 or 30 s at 100/s.
        double expected = is_fenced ? 300.0 : 3000.0;
        assert_true(lost > 0.8 * expected && lost < 1.2 * expected);
        assert_true(is_fenced ? !(two > 0.0) : two > 24.99 && two < 25.01);
        uint64_t hash = at(&s, 0)->nodes[0].engine->ops->hash(at(&s, 0)->nodes[0].engine);
        for (uint32_t n = 1; n < 3; n++) // and nothing of its own is left
            assert_int_equal(hash,
                             at(&s, 0)->nodes[n].engine->ops->hash(at(&s, 0)->nodes[n].engine));
        lz_arena_destroy(s.arena);
    }
}

static void an_old_primary_takes_its_time_to_come_back(void **state)
{
    (void)state;
    static const struct {
        enum lz_rejoin how;
        double size, rate;
        double least, most; // seconds
    } rows[] = {
        {LZ_REJOIN_AT_ONCE, 0, 0, 0.0, 0.01},
        {LZ_REJOIN_REBUILD, 6e9, 200e6, 30.0, 30.01},
        // About 100 records of its own, a page each: 819 kB at 100 kB/s.
        {LZ_REJOIN_REWIND, 0, 100e3, 6.0, 10.5},
    };
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        struct stage s;
        uint64_t touched = 0;
        make(&s, 1, &(struct lz_database_opts){.nodes = 3, .query_time = lz_dist_constant(LZ_US)},
             &(struct lz_failover_opts){.detect = LZ_S,
                                        .promote = LZ_MS,
                                        .rejoin = rows[r].how,
                                        .size = rows[r].size,
                                        .rate = rows[r].rate});
        write_to(&s, 0, "w", 100.0);
        run(&s, 10 * LZ_S);
        uint32_t id = cut(&s, 0, 0, &touched);
        run(&s, 20 * LZ_S);
        mend(&s, id);
        run(&s, 20 * LZ_S + (lz_time)(rows[r].least * 1e9) - (rows[r].least > 0.0 ? LZ_MS : 0));
        assert_int_equal(at(&s, 0)->nodes[0].is_stale, rows[r].least > 0.0);
        run(&s, 20 * LZ_S + (lz_time)(rows[r].most * 1e9));
        assert_false(at(&s, 0)->nodes[0].is_stale);
        lz_arena_destroy(s.arena);
    }
}

static void a_switchover_loses_nothing(void **state)
{
    (void)state;
    struct stage s;
    make(&s, 1, &(struct lz_database_opts){.nodes = 3, .query_time = lz_dist_constant(LZ_US)},
         &(struct lz_failover_opts){.mode = LZ_FAILOVER_MANUAL, .promote = LZ_S});
    write_to(&s, 0, "w", 1000.0);
    run(&s, 10 * LZ_S);
    struct lz_err err;
    assert_false(lz_failover_force(s.w, s.db[0], 1, &err));
    assert_string_equal(err.msg, "db0[1] leads already");
    assert_false(lz_failover_force(s.w, s.db[0], 4, &err));
    assert_string_equal(err.msg, "db0 has nodes 1 to 3, got 4");
    assert_true(lz_failover_force(s.w, s.db[0], 3, &err));
    assert_false(lz_failover_force(s.w, s.db[0], 2, &err));
    assert_string_equal(err.msg, "a failover of db0 is under way");
    run(&s, 15 * LZ_S);
    assert_int_equal(at(&s, 0)->primary, 2);
    assert_true(total(&s, 0, "lost_acks") < 0.5);
    assert_true(total(&s, 0, "acked") > 9000.0);
    // Nobody decides by itself: who dies is not replaced, until somebody says so.
    lz_instance_kill(s.w, node(&s, 0, 2));
    lz_database_reconsider(s.w);
    run(&s, 60 * LZ_S);
    assert_int_equal(at(&s, 0)->primary, 2);
    assert_true(lz_failover_force(s.w, s.db[0], 0, &err));
    run(&s, 62 * LZ_S);
    assert_int_not_equal(at(&s, 0)->primary, 2);
    lz_arena_destroy(s.arena);
}

static void who_is_too_far_behind_does_not_lead(void **state)
{
    (void)state;
    for (int is_limited = 0; is_limited < 2; is_limited++) {
        struct stage s;
        uint64_t touched = 0;
        // 100 records of 256 bytes a second, two seconds late: 51 kB behind.
        make(&s, 1, &(struct lz_database_opts){.nodes = 2, .query_time = lz_dist_constant(LZ_US)},
             &(struct lz_failover_opts){.detect = LZ_S,
                                        .promote = LZ_MS,
                                        .limits_lag = true,
                                        .maximum_lag_bytes = is_limited ? 25e3 : 100e3});
        write_to(&s, 0, "w", 100.0);
        struct lz_replication_effect e = {
            .add = lz_dist_constant(2 * LZ_S), .path = 1, .touched = &touched};
        lz_replication_disturb(s.w, s.db[0], &e);
        run(&s, 10 * LZ_S);
        lz_instance_kill(s.w, node(&s, 0, 0));
        lz_database_reconsider(s.w);
        run(&s, 30 * LZ_S);
        assert_int_equal(at(&s, 0)->primary, is_limited ? 0 : 1);
        lz_arena_destroy(s.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_takeover_takes_what_is_published),
        cmocka_unit_test(a_leader_that_cannot_renew_steps_down_before_another_leads),
        cmocka_unit_test(an_asynchronous_failover_loses_rate_times_lag),
        cmocka_unit_test(a_row_whose_overwrite_is_lost_is_what_it_was),
        cmocka_unit_test(an_unfenced_primary_goes_on_until_it_meets_the_other),
        cmocka_unit_test(an_old_primary_takes_its_time_to_come_back),
        cmocka_unit_test(a_switchover_loses_nothing),
        cmocka_unit_test(who_is_too_far_behind_does_not_lead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
