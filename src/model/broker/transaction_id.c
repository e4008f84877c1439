/* transaction_id.c — transactions of producers with a transactional id: their coordinator. */
#include <string.h>

#include "base/grow.h"
#include "base/hash.h"
#include "model/broker/transaction_state.h"
#include "model/broker/transactor.h"

uint32_t lz_transaction_index(const struct lz_transaction *t)
{
    return t->index;
}

uint32_t lz_transaction_node(const struct lz_transaction *t)
{
    LZ_ASSERT(t->id != NULL);
    return t->coordinator;
}

// ---- where it is

static uint32_t find_coordinator(const struct lz_transaction *t)
{
    uint32_t n = t->broker->opts.nodes, first = (uint32_t)(lz_hash_text(t->id) % n);
    for (uint32_t i = 0; i < n; i++)
        if (!t->broker->nodes[(first + i) % n].is_fenced)
            return (first + i) % n;
    return LZ_BROKER_NOBODY;
}

void lz_transactions_reconsider(struct lz_world *w, struct lz_broker *b)
{
    for (uint32_t i = 0; b->transactions != NULL && i < b->transactions->count; i++) {
        struct lz_transaction *t = b->transactions->all[i];
        if (t->id == NULL)
            continue;
        uint32_t node = find_coordinator(t);
        if (node == t->coordinator)
            continue;
        t->coordinator = node;
        lz_transaction_go_on(w, t);
    }
}

// ---- what producers ask

// One at a time waits for it: asked again, the old request is forgotten; of another, it is fenced.
static void wait_for(struct lz_world *w, struct lz_transaction *t, const struct lz_rpc *r)
{
    const struct lz_rpc *old = t->waiting != 0 ? lz_rpc_find(w, t->waiting) : NULL;
    bool is_other = old != NULL && old->from != r->from;
    lz_transaction_answer(w, t, is_other ? LZ_BROKER_FENCED : LZ_BROKER_NOT_COORDINATOR);
    t->waiting = lz_pool_id(r);
}

// What was open under the id is aborted; the answer, which has the new epoch, waits for that.
static void init_producer(struct lz_world *w, struct lz_transaction *t, struct lz_rpc *r)
{
    t->epoch++;
    t->serial = 0; // its producer begins to count anew
    t->is_fenced = false;
    r->says = lz_transactor_says(LZ_TRANSACTOR_INIT, t->epoch, 0);
    wait_for(w, t, r);
    if (t->state == LZ_TRANSACTION_ONGOING)
        lz_transaction_decide(w, t, false);
    else if (t->state == LZ_TRANSACTION_EMPTY)
        lz_transaction_answer(w, t, LZ_BROKER_OK);
}

// Of one whose answer was lost, what has become of it; or nothing of it ever arrived.
static enum lz_broker_error told_again(struct lz_transaction *t, uint32_t serial, bool commits)
{
    bool is_same = t->serial == serial;
    if (serial > t->serial) { // what is late of it is refused, and it committed nothing
        t->serial = serial;
        t->has_committed = false;
    }
    return (is_same ? t->has_committed == commits : !commits) ? LZ_BROKER_OK
                                                              : LZ_BROKER_UNKNOWN_MEMBER;
}

static void end_transaction(struct lz_world *w, struct lz_transaction *t, struct lz_rpc *r,
                            bool commits)
{
    uint32_t serial = (uint32_t)(r->says >> 32);
    if (lz_transactor_epoch(r->says) != (t->epoch & 0xffffffu)) {
        lz_rpc_answer(w, r, LZ_BROKER_FENCED, 0);
    } else if (t->is_fenced) {
        lz_rpc_answer(w, r, LZ_BROKER_UNKNOWN_MEMBER, 0);
    } else if (t->state == LZ_TRANSACTION_ONGOING && serial == t->serial) {
        lz_transaction_decide(w, t, commits);
        lz_rpc_answer(w, r, LZ_BROKER_OK, 0);
    } else {
        lz_rpc_answer(w, r, (uint16_t)told_again(t, serial, commits), 0);
    }
}

void lz_transaction_asked(struct lz_world *w, struct lz_rpc *r)
{
    const struct lz_broker *b = lz_broker_of(w, r->to);
    struct lz_transaction *t = b->transactions->all[r->owner >> 32];
    enum lz_transactor_op op = (enum lz_transactor_op)(r->says & 0xffu);
    // Nobody waits for it: its producer may have begun elsewhere since, and would be fenced by what
    // a paused coordinator has kept of it (Kafka: the epoch it says, KIP-360).
    bool is_late = op == LZ_TRANSACTOR_INIT && !lz_rpc_is_wanted(w, r);
    if (is_late || lz_transaction_coordinator(t) != r->to)
        lz_rpc_answer(w, r, LZ_BROKER_NOT_COORDINATOR, 0);
    else if (op == LZ_TRANSACTOR_INIT)
        init_producer(w, t, r);
    else
        end_transaction(w, t, r, op == LZ_TRANSACTOR_COMMIT);
}

enum lz_broker_error lz_transaction_takes(struct lz_world *w, const struct lz_rpc *r,
                                          struct lz_append *a)
{
    const struct lz_broker *b = lz_broker_of(w, r->to);
    struct lz_transaction *t = b->transactions->all[a->transaction - 1];
    uint32_t serial = (uint32_t)a->sequence;
    if (a->producer_epoch != t->epoch)
        return LZ_BROKER_FENCED;
    if (t->is_fenced)
        return LZ_BROKER_UNKNOWN_MEMBER;
    if (t->state >= LZ_TRANSACTION_PREPARE_COMMIT) // CONCURRENT_TRANSACTIONS
        return serial > t->serial ? LZ_BROKER_CONCURRENT : LZ_BROKER_UNKNOWN_MEMBER;
    bool is_late = t->state == LZ_TRANSACTION_EMPTY ? serial <= t->serial : serial != t->serial;
    if (is_late || !lz_transaction_add_part(w, t, a->partition))
        return LZ_BROKER_UNKNOWN_MEMBER;
    if (t->state == LZ_TRANSACTION_EMPTY) {
        t->serial = serial;
        lz_transaction_begin(w, t, r->from, lz_transactor_limit(w, (lz_producer_id)r->owner));
    }
    a->nth = t->nth;
    b->partitions[a->partition]->topic->has_transactions = true;
    return LZ_BROKER_OK;
}

// ---- declaring

bool lz_transaction_of_id(struct lz_world *w, struct lz_broker *b, const char *id,
                          struct lz_transaction **out, struct lz_err *err)
{
    for (uint32_t i = 0; b->transactions != NULL && i < b->transactions->count; i++) {
        struct lz_transaction *t = b->transactions->all[i];
        if (t->id != NULL && strcmp(t->id, id) == 0) {
            *out = t;
            return true;
        }
    }
    if (!lz_transaction_has_room(b, 1, err))
        return false;
    struct lz_transaction *t = lz_arena_alloc(w->arena, sizeof(*t));
    *t = (struct lz_transaction){.id = lz_arena_strdup(w->arena, id),
                                 .coordinator = LZ_BROKER_NOBODY};
    lz_transaction_add(w, b, t);
    t->payload = (uint64_t)b->id << 32 | t->index;
    t->coordinator = find_coordinator(t);
    *out = t;
    return true;
}
