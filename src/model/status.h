/*
 * status.h — what a component looks like right now, as facts for a person who asks.
 *
 * A component has one row of facts about itself (row 0) and a row for each of its parts, numbered
 * from 1 as people number them: a database's, a cache's, a group's and a broker's nodes, a topic's
 * partitions, the members of a consumer group. A fact is a name and a text or a number; what is not
 * told is as usual. Looking changes nothing.
 *
 *   database   writable, promoting, many_masters, connections, connections_max, waiting, timeline
 *              node: role (primary, standby, master), behind (records not applied), lag (seconds),
 *              rebuilding
 *   cache      entries, bytes, mode
 *              node: role (primary, replica), shard (of a cluster), entries, loading, replaced
 *   consensus  leader (node, 0: none), term
 *              node: role, term, commit, applied, last (index of its log's last entry)
 *   broker     partitions, offline, under_replicated, controller (node)
 *              node: leads, hosts (partitions), fenced
 *   topic      partitions, offline, under_replicated
 *              partition: leader (node, 0: none), isr and replicas (nodes, "1,2,3"), end
 *   consumers  phase, generation, lag (records)
 *              member: partitions, phase
 */
#ifndef LZ_MODEL_STATUS_H
#define LZ_MODEL_STATUS_H

#include "model/world.h"

struct lz_status {
    void *ctx;
    void (*text)(void *ctx, uint32_t row, const char *name, const char *value);
    void (*number)(void *ctx, uint32_t row, const char *name, double value);
};

/* Nothing for a kind that has none of these. */
void lz_status_tell(const struct lz_world *w, lz_component_id id, const struct lz_status *to);

/* For status.c, each beside its model. */
typedef void lz_status_fn(const struct lz_world *w, lz_component_id id, const struct lz_status *to);
lz_status_fn lz_database_status, lz_cache_status, lz_consensus_status, lz_broker_status,
    lz_topic_status, lz_consumers_status;

static inline void lz_status_text(const struct lz_status *to, uint32_t row, const char *name,
                                  const char *value)
{
    to->text(to->ctx, row, name, value);
}

static inline void lz_status_number(const struct lz_status *to, uint32_t row, const char *name,
                                    double value)
{
    to->number(to->ctx, row, name, value);
}

/* 1, if it is so; else it is not told. */
static inline void lz_status_flag(const struct lz_status *to, uint32_t row, const char *name,
                                  bool is_so)
{
    if (is_so)
        to->number(to->ctx, row, name, 1.0);
}

#endif
