/*
 * plan.h — what a loaded scenario would do, as text or as a graph; nothing is run for it.
 *
 * A pure function of the plan that validation made: equal scenarios give equal bytes.
 */
#ifndef LZ_SCRIPT_PLAN_H
#define LZ_SCRIPT_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "script/script.h"

struct lz_plan_opts {
    const char *format; /* "text", "mermaid" or "dot" */
    int width;          /* columns of the text */
    uint64_t seed;      /* what the text names as given; a run would use it */
    int64_t timeout_ns;
    uint64_t events_max; /* 0: any number */
};

bool lz_plan_is_format(const char *name);

/* Append the plan. After a load without trouble. */
void lz_plan_write(struct lz_script *s, const struct lz_plan_opts *opts, struct lz_str *out);

#endif
