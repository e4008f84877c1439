#include "repl/tree.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"

// C-c may come while the world stands still between two stretches of a run.
static volatile sig_atomic_t interrupted;

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

// A question to a world on any line.
static bool ask(int line, struct lz_pipe_message *m, struct lz_str *text)
{
    return lz_pipe_put(line, m, text, -1) && lz_pipe_get(line, m, text, NULL);
}

// A copy of the world on `line`, on a line of its own; -1 with why if there can be none.
static int copy_world(int line, struct lz_pipe_message *m, struct lz_str *why)
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

bool lz_tree_open(const struct lz_stage_opts *opts, struct lz_tree *t, struct lz_str *why)
{
    *t = (struct lz_tree){.branch_count = 1};
    struct lz_tree_branch *b = &t->branches[0];
    b->name = copy("main");
    if (!lz_stage_start(opts, &b->line, &b->pid, why)) {
        free(b->name);
        t->branch_count = 0;
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
    for (uint32_t i = 0; i < t->snapshot_count; i++)
        close(t->snapshots[i].line);
    free(t->snapshots);
    *t = (struct lz_tree){0};
}

// ---------------------------------------------------------------- snapshots

static void forget(struct lz_tree *t, uint32_t i)
{
    close(t->snapshots[i].line);
    t->snapshot_count--;
    memmove(&t->snapshots[i], &t->snapshots[i + 1],
            (t->snapshot_count - i) * sizeof(t->snapshots[0]));
}

static void thin(struct lz_tree *t)
{
    uint32_t plain = 0;
    for (uint32_t i = 0; i < t->snapshot_count; i++)
        plain += !t->snapshots[i].is_typed;
    if (plain <= LZ_TREE_SNAPSHOTS)
        return;
    bool odd = false;
    for (uint32_t i = 0; i < t->snapshot_count;) {
        odd ^= !t->snapshots[i].is_typed;
        if (!t->snapshots[i].is_typed && !odd)
            forget(t, i);
        else
            i++;
    }
}

static bool snapshot(struct lz_tree *t, bool is_typed)
{
    struct lz_tree_branch *b = lz_tree_now(t);
    struct lz_pipe_message m;
    struct lz_str why;
    lz_str_init(&why);
    int line = copy_world(b->line, &m, &why);
    lz_str_finish(&why);
    if (line < 0)
        return false;
    if (t->snapshot_count == t->snapshot_cap) {
        t->snapshot_cap = t->snapshot_cap > 0 ? 2 * t->snapshot_cap : 64;
        t->snapshots = lz_mem_resize(t->snapshots, t->snapshot_cap * sizeof(t->snapshots[0]));
    }
    t->snapshots[t->snapshot_count++] = (struct lz_tree_snapshot){.line = line,
                                                                  .branch = t->current,
                                                                  .at = m.at,
                                                                  .events = m.events,
                                                                  .order = ++t->order,
                                                                  .is_typed = is_typed};
    thin(t);
    return true;
}

// Is a snapshot, or a line, of a branch in the past of another?
static bool is_past(const struct lz_tree *t, uint32_t whose, uint64_t order, uint32_t branch)
{
    uint64_t up_to = UINT64_MAX;
    for (;;) {
        const struct lz_tree_branch *b = &t->branches[branch];
        if (whose == branch)
            return order <= up_to;
        if (b->parent == branch)
            return false;
        up_to = b->order < up_to ? b->order : up_to;
        branch = b->parent;
    }
}

// The latest in the past of the current branch that is not after `at`; the count: none.
static uint32_t nearest(const struct lz_tree *t, lz_time at)
{
    uint32_t best = t->snapshot_count;
    for (uint32_t i = 0; i < t->snapshot_count; i++) {
        const struct lz_tree_snapshot *s = &t->snapshots[i];
        if (s->at <= at && is_past(t, s->branch, s->order, t->current) &&
            (best == t->snapshot_count || s->events > t->snapshots[best].events ||
             (s->events == t->snapshots[best].events && s->order > t->snapshots[best].order)))
            best = i;
    }
    return best;
}

static bool wake(struct lz_tree *t, uint32_t i, struct lz_str *why)
{
    struct lz_tree_branch *b = lz_tree_now(t);
    struct lz_pipe_message m;
    int line = copy_world(t->snapshots[i].line, &m, why);
    if (line < 0)
        return false;
    close(b->line);
    b->line = line;
    b->pid = (pid_t)m.count;
    b->is_over = false;
    note(b, &m);
    return true;
}

static void forget_typed(struct lz_tree *t, uint32_t i)
{
    free(t->typed[i].line);
    t->typed_count--;
    memmove(&t->typed[i], &t->typed[i + 1], (t->typed_count - i) * sizeof(t->typed[0]));
}

// Of this branch, what lies after where it stands now is no longer its past.
static void forget_later(struct lz_tree *t, uint64_t order)
{
    for (uint32_t i = t->snapshot_count; i-- > 0;)
        if (t->snapshots[i].branch == t->current && t->snapshots[i].order > order)
            forget(t, i);
    for (uint32_t i = t->typed_count; i-- > 0;)
        if (t->typed[i].branch == t->current && t->typed[i].order > order)
            forget_typed(t, i);
}

// ---------------------------------------------------------------- questions

bool lz_tree_ask(struct lz_tree *t, struct lz_pipe_message *m, struct lz_str *text)
{
    struct lz_tree_branch *b = lz_tree_now(t);
    if (!ask(b->line, m, text))
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
    t->typed[t->typed_count++] = (struct lz_tree_typed){
        .branch = t->current, .order = ++t->order, .at = lz_tree_now(t)->at, .line = copy(line)};
}

bool lz_tree_eval(struct lz_tree *t, const char *line, struct lz_pipe_message *m,
                  struct lz_str *out)
{
    if (!snapshot(t, true))
        return false;
    uint32_t before = t->snapshot_count - 1;
    *m = (struct lz_pipe_message){.kind = LZ_PIPE_EVAL};
    lz_str_clear(out);
    lz_str_add(out, line);
    bool is_alive = lz_tree_ask(t, m, out);
    if (is_alive && m->kind == LZ_PIPE_OK) {
        forget(t, before);
        note_typed(t, line);
        return snapshot(t, true); // what was typed belongs to this instant
    }
    // The one from before takes its place.
    struct lz_tree_branch *b = lz_tree_now(t);
    struct lz_str why;
    lz_str_init(&why);
    uint32_t kind = is_alive ? m->kind : LZ_PIPE_WRONG;
    if (!is_alive) {
        lz_str_clear(out);
        lz_str_add(out, "the world's process went down on this line; the world is as before it");
    }
    bool ok = wake(t, before, &why);
    forget(t, before);
    m->kind = kind;
    m->at = b->at;
    lz_str_finish(&why);
    return ok;
}

bool lz_tree_run(struct lz_tree *t, lz_time until, const char *conditions,
                 struct lz_pipe_message *m, struct lz_str *out)
{
    struct lz_tree_branch *b = lz_tree_now(t);
    if (t->snapshot_count == 0 && !snapshot(t, true)) // the beginning is never given up
        return false;
    interrupted = 0;
    do {
        *m =
            (struct lz_pipe_message){.kind = LZ_PIPE_ADVANCE, .at = until, .count = LZ_TREE_EVENTS};
        lz_str_clear(out);
        lz_str_add(out, conditions);
        if (!lz_tree_ask(t, m, out))
            return false;
        if (m->kind == LZ_PIPE_STOPPED && interrupted)
            m->count = 1;
        if (m->kind == LZ_PIPE_STOPPED && m->count == 0 && !snapshot(t, false))
            return false;
    } while (m->kind == LZ_PIPE_STOPPED && m->count == 0);
    b->is_over = m->kind == LZ_PIPE_ENDED;
    return true;
}

bool lz_tree_back(struct lz_tree *t, lz_time at, struct lz_str *why)
{
    LZ_ASSERT(at <= lz_tree_now(t)->at);
    uint32_t i = nearest(t, at);
    if (i == t->snapshot_count) {
        lz_str_add(why, "nothing is kept of that time");
        return false;
    }
    uint64_t order = t->snapshots[i].order;
    if (!wake(t, i, why))
        return false;
    forget_later(t, order);
    struct lz_pipe_message m;
    bool ok = lz_tree_now(t)->at >= at || lz_tree_run(t, at, "", &m, why);
    return ok;
}

bool lz_tree_recover(struct lz_tree *t, struct lz_str *why)
{
    uint32_t i = nearest(t, lz_tree_now(t)->at);
    return i < t->snapshot_count && wake(t, i, why);
}

// ---------------------------------------------------------------- another text

const char *lz_tree_source(const struct lz_tree *t, const struct lz_stage_opts *opts)
{
    uint32_t i = t->current;
    while (t->branches[i].source == NULL && t->branches[i].parent != i)
        i = t->branches[i].parent;
    return t->branches[i].source != NULL ? t->branches[i].source : opts->source.text;
}

// What was typed before, each line at its instant and noted anew, then on to `until`.
static bool relive(struct lz_tree *t, uint32_t count, lz_time until, struct lz_str *out)
{
    struct lz_pipe_message m = {.kind = LZ_PIPE_OK};
    for (uint32_t i = 0; i < count; i++) {
        if (!is_past(t, t->typed[i].branch, t->typed[i].order, t->current))
            continue;
        if (!lz_tree_run(t, t->typed[i].at, "", &m, out) || m.kind == LZ_PIPE_WRONG)
            return false;
        m = (struct lz_pipe_message){.kind = LZ_PIPE_EVAL};
        lz_str_clear(out);
        lz_str_add(out, t->typed[i].line);
        if (!lz_tree_ask(t, &m, out) || m.kind != LZ_PIPE_OK)
            return false;
        note_typed(t, t->typed[i].line);
        if (!snapshot(t, true))
            return false;
    }
    return lz_tree_run(t, until, "", &m, out) && m.kind != LZ_PIPE_WRONG;
}

// Of the current branch: what came up to that number (`old`), or after it.
static void forget_part(struct lz_tree *t, uint64_t order, bool old)
{
    for (uint32_t i = t->snapshot_count; i-- > 0;)
        if (t->snapshots[i].branch == t->current && (t->snapshots[i].order <= order) == old)
            forget(t, i);
    for (uint32_t i = t->typed_count; i-- > 0;)
        if (t->typed[i].branch == t->current && (t->typed[i].order <= order) == old)
            forget_typed(t, i);
}

bool lz_tree_rebuild(struct lz_tree *t, const struct lz_stage_opts *opts, const char *source,
                     struct lz_str *why)
{
    struct lz_tree_branch *b = lz_tree_now(t), before = *b;
    struct lz_stage_opts changed = *opts;
    changed.source.text = source;
    changed.source.len = strlen(source);
    uint64_t order = t->order;
    if (!lz_stage_start(&changed, &b->line, &b->pid, why)) {
        *b = before;
        return false;
    }
    b->at = 0;
    b->events = b->trace = 0;
    b->is_over = false;
    struct lz_str out;
    lz_str_init(&out);
    bool ok = snapshot(t, true) && relive(t, t->typed_count, before.at, &out);
    forget_part(t, order, ok); // the older copies are of another scenario
    if (ok) {
        close(before.line);
        b->parent = t->current;
        free(b->source);
        b->source = copy(source);
    } else {
        lz_str_add(why, out.len > 0 ? out.text : "the changed world's process is gone");
        close(b->line);
        *b = before;
    }
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
    int line = copy_world(lz_tree_now(t)->line, &m, why);
    if (line < 0)
        return false;
    struct lz_tree_branch *b = &t->branches[t->branch_count];
    *b = (struct lz_tree_branch){.name = copy(called),
                                 .line = line,
                                 .pid = (pid_t)m.count,
                                 .parent = t->current,
                                 .order = t->order,
                                 .is_over = lz_tree_now(t)->is_over};
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
    int line = copy_world(t->branches[branch].line, &m, out);
    if (line < 0)
        return false;
    m = (struct lz_pipe_message){.kind = LZ_PIPE_RECORD};
    lz_str_clear(out);
    bool ok = ask(line, &m, out) && m.kind == LZ_PIPE_OK;
    close(line);
    return ok;
}

void lz_tree_interrupt(const struct lz_tree *t)
{
    interrupted = 1;
    if (t->branch_count > 0)
        kill(t->branches[t->current].pid, SIGUSR1);
}
