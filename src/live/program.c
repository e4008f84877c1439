#include "live/program.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/acts.h"
#include "live/family.h"
#include "live/loop.h"
#include "live/machine/needs.h"
#include "live/output.h"
#include "live/prepare.h"
#include "live/probe/asker.h"
#include "live/spawn.h"
#include "model/real.h"

#define TAIL_SIZE 2000
#define TAIL_LINES 10
#define LOOK_AT_OUTPUT_NS (100 * LZ_MS)

struct lz_program {
    struct lz_programs *all;
    struct lz_site_process *process;
    struct lz_prepared *texts;
    char mark[128];
    lz_undo_id undo; // of the process that runs; 0: none does
    size_t setup_done;
    bool was_ready;  // once: what connects to it may start
    bool is_wanted;  // it is to run, faults aside
    bool is_coming;  // its start is being written down
    bool comes_back; // as soon as it has ended: what kept it down is over
    uint32_t kills, pauses;
    lz_undo_id pause_undo;
    struct lz_asker *asker;
    uint32_t passes;
    char why[300];    // what its latest answer lacked
    uint64_t dropped; // bytes of its output, which was too much
    struct lz_loop_timer deadline, again, grace;
};

struct lz_programs {
    struct lz_live *live;
    struct lz_program *all; // as the site's processes; those of endpoints only wait to be ready
    size_t count;
    bool is_stopping, has_begun;
    struct lz_loop_timer look; // at what they write
};

static void begin(struct lz_program *p);
static void start_those_who_can(struct lz_programs *ps);

static const struct lz_live_target *target_of(const struct lz_program *p)
{
    return p->process->target;
}

static const char *name_of(const struct lz_program *p)
{
    return target_of(p)->name;
}

static struct lz_family family_of(const struct lz_program *p)
{
    return (struct lz_family){
        .pid = p->process->pid, .start = p->process->start_time, .mark = p->mark};
}

static bool is_up(const struct lz_program *p)
{
    enum lz_site_state s = p->process->state;
    return (s == LZ_SITE_READY || s == LZ_SITE_REMOTE) && p->pauses == 0;
}

static void set_state(struct lz_program *p, enum lz_site_state state)
{
    p->process->state = state;
    lz_live_now(p->all->live);
    if (target_of(p)->component != 0)
        lz_real_up(lz_live_world(p->all->live), target_of(p)->component, is_up(p));
}

static void stop_asking(struct lz_program *p)
{
    lz_asker_stop(p->asker);
    p->asker = NULL;
    lz_loop_cancel(lz_live_loop(p->all->live), &p->deadline);
}

// ---------------------------------------------------------------- what it said last

static void add_tail(const struct lz_program *p, struct lz_str *out)
{
    char text[TAIL_SIZE + 1];
    FILE *file = fopen(p->process->log, "re");
    if (file == NULL)
        return;
    if (fseek(file, -TAIL_SIZE, SEEK_END) != 0)
        rewind(file);
    size_t len = fread(text, 1, TAIL_SIZE, file), lines = 0;
    fclose(file);
    while (len > 0 && text[len - 1] == '\n')
        len--;
    text[len] = '\0';
    const char *from = text + len;
    while (from > text && (from[-1] != '\n' || ++lines < TAIL_LINES))
        from--;
    if (len == 0) {
        lz_str_add(out, "; it wrote nothing");
        return;
    }
    lz_str_addf(out, "; it wrote last (%s):", p->process->log);
    while (*from != '\0') {
        size_t n = strcspn(from, "\n");
        lz_str_addf(out, "\n    %.*s", (int)n, from);
        from += n + (from[n] == '\n');
    }
}

static void on_look(void *ctx, int64_t now_ns)
{
    struct lz_programs *ps = ctx;
    for (size_t i = 0; i < ps->count; i++) {
        struct lz_program *p = &ps->all[i];
        if (p->process->log == NULL)
            continue;
        uint64_t dropped = lz_output_trim(p->process->log, LZ_OUTPUT_MAX, p->dropped);
        if (dropped == 0)
            continue;
        if (p->dropped == 0)
            lz_live_note(ps->live, "%s writes more than %d MiB: only the end is kept (%s)",
                         name_of(p), (int)(LZ_OUTPUT_MAX >> 20), p->process->log);
        p->dropped = dropped;
    }
    lz_loop_arm(lz_live_loop(ps->live), &ps->look, now_ns + LOOK_AT_OUTPUT_NS);
}

static void describe_end(int status, char *out, size_t size)
{
    if (WIFSIGNALED(status))
        snprintf(out, size, "was ended by SIG%s", sigabbrev_np(WTERMSIG(status)));
    else
        snprintf(out, size, "ended with status %d", WEXITSTATUS(status));
}

static void fail(struct lz_program *p, const char *what)
{
    struct lz_str tail;
    lz_str_init(&tail);
    if (target_of(p)->url == NULL)
        add_tail(p, &tail);
    lz_live_fail(p->all->live, "%s \"%s\" %s%s", target_of(p)->url != NULL ? "endpoint" : "process",
                 name_of(p), what, tail.text);
    lz_str_finish(&tail);
}

// ---------------------------------------------------------------- ready

static void on_ready(struct lz_program *p)
{
    stop_asking(p);
    p->was_ready = true;
    set_state(p, target_of(p)->url != NULL ? LZ_SITE_REMOTE : LZ_SITE_READY);
    lz_live_note(p->all->live, "%s is ready", name_of(p));
    start_those_who_can(p->all);
}

static void on_reading(void *ctx, const struct lz_live_reading *reading, const char *said)
{
    struct lz_program *p = ctx;
    uint32_t need = target_of(p)->has_ready ? target_of(p)->ready.passes : 1;
    snprintf(p->why, sizeof(p->why), "%s", said);
    p->passes = reading->is_ok ? p->passes + 1 : 0;
    if (p->passes >= need)
        on_ready(p);
}

static void on_deadline(void *ctx, int64_t now_ns)
{
    (void)now_ns;
    struct lz_program *p = ctx;
    char what[500];
    stop_asking(p);
    snprintf(what, sizeof(what), "was not ready within %.3g s%s%s",
             (double)target_of(p)->ready_within / 1e9, p->why[0] != '\0' ? ": " : "", p->why);
    size_t n = strlen(what);
    if (lz_live_space(p->all->live, p->process->index) != 0 && target_of(p)->url == NULL)
        snprintf(what + n, sizeof(what) - n,
                 "; in a network of its own it has to listen on {{host}}, which is %s, not on %s",
                 p->process->address.host, target_of(p)->is_v6 ? "::1" : "127.0.0.1");
    if (p->all->has_begun)
        lz_live_note(p->all->live, "%s %s", name_of(p), what);
    else
        fail(p, what);
}

static void ask_until_ready(struct lz_program *p)
{
    struct lz_loop *loop = lz_live_loop(p->all->live);
    p->passes = 0;
    p->why[0] = '\0';
    p->asker = lz_asker_start(p->all->live, &p->texts->ready, p->process, on_reading, p);
    lz_loop_arm(loop, &p->deadline, lz_loop_clock() + target_of(p)->ready_within);
}

// ---------------------------------------------------------------- the process

static void on_child(void *ctx, pid_t pid, int status);

// What happened to it while its start was written down.
static void catch_up(struct lz_program *p)
{
    const struct lz_family family = family_of(p);
    if (p->kills > 0 || !p->is_wanted)
        lz_family_signal(&family, SIGKILL);
}

static bool spawn(struct lz_program *p, const char *const *argv)
{
    struct lz_live *live = p->all->live;
    struct lz_spawned s;
    struct lz_err err;
    const struct lz_spawn_opts opts = {.argv = argv,
                                       .env = p->texts->env,
                                       .cwd = p->texts->cwd,
                                       .output = p->process->log,
                                       .user = target_of(p)->user,
                                       .mark = p->mark,
                                       .net_fd = lz_live_space(live, p->process->index)};
    bool ok = lz_spawn(lz_live_loop(live), lz_live_undo(live), &opts, &s, &err);
    if (ok) {
        p->process->pid = s.pid;
        p->process->start_time = s.start;
        p->undo = s.undo;
        ok = lz_loop_watch_child(lz_live_loop(live), s.pid, on_child, p, &err);
    }
    if (!ok)
        lz_live_fail(live, "process \"%s\": %s", name_of(p), err.msg);
    return ok;
}

// The next of its setup, or itself.
static void spawn_next(struct lz_program *p)
{
    if (p->setup_done < p->texts->setup_count) {
        set_state(p, LZ_SITE_SETTING);
        spawn(p, p->texts->setup[p->setup_done]);
        return;
    }
    p->process->starts++;
    if (!spawn(p, p->texts->run))
        return;
    set_state(p, LZ_SITE_STARTING);
    if (p->process->starts > 1 && target_of(p)->component != 0)
        lz_real_restarted(lz_live_world(p->all->live), target_of(p)->component);
    ask_until_ready(p);
}

static void on_coming(void *ctx)
{
    struct lz_program *p = ctx;
    if (!p->all->is_stopping && p->kills == 0)
        spawn_next(p);
    p->is_coming = false;
    if (p->process->pid != 0)
        catch_up(p);
}

static void go_on(struct lz_program *p)
{
    p->is_coming = true;
    lz_acts_do(lz_live_acts(p->all->live), on_coming, p);
}

static void begin(struct lz_program *p)
{
    if (target_of(p)->url != NULL)
        ask_until_ready(p);
    else if (!p->is_coming && p->process->pid == 0 && p->kills == 0 && !p->all->is_stopping)
        go_on(p);
}

static void on_again(void *ctx, int64_t now_ns)
{
    (void)now_ns;
    struct lz_program *p = ctx;
    if (p->is_wanted)
        begin(p);
}

// What is left of it goes too; it needs no undoing any more.
static void forget(struct lz_program *p)
{
    const struct lz_family family = family_of(p);
    struct lz_undo *undo = lz_live_undo(p->all->live);
    if (!lz_family_end(&family))
        lz_live_note(p->all->live, "%s left processes that cannot be ended", name_of(p));
    lz_undo_forget(undo, p->undo);
    if (p->pause_undo != 0)
        lz_undo_forget(undo, p->pause_undo);
    p->undo = p->pause_undo = 0;
    p->pauses = 0;
    p->process->pid = 0;
    lz_loop_cancel(lz_live_loop(p->all->live), &p->grace);
}

static void on_setup_ended(struct lz_program *p, int status)
{
    char how[80], what[200];
    if (status == 0) {
        p->setup_done++;
        go_on(p);
        return;
    }
    describe_end(status, how, sizeof(how));
    snprintf(what, sizeof(what), "cannot be set up: %s %s", p->texts->setup[p->setup_done][0], how);
    set_state(p, LZ_SITE_DEAD);
    fail(p, what);
}

static void on_child(void *ctx, pid_t pid, int status)
{
    struct lz_program *p = ctx;
    struct lz_programs *ps = p->all;
    enum lz_site_state was = p->process->state;
    char how[80];
    LZ_ASSERT(pid == p->process->pid);
    stop_asking(p);
    forget(p);
    if (was == LZ_SITE_SETTING && !ps->is_stopping) {
        on_setup_ended(p, status);
        return;
    }
    describe_end(status, how, sizeof(how));
    set_state(p, was == LZ_SITE_STOPPING ? LZ_SITE_STOPPED : LZ_SITE_DEAD);
    if (ps->is_stopping)
        return;
    lz_live_note(ps->live, "%s %s", name_of(p), how);
    if (!ps->has_begun) {
        char what[200];
        snprintf(what, sizeof(what), "%s before it was ready", how);
        fail(p, p->was_ready ? how : what);
    } else if (p->kills == 0 && p->is_wanted && p->comes_back) {
        begin(p);
    } else if (p->kills == 0 && p->is_wanted && target_of(p)->is_restarted) {
        lz_loop_arm(lz_live_loop(ps->live), &p->again, lz_loop_clock() + target_of(p)->backoff);
    }
    p->comes_back = false;
}

// ---------------------------------------------------------------- all of them

static bool can_start(const struct lz_program *p)
{
    const struct lz_site *site = lz_live_site(p->all->live);
    for (size_t i = 0; i < site->edge_count; i++) {
        const struct lz_site_edge *e = &site->edges[i];
        if (e->from == p->process && !p->all->all[e->to->index].was_ready)
            return false;
    }
    return true;
}

static void start_those_who_can(struct lz_programs *ps)
{
    struct lz_program *waiting = NULL;
    bool is_any_under_way = false;
    if (ps->has_begun || ps->is_stopping)
        return;
    for (size_t i = 0; i < ps->count; i++) {
        struct lz_program *p = &ps->all[i];
        if (!p->is_wanted && can_start(p)) {
            p->is_wanted = true;
            begin(p);
        }
        if (!p->is_wanted && waiting == NULL)
            waiting = p;
        is_any_under_way = is_any_under_way || (p->is_wanted && !p->was_ready);
    }
    if (waiting != NULL && !is_any_under_way) { // a circle: somebody has to be the first
        waiting->is_wanted = true;
        begin(waiting);
    } else if (waiting == NULL && !is_any_under_way) {
        ps->has_begun = true;
        lz_live_ready(ps->live);
    }
}

void lz_programs_start(struct lz_programs *ps)
{
    on_look(ps, lz_loop_clock());
    start_those_who_can(ps);
}

static void on_grace(void *ctx, int64_t now_ns)
{
    (void)now_ns;
    struct lz_program *p = ctx;
    if (p->process->pid == 0)
        return;
    const struct lz_family family = family_of(p);
    lz_live_note(p->all->live, "%s did not end in its grace: SIGKILL", name_of(p));
    lz_family_signal(&family, SIGKILL);
}

static void ask_to_end(struct lz_program *p, lz_time grace)
{
    set_state(p, LZ_SITE_STOPPING);
    stop_asking(p);
    // Only the program itself: what it does about its children is its own business.
    kill(p->process->pid, target_of(p)->stop_signal);
    lz_loop_arm(lz_live_loop(p->all->live), &p->grace, lz_loop_clock() + grace);
}

void lz_programs_stop(struct lz_programs *ps)
{
    ps->is_stopping = true;
    for (size_t i = ps->count; i > 0; i--) {
        struct lz_program *p = &ps->all[i - 1];
        p->is_wanted = false;
        stop_asking(p);
        lz_loop_cancel(lz_live_loop(ps->live), &p->again);
        while (p->pauses > 0)
            lz_program_resume(p);
        if (p->process->pid != 0 && p->process->state != LZ_SITE_STOPPING)
            ask_to_end(p, target_of(p)->grace);
    }
}

bool lz_programs_are_gone(const struct lz_programs *ps)
{
    for (size_t i = 0; i < ps->count; i++)
        if (ps->all[i].process->pid != 0)
            return false;
    return true;
}

bool lz_programs_prepare(struct lz_live *live, struct lz_programs **out, struct lz_err *err)
{
    struct lz_site *site = lz_live_site(live);
    struct lz_programs *ps = lz_mem_alloc(sizeof(*ps));
    *ps = (struct lz_programs){.live = live, .count = site->process_count};
    ps->look = (struct lz_loop_timer){.fn = on_look, .ctx = ps};
    ps->all = lz_mem_alloc((ps->count + 1) * sizeof(*ps->all));
    for (size_t i = 0; i < ps->count; i++) {
        struct lz_program *p = &ps->all[i];
        *p = (struct lz_program){.all = ps, .process = &site->processes[i]};
        p->deadline = (struct lz_loop_timer){.fn = on_deadline, .ctx = p};
        p->again = (struct lz_loop_timer){.fn = on_again, .ctx = p};
        p->grace = (struct lz_loop_timer){.fn = on_grace, .ctx = p};
        p->process->own = p;
        snprintf(p->mark, sizeof(p->mark), "%s/%zu", lz_live_run_name(live), i);
    }
    for (size_t i = 0; i < ps->count; i++) {
        struct lz_program *p = &ps->all[i];
        if (lz_needs_prepare(live, p->process, err) &&
            lz_prepare(site, p->process, p->mark, &p->texts, err))
            continue;
        lz_fail_in(err, "%s", name_of(p));
        lz_programs_destroy(ps);
        return false;
    }
    *out = ps;
    return true;
}

void lz_programs_destroy(struct lz_programs *ps)
{
    if (ps == NULL)
        return;
    struct lz_loop *loop = lz_live_loop(ps->live);
    lz_loop_cancel(loop, &ps->look);
    for (size_t i = 0; i < ps->count; i++) {
        struct lz_program *p = &ps->all[i];
        stop_asking(p);
        lz_loop_cancel(loop, &p->again);
        if (p->process->pid != 0) {
            pid_t pid = p->process->pid;
            lz_loop_unwatch_child(loop, pid);
            forget(p);
            while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                continue;
        }
        lz_prepared_free(p->texts);
        p->process->own = NULL;
    }
    free(ps->all);
    free(ps);
}

void lz_program_describe(const struct lz_program *p, struct lz_str *out)
{
    for (size_t i = 0; p->texts->run[i] != NULL; i++)
        lz_str_addf(out, "%s%s", i > 0 ? " " : "", p->texts->run[i]);
}

// ---------------------------------------------------------------- faults

bool lz_program_is_paused(const struct lz_program *p)
{
    return p->pauses > 0;
}

uint64_t lz_program_starts(const struct lz_program *p)
{
    return p->process->starts;
}

uint32_t lz_program_kill(struct lz_program *p, bool is_held)
{
    p->kills += is_held;
    if (p->process->pid == 0)
        return 0;
    const struct lz_family family = family_of(p);
    return lz_family_signal(&family, SIGKILL) > 0;
}

uint32_t lz_program_end(struct lz_program *p, lz_time grace, bool is_held)
{
    p->kills += is_held;
    if (p->process->pid == 0 || p->process->state == LZ_SITE_STOPPING)
        return 0;
    ask_to_end(p, grace > 0 ? grace : target_of(p)->grace);
    return 1;
}

void lz_program_release(struct lz_program *p)
{
    LZ_ASSERT(p->kills > 0);
    p->kills--;
    if (p->kills == 0 && p->is_wanted && p->process->pid == 0)
        begin(p);
    else if (p->kills == 0)
        p->comes_back = p->is_wanted;
}

uint32_t lz_program_pause(struct lz_program *p, struct lz_err *err)
{
    const struct lz_family family = family_of(p);
    if (p->process->pid == 0)
        return 0;
    if (p->pauses == 0) {
        const struct lz_undo_entry entry = {.verb = LZ_UNDO_SIGNAL,
                                            .pid = family.pid,
                                            .start = family.start,
                                            .text = p->mark,
                                            .number = SIGCONT};
        lz_undo_id undo;
        if (!lz_undo_add(lz_live_undo(p->all->live), &entry, &undo, err))
            return 0;
        if (p->process->pid != family.pid || p->process->start_time != family.start) {
            lz_undo_forget(lz_live_undo(p->all->live), undo);
            return 0; // it ended while this was written down
        }
        p->pause_undo = undo;
        lz_family_signal(&family, SIGSTOP);
    }
    p->pauses++;
    set_state(p, p->process->state);
    return 1;
}

void lz_program_resume(struct lz_program *p)
{
    struct lz_err err;
    if (p->pauses == 0)
        return; // it ended meanwhile, and its pauses with it
    p->pauses--;
    if (p->pauses == 0 && p->pause_undo != 0) {
        if (!lz_undo_now(lz_live_undo(p->all->live), p->pause_undo, &err))
            lz_live_note(p->all->live, "%s: %s", name_of(p), err.msg);
        p->pause_undo = 0;
    }
    set_state(p, p->process->state);
}
