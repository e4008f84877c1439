/* dots_fork.c — branches, snapshots, and the scenario's text. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check/format.h"
#include "repl/dots.h"
#include "repl/past.h"

#define NAME_MAX_LEN 40

void lz_dots_fork(struct lz_repl *r, const char *args)
{
    struct lz_str why;
    if (strpbrk(args, " \t\"'=.") != NULL || strlen(args) > NAME_MAX_LEN) {
        lz_repl_say(r, "error: a fork's name is one word of up to %d letters, got \"%s\"",
                    NAME_MAX_LEN, args);
        return;
    }
    lz_str_init(&why);
    if (!lz_tree_fork(&r->tree, args[0] != '\0' ? args : NULL, &why))
        lz_repl_error(r, why.text);
    lz_str_finish(&why);
}

void lz_dots_forks(struct lz_repl *r, const char *args)
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

void lz_dots_switch(struct lz_repl *r, const char *args)
{
    if (args[0] == '\0')
        lz_repl_say(r, "error: .switch NAME; .forks lists them");
    else if (!lz_tree_switch(&r->tree, args))
        lz_repl_say(r, "error: there is no fork \"%s\"; .forks lists them", args);
}

void lz_dots_snapshots(struct lz_repl *r, const char *args)
{
    (void)args;
    struct lz_snapshots *s = &r->tree.snapshots;
    char gap[48];
    lz_snapshots_measure(s);
    size_t budget = s->budget_bytes > 0 ? s->budget_bytes : LZ_SNAPSHOTS_BUDGET;
    lz_format_count(gap, sizeof(gap), (double)lz_past_gap(&r->tree));
    lz_repl_say(r, "%u copies sleep and take %.0f of %.0f MiB (--memory)", s->count,
                (double)lz_snapshots_bytes(s) / 1048576.0, (double)budget / 1048576.0);
    lz_repl_say(r, "going back runs at most %s events again", gap);
}

// ---------------------------------------------------------------- the scenario's text

void lz_dots_set(struct lz_repl *r, const char *args)
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

void lz_dots_patch(struct lz_repl *r, const char *args)
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
