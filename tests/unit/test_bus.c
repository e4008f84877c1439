/*
 * The bus: what nodes tell each other comes in the order in which they said it, for as long as a
 * connection lives.
 *
 * Method: a component of three nodes says numbers, and every number is logged with the node and the
 * millisecond at which it was heard; what is lost is marked `x`, a broken connection `!`. A case is
 * a few lines of a small language: at which millisecond who says what, or what happens to whom.
 */
#include "model/net/bus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/data/database.h"
#include "model/net/link.h"
#include "model/node/instance.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    lz_component_id id;
    lz_instance_id first;
    struct lz_bus *bus;
    uint64_t touched;
    lz_link_effect_id cut;
    char log[1 << 16];
    struct lz_err err;
};

static struct stage *current;

static void add(const char *mark, const struct lz_bus_message *m)
{
    struct stage *s = current;
    size_t used = strlen(s->log);
    snprintf(s->log + used, sizeof(s->log) - used, "%s%llu>%u:%g ", mark,
             (unsigned long long)m->payload, m->to + 1, (double)lz_sim_now(s->w->sim) / 1e6);
}

static void heard(struct lz_world *w, lz_instance_id at, const struct lz_bus_message *m)
{
    (void)w;
    assert_int_equal(at, current->first + m->to);
    assert_int_equal(m->kind, 77);
    add("", m);
}

static void lost(struct lz_world *w, const struct lz_bus_message *m)
{
    (void)w;
    add("x", m);
}

static void broke(struct lz_world *w, lz_instance_id sender, const struct lz_bus_message *way,
                  bool by_reset)
{
    (void)w;
    assert_int_equal(sender, current->first + way->from);
    struct lz_bus_message m = *way;
    m.payload = m.from + 1;
    add(by_reset ? "!" : "?", &m);
}

static void make(struct stage *s, lz_time latency, lz_time patience)
{
    static const struct lz_bus_ops ops = {.heard = heard, .lost = lost, .broke = broke};
    *s = (struct stage){0};
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s->arena, &s->err));
    s->w = lz_world_create(
        &(struct lz_world_opts){.arena = s->arena, .seed = 1, .run_key = 1, .end = 10000 * LZ_S});
    const struct lz_database_opts db = {.name = "db", .nodes = 3};
    assert_true(lz_database_create(s->w, &db, &s->id, &s->err));
    s->first = lz_world_component(s->w, s->id)->instances_first;
    struct lz_target all = {.kind = LZ_TARGET_COMPONENT, .id = s->id};
    struct lz_link_opts o = {.from = all, .to = all};
    o.conditions.latency = lz_dist_constant(latency);
    assert_true(lz_link_declare(s->w, &o, &s->err));
    s->bus = lz_bus_create(
        s->w, &(struct lz_bus_opts){
                  .ops = &ops, .first = s->first, .nodes = 3, .channels = 2, .patience = patience});
    current = s;
}

static void say(struct stage *s, uint32_t from, uint32_t to, uint32_t channel, uint64_t number)
{
    lz_bus_send(s->w, s->bus,
                &(struct lz_bus_message){.from = from,
                                         .to = to,
                                         .channel = channel,
                                         .kind = 77,
                                         .payload = number,
                                         .owner = lz_draw_index(9, number)});
}

static void cut(struct stage *s)
{
    static lz_instance_id from, to;
    from = s->first;
    to = s->first + 1;
    s->cut = lz_link_effect_add(s->w, &(struct lz_link_effect){.from = {.list = &from, .count = 1},
                                                               .to = {.list = &to, .count = 1},
                                                               .cut = LZ_LINK_CUT,
                                                               .touched = &s->touched});
}

// "30 say 2" is said by the first node to the second at 30 ms, "on" over the other channel; all
// else happens to the second node or to the way there, or, with `1`, to the first.
static void act(struct stage *s, const char *what, unsigned n)
{
    lz_instance_id id = s->first + 1;
    if (strcmp(what, "say") == 0)
        say(s, 0, 1, 0, n);
    else if (strcmp(what, "on") == 0)
        say(s, 0, 1, 1, n);
    else if (strcmp(what, "cut") == 0)
        cut(s);
    else if (strcmp(what, "heal") == 0)
        lz_link_effect_remove(s->w, s->cut);
    else if (strcmp(what, "break") == 0)
        lz_bus_break(s->bus, 0, 1, 0);
    else if (strcmp(what, "pause") == 0)
        lz_instance_pause(s->w, id);
    else if (strcmp(what, "resume") == 0)
        lz_instance_resume(s->w, id);
    else if (strcmp(what, "return") == 0)
        lz_instance_return(s->w, id);
    else if (strcmp(what, "restart") == 0)
        lz_instance_restart(s->w, s->first + (n == 1 ? 0 : 1));
    else if (strcmp(what, "kill") == 0) {
        lz_instance_kill(s->w, s->first + (n == 1 ? 0 : 1));
        lz_bus_ended(s->w, s->bus, n == 1 ? 0 : 1, false);
    } else {
        assert_string_equal(what, "lose");
        lz_instance_lose(s->w, id);
        lz_bus_ended(s->w, s->bus, 1, true);
    }
}

static void a_connection_keeps_the_order_and_ends_with_its_processes(void **state)
{
    (void)state;
    static const struct {
        const char *play, *log;
    } rows[] = {
        {"0 say 1, 0 say 2, 5 say 3", "1>2:10 2>2:10 3>2:15 "},
        // What follows waits for what was cut: 200 ms, then twice that. The other channel does not.
        {"0 cut 0, 1 say 1, 2 heal 0, 3 say 2, 4 on 3", "3>2:14 1>2:211 2>2:211 "},
        {"0 cut 0, 1 say 1, 300 heal 0, 310 say 2, 320 say 3", "1>2:611 2>2:611 3>2:611 "},
        // Patience of a second: found out at the retransmission after it.
        {"0 cut 0, 1 say 1, 500 say 2, 2000 heal 0, 2500 say 3",
         "x1>2:1401 ?1>2:1401 x2>2:1900 3>2:2510 "},
        {"0 cut 0, 1 say 1, 2 heal 0, 3 say 2, 4 break 0, 5 say 3", "x2>2:15 3>2:15 x1>2:201 "},
        // Its process ends: what comes to none, or to the next, is reset.
        {"0 say 1, 5 kill 2, 20 restart 2, 30 say 2", "!1>2:5 x1>2:10 2>2:40 "},
        {"0 say 1, 20 kill 2, 22 say 2, 40 restart 2, 50 say 3",
         "1>2:10 !1>2:20 x2>2:32 !1>2:32 3>2:60 "},
        // A lost host says nothing; the next process there knows of no connection.
        {"0 say 1, 20 lose 0, 21 say 2, 100 return 0, 300 say 3, 320 say 4",
         "1>2:10 x2>2:231 !1>2:231 3>2:310 4>2:330 "},
        {"0 say 1, 5 lose 0, 8 return 0, 20 say 2, 40 say 3", "x1>2:10 !1>2:10 2>2:30 3>2:50 "},
        // The sender ends: what is on its way comes, what was lost is never sent again.
        {"0 say 1, 5 kill 1, 8 restart 1, 9 say 2", "1>2:10 2>2:19 "},
        {"0 cut 0, 1 say 1, 2 heal 0, 3 say 2, 5 kill 1, 9 restart 1, 30 say 3",
         "x2>2:40 3>2:40 x1>2:201 "},
        // Who stands still hears all of it when it goes on.
        {"0 say 1, 5 pause 0, 6 say 2, 7 say 3, 50 resume 0, 55 say 4",
         "1>2:50 2>2:50 3>2:50 4>2:65 "},
        // It ends so: what had come is lost at once.
        {"0 say 1, 5 pause 0, 6 say 2, 50 kill 2, 60 restart 2, 70 say 3",
         "x1>2:50 x2>2:50 !1>2:50 3>2:80 "},
        {"0 say 1, 20 pause 0, 21 say 2, 50 lose 0, 60 return 0, 70 say 3, 80 say 4",
         "1>2:10 x2>2:50 x3>2:80 !1>2:80 4>2:90 "},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stage s;
        make(&s, 10 * LZ_MS, LZ_S);
        char what[16];
        unsigned at, n;
        int read = 0;
        for (const char *p = rows[i].play; sscanf(p, "%u %15s %u%n", &at, what, &n, &read) == 3;
             p += p[read] == ',' ? read + 1 : read) {
            assert_int_equal(lz_world_run_until(s.w, (lz_time)at * LZ_MS), LZ_SIM_ENDED);
            act(&s, what, n);
        }
        assert_int_equal(lz_world_run_until(s.w, 20 * LZ_S), LZ_SIM_ENDED);
        if (strcmp(s.log, rows[i].log) != 0)
            fail_msg("%s: %s, want %s", rows[i].play, s.log, rows[i].log);
        lz_arena_destroy(s.arena);
    }
}

// Whatever the way does: a latency that varies, losses, packets held back.
static void nothing_overtakes(void **state)
{
    (void)state;
    struct stage s;
    make(&s, LZ_MS, 0);
    struct lz_target all = {.kind = LZ_TARGET_COMPONENT, .id = s.id};
    struct lz_link_opts o = {.from = all, .to = all, .conditions = {.gap = 30 * LZ_MS}};
    assert_true(lz_dist_make(&o.conditions.latency, LZ_DIST_EXPONENTIAL, 20.0 * LZ_MS, 0, &s.err));
    o.conditions.loss = (struct lz_loss){.kind = LZ_LOSS_RATIO, .ratio = 0.05};
    o.conditions.reorder = (struct lz_loss){.kind = LZ_LOSS_RATIO, .ratio = 0.2};
    assert_true(lz_link_declare(s.w, &o, &s.err));
    uint64_t next[3][3] = {{0}}, count = 0;
    for (uint64_t k = 0; k <= 3000; k++) {
        lz_time until = k < 3000 ? (lz_time)k * 2 * LZ_MS : 60 * LZ_S;
        assert_int_equal(lz_world_run_until(s.w, until), LZ_SIM_ENDED);
        if (k < 3000)
            say(&s, (uint32_t)(k % 3), (uint32_t)((k + 1 + k / 3 % 2) % 3), 0, k);
        uint64_t number;
        unsigned to;
        double ms;
        int read = 0;
        for (const char *p = s.log;
             sscanf(p, "%llu>%u:%lf %n", (unsigned long long *)&number, &to, &ms, &read) == 3;
             p += read) {
            assert_true(number >= next[number % 3][to - 1]);
            next[number % 3][to - 1] = number + 1;
            count++;
        }
        s.log[0] = '\0';
    }
    assert_int_equal(count, 3000);
    lz_arena_destroy(s.arena);
}

// Two at once are twice one; once they are heard what they took stays counted: it is the most.
static void what_is_under_way_is_counted(void **state)
{
    (void)state;
    struct stage s;
    make(&s, 10 * LZ_MS, 0);
    size_t empty = lz_bus_bytes(s.bus);
    say(&s, 0, 1, 0, 1);
    size_t letter = lz_bus_bytes(s.bus) - empty;
    assert_true(letter >= sizeof(struct lz_bus_message));
    say(&s, 0, 2, 1, 2);
    assert_int_equal(lz_bus_bytes(s.bus), empty + 2 * letter);
    assert_int_equal(lz_world_run_until(s.w, LZ_S), LZ_SIM_ENDED);
    assert_string_equal(s.log, "1>2:10 2>3:10 ");
    say(&s, 1, 2, 0, 3); // in the place of one that was heard
    assert_int_equal(lz_bus_bytes(s.bus), empty + 2 * letter);
    lz_arena_destroy(s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_keeps_the_order_and_ends_with_its_processes),
        cmocka_unit_test(nothing_overtakes),
        cmocka_unit_test(what_is_under_way_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
