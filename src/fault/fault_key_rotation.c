#include "fault/kinds.h"
#include "model/service/auth.h"

static const struct lz_param params[] = {
    {.name = "withdraw",
     .type = LZ_PARAM_BOOL,
     .offset = offsetof(struct lz_fault_params, withdraw),
     .doc = "the old key is not published any more: what it signed is refused by who knows; "
            "default false"},
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    bool withdraw = f->opts.params.withdraw;
    lz_fault_auth_apply(w, f, lz_auth_rotate(w, f->opts.target.id, withdraw, &f->effect));
}

const struct lz_fault_kind lz_fault_key_rotation = {
    .name = "key_rotation",
    .doc = "Replace the key that signs tokens, before those who check them have heard of it: new "
           "tokens are refused by each replica until it has fetched the keys. With `lasting` the "
           "rotation is taken back after it.",
    .elsewhere = "No other tool has it.",
    .effect_unit = "tokens refused",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON(LZ_COMPONENT_SERVICE) | LZ_FAULT_ON(LZ_COMPONENT_BALANCER) |
          LZ_FAULT_ON(LZ_COMPONENT_GATEWAY),
    .params = params,
    .fits = lz_fault_auth_fits,
    .apply = apply,
    .revert = lz_fault_auth_revert,
};
