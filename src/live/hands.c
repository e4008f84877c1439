#include "live/hands.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/acts.h"
#include "live/loop.h"

#define LATE_MS 20.0 // of a fault: more is told

// A fault that is in force.
struct held {
    struct lz_hands *hands;
    struct lz_action_firing firing;
    const struct lz_action *action;
    struct lz_fault *fault;
    uint64_t before; // its effect, of earlier firings
    int64_t fired_ns;
    bool is_applied, is_tried, has_waited, is_over;
};

struct lz_hands {
    struct lz_live *live;
    struct lz_fault_hands of;
    struct held **all;
    size_t count;
    uint64_t firings;
};

// ---------------------------------------------------------------- whom it hits

static bool is_among(const lz_instance_id *hits, uint32_t count, lz_instance_id id)
{
    for (uint32_t i = 0; i < count; i++)
        if (hits[i] == id)
            return true;
    return false;
}

// Of a planned fault `f` is NULL: all that its target may mean.
static bool has(const struct lz_hands *h, const struct lz_fault *f, const struct lz_target *t,
                lz_instance_id id)
{
    if (f != NULL && f->is_resolved && t == &f->opts.target && t->kind != LZ_TARGET_LINK)
        return is_among(f->hits, f->hit_count, id);
    return lz_target_has(lz_live_world(h->live), t, id);
}

// The client's end of an edge: a process, or the users of traffic.
static bool has_client(const struct lz_hands *h, const struct lz_fault *f,
                       const struct lz_target *t, const struct lz_site_edge *e)
{
    if (e->from != NULL)
        return has(h, f, t, e->from->target->instance);
    return t->kind == LZ_TARGET_COMPONENT && t->id == e->plan->client;
}

static bool has_server(const struct lz_hands *h, const struct lz_fault *f,
                       const struct lz_target *t, const struct lz_site_edge *e)
{
    return has(h, f, t, e->to->target->instance);
}

// Whether the fault is about this edge, and from which side.
static bool is_edge(const struct lz_hands *h, const struct lz_fault *f,
                    const struct lz_fault_opts *o, const struct lz_site_edge *e, bool *is_reversed)
{
    bool is_link = o->target.kind == LZ_TARGET_LINK;
    const struct lz_target *a = is_link ? o->target.a : &o->target;
    const struct lz_target *b = is_link ? o->target.b : &o->target_b;
    bool has_two = is_link || o->target_b.kind != 0;
    if (!has_two) {
        bool to = has_server(h, f, a, e), from = has_client(h, f, a, e);
        *is_reversed = from && !to;
        return to || from;
    }
    bool along = has_client(h, f, a, e) && has_server(h, f, b, e);
    bool against = has_client(h, f, b, e) && has_server(h, f, a, e);
    *is_reversed = against && !along;
    return along || against;
}

static void find_targets(const struct lz_hands *h, const struct lz_fault *f,
                         const struct lz_fault_opts *o, unsigned on, struct lz_action_firing *out)
{
    struct lz_site *site = lz_live_site(h->live);
    out->processes = lz_mem_alloc((site->process_count + 1) * sizeof(*out->processes));
    out->edges = lz_mem_alloc((site->edge_count + 1) * sizeof(*out->edges));
    for (size_t i = 0; (on & LZ_ACTION_PROCESS) != 0 && i < site->process_count; i++) {
        struct lz_site_process *p = &site->processes[i];
        if (p->target->url == NULL && has(h, f, &o->target, p->target->instance))
            out->processes[out->process_count++] = p;
    }
    for (size_t i = 0; (on & LZ_ACTION_EDGE) != 0 && i < site->edge_count; i++) {
        bool is_reversed;
        if (is_edge(h, f, o, &site->edges[i], &is_reversed))
            out->edges[out->edge_count++] =
                (struct lz_action_edge){.edge = &site->edges[i], .is_reversed = is_reversed};
    }
}

static void free_targets(struct lz_action_firing *f)
{
    free(f->processes);
    free(f->edges);
}

// ---------------------------------------------------------------- when it is planned

// What comes near to a fault that has none: other tools have it, or something of its name.
static const struct {
    const char *kind, *instead;
} nearest[] = {
    {"dns", "names are asked of the machine's resolver, past Lorenz; who is not found is to its "
            "callers as behind a fault.partition or a fault.reset"},
    {"rpc_status", "fault.http_abort answers with a status of HTTP"},
    {"degrade", "fault.http_delay and fault.http_abort make it slow and wrong"},
    {"bad_deploy", "fault.http_delay and fault.http_abort make it slow and wrong"},
    {"down", "fault.kill and fault.blackhole of its processes"},
    {"reboot", "fault.stop with `lasting` ends its processes and starts them again"},
    {"drain", "fault.stop ends its processes in their grace"},
    {"evict", "fault.stop ends its processes in their grace"},
    {"spot_interruption", "fault.stop ends its processes in their grace"},
    {"route_loss", "fault.partition between the two"},
    {"flood", "fault.bandwidth leaves as much less, fault.surge sends more requests"},
    {"bots", "fault.surge sends more requests"},
    {"connection_exhaustion", "fault.fd_limit leaves a program no descriptors for more"},
    {"cert_expiry", "fault.clock_skew puts a program's clock behind the end of its certificates"},
};

static bool refuse_kind(const char *kind, struct lz_err *err)
{
    const char *instead = NULL;
    for (size_t i = 0; i < sizeof(nearest) / sizeof(nearest[0]); i++)
        if (strcmp(nearest[i].kind, kind) == 0)
            instead = nearest[i].instead;
    return lz_fail(err, LZ_ENOENT,
                   "fault.%s has no live form: `lorenz doctor --live` lists those that have%s%s",
                   kind, instead != NULL ? "; " : "", instead != NULL ? instead : "");
}

static bool refuse_target(const struct lz_hands *h, const struct lz_fault_opts *o,
                          const struct lz_action *a, struct lz_err *err)
{
    char what[LZ_TARGET_TEXT_SIZE];
    lz_target_describe(lz_live_world(h->live), &o->target, what, sizeof(what));
    if (a->on == LZ_ACTION_PROCESS)
        return lz_fail(err, LZ_EINVAL,
                       "fault.%s: no process of ours stands for %s: an endpoint is somebody "
                       "else's, and can only be cut off or slowed down",
                       o->kind, what);
    return lz_fail(err, LZ_EINVAL,
                   "fault.%s: no proxy is on the way to or from %s: a `calls`, a `connects` or "
                   "traffic between real things makes one",
                   o->kind, what);
}

static bool check_machine(const struct lz_fault_opts *o, const struct lz_action *a,
                          struct lz_err *err)
{
    struct lz_str saw;
    if (a->probe == NULL)
        return true;
    lz_str_init(&saw);
    bool ok = a->probe(&saw);
    if (!ok)
        lz_fail(err, LZ_ERANGE,
                "fault.%s cannot be carried out here: %s; it needs %s (`lorenz "
                "doctor --live` says what works)",
                o->kind, saw.text, a->needs != NULL ? a->needs : "more");
    lz_str_finish(&saw);
    return ok;
}

static bool has_proxy(const struct lz_action_firing *found)
{
    for (size_t i = 0; i < found->edge_count; i++)
        if (found->edges[i].edge->has_proxy)
            return true;
    return false;
}

// What looks into requests is done where they can be looked into.
static bool check_http(const struct lz_fault_opts *o, const struct lz_action_firing *found,
                       struct lz_err *err)
{
    bool is_tls = false;
    for (size_t i = 0; i < found->edge_count; i++) {
        const struct lz_site_edge *e = found->edges[i].edge;
        if (found->edges[i].is_reversed || !e->has_proxy)
            continue;
        is_tls = is_tls || e->to->address.is_tls;
        if (e->protocol == LZ_LIVE_HTTP && !e->to->address.is_tls)
            return true;
    }
    if (is_tls)
        return lz_fail(
            err, LZ_EINVAL,
            "fault.%s looks into HTTP, and what goes there is encrypted: fault.reset and "
            "fault.latency act on connections, whatever they carry",
            o->kind);
    return lz_fail(err, LZ_EINVAL,
                   "fault.%s looks into HTTP, and no way to its target is said to carry that: "
                   "write protocol = \"http\" there if it speaks HTTP/1.1; fault.reset and "
                   "fault.latency act on connections, whatever they carry",
                   o->kind);
}

// Can what is between these ends carry it out?
static bool check_carrier(const struct lz_hands *h, const struct lz_fault_opts *o,
                          const struct lz_action *a, const struct lz_action_firing *found,
                          struct lz_err *err)
{
    bool is_apart = lz_live_plan_of(h->live)->network == LZ_LIVE_NAMESPACES;
    if (o->params.by != LZ_FAULT_BY_ANY && !is_apart)
        return lz_fail(err, LZ_EINVAL,
                       "fault.%s: `by` says who acts on packets, which only a run in namespaces "
                       "has: write network = \"namespaces\" in the scenario's block, or leave `by` "
                       "out",
                       o->kind);
    bool is_by_packets = a->on == LZ_ACTION_EDGE && lz_action_is_by_packets(a, h->live, o, found);
    if (is_by_packets && o->params.per == LZ_FAULT_PER_CONNECTION)
        return lz_fail(
            err, LZ_EINVAL,
            "fault.%s: packets are drawn one by one, and per = \"connection\" is done by "
            "a proxy, which in namespaces is only before what speaks HTTP: write protocol = "
            "\"http\" there if it does, or leave `per` out, or `network`",
            o->kind);
    if (!is_by_packets && o->params.by != LZ_FAULT_BY_ANY &&
        o->params.per == LZ_FAULT_PER_CONNECTION)
        return lz_fail(
            err, LZ_EINVAL,
            "fault.%s: per = \"connection\" is done by a proxy, and `by` says who acts on "
            "packets: leave one of them out",
            o->kind);
    if (a->on != LZ_ACTION_EDGE || is_by_packets)
        return true;
    if ((a->by & LZ_ACTION_BY_PROXY) == 0)
        return lz_fail(err, LZ_EINVAL,
                       "fault.%s acts on packets, which a proxy does not see: write network = "
                       "\"namespaces\" in the scenario's block",
                       o->kind);
    if (is_apart && !has_proxy(found))
        return lz_fail(err, LZ_EINVAL,
                       "fault.%s is done by a proxy, and in namespaces one is only before what "
                       "speaks HTTP: write protocol = \"http\" there, or leave `network` out",
                       o->kind);
    return !a->is_of_http || check_http(o, found, err);
}

static bool check(void *ctx, const struct lz_fault_opts *o, struct lz_err *err)
{
    struct lz_hands *h = ctx;
    const struct lz_action *a = lz_action_find(o->kind);
    struct lz_action_firing found = {0};
    if (a == NULL)
        return refuse_kind(o->kind, err);
    if (o->ramp > 0 && a->change == NULL)
        return lz_fail(err, LZ_EINVAL, "fault.%s cannot grow in a live run: leave `ramp` out",
                       o->kind);
    // The site is made after the plan is complete: what is checked here is checked again then.
    if (lz_live_site(h->live) != NULL) {
        find_targets(h, NULL, o, a->on, &found);
        bool is_any = a->on == LZ_ACTION_TRAFFIC || found.process_count + found.edge_count > 0;
        bool ok = is_any ? check_carrier(h, o, a, &found, err) : refuse_target(h, o, a, err);
        free_targets(&found);
        if (!ok)
            return false;
    }
    return (a->check == NULL || a->check(o, err)) && check_machine(o, a, err);
}

bool lz_hands_check(struct lz_hands *h, const struct lz_fault *f, struct lz_err *err)
{
    return check(h, &f->opts, err);
}

// ---------------------------------------------------------------- when it fires

static struct held *held_of(const struct lz_hands *h, const struct lz_fault *f)
{
    for (size_t i = 0; i < h->count; i++)
        if (h->all[i]->fault == f && !h->all[i]->is_over)
            return h->all[i];
    return NULL;
}

static void look_at(struct lz_hands *h, struct held *held)
{
    if (held->is_applied && held->action->effect != NULL)
        held->fault->effect = held->before + held->action->effect(h->live, &held->firing);
}

static void carry_out(void *ctx)
{
    struct held *held = ctx;
    struct lz_live *live = held->hands->live;
    struct lz_fault *f = held->fault;
    struct lz_err err;
    double late_ms = (double)(lz_loop_clock() - held->fired_ns) / (double)LZ_MS;
    if (held->is_over) {
        lz_live_doubt(live,
                      "fault %s could not begin before its end: what was to be done earlier "
                      "waited %.0f ms for the undo log to reach the disk",
                      f->name, late_ms);
        return;
    }
    held->is_applied = held->action->apply(live, &held->firing, &err);
    late_ms = (double)(lz_loop_clock() - held->fired_ns) / (double)LZ_MS;
    if (!held->is_applied)
        lz_live_doubt(live, "fault %s could not be carried out: %s", f->name, err.msg);
    else if (held->has_waited && late_ms > LATE_MS)
        lz_live_note(live, "fault %s began %.0f ms late: its undoing had to reach the disk first",
                     f->name, late_ms);
    held->is_tried = true;
    look_at(held->hands, held);
}

// What is about processes is written down first, and waits for that.
static void act(struct held *held, lz_acts_fn *fn)
{
    if ((held->action->on & LZ_ACTION_PROCESS) != 0)
        lz_acts_do(lz_live_acts(held->hands->live), fn, held);
    else
        fn(held);
}

static void apply(void *ctx, struct lz_fault *f)
{
    struct lz_hands *h = ctx;
    struct held *held = lz_mem_alloc(sizeof(*held));
    *held = (struct held){.hands = h,
                          .action = lz_action_find(f->kind->name),
                          .fault = f,
                          .before = f->effect,
                          .fired_ns = lz_loop_clock()};
    LZ_ASSERT(held->action != NULL);
    LZ_ASSERT(held_of(h, f) == NULL);
    held->firing = (struct lz_action_firing){.fault = f, .number = ++h->firings};
    find_targets(h, f, &f->opts, held->action->on, &held->firing);
    h->all = lz_mem_resize(h->all, (h->count + 1) * sizeof(struct held *));
    h->all[h->count++] = held;
    act(held, carry_out);
    held->has_waited = !held->is_tried;
}

static void grow(void *ctx)
{
    struct held *held = ctx;
    struct lz_err err;
    if (held->is_applied && !held->action->change(held->hands->live, &held->firing, &err))
        lz_live_doubt(held->hands->live, "fault %s could not grow: %s", held->fault->name, err.msg);
}

static void change(void *ctx, struct lz_fault *f)
{
    struct held *held = held_of(ctx, f);
    LZ_ASSERT(held != NULL);
    act(held, grow);
}

static void take_back(void *ctx)
{
    struct held *held = ctx;
    struct lz_hands *h = held->hands;
    look_at(h, held);
    if (held->is_applied)
        held->action->end(h->live, &held->firing);
    free_targets(&held->firing);
    for (size_t i = 0; i < h->count; i++)
        if (h->all[i] == held)
            h->all[i] = h->all[--h->count];
    free(held);
}

static void revert(void *ctx, struct lz_fault *f)
{
    struct held *held = held_of(ctx, f);
    LZ_ASSERT(held != NULL);
    held->is_over = true;
    act(held, take_back);
}

void lz_hands_look(struct lz_hands *h)
{
    // To look at what is being changed would disturb it.
    if (h->count == 0 || lz_acts_are_waiting(lz_live_acts(h->live)))
        return;
    for (size_t i = 0; i < h->count; i++)
        look_at(h, h->all[i]);
}

struct lz_hands *lz_hands_create(struct lz_live *live)
{
    struct lz_hands *h = lz_mem_alloc(sizeof(*h));
    *h = (struct lz_hands){.live = live};
    h->of = (struct lz_fault_hands){
        .ctx = h, .check = check, .apply = apply, .change = change, .revert = revert};
    return h;
}

void lz_hands_destroy(struct lz_hands *h)
{
    if (h == NULL)
        return;
    LZ_ASSERT(h->count == 0); // all were ended
    free(h->all);
    free(h);
}

const struct lz_fault_hands *lz_hands_of(struct lz_hands *h)
{
    return &h->of;
}

void lz_hands_describe(struct lz_hands *h, const struct lz_fault *f, struct lz_str *out)
{
    const struct lz_action *a = lz_action_find(f->kind->name);
    struct lz_action_firing found = {0};
    LZ_ASSERT(a != NULL);
    find_targets(h, NULL, &f->opts, a->on, &found);
    bool is_by_packets = lz_action_is_by_packets(a, h->live, &f->opts, &found);
    lz_str_addf(out, "%s", is_by_packets && a->how_packets != NULL ? a->how_packets : a->how);
    for (size_t i = 0; i < found.process_count; i++)
        lz_str_addf(out, "\n              process %s", found.processes[i]->target->name);
    for (size_t i = 0; i < found.edge_count; i++)
        lz_str_addf(out, "\n              %s %s%s", is_by_packets ? "packets of" : "proxy",
                    found.edges[i].edge->name,
                    found.edges[i].is_reversed ? " (the other way)" : "");
    free_targets(&found);
}
