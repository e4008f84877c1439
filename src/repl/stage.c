#include "repl/stage.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "check/format.h"
#include "check/matcher.h"
#include "explore/project.h"
#include "model/journal.h"
#include "model/traffic/request.h"
#include "model/traffic/traffic.h"
#include "record/record.h"
#include "repl/pipe.h"
#include "script/prompt.h"

#define CONDITIONS_MAX 64
#define SLICE 2000u // events between two looks at the clock

/*
 * Percent, the most that Lua can be told. A collection marks, and so writes to, every page with an
 * object on it, which is then a page of each sleeping copy. With 10 times the heap between two of
 * them a copy of cache_stampede takes 2.2 MiB, with the usual twice 5.6 MiB.
 */
#define GC_PAUSE 1000

struct stage {
    const struct lz_stage_opts *opts;
    struct lz_script *script;
    struct lz_script_world world;
    bool is_over; /* the scenario has ended, or a script in it went wrong */
    int line;
};

static volatile int interrupted;

static void on_interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

static const struct stage *mortal; // who says a last word

/*
 * A world that goes wrong takes its process with it, and nothing else. Nothing here allocates: the
 * heap may be what is broken.
 */
static void on_fatal(int signal)
{
    if (mortal != NULL) {
        const struct lz_pipe_message m = {.kind = LZ_PIPE_CRASHED, .count = (uint64_t)signal};
        lz_pipe_put(mortal->line, &m, NULL, -1);
    }
    _exit(128 + signal);
}

// On a stack of its own: the world's may be what has run out.
static void listen_for_the_worst(const struct stage *s)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS};
    static char stack[64 * 1024];
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
    mortal = s;
    sigaltstack(&alternate, NULL);
    struct sigaction act = {.sa_handler = on_fatal, .sa_flags = SA_ONSTACK};
    for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
        sigaction(fatal[i], &act, NULL);
}

static struct lz_sim *sim_of(const struct stage *s)
{
    return s->world.world->sim;
}

/*
 * Nobody asks any more. What this world holds is given back when nobody else wants the processor: a
 * millisecond each, and going back far has dozens of them end.
 */
static _Noreturn void leave(void)
{
    (void)setpriority(PRIO_PROCESS, 0, 19);
    _exit(0);
}

// With where the world stands.
static void answer_with(const struct stage *s, struct lz_pipe_message *m, const struct lz_str *text)
{
    m->at = lz_sim_now(sim_of(s));
    m->events = lz_sim_events(sim_of(s));
    m->trace = lz_sim_trace(sim_of(s));
    if (!lz_pipe_put(s->line, m, text, -1))
        leave();
}

static void answer(const struct stage *s, enum lz_pipe_answer kind, uint64_t count,
                   const struct lz_str *text)
{
    struct lz_pipe_message m = {.kind = kind, .count = count};
    answer_with(s, &m, text);
}

// ---------------------------------------------------------------- time

struct conditions {
    struct lz_matcher items[CONDITIONS_MAX];
    bool held[CONDITIONS_MAX]; // when the run went on: only a change counts
    uint32_t count;
};

static bool holds(const struct stage *s, const struct lz_matcher *m)
{
    struct lz_judged j = lz_matcher_now(s->world.world, m, 1, LZ_JUDGE_FAVOURABLE, LZ_NO_VALUE);
    return j.present && j.matches;
}

static bool read_conditions(struct stage *s, char *text, struct conditions *out, struct lz_str *why)
{
    char *rest = text;
    out->count = 0;
    for (char *one = strtok_r(text, "\n", &rest); one != NULL; one = strtok_r(NULL, "\n", &rest)) {
        if (out->count == CONDITIONS_MAX) {
            lz_str_addf(why, "at most %d conditions", CONDITIONS_MAX);
            return false;
        }
        struct lz_matcher *m = &out->items[out->count];
        if (!lz_prompt_watch(s->script, one, m, why))
            return false;
        out->held[out->count++] = holds(s, m);
    }
    return true;
}

// The first that has become true since; 0: none.
static uint32_t came_true(const struct stage *s, struct conditions *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        bool is_now = holds(s, &c->items[i]);
        if (is_now && !c->held[i])
            return i + 1;
        c->held[i] = is_now;
    }
    return 0;
}

static lz_time next_second(lz_time now)
{
    return now - now % LZ_S + LZ_S;
}

static void went_wrong(struct stage *s, struct lz_str *text)
{
    s->is_over = true;
    lz_str_clear(text);
    lz_str_add(text, lz_script_diagnostics(s->script, false));
    answer(s, LZ_PIPE_WRONG, 0, text);
}

// What of a stretch of time is still to be run.
struct stretch {
    lz_time until;
    uint64_t events;
    uint64_t work_end; // of the processor's time, which passes only while we have it
};

static uint64_t work_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool is_used_up(const struct stage *s, const struct stretch *left)
{
    return lz_sim_now(sim_of(s)) >= left->until || left->events == 0 || interrupted ||
           (left->work_end > 0 && work_now() >= left->work_end);
}

/*
 * So many events, or up to the next second if there are conditions. True: at that second. A slice
 * ends where the machine has it end; only at whole seconds is anything asked that it could change.
 */
static bool run_slice(struct stage *s, const struct conditions *c, struct stretch *left)
{
    lz_time until = left->until, next = next_second(lz_sim_now(sim_of(s)));
    if (c->count > 0 && next < until)
        until = next;
    uint64_t first = lz_sim_events(sim_of(s));
    enum lz_sim_stop stop = lz_prompt_advance(
        s->script, until, left->events < SLICE ? left->events : SLICE, &interrupted);
    uint64_t fired = lz_sim_events(sim_of(s)) - first;
    left->events -= fired < left->events ? fired : left->events;
    return stop == LZ_SIM_ENDED && until % LZ_S == 0;
}

static void advance(struct stage *s, const struct lz_pipe_message *m, struct lz_str *text)
{
    static struct conditions conditions;
    struct lz_str why;
    lz_str_init(&why);
    if (!m->goes_on && !read_conditions(s, text->text, &conditions, &why)) {
        answer(s, LZ_PIPE_WRONG, 0, &why);
        lz_str_finish(&why);
        return;
    }
    lz_str_finish(&why);
    lz_time end = s->world.world->end;
    uint64_t began = work_now();
    struct stretch left = {.until = m->at < end ? m->at : end,
                           .events = m->count > 0 ? m->count : UINT64_MAX,
                           .work_end = m->work_ns > 0 ? began + m->work_ns : 0};
    uint32_t which = 0;
    interrupted = 0;
    while (which == 0 && !is_used_up(s, &left)) {
        bool is_second = run_slice(s, &conditions, &left);
        if (lz_script_trouble(s->script) != LZ_SCRIPT_OK) {
            went_wrong(s, text);
            return;
        }
        which = is_second ? came_true(s, &conditions) : 0;
    }
    bool is_there = lz_sim_now(sim_of(s)) >= left.until;
    s->is_over = which == 0 && is_there && left.until == end;
    struct lz_pipe_message told = {.kind = which != 0   ? LZ_PIPE_BREAK
                                           : s->is_over ? LZ_PIPE_ENDED
                                           : is_there   ? LZ_PIPE_OK
                                                        : LZ_PIPE_STOPPED,
                                   .count = which != 0 ? which : (uint64_t)interrupted,
                                   .work_ns = work_now() - began};
    answer_with(s, &told, NULL);
}

// ---------------------------------------------------------------- the others

static void record(struct stage *s, struct lz_str *text)
{
    const struct lz_select_pairs *params = s->opts->params;
    struct lz_record_param *rows = lz_mem_alloc((params->count + 1) * sizeof(rows[0]));
    for (size_t i = 0; i < params->count; i++)
        rows[i] = (struct lz_record_param){params->items[i].name, params->items[i].value};
    struct lz_record_meta meta = {.version = s->opts->version,
                                  .file = s->opts->source.path,
                                  .scenario = lz_script_scenario(s->script),
                                  .about = lz_script_about(s->script),
                                  .source = s->opts->source.text,
                                  .token = s->opts->token,
                                  .seed = s->opts->seed,
                                  .params = rows,
                                  .param_count = params->count};
    bool was_well = lz_script_trouble(s->script) == LZ_SCRIPT_OK;
    if (was_well)
        lz_prompt_finish(s->script);
    bool is_wrong = was_well && lz_script_trouble(s->script) != LZ_SCRIPT_OK;
    const struct lz_record_parts parts = {
        .world = s->world.world, .faults = s->world.faults, .checks = s->world.checks};
    unsigned char *image;
    size_t size;
    struct lz_err err;
    lz_str_clear(text);
    if (is_wrong) { // a check went wrong: there is no verdict to show
        went_wrong(s, text);
        return;
    }
    if (!lz_record_build(&meta, &parts, &image, &size, &err)) {
        lz_str_add(text, err.msg);
        answer(s, LZ_PIPE_WRONG, 0, text);
        return;
    }
    lz_str_add_n(text, (const char *)image, size);
    answer(s, LZ_PIPE_OK, 0, text);
}

static void series(struct stage *s, const struct lz_pipe_message *m, const struct lz_str *text,
                   struct lz_str *out)
{
    const struct lz_metrics *all = s->world.world->metrics;
    lz_metric id = lz_prompt_metric(s->script, text->text, out);
    if (id == 0) {
        answer(s, LZ_PIPE_WRONG, 0, out);
        return;
    }
    lz_time width = lz_metrics_width(all);
    for (size_t i = 0; i < lz_metrics_windows(all, id); i++) {
        struct lz_sample v = lz_metrics_stored(all, id, i);
        lz_time start = (lz_time)i * width;
        if (!v.present || start < m->at || start >= (lz_time)m->count)
            continue;
        const struct lz_pipe_point point = {start, width, v.value, v.low, v.high, v.count};
        lz_str_add_n(out, (const char *)&point, sizeof(point));
    }
    answer(s, LZ_PIPE_OK, lz_metrics_def(all, id)->unit, out);
}

static void sent(struct stage *s, struct lz_str *out)
{
    const struct lz_world *w = s->world.world;
    for (lz_component_id id = 1; id <= w->component_count; id++)
        if (lz_world_component(w, id)->kind == LZ_COMPONENT_TRAFFIC)
            lz_str_addf(out, "%s%" PRIu64 " %s", out->len > 0 ? "\n" : "", lz_traffic_sent(w, id),
                        lz_world_component(w, id)->name);
    answer(s, LZ_PIPE_OK, 0, out);
}

static void keep(struct stage *s, const struct lz_pipe_message *m, const struct lz_str *text)
{
    struct lz_world *w = s->world.world;
    lz_component_id id = m->count > 0 ? lz_world_find(w, text->text) : 0;
    if (m->count > 0)
        lz_requests_ask(w, id, m->count);
    answer(s, LZ_PIPE_OK, lz_requests_has_asked(w), NULL);
}

// What a person wants to be told that it happened: what broke and what was said.
static void news(struct stage *s, lz_time since, struct lz_str *out)
{
    static const char *const kinds[] = {"fault", "fault_end", "mark", "log", "promoted"};
    const struct lz_world *w = s->world.world;
    size_t count = lz_journal_count(w), first = count;
    while (first > 0 && lz_journal_get(w, first - 1)->at >= since)
        first--;
    for (size_t i = first; i < count; i++) {
        const struct lz_journal_entry *e = lz_journal_get(w, i);
        char at[32];
        bool is_told = false;
        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
            is_told |= strcmp(kinds[k], e->kind) == 0;
        if (!is_told || (e->at == since && since > 0))
            continue;
        lz_format_instant(at, sizeof(at), e->at);
        lz_str_addf(out, "%s%12s  %-10s %s", out->len > 0 ? "\n" : "", at, e->kind, e->text);
        if (e->line > 0)
            lz_str_addf(out, "   line %u", e->line);
    }
    answer(s, LZ_PIPE_OK, count, out);
}

// The copy answers on its own line; the one that was asked says that there is one, and sleeps on.
static void fork_off(struct stage *s, int line)
{
    pid_t pid = fork();
    if (pid == 0) {
        close(s->line);
        s->line = line;
        answer(s, LZ_PIPE_OK, (uint64_t)getpid(), NULL);
        return;
    }
    close(line);
    if (pid > 0)
        return; // the copy says the rest
    struct lz_str why;
    lz_str_init(&why);
    lz_str_addf(&why, "no copy of the world can be made: %s", strerror(errno));
    answer(s, LZ_PIPE_WRONG, 0, &why);
    lz_str_finish(&why);
}

static void eval(struct stage *s, struct lz_str *text)
{
    struct lz_str shown;
    lz_str_init(&shown);
    if (s->is_over && lz_script_trouble(s->script) != LZ_SCRIPT_OK)
        lz_str_add(&shown, "a script went wrong in this world: go .back to before");
    enum lz_prompt_outcome how =
        shown.len > 0 ? LZ_PROMPT_WRONG : lz_prompt_eval(s->script, text->text, &shown);
    answer(s,
           how == LZ_PROMPT_OK           ? LZ_PIPE_OK
           : how == LZ_PROMPT_INCOMPLETE ? LZ_PIPE_INCOMPLETE
                                         : LZ_PIPE_WRONG,
           0, &shown);
    lz_str_finish(&shown);
}

static void style(struct stage *s, const struct lz_pipe_message *m)
{
    const struct lz_prompt_look look = {.width = (int)(m->count >> 1), .ascii = m->count & 1};
    lz_prompt_style(s->script, &look);
}

static void handle(struct stage *s, const struct lz_pipe_message *m, struct lz_str *text, int fd)
{
    struct lz_str out;
    lz_str_init(&out);
    lz_time t = 0;
    switch ((enum lz_pipe_verb)m->kind) {
    case LZ_PIPE_EVAL:
        style(s, m);
        eval(s, text);
        break;
    case LZ_PIPE_EDIT: {
        enum lz_prompt_outcome how = lz_prompt_edit(s->script, text->text, &out);
        answer(s,
               how == LZ_PROMPT_OK           ? LZ_PIPE_OK
               : how == LZ_PROMPT_INCOMPLETE ? LZ_PIPE_INCOMPLETE
                                             : LZ_PIPE_WRONG,
               0, &out);
        break;
    }
    case LZ_PIPE_COMPLETE:
        lz_prompt_complete(s->script, text->text, &out);
        answer(s, LZ_PIPE_OK, 0, &out);
        break;
    case LZ_PIPE_TIME: {
        bool ok = lz_prompt_duration(s->script, text->text, &t, &out);
        answer(s, ok ? LZ_PIPE_OK : LZ_PIPE_WRONG, (uint64_t)t, &out);
        break;
    }
    case LZ_PIPE_METRIC: {
        lz_metric id = lz_prompt_metric(s->script, text->text, &out);
        answer(s, id != 0 ? LZ_PIPE_OK : LZ_PIPE_WRONG, id, &out);
        break;
    }
    case LZ_PIPE_ADVANCE:
        advance(s, m, text);
        break;
    case LZ_PIPE_FORK:
        fork_off(s, fd);
        break;
    case LZ_PIPE_RECORD:
        record(s, text);
        break;
    case LZ_PIPE_SERIES:
        series(s, m, text, &out);
        break;
    case LZ_PIPE_SENT:
        sent(s, &out);
        break;
    case LZ_PIPE_KEEP:
        keep(s, m, text);
        break;
    case LZ_PIPE_NEWS:
        news(s, m->at, &out);
        break;
    case LZ_PIPE_TOP:
        style(s, m);
        answer(s, lz_prompt_top(s->script, &out) ? LZ_PIPE_OK : LZ_PIPE_WRONG, 0, &out);
        break;
    case LZ_PIPE_TOPIC:
        answer(s, lz_prompt_topic(s->script, text->text, &out) ? LZ_PIPE_OK : LZ_PIPE_WRONG, 0,
               &out);
        break;
    }
    lz_str_finish(&out);
}

static _Noreturn void serve(struct stage *s)
{
    struct lz_pipe_message m;
    struct lz_str text;
    lz_str_init(&text);
    int fd = -1;
    while (lz_pipe_get(s->line, &m, &text, &fd))
        handle(s, &m, &text, fd);
    leave();
}

static bool open_world(struct stage *s, struct lz_str *why)
{
    const struct lz_stage_opts *o = s->opts;
    const struct lz_script_opts opts = {
        .captures = true,
        .gc_pause = GC_PAUSE,
        .path = o->source.path,
        .source = o->source.text,
        .source_len = o->source.len,
        .sets = o->params->items,
        .set_count = o->params->count,
        .files = {.ctx = (void *)o->source.path, .read = lz_project_read}};
    struct lz_err err;
    if (!lz_script_load(&opts, &s->script, &err)) {
        lz_str_add(why, err.msg);
        return false;
    }
    bool ok = lz_script_trouble(s->script) == LZ_SCRIPT_OK;
    if (ok) {
        lz_script_set_swarm(s->script, o->swarm);
        lz_script_set_order(s->script, &o->order);
    }
    ok = ok && lz_script_build(s->script, o->seed, 0, &s->world);
    if (!ok)
        lz_str_add(why, lz_script_diagnostics(s->script, false));
    else
        lz_prompt_begin(s->script);
    return ok;
}

static _Noreturn void child(const struct lz_stage_opts *opts, int line)
{
    struct stage s = {.opts = opts, .line = line};
    // The prompt's lines to other worlds: who holds one keeps its world from seeing the prompt go.
    if (line > 3)
        close_range(3, (unsigned)line - 1, 0);
    close_range((unsigned)line + 1, ~0u, 0);
    struct sigaction act = {.sa_handler = on_interrupt};
    sigaction(SIGUSR1, &act, NULL);
    signal(SIGINT, SIG_IGN); // the terminal's is for the prompt, which asks by SIGUSR1
    signal(SIGCHLD, SIG_IGN);
    struct lz_str why;
    lz_str_init(&why);
    listen_for_the_worst(&s);
    if (!open_world(&s, &why)) {
        const struct lz_pipe_message m = {.kind = LZ_PIPE_WRONG};
        lz_pipe_put(line, &m, &why, -1);
        _exit(0);
    }
    answer(&s, LZ_PIPE_OK, (uint64_t)getpid(), NULL);
    serve(&s);
}

bool lz_stage_start(const struct lz_stage_opts *opts, int *line, pid_t *pid, struct lz_str *why)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        lz_str_addf(why, "no line to a world can be made: %s", strerror(errno));
        return false;
    }
    pid_t p = fork();
    if (p == 0) {
        close(pair[0]);
        child(opts, pair[1]);
    }
    close(pair[1]);
    if (p < 0) {
        close(pair[0]);
        lz_str_addf(why, "no process can be made: %s", strerror(errno));
        return false;
    }
    struct lz_pipe_message m;
    struct lz_str text;
    lz_str_init(&text);
    bool ok = lz_pipe_get(pair[0], &m, &text, NULL) && m.kind == LZ_PIPE_OK;
    if (!ok) {
        lz_str_add(why, text.len > 0 ? text.text : "the world's process ended at once");
        close(pair[0]);
    } else {
        *line = pair[0];
        *pid = p;
    }
    lz_str_finish(&text);
    return ok;
}
