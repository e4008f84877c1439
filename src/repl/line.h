/*
 * line.h — a line from a terminal: typed, edited, completed, remembered.
 *
 * The keys are Emacs': C-a C-e C-b C-f M-b M-f move, C-d C-h M-d C-w C-k C-u delete, C-y brings
 * back what was deleted, C-t swaps, C-p C-n go through the history, C-r searches it, C-l clears the
 * screen, Tab completes, twice it lists, C-c gives the line up, C-d on an empty line ends the
 * input. Right of the cursor stands, in grey, what completion or history would put there: C-f, C-e
 * or the right arrow take it.
 *
 * Text is UTF-8; a character may be no, one or two columns wide. Lines longer than the terminal
 * wrap. What is pasted (bracketed paste) is not read as keys, and its lines are read one after
 * another. While a line is read the terminal is in raw mode; at all other times it is as it was
 * found, so that C-c is a signal while a world runs.
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

/* $XDG_STATE_HOME/lorenz/history or ~/.local/state/lorenz/history, its folders made; malloc's. NULL
   if there is no home. */
char *lz_line_history_path(void);

#endif
