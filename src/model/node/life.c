#include "model/node/life.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/client/edge.h"
#include "model/net/net.h"
#include "model/node/capacity.h"
#include "model/node/evict.h"
#include "model/node/life_state.h"
#include "model/node/nodes.h"
#include "model/service/task.h"

static const struct lz_life_opts undeclared = {.backoff = 10 * LZ_S,
                                               .backoff_max = 300 * LZ_S,
                                               .backoff_reset = 600 * LZ_S,
                                               .grace_period = LZ_LIFE_GRACE_NS};

struct lz_life *lz_life_get(const struct lz_world *w, lz_instance_id id)
{
    const struct lz_lives *ls = w->lives;
    return id < ls->cap ? ls->all[id] : NULL;
}

const struct lz_life_opts *lz_life_opts_of(const struct lz_world *w, lz_instance_id id)
{
    const struct lz_lives *ls = w->lives;
    lz_component_id c = lz_instance_get(w, id)->component;
    return c < ls->declared_cap && ls->declared[c] != NULL ? ls->declared[c] : &undeclared;
}

// What is known of an instance, from now on.
struct lz_life *lz_life_of(struct lz_world *w, lz_instance_id id)
{
    struct lz_lives *ls = w->lives;
    if (lz_life_get(w, id) != NULL)
        return ls->all[id];
    ls->all = lz_grow(w->arena, ls->all, &ls->cap, id + 1, sizeof(struct lz_life *));
    struct lz_life *l = ls->all[id] = lz_arena_alloc(w->arena, sizeof(*l));
    l->opts = lz_life_opts_of(w, id);
    l->successor = -1;
    l->is_started = true;
    lz_probes_reset(l);
    return l;
}

lz_event_id lz_life_later(struct lz_world *w, lz_time delay, lz_kind kind, lz_instance_id id)
{
    return lz_sim_at(w->sim, lz_sim_now(w->sim) + delay, kind, id,
                     lz_instance_get(w, id)->incarnation);
}

bool lz_life_is_current(const struct lz_world *w, lz_instance_id id, uint64_t incarnation)
{
    return lz_instance_get(w, id)->incarnation == incarnation;
}

// ---- starting

// A process begins. True: it has to start up.
static bool begin(struct lz_world *w, lz_instance_id id, struct lz_life *l)
{
    lz_time now = lz_sim_now(w->sim);
    l->begun = now;
    l->is_told = false;
    l->moves_to = 0;
    l->is_started = !l->opts->startup_probe.is_on;
    l->is_unready = l->opts->readiness.is_on || !l->is_started;
    lz_probes_reset(l);
    lz_time since = l->successor >= 0 ? now - l->successor : 0;
    l->successor = -1;
    if (l->opts->startup.kind == LZ_DIST_NONE) {
        if (l->flaw == LZ_LIFE_NEVER_STARTS)
            l->startup = lz_life_later(w, 0, w->lives->startup, id);
        return l->flaw == LZ_LIFE_NEVER_STARTS;
    }
    const struct lz_instance *i = lz_instance_get(w, id);
    uint64_t owner = lz_instance_path(w, id);
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), owner, LZ_PURPOSE_STARTUP, i->incarnation);
    lz_time left = lz_dist_time(&l->opts->startup, &draw) - since;
    if (left <= 0 && l->flaw != LZ_LIFE_NEVER_STARTS)
        return false;
    left = left > 0 ? left : 0;
    l->startup = lz_life_later(w, left, w->lives->startup, id);
    return true;
}

bool lz_life_begun(struct lz_world *w, lz_instance_id id)
{
    struct lz_life *l = lz_life_get(w, id);
    if (l == NULL)
        return false;
    bool is_starting = begin(w, id, l);
    l->is_dead = l->is_dead || (is_starting && w->balances->has_endpoints);
    // Back from a lost host, it may be thought to serve.
    if (!lz_instance_get(w, id)->is_out && (l->is_unready || l->is_dead))
        lz_tell_callers(w, id);
    return is_starting;
}

lz_time lz_life_moving(const struct lz_world *w, lz_instance_id id)
{
    const struct lz_life *l = lz_life_get(w, id);
    return l != NULL && l->successor >= 0 ? lz_sim_now(w->sim) - l->successor : 0;
}

void lz_life_moved(struct lz_world *w, lz_instance_id id)
{
    struct lz_life *l = lz_life_get(w, id);
    if (l != NULL && l->successor >= 0)
        l->successor = lz_sim_now(w->sim);
}

// It listens, and the callers hear of it unless its readiness probe has a say.
void lz_life_serves(struct lz_world *w, lz_instance_id id)
{
    struct lz_life *l = lz_life_get(w, id);
    if (l == NULL)
        return;
    l->is_dead = false;
    lz_tell_callers(w, id);
    for (uint32_t n = 0; n < l->loop_count && l->loops_on > 0; n++)
        if (l->loop_is_on[n])
            lz_life_later(w, l->loops[n].life, w->lives->crash, id);
}

static void on_startup(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (!lz_life_is_current(w, entity, payload) || !lz_instance_get(w, entity)->is_starting ||
        lz_instance_defer(w, entity, w->lives->startup, payload))
        return;
    lz_life_get(w, entity)->startup = 0;
    if (lz_life_get(w, entity)->flaw == LZ_LIFE_NEVER_STARTS) {
        lz_life_crash(w, entity, "crashed as it started");
        return;
    }
    lz_instance_get(w, entity)->is_starting = false;
    lz_instance_settle(w, entity);
    lz_life_serves(w, entity);
}

// ---- stopping

void lz_life_ended(struct lz_world *w, lz_instance_id id)
{
    // The kubelet tells of a container that has ended, probes or not; others hear by a reset.
    bool is_lost = lz_instance_get(w, id)->state == LZ_INSTANCE_LOST;
    bool is_told_of = w->balances->has_endpoints && !is_lost;
    struct lz_life *l = is_told_of ? lz_life_of(w, id) : lz_life_get(w, id);
    if (l == NULL)
        return;
    l->is_dead = l->is_dead || is_told_of;
    lz_sim_cancel(w->sim, l->startup);
    lz_sim_cancel(w->sim, l->term);
    lz_sim_cancel(w->sim, l->kill);
    if (l->kill != 0 && --w->lives->stopping == 0)
        w->unusual &= ~(uint32_t)LZ_UNUSUAL_DRAINS;
    l->startup = l->term = l->kill = 0;
    if (l->opts->readiness.is_on || l->opts->startup_probe.is_on)
        l->is_unready = true;
    if (!is_lost || !lz_nodes_has(w, lz_instance_get(w, id)->host))
        lz_tell_callers(w, id); // of a node that is lost the controller does
    // A hold outlives the process: what comes back from a lost host must not start.
    if (l->holds > 0)
        lz_instance_get(w, id)->is_ended = true;
}

void lz_life_found_dead(struct lz_world *w, lz_instance_id id)
{
    bool is_cared_for = w->balances->has_endpoints;
    struct lz_life *l = is_cared_for ? lz_life_of(w, id) : lz_life_get(w, id);
    if (l == NULL || l->moves_to != 0)
        return; // nobody cares, or it is deleted anyway
    l->is_dead = l->is_dead || is_cared_for;
    lz_tell_callers(w, id);
}

// Another pod begins where one was: the crashes and the timer were that one's.
static void forget_pod(struct lz_world *w, struct lz_life *l)
{
    lz_sim_cancel(w->sim, l->restart);
    l->restart = 0;
    l->is_restarting = false;
    l->backoff = 0;
    l->restarted = 0;
    l->restarts = 0;
}

static void move(struct lz_world *w, lz_instance_id id, struct lz_life *l)
{
    struct lz_instance *i = lz_instance_get(w, id);
    lz_host_id from = i->host;
    i->host = lz_evict_arrive(w, id, l->moves_to);
    l->moves_to = 0;
    forget_pod(w, l);
    lz_net_moved(w);
    lz_capacity_moved(w, id, from);
    if (i->host != from)
        l->is_marked = false; // that was its old node
    if (i->host != from)
        lz_instance_note(w, id, "moved", "moves to another host");
    lz_nodes_moved(w, id);
}

// The process is over, in order or not. Who starts another?
static void finish(struct lz_world *w, lz_instance_id id, struct lz_life *l, bool is_failure)
{
    struct lz_instance *i = lz_instance_get(w, id);
    l->was_failure = is_failure;
    i->is_ended = true;
    lz_instance_settle(w, id);
    if (l->moves_to != 0)
        move(w, id, l);
    if (l->holds > 0)
        return;
    if (l->successor >= 0) {
        i->is_ended = false;
        lz_instance_settle(w, id);
    } else {
        lz_supervise(w, id, l);
    }
}

static bool has_drained(const struct lz_world *w, lz_instance_id id)
{
    const struct lz_instance_ops *ops = lz_instance_get(w, id)->ops;
    return lz_task_count_at(w, id) == 0 && (ops->drains == NULL || !ops->drains(w, id));
}

static void on_term(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_life *l = lz_life_get(w, entity);
    struct lz_instance *i = lz_instance_get(w, entity);
    if (!lz_life_is_current(w, entity, payload) || !l->is_told ||
        lz_instance_defer(w, entity, w->lives->term, payload))
        return;
    l->term = 0;
    i->is_stopping = true;
    lz_instance_settle(w, entity);
    if (has_drained(w, entity))
        finish(w, entity, l, false);
}

static void on_kill(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (!lz_life_is_current(w, entity, payload))
        return;
    lz_instance_note(w, entity, "killed", "is killed: its grace is over");
    finish(w, entity, lz_life_get(w, entity), true);
}

void lz_life_idle(struct lz_world *w, lz_instance_id id)
{
    if (lz_instance_get(w, id)->state == LZ_INSTANCE_STOPPING)
        lz_life_later(w, 0, w->lives->idle, id);
}

// The last answer has left: by now something may be there again only if it never stopped.
static void on_idle(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_life_is_current(w, entity, payload) &&
        lz_instance_get(w, entity)->state == LZ_INSTANCE_STOPPING && has_drained(w, entity))
        finish(w, entity, lz_life_get(w, entity), false);
}

// Until SIGTERM, of a process that is told now; told again, pre_stop is cut to the shorter grace,
// and what has come or is to come before stays.
static lz_time until_term(const struct lz_world *w, const struct lz_life *l, lz_time grace)
{
    lz_time pre_stop = l->opts->pre_stop < grace ? l->opts->pre_stop : grace;
    if (!l->is_told)
        return pre_stop;
    lz_time left = l->term != 0 ? l->term_at - lz_sim_now(w->sim) : 0;
    left = left > 0 ? left : 0;
    return left < pre_stop ? left : pre_stop;
}

static void send_term(struct lz_world *w, lz_instance_id id, struct lz_life *l, lz_time delay)
{
    l->term_at = lz_sim_now(w->sim) + delay;
    l->term = lz_life_later(w, delay, w->lives->term, id);
}

static void tell_again(struct lz_world *w, lz_instance_id id, struct lz_life *l, lz_time term,
                       lz_time grace)
{
    lz_time now = lz_sim_now(w->sim);
    if (now + grace >= l->kill_at)
        return;
    lz_sim_cancel(w->sim, l->kill);
    l->kill = lz_life_later(w, grace, w->lives->kill, id);
    l->kill_at = now + grace;
    if (l->term == 0 || now + term >= l->term_at)
        return;
    lz_sim_cancel(w->sim, l->term);
    send_term(w, id, l, term);
}

// Tell a process to stop; the earliest end of its grace counts. What pre_stop leaves no time for
// has a little after its SIGTERM (kuberuntime_container.go, killContainer).
static void tell(struct lz_world *w, lz_instance_id id, struct lz_life *l, lz_time grace)
{
    lz_time term = until_term(w, l, grace);
    if (l->opts->pre_stop > 0 && grace > 0 && grace - term < LZ_LIFE_GRACE_LEAST_NS)
        grace = term + LZ_LIFE_GRACE_LEAST_NS;
    if (l->is_told) {
        tell_again(w, id, l, term, grace);
        return;
    }
    l->is_told = true;
    l->kill_at = lz_sim_now(w->sim) + grace;
    l->kill = lz_life_later(w, grace, w->lives->kill, id);
    w->lives->stopping++;
    lz_world_has(w, LZ_UNUSUAL_DRAINS);
    lz_tell_callers(w, id);
    send_term(w, id, l, term);
}

static lz_time grace_of(const struct lz_life *l, lz_time grace)
{
    return grace >= 0 ? grace : l->opts->grace_period;
}

bool lz_life_stop(struct lz_world *w, lz_instance_id id, lz_time grace)
{
    struct lz_life *l = lz_life_of(w, id);
    struct lz_instance *i = lz_instance_get(w, id);
    l->holds++;
    if (!lz_instance_runs(i)) {
        i->is_ended = true;
        lz_instance_settle(w, id);
        return false;
    }
    bool is_news = !l->is_told;
    tell(w, id, l, grace_of(l, grace));
    return is_news;
}

bool lz_life_terminate(struct lz_world *w, lz_instance_id id, lz_time grace)
{
    struct lz_life *l = lz_life_of(w, id);
    if (!lz_instance_runs(lz_instance_get(w, id)) || l->is_told)
        return false;
    tell(w, id, l, grace_of(l, grace));
    return true;
}

void lz_life_release(struct lz_world *w, lz_instance_id id)
{
    struct lz_life *l = lz_life_get(w, id);
    LZ_ASSERT(l != NULL && l->holds > 0);
    struct lz_instance *i = lz_instance_get(w, id);
    if (--l->holds > 0)
        return;
    if (lz_instance_runs(i)) {
        if (l->is_told && l->successor < 0) // still draining: it starts again once it has ended
            l->successor = lz_sim_now(w->sim);
        return;
    }
    if (!l->is_restarting) {
        i->is_ended = false;
        lz_instance_settle(w, id);
    }
}

bool lz_life_replace(struct lz_world *w, lz_instance_id id, lz_time grace, lz_host_id host)
{
    struct lz_life *l = lz_life_of(w, id);
    if (!lz_instance_runs(lz_instance_get(w, id)) || l->is_told)
        return false;
    l->successor = lz_sim_now(w->sim);
    l->moves_to = host;
    tell(w, id, l, grace_of(l, grace));
    return true;
}

void lz_life_relocate(struct lz_world *w, lz_instance_id id, lz_host_id host)
{
    struct lz_life *l = lz_life_of(w, id);
    struct lz_instance *i = lz_instance_get(w, id);
    LZ_ASSERT(host != 0 && host != i->host);
    i->downs = 0; // they held the host that it leaves
    i->is_ended = true;
    l->moves_to = host;
    lz_instance_settle(w, id);
    l->successor = -1;
    move(w, id, l);
    i->is_ended = l->holds > 0;
    lz_instance_settle(w, id);
}

lz_time lz_life_grace(struct lz_world *w, lz_instance_id id)
{
    return grace_of(lz_life_of(w, id), -1);
}

lz_time lz_life_begun_at(const struct lz_world *w, lz_instance_id id)
{
    const struct lz_life *l = lz_life_get(w, id);
    return l != NULL ? l->begun : 0;
}

lz_time lz_life_ready_at(const struct lz_world *w, lz_instance_id id)
{
    const struct lz_life *l = lz_life_get(w, id);
    return l != NULL ? l->ready_at : 0;
}

uint32_t lz_life_restarts(const struct lz_world *w, lz_instance_id id)
{
    const struct lz_life *l = lz_life_get(w, id);
    return l != NULL ? l->restarts : 0;
}

// ---- from outside

// Nobody starts it again, here or elsewhere, and it is no loop of crashes any more.
void lz_life_forget(struct lz_world *w, lz_instance_id id)
{
    struct lz_life *l = lz_life_of(w, id);
    forget_pod(w, l);
    l->successor = -1;
    l->moves_to = 0;
}

void lz_life_renew(struct lz_world *w, lz_instance_id id, enum lz_life_flaw flaw)
{
    struct lz_life *l = lz_life_of(w, id);
    struct lz_instance *i = lz_instance_get(w, id);
    LZ_ASSERT(!lz_instance_runs(i));
    lz_life_forget(w, id);
    l->flaw = (uint8_t)flaw;
    l->is_unready = true;
    i->is_out = true;
    lz_balance_endpoint(w, id, true);
}

bool lz_life_crash(struct lz_world *w, lz_instance_id id, const char *why)
{
    if (!lz_instance_runs(lz_instance_get(w, id)))
        return false;
    struct lz_life *l = lz_life_of(w, id);
    lz_instance_note(w, id, "crashed", "%s", why);
    finish(w, id, l, true);
    return true;
}

// ---- probes

// Killed and started again, whether or not it can hear SIGTERM.
void lz_life_fails(struct lz_world *w, lz_instance_id id, const char *probe)
{
    struct lz_life *l = lz_life_get(w, id);
    if (l->is_told)
        return;
    lz_instance_note(w, id, "unhealthy", "fails its %s probe", probe);
    tell(w, id, l, l->opts->grace_period);
}

void lz_life_set_ready(struct lz_world *w, lz_instance_id id, bool is_ready)
{
    struct lz_life *l = lz_life_get(w, id);
    if (l->is_unready == !is_ready)
        return;
    l->is_unready = !is_ready;
    if (is_ready)
        l->ready_at = lz_sim_now(w->sim);
    if (l->opts->readiness.is_on)
        lz_instance_note(w, id, is_ready ? "ready" : "unready", "%s its readiness probe",
                         is_ready ? "passes" : "fails");
    lz_tell_callers(w, id);
}

void lz_life_hide(struct lz_world *w, lz_instance_id id, bool is_hidden)
{
    if (!is_hidden && lz_life_get(w, id) == NULL)
        return;
    lz_life_of(w, id)->is_hidden = is_hidden;
    lz_tell_callers(w, id);
}

// A process that starts is heard of when it serves.
void lz_life_mark(struct lz_world *w, lz_instance_id id, bool is_marked)
{
    struct lz_life *l = lz_life_of(w, id);
    l->is_marked = is_marked;
    if (!is_marked)
        l->ready_at = lz_sim_now(w->sim);
    if (is_marked || lz_instance_has_begun(lz_instance_get(w, id)))
        lz_tell_marked(w, id);
}

// ---- declaring

static bool check_probe(const struct lz_probe_opts *p, const char *name, uint32_t count,
                        struct lz_err *err)
{
    if (!p->is_on)
        return true;
    if (p->period < 0 || p->timeout < 0 || p->initial_delay < 0 || p->work < 0)
        return lz_fail(err, LZ_ERANGE, "the times of the %s probe must not be below 0", name);
    double period_s = (double)(p->period > 0 ? p->period : 10 * LZ_S) / 1e9;
    double per_second = (double)count / period_s;
    if (per_second > LZ_LIFE_PROBES_PER_SECOND_MAX)
        return lz_fail(err, LZ_ERANGE,
                       "%s probes of %u processes every %g s are %g per second, more than %g: "
                       "choose a longer period",
                       name, count, period_s, per_second, LZ_LIFE_PROBES_PER_SECOND_MAX);
    return true;
}

static void fill_probe(struct lz_probe_opts *p)
{
    p->period = p->period > 0 ? p->period : 10 * LZ_S;
    p->timeout = p->timeout > 0 ? p->timeout : LZ_S;
    p->failure_threshold = p->failure_threshold > 0 ? p->failure_threshold : 3;
    p->success_threshold = p->success_threshold > 0 ? p->success_threshold : 1;
}

static void fill_defaults(struct lz_life_opts *o)
{
    o->backoff = o->backoff > 0 ? o->backoff : undeclared.backoff;
    o->backoff_max = o->backoff_max > 0 ? o->backoff_max : undeclared.backoff_max;
    o->backoff_reset = o->backoff_reset > 0 ? o->backoff_reset : undeclared.backoff_reset;
    o->grace_period = o->grace_period >= 0 ? o->grace_period : undeclared.grace_period;
    fill_probe(&o->liveness);
    fill_probe(&o->readiness);
    fill_probe(&o->startup_probe);
}

bool lz_life_declare(struct lz_world *w, lz_component_id id, const struct lz_life_opts *opts,
                     struct lz_err *err)
{
    LZ_ASSERT(!w->running);
    struct lz_lives *ls = w->lives;
    const struct lz_component *c = lz_world_component(w, id);
    if (!check_probe(&opts->liveness, "liveness", c->instance_count, err) ||
        !check_probe(&opts->readiness, "readiness", c->instance_count, err) ||
        !check_probe(&opts->startup_probe, "startup", c->instance_count, err))
        return false;
    if (opts->liveness.is_on && opts->restart == LZ_RESTART_NEVER)
        return lz_fail(err, LZ_EINVAL,
                       "a liveness probe stops what fails it, and restart = \"never\" would leave "
                       "it stopped: use a readiness probe, or another restart");
    if (opts->startup_probe.is_on && opts->restart == LZ_RESTART_NEVER)
        return lz_fail(err, LZ_EINVAL,
                       "a startup probe stops what fails it, and restart = \"never\" would leave "
                       "it stopped: use another restart, or initial_delay of the other probes");
    if (opts->backoff_max > 0 && opts->backoff > opts->backoff_max)
        return lz_fail(err, LZ_ERANGE, "the first back-off, %g s, is above its max, %g s",
                       (double)opts->backoff / 1e9, (double)opts->backoff_max / 1e9);
    ls->declared =
        lz_grow(w->arena, ls->declared, &ls->declared_cap, id + 1, sizeof(struct lz_life_opts *));
    LZ_ASSERT(ls->declared[id] == NULL);
    ls->declared[id] = lz_arena_alloc(w->arena, sizeof(struct lz_life_opts));
    *ls->declared[id] = *opts;
    fill_defaults(ls->declared[id]);
    for (uint32_t i = 0; i < c->instance_count; i++)
        lz_life_of(w, c->instances_first + i);
    return true;
}

void lz_lives_start(struct lz_world *w)
{
    for (lz_instance_id id = 1; id < w->lives->cap; id++)
        if (w->lives->all[id] != NULL)
            lz_probes_start(w, id);
}

void lz_lives_init(struct lz_world *w)
{
    struct lz_lives *ls = w->lives = lz_arena_alloc(w->arena, sizeof(*ls));
    ls->startup = lz_sim_kind(w->sim, "life.startup", on_startup, w);
    ls->term = lz_sim_kind(w->sim, "life.term", on_term, w);
    ls->kill = lz_sim_kind(w->sim, "life.kill", on_kill, w);
    ls->idle = lz_sim_kind(w->sim, "life.idle", on_idle, w);
    ls->restart = lz_sim_kind(w->sim, "life.restart", lz_supervise_on_restart, w);
    ls->crash = lz_sim_kind(w->sim, "life.crash", lz_supervise_on_crash, w);
    lz_tells_init(w);
    lz_probes_init(w);
}
