#include "fault/kinds.h"

static const struct lz_param params[] = {
    {.name = "status",
     .type = LZ_PARAM_COUNT,
     .offset = LZ_FAULT_AT(status),
     .doc = "instead of the answer's"},
    {.name = "body",
     .type = LZ_PARAM_TEXT,
     .offset = LZ_FAULT_AT(body),
     .doc = "instead of the answer's: a handler that called sees a value made from this text"},
    LZ_PARAMS_REQUESTS,
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->params.request.status == 0 && o->params.request.body == NULL)
        return lz_fail(err, LZ_EINVAL, "fault.http_replace needs `status` or `body`");
    return lz_fault_filter_check(o, err);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    uint32_t status = f->opts.params.request.status;
    lz_fault_filter_apply(w, f,
                          &(struct lz_filter){.act = LZ_FILTER_REPLACE,
                                              .outcome = lz_fault_outcome(status),
                                              .status = (uint16_t)status,
                                              .body = f->opts.params.request.body});
}

const struct lz_fault_kind lz_fault_http_replace = {
    .name = "http_replace",
    .doc = "Replace what a replica answers after its work; it counts what it meant to say.",
    .elsewhere =
        "As Chaos Mesh's HTTPChaos replace of a response. Requests are not rewritten: here "
        "what a request says is its operation and its key.",
    .effect_unit = "answers replaced",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .check = check,
    .apply = apply,
    .revert = lz_fault_filter_revert,
};
