/*
 * dns.h — names: records with health checks and policies, as their own servers answer.
 *
 * A name has *answers*, components in order of preference, and one of them is what a lookup
 * gets. Which one is the policy's: the first that is thought healthy (failover), one by weight
 * (weighted), or the one nearest to who asks (geo); or all are one address (anycast). When none is
 * thought healthy all count as healthy, as at Route 53: an answer that may be wrong is better than
 * none.
 *
 * An answer passes a health check when one of its instances is up, can be reached from the name's
 * servers, and answers within `timeout`; `fails` failures in a row take it out, `passes` passes
 * bring it back. Checks of a name begin at a phase of their own within `every`, so that a loss is
 * found out fails - 1/2 periods later on average and `fails` periods at the most.
 *
 * The servers of a name are one instance at the edge. A lookup costs the way there and back and
 * `lookup_time`. Servers that are gone, or cut off, answer nothing: resolvers give up after
 * LZ_DNS_TIMEOUT_NS.
 *
 * Who asks does so through resolvers with caches (resolver.h), which is what decides when a
 * change is noticed.
 */
#ifndef LZ_MODEL_NET_DNS_H
#define LZ_MODEL_NET_DNS_H

#include "model/client/call.h"
#include "model/world.h"

#define LZ_DNS_ANSWERS_MAX 64
#define LZ_DNS_RESOLVERS_MAX 1000000

/* Two tries of 5 s, as resolv.conf(5) has it by default. */
#define LZ_DNS_TIMEOUT_NS (10 * LZ_S)
/* How long a failed lookup is remembered; RFC 2308 section 7 allows 5 minutes, BIND has 1 s. */
#define LZ_DNS_SERVFAIL_TTL_NS LZ_S

enum lz_dns_policy {
    LZ_DNS_FAILOVER, /* the first that is healthy */
    LZ_DNS_WEIGHTED, /* each by its weight, drawn for each lookup */
    LZ_DNS_GEO,      /* the nearest to who asks; among equals the first */
    LZ_DNS_ANYCAST,  /* one address, announced from all: see anycast.h */
};

enum lz_dns_reply {
    LZ_DNS_ANSWER,
    LZ_DNS_NXDOMAIN, /* there is no such name */
    LZ_DNS_SERVFAIL,
    LZ_DNS_TIMEOUT,
    LZ_DNS_EMPTY, /* there is, but without an address (NODATA) */
    LZ_DNS_SPOOF, /* an address at which nobody listens */
};

struct lz_dns_opts {
    const char *name;
    uint32_t line;
    const lz_component_id *answers; /* in order of preference */
    const double *weights;          /* as many; NULL: all equal */
    uint32_t answer_count;
    enum lz_dns_policy policy;
    lz_time ttl;                  /* may be 0: never cached */
    lz_time negative_ttl;         /* of an answer that there is none (RFC 2308) */
    struct lz_dist lookup_time;   /* of the servers, besides the way; NONE means 0 */
    bool is_checked;              /* answers are health-checked */
    struct lz_health_opts health; /* 0: 1 s, 1 s, 3, 2 */
    double honour_ttl;            /* share of the resolvers that do */
    lz_time stale_at_most;        /* the others keep an answer up to so long, by a draw of theirs */
    struct lz_dist convergence;   /* with anycast; NONE means uniform, 0 to 30 s */
    uint32_t resolvers;           /* between the users of one traffic source and the name */
};

void lz_dnses_init(struct lz_world *w);
bool lz_dns_create(struct lz_world *w, const struct lz_dns_opts *opts, lz_component_id *id,
                   struct lz_err *err) LZ_MUST_CHECK;
const struct lz_dns_opts *lz_dns_opts(const struct lz_world *w, lz_component_id id);

/* What the name's servers say to a lookup by `client`, whose draws are (path, counter). */
struct lz_dns_said {
    enum lz_dns_reply reply;
    uint32_t answer; /* index, if it is one */
    lz_time took;
    lz_time ttl; /* how long it may be kept */
};
struct lz_dns_said lz_dns_look_up(struct lz_world *w, lz_component_id id, lz_instance_id client,
                                  uint64_t path, uint64_t counter);

/*
 * With anycast: where packets of `client` go whose routers are `source`; LZ_DNS_NO_ROUTE if nobody
 * announces the address.
 */
#define LZ_DNS_NO_ROUTE UINT32_MAX
uint32_t lz_dns_route(struct lz_world *w, lz_component_id id, lz_instance_id client,
                      uint64_t source);

/* What there is to say before anybody has asked: the answer of a healthy world. */
uint32_t lz_dns_first_answer(struct lz_world *w, lz_component_id id, lz_instance_id client,
                             uint64_t path);

/* For resolvers: a call asked for the name. */
enum lz_dns_asked {
    LZ_DNS_FROM_CACHE, /* answered from what is good */
    LZ_DNS_STALE,      /* answered from what had run out */
    LZ_DNS_LOOKED_UP,  /* the name's servers had to be asked */
    LZ_DNS_JOINED,     /* waits for a lookup that is under way */
};
void lz_dns_count(struct lz_world *w, lz_component_id id, enum lz_dns_asked asked);
void lz_dns_count_failed(struct lz_world *w, lz_component_id id);

/* What a fault does to lookups while it is active. What is cached already is not touched. */
struct lz_dns_effect {
    enum lz_dns_reply reply; /* ANSWER: unchanged; of several the latest to begin decides */
    bool is_stale;           /* answers are those of the moment it begins */
    struct lz_dist delay;    /* NONE: none; all add up */
    lz_component_id caller;  /* only lookups of its; 0: everybody's */
    uint64_t path;           /* owner of its draws */
    uint64_t *touched;       /* counts lookups that it changed or delayed */
};
uint32_t lz_dns_effect_add(struct lz_world *w, lz_component_id id, const struct lz_dns_effect *e);
void lz_dns_effect_remove(struct lz_world *w, lz_component_id id, uint32_t effect);

/* Health checks begin. */
void lz_dnses_start(struct lz_world *w);

const struct lz_metric_info *lz_dns_metrics(size_t *count);

#endif
