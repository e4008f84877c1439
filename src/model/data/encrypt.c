#include "model/data/encrypt.h"

#include "base/check.h"
#include "model/data/database_state.h"
#include "model/node/instance.h"

#define PAGE 8192.0 /* bytes */

// A standby's connection to who leads, and between which of their processes it is.
struct stream {
    bool is_open, is_refused;
    uint32_t leader, leader_process, process;
};

struct lz_encrypt {
    struct lz_encrypt_opts opts;
    uint64_t locked; // nodes, as bits
    struct stream streams[LZ_DATABASE_NODES_MAX];
};

double lz_encrypt_cost_ns(const struct lz_database *d)
{
    const struct lz_encrypt_opts *o = &d->encrypt->opts;
    return o->at_rest ? PAGE / o->rate * 1e9 : 0.0;
}

bool lz_encrypt_is_locked(const struct lz_database *d, uint32_t node)
{
    return d->encrypt->locked >> node & 1u;
}

bool lz_encrypt_has_stream(const struct lz_database *d, uint32_t node)
{
    return !lz_encrypt_is_locked(d, node) && !d->encrypt->streams[node].is_refused;
}

void lz_encrypt_started(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    struct lz_encrypt *e = d->encrypt;
    const struct lz_encrypt_opts *o = &e->opts;
    if (!o->at_rest || o->key_valid_for == 0 || lz_sim_now(w->sim) < o->key_valid_for)
        return;
    e->locked |= 1ull << node;
    lz_metrics_add(w->metrics, d->series.locked, 1);
    lz_instance_note(w, d->first + node, "locked", "cannot open its data: the key has expired");
}

static const char *refusal(const struct lz_world *w, const struct lz_encrypt_opts *o,
                           uint32_t leader, uint32_t node)
{
    if (o->wrong_ca >> node & 1u)
        return "does not trust the certificate of its primary";
    if (o->plaintext >> leader & 1u)
        return "asks for TLS, and its primary speaks none";
    if (o->valid_for > 0 && lz_sim_now(w->sim) >= o->valid_for)
        return "finds the certificate of its primary expired";
    return NULL;
}

bool lz_encrypt_connects(struct lz_world *w, struct lz_database *d, uint32_t leader, uint32_t node)
{
    const struct lz_encrypt_opts *o = &d->encrypt->opts;
    struct stream *s = &d->encrypt->streams[node];
    if (lz_encrypt_is_locked(d, node))
        return false;
    if (!o->in_transit)
        return true;
    uint32_t of_leader = lz_instance_get(w, d->first + leader)->incarnation;
    uint32_t of_node = lz_instance_get(w, d->first + node)->incarnation;
    bool is_same = s->leader == leader && s->leader_process == of_leader && s->process == of_node;
    if (s->is_open && is_same)
        return true;
    const char *why = refusal(w, o, leader, node);
    bool is_news = !is_same || !s->is_refused;
    *s = (struct stream){.is_open = why == NULL,
                         .is_refused = why != NULL,
                         .leader = leader,
                         .leader_process = of_leader,
                         .process = of_node};
    if (why == NULL)
        return true;
    lz_metrics_add(w->metrics, d->series.handshakes_refused, 1);
    if (is_news)
        lz_instance_note(w, d->first + node, "refused", "%s, %s[%u]", why, d->opts.name,
                         leader + 1);
    return false;
}

bool lz_encrypt_declare(struct lz_world *w, lz_component_id id, const struct lz_encrypt_opts *opts,
                        struct lz_err *err)
{
    struct lz_database *d = lz_database_at(w, id);
    LZ_ASSERT(!w->running && d->encrypt == NULL);
    if (d->multi != NULL || d->agree != NULL)
        return lz_fail(err, LZ_EINVAL,
                       "encryption is about a primary and its standbys: leave it out with "
                       "replication = \"multi\" or \"raft\"");
    uint64_t known = d->opts.nodes < 64 ? (1ull << d->opts.nodes) - 1u : UINT64_MAX;
    if (((opts->wrong_ca | opts->plaintext) & ~known) != 0)
        return lz_fail(err, LZ_ERANGE,
                       "wrong_ca and plaintext list nodes by number, 1 to %u, and have another",
                       d->opts.nodes);
    struct lz_encrypt *e = d->encrypt = lz_arena_alloc(w->arena, sizeof(*e));
    e->opts = *opts;
    if (!(e->opts.rate > 0.0))
        e->opts.rate = 1e9;
    return true;
}
