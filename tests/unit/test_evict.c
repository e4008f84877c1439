/*
 * Faults that ask the API of a control plane to move replicas, while it does not answer, and when
 * what they ask for has moved by itself meanwhile.
 *
 * Method: a service of four in two zones without users; the control plane is down from 60 s to
 * 300 s, a fault of zone a's begins at 120 s, and the journal says when its first replica left.
 * That is, per kind: kubectl drain asks again every 5 s (kubectl/pkg/drain); an eviction is a call
 * to the API; who drains a machine that is reclaimed asks the API too
 * (aws-node-termination-handler), and the kubelet ends what is there when it is shut down
 * (kubernetes.io, "Node Shutdowns").
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fault/fault.h"
#include "model/journal.h"
#include "model/node/instance.h"
#include "model/node/life.h"
#include "model/service/service.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define END (1000 * LZ_S)

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    struct lz_faults *faults;
    lz_region_id region;
    lz_component_id web;
    lz_instance_id first;
    struct lz_err err;
};

static struct stage make(void)
{
    static const char *const zones[] = {"a", "b"};
    struct stage s = {0};
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s.arena, &s.err));
    s.w = lz_world_create(
        &(struct lz_world_opts){.arena = s.arena, .seed = 1, .run_key = 1, .end = END});
    s.faults = lz_faults_create(s.w);
    const struct lz_region_opts eu = {.name = "eu", .zones = zones, .zone_count = 2};
    assert_true(lz_place_region(s.w, &eu, &s.region, &s.err));
    const struct lz_service_opts web = {.name = "web",
                                        .replicas = 4,
                                        .spread = {.region = s.region},
                                        .service_time = lz_dist_constant(LZ_MS)};
    assert_true(lz_service_create(s.w, &web, &s.web, &s.err));
    s.first = lz_world_component(s.w, s.web)->instances_first;
    const struct lz_life_opts life = {.grace_period = -1};
    assert_true(lz_life_declare(s.w, s.web, &life, &s.err));
    return s;
}

static void add(struct stage *s, struct lz_fault_opts o)
{
    lz_fault_id id = 0;
    if (!lz_fault_add(s->faults, &o, &id, &s->err))
        fail_msg("%s: %s", o.kind, s->err.msg);
}

static void run(struct stage *s, lz_time until)
{
    assert_int_equal(lz_world_run_until(s->w, until), LZ_SIM_ENDED);
}

static const struct lz_instance *web(const struct stage *s, uint32_t replica)
{
    return lz_instance_get(s->w, s->first + replica);
}

static bool was_told(const struct stage *s, const char *part)
{
    for (size_t i = 0; i < lz_journal_count(s->w); i++)
        if (strstr(lz_journal_get(s->w, i)->text, part) != NULL)
            return true;
    return false;
}

struct row {
    const char *what, *kind;
    lz_time lasting, notice;
    bool is_up;     // the control plane answers all the time
    bool picks_one; // of zone a's two
    bool moves;     // at 180 s it moves to zone b by itself
    bool is_dead;   // its neighbour, from 100 s on
    bool has_no_capacity;
    lz_time leaves; // web[1], in s: its process ends; 0: never, by the fault
    const char *told;
};

static const struct row rows[] = {
    {.what = "who is drained goes at once", .kind = "drain", .is_up = true, .leaves = 120},
    {.what = "or when the API answers again", .kind = "drain", .leaves = 300},
    {.what = "what has left the place meanwhile stays where it is", .kind = "drain", .moves = true},
    {.what = "or has left its host", .kind = "drain", .picks_one = true, .moves = true},
    {.what = "what stayed is not held by budgets that nobody has",
     .kind = "drain",
     .lasting = 60,
     .told = "2 replicas stayed, for the control plane was down"},
    {.what = "and of it counts what runs",
     .kind = "drain",
     .lasting = 60,
     .is_dead = true,
     .told = "1 replicas stayed, for the control plane was down"},
    {.what = "an eviction waits, too", .kind = "evict", .leaves = 300},
    {.what = "and is at once otherwise", .kind = "evict", .is_up = true, .leaves = 120},
    {.what = "and is not of who has moved", .kind = "evict", .moves = true},
    {.what = "and is given up at its end",
     .kind = "evict",
     .lasting = 60,
     .told = "2 replicas stayed, for the control plane was down"},
    {.what = "who is reclaimed is evicted",
     .kind = "spot_interruption",
     .is_up = true,
     .leaves = 120},
    {.what = "or ended by its kubelet, its grace before the machine goes",
     .kind = "spot_interruption",
     .leaves = 210},
    {.what = "to the second, whatever the period in which others ask",
     .kind = "spot_interruption",
     .notice = 123,
     .leaves = 213},
    {.what = "or at once, if there is less",
     .kind = "spot_interruption",
     .notice = 20,
     .leaves = 120},
    {.what = "or evicted as soon as the API answers",
     .kind = "spot_interruption",
     .notice = 400,
     .leaves = 300},
    {.what = "what has moved is not", .kind = "spot_interruption", .moves = true},
    {.what = "without capacity, the same",
     .kind = "spot_interruption",
     .has_no_capacity = true,
     .leaves = 210},
};

static void play(struct stage *s, const struct row *row)
{
    const struct lz_target eu = {LZ_TARGET_REGION, .id = s->region};
    const struct lz_target a = {LZ_TARGET_ZONE, .id = lz_place_zone(s->w, s->region, 0)};
    const struct lz_target neighbour = {LZ_TARGET_INSTANCE, .id = s->web, .ordinal = 3};
    if (!row->is_up)
        add(s, (struct lz_fault_opts){.kind = "control_plane_down",
                                      .target = eu,
                                      .at = 60 * LZ_S,
                                      .lasting = 240 * LZ_S});
    if (row->is_dead)
        add(s, (struct lz_fault_opts){
                   .kind = "kill", .target = neighbour, .at = 100 * LZ_S, .lasting = 200 * LZ_S});
    add(s, (struct lz_fault_opts){
               .kind = row->kind,
               .target = a,
               .at = 120 * LZ_S,
               .lasting = row->lasting > 0 ? row->lasting * LZ_S : 500 * LZ_S,
               .pick = {.kind = row->picks_one ? LZ_PICK_SHARE : LZ_PICK_ALL, .amount = 1.0},
               .params = {.notice = row->notice * LZ_S, .capacity = !row->has_no_capacity}});
}

static void nothing_is_evicted_while_no_api_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct stage s = make();
        play(&s, row);
        if (row->moves) {
            const struct lz_spread b = {.zone = lz_place_zone(s.w, s.region, 1)};
            run(&s, 180 * LZ_S);
            assert_true(lz_life_replace(s.w, s.first, 0, lz_place_assign(s.w, &b, 0)));
            run(&s, 181 * LZ_S);
        }
        const uint32_t incarnation = web(&s, 0)->incarnation;
        if (row->leaves > 0) {
            run(&s, row->leaves * LZ_S - LZ_MS);
            if (web(&s, 0)->incarnation != incarnation || !lz_instance_listens(web(&s, 0)))
                fail_msg("%s: it has left before", row->what);
        }
        lz_time by = row->leaves > 0 ? row->leaves + 1 : 900;
        run(&s, by * LZ_S);
        bool has_left = web(&s, 0)->incarnation != incarnation || !lz_instance_listens(web(&s, 0));
        if (has_left != (row->leaves > 0))
            fail_msg("%s: it has%s left", row->what, has_left ? "" : " not");
        run(&s, 900 * LZ_S);
        if (row->told != NULL && !was_told(&s, row->told))
            fail_msg("%s: nobody says \"%s\"", row->what, row->told);
        for (uint32_t k = 0; k < 4; k++)
            if (!lz_instance_listens(web(&s, k)))
                fail_msg("%s: web[%u] is not there at the end", row->what, k + 1);
        lz_arena_destroy(s.arena);
    }
}

// Its processes have ended and refuse; then the machine is gone, and nothing answers.
static void a_machine_that_nobody_replaces_is_silent(void **state)
{
    (void)state;
    static const struct {
        lz_time at;
        enum lz_instance_state state;
        bool is_here; // on the machine that is reclaimed
    } moments[] = {
        {209, LZ_INSTANCE_UP, true},   {230, LZ_INSTANCE_DEAD, true}, {241, LZ_INSTANCE_LOST, true},
        {299, LZ_INSTANCE_LOST, true}, {306, LZ_INSTANCE_UP, false},  {900, LZ_INSTANCE_UP, false},
    };
    struct stage s = make();
    const lz_host_id host = web(&s, 0)->host;
    play(&s, &(struct row){.kind = "spot_interruption"});
    for (size_t i = 0; i < COUNT(moments); i++) {
        run(&s, moments[i].at * LZ_S);
        assert_int_equal(web(&s, 0)->state, moments[i].state);
        assert_int_equal(web(&s, 0)->host == host, moments[i].is_here);
    }
    lz_arena_destroy(s.arena);
}

// Not with the next of the questions, every 5 s, that nobody answers.
static void a_machine_goes_when_its_notice_is_over(void **state)
{
    (void)state;
    struct stage s = make();
    play(&s, &(struct row){.kind = "spot_interruption", .notice = 123});
    run(&s, 243 * LZ_S - LZ_MS);
    assert_int_equal(web(&s, 0)->state, LZ_INSTANCE_DEAD);
    run(&s, 243 * LZ_S + LZ_MS);
    assert_int_equal(web(&s, 0)->state, LZ_INSTANCE_LOST);
    lz_arena_destroy(s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_evicted_while_no_api_answers),
        cmocka_unit_test(a_machine_that_nobody_replaces_is_silent),
        cmocka_unit_test(a_machine_goes_when_its_notice_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
