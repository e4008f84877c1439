#include "fault/kinds.h"
#include "model/net/dns.h"

// The words of `answer`, in their order.
enum { UNCHANGED, NXDOMAIN, SERVFAIL, TIMEOUT, EMPTY, STALE };

static const struct lz_param params[] = {
    {.name = "answer",
     .type = LZ_PARAM_CHOICE,
     .offset = offsetof(struct lz_fault_params, answer),
     .choices = "unchanged|nxdomain|servfail|timeout|empty|stale",
     .doc = "what lookups get: \"nxdomain\" and \"empty\" are cached for the name's negative_ttl, "
            "\"servfail\" for 1s, \"timeout\" takes 10s, \"stale\" is the answer of when it began"},
    {.name = "delay",
     .type = LZ_PARAM_DIST,
     .offset = offsetof(struct lz_fault_params, delay),
     .doc = "how much later lookups are answered: a duration or a distribution"},
    {.name = "spoof",
     .type = LZ_PARAM_TEXT,
     .offset = offsetof(struct lz_fault_params, spoof),
     .doc = "an address that is answered instead, such as \"10.6.6.6\": nobody listens there"},
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    const struct lz_fault_params *p = &o->params;
    if (p->answer == UNCHANGED && p->delay.kind == LZ_DIST_NONE && p->spoof == NULL)
        return lz_fail(err, LZ_EINVAL, "fault.dns needs `answer`, `delay` or `spoof`");
    if (p->answer != UNCHANGED && p->spoof != NULL)
        return lz_fail(err, LZ_EINVAL,
                       "fault.dns has `answer` and `spoof`: a lookup gets one or the other");
    if (p->spoof != NULL && p->spoof[0] == '\0')
        return lz_fail(err, LZ_EINVAL, "`spoof` of fault.dns: an address has at least one letter");
    return true;
}

// Who goes to an anycast address asks no server for it: nothing would ever be touched.
static bool fits(const struct lz_world *w, const struct lz_fault_opts *o, struct lz_err *err)
{
    if (lz_dns_opts(w, o->target.id)->policy != LZ_DNS_ANYCAST)
        return true;
    return lz_fail(err, LZ_EINVAL,
                   "fault.dns cannot target %s, an anycast address that nobody looks up: "
                   "fault.route_loss withdraws routes",
                   lz_world_component(w, o->target.id)->name);
}

static enum lz_dns_reply reply_of(const struct lz_fault_params *p)
{
    static const enum lz_dns_reply replies[] = {
        [UNCHANGED] = LZ_DNS_ANSWER, [NXDOMAIN] = LZ_DNS_NXDOMAIN, [SERVFAIL] = LZ_DNS_SERVFAIL,
        [TIMEOUT] = LZ_DNS_TIMEOUT,  [EMPTY] = LZ_DNS_EMPTY,       [STALE] = LZ_DNS_ANSWER,
    };
    return p->spoof != NULL ? LZ_DNS_SPOOF : replies[p->answer];
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_fault_opts *o = &f->opts;
    *lz_fault_undo(w, f) =
        lz_dns_effect_add(w, o->target.id,
                          &(struct lz_dns_effect){
                              .reply = reply_of(&o->params),
                              .is_stale = o->params.answer == STALE,
                              .delay = o->params.delay,
                              .caller = o->target_b.kind != 0 ? o->target_b.id : 0,
                              .path = f->path,
                              .touched = &f->effect,
                          });
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    lz_dns_effect_remove(w, f->opts.target.id, f->undo[0]);
}

const struct lz_fault_kind lz_fault_dns = {
    .name = "dns",
    .doc = "Change what lookups of a name are answered, of everybody's or of one caller's "
           "(the second target). What resolvers have cached stays good.",
    .elsewhere = "Chaos Mesh (DNSChaos: error, random) and Litmus (pod-dns-error, pod-dns-spoof) "
                 "answer in place of a pod's resolver, so that its own cache never helps. This "
                 "is the name's servers: caches answer until their time is over, and keep what "
                 "they were told meanwhile for longer than the fault lasts.",
    .effect_unit = "lookups changed",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .second = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON(LZ_COMPONENT_DNS),
    .params = params,
    .check = check,
    .fits = fits,
    .apply = apply,
    .revert = revert,
};
