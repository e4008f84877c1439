#include "fault/kinds.h"

static const struct lz_param params[] = {
    {.name = "status",
     .type = LZ_PARAM_COUNT,
     .offset = LZ_FAULT_AT(status),
     .doc = "of the answer; default 500, and 429 and 503 count as refused"},
    LZ_PARAMS_REQUESTS,
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    uint32_t status = f->opts.params.request.status;
    if (status == 0)
        status = 500;
    lz_fault_filter_apply(w, f,
                          &(struct lz_filter){.act = LZ_FILTER_ABORT,
                                              .outcome = lz_fault_outcome(status),
                                              .status = (uint16_t)status});
}

const struct lz_fault_kind lz_fault_http_abort = {
    .name = "http_abort",
    .doc = "Answer requests at the door of a replica, without any work.",
    .elsewhere = "Chaos Mesh's HTTPChaos abort breaks the connection: that is fault.http_reset. "
                 "Envoy, Istio "
                 "and Linkerd answer with a status, as this does, and have no `first` or `nth`.",
    .effect_unit = "requests aborted",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .check = lz_fault_filter_check,
    .fits = lz_fault_filter_fits,
    .apply = apply,
    .revert = lz_fault_filter_revert,
};
