#include "model/net/dns.h"

#include <stddef.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/journal.h"
#include "model/measure.h"
#include "model/net/anycast.h"
#include "model/net/link.h"
#include "model/net/net.h"
#include "model/node/instance.h"
#include "model/world_kinds.h"

_Static_assert(LZ_DNS_ANSWERS_MAX == 64, "a set of answers is the bits of a uint64_t");

struct series {
    lz_series asked, hits, lookups, stale, failed, flips;
};

struct answer {
    double weight;
    uint32_t fails, passes; // in a row
};

struct effect {
    struct lz_dns_effect e;
    uint32_t id;
    uint64_t healthy; // STALE: as it was when the effect began
};

struct dns {
    struct lz_dns_opts opts; // defaults filled in
    lz_component_id id;
    lz_instance_id servers;
    uint64_t path;
    struct answer *answers;
    uint64_t healthy;           // bit i: answer i
    struct lz_anycast *anycast; // NULL: answers are addresses of their own
    uint64_t checks;            // rounds of them so far
    struct effect *effects;     // in the order they began
    uint32_t effect_count, effect_cap, effect_ids;
    struct series series;
};

struct lz_dnses {
    struct dns *all; // 0 ..
    uint32_t count, cap;
    lz_kind check;
};

#define AT(member) offsetof(struct series, member)
static const struct lz_measure_row rows[] = {
    {"rate", LZ_VIEW_RATE, LZ_UNIT_RATE, AT(asked), 0, 0, "times it was asked for per second"},
    {"hit_ratio", LZ_VIEW_RATIO, LZ_UNIT_RATIO, AT(hits), AT(asked), 0,
     "answered from a resolver's cache of all that asked"},
    {"lookups", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(lookups), 0, 0,
     "questions that reached the name's own servers, or tried to"},
    {"failed_lookups", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(failed), 0, 0,
     "times it was asked for without an answer"},
    {"stale_answers", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(stale), 0, 0,
     "times it was answered from what had run out"},
    {"flips", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(flips), 0, 0, "changes of the answer"},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

const struct lz_metric_info *lz_dns_metrics(size_t *count)
{
    static struct lz_metric_info infos[ROW_COUNT];
    return lz_measure_infos(rows, ROW_COUNT, infos, count);
}

static struct dns *dns_at(const struct lz_world *w, lz_component_id id)
{
    const struct lz_component *c = lz_world_component(w, id);
    LZ_ASSERT(c->kind == LZ_COMPONENT_DNS);
    LZ_ASSERT(c->index < w->dnses->count);
    return &w->dnses->all[c->index];
}

const struct lz_dns_opts *lz_dns_opts(const struct lz_world *w, lz_component_id id)
{
    return &dns_at(w, id)->opts;
}

// ---------------------------------------------------------------- which answer

static uint64_t every_answer(const struct dns *d)
{
    return d->opts.answer_count == 64 ? UINT64_MAX : (1ull << d->opts.answer_count) - 1;
}

static uint32_t first_of(uint64_t set)
{
    uint32_t i = 0;
    while ((set >> i & 1) == 0)
        i++;
    return i;
}

static uint32_t by_weight(struct lz_world *w, const struct dns *d, uint64_t set, uint64_t path,
                          uint64_t counter)
{
    double total = 0.0;
    for (uint32_t i = 0; i < d->opts.answer_count; i++)
        total += (set >> i & 1) != 0 ? d->answers[i].weight : 0.0;
    if (!(total > 0.0)) // all that is healthy has the weight 0
        return first_of(set);
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), path, LZ_PURPOSE_BALANCE, counter);
    double at = lz_draw_unit(&draw) * total;
    uint32_t chosen = first_of(set);
    for (uint32_t i = 0; i < d->opts.answer_count; i++) {
        if ((set >> i & 1) == 0 || !(d->answers[i].weight > 0.0))
            continue;
        chosen = i;
        at -= d->answers[i].weight;
        if (at < 0.0)
            break;
    }
    return chosen;
}

// By distance alone: geography knows nothing of what goes wrong on the way.
static uint32_t nearest(struct lz_world *w, const struct dns *d, uint64_t set,
                        lz_instance_id client)
{
    lz_host_id from = lz_instance_get(w, client)->host;
    uint32_t best = first_of(set);
    double best_ns = -1.0;
    for (uint32_t i = best; i < d->opts.answer_count; i++) {
        if ((set >> i & 1) == 0)
            continue;
        const struct lz_component *c = lz_world_component(w, d->opts.answers[i]);
        for (uint32_t k = 0; k < c->instance_count; k++) {
            lz_host_id to = lz_instance_get(w, c->instances_first + k)->host;
            double ns = lz_dist_mean(lz_place_latency(w, from, to));
            if (best_ns < 0.0 || ns < best_ns) {
                best_ns = ns;
                best = i;
            }
        }
    }
    return best;
}

static uint32_t choose(struct lz_world *w, const struct dns *d, uint64_t healthy,
                       lz_instance_id client, uint64_t path, uint64_t counter)
{
    uint64_t set = healthy != 0 ? healthy : every_answer(d);
    switch (d->opts.policy) {
    case LZ_DNS_FAILOVER:
        break;
    case LZ_DNS_WEIGHTED:
        return by_weight(w, d, set, path, counter);
    case LZ_DNS_GEO:
    case LZ_DNS_ANYCAST:
        return nearest(w, d, set, client);
    }
    return first_of(set);
}

uint32_t lz_dns_first_answer(struct lz_world *w, lz_component_id id, lz_instance_id client,
                             uint64_t path)
{
    const struct dns *d = dns_at(w, id);
    return choose(w, d, every_answer(d), client, path, 0);
}

uint32_t lz_dns_route(struct lz_world *w, lz_component_id id, lz_instance_id client,
                      uint64_t source)
{
    const struct dns *d = dns_at(w, id);
    uint64_t known = lz_anycast_known(w, d->anycast, source);
    return known != 0 ? nearest(w, d, known, client) : LZ_DNS_NO_ROUTE;
}

// ---------------------------------------------------------------- lookups

// By UDP: a question whose answer does not come is asked once more, halfway to giving up. False
// if that is lost too.
static bool is_answered(struct lz_world *w, const struct dns *d, lz_instance_id client,
                        uint64_t owner, lz_time *took)
{
    for (uint32_t tries = 0; tries < 2; tries++) {
        lz_time trip;
        if (!lz_net_round_trip(w, client, d->servers, owner, tries, &trip))
            continue;
        struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), owner, LZ_PURPOSE_LOOKUP, tries);
        *took = tries * (LZ_DNS_TIMEOUT_NS / 2) + trip;
        if (d->opts.lookup_time.kind != LZ_DIST_NONE)
            *took += lz_dist_time(&d->opts.lookup_time, &draw);
        return true;
    }
    return false;
}

// What active faults make of it: the latest that says something decides, delays add up.
static void disturb(struct lz_world *w, const struct dns *d, lz_instance_id client, uint64_t path,
                    uint64_t counter, struct lz_dns_said *said)
{
    lz_component_id caller = lz_instance_get(w, client)->component;
    uint32_t answer = said->answer;
    for (uint32_t i = 0; i < d->effect_count; i++) {
        const struct lz_dns_effect *e = &d->effects[i].e;
        if (e->caller != 0 && e->caller != caller)
            continue;
        bool touches = e->reply != LZ_DNS_ANSWER;
        if (touches)
            said->reply = e->reply;
        if (e->is_stale) {
            said->answer = choose(w, d, d->effects[i].healthy, client, path, counter);
            touches = said->answer != answer;
        }
        if (e->delay.kind != LZ_DIST_NONE) {
            struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), lz_draw_join(path, e->path),
                                                LZ_PURPOSE_LOOKUP, counter);
            said->took += lz_dist_time(&e->delay, &draw);
            touches = true;
        }
        *e->touched += touches;
    }
}

static lz_time ttl_of(const struct dns *d, enum lz_dns_reply reply)
{
    switch (reply) {
    case LZ_DNS_ANSWER:
    case LZ_DNS_SPOOF:
        return d->opts.ttl;
    case LZ_DNS_NXDOMAIN:
    case LZ_DNS_EMPTY:
        return d->opts.negative_ttl;
    case LZ_DNS_SERVFAIL:
    case LZ_DNS_TIMEOUT:
        break;
    }
    return LZ_DNS_SERVFAIL_TTL_NS;
}

struct lz_dns_said lz_dns_look_up(struct lz_world *w, lz_component_id id, lz_instance_id client,
                                  uint64_t path, uint64_t counter)
{
    const struct dns *d = dns_at(w, id);
    struct lz_dns_said said = {
        .reply = LZ_DNS_ANSWER,
        .answer = choose(w, d, d->healthy, client, path, counter),
    };
    bool is_heard = lz_instance_is_up(lz_instance_get(w, d->servers)) &&
                    is_answered(w, d, client, lz_draw_index(path, counter), &said.took);
    if (d->effect_count > 0)
        disturb(w, d, client, path, counter, &said);
    if (!is_heard)
        said.reply = LZ_DNS_TIMEOUT;
    if (said.reply == LZ_DNS_TIMEOUT)
        said.took = LZ_DNS_TIMEOUT_NS;
    said.ttl = ttl_of(d, said.reply);
    LZ_ASSERT(said.took >= 0 && said.answer < d->opts.answer_count);
    return said;
}

void lz_dns_count(struct lz_world *w, lz_component_id id, enum lz_dns_asked asked)
{
    const struct dns *d = dns_at(w, id);
    lz_metrics_add(w->metrics, d->series.asked, 1);
    if (asked == LZ_DNS_FROM_CACHE || asked == LZ_DNS_STALE)
        lz_metrics_add(w->metrics, d->series.hits, 1);
    if (asked == LZ_DNS_STALE)
        lz_metrics_add(w->metrics, d->series.stale, 1);
    if (asked == LZ_DNS_LOOKED_UP)
        lz_metrics_add(w->metrics, d->series.lookups, 1);
}

void lz_dns_count_failed(struct lz_world *w, lz_component_id id)
{
    lz_metrics_add(w->metrics, dns_at(w, id)->series.failed, 1);
}

// ---------------------------------------------------------------- effects

uint32_t lz_dns_effect_add(struct lz_world *w, lz_component_id id, const struct lz_dns_effect *e)
{
    struct dns *d = dns_at(w, id);
    LZ_ASSERT(e->touched != NULL);
    d->effects =
        lz_grow(w->arena, d->effects, &d->effect_cap, d->effect_count + 1, sizeof(*d->effects));
    d->effects[d->effect_count++] =
        (struct effect){.e = *e, .id = ++d->effect_ids, .healthy = d->healthy};
    return d->effect_ids;
}

void lz_dns_effect_remove(struct lz_world *w, lz_component_id id, uint32_t effect)
{
    struct dns *d = dns_at(w, id);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < d->effect_count; i++)
        if (d->effects[i].id != effect)
            d->effects[kept++] = d->effects[i];
    LZ_ASSERT(kept + 1 == d->effect_count);
    d->effect_count = kept;
}

// ---------------------------------------------------------------- health checks

static bool reaches(struct lz_world *w, const struct dns *d, lz_instance_id i, uint64_t path)
{
    if (!lz_instance_is_up(lz_instance_get(w, i)))
        return false;
    if (!lz_net_can_ask(w, d->servers, i)) {
        struct lz_link *there = lz_link_get(w, d->servers, i);
        if (there->is_cut[0]) // a check that is cut off is what a partition has done
            lz_link_swallow(w, there, LZ_PURPOSE_NET_OUT);
        else
            lz_link_swallow(w, lz_link_get(w, i, d->servers), LZ_PURPOSE_NET_BACK);
        return false;
    }
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), path, LZ_PURPOSE_PROBE, d->checks);
    lz_time there = lz_net_latency(w, d->servers, i, &draw);
    return there + lz_net_latency(w, i, d->servers, &draw) <= d->opts.health.timeout;
}

static bool passes(struct lz_world *w, const struct dns *d, lz_component_id answer)
{
    const struct lz_component *c = lz_world_component(w, answer);
    for (uint32_t i = 0; i < c->instance_count; i++) {
        lz_instance_id id = c->instances_first + i;
        if (reaches(w, d, id, lz_draw_join(d->path, lz_instance_path(w, id))))
            return true;
    }
    return false;
}

static void set_healthy(struct lz_world *w, struct dns *d, uint32_t i, bool is_healthy)
{
    uint64_t before = d->healthy, all = every_answer(d);
    d->healthy = is_healthy ? before | 1ull << i : before & ~(1ull << i);
    LZ_ASSERT(d->healthy != before);
    d->answers[i].fails = d->answers[i].passes = 0;
    const char *name = lz_world_component(w, d->opts.answers[i])->name;
    lz_journal_add(w, &(struct lz_journal_entry){.component = d->id, .kind = "dns"},
                   "%s: %s %s the health checks%s", d->opts.name, name,
                   is_healthy ? "passes" : "fails",
                   d->anycast == NULL ? ""
                   : is_healthy       ? " and announces its route"
                                      : " and withdraws its route");
    if (d->anycast != NULL)
        lz_anycast_changed(w, d->anycast, i, is_healthy);
    uint64_t was = before != 0 ? before : all, is = d->healthy != 0 ? d->healthy : all;
    bool flips = d->opts.policy == LZ_DNS_FAILOVER ? first_of(was) != first_of(is) : was != is;
    if (!flips)
        return;
    lz_metrics_add(w->metrics, d->series.flips, 1);
    if (d->opts.policy == LZ_DNS_FAILOVER)
        lz_journal_add(w, &(struct lz_journal_entry){.component = d->id, .kind = "dns"},
                       "%s is answered with %s", d->opts.name,
                       lz_world_component(w, d->opts.answers[first_of(is)])->name);
}

static void judge(struct lz_world *w, struct dns *d, uint32_t i, bool passed)
{
    struct answer *a = &d->answers[i];
    bool is_healthy = (d->healthy >> i & 1) != 0;
    a->fails = passed ? 0 : a->fails + 1;
    a->passes = passed ? a->passes + 1 : 0;
    if (is_healthy && a->fails >= d->opts.health.fails)
        set_healthy(w, d, i, false);
    else if (!is_healthy && a->passes >= d->opts.health.passes)
        set_healthy(w, d, i, true);
}

static void on_check(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct dns *d = &w->dnses->all[entity];
    d->checks++;
    // Without the name's servers nobody checks, and nothing changes.
    for (uint32_t i = 0; i < d->opts.answer_count; i++)
        if (lz_instance_is_up(lz_instance_get(w, d->servers)))
            judge(w, d, i, passes(w, d, d->opts.answers[i]));
    lz_sim_at(w->sim, lz_sim_now(w->sim) + d->opts.health.every, w->dnses->check, entity, 0);
}

void lz_dnses_start(struct lz_world *w)
{
    for (uint32_t i = 0; i < w->dnses->count; i++) {
        const struct dns *d = &w->dnses->all[i];
        if (!d->opts.is_checked)
            continue;
        struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), d->path, LZ_PURPOSE_PROBE, 0);
        lz_time phase = (lz_time)(lz_draw_unit(&draw) * (double)d->opts.health.every);
        lz_sim_at(w->sim, lz_sim_now(w->sim) + phase, w->dnses->check, i, 0);
    }
}

// ---------------------------------------------------------------- making one

static void nothing_dies(struct lz_world *w, lz_instance_id id, bool silent)
{
    (void)w;
    (void)id;
    (void)silent;
}

static void nothing_happens(struct lz_world *w, lz_instance_id id)
{
    (void)w;
    (void)id;
}

static const struct lz_instance_ops instance_ops = {.died = nothing_dies,
                                                    .started = nothing_happens,
                                                    .stopped = nothing_happens,
                                                    .resumed = nothing_happens};

void lz_dnses_init(struct lz_world *w)
{
    w->dnses = lz_arena_alloc(w->arena, sizeof(*w->dnses));
    w->dnses->check = lz_sim_kind(w->sim, "dns.check", on_check, w);
}

static bool check_opts(const struct lz_world *w, const struct lz_dns_opts *o, struct lz_err *err)
{
    if (o->answer_count == 0 || o->answer_count > LZ_DNS_ANSWERS_MAX)
        return lz_fail(err, LZ_ERANGE, "a name has 1 to %d answers, got %u", LZ_DNS_ANSWERS_MAX,
                       o->answer_count);
    for (uint32_t i = 0; i < o->answer_count; i++) {
        const struct lz_component *c = lz_world_component(w, o->answers[i]);
        for (uint32_t k = 0; k < i; k++)
            if (o->answers[k] == o->answers[i])
                return lz_fail(err, LZ_EEXIST, "%s is answered twice", c->name);
        if (o->weights != NULL && !(o->weights[i] >= 0.0 && o->weights[i] <= 1e9))
            return lz_fail(err, LZ_ERANGE, "the weight of %s must be between 0 and 1e9, got %g",
                           c->name, o->weights[i]);
    }
    if (!(o->honour_ttl >= 0.0 && o->honour_ttl <= 1.0))
        return lz_fail(err, LZ_ERANGE, "honour_ttl must be between 0 and 1, got %g", o->honour_ttl);
    if (o->resolvers > LZ_DNS_RESOLVERS_MAX)
        return lz_fail(err, LZ_EFULL, "at most %d resolvers, got %u", LZ_DNS_RESOLVERS_MAX,
                       o->resolvers);
    return true;
}

static void fill_defaults(struct lz_dns_opts *o)
{
    struct lz_health_opts *h = &o->health;
    h->every = h->every != 0 ? h->every : LZ_S;
    h->timeout = h->timeout != 0 ? h->timeout : LZ_S;
    h->fails = h->fails != 0 ? h->fails : 3;
    h->passes = h->passes != 0 ? h->passes : 2;
    o->resolvers = o->resolvers != 0 ? o->resolvers : 1000;
    if (o->convergence.kind == LZ_DIST_NONE)
        o->convergence = (struct lz_dist){.kind = LZ_DIST_UNIFORM, .a = 0.0, .b = 30e9};
}

bool lz_dns_create(struct lz_world *w, const struct lz_dns_opts *opts, lz_component_id *id,
                   struct lz_err *err)
{
    LZ_ASSERT(opts->ttl >= 0 && opts->negative_ttl >= 0 && opts->stale_at_most >= 0);
    if (!check_opts(w, opts, err) ||
        !lz_world_add(w, opts->name, LZ_COMPONENT_DNS, opts->line, id, err))
        return false;
    struct lz_dnses *ds = w->dnses;
    ds->all = lz_grow(w->arena, ds->all, &ds->cap, ds->count + 1, sizeof(*ds->all));
    lz_instances_add(w, *id, 1, &(struct lz_spread){.host = lz_place_edge_host(w, 0)},
                     &instance_ops);
    struct lz_component *c = &w->components[*id];
    c->index = ds->count;
    struct dns *d = &ds->all[ds->count++];
    *d = (struct dns){.opts = *opts, .id = *id, .servers = c->instances_first, .path = c->path};
    d->opts.name = c->name;
    fill_defaults(&d->opts);
    lz_component_id *ids = lz_arena_alloc(w->arena, opts->answer_count * sizeof(*ids));
    d->answers = lz_arena_alloc(w->arena, opts->answer_count * sizeof(*d->answers));
    for (uint32_t i = 0; i < opts->answer_count; i++) {
        ids[i] = opts->answers[i];
        d->answers[i].weight = opts->weights != NULL ? opts->weights[i] : 1.0;
    }
    d->opts.answers = ids;
    d->opts.weights = NULL; // in d->answers
    d->healthy = every_answer(d);
    if (opts->policy == LZ_DNS_ANYCAST)
        d->anycast = lz_anycast_create(w, opts->answer_count, &d->opts.convergence);
    d->series = (struct series){
        .asked = lz_metrics_counter(w->metrics),
        .hits = lz_metrics_counter(w->metrics),
        .lookups = lz_metrics_counter(w->metrics),
        .stale = lz_metrics_counter(w->metrics),
        .failed = lz_metrics_counter(w->metrics),
        .flips = lz_metrics_counter(w->metrics),
    };
    lz_measure_define(w, *id, "", rows, ROW_COUNT, &d->series);
    return true;
}
