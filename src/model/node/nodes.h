/*
 * nodes.h — what a cluster does about a node that is not heard of, as Kubernetes does it.
 *
 * A region may say `node_lifecycle`: its hosts are the nodes of one cluster then, those that were
 * declared, empty ones too, and those that were made for a single replica. Each node's kubelet
 * renews a lease. The node controller looks at all leases every `monitor_period`, notes when it
 * last saw each renewed, and takes a node that it has not seen renew for `monitor_grace` for
 * NotReady. Then
 *
 *   at once                 what stands there leaves the endpoints (life.h)
 *   when its zone may       the node is tainted; its replicas tolerate that for `toleration`
 *   after the toleration    they are deleted, whatever a disruption budget says, and their
 *                           successors start elsewhere; what waits for room is tried again at each
 *                           look of the controller
 *
 *   ready ──grace──▶ unready ──its turn in the zone──▶ tainted ──toleration──▶ evicted
 *     ▲                 └──────── heard of again ─────────┘                       │
 *     └───────────────────────────── heard of again ──────────────────────────────┘
 *
 * How fast a zone's nodes are tainted is a token bucket of one token: `eviction_rate`; no faster
 * than `secondary_rate` while at least `unhealthy_zone` of its nodes, and three of them, are not
 * ready, or not at all if there are no more than `large_zone`; at `eviction_rate` again when none
 * is ready and other zones have some; and not at all, with all taints taken back, while no zone has
 * one: then it is the control plane that is cut off. (kubernetes/pkg/controller/nodelifecycle,
 * node_lifecycle_controller.go: tryUpdateNodeHealth, ComputeZoneState, setLimiterInZone,
 * handleDisruption; scheduler/rate_limited_queue.go: SwapLimiter; kubernetes.io, "Nodes" and
 * "Taints and Tolerations", taint based evictions. The defaults are kube-controller-manager's.)
 *
 * Who moves: services, balancers, gateways and consumers that are not bound to a declared host.
 * Databases, caches, stores, brokers and groups are what StatefulSets are: their pod has an
 * identity and a volume, is deleted in name only while its node is silent, and comes back with it.
 * A successor goes to a fresh host in its own zone, or in the next that is not lost as a whole if
 * it is spread over zones; `room` says how many the other nodes of each zone take. That host stands
 * for a place on one of those nodes: it counts as none where a zone's nodes are counted.
 *
 * A node that is cut off from `control_plane` and runs on is treated the same. Its replicas are
 * deleted in name only until it is heard of, and go on serving whoever still asks them; here a
 * process is in one place at a time, and ends when its successor begins.
 *
 * While the control plane is down, or no part of it is in the majority (plane.c), nobody looks,
 * taints, deletes, scales, rolls out, evicts, places or tells callers anything (platform.h);
 * tolerations are counted anew from the first look on. What happens on a node that is cut off is
 * told to nobody until it is heard of or not ready.
 *
 * Invariants
 *
 *   1. An instance on a node is held down by as many faults as its node is.
 *   2. A tainted node is not ready; one that waits for its taint is not ready, and has none.
 *
 * Nothing of this is there, and nothing of it costs anything, where no region says so.
 */
#ifndef LZ_MODEL_NODE_NODES_H
#define LZ_MODEL_NODE_NODES_H

#include "model/place.h"
#include "model/world.h"

struct lz_nodes_opts {
    lz_region_id region;
    lz_time lease_renew;           /* -1: 10 s; 0: up to the instant of its loss */
    lz_time monitor_period;        /* 0: 5 s */
    lz_time monitor_grace;         /* 0: 50 s */
    lz_time toleration;            /* -1: 300 s */
    double eviction_rate;          /* nodes per second and zone; below 0: 0.1 */
    double secondary_rate;         /* below 0: 0.01 */
    double unhealthy_zone;         /* share of a zone's nodes; 0: 0.55 */
    uint32_t large_zone;           /* LZ_NODES_DEFAULT: 50 */
    uint32_t room;                 /* replicas; LZ_NODES_DEFAULT: without end */
    lz_component_id control_plane; /* to which leases go; 0: it is always reached */
};

#define LZ_NODES_DEFAULT UINT32_MAX
#define LZ_NODES_PERIOD_MIN LZ_S
#define LZ_NODES_TIME_MAX (86400 * LZ_S)

/* Before the run. */
bool lz_nodes_declare(struct lz_world *w, const struct lz_nodes_opts *opts,
                      struct lz_err *err) LZ_MUST_CHECK;
void lz_nodes_start(struct lz_world *w); /* time 0 */

/* Is the host a node of a cluster that looks after it? */
bool lz_nodes_has(const struct lz_world *w, lz_host_id host);

/* For faults: a node is gone with all that stands on it, or is back with what is there then. True
   if it was there before, or is again. */
bool lz_nodes_lose(struct lz_world *w, lz_host_id host);
bool lz_nodes_return(struct lz_world *w, lz_host_id host);

/* What happens on a host is told to nobody: the control plane does not hear of it, or is down. */
bool lz_nodes_is_mute(struct lz_world *w, lz_host_id host);

/* Somebody decides about what stands there: no, if its control plane is down, or has no majority.
 */
bool lz_nodes_is_ruled(struct lz_world *w, lz_host_id host);

/* Nothing is heard of a node: it is mute, or lost. False of what is no node. */
bool lz_nodes_is_silent(struct lz_world *w, lz_host_id host);

/* For life.c: an instance stands on another host now. */
void lz_nodes_moved(struct lz_world *w, lz_instance_id instance);

/* What the controller thinks of a node, for tests and the prompt. */
enum lz_node_state { LZ_NODE_READY, LZ_NODE_UNREADY, LZ_NODE_TAINTED, LZ_NODE_EVICTED };
enum lz_node_state lz_nodes_state(const struct lz_world *w, lz_host_id host);

#endif
