/*
 * When requests of an open loop come: each gap is one exponential draw by the key of the run at the
 * arrival before it, though it was found earlier still.
 *
 * Method: all arrivals of a world are watched, and held against gaps drawn one by one. The rows
 * change the run's key between two arrivals, after the second of which was looked ahead at.
 */
#include "model/traffic/traffic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "model/service/service.h"

#define RUN_KEY 11
#define RATE 100.0
#define END (20 * LZ_S)
#define SEEN_MAX 4000

struct row {
    const char *name;
    uint32_t batch;
    lz_time future_at; // 0: the key stays as it is
};

static const struct row rows[] = {
    {.name = "one by one"},
    {.name = "by threes", .batch = 3},
    {.name = "with another key from an instant on", .future_at = 7 * LZ_S + LZ_MS / 3},
    {.name = "with another key from the beginning on", .future_at = 1},
    {.name = "by threes, with another key", .batch = 3, .future_at = 11 * LZ_S + 1},
};

struct seen {
    struct lz_world *w;
    uint64_t path; // of the traffic
    lz_time at[SEEN_MAX];
    size_t count;
};

static void on_event(void *ctx, const struct lz_event *e)
{
    struct seen *seen = ctx;
    if (strcmp(lz_sim_kind_name(seen->w->sim, e->kind), "arrival") != 0)
        return;
    assert_true(seen->count < SEEN_MAX);
    seen->at[seen->count++] = e->at;
}

static void run(const struct row *row, struct seen *seen)
{
    struct lz_err err;
    struct lz_arena *arena;
    lz_component_id app, users;
    *seen = (struct seen){0};
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &arena, &err));
    struct lz_world *w = lz_world_create(
        &(struct lz_world_opts){.arena = arena, .seed = 1, .run_key = RUN_KEY, .end = END});
    assert_true(lz_service_create(w, &(struct lz_service_opts){.name = "app"}, &app, &err));
    const struct lz_traffic_opts opts = {
        .name = "users", .to = app, .rate.mean = RATE, .batch = row->batch};
    assert_true(lz_traffic_create(w, &opts, &users, &err));
    seen->w = w;
    seen->path = lz_world_component(w, users)->path;
    if (row->future_at > 0)
        lz_sim_set_future(w->sim, row->future_at, 99);
    lz_sim_watch(w->sim, on_event, seen);
    lz_world_run(w);
    lz_arena_destroy(arena);
}

// The instants from which on they differ: SIZE_MAX if all are as gaps drawn with these keys.
static size_t first_other(const struct row *row, const struct seen *seen)
{
    double batch = row->batch > 0 ? (double)row->batch : 1.0;
    lz_time at = 0;
    for (size_t i = 0; i < seen->count; i++) {
        bool is_later = row->future_at > 0 && at >= row->future_at;
        uint64_t key = is_later ? lz_hash_mix(RUN_KEY, 99) : RUN_KEY;
        struct lz_draw draw = lz_draw_begin(key, seen->path, LZ_PURPOSE_ARRIVAL, i + 1);
        at += (lz_time)(lz_draw_exponential(&draw) * batch / RATE * 1e9 + 0.5);
        if (seen->at[i] != at)
            return i;
    }
    return SIZE_MAX;
}

static void gaps_are_drawn_by_the_key_of_the_arrival_before(void **state)
{
    (void)state;
    struct seen seen;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run(&rows[i], &seen);
        assert_true(seen.count > (rows[i].batch > 0 ? 500 : 1800));
        if (first_other(&rows[i], &seen) != SIZE_MAX)
            fail_msg("%s: arrival %zu comes at another time", rows[i].name,
                     first_other(&rows[i], &seen));
    }
}

// The comparison would notice: a key that stays is not one that changes.
static void another_key_is_seen_from_its_instant_on(void **state)
{
    (void)state;
    struct seen seen;
    run(&rows[2], &seen);
    size_t other = first_other(&rows[0], &seen);
    assert_true(other != SIZE_MAX && other > 0);
    assert_true(seen.at[other - 1] >= rows[2].future_at);
    assert_true(seen.at[other - 2] < rows[2].future_at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaps_are_drawn_by_the_key_of_the_arrival_before),
        cmocka_unit_test(another_key_is_seen_from_its_instant_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
