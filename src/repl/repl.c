#include "repl/repl.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "check/format.h"
#include "report/pen.h"

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

void lz_repl_cut(struct lz_repl *r, const char *text, size_t len)
{
    struct lz_str line;
    lz_str_init(&line);
    struct lz_pen pen = lz_pen_begin(&line, &r->style);
    lz_pen_add_n(&pen, LZ_TINT_NONE, text, len);
    lz_repl_say(r, "%s", line.text);
    lz_str_finish(&line);
}

void lz_repl_gone(struct lz_repl *r)
{
    struct lz_str why;
    lz_str_init(&why);
    char at[32], reason[128];
    snprintf(reason, sizeof(reason), "%s", lz_tree_reason(&r->tree));
    if (lz_tree_recover(&r->tree, &why)) {
        lz_repl_say(r, "error: the world's process has ended: %s", reason);
        lz_repl_say(r, "       this is how it was at %s, the latest that is kept",
                    lz_format_instant(at, sizeof(at), lz_tree_now(&r->tree)->at));
    } else {
        lz_repl_say(r, "error: the world's process has ended: %s; nothing is kept of it", reason);
        r->is_done = true;
    }
    lz_str_finish(&why);
}

static void say_page(struct lz_repl *r, const char *page)
{
    size_t len = strlen(page);
    while (len > 0 && page[len - 1] == '\n')
        len--;
    lz_repl_say(r, "%.*s", (int)len, page);
}

// What the world calls it: a page of its own, or what it is and the topics that may tell of it.
static bool explain_here(struct lz_repl *r, const char *name)
{
    struct lz_str text;
    lz_str_init(&text);
    lz_str_add(&text, name);
    struct lz_pipe_message m = {.kind = LZ_PIPE_TOPIC};
    bool is_told = lz_tree_ask(&r->tree, &m, &text) && m.kind == LZ_PIPE_OK;
    if (is_told && text.text[0] == '=') {
        say_page(r, text.text + 1);
    } else if (is_told) {
        char *rest = text.text, *what = strsep(&rest, "\n"), *topic;
        const char *page = NULL;
        while (page == NULL && (topic = strsep(&rest, "\n")) != NULL)
            page = r->opts->page(r->opts->page_ctx, topic);
        lz_repl_say(r, "%s%s", what, page != NULL ? "\n" : "; nothing more is written of it");
        if (page != NULL)
            say_page(r, page);
    }
    lz_str_finish(&text);
    return is_told;
}

void lz_repl_docs(struct lz_repl *r, const char *name)
{
    while (*name == ' ')
        name++;
    if (name[0] == '.' && lz_dots_explain(r, name + 1))
        return;
    if (name[0] != '\0' && explain_here(r, name))
        return;
    const char *page = r->opts->page(r->opts->page_ctx, name);
    if (page != NULL) {
        say_page(r, page);
        return;
    }
    if (lz_dots_explain(r, name))
        return;
    const char *near = r->opts->near(r->opts->page_ctx, name);
    lz_repl_say(r, "error: nothing is called \"%s\"; ? alone lists what there is%s%s", name,
                near != NULL ? "\n  = help: a topic with a similar name exists: ?" : "",
                near != NULL ? near : "");
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
        lz_repl_gone(r);
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
        lz_repl_gone(r);
    else if (m.kind == LZ_PIPE_INCOMPLETE)
        goes_on = true;
    else if (m.kind == LZ_PIPE_WRONG) {
        lz_repl_error(r, out.text);
        lz_dots_hint(r, text);
    } else if (out.len > 0)
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

static void make_prompt(struct lz_repl *r, char *out, size_t size)
{
    const struct lz_tree_branch *b = lz_tree_now(&r->tree);
    char at[32];
    lz_format_instant(at, sizeof(at), b->at);
    bool is_main = r->tree.current == 0;
    snprintf(out, size, "%s%s%s> ", is_main ? "" : b->name, is_main ? "" : " ", at);
}

// Of a session that is loaded; what is typed so is seen on a terminal.
static char *read_loaded(struct lz_repl *r, const char *prompt)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t len = getline(&line, &cap, r->loading);
    if (len < 0) {
        free(line);
        fclose(r->loading);
        r->loading = NULL;
        return NULL;
    }
    if (len > 0 && line[len - 1] == '\n')
        line[len - 1] = '\0';
    if (r->line != NULL)
        lz_repl_say(r, "%s%s", prompt, line);
    return line;
}

static char *read_line(struct lz_repl *r, const char *prompt)
{
    char *line = r->loading != NULL ? read_loaded(r, prompt) : NULL;
    if (line != NULL)
        return line;
    return r->line != NULL ? lz_line_read(r->line, prompt)
                           : r->opts->input.read(r->opts->input.ctx);
}

// How wide the terminal is may have changed since the line before.
static void look(struct lz_repl *r)
{
    if (r->line != NULL)
        r->style.width = lz_line_width_now(r->line);
    r->tree.look = (uint64_t)r->style.width << 1 | (uint64_t)r->style.ascii;
}

static void complete_fork(const struct lz_repl *r, const char *text, struct lz_str *out)
{
    const char *name = strchr(text, ' ') + 1;
    for (uint32_t i = 0; i < r->tree.branch_count; i++) {
        const char *known = r->tree.branches[i].name;
        if (strncmp(known, name, strlen(name)) == 0)
            lz_str_addf(out, "%s%.*s%s", out->len > 0 ? "\n" : "", (int)(name - text), text, known);
    }
}

// After a dot commands; elsewhere, and where a command takes an expression, what Lua knows.
static void complete(void *ctx, const char *text, struct lz_str *out)
{
    struct lz_repl *r = ctx;
    static const char *const takers[] = {".plot ", ".break when ", ".watch ", ".why ",
                                         ".set ",  ".docs ",       "?"};
    if (text[0] == '.' && strchr(text, ' ') == NULL) {
        lz_dots_complete(text, out);
        return;
    }
    if (strncmp(text, ".switch ", 8) == 0 || strncmp(text, ".diff ", 6) == 0) {
        complete_fork(r, text, out);
        return;
    }
    bool is_lua = text[0] != '.' && text[0] != '?';
    for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++)
        is_lua |= strncmp(text, takers[i], strlen(takers[i])) == 0;
    if (text[0] == '\0' || !is_lua)
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
        if (r->loading == NULL && lz_line_gave_up(r->line)) {
            lz_str_finish(&all);
            return;
        }
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
        lz_repl_gone(r);
    else if (m.kind == LZ_PIPE_WRONG)
        lz_repl_error(r, out.text);
    lz_str_finish(&out);
}

// The user's own words: a file of Lua, read as one line.
static void take_start_file(struct lz_repl *r)
{
    FILE *f = r->opts->start_file != NULL ? fopen(r->opts->start_file, "r") : NULL;
    if (f == NULL)
        return;
    struct lz_str text, out;
    lz_str_init(&text);
    lz_str_init(&out);
    char part[4096];
    size_t n;
    while ((n = fread(part, 1, sizeof(part), f)) > 0)
        lz_str_add_n(&text, part, n);
    fclose(f);
    struct lz_pipe_message m = {0};
    if (!lz_tree_eval(&r->tree, text.text, &m, &out))
        lz_repl_gone(r);
    else if (m.kind != LZ_PIPE_OK)
        lz_repl_say(r, "error: %s: %s", r->opts->start_file,
                    m.kind == LZ_PIPE_INCOMPLETE ? "it is not complete" : out.text);
    else if (out.len > 0)
        lz_repl_say(r, "%s", out.text);
    lz_str_finish(&text);
    lz_str_finish(&out);
}

// Not .save and .load: what they would do was done when the line was typed.
static void note_typed(struct lz_repl *r, const char *line)
{
    if (strncmp(line, ".save", 5) != 0 && strncmp(line, ".load", 5) != 0)
        lz_str_addf(&r->typed, "%s\n", line);
}

static void take_line(struct lz_repl *r, char *line)
{
    lz_tree_begin_line();
    if (line[0] == '.' || line[0] == '?')
        note_typed(r, line);
    if (line[0] == '.')
        lz_dots_do(r, line + 1);
    else if (line[0] == '?')
        lz_repl_docs(r, line + 1);
    else if (!is_blank(line))
        take_lua(r, line);
}

static void open_repl(struct lz_repl *r)
{
    if (r->opts->terminal != NULL) {
        struct lz_line_opts terminal = *r->opts->terminal;
        terminal.complete = complete;
        terminal.ctx = r;
        r->line = lz_line_open(&terminal);
    }
    r->loading = r->opts->session;
    look(r);
    greet(r);
    take_start_file(r);
    go_to_start(r);
}

static void close_repl(struct lz_repl *r)
{
    lz_line_close(r->line);
    if (r->loading != NULL)
        fclose(r->loading);
    for (uint32_t i = 0; i < r->break_count; i++)
        free(r->breaks[i]);
    free(r->breaks);
    for (uint32_t i = 0; i < r->watch_count; i++)
        free(r->watches[i]);
    free(r->watches);
    lz_tree_close(&r->tree);
    lz_str_finish(&r->typed);
}

bool lz_repl_run(const struct lz_repl_opts *opts, struct lz_str *why)
{
    struct lz_repl r = {.opts = opts, .style = opts->style};
    if (!lz_tree_open(&opts->stage, opts->memory_bytes, &r.tree, why)) {
        if (opts->session != NULL)
            fclose(opts->session);
        return false;
    }
    lz_str_init(&r.typed);
    interruptible = &r.tree;
    struct sigaction act = {.sa_handler = on_interrupt}, before;
    sigaction(SIGINT, &act, &before);
    open_repl(&r);
    char *line, prompt[64];
    for (;;) {
        make_prompt(&r, prompt, sizeof(prompt));
        if (r.is_done || (line = read_line(&r, prompt)) == NULL)
            break;
        look(&r);
        take_line(&r, line);
        free(line);
        lz_tree_tidy(&r.tree);
    }
    sigaction(SIGINT, &before, NULL);
    interruptible = NULL;
    close_repl(&r);
    return true;
}
