// What the faults at the door of replicas have in common.
#include <string.h>

#include "base/check.h"
#include "fault/kinds.h"
#include "model/node/instance.h"

#define STATUS_MIN 200u // below it another answer follows
#define STATUS_MAX 599u

static bool check_status(const char *kind, const char *name, uint32_t status, struct lz_err *err)
{
    if (status == 0 || (status >= STATUS_MIN && status <= STATUS_MAX))
        return true;
    return lz_fail(err, LZ_ERANGE, "`%s` of fault.%s must be between %u and %u, got %u", name, kind,
                   STATUS_MIN, STATUS_MAX, status);
}

static bool check_text(const char *kind, const char *name, const char *text, struct lz_err *err)
{
    if (text == NULL || text[0] != '\0')
        return true;
    return lz_fail(err, LZ_EINVAL, "`%s` of fault.%s is empty: leave it out for all", name, kind);
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

// "name" or "name: value", and nothing that would end the line.
static bool is_header(const char *text)
{
    size_t n = 0;
    while (is_name_char(text[n]))
        n++;
    return n > 0 && (text[n] == '\0' || text[n] == ':') && strpbrk(text, "\r\n") == NULL;
}

static bool check_header(const char *kind, const char *name, const char *text, bool is_whole,
                         struct lz_err *err)
{
    if (text == NULL || (is_header(text) && (!is_whole || strchr(text, ':') != NULL)))
        return true;
    return lz_fail(err, LZ_EINVAL,
                   "`%s` of fault.%s is one header, such as \"x-user: eve\", got \"%.100s\"", name,
                   kind, text);
}

bool lz_fault_filter_check(const struct lz_fault_opts *o, struct lz_err *err)
{
    const struct lz_fault_request_params *p = &o->params.request;
    if (!(p->ratio > 0.0))
        return lz_fail(err, LZ_ERANGE, "fault.%s: a `ratio` of 0 touches nothing", o->kind);
    if (p->port > UINT16_MAX)
        return lz_fail(err, LZ_ERANGE, "`port` of fault.%s must be between 1 and 65535, got %u",
                       o->kind, p->port);
    return check_status(o->kind, "status", p->status, err) &&
           check_status(o->kind, "of_status", p->of_status, err) &&
           check_text(o->kind, "path", p->path, err) &&
           check_text(o->kind, "method", p->method, err) &&
           check_header(o->kind, "header", p->header, false, err) &&
           check_header(o->kind, "set_header", p->set_header, true, err);
}

bool lz_fault_side_check(const struct lz_fault_opts *o, struct lz_err *err)
{
    const struct lz_fault_request_params *p = &o->params.request;
    if (p->of_status != 0 && p->side == LZ_FAULT_OF_REQUEST)
        return lz_fail(err, LZ_EINVAL,
                       "fault.%s has `of_status`, and a request has none yet: side = \"answer\" is "
                       "what it is answered",
                       o->kind);
    return lz_fault_filter_check(o, err);
}

bool lz_fault_filter_fits(const struct lz_world *w, const struct lz_fault_opts *o,
                          struct lz_err *err)
{
    const struct lz_fault_request_params *p = &o->params.request;
    bool is_component = o->target.kind != 0 && o->target.kind <= LZ_TARGET_REPLICA;
    const struct lz_component *c = is_component ? lz_world_component(w, o->target.id) : NULL;
    if (c != NULL && (c->kind == LZ_COMPONENT_BROKER || c->kind == LZ_COMPONENT_TOPIC))
        return lz_fail(err, LZ_EINVAL,
                       "fault.%s cannot touch %s %s: what a broker is sent is no request of HTTP "
                       "or gRPC; fault.latency, fault.reset and fault.degrade act on it",
                       o->kind, lz_world_kind_name(c->kind), c->name);
    if (p->header == NULL && p->set_header == NULL)
        return true;
    return lz_fail(err, LZ_EINVAL,
                   "fault.%s has `%s`, and what is simulated has no headers: only `lorenz live` "
                   "can do that; `path` and `method` choose here too",
                   o->kind, p->header != NULL ? "header" : "set_header");
}

// Those of the hits that listen there.
static uint32_t of_port(const struct lz_world *w, const struct lz_fault *f, lz_instance_id *at)
{
    uint32_t count = 0, port = f->opts.params.request.port;
    for (uint32_t i = 0; i < f->hit_count; i++) {
        lz_component_id c = lz_instance_get(w, f->hits[i])->component;
        if (port == 0 || lz_world_component(w, c)->port == port)
            at[count++] = f->hits[i];
    }
    return count;
}

void lz_fault_filter_apply(struct lz_world *w, struct lz_fault *f, struct lz_filter *filter)
{
    const struct lz_fault_request_params *p = &f->opts.params.request;
    LZ_ASSERT(p->ratio > 0.0);
    filter->is_fault = true;
    filter->path = p->path;
    filter->method = p->method;
    filter->ratio = p->ratio;
    filter->first = p->first;
    filter->nth = p->nth;
    filter->owner = f->path;
    filter->of_status = (uint16_t)p->of_status;
    filter->touched = &f->effect;
    size_t size = (f->hit_count + 1) * sizeof(lz_instance_id);
    lz_instance_id *at = lz_arena_alloc(w->arena, size);
    f->undo[0] = lz_filter_add(w, filter, at, of_port(w, f, at));
    lz_arena_free(w->arena, at, size);
}

void lz_fault_filter_revert(struct lz_world *w, struct lz_fault *f)
{
    LZ_ASSERT(f->undo != NULL);
    lz_filter_remove(w, f->undo[0]);
}
