/*
 * minimise.h — shrink one failing run, write the scenario that is left, and tell about it.
 *
 * The scenario goes to min/NAME-SEED.lua beside the one it is made from (or, if it uses files that
 * it could not reach from there, to NAME-SEED.min.lua); it is run once more where it lies before it
 * is told about.
 */
#ifndef LZ_CLI_MINIMISE_H
#define LZ_CLI_MINIMISE_H

#include "cli/flags.h"
#include "cli/out.h"
#include "explore/manner.h"
#include "explore/shrink.h"

struct lz_minimise_opts {
    const struct lz_flags *flags;
    const struct lz_report_style *style;
    struct lz_worker_source source;
    const struct lz_select_pairs *params;
    uint64_t seed;
    struct lz_manner manner;
    const char *name;   /* the expectation; NULL: the first that fails */
    const char *output; /* where to; NULL: as above; "-": only into `text` */
    size_t runs_max;    /* 0: as many as by default */
};

enum lz_minimise_end {
    LZ_MINIMISE_DONE = 1,
    LZ_MINIMISE_PASSES, /* the run does not fail: nothing was done, and `text` says so */
    LZ_MINIMISE_FAILED, /* no child, or what is left does not fail where it lies: said on stderr */
    LZ_MINIMISE_UNWRITTEN,
    LZ_MINIMISE_STOPPED, /* by a signal; what is left by then was written */
};

enum lz_minimise_end lz_minimise_run(const struct lz_minimise_opts *opts, struct lz_str *text,
                                     int *signal);

#endif
