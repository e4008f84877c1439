#include "base/check.h"
#include "fault/kinds.h"
#include "model/service/auth.h"

static const struct lz_param params[] = {{0}};

bool lz_fault_auth_fits(const struct lz_world *w, const struct lz_fault_opts *o, struct lz_err *err)
{
    if (lz_auth_is_issuer(w, o->target.id))
        return true;
    return lz_fail(err, LZ_EINVAL,
                   "fault.%s: %s issues no tokens: a service has to name it, by auth = { issuer = "
                   "... }",
                   o->kind, lz_world_component(w, o->target.id)->name);
}

void lz_fault_auth_apply(struct lz_world *w, struct lz_fault *f, uint32_t trouble)
{
    LZ_ASSERT(trouble != 0);
    *lz_fault_undo(w, f) = trouble;
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_auth_apply(w, f, lz_auth_take_away(w, f->opts.target.id, &f->effect));
}

void lz_fault_auth_revert(struct lz_world *w, struct lz_fault *f)
{
    LZ_ASSERT(f->undo[0] != 0);
    lz_auth_restore(w, f->undo[0]);
}

const struct lz_fault_kind lz_fault_auth_outage = {
    .name = "auth_outage",
    .doc = "Take the identity provider away: it answers whatever it is asked with 503. Tokens that "
           "are out live on, and are refused with 401 one by one as they run out.",
    .elsewhere = "No other tool has it: killing the provider's processes is fault.kill, cutting it "
                 "off fault.partition; what comes of it is the same.",
    .effect_unit = "tokens refused",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON(LZ_COMPONENT_SERVICE) | LZ_FAULT_ON(LZ_COMPONENT_BALANCER) |
          LZ_FAULT_ON(LZ_COMPONENT_GATEWAY),
    .params = params,
    .fits = lz_fault_auth_fits,
    .apply = apply,
    .revert = lz_fault_auth_revert,
};
