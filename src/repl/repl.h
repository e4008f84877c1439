/*
 * repl.h — the prompt: a line in, what it did out.
 *
 * A line that begins with a dot is a command (dots.c has the table), one that begins with ? asks
 * for documentation, every other is Lua (script/prompt.h). Nothing here knows a terminal: lines
 * come from an *input* and go out as text, so a session is the same piped and typed.
 *
 *   input ──line──▶ repl ──verb──▶ stage (a process with the world)
 *                    │ dots.c, views.c: what is shown of a record
 *                    └ tree.c: snapshots and branches
 */
#ifndef LZ_REPL_REPL_H
#define LZ_REPL_REPL_H

#include "repl/line.h"
#include "repl/stage.h"
#include "repl/tree.h"
#include "report/report.h"

/* Where lines come from, without a terminal: prompts and greetings are for people. */
struct lz_repl_input {
    void *ctx;
    /* The next line without its end, malloc's; NULL at the end of input. */
    char *(*read)(void *ctx);
};

struct lz_repl_opts {
    struct lz_stage_opts stage;
    const char *title; /* the scenario's sentence */
    const char *case_text;
    lz_time at; /* where to begin */
    struct lz_report_style style;
    struct lz_repl_input input;
    const struct lz_line_opts *terminal; /* in place of that; `complete` is filled in. NULL: none */
    void (*put)(void *ctx, const char *text); /* text as it comes */
    void *put_ctx;
    /* A page of documentation by its topic; NULL: there is none. Valid until the next. */
    const char *(*page)(void *ctx, const char *topic);
    void *page_ctx;
};

/* Until .quit or the end of input. False: it could not begin; `why` says so. */
bool lz_repl_run(const struct lz_repl_opts *opts, struct lz_str *why) LZ_MUST_CHECK;

/* ---- for dots.c and views.c */

struct lz_repl {
    const struct lz_repl_opts *opts;
    struct lz_tree tree;
    char **breaks, **watches;
    uint32_t break_count, watch_count;
    struct lz_line *line; /* NULL: no terminal */
    struct lz_str typed;  /* all lines so far, for .save */
    bool is_done;
};

/* A line of text that goes out; an error begins with its word. */
void lz_repl_say(struct lz_repl *r, const char *fmt, ...) LZ_PRINTF(2, 3);

/* What was answered to a question that went wrong. */
void lz_repl_error(struct lz_repl *r, const char *text);

/* One complete line of Lua. */
void lz_repl_lua(struct lz_repl *r, const char *text);

/* A line that was typed, or read from a saved session. */
void lz_repl_line(struct lz_repl *r, const char *line);

/* "3m59s", asked of the world; false when said what is wrong with it. */
bool lz_repl_time(struct lz_repl *r, const char *text, lz_time *t);

/* dots.c: a command without its dot; the commands that begin so, one per line with the dot. */
void lz_dots_do(struct lz_repl *r, const char *line);
void lz_dots_complete(const char *text, struct lz_str *out);

/* views.c: of the current branch's record. */
void lz_views_events(struct lz_repl *r, const char *args);
void lz_views_timeline(struct lz_repl *r, const char *args);
void lz_views_faults(struct lz_repl *r, const char *args);
void lz_views_expect(struct lz_repl *r, const char *args);
void lz_views_plot(struct lz_repl *r, const char *args);
void lz_views_trace(struct lz_repl *r, const char *args);
void lz_views_why(struct lz_repl *r, const char *args);
void lz_views_sql(struct lz_repl *r, const char *args);
void lz_views_diff(struct lz_repl *r, const char *args);

#endif
