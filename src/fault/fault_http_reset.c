#include "fault/kinds.h"

static const struct lz_param params[] = {
    LZ_PARAMS_REQUESTS,
    LZ_PARAMS_SIDE,
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    bool is_answer = f->opts.params.request.side == LZ_FAULT_OF_ANSWER;
    lz_fault_filter_apply(
        w, f,
        &(struct lz_filter){.act = is_answer ? LZ_FILTER_REPLACE : LZ_FILTER_ABORT,
                            .outcome = LZ_OUTCOME_RESET,
                            .status = 502});
}

const struct lz_fault_kind lz_fault_http_reset = {
    .name = "http_reset",
    .doc = "Reset the connections of the requests that it means, at the door of a replica or once "
           "the work is done.",
    .elsewhere =
        "Chaos Mesh's HTTPChaos abort, of a request or (its target Response) of a response, with "
        "the same selectors: port, path, method, code, one header. fault.reset is of connections, "
        "whatever they carry. With side = \"answer\" the work is done and counted as done, and its "
        "caller cannot know: what is sent again is done twice.",
    .effect_unit = "requests reset",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .check = lz_fault_side_check,
    .fits = lz_fault_filter_fits,
    .apply = apply,
    .revert = lz_fault_filter_revert,
};
