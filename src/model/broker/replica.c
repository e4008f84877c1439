/*
 * replica.c — what a copy of a partition does, leading or following.
 *
 * The leader's high watermark is the least log end of the ISR it must count on: the one the
 * controller has confirmed and the one it has asked for, together (Kafka's maximal ISR). So a
 * replica that may still be elected has all that was acknowledged.
 */
#include "base/check.h"
#include "base/grow.h"
#include "model/broker/broker_state.h"
#include "model/node/disk.h"

struct lz_sequence *lz_replica_sequence(struct lz_world *w, struct lz_replica *r, uint32_t producer)
{
    LZ_ASSERT(producer > 0);
    r->sequences =
        lz_grow(w->arena, r->sequences, &r->sequence_cap, producer + 1, sizeof(*r->sequences));
    return &r->sequences[producer];
}

void lz_replica_append(struct lz_world *w, struct lz_partition *p, struct lz_replica *r,
                       struct lz_batch *batch)
{
    struct lz_broker_node *node = &p->broker->nodes[r->node];
    lz_plog_append(&r->log, batch, ++node->lsn);
    lz_disk_flushed(w, node->id, node->lsn);
    if (batch->producer == 0)
        return;
    struct lz_sequence *s = lz_replica_sequence(w, r, batch->producer);
    s->epoch = batch->producer_epoch;
    s->next = batch->sequence + batch->count;
}

// A batch that goes takes with it what the log knew of its producer.
void lz_replica_truncate(struct lz_world *w, struct lz_partition *p, struct lz_replica *r,
                         uint64_t end)
{
    while (r->log.count > 0 && r->log.end > end) {
        struct lz_batch *batch = lz_plog_pop(&r->log);
        if (batch->producer > 0) {
            struct lz_sequence *s = lz_replica_sequence(w, r, batch->producer);
            s->epoch = batch->producer_epoch;
            s->next = batch->sequence;
        }
        lz_topic_dropped(w, p->topic, batch, false);
    }
    if (r->log.end > end)
        lz_plog_restart(&r->log, end);
    if (r->hw > r->log.end)
        r->hw = r->log.end;
}

void lz_replica_advance(struct lz_world *w, struct lz_partition *p, struct lz_replica *r)
{
    if (!r->leads)
        return;
    uint32_t counted = r->isr | r->isr_wanted, self = lz_replica_index(p, r);
    uint64_t least = r->log.end;
    for (uint32_t i = 0; i < p->count; i++)
        if (i != self && (counted >> i & 1) != 0 && r->followers[i].end < least)
            least = r->followers[i].end;
    if (least <= r->hw)
        return;
    r->hw = least;
    lz_append_commit(w, p, r);
    lz_reader_wake(w, p, r);
}

void lz_replica_fetched(struct lz_world *w, struct lz_partition *p, struct lz_replica *leader,
                        uint32_t follower, uint64_t end)
{
    LZ_ASSERT(leader->leads && follower != lz_replica_index(p, leader));
    struct lz_follower *f = &leader->followers[follower];
    lz_time now = lz_sim_now(w->sim);
    // Replica.updateFetchState: it was caught up when it last fetched if it has by now what the
    // leader had then.
    if (end >= leader->log.end)
        f->caught_up = now;
    else if (end >= f->leader_end && f->fetched > f->caught_up)
        f->caught_up = f->fetched;
    f->end = end;
    f->leader_end = leader->log.end;
    f->fetched = now;
    bool is_in = ((leader->isr | leader->isr_wanted) >> follower & 1) != 0;
    if (!is_in && !leader->is_altering && end >= leader->hw && p->replicas[follower].holds == 0 &&
        !p->broker->nodes[p->replicas[follower].node].is_fenced)
        lz_controller_alter(w, p, leader, leader->isr | 1u << follower);
    lz_replica_advance(w, p, leader);
}

void lz_replica_check_isr(struct lz_world *w, struct lz_partition *p, struct lz_replica *r)
{
    if (!r->leads || r->is_altering)
        return;
    lz_time now = lz_sim_now(w->sim);
    uint32_t isr = r->isr, self = lz_replica_index(p, r);
    for (uint32_t i = 0; i < p->count; i++) {
        const struct lz_follower *f = &r->followers[i];
        bool is_behind = i != self && f->end != r->log.end;
        bool is_late = is_behind && now - f->caught_up > p->broker->opts.replica_lag_time;
        if (i != self && (is_late || p->replicas[i].holds > 0))
            isr &= ~(1u << i);
    }
    if (isr != r->isr)
        lz_controller_alter(w, p, r, isr);
}

static void lead(struct lz_world *w, struct lz_partition *p, struct lz_replica *r)
{
    lz_time now = lz_sim_now(w->sim);
    r->leads = true;
    r->is_fresh = false;
    r->is_altering = false;
    r->isr = r->isr_wanted = p->isr;
    for (uint32_t i = 0; i < p->count; i++)
        r->followers[i] = (struct lz_follower){.caught_up = now};
    lz_replica_advance(w, p, r);
    lz_reader_wake(w, p, r);
}

void lz_replica_hear(struct lz_world *w, struct lz_partition *p, struct lz_replica *r)
{
    if (p->epoch == r->epoch) {
        if (!r->leads)
            return;
        r->isr = p->isr;
        if (!r->is_altering)
            r->isr_wanted = p->isr;
        lz_replica_advance(w, p, r);
        return;
    }
    LZ_ASSERT(p->epoch > r->epoch);
    r->epoch = p->epoch;
    r->leader = p->leader == LZ_BROKER_NOBODY ? LZ_BROKER_NOBODY : p->replicas[p->leader].node;
    if (r->leader == r->node) {
        lead(w, p, r);
        return;
    }
    if (r->leads) {
        r->leads = r->is_altering = false;
        lz_append_fail_all(w, p, r);
        lz_reader_wake(w, p, r); // who reads here is told
    }
    r->is_fresh = true;
    if (r->leader != LZ_BROKER_NOBODY)
        lz_copy_go(w, p->broker, r->node, r->leader);
}
