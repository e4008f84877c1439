/*
 * live.h — the runner against real programs: one scenario, in real time.
 *
 * The scenario is loaded and checked as always, and the same world is built: names, components,
 * metrics, faults, checks. But no request of the model travels in it. Its virtual time is the time
 * that has passed since the programs were ready, moved on by the event loop; what was observed of
 * real requests and probes is put into the same measures, windows close each second, and monitors
 * judge as they do in a simulation. When a fault of the plan fires, an action (action.h) does it.
 *
 *   load ─▶ check (safety.h) ─▶ start (program.h) ─▶ all ready ─▶ run ─▶ undo ─▶ stop ─▶ record
 *
 * Nothing here is deterministic, and the record says so: no trace hash, no token. What chance
 * decides for Lorenz itself (arrival times, which messages a fault hits) is drawn by key and
 * repeats with the seed.
 *
 * Everything runs on one loop (loop.h), one thing at a time: what waits for the disk does so in a
 * thread beside it (acts.h). Whatever feeds a measure calls lz_live_now
 * first, so that what it observed falls into the right window.
 */
#ifndef LZ_LIVE_LIVE_H
#define LZ_LIVE_LIVE_H

#include "live/action.h"
#include "live/site.h"
#include "live/undo.h"

struct lz_acts;
struct lz_live;
struct lz_cable;
struct lz_loop;
struct lz_proxy;
struct lz_shaper;

/* What the parts of a run share. */
struct lz_loop *lz_live_loop(struct lz_live *live);
struct lz_world *lz_live_world(struct lz_live *live);
const struct lz_live_plan *lz_live_plan_of(const struct lz_live *live);
struct lz_site *lz_live_site(struct lz_live *live);
struct lz_undo *lz_live_undo(struct lz_live *live);
struct lz_acts *lz_live_acts(struct lz_live *live);
struct lz_proxy *lz_live_proxy(struct lz_live *live);
/* In namespaces; the cable is NULL where packets cannot be handed over, and the run says why. */
struct lz_cable *lz_live_cable(struct lz_live *live);
struct lz_shaper *lz_live_shaper(struct lz_live *live);
const char *lz_live_cable_lacks(const struct lz_live *live);
int lz_live_space(struct lz_live *live, uint32_t node); /* for net_fd; 0: it is where we are */
const char *lz_live_run_name(const struct lz_live *live);

/* Move the world to the present and give its time; fixed before the start and after the end. */
lz_time lz_live_now(struct lz_live *live);

/* A request was observed: by a proxy in front of `component`, from its arrival to its answer. */
enum lz_live_outcome {
    LZ_LIVE_OK,
    LZ_LIVE_FAILED,  /* an answer that says so: status 500 and up */
    LZ_LIVE_REFUSED, /* no connection could be made */
    LZ_LIVE_RESET,   /* the connection ended before the answer was complete */
};
void lz_live_arrived(struct lz_live *live, lz_component_id component);
void lz_live_answered(struct lz_live *live, lz_component_id component, enum lz_live_outcome outcome,
                      lz_time latency);

/* A probe was answered, or a query; the value is absent without `has_value`. */
struct lz_live_reading {
    bool is_ok;
    bool has_value;
    double value;
    lz_time latency;
    const char *text; /* of a good answer, all that was kept; NULL: a connection says nothing */
    size_t size;
};
void lz_live_probed(struct lz_live *live, lz_component_id probe, const struct lz_live_reading *r);
void lz_live_queried(struct lz_live *live, lz_metric metric, bool has_value, double value);

/* A line in the run's journal, as `log` writes it. */
void lz_live_note(struct lz_live *live, const char *fmt, ...) LZ_PRINTF(2, 3);

/* Nothing failed, but what was measured says nothing (the load could not be sent in time, an
   action was not observed): the run is inconclusive for this reason. The first counts. */
void lz_live_doubt(struct lz_live *live, const char *fmt, ...) LZ_PRINTF(2, 3);

/* All programs and endpoints are ready: the run begins. */
void lz_live_ready(struct lz_live *live);

/* The run cannot go on: everything is undone and stopped, and this is said. */
void lz_live_fail(struct lz_live *live, const char *fmt, ...) LZ_PRINTF(2, 3);

#endif
