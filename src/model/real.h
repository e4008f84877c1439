/*
 * real.h — components that are observed, never simulated: processes, endpoints, probes, queries.
 *
 * A live run (src/live) judges real programs with the same metrics, faults and expectations. Its
 * world is built like any other, but nothing of the model runs in it: no traffic, no probe of the
 * model, no sampling. Whoever observes something real says so here, and it goes into the measures
 * that a simulation would have fed.
 *
 *   process     a program: up, restarts, and requests if a proxy sees them
 *   endpoint    an address of something that runs elsewhere: up, and requests likewise
 *   probe       something that is asked every while: up, latency, value
 *   prometheus  a server of queries; each query is a metric
 *
 * Absence: a metric that nobody observes has no sample. In a simulation those of these four kinds
 * never have one; in a live run those of the model have none until lz_real_observe.
 */
#ifndef LZ_MODEL_REAL_H
#define LZ_MODEL_REAL_H

#include "model/measure.h"
#include "model/world.h"

/* Make them; a process and an endpoint have one instance in a live run, for faults to hit. */
bool lz_real_create(struct lz_world *w, const char *name, enum lz_component_kind kind,
                    uint32_t line, lz_component_id *id, struct lz_err *err) LZ_MUST_CHECK;
lz_metric lz_real_query(struct lz_world *w, lz_component_id prometheus, const char *name);

/* This world is live: before anything is built. */
void lz_real_live(struct lz_world *w);

/* It begins real.c's own struct; read it by the getters. */
struct lz_reals_face {
    bool is_live;
    uint64_t observations; /* requests, and answers of probes and queries */
    const char *doubt;
};

static inline const struct lz_reals_face *lz_real_face(const struct lz_world *w)
{
    static const struct lz_reals_face none;
    return w->reals != NULL ? (const struct lz_reals_face *)w->reals : &none;
}

static inline bool lz_real_is_live(const struct lz_world *w)
{
    return lz_real_face(w)->is_live;
}

/* Once all is built: nothing is observed yet. */
void lz_real_hide(struct lz_world *w);

/* Whether a metric of that name can be observed of a component of that kind: its requests are. */
bool lz_real_is_measured(const char *metric);

/*
 * From here on somebody observes the requests of this component, whatever its kind: the metrics of
 * struct lz_measure have samples. NULL if it has none of those.
 */
struct lz_measure *lz_real_observe(struct lz_world *w, lz_component_id component);

/* Of a component that is observed; of one without such metrics (a broker) it is only counted that
 * something was seen. `outcome` as in lz_measure_left. */
void lz_real_arrived(struct lz_world *w, lz_component_id component);
void lz_real_answered(struct lz_world *w, lz_component_id component, enum lz_outcome outcome,
                      lz_time latency);
void lz_real_refused(struct lz_world *w, lz_component_id component);

/* A process, an endpoint, or a probe (after as many answers as it asks for). */
void lz_real_up(struct lz_world *w, lz_component_id component, bool is_up);
void lz_real_restarted(struct lz_world *w, lz_component_id component);

/* Who of a component's instances leads, by what it says itself. 0: none was found to. */
void lz_real_leads(struct lz_world *w, lz_component_id component, lz_instance_id instance);
lz_instance_id lz_real_leader(const struct lz_world *w, lz_component_id component);

/* An answer to a probe: good or not, after so long. */
void lz_real_probed(struct lz_world *w, lz_component_id probe, bool is_good, lz_time latency);
void lz_real_value(struct lz_world *w, lz_metric metric, double value);

static inline uint64_t lz_real_observations(const struct lz_world *w)
{
    return lz_real_face(w)->observations;
}

/* Why nothing of this run is to be believed; the first reason stays. NULL: there is none. */
void lz_real_doubt(struct lz_world *w, const char *why);
static inline const char *lz_real_doubted(const struct lz_world *w)
{
    return lz_real_face(w)->doubt;
}

const struct lz_metric_info *lz_real_process_metrics(size_t *count);
const struct lz_metric_info *lz_real_endpoint_metrics(size_t *count);
const struct lz_metric_info *lz_real_probe_metrics(size_t *count);
const struct lz_metric_info *lz_real_prometheus_metrics(size_t *count);

#endif
