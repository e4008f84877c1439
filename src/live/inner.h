/*
 * inner.h — a live run as its own files see it: live.c (what is shared), runner.c (its course).
 */
#ifndef LZ_LIVE_INNER_H
#define LZ_LIVE_INNER_H

#include "live/acts.h"
#include "live/hands.h"
#include "live/live.h"
#include "live/load/load.h"
#include "live/loop.h"
#include "live/net/cable.h"
#include "live/net/shaper.h"
#include "live/net/spaces.h"
#include "live/prepare.h"
#include "live/probe/asker.h"
#include "live/probe/prom.h"
#include "live/program.h"
#include "live/proxy/proxy.h"
#include "live/roles.h"
#include "live/runner.h"
#include "live/watchdog.h"

enum lz_live_phase {
    LZ_LIVE_LOADING,
    LZ_LIVE_STARTING,
    LZ_LIVE_RUNNING,
    LZ_LIVE_ENDING,
};

/* A `probe "name"` that is asked. */
struct lz_live_asked {
    struct lz_live *live;
    struct lz_live_probe probe; /* filled in */
    struct lz_asker *asker;
    lz_metric value; /* 0: it has none */
    bool was_ok;
    uint32_t alike; /* answers in a row like the latest */
};

struct lz_live {
    const struct lz_runner_opts *opts;
    enum lz_live_phase phase;
    struct lz_script *script;
    struct lz_script_world built;
    const struct lz_live_plan *plan;
    struct lz_hands *hands;
    struct lz_loop *loop;
    struct lz_site *site;
    struct lz_undo *undo;
    struct lz_acts *acts;
    struct lz_watchdog watchdog;
    struct lz_spaces *spaces; /* NULL: the machine's own network */
    struct lz_shaper *shaper; /* NULL likewise */
    struct lz_cable *cable;   /* NULL likewise, or packets cannot be handed over: */
    char cable_lacks[200];
    struct lz_proxy *proxy;
    struct lz_programs *programs;
    struct lz_load *load;
    struct lz_prepared texts; /* of probes */
    struct lz_live_asked *asked;
    size_t asked_count;
    struct lz_prom **proms;
    size_t prom_count;
    struct lz_roles *roles;
    struct lz_loop_timer tick;
    int64_t begun_ns; /* what time 0 is, by the loop's clock */
    lz_time judged;   /* the last whole second that aborts were looked at */
    bool is_advancing;
    int signal, signals; /* the first, and how many */
    bool has_failed;     /* `said` is why */
    struct lz_str said;
    const char *aborted; /* the matcher that ended it; NULL: none did */
};

/* live.c: an edge's proxy saw something. */
void lz_live_on_seen(void *ctx, const struct lz_proxy_seen *seen);

/* live.c: probes and queries begin, and end. */
bool lz_live_start_probes(struct lz_live *live, struct lz_err *err) LZ_MUST_CHECK;
void lz_live_stop_probes(struct lz_live *live);

/* dry.c: every action of the run, in order. */
void lz_live_describe(struct lz_live *live, struct lz_str *out);

#endif
