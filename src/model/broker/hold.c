/*
 * hold.c — what faults do to the replicas of partitions: copies that are held back, and leaders
 * that should not lead.
 */
#include "base/check.h"
#include "base/grow.h"
#include "model/broker/broker_state.h"

struct held {
    struct lz_replica *replica;
    struct lz_partition *partition;
};

struct hold {
    uint64_t *touched; // NULL: free
    struct held *all;
    uint32_t count, cap;
};

struct lz_holds {
    struct hold *all; // ids are one more
    uint32_t count, cap;
};

// The partitions meant by a broker, a topic, or one partition of it.
struct meant {
    struct lz_broker *b;
    uint32_t first, count;
};

static struct meant meant_by(const struct lz_world *w, lz_component_id on, uint32_t partition)
{
    if (lz_world_component(w, on)->kind == LZ_COMPONENT_BROKER) {
        struct lz_broker *b = lz_broker_at(w, on);
        return (struct meant){b, 0, b->partition_count};
    }
    const struct lz_topic *t = lz_topic_at(w, on);
    if (partition > 0)
        return (struct meant){t->broker, t->first + partition - 1, 1};
    return (struct meant){t->broker, t->first, t->opts.partitions};
}

// ---- unclean elections

static uint32_t most_backward(const struct lz_world *w, const struct lz_partition *p)
{
    uint32_t worst = LZ_BROKER_NOBODY;
    for (uint32_t i = 0; i < p->count; i++) {
        bool can = i != p->leader && lz_controller_is_alive(w, p->broker, p->replicas[i].node);
        if (can &&
            (worst == LZ_BROKER_NOBODY || p->replicas[i].log.end < p->replicas[worst].log.end))
            worst = i;
    }
    return worst;
}

uint64_t lz_broker_elect_unclean(struct lz_world *w, lz_component_id on, uint32_t partition)
{
    struct meant m = meant_by(w, on, partition);
    uint64_t lacks = 0;
    for (uint32_t i = 0; i < m.count; i++) {
        struct lz_partition *p = m.b->partitions[m.first + i];
        uint32_t replica = most_backward(w, p);
        if (replica == LZ_BROKER_NOBODY)
            continue;
        uint64_t end = 0, own = p->replicas[replica].log.end;
        for (uint32_t r = 0; r < p->count; r++)
            end = p->replicas[r].log.end > end ? p->replicas[r].log.end : end;
        lacks += end - own;
        lz_controller_elect(w, p, replica, false);
    }
    lz_controller_tell(w, m.b);
    return lacks;
}

void lz_broker_elect_preferred(struct lz_world *w, lz_component_id on, uint32_t partition)
{
    struct meant m = meant_by(w, on, partition);
    for (uint32_t i = 0; i < m.count; i++)
        lz_controller_prefer(w, m.b->partitions[m.first + i]);
    lz_controller_tell(w, m.b);
}

// ---- copies that are held back

static void hold_one(struct lz_world *w, struct hold *h, struct lz_partition *p, uint32_t replica)
{
    struct lz_replica *r = &p->replicas[replica];
    h->all = lz_grow(w->arena, h->all, &h->cap, h->count + 1, sizeof(*h->all));
    h->all[h->count++] = (struct held){.replica = r, .partition = p};
    r->holds++;
}

static void hold_partition(struct lz_world *w, struct hold *h, struct lz_partition *p,
                           uint32_t keep)
{
    uint32_t left = p->leader != LZ_BROKER_NOBODY ? keep - 1 : keep;
    for (uint32_t r = 0; r < p->count; r++) {
        if (r == p->leader)
            continue;
        if (left > 0)
            left--;
        else
            hold_one(w, h, p, r);
    }
    if (p->leader != LZ_BROKER_NOBODY)
        lz_replica_check_isr(w, p, &p->replicas[p->leader]);
}

uint32_t lz_broker_hold(struct lz_world *w, lz_component_id on, uint32_t partition, uint32_t keep,
                        uint64_t *touched)
{
    LZ_ASSERT(touched != NULL && keep > 0);
    if (w->brokers->holds == NULL)
        w->brokers->holds = lz_arena_alloc(w->arena, sizeof(*w->brokers->holds));
    struct lz_holds *hs = w->brokers->holds;
    uint32_t at = 0;
    while (at < hs->count && hs->all[at].touched != NULL)
        at++;
    hs->all = lz_grow(w->arena, hs->all, &hs->cap, at + 1, sizeof(*hs->all));
    if (at == hs->count)
        hs->count++;
    struct hold *h = &hs->all[at];
    *h = (struct hold){.touched = touched};
    struct meant m = meant_by(w, on, partition);
    for (uint32_t i = 0; i < m.count; i++)
        hold_partition(w, h, m.b->partitions[m.first + i], keep);
    return at + 1;
}

void lz_broker_release(struct lz_world *w, uint32_t id)
{
    struct lz_holds *hs = w->brokers->holds;
    LZ_ASSERT(hs != NULL && id >= 1 && id <= hs->count && hs->all[id - 1].touched != NULL);
    struct hold *h = &hs->all[id - 1];
    for (uint32_t i = 0; i < h->count; i++) {
        struct lz_replica *r = h->all[i].replica;
        struct lz_partition *p = h->all[i].partition;
        LZ_ASSERT(r->holds > 0);
        r->holds--;
        if (r->holds == 0 && !r->leads && r->leader != LZ_BROKER_NOBODY)
            lz_copy_go(w, p->broker, r->node, r->leader);
    }
    h->touched = NULL;
}

void lz_hold_touched(const struct lz_world *w, const struct lz_partition *p, uint32_t records)
{
    const struct lz_holds *hs = w->brokers->holds;
    for (uint32_t i = 0; i < hs->count; i++)
        for (uint32_t k = 0; hs->all[i].touched != NULL && k < hs->all[i].count; k++)
            *hs->all[i].touched += hs->all[i].all[k].partition == p ? records : 0;
}
