// What the faults at the door of replicas have in common.
#include "base/check.h"
#include "fault/kinds.h"

bool lz_fault_filter_check(const struct lz_fault_opts *o, struct lz_err *err)
{
    const struct lz_fault_request_params *p = &o->params.request;
    if (!(p->ratio > 0.0))
        return lz_fail(err, LZ_ERANGE, "fault.%s: a `ratio` of 0 touches nothing", o->kind);
    if (p->status != 0 && (p->status < 100 || p->status > 599))
        return lz_fail(err, LZ_ERANGE, "`status` of fault.%s must be between 100 and 599, got %u",
                       o->kind, p->status);
    if (p->path != NULL && p->path[0] == '\0')
        return lz_fail(err, LZ_EINVAL, "`path` of fault.%s is empty: leave it out for all",
                       o->kind);
    if (p->method != NULL && p->method[0] == '\0')
        return lz_fail(err, LZ_EINVAL, "`method` of fault.%s is empty: leave it out for all",
                       o->kind);
    return true;
}

void lz_fault_filter_apply(struct lz_world *w, struct lz_fault *f, struct lz_filter *filter)
{
    const struct lz_fault_request_params *p = &f->opts.params.request;
    LZ_ASSERT(p->ratio > 0.0);
    filter->path = p->path;
    filter->method = p->method;
    filter->ratio = p->ratio;
    filter->first = p->first;
    filter->nth = p->nth;
    filter->owner = f->path;
    filter->touched = &f->effect;
    f->undo[0] = lz_filter_add(w, filter, f->hits, f->hit_count);
}

void lz_fault_filter_revert(struct lz_world *w, struct lz_fault *f)
{
    LZ_ASSERT(f->undo != NULL);
    lz_filter_remove(w, f->undo[0]);
}
