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
    {.name = "set_header",
     .type = LZ_PARAM_TEXT,
     .offset = LZ_FAULT_AT(set_header),
     .doc = "in a live run, of the answer, whether it had it or not: \"cache-control: no-store\""},
    LZ_PARAM_OF_STATUS,
    LZ_PARAMS_REQUESTS,
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    const struct lz_fault_request_params *p = &o->params.request;
    if (p->status == 0 && p->body == NULL && p->set_header == NULL)
        return lz_fail(
            err, LZ_EINVAL,
            "fault.http_replace needs `status` or `body`, or in a live run `set_header`");
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
        "As Chaos Mesh's HTTPChaos replace of a response, whose selector `code` is `of_status`. "
        "Requests are not rewritten: here what a request says is its operation and its key.",
    .effect_unit = "answers replaced",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .check = check,
    .fits = lz_fault_filter_fits,
    .apply = apply,
    .revert = lz_fault_filter_revert,
};
