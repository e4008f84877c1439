/*
 * fence.h — fencing tokens: what a lock's grant answers, and what a write shows for it.
 *
 * Who holds a lease may not know that it has run out: it was paused, or its clock was. That two
 * think so at once cannot be kept from happening; what can is that the older holder's writes count.
 * So each grant comes with a number above those of all grants before it, the holder shows it with
 * each write, and the resource refuses one that is lower than the highest it has seen for the key
 * (Kleppmann, "How to do distributed locking", 2016; Gray and Cheriton's leases leave it open).
 *
 *   lock service   lz_fence_grant      the token, for the handler whose call it answers
 *   handler        lz_fence_take       when that call has ended well
 *                  lz_fence_show       with what a write carries
 *   resource       lz_fence_refuses    before it writes
 *                  lz_fence_accepted   when it has
 *
 * The token of a lock in a group is the index of the log entry that granted it (ZooKeeper's zxid,
 * etcd's revision); of a cache's setnx the version of what it set. Both grow, whether the lock was
 * released or has run out; the index goes back where disks that lied have lost the log. A resource
 * knows the highest token of each key beside its data: it is not lost with a node, and all nodes
 * know it at once, where a real one's would with the record that carries it. So it is counted how
 * many writes were refused by another node than the one that was shown the higher token. One that
 * does not check (`lz_fence_ignore`) is told on by `lz_fence_report`, which is what the expectation
 * `fenced` asks.
 *
 *   1. What is kept of a key is the highest token shown, and the highest accepted.
 *   2. A write without a token is nobody's: it is neither refused nor judged.
 *
 * Ownership: the world's arena. Nothing exists until a lock is granted to a handler or a resource
 * is named here; where nobody shows a token, a write costs a look at a pointer.
 */
#ifndef LZ_MODEL_SERVICE_FENCE_H
#define LZ_MODEL_SERVICE_FENCE_H

#include "model/service/argument.h"

#define LZ_FENCE_TOKEN_MAX LZ_VALUE_INTEGER_MAX

/* A write that was accepted. */
struct lz_fence_write {
    uint64_t token;
    lz_time at;
    lz_instance_id client; /* whose process sent it; 0: nobody's any more */
};

struct lz_fence_report {
    uint64_t accepted, refused; /* writes that had a token */
    uint64_t by_others;         /* of the refused: not by the node that was shown the higher one */
    uint64_t broken;            /* of the accepted: those lower than one accepted before */
    uint64_t key;               /* of the first of these */
    struct lz_fence_write high, low;
};

/* The call of this task is granted a lock. A call that is no handler's hears of no token. */
void lz_fence_grant(struct lz_world *w, const struct lz_task *t, uint64_t token);

/* What the call of a handler's task that has just ended was granted; 0: nothing. Asked once. */
uint64_t lz_fence_take(struct lz_world *w, uint64_t task);

/* Before the run: this component accepts any token. */
void lz_fence_ignore(struct lz_world *w, lz_component_id resource);

/* A write's token is lower than one that was shown for its key. `high`, which is one or nothing,
 * is that one. Tells no metric. */
bool lz_fence_refused(struct lz_world *w, const struct lz_task *t, lz_value *high);

static inline bool lz_fence_refuses(struct lz_world *w, const struct lz_task *t, lz_value *high)
{
    return w->fences != NULL && lz_fence_refused(w, t, high);
}

/* It was written. */
void lz_fence_accept(struct lz_world *w, const struct lz_task *t);

static inline void lz_fence_accepted(struct lz_world *w, const struct lz_task *t)
{
    if (w->fences != NULL)
        lz_fence_accept(w, t);
}

/* What a handler's write carries, with its token: 1 to LZ_FENCE_TOKEN_MAX. */
void lz_fence_show(struct lz_world *w, lz_argument_id id, uint64_t token);

/* Of a resource, up to now. */
struct lz_fence_report lz_fence_report(const struct lz_world *w, lz_component_id resource);

#endif
