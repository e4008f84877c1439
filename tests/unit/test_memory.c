/*
 * A world must say what its memory goes into; a request in flight and a host that idles must stay
 * small.
 *
 * Method: traffic at an even rate to a service (or a database) that takes a constant time, so
 * that after a while as many are in flight at any moment: rate times time.
 */
#include "model/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/data/database.h"
#include "model/node/capacity.h"
#include "model/service/service.h"
#include "model/traffic/request.h"
#include "model/traffic/traffic.h"

#define END (100 * LZ_S)

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    lz_component_id service, database;
};

static struct stage make(void)
{
    struct stage s;
    struct lz_err err;
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s.arena, &err));
    s.w = lz_world_create(
        &(struct lz_world_opts){.arena = s.arena, .seed = 1, .run_key = 1, .end = END});
    assert_true(lz_service_create(s.w,
                                  &(struct lz_service_opts){
                                      .name = "web",
                                      .concurrency = 100000,
                                      .service_time = lz_dist_constant(LZ_S),
                                  },
                                  &s.service, &err));
    assert_true(
        lz_database_create(s.w, &(struct lz_database_opts){.name = "db"}, &s.database, &err));
    return s;
}

static void send(struct stage *s, lz_component_id to, const char *op, double rate)
{
    struct lz_err err;
    lz_component_id users;
    const struct lz_traffic_opts opts = {
        .name = "users", .to = to, .rate.mean = rate, .constant = true, .edge.op = op};
    assert_true(lz_traffic_create(s->w, &opts, &users, &err));
}

static void a_request_in_flight_takes_at_most_400_bytes(void **state)
{
    (void)state;
    struct stage s = make();
    send(&s, s.service, NULL, 20000);
    lz_world_run_until(s.w, 3 * LZ_S);
    struct lz_memory m = lz_memory_of_world(s.w);
    assert_in_range(m.in_flight_max, 20000, 21000); // a second's worth, and the way
    assert_int_equal(m.in_flight_max, lz_requests_open_max(s.w));
    assert_true(m.request > 300.0); // the tables hold no less
    assert_true(m.request <= 400.0);
    assert_true(m.used <= m.peak);
    lz_arena_destroy(s.arena);
}

static void what_is_in_flight_does_not_grow_with_time(void **state)
{
    (void)state;
    struct stage s = make();
    send(&s, s.service, NULL, 1000);
    lz_world_run_until(s.w, 3 * LZ_S);
    struct lz_memory early = lz_memory_of_world(s.w);
    lz_world_run_until(s.w, END);
    struct lz_memory late = lz_memory_of_world(s.w);
    assert_int_equal(late.in_flight_max, early.in_flight_max);
    assert_int_equal(late.in_flight, early.in_flight);
    lz_arena_destroy(s.arena);
}

static void a_world_at_rest_has_nothing_in_flight(void **state)
{
    (void)state;
    struct stage s = make();
    lz_world_run_until(s.w, 3 * LZ_S);
    struct lz_memory m = lz_memory_of_world(s.w);
    assert_int_equal(m.in_flight_max, 0);
    assert_true(m.request >= 0.0 && m.request <= 0.0);
    assert_true(m.used > 0);
    lz_arena_destroy(s.arena);
}

// Written rows, of 8 bytes as they have no values, and the log are the database's.
static void rows_are_counted_where_they_lie(void **state)
{
    (void)state;
    struct stage s = make();
    send(&s, s.database, "write", 1000);
    lz_world_run_until(s.w, LZ_S);
    size_t web = lz_memory_of_component(s.w, s.service);
    size_t early = lz_memory_of_component(s.w, s.database);
    lz_world_run_until(s.w, 50 * LZ_S);
    size_t late = lz_memory_of_component(s.w, s.database);
    assert_true(late >= early + (size_t)48000 * 8);
    assert_int_equal(lz_memory_of_component(s.w, s.service), web); // nobody called it
    assert_true(late < lz_memory_of_world(s.w).used);
    lz_arena_destroy(s.arena);
}

#define SERVICES 100
#define REPLICAS 1000

static double bytes_of_host(struct lz_world *w, size_t before)
{
    return (double)(lz_memory_of_world(w).used - before) / SERVICES / REPLICAS;
}

// As nodes/1e6 of tests/bench, a tenth of it: what replicas have is made when it is first used.
static void an_idle_host_takes_at_most_300_bytes(void **state)
{
    (void)state;
    struct stage s = make();
    struct lz_err err;
    size_t before = lz_memory_of_world(s.w).used;
    lz_component_id id[SERVICES];
    for (uint32_t i = 0; i < SERVICES; i++) {
        char name[32];
        snprintf(name, sizeof(name), "service-%u", i);
        assert_true(lz_service_create(
            s.w, &(struct lz_service_opts){.name = name, .replicas = REPLICAS}, &id[i], &err));
    }
    lz_world_run_until(s.w, LZ_S);
    assert_true(bytes_of_host(s.w, before) > 100.0); // a process, and its place in its service
    assert_true(bytes_of_host(s.w, before) <= 300.0);
    // One that is used has what the others have not: the bound would notice it.
    for (uint32_t i = 0; i < SERVICES; i++)
        for (uint32_t r = 0; r < REPLICAS; r++)
            assert_non_null(
                lz_capacity_get(s.w, lz_world_component(s.w, id[i])->instances_first + r));
    assert_true(bytes_of_host(s.w, before) > 300.0);
    lz_arena_destroy(s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_in_flight_takes_at_most_400_bytes),
        cmocka_unit_test(what_is_in_flight_does_not_grow_with_time),
        cmocka_unit_test(a_world_at_rest_has_nothing_in_flight),
        cmocka_unit_test(an_idle_host_takes_at_most_300_bytes),
        cmocka_unit_test(rows_are_counted_where_they_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
