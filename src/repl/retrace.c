#include "repl/retrace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "repl/past.h"

#define STRETCH 5000u // events between two looks whether it has ended

// Lines of a number and a name.
static uint32_t read_traffics(const char *text, struct lz_retrace_traffic *out)
{
    uint32_t count = 0;
    for (const char *at = text; *at != '\0' && count < LZ_RETRACE_TRAFFICS;) {
        char *name;
        struct lz_retrace_traffic *one = &out[count++];
        one->sent = strtoull(at, &name, 10);
        name += *name == ' ';
        size_t n = strcspn(name, "\n");
        snprintf(one->name, sizeof(one->name), "%.*s", (int)n, name);
        at = name + n + (name[n] == '\n');
    }
    return count;
}

static uint32_t traffics_on(struct lz_tree *t, int line, struct lz_retrace_traffic *out)
{
    struct lz_pipe_message m = {.kind = LZ_PIPE_SENT};
    struct lz_str text;
    lz_str_init(&text);
    bool ok = lz_tree_ask_on(t, line, &m, &text) && m.kind == LZ_PIPE_OK;
    uint32_t count = ok ? read_traffics(text.text, out) : UINT32_MAX;
    lz_str_finish(&text);
    return count;
}

uint32_t lz_retrace_traffics(struct lz_tree *t, struct lz_retrace_traffic *out)
{
    return traffics_on(t, lz_tree_now(t)->line, out);
}

// Had a sleeping world sent it? One that cannot say is taken for one that had.
static bool has_sent(struct lz_tree *t, uint32_t copy, const struct lz_retrace_request *what)
{
    struct lz_retrace_traffic all[LZ_RETRACE_TRAFFICS];
    uint32_t count = traffics_on(t, t->snapshots.all[copy].line, all);
    for (uint32_t i = 0; count != UINT32_MAX && i < count; i++)
        if (strcmp(all[i].name, what->traffic) == 0)
            return all[i].sent >= what->ordinal;
    return true;
}

// The latest copy that had not sent it, found by halving; the count of all copies: none.
static uint32_t before(struct lz_tree *t, const struct lz_retrace_request *what)
{
    uint32_t all = t->snapshots.count;
    uint32_t *copies = lz_mem_alloc((all + 1) * sizeof(*copies));
    uint32_t low = 0, high = lz_past_list(t, copies);
    while (low < high) { // those below `low` had not, those from `high` on had
        uint32_t middle = low + (high - low) / 2;
        if (has_sent(t, copies[middle], what))
            high = middle;
        else
            low = middle + 1;
    }
    uint32_t found = low > 0 ? copies[low - 1] : all;
    free(copies);
    return found;
}

static bool is_kept(struct lz_tree *t)
{
    struct lz_pipe_message m = {.kind = LZ_PIPE_KEEP};
    struct lz_str text;
    lz_str_init(&text);
    bool ok = lz_tree_ask(t, &m, &text) && m.kind == LZ_PIPE_OK && m.count > 0;
    lz_str_finish(&text);
    return ok;
}

// On to `until`, or until it is kept. False: the world went wrong, or was stopped.
static bool run_until_kept(struct lz_tree *t, lz_time until, struct lz_str *out)
{
    struct lz_tree_branch *b = lz_tree_now(t);
    struct lz_pipe_message m = {.kind = LZ_PIPE_OK};
    while (b->at < until && !is_kept(t)) {
        struct lz_tree_goal goal = {until, b->events + STRETCH, ""};
        bool ok = lz_tree_go(t, &goal, &m, out) && m.kind != LZ_PIPE_WRONG;
        if (!ok || lz_tree_is_interrupted()) {
            if (out->len == 0)
                lz_str_add(out, ok ? "interrupted" : "the world's process is gone");
            return false;
        }
    }
    return true;
}

// In a copy that stands in the branch's place: with what was typed, until it is kept.
static bool live_again(struct lz_tree *t, const struct lz_retrace_request *what,
                       const struct lz_snapshot *from, lz_time until, struct lz_str *out)
{
    struct lz_pipe_message m = {.kind = LZ_PIPE_KEEP, .count = what->ordinal};
    lz_str_clear(out);
    lz_str_add(out, what->traffic);
    bool ok = lz_tree_ask(t, &m, out) && m.kind == LZ_PIPE_OK;
    lz_str_clear(out);
    for (uint32_t k = 0; ok && k < t->typed_count && !is_kept(t); k++) {
        const struct lz_tree_typed *line = &t->typed[k];
        if (!lz_tree_follows(t, line, from))
            continue;
        ok = run_until_kept(t, line->at, out);
        if (ok && lz_tree_now(t)->at == line->at)
            ok = lz_tree_type(t, line, out);
    }
    return ok && run_until_kept(t, until, out);
}

static enum lz_retrace_end take_record(struct lz_tree *t, struct lz_str *out)
{
    if (!is_kept(t))
        return LZ_RETRACE_PENDING;
    struct lz_pipe_message m = {.kind = LZ_PIPE_RECORD};
    lz_str_clear(out);
    bool ok = lz_tree_ask(t, &m, out) && m.kind == LZ_PIPE_OK;
    return ok ? LZ_RETRACE_FOUND : LZ_RETRACE_FAILED;
}

enum lz_retrace_end lz_retrace(struct lz_tree *t, const struct lz_retrace_request *what,
                               struct lz_str *out)
{
    LZ_ASSERT(what->ordinal > 0);
    struct lz_tree_branch *b = lz_tree_now(t);
    uint32_t i = before(t, what);
    lz_str_clear(out);
    if (i == t->snapshots.count) {
        lz_str_add(out, "nothing is kept of the time before it");
        return LZ_RETRACE_FAILED;
    }
    const struct lz_snapshot start = t->snapshots.all[i];
    const struct lz_tree_branch as_it_was = *b;
    struct lz_pipe_message m;
    int line = lz_tree_copy(start.line, &m, out);
    if (line < 0)
        return LZ_RETRACE_FAILED;
    b->line = line;
    b->pid = (pid_t)m.count;
    b->at = m.at;
    b->events = m.events;
    b->is_over = false;
    t->is_replaying = true; // no copies
    void (*between)(void *ctx) = t->between;
    t->between = NULL; // nor pictures of it
    bool ok = live_again(t, what, &start, as_it_was.at, out);
    enum lz_retrace_end end = ok ? take_record(t, out) : LZ_RETRACE_FAILED;
    t->is_replaying = false;
    t->between = between;
    lz_tree_leave(t, b->line);
    *b = as_it_was;
    if (end == LZ_RETRACE_FAILED && out->len == 0)
        lz_str_add(out, "the world's process is gone");
    return end;
}
