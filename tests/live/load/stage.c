#include "stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/world.h"

struct lz_live *stage_make(lz_time end)
{
    struct lz_live *live = calloc(1, sizeof(*live));
    struct lz_err err;
    assert_non_null(live);
    assert_true(lz_loop_create(&live->loop, &err));
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &live->arena, &err));
    live->world = lz_world_create(
        &(struct lz_world_opts){.arena = live->arena, .seed = 1, .run_key = 1, .end = end});
    return live;
}

void stage_begin(struct lz_live *live)
{
    live->began_ns = lz_loop_clock();
}

void stage_free(struct lz_live *live)
{
    lz_loop_destroy(live->loop);
    lz_arena_destroy(live->arena);
    free(live);
}

void stage_wait(struct lz_live *live, const int *flag, int wanted)
{
    int64_t until = lz_loop_clock() + INT64_C(60000000000);
    while (*flag < wanted && lz_loop_clock() < until)
        lz_loop_turn(live->loop, until);
    assert_true(*flag >= wanted);
}

void stage_run_for(struct lz_live *live, int64_t ns)
{
    int64_t until = lz_loop_clock() + ns;
    while (lz_loop_clock() < until) {
        lz_live_now(live);
        int64_t soon = lz_loop_clock() + 1000000;
        lz_loop_turn(live->loop, soon < until ? soon : until);
    }
}

int lz_live_space(struct lz_live *live, uint32_t node)
{
    (void)live;
    (void)node;
    return 0;
}

struct lz_loop *lz_live_loop(struct lz_live *live)
{
    return live->loop;
}

struct lz_world *lz_live_world(struct lz_live *live)
{
    return live->world;
}

const char *lz_live_run_name(const struct lz_live *live)
{
    return live->began_ns >= 0 ? "stage" : NULL;
}

lz_time lz_live_now(struct lz_live *live)
{
    if (live->began_ns == 0)
        return 0;
    lz_time now = lz_loop_clock() - live->began_ns;
    if (now < live->world->end)
        lz_world_run_until(live->world, now);
    return lz_sim_now(live->world->sim);
}

static void say(struct lz_live *live, const char *before, const char *fmt, va_list ap)
{
    size_t used = strlen(live->said), room = sizeof(live->said) - used;
    used += (size_t)snprintf(live->said + used, room, "%s", before);
    vsnprintf(live->said + used, sizeof(live->said) - used, fmt, ap);
    strncat(live->said, "\n", sizeof(live->said) - strlen(live->said) - 1);
}

void lz_live_note(struct lz_live *live, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(live, "", fmt, ap);
    va_end(ap);
}

void lz_live_doubt(struct lz_live *live, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(live, "doubt: ", fmt, ap);
    va_end(ap);
}

void lz_live_fail(struct lz_live *live, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(live, "failed: ", fmt, ap);
    va_end(ap);
}

void lz_live_queried(struct lz_live *live, lz_metric metric, bool has_value, double value)
{
    (void)metric;
    live->queried += has_value;
    live->unanswered += !has_value;
    if (has_value)
        live->value = value;
}
