/* promql_stage.h — an arena and a scratch in it, for all tests of a file. */
#ifndef LZ_TESTS_PROMQL_STAGE_H
#define LZ_TESTS_PROMQL_STAGE_H

#include "promql/scratch.h"

extern struct promql_stage {
    struct lz_arena *arena;
    struct lz_promql_scratch scratch;
} promql_stage;

/* Before and after a group of tests. */
int promql_stage_begin(void **state);
int promql_stage_end(void **state);

#endif
