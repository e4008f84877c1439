/*
 * rss.h — resident memory of processes: what they use, and what happens when there is no more.
 *
 *   used = base + per_request * requests there + what has leaked + what a fault takes
 *
 * Above its own limit a process is out of memory (a cgroup's limit); when the host has less than
 * all on it use, the kernel chooses one by score: the share of the host's memory that it uses, in
 * thousandths, plus its oom_score_adj, which at -1000 exempts it (mm/oom_kill.c: oom_badness).
 * It is killed like by SIGKILL, and `restart` says who starts it again, with nothing leaked.
 *
 * With swap nobody is killed: work takes 1 + penalty * s times as long, s being the share of the
 * process that is swapped out. That is the effective access time of the textbooks (Silberschatz,
 * Galvin, Gagne: Operating System Concepts, "Performance of Demand Paging") with s for the chance
 * of a fault and the penalty for its price in accesses.
 */
#ifndef LZ_MODEL_NODE_RSS_H
#define LZ_MODEL_NODE_RSS_H

#include "model/node/instance.h"
#include "model/world.h"

struct lz_rss_opts {
    double limit, base, per_request; /* bytes */
    bool swaps;                      /* in place of being killed */
    double swap_penalty;             /* 0 means 100 */
    double oom_score_adj;            /* -1000 to 1000 */
};

#define LZ_RSS_SWAP_PENALTY 100.0

void lz_rsses_init(struct lz_world *w);
bool lz_rss_declare(struct lz_world *w, lz_component_id id, const struct lz_rss_opts *opts,
                    struct lz_err *err) LZ_MUST_CHECK;

bool lz_rss_is_declared(const struct lz_world *w, lz_component_id id);
double lz_rss_used(const struct lz_world *w, lz_instance_id id); /* bytes now; 0: not declared */
double lz_rss_on_host(const struct lz_world *w, lz_host_id host);

/* Faults: memory that something else takes, or that the process loses; the id undoes it. */
struct lz_rss_effect {
    double fill;     /* share of the limit */
    double bytes;    /* beside it */
    double leak;     /* bytes per second of each process, from now on or its beginning */
    bool swaps;      /* instead of killing */
    uint64_t *taken; /* counts bytes */
};
uint32_t lz_rss_take(struct lz_world *w, lz_instance_id id, const struct lz_rss_effect *effect);
void lz_rss_undo(struct lz_world *w, lz_instance_id id, uint32_t effect);

/* For instance.c: a fresh process. For world.c: a second has passed. */
void lz_rss_begun(struct lz_world *w, lz_instance_id id);
void lz_rss_second(struct lz_world *w);

/* For task.c: a request came (+1) or left (-1). */
void lz_rss_count(struct lz_world *w, lz_instance_id id, int change);
static inline void lz_rss_request(struct lz_world *w, lz_instance_id id, int change)
{
    if ((w->unusual & LZ_UNUSUAL_RSS) != 0) // somebody uses memory for each request
        lz_rss_count(w, id, change);
}

#endif
