/*
 * raft_ask.h — what a process of another component asks of a group, by messages.
 *
 * As a lease holder's agent does (Patroni and its DCS): it asks one member, which hands on to the
 * leader what must be, and answers when it has applied it. Both ways can be lost or cut, and
 * nobody tells the asker: it gives up by itself, and forgets the question, which may have had its
 * effect all the same. A member without a process refuses at once.
 *
 *   ask ──message──▶ member: request_time ──▶ waits as calls do ──message──▶ `answered` at the
 * asker
 *
 * LZ_ASK_GONE is a watch: it is answered when the key is not there, at once if it is not. A member
 * that ends forgets its watches, so they are asked anew every so often.
 */
#ifndef LZ_MODEL_CONSENSUS_RAFT_ASK_H
#define LZ_MODEL_CONSENSUS_RAFT_ASK_H

#include "model/consensus/raft_log.h"
#include "model/world.h"

#define LZ_ASK_GONE 255u

struct lz_raft_ask {
    lz_component_id group;
    lz_instance_id client;
    uint32_t node; /* of the group, that is asked */
    uint8_t what;  /* ACQUIRE, RENEW, RELEASE (enum lz_raft_op), or LZ_ASK_GONE */
    uint64_t key, value;
    lz_time ttl;      /* ACQUIRE */
    uint64_t owner;   /* of its draws */
    lz_kind answered; /* fires at the client with the question as payload */
    /* the answer: */
    bool is_refused, is_done;
};

typedef uint64_t lz_raft_ask_id; /* 0: none */

lz_raft_ask_id lz_raft_ask_send(struct lz_world *w, const struct lz_raft_ask *ask);

/* NULL: it was forgotten. */
const struct lz_raft_ask *lz_raft_ask_find(const struct lz_world *w, lz_raft_ask_id id);
void lz_raft_ask_forget(struct lz_world *w, lz_raft_ask_id id); /* unknown ones are allowed */

/* Before the run: the key has long been held. */
void lz_raft_ask_held(struct lz_world *w, lz_component_id group, uint64_t key, uint64_t holder,
                      lz_time ttl);

uint32_t lz_raft_ask_members(const struct lz_world *w, lz_component_id group);

#endif
