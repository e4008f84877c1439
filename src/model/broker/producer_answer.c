#include "model/broker/producer_state.h"

#include "model/history/recorder_log.h"

// Where it is, as the answer says; one that was recognised and whose batch is old news does not.
static void tell_recorder(struct lz_world *w, const struct lz_producer *p,
                          const struct lz_parcel *c, const struct lz_append *a)
{
    uint64_t offset = a->end - a->count;
    lz_recorder_log_answered(w, p->topic->id, c->sent, a->end != 0 ? &offset : NULL);
}

static void accepted(struct lz_world *w, struct lz_producer *p, struct lz_parcel *c,
                     const struct lz_append *a)
{
    struct lz_broker *b = lz_producer_broker(p);
    struct lz_batch *batch = lz_pool_find(&b->batches, a->batch);
    lz_metrics_add(w->metrics, p->topic->series.acked, c->count);
    if (batch != NULL) {
        lz_topic_accepted(w, b->partitions[a->partition], batch);
    } else if (a->batch != 0 && c->batch == a->batch) {
        const struct lz_partition *part = b->partitions[a->partition];
        if (c->offset >= part->replicas[0].log.start) {
            lz_recorder_log_lost(w, p->topic->id, c->sent);
            lz_topic_lost(w, p->topic, c->count);
        }
    }
    if (c->sent != 0)
        tell_recorder(w, p, c, a);
    lz_parcel_end(w, p, c, LZ_OUTCOME_OK);
}

static enum lz_outcome outcome_of(enum lz_rpc_end how)
{
    static const enum lz_outcome outcomes[] = {[LZ_RPC_ANSWERED] = LZ_OUTCOME_ERROR,
                                               [LZ_RPC_REFUSED] = LZ_OUTCOME_REFUSED,
                                               [LZ_RPC_RESET] = LZ_OUTCOME_RESET,
                                               [LZ_RPC_TIMEOUT] = LZ_OUTCOME_TIMEOUT};
    return outcomes[how];
}

static void judge(struct lz_world *w, struct lz_producer *p, struct lz_parcel *c,
                  const struct lz_append *a, enum lz_rpc_end how)
{
    struct lz_producer_lane *l = &p->lanes[c->partition];
    LZ_ASSERT(c->state == LZ_PARCEL_IN_THE_AIR && l->in_flight > 0);
    l->in_flight--;
    bool is_answered = how == LZ_RPC_ANSWERED;
    if (is_answered && a->error == LZ_BROKER_OK) {
        accepted(w, p, c, a);
        return;
    }
    // The log lacks what came before, and nothing of it is under way: begin anew.
    if (is_answered && a->error == LZ_BROKER_OUT_OF_ORDER && l->in_flight == 0 &&
        c->epoch == l->epoch && (l->first == 0 || lz_parcel_at(w, l->first)->serial > c->serial))
        lz_producer_bump(l);
    if (is_answered && a->error == LZ_BROKER_NOT_LEADER)
        l->leader = LZ_BROKER_NOBODY; // until it is known again
    lz_parcel_retry(w, p, c, how != LZ_RPC_REFUSED, outcome_of(how));
}

void lz_producer_ended(struct lz_world *w, const struct lz_rpc *rpc, enum lz_rpc_end how)
{
    uint32_t id = (uint32_t)rpc->owner, node = (uint32_t)(rpc->owner >> 32);
    struct lz_producer *p = lz_producer_at(w, id);
    const struct lz_broker *b = lz_producer_broker(p);
    struct lz_producer_peer *peer = &p->peers[node];
    if (p->opts.acks != LZ_ACKS_NONE) {
        LZ_ASSERT(peer->in_flight > 0);
        peer->in_flight--;
    }
    bool has_failed = how != LZ_RPC_ANSWERED;
    for (uint32_t i = (uint32_t)rpc->says; i != 0;) {
        const struct lz_append *a = lz_pool_at(&b->appends, i);
        struct lz_parcel *c = lz_parcel_of(w, a);
        i = a->next;
        has_failed = has_failed || a->error != LZ_BROKER_OK;
        if (c != NULL && c->rpc == lz_pool_id(rpc) && c->state == LZ_PARCEL_IN_THE_AIR)
            judge(w, p, c, a, how);
    }
    if (has_failed)
        lz_producer_ask_who_leads(w, p, id);
    if (how != LZ_RPC_ANSWERED)
        lz_producer_connect_later(w, p, id, node);
    lz_producer_send_to(w, p, node);
}

void lz_producer_arrived(struct lz_world *w, struct lz_rpc *rpc)
{
    struct lz_broker *b = lz_broker_of(w, rpc->to);
    uint32_t node = lz_broker_node_of(b, rpc->to);
    for (uint32_t i = (uint32_t)rpc->says; i != 0;) {
        struct lz_append *a = lz_pool_at(&b->appends, i);
        i = a->next; // answering the last one frees them
        lz_append_begin(w, b, node, a);
    }
}

// What was taken for written and never came to the log.
void lz_producer_dropped(struct lz_world *w, struct lz_rpc *rpc)
{
    struct lz_broker *b = lz_broker_of(w, rpc->to);
    for (uint32_t i = (uint32_t)rpc->says; i != 0;) {
        struct lz_append *a = lz_pool_at(&b->appends, i);
        i = a->next;
        struct lz_topic *topic = b->partitions[a->partition]->topic;
        if (a->acks == LZ_ACKS_NONE && a->batch == 0) {
            lz_recorder_log_lost(w, topic->id, a->sent);
            lz_topic_lost(w, topic, a->count);
        }
        lz_append_free(w, b, a);
    }
}

void lz_producer_appended(struct lz_world *w, uint64_t parcel, const struct lz_batch *batch)
{
    struct lz_parcel *c = lz_pool_find(&w->producers->parcels, parcel);
    if (c == NULL)
        return;
    c->batch = lz_pool_id(batch);
    c->offset = batch->offset;
}

bool lz_producer_is_again(const struct lz_world *w, uint64_t parcel, const struct lz_replica *r,
                          const struct lz_pool *batches)
{
    const struct lz_parcel *c = lz_pool_find(&w->producers->parcels, parcel);
    if (c == NULL || c->batch == 0)
        return false;
    const struct lz_batch *batch = lz_pool_find(batches, c->batch);
    return batch != NULL ? lz_plog_has(&r->log, batch) : c->offset < r->log.start;
}
