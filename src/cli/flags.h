/*
 * flags.h — the values of options that commands share, and how each is read.
 *
 * A command's table names the readers it wants; all of them fill the same struct.
 * LORENZ_SEED and LORENZ_JOBS stand for --seed and -j where those are not given.
 */
#ifndef LZ_CLI_FLAGS_H
#define LZ_CLI_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/opts.h"
#include "cli/term.h"
#include "explore/select.h"
#include "explore/token.h"
#include "explore/twin.h"
#include "report/report.h"

#define LZ_FLAGS_OUTPUTS_MAX 16

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
    enum lz_flags_keep keep;
    bool report_only;
    size_t fail_max;
};

void lz_flags_init(struct lz_flags *flags);
void lz_flags_finish(struct lz_flags *flags);

/* After parsing: what the environment says about options that were not given. */
bool lz_flags_complete(struct lz_flags *flags, struct lz_err *err) LZ_MUST_CHECK;

/* Readers, for the tables; `into` is a struct lz_flags. */
bool lz_flags_seed(void *into, const char *value, struct lz_err *err);
bool lz_flags_set(void *into, const char *value, struct lz_err *err);
bool lz_flags_case(void *into, const char *value, struct lz_err *err);
bool lz_flags_output(void *into, const char *value, struct lz_err *err);
bool lz_flags_color(void *into, const char *value, struct lz_err *err);
bool lz_flags_ascii(void *into, const char *value, struct lz_err *err);
bool lz_flags_width(void *into, const char *value, struct lz_err *err);
bool lz_flags_quiet(void *into, const char *value, struct lz_err *err);
bool lz_flags_verbose(void *into, const char *value, struct lz_err *err);
bool lz_flags_jobs(void *into, const char *value, struct lz_err *err);
bool lz_flags_timeout(void *into, const char *value, struct lz_err *err);
bool lz_flags_events(void *into, const char *value, struct lz_err *err);
bool lz_flags_keep(void *into, const char *value, struct lz_err *err);
bool lz_flags_report_only(void *into, const char *value, struct lz_err *err);
bool lz_flags_verify(void *into, const char *value, struct lz_err *err);
bool lz_flags_shake(void *into, const char *value, struct lz_err *err);
bool lz_flags_exitfirst(void *into, const char *value, struct lz_err *err);
bool lz_flags_maxfail(void *into, const char *value, struct lz_err *err);

#endif
