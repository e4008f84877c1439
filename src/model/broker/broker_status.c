/* broker_status.c — brokers, topics and groups of consumers, for model/status.h. */
#include <stdio.h>

#include "base/check.h"
#include "model/broker/group_state.h"
#include "model/status.h"

#define LIST_ROOM (LZ_BROKER_REPLICAS_MAX * 12)

// Nodes, from 1, of those replicas whose bit is set: "1,3".
static void list_nodes(const struct lz_partition *p, uint32_t bits, char *out)
{
    size_t used = 0;
    out[0] = '\0';
    for (uint32_t r = 0; r < p->count; r++)
        if ((bits & 1u << r) != 0)
            used += (size_t)snprintf(out + used, LIST_ROOM - used, "%s%u", used > 0 ? "," : "",
                                     p->replicas[r].node + 1);
}

static uint32_t leader_node(const struct lz_partition *p)
{
    return p->leader != LZ_BROKER_NOBODY ? p->replicas[p->leader].node + 1 : 0;
}

// How partitions stand in sum.
static void tell_sums(const struct lz_broker *b, uint32_t first, uint32_t count,
                      const struct lz_status *to)
{
    uint32_t offline = 0, short_of = 0;
    for (uint32_t i = first; i < first + count; i++) {
        const struct lz_partition *p = b->partitions[i];
        offline += p->leader == LZ_BROKER_NOBODY;
        short_of += (uint32_t)__builtin_popcount(p->isr) < p->count;
    }
    lz_status_number(to, 0, "partitions", count);
    lz_status_number(to, 0, "offline", offline);
    lz_status_number(to, 0, "under_replicated", short_of);
}

void lz_broker_status(const struct lz_world *w, lz_component_id id, const struct lz_status *to)
{
    const struct lz_broker *b = lz_broker_at(w, id);
    LZ_ASSERT(b != NULL);
    tell_sums(b, 0, b->partition_count, to);
    lz_status_number(to, 0, "controller",
                     b->controller != LZ_BROKER_NOBODY ? b->controller + 1 : 0);
    for (uint32_t n = 0; n < b->opts.nodes; n++) {
        uint32_t leads = 0;
        for (uint32_t i = 0; i < b->partition_count; i++)
            leads += leader_node(b->partitions[i]) == n + 1;
        lz_status_number(to, n + 1, "leads", leads);
        lz_status_number(to, n + 1, "hosts", b->nodes[n].hosted_count);
        lz_status_flag(to, n + 1, "fenced", b->nodes[n].is_fenced);
    }
}

void lz_topic_status(const struct lz_world *w, lz_component_id id, const struct lz_status *to)
{
    const struct lz_topic *t = lz_topic_at(w, id);
    LZ_ASSERT(t != NULL);
    tell_sums(t->broker, t->first, t->opts.partitions, to);
    for (uint32_t i = 0; i < t->opts.partitions; i++) {
        const struct lz_partition *p = t->broker->partitions[t->first + i];
        char nodes[LIST_ROOM];
        lz_status_number(to, i + 1, "leader", leader_node(p));
        list_nodes(p, p->isr, nodes);
        lz_status_text(to, i + 1, "isr", nodes);
        list_nodes(p, UINT32_MAX, nodes);
        lz_status_text(to, i + 1, "replicas", nodes);
        if (p->leader != LZ_BROKER_NOBODY)
            lz_status_number(to, i + 1, "end", (double)p->replicas[p->leader].log.end);
    }
}

void lz_consumers_status(const struct lz_world *w, lz_component_id id, const struct lz_status *to)
{
    static const char *const phases[] = {[LZ_GROUP_EMPTY] = "empty",
                                         [LZ_GROUP_PREPARING] = "rebalancing",
                                         [LZ_GROUP_COMPLETING] = "rebalancing",
                                         [LZ_GROUP_STABLE] = "stable"};
    static const char *const member_phases[] = {[LZ_MEMBER_OUT] = "out",
                                                [LZ_MEMBER_JOINING] = "joining",
                                                [LZ_MEMBER_SYNCING] = "syncing",
                                                [LZ_MEMBER_LOADING] = "loading",
                                                [LZ_MEMBER_READING] = "reading"};
    const struct lz_group *g = lz_group_at(w, id);
    lz_status_text(to, 0, "phase", phases[g->phase]);
    lz_status_number(to, 0, "generation", g->generation);
    uint64_t lag = 0;
    for (uint32_t i = 0; i < g->topic->opts.partitions; i++) {
        const struct lz_partition *p = lz_group_partition(g, i);
        uint64_t end = p->leader != LZ_BROKER_NOBODY ? p->replicas[p->leader].log.end : 0;
        lag += end > g->claims[i].front ? end - g->claims[i].front : 0;
    }
    lz_status_number(to, 0, "lag", (double)lag);
    for (uint32_t n = 0; n < g->opts.members; n++) {
        const struct lz_member *m = &g->members[n];
        LZ_ASSERT(m->phase <= LZ_MEMBER_READING);
        lz_status_number(to, n + 1, "partitions", m->cursor_count);
        lz_status_text(to, n + 1, "phase", member_phases[m->phase]);
        lz_status_flag(to, n + 1, "stalled", m->stall_count > 0);
    }
}
