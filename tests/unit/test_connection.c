/*
 * What a caller's pool counts while the database behind it has no connection left.
 *
 * Method: users in a closed loop, so many at once, before a database with one connection whose
 * first query takes longer than the run; it has all others wait. What the pool says of itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/client/edge.h"
#include "model/data/database.h"
#include "model/net/connection_state.h"
#include "model/traffic/traffic.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define USERS 10

struct row {
    double fresh;
    uint32_t max;
    uint32_t asking, in_line;
};

static const struct row rows[] = {
    {.max = 4, .asking = 3, .in_line = 6},               // one of its four has got through
    {.max = 20, .asking = 9, .in_line = 0},              // room for all
    {.fresh = 1.0, .max = 4, .asking = 0, .in_line = 0}, // beside the pool, while they wait, too
    {.fresh = 1.0, .max = 1, .asking = 0, .in_line = 0}, // however small it is
};

static uint32_t in_line(const struct lz_world *w, const struct lz_pool_client *pc)
{
    uint32_t n = 0;
    for (uint32_t at = pc->wait_first; at != 0; n++)
        at = ((const struct lz_connection_waiter *)lz_pool_at(&w->connections->waiters, at))->next;
    return n;
}

static void who_is_new_takes_no_room_of_a_pool_while_it_waits(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_arena *arena;
        struct lz_err err;
        lz_component_id db = 0, users = 0;
        assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &arena, &err));
        struct lz_world *w = lz_world_create(
            &(struct lz_world_opts){.arena = arena, .seed = 1, .run_key = 11, .end = 100 * LZ_S});
        const struct lz_database_opts o = {
            .name = "db", .max_connections = 1, .query_time = lz_dist_constant(1000 * LZ_S)};
        assert_true(lz_database_create(w, &o, &db, &err));
        const struct lz_traffic_opts traffic = {
            .name = "users",
            .to = db,
            .users = USERS,
            .edge = {.op = "select",
                     .timeout = 500 * LZ_S,
                     .fresh = rows[i].fresh,
                     .pool = {.is_on = true, .is_cold = true, .max = rows[i].max}}};
        assert_true(lz_traffic_create(w, &traffic, &users, &err));
        assert_int_equal(lz_world_run_until(w, 20 * LZ_S), LZ_SIM_ENDED);
        const struct lz_edge *e = lz_edge_get(w, 1);
        const struct lz_pool_client *pc = lz_connection_client(e, e->client_first);
        assert_int_equal(pc->asking, rows[i].asking);
        assert_int_equal(in_line(w, pc), rows[i].in_line);
        lz_arena_destroy(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_new_takes_no_room_of_a_pool_while_it_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
