/*
 * dots.c — the commands of the prompt: a row of the table each.
 */
#include "repl/dots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static void quit(struct lz_repl *r, const char *args)
{
    (void)args;
    r->is_done = true;
}

static void help(struct lz_repl *r, const char *args);

static const struct dot {
    const char *name, *args, *doc;
    lz_dot_fn *go;
    const char *more; /* NULL, or what .help NAME adds */
    bool runs;        /* time passes: with a picture, at a speed */
} dots[] = {
    {"run", "[to T | D] [at Nx]", "go on to an instant, for a while, or to the end", lz_dots_run,
     "  .run to 5m      until 5m\n"
     "  .run 30s        for 30 seconds\n"
     "  .run            to the end, or to a break\n"
     "  .run 1m at 60x  as a minute that takes a second\n"
     "Faults, marks and log lines on the way are told. Ctrl-C stops it where it is.",
     true},
    {"continue", "", "go on to the end, or to a break", lz_dots_continue, NULL, true},
    {"step", "[N]", "N events, one by default", lz_dots_step, NULL, false},
    {"next", "", "to the next whole second", lz_dots_next, NULL, true},
    {"back", "to T | D", "to an earlier instant, or so much earlier", lz_dots_back,
     "  .back to 3m59s  the state at that instant, exactly as it was\n"
     "  .back 10s       ten seconds ago\n"
     "What was typed after that instant is forgotten; .fork before keeps it.",
     false},
    {"goto", "T", "to an instant, whichever way", lz_dots_goto, NULL, true},
    {"break", "when MATCHER", "stop when it comes true; without anything, the list", lz_dots_break,
     "  .break when web.errors.ratio:above \"1%\"\n"
     "Judged at every whole second, when windows close. .clear N forgets one.",
     false},
    {"clear", "N", "forget a break", lz_dots_clear, NULL, false},
    {"watch", "METRIC", "show it after each run; without anything, now", lz_dots_watch, NULL,
     false},
    {"expect", "", "how the expectations stand", lz_views_expect, NULL, false},
    {"top", "[while .run ...]", "all components on one screen", lz_views_top,
     "  .top                         now\n"
     "  .top while .run to 10m       and again as time passes\n"
     "  .top while .run to 10m at 60x",
     false},
    {"events", "[N]", "the latest events of the journal", lz_views_events, NULL, false},
    {"timeline", "", "what breaks, what is marked and logged, in order of time", lz_views_timeline,
     NULL, false},
    {"faults", "", "what breaks, and how far it is", lz_views_faults, NULL, false},
    {"plot", "METRIC [from A to B]", "a metric over time; while .run ... draws it anew",
     lz_views_plot,
     "  .plot web.latency.p99\n"
     "  .plot web.errors.ratio from 3m55s to 4m30s\n"
     "  .plot web.rate while .run to 10m at 60x",
     false},
    {"why", "[METRIC | N]", "what failed in the last 10s, or what became of a request",
     lz_views_why,
     "  .why                   failures of the last 10s, what was in force, what happened\n"
     "  .why web.latency.p99   the same of one component, and its slowest request\n"
     "  .why 96204             one request: what its time went into, and what was broken then",
     false},
    {"trace", "N", "a request's way, attempt by attempt", lz_views_trace,
     "  .trace 96204          of any traffic\n"
     "  .trace shoppers#12    of this one\n"
     "`requests` lists those whose way was kept; of others that part is run again to see it.",
     false},
    {"sql", "QUERY", "a question to the run as it stands", lz_views_sql,
     "  .sql select kind, count(*) from event group by 1\n"
     "The tables are those of a run file: lorenz sql --schema lists them.",
     false},
    {"fork", "[NAME]", "a branch from here", lz_dots_fork, NULL, false},
    {"forks", "", "the branches", lz_dots_forks, NULL, false},
    {"switch", "NAME", "to another branch", lz_dots_switch, NULL, false},
    {"diff", "NAME", "another branch beside this one", lz_views_diff, NULL, false},
    {"snapshots", "", "copies to go back to, and their memory", lz_dots_snapshots, NULL, false},
    {"set", "NAME.FIELD = VALUE", "change the scenario; the same without .set", lz_dots_set, NULL,
     false},
    {"patch", "", "what was changed of the scenario's text", lz_dots_patch, NULL, false},
    {"export", "FORMAT=FILE", "the run as it stands: json, lzrun, ...; lua is the text",
     lz_views_export, NULL, false},
    {"save", "NAME", "keep what was typed", lz_dots_save, NULL, false},
    {"load", "NAME", "type it again", lz_dots_load, NULL, false},
    {"docs", "[NAME]", "documentation, as ?NAME; without a name, what there is", lz_repl_docs, NULL,
     false},
    {"help", "[NAME | keys]", "this, or more of a command, or the keys", help, NULL, false},
    {"quit", "", "leave", quit, NULL, false},
};
#define DOT_COUNT (sizeof(dots) / sizeof(dots[0]))

static const struct dot *find(const char *name, size_t len)
{
    for (size_t i = 0; i < DOT_COUNT; i++)
        if (strlen(dots[i].name) == len && strncmp(dots[i].name, name, len) == 0)
            return &dots[i];
    return NULL;
}

bool lz_dots_explain(struct lz_repl *r, const char *name)
{
    const struct dot *d = find(name, strlen(name));
    if (d == NULL)
        return false;
    lz_repl_say(r, ".%s%s%s", d->name, d->args[0] != '\0' ? " " : "", d->args);
    lz_repl_say(r, "  %s", d->doc);
    if (d->more != NULL)
        lz_repl_say(r, "\n%s", d->more);
    return true;
}

static void list_all(struct lz_repl *r)
{
    bool is_narrow = r->style.width < 60;
    for (size_t i = 0; i < DOT_COUNT; i++) {
        char left[48];
        snprintf(left, sizeof(left), ".%s %s", dots[i].name, dots[i].args);
        char line[160];
        if (is_narrow)
            snprintf(line, sizeof(line), "  .%-10s %s", dots[i].name, dots[i].doc);
        else
            snprintf(line, sizeof(line), "  %-28s %s", left, dots[i].doc);
        lz_repl_cut(r, line, strlen(line));
    }
    if (is_narrow) {
        lz_repl_say(r, "  %-11s %s", "?NAME", "documentation");
        lz_repl_say(r, "  %-11s %s", "the rest", "Lua, in its own words");
        return;
    }
    lz_repl_say(r, "  %-28s %s", "?NAME", "documentation: ?fault.kill, ?db.failover, ?.why");
    lz_repl_say(r, "  %-28s %s", "requests, top(requests, 5)", "the kept requests, the slowest");
    lz_repl_say(r, "  %-28s %s", "anything else",
                "Lua in the scenario's words; a fault without `at` acts now");
}

static void help(struct lz_repl *r, const char *args)
{
    const char *name = args + (args[0] == '.');
    if (args[0] == '\0')
        list_all(r);
    else if (strcmp(name, "keys") == 0)
        lz_repl_say(r, "%s", lz_line_keys());
    else if (!lz_dots_explain(r, name))
        lz_repl_say(r, "error: there is no command .%s; .help lists them", name);
}

// What other debuggers and prompts call ours.
static const char *called_so(const char *name, size_t len)
{
    static const char *const called[][2] = {
        {"branch", "fork"},   {"branches", "forks"}, {"checkout", "switch"}, {"exit", "quit"},
        {"q", "quit"},        {"bye", "quit"},       {"undo", "back"},       {"rewind", "back"},
        {"c", "continue"},    {"resume", "run"},     {"jump", "goto"},       {"bt", "why"},
        {"backtrace", "why"}, {"chart", "plot"},     {"log", "events"},      {"history", "events"},
        {"query", "sql"},     {"status", "expect"},  {"checks", "expect"},   {"delete", "clear"},
    };
    for (size_t i = 0; i < sizeof(called) / sizeof(called[0]); i++)
        if (strlen(called[i][0]) == len && strncmp(called[i][0], name, len) == 0)
            return called[i][1];
    return NULL;
}

// The command whose name is meant, if it can only be one: "rn" is run.
static const char *near(const char *name, size_t len)
{
    const char *found = called_so(name, len);
    if (found != NULL)
        return found;
    for (size_t i = 0; i < DOT_COUNT; i++) {
        size_t n = strlen(dots[i].name), same = 0;
        for (size_t a = 0; same < len && a < n; a++)
            same += dots[i].name[a] == name[same];
        bool is_near = len >= 2 && same == len && n - len <= 2;
        if (is_near && found == NULL)
            found = dots[i].name;
    }
    return found;
}

void lz_dots_hint(struct lz_repl *r, const char *line)
{
    line = lz_dots_skip(line);
    size_t len = strspn(line, "abcdefghijklmnopqrstuvwxyz");
    if (line[len] != '\0' && line[len] != ' ')
        return;
    const char *rest = lz_dots_skip(line + len);
    if (*rest != '\0' && strchr("=.:(", *rest) != NULL) // Lua, with a mistake of another kind
        return;
    const struct dot *d = find(line, len);
    const char *meant = d != NULL ? d->name : called_so(line, len);
    if (meant != NULL)
        lz_repl_say(r, "  = help: a command begins with a dot: .%s", meant);
    else if (*rest != '\0' && (strncmp(line, "kill ", 5) == 0 || strncmp(line, "pause ", 6) == 0))
        lz_repl_say(r, "  = help: a fault without `at` acts now: fault.%.*s { %s }", (int)len, line,
                    rest);
}

void lz_dots_do(struct lz_repl *r, const char *line)
{
    size_t len = strcspn(line, " \t");
    const struct dot *d = find(line, len);
    if (d == NULL) {
        const char *meant = near(line, len);
        lz_repl_say(r, "error: there is no command .%.*s; .help lists them%s%s", (int)len, line,
                    meant != NULL ? "\n  = help: what is meant may be ." : "",
                    meant != NULL ? meant : "");
        return;
    }
    if (d->runs && r->live == NULL) {
        lz_views_run(r, line);
        return;
    }
    char *args = strdup(lz_dots_skip(line + len));
    LZ_ASSERT(args != NULL);
    for (size_t n = strlen(args); n > 0 && (args[n - 1] == ' ' || args[n - 1] == '\t'); n--)
        args[n - 1] = '\0';
    d->go(r, args);
    free(args);
}

void lz_dots_complete(const char *text, struct lz_str *out)
{
    for (size_t i = 0; i < DOT_COUNT; i++)
        if (strncmp(dots[i].name, text + 1, strlen(text + 1)) == 0)
            lz_str_addf(out, "%s.%s", out->len > 0 ? "\n" : "", dots[i].name);
}
