/*
 * Who is at an instance when its process dies: the oldest first, and at a cost that does not depend
 * on what is elsewhere.
 *
 * Method: of a world whose requests wait, and one of whose processes is killed again and again, the
 * oldest at each instance is held against a look at every task there is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/node/instance.h"
#include "model/service/service.h"
#include "model/service/task_state.h"
#include "model/traffic/traffic.h"

#define REPLICAS 3
#define STEP (100 * LZ_MS)

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    lz_instance_id first;
};

static struct stage make(void)
{
    struct stage s = {0};
    struct lz_err err;
    lz_component_id slow, users;
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s.arena, &err));
    s.w = lz_world_create(
        &(struct lz_world_opts){.arena = s.arena, .seed = 1, .run_key = 1, .end = 60 * LZ_S});
    const struct lz_service_opts opts = {
        .name = "slow",
        .replicas = REPLICAS,
        .concurrency = 2,
        .queue.max = 50,
        .service_time = {.kind = LZ_DIST_EXPONENTIAL, .a = 50.0 * LZ_MS}};
    assert_true(lz_service_create(s.w, &opts, &slow, &err));
    assert_true(lz_traffic_create(
        s.w, &(struct lz_traffic_opts){.name = "users", .to = slow, .rate.mean = 130.0}, &users,
        &err));
    s.first = lz_world_component(s.w, slow)->instances_first;
    return s;
}

static uint32_t oldest_of_all(const struct lz_world *w, lz_instance_id at)
{
    uint64_t joined = UINT64_MAX;
    uint32_t found = 0;
    for (uint32_t i = 1; i < w->tasks->face.hops.pool.used; i++) {
        const struct lz_task *t = lz_task_at(w, i);
        if (lz_hop_is_live(t) && lz_task_is_linked(t) && t->server == at && t->joined < joined) {
            joined = t->joined;
            found = i;
        }
    }
    return found;
}

static void the_oldest_is_told_whoever_came_and_left(void **state)
{
    (void)state;
    struct stage s = make();
    uint32_t waited = 0, empty = 0;
    for (uint32_t step = 1; step < 500; step++) {
        assert_int_equal(lz_world_run_until(s.w, step * STEP), LZ_SIM_ENDED);
        assert_true(LZ_IMPLIES(step < 40, s.w->tasks->rows == NULL)); // nobody has asked
        if (step < 40)
            continue;
        for (lz_instance_id i = s.first; i < s.first + REPLICAS; i++) {
            uint32_t oldest = oldest_of_all(s.w, i);
            assert_int_equal(lz_task_first_at(s.w, i), oldest);
            waited += lz_task_count_at(s.w, i) > 2;
            empty += oldest == 0;
        }
        if (step % 20 == 0)
            lz_instance_kill(s.w, s.first);
        if (step % 20 == 5)
            lz_instance_restart(s.w, s.first);
    }
    assert_true(waited > 100 && empty > 50);
    lz_arena_destroy(s.arena);
}

// What has come and gone does not stay: thousands pass, and some fifty are there at once.
static void rows_are_as_long_as_who_is_there(void **state)
{
    (void)state;
    struct stage s = make();
    assert_int_equal(lz_world_run_until(s.w, LZ_S), LZ_SIM_ENDED);
    lz_instance_kill(s.w, s.first);
    assert_int_equal(lz_world_run_until(s.w, 50 * LZ_S), LZ_SIM_ENDED);
    assert_non_null(s.w->tasks->rows);
    assert_true(s.w->tasks->joined > 3000);
    for (lz_instance_id i = s.first; i < s.first + REPLICAS; i++)
        assert_true(s.w->tasks->rows[i].cap <= 256);
    lz_arena_destroy(s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_is_told_whoever_came_and_left),
        cmocka_unit_test(rows_are_as_long_as_who_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
