/*
 * dots.c — the commands of the prompt: a row of the table each.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/mem.h"
#include "check/format.h"
#include "repl/repl.h"

#define SESSIONS ".lorenz/sessions"
#define NAME_MAX_LEN 100

static const char *skip(const char *text)
{
    return text + strspn(text, " \t");
}

// The text after a word and blanks; NULL if it does not begin with it.
static const char *after(const char *text, const char *word)
{
    size_t len = strlen(word);
    if (strncmp(text, word, len) != 0 || (text[len] != '\0' && text[len] != ' '))
        return NULL;
    return skip(text + len);
}

static void tell_gone(struct lz_repl *r)
{
    struct lz_str why;
    char at[32];
    lz_str_init(&why);
    if (lz_tree_recover(&r->tree, &why))
        lz_repl_say(r, "error: the world's process is gone; this is how it was at %s",
                    lz_format_instant(at, sizeof(at), lz_tree_now(&r->tree)->at));
    else
        r->is_done = true;
    lz_str_finish(&why);
}

// ---------------------------------------------------------------- time

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
        struct lz_pipe_message m = {.kind = LZ_PIPE_EVAL};
        if (lz_tree_ask(&r->tree, &m, &text))
            lz_repl_say(r, "  %s = %s", r->watches[i], text.text);
        lz_str_finish(&text);
    }
}

static void tell_run(struct lz_repl *r, const struct lz_tree_branch *from,
                     const struct lz_pipe_message *m, const struct lz_str *out)
{
    const struct lz_tree_branch *now = lz_tree_now(&r->tree);
    char span[32], events[48], at[32];
    lz_format_duration(span, sizeof(span), now->at - from->at);
    lz_format_count(events, sizeof(events), (double)(now->events - from->events));
    lz_format_instant(at, sizeof(at), now->at);
    if (m->kind == LZ_PIPE_WRONG) {
        lz_repl_error(r, out->text);
        return;
    }
    lz_repl_say(r, "%s of virtual time, %s events", span, events);
    if (m->kind == LZ_PIPE_BREAK)
        lz_repl_say(r, "%s  break %" PRIu64 "  %s", at, m->count, r->breaks[m->count - 1]);
    else if (m->kind == LZ_PIPE_STOPPED)
        lz_repl_say(r, "%s  interrupted", at);
    else if (m->kind == LZ_PIPE_ENDED)
        lz_repl_say(r, "%s  the scenario is over: .expect shows its verdicts", at);
    tell_watches(r);
}

static void run_to(struct lz_repl *r, lz_time t)
{
    const struct lz_tree_branch from = *lz_tree_now(&r->tree);
    char at[32];
    if (from.is_over) {
        lz_repl_say(r, "error: the scenario is over; .back goes to an earlier time");
        return;
    }
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
        tell_gone(r);
    lz_str_finish(&out);
    lz_str_finish(&list);
}

static void do_run(struct lz_repl *r, const char *args)
{
    const char *to = after(args, "to");
    lz_time t = 0;
    if (to == NULL && args[0] == '\0')
        run_to(r, INT64_MAX);
    else if (lz_repl_time(r, to != NULL ? to : args, &t))
        run_to(r, to != NULL ? t : lz_tree_now(&r->tree)->at + t);
}

static void do_continue(struct lz_repl *r, const char *args)
{
    (void)args;
    run_to(r, INT64_MAX);
}

static void step(struct lz_repl *r, enum lz_pipe_verb verb, uint64_t count)
{
    const struct lz_tree_branch from = *lz_tree_now(&r->tree);
    if (from.is_over) {
        lz_repl_say(r, "error: the scenario is over; .back goes to an earlier time");
        return;
    }
    struct lz_str out;
    lz_str_init(&out);
    struct lz_pipe_message m = {.kind = verb, .at = INT64_MAX, .count = count};
    if (!lz_tree_ask(&r->tree, &m, &out)) {
        tell_gone(r);
    } else {
        if (m.kind == LZ_PIPE_STOPPED && m.count == 0)
            m.kind = LZ_PIPE_OK; // so many events was what was asked for
        lz_tree_now(&r->tree)->is_over = m.kind == LZ_PIPE_ENDED;
        tell_run(r, &from, &m, &out);
    }
    lz_str_finish(&out);
}

static void do_step(struct lz_repl *r, const char *args)
{
    char *end;
    unsigned long long n = args[0] != '\0' ? strtoull(args, &end, 10) : 1;
    if (n == 0 || (args[0] != '\0' && *end != '\0'))
        lz_repl_say(r, "error: .step takes a number of events, got \"%s\"", args);
    else
        step(r, LZ_PIPE_ADVANCE, n);
}

static void do_next(struct lz_repl *r, const char *args)
{
    (void)args;
    step(r, LZ_PIPE_SECOND, 0);
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

static void do_back(struct lz_repl *r, const char *args)
{
    const char *to = after(args, "to");
    lz_time t = 0;
    if (args[0] == '\0')
        lz_repl_say(r, "error: .back to T, or .back D for so much earlier");
    else if (lz_repl_time(r, to != NULL ? to : args, &t))
        back_to(r, to != NULL ? t : lz_tree_now(&r->tree)->at - t);
}

static void do_goto(struct lz_repl *r, const char *args)
{
    lz_time t = 0;
    if (args[0] == '\0')
        lz_repl_say(r, "error: .goto T");
    else if (lz_repl_time(r, args, &t) && t < lz_tree_now(&r->tree)->at)
        back_to(r, t);
    else if (t > lz_tree_now(&r->tree)->at)
        run_to(r, t);
}

// ---------------------------------------------------------------- conditions

static void do_break(struct lz_repl *r, const char *args)
{
    const char *when = after(args, "when");
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
    // Ask the world whether it means something, by running no time at all.
    struct lz_str text;
    lz_str_init(&text);
    lz_str_add(&text, when);
    struct lz_pipe_message m = {.kind = LZ_PIPE_ADVANCE, .at = 0};
    if (!lz_tree_ask(&r->tree, &m, &text)) {
        tell_gone(r);
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

static void do_watch(struct lz_repl *r, const char *args)
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
        tell_gone(r);
    } else if (m.kind != LZ_PIPE_OK) {
        lz_repl_error(r, text.text);
    } else {
        r->watches = lz_mem_resize(r->watches, (r->watch_count + 1) * sizeof(r->watches[0]));
        size_t size = strlen(args) + 1;
        r->watches[r->watch_count++] = memcpy(lz_mem_alloc(size), args, size);
    }
    lz_str_finish(&text);
}

static void do_clear(struct lz_repl *r, const char *args)
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

// ---------------------------------------------------------------- branches

static void do_fork(struct lz_repl *r, const char *args)
{
    struct lz_str why;
    lz_str_init(&why);
    if (!lz_tree_fork(&r->tree, args[0] != '\0' ? args : NULL, &why))
        lz_repl_error(r, why.text);
    lz_str_finish(&why);
}

static void do_forks(struct lz_repl *r, const char *args)
{
    (void)args;
    for (uint32_t i = 0; i < r->tree.branch_count; i++) {
        const struct lz_tree_branch *b = &r->tree.branches[i];
        char at[32], events[48];
        lz_repl_say(r, "%s %-12s %10s  %s events  trace %016" PRIx64,
                    i == r->tree.current ? "*" : " ", b->name,
                    lz_format_instant(at, sizeof(at), b->at),
                    lz_format_count(events, sizeof(events), (double)b->events), b->trace);
    }
}

static void do_switch(struct lz_repl *r, const char *args)
{
    if (!lz_tree_switch(&r->tree, args))
        lz_repl_say(r, "error: there is no fork \"%s\"; .forks lists them", args);
}

// ---------------------------------------------------------------- the scenario's text

static void do_set(struct lz_repl *r, const char *args)
{
    if (strchr(args, '=') == NULL || strchr(args, '.') == NULL)
        lz_repl_say(r, "error: .set NAME.FIELD = VALUE, such as .set db.failover.detect = \"1s\"");
    else
        lz_repl_lua(r, args);
}

// Lines of one text that are not in the other, where the two part and until they meet again.
static void say_changes(struct lz_repl *r, const char *a, const char *b)
{
    while (*a != '\0' || *b != '\0') {
        size_t m = strcspn(a, "\n"), n = strcspn(b, "\n");
        bool same = m == n && strncmp(a, b, m) == 0;
        if (!same && m > 0)
            lz_repl_say(r, "-%.*s", (int)m, a);
        if (!same && n > 0)
            lz_repl_say(r, "+%.*s", (int)n, b);
        a += m + (a[m] == '\n');
        b += n + (b[n] == '\n');
    }
}

static void do_patch(struct lz_repl *r, const char *args)
{
    (void)args;
    const char *now = lz_tree_source(&r->tree, &r->opts->stage);
    const char *file = r->opts->stage.source.text;
    if (strcmp(now, file) == 0) {
        lz_repl_say(r, "the scenario is as it is in its file");
        return;
    }
    lz_repl_say(r, "--- %s", r->opts->stage.source.path);
    say_changes(r, file, now);
}

// ---------------------------------------------------------------- sessions

static bool session_path(struct lz_repl *r, const char *name, char *path, size_t size)
{
    size_t len = strlen(name);
    bool ok = len > 0 && len <= NAME_MAX_LEN &&
              strspn(name, "abcdefghijklmnopqrstuvwxyz"
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                           "0123456789_.-") == len &&
              name[0] != '.';
    if (!ok)
        lz_repl_say(r, "error: a session's name is letters, digits, _, - and dots, got \"%s\"",
                    name);
    else
        snprintf(path, size, SESSIONS "/%s.session", name);
    return ok;
}

static void do_save(struct lz_repl *r, const char *args)
{
    char path[200];
    if (!session_path(r, args, path, sizeof(path)))
        return;
    mkdir(".lorenz", 0777);
    mkdir(SESSIONS, 0777);
    FILE *f = fopen(path, "w");
    bool ok = f != NULL && fputs(r->typed.text, f) >= 0;
    if (f != NULL && fclose(f) != 0)
        ok = false;
    if (ok)
        lz_repl_say(r, "%s   (.load %s in this scenario types it again)", path, args);
    else
        lz_repl_say(r, "error: %s cannot be written", path);
}

static void do_load(struct lz_repl *r, const char *args)
{
    char path[200];
    if (!session_path(r, args, path, sizeof(path)))
        return;
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        lz_repl_say(r, "error: there is no session %s", path);
        return;
    }
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    while (!r->is_done && (len = getline(&line, &cap, f)) >= 0) {
        if (len > 0 && line[len - 1] == '\n')
            line[len - 1] = '\0';
        if (strncmp(line, ".save", 5) != 0 && strncmp(line, ".load", 5) != 0)
            lz_repl_line(r, line);
    }
    free(line);
    fclose(f);
}

// ---------------------------------------------------------------- the table

static void do_quit(struct lz_repl *r, const char *args)
{
    (void)args;
    r->is_done = true;
}

static void do_help(struct lz_repl *r, const char *args);

static const struct dot {
    const char *name, *args, *doc;
    void (*go)(struct lz_repl *r, const char *args);
} dots[] = {
    {"run", "[to T | D]", "go on to an instant, for a while, or to the end", do_run},
    {"continue", "", "go on to the end, or to a break", do_continue},
    {"step", "[N]", "N events, one by default", do_step},
    {"next", "", "to the next whole second", do_next},
    {"back", "to T | D", "to an earlier instant, or so much earlier", do_back},
    {"goto", "T", "to an instant, whichever way", do_goto},
    {"break", "when MATCHER", "stop when it comes true; without anything, the list", do_break},
    {"clear", "N", "forget a break", do_clear},
    {"watch", "METRIC", "show it after each run; without anything, now", do_watch},
    {"expect", "", "how the expectations stand", lz_views_expect},
    {"events", "[N]", "the latest events of the journal", lz_views_events},
    {"timeline", "", "what breaks, what is marked and logged, in order of time", lz_views_timeline},
    {"faults", "", "what breaks, and how far it is", lz_views_faults},
    {"plot", "METRIC [from A to B]", "a metric over time", lz_views_plot},
    {"why", "", "what failed in the last 10s, and where", lz_views_why},
    {"trace", "N", "a request's way, attempt by attempt", lz_views_trace},
    {"sql", "QUERY", "a question to the run as it stands", lz_views_sql},
    {"fork", "[NAME]", "a branch from here", do_fork},
    {"forks", "", "the branches", do_forks},
    {"switch", "NAME", "to another branch", do_switch},
    {"diff", "NAME", "another branch beside this one", lz_views_diff},
    {"set", "NAME.FIELD = VALUE", "change the scenario; the same without .set", do_set},
    {"patch", "", "what was changed of the scenario's text", do_patch},
    {"save", "NAME", "keep what was typed", do_save},
    {"load", "NAME", "type it again", do_load},
    {"help", "", "this", do_help},
    {"quit", "", "leave", do_quit},
};
#define DOT_COUNT (sizeof(dots) / sizeof(dots[0]))

static void do_help(struct lz_repl *r, const char *args)
{
    (void)args;
    for (size_t i = 0; i < DOT_COUNT; i++) {
        char left[48];
        snprintf(left, sizeof(left), ".%s %s", dots[i].name, dots[i].args);
        lz_repl_say(r, "  %-30s %s", left, dots[i].doc);
    }
    lz_repl_say(r, "  %-30s %s", "?NAME", "documentation: ?fault.kill, ?database, ?metrics");
    lz_repl_say(r, "  %-30s %s", "anything else",
                "Lua in the scenario's words; a fault without `at` acts now");
}

void lz_dots_do(struct lz_repl *r, const char *line)
{
    size_t len = strcspn(line, " \t");
    for (size_t i = 0; i < DOT_COUNT; i++) {
        if (strlen(dots[i].name) != len || strncmp(dots[i].name, line, len) != 0)
            continue;
        char *args = strdup(skip(line + len));
        LZ_ASSERT(args != NULL);
        for (size_t n = strlen(args); n > 0 && (args[n - 1] == ' ' || args[n - 1] == '\t'); n--)
            args[n - 1] = '\0';
        dots[i].go(r, args);
        free(args);
        return;
    }
    lz_repl_say(r, "error: there is no command .%.*s; .help lists them", (int)len, line);
}

void lz_dots_complete(const char *text, struct lz_str *out)
{
    for (size_t i = 0; i < DOT_COUNT; i++)
        if (strncmp(dots[i].name, text + 1, strlen(text + 1)) == 0)
            lz_str_addf(out, "%s.%s", out->len > 0 ? "\n" : "", dots[i].name);
}
