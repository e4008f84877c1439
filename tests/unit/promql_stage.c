#include "promql_stage.h"

#include "base/check.h"

struct promql_stage promql_stage;

int promql_stage_begin(void **state)
{
    struct lz_err err;
    (void)state;
    bool ok = lz_arena_create(&(struct lz_arena_opts){0}, &promql_stage.arena, &err);
    LZ_ASSERT(ok);
    lz_promql_scratch_init(&promql_stage.scratch, promql_stage.arena);
    return 0;
}

int promql_stage_end(void **state)
{
    (void)state;
    lz_promql_scratch_finish(&promql_stage.scratch);
    lz_arena_destroy(promql_stage.arena);
    return 0;
}
