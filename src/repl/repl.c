#include "repl/repl.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "check/format.h"

void lz_repl_say(struct lz_repl *r, const char *fmt, ...)
{
    struct lz_str text;
    lz_str_init(&text);
    va_list ap;
    va_start(ap, fmt);
    lz_str_vaddf(&text, fmt, ap);
    va_end(ap);
    lz_str_add(&text, "\n");
    r->opts->put(r->opts->put_ctx, text.text);
    lz_str_finish(&text);
}

// A diagnostic of the scenario begins with the word already, and ends its line.
void lz_repl_error(struct lz_repl *r, const char *text)
{
    size_t n = strlen(text);
    while (n > 0 && text[n - 1] == '\n')
        n--;
    bool has_word = strncmp(text, "error[", 6) == 0;
    lz_repl_say(r, "%s%.*s", has_word ? "" : "error: ", (int)n, text);
}

bool lz_repl_time(struct lz_repl *r, const char *text, lz_time *t)
{
    struct lz_str out;
    lz_str_init(&out);
    lz_str_add(&out, text);
    struct lz_pipe_message m = {.kind = LZ_PIPE_TIME};
    bool ok = lz_tree_ask(&r->tree, &m, &out) && m.kind == LZ_PIPE_OK;
    if (ok)
        *t = (lz_time)m.count;
    else
        lz_repl_error(r, out.text);
    lz_str_finish(&out);
    return ok;
}

static void tell_crash(struct lz_repl *r)
{
    struct lz_str why;
    lz_str_init(&why);
    char at[32];
    if (!lz_tree_recover(&r->tree, &why)) {
        lz_repl_say(r, "error: the world's process is gone, and nothing is kept of it");
        r->is_done = true;
    } else {
        lz_repl_say(r, "error: the world's process is gone; this is how it was at %s",
                    lz_format_instant(at, sizeof(at), lz_tree_now(&r->tree)->at));
    }
    lz_str_finish(&why);
}

// A page of documentation.
static void explain(struct lz_repl *r, const char *topic)
{
    while (*topic == ' ')
        topic++;
    const char *page = r->opts->page(r->opts->page_ctx, topic);
    if (page != NULL)
        lz_repl_say(r, "%.*s", (int)(strlen(page) > 0 ? strlen(page) - 1 : 0), page);
    else
        lz_repl_say(r, "error: nothing is called \"%s\"; .help lists what there is", topic);
}

// A field of the scenario's text, as `db.failover.detect = "1s"`: false if the line is Lua.
static bool edits(struct lz_repl *r, const char *text)
{
    if (strpbrk(text, "\n") != NULL || strchr(text, '=') == NULL || strchr(text, '.') == NULL)
        return false;
    struct lz_str out, why;
    lz_str_init(&out);
    lz_str_init(&why);
    lz_str_add(&out, text);
    struct lz_pipe_message m = {.kind = LZ_PIPE_EDIT};
    bool is_alive = lz_tree_ask(&r->tree, &m, &out);
    bool is_lua = is_alive && m.kind == LZ_PIPE_INCOMPLETE;
    if (!is_alive)
        tell_crash(r);
    else if (m.kind == LZ_PIPE_WRONG)
        lz_repl_error(r, out.text);
    else if (!is_lua && !lz_tree_rebuild(&r->tree, &r->opts->stage, out.text, &why))
        lz_repl_error(r, why.text);
    lz_str_finish(&why);
    lz_str_finish(&out);
    return !is_lua;
}

// True if the line goes on in the next one.
static bool evaluate(struct lz_repl *r, const char *text)
{
    if (edits(r, text))
        return false;
    struct lz_str out;
    lz_str_init(&out);
    struct lz_pipe_message m = {0};
    bool goes_on = false;
    if (!lz_tree_eval(&r->tree, text, &m, &out))
        tell_crash(r);
    else if (m.kind == LZ_PIPE_INCOMPLETE)
        goes_on = true;
    else if (m.kind == LZ_PIPE_WRONG)
        lz_repl_error(r, out.text);
    else if (out.len > 0)
        lz_repl_say(r, "%s", out.text);
    lz_str_finish(&out);
    return goes_on;
}

void lz_repl_lua(struct lz_repl *r, const char *text)
{
    if (evaluate(r, text))
        lz_repl_say(r, "error: the line is not complete");
}

static bool is_blank(const char *line)
{
    return line[strspn(line, " \t")] == '\0';
}

void lz_repl_line(struct lz_repl *r, const char *line)
{
    lz_str_addf(&r->typed, "%s\n", line);
    if (line[0] == '.')
        lz_dots_do(r, line + 1);
    else if (line[0] == '?')
        explain(r, line + 1);
    else
        lz_repl_lua(r, line);
}

static void make_prompt(struct lz_repl *r, char *out, size_t size)
{
    const struct lz_tree_branch *b = lz_tree_now(&r->tree);
    char at[32];
    lz_format_instant(at, sizeof(at), b->at);
    bool is_main = r->tree.current == 0;
    snprintf(out, size, "%s%s%s> ", is_main ? "" : b->name, is_main ? "" : " ", at);
}

static char *read_line(struct lz_repl *r, const char *prompt)
{
    return r->line != NULL ? lz_line_read(r->line, prompt)
                           : r->opts->input.read(r->opts->input.ctx);
}

// After a dot commands; elsewhere, and where a command takes an expression, what Lua knows.
static void complete(void *ctx, const char *text, struct lz_str *out)
{
    struct lz_repl *r = ctx;
    if (text[0] == '.' && strchr(text, ' ') == NULL) {
        lz_dots_complete(text, out);
        return;
    }
    bool is_lua =
        text[0] != '.' || strncmp(text, ".plot ", 6) == 0 || strncmp(text, ".break when ", 12) == 0;
    if (text[0] == '\0' || text[0] == '?' || !is_lua)
        return;
    struct lz_str answer;
    lz_str_init(&answer);
    lz_str_add(&answer, text);
    struct lz_pipe_message m = {.kind = LZ_PIPE_COMPLETE};
    if (lz_tree_ask(&r->tree, &m, &answer) && m.kind == LZ_PIPE_OK)
        lz_str_add(out, answer.text);
    lz_str_finish(&answer);
}

static void take_lua(struct lz_repl *r, char *first)
{
    struct lz_str all;
    lz_str_init(&all);
    lz_str_add(&all, first);
    while (!r->is_done && evaluate(r, all.text)) {
        char *more = read_line(r, "... ");
        if (more == NULL) {
            lz_repl_say(r, "error: the input ends in the middle of a chunk");
            break;
        }
        lz_str_addf(&all, "\n%s", more);
        free(more);
    }
    lz_str_addf(&r->typed, "%s\n", all.text);
    lz_str_finish(&all);
}

static const struct lz_tree *interruptible;

static void on_interrupt(int signal)
{
    (void)signal;
    if (interruptible != NULL)
        lz_tree_interrupt(interruptible);
}

static void greet(struct lz_repl *r)
{
    if (r->line == NULL)
        return;
    lz_repl_say(r, "lorenz %s   .help   ?name for documentation   TAB completes   Ctrl-R history",
                r->opts->stage.version);
    lz_repl_say(r, "\"%s\"   seed %llu%s%s", r->opts->title,
                (unsigned long long)r->opts->stage.seed, r->opts->case_text[0] != '\0' ? "   " : "",
                r->opts->case_text);
}

static void go_to_start(struct lz_repl *r)
{
    if (r->opts->at <= 0)
        return;
    struct lz_pipe_message m;
    struct lz_str out;
    lz_str_init(&out);
    if (!lz_tree_run(&r->tree, r->opts->at, "", &m, &out))
        tell_crash(r);
    lz_str_finish(&out);
}

bool lz_repl_run(const struct lz_repl_opts *opts, struct lz_str *why)
{
    struct lz_repl r = {.opts = opts};
    if (!lz_tree_open(&opts->stage, &r.tree, why))
        return false;
    lz_str_init(&r.typed);
    interruptible = &r.tree;
    struct sigaction act = {.sa_handler = on_interrupt}, before;
    sigaction(SIGINT, &act, &before);
    if (opts->terminal != NULL) {
        struct lz_line_opts terminal = *opts->terminal;
        terminal.complete = complete;
        terminal.ctx = &r;
        r.line = lz_line_open(&terminal);
    }
    greet(&r);
    go_to_start(&r);
    char *line, prompt[64];
    for (;;) {
        make_prompt(&r, prompt, sizeof(prompt));
        if (r.is_done || (line = read_line(&r, prompt)) == NULL)
            break;
        if (line[0] == '.' || line[0] == '?')
            lz_repl_line(&r, line);
        else if (!is_blank(line))
            take_lua(&r, line);
        free(line);
    }
    sigaction(SIGINT, &before, NULL);
    interruptible = NULL;
    lz_line_close(r.line);
    for (uint32_t i = 0; i < r.break_count; i++)
        free(r.breaks[i]);
    free(r.breaks);
    for (uint32_t i = 0; i < r.watch_count; i++)
        free(r.watches[i]);
    free(r.watches);
    lz_tree_close(&r.tree);
    lz_str_finish(&r.typed);
    return true;
}
