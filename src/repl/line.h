/*
 * line.h — a line from a terminal: typed, edited, completed, remembered.
 *
 * The keys are Emacs', as lz_line_keys lists them; each has a test (tests/repl/pty.c). Right of the
 * cursor stands, in grey, what completion or history would put there: C-f, C-e or the right arrow
 * take it; where there is no colour there is no hint, for it would be taken for what was typed.
 *
 * Text is UTF-8; a character may be no, one or two columns wide. Lines longer than the terminal
 * wrap. What is pasted (bracketed paste) is not read as keys, and its lines are read one after
 * another. While a line is read the terminal is in raw mode; between lines C-c is a signal, and
 * what is typed ahead waits unseen. When the prompt is left, or is ended by whatever signal, the
 * terminal is as it was found.
 */
#ifndef LZ_REPL_LINE_H
#define LZ_REPL_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct lz_line;

struct lz_line_opts {
    int in, out; /* a terminal, both */
    bool colour;
    const char *history; /* a file; NULL: none is kept */
    /* What could stand where `text` ends, one per line; added to `out`. NULL: nothing. */
    void (*complete)(void *ctx, const char *text, struct lz_str *out);
    void *ctx;
};

struct lz_line *lz_line_open(const struct lz_line_opts *opts);
void lz_line_close(struct lz_line *l);

/* malloc's, without its end; NULL at the end of input. A line that was given up is "". */
char *lz_line_read(struct lz_line *l, const char *prompt);
bool lz_line_gave_up(const struct lz_line *l); /* the last one; false without a terminal */

/* Columns of the terminal now, at least 40. */
int lz_line_width_now(const struct lz_line *l);

/* The keys and what they do, for people. */
const char *lz_line_keys(void);

/* $XDG_STATE_HOME/lorenz/history or ~/.local/state/lorenz/history, its folders made; malloc's. NULL
   if there is no home. */
char *lz_line_history_path(void);

#endif
