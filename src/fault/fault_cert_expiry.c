// With `expires_at` later than `at` the certificate runs out as the fault's one step.
#include "base/check.h"
#include "fault/kinds.h"
#include "model/net/cert.h"

static const struct lz_param params[] = {
    {.name = "expires_at",
     .type = LZ_PARAM_DURATION,
     .offset = offsetof(struct lz_fault_params, expires_at),
     .doc = "an instant of the run at which it runs out; default `at`"},
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    lz_time expires = o->params.expires_at;
    if (expires == 0 || o->at < 0)
        return true;
    if (expires < o->at)
        return lz_fail(err, LZ_ERANGE,
                       "fault.cert_expiry: `expires_at` (%gs) lies before `at` (%gs)",
                       (double)expires / 1e9, (double)o->at / 1e9);
    if (o->lasting > 0 && expires >= o->at + o->lasting)
        return lz_fail(err, LZ_ERANGE,
                       "fault.cert_expiry: `expires_at` (%gs) lies after the fault is over (%gs)",
                       (double)expires / 1e9, (double)(o->at + o->lasting) / 1e9);
    return true;
}

// How much later than its beginning the firing's certificates run out.
static lz_time later(const struct lz_fault *f)
{
    lz_time wait = f->opts.params.expires_at - f->opts.at;
    return f->opts.params.expires_at > 0 && wait > 0 ? wait : 0;
}

static void expire(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->undo[i] = lz_cert_expire(w, f->hits[i], &f->effect);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->undo[i] = 0;
    if (later(f) == 0)
        expire(w, f);
}

static lz_time next(struct lz_world *w, const struct lz_fault *f)
{
    (void)w;
    return f->step == 0 ? later(f) : 0;
}

static void advance(struct lz_world *w, struct lz_fault *f)
{
    LZ_ASSERT(f->step == 1);
    expire(w, f);
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        if (f->undo[i] != 0)
            lz_cert_renew(w, f->hits[i], f->undo[i]);
}

const struct lz_fault_kind lz_fault_cert_expiry = {
    .name = "cert_expiry",
    .doc = "Let certificates run out: new handshakes fail, established sessions live on. What "
           "opens connections are restarts, pools that recycle, and traffic's share of `fresh` "
           "ones.",
    .elsewhere = "Gremlin's certificate expiry check looks whether a certificate would be valid "
                 "at a later date; no other tool lets one run out.",
    .effect_unit = "handshakes refused",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .check = check,
    .apply = apply,
    .next = next,
    .advance = advance,
    .revert = revert,
};
