/*
 * worker.h — what a child process does with a scenario: list its cases, or run one.
 *
 * A child loads the scenario itself, in a universe of its own, and is gone when its
 * message is written; the parent never holds a universe. The first half of each pair
 * below is called in the child, the second in the parent.
 */
#ifndef LZ_EXPLORE_WORKER_H
#define LZ_EXPLORE_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "explore/select.h"
#include "explore/twin.h"
#include "script/script.h"

/* A scenario's text; all of it outlives the call. */
struct lz_worker_source {
    const char *path; /* as the user gave it */
    const char *text;
    size_t len;
};

struct lz_worker_case {
    struct lz_select_pairs params;
    bool xfail;
};

/* What a file declares, or why it cannot. */
struct lz_worker_listing {
    enum lz_script_trouble trouble;
    char *scenario;    /* its sentence; NULL if it did not load */
    char *diagnostics; /* rendered; NULL if there are none */
    int64_t duration;  /* virtual, of a run */
    uint64_t seeds;    /* that a sweep runs; 0: not said */
    bool is_real;      /* it can only be run live */
    char **tags;
    size_t tag_count;
    uint64_t text_hash;
    struct lz_worker_case *cases;
    size_t case_count;
};

struct lz_worker_list_opts {
    struct lz_worker_source source;
    const struct lz_select_pairs *sets; /* pins */
    bool build;                         /* also build the world of each case, as `check` does */
    bool colour;                        /* of the diagnostics */
};

/* Load a scenario, with what it may `use`, as a run would; for other work in a child, which
   ends here if no universe can be made. The caller looks at its trouble and destroys it. */
struct lz_script *lz_worker_load(const struct lz_worker_source *source,
                                 const struct lz_select_pairs *pins);

void lz_worker_list(const struct lz_worker_list_opts *opts, struct lz_str *message);
bool lz_worker_listing_read(const struct lz_str *message, struct lz_worker_listing *out)
    LZ_MUST_CHECK; /* false: not such a message */
void lz_worker_listing_free(struct lz_worker_listing *listing);

struct lz_worker_run_opts {
    struct lz_worker_source source;
    const struct lz_select_pairs *params; /* of the case: everything pinned */
    bool xfail;
    uint64_t ordinal;    /* of the case in its scenario */
    const char *version; /* of lorenz, for the record */
    uint64_t seed;
    uint64_t events_max;    /* 0 means unlimited */
    const uint32_t *traces; /* failed requests that are kept; NULL: as many as usual */
    enum lz_twin_kind twin;
    const struct lz_worker_source *other; /* what the twin runs instead; its params */
    const struct lz_select_pairs *other_params;
    double swarm;               /* share of the planned faults that the seed leaves out; 0: none */
    size_t without;             /* the one of them that is left out, from 1; 0: none */
    struct lz_order_opts order; /* in which messages arrive */
    /* From this instant on another future: all chance is drawn anew; 0: none. */
    uint64_t future;
    int64_t future_at;
    /* Told before a world is built: twice, if the run is done again. NULL: nobody is. */
    void (*prepare)(void *ctx);
    /* Told of the world before it runs; NULL: nobody is. Both with `watch_ctx`. */
    void (*watch)(void *ctx, struct lz_sim *sim, const struct lz_world *world);
    void *watch_ctx;
    bool is_measured; /* a brief with all metrics */
    bool is_brief;    /* leave a brief (brief.h), not a record; never with a twin */
    /* What is known already, for a run that cannot take place. */
    const char *scenario; /* its sentence, if it loaded once */
    const char *error;
    const char *stop; /* as in lz_record_meta */
};

/* The record of one run. */
struct lz_worker_record {
    unsigned char *image; /* malloc's */
    size_t size;
    bool stopped;        /* a budget was used up */
    bool compared;       /* with its twin, whatever came of it */
    struct lz_str brief; /* the child's own, in place of the record */
};

void lz_worker_run(const struct lz_worker_run_opts *opts, struct lz_str *message);
bool lz_worker_record_read(const struct lz_str *message,
                           struct lz_worker_record *out) LZ_MUST_CHECK;

/* The record of a run that did not take place: `error` or `stop` says why. */
bool lz_worker_record_absent(const struct lz_worker_run_opts *opts, struct lz_worker_record *out,
                             struct lz_err *err) LZ_MUST_CHECK;

#endif
