// With `version`, of a service that is rolled out that build is deployed; of another waves send k/n
// of the requests to that build, whatever the route says; without, a new build replaces the running
// one on k/n of the replicas, as a rolling update does.
#include "base/check.h"
#include "fault/kinds.h"
#include "model/service/rollout.h"
#include "model/service/version.h"

static const struct lz_param params[] = {
    {.name = "factor",
     .type = LZ_PARAM_NUMBER,
     .offset = offsetof(struct lz_fault_params, factor),
     .min = 0.001,
     .max = 1e6,
     .doc = "how many times longer work takes (5: five times); default 1"},
    {.name = "error_ratio",
     .type = LZ_PARAM_RATIO,
     .offset = offsetof(struct lz_fault_params, error_ratio),
     .doc = "share of answers that are errors"},
    {.name = "version",
     .type = LZ_PARAM_TEXT,
     .offset = offsetof(struct lz_fault_params, version),
     .doc = "one of the service's `versions`, which is deployed where the service has a rollout, "
            "else requests are sent to it; default a build that is declared nowhere and replaces "
            "what runs"},
    LZ_PARAMS_WAVES,
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    const struct lz_fault_params *p = &o->params;
    if (p->version != NULL || p->factor > 0.0 || p->error_ratio > 0.0)
        return lz_fault_waves_check(o, err);
    return lz_fail(err, LZ_EINVAL,
                   "fault.bad_deploy needs `version`, `factor` or `error_ratio`: what is bad?");
}

static bool fits(const struct lz_world *w, const struct lz_fault_opts *o, struct lz_err *err)
{
    const struct lz_component *c = lz_world_component(w, o->target.id);
    if (c->kind != LZ_COMPONENT_SERVICE)
        return lz_fail(err, LZ_EINVAL,
                       "fault.bad_deploy cannot target the %s %s: only a service "
                       "is deployed",
                       lz_world_kind_name(c->kind), c->name);
    if (o->params.version == NULL)
        return true;
    if (o->target.kind != LZ_TARGET_COMPONENT || o->pick.kind != LZ_PICK_ALL)
        return lz_fail(err, LZ_EINVAL,
                       "fault.bad_deploy with `version` acts on routes, not on replicas: its "
                       "target is the service, without `pick`");
    if (lz_version_find(w, o->target.id, o->params.version) == 0)
        return lz_fail(err, LZ_ENOENT, "service %s has no version \"%s\"", c->name,
                       o->params.version);
    if (o->params.waves > 1 && lz_rollout_is_on(w, o->target.id))
        return lz_fail(err, LZ_EINVAL,
                       "fault.bad_deploy: %s is rolled out in steps of its own (rollout): leave "
                       "out `waves`",
                       c->name);
    return true;
}

static double share_of(const struct lz_fault *f)
{
    return (double)(f->step + 1) / (double)f->opts.params.waves;
}

// Of a service that is rolled out: undo[0] is the rollout's. The pods that are made count as well
// as what they serve.
static void deploy(struct lz_world *w, struct lz_fault *f, uint32_t number)
{
    const struct lz_fault_params *p = &f->opts.params;
    lz_component_id service = f->opts.target.id;
    f->undo[1] =
        lz_version_degrade(w, service, number,
                           &(struct lz_version_loss){.factor = p->factor > 0.0 ? p->factor : 1.0,
                                                     .error_ratio = p->error_ratio,
                                                     .touched = &f->effect});
    f->undo[0] = lz_rollout_take(w, service, number);
}

static void roll_back(struct lz_world *w, const struct lz_fault *f)
{
    lz_component_id service = f->opts.target.id;
    lz_version_undo(w, service, f->undo[1]);
    lz_rollout_undo(w, service, f->undo[0]);
}

// undo[0] is the takeover's, undo[1] the degradation's, if there is one.
static void apply(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_fault_params *p = &f->opts.params;
    lz_component_id service = f->opts.target.id;
    if (p->version == NULL) {
        lz_fault_waves_apply(w, f);
        return;
    }
    uint32_t number = lz_version_find(w, service, p->version);
    LZ_ASSERT(number != 0);
    if (lz_rollout_is_on(w, service)) {
        deploy(w, f, number);
        return;
    }
    f->undo[0] = lz_version_take(w, service, number, share_of(f), &f->effect);
    f->undo[1] = 0;
    if (p->factor > 0.0 || p->error_ratio > 0.0)
        f->undo[1] = lz_version_degrade(
            w, service, number,
            &(struct lz_version_loss){.factor = p->factor > 0.0 ? p->factor : 1.0,
                                      .error_ratio = p->error_ratio});
}

static void advance(struct lz_world *w, struct lz_fault *f)
{
    if (f->opts.params.version == NULL)
        lz_fault_waves_advance(w, f);
    else
        lz_version_set_share(w, f->opts.target.id, f->undo[0], share_of(f));
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    if (f->opts.params.version == NULL) {
        lz_fault_waves_revert(w, f);
        return;
    }
    if (lz_rollout_is_on(w, f->opts.target.id)) {
        roll_back(w, f);
        return;
    }
    lz_version_undo(w, f->opts.target.id, f->undo[0]);
    if (f->undo[1] != 0)
        lz_version_undo(w, f->opts.target.id, f->undo[1]);
}

const struct lz_fault_kind lz_fault_bad_deploy = {
    .name = "bad_deploy",
    .doc = "Bring out a build that is slower or wrong, everywhere at once or in waves.",
    .effect_unit = "requests touched",
    .elsewhere = "No other tool has it: chaos tools break what a good build runs on. Here the "
                 "build itself is bad; undoing it is the rollback, at once and for all; of a "
                 "service with a rollout it is "
                 "deployed and rolled back as any version, and replicas made from it count too.",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT) | LZ_TARGET_BIT(LZ_TARGET_INSTANCE),
    .per_instance = true,
    .params = params,
    .check = check,
    .fits = fits,
    .apply = apply,
    .next = lz_fault_waves_next,
    .advance = advance,
    .revert = revert,
};
