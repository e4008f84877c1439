#include "live/runner.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/wall.h"
#include "live/family.h"
#include "live/fds.h"
#include "live/inner.h"
#include "live/load/fetch.h"
#include "model/journal.h"
#include "model/real.h"
#include "record/record.h"
#include "script/prompt.h"

#define NO_NAMESPACES                                                                              \
    "network = \"namespaces\" cannot be had here (`lorenz doctor --live` says what works)"
#define TICK LZ_MS
#define PATIENCE (120 * LZ_S) // until all programs are gone: longer than any grace people give

static bool end_as(struct lz_runner_result *out, enum lz_runner_end end, const char *said)
{
    out->end = end;
    lz_str_clear(&out->said);
    lz_str_add(&out->said, said);
    return false;
}

// ---------------------------------------------------------------- from the text to a plan

static bool wrong(struct lz_live *live, struct lz_runner_result *out)
{
    return end_as(out, LZ_RUNNER_WRONG, lz_script_diagnostics(live->script, false));
}

static bool load(struct lz_live *live, struct lz_runner_result *out, struct lz_err *err)
{
    struct lz_script_opts opts = live->opts->script;
    opts.hands = lz_hands_of(live->hands);
    if (!lz_script_load(&opts, &live->script, err))
        return end_as(out, LZ_RUNNER_UNREADY, err->msg);
    if (lz_script_trouble(live->script) != LZ_SCRIPT_OK)
        return wrong(live, out);
    bool ok = lz_script_build(live->script, live->opts->seed, 0, &live->built);
    // From here on clocks tell the real time: certificates are checked by it.
    lz_wall_leave();
    if (!ok)
        return wrong(live, out);
    live->plan = lz_script_live_plan(live->script);
    return true;
}

static bool is_allowed(const struct lz_live *live, struct lz_runner_result *out)
{
    const struct lz_live_plan *plan = live->plan;
    const char *name = NULL;
    char text[400];
    for (size_t i = 0; i < plan->probe_count && name == NULL; i++)
        if (plan->probes[i].argv.count > 0)
            name = plan->probes[i].name;
    for (size_t i = 0; i < plan->target_count && name == NULL; i++)
        if (plan->targets[i].url == NULL || plan->targets[i].ready.argv.count > 0 ||
            plan->targets[i].primary.argv.count > 0)
            name = plan->targets[i].name;
    if (name == NULL || live->opts->may_run || live->opts->is_dry)
        return true;
    snprintf(text, sizeof(text),
             "this scenario starts programs (the first is \"%s\"), and nothing is started unless "
             "you say so: look at them with --dry-run, then add --allow-run",
             name);
    return end_as(out, LZ_RUNNER_REFUSED, text);
}

static bool check_faults(struct lz_live *live, struct lz_runner_result *out)
{
    struct lz_err err;
    for (lz_fault_id id = 1; id <= lz_fault_count(live->built.faults); id++) {
        const struct lz_fault *f = lz_fault_get(live->built.faults, id);
        if (lz_hands_check(live->hands, f, &err))
            continue;
        lz_str_addf(&out->said, "error[LZ703]: %s\n --> %s:%u\n", err.msg, live->opts->script.path,
                    f->opts.line);
        out->end = LZ_RUNNER_WRONG;
        return false;
    }
    return true;
}

static bool make_site(struct lz_live *live, struct lz_runner_result *out)
{
    struct lz_err err;
    const struct lz_site_opts opts = {.plan = live->plan,
                                      .world = live->built.world,
                                      .folder = live->opts->folder,
                                      .scenario_folder = live->opts->scenario_folder,
                                      .hosts = live->opts->hosts,
                                      .host_count = live->opts->host_count};
    if (!lz_site_create(&opts, &live->site, &err))
        return end_as(out, err.code == LZ_ERANGE ? LZ_RUNNER_REFUSED : LZ_RUNNER_UNREADY, err.msg);
    return check_faults(live, out);
}

// ---------------------------------------------------------------- what is started

static bool make_folder(const char *path, struct lz_err *err)
{
    char *text = strdup(path);
    bool ok = text != NULL;
    for (char *at = ok ? text + 1 : NULL; ok; at++) {
        at += strcspn(at, "/");
        char end = *at;
        *at = '\0';
        if (mkdir(text, 0755) != 0 && errno != EEXIST)
            ok = lz_fail(err, LZ_EIO, "cannot make the folder %s: %s", text, strerror(errno));
        *at = end;
        if (end == '\0')
            break;
    }
    free(text);
    return ok;
}

static bool open_undo(struct lz_live *live, struct lz_runner_result *out)
{
    struct lz_str folder;
    struct lz_err err;
    lz_str_init(&folder);
    bool ok = lz_undo_folder(&folder, &err) &&
              lz_undo_open(folder.text, live->opts->name, &live->undo, &err) &&
              lz_watchdog_start(lz_undo_path(live->undo), &live->watchdog, &err);
    lz_str_finish(&folder);
    return ok || end_as(out, LZ_RUNNER_UNSAFE, err.msg);
}

static void on_signal(void *ctx, int signal)
{
    struct lz_live *live = ctx;
    if (live->signal == 0)
        live->signal = signal;
    live->signals++;
    lz_loop_stop(live->loop);
}

static bool watch_signals(struct lz_live *live, struct lz_err *err)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (!lz_loop_watch_signal(live->loop, signals[i], on_signal, live, err))
            return false;
    signal(SIGPIPE, SIG_IGN);
    return true;
}

static void on_proxy_died(void *ctx, int status)
{
    (void)status;
    lz_live_fail(ctx, "the proxy's process ended: nothing passes between the programs any more");
}

static bool has_families(const struct lz_live *live, struct lz_err *err)
{
    const char *lacks = lz_spaces_lacks_v6(live->spaces);
    for (size_t i = 0; i < live->plan->target_count && lacks != NULL; i++)
        if (live->plan->targets[i].is_v6)
            return lz_fail(err, LZ_ERANGE,
                           "%s: there is no IPv6 in namespaces here (%s): leave `family` out",
                           live->plan->targets[i].name, lacks);
    return true;
}

// Everything that is started from here on is in it, the proxy's process too.
static bool open_spaces(struct lz_live *live, struct lz_err *err)
{
    if (live->plan->network == LZ_LIVE_NAMESPACES)
        return (lz_spaces_create(lz_site_node_count(live->site), live->site->edge_count,
                                 &live->spaces, err) ||
                lz_fail_in(err, NO_NAMESPACES)) &&
               has_families(live, err);
    return !lz_spaces_has_left() ||
           lz_fail(err, LZ_EIO,
                   "an earlier run of this command, in namespaces, has left the machine's network, "
                   "and this user cannot come back to it: run this one by a command of its own");
}

static void on_carrier_died(void *ctx, int status)
{
    (void)status;
    lz_live_fail(ctx, "the carrier of packets ended: what faults act on goes nowhere any more");
}

static void describe_way(const struct lz_site_edge *e, struct lz_cable_edge *out)
{
    *out = (struct lz_cable_edge){.server = lz_spaces_node(e->to->index),
                                  .is_v6 = e->to->target->is_v6};
    snprintf(out->name, sizeof(out->name), "%s", e->name);
    if (e->client_node != LZ_SITE_NO_NODE)
        out->client = lz_spaces_node(e->client_node);
    if (e->has_proxy) {
        out->door = lz_spaces_door(e->index);
        out->door_port = e->listen.port;
    }
}

// It ends with the run, however that ends; should it not, it is written down.
static bool open_ways(struct lz_live *live, struct lz_err *err)
{
    const struct lz_site *site = live->site;
    lz_undo_id id;
    if (live->spaces == NULL)
        return true;
    struct lz_cable_edge *edges = lz_mem_alloc((site->edge_count + 1) * sizeof(*edges));
    for (size_t i = 0; i < site->edge_count; i++)
        describe_way(&site->edges[i], &edges[i]);
    const struct lz_cable_opts opts = {.loop = live->loop,
                                       .run_key = lz_sim_key(live->built.world->sim),
                                       .edges = edges,
                                       .edge_count = (uint32_t)site->edge_count,
                                       .died = on_carrier_died,
                                       .ctx = live};
    const struct lz_shaper_opts shaper = {.spaces = live->spaces,
                                          .run_key = opts.run_key,
                                          .edges = edges,
                                          .edge_count = opts.edge_count};
    struct lz_err lacks;
    bool ok = lz_shaper_create(&live->shaper, &shaper, err) || lz_fail_in(err, NO_NAMESPACES);
    // Who has tc may do without; a fault that needs it says what is missing.
    if (ok && !lz_cable_create(&live->cable, &opts, &lacks))
        snprintf(live->cable_lacks, sizeof(live->cable_lacks), "%s", lacks.msg);
    free(edges);
    if (!ok || live->cable == NULL)
        return ok;
    pid_t pid = lz_cable_pid(live->cable);
    const struct lz_undo_entry entry = {
        .verb = LZ_UNDO_END, .pid = pid, .start = lz_family_start_time(pid)};
    return lz_undo_add(live->undo, &entry, &id, err);
}

static bool open_edges(struct lz_live *live, struct lz_err *err)
{
    const struct lz_proxy_opts opts = {.loop = live->loop,
                                       .run_key = lz_sim_key(live->built.world->sim),
                                       .seen = lz_live_on_seen,
                                       .died = on_proxy_died,
                                       .ctx = live};
    struct lz_site *site = live->site;
    size_t count = 0;
    for (size_t i = 0; i < site->edge_count; i++)
        count += site->edges[i].has_proxy;
    if (count == 0)
        return true;
    if (!lz_proxy_create(&live->proxy, &opts, err))
        return false;
    for (size_t i = 0; i < site->edge_count; i++) {
        struct lz_site_edge *e = &site->edges[i];
        if (!e->has_proxy)
            continue;
        bool is_apart = live->spaces != NULL;
        bool is_v6 = strchr(e->to->address.host, ':') != NULL;
        if (!is_apart)
            snprintf(e->listen.host, sizeof(e->listen.host), "%s", is_v6 ? "::1" : "127.0.0.1");
        const struct lz_proxy_edge_opts edge = {.name = e->name,
                                                .host = e->listen.host,
                                                .port = is_apart ? e->listen.port : 0,
                                                .upstream_host = e->to->address.host,
                                                .upstream_port = e->to->address.port,
                                                .is_http = e->protocol == LZ_LIVE_HTTP &&
                                                           !e->to->address.is_tls};
        if (!lz_proxy_edge(live->proxy, &edge, &e->proxy, err))
            return lz_fail_in(err, "the proxy of %s", e->name);
        e->listen.port = lz_proxy_port(live->proxy, e->proxy);
        e->listen.is_tls = e->to->address.is_tls;
    }
    return true;
}

// Whose requests somebody will see.
static void observe(struct lz_live *live)
{
    struct lz_world *w = live->built.world;
    lz_real_hide(w);
    for (size_t i = 0; i < live->site->edge_count; i++) {
        const struct lz_site_edge *e = &live->site->edges[i];
        if (e->protocol != LZ_LIVE_HTTP || e->to->address.is_tls)
            continue;
        lz_real_observe(w, e->plan->server);
        if (e->to->target->component != 0)
            lz_real_observe(w, e->to->target->component);
    }
    for (size_t i = 0; i < live->plan->traffic_count; i++)
        lz_real_observe(w, live->plan->traffics[i].component);
}

static bool add_load(struct lz_live *live, struct lz_err *err)
{
    lz_load_create(live, &live->load);
    for (size_t i = 0; i < live->plan->traffic_count; i++) {
        struct lz_live_traffic t = live->plan->traffics[i];
        if (!lz_prepare_traffic(live->site, &live->texts, &t, err))
            return false;
        for (size_t k = 0; k < live->site->edge_count; k++) {
            const struct lz_site_edge *e = &live->site->edges[k];
            if (e->from == NULL && e->plan->client == t.component &&
                !lz_load_add(live->load, &t, e, err))
                return false;
        }
    }
    return true;
}

// Of all loads together, at once.
static size_t connections_of(const struct lz_live *live)
{
    size_t sum = 0;
    for (size_t i = 0; i < live->plan->traffic_count; i++) {
        const struct lz_live_traffic *t = &live->plan->traffics[i];
        if (t->command.count == 0)
            sum += t->connections > 0 ? t->connections : LZ_FETCH_CONNECTIONS;
    }
    return sum;
}

// Who was kept waiting by the proxy for want of descriptors was not kept waiting by the system.
static void doubt_turned_away(struct lz_live *live)
{
    for (size_t i = 0; live->proxy != NULL && i < live->site->edge_count; i++) {
        const struct lz_site_edge *e = &live->site->edges[i];
        uint64_t count = e->proxy != 0 ? lz_proxy_counts(live->proxy, e->proxy).turned_away : 0;
        if (count > 0)
            lz_live_doubt(live,
                          "the proxy of %s had no descriptor left %llu times, and whoever came "
                          "then waited: raise the hard limit (ulimit -Hn)",
                          e->name, (unsigned long long)count);
    }
}

static bool prepare(struct lz_live *live, struct lz_runner_result *out, struct lz_err *err)
{
    if (!lz_fds_raise(connections_of(live), err) || !make_folder(live->opts->folder, err) ||
        !lz_loop_create(&live->loop, err))
        return end_as(out, LZ_RUNNER_UNREADY, err->msg);
    // Orphans of what we start come to us, and not to init.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    // A thread has the signals and the network of the one that made it, and of a process that has
    // threads the system makes no user namespace: acts come after both.
    bool ok = watch_signals(live, err) && open_spaces(live, err) && open_ways(live, err) &&
              lz_acts_create(live->loop, &live->acts, err) && open_edges(live, err) &&
              lz_programs_prepare(live, &live->programs, err) && add_load(live, err);
    if (ok) {
        lz_undo_sync_by(live->undo, lz_acts_sync, live->acts);
        observe(live);
    }
    enum lz_runner_end end = err->code == LZ_EINVAL ? LZ_RUNNER_WRONG : LZ_RUNNER_UNREADY;
    return ok || end_as(out, end, err->msg);
}

// ---------------------------------------------------------------- its course

static void look_at_aborts(struct lz_live *live, lz_time now)
{
    lz_time second = now - now % LZ_S;
    if (second == live->judged || live->phase != LZ_LIVE_RUNNING)
        return;
    live->judged = second;
    lz_hands_look(live->hands);
    for (size_t i = 0; i < live->plan->abort_count && live->aborted == NULL; i++) {
        const struct lz_live_abort *a = &live->plan->aborts[i];
        if (!lz_check_matches(live->built.checks, &a->matcher, LZ_S, 0))
            continue;
        live->aborted = a->text;
        lz_live_doubt(live, "stopped by abort_when: %s", a->text);
        lz_loop_stop(live->loop);
    }
}

static void on_tick(void *ctx, int64_t now_ns)
{
    struct lz_live *live = ctx;
    lz_time now = lz_live_now(live);
    look_at_aborts(live, now);
    if (now >= live->built.world->end)
        lz_loop_stop(live->loop);
    else
        lz_loop_arm(live->loop, &live->tick, now_ns + TICK);
}

void lz_live_ready(struct lz_live *live)
{
    struct lz_err err;
    LZ_ASSERT(live->phase == LZ_LIVE_STARTING);
    live->phase = LZ_LIVE_RUNNING;
    live->begun_ns = lz_loop_clock();
    lz_prompt_begin(live->script);
    if (!lz_live_start_probes(live, &err) || !lz_roles_start(live, &live->roles, &err)) {
        lz_live_fail(live, "%s", err.msg);
        return;
    }
    live->tick = (struct lz_loop_timer){.fn = on_tick, .ctx = live};
    lz_live_note(live, "all are ready: the run begins, for %.6g s",
                 (double)live->built.world->end / 1e9);
    lz_loop_arm(live->loop, &live->tick, live->begun_ns);
}

// Everything that was done is undone, latest first; then the programs are asked to end.
static void stop_all(struct lz_live *live)
{
    lz_loop_cancel(live->loop, &live->tick);
    lz_faults_end(live->built.faults);
    lz_acts_drain(live->acts);
    if (live->load != NULL)
        lz_load_end(live->load);
    lz_live_stop_probes(live);
    lz_roles_stop(live->roles);
    live->roles = NULL;
    live->phase = LZ_LIVE_ENDING;
    if (live->programs == NULL)
        return;
    int64_t deadline = lz_loop_clock() + PATIENCE;
    int signals = live->signals;
    lz_programs_stop(live->programs);
    while (!lz_programs_are_gone(live->programs) && lz_loop_clock() < deadline &&
           live->signals == signals) // who asks again does not want to wait
        lz_loop_turn(live->loop, deadline);
}

static void judge(struct lz_live *live, struct lz_runner_result *out)
{
    lz_live_now(live);
    if (live->signal != 0)
        lz_real_doubt(live->built.world, "the run was interrupted");
    doubt_turned_away(live);
    if (lz_script_trouble(live->script) != LZ_SCRIPT_OK)
        wrong(live, out);
    else if (live->has_failed)
        end_as(out, LZ_RUNNER_UNREADY, live->said.text);
    else {
        lz_prompt_finish(live->script);
        if (lz_script_trouble(live->script) != LZ_SCRIPT_OK) // in a `check`
            wrong(live, out);
    }
}

static bool record(struct lz_live *live, struct lz_runner_result *out, struct lz_err *err)
{
    const struct lz_runner_opts *o = live->opts;
    struct lz_record_param *params = lz_mem_alloc((o->param_count + 1) * sizeof(*params));
    for (size_t i = 0; i < o->param_count; i++)
        params[i] = (struct lz_record_param){o->params[i].name, o->params[i].value};
    const struct lz_record_meta meta = {.version = o->version,
                                        .file = o->script.path,
                                        .scenario = lz_script_scenario(live->script),
                                        .about = lz_script_about(live->script),
                                        .source = o->script.source,
                                        .seed = o->seed,
                                        .params = params,
                                        .param_count = o->param_count,
                                        .xfail = o->xfail,
                                        .is_live = true};
    const struct lz_record_parts parts = {
        .world = live->built.world, .faults = live->built.faults, .checks = live->built.checks};
    bool ok = lz_record_build(&meta, &parts, &out->image, &out->size, err);
    free(params);
    return ok;
}

static bool carry_out(struct lz_live *live, struct lz_runner_result *out, struct lz_err *err)
{
    live->phase = LZ_LIVE_STARTING;
    lz_programs_start(live->programs);
    while (!live->has_failed && live->signal == 0 && live->aborted == NULL &&
           lz_script_trouble(live->script) == LZ_SCRIPT_OK &&
           lz_sim_now(live->built.world->sim) < live->built.world->end)
        lz_loop_run(live->loop, LZ_LOOP_NEVER);
    bool has_run = live->phase == LZ_LIVE_RUNNING;
    if (has_run)
        judge(live, out);
    else if (live->has_failed)
        end_as(out, LZ_RUNNER_UNREADY, live->said.text);
    else
        end_as(out, LZ_RUNNER_UNREADY, "interrupted before all were ready");
    stop_all(live);
    out->signal = live->signal;
    return !has_run || out->end != LZ_RUNNER_JUDGED || record(live, out, err);
}

// ---------------------------------------------------------------- its end

static void finish(struct lz_live *live, struct lz_runner_result *out)
{
    struct lz_err err;
    out->is_clean = true;
    lz_acts_drain(live->acts);
    lz_load_destroy(live->load);
    lz_programs_destroy(live->programs);
    lz_proxy_destroy(live->proxy);
    lz_cable_destroy(live->cable);
    lz_shaper_destroy(live->shaper);
    if (live->undo != NULL) {
        out->is_clean = lz_undo_all(live->undo, &err);
        if (!out->is_clean)
            fprintf(stderr,
                    "lorenz: not everything could be undone: %s\n        what is left is "
                    "in %s; `lorenz recover` tries again\n",
                    err.msg, lz_undo_path(live->undo));
    }
    if (live->watchdog.pid > 0)
        lz_watchdog_dismiss(&live->watchdog);
    lz_undo_close(live->undo);
    lz_acts_destroy(live->acts);
    if (live->loop != NULL)
        lz_loop_destroy(live->loop);
    lz_spaces_destroy(live->spaces);
    lz_hands_destroy(live->hands);
    lz_site_destroy(live->site);
    lz_script_destroy(live->script);
    for (size_t i = 0; i < live->texts.text_count; i++)
        free(live->texts.texts[i]);
    free(live->texts.texts);
    lz_str_finish(&live->said);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

bool lz_runner_run(const struct lz_runner_opts *opts, struct lz_runner_result *out,
                   struct lz_err *err)
{
    struct lz_live live = {.opts = opts};
    bool ok = true;
    *out = (struct lz_runner_result){.end = LZ_RUNNER_JUDGED};
    lz_str_init(&out->said);
    lz_str_init(&live.said);
    live.hands = lz_hands_create(&live);
    if (load(&live, out, err) && is_allowed(&live, out) && make_site(&live, out)) {
        if (opts->is_dry)
            lz_live_describe(&live, &out->said);
        else if (open_undo(&live, out) && prepare(&live, out, err))
            ok = carry_out(&live, out, err);
    }
    finish(&live, out);
    return ok;
}

void lz_runner_result_free(struct lz_runner_result *result)
{
    lz_str_finish(&result->said);
    free(result->image);
    result->image = NULL;
}
