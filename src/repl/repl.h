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

#include <stdio.h>

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
    /* The topic that was probably meant, or NULL. */
    const char *(*near)(void *ctx, const char *topic);
    void *page_ctx;
    const char *start_file; /* Lua to begin with; NULL: none */
    FILE *session;          /* lines to type first, closed when they are; NULL: none */
    size_t memory_bytes;    /* of snapshots; 0 means LZ_SNAPSHOTS_BUDGET */
};

/* Until .quit or the end of input. False: it could not begin; `why` says so. */
bool lz_repl_run(const struct lz_repl_opts *opts, struct lz_str *why) LZ_MUST_CHECK;

/* ---- for dots*.c and view*.c */

struct lz_repl {
    const struct lz_repl_opts *opts;
    struct lz_report_style style; /* as wide as the terminal is now */
    struct lz_tree tree;
    char **breaks, **watches;
    uint32_t break_count, watch_count;
    struct lz_line *line; /* NULL: no terminal */
    struct lz_str typed;  /* all lines so far, for .save */
    FILE *loading;        /* where lines come from instead; NULL: nothing is loaded */
    struct lz_live *live; /* what is drawn while time passes; NULL: it does not */
    bool is_done;
};

/* A line of text that goes out; an error begins with its word. */
void lz_repl_say(struct lz_repl *r, const char *fmt, ...) LZ_PRINTF(2, 3);

/* So much of a text, cut to the terminal. */
void lz_repl_cut(struct lz_repl *r, const char *text, size_t len);

/* What was answered to a question that went wrong. */
void lz_repl_error(struct lz_repl *r, const char *text);

/* The world's process is gone: say why, and go on with the last snapshot. */
void lz_repl_gone(struct lz_repl *r);

/* One complete line of Lua. */
void lz_repl_lua(struct lz_repl *r, const char *text);

/* "3m59s", asked of the world; false when said what is wrong with it. */
bool lz_repl_time(struct lz_repl *r, const char *text, lz_time *t);

/* Documentation of anything, by its name here or in the language; "" lists what there is. */
void lz_repl_docs(struct lz_repl *r, const char *name);

/* dots.c: a command without its dot; the commands that begin so, one per line with the dot. */
void lz_dots_do(struct lz_repl *r, const char *line);
void lz_dots_complete(const char *text, struct lz_str *out);
/* After an error in what was taken for Lua, where that is a command without its dot: says so. */
void lz_dots_hint(struct lz_repl *r, const char *line);
bool lz_dots_explain(struct lz_repl *r, const char *name); /* false: there is no such command */

/* view_plot.c: carry out a command that runs, with what is to be seen of it; and: it has ended. */
void lz_views_run(struct lz_repl *r, const char *command);
void lz_views_ended(struct lz_repl *r);

#endif
