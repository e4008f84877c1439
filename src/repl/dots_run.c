/* dots_run.c — time passes, or goes back. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "check/format.h"
#include "repl/dots.h"

#define NEWS_SHOWN 12
#define CONDITIONS_MAX 64

static void conditions(const struct lz_repl *r, struct lz_str *out)
{
    for (uint32_t i = 0; i < r->break_count; i++)
        lz_str_addf(out, "%s%s", i > 0 ? "\n" : "", r->breaks[i]);
}

// What is watched, as it is now; looking changes nothing.
static void tell_watches(struct lz_repl *r)
{
    for (uint32_t i = 0; i < r->watch_count; i++) {
        struct lz_str text;
        lz_str_init(&text);
        lz_str_add(&text, r->watches[i]);
        struct lz_pipe_message m = {.kind = LZ_PIPE_EVAL, .count = r->tree.look};
        if (lz_tree_ask(&r->tree, &m, &text))
            lz_repl_say(r, "  %s = %s", r->watches[i], text.text);
        lz_str_finish(&text);
    }
}

// What broke and what was said on the way; the first and the last where that is a lot.
static void tell_news(struct lz_repl *r, const struct lz_tree_branch *from)
{
    struct lz_str text;
    lz_str_init(&text);
    struct lz_pipe_message m = {.kind = LZ_PIPE_NEWS, .at = from->at};
    bool ok = lz_tree_ask(&r->tree, &m, &text) && m.kind == LZ_PIPE_OK && text.len > 0;
    size_t lines = 1, at = 0;
    for (size_t i = 0; ok && i < text.len; i++)
        lines += text.text[i] == '\n';
    for (size_t i = 0; ok && i < lines; i++) {
        size_t n = strcspn(text.text + at, "\n");
        bool is_left_out = lines > NEWS_SHOWN && i >= NEWS_SHOWN / 2 && i < lines - NEWS_SHOWN / 2;
        if (!is_left_out)
            lz_repl_cut(r, text.text + at, n);
        else if (i == NEWS_SHOWN / 2)
            lz_repl_say(r, "%12s  %zu more; .timeline and .events list them", "...",
                        lines - NEWS_SHOWN / 2 * 2);
        at += n + 1;
    }
    lz_str_finish(&text);
}

static void tell_run(struct lz_repl *r, const struct lz_tree_branch *from,
                     const struct lz_pipe_message *m, const struct lz_str *out)
{
    const struct lz_tree_branch *now = lz_tree_now(&r->tree);
    char span[32], events[48], at[32];
    lz_format_duration(span, sizeof(span), now->at - from->at);
    lz_format_count(events, sizeof(events), (double)(now->events - from->events));
    lz_format_instant(at, sizeof(at), now->at);
    lz_views_ended(r);
    if (m->kind == LZ_PIPE_WRONG) {
        lz_repl_error(r, out->text);
        return;
    }
    tell_news(r, from);
    lz_repl_say(r, "%s of virtual time, %s events", span, events);
    if (m->kind == LZ_PIPE_BREAK)
        lz_repl_say(r, "%s  break %" PRIu64 "  %s", at, m->count, r->breaks[m->count - 1]);
    else if (m->kind == LZ_PIPE_STOPPED)
        lz_repl_say(r, "%s  interrupted", at);
    else if (m->kind == LZ_PIPE_ENDED)
        lz_repl_say(r, "%s  the scenario is over: .expect shows its verdicts", at);
    tell_watches(r);
}

static bool may_go_on(struct lz_repl *r)
{
    if (lz_tree_now(&r->tree)->is_over)
        lz_repl_say(r, "error: the scenario is over; .back goes to an earlier time");
    return !lz_tree_now(&r->tree)->is_over;
}

static void run_to(struct lz_repl *r, lz_time t)
{
    const struct lz_tree_branch from = *lz_tree_now(&r->tree);
    char at[32];
    if (!may_go_on(r))
        return;
    if (t < from.at) {
        lz_repl_say(r, "error: it is %s already; .back goes to an earlier time",
                    lz_format_instant(at, sizeof(at), from.at));
        return;
    }
    struct lz_str list, out;
    struct lz_pipe_message m;
    lz_str_init(&list);
    lz_str_init(&out);
    conditions(r, &list);
    if (lz_tree_run(&r->tree, t, list.text, &m, &out))
        tell_run(r, &from, &m, &out);
    else
        lz_repl_gone(r);
    lz_str_finish(&out);
    lz_str_finish(&list);
}

void lz_dots_run(struct lz_repl *r, const char *args)
{
    const char *to = lz_dots_after(args, "to");
    lz_time t = 0;
    if (to == NULL && args[0] == '\0')
        run_to(r, INT64_MAX);
    else if (lz_repl_time(r, to != NULL ? to : args, &t))
        run_to(r, to != NULL ? t : lz_tree_now(&r->tree)->at + t);
}

void lz_dots_continue(struct lz_repl *r, const char *args)
{
    (void)args;
    run_to(r, INT64_MAX);
}

static void step(struct lz_repl *r, uint64_t events)
{
    const struct lz_tree_branch from = *lz_tree_now(&r->tree);
    struct lz_pipe_message m;
    struct lz_str out;
    lz_str_init(&out);
    if (lz_tree_step(&r->tree, events, &m, &out))
        tell_run(r, &from, &m, &out);
    else
        lz_repl_gone(r);
    lz_str_finish(&out);
}

void lz_dots_step(struct lz_repl *r, const char *args)
{
    char *end;
    unsigned long long n = args[0] != '\0' ? strtoull(args, &end, 10) : 1;
    if (n == 0 || (args[0] != '\0' && *end != '\0'))
        lz_repl_say(r, "error: .step takes a number of events, got \"%s\"", args);
    else if (may_go_on(r))
        step(r, n);
}

void lz_dots_next(struct lz_repl *r, const char *args)
{
    (void)args;
    const struct lz_tree_branch from = *lz_tree_now(&r->tree);
    struct lz_pipe_message m;
    struct lz_str out;
    if (!may_go_on(r))
        return;
    lz_str_init(&out);
    if (lz_tree_run(&r->tree, from.at - from.at % LZ_S + LZ_S, "", &m, &out))
        tell_run(r, &from, &m, &out);
    else
        lz_repl_gone(r);
    lz_str_finish(&out);
}

static void back_to(struct lz_repl *r, lz_time t)
{
    struct lz_str why;
    char at[32];
    lz_str_init(&why);
    lz_time now = lz_tree_now(&r->tree)->at;
    if (t < 0)
        lz_repl_say(r, "error: the run begins at 0s");
    else if (t > now)
        lz_repl_say(r, "error: it is only %s; .run to goes on",
                    lz_format_instant(at, sizeof(at), now));
    else if (!lz_tree_back(&r->tree, t, &why))
        lz_repl_error(r, why.text);
    lz_str_finish(&why);
}

void lz_dots_back(struct lz_repl *r, const char *args)
{
    const char *to = lz_dots_after(args, "to");
    lz_time t = 0;
    if (args[0] == '\0')
        lz_repl_say(r, "error: .back to T, or .back D for so much earlier");
    else if (lz_repl_time(r, to != NULL ? to : args, &t))
        back_to(r, to != NULL ? t : lz_tree_now(&r->tree)->at - t);
}

void lz_dots_goto(struct lz_repl *r, const char *args)
{
    lz_time t = 0;
    if (args[0] == '\0')
        lz_repl_say(r, "error: .goto T, an instant such as 4m11s");
    else if (lz_repl_time(r, args, &t) && t < lz_tree_now(&r->tree)->at)
        back_to(r, t);
    else if (t > lz_tree_now(&r->tree)->at)
        run_to(r, t);
}

// ---------------------------------------------------------------- conditions

void lz_dots_break(struct lz_repl *r, const char *args)
{
    const char *when = lz_dots_after(args, "when");
    if (args[0] == '\0') {
        for (uint32_t i = 0; i < r->break_count; i++)
            lz_repl_say(r, "break %u   %s", i + 1, r->breaks[i]);
        if (r->break_count == 0)
            lz_repl_say(r, "no breaks; .break when web.errors.ratio:above \"1%%\" makes one");
        return;
    }
    if (when == NULL) {
        lz_repl_say(r, "error: .break when MATCHER, such as web.errors.ratio:above \"1%%\"");
        return;
    }
    if (r->break_count == CONDITIONS_MAX) {
        lz_repl_say(r, "error: at most %d breaks; .clear N forgets one", CONDITIONS_MAX);
        return;
    }
    // Ask the world whether it means something, by running no time at all.
    struct lz_str text;
    lz_str_init(&text);
    lz_str_add(&text, when);
    struct lz_pipe_message m = {.kind = LZ_PIPE_ADVANCE, .at = 0};
    if (!lz_tree_ask(&r->tree, &m, &text)) {
        lz_repl_gone(r);
    } else if (m.kind == LZ_PIPE_WRONG) {
        lz_repl_error(r, text.text);
    } else {
        r->breaks = lz_mem_resize(r->breaks, (r->break_count + 1) * sizeof(r->breaks[0]));
        size_t size = strlen(when) + 1;
        r->breaks[r->break_count++] = memcpy(lz_mem_alloc(size), when, size);
        lz_repl_say(r, "break %u   %s", r->break_count, when);
    }
    lz_str_finish(&text);
}

void lz_dots_watch(struct lz_repl *r, const char *args)
{
    if (args[0] == '\0') {
        tell_watches(r);
        if (r->watch_count == 0)
            lz_repl_say(r, "nothing is watched; .watch web.latency.p99 shows it after each run");
        return;
    }
    struct lz_str text;
    lz_str_init(&text);
    lz_str_add(&text, args);
    struct lz_pipe_message m = {.kind = LZ_PIPE_METRIC};
    if (!lz_tree_ask(&r->tree, &m, &text)) {
        lz_repl_gone(r);
    } else if (m.kind != LZ_PIPE_OK) {
        lz_repl_error(r, text.text);
    } else {
        r->watches = lz_mem_resize(r->watches, (r->watch_count + 1) * sizeof(r->watches[0]));
        size_t size = strlen(args) + 1;
        r->watches[r->watch_count++] = memcpy(lz_mem_alloc(size), args, size);
    }
    lz_str_finish(&text);
}

void lz_dots_clear(struct lz_repl *r, const char *args)
{
    char *end;
    unsigned long n = strtoul(args, &end, 10);
    if (args[0] == '\0' || *end != '\0' || n == 0 || n > r->break_count) {
        lz_repl_say(r, "error: .clear N, the number of a break; .break lists them");
        return;
    }
    free(r->breaks[n - 1]);
    r->break_count--;
    memmove(&r->breaks[n - 1], &r->breaks[n], (r->break_count - (n - 1)) * sizeof(r->breaks[0]));
}
