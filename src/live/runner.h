/*
 * runner.h — one live run from its text to its record, see live.h.
 *
 * Whatever happens, what was started is stopped and what was done is undone before this returns;
 * when it does not return, the watchdog does that.
 */
#ifndef LZ_LIVE_RUNNER_H
#define LZ_LIVE_RUNNER_H

#include "base/str.h"
#include "script/script.h"

struct lz_runner_opts {
    struct lz_script_opts script;       /* what is loaded; its hands are the run's own */
    const struct lz_script_set *params; /* of the case, for the record */
    size_t param_count;
    const char *version;
    uint64_t seed;
    const char *name;            /* of the run: letters, digits, - and _ */
    const char *folder;          /* of the run, absolute; made */
    const char *scenario_folder; /* absolute */
    const char *const *hosts;    /* that may be reached besides the loopback's */
    size_t host_count;
    bool xfail;    /* the scenario declares that this case fails */
    bool may_run;  /* programs may be started (--allow-run) */
    bool is_dry;   /* say what would be done, and do nothing */
    bool is_quiet; /* say nothing of how it goes */
};

/* How it ended: what is worst counts. */
enum lz_runner_end {
    LZ_RUNNER_JUDGED,  /* a record was made, by whoever ended it */
    LZ_RUNNER_WRONG,   /* the scenario is wrong: `said` has the diagnostics */
    LZ_RUNNER_UNREADY, /* the real system could not be made, or broke before the run */
    LZ_RUNNER_REFUSED, /* something was not allowed; nothing was started */
    LZ_RUNNER_UNSAFE,  /* the undo log cannot be written: nothing more was done */
};

struct lz_runner_result {
    enum lz_runner_end end;
    int signal;           /* that ended it; 0: none */
    bool is_clean;        /* everything was undone and stopped */
    struct lz_str said;   /* why not JUDGED; or the actions of a dry run */
    unsigned char *image; /* JUDGED and not dry: the record, malloc's */
    size_t size;
};

/* All of a run. False: it could not even be begun. */
bool lz_runner_run(const struct lz_runner_opts *opts, struct lz_runner_result *out,
                   struct lz_err *err) LZ_MUST_CHECK;
void lz_runner_result_free(struct lz_runner_result *result);

#endif
