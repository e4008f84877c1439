#include "model/data/reads.h"

#include "base/check.h"
#include "base/hash.h"
#include "model/data/leader.h"

/* What each user has written last: open addressing, a power of two; who 0: free. */
struct lz_token {
    uint64_t who, lsn;
};

#define TOKENS_FIRST 64u

// A user of a traffic, or the request itself; the two never look alike.
static uint64_t who(const struct lz_world *w, lz_request_id id)
{
    const struct lz_request *r = lz_request_find(w, id);
    if (r == NULL)
        return 0;
    return r->agent != 0 ? lz_hash_mix((uint64_t)r->traffic << 32 | r->agent, 1)
                         : lz_hash_mix(id, 2);
}

static struct lz_token *place_of(struct lz_token *all, uint32_t cap, uint64_t key)
{
    uint32_t i = (uint32_t)lz_hash_mix(key, 3) & (cap - 1);
    while (all[i].who != 0 && all[i].who != key)
        i = (i + 1) & (cap - 1);
    return &all[i];
}

// What every replica has applied no longer matters to anybody.
static uint64_t least_applied(const struct lz_database *d)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t n = 0; n < d->opts.nodes; n++)
        if (n != d->primary && d->nodes[n].applied < least)
            least = d->nodes[n].applied;
    return least;
}

static void make_room(struct lz_world *w, struct lz_database *d)
{
    uint64_t least = least_applied(d);
    uint32_t kept = 0, cap = TOKENS_FIRST;
    for (uint32_t i = 0; i < d->token_cap; i++)
        kept += d->tokens[i].who != 0 && d->tokens[i].lsn > least;
    while (cap < 4 * (kept + 1))
        cap *= 2;
    struct lz_token *all = lz_arena_alloc(w->arena, cap * sizeof(*all));
    for (uint32_t i = 0; i < d->token_cap; i++)
        if (d->tokens[i].who != 0 && d->tokens[i].lsn > least)
            *place_of(all, cap, d->tokens[i].who) = d->tokens[i];
    lz_arena_free(w->arena, d->tokens, d->token_cap * sizeof(*all));
    d->tokens = all;
    d->token_cap = cap;
    d->token_count = kept;
}

void lz_reads_wrote(struct lz_world *w, struct lz_database *d, lz_request_id request, uint64_t lsn)
{
    uint64_t key = who(w, request);
    if (!d->reads.read_your_writes || key == 0)
        return;
    if (4 * (d->token_count + 1) > 3 * d->token_cap)
        make_room(w, d);
    struct lz_token *t = place_of(d->tokens, d->token_cap, key);
    d->token_count += t->who == 0;
    *t = (struct lz_token){.who = key, .lsn = lsn};
}

static uint64_t token_of(const struct lz_world *w, const struct lz_database *d,
                         lz_request_id request)
{
    if (d->token_cap == 0)
        return 0;
    uint64_t key = who(w, request);
    return key != 0 ? place_of(d->tokens, d->token_cap, key)->lsn : 0;
}

static lz_time lag_of(const struct lz_world *w, const struct lz_database *d, uint32_t node)
{
    const struct lz_wal_record *r = lz_wal_get(&d->log.wal, d->nodes[node].applied + 1);
    return r != NULL ? lz_sim_now(w->sim) - r->at : 0;
}

static bool is_fit(const struct lz_world *w, const struct lz_database *d, uint32_t node,
                   uint64_t token)
{
    const struct lz_database_node *n = &d->nodes[node];
    if (node == d->primary || n->is_rejoining ||
        (d->encrypt != NULL && lz_encrypt_is_locked(d, node)) ||
        !lz_instance_is_up(lz_instance_get(w, d->first + node)))
        return false;
    if (n->applied < token)
        return false;
    return d->reads.max_lag == 0 || (!n->is_stale && lag_of(w, d, node) <= d->reads.max_lag);
}

lz_instance_id lz_reads_route(struct lz_world *w, struct lz_database *d, const struct lz_route *ask)
{
    uint64_t token = d->reads.read_your_writes ? token_of(w, d, ask->request) : 0;
    uint32_t fit = 0;
    for (uint32_t n = 0; n < d->opts.nodes; n++)
        fit += is_fit(w, d, n, token);
    if (fit == 0)
        return d->first + lz_discovery_primary(w, d, ask->client);
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), ask->path, LZ_PURPOSE_BALANCE, 0);
    uint64_t nth = lz_draw_below(&draw, fit);
    for (uint32_t n = 0;; n++)
        if (is_fit(w, d, n, token) && nth-- == 0)
            return d->first + n;
}

bool lz_reads_declare(struct lz_world *w, lz_component_id id, const struct lz_reads_opts *opts,
                      struct lz_err *err)
{
    struct lz_database *d = lz_database_at(w, id);
    if (!d->opts.read_replicas)
        return lz_fail(err, LZ_EINVAL,
                       "read_your_writes and max_lag are about replicas, and reads go to the "
                       "primary: give reads = \"replicas\"");
    d->reads = *opts;
    return true;
}
