/*
 * outlier.h — passive health checks: a replica that answers badly is left alone for a while.
 *
 * Envoy's outlier detection. Each calling instance counts the failures in a row (5xx answers,
 * timeouts, refusals, resets) of each replica it calls. At `failures` it ejects the replica,
 * unless as much as `share_max` of them is ejected already; so one always may be. Every
 * `every`, what has been out for n times `ejection`, at most `ejection_max`, comes back, n being
 * how often it was ejected one after the other; each round in which it is not out takes one off
 * n. Defaults: 5, 10 s, 30 s, 300 s, 10 % (Envoy, cluster.outlier_detection).
 */
#ifndef LZ_MODEL_CLIENT_OUTLIER_H
#define LZ_MODEL_CLIENT_OUTLIER_H

#include "model/client/edge.h"

/* An edge with outlier detection begins to look at its ejections. */
void lz_outlier_watch(struct lz_world *w, lz_edge_id id);

/* An attempt of `client` at `server` has ended. */
void lz_outlier_result(struct lz_world *w, struct lz_edge *e, lz_instance_id client,
                       lz_instance_id server, const struct lz_call_result *result);

#endif
