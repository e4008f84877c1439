#include "base/check.h"
#include "fault/kinds.h"

// The codes of gRPC (google.rpc.Code) with the status that stands for each in HTTP, as its
// documentation maps them.
static const struct {
    const char *code;
    uint16_t status;
} codes[] = {
    {"UNAVAILABLE", 503},
    {"RESOURCE_EXHAUSTED", 429},
    {"DEADLINE_EXCEEDED", 504},
    {"INTERNAL", 500},
    {"UNKNOWN", 500},
    {"DATA_LOSS", 500},
    {"CANCELLED", 499},
    {"ABORTED", 409},
    {"ALREADY_EXISTS", 409},
    {"NOT_FOUND", 404},
    {"PERMISSION_DENIED", 403},
    {"UNAUTHENTICATED", 401},
    {"INVALID_ARGUMENT", 400},
    {"OUT_OF_RANGE", 400},
    {"FAILED_PRECONDITION", 400},
    {"UNIMPLEMENTED", 501},
};

static const struct lz_param params[] = {
    {.name = "code",
     .type = LZ_PARAM_CHOICE,
     .offset = LZ_FAULT_AT(code),
     .required = true,
     .choices = "UNAVAILABLE|RESOURCE_EXHAUSTED|DEADLINE_EXCEEDED|INTERNAL|UNKNOWN|DATA_LOSS|"
                "CANCELLED|ABORTED|ALREADY_EXISTS|NOT_FOUND|PERMISSION_DENIED|UNAUTHENTICATED|"
                "INVALID_ARGUMENT|OUT_OF_RANGE|FAILED_PRECONDITION|UNIMPLEMENTED",
     .doc = "a status of gRPC; a caller sees the HTTP status that stands for it"},
    LZ_PARAMS_REQUESTS,
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    unsigned code = f->opts.params.request.code;
    LZ_ASSERT(code < sizeof(codes) / sizeof(codes[0]));
    lz_fault_filter_apply(w, f,
                          &(struct lz_filter){.act = LZ_FILTER_ABORT,
                                              .outcome = lz_fault_outcome(codes[code].status),
                                              .status = codes[code].status});
}

const struct lz_fault_kind lz_fault_rpc_status = {
    .name = "rpc_status",
    .doc = "Answer calls with a status of gRPC at the door of a replica, without any work.",
    .elsewhere = "Envoy's fault filter (grpc_status) does the same; Chaos Mesh has none for gRPC.",
    .effect_unit = "requests aborted",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .check = lz_fault_filter_check,
    .fits = lz_fault_filter_fits,
    .apply = apply,
    .revert = lz_fault_filter_revert,
};
