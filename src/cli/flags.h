/*
 * flags.h — options that commands share: their rows, their values, and how all are read.
 *
 * A command's table is made of the groups below and of rows of its own; all readers fill the
 * same struct, which a command with more options has as its first member. An option that is
 * not on the command line has its value from the environment (LORENZ_SEED, LORENZ_JOBS,
 * LORENZ_PROFILE, LORENZ_CONFIG) or from a configuration (conf.h).
 */
#ifndef LZ_CLI_FLAGS_H
#define LZ_CLI_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/cmd.h"
#include "cli/conf.h"
#include "cli/opts.h"
#include "cli/progress.h"
#include "cli/term.h"
#include "explore/select.h"
#include "explore/subset.h"
#include "explore/token.h"
#include "explore/twin.h"
#include "report/report.h"

#define LZ_FLAGS_OUTPUTS_MAX 16
#define LZ_FLAGS_PATH_MAX 4096

enum lz_flags_keep { LZ_FLAGS_KEEP_ALL, LZ_FLAGS_KEEP_FAILED, LZ_FLAGS_KEEP_NONE };

/* -o FORMAT=FILE */
struct lz_flags_output {
    const struct lz_report_format *format;
    const char *path; /* "-": standard output, instead of the text */
};

struct lz_flags {
    uint64_t seed;
    bool seed_given;
    bool has_token; /* --seed was one */
    struct lz_token token;
    enum lz_twin_kind twin;
    struct lz_select_pairs sets;
    struct lz_select_pairs cases;
    struct lz_flags_output outputs[LZ_FLAGS_OUTPUTS_MAX];
    size_t output_count;
    struct lz_term_opts term;
    bool quiet;
    int verbose;
    unsigned jobs; /* 0: not given */
    int64_t timeout_ns;
    uint64_t events_max;
    bool traces_given;
    uint32_t traces;
    enum lz_flags_keep keep;
    bool report_only;
    size_t fail_max;
    struct lz_subset subset;
    bool watch;
    bool opens; /* the page of what failed */
    enum lz_progress_how progress;
    char *
        first_failed; /* LZ_FLAGS_PATH_MAX bytes for the first failed run's file; NULL: not asked */
    bool no_saved;    /* seeds that failed once are not run first */
    unsigned jobs_default;        /* of the configuration; 0: none */
    bool is_live;                 /* the command runs, or lists, what is real too */
    bool swarm;                   /* each seed leaves out some faults */
    struct lz_order_opts order;   /* in which messages arrive */
    const char *notify;           /* a URL; NULL: nobody */
    int64_t epoch_s;              /* what virtual time 0 is; 0: not given */
    const char *profile, *config; /* NULL: not given */
    struct lz_conf conf;          /* what values point into */
};

/* Which scenarios and cases. */
#define LZ_FLAGS_SELECT                                                                            \
    {"keyword", 'k', "EXPR", "by name: and, or, not over parts of paths, sentences, cases",        \
     lz_flags_keyword},                                                                            \
        {"tag", 't', "EXPR", "by tag, likewise; given again, either will do", lz_flags_tag},       \
        {"set", 0, "NAME=VALUE", "pin a param; may be repeated", lz_flags_set},                    \
        {"case", 0, "NAME=VALUE,...", "only cases with these values", lz_flags_case},              \
        {"lf", 0, NULL, "only what failed last time", lz_flags_lf},                                \
        {"ff", 0, NULL, "what failed last time first", lz_flags_ff},                               \
    {                                                                                              \
        "shard", 0, "I/N", "the I-th of N equal parts; `lorenz report` merges them",               \
            lz_flags_shard                                                                         \
    }

/* When to stop. */
#define LZ_FLAGS_STOP                                                                              \
    {"exitfirst", 'x', NULL, "stop after the first failure", lz_flags_exitfirst},                  \
        {"maxfail", 0, "N", "stop after N failures, in order", lz_flags_maxfail},                  \
    {                                                                                              \
        "timeout", 0, "DURATION", "wall-clock limit of each run or file (default 300s)",           \
            lz_flags_timeout                                                                       \
    }

/* What a run may take, and what is kept of it. */
#define LZ_FLAGS_RUNS                                                                              \
    {"max-events", 0, "N", "event budget of each run", lz_flags_events},                           \
        {"traces", 0, "N", "failing requests whose ways are kept (default 20)", lz_flags_traces},  \
        {"no-regressions", 0, NULL, "do not run saved seeds first", lz_flags_no_regressions},      \
        {"swarm", 0, NULL, "each seed leaves out half of the faults, by chance", lz_flags_swarm},  \
        {"order", 0, "ORDER", "in which messages arrive: fifo, random or pct:DEPTH, then @WINDOW", \
         lz_flags_order},                                                                          \
        {"keep", 0, "WHICH", "run files to keep: all, failed or none", lz_flags_keep},             \
    {                                                                                              \
        "report-only", 0, NULL, "failed and inconclusive runs do not fail the command",            \
            lz_flags_report_only                                                                   \
    }

/* How the work is done. */
#define LZ_FLAGS_MACHINE_BASE                                                                      \
    {"jobs", 'j', "N|auto", "how many at once; results never depend on it", lz_flags_jobs},        \
        {"profile", 0, "NAME", "the configuration's settings of this name", lz_flags_profile},     \
    {                                                                                              \
        "config", 0, "FILE", "the configuration (default lorenz.conf.lua, here or above)",         \
            lz_flags_config                                                                        \
    }
#define LZ_FLAGS_MACHINE                                                                           \
    LZ_FLAGS_MACHINE_BASE,                                                                         \
    {                                                                                              \
        "watch", 0, NULL, "again whenever a file changes, until interrupted", lz_flags_watch       \
    }

/* How far it is. */
#define LZ_FLAGS_PROGRESS                                                                          \
    {                                                                                              \
        "progress", 0, "HOW", "auto, bar, counter or none", lz_flags_progress                      \
    }

/* How results look. */
#define LZ_FLAGS_SHOW                                                                              \
    {"quiet", 'q', NULL, "less", lz_flags_quiet},                                                  \
        {"verbose", 'v', NULL, "more of everything, and wall times on stderr", lz_flags_verbose},  \
        {"color", 0, "WHEN", "auto, always or never", lz_flags_color},                             \
        {"ascii", 0, NULL, "nothing but 7-bit characters", lz_flags_ascii},                        \
    {                                                                                              \
        "width", 0, "N", "columns of the output", lz_flags_width                                   \
    }

/* Where the page goes that is written with the others; NULL: none is, or to where nobody finds it.
 */
const char *lz_flags_page(const struct lz_flags *flags);

/*
 * A command's beginning: configuration, environment and command line into `into`, whose first
 * member is a struct lz_flags that lz_flags_init has seen. False: there is nothing to do, and
 * `status` is how to leave. `rest` is freed by the caller either way.
 */
struct lz_flags_line {
    const struct lz_cmd *cmd;
    int argc;
    char **argv;
};
bool lz_flags_read(const struct lz_flags_line *line, struct lz_out *out, void *into,
                   struct lz_opts_rest *rest, enum lz_exit *status) LZ_MUST_CHECK;

void lz_flags_init(struct lz_flags *flags);
void lz_flags_finish(struct lz_flags *flags);

/* After parsing: what the environment says about options that were not given. */
bool lz_flags_complete(struct lz_flags *flags, struct lz_err *err) LZ_MUST_CHECK;

/* Write each -o; false if one could not be written, which was said on stderr. */
bool lz_flags_write_outputs(const struct lz_flags *flags, const struct lz_report_options *options,
                            struct lz_report_run *const *runs, size_t count, struct lz_out *out);

/* --seeds: N, which is 1..N, or FIRST..LAST; 0, 0: not given. */
struct lz_flags_seeds {
    uint64_t first, last;
};
bool lz_flags_read_seeds(struct lz_flags_seeds *seeds, const char *value,
                         struct lz_err *err) LZ_MUST_CHECK;

/* Readers, for the tables; `into` is a struct lz_flags. */
bool lz_flags_seed(void *into, const char *value, struct lz_err *err);
bool lz_flags_order(void *into, const char *value, struct lz_err *err);
bool lz_flags_swarm(void *into, const char *value, struct lz_err *err);
bool lz_flags_notify(void *into, const char *value, struct lz_err *err);
bool lz_flags_epoch(void *into, const char *value, struct lz_err *err);
bool lz_flags_keyword(void *into, const char *value, struct lz_err *err);
bool lz_flags_tag(void *into, const char *value, struct lz_err *err);
bool lz_flags_lf(void *into, const char *value, struct lz_err *err);
bool lz_flags_ff(void *into, const char *value, struct lz_err *err);
bool lz_flags_shard(void *into, const char *value, struct lz_err *err);
bool lz_flags_watch(void *into, const char *value, struct lz_err *err);
bool lz_flags_no_regressions(void *into, const char *value, struct lz_err *err);
bool lz_flags_profile(void *into, const char *value, struct lz_err *err);
bool lz_flags_config(void *into, const char *value, struct lz_err *err);
bool lz_flags_set(void *into, const char *value, struct lz_err *err);
bool lz_flags_case(void *into, const char *value, struct lz_err *err);
bool lz_flags_output(void *into, const char *value, struct lz_err *err);
bool lz_flags_open(void *into, const char *value, struct lz_err *err);
bool lz_flags_progress(void *into, const char *value, struct lz_err *err);
bool lz_flags_color(void *into, const char *value, struct lz_err *err);
bool lz_flags_ascii(void *into, const char *value, struct lz_err *err);
bool lz_flags_width(void *into, const char *value, struct lz_err *err);
bool lz_flags_quiet(void *into, const char *value, struct lz_err *err);
bool lz_flags_verbose(void *into, const char *value, struct lz_err *err);
bool lz_flags_jobs(void *into, const char *value, struct lz_err *err);
bool lz_flags_timeout(void *into, const char *value, struct lz_err *err);
bool lz_flags_traces(void *into, const char *value, struct lz_err *err);
bool lz_flags_events(void *into, const char *value, struct lz_err *err);
bool lz_flags_keep(void *into, const char *value, struct lz_err *err);
bool lz_flags_report_only(void *into, const char *value, struct lz_err *err);
bool lz_flags_verify(void *into, const char *value, struct lz_err *err);
bool lz_flags_shake(void *into, const char *value, struct lz_err *err);
bool lz_flags_exitfirst(void *into, const char *value, struct lz_err *err);
bool lz_flags_maxfail(void *into, const char *value, struct lz_err *err);

#endif
