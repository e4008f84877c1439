#include "repl/tree.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "repl/past.h"

// C-c may come while the world stands still between two stretches of a run.
static volatile sig_atomic_t interrupted;
static volatile sig_atomic_t evaluating; // nothing in the world listens: end it

struct lz_tree_branch *lz_tree_now(struct lz_tree *t)
{
    return &t->branches[t->current];
}

static void note(struct lz_tree_branch *b, const struct lz_pipe_message *m)
{
    b->at = m->at;
    b->events = m->events;
    b->trace = m->trace;
}

static char *copy(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(lz_mem_alloc(size), text, size);
}

// A question to a world on any line; one that is about to end says by which signal.
bool lz_tree_ask_on(struct lz_tree *t, int line, struct lz_pipe_message *m, struct lz_str *text)
{
    t->fatal = 0;
    // A world that has ended cannot be told, but may have left a last word.
    bool is_told = lz_pipe_put(line, m, text, -1);
    bool is_there = lz_pipe_get(line, m, text, NULL);
    if (is_there && m->kind == LZ_PIPE_CRASHED)
        t->fatal = (int)m->count;
    return is_told && is_there && m->kind != LZ_PIPE_CRASHED;
}

const char *lz_tree_reason(const struct lz_tree *t)
{
    static char text[96];
    if (t->fatal == 0)
        return "it was ended from outside, or the machine is out of memory";
    snprintf(text, sizeof(text), "%s (SIG%s)", strsignal(t->fatal), sigabbrev_np(t->fatal));
    if (text[0] >= 'A' && text[0] <= 'Z')
        text[0] = (char)(text[0] - 'A' + 'a');
    return text;
}

// A copy of the world on `line`, on a line of its own; -1 with why if there can be none.
int lz_tree_copy(int line, struct lz_pipe_message *m, struct lz_str *why)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        lz_str_add(why, "no more worlds can be kept: too many open files");
        return -1;
    }
    *m = (struct lz_pipe_message){.kind = LZ_PIPE_FORK};
    bool sent = lz_pipe_put(line, m, NULL, pair[1]);
    close(pair[1]);
    struct lz_str text;
    lz_str_init(&text);
    bool ok = sent && lz_pipe_get(pair[0], m, &text, NULL) && m->kind == LZ_PIPE_OK;
    if (!ok)
        lz_str_add(why, text.len > 0 ? text.text : "the world's process is gone");
    lz_str_finish(&text);
    if (ok)
        return pair[0];
    close(pair[0]);
    return -1;
}

// Number `count` is its own parent.
static uint32_t new_node(struct lz_tree *t, uint32_t parent, uint64_t order)
{
    if (t->node_count == t->node_cap) {
        t->node_cap = t->node_cap > 0 ? 2 * t->node_cap : 16;
        t->nodes = lz_mem_resize(t->nodes, t->node_cap * sizeof(t->nodes[0]));
    }
    LZ_ASSERT(parent <= t->node_count);
    t->nodes[t->node_count] = (struct lz_tree_node){parent, order};
    return t->node_count++;
}

bool lz_tree_open(const struct lz_stage_opts *opts, size_t budget_bytes, struct lz_tree *t,
                  struct lz_str *why)
{
    *t = (struct lz_tree){.branch_count = 1, .snapshots.budget_bytes = budget_bytes};
    struct lz_tree_branch *b = &t->branches[0];
    b->node = new_node(t, 0, 0);
    b->name = copy("main");
    if (!lz_stage_start(opts, &b->line, &b->pid, why)) {
        free(b->name);
        free(t->nodes);
        *t = (struct lz_tree){0};
        return false;
    }
    return true;
}

void lz_tree_close(struct lz_tree *t)
{
    for (uint32_t i = 0; i < t->branch_count; i++) {
        close(t->branches[i].line);
        free(t->branches[i].name);
        free(t->branches[i].source);
    }
    for (uint32_t i = 0; i < t->typed_count; i++)
        free(t->typed[i].line);
    free(t->typed);
    free(t->nodes);
    lz_tree_tidy(t);
    free(t->left);
    lz_snapshots_finish(&t->snapshots);
    *t = (struct lz_tree){0};
}

// ---------------------------------------------------------------- snapshots

static bool snapshot(struct lz_tree *t, bool is_first)
{
    struct lz_tree_branch *b = lz_tree_now(t);
    struct lz_pipe_message m;
    struct lz_str why;
    lz_str_init(&why);
    int line = lz_tree_copy(b->line, &m, &why);
    lz_str_finish(&why);
    if (line < 0)
        return false;
    const struct lz_snapshot one = {.line = line,
                                    .pid = (pid_t)m.count,
                                    .node = b->node,
                                    .at = m.at,
                                    .events = m.events,
                                    .order = ++t->order,
                                    .is_first = is_first};
    lz_snapshots_add(&t->snapshots, &one);
    lz_snapshots_thin(&t->snapshots, lz_past_least_missed, t);
    b->work_ns = 0;
    return true;
}

// A world that is no longer needed ends later, beside what is done then (lz_tree_tidy).
void lz_tree_leave(struct lz_tree *t, int line)
{
    if (t->left_count == t->left_cap) {
        t->left_cap = t->left_cap > 0 ? 2 * t->left_cap : 64;
        t->left = lz_mem_resize(t->left, t->left_cap * sizeof(t->left[0]));
    }
    t->left[t->left_count++] = line;
}

void lz_tree_tidy(struct lz_tree *t)
{
    while (t->left_count > 0)
        close(t->left[--t->left_count]);
}

static bool wake(struct lz_tree *t, uint32_t i, struct lz_str *why)
{
    struct lz_tree_branch *b = lz_tree_now(t);
    struct lz_pipe_message m;
    int line = lz_tree_copy(t->snapshots.all[i].line, &m, why);
    if (line < 0)
        return false;
    lz_tree_leave(t, b->line);
    b->line = line;
    b->pid = (pid_t)m.count;
    b->is_over = false;
    b->work_ns = 0;
    note(b, &m);
    return true;
}

static void forget_typed(struct lz_tree *t, uint32_t i)
{
    free(t->typed[i].line);
    t->typed_count--;
    memmove(&t->typed[i], &t->typed[i + 1], (t->typed_count - i) * sizeof(t->typed[0]));
}

// ---------------------------------------------------------------- questions

bool lz_tree_ask(struct lz_tree *t, struct lz_pipe_message *m, struct lz_str *text)
{
    struct lz_tree_branch *b = lz_tree_now(t);
    if (!lz_tree_ask_on(t, b->line, m, text))
        return false;
    note(b, m);
    return true;
}

static void note_typed(struct lz_tree *t, const char *line)
{
    if (t->typed_count == t->typed_cap) {
        t->typed_cap = t->typed_cap > 0 ? 2 * t->typed_cap : 16;
        t->typed = lz_mem_resize(t->typed, t->typed_cap * sizeof(t->typed[0]));
    }
    t->typed[t->typed_count++] = (struct lz_tree_typed){.node = lz_tree_now(t)->node,
                                                        .order = ++t->order,
                                                        .at = lz_tree_now(t)->at,
                                                        .line = copy(line)};
}

// A world that does not give back what it was asked for can only be ended.
static bool evaluate(struct lz_tree *t, struct lz_pipe_message *m, struct lz_str *text)
{
    interrupted = 0;
    evaluating = 1;
    bool is_alive = lz_tree_ask(t, m, text);
    evaluating = 0;
    return is_alive;
}

static uint32_t with_order(const struct lz_tree *t, uint64_t order)
{
    uint32_t i = 0;
    while (i < t->snapshots.count && t->snapshots.all[i].order != order)
        i++;
    return i;
}

bool lz_tree_eval(struct lz_tree *t, const char *line, struct lz_pipe_message *m,
                  struct lz_str *out)
{
    if (!snapshot(t, t->snapshots.count == 0))
        return false;
    uint64_t before = t->order;
    *m = (struct lz_pipe_message){.kind = LZ_PIPE_EVAL, .count = t->look};
    lz_str_clear(out);
    lz_str_add(out, line);
    bool is_alive = evaluate(t, m, out);
    if (is_alive && m->kind == LZ_PIPE_OK) {
        uint32_t i = with_order(t, before);
        if (!t->snapshots.all[i].is_first)
            lz_snapshots_forget(&t->snapshots, i);
        note_typed(t, line);
        return snapshot(t, false); // what was typed belongs to this instant
    }
    // The one from before takes its place.
    struct lz_tree_branch *b = lz_tree_now(t);
    struct lz_str why;
    lz_str_init(&why);
    uint32_t kind = is_alive ? m->kind : LZ_PIPE_WRONG;
    if (!is_alive) {
        lz_str_clear(out);
        if (interrupted)
            lz_str_add(out, "interrupted; the world is as it was before the line");
        else
            lz_str_addf(out, "the world ended on this line: %s; it is as it was before the line",
                        lz_tree_reason(t));
    }
    uint32_t i = with_order(t, before);
    bool ok = wake(t, i, &why);
    if (!t->snapshots.all[i].is_first)
        lz_snapshots_forget(&t->snapshots, i);
    m->kind = kind;
    m->at = b->at;
    lz_str_finish(&why);
    return ok;
}

// As far as the next copy; or, where none are taken, as the one who waits may want to stop.
static struct lz_pipe_message stretch(const struct lz_tree *t, const struct lz_tree_goal *goal)
{
    const struct lz_tree_branch *b = &t->branches[t->current];
    lz_time stride = t->stride > 0 && t->stride < LZ_SNAPSHOTS_TIME ? t->stride : LZ_SNAPSHOTS_TIME;
    struct lz_pipe_message m = {.kind = LZ_PIPE_ADVANCE,
                                .at = goal->until - b->at > stride ? b->at + stride : goal->until,
                                .count = LZ_SNAPSHOTS_EVENTS};
    if (!t->is_replaying) {
        uint64_t events = lz_past_since(t).events;
        m.count -= events < m.count ? events : m.count - 1;
        m.work_ns = LZ_SNAPSHOTS_WORK - (b->work_ns < LZ_SNAPSHOTS_WORK ? b->work_ns : 0);
    }
    LZ_ASSERT(b->events < goal->events);
    if (m.count > goal->events - b->events)
        m.count = goal->events - b->events;
    return m;
}

bool lz_tree_go(struct lz_tree *t, const struct lz_tree_goal *goal, struct lz_pipe_message *m,
                struct lz_str *out)
{
    struct lz_tree_branch *b = lz_tree_now(t);
    if (t->snapshots.count == 0 && !snapshot(t, true))
        return false;
    bool goes_on = false;
    interrupted = 0;
    do {
        *m = stretch(t, goal);
        m->goes_on = goes_on; // how the conditions stood before is what counts
        lz_str_clear(out);
        lz_str_add(out, goal->conditions);
        if (!lz_tree_ask(t, m, out))
            return false;
        b->work_ns += m->work_ns;
        if (interrupted && (m->kind == LZ_PIPE_STOPPED || m->kind == LZ_PIPE_OK)) {
            m->kind = LZ_PIPE_STOPPED;
            m->count = 1;
        }
        goes_on = b->events < goal->events && ((m->kind == LZ_PIPE_STOPPED && m->count == 0) ||
                                               (m->kind == LZ_PIPE_OK && b->at < goal->until));
        struct lz_pipe_message end = *m;
        if (goes_on && !t->is_replaying && lz_past_is_due(t) && !snapshot(t, false))
            return false;
        if (t->between != NULL)
            t->between(t->between_ctx);
        *m = end;
        if (interrupted && goes_on) {
            m->kind = LZ_PIPE_STOPPED;
            m->count = 1;
            goes_on = false;
        }
    } while (goes_on);
    b->is_over = m->kind == LZ_PIPE_ENDED;
    return true;
}

bool lz_tree_run(struct lz_tree *t, lz_time until, const char *conditions,
                 struct lz_pipe_message *m, struct lz_str *out)
{
    return lz_tree_go(t, &(struct lz_tree_goal){until, UINT64_MAX, conditions}, m, out);
}

bool lz_tree_step(struct lz_tree *t, uint64_t events, struct lz_pipe_message *m, struct lz_str *out)
{
    uint64_t fired = lz_tree_now(t)->events;
    LZ_ASSERT(events > 0);
    uint64_t last = events < UINT64_MAX - fired ? fired + events : UINT64_MAX;
    if (!lz_tree_go(t, &(struct lz_tree_goal){INT64_MAX, last, ""}, m, out))
        return false;
    if (m->kind == LZ_PIPE_STOPPED && m->count == 0)
        m->kind = LZ_PIPE_OK; // so many was what was asked for
    return true;
}

bool lz_tree_type(struct lz_tree *t, const struct lz_tree_typed *line, struct lz_str *out)
{
    struct lz_pipe_message m = (struct lz_pipe_message){.kind = LZ_PIPE_EVAL, .count = t->look};
    lz_str_clear(out);
    lz_str_add(out, line->line);
    return lz_tree_ask(t, &m, out) && m.kind == LZ_PIPE_OK;
}

static bool type_again(struct lz_tree *t, const struct lz_tree_typed *line, struct lz_str *out)
{
    struct lz_pipe_message m;
    if (lz_tree_now(t)->at < line->at && !lz_tree_run(t, line->at, "", &m, out))
        return false;
    return lz_tree_type(t, line, out);
}

bool lz_tree_follows(const struct lz_tree *t, const struct lz_tree_typed *line,
                     const struct lz_snapshot *from)
{
    bool is_after = line->at > from->at || (line->at == from->at && line->order > from->order);
    return is_after && lz_past_has(t, line->node, line->order, t->branches[t->current].node);
}

/*
 * Wake the latest copy that is not after `at`, and go on from there to `at` with what was typed on
 * the way. False: nothing is kept of that time, or it does not come to pass again.
 */
static bool wake_at(struct lz_tree *t, lz_time at, struct lz_str *why)
{
    uint32_t i = lz_past_nearest(t, at);
    if (i == t->snapshots.count) {
        lz_str_add(why, "nothing is kept of that time");
        return false;
    }
    const struct lz_snapshot from = t->snapshots.all[i];
    if (!wake(t, i, why))
        return false;
    // No copies meanwhile: one taken just before a line would be numbered as if it came after.
    t->is_replaying = true;
    bool ok = true;
    struct lz_pipe_message m = {.kind = LZ_PIPE_OK};
    for (uint32_t k = 0; ok && k < t->typed_count; k++) {
        const struct lz_tree_typed *line = &t->typed[k];
        if (line->at <= at && lz_tree_follows(t, line, &from))
            ok = type_again(t, line, why);
    }
    if (ok) {
        lz_str_clear(why);
        ok = lz_tree_now(t)->at >= at || lz_tree_run(t, at, "", &m, why);
    }
    t->is_replaying = false;
    return ok;
}

static void forget_unreachable(struct lz_tree *t)
{
    for (uint32_t i = t->snapshots.count; i-- > 0;)
        if (!lz_past_is_reachable(t, t->snapshots.all[i].node, t->snapshots.all[i].order))
            lz_tree_leave(t, lz_snapshots_release(&t->snapshots, i));
    for (uint32_t i = t->typed_count; i-- > 0;)
        if (!lz_past_is_reachable(t, t->typed[i].node, t->typed[i].order))
            forget_typed(t, i);
}

bool lz_tree_back(struct lz_tree *t, lz_time at, struct lz_str *why)
{
    struct lz_tree_branch *b = lz_tree_now(t);
    LZ_ASSERT(at <= b->at);
    if (at == b->at)
        return true;
    if (lz_past_nearest(t, at) == t->snapshots.count) {
        lz_str_add(why, "nothing is kept of that time");
        return false;
    }
    b->node = new_node(t, b->node, lz_past_last(t, at));
    bool ok = wake_at(t, at, why);
    forget_unreachable(t);
    return ok;
}

bool lz_tree_recover(struct lz_tree *t, struct lz_str *why)
{
    uint32_t i = lz_past_nearest(t, lz_tree_now(t)->at);
    lz_time at = i < t->snapshots.count ? t->snapshots.all[i].at : 0;
    // A copy may have gone with the world: then the one before it.
    while (i < t->snapshots.count) {
        lz_str_clear(why);
        if (wake_at(t, at, why))
            return true;
        lz_snapshots_forget(&t->snapshots, i);
        i = lz_past_nearest(t, at);
        at = i < t->snapshots.count ? t->snapshots.all[i].at : 0;
    }
    return false;
}

// ---------------------------------------------------------------- another text

const char *lz_tree_source(const struct lz_tree *t, const struct lz_stage_opts *opts)
{
    const char *changed = t->branches[t->current].source;
    return changed != NULL ? changed : opts->source.text;
}

// What was typed before, each line at its instant and noted anew, then on to `until`.
static bool relive(struct lz_tree *t, uint32_t node, lz_time until, struct lz_str *out)
{
    struct lz_pipe_message m = {.kind = LZ_PIPE_OK};
    uint32_t count = t->typed_count; // what is typed again comes after
    for (uint32_t i = 0; i < count; i++) {
        if (!lz_past_has(t, t->typed[i].node, t->typed[i].order, node))
            continue;
        if (!type_again(t, &t->typed[i], out))
            return false;
        note_typed(t, t->typed[i].line);
        if (!snapshot(t, false))
            return false;
    }
    return lz_tree_run(t, until, "", &m, out) && m.kind != LZ_PIPE_WRONG;
}

bool lz_tree_rebuild(struct lz_tree *t, const struct lz_stage_opts *opts, const char *source,
                     struct lz_str *why)
{
    struct lz_tree_branch *b = lz_tree_now(t), before = *b;
    struct lz_stage_opts changed = *opts;
    changed.source.text = source;
    changed.source.len = strlen(source);
    if (!lz_stage_start(&changed, &b->line, &b->pid, why)) {
        *b = before;
        return false;
    }
    b->node = new_node(t, t->node_count, 0);
    b->at = 0;
    b->events = b->trace = 0;
    b->is_over = false;
    struct lz_str out;
    lz_str_init(&out);
    bool ok = snapshot(t, true) && relive(t, before.node, before.at, &out);
    if (ok) {
        close(before.line);
        free(b->source);
        b->source = copy(source);
    } else {
        lz_str_add(why, out.len > 0 ? out.text : "the changed world's process is gone");
        close(b->line);
        *b = before;
    }
    forget_unreachable(t); // the older copies are of another scenario
    lz_str_finish(&out);
    return ok;
}

// ---------------------------------------------------------------- branches

static bool is_taken(const struct lz_tree *t, const char *name)
{
    for (uint32_t i = 0; i < t->branch_count; i++)
        if (strcmp(t->branches[i].name, name) == 0)
            return true;
    return false;
}

bool lz_tree_fork(struct lz_tree *t, const char *name, struct lz_str *why)
{
    char letter[2] = "a";
    while (name == NULL && is_taken(t, letter) && letter[0] < 'z')
        letter[0]++;
    const char *called = name != NULL ? name : letter;
    if (t->branch_count == LZ_TREE_BRANCHES) {
        lz_str_addf(why, "at most %d forks", LZ_TREE_BRANCHES);
        return false;
    }
    if (is_taken(t, called)) {
        lz_str_addf(why, "there is a fork \"%s\" already", called);
        return false;
    }
    struct lz_pipe_message m;
    int line = lz_tree_copy(lz_tree_now(t)->line, &m, why);
    if (line < 0)
        return false;
    struct lz_tree_branch *b = &t->branches[t->branch_count];
    *b = (struct lz_tree_branch){.name = copy(called),
                                 .line = line,
                                 .pid = (pid_t)m.count,
                                 .node = new_node(t, lz_tree_now(t)->node, t->order),
                                 .is_over = lz_tree_now(t)->is_over};
    const char *source = lz_tree_now(t)->source;
    b->source = source != NULL ? copy(source) : NULL;
    note(b, &m);
    t->current = t->branch_count++;
    return true;
}

bool lz_tree_switch(struct lz_tree *t, const char *name)
{
    for (uint32_t i = 0; i < t->branch_count; i++) {
        if (strcmp(t->branches[i].name, name) != 0)
            continue;
        t->current = i;
        return true;
    }
    return false;
}

bool lz_tree_record(struct lz_tree *t, uint32_t branch, struct lz_str *out)
{
    struct lz_pipe_message m;
    int line = lz_tree_copy(t->branches[branch].line, &m, out);
    if (line < 0)
        return false;
    m = (struct lz_pipe_message){.kind = LZ_PIPE_RECORD};
    lz_str_clear(out);
    bool ok = lz_tree_ask_on(t, line, &m, out) && m.kind == LZ_PIPE_OK;
    close(line);
    return ok;
}

void lz_tree_interrupt(const struct lz_tree *t)
{
    interrupted = 1;
    if (t->branch_count > 0)
        kill(t->branches[t->current].pid, evaluating ? SIGKILL : SIGUSR1);
}

bool lz_tree_is_interrupted(void)
{
    return interrupted;
}

void lz_tree_begin_line(void)
{
    interrupted = 0;
}
